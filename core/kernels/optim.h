// Optimizer updates: one pass that reads gradient and state and writes state and parameter back.
#pragma once

#include <cstdint>

#include "runtime/cpu.h"
#include "tensor/dtype.h"

namespace rl::cpu {

enum class OptimKind : uint8_t {
  SGD,
  Adam,
  Adamax,
  NAdam,
  RAdam,
  Adagrad,
  Adadelta,
  RMSprop,
  Rprop,
  ASGD,
};

// The numbers of a step. Every rule first does
//   gradient *= sign; if (decay) gradient += decay * parameter; parameter *= shrink
// and then its own, with its own numbers c (see the rules in cpu/optim.cpp).
struct OptimNumbers {
  OptimKind kind;
  double sign, decay, shrink;
  double c[8];
};

// One parameter's memory.
struct OptimTensor {
  const OptimNumbers* numbers;
  int64_t n;
  DType
      dtype;  // float32, float64, or float16 and bfloat16: in memory float32, which every operation rounds to that type
  void* param;
  const void* grad;
  void* state[3];  // null: the options of the rule leave it out
};

struct OptimTable {
  // Elements [begin, end). Rounds as PyTorch's loop over operations does, whatever the range.
  void (*update)(const OptimTensor& tensor, int64_t begin, int64_t end);
};
RL_ISA_TABLE(OptimTable, optim)

}  // namespace rl::cpu
