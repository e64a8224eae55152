// 3x3 convolution by Winograd's F(2x2, 3x3) where channels or results are few. conv_winograd.cpp has adjacent tiles in a
// vector's lanes: over small maps half of them stay empty, and with few channels the transforms cost as much as the
// products. Here the lanes hold channels: planes are turned around (all channels of a position side by side) piece by
// piece in the cache, with their border, and results turned back.
#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernels/conv.h"
#include "kernels/cpu/conv_turn.h"
#include "kernels/cpu/gemm_tiles.h"
#include "runtime/parallel.h"

namespace rl::cpu::RL_ISA {
namespace {

#include "kernels/cpu/conv_winograd.h"

constexpr int64_t kLine = 16;  // channels side by side are rounded up to a line of the cache
constexpr int64_t kGrainWork = 1 << 18;
constexpr int64_t kMaxParts = 8;

int64_t round_up(int64_t n) { return (n + kLine - 1) / kLine * kLine; }

struct Buffers {
  Scratch shared, own;  // by all threads; by one
};
// Behind a pointer: a thread's own memory is scarce in a library that is loaded late (allocator.h: RL_FAST_TLS).
Buffers& buffers() {
  static thread_local const std::unique_ptr<Buffers> b = std::make_unique<Buffers>();
  return *b;
}

// Pieces of a thread's own buffer, one after the other.
template <size_t N> std::array<float*, N> own_pieces(const std::array<int64_t, N>& sizes) {
  int64_t total = 0;
  for (int64_t s : sizes) total += round_up(s) + kLine;
  std::array<float*, N> out;
  float* at = buffers().own.get<float>(total);
  for (size_t i = 0; i < N; ++i) out[i] = at, at += round_up(sizes[i]) + kLine;
  return out;
}

// B^T d B of `count` tiles from tile `first` on (of rows of `columns` tiles): out[place][tile][channel].
void transform_patches(const float* turned, int64_t wide, int64_t lanes, int64_t columns, int64_t first, int64_t count,
                       float* out, int64_t apart) {
  const int64_t pitch = wide * lanes;
  for (int64_t t = 0; t < count; ++t) {
    const float* from = turned + (2 * ((first + t) / columns) * wide + 2 * ((first + t) % columns)) * lanes;
    float* o = out + t * lanes;
    for (int64_t v = 0; v < lanes; v += L, from += L, o += L) {
      transform_patch([&](int y, int x) { return load(from + y * pitch + x * lanes); },
                      [&](int place, V value) { store(o + place * apart, value); });
    }
  }
}

// A g A^T of 2x2 gradients, laid out in the same way.
void transform_gradients(const float* turned, int64_t wide, int64_t lanes, int64_t count, float* out, int64_t apart) {
  const int64_t pitch = wide * lanes, columns = wide / 2;
  for (int64_t t = 0; t < count; ++t) {
    const float* from = turned + 2 * (t / columns * wide + t % columns) * lanes;
    float* o = out + t * lanes;
    for (int64_t v = 0; v < lanes; v += L, from += L, o += L) {
      transform_gradient([&](int y, int x) { return load(from + y * pitch + x * lanes); },
                         [&](int place, V value) { store(o + place * apart, value); });
    }
  }
}

// What both directions know of the shape. A kernel of several planes sees each of them as channels of its own.
struct Shape {
  explicit Shape(const ConvTurned& c) : c(c) {
    k = c.channels * c.depth, k_lanes = round_up(k), m_lanes = round_up(c.m);
    tile_rows = (c.out[1] + 1) / 2, tile_columns = (c.out[2] + 1) / 2, wide = 2 * tile_columns + 2;
    x_plane = c.in[1] * c.in[2], x_channel = c.in[0] * x_plane;
    o_plane = c.out[1] * c.out[2], o_m = c.out[0] * o_plane;
    x_end_at = c.images * c.groups * c.channels * x_channel;
  }
  // Input rows under tile rows [first, first + count) of plane z of the result.
  void turn_input(const float* x, int64_t image, int64_t group, int64_t z, int64_t first, int64_t count,
                  float* out) const {
    Plane p{c.in[1], c.in[2], 2 * first - c.pad[1], -c.pad[2], 2 * count + 2, wide, k_lanes, k, x + x_end_at};
    const float* from = x + (image * c.groups + group) * c.channels * x_channel;
    turn(
        p,
        [&](int64_t i) {
          const int64_t at = z + i / c.channels - c.pad[0];
          return at < 0 || at >= c.in[0] ? nullptr : from + i % c.channels * x_channel + at * x_plane;
        },
        out);
  }

  const ConvTurned& c;
  int64_t k, k_lanes, m_lanes, tile_rows, tile_columns, wide, x_plane, x_channel, o_plane, o_m, x_end_at;
};

class Forward : Shape {
 public:
  Forward(const ConvTurned& c, const float* x, const float* w, const float* bias, float* out)
      : Shape(c), x_(x), w_(w), bias_(bias), out_(out) {
    at_once_ = std::clamp<int64_t>((1 << 14) / (kPlaces * (k_lanes + m_lanes)), 28, 112);
    // Pieces of tile rows that fit the cache, and enough of them for all threads.
    const int64_t fits = (1 << 15) / (2 * wide * k_lanes), units = c.images * c.groups * c.out[0];
    const int64_t shares = (4 * num_threads() + units - 1) / units;
    piece_ = std::clamp<int64_t>(std::min(fits, tile_rows / shares), 1, tile_rows);
    pieces_ = (tile_rows + piece_ - 1) / piece_;
    patch_apart_ = at_once_ * k_lanes + kLine, sum_apart_ = at_once_ * m_lanes + kLine;
  }

  void run() {
    kernels_ = buffers().shared.get<float>(kPlaces * kernel_place());
    transform_kernels();
    const int64_t work = kPlaces * piece_ * tile_columns * k * c.m;
    parallel_for(c.images * c.groups * c.out[0] * pieces_, 1 + kGrainWork / (work + 1),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t item = begin; item < end; ++item) piece(item);
                 });
    buffers().shared.trim();
  }

 private:
  int64_t kernel_place() const { return c.groups * k * m_lanes + kLine; }

  // G w G^T, as [place][group][channel][result].
  void transform_kernels() const {
    parallel_for(c.groups * k, 1 + (1 << 9) / m_lanes, [&](int64_t begin, int64_t end) {
      alignas(64) float w[9][kLine] = {};
      for (int64_t item = begin; item < end; ++item) {
        const int64_t group = item / k, channel = item % k % c.channels, z = item % k / c.channels;
        const float* from = w_ + group * c.w_group + channel * c.w_channel + (c.flip ? c.depth - 1 - z : z) * 9;
        for (int64_t i0 = 0; i0 < m_lanes; i0 += kLine) {
          for (int64_t i = 0; i < kLine; ++i)
            for (int j = 0; j < 9; ++j) w[c.flip ? 8 - j : j][i] = i0 + i < c.m ? from[(i0 + i) * c.w_m + j] : 0.0f;
          for (int64_t i = 0; i < kLine; i += L)
            transform_kernel(
                [&](int tap) { return load(w[tap] + i); },
                [&](int place, V v) { store(kernels_ + place * kernel_place() + item * m_lanes + i0 + i, v); });
        }
      }
    });
  }

  void piece(int64_t item) const {
    const int64_t part = item % pieces_, z = item / pieces_ % c.out[0], block = item / pieces_ / c.out[0];
    const int64_t image = block / c.groups, group = block % c.groups;
    const int64_t row0 = part * piece_, tiles = (std::min(row0 + piece_, tile_rows) - row0) * tile_columns;
    const int64_t rows = std::min(2 * (row0 + piece_), c.out[1]) - 2 * row0;
    const auto [turned, patches, sums, results] =
        own_pieces<4>({(2 * piece_ + 2) * wide * k_lanes, kPlaces * patch_apart_, kPlaces * sum_apart_,
                       (rows * c.out[2] + L) * m_lanes});
    turn_input(x_, image, group, z, row0, piece_, turned);
    const int64_t blocks = (tiles + at_once_ - 1) / at_once_;
    for (int64_t b = 0; b < blocks; ++b) {
      const int64_t first = tiles * b / blocks, count = tiles * (b + 1) / blocks - first;
      transform_patches(turned, wide, k_lanes, tile_columns, first, count, patches, patch_apart_);
      multiply(group, count, patches, sums);
      finish(group, first, count, rows, sums, results);
    }
    turn_back(results, m_lanes, c.m, rows * c.out[2], o_m,
              out_ + block * c.m * o_m + z * o_plane + 2 * row0 * c.out[2]);
  }

  void multiply(int64_t group, int64_t count, const float* patches, float* sums) const {
    const int64_t row_tiles = mk_.count(count), strip = mk_.strip();
    TileOut<float> to{Finish::set, nullptr, m_lanes, nullptr, 0.0f};
    for (int64_t p = 0; p < kPlaces; ++p) {
      const float* by = kernels_ + p * kernel_place() + group * k * m_lanes;
      for (int64_t column = 0; column < m_lanes; column += strip) {
        const int64_t width = std::min(strip, m_lanes - column);
        for (int64_t t = 0; t < row_tiles; ++t) {
          const int64_t i0 = count * t / row_tiles, rows = count * (t + 1) / row_tiles - i0;
          to.dst = sums + p * sum_apart_ + i0 * m_lanes + column;
          mk_.run(rows, width, k, patches + p * patch_apart_ + i0 * k_lanes, k_lanes, 1, by + column, m_lanes, to);
        }
      }
    }
  }

  // A^T s A and the bias: out[row][column][result].
  void finish(int64_t group, int64_t first, int64_t count, int64_t rows, const float* sums, float* out) const {
    for (int64_t v = 0; v < m_lanes; v += L) {
      const int part = static_cast<int>(std::min<int64_t>(L, c.m - v));
      const V bias = bias_ && part > 0 ? load_part(bias_ + group * c.m + v, part) : V{};
      for (int64_t t = 0; t < count; ++t) {
        const float* s = sums + t * m_lanes + v;
        const int64_t row = 2 * ((first + t) / tile_columns), column = 2 * ((first + t) % tile_columns);
        float* o = out + (row * c.out[2] + column) * m_lanes + v;
        results_of([&](int place) { return load(s + place * sum_apart_); }, bias,
                   [&](int y, int x, V value) {
                     if (row + y < rows && column + x < c.out[2]) store(o + (y * c.out[2] + x) * m_lanes, value);
                   });
      }
    }
  }

  const Tiles<float>& mk_ = tiles_f32;
  const float *x_, *w_, *bias_;
  float* out_;
  float* kernels_ = nullptr;
  int64_t at_once_, piece_, pieces_, patch_apart_, sum_apart_;
};

// The gradient of the kernels: a sum over tiles of 16 products, transformed back. It is summed in parts, whose number
// depends on the shape alone.
class Kernels : Shape {
 public:
  Kernels(const ConvTurned& c, const float* x, const float* g, float* dw) : Shape(c), x_(x), g_(g), dw_(dw) {
    const int64_t fits = std::max<int64_t>((1 << 16) / (kPlaces * (k_lanes + m_lanes)), 32) / tile_columns;
    piece_ = std::clamp<int64_t>(fits, 1, tile_rows);
    pieces_ = (tile_rows + piece_ - 1) / piece_;
    units_ = c.images * c.out[0] * pieces_;
    sum_apart_ = c.m * k_lanes + kLine;
    parts_ = std::clamp<int64_t>((1 << 20) / (c.groups * kPlaces * sum_apart_), 1, std::min(kMaxParts, units_));
  }

  void run() {
    sums_ = buffers().shared.get<float>(c.groups * parts_ * kPlaces * sum_apart_);
    parallel_for(c.groups * parts_, 1 + kGrainWork / (units_ / parts_ * piece_ * tile_columns * k * c.m + 1),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t item = begin; item < end; ++item) part(item / parts_, item % parts_);
                 });
    parallel_for(c.groups * c.m, 1 + (1 << 12) / (parts_ * k_lanes), [&](int64_t begin, int64_t end) {
      for (int64_t item = begin; item < end; ++item) finish(item / c.m, item % c.m);
    });
    buffers().shared.trim();
  }

 private:
  float* sums_at(int64_t group, int64_t part) const { return sums_ + (group * parts_ + part) * kPlaces * sum_apart_; }

  void part(int64_t group, int64_t part) const {
    const int64_t tiles = piece_ * tile_columns;
    const int64_t x_apart = tiles * k_lanes + kLine, g_apart = tiles * m_lanes + kLine;
    const auto [turned, turned_g, patches, gradient] =
        own_pieces<4>({(2 * piece_ + 2) * wide * k_lanes, 4 * tiles * m_lanes, kPlaces * x_apart, kPlaces * g_apart});
    const int64_t first = units_ * part / parts_, last = units_ * (part + 1) / parts_;
    const int64_t row_tiles = mk_.count(c.m), strip = mk_.strip();
    for (int64_t unit = first; unit < last; ++unit) {
      const int64_t row0 = unit % pieces_ * piece_, z = unit / pieces_ % c.out[0], image = unit / pieces_ / c.out[0];
      const int64_t rows = std::min(piece_, tile_rows - row0), depth = rows * tile_columns;
      turn_input(x_, image, group, z, row0, rows, turned);
      Plane p{c.out[1], c.out[2], 2 * row0,
              0,        2 * rows, 2 * tile_columns,
              m_lanes,  c.m,      g_ + c.images * c.groups * c.m * o_m};
      const float* g = g_ + (image * c.groups + group) * c.m * o_m + z * o_plane;
      turn(p, [&](int64_t i) { return g + i * o_m; }, turned_g);
      transform_patches(turned, wide, k_lanes, tile_columns, 0, depth, patches, x_apart);
      transform_gradients(turned_g, 2 * tile_columns, m_lanes, depth, gradient, g_apart);
      TileOut<float> to{unit == first ? Finish::set : Finish::add, nullptr, k_lanes, nullptr, 0.0f};
      for (int64_t place = 0; place < kPlaces; ++place)
        for (int64_t column = 0; column < k_lanes; column += strip)
          for (int64_t t = 0; t < row_tiles; ++t) {
            const int64_t i0 = c.m * t / row_tiles, height = c.m * (t + 1) / row_tiles - i0;
            to.dst = sums_at(group, part) + place * sum_apart_ + i0 * k_lanes + column;
            mk_.run(height, std::min(strip, k_lanes - column), depth, gradient + place * g_apart + i0, 1, m_lanes,
                    patches + place * x_apart + column, k_lanes, to);
          }
    }
  }

  // G^T s G
  void finish(int64_t group, int64_t i) const {
    alignas(64) float all[9][L];
    for (int64_t v = 0; v < k; v += L) {
      kernel_of(
          [&](int place) {
            const int64_t at = place * sum_apart_ + i * k_lanes + v;
            V sum = load(sums_at(group, 0) + at);
            for (int64_t part = 1; part < parts_; ++part) sum += load(sums_at(group, part) + at);
            return sum;
          },
          [&](int tap, V value) { store(all[tap], value); });
      for (int64_t q = v; q < std::min(k, v + L); ++q) {
        const int64_t channel = q % c.channels, z = q / c.channels;
        float* o = dw_ + (((group * c.m + i) * c.channels + channel) * c.depth + z) * 9;
        for (int j = 0; j < 9; ++j) o[j] = all[j][q - v];
      }
    }
  }

  const Tiles<float>& mk_ = tiles_f32;
  const float *x_, *g_;
  float* dw_;
  float* sums_ = nullptr;
  int64_t piece_, pieces_, units_, sum_apart_, parts_;
};

void product(const ConvTurned& c, const float* x, const float* w, const float* bias, float* out) {
  Forward(c, x, w, bias, out).run();
}
void weight_gradient(const ConvTurned& c, const float* x, const float* g, float* dw) { Kernels(c, x, g, dw).run(); }

}  // namespace

extern const ConvTurnedTable conv_turned_table = {product, weight_gradient};

}  // namespace rl::cpu::RL_ISA
