// Views: other shapes and strides over the same memory. Their gradients are views or their inverses.
#include <algorithm>

#include "kernels/pointwise/arithmetic.h"
#include "ops/basic.h"
#include "ops/layout.h"
#include "ops/pointwise.h"

namespace rl {

Tensor view_of(const Tensor& t, IntSpan sizes, IntSpan strides, int64_t offset) {
  Tensor v = t.alias(sizes, strides, offset);
  v->base = t->base ? t->base : t.ref();
  v->share_version(*t.get());
  v->view_version = t->version();
  v->inference = t->inference;
  v->view_kind = grad_mode.enabled ? t->view_kind : grad_mode.inference ? ViewKind::Inference : ViewKind::NoGrad;
  return v;
}

static Tensor viewed(const Tensor& t, const Dims& sizes, const Dims& strides) {
  Tensor out = view_of(t, sizes, strides, t->offset());
  if (needs_gradient(t))
    record("ViewBackward0", out, {t}, {},
           [from = Dims(t.sizes())](Backward& ctx) { ctx.set(0, reshape(ctx.grad(), from)); });
  return out;
}

Tensor view(const Tensor& t, IntSpan shape) {
  Dims sizes = infer_size(shape, t.numel());
  Dims strides;
  check(
      view_strides(t.sizes(), t.strides(), sizes, strides),
      "view size is not compatible with input tensor's size and stride (at least one dimension spans across two contiguous subspaces). "
      "Use .reshape(...) instead. The tensor has shape ",
      shape_str(t.sizes()), " and strides ", shape_str(t.strides()), ", asked for ", shape_str(shape));
  return viewed(t, sizes, strides);
}

Tensor reshape(const Tensor& t, IntSpan shape) {
  Dims sizes = infer_size(shape, t.numel());
  Dims strides;
  if (view_strides(t.sizes(), t.strides(), sizes, strides)) return viewed(t, sizes, strides);
  Tensor copy = contiguous(t);
  Tensor out = copy.alias(sizes, contiguous_strides(sizes), copy->offset());
  record("UnsafeViewBackward0", out, {copy}, {},
         [from = Dims(t.sizes())](Backward& ctx) { ctx.set(0, reshape(ctx.grad(), from)); });
  return out;
}

Tensor expand(const Tensor& t, IntSpan shape) {
  int64_t n = static_cast<int64_t>(shape.size()), skip = n - t.dim();
  check(skip >= 0, "expand(", shape_str(t.sizes()), ", size=", shape_str(shape), "): the number of sizes provided (", n,
        ") must be greater or equal to the number of dimensions in the tensor (", t.dim(), ")");
  Dims sizes(n, 0), strides(n, 0);
  for (int64_t i = n - 1; i >= 0; --i) {
    int64_t have = i < skip ? 1 : t.sizes()[i - skip], want = shape[i];
    if (want == -1) {
      check(i >= skip, "The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension ", i);
      want = have;
    }
    check(have == want || have == 1, "The expanded size of the tensor (", want, ") must match the existing size (",
          have, ") at non-singleton dimension ", i, ".  Target sizes: ", shape_str(shape),
          ".  Tensor sizes: ", shape_str(t.sizes()));
    check(want >= 0, "The expanded size of the tensor cannot be negative, got ", want);
    sizes[i] = want;
    strides[i] = i < skip ? 0 : have == want ? t.strides()[i - skip] : 0;
  }
  // An axis of one element that is put in front lies as if it were wider, for those that look at strides.
  for (int64_t i = skip - 1; i >= 0; --i)
    if (sizes[i] == 1) strides[i] = i + 1 < n ? sizes[i + 1] * strides[i + 1] : 1;
  Tensor out = view_of(t, sizes, strides, t->offset());
  record("ExpandBackward0", out, {t}, {},
         [from = Dims(t.sizes())](Backward& ctx) { ctx.set(0, sum_to(ctx.grad(), from)); });
  return out;
}

Tensor permute(const Tensor& t, IntSpan dims) {
  check(static_cast<int64_t>(dims.size()) == t.dim(),
        "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the "
        "desired ordering of dimensions i.e. input.dim() = ",
        t.dim(), " is not equal to len(dims) = ", dims.size());
  Dims order, sizes, strides;
  for (int64_t d : dims) {
    int64_t w = wrap_dim(d, t.dim());
    for (int64_t seen : order) check(seen != w, "permute(): duplicate dims are not allowed.");
    order.push_back(w);
    sizes.push_back(t.sizes()[w]);
    strides.push_back(t.strides()[w]);
  }
  Tensor out = view_of(t, sizes, strides, t->offset());
  record("PermuteBackward0", out, {t}, {}, [order](Backward& ctx) {
    Dims inverse(order.size(), 0);
    for (int64_t i = 0; i < order.size(); ++i) inverse[order[i]] = i;
    ctx.set(0, permute(ctx.grad(), inverse));
  });
  return out;
}

Tensor transpose(const Tensor& t, int64_t a, int64_t b) {
  a = wrap_dim(a, t.dim());
  b = wrap_dim(b, t.dim());
  Dims sizes(t.sizes()), strides(t.strides());
  if (t.dim() > 0) {
    std::swap(sizes[a], sizes[b]);
    std::swap(strides[a], strides[b]);
  }
  Tensor out = view_of(t, sizes, strides, t->offset());
  record("TransposeBackward0", out, {t}, {}, [a, b](Backward& ctx) { ctx.set(0, transpose(ctx.grad(), a, b)); });
  return out;
}

static Tensor t_(const Tensor& t) {
  check(t.dim() <= 2, "t() expects a tensor with <= 2 dimensions, but self is ", t.dim(), "D");
  if (t.dim() < 2) {
    Tensor same = view_of(t, t.sizes(), t.strides(), t->offset());
    record("TBackward0", same, {t}, {}, [](Backward& ctx) { ctx.set(0, ctx.grad()); });
    return same;
  }
  Dims sizes{t.sizes()[1], t.sizes()[0]}, strides{t.strides()[1], t.strides()[0]};
  Tensor out = view_of(t, sizes, strides, t->offset());
  record("TBackward0", out, {t}, {}, [](Backward& ctx) { ctx.set(0, transpose(ctx.grad(), 0, 1)); });
  return out;
}

static Tensor squeeze_where(const Tensor& t, const std::vector<bool>& drop, const char* name) {
  Dims sizes, strides;
  for (int64_t d = 0; d < t.dim(); ++d) {
    if (drop[static_cast<size_t>(d)] && t.sizes()[d] == 1) continue;
    sizes.push_back(t.sizes()[d]);
    strides.push_back(t.strides()[d]);
  }
  Tensor out = view_of(t, sizes, strides, t->offset());
  record(name, out, {t}, {}, [from = Dims(t.sizes())](Backward& ctx) { ctx.set(0, reshape(ctx.grad(), from)); });
  return out;
}

static Tensor squeeze_all(const Tensor& t) {
  return squeeze_where(t, std::vector<bool>(static_cast<size_t>(t.dim()), true), "SqueezeBackward0");
}

static Tensor squeeze_dims(const Tensor& t, IntSpan dims, const char* name) {
  std::vector<bool> drop(static_cast<size_t>(std::max<int64_t>(t.dim(), 1)), false);
  for (int64_t d : wrap_dims(dims, t.dim())) drop[static_cast<size_t>(d)] = true;
  return squeeze_where(t, drop, name);
}
Tensor squeeze(const Tensor& t, IntSpan dims) { return squeeze_dims(t, dims, "SqueezeBackward2"); }
static Tensor squeeze_dim(const Tensor& t, int64_t dim) { return squeeze_dims(t, {&dim, 1}, "SqueezeBackward1"); }

Tensor unsqueeze(const Tensor& t, int64_t dim) {
  dim = wrap_dim(dim, t.dim() + 1);
  Dims sizes(t.sizes()), strides(t.strides());
  int64_t stride = dim < t.dim() ? sizes[dim] * strides[dim] : 1;
  sizes.insert(dim, 1);
  strides.insert(dim, stride);
  Tensor out = view_of(t, sizes, strides, t->offset());
  record("UnsqueezeBackward0", out, {t}, {}, [dim](Backward& ctx) { ctx.set(0, squeeze(ctx.grad(), {&dim, 1})); });
  return out;
}

// grad placed into zeros of the input's shape.
static Tensor scatter_back(const Tensor& grad, IntSpan sizes, const auto& pick) {
  Tensor whole = zeros(sizes, grad.dtype());
  copy_(pick(whole), grad);
  return whole;
}

Tensor select(const Tensor& t, int64_t dim, int64_t index) {
  check_index(t.dim() > 0, "select() cannot be applied to a 0-dim tensor.");
  dim = wrap_dim(dim, t.dim());
  int64_t n = t.sizes()[dim];
  check_index(index >= -n && index < n, "select(): index ", index, " out of range for tensor of size ",
              shape_str(t.sizes()), " at dimension ", dim);
  if (index < 0) index += n;
  Dims sizes(t.sizes()), strides(t.strides());
  int64_t offset = t->offset() + index * strides[dim];
  sizes.erase(dim);
  strides.erase(dim);
  Tensor out = view_of(t, sizes, strides, offset);
  record("SelectBackward0", out, {t}, {}, [from = Dims(t.sizes()), dim, index](Backward& ctx) {
    ctx.set(0, scatter_back(ctx.grad(), from, [&](const Tensor& whole) { return select(whole, dim, index); }));
  });
  return out;
}

Tensor slice(const Tensor& t, int64_t dim, std::optional<int64_t> from, std::optional<int64_t> to, int64_t step) {
  check(t.dim() > 0, "slice() cannot be applied to a 0-dim tensor.");
  dim = wrap_dim(dim, t.dim());
  check_value(step > 0, "slice step must be positive");
  int64_t n = t.sizes()[dim];
  auto clamp_end = [n](int64_t i) { return std::clamp<int64_t>(i < 0 ? i + n : i, 0, n); };
  int64_t start = clamp_end(from.value_or(0)), end = std::max(clamp_end(to.value_or(n)), start);
  Dims sizes(t.sizes()), strides(t.strides());
  int64_t offset = t->offset() + start * strides[dim];
  sizes[dim] = end == start ? 0 : (end - start - 1) / step + 1;
  // Where at most one element is left the step is any number, and the product is never used.
  strides[dim] = static_cast<int64_t>(static_cast<uint64_t>(strides[dim]) * static_cast<uint64_t>(step));
  Tensor out = view_of(t, sizes, strides, offset);
  record("SliceBackward0", out, {t}, {}, [shape = Dims(t.sizes()), dim, start, end, step](Backward& ctx) {
    ctx.set(0,
            scatter_back(ctx.grad(), shape, [&](const Tensor& whole) { return slice(whole, dim, start, end, step); }));
  });
  return out;
}

// Adds up, in a flat copy of the storage's reach, what each position received, then reads the input's layout from it.
static Tensor as_strided_backward(const Tensor& grad, const Layout& base, const Layout& view) {
  int64_t low = std::min(base.offset, view.offset);
  int64_t total = std::max(base.offset + base.reach(), view.offset + view.reach()) - low;
  Tensor flat = zeros(Dims{total}, grad.dtype());
  if (is_dense(view.sizes, view.strides)) {
    copy_(as_strided(flat, view.sizes, view.strides, view.offset - low), grad);
  } else {
    // Positions may repeat: accumulate by index.
    Tensor positions = as_strided(arange_int(total), view.sizes, view.strides, view.offset - low);
    flat = index_add_flat(flat, reshape(positions, Dims{-1}), reshape(grad, Dims{-1}));
  }
  Tensor result = as_strided(flat, base.sizes, base.strides, base.offset - low);
  if (!is_dense(base.sizes, base.strides)) {
    Tensor count = zeros(Dims{total}, grad.dtype());
    Tensor positions = as_strided(arange_int(total), base.sizes, base.strides, base.offset - low);
    count = index_add_flat(count, reshape(positions, Dims{-1}), ones(Dims{product(base.sizes)}, grad.dtype()));
    result = call<pointwise::Div>(result, as_strided(count, base.sizes, base.strides, base.offset - low));
  }
  return contiguous(result);
}

Tensor as_strided(const Tensor& t, IntSpan sizes, IntSpan strides, std::optional<int64_t> offset) {
  check(sizes.size() == strides.size(), "mismatch in length of strides and shape: ", shape_str(sizes), " and ",
        shape_str(strides));
  int64_t start = offset.value_or(t->offset());
  int64_t last = start;
  bool empty = false;
  for (size_t i = 0; i < sizes.size(); ++i) {
    check(sizes[i] >= 0, "as_strided: sizes must not be negative, got ", shape_str(sizes));
    check(strides[i] >= 0,
          "as_strided: Negative strides are not supported at the moment, got strides: ", shape_str(strides));
    empty |= sizes[i] == 0;
    int64_t reach;
    if (__builtin_mul_overflow(sizes[i] - 1, strides[i], &reach) || __builtin_add_overflow(last, reach, &last))
      last = INT64_MAX;  // beyond every storage, whatever comes
  }
  check(start >= 0, "as_strided: storage offset must not be negative, got ", start);
  int64_t capacity = static_cast<int64_t>(t->storage().bytes()) / item_size(t.dtype());
  check(empty || last < INT64_MAX / 16, "setStorage: sizes ", shape_str(sizes), ", strides ", shape_str(strides),
        ", storage offset ", start, " reach further than any memory: out of bounds for storage of size ",
        t->storage().bytes());
  check(empty || last < capacity, "setStorage: sizes ", shape_str(sizes), ", strides ", shape_str(strides),
        ", storage offset ", start, ", and itemsize ", item_size(t.dtype()), " requiring a storage size of ",
        (empty ? 0 : last + 1) * item_size(t.dtype()), " are out of bounds for storage of size ", t->storage().bytes());
  Tensor out = view_of(t, sizes, strides, start);
  record("AsStridedBackward0", out, {t}, {}, [from = Layout(t), to = Layout(out)](Backward& ctx) {
    ctx.set(0, as_strided_backward(ctx.grad(), from, to));
  });
  return out;
}

// The history of a view whose base was changed in place. Where only one of them is complex, both are seen as reals.
static Ref<Node> view_node(const Tensor& v) {
  Tensor base(v->base.get());
  bool complex_base = is_complex_dtype(base.dtype()) && !is_complex_dtype(v.dtype());
  bool complex_view = is_complex_dtype(v.dtype()) && !is_complex_dtype(base.dtype());
  return make_node("AsStridedBackward0", {&base, 1},
                   [=, from = Layout(base, complex_base), to = Layout(v, complex_view)](Backward& ctx) {
                     Tensor g = complex_view ? view_as_real(ctx.grad()) : ctx.grad();
                     g = as_strided_backward(g, from, to);
                     ctx.set(0, complex_base ? view_as_complex(g) : g);
                   });
}

// A gradient may be contiguous and yet start at an odd place, or have any stride along an axis of one element.
static Tensor in_pairs(const Tensor& t) {
  Tensor flat = reshape(contiguous(t), Dims{t.numel()});
  return reshape(flat->offset() % 2 == 0 ? flat : clone(flat), t.sizes());
}

Tensor view_as_real(const Tensor& t) {
  check(is_complex_dtype(t.dtype()), "view_as_real is only supported for complex tensors");
  Dims sizes(t.sizes()), strides;
  for (int64_t s : t.strides()) strides.push_back(2 * s);
  sizes.push_back(2);
  strides.push_back(1);
  Tensor out(TensorImpl::make(t->storage_ref(), 2 * t->offset(), sizes, strides, real_of(t.dtype())));
  out->base = t->base ? t->base : t.ref();
  out->share_version(*t.get());
  out->view_version = t->version();
  record("ViewAsRealBackward0", out, {t}, {}, [](Backward& ctx) { ctx.set(0, view_as_complex(in_pairs(ctx.grad()))); });
  return out;
}

Tensor view_as_complex(const Tensor& t) {
  check(is_floating(t.dtype()) && (t.dtype() == DType::F32 || t.dtype() == DType::F64),
        "view_as_complex is only supported for floating point tensors, but got a tensor of scalar type: ",
        scalar_type_name(t.dtype()));
  check(t.dim() > 0 && t.size(-1) == 2, "Tensor must have a last dimension of size 2");
  check(t.stride(-1) == 1, "Tensor must have a last dimension with stride 1");
  Dims sizes(t.sizes()), strides;
  sizes.pop_back();
  for (int64_t d = 0; d + 1 < t.dim(); ++d) {
    check(t.strides()[d] % 2 == 0, "Tensor must have a stride divisible by 2 for all but last dimension");
    strides.push_back(t.strides()[d] / 2);
  }
  check(t->offset() % 2 == 0, "Tensor must have a storage_offset divisible by 2");
  Tensor out(TensorImpl::make(t->storage_ref(), t->offset() / 2, sizes, strides, complex_of(t.dtype())));
  out->base = t->base ? t->base : t.ref();
  out->share_version(*t.get());
  out->view_version = t->version();
  record("ViewAsComplexBackward0", out, {t}, {},
         [](Backward& ctx) { ctx.set(0, view_as_real(contiguous(ctx.grad()))); });
  return out;
}

Tensor real(const Tensor& t) { return is_complex_dtype(t.dtype()) ? select(view_as_real(t), -1, 0) : t; }
Tensor imag(const Tensor& t) {
  check(is_complex_dtype(t.dtype()), "imag is not implemented for tensors with non-complex dtypes.");
  return select(view_as_real(t), -1, 1);
}

static Tensor view_dtype(const Tensor& t, DType dtype) {
  if (dtype == t.dtype()) return view_of(t, t.sizes(), t.strides(), t->offset());
  int64_t from = item_size(t.dtype()), to = item_size(dtype);
  Dims sizes(t.sizes()), strides(t.strides());
  int64_t offset = t->offset();
  if (from > to) {
    check(t.dim() > 0, "self.dim() cannot be 0 to view ", dtype_name(t.dtype()), " as ", dtype_name(dtype),
          " (different element sizes)");
    check(t.stride(-1) == 1, "self.stride(-1) must be 1 to view ", dtype_name(t.dtype()), " as ", dtype_name(dtype),
          " (different element sizes), but got ", t.stride(-1));
    int64_t ratio = from / to;
    for (int64_t d = 0; d + 1 < strides.size(); ++d) strides[d] *= ratio;
    sizes.back() *= ratio;
    offset *= ratio;
  } else if (from < to) {
    int64_t ratio = to / from;
    check(t.dim() > 0, "self.dim() cannot be 0 to view ", dtype_name(t.dtype()), " as ", dtype_name(dtype),
          " (different element sizes)");
    check(t.size(-1) % ratio == 0, "self.size(-1) must be divisible by ", ratio, " to view ", dtype_name(t.dtype()),
          " as ", dtype_name(dtype), " (different element sizes), but got ", t.size(-1));
    check(t.stride(-1) == 1 && offset % ratio == 0, "self.stride(-1) must be 1 and the storage offset divisible by ",
          ratio, " to view ", dtype_name(t.dtype()), " as ", dtype_name(dtype));
    for (int64_t d = 0; d + 1 < strides.size(); ++d) {
      check(strides[d] % ratio == 0, "self.stride(", d, ") must be divisible by ", ratio, " to view ",
            dtype_name(t.dtype()), " as ", dtype_name(dtype));
      strides[d] /= ratio;
    }
    sizes.back() /= ratio;
    offset /= ratio;
  }
  Tensor out(TensorImpl::make(t->storage_ref(), offset, sizes, strides, dtype));
  out->base = t->base ? t->base : t.ref();
  out->share_version(*t.get());
  return out;
}

static Tensor detach_op(const Tensor& t) { return detach(t); }
static Tensor view_as(const Tensor& t, const Tensor& other) { return view(t, other.sizes()); }
static Tensor reshape_as(const Tensor& t, const Tensor& other) { return reshape(t, other.sizes()); }
static Tensor expand_as(const Tensor& t, const Tensor& other) { return expand(t, other.sizes()); }
static Tensor expand_op(const Tensor& t, IntSpan sizes, bool) { return expand(t, sizes); }

static const Family family([](Registry& r) {
  autograd_support.view_node = view_node;
  constexpr Traits kMethodOnly{.function = false};
  r.op<&view>("view(Tensor(a) self, int[] size) -> Tensor(a)",
              "The same elements under another shape, without a copy; one size may be -1. A shape of another number\n"
              "of elements, or one that the strides do not allow, is a RuntimeError (reshape() copies then).\n"
              "view(dtype) reads the bytes as another dtype.\n\n"
              ">>> torch.arange(6).view(2, 3)\ntensor([[0, 1, 2],\n        [3, 4, 5]])\n",
              kMethodOnly);
  r.op<&view_dtype>("view.dtype(Tensor(a) self, ScalarType dtype) -> Tensor(a)",
                    "The same bytes read as another dtype.", kMethodOnly);
  r.op<&reshape>("reshape(Tensor(a) self, int[] shape) -> Tensor(a)",
                 "self under another shape: a view where the strides allow, else a copy; one size may be -1. Another\n"
                 "number of elements is a RuntimeError. Any dtype.\n\n"
                 ">>> torch.reshape(torch.arange(6), (-1, 2)).shape\ntorch.Size([3, 2])\n");
  r.op<&expand_op>(
      "expand(Tensor(a) self, int[] size, *, bool implicit=False) -> Tensor(a)",
      "self broadcast to a larger shape without a copy; -1 keeps a size. Only axes of size 1 grow: others\n"
      "are a RuntimeError. Any dtype.\n\n"
      ">>> torch.tensor([[1], [2]]).expand(2, 3)\ntensor([[1, 1, 1],\n        [2, 2, 2]])\n",
      kMethodOnly);
  r.op<&expand>("broadcast_to(Tensor(a) self, int[] size) -> Tensor(a)",
                "self broadcast to a larger shape without a copy, as expand() does. Sizes that do not fit are a\n"
                "RuntimeError.\n\n"
                ">>> torch.broadcast_to(torch.tensor([1, 2]), (2, 2))\ntensor([[1, 2],\n        [1, 2]])\n");
  r.op<&permute>("permute(Tensor(a) self, int[] dims) -> Tensor(a)",
                 "A view with the axes in the given order. Every axis must be there once: else a RuntimeError. Any\n"
                 "dtype.\n\n"
                 ">>> torch.permute(torch.ones(2, 3, 4), (2, 0, 1)).shape\ntorch.Size([4, 2, 3])\n");
  r.op<&transpose>("transpose.int(Tensor(a) self, int dim0, int dim1) -> Tensor(a)",
                   "A view with two axes exchanged. Any dtype.\n\n"
                   ">>> torch.transpose(torch.ones(2, 3, 4), 0, 1).shape\ntorch.Size([3, 2, 4])\n");
  r.op<&t_>("t(Tensor(a) self) -> Tensor(a)",
            "The transpose of a matrix, as a view; a vector or a number stays as it is. More than two dimensions\n"
            "are a RuntimeError (see mT).\n\n"
            ">>> torch.t(torch.tensor([[1, 2], [3, 4]]))\ntensor([[1, 3],\n        [2, 4]])\n");
  r.op<&squeeze_all>(
      "squeeze(Tensor(a) self) -> Tensor(a)",
      "A view without the axes of size 1: all, or those of dim (one or several) that have it. Any dtype.\n\n"
      ">>> torch.squeeze(torch.ones(2, 1, 3)).shape\ntorch.Size([2, 3])\n");
  r.op<&squeeze_dim>("squeeze.dim(Tensor(a) self, int dim) -> Tensor(a)");
  r.op<&squeeze>("squeeze.dims(Tensor(a) self, int[] dim) -> Tensor(a)");
  r.op<&unsqueeze>("unsqueeze(Tensor(a) self, int dim) -> Tensor(a)",
                   "A view with a new axis of size 1 at dim, from -(n + 1) to n for n axes: else an IndexError. Any\n"
                   "dtype.\n\n"
                   ">>> torch.unsqueeze(torch.ones(3), 0).shape\ntorch.Size([1, 3])\n");
  r.op<&select>("select.int(Tensor(a) self, int dim, int index) -> Tensor(a)",
                "The slice at index along dim, as a view without that axis; a negative index counts from the end. An\n"
                "index beyond the size is an IndexError.\n\n"
                ">>> torch.select(torch.tensor([[1, 2], [3, 4]]), 0, -1)\ntensor([3, 4])\n");
  r.op<&as_strided>(
      "as_strided(Tensor(a) self, int[] size, int[] stride, int? storage_offset=None) -> Tensor(a)",
      "A view of the storage with the given sizes, strides and offset (in elements). Elements may overlap:\n"
      "then writing in place gives no defined result. A view that reaches beyond the storage is a\n"
      "RuntimeError.\n\n"
      ">>> torch.as_strided(torch.arange(5), (3, 3), (1, 1))\ntensor([[0, 1, 2],\n        [1, 2, 3],\n"
      "        [2, 3, 4]])\n");
  r.op<&view_as_real>(
      "view_as_real(Tensor(a) self) -> Tensor(a)",
      "A complex tensor (...) as a real view (..., 2): real and imaginary parts. Other dtypes are a\n"
      "RuntimeError.\n\n"
      ">>> torch.view_as_real(torch.tensor([1 + 2j, 3 - 1j]))\ntensor([[ 1.,  2.],\n        [ 3., -1.]])\n");
  r.op<&view_as_complex>(
      "view_as_complex(Tensor(a) self) -> Tensor(a)",
      "A floating tensor (..., 2) as a complex view (...). The last axis must have size 2 and stride 1, the\n"
      "others even strides: else a RuntimeError.\n\n"
      ">>> torch.view_as_complex(torch.tensor([[1., 2.], [3., -1.]]))\ntensor([1.+2.j, 3.-1.j])\n");
  r.op<&real>("real(Tensor(a) self) -> Tensor(a)",
              "The real part, as a view in the real dtype; a real tensor itself.\n\n"
              ">>> x = torch.tensor([1 + 2j])\n"
              ">>> torch.real(x).zero_()\ntensor([0.])\n"
              ">>> x\ntensor([0.+2.j])\n",
              {.method = false});
  r.op<&imag>("imag(Tensor(a) self) -> Tensor(a)",
              "The imaginary part, as a view in the real dtype. A real tensor is a RuntimeError.\n\n"
              ">>> torch.imag(torch.tensor([1 + 2j, 3.]))\ntensor([2., 0.])\n",
              {.method = false});
  r.op<&detach_op>("detach(Tensor(a) self) -> Tensor(a)",
                   "self without its history: a view of the same memory through which no gradient flows.\n\n"
                   ">>> x = torch.ones(2, requires_grad=True)\n"
                   ">>> y = (x * 2).detach()\n"
                   ">>> y.requires_grad, y.grad_fn\n(False, None)\n");
  r.op<&view_as>("view_as(Tensor(a) self, Tensor other) -> Tensor(a)",
                 "self.view(other.size()): the shape of other, without a copy. Another number of elements is a\n"
                 "RuntimeError.\n\n"
                 ">>> torch.arange(4).view_as(torch.ones(2, 2))\ntensor([[0, 1],\n        [2, 3]])\n",
                 kMethodOnly);
  r.op<&reshape_as>(
      "reshape_as(Tensor(a) self, Tensor other) -> Tensor(a)",
      "self.reshape(other.size()): the shape of other, by a view where the strides allow. Another number of\n"
      "elements is a RuntimeError.\n\n"
      ">>> torch.arange(4).reshape_as(torch.ones(2, 2))\ntensor([[0, 1],\n        [2, 3]])\n",
      kMethodOnly);
  r.op<&expand_as>("expand_as(Tensor(a) self, Tensor other) -> Tensor(a)",
                   "self.expand(other.size()): broadcast to the shape of other, without a copy. Sizes that do not fit\n"
                   "are a RuntimeError.\n\n"
                   ">>> torch.tensor([1, 2]).expand_as(torch.ones(2, 2))\ntensor([[1, 2],\n        [1, 2]])\n",
                   kMethodOnly);
});

}  // namespace rl
