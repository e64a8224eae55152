// torch.tensor, torch.as_tensor, torch.from_numpy and kin: tensors from Python data.
#include <cstring>

#include "ops/basic.h"
#include "ops/creation.h"
#include "python/meta.h"
#include "python/python.h"

namespace rl::py {
namespace {

bool is_sequence(PyObject* o) {
  return PyList_Check(o) || PyTuple_Check(o) ||
         (PySequence_Check(o) && !PyUnicode_Check(o) && !PyBytes_Check(o) && !is_tensor(o) && !PyDict_Check(o));
}

// Calls f with each item. Reading a sequence may run a program's code: what it said of its length, and what a list was,
// need not hold, and it may be let go of meanwhile.
template <class F>
void for_items(PyObject* o, Py_ssize_t n, int64_t depth, F f) {
  const Object held = Object::borrow(o), items = Object::check(PySequence_Fast(o, "expected a sequence"));
  const bool tuple = PyTuple_Check(items.get());
  for (Py_ssize_t i = 0; i < n; ++i) {
    check_value(Py_SIZE(items.get()) == n, "expected sequence of length ", n, " at dim ", depth, " (got ",
                Py_SIZE(items.get()), ")");
    f(tuple ? PyTuple_GET_ITEM(items.get(), i) : PyList_GET_ITEM(items.get(), i));
  }
}

// What the data hold: bool < int < float < complex.
struct Survey {
  Dims sizes;
  Scalar::Kind kind = Scalar::Kind::Bool;
  bool any = false;
  std::optional<DType> of_tensor;  // elements that are tensors or NumPy scalars carry their own dtype

  void take_dtype(DType d) {
    of_tensor = of_tensor ? promote(*of_tensor, d) : d;
    any = true;
  }

  void item(PyObject* o) {
    if (PyBool_Check(o))
      raise(Scalar::Kind::Bool);
    else if (PyLong_Check(o))
      raise(Scalar::Kind::Int);
    else if (PyFloat_Check(o)) {
      if (is_numpy_scalar(o))
        take_dtype(DType::F64);
      else
        raise(Scalar::Kind::Float);
    } else if (PyComplex_Check(o))
      raise(Scalar::Kind::Complex);
    else if (is_tensor(o))
      take_dtype(impl_of(o)->dtype());
    else if (is_numpy_scalar(o)) {
      Tensor t;
      if (tensor_from_buffer(o, t))
        take_dtype(t.dtype());
      else {
        PyErr_Clear();
        Scalar s;
        if (!to_scalar(o, s)) fail(ErrorKind::Type, "can't convert ", type_name(o), " to a tensor element");
        raise(s.kind());
      }
    } else if (PyUnicode_Check(o))
      fail(ErrorKind::Value, "too many dimensions 'str'");
    else
      fail(ErrorKind::Runtime, "Could not infer dtype of ", type_name(o));
  }
  void raise(Scalar::Kind k) {
    any = true;
    if (k > kind) kind = k;
  }

  void walk(PyObject* o, int64_t depth) {
    check_value(depth < 64, "too many dimensions '", type_name(o),
                "' (nested deeper than 64: a list that contains itself?)");
    if (!is_sequence(o)) {
      if (is_tensor(o) && impl_of(o)->dim() > 0) {
        check_value(impl_of(o)->numel() == 1, "only one element tensors can be converted to Python scalars");
      }
      check_type(depth == sizes.size(), "expected sequence of length ", depth < sizes.size() ? sizes[depth] : 0,
                 " at dim ", depth, " (got ", type_name(o), "): the nested lists must all have the same shape");
      item(o);
      return;
    }
    Py_ssize_t n = PySequence_Size(o);
    if (n < 0) throw PythonError{};
    check_type(depth < sizes.size(), "expected a number at dim ", depth,
               " (got a sequence): the nested lists must all have the same shape");
    check_value(n == sizes[depth], "expected sequence of length ", sizes[depth], " at dim ", depth, " (got ", n,
                "): the nested lists must all have the same shape");
    for_items(o, n, depth, [&](PyObject* item) { walk(item, depth + 1); });
  }

  void shape_of(PyObject* o) {
    Object current = Object::borrow(o);
    while (is_sequence(current.get())) {
      Py_ssize_t n = PySequence_Size(current.get());
      if (n < 0) throw PythonError{};
      sizes.push_back(n);
      check_value(sizes.size() <= 64, "too many dimensions '", type_name(o), "'");
      if (n == 0) return;
      current = Object::check(PySequence_GetItem(current.get(), 0));
    }
  }

  DType dtype() const {
    if (!any) return default_dtype();
    DType number = kind == Scalar::Kind::Bool    ? DType::Bool
                   : kind == Scalar::Kind::Int   ? DType::I64
                   : kind == Scalar::Kind::Float ? default_dtype()
                                                 : default_complex();
    if (!of_tensor) return number;
    return kind == Scalar::Kind::Bool ? *of_tensor : promote(*of_tensor, number);
  }
};

// A Python int as T needs it: beyond int64 it is still a float, or true.
template <class T>
Scalar whole(PyObject* o) {
  int overflow = 0;
  long long v = PyLong_AsLongLongAndOverflow(o, &overflow);
  if (!overflow) return Scalar(static_cast<int64_t>(v));
  if constexpr (std::is_same_v<T, bool>) return Scalar(true);
  if constexpr (std::is_integral_v<T>)
    fail(ErrorKind::Value, "Overflow when unpacking long long: the Python int does not fit into 64 bits");
  double d = PyLong_AsDouble(o);
  if (d == -1 && PyErr_Occurred()) throw PythonError{};
  return Scalar(d);
}

template <class T>
T element(PyObject* o) {
  Scalar s;
  if (PyFloat_CheckExact(o))
    s = Scalar(PyFloat_AS_DOUBLE(o));
  else if (PyLong_Check(o) && !PyBool_Check(o))
    s = whole<T>(o);
  else if (is_tensor(o))
    s = tensor_of(o).item();
  else if (!to_scalar(o, s))
    fail(ErrorKind::Type, "must be real number, not ", type_name(o));
  if (s.is_complex() && !is_complex_v<T> && !std::is_same_v<T, bool>)
    fail(ErrorKind::Type, "can't convert complex to ", dtype_name(dtype_of_v<T>));
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    if (!fits(s, dtype_of_v<T>))
      fail(ErrorKind::Runtime, "value cannot be converted to type ", dtype_name(dtype_of_v<T>),
           " without overflow: ", s.to_double());
  }
  return s.to<T>();
}

template <class T>
T* fill(PyObject* o, T* out, const Dims& sizes, int64_t depth) {
  if (depth == sizes.size()) {
    *out = element<T>(o);
    return out + 1;
  }
  for_items(o, sizes[depth], depth, [&](PyObject* item) { out = fill(item, out, sizes, depth + 1); });
  return out;
}

struct Parsed {
  PyObject* data;
  std::optional<DType> dtype;
  std::optional<Device> device;
  bool requires_grad = false;

  bool from_meta() const { return is_tensor(data) && is_meta(tensor_of(data)); }
  // The tensor made of the data, where it was asked for.
  Tensor placed(Tensor t) const {
    if (!detail::meta_used) [[likely]]
      return t;
    const bool meta = (device        ? *device
                       : from_meta() ? device_of(tensor_of(data))
                                     : default_device)
                          .type == DeviceType::Meta;
    if (!meta) check_has_data(t);
    return meta && !is_meta(t) ? meta_like(t) : t;
  }
};

bool parse(const char* name, PyObject* args, PyObject* kwargs, Parsed& out) {
  PyObject *data, *dtype = Py_None, *device = Py_None, *pin = Py_None;
  int requires_grad = 0;
  static const char* names[] = {"data", "dtype", "device", "requires_grad", "pin_memory", nullptr};
  std::string format = std::string("O|$OOpO:") + name;
  if (std::strcmp(name, "as_tensor") == 0) format = std::string("O|OOpO:") + name;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, format.c_str(), const_cast<char**>(names), &data, &dtype, &device,
                                   &requires_grad, &pin))
    return false;
  return guarded([&] {
    out.data = data;
    if (dtype != Py_None) {
      check_type(is_dtype(dtype), name, "(): argument 'dtype' must be torch.dtype, not ", type_name(dtype));
      out.dtype = dtype_from(dtype);
    }
    if (device != Py_None) {
      check_type(is_device(device), name, "(): argument 'device' must be torch.device, not ", type_name(device));
      out.device = existing_device(device);
    }
    out.requires_grad = requires_grad != 0;
    return true;
  });
}

PyObject* tensor(PyObject*, PyObject* args, PyObject* kwargs) {
  Parsed p;
  if (!parse("tensor", args, kwargs, p)) return nullptr;
  return guarded([&]() -> PyObject* {
    if (is_tensor(p.data)) {
      if (PyErr_WarnEx(PyExc_UserWarning,
                       "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
                       "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor).",
                       1) < 0)
        throw PythonError{};
    }
    CallScope scope(p.from_meta());
    Tensor t = p.placed(tensor_from_data(p.data, p.dtype, true));
    if (p.requires_grad) set_requires_grad(t, true);
    t->inference = grad_mode.inference;
    return wrap(t);
  });
}

PyObject* as_tensor(PyObject*, PyObject* args, PyObject* kwargs) {
  Parsed p;
  if (!parse("as_tensor", args, kwargs, p)) return nullptr;
  return guarded([&]() -> PyObject* {
    CallScope scope(p.from_meta());
    if (is_tensor(p.data)) {
      Tensor t = tensor_of(p.data);
      t = p.placed(p.dtype && t.dtype() != *p.dtype ? to_dtype(t, *p.dtype) : t);
      return t.get() == impl_of(p.data) ? Py_NewRef(p.data) : wrap(t);
    }
    return wrap(p.placed(tensor_from_data(p.data, p.dtype, false)));
  });
}

PyObject* from_numpy(PyObject*, PyObject* array) {
  return guarded([&]() -> PyObject* {
    check_type(is_array(array), "expected np.ndarray (got ", type_name(array), ")");
    Tensor t;
    if (!tensor_from_buffer(array, t)) throw PythonError{};
    return wrap(t);
  });
}

PyObject* py_older_tensor(PyObject*, PyObject* args) {
  return guarded([&]() -> PyObject* {
    check_type(PyTuple_GET_SIZE(args) > 0 && is_dtype(PyTuple_GET_ITEM(args, 0)), "the first argument is a dtype");
    Object rest = Object::check(PyTuple_GetSlice(args, 1, PyTuple_GET_SIZE(args)));
    return wrap(older_tensor(rest.get(), dtype_from(PyTuple_GET_ITEM(args, 0)), false));
  });
}

PyObject* set_default(PyObject*, PyObject* d) {
  return guarded([&]() -> PyObject* {
    check_type(Py_TYPE(d) == dtype_type, "invalid dtype object: ", type_name(d));
    set_default_dtype(dtype_from(d));
    Py_RETURN_NONE;
  });
}
PyObject* get_default(PyObject*, PyObject*) { return Py_NewRef(dtype_object(default_dtype())); }
PyObject* promote_types(PyObject*, PyObject* args) {
  PyObject *a, *b;
  if (!PyArg_ParseTuple(args, "O!O!:promote_types", dtype_type, &a, dtype_type, &b)) return nullptr;
  return guarded([&] { return Py_NewRef(dtype_object(promote(dtype_from(a), dtype_from(b)))); });
}
PyObject* py_result_type(PyObject*, PyObject* args) {
  PyObject *a, *b;
  if (!PyArg_ParseTuple(args, "OO:result_type", &a, &b)) return nullptr;
  return guarded([&]() -> PyObject* {
    std::vector<Tensor> tensors;
    std::vector<Scalar> scalars;
    for (PyObject* o : {a, b}) {
      Scalar s;
      if (is_tensor(o))
        tensors.push_back(tensor_of(o));
      else if (to_scalar(o, s))
        scalars.push_back(s);
      else
        fail(ErrorKind::Type, "result_type(): expected Tensors or numbers, got ", type_name(o));
    }
    return Py_NewRef(dtype_object(result_type(tensors, scalars)));
  });
}
PyObject* py_is_tensor(PyObject*, PyObject* o) { return PyBool_FromLong(is_tensor(o)); }

PyMethodDef functions[] = {
    {"tensor", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(tensor)), METH_VARARGS | METH_KEYWORDS,
     "tensor(data, *, dtype=None, device=None, requires_grad=False): a tensor with a copy of data (numbers, nested sequences, arrays).\n\n"
     ">>> torch.tensor([[1, 2], [3, 4]])\ntensor([[1, 2],\n        [3, 4]])\n"},
    {"as_tensor", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(as_tensor)), METH_VARARGS | METH_KEYWORDS,
     "as_tensor(data, dtype=None, device=None)\n"
     "\n"
     "data (a tensor, an array, numbers, nested lists) as a tensor, sharing the memory of tensors and\n"
     "arrays where\n"
     "no other dtype asks for a copy. Without dtype it is that of the data; Python floats give the default float\n"
     "dtype.\n\n"
     ">>> import numpy\n"
     ">>> a = numpy.zeros(2)\n"
     ">>> torch.as_tensor(a)[0] = 1\n"
     ">>> a\n"
     "array([1., 0.])\n"},
    {"from_numpy", from_numpy, METH_O,
     "from_numpy(array)\n"
     "\n"
     "A tensor that shares the array's memory. An array that is no numpy.ndarray, or whose dtype no tensor\n"
     "has, is a TypeError.\n\n"
     ">>> import numpy\n"
     ">>> a = numpy.zeros(2)\n"
     ">>> torch.from_numpy(a).fill_(1)\n"
     "tensor([1., 1.], dtype=torch.float64)\n"
     ">>> a\n"
     "array([1., 1.])\n"},
    {"_older_tensor", py_older_tensor, METH_VARARGS, nullptr},
    {"_set_default_device", set_default_device, METH_O, nullptr},
    {"_get_default_device", get_default_device, METH_NOARGS, nullptr},
    {"set_default_dtype", set_default, METH_O,
     "Sets the dtype of new floating tensors. Other than floating dtypes are a TypeError.\n\n"
     ">>> torch.set_default_dtype(torch.float64)\n"
     ">>> torch.tensor([1.]).dtype\n"
     "torch.float64\n"
     ">>> torch.set_default_dtype(torch.float32)\n"},
    {"get_default_dtype", get_default, METH_NOARGS,
     "The dtype of new floating tensors.\n\n"
     ">>> torch.get_default_dtype()\n"
     "torch.float32\n"},
    {"promote_types", promote_types, METH_VARARGS,
     "What arithmetic on the two dtypes gives: of the larger kind, and there wide enough for both.\n\n"
     ">>> torch.promote_types(torch.int64, torch.float16), torch.promote_types(torch.uint8, torch.int8)\n"
     "(torch.float16, torch.int16)\n"},
    {"result_type", py_result_type, METH_VARARGS,
     "The dtype of an arithmetic operation on the two arguments: of numbers only the kind counts.\n\n"
     ">>> torch.result_type(torch.tensor([1], dtype=torch.int8), 2), torch.result_type(torch.tensor([1], dtype=torch.int8), 2.5)\n"
     "(torch.int8, torch.float32)\n"},
    {"is_tensor", py_is_tensor, METH_O,
     "Whether the object is a Tensor.\n\n"
     ">>> torch.is_tensor(torch.ones(1)), torch.is_tensor([1])\n"
     "(True, False)\n"},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

Tensor tensor_from_data(PyObject* data, std::optional<DType> dtype, bool copy) {
  if (is_tensor(data)) {
    Tensor t = detach(tensor_of(data));
    Tensor r = dtype ? to_dtype(t, *dtype) : t;
    return r.is_same(t) && copy ? clone(t) : r;
  }
  Scalar number;
  if (!PyList_CheckExact(data) && !PyTuple_CheckExact(data)) {
    if (PyObject_CheckBuffer(data) && !PyBytes_Check(data) && !PyByteArray_Check(data)) {
      Tensor shared;
      if (!tensor_from_buffer(data, shared)) throw PythonError{};
      Tensor r = dtype ? to_dtype(shared, *dtype) : shared;
      return r.is_same(shared) && copy ? clone(shared, MemoryFormat::Contiguous) : r;
    }
    if (PyLong_Check(data) || to_scalar(data, number)) {
      Survey s;
      s.item(data);
      DType d = dtype.value_or(s.dtype());
      Tensor t = Tensor::empty({}, d);
      visit_dtype(d, [&](auto zero) { *t.data<decltype(zero)>() = element<decltype(zero)>(data); });
      return t;
    }
    if (!is_sequence(data)) {
      if (PyUnicode_Check(data) || PyBytes_Check(data))
        fail(ErrorKind::Type, "new(): invalid data type '", type_name(data), "'");
      fail(ErrorKind::Runtime, "Could not infer dtype of ", type_name(data));
    }
  }
  // A list of arrays or of tensors with dimensions is stacked by its elements' own conversion.
  Survey survey;
  survey.shape_of(data);
  survey.walk(data, 0);
  DType d = dtype.value_or(survey.dtype());
  Tensor t = Tensor::empty(survey.sizes, d);
  if (t.numel() > 0) visit_dtype(d, [&](auto zero) { fill(data, t.data<decltype(zero)>(), survey.sizes, 0); });
  return t;
}

Tensor older_tensor(PyObject* args, DType dtype, bool any_dtype) {
  Py_ssize_t n = PyTuple_GET_SIZE(args);
  PyObject* only = n == 1 ? PyTuple_GET_ITEM(args, 0) : nullptr;
  PyObject* items = only && Py_TYPE(only) == size_type ? only : args;
  int64_t size;
  bool is_size = only && (items == only || to_int(only, size));
  if (only && !is_size && is_array(only) && PySequence_Size(only) < 0) {  // without dimensions: a size, if it is whole
    PyErr_Clear();
    Object number = Object::steal(PyNumber_Index(only));
    if (number) return older_tensor(Object::check(PyTuple_Pack(1, number.get())).get(), dtype, any_dtype);
    PyErr_Clear();
  } else if (only && !is_size && is_tensor(only)) {
    Tensor source = tensor_of(only);
    check_type(any_dtype || source.dtype() == dtype, "expected a tensor of ", dtype_name(dtype), " (got ",
               dtype_name(source.dtype()), ")");
    Tensor t = source.alias();
    t->share_version(*source.get());
    return t;
  }
  if (only && !is_size) {
    check_type(PySequence_Check(only), "new(): data must be a sequence (got ", type_name(only), ")");
    check_type(!PyUnicode_Check(only), "new(): invalid data type '", type_name(only), "'");
    return tensor_from_data(only, dtype, false);
  }
  Dims sizes;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(items); ++i) {
    check_type(to_int(PyTuple_GET_ITEM(items, i), size), "new(): expected sizes (ints) or data, got ",
               type_name(PyTuple_GET_ITEM(items, i)));
    sizes.push_back(size);
  }
  if (n == 0) sizes.push_back(0);
  Tensor t = Tensor::empty(sizes, dtype);
  if (t.numel() > 0) fill_data(t, Scalar(0));
  return t;
}

int add_construct(PyObject* module) { return PyModule_AddFunctions(module, functions); }

}  // namespace rl::py
