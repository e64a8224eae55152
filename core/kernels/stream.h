// Results larger than the caches, written past them: a plain store reads the line that it is about to fill.
#pragma once

#include <cstdint>

#include "runtime/cpu.h"

namespace rl {

// From here on a result is not met again in a cache, and memory is what its operation waits for.
inline constexpr int64_t kFarBytes = int64_t{36} << 20;

// An input that is read along with what is written: where the next piece begins, and how far it goes for a line of output.
struct Ahead {
  const char* from;
  int64_t per_line;
};

// Consecutive memory, from `to` on: what is put into room() goes out in whole lines, while the next inputs are asked for.
class Stream {
 public:
  static constexpr int64_t kPiece = 8192;  // a good size to put at once
  static constexpr int64_t kRoom = 16384;  // the most

  explicit Stream(char* to);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  char* room() { return buffer_ + fill_; }
  void put(int64_t bytes, const Ahead* ahead = nullptr, int inputs = 0);
  // The same with bytes that lie elsewhere, any number of them.
  void copy(const char* from, int64_t bytes);

 private:
  static constexpr int64_t kLine = 64;
  char* line_;    // the line that the buffer begins with
  int64_t skip_;  // what of it is not ours
  int64_t fill_;
  alignas(kLine) char buffer_[kRoom + 2 * kLine];
};

// memcpy, past the caches.
void stream_copy(char* to, const char* from, int64_t bytes);

namespace cpu {
inline constexpr int kStreamInputs = 4;

struct StreamTable {
  // Whole lines to an aligned place, with no more than kStreamInputs inputs asked for.
  void (*lines)(char* to, const char* from, int64_t count, const Ahead* ahead, int inputs);
};
RL_ISA_TABLE(StreamTable, stream)
}  // namespace cpu

}  // namespace rl
