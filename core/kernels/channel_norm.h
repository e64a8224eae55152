// The passes of batch, group and instance norm over [rows, n]: a row is one channel of one sample, and what differs by
// channel or group comes as one coefficient per row. Floating dtypes; coefficients and sums are float for Half, BFloat16
// and float, double for double.
#pragma once

#include <cstdint>

#include "runtime/cpu.h"
#include "tensor/dtype.h"

namespace rl::cpu {

struct ChannelNormTable {
  // out = x * scale[row] + shift[row]
  void (*affine)(DType dtype, const void* x, const void* scale, const void* shift, int64_t rows, int64_t n, void* out);
  // sums[row] = sum of g, dots[row] = sum of g * (x - center[row])
  void (*gradient_sums)(DType dtype, const void* g, const void* x, const void* center, int64_t rows, int64_t n,
                        double* sums, double* dots);
  // out = g * a[row] + (x - center[row]) * b[row] + c[row]
  void (*combine)(DType dtype, const void* g, const void* x, const void* center, const void* a, const void* b,
                  const void* c, int64_t rows, int64_t n, void* out);
};

RL_ISA_TABLE(ChannelNormTable, channel_norm)

}  // namespace rl::cpu
