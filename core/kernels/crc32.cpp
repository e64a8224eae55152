#include "kernels/crc32.h"

#include <array>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace rl {
namespace {

// kTables[k][b]: the checksum register after byte b and k zero bytes. Eight of them take eight bytes a step.
constexpr auto kTables = [] {
  std::array<std::array<uint32_t, 256>, 8> t{};
  for (uint32_t b = 0; b < 256; ++b) {
    uint32_t r = b;
    for (int i = 0; i < 8; ++i) r = r & 1 ? r >> 1 ^ 0xEDB88320u : r >> 1;
    t[0][b] = r;
  }
  for (int k = 1; k < 8; ++k)
    for (uint32_t b = 0; b < 256; ++b) t[k][b] = t[k - 1][b] >> 8 ^ t[0][t[k - 1][b] & 0xFF];
  return t;
}();

uint32_t by_table(uint32_t r, const unsigned char* p, size_t n) {
  for (; n >= 8; p += 8, n -= 8) {
    uint32_t next = 0;
    for (int i = 0; i < 8; ++i) next ^= kTables[7 - i][p[i] ^ (i < 4 ? r >> 8 * i & 0xFF : 0)];
    r = next;
  }
  for (; n; ++p, --n) r = r >> 8 ^ kTables[0][(r ^ *p) & 0xFF];
  return r;
}

#if defined(__x86_64__)
#define RL_PRODUCTS __attribute__((target("pclmul,sse4.1")))
#define RL_WIDE_PRODUCTS __attribute__((target("pclmul,sse4.1,avx512f,vpclmulqdq")))

// x^n mod P, where bit 31 is the constant term.
constexpr uint32_t power_of_x(int n) {
  uint32_t r = 1u << 31;
  for (int i = 0; i < n; ++i) r = r & 1 ? r >> 1 ^ 0xEDB88320u : r >> 1;
  return r;
}

// What moves 16 bytes on by `bits` bits: their halves times the low and the high number.
struct Powers {
  int64_t low, high;
  explicit constexpr Powers(int bits)
      : low(int64_t{power_of_x(bits + 32)} << 1), high(int64_t{power_of_x(bits - 32)} << 1) {}
};
constexpr Powers kBy128(128), kBy512(512), kBy2048(2048);

RL_PRODUCTS inline __m128i load16(const unsigned char* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}
RL_PRODUCTS inline __m128i fold(__m128i x, __m128i powers, __m128i next) {
  __m128i low = _mm_clmulepi64_si128(x, powers, 0x00), high = _mm_clmulepi64_si128(x, powers, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

// Carry-less products: 16 bytes times x^n mod P, added to the 16 bytes that come n bits later, leave the checksum as it
// was (V. Gopal et al., Fast CRC Computation for Generic Polynomials Using PCLMULQDQ, 2009). From four neighbouring blocks
// of 16 bytes and what follows them, whole blocks too.
RL_PRODUCTS uint32_t finish(__m128i a, __m128i b, __m128i c, __m128i d, const unsigned char* p, size_t n) {
  const __m128i by512 = _mm_set_epi64x(kBy512.high, kBy512.low), by128 = _mm_set_epi64x(kBy128.high, kBy128.low);
  for (; n >= 64; p += 64, n -= 64) {
    a = fold(a, by512, load16(p));
    b = fold(b, by512, load16(p + 16));
    c = fold(c, by512, load16(p + 32));
    d = fold(d, by512, load16(p + 48));
  }
  a = fold(fold(fold(a, by128, b), by128, c), by128, d);
  for (; n; p += 16, n -= 16) a = fold(a, by128, load16(p));
  unsigned char rest[16];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(rest), a);
  return by_table(0, rest, sizeof rest);
}

// At least 64 bytes.
RL_PRODUCTS uint32_t by_products(uint32_t r, const unsigned char* p, size_t n) {
  __m128i a = _mm_xor_si128(load16(p), _mm_cvtsi32_si128(static_cast<int>(r)));
  return finish(a, load16(p + 16), load16(p + 32), load16(p + 48), p + 64, n - 64);
}

RL_WIDE_PRODUCTS inline __m512i fold(__m512i x, __m512i powers, __m512i next) {
  return _mm512_ternarylogic_epi64(_mm512_clmulepi64_epi128(x, powers, 0x00), _mm512_clmulepi64_epi128(x, powers, 0x11),
                                   next, 0x96);
}

// The same with four times as many side by side; at least 256 bytes.
RL_WIDE_PRODUCTS uint32_t by_wide_products(uint32_t r, const unsigned char* p, size_t n) {
  const __m512i by2048 = _mm512_maskz_broadcast_i32x4(0xFFFF, _mm_set_epi64x(kBy2048.high, kBy2048.low)),
                by512 = _mm512_maskz_broadcast_i32x4(0xFFFF, _mm_set_epi64x(kBy512.high, kBy512.low));
  __m512i a = _mm512_xor_si512(_mm512_loadu_si512(p), _mm512_zextsi128_si512(_mm_cvtsi32_si128(static_cast<int>(r)))),
          b = _mm512_loadu_si512(p + 64), c = _mm512_loadu_si512(p + 128), d = _mm512_loadu_si512(p + 192);
  for (p += 256, n -= 256; n >= 256; p += 256, n -= 256) {
    a = fold(a, by2048, _mm512_loadu_si512(p));
    b = fold(b, by2048, _mm512_loadu_si512(p + 64));
    c = fold(c, by2048, _mm512_loadu_si512(p + 128));
    d = fold(d, by2048, _mm512_loadu_si512(p + 192));
  }
  a = fold(fold(fold(a, by512, b), by512, c), by512, d);
  alignas(64) unsigned char last[64];
  _mm512_store_si512(last, a);
  return finish(load16(last), load16(last + 16), load16(last + 32), load16(last + 48), p, n);
}

#undef RL_PRODUCTS
#undef RL_WIDE_PRODUCTS
#endif

// The product of two polynomials mod P. Bit 31 is the constant term.
uint32_t times(uint32_t a, uint32_t b) {
  uint32_t product = 0;
  for (; a; a <<= 1) {
    if (a >> 31) product ^= b;
    b = b & 1 ? b >> 1 ^ 0xEDB88320u : b >> 1;
  }
  return product;
}

}  // namespace

uint32_t crc32_joined(uint32_t first, uint32_t second, size_t second_bytes) {
  uint32_t shift = 1u << 31, power = 1u << 23;  // x^0, x^8
  for (size_t n = second_bytes; n; n >>= 1, power = times(power, power))
    if (n & 1) shift = times(shift, power);
  return times(shift, first) ^ second;
}

uint32_t crc32(uint32_t crc, const void* data, size_t bytes) {
  auto* p = static_cast<const unsigned char*>(data);
  uint32_t r = ~crc;
#if defined(__x86_64__)
  static const bool products = __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("sse4.1");
  static const bool wide = products && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("vpclmulqdq");
  if (size_t whole = bytes & ~size_t{15}; products && whole >= 64) {
    r = wide && whole >= 256 ? by_wide_products(r, p, whole) : by_products(r, p, whole);
    p += whole;
    bytes -= whole;
  }
#endif
  return ~by_table(r, p, bytes);
}

}  // namespace rl
