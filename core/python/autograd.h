// What the two halves of the binding of autograd share: autograd.cpp and custom_function.cpp.
#pragma once

#include "python/python.h"

namespace rl::py {

PyObject* saved_tuple(Node& node);  // what the node keeps for backward, unpacked
PyObject* context_of(Node& node);   // the ctx of a custom Function's node (node.is_python())
int add_custom_functions(PyObject* module);
int add_batched_draws(PyObject* module);

// For the tensor type's share in the collection of cycles: what its hooks and its node refer to.
int visit_autograd(TensorImpl& t, visitproc visit, void* arg);
void clear_autograd(TensorImpl& t);
// Makes the collector look at a tensor that may be part of a cycle; of itself it looks at those with attributes only.
inline void watch_for_cycles(PyObject* tensor) {
  if (!PyObject_GC_IsTracked(tensor)) PyObject_GC_Track(tensor);
}

}  // namespace rl::py
