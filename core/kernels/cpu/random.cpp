#include "kernels/random_table.h"

namespace rl::cpu::RL_ISA {
namespace {

inline float u24(uint32_t word) { return static_cast<float>(static_cast<int32_t>(word & 0xFFFFFFu)) * 0x1p-24f; }

// Exponent tricks instead of a conversion, which AVX2 lacks for 64-bit integers; the sum is exact.
inline double u53(const uint32_t* words) {
  double low = __builtin_bit_cast(double, uint64_t{words[1]} | 0x4330000000000000u) - 0x1p52;
  double high = __builtin_bit_cast(double, uint64_t{words[0] & 0x1FFFFFu} | 0x4530000000000000u) - 0x1p84;
  return (high + low) * 0x1p-53;
}

// The interval is half open: a value that rounds up to its end becomes its start.
void uniform_f32(const uint32_t* words, float* out, int64_t n, float from, float width, float end) {
  for (int64_t i = 0; i < n; ++i) {
    float value = __builtin_fmaf(u24(words[i]), width, from);
    out[i] = value == end ? from : value;
  }
}

void uniform_f64(const uint32_t* words, double* out, int64_t n, double from, double width, double end) {
  for (int64_t i = 0; i < n; ++i) {
    double value = __builtin_fma(u53(words + 2 * i), width, from);
    out[i] = value == end ? from : value;
  }
}

// The Cephes logarithm for normal x > 0 (S. Moshier, netlib.org/cephes).
inline float log_positive(float x) {
  uint32_t bits = __builtin_bit_cast(uint32_t, x);
  float e = static_cast<float>(static_cast<int32_t>(bits >> 23) - 126);
  float m = __builtin_bit_cast(float, (bits & 0x007FFFFFu) | 0x3F000000u);
  bool small = m < 0.707106781186547524f;
  e = small ? e - 1.0f : e;
  m = small ? (m - 1.0f) + m : m - 1.0f;
  float z = m * m;
  float y = 7.0376836292e-2f;
  y = __builtin_fmaf(y, m, -1.1514610310e-1f);
  y = __builtin_fmaf(y, m, 1.1676998740e-1f);
  y = __builtin_fmaf(y, m, -1.2420140846e-1f);
  y = __builtin_fmaf(y, m, 1.4249322787e-1f);
  y = __builtin_fmaf(y, m, -1.6668057665e-1f);
  y = __builtin_fmaf(y, m, 2.0000714765e-1f);
  y = __builtin_fmaf(y, m, -2.4999993993e-1f);
  y = __builtin_fmaf(y, m, 3.3333331174e-1f);
  y *= m;
  y = __builtin_fmaf(y, z, e * -2.12194440e-4f);
  y -= z * 0.5f;
  return __builtin_fmaf(e, 0.693359375f, m + y);
}

// The Cephes sine and cosine for 0 <= theta < 2 pi.
inline void sin_cos(float theta, float& sine, float& cosine) {
  int32_t j = (static_cast<int32_t>(theta * 1.27323954473516f) + 1) & ~1;
  float octant = static_cast<float>(j);
  float x = __builtin_fmaf(octant, -0.78515625f, theta);
  x = __builtin_fmaf(octant, -2.4187564849853515625e-4f, x);
  x = __builtin_fmaf(octant, -3.77489497744594108e-8f, x);
  float z = x * x;
  float c = __builtin_fmaf(2.443315711809948e-5f, z, -1.388731625493765e-3f);
  c = __builtin_fmaf(c, z, 4.166664568298827e-2f);
  c *= z;
  c = __builtin_fmaf(c, z, z * -0.5f);
  c += 1.0f;
  float s = __builtin_fmaf(-1.9515295891e-4f, z, 8.3321608736e-3f);
  s = __builtin_fmaf(s, z, -1.6666654611e-1f);
  s *= z;
  s = __builtin_fmaf(s, x, x);
  bool swap = (j & 2) != 0;
  uint32_t sine_bits = __builtin_bit_cast(uint32_t, swap ? c : s);
  uint32_t cosine_bits = __builtin_bit_cast(uint32_t, swap ? s : c);
  sine = __builtin_bit_cast(float, sine_bits ^ (static_cast<uint32_t>(j & 4) << 29));
  cosine = __builtin_bit_cast(float, cosine_bits ^ (static_cast<uint32_t>(~(j - 2) & 4) << 29));
}

void normal_f32(const uint32_t* words, float* out, int64_t n, float mean, float std) {
  constexpr int kBlocks = 32;
  constexpr float kTwoPi = 6.283185307179586f;
  while (n > 0) {
    int blocks = n >= 16 * kBlocks ? kBlocks : static_cast<int>(n / 16);
    float first[8 * kBlocks], second[8 * kBlocks];
    for (int b = 0; b < blocks; ++b) {
      for (int k = 0; k < 8; ++k) {
        first[8 * b + k] = 1.0f - u24(words[16 * b + k]);
        second[8 * b + k] = u24(words[16 * b + 8 + k]);
      }
    }
    for (int i = 0; i < 8 * blocks; ++i) {
      float radius = __builtin_sqrtf(-2.0f * log_positive(first[i]));
      float sine, cosine;
      sin_cos(kTwoPi * second[i], sine, cosine);
      first[i] = __builtin_fmaf(radius * cosine, std, mean);
      second[i] = __builtin_fmaf(radius * sine, std, mean);
    }
    for (int b = 0; b < blocks; ++b) {
      for (int k = 0; k < 8; ++k) {
        out[16 * b + k] = first[8 * b + k];
        out[16 * b + 8 + k] = second[8 * b + k];
      }
    }
    words += 16 * blocks;
    out += 16 * blocks;
    n -= 16 * blocks;
  }
}

void below_u53(const uint32_t* __restrict words, uint8_t* __restrict out, int64_t n, int64_t threshold) {
  auto high_limit = static_cast<uint32_t>(threshold >> 32), low_limit = static_cast<uint32_t>(threshold);
  for (int64_t i = 0; i < n; ++i) {
    uint32_t high = words[2 * i] & 0x1FFFFFu, low = words[2 * i + 1];
    out[i] = static_cast<uint8_t>((high < high_limit) | ((high == high_limit) & (low < low_limit)));
  }
}

}  // namespace

extern const RandomTable random_table = {uniform_f32, uniform_f64, normal_f32, below_u53};

}  // namespace rl::cpu::RL_ISA
