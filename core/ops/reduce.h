// How reductions see their input: any strided tensor and any set of axes becomes the kernels' [outer, n, inner]. Axes
// that lie together in memory are one axis; what still does not fit is reduced in two steps or, last, copied.
#pragma once

#include "kernels/reduce.h"
#include "ops/basic.h"

namespace rl {

// The reduced axes, one bit each.
using DimSet = uint64_t;

inline DimSet all_dims(int64_t dim) { return dim >= 64 ? ~DimSet{0} : (DimSet{1} << dim) - 1; }
inline bool has_dim(DimSet set, int64_t d) { return set >> d & 1; }
DimSet one_dim(int64_t d, int64_t dim);           // d may be negative
DimSet dim_set(IntSpan dims, int64_t dim);        // of no dims: all of them
DimSet dim_set_exact(IntSpan dims, int64_t dim);  // of no dims: none
Dims reduced_sizes(IntSpan sizes, DimSet set, bool keepdim);
int64_t reduced_count(IntSpan sizes, DimSet set);

// x as [outer, n, inner], if its strides allow. A full reduction takes the axes in memory order.
bool reduce_shape(const Tensor& x, DimSet set, cpu::ReduceShape& shape);
// A copy of x for which reduce_shape succeeds: the kept axes, then the reduced ones; `set` becomes theirs.
Tensor reduce_copy(const Tensor& x, DimSet& set);
// The reduced axes that go first when the reduction is done in two steps.
DimSet first_step(const Tensor& x, DimSet set);

using ReduceFn = void (*)(DType in, const void* x, const cpu::ReduceShape& shape, void* out);

// Runs kernel(dtype, x, shape, out) into a fresh tensor. `again`, if there is one, reduces results of kernel further
// (sums of sums); without it a set of axes that do not lie together is copied together.
template <class Kernel>
Tensor reduce(const Tensor& x, DimSet set, bool keepdim, DType out_dtype, Kernel&& kernel, ReduceFn again = nullptr) {
  cpu::ReduceShape shape;
  Tensor out;
  if (reduce_shape(x, set, shape)) [[likely]] {
    out = Tensor::empty(reduced_sizes(x.sizes(), set, keepdim), out_dtype);
    if (out.numel() > 0) kernel(x.dtype(), x.raw(), shape, out.raw());
    return out;
  }
  DimSet first = again && item_size(out_dtype) >= 4 ? first_step(x, set) : 0;
  if (first) {
    Tensor part = reduce(x, first, true, out_dtype, kernel);
    return reduce(part, set, keepdim, out_dtype, again, again);
  }
  out = Tensor::empty(reduced_sizes(x.sizes(), set, keepdim), out_dtype);
  Tensor copy = reduce_copy(x, set);
  check(reduce_shape(copy, set, shape), "reduction: no layout for shape ", shape_str(x.sizes()));
  if (out.numel() > 0) kernel(copy.dtype(), copy.raw(), shape, out.raw());
  return out;
}

// Values and the int64 indices that a kernel over one axis gives.
using PairFn = void (*)(DType in, const void* x, const cpu::ReduceShape& shape, void* values, int64_t* indices);
std::tuple<Tensor, Tensor> reduce_pair(const Tensor& x, int64_t dim, bool keepdim, PairFn kernel);

// The gradient of a reduction without weights: g spread over the reduced axes, a view.
Tensor spread(const Tensor& g, IntSpan sizes, DimSet set, bool keepdim);
// A reduced result given its axes of size 1 back.
Tensor restore_dims(const Tensor& t, int64_t dim, DimSet set, bool keepdim);

// The gradient of one selected value per row: g at the selected places, else zero.
Tensor select_backward(const Tensor& g, const Tensor& indices, IntSpan sizes, int64_t dim, bool keepdim);
// The gradient of an extremum, shared evenly by all places that have the value.
Tensor share_evenly(const Tensor& g, const Tensor& x, const Tensor& value, DimSet set, bool keepdim);
Tensor mean(const Tensor& t, IntSpan dims, bool keepdim, std::optional<DType> dtype = {});
Tensor vector_norm(const Tensor& x, double p, IntSpan dims, bool keepdim,
                   const char* name = "LinalgVectorNormBackward0");
Tensor amax(const Tensor& x, IntSpan dims, bool keepdim);

// scan.cpp; differentiable any number of times.
Tensor cumsum(const Tensor& x, int64_t dim, bool reverse = false);
// sum over j of g[j] times the product of x[0..j] without x[i]: right where x has zeros.
Tensor cumprod_backward(const Tensor& x, const Tensor& g, int64_t dim);

// Empty input has no extremum; PyTorch's words.
void check_not_empty(const Tensor& x, DimSet set, bool all, const char* name, ErrorKind kind = ErrorKind::Runtime);

// Contiguous [outer, n, inner] around one axis.
struct AxisRows {
  int64_t outer = 1, n = 1, inner = 1;
  AxisRows(const Tensor& x, int64_t dim) {
    for (int64_t d = 0; d < x.dim(); ++d) (d < dim ? outer : d == dim ? n : inner) *= x.sizes()[d];
  }
};

}  // namespace rl
