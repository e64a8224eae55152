#include "kernels/stream.h"

#include <cstring>
#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace rl::cpu::RL_ISA {
namespace {

constexpr int64_t kLine = 64;

inline void stream_line(char* to, const char* from) {
#if defined(__AVX512F__)
  _mm512_stream_si512(reinterpret_cast<__m512i*>(to), _mm512_loadu_si512(from));
#elif defined(__AVX2__)
  const auto* s = reinterpret_cast<const __m256i*>(from);
  auto* d = reinterpret_cast<__m256i*>(to);
  _mm256_stream_si256(d, _mm256_loadu_si256(s));
  _mm256_stream_si256(d + 1, _mm256_loadu_si256(s + 1));
#elif defined(__SSE2__)
  const auto* s = reinterpret_cast<const __m128i*>(from);
  auto* d = reinterpret_cast<__m128i*>(to);
  for (int i = 0; i < 4; ++i) _mm_stream_si128(d + i, _mm_loadu_si128(s + i));
#else
  std::memcpy(to, from, kLine);
#endif
}

void lines(char* to, const char* from, int64_t count, const Ahead* ahead, int inputs) {
  if (inputs > kStreamInputs) inputs = kStreamInputs;
  if (inputs == 0) {
    for (int64_t i = 0; i < count; ++i) stream_line(to + i * kLine, from + i * kLine);
    return;
  }
  int64_t reached[kStreamInputs] = {};
  for (int64_t i = 0; i < count; ++i) {
    for (int k = 0; k < inputs; ++k)
      for (; reached[k] < (i + 1) * ahead[k].per_line; reached[k] += kLine)
        __builtin_prefetch(ahead[k].from + reached[k]);
    stream_line(to + i * kLine, from + i * kLine);
  }
}

}  // namespace

const StreamTable stream_table = {lines};

}  // namespace rl::cpu::RL_ISA
