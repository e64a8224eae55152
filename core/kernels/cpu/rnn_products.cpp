// The products of a walk through time: a few rows by a fixed operand in strips, and gradients of weights from gradients
// of gates in strips. Each element is summed in the order of gemm(), so that either may do it.
#include <algorithm>
#include <limits>
#include <type_traits>

#include "kernels/cpu/gemm_tiles.h"
#include "kernels/rnn.h"

namespace rl::cpu::RL_ISA {
namespace {

static_assert(kDepth == kRnnDepth);

template <class T> const Tiles<T>& tiles_of() {
  if constexpr (std::is_same_v<T, float>)
    return tiles_f32;
  else
    return tiles_f64;
}

template <class T>
void pack(const T* src, int64_t line_stride, int64_t k_stride, int64_t lines, int64_t depth, T* out, int64_t distance) {
  for (int64_t j = 0; j < lines; j += kRnnStrip, out += distance)
    tiles_of<T>().pack(src + j * line_stride, line_stride, k_stride, std::min(kRnnStrip, lines - j), kRnnStrip, depth,
                       out);
}

template <class T>
void multiply(int64_t rows, int64_t k, int64_t n, const T* a, int64_t ld_a, const T* b, const T* bias, bool add, T* c,
              int64_t ld_c) {
  const Tiles<T>& tiles = tiles_of<T>();
  const int64_t blocks = (k + kDepth - 1) / kDepth, heights = tiles.count(rows), wide = tiles.strip();
  TileOut<T> out{Finish::set, c, ld_c, nullptr, -std::numeric_limits<T>::infinity()};
  for (int64_t s = 0; s < n; s += kRnnStrip)
    for (int64_t kb = 0; kb < blocks; ++kb) {
      const int64_t k0 = k * kb / blocks, depth = k * (kb + 1) / blocks - k0, end = std::min(n, s + kRnnStrip);
      out.finish = add || kb > 0 ? Finish::add : bias ? Finish::bias : Finish::set;
      for (int64_t j = s; j < end; j += wide) {
        out.bias = bias ? bias + j : nullptr;
        for (int64_t t = 0; t < heights; ++t) {
          const int64_t i = rows * t / heights;
          out.dst = c + i * ld_c + j;
          tiles.run(rows * (t + 1) / heights - i, std::min(wide, end - j), depth, a + i * ld_a + k0, ld_a, 1,
                    b + s * k + k0 * kRnnStrip + (j - s), kRnnStrip, out);
        }
      }
    }
}

template <class T> void gradient(const StripGradient<T>& g, int64_t s) {
  // So short that a strip of either operand stays in the nearest cache beside one of the other.
  constexpr int64_t kShort = 512 / static_cast<int64_t>(sizeof(T));
  const Tiles<T>& tiles = tiles_of<T>();
  const int64_t blocks = (g.rows + kShort - 1) / kShort, wide = tiles.strip(), unit0 = s * kRnnStrip,
                units = std::min(kRnnStrip, g.units - unit0), heights = tiles.count(units);
  TileOut<T> out{Finish::set, nullptr, g.features, nullptr, T(0)};
  for (int64_t kb = 0; kb < blocks; ++kb) {
    const int64_t r0 = g.rows * kb / blocks, depth = g.rows * (kb + 1) / blocks - r0;
    const T* left = g.left + (s * g.distance + r0) * kRnnStrip;
    out.finish = g.add || kb > 0 ? Finish::add : Finish::set;
    for (int64_t f = 0; f < g.features; f += wide) {
      const T* right = g.right + (f / kRnnStrip * g.distance + r0) * kRnnStrip + f % kRnnStrip;
      for (int64_t t = 0; t < heights; ++t) {
        const int64_t i = units * t / heights;
        out.dst = g.out + (unit0 + i) * g.features + f;
        tiles.run(units * (t + 1) / heights - i, std::min(wide, g.features - f), depth, left + i, 1, kRnnStrip, right,
                  kRnnStrip, out);
      }
    }
  }
}

// Four rows apart from each other.
template <class T> void add_columns(int64_t rows, const T* strip, int64_t count, T* sums) {
  T part[4][kRnnStrip] = {};
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4, strip += 4 * kRnnStrip)
    for (int64_t q = 0; q < 4; ++q)
      for (int64_t i = 0; i < kRnnStrip; ++i) part[q][i] += strip[q * kRnnStrip + i];
  for (int64_t q = 0; r < rows; ++r, ++q, strip += kRnnStrip)
    for (int64_t i = 0; i < kRnnStrip; ++i) part[q][i] += strip[i];
  for (int64_t i = 0; i < count; ++i) sums[i] += (part[0][i] + part[2][i]) + (part[1][i] + part[3][i]);
}

}  // namespace

extern const RnnProductsTable rnn_products_table = {
    {pack<float>, multiply<float>, gradient<float>, add_columns<float>},
    {pack<double>, multiply<double>, gradient<double>, add_columns<double>}};

}  // namespace rl::cpu::RL_ISA
