// Parts of complex numbers. real and imag as views of memory, view_as_real and resolve_conj are the engine's.
#pragma once

#include "kernels/pointwise/expr.h"
#include "kernels/pointwise/math.h"

namespace rl::pointwise {

struct Real {
  static constexpr const char* schema = "real(Tensor self) -> Tensor";
  static constexpr const char* doc = "The real part.\n\n>>> torch.real(torch.tensor([1+2j, 3-1j]))\ntensor([1., 3.])\n";
  static constexpr Rule rule = Rule::RealOfComplex;
  static constexpr unsigned types = kAll;
  template <class T> RL_FN static auto forward(T x) { return real(x); }
  template <class G, class T> RL_FN static T grad0(G g, T, G) { return T(g); }
};

struct Imag {
  static constexpr const char* schema = "imag(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "The imaginary part.\n\n>>> torch.imag(torch.tensor([1+2j, 3-1j]))\ntensor([ 2., -1.])\n";
  static constexpr Rule rule = Rule::RealOfComplex;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static auto forward(T x) { return imag(x); }
  template <class G, class T> RL_FN static T grad0(G g, T, G) { return times_i(T(g)); }
};

struct Conj {
  static constexpr const char* schema = "conj_physical(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "The complex conjugate; a real tensor is unchanged.\n\n"
      ">>> torch.conj_physical(torch.tensor([1+2j, 3-1j]))\ntensor([1.-2.j, 3.+1.j])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kAll;
  template <class T> RL_FN static T forward(T x) { return conj(x); }
  template <class T> RL_FN static T grad0(T g, T, T) { return conj(g); }
};

struct TimesI {
  static constexpr const char* schema = "times_i(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "i * self for complex dtypes, 0 for real ones (internal: gradients of angles use it).";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return times_i(x); }
  template <class T> RL_FN static T grad0(T g, T, T) { return -times_i(g); }
};

struct Angle {
  static constexpr const char* schema = "angle(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "The angle of a complex number, in radians; of a real number 0 or, if negative, pi.\n\n"
      ">>> torch.angle(torch.tensor([1+1j, -1+0j]))\ntensor([0.7854, 3.1416])\n";
  static constexpr Rule rule = Rule::RealOfComplex;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static auto forward(T x) {
    if constexpr (math::is_cplx<T>)
      return atan2(x.imag(), x.real());
    else
      return where(x != x, x, where(x < T(0), T(kPi), T(0)));
  }
  // d arg z = Im(dz / z): the gradient is g * i z / |z|^2; zero for real dtypes.
  template <class G, class T> RL_FN static T grad0(G g, T x, G) {
    auto m = abs(x);
    return where(m == decltype(m)(0), T(0), T(g) * times_i(x) / T(m) / T(m));
  }
};

struct Complex {
  static constexpr const char* schema = "complex(Tensor real, Tensor imag) -> Tensor";
  static constexpr const char* doc =
      "real + i * imag.\n\n>>> torch.complex(torch.tensor([1.]), torch.tensor([2.]))\ntensor([1.+2.j])\n";
  static constexpr Rule rule = Rule::ComplexOfReal;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static Pair<T> forward(T a, T b) { return {a, b}; }
  template <class C, class T> RL_FN static auto grad0(C g, T, T, C) { return real(g); }
  template <class C, class T> RL_FN static auto grad1(C g, T, T, C) { return imag(g); }
};

struct Polar {
  static constexpr const char* schema = "polar(Tensor abs, Tensor angle) -> Tensor";
  static constexpr const char* doc =
      "abs * (cos(angle) + i * sin(angle)).\n\n"
      ">>> torch.polar(torch.tensor([2.]), torch.tensor([0.]))\ntensor([2.+0.j])\n";
  static constexpr Rule rule = Rule::ComplexOfReal;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static Pair<T> forward(T r, T a) { return {r * cos(a), r * sin(a)}; }
  template <class C, class T> RL_FN static auto grad0(C g, T, T a, C) { return real(g) * cos(a) + imag(g) * sin(a); }
  template <class C, class T> RL_FN static auto grad1(C g, T r, T a, C) {
    return r * (imag(g) * cos(a) - real(g) * sin(a));
  }
};

using ComplexOps = List<Real, Imag, Conj, TimesI, Angle, Complex, Polar>;

}  // namespace rl::pointwise
