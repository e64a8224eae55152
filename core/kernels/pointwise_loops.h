// The inner loops of pointwise ops: one contiguous loop per op, gradient and element type. Everything else (broadcast,
// strides, other dtypes, threads) is done around them by ops/pointwise.cpp, once for all ops.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/cpu.h"
#include "tensor/dtype.h"

namespace rl::cpu {

// out and in point to n elements each; scalars to the op's numbers, kScalarSlot bytes apart. out may be an input.
using PointwiseLoop = void (*)(char* out, const char* const* in, const char* scalars, int64_t n);
inline constexpr int kScalarSlot = 16;
inline constexpr int kMaxGrads = 4;

// A gradient's inputs: g, the op's inputs, its output; unread ones may be null.
struct PointwiseLoops {
  PointwiseLoop forward[kDTypeCount] = {};
  PointwiseLoop grad[kMaxGrads][2] = {};  // float32, float64
};
// complex64, complex128.
struct ComplexPointwiseLoops {
  PointwiseLoop forward[2] = {};
  PointwiseLoop grad[kMaxGrads][2] = {};
};

}  // namespace rl::cpu
