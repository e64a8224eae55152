// Ops of the core that are written in Python: what C++ needs of linalg, which calls NumPy's LAPACK.
#include "ops/registry.h"
#include "python/python.h"

namespace rl::py {
namespace {

Tensor linalg_svdvals(const Tensor& a) {
  struct Gil {
    PyGILState_STATE state = PyGILState_Ensure();
    ~Gil() { PyGILState_Release(state); }
  } gil;
  Object module = Object::check(PyImport_ImportModule("rushlight.linalg"));
  Object matrix = Object::check(wrap(a));
  Object values = Object::check(PyObject_CallMethod(module.get(), "svdvals", "O", matrix.get()));
  check_type(is_tensor(values.get()), "svdvals() gave no Tensor");
  return tensor_of(values.get());
}

const Family family([](Registry& r) {
  r.op<&linalg_svdvals>("linalg_svdvals(Tensor A) -> Tensor", "The singular values of matrices, the largest first.",
                        {.method = false});
});

}  // namespace
}  // namespace rl::py
