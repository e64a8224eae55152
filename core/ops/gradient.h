// How an op records its gradient: the formula stands in the op's own function, right below its forward.
//
//   Tensor mm(const Tensor& a, const Tensor& b) {
//     ...
//     record("MmBackward0", out, {a, b}, {a, b}, [](Backward& ctx) {
//       Tensor a = ctx.saved(0), b = ctx.saved(1);
//       if (ctx.needs(0)) ctx.set(0, mm(ctx.grad(), mT(b)));
//       if (ctx.needs(1)) ctx.set(1, mm(mT(a), ctx.grad()));
//     });
//     return out;
//   }
//
// A formula made of differentiable ops serves gradients of gradients as well: under create_graph the ops in it record
// themselves. One that calls a fused kernel asks ctx.create_graph() and keeps a differentiable form beside it.
#pragma once

#include "autograd/engine.h"

namespace rl {

class Backward {
 public:
  Backward(Node& node, const Gradients& grads, Gradients& results) : node_(node), grads_(grads), results_(results) {}
  // The gradient of output i; undefined stands for zeros.
  const Tensor& grad(int64_t i = 0) const { return grads_[i]; }
  bool has_grad(int64_t i) const { return grads_[i].defined(); }
  Tensor saved(int64_t i) const { return node_.saved[i].get(node_); }
  bool needs(int64_t i) const { return node_.needs(i) && is_followed(node_, i); }
  void set(int64_t i, Tensor grad) const { results_[i] = std::move(grad); }
  static bool create_graph() { return grad_mode.enabled; }
  Node& node() const { return node_; }
  int64_t inputs() const { return node_.edges.size(); }

 private:
  Node& node_;
  const Gradients& grads_;
  Gradients& results_;
};

// A tensor to keep for backward: an input as it is, or output(t).
struct Keep {
  Keep(const Tensor& t) : tensor(t) {}
  Keep(const Tensor& t, uint32_t index) : tensor(t), is_output(true), index(index) {}
  const Tensor& tensor;
  bool is_output = false;
  uint32_t index = 0;
};
inline Keep output(const Tensor& t, uint32_t index = 0) { return Keep(t, index); }

class NamedNode : public Node {
 public:
  explicit NamedNode(const char* name) : name_(name) {}
  const char* name() const override { return name_; }

 private:
  const char* name_;
};

template <class Formula>
class FormulaNode final : public NamedNode {
 public:
  FormulaNode(const char* name, Formula formula) : NamedNode(name), formula_(std::move(formula)) {}
  void apply(const Gradients& grads, Gradients& results) override {
    Backward ctx(*this, grads, results);
    formula_(ctx);
  }

 private:
  Formula formula_;
};

template <class... T>
inline bool needs_gradient(const T&... tensors) {
  return grad_mode.enabled && (false || ... || tensors.requires_grad());
}
inline bool needs_gradient(const TensorList& tensors) {
  if (!grad_mode.enabled) return false;
  for (const Tensor& t : tensors)
    if (t.requires_grad()) return true;
  return false;
}

void add_edges(Node& node, std::span<const Tensor> inputs);

template <class Formula>
Ref<Node> make_node(const char* name, std::span<const Tensor> inputs, Formula formula) {
  Ref<Node> node(new FormulaNode<Formula>(name, std::move(formula)));
  add_edges(*node, inputs);
  return node;
}

bool any_requires_grad(std::span<const Tensor> inputs);
// What is left of record() once there is a node.
void link(Ref<Node> node, const Tensor& out, std::span<const Tensor> inputs, std::initializer_list<Keep> keeps);
void link(Ref<Node> node, std::span<const Tensor> outs, std::span<const Tensor> inputs,
          std::initializer_list<Keep> keeps);

// Records `out` as computed from `inputs` (no-op unless gradients are wanted). `keeps` are saved for the formula.
template <class Formula>
void record(const char* name, const Tensor& out, std::initializer_list<Tensor> inputs,
            std::initializer_list<Keep> keeps, Formula formula) {
  if (!grad_mode.enabled || !is_differentiable(out.dtype())) return;
  std::span<const Tensor> all(inputs.begin(), inputs.size());
  if (any_requires_grad(all)) link(Ref<Node>(new FormulaNode<Formula>(name, std::move(formula))), out, all, keeps);
}

// The same for several outputs (those of non-differentiable dtype stay without history) and for lists of inputs.
template <class Formula>
void record(const char* name, std::span<const Tensor> outs, std::span<const Tensor> inputs,
            std::initializer_list<Keep> keeps, Formula formula) {
  if (grad_mode.enabled && any_requires_grad(inputs))
    link(Ref<Node>(new FormulaNode<Formula>(name, std::move(formula))), outs, inputs, keeps);
}

}  // namespace rl
