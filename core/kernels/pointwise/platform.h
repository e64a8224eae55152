// What the pointwise headers need from their surroundings, for a C++ compiler and for NVRTC (which has no
// standard headers; compile with --device-as-default-execution-space and --fmad=false): function attributes, type traits, a few builtins.
#pragma once

#if defined(__CUDACC_RTC__)
#define RL_FN constexpr __device__ __forceinline__
#define RL_MATH __device__ __forceinline__
#else
#include <complex>
// Always inlined: the same header is compiled for several instruction sets, and an out-of-line copy of one
// of them must never serve another.
#define RL_FN constexpr inline __attribute__((always_inline))
#define RL_MATH inline __attribute__((always_inline))
#endif

namespace rl::math {

using i32 = int;
using u32 = unsigned int;
using i64 = long long;
using u64 = unsigned long long;

template <class A, class B> inline constexpr bool same = false;
template <class A> inline constexpr bool same<A, A> = true;

template <class T> inline constexpr bool is_bool = same<T, bool>;
template <class T> inline constexpr bool is_float = same<T, float> || same<T, double>;
template <class T>
inline constexpr bool is_int = same<T, signed char> || same<T, unsigned char> || same<T, char> || same<T, short> ||
                               same<T, unsigned short> || same<T, int> || same<T, unsigned> || same<T, long> ||
                               same<T, unsigned long> || same<T, long long> || same<T, unsigned long long>;
template <class T> inline constexpr bool is_number = is_bool<T> || is_int<T> || is_float<T>;
template <class T> inline constexpr bool is_signed = is_number<T>;
template <> inline constexpr bool is_signed<bool> = false;
template <> inline constexpr bool is_signed<unsigned char> = false;
template <> inline constexpr bool is_signed<unsigned short> = false;
template <> inline constexpr bool is_signed<unsigned> = false;
template <> inline constexpr bool is_signed<unsigned long> = false;
template <> inline constexpr bool is_signed<unsigned long long> = false;

template <class T> struct RealOf {
  using type = T;
};
template <class T> inline constexpr bool is_cplx = false;
#if !defined(__CUDACC_RTC__)
template <class T> struct RealOf<std::complex<T>> {
  using type = T;
};
template <class T> inline constexpr bool is_cplx<std::complex<T>> = true;
#endif
template <class T> using real_t = typename RealOf<T>::type;

// The unsigned type in which arithmetic on T wraps around without undefined behaviour.
template <class T> struct WrapOf {
  using type = unsigned;
};
template <class T>
  requires(sizeof(T) == 8)
struct WrapOf<T> {
  using type = unsigned long long;
};
template <class T> using wrap_t = typename WrapOf<T>::type;

// Expression types: see expr.h.
template <class E>
concept is_expr = requires { requires E::is_expr; };

inline constexpr double kInf = __builtin_bit_cast(double, 0x7FF0000000000000ull);
inline constexpr double kNaN = __builtin_bit_cast(double, 0x7FF8000000000000ull);
inline constexpr double kPi = 3.14159265358979323846;
inline constexpr double kLn2 = 0.69314718055994530942;
inline constexpr double kLn10 = 2.30258509299404568402;
inline constexpr double kSqrt2 = 1.41421356237309504880;
inline constexpr double kInvSqrt2 = 0.70710678118654752440;
inline constexpr double kInvSqrtPi = 0.56418958354775628695;    // 1/sqrt(pi)
inline constexpr double kInvSqrt2Pi = 0.39894228040143267794;   // 1/sqrt(2 pi)
inline constexpr double kSqrt2OverPi = 0.79788456080286535588;  // sqrt(2/pi)

template <class To, class From> RL_FN To bit_cast(From x) { return __builtin_bit_cast(To, x); }

RL_MATH float fma(float a, float b, float c) {
#if defined(__CUDACC_RTC__)
  return __fmaf_rn(a, b, c);
#else
  return __builtin_fmaf(a, b, c);
#endif
}
RL_MATH double fma(double a, double b, double c) {
#if defined(__CUDACC_RTC__)
  return __fma_rn(a, b, c);
#else
  return __builtin_fma(a, b, c);
#endif
}
#if defined(__CUDACC_RTC__)
RL_MATH float sqrt(float x) { return __fsqrt_rn(x); }
RL_MATH double sqrt(double x) { return __dsqrt_rn(x); }
RL_MATH float rint(float x) { return ::rintf(x); }
RL_MATH double rint(double x) { return ::rint(x); }
RL_MATH float floor(float x) { return ::floorf(x); }
RL_MATH double floor(double x) { return ::floor(x); }
RL_MATH float ceil(float x) { return ::ceilf(x); }
RL_MATH double ceil(double x) { return ::ceil(x); }
RL_MATH float trunc(float x) { return ::truncf(x); }
RL_MATH double trunc(double x) { return ::trunc(x); }
RL_MATH float fmod_exact(float a, float b) { return ::fmodf(a, b); }
RL_MATH double fmod_exact(double a, double b) { return ::fmod(a, b); }
#else
RL_MATH float sqrt(float x) { return __builtin_sqrtf(x); }
RL_MATH double sqrt(double x) { return __builtin_sqrt(x); }
RL_MATH float rint(float x) { return __builtin_rintf(x); }  // half to even
RL_MATH double rint(double x) { return __builtin_rint(x); }
RL_MATH float floor(float x) { return __builtin_floorf(x); }
RL_MATH double floor(double x) { return __builtin_floor(x); }
RL_MATH float ceil(float x) { return __builtin_ceilf(x); }
RL_MATH double ceil(double x) { return __builtin_ceil(x); }
RL_MATH float trunc(float x) { return __builtin_truncf(x); }
RL_MATH double trunc(double x) { return __builtin_trunc(x); }
RL_MATH float fmod_exact(float a, float b) { return __builtin_fmodf(a, b); }
RL_MATH double fmod_exact(double a, double b) { return __builtin_fmod(a, b); }
#endif

// Choice between two values, both computed: the one conditional that op bodies use.
template <class T>
  requires(!is_expr<T>)
RL_FN T where(bool c, T a, T b) {
  return c ? a : b;
}

}  // namespace rl::math
