// Special functions.
//
// Glue for the engine: special.erf, expit, exp2, ... are aliases; polygamma's order n comes second here; mvlgamma and multigammaln
// are Python; the polynomials take n as a tensor or a number.
#pragma once

#include "kernels/pointwise/expr.h"
#include "kernels/pointwise/math.h"

namespace rl::pointwise {

struct Erf {
  static constexpr const char* schema = "erf(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Error function, 2/sqrt(pi) times the integral of exp(-t**2) from 0 to self.\n\n"
      ">>> torch.erf(torch.tensor([0., 1.]))\ntensor([0.0000, 0.8427])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return erf(x); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return g * (T(2 * kInvSqrtPi) * exp(-(x * x))); }
};

struct Erfc {
  static constexpr const char* schema = "erfc(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "1 - erf(self), without loss of digits for large self.\n\n"
      ">>> torch.erfc(torch.tensor([0., 1.]))\ntensor([1.0000, 0.1573])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return erfc(x); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return g * (T(-2 * kInvSqrtPi) * exp(-(x * x))); }
};

struct Erfcx {
  static constexpr const char* schema = "special_erfcx(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "exp(self**2) * erfc(self).\n\n"
      ">>> torch.special.erfcx(torch.tensor([0., 1.]))\ntensor([1.0000, 0.4276])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return erfcx(x); }
  template <class T> RL_FN static T grad0(T g, T x, T y) { return (T(2) * x * y - T(2 * kInvSqrtPi)) * g; }
};

struct Erfinv {
  static constexpr const char* schema = "erfinv(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "The inverse of erf, on (-1, 1).\n\n"
      ">>> torch.erfinv(torch.tensor([0., 0.5]))\ntensor([0.0000, 0.4769])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return erfinv(x); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return g * (T(0.5 / kInvSqrtPi) * exp(square(erfinv(x)))); }
};

struct Ndtr {
  static constexpr const char* schema = "special_ndtr(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "The normal distribution function.\n\n"
      ">>> torch.special.ndtr(torch.tensor([0., 1.]))\ntensor([0.5000, 0.8413])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return ndtr(x); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return g * (T(kInvSqrt2Pi) * exp(T(-0.5) * x * x)); }
};

struct Ndtri {
  static constexpr const char* schema = "special_ndtri(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "The normal quantile: the inverse of ndtr.\n\n"
      ">>> torch.special.ndtri(torch.tensor([0.5, 0.975]))\ntensor([0.0000, 1.9600])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return ndtri(x); }
  template <class T> RL_FN static T grad0(T g, T, T y) { return g * (T(1 / kInvSqrt2Pi) * exp(T(0.5) * y * y)); }
};

struct LogNdtr {
  static constexpr const char* schema = "special_log_ndtr(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "log(ndtr(self)), without underflow.\n\n"
      ">>> torch.special.log_ndtr(torch.tensor([0., 1.]))\ntensor([-0.6931, -0.1728])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return log_ndtr(x); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return g * (T(kSqrt2OverPi) / erfcx(x * T(-kInvSqrt2))); }
};

struct Lgamma {
  static constexpr const char* schema = "lgamma(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "log(|Gamma(self)|). Also special.gammaln.\n\n"
      ">>> torch.lgamma(torch.tensor([1., 2.5]))\ntensor([0.0000, 0.2847])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return lgamma(x); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return g * digamma(x); }
};

struct Digamma {
  static constexpr const char* schema = "digamma(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "The derivative of lgamma. Also special.psi.\n\n"
      ">>> torch.digamma(torch.tensor([1., 2.5]))\ntensor([-0.5772,  0.7032])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return digamma(x); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return g * polygamma(x, T(1)); }
};

struct Polygamma {
  static constexpr const char* schema = "polygamma(int n, Tensor self) -> Tensor";
  static constexpr const char* doc =
      "The n-th derivative of digamma.\n\n"
      ">>> torch.polygamma(1, torch.tensor([1., 2.5]))\ntensor([1.6449, 0.4904])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T n) { return polygamma(x, n); }
  template <class T> RL_FN static T grad0(T g, T x, T n, T) { return g * polygamma(x, n + T(1)); }
};

struct Zeta {
  static constexpr bool no_derivative = true;
  static constexpr const char* schema = "special_zeta(Tensor self, Tensor other) -> Tensor";
  static constexpr Numbers numbers = Numbers::Either;
  static constexpr const char* doc =
      "Hurwitz zeta: the sum of (k + other)**-self over k = 0, 1, ...\n\n"
      ">>> torch.special.zeta(torch.tensor([2., 3.]), torch.tensor([1., 1.]))\ntensor([1.6449, 1.2021])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T q) { return zeta(x, q); }
  template <class T> RL_FN static T grad1(T g, T x, T q, T) { return -g * x * zeta(x + T(1), q); }
};

struct I0 {
  static constexpr const char* schema = "i0(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Modified Bessel function of order 0. Also special.modified_bessel_i0.\n\n"
      ">>> torch.i0(torch.tensor([0., 1.]))\ntensor([1.0000, 1.2661])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return i0(x); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return g * i1(x); }
};

struct I0e {
  static constexpr const char* schema = "special_i0e(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "exp(-|self|) * i0(self).\n\n"
      ">>> torch.special.i0e(torch.tensor([0., 1.]))\ntensor([1.0000, 0.4658])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return i0e(x); }
  template <class T> RL_FN static T grad0(T g, T x, T y) { return g * (i1e(x) - sgn(x) * y); }
};

struct I1 {
  static constexpr const char* schema = "special_i1(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Modified Bessel function of order 1.\n\n"
      ">>> torch.special.i1(torch.tensor([0., 1.]))\ntensor([0.0000, 0.5652])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return i1(x); }
  template <class T> RL_FN static T grad0(T g, T x, T y) {
    return g * where(x == T(0), T(0.5), i0(x) - y / where(x == T(0), T(1), x));
  }
};

struct I1e {
  static constexpr const char* schema = "special_i1e(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "exp(-|self|) * i1(self).\n\n"
      ">>> torch.special.i1e(torch.tensor([0., 1.]))\ntensor([0.0000, 0.2079])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return i1e(x); }
  template <class T> RL_FN static T grad0(T g, T x, T y) {
    return g * where(x == T(0), T(0.5), i0e(x) - (y * sgn(x) + y / where(x == T(0), T(1), x)));
  }
};

struct AiryAi {
  static constexpr const char* schema = "special_airy_ai(Tensor x) -> Tensor";
  static constexpr const char* doc =
      "Airy function Ai.\n\n>>> torch.special.airy_ai(torch.tensor([0., 1.]))\ntensor([0.3550, 0.1353])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return static_cast<T>(airy_ai(static_cast<double>(x))); }
};

struct BesselJ0 {
  static constexpr const char* schema = "special_bessel_j0(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Bessel function of the first kind of order 0.\n\n"
      ">>> torch.special.bessel_j0(torch.tensor([1., 2.5]))\ntensor([ 0.7652, -0.0484])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return bessel_j0(x); }
};

struct BesselJ1 {
  static constexpr const char* schema = "special_bessel_j1(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Bessel function of the first kind of order 1.\n\n"
      ">>> torch.special.bessel_j1(torch.tensor([1., 2.5]))\ntensor([0.4401, 0.4971])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return bessel_j1(x); }
};

struct BesselY0 {
  static constexpr const char* schema = "special_bessel_y0(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Bessel function of the second kind of order 0.\n\n"
      ">>> torch.special.bessel_y0(torch.tensor([1., 2.5]))\ntensor([0.0883, 0.4981])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return bessel_y0(x); }
};

struct BesselY1 {
  static constexpr const char* schema = "special_bessel_y1(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Bessel function of the second kind of order 1.\n\n"
      ">>> torch.special.bessel_y1(torch.tensor([1., 2.5]))\ntensor([-0.7812,  0.1459])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return bessel_y1(x); }
};

struct ModifiedBesselI0 {
  static constexpr const char* schema = "special_modified_bessel_i0(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Modified Bessel function of the first kind of order 0.\n\n"
      ">>> torch.special.modified_bessel_i0(torch.tensor([1., 2.5]))\ntensor([1.2661, 3.2898])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return i0(x); }
};

struct ModifiedBesselK0 {
  static constexpr const char* schema = "special_modified_bessel_k0(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Modified Bessel function of the second kind of order 0.\n\n"
      ">>> torch.special.modified_bessel_k0(torch.tensor([1., 2.5]))\ntensor([0.4210, 0.0623])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) {
    return static_cast<T>(bessel_k_scaled(x, 0) * exp(-static_cast<double>(x)));
  }
};

struct ScaledModifiedBesselK0 {
  static constexpr const char* schema = "special_scaled_modified_bessel_k0(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "exp(self) * modified_bessel_k0(self).\n\n"
      ">>> torch.special.scaled_modified_bessel_k0(torch.tensor([1., 2.5]))\ntensor([1.1445, 0.7595])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return static_cast<T>(bessel_k_scaled(x, 0)); }
};

struct ModifiedBesselI1 {
  static constexpr const char* schema = "special_modified_bessel_i1(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Modified Bessel function of the first kind of order 1.\n\n"
      ">>> torch.special.modified_bessel_i1(torch.tensor([1., 2.5]))\ntensor([0.5652, 2.5167])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return i1(x); }
};

struct ModifiedBesselK1 {
  static constexpr const char* schema = "special_modified_bessel_k1(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Modified Bessel function of the second kind of order 1.\n\n"
      ">>> torch.special.modified_bessel_k1(torch.tensor([1., 2.5]))\ntensor([0.6019, 0.0739])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) {
    return static_cast<T>(bessel_k_scaled(x, 1) * exp(-static_cast<double>(x)));
  }
};

struct ScaledModifiedBesselK1 {
  static constexpr const char* schema = "special_scaled_modified_bessel_k1(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "exp(self) * modified_bessel_k1(self).\n\n"
      ">>> torch.special.scaled_modified_bessel_k1(torch.tensor([1., 2.5]))\ntensor([1.6362, 0.9002])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return static_cast<T>(bessel_k_scaled(x, 1)); }
};

struct SphericalBesselJ0 {
  static constexpr const char* schema = "special_spherical_bessel_j0(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "sin(self) / self, 1 at 0.\n\n"
      ">>> torch.special.spherical_bessel_j0(torch.tensor([1., 2.5]))\ntensor([0.8415, 0.2394])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return where(x == T(0), T(1), where(isinf(x), T(0), sin(x) / x)); }
};

struct Igamma {
  static constexpr const char* schema = "igamma(Tensor self, Tensor other) -> Tensor";
  static constexpr const char* doc =
      "Lower regularised incomplete gamma function P(self, other). Also special.gammainc.\n\n"
      ">>> torch.igamma(torch.tensor([1., 2.]), torch.tensor([1., 2.]))\ntensor([0.6321, 0.5940])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr bool no_derivative = true;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T a, T x) { return igamma(a, x); }
  template <class T> RL_FN static T grad1(T g, T a, T x, T) { return g * exp((a - T(1)) * log(x) - x - lgamma(a)); }
};

struct Igammac {
  static constexpr const char* schema = "igammac(Tensor self, Tensor other) -> Tensor";
  static constexpr const char* doc =
      "Upper regularised incomplete gamma function Q(self, other). Also special.gammaincc.\n\n"
      ">>> torch.igammac(torch.tensor([1., 2.]), torch.tensor([1., 2.]))\ntensor([0.3679, 0.4060])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr bool no_derivative = true;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T a, T x) { return igammac(a, x); }
  template <class T> RL_FN static T grad1(T g, T a, T x, T) { return -g * exp((a - T(1)) * log(x) - x - lgamma(a)); }
};

struct ChebyshevT {
  static constexpr const char* schema = "special_chebyshev_polynomial_t(Tensor x, Tensor n) -> Tensor";
  static constexpr Numbers numbers = Numbers::Either;
  static constexpr const char* doc =
      "Chebyshev polynomial of the first kind of degree n at x.\n\n"
      ">>> torch.special.chebyshev_polynomial_t(torch.tensor([0.5, 2.]), torch.tensor([2., 3.]))\ntensor([-0.5000, 26.0000])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T n) {
    return recurrence(n, x, [x]([[maybe_unused]] T k, T p, T q) { return T(2) * x * p - q; });
  }
};

struct ChebyshevU {
  static constexpr const char* schema = "special_chebyshev_polynomial_u(Tensor x, Tensor n) -> Tensor";
  static constexpr Numbers numbers = Numbers::Either;
  static constexpr const char* doc =
      "Chebyshev polynomial of the second kind of degree n at x.\n\n"
      ">>> torch.special.chebyshev_polynomial_u(torch.tensor([0.5, 2.]), torch.tensor([2., 3.]))\ntensor([ 0., 56.])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T n) {
    return recurrence(n, x + x, [x]([[maybe_unused]] T k, T p, T q) { return T(2) * x * p - q; });
  }
};

struct ChebyshevV {
  static constexpr const char* schema = "special_chebyshev_polynomial_v(Tensor x, Tensor n) -> Tensor";
  static constexpr Numbers numbers = Numbers::Either;
  static constexpr const char* doc =
      "Chebyshev polynomial of the third kind of degree n at x.\n\n"
      ">>> torch.special.chebyshev_polynomial_v(torch.tensor([0.5, 2.]), torch.tensor([2., 3.]))\ntensor([-1., 41.])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T n) {
    return recurrence(n, x + x - T(1), [x]([[maybe_unused]] T k, T p, T q) { return T(2) * x * p - q; });
  }
};

struct ChebyshevW {
  static constexpr const char* schema = "special_chebyshev_polynomial_w(Tensor x, Tensor n) -> Tensor";
  static constexpr Numbers numbers = Numbers::Either;
  static constexpr const char* doc =
      "Chebyshev polynomial of the fourth kind of degree n at x.\n\n"
      ">>> torch.special.chebyshev_polynomial_w(torch.tensor([0.5, 2.]), torch.tensor([2., 3.]))\ntensor([ 1., 71.])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T n) {
    return recurrence(n, x + x + T(1), [x]([[maybe_unused]] T k, T p, T q) { return T(2) * x * p - q; });
  }
};

struct ShiftedChebyshevT {
  static constexpr const char* schema = "special_shifted_chebyshev_polynomial_t(Tensor x, Tensor n) -> Tensor";
  static constexpr Numbers numbers = Numbers::Either;
  static constexpr const char* doc =
      "Chebyshev polynomial of the first kind of degree n at 2 x - 1, for x in [0, 1].\n\n"
      ">>> torch.special.shifted_chebyshev_polynomial_t(torch.tensor([0., 0.5, 1.]), 2)\ntensor([ 1., -1.,  1.])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T n) { return ChebyshevT::forward(x + x - T(1), n); }
};

struct ShiftedChebyshevU {
  static constexpr const char* schema = "special_shifted_chebyshev_polynomial_u(Tensor x, Tensor n) -> Tensor";
  static constexpr Numbers numbers = Numbers::Either;
  static constexpr const char* doc =
      "Chebyshev polynomial of the second kind of degree n at 2 x - 1, for x in [0, 1].\n\n"
      ">>> torch.special.shifted_chebyshev_polynomial_u(torch.tensor([0., 0.5, 1.]), 2)\ntensor([ 3., -1.,  3.])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T n) { return ChebyshevU::forward(x + x - T(1), n); }
};

struct ShiftedChebyshevV {
  static constexpr const char* schema = "special_shifted_chebyshev_polynomial_v(Tensor x, Tensor n) -> Tensor";
  static constexpr Numbers numbers = Numbers::Either;
  static constexpr const char* doc =
      "Chebyshev polynomial of the third kind of degree n at 2 x - 1, for x in [0, 1].\n\n"
      ">>> torch.special.shifted_chebyshev_polynomial_v(torch.tensor([0., 0.5, 1.]), 2)\ntensor([ 5., -1.,  1.])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T n) { return ChebyshevV::forward(x + x - T(1), n); }
};

struct ShiftedChebyshevW {
  static constexpr const char* schema = "special_shifted_chebyshev_polynomial_w(Tensor x, Tensor n) -> Tensor";
  static constexpr Numbers numbers = Numbers::Either;
  static constexpr const char* doc =
      "Chebyshev polynomial of the fourth kind of degree n at 2 x - 1, for x in [0, 1].\n\n"
      ">>> torch.special.shifted_chebyshev_polynomial_w(torch.tensor([0., 0.5, 1.]), 2)\ntensor([ 1., -1.,  5.])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T n) { return ChebyshevW::forward(x + x - T(1), n); }
};

struct HermiteH {
  static constexpr const char* schema = "special_hermite_polynomial_h(Tensor x, Tensor n) -> Tensor";
  static constexpr Numbers numbers = Numbers::Either;
  static constexpr const char* doc =
      "Physicist's Hermite polynomial of degree n at x.\n\n"
      ">>> torch.special.hermite_polynomial_h(torch.tensor([0.5, 2.]), torch.tensor([2., 3.]))\ntensor([-1., 40.])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T n) {
    return recurrence(n, x + x, [x]([[maybe_unused]] T k, T p, T q) { return T(2) * (x * p - k * q); });
  }
};

struct HermiteHe {
  static constexpr const char* schema = "special_hermite_polynomial_he(Tensor x, Tensor n) -> Tensor";
  static constexpr Numbers numbers = Numbers::Either;
  static constexpr const char* doc =
      "Probabilist's Hermite polynomial of degree n at x.\n\n"
      ">>> torch.special.hermite_polynomial_he(torch.tensor([0.5, 2.]), torch.tensor([2., 3.]))\ntensor([-0.7500,  2.0000])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T n) {
    return recurrence(n, x, [x]([[maybe_unused]] T k, T p, T q) { return x * p - k * q; });
  }
};

struct LaguerreL {
  static constexpr const char* schema = "special_laguerre_polynomial_l(Tensor x, Tensor n) -> Tensor";
  static constexpr Numbers numbers = Numbers::Either;
  static constexpr const char* doc =
      "Laguerre polynomial of degree n at x.\n\n"
      ">>> torch.special.laguerre_polynomial_l(torch.tensor([0.5, 2.]), torch.tensor([2., 3.]))\ntensor([ 0.1250, -0.3333])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T n) {
    return recurrence(n, T(1) - x,
                      [x]([[maybe_unused]] T k, T p, T q) { return ((k + k + T(1) - x) * p - k * q) / (k + T(1)); });
  }
};

struct LegendreP {
  static constexpr const char* schema = "special_legendre_polynomial_p(Tensor x, Tensor n) -> Tensor";
  static constexpr Numbers numbers = Numbers::Either;
  static constexpr const char* doc =
      "Legendre polynomial of degree n at x.\n\n"
      ">>> torch.special.legendre_polynomial_p(torch.tensor([0.5, 2.]), torch.tensor([2., 3.]))\ntensor([-0.1250, 17.0000])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T n) {
    return recurrence(n, x,
                      [x]([[maybe_unused]] T k, T p, T q) { return ((k + k + T(1)) * x * p - k * q) / (k + T(1)); });
  }
};

using SpecialOps =
    List<Erf, Erfc, Erfcx, Erfinv, Ndtr, Ndtri, LogNdtr, Lgamma, Digamma, Polygamma, Zeta, I0, I0e, I1, I1e, BesselJ0,
         BesselJ1, BesselY0, BesselY1, ModifiedBesselI0, ModifiedBesselK0, ScaledModifiedBesselK0, ModifiedBesselI1,
         ModifiedBesselK1, ScaledModifiedBesselK1, SphericalBesselJ0, Igamma, Igammac, ChebyshevT, ChebyshevU,
         ChebyshevV, ChebyshevW, HermiteH, HermiteHe, LaguerreL, LegendreP, AiryAi, ShiftedChebyshevT,
         ShiftedChebyshevU, ShiftedChebyshevV, ShiftedChebyshevW>;

static_assert(grad_uses<Erf, 0>() == 0b11 && grad_uses<Ndtri, 0>() == 0b101);

}  // namespace rl::pointwise
