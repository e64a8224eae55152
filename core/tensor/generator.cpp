#include "tensor/generator.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

#include "runtime/error.h"
#include "runtime/meta.h"

// Integer work only, so every variant gives the same words. (Resolving a clone runs before a sanitizer is ready.)
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define RL_WIDE __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define RL_WIDE
#endif

namespace rl {
namespace {

constexpr int kN = 624;
constexpr int kM = 397;

inline uint32_t twist(uint32_t u, uint32_t v) {
  uint32_t mixed = (u & 0x80000000u) | (v & 0x7fffffffu);
  return (mixed >> 1) ^ (-(v & 1u) & 0x9908b0dfu);
}

RL_WIDE void next_words(uint32_t* __restrict w) {
  for (int i = 0; i < kN - kM; ++i) w[i] = w[i + kM] ^ twist(w[i], w[i + 1]);
  // A word depends on one 227 places back; blocks of 64 tell the compiler that lanes do not depend on each other.
  int i = kN - kM;
  for (; i + 64 <= kN - 1; i += 64) {
    uint32_t made[64];
    for (int k = 0; k < 64; ++k) made[k] = w[i + k + kM - kN] ^ twist(w[i + k], w[i + k + 1]);
    std::memcpy(w + i, made, sizeof made);
  }
  for (; i < kN - 1; ++i) w[i] = w[i + kM - kN] ^ twist(w[i], w[i + 1]);
  w[kN - 1] = w[kM - 1] ^ twist(w[kN - 1], w[0]);
}

RL_WIDE void temper_words(const uint32_t* __restrict in, uint32_t* __restrict out, int64_t n) {
  for (int64_t i = 0; i < n; ++i) {
    uint32_t y = in[i];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    out[i] = y ^ (y >> 18);
  }
}

// The saved state: a little-endian structure with the words widened to 64 bits.
constexpr size_t kSeedAt = 0, kLeftAt = 8, kSeededAt = 12, kNextAt = 16, kWordsAt = 24, kNormalAt = 5024,
                 kHasNormalAt = 5040, kFloatNormalAt = 5048, kHasFloatNormalAt = 5052;

template <class T> void put(Generator::State& state, size_t at, T value) {
  std::memcpy(state.data() + at, &value, sizeof value);
}
template <class T> T get(const uint8_t* state, size_t at) {
  T value;
  std::memcpy(&value, state + at, sizeof value);
  return value;
}

}  // namespace

Generator& Generator::operator=(const Generator& other) {
  seed_ = other.seed_;
  left_ = other.left_;
  next_ = other.next_;
  std::copy_n(other.words_, kWords, words_);
  normal_ = other.normal_;
  has_normal_ = other.has_normal_;
  float_normal_ = other.float_normal_;
  has_float_normal_ = other.has_float_normal_;
  return *this;
}

void Generator::manual_seed(uint64_t seed) {
  seed_ = seed;
  words_[0] = static_cast<uint32_t>(seed);
  for (uint32_t i = 1; i < kWords; ++i) words_[i] = 1812433253u * (words_[i - 1] ^ (words_[i - 1] >> 30)) + i;
  left_ = 1;
  next_ = 0;
  has_normal_ = has_float_normal_ = false;
}

uint64_t Generator::seed() {
  std::random_device entropy;
  uint64_t high = entropy();
  manual_seed(high << 32 | entropy());
  return seed_;
}

void Generator::refill() {
  next_words(words_);
  left_ = kWords;
  next_ = 0;
}

void Generator::fill_u32(uint32_t* out, int64_t n) {
  while (n > 0) {
    if (left_ <= 1) {
      refill();
      ++left_;  // as if the word before had been drawn
    }
    int64_t ready = std::min<int64_t>(n, std::min<int64_t>(left_ - 1, kWords - static_cast<int64_t>(next_)));
    temper_words(words_ + next_, out, ready);
    next_ += static_cast<uint32_t>(ready);
    left_ -= static_cast<int32_t>(ready);
    out += ready;
    n -= ready;
  }
}

double Generator::next_normal() {
  if (has_normal_) {
    has_normal_ = false;
    return normal_;
  }
  constexpr double kTwoPi = 6.283185307179586;
  double u1 = next_double();
  double u2 = next_double();
  double r = std::sqrt(-2.0 * std::log1p(-u2));
  double theta = kTwoPi * u1;
  normal_ = r * std::sin(theta);
  has_normal_ = true;
  return r * std::cos(theta);
}

Generator::State Generator::get_state() const {
  State state{};
  put<uint64_t>(state, kSeedAt, seed_);
  put<int32_t>(state, kLeftAt, left_);
  put<int32_t>(state, kSeededAt, 1);
  put<uint64_t>(state, kNextAt, next_);
  for (size_t i = 0; i < kWords; ++i) put<uint64_t>(state, kWordsAt + 8 * i, words_[i]);
  if (has_normal_) {
    put<double>(state, kNormalAt, normal_);
    put<int32_t>(state, kHasNormalAt, 1);
  }
  if (has_float_normal_) {
    put<float>(state, kFloatNormalAt, float_normal_);
    put<uint8_t>(state, kHasFloatNormalAt, 1);
  }
  return state;
}

void Generator::set_state(const uint8_t* bytes, size_t size) {
  check(size == kStateBytes, "Expected a CPUGeneratorImplState of size ", kStateBytes,
        " but found the input RNG state size to be ", size);
  auto left = get<int32_t>(bytes, kLeftAt);
  auto next = get<uint64_t>(bytes, kNextAt);
  // A state that promises more words than lie behind `next` would be read past its end.
  bool sane = get<int32_t>(bytes, kSeededAt) == 1 && left > 0 && left <= kWords && next <= kWords &&
              static_cast<uint64_t>(left) - 1 + next <= kWords;
  check(sane, "Invalid mt19937 state");
  seed_ = get<uint64_t>(bytes, kSeedAt);
  left_ = left;
  next_ = static_cast<uint32_t>(next);
  for (size_t i = 0; i < kWords; ++i) words_[i] = static_cast<uint32_t>(get<uint64_t>(bytes, kWordsAt + 8 * i));
  has_normal_ = get<int32_t>(bytes, kHasNormalAt) != 0;
  normal_ = has_normal_ ? get<double>(bytes, kNormalAt) : 0;
  has_float_normal_ = get<uint8_t>(bytes, kHasFloatNormalAt) != 0;
  float_normal_ = has_float_normal_ ? get<float>(bytes, kFloatNormalAt) : 0;
}

Generator& default_generator() {
  static Generator generator, spent;  // the second: what is drawn for tensors without data moves nothing
  return in_meta_scope() ? spent : generator;
}

}  // namespace rl
