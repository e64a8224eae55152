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
DimSet dim_set(IntSpan dims, int64_t dim);             // of no dims: all of them
DimSet dim_set_exact(IntSpan dims, int64_t dim);       // of no dims: none
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

// The gradient of a reduction without weights: g spread over the reduced axes, a view.
Tensor spread(const Tensor& g, IntSpan sizes, DimSet set, bool keepdim);
// A reduced result given its axes of size 1 back.
Tensor restore_dims(const Tensor& t, int64_t dim, DimSet set, bool keepdim);

}  // namespace rl
