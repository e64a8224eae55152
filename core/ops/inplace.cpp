// In-place changes: what may be changed, how versions and histories follow.
#include <algorithm>
#include <optional>

#include "ops/basic.h"
#include "ops/layout.h"
#include "ops/pointwise.h"
#include "tensor/destination.h"

namespace rl {
namespace {

// The history of a base after one of its views was changed: the gradient of that part of it goes to the node that made
// the new value, and so no further; the rest passes by. Inputs: the base as it was, the new value.
class CopySlices final : public Node {
 public:
  CopySlices(const Tensor& base, const Tensor& view, Ref<Node> value)
      : complex_base_(is_complex_dtype(base.dtype()) && !is_complex_dtype(view.dtype())),
        complex_view_(is_complex_dtype(view.dtype()) && !is_complex_dtype(base.dtype())),
        base_(base, complex_base_),
        view_(view, complex_view_) {
    edges.push_back(gradient_edge(base));
    edges.push_back(Edge{std::move(value), 0});
    bool parts = (complex_base_ || complex_view_) && real_of(base.dtype()) == real_of(view.dtype());
    check(parts || base.dtype() == view.dtype(),
          "an in-place change of a view of another dtype cannot be differentiated: ", dtype_name(view.dtype()),
          " over ", dtype_name(base.dtype()), "; change the base itself, or clone() first");
  }
  const char* name() const override { return "torch::autograd::CopySlices"; }

  void apply(const Gradients& grads, Gradients& results) override {
    // A copy of the gradient in the memory layout of the base, where the view's strides mean what they meant.
    Tensor grad = complex_base_ ? view_as_real(grads[0]) : grads[0];
    Tensor memory = zeros(Dims{std::max<int64_t>(base_.reach(), 1)}, grad.dtype());
    Tensor whole = as_strided(memory, base_.sizes, base_.strides, 0);
    copy_(whole, grad);
    Tensor part = as_strided(memory, view_.sizes, view_.strides, view_.offset - base_.offset);
    if (needs(1)) results[1] = complex_view_ ? view_as_complex(clone(part)) : clone(part);
    if (!needs(0)) return;
    zero_(part);
    if (grad_mode.enabled) whole = as_strided(memory, base_.sizes, base_.strides, 0);
    results[0] = complex_base_ ? view_as_complex(whole) : whole;
  }

 private:
  // One of them is complex and the other is real: both are then seen as reals.
  bool complex_base_, complex_view_;
  Layout base_, view_;
};

// Calls f with all tensors that an operation is given, the first one left out.
template <class F>
void for_others(const OpDef& def, const Value* args, const F& f) {
  for (size_t i = 1; i < def.params.size(); ++i) {
    if (args[i].tag == Tag::Tensor) f(Tensor(args[i].tensor));
    if (args[i].tag == Tag::TensorList)
      for (const Tensor& t : *args[i].tensors)
        if (t.defined()) f(t);
  }
}

// The same elements in the same order, whatever the strides of axes of one element.
bool same_walk(const Tensor& a, const Tensor& b) {
  auto steps = [](const Tensor& t) {
    Dims s;
    for (int64_t d = 0; d < t.dim(); ++d)
      if (t.sizes()[d] != 1) s.push_back(t.sizes()[d]), s.push_back(t.strides()[d]);
    return s;
  };
  return std::ranges::equal(steps(a), steps(b));
}

enum class Meeting { None, Partial, Whole };
Meeting meeting(const Tensor& out, const Tensor& in) {
  if (!in.defined() || &out->storage() != &in->storage()) return Meeting::None;
  if (out.is_same(in)) return Meeting::Whole;
  if (out.numel() == 0 || in.numel() == 0 || !is_dense(out.sizes(), out.strides()) ||
      !is_dense(in.sizes(), in.strides()))
    return Meeting::None;
  const char *a = static_cast<const char*>(out.raw()), *b = static_cast<const char*>(in.raw());
  const char *a_end = a + out.numel() * item_size(out.dtype()), *b_end = b + in.numel() * item_size(in.dtype());
  if (a == b && a_end == b_end) return same_walk(out, in) ? Meeting::Whole : Meeting::Partial;
  return a < b_end && b < a_end ? Meeting::Partial : Meeting::None;
}

[[noreturn]] void fail_overlap() {
  fail(
      ErrorKind::Runtime,
      "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory location. Please clone() the tensor "
      "before performing the operation.");
}

// For messages: "Unbind" for UnbindBackward0.
std::string maker(const Tensor& t) {
  const Ref<Node>& fn = grad_fn(t);
  std::string name = fn ? fn->name() : "a function";
  return name.substr(0, name.rfind("Backward"));
}
uint32_t output_index(const Tensor& t) { return autograd_meta(t) ? autograd_meta(t)->output_index : 0; }

}  // namespace

void check_partial_overlap(const Tensor& out, const Tensor& in) {
  if (meeting(out, in) == Meeting::Partial) fail_overlap();
}
void check_no_overlap(const Tensor& out, const Tensor& in) {
  if (meeting(out, in) != Meeting::None) fail_overlap();
}

void check_in_place(const Tensor& self, const char* op, bool tracked, bool one_value) {
  check(!self->storage().read_only, op,
        ": this tensor's memory is read-only (it came from a read-only buffer); clone() it first");
  check(one_value || !overlaps_itself(self),
        "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
        "Please clone() the tensor before performing the operation.");
  check(
      !(self->inference && !grad_mode.inference),
      "Inplace update to inference tensor outside InferenceMode is not allowed. You can make a clone to get a normal tensor before doing inplace update.");
  if (autograd_support.before_change) [[unlikely]]
    autograd_support.before_change(self);
  if (!tracked) return;
  if (self.requires_grad() && is_leaf(self) && !self->base)
    fail(ErrorKind::Runtime, "a leaf Variable that requires grad is being used in an in-place operation. (", op,
         ": change it inside torch.no_grad(), or use the out-of-place form)");
  if (!self->base) return;
  Tensor base(self->base.get());
  if (base->requires_grad && is_leaf(base))
    fail(ErrorKind::Runtime, "a view of a leaf Variable that requires grad is being used in an in-place operation. (",
         op, ": change it inside torch.no_grad(), or use the out-of-place form)");
  switch (self->view_kind) {
    case ViewKind::Plain: return;
    case ViewKind::NoGrad:
      fail(
          ErrorKind::Runtime,
          "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that this use case is ambiguous and "
          "error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace either both inside the no_grad block "
          "(if you don't want the inplace to be tracked) or both outside (if you want the inplace to be tracked).");
    case ViewKind::Inference:
      fail(
          ErrorKind::Runtime,
          "A view was created in inference mode and is being modified inplace with grad mode enabled; this is forbidden.");
    case ViewKind::MultiOutput:
      fail(
          ErrorKind::Runtime, "Output ", output_index(self), " of ", maker(self),
          " is a view and is being modified inplace. This view is the output of a function that returns multiple views. Such functions do not allow "
          "the output views to be modified inplace. You should replace the inplace operation by an out-of-place one.");
    case ViewKind::CustomFunction:
      fail(
          ErrorKind::Runtime, "Output ", output_index(self), " of ", maker(self),
          " is a view and is being modified inplace. This view was created inside a custom Function, or by a hook (or because an input was returned "
          "as-is), and an inplace change would override the gradient that it has. This behavior is forbidden. Return a clone of the view, or use the "
          "operation that is not inplace (inplace=False in a layer).");
  }
}

void changed_in_place(const Tensor& self, const char* op) {
  self->bump_version();
  self->storage().changed_by = op;
}

void rebase_history(const Tensor& self, Ref<Node> node) {
  if (!self->base) {
    set_history(self, std::move(node));
    return;
  }
  Tensor base(self->base.get());
  Ref<Node> slices(new CopySlices(base, self, std::move(node)));
  set_history(base, std::move(slices));
  grad_fn(self);  // refreshes the view's own history from the base
}

Tensor run_in_place(const OpDef& def, const Value* args) {
  Tensor self(args[0].tensor);
  bool tracked = false;
  if (grad_mode.enabled) {
    for (size_t i = 0; i < def.params.size(); ++i) {
      if (args[i].tag == Tag::Tensor) tracked |= Tensor(args[i].tensor).requires_grad();
      if (args[i].tag == Tag::TensorList)
        for (const Tensor& t : *args[i].tensors) tracked |= t.defined() && t.requires_grad();
    }
  }
  tracked &= is_differentiable(self.dtype());
  check_in_place(self, (def.name + "_").c_str(), tracked);
  if (def.pointwise) {
    for (size_t i = 1; i < def.params.size(); ++i)
      if (args[i].tag == Tag::Tensor) check_partial_overlap(self, Tensor(args[i].tensor));
    check(!(def.pointwise->rule == pointwise::Rule::RealOfComplex && is_complex_dtype(self.dtype())), "In-place ",
          def.name, " is not supported for complex tensors.");
  }
  const char* label = def.name.c_str();
  if (!tracked && def.pointwise) {
    const PointwiseDef& p = *def.pointwise;
    Tensor inputs[8];
    Scalar scalars[4];
    for (int i = 0; i < p.tensors; ++i) inputs[i] = Tensor(args[i].tensor);
    for (int i = 0; i < p.scalars; ++i) scalars[i] = args[p.tensors + i].scalar;
    run_pointwise(p, inputs, scalars, self);
    changed_in_place(self, label);
    return self;
  }
  // Out of place on self as it was, then the result goes into self's memory and its history becomes self's.
  Tensor before = self;
  std::vector<Value> shifted(args, args + def.params.size());
  if (tracked) {
    before = Tensor::empty_like(self);
    copy_data(before, self);
    if (Edge edge = gradient_edge(self)) set_history(before, edge.node, edge.index);
  }
  shifted[0] = Value(before);
  Result result;
  if (tracked) {
    def.fn(shifted.data(), result);
  } else {
    auto holds = Destination::Holds::OneInput;
    bool apart = true;
    for_others(def, args, [&](const Tensor& t) {
      if (&t->storage() != &self->storage()) return;
      apart &= same_place(t, self);
      holds = Destination::Holds::Inputs;
    });
    std::optional<Destination> place;
    if (apart) place.emplace(std::span<const Tensor>(&self, 1), holds, false);
    def.fn(shifted.data(), result);
  }
  const Tensor& r = result.tensor;
  check(can_cast(r.dtype(), self.dtype()), "result type ", scalar_type_name(r.dtype()),
        " can't be cast to the desired output type ", scalar_type_name(self.dtype()));
  check(same_shape(r, self), "output with shape ", shape_str(self.sizes()), " doesn't match the broadcast shape ",
        shape_str(r.sizes()));
  copy_data(self, r);
  changed_in_place(self, label);
  if (tracked && r.requires_grad())
    rebase_history(self, grad_fn(r.dtype() == self.dtype() ? r : to_dtype(r, self.dtype())));
  return self;
}

}  // namespace rl
