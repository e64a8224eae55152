// Numbers from Python and NumPy.
#include <cstring>

#include "python/python.h"

namespace rl::py {

std::string type_name(PyObject* o) {
  const char* name = Py_TYPE(o)->tp_name;
  if (is_tensor_exact(o)) return "Tensor";
  return name;
}

std::string_view text_of(PyObject* s) {
  Py_ssize_t length;
  const char* text = PyUnicode_AsUTF8AndSize(s, &length);
  if (!text) throw PythonError{};
  return {text, static_cast<size_t>(length)};
}

bool is_numpy_scalar(PyObject* o) {
  // NumPy's scalar classes live in module numpy and are not arrays; NumPy itself need not be imported here.
  const char* name = Py_TYPE(o)->tp_name;
  return std::strncmp(name, "numpy.", 6) == 0 && std::strcmp(name, "numpy.ndarray") != 0 &&
         std::strncmp(name, "numpy.dtype", 11) != 0;
}

bool is_array(PyObject* o) {
  PyObject* bases = Py_TYPE(o)->tp_mro;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(bases); ++i)
    if (std::strcmp(reinterpret_cast<PyTypeObject*>(PyTuple_GET_ITEM(bases, i))->tp_name, "numpy.ndarray") == 0)
      return true;
  return false;
}

PyObject* from_scalar(const Scalar& s) {
  switch (s.kind()) {
    case Scalar::Kind::Bool: return PyBool_FromLong(s.to_bool());
    case Scalar::Kind::Int: return PyLong_FromLongLong(s.to_int());
    case Scalar::Kind::Float: return PyFloat_FromDouble(s.to_double());
    default: {
      std::complex<double> c = s.to_complex();
      return PyComplex_FromDoubles(c.real(), c.imag());
    }
  }
}

bool to_scalar(PyObject* o, Scalar& out, bool allow_tensor) {
  if (PyFloat_Check(o)) {
    out = Scalar(PyFloat_AS_DOUBLE(o));
    return true;
  }
  if (PyBool_Check(o)) {
    out = Scalar(o == Py_True);
    return true;
  }
  if (PyLong_Check(o)) {
    int overflow = 0;
    long long v = PyLong_AsLongLongAndOverflow(o, &overflow);
    if (overflow) {
      unsigned long long u = PyLong_AsUnsignedLongLong(o);
      if (PyErr_Occurred()) {
        PyErr_Clear();
        PyErr_SetString(PyExc_OverflowError, "int too big to convert: it does not fit into 64 bits");
        throw PythonError{};
      }
      out = Scalar::beyond_int64(u);
      return true;
    }
    out = Scalar(static_cast<int64_t>(v));
    return true;
  }
  if (PyComplex_Check(o)) {
    Py_complex c = PyComplex_AsCComplex(o);
    out = Scalar(std::complex<double>(c.real, c.imag));
    return true;
  }
  if (is_numpy_scalar(o)) {
    Object item = Object::steal(PyObject_CallMethod(o, "item", nullptr));
    if (!item) {
      PyErr_Clear();
      return false;
    }
    return !is_numpy_scalar(item.get()) && to_scalar(item.get(), out, false);
  }
  if (allow_tensor && is_tensor(o) && impl_of(o)->numel() == 1 && impl_of(o)->dim() == 0) {
    out = tensor_of(o).item();
    return true;
  }
  return false;
}

namespace {
[[noreturn]] void fail_too_long() {
  fail(ErrorKind::Value, "Overflow when unpacking long long: the Python int does not fit into 64 bits");
}

// What is no plain int.
bool to_int_otherwise(PyObject* o, int64_t& out) {
  if (PyBool_Check(o)) return false;
  if (is_tensor(o)) {
    TensorImpl* t = impl_of(o);
    if (t->numel() != 1 || !is_integral(t->dtype(), false) || t->dim() != 0) return false;
    out = tensor_of(o).item().to_int();
    return true;
  }
  if (PyIndex_Check(o) && !is_array(o)) {
    Object number = Object::steal(PyNumber_Index(o));
    if (!number) {
      PyErr_Clear();
      return false;
    }
    int overflow = 0;
    out = PyLong_AsLongLongAndOverflow(number.get(), &overflow);
    if (overflow) fail_too_long();
    return true;
  }
  return false;
}
}  // namespace

bool to_int(PyObject* o, int64_t& out) {
  if (!PyLong_CheckExact(o)) return to_int_otherwise(o, out);
  int overflow = 0;
  out = PyLong_AsLongLongAndOverflow(o, &overflow);
  if (overflow) [[unlikely]]
    fail_too_long();
  return true;
}

}  // namespace rl::py
