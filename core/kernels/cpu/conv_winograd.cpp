// 3x3 convolution by Winograd's minimal filtering F(2x2, 3x3): patches of 4x4 and kernels are transformed, multiplied
// place by place (16 products of matrices), and transformed back to 2x2 results. The transforms only add, subtract and
// halve, so little precision is lost.
#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernels/conv.h"
#include "kernels/cpu/gemm_tiles.h"
#include "runtime/parallel.h"

namespace rl::cpu::RL_ISA {
namespace {

#include "kernels/cpu/gemm_micro.h"

using V = Vec<float>;
constexpr int L = kLanes<float>;
constexpr int64_t kStripTiles = kStrip<float>;  // tiles of the result at once, across the vectors' lanes
constexpr int64_t kPlaces = 16;
constexpr int64_t kMaxStrips = 4;          // that share the kernels in the cache
constexpr int64_t kKernelsKept = 1 << 17;  // elements of transformed kernels that stay there anyway

struct Buffers {
  Scratch kernels, patches, sums;
};
Buffers& buffers() {
  static thread_local Buffers b;
  return b;
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
    kernels_ = buffers().kernels.get<float>(kPlaces * c_.groups * c_.m * c_.channels);
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
  float* kernels_at(int64_t place, int64_t group) const {
    return kernels_ + (place * c_.groups + group) * c_.m * c_.channels;
  }

  // G w G^T of every kernel, laid out as the micro-kernels read it.
  void transform_kernels() {
    parallel_for(c_.groups * row_tiles_, 1, [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) {
        int64_t group = item / row_tiles_, t = item % row_tiles_, i0 = tile_begin(t), rows = tile_begin(t + 1) - i0;
        for (int64_t channel = 0; channel < c_.channels; ++channel) {
          const float* from = w_ + group * c_.w_group + i0 * c_.w_m + channel * c_.w_channel;
          constexpr int kWide = 16;
          alignas(64) float w[9][kWide] = {}, half[12][kWide], all[kPlaces][kWide];
          for (int64_t i = 0; i < rows; ++i)
            for (int k = 0; k < 9; ++k) w[k][i] = from[i * c_.w_m + (c_.flip ? 8 - k : k)];
          // One side of the product for the three columns, then the other for the four rows that gives.
          auto spread = [](const float* a, const float* b, const float* d, float* o0, float* o1, float* o2, float* o3) {
            for (int i = 0; i < kWide; ++i) {
              float ends = 0.5f * (a[i] + d[i]), middle = 0.5f * b[i];
              o0[i] = a[i];
              o1[i] = ends + middle;
              o2[i] = ends - middle;
              o3[i] = d[i];
            }
          };
          for (int j = 0; j < 3; ++j) spread(w[j], w[3 + j], w[6 + j], half[j], half[3 + j], half[6 + j], half[9 + j]);
          for (int r = 0; r < 4; ++r)
            spread(half[3 * r], half[3 * r + 1], half[3 * r + 2], all[4 * r], all[4 * r + 1], all[4 * r + 2],
                   all[4 * r + 3]);
          for (int64_t p = 0; p < kPlaces; ++p)
            std::memcpy(kernels_at(p, group) + i0 * c_.channels + channel * rows, all[p],
                        static_cast<size_t>(rows) * sizeof(float));
        }
      }
    });
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
        V t[4][4];
#pragma GCC unroll 4
        for (int y = 0; y < 4; ++y, from += c_.x_row) {
          V a = load(from), b = load(from + c_.x_phase), c = load(from + 1), d = load(from + c_.x_phase + 1);
          t[y][0] = a - c;
          t[y][1] = b + c;
          t[y][2] = c - b;
          t[y][3] = b - d;
        }
        float* o = out + runs[r].at + i;
#pragma GCC unroll 4
        for (int j = 0; j < 4; ++j) {
          store(o + j * apart, t[0][j] - t[2][j]);
          store(o + (4 + j) * apart, t[1][j] + t[2][j]);
          store(o + (8 + j) * apart, t[2][j] - t[1][j]);
          store(o + (12 + j) * apart, t[1][j] - t[3][j]);
        }
      }
  }

  // A^T m A of one row of results, to its places.
  void put(const float* sums, int64_t apart, const Run* runs, int64_t count, float bias, float* out) const {
    alignas(64) float line[2][2 * kStripTiles + 2 * L];
    for (int64_t i = 0; i < kStripTiles; i += L) {
      V top[4], bottom[4];
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        const float* m = sums + i + j * apart;
        V b = load(m + 4 * apart), c = load(m + 8 * apart);
        top[j] = load(m) + b + c;
        bottom[j] = b - c - load(m + 12 * apart);
      }
      V add = splat(bias);
      alignas(64) float left[L], right[L];
      auto half = [&](const V* s, float* to) {
        store(left, s[0] + s[1] + s[2] + add);
        store(right, s[1] - s[2] - s[3] + add);
        for (int k = 0; k < L; ++k) to[2 * k] = left[k], to[2 * k + 1] = right[k];
      };
      half(top, line[0] + 2 * i);
      half(bottom, line[1] + 2 * i);
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
    const int64_t patch_place = c_.channels * width + L, sum_place = c_.m * width;  // L: the last run may write past it
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
    for (int64_t s = 0; s < strips; ++s) {
      int64_t count = find_runs(s0 + s, runs);
      for (int64_t i = 0; i < c_.m; ++i)
        put(sums + (s * c_.m + i) * kStripTiles, sum_place, runs, count, bias_ ? bias_[group * c_.m + i] : 0.0f,
            out_ + group * c_.o_group + i * c_.o_m);
    }
  }

  const ConvWinograd& c_;
  const Tiles<float>& mk_ = tiles_f32;
  const float *x_, *w_, *bias_;
  float* out_;
  float* kernels_ = nullptr;
  int64_t row_tiles_, n_, strips_;
};

void product(const ConvWinograd& c, const float* x, const float* w, const float* bias, float* out) {
  Winograd(c, x, w, bias, out).run();
}

}  // namespace

extern const ConvWinogradTable conv_winograd_table = {product};

}  // namespace rl::cpu::RL_ISA
