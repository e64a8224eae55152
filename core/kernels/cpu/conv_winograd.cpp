// 3x3 convolution by Winograd's minimal filtering F(2x2, 3x3): patches of 4x4 and kernels are transformed, multiplied
// place by place (16 products of matrices), and transformed back to 2x2 results. The transforms only add, subtract and
// halve, so little precision is lost.
#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernels/conv.h"
#include "kernels/cpu/gemm_tiles.h"
#include "runtime/parallel.h"

namespace rl::cpu::RL_ISA {
namespace {

#include "kernels/cpu/conv_winograd.h"

constexpr int64_t kStripTiles = kStrip<float>;  // tiles of the result at once, across the vectors' lanes
constexpr int64_t kWide = 16;                   // rows of a tile, rounded up
constexpr int64_t kTurned = 16;                 // channels whose kernels are turned around together
constexpr int64_t kLine = 16;                   // elements of a line of the cache
constexpr int64_t kMaxStrips = 4;               // that share the kernels in the cache
constexpr int64_t kFewTiles = 256;              // whose patches all fit a cache together
constexpr int64_t kTilesAtOnce = 2;             // of rows, that share what is read of all patches
constexpr int64_t kColumns = 256;               // channels that are summed at once
constexpr int64_t kKernelsKept = 1 << 17;       // elements of transformed kernels that stay there anyway

struct Buffers {
  Scratch kernels, patches, sums, gradient, turned;
};
// Behind a pointer: a thread's own memory is scarce in a library that is loaded late (allocator.h: RL_FAST_TLS).
Buffers& buffers() {
  static thread_local const std::unique_ptr<Buffers> b = std::make_unique<Buffers>();
  return *b;
}

// to = a[0], b[0], a[1], b[1], ...
inline void interleave(V a, V b, float* to) {
#if defined(__clang__)
  for (int k = 0; k < L; ++k) to[2 * k] = a[k], to[2 * k + 1] = b[k];
#else
  typedef int32_t VI __attribute__((vector_size(kVecBytes)));
  VI low, high;
  for (int k = 0; k < L; ++k) {
    low[k] = (k & 1) ? L + k / 2 : k / 2;
    high[k] = low[k] + L / 2;
  }
  store(to, __builtin_shuffle(a, b, low));
  store(to + L, __builtin_shuffle(a, b, high));
#endif
}

// Adjacent tiles of one row.
struct Run {
  int64_t at, count, x, o, row, column;
};

class Winograd {
 public:
  Winograd(const ConvWinograd& c, const float* x, const float* w, const float* bias, float* out)
      : c_(c), x_(x), w_(w), bias_(bias), out_(out) {
    row_tiles_ = mk_.count(c.m);
    n_ = c.images * c.tile_rows * c.tile_columns;
    strips_ = (n_ + kStripTiles - 1) / kStripTiles;
  }

  void run() {
    if (c_.m * c_.channels > kKernelsKept && n_ <= kFewTiles) return run_few();
    kernels_ = buffers().kernels.get<float>(kPlaces * kernel_place());
    transform_kernels();
    int64_t at_once = c_.m * c_.channels <= kKernelsKept ? 1 : kMaxStrips;
    at_once = std::clamp<int64_t>(c_.groups * strips_ / num_threads(), 1, at_once);
    const int64_t chunks = (strips_ + at_once - 1) / at_once;
    parallel_for(c_.groups * chunks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        int64_t s0 = item % chunks * at_once;
        chunk(item / chunks, s0, std::min(strips_, s0 + at_once));
      }
    });
    buffers().kernels.trim();
  }

 private:
  int64_t tile_begin(int64_t t) const { return c_.m * t / row_tiles_; }
  // A line more than needed: places a power of two apart would fall into the same few sets of the cache.
  int64_t kernel_place() const { return c_.groups * c_.m * c_.channels + kLine; }
  float* kernels_at(int64_t place, int64_t group) const {
    return kernels_ + place * kernel_place() + group * c_.m * c_.channels;
  }

  // Many kernels and few tiles: a few rows' kernels are transformed in the cache, and what they give is put in place.
  void run_few() {
    const int64_t patch_place = c_.channels * strips_ * kStripTiles + kLine;
    float* patches = buffers().kernels.get<float>(kPlaces * patch_place + 2 * L);
    const int64_t parts = (row_tiles_ + kTilesAtOnce - 1) / kTilesAtOnce;
    for (int64_t group = 0; group < c_.groups; ++group) {
      parallel_for(strips_ * c_.channels, 1 + (1 << 14) / (kPlaces * kStripTiles), [&](int64_t begin, int64_t end) {
        constexpr int64_t kApart = kStripTiles + L;  // a run may write past its end
        alignas(64) float one[kPlaces * kApart];
        Run runs[kStripTiles];
        for (int64_t item = begin; item < end; ++item) {
          const int64_t count = find_runs(item / c_.channels, runs);
          transform_patches(x_ + group * c_.x_group + item % c_.channels * c_.x_channel, runs, count, one, kApart);
          for (int64_t p = 0; p < kPlaces; ++p)
            std::copy(one + p * kApart, one + p * kApart + kStripTiles, patches + p * patch_place + item * kStripTiles);
        }
      });
      parallel_for(parts, 1, [&](int64_t begin, int64_t end) {
        for (int64_t part = begin; part < end; ++part)
          few_rows(group, row_tiles_ * part / parts, row_tiles_ * (part + 1) / parts, patches, patch_place);
      });
    }
    buffers().kernels.trim();
  }

  void few_rows(int64_t group, int64_t t0, int64_t t1, const float* patches, int64_t patch_place) {
    const int64_t row0 = tile_begin(t0), height = tile_begin(t1) - row0;
    const int64_t blocks = (c_.channels + kColumns - 1) / kColumns, longest = (c_.channels + blocks - 1) / blocks;
    const int64_t place = height * longest + kLine, sum_place = strips_ * height * kStripTiles + kLine;
    float* kernels = buffers().patches.get<float>(kPlaces * place);
    float* sums = buffers().sums.get<float>(kPlaces * sum_place);
    for (int64_t b = 0; b < blocks; ++b) {
      const int64_t ch0 = c_.channels * b / blocks, ch1 = c_.channels * (b + 1) / blocks, depth = ch1 - ch0;
      for (int64_t t = t0; t < t1; ++t)
        transform_tile(group, t, ch0, ch1, kernels + (tile_begin(t) - row0) * depth, place);
      TileOut<float> to{b > 0 ? Finish::add : Finish::set, nullptr, kStripTiles, nullptr, 0.0f};
      for (int64_t p = 0; p < kPlaces; ++p)
        for (int64_t s = 0; s < strips_; ++s)
          for (int64_t t = t0; t < t1; ++t) {
            const int64_t i0 = tile_begin(t) - row0, rows = tile_begin(t + 1) - row0 - i0;
            to.dst = sums + p * sum_place + (s * height + i0) * kStripTiles;
            mk_.run(rows, kStripTiles, depth, kernels + p * place + i0 * depth, 1, rows,
                    patches + p * patch_place + (s * c_.channels + ch0) * kStripTiles, kStripTiles, to);
          }
    }
    put_strips(group, row0, height, 0, strips_, sums, sum_place);
  }

  // Rows of strips' sums, [strip][row][tile], to their places.
  void put_strips(int64_t group, int64_t row0, int64_t rows, int64_t s0, int64_t strips, const float* sums,
                  int64_t apart) const {
    Run runs[kStripTiles];
    for (int64_t s = 0; s < strips; ++s) {
      const int64_t count = find_runs(s0 + s, runs);
      for (int64_t i = 0; i < rows; ++i)
        put(sums + (s * rows + i) * kStripTiles, apart, runs, count, bias_ ? bias_[group * c_.m + row0 + i] : 0.0f,
            out_ + group * c_.o_group + (row0 + i) * c_.o_m);
    }
  }

  // G w G^T of every kernel, laid out as the micro-kernels read it.
  void transform_kernels() {
    parallel_for(c_.groups * row_tiles_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        const int64_t group = item / row_tiles_, t = item % row_tiles_;
        transform_tile(group, t, 0, c_.channels, kernels_at(0, group) + tile_begin(t) * c_.channels, kernel_place());
      }
    });
  }

  // One tile of rows, channels [ch0, ch1).
  void transform_tile(int64_t group, int64_t t, int64_t ch0, int64_t ch1, float* out, int64_t apart) const {
    const int64_t i0 = tile_begin(t), rows = tile_begin(t + 1) - i0;
    const float* from = w_ + group * c_.w_group + i0 * c_.w_m;
    const bool last = group + 1 == c_.groups && t + 1 == row_tiles_;
    alignas(64) float turned[kTurned * 9 * kWide + 7 * kWide] = {};  // [channel][place of the kernel][row]
    for (int64_t channel = ch0; channel < ch1; ++channel) {
      const int64_t in_turn = (channel - ch0) % kTurned;
      float* w = turned + in_turn * 9 * kWide;
      if (c_.w_channel == 9) {
        if (in_turn == 0)
          mk_.pack(from + channel * 9, c_.w_m, 1, rows, kWide, std::min(kTurned, ch1 - channel) * 9, turned);
      } else {
        const float* at = from + channel * c_.w_channel;
        for (int64_t i = 0; i < rows; i += 2) __builtin_prefetch(at + 8 * c_.w_channel + i * c_.w_m);
        // Whole vectors of each row, seven elements more than there are.
        if (L == kWide && !(last && channel + 1 == c_.channels))
          mk_.pack(at, c_.w_m, 1, rows, kWide, kWide, w);
        else
          for (int64_t i = 0; i < rows; ++i)
            for (int k = 0; k < 9; ++k) w[k * kWide + i] = at[i * c_.w_m + k];
      }
      for (int64_t i = 0; i < rows; i += L)
        transform_kernel([&](int tap) { return load(w + (c_.flip ? 8 - tap : tap) * kWide + i); },
                         [&](int place, V v) {
                           float* o = out + place * apart + (channel - ch0) * rows + i;
                           rows - i >= L ? store(o, v) : store_part(o, v, static_cast<int>(rows - i));
                         });
    }
  }

  int64_t find_runs(int64_t strip, Run* runs) const {
    int64_t first = strip * kStripTiles, count = std::min(kStripTiles, n_ - first), n = 0;
    int64_t column = first % c_.tile_columns, row = first / c_.tile_columns % c_.tile_rows;
    int64_t image = first / c_.tile_columns / c_.tile_rows;
    for (int64_t at = 0; at < count;) {
      int64_t length = std::min(c_.tile_columns - column, count - at);
      runs[n++] = {at,
                   length,
                   image * c_.x_image + 2 * row * c_.x_row + column,
                   image * c_.o_image + 2 * (row * c_.out_columns + column),
                   row,
                   column};
      at += length;
      column = 0;
      if (++row == c_.tile_rows) row = 0, ++image;
    }
    return n;
  }

  // B^T d B of a strip's patches of one channel: kPlaces rows, `apart` from each other. What a run writes past its end
  // the next one overwrites.
  void transform_patches(const float* x, const Run* runs, int64_t count, float* out, int64_t apart) const {
    for (int64_t r = 0; r < count; ++r)
      for (int64_t i = 0; i < runs[r].count; i += L) {
        const float* from = x + runs[r].x + i;
        float* o = out + runs[r].at + i;
        transform_patch([&](int y, int j) { return load(from + y * c_.x_row + (j & 1) * c_.x_phase + j / 2); },
                        [&](int place, V v) { store(o + place * apart, v); });
      }
  }

  // A^T m A of one row of results, to its places.
  void put(const float* sums, int64_t apart, const Run* runs, int64_t count, float bias, float* out) const {
    alignas(64) float line[2][2 * kStripTiles + 2 * L];
    for (int64_t i = 0; i < kStripTiles; i += L) {
      V results[2][2];
      results_of([&](int place) { return load(sums + i + place * apart); }, splat(bias),
                 [&](int y, int x, V v) { results[y][x] = v; });
      for (int y = 0; y < 2; ++y) interleave(results[y][0], results[y][1], line[y] + 2 * i);
    }
    for (int64_t r = 0; r < count; ++r) {
      const int64_t columns = std::min(2 * runs[r].count, c_.out_columns - 2 * runs[r].column);
      for (int64_t y = 0; y < 2 && 2 * runs[r].row + y < c_.out_rows; ++y) {
        float* to = out + runs[r].o + y * c_.out_columns;
        const float* from = line[y] + 2 * runs[r].at;
        int64_t q = 0;
        for (; q + L <= columns; q += L) store(to + q, load(from + q));
        if (q < columns) store_part(to + q, load(from + q), static_cast<int>(columns - q));
      }
    }
  }

  void chunk(int64_t group, int64_t s0, int64_t s1) {
    const int64_t strips = s1 - s0, width = strips * kStripTiles;
    const int64_t patch_place = c_.channels * width + kLine,
                  sum_place = c_.m * width + kLine;  // a run may write past it
    float* patches = buffers().patches.get<float>(kPlaces * patch_place + 2 * L);
    float* sums = buffers().sums.get<float>(kPlaces * sum_place);
    Run runs[kStripTiles];
    // [place][strip][channel][tile]
    for (int64_t s = 0; s < strips; ++s) {
      int64_t count = find_runs(s0 + s, runs);
      const float* x = x_ + group * c_.x_group;
      float* o = patches + s * c_.channels * kStripTiles;
      for (int64_t channel = 0; channel < c_.channels; ++channel, x += c_.x_channel, o += kStripTiles)
        transform_patches(x, runs, count, o, patch_place);
    }
    TileOut<float> to{Finish::set, nullptr, kStripTiles, nullptr, 0.0f};
    for (int64_t p = 0; p < kPlaces; ++p) {
      const float* kernels = kernels_at(p, group);
      for (int64_t t = 0; t < row_tiles_; ++t) {
        const int64_t i0 = tile_begin(t), rows = tile_begin(t + 1) - i0;
        for (int64_t s = 0; s < strips; ++s) {
          to.dst = sums + p * sum_place + (s * c_.m + i0) * kStripTiles;
          mk_.run(rows, kStripTiles, c_.channels, kernels + i0 * c_.channels, 1, rows,
                  patches + p * patch_place + s * c_.channels * kStripTiles, kStripTiles, to);
        }
      }
    }
    put_strips(group, 0, c_.m, s0, strips, sums, sum_place);
  }

  const ConvWinograd& c_;
  const Tiles<float>& mk_ = tiles_f32;
  const float *x_, *w_, *bias_;
  float* out_;
  float* kernels_ = nullptr;
  int64_t row_tiles_, n_, strips_;
};

// The gradient of the kernels: with the input's patches and the results' gradients both transformed, position by position
// with all channels side by side, it is a sum over tiles of 16 products, transformed back from 4x4 to 3x3.
class WinogradKernels {
 public:
  WinogradKernels(const ConvWinograd& c, const float* x, const float* g, float* dw) : c_(c), x_(x), g_(g), dw_(dw) {
    row_tiles_ = mk_.count(c.m);
    n_ = c.images * c.tile_rows * c.tile_columns;
    // Tiles at once: what fits the cache, and enough for the sums to be worth reading again.
    at_once_ = std::clamp<int64_t>((1 << 17) / (kPlaces * (c.channels + c.m)), 64, 256);
    x_size_ = c.x_channel, g_size_ = c.o_m;
    few_ = n_ <= kFewTiles && c.m * c.channels > kKernelsKept;
    if (few_) at_once_ = n_;
    strips_ = (c.channels + kStripTiles - 1) / kStripTiles;
    x_apart_ = at_once_ * strips_ * kStripTiles + kLine, g_apart_ = at_once_ * c.m + kLine;
  }

  void run() {
    for (int64_t group = 0; group < c_.groups; ++group) {
      sums_ = few_ ? nullptr : buffers().sums.get<float>(kPlaces * sum_place());
      patches_ = buffers().patches.get<float>(kPlaces * x_apart_ + 2 * kStripTiles);
      gradient_ = buffers().gradient.get<float>(kPlaces * g_apart_ + L);
      // As many images as one block of tiles can touch are turned around at a time.
      const int64_t per_image = c_.tile_rows * c_.tile_columns;
      int64_t images = std::clamp<int64_t>((1 << 20) / ((c_.channels + c_.m) * g_size_), 1, c_.images);
      if (few_) images = c_.images;
      float* turned_x = buffers().turned.get<float>(images * (x_size_ * c_.channels + g_size_ * c_.m) + 2 * L);
      float* turned_g = turned_x + images * x_size_ * c_.channels;
      for (int64_t first = 0; first < c_.images; first += images) {
        const int64_t count = std::min(images, c_.images - first), tiles = count * per_image;
        turn(x_ + group * c_.x_group + first * c_.x_image, c_.x_image, x_size_, c_.channels, count, turned_x);
        turn(g_ + group * c_.o_group + first * c_.o_image, c_.o_image, g_size_, c_.m, count, turned_g);
        const int64_t blocks = (tiles + at_once_ - 1) / at_once_;
        for (int64_t b = 0; b < blocks; ++b) {
          const int64_t t0 = tiles * b / blocks, depth = tiles * (b + 1) / blocks - t0;
          transform(turned_x, turned_g, t0, depth);
          if (few_)
            add_few(group);
          else
            add(depth, first == 0 && b == 0);
        }
      }
      if (few_) continue;
      parallel_for(c_.m, 1 + (1 << 12) / c_.channels, [&](int64_t begin, int64_t end) {
        finish(sums_ + begin * c_.channels, sum_place(), c_.channels, end - begin, c_.channels,
               dw_ + group * c_.w_group + begin * c_.channels * 9);
      });
    }
    for (Scratch* s : {&buffers().sums, &buffers().patches, &buffers().gradient, &buffers().turned}) s->trim();
  }

 private:
  int64_t sum_place() const { return c_.m * c_.channels + kLine; }

  // out[image][place][channel] = x[image][channel][place]
  void turn(const float* x, int64_t image_stride, int64_t size, int64_t channels, int64_t images, float* out) {
    constexpr int64_t kPiece = 512;
    const int64_t pieces = (size + kPiece - 1) / kPiece;
    parallel_for(images * pieces, 1 + (1 << 14) / (kPiece * channels), [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        int64_t image = item / pieces, at = item % pieces * kPiece;
        mk_.pack(x + image * image_stride + at, size, 1, channels, channels, std::min(kPiece, size - at),
                 out + (image * size + at) * channels);
      }
    });
  }

  // Whole vectors of channels: what lies past the last is written before the next tile's, and not looked at.
  template <class Each> void each_vector(int64_t channels, Each each) const {
    int64_t i = 0;
    for (; i + L <= channels; i += L) each(i, L);
    if (i < channels) each(i, static_cast<int>(channels - i));
  }

  void transform(const float* x, const float* g, int64_t t0, int64_t count) {
    const int64_t x_pitch = c_.x_row * c_.channels, g_pitch = 2 * c_.tile_columns * c_.m;
    const int64_t x_apart = x_apart_, g_apart = g_apart_;
    parallel_for(count, 1 + (1 << 12) / (c_.channels + c_.m), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t t = t0 + i, column = t % c_.tile_columns, row = t / c_.tile_columns % c_.tile_rows;
        const int64_t image = t / c_.tile_columns / c_.tile_rows;
        const float* from = x + (image * x_size_ + 2 * row * c_.x_row + 2 * column) * c_.channels;
        each_vector(c_.channels, [&](int64_t ch, int part) {
          float* o = patches_ + (ch / kStripTiles * count + i) * kStripTiles + ch % kStripTiles;
          const float* at = from + ch;
          if (part == L)
            transform_patch([&](int y, int j) { return load(at + y * x_pitch + j * c_.channels); },
                            [&](int place, V v) { store(o + place * x_apart, v); });
          else
            transform_patch([&](int y, int j) { return load_part(at + y * x_pitch + j * c_.channels, part); },
                            [&](int place, V v) { store_part(o + place * x_apart, v, part); });
        });
        const float* grad = g + (image * g_size_ + 2 * row * 2 * c_.tile_columns + 2 * column) * c_.m;
        each_vector(c_.m, [&](int64_t ch, int part) {
          float* o = gradient_ + i * c_.m + ch;
          const float* at = grad + ch;
          transform_gradient(
              [&](int y, int j) {
                const float* from = at + y * g_pitch + j * c_.m;
                return part == L ? load(from) : load_part(from, part);
              },
              [&](int place, V v) {
                part == L ? store(o + place * g_apart, v) : store_part(o + place * g_apart, v, part);
              });
        });
      }
    });
  }

  void add(int64_t depth, bool fresh) {
    const int64_t row_groups = std::min<int64_t>(row_tiles_, 4);
    const int64_t work = depth * c_.m * c_.channels / row_groups;
    parallel_for(kPlaces * row_groups, 1 + (1 << 18) / (work + 1), [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        const int64_t place = item / row_groups, rg = item % row_groups;
        TileOut<float> to{fresh ? Finish::set : Finish::add, nullptr, c_.channels, nullptr, 0.0f};
        for (int64_t s = 0; s < strips_; ++s) {
          const int64_t column = s * kStripTiles, width = std::min(kStripTiles, c_.channels - column);
          const float* b = patches_ + place * x_apart_ + column * depth;
          for (int64_t t = row_tiles_ * rg / row_groups; t < row_tiles_ * (rg + 1) / row_groups; ++t) {
            const int64_t i0 = c_.m * t / row_tiles_, rows = c_.m * (t + 1) / row_tiles_ - i0;
            to.dst = sums_ + place * sum_place() + i0 * c_.channels + column;
            mk_.run(rows, width, depth, gradient_ + place * g_apart_ + i0, 1, c_.m, b, kStripTiles, to);
          }
        }
      }
    });
  }

  // With few tiles nothing has to be added up: the sums of some rows and channels stay in the cache.
  void add_few(int64_t group) {
    const int64_t parts = (row_tiles_ + kTilesAtOnce - 1) / kTilesAtOnce;
    const int64_t bands = (c_.channels + kColumns - 1) / kColumns;
    parallel_for(parts * bands, 1, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        const int64_t part = item / bands, band = item % bands;
        const int64_t t0 = row_tiles_ * part / parts, t1 = row_tiles_ * (part + 1) / parts;
        const int64_t row0 = c_.m * t0 / row_tiles_, height = c_.m * t1 / row_tiles_ - row0;
        const int64_t s0 = strips_ * band / bands, s1 = strips_ * (band + 1) / bands, ch0 = s0 * kStripTiles;
        const int64_t wide = std::min(c_.channels, s1 * kStripTiles) - ch0, apart = height * wide + kLine;
        float* sums = buffers().sums.get<float>(kPlaces * apart);
        TileOut<float> to{Finish::set, nullptr, wide, nullptr, 0.0f};
        for (int64_t place = 0; place < kPlaces; ++place)
          for (int64_t s = s0; s < s1; ++s) {
            const int64_t column = s * kStripTiles - ch0;
            const float* b = patches_ + place * x_apart_ + s * kStripTiles * n_;
            for (int64_t t = t0; t < t1; ++t) {
              const int64_t i0 = c_.m * t / row_tiles_, rows = c_.m * (t + 1) / row_tiles_ - i0;
              to.dst = sums + place * apart + (i0 - row0) * wide + column;
              mk_.run(rows, std::min(kStripTiles, wide - column), n_, gradient_ + place * g_apart_ + i0, 1, c_.m, b,
                      kStripTiles, to);
            }
          }
        finish(sums, apart, wide, height, wide, dw_ + group * c_.w_group + (row0 * c_.channels + ch0) * 9);
      }
    });
  }

  // G^T s G of rows of channels.
  void finish(const float* sums, int64_t apart, int64_t pitch, int64_t rows, int64_t channels, float* dw) const {
    alignas(64) float all[9][L];
    for (int64_t i = 0; i < rows; ++i)
      each_vector(channels, [&](int64_t ch, int part) {
        const float* at = sums + i * pitch + ch;
        kernel_of([&](int place) { return part == L ? load(at + place * apart) : load_part(at + place * apart, part); },
                  [&](int tap, V v) { store(all[tap], v); });
        float* o = dw + (i * c_.channels + ch) * 9;
        for (int q = 0; q < part; ++q)
          for (int k = 0; k < 9; ++k) o[q * 9 + k] = all[k][q];
      });
  }

  const ConvWinograd& c_;
  const Tiles<float>& mk_ = tiles_f32;
  const float *x_, *g_;
  float* dw_;
  float *sums_ = nullptr, *patches_ = nullptr, *gradient_ = nullptr;
  int64_t row_tiles_, n_, at_once_, strips_, x_size_, g_size_, x_apart_, g_apart_;
  bool few_;
};

void product(const ConvWinograd& c, const float* x, const float* w, const float* bias, float* out) {
  Winograd(c, x, w, bias, out).run();
}

void weight_gradient(const ConvWinograd& c, const float* x, const float* g, float* dw) {
  WinogradKernels(c, x, g, dw).run();
}

}  // namespace

extern const ConvWinogradTable conv_winograd_table = {product, weight_gradient};

}  // namespace rl::cpu::RL_ISA
