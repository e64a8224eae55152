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
  r.op<&linalg_svdvals>(
      "linalg_svdvals(Tensor A) -> Tensor",
      "The singular values of matrices (..., m, n), the largest first: (..., min(m, n)), real. Floating and\n"
      "complex dtypes; a vector is a RuntimeError.\n\n"
      ">>> torch.linalg.svdvals(torch.tensor([[3., 0.], [4., 5.]]))\ntensor([6.7082, 2.2361])\n",
      {.method = false});
});

}  // namespace
}  // namespace rl::py
