// Copies, conversions and fills.
#include "kernels/copy.h"

#include <algorithm>
#include <cstring>

#include "ops/basic.h"
#include "ops/creation.h"
#include "tensor/destination.h"

namespace rl {

void copy_data(const Tensor& to, const Tensor& from) {
  if (to.numel() == 0 || same_place(to, from)) return;
  if (to.is_contiguous() && from.is_contiguous() && to.dtype() == from.dtype() && to.numel() == from.numel() &&
      to.numel() <= 64) {
    std::memmove(to.raw(), from.raw(), static_cast<size_t>(to.numel()) * item_size(to.dtype()));
    return;
  }
  check(can_broadcast(from.sizes(), to.sizes()), "The expanded size of the tensor ", shape_str(to.sizes()),
        " must match the existing size of the source ", shape_str(from.sizes()),
        ": the source cannot be broadcast to it");
  Tensor source = from;
  // Memory that overlaps itself in any other way than being the same goes through a copy.
  if (&to->storage() == &from->storage() &&
      !(to.raw() == from.raw() && std::ranges::equal(to.strides(), from.strides()) && to.dtype() == from.dtype())) {
    source = Tensor::empty(from.sizes(), from.dtype());
    copy_data(source, from);
  }
  Dims strides = broadcast_strides(source.sizes(), source.strides(), to.sizes());
  cpu::copy().copy_strided(to.raw(), to.dtype(), to.strides().data(), source.raw(), source.dtype(), strides.data(),
                           to.sizes().data(), static_cast<int>(to.dim()));
}

void fill_data(const Tensor& t, const Scalar& value) {
  if (t.numel() == 0) return;
  alignas(16) char item[16];
  value.store(t.dtype(), item);
  if (t.is_contiguous() && t.numel() == 1) {
    std::memcpy(t.raw(), item, static_cast<size_t>(item_size(t.dtype())));
    return;
  }
  cpu::copy().fill(t.raw(), t.dtype(), t.strides().data(), t.sizes().data(), static_cast<int>(t.dim()), item);
}

bool any_zero(const Tensor& t) {
  Tensor flat = t.is_contiguous() ? t : clone(detach(t));
  return visit_dtype(t.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* p = flat.data<T>();
    for (int64_t i = 0; i < flat.numel(); ++i) {
      if constexpr (std::is_arithmetic_v<T>) {
        if (p[i] == T(0)) return true;
      }
    }
    return false;
  });
}

bool can_cast(DType from, DType to) {
  if (is_complex_dtype(from) && !is_complex_dtype(to)) return false;
  if (is_floating(from) && is_integral(to)) return false;
  return !(from != DType::Bool && to == DType::Bool);
}

Tensor full(IntSpan sizes, const Scalar& value, DType dtype) {
  Tensor t = Tensor::empty(sizes, dtype);
  fill_data(t, value);
  return t;
}
Tensor zeros_like(const Tensor& t) {
  Tensor r = Tensor::empty_like(t);
  fill_data(r, Scalar(0));
  return r;
}
Tensor ones_like(const Tensor& t) {
  Tensor r = Tensor::empty_like(t);
  fill_data(r, Scalar(1));
  return r;
}

static Tensor empty_in_format(const Tensor& like, DType dtype, MemoryFormat format) {
  switch (format) {
    case MemoryFormat::Preserve: return Tensor::empty_like(like, dtype);
    case MemoryFormat::Contiguous: return Tensor::empty(like.sizes(), dtype);
    default:
      check(like.dim() == (format == MemoryFormat::ChannelsLast ? 4 : 5), "required rank ",
            format == MemoryFormat::ChannelsLast ? 4 : 5, " tensor to use ",
            format == MemoryFormat::ChannelsLast ? "channels_last" : "channels_last_3d", " format, got ", like.dim(),
            "-d");
      return Tensor::empty_strided(like.sizes(), channels_last_strides(like.sizes()), dtype);
  }
}

Tensor clone(const Tensor& t, std::optional<MemoryFormat> format) {
  Tensor out = empty_in_format(t, t.dtype(), format.value_or(MemoryFormat::Preserve));
  copy_data(out, t);
  record("CloneBackward0", out, {t}, {}, [](Backward& ctx) { ctx.set(0, ctx.grad()); });
  return out;
}

Tensor contiguous(const Tensor& t, MemoryFormat format) {
  check(format != MemoryFormat::Preserve, "preserve memory format is unsupported by the contiguous operator");
  bool already = format == MemoryFormat::Contiguous ? t.is_contiguous() : is_channels_last(t.sizes(), t.strides());
  return already ? t : clone(t, format);
}

// dtype conversion; the same tensor if nothing changes.
Tensor to_dtype(const Tensor& t, DType dtype) {
  if (t.dtype() == dtype) return t;
  Tensor out = Tensor::empty_like(t, dtype);
  copy_data(out, t);
  record("ToCopyBackward0", out, {t}, {}, [from = t.dtype()](Backward& ctx) {
    Tensor g = ctx.grad();
    if (is_complex_dtype(g.dtype()) && !is_complex_dtype(from)) g = real(g);
    ctx.set(0, to_dtype(g, from));
  });
  return out;
}

Tensor copy_(const Tensor& self, const Tensor& source, bool) {
  bool tracked = needs_gradient(self, source);
  check_in_place(self, "copy_", tracked);
  if (!can_broadcast(source.sizes(), self.sizes())) {
    broadcast_shapes(self.sizes(), source.sizes());  // names the axis, if two sizes are at odds
    fail(ErrorKind::Runtime, "output with shape ", shape_str(self.sizes()),
         " doesn't match the broadcast shape of the source ", shape_str(source.sizes()));
  }
  check_partial_overlap(self, source);
  Ref<Node> node;
  if (tracked && is_differentiable(self.dtype())) {
    const Tensor inputs[] = {self, is_differentiable(source.dtype()) ? source : Tensor()};
    node = make_node("torch::autograd::CopyBackwards", inputs,
                     [shape = Dims(source.sizes()), dtype = source.dtype()](Backward& ctx) {
                       if (ctx.needs(0)) ctx.set(0, zeros_like(ctx.grad()));
                       if (!ctx.needs(1)) return;
                       Tensor g = sum_to(ctx.grad(), shape);
                       if (is_complex_dtype(g.dtype()) && !is_complex_dtype(dtype)) g = real(g);
                       ctx.set(1, to_dtype(g, dtype));
                     });
  }
  copy_data(self, source);
  changed_in_place(self, "copy_");
  if (node) rebase_history(self, std::move(node));
  return self;
}

Tensor fill_(const Tensor& self, const Scalar& value) {
  bool tracked = needs_gradient(self);
  check_in_place(self, "fill_", tracked, kOneValue);
  check_fits(value, self.dtype());
  Ref<Node> node;
  if (tracked) {
    const Tensor inputs[] = {self};
    node = make_node("FillBackward2", inputs, [](Backward& ctx) { ctx.set(0, zeros_like(ctx.grad())); });
  }
  fill_data(self, value);
  changed_in_place(self, "fill_");
  if (node) rebase_history(self, std::move(node));
  return self;
}

Tensor fill_(const Tensor& self, const Tensor& value) {
  check(value.dim() == 0, "fill_ only supports 0-dimension value tensor but got tensor with ", value.dim(),
        " dimensions.");
  bool tracked = needs_gradient(self, value) && is_differentiable(self.dtype());
  check_in_place(self, "fill_", tracked, kOneValue);
  Ref<Node> node;
  if (tracked) {
    const Tensor inputs[] = {self, is_differentiable(value.dtype()) ? value : Tensor()};
    node = make_node("FillBackward3", inputs, [dtype = value.dtype()](Backward& ctx) {
      if (ctx.needs(0)) ctx.set(0, zeros_like(ctx.grad()));
      if (!ctx.needs(1)) return;
      Tensor g = sum(ctx.grad(), {}, false);
      if (is_complex_dtype(g.dtype()) && !is_complex_dtype(dtype)) g = real(g);
      ctx.set(1, to_dtype(g, dtype));
    });
  }
  copy_data(self, value);
  changed_in_place(self, "fill_");
  if (node) rebase_history(self, std::move(node));
  return self;
}

Tensor zero_(const Tensor& self) {
  bool tracked = needs_gradient(self);
  check_in_place(self, "zero_", tracked, kOneValue);
  Ref<Node> node;
  if (tracked) {
    const Tensor inputs[] = {self};
    node = make_node("ZeroBackward0", inputs, [](Backward& ctx) { ctx.set(0, zeros_like(ctx.grad())); });
  }
  fill_data(self, Scalar(0));
  changed_in_place(self, "zero_");
  if (node) rebase_history(self, std::move(node));
  return self;
}

static const Family family([](Registry& r) {
  constexpr Traits kMethodOnly{.function = false};
  r.op<&clone>("clone(Tensor self, *, MemoryFormat? memory_format=None) -> Tensor",
               "A copy of self with the same shape, dtype and (by default) strides. Differentiable.\n\n"
               ">>> x = torch.ones(2)\n>>> y = x.clone()\n>>> y[0] = 5\n>>> x\ntensor([1., 1.])\n");
  r.op<&contiguous>(
      "contiguous(Tensor self, *, MemoryFormat memory_format=contiguous_format) -> Tensor",
      "self if it already lies in memory in the given order (rows one after another unless told), else a\n"
      "copy that does.\n\n"
      ">>> x = torch.ones(2, 3)\n"
      ">>> x.contiguous() is x, x.t().contiguous().stride()\n(True, (2, 1))\n",
      kMethodOnly);
  r.op<&copy_>("copy_(Tensor self, Tensor src, bool non_blocking=False) -> Tensor",
               "Copies src, broadcast and converted to self's dtype, into self. Shapes that do not broadcast are a\n"
               "RuntimeError.\n\n"
               ">>> torch.zeros(2, 2, dtype=torch.int64).copy_(torch.tensor([1.9, -1.9]))\ntensor([[ 1, -1],\n"
               "        [ 1, -1]])\n",
               kMethodOnly);
  r.op<static_cast<Tensor (*)(const Tensor&, const Scalar&)>(&fill_)>(
      "fill_.Scalar(Tensor self, Scalar value) -> Tensor",
      "Sets every element of self to value: a number or a 0-d tensor (a larger one is a RuntimeError).\n\n"
      ">>> torch.zeros(2).fill_(7)\ntensor([7., 7.])\n");
  r.op<static_cast<Tensor (*)(const Tensor&, const Tensor&)>(&fill_)>(
      "fill_.Tensor(Tensor self, Tensor value) -> Tensor");
  r.op<&zero_>("zero_(Tensor self) -> Tensor",
               "Sets every element of self to 0.\n\n"
               ">>> torch.ones(2).zero_()\ntensor([0., 0.])\n");
  r.op<&can_cast>(
      "can_cast(ScalarType from_, ScalarType to) -> bool",
      "Whether a result of dtype `from_` may be stored as `to` (out=, in place): not complex as real,\n"
      "floating as integer or number as bool.\n\n"
      ">>> torch.can_cast(torch.int64, torch.float16), torch.can_cast(torch.float32, torch.int64)\n(True, False)\n");
});

}  // namespace rl
