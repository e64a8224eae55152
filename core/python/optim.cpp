// Optimizer steps, as the Python classes call them.
#include "ops/optim.h"

#include "python/python.h"

namespace rl::py {
namespace {

void read_list(PyObject* o, TensorList& out, const char* what) {
  check_type(PyList_Check(o) || PyTuple_Check(o), what, " must be a list of Tensors, got ", type_name(o));
  Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
  out.reserve(static_cast<size_t>(n));
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* item = PySequence_Fast_GET_ITEM(o, i);
    check_type(item == Py_None || is_tensor(item), what, " must hold Tensors, got ", type_name(item));
    out.push_back(item == Py_None ? Tensor() : tensor_of(item));
  }
}
double number(PyObject* o, const char* what) {
  Scalar s;
  check_type(to_scalar(o, s), what, " must be a number, got ", type_name(o));
  return s.to_double();
}

// _sgd_step(params, grads, buffers, lr, momentum, dampening, weight_decay, nesterov, maximize)
PyObject* sgd(PyObject*, PyObject* const* args, Py_ssize_t nargs) {
  return guarded([&]() -> PyObject* {
    check_type(nargs == 9, "_sgd_step takes 9 arguments, got ", nargs);
    TensorList params, grads, buffers;
    read_list(args[0], params, "params");
    read_list(args[1], grads, "grads");
    if (args[2] != Py_None) read_list(args[2], buffers, "momentum buffers");
    check_value(params.size() == grads.size() && (args[2] == Py_None || buffers.size() == params.size()),
                "SGD: ", params.size(), " parameters, ", grads.size(), " gradients and ", buffers.size(), " buffers");
    cpu::SgdOptions options{number(args[3], "lr"),
                            number(args[4], "momentum"),
                            number(args[5], "dampening"),
                            number(args[6], "weight_decay"),
                            PyObject_IsTrue(args[7]) == 1,
                            PyObject_IsTrue(args[8]) == 1,
                            false};
    sgd_step(params, grads, buffers, options);
    for (size_t i = 0; i < buffers.size(); ++i)
      if (PySequence_Fast_GET_ITEM(args[2], static_cast<Py_ssize_t>(i)) == Py_None)
        PyList_SetItem(args[2], static_cast<Py_ssize_t>(i), wrap(buffers[i]));
    Py_RETURN_NONE;
  });
}

PyMethodDef functions[] = {
    {"_sgd_step", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(sgd)), METH_FASTCALL, nullptr},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

int add_optim(PyObject* module) { return PyModule_AddFunctions(module, functions); }

}  // namespace rl::py
