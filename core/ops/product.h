// What the families of matrix products share: the call of the kernel, what their errors say, the products in gradients.
#pragma once

#include <string>

#include "kernels/pointwise/complex.h"
#include "ops/matmul.h"
#include "ops/pointwise.h"

namespace rl {

// A matrix product as the kernels take it, of a dtype known at run time.
struct MatrixProduct {
  DType dtype;
  int64_t m, n, k;
  const void* a;
  int64_t a_row, a_col;
  const void* b;
  int64_t b_row, b_col;
  void* c;
  int64_t c_row;  // c's columns are adjacent
  Scalar alpha = 1, beta = 0;
  const void* bias = nullptr;
  int64_t batch = 1, a_batch = 0, b_batch = 0, c_batch = 0;
  const int64_t *a_offsets = nullptr, *b_offsets = nullptr, *c_offsets = nullptr;
};

// kernel: what a dtype that is not there is reported under.
void multiply(const MatrixProduct& p, const char* kernel);

const char* cpp_name(DType d);  // as PyTorch's messages have it
[[noreturn]] void bad_shapes(const char* op, const Tensor& a, const Tensor& b, int64_t m, int64_t k, int64_t k2,
                             int64_t n);
// Which product finds its operands' dtypes to differ: each has words of its own.
enum class ProductKind { Matrices, WithAddend, Batches, Vector };
[[noreturn]] void bad_dtypes(const Tensor& a, const Tensor& b, ProductKind kind = ProductKind::Matrices);
inline void check_dtypes(const Tensor& a, const Tensor& b, ProductKind kind = ProductKind::Matrices) {
  if (a.dtype() != b.dtype()) [[unlikely]]
    bad_dtypes(a, b, kind);
}

inline Tensor conj_of(const Tensor& t) { return is_complex_dtype(t.dtype()) ? call<pointwise::Conj>(t) : t; }
Tensor scaled(const Tensor& g, const Scalar& by);  // g times the conjugate of a number

// The differentiable product where gradients of gradients are recorded, the plain one elsewhere.
inline Tensor times(const Tensor& a, bool ta, const Tensor& b, bool tb) {
  if (!grad_mode.enabled) return raw_mm(a, ta, b, tb);
  return mm(ta ? mT(a) : a, tb ? mT(b) : b);
}

Tensor batched_times(const Tensor& a, bool transpose_a, const Tensor& b, bool transpose_b);

// All leading axes as one: a matrix with as many rows as there are lines.
Tensor as_matrix(const Tensor& t);

inline const Tensor kNone;
// What an operand's gradient needs is the other operand.
inline const Tensor& if_needed(const Tensor& keep, const Tensor& for_gradient_of) {
  return for_gradient_of.requires_grad() ? keep : kNone;
}

}  // namespace rl
