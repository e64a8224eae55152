// A 3x3 convolution of every channel by itself. The input is read where it lies: its border is put in as vectors are
// loaded, and each row read serves all of the few rows of results that see it.
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

#include "kernels/cpu/gemm_micro.h"

constexpr int L = kLanes<float>;
constexpr int kRowsAtOnce = 4;
constexpr int64_t kGrain = 1 << 14;  // results worth handing to another thread

alignas(64) constexpr float kZeros[4 * L] = {};

// Elements first, first + step, ... of a and then b.
template <int First, int Step, int... I>
inline Vec<float> pick(Vec<float> a, Vec<float> b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (First + Step * I)...);
}
template <int First, int Step> inline Vec<float> pick(Vec<float> a, Vec<float> b) {
  return pick<First, Step>(a, b, std::make_integer_sequence<int, L>{});
}

// a[0], b[0], a[1], ...
template <int... I>
inline std::array<Vec<float>, 2> interleaved(Vec<float> a, Vec<float> b, std::integer_sequence<int, I...>) {
  return {__builtin_shufflevector(a, b, ((I & 1) * L + I / 2)...),
          __builtin_shufflevector(a, b, ((I & 1) * L + L / 2 + I / 2)...)};
}

// Up to four rows of results, a vector of columns from q on. `top` is the first row of the input they see, `plane` the
// second column. Part: the vectors may reach past the end of a row.
template <int S, bool Part>
inline void block(const ConvDepthwise& c, const float* plane, int64_t top, int64_t q, const Vec<float> (&w)[9],
                  Vec<float> bias, int count, float* out) {
  constexpr int R = kRowsAtOnce;
  const int64_t left = c.in_columns - 1 + c.pad_x - S * q;
  const bool before = q > 0 || c.pad_x == 0, after = left > L;
  const int first = static_cast<int>(std::min<int64_t>(left, L));
  const int second = static_cast<int>(std::clamp<int64_t>(left - L, 0, L));
  Vec<float> acc[R];
#pragma GCC unroll 4
  for (int o = 0; o < R; ++o) acc[o] = bias;
#pragma GCC unroll 9
  for (int y = 0; y < S * (R - 1) + 3; ++y) {
    const bool inside = static_cast<uint64_t>(top + y) < static_cast<uint64_t>(c.in_rows);
    const float* p = inside ? plane + (top + y) * c.in_columns + S * q : kZeros + 1;
    const Vec<float> previous = splat(*(before ? p - 1 : kZeros));
    Vec<float> at[3];
    const Vec<float> u = Part ? load_part(p, first) : load(p);
    if constexpr (S == 1) {
      at[0] = pick<L - 1, 1>(previous, u);
      at[1] = u;
      at[2] = pick<1, 1>(u, splat(*(after ? p + L : kZeros)));
    } else {
      const Vec<float> v = Part ? load_part(p + L, second) : load(p + L);
      at[1] = pick<0, 2>(u, v);
      at[2] = pick<1, 2>(u, v);
      at[0] = pick<L - 1, 1>(previous, at[2]);
    }
#pragma GCC unroll 4
    for (int o = 0; o < R; ++o)
      if (y >= S * o && y < S * o + 3)
#pragma GCC unroll 3
        for (int t = 0; t < 3; ++t) acc[o] = fma(w[(y - S * o) * 3 + t], at[t], acc[o]);
  }
  const int kept = static_cast<int>(std::min<int64_t>(c.out_columns - q, L));
#pragma GCC unroll 4
  for (int o = 0; o < R; ++o)
    if (o < count) Part ? store_part(out + o * c.out_columns, acc[o], kept) : store(out + o * c.out_columns, acc[o]);
}

template <int S> void planes(const ConvDepthwise& c, const float* x, const float* w, const float* bias, float* out) {
  constexpr int R = kRowsAtOnce;
  const int64_t width = c.out_columns, groups = (c.out_rows + R - 1) / R, last = width - L;
  // The last vector is taken with some columns that are there already, but must not read past the row's end.
  const bool short_end = last < 0 || (S == 2 && 2 * last + 2 * L > c.in_columns - 1 + c.pad_x);
  const int64_t grain = std::max<int64_t>(1, kGrain / (R * width));
  parallel_for(c.planes * groups, grain, [&](int64_t begin, int64_t end) {
    int64_t plane = begin / groups, group = begin % groups;
    while (begin < end) {
      const float* from = x + plane * c.in_rows * c.in_columns + 1 - c.pad_x;
      const int64_t channel = plane % c.channels;
      Vec<float> by[9];
      for (int t = 0; t < 9; ++t) by[t] = splat(w[channel * 9 + (c.flip ? 8 - t : t)]);
      const Vec<float> add = splat(bias ? bias[channel] : 0.0f);
      for (; group < groups && begin < end; ++group, ++begin) {
        const int64_t row = group * R, top = S * row - c.pad_y;
        const int count = static_cast<int>(std::min<int64_t>(c.out_rows - row, R));
        float* to = out + (plane * c.out_rows + row) * width;
        int64_t q = 0;
        for (; q + L <= width - (short_end ? 1 : 0); q += L) block<S, false>(c, from, top, q, by, add, count, to + q);
        if (q == width) continue;
        if (!short_end)
          block<S, false>(c, from, top, last, by, add, count, to + last);
        else
          block<S, true>(c, from, top, q, by, add, count, to + q);
      }
      group = 0, ++plane;
    }
  });
}

// The gradient of the input with stride 2 and a border, two rows and two vectors of columns at once: evens see one element
// of the gradient along each axis, odds two. `g` is where the block starts, `more` whether there is a row below.
template <bool Part>
inline void spread_block(const ConvDepthwise& c, const float* g, bool more, int64_t q, const Vec<float> (&w)[9],
                         Vec<float> bias, bool odd_row, float* out) {
  const int64_t left = c.in_columns - q;
  const int first = static_cast<int>(std::min<int64_t>(left, L));
  const float *next = more ? g + c.in_columns : kZeros, *after = left > L ? g + L : kZeros;
  const float* next_after = left > L && more ? next + L : kZeros;
  const Vec<float> a = Part ? load_part(g, first) : load(g), b = pick<1, 1>(a, splat(*after));
  const Vec<float> d = Part ? load_part(next, first) : load(next), e = pick<1, 1>(d, splat(*next_after));
  const Vec<float> even[2] = {fma(w[4], a, bias), fma(w[1], d, fma(w[7], a, bias))};
  const Vec<float> odd[2] = {fma(w[3], b, fma(w[5], a, bias)),
                             fma(w[0], e, fma(w[2], d, fma(w[6], b, fma(w[8], a, bias))))};
  const int64_t width = c.out_columns, kept = width - 2 * q;
#pragma GCC unroll 2
  for (int y = 0; y < 2; ++y, out += width) {
    if (y > 0 && !odd_row) return;
    const auto [u, v] = interleaved(even[y], odd[y], std::make_integer_sequence<int, L>{});
    if (Part) {
      store_part(out, u, static_cast<int>(std::min<int64_t>(kept, L)));
      store_part(out + L, v, static_cast<int>(std::clamp<int64_t>(kept - L, 0, L)));
    } else {
      store(out, u);
      store(out + L, v);
    }
  }
}

void spread_planes(const ConvDepthwise& c, const float* g, const float* w, const float* bias, float* out) {
  const int64_t rows = c.in_rows, last = c.in_columns - L;
  const bool odd_width = c.out_columns % 2 != 0;
  const int64_t grain = std::max<int64_t>(1, kGrain / (2 * c.out_columns));
  parallel_for(c.planes * rows, grain, [&](int64_t begin, int64_t end) {
    int64_t plane = begin / rows, row = begin % rows;
    while (begin < end) {
      const int64_t channel = plane % c.channels;
      Vec<float> by[9];
      for (int t = 0; t < 9; ++t) by[t] = splat(w[channel * 9 + t]);
      const Vec<float> add = splat(bias ? bias[channel] : 0.0f);
      for (; row < rows && begin < end; ++row, ++begin) {
        const float* from = g + begin * c.in_columns;
        const bool more = row + 1 < rows, odd_row = 2 * row + 1 < c.out_rows;
        float* to = out + (plane * c.out_rows + 2 * row) * c.out_columns;
        int64_t q = 0;
        for (; q < last; q += L) spread_block<false>(c, from + q, more, q, by, add, odd_row, to + 2 * q);
        q = std::max<int64_t>(last, 0);
        if (last < 0 || odd_width)
          spread_block<true>(c, from + q, more, q, by, add, odd_row, to + 2 * q);
        else
          spread_block<false>(c, from + q, more, q, by, add, odd_row, to + 2 * q);
      }
      row = 0, ++plane;
    }
  });
}

void depthwise(const ConvDepthwise& c, const float* x, const float* w, const float* bias, float* out) {
  c.stride == 1 ? planes<1>(c, x, w, bias, out) : planes<2>(c, x, w, bias, out);
}

}  // namespace

extern const ConvDepthwiseTable conv_depthwise_table = {depthwise, spread_planes};

}  // namespace rl::cpu::RL_ISA
