// gather, scatter and scatter_reduce: an index of as many dimensions as the tensor.
#include "ops/scatter.h"

#include <algorithm>
#include <limits>

#include "kernels/pointwise/arithmetic.h"
#include "kernels/pointwise/compare.h"
#include "ops/creation.h"
#include "ops/index_util.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace rl {
namespace {

Tensor at_least_1d(const Tensor& t) { return t.dim() > 0 ? t : t.alias(Dims{1}, Dims{1}, t->offset()); }

// The index as the kernels want it: contiguous int64, every entry in [0, self.size(dim)).
Tensor check_index_of(const char* op, const Tensor& self, int64_t dim, const Tensor& index) {
  if (index.numel() == 0) return index;
  check(index.dtype() == DType::I64 || index.dtype() == DType::I32, op,
        "(): Expected dtype int32/int64 for index, but got ", dtype_name(index.dtype()));
  Tensor s = at_least_1d(self), at = at_least_1d(index);
  check(s.dim() == at.dim(), "Index tensor must have the same number of dimensions as ",
        std::string_view(op) == "gather" ? "input" : "self", " tensor: shapes ", shape_str(index.sizes()), " and ",
        shape_str(self.sizes()));
  return checked_index(at, s.sizes()[dim], dim, false, ErrorKind::Runtime);
}

void check_source(const char* op, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source) {
  check(self.dtype() == source.dtype(), op, "(): Expected self.dtype to be equal to src.dtype");
  if (index.numel() == 0) return;
  Tensor s = at_least_1d(self), at = at_least_1d(index), from = at_least_1d(source);
  check(from.dim() == at.dim(), "Index tensor must have the same number of dimensions as src tensor");
  bool fits = true;
  for (int64_t d = 0; d < at.dim() && s.dim() == at.dim(); ++d)
    fits &= (d == dim || at.sizes()[d] <= s.sizes()[d]) && at.sizes()[d] <= from.sizes()[d];
  check(fits, "Expected index ", shape_str(index.sizes()), " to be no larger than self ", shape_str(self.sizes()),
        " apart from dimension ", dim, " and to be no larger size than src ", shape_str(source.sizes()));
}

// out[... index ...] op= source[...]; a source of no dimensions stands for all.
void write(const Tensor& out, int64_t dim, const Tensor& index, const Tensor& source, cpu::Scatter op) {
  if (index.numel() == 0 || out.numel() == 0) return;
  Tensor to = at_least_1d(out), from = source;
  if (&source->storage() == &out->storage()) from = clone(detach(source));
  Dims strides(from.strides());
  if (from.dim() == 0) strides = Dims(to.dim(), 0);
  cpu::index().scatter(to.raw(), to.dtype(), to.strides().data(), from.raw(), strides.data(), index.data<int64_t>(),
                       index.strides().data(), index.sizes().data(), static_cast<int>(to.dim()), static_cast<int>(dim),
                       op);
}

// A gradient of the shape of index, padded with zeros to that of the source it belongs to.
Tensor pad_to(const Tensor& g, IntSpan sizes) {
  if (std::ranges::equal(g.sizes(), sizes)) return g;
  Dims pad;
  for (int64_t d = g.dim() - 1; d >= 0; --d) {
    pad.push_back(0);
    pad.push_back(sizes[static_cast<size_t>(d)] - g.sizes()[d]);
  }
  return constant_pad_nd(g, pad, Scalar(0));
}

Tensor mul(const Tensor& a, const Tensor& b) { return call<pointwise::Mul>(a, b); }
Tensor div(const Tensor& a, const Tensor& b) { return call<pointwise::Div>(a, b); }
Tensor is_equal(const Tensor& a, const Tensor& b) { return call<pointwise::Eq>(a, b); }
Tensor number(double v) { return Tensor::wrapped(Scalar(v)); }

}  // namespace

Tensor gather(const Tensor& self, int64_t dim, const Tensor& index, bool) {
  dim = wrap_dim(dim, self.dim());
  Tensor at = check_index_of("gather", self, dim, index), s = at_least_1d(self);
  Tensor out = Tensor::empty(index.sizes(), self.dtype());
  if (out.numel() > 0) {
    for (int64_t d = 0; d < at.dim(); ++d)
      check(d == dim || at.sizes()[d] <= s.sizes()[d], "Size does not match at dimension ", d, " expected index ",
            shape_str(index.sizes()), " to be no larger than self ", shape_str(self.sizes()), " apart from dimension ",
            dim);
    Tensor to = at_least_1d(out);
    cpu::index().gather(to.raw(), to.strides().data(), s.raw(), s.strides().data(), item_size(s.dtype()),
                        at.data<int64_t>(), at.strides().data(), at.sizes().data(), static_cast<int>(at.dim()),
                        static_cast<int>(dim));
  }
  record("GatherBackward0", out, {self}, {index}, [dim, sizes = Dims(self.sizes())](Backward& ctx) {
    ctx.set(0, scatter_add(zeros(sizes, ctx.grad().dtype()), dim, ctx.saved(0), ctx.grad()));
  });
  return out;
}

template <bool kInPlace>
static Tensor scatter_src_any(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source) {
  dim = wrap_dim(dim, self.dim());
  check_source("scatter", self, dim, index, source);
  Tensor at = check_index_of("scatter", self, dim, index);
  auto fill = [&](const Tensor& out) { write(out, dim, at, at_least_1d(source), cpu::Scatter::assign); };
  return write_into(kInPlace, self, "scatter_", "ScatterBackward0", source, {index}, fill,
                    [dim, from = Dims(source.sizes())](Backward& ctx) {
                      if (ctx.needs(0)) ctx.set(0, scatter_value(ctx.grad(), dim, ctx.saved(0), Scalar(0)));
                      if (ctx.needs(1)) ctx.set(1, pad_to(gather(ctx.grad(), dim, ctx.saved(0), false), from));
                    });
}
Tensor scatter_src(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source) {
  return scatter_src_any<false>(self, dim, index, source);
}

template <bool kInPlace>
static Tensor scatter_value_any(const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value) {
  dim = wrap_dim(dim, self.dim());
  check_fits(value, self.dtype());
  Tensor at = check_index_of("scatter", self, dim, index);
  if (at.numel() > 0)
    for (int64_t d = 0; d < at.dim(); ++d)
      check(d == dim || at.sizes()[d] <= at_least_1d(self).sizes()[d], "Expected index ", shape_str(index.sizes()),
            " to be no larger than self ", shape_str(self.sizes()), " apart from dimension ", dim);
  auto fill = [&](const Tensor& out) {
    write(out, dim, at, Tensor::scalar(value, self.dtype()), cpu::Scatter::assign);
  };
  return write_into(kInPlace, self, "scatter_", "ScatterBackward1", Tensor(), {index}, fill,
                    [dim](Backward& ctx) { ctx.set(0, scatter_value(ctx.grad(), dim, ctx.saved(0), Scalar(0))); });
}
Tensor scatter_value(const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value) {
  return scatter_value_any<false>(self, dim, index, value);
}

template <bool kInPlace>
static Tensor scatter_add_any(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source) {
  dim = wrap_dim(dim, self.dim());
  check_source("scatter", self, dim, index, source);
  Tensor at = check_index_of("scatter", self, dim, index);
  auto fill = [&](const Tensor& out) { write(out, dim, at, at_least_1d(source), cpu::Scatter::add); };
  return write_into(kInPlace, self, "scatter_add_", "ScatterAddBackward0", source, {index}, fill,
                    [dim, from = Dims(source.sizes())](Backward& ctx) {
                      if (ctx.needs(0)) ctx.set(0, ctx.grad());
                      if (ctx.needs(1)) ctx.set(1, pad_to(gather(ctx.grad(), dim, ctx.saved(0), false), from));
                    });
}
Tensor scatter_add(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source) {
  return scatter_add_any<false>(self, dim, index, source);
}

// --- reductions -------------------------------------------------------------------------------------------------------------

namespace {

enum class Reduce { sum, prod, mean, amax, amin };

Reduce parse_reduce(std::string_view name) {
  if (name == "sum") return Reduce::sum;
  if (name == "prod") return Reduce::prod;
  if (name == "mean") return Reduce::mean;
  if (name == "amax") return Reduce::amax;
  if (name == "amin") return Reduce::amin;
  fail(ErrorKind::Runtime, "reduce argument must be either sum, prod, mean, amax or amin, got ", name);
}

// What does not change the result, for places that self itself takes no part in.
Scalar identity_of(Reduce reduce, DType dtype) {
  if (reduce == Reduce::prod) return Scalar(1);
  if (reduce == Reduce::sum || reduce == Reduce::mean) return Scalar(0);
  bool low = reduce == Reduce::amax;
  double infinity = std::numeric_limits<double>::infinity();
  if (is_floating(dtype)) return Scalar(low ? -infinity : infinity);
  return visit_dtype(dtype, [&](auto zero) -> Scalar {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T>)
      return Scalar(static_cast<int64_t>(low ? std::numeric_limits<T>::lowest() : std::numeric_limits<T>::max()));
    else
      return Scalar(0);
  });
}

// How many values each place received.
Tensor counts_of(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source, bool include_self) {
  Tensor n = full(self.sizes(), Scalar(include_self ? 1 : 0), self.dtype());
  n = scatter_add(n, dim, index, ones(source.sizes(), self.dtype()));
  return masked_fill(n, is_equal(n, number(0)), Scalar(1));
}

Tensor reduce_values(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source, Reduce reduce,
                     bool include_self) {
  Tensor at = check_index_of("scatter", self, dim, index);
  Tensor out = Tensor::empty_like(self);
  copy_data(out, self);
  if (!include_self)
    write(out, dim, at, Tensor::scalar(identity_of(reduce, self.dtype()), self.dtype()), cpu::Scatter::assign);
  static constexpr cpu::Scatter kOps[] = {cpu::Scatter::add, cpu::Scatter::mul, cpu::Scatter::add, cpu::Scatter::max,
                                          cpu::Scatter::min};
  write(out, dim, at, at_least_1d(source), kOps[static_cast<int>(reduce)]);
  if (reduce != Reduce::mean) return out;
  Tensor n = counts_of(self, dim, index, source, include_self);
  return is_integral(self.dtype()) ? call<pointwise::FloorDivide>(out, n) : div(out, n);
}

// The product of the others, where an element is zero, cannot be had by dividing: such a one is left out first.
void prod_gradients(Backward& ctx, const Tensor& self, const Tensor& source, const Tensor& index, const Tensor& result,
                    int64_t dim, bool include_self) {
  const Tensor& g = ctx.grad();
  if (ctx.needs(0)) {
    Tensor filled = masked_fill(self, is_equal(self, number(0)), Scalar(1));
    Tensor r = scatter_reduce(filled, dim, index, source, "prod", include_self);
    Tensor gs = div(mul(g, r), filled);
    ctx.set(0, include_self ? gs : scatter_value(Backward::create_graph() ? gs : g, dim, index, Scalar(0)));
  }
  if (!ctx.needs(1)) return;
  Tensor zero = is_equal(source, number(0));
  Tensor zeros_at = gather(scatter_add(zeros(self.sizes(), self.dtype()), dim, index, to_dtype(zero, self.dtype())),
                           dim, index, false);
  Tensor single = call<pointwise::LogicalAnd>(zero, is_equal(zeros_at, number(1)));
  Tensor without = scatter_reduce(self, dim, index, masked_fill(source, single, Scalar(1)), "prod", include_self);
  Tensor others = gather(mul(g, without), dim, index, false);
  Tensor divided = div(gather(mul(g, result), dim, index, false), masked_fill(source, zero, Scalar(1)));
  ctx.set(1, call<pointwise::Where>(single, others, divided));
}

}  // namespace

Tensor scatter_reduce(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source, std::string_view name,
                      bool include_self) {
  Reduce reduce = parse_reduce(name);
  dim = wrap_dim(dim, self.dim());
  check_source("scatter", self, dim, index, source);
  Tensor out = reduce_values(self, dim, index, source, reduce, include_self);
  if (!needs_gradient(self, source)) return out;
  record("ScatterReduceBackward0", out, {self, source}, {self, source, index, output(out)},
         [dim, reduce, include_self](Backward& ctx) {
           Tensor self = ctx.saved(0), source = ctx.saved(1), index = ctx.saved(2), result = ctx.saved(3);
           const Tensor& g = ctx.grad();
           check(!ctx.needs(1) || same_shape(source, index) || source.dim() == 0,
                 "scatter_reduce: the gradient of src needs an index of the same shape, got ", shape_str(index.sizes()),
                 " and ", shape_str(source.sizes()));
           if (reduce == Reduce::prod) return prod_gradients(ctx, self, source, index, result, dim, include_self);
           Tensor gs, gv;
           if (reduce == Reduce::sum) {
             gs = g;
             if (ctx.needs(1)) gv = gather(g, dim, index, false);
           } else if (reduce == Reduce::mean) {
             Tensor share = div(g, counts_of(self, dim, index, source, include_self));
             gs = share;
             if (ctx.needs(1)) gv = gather(share, dim, index, false);
           } else {
             // Those equal to the result share its gradient.
             Tensor own = to_dtype(is_equal(self, result), g.dtype());
             Tensor theirs = to_dtype(is_equal(source, gather(result, dim, index, false)), g.dtype());
             if (!include_self) own = scatter_value(own, dim, index, Scalar(0));
             Tensor n = scatter_add(own, dim, index, theirs);
             Tensor share = div(g, masked_fill(n, is_equal(n, number(0)), Scalar(1)));
             gs = mul(own, share);
             if (ctx.needs(1)) gv = mul(theirs, gather(share, dim, index, false));
           }
           if (ctx.needs(0)) ctx.set(0, include_self ? gs : scatter_value(gs, dim, index, Scalar(0)));
           if (ctx.needs(1)) ctx.set(1, gv);
         });
  return out;
}

static std::string_view reduce_name(std::string_view old) {
  check(old == "add" || old == "multiply", "reduce argument must be either add or multiply.");
  return old == "add" ? "sum" : "prod";
}
static Tensor scatter_with(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source,
                           std::string_view reduce) {
  return scatter_reduce(self, dim, index, source, reduce_name(reduce), true);
}
static Tensor scatter_value_with(const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value,
                                 std::string_view reduce) {
  return scatter_reduce(self, dim, index, full(index.sizes(), value, self.dtype()), reduce_name(reduce), true);
}

static Tensor scatter_with_(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source,
                            std::string_view reduce) {
  return replace_by(self, "scatter_", source,
                    [&](const Tensor& before) { return scatter_with(before, dim, index, source, reduce); });
}
static Tensor scatter_value_with_(const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value,
                                  std::string_view reduce) {
  return replace_by(self, "scatter_", Tensor(),
                    [&](const Tensor& before) { return scatter_value_with(before, dim, index, value, reduce); });
}

static const Family family([](Registry& r) {
  constexpr Traits kInPlace{.in_place = true};
  constexpr Traits kMethod{.function = false};
  r.op<&gather>(
      "gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor",
      "Elements picked along dim: out[i][j] = self[index[i][j]][j] for dim=0. index (int64) has as many\n"
      "dimensions as self and nowhere, but along dim, exceeds its sizes; the result has its shape. A place\n"
      "outside of self is a RuntimeError. Any dtype.\n\n"
      ">>> torch.gather(torch.tensor([[1, 2], [3, 4]]), 1, torch.tensor([[1], [0]]))\ntensor([[2],\n        [3]])\n");
  r.op<&scatter_src>(
      "scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor",
      "self with src, or the number value, written along dim at the places that index names: for dim 0,\n"
      "out[index[i][j]][j] = src[i][j]. With reduce \"add\" or \"multiply\" they are added or multiplied into\n"
      "self instead. index is int64, has as many dimensions as self, and nowhere exceeds src's sizes (nor\n"
      "self's, but along dim). src has self's dtype. A place outside of self is a RuntimeError; where two\n"
      "writes meet, without reduce, one of them wins.\n\n"
      ">>> torch.scatter(torch.zeros(2, 3), 1, torch.tensor([[2], [0]]), torch.tensor([[5.], [7.]]))\n"
      "tensor([[0., 0., 5.],\n        [7., 0., 0.]])\n");
  r.op<&scatter_value>("scatter.value(Tensor self, int dim, Tensor index, Scalar value) -> Tensor");
  r.op<&scatter_with>("scatter.reduce(Tensor self, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor");
  r.op<&scatter_value_with>(
      "scatter.value_reduce(Tensor self, int dim, Tensor index, Scalar value, *, str reduce) -> Tensor");
  r.op<&scatter_src_any<true>>("scatter_.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor",
                               "scatter() in place.\n\n"
                               ">>> torch.zeros(3).scatter_(0, torch.tensor([2, 0]), 1.)\ntensor([1., 0., 1.])\n",
                               kMethod);
  r.op<&scatter_value_any<true>>("scatter_.value(Tensor self, int dim, Tensor index, Scalar value) -> Tensor", "",
                                 kMethod);
  r.op<&scatter_with_>("scatter_.reduce(Tensor self, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor", "",
                       kMethod);
  r.op<&scatter_value_with_>(
      "scatter_.value_reduce(Tensor self, int dim, Tensor index, Scalar value, *, str reduce) -> Tensor", "", kMethod);
  r.op<&scatter_add>("scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor",
                     "self with src added along dim at the places that index names: for dim 0, out[index[i][j]][j] +=\n"
                     "src[i][j]. index, src and errors are as for scatter().\n\n"
                     ">>> torch.scatter_add(torch.zeros(3), 0, torch.tensor([0, 2, 0]), torch.tensor([1., 2., 3.]))\n"
                     "tensor([4., 0., 2.])\n");
  r.op<&scatter_add_any<true>>(
      "scatter_add_(Tensor self, int dim, Tensor index, Tensor src) -> Tensor",
      "scatter_add() in place.\n\n"
      ">>> torch.zeros(2).scatter_add_(0, torch.tensor([1, 1]), torch.tensor([2., 3.]))\ntensor([0., 5.])\n",
      kMethod);
  r.op<&scatter_reduce>(
      "scatter_reduce.two(Tensor self, int dim, Tensor index, Tensor src, str reduce, *, bool include_self=True) -> Tensor",
      "self with src combined along dim, by reduce \"sum\", \"prod\", \"mean\", \"amax\" or \"amin\", into the places\n"
      "that index names (as in scatter()). Without include_self, what stood at those places takes no part.\n\n"
      ">>> index, src = torch.tensor([0, 0, 1]), torch.tensor([1., 3., 5.])\n"
      ">>> torch.scatter_reduce(torch.full((2,), 9.), 0, index, src, \"mean\", include_self=False)\n"
      "tensor([2., 5.])\n",
      kInPlace);
});

}  // namespace rl
