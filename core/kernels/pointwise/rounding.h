// Signs, rounding, and what else looks at the bits of a number.
//
// Glue for the engine: round(decimals=d) is RoundDecimals with scale 10^|d| and up = d >= 0; fix is trunc;
// nan_to_num's None for posinf and neginf means the largest and smallest finite value of the dtype.
#pragma once

#include "kernels/pointwise/expr.h"
#include "kernels/pointwise/math.h"

namespace rl::pointwise {

struct Abs {
  static constexpr const char* schema = "abs(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Absolute value; of a complex number its length, in the real dtype.\n\n"
      ">>> torch.abs(torch.tensor([-1.5, 2.]))\ntensor([1.5000, 2.0000])\n";
  static constexpr Rule rule = Rule::RealOfComplex;
  static constexpr unsigned types = kInts | kFloating | kComplex;
  template <class T> RL_FN static auto forward(T x) { return abs(x); }
  template <class G, class T> RL_FN static T grad0(G g, T x, G) { return T(g) * sgn(x); }
};

struct Sgn {
  static constexpr const char* schema = "sgn(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "The sign: -1, 0 or 1; of a complex number self / |self|.\n\n"
      ">>> torch.sgn(torch.tensor([-3., 0., 2.]))\ntensor([-1.,  0.,  1.])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kAll;
  template <class T> RL_FN static T forward(T x) { return sgn(x); }
  // Of z/|z|: the part of g across the direction of z, divided by |z|; zero for real dtypes.
  template <class T> RL_FN static T grad0(T g, T x, T y) {
    auto m = abs(x);
    auto across = imag(conj(y) * g);
    return times_i(y) * T(where(m == decltype(m)(0), decltype(m)(0), across / m));
  }
};

struct Sign {
  static constexpr const char* schema = "sign(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "The sign: -1, 0 or 1; of NaN it is 0.\n\n>>> torch.sign(torch.tensor([-3., 0., 2.]))\ntensor([-1.,  0.,  1.])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kReal;
  template <class T> RL_FN static T forward(T x) { return sign(x); }
  template <class T> RL_FN static T grad0(T, T, T) { return T(0); }
};

struct Floor {
  static constexpr const char* schema = "floor(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Rounds down to a whole number.\n\n>>> torch.floor(torch.tensor([-1.5, 1.5]))\ntensor([-2.,  1.])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating;
  template <class T> RL_FN static T forward(T x) {
    if constexpr (math::is_float<T>)
      return floor(x);
    else
      return x;
  }
  template <class T> RL_FN static T grad0(T, T, T) { return T(0); }
};

struct Ceil {
  static constexpr const char* schema = "ceil(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Rounds up to a whole number.\n\n>>> torch.ceil(torch.tensor([-1.5, 1.5]))\ntensor([-1.,  2.])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating;
  template <class T> RL_FN static T forward(T x) {
    if constexpr (math::is_float<T>)
      return ceil(x);
    else
      return x;
  }
  template <class T> RL_FN static T grad0(T, T, T) { return T(0); }
};

struct Trunc {
  static constexpr const char* schema = "trunc(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Rounds towards zero to a whole number. Also fix.\n\n"
      ">>> torch.trunc(torch.tensor([-1.5, 1.5]))\ntensor([-1.,  1.])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating;
  template <class T> RL_FN static T forward(T x) {
    if constexpr (math::is_float<T>)
      return trunc(x);
    else
      return x;
  }
  template <class T> RL_FN static T grad0(T, T, T) { return T(0); }
};

struct Frac {
  static constexpr const char* schema = "frac(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "self - trunc(self), which keeps the sign.\n\n"
      ">>> torch.frac(torch.tensor([-1.5, 1.25]))\ntensor([-0.5000,  0.2500])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return x - trunc(x); }
  template <class T> RL_FN static T grad0(T g, T, T) { return g; }
};

struct Round {
  static constexpr const char* schema = "round(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Rounds to the nearest whole number, half to even; decimals=d rounds to d digits after the point.\n\n"
      ">>> torch.round(torch.tensor([0.5, 1.5, 2.6]))\ntensor([0., 2., 3.])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating;
  template <class T> RL_FN static T forward(T x) {
    if constexpr (math::is_float<T>)
      return rint(x);
    else
      return x;
  }
  template <class T> RL_FN static T grad0(T, T, T) { return T(0); }
};

struct RoundDecimals {
  static constexpr const char* schema = "round.decimals(Tensor self, Scalar scale, Scalar up) -> Tensor";
  static constexpr const char* doc =
      "round(self * scale) / scale where up is 1, round(self / scale) * scale where it is 0.";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T scale, T up) {
    return where(up != T(0), rint(x * scale) / scale, rint(x / scale) * scale);
  }
  template <class T> RL_FN static T grad0(T, T, T, T, T) { return T(0); }
};

struct Copysign {
  static constexpr const char* schema = "copysign.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Numbers numbers = Numbers::Last;
  static constexpr const char* doc =
      "The magnitude of self with the sign of other (-0.0 counts as negative).\n\n"
      ">>> torch.copysign(torch.tensor([1., 2.]), torch.tensor([-1., 1.]))\ntensor([-1.,  2.])\n";
  static constexpr const char* backward_versions = "001";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T a, T b) { return copysign(a, b); }
  template <class T> RL_FN static T grad0(T g, T a, T, T y) { return where(a == T(0), T(0), g * (y / a)); }
  template <class T> RL_FN static T grad1(T, T, T, T) { return T(0); }
};

struct Nextafter {
  static constexpr const char* schema = "nextafter(Tensor self, Tensor other) -> Tensor";
  static constexpr const char* doc =
      "The next representable number after self towards other.\n\n"
      ">>> torch.nextafter(torch.tensor([1.]), torch.tensor([2.])) > 1\ntensor([True])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T a, T b) { return nextafter(a, b); }
  template <class T> RL_FN static T grad0(T g, T a, T b, T) { return where(a == b, T(0), g); }
  template <class T> RL_FN static T grad1(T, T, T, T) { return T(0); }
};

struct Heaviside {
  static constexpr const char* schema = "heaviside(Tensor self, Tensor values) -> Tensor";
  static constexpr const char* doc =
      "0 below zero, 1 above, values at zero.\n\n"
      ">>> torch.heaviside(torch.tensor([-1., 0., 2.]), torch.tensor(0.5))\ntensor([0.0000, 0.5000, 1.0000])\n";
  static constexpr bool no_derivative = true;
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kReal;
  template <class T> RL_FN static T forward(T x, T v) { return where(x == T(0), v, T(x > T(0))); }
};

struct Ldexp {
  static constexpr const char* schema = "ldexp.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr const char* doc =
      "self * 2**other.\n\n>>> torch.ldexp(torch.tensor([1., 3.]), torch.tensor([2, 1]))\ntensor([4., 6.])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T a, T b) { return a * exp2(b); }
  template <class T> RL_FN static T grad0(T g, T, T b, T) { return g * conj(exp2(b)); }
  template <class T> RL_FN static T grad1(T g, T a, T b, T) { return g * conj(a * exp2(b) * T(kLn2)); }
};

struct NanToNum {
  static constexpr const char* schema = "nan_to_num(Tensor self, Scalar nan, Scalar posinf, Scalar neginf) -> Tensor";
  static constexpr const char* doc =
      "Replaces NaN (by 0 unless told) and the infinities (by the largest and smallest finite numbers unless told).\n\n"
      ">>> torch.nan_to_num(torch.tensor([float('nan'), 1.]), nan=7.)\ntensor([7., 1.])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kReal;
  template <class T> RL_FN static T forward(T x, T nan, T pos, T neg) {
    return where(isnan(x), nan, where(isinf(x), where(x > T(0), pos, neg), x));
  }
  template <class T> RL_FN static T grad0(T g, T x, T, T, T, T) { return where(isfinite(x), g, T(0)); }
};

using RoundingOps = List<Abs, Sgn, Sign, Floor, Ceil, Trunc, Frac, Round, RoundDecimals, Copysign, Nextafter, Heaviside,
                         Ldexp, NanToNum>;

static_assert(grad_uses<Abs, 0>() == 0b11 && grad_uses<Floor, 0>() == 0 && has_grad<Floor, 0>());

}  // namespace rl::pointwise
