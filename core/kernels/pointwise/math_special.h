// Special functions: computed in double for float too; these need not vectorise.
#pragma once

#include "kernels/pointwise/math_elementary.h"
#include "kernels/pointwise/math_libm.h"

namespace rl::math {

RL_MATH double sin_pi(double x) {  // sin(pi x)
  double n = rint(x);
  double y = sin((x - n) * kPi);
  return fmod_exact(n, 2.0) != 0 ? -y : y;
}

RL_MATH double digamma(double x) {
  if (x == 0) return copysign(kInf, -x);
  double result = 0;
  if (x < 0) {
    if (x == floor(x)) return kNaN;
    double r = x - trunc(x);
    result = -kPi / tan(kPi * r);
    x = 1 - x;
  }
  while (x < 10) {
    result -= 1 / x;
    x += 1;
  }
  // log x - 1/(2x) - sum B_2k / (2k x^2k)
  double z = 1 / (x * x);
  double tail = z * poly(z, 1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12);
  return x < kInf ? result + log(x) - 0.5 / x - tail : result + x;
}
RL_MATH float digamma(float x) { return static_cast<float>(digamma(static_cast<double>(x))); }

// Hurwitz zeta: sum over k of (k + q)^-x, by Euler-Maclaurin summation.
RL_MATH double zeta(double x, double q) {
  if (x == 1) return kInf;
  if (x < 1 || x != x || q != q) return kNaN;
  if (q <= 0) {
    if (q == floor(q)) return kInf;
    if (x != floor(x) || q < -1e7) return kNaN;
  }
  double sum = 0, a = q;
  for (int i = 0; i < 9 || a <= 9; ++i) {
    double term = pow(a, -x);
    sum += term;
    a += 1;
    if (abs(term) < 1e-17 * abs(sum)) return sum;
  }
  double w = pow(a, -x);
  sum += w * a / (x - 1) + 0.5 * w;
  // B_2j / (2j)! times the falling derivatives of a^-x.
  double factor = x, power = w / a;
  const double coefficient[12] = {1.0 / 12,
                                  -1.0 / 720,
                                  1.0 / 30240,
                                  -1.0 / 1209600,
                                  1.0 / 47900160,
                                  -691.0 / 1307674368000.0,
                                  1.0 / 74724249600.0,
                                  -3617.0 / 10670622842880000.0,
                                  43867.0 / 5109094217170944000.0,
                                  -174611.0 / 802857662698291200000.0,
                                  77683.0 / 14101100039391805440000.0,
                                  -236364091.0 / 1693824136731743669452800000.0};
  double k = 0;
  for (int i = 0; i < 12; ++i) {
    double t = factor * power * coefficient[i];
    sum += t;
    if (abs(t) < 1e-17 * abs(sum)) break;
    factor *= (x + k + 1) * (x + k + 2);
    power /= a * a;
    k += 2;
  }
  return sum;
}
RL_MATH float zeta(float x, float q) {
  return static_cast<float>(zeta(static_cast<double>(x), static_cast<double>(q)));
}

RL_MATH double trigamma(double x) {
  double sign = 1, result = 0;
  if (x < 0.5) {
    double s = sin_pi(x);
    sign = -1;
    result = -(kPi * kPi) / (s * s);
    x = 1 - x;
  }
  for (int i = 0; i < 10; ++i) {
    result += 1 / (x * x);
    x += 1;
  }
  double z = 1 / (x * x);
  result += (1 + 0.5 / x + z * poly(z, 1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30, 5.0 / 66, -691.0 / 2730)) / x;
  return sign * result;
}
// The n-th derivative of digamma.
template <class T>
  requires(is_float<T>)
RL_MATH T polygamma(T xt, T nt) {
  double x = xt, n = nt;
  if (n == 0) return static_cast<T>(digamma(x));
  if (n == 1) return static_cast<T>(trigamma(x));
  double factorial = 1;
  for (double k = 2; k <= n && k < 172; k += 1) factorial *= k;  // beyond that it is infinite
  double z = factorial * zeta(n + 1, x);
  return static_cast<T>(fmod_exact(n, 2.0) != 0 ? z : -z);
}

RL_MATH double erfcx(double x) {
  if (x < 0.5) return exp(x * x) * erfc(x);
  if (x > 26) {
    double z = 1 / (x * x);
    return kInvSqrtPi / x * poly(z, 1.0, -0.5, 0.75, -1.875, 6.5625);
  }
  return erfcx_times((x - 2) / (x + 2)) / (2 * x + 1);
}
RL_MATH float erfcx(float x) { return static_cast<float>(erfcx(static_cast<double>(x))); }

// y with erfc(y) = q, for 0 < q < 1: Halley's method on a good start.
RL_MATH double erfc_inverse(double q) {
  double w = -log(q * (2 - q));
  double y = w > 10 ? sqrt(w - 0.5 * log(kPi * w)) : static_cast<double>(erfinv(static_cast<float>(1 - q)));
  int steps = w > 10 ? 3 : 2;
  for (int i = 0; i < steps; ++i) {
    double f = (q - erfc(y)) * exp(y * y) * (1 / (2 * kInvSqrtPi));
    y -= f / (1 + y * f);
  }
  return y;
}
RL_MATH double erfinv(double x) {
  double a = abs(x);
  if (!(a < 1)) return a == 1 ? x * kInf : kNaN;
  if (a > 0.5) return copysign(erfc_inverse(1 - a), x);
  double y = static_cast<double>(erfinv(static_cast<float>(x)));
  double f = (erf(y) - x) * exp(y * y) * (1 / (2 * kInvSqrtPi));
  y -= f / (1 + y * f);
  return a < 1e-100 ? x * (0.5 / kInvSqrtPi) : y;
}
template <class T>
  requires(is_float<T>)
RL_MATH T ndtr(T x) {
  T z = x * T(kInvSqrt2);
  return z < T(-1) ? T(0.5) * erfc(-z) : T(0.5) * (T(1) + erf(z));
}
template <class T>
  requires(is_float<T>)
RL_MATH T ndtri(T pt) {
  double p = pt;
  if (p == 0) return T(-kInf);
  if (p == 1) return T(kInf);
  if (!(p > 0 && p < 1)) return T(kNaN);
  if (p < 0.25) return static_cast<T>(-kSqrt2 * erfc_inverse(2 * p));
  if (p > 0.75) return static_cast<T>(kSqrt2 * erfc_inverse(2 * (1 - p)));
  return static_cast<T>(kSqrt2 * erfinv(2 * p - 1));
}
template <class T>
  requires(is_float<T>)
RL_MATH T log_ndtr(T xt) {
  double x = xt, z = x * kInvSqrt2;
  return static_cast<T>(x < -1 ? log(erfcx(-z) / 2) - z * z : log1p(-erfc(z) / 2));
}

// Modified Bessel functions I0 and I1 times exp(-|x|): the power series, then the asymptotic one.
RL_MATH double bessel_i_scaled(double x, int order) {
  double a = abs(x);
  double sum = 1, term = 1;
  if (a < 20) {
    double z = a * a / 4;
    for (double k = 1; k < 80; k += 1) {
      term *= z / (k * (k + order));
      sum += term;
      if (term < 1e-17 * sum) break;
    }
    sum *= exp(-a) * (order != 0 ? a / 2 : 1);
  } else {
    double mu = 4.0 * order;
    for (double k = 1; k < 40; k += 1) {
      double odd = 2 * k - 1;
      term *= (odd * odd - mu) / (8 * a * k);
      sum += term;
      if (abs(term) < 1e-17) break;
    }
    sum *= kInvSqrt2Pi / sqrt(a);
    sum = a == kInf ? 0 : sum;
  }
  return (order != 0) & (x < 0) ? -sum : x != x ? x : sum;
}
template <class T>
  requires(is_float<T>)
RL_MATH T i0e(T x) {
  return static_cast<T>(bessel_i_scaled(x, 0));
}
template <class T>
  requires(is_float<T>)
RL_MATH T i1e(T x) {
  return static_cast<T>(bessel_i_scaled(x, 1));
}
template <class T> RL_MATH T bessel_i(T xt, int order) {
  double x = xt, a = abs(x);
  double half = exp(0.5 * a);  // in two steps, so that exp does not overflow first
  double y = a == kInf ? kInf : bessel_i_scaled(a, order) * half * half;
  return static_cast<T>((order != 0) & (x < 0) ? -y : y);
}
template <class T>
  requires(is_float<T>)
RL_MATH T i0(T x) {
  return bessel_i(x, 0);
}
template <class T>
  requires(is_float<T>)
RL_MATH T i1(T x) {
  return bessel_i(x, 1);
}

// K_n(x) exp(x) = integral of exp(-x (cosh t - 1)) cosh(n t): the trapezoid rule converges exponentially.
RL_MATH double bessel_k_scaled(double x, int order) {
  if (x == 0) return kInf;
  if (!(x > 0)) return kNaN;
  if (x > 20) {
    double series = 1, part = 1, mu = 4.0 * order;
    for (double k = 1; k < 40; k += 1) {
      part *= (mu - (2 * k - 1) * (2 * k - 1)) / (8 * x * k);
      series += part;
      if (abs(part) < 1e-17) break;
    }
    return sqrt(kPi / (2 * x)) * series;
  }
  constexpr double h = 0.125;
  double sum = 0.5;
  for (double t = h; t < 800; t += h) {
    double s = sinh(0.5 * t);
    double term = exp(-2 * x * s * s) * (order != 0 ? cosh(t) : 1.0);
    sum += term;
    if (term < 1e-18 * sum) break;
  }
  return sum * h;
}

// Airy's Ai: its power series around 0; sqrt(x/3) K_{1/3}(2/3 x^1.5) / pi to the right; its asymptotic series far out.
RL_MATH double airy_ai(double x) {
  if (x != x || abs(x) == kInf) return kNaN;
  if (x > -7 && x < 3) {
    double cube = x * x * x, f = 1, g = x, sum_f = f, sum_g = g;
    for (double k = 3; k < 200; k += 3) {
      f *= cube / (k * (k - 1));
      g *= cube / (k * (k + 1));
      sum_f += f;
      sum_g += g;
      if (abs(f) + abs(g) < 1e-18) break;
    }
    return 0.355028053887817239 * sum_f - 0.258819403792806798 * sum_g;
  }
  double z = abs(x), root = sqrt(z), zeta = z * root * (2.0 / 3.0);
  if (x > 0 && zeta < 20) {
    constexpr double h = 0.125;
    double sum = 0.5;
    for (double t = h; t < 20; t += h) {
      double s = sinh(0.5 * t);
      double term = exp(-2 * zeta * s * s) * cosh(t / 3);
      sum += term;
      if (term < 1e-18 * sum) break;
    }
    return sqrt(z / 3) / kPi * exp(-zeta) * sum * h;
  }
  double part = 1, even = 1, odd = 0;
  for (double k = 1; k < 24; k += 1) {
    part *= (6 * k - 5) * (6 * k - 3) * (6 * k - 1) / (216 * k * (2 * k - 1)) / zeta;
    bool is_odd = trunc(k * 0.5) * 2 != k;
    // Signs: alternating to the right; by pairs to the left, where even and odd terms go with sine and cosine.
    double turn = trunc(k * 0.5), flip = trunc(turn * 0.5) * 2 != turn ? -1 : 1;
    double term = part * (x > 0 ? 1.0 : flip);
    (is_odd ? odd : even) += term;
    if (part < 1e-17) break;
  }
  if (x > 0) return exp(-zeta) * (even - odd) / (2 * sqrt(kPi * root));
  double angle = zeta + kPi / 4;
  return (sin(angle) * even - cos(angle) * odd) / sqrt(kPi * root);
}

// Regularised incomplete gamma functions: P(a, x) by its series, Q(a, x) by a continued fraction (Lentz).
RL_MATH double gamma_factor(double a, double x) { return exp(a * log(x) - x - lgamma(a)); }
RL_MATH double igamma_series(double a, double x) {
  double sum = 1, term = 1;
  for (double k = 1; k < 5000; k += 1) {
    term *= x / (a + k);
    sum += term;
    if (term < 1e-17 * sum) break;
  }
  return sum / a * gamma_factor(a, x);
}
RL_MATH double igammac_fraction(double a, double x) {
  double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
  for (double k = 1; k < 5000; k += 1) {
    double an = -k * (k - a);
    b += 2;
    d = an * d + b;
    d = abs(d) < 1e-300 ? 1e300 : 1 / d;
    c = b + an / c;
    c = abs(c) < 1e-300 ? 1e-300 : c;
    h *= c * d;
    if (abs(c * d - 1) < 1e-16) break;
  }
  return h * gamma_factor(a, x);
}
template <class T>
  requires(is_float<T>)
RL_MATH T igamma(T at, T xt) {
  double a = at, x = xt;
  if (!(a >= 0) || !(x >= 0) || (a == 0 && x == 0) || (a == kInf && x == kInf)) return T(kNaN);
  if (a == 0 || x == kInf) return T(1);
  if (x == 0 || a == kInf) return T(0);
  return static_cast<T>(x > 1 && x > a ? 1 - igammac_fraction(a, x) : igamma_series(a, x));
}
template <class T>
  requires(is_float<T>)
RL_MATH T igammac(T at, T xt) {
  double a = at, x = xt;
  if (!(a >= 0) || !(x >= 0) || (a == 0 && x == 0) || (a == kInf && x == kInf)) return T(kNaN);
  if (a == 0 || x == kInf) return T(0);
  if (x == 0 || a == kInf) return T(1);
  return static_cast<T>(x > 1 && x > a ? igammac_fraction(a, x) : 1 - igamma_series(a, x));
}

// Orthogonal polynomials by p_{k+1} = (A(k) x + B(k)) p_k - C(k) p_{k-1}, from p_0 = 1 and a given p_1.
template <class T, class Step> RL_MATH T recurrence(T n, T p1, Step step) {
  n = trunc(n);
  if (n < T(0)) return T(0);
  T before = T(1), p = p1;
  if (n < T(1)) return before;
  T last = n < T(1000000) ? n : T(1000000);  // so that a huge or infinite degree ends
  for (T k = T(1); k + T(1) <= last; k += T(1)) {
    T next = step(k, p, before);
    before = p;
    p = next;
  }
  return p;
}

}  // namespace rl::math
