// Planes turned around, so that the channels of a position lie side by side, and back. Only for kernels/cpu/*.cpp.
#pragma once

#include <cstdint>

namespace rl::cpu::RL_ISA {

// The planes of one image as lanes.
struct Plane {
  int64_t rows, columns;  // of what is read
  int64_t row0, column0;  // where the turned plane begins in it
  int64_t out_rows, out_columns, lanes, channels;
  const float* end;  // of what may be read
};

// Where a channel is read; null for zeros.
using LineFn = const float* (*)(const void* context, int64_t channel);

// out[row][column][channel], with zeros where nothing is read.
void turn_lines(const Plane& p, LineFn line, const void* context, float* out);

// The other way: position q of `n`, channel i to out[i * apart + q].
void turn_back(const float* x, int64_t lanes, int64_t channels, int64_t n, int64_t apart, float* out);

namespace {

template <class Line> void turn(const Plane& p, const Line& line, float* out) {
  turn_lines(p, [](const void* context, int64_t i) { return (*static_cast<const Line*>(context))(i); }, &line, out);
}

}  // namespace
}  // namespace rl::cpu::RL_ISA
