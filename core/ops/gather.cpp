// Reading and writing along one dimension: index_select and its kin, embedding, take and put. gather and scatter, whose
// index has all dimensions, are in scatter.cpp.
#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/index_scatter.h"
#include "kernels/pointwise/arithmetic.h"
#include "kernels/pointwise/compare.h"
#include "ops/creation.h"
#include "ops/index_util.h"
#include "ops/pointwise.h"
#include "ops/scatter.h"
#include "ops/shape.h"
#include "tensor/destination.h"

namespace rl {
namespace {

Tensor at_least_1d(const Tensor& t) { return t.dim() > 0 ? t : t.alias(Dims{1}, Dims{1}, t->offset()); }

void check_vector(const char* op, const Tensor& index) {
  check_index(index.dim() <= 1, op, "(): Index is supposed to be a vector, but got shape ", shape_str(index.sizes()));
  check(index.dtype() == DType::I64 || index.dtype() == DType::I32, op,
        "(): Expected dtype int32 or int64 for index, but got ", dtype_name(index.dtype()));
}

// Contiguous int64 in [0, size), or "index out of range in self" with the index, as index_select and embedding say it.
Tensor index_in_range(const Tensor& index, int64_t size, int64_t dim, IntSpan shape) {
  Tensor t = plain(index.dtype() == DType::I64 ? index : to_dtype(index, DType::I64));
  int64_t bad = t.numel() > 0 ? cpu::index().wrap_indices(nullptr, t.data<int64_t>(), t.numel(), size, 0) : -1;
  if (bad >= 0)
    fail(ErrorKind::Index, "index out of range in self: got ", t.data<int64_t>()[bad], ", but dimension ", dim,
         " has size ", size, " (shape ", shape_str(shape), "), so indices must be in [0, ", size - 1, "]");
  return t;
}

// out[..., index[j], ...] op= source[..., j, ...]; a source of one element stands for all.
void write_rows(const Tensor& out, int64_t dim, const Tensor& index, const Tensor& source, cpu::Scatter op) {
  Tensor to = at_least_1d(out);
  if (to.numel() == 0 || index.numel() == 0) return;
  Rows rows;
  bool direct = Rows::of(to, dim, 1, rows);
  Tensor work = to;
  if (!direct) {
    work = Tensor::empty(to.sizes(), to.dtype());
    copy_data(work, to);
    Rows::of(work, dim, 1, rows);
  }
  Tensor from = plain(source);
  int64_t n = index.numel();
  cpu::RowLayout layout{n * rows.inner, rows.inner, 1};
  if (source.numel() == 1 && n * rows.outer * rows.inner != 1) layout = {0, 0, 0};
  cpu::index().scatter_rows(work.raw(), to.dtype(), rows.layout, from.raw(), layout, index.data<int64_t>(), rows.outer,
                            n, rows.inner, op, -1);
  if (!direct) copy_data(to, work);
}

int64_t axis_size(const Tensor& t, int64_t dim) { return t.dim() == 0 ? 1 : t.sizes()[dim]; }

// out = base with the rows of source added, in one pass; false, with nothing done, where that is not the way.
bool add_whole_rows(const Tensor& out, const Tensor& base, int64_t dim, const Tensor& index, const Tensor& source) {
  constexpr int64_t kLeastRow = 16;
  if ((out.dtype() != DType::F32 && out.dtype() != DType::F64) || out.dim() < 2 || source.dim() != out.dim())
    return false;
  const int64_t rows = out.sizes()[dim], n = index.numel(),
                outer = product(out.sizes().first(static_cast<size_t>(dim)));
  if (n == 0 || out.numel() == 0 || (&out->storage() == &base->storage() && n < rows / 4)) return false;
  const int64_t inner = out.numel() / (rows * outer);
  if (inner < kLeastRow || !out.is_contiguous() || !base.is_contiguous()) return false;
  Tensor from = plain(source);
  cpu::add_rows(out.raw(), base.raw(), out.dtype(), from.raw(), index.data<int64_t>(), outer, rows, n, inner);
  return true;
}

}  // namespace

Tensor index_add_flat(const Tensor& flat, const Tensor& positions, const Tensor& values) {
  return index_add(flat, 0, positions, values, Scalar(1));
}

Tensor index_select(const Tensor& self, int64_t dim, const Tensor& index) {
  dim = wrap_dim(dim, self.dim());
  check_vector("index_select", index);
  check(self.dim() > 0 || index.numel() == 1, "index_select(): Index to scalar can have only 1 value, got ",
        index.numel(), " value(s)");
  Tensor at = index_in_range(index, axis_size(self, dim), dim, self.sizes());
  Tensor t = at_least_1d(self);
  Rows rows;
  if (!Rows::of(t, dim, 1, rows)) {
    t = contiguous(detach(t));
    Rows::of(t, dim, 1, rows);
  }
  Dims sizes(self.sizes());
  if (self.dim() > 0) sizes[dim] = at.numel();
  Tensor out = Tensor::empty(sizes, self.dtype());
  if (out.numel() > 0 && at.numel() > 0)
    cpu::index().gather_rows(out.raw(), t.raw(), item_size(self.dtype()), rows.layout, at.data<int64_t>(), rows.outer,
                             at.numel(), rows.inner);
  record("IndexSelectBackward0", out, {self}, {index}, [dim, from = Dims(self.sizes())](Backward& ctx) {
    ctx.set(0, index_add(zeros(from, ctx.grad().dtype()), dim, ctx.saved(0), ctx.grad(), Scalar(1)));
  });
  return out;
}

// --- index_add, index_copy, index_fill --------------------------------------------------------------------------------------

template <bool kInPlace>
static Tensor index_add_any(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source,
                            const Scalar& alpha) {
  dim = wrap_dim(dim, self.dim());
  check_vector("index_add_", index);
  check(self.dtype() == source.dtype(), "index_add_(): self (", scalar_type_name(self.dtype()), ") and source (",
        scalar_type_name(source.dtype()), ") must have the same scalar type");
  int64_t n = axis_size(source, dim < source.dim() ? dim : 0);
  check(index.numel() == n, "index_add_(): Number of indices (", index.numel(),
        ") should be equal to source.size(dim): (", n, "), for dim: ", dim);
  bool fits = self.dim() == source.dim() || self.dim() == 0 || source.dim() == 0;
  for (int64_t d = 0; fits && d < std::min(self.dim(), source.dim()); ++d)
    fits = d == dim || self.sizes()[d] == source.sizes()[d];
  check(fits, "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = ",
        shape_str(self.sizes()), " source.shape = ", shape_str(source.sizes()));
  Tensor at = checked_index(index, axis_size(self, dim), dim, false, ErrorKind::Runtime);
  bool scaled = !(alpha.is_integral() && alpha.to_int() == 1);
  auto fill = [&](const Tensor& out, const Tensor& base) {
    Tensor from = &source->storage() == &out->storage() ? clone(detach(source)) : source;
    if (scaled) from = to_dtype(call<pointwise::Mul>(detach(from), Tensor::wrapped(alpha)), self.dtype());
    if (add_whole_rows(out, base, dim, at, from)) return;
    if (!kInPlace) copy_data(out, base);
    write_rows(out, dim, at, from, cpu::Scatter::add);
  };
  return write_into(kInPlace, self, "index_add_", "IndexAddBackward0", source, {index}, fill,
                    [dim, alpha, scaled, from = Dims(source.sizes())](Backward& ctx) {
                      if (ctx.needs(0)) ctx.set(0, ctx.grad());
                      if (!ctx.needs(1)) return;
                      Tensor g = reshape(index_select(ctx.grad(), dim, ctx.saved(0)), from);
                      ctx.set(1, scaled ? call<pointwise::Mul>(g, Tensor::wrapped(alpha)) : g);
                    });
}
Tensor index_add(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source, const Scalar& alpha) {
  return index_add_any<false>(self, dim, index, source, alpha);
}

template <bool kInPlace>
static Tensor index_copy_any(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source) {
  dim = wrap_dim(dim, self.dim());
  check_index(index.dim() <= 1, "index_copy_(): Index should have dimension 1 or 0 (got ", index.dim(), ")");
  check(index.dtype() == DType::I64, "index_copy_(): Expected a long tensor for index, but got ",
        scalar_type_name(index.dtype()));
  check(self.dtype() == source.dtype(),
        "index_copy_(): self and source expected to have the same dtype, but got (self) ",
        scalar_type_name(self.dtype()), " and (source) ", scalar_type_name(source.dtype()));
  int64_t n = axis_size(source, dim < source.dim() ? dim : 0);
  bool fits = source.dim() == 0 || self.dim() == 0 || self.dim() == source.dim();
  for (int64_t d = 0; fits && d < std::min(self.dim(), source.dim()); ++d)
    fits = d == dim || self.sizes()[d] == source.sizes()[d];
  check(fits, "index_copy_(): Source/destination tensor must have same slice shapes. Destination shape: ",
        shape_str(self.sizes()), ", source shape: ", shape_str(source.sizes()), ", dimension ", dim);
  check_index(index.numel() == n || source.numel() == 1, "index_copy_(): Number of indices (", index.numel(),
              ") should be equal to source.size(dim) (", n, ")");
  Tensor at = checked_index(index, axis_size(self, dim), dim, false, ErrorKind::Index);
  auto fill = [&](const Tensor& out) {
    write_rows(out, dim, at, &source->storage() == &out->storage() ? clone(detach(source)) : source,
               cpu::Scatter::assign);
  };
  return write_into(kInPlace, self, "index_copy_", "IndexCopyBackward0", source, {index}, fill,
                    [dim, from = Dims(source.sizes())](Backward& ctx) {
                      if (ctx.needs(0)) ctx.set(0, index_fill(ctx.grad(), dim, ctx.saved(0), Scalar(0)));
                      if (ctx.needs(1)) ctx.set(1, sum_to(index_select(ctx.grad(), dim, ctx.saved(0)), from));
                    });
}
Tensor index_copy(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source) {
  return index_copy_any<false>(self, dim, index, source);
}

template <bool kInPlace>
static Tensor index_fill_any(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& value) {
  dim = wrap_dim(dim, self.dim());
  check(index.dim() <= 1, "Index has to be a vector/scalar, but got shape ", shape_str(index.sizes()));
  check(index.dtype() == DType::I64 || index.dtype() == DType::I32, "index_fill_(): Expected dtype int64 for index.");
  check(value.dim() == 0, "index_fill_ only supports a 0-dimensional value tensor, but got tensor with ", value.dim(),
        " dimension(s).");
  check(is_complex_dtype(self.dtype()) || !is_complex_dtype(value.dtype()),
        "index_fill_(): Converting complex Scalar to non-complex type is not supported");
  Tensor at = checked_index(index, axis_size(self, dim), dim, true, ErrorKind::Index);
  auto fill = [&](const Tensor& out) {
    write_rows(out, dim, at, Tensor::scalar(value.item(), self.dtype()), cpu::Scatter::assign);
  };
  const bool number = value->wrapped_number;
  Tensor source = is_differentiable(value.dtype()) && !number ? value : Tensor();
  return write_into(kInPlace, self, "index_fill_", number ? "IndexFillBackward0" : "IndexFillBackward1", source, {at},
                    fill, [dim, dtype = value.dtype()](Backward& ctx) {
                      if (ctx.needs(0)) ctx.set(0, index_fill(ctx.grad(), dim, ctx.saved(0), Scalar(0)));
                      if (!ctx.needs(1)) return;
                      // A slice that is named twice is still filled once.
                      Tensor at = ctx.saved(0);
                      std::vector<int64_t> once(at.data<int64_t>(), at.data<int64_t>() + at.numel());
                      std::sort(once.begin(), once.end());
                      once.erase(std::unique(once.begin(), once.end()), once.end());
                      Tensor unique = Tensor::empty(Dims{static_cast<int64_t>(once.size())}, DType::I64);
                      if (!once.empty()) std::copy(once.begin(), once.end(), unique.data<int64_t>());
                      ctx.set(1, to_dtype(sum(index_select(ctx.grad(), dim, unique), {}, false), dtype));
                    });
}
template <bool kInPlace>
static Tensor index_fill_scalar(const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value) {
  check_fits(value, self.dtype());
  return index_fill_any<kInPlace>(self, dim, index, Tensor::wrapped(value));
}
Tensor index_fill(const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value) {
  return index_fill_scalar<false>(self, dim, index, value);
}

static Tensor index_reduce(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source,
                           std::string_view reduce, bool include_self) {
  check(reduce == "prod" || reduce == "mean" || reduce == "amax" || reduce == "amin",
        "index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got ", reduce, ".");
  dim = wrap_dim(dim, self.dim());
  check_vector("index_reduce_", index);
  if (self.dim() == 0)
    return reshape(index_reduce(reshape(self, Dims{1}), 0, index, reshape(source, Dims{1}), reduce, include_self), {});
  check(source.dim() == self.dim() && source.sizes()[dim] == index.numel(), "index_reduce(): Number of indices (",
        index.numel(), ") should be equal to source.size(dim): (", axis_size(source, dim), "), for dim: ", dim);
  Dims sizes(self.dim(), 1);
  sizes[dim] = index.numel();
  return scatter_reduce(self, dim, expand(reshape(index, sizes), source.sizes()), source, reduce, include_self);
}

// --- take, put --------------------------------------------------------------------------------------------------------------

static Tensor flat_index(const Tensor& index, int64_t n, const char* op) {
  check(index.dtype() == DType::I64, op, "(): Expected a long tensor for index, but got ",
        scalar_type_name(index.dtype()));
  Tensor t = plain(index);
  int64_t count = t.numel();
  if (count == 0 || cpu::index().wrap_indices(nullptr, t.data<int64_t>(), count, n, 0) < 0) return t;
  Tensor out = Tensor::empty(t.sizes(), DType::I64);
  int64_t bad = cpu::index().wrap_indices(out.data<int64_t>(), t.data<int64_t>(), count, n, -n);
  if (bad >= 0)
    fail(ErrorKind::Index, "out of range: tried to access index ", t.data<int64_t>()[bad], " on a tensor of ", n,
         " elements.");
  return out;
}

static Tensor put(const Tensor& self, const Tensor& index, const Tensor& source, bool accumulate);

static Tensor take(const Tensor& self, const Tensor& index) {
  check_index(self.numel() != 0 || index.numel() == 0, "take(): tried to take from an empty tensor");
  Tensor at = flat_index(index, self.numel(), "take"), t = plain(self);
  Tensor out = Tensor::empty(index.sizes(), self.dtype());
  if (out.numel() > 0)
    cpu::index().gather_rows(out.raw(), t.raw(), item_size(self.dtype()), {0, 1, 1}, at.data<int64_t>(), 1, at.numel(),
                             1);
  record("TakeBackward0", out, {self}, {index}, [sizes = Dims(self.sizes())](Backward& ctx) {
    ctx.set(0, put(zeros(sizes, ctx.grad().dtype()), ctx.saved(0), ctx.grad(), true));
  });
  return out;
}

static Tensor put(const Tensor& self, const Tensor& index, const Tensor& source, bool accumulate) {
  check(self.dtype() == source.dtype(),
        "put_(): self and source expected to have the same dtype, but got self.dtype = ", dtype_name(self.dtype()),
        " and source.dtype = ", dtype_name(source.dtype()));
  check(index.numel() == source.numel(),
        "put_(): Expected source and index to have the same number of elements, but got source.numel() = ",
        source.numel(), ", index.numel() = ", index.numel());
  Tensor at = flat_index(index, self.numel(), "put_"), from = plain(source);
  Tensor out = self.is_contiguous() ? Destination::over(self) : Tensor();
  if (!out.defined()) out = Tensor::empty(self.sizes(), self.dtype());
  copy_data(out, self);
  if (at.numel() > 0)
    cpu::index().scatter_rows(out.raw(), out.dtype(), {0, 1, 1}, from.raw(), {0, 1, 1}, at.data<int64_t>(), 1,
                              at.numel(), 1, accumulate ? cpu::Scatter::add : cpu::Scatter::assign, -1);
  record("PutBackward0", out, {self, source}, {index}, [accumulate, from = Dims(source.sizes())](Backward& ctx) {
    if (ctx.needs(0))
      ctx.set(0, accumulate ? ctx.grad() : put(ctx.grad(), ctx.saved(0), zeros(from, ctx.grad().dtype()), false));
    if (ctx.needs(1)) ctx.set(1, reshape(take(ctx.grad(), ctx.saved(0)), from));
  });
  return out;
}

// --- embedding --------------------------------------------------------------------------------------------------------------

static Tensor embedding_backward(const Tensor& grad, const Tensor& indices, int64_t rows, int64_t padding_idx,
                                 bool by_frequency) {
  int64_t n = indices.numel(), width = grad.size(-1);
  Tensor at = plain(indices.dtype() == DType::I64 ? indices : to_dtype(indices, DType::I64));
  Tensor g = reshape(grad, Dims{n, width});
  if (by_frequency && n > 0) {
    Tensor counts = zeros(Dims{rows}, DType::I64), scale = Tensor::empty(Dims{n, 1}, grad.dtype());
    cpu::index().bincount(counts.raw(), at.data<int64_t>(), nullptr, n);
    Tensor used = index_select(counts, 0, reshape(at, Dims{n}));
    g = call<pointwise::Div>(g, to_dtype(reshape(used, Dims{n, 1}), grad.dtype()));
  }
  if (Backward::create_graph()) {
    if (padding_idx >= 0)
      g = masked_fill(g, reshape(call<pointwise::Eq>(at, Tensor::wrapped(Scalar(padding_idx))), Dims{n, 1}), Scalar(0));
    return index_add(zeros(Dims{rows, width}, g.dtype()), 0, reshape(at, Dims{n}), g, Scalar(1));
  }
  Tensor out = zeros(Dims{rows, width}, g.dtype());
  g = plain(g);
  if (n > 0 && width > 0)
    cpu::index().scatter_rows(out.raw(), out.dtype(), {0, width, 1}, g.raw(), {0, width, 1}, at.data<int64_t>(), 1, n,
                              width, cpu::Scatter::add, padding_idx);
  return out;
}

static Tensor embedding(const Tensor& weight, const Tensor& indices, int64_t padding_idx, bool scale_grad_by_freq,
                        bool) {
  check(weight.dim() == 2, "'weight' must be 2-D, but got shape ", shape_str(weight.sizes()));
  check(
      indices.dtype() == DType::I64 || indices.dtype() == DType::I32,
      "Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but got torch.",
      scalar_type_name(indices.dtype()), "Tensor instead (while checking arguments for embedding)");
  Tensor at = index_in_range(indices, weight.sizes()[0], 0, weight.sizes());
  Dims sizes(indices.sizes());
  int64_t rows = weight.sizes()[0], width = weight.sizes()[1];
  sizes.push_back(width);
  Tensor out = Tensor::empty(sizes, weight.dtype());
  if (out.numel() > 0)
    cpu::index().gather_rows(out.raw(), weight.raw(), item_size(weight.dtype()),
                             {0, weight.strides()[0], width == 1 ? 1 : weight.strides()[1]}, at.data<int64_t>(), 1,
                             at.numel(), width);
  record("EmbeddingBackward0", out, {weight}, {indices}, [rows, padding_idx, scale_grad_by_freq](Backward& ctx) {
    ctx.set(0, embedding_backward(ctx.grad(), ctx.saved(0), rows, padding_idx, scale_grad_by_freq));
  });
  return out;
}

// Rows that are looked up and longer than max_norm are scaled down to it.
static Tensor embedding_renorm_(const Tensor& self, const Tensor& indices, double max_norm, double norm_type) {
  check(self.dim() == 2 && is_floating(self.dtype()),
        "embedding_renorm_: 'weight' must be a floating 2-D tensor, but got shape ", shape_str(self.sizes()));
  check_in_place(self, "embedding_renorm_", needs_gradient(self));
  Tensor at = index_in_range(indices, self.sizes()[0], 0, self.sizes());
  std::vector<int64_t> rows(static_cast<size_t>(at.numel()));
  if (!rows.empty()) std::copy_n(at.data<int64_t>(), rows.size(), rows.data());
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  GradModeGuard plain_values(false);
  Tensor weight = detach(self), wide = Tensor::empty(Dims{self.sizes()[1]}, DType::F64);
  for (int64_t row : rows) {
    Tensor line = select(weight, 0, row);
    if (line.numel() == 0) break;
    copy_data(wide, line);
    double* p = wide.data<double>();
    double norm = 0;
    for (int64_t i = 0; i < wide.numel(); ++i) {
      double v = std::abs(p[i]);
      norm = norm_type == std::numeric_limits<double>::infinity()
                 ? std::max(norm, v)
                 : norm + (norm_type == 2 ? v * v : std::pow(v, norm_type));
    }
    if (norm_type != std::numeric_limits<double>::infinity())
      norm = norm_type == 2 ? std::sqrt(norm) : std::pow(norm, 1 / norm_type);
    if (norm <= max_norm) continue;
    for (int64_t i = 0; i < wide.numel(); ++i) p[i] *= max_norm / (norm + 1e-7);
    copy_data(line, wide);
  }
  changed_in_place(self, "embedding_renorm_");
  return self;
}

// --- counting ---------------------------------------------------------------------------------------------------------------

static Tensor one_hot(const Tensor& self, int64_t classes) {
  check(self.dtype() == DType::I64, "one_hot is only applicable to index tensor of type LongTensor.");
  Tensor t = plain(self);
  int64_t n = t.numel();
  if (n == 0) check(classes > 0, "Can not infer total number of classes from empty tensor.");
  const int64_t* p = n > 0 ? t.data<int64_t>() : nullptr;
  int64_t high = -1, low = 0;
  for (int64_t i = 0; i < n; ++i) high = std::max(high, p[i]), low = std::min(low, p[i]);
  check(low >= 0, "Class values must be non-negative.");
  check(high < INT64_MAX, "no tensor has a class for each index up to ", high);
  if (classes == -1) classes = high + 1;
  check(classes > 0, "num_classes should be positive");
  check(high < classes, "Class values must be smaller than num_classes.");
  Dims sizes(self.sizes());
  sizes.push_back(classes);
  Tensor out = Tensor::empty(sizes, DType::I64);
  if (n > 0) cpu::index().one_hot(out.data<int64_t>(), p, n, classes);
  return out;
}

static Tensor bincount(const Tensor& self, const Tensor& weights, int64_t minlength) {
  if (!is_integral(self.dtype(), false)) not_implemented_for("bincount_cpu", self.dtype());
  check(minlength >= 0, "minlength should be >= 0");
  check(self.dim() == 1 || self.numel() == 0, "bincount only supports 1-d non-negative integral inputs.");
  check(!weights.defined() || (weights.dim() == 1 && weights.numel() == self.numel()),
        "weights should be 1-d and have the same length as input");
  Tensor t = plain(self.dtype() == DType::I64 ? self : to_dtype(self, DType::I64));
  int64_t n = t.numel(), high = -1;
  for (int64_t i = 0; i < n; ++i) {
    int64_t v = t.data<int64_t>()[i];
    check(v >= 0, "bincount only supports 1-d non-negative integral inputs.");
    high = std::max(high, v);
  }
  check(high < INT64_MAX, "maximum value of input overflowed, it should be < ", INT64_MAX, " but got ", high);
  Dims sizes{std::max(high + 1, minlength)};
  if (!weights.defined()) {
    Tensor out = zeros(sizes, DType::I64);
    if (n > 0) cpu::index().bincount(out.raw(), t.data<int64_t>(), nullptr, n);
    return out;
  }
  DType result = weights.dtype() == DType::F32 ? DType::F32 : DType::F64;
  Tensor out = zeros(sizes, DType::F64), w = plain(to_dtype(detach(weights), DType::F64));
  if (n > 0) cpu::index().bincount(out.raw(), t.data<int64_t>(), w.data<double>(), n);
  out = to_dtype(out, result);
  record("NotImplemented", out, {weights}, {},
         [](Backward&) { fail(ErrorKind::Runtime, "derivative for aten::bincount is not implemented"); });
  return out;
}

static Tensor histc(const Tensor& self, int64_t bins, const Scalar& min, const Scalar& max) {
  check(bins > 0, "torch.histogram(): bins must be > 0, but got ", bins, " for dimension 0");
  if (is_complex_dtype(self.dtype()) || self.dtype() == DType::Bool) not_implemented_for("histogram_cpu", self.dtype());
  DType work = self.dtype() == DType::F64 || is_integral(self.dtype()) ? DType::F64 : DType::F32;
  Tensor t = plain(to_dtype(detach(self), work));
  double low = min.to_double(), high = max.to_double();
  check(low <= high, "torch.histc: max must be larger than min");
  int64_t n = t.numel();
  if (low == high && n > 0) {
    visit_dtype(work, [&](auto zero) {
      using T = decltype(zero);
      if constexpr (std::is_floating_point_v<T>) {
        const T* p = t.data<T>();
        low = static_cast<double>(p[0]), high = low;
        for (int64_t i = 0; i < n; ++i) {
          if (p[i] != p[i]) low = high = static_cast<double>(p[i]);
          low = std::min(low, static_cast<double>(p[i])), high = std::max(high, static_cast<double>(p[i]));
          if (low != low) break;
        }
      }
    });
  }
  check(low - low == 0 && high - high == 0, "torch.histc: range of [", low, ", ", high, "] is not finite");
  if (low == high) low -= 1, high += 1;
  Tensor out = zeros(Dims{bins}, work);
  if (n > 0) cpu::index().histc(out.raw(), t.raw(), work, n, bins, low, high);
  return to_dtype(out, self.dtype());
}

// --- repeat_interleave ------------------------------------------------------------------------------------------------------

static Tensor repeat_positions(const Tensor& repeats, std::optional<int64_t> output_size) {
  check(repeats.dim() == 1, "repeat_interleave only accept 1D vector as repeat");
  if (repeats.dtype() != DType::I64 && repeats.dtype() != DType::I32)
    not_implemented_for("repeat_interleave_cpu", repeats.dtype());
  Tensor t = plain(repeats.dtype() == DType::I64 ? repeats : to_dtype(repeats, DType::I64));
  int64_t total = 0;
  for (int64_t i = 0; i < t.numel(); ++i) {
    int64_t v = t.data<int64_t>()[i];
    check(v >= 0, "repeats can not be negative");
    check(!__builtin_add_overflow(total, v, &total), "the sum of repeats is larger than any tensor");
  }
  check(!output_size || *output_size == total,
        "allocated size does not match required size: output_size=", output_size.value_or(0), ", sum of repeats ",
        total);
  Tensor out = Tensor::empty(Dims{total}, DType::I64);
  if (total > 0) cpu::index().repeat_index(out.data<int64_t>(), t.data<int64_t>(), t.numel());
  return out;
}

static Tensor repeat_interleave_tensor(const Tensor& self, const Tensor& repeats, std::optional<int64_t> dim,
                                       std::optional<int64_t> output_size) {
  Tensor t = dim ? self : flatten(self, 0, -1);
  int64_t d = wrap_dim(dim.value_or(0), t.dim());
  Tensor counts = repeats;
  int64_t n = axis_size(t, d);
  if (repeats.dim() == 0 || (repeats.dim() == 1 && repeats.sizes()[0] == 1))
    counts = expand(reshape(repeats, Dims{1}), Dims{n});
  else
    check(repeats.dim() == 1, "repeats must be 0-dim or 1-dim tensor, but got shape ", shape_str(repeats.sizes()));
  check(counts.numel() == n,
        "repeats must have the same size as input along dim, but got repeats.size(0) = ", counts.numel(),
        " and input.size(", d, ") = ", n);
  return index_select(t, d, repeat_positions(counts, output_size));
}

static Tensor repeat_interleave(const Tensor& self, int64_t repeats, std::optional<int64_t> dim,
                                std::optional<int64_t>) {
  check(repeats >= 0, "Repeats must be non-negative");
  Tensor t = dim ? self : flatten(self, 0, -1);
  int64_t d = wrap_dim(dim.value_or(0), t.dim());
  if (t.dim() == 0) t = reshape(t, Dims{1});
  Tensor wide = unsqueeze(t, d + 1);
  Dims sizes(wide.sizes());
  sizes[d + 1] = repeats;
  return flatten(clone(expand(wide, sizes), MemoryFormat::Contiguous), d, d + 1);
}

static const Family family([](Registry& r) {
  constexpr Traits kInPlace{.in_place = true};
  constexpr Traits kFunction{.method = false};
  constexpr Traits kMethod{.function = false};
  r.op<&index_select>(
      "index_select(Tensor self, int dim, Tensor index) -> Tensor",
      "The slices along dim that index (a vector of int32 or int64) names, as a copy. An index out of range\n"
      "is an IndexError. Any dtype.\n\n"
      ">>> torch.index_select(torch.tensor([5, 6, 7]), 0, torch.tensor([2, 0]))\ntensor([7, 5])\n");
  r.op<&index_add_any<false>>(
      "index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor",
      "self with alpha times the slices of source added to the slices along dim that index (an int vector)\n"
      "names; where it repeats, they add up. source has self's dtype, and its shape but along dim. An index\n"
      "out of range is a RuntimeError.\n\n"
      ">>> torch.index_add(torch.zeros(3), 0, torch.tensor([0, 2, 0]), torch.tensor([1., 2., 3.]))\n"
      "tensor([4., 0., 2.])\n");
  r.op<&index_add_any<true>>(
      "index_add_(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor",
      "index_add() in place.\n\n"
      ">>> torch.zeros(3).index_add_(0, torch.tensor([0, 1]), torch.tensor([1., 2.]), alpha=-1)\n"
      "tensor([-1., -2.,  0.])\n",
      kMethod);
  r.op<&index_copy_any<false>>(
      "index_copy(Tensor self, int dim, Tensor index, Tensor source) -> Tensor",
      "self with the slices along dim that index (an int64 vector) names taken from source. Shapes and\n"
      "dtypes are index_add()'s; an index out of range is an IndexError.\n\n"
      ">>> torch.index_copy(torch.zeros(3), 0, torch.tensor([2, 0]), torch.tensor([5., 7.]))\ntensor([7., 0., 5.])\n");
  r.op<&index_copy_any<true>>(
      "index_copy_(Tensor self, int dim, Tensor index, Tensor source) -> Tensor",
      "index_copy() in place.\n\n"
      ">>> torch.zeros(3, 2).index_copy_(0, torch.tensor([1]), torch.tensor([[5., 7.]]))\ntensor([[0., 0.],\n"
      "        [5., 7.],\n        [0., 0.]])\n",
      kMethod);
  r.op<&index_fill_scalar<false>>(
      "index_fill.int_Scalar(Tensor self, int dim, Tensor index, Scalar value) -> Tensor",
      "self with the slices along dim that index (an int64 vector) names set to value: a number or a 0-d\n"
      "tensor. An index out of range is an IndexError.\n\n"
      ">>> torch.index_fill(torch.zeros(2, 3), 1, torch.tensor([0, 2]), 9)\ntensor([[9., 0., 9.],\n"
      "        [9., 0., 9.]])\n");
  r.op<&index_fill_any<false>>("index_fill.int_Tensor(Tensor self, int dim, Tensor index, Tensor value) -> Tensor");
  r.op<&index_fill_scalar<true>>("index_fill_.int_Scalar(Tensor self, int dim, Tensor index, Scalar value) -> Tensor",
                                 "index_fill() in place.\n\n"
                                 ">>> torch.zeros(3).index_fill_(0, torch.tensor([1]), 9)\ntensor([0., 9., 0.])\n",
                                 kMethod);
  r.op<&index_fill_any<true>>("index_fill_.int_Tensor(Tensor self, int dim, Tensor index, Tensor value) -> Tensor", "",
                              kMethod);
  r.op<&index_reduce>(
      "index_reduce(Tensor self, int dim, Tensor index, Tensor source, str reduce, *, bool include_self=True) -> Tensor",
      "self with the slices of source combined, by reduce \"prod\", \"mean\", \"amax\" or \"amin\", into the slices\n"
      "along dim that index names. Without include_self, what stood there takes no part.\n\n"
      ">>> torch.index_reduce(torch.ones(2), 0, torch.tensor([0, 0]), torch.tensor([3., 4.]), \"prod\")\n"
      "tensor([12.,  1.])\n",
      kInPlace);
  r.op<&take>("take(Tensor self, Tensor index) -> Tensor",
              "The elements of self, seen as a vector, at index (int64), in index's shape. An index out of range is\n"
              "an IndexError.\n\n"
              ">>> torch.take(torch.tensor([[10, 20], [30, 40]]), torch.tensor([0, 3]))\ntensor([10, 40])\n");
  r.op<&put>("put(Tensor self, Tensor index, Tensor source, bool accumulate=False) -> Tensor",
             "self with its elements, seen as a vector, at index (int64) set to source, or added to with\n"
             "accumulate. source has index's number of elements and self's dtype: else a RuntimeError.\n\n"
             ">>> torch.put(torch.zeros(2, 2), torch.tensor([0, 3]), torch.tensor([5., 7.]))\ntensor([[5., 0.],\n"
             "        [0., 7.]])\n",
             kInPlace);
  r.op<&embedding>(
      "embedding(Tensor weight, Tensor indices, int padding_idx=-1, bool scale_grad_by_freq=False, bool sparse=False) -> Tensor",
      "The rows of weight (rows, features) at indices (int32 or int64, any shape): (..., features). The row\n"
      "padding_idx receives no gradient. An index out of range is an IndexError.\n\n"
      ">>> F.embedding(torch.tensor([[2, 0]]), torch.tensor([[0., 1.], [2., 3.], [4., 5.]]))\ntensor([[[4., 5.],\n"
      "         [0., 1.]]])\n",
      kFunction);
  r.op<&embedding_renorm_>(
      "embedding_renorm_(Tensor self, Tensor indices, float max_norm, float norm_type) -> Tensor",
      "Scales, in place, the rows of self at indices whose norm of norm_type exceeds max_norm down to it.\n\n"
      ">>> torch.embedding_renorm_(torch.tensor([[3., 4.], [6., 8.]]), torch.tensor([0]), 1.0, 2.0)\n"
      "tensor([[0.6000, 0.8000],\n        [6.0000, 8.0000]])\n",
      kFunction);
  r.op<&one_hot>("one_hot(Tensor self, int num_classes=-1) -> Tensor",
                 "A new last dimension of num_classes zeros with a 1 at the index (int64); as many classes as the\n"
                 "largest index needs unless told. A negative index, or one beyond num_classes, is a RuntimeError.\n\n"
                 ">>> F.one_hot(torch.tensor([0, 2]), 4)\ntensor([[1, 0, 0, 0],\n        [0, 0, 1, 0]])\n",
                 kFunction);
  r.op<&bincount>(
      "bincount(Tensor self, Tensor? weights=None, int minlength=0) -> Tensor",
      "How often each of 0, 1, ... occurs in a vector of integers, as int64; with weights (of its size) the\n"
      "sums of their weights. At least minlength counts. Negative numbers are a RuntimeError.\n\n"
      ">>> torch.bincount(torch.tensor([0, 2, 2]))\ntensor([1, 0, 2])\n");
  r.op<&histc>("histc(Tensor self, int bins=100, Scalar min=0, Scalar max=0) -> Tensor",
               "Counts of the elements in `bins` equal bins between min and max (by default those of the data), in\n"
               "self's dtype; the last bin includes max, what lies outside is not counted. min above max is a\n"
               "RuntimeError.\n\n"
               ">>> torch.histc(torch.tensor([0., 1., 1., 2., 4.]), bins=4)\ntensor([1., 2., 1., 1.])\n");
  r.op<&repeat_positions>("repeat_interleave.Tensor(Tensor repeats, *, int? output_size=None) -> Tensor",
                          "Each index i, repeats[i] times.\n\n"
                          ">>> torch.repeat_interleave(torch.tensor([1, 2]), 2)\ntensor([1, 1, 2, 2])\n",
                          kFunction);
  r.op<&repeat_interleave_tensor>(
      "repeat_interleave.self_Tensor(Tensor self, Tensor repeats, int? dim=None, *, int? output_size=None) -> Tensor",
      "Each slice along dim repeated as often as repeats says.");
  r.op<&repeat_interleave>(
      "repeat_interleave.self_int(Tensor self, int repeats, int? dim=None, *, int? output_size=None) -> Tensor",
      "Each slice along dim repeated.");
});

}  // namespace rl
