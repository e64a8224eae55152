// torch.NAME and Tensor.NAME: callables made from the registry.
#include <deque>

#include "ops/documentation.h"
#include "python/arguments.h"
#include "python/autocast.h"
#include "python/meta.h"

namespace rl::py {
namespace {

struct PyOp {
  PyObject_HEAD vectorcallfunc vectorcall;
  const std::string* name;  // as Python sees it
  const std::vector<OpDef*>* overloads;
  bool method;
  bool in_place;  // NAME_, derived from NAME
};
PyTypeObject *function_type, *method_type;

PyObject* struct_sequence(const OpDef& def, Result& result);

PyObject* run(const PyOp& op, const OpDef& def, Arguments& parsed) {
  CallScope scope(def, parsed.values());
  Result result;
  if (op.in_place) {
    result.kind = Result::Kind::Tensor;
    result.tensor = run_in_place(def, parsed.values());
    if (call_observer) [[unlikely]]
      call_observer(def, parsed.values(), result);
    return wrap(std::move(result.tensor));
  }
  if (parsed.out) [[unlikely]]
    take_dtype_of_out(def, parsed.out, parsed.values());
  std::optional<Autocast> casts;
  if (autocast_on) [[unlikely]]
    if (!parsed.out) casts.emplace().apply(def, parsed.values());
  if (parsed.out) {
    {
      const std::optional<Destination> place = offer_out(def, parsed.values(), parsed.out);
      call_op(def, parsed.values(), result);
    }
    return finish_out(def, parsed.values(), parsed.out, result);
  }
  call_op(def, parsed.values(), result);
  if (result.kind == Result::Kind::Tensor) return wrap(std::move(result.tensor));
  return from_result(def, result);
}

PyObject* op_vectorcall(PyObject* callable, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  const PyOp& op = *reinterpret_cast<PyOp*>(callable);
  Py_ssize_t nargs = PyVectorcall_NARGS(nargsf);
  return guarded([&]() -> PyObject* {
    PyObject* result;
    if (subclasses_exist) [[unlikely]]
      if (torch_function(callable, args, nargs, kwnames, result)) return result;
    Arguments parsed;
    for (const OpDef* def : *op.overloads)
      if ((op.method ? def->method : def->function) && (!op.in_place || def->in_place) &&
          parsed.match(*def, args, nargs, kwnames, op.method))
        return run(op, *def, parsed);
    if (torch_function_of_others(callable, args, nargs, kwnames, result)) return result;
    OlderOrder older;
    if (const OpDef& def = *op.overloads->front();
        in_older_order(*op.name, def, args, nargs, kwnames, op.method, older) &&
        parsed.match(def, older.args.data(), older.nargs, older.kwnames.get(), op.method))
      return run(op, def, parsed);
    bad_arguments(*op.name, *op.overloads, args, nargs, kwnames, op.method);
    return nullptr;
  });
}

PyObject* op_repr(PyObject* o) {
  const PyOp& op = *reinterpret_cast<PyOp*>(o);
  return PyUnicode_FromFormat(op.method ? "<method '%s' of 'torch.Tensor' objects>" : "<built-in method %s of torch>",
                              op.name->c_str());
}
PyObject* op_name(PyObject* o, void*) { return PyUnicode_FromString(reinterpret_cast<PyOp*>(o)->name->c_str()); }
PyObject* op_module(PyObject*, void*) { return PyUnicode_FromString("torch"); }
PyObject* op_doc(PyObject* o, void*) {
  const PyOp& op = *reinterpret_cast<PyOp*>(o);
  std::string text;
  for (const OpDef* def : *op.overloads) text += def->schema + "\n";
  if (op.in_place) text += concat("\nIn-place form of ", op.overloads->front()->name, "().\n");
  for (const bool with_example : {true, false})
    for (const OpDef* def : *op.overloads)
      if (*def->doc && (std::string_view(def->doc).find(">>>") != std::string_view::npos) == with_example)
        text += concat("\n", documentation(*def), with_example ? "" : "\n");
  return PyUnicode_FromString(text.c_str());
}
PyObject* op_reduce(PyObject* o, PyObject*) {
  const PyOp& op = *reinterpret_cast<PyOp*>(o);
  return reduced_as("attribute", Py_BuildValue("(s)", concat(op.method ? "Tensor." : "", *op.name).c_str()));
}
PyObject* method_get(PyObject* self, PyObject* object, PyObject*) {
  if (!object) return Py_NewRef(self);
  return PyMethod_New(self, object);
}
PyGetSetDef op_properties[] = {{"__name__", op_name, nullptr, nullptr, nullptr},
                               {"__qualname__", op_name, nullptr, nullptr, nullptr},
                               {"__module__", op_module, nullptr, nullptr, nullptr},
                               {"__doc__", op_doc, nullptr, nullptr, nullptr},
                               {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMethodDef op_methods[] = {{"__reduce__", op_reduce, METH_NOARGS, nullptr}, {nullptr, nullptr, 0, nullptr}};
PyMemberDef op_members[] = {{"__vectorcalloffset__", T_PYSSIZET, offsetof(PyOp, vectorcall), READONLY, nullptr},
                            {nullptr, 0, 0, 0, nullptr}};
void op_dealloc(PyObject* o) {
  PyTypeObject* type = Py_TYPE(o);
  type->tp_free(o);
  Py_DECREF(type);
}

PyObject* make_op(PyTypeObject* type, const std::string* name, const std::vector<OpDef*>* overloads, bool in_place) {
  PyOp* op = PyObject_New(PyOp, type);
  if (!op) return nullptr;
  op->vectorcall = op_vectorcall;
  op->name = name;
  op->overloads = overloads;
  op->method = type == method_type;
  op->in_place = in_place;
  return reinterpret_cast<PyObject*>(op);
}

// torch.return_types.max(values=..., indices=...)
PyObject* return_type_repr(PyObject* o) {
  std::string text = std::string(Py_TYPE(o)->tp_name) + "(\n";
  Object fields = Object::steal(PyObject_GetAttrString(reinterpret_cast<PyObject*>(Py_TYPE(o)), "__match_args__"));
  if (!fields) return nullptr;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(o); ++i) {
    Object item = Object::steal(PyObject_Repr(PyTuple_GET_ITEM(o, i)));
    if (!item) return nullptr;
    text +=
        concat(i ? ",\n" : "", PyUnicode_AsUTF8(PyTuple_GET_ITEM(fields.get(), i)), "=", PyUnicode_AsUTF8(item.get()));
  }
  return PyUnicode_FromString((text + ")").c_str());
}

PyObject* struct_sequence(const OpDef& def, Result& result) {
  static std::unordered_map<std::string, PyTypeObject*> types;
  PyTypeObject*& type = types[def.name];
  if (!type) {
    static std::deque<std::string> names;
    static std::deque<std::vector<PyStructSequence_Field>> all_fields;
    std::vector<PyStructSequence_Field>& fields = all_fields.emplace_back();
    for (auto& [letter, name] : def.returns) fields.push_back({name.c_str(), nullptr});
    fields.push_back({nullptr, nullptr});
    PyStructSequence_Desc desc{names.emplace_back("torch.return_types." + def.name).c_str(), nullptr, fields.data(),
                               static_cast<int>(def.returns.size())};
    type = PyStructSequence_NewType(&desc);
    if (!type) throw PythonError{};
    type->tp_repr = return_type_repr;
  }
  Object tuple = Object::check(PyStructSequence_New(type));
  for (size_t i = 0; i < result.tensors.size(); ++i)
    PyStructSequence_SET_ITEM(tuple.get(), static_cast<Py_ssize_t>(i), wrap(std::move(result.tensors[i])));
  return tuple.release();
}

PyObject* schemas(PyObject*, PyObject*) {
  Object list = Object::steal(PyList_New(0));
  for (const OpDef* def : Registry::get().ops()) {
    Object flags = Object::steal(PyList_New(0));
    auto flag = [&](bool on, const char* name) {
      if (on) PyList_Append(flags.get(), Object::steal(PyUnicode_FromString(name)).get());
    };
    flag(def->function, "function");
    flag(def->method, "method");
    flag(def->in_place, "inplace");
    for (const Param& p : def->params) flag(p.number, concat("number ", p.name).c_str());
    flag(def->pointwise != nullptr, "pointwise");
    Object row = Object::steal(Py_BuildValue("(ssO)", def->schema.c_str(), documentation(*def).c_str(), flags.get()));
    if (!row || PyList_Append(list.get(), row.get()) < 0) return nullptr;
  }
  return list.release();
}

PyMethodDef functions[] = {
    {"_schemas", schemas, METH_NOARGS, "All registered ops as (schema, doc, flags)."},
    {"_write_out", write_out_of_composite, METH_VARARGS, "Writes a result into an out= tensor, as ops do."},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

PyObject* from_result(const OpDef& def, Result& result) {
  switch (result.kind) {
    case Result::Kind::None: Py_RETURN_NONE;
    case Result::Kind::Tensor: return wrap(std::move(result.tensor));
    case Result::Kind::Tuple:
      if (!def.returns.empty() && !def.returns[0].second.empty()) return struct_sequence(def, result);
      [[fallthrough]];
    case Result::Kind::List: {
      Object tuple = Object::check(PyTuple_New(static_cast<Py_ssize_t>(result.tensors.size())));
      for (size_t i = 0; i < result.tensors.size(); ++i)
        PyTuple_SET_ITEM(tuple.get(), i, wrap(std::move(result.tensors[i])));
      return tuple.release();
    }
    case Result::Kind::Scalar:
    case Result::Kind::Bool:
    case Result::Kind::Int:
    case Result::Kind::Double: return from_scalar(result.scalar);
    case Result::Kind::DType: return Py_NewRef(dtype_object(result.dtype));
  }
  Py_RETURN_NONE;
}

const OpDef& find_op(const char* name, const char* overload) {
  for (const OpDef* def : Registry::get().overloads(name))
    if (!*overload || def->overload == overload) return *def;
  fail(ErrorKind::Runtime, "the op '", name, "' is not registered");
}

PyObject* call_from_python(const OpDef& def, const Value* args) {
  CallScope scope(def, args);
  Result result;
  call_op(def, args, result);
  if (result.kind == Result::Kind::Tensor) return wrap(std::move(result.tensor));
  return from_result(def, result);
}

int add_ops(PyObject* module) {
  auto make = [](const char* name, bool method) {
    PyType_Slot slots[] = {{Py_tp_repr, reinterpret_cast<void*>(op_repr)},
                           {Py_tp_call, reinterpret_cast<void*>(PyVectorcall_Call)},
                           {Py_tp_getset, op_properties},
                           {Py_tp_methods, op_methods},
                           {Py_tp_members, op_members},
                           {Py_tp_dealloc, reinterpret_cast<void*>(op_dealloc)},
                           {method ? Py_tp_descr_get : 0, reinterpret_cast<void*>(method_get)},
                           {0, nullptr}};
    PyType_Spec spec{
        name, sizeof(PyOp), 0,
        static_cast<unsigned>(Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL |
                              (method ? Py_TPFLAGS_METHOD_DESCRIPTOR : 0) | Py_TPFLAGS_DISALLOW_INSTANTIATION),
        slots};
    return reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  };
  function_type = make("torch.builtin_function", false);
  method_type = make("torch.builtin_method", true);
  if (!function_type || !method_type) return -1;
  Registry& registry = Registry::get();
  registry.load();
  static std::deque<std::string> names;
  for (const std::string& name : registry.names()) {
    const std::vector<OpDef*>& overloads = registry.overloads(name);
    bool function = false, method = false, in_place = false;
    for (const OpDef* def : overloads)
      function |= def->function, method |= def->method, in_place |= def->in_place && def->method;
    auto put = [&](const std::string& as, bool derived) {
      const std::string& kept = names.emplace_back(as);
      if (function) {
        Object op = Object::steal(make_op(function_type, &kept, &overloads, derived));
        if (!op || PyModule_AddObjectRef(module, kept.c_str(), op.get()) < 0) return false;
      }
      // Real Python methods (tensor_type.cpp) win over ops of the same name.
      if (method && !PyDict_GetItemString(tensor_type->tp_dict, kept.c_str())) {
        Object op = Object::steal(make_op(method_type, &kept, &overloads, derived));
        if (!op || PyObject_SetAttrString(reinterpret_cast<PyObject*>(tensor_type), kept.c_str(), op.get()) < 0)
          return false;
      }
      return true;
    };
    if (!put(name, false)) return -1;
    if (in_place && !registry.has(name + "_") && !put(name + "_", true)) return -1;
  }
  return PyModule_AddFunctions(module, functions);
}

}  // namespace rl::py
