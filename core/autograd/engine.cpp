#include "autograd/engine.h"

#include <algorithm>
#include <atomic>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>

#include "tensor/meta.h"

namespace rl {
namespace {

struct NodeState {
  Node* node;
  uint32_t dependencies = 0;
  bool needed = true;
  bool queued = false;
  int32_t capture = -1;  // first of the inputs that this node stands for
  Gradients buffer;
  // Marks of an outer walk that this one (a backward inside a backward) overwrote.
  uint32_t outer_task, outer_slot;
};

// Walks mark the nodes they meet, for speed. Only one thread at a time may: while its walk runs Python, or lets others
// run during a kernel, a second thread's walk over shared nodes keeps its marks in a table of its own.
std::atomic<const void*> marking_thread{nullptr};
thread_local constinit int marking_walks RL_FAST_TLS = 0;
std::atomic<uint32_t> task_counter{0};
thread_local constinit Node* running RL_FAST_TLS = nullptr;

class Walk;
thread_local constinit Walk* innermost RL_FAST_TLS = nullptr;

class Walk {
 public:
  explicit Walk(const BackwardOptions& options) : options_(options), task_(++task_counter), marks_(may_mark()) {
    marking_walks += marks_;
  }
  ~Walk() {
    if (marks_) unmark();
  }
  Walk(const Walk&) = delete;
  Walk& operator=(const Walk&) = delete;

 private:
  static bool may_mark() {
    const void* free = nullptr;
    return marking_walks > 0 || marking_thread.compare_exchange_strong(free, &marking_walks);
  }
  void unmark() {
    for (int64_t i = states_.size() - 1; i >= 0; --i) {
      states_[i].node->task = states_[i].outer_task;
      states_[i].node->slot = states_[i].outer_slot;
    }
    if (--marking_walks == 0) marking_thread.store(nullptr);
  }

 public:
  std::vector<Tensor> run(const std::vector<Edge>& roots, std::vector<Tensor>& grads) {
    discover(roots);
    if (!options_.inputs.empty()) mark_needed();
    for (size_t i = 0; i < roots.size(); ++i) {
      add_gradient(roots[i], std::move(grads[i]));
      enqueue_if_ready(slot_of(roots[i].node.get()));
    }
    GradModeGuard mode(options_.create_graph);
    struct Inner {
      explicit Inner(Walk* walk) : outer(std::exchange(innermost, walk)) {}
      ~Inner() { innermost = outer; }
      Walk* outer;
    } inner(this);
    while (!ready_.empty()) {
      std::pop_heap(ready_.begin(), ready_.end(), older());
      uint32_t slot = ready_.back();
      ready_.pop_back();
      evaluate(slot);
    }
    return std::move(captured_);
  }

  uint32_t task() const { return task_; }

  size_t count(std::span<const TensorHook* const> hooks) const {
    size_t found = 0;
    auto note = [&](const TensorHook* hook) { found += std::ranges::find(hooks, hook) != hooks.end(); };
    for (const NodeState& s : states_) {
      if (!options_.inputs.empty() && !s.needed) continue;
      if (s.node->extras)
        for (auto& at : s.node->extras->tensor_hooks) note(at.hook.get());
      if (TensorImpl* leaf = s.node->variable())
        for (auto& hook : autograd_meta(Tensor(leaf))->leaf_hooks) note(hook.get());
    }
    return found;
  }

 private:
  struct Older {
    const SmallVector<NodeState, 12>* states;
    bool operator()(uint32_t a, uint32_t b) const { return (*states)[a].node->sequence < (*states)[b].node->sequence; }
  };
  Older older() const { return Older{&states_}; }

  bool seen(Node* node) const { return marks_ ? node->task == task_ : table_.contains(node); }
  uint32_t slot_of(Node* node) const { return marks_ ? node->slot : table_.at(node); }
  NodeState& state_of(Node* node) {
    if (seen(node)) return states_[slot_of(node)];
    states_.push_back(NodeState{.node = node, .buffer = {}, .outer_task = node->task, .outer_slot = node->slot});
    uint32_t slot = static_cast<uint32_t>(states_.size() - 1);
    if (marks_) {
      node->task = task_;
      node->slot = slot;
    } else {
      table_[node] = slot;
    }
    return states_[slot];
  }

  // Counts, for each reachable node, the edges that lead to it.
  void discover(const std::vector<Edge>& roots) {
    SmallVector<Node*, 12> stack;
    for (const Edge& root : roots) {
      if (!seen(root.node.get())) stack.push_back(root.node.get());
      state_of(root.node.get());
    }
    while (!stack.empty()) {
      Node* node = stack.back();
      stack.pop_back();
      for (const Edge& edge : node->edges) {
        if (!edge) continue;
        Node* next = edge.node.get();
        bool fresh = !seen(next);
        ++state_of(next).dependencies;
        if (fresh) stack.push_back(next);
      }
    }
    captured_.resize(options_.accumulate ? 0 : options_.inputs.size());
  }

  // needed = stands for an input, or leads to a node that does.
  void mark_needed() {
    for (NodeState& s : states_) s.needed = false;
    for (size_t i = 0; i < options_.inputs.size(); ++i) {
      Node* node = options_.inputs[i].node.get();
      if (!node || !seen(node)) continue;
      NodeState& s = states_[slot_of(node)];
      if (s.capture < 0) s.capture = static_cast<int32_t>(i);
      s.needed = true;
    }
    // Each node after all that lead to it. Not by sequence number: the history of a view whose base was changed is made
    // when it is asked for, which may be later than the node that it becomes a part of.
    std::vector<uint32_t> order, open;
    for (uint32_t i = 0; i < states_.size(); ++i) {
      open.push_back(states_[i].dependencies);
      if (open[i] == 0) order.push_back(i);
    }
    for (size_t at = 0; at < order.size(); ++at)
      for (const Edge& edge : states_[order[at]].node->edges)
        if (edge && --open[slot_of(edge.node.get())] == 0) order.push_back(slot_of(edge.node.get()));
    runs_.resize(states_.size());
    // A captured node that is not a leaf need not run itself, unless something needed lies behind it.
    for (size_t at = order.size(); at-- > 0;) {
      const uint32_t i = order[at];
      bool behind = false;
      for (const Edge& edge : states_[i].node->edges) behind |= edge && states_[slot_of(edge.node.get())].needed;
      runs_[i] = behind;
      states_[i].needed |= behind;
    }
  }

  void add_gradient(const Edge& edge, Tensor grad) {
    Gradients& buffer = state_of(edge.node.get()).buffer;
    while (buffer.size() <= edge.index) buffer.emplace_back();
    Tensor& slot = buffer[edge.index];
    if (!slot.defined()) {
      slot = std::move(grad);
    } else if (grad.defined()) {
      // A sum that only this buffer holds can take the next summand in place.
      bool ours = !grad_mode.enabled && slot->use_count() == 1 && slot->storage().use_count() == 1 && !slot->pyobj &&
                  slot.is_contiguous() && slot.dtype() == grad.dtype() && !slot->storage().read_only;
      if (ours && std::equal(slot.sizes().begin(), slot.sizes().end(), grad.sizes().begin(), grad.sizes().end()))
        autograd_support.add_in_place(slot, grad);
      else
        slot = autograd_support.add(slot, grad);
    }
  }

  void enqueue_if_ready(uint32_t slot) {
    NodeState& s = states_[slot];
    if (s.dependencies != 0 || s.queued) return;
    s.queued = true;
    ready_.push_back(slot);
    std::push_heap(ready_.begin(), ready_.end(), older());
  }

  void evaluate(uint32_t slot) {
    Node* node = states_[slot].node;
    Gradients grads = std::move(states_[slot].buffer);
    while (grads.size() < node->outputs) grads.emplace_back();
    if (node->extras) run_tensor_hooks(*node, grads);
    if (node->edges.empty()) run_leaf_hooks(*node, grads);
    bool runs = true;
    if (!options_.inputs.empty()) {
      if (states_[slot].capture >= 0) capture(node, grads);
      runs = runs_[slot] || (options_.accumulate && states_[slot].capture >= 0 && node->variable());
    }
    Gradients results;
    if (runs) {
      for (int64_t i = 0; i < node->edges.size(); ++i) results.emplace_back();
      call(*node, grads, results);
    }
    if (!options_.keep_graph && runs) node->release_saved();
    for (int64_t i = 0; i < node->edges.size(); ++i) {
      const Edge& edge = node->edges[i];
      if (!edge) continue;
      uint32_t next = slot_of(edge.node.get());
      --states_[next].dependencies;
      if (states_[next].needed) {
        if (i < results.size() && results[i].defined()) add_gradient(edge, std::move(results[i]));
        enqueue_if_ready(next);
      }
    }
  }

  uint64_t unfollowed_edges(const Node& node) const {
    uint64_t edges = 0;
    for (int64_t i = 0; i < std::min<int64_t>(node.edges.size(), 64); ++i)
      if (node.edges[i] && !states_[slot_of(node.edges[i].node.get())].needed) edges |= uint64_t{1} << i;
    return edges;
  }

  void call(Node& node, Gradients& grads, Gradients& results) {
    Node* outer = std::exchange(running, &node);
    struct Restore {
      Node* outer;
      Unfollowed outer_unfollowed;
      ~Restore() {
        running = outer;
        unfollowed = outer_unfollowed;
      }
    } restore{outer, unfollowed};
    unfollowed = options_.inputs.empty() ? Unfollowed{} : Unfollowed{&node, unfollowed_edges(node)};
    if (grad_mode.anomaly) [[unlikely]] {
      try {
        apply(node, grads, results);
        find_nan(node, results);
      } catch (...) {
        if (autograd_support.explain_failure) autograd_support.explain_failure(node);
        throw;
      }
    } else {
      apply(node, grads, results);
    }
  }
  // Without any gradient an op has none to pass on; the user's code may, and is told so.
  static void compute(Node& node, const Gradients& grads, Gradients& results) {
    if (std::ranges::any_of(grads, &Tensor::defined) || node.is_python() || node.variable()) node.apply(grads, results);
  }
  static void apply(Node& node, Gradients& grads, Gradients& results) {
    if (!node.extras || node.extras->hooks.empty()) {
      compute(node, grads, results);
      return;
    }
    auto hooks = node.extras->hooks;
    for (auto& hook : hooks) hook->before(grads);
    compute(node, grads, results);
    for (auto& hook : hooks) hook->after(results, grads);
  }
  static void find_nan(const Node& node, const Gradients& results) {
    if (grad_mode.check_nan) {
      for (int64_t i = 0; i < results.size(); ++i)
        if (results[i].defined() && autograd_support.has_nan(results[i]))
          fail(ErrorKind::Runtime, "Function '", node.name(), "' returned nan values in its ", i, "th output.");
    }
  }

  // What is undefined goes through hooks too: they see None, and may give a gradient.
  static void run_hook(TensorHook& hook, Tensor& grad) {
    Tensor changed = hook.call(grad);
    if (changed.defined()) grad = changed;
  }

  static void run_tensor_hooks(Node& node, Gradients& grads) {
    for (auto& [index, hook] : std::vector(node.extras->tensor_hooks)) run_hook(*hook, grads[index]);
    for (auto& r : node.extras->retained) {
      if (!grads[r.index].defined()) continue;
      Tensor target(r.tensor);
      AutogradMeta& meta = make_autograd_meta(target);
      meta.grad = meta.grad.defined() ? autograd_support.add(meta.grad, grads[r.index]) : grads[r.index];
    }
  }

  static void run_leaf_hooks(Node& node, Gradients& grads) {
    TensorImpl* leaf = node.variable();
    const auto* meta = leaf ? static_cast<AutogradMeta*>(leaf->autograd.get()) : nullptr;
    if (!meta || meta->leaf_hooks.empty()) return;
    for (auto& hook : std::vector(meta->leaf_hooks)) run_hook(*hook, grads[0]);
  }

  void capture(Node* node, const Gradients& grads) {
    for (size_t i = 0; i < options_.inputs.size(); ++i) {
      const Edge& edge = options_.inputs[i];
      if (edge.node.get() != node || edge.index >= grads.size()) continue;
      if (!options_.accumulate) captured_[i] = grads[edge.index];
    }
  }

  const BackwardOptions& options_;
  uint32_t task_;
  bool marks_;
  std::unordered_map<Node*, uint32_t> table_;
  SmallVector<NodeState, 12> states_;
  SmallVector<uint32_t, 12> ready_;
  std::vector<Tensor> captured_;
  std::vector<bool> runs_;
};

}  // namespace

// The roots hold every node of the walk: none is freed before it ends.
std::vector<Tensor> run_backward(std::vector<Edge> roots, std::vector<Tensor> grads, const BackwardOptions& options) {
  std::optional<MetaScope> meta;
  if (std::ranges::any_of(grads, [](const Tensor& g) { return is_meta(g); })) meta.emplace(true);
  return Walk(options).run(roots, grads);
}

Node* current_node() { return running; }
uint32_t current_task() { return innermost ? innermost->task() : 0; }
size_t count_to_come(std::span<const TensorHook* const> hooks) { return innermost ? innermost->count(hooks) : 0; }

}  // namespace rl
