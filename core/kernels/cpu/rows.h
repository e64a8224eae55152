// Helpers for kernels that work on whole rows: fixed-lane sums and maxima over functions of packs, rows of any floating
// dtype seen as float or double.
#pragma once

#include "kernels/cpu/convert.h"
#include "kernels/cpu/pack.h"
#include "runtime/parallel.h"

namespace rl::cpu::RL_ISA {
namespace {

// The sum of the lanes in double, by a fixed tree.
template <class C> [[gnu::always_inline]] inline double sum_lanes(const Pack<C>& p) {
  alignas(64) double v[8];
  if constexpr (sizeof(C) == 4)
    spill(v, widen_half<double, 0>(p) + widen_half<double, 1>(p));
  else
    spill(v, p);
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

// The sum over i < n of f(i), f giving packs for i, i + lanes, ...; tail(i, rest) gives the last, partial one, with
// zeros in its unused lanes. Blocks are added in double.
template <class C, class F, class Tail> [[gnu::always_inline]] inline double sum_packs(int64_t n, const F& f,
                                                                                       const Tail& tail) {
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
template <class C, class T> [[gnu::always_inline]] inline Pack<C> tail_of(const T* p, int64_t n, int64_t rest,
                                                                          C fill = 0) {
  return load_tail<C>(p, n, rest, fill);
}

template <class C> [[gnu::always_inline]] inline Pack<C> larger(const Pack<C>& x, Pack<C> best) {
#pragma GCC unroll 4
  for (int k = 0; k < kRegs; ++k) best.r[k] = x.r[k] > best.r[k] ? x.r[k] : best.r[k];
  return best;
}
// The largest element, NaNs passed over (a sum of exponentials has them in any case); -inf if there is none.
template <class C, class T> [[gnu::always_inline]] inline C max_of(const T* p, int64_t n) {
  constexpr int64_t lanes = kLanes<C>;
  Pack<C> a = splat(lowest_of<C>()), b = a, c = a, d = a;
  int64_t i = 0;
  for (; i + 4 * lanes <= n; i += 4 * lanes) {
    a = larger(load<C>(p + i), a);
    b = larger(load<C>(p + i + lanes), b);
    c = larger(load<C>(p + i + 2 * lanes), c);
    d = larger(load<C>(p + i + 3 * lanes), d);
  }
  for (; i + lanes <= n; i += lanes) a = larger(load<C>(p + i), a);
  if (i < n) b = larger(load_tail<C>(p, n, n - i, lowest_of<C>()), b);
  alignas(64) C values[lanes];
  spill(values, larger(larger(a, b), larger(c, d)));
  typedef C Quarter __attribute__((vector_size(16)));
  Quarter q[4];
  std::memcpy(q, values, 64);
  for (int l = 1; l < 4; ++l) q[0] = q[l] > q[0] ? q[l] : q[0];
  C best = q[0][0];
  for (int l = 1; l < lanes / 4; ++l) best = q[0][l] > best ? q[0][l] : best;
  return best;
}

// out[i] = f(pack of x from i on), the last pack partial.
template <class C, class T, class F> [[gnu::always_inline]] inline void map_row(const T* x, int64_t n, T* out,
                                                                                const F& f) {
  constexpr int64_t lanes = kLanes<C>;
  int64_t i = 0;
  if constexpr (std::is_same_v<C, T>) {
    for (; i + lanes <= n; i += lanes) store(out + i, f(load<C>(x + i)));
    if (i < n) store_part(out + i, n - i, f(load_part<C>(x + i, n - i, C(0))));
  } else {
    // Rounded a piece at a time: conversions know how.
    constexpr int64_t piece = 32 * lanes;
    const ConvertFn round = convert_fns[static_cast<int>(dtype_of_v<T>)][static_cast<int>(dtype_of_v<C>)];
    alignas(64) C values[piece];
    for (int64_t from = 0; from < n; from += piece) {
      const int64_t to = from + piece < n ? from + piece : n;
      for (; i + lanes <= to; i += lanes) store(values + (i - from), f(load<C>(x + i)));
      if (i < to) store(values + (i - from), f(load_part<C>(x + i, to - i, C(0))));
      i = to;
      round(out + from, values, to - from);
    }
  }
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
