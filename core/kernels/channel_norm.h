// The passes of batch, group and instance norm; float and double, with coefficients of the same type and sums in double.
//
// Rows: [rows, n], a row being one channel of one sample; row r takes the coefficients number r % period.
// Columns: [rows, n], a column being one channel.
#pragma once

#include <cstdint>

#include "runtime/cpu.h"
#include "tensor/dtype.h"

namespace rl::cpu {

struct ChannelNormTable {
  // out = x * scale + shift
  void (*affine)(DType dtype, const void* x, const void* scale, const void* shift, int64_t rows, int64_t n,
                 int64_t period, void* out);
  // sums[row] = sum of g, dots[row] = sum of g * (x - center)
  void (*gradient_sums)(DType dtype, const void* g, const void* x, const void* center, int64_t rows, int64_t n,
                        int64_t period, double* sums, double* dots);
  // out = g * a + (x - center) * b + c
  void (*combine)(DType dtype, const void* g, const void* x, const void* center, const void* a, const void* b,
                  const void* c, int64_t rows, int64_t n, int64_t period, void* out);
  // The same over columns, and their mean and (biased) variance.
  void (*column_moments)(DType dtype, const void* x, int64_t rows, int64_t n, double* mean, double* var);
  void (*column_affine)(DType dtype, const void* x, const void* scale, const void* shift, int64_t rows, int64_t n,
                        void* out);
  void (*column_gradient_sums)(DType dtype, const void* g, const void* x, const void* center, int64_t rows, int64_t n,
                               double* sums, double* dots);
  void (*column_combine)(DType dtype, const void* g, const void* x, const void* center, const void* a, const void* b,
                         const void* c, int64_t rows, int64_t n, void* out);
};

RL_ISA_TABLE(ChannelNormTable, channel_norm)

}  // namespace rl::cpu
