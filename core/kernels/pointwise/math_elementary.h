// Elementary functions of float and double: branch-free, so that plain loops over them vectorise, and the same bits on
// every machine. Polynomials are near-minimax fits; each function's bound was checked against higher precision
// (float: under 2 ulp; double: under 3).
#pragma once

#include "kernels/pointwise/math_basic.h"

namespace rl::math {

// c0 + x * (c1 + x * (c2 + ...))
template <class T> RL_MATH T poly(T, T c) { return c; }
template <class T, class... C> RL_MATH T poly(T x, T c, C... rest) { return fma(poly(x, T(rest)...), x, c); }

template <class T> struct Fp;
template <> struct Fp<float> {
  using F = float;
  using I = i32;
  using U = u32;
  static constexpr int mantissa = 23, bias = 127;
  static constexpr F round = 0x1.8p23f;  // adding it leaves the nearest integer in the low bits
  static constexpr U two_thirds = 0x3F2AAAABu;
  static constexpr F ln2_hi = 0x1.62e4p-1f, ln2_lo = 0x1.7f7d1cp-20f, log2e = 0x1.715476p+0f;
  static constexpr F log10_2_hi = 0x1.344p-2f, log10_2_lo = 0x1.3509f8p-18f;
  static constexpr F exp_min = -104, exp_max = 89, expm1_min = -18, exp2_min = -150, exp2_max = 129;
  static constexpr F min_normal = 0x1p-126f, up = 0x1p24f;
  static constexpr int up_log2 = 24;
  static constexpr F tanh_max = 10;
};
template <> struct Fp<double> {
  using F = double;
  using I = i64;
  using U = u64;
  static constexpr int mantissa = 52, bias = 1023;
  static constexpr F round = 0x1.8p52;
  static constexpr U two_thirds = 0x3FE5555555555555u;
  static constexpr F ln2_hi = 0x1.62e42fefa38p-1, ln2_lo = 0x1.ef35793c7673p-45, log2e = 0x1.71547652b82fep+0;
  static constexpr F log10_2_hi = 0x1.34413509f78p-2, log10_2_lo = 0x1.fef311f12b358p-46;
  static constexpr F exp_min = -746, exp_max = 710, expm1_min = -40, exp2_min = -1076, exp2_max = 1025;
  static constexpr F min_normal = 0x1p-1022, up = 0x1p54;
  static constexpr int up_log2 = 54;
  static constexpr F tanh_max = 22;
};

// 2^n for n in the range of normal exponents.
template <class T> RL_MATH T power_of_2(typename Fp<T>::I n) {
  using U = typename Fp<T>::U;
  return bit_cast<T>(static_cast<U>(static_cast<U>(n + Fp<T>::bias) << Fp<T>::mantissa));
}
// y * 2^n in two steps, so that results may overflow to infinity or be subnormal.
template <class T> RL_MATH T scale(T y, typename Fp<T>::I n) {
  typename Fp<T>::I half = n >> 1;
  return y * power_of_2<T>(half) * power_of_2<T>(n - half);
}
template <class T> RL_MATH T limit(T x, T lo, T hi) {  // keeps NaN
  x = x < lo ? lo : x;
  return x > hi ? hi : x;
}

RL_MATH float exp_tail(float r) {
  return poly(r, 0.5f, 0.1666657338f, 0.04166655011f, 0.008363773874f, 0.001392692661f);
}
RL_MATH double exp_tail(double r) {
  return poly(r, 0.5, 0.1666666666666667144, 0.04166666666666667007, 0.0083333333333255447, 0.001388888888888332668,
              0.0001984126987686435493, 0.00002480158732700718441, 2.755725283351690975e-6, 2.755727181022169258e-7,
              2.510627473357329469e-8, 2.091544229721830759e-9);
}

// x = n ln 2 + r with |r| <= ln 2 / 2; n is exact as an integer and as a float.
template <class T> struct ExpParts {
  typename Fp<T>::I n;
  T nf, r;
};
template <class T> RL_MATH ExpParts<T> exp_split(T x) {
  T shifted = fma(x, Fp<T>::log2e, Fp<T>::round);
  T nf = shifted - Fp<T>::round;
  using I = typename Fp<T>::I;
  I n = static_cast<I>(bits(shifted) - bits(Fp<T>::round));
  T r = fma(nf, -Fp<T>::ln2_hi, x);
  return {n, nf, fma(nf, -Fp<T>::ln2_lo, r)};
}
template <class T> RL_MATH T exp_biased(T x, int bias) {  // exp(x) * 2^bias
  auto p = exp_split(limit(x, Fp<T>::exp_min, Fp<T>::exp_max + T(1)));
  T y = T(1) + fma(p.r * p.r, exp_tail(p.r), p.r);
  return scale(y, p.n + bias);
}
template <class T>
  requires(is_float<T>)
RL_MATH T exp(T x) {
  return exp_biased(x, 0);
}
// exp(x), its very bits, for x <= 0 (or NaN): one exponent to build instead of two.
template <class T>
  requires(is_float<T>)
RL_MATH T exp_nonpositive(T x) {
  constexpr typename Fp<T>::I up = sizeof(T) == 8 ? 128 : 64;
  auto p = exp_split(x < Fp<T>::exp_min ? Fp<T>::exp_min : x);
  T y = T(1) + fma(p.r * p.r, exp_tail(p.r), p.r);
  return y * power_of_2<T>(p.n + up) * (sizeof(T) == 8 ? T(0x1p-128) : T(0x1p-64));
}

RL_MATH float exp2_tail(float r) {
  return poly(r, 0.6931471885f, 0.2402265076f, 0.05550354929f, 0.009618080665f, 0.001339201741f, 0.0001545416209f);
}
RL_MATH double exp2_tail(double r) {
  return poly(r, 0.6931471805599453092, 0.2402265069591007123, 0.05550410866482163197, 0.009618129107628479737,
              0.001333355814640464931, 0.0001540353039336983187, 0.00001525273384386485509, 1.321548680984800206e-6,
              1.017805591254616855e-7, 7.054896722470351833e-9, 4.456024755133464126e-10, 2.573034800923435164e-11);
}
template <class T>
  requires(is_float<T>)
RL_MATH T exp2(T x) {
  x = limit(x, Fp<T>::exp2_min, Fp<T>::exp2_max);
  T shifted = x + Fp<T>::round;
  T r = x - (shifted - Fp<T>::round);
  using I = typename Fp<T>::I;
  return scale(fma(r, exp2_tail(r), T(1)), static_cast<I>(bits(shifted) - bits(Fp<T>::round)));
}

// exp(x) - 1 for x in [expm1_min, exp_max], without the last care for -0 and NaN-free.
template <class T> RL_MATH T expm1_core(T x) {
  auto p = exp_split(x);
  T e = fma(p.r * p.r, exp_tail(p.r), p.r);
  T half = power_of_2<T>(p.n - 1);
  T y = fma(half, e, half - T(0.5));
  return p.n == 0 ? e : y + y;
}
template <class T>
  requires(is_float<T>)
RL_MATH T expm1(T x) {
  T y = expm1_core(limit(x, Fp<T>::expm1_min, Fp<T>::exp_max));
  return abs(x) < T(1e-18) ? x : y;
}

template <class T>
  requires(is_float<T>)
RL_MATH T sigmoid(T x) {
  // 1 / (1 + e) as 0.5 / (0.5 + e / 2), so that e / 2 is in range; exponentials that 1 swallows need no digits.
  constexpr T low = sizeof(T) == 8 ? T(-700) : T(-86), high = sizeof(T) == 8 ? T(709.78) : T(88.722);
  auto p = exp_split(-x < low ? low : -x);
  T half = (T(1) + fma(p.r * p.r, exp_tail(p.r), p.r)) * power_of_2<T>(p.n - 1);
  return x < -high ? T(0) : T(0.5) / (T(0.5) + half);
}

// log(1 + f) = f + log_rest(f) for f in [-1/3, 1/3].
RL_MATH float log_rest(float f) {
  float p = poly(f, 0.3333333333f, -0.2499994419f, 0.1999994835f, -0.1667331625f, 0.1429186711f, -0.1228872161f,
                 0.1091565567f, -0.1242220058f, 0.1133061389f);
  float z = f * f;
  return fma(z, f * p, -0.5f * z);
}
RL_MATH double log_rest(double f) {
  // log(1 + f) = 2 atanh(s), s = f / (2 + f); written so that f itself enters exactly.
  double s = f / (2 + f);
  double z = s * s;
  double h = 0.5 * f * f;
  return fma(s,
             h + z * poly(z, 0.6666666666666666669, 0.3999999999999990509, 0.285714285714914588, 0.2222222220619676514,
                          0.1818182022468803856, 0.153844693927509303, 0.1333944149273606317, 0.1161673129314882911,
                          0.1242832469887093821),
             -h);
}
// x = 2^e (1 + f) with 1 + f in [2/3, 4/3), for positive finite x.
template <class T> struct LogParts {
  T e, f;
};
// The exponent is kept biased, since AVX2 has neither a signed shift nor a conversion of 64-bit integers.
template <class T> RL_MATH typename Fp<T>::U biased_exponent(typename Fp<T>::U u) {
  using U = typename Fp<T>::U;
  return (u - Fp<T>::two_thirds + (static_cast<U>(Fp<T>::bias) << Fp<T>::mantissa)) >> Fp<T>::mantissa;
}
RL_MATH float exponent_value(u32 biased) { return static_cast<float>(static_cast<i32>(biased) - 127); }
RL_MATH double exponent_value(u64 biased) { return bit_cast<double>(biased | 0x4330000000000000u) - (0x1p52 + 1023); }
template <class T> RL_MATH T remove_exponent(typename Fp<T>::U u, typename Fp<T>::U biased) {
  using U = typename Fp<T>::U;
  return bit_cast<T>(static_cast<U>(u - ((biased - static_cast<U>(Fp<T>::bias)) << Fp<T>::mantissa)));
}
template <class T> RL_MATH LogParts<T> log_split(T x) {
  bool tiny = x < Fp<T>::min_normal;
  auto u = bits(tiny ? x * Fp<T>::up : x);
  auto e = biased_exponent<T>(u);
  T shift = tiny ? T(Fp<T>::up_log2) : T(0);
  return {exponent_value(e) - shift, remove_exponent<T>(u, e) - T(1)};
}
// The values at 0, below 0, at infinity and NaN, which all logarithms share.
template <class T> RL_MATH T log_edges(T x, T y) {
  y = x < T(kInf) ? y : x;
  y = x == T(0) ? T(-kInf) : y;
  return x < T(0) ? T(kNaN) : y;
}
template <class T> RL_MATH T log_sum(T e, T f) { return fma(e, Fp<T>::ln2_hi, f + fma(e, Fp<T>::ln2_lo, log_rest(f))); }
template <class T>
  requires(is_float<T>)
RL_MATH T log(T x) {
  auto p = log_split(x);
  return log_edges(x, log_sum(p.e, p.f));
}
// f + rest times a constant given in two parts (the first short, so that its product with f is nearly exact).
template <class T> RL_MATH T log_scaled(T f, T c_hi, T c_lo, T e_lo, T e_hi) {
  T rest = log_rest(f);
  T hi = f + rest;
  T lo = rest - (hi - f);
  T product = hi * c_hi;
  T error = fma(hi, c_hi, -product) + fma(hi, c_lo, fma(lo, c_hi, e_lo));
  T sum = e_hi + product;
  T back = sum - e_hi;
  return sum + ((product - back) + error);
}
template <class T>
  requires(is_float<T>)
RL_MATH T log2(T x) {
  auto p = log_split(x);
  constexpr double c = 1.44269504088896340736;
  constexpr T hi = T(c), lo = same<T, float> ? T(c - double(hi)) : T(0x1.777d0ffda0d24p-56);
  return log_edges(x, log_scaled(p.f, hi, lo, T(0), p.e));
}
template <class T>
  requires(is_float<T>)
RL_MATH T log10(T x) {
  auto p = log_split(x);
  constexpr double c = 0.43429448190325182765;
  constexpr T hi = T(c), lo = same<T, float> ? T(c - double(hi)) : T(0x1.95355baaafad3p-57);
  return log_edges(x, log_scaled(p.f, hi, lo, p.e * Fp<T>::log10_2_lo, p.e * Fp<T>::log10_2_hi));
}
template <class T>
  requires(is_float<T>)
RL_MATH T log1p(T x) {
  using U = typename Fp<T>::U;
  T u = T(1) + x;
  // The exponent comes from the rounded sum, the fraction from x itself.
  T safe = (u > T(0)) & (u < T(kInf)) ? u : T(1);
  U e = biased_exponent<T>(bits(safe));
  constexpr U top = 2 * Fp<T>::bias - 1;
  T s = bit_cast<T>(static_cast<U>((U(2 * Fp<T>::bias) - (e < top ? e : top)) << Fp<T>::mantissa));  // 2^-exponent
  T f = fma(x, s, s - T(1));
  f = e < top ? f : remove_exponent<T>(bits(safe), e) - T(1);
  T y = log_edges(u, log_sum(exponent_value(e), f));
  return abs(x) < T(1e-18) ? x : y;
}
// log1p on [0, 1], where 1 + x has only two exponents: for log(1 + exp(-|x|)).
template <class T>
  requires(is_float<T>)
RL_MATH T log1p_unit(T x) {
  bool upper = x > T(1.0 / 3);
  T y = log_sum(upper ? T(1) : T(0), upper ? fma(x, T(0.5), T(-0.5)) : x);
  return x != x ? x : y;
}

template <class T>
  requires(is_float<T>)
RL_MATH T tanh(T x) {
  T a = abs(x);
  a = a > Fp<T>::tanh_max ? Fp<T>::tanh_max : a;
  T t = expm1_core(a + a);
  return x != x ? x : copysign(t / (t + T(2)), x);
}
RL_MATH float sinh_small(float z) { return poly(z, 0.1666666665f, 0.008333339676f, 0.0001983810197f, 2.806280258e-6f); }
RL_MATH double sinh_small(double z) {
  return poly(z, 0.1666666666666666667, 0.008333333333333333366, 0.000198412698412697732, 2.75573192240403386e-6,
              2.505210836405804075e-8, 1.605904839635056164e-10, 7.646625361656657656e-13, 2.844526416989528563e-15);
}
template <class T>
  requires(is_float<T>)
RL_MATH T sinh(T x) {
  T a = abs(x);
  T half = exp_biased(a, -1);
  T z = x * x;
  T near = fma(x * z, sinh_small(z), x);
  return a < T(1) ? near : copysign(half - T(0.25) / half, x);
}
template <class T>
  requires(is_float<T>)
RL_MATH T cosh(T x) {
  T half = exp_biased(abs(x), -1);
  return half + T(0.25) / half;
}
// log(x + sqrt(x^2 + 1)) as log1p of what exceeds 1; beyond 2^28 (2^13 in float) the 1 under the root is lost.
template <class T>
  requires(is_float<T>)
RL_MATH T asinh(T x) {
  T a = abs(x);
  bool big = a > (same<T, float> ? T(0x1p13) : T(0x1p28));
  T b = big ? T(1) : a;
  T z = b * b;
  T arg = big ? a - T(1) : b + z / (T(1) + sqrt(z + T(1)));
  T y = log1p(arg) + (big ? T(kLn2) : T(0));
  return x != x ? x : copysign(y, x);
}
template <class T>
  requires(is_float<T>)
RL_MATH T acosh(T x) {
  bool big = x > (same<T, float> ? T(0x1p13) : T(0x1p28));
  T t = big ? T(1) : x - T(1);
  T arg = big ? x - T(1) : t + sqrt(fma(t, t, t + t));
  T y = log1p(arg) + (big ? T(kLn2) : T(0));
  return x < T(1) ? T(kNaN) : y;
}
template <class T>
  requires(is_float<T>)
RL_MATH T atanh(T x) {
  T a = abs(x);
  T d = a + a;
  T arg = a < T(0.5) ? fma(d, a / (T(1) - a), d) : d / (T(1) - a);
  T y = T(0.5) * log1p(arg);
  return a < T(1e-18) ? x : copysign(y, x);
}

// asin(x) = x + x^3 P(x^2) up to 1/2; beyond, pi/2 - 2 asin(sqrt((1 - x) / 2)).
RL_MATH float asin_tail(float z) {
  return poly(z, 0.1666666634f, 0.07500094543f, 0.04459940153f, 0.03110066274f, 0.01714923836f, 0.0336908472f);
}
RL_MATH double asin_tail(double z) {
  return poly(z, 0.1666666666666666783, 0.07499999999998432933, 0.04464285714635542978, 0.03038194413853124729,
              0.02237217294214988787, 0.01735239272086997294, 0.0139712129735529333, 0.0114791774151849059,
              0.01032281435018577929, 0.0054575067186403583, 0.01740087944269402244, -0.01485188707124720322,
              0.02875785136742156471);
}
RL_MATH constexpr float half_pi_lo(float) { return -0x1.777a5cp-25f; }
RL_MATH constexpr double half_pi_lo(double) { return 0x1.1a62633145c07p-54; }
template <class T>
  requires(is_float<T>)
RL_MATH T asin(T x) {
  T a = abs(x);
  bool far = a > T(0.5);
  T z = far ? T(0.5) * (T(1) - a) : x * x;
  T s = far ? sqrt(z) : a;
  T p = s * z * asin_tail(z);
  T y = far ? T(kPi / 2) - ((s + s) - (half_pi_lo(x) - (p + p))) : s + p;
  return copysign(y, x);
}
template <class T>
  requires(is_float<T>)
RL_MATH T acos(T x) {
  T a = abs(x);
  bool far = a > T(0.5);
  T z = far ? T(0.5) * (T(1) - a) : x * x;
  T s = far ? sqrt(z) : x;
  T p = s * z * asin_tail(z);
  T near = T(kPi / 2) - (s - (half_pi_lo(x) - p));
  T t = (s + p) + (s + p);
  T beyond = x > T(0) ? t : T(kPi) - (t - (half_pi_lo(x) + half_pi_lo(x)));
  return far ? beyond : near;
}
RL_MATH float atan_tail(float z) {
  return poly(z, -0.3333333173f, 0.1999973933f, -0.1427856875f, 0.1103376412f, -0.0865688043f, 0.06250169445f,
              -0.03587153898f, 0.01350777143f, -0.002386997317f);
}
RL_MATH double atan_tail(double z) {
  return poly(z, -0.3333333333333333025, 0.199999999999975322, -0.1428571428538413154, 0.111111110934908281,
              -0.09090908590891934225, 0.07692298971033216917, -0.06666564699289104211, 0.05881506877793656067,
              -0.05257973334284110807, 0.04737749579527778972, -0.04260356632601652133, 0.03749486812535247112,
              -0.03127718906699638479, 0.02369673158004862201, -0.01553515247541417613, 0.008368931178450162136,
              -0.00349588597391630952, 0.001049603508496851507, -0.0001999618937790138206, 0.0000180619546186121522);
}
// The angle of the point (x, y) in the first octant onwards: a = y/x <= 1 by construction.
template <class T> RL_MATH T atan_unit(T a) {
  T z = a * a;
  return fma(a * z, atan_tail(z), a);
}
template <class T>
  requires(is_float<T>)
RL_MATH T atan(T x) {
  T a = abs(x);
  bool far = a > T(1);
  T t = atan_unit(far ? T(1) / a : a);
  return copysign(far ? T(kPi / 2) - (t - half_pi_lo(x)) : t, x);
}
template <class T>
  requires(is_float<T>)
RL_MATH T atan2(T y, T x) {
  T a = abs(y), b = abs(x);
  T lo = a < b ? a : b, hi = a < b ? b : a;
  T q = lo == hi ? (hi == T(0) ? T(0) : T(1)) : lo / hi;  // (0, 0) and (inf, inf) included
  T t = atan_unit(q);
  t = a > b ? T(kPi / 2) - (t - half_pi_lo(x)) : t;
  t = signbit(x) ? T(kPi) - (t - (half_pi_lo(x) + half_pi_lo(x))) : t;
  return (x != x) | (y != y) ? x + y : copysign(t, y);
}

// sin(r) and cos(r) for |r| <= pi/4.
RL_MATH float sin_unit(float r) {
  float z = r * r;
  return fma(r * z, poly(z, -0.1666666454f, 0.008332724614f, -0.0001958283068f), r);
}
RL_MATH float cos_unit(float r) {
  float z = r * r;
  return fma(z * z, poly(z, 0.04166666454f, -0.001388827933f, 2.454287111e-5f), fma(z, -0.5f, 1.0f));
}
// x in units of pi/2: the nearest integer modulo 4, and the rest, right for every finite float. 2/pi is cut into three
// pieces for each range of x, leaving out the bits that only add multiples of 4; a float times a 29-bit piece is
// exact in double.
struct Quadrant {
  u32 n;
  double f;
};
RL_MATH Quadrant quadrant(float xf) {
  double x = xf;
  double a = abs(x);
  double c1 = 0x1.4000000000000p-1, c2 = 0x1.7cc1b70000000p-7, c3 = 0x1.391054a7f09d6p-34;
  c1 = a < 0x1p26 ? c1 : 0x1.17cc1b6000000p-3, c2 = a < 0x1p26 ? c2 : 0x1.27220a9000000p-31,
  c3 = a < 0x1p26 ? c3 : 0x1.3f84eafa3ea6ap-61;
  c1 = a < 0x1p52 ? c1 : 0x1.c9c882a000000p-29, c2 = a < 0x1p52 ? c2 : 0x1.4fe13a8000000p-59,
  c3 = a < 0x1p52 ? c3 : 0x1.f47d4d377036ep-86;
  c1 = a < 0x1p78 ? c1 : 0x1.4a7f09d000000p-54, c2 = a < 0x1p78 ? c2 : 0x1.7d1f534000000p-84,
  c3 = a < 0x1p78 ? c3 : 0x1.bb81b6c52b328p-113;
  c1 = a < 0x1p104 ? c1 : 0x1.57d1f53000000p-80, c2 = a < 0x1p104 ? c2 : 0x1.377036c000000p-110,
  c3 = a < 0x1p104 ? c3 : 0x1.8a5664f10e410p-138;
  double p1 = x * c1, p2 = x * c2;
  double t1 = p1 + 0x1.8p52, t2 = p2 + 0x1.8p52;
  double f = (p1 - (t1 - 0x1.8p52)) + (p2 - (t2 - 0x1.8p52));
  double t3 = f + 0x1.8p52;
  f = fma(x, c3, f - (t3 - 0x1.8p52));
  return {static_cast<u32>(bits(t1) + bits(t2) + bits(t3)), f};
}
RL_MATH float sin_shifted(float x, u32 shift) {
  Quadrant q = quadrant(x);
  float r = static_cast<float>(q.f * (kPi / 2));
  u32 n = q.n + shift;
  float y = (n & 1u) != 0 ? cos_unit(r) : sin_unit(r);
  return bit_cast<float>(bits(y) ^ ((n & 2u) << 30));
}
RL_MATH float sin(float x) {
  float y = sin_shifted(x, 0);
  return x == 0.0f ? x : y;
}
RL_MATH float cos(float x) { return sin_shifted(x, 1); }
RL_MATH float tan(float x) {
  Quadrant q = quadrant(x);
  double r = q.f * (kPi / 2);
  double z = r * r;
  double t =
      fma(r * z,
          poly(z, 0.3333333327756447704, 0.1333334465507010572, 0.05396451389386758957, 0.02191610579957729302,
               0.008581621096844031568, 0.004496800749635989495, -0.00009097812783175722047, 0.001834430848580936546),
          r);
  t = (q.n & 1u) != 0 ? -1.0 / t : t;
  return x == 0.0f ? x : static_cast<float>(t);
}

// Double: the fast path is right up to trig_limit, subtracting n pi/2 in three parts; the engine takes it for blocks
// without larger arguments (see Sin::fast), the C library serves the rest.
inline constexpr double trig_limit = 0x1p40;
struct Reduced {
  u32 n;
  double r, lo;
};
RL_MATH Reduced reduce(double x) {
  double t = fma(x, 2 / kPi, 0x1.8p52);
  double n = t - 0x1.8p52;
  double a = fma(-n, 0x1.921fb54442d18p+0, x);
  double p = n * 0x1.1a62633145c07p-54;
  double e = fma(n, 0x1.1a62633145c07p-54, -p);
  double r = a - p;
  double lo = ((a - r) - p) - fma(n, -0x1.f1976b7ed8fbcp-110, e);
  return {static_cast<u32>(bits(t)), r, lo};
}
RL_MATH double sin_unit(double r, double lo) {
  double z = r * r;
  return r + fma(r * z,
                 poly(z, -0.1666666666666666667, 0.008333333333333331259, -0.0001984126984126456589,
                      2.755731921895476226e-6, -2.505210610025598923e-8, 1.605851087531919491e-10,
                      -7.58548648523593814e-13),
                 fma(-0.5 * z, lo, lo));
}
RL_MATH double cos_unit(double r, double lo) {
  double z = r * r;
  double h = 0.5 * z;
  double w = 1 - h;
  return w + (((1 - w) - h) + fma(z * z,
                                  poly(z, 0.04166666666666666667, -0.001388888888888888774, 0.00002480158730158436897,
                                       -2.75573192211891042e-7, 2.087675571758440374e-9, -1.147044935446677262e-11,
                                       4.745198807202875811e-14),
                                  -r * lo));
}
RL_MATH double sin_shifted(double x, u32 shift) {
  Reduced q = reduce(x);
  u32 n = q.n + shift;
  double y = (n & 1u) != 0 ? cos_unit(q.r, q.lo) : sin_unit(q.r, q.lo);
  return (n & 2u) != 0 ? -y : y;
}
RL_MATH double sin_fast(double x) { return x == 0 ? x : sin_shifted(x, 0); }
RL_MATH double cos_fast(double x) { return sin_shifted(x, 1); }
RL_MATH double tan_fast(double x) {
  Reduced q = reduce(x);
  double s = sin_unit(q.r, q.lo), c = cos_unit(q.r, q.lo);
  double y = (q.n & 1u) != 0 ? -c / s : s / c;
  return x == 0 ? x : y;
}

// Error function of float. Up to 1 a polynomial, beyond it 1 - exp(-p(x)).
RL_MATH float erf(float x) {
  float a = abs(x);
  float z = x * x;
  float near = fma(x,
                   poly(z, 0.1283791671f, -0.3761263847f, 0.112837825f, -0.02686543073f, 0.005221031808f,
                        -0.0008484080406f, 0.0001126595903f, -9.667044571e-6f),
                   x);
  float b = a > 4.0f ? 4.0f : a;
  auto e = exp_split(-poly(b, -0.0003214710264f, 1.130239201f, 0.6318156996f, 0.1100901975f, -0.02642704377f,
                           0.004761717236f, -0.0005972644331f, 4.611291391e-5f, -1.639938016e-6f));
  float y = 1.0f + fma(e.r * e.r, exp_tail(e.r), e.r);
  float far = copysign(1.0f - y * power_of_2<float>(e.n), x);
  far = x != x ? x : far;
  return a < 1.0f ? near : far;
}
// The normal distribution function of -a, a >= 0, as gelu needs it: right to 1e-7 of 1 and to 2e-6 of itself. Its
// logarithm to base 2 is a polynomial that ends as an exponent. What it makes of a NaN is no number of any meaning.
RL_MATH float gelu_tail(float a) {
  float z = a * a;
  float odd = poly(z, -0.459211826f, 0.00699788192f, -0.000256819418f, -9.75182957e-06f, -2.43007996e-08f);
  float even = poly(z, -1.15110505f, -0.052472569f, -4.48768988e-05f, 6.95592535e-05f, 7.43610656e-07f);
  float q = fma(a, odd, even);
  float shifted = fma(a, q, Fp<float>::round);
  float r = fma(a, q, Fp<float>::round - shifted);
  float half =
      poly(r, 0.5f, 0.346573591f, 0.120113239f, 0.0277517997f, 0.00480925292f, 0.000669540372f, 7.66323574e-05f);
  return bit_cast<float>(bits(half) + (bits(shifted) << 23));
}
inline constexpr float gelu_far = 5.7f;
RL_MATH float gelu(float x) {
  float a = abs(x);
  a = gelu_far < a ? gelu_far : a;
  float tail = gelu_tail(a);
  tail = a < gelu_far ? tail : 0.0f;
  return fma(-a, tail, x < 0.0f ? 0.0f * x : x);  // NaN for -inf, as PyTorch has it
}
RL_MATH float gelu_cdf(float x) {
  float a = abs(x);
  float tail = gelu_tail(gelu_far < a ? gelu_far : a);
  tail = a < gelu_far ? tail : 0.0f;
  return x > 0.0f ? 1.0f - tail : tail;
}
// exp(-x^2) with x^2 in two parts.
template <class T> RL_MATH T exp_minus_square(T x) {
  T h = x * x;
  T l = fma(x, x, -h);
  T e = exp(-h);
  return fma(e, -l, e);
}
RL_MATH float erfcx_times(float t) {
  return poly(t, 1.276978381f, -0.09276381693f, -0.1660303326f, 0.1640508408f, -0.05422142273f, -0.008028067755f,
              0.008733112915f, 0.001236223173f, -0.001486983223f, -0.0003562383896f, 0.0002340997067f, 3.387887082e-5f);
}
RL_MATH double erfcx_times(double t) {
  return poly(t, 1.2769783815525287, -0.09276382658574571054, -0.1660303976152794574, 0.1640512800333913267,
              -0.05422000099285666423, -0.008034015079684905138, 0.008722653901666016479, 0.001271338894330858599,
              -0.001456814358575188361, -0.0004543397620710480845, 0.0002063708712348325335, 0.0001510293593564235074,
              -1.528713945091486683e-6, -0.00003636613391839766023, -0.00001343959911518276631, 3.499036333331485256e-6,
              5.168244162254452198e-6, 1.985521367453012013e-6, -7.935959370487155316e-7, -1.451480150096724389e-6,
              7.475614118219507761e-8, 4.886567542211755127e-7, -1.29808137227199915e-7);
}
RL_MATH float erfc(float x) {
  float a = abs(x);
  float z = x * x;
  float p = poly(z, 0.1283791671f, -0.3761263847f, 0.112837825f, -0.02686543073f, 0.005221031808f, -0.0008484080406f,
                 0.0001126595903f, -9.667044571e-6f);
  float near = 1.0f - fma(x, p, x);
  float b = a > 11.0f ? 11.0f : a;
  float far = exp_minus_square(b) * (erfcx_times((b - 2.0f) / (b + 2.0f)) / fma(b, 2.0f, 1.0f));
  far = x < 0.0f ? 2.0f - far : far;
  far = x != x ? x : far;
  return a < 0.5f ? near : far;
}
RL_MATH double erfc_far(double b) { return exp_minus_square(b) * (erfcx_times((b - 2) / (b + 2)) / fma(b, 2.0, 1.0)); }
RL_MATH double erf_near(double x) {
  return fma(
      x,
      poly(x * x, 0.1283791670955125739, -0.3761263890318375246, 0.1128379167095512563, -0.02686617064513121852,
           0.005223977625441674014, -0.0008548327023403000609, 0.0001205533297887948387, -0.00001492565023696750174,
           1.646211078201863639e-6, -1.636576864883207212e-7, 1.480602714612875166e-8, -1.227773448679552385e-9,
           9.323723518153026634e-11, -6.196736428787699983e-12, 2.806712819561126247e-13),
      x);
}
RL_MATH double erf(double x) {
  double a = abs(x);
  double far = copysign(1 - erfc_far(a > 6 ? 6 : a), x);
  return a < 1 ? erf_near(x) : x != x ? x : far;
}
RL_MATH double erfc(double x) {
  double a = abs(x);
  double far = erfc_far(a > 27.3 ? 27.3 : a);
  far = x < 0 ? 2 - far : far;
  return a < 0.5 ? 1 - erf_near(x) : x != x ? x : far;
}
RL_MATH double gelu_cdf(double x) { return 0.5 * (1 + erf(x * kInvSqrt2)); }
RL_MATH double gelu(double x) { return x * gelu_cdf(x); }
// Inverse error function: x * p(w), w = -log(1 - x^2).
template <class T> RL_MATH T erfinv_start(T x) {
  T w = -log((T(1) - x) * (T(1) + x));
  T s = sqrt(w) - T(3);
  T near = poly(w - T(2.5), 1.50140936f, 0.2466402791f, -0.004177392875f, -0.001252726392f, 0.0002183493862f,
                -4.972419681e-6f, -3.463985267e-6f, 4.681313461e-7f, 2.333596714e-8f, -8.93192583e-9f);
  T far = poly(s, 2.8329768f, 1.001675285f, 0.009445398168f, -0.007643744772f, 0.005687101989f, -0.003561601991f,
               0.00147525742f, -0.0001317364956f, -0.0002736249464f, 0.0001690351261f, -3.437390147e-5f);
  T y = x * (w < T(5) ? near : far);
  return abs(x) == T(1) ? x * T(kInf) : y;
}
RL_MATH float erfinv(float x) { return erfinv_start(x); }

// The sign of x^y, given |x|^y, and the cases that a logarithm does not decide.
template <class T> RL_MATH T pow_edges(T x, T y, T m) {
  bool whole = rint(y) == y;
  T half = y * T(0.5);
  bool odd = whole & (rint(half) != half) & (abs(y) < T(kInf));
  m = (x < T(0)) & !whole & (abs(x) < T(kInf)) ? T(kNaN) : m;
  m = odd ? copysign(m, x) : m;
  m = (abs(x) == T(1)) & (abs(y) == T(kInf)) ? T(1) : m;
  return (y == T(0)) | (x == T(1)) ? T(1) : m;
}
// pow of float through double: 2^(y log2 x).
RL_MATH float pow(float xf, float yf) {
  double x = abs(static_cast<double>(xf)), y = yf;
  auto p = log_split(x);
  double s = p.f / (2 + p.f);
  double z = s * s;
  double l = fma(s,
                 poly(z, 2.885390081777931333, 0.9617966939149638656, 0.5770780207302235243, 0.4121979325940022693,
                      0.3206448321767053489, 0.2606519327216628, 0.2511879359025103585),
                 p.e);
  l = x == 0 ? -kInf : l;
  l = x < kInf ? l : x;
  double t = limit(y * l, -160.0, 140.0);
  double shifted = t + 0x1.8p52;
  double r = t - (shifted - 0x1.8p52);
  double w =
      fma(r,
          poly(r, 0.6931471805565743413, 0.2402265069588671414, 0.05550410908778885083, 0.00961812913693562259,
               0.001333347523537694696, 0.0001540347294301974443, 0.00001530472671574911586, 1.325151633028976591e-6),
          1.0) *
      power_of_2<double>(static_cast<i64>(bits(shifted) - bits(0x1.8p52)));
  float m = static_cast<float>(w);
  return pow_edges(xf, yf, m);
}

// pow of double: log2 x in two parts (an extra 11 bits are what a power up to 2^1024 costs).
RL_MATH double pow(double xs, double y) {
  double x = abs(xs);
  auto p = log_split(x);
  double d = 2 + p.f, d_lo = p.f - (d - 2);
  double s = p.f / d, s_lo = (fma(-s, d, p.f) - s * d_lo) / d;
  double z = s * s, z_lo = fma(s, s, -z) + 2 * s * s_lo;
  double u = z * poly(z, 0.4000000000000000002, 0.2857142857142848466, 0.2222222222227971388, 0.1818181816716794436,
                      0.1538461725212751746, 0.1333319987876886602, 0.1177028912406236908, 0.1039107321079690236,
                      0.1126175504739917254);
  double w = 0x1.5555555555555p-1 + u, w_lo = ((0x1.5555555555555p-1 - w) + u) + 0x1.5555555555555p-55;
  double v = z * w, v_lo = fma(z, w, -v) + fma(z, w_lo, z_lo * w);
  double q = s * v, q_lo = fma(s, v, -q) + fma(s, v_lo, s_lo * (2 + v));
  double l = 2 * s + q, l_lo = ((2 * s - l) + q) + q_lo;
  constexpr double c = 0x1.71547652b82fep+0, c_lo = 0x1.777d0ffda0d24p-56;
  double g = l * c, g_lo = fma(l, c, -g) + fma(l, c_lo, l_lo * c);
  double h = p.e + g, h_lo = ((p.e - h) + g) + g_lo;
  h = x == 0 ? -kInf : h;
  h = x < kInf ? h : x;
  double t = y * h;
  double t_lo = abs(t) < 1100 ? fma(y, h, -t) + y * h_lo : 0;
  t = limit(t, -1100.0, 1100.0);
  double shifted = t + 0x1.8p52;
  double r = (t - (shifted - 0x1.8p52)) + t_lo;
  double m = scale(fma(r, exp2_tail(r), 1.0), static_cast<i64>(bits(shifted) - bits(0x1.8p52)));
  return pow_edges(xs, y, m);
}

RL_MATH float hypot(float a, float b) {
  double x = a, y = b;
  float r = static_cast<float>(sqrt(x * x + y * y));
  return isinf(a) | isinf(b) ? float(kInf) : r;
}
RL_MATH double hypot(double a, double b) {
  a = abs(a);
  b = abs(b);
  double m = a > b ? a : b;
  // Scaling by a power of two keeps the squares in range and changes no digit.
  bool large = m > 0x1p500, small = m < 0x1p-500;
  double up = large ? 0x1p-600 : small ? 0x1p600 : 1.0, down = large ? 0x1p600 : small ? 0x1p-600 : 1.0;
  double x = a * up, y = b * up;
  double r = sqrt(fma(x, x, y * y)) * down;
  return isinf(a) | isinf(b) ? kInf : r;
}

}  // namespace rl::math
