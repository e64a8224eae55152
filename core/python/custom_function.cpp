// Custom Functions: Function.apply, and the node whose backward is the user's.
#include "python/autograd.h"

namespace rl::py {
namespace {

class FunctionNode final : public Node {
 public:
  FunctionNode(Object ctx, std::string name) : ctx_(std::move(ctx)), name_(std::move(name)) {}
  ~FunctionNode() override {
    // The context may outlive the tape: it must not find us any more.
    if (ctx_) {
      PyObject *type, *value, *trace;
      PyErr_Fetch(&type, &value, &trace);
      PyObject_SetAttrString(ctx_.get(), "_node", Py_None);
      PyErr_Clear();
      PyErr_Restore(type, value, trace);
    }
  }
  const char* name() const override { return name_.c_str(); }
  bool is_python() const override { return true; }

  void apply(const Gradients& grads, Gradients& results) override {
    Object cls = Object::check(PyObject_GetAttrString(ctx_.get(), "_function"));
    Object backward = Object::check(PyObject_GetAttrString(cls.get(), "backward"));
    Object args = Object::check(PyTuple_New(1 + grads.size()));
    PyTuple_SET_ITEM(args.get(), 0, Py_NewRef(ctx_.get()));
    for (int64_t i = 0; i < grads.size(); ++i) {
      Tensor g = grads[i];
      if (!g.defined() && materialize && i < outputs_like.size() && is_tensor_output[static_cast<size_t>(i)])
        g = zeros(outputs_like[i], out_dtypes[i]);
      PyTuple_SET_ITEM(args.get(), 1 + i, wrap(g));
    }
    Object r = Object::check(PyObject_CallObject(backward.get(), args.get()));
    Object list = PyTuple_Check(r.get()) ? r : Object::check(PyTuple_Pack(1, r.get()));
    Py_ssize_t given = PyTuple_GET_SIZE(list.get());
    // Trailing Nones beyond the arguments are allowed.
    while (given > arguments && PyTuple_GET_ITEM(list.get(), given - 1) == Py_None) --given;
    check(given == arguments, "function ", name_, " returned an incorrect number of gradients (expected ", arguments,
          ", got ", given, ")");
    int64_t edge = 0;
    for (int64_t i = 0; i < arguments; ++i) {
      PyObject* g = PyTuple_GET_ITEM(list.get(), i);
      if (!is_tensor_argument[static_cast<size_t>(i)]) {
        check(g == Py_None, "function ", name_, " returned a gradient different than None at position ", i + 1,
              ", but the corresponding forward input was not a Variable");
        continue;
      }
      if (g != Py_None) {
        check(is_tensor(g), "expected Variable or None (got ", type_name(g), ")");
        Tensor t = tensor_of(g);
        if (needs(edge)) {
          const Dims& want = inputs_like[edge];
          if (!std::ranges::equal(t.sizes(), IntSpan(want))) {
            check(can_broadcast(want, t.sizes()), "Function ", name_, " returned an invalid gradient at index ", i,
                  " - got ", shape_str(t.sizes()), " but expected shape compatible with ", shape_str(want));
            t = sum_to(t, want);
          }
          if (t.dtype() != in_dtypes[edge]) t = to_dtype(t, in_dtypes[edge]);
          results[edge] = t;
        }
      }
      ++edge;
    }
  }

  PyObject* context() const { return ctx_.get(); }

  int64_t arguments = 0;
  std::vector<bool> is_tensor_argument, is_tensor_output;
  SmallVector<Dims, 2> inputs_like, outputs_like;
  SmallVector<DType, 2> in_dtypes, out_dtypes;
  bool materialize = true;

 private:
  Object ctx_;
  std::string name_;
};

PyObject* saved_tensors_of(PyObject*, PyObject* ctx) {
  return guarded([&]() -> PyObject* {
    Object handle = Object::check(PyObject_GetAttrString(ctx, "_node"));
    if (handle.get() == Py_None) {
      Object saved = Object::check(PyObject_GetAttrString(ctx, "to_save"));
      return saved.release();
    }
    Node& node = *static_cast<Node*>(PyCapsule_GetPointer(handle.get(), nullptr));
    return saved_tuple(node);
  });
}

PyObject* node_of_context(PyObject*, PyObject* ctx) {
  return guarded([&]() -> PyObject* {
    Object handle = Object::check(PyObject_GetAttrString(ctx, "_node"));
    check(handle.get() != Py_None, "this context has no node: nothing was recorded, or it is gone");
    return wrap_node(Ref<Node>(static_cast<Node*>(PyCapsule_GetPointer(handle.get(), nullptr))));
  });
}

bool contains(PyObject* tuple, PyObject* o) {
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(tuple); ++i)
    if (PyTuple_GET_ITEM(tuple, i) == o) return true;
  return false;
}
Object as_tuple(PyObject* o) { return PyTuple_Check(o) ? Object::borrow(o) : Object::check(PySequence_Tuple(o)); }

std::string function_name(PyObject* cls) {
  Object name = Object::check(PyObject_GetAttrString(cls, "__name__"));
  return std::string(text_of(name.get()));
}

bool has_defaults(PyObject* f) {
  for (const char* attribute : {"__defaults__", "__kwdefaults__"}) {
    Object d = Object::steal(PyObject_GetAttrString(f, attribute));
    if (!d)
      PyErr_Clear();
    else if (d.get() != Py_None)
      return true;
  }
  return false;
}

// One call of Function.apply, step by step.
class Application {
 public:
  explicit Application(PyObject* cls) : cls_(cls) {}

  PyObject* run(PyObject* args, PyObject* kwargs) {
    read_functions();
    Object named = kwargs ? Object::borrow(kwargs) : Object();
    bind_defaults(args, named);
    read_inputs();
    call_forward(named.get());
    dirty_ = as_tuple(attribute("dirty_tensors").get());
    blocked_ = as_tuple(attribute("non_differentiable").get());
    note_changes();
    if (wanted_) make_node();
    Object results = record_outputs();
    if (node_) keep_saved();
    return single_ ? Py_NewRef(PyTuple_GET_ITEM(results.get(), 0)) : results.release();
  }

 private:
  Object attribute(const char* name) const { return Object::check(PyObject_GetAttrString(ctx_.get(), name)); }

  void read_functions() {
    static PyObject* base_setup = nullptr;
    if (!base_setup) {
      Object module = Object::check(PyImport_ImportModule("rushlight.autograd.function"));
      bind_ = Object::check(PyObject_GetAttrString(module.get(), "_bind")).release();
      Object function = Object::check(PyObject_GetAttrString(module.get(), "Function"));
      base_setup = Object::check(PyObject_GetAttrString(function.get(), "setup_context")).release();
    }
    forward_ = Object::check(PyObject_GetAttrString(cls_, "forward"));
    setup_ = Object::check(PyObject_GetAttrString(cls_, "setup_context"));
    separate_ = setup_.get() != base_setup;
  }

  // A separate setup_context sees every argument, the defaults included.
  void bind_defaults(PyObject* args, Object& kwargs) {
    args_ = Object::borrow(args);
    bool named = kwargs && PyDict_Size(kwargs.get());
    if (!separate_ || !(named || has_defaults(forward_.get()))) return;
    if (!kwargs) kwargs = Object::check(PyDict_New());
    args_ = Object::check(PyObject_CallFunctionObjArgs(bind_, forward_.get(), args, kwargs.get(), nullptr));
    kwargs = Object();
  }

  void read_inputs() {
    Py_ssize_t n = PyTuple_GET_SIZE(args_.get());
    Object needs = Object::check(PyTuple_New(n));
    for (Py_ssize_t i = 0; i < n; ++i) {
      PyObject* o = PyTuple_GET_ITEM(args_.get(), i);
      bool tensor = is_tensor(o), need = tensor && tensor_of(o).requires_grad();
      is_tensor_argument_.push_back(tensor);
      if (tensor) inputs_.push_back(tensor_of(o));
      wanted_ |= need && grad_mode.enabled;
      PyTuple_SET_ITEM(needs.get(), i, PyBool_FromLong(need));
    }
    Object context_type = Object::check(PyObject_GetAttrString(cls_, "_backward_cls"));
    ctx_ = Object::check(PyObject_CallNoArgs(context_type.get()));
    if (PyObject_SetAttrString(ctx_.get(), "needs_input_grad", needs.get()) < 0) throw PythonError{};
  }

  void call_forward(PyObject* kwargs) {
    GradModeGuard off(false);
    Object result;
    if (separate_) {
      result = Object::check(PyObject_CallObject(forward_.get(), args_.get()));
      Object::check(PyObject_CallFunctionObjArgs(setup_.get(), ctx_.get(), args_.get(), result.get(), nullptr));
    } else {
      Py_ssize_t n = PyTuple_GET_SIZE(args_.get());
      Object full = Object::check(PyTuple_New(n + 1));
      PyTuple_SET_ITEM(full.get(), 0, Py_NewRef(ctx_.get()));
      for (Py_ssize_t i = 0; i < n; ++i)
        PyTuple_SET_ITEM(full.get(), i + 1, Py_NewRef(PyTuple_GET_ITEM(args_.get(), i)));
      result = Object::check(PyObject_Call(forward_.get(), full.get(), kwargs));
    }
    single_ = !PyTuple_Check(result.get());
    outputs_ = single_ ? Object::check(PyTuple_Pack(1, result.get())) : result;
  }

  // What forward marked dirty was changed in place, which must have been allowed.
  void note_changes() const {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(dirty_.get()); ++i) {
      PyObject* o = PyTuple_GET_ITEM(dirty_.get(), i);
      if (!is_tensor(o)) continue;
      check(contains(outputs_.get(), o),
            "Some elements marked as dirty during the forward method were not returned as ",
            "output. The inputs that are modified inplace must all be outputs of the Function.");
      Tensor t = tensor_of(o);
      if (wanted_ && t.requires_grad() && is_leaf(t) && !t->base)
        fail(ErrorKind::Runtime, "a leaf Variable that requires grad has been used in an in-place operation. (",
             function_name(cls_), " marks it dirty: work on a clone() of it)");
      check_in_place(t, "a custom Function", wanted_ && t.requires_grad());
      changed_in_place(t, "a custom Function");
    }
  }

  // The package's own functions are called as PyTorch's nodes are.
  std::string node_name() const {
    Object given = Object::steal(PyObject_GetAttrString(cls_, "_node_name"));
    if (given && PyUnicode_Check(given.get())) return std::string(text_of(given.get()));
    PyErr_Clear();
    return function_name(cls_) + "Backward";
  }

  void make_node() {
    auto made = std::make_unique<FunctionNode>(ctx_, node_name());
    node_ = made.get();
    held_ = Ref<Node>(made.release());
    for (const Tensor& t : inputs_) {
      node_->edges.push_back(is_differentiable(t.dtype()) ? gradient_edge(t) : Edge{});
      node_->inputs_like.push_back(Dims(t.sizes()));
      node_->in_dtypes.push_back(t.dtype());
    }
    node_->arguments = PyTuple_GET_SIZE(args_.get());
    node_->is_tensor_argument = is_tensor_argument_;
    node_->outputs = static_cast<uint32_t>(PyTuple_GET_SIZE(outputs_.get()));
    node_->materialize = attribute("materialize_grads").get() == Py_True;
  }

  Object record_outputs() const {
    Py_ssize_t count = PyTuple_GET_SIZE(outputs_.get());
    Object results = Object::check(PyTuple_New(count));
    for (Py_ssize_t i = 0; i < count; ++i) {
      PyObject* o = PyTuple_GET_ITEM(outputs_.get(), i);
      PyTuple_SET_ITEM(results.get(), i, is_tensor(o) ? record_output(o, static_cast<uint32_t>(i)) : Py_NewRef(o));
      if (node_) node_->is_tensor_output.push_back(is_tensor(o));
      if (node_ && !is_tensor(o)) {
        node_->outputs_like.push_back(Dims());
        node_->out_dtypes.push_back(DType::I64);
      }
    }
    return results;
  }

  PyObject* record_output(PyObject* o, uint32_t index) const {
    Tensor t = tensor_of(o);
    bool is_dirty = contains(dirty_.get(), o);
    if (!node_) {  // an input that is handed back has no history here, whatever the input has
      bool alias = contains(args_.get(), o) && (t.requires_grad() || !is_dirty);
      return alias ? wrap(detach(t)) : Py_NewRef(o);
    }
    bool handed_back = contains(args_.get(), o) && !is_dirty;
    if (handed_back) {
      // An input handed back as it is becomes a view of itself, so that it can have a history of its own.
      GradModeGuard off(false);
      t = view_of(t, t.sizes(), t.strides(), t->offset());
      t->base.reset();
      t->view_kind = ViewKind::Plain;
    }
    node_->outputs_like.push_back(Dims(t.sizes()));
    node_->out_dtypes.push_back(t.dtype());
    if (!contains(blocked_.get(), o) && is_differentiable(t.dtype())) {
      if (is_dirty && t->base) {
        rebase_history(t, held_);
      } else {
        if (t->base) t->view_kind = ViewKind::CustomFunction;
        set_history(t, held_, index);
      }
    }
    PyObject* result = handed_back ? wrap(t) : Py_NewRef(o);
    watch_for_cycles(result);  // the context may hold it
    return result;
  }

  // From here on the node holds what was saved; the context finds it there.
  void keep_saved() const {
    Object to_save = as_tuple(attribute("to_save").get());
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(to_save.get()); ++i) {
      PyObject* o = PyTuple_GET_ITEM(to_save.get(), i);
      check_type(o == Py_None || is_tensor(o), "save_for_backward can only save variables, but argument ", i,
                 " is of type ", type_name(o));
      Tensor t = o == Py_None ? Tensor() : tensor_of(o);
      bool is_output = t.defined() && grad_fn(t).get() == node_;
      node_->saved.emplace_back(t, is_output, is_output ? autograd_meta(t)->output_index : 0);
    }
    Object capsule = Object::check(PyCapsule_New(node_, nullptr, nullptr));
    if (PyObject_SetAttrString(ctx_.get(), "_node", capsule.get()) < 0) throw PythonError{};
    Object empty = Object::check(PyTuple_New(0));
    if (PyObject_SetAttrString(ctx_.get(), "to_save", empty.get()) < 0) throw PythonError{};
  }

  static inline PyObject* bind_ = nullptr;

  PyObject* cls_;
  Object forward_, setup_, args_, ctx_, outputs_, dirty_, blocked_;
  std::vector<Tensor> inputs_;
  std::vector<bool> is_tensor_argument_;
  bool separate_ = false;  // forward knows no ctx; setup_context gets it
  bool wanted_ = false;    // some input wants a gradient
  bool single_ = false;    // forward returned one thing, not a tuple
  FunctionNode* node_ = nullptr;
  Ref<Node> held_;
};

PyObject* function_apply(PyObject* cls, PyObject* args, PyObject* kwargs) {
  return guarded([&] { return Application(cls).run(args, kwargs); });
}

PyMethodDef function_methods[] = {{"apply", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(function_apply)),
                                   METH_VARARGS | METH_KEYWORDS | METH_CLASS, "Runs forward and records backward."},
                                  {nullptr, nullptr, 0, nullptr}};
PyMethodDef functions[] = {{"_saved_tensors", saved_tensors_of, METH_O, nullptr},
                           {"_node_of_context", node_of_context, METH_O, nullptr},
                           {nullptr, nullptr, 0, nullptr}};

}  // namespace

PyObject* context_of(Node& node) { return static_cast<FunctionNode&>(node).context(); }

int add_custom_functions(PyObject* module) {
  PyType_Slot slots[] = {{Py_tp_methods, function_methods}, {0, nullptr}};
  PyType_Spec spec{"torch._C._FunctionBase", sizeof(PyObject), 0,
                   static_cast<unsigned>(Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE), slots};
  Object base = Object::steal(PyType_FromSpec(&spec));
  if (!base || PyModule_AddObjectRef(module, "_FunctionBase", base.get()) < 0) return -1;
  return PyModule_AddFunctions(module, functions);
}

}  // namespace rl::py
