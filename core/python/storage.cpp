// What rushlight.storage builds on: the bytes behind a tensor, and tensors over given bytes.
#include "python/python.h"

namespace rl::py {
namespace {

PyObject* bytes_of(PyObject*, PyObject* o) {
  return guarded([&]() -> PyObject* {
    check_type(is_tensor(o), "expected a Tensor, got ", type_name(o));
    Tensor t = tensor_of(o);
    int64_t count = static_cast<int64_t>(t->storage().bytes());
    return wrap(Tensor(TensorImpl::make(t->storage_ref(), 0, Dims{count}, Dims{1}, DType::U8)));
  });
}

Dims int_list(PyObject* o) {
  Object list = Object::check(PySequence_Fast(o, "expected a sequence of ints"));
  Dims out;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list.get()); ++i) {
    int64_t v;
    check_type(to_int(PySequence_Fast_GET_ITEM(list.get(), i), v), "expected ints");
    out.push_back(v);
  }
  return out;
}

PyObject* over_bytes(PyObject*, PyObject* args) {
  PyObject *bytes, *dtype, *sizes, *strides;
  Py_ssize_t offset;
  if (!PyArg_ParseTuple(args, "OOnOO:_tensor_over", &bytes, &dtype, &offset, &sizes, &strides)) return nullptr;
  return guarded([&]() -> PyObject* {
    check_type(is_tensor(bytes) && is_dtype(dtype), "_tensor_over(): expected bytes and a dtype");
    Tensor b = tensor_of(bytes);
    DType d = dtype_from(dtype);
    Dims size = int_list(sizes), stride = int_list(strides);
    check(size.size() == stride.size(), "mismatch in length of strides and shape");
    check(offset >= 0, "storage_offset must be non-negative, got ", offset);
    int64_t last = offset, total = static_cast<int64_t>(b->storage().bytes()) / item_size(d);
    bool empty = false;
    for (int64_t i = 0; i < size.size(); ++i) {
      check(size[i] >= 0 && stride[i] >= 0, "sizes and strides must be non-negative");
      empty |= size[i] == 0;
    }
    for (int64_t i = 0; i < size.size() && !empty; ++i) {
      int64_t reach = 0;
      bool fits =
          !__builtin_mul_overflow(size[i] - 1, stride[i], &reach) && !__builtin_add_overflow(last, reach, &last);
      check(fits && last < total, "sizes ", shape_str(size), ", strides and offset ", offset,
            " reach beyond the storage of ", total, " elements");
    }
    check(empty || last < total, "the storage of ", total, " elements is too small for sizes ", shape_str(size),
          " at offset ", offset);
    return wrap(Tensor(TensorImpl::make(b->storage_ref(), offset, size, stride, d)));
  });
}

PyObject* resize(PyObject*, PyObject* args) {
  PyObject* o;
  Py_ssize_t bytes;
  if (!PyArg_ParseTuple(args, "On:_resize_storage", &o, &bytes)) return nullptr;
  return guarded([&]() -> PyObject* {
    check_type(is_tensor(o), "expected a Tensor, got ", type_name(o));
    Storage& s = tensor_of(o)->storage();
    check(s.resizable(), "Trying to resize storage that is not resizable");
    check(bytes >= static_cast<Py_ssize_t>(s.bytes()), "a storage can grow but not shrink: it has ", s.bytes(),
          " bytes, ", bytes, " were asked for");
    s.resize(static_cast<size_t>(bytes));
    Py_RETURN_NONE;
  });
}

PyMethodDef functions[] = {{"_storage_view", bytes_of, METH_O, "The whole storage of a tensor as uint8."},
                           {"_tensor_over", over_bytes, METH_VARARGS,
                            "(bytes, dtype, offset, sizes, strides): a tensor over the storage of another."},
                           {"_resize_storage", resize, METH_VARARGS, "Grows the storage behind a tensor."},
                           {nullptr, nullptr, 0, nullptr}};

}  // namespace

int add_storage(PyObject* module) { return PyModule_AddFunctions(module, functions); }

}  // namespace rl::py
