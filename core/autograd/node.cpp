#include "autograd/node.h"

#include <algorithm>

#include "tensor/allocator.h"
#include "tensor/shape.h"

namespace rl {
namespace {

// One count for all threads: a graph may grow in several, and each node must be newer than those it leads to. Like the
// reference counts it changes only while the GIL is held.
uint64_t last_sequence = 0;

// Where a tensor that hooks unpacked has the gradient of the leaf it stands for.
class Identity final : public Node {
 public:
  explicit Identity(const Edge& edge) { edges.push_back(edge); }
  const char* name() const override { return "torch::autograd::Identity"; }
  void apply(const Gradients& grads, Gradients& results) override { results[0] = grads[0]; }
};

// A leaf's end of the tape: adds what arrives to leaf.grad.
class AccumulateGrad final : public Node {
 public:
  explicit AccumulateGrad(const Tensor& leaf) : leaf_(leaf) { sequence = UINT64_MAX; }
  ~AccumulateGrad() override { autograd_meta(leaf_)->accumulator = nullptr; }
  const char* name() const override { return "torch::autograd::AccumulateGrad"; }
  TensorImpl* variable() override { return leaf_.get(); }
  void release_saved() override {}

  void apply(const Gradients& grads, Gradients&) override {
    const Tensor& incoming = grads[0];
    AutogradMeta& meta = *autograd_meta(leaf_);
    if (!incoming.defined()) {
    } else if (!meta.grad.defined()) {
      meta.grad = keep(incoming);
    } else if (grad_mode.enabled) {
      meta.grad = autograd_support.add(meta.grad, incoming);
    } else {
      autograd_support.add_in_place(meta.grad, incoming);
    }
    for (size_t i = 0; i < meta.post_accumulate_hooks.size(); ++i) {
      std::shared_ptr<TensorHook> hook = meta.post_accumulate_hooks[i];
      hook->call(leaf_);
    }
  }

 private:
  // A gradient that nobody else can see is kept as it is; any other is copied. It takes the leaf's own layout.
  Tensor keep(const Tensor& grad) const {
    // One reference is this walk's.
    bool ours = grad->storage().use_count() == 1 && grad->use_count() == 1 && grad->pyobj == nullptr && !grad->base;
    if (grad_mode.enabled) return ours ? grad : autograd_support.clone(grad);
    bool dense = is_dense(leaf_.sizes(), leaf_.strides());
    bool fits = dense ? same_layout(grad, leaf_) : grad.is_contiguous();
    if (ours && fits && !grad->requires_grad) return grad;
    if (fits || !std::ranges::equal(grad.sizes(), leaf_.sizes())) return autograd_support.clone(detach(grad));
    Tensor out = Tensor::empty_strided(leaf_.sizes(), dense ? Dims(leaf_.strides()) : contiguous_strides(leaf_.sizes()),
                                       grad.dtype());
    autograd_support.copy_data(out, grad);
    return out;
  }
  static bool same_layout(const Tensor& a, const Tensor& b) {
    if (!std::ranges::equal(a.sizes(), b.sizes())) return false;
    for (int64_t d = 0; d < a.dim(); ++d)
      if (a.sizes()[d] != 1 && a.strides()[d] != b.strides()[d]) return false;
    return true;
  }
  Tensor leaf_;
};

}  // namespace

Node::Node() : sequence(++last_sequence) {
  if (grad_mode.anomaly && autograd_support.forward_trace)
    make_extras().forward_trace = autograd_support.forward_trace();
}
Node::~Node() = default;

void* Node::operator new(size_t bytes) { return allocate(bytes); }
void Node::operator delete(void* p, size_t bytes) { deallocate(p, bytes); }
void* AutogradMeta::operator new(size_t bytes) { return allocate(bytes); }
void AutogradMeta::operator delete(void* p, size_t bytes) { deallocate(p, bytes); }

void Node::destroy(Node* node) {
  // Destroying a node releases its edges and saved tensors, which may destroy further nodes: those queue up here.
  using Queue = SmallVector<Node*, 16>;
  static thread_local constinit Queue* pending RL_FAST_TLS = nullptr;
  if (pending) {
    pending->push_back(node);
    return;
  }
  Queue queue;
  pending = &queue;
  delete node;
  while (!queue.empty()) {
    Node* next = queue.back();
    queue.pop_back();
    delete next;
  }
  pending = nullptr;
}

SavedTensor::SavedTensor(const Tensor& t, bool is_output, uint32_t output_index)
    : tensor_(is_output && t.defined() ? t.alias() : t),
      version_(t.defined() ? t->version() : 0),
      output_index_(static_cast<uint16_t>(output_index)),
      is_output_(is_output) {
  if (t.defined() && t->inference && grad_mode.enabled)
    fail(
        ErrorKind::Runtime,
        "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in computation "
        "tracked by autograd. To work around this, you can make a clone to get a normal tensor and use it in autograd, or use "
        "`torch.no_grad()` instead of `torch.inference_mode()`.");
  if (tensor_packer && t.defined()) [[unlikely]]
    pack(t);
}

void SavedTensor::pack(const Tensor& t) {
  Edge edge = is_output_ ? Edge{} : gradient_edge(t);
  {
    GradModeGuard off(false);
    packed_ = (*tensor_packer)(detach(t));
  }
  check(
      t->version() == version_,
      "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook cannot be modified by in-place "
      "operations, or the rest of the program would see the change: work on a clone().");
  packed_->edge = std::move(edge);
  tensor_.reset();
}

Tensor SavedTensor::unpack(Node& owner) const {
  Tensor t;
  {
    GradModeGuard off(false);
    t = packed_->unpack().alias();
  }
  if (!grad_mode.enabled) return t;
  if (is_output_) {
    set_history(t, Ref<Node>(&owner), output_index_);
  } else if (packed_->edge) {
    const Edge& edge = packed_->edge;
    if (edge.node->variable())
      set_history(t, Ref<Node>(new Identity(edge)));
    else
      set_history(t, edge.node, edge.index);
  }
  return t;
}

Tensor SavedTensor::get(Node& owner) const {
  if (owner.released)
    fail(
        ErrorKind::Runtime,
        "Trying to backward through the graph a second time (or directly access saved tensors after they have already been "
        "freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify "
        "retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors "
        "after calling backward.");
  if (packed_) [[unlikely]]
    return unpack(owner);
  if (!tensor_.defined()) return tensor_;
  if (tensor_->version() != version_) {
    const Ref<Node> made_by = is_output_ ? Ref<Node>(&owner) : grad_fn(tensor_);
    std::string who;
    if (made_by) {
      uint32_t index = is_output_ ? output_index_ : autograd_meta(tensor_)->output_index;
      who = concat(", which is output ", index, " of ", made_by->name(), ",");
    }
    const char* op = tensor_->storage().changed_by;
    std::string hint =
        op ? concat(" It was last changed by ", op, ", but ", owner.name(),
                    " needs the value it had before: use the out-of-place form there, or clone() it first.")
           : std::string();
    fail(ErrorKind::Runtime,
         "one of the variables needed for gradient computation has been modified by an inplace operation: [torch.",
         scalar_type_name(tensor_.dtype()), "Tensor ", shape_str(tensor_.sizes()), "]", who, " is at version ",
         tensor_->version(), "; expected version ", version_, " instead.", hint,
         " Hint: enable anomaly detection to find the operation that failed to compute its gradient, with "
         "torch.autograd.set_detect_anomaly(True).");
  }
  if (!is_output_ || !grad_mode.enabled) return tensor_;
  Tensor t = tensor_.alias();
  set_history(t, Ref<Node>(&owner), output_index_);
  return t;
}

AutogradMeta::~AutogradMeta() {
  if (retains_grad && grad_fn && grad_fn->extras)
    std::erase_if(grad_fn->extras->retained, [this](const auto& r) { return r.tensor == self; });
}

AutogradMeta& make_autograd_meta(const Tensor& t) {
  if (!t->autograd) {
    auto meta = std::make_unique<AutogradMeta>();
    meta->self = t.get();
    t->autograd = std::move(meta);
  }
  return *autograd_meta(t);
}

const Ref<Node>& grad_fn(const Tensor& t) {
  static const Ref<Node> none;
  AutogradMeta* meta = autograd_meta(t);
  if (t->base && t->base->requires_grad && t->view_version != t->version()) {
    // The base, or another view of it, was changed in place since: the history runs through the base now.
    AutogradMeta& fresh = make_autograd_meta(t);
    fresh.grad_fn = autograd_support.view_node(t);
    fresh.output_index = 0;
    t->view_version = t->version();
    t->requires_grad = true;
    return fresh.grad_fn;
  }
  return meta ? meta->grad_fn : none;
}

Edge gradient_edge(const Tensor& t) {
  if (!t.requires_grad()) return {};
  if (const Ref<Node>& fn = grad_fn(t)) return {fn, autograd_meta(t)->output_index};
  AutogradMeta& meta = make_autograd_meta(t);
  if (meta.accumulator) return {Ref<Node>(meta.accumulator), 0};
  Ref<Node> node(new AccumulateGrad(t));
  meta.accumulator = node.get();
  return {node, 0};
}

void set_history(const Tensor& out, Ref<Node> node, uint32_t index) {
  AutogradMeta& meta = make_autograd_meta(out);
  if (meta.retains_grad && meta.grad_fn) [[unlikely]] {
    // Changed in place: the gradient to retain is now that of the new value.
    if (meta.grad_fn->extras)
      std::erase_if(meta.grad_fn->extras->retained, [&out](const auto& r) { return r.tensor == out.get(); });
    node->make_extras().retained.push_back({index, out.get()});
  }
  meta.grad_fn = std::move(node);
  meta.output_index = index;
  out->view_version = out->version();
  out->requires_grad = true;
}

void set_requires_grad(const Tensor& t, bool on) {
  check(!on || is_differentiable(t.dtype()),
        "only Tensors of floating point and complex dtype can require gradients; this one is ", dtype_name(t.dtype()),
        ": convert it first, e.g. with .float()");
  bool leaf = is_leaf(t);
  check(
      leaf || on,
      "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a subgraph that "
      "doesn't require differentiation use var_no_grad = var.detach().");
  check(!(on && t->inference && !grad_mode.inference),
        "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.");
  if (leaf) t->requires_grad = on;
  if (on) make_autograd_meta(t);
}

Tensor detach(const Tensor& t) {
  Tensor out = t.alias();
  out->share_version(*t.get());
  out->inference = t->inference;
  return out;
}

}  // namespace rl
