// Advanced indexing, masks and the places of nonzero elements.
#include "ops/indexing.h"

#include <algorithm>
#include <atomic>

#include "ops/creation.h"
#include "ops/index_util.h"
#include "ops/scatter.h"
#include "runtime/parallel.h"

namespace rl {
namespace {

// The item at a row-major position of a strided int64 tensor, for error messages.
int64_t item_at(const Tensor& t, int64_t position) {
  int64_t at = 0;
  for (int64_t d = t.dim() - 1; d >= 0; --d) {
    at += position % t.sizes()[d] * t.strides()[d];
    position /= t.sizes()[d];
  }
  return t.data<int64_t>()[at];
}

[[noreturn]] void out_of_bounds(ErrorKind kind, int64_t value, int64_t dim, int64_t size) {
  fail(kind, "index ", value, " is out of bounds for dimension ", dim, " with size ", size);
}

bool is_mask(const Tensor& t) { return t.dtype() == DType::Bool || t.dtype() == DType::U8; }

// One whole mask is by far the commonest index: it needs no positions.
bool is_whole_mask(const Tensor& self, const TensorList& indices) {
  return indices.size() == 1 && indices[0].defined() && indices[0].dtype() == DType::Bool &&
         same_shape(self, indices[0]);
}

// An index, understood: int64 tensors that broadcast together, one for each of some axes of self.
struct Plan {
  TensorList indices;  // per indexed axis, as given (not broadcast)
  Dims axes;           // which axes these are, ascending
  Dims sizes;          // what the indices broadcast to
  bool adjacent = true;
  int64_t before = 0;  // axes before the indexed ones, once these stand together

  Tensor arrange(const Tensor& self) const;  // self with the indexed axes together
  Dims result_sizes(const Tensor& arranged) const {
    Dims out(arranged.sizes().first(static_cast<size_t>(before)));
    out.append(sizes.begin(), sizes.end());
    for (int64_t d = before + axes.size(); d < arranged.dim(); ++d) out.push_back(arranged.sizes()[d]);
    return out;
  }
};

Plan make_plan(const Tensor& self, const TensorList& indices) {
  Plan plan;
  int64_t dim = 0;
  for (size_t i = 0; i < indices.size(); ++i) {
    const Tensor& index = indices[i];
    if (!index.defined()) {
      ++dim;
      continue;
    }
    check_index(is_integral(index.dtype()), "tensors used as indices must be long, int, byte or bool tensors, not ",
                dtype_name(index.dtype()));
    if (!is_mask(index)) {
      plan.indices.push_back(index.dtype() == DType::I64 ? index : to_dtype(index, DType::I64));
      plan.axes.push_back(dim++);
      continue;
    }
    for (int64_t d = 0; d < index.dim(); ++d)
      check_index(dim + d < self.dim() && index.sizes()[d] == self.sizes()[dim + d], "The shape of the mask ",
                  shape_str(index.sizes()), " at index ", d, " does not match the shape of the indexed tensor ",
                  shape_str(self.sizes()), " at index ", dim + d);
    Tensor places = nonzero(index);
    for (int64_t d = 0; d < index.dim(); ++d) {
      plan.indices.push_back(places.alias(Dims{places.sizes()[0]}, Dims{index.dim()}, d));
      plan.axes.push_back(dim++);
    }
  }
  check_index(dim <= self.dim(), "too many indices for tensor of dimension ", self.dim(), " (got ", dim, ")");
  for (const Tensor& t : plan.indices) {
    if (!can_broadcast(t.sizes(), plan.sizes) && !can_broadcast(plan.sizes, t.sizes())) {
      bool fits = true;
      for (int64_t a = t.dim() - 1, b = plan.sizes.size() - 1; a >= 0 && b >= 0; --a, --b)
        fits &= t.sizes()[a] == plan.sizes[b] || t.sizes()[a] == 1 || plan.sizes[b] == 1;
      if (!fits) {
        std::string shapes;
        for (const Tensor& u : plan.indices) shapes += (shapes.empty() ? "" : ", ") + shape_str(u.sizes()).str();
        fail(ErrorKind::Index, "shape mismatch: indexing tensors could not be broadcast together with shapes ", shapes);
      }
    }
    plan.sizes = &t == &plan.indices.front() ? Dims(t.sizes()) : broadcast_shapes(plan.sizes, t.sizes());
  }
  for (int64_t i = 1; i < plan.axes.size(); ++i) plan.adjacent &= plan.axes[i] == plan.axes[i - 1] + 1;
  plan.before = plan.adjacent && !plan.axes.empty() ? plan.axes[0] : 0;
  return plan;
}

Tensor Plan::arrange(const Tensor& self) const {
  if (adjacent) return self;
  Dims sizes, strides;
  auto take = [&](int64_t d) {
    sizes.push_back(self.sizes()[d]);
    strides.push_back(self.strides()[d]);
  };
  for (int64_t d : axes) take(d);
  for (int64_t d = 0; d < self.dim(); ++d)
    if (std::find(axes.begin(), axes.end(), d) == axes.end()) take(d);
  return self.alias(sizes, strides, self->offset());
}

// Where the indices point, in units of `unit` elements of t, whose indexed axes stand together.
Tensor offsets(const Plan& plan, const Tensor& t, int64_t& unit) {
  int64_t count = plan.axes.size();
  unit = t.strides()[plan.before + count - 1];
  for (int64_t i = 0; i < count; ++i)
    if (unit == 0 || t.strides()[plan.before + i] % unit != 0) unit = 1;
  if (count == 1 && unit == t.strides()[plan.before])
    return checked_index(plan.indices[0], t.sizes()[plan.before], plan.axes[0], true, ErrorKind::Index);
  Tensor out = zeros(plan.sizes, DType::I64);
  for (int64_t i = 0; i < count && out.numel() > 0; ++i) {
    const Tensor& index = plan.indices[static_cast<size_t>(i)];
    Dims strides = broadcast_strides(index.sizes(), index.strides(), plan.sizes);
    int64_t size = t.sizes()[plan.before + i];
    int64_t bad =
        cpu::index().add_offsets(out.data<int64_t>(), index.data<int64_t>(), strides.data(), plan.sizes.data(),
                                 static_cast<int>(plan.sizes.size()), size, t.strides()[plan.before + i] / unit);
    if (bad >= 0)
      out_of_bounds(ErrorKind::Index, item_at(index.alias(plan.sizes, strides, index->offset()), bad), plan.axes[i],
                    size);
  }
  return out;
}

// The rows around the indexed axes; a copy of t where its strides do not allow it.
Tensor with_rows(Tensor t, const Plan& plan, Rows& rows) {
  if (!Rows::of(t, plan.before, plan.axes.size(), rows)) {
    t = contiguous(detach(t));
    Rows::of(t, plan.before, plan.axes.size(), rows);
  }
  return t;
}

Tensor read(const Tensor& self, const Plan& plan) {
  Rows rows;
  Tensor t = with_rows(plan.arrange(self), plan, rows);
  Tensor at = offsets(plan, t, rows.layout.index_stride);
  Tensor out = Tensor::empty(plan.result_sizes(t), self.dtype());
  if (out.numel() > 0)
    cpu::index().gather_rows(out.raw(), t.raw(), item_size(self.dtype()), rows.layout, at.data<int64_t>(), rows.outer,
                             at.numel(), rows.inner);
  return out;
}

void write(const Tensor& self, const Plan& plan, const Tensor& values, bool accumulate) {
  Rows rows;
  Tensor arranged = plan.arrange(self);
  Tensor t = with_rows(arranged, plan, rows);
  Tensor at = offsets(plan, t, rows.layout.index_stride);
  Dims sizes = plan.result_sizes(t);
  check(can_broadcast(values.sizes(), sizes), "shape mismatch: value tensor of shape ", shape_str(values.sizes()),
        " cannot be broadcast to indexing result of shape ", shape_str(sizes));
  if (product(sizes) == 0) return;
  Tensor source = values;
  int64_t n = at.numel();
  cpu::RowLayout layout{n * rows.inner, rows.inner, 1};
  if (values.numel() == 1) {
    layout = {0, 0, 0};
    if (&values->storage() == &self->storage()) source = clone(detach(values));
  } else if (!values.is_contiguous() || values.numel() != product(sizes) || &values->storage() == &self->storage()) {
    source = Tensor::empty(sizes, self.dtype());
    copy_data(source, values);
  }
  cpu::index().scatter_rows(t.raw(), self.dtype(), rows.layout, source.raw(), layout, at.data<int64_t>(), rows.outer, n,
                            rows.inner, accumulate ? cpu::Scatter::add : cpu::Scatter::assign, -1);
  if (t.raw() != arranged.raw()) copy_data(arranged, t);
}

Tensor broadcast_to(const Tensor& t, IntSpan sizes) {
  return std::ranges::equal(t.sizes(), sizes) ? t : expand(t, sizes);
}

Tensor select_by_mask(const Tensor& self, const Tensor& mask) {
  Tensor m = plain(mask), s = plain(self);
  MaskCount count(m);
  Tensor out = Tensor::empty(Dims{count.total}, self.dtype());
  if (count.total > 0)
    cpu::index().masked_select(out.raw(), s.raw(), item_size(self.dtype()), m.data<bool>(), m.numel(),
                               count.counts.data());
  return out;
}

// to = mask ? value : from; mask broadcasts.
void fill_where(const Tensor& to, const Tensor& from, const Tensor& mask, const void* value) {
  if (to.numel() == 0) return;
  Dims mask_strides = broadcast_strides(mask.sizes(), mask.strides(), to.sizes()), none(to.dim(), 0);
  Dims from_strides = broadcast_strides(from.sizes(), from.strides(), to.sizes());
  cpu::index().where(to.raw(), to.strides().data(), mask.data<bool>(), mask_strides.data(), value, none.data(),
                     from.raw(), from_strides.data(), item_size(to.dtype()), to.sizes().data(),
                     static_cast<int>(to.dim()));
}

}  // namespace

Tensor checked_index(const Tensor& index, int64_t size, int64_t dim, bool negative, ErrorKind kind) {
  Tensor t = plain(index.dtype() == DType::I64 ? index : to_dtype(index, DType::I64));
  int64_t n = t.numel();
  if (n == 0) return t;
  const int64_t* at = t.data<int64_t>();
  std::atomic<bool> fits = true;
  parallel_for_light(n, 1 << 15, [&](int64_t begin, int64_t end) {
    if (cpu::index().wrap_indices(nullptr, at + begin, end - begin, size, 0) >= 0)
      fits.store(false, std::memory_order_relaxed);
  });
  if (fits.load(std::memory_order_relaxed)) return t;
  int64_t bad = cpu::index().wrap_indices(nullptr, at, n, size, 0);
  if (!negative) out_of_bounds(kind, t.data<int64_t>()[bad], dim, size);
  Tensor wrapped = Tensor::empty(t.sizes(), DType::I64);
  bad = cpu::index().wrap_indices(wrapped.data<int64_t>(), t.data<int64_t>(), n, size, -size);
  if (bad >= 0) out_of_bounds(kind, t.data<int64_t>()[bad], dim, size);
  return wrapped;
}

Tensor nonzero(const Tensor& self) {
  Tensor t = plain(self);
  MaskCount count(t);
  Tensor out = Tensor::empty(Dims{count.total, self.dim()}, DType::I64);
  if (out.numel() > 0)
    cpu::index().nonzero(out.data<int64_t>(), t.raw(), t.dtype(), t.sizes().data(), static_cast<int>(t.dim()),
                         count.counts.data());
  return out;
}

Tensor index(const Tensor& self, const TensorList& indices) {
  if (is_whole_mask(self, indices) && self.dim() > 0) {
    Tensor out = select_by_mask(self, indices[0]);
    record("IndexBackward0", out, {self}, {indices[0]}, [sizes = Dims(self.sizes())](Backward& ctx) {
      ctx.set(0, masked_scatter(zeros(sizes, ctx.grad().dtype()), ctx.saved(0), ctx.grad()));
    });
    return out;
  }
  Plan plan = make_plan(self, indices);
  if (plan.axes.empty()) return clone(self);
  Tensor out = read(self, plan);
  record_keeping("IndexBackward0", out, {self}, plan.indices,
                 [sizes = Dims(self.sizes()), axes = plan.axes](Backward& ctx) {
                   TensorList at(static_cast<size_t>(axes.back() + 1));
                   for (int64_t i = 0; i < axes.size(); ++i) at[static_cast<size_t>(axes[i])] = ctx.saved(i);
                   ctx.set(0, index_put_(zeros(sizes, ctx.grad().dtype()), at, ctx.grad(), true));
                 });
  return out;
}

Tensor index_put_(const Tensor& self, const TensorList& indices, const Tensor& values, bool accumulate) {
  int64_t covered = 0;
  for (size_t i = 0; i < indices.size(); ++i) {
    const bool mask = indices[i].defined() && (indices[i].dtype() == DType::Bool || indices[i].dtype() == DType::U8);
    if (mask && indices[i].dim() == 0) {  // it stands for a dimension of size 1, which the tensor does not have
      TensorList at = indices;
      at[i] = reshape(indices[i], Dims{1});
      index_put_(unsqueeze(self, covered), at, values, accumulate);
      return self;
    }
    covered += mask ? indices[i].dim() : 1;
  }
  bool tracked = needs_gradient(self, values) && is_differentiable(self.dtype());
  check_in_place(self, "index_put_", tracked);
  check(self.dtype() == values.dtype(), "Index put requires the source and destination dtypes match, got ",
        scalar_type_name(self.dtype()), " for the destination and ", scalar_type_name(values.dtype()),
        " for the source.");
  check_no_overlap(self, values);
  TensorList kept;
  Dims axes;
  bool whole = is_whole_mask(self, indices) && self.dim() > 0 && !accumulate && values.numel() == 1;
  if (whole) {
    kept = indices;
    axes = {0};
    Tensor value = &values->storage() == &self->storage() ? clone(detach(values)) : values;
    fill_where(self, self, indices[0], value.raw());
  } else {
    Plan plan = make_plan(self, indices);
    check(!plan.axes.empty(), "index_put_(): at least one index is needed");
    write(self, plan, values, accumulate);
    kept = std::move(plan.indices);
    axes = plan.axes;
  }
  Ref<Node> node;
  if (tracked) {
    const Tensor inputs[] = {self, values};
    node = make_node("IndexPutBackward0", inputs, [shape = Dims(values.sizes()), axes, accumulate](Backward& ctx) {
      TensorList at(static_cast<size_t>(axes.back() + 1));
      for (int64_t i = 0; i < axes.size(); ++i) at[static_cast<size_t>(axes[i])] = ctx.saved(i);
      if (ctx.needs(0))
        ctx.set(0, accumulate ? ctx.grad() : index_put(ctx.grad(), at, zeros(Dims(), ctx.grad().dtype()), false));
      if (ctx.needs(1)) ctx.set(1, sum_to(index(ctx.grad(), at), shape));
    });
    for (const Tensor& t : kept) node->saved.emplace_back(t, false);
  }
  changed_in_place(self, "index_put_");
  if (node) rebase_history(self, std::move(node));
  return self;
}

Tensor index_put(const Tensor& self, const TensorList& indices, const Tensor& values, bool accumulate) {
  return index_put_(clone(self), indices, values, accumulate);
}

// --- masks ------------------------------------------------------------------------------------------------------------------

Tensor masked_select(const Tensor& self, const Tensor& mask) {
  check(mask.dtype() == DType::Bool, "masked_select: expected BoolTensor for mask");
  Dims sizes = broadcast_shapes(self.sizes(), mask.sizes());
  Tensor m = broadcast_to(mask, sizes);
  Tensor out = select_by_mask(broadcast_to(detach(self), sizes), m);
  record("MaskedSelectBackward0", out, {self}, {m}, [shape = Dims(self.sizes()), sizes](Backward& ctx) {
    ctx.set(0, sum_to(masked_scatter(zeros(sizes, ctx.grad().dtype()), ctx.saved(0), ctx.grad()), shape));
  });
  return out;
}

static void check_mask(const Tensor& mask) {
  check(mask.dtype() == DType::Bool, "masked_fill_ only supports boolean masks, but got mask with dtype ",
        scalar_type_name(mask.dtype()));
}

Tensor masked_fill(const Tensor& self, const Tensor& mask, const Scalar& value) {
  check_mask(mask);
  check_fits(value, self.dtype());
  alignas(16) char item[16];
  value.store(self.dtype(), item);
  Tensor out = Tensor::empty(broadcast_shapes(self.sizes(), mask.sizes()), self.dtype());
  fill_where(out, self, mask, item);
  record("MaskedFillBackward0", out, {self}, {mask}, [shape = Dims(self.sizes())](Backward& ctx) {
    ctx.set(0, sum_to(masked_fill(ctx.grad(), ctx.saved(0), Scalar(0)), shape));
  });
  return out;
}

static void check_fill_value(const Tensor& value) {
  check(value.dim() == 0, "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with ", value.dim(),
        " dimension(s).");
}

static Tensor masked_fill_tensor(const Tensor& self, const Tensor& mask, const Tensor& value) {
  check_fill_value(value);
  Tensor out;
  {
    GradModeGuard plain_values(false);
    out = masked_fill(self, mask, value.item());
  }
  record("MaskedFillBackward1", out, {self, is_differentiable(value.dtype()) ? value : Tensor()}, {mask},
         [shape = Dims(self.sizes()), dtype = value.dtype()](Backward& ctx) {
           if (ctx.needs(0)) ctx.set(0, sum_to(masked_fill(ctx.grad(), ctx.saved(0), Scalar(0)), shape));
           if (ctx.needs(1)) ctx.set(1, to_dtype(sum(masked_select(ctx.grad(), ctx.saved(0)), {}, false), dtype));
         });
  return out;
}

static Tensor masked_fill_(const Tensor& self, const Tensor& mask, const Scalar& value) {
  check_mask(mask);
  check_fits(value, self.dtype());
  bool tracked = needs_gradient(self);
  check_in_place(self, "masked_fill_", tracked);
  check(can_broadcast(mask.sizes(), self.sizes()), "output with shape ", shape_str(self.sizes()),
        " doesn't match the broadcast shape ", shape_str(broadcast_shapes(self.sizes(), mask.sizes())));
  Ref<Node> node;
  if (tracked) {
    const Tensor inputs[] = {self};
    node = make_node("MaskedFillBackward0", inputs,
                     [](Backward& ctx) { ctx.set(0, masked_fill(ctx.grad(), ctx.saved(0), Scalar(0))); });
    node->saved.emplace_back(mask, false);
  }
  alignas(16) char item[16];
  value.store(self.dtype(), item);
  Tensor m = &mask->storage() == &self->storage() ? clone(mask) : mask;
  fill_where(self, self, m, item);
  changed_in_place(self, "masked_fill_");
  if (node) rebase_history(self, std::move(node));
  return self;
}

static Tensor masked_fill_tensor_(const Tensor& self, const Tensor& mask, const Tensor& value) {
  check_fill_value(value);
  if (!needs_gradient(value)) return masked_fill_(self, mask, value.item());
  return replace_by(self, "masked_fill_", value,
                    [&](const Tensor& before) { return masked_fill_tensor(before, mask, value); });
}

Tensor masked_scatter(const Tensor& self, const Tensor& mask, const Tensor& source) {
  check(mask.dtype() == DType::Bool, "masked_scatter_ only supports boolean masks, but got mask with dtype ",
        dtype_name(mask.dtype()));
  check(self.dtype() == source.dtype(), "masked_scatter: expected self and source to have same dtypes but got ",
        scalar_type_name(self.dtype()), " and ", scalar_type_name(source.dtype()));
  Dims sizes = broadcast_shapes(self.sizes(), mask.sizes());
  Tensor kept = broadcast_to(mask, sizes), m = plain(kept), s = plain(source);
  MaskCount count(m);
  check(source.numel() >= count.total, "Number of elements of source < number of ones in mask (", source.numel(), " < ",
        count.total, ")");
  Tensor out = Tensor::empty(sizes, self.dtype());
  copy_data(out, self);
  if (count.total > 0)
    cpu::index().masked_scatter(out.raw(), m.data<bool>(), s.raw(), item_size(self.dtype()), m.numel(),
                                count.counts.data());
  record("MaskedScatterBackward0", out, {self, source}, {kept},
         [shape = Dims(self.sizes()), from = Dims(source.sizes())](Backward& ctx) {
           if (ctx.needs(0)) ctx.set(0, sum_to(masked_fill(ctx.grad(), ctx.saved(0), Scalar(0)), shape));
           if (!ctx.needs(1)) return;
           Tensor used = masked_select(ctx.grad(), ctx.saved(0));
           if (used.numel() < product(from)) {
             Tensor whole = zeros(Dims{product(from)}, used.dtype());
             copy_(slice(whole, 0, 0, used.numel()), used);
             used = whole;
           }
           ctx.set(1, reshape(used, from));
         });
  return out;
}

// --- places -----------------------------------------------------------------------------------------------------------------

static TensorList nonzero_numpy(const Tensor& self) {
  Tensor places = nonzero(self.dim() == 0 ? self.alias(Dims{1}, Dims{1}, self->offset()) : self);
  TensorList out;
  for (int64_t d = 0; d < places.sizes()[1]; ++d) out.push_back(select(places, 1, d));
  return out;
}

// nonzero returns a tensor or, with as_tuple, a list: the one op whose kind of result an argument decides.
static void nonzero_boxed(const Value* args, Result& result) {
  Tensor self(args[0].tensor);
  if (args[1].b)
    detail::store(result, nonzero_numpy(self));
  else
    detail::store(result, nonzero(self));
}

static const Family family([](Registry& r) {
  constexpr Traits kInPlace{.in_place = true};
  r.op<&index>("index(Tensor self, Tensor?[] indices) -> Tensor",
               "self[indices], as the subscript means it: int64 and bool tensors, and None for ':'. Index tensors\n"
               "are broadcast. An index out of range is an IndexError.\n\n"
               ">>> torch.arange(9).view(3, 3)[torch.tensor([0, 2]), torch.tensor([1, 1])]\ntensor([1, 7])\n",
               {.function = false, .method = false});
  r.op<&index_put>(
      "index_put(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor",
      "A copy of self in which the elements at indices are values (broadcast), or have them added with\n"
      "accumulate; without it, where indices repeat, the last value stays. values has self's dtype: another\n"
      "is a RuntimeError.\n\n"
      ">>> x, i = torch.zeros(3), (torch.tensor([0, 0, 2]),)\n"
      ">>> torch.index_put(x, i, torch.ones(3)), torch.index_put(x, i, torch.ones(3), accumulate=True)\n"
      "(tensor([1., 0., 1.]), tensor([2., 0., 1.]))\n");
  r.op<&index_put_>("index_put_(Tensor self, Tensor?[] indices, Tensor values, bool accumulate=False) -> Tensor",
                    "index_put() in place: self[indices] = values, or += with accumulate (which `x[i] += v` does not:\n"
                    "there, places that repeat count once).\n\n"
                    ">>> torch.zeros(3).index_put_((torch.tensor([1, 1]),), torch.tensor(1.), accumulate=True)\n"
                    "tensor([0., 2., 0.])\n");
  r.add("nonzero(Tensor self, *, bool as_tuple=False) -> Tensor", &nonzero_boxed,
        "The indices of the nonzero elements, row by row: an int64 tensor (n, dim), or with as_tuple one\n"
        "vector for each dimension, as a subscript takes them.\n\n"
        ">>> torch.nonzero(torch.tensor([[0, 1], [2, 0]]))\ntensor([[0, 1],\n        [1, 0]])\n"
        ">>> torch.nonzero(torch.tensor([0, 1, 2]), as_tuple=True)\n(tensor([1, 2]),)\n",
        {});
  r.op<&nonzero_numpy>("nonzero_numpy(Tensor self) -> Tensor[]",
                       "nonzero(as_tuple=True): one vector of indices for each dimension.\n\n"
                       ">>> torch.tensor([0, 1, 2]).nonzero_numpy()\n(tensor([1, 2]),)\n");
  r.op<&nonzero>("argwhere(Tensor self) -> Tensor",
                 "The indices of the nonzero elements: an int64 tensor (n, dim). nonzero() by NumPy's name.\n\n"
                 ">>> torch.argwhere(torch.tensor([[0, 1], [2, 0]]))\ntensor([[0, 1],\n        [1, 0]])\n");
  r.op<&nonzero_numpy>("where(Tensor condition) -> Tensor[]");
  r.op<&masked_select>(
      "masked_select(Tensor self, Tensor mask) -> Tensor",
      "The elements where mask (bool, broadcast with self) is True, as a vector in row order. Another dtype\n"
      "of mask is a RuntimeError.\n\n"
      ">>> x = torch.tensor([1, 2, 3])\n>>> torch.masked_select(x, x > 1)\ntensor([2, 3])\n");
  r.op<&masked_fill>(
      "masked_fill.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor",
      "A copy of self with value (a number or a 0-d tensor) where mask (bool, broadcast) is True. Another\n"
      "dtype of mask is a RuntimeError.\n\n"
      ">>> x = torch.tensor([1, 2, 3])\n>>> torch.masked_fill(x, x > 1, 0)\ntensor([1, 0, 0])\n");
  r.op<&masked_fill_tensor>("masked_fill.Tensor(Tensor self, Tensor mask, Tensor value) -> Tensor");
  r.op<&masked_fill_>(
      "masked_fill_.Scalar(Tensor self, Tensor mask, Scalar value) -> Tensor",
      "Sets self to value, a number or a 0-d tensor, where mask (bool, broadcast) is True. Another dtype of\n"
      "mask is a RuntimeError.\n\n"
      ">>> torch.arange(3).masked_fill_(torch.tensor([True, False, True]), 9)\ntensor([9, 1, 9])\n",
      {.function = false});
  r.op<&masked_fill_tensor_>("masked_fill_.Tensor(Tensor self, Tensor mask, Tensor value) -> Tensor", "",
                             {.function = false});
  r.op<&masked_scatter>(
      "masked_scatter(Tensor self, Tensor mask, Tensor source) -> Tensor",
      "self with the elements of source, in order, where mask (bool, broadcast) is True. Too few elements\n"
      "are a RuntimeError.\n\n"
      ">>> torch.masked_scatter(torch.zeros(3), torch.tensor([True, False, True]), torch.tensor([5., 7.]))\n"
      "tensor([5., 0., 7.])\n",
      kInPlace);
});

}  // namespace rl
