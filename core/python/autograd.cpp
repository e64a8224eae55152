// backward(), nodes of the tape as Python objects, hooks, modes. Custom Functions stand in custom_function.cpp.
#include "python/autograd.h"

#include <cstring>
#include <unordered_map>

#include "python/meta.h"
#include "python/python.h"

namespace rl::py {
namespace {

// --- nodes -------------------------------------------------------------------------------------------------------------
struct PyNode {
  PyObject_HEAD Node* node;  // owned
  PyObject* dict;
};
PyTypeObject* node_base;

PyTypeObject* type_for(const char* name) {
  static std::unordered_map<std::string, PyTypeObject*> types;
  PyTypeObject*& type = types[name];
  if (!type) {
    Object made =
        Object::check(PyObject_CallFunction(reinterpret_cast<PyObject*>(&PyType_Type), "s(O){s:s}", name,
                                            reinterpret_cast<PyObject*>(node_base), "__module__", "torch.autograd"));
    type = reinterpret_cast<PyTypeObject*>(made.release());
  }
  return type;
}

Node& node_of(PyObject* o) { return *reinterpret_cast<PyNode*>(o)->node; }

void node_dealloc(PyObject* o) {
  PyTypeObject* type = Py_TYPE(o);
  PyObject_GC_UnTrack(o);
  PyNode* n = reinterpret_cast<PyNode*>(o);
  if (Node* node = std::exchange(n->node, nullptr)) {
    node->pyobj = nullptr;
    node->release();
  }
  Py_CLEAR(n->dict);
  type->tp_free(o);
  Py_DECREF(type);
}
PyObject* node_repr(PyObject* o) {
  const char* home = node_of(o).is_python() ? "torch.autograd.function." : "";
  return PyUnicode_FromFormat("<%s%s object at %p>", home, Py_TYPE(o)->tp_name, static_cast<void*>(o));
}
PyObject* node_name(PyObject* o, PyObject*) { return PyUnicode_FromString(node_of(o).name()); }

// What generic look-up lacks: a custom Function's node has its context's attributes, others what they saved by name.
PyObject* node_getattro(PyObject* o, PyObject* name) {
  PyObject* found = PyObject_GenericGetAttr(o, name);
  if (found || !PyErr_ExceptionMatches(PyExc_AttributeError)) return found;
  Node& node = node_of(o);
  if (node.is_python()) {
    PyErr_Clear();
    return PyObject_GetAttr(context_of(node), name);
  }
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  const Object error[] = {Object::steal(type), Object::steal(value), Object::steal(trace)};
  return guarded([&]() -> PyObject* {
    constexpr std::string_view kPrefix = "_saved_";
    const std::string_view text = text_of(name);
    const int i = text.starts_with(kPrefix) ? node.saved_index(text.substr(kPrefix.size())) : -1;
    if (i < 0) {
      PyErr_Restore(Py_XNewRef(type), Py_XNewRef(value), Py_XNewRef(trace));
      return nullptr;
    }
    if (node.released) SavedTensor().get(node);  // says that they are gone
    return wrap(i < node.saved.size() ? node.saved[i].get(node) : Tensor());
  });
}
int node_setattro(PyObject* o, PyObject* name, PyObject* value) {
  Node& node = node_of(o);
  return node.is_python() ? PyObject_SetAttr(context_of(node), name, value) : PyObject_GenericSetAttr(o, name, value);
}

}  // namespace

PyObject* saved_tuple(Node& node) {
  if (node.released) SavedTensor().get(node);
  Object tuple = Object::check(PyTuple_New(node.saved.size()));
  for (int64_t i = 0; i < node.saved.size(); ++i) PyTuple_SET_ITEM(tuple.get(), i, wrap(node.saved[i].get(node)));
  return tuple.release();
}

namespace {

PyObject* next_functions(PyObject* o, void*) {
  return guarded([&]() -> PyObject* {
    Node& node = node_of(o);
    Object tuple = Object::check(PyTuple_New(node.edges.size()));
    for (int64_t i = 0; i < node.edges.size(); ++i) {
      Object fn = Object::check(wrap_node(node.edges[i].node));
      PyTuple_SET_ITEM(tuple.get(), i, Py_BuildValue("(OI)", fn.get(), node.edges[i].index));
    }
    return tuple.release();
  });
}

// --- hooks -------------------------------------------------------------------------------------------------------------
// A Python function that is called until its handle is removed.
class PyHook : public virtual Hook {
 public:
  explicit PyHook(PyObject* f) : f_(Object::borrow(f)) {}
  bool removed() const override { return !f_; }
  void remove() { Object last = std::exchange(f_, Object()); }
  PyObject* function() const { return f_.get(); }

 protected:
  // A removed hook may still stand in a list that is being walked.
  Object call_with(PyObject* a, PyObject* b = nullptr) const {
    Object f = f_;
    return f ? Object::check(PyObject_CallFunctionObjArgs(f.get(), a, b, nullptr)) : Object::borrow(Py_None);
  }

  // What the hook gave in the place of a gradient.
  Tensor replacement(PyObject* given, const Tensor& grad) const {
    check_type(is_tensor(given), "expected Variable, but hook returned '", type_name(given),
               "': a gradient is a Tensor, and None leaves it as it is");
    Tensor t = tensor_of(given);
    if (!grad.defined()) return t;
    check(same_shape(t, grad), "hook '", name(), "' has changed the size of value: expected ", shape_str(grad.sizes()),
          ", got ", shape_str(t.sizes()));
    check(t.dtype() == grad.dtype(), "hook '", name(), "' has changed the type of value (was torch.",
          scalar_type_name(grad.dtype()), "Tensor got torch.", scalar_type_name(t.dtype()), "Tensor)");
    return t;
  }
  void replace_all(PyObject* given, Gradients& grads) const {
    if (given == Py_None) return;
    check_type(PyTuple_Check(given), "expected tuple, but hook returned '", type_name(given), "'");
    check(PyTuple_GET_SIZE(given) == grads.size(), "hook '", name(),
          "' has returned an incorrect number of values (got ", PyTuple_GET_SIZE(given), ", but expected ",
          grads.size(), ")");
    for (int64_t i = 0; i < grads.size(); ++i) {
      PyObject* g = PyTuple_GET_ITEM(given, i);
      grads[i] = g == Py_None ? Tensor() : replacement(g, grads[i]);
    }
  }

 private:
  std::string name() const {
    if (!f_) return "(removed)";
    Object n = Object::steal(PyObject_GetAttrString(f_.get(), "__name__"));
    if (!n) PyErr_Clear();
    return n && PyUnicode_Check(n.get()) ? std::string(text_of(n.get())) : type_name(f_.get());
  }
  Object f_;
};

class PyTensorHook final : public TensorHook, public PyHook {
 public:
  using PyHook::PyHook;
  Tensor call(const Tensor& grad) override {
    Object g = Object::check(wrap(grad)), r = call_with(g.get());
    return r.get() == Py_None ? Tensor() : replacement(r.get(), grad);
  }
};

class PyLeafHook final : public TensorHook, public PyHook {
 public:
  using PyHook::PyHook;
  Tensor call(const Tensor& leaf) override {
    Object o = Object::check(wrap(leaf)), r = call_with(o.get());
    check_type(r.get() == Py_None || is_tensor(r.get()), "expected Variable, but hook returned '", type_name(r.get()),
               "': a hook that is called after the gradient was added returns None");
    return {};
  }
};

PyObject* grads_tuple(const Gradients& grads) {
  Object tuple = Object::check(PyTuple_New(grads.size()));
  for (int64_t i = 0; i < grads.size(); ++i) PyTuple_SET_ITEM(tuple.get(), i, wrap(grads[i]));
  return tuple.release();
}

class PyNodeHook final : public NodeHook, public PyHook {
 public:
  PyNodeHook(PyObject* f, bool pre) : PyHook(f), pre_(pre) {}
  void before(Gradients& outputs) override {
    if (!pre_) return;
    Object args = Object::check(grads_tuple(outputs));
    replace_all(call_with(args.get()).get(), outputs);
  }
  void after(Gradients& inputs, const Gradients& outputs) override {
    if (pre_) return;
    Object a = Object::check(grads_tuple(inputs)), b = Object::check(grads_tuple(outputs));
    replace_all(call_with(a.get(), b.get()).get(), inputs);
  }

 private:
  bool pre_;
};

// A handle knows its hook, and keeps neither it nor what it is on alive.
PyObject* handle(const std::shared_ptr<PyHook>& hook) {
  using Weak = std::weak_ptr<PyHook>;
  static PyObject* type = nullptr;
  if (!type) {
    Object module = Object::check(PyImport_ImportModule("rushlight.utils.hooks"));
    type = Object::check(PyObject_GetAttrString(module.get(), "CoreHandle")).release();
  }
  auto weak = std::make_unique<Weak>(hook);
  Object capsule = Object::check(PyCapsule_New(weak.get(), nullptr, [](PyObject* o) {
    std::unique_ptr<Weak>(static_cast<Weak*>(PyCapsule_GetPointer(o, nullptr))).reset();
  }));
  (void)weak.release();
  return PyObject_CallOneArg(type, capsule.get());
}
std::shared_ptr<PyHook> hook_of(PyObject* capsule) {
  void* weak = PyCapsule_GetPointer(capsule, nullptr);
  if (!weak) throw PythonError{};
  return static_cast<std::weak_ptr<PyHook>*>(weak)->lock();
}

// Adds a hook, and forgets those that were removed.
template <class List, class Entry>
void add_hook(List& list, Entry entry, auto hook_in) {
  std::erase_if(list, [&](const auto& e) { return hook_in(e).removed(); });
  list.push_back(std::move(entry));
}
constexpr auto kItself = [](const auto& hook) -> const Hook& { return *hook; };
constexpr auto kInside = [](const NodeExtras::TensorHookAt& at) -> const Hook& { return *at.hook; };

PyObject* register_hook(PyObject* self, PyObject* f) {
  return guarded([&]() -> PyObject* {
    Tensor t = tensor_of(self);
    check(t.requires_grad(), "cannot register a hook on a tensor that doesn't require gradient");
    auto hook = std::make_shared<PyTensorHook>(f);
    if (const Ref<Node>& fn = grad_fn(t))
      add_hook(fn->make_extras().tensor_hooks, NodeExtras::TensorHookAt{autograd_meta(t)->output_index, hook}, kInside);
    else
      add_hook(make_autograd_meta(t).leaf_hooks, hook, kItself);
    watch_for_cycles(self);
    return handle(hook);
  });
}
PyObject* register_post_accumulate(PyObject* self, PyObject* f) {
  return guarded([&]() -> PyObject* {
    Tensor t = tensor_of(self);
    check(t.requires_grad(), "cannot register a hook on a tensor that doesn't require gradient");
    check(is_leaf(t), "post accumulate grad hooks cannot be registered on non-leaf tensors");
    auto hook = std::make_shared<PyLeafHook>(f);
    add_hook(make_autograd_meta(t).post_accumulate_hooks, hook, kItself);
    watch_for_cycles(self);
    return handle(hook);
  });
}
PyObject* node_hook(PyObject* self, PyObject* f, bool pre) {
  return guarded([&]() -> PyObject* {
    auto hook = std::make_shared<PyNodeHook>(f, pre);
    add_hook(node_of(self).make_extras().hooks, hook, kItself);
    return handle(hook);
  });
}
PyObject* node_register_hook(PyObject* self, PyObject* f) { return node_hook(self, f, false); }
PyObject* node_register_prehook(PyObject* self, PyObject* f) { return node_hook(self, f, true); }

PyObject* remove_hook(PyObject*, PyObject* capsule) {
  return guarded([&]() -> PyObject* {
    if (auto hook = hook_of(capsule)) hook->remove();
    Py_RETURN_NONE;
  });
}

// Of these hooks, how many the backward that is running comes to.
PyObject* count_hooks_to_come(PyObject*, PyObject* capsules) {
  return guarded([&]() -> PyObject* {
    Object list = Object::check(PySequence_Fast(capsules, "expected a sequence of hooks"));
    std::vector<const TensorHook*> hooks;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list.get()); ++i)
      if (auto hook = hook_of(PySequence_Fast_GET_ITEM(list.get(), i)))
        hooks.push_back(dynamic_cast<const TensorHook*>(hook.get()));
    return PyLong_FromSize_t(count_to_come(hooks));
  });
}

// --- what the collector of cycles may know ---------------------------------------------------------------------------
// Python objects that hang on a tensor or a node through the core: visited where nothing else holds what they hang on,
// so that a hook (or a context) that refers to its own tensor does not keep both alive.
template <class Hooks>
int visit_hooks(const Hooks& hooks, auto hook_in, visitproc visit, void* arg) {
  for (const auto& entry : hooks) {
    const auto& hook = hook_in(entry);
    auto* python = hook.use_count() == 1 ? dynamic_cast<const PyHook*>(hook.get()) : nullptr;
    if (python) Py_VISIT(python->function());
  }
  return 0;
}
constexpr auto kPointer = [](const auto& hook) -> const auto& { return hook; };
constexpr auto kPointerInside = [](const NodeExtras::TensorHookAt& at) -> const auto& { return at.hook; };

int visit_node(Node& node, visitproc visit, void* arg) {
  if (node.is_python()) Py_VISIT(context_of(node));
  if (!node.extras) return 0;
  Py_VISIT(static_cast<PyObject*>(node.extras->notes.get()));
  if (int r = visit_hooks(node.extras->hooks, kPointer, visit, arg)) return r;
  return visit_hooks(node.extras->tensor_hooks, kPointerInside, visit, arg);
}
void clear_node(Node& node) {
  if (!node.extras) return;
  auto hooks = std::exchange(node.extras->hooks, {});
  auto tensor_hooks = std::exchange(node.extras->tensor_hooks, {});
  auto notes = std::exchange(node.extras->notes, {});
}

int node_traverse(PyObject* o, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(o));
  Py_VISIT(reinterpret_cast<PyNode*>(o)->dict);
  Node* node = reinterpret_cast<PyNode*>(o)->node;
  return node && node->use_count() == 1 ? visit_node(*node, visit, arg) : 0;
}
int node_clear(PyObject* o) {
  Py_CLEAR(reinterpret_cast<PyNode*>(o)->dict);
  Node* node = reinterpret_cast<PyNode*>(o)->node;
  if (node && node->use_count() == 1) clear_node(*node);
  return 0;
}

}  // namespace

int visit_autograd(TensorImpl& t, visitproc visit, void* arg) {
  auto* meta = static_cast<AutogradMeta*>(t.autograd.get());
  if (!meta || t.use_count() != 1 || t.owns_pyobj) return 0;
  if (int r = visit_hooks(meta->leaf_hooks, kPointer, visit, arg)) return r;
  if (int r = visit_hooks(meta->post_accumulate_hooks, kPointer, visit, arg)) return r;
  return meta->grad_fn && meta->grad_fn->use_count() == 1 ? visit_node(*meta->grad_fn, visit, arg) : 0;
}
void clear_autograd(TensorImpl& t) {
  auto* meta = static_cast<AutogradMeta*>(t.autograd.get());
  if (!meta || t.use_count() != 1 || t.owns_pyobj) return;
  auto leaf_hooks = std::exchange(meta->leaf_hooks, {});
  auto post_accumulate_hooks = std::exchange(meta->post_accumulate_hooks, {});
  if (meta->grad_fn && meta->grad_fn->use_count() == 1) clear_node(*meta->grad_fn);
}

namespace {

PyObject* retain_grad(PyObject* self, PyObject*) {
  return guarded([&]() -> PyObject* {
    Tensor t = tensor_of(self);
    check(t.requires_grad(), "can't retain_grad on Tensor that has requires_grad=False");
    const Ref<Node>& fn = grad_fn(t);
    AutogradMeta& meta = make_autograd_meta(t);
    if (fn && !meta.retains_grad) {
      meta.retains_grad = true;
      fn->make_extras().retained.push_back({meta.output_index, t.get()});
    }
    Py_RETURN_NONE;
  });
}

PyObject* detach_(PyObject* self, PyObject*) {
  return guarded([&]() -> PyObject* {
    Tensor t = tensor_of(self);
    check(!t->base, "Can't detach views in-place. Use detach() instead");
    if (AutogradMeta* meta = autograd_meta(t); meta && meta->grad_fn) {
      if (meta->grad_fn->extras)  // hooks stay with the tensor, too
        for (const auto& at : meta->grad_fn->extras->tensor_hooks)
          if (at.index == meta->output_index) meta->leaf_hooks.push_back(at.hook);
      meta->grad_fn.reset();
    }
    t->requires_grad = false;
    return Py_NewRef(self);
  });
}

// --- backward ----------------------------------------------------------------------------------------------------------
Tensor seed_for(const Tensor& root, PyObject* given) {
  if (given && given != Py_None) {
    check_type(is_tensor(given), "gradients can be either Tensors or None, but got ", type_name(given));
    Tensor g = tensor_of(given);
    check(same_shape(g, root), "Mismatch in shape: grad_output[0] has a shape of torch.Size(", shape_str(g.sizes()),
          ") and output[0] has a shape of torch.Size(", shape_str(root.sizes()),
          "). The gradient of a tensor has the tensor's own shape.");
    check(is_complex_dtype(g.dtype()) == is_complex_dtype(root.dtype()),
          "For complex Tensors, both grad_output and output are required to have the same dtype.");
    return to_dtype(g, root.dtype());
  }
  check(root.numel() == 1, "grad can be implicitly created only for scalar outputs; this one has shape ",
        shape_str(root.sizes()), ": reduce it first (e.g. .sum() or .mean()), or pass gradient= of that shape");
  check(is_floating(root.dtype()), "grad can be implicitly created only for real scalar outputs but got torch.",
        dtype_name(root.dtype()), ": take .real, or pass gradient=");
  CallScope scope(is_meta(root));
  return ones_like(root);
}

void add_root(const Tensor& t, PyObject* seed, std::vector<Edge>& roots, std::vector<Tensor>& grads, size_t i) {
  check(t.requires_grad(), "element ", i, " of tensors does not require grad and does not have a grad_fn");
  GradModeGuard off(grad_mode.enabled);
  grads.push_back(seed_for(t, seed));
  roots.push_back(gradient_edge(t));
}

// What stands in an autograd.graph.GradientEdge: a node and which of its outputs; empty for anything but a tuple.
Edge edge_in(PyObject* o) {
  if (!PyTuple_Check(o) || PyTuple_GET_SIZE(o) < 2) return {};
  PyObject* node = PyTuple_GET_ITEM(o, 0);
  check(PyObject_TypeCheck(node, node_base), "GradientEdge's first object must be an autograd.graph.Node but got ",
        type_name(node));
  const size_t index = PyLong_AsSize_t(PyTuple_GET_ITEM(o, 1));
  if (PyErr_Occurred()) throw PythonError{};
  check(index < node_of(node).outputs, "GradientEdge: output ", index, " of a node that has ", node_of(node).outputs);
  return {Ref<Node>(&node_of(node)), static_cast<uint32_t>(index)};
}

std::vector<Edge> input_edges(PyObject* inputs) {
  std::vector<Edge> edges;
  Object list = Object::check(PySequence_Fast(inputs, "inputs must be a sequence of Tensors"));
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list.get()); ++i) {
    PyObject* o = PySequence_Fast_GET_ITEM(list.get(), i);
    if (Edge edge = edge_in(o)) {
      edges.push_back(std::move(edge));
      continue;
    }
    check(is_tensor(o), "all inputs have to be Tensors or GradientEdges, but got ", type_name(o));
    Tensor t = tensor_of(o);
    check(t.requires_grad(), "One of the differentiated Tensors does not require grad");
    edges.push_back(gradient_edge(t));
  }
  return edges;
}

PyObject* run(PyObject* roots_py, PyObject* seeds, bool keep, bool create, std::vector<Edge> inputs, bool accumulate,
              bool allow_unused, PyObject* retained_inputs) {
  std::vector<Edge> roots;
  std::vector<Tensor> grads;
  Object list = Object::check(PySequence_Fast(roots_py, "expected a sequence of Tensors"));
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list.get()); ++i) {
    PyObject* o = PySequence_Fast_GET_ITEM(list.get(), i);
    PyObject* seed = seeds && seeds != Py_None ? PyTuple_GET_ITEM(seeds, i) : nullptr;
    if (Edge edge = edge_in(o)) {
      check(seed && is_tensor(seed), "a GradientEdge needs the gradient that arrives there");
      roots.push_back(std::move(edge));
      grads.push_back(tensor_of(seed));
      continue;
    }
    check_type(is_tensor(o), "expected Tensors to differentiate, got ", type_name(o));
    add_root(tensor_of(o), seed, roots, grads, static_cast<size_t>(i));
  }
  BackwardOptions options;
  options.keep_graph = keep;
  options.create_graph = create;
  options.inputs = std::move(inputs);
  options.accumulate = accumulate;
  // backward(inputs=[non-leaf]) accumulates there too: those are captured and added by hand.
  std::vector<Tensor> non_leaves;
  std::vector<TensorImpl*> targets;
  if (accumulate && retained_inputs && retained_inputs != Py_None) {
    Object ins = Object::check(PySequence_Fast(retained_inputs, ""));
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(ins.get()); ++i) {
      if (!is_tensor(PySequence_Fast_GET_ITEM(ins.get(), i))) continue;
      Tensor t = tensor_of(PySequence_Fast_GET_ITEM(ins.get(), i));
      if (is_leaf(t) || autograd_meta(t)->retains_grad) continue;
      grad_fn(t)->make_extras().retained.push_back({autograd_meta(t)->output_index, t.get()});
      non_leaves.push_back(t);
    }
  }
  std::vector<Tensor> found = run_backward(std::move(roots), std::move(grads), options);
  for (const Tensor& t : non_leaves)
    std::erase_if(grad_fn(t)->make_extras().retained, [&](const auto& r) { return r.tensor == t.get(); });
  if (accumulate) Py_RETURN_NONE;
  Object tuple = Object::check(PyTuple_New(static_cast<Py_ssize_t>(found.size())));
  for (size_t i = 0; i < found.size(); ++i) {
    check(found[i].defined() || allow_unused, "The differentiated Tensor at index ", i,
          " appears to not have been used in the graph. Set allow_unused=True if this is the desired behavior.");
    PyTuple_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), wrap(std::move(found[i])));
  }
  return tuple.release();
}

void warn_of_cycle() {
  if (PyErr_WarnEx(
          PyExc_UserWarning,
          "Using backward() with create_graph=True will create a reference cycle between the parameter and its gradient which can cause a memory leak: "
          "prefer autograd.grad there, or set the parameters' .grad to None after use.",
          1) < 0)
    throw PythonError{};
}

PyObject* backward_task(PyObject*, PyObject*) { return PyLong_FromUnsignedLong(current_task()); }
// Python's function that hears of tensors that are about to be changed in place, or none.
PyObject* change_listener = nullptr;
void tell_of_change(const Tensor& t) {
  Object listener = Object::borrow(change_listener), o = Object::check(wrap(t));
  Object::check(PyObject_CallOneArg(listener.get(), o.get()));
}
PyObject* set_change_listener(PyObject*, PyObject* f) {
  Object last = Object::steal(std::exchange(change_listener, f == Py_None ? nullptr : Py_NewRef(f)));
  autograd_support.before_change = change_listener ? tell_of_change : nullptr;
  return last ? last.release() : Py_NewRef(Py_None);
}

PyObject* increment_version(PyObject*, PyObject* o) {
  return guarded([&]() -> PyObject* {
    check_type(is_tensor(o), "increment_version expects a Tensor, got ", type_name(o));
    changed_in_place(tensor_of(o), "increment_version");
    Py_RETURN_NONE;
  });
}

PyObject* backward(PyObject*, PyObject* args) {
  PyObject *roots, *seeds, *inputs;
  int keep, create;
  if (!PyArg_ParseTuple(args, "OOppO:_backward", &roots, &seeds, &keep, &create, &inputs)) return nullptr;
  return guarded([&] {
    std::vector<Edge> edges;
    if (inputs != Py_None) edges = input_edges(inputs);
    if (create) warn_of_cycle();
    return run(roots, seeds, keep, create, std::move(edges), true, true, inputs);
  });
}
PyObject* grad(PyObject*, PyObject* args) {
  PyObject *roots, *inputs, *seeds;
  int keep, create, unused;
  if (!PyArg_ParseTuple(args, "OOOppp:_grad", &roots, &inputs, &seeds, &keep, &create, &unused)) return nullptr;
  return guarded([&] {
    std::vector<Edge> edges = input_edges(inputs);
    return run(roots, seeds, keep, create, std::move(edges), false, unused, nullptr);
  });
}
PyObject* tensor_backward(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  return guarded([&]() -> PyObject* {
    PyObject *gradient = Py_None, *inputs = Py_None;
    int keep = -1, create = 0;
    auto truth = [](PyObject* o) {
      int r = PyObject_IsTrue(o);
      if (r < 0) throw PythonError{};
      return r;
    };
    auto take = [&](std::string_view name, PyObject* o) {
      if (name == "gradient")
        gradient = o;
      else if (name == "retain_graph")
        keep = o == Py_None ? -1 : truth(o);
      else if (name == "create_graph")
        create = truth(o);
      else if (name == "inputs")
        inputs = o;
      else
        fail(ErrorKind::Type, "backward() got an unexpected keyword argument '", name,
             "'; it takes gradient, retain_graph, create_graph and inputs");
    };
    static constexpr const char* names[] = {"gradient", "retain_graph", "create_graph", "inputs"};
    check_type(nargs <= 4, "backward() takes from 1 to 5 positional arguments but ", nargs + 1, " were given");
    for (Py_ssize_t i = 0; i < nargs; ++i) take(names[i], args[i]);
    for (Py_ssize_t k = 0; kwnames && k < PyTuple_GET_SIZE(kwnames); ++k)
      take(text_of(PyTuple_GET_ITEM(kwnames, k)), args[nargs + k]);
    if (inputs == Py_None) {
      BackwardOptions options;
      options.create_graph = create != 0;
      options.keep_graph = keep < 0 ? create != 0 : keep != 0;
      if (create) warn_of_cycle();
      std::vector<Edge> roots;
      std::vector<Tensor> grads;
      add_root(tensor_of(self), gradient, roots, grads, 0);
      run_backward(std::move(roots), std::move(grads), options);
      Py_RETURN_NONE;
    }
    std::vector<Edge> edges;
    Object as_list = Object::borrow(inputs);
    if (inputs != Py_None) {
      if (is_tensor(inputs) || edge_in(inputs)) as_list = Object::check(PyTuple_Pack(1, inputs));
      check(PyObject_Size(as_list.get()) != 0, "`inputs` argument to `backward()` cannot be empty.");
      edges = input_edges(as_list.get());
    }
    if (create) warn_of_cycle();
    Object roots = Object::check(PyTuple_Pack(1, self)), seeds = Object::check(PyTuple_Pack(1, gradient));
    return run(roots.get(), seeds.get(), keep < 0 ? create != 0 : keep != 0, create != 0, std::move(edges), true, true,
               as_list.get());
  });
}

// --- switches ----------------------------------------------------------------------------------------------------------
PyObject* set_grad_enabled(PyObject*, PyObject* on) {
  int value = PyObject_IsTrue(on);
  if (value < 0) return nullptr;
  bool before = std::exchange(grad_mode.enabled, value != 0);
  return PyBool_FromLong(before);
}
PyObject* is_grad_enabled(PyObject*, PyObject*) { return PyBool_FromLong(grad_mode.enabled); }
PyObject* set_inference_mode(PyObject*, PyObject* on) {
  int value = PyObject_IsTrue(on);
  if (value < 0) return nullptr;
  return PyBool_FromLong(std::exchange(grad_mode.inference, value != 0));
}
PyObject* is_inference_mode(PyObject*, PyObject*) { return PyBool_FromLong(grad_mode.inference); }
PyObject* set_anomaly(PyObject*, PyObject* args) {
  int on, check_nan = 1;
  if (!PyArg_ParseTuple(args, "p|p:set_anomaly_enabled", &on, &check_nan)) return nullptr;
  grad_mode.anomaly = on;
  grad_mode.check_nan = check_nan;
  Py_RETURN_NONE;
}
PyObject* is_anomaly(PyObject*, PyObject*) { return PyBool_FromLong(grad_mode.anomaly); }
PyObject* is_anomaly_nan(PyObject*, PyObject*) { return PyBool_FromLong(grad_mode.check_nan); }

std::string short_name(const Node& node) {
  std::string_view name = node.name();
  size_t colon = name.rfind(':');
  return std::string(colon == std::string_view::npos ? name : name.substr(colon + 1));
}

std::string python_trace() {
  Object module = Object::steal(PyImport_ImportModule("traceback"));
  Object lines = module ? Object::steal(PyObject_CallMethod(module.get(), "format_stack", nullptr)) : Object();
  Object empty = Object::steal(PyUnicode_FromString(""));
  Object text = lines ? Object::steal(PyUnicode_Join(empty.get(), lines.get())) : Object();
  if (!text) {
    PyErr_Clear();
    return "";
  }
  std::string trace = PyUnicode_AsUTF8(text.get());
  if (Node* outer = current_node())  // made while gradients of gradients were recorded
    trace += concat("\n\nPrevious calculation was induced by ", short_name(*outer),
                    ". Traceback of forward call that induced the previous calculation:\n",
                    outer->extras ? outer->extras->forward_trace : std::string("(no forward pass information)\n"));
  return trace;
}

// Warns of the node that failed; the error itself, if it is Python's, stays as it was.
void explain_failure(const Node& node) {
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  bool known = node.extras && !node.extras->forward_trace.empty();
  std::string text = concat(
      "Error detected in ", short_name(node), ". ",
      known
          ? concat("Traceback of forward call that caused the error:\n", node.extras->forward_trace)
          : std::string(
                "No forward pass information available. Enable detect anomaly during forward pass for more information."));
  if (PyErr_WarnEx(PyExc_UserWarning, text.c_str(), 1) < 0) PyErr_Clear();
  PyErr_Restore(type, value, trace);
}

// --- saved tensor hooks ------------------------------------------------------------------------------------------------
class PyPacked final : public PackedTensor {
 public:
  PyPacked(Object value, Object unpack) : value_(std::move(value)), unpack_(std::move(unpack)) {}
  Tensor unpack() override {
    Object r = Object::check(PyObject_CallOneArg(unpack_.get(), value_.get()));
    check_type(is_tensor(r.get()), "Output of saved tensor unpack_hook expected to be a Tensor but got result of type ",
               type_name(r.get()));
    return tensor_of(r.get());
  }

 private:
  Object value_, unpack_;
};

// What a thread leaves open when it ends is left in memory: the thread has no interpreter any more to let go of it.
struct Packers : std::vector<std::unique_ptr<TensorPacker>> {
  ~Packers() {
    for (auto& packer : *this) (void)packer.release();
  }
};
thread_local Packers packers;

PyObject* push_packer(PyObject*, PyObject* args) {
  PyObject *pack_py, *unpack_py;
  if (!PyArg_ParseTuple(args, "OO:_push_saved_tensors_hooks", &pack_py, &unpack_py)) return nullptr;
  Object pack = Object::borrow(pack_py), unpack = Object::borrow(unpack_py);
  packers.push_back(std::make_unique<TensorPacker>([pack, unpack](const Tensor& t) -> std::unique_ptr<PackedTensor> {
    Object o = Object::check(wrap(t));
    return std::make_unique<PyPacked>(Object::check(PyObject_CallOneArg(pack.get(), o.get())), unpack);
  }));
  tensor_packer = packers.back().get();
  Py_RETURN_NONE;
}
PyObject* pop_packer(PyObject*, PyObject*) {
  std::unique_ptr<TensorPacker> last;  // its end may run Python: first put the list in order
  if (!packers.empty()) {
    last = std::move(packers.back());
    packers.pop_back();
  }
  tensor_packer = packers.empty() ? nullptr : packers.back().get();
  Py_RETURN_NONE;
}

// node(*gradients of its outputs): the gradients of its inputs.
PyObject* node_call(PyObject* o, PyObject* args, PyObject*) {
  return guarded([&]() -> PyObject* {
    Node& node = node_of(o);
    const Ref<Node> held(&node);
    Gradients grads, results;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); ++i) {
      PyObject* g = PyTuple_GET_ITEM(args, i);
      check_type(g == Py_None || is_tensor(g), "expected Tensor or None, got ", type_name(g));
      grads.push_back(g == Py_None ? Tensor() : tensor_of(g));
    }
    check(grads.size() == node.outputs, node.name(), " takes ", node.outputs, " gradients, got ", grads.size());
    for (int64_t i = 0; i < node.edges.size(); ++i) results.emplace_back();
    node.apply(grads, results);
    return results.size() == 1 ? wrap(results[0]) : grads_tuple(results);
  });
}

PyObject* node_sequence(PyObject* o, PyObject*) { return PyLong_FromUnsignedLongLong(node_of(o).sequence); }

PyMethodDef node_methods[] = {
    {"_sequence_nr", node_sequence, METH_NOARGS, "A number that is larger for nodes made later."},
    {"name", node_name, METH_NOARGS, "The node's name, e.g. AddBackward0."},
    {"register_hook", node_register_hook, METH_O, "Calls f(grad_inputs, grad_outputs) after the node ran."},
    {"register_prehook", node_register_prehook, METH_O, "Calls f(grad_outputs) before the node runs."},
    {nullptr, nullptr, 0, nullptr}};
PyGetSetDef node_properties[] = {
    {"next_functions", next_functions, nullptr, "The nodes this one passes gradients to, with their input numbers.",
     nullptr},
    {"variable",
     [](PyObject* o, void*) -> PyObject* {
       TensorImpl* leaf = node_of(o).variable();
       if (leaf) return wrap(Tensor(leaf));
       PyErr_Format(PyExc_AttributeError, "'%s' object has no attribute 'variable'", Py_TYPE(o)->tp_name);
       return nullptr;
     },
     nullptr, "The leaf that AccumulateGrad adds to.", nullptr},
    {"saved_tensors", [](PyObject* o, void*) -> PyObject* { return guarded([&] { return saved_tuple(node_of(o)); }); },
     nullptr, "What the node keeps for backward.", nullptr},
    {"metadata",
     [](PyObject* o, void*) -> PyObject* {
       // Kept by the node itself: this object may come and go.
       std::shared_ptr<void>& notes = node_of(o).make_extras().notes;
       if (!notes)
         notes = std::shared_ptr<void>(PyDict_New(), [](void* dict) { Py_XDECREF(static_cast<PyObject*>(dict)); });
       return Py_XNewRef(static_cast<PyObject*>(notes.get()));
     },
     nullptr, "A dict for the user's own notes.", nullptr},
    {"requires_grad", [](PyObject*, void*) -> PyObject* { Py_RETURN_TRUE; }, nullptr,
     "True: what leads here is differentiated.", nullptr},
    {"_forward_trace",
     [](PyObject* o, void*) -> PyObject* {
       Node& node = node_of(o);
       return PyUnicode_FromString(node.extras ? node.extras->forward_trace.c_str() : "");
     },
     nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMethodDef functions[] = {{"_backward", backward, METH_VARARGS, nullptr},
                           {"_backward_task", backward_task, METH_NOARGS, nullptr},
                           {"_set_change_listener", set_change_listener, METH_O, nullptr},
                           {"_increment_version", increment_version, METH_O, nullptr},
                           {"_count_hooks_to_come", count_hooks_to_come, METH_O, nullptr},
                           {"_grad", grad, METH_VARARGS, nullptr},
                           {"_remove_hook", remove_hook, METH_O, nullptr},
                           {"_push_saved_tensors_hooks", push_packer, METH_VARARGS, nullptr},
                           {"_pop_saved_tensors_hooks", pop_packer, METH_NOARGS, nullptr},
                           {"_set_grad_enabled", set_grad_enabled, METH_O, nullptr},
                           {"_is_grad_enabled", is_grad_enabled, METH_NOARGS, nullptr},
                           {"is_grad_enabled", is_grad_enabled, METH_NOARGS,
                            "Whether operations are recorded for gradients.\n\n"
                            ">>> with torch.no_grad():\n"
                            "...     print(torch.is_grad_enabled())\n"
                            "False\n"},
                           {"_set_inference_mode", set_inference_mode, METH_O, nullptr},
                           {"is_inference_mode_enabled", is_inference_mode, METH_NOARGS,
                            "Whether inference mode is on.\n\n"
                            ">>> torch.is_inference_mode_enabled()\n"
                            "False\n"},
                           {"set_anomaly_enabled", set_anomaly, METH_VARARGS, "Switches anomaly detection on or off."},
                           {"is_anomaly_enabled", is_anomaly, METH_NOARGS,
                            "Whether anomaly detection is on.\n\n"
                            ">>> with torch.autograd.detect_anomaly():\n"
                            "...     print(torch.is_anomaly_enabled())\n"
                            "True\n"},
                           {"is_anomaly_check_nan_enabled", is_anomaly_nan, METH_NOARGS,
                            "Whether anomaly detection looks for NaN in gradients."},
                           {nullptr, nullptr, 0, nullptr}};

}  // namespace

PyMethodDef autograd_methods[] = {
    {"backward", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(tensor_backward)), METH_FASTCALL | METH_KEYWORDS,
     "backward(gradient=None, retain_graph=None, create_graph=False, inputs=None): adds the gradient of this tensor to the .grad of the leaves it was "
     "computed from. A tensor of several elements needs `gradient`, of its shape."},
    {"register_hook", register_hook, METH_O,
     "Calls f(grad) when this tensor's gradient is computed; a returned tensor replaces it."},
    {"register_post_accumulate_grad_hook", register_post_accumulate, METH_O,
     "Calls f(param) after .grad was added to."},
    {"retain_grad", retain_grad, METH_NOARGS, "Keeps .grad of this non-leaf tensor too."},
    {"detach_", detach_, METH_NOARGS, "Cuts this tensor off its history, in place."},
    {nullptr, nullptr, 0, nullptr}};

PyObject* wrap_node(const Ref<Node>& node) {
  if (!node) Py_RETURN_NONE;
  if (node->pyobj) return Py_NewRef(static_cast<PyObject*>(node->pyobj));
  const char* name = node->name();
  if (const char* colon = std::strrchr(name, ':')) name = colon + 1;
  PyTypeObject* type = type_for(name);
  PyObject* o = type->tp_alloc(type, 0);
  if (!o) return nullptr;
  reinterpret_cast<PyNode*>(o)->node = Ref<Node>(node).leak();
  node->pyobj = o;
  return o;
}

int add_autograd(PyObject* module) {
  PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(node_dealloc)},
                         {Py_tp_traverse, reinterpret_cast<void*>(node_traverse)},
                         {Py_tp_clear, reinterpret_cast<void*>(node_clear)},
                         {Py_tp_repr, reinterpret_cast<void*>(node_repr)},
                         {Py_tp_getattro, reinterpret_cast<void*>(node_getattro)},
                         {Py_tp_call, reinterpret_cast<void*>(node_call)},
                         {Py_tp_setattro, reinterpret_cast<void*>(node_setattro)},
                         {Py_tp_methods, node_methods},
                         {Py_tp_getset, node_properties},
                         {0, nullptr}};
  PyType_Spec spec{"torch.autograd.graph.Node", sizeof(PyNode), 0,
                   static_cast<unsigned>(Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC |
                                         Py_TPFLAGS_DISALLOW_INSTANTIATION),
                   slots};
  node_base = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  if (!node_base || PyModule_AddObjectRef(module, "_Node", reinterpret_cast<PyObject*>(node_base)) < 0) return -1;
  autograd_support.forward_trace = python_trace;
  autograd_support.explain_failure = explain_failure;
  return PyModule_AddFunctions(module, functions) < 0 ? -1 : add_custom_functions(module);
}

}  // namespace rl::py
