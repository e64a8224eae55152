// Expression types. An expression type E is a class with `is_expr = true`, a constructor from a number, and
// `template <class Op, class... A> static E apply(const A&...)`, which means "this op, applied to these": a tensor that
// runs the op and records its gradient, a node of the fuser's graph, a set of dependencies. The operators and
// functions that op bodies use are defined here once for all of them.
#pragma once

#include "kernels/pointwise/record.h"

namespace rl::pointwise {

// The records that functions and operators below stand for.
struct Add;
struct Sub;
struct Mul;
struct Div;
struct Neg;
struct Pow;
struct Where;
struct Fmod;
struct Remainder;
struct Eq;
struct Ne;
struct Lt;
struct Le;
struct Gt;
struct Ge;
struct LogicalAnd;
struct LogicalOr;
struct LogicalXor;
struct LogicalNot;
struct Exp;
struct Expm1;
struct Exp2;
struct Log;
struct Log1p;
struct Log2;
struct Log10;
struct Sqrt;
struct Rsqrt;
struct Square;
struct Reciprocal;
struct Sin;
struct Cos;
struct Tan;
struct Asin;
struct Acos;
struct Atan;
struct Sinh;
struct Cosh;
struct Tanh;
struct Asinh;
struct Acosh;
struct Atanh;
struct Sigmoid;
struct LogSigmoid;
struct Softplus;
struct Erf;
struct Erfc;
struct Erfcx;
struct Erfinv;
struct Lgamma;
struct Digamma;
struct Polygamma;
struct Zeta;
struct I0;
struct I0e;
struct I1;
struct I1e;
struct Ndtr;
struct Ndtri;
struct LogNdtr;
struct Abs;
struct Sgn;
struct Sign;
struct Conj;
struct Real;
struct Imag;
struct Floor;
struct Ceil;
struct Round;
struct Trunc;
struct Frac;
struct IsNan;
struct IsInf;
struct IsFinite;
struct Atan2;
struct Hypot;
struct Maximum;
struct Minimum;
struct Copysign;
struct BesselJ0;
struct BesselJ1;
struct TimesI;

// An expression that only remembers which arguments it was computed from: bit 0 is g, bits 1.. the inputs, then the
// output.
struct Dep {
  static constexpr bool is_expr = true;
  unsigned mask = 0;
  constexpr Dep() = default;
  constexpr explicit Dep(double) {}
  static constexpr Dep leaf(int i) {
    Dep d;
    d.mask = 1u << i;
    return d;
  }
  template <class Op, class... A> static constexpr Dep apply(const A&... a) {
    Dep d;
    d.mask = (0u | ... | a.mask);
    return d;
  }
};

}  // namespace rl::pointwise

namespace rl::math {

// clang-format off
template <is_expr E> RL_FN E operator+(const E& a, const E& b) { return E::template apply<pointwise::Add>(a, b, E(1)); }
template <is_expr E> RL_FN E operator-(const E& a, const E& b) { return E::template apply<pointwise::Sub>(a, b, E(1)); }
template <is_expr E> RL_FN E operator*(const E& a, const E& b) { return E::template apply<pointwise::Mul>(a, b); }
template <is_expr E> RL_FN E operator/(const E& a, const E& b) { return E::template apply<pointwise::Div>(a, b); }
template <is_expr E> RL_FN E operator-(const E& a) { return E::template apply<pointwise::Neg>(a); }
template <is_expr E> RL_FN E operator==(const E& a, const E& b) { return E::template apply<pointwise::Eq>(a, b); }
template <is_expr E> RL_FN E operator!=(const E& a, const E& b) { return E::template apply<pointwise::Ne>(a, b); }
template <is_expr E> RL_FN E operator<(const E& a, const E& b) { return E::template apply<pointwise::Lt>(a, b); }
template <is_expr E> RL_FN E operator<=(const E& a, const E& b) { return E::template apply<pointwise::Le>(a, b); }
template <is_expr E> RL_FN E operator>(const E& a, const E& b) { return E::template apply<pointwise::Gt>(a, b); }
template <is_expr E> RL_FN E operator>=(const E& a, const E& b) { return E::template apply<pointwise::Ge>(a, b); }
template <is_expr E> RL_FN E operator&(const E& a, const E& b) { return E::template apply<pointwise::LogicalAnd>(a, b); }
template <is_expr E> RL_FN E operator|(const E& a, const E& b) { return E::template apply<pointwise::LogicalOr>(a, b); }
template <is_expr E> RL_FN E operator!(const E& a) { return E::template apply<pointwise::LogicalNot>(a); }
template <is_expr E> RL_FN E where(const E& c, const E& a, const E& b) { return E::template apply<pointwise::Where>(c, a, b); }
template <is_expr E> RL_FN E plus(const E& a, const E& b) { return a + b; }
template <is_expr E> RL_FN E minus(const E& a, const E& b) { return a - b; }
template <is_expr E> RL_FN E times(const E& a, const E& b) { return a * b; }
template <is_expr E> RL_FN E over(const E& a, const E& b) { return a / b; }
template <is_expr E> RL_FN E fma(const E& a, const E& b, const E& c) { return a * b + c; }

template <is_expr E> RL_FN E exp(const E& x) { return E::template apply<pointwise::Exp>(x); }
template <is_expr E> RL_FN E expm1(const E& x) { return E::template apply<pointwise::Expm1>(x); }
template <is_expr E> RL_FN E exp2(const E& x) { return E::template apply<pointwise::Exp2>(x); }
template <is_expr E> RL_FN E log(const E& x) { return E::template apply<pointwise::Log>(x); }
template <is_expr E> RL_FN E log1p(const E& x) { return E::template apply<pointwise::Log1p>(x); }
template <is_expr E> RL_FN E log2(const E& x) { return E::template apply<pointwise::Log2>(x); }
template <is_expr E> RL_FN E log10(const E& x) { return E::template apply<pointwise::Log10>(x); }
template <is_expr E> RL_FN E sqrt(const E& x) { return E::template apply<pointwise::Sqrt>(x); }
template <is_expr E> RL_FN E rsqrt(const E& x) { return E::template apply<pointwise::Rsqrt>(x); }
template <is_expr E> RL_FN E square(const E& x) { return E::template apply<pointwise::Square>(x); }
template <is_expr E> RL_FN E reciprocal(const E& x) { return E::template apply<pointwise::Reciprocal>(x); }
template <is_expr E> RL_FN E sin(const E& x) { return E::template apply<pointwise::Sin>(x); }
template <is_expr E> RL_FN E cos(const E& x) { return E::template apply<pointwise::Cos>(x); }
template <is_expr E> RL_FN E tan(const E& x) { return E::template apply<pointwise::Tan>(x); }
template <is_expr E> RL_FN E asin(const E& x) { return E::template apply<pointwise::Asin>(x); }
template <is_expr E> RL_FN E acos(const E& x) { return E::template apply<pointwise::Acos>(x); }
template <is_expr E> RL_FN E atan(const E& x) { return E::template apply<pointwise::Atan>(x); }
template <is_expr E> RL_FN E sinh(const E& x) { return E::template apply<pointwise::Sinh>(x); }
template <is_expr E> RL_FN E cosh(const E& x) { return E::template apply<pointwise::Cosh>(x); }
template <is_expr E> RL_FN E tanh(const E& x) { return E::template apply<pointwise::Tanh>(x); }
template <is_expr E> RL_FN E asinh(const E& x) { return E::template apply<pointwise::Asinh>(x); }
template <is_expr E> RL_FN E acosh(const E& x) { return E::template apply<pointwise::Acosh>(x); }
template <is_expr E> RL_FN E atanh(const E& x) { return E::template apply<pointwise::Atanh>(x); }
template <is_expr E> RL_FN E sigmoid(const E& x) { return E::template apply<pointwise::Sigmoid>(x); }
template <is_expr E> RL_FN E log_sigmoid(const E& x) { return E::template apply<pointwise::LogSigmoid>(x); }
template <is_expr E> RL_FN E softplus(const E& x) { return E::template apply<pointwise::Softplus>(x, E(1), E(20)); }
template <is_expr E> RL_FN E erf(const E& x) { return E::template apply<pointwise::Erf>(x); }
template <is_expr E> RL_FN E erfc(const E& x) { return E::template apply<pointwise::Erfc>(x); }
template <is_expr E> RL_FN E erfcx(const E& x) { return E::template apply<pointwise::Erfcx>(x); }
template <is_expr E> RL_FN E erfinv(const E& x) { return E::template apply<pointwise::Erfinv>(x); }
template <is_expr E> RL_FN E lgamma(const E& x) { return E::template apply<pointwise::Lgamma>(x); }
template <is_expr E> RL_FN E digamma(const E& x) { return E::template apply<pointwise::Digamma>(x); }
// The Tensor argument comes first, the order n second.
template <is_expr E> RL_FN E polygamma(const E& x, const E& n) { return E::template apply<pointwise::Polygamma>(x, n); }
template <is_expr E> RL_FN E zeta(const E& x, const E& q) { return E::template apply<pointwise::Zeta>(x, q); }
template <is_expr E> RL_FN E i0(const E& x) { return E::template apply<pointwise::I0>(x); }
template <is_expr E> RL_FN E i0e(const E& x) { return E::template apply<pointwise::I0e>(x); }
template <is_expr E> RL_FN E i1(const E& x) { return E::template apply<pointwise::I1>(x); }
template <is_expr E> RL_FN E i1e(const E& x) { return E::template apply<pointwise::I1e>(x); }
template <is_expr E> RL_FN E ndtr(const E& x) { return E::template apply<pointwise::Ndtr>(x); }
template <is_expr E> RL_FN E gelu_cdf(const E& x) { return ndtr(x); }
template <is_expr E> RL_FN E gelu(const E& x) { return x * ndtr(x); }
template <is_expr E> RL_FN E exp_nonpositive(const E& x) { return exp(x); }
template <is_expr E> RL_FN E log1p_unit(const E& x) { return log1p(x); }
template <is_expr E> RL_FN E ndtri(const E& x) { return E::template apply<pointwise::Ndtri>(x); }
template <is_expr E> RL_FN E log_ndtr(const E& x) { return E::template apply<pointwise::LogNdtr>(x); }
template <is_expr E> RL_FN E bessel_j0(const E& x) { return E::template apply<pointwise::BesselJ0>(x); }
template <is_expr E> RL_FN E bessel_j1(const E& x) { return E::template apply<pointwise::BesselJ1>(x); }
template <is_expr E> RL_FN E abs(const E& x) { return E::template apply<pointwise::Abs>(x); }
template <is_expr E> RL_FN E sgn(const E& x) { return E::template apply<pointwise::Sgn>(x); }
template <is_expr E> RL_FN E sign(const E& x) { return E::template apply<pointwise::Sign>(x); }
template <is_expr E> RL_FN E conj(const E& x) { return E::template apply<pointwise::Conj>(x); }
template <is_expr E> RL_FN E real(const E& x) { return E::template apply<pointwise::Real>(x); }
template <is_expr E> RL_FN E imag(const E& x) { return E::template apply<pointwise::Imag>(x); }
template <is_expr E> RL_FN E times_i(const E& x) { return E::template apply<pointwise::TimesI>(x); }
template <is_expr E> RL_FN E floor(const E& x) { return E::template apply<pointwise::Floor>(x); }
template <is_expr E> RL_FN E ceil(const E& x) { return E::template apply<pointwise::Ceil>(x); }
template <is_expr E> RL_FN E rint(const E& x) { return E::template apply<pointwise::Round>(x); }
template <is_expr E> RL_FN E trunc(const E& x) { return E::template apply<pointwise::Trunc>(x); }
template <is_expr E> RL_FN E isnan(const E& x) { return E::template apply<pointwise::IsNan>(x); }
template <is_expr E> RL_FN E isinf(const E& x) { return E::template apply<pointwise::IsInf>(x); }
template <is_expr E> RL_FN E isfinite(const E& x) { return E::template apply<pointwise::IsFinite>(x); }
template <is_expr E> RL_FN E pow(const E& a, const E& b) { return E::template apply<pointwise::Pow>(a, b); }
template <is_expr E> RL_FN E atan2(const E& a, const E& b) { return E::template apply<pointwise::Atan2>(a, b); }
template <is_expr E> RL_FN E hypot(const E& a, const E& b) { return E::template apply<pointwise::Hypot>(a, b); }
template <is_expr E> RL_FN E maximum(const E& a, const E& b) { return E::template apply<pointwise::Maximum>(a, b); }
template <is_expr E> RL_FN E minimum(const E& a, const E& b) { return E::template apply<pointwise::Minimum>(a, b); }
template <is_expr E> RL_FN E copysign(const E& a, const E& b) { return E::template apply<pointwise::Copysign>(a, b); }
template <is_expr E> RL_FN E div_trunc(const E& a, const E& b) { return trunc(a / b); }
template <is_expr E> RL_FN E div_floor(const E& a, const E& b) { return floor(a / b); }
// clang-format on

}  // namespace rl::math

namespace rl::pointwise {

using namespace rl::math;

// Calls Op::gradI.
template <class Op, int I, class... A> RL_FN auto grad(const A&... a) {
  if constexpr (I == 0)
    return Op::grad0(a...);
  else if constexpr (I == 1)
    return Op::grad1(a...);
  else if constexpr (I == 2)
    return Op::grad2(a...);
  else
    return Op::grad3(a...);
}

// Calls f(leaf<0>, leaf<1>, ...) with n arguments.
template <int N, class F, class... A> constexpr auto with_leaves(F f, A... a) {
  if constexpr (sizeof...(A) == N)
    return f(a...);
  else
    return with_leaves<N>(f, a..., Dep::leaf(static_cast<int>(sizeof...(A))));
}

// Whether Op has a gradient with respect to input I.
template <class Op, int I> constexpr bool has_grad() {
  if constexpr (I >= arity<Op>.tensors)
    return false;
  else if constexpr (I > 3)
    return false;
  else
    return with_leaves<arity<Op>.inputs() + 2>([](auto... d) {
      if constexpr (I == 0)
        return requires { Op::grad0(d...); };
      else if constexpr (I == 1)
        return requires { Op::grad1(d...); };
      else if constexpr (I == 2)
        return requires { Op::grad2(d...); };
      else
        return requires { Op::grad3(d...); };
    });
}

// What gradI reads: bit 0 for g, bit 1 + i for input i, bit 1 + inputs for the output. Autograd saves just that.
template <class Op, int I> constexpr unsigned grad_uses() {
  if constexpr (!has_grad<Op, I>())
    return 0;
  else
    return with_leaves<arity<Op>.inputs() + 2>([](auto... d) { return grad<Op, I>(d...); }).mask;
}

}  // namespace rl::pointwise
