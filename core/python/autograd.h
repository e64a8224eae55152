// What the two halves of the binding of autograd share: autograd.cpp and custom_function.cpp.
#pragma once

#include "python/python.h"

namespace rl::py {

PyObject* saved_tuple(Node& node);  // what the node keeps for backward, unpacked
PyObject* context_of(Node& node);   // the ctx of a custom Function's node (node.is_python())
int add_custom_functions(PyObject* module);

}  // namespace rl::py
