// Advanced indexing, for the binding's x[...] and for other ops.
#pragma once

#include "ops/basic.h"

namespace rl {

// x[i0, i1, ...] with integer or bool tensors; undefined entries stand for ':'. As torch.ops.aten.index.
Tensor index(const Tensor& self, const TensorList& indices);
// x[i0, i1, ...] = values (or += with accumulate).
Tensor index_put_(const Tensor& self, const TensorList& indices, const Tensor& values, bool accumulate = false);
// Positions of the nonzero elements, [n, dim], int64.
Tensor nonzero(const Tensor& self);

}  // namespace rl
