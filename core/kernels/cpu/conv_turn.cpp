// Transposition between planes and channels side by side, a block of registers at a time.
#include "kernels/cpu/conv_turn.h"

#include <algorithm>
#include <array>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernels/cpu/gemm_tiles.h"

namespace rl::cpu::RL_ISA {
namespace {

#include "kernels/cpu/gemm_micro.h"

using V = Vec<float>;
constexpr int L = kLanes<float>;

}  // namespace

void turn_lines(const Plane& p, LineFn line, const void* context, float* out) {
  const int64_t top = std::clamp<int64_t>(p.row0, 0, p.rows);
  const int64_t bottom = std::clamp<int64_t>(p.row0 + p.out_rows, top, p.rows);
  const int64_t columns = std::min(p.columns, p.out_columns + p.column0);
  const int64_t pitch = p.out_columns * p.lanes, left = -p.column0 * p.lanes;
  const int64_t right = left + columns * p.lanes;
  float* inside = out + (top - p.row0) * pitch;
  std::fill(out, inside, 0.0f);
  std::fill(inside + (bottom - top) * pitch, out + p.out_rows * pitch, 0.0f);
  for (float* row = inside; row < inside + (bottom - top) * pitch; row += pitch) {
    std::fill(row, row + left, 0.0f);
    std::fill(row + right, row + pitch, 0.0f);
  }
  const int64_t n = (bottom - top) * columns;  // positions, whose rows follow each other
  for (int64_t i0 = 0; i0 < p.lanes; i0 += L) {
    const float* from[L];
    for (int i = 0; i < L; ++i) {
      from[i] = i0 + i < p.channels ? line(context, i0 + i) : nullptr;
      if (from[i]) from[i] += top * columns;
    }
    float* row = inside + left + i0;
    int64_t column = 0;
    for (int64_t at = 0; at < n; at += L) {
      V r[L];
      const int part = static_cast<int>(std::min<int64_t>(L, n - at));
#pragma GCC unroll 16
      for (int i = 0; i < L; ++i)
        r[i] = !from[i] ? V{} : from[i] + at + L <= p.end ? load(from[i] + at) : load_part(from[i] + at, part);
      transpose_block<float>(r);
#pragma GCC unroll 16
      for (int q = 0; q < L; ++q) {
        if (q >= part) break;
        store(row + column * p.lanes, r[q]);
        if (++column == columns) column = 0, row += pitch;
      }
    }
  }
}

void turn_back(const float* x, int64_t lanes, int64_t channels, int64_t n, int64_t apart, float* out) {
  for (int64_t i0 = 0; i0 < channels; i0 += L)
    for (int64_t at = 0; at < n; at += L) {
      V r[L];
      const int part = static_cast<int>(std::min<int64_t>(L, n - at));
      const float* from = x + at * lanes + i0;
      float* to = out + i0 * apart + at;
#pragma GCC unroll 16
      for (int q = 0; q < L; ++q) r[q] = load(from + q * lanes);
      transpose_block<float>(r);
#pragma GCC unroll 16
      for (int i = 0; i < L; ++i) {
        if (i0 + i >= channels) break;
        part == L ? store(to + i * apart, r[i]) : store_part(to + i * apart, r[i], part);
      }
    }
}

}  // namespace rl::cpu::RL_ISA
