// Products of matrices, for other ops to build on.
#pragma once

#include "ops/basic.h"

namespace rl {

// Differentiable.
Tensor mm(const Tensor& a, const Tensor& b);
Tensor bmm(const Tensor& a, const Tensor& b);
Tensor mv(const Tensor& a, const Tensor& v);
Tensor dot(const Tensor& a, const Tensor& b);
Tensor matmul(const Tensor& a, const Tensor& b);
Tensor addmm(const Tensor& self, const Tensor& a, const Tensor& b, const Scalar& beta = 1, const Scalar& alpha = 1);
Tensor baddbmm(const Tensor& self, const Tensor& a, const Tensor& b, const Scalar& beta = 1, const Scalar& alpha = 1);
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);

// Without history: a (or its transpose) times b (or its transpose), two matrices of one dtype.
Tensor raw_mm(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b);
// The sums over the rows of a matrix, in one dtype, without history.
Tensor raw_column_sum(const Tensor& g);

}  // namespace rl
