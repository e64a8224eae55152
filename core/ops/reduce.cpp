// Sums, means and products, and what all reductions share.
#include "ops/reduce.h"

#include <algorithm>

#include "kernels/pointwise/arithmetic.h"
#include "ops/creation.h"
#include "ops/pointwise.h"

namespace rl {

namespace pw = pointwise;

// --- axes --------------------------------------------------------------------------------------------------------------

DimSet dim_set_exact(IntSpan dims, int64_t dim) {
  DimSet set = 0;
  for (int64_t d : dims) {
    DimSet bit = DimSet{1} << wrap_dim(d, dim);
    check(!(set & bit), "dim ", wrap_dim(d, dim), " appears multiple times in the list of dims");
    set |= bit;
  }
  return set;
}
DimSet dim_set(IntSpan dims, int64_t dim) {
  check(dim <= 64, "only tensors with up to 64 dims are supported");
  return dims.empty() ? all_dims(dim) : dim_set_exact(dims, dim);
}

Dims reduced_sizes(IntSpan sizes, DimSet set, bool keepdim) {
  Dims out;
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (!has_dim(set, static_cast<int64_t>(d))) out.push_back(sizes[d]);
    else if (keepdim) out.push_back(1);
  }
  return out;
}

int64_t reduced_count(IntSpan sizes, DimSet set) {
  int64_t n = 1;
  for (size_t d = 0; d < sizes.size(); ++d)
    if (has_dim(set, static_cast<int64_t>(d))) n *= sizes[d];
  return n;
}

namespace {

struct Axis {
  int64_t size, stride;
  DimSet dims;
};
using Axes = SmallVector<Axis, 6>;

// The kept axes in their order and the reduced ones in memory order, neighbours merged.
void split_axes(const Tensor& x, DimSet set, Axes& kept, Axes& reduced) {
  auto add = [](Axes& axes, const Axis& axis) {
    if (!axes.empty() && axes.back().stride == axis.stride * axis.size) {
      axes.back() = {axes.back().size * axis.size, axis.stride, axes.back().dims | axis.dims};
    } else {
      axes.push_back(axis);
    }
  };
  IntSpan sizes = x.sizes(), strides = x.strides();
  Axes unordered;
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] == 1) continue;
    Axis axis{sizes[d], strides[d], DimSet{1} << d};
    if (has_dim(set, static_cast<int64_t>(d))) unordered.push_back(axis);
    else add(kept, axis);
  }
  for (int64_t i = 1; i < unordered.size(); ++i)
    for (int64_t j = i; j > 0 && unordered[j - 1].stride < unordered[j].stride; --j) std::swap(unordered[j - 1], unordered[j]);
  for (const Axis& axis : unordered) add(reduced, axis);
}

}  // namespace

bool reduce_shape(const Tensor& x, DimSet set, cpu::ReduceShape& shape) {
  if (x.is_contiguous() && set == all_dims(x.dim())) {
    shape = {1, x.numel(), 1, 0, 1, 1};
    return true;
  }
  if (x.numel() == 0) {
    shape = cpu::ReduceShape::contiguous(product(reduced_sizes(x.sizes(), set, false)), reduced_count(x.sizes(), set), 1);
    return true;
  }
  Axes kept, reduced;
  split_axes(x, set, kept, reduced);
  if (reduced.size() > 1 || kept.size() > 2) return false;
  shape = {};
  shape.n = reduced.empty() ? 1 : reduced[0].size;
  shape.n_stride = reduced.empty() ? 1 : reduced[0].stride;
  if (kept.size() > 0) shape.outer = kept[0].size, shape.outer_stride = kept[0].stride;
  if (kept.size() > 1) shape.inner = kept[1].size, shape.inner_stride = kept[1].stride;
  return true;
}

DimSet first_step(const Tensor& x, DimSet set) {
  // A step must itself have a layout, and leave less than there was.
  Axes kept, reduced;
  split_axes(x, set, kept, reduced);
  for (int64_t i = reduced.size() - 1; i >= 0; --i) {
    cpu::ReduceShape shape;
    if (reduced[i].dims != set && reduced[i].size >= 4 && reduce_shape(x, reduced[i].dims, shape)) return reduced[i].dims;
  }
  return 0;
}

Tensor reduce_copy(const Tensor& x, DimSet& set) {
  Dims sizes, strides;
  for (int pass = 0; pass < 2; ++pass)
    for (int64_t d = 0; d < x.dim(); ++d)
      if (has_dim(set, d) == (pass == 1)) {
        sizes.push_back(x.sizes()[d]);
        strides.push_back(x.strides()[d]);
      }
  Tensor out = Tensor::empty(sizes, x.dtype());
  copy_data(out, x.alias(sizes, strides, x->offset()));
  int64_t count = 0;
  for (int64_t d = 0; d < x.dim(); ++d) count += has_dim(set, d);
  set = all_dims(x.dim()) & ~all_dims(x.dim() - count);
  return out;
}

Tensor restore_dims(const Tensor& t, int64_t dim, DimSet set, bool keepdim) {
  if (keepdim || set == 0 || dim == 0) return t;
  Dims sizes;
  for (int64_t d = 0, from = 0; d < dim; ++d) sizes.push_back(has_dim(set, d) ? 1 : t.sizes()[from++]);
  return reshape(t, sizes);
}

Tensor spread(const Tensor& g, IntSpan sizes, DimSet set, bool keepdim) {
  if (grad_mode.enabled) return expand(restore_dims(g, static_cast<int64_t>(sizes.size()), set, keepdim), sizes);
  Dims strides;
  for (size_t d = 0, from = 0; d < sizes.size(); ++d) {
    bool gone = has_dim(set, static_cast<int64_t>(d));
    strides.push_back(gone ? 0 : g.strides()[from]);
    from += !gone || keepdim;
  }
  return view_of(g, sizes, strides, g->offset());
}

// --- sum ---------------------------------------------------------------------------------------------------------------

namespace {

DType sum_dtype(DType in) { return is_integral(in) ? DType::I64 : in; }

Tensor sum_over(const Tensor& t, DimSet set, bool keepdim, std::optional<DType> dtype, const char* name) {
  const Tensor x = dtype && *dtype != t.dtype() && sum_dtype(t.dtype()) != *dtype ? to_dtype(t, *dtype) : t;
  Tensor out = reduce(x, set, keepdim, sum_dtype(x.dtype()), cpu::reduce_sum().sum, cpu::reduce_sum().sum);
  if (dtype && out.dtype() != *dtype) out = to_dtype(out, *dtype);
  if (x.requires_grad())
    record(name, out, {x}, {}, [sizes = Dims(x.sizes()), set, keepdim](Backward& ctx) {
      ctx.set(0, spread(ctx.grad(), sizes, set, keepdim));
    });
  return out;
}

Tensor sum_all(const Tensor& t, std::optional<DType> dtype) { return sum_over(t, all_dims(t.dim()), false, dtype, "SumBackward0"); }

Tensor sum_dims(const Tensor& t, IntSpan dims, bool keepdim, std::optional<DType> dtype) { return sum(t, dims, keepdim, dtype); }

}  // namespace

Tensor sum(const Tensor& t, IntSpan dims, bool keepdim, std::optional<DType> dtype) {
  return sum_over(t, dim_set(dims, t.dim()), keepdim, dtype, "SumBackward1");
}

Tensor sum_to(const Tensor& t, IntSpan sizes) {
  int64_t skip = t.dim() - static_cast<int64_t>(sizes.size());
  DimSet set = 0;
  for (int64_t d = 0; d < t.dim(); ++d)
    if (d < skip || (sizes[static_cast<size_t>(d - skip)] == 1 && t.sizes()[d] != 1)) set |= DimSet{1} << d;
  if (set == 0) return t;
  Tensor out;
  if (grad_mode.enabled && t.requires_grad()) {
    out = sum_over(t, set, true, {}, "SumBackward1");
    return skip > 0 ? reshape(out, sizes) : out;
  }
  out = reduce(t, set, true, sum_dtype(t.dtype()), cpu::reduce_sum().sum, cpu::reduce_sum().sum);
  return out.alias(sizes, contiguous_strides(sizes), 0);
}

static const Family family([](Registry& r) {
  r.op<&sum_all>("sum(Tensor self, *, ScalarType? dtype=None) -> Tensor",
                 "The sum of all elements; of integers and bool as int64.");
  r.op<&sum_dims>("sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
                  "Sums over the axes dim (None or (): all of them).");
});

}  // namespace rl
