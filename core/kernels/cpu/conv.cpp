// Convolution: patches are packed straight into the micro-kernels of matrix multiplication.
#include "kernels/conv.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <memory>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernels/cpu/gemm_tiles.h"
#include "runtime/parallel.h"

namespace rl::cpu::RL_ISA {
namespace {

#include "kernels/cpu/conv_runs.h"
#include "kernels/cpu/gemm_micro.h"

// --- spreading -------------------------------------------------------------------------------------------------------

// In whole blocks, which may write (and read) past the end.
template <class P> inline void copy_loose(P* to, const P* from, int64_t n) {
  for (int64_t i = 0; i < n; i += kBlock<P>) std::memcpy(to + i, from + i, 64);
}
template <class P> inline void zero_loose(P* to, int64_t n) {
  if (n > 0) std::memset(to, 0, 64);
  for (int64_t i = kBlock<P>; i < n; i += kBlock<P>) std::memset(to + i, 0, 64);
}

template <class P> class Spread {
 public:
  Spread(const ConvSpread& s, const P* x, P* out) : s_(s), x_(x), out_(out) {
    line_ = s.phases * s.out[2];
    x_end_ = x + s.blocks * s.in[0] * s.in[1] * s.in[2];
    pairs_ = s.step[2] == 2 && s.phases <= 2;
    for (int64_t phase = 0; phase < 2; ++phase) {
      const int64_t shift = s.pad[2] - phase;
      low_[phase] = std::clamp<int64_t>((shift + 1) / 2, 0, s.out[2]);
      high_[phase] = std::clamp<int64_t>((s.in[2] + shift + 1) / 2, low_[phase], s.out[2]);
    }
    simple_ = s.step[2] == 1 && s.phases == 1 && s.pad[2] >= 0;
  }

  void run() {
    const int64_t size = block_size();
    parallel_for(s_.blocks, grain_for(size, kGrainMoves), [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b) block(b, out_ + b * size, b + 1 == end);
    });
  }

  int64_t block_size() const { return s_.out[0] * s_.out[1] * line_; }

  // `tight`: what follows o's end must not be written to.
  void block(int64_t b, P* o, bool tight) const {
    for (int64_t z = 0; z < s_.out[0]; ++z)
      for (int64_t y = 0; y < s_.out[1]; ++y, o += line_) {
        int64_t from_z = z * s_.step[0] - s_.pad[0], from_y = y * s_.step[1] - s_.pad[1];
        // What is written past the end of a row may reach over several short ones.
        bool last = tight && ((s_.out[0] - 1 - z) * s_.out[1] + s_.out[1] - 1 - y) * line_ < kBlock<P>;
        if (from_z < 0 || from_z >= s_.in[0] || from_y < 0 || from_y >= s_.in[1]) {
          last ? std::fill(o, o + line_, P(0)) : zero_loose(o, line_);
          continue;
        }
        const P* row = x_ + ((b * s_.in[0] + from_z) * s_.in[1] + from_y) * s_.in[2];
        const P* low = row - s_.pad[2];  // whole blocks are read from here on
        if (last || low < x_ || std::max(low + 2 * line_, row + s_.in[2]) + 2 * kBlock<P> > x_end_)
          exact(row, o);
        else if (simple_)
          simple(row, o);
        else if (pairs_)
          pairs(row, o);
        else
          exact(row, o);
      }
  }

 private:
  void simple(const P* row, P* o) const {
    const int64_t width = s_.out[2], low = std::min(s_.pad[2], width), n = std::min(s_.in[2], width - low);
    zero_loose(o, low);
    copy_loose(o + low, row, n);
    zero_loose(o + low + n, width - low - n);
  }

  // All phases of a block at once. Blocks are taken from the last on: what one writes past its phase's end is then
  // overwritten.
  void pairs(const P* row, P* o) const {
    constexpr int L = kLanes<P>;
    using I = std::conditional_t<sizeof(P) == 4, int32_t, int64_t>;
    typedef I VI __attribute__((vector_size(kVecBytes)));
    const int64_t width = s_.out[2];
    const P* from = row - s_.pad[2];
    VI lane, even;
    for (int k = 0; k < L; ++k) lane[k] = k, even[k] = 2 * k;
    for (int64_t i = (width - 1) / L * L; i >= 0; i -= L)
      for (int phase = 0; phase < s_.phases; ++phase) {
        const I low = static_cast<I>(low_[phase] - i), high = static_cast<I>(high_[phase] - i);
#if defined(__clang__)
        Vec<P> v;
        for (int k = 0; k < L; ++k) v[k] = from[2 * (i + k) + phase];
#else
        Vec<P> v = __builtin_shuffle(load(from + 2 * i), load(from + 2 * i + L), even + phase);
#endif
        VI inside = (lane >= low) & (lane < high), bits;
        std::memcpy(&bits, &v, sizeof v);
        bits &= inside;
        std::memcpy(o + phase * width + i, &bits, sizeof bits);
      }
  }

  void exact(const P* row, P* o) const {
    const int64_t width = s_.out[2], step = s_.step[2];
    for (int64_t phase = 0; phase < s_.phases; ++phase, o += width) {
      int64_t shift = s_.pad[2] - phase;  // reads i * step - shift
      int64_t low = std::clamp<int64_t>(shift > 0 ? (shift + step - 1) / step : 0, 0, width);
      int64_t high = std::clamp<int64_t>(s_.in[2] + shift > 0 ? (s_.in[2] + shift + step - 1) / step : 0, low, width);
      std::fill(o, o + low, P(0));
      for (int64_t i = low; i < high; ++i) o[i] = row[i * step - shift];
      std::fill(o + high, o + width, P(0));
    }
  }

  const ConvSpread& s_;
  const P* x_;
  P* out_;
  const P* x_end_;
  int64_t line_, low_[2], high_[2];  // of each of a pair of phases: where x begins and ends
  bool pairs_, simple_;
};

template <class P> void spread(const ConvSpread& s, const P* x, P* out) { Spread<P>(s, x, out).run(); }

// --- forward ---------------------------------------------------------------------------------------------------------

// Whether the weights of one row lie as the product counts them.
bool is_plain(const ConvProduct& c) {
  bool plain = c.w_channel == c.taps;
  for (int64_t t = 0; t < c.taps; ++t) plain = plain && c.w_taps[t] == t;
  return plain;
}

// The weights of all groups as the micro-kernel reads them: blocks of k, in them tiles of rows.
template <class P> void pack_weights(const ConvProduct& c, const Tiles<P>& mk, const P* w, P* out) {
  const int64_t k = c.channels * c.taps, k_blocks = (k + kDepth - 1) / kDepth, row_tiles = mk.count(c.m);
  const bool plain = is_plain(c);
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
          __builtin_prefetch(at + 4 * c.w_channel + tap * rows);
          for (int64_t i = 0; i < rows; ++i) o[i] = at[i * c.w_m];
          if (++tap == c.taps) tap = 0, ++channel;
        }
      }
    }
  });
}

template <class P> inline void copy_block(const P* from, P* to) { std::memcpy(to, from, 64); }
// to[i] = from[2 * i], a block.
template <class P> inline void copy_even(const P* from, P* to) {
#if defined(__clang__)
  for (int i = 0; i < kBlock<P>; ++i) to[i] = from[2 * i];
#else
  constexpr int L = kLanes<P>;
  using I = std::conditional_t<sizeof(P) == 4, int32_t, int64_t>;
  typedef I VI __attribute__((vector_size(kVecBytes)));
  VI even;
  for (int k = 0; k < L; ++k) even[k] = 2 * k;
#pragma GCC unroll 4
  for (int i = 0; i < kBlock<P>; i += L)
    store(to + i, __builtin_shuffle(load(from + 2 * i), load(from + 2 * i + L), even));
#endif
}

// N blocks for each of the taps from k0 on, and a hint of what the next strip will read. `even`: of every other element.
template <class P, int N, bool even>
void copy_blocks(const ConvProduct& c, const P* x, const int64_t* from, const int64_t* to, int64_t next, int64_t k0,
                 int64_t depth, int64_t strip, P* out) {
  int64_t channel = k0 / c.taps, tap = k0 % c.taps, f[N], t[N];
  for (int i = 0; i < N; ++i) f[i] = from[i], t[i] = to[i];
  const P* base = x + channel * c.x_channel;
  for (int64_t p = 0; p < depth; ++p, out += strip) {
    const P* at = base + c.x_taps[tap];
#pragma GCC unroll 8
    for (int i = 0; i < N; ++i) even ? copy_even(at + f[i], out + t[i]) : copy_block(at + f[i], out + t[i]);
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
      copy_runs(x + channel * c.x_channel + c.x_taps[tap], runs, n, loose && c.x_step == 1, out, c.x_step);
      if (++tap == c.taps) tap = 0, ++channel;
    }
    return;
  }
  int64_t from[16] = {}, to[16] = {}, blocks = 0;
  for (int64_t r = 0; r < n; ++r)
    for (int64_t i = 0; i < runs[r].count; i += kBlock<P>) {
      from[blocks] = runs[r].x + i * c.x_step;
      to[blocks++] = runs[r].at + i;
    }
  int64_t next = runs[n - 1].x + runs[n - 1].count * c.x_step + kBlock<P>;
  // Repeating the last block does no harm.
  while (blocks > 4 && blocks < 8) from[blocks] = from[blocks - 1], to[blocks] = to[blocks - 1], ++blocks;
  auto as = [&]<int N>() {
    const auto copy = c.x_step == 2 ? copy_blocks<P, N, true> : copy_blocks<P, N, false>;
    copy(c, x, from, to, next, k0, depth, strip, out);
  };
  switch (blocks) {
    case 1: return as.template operator()<1>();
    case 2: return as.template operator()<2>();
    case 3: return as.template operator()<3>();
    case 4: return as.template operator()<4>();
    default: return as.template operator()<8>();
  }
}

// to[i * step] = from[i].
template <class P> void store_spaced(P* to, int64_t step, const P* from, int64_t n) {
  int64_t q = 0;
#if !defined(__clang__)
  if (step == 2) {
    constexpr int L = kLanes<P>;
    using I = std::conditional_t<sizeof(P) == 4, int32_t, int64_t>;
    typedef I VI __attribute__((vector_size(kVecBytes)));
    VI low, high;
    for (int k = 0; k < L; ++k) {
      low[k] = (k & 1) ? L + k : k / 2;
      high[k] = (k & 1) ? L + k : (L + k) / 2;
    }
    // What lies between is written back as it was; past the last element nothing is touched.
    for (; q + L < n; q += L) {
      Vec<P> v = load(from + q);
      store(to + 2 * q, __builtin_shuffle(v, load(to + 2 * q), low));
      store(to + 2 * q + L, __builtin_shuffle(v, load(to + 2 * q + L), high));
    }
  }
#endif
  for (; q < n; ++q) to[q * step] = from[q];
}

// A tile's rows to the places of their positions.
template <class P>
void scatter(const ConvProduct& c, const P* sums, int64_t strip, int64_t rows, const Run* runs, int64_t count, P* out) {
  constexpr int L = kLanes<P>;
  for (int64_t i = 0; i < rows; ++i, sums += strip, out += c.o_m)
    for (int64_t r = 0; r < count; ++r) {
      const P* from = sums + runs[r].at;
      P* to = out + runs[r].o;
      int64_t n = runs[r].count, q = 0;
      if (c.o_step != 1) {
        store_spaced(to, c.o_step, from, n);
        continue;
      }
      for (; q + L <= n; q += L) store(to + q, load(from + q));
      if (q < n) store_part(to + q, load(from + q), static_cast<int>(n - q));
    }
}

template <class P> class Product {
 public:
  Product(const ConvProduct& c, const P* x, const P* w, const P* bias, P* out)
      : c_(c), x_(x), w_(w), bias_(bias), out_(out), k_(c.channels * c.taps), k_blocks_((k_ + kDepth - 1) / kDepth) {
    strip_ = mk_.strip();
    row_tiles_ = mk_.count(c.m);
    n_ = c.images * c.planes * c.rows * c.run;
    strips_ = (n_ + strip_ - 1) / strip_;
  }

  void run() {
    // For a few positions the weights are better read where they are.
    direct_ = strips_ <= 2 && is_plain(c_);
    if (!direct_) {
      packed_ = buffers().weights.get<P>(c_.groups * c_.m * k_);
      pack_weights(c_, mk_, w_, packed_);
    }
    // Positions in strips; where there are few, the rows are shared out as well.
    int64_t row_groups = std::clamp<int64_t>(8 * num_threads() / (c_.groups * strips_), 1, row_tiles_);
    if (c_.m * k_ * strip_ < 2 * kGrainWork) row_groups = 1;
    parallel_for(c_.groups * row_groups * strips_, grain_for(c_.m / row_groups * k_ * strip_, kGrainWork),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t item = begin; item < end;) {
                     int64_t part = item / strips_, s0 = item % strips_;
                     int64_t s1 = std::min({strips_, s0 + end - item, s0 + kStripsAtOnce});
                     item += s1 - s0;
                     int64_t group = part / row_groups, rg = part % row_groups;
                     chunk(group, row_tiles_ * rg / row_groups, row_tiles_ * (rg + 1) / row_groups, s0, s1);
                   }
                 });
    buffers().weights.trim();
  }

 private:
  int64_t tile_begin(int64_t t) const { return c_.m * t / row_tiles_; }

  // Tiles [t0, t1) of a group's rows by strips [s0, s1).
  void chunk(int64_t group, int64_t t0, int64_t t1, int64_t s0, int64_t s1) {
    const int64_t row0 = tile_begin(t0), height = tile_begin(t1) - row0;
    P* patches = buffers().patches.get<P>((k_ + k_blocks_ - 1) / k_blocks_ * strip_ + 2 * kBlock<P>);
    P* sums = buffers().sums.get<P>((s1 - s0) * height * strip_ + kBlock<P>);
    P* base = out_ + group * c_.o_group;
    const P* from = x_ + group * c_.x_group;
    Run runs[kMaxStrip];
    for (int64_t kb = 0; kb < k_blocks_; ++kb) {
      const int64_t k0 = k_ * kb / k_blocks_, depth = k_ * (kb + 1) / k_blocks_ - k0;
      for (int64_t s = s0; s < s1; ++s) {
        const int64_t first = s * strip_, columns = std::min(strip_, n_ - first);
        const int64_t count = find_runs(c_, first, columns, runs);
        pack_patches(c_, from, runs, count, may_overread<P>(c_, group * c_.x_group, runs, count), k0, depth, strip_,
                     patches);
        bool whole = c_.o_step == 1;
        for (int64_t r = 1; r < count; ++r) whole = whole && runs[r].o == runs[r - 1].o + runs[r - 1].count;
        TileOut<P> to{kb > 0  ? Finish::add
                      : bias_ ? Finish::row_bias
                              : Finish::set,
                      nullptr, whole ? c_.o_m : strip_, nullptr, -std::numeric_limits<P>::infinity()};
        for (int64_t t = t0; t < t1; ++t) {
          const int64_t i0 = tile_begin(t), rows = tile_begin(t + 1) - i0;
          if (bias_) to.bias = bias_ + group * c_.m + i0;
          P* tile = sums + ((s - s0) * height + i0 - row0) * strip_;
          to.dst = whole ? base + i0 * c_.o_m + runs[0].o : tile;
          if (direct_)
            mk_.run(rows, columns, depth, w_ + group * c_.w_group + i0 * c_.w_m + k0, rows > 1 ? c_.w_m : 0, 1, patches,
                    strip_, to);
          else
            mk_.run(rows, columns, depth, packed_ + group * c_.m * k_ + c_.m * k0 + i0 * depth, 1, rows, patches,
                    strip_, to);
          if (!whole && kb + 1 == k_blocks_) scatter(c_, tile, strip_, rows, runs, count, base + i0 * c_.o_m);
        }
      }
    }
  }

  const ConvProduct& c_;
  const Tiles<P>& mk_ = tiles<P>();
  const P *x_, *w_, *bias_;
  P* out_;
  int64_t k_, k_blocks_, strip_, row_tiles_, n_, strips_;
  P* packed_ = nullptr;
  bool direct_ = false;
};

template <class P> void product(const ConvProduct& c, const P* x, const P* w, const P* bias, P* out) {
  Product<P>(c, x, w, bias, out).run();
}

// --- few channels to a group ---------------------------------------------------------------------------------------
//
// A depthwise convolution has no matrix product in it: every output is the sum of a few vectors.

// Where the vectors of a direct_line stand: in x, in the result, and how much of all but the last and of the last is kept.
struct Steps {
  int64_t x, o;
  int kept, last;
};

// MR rows of the result, NV vectors of adjacent positions at once. Taps are added column by column of `wide`.
template <class P, int MR, int NV>
void direct_line(const ConvProduct& c, int64_t wide, const P* x, const P* w, const P* bias, const Steps& steps,
                 P* out) {
  constexpr int L = kLanes<P>;
  Vec<P> acc[MR][NV];
  for (int i = 0; i < MR; ++i)
    for (int v = 0; v < NV; ++v) acc[i][v] = splat(bias ? bias[i] : P(0));
  const int64_t apart = steps.x;
  for (int64_t channel = 0; channel < c.channels; ++channel)
    for (int64_t column = 0; column < wide; ++column)
      for (int64_t t = column; t < c.taps; t += wide) {
        const P* from = x + channel * c.x_channel + c.x_taps[t];
        const P* by = w + (channel * c.taps + t) * c.m;
        Vec<P> at[NV];
#pragma GCC unroll 4
        for (int v = 0; v < NV; ++v) at[v] = load(from + v * apart);
#pragma GCC unroll 6
        for (int i = 0; i < MR; ++i) {
          Vec<P> factor = splat(by[i]);
#pragma GCC unroll 4
          for (int v = 0; v < NV; ++v) acc[i][v] = fma(factor, at[v], acc[i][v]);
        }
      }
#pragma GCC unroll 6
  for (int i = 0; i < MR; ++i, out += c.o_m) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) {
      const int kept = v + 1 < NV ? steps.kept : steps.last;
      P* to = out + v * steps.o;
      if (c.o_step != 1) {
        alignas(64) P sums[L];
        store(sums, acc[i][v]);
        store_spaced(to, c.o_step, sums, kept);
      } else if (kept == L) {
        store(to, acc[i][v]);
      } else {
        store_part(to, acc[i][v], kept);
      }
    }
  }
}

constexpr int64_t kRowsAtOnce = 4;

// Whether a line's kernel, of three rows, is the one above it moved down by a row.
bool steps_by_row(const ConvProduct& c) {
  const int64_t wide = c.taps / 3;
  bool steps = c.taps % 3 == 0 && c.rows >= kRowsAtOnce;
  for (int64_t t = wide; steps && t < c.taps; ++t) steps = c.x_taps[t] == c.x_taps[t - wide] + c.x_row;
  return steps;
}

// Four rows at once, each row of x being read once for the three that see it.
template <class P, int NV>
void direct_rows(const ConvProduct& c, const P* x, const P* w, const P* bias, int64_t count, P* out) {
  constexpr int L = kLanes<P>, R = kRowsAtOnce;
  const int64_t wide = c.taps / 3;
  Vec<P> acc[R][NV];
  for (int o = 0; o < R; ++o)
    for (int v = 0; v < NV; ++v) acc[o][v] = splat(bias ? *bias : P(0));
  for (int64_t channel = 0; channel < c.channels; ++channel)
    for (int64_t t = 0; t < wide; ++t) {
      const P* from = x + channel * c.x_channel + c.x_taps[t];
      const P* by = w + (channel * c.taps + t) * c.m;
      const Vec<P> factor[3] = {splat(by[0]), splat(by[wide * c.m]), splat(by[2 * wide * c.m])};
#pragma GCC unroll 8
      for (int y = 0; y < R + 2; ++y, from += c.x_row) {
        Vec<P> at[NV];
#pragma GCC unroll 2
        for (int v = 0; v < NV; ++v) at[v] = load(from + v * L);
#pragma GCC unroll 4
        for (int o = 0; o < R; ++o)
          if (y >= o && y < o + 3)
#pragma GCC unroll 2
            for (int v = 0; v < NV; ++v) acc[o][v] = fma(factor[y - o], at[v], acc[o][v]);
      }
    }
  const int tail = static_cast<int>(count - (NV - 1) * L);
#pragma GCC unroll 4
  for (int o = 0; o < R; ++o, out += c.o_row) {
    if (c.o_step == 1) {
      if (NV == 2) store(out, acc[o][0]);
      tail == L ? store(out + (NV - 1) * L, acc[o][NV - 1]) : store_part(out + (NV - 1) * L, acc[o][NV - 1], tail);
    } else {
      alignas(64) P sums[NV * L];
      for (int v = 0; v < NV; ++v) store(sums + v * L, acc[o][v]);
      store_spaced(out, c.o_step, sums, count);
    }
  }
}

// One output channel up to four of them, over the lines [begin, end) of one image and group.
template <class P, int MR>
void direct_lines(const ConvProduct& c, const P* x, const P* w, const P* bias, int64_t readable, int64_t begin,
                  int64_t end, P* out) {
  constexpr int L = kLanes<P>;
  const int64_t tap = *std::max_element(c.x_taps, c.x_taps + c.taps), reach = (c.channels - 1) * c.x_channel + tap + L;
  const bool steps = MR == 1 && steps_by_row(c);
  // Lines that are not taken four at once add in the same order.
  const int64_t wide = steps ? c.taps / 3 : c.taps;
  for (int64_t line = begin; line < end; ++line) {
    int64_t plane = line / c.rows, row = line % c.rows, at = plane * c.x_plane + row * c.x_row;
    P* o = out + plane * c.o_plane + row * c.o_row;
    if (steps) {
      // The last rows are taken together with some that are there already.
      const int64_t back = row - std::min(row, c.rows - kRowsAtOnce), from = at - back * c.x_row;
      if (line - back >= begin && line - back + kRowsAtOnce <= end &&
          from + c.run + kRowsAtOnce * c.x_row + reach <= readable) {
        for (int64_t q = 0; q < c.run; q += 2 * L) {
          const int64_t n = std::min<int64_t>(c.run - q, 2 * L);
          P* to = o - back * c.o_row + q * c.o_step;
          n > L ? direct_rows<P, 2>(c, x + from + q, w, bias, n, to)
                : direct_rows<P, 1>(c, x + from + q, w, bias, n, to);
        }
        line += kRowsAtOnce - 1 - back;
        continue;
      }
    }
    // Two short rows at once.
    if (MR > 1 && c.run <= L && row + 1 < c.rows && line + 1 < end && at + c.run + c.x_row + reach <= readable) {
      const int n = static_cast<int>(c.run);
      direct_line<P, MR, 2>(c, wide, x + at, w, bias, {c.x_row, c.o_row, n, n}, o);
      ++line;
      continue;
    }
    for (int64_t q = 0; q < c.run;) {
      const int64_t n = std::min<int64_t>(c.run - q, (MR > 4 ? 2 : 4) * L);
      if (at + q + n + reach > readable) {
        for (int i = 0; i < MR; ++i) {
          P sum = bias ? bias[i] : P(0);
          for (int64_t channel = 0; channel < c.channels; ++channel)
            for (int64_t column = 0; column < wide; ++column)
              for (int64_t t = column; t < c.taps; t += wide)
                sum =
                    fma_one(w[(channel * c.taps + t) * c.m + i], x[at + q + channel * c.x_channel + c.x_taps[t]], sum);
          o[i * c.o_m + q * c.o_step] = sum;
        }
        ++q;
        continue;
      }
      P* to = o + q * c.o_step;
      const int64_t vectors = (n + L - 1) / L;
      const Steps next{L, L * c.o_step, L, static_cast<int>(n - (vectors - 1) * L)};
      auto take = [&]<int NV>() { direct_line<P, MR, NV>(c, wide, x + at + q, w, bias, next, to); };
      if (vectors == 1) take.template operator()<1>();
      if (vectors == 2) take.template operator()<2>();
      if constexpr (MR <= 4) {
        if (vectors == 3) take.template operator()<3>();
        if (vectors == 4) take.template operator()<4>();
      }
      q += n;
    }
  }
}

// The channels of one group of one image, spread into the cache where they have to be.
template <class P> struct Plane {
  const ConvSpread* s;
  const ConvProduct& c;
  const P* x;
  P* scratch = nullptr;

  Plane(const ConvSpread* s, const ConvProduct& c, const P* x) : s(s), c(c), x(x) {
    if (s) scratch = buffers().lines.get<P>(c.channels * c.x_channel + beyond());
  }
  int64_t beyond() const { return 4 * kBlock<P> + 2 * c.x_row; }  // read, but of no use
  const P* at(int64_t image, int64_t group) const {
    if (!s) return x + group * c.x_group + image * c.x_image;
    Spread<P> all(*s, x, nullptr);
    for (int64_t channel = 0; channel < c.channels; ++channel)
      all.block((image * c.groups + group) * c.channels + channel, scratch + channel * c.x_channel, false);
    return scratch;
  }
  int64_t readable(int64_t image, int64_t group) const {
    return s ? c.channels * c.x_channel + beyond() : c.x_size - group * c.x_group - image * c.x_image;
  }
};

// Whether two products fill a line of the result between them, every other element each.
bool alternate(const ConvProduct& a, const ConvProduct& b) {
  return a.m == 1 && a.o_step == 2 && b.o_step == 2 && b.o_begin == a.o_begin + 1 && a.rows == b.rows &&
         a.planes == b.planes && a.run - b.run <= 1 && a.run >= b.run;
}

// to = a[0], b[0], a[1], ..., n in all.
template <class P> void interleave(const P* a, const P* b, int64_t n, P* to) {
  int64_t i = 0;
#if !defined(__clang__)
  constexpr int L = kLanes<P>;
  using I = std::conditional_t<sizeof(P) == 4, int32_t, int64_t>;
  typedef I VI __attribute__((vector_size(kVecBytes)));
  VI low;
  for (int k = 0; k < L; ++k) low[k] = (k & 1) ? L + k / 2 : k / 2;
  for (; i + 2 * L <= n; i += 2 * L) {
    const Vec<P> u = load(a + i / 2), v = load(b + i / 2);
    store(to + i, __builtin_shuffle(u, v, low));
    store(to + i + L, __builtin_shuffle(u, v, low + L / 2));
  }
#endif
  for (; i < n; ++i) to[i] = (i & 1) ? b[i / 2] : a[i / 2];
}

// All lines of two products that alternate, of one image and group: first each by itself, in the cache.
template <class P>
void direct_pair(const ConvProduct* c, const P* x, const P* w, const P* bias, int64_t readable, P* out) {
  const int64_t lines = c->planes * c->rows, size = (lines * c->run + kBlock<P> - 1) / kBlock<P> * kBlock<P>;
  P* sums = buffers().patches.get<P>(2 * size + kBlock<P>);
  for (int n = 0; n < 2; ++n) {
    ConvProduct p = c[n];
    p.o_step = 1, p.o_row = p.run, p.o_plane = p.rows * p.run;
    direct_lines<P, 1>(p, x, w + n * c->channels * c->taps, bias, readable, 0, lines, sums + n * size);
  }
  for (int64_t line = 0; line < lines; ++line)
    interleave(sums + line * c[0].run, sums + size + line * c[1].run, c[0].run + c[1].run,
               out + line / c->rows * c->o_plane + line % c->rows * c->o_row);
}

template <class P>
void direct(const ConvSpread* s, const ConvProduct* products, int64_t count, const P* x, const P* w, const P* bias,
            P* out) {
  // What has to be spread is taken whole, and so is what several products add to; the rest also in pieces of a few lines.
  const ConvProduct& c = products[0];
  int64_t lines = 0, per_line = 0, taps = 0;
  for (int64_t n = 0; n < count; ++n) {
    lines = std::max(lines, products[n].planes * products[n].rows);
    per_line += products[n].taps * products[n].run;
    taps += products[n].taps;
  }
  per_line = per_line * c.m * c.channels / 8 + 1;
  const int64_t few = std::max<int64_t>((kGrainMoves + per_line - 1) / per_line, kRowsAtOnce);
  const int64_t piece = s || count > 1 ? lines : std::min(lines, few);
  const int64_t pieces = (lines + piece - 1) / piece, k = c.channels * taps;
  // [group][product][channel][tap][row]
  P* packed = buffers().weights.get<P>(c.groups * k * c.m);
  P* at = packed;
  for (int64_t group = 0; group < c.groups; ++group)
    for (int64_t n = 0; n < count; ++n)
      for (int64_t channel = 0; channel < c.channels; ++channel)
        for (int64_t t = 0; t < products[n].taps; ++t)
          for (int64_t i = 0; i < c.m; ++i)
            *at++ = w[group * c.w_group + i * c.w_m + channel * c.w_channel + products[n].w_taps[t]];
  parallel_for(c.images * c.groups * pieces, grain_for(per_line * piece, kGrainMoves), [&](int64_t begin, int64_t end) {
    Plane<P> planes(s, c, x);
    for (int64_t item = begin; item < end; ++item) {
      const int64_t group = item / pieces % c.groups, image = item / pieces / c.groups;
      const P* from = planes.at(image, group);
      const int64_t readable = planes.readable(image, group);
      const P* weights = packed + group * k * c.m;
      for (int64_t n = 0; n < count; ++n) {
        const ConvProduct& p = products[n];
        if (n + 1 < count && alternate(p, products[n + 1])) {
          direct_pair(&p, from, weights, bias ? bias + group : nullptr, readable,
                      out + p.o_begin + group * c.o_group + image * c.o_image);
          weights += p.channels * (p.taps + products[++n].taps);
          continue;
        }
        const int64_t first = item % pieces * piece, last = std::min(p.planes * p.rows, first + piece);
        for (int64_t i = 0; i < c.m;) {
          const P* add = bias ? bias + group * c.m + i : nullptr;
          P* to = out + p.o_begin + group * c.o_group + image * c.o_image + i * c.o_m;
          auto rows = [&]<int MR>() {
            direct_lines<P, MR>(p, from, weights + i, add, readable, first, last, to);
            i += MR;
          };
          const int64_t left = c.m - i;
          if constexpr (sizeof(P) == 8)  // float64 is not worth so many instances
            rows.template operator()<1>();
          else if (left >= 6 && left != 7 && left != 8)
            rows.template operator()<6>();
          else if (left >= 4)
            rows.template operator()<4>();
          else if (left == 3)
            rows.template operator()<3>();
          else
            rows.template operator()<1>();
        }
        weights += p.channels * p.taps * c.m;
      }
    }
  });
}

// Sums over lines [first, last) of one image for MR rows of the gradient and TB columns (channels' taps) of x, added to 64
// bytes' worth of interleaved sums each.
template <class P, int TB, int MR>
void direct_sums(const ConvProduct& c, const P* x, const int64_t* columns, const P* g, int64_t first, int64_t last,
                 int64_t row_of_sums, P* sums) {
  constexpr int L = kLanes<P>, R = 64 / kVecBytes, W = L * R;
  for (int r = 0; r < R; ++r) {
    Vec<P> acc[MR][TB];
#pragma GCC unroll 4
    for (int i = 0; i < MR; ++i)
#pragma GCC unroll 9
      for (int t = 0; t < TB; ++t) acc[i][t] = load(sums + i * row_of_sums + t * W + r * L);
    const P *grad = g + first * c.run + r * L, *from = x + r * L;
    const int64_t run = c.run - r * L;
    for (int64_t line = first; line < last; ++line, grad += c.run) {
      const P* at = from + line / c.rows * c.x_plane + line % c.rows * c.x_row;
      auto take = [&](int64_t q, auto get) {
        Vec<P> y[MR];
#pragma GCC unroll 4
        for (int i = 0; i < MR; ++i) y[i] = get(grad + i * c.o_m + q);
#pragma GCC unroll 9
        for (int t = 0; t < TB; ++t) {
          const Vec<P> v = get(at + columns[t] + q);
#pragma GCC unroll 4
          for (int i = 0; i < MR; ++i) acc[i][t] = fma(y[i], v, acc[i][t]);
        }
      };
      int64_t q = 0;
      for (; q + L <= run; q += W) take(q, [](const P* p) { return load(p); });
      if (q < run) take(q, [part = static_cast<int>(run - q)](const P* p) { return load_part(p, part); });
    }
#pragma GCC unroll 4
    for (int i = 0; i < MR; ++i)
#pragma GCC unroll 9
      for (int t = 0; t < TB; ++t) store(sums + i * row_of_sums + t * W + r * L, acc[i][t]);
  }
}

// All sums of one group over lines of one image.
template <class P>
void add_sums(const ConvProduct& c, const P* x, const int64_t* columns, const P* g, int64_t first, int64_t last,
              P* sums) {
  constexpr int W = kBlock<P>;
  const int64_t k = c.channels * c.taps;
  for (int64_t i = 0; i < c.m;) {
    auto rows = [&]<int MR>() {
      for (int64_t t = 0; t < k;) {
        auto take = [&]<int TB>() {
          direct_sums<P, TB, MR>(c, x, columns + t, g + i * c.o_m, first, last, k * W, sums + (i * k + t) * W);
          t += TB;
        };
        if (MR == 1 && k - t >= 9)
          take.template operator()<MR == 1 ? 9 : 3>();
        else if (k - t >= 3)
          take.template operator()<3>();
        else
          take.template operator()<1>();
      }
      i += MR;
    };
    if constexpr (sizeof(P) == 4) {
      if (c.m - i >= 4) {
        rows.template operator()<4>();
        continue;
      }
      if (c.m - i >= 2) {
        rows.template operator()<2>();
        continue;
      }
    }
    rows.template operator()<1>();
  }
}

// Tasks are groups; where these are few, parts of all lines as well, whose number depends on the shape alone.
template <class P>
void direct_weight_gradient(const ConvSpread* s, const ConvProduct& c, const P* x, const P* g, P* dw) {
  constexpr int64_t W = kBlock<P>, kParts = 8;
  const int64_t k = c.channels * c.taps, size = c.m * k, lines = c.planes * c.rows;
  const int64_t piece = s ? lines : std::clamp<int64_t>(4096 / c.run, 1, lines), pieces = (lines + piece - 1) / piece;
  const int64_t units = c.images * pieces, parts = c.groups >= kParts ? 1 : std::min(kParts, units);
  const int64_t work = size * c.images * lines * c.run / 8 / parts;
  int64_t* columns = buffers().patches.get<int64_t>(k);
  for (int64_t j = 0; j < k; ++j) columns[j] = j / c.taps * c.x_channel + c.x_taps[j % c.taps];
  P* partial = parts > 1 ? buffers().weights.get<P>(parts * c.groups * size) : dw;
  // Many groups to a task: their planes follow each other.
  const int64_t grain = std::max(grain_for(work, kGrainMoves), c.groups * parts / (4 * num_threads()));
  parallel_for(c.groups * parts, grain, [&](int64_t begin, int64_t end) {
    Plane<P> planes(s, c, x);
    const int64_t own = end - begin;
    P* sums = buffers().sums.get<P>(own * size * W);
    std::fill(sums, sums + own * size * W, P(0));
    for (int64_t unit = 0; unit < units; ++unit) {
      const int64_t image = unit / pieces, first = unit % pieces * piece, last = std::min(lines, first + piece);
      for (int64_t item = begin; item < end; ++item) {
        const int64_t part = item / c.groups, group = item % c.groups;
        if (unit < units * part / parts || unit >= units * (part + 1) / parts) continue;
        add_sums(c, planes.at(image, group), columns, g + group * c.o_group + image * c.o_image, first, last,
                 sums + (item - begin) * size * W);
      }
    }
    for (int64_t i = 0; i < own * size; ++i) {
      P* lanes = sums + i * W;
      for (int64_t half = W / 2; half > 0; half /= 2)
        for (int64_t l = 0; l < half; ++l) lanes[l] += lanes[l + half];
      partial[begin * size + i] = lanes[0];
    }
  });
  if (parts == 1) return;
  for (int64_t i = 0; i < c.groups * size; ++i) {
    P sum = partial[i];
    for (int64_t part = 1; part < parts; ++part) sum += partial[part * c.groups * size + i];
    dw[i] = sum;
  }
}

// --- the table -------------------------------------------------------------------------------------------------------

void spread_any(DType dtype, const ConvSpread& s, const void* x, void* out) {
  with_type(dtype, [&]<class P>(P) { spread(s, static_cast<const P*>(x), static_cast<P*>(out)); });
}
// Packing patches for a few rows costs more than multiplying by them, and more than vectors that are partly empty.
template <class P> bool suits_direct(const ConvProduct& c) {
  if (c.m <= 4) return true;
  const int64_t lanes = (c.run + 15) / 16 * 16;
  return sizeof(P) == 4 && c.m <= 16 && c.m * (lanes - c.run) < 4 * c.run;
}

void product_any(DType dtype, const ConvProduct& c, const void* x, const void* w, const void* bias, void* out) {
  with_type(dtype, [&]<class P>(P) {
    auto from = static_cast<const P*>(x), by = static_cast<const P*>(w), add = static_cast<const P*>(bias);
    if (suits_direct<P>(c))
      direct<P>(nullptr, &c, 1, from, by, add, static_cast<P*>(out));
    else
      product(c, from, by, add, static_cast<P*>(out));
  });
}
void direct_any(DType dtype, const ConvSpread* s, const ConvProduct* c, int64_t count, const void* x, const void* w,
                const void* bias, void* out) {
  with_type(dtype, [&]<class P>(P) {
    direct(s, c, count, static_cast<const P*>(x), static_cast<const P*>(w), static_cast<const P*>(bias),
           static_cast<P*>(out));
  });
}
void direct_weight_gradient_any(DType dtype, const ConvSpread* s, const ConvProduct& c, const void* x, const void* g,
                                void* dw) {
  with_type(dtype, [&]<class P>(P) {
    direct_weight_gradient(s, c, static_cast<const P*>(x), static_cast<const P*>(g), static_cast<P*>(dw));
  });
}

}  // namespace

extern const ConvTable conv_table = {spread_any, product_any, direct_any, direct_weight_gradient_any};

}  // namespace rl::cpu::RL_ISA
