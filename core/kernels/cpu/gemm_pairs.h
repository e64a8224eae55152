// Products of bfloat16 two at a time, on machines with AVX512-BF16. Its instruction adds to each sum the product of the
// upper halves of two words, then that of the lower ones, each rounded as a fused multiply-add rounds. So a panel's word
// holds two neighbours along k, the first one above, and a sum has the bits that float panels give it. What the
// instruction lacks are numbers below 2^-126: panels in which a product could reach below go the other way.
// Included like gemm_micro.h.

// Of the numbers in an operand's panels, zeros aside; panels are packed by several threads.
struct LeastExponent {
  int value = 512;
  void take(int exponent) {
    int known = __atomic_load_n(&value, __ATOMIC_RELAXED);
    while (exponent < known &&
           !__atomic_compare_exchange_n(&value, &known, exponent, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
  }
};

#if defined(__AVX512F__)
inline __m512 dot_pairs(__m512 sum, __m512i a, __m512i b) {
  asm("vdpbf16ps %2, %1, %0" : "+v"(sum) : "v"(a), "v"(b));
  return sum;
}

// Whether the machine has the instruction, and adds in the order that it is documented to add in.
inline bool has_pairs() {
  static const bool answer = [] {
    if (!__builtin_cpu_supports("avx512bf16")) return false;
    constexpr uint32_t one = 0x3F80, tiny = 0x3340, minus = 0xBF80;  // 1, 3 * 2^-26, -1
    auto sum = [](float start, uint32_t first, uint32_t second) {
      __m512 s = dot_pairs(_mm512_set1_ps(start), _mm512_set1_epi32(static_cast<int>(first << 16 | second)),
                           _mm512_set1_epi32(static_cast<int>(one << 16 | one)));
      return _mm512_cvtss_f32(s);
    };
    return sum(1, tiny, tiny) == 1 && sum(1, minus, tiny) == 0x1.8p-25f && sum(1, tiny, minus) == 0 &&
           sum(0x1.8p-25f, one, minus) == 0;
  }();
  return answer;
}

// tile of a packed A and a packed strip of B, words of pairs both, into rows of kStrip<float> sums.
template <int MR> [[gnu::noinline]] void pair_tile(int64_t steps, const float* a, const float* b, float* sums) {
  __m512 acc[MR][kVecs];
#pragma GCC unroll 16
  for (int i = 0; i < MR; ++i)
#pragma GCC unroll 2
    for (int v = 0; v < kVecs; ++v) acc[i][v] = _mm512_setzero_ps();
  for (int64_t p = 0; p < steps; ++p, a += MR, b += kStrip<float>) {
    __m512i bv[kVecs];
#pragma GCC unroll 2
    for (int v = 0; v < kVecs; ++v) bv[v] = _mm512_loadu_si512(b + v * kLanes<float>);
#pragma GCC unroll 16
    for (int i = 0; i < MR; ++i) {
      const __m512i x = _mm512_castps_si512(_mm512_set1_ps(a[i]));
#pragma GCC unroll 2
      for (int v = 0; v < kVecs; ++v) acc[i][v] = dot_pairs(acc[i][v], x, bv[v]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < MR; ++i)
#pragma GCC unroll 2
    for (int v = 0; v < kVecs; ++v) _mm512_storeu_ps(sums + i * kStrip<float> + v * kLanes<float>, acc[i][v]);
}

using PairTileFn = void (*)(int64_t, const float*, const float*, float*);
template <int... I> constexpr std::array<PairTileFn, kRows> pair_tiles(std::integer_sequence<int, I...>) {
  return {&pair_tile<I + 1>...};
}
constexpr std::array<PairTileFn, kRows> kPairTiles = pair_tiles(std::make_integer_sequence<int, kRows>{});

inline __m512i as_upper_halves(__m512 x) {  // rounded to nearest even; a NaN as BFloat16 has it
  const __m512i u = _mm512_castps_si512(x);
  const __m512i odd = _mm512_and_si512(_mm512_maskz_srli_epi32(0xFFFF, u, 16), _mm512_set1_epi32(1));
  const __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(u, _mm512_set1_epi32(0x7FFF)), odd);
  return _mm512_mask_mov_epi32(rounded, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), _mm512_set1_epi32(0x7FC00000));
}

// How a tile of sums leaves where nothing but a bias is added: finish_tile in a few instructions a row.
struct PairFinish {
  const float* before;  // sums of earlier blocks of k, or null
  float* later;         // where they go when this is not the last one, else null
  int64_t ld;           // of both
  const BFloat16* bias;
  BFloat16* c;
  int64_t c_ld;
};
[[gnu::noinline]] inline void finish_pairs(const float* sums, int64_t rows, int64_t cols, const PairFinish& to) {
  const __mmask32 all = static_cast<__mmask32>((uint64_t{1} << cols) - 1);
  const __mmask16 keep[kVecs] = {static_cast<__mmask16>(all), static_cast<__mmask16>(all >> 16)};
  alignas(64) uint16_t odd[32];  // the upper half of each word, of one register and then the other
  for (int i = 0; i < 32; ++i) odd[i] = static_cast<uint16_t>(2 * i + 1);
  const __m512i upper = _mm512_load_si512(odd);
  __m512 bias[kVecs] = {_mm512_setzero_ps(), _mm512_setzero_ps()};
  if (to.bias) {
    alignas(64) float values[kStrip<float>] = {};
    for (int64_t j = 0; j < cols; ++j) values[j] = static_cast<float>(to.bias[j]);
    for (int v = 0; v < kVecs; ++v) bias[v] = _mm512_load_ps(values + v * kLanes<float>);
  }
  for (int64_t i = 0; i < rows; ++i) {
    __m512 x[kVecs];
#pragma GCC unroll 2
    for (int v = 0; v < kVecs; ++v) {
      x[v] = _mm512_loadu_ps(sums + i * kStrip<float> + v * kLanes<float>);
      if (to.before)
        x[v] = _mm512_add_ps(_mm512_maskz_loadu_ps(keep[v], to.before + i * to.ld + v * kLanes<float>), x[v]);
      if (to.later) _mm512_mask_storeu_ps(to.later + i * to.ld + v * kLanes<float>, keep[v], x[v]);
      if (to.bias) x[v] = _mm512_add_ps(x[v], bias[v]);
    }
    if (to.later) continue;
    const __m512i both = _mm512_permutex2var_epi16(as_upper_halves(x[0]), upper, as_upper_halves(x[1]));
    _mm512_mask_storeu_epi16(to.c + i * to.c_ld, all, both);
  }
}

// The least exponent of a panel's numbers other than 0, as it is stored; 0 for a subnormal one.
inline int least_exponent(const float* panel, int64_t words) {
  const auto* bits = reinterpret_cast<const char*>(panel);
  const __m512i magnitude = _mm512_set1_epi16(0x7FFF), one = _mm512_set1_epi16(1);
  __m512i least = _mm512_set1_epi16(-1);
  int64_t i = 0;
  for (; i + 16 <= words; i += 16)  // a zero becomes the largest of all
    least =
        _mm512_min_epu16(least, _mm512_sub_epi16(_mm512_and_si512(_mm512_loadu_si512(bits + 4 * i), magnitude), one));
  if (i < words) {
    const __m512i rest = _mm512_maskz_loadu_epi32(static_cast<__mmask16>((1u << (words - i)) - 1), bits + 4 * i);
    least = _mm512_min_epu16(least, _mm512_sub_epi16(_mm512_and_si512(rest, magnitude), one));
  }
  alignas(64) uint16_t lanes[32];
  _mm512_store_si512(lanes, least);
  uint16_t result = lanes[0];
  for (uint16_t x : lanes) result = std::min(result, x);
  return (result + 1) >> 7;  // 512 where all are zero
}

// As pack_lines, in words: out[p * width + i] has elements 2p and 2p + 1 of line i, zero beyond depth.
[[gnu::noinline]] inline void pack_pairs(const BFloat16* source, int64_t line_stride, int64_t k_stride, int64_t lines,
                                         int64_t width, int64_t depth, float* panel, LeastExponent& least) {
  const auto* src = reinterpret_cast<const uint16_t*>(source);
  typedef uint32_t Word __attribute__((may_alias));
  auto* out = reinterpret_cast<Word*>(panel);
  constexpr int L = kLanes<float>;
  int64_t done = 0;
  if (line_stride == 1) {
    for (; done + 1 < depth; done += 2, out += width) {
      const uint16_t *s = src + done * k_stride, *t = s + k_stride;
      int64_t i = 0;
      for (; i + L <= lines; i += L) {
        const __m512i high =
            _mm512_maskz_cvtepu16_epi32(0xFFFF, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(s + i)));
        const __m512i low =
            _mm512_maskz_cvtepu16_epi32(0xFFFF, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(t + i)));
        _mm512_storeu_si512(out + i, _mm512_or_si512(_mm512_maskz_slli_epi32(0xFFFF, high, 16), low));
      }
      for (; i < lines; ++i) out[i] = static_cast<uint32_t>(s[i]) << 16 | t[i];
      for (; i < width; ++i) out[i] = 0;
    }
  } else if (k_stride == 1) {
    for (; done + 2 * L <= depth; done += 2 * L, out += L * width) {
      for (int64_t i0 = 0; i0 < width; i0 += L) {
        for (int64_t i = i0; i < std::min(i0 + L, lines); ++i) __builtin_prefetch(src + i * line_stride + done + 8 * L);
        Vec<float> r[L];
#pragma GCC unroll 16
        for (int i = 0; i < L; ++i)
          r[i] = i0 + i < lines ? reinterpret_cast<Vec<float>>(_mm512_maskz_rol_epi32(
                                      0xFFFF, _mm512_loadu_si512(src + (i0 + i) * line_stride + done), 16))
                                : Vec<float>{};
        transpose_block<float>(r);
        const int part = static_cast<int>(std::min<int64_t>(L, width - i0));
#pragma GCC unroll 16
        for (int p = 0; p < L; ++p) store_part(reinterpret_cast<float*>(out) + p * width + i0, r[p], part);
      }
    }
  }
  for (; done < depth; done += 2, out += width) {
    const uint16_t* s = src + done * k_stride;
    for (int64_t i = 0; i < lines; ++i) {
      const uint16_t* line = s + i * line_stride;
      out[i] = static_cast<uint32_t>(*line) << 16 | (done + 1 < depth ? line[k_stride] : 0u);
    }
    for (int64_t i = lines; i < width; ++i) out[i] = 0;
  }
  least.take(least_exponent(panel, width * ((depth + 1) / 2)));
}

// Every product is a multiple of 2^-126, and so is every sum of them, however it is rounded.
inline bool pairs_are_exact(int least_a, int least_b) { return least_a > 0 && least_b > 0 && least_a + least_b >= 142; }
#else
constexpr bool has_pairs() { return false; }
constexpr bool pairs_are_exact(int, int) { return false; }
inline void pack_pairs(const BFloat16*, int64_t, int64_t, int64_t, int64_t, int64_t, float*, LeastExponent&) {}
#endif
