// x[...] and x[...] = v: what each item of the index means.
#include "ops/indexing.h"

#include "ops/creation.h"
#include "python/meta.h"
#include "python/python.h"

namespace rl::py {
namespace {

int64_t slice_part(PyObject* o, int64_t missing) {
  if (o == Py_None) return missing;
  if (is_tensor(o) && impl_of(o)->numel() == 1 && is_integral(impl_of(o)->dtype())) return tensor_of(o).item().to_int();
  if (!PyIndex_Check(o))
    fail(ErrorKind::Type, "slice indices must be integers or None or have an __index__ method, not ", type_name(o));
  Object number = Object::check(PyNumber_Index(o));
  int overflow = 0;  // cut to what an int64 holds, as for a list
  int64_t v = PyLong_AsLongLongAndOverflow(number.get(), &overflow);
  return overflow > 0 ? INT64_MAX : overflow < 0 ? INT64_MIN : v;
}

Tensor apply_slice(const Tensor& t, int64_t dim, PyObject* s, bool alone) {
  PySliceObject* parts = reinterpret_cast<PySliceObject*>(s);
  int64_t step = slice_part(parts->step, 1);
  check_value(step != 0, "step cannot be zero");
  check_value(
      step > 0,
      "step must be greater than zero: negative steps are not supported, use flip() to reverse (torch.flip(x, [", dim,
      "]))");
  int64_t start = slice_part(parts->start, 0), stop = slice_part(parts->stop, INT64_MAX);
  if (start == 0 && stop >= t.size(dim) && step == 1 && !alone) return t;
  return slice(t, dim, start, stop, step);
}

Tensor index_tensor(PyObject* o) {
  Tensor t = tensor_from_data(o, std::nullopt, true);
  if (t.numel() == 0 && is_floating(t.dtype())) return to_dtype(t, DType::I64);
  return t;
}

struct Plan {
  Tensor view;          // after ints, slices, None and Ellipsis
  TensorList advanced;  // per axis of view; undefined for ':'
  bool is_advanced = false;
};

int64_t axes_used(PyObject* item) {
  if (item == Py_None || item == Py_Ellipsis || PyBool_Check(item)) return 0;
  if (is_tensor(item)) {
    TensorImpl* t = impl_of(item);
    if (t->dtype() == DType::Bool || t->dtype() == DType::U8) return t->dim();
    return 1;
  }
  return 1;
}

// An int in an index: it takes dimension `dim` of the view, which is the tensor's dimension `axis`.
Tensor selected(const Tensor& view, int64_t dim, int64_t axis, int64_t i) {
  int64_t n = view.size(dim);
  check_index(i >= -n && i < n, "index ", i, " is out of bounds for dimension ", axis, " with size ", n);
  return select(view, dim, i);
}

void check_meta_index(const Tensor& self, const Tensor& index) {
  if (!is_meta(self)) fail_without_data();
  if (index.dtype() == DType::Bool || index.dtype() == DType::U8)
    fail(ErrorKind::NotImplemented, "a mask without data: how many elements it picks is not known");
}

// A short list with lists, tensors, slices, None or ... in it means what a tuple would, as older programs have it.
bool means_tuple(PyObject* index) {
  if (!PyList_Check(index) || PyList_GET_SIZE(index) >= 32) return false;
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(index); ++i) {
    PyObject* item = PyList_GET_ITEM(index, i);
    if (is_tensor(item) || PySlice_Check(item) || item == Py_Ellipsis || item == Py_None || PySequence_Check(item))
      return true;
  }
  return false;
}

// `reading`: an index that is one slice gives a slice, not the tensor itself.
Plan make_plan(const Tensor& self, PyObject* index, bool reading) {
  PyObject* const* items = &index;
  Py_ssize_t count = 1;
  Object as_tuple;
  if (means_tuple(index)) {
    if (PyErr_WarnEx(
            PyExc_UserWarning,
            "Using a non-tuple sequence for multidimensional indexing is deprecated; use x[tuple(seq)] instead "
            "of x[seq], or x[torch.tensor(seq)] for one index tensor",
            1) < 0)
      throw PythonError{};
    as_tuple = Object::check(PyList_AsTuple(index));
    index = as_tuple.get();
  }
  if (PyTuple_Check(index)) {
    items = &PyTuple_GET_ITEM(index, 0);
    count = PyTuple_GET_SIZE(index);
  }
  std::vector<Object> held;
  std::vector<PyObject*> list(items, items + count);
  // Sequences and arrays become index tensors first, so that their axes can be counted.
  int64_t named = 0;
  for (PyObject*& item : list) {
    bool array = !is_tensor(item) && !PyLong_Check(item) && !PySlice_Check(item) && item != Py_None &&
                 item != Py_Ellipsis && !PyBool_Check(item);
    int64_t number;
    if (array && to_int(item, number)) {
      held.push_back(Object::check(PyLong_FromLongLong(number)));
      item = held.back().get();
    } else if (array) {
      if (!PySequence_Check(item) && !PyObject_CheckBuffer(item))
        fail(ErrorKind::Index,
             "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got ",
             type_name(item), ")");
      held.push_back(Object::check(wrap(index_tensor(item))));
      item = held.back().get();
    }
    if (is_tensor(item) && is_meta(tensor_of(item))) [[unlikely]]
      check_meta_index(self, tensor_of(item));
    named += axes_used(item);
  }
  check_index(named <= self.dim(), "too many indices for tensor of dimension ", self.dim(), " (", named,
              " given, shape ", shape_str(self.sizes()), ")");

  Plan plan;
  plan.view = self;
  int64_t dim = 0;   // of the view so far
  int64_t axis = 0;  // of self
  for (PyObject* item : list) {
    if (item == Py_Ellipsis) {
      dim += self.dim() - named;
      axis += self.dim() - named;
    } else if (item == Py_None) {
      plan.view = unsqueeze(plan.view, dim++);
    } else if (PySlice_Check(item)) {
      plan.view = apply_slice(plan.view, dim, item, reading && item == index);
      ++dim, ++axis;
    } else if (PyBool_Check(item)) {
      plan.view = unsqueeze(plan.view, dim);
      plan.advanced.resize(static_cast<size_t>(dim + 1));
      plan.advanced[static_cast<size_t>(dim)] = full(Dims{1}, Scalar(item == Py_True), DType::Bool);
      plan.is_advanced = true;
      ++dim;
    } else if (PyLong_Check(item)) {
      int64_t i;
      to_int(item, i);
      plan.view = selected(plan.view, dim, axis++, i);
    } else {
      Tensor t = tensor_of(item);
      if (t.dim() == 0 && is_integral(t.dtype(), false) && t.dtype() != DType::U8) {
        plan.view = selected(plan.view, dim, axis++, t.item().to_int());
        continue;
      }
      check_index(is_integral(t.dtype()), "tensors used as indices must be long, int, byte or bool tensors, not ",
                  dtype_name(t.dtype()));
      bool mask = t.dtype() == DType::Bool || t.dtype() == DType::U8;
      if (t.dtype() == DType::U8 &&
          PyErr_WarnEx(PyExc_UserWarning,
                       "indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.",
                       1) < 0)
        throw PythonError{};
      if (mask && t.dim() == 0) {
        plan.view = unsqueeze(plan.view, dim);
        t = reshape(to_dtype(t, DType::Bool), Dims{1});
      }
      plan.advanced.resize(static_cast<size_t>(dim + 1));
      plan.advanced[static_cast<size_t>(dim)] = t;
      plan.is_advanced = true;
      dim += mask ? std::max<int64_t>(t.dim(), 1) : 1;
      axis += mask ? static_cast<int64_t>(tensor_of(item).dim()) : 1;
    }
  }
  return plan;
}

// Nothing but one mask.
bool is_one_mask(const TensorList& indices) {
  int masks = 0;
  for (const Tensor& t : indices) {
    if (!t.defined()) continue;
    if (t.dtype() != DType::Bool && t.dtype() != DType::U8) return false;
    ++masks;
  }
  return masks == 1;
}

// Records what x[...] did, so that a recorder sees it as an op.
PyObject* observed(const Tensor& self, Tensor result) {
  if (call_observer) [[unlikely]] {
    static const OpDef& def = find_op("index");
    TensorList none;
    Value args[2] = {Value(self), Value()};
    args[1].tag = Tag::TensorList;
    args[1].tensors = &none;
    Result r;
    r.kind = Result::Kind::Tensor;
    r.tensor = result;
    call_observer(def, args, r);
  }
  return wrap(std::move(result));
}

}  // namespace

PyObject* tensor_getitem(PyObject* self, PyObject* index) {
  return guarded([&]() -> PyObject* {
    Tensor t = tensor_of(self);
    CallScope scope(is_meta(t));
    if (subclasses_exist) [[unlikely]] {
      PyObject *args[] = {self, index}, *result;
      static PyObject* getitem = PyObject_GetAttrString(reinterpret_cast<PyObject*>(tensor_type), "__getitem__");
      if (torch_function(getitem, args, 2, nullptr, result)) return result;
    }
    if (PyLong_CheckExact(index) && t.dim() > 0) {
      int64_t i;
      to_int(index, i);
      int64_t n = t.sizes()[0];
      check_index(i >= -n && i < n, "index ", i, " is out of bounds for dimension 0 with size ", n);
      return observed(t, select(t, 0, i));
    }
    if (PyLong_CheckExact(index))
      fail(
          ErrorKind::Index,
          "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a 0-dim tensor to a number");
    Plan plan = make_plan(t, index, true);
    if (plan.is_advanced) return observed(t, rl::index(plan.view, plan.advanced));
    // x[...] and x[:] are new tensors too.
    if (plan.view.is_same(t)) {
      Tensor copy = view_of(t, t.sizes(), t.strides(), t->offset());
      record("AliasBackward0", copy, {t}, {}, [](Backward& ctx) { ctx.set(0, ctx.grad()); });
      return observed(t, copy);
    }
    return observed(t, plan.view);
  });
}

int tensor_setitem(PyObject* self, PyObject* index, PyObject* value) {
  return guarded(
      [&]() -> int {
        check_type(value != nullptr, "Tensor does not support deleting items");
        Tensor t = tensor_of(self);
        CallScope scope(is_meta(t));
        Tensor v;
        Scalar number;
        if (is_tensor(value))
          v = tensor_of(value);
        else if (to_scalar(value, number, false)) {
          check_fits(number, t.dtype());
          v = Tensor::scalar(number, t.dtype());
        } else if (!PyUnicode_Check(value) && (PyObject_CheckBuffer(value) || PySequence_Check(value))) {
          v = tensor_from_data(value, t.dtype(), true);
        } else {
          fail(ErrorKind::Type, "can't assign a ", type_name(value), " to a torch.", scalar_type_name(t.dtype()),
               "Tensor");
        }
        if (!is_meta(t)) check_has_data(v);
        Plan plan = make_plan(t, index, false);
        if (plan.is_advanced) {
          check_in_place(t, "index_put_", needs_gradient(t, v));
          // One value under a mask is converted, as a number is; other tensors must have the dtype.
          if (v.dtype() != t.dtype() && v.numel() == 1 && is_one_mask(plan.advanced)) {
            check_fits(v.item(), t.dtype());
            v = to_dtype(v, t.dtype());
          }
          index_put_(plan.view, plan.advanced, v);
          return 0;
        }
        // As NumPy: leading axes of size 1 in the value are ignored.
        while (v.dim() > plan.view.dim() && v.size(0) == 1) v = select(v, 0, 0);
        if (!can_broadcast(v.sizes(), plan.view.sizes()))
          fail(ErrorKind::Runtime, "The expanded size of the tensor (", shape_str(plan.view.sizes()),
               ") must match the existing size (", shape_str(v.sizes()), "): shape mismatch: value tensor of shape ",
               shape_str(v.sizes()), " cannot be broadcast to indexing result of shape ", shape_str(plan.view.sizes()));
        if (!is_tensor(value) && v.dim() == 0)
          fill_(plan.view, v);
        else
          copy_(plan.view, v);
        return 0;
      },
      -1);
}

}  // namespace rl::py
