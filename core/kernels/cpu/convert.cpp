// Every element type to every other. Out-of-range floats become what the x86 conversion instructions give (the lowest
// int32 or int64, then truncated), spelled out so that every compiler and machine agrees.
#include "kernels/cpu/convert.h"

#if defined(__F16C__)
#include <immintrin.h>
#endif

namespace rl::cpu::RL_ISA {
namespace {

// bool is read and written as a byte: a byte that is neither 0 nor 1 must not be undefined behaviour.
struct Truth {
  uint8_t byte;
};
template <class T>
struct element {
  using type = T;
};
template <>
struct element<bool> {
  using type = Truth;
};

template <class T>
inline constexpr bool is_float16_v = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;

template <class F>
inline int32_t to_int32(F x) {
#if defined(__x86_64__)
  return static_cast<int32_t>(x);
#else
  return x >= F(-2147483648.0) && x < F(2147483648.0) ? static_cast<int32_t>(x) : INT32_MIN;
#endif
}
template <class F>
inline int64_t to_int64(F x) {
#if defined(__x86_64__)
  return static_cast<int64_t>(x);
#else
  return x >= F(-0x1p63) && x < F(0x1p63) ? static_cast<int64_t>(x) : INT64_MIN;
#endif
}

template <class To, class From>
inline To convert(From x) {
  if constexpr (std::is_same_v<To, From>) {
    return x;
  } else if constexpr (std::is_same_v<From, Truth>) {
    return convert<To>(static_cast<uint8_t>(x.byte != 0));
  } else if constexpr (is_complex_v<From>) {
    if constexpr (is_complex_v<To>) {
      using R = typename To::value_type;
      return To(static_cast<R>(x.real()), static_cast<R>(x.imag()));
    } else if constexpr (std::is_same_v<To, Truth>) {
      return Truth{static_cast<uint8_t>((x.real() != 0) | (x.imag() != 0))};
    } else {
      return convert<To>(x.real());
    }
  } else if constexpr (is_float16_v<From>) {
    return convert<To>(static_cast<float>(x));
  } else if constexpr (std::is_same_v<To, Truth>) {
    return Truth{static_cast<uint8_t>(x != 0)};
  } else if constexpr (is_complex_v<To>) {
    return To(static_cast<typename To::value_type>(x), 0);
  } else if constexpr (is_float16_v<To>) {
    return To(static_cast<float>(x));
  } else if constexpr (std::is_floating_point_v<From> && std::is_integral_v<To>) {
    // uint8 goes through int64 (float32 beyond int32 has zero low bytes either way, so the narrow path serves it).
    if constexpr (sizeof(To) == 8 || (std::is_same_v<To, uint8_t> && sizeof(From) == 8)) {
      return static_cast<To>(to_int64(x));
    } else {
      return static_cast<To>(to_int32(x));
    }
  } else {
    return static_cast<To>(x);
  }
}

#if defined(__F16C__)
// The instructions round as Half does, but keep the payload of a NaN, or make a signalling one quiet: pieces with NaNs go
// the other way. Four registers at a time; a comparison finds the NaNs of two.
#if defined(__AVX512F__)
using Floats = __m512;
inline Floats floats_at(const float* p) { return _mm512_loadu_ps(p); }
inline Floats floats_at(const Half* p) {
  return _mm512_maskz_cvtph_ps(0xFFFF, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
inline void put(float* p, Floats x) { _mm512_storeu_ps(p, x); }
inline void put(Half* p, Floats x) {
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_maskz_cvtps_ph(0xFFFF, x, _MM_FROUND_TO_NEAREST_INT));
}
inline unsigned nans(Floats a, Floats b) { return _mm512_cmp_ps_mask(a, b, _CMP_UNORD_Q); }
// Two registers at once, whose rounded upper halves one instruction gathers.
alignas(64) constexpr uint16_t kUpperHalves[32] = {1,  3,  5,  7,  9,  11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31,
                                                   33, 35, 37, 39, 41, 43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 63};
inline __m512i rounded_to_upper(Floats x) {
  const __m512i u = _mm512_castps_si512(x);
  const __m512i odd = _mm512_and_si512(_mm512_maskz_srli_epi32(0xFFFF, u, 16), _mm512_set1_epi32(1));
  return _mm512_add_epi32(_mm512_add_epi32(u, odd), _mm512_set1_epi32(0x7FFF));
}
inline void put(BFloat16* p, Floats a, Floats b) {
  _mm512_storeu_si512(
      p, _mm512_permutex2var_epi16(rounded_to_upper(a), _mm512_load_si512(kUpperHalves), rounded_to_upper(b)));
}
#else
using Floats = __m256;
inline Floats floats_at(const float* p) { return _mm256_loadu_ps(p); }
inline Floats floats_at(const Half* p) { return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))); }
inline void put(float* p, Floats x) { _mm256_storeu_ps(p, x); }
inline void put(Half* p, Floats x) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
}
inline unsigned nans(Floats a, Floats b) {
  return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_UNORD_Q)));
}
#endif
constexpr int64_t kFloats = sizeof(Floats) / sizeof(float), kHalfStep = 4 * kFloats;

template <class D, class S> inline bool convert_four(D* d, const S* s) {
  const Floats a = floats_at(s), b = floats_at(s + kFloats);
  const Floats c = floats_at(s + 2 * kFloats), e = floats_at(s + 3 * kFloats);
  if ((nans(a, b) | nans(c, e)) != 0) [[unlikely]]
    return false;
  if constexpr (std::is_same_v<D, BFloat16>)
    put(d, a, b), put(d + 2 * kFloats, c, e);
  else
    put(d, a), put(d + kFloats, b), put(d + 2 * kFloats, c), put(d + 3 * kFloats, e);
  return true;
}
#endif

template <class D, class S>
void convert_items(D* __restrict d, const S* __restrict s, int64_t n) {
  int64_t i = 0;
#if defined(__F16C__)
  if constexpr ((std::is_same_v<D, Half> && std::is_same_v<S, float>) ||
                (std::is_same_v<D, float> && std::is_same_v<S, Half>) ||
                (sizeof(Floats) == 64 && std::is_same_v<D, BFloat16> && std::is_same_v<S, float>)) {
    for (; i + kHalfStep <= n; i += kHalfStep) {
      if (convert_four(d + i, s + i)) continue;
      for (int64_t k = i; k < i + kHalfStep; ++k) d[k] = convert<D>(s[k]);
    }
  }
#endif
  for (; i < n; ++i) d[i] = convert<D>(s[i]);
}

template <int To, int From>
void convert_run(void* dst, const void* src, int64_t n) {
  using D = typename element<storage_t<static_cast<DType>(To)>>::type;
  using S = typename element<storage_t<static_cast<DType>(From)>>::type;
  D* d = static_cast<D*>(dst);
  const S* s = static_cast<const S*>(src);
  if constexpr (To == From) {
    __builtin_memcpy(dst, src, static_cast<size_t>(n) * sizeof(D));
  } else if constexpr (is_float16_v<D> && std::is_same_v<S, Truth>) {
    constexpr uint16_t one = std::is_same_v<D, Half> ? 0x3C00 : 0x3F80;
    for (int64_t i = 0; i < n; ++i) d[i].bits = static_cast<uint16_t>((0 - (s[i].byte != 0)) & one);
  } else if constexpr ((is_float16_v<D> && !std::is_same_v<S, float> && !is_complex_v<S>) ||
                       (is_float16_v<S> && !std::is_same_v<D, float> && !is_complex_v<D> &&
                        !std::is_same_v<D, Truth>)) {
    // Through float, a piece at a time: each half has its own way to be fast.
    constexpr int64_t kPiece = 512;
    alignas(64) float middle[kPiece];
    for (int64_t i = 0; i < n; i += kPiece) {
      const int64_t m = n - i < kPiece ? n - i : kPiece;
      convert_items(middle, s + i, m);
      convert_items(d + i, middle, m);
    }
  } else {
    convert_items(d, s, n);
  }
}

}  // namespace

#define RL_CONVERT_ROW(to)                                                          \
  {convert_run<to, 0>, convert_run<to, 1>, convert_run<to, 2>,  convert_run<to, 3>, \
   convert_run<to, 4>, convert_run<to, 5>, convert_run<to, 6>,  convert_run<to, 7>, \
   convert_run<to, 8>, convert_run<to, 9>, convert_run<to, 10>, convert_run<to, 11>}
const ConvertFn convert_fns[kDTypeCount][kDTypeCount] = {
    RL_CONVERT_ROW(0), RL_CONVERT_ROW(1), RL_CONVERT_ROW(2), RL_CONVERT_ROW(3), RL_CONVERT_ROW(4),  RL_CONVERT_ROW(5),
    RL_CONVERT_ROW(6), RL_CONVERT_ROW(7), RL_CONVERT_ROW(8), RL_CONVERT_ROW(9), RL_CONVERT_ROW(10), RL_CONVERT_ROW(11)};
#undef RL_CONVERT_ROW

}  // namespace rl::cpu::RL_ISA
