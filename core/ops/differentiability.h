// Arguments without a gradient.
#pragma once

#include "autograd/node.h"
#include "runtime/error.h"

namespace rl {

// An error where a gradient is wanted with respect to an argument that has none.
inline void check_constant(const char* function, const char* argument, const Tensor& t) {
  if (!grad_mode.enabled || !t.defined() || !t.requires_grad()) return;
  fail(ErrorKind::Runtime, "The function '", function, "' is not differentiable with respect to argument '", argument,
       "'. This input cannot have requires_grad True.");
}

}  // namespace rl
