// The register-level part of matrix multiplication: vectors, the micro-kernel, packing. Included inside the namespace
// of one instruction set (no include guard is wanted, no include is made here).

#if defined(__AVX512F__)
constexpr int kVecBytes = 64, kRows = 14;
#elif defined(__AVX2__)
constexpr int kVecBytes = 32, kRows = 6;
#elif defined(__aarch64__)
constexpr int kVecBytes = 16, kRows = 8;
#else
constexpr int kVecBytes = 16, kRows = 4;
#endif
constexpr int kVecs = 2;  // vectors in a packed strip of B

template <class P> struct VecOf {
  typedef P type __attribute__((vector_size(kVecBytes)));
  typedef P loose __attribute__((vector_size(kVecBytes), aligned(alignof(P)), may_alias));
};
template <class P> using Vec = typename VecOf<P>::type;
template <class P> constexpr int kLanes = kVecBytes / static_cast<int>(sizeof(P));
template <class P> constexpr int kStrip = kVecs * kLanes<P>;

template <class P> inline Vec<P> load(const P* p) { return *reinterpret_cast<const typename VecOf<P>::loose*>(p); }
template <class P> inline void store(P* p, Vec<P> v) { *reinterpret_cast<typename VecOf<P>::loose*>(p) = v; }
template <class P> inline Vec<P> splat(P x) {
  return x - Vec<P>{};  // folds to a broadcast
}

#if defined(__AVX512F__)
inline Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return _mm512_fmadd_ps(a, b, c); }
inline Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return _mm512_fmadd_pd(a, b, c); }
inline Vec<float> load_part(const float* p, int count) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), p);
}
inline Vec<double> load_part(const double* p, int count) {
  return _mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << count) - 1), p);
}
inline void store_part(float* p, Vec<float> v, int count) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << count) - 1), v);
}
inline void store_part(double* p, Vec<double> v, int count) {
  _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1u << count) - 1), v);
}
#else
#if defined(__AVX2__)
inline Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) { return _mm256_fmadd_ps(a, b, c); }
inline Vec<double> fma(Vec<double> a, Vec<double> b, Vec<double> c) { return _mm256_fmadd_pd(a, b, c); }
// The first `count` lanes: as many bytes of ones stand before the place that is read.
inline __m256i first_lanes(int bytes) {
  static constexpr int8_t kOnes[64] = {-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                                       -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1};
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kOnes + 32 - bytes));
}
inline Vec<float> load_part(const float* p, int count) { return _mm256_maskload_ps(p, first_lanes(4 * count)); }
inline Vec<double> load_part(const double* p, int count) { return _mm256_maskload_pd(p, first_lanes(8 * count)); }
inline void store_part(float* p, Vec<float> v, int count) { _mm256_maskstore_ps(p, first_lanes(4 * count), v); }
inline void store_part(double* p, Vec<double> v, int count) { _mm256_maskstore_pd(p, first_lanes(8 * count), v); }
#elif defined(__x86_64__)
// Without the instruction: the product of two floats is exact in double; rounding the sum to odd first makes the final
// rounding to float the only one.
typedef float Two __attribute__((vector_size(8)));
inline Two fma2(Two a, Two b, Two c) {
  typedef double Wide __attribute__((vector_size(16)));
  typedef int64_t Bits __attribute__((vector_size(16)));
  const Wide x = __builtin_convertvector(a, Wide), y = __builtin_convertvector(b, Wide);
  const Wide z = __builtin_convertvector(c, Wide), p = x * y, s = p + z, t = s - p;
  const Wide error = (p - (s - t)) + (z - t), zero{};
  const Bits u = (Bits)s, inexact = (error > zero) | (error < zero), outwards = (error > zero) == (s > zero);
  const Bits even = (u & 1) - 1;         // all ones where the last bit is 0
  const Bits away = (outwards & 2) - 1;  // 1, or -1
  return __builtin_convertvector((Wide)(u + (inexact & even & away)), Two);
}
inline Vec<float> fma(Vec<float> a, Vec<float> b, Vec<float> c) {
  const auto half = [](Vec<float> v, bool upper) {
    return upper ? __builtin_shufflevector(v, v, 2, 3) : __builtin_shufflevector(v, v, 0, 1);
  };
  const Two low = fma2(half(a, false), half(b, false), half(c, false));
  const Two high = fma2(half(a, true), half(b, true), half(c, true));
  return __builtin_shufflevector(low, high, 0, 1, 2, 3);
}
inline float fma1(float a, float b, float c) { return fma2(Two{a, 0}, Two{b, 0}, Two{c, 0})[0]; }
inline double fma1(double a, double b, double c) { return __builtin_fma(a, b, c); }
#else
inline float fma1(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline double fma1(double a, double b, double c) { return __builtin_fma(a, b, c); }
#endif
#if !defined(__AVX2__)
template <class V> inline V fma(V a, V b, V c) {
  V r;
  for (unsigned i = 0; i < sizeof(V) / sizeof(a[0]); ++i) r[i] = fma1(a[i], b[i], c[i]);
  return r;
}
template <class P> inline Vec<P> load_part(const P* p, int count) {
  Vec<P> v{};
  for (int i = 0; i < kLanes<P>; ++i)
    if (i < count) v[i] = p[i];
  return v;
}
template <class P> inline void store_part(P* p, Vec<P> v, int count) {
  for (int i = 0; i < kLanes<P>; ++i)
    if (i < count) p[i] = v[i];
}
#endif
#endif

inline float fma_one(float a, float b, float c) {
#if defined(__AVX2__) || !defined(__x86_64__)
  return __builtin_fmaf(a, b, c);
#else
  return fma1(a, b, c);
#endif
}
inline double fma_one(double a, double b, double c) { return __builtin_fma(a, b, c); }

// out[i][j] = sum over p of a[i * rs + p * ks] * b[p * bs + j], i < MR, j < (NV - 1) * lanes + tail.
template <class P, int MR, int NV, bool UnitRows>
[[gnu::noinline]] void tile(int64_t depth, const P* a, int64_t rs, int64_t ks, const P* b, int64_t bs, int tail,
                            const TileOut<P>& out) {
  using V = Vec<P>;
  constexpr int L = kLanes<P>;
  V acc[MR][NV];
#pragma GCC unroll 16
  for (int i = 0; i < MR; ++i)
#pragma GCC unroll 8
    for (int v = 0; v < NV; ++v) acc[i][v] = V{};

  // Rows far apart are reached from three pointers, five rows each, so that no address has to be spilled.
  const char* q0 = reinterpret_cast<const char*>(a);
  int64_t r1 = rs * static_cast<int64_t>(sizeof(P)), r3 = 3 * r1;
  const char* q1 = q0 + 5 * r1;
  const char* q2 = q1 + 5 * r1;
  if constexpr (!UnitRows) asm("" : "+r"(q1), "+r"(q2), "+r"(r1), "+r"(r3));
  int64_t step = ks * static_cast<int64_t>(sizeof(P));
  auto element = [&](int i) {
    const char* q = i < 5 ? q0 : i < 10 ? q1 : q2;
    int r = i % 5;
    if constexpr (UnitRows) return *reinterpret_cast<const P*>(q0 + i * static_cast<int>(sizeof(P)));
    return *reinterpret_cast<const P*>(q + (r == 0 ? 0 : r == 1 ? r1 : r == 2 ? 2 * r1 : r == 3 ? r3 : 4 * r1));
  };
  auto run = [&](auto full) {
    for (int64_t p = 0; p < depth; ++p) {
      V bv[NV];
#pragma GCC unroll 8
      for (int v = 0; v < NV; ++v) bv[v] = full || v + 1 < NV ? load(b + v * L) : load_part(b + v * L, tail);
#pragma GCC unroll 16
      for (int i = 0; i < MR; ++i) {
        V x = splat<P>(element(i));
#pragma GCC unroll 8
        for (int v = 0; v < NV; ++v) acc[i][v] = fma(x, bv[v], acc[i][v]);
      }
      q0 += step;
      if constexpr (!UnitRows && MR > 5) q1 += step;
      if constexpr (!UnitRows && MR > 10) q2 += step;
      b += bs;
    }
  };
  if (tail == L)
    run(std::true_type{});
  else
    run(std::false_type{});

  auto each = [&](auto take) {
#pragma GCC unroll 16
    for (int i = 0; i < MR; ++i)
#pragma GCC unroll 8
      for (int v = 0; v < NV; ++v) take(i, v, out.dst + i * out.ld + v * L);
  };
  auto get = [&](const P* p, int v) { return v + 1 < NV || tail == L ? load(p) : load_part(p, tail); };
  V floor = splat<P>(out.floor);
  auto raise = [&](V x) { return x < floor ? floor : x; };
  switch (out.finish) {
    case Finish::add: each([&](int i, int v, const P* d) { acc[i][v] = get(d, v) + acc[i][v]; }); break;
    case Finish::bias: {
      V bias[NV];
#pragma GCC unroll 8
      for (int v = 0; v < NV; ++v) bias[v] = get(out.bias + v * L, v);
      each([&](int i, int v, const P*) { acc[i][v] = raise(acc[i][v] + bias[v]); });
      break;
    }
    case Finish::row_bias:
      each([&](int i, int v, const P*) { acc[i][v] = raise(acc[i][v] + splat<P>(out.bias[i])); });
      break;
    default: break;
  }
  each([&](int i, int v, P* d) {
    if (v + 1 < NV || tail == L)
      store(d, acc[i][v]);
    else
      store_part(d, acc[i][v], tail);
  });
}

// Only float has tiles of its own for adjacent rows: the general ones serve double as well.
template <class P, int NV, bool UnitRows, int... I> constexpr auto tile_table(std::integer_sequence<int, I...>) {
  return std::array<TileFn<P>, sizeof...(I)>{&tile < P, I + 1, NV, UnitRows && std::is_same_v < P, float >> ...};
}
// [vectors - 1][rows are adjacent][rows - 1]
template <class P>
constexpr std::array<std::array<std::array<TileFn<P>, kRows>, 2>, kVecs> kTiles = {{
    {tile_table<P, 1, false>(std::make_integer_sequence<int, kRows>{}),
     tile_table<P, 1, true>(std::make_integer_sequence<int, kRows>{})},
    {tile_table<P, 2, false>(std::make_integer_sequence<int, kRows>{}),
     tile_table<P, 2, true>(std::make_integer_sequence<int, kRows>{})},
}};
constexpr int kWideVecs = 8;  // for a single row: enough columns at once to hide the latency of the additions

#if defined(__AVX2__) && !defined(__AVX512F__)
// What crosses the halves of a register costs most: lines i and i + L / 2 are put side by side first, half by half, the
// rest stays within halves.
template <class P> inline void transpose_within_halves(Vec<P>* r) {
  constexpr int N = kLanes<P> / 2;
#pragma GCC unroll 2
  for (int h = 0; h < 2 * N; h += N) {
    if constexpr (N == 4) {
      const __m256 a = r[h], b = r[h + 1], c = r[h + 2], d = r[h + 3];
      const __m256d ab = (__m256d)_mm256_unpacklo_ps(a, b), cd = (__m256d)_mm256_unpacklo_ps(c, d);
      const __m256d AB = (__m256d)_mm256_unpackhi_ps(a, b), CD = (__m256d)_mm256_unpackhi_ps(c, d);
      r[h] = (__m256)_mm256_unpacklo_pd(ab, cd), r[h + 1] = (__m256)_mm256_unpackhi_pd(ab, cd);
      r[h + 2] = (__m256)_mm256_unpacklo_pd(AB, CD), r[h + 3] = (__m256)_mm256_unpackhi_pd(AB, CD);
    } else {
      const __m256d a = r[h], b = r[h + 1];
      r[h] = _mm256_unpacklo_pd(a, b), r[h + 1] = _mm256_unpackhi_pd(a, b);
    }
  }
}
template <class P> inline void transpose_block(Vec<P>* r) {
  constexpr int N = kLanes<P> / 2;
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) {
    const __m256 low = (__m256)r[i], high = (__m256)r[i + N];
    r[i] = (Vec<P>)_mm256_permute2f128_ps(low, high, 0x20);
    r[i + N] = (Vec<P>)_mm256_permute2f128_ps(low, high, 0x31);
  }
  transpose_within_halves<P>(r);
}
// r[p] = element p of each of L lines.
template <class P> inline void load_transposed(const P* lines, int64_t stride, Vec<P>* r) {
  constexpr int N = kLanes<P> / 2;
#pragma GCC unroll 4
  for (int i = 0; i < N; ++i) {
    const auto *low = reinterpret_cast<const float*>(lines + i * stride),
               *high = reinterpret_cast<const float*>(lines + (i + N) * stride);
    const auto pair = [](const float* x, const float* y) {
      return (Vec<P>)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(x)), _mm_loadu_ps(y), 1);
    };
    r[i] = pair(low, high);
    r[i + N] = pair(low + 4, high + 4);
  }
  transpose_within_halves<P>(r);
}
#else
// In-register transposition of L x L blocks, by log2(L) rounds of interleaving.
template <class P> inline void transpose_block(Vec<P>* r) {
  constexpr int L = kLanes<P>;
  using I = std::conditional_t<sizeof(P) == 4, int32_t, int64_t>;
  typedef I VI __attribute__((vector_size(kVecBytes)));
  [[maybe_unused]] VI low, high;
  for (int i = 0; i < L; ++i) {
    low[i] = (i & 1) ? L + i / 2 : i / 2;
    high[i] = low[i] + L / 2;
  }
#pragma GCC unroll 4
  for (int round = 1; round < L; round *= 2) {
    Vec<P> s[L];
#pragma GCC unroll 16
    for (int i = 0; i < L / 2; ++i) {
#if defined(__clang__)
      for (int l = 0; l < L; ++l) {
        s[2 * i][l] = (l & 1) ? r[i + L / 2][l / 2] : r[i][l / 2];
        s[2 * i + 1][l] = (l & 1) ? r[i + L / 2][L / 2 + l / 2] : r[i][L / 2 + l / 2];
      }
#else
      s[2 * i] = __builtin_shuffle(r[i], r[i + L / 2], low);
      s[2 * i + 1] = __builtin_shuffle(r[i], r[i + L / 2], high);
#endif
    }
#pragma GCC unroll 16
    for (int i = 0; i < L; ++i) r[i] = s[i];
  }
}
template <class P> inline void load_transposed(const P* lines, int64_t stride, Vec<P>* r) {
#pragma GCC unroll 16
  for (int i = 0; i < kLanes<P>; ++i) r[i] = load(lines + i * stride);
  transpose_block<P>(r);
}
#endif

// out[p * width + i] = src[i * line_stride + p * k_stride]; zeros for i in [lines, width).
template <class T, class P>
void pack_lines(const T* src, int64_t line_stride, int64_t k_stride, int64_t lines, int64_t width, int64_t depth,
                P* out) {
  if (line_stride == 1) {
    for (int64_t p = 0; p < depth; ++p, out += width) {
      const T* s = src + p * k_stride;
      if (std::is_same_v<T, P> && lines == kStrip<P> && width == kStrip<P>) {
        for (int v = 0; v < kVecs; ++v)
          store<P>(out + v * kLanes<P>, load<P>(reinterpret_cast<const P*>(s) + v * kLanes<P>));
        continue;
      }
      for (int64_t i = 0; i < lines; ++i) out[i] = static_cast<P>(s[i]);
      for (int64_t i = lines; i < width; ++i) out[i] = P(0);
    }
    return;
  }
  int64_t done = 0;
  if constexpr (std::is_same_v<T, P>) {
    constexpr int L = kLanes<P>;
    if (k_stride == 1) {
      for (; done + L <= depth; done += L) {
        for (int64_t i0 = 0; i0 < width; i0 += L) {
          // Lines far apart are nothing that the machine foresees.
          if (done % (64 / static_cast<int>(sizeof(P))) == 0)
            for (int64_t i = i0; i < std::min(i0 + L, lines); ++i)
              __builtin_prefetch(src + i * line_stride + done + 256 / sizeof(P));
          Vec<P> r[L];
          if (i0 + L <= lines) {
            load_transposed<P>(src + i0 * line_stride + done, line_stride, r);
          } else {
#pragma GCC unroll 16
            for (int i = 0; i < L; ++i) r[i] = i0 + i < lines ? load(src + (i0 + i) * line_stride + done) : Vec<P>{};
            transpose_block<P>(r);
          }
          P* o = out + done * width + i0;
          if (i0 + L <= width) {
#pragma GCC unroll 16
            for (int p = 0; p < L; ++p) store(o + p * width, r[p]);
          } else {
            int part = static_cast<int>(width - i0);
#pragma GCC unroll 16
            for (int p = 0; p < L; ++p) store_part(o + p * width, r[p], part);
          }
        }
      }
    }
  }
  for (int64_t p = done; p < depth; ++p) {
    const T* s = src + p * k_stride;
    for (int64_t i = 0; i < lines; ++i) out[p * width + i] = static_cast<P>(s[i * line_stride]);
    for (int64_t i = lines; i < width; ++i) out[p * width + i] = P(0);
  }
}
