#include "kernels/crc32.h"

#include <array>
#include <cstring>

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
__attribute__((target("pclmul,sse4.1"))) __m128i fold(__m128i x, __m128i powers, __m128i next) {
  __m128i low = _mm_clmulepi64_si128(x, powers, 0x00), high = _mm_clmulepi64_si128(x, powers, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

// Carry-less products: 16 bytes times x^n mod P, added to the 16 bytes that come n bits later, leave the checksum as it
// was (V. Gopal et al., Fast CRC Computation for Generic Polynomials Using PCLMULQDQ, 2009). Takes at least 64 bytes and
// whole blocks of 16.
__attribute__((target("pclmul,sse4.1"))) uint32_t by_products(uint32_t r, const unsigned char* p, size_t n) {
  const __m128i by512 = _mm_set_epi64x(0x1c6e41596, 0x154442bd4), by128 = _mm_set_epi64x(0x0ccaa009e, 0x1751997d0);
  auto load = [](const unsigned char* from) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from)); };
  __m128i a = _mm_xor_si128(load(p), _mm_cvtsi32_si128(static_cast<int>(r))), b = load(p + 16), c = load(p + 32),
          d = load(p + 48);
  for (p += 64, n -= 64; n >= 64; p += 64, n -= 64) {
    a = fold(a, by512, load(p));
    b = fold(b, by512, load(p + 16));
    c = fold(c, by512, load(p + 32));
    d = fold(d, by512, load(p + 48));
  }
  a = fold(fold(fold(a, by128, b), by128, c), by128, d);
  for (; n; p += 16, n -= 16) a = fold(a, by128, load(p));
  unsigned char rest[16];
  _mm_storeu_si128(reinterpret_cast<__m128i*>(rest), a);
  return by_table(0, rest, sizeof rest);
}
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
  if (size_t whole = bytes & ~size_t{15}; products && whole >= 64) {
    r = by_products(r, p, whole);
    p += whole;
    bytes -= whole;
  }
#endif
  return ~by_table(r, p, bytes);
}

}  // namespace rl
