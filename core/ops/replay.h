// Gradients of gradients for ops whose backward is one fused kernel.
#pragma once

#include "autograd/engine.h"
#include "ops/basic.h"

namespace rl {

// Sets ctx's results by composing the op once more out of differentiable ops, and differentiating that. inputs are the
// node's, in the order of its edges; compose(inputs) gives the node's outputs.
template <class Compose>
void differentiate_again(const Backward& ctx, std::span<const Tensor> inputs, const Compose& compose) {
  // Through views, so that the walk ends here even where one input was computed from another.
  TensorList seen(inputs.begin(), inputs.end());
  BackwardOptions options;
  options.keep_graph = options.create_graph = true;
  options.accumulate = false;
  std::vector<size_t> asked;
  for (size_t i = 0; i < seen.size(); ++i) {
    if (!ctx.needs(static_cast<int64_t>(i))) continue;
    Dims sizes(seen[i].sizes());
    seen[i] = as_strided(seen[i], sizes, Dims(seen[i].strides()));
    options.inputs.push_back(gradient_edge(seen[i]));
    asked.push_back(i);
  }
  TensorList outs = compose(seen);
  std::vector<Edge> roots;
  std::vector<Tensor> grads;
  for (size_t k = 0; k < outs.size(); ++k) {
    if (!ctx.has_grad(static_cast<int64_t>(k)) || !outs[k].requires_grad()) continue;
    roots.push_back(gradient_edge(outs[k]));
    grads.push_back(ctx.grad(static_cast<int64_t>(k)));
  }
  if (roots.empty()) return;
  std::vector<Tensor> results = run_backward(std::move(roots), std::move(grads), options);
  for (size_t i = 0; i < asked.size(); ++i)
    if (results[i].defined()) ctx.set(static_cast<int64_t>(asked[i]), results[i]);
}

}  // namespace rl
