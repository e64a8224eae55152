// Pack<C>: 64 bytes of C as a fixed number of virtual lanes, held in as many registers as the instruction set needs.
// Lane structure never depends on the instruction set, so neither do the bits of a result. Only for kernels/cpu/*.cpp.
// Loops over the registers are unrolled by word of the programmer: in a rolled one a pack lies in memory, and each step of
// a sum then waits for the last one's store.
#pragma once

#include <cstdlib>
#include <cstring>
#include <limits>
#include <new>
#include <type_traits>
#include <utility>

#include "tensor/dtype.h"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace rl::cpu::RL_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int kRegBytes = 64;
#elif defined(__AVX2__)
constexpr int kRegBytes = 32;
#else
constexpr int kRegBytes = 16;
#endif
constexpr int kRegs = 64 / kRegBytes;

// Uninitialised scratch memory, aligned for vectors.
template <class T> class Scratch {
 public:
  explicit Scratch(int64_t count) {
    size_t bytes = ((count > 0 ? static_cast<size_t>(count) : 1) * sizeof(T) + 63) / 64 * 64;
    data_ = static_cast<T*>(std::aligned_alloc(64, bytes));
    if (data_ == nullptr) throw std::bad_alloc();
  }
  ~Scratch() { std::free(data_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  operator T*() const { return data_; }

 private:
  T* data_;
};

template <class C> using IntOf = std::conditional_t<sizeof(C) == 8, int64_t, int32_t>;

template <class C> struct Pack {
  typedef C Reg __attribute__((vector_size(kRegBytes)));
  static constexpr int kLanes = 64 / static_cast<int>(sizeof(C));
  static constexpr int kRegLanes = kRegBytes / static_cast<int>(sizeof(C));
  Reg r[kRegs];
};
template <class C> using Mask = Pack<IntOf<C>>;
template <class C> constexpr int kLanes = Pack<C>::kLanes;

template <class C> [[gnu::always_inline]] inline Pack<C> splat(C v) {
  Pack<C> p;
#pragma GCC unroll 4
  for (int k = 0; k < kRegs; ++k) p.r[k] = v - typename Pack<C>::Reg{};
  return p;
}
template <class C> [[gnu::always_inline]] inline Pack<C> operator+(Pack<C> a, const Pack<C>& b) {
#pragma GCC unroll 4
  for (int k = 0; k < kRegs; ++k) a.r[k] += b.r[k];
  return a;
}
template <class C> [[gnu::always_inline]] inline Pack<C> operator-(Pack<C> a, const Pack<C>& b) {
#pragma GCC unroll 4
  for (int k = 0; k < kRegs; ++k) a.r[k] -= b.r[k];
  return a;
}
template <class C> [[gnu::always_inline]] inline Pack<C> operator*(Pack<C> a, const Pack<C>& b) {
#pragma GCC unroll 4
  for (int k = 0; k < kRegs; ++k) a.r[k] *= b.r[k];
  return a;
}
template <class C> [[gnu::always_inline]] inline Mask<C> less(const Pack<C>& a, const Pack<C>& b) {
  Mask<C> m;
#pragma GCC unroll 4
  for (int k = 0; k < kRegs; ++k) m.r[k] = a.r[k] < b.r[k];
  return m;
}
template <class C> [[gnu::always_inline]] inline Pack<C> select(const Mask<C>& m, const Pack<C>& a, const Pack<C>& b) {
  Pack<C> p;
#pragma GCC unroll 4
  for (int k = 0; k < kRegs; ++k) p.r[k] = m.r[k] ? a.r[k] : b.r[k];
  return p;
}
template <class C> [[gnu::always_inline]] inline Pack<C> zero_nans(Pack<C> a) {
#pragma GCC unroll 4
  for (int k = 0; k < kRegs; ++k) a.r[k] = a.r[k] == a.r[k] ? a.r[k] : typename Pack<C>::Reg{};
  return a;
}
template <class C> [[gnu::always_inline]] inline Pack<C> absolute(Pack<C> a) {
  using I = IntOf<C>;
  typedef typename Pack<I>::Reg R;
  constexpr I keep = std::numeric_limits<I>::max();
#pragma GCC unroll 4
  for (int k = 0; k < kRegs; ++k) a.r[k] = (typename Pack<C>::Reg)((R)a.r[k] & (R{} + keep));
  return a;
}
// The larger (smaller) of two, NaN if x is NaN, and a NaN in acc stays.
template <bool Max, class C> [[gnu::always_inline]] inline Pack<C> extreme(Pack<C> acc, const Pack<C>& x) {
#pragma GCC unroll 4
  for (int k = 0; k < kRegs; ++k) {
    if constexpr (Max) acc.r[k] = x.r[k] > acc.r[k] ? x.r[k] : acc.r[k];
    if constexpr (!Max) acc.r[k] = x.r[k] < acc.r[k] ? x.r[k] : acc.r[k];
    if constexpr (std::is_floating_point_v<C>) acc.r[k] = x.r[k] != x.r[k] ? x.r[k] : acc.r[k];
  }
  return acc;
}
template <bool Max, class C> [[gnu::always_inline]] inline C extreme(C acc, C x) {
  const C best = (Max ? x > acc : x < acc) ? x : acc;
  return x != x ? x : best;
}
template <class C> constexpr C lowest_of() {
  if constexpr (std::is_floating_point_v<C>)
    return -std::numeric_limits<C>::infinity();
  else
    return std::numeric_limits<C>::lowest();
}
template <class C> constexpr C highest_of() {
  if constexpr (std::is_floating_point_v<C>)
    return std::numeric_limits<C>::infinity();
  else
    return std::numeric_limits<C>::max();
}

// The type a dtype is computed in.
template <class T> struct compute_of {
  using type = int32_t;
};
template <> struct compute_of<int64_t> {
  using type = int64_t;
};
template <> struct compute_of<float> {
  using type = float;
};
template <> struct compute_of<double> {
  using type = double;
};
template <> struct compute_of<Half> {
  using type = float;
};
template <> struct compute_of<BFloat16> {
  using type = float;
};
template <class T> using compute_t = typename compute_of<T>::type;

template <class C, class T> [[gnu::always_inline]] inline C widen(T v) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    return static_cast<C>(__builtin_bit_cast(float, static_cast<uint32_t>(v.bits) << 16));
  } else if constexpr (std::is_same_v<T, Half>) {
    uint32_t sign = static_cast<uint32_t>(v.bits & 0x8000u) << 16;
    uint32_t magnitude = static_cast<uint32_t>(v.bits & 0x7FFFu) << 13;
    float scaled = __builtin_bit_cast(float, magnitude) * 0x1p112f;
    uint32_t r = (v.bits & 0x7C00u) == 0x7C00u ? (magnitude | 0x7F800000u) : __builtin_bit_cast(uint32_t, scaled);
    return static_cast<C>(__builtin_bit_cast(float, sign | r));
  } else {
    return static_cast<C>(v);
  }
}

// Rounds to nearest even, as Half and BFloat16 do; its own copy so that no shared inline function is compiled here.
// All NaNs become one: which of two NaNs an addition keeps is the compiler's choice.
template <class T, class C> [[gnu::always_inline]] inline T narrow(C v) {
  if constexpr (std::is_same_v<T, BFloat16>) {
    uint32_t u = __builtin_bit_cast(uint32_t, static_cast<float>(v));
    uint32_t rounded = (u + 0x7FFFu + ((u >> 16) & 1u)) >> 16;
    T out;
    out.bits = (u & 0x7FFFFFFFu) > 0x7F800000u ? uint16_t{0x7FC0} : static_cast<uint16_t>(rounded);
    return out;
  } else if constexpr (std::is_same_v<T, Half>) {
    uint32_t u = __builtin_bit_cast(uint32_t, static_cast<float>(v));
    uint32_t sign = (u >> 16) & 0x8000u;
    uint32_t a = u & 0x7FFFFFFFu;
    uint32_t normal = (a + 0xC8000FFFu + ((a >> 13) & 1u)) >> 13;
    uint32_t subnormal = __builtin_bit_cast(uint32_t, __builtin_bit_cast(float, a) + 0.5f) - 0x3F000000u;
    uint32_t r = a < 0x38800000u ? subnormal : normal;
    r = a >= 0x477FF000u ? 0x7C00u : r;
    r = a > 0x7F800000u ? 0x7E00u : r;
    T out;
    out.bits = static_cast<uint16_t>(a > 0x7F800000u ? r : sign | r);
    return out;
  } else if constexpr (std::is_floating_point_v<T>) {
    return v != v ? std::numeric_limits<T>::quiet_NaN() : static_cast<T>(v);
  } else {
    return static_cast<T>(v);
  }
}

// A register's worth of memory, wherever it lies. (A copy of a whole pack is made in pieces of 16 bytes, through the stack.)
template <class C> struct InMemory {
  typedef C type __attribute__((vector_size(kRegBytes), aligned(alignof(C)), may_alias));
};
template <class C> using Line = typename InMemory<C>::type;

template <class C, class T> [[gnu::always_inline]] inline Pack<C> load(const T* p) {
  Pack<C> out;
  if constexpr (std::is_same_v<C, T>) {
#pragma GCC unroll 4
    for (int k = 0; k < kRegs; ++k) out.r[k] = reinterpret_cast<const Line<C>*>(p)[k];
#if defined(__AVX512F__)
  } else if constexpr (std::is_same_v<T, Half> && std::is_same_v<C, float>) {
    out.r[0] =
        (typename Pack<C>::Reg)_mm512_maskz_cvtph_ps(0xFFFF, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  } else if constexpr (std::is_same_v<T, BFloat16> && std::is_same_v<C, float>) {
    __m256i raw = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    out.r[0] = (typename Pack<C>::Reg)_mm512_maskz_slli_epi32(0xFFFF, _mm512_maskz_cvtepu16_epi32(0xFFFF, raw), 16);
#elif defined(__AVX2__)
  } else if constexpr (std::is_same_v<T, Half> && std::is_same_v<C, float>) {
#pragma GCC unroll 4
    for (int k = 0; k < kRegs; ++k) {
      __m128i raw = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 8 * k));
      out.r[k] = (typename Pack<C>::Reg)_mm256_cvtph_ps(raw);
    }
  } else if constexpr (std::is_same_v<T, BFloat16> && std::is_same_v<C, float>) {
#pragma GCC unroll 4
    for (int k = 0; k < kRegs; ++k) {
      __m128i raw = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 8 * k));
      out.r[k] = (typename Pack<C>::Reg)_mm256_slli_epi32(_mm256_cvtepu16_epi32(raw), 16);
    }
#endif
  } else {
    alignas(64) C buffer[kLanes<C>];
    for (int l = 0; l < kLanes<C>; ++l) buffer[l] = widen<C>(p[l]);
#pragma GCC unroll 4
    for (int k = 0; k < kRegs; ++k) out.r[k] = reinterpret_cast<const Line<C>*>(buffer)[k];
  }
  return out;
}

template <class C> [[gnu::always_inline]] inline void store(C* p, const Pack<C>& v) {
#pragma GCC unroll 4
  for (int k = 0; k < kRegs; ++k) reinterpret_cast<Line<C>*>(p)[k] = v.r[k];
}

template <class C> [[gnu::always_inline]] inline Mask<C> lane_numbers() {
  using I = IntOf<C>;
  alignas(64) static constexpr I numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return load<I>(numbers);
}

#if defined(__AVX2__)
// One register from memory that may not be there where mask is 0.
template <class C> [[gnu::always_inline]] inline typename Pack<C>::Reg masked_load(const C* p,
                                                                                   typename Mask<C>::Reg mask) {
  using Reg = typename Pack<C>::Reg;
#if defined(__AVX512F__)
  if constexpr (sizeof(C) == 4)
    return (Reg)_mm512_maskz_loadu_epi32(_mm512_movepi32_mask((__m512i)mask), p);
  else
    return (Reg)_mm512_maskz_loadu_epi64(_mm512_movepi64_mask((__m512i)mask), p);
#else
  if constexpr (sizeof(C) == 4)
    return (Reg)_mm256_maskload_epi32(reinterpret_cast<const int*>(p), (__m256i)mask);
  else
    return (Reg)_mm256_maskload_epi64(reinterpret_cast<const long long*>(p), (__m256i)mask);
#endif
}
#endif

// The first `rest` lanes from memory, fill in the others.
template <class C, class T> [[gnu::always_inline]] inline Pack<C> load_part(const T* p, int64_t rest, C fill) {
  constexpr int lanes = kLanes<C>;
#if defined(__AVX2__)
  if constexpr (std::is_same_v<C, T>) {
    Mask<C> keep = less(lane_numbers<C>(), splat(static_cast<IntOf<C>>(rest)));
    Pack<C> out;
#pragma GCC unroll 4
    for (int k = 0; k < kRegs; ++k)
      out.r[k] = keep.r[k] ? masked_load<C>(p + k * Pack<C>::kRegLanes, keep.r[k]) : splat(fill).r[k];
    return out;
  }
#endif
  alignas(64) C buffer[lanes];
  store(buffer, splat(fill));
#pragma GCC unroll 1
  for (int64_t l = 0; l < rest; ++l) buffer[l] = widen<C>(p[l]);
  return load<C>(buffer);
}
// The first `rest` lanes to memory.
template <class C> [[gnu::always_inline]] inline void store_part(C* p, int64_t rest, const Pack<C>& v) {
#if defined(__AVX2__)
  Mask<C> keep = less(lane_numbers<C>(), splat(static_cast<IntOf<C>>(rest)));
#pragma GCC unroll 4
  for (int k = 0; k < kRegs; ++k) {
    C* to = p + k * Pack<C>::kRegLanes;
#if defined(__AVX512F__)
    if constexpr (sizeof(C) == 4)
      _mm512_mask_storeu_epi32(to, _mm512_movepi32_mask((__m512i)keep.r[k]), (__m512i)v.r[k]);
    else
      _mm512_mask_storeu_epi64(to, _mm512_movepi64_mask((__m512i)keep.r[k]), (__m512i)v.r[k]);
#else
    if constexpr (sizeof(C) == 4)
      _mm256_maskstore_epi32(reinterpret_cast<int*>(to), (__m256i)keep.r[k], (__m256i)v.r[k]);
    else
      _mm256_maskstore_epi64(reinterpret_cast<long long*>(to), (__m256i)keep.r[k], (__m256i)v.r[k]);
#endif
  }
#else
  alignas(64) C buffer[kLanes<C>];
  store(buffer, v);
#pragma GCC unroll 1
  for (int64_t l = 0; l < rest; ++l) p[l] = buffer[l];
#endif
}

// The last `rest` (0 < rest < lanes) of n elements at p, in the upper lanes (the first ones if n < lanes);
// the other lanes hold fill.
template <class C, class T> [[gnu::always_inline]] inline Pack<C> load_tail(const T* p, int64_t n, int64_t rest,
                                                                            C fill) {
  constexpr int lanes = kLanes<C>;
  if (n >= lanes) {
    Mask<C> skip = less(lane_numbers<C>(), splat(static_cast<IntOf<C>>(lanes - rest)));
    return select<C>(skip, splat(fill), load<C>(p + n - lanes));
  }
  return load_part<C>(p, rest, fill);
}

// One half of the lanes of a pack, as a type twice as wide.
template <class W, int half, class C, size_t... I>
[[gnu::always_inline]] inline Pack<W> widen_half(const Pack<C>& x, std::index_sequence<I...>) {
  constexpr int n = static_cast<int>(sizeof...(I));
  Pack<W> out;
#pragma GCC unroll 4
  for (int k = 0; k < kRegs; ++k) {
    const int at = half * kLanes<C> / 2 + k * n;
    const auto reg = x.r[at / Pack<C>::kRegLanes];
    typedef C Narrow __attribute__((vector_size(kRegBytes / 2)));
    Narrow part = at % Pack<C>::kRegLanes == 0 ? __builtin_shufflevector(reg, reg, static_cast<int>(I)...)
                                               : __builtin_shufflevector(reg, reg, static_cast<int>(I) + n...);
    out.r[k] = __builtin_convertvector(part, typename Pack<W>::Reg);
  }
  return out;
}
template <class W, int half, class C> [[gnu::always_inline]] inline Pack<W> widen_half(const Pack<C>& x) {
  return widen_half<W, half>(x, std::make_index_sequence<Pack<C>::kRegLanes / 2>{});
}

// To memory for good: a compiler that sees parts being read keeps a pack in parts, also in the loop before.
template <class C> [[gnu::always_inline]] inline void spill(C* p, const Pack<C>& v) {
  store(p, v);
  asm volatile("" : : "r"(p) : "memory");
}

#if defined(__AVX2__)
// Each register holds rows of Width lanes; of every row its lower and upper half are folded, so that two packs become one.
template <int Width, class C, class F, size_t... I>
[[gnu::always_inline]] inline void join_halves(Pack<C>* rows, const F& fold, std::index_sequence<I...> lanes) {
  constexpr int n = Pack<C>::kRegLanes, half = Width / 2;
  constexpr auto from = [](int i, int upper) {
    return i / (n / 2) * n + i % (n / 2) / half * Width + i % half + upper * half;
  };
  for (int r = 0; r < Width; r += 2) {
    Pack<C> low, high;
#pragma GCC unroll 4
    for (int k = 0; k < kRegs; ++k) {
      low.r[k] = __builtin_shufflevector(rows[r].r[k], rows[r + 1].r[k], from(static_cast<int>(I), 0)...);
      high.r[k] = __builtin_shufflevector(rows[r].r[k], rows[r + 1].r[k], from(static_cast<int>(I), 1)...);
    }
    rows[r / 2] = fold(low, high);
  }
  if constexpr (half > 1) join_halves<half>(rows, fold, lanes);
}
#endif

// rows[r] holds the lanes of row r, as many rows as lanes: afterwards lane r of rows[0] is row r, its lanes joined in the
// order l and l + half for half = lanes / 2, ..., 1.
template <class C, class F> [[gnu::always_inline]] inline void join_lanes(Pack<C>* rows, const F& fold) {
#if defined(__AVX2__)
  constexpr int n = Pack<C>::kRegLanes;
  if constexpr (kRegs == 2) {
    for (int r = 0; r < n; ++r)
      rows[r] = fold(Pack<C>{{rows[r].r[0], rows[r + n].r[0]}}, Pack<C>{{rows[r].r[1], rows[r + n].r[1]}});
  }
  join_halves<n>(rows, fold, std::make_index_sequence<n>{});
#else
  constexpr int lanes = kLanes<C>;
  alignas(64) C table[lanes][lanes];  // [lane][row]
  for (int r = 0; r < lanes; ++r) {
    alignas(64) C row[lanes];
    store(row, rows[r]);
    for (int l = 0; l < lanes; ++l) table[l][r] = row[l];
  }
  for (int half = lanes / 2; half > 0; half /= 2) {
    for (int l = 0; l < half; ++l) store(table[l], fold(load<C>(table[l]), load<C>(table[l + half])));
  }
  rows[0] = load<C>(table[0]);
#endif
}

}  // namespace
}  // namespace rl::cpu::RL_ISA
