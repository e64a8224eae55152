// PyTorch's CPU generator: MT19937 and the cached half of a Box-Muller pair, word for word.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace rl {

class Generator {
 public:
  static constexpr uint64_t kDefaultSeed = 67280421310721;
  static constexpr size_t kStateBytes = 5056;
  using State = std::array<uint8_t, kStateBytes>;

  explicit Generator(uint64_t seed = kDefaultSeed) { manual_seed(seed); }
  Generator(const Generator& other) { *this = other; }
  Generator& operator=(const Generator& other);  // copies the state

  void manual_seed(uint64_t seed);
  uint64_t initial_seed() const { return seed_; }
  uint64_t seed();  // seeds from the system's entropy; returns the seed

  State get_state() const;
  void set_state(const uint8_t* bytes, size_t size);  // a RuntimeError unless it is a whole, sane state

  uint32_t next_u32() {
    if (--left_ <= 0) refill();
    return temper(words_[next_++]);
  }
  uint64_t next_u64() {
    uint64_t high = next_u32();
    return high << 32 | next_u32();
  }
  double next_double() {  // [0, 1), 53 bits
    return static_cast<double>(next_u64() & ((uint64_t{1} << 53) - 1)) * 0x1p-53;
  }
  double next_normal();  // makes two at a time and keeps the second

  void fill_u32(uint32_t* out, int64_t n);  // the same as n calls of next_u32()

  // Whoever draws from a shared generator holds this.
  std::mutex& mutex() { return mutex_; }

 private:
  static constexpr int kWords = 624;

  static uint32_t temper(uint32_t y) {
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680u;
    y ^= (y << 15) & 0xefc60000u;
    return y ^ (y >> 18);
  }
  void refill();

  std::mutex mutex_;
  uint64_t seed_;
  int32_t left_;   // words left before the next refill, plus one
  uint32_t next_;  // index of the next word
  alignas(64) uint32_t words_[kWords];
  double normal_ = 0;  // the second of a pair
  bool has_normal_ = false;
  float float_normal_ = 0;  // never drawn here; kept for states written elsewhere
  bool has_float_normal_ = false;
};

Generator& default_generator();

}  // namespace rl
