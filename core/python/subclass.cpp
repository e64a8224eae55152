// Subclasses of Tensor that users define: results take the class of the arguments, and __torch_function__ may step in.
// Nothing here runs before the first such class is defined.
#include <memory>

#include "ops/gradient.h"
#include "python/python.h"

namespace rl::py {

bool subclasses_exist = false;

namespace {

thread_local int disabled = 0;

struct Disabled {
  Disabled() { ++disabled; }
  ~Disabled() { --disabled; }
};

// The modes (torch.overrides.TorchFunctionMode) that are entered, owned; each hears of every function that is called within it.
// Behind a pointer: a thread's own memory is scarce in a library that is loaded late.
std::vector<PyObject*>& modes() {
  static thread_local std::unique_ptr<std::vector<PyObject*>> entered;
  if (!entered) entered = std::make_unique<std::vector<PyObject*>>();
  return *entered;
}

// While a mode answers, those around it hear what it calls, and it does not.
class InnermostMode {
 public:
  InnermostMode() : mode_(Object::steal(modes().back())) { modes().pop_back(); }
  ~InnermostMode() { modes().push_back(mode_.release()); }
  InnermostMode(const InnermostMode&) = delete;
  InnermostMode& operator=(const InnermostMode&) = delete;
  PyObject* get() const { return mode_.get(); }

 private:
  Object mode_;
};

PyObject* hook_name() {
  static PyObject* name = PyUnicode_InternFromString("__torch_function__");
  return name;
}

// Whether the class has a __torch_function__ of its own.
bool overrides(PyTypeObject* type) {
  return _PyType_Lookup(type, hook_name()) != _PyType_Lookup(tensor_type, hook_name());
}

void collect(PyObject* o, std::vector<PyObject*>& found, bool nested) {
  if (is_tensor(o)) {
    if (!is_subclassed(o)) return;
  } else if (nested && (PyList_Check(o) || PyTuple_Check(o))) {
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i) collect(PySequence_Fast_GET_ITEM(o, i), found, false);
    return;
  } else {
    return;
  }
  for (PyObject*& other : found) {
    if (Py_TYPE(other) == Py_TYPE(o)) return;
    // A derived class is asked before its base.
    if (PyType_IsSubtype(Py_TYPE(o), Py_TYPE(other))) {
      found.insert(found.begin() + (&other - found.data()), o);
      return;
    }
  }
  found.push_back(o);
}

Tensor alias_with_history(const Tensor& t) {
  Tensor copy = view_of(t, t.sizes(), t.strides(), t->offset());
  record("AliasBackward0", copy, {t}, {}, [](Backward& ctx) { ctx.set(0, ctx.grad()); });
  return copy;
}

// Steals `result`; Tensors in it that are no `type` yet become one.
PyObject* converted(PyObject* result, PyTypeObject* type) {
  Object held = Object::check(result);
  if (is_tensor(result)) {
    if (PyType_IsSubtype(Py_TYPE(result), type)) return held.release();
    return wrap_as(type, alias_with_history(tensor_of(result)));
  }
  if (PyList_CheckExact(result)) {
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(result); ++i) {
      PyObject* item = converted(Py_NewRef(PyList_GET_ITEM(result, i)), type);
      PyList_SetItem(result, i, item);
    }
  } else if (PyTuple_Check(result) && Py_TYPE(result) != size_type) {
    Object items = Object::check(PyTuple_New(PyTuple_GET_SIZE(result)));
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(result); ++i) {
      PyObject* item = converted(Py_NewRef(PyTuple_GET_ITEM(result, i)), type);
      PyTuple_SET_ITEM(items.get(), i, item);
    }
    if (PyTuple_CheckExact(result)) return items.release();
    return PyObject_CallOneArg(reinterpret_cast<PyObject*>(Py_TYPE(result)), items.get());  // named results
  }
  return held.release();
}

// `entered`: whether the innermost mode is asked first.
PyObject* ask(const std::vector<PyObject*>& who, PyObject* function, PyObject* const* args, Py_ssize_t nargs,
              PyObject* kwnames, bool entered = false) {
  Object types = Object::check(PyTuple_New(static_cast<Py_ssize_t>(who.size())));
  for (size_t i = 0; i < who.size(); ++i)
    PyTuple_SET_ITEM(types.get(), i, Py_NewRef(reinterpret_cast<PyObject*>(Py_TYPE(who[i]))));
  Object positional = Object::check(PyTuple_New(nargs));
  for (Py_ssize_t i = 0; i < nargs; ++i) PyTuple_SET_ITEM(positional.get(), i, Py_NewRef(args[i]));
  Object keywords = kwnames ? Object::check(PyDict_New()) : Object::borrow(Py_None);
  for (Py_ssize_t k = 0; kwnames && k < PyTuple_GET_SIZE(kwnames); ++k)
    if (PyDict_SetItem(keywords.get(), PyTuple_GET_ITEM(kwnames, k), args[nargs + k]) < 0) throw PythonError{};
  if (entered) {
    InnermostMode mode;
    Object options = keywords.get() == Py_None ? Object::check(PyDict_New()) : keywords;
    Object result = Object::check(PyObject_CallMethodObjArgs(mode.get(), hook_name(), function, types.get(),
                                                             positional.get(), options.get(), nullptr));
    if (result.get() != Py_NotImplemented) return result.release();
  }
  for (PyObject* o : who) {
    Object hook = Object::check(PyObject_GetAttr(reinterpret_cast<PyObject*>(Py_TYPE(o)), hook_name()));
    Object result = Object::check(
        PyObject_CallFunctionObjArgs(hook.get(), function, types.get(), positional.get(), keywords.get(), nullptr));
    if (result.get() != Py_NotImplemented) return result.release();
  }
  Object name = Object::steal(PyObject_GetAttrString(function, "__name__"));
  PyErr_Clear();
  PyErr_Format(PyExc_TypeError, "no implementation found for 'torch.%S' on types that implement __torch_function__: %R",
               name ? name.get() : function, types.get());
  throw PythonError{};
}

// Tensor.__torch_function__(func, types, args=(), kwargs=None): what happens without an override.
PyObject* default_torch_function(PyObject* cls, PyObject* args, PyObject* kwargs) {
  PyObject *function, *types, *positional = nullptr, *keywords = nullptr;
  static const char* names[] = {"func", "types", "args", "kwargs", nullptr};
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|OO:__torch_function__", const_cast<char**>(names), &function,
                                   &types, &positional, &keywords))
    return nullptr;
  return guarded([&]() -> PyObject* {
    Object list = Object::check(positional ? PySequence_Tuple(positional) : PyTuple_New(0));
    Disabled off;
    return converted(PyObject_Call(function, list.get(), keywords == Py_None ? nullptr : keywords),
                     reinterpret_cast<PyTypeObject*>(cls));
  });
}

// Runs the function as if no argument were of a subclass: `__torch_function__ = _disabled_torch_function_impl`.
PyObject* disabled_torch_function(PyObject*, PyObject* args) {
  PyObject *function, *types, *positional = nullptr, *keywords = nullptr;
  if (!PyArg_ParseTuple(args, "OO|OO", &function, &types, &positional, &keywords)) return nullptr;
  return guarded([&]() -> PyObject* {
    Object list = Object::check(positional ? PySequence_Tuple(positional) : PyTuple_New(0));
    Disabled off;
    return PyObject_Call(function, list.get(), keywords == Py_None ? nullptr : keywords);
  });
}

PyObject* change_disabled(PyObject*, PyObject* by) {
  disabled += static_cast<int>(PyLong_AsLong(by));
  return PyErr_Occurred() ? nullptr : PyLong_FromLong(disabled);
}

PyObject* enter_mode(PyObject*, PyObject* mode) {
  subclasses_exist = true;
  modes().push_back(Py_NewRef(mode));
  Py_RETURN_NONE;
}
PyObject* leave_mode(PyObject*, PyObject*) {
  if (modes().empty()) {
    PyErr_SetString(PyExc_RuntimeError, "no TorchFunctionMode is entered");
    return nullptr;
  }
  PyObject* mode = modes().back();
  modes().pop_back();
  return mode;
}
PyObject* entered_modes(PyObject*, PyObject*) { return PyLong_FromSize_t(modes().size()); }

PyObject* as_subclass(PyObject* self, PyObject* cls) {
  return guarded([&]() -> PyObject* {
    check_type(PyType_Check(cls) && PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(cls), tensor_type),
               "cls must be a type (got ", type_name(cls), ") that is a subclass of Tensor");
    return wrap_as(reinterpret_cast<PyTypeObject*>(cls), alias_with_history(tensor_of(self)));
  });
}

PyMethodDef module_functions[] = {{"_disabled_torch_function_impl", disabled_torch_function, METH_VARARGS, nullptr},
                                  {"_change_torch_function_disabled", change_disabled, METH_O, nullptr},
                                  {"_enter_function_mode", enter_mode, METH_O, nullptr},
                                  {"_leave_function_mode", leave_mode, METH_NOARGS, nullptr},
                                  {"_entered_function_modes", entered_modes, METH_NOARGS, nullptr},
                                  {nullptr, nullptr, 0, nullptr}};

}  // namespace

PyMethodDef subclass_class_methods[] = {
    {"__torch_function__", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(default_torch_function)),
     METH_VARARGS | METH_KEYWORDS | METH_CLASS,
     "Called for a function with an argument of this class: runs it and gives its results the class."},
    {nullptr, nullptr, 0, nullptr}};
PyMethodDef subclass_methods[] = {{"as_subclass", as_subclass, METH_O,
                                   "The same data as an instance of a subclass of Tensor; gradients flow through."},
                                  {nullptr, nullptr, 0, nullptr}};

bool is_subclassed(PyObject* o) {
  PyTypeObject* type = Py_TYPE(o);
  return type != tensor_type && type != parameter_type && PyType_IsSubtype(type, tensor_type) &&
         !(parameter_type && PyType_IsSubtype(type, parameter_type) && !overrides(type));
}

void note_subclass(PyTypeObject* type) {
  Object module = Object::steal(PyObject_GetAttrString(reinterpret_cast<PyObject*>(type), "__module__"));
  PyErr_Clear();
  // The package's own (Parameter) behave as plain tensors.
  if (module && PyUnicode_Check(module.get()) && text_of(module.get()).starts_with("rushlight.")) return;
  subclasses_exist = true;
}

bool torch_function(PyObject* function, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames, PyObject*& result) {
  if (disabled) return false;
  std::vector<PyObject*> found;
  Py_ssize_t all = nargs + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
  for (Py_ssize_t i = 0; i < all; ++i) collect(args[i], found, true);
  if (!modes().empty()) {
    std::erase_if(found, [](PyObject* o) { return !overrides(Py_TYPE(o)); });
    result = ask(found, function, args, nargs, kwnames, true);
    return true;
  }
  if (found.empty()) return false;
  bool overridden = false;
  for (PyObject* o : found) overridden |= overrides(Py_TYPE(o));
  if (overridden) {
    result = ask(found, function, args, nargs, kwnames);
  } else {
    Disabled off;
    result = converted(PyObject_Vectorcall(function, args, static_cast<size_t>(nargs), kwnames), Py_TYPE(found[0]));
  }
  return true;
}

bool torch_function_of_others(PyObject* function, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames,
                              PyObject*& result) {
  if (disabled) return false;
  std::vector<PyObject*> found;
  Py_ssize_t all = nargs + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
  for (Py_ssize_t i = 0; i < all; ++i)
    if (!is_tensor(args[i]) && _PyType_Lookup(Py_TYPE(args[i]), hook_name())) found.push_back(args[i]);
  if (found.empty()) return false;
  result = ask(found, function, args, nargs, kwnames);
  return true;
}

bool torch_function_of_operator(const char* method, PyObject* a, PyObject* b, PyObject*& result) {
  if (disabled) return false;
  PyObject* args[] = {a, b};
  Py_ssize_t n = b ? 2 : 1;
  if (modes().empty() && !is_subclassed(a) && !(b && is_subclassed(b))) return false;
  // With a number on the left, the function of the same name stands for the operator.
  Object home = is_tensor(a) ? Object::borrow(reinterpret_cast<PyObject*>(tensor_type))
                             : Object::check(PyImport_ImportModule("rushlight._C"));
  Object function = Object::check(PyObject_GetAttrString(home.get(), method));
  return torch_function(function.get(), args, n, nullptr, result);
}

PyObject* in_class_of(PyObject* self, PyObject* result) {
  if (!subclasses_exist || disabled || !result || !is_tensor_exact(result) || !is_subclassed(self)) return result;
  if (parameter_type && PyType_IsSubtype(Py_TYPE(self), parameter_type)) return result;  // as Parameter's own
  return converted(result, Py_TYPE(self));
}

int add_subclasses(PyObject* module) { return PyModule_AddFunctions(module, module_functions); }

}  // namespace rl::py
