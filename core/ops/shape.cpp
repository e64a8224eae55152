// Joining, splitting, repeating and reordering.
#include "ops/shape.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "kernels/copy.h"
#include "kernels/pointwise/compare.h"
#include "kernels/pointwise/complex.h"
#include "ops/index_util.h"
#include "ops/pointwise.h"
#include "runtime/parallel.h"

namespace rl {
namespace {

// Lays tensors side by side in out, which is [outer, the parts' own items]; one that is not as the kernel wants it
// (another dtype, gaps) is copied into its slice instead.
void join(const Tensor& out, const TensorList& parts, int64_t dim, bool new_axis) {
  if (out.numel() == 0) return;
  int64_t outer = product(out.sizes().first(static_cast<size_t>(dim)));
  SmallVector<cpu::CatPart, 8> list;
  bool plain_parts = out.is_contiguous();
  for (const Tensor& t : parts) {
    plain_parts &= t.is_contiguous() && t.dtype() == out.dtype();
    if (t.numel() > 0) list.push_back({t.raw(), t.numel() / outer * item_size(out.dtype())});
  }
  if (plain_parts) {
    cpu::copy().cat(out.raw(), outer, list.data(), list.size());
    return;
  }
  int64_t at = 0;
  Dims sizes(out.sizes());
  for (const Tensor& t : parts) {
    int64_t n = new_axis ? 1 : t.sizes()[dim];
    sizes[dim] = n;
    Tensor place = out.alias(sizes, out.strides(), at * out.strides()[dim]);
    if (new_axis) {
      Dims s(t.sizes()), st(t.strides());
      s.insert(dim, 1);
      st.insert(dim, 0);
      copy_data(place, t.alias(s, st, t->offset()));
    } else {
      copy_data(place, t);
    }
    at += n;
  }
}

bool is_legacy_empty(const Tensor& t) { return t.dim() == 1 && t.sizes()[0] == 0; }

DType joint_dtype(const TensorList& tensors) {
  for (const Tensor& t : tensors)
    if (t.dtype() != tensors[0].dtype()) return result_type(tensors, {});
  return tensors[0].dtype();
}

using DTypes = SmallVector<DType, 8>;
DTypes dtypes_of(const TensorList& tensors) {
  DTypes out;
  for (const Tensor& t : tensors) out.push_back(t.dtype());
  return out;
}

}  // namespace

Tensor cat(const TensorList& tensors, int64_t dim) {
  check_value(!tensors.empty(), "torch.cat(): expected a non-empty list of Tensors");
  const Tensor* first = nullptr;
  bool skipping = false;
  for (size_t i = 0; i < tensors.size(); ++i) {
    check(tensors[i].dim() > 0, "zero-dimensional tensor (at position ", i, ") cannot be concatenated");
    if (is_legacy_empty(tensors[i]))
      skipping = true;
    else if (!first)
      first = &tensors[i];
  }
  if (!first) first = &tensors[0];
  dim = wrap_dim(dim, first->dim());
  Dims sizes(first->sizes()), lengths;
  sizes[dim] = 0;
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Tensor& t = tensors[i];
    if (is_legacy_empty(t) && first->dim() != 1) {
      lengths.push_back(0);
      continue;
    }
    check(t.dim() == sizes.size(), "Tensors must have same number of dimensions: got ", sizes.size(), " and ", t.dim(),
          " (shapes ", shape_str(first->sizes()), " and ", shape_str(t.sizes()), ")");
    for (int64_t d = 0; d < sizes.size(); ++d)
      check(d == dim || t.sizes()[d] == sizes[d], "Sizes of tensors must match except in dimension ", dim,
            ". Expected size ", sizes[d], " but got size ", t.sizes()[d], " for tensor number ", i, " in the list.");
    lengths.push_back(t.sizes()[dim]);
    sizes[dim] += t.sizes()[dim];
  }
  // Images that all have their channels last keep them there.
  bool channels_last = first->dim() == 4 || first->dim() == 5;
  for (const Tensor& t : tensors)
    channels_last = channels_last && !t.is_contiguous() && is_channels_last(t.sizes(), t.strides());
  Tensor out = channels_last ? Tensor::empty_strided(sizes, channels_last_strides(sizes), joint_dtype(tensors))
                             : Tensor::empty(sizes, joint_dtype(tensors));
  if (skipping) {
    TensorList parts;
    for (const Tensor& t : tensors)
      if (!is_legacy_empty(t)) parts.push_back(t);
    join(out, parts, dim, false);
  } else {
    join(out, tensors, dim, false);
  }
  if (needs_gradient(tensors)) {
    record("CatBackward0", {&out, 1}, tensors, {},
           [dim, lengths, dtypes = dtypes_of(tensors), rank = sizes.size()](Backward& ctx) {
             int64_t at = 0;
             for (int64_t i = 0; i < lengths.size(); ++i) {
               if (ctx.needs(i)) {
                 Tensor g = lengths[i] == 0 && rank != 1 ? Tensor() : slice(ctx.grad(), dim, at, at + lengths[i]);
                 if (g.defined())
                   ctx.set(i, is_complex_dtype(g.dtype()) && !is_complex_dtype(dtypes[i]) ? to_dtype(real(g), dtypes[i])
                                                                                          : to_dtype(g, dtypes[i]));
               }
               at += lengths[i];
             }
           });
  }
  return out;
}

Tensor stack(const TensorList& tensors, int64_t dim) {
  check(!tensors.empty(), "stack expects a non-empty TensorList");
  dim = wrap_dim(dim, tensors[0].dim() + 1);
  for (size_t i = 1; i < tensors.size(); ++i)
    check(same_shape(tensors[0], tensors[i]), "stack expects each tensor to be equal size, but got ",
          shape_str(tensors[0].sizes()), " at entry 0 and ", shape_str(tensors[i].sizes()), " at entry ", i);
  Dims sizes(tensors[0].sizes());
  sizes.insert(dim, static_cast<int64_t>(tensors.size()));
  Tensor out = Tensor::empty(sizes, joint_dtype(tensors));
  join(out, tensors, dim, true);
  if (needs_gradient(tensors)) {
    record("StackBackward0", {&out, 1}, tensors, {}, [dim, dtypes = dtypes_of(tensors)](Backward& ctx) {
      for (int64_t i = 0; i < dtypes.size(); ++i) {
        if (!ctx.needs(i)) continue;
        Tensor g = select(ctx.grad(), dim, i);
        ctx.set(i, is_complex_dtype(g.dtype()) && !is_complex_dtype(dtypes[i]) ? to_dtype(real(g), dtypes[i])
                                                                               : to_dtype(g, dtypes[i]));
      }
    });
  }
  return out;
}

// --- splitting --------------------------------------------------------------------------------------------------------------

// One node for all outputs: it joins their gradients.
static void record_split(const char* name, const TensorList& outs, const Tensor& self, int64_t dim,
                         const Dims& lengths) {
  if (!needs_gradient(self)) return;
  record(name, outs, {&self, 1}, {}, [dim, lengths, sizes = Dims(self.sizes()), dtype = self.dtype()](Backward& ctx) {
    TensorList grads;
    Dims part = sizes;
    for (int64_t i = 0; i < lengths.size(); ++i) {
      part[dim] = lengths[i];
      grads.push_back(ctx.has_grad(i) ? ctx.grad(i) : zeros(part, dtype));
    }
    ctx.set(0, grads.empty() ? zeros(sizes, dtype) : cat(grads, dim));
  });
}

static TensorList split_views(const char* name, const Tensor& self, const Dims& lengths, int64_t dim, bool views) {
  TensorList outs;
  outs.reserve(static_cast<size_t>(lengths.size()));
  Dims sizes(self.sizes());
  int64_t offset = self->offset(), step = self.strides()[dim];
  for (int64_t n : lengths) {
    sizes[dim] = n;
    Tensor out = views ? view_of(self, sizes, self.strides(), offset) : self.alias(sizes, self.strides(), offset);
    if (views && out->view_kind == ViewKind::Plain) out->view_kind = ViewKind::MultiOutput;
    outs.push_back(std::move(out));
    offset += n * step;
  }
  record_split(name, outs, self, dim, lengths);
  return outs;
}

static Dims equal_parts(const Tensor& self, int64_t split_size, int64_t& dim) {
  check(self.dim() != 0, "split expects at least a 1-dimensional tensor");
  check(split_size >= 0, "split expects split_size be non-negative, but got split_size=", split_size);
  dim = wrap_dim(dim, self.dim());
  int64_t n = self.sizes()[dim];
  check(split_size > 0 || n == 0, "split_size can only be 0 if dimension size is 0, but got dimension size of ", n);
  if (split_size == 0 || n == 0) return Dims{n};
  Dims lengths;
  for (int64_t at = 0; at < n; at += split_size) lengths.push_back(std::min(split_size, n - at));
  return lengths;
}

static Dims given_parts(const Tensor& self, IntSpan sizes, int64_t& dim) {
  check(self.dim() != 0, "split_with_sizes expects at least a 1-dimensional tensor");
  dim = wrap_dim(dim, self.dim());
  int64_t total = 0;
  for (int64_t n : sizes) {
    check(n >= 0, "split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes=",
          shape_str(sizes));
    if (__builtin_add_overflow(total, n, &total)) total = INT64_MAX;  // more than any size
  }
  check(total == self.sizes()[dim], "split_with_sizes expects split_sizes to sum exactly to ", self.sizes()[dim],
        " (input tensor's size at dimension ", dim, "), but got split_sizes=", shape_str(sizes));
  return Dims(sizes);
}

TensorList split(const Tensor& self, int64_t split_size, int64_t dim) {
  Dims lengths = equal_parts(self, split_size, dim);
  return split_views("SplitBackward0", self, lengths, dim, true);
}
TensorList split_with_sizes(const Tensor& self, IntSpan sizes, int64_t dim) {
  Dims lengths = given_parts(self, sizes, dim);
  return split_views("SplitWithSizesBackward0", self, lengths, dim, true);
}
static TensorList unsafe_split(const Tensor& self, int64_t split_size, int64_t dim) {
  Dims lengths = equal_parts(self, split_size, dim);
  return split_views("UnsafeSplitBackward0", self, lengths, dim, false);
}
static TensorList unsafe_split_with_sizes(const Tensor& self, IntSpan sizes, int64_t dim) {
  Dims lengths = given_parts(self, sizes, dim);
  return split_views("UnsafeSplitWithSizesBackward0", self, lengths, dim, false);
}

template <bool kViews>
static TensorList chunk(const Tensor& self, int64_t chunks, int64_t dim) {
  check(self.dim() > 0, "chunk expects at least a 1-dimensional tensor");
  check(chunks > 0, "chunk expects `chunks` to be greater than 0, got: ", chunks);
  dim = wrap_dim(dim, self.dim());
  int64_t n = self.sizes()[dim];
  if (n == 0)
    return split_views(kViews ? "SplitWithSizesBackward0" : "UnsafeSplitWithSizesBackward0", self, Dims(chunks, 0), dim,
                       kViews);
  int64_t size = (n - 1) / chunks + 1;
  return kViews ? split(self, size, dim) : unsafe_split(self, size, dim);
}

TensorList unbind(const Tensor& self, int64_t dim) {
  check_index(self.dim() > 0, "Dimension specified as ", dim, " but tensor has no dimensions");
  dim = wrap_dim(dim, self.dim());
  int64_t n = self.sizes()[dim], step = self.strides()[dim], offset = self->offset();
  Dims sizes(self.sizes()), strides(self.strides());
  sizes.erase(dim);
  strides.erase(dim);
  TensorList outs;
  outs.reserve(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) {
    outs.push_back(view_of(self, sizes, strides, offset + i * step));
    if (outs.back()->view_kind == ViewKind::Plain) outs.back()->view_kind = ViewKind::MultiOutput;
  }
  if (needs_gradient(self)) {
    record("UnbindBackward0", outs, {&self, 1}, {}, [dim, n, sizes, dtype = self.dtype()](Backward& ctx) {
      TensorList grads;
      for (int64_t i = 0; i < n; ++i) grads.push_back(ctx.has_grad(i) ? ctx.grad(i) : zeros(sizes, dtype));
      if (n > 0) ctx.set(0, stack(grads, dim));
    });
  }
  return outs;
}

// --- shapes -----------------------------------------------------------------------------------------------------------------

Tensor flatten(const Tensor& self, int64_t start_dim, int64_t end_dim) {
  start_dim = wrap_dim(start_dim, self.dim());
  end_dim = wrap_dim(end_dim, self.dim());
  check(start_dim <= end_dim, "flatten() has invalid args: start_dim cannot come after end_dim");
  if (self.dim() == 0) return reshape(self, Dims{1});
  if (start_dim == end_dim) return self;
  Dims sizes(self.sizes().first(static_cast<size_t>(start_dim)));
  sizes.push_back(
      product(self.sizes().subspan(static_cast<size_t>(start_dim), static_cast<size_t>(end_dim - start_dim + 1))));
  for (int64_t d = end_dim + 1; d < self.dim(); ++d) sizes.push_back(self.sizes()[d]);
  return reshape(self, sizes);
}

static Tensor unflatten(const Tensor& self, int64_t dim, IntSpan sizes) {
  dim = wrap_dim(dim, self.dim());
  check(!sizes.empty(), "unflatten: sizes must be non-empty");
  int64_t known = 1, unknown = 0, n = self.dim() == 0 ? 1 : self.sizes()[dim];
  for (int64_t s : sizes) {
    if (s == -1)
      ++unknown;
    else if (__builtin_mul_overflow(known, s, &known))
      known = INT64_MAX;
  }
  check(unknown == 0 ? known == n : unknown == 1 && known > 0 && n % known == 0, "unflatten: Provided sizes ",
        shape_str(sizes), " don't multiply up to the size of dim ", dim, " (", n, ") in the input tensor");
  Dims out(self.sizes().first(static_cast<size_t>(dim)));
  for (int64_t s : sizes) out.push_back(s == -1 ? n / known : s);
  for (int64_t d = dim + 1; d < self.dim(); ++d) out.push_back(self.sizes()[d]);
  return view(self, out);
}

static Tensor ravel(const Tensor& self) { return reshape(contiguous(self), Dims{-1}); }

Tensor movedim(const Tensor& self, IntSpan source, IntSpan destination) {
  check(source.size() == destination.size(), "movedim: Invalid source or destination dims: source (", shape_str(source),
        " dims) should contain the same number of dims as destination (", shape_str(destination), " dims)");
  int64_t n = self.dim();
  Dims from, to, order(n, -1);
  for (int64_t d : source) from.push_back(wrap_dim(d, n));
  for (int64_t d : destination) to.push_back(wrap_dim(d, n));
  auto repeats = [](const Dims& dims) {
    for (int64_t i = 0; i < dims.size(); ++i)
      for (int64_t j = 0; j < i; ++j)
        if (dims[i] == dims[j]) return true;
    return false;
  };
  check(!repeats(from), "movedim: repeated dim in `source` (", shape_str(source), ")");
  check(!repeats(to), "movedim: repeated dim in `destination` (", shape_str(destination), ")");
  if (n == 0) return view_of(self, self.sizes(), self.strides(), self->offset());
  for (int64_t i = 0; i < from.size(); ++i) order[to[i]] = from[i];
  int64_t next = 0;
  for (int64_t d = 0; d < n; ++d) {
    if (order[d] >= 0) continue;
    while (std::find(from.begin(), from.end(), next) != from.end()) ++next;
    order[d] = next++;
  }
  return permute(self, order);
}
static Tensor movedim_int(const Tensor& self, int64_t source, int64_t destination) {
  return movedim(self, {&source, 1}, {&destination, 1});
}

Tensor repeat(const Tensor& self, IntSpan repeats) {
  int64_t n = static_cast<int64_t>(repeats.size()), skip = n - self.dim();
  check(skip >= 0, "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor");
  Dims sizes, split_sizes, from_sizes, from_strides;
  for (int64_t d = 0; d < n; ++d) {
    int64_t s = d < skip ? 1 : self.sizes()[d - skip], r = repeats[static_cast<size_t>(d)];
    int64_t size;
    check(!__builtin_mul_overflow(s, r, &size) && size >= 0,
          "Trying to create tensor with negative dimension, or more ", "than a tensor can have: sizes ",
          shape_str(self.sizes()), " with repeats ", shape_str(repeats));
    sizes.push_back(size);
    split_sizes.push_back(r);
    split_sizes.push_back(s);
    from_sizes.push_back(1);
    from_sizes.push_back(s);
    from_strides.push_back(0);
    from_strides.push_back(d < skip ? 0 : self.strides()[d - skip]);
  }
  Tensor out = Tensor::empty(sizes, self.dtype());
  if (out.numel() > 0)
    copy_data(out.alias(split_sizes, contiguous_strides(split_sizes), 0),
              self.alias(from_sizes, from_strides, self->offset()));
  record("RepeatBackward0", out, {self}, {},
         [split_sizes, n, from = Dims(self.sizes()), counts = Dims(repeats)](Backward& ctx) {
           for (int64_t r : counts)
             if (r == 0) {
               ctx.set(0, zeros(from, ctx.grad().dtype()));
               return;
             }
           Dims axes;
           for (int64_t d = 0; d < n; ++d) axes.push_back(2 * d);
           ctx.set(0, n == 0 ? ctx.grad() : reshape(sum(reshape(ctx.grad(), split_sizes), axes, false), from));
         });
  return out;
}

static Tensor tile(const Tensor& self, IntSpan dims) {
  Dims repeats(std::max<int64_t>(0, self.dim() - static_cast<int64_t>(dims.size())), 1);
  repeats.append(dims.begin(), dims.end());
  return repeat(self, repeats);
}

Tensor narrow(const Tensor& self, int64_t dim, int64_t start, int64_t length) {
  check(self.dim() > 0, "narrow() cannot be applied to a 0-dim tensor.");
  check(length >= 0, "narrow(): length must be non-negative.");
  dim = wrap_dim(dim, self.dim());
  int64_t n = self.sizes()[dim];
  check_index(start >= -n && start <= n, "start out of range (expected to be in range of [", -n, ", ", n, "], but got ",
              start, ")");
  if (start < 0) start += n;
  check(start <= n - length, "start (", start, ") + length (", length, ") exceeds dimension size (", n, ").");
  return slice(self, dim, start, start + length, 1);
}
static Tensor narrow_tensor(const Tensor& self, int64_t dim, const Tensor& start, int64_t length) {
  check(start.dim() == 0 && is_integral(start.dtype(), false), "start must be an 0-dim integral Tensor.");
  return narrow(self, dim, start.item().to_int(), length);
}
static Tensor narrow_copy(const Tensor& self, int64_t dim, int64_t start, int64_t length) {
  return clone(narrow(self, dim, start, length), MemoryFormat::Contiguous);
}

// Windows of `size` along dim, `step` apart, as a new last axis.
Tensor unfold(const Tensor& self, int64_t dim, int64_t size, int64_t step) {
  dim = wrap_dim(dim, self.dim());
  int64_t n = self.dim() == 0 ? 1 : self.sizes()[dim], stride = self.dim() == 0 ? 1 : self.strides()[dim];
  check(size >= 0, "size is ", size, " but must be >= 0");
  check(size <= n, "maximum size for tensor at dimension ", dim, " is ", n, " but size is ", size);
  check(step > 0, "step is ", step, " but must be > 0");
  Dims sizes(self.sizes()), strides(self.strides());
  if (self.dim() > 0) {
    sizes[dim] = (n - size) / step + 1;
    // For a single window the step is any number, and the product is never used.
    strides[dim] = static_cast<int64_t>(static_cast<uint64_t>(stride) * static_cast<uint64_t>(step));
  }
  sizes.push_back(size);
  strides.push_back(stride);
  Tensor out = view_of(self, sizes, strides, self->offset());
  record("UnfoldBackward0", out, {self}, {}, [dim, size, step, from = Dims(self.sizes())](Backward& ctx) {
    if (from.empty()) {
      ctx.set(0, reshape(ctx.grad(), from));
      return;
    }
    int64_t count = (from[dim] - size) / step + 1;
    Tensor places = Tensor::empty(Dims{count * size}, DType::I64);
    int64_t* p = places.data<int64_t>();
    for (int64_t i = 0; i < count; ++i)
      for (int64_t j = 0; j < size; ++j) p[i * size + j] = i * step + j;
    int64_t last = -1, after = dim + 1;
    Tensor g = movedim(ctx.grad(), {&last, 1}, {&after, 1});
    Dims joined(from);
    joined[dim] = count * size;
    ctx.set(0, index_add(zeros(from, g.dtype()), dim, places, reshape(g, joined), Scalar(1)));
  });
  return out;
}

Tensor flip(const Tensor& self, IntSpan dims) {
  Dims axes = wrap_dims(dims, self.dim()), strides(self.strides());
  Tensor out = Tensor::empty_like(self);
  int64_t offset = 0;
  if (self.dim() > 0)
    for (int64_t d : axes) {
      offset += (self.sizes()[d] - 1) * strides[d];
      strides[d] = -strides[d];
    }
  if (out.numel() > 0)
    cpu::copy().copy_strided(out.raw(), out.dtype(), out.strides().data(),
                             static_cast<const char*>(self.raw()) + offset * item_size(self.dtype()), self.dtype(),
                             strides.data(), self.sizes().data(), static_cast<int>(self.dim()));
  record("FlipBackward0", out, {self}, {}, [axes](Backward& ctx) { ctx.set(0, flip(ctx.grad(), axes)); });
  return out;
}

static Tensor roll(const Tensor& self, IntSpan shifts, IntSpan dims) {
  check(!shifts.empty(), "`shifts` required");
  if (dims.empty() && shifts.size() == 1) {
    int64_t zero = 0;
    Tensor flat;
    {
      GradModeGuard off(false);
      flat = reshape(roll(reshape(contiguous(self), Dims{-1}), shifts, {&zero, 1}), self.sizes());
    }
    record("RollBackward0", flat, {self}, {}, [back = self.numel() ? -(shifts[0] % self.numel()) : 0](Backward& ctx) {
      ctx.set(0, roll(ctx.grad(), {&back, 1}, {}));
    });
    return flat;
  }
  check(shifts.size() == dims.size(), "shifts and dimensions must align. shifts: ", shifts.size(),
        ", dims:", dims.size());
  Tensor out = self.alias();
  for (size_t i = 0; i < dims.size(); ++i) {
    check_index(self.dim() > 0, "Dimension specified as ", dims[i], " but tensor has no dimensions");
    int64_t d = wrap_dim(dims[i], self.dim());
    int64_t n = self.dim() == 0 ? 0 : self.sizes()[d];
    if (self.numel() == 0 || n == 0) continue;
    int64_t head = (n - shifts[i] % n) % n;  // what comes first now
    Dims rest(out.sizes()), front(out.sizes());
    rest[d] = n - head;
    front[d] = head;
    out = cat({out.alias(rest, out.strides(), out->offset() + head * out.strides()[d]),
               out.alias(front, out.strides(), out->offset())},
              d);
  }
  if (&out->storage() == &self->storage()) out = clone(out);
  Dims back;
  for (size_t i = 0; i < shifts.size(); ++i) {
    int64_t n = self.dim() == 0 ? 0 : self.sizes()[wrap_dim(dims[i], self.dim())];
    back.push_back(n == 0 ? 0 : -(shifts[i] % n));
  }
  record("RollBackward0", out, {self}, {},
         [back, axes = Dims(dims)](Backward& ctx) { ctx.set(0, roll(ctx.grad(), back, axes)); });
  return out;
}

constexpr int64_t kLargestFactor = 1 << 20;  // of the sides; beyond it squares and sizes could overflow

// A result that is no view, also where nothing had to be moved.
static Tensor apart(const Tensor& out, const Tensor& of) {
  return &out->storage() == &of->storage() ? clone(out) : out;
}

static Tensor pixel_shuffle(const Tensor& self, int64_t r) {
  int64_t n = self.dim();
  check(n >= 3, "pixel_shuffle expects input to have at least 3 dimensions, but got input with ", n, " dimension(s)");
  check(r > 0, "pixel_shuffle expects a positive upscale_factor, but got ", r);
  int64_t c = self.size(-3), h = self.size(-2), w = self.size(-1);
  check(
      r <= kLargestFactor && c % (r * r) == 0,
      "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, but input.size(-3)=",
      c, " is not divisible by ", r <= kLargestFactor ? r * r : r, r <= kLargestFactor ? "" : " squared");
  Dims lead(self.sizes().first(static_cast<size_t>(n - 3))), split_sizes = lead, order, out = lead;
  for (int64_t s : {c / (r * r), r, r, h, w}) split_sizes.push_back(s);
  for (int64_t d = 0; d < n - 3; ++d) order.push_back(d);
  for (int64_t d : {0, 3, 1, 4, 2}) order.push_back(n - 3 + d);
  for (int64_t s : {c / (r * r), h * r, w * r}) out.push_back(s);
  return apart(reshape(permute(reshape(self, split_sizes), order), out), self);
}

static Tensor pixel_unshuffle(const Tensor& self, int64_t r) {
  int64_t n = self.dim();
  check(n >= 3, "pixel_unshuffle expects input to have at least 3 dimensions, but got input with ", n, " dimension(s)");
  check(r > 0, "pixel_unshuffle expects a positive downscale_factor, but got ", r);
  int64_t c = self.size(-3), h = self.size(-2), w = self.size(-1);
  check(r <= kLargestFactor, "pixel_unshuffle: downscale_factor ", r, " is larger than any picture");
  check(h % r == 0, "pixel_unshuffle expects height to be divisible by downscale_factor, but input.size(-2)=", h,
        " is not divisible by ", r);
  check(w % r == 0, "pixel_unshuffle expects width to be divisible by downscale_factor, but input.size(-1)=", w,
        " is not divisible by ", r);
  Dims lead(self.sizes().first(static_cast<size_t>(n - 3))), split_sizes = lead, order, out = lead;
  for (int64_t s : {c, h / r, r, w / r, r}) split_sizes.push_back(s);
  for (int64_t d = 0; d < n - 3; ++d) order.push_back(d);
  for (int64_t d : {0, 2, 4, 1, 3}) order.push_back(n - 3 + d);
  for (int64_t s : {c * r * r, h / r, w / r}) out.push_back(s);
  return apart(reshape(permute(reshape(self, split_sizes), order), out), self);
}

static Tensor channel_shuffle(const Tensor& self, int64_t groups) {
  check(self.dim() >= 3, "channel_shuffle expects input with > 2 dims, but got input with sizes ",
        shape_str(self.sizes()));
  check(groups > 0, "Number of groups to divide channels in must be positive. Value of groups:", groups);
  int64_t c = self.sizes()[1];
  check(c % groups == 0, "Number of channels must be divisible by groups. Got ", c, " channels and ", groups,
        " groups.");
  Tensor t = reshape(self, Dims{self.sizes()[0], groups, c / groups, -1});
  return reshape(transpose(t, 1, 2), self.sizes());
}

static Tensor alias(const Tensor& self) {
  Tensor out = view_of(self, self.sizes(), self.strides(), self->offset());
  record("AliasBackward0", out, {self}, {}, [](Backward& ctx) { ctx.set(0, ctx.grad()); });
  return out;
}

// --- self under another geometry ------------------------------------------------------------------------------------------------

// back(gradient, sizes before) is the gradient of what was there before.
template <class F, class G>
static Tensor change_view(const Tensor& self, const char* name, const char* node_name, F view_op, G back) {
  bool tracked = needs_gradient(self);
  if (tracked) check_in_place(self, name, tracked);
  Tensor after = view_op(detach(self));
  Ref<Node> node;
  if (tracked)
    node =
        make_node(node_name, {&self, 1}, [back, sizes = Dims(self.sizes()), made = Dims(after.sizes())](Backward& ctx) {
          // Geometry that was changed again without record may have put axes in front.
          ctx.set(0, back(sum_to(ctx.grad(), made), sizes));
        });
  self->set(self->storage_ref(), after->offset(), after.sizes(), after.strides(), self.dtype());
  changed_in_place(self, name);
  if (node) set_history(self, std::move(node));
  return self;
}

static Tensor reshaped_back(const Tensor& grad, const Dims& sizes) { return reshape(grad, sizes); }

static Tensor squeeze_by(const Tensor& self, const char* node_name, IntSpan dims) {
  return change_view(self, "squeeze_", node_name, [&](const Tensor& t) { return squeeze(t, dims); }, reshaped_back);
}
static Tensor squeeze_dims_(const Tensor& self, IntSpan dims) { return squeeze_by(self, "SqueezeBackward5", dims); }
static Tensor squeeze_dim_(const Tensor& self, int64_t dim) { return squeeze_by(self, "SqueezeBackward4", {&dim, 1}); }
static Tensor squeeze_all_(const Tensor& self) {
  Dims all;
  for (int64_t d = 0; d < self.dim(); ++d) all.push_back(d);
  return squeeze_by(self, "SqueezeBackward3", all);
}
static Tensor unsqueeze_(const Tensor& self, int64_t dim) {
  return change_view(
      self, "unsqueeze_", "UnsqueezeBackward1", [&](const Tensor& t) { return unsqueeze(t, dim); }, reshaped_back);
}
static Tensor exchange(const Tensor& self, const char* name, const char* node_name, int64_t a, int64_t b) {
  return change_view(
      self, name, node_name, [&](const Tensor& t) { return transpose(t, a, b); },
      [a, b](const Tensor& grad, const Dims&) { return transpose(grad, a, b); });
}
static Tensor transpose_(const Tensor& self, int64_t a, int64_t b) {
  return exchange(self, "transpose_", "TransposeBackward1", a, b);
}
static Tensor t_(const Tensor& self) {
  check(self.dim() <= 2, "t_() expects a tensor with <= 2 dimensions, but self is ", self.dim(), "D");
  return exchange(self, "t_", "TBackward1", 0, self.dim() < 2 ? 0 : 1);
}
static Tensor as_strided_(const Tensor& self, IntSpan sizes, IntSpan strides, std::optional<int64_t> offset) {
  bool tracked = needs_gradient(self);
  if (tracked) check_in_place(self, "as_strided_", tracked);
  Tensor before = self.alias();
  if (tracked)
    if (Edge edge = gradient_edge(self)) set_history(before, edge.node, edge.index);
  Tensor after = as_strided(before, sizes, strides, offset);
  self->set(self->storage_ref(), after->offset(), after.sizes(), after.strides(), self.dtype());
  changed_in_place(self, "as_strided_");
  if (tracked && grad_fn(after)) set_history(self, grad_fn(after));
  return self;
}

// --- questions --------------------------------------------------------------------------------------------------------------------

static bool is_same_size(const Tensor& self, const Tensor& other) { return same_shape(self, other); }

static bool equal(const Tensor& self, const Tensor& other) {
  if (!same_shape(self, other)) return false;
  if (self.numel() == 0) return true;
  DType dtype = promote(self.dtype(), other.dtype());
  Tensor a = plain(self.dtype() == dtype ? self : to_dtype(detach(self), dtype)),
         b = plain(other.dtype() == dtype ? other : to_dtype(detach(other), dtype));
  const bool is_short = dtype == DType::F16 || dtype == DType::BF16;
  const DType load = is_short ? DType::F32 : dtype;
  const cpu::PointwiseLoop differ = pointwise_def<pointwise::Ne>().forward(load);
  const int64_t item = item_size(dtype);
  std::atomic<bool> same = true;
  parallel_for_light(a.numel(), 1 << 15, [&](int64_t begin, int64_t end) {
    constexpr int64_t kPiece = 1024;
    alignas(64) char differs[kPiece];
    alignas(64) float wide[2][kPiece];
    for (int64_t at = begin; at < end && same.load(std::memory_order_relaxed); at += kPiece) {
      const int64_t n = std::min(kPiece, end - at);
      const char* both[] = {static_cast<const char*>(a.raw()) + at * item,
                            static_cast<const char*>(b.raw()) + at * item};
      if (is_short)
        for (int i = 0; i < 2; ++i) {
          cpu::copy().convert_block(wide[i], load, both[i], dtype, 1, n);
          both[i] = reinterpret_cast<const char*>(wide[i]);
        }
      differ(differs, both, nullptr, n);
      if (std::memchr(differs, 1, static_cast<size_t>(n))) same.store(false, std::memory_order_relaxed);
    }
  });
  return same.load(std::memory_order_relaxed);
}

static bool is_nonzero(const Tensor& self) {
  check(self.numel() != 0, "Boolean value of Tensor with no values is ambiguous");
  check(self.numel() == 1, "Boolean value of Tensor with more than one value is ambiguous");
  return self.item().to_bool();
}

// No tensor is lazily conjugated or negated here: resolving is nothing.
static Tensor conj(const Tensor& self) { return is_complex_dtype(self.dtype()) ? call<pointwise::Conj>(self) : self; }
static Tensor itself(const Tensor& self) { return self; }
static Tensor positive(const Tensor& self) {
  check(self.dtype() != DType::Bool, "The `+` operator, on a bool tensor is not supported.");
  return self;
}
static Tensor adjoint(const Tensor& self) {
  check(self.dim() != 1, "tensor.adjoint() is only supported on matrices or batches of matrices. Got 1-D tensor.");
  return self.dim() == 0 ? conj(self) : conj(transpose(self, -2, -1));
}

void resize(const Tensor& self, IntSpan sizes, const char* op) {
  check(!self.requires_grad(), "cannot resize variables that require grad");
  int64_t elements = 1, bytes = 0;
  bool overflow = false;
  for (int64_t s : sizes) {
    check(s >= 0, "Trying to create tensor with negative dimension ", s, ": ", shape_str(sizes));
    overflow |= __builtin_mul_overflow(elements, s, &elements);
  }
  overflow |= __builtin_add_overflow(self->offset(), elements, &bytes) ||
              __builtin_mul_overflow(bytes, int64_t{item_size(self.dtype())}, &bytes);
  check(!overflow, "Storage size calculation overflowed with sizes=", shape_str(sizes));
  if (Storage& storage = self->storage(); bytes > static_cast<int64_t>(storage.bytes())) {
    check(storage.resizable(), "Trying to resize storage that is not resizable");
    storage.resize(static_cast<size_t>(bytes));
  }
  self->set(self->storage_ref(), self->offset(), sizes, contiguous_strides(sizes), self.dtype());
  changed_in_place(self, op);
}

static Tensor resize_as_(const Tensor& self, const Tensor& other, std::optional<MemoryFormat>) {
  resize(self, Dims(other.sizes()), "resize_as_");
  return self;
}

static const Family family([](Registry& r) {
  constexpr Traits kFunction{.method = false};
  constexpr Traits kMethod{.function = false};
  r.op<&cat>("cat(Tensor[] tensors, int dim=0) -> Tensor",
             "The tensors joined along dim; their other sizes must agree, else a RuntimeError (empty vectors join\n"
             "anything). Different dtypes are promoted.\n\n"
             ">>> torch.cat([torch.tensor([1, 2]), torch.tensor([3])])\ntensor([1, 2, 3])\n");
  r.alias("concat", "cat");
  r.alias("concatenate", "cat");
  r.op<&stack>("stack(Tensor[] tensors, int dim=0) -> Tensor",
               "The tensors, all of one shape (else a RuntimeError), joined along a new dimension. Different dtypes\n"
               "are promoted.\n\n"
               ">>> torch.stack([torch.tensor([1, 2]), torch.tensor([3, 4])])\ntensor([[1, 2],\n        [3, 4]])\n");
  r.op<&split>("split.Tensor(Tensor self, int split_size, int dim=0) -> Tensor[]",
               "Views of parts of split_size along dim; the last may be smaller. split_size may be a list of sizes,\n"
               "which must add up to the whole: else a RuntimeError. Any dtype.\n\n"
               ">>> torch.split(torch.arange(5), 2)\n(tensor([0, 1]), tensor([2, 3]), tensor([4]))\n");
  r.op<&split_with_sizes>("split.sizes(Tensor self, int[] split_size, int dim=0) -> Tensor[]");
  r.op<&split>("split.either(Tensor tensor, int split_size_or_sections, int dim=0) -> Tensor[]", "", kFunction);
  r.op<&split_with_sizes>("split.either_sizes(Tensor tensor, int[] split_size_or_sections, int dim=0) -> Tensor[]", "",
                          kFunction);
  r.op<&split_with_sizes>("split_with_sizes(Tensor self, int[] split_sizes, int dim=0) -> Tensor[]",
                          "Views of parts of the given sizes along dim. Sizes that do not add up to the whole are a\n"
                          "RuntimeError.\n\n"
                          ">>> torch.split_with_sizes(torch.arange(5), [2, 3])\n(tensor([0, 1]), tensor([2, 3, 4]))\n");
  r.op<&unsafe_split>(
      "unsafe_split.Tensor(Tensor self, int split_size, int dim=0) -> Tensor[]",
      "split(), but the parts may be changed in place when gradients are recorded, since they count as\n"
      "separate tensors.\n\n"
      ">>> torch.unsafe_split(torch.arange(3), 2)\n(tensor([0, 1]), tensor([2]))\n");
  r.op<&unsafe_split_with_sizes>(
      "unsafe_split_with_sizes(Tensor self, int[] split_sizes, int dim=0) -> Tensor[]",
      "split_with_sizes(), but the parts may be changed in place when gradients are recorded.\n\n"
      ">>> torch.unsafe_split_with_sizes(torch.arange(3), [1, 2])\n(tensor([0]), tensor([1, 2]))\n");
  r.op<&chunk<true>>(
      "chunk(Tensor self, int chunks, int dim=0) -> Tensor[]",
      "At most `chunks` views of nearly equal parts along dim. chunks below 1 is a RuntimeError. Any dtype.\n\n"
      ">>> torch.chunk(torch.arange(5), 2)\n(tensor([0, 1, 2]), tensor([3, 4]))\n");
  r.op<&chunk<false>>("unsafe_chunk(Tensor self, int chunks, int dim=0) -> Tensor[]",
                      "chunk(), but the parts may be changed in place when gradients are recorded.\n\n"
                      ">>> torch.unsafe_chunk(torch.arange(4), 2)\n(tensor([0, 1]), tensor([2, 3]))\n");
  r.op<&unbind>("unbind.int(Tensor self, int dim=0) -> Tensor[]",
                "All slices along dim, as views without that axis. Any dtype; a number has none: an IndexError.\n\n"
                ">>> torch.unbind(torch.tensor([[1, 2], [3, 4]]))\n(tensor([1, 2]), tensor([3, 4]))\n");
  r.op<&flatten>("flatten.using_ints(Tensor self, int start_dim=0, int end_dim=-1) -> Tensor",
                 "The dimensions from start_dim to end_dim as one: a view where the strides allow, else a copy. Any\n"
                 "dtype. A start after the end is a RuntimeError.\n\n"
                 ">>> torch.flatten(torch.ones(2, 3, 4), 1).shape\ntorch.Size([2, 12])\n");
  r.op<&unflatten>(
      "unflatten.int(Tensor self, int dim, int[] sizes) -> Tensor",
      "The dimension dim as several of the given sizes, one of which may be -1: the inverse of flatten().\n"
      "Sizes whose product is not that of dim are a RuntimeError.\n\n"
      ">>> torch.unflatten(torch.ones(2, 6), 1, (3, -1)).shape\ntorch.Size([2, 3, 2])\n");
  r.op<&ravel>("ravel(Tensor self) -> Tensor",
               "All elements as a contiguous vector: a view where they lie so, else a copy.\n\n"
               ">>> torch.ravel(torch.tensor([[1, 2], [3, 4]]).t())\ntensor([1, 3, 2, 4])\n");
  r.op<&movedim>(
      "movedim.intlist(Tensor self, int[] source, int[] destination) -> Tensor",
      "A view in which dimensions have moved to new places; the others keep their order. As many sources as\n"
      "destinations, none twice: else a RuntimeError. Any dtype.\n\n"
      ">>> torch.movedim(torch.ones(2, 3, 4), 0, -1).shape\ntorch.Size([3, 4, 2])\n");
  r.op<&movedim_int>("movedim.int(Tensor self, int source, int destination) -> Tensor");
  r.alias("moveaxis", "movedim");
  r.op<&transpose>("swapaxes(Tensor self, int axis0, int axis1) -> Tensor",
                   "transpose() by NumPy's name: a view with two axes exchanged.\n\n"
                   ">>> torch.swapaxes(torch.ones(2, 3, 4), 0, 2).shape\ntorch.Size([4, 3, 2])\n");
  r.op<&transpose>("swapdims(Tensor self, int dim0, int dim1) -> Tensor",
                   "transpose(): a view with two dimensions exchanged.\n\n"
                   ">>> torch.swapdims(torch.ones(2, 3, 4), 0, 1).shape\ntorch.Size([3, 2, 4])\n");
  r.op<&repeat>("repeat(Tensor self, int[] repeats) -> Tensor",
                "Copies of self laid side by side, repeats[d] of them along dimension d; more repeats than dimensions\n"
                "make new ones in front, fewer are a RuntimeError. Any dtype.\n\n"
                ">>> torch.tensor([1, 2]).repeat(2)\ntensor([1, 2, 1, 2])\n",
                kMethod);
  r.op<&tile>("tile(Tensor self, int[] dims) -> Tensor",
              "Copies of self laid side by side, dims[d] of them along axis d; counts that are missing in front are\n"
              "1, and so are missing axes of self.\n\n"
              ">>> torch.tile(torch.tensor([[1, 2]]), (2, 2))\ntensor([[1, 2, 1, 2],\n        [1, 2, 1, 2]])\n");
  r.op<&narrow>("narrow(Tensor self, int dim, int start, int length) -> Tensor",
                "A view of `length` slices from start along dim; start may be a 0-d integer tensor. A range beyond\n"
                "the size is a RuntimeError.\n\n"
                ">>> torch.narrow(torch.arange(6).view(3, 2), 0, 1, 2)\ntensor([[2, 3],\n        [4, 5]])\n");
  r.op<&narrow_tensor>("narrow.Tensor(Tensor self, int dim, Tensor start, int length) -> Tensor");
  r.op<&narrow_copy>("narrow_copy(Tensor self, int dim, int start, int length) -> Tensor",
                     "narrow() as a copy.\n\n"
                     ">>> torch.narrow_copy(torch.arange(5), 0, 1, 3)\ntensor([1, 2, 3])\n");
  r.op<&unfold>("unfold(Tensor self, int dimension, int size, int step) -> Tensor",
                "A view of all windows of `size` elements along a dimension, `step` apart, as a new last dimension.\n"
                "Windows overlap where step < size. A size beyond the dimension's is a RuntimeError.\n\n"
                ">>> torch.arange(5).unfold(0, 3, 1)\ntensor([[0, 1, 2],\n        [1, 2, 3],\n        [2, 3, 4]])\n",
                kMethod);
  r.op<&flip>("flip(Tensor self, int[] dims) -> Tensor",
              "A copy in which the given dimensions run backwards. A dimension given twice is a RuntimeError. Any\n"
              "dtype.\n\n"
              ">>> torch.flip(torch.tensor([1, 2, 3]), (0,))\ntensor([3, 2, 1])\n");
  r.op<&roll>("roll(Tensor self, int[1] shifts, int[1] dims=[]) -> Tensor",
              "Elements shifted along dims, those that fall off coming in at the other end; without dims all\n"
              "elements as one vector. As many shifts as dims, else a RuntimeError. Any dtype.\n\n"
              ">>> torch.roll(torch.tensor([1, 2, 3]), 1)\ntensor([3, 1, 2])\n");
  r.op<&pixel_shuffle>(
      "pixel_shuffle(Tensor self, int upscale_factor) -> Tensor",
      "(..., C r r, H, W) as (..., C, H r, W r): each pixel's r r channels become a square of pixels (Shi\n"
      "et al. 2016). Channels that r r does not divide are a RuntimeError.\n\n"
      ">>> torch.pixel_shuffle(torch.arange(4).view(4, 1, 1), 2)\ntensor([[[0, 1],\n         [2, 3]]])\n",
      kFunction);
  r.op<&pixel_unshuffle>(
      "pixel_unshuffle(Tensor self, int downscale_factor) -> Tensor",
      "(..., C, H r, W r) as (..., C r r, H, W): the inverse of pixel_shuffle(). Sides that r does not\n"
      "divide are a RuntimeError.\n\n"
      ">>> torch.pixel_unshuffle(torch.arange(4).view(1, 2, 2), 2).flatten()\ntensor([0, 1, 2, 3])\n",
      kFunction);
  r.alias("native_channel_shuffle", "channel_shuffle");
  r.op<&channel_shuffle>(
      "channel_shuffle(Tensor self, int groups) -> Tensor",
      "(n, C, ...) with the channels of the groups interleaved: the first of each group, then the second of\n"
      "each (Zhang et al. 2018). A number of channels that groups does not divide is a RuntimeError.\n\n"
      ">>> torch.channel_shuffle(torch.arange(4.).view(1, 4, 1, 1), 2).flatten()\ntensor([0., 2., 1., 3.])\n",
      kFunction);
  r.op<&squeeze_all_>("squeeze_(Tensor self) -> Tensor",
                      "squeeze() in place: self itself loses axes of size 1, no element moves.\n\n"
                      ">>> torch.ones(1, 3, 1).squeeze_().shape\ntorch.Size([3])\n",
                      kMethod);
  r.op<&squeeze_dim_>("squeeze_.dim(Tensor self, int dim) -> Tensor", "", kMethod);
  r.op<&squeeze_dims_>("squeeze_.dims(Tensor self, int[] dim) -> Tensor", "", kMethod);
  r.op<&unsqueeze_>("unsqueeze_(Tensor self, int dim) -> Tensor",
                    "unsqueeze() in place.\n\n"
                    ">>> torch.tensor([1, 2]).unsqueeze_(0)\ntensor([[1, 2]])\n",
                    kMethod);
  r.op<&transpose_>("transpose_(Tensor self, int dim0, int dim1) -> Tensor",
                    "transpose() in place: self's strides are exchanged, no element moves.\n\n"
                    ">>> torch.tensor([[1, 2], [3, 4]]).transpose_(0, 1)\ntensor([[1, 3],\n        [2, 4]])\n",
                    kMethod);
  r.op<&transpose_>("swapaxes_(Tensor self, int axis0, int axis1) -> Tensor",
                    "swapaxes() in place.\n\n"
                    ">>> torch.ones(2, 3).swapaxes_(0, 1).shape\ntorch.Size([3, 2])\n",
                    kMethod);
  r.op<&transpose_>("swapdims_(Tensor self, int dim0, int dim1) -> Tensor",
                    "swapdims() in place.\n\n"
                    ">>> torch.ones(2, 3).swapdims_(0, 1).shape\ntorch.Size([3, 2])\n",
                    kMethod);
  r.op<&t_>("t_(Tensor self) -> Tensor",
            "t() in place.\n\n"
            ">>> torch.ones(2, 3).t_().shape\ntorch.Size([3, 2])\n",
            kMethod);
  r.op<&as_strided_>("as_strided_(Tensor self, int[] size, int[] stride, int? storage_offset=None) -> Tensor",
                     "as_strided() in place: self takes other sizes, strides and offset over its storage.\n\n"
                     ">>> torch.arange(4).as_strided_((2,), (2,))\ntensor([0, 2])\n");
  r.op<&resize_as_>(
      "resize_as_(Tensor self, Tensor the_template, *, MemoryFormat? memory_format=None) -> Tensor",
      "Takes the shape of the other tensor, keeping the elements in their order; elements that come new are\n"
      "uninitialised. A tensor that requires a gradient is a RuntimeError.\n\n"
      ">>> torch.arange(4).resize_as_(torch.ones(3))\ntensor([0, 1, 2])\n");
  r.op<&conj>("conj(Tensor self) -> Tensor",
              "The complex conjugate, computed at once; a real tensor itself.\n\n"
              ">>> torch.conj(torch.tensor([1 + 2j]))\ntensor([1.-2.j])\n");
  r.op<&positive>("positive(Tensor self) -> Tensor",
                  "+self: self itself; not for bool.\n\n>>> torch.positive(torch.tensor([1, -2]))\ntensor([ 1, -2])\n");
  r.op<&conj>("conj_physical(Tensor self) -> Tensor",
              "The complex conjugate; a real tensor is unchanged.\n\n"
              ">>> torch.conj_physical(torch.tensor([1+2j, 3-1j]))\ntensor([1.-2.j, 3.+1.j])\n",
              {.in_place = true});
  r.op<&itself>("resolve_conj(Tensor self) -> Tensor",
                "self: conj() computes at once, so that there is never a conjugation to carry out.\n\n"
                ">>> torch.resolve_conj(torch.tensor([1 + 2j]).conj())\ntensor([1.-2.j])\n");
  r.op<&itself>("resolve_neg(Tensor self) -> Tensor",
                "self: there is never a negation to carry out.\n\n"
                ">>> torch.resolve_neg(torch.tensor([1 + 2j]).conj().imag)\ntensor([-2.])\n");
  r.op<&adjoint>("adjoint(Tensor self) -> Tensor",
                 "The last two dimensions exchanged, conjugated: also as the attribute mH. Fewer than two are a\n"
                 "RuntimeError.\n\n"
                 ">>> torch.adjoint(torch.tensor([[1 + 1j, 2], [3, 4]]))\ntensor([[1.-1.j, 3.-0.j],\n"
                 "        [2.-0.j, 4.-0.j]])\n");
  r.op<&is_same_size>("is_same_size(Tensor self, Tensor other) -> bool",
                      "Whether the shapes are the same.\n\n"
                      ">>> torch.is_same_size(torch.ones(2, 1), torch.ones(2))\nFalse\n");
  r.op<&equal>("equal(Tensor self, Tensor other) -> bool",
               "Whether shapes and all elements are the same, as a bool; NaN equals nothing. The dtypes may differ.\n"
               "See eq() for each element, allclose() for nearly equal ones.\n\n"
               ">>> torch.equal(torch.tensor([1, 2]), torch.tensor([1, 2]))\nTrue\n"
               ">>> torch.equal(torch.tensor([float('nan')]), torch.tensor([float('nan')]))\nFalse\n");
  r.op<&is_nonzero>("is_nonzero(Tensor self) -> bool",
                    "Whether the one element of self is not zero. Any other number of elements is a RuntimeError.\n\n"
                    ">>> torch.is_nonzero(torch.tensor([0.]))\nFalse\n");
  r.op<&alias>("alias(Tensor self) -> Tensor",
               "A new tensor over the same memory, with a history of its own.\n\n"
               ">>> x = torch.zeros(2)\n"
               ">>> torch.alias(x).fill_(1)\ntensor([1., 1.])\n"
               ">>> x\ntensor([1., 1.])\n",
               kFunction);
});

}  // namespace rl
