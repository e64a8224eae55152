#include "kernels/stream.h"

#include <algorithm>
#include <cstring>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace rl {

Stream::Stream(char* to) : skip_(static_cast<int64_t>(reinterpret_cast<uintptr_t>(to) % kLine)) {
  line_ = to - skip_;
  fill_ = skip_;
}

Stream::~Stream() {
  if (fill_ > skip_) std::memcpy(line_ + skip_, buffer_ + skip_, static_cast<size_t>(fill_ - skip_));
#if defined(__SSE2__)
  _mm_sfence();  // streamed stores are not ordered with others: whoever is told that the work is done must see them
#endif
}

void Stream::put(int64_t bytes, const Ahead* ahead, int inputs) {
  fill_ += bytes;
  if (fill_ < kLine) return;
  int64_t done = 0;
  if (skip_) {
    std::memcpy(line_ + skip_, buffer_ + skip_, static_cast<size_t>(kLine - skip_));
    skip_ = 0, done = 1;
  }
  const int64_t lines = fill_ / kLine;
  cpu::stream().lines(line_ + done * kLine, buffer_ + done * kLine, lines - done, ahead, inputs);
  line_ += lines * kLine, fill_ -= lines * kLine;
  std::memcpy(buffer_, buffer_ + lines * kLine, kLine);
}

void Stream::copy(const char* from, int64_t bytes) {
  const int64_t head = std::min(bytes, fill_ ? kLine - fill_ : 0);
  std::memcpy(room(), from, static_cast<size_t>(head));
  put(head);
  const int64_t lines = (bytes - head) / kLine, rest = bytes - head - lines * kLine;
  if (lines) {
    cpu::stream().lines(line_, from + head, lines, nullptr, 0);
    line_ += lines * kLine;
  }
  if (rest == 0) return;
  std::memcpy(room(), from + bytes - rest, static_cast<size_t>(rest));
  put(rest);
}

void stream_copy(char* to, const char* from, int64_t bytes) { Stream(to).copy(from, bytes); }

}  // namespace rl
