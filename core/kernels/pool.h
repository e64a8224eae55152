// Pooling. A window is what one result looks at along the three last axes (fewer axes: the first ones have size 1).
#pragma once

#include <cstdint>

#include "runtime/cpu.h"
#include "tensor/dtype.h"

namespace rl {

struct PoolAxis {
  int64_t in = 1, out = 1;
  int64_t kernel = 1, stride = 1, pad = 0, dilation = 1;
  bool adaptive = false;  // window o is [o * in / out, (o + 1) * in / out), rounded outwards

  // The elements of window o that lie inside of the input: from, from + dilation, ... below to.
  void range(int64_t o, int64_t& from, int64_t& to) const {
    if (adaptive) {
      from = o * in / out;
      to = ((o + 1) * in + out - 1) / out;
      return;
    }
    from = o * stride - pad;
    to = from + (kernel - 1) * dilation + 1;
    if (to > in) to = in;
    if (from < 0) from += (-from + dilation - 1) / dilation * dilation;
  }
  // How many elements the mean of window o is taken over.
  int64_t count(int64_t o, bool include_pad) const {
    int64_t from, to;
    range(o, from, to);
    if (!include_pad || adaptive) return to - from;
    from = o * stride - pad;
    to = from + kernel;
    return (to < in + pad ? to : in + pad) - from;
  }
};

struct PoolShape {
  int64_t planes = 0;  // samples times channels
  PoolAxis axis[3];    // depth, height, width
  bool include_pad = true;
  int64_t divisor = 0;  // instead of the count, unless 0
  int64_t in_size() const { return axis[0].in * axis[1].in * axis[2].in; }
  int64_t out_size() const { return axis[0].out * axis[1].out * axis[2].out; }
};

namespace pool {

// Any shape; float, double and int64 (what is narrower is converted around these).
// The largest of each window and where it is in its plane: the first of equals, the last NaN if there are any.
void max(DType dtype, const void* x, const PoolShape& shape, void* out, int64_t* index);
// dx[plane][index] += g, dx zeroed first; positions outside of the plane are passed over.
void scatter(DType dtype, const void* g, const int64_t* index, int64_t planes, int64_t outs, int64_t ins, void* dx);
void mean(DType dtype, const void* x, const PoolShape& shape, void* out);
void mean_backward(DType dtype, const void* g, const PoolShape& shape, void* dx);

}  // namespace pool

namespace cpu {

// Windows in planes of height x width (depth 1, not adaptive) of at most 256 elements; float and double.
struct PoolTable {
  // taps[o] (unless null): which element of its window is the largest, counted row by row.
  void (*max2d)(DType dtype, const void* x, const PoolShape& shape, void* out, uint8_t* taps);
  void (*max2d_backward)(DType dtype, const void* g, const uint8_t* taps, const PoolShape& shape, void* dx);
  void (*mean2d)(DType dtype, const void* x, const PoolShape& shape, void* out);
  void (*mean2d_backward)(DType dtype, const void* g, const PoolShape& shape, void* dx);
};

RL_ISA_TABLE(PoolTable, pool)

}  // namespace cpu
}  // namespace rl
