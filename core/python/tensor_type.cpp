// The Tensor type: its objects, operators and conversions. Methods that are ops come from the registry (ops.cpp).
#include "python/autocast.h"
#include "python/autograd.h"
#include "python/meta.h"
#include "python/python.h"

namespace rl::py {

PyTypeObject* tensor_type;
PyTypeObject* parameter_type;

namespace {

PyObject* missing_hook;  // called with the name of an attribute that is not found
PyObject* repr_hook;

// --- life of an object -------------------------------------------------------------------------------------------------
// The Python object owns its TensorImpl. When Python lets go of an object whose tensor lives on in the core (a
// gradient, a saved tensor) and which carries state of its own (attributes, a subclass), the ownership turns round:
// the tensor keeps the object, and identity and attributes survive.
constexpr int kFreeObjects = 128;
PyTensor* free_objects[kFreeObjects];
int free_count = 0;

PyTensor* self_of(PyObject* o) { return reinterpret_cast<PyTensor*>(o); }

PyObject* new_object(TensorImpl* owned) {
  PyTensor* o;
  if (free_count > 0) {
    o = free_objects[--free_count];
    PyObject_Init(reinterpret_cast<PyObject*>(o), tensor_type);
  } else {
    o = PyObject_GC_New(PyTensor, tensor_type);
    if (!o) {
      owned->release();
      return nullptr;
    }
  }
  o->impl = owned;
  o->dict = nullptr;
  o->weakrefs = nullptr;
  owned->pyobj = o;
  return reinterpret_cast<PyObject*>(o);
}

// True if the object was brought back to life.
bool keep_alive(PyTensor* o) {
  TensorImpl* impl = o->impl;
  if (!impl || impl->use_count() <= 1 || impl->pyobj != o) return false;
  bool has_state = (o->dict && PyDict_Size(o->dict) > 0) || Py_TYPE(o) != tensor_type || o->weakrefs;
  if (!has_state) return false;
  Py_SET_REFCNT(reinterpret_cast<PyObject*>(o), 1);
#ifdef Py_TRACE_REFS
  _Py_NewReference(reinterpret_cast<PyObject*>(o));
#endif
  impl->owns_pyobj = true;
  impl->release();  // the object no longer owns the tensor
  return true;
}

void let_go(PyTensor* o) {
  if (o->weakrefs) PyObject_ClearWeakRefs(reinterpret_cast<PyObject*>(o));
  Py_CLEAR(o->dict);
  if (TensorImpl* impl = std::exchange(o->impl, nullptr)) {
    if (impl->owns_pyobj && impl->pyobj == nullptr) return;  // the tensor itself is dying (drop_pyobj)
    if (impl->pyobj == o) impl->pyobj = nullptr;
    impl->release();
  }
}

void tensor_dealloc(PyObject* self) {
  PyTensor* o = self_of(self);
  if (keep_alive(o)) return;
  PyObject_GC_UnTrack(self);
  PyTypeObject* type = Py_TYPE(self);
  let_go(o);
  if (type == tensor_type && free_count < kFreeObjects) {
    free_objects[free_count++] = o;
  } else {
    type->tp_free(self);
  }
  Py_DECREF(type);
}

// Subclasses: as CPython's own deallocation of heap types, with the chance to live on first.
void subclass_dealloc(PyObject* self) {
  PyTensor* o = self_of(self);
  PyTypeObject* type = Py_TYPE(self);
  if (type->tp_finalize && PyObject_CallFinalizerFromDealloc(self) < 0) return;
  if (keep_alive(o)) return;
  PyObject_GC_UnTrack(self);
  for (PyTypeObject* t = type; t && t != tensor_type; t = t->tp_base) {
    // __slots__ of Python subclasses
    if (Py_SIZE(t) <= 0) continue;
    PyMemberDef* members = reinterpret_cast<PyMemberDef*>(reinterpret_cast<char*>(t) + Py_TYPE(t)->tp_basicsize);
    for (Py_ssize_t i = 0; i < Py_SIZE(t); ++i) {
      if (members[i].type != T_OBJECT_EX || (members[i].flags & READONLY)) continue;
      PyObject** where = reinterpret_cast<PyObject**>(reinterpret_cast<char*>(self) + members[i].offset);
      Py_CLEAR(*where);
    }
  }
  let_go(o);
  type->tp_free(self);
  Py_DECREF(type);
}

void drop_object(void* object) {
  // The tensor is being destroyed and lets go of the object it kept.
  PyTensor* o = static_cast<PyTensor*>(object);
  o->impl = nullptr;
  Py_DECREF(reinterpret_cast<PyObject*>(o));
}

int tensor_traverse(PyObject* self, visitproc visit, void* arg) {
  Py_VISIT(Py_TYPE(self));
  Py_VISIT(self_of(self)->dict);
  TensorImpl* impl = self_of(self)->impl;
  return impl ? visit_autograd(*impl, visit, arg) : 0;
}
int tensor_clear(PyObject* self) {
  Py_CLEAR(self_of(self)->dict);
  if (TensorImpl* impl = self_of(self)->impl) clear_autograd(*impl);
  return 0;
}

PyObject* init_subclass(PyObject* cls, PyObject*) {
  return guarded([&]() -> PyObject* {
    PyTypeObject* type = reinterpret_cast<PyTypeObject*>(cls);
    if (type != tensor_type) {
      type->tp_dealloc = subclass_dealloc;
      note_subclass(type);
    }
    Py_RETURN_NONE;
  });
}

PyObject* make_subclass(PyObject*, PyObject* args, PyObject* kwargs) {
  PyObject *cls, *data;
  int requires_grad = 0;
  static const char* names[] = {"cls", "data", "require_grad", nullptr};
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "OO|p:_make_subclass", const_cast<char**>(names), &cls, &data,
                                   &requires_grad))
    return nullptr;
  return guarded([&]() -> PyObject* {
    check_type(PyType_Check(cls) && PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(cls), tensor_type),
               "cls must be a subclass of Tensor");
    check_type(is_tensor(data), "data must be a Tensor, not ", type_name(data));
    Tensor t = detach(tensor_of(data));
    if (requires_grad) set_requires_grad(t, true);
    return wrap_as(reinterpret_cast<PyTypeObject*>(cls), t);
  });
}

// torch.Tensor(...): the legacy constructor. Sizes, or data in the default dtype.
PyObject* tensor_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  return guarded([&]() -> PyObject* {
    if (kwargs && PyDict_Size(kwargs) > 0) {
      PyObject* device = PyDict_GetItemString(kwargs, "device");
      check_type(device && PyDict_Size(kwargs) == 1,
                 "new() received an invalid combination of arguments: only device= may be given by name");
      Device d = device_from(device);
      check(d.type == DeviceType::CPU, "legacy constructor expects device type: cpu but device type: ", d.str(),
            " was passed");
    }
    Tensor t = older_tensor(args, default_dtype(), type != tensor_type);
    return type == tensor_type ? wrap(t) : wrap_as(type, t);
  });
}

// --- attributes --------------------------------------------------------------------------------------------------------
PyObject* tensor_getattro(PyObject* self, PyObject* name) {
  PyObject* found = PyObject_GenericGetAttr(self, name);
  if (found || !missing_hook || !PyErr_ExceptionMatches(PyExc_AttributeError)) return found;
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  // The hook gives a function that becomes a method, or None; its own AttributeError has the better text.
  Object method = Object::steal(PyObject_CallOneArg(missing_hook, name));
  if (method.get() == Py_None) {
    PyErr_Restore(type, value, trace);
    return nullptr;
  }
  Py_XDECREF(type);
  Py_XDECREF(value);
  Py_XDECREF(trace);
  if (!method || PyObject_SetAttr(reinterpret_cast<PyObject*>(tensor_type), name, method.get()) < 0) return nullptr;
  return PyObject_GenericGetAttr(self, name);
}

int tensor_setattro(PyObject* self, PyObject* name, PyObject* value) {
  int r = PyObject_GenericSetAttr(self, name, value);
  // Attributes can make cycles: from here on the garbage collector looks at this object.
  if (r == 0 && self_of(self)->dict && !PyObject_GC_IsTracked(self)) PyObject_GC_Track(self);
  return r;
}

// --- operators ---------------------------------------------------------------------------------------------------------
struct Operators {
  const OpDef *add, *sub, *rsub, *mul, *div, *floor_divide, *remainder, *pow, *matmul, *bit_and, *bit_or, *bit_xor,
      *shl, *shr;
  const OpDef *eq, *ne, *lt, *le, *gt, *ge, *neg, *invert, *abs, *reciprocal, *positive;
} ops;

// An operand as a Value, made where the call will look for it; false if it is neither a Tensor nor a number.
struct Operand {
  explicit Operand(Value& place) : value(place) {}
  Value& value;
  Tensor held;
  Scalar beyond;  // a number from 2^63 on, or 0
  bool read(PyObject* o) {
    if (is_tensor(o)) {
      value.tag = Tag::Tensor;
      value.tensor = impl_of(o);
      return true;
    }
    Scalar s;
    if (!to_scalar(o, s, false)) return false;
    if (s.is_beyond_int64()) [[unlikely]]
      beyond = s;
    hold(s);
    return true;
  }
  void hold(const Scalar& s) {
    held = Tensor::wrapped(s);
    value.tag = Tag::Tensor;
    value.tensor = held.get();
  }
};

// A number that an int64 does not hold wraps beside integers, and only there.
void settle(Operand& x, Operand& y) {
  for (auto [number, other] : {std::pair(&x, &y), std::pair(&y, &x)})
    if (number->beyond.is_beyond_int64() && !is_integral(other->value.tensor->dtype())) [[unlikely]]
      number->hold(Scalar(number->beyond.to_double()));
}

PyObject* binary(const OpDef* def, PyObject* a, PyObject* b) {
  return guarded([&]() -> PyObject* {
    Value args[3];
    Operand x(args[0]), y(args[1]);
    if (!x.read(a) || !y.read(b)) Py_RETURN_NOTIMPLEMENTED;
    if (x.held.defined() || y.held.defined()) settle(x, y);
    PyObject* result;
    if (subclasses_exist) [[unlikely]]
      if (torch_function_of_operator(def->name.c_str(), a, b, result)) return result;
    if (def->params.size() > 2) args[2] = def->params[2].value;
    std::optional<Autocast> casts;
    if (autocast_on) [[unlikely]]
      casts.emplace().apply(*def, args);
    return call_from_python(*def, args);
  });
}

PyObject* unary(const OpDef* def, PyObject* a) {
  return guarded([&]() -> PyObject* {
    PyObject* result;
    if (subclasses_exist) [[unlikely]]
      if (torch_function_of_operator(def->name.c_str(), a, nullptr, result)) return result;
    Value args[1] = {Value(tensor_of(a))};
    return call_from_python(*def, args);
  });
}

PyObject* in_place(const OpDef* def, PyObject* a, PyObject* b) {
  return guarded([&]() -> PyObject* {
    Value args[3];
    Operand x(args[0]), y(args[1]);
    if (!x.read(a) || !y.read(b)) Py_RETURN_NOTIMPLEMENTED;
    if (x.held.defined() || y.held.defined()) settle(x, y);
    PyObject* result;
    if (subclasses_exist) [[unlikely]]
      if (torch_function_of_operator((def->name + "_").c_str(), a, b, result)) return result;
    if (def->params.size() > 2) args[2] = def->params[2].value;
    CallScope scope(*def, args);
    Tensor out = run_in_place(*def, args);
    if (call_observer) [[unlikely]] {
      Result result;
      result.kind = Result::Kind::Tensor;
      result.tensor = out;
      call_observer(*def, args, result);
    }
    return Py_NewRef(a);
  });
}

template <const OpDef* Operators::* Op>
PyObject* nb_binary(PyObject* a, PyObject* b) {
  return binary(ops.*Op, a, b);
}
template <const OpDef* Operators::* Op>
PyObject* nb_unary(PyObject* a) {
  return unary(ops.*Op, a);
}
template <const OpDef* Operators::* Op>
PyObject* nb_in_place(PyObject* a, PyObject* b) {
  return in_place(ops.*Op, a, b);
}
PyObject* nb_not(PyObject* a) {
  DType d = impl_of(a)->dtype();
  if (!is_integral(d)) {
    PyErr_Format(PyExc_TypeError,
                 "~ (operator.invert) is only implemented on integer and Boolean-type tensors, not on torch.%s",
                 dtype_name(d));
    return nullptr;
  }
  return unary(ops.invert, a);
}
PyObject* nb_subtract(PyObject* a, PyObject* b) {
  return is_tensor(a) ? binary(ops.sub, a, b) : binary(ops.rsub, b, a);
}
// A number over a tensor is the tensor's reciprocal times the number, as in torch: in its last bits and in its history.
PyObject* nb_true_divide(PyObject* a, PyObject* b) {
  if (is_tensor(a)) return binary(ops.div, a, b);
  Scalar number;
  int is_number = guarded([&]() -> int { return to_scalar(a, number, false); }, -1);
  if (is_number < 0) return nullptr;
  if (!is_number && !is_array(a)) return Py_NewRef(Py_NotImplemented);
  Object inverse = Object::steal(unary(ops.reciprocal, b));
  return inverse ? PyNumber_Multiply(inverse.get(), a) : nullptr;  // an array multiplies by itself
}
PyObject* nb_power(PyObject* a, PyObject* b, PyObject* modulus) {
  if (modulus != Py_None) return Py_NewRef(Py_NotImplemented);
  return guarded([&]() -> PyObject* {
    Scalar s;
    PyObject* result;
    if (subclasses_exist && is_tensor(a)) [[unlikely]]
      if (torch_function_of_operator("pow", a, b, result)) return result;
    if (is_tensor(a) && !is_tensor(b) && to_scalar(b, s, false)) {
      static const OpDef& with_scalar = find_op("pow", "Tensor_Scalar");
      Value args[2] = {Value(tensor_of(a)), Value(s)};
      return call_from_python(with_scalar, args);
    }
    return binary(ops.pow, a, b);
  });
}
PyObject* nb_in_place_power(PyObject* a, PyObject* b, PyObject*) { return in_place(ops.pow, a, b); }
PyObject* nb_matmul(PyObject* a, PyObject* b) {
  if (!is_tensor(a) || !is_tensor(b)) Py_RETURN_NOTIMPLEMENTED;
  return binary(ops.matmul, a, b);
}

PyObject* rich_compare(PyObject* a, PyObject* b, int op) {
  const OpDef* table[] = {ops.lt, ops.le, ops.eq, ops.ne, ops.gt, ops.ge};
  if (b == Py_None) {
    if (op == Py_EQ) Py_RETURN_FALSE;
    if (op == Py_NE) Py_RETURN_TRUE;
  }
  // NumPy gives way in comparisons: == is told by values, as in torch.
  if (op == Py_EQ && !is_tensor(b) && is_array(b)) {
    Object converted;
    int shared = guarded(
        [&]() -> int {
          Tensor t;
          if (!tensor_from_buffer(b, t)) return 0;
          converted = Object::check(wrap(t));
          return 1;
        },
        -1);
    if (shared > 0) return binary(ops.eq, a, converted.get());
    PyErr_Clear();
  }
  return binary(table[op], a, b);
}
Py_hash_t tensor_hash(PyObject* o) { return static_cast<Py_hash_t>(reinterpret_cast<uintptr_t>(o)); }  // id(t)

const char* one_value(const Tensor& t) { return t.numel() == 1 ? nullptr : "numel"; }

int nb_bool(PyObject* o) {
  return guarded(
      [&]() -> int {
        Tensor t = tensor_of(o);
        check(t.numel() != 0, "Boolean value of Tensor with no values is ambiguous");
        check(t.numel() == 1,
              "Boolean value of Tensor with more than one value is ambiguous: use t.any() or t.all(); shape ",
              shape_str(t.sizes()));
        return t.item().to_bool();
      },
      -1);
}
Scalar single(PyObject* o) {
  Tensor t = tensor_of(o);
  if (one_value(t))
    fail(ErrorKind::Value, "only one element tensors can be converted to Python scalars: this one has shape ",
         shape_str(t.sizes()), "; index one element or reduce it first");
  return t.item();
}
PyObject* nb_float(PyObject* o) {
  return guarded([&]() -> PyObject* {
    Scalar s = single(o);
    check(!s.is_complex() || s.to_complex().imag() == 0, "value cannot be converted to type double without overflow");
    return PyFloat_FromDouble(s.to_double());
  });
}
PyObject* nb_int(PyObject* o) {
  return guarded([&]() -> PyObject* {
    Scalar s = single(o);
    if (s.is_integral()) return PyLong_FromLongLong(s.to_int());
    return PyLong_FromDouble(s.to_double());
  });
}
PyObject* nb_index(PyObject* o) {
  return guarded([&]() -> PyObject* {
    Tensor t = tensor_of(o);
    check_type(t.numel() == 1 && is_integral(t.dtype()),
               "only integer tensors of a single element can be converted to an index");
    return PyLong_FromLongLong(t.item().to_int());
  });
}

Py_ssize_t tensor_length(PyObject* o) {
  TensorImpl* t = impl_of(o);
  if (t->dim() == 0) {
    PyErr_SetString(PyExc_TypeError, "len() of a 0-d tensor");
    return -1;
  }
  return t->sizes()[0];
}
PyObject* tensor_item_at(PyObject* self, Py_ssize_t i) {
  return guarded([&]() -> PyObject* {
    Tensor t = tensor_of(self);
    check_index(t.dim() > 0 && i >= 0 && i < t.sizes()[0], "index ", i, " is out of bounds for dimension 0 with size ",
                t.dim() ? t.sizes()[0] : 0);
    return wrap(select(t, 0, i));
  });
}
PyObject* tensor_iter(PyObject* self) {
  if (impl_of(self)->dim() == 0) {
    PyErr_SetString(PyExc_TypeError, "iteration over a 0-d tensor");
    return nullptr;
  }
  // As torch: iterating unbinds first, so the loop sees the tensor as it was.
  Object parts = Object::steal(PyObject_CallMethod(self, "unbind", "i", 0));
  return parts ? PyObject_GetIter(parts.get()) : nullptr;
}
PyObject* tensor_repr(PyObject* self) {
  if (repr_hook) return PyObject_CallFunctionObjArgs(repr_hook, self, nullptr);
  return PyUnicode_FromFormat("<torch.Tensor %s>", shape_str(impl_of(self)->sizes()).str().c_str());
}

PyObject* set_missing_hook(PyObject*, PyObject* hook) {
  Py_XSETREF(missing_hook, Py_NewRef(hook));
  Py_RETURN_NONE;
}
PyObject* set_repr_hook(PyObject*, PyObject* hook) {
  Py_XSETREF(repr_hook, Py_NewRef(hook));
  Py_RETURN_NONE;
}
PyObject* set_parameter_type(PyObject*, PyObject* type) {
  parameter_type = reinterpret_cast<PyTypeObject*>(Py_NewRef(type));
  Py_RETURN_NONE;
}

PyMethodDef class_methods[] = {{"__init_subclass__", init_subclass, METH_NOARGS | METH_CLASS, nullptr},
                               {"_make_subclass", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(make_subclass)),
                                METH_VARARGS | METH_KEYWORDS | METH_STATIC, nullptr},
                               {nullptr, nullptr, 0, nullptr}};
PyMethodDef module_functions[] = {{"_set_missing_attribute_hook", set_missing_hook, METH_O, nullptr},
                                  {"_set_repr_hook", set_repr_hook, METH_O, nullptr},
                                  {"_set_parameter_type", set_parameter_type, METH_O, nullptr},
                                  {nullptr, nullptr, 0, nullptr}};

PyMemberDef members[] = {{"__dictoffset__", T_PYSSIZET, offsetof(PyTensor, dict), READONLY, nullptr},
                         {"__weaklistoffset__", T_PYSSIZET, offsetof(PyTensor, weakrefs), READONLY, nullptr},
                         {nullptr, 0, 0, 0, nullptr}};

template <class F>
void* slot(F* f) {
  return reinterpret_cast<void*>(f);
}

int add_methods(PyMethodDef* methods) {
  for (PyMethodDef* m = methods; m->ml_name; ++m) {
    PyObject* d = m->ml_flags & METH_STATIC  ? PyCFunction_New(m, nullptr)
                  : m->ml_flags & METH_CLASS ? PyDescr_NewClassMethod(tensor_type, m)
                                             : PyDescr_NewMethod(tensor_type, m);
    if (d && (m->ml_flags & METH_STATIC)) {
      Object f = Object::steal(d);
      d = PyStaticMethod_New(f.get());
    }
    Object held = Object::steal(d);
    if (!held || PyObject_SetAttrString(reinterpret_cast<PyObject*>(tensor_type), m->ml_name, held.get()) < 0)
      return -1;
  }
  return 0;
}

}  // namespace

PyObject* wrap(Tensor t) {
  if (!t.defined()) Py_RETURN_NONE;
  TensorImpl* impl = t.get();
  if (impl->pyobj) {
    PyObject* o = static_cast<PyObject*>(impl->pyobj);
    if (impl->owns_pyobj) {
      // Back in Python's hands: the object owns the tensor again, and we hand on the tensor's reference to it.
      impl->owns_pyobj = false;
      impl->retain();
      return o;
    }
    return Py_NewRef(o);
  }
  // A view of an ordinary tensor stays ordinary in inference mode.
  if (grad_mode.inference && !(t->base && !t->base->inference)) [[unlikely]]
    t->inference = true;
  return new_object(t.take().leak());
}

PyObject* wrap_as(PyTypeObject* type, const Tensor& t) {
  PyObject* o = type->tp_alloc(type, 0);
  if (!o) return nullptr;
  self_of(o)->impl = Tensor(t).take().leak();
  t->pyobj = o;
  return o;
}

int add_tensor_type(PyObject* module) {
  PyType_Slot slots[] = {
      {Py_tp_new, slot(tensor_new)},
      {Py_tp_dealloc, slot(tensor_dealloc)},
      {Py_tp_traverse, slot(tensor_traverse)},
      {Py_tp_clear, slot(tensor_clear)},
      {Py_tp_getattro, slot(tensor_getattro)},
      {Py_tp_setattro, slot(tensor_setattro)},
      {Py_tp_members, members},
      {Py_tp_methods, class_methods},
      {Py_tp_getset, tensor_properties},
      {Py_tp_richcompare, slot(rich_compare)},
      {Py_tp_hash, slot(tensor_hash)},
      {Py_tp_repr, slot(tensor_repr)},
      {Py_tp_iter, slot(tensor_iter)},
      {Py_mp_length, slot(tensor_length)},
      {Py_mp_subscript, slot(tensor_getitem)},
      {Py_mp_ass_subscript, slot(tensor_setitem)},
      {Py_sq_length, slot(tensor_length)},
      {Py_sq_item, slot(tensor_item_at)},
      {Py_nb_add, slot(nb_binary<&Operators::add>)},
      {Py_nb_subtract, slot(nb_subtract)},
      {Py_nb_multiply, slot(nb_binary<&Operators::mul>)},
      {Py_nb_true_divide, slot(nb_true_divide)},
      {Py_nb_floor_divide, slot(nb_binary<&Operators::floor_divide>)},
      {Py_nb_remainder, slot(nb_binary<&Operators::remainder>)},
      {Py_nb_power, slot(nb_power)},
      {Py_nb_matrix_multiply, slot(nb_matmul)},
      {Py_nb_and, slot(nb_binary<&Operators::bit_and>)},
      {Py_nb_or, slot(nb_binary<&Operators::bit_or>)},
      {Py_nb_xor, slot(nb_binary<&Operators::bit_xor>)},
      {Py_nb_lshift, slot(nb_binary<&Operators::shl>)},
      {Py_nb_rshift, slot(nb_binary<&Operators::shr>)},
      {Py_nb_inplace_add, slot(nb_in_place<&Operators::add>)},
      {Py_nb_inplace_subtract, slot(nb_in_place<&Operators::sub>)},
      {Py_nb_inplace_multiply, slot(nb_in_place<&Operators::mul>)},
      {Py_nb_inplace_true_divide, slot(nb_in_place<&Operators::div>)},
      {Py_nb_inplace_floor_divide, slot(nb_in_place<&Operators::floor_divide>)},
      {Py_nb_inplace_remainder, slot(nb_in_place<&Operators::remainder>)},
      {Py_nb_inplace_power, slot(nb_in_place_power)},
      {Py_nb_inplace_and, slot(nb_in_place<&Operators::bit_and>)},
      {Py_nb_inplace_or, slot(nb_in_place<&Operators::bit_or>)},
      {Py_nb_inplace_xor, slot(nb_in_place<&Operators::bit_xor>)},
      {Py_nb_inplace_lshift, slot(nb_in_place<&Operators::shl>)},
      {Py_nb_inplace_rshift, slot(nb_in_place<&Operators::shr>)},
      {Py_nb_negative, slot(nb_unary<&Operators::neg>)},
      {Py_nb_positive, slot(nb_unary<&Operators::positive>)},
      {Py_nb_absolute, slot(nb_unary<&Operators::abs>)},
      {Py_nb_invert, slot(nb_not)},
      {Py_nb_bool, slot(nb_bool)},
      {Py_nb_float, slot(nb_float)},
      {Py_nb_int, slot(nb_int)},
      {Py_nb_index, slot(nb_index)},
      {Py_bf_getbuffer, slot(tensor_buffer.bf_getbuffer)},
      {Py_bf_releasebuffer, slot(tensor_buffer.bf_releasebuffer)},
      {Py_tp_doc, const_cast<char*>(
                      "A multi-dimensional array of one dtype that can record the operations on it, for gradients.\n\n"
                      ">>> x = torch.tensor([[1., 2.], [3., 4.]], requires_grad=True)\n"
                      ">>> x.shape, x.dtype, x.device\n"
                      "(torch.Size([2, 2]), torch.float32, device(type='cpu'))\n"
                      ">>> (x @ x).sum().backward()\n"
                      ">>> x.grad\ntensor([[ 7., 11.],\n        [ 9., 13.]])\n")},
      {0, nullptr}};
  PyType_Spec spec{"torch.Tensor", sizeof(PyTensor), 0,
                   static_cast<unsigned>(Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC), slots};
  tensor_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  if (!tensor_type || PyModule_AddObjectRef(module, "Tensor", reinterpret_cast<PyObject*>(tensor_type)) < 0) return -1;
  tensor_type->tp_name = "Tensor";  // Python's own messages call it so
  TensorImpl::drop_pyobj = drop_object;
  if (add_methods(tensor_methods) < 0 || add_methods(interop_methods) < 0 || add_methods(autograd_methods) < 0 ||
      add_methods(subclass_methods) < 0 || add_methods(subclass_class_methods) < 0)
    return -1;
  if (add_ops(module) < 0) return -1;
  int failed = guarded(
      [&] {
        auto get = [](const char* name) { return &find_op(name); };
        ops = {.add = get("add"),
               .sub = get("sub"),
               .rsub = get("rsub"),
               .mul = get("mul"),
               .div = get("div"),
               .floor_divide = get("floor_divide"),
               .remainder = get("remainder"),
               .pow = &find_op("pow", "Tensor_Tensor"),
               .matmul = get("matmul"),
               .bit_and = get("bitwise_and"),
               .bit_or = get("bitwise_or"),
               .bit_xor = get("bitwise_xor"),
               .shl = get("bitwise_left_shift"),
               .shr = get("bitwise_right_shift"),
               .eq = get("eq"),
               .ne = get("ne"),
               .lt = get("lt"),
               .le = get("le"),
               .gt = get("gt"),
               .ge = get("ge"),
               .neg = get("neg"),
               .invert = get("bitwise_not"),
               .abs = get("abs"),
               .reciprocal = get("reciprocal"),
               .positive = get("positive")};
        return 0;
      },
      -1);
  if (failed) return -1;
  return PyModule_AddFunctions(module, module_functions);
}

}  // namespace rl::py
