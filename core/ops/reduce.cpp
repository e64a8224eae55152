// Sums, means and products, and what all reductions share.
#include "ops/reduce.h"

#include <algorithm>

#include "ops/formula.h"
#include "ops/index_util.h"

namespace rl {

// --- axes --------------------------------------------------------------------------------------------------------------

DimSet dim_set_exact(IntSpan dims, int64_t dim) {
  check(dim <= 64, "only tensors with up to 64 dims are supported");
  DimSet set = 0;
  for (int64_t d : dims) {
    DimSet bit = DimSet{1} << wrap_dim(d, dim);
    check(!(set & bit), "dim ", wrap_dim(d, dim), " appears multiple times in the list of dims");
    set |= bit;
  }
  return set;
}
static void check_axes(int64_t dim) { check(dim <= 64, "only tensors with up to 64 dims are supported"); }
DimSet one_dim(int64_t d, int64_t dim) {
  check_axes(dim);
  return DimSet{1} << wrap_dim(d, dim);
}
DimSet dim_set(IntSpan dims, int64_t dim) {
  check_axes(dim);
  return dims.empty() ? all_dims(dim) : dim_set_exact(dims, dim);
}

Dims reduced_sizes(IntSpan sizes, DimSet set, bool keepdim) {
  Dims out;
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (!has_dim(set, static_cast<int64_t>(d)))
      out.push_back(sizes[d]);
    else if (keepdim)
      out.push_back(1);
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
    if (has_dim(set, static_cast<int64_t>(d)))
      unordered.push_back(axis);
    else
      add(kept, axis);
  }
  for (int64_t i = 1; i < unordered.size(); ++i)
    for (int64_t j = i; j > 0 && unordered[j - 1].stride < unordered[j].stride; --j)
      std::swap(unordered[j - 1], unordered[j]);
  for (const Axis& axis : unordered) add(reduced, axis);
}

}  // namespace

bool reduce_shape(const Tensor& x, DimSet set, cpu::ReduceShape& shape) {
  if (x.is_contiguous() && set == all_dims(x.dim())) {
    shape = {1, x.numel(), 1, 0, 1, 1};
    return true;
  }
  if (x.numel() == 0) {
    shape =
        cpu::ReduceShape::contiguous(product(reduced_sizes(x.sizes(), set, false)), reduced_count(x.sizes(), set), 1);
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
    if (reduced[i].dims != set && reduced[i].size >= 4 && reduce_shape(x, reduced[i].dims, shape))
      return reduced[i].dims;
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

std::tuple<Tensor, Tensor> reduce_pair(const Tensor& x, int64_t dim, bool keepdim, PairFn kernel) {
  DimSet set = DimSet{1} << dim;
  cpu::ReduceShape shape;
  Tensor source = x;
  Dims sizes = reduced_sizes(x.sizes(), set, keepdim);
  if (!reduce_shape(x, set, shape)) {
    source = reduce_copy(x, set);
    reduce_shape(source, set, shape);
  }
  Tensor values = Tensor::empty(sizes, x.dtype()), indices = Tensor::empty(sizes, DType::I64);
  if (values.numel() > 0) kernel(x.dtype(), source.raw(), shape, values.raw(), indices.data<int64_t>());
  return {values, indices};
}

Tensor select_backward(const Tensor& g, const Tensor& indices, IntSpan sizes, int64_t dim, bool keepdim) {
  bool flat = !keepdim && !sizes.empty();
  return scatter_src(zeros(sizes, g.dtype()), dim, flat ? unsqueeze(indices, dim) : indices,
                     flat ? unsqueeze(g, dim) : g);
}

Tensor share_evenly(const Tensor& g, const Tensor& x, const Tensor& value, DimSet set, bool keepdim) {
  using namespace formula;
  Tensor v = restore_dims(value, x.dim(), set, keepdim), mask;
  {
    GradModeGuard off(false);
    mask = eq(x, v);
    if (is_floating(x.dtype())) mask = either(mask, both(isnan(x), isnan(v)));
  }
  Tensor count = reduce(mask, set, true, DType::I64, cpu::reduce_sum().sum, cpu::reduce_sum().sum);
  return mul(div(restore_dims(g, x.dim(), set, keepdim), to_dtype(count, g.dtype())), to_dtype(mask, g.dtype()));
}

void check_not_empty(const Tensor& x, DimSet set, bool all, const char* name, ErrorKind kind) {
  if (x.numel() > 0) return;
  if (all)
    fail(
        kind, name,
        "(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.");
  for (int64_t d = 0; d < x.dim(); ++d)
    check_index(!has_dim(set, d) || x.sizes()[d] > 0, name, "(): Expected reduction dim ", d,
                " to have non-zero size.");
}

// --- sum ---------------------------------------------------------------------------------------------------------------

namespace {

// g / n; a single number without the machinery of pointwise ops.
Tensor divided(const Tensor& g, int64_t n) {
  if (!grad_mode.enabled && g.numel() == 1 && (g.dtype() == DType::F32 || g.dtype() == DType::F64)) {
    Tensor out = Tensor::empty(g.sizes(), g.dtype());
    if (g.dtype() == DType::F32)
      *out.data<float>() = *g.data<float>() / static_cast<float>(n);
    else
      *out.data<double>() = *g.data<double>() / static_cast<double>(n);
    return out;
  }
  return formula::div(g, static_cast<double>(n));
}

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

Tensor sum_all(const Tensor& t, std::optional<DType> dtype) {
  return sum_over(t, all_dims(t.dim()), false, dtype, "SumBackward0");
}

Tensor sum_dims(const Tensor& t, IntSpan dims, bool keepdim, std::optional<DType> dtype) {
  return sum(t, dims, keepdim, dtype);
}

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
  // The result lies under `sizes`: what does not fit would be read from beyond its memory.
  for (int64_t d = std::max<int64_t>(skip, 0); d < t.dim(); ++d)
    check((set >> d & 1) || t.sizes()[d] == sizes[static_cast<size_t>(d - skip)], "invalid gradient: got ",
          shape_str(t.sizes()), " but expected a shape that ", shape_str(sizes), " broadcasts to");
  Tensor out;
  if (grad_mode.enabled && t.requires_grad()) {
    out = sum_over(t, set, true, {}, "SumBackward1");
    return skip > 0 ? reshape(out, sizes) : out;
  }
  out = reduce(t, set, true, sum_dtype(t.dtype()), cpu::reduce_sum().sum, cpu::reduce_sum().sum);
  return out.alias(sizes, contiguous_strides(sizes), 0);
}

// --- nansum, mean ------------------------------------------------------------------------------------------------------

namespace {

Tensor nansum(const Tensor& t, IntSpan dims, bool keepdim, std::optional<DType> dtype) {
  check(!is_complex_dtype(t.dtype()), "nansum on CPU does not support complex inputs");
  const Tensor x = dtype ? to_dtype(t, *dtype) : t;
  if (is_integral(x.dtype())) return sum(x, dims, keepdim, dtype);
  DimSet set = dim_set(dims, x.dim());
  Tensor out = reduce(x, set, keepdim, x.dtype(), cpu::reduce_sum().nansum, cpu::reduce_sum().sum);
  record("NansumBackward0", out, {x}, {x}, [set, keepdim](Backward& ctx) {
    Tensor x = ctx.saved(0);
    ctx.set(0, formula::where(formula::isnan(x), formula::number(0), spread(ctx.grad(), x.sizes(), set, keepdim)));
  });
  return out;
}

Tensor mean_over(const Tensor& t, DimSet set, bool keepdim, std::optional<DType> dtype, const char* name) {
  check(!dtype || is_differentiable(*dtype),
        "mean(): could not infer output dtype. Optional dtype must be either a floating point or complex dtype. Got: ",
        scalar_type_name(dtype.value_or(DType::F32)));
  // Integers give the default float dtype: their mean has one sensible meaning, where PyTorch refuses.
  const Tensor x = to_dtype(t, dtype.value_or(is_integral(t.dtype()) ? default_dtype() : t.dtype()));
  int64_t count = reduced_count(x.sizes(), set);
  cpu::ReduceShape shape;
  Tensor out;
  if (reduce_shape(x, set, shape) || item_size(x.dtype()) < 4) {
    out = reduce(x, set, keepdim, x.dtype(), cpu::reduce_sum().mean);
  } else {
    GradModeGuard off(false);
    out = formula::div(reduce(x, set, keepdim, x.dtype(), cpu::reduce_sum().sum, cpu::reduce_sum().sum),
                       static_cast<double>(count));
  }
  if (x.requires_grad())
    record(name, out, {x}, {},
           [sizes = Dims(x.sizes()), set, keepdim, count = std::max<int64_t>(count, 1)](Backward& ctx) {
             ctx.set(0, spread(divided(ctx.grad(), count), sizes, set, keepdim));
           });
  return out;
}

Tensor mean_all(const Tensor& t, std::optional<DType> dtype) {
  return mean_over(t, all_dims(t.dim()), false, dtype, "MeanBackward0");
}
Tensor mean_dims(const Tensor& t, IntSpan dims, bool keepdim, std::optional<DType> dtype) {
  return mean(t, dims, keepdim, dtype);
}

Tensor nanmean(const Tensor& t, IntSpan dims, bool keepdim, std::optional<DType> dtype) {
  const Tensor x = is_integral(t.dtype()) ? to_dtype(t, dtype.value_or(default_dtype())) : t;
  Tensor present = call<pointwise::LogicalNot>(formula::isnan(detach(x)));
  return formula::div(nansum(x, dims, keepdim, dtype), sum(present, dims, keepdim));
}

// --- prod --------------------------------------------------------------------------------------------------------------

void count_kernel(DType in, const void* x, const cpu::ReduceShape& shape, void* out) {
  cpu::reduce_sum().count_nonzero(in, x, shape, static_cast<int64_t*>(out));
}
bool has_zero(const Tensor& x) {
  if (x.numel() == 0) return false;
  return *reduce(x, all_dims(x.dim()), false, DType::I64, count_kernel, cpu::reduce_sum().sum).data<int64_t>() <
         x.numel();
}

// The last of cumprod's gradients: right where x has zeros, too.
Tensor prod_backward(const Tensor& g, const Tensor& x, int64_t dim) {
  Tensor grads = zeros_like(x);
  if (x.sizes()[dim] == 0) return grads;
  int64_t last = x.sizes()[dim] - 1;
  const Tensor at = full(Dims(x.dim(), 1), Scalar(last), DType::I64);
  Dims sizes(x.sizes());
  sizes[dim] = 1;
  return cumprod_backward(x, scatter_src(grads, dim, expand(at, sizes), g), dim);
}

Tensor prod_all(const Tensor& t, std::optional<DType> dtype) {
  const Tensor x = dtype && *dtype != sum_dtype(t.dtype()) ? to_dtype(t, *dtype) : t;
  Tensor out =
      reduce(x, all_dims(x.dim()), false, sum_dtype(x.dtype()), cpu::reduce_sum().prod, cpu::reduce_sum().prod);
  if (dtype) out = to_dtype(out, *dtype);
  record("ProdBackward0", out, {x}, {x, output(out)}, [](Backward& ctx) {
    using namespace formula;
    Tensor x = ctx.saved(0);
    if (!Backward::create_graph() && !has_zero(x)) return ctx.set(0, mul(ctx.grad(), conj(div(ctx.saved(1), x))));
    Tensor flat = reshape(x, Dims{x.numel()});
    ctx.set(0, reshape(prod_backward(reshape(ctx.grad(), Dims{1}), flat, 0), x.sizes()));
  });
  return out;
}

Tensor prod_dim(const Tensor& t, int64_t d, bool keepdim, std::optional<DType> dtype) {
  const Tensor x = dtype && *dtype != sum_dtype(t.dtype()) ? to_dtype(t, *dtype) : t;
  int64_t dim = wrap_dim(d, x.dim());
  DimSet set = one_dim(dim, x.dim());
  Tensor out = reduce(x, set, keepdim, sum_dtype(x.dtype()), cpu::reduce_sum().prod, cpu::reduce_sum().prod);
  if (dtype) out = to_dtype(out, *dtype);
  record("ProdBackward1", out, {x}, {x, output(out)}, [dim, set, keepdim](Backward& ctx) {
    using namespace formula;
    Tensor x = ctx.saved(0);
    if (x.dim() == 0) return ctx.set(0, ctx.grad());
    Tensor g = restore_dims(ctx.grad(), x.dim(), set, keepdim);
    if (!Backward::create_graph() && !has_zero(x))
      return ctx.set(0, mul(g, conj(div(restore_dims(ctx.saved(1), x.dim(), set, keepdim), x))));
    ctx.set(0, prod_backward(g, x, dim));
  });
  return out;
}

// --- counts, any, all --------------------------------------------------------------------------------------------------

Tensor count_nonzero(const Tensor& x, std::optional<int64_t> dim) {
  DimSet set = dim ? one_dim(*dim, x.dim()) : all_dims(x.dim());
  return reduce(x, set, false, DType::I64, count_kernel, cpu::reduce_sum().sum);
}
Tensor count_nonzero_dims(const Tensor& x, IntSpan dims) {
  return reduce(x, dim_set(dims, x.dim()), false, DType::I64, count_kernel, cpu::reduce_sum().sum);
}

// uint8 stands for bool in old programs and stays uint8.
template <bool All>
Tensor truth(const Tensor& x, DimSet set, bool keepdim) {
  auto kernel = [](DType in, const void* p, const cpu::ReduceShape& shape, void* out) {
    (All ? cpu::reduce_sum().all : cpu::reduce_sum().any)(in, p, shape, static_cast<bool*>(out));
  };
  return reduce(x, set, keepdim, x.dtype() == DType::U8 ? DType::U8 : DType::Bool, kernel);
}
template <bool All>
Tensor truth_all(const Tensor& x) {
  return truth<All>(x, all_dims(x.dim()), false);
}
template <bool All>
Tensor truth_dim(const Tensor& x, int64_t dim, bool keepdim) {
  return truth<All>(x, one_dim(dim, x.dim()), keepdim);
}
template <bool All>
Tensor truth_dims(const Tensor& x, std::optional<IntSpan> dims, bool keepdim) {
  return truth<All>(x, dims ? dim_set_exact(*dims, x.dim()) : all_dims(x.dim()), keepdim);
}

}  // namespace

Tensor mean(const Tensor& t, IntSpan dims, bool keepdim, std::optional<DType> dtype) {
  return mean_over(t, dim_set(dims, t.dim()), keepdim, dtype, "MeanBackward1");
}

static const Family family([](Registry& r) {
  r.op<&sum_all>(
      "sum(Tensor self, *, ScalarType? dtype=None) -> Tensor",
      "The sum of all elements, or over the axes dim; keepdim leaves them with size 1. Of integers and bool\n"
      "as int64; dtype, if given, is that of the computation and the result. Of nothing it is 0.\n\n"
      ">>> torch.sum(torch.tensor([[1, 2], [3, 4]]), 0)\ntensor([4, 6])\n");
  r.op<&sum_dims>("sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor");
  r.op<&nansum>(
      "nansum(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
      "The sum with NaN taken as zero, over the axes dim or of all elements; of integers and bool as int64.\n\n"
      ">>> torch.nansum(torch.tensor([1., float('nan'), 2.]))\ntensor(3.)\n");
  r.op<&mean_all>("mean(Tensor self, *, ScalarType? dtype=None) -> Tensor",
                  "The mean of all elements, or over the axes dim; keepdim leaves them with size 1. Of integers and\n"
                  "bool in the default float dtype (PyTorch asks for a conversion); dtype, if given, is that of the\n"
                  "computation. Of nothing it is NaN.\n\n"
                  ">>> torch.mean(torch.tensor([1., 2., 6.]))\ntensor(3.)\n");
  r.op<&mean_dims>("mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor");
  r.op<&nanmean>("nanmean(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
                 "The mean of the elements that are not NaN, over the axes dim or of all; NaN if there are none.\n\n"
                 ">>> torch.nanmean(torch.tensor([1., float('nan'), 2.]))\ntensor(1.5000)\n");
  r.op<&prod_all>(
      "prod(Tensor self, *, ScalarType? dtype=None) -> Tensor",
      "The product of all elements, or along the axis dim. Of integers and bool as int64; dtype, if given,\n"
      "is that of the computation and the result. Of nothing it is 1.\n\n"
      ">>> torch.prod(torch.tensor([2, 3, 4]))\ntensor(24)\n");
  r.op<&prod_dim>("prod.dim_int(Tensor self, int dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor");
  r.op<&count_nonzero>("count_nonzero(Tensor self, int? dim=None) -> Tensor",
                       "How many elements are not zero, in all or over the axes dim, as int64. Any dtype.\n\n"
                       ">>> torch.count_nonzero(torch.tensor([0, 1, 2]))\ntensor(2)\n");
  r.op<&count_nonzero_dims>("count_nonzero.dim_IntList(Tensor self, int[] dim) -> Tensor");
  r.op<&truth_all<true>>(
      "all(Tensor self) -> Tensor",
      "Whether every element is true (not zero; NaN is true), in all or over the axes dim, as bool (of\n"
      "uint8 as uint8). Of nothing it is True.\n\n"
      ">>> torch.all(torch.tensor([True, False]))\ntensor(False)\n");
  r.op<&truth_dim<true>>("all.dim(Tensor self, int dim, bool keepdim=False) -> Tensor");
  r.op<&truth_dims<true>>("all.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor");
  r.op<&truth_all<false>>(
      "any(Tensor self) -> Tensor",
      "Whether some element is true (not zero; NaN is true), in all or over the axes dim, as bool (of uint8\n"
      "as uint8). Of nothing it is False.\n\n"
      ">>> torch.any(torch.tensor([True, False]))\ntensor(True)\n");
  r.op<&truth_dim<false>>("any.dim(Tensor self, int dim, bool keepdim=False) -> Tensor");
  r.op<&truth_dims<false>>("any.dims(Tensor self, int[]? dim=None, bool keepdim=False) -> Tensor");
});

}  // namespace rl
