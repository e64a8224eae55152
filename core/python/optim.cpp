// Optimizer steps, as the Python classes call them: groups are lists of dicts, state is a dict of dicts.
#include "ops/optim.h"

#include <algorithm>
#include <cstring>

#include "python/meta.h"
#include "python/python.h"

namespace rl::py {
namespace {

// A rule with its keys as Python strings.
struct BoundRule {
  const OptimRule& rule;
  std::vector<PyObject*> options, kept;  // interned, for good; counters come before states
};

const BoundRule& bound_rule(PyObject* name) {
  static const std::vector<BoundRule> all = [] {
    std::vector<BoundRule> made;
    for (const OptimRule& rule : optim_rules()) {
      BoundRule b{rule, {}, {}};
      for (const char* key : rule.options) b.options.push_back(PyUnicode_InternFromString(key));
      for (const auto* list : {&rule.counters, &rule.states})
        for (const OptimRule::State& s : *list) b.kept.push_back(PyUnicode_InternFromString(s.key));
      made.push_back(std::move(b));
    }
    return made;
  }();
  const char* text = PyUnicode_Check(name) ? PyUnicode_AsUTF8(name) : nullptr;
  if (text)
    for (const BoundRule& b : all)
      if (!std::strcmp(b.rule.name, text)) return b;
  PyErr_Format(PyExc_ValueError, "no optimizer rule %R", name);
  throw PythonError{};
}

// A borrowed reference, or null.
PyObject* find(PyObject* dict, PyObject* key) {
  PyObject* value = PyDict_GetItemWithError(dict, key);
  if (!value && PyErr_Occurred()) throw PythonError{};
  return value;
}
PyObject* find_required(PyObject* dict, PyObject* key) {
  PyObject* value = find(dict, key);
  if (value) return value;
  PyErr_SetObject(PyExc_KeyError, key);
  throw PythonError{};
}

[[noreturn]] void refuse(const char* what, PyObject* key, const char* wanted, PyObject* got) {
  fail(ErrorKind::Type, "an optimizer's ", what, " '", PyUnicode_AsUTF8(key), "' must be ", wanted, ", got ",
       type_name(got));
}

double number(PyObject* o, PyObject* key) {
  if (PyFloat_CheckExact(o)) return PyFloat_AS_DOUBLE(o);
  if (o == Py_True) return 1;
  if (o == Py_False || o == Py_None) return 0;
  if (is_tensor(o) && impl_of(o)->numel() == 1) return tensor_of(o).item().to_double();
  Scalar s;
  if (!to_scalar(o, s)) refuse("option", key, "a number", o);
  return s.to_double();
}

bool is_pair(PyObject* key) {
  static PyObject* const pairs[] = {PyUnicode_InternFromString("betas"), PyUnicode_InternFromString("etas"),
                                    PyUnicode_InternFromString("step_sizes")};
  return std::find(std::begin(pairs), std::end(pairs), key) != std::end(pairs);
}

size_t read_options(const BoundRule& bound, PyObject* group, double* out) {
  size_t n = 0;
  for (PyObject* key : bound.options) {
    PyObject* value = find_required(group, key);
    if (is_pair(key)) {
      if (!(PyTuple_Check(value) || PyList_Check(value)) || PySequence_Fast_GET_SIZE(value) != 2)
        refuse("option", key, "a pair", value);
      for (Py_ssize_t i = 0; i < 2; ++i) out[n++] = number(PySequence_Fast_GET_ITEM(value, i), key);
    } else {
      out[n++] = number(value, key);
    }
  }
  return n;
}

// A list as it is, another iterable as a list.
Object as_list(PyObject* o, const char* what) {
  if (PyList_Check(o)) return Object::borrow(o);
  if (PyDict_Check(o) || PyUnicode_Check(o) || is_tensor(o) || (!PyIter_Check(o) && !PySequence_Check(o)))
    fail(ErrorKind::Type, "an optimizer's ", what, " must be a list, got ", type_name(o));
  return Object::check(PySequence_List(o));
}

Object params_of(PyObject* group) {
  static PyObject* const key = PyUnicode_InternFromString("params");
  if (!PyDict_Check(group)) fail(ErrorKind::Type, "an optimizer's group must be a dict, got ", type_name(group));
  return as_list(find_required(group, key), "params");
}

const Tensor& grad_of(PyObject* param) {
  static const Tensor none;
  if (!is_tensor(param)) fail(ErrorKind::Type, "an optimizer's params must be Tensors, got ", type_name(param));
  const auto* meta = static_cast<AutogradMeta*>(impl_of(param)->autograd.get());
  return meta ? meta->grad : none;
}

// What a step reads of a parameter lies in many places, each found through the one before, and the last step's data have
// pushed them out of the near caches. They are asked for some parameters at a time, so that their waits are one.
constexpr Py_ssize_t kTogether = 32;
void fetch(PyObject* params, Py_ssize_t begin, Py_ssize_t end) {
  TensorImpl* found[kTogether];
  int n = 0, grads = 0;
  auto ask = [](const void* p) {
    __builtin_prefetch(p);
    __builtin_prefetch(static_cast<const char*>(p) + 64);
  };
  for (Py_ssize_t i = begin; i < end; ++i)
    if (PyObject* param = PyList_GET_ITEM(params, i); is_tensor(param)) ask(found[n++] = impl_of(param));
  for (int i = 0; i < n; ++i) {
    __builtin_prefetch(&found[i]->storage());
    if (const void* meta = found[i]->autograd.get()) __builtin_prefetch(meta);
  }
  for (int i = 0; i < n; ++i)
    if (const auto* meta = static_cast<AutogradMeta*>(found[i]->autograd.get()); meta && meta->grad.defined())
      ask(found[grads++] = meta->grad.get());
  for (int i = 0; i < grads; ++i) __builtin_prefetch(&found[i]->storage());
}

void add_param(const BoundRule& bound, OptimStep& step, PyObject* param, const Tensor& grad, PyObject* all_states) {
  const size_t counters = bound.rule.counters.size(), total = bound.kept.size();
  Tensor kept[OptimStep::kCounters + OptimStep::kStates];
  Object own = Object::borrow(find(all_states, param));
  if (!own) {
    own = Object::check(PyDict_New());
    if (PyDict_SetItem(all_states, param, own.get()) < 0) throw PythonError{};
  }
  if (!PyDict_Check(own.get()))
    fail(ErrorKind::Type, "an optimizer's state of a parameter must be a dict, got ", type_name(own.get()));
  for (size_t i = 0; i < total; ++i) {
    PyObject* value = find(own.get(), bound.kept[i]);
    if (!value || value == Py_None) continue;
    if (!is_tensor(value)) refuse("state", bound.kept[i], "a Tensor", value);
    kept[i] = tensor_of(value);
  }
  TensorImpl* before[OptimStep::kCounters + OptimStep::kStates];
  for (size_t i = 0; i < total; ++i) before[i] = kept[i].get();
  step.add(tensor_of(param), grad, {kept, counters}, {kept + counters, total - counters});
  for (size_t i = 0; i < total; ++i) {
    if (!kept[i].defined() || kept[i].get() == before[i]) continue;
    Object value = Object::steal(wrap(kept[i]));
    if (PyDict_SetItem(own.get(), bound.kept[i], value.get()) < 0) throw PythonError{};
  }
}

// _optim_step(rule, groups, state): the update of every parameter that has a gradient.
PyObject* optim_step(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  return guarded([&]() -> PyObject* {
    check_type(nargs == 3, "_optim_step takes 3 arguments, got ", nargs);
    const BoundRule& bound = bound_rule(args[0]);
    const Object groups = as_list(args[1], "param_groups");
    if (!PyDict_Check(args[2])) fail(ErrorKind::Type, "an optimizer's state must be a dict, got ", type_name(args[2]));
    OptimStep step(bound.rule);
    std::optional<MetaScope> meta;
    for (Py_ssize_t g = 0; g < PyList_GET_SIZE(groups.get()); ++g) {
      const Object group = Object::borrow(PyList_GET_ITEM(groups.get(), g));
      const Object held = params_of(group.get());
      PyObject* params = held.get();
      double options[2 * OptimStep::kOptions];
      step.set_options({options, read_options(bound, group.get(), options)});
      bool keeps = !bound.rule.counters.empty();
      for (const OptimRule::State& s : bound.rule.states) keeps = keeps || s.when < 0 || options[s.when] != 0;
      step.expect(static_cast<size_t>(PyList_GET_SIZE(params)));
      for (Py_ssize_t i = 0; i < PyList_GET_SIZE(params); ++i) {
        if (i % kTogether == 0) fetch(params, i, std::min(i + kTogether, PyList_GET_SIZE(params)));
        // Held, for the class of a parameter may be a program's, whose methods do what they like to the lists.
        const Object param = Object::borrow(PyList_GET_ITEM(params, i));
        const Tensor grad = grad_of(param.get());
        if (is_meta(grad) && !meta) meta.emplace(true);
        if (!grad.defined()) continue;
        if (keeps)
          add_param(bound, step, param.get(), grad, args[2]);
        else
          step.add(tensor_of(param.get()), grad, {}, {});
      }
    }
    step.run();
    Py_RETURN_NONE;
  });
}

// _optim_zero_grad(groups, set_to_none)
PyObject* optim_zero_grad(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  return guarded([&]() -> PyObject* {
    check_type(nargs == 2, "_optim_zero_grad takes 2 arguments, got ", nargs);
    const Object groups = as_list(args[0], "param_groups");
    const int forget = PyObject_IsTrue(args[1]);
    if (forget < 0) throw PythonError{};
    GradModeGuard off(false);
    for (Py_ssize_t g = 0; g < PyList_GET_SIZE(groups.get()); ++g) {
      const Object held = params_of(PyList_GET_ITEM(groups.get(), g));
      PyObject* params = held.get();
      for (Py_ssize_t i = 0; i < PyList_GET_SIZE(params); ++i) {
        const Object param = Object::borrow(PyList_GET_ITEM(params, i));
        if (!grad_of(param.get()).defined()) continue;
        Tensor& own = static_cast<AutogradMeta*>(impl_of(param.get())->autograd.get())->grad;
        if (forget) {
          const Tensor dropped = std::exchange(own, Tensor());  // freeing it may run Python code: it is gone by then
        } else if (is_leaf(own)) {
          set_requires_grad(own, false);
          zero_(own);
        } else {
          own = zeros_like(own);
        }
      }
    }
    Py_RETURN_NONE;
  });
}

PyMethodDef functions[] = {
    {"_optim_step", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(optim_step)), METH_FASTCALL, nullptr},
    {"_optim_zero_grad", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(optim_zero_grad)), METH_FASTCALL,
     nullptr},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

int add_optim(PyObject* module) { return PyModule_AddFunctions(module, functions); }

}  // namespace rl::py
