// Ops that join, split and rearrange tensors, for other ops.
#pragma once

#include "ops/basic.h"

namespace rl {

Tensor cat(const TensorList& tensors, int64_t dim = 0);
Tensor stack(const TensorList& tensors, int64_t dim = 0);
TensorList unbind(const Tensor& self, int64_t dim = 0);
TensorList split_with_sizes(const Tensor& self, IntSpan sizes, int64_t dim = 0);
Tensor flatten(const Tensor& self, int64_t start_dim = 0, int64_t end_dim = -1);
Tensor movedim(const Tensor& self, IntSpan source, IntSpan destination);
Tensor narrow(const Tensor& self, int64_t dim, int64_t start, int64_t length);
TensorList split(const Tensor& self, int64_t size, int64_t dim);
Tensor diagonal(const Tensor& self, int64_t offset, int64_t dim1, int64_t dim2);
Tensor unfold(const Tensor& self, int64_t dim, int64_t size, int64_t step);
Tensor nonzero(const Tensor& self);
Tensor flip(const Tensor& self, IntSpan dims);
Tensor repeat(const Tensor& self, IntSpan repeats);
// In place, in its own memory, which grows where it must. `op`: on whose behalf.
void resize(const Tensor& self, IntSpan sizes, const char* op);
Tensor constant_pad_nd(const Tensor& self, IntSpan pad, const Scalar& value);

}  // namespace rl
