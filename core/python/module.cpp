// The extension module rushlight._C.
#include "python/autocast.h"
#include "python/autograd.h"
#include "python/python.h"
#include "runtime/cpu.h"
#include "runtime/parallel.h"
#include "tensor/allocator.h"

namespace rl::py {
namespace {

PyObject* set_threads(PyObject*, PyObject* n) {
  long count = PyLong_AsLong(n);
  if (count == -1 && PyErr_Occurred()) {
    PyErr_Format(PyExc_TypeError, "set_num_threads expects an int, but got %s", Py_TYPE(n)->tp_name);
    return nullptr;
  }
  return guarded([&]() -> PyObject* {
    check(count > 0, "Expected positive number of threads, got ", count);
    set_num_threads(static_cast<int>(count));
    Py_RETURN_NONE;
  });
}
PyObject* get_threads(PyObject*, PyObject*) { return PyLong_FromLong(num_threads()); }
PyObject* get_isa(PyObject*, PyObject*) { return PyUnicode_FromString(isa_name(active_isa())); }
PyObject* set_isa(PyObject*, PyObject* name) {
  return guarded([&]() -> PyObject* {
    const char* text = PyUnicode_AsUTF8(name);
    if (!text) throw PythonError{};
    for (Isa isa : {Isa::scalar, Isa::avx2, Isa::avx512})
      if (std::string_view(isa_name(isa)) == text) {
        force_isa(isa);
        Py_RETURN_NONE;
      }
    fail(ErrorKind::Value, "_force_isa(): expected 'scalar', 'avx2' or 'avx512', got '", text, "'");
  });
}
PyObject* memory(PyObject*, PyObject*) {
  MemoryStats s = memory_stats();
  return Py_BuildValue("{s:n,s:n,s:n}", "allocated", static_cast<Py_ssize_t>(s.allocated), "cached",
                       static_cast<Py_ssize_t>(s.cached), "peak", static_cast<Py_ssize_t>(s.peak));
}
PyObject* py_empty_cache(PyObject*, PyObject*) {
  empty_cache();
  Py_RETURN_NONE;
}

// What libraries tell PyTorch about their use; nothing is counted here.
PyObject* log_api_usage(PyObject*, PyObject*) { Py_RETURN_NONE; }

PyMethodDef functions[] = {
    {"set_num_threads", set_threads, METH_O,
     "Sets how many threads an operation may use. Results do not depend on it. Less than 1 is a\n"
     "RuntimeError.\n\n"
     ">>> n = torch.get_num_threads()\n"
     ">>> torch.set_num_threads(1)\n"
     ">>> torch.get_num_threads()\n"
     "1\n"
     ">>> torch.set_num_threads(n)\n"},
    {"get_num_threads", get_threads, METH_NOARGS,
     "How many threads an operation may use.\n\n"
     ">>> torch.get_num_threads() >= 1\n"
     "True\n"},
    {"_isa", get_isa, METH_NOARGS, "The instruction set that kernels use."},
    {"_force_isa", set_isa, METH_O, "Makes kernels use a lower instruction set (for tests)."},
    {"_memory_stats", memory, METH_NOARGS, "Bytes allocated, cached, and at the peak."},
    {"_empty_cache", py_empty_cache, METH_NOARGS, "Gives cached memory back to the system."},
    {"_log_api_usage_once", log_api_usage, METH_O, "Accepted: nothing is counted."},
    {nullptr, nullptr, 0, nullptr}};

PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "rushlight._C", "The core of rushlight.", -1, functions, nullptr, nullptr, nullptr, nullptr};

}  // namespace
}  // namespace rl::py

PyMODINIT_FUNC PyInit__C() {
  using namespace rl::py;
  PyObject* module = PyModule_Create(&definition);
  if (!module) return nullptr;
  rl::set_blocking_hooks({[]() -> void* { return PyGILState_Check() ? PyEval_SaveThread() : nullptr; },
                          [](void* state) {
                            if (state) PyEval_RestoreThread(static_cast<PyThreadState*>(state));
                          }});
  bool ok = guarded(
      [&] {
        return add_small_types(module) == 0 && add_autograd(module) == 0 && add_tensor_type(module) == 0 &&
               add_construct(module) == 0 && add_interop(module) == 0 && add_optim(module) == 0 &&
               add_graph(module) == 0 && add_batched_draws(module) == 0 && add_storage(module) == 0 &&
               add_subclasses(module) == 0 && add_autocast(module) == 0;
      },
      false);
  if (!ok) {
    Py_DECREF(module);
    return nullptr;
  }
  PyModule_AddStringConstant(module, "__version__", RUSHLIGHT_VERSION);
  return module;
}
