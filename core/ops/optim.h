// Optimizer steps for all parameters of a group in one call.
#pragma once

#include "kernels/optim.h"
#include "ops/basic.h"

namespace rl {

// SGD (with momentum, Nesterov's too). buffers is empty without momentum; an undefined buffer is made here.
void sgd_step(const TensorList& params, const TensorList& grads, TensorList& buffers, cpu::SgdOptions options);

}  // namespace rl
