// Trigonometric and hyperbolic functions.
#pragma once

#include "kernels/pointwise/expr.h"
#include "kernels/pointwise/math.h"

namespace rl::pointwise {

struct Sin {
  static constexpr const char* schema = "sin(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Sine of an angle in radians.\n\n"
      ">>> torch.sin(torch.tensor([0., 1.]))\ntensor([0.0000, 0.8415])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return sin(x); }
  RL_MATH static double fast(double x) { return sin_fast(x); }
  RL_MATH static bool slow(double x) { return !(abs(x) < trig_limit); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return g * conj(cos(x)); }
};

struct Cos {
  static constexpr const char* schema = "cos(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Cosine of an angle in radians.\n\n"
      ">>> torch.cos(torch.tensor([0., 1.]))\ntensor([1.0000, 0.5403])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return cos(x); }
  RL_MATH static double fast(double x) { return cos_fast(x); }
  RL_MATH static bool slow(double x) { return !(abs(x) < trig_limit); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return -g * conj(sin(x)); }
};

struct Tan {
  static constexpr const char* schema = "tan(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Tangent of an angle in radians.\n\n"
      ">>> torch.tan(torch.tensor([0., 1.]))\ntensor([0.0000, 1.5574])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return tan(x); }
  RL_MATH static double fast(double x) { return tan_fast(x); }
  RL_MATH static bool slow(double x) { return !(abs(x) < trig_limit); }
  template <class T> RL_FN static T grad0(T g, T, T y) { return g * conj(T(1) + y * y); }
};

struct Asin {
  static constexpr const char* schema = "asin(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Inverse sine, in [-pi/2, pi/2]; NaN outside [-1, 1]. Also arcsin.\n\n"
      ">>> torch.asin(torch.tensor([0., 1.]))\ntensor([0.0000, 1.5708])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return asin(x); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return g * conj(rsqrt(T(1) - x * x)); }
};

struct Acos {
  static constexpr const char* schema = "acos(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Inverse cosine, in [0, pi]; NaN outside [-1, 1]. Also arccos.\n\n"
      ">>> torch.acos(torch.tensor([0., 1.]))\ntensor([1.5708, 0.0000])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return acos(x); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return -g * conj(rsqrt(T(1) - x * x)); }
};

struct Atan {
  static constexpr const char* schema = "atan(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Inverse tangent, in [-pi/2, pi/2]. Also arctan.\n\n"
      ">>> torch.atan(torch.tensor([0., 1.]))\ntensor([0.0000, 0.7854])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return atan(x); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return g / conj(x * x + T(1)); }
};

struct Sinh {
  static constexpr const char* schema = "sinh(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Hyperbolic sine.\n\n"
      ">>> torch.sinh(torch.tensor([0., 1.]))\ntensor([0.0000, 1.1752])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return sinh(x); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return g * conj(cosh(x)); }
};

struct Cosh {
  static constexpr const char* schema = "cosh(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Hyperbolic cosine.\n\n"
      ">>> torch.cosh(torch.tensor([0., 1.]))\ntensor([1.0000, 1.5431])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return cosh(x); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return g * conj(sinh(x)); }
};

struct Tanh {
  static constexpr const char* schema = "tanh(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Hyperbolic tangent.\n\n"
      ">>> torch.tanh(torch.tensor([0., 1.]))\ntensor([0.0000, 0.7616])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return tanh(x); }
  template <class T> RL_FN static T grad0(T g, T, T y) { return g * conj(T(1) - y * y); }
};

struct Asinh {
  static constexpr const char* schema = "asinh(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Inverse hyperbolic sine. Also arcsinh.\n\n"
      ">>> torch.asinh(torch.tensor([0., 1.]))\ntensor([0.0000, 0.8814])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return asinh(x); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return g * conj(rsqrt(x * x + T(1))); }
};

struct Acosh {
  static constexpr const char* schema = "acosh(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Inverse hyperbolic cosine; NaN below 1. Also arccosh.\n\n"
      ">>> torch.acosh(torch.tensor([1., 2.]))\ntensor([0.0000, 1.3170])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return acosh(x); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return g * conj(rsqrt((x - T(1)) * (x + T(1)))); }
};

struct Atanh {
  static constexpr const char* schema = "atanh(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Inverse hyperbolic tangent; infinite at -1 and 1, NaN outside. Also arctanh.\n\n"
      ">>> torch.atanh(torch.tensor([0., 0.5]))\ntensor([0.0000, 0.5493])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return atanh(x); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return g / conj(T(1) - x * x); }
};

struct Sinc {
  static constexpr const char* schema = "sinc(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "sin(pi * self) / (pi * self), 1 at 0.\n\n"
      ">>> torch.sinc(torch.tensor([0., 0.5]))\ntensor([1.0000, 0.6366])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) {
    T p = x * T(kPi);
    return where(x == T(0), T(1), sin(p) / p);
  }
  template <class T> RL_FN static T grad0(T g, T x, T) {
    T p = x * T(kPi);
    return where(p * x == T(0), T(0), g * conj((p * cos(p) - sin(p)) / (p * x)));
  }
};

struct Atan2 {
  static constexpr const char* schema = "atan2(Tensor self, Tensor other) -> Tensor";
  static constexpr const char* doc =
      "The angle of the point (other, self), in [-pi, pi]. Also arctan2.\n\n"
      ">>> torch.atan2(torch.tensor([1., -1.]), torch.tensor([1., -1.]))\ntensor([ 0.7854, -2.3562])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T a, T b) { return atan2(a, b); }
  template <class T> RL_FN static T grad0(T g, T a, T b, T) {
    T r = a * a + b * b;
    return where(r == T(0), T(0), g * (b / r));
  }
  template <class T> RL_FN static T grad1(T g, T a, T b, T) {
    T r = a * a + b * b;
    return where(r == T(0), T(0), g * (-a / r));
  }
};

struct Hypot {
  static constexpr const char* schema = "hypot(Tensor self, Tensor other) -> Tensor";
  static constexpr const char* doc =
      "sqrt(self**2 + other**2), without overflow.\n\n"
      ">>> torch.hypot(torch.tensor([3.]), torch.tensor([4.]))\ntensor([5.])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T a, T b) { return hypot(a, b); }
  template <class T> RL_FN static T grad0(T g, T a, T, T y) { return g * (a / y); }
  template <class T> RL_FN static T grad1(T g, T, T b, T y) { return g * (b / y); }
};

struct Deg2Rad {
  static constexpr const char* schema = "deg2rad(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Degrees to radians.\n\n>>> torch.deg2rad(torch.tensor([180.]))\ntensor([3.1416])\n";
  static constexpr const char* backward_name = "Deg2RadBackward0";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return x * T(kPi / 180); }
  template <class T> RL_FN static T grad0(T g, T, T) { return g * T(kPi / 180); }
};

struct Rad2Deg {
  static constexpr const char* schema = "rad2deg(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Radians to degrees.\n\n>>> torch.rad2deg(torch.tensor([1.]))\ntensor([57.2958])\n";
  static constexpr const char* backward_name = "Rad2DegBackward0";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return x * T(180 / kPi); }
  template <class T> RL_FN static T grad0(T g, T, T) { return g * T(180 / kPi); }
};

using TrigOps =
    List<Sin, Cos, Tan, Asin, Acos, Atan, Sinh, Cosh, Tanh, Asinh, Acosh, Atanh, Sinc, Atan2, Hypot, Deg2Rad, Rad2Deg>;

static_assert(grad_uses<Tanh, 0>() == 0b101 && grad_uses<Sin, 0>() == 0b11);

}  // namespace rl::pointwise
