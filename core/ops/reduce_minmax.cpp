// Extrema and where they are; medians and other order statistics of rows.
#include "kernels/sort.h"
#include "ops/creation.h"
#include "ops/formula.h"
#include "ops/index_util.h"
#include "ops/reduce.h"

namespace rl {
namespace {

enum class Extremum { Min, Max };

const cpu::ReduceMinMaxTable& kernels() { return cpu::reduce_minmax(); }

template <Extremum E>
ReduceFn value_kernel() {
  return E == Extremum::Max ? kernels().amax : kernels().amin;
}
template <Extremum E>
PairFn pair_kernel() {
  return E == Extremum::Max ? kernels().max : kernels().min;
}

template <Extremum E>
Tensor extreme_values(const Tensor& x, DimSet set, bool keepdim) {
  if (set == 0 && x.dim() > 0) return clone(detach(x));
  return reduce(x, set, keepdim, x.dtype(), value_kernel<E>(), value_kernel<E>());
}

// amax(x, dim), amin(x, dim): ties share the gradient.
template <Extremum E>
Tensor extreme_dims(const Tensor& x, IntSpan dims, bool keepdim) {
  constexpr bool kMax = E == Extremum::Max;
  if (is_complex_dtype(x.dtype())) not_implemented_for(kMax ? "max_values_cpu" : "min_values_cpu", x.dtype());
  DimSet set = dim_set(dims, x.dim());
  check_not_empty(x, set, dims.empty(), kMax ? "amax" : "amin");
  Tensor out = extreme_values<E>(x, set, keepdim);
  record(kMax ? "AmaxBackward0" : "AminBackward0", out, {x}, {x, output(out)}, [set, keepdim](Backward& ctx) {
    ctx.set(0, share_evenly(ctx.grad(), ctx.saved(0), ctx.saved(1), set, keepdim));
  });
  return out;
}

// max(x), min(x)
template <Extremum E>
Tensor extreme_all(const Tensor& x) {
  constexpr bool kMax = E == Extremum::Max;
  if (is_complex_dtype(x.dtype())) not_implemented_for(kMax ? "max_all" : "min_all", x.dtype());
  DimSet set = all_dims(x.dim());
  check_not_empty(x, set, true, kMax ? "max" : "min");
  Tensor out = extreme_values<E>(x, set, false);
  record(kMax ? "MaxBackward1" : "MinBackward1", out, {x}, {x, output(out)},
         [set](Backward& ctx) { ctx.set(0, share_evenly(ctx.grad(), ctx.saved(0), ctx.saved(1), set, false)); });
  return out;
}

// The selected values' gradient for an op that gives (values, indices) of one axis.
void record_selection(const char* name, const Tensor& values, const Tensor& indices, const Tensor& x, int64_t dim,
                      bool keepdim) {
  const Tensor outs[] = {values, indices};
  record(name, std::span<const Tensor>(outs), std::span<const Tensor>(&x, 1), {Keep(indices)},
         [sizes = Dims(x.sizes()), dim, keepdim](Backward& ctx) {
           if (ctx.has_grad(0)) ctx.set(0, select_backward(ctx.grad(0), ctx.saved(0), sizes, dim, keepdim));
         });
}

// max(x, dim), min(x, dim)
template <Extremum E>
std::tuple<Tensor, Tensor> extreme_dim(const Tensor& x, int64_t d, bool keepdim) {
  constexpr bool kMax = E == Extremum::Max;
  check(!is_complex_dtype(x.dtype()), kMax ? "max" : "min", "(): does not support complex input");
  int64_t dim = wrap_dim(d, x.dim());
  check_not_empty(x, one_dim(dim, x.dim()), false, kMax ? "max" : "min");
  auto [values, indices] = reduce_pair(x, dim, keepdim, pair_kernel<E>());
  record_selection(kMax ? "MaxBackward0" : "MinBackward0", values, indices, x, dim, keepdim);
  return {values, indices};
}

template <Extremum E>
Tensor arg_extreme(const Tensor& t, std::optional<int64_t> d, bool keepdim) {
  constexpr const char* kName = E == Extremum::Max ? "argmax" : "argmin";
  check(!is_complex_dtype(t.dtype()), kName, "(): does not support complex input");
  check(t.dtype() != DType::Bool, kName, "(): does not support bool input");
  auto kernel = [](DType in, const void* x, const cpu::ReduceShape& shape, void* out) {
    pair_kernel<E>()(in, x, shape, nullptr, static_cast<int64_t*>(out));
  };
  if (d) {
    int64_t dim = wrap_dim(*d, t.dim());
    check_not_empty(t, one_dim(dim, t.dim()), false, kName);
    return reduce(t, one_dim(dim, t.dim()), keepdim, DType::I64, kernel);
  }
  check_index(t.numel() > 0, kName, "(): Expected reduction dim to be specified for input.numel() == 0.");
  return reduce(plain(t), all_dims(t.dim()), keepdim, DType::I64, kernel);  // indices count in logical order
}

std::tuple<Tensor, Tensor> aminmax(const Tensor& x, std::optional<int64_t> d, bool keepdim) {
  if (is_complex_dtype(x.dtype())) not_implemented_for(d ? "aminmax_cpu" : "aminmax_allreduce_cpu", x.dtype());
  check(d || x.numel() > 0,
        "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity.");
  DimSet set = d ? one_dim(*d, x.dim()) : dim_set({}, x.dim());
  if (d) check_not_empty(x, set, false, "aminmax");
  Tensor low, high;
  cpu::ReduceShape shape;
  if (reduce_shape(x, set, shape)) {
    low = Tensor::empty(reduced_sizes(x.sizes(), set, keepdim), x.dtype());
    high = Tensor::empty(low.sizes(), x.dtype());
    if (low.numel() > 0) kernels().aminmax(x.dtype(), x.raw(), shape, low.raw(), high.raw());
  } else {
    low = extreme_values<Extremum::Min>(x, set, keepdim);
    high = extreme_values<Extremum::Max>(x, set, keepdim);
  }
  const Tensor outs[] = {low, high};
  record("AminmaxBackward0", std::span<const Tensor>(outs), std::span<const Tensor>(&x, 1),
         {Keep(x), output(low, 0), output(high, 1)}, [set, keepdim](Backward& ctx) {
           Tensor x = ctx.saved(0), g;
           for (int i = 0; i < 2; ++i) {
             if (!ctx.has_grad(i)) continue;
             Tensor part = share_evenly(ctx.grad(i), x, ctx.saved(1 + i), set, keepdim);
             g = g.defined() ? formula::add(g, part) : part;
           }
           ctx.set(0, g);
         });
  return {low, high};
}

// --- order statistics --------------------------------------------------------------------------------------------------

std::tuple<Tensor, Tensor> select_row(const Tensor& t, int64_t dim, bool keepdim, cpu::Select what, int64_t k) {
  Tensor x = plain(t);
  Dims sizes = reduced_sizes(x.sizes(), one_dim(dim, x.dim()), keepdim);
  Tensor values = Tensor::empty(sizes, x.dtype()), indices = Tensor::empty(sizes, DType::I64);
  AxisRows rows(x, dim);
  if (values.numel() > 0)
    cpu::sort().select(values.raw(), indices.data<int64_t>(), x.raw(), x.dtype(), rows.outer, rows.n, rows.inner, what,
                       k);
  return {values, indices};
}

template <bool IgnoreNan>
Tensor median_all(const Tensor& x) {
  if (is_complex_dtype(x.dtype()) || x.dtype() == DType::Bool) not_implemented_for("median_cpu", x.dtype());
  Tensor out = Tensor::empty({}, x.dtype());
  if (x.numel() == 0) {
    fill_data(out, is_floating(x.dtype()) ? Scalar(std::numeric_limits<double>::quiet_NaN())
                                          : Scalar(std::numeric_limits<int64_t>::min()));
  } else {
    Tensor flat = plain(x);
    cpu::sort().select(out.raw(), nullptr, flat.raw(), x.dtype(), 1, x.numel(), 1,
                       IgnoreNan ? cpu::Select::nanmedian : cpu::Select::median, 0);
  }
  record(IgnoreNan ? "NanmedianBackward0" : "MedianBackward0", out, {x}, {x, output(out)}, [](Backward& ctx) {
    Tensor x = ctx.saved(0);
    ctx.set(0, share_evenly(ctx.grad(), x, ctx.saved(1), all_dims(x.dim()), false));
  });
  return out;
}

template <bool IgnoreNan>
std::tuple<Tensor, Tensor> median_dim(const Tensor& x, int64_t d, bool keepdim) {
  if (is_complex_dtype(x.dtype()) || x.dtype() == DType::Bool) not_implemented_for("median_out", x.dtype());
  int64_t dim = wrap_dim(d, x.dim());
  check_not_empty(x, one_dim(dim, x.dim()), false, "median");
  auto [values, indices] = select_row(x, dim, keepdim, IgnoreNan ? cpu::Select::nanmedian : cpu::Select::median, 0);
  record_selection(IgnoreNan ? "NanmedianBackward1" : "MedianBackward1", values, indices, x, dim, keepdim);
  return {values, indices};
}

std::tuple<Tensor, Tensor> mode(const Tensor& x, int64_t d, bool keepdim) {
  if (is_complex_dtype(x.dtype())) not_implemented_for("mode", x.dtype());
  int64_t dim = wrap_dim(d, x.dim());
  check_not_empty(x, one_dim(dim, x.dim()), false, "mode");
  auto [values, indices] = select_row(x, dim, keepdim, cpu::Select::mode, 0);
  record_selection("ModeBackward0", values, indices, x, dim, keepdim);
  return {values, indices};
}

std::tuple<Tensor, Tensor> kthvalue(const Tensor& x, int64_t k, int64_t d, bool keepdim) {
  if (is_complex_dtype(x.dtype()) || x.dtype() == DType::Bool) not_implemented_for("kthvalue_cpu", x.dtype());
  int64_t dim = wrap_dim(d, x.dim());
  check_not_empty(x, one_dim(dim, x.dim()), false, "kthvalue");
  int64_t n = x.dim() == 0 ? 1 : x.sizes()[dim];
  check(k >= 1 && k <= n, "kthvalue(): selected number k out of range for dimension ", dim, ": k is ", k,
        ", its size is ", n);
  auto [values, indices] = select_row(x, dim, keepdim, cpu::Select::kth, k - 1);
  record_selection("KthvalueBackward0", values, indices, x, dim, keepdim);
  return {values, indices};
}

Tensor maximum(const Tensor& a, const Tensor& b) { return call<pointwise::Maximum>(a, b); }
Tensor minimum(const Tensor& a, const Tensor& b) { return call<pointwise::Minimum>(a, b); }

}  // namespace

Tensor amax(const Tensor& x, IntSpan dims, bool keepdim) { return extreme_dims<Extremum::Max>(x, dims, keepdim); }

static const Family family([](Registry& r) {
  using enum Extremum;
  r.op<&extreme_dims<Max>>(
      "amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor",
      "The largest elements over the axes dim; NaN where there is one. Ties share the gradient evenly\n"
      "(max() gives it to one of them). Along an axis of size 0: an error.\n\n"
      ">>> torch.amax(torch.tensor([[1, 5], [4, 2]]), 1)\ntensor([5, 4])\n");
  r.op<&extreme_dims<Min>>(
      "amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor",
      "The smallest elements over the axes dim; NaN where there is one. Ties share the gradient evenly.\n\n"
      ">>> torch.amin(torch.tensor([[1, 5], [4, 2]]), (0, 1))\ntensor(1)\n");
  r.op<&aminmax>(
      "aminmax(Tensor self, *, int? dim=None, bool keepdim=False) -> (Tensor min, Tensor max)",
      "The smallest and the largest elements, along dim or of all, in one pass.\n\n"
      ">>> torch.aminmax(torch.tensor([3, 1, 2]))\ntorch.return_types.aminmax(\nmin=tensor(1),\nmax=tensor(3))\n");
  r.op<&maximum>("max.other(Tensor self, Tensor other) -> Tensor",
                 "Of one tensor: the largest element, or with dim the largest along it and their places (int64, the\n"
                 "first of equals). Of two: maximum(self, other), broadcast. NaN wins. Along an axis of size 0: an\n"
                 "IndexError. Complex dtypes are an error.\n\n"
                 ">>> torch.max(torch.tensor([[1, 5], [4, 2]]), 1).values\ntensor([5, 4])\n");
  r.op<&extreme_all<Max>>("max(Tensor self) -> Tensor");
  r.op<&extreme_dim<Max>>("max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)");
  r.op<&minimum>("min.other(Tensor self, Tensor other) -> Tensor",
                 "Of one tensor: the smallest element, or with dim the smallest along it and their places (int64, the\n"
                 "first of equals). Of two: minimum(self, other), broadcast. NaN wins. Along an axis of size 0: an\n"
                 "IndexError. Complex dtypes are an error.\n\n"
                 ">>> torch.min(torch.tensor([3, 1, 2]))\ntensor(1)\n");
  r.op<&extreme_all<Min>>("min(Tensor self) -> Tensor");
  r.op<&extreme_dim<Min>>("min.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)");
  r.op<&arg_extreme<Max>>(
      "argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor",
      "The index (int64) of the largest element, along dim or of all elements seen as a vector (the first\n"
      "of equals; NaN wins). Along an axis of size 0: an IndexError. Complex and bool are a RuntimeError.\n\n"
      ">>> torch.argmax(torch.tensor([1, 3, 2]))\ntensor(1)\n");
  r.op<&arg_extreme<Min>>(
      "argmin(Tensor self, int? dim=None, bool keepdim=False) -> Tensor",
      "The index (int64) of the smallest element, along dim or of all elements seen as a vector (the first\n"
      "of equals; NaN wins). Along an axis of size 0: an IndexError. Complex and bool are a RuntimeError.\n\n"
      ">>> torch.argmin(torch.tensor([2, 3, 1]))\ntensor(2)\n");
  r.op<&median_all<false>>(
      "median(Tensor self) -> Tensor",
      "The middle element, the lower one of an even number, NaN if there is one; along dim also its place\n"
      "(int64). Complex and bool are a NotImplementedError.\n\n"
      ">>> torch.median(torch.tensor([1, 5, 2]))\ntensor(2)\n");
  r.op<&median_dim<false>>("median.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)");
  r.op<&median_all<true>>(
      "nanmedian(Tensor self) -> Tensor",
      "The middle one of the elements that are not NaN, the lower one of an even number; along dim also its\n"
      "place. NaN if there are none.\n\n"
      ">>> torch.nanmedian(torch.tensor([float('nan'), 1., 3., 2.]))\ntensor(2.)\n");
  r.op<&median_dim<true>>("nanmedian.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)");
  r.op<&mode>("mode(Tensor self, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)",
              "The most frequent elements along dim (the smallest of equally frequent ones), and a place where each\n"
              "stands (int64).\n\n"
              ">>> torch.mode(torch.tensor([2, 1, 2, 3])).values\ntensor(2)\n");
  r.op<&kthvalue>(
      "kthvalue(Tensor self, int k, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)",
      "The k-th smallest elements along dim, counted from 1, and their places (int64). k outside of 1 ..\n"
      "size is a RuntimeError.\n\n"
      ">>> torch.kthvalue(torch.tensor([30, 10, 20]), 2)\ntorch.return_types.kthvalue(\nvalues=tensor(20),\n"
      "indices=tensor(2))\n");
});

}  // namespace rl
