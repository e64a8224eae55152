// Instantiates the loops of a list of pointwise records for this instruction set.
#pragma once

#include <array>
#include <concepts>
#include <utility>

#include "kernels/cpu/loop.h"
#include "kernels/pointwise/expr.h"
#include "kernels/pointwise_loops.h"

namespace rl::cpu::RL_ISA {
namespace {

using pointwise::Rule;

template <class Op, class T, class R>
using stored_t =
    std::conditional_t<std::is_same_v<R, bool>, bool, std::conditional_t<is_complex_v<T> && !is_complex_v<R>, R, T>>;

template <class T>
inline T* as(char* p) {
  return reinterpret_cast<T*>(p);
}
template <class T>
inline const T* as(const char* p) {
  return reinterpret_cast<const T*>(p);
}
template <class T>
inline T scalar_at(const char* scalars, size_t i) {
  return *as<T>(scalars + i * kScalarSlot);
}

// Loops over a scalar argument are unswitched into branches that keep powers from vectorising: it is read like a tensor.
constexpr int64_t kSpread = 512;
template <class Op> constexpr bool spreads_scalar() {
  if constexpr (requires { Op::spread_scalar; }) return Op::spread_scalar;
  return false;
}
template <class T> struct Spread {
  alignas(64) T values[kSpread];
  Spread(T v, int64_t n) {
    for (int64_t i = 0; i < kSpread && i < n; ++i) values[i] = v;
  }
};
template <class Body> inline void in_pieces(int64_t n, const Body& body) {
  for (int64_t from = 0; from < n; from += kSpread) body(from, from + kSpread < n ? from + kSpread : n);
}

template <class Op, class T, class... A>
constexpr bool has_fast = requires(A... a) {
  { Op::fast(a...) } -> std::same_as<T>;
};
template <class T> constexpr bool is_real_float_v = std::is_same_v<T, float> || std::is_same_v<T, double>;
template <class T, size_t> using repeat_t = T;

// A choice between two loaded values by bits: compilers make a branch of c ? a[i] : b[i].
template <class T> inline void select_loop(T* y, const bool* c, const T* a, const T* b, int64_t n) {
  if constexpr (sizeof(T) == 16) {
    for (int64_t i = 0; i < n; ++i) y[i] = c[i] ? a[i] : b[i];
  } else {
    using U = std::conditional_t<
        sizeof(T) == 8, uint64_t,
        std::conditional_t<sizeof(T) == 4, uint32_t, std::conditional_t<sizeof(T) == 2, uint16_t, uint8_t>>>;
    typedef U Bits __attribute__((may_alias));
    const uint8_t* m = reinterpret_cast<const uint8_t*>(c);
    const Bits *p = reinterpret_cast<const Bits*>(a), *q = reinterpret_cast<const Bits*>(b);
    Bits* out = reinterpret_cast<Bits*>(y);
    RL_INDEPENDENT_ITERATIONS
    for (int64_t i = 0; i < n; ++i) {
      const U keep = static_cast<U>(U(0) - static_cast<U>(m[i] != 0));
      out[i] = static_cast<U>((p[i] & keep) | (q[i] & static_cast<U>(~keep)));
    }
  }
}

template <class Op, class T, size_t... I, size_t... S>
void forward_loop(char* out, const char* const* in, [[maybe_unused]] const char* scalars, int64_t n,
                  std::index_sequence<I...>, std::index_sequence<S...>) {
  [[maybe_unused]] const T values[sizeof...(S) + 1] = {scalar_at<T>(scalars, S)...};
  if constexpr (Op::rule == Rule::Select) {
    select_loop(as<T>(out), as<bool>(in[0]), as<T>(in[1]), as<T>(in[2]), n);
  } else if constexpr (Op::rule == Rule::ComplexOfReal) {
    const T* x[] = {as<T>(in[I])...};
    T* y = as<T>(out);
    for (int64_t i = 0; i < n; ++i) {
      auto pair = Op::template forward<T>(x[I][i]..., values[S]...);
      y[2 * i] = pair.re;
      y[2 * i + 1] = pair.im;
    }
  } else {
    using R = decltype(Op::template forward<T>(T(as<T>(in[I])[0])..., values[S]...));
    using Y = stored_t<Op, T, R>;
    const T* x[] = {as<T>(in[I])...};
    Y* y = as<Y>(out);
    if constexpr (std::is_same_v<T, bool> && std::is_same_v<Y, bool> && sizeof...(I) == 1 && sizeof...(S) == 0) {
      // By bytes and the two values there are: compilers take the negation of one bool at a time.
      const uint8_t* from = reinterpret_cast<const uint8_t*>(in[0]);
      uint8_t* to = reinterpret_cast<uint8_t*>(out);
      const uint8_t of_false = Op::template forward<bool>(false), change = of_false ^ Op::template forward<bool>(true);
      RL_INDEPENDENT_ITERATIONS
      for (int64_t i = 0; i < n; ++i) to[i] = static_cast<uint8_t>(of_false ^ (change & (from[i] != 0)));
      return;
    } else if constexpr (spreads_scalar<Op>() && is_real_float_v<T>) {
      const Spread<T> scalar(values[0], n);
      in_pieces(n, [&](int64_t from, int64_t to) {
        RL_INDEPENDENT_ITERATIONS
        for (int64_t i = from; i < to; ++i)
          y[i] = static_cast<Y>(Op::template forward<T>(x[I][i]..., scalar.values[i - from]));
      });
      return;
    } else if constexpr (sizeof...(S) == 0 && has_fast<Op, Y, repeat_t<T, I>...>) {
      in_pieces(n, [&](int64_t from, int64_t to) {
        unsigned slow = 0;
        for (int64_t i = from; i < to; ++i) slow |= Op::slow(x[I][i]...) ? 1u : 0u;
        if (slow != 0) {
          for (int64_t i = from; i < to; ++i)
            y[i] = Op::slow(x[I][i]...) ? Op::template forward<T>(x[I][i]...) : Op::fast(x[I][i]...);
          return;
        }
        RL_INDEPENDENT_ITERATIONS
        for (int64_t i = from; i < to; ++i) y[i] = Op::fast(x[I][i]...);
      });
      return;
    }
    RL_INDEPENDENT_ITERATIONS
    for (int64_t i = 0; i < n; ++i) y[i] = static_cast<Y>(Op::template forward<T>(x[I][i]..., values[S]...));
  }
}

// Reads an argument only where the gradient uses it (mask bit): the others may have no data.
template <unsigned Bit, unsigned Mask, class T>
inline T read(const T* p, int64_t i) {
  if constexpr ((Mask & Bit) != 0)
    return p[i];
  else
    return T(0);
}

template <class Op, int G, class T, size_t... I, size_t... S>
void grad_loop(char* out, const char* const* in, [[maybe_unused]] const char* scalars, int64_t n,
               std::index_sequence<I...>, std::index_sequence<S...>) {
  [[maybe_unused]] const T values[sizeof...(S) + 1] = {scalar_at<T>(scalars, S)...};
  constexpr unsigned mask = pointwise::grad_uses<Op, G>();
  constexpr unsigned inputs = sizeof...(I) + sizeof...(S);
  T* y = as<T>(out);
  if constexpr (Op::rule == Rule::RealOfComplex && is_complex_v<T>) {
    using Real = typename T::value_type;
    const T* x[] = {as<T>(in[1 + I])...};
    const Real* g = as<Real>(in[0]);
    const Real* r = as<Real>(in[1 + sizeof...(I)]);
    for (int64_t i = 0; i < n; ++i)
      y[i] = static_cast<T>(pointwise::grad<Op, G>(read<1u, mask>(g, i), read<(2u << I), mask>(x[I], i)...,
                                                   values[S]..., read<(2u << inputs), mask>(r, i)));
  } else {
    const T* g = as<T>(in[0]);
    const T* x[] = {as<T>(in[1 + I])...};
    const T* r = as<T>(in[1 + sizeof...(I)]);
    if constexpr (spreads_scalar<Op>() && is_real_float_v<T>) {
      const Spread<T> scalar(values[0], n);
      in_pieces(n, [&](int64_t from, int64_t to) {
        RL_INDEPENDENT_ITERATIONS
        for (int64_t i = from; i < to; ++i)
          y[i] = static_cast<T>(pointwise::grad<Op, G>(read<1u, mask>(g, i), read<(2u << I), mask>(x[I], i)...,
                                                       scalar.values[i - from], read<(2u << inputs), mask>(r, i)));
      });
      return;
    }
    RL_INDEPENDENT_ITERATIONS
    for (int64_t i = 0; i < n; ++i)
      y[i] = static_cast<T>(pointwise::grad<Op, G>(read<1u, mask>(g, i), read<(2u << I), mask>(x[I], i)...,
                                                   values[S]..., read<(2u << inputs), mask>(r, i)));
  }
}

template <class Op, class T>
constexpr PointwiseLoop forward_of() {
  if constexpr (pointwise::computes_in<Op, T>) {
    return [](char* out, const char* const* in, const char* scalars, int64_t n) {
      constexpr auto arity = pointwise::arity<Op>;
      forward_loop<Op, T>(out, in, scalars, n, std::make_index_sequence<arity.tensors>{},
                          std::make_index_sequence<arity.scalars>{});
    };
  } else {
    return nullptr;
  }
}

template <class Op, int G, class T>
constexpr PointwiseLoop grad_of() {
  if constexpr (pointwise::computes_in<Op, T> && pointwise::has_grad<Op, G>() && Op::rule != Rule::Select &&
                Op::rule != Rule::ComplexOfReal) {
    return [](char* out, const char* const* in, const char* scalars, int64_t n) {
      constexpr auto arity = pointwise::arity<Op>;
      grad_loop<Op, G, T>(out, in, scalars, n, std::make_index_sequence<arity.tensors>{},
                          std::make_index_sequence<arity.scalars>{});
    };
  } else {
    return nullptr;
  }
}

template <class Op, class Single, class Double>
constexpr void fill_gradients(PointwiseLoop (&grad)[kMaxGrads][2]) {
  [&]<int... G>(std::integer_sequence<int, G...>) {
    ((grad[G][0] = grad_of<Op, G, Single>(), grad[G][1] = grad_of<Op, G, Double>()), ...);
  }(std::make_integer_sequence<int, kMaxGrads>{});
}

// What changes a sign does so in float16 and bfloat16 alike, without a way through float: which bits it keeps and flips.
struct ShortBits {
  uint16_t kept, flipped;
};
template <class Op> constexpr ShortBits short_bits = {};
template <> inline constexpr ShortBits short_bits<pointwise::Neg> = {0xFFFF, 0x8000};
template <> inline constexpr ShortBits short_bits<pointwise::Abs> = {0x7FFF, 0};
template <class Op> void short_bits_loop(char* out, const char* const* in, const char*, int64_t n) {
  uint16_t* y = as<uint16_t>(out);
  const uint16_t* x = as<uint16_t>(in[0]);
  RL_INDEPENDENT_ITERATIONS
  for (int64_t i = 0; i < n; ++i) y[i] = (x[i] & short_bits<Op>.kept) ^ short_bits<Op>.flipped;
}

template <class Op>
constexpr PointwiseLoops loops_of() {
  PointwiseLoops loops;
  if constexpr (short_bits<Op>.kept != 0)
    for (DType d : {DType::F16, DType::BF16}) loops.forward[static_cast<int>(d)] = short_bits_loop<Op>;
  auto forward = [&]<class... T>(std::type_identity<T>...) {
    ((loops.forward[static_cast<int>(dtype_of_v<T>)] = forward_of<Op, T>()), ...);
  };
  forward(std::type_identity<uint8_t>{}, std::type_identity<int8_t>{}, std::type_identity<int16_t>{},
          std::type_identity<int32_t>{}, std::type_identity<int64_t>{}, std::type_identity<float>{},
          std::type_identity<double>{}, std::type_identity<bool>{});
  fill_gradients<Op, float, double>(loops.grad);
  return loops;
}

template <class Op>
constexpr ComplexPointwiseLoops loops_of_complex() {
  ComplexPointwiseLoops loops;
  loops.forward[0] = forward_of<Op, Complex64>();
  loops.forward[1] = forward_of<Op, Complex128>();
  fill_gradients<Op, Complex64, Complex128>(loops.grad);
  return loops;
}

template <class List> struct Instances;
template <class... Ops> struct Instances<pointwise::List<Ops...>> {
  static constexpr std::array<PointwiseLoops, sizeof...(Ops)> loops = {loops_of<Ops>()...};
  static constexpr std::array<ComplexPointwiseLoops, sizeof...(Ops)> of_complex = {loops_of_complex<Ops>()...};
};

}  // namespace
}  // namespace rl::cpu::RL_ISA
