// Layer norm and RMS norm over the last n elements of contiguous rows, floating dtypes. weight and bias (n elements of
// the same dtype) may be null. mean and rstd, saved for backward, have one element per row: float for Half, BFloat16
// and float, double for double.
#pragma once

#include <cstdint>

#include "runtime/cpu.h"
#include "tensor/dtype.h"

namespace rl::cpu {

struct NormTable {
  // mean and rstd may be null.
  void (*layer_norm)(DType dtype, const void* x, const void* weight, const void* bias, int64_t rows, int64_t n,
                     double eps, void* out, void* mean, void* rstd);
  // Any of dx, dweight, dbias may be null.
  void (*layer_norm_backward)(DType dtype, const void* grad, const void* x, const void* mean, const void* rstd,
                              const void* weight, int64_t rows, int64_t n, void* dx, void* dweight, void* dbias);
  void (*rms_norm)(DType dtype, const void* x, const void* weight, int64_t rows, int64_t n, double eps, void* out,
                   void* rstd);
  void (*rms_norm_backward)(DType dtype, const void* grad, const void* x, const void* rstd, const void* weight,
                            int64_t rows, int64_t n, void* dx, void* dweight);
};

RL_ISA_TABLE(NormTable, norm)

}  // namespace rl::cpu
