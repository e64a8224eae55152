// Arithmetic: sums, products, quotients, powers, rounding, extrema.
//
// Glue for the engine: an op given a Python number uses the Tensor record with that number as a 0-d operand, except
// where a Scalar record exists. div(rounding_mode=) is DivFloor or DivTrunc. round(decimals=) is RoundDecimals with
// scale = 10^|decimals| and sign. pow with the exponents 2, 3, 0.5, -0.5, -1 is best sent to Square, Cube, Sqrt, Rsqrt,
// Reciprocal; float_power is Pow in double. true_divide, multiply, subtract, negative, absolute, fix are aliases.
#pragma once

#include "kernels/pointwise/expr.h"
#include "kernels/pointwise/math.h"

namespace rl::pointwise {

struct Add {
  static constexpr const char* schema = "add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor";
  static constexpr Numbers numbers = Numbers::Both;
  static constexpr const char* doc =
      "self + alpha * other, elementwise and broadcast; the result has the promoted dtype.\n\n"
      ">>> torch.add(torch.tensor([1., 2.]), torch.tensor([10., 20.]), alpha=0.5)\ntensor([ 6., 12.])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kAll;
  template <class T> RL_FN static T forward(T a, T b, T alpha) { return muladd(alpha, b, a); }
  template <class T> RL_FN static T grad0(T g, T, T, T, T) { return g; }
  template <class T> RL_FN static T grad1(T g, T, T, T alpha, T) { return times(g, conj(alpha)); }
};

struct Sub {
  static constexpr const char* schema = "sub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor";
  static constexpr Numbers numbers = Numbers::Both;
  static constexpr const char* doc =
      "self - alpha * other, elementwise and broadcast; not for bool (use logical_xor or ~).\n\n"
      ">>> torch.sub(torch.tensor([5, 7]), torch.tensor([1, 2]))\ntensor([4, 5])\n";
  static constexpr bool refuses_bool = true;
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating | kComplex;
  template <class T> RL_FN static T forward(T a, T b, T alpha) { return mulsub(alpha, b, a); }
  template <class T> RL_FN static T grad0(T g, T, T, T, T) { return g; }
  template <class T> RL_FN static T grad1(T g, T, T, T alpha, T) { return -times(g, conj(alpha)); }
};

struct Rsub {
  static constexpr const char* schema = "rsub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor";
  static constexpr Numbers numbers = Numbers::Last;
  static constexpr const char* backward_versions = "011";
  static constexpr const char* doc =
      "other - alpha * self: sub with its operands exchanged.\n\n"
      ">>> torch.rsub(torch.tensor([1, 2]), torch.tensor([10, 10]))\ntensor([9, 8])\n";
  static constexpr bool refuses_bool = true;
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating | kComplex;
  template <class T> RL_FN static T forward(T a, T b, T alpha) { return mulsub(alpha, a, b); }
  template <class T> RL_FN static T grad0(T g, T, T, T alpha, T) { return -times(g, conj(alpha)); }
  template <class T> RL_FN static T grad1(T g, T, T, T, T) { return g; }
};

struct Mul {
  static constexpr const char* schema = "mul.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Numbers numbers = Numbers::Both;
  static constexpr const char* doc =
      "self * other, elementwise and broadcast; on bool it is logical and.\n\n"
      ">>> torch.mul(torch.tensor([1., 2.]), 3)\ntensor([3., 6.])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kAll;
  template <class T> RL_FN static T forward(T a, T b) { return times(a, b); }
  template <class T> RL_FN static T grad0(T g, T, T b, T) { return times(g, conj(b)); }
  template <class T> RL_FN static T grad1(T g, T a, T, T) { return times(g, conj(a)); }
};

struct Div {
  static constexpr const char* schema = "div.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Numbers numbers = Numbers::Both;
  static constexpr const char* doc =
      "self / other, elementwise and broadcast; integers give the default float dtype.\n\n"
      ">>> torch.div(torch.tensor([1, 2]), 4)\ntensor([0.2500, 0.5000])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T a, T b) { return over(a, b); }
  template <class T> RL_FN static T grad0(T g, T, T b, T) { return over(g, conj(b)); }
  template <class T> RL_FN static T grad1(T g, T a, T b, T) { return -times(g, conj(over(over(a, b), b))); }
};

struct DivFloor {
  static constexpr const char* schema = "div_floor(Tensor self, Tensor other) -> Tensor";
  static constexpr const char* doc =
      "floor(self / other) as Python's //: div with rounding_mode='floor', and floor_divide. The dtype is the promoted "
      "one; an integer divided by zero is a ZeroDivisionError.\n\n"
      ">>> torch.div(torch.tensor([-7, 7]), 2, rounding_mode='floor')\ntensor([-4,  3])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating;
  static constexpr bool integer_division = true;
  template <class T> RL_FN static T forward(T a, T b) { return div_floor(a, b); }
  template <class T>
    requires(is_float<T>)
  RL_MATH static T fast(T a, T b) {
    return div_floor_near(a, b);
  }
  template <class T>
    requires(is_float<T>)
  RL_MATH static bool slow(T a, T b) {
    return fmod_far(a, b);
  }
  template <class T> RL_FN static T grad0(T, T, T, T) { return T(0); }
  template <class T> RL_FN static T grad1(T, T, T, T) { return T(0); }
};

struct FloorDivide {
  static constexpr const char* schema = "floor_divide(Tensor self, Tensor other) -> Tensor";
  static constexpr Numbers numbers = Numbers::Both;
  static constexpr const char* doc =
      "Python's self // other, elementwise and broadcast. Not differentiable; an integer divided by zero is a "
      "ZeroDivisionError.\n\n"
      ">>> torch.floor_divide(torch.tensor([-7, 7]), 2)\ntensor([-4,  3])\n";
  static constexpr bool no_derivative = true;
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating;
  static constexpr bool integer_division = true;
  template <class T> RL_FN static T forward(T a, T b) { return div_floor(a, b); }
  template <class T>
    requires(is_float<T>)
  RL_MATH static T fast(T a, T b) {
    return div_floor_near(a, b);
  }
  template <class T>
    requires(is_float<T>)
  RL_MATH static bool slow(T a, T b) {
    return fmod_far(a, b);
  }
};

struct DivTrunc {
  static constexpr const char* schema = "div_trunc(Tensor self, Tensor other) -> Tensor";
  static constexpr const char* doc =
      "trunc(self / other) as C's integer division: div with rounding_mode='trunc'.\n\n"
      ">>> torch.div(torch.tensor([-7, 7]), 2, rounding_mode='trunc')\ntensor([-3,  3])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating;
  static constexpr bool integer_division = true;
  template <class T> RL_FN static T forward(T a, T b) { return div_trunc(a, b); }
  template <class T> RL_FN static T grad0(T, T, T, T) { return T(0); }
  template <class T> RL_FN static T grad1(T, T, T, T) { return T(0); }
};

struct Remainder {
  static constexpr const char* schema = "remainder.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Numbers numbers = Numbers::Either;
  static constexpr const char* doc =
      "Python's self % other: the result has the sign of other.\n\n"
      ">>> torch.remainder(torch.tensor([-3, 3]), 2)\ntensor([1, 1])\n";
  static constexpr const char* backward_versions = "110";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating;
  static constexpr bool integer_division = true;
  template <class T> RL_FN static T forward(T a, T b) { return mod_floor(a, b); }
  template <class T>
    requires(is_float<T>)
  RL_MATH static T fast(T a, T b) {
    return mod_floor_near(a, b);
  }
  template <class T>
    requires(is_float<T>)
  RL_MATH static bool slow(T a, T b) {
    return fmod_far(a, b);
  }
  template <class T> RL_FN static T grad0(T g, T, T, T) { return g; }
  template <class T> RL_FN static T grad1(T g, T a, T b, T) { return -g * div_floor(a, b); }
};

struct Fmod {
  static constexpr const char* schema = "fmod.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Numbers numbers = Numbers::Last;
  static constexpr const char* doc =
      "C's fmod: self - other * trunc(self / other), with the sign of self.\n\n"
      ">>> torch.fmod(torch.tensor([-3, 3]), 2)\ntensor([-1,  1])\n";
  static constexpr const char* backward_versions = "110";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating;
  static constexpr bool integer_division = true;
  template <class T> RL_FN static T forward(T a, T b) { return mod_trunc(a, b); }
  template <class T>
    requires(is_float<T>)
  RL_MATH static T fast(T a, T b) {
    return fmod_near(a, b);
  }
  template <class T>
    requires(is_float<T>)
  RL_MATH static bool slow(T a, T b) {
    return fmod_far(a, b);
  }
  template <class T> RL_FN static T grad0(T g, T, T, T) { return g; }
  template <class T> RL_FN static T grad1(T g, T a, T b, T) { return -g * div_trunc(a, b); }
};

struct Neg {
  static constexpr const char* schema = "neg(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "-self; not for bool (use ~).\n\n>>> torch.neg(torch.tensor([1, -2]))\ntensor([-1,  2])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return negative(x); }
  template <class T> RL_FN static T grad0(T g, T, T) { return -g; }
};

struct Square {
  static constexpr const char* schema = "square(Tensor self) -> Tensor";
  static constexpr const char* doc = "self * self.\n\n>>> torch.square(torch.tensor([-2., 3.]))\ntensor([4., 9.])\n";
  static constexpr const char* backward_name = "PowBackward0";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating | kComplex | kBool;
  template <class T> RL_FN static T forward(T x) { return times(x, x); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return times(g, conj(x + x)); }
};

struct Cube {
  static constexpr const char* schema = "cube(Tensor self) -> Tensor";
  static constexpr const char* doc = "self ** 3 (internal: what pow with exponent 3 runs).";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return times(times(x, x), x); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return times(g, conj(times(T(3), times(x, x)))); }
};

struct Sqrt {
  static constexpr const char* schema = "sqrt(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Square root; NaN for negative real input.\n\n>>> torch.sqrt(torch.tensor([4., 9.]))\ntensor([2., 3.])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return sqrt(x); }
  template <class T> RL_FN static T grad0(T g, T, T y) { return g / conj(y + y); }
};

struct Rsqrt {
  static constexpr const char* schema = "rsqrt(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "1 / sqrt(self).\n\n>>> torch.rsqrt(torch.tensor([4., 16.]))\ntensor([0.5000, 0.2500])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return T(1) / sqrt(x); }
  template <class T> RL_FN static T grad0(T g, T, T y) { return T(-0.5) * g * conj(y * y * y); }
};

struct Reciprocal {
  static constexpr const char* schema = "reciprocal(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "1 / self.\n\n>>> torch.reciprocal(torch.tensor([4., -2.]))\ntensor([ 0.2500, -0.5000])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return T(1) / x; }
  template <class T> RL_FN static T grad0(T g, T, T y) { return -g * conj(y * y); }
};

struct Pow {
  static constexpr const char* schema = "pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor";
  static constexpr const char* doc =
      "self ** exponent, elementwise and broadcast. Integers to a negative integer power are an error.\n\n"
      ">>> torch.pow(torch.tensor([2., 3.]), torch.tensor([3., 2.]))\ntensor([8., 9.])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating | kComplex;
  static constexpr bool no_negative_power = true;
  template <class T> RL_FN static T forward(T a, T b) { return pow(a, b); }
  template <class T> RL_FN static T grad0(T g, T a, T b, T) {
    return where(b == T(0), T(0), g * conj(b * pow(a, b - T(1))));
  }
  template <class T> RL_FN static T grad1(T g, T a, T b, T y) {
    auto re = real(b);
    return where((a == T(0)) & (re >= decltype(re)(0)), T(0), g * conj(y * log(a)));
  }
};

struct PowTensorScalar {
  static constexpr const char* schema = "pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor";
  static constexpr const char* doc =
      "self ** exponent with a number as exponent.\n\n>>> torch.pow(torch.tensor([2., 3.]), 3)\ntensor([ 8., 27.])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating | kComplex;
  static constexpr bool no_negative_power = true, spread_scalar = true;
  template <class T> RL_FN static T forward(T a, T b) { return pow(a, b); }
  template <class T> RL_FN static T grad0(T g, T a, T b, T) {
    return where(b == T(0), T(0), g * conj(b * pow(a, b - T(1))));
  }
};

struct PowScalarTensor {
  static constexpr const char* schema = "pow.Scalar(Scalar self, Tensor exponent) -> Tensor";
  static constexpr const char* doc =
      "number ** exponent.\n\n>>> torch.pow(2, torch.tensor([1., 3.]))\ntensor([2., 8.])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating | kComplex;
  static constexpr bool no_negative_power = true, spread_scalar = true;
  // The exponent is the Tensor, so it comes first.
  template <class T> RL_FN static T forward(T b, T a) { return pow(a, b); }
  template <class T> RL_FN static T grad0(T g, T b, T a, T y) {
    auto re = real(b);
    return where((a == T(0)) & (re >= decltype(re)(0)), T(0), g * conj(y * log(a)));
  }
};

struct Addcmul {
  static constexpr const char* schema =
      "addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor";
  static constexpr const char* doc =
      "self + value * tensor1 * tensor2, broadcast.\n\n"
      ">>> torch.addcmul(torch.ones(2), torch.tensor([1., 2.]), torch.tensor([3., 4.]), value=2)\ntensor([ 7., 17.])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating | kComplex;
  template <class T> RL_FN static T forward(T x, T a, T b, T v) { return plus(x, times(times(v, a), b)); }
  template <class T> RL_FN static T grad0(T g, T, T, T, T, T) { return g; }
  template <class T> RL_FN static T grad1(T g, T, T, T b, T v, T) { return g * conj(b * v); }
  template <class T> RL_FN static T grad2(T g, T, T a, T, T v, T) { return g * conj(a * v); }
};

struct Addcdiv {
  static constexpr const char* schema =
      "addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor";
  static constexpr const char* doc =
      "self + value * tensor1 / tensor2, broadcast; floating and complex dtypes.\n\n"
      ">>> torch.addcdiv(torch.ones(2), torch.tensor([1., 2.]), torch.tensor([2., 4.]))\ntensor([1.5000, 1.5000])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x, T a, T b, T v) { return x + v * a / b; }
  template <class T> RL_FN static T grad0(T g, T, T, T, T, T) { return g; }
  template <class T> RL_FN static T grad1(T g, T, T, T b, T v, T) { return g * conj(v / b); }
  template <class T> RL_FN static T grad2(T g, T, T a, T b, T v, T) { return -g * conj((v * a) / (b * b)); }
};

struct Lerp {
  static constexpr const char* schema = "lerp.Tensor(Tensor self, Tensor end, Tensor weight) -> Tensor";
  static constexpr const char* doc =
      "self + weight * (end - self), computed from the nearer end so that weight 1 gives end exactly.\n\n"
      ">>> torch.lerp(torch.zeros(2), torch.tensor([1., 10.]), torch.tensor([0.5, 0.1]))\ntensor([0.5000, 1.0000])\n";
  static constexpr const char* backward_name = "LerpBackward1";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T a, T b, T w) {
    auto m = abs(w);
    return where(m < decltype(m)(0.5), a + w * (b - a), b - (b - a) * (T(1) - w));
  }
  template <class T> RL_FN static T grad0(T g, T, T, T w, T) { return g * conj(T(1) - w); }
  template <class T> RL_FN static T grad1(T g, T, T, T w, T) { return g * conj(w); }
  template <class T> RL_FN static T grad2(T g, T a, T b, T, T) { return g * conj(b - a); }
};

struct LerpScalar {
  static constexpr const char* schema = "lerp.Scalar(Tensor self, Tensor end, Scalar weight) -> Tensor";
  static constexpr const char* doc =
      "self + weight * (end - self) with a number as weight.\n\n"
      ">>> torch.lerp(torch.zeros(2), torch.tensor([1., 10.]), 0.5)\ntensor([0.5000, 5.0000])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T a, T b, T w) { return Lerp::forward(a, b, w); }
  template <class T> RL_FN static T grad0(T g, T, T, T w, T) { return g * conj(T(1) - w); }
  template <class T> RL_FN static T grad1(T g, T, T, T w, T) { return g * conj(w); }
};

struct Maximum {
  static constexpr const char* schema = "maximum(Tensor self, Tensor other) -> Tensor";
  static constexpr const char* doc =
      "The larger of two, elementwise; NaN if either is NaN. Equal operands share the gradient.\n\n"
      ">>> torch.maximum(torch.tensor([1, 5]), torch.tensor([3, 2]))\ntensor([3, 5])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kReal;
  template <class T> RL_FN static T forward(T a, T b) { return where((a > b) | (a != a), a, b); }
  template <class T> RL_FN static T grad0(T g, T a, T b, T) { return where(a < b, T(0), where(a == b, g * T(0.5), g)); }
  template <class T> RL_FN static T grad1(T g, T a, T b, T) { return where(a > b, T(0), where(a == b, g * T(0.5), g)); }
};

struct Minimum {
  static constexpr const char* schema = "minimum(Tensor self, Tensor other) -> Tensor";
  static constexpr const char* doc =
      "The smaller of two, elementwise; NaN if either is NaN. Equal operands share the gradient.\n\n"
      ">>> torch.minimum(torch.tensor([1, 5]), torch.tensor([3, 2]))\ntensor([1, 2])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kReal;
  template <class T> RL_FN static T forward(T a, T b) { return where((a < b) | (a != a), a, b); }
  template <class T> RL_FN static T grad0(T g, T a, T b, T) { return where(a > b, T(0), where(a == b, g * T(0.5), g)); }
  template <class T> RL_FN static T grad1(T g, T a, T b, T) { return where(a < b, T(0), where(a == b, g * T(0.5), g)); }
};

struct Fmax {
  static constexpr const char* schema = "fmax(Tensor self, Tensor other) -> Tensor";
  static constexpr const char* doc =
      "The larger of two, elementwise; a NaN loses against a number.\n\n"
      ">>> torch.fmax(torch.tensor([1., float('nan')]), torch.tensor([3., 2.]))\ntensor([3., 2.])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kReal;
  template <class T> RL_FN static T forward(T a, T b) { return where((a > b) | (b != b), a, b); }
  template <class T> RL_FN static T grad0(T g, T a, T b, T) { return where((a >= b) | (b != b), g, T(0)); }
  template <class T> RL_FN static T grad1(T g, T a, T b, T) { return where((a >= b) | (b != b), T(0), g); }
};

struct Fmin {
  static constexpr const char* schema = "fmin(Tensor self, Tensor other) -> Tensor";
  static constexpr const char* doc =
      "The smaller of two, elementwise; a NaN loses against a number.\n\n"
      ">>> torch.fmin(torch.tensor([1., float('nan')]), torch.tensor([3., 2.]))\ntensor([1., 2.])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kReal;
  template <class T> RL_FN static T forward(T a, T b) { return where((a < b) | (b != b), a, b); }
  template <class T> RL_FN static T grad0(T g, T a, T b, T) { return where((a <= b) | (b != b), g, T(0)); }
  template <class T> RL_FN static T grad1(T g, T a, T b, T) { return where((a <= b) | (b != b), T(0), g); }
};

struct Clamp {
  static constexpr const char* schema = "clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor";
  static constexpr const char* doc =
      "min(max(self, min), max) with numbers as bounds; either may be None. If min > max, every element becomes max.\n\n"
      ">>> torch.clamp(torch.tensor([-2., 0.5, 3.]), min=-1, max=1)\ntensor([-1.0000,  0.5000,  1.0000])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating;
  template <class T> RL_FN static T forward(T x, T lo, T hi) {
    T up = where(x < lo, lo, x);
    return where(up > hi, hi, up);
  }
  template <class T> RL_FN static T grad0(T g, T x, T lo, T hi, T) { return where((x >= lo) & (x <= hi), g, T(0)); }
};

struct ClampMin {
  static constexpr const char* schema = "clamp_min(Tensor self, Scalar min) -> Tensor";
  static constexpr const char* doc =
      "Elements below min become min.\n\n>>> torch.clamp(torch.tensor([-2., 3.]), min=0)\ntensor([0., 3.])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating;
  template <class T> RL_FN static T forward(T x, T lo) { return where(x < lo, lo, x); }
  template <class T> RL_FN static T grad0(T g, T x, T lo, T) { return where(x >= lo, g, T(0)); }
};

struct ClampMax {
  static constexpr const char* schema = "clamp_max(Tensor self, Scalar max) -> Tensor";
  static constexpr const char* doc =
      "Elements above max become max.\n\n>>> torch.clamp(torch.tensor([-2., 3.]), max=0)\ntensor([-2.,  0.])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating;
  template <class T> RL_FN static T forward(T x, T hi) { return where(x > hi, hi, x); }
  template <class T> RL_FN static T grad0(T g, T x, T hi, T) { return where(x <= hi, g, T(0)); }
};

struct ClampTensor {
  static constexpr const char* schema = "clamp.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor";
  static constexpr const char* doc = "clamp with tensors as bounds, broadcast. A NaN bound gives NaN.";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating;
  template <class T> RL_FN static T forward(T x, T lo, T hi) {
    T up = where((x < lo) | (lo != lo), lo, x);
    return where(((up > hi) & !(lo != lo)) | (hi != hi), hi, up);
  }
  template <class T> RL_FN static T grad0(T g, T x, T lo, T hi, T) { return where((x >= lo) & (x <= hi), g, T(0)); }
  template <class T> RL_FN static T grad1(T g, T x, T lo, T hi, T) { return where((lo < hi) & (x < lo), g, T(0)); }
  template <class T> RL_FN static T grad2(T g, T x, T lo, T hi, T) { return where((x > hi) | (hi < lo), g, T(0)); }
};

using ArithmeticOps = List<Add, Sub, Rsub, Mul, Div, DivFloor, FloorDivide, DivTrunc, Remainder, Fmod, Neg, Square,
                           Cube, Sqrt, Rsqrt, Reciprocal, Pow, PowTensorScalar, PowScalarTensor, Addcmul, Addcdiv, Lerp,
                           LerpScalar, Maximum, Minimum, Fmax, Fmin, Clamp, ClampMin, ClampMax, ClampTensor>;

static_assert(grad_uses<Mul, 0>() == 0b101);
static_assert(grad_uses<Mul, 1>() == 0b11);
static_assert(grad_uses<Add, 0>() == 0b1);
static_assert(grad_uses<Sqrt, 0>() == 0b101);
static_assert(!has_grad<FloorDivide, 0>() && has_grad<Lerp, 2>());

}  // namespace rl::pointwise
