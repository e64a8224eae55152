// Sums of exponentials of rows, for softmax and what is built on it.
#pragma once

#include "kernels/cpu/rows.h"
#include "kernels/pointwise/math.h"

namespace rl::cpu::RL_ISA {
namespace {

constexpr int64_t kPiece = 1024;

// math::exp_nonpositive, where what underflows is zero at once: the way through a denormal result costs a hundred cycles.
template <class C> [[gnu::always_inline]] inline C exp_or_zero(C x) {
  constexpr typename math::Fp<C>::I up = sizeof(C) == 8 ? 128 : 64;
  const bool gone = x <= math::Fp<C>::exp_min;
  const auto p = math::exp_split(gone ? math::Fp<C>::exp_min : x);
  const C y = C(1) + math::fma(p.r * p.r, math::exp_tail(p.r), p.r);
  const C down = sizeof(C) == 8 ? C(0x1p-128) : C(0x1p-64);
  return y * math::power_of_2<C>(p.n + up) * (gone ? C(0) : down);
}

template <class C> [[gnu::always_inline]] inline Pack<C> exps(const Pack<C>& x) {
  constexpr int64_t lanes = kLanes<C>;
  alignas(64) C values[lanes];
  store(values, x);
  for (int64_t l = 0; l < lanes; ++l) values[l] = exp_or_zero(values[l]);
  return load<C>(values);
}

// The sum of exp(x[i] - top), in pieces; with Keep the exponentials go to e (whole packs, zeros after the last).
template <bool Keep, class C, class T> [[gnu::always_inline]] inline double sum_exps(const T* x, int64_t n, C top,
                                                                                     C* e) {
  constexpr int64_t lanes = kLanes<C>;
  const Pack<C> shift = splat(top);
  double total = 0;
  for (int64_t from = 0; from < n; from += kPiece) {
    const int64_t to = from + kPiece < n ? from + kPiece : n;
    Pack<C> a = splat(C(0)), b = a;
    int64_t i = from;
    for (; i + 2 * lanes <= to; i += 2 * lanes) {
      const Pack<C> u = exps(load<C>(x + i) - shift), v = exps(load<C>(x + i + lanes) - shift);
      if constexpr (Keep) store(e + i, u), store(e + i + lanes, v);
      a = a + u;
      b = b + v;
    }
    if (i < to) {
      // Less than two packs, still side by side.
      const int64_t rest = to - i, first = rest < lanes ? rest : lanes;
      const Pack<C> u = exps(load_part<C>(x + i, first, lowest_of<C>()) - shift);
      a = a + u;
      if constexpr (Keep) store_part(e + i, first, u);
      if (rest > lanes) {
        const Pack<C> v = exps(load_part<C>(x + i + lanes, rest - lanes, lowest_of<C>()) - shift);
        b = b + v;
        if constexpr (Keep) store_part(e + i + lanes, rest - lanes, v);
      }
    }
    total += sum_lanes(a + b);
  }
  return total;
}

}  // namespace
}  // namespace rl::cpu::RL_ISA
