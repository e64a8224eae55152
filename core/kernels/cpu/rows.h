// Helpers for kernels that work on whole rows: fixed-lane sums and maxima over functions of packs, rows of any floating
// dtype seen as float or double.
#pragma once

#include "kernels/cpu/pack.h"
#include "runtime/parallel.h"

namespace rl::cpu::RL_ISA {
namespace {

// The sum of the lanes in double, by a fixed tree.
template <class C> [[gnu::always_inline]] inline double sum_lanes(const Pack<C>& p) {
  alignas(64) C lanes[kLanes<C>];
  store(lanes, p);
  double wide[kLanes<C>];
  for (int l = 0; l < kLanes<C>; ++l) wide[l] = lanes[l];
  for (int half = kLanes<C> / 2; half > 0; half /= 2) {
    for (int l = 0; l < half; ++l) wide[l] += wide[l + half];
  }
  return wide[0];
}

// The sum over i < n of f(i), f giving packs for i, i + lanes, ...; tail(i, rest) gives the last, partial one, with
// zeros in its unused lanes. Blocks are added in double.
template <class C, class F, class Tail> [[gnu::always_inline]] inline double sum_packs(int64_t n, const F& f, const Tail& tail) {
  constexpr int64_t lanes = kLanes<C>, block = 4096;
  double total = 0;
  int64_t i = 0;
  for (int64_t from = 0; from < n; from += block) {
    const int64_t to = from + block < n ? from + block : n;
    Pack<C> a = splat(C(0)), b = a, c = a, d = a;
    for (; i + 4 * lanes <= to; i += 4 * lanes) {
      a = a + f(i);
      b = b + f(i + lanes);
      c = c + f(i + 2 * lanes);
      d = d + f(i + 3 * lanes);
    }
    for (; i + lanes <= to; i += lanes) a = a + f(i);
    if (i < to) {
      b = b + tail(i, to - i);
      i = to;
    }
    total += sum_lanes((a + b) + (c + d));
  }
  return total;
}

// The last `rest` elements of p[0, n) in some lanes, fill in the others; like pieces of several arrays match up.
template <class C, class T> [[gnu::always_inline]] inline Pack<C> tail_of(const T* p, int64_t n, int64_t rest, C fill = 0) {
  return load_tail<C>(p, n, rest, fill);
}

template <class C, class T> [[gnu::always_inline]] inline C max_of(const T* p, int64_t n) {
  constexpr int64_t lanes = kLanes<C>;
  Pack<C> a = splat(lowest_of<C>()), b = a;
  int64_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    a = extreme<true>(a, load<C>(p + i));
    b = extreme<true>(b, load<C>(p + i + lanes));
  }
  if (i + lanes <= n) {
    a = extreme<true>(a, load<C>(p + i));
    i += lanes;
  }
  if (i < n) b = extreme<true>(b, load_tail<C>(p, n, n - i, lowest_of<C>()));
  a = extreme<true>(a, b);
  alignas(64) C values[lanes];
  store(values, a);
  for (int half = lanes / 2; half > 0; half /= 2) {
    for (int l = 0; l < half; ++l) values[l] = extreme<true>(values[l], values[l + half]);
  }
  return values[0];
}

template <class F> void visit_floating(DType dtype, const F& f) {
  switch (dtype) {
    case DType::F32: return f(float{});
    case DType::F64: return f(double{});
    case DType::F16: return f(Half{});
    case DType::BF16: return f(BFloat16{});
    default: return;
  }
}

inline int64_t rows_per_task(int64_t elements_per_row, int64_t elements = 32768) {
  return elements_per_row >= elements ? 1 : elements / (elements_per_row > 0 ? elements_per_row : 1);
}

}  // namespace
}  // namespace rl::cpu::RL_ISA
