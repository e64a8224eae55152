// Backward: walks the tape from the roots, newest node first, and sums gradients where paths meet.
#pragma once

#include <span>

#include "autograd/node.h"

namespace rl {

struct BackwardOptions {
  bool keep_graph = false;
  bool create_graph = false;
  // With `inputs`, only the nodes on a path to them run. accumulate: add to their .grad (backward(inputs=...)),
  // else return their gradients (autograd.grad), undefined where there is no path.
  std::vector<Edge> inputs;
  bool accumulate = true;
};

// roots[i] receives grads[i]. Runs on the calling thread, without recursion; reentrant.
std::vector<Tensor> run_backward(std::vector<Edge> roots, std::vector<Tensor> grads, const BackwardOptions& options);

Node* current_node();     // the node being evaluated, or null
uint32_t current_task();  // a number for the innermost backward of this thread, 0 outside of any
size_t count_to_come(std::span<const TensorHook* const> hooks);  // of these, those that backward comes, or came, to

// Of the node being evaluated: the edges (of its first 64) whose gradients nobody asked for.
struct Unfollowed {
  const Node* node = nullptr;
  uint64_t edges = 0;
};
inline thread_local constinit Unfollowed unfollowed RL_FAST_TLS;
inline bool is_followed(const Node& node, int64_t i) {
  return unfollowed.node != &node || i >= 64 || !(unfollowed.edges >> i & 1);
}

}  // namespace rl
