// _C._push_batched_draws(items) and its kin: see ops/random.h.
#include "ops/random.h"
#include "python/python.h"

namespace rl::py {
namespace {

PyObject* push(PyObject*, PyObject* items) {
  const long long n = PyLong_AsLongLong(items);
  if (n == -1 && PyErr_Occurred()) return nullptr;
  push_batched_draws(n);
  Py_RETURN_NONE;
}
PyObject* pop(PyObject*, PyObject*) {
  pop_batched_draws();
  Py_RETURN_NONE;
}
PyObject* begin_item(PyObject*, PyObject* item) {
  const long long i = PyLong_AsLongLong(item);
  if (i == -1 && PyErr_Occurred()) return nullptr;
  begin_batched_item(i);
  Py_RETURN_NONE;
}
PyObject* cursors(PyObject*, PyObject*) {
  return guarded([]() -> PyObject* {
    const std::vector<size_t> found = batched_draw_cursors();
    Object list = Object::check(PyList_New(static_cast<Py_ssize_t>(found.size())));
    for (size_t i = 0; i < found.size(); ++i)
      PyList_SET_ITEM(list.get(), static_cast<Py_ssize_t>(i), PyLong_FromSize_t(found[i]));
    return list.release();
  });
}
PyObject* set_cursors(PyObject*, PyObject* list) {
  return guarded([&]() -> PyObject* {
    check_type(PyList_Check(list), "expected a list of cursors");
    std::vector<size_t> wanted;
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(list); ++i) wanted.push_back(PyLong_AsSize_t(PyList_GET_ITEM(list, i)));
    if (PyErr_Occurred()) throw PythonError{};
    set_batched_draw_cursors(wanted);
    Py_RETURN_NONE;
  });
}

PyMethodDef functions[] = {{"_push_batched_draws", push, METH_O, nullptr},
                           {"_pop_batched_draws", pop, METH_NOARGS, nullptr},
                           {"_begin_batched_item", begin_item, METH_O, nullptr},
                           {"_batched_draw_cursors", cursors, METH_NOARGS, nullptr},
                           {"_set_batched_draw_cursors", set_cursors, METH_O, nullptr},
                           {nullptr, nullptr, 0, nullptr}};

}  // namespace

int add_batched_draws(PyObject* module) { return PyModule_AddFunctions(module, functions); }

}  // namespace rl::py
