// Optimizer steps over one parameter's elements: one pass that reads gradient and state and writes both back.
#pragma once

#include <cstdint>

#include "runtime/cpu.h"
#include "tensor/dtype.h"

namespace rl::cpu {

struct SgdOptions {
  double lr, momentum, dampening, weight_decay;
  bool nesterov, maximize, first;  // first: the momentum buffer has no value yet
};

struct OptimTable {
  // float32 and float64. buffer may be null (no momentum). Rounds as the op-by-op form does: one fused multiply-add
  // for each of its steps.
  void (*sgd)(DType dtype, void* param, const void* grad, void* buffer, int64_t n, const SgdOptions& options);
};
RL_ISA_TABLE(OptimTable, optim)

}  // namespace rl::cpu
