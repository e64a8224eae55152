#include "ops/gradient.h"

namespace rl {

void add_edges(Node& node, std::span<const Tensor> inputs) {
  for (const Tensor& t : inputs) node.edges.push_back(t.defined() ? gradient_edge(t) : Edge{});
}

bool any_requires_grad(std::span<const Tensor> inputs) {
  bool any = false;
  for (const Tensor& t : inputs) any |= t.requires_grad();
  return any;
}

void link(Ref<Node> node, const Tensor& out, std::span<const Tensor> inputs, std::initializer_list<Keep> keeps) {
  add_edges(*node, inputs);
  for (const Keep& k : keeps) node->saved.emplace_back(k.tensor, k.is_output, k.index);
  set_history(out, std::move(node));
}

void link(Ref<Node> node, std::span<const Tensor> outs, std::span<const Tensor> inputs,
          std::initializer_list<Keep> keeps) {
  add_edges(*node, inputs);
  for (const Keep& k : keeps) node->saved.emplace_back(k.tensor, k.is_output, k.index);
  node->outputs = static_cast<uint32_t>(outs.size());
  for (size_t i = 0; i < outs.size(); ++i)
    if (outs[i].defined() && is_differentiable(outs[i].dtype())) set_history(outs[i], node, static_cast<uint32_t>(i));
}

}  // namespace rl
