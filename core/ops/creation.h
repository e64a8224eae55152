// What the ops that make new tensors share.
#pragma once

#include "ops/basic.h"

namespace rl {

// A RuntimeError unless the number can be stored as the dtype (a negative one wraps into uint8, as in PyTorch).
bool fits(const Scalar& value, DType dtype);
void check_fits(const Scalar& value, DType dtype);
// Uninitialised, with the shape of `like` and its strides as the format asks.
Tensor new_like(const Tensor& like, DType dtype, std::optional<MemoryFormat> format);

inline Tensor with_options(Tensor t, const Options& o) {
  if (o.requires_grad) set_requires_grad(t, true);
  return t;
}

[[noreturn]] inline void not_implemented_for(const char* name, DType dtype) {
  fail(ErrorKind::NotImplemented, '"', name, "\" not implemented for '", scalar_type_name(dtype), "'");
}

}  // namespace rl
