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
int node_traverse(PyObject* o, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(o));
  Py_VISIT(reinterpret_cast<PyNode*>(o)->dict);
  return 0;
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
  constexpr std::string_view kPrefix = "_saved_";
  std::string_view text = PyUnicode_AsUTF8(name);
  if (!text.starts_with(kPrefix)) return nullptr;
  int i = node.saved_index(text.substr(kPrefix.size()));
  if (i < 0) return nullptr;
  PyErr_Clear();
  return guarded([&] {
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
class PyTensorHook final : public TensorHook {
 public:
  explicit PyTensorHook(PyObject* f) : f_(Object::borrow(f)) {}
  Tensor call(const Tensor& grad) override {
    Object g = Object::check(wrap(grad));
    Object r = Object::check(PyObject_CallOneArg(f_.get(), g.get()));
    if (r.get() == Py_None) return {};
    if (!is_tensor(r.get()))
      fail(ErrorKind::Type, "expected Variable, but hook returned '", type_name(r.get()),
           "': a hook returns a Tensor, or None to leave the gradient");
    Tensor t = tensor_of(r.get());
    check(same_shape(t, grad), "hook '", name(), "' has changed the size of value: expected ", shape_str(grad.sizes()),
          ", got ", shape_str(t.sizes()));
    check(t.dtype() == grad.dtype(), "hook '", name(), "' has changed the type of value (was ",
          dtype_name(grad.dtype()), " got ", dtype_name(t.dtype()), ")");
    return t;
  }

 private:
  std::string name() const {
    Object n = Object::steal(PyObject_GetAttrString(f_.get(), "__name__"));
    if (!n) PyErr_Clear();
    return n && PyUnicode_Check(n.get()) ? PyUnicode_AsUTF8(n.get()) : type_name(f_.get());
  }
  Object f_;
};

PyObject* grads_tuple(const Gradients& grads) {
  Object tuple = Object::check(PyTuple_New(grads.size()));
  for (int64_t i = 0; i < grads.size(); ++i) PyTuple_SET_ITEM(tuple.get(), i, wrap(grads[i]));
  return tuple.release();
}
void take_grads(PyObject* r, Gradients& grads, const char* what) {
  if (r == Py_None) return;
  Object held = is_tensor(r) ? Object::check(PyTuple_Pack(1, r)) : Object::borrow(r);
  check_type(PyTuple_Check(held.get()), what, " must return a Tensor, a tuple of Tensors or None, got ", type_name(r));
  check(PyTuple_GET_SIZE(held.get()) == grads.size(), what, " returned ", PyTuple_GET_SIZE(held.get()),
        " gradients, expected ", grads.size());
  for (int64_t i = 0; i < grads.size(); ++i) {
    PyObject* g = PyTuple_GET_ITEM(held.get(), i);
    grads[i] = g == Py_None ? Tensor() : tensor_of(g);
  }
}

class PyNodeHook final : public NodeHook {
 public:
  PyNodeHook(PyObject* f, bool pre) : f_(Object::borrow(f)), pre_(pre) {}
  void before(Gradients& outputs) override {
    if (!pre_) return;
    Object args = Object::check(grads_tuple(outputs));
    Object r = Object::check(PyObject_CallOneArg(f_.get(), args.get()));
    take_grads(r.get(), outputs, "a pre-hook");
  }
  void after(Gradients& inputs, const Gradients& outputs) override {
    if (pre_) return;
    Object a = Object::check(grads_tuple(inputs)), b = Object::check(grads_tuple(outputs));
    Object r = Object::check(PyObject_CallFunctionObjArgs(f_.get(), a.get(), b.get(), nullptr));
    take_grads(r.get(), inputs, "a hook");
  }

 private:
  Object f_;
  bool pre_;
};

uint64_t next_hook_id = 0;

// A handle whose remove() takes the hook away: a small Python class, given a closure.
PyObject* handle(uint64_t id, PyObject* owner, const char* kind) {
  Object module = Object::check(PyImport_ImportModule("rushlight.utils.hooks"));
  Object type = Object::check(PyObject_GetAttrString(module.get(), "CoreHandle"));
  return PyObject_CallFunction(type.get(), "KOs", static_cast<unsigned long long>(id), owner, kind);
}

PyObject* register_hook(PyObject* self, PyObject* f) {
  return guarded([&]() -> PyObject* {
    Tensor t = tensor_of(self);
    check(t.requires_grad(), "cannot register a hook on a tensor that doesn't require gradient");
    uint64_t id = ++next_hook_id;
    auto hook = std::make_shared<PyTensorHook>(f);
    if (const Ref<Node>& fn = grad_fn(t))
      fn->make_extras().tensor_hooks.push_back({autograd_meta(t)->output_index, hook, id});
    else
      make_autograd_meta(t).leaf_hooks.push_back({0, hook, id});
    return handle(id, self, "tensor");
  });
}
PyObject* register_post_accumulate(PyObject* self, PyObject* f) {
  return guarded([&]() -> PyObject* {
    Tensor t = tensor_of(self);
    check(t.requires_grad(), "cannot register a hook on a tensor that doesn't require gradient");
    check(is_leaf(t), "post accumulate grad hooks cannot be registered on non-leaf tensors");
    uint64_t id = ++next_hook_id;
    Object fn = Object::borrow(f);
    make_autograd_meta(t).post_accumulate_hooks.emplace_back(id, [fn](const Tensor& leaf) {
      Object o = Object::check(wrap(leaf));
      Object r = Object::check(PyObject_CallOneArg(fn.get(), o.get()));
    });
    return handle(id, self, "tensor");
  });
}
PyObject* node_hook(PyObject* self, PyObject* f, bool pre) {
  return guarded([&]() -> PyObject* {
    uint64_t id = ++next_hook_id;
    node_of(self).make_extras().hooks.emplace_back(id, std::make_shared<PyNodeHook>(f, pre));
    return handle(id, self, "node");
  });
}
PyObject* node_register_hook(PyObject* self, PyObject* f) { return node_hook(self, f, false); }
PyObject* node_register_prehook(PyObject* self, PyObject* f) { return node_hook(self, f, true); }

PyObject* remove_hook(PyObject*, PyObject* args) {
  unsigned long long id;
  PyObject* owner;
  if (!PyArg_ParseTuple(args, "KO:_remove_hook", &id, &owner)) return nullptr;
  auto is_it = [id](const auto& h) { return h.id == id; };
  auto pair_is_it = [id](const auto& h) { return h.first == id; };
  if (is_tensor(owner)) {
    Tensor t = tensor_of(owner);
    if (AutogradMeta* meta = autograd_meta(t)) {
      std::erase_if(meta->leaf_hooks, is_it);
      std::erase_if(meta->post_accumulate_hooks, pair_is_it);
      if (meta->grad_fn && meta->grad_fn->extras) std::erase_if(meta->grad_fn->extras->tensor_hooks, is_it);
    }
  } else if (PyObject_TypeCheck(owner, node_base) && node_of(owner).extras) {
    std::erase_if(node_of(owner).extras->hooks, pair_is_it);
  }
  Py_RETURN_NONE;
}

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
    if (AutogradMeta* meta = autograd_meta(t)) meta->grad_fn.reset();
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
PyObject* will_evaluate(PyObject*, PyObject* node) {
  return guarded([&] {
    check_type(PyObject_TypeCheck(node, node_base), "expected a Node, got ", type_name(node));
    return PyBool_FromLong(will_be_evaluated(node_of(node)));
  });
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
      take(PyUnicode_AsUTF8(PyTuple_GET_ITEM(kwnames, k)), args[nargs + k]);
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

PyMethodDef node_methods[] = {
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
    {"_forward_trace",
     [](PyObject* o, void*) -> PyObject* {
       Node& node = node_of(o);
       return PyUnicode_FromString(node.extras ? node.extras->forward_trace.c_str() : "");
     },
     nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMethodDef functions[] = {{"_backward", backward, METH_VARARGS, nullptr},
                           {"_backward_task", backward_task, METH_NOARGS, nullptr},
                           {"_increment_version", increment_version, METH_O, nullptr},
                           {"_will_evaluate", will_evaluate, METH_O, nullptr},
                           {"_grad", grad, METH_VARARGS, nullptr},
                           {"_remove_hook", remove_hook, METH_VARARGS, nullptr},
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
                         {Py_tp_repr, reinterpret_cast<void*>(node_repr)},
                         {Py_tp_getattro, reinterpret_cast<void*>(node_getattro)},
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
