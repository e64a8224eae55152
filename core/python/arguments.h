// From Python arguments to an op's Values, by its schema.
#pragma once

#include <optional>

#include "python/python.h"
#include "tensor/destination.h"

namespace rl::py {

inline constexpr int kMaxParams = 24;

// Holds what the Values of one call borrow.
class Arguments {
 public:
  Arguments() {}
  // Tries one overload. With `why` it explains what does not fit (PyTorch's words).
  bool match(const OpDef& def, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames, bool method,
             std::string* why = nullptr);
  const Value* values() const { return values_; }
  Value* values() { return values_; }
  PyObject* out = nullptr;  // the out= argument, borrowed

 private:
  bool convert(const OpDef& def, const Param& p, int i, PyObject* o, int self, std::string* why);
  bool read_ints(PyObject* o, const Param& p, Dims& into, int64_t* bad);

  union {
    Value values_[kMaxParams];  // set one by one: clearing them all would cost more than a small op
  };
  Dims ints_[6];
  int ints_used_ = 0;
  TensorList tensors_[2];
  int tensors_used_ = 0;
  std::vector<double> doubles_;
  std::vector<Scalar> scalars_;
  std::string strings_[2];
  int strings_used_ = 0;
  SmallVector<Tensor, 6> held_;  // tensors made here (a number where a Tensor is due)
};

// The order of arguments that PyTorch deprecated, with factors before the tensors they belong to, as today's arguments.
struct OlderOrder {
  SmallVector<PyObject*, 8> args;  // borrowed
  Py_ssize_t nargs = 0;
  Object kwnames;
};
// Whether the arguments of x.add_(2, y), addcmul(x, 0.5, y, z), addmm(beta, x, alpha, a, b) and their kin are in that order;
// then `into` is filled, and the program warned.
bool in_older_order(const std::string& name, const OpDef& def, PyObject* const* args, Py_ssize_t nargs,
                    PyObject* kwnames, bool method, OlderOrder& into);

// The error for arguments that fit no overload: a TypeError, set.
void bad_arguments(const std::string& name, const std::vector<OpDef*>& overloads, PyObject* const* args,
                   Py_ssize_t nargs, PyObject* kwnames, bool method);

// out=: its dtype first, where the op computes in that; then what the op gave is written into out.
void take_dtype_of_out(const OpDef& def, PyObject* out, Value* args);
std::optional<Destination> offer_out(const OpDef& def, const Value* args, PyObject* out);
PyObject* finish_out(const OpDef& def, const Value* args, PyObject* out, Result& result);
PyObject* write_out_of_composite(PyObject*, PyObject* args);

}  // namespace rl::py
