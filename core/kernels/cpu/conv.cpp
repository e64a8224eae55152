// Convolution: patches are packed straight into the micro-kernels of matrix multiplication.
#include "kernels/conv.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernels/cpu/gemm_tiles.h"
#include "runtime/parallel.h"

namespace rl::cpu::RL_ISA {
namespace {

#include "kernels/cpu/gemm_micro.h"

constexpr int64_t kGrainWork = 1 << 18;      // multiplications worth handing to another thread
constexpr int64_t kGrainMoves = 1 << 14;     // the same for copied elements
constexpr int64_t kPanelElements = 1 << 20;  // of gradients packed at once
constexpr int64_t kStripsAtOnce = 8;         // that share a block of weights in the cache
constexpr int64_t kMaxStrip = 32;

template <class P> constexpr int64_t kBlock = 64 / static_cast<int64_t>(sizeof(P));  // elements copied at once

template <class P> const Tiles<P>& tiles() {
  if constexpr (sizeof(P) == 4)
    return tiles_f32;
  else
    return tiles_f64;
}

struct Buffers {
  Scratch weights, patches, lines, gradient, sums;
};
Buffers& buffers() {
  static thread_local Buffers b;
  return b;
}

int64_t grain_for(int64_t work_per_item, int64_t grain) { return std::max<int64_t>(1, grain / (work_per_item + 1)); }

// Adjacent positions of one run: where they stand in the list asked for, what they read, where they are written.
struct Run {
  int64_t at, count, x, o;
};

// The runs of positions [first, first + count).
int64_t find_runs(const ConvProduct& c, int64_t first, int64_t count, Run* runs) {
  int64_t column = first % c.run, line = first / c.run;
  int64_t row = line % c.rows, plane = line / c.rows % c.planes, image = line / c.rows / c.planes;
  int64_t n = 0;
  for (int64_t at = 0; at < count;) {
    int64_t length = std::min(c.run - column, count - at);
    runs[n++] = {at, length, image * c.x_image + plane * c.x_plane + row * c.x_row + column,
                 image * c.o_image + plane * c.o_plane + row * c.o_row + column * c.o_step};
    at += length;
    column = 0;
    if (++row == c.rows) {
      row = 0;
      if (++plane == c.planes) plane = 0, ++image;
    }
  }
  return n;
}

// Copies runs one after the other, in whole blocks: what is written past a run's end is overwritten by the next, or lies
// past the end of all; what is read past it is still x where `loose`.
template <class P> inline void copy_runs(const P* x, const Run* runs, int64_t n, bool loose, P* out) {
  if (!loose) {
    for (int64_t r = 0; r < n; ++r)
      for (int64_t i = 0; i < runs[r].count; ++i) out[runs[r].at + i] = x[runs[r].x + i];
    return;
  }
  for (int64_t r = 0; r < n; ++r) {
    const P* from = x + runs[r].x;
    P* to = out + runs[r].at;
    for (int64_t i = 0; i < runs[r].count; i += kBlock<P>) std::memcpy(to + i, from + i, 64);
  }
}

// Whether whole blocks may be read at every tap of every channel.
template <class P> bool may_overread(const ConvProduct& c, int64_t group, const Run* runs, int64_t n) {
  int64_t farthest = 0, tap = *std::max_element(c.x_taps, c.x_taps + c.taps);
  for (int64_t r = 0; r < n; ++r) farthest = std::max(farthest, runs[r].x + runs[r].count);
  return group * c.x_group + (c.channels - 1) * c.x_channel + tap + farthest + kBlock<P> <= c.x_size;
}

// --- spreading -------------------------------------------------------------------------------------------------------

template <class P> void spread(const ConvSpread& s, const P* x, P* out) {
  const int64_t width = s.out[2], line = s.phases * width, block = s.out[0] * s.out[1] * line;
  parallel_for(s.blocks, grain_for(block, kGrainMoves), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      P* o = out + b * block;
      for (int64_t z = 0; z < s.out[0]; ++z) {
        int64_t from_z = z * s.step[0] - s.pad[0];
        for (int64_t y = 0; y < s.out[1]; ++y, o += line) {
          int64_t from_y = y * s.step[1] - s.pad[1];
          if (from_z < 0 || from_z >= s.in[0] || from_y < 0 || from_y >= s.in[1]) {
            std::fill(o, o + line, P(0));
            continue;
          }
          const P* row = x + ((b * s.in[0] + from_z) * s.in[1] + from_y) * s.in[2];
          for (int64_t phase = 0; phase < s.phases; ++phase) {
            P* to = o + phase * width;
            int64_t step = s.step[2], shift = s.pad[2] - phase;  // reads i * step - shift
            int64_t low = std::clamp<int64_t>(shift > 0 ? (shift + step - 1) / step : 0, 0, width);
            int64_t high =
                std::clamp<int64_t>(s.in[2] + shift > 0 ? (s.in[2] + shift + step - 1) / step : 0, low, width);
            std::fill(to, to + low, P(0));
            const P* from = row - shift;
            if (step == 1)
              std::memcpy(to + low, from + low, static_cast<size_t>(high - low) * sizeof(P));
            else if (step == 2)
              for (int64_t i = low; i < high; ++i) to[i] = from[2 * i];
            else
              for (int64_t i = low; i < high; ++i) to[i] = from[i * step];
            std::fill(to + high, to + width, P(0));
          }
        }
      }
    }
  });
}

// --- forward ---------------------------------------------------------------------------------------------------------

// The weights of all groups as the micro-kernel reads them: blocks of k, in them tiles of rows.
template <class P> void pack_weights(const ConvProduct& c, const Tiles<P>& mk, const P* w, P* out) {
  const int64_t k = c.channels * c.taps, k_blocks = (k + kDepth - 1) / kDepth, row_tiles = mk.count(c.m);
  bool plain = c.w_channel == c.taps;
  for (int64_t t = 0; t < c.taps; ++t) plain = plain && c.w_taps[t] == t;
  parallel_for(c.groups * row_tiles, grain_for(k * mk.rows, kGrainMoves), [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      int64_t group = item / row_tiles, tile = item % row_tiles;
      int64_t i0 = c.m * tile / row_tiles, rows = c.m * (tile + 1) / row_tiles - i0;
      const P* from = w + group * c.w_group + i0 * c.w_m;
      for (int64_t kb = 0; kb < k_blocks; ++kb) {
        int64_t k0 = k * kb / k_blocks, depth = k * (kb + 1) / k_blocks - k0;
        P* o = out + group * c.m * k + c.m * k0 + i0 * depth;
        if (plain) {
          mk.pack(from + k0, c.w_m, 1, rows, rows, depth, o);
          continue;
        }
        int64_t channel = k0 / c.taps, tap = k0 % c.taps;
        for (int64_t p = 0; p < depth; ++p, o += rows) {
          const P* at = from + channel * c.w_channel + c.w_taps[tap];
          for (int64_t i = 0; i < rows; ++i) o[i] = at[i * c.w_m];
          if (++tap == c.taps) tap = 0, ++channel;
        }
      }
    }
  });
}

// N blocks for each of the taps from k0 on, and a hint of what the next strip will read.
template <class P, int N>
void copy_blocks(const ConvProduct& c, const P* x, const int64_t* from, const int64_t* to, int64_t next, int64_t k0,
                 int64_t depth, int64_t strip, P* out) {
  int64_t channel = k0 / c.taps, tap = k0 % c.taps, f[N], t[N];
  for (int i = 0; i < N; ++i) f[i] = from[i], t[i] = to[i];
  const P* base = x + channel * c.x_channel;
  for (int64_t p = 0; p < depth; ++p, out += strip) {
    const P* at = base + c.x_taps[tap];
#pragma GCC unroll 8
    for (int i = 0; i < N; ++i) std::memcpy(out + t[i], at + f[i], 64);
    __builtin_prefetch(at + next);
    __builtin_prefetch(at + next + kBlock<P>);
    if (++tap == c.taps) tap = 0, base += c.x_channel;
  }
}

// out[p * strip + i] = what position i reads at channel and tap k0 + p.
template <class P>
void pack_patches(const ConvProduct& c, const P* x, const Run* runs, int64_t n, bool loose, int64_t k0, int64_t depth,
                  int64_t strip, P* out) {
  if (!loose || n > 7) {
    int64_t channel = k0 / c.taps, tap = k0 % c.taps;
    for (int64_t p = 0; p < depth; ++p, out += strip) {
      copy_runs(x + channel * c.x_channel + c.x_taps[tap], runs, n, loose, out);
      if (++tap == c.taps) tap = 0, ++channel;
    }
    return;
  }
  int64_t from[16] = {}, to[16] = {}, blocks = 0;
  for (int64_t r = 0; r < n; ++r)
    for (int64_t i = 0; i < runs[r].count; i += kBlock<P>) {
      from[blocks] = runs[r].x + i;
      to[blocks++] = runs[r].at + i;
    }
  int64_t next = runs[n - 1].x + runs[n - 1].count + kBlock<P>;
  // Repeating the last block does no harm.
  while (blocks > 4 && blocks < 8) from[blocks] = from[blocks - 1], to[blocks] = to[blocks - 1], ++blocks;
  auto as = [&]<int N>() { copy_blocks<P, N>(c, x, from, to, next, k0, depth, strip, out); };
  switch (blocks) {
    case 1: return as.template operator()<1>();
    case 2: return as.template operator()<2>();
    case 3: return as.template operator()<3>();
    case 4: return as.template operator()<4>();
    default: return as.template operator()<8>();
  }
}

template <class P>
void product(const ConvProduct& c, const P* x, const P* w, const P* bias, P* out) {
  const Tiles<P>& mk = tiles<P>();
  const int64_t k = c.channels * c.taps, k_blocks = (k + kDepth - 1) / kDepth,
                max_depth = (k + k_blocks - 1) / k_blocks;
  const int64_t strip = mk.strip(), row_tiles = mk.count(c.m);
  const int64_t n = c.images * c.planes * c.rows * c.run, strips = (n + strip - 1) / strip;
  P* packed = buffers().weights.get<P>(c.groups * c.m * k);
  pack_weights(c, mk, w, packed);

  // Positions in strips; where there are few, the rows are shared out as well.
  int64_t row_groups = std::clamp<int64_t>(8 * num_threads() / (c.groups * strips), 1, row_tiles);
  if (c.m * k * strip < 2 * kGrainWork) row_groups = 1;
  parallel_for(c.groups * row_groups * strips, grain_for(c.m / row_groups * k * strip, kGrainWork),
               [&](int64_t begin, int64_t end) {
                 P* patches = buffers().patches.get<P>(max_depth * strip + 2 * kBlock<P>);
                 alignas(64) P spilled[kRows * kStrip<P>];
                 Run runs[kMaxStrip];
                 for (int64_t item = begin; item < end;) {
                   int64_t part = item / strips, s0 = item % strips;
                   int64_t s1 = std::min({strips, s0 + end - item, s0 + kStripsAtOnce});
                   item += s1 - s0;
                   int64_t group = part / row_groups, rg = part % row_groups;
                   int64_t t0 = row_tiles * rg / row_groups, t1 = row_tiles * (rg + 1) / row_groups;
                   const P* from = x + group * c.x_group;
                   for (int64_t kb = 0; kb < k_blocks; ++kb) {
                     int64_t k0 = k * kb / k_blocks, depth = k * (kb + 1) / k_blocks - k0;
                     const P* a = packed + group * c.m * k + c.m * k0;
                     for (int64_t s = s0; s < s1; ++s) {
                       int64_t first = s * strip, columns = std::min(strip, n - first);
                       int64_t count = find_runs(c, first, columns, runs);
                       bool loose = may_overread<P>(c, group, runs, count);
                       pack_patches(c, from, runs, count, loose, k0, depth, strip, patches);
                       bool whole = c.o_step == 1;
                       for (int64_t r = 1; r < count; ++r)
                         whole = whole && runs[r].o == runs[r - 1].o + runs[r - 1].count;
                       P* base = out + group * c.o_group;
                       TileOut<P> to{kb > 0 || !bias ? kb > 0 ? Finish::add : Finish::set : Finish::row_bias, nullptr,
                                     c.o_m, nullptr, -std::numeric_limits<P>::infinity()};
                       if (!whole) to.finish = Finish::set, to.ld = strip;
                       for (int64_t t = t0; t < t1; ++t) {
                         int64_t i0 = c.m * t / row_tiles, rows = c.m * (t + 1) / row_tiles - i0;
                         if (bias) to.bias = bias + group * c.m + i0;
                         to.dst = whole ? base + i0 * c.o_m + runs[0].o : spilled;
                         mk.run(rows, columns, depth, a + i0 * depth, 1, rows, patches, strip, to);
                         if (whole) continue;
                         for (int64_t i = 0; i < rows; ++i)
                           for (int64_t r = 0; r < count; ++r) {
                             P* o = base + (i0 + i) * c.o_m + runs[r].o;
                             const P* sums = spilled + i * strip + runs[r].at;
                             if (kb > 0)
                               for (int64_t q = 0; q < runs[r].count; ++q) o[q * c.o_step] += sums[q];
                             else if (bias)
                               for (int64_t q = 0; q < runs[r].count; ++q) o[q * c.o_step] = sums[q] + to.bias[i];
                             else
                               for (int64_t q = 0; q < runs[r].count; ++q) o[q * c.o_step] = sums[q];
                           }
                       }
                     }
                   }
                 }
               });
  buffers().weights.trim();
}

// --- the gradient of the weights -------------------------------------------------------------------------------------

// G as rows, patches as columns, summed over positions.
template <class P> void weight_gradient_of_group(const ConvProduct& c, int64_t group, const P* x, const P* g, P* dw) {
  const Tiles<P>& mk = tiles<P>();
  const int64_t r = c.channels * c.taps, strip = mk.strip(), strips = (r + strip - 1) / strip;
  const int64_t row_tiles = mk.count(c.m), per_image = c.planes * c.rows * c.run, n = c.images * per_image;
  const int64_t k_blocks = (n + kDepth - 1) / kDepth;
  // A small result is summed in several parts, whose number depends on the shapes alone.
  const int64_t parts = std::clamp<int64_t>(std::min<int64_t>(k_blocks, 16 / strips), 1, 8);
  const int64_t at_once = std::clamp<int64_t>(kPanelElements / (c.m * kDepth), 1, k_blocks);
  const int64_t line = kDepth + 2 * kBlock<P>;
  P* packed = buffers().gradient.get<P>(at_once * c.m * kDepth);
  P* sums = parts > 1 ? buffers().sums.get<P>(parts * c.m * r) : dw;
  auto bounds = [&](int64_t kb, int64_t& first, int64_t& depth) {
    first = n * kb / k_blocks;
    depth = n * (kb + 1) / k_blocks - first;
  };
  for (int64_t block0 = 0; block0 < k_blocks; block0 += at_once) {
    const int64_t blocks = std::min(at_once, k_blocks - block0);
    parallel_for(blocks * row_tiles, grain_for(kDepth * mk.rows, kGrainMoves), [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        int64_t kb = item / row_tiles, t = item % row_tiles;
        int64_t i0 = c.m * t / row_tiles, rows = c.m * (t + 1) / row_tiles - i0, first, depth;
        bounds(block0 + kb, first, depth);
        P* o = packed + kb * c.m * kDepth + i0 * depth;
        for (int64_t p = 0; p < depth;) {
          int64_t image = (first + p) / per_image, at = (first + p) % per_image;
          int64_t length = std::min(per_image - at, depth - p);
          mk.pack(g + group * c.o_group + image * c.o_image + i0 * c.o_m + at, c.o_m, 1, rows, rows, length,
                  o + p * rows);
          p += length;
        }
      }
    });
    parallel_for(parts * strips, grain_for(blocks / parts * kDepth * c.m * strip, kGrainWork),
                 [&](int64_t begin, int64_t end) {
                   P* lines = buffers().lines.get<P>(strip * line + kBlock<P>);
                   P* patches = buffers().patches.get<P>(kDepth * strip + kBlock<P>);
                   Run runs[kDepth + 1];
                   for (int64_t item = begin; item < end; ++item) {
                     int64_t part = item / strips, j0 = item % strips * strip, columns = std::min(strip, r - j0);
                     int64_t b0 = std::max(block0, k_blocks * part / parts);
                     int64_t b1 = std::min(block0 + blocks, k_blocks * (part + 1) / parts);
                     for (int64_t kb = b0; kb < b1; ++kb) {
                       int64_t first, depth;
                       bounds(kb, first, depth);
                       int64_t count = find_runs(c, first, depth, runs);
                       bool loose = may_overread<P>(c, group, runs, count);
                       for (int64_t j = 0; j < columns; ++j) {
                         int64_t channel = (j0 + j) / c.taps, tap = (j0 + j) % c.taps;
                         copy_runs(x + group * c.x_group + channel * c.x_channel + c.x_taps[tap], runs, count, loose,
                                   lines + j * line);
                       }
                       mk.pack(lines, line, 1, columns, strip, depth, patches);
                       bool fresh = kb == k_blocks * part / parts;
                       TileOut<P> to{fresh ? Finish::set : Finish::add, nullptr, r, nullptr, P(0)};
                       const P* a = packed + (kb - block0) * c.m * kDepth;
                       for (int64_t t = 0; t < row_tiles; ++t) {
                         int64_t i0 = c.m * t / row_tiles, rows = c.m * (t + 1) / row_tiles - i0;
                         to.dst = sums + (part * c.m + i0) * r + j0;
                         mk.run(rows, columns, depth, a + i0 * depth, 1, rows, patches, strip, to);
                       }
                     }
                   }
                 });
  }
  if (parts > 1) {
    for (int64_t i = 0; i < c.m * r; ++i) {
      P sum = sums[i];
      for (int64_t part = 1; part < parts; ++part) sum += sums[part * c.m * r + i];
      dw[i] = sum;
    }
  }
  buffers().gradient.trim();
}

template <class P> void weight_gradient(const ConvProduct& c, const P* x, const P* g, P* dw) {
  int64_t size = c.m * c.channels * c.taps;
  auto some = [&](int64_t begin, int64_t end) {
    for (int64_t group = begin; group < end; ++group) weight_gradient_of_group(c, group, x, g, dw + group * size);
  };
  if (c.groups >= 2 * num_threads())
    parallel_for(c.groups, grain_for(size * c.images * c.planes * c.rows * c.run, kGrainWork), some);
  else
    some(0, c.groups);
}

// --- few channels to a group ---------------------------------------------------------------------------------------
//
// A depthwise convolution has no matrix product in it: every output is the sum of a few vectors.

inline bool is_direct(const ConvProduct& c) { return c.groups > 1 && c.channels * c.m <= 4; }

// NV vectors of adjacent positions at once.
template <class P, int NV>
void direct_line(const ConvProduct& c, const P* x, const P* w, P bias, int64_t count, P* out) {
  constexpr int L = kLanes<P>;
  Vec<P> acc[NV];
  for (int v = 0; v < NV; ++v) acc[v] = splat(bias);
  for (int64_t channel = 0; channel < c.channels; ++channel)
    for (int64_t t = 0; t < c.taps; ++t) {
      const P* from = x + channel * c.x_channel + c.x_taps[t];
      Vec<P> by = splat(w[channel * c.w_channel + c.w_taps[t]]);
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) acc[v] = fma(by, load(from + v * L), acc[v]);
    }
  int tail = static_cast<int>(count - (NV - 1) * L);
  if (c.o_step == 1) {
#pragma GCC unroll 4
    for (int v = 0; v + 1 < NV; ++v) store(out + v * L, acc[v]);
    if (tail == L)
      store(out + (NV - 1) * L, acc[NV - 1]);
    else
      store_part(out + (NV - 1) * L, acc[NV - 1], tail);
    return;
  }
  alignas(64) P sums[NV * L];
  for (int v = 0; v < NV; ++v) store(sums + v * L, acc[v]);
  for (int64_t i = 0; i < count; ++i) out[i * c.o_step] = sums[i];
}

template <class P> void direct(const ConvProduct& c, const P* x, const P* w, const P* bias, P* out) {
  constexpr int L = kLanes<P>;
  const int64_t plane_size = c.planes * c.rows * c.run, tap = *std::max_element(c.x_taps, c.x_taps + c.taps);
  const int64_t reach = (c.channels - 1) * c.x_channel + tap + L;
  parallel_for(c.images * c.groups, grain_for(c.m * c.channels * c.taps * plane_size / 8, kGrainMoves),
               [&](int64_t begin, int64_t end) {
                 for (int64_t item = begin; item < end; ++item) {
                   int64_t group = item % c.groups, image = item / c.groups;
                   for (int64_t i = 0; i < c.m; ++i)
                     for (int64_t line = 0; line < c.planes * c.rows; ++line) {
                       int64_t plane = line / c.rows, row = line % c.rows;
                       int64_t at = group * c.x_group + image * c.x_image + plane * c.x_plane + row * c.x_row;
                       P* o =
                           out + group * c.o_group + image * c.o_image + i * c.o_m + plane * c.o_plane + row * c.o_row;
                       const P* by = w + group * c.w_group + i * c.w_m;
                       P add = bias ? bias[group * c.m + i] : P(0);
                       for (int64_t q = 0; q < c.run;) {
                         int64_t left = c.run - q;
                         if (at + q + std::min<int64_t>(left, 4 * L) + reach > c.x_size) {
                           P sum = add;
                           for (int64_t channel = 0; channel < c.channels; ++channel)
                             for (int64_t t = 0; t < c.taps; ++t)
                               sum = fma_one(by[channel * c.w_channel + c.w_taps[t]],
                                             x[at + q + channel * c.x_channel + c.x_taps[t]], sum);
                           o[q * c.o_step] = sum;
                           ++q;
                           continue;
                         }
                         P* to = o + q * c.o_step;
                         if (left > 2 * L) {
                           int64_t n = std::min<int64_t>(left, 4 * L);
                           n > 3 * L ? direct_line<P, 4>(c, x + at + q, by, add, n, to)
                                     : direct_line<P, 3>(c, x + at + q, by, add, n, to);
                           q += n;
                         } else {
                           left > L ? direct_line<P, 2>(c, x + at + q, by, add, left, to)
                                    : direct_line<P, 1>(c, x + at + q, by, add, left, to);
                           q += left;
                         }
                       }
                     }
                 }
               });
}

// Sums over all positions for TB taps of one channel, in 64 bytes' worth of interleaved sums each.
template <class P, int TB>
void direct_sums(const ConvProduct& c, const P* x, const int64_t* taps, const P* g, P* out) {
  constexpr int L = kLanes<P>, R = 64 / kVecBytes, W = L * R;
  Vec<P> acc[TB][R];
  for (int t = 0; t < TB; ++t)
    for (int r = 0; r < R; ++r) acc[t][r] = Vec<P>{};
  const int64_t lines = c.planes * c.rows;
  for (int64_t image = 0; image < c.images; ++image)
    for (int64_t line = 0; line < lines; ++line) {
      const P* from = x + image * c.x_image + line / c.rows * c.x_plane + line % c.rows * c.x_row;
      const P* grad = g + image * c.o_image + line * c.run;
      int64_t q = 0;
      for (; q + W <= c.run; q += W)
#pragma GCC unroll 4
        for (int r = 0; r < R; ++r) {
          Vec<P> y = load(grad + q + r * L);
#pragma GCC unroll 9
          for (int t = 0; t < TB; ++t) acc[t][r] = fma(y, load(from + taps[t] + q + r * L), acc[t][r]);
        }
      for (int r = 0; r < R && q < c.run; ++r, q += L) {
        int part = static_cast<int>(std::min<int64_t>(L, c.run - q));
        Vec<P> y = load_part(grad + q, part);
#pragma GCC unroll 9
        for (int t = 0; t < TB; ++t) acc[t][r] = fma(y, load_part(from + taps[t] + q, part), acc[t][r]);
      }
    }
  for (int t = 0; t < TB; ++t) {
    alignas(64) P lanes[W];
    for (int r = 0; r < R; ++r) store(lanes + r * L, acc[t][r]);
    for (int half = W / 2; half > 0; half /= 2)
      for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
    out[t] = lanes[0];
  }
}

template <class P> void direct_weight_gradient(const ConvProduct& c, const P* x, const P* g, P* dw) {
  const int64_t size = c.m * c.channels, work = c.taps * c.images * c.planes * c.rows * c.run / 8;
  parallel_for(c.groups * size, grain_for(work, kGrainMoves), [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      int64_t group = item / size, i = item % size / c.channels, channel = item % c.channels;
      const P* from = x + group * c.x_group + channel * c.x_channel;
      const P* grad = g + group * c.o_group + i * c.o_m;
      for (int64_t t = 0; t < c.taps;) {
        int64_t left = c.taps - t, n = left >= 9 ? 9 : left >= 3 ? 3 : 1;
        P* to = dw + item * c.taps + t;
        n == 9   ? direct_sums<P, 9>(c, from, c.x_taps + t, grad, to)
        : n == 3 ? direct_sums<P, 3>(c, from, c.x_taps + t, grad, to)
                 : direct_sums<P, 1>(c, from, c.x_taps + t, grad, to);
        t += n;
      }
    }
  });
}

// --- the table -------------------------------------------------------------------------------------------------------

template <class F> void with_type(DType dtype, F f) {
  if (dtype == DType::F64)
    f(double());
  else
    f(float());
}

void spread_any(DType dtype, const ConvSpread& s, const void* x, void* out) {
  with_type(dtype, [&]<class P>(P) { spread(s, static_cast<const P*>(x), static_cast<P*>(out)); });
}
void product_any(DType dtype, const ConvProduct& c, const void* x, const void* w, const void* bias, void* out) {
  with_type(dtype, [&]<class P>(P) {
    (is_direct(c) ? direct<P> : product<P>)(c, static_cast<const P*>(x), static_cast<const P*>(w),
                                            static_cast<const P*>(bias), static_cast<P*>(out));
  });
}
void weight_gradient_any(DType dtype, const ConvProduct& c, const void* x, const void* g, void* dw) {
  with_type(dtype, [&]<class P>(P) {
    (is_direct(c) ? direct_weight_gradient<P> : weight_gradient<P>)(c, static_cast<const P*>(x),
                                                                    static_cast<const P*>(g), static_cast<P*>(dw));
  });
}

}  // namespace

extern const ConvTable conv_table = {spread_any, product_any, weight_gradient_any};

}  // namespace rl::cpu::RL_ISA
