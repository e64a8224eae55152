// softmax and log_softmax along n of a contiguous [outer, n, inner], floating dtypes; out may be x (or grad).
// Backward takes the forward's output: softmax: dx = (g - sum(g * y)) * y; log_softmax: dx = g - exp(y) * sum(g).
#pragma once

#include <cstdint>

#include "runtime/cpu.h"
#include "tensor/dtype.h"

namespace rl::cpu {

struct SoftmaxTable {
  void (*forward)(DType dtype, bool log, const void* x, int64_t outer, int64_t n, int64_t inner, void* out);
  void (*backward)(DType dtype, bool log, const void* grad, const void* out, int64_t outer, int64_t n, int64_t inner,
                   void* dx);
};

RL_ISA_TABLE(SoftmaxTable, softmax)

}  // namespace rl::cpu
