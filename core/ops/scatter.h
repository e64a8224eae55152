// Writes into a copy of a tensor or into the tensor itself, with one gradient for both forms.
#pragma once

#include <type_traits>

#include "ops/basic.h"

namespace rl {

// fill(out) writes into self (in place) or a copy of it; a fill(out, self) makes that copy itself. formula: gradient 0 is self's, 1 source's (which may be undefined).
template <class Fill, class Formula>
Tensor write_into(bool in_place, const Tensor& self, const char* op, const char* node_name, const Tensor& source,
                  const TensorList& keeps, Fill fill, Formula formula) {
  bool tracked = is_differentiable(self.dtype()) && needs_gradient(self, source);
  if (in_place) {
    check_in_place(self, op, tracked);
    if (self.dim() == 0 || (source.defined() && source.dim() > 0)) check_no_overlap(self, source);  // else one value
  }
  Ref<Node> node;
  if (tracked) {
    const Tensor inputs[] = {self, source};
    node = make_node(node_name, {inputs, source.defined() ? 2u : 1u}, std::move(formula));
    for (const Tensor& t : keeps) node->saved.emplace_back(t, false);
  }
  Tensor out = self;
  if (!in_place) out = Tensor::empty_like(self);
  if constexpr (std::is_invocable_v<Fill, const Tensor&, const Tensor&>) {
    fill(out, self);
  } else {
    if (!in_place) copy_data(out, self);
    fill(out);
  }
  if (in_place) {
    changed_in_place(self, op);
    if (node) rebase_history(self, std::move(node));
  } else if (node) {
    set_history(out, std::move(node));
  }
  return out;
}

// self becomes f(self as it was).
template <class F>
Tensor replace_by(const Tensor& self, const char* op, const Tensor& other, F f) {
  bool tracked = is_differentiable(self.dtype()) && needs_gradient(self, other);
  check_in_place(self, op, tracked);
  Tensor before = Tensor::empty_like(self);
  copy_data(before, self);
  if (tracked)
    if (Edge edge = gradient_edge(self)) set_history(before, edge.node, edge.index);
  Tensor r = f(before);
  copy_data(self, r);
  changed_in_place(self, op);
  if (tracked && r.requires_grad()) rebase_history(self, grad_fn(r));
  return self;
}

Tensor scatter_reduce(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source,
                      std::string_view reduce, bool include_self);

}  // namespace rl
