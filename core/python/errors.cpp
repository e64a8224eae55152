#include "python/python.h"

namespace rl::py {

void set_python_error(const Error& error) {
  PyObject* type = PyExc_RuntimeError;
  switch (error.kind) {
    case ErrorKind::Runtime: break;
    case ErrorKind::Type: type = PyExc_TypeError; break;
    case ErrorKind::Value: type = PyExc_ValueError; break;
    case ErrorKind::Index: type = PyExc_IndexError; break;
    case ErrorKind::NotImplemented: type = PyExc_NotImplementedError; break;
    case ErrorKind::Assertion: type = PyExc_AssertionError; break;
    case ErrorKind::OutOfMemory:
    case ErrorKind::LinAlg: {
      const char* name = error.kind == ErrorKind::LinAlg ? "LinAlgError" : "OutOfMemoryError";
      Object module = Object::steal(PyImport_ImportModule("rushlight._errors"));
      Object found = module ? Object::steal(PyObject_GetAttrString(module.get(), name)) : Object();
      if (found) {
        PyErr_SetString(found.get(), error.what());
        return;
      }
      PyErr_Clear();
      break;
    }
    case ErrorKind::Python:
      if (PyErr_Occurred()) return;
      break;
  }
  PyErr_SetString(type, error.what());
}

}  // namespace rl::py
