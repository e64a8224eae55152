// Arithmetic that is the same for every element type: wrapping integers, bool, Python's and C's division, rounding,
// classification of floats, complex products.
#pragma once

#include "kernels/pointwise/platform.h"

namespace rl::math {

// Sums and products: bool is or/and, integers wrap, complex products are the plain formula.
template <class T>
  requires(!is_expr<T>)
RL_FN T plus(T a, T b) {
  if constexpr (is_bool<T>)
    return a | b;
  else if constexpr (is_int<T>)
    return static_cast<T>(static_cast<wrap_t<T>>(a) + static_cast<wrap_t<T>>(b));
  else
    return a + b;
}
template <class T>
  requires(!is_expr<T>)
RL_FN T minus(T a, T b) {
  if constexpr (is_bool<T>)
    return a ^ b;
  else if constexpr (is_int<T>)
    return static_cast<T>(static_cast<wrap_t<T>>(a) - static_cast<wrap_t<T>>(b));
  else
    return a - b;
}
template <class T>
  requires(!is_expr<T>)
RL_FN T times(T a, T b) {
  if constexpr (is_bool<T>)
    return a & b;
  else if constexpr (is_int<T>)
    return static_cast<T>(static_cast<wrap_t<T>>(a) * static_cast<wrap_t<T>>(b));
  else if constexpr (is_cplx<T>)
    return T(a.real() * b.real() - a.imag() * b.imag(), a.real() * b.imag() + a.imag() * b.real());
  else
    return a * b;
}
template <class T>
  requires(!is_expr<T>)
RL_FN T muladd(T a, T b, T c) {  // a * b + c
  if constexpr (is_float<T>)
    return fma(a, b, c);
  else
    return plus(times(a, b), c);
}
template <class T>
  requires(!is_expr<T>)
RL_FN T mulsub(T a, T b, T c) {  // c - a * b
  if constexpr (is_float<T>)
    return fma(-a, b, c);
  else
    return minus(c, times(a, b));
}
template <class T>
  requires(!is_expr<T>)
RL_FN T negative(T x) {
  if constexpr (is_int<T>)
    return static_cast<T>(wrap_t<T>(0) - static_cast<wrap_t<T>>(x));
  else
    return -x;
}
// Complex quotients scale by the larger part of b (Smith's method), so that no intermediate overflows.
template <class T>
  requires(!is_expr<T>)
RL_FN T over(T a, T b) {
  if constexpr (is_cplx<T>) {
    using R = real_t<T>;
    R c = b.real(), d = b.imag();
    bool flip = (c < 0 ? -c : c) < (d < 0 ? -d : d);
    R big = flip ? d : c, ratio = (flip ? c : d) / big, scale = R(1) / (big + (flip ? c : d) * ratio);
    R u = flip ? a.imag() : a.real(), v = flip ? a.real() : a.imag();
    R im = v - u * ratio;
    R zero = R(0);
    bool none = (c == zero) & (d == zero);
    return T(none ? a.real() / zero : (u + v * ratio) * scale, none ? a.imag() / zero : (flip ? -im : im) * scale);
  } else {
    return a / b;
  }
}

template <class E>
  requires is_expr<E>
RL_FN E muladd(const E& a, const E& b, const E& c) {
  return a * b + c;
}
template <class E>
  requires is_expr<E>
RL_FN E mulsub(const E& a, const E& b, const E& c) {
  return c - a * b;
}
template <class E>
  requires is_expr<E>
RL_FN E negative(const E& x) {
  return -x;
}

// Bits of floats.
template <class T> struct Bits;
template <> struct Bits<float> {
  using U = u32;
  using I = i32;
  static constexpr U sign = 0x80000000u, magnitude = 0x7FFFFFFFu, inf = 0x7F800000u;
};
template <> struct Bits<double> {
  using U = u64;
  using I = i64;
  static constexpr U sign = 0x8000000000000000u, magnitude = 0x7FFFFFFFFFFFFFFFu, inf = 0x7FF0000000000000u;
};
template <class T> RL_FN typename Bits<T>::U bits(T x) { return bit_cast<typename Bits<T>::U>(x); }

template <class T>
  requires(is_float<T>)
RL_FN T copysign(T a, T b) {
  return bit_cast<T>((bits(a) & Bits<T>::magnitude) | (bits(b) & Bits<T>::sign));
}
template <class T>
  requires(is_number<T>)
RL_FN bool signbit(T x) {
  if constexpr (is_float<T>)
    return (bits(x) & Bits<T>::sign) != 0;
  else if constexpr (is_signed<T>)
    return x < T(0);
  else
    return false;
}
template <class T>
  requires(is_number<T>)
RL_FN T abs(T x) {
  if constexpr (is_float<T>)
    return bit_cast<T>(bits(x) & Bits<T>::magnitude);
  else if constexpr (is_signed<T>)
    return x < T(0) ? negative(x) : x;
  else
    return x;
}
template <class T>
  requires(is_number<T>)
RL_FN T sign(T x) {
  if constexpr (is_bool<T>)
    return x;
  else
    return static_cast<T>(static_cast<T>(T(0) < x) - static_cast<T>(x < T(0)));
}
template <class T>
  requires(is_number<T>)
RL_FN T sgn(T x) {
  return sign(x);
}
template <class T>
  requires(is_number<T>)
RL_FN T conj(T x) {
  return x;
}
template <class T>
  requires(is_number<T>)
RL_FN T real(T x) {
  return x;
}
template <class T>
  requires(is_number<T>)
RL_FN T imag(T) {
  return T(0);
}

template <class T>
  requires(is_number<T>)
RL_FN bool isnan(T x) {
  if constexpr (is_float<T>)
    return x != x;
  else
    return false;
}
template <class T>
  requires(is_number<T>)
RL_FN bool isinf(T x) {
  if constexpr (is_float<T>)
    return (bits(x) & Bits<T>::magnitude) == Bits<T>::inf;
  else
    return false;
}
template <class T>
  requires(is_number<T>)
RL_FN bool isfinite(T x) {
  if constexpr (is_float<T>)
    return (bits(x) & Bits<T>::magnitude) < Bits<T>::inf;
  else
    return true;
}

template <class T>
  requires(is_float<T>)
RL_FN T maximum(T a, T b) {
  return (a > b) | (a != a) ? a : b;
}
template <class T>
  requires(is_float<T>)
RL_FN T minimum(T a, T b) {
  return (a < b) | (a != a) ? a : b;
}

template <class T>
  requires(is_float<T>)
RL_FN T rsqrt(T x) {
  return T(1) / sqrt(x);
}
template <class T>
  requires(is_float<T>)
RL_FN T square(T x) {
  return x * x;
}
template <class T>
  requires(is_float<T>)
RL_FN T reciprocal(T x) {
  return T(1) / x;
}

// Division of integers: a divisor of 0 gives 0 (the engine has raised an error by then); dividing by -1 is a wrapping
// negation, since the smallest integer has no counterpart.
template <class T>
  requires(is_number<T>)
RL_FN T div_trunc(T a, T b) {
  if constexpr (is_float<T>) {
    return trunc(a / b);
  } else if constexpr (is_signed<T>) {
    T safe = b == T(0) || b == T(-1) ? T(1) : b;
    T q = static_cast<T>(a / safe);
    return b == T(0) ? T(0) : b == T(-1) ? negative(a) : q;
  } else {
    T safe = b == T(0) ? T(1) : b;
    return b == T(0) ? T(0) : static_cast<T>(a / safe);
  }
}
template <class T>
  requires(is_number<T>)
RL_FN T mod_trunc(T a, T b) {
  if constexpr (is_float<T>) {
    return fmod_exact(a, b);
  } else if constexpr (is_signed<T>) {
    T safe = b == T(0) || b == T(-1) ? T(1) : b;
    return static_cast<T>(a % safe);
  } else {
    T safe = b == T(0) ? T(1) : b;
    return b == T(0) ? T(0) : static_cast<T>(a % safe);
  }
}
// fmod where the quotient is known to its last digit or the one before: r = a - q b is exact there.
template <class T> RL_MATH bool fmod_far(T a, T b) {
  constexpr T limit = sizeof(T) == 8 ? T(0x1p51) : T(0x1p22);
  return !((abs(a / b) < limit) & (abs(b) < T(kInf)));
}
template <class T> RL_MATH T fmod_near(T a, T b) {
  T q = trunc(a / b);
  T r = fma(-q, b, a);
  bool over = (r != T(0)) & ((r < T(0)) != (a < T(0)));
  return copysign(over ? r + copysign(b, a) : r, a);
}
template <class T> RL_FN T mod_floor_of(T b, T r) { return (r != T(0)) & ((r < T(0)) != (b < T(0))) ? r + b : r; }
// From the exact remainder, as Python does: floor(a / b) alone would be off where the quotient rounds up.
template <class T> RL_FN T div_floor_of(T a, T b, T r) {
  T q = (a - r) / b;
  q = (r != T(0)) & ((b < T(0)) != (r < T(0))) ? q - T(1) : q;
  T f = floor(q);
  f = q - f > T(0.5) ? f + T(1) : f;
  T whole = q != T(0) ? f : copysign(T(0), a / b);
  return b == T(0) ? a / b : whole;
}
template <class T> RL_MATH T mod_floor_near(T a, T b) { return mod_floor_of(b, fmod_near(a, b)); }
template <class T> RL_MATH T div_floor_near(T a, T b) { return div_floor_of(a, b, fmod_near(a, b)); }
template <class T>
  requires(is_number<T>)
RL_FN T mod_floor(T a, T b) {
  if constexpr (is_float<T>) {
    return mod_floor_of(b, fmod_exact(a, b));
  } else {
    T r = mod_trunc(a, b);
    if constexpr (is_signed<T>)
      return (r != T(0)) & ((r < T(0)) != (b < T(0))) ? static_cast<T>(r + b) : r;
    else
      return r;
  }
}
template <class T>
  requires(is_number<T>)
RL_FN T div_floor(T a, T b) {
  if constexpr (is_float<T>) {
    return div_floor_of(a, b, fmod_exact(a, b));
  } else if constexpr (is_signed<T>) {
    T q = div_trunc(a, b);
    T r = mod_trunc(a, b);
    return (r != T(0)) & ((r < T(0)) != (b < T(0))) ? static_cast<T>(q - 1) : q;
  } else {
    return div_trunc(a, b);
  }
}
// Integer powers by squaring; a negative exponent gives what exact division would (1, -1 or 0).
template <class T>
  requires(is_int<T>)
RL_FN T pow(T base, T e) {
  T result = 1;
  if constexpr (is_signed<T>) {
    if (e < 0) return base == T(1) ? T(1) : base == T(-1) ? ((e & 1) != 0 ? T(-1) : T(1)) : T(0);
  }
  while (e != 0) {
    if ((e & 1) != 0) result = times(result, base);
    base = times(base, base);
    e = static_cast<T>(e / 2);
  }
  return result;
}

template <class T>
  requires(is_int<T>)
RL_FN T gcd(T a, T b) {
  a = abs(a);
  b = abs(b);
  while (b != 0) {
    T r = mod_trunc(a, b);
    a = b;
    b = r;
  }
  return a;
}
template <class T>
  requires(is_int<T>)
RL_FN T lcm(T a, T b) {
  T g = gcd(a, b);
  return g == 0 ? T(0) : abs(times(div_trunc(a, g), b));
}

// Shifts: by the width or more (or a negative count) everything is shifted out.
template <class T>
  requires(is_int<T>)
RL_FN T shift_left(T a, T n) {
  constexpr int width = sizeof(T) * 8;
  bool out = (n < T(0)) | (n >= T(width));
  return out ? T(0) : static_cast<T>(static_cast<wrap_t<T>>(a) << (static_cast<unsigned>(n) & (width - 1)));
}
template <class T>
  requires(is_int<T>)
RL_FN T shift_right(T a, T n) {
  constexpr int width = sizeof(T) * 8;
  bool out = (n < T(0)) | (n >= T(width));
  unsigned most = is_signed<T> ? width - 1 : width;
  if constexpr (is_signed<T>)
    return static_cast<T>(a >> (out ? most : static_cast<unsigned>(n) & (width - 1)));
  else
    return out ? T(0) : static_cast<T>(a >> (static_cast<unsigned>(n) & (width - 1)));
}

// The next representable value after a in the direction of b.
template <class T>
  requires(is_float<T>)
RL_FN T nextafter(T a, T b) {
  using B = Bits<T>;
  using U = typename B::U;
  U u = bits(a);
  bool away = (b > a) == (a > T(0));  // the magnitude grows
  T moved = bit_cast<T>(away ? u + 1 : u - 1);
  T from_zero = bit_cast<T>((bits(b) & B::sign) | U(1));
  T r = a == T(0) ? from_zero : moved;
  r = a == b ? b : r;
  return (a != a) | (b != b) ? a + b : r;
}

// i * x; a real number has no imaginary part, and here stands for the derivative of an angle, which is 0.
template <class T>
  requires(is_number<T>)
RL_FN T times_i(T) {
  return T(0);
}

#if !defined(__CUDACC_RTC__)
template <class R> RL_FN std::complex<R> times_i(std::complex<R> x) { return {-x.imag(), x.real()}; }

// Products and quotients by the plain formulas: the standard library's look for NaN on every call.
RL_FN std::complex<float> operator*(std::complex<float> a, std::complex<float> b) { return times(a, b); }
RL_FN std::complex<double> operator*(std::complex<double> a, std::complex<double> b) { return times(a, b); }
RL_FN std::complex<float> operator/(std::complex<float> a, std::complex<float> b) { return over(a, b); }
RL_FN std::complex<double> operator/(std::complex<double> a, std::complex<double> b) { return over(a, b); }
template <class R> RL_MATH std::complex<R> complex_pow(std::complex<R> a, std::complex<R> b) {
  std::complex<R> zero;
  if (b == zero) return R(1);
  if (a == zero && b.imag() == 0 && b.real() > 0) return zero;
  return std::pow(a, b);
}
RL_MATH std::complex<float> pow(std::complex<float> a, std::complex<float> b) { return complex_pow(a, b); }
RL_MATH std::complex<double> pow(std::complex<double> a, std::complex<double> b) { return complex_pow(a, b); }

// Complex numbers: what the standard library lacks.
template <class R> RL_FN std::complex<R> sgn(std::complex<R> x) {
  R m = std::abs(x);
  return m == R(0) ? std::complex<R>() : x / m;
}
template <class R> RL_FN bool isnan(std::complex<R> x) { return isnan(x.real()) | isnan(x.imag()); }
template <class R> RL_FN bool isinf(std::complex<R> x) { return isinf(x.real()) | isinf(x.imag()); }
template <class R> RL_FN bool isfinite(std::complex<R> x) { return isfinite(x.real()) & isfinite(x.imag()); }
template <class R> RL_FN std::complex<R> exp2(std::complex<R> x) { return std::exp(x * R(kLn2)); }
template <class R> RL_FN std::complex<R> log2(std::complex<R> x) { return std::log(x) * R(1 / kLn2); }
template <class R> RL_FN std::complex<R> square(std::complex<R> x) { return times(x, x); }
template <class R> RL_FN std::complex<R> rsqrt(std::complex<R> x) { return over(std::complex<R>(1), std::sqrt(x)); }
template <class R> RL_FN std::complex<R> reciprocal(std::complex<R> x) { return over(std::complex<R>(1), x); }
template <class R> RL_FN std::complex<R> sigmoid(std::complex<R> x) { return R(1) / (R(1) + std::exp(-x)); }
template <class R> RL_FN std::complex<R> expm1(std::complex<R> x) {
  // exp(a + bi) - 1 = expm1(a) cos b + (cos b - 1) + i exp(a) sin b, and cos b - 1 = -2 sin(b/2)^2.
  R s = std::sin(x.imag() / 2);
  R re = std::expm1(x.real()) * std::cos(x.imag()) - 2 * s * s;
  return {re, std::exp(x.real()) * std::sin(x.imag())};
}
template <class R> RL_FN std::complex<R> log1p(std::complex<R> x) {
  // log|1 + z| = log1p(2a + a^2 + b^2) / 2 keeps its digits for small z.
  R a = x.real(), b = x.imag();
  std::complex<R> far = std::log(R(1) + x);
  R near = std::log1p(a * (2 + a) + b * b) / 2;
  return {(a < R(0.5)) & (a > R(-0.5)) & (b < R(0.5)) & (b > R(-0.5)) ? near : far.real(), far.imag()};
}
#endif

}  // namespace rl::math
