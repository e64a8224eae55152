// The tape: nodes, the edges between them, and what they save. The engine (engine.h) walks it. This room knows no op;
// ops/ makes nodes (ops/gradient.h) and lends the engine the few it needs, such as the sum of two gradients.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/allocator.h"
#include "tensor/tensor.h"

namespace rl {

class Node;

struct Edge {
  Ref<Node> node;
  uint32_t index = 0;  // which of the node's outputs (that is, which gradient it receives)
  explicit operator bool() const { return static_cast<bool>(node); }
};

using Gradients = SmallVector<Tensor, 2>;

// What a pair of saved-tensor hooks made of a tensor. The binding derives from this to call Python.
class PackedTensor {
 public:
  virtual ~PackedTensor() = default;
  virtual Tensor unpack() = 0;
  Edge edge;  // where the tensor's gradient flows to, unless its own node saved it
};
// The innermost hooks of this thread, or none.
using TensorPacker = std::function<std::unique_ptr<PackedTensor>(const Tensor&)>;
inline thread_local constinit const TensorPacker* tensor_packer RL_FAST_TLS = nullptr;

// A tensor kept for backward, with the version it had.
class SavedTensor {
 public:
  SavedTensor() = default;
  SavedTensor(const Tensor& t, bool is_output, uint32_t output_index = 0);
  // The tensor as it was; throws if it was changed in place or already freed.
  Tensor get(Node& owner) const;
  bool defined() const { return tensor_.defined() || packed_; }

 private:
  void pack(const Tensor& t);
  Tensor unpack(Node& owner) const;
  std::unique_ptr<PackedTensor> packed_;
  Tensor tensor_;  // for an output: an alias without history, or tensor and node would keep each other alive
  uint32_t version_ = 0;
  uint16_t output_index_ = 0;
  bool is_output_ = false;
};

// Hooks on nodes and tensors. The binding derives from these to call Python.
class Hook {
 public:
  virtual ~Hook() = default;
  virtual bool removed() const { return false; }  // does nothing any more: whoever keeps it may drop it
};
class TensorHook : public virtual Hook {
 public:
  virtual Tensor call(const Tensor& grad) = 0;  // an undefined result leaves the gradient as it is
};
class NodeHook : public virtual Hook {
 public:
  virtual void before(Gradients& grad_outputs) { (void)grad_outputs; }
  virtual void after(Gradients& grad_inputs, const Gradients& grad_outputs) { (void)grad_inputs, (void)grad_outputs; }
};

struct NodeExtras {
  struct TensorHookAt {
    uint32_t index;
    std::shared_ptr<TensorHook> hook;
  };
  struct Retained {
    uint32_t index;
    TensorImpl* tensor;  // weak: the tensor takes itself off when it dies
  };
  std::vector<TensorHookAt> tensor_hooks;
  std::vector<Retained> retained;
  std::vector<std::shared_ptr<NodeHook>> hooks;
  std::string forward_trace;    // anomaly mode: where the op was called
  std::shared_ptr<void> notes;  // the binding's: the user's dict
};

class Node {
 public:
  Node();
  virtual ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  virtual const char* name() const = 0;
  // grad_outputs[i] may be undefined (a zero). Fills grad_inputs[i] for those i with an edge.
  virtual void apply(const Gradients& grad_outputs, Gradients& grad_inputs) = 0;
  virtual void release_saved() {
    saved.clear();
    released = true;
  }
  virtual TensorImpl* variable() { return nullptr; }  // AccumulateGrad's leaf
  virtual bool is_python() const { return false; }
  // Which of `saved` the op calls by this name (a parameter's, or "result"), or -1.
  virtual int saved_index(std::string_view) const { return -1; }

  bool needs(int64_t i) const { return i < edges.size() && edges[i]; }
  NodeExtras& make_extras() {
    if (!extras) extras = std::make_unique<NodeExtras>();
    return *extras;
  }

  SmallVector<Edge, 2> edges;
  SmallVector<SavedTensor, 3> saved;
  std::unique_ptr<NodeExtras> extras;
  uint64_t sequence;
  uint32_t outputs = 1;  // how many gradients it receives
  bool released = false;
  void* pyobj = nullptr;  // borrowed Python wrapper

  // The engine's marks for the walk in progress.
  uint32_t task = 0;
  uint32_t slot = 0;

  void retain() { ++refs_; }
  void release() {
    if (--refs_ == 0) destroy(this);
  }
  uint32_t use_count() const { return refs_; }

  static void* operator new(size_t bytes);
  static void operator delete(void* p, size_t bytes);

 private:
  static void destroy(Node* node);  // iterative: a chain of a million nodes is freed without recursion
  uint32_t refs_ = 0;
};

// Autograd's part of a tensor.
class AutogradMeta final : public AutogradMetaBase {
 public:
  ~AutogradMeta() override;
  Tensor grad;
  Ref<Node> grad_fn;
  Node* accumulator = nullptr;  // weak
  uint32_t output_index = 0;
  bool retains_grad = false;
  TensorImpl* self = nullptr;
  std::vector<std::shared_ptr<TensorHook>> leaf_hooks;
  std::vector<std::shared_ptr<TensorHook>> post_accumulate_hooks;  // called with the leaf itself

  static void* operator new(size_t bytes);
  static void operator delete(void* p, size_t bytes);
};

inline AutogradMeta* autograd_meta(const Tensor& t) { return static_cast<AutogradMeta*>(t->autograd.get()); }
AutogradMeta& make_autograd_meta(const Tensor& t);

// The node and index that t's gradient flows to: its grad_fn, or a leaf's accumulator. Empty if t needs no gradient.
Edge gradient_edge(const Tensor& t);
const Ref<Node>& grad_fn(const Tensor& t);  // null for leaves; a view of a changed base gets a fresh one
inline bool is_leaf(const Tensor& t) { return !grad_fn(t); }
void set_history(const Tensor& out, Ref<Node> node, uint32_t index = 0);
void set_requires_grad(const Tensor& t, bool on);
Tensor detach(const Tensor& t);  // same bytes, same version counter, no history

// Switches, per thread.
struct GradMode {
  bool enabled = true;
  bool inference = false;
  bool anomaly = false;
  bool check_nan = true;
};
inline thread_local constinit GradMode grad_mode RL_FAST_TLS;

class GradModeGuard {
 public:
  explicit GradModeGuard(bool enabled) : saved_(grad_mode.enabled) { grad_mode.enabled = enabled; }
  ~GradModeGuard() { grad_mode.enabled = saved_; }
  GradModeGuard(const GradModeGuard&) = delete;
  GradModeGuard& operator=(const GradModeGuard&) = delete;

 private:
  bool saved_;
};

// What the rooms above lend to this one.
struct AutogradSupport {
  Tensor (*add)(const Tensor& a, const Tensor& b) = nullptr;
  void (*add_in_place)(const Tensor& a, const Tensor& b) = nullptr;
  Tensor (*clone)(const Tensor& t) = nullptr;
  void (*copy_data)(const Tensor& to, const Tensor& from) = nullptr;
  Ref<Node> (*view_node)(const Tensor& view) = nullptr;  // AsStridedBackward0 from the base to the view
  std::string (*forward_trace)() = nullptr;
  bool (*has_nan)(const Tensor& t) = nullptr;
  void (*explain_failure)(const Node& node) = nullptr;  // anomaly mode: an error is on its way out of node
  void (*before_change)(const Tensor& t) = nullptr;     // t is about to be changed in place
};
inline AutogradSupport autograd_support;

}  // namespace rl
