// Tensor's properties and those methods that are not ops.

#include "ops/shape.h"
#include "python/arguments.h"
#include "python/meta.h"

namespace rl::py {
namespace {

Tensor self_tensor(PyObject* o) { return tensor_of(o); }

// --- properties --------------------------------------------------------------------------------------------------------
template <auto F>
PyObject* get(PyObject* o, void*) {
  return guarded([&]() -> PyObject* {
    PyObject* result = F(self_tensor(o));
    return subclasses_exist ? in_class_of(o, result) : result;
  });
}
PyObject* get_base(PyObject* o, void*) { return wrap(Tensor(impl_of(o)->base.get())); }
PyObject* get_dict(PyObject* self, void*) {
  PyObject* dict = PyObject_GenericGetDict(self, nullptr);
  // Attributes can make cycles: from here on the garbage collector looks at this object.
  if (dict && !PyObject_GC_IsTracked(self)) PyObject_GC_Track(self);
  return dict;
}
PyObject* py_bool(bool b) { return Py_NewRef(b ? Py_True : Py_False); }

PyObject* get_grad(PyObject* o, void*) {
  return guarded([&]() -> PyObject* {
    Tensor t = self_tensor(o);
    AutogradMeta* meta = autograd_meta(t);
    if (!meta || !meta->grad.defined()) {
      if (t.requires_grad() && !is_leaf(t) && !(meta && meta->retains_grad)) {
        if (PyErr_WarnEx(
                PyExc_UserWarning,
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be populated during "
                "autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf Tensor, use .retain_grad() on the non-leaf "
                "Tensor. If you access the non-leaf Tensor by mistake, make sure you access the leaf Tensor instead.",
                1) < 0)
          throw PythonError{};
      }
      Py_RETURN_NONE;
    }
    return wrap(meta->grad);
  });
}
int set_grad(PyObject* o, PyObject* value, void*) {
  return guarded(
      [&] {
        Tensor t = self_tensor(o);
        if (!value || value == Py_None) {
          if (AutogradMeta* meta = autograd_meta(t)) meta->grad.reset();
          return 0;
        }
        check_type(is_tensor(value), "assigned grad expected to be a Tensor or None but got grad of type ",
                   type_name(value));
        check(value != o, "can't assign Variable as its own grad");
        Tensor g = tensor_of(value);
        check(g.dtype() == t.dtype(), "attempting to assign a gradient with dtype '", dtype_name(g.dtype()),
              "' to a tensor with grad_dtype '", dtype_name(t.dtype()),
              "'. The gradient must match the tensor's dtype: convert it with .to(", dtype_name(t.dtype()), ")");
        check(is_meta(g) == is_meta(t), "attempting to assign a gradient with device type '", device_of(g).str(),
              "' to a tensor with device type '", device_of(t).str(),
              "'. Please ensure that the gradient and the tensor are on the same device");
        check(same_shape(g, t), "attempting to assign a gradient of size '", shape_str(g.sizes()),
              "' to a tensor of size '", shape_str(t.sizes()),
              "'. Please ensure that the gradient and the tensor are the same size");
        make_autograd_meta(t).grad = g;
        return 0;
      },
      -1);
}
int set_requires(PyObject* o, PyObject* value, void*) {
  return guarded(
      [&] {
        check(value && PyBool_Check(value), "requires_grad must be a bool");
        set_requires_grad(self_tensor(o), value == Py_True);
        return 0;
      },
      -1);
}
int set_data(PyObject* o, PyObject* value, void*) {
  return guarded(
      [&] {
        check_type(value && is_tensor(value), "Variable data has to be a tensor, but got ",
                   value ? type_name(value) : "nothing");
        Tensor t = self_tensor(o), other = tensor_of(value);
        check(
            is_meta(t) == is_meta(other),
            "Attempted to call `variable.set_data(tensor)`, but `variable` and `tensor` have incompatible tensor type.");
        check(t.requires_grad() ? is_differentiable(other.dtype()) : true,
              "data set to a tensor that requires gradients must be floating point or complex dtype");
        // What backward saved of t reads the new data, unless these have another shape: that is a change in place.
        const uint32_t version = t->version() + (same_shape(t, other) && t.dtype() == other.dtype() ? 0 : 1);
        t->set(other->storage_ref(), other->offset(), Dims(other.sizes()), Dims(other.strides()), other.dtype());
        if (t->version() != version) t->detach_version();
        while (t->version() < version) t->bump_version();
        return 0;
      },
      -1);
}
PyObject* transposed(const Tensor& t) {
  if (t.dim() != 2 && t.dim() != 0)
    if (PyErr_WarnFormat(
            PyExc_UserWarning, 1,
            "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it will throw an error in a future "
            "release. Consider `x.mT` to transpose batches of matrices or `x.permute(*torch.arange(x.ndim - 1, -1, -1))` to reverse the "
            "dimensions of a tensor.") < 0)
      throw PythonError{};
  Dims order;
  for (int64_t d = t.dim() - 1; d >= 0; --d) order.push_back(d);
  return wrap(permute(t, order));
}
PyObject* matrix_transposed(const Tensor& t) {
  check(t.dim() >= 2, "tensor.mT is only supported on matrices or batches of matrices. Got ", t.dim(), "-D tensor.");
  return wrap(mT(t));
}
PyObject* adjoint_of(const Tensor& t) {
  check(t.dim() == 2 || t.dim() == 0, "tensor.H is only supported on matrices (2-D tensors). Got ", t.dim(),
        "-D tensor.");
  Tensor r = t.dim() == 2 ? transpose(t, 0, 1) : t;
  if (!is_complex_dtype(r.dtype())) return wrap(r);
  Value args[] = {Value(r)};
  return call_from_python(find_op("conj_physical"), args);
}
PyObject* batch_adjoint(const Tensor& t) {
  check(t.dim() >= 2, "tensor.adjoint() is only supported on matrices or batches of matrices. Got ", t.dim(),
        "-D tensor.");
  Tensor r = mT(t);
  if (!is_complex_dtype(r.dtype())) return wrap(r);
  Value args[] = {Value(r)};
  return call_from_python(find_op("conj_physical"), args);
}
int set_part(PyObject* o, PyObject* value, Tensor (*part)(const Tensor&)) {
  return guarded(
      [&] {
        Tensor where = part(self_tensor(o));
        Scalar s;
        if (value && is_tensor(value))
          copy_(where, tensor_of(value));
        else if (value && to_scalar(value, s))
          fill_(where, s);
        else
          fail(ErrorKind::Type, "expected a Tensor or a number");
        return 0;
      },
      -1);
}

// --- methods -----------------------------------------------------------------------------------------------------------
// The one argument of size() and stride(): a dimension, or none.
void check_dim_argument(const char* method, Py_ssize_t nargs, PyObject* kwnames) {
  const Py_ssize_t given = nargs + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
  check_type(given <= 1, method, "() takes 1 argument, dim, but ", given, " were given");
  if (nargs == 0 && kwnames) {
    const std::string_view name = text_of(PyTuple_GET_ITEM(kwnames, 0));
    check_type(name == "dim", method, "() got an unexpected keyword argument '", name, "'");
  }
}
inline bool reads_dim(const char* method, const TensorImpl* t, PyObject* const* args, Py_ssize_t nargs,
                      PyObject* kwnames, int64_t& dim) {
  if (kwnames || nargs > 1) [[unlikely]]
    check_dim_argument(method, nargs, kwnames);
  if ((nargs == 0 && !kwnames) || args[0] == Py_None) return false;
  check_type(to_int(args[0], dim), method, "(): argument 'dim' must be int, not ", type_name(args[0]));
  check_index(t->dim() > 0, "Dimension specified as ", dim, " but tensor has no dimensions");
  dim = wrap_dim(dim, t->dim());
  return true;
}
PyObject* size(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  return guarded([&]() -> PyObject* {
    TensorImpl* t = impl_of(self);
    int64_t d;
    return reads_dim("size", t, args, nargs, kwnames, d) ? PyLong_FromLongLong(t->sizes()[d]) : size_object(t->sizes());
  });
}
PyObject* stride(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  return guarded([&]() -> PyObject* {
    TensorImpl* t = impl_of(self);
    if (int64_t d; reads_dim("stride", t, args, nargs, kwnames, d)) return PyLong_FromLongLong(t->strides()[d]);
    Object tuple = Object::check(PyTuple_New(t->dim()));
    for (int64_t i = 0; i < t->dim(); ++i) PyTuple_SET_ITEM(tuple.get(), i, PyLong_FromLongLong(t->strides()[i]));
    return tuple.release();
  });
}
template <auto F>
PyObject* no_args(PyObject* self, PyObject*) {
  return guarded([&]() -> PyObject* { return F(self_tensor(self)); });
}

PyObject* nested_list(const char* data, DType dtype, IntSpan sizes, IntSpan strides) {
  if (sizes.empty()) return from_scalar(Scalar::load(dtype, data));
  Object list = Object::check(PyList_New(sizes[0]));
  for (int64_t i = 0; i < sizes[0]; ++i) {
    PyObject* item = nested_list(data + i * strides[0] * item_size(dtype), dtype, sizes.subspan(1), strides.subspan(1));
    if (!item) throw PythonError{};
    PyList_SET_ITEM(list.get(), i, item);
  }
  return list.release();
}

PyObject* requires_grad_(PyObject* self, PyObject* args, PyObject* kwargs) {
  PyObject* on = Py_True;
  static const char* names[] = {"requires_grad", nullptr};
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O!:requires_grad_", const_cast<char**>(names), &PyBool_Type, &on))
    return nullptr;
  return guarded([&] {
    set_requires_grad(self_tensor(self), on == Py_True);
    return Py_NewRef(self);
  });
}
PyObject* is_contiguous(PyObject* self, PyObject* args, PyObject* kwargs) {
  PyObject* format = nullptr;
  static const char* names[] = {"memory_format", nullptr};
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O!:is_contiguous", const_cast<char**>(names), memory_format_type,
                                   &format))
    return nullptr;
  TensorImpl* t = impl_of(self);
  MemoryFormat f = format ? memory_format_from(format) : MemoryFormat::Contiguous;
  if (f == MemoryFormat::Contiguous || f == MemoryFormat::Preserve) return py_bool(t->is_contiguous());
  return py_bool(is_channels_last(t->sizes(), t->strides()) && t->dim() == (f == MemoryFormat::ChannelsLast ? 4 : 5));
}

std::optional<MemoryFormat> memory_format_of(const char* method, PyObject* o) {
  if (o == Py_None) return std::nullopt;
  check_type(PyObject_TypeCheck(o, memory_format_type), method,
             "(): argument 'memory_format' must be torch.memory_format, not ", type_name(o));
  return memory_format_from(o);
}

// x.to(dtype), x.to(device), x.to(device, dtype), x.to(other), with non_blocking, copy, memory_format.
PyObject* to(PyObject* self, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames) {
  return guarded([&]() -> PyObject* {
    Tensor t = self_tensor(self);
    std::optional<DType> dtype;
    bool copy = false;
    std::optional<MemoryFormat> format;
    int flags = 0;
    bool meta = is_meta(t);
    auto device = [&](PyObject* o) { meta = existing_device(o).type == DeviceType::Meta; };
    for (Py_ssize_t i = 0; i < nargs; ++i) {
      PyObject* o = args[i];
      if (is_tensor(o))
        dtype = impl_of(o)->dtype(), meta = is_meta(tensor_of(o));
      else if (is_dtype(o))
        dtype = dtype_from(o);
      else if (PyBool_Check(o)) {
        if (flags++ == 1) copy = o == Py_True;
      } else if (o == Py_None)
        continue;
      else if (is_device(o))
        device(o);
      else
        fail(ErrorKind::Type, "to() received an invalid combination of arguments - got (", type_name(o),
             "): expected a dtype, a device or a Tensor");
    }
    Py_ssize_t keywords = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
    for (Py_ssize_t k = 0; k < keywords; ++k) {
      const std::string_view key = text_of(PyTuple_GET_ITEM(kwnames, k));
      PyObject* o = args[nargs + k];
      if (key == "dtype") {
        if (o != Py_None) {
          check_type(is_dtype(o), "to(): argument 'dtype' must be torch.dtype, not ", type_name(o));
          dtype = dtype_from(o);
        }
      } else if (key == "device") {
        if (o != Py_None) device(o);
      } else if (key == "copy")
        copy = o == Py_True;
      else if (key == "memory_format") {
        format = memory_format_of("to", o);
      } else if (key == "other") {
        check_type(is_tensor(o), "to(): argument 'other' must be Tensor, not ", type_name(o));
        dtype = impl_of(o)->dtype(), meta = is_meta(tensor_of(o));
      } else if (key != "non_blocking")
        fail(ErrorKind::Type, "to() got an unexpected keyword argument '", key, "'");
    }
    if (!meta) check_has_data(t);
    if (meta && !is_meta(t)) t = meta_like(t);
    CallScope scope(meta);
    Tensor r = dtype ? to_dtype(t, *dtype) : t;
    if (format && *format != MemoryFormat::Preserve) r = contiguous(r, *format);
    if (copy && r.is_same(t)) r = clone(t);
    return r.get() == impl_of(self) ? Py_NewRef(self) : in_class_of(self, wrap(r));
  });
}
void check_no_arguments(std::string_view to, PyObject* args) {
  check_type(PyTuple_GET_SIZE(args) == 0, "the conversion to ", to, " takes 0 positional arguments but ",
             PyTuple_GET_SIZE(args), " were given; to() takes a dtype, a device or a tensor");
}

template <DType D>
PyObject* convert(PyObject* self, PyObject* args, PyObject* kwargs) {
  return guarded([&]() -> PyObject* {
    check_no_arguments(dtype_name(D), args);
    Tensor t = self_tensor(self);
    CallScope scope(is_meta(t));
    Tensor r = to_dtype(t, D);
    PyObject* given = kwargs ? PyDict_GetItemString(kwargs, "memory_format") : nullptr;
    if (given)
      if (auto format = memory_format_of(dtype_name(D), given); format && *format != MemoryFormat::Preserve)
        r = contiguous(r, *format);
    return r.is_same(t) ? Py_NewRef(self) : in_class_of(self, wrap(r));
  });
}
PyObject* cpu(PyObject* self, PyObject* args, PyObject*) {
  return guarded([&]() -> PyObject* {
    check_no_arguments("the cpu", args);
    check_has_data(self_tensor(self));
    return Py_NewRef(self);
  });
}
PyObject* no_cuda(PyObject*, PyObject*, PyObject*) {
  PyErr_SetString(
      PyExc_AssertionError,
      "Torch not compiled with CUDA enabled: rushlight runs on the CPU; choose the device with torch.device('cuda' if torch.cuda.is_available() else 'cpu')");
  return nullptr;
}

PyObject* set_(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* names[] = {"source", "storage_offset", "size", "stride", nullptr};
  PyObject *source = nullptr, *offset = nullptr, *sizes = nullptr, *strides = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OOOO:set_", const_cast<char**>(names), &source, &offset, &sizes,
                                   &strides))
    return nullptr;
  return guarded([&]() -> PyObject* {
    Tensor t = self_tensor(self);
    if (!source) {
      Tensor e = Tensor::empty(Dims{0}, t.dtype());
      t->set(e->storage_ref(), 0, e.sizes(), e.strides(), t.dtype());
    } else {
      Object elements;  // of a storage: a tensor of all it holds
      if (!is_tensor(source)) {
        check_type(PyObject_HasAttrString(source, "_elements"), "set_(): expected a Tensor or a storage, got ",
                   type_name(source));
        Object dtype = Object::check(PyObject_GetAttrString(self, "dtype"));
        elements = Object::check(PyObject_CallMethod(source, "_elements", "O", dtype.get()));
        source = elements.get();
      }
      Tensor s = tensor_of(source);
      check(is_meta(s) == is_meta(t), "Attempted to set the storage of a tensor on device \"", device_of(t).str(),
            "\" to a storage on different device \"", device_of(s).str(),
            "\".  This is no longer allowed; the devices must match.");
      check(s.dtype() == t.dtype(), "Could not set tensor of type ", dtype_name(s.dtype()), " to a tensor of type ",
            dtype_name(t.dtype()));
      Dims new_sizes(s.sizes()), new_strides(s.strides());
      int64_t start = s->offset();
      if (offset) check_type(to_int(offset, start), "set_(): storage_offset must be int");
      if (sizes) {
        Object list = Object::check(PySequence_Fast(sizes, "set_(): size must be a sequence"));
        new_sizes.clear();
        for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list.get()); ++i)
          new_sizes.push_back(PyLong_AsLongLong(PySequence_Fast_GET_ITEM(list.get(), i)));
        new_strides = contiguous_strides(new_sizes);
      }
      if (strides) {
        Object list = Object::check(PySequence_Fast(strides, "set_(): stride must be a sequence"));
        new_strides.clear();
        for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list.get()); ++i)
          new_strides.push_back(PyLong_AsLongLong(PySequence_Fast_GET_ITEM(list.get(), i)));
      }
      if (PyErr_Occurred()) throw PythonError{};
      GradModeGuard off(false);
      Tensor probe = as_strided(s, new_sizes, new_strides, start);  // checks the bounds
      t->set(s->storage_ref(), start, new_sizes, new_strides, t.dtype());
    }
    changed_in_place(t, "set_");
    return Py_NewRef(self);
  });
}

PyObject* resize_(PyObject* self, PyObject* args, PyObject*) {
  return guarded([&]() -> PyObject* {
    Tensor t = self_tensor(self);
    PyObject* items = PyTuple_GET_SIZE(args) == 1 && PySequence_Check(PyTuple_GET_ITEM(args, 0)) &&
                              !is_tensor(PyTuple_GET_ITEM(args, 0))
                          ? PyTuple_GET_ITEM(args, 0)
                          : args;
    Object list = Object::check(PySequence_Fast(items, "resize_(): expected sizes"));
    Dims sizes;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(list.get()); ++i) {
      int64_t s;
      check_type(to_int(PySequence_Fast_GET_ITEM(list.get(), i), s),
                 "resize_(): argument 'size' must be tuple of ints");
      sizes.push_back(s);
    }
    resize(t, sizes, "resize_");
    return Py_NewRef(self);
  });
}

PyCFunction keyworded(PyObject* (*f)(PyObject*, PyObject*, PyObject*)) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(f));
}
PyCFunction fast(PyObject* (*f)(PyObject*, PyObject* const*, Py_ssize_t, PyObject*)) {
  return reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(f));
}

}  // namespace

PyGetSetDef tensor_properties[] = {
    {"__dict__", get_dict, PyObject_GenericSetDict, nullptr, nullptr},
    {"shape", get<[](const Tensor& t) { return size_object(t.sizes()); }>, nullptr, "The sizes, as a torch.Size.",
     nullptr},
    {"dtype", get<[](const Tensor& t) { return Py_NewRef(dtype_object(t.dtype())); }>, nullptr, "The element type.",
     nullptr},
    {"device", get<[](const Tensor& t) { return device_object(device_of(t)); }>, nullptr, "Where the data lie.",
     nullptr},
    {"layout", get<[](const Tensor&) { return Py_NewRef(layout_strided()); }>, nullptr, nullptr, nullptr},
    {"ndim", get<[](const Tensor& t) { return PyLong_FromLongLong(t.dim()); }>, nullptr, "The number of axes.",
     nullptr},
    {"itemsize", get<[](const Tensor& t) { return PyLong_FromLong(item_size(t.dtype())); }>, nullptr,
     "Bytes per element.", nullptr},
    {"nbytes", get<[](const Tensor& t) { return PyLong_FromLongLong(t.numel() * item_size(t.dtype())); }>, nullptr,
     "Bytes of all elements.", nullptr},
    {"requires_grad", get<[](const Tensor& t) { return py_bool(t.requires_grad()); }>, set_requires,
     "Whether gradients flow to this tensor.", nullptr},
    {"is_leaf", get<[](const Tensor& t) { return py_bool(is_leaf(t)); }>, nullptr,
     "Made by the user, not by an op that records.", nullptr},
    {"grad", get_grad, set_grad, "The gradient that backward() accumulated, or None.", nullptr},
    {"grad_fn", get<[](const Tensor& t) { return wrap_node(grad_fn(t)); }>, nullptr,
     "The node of the tape that made this tensor, or None.", nullptr},
    {"output_nr",
     get<[](const Tensor& t) { return PyLong_FromLong(autograd_meta(t) ? autograd_meta(t)->output_index : 0); }>,
     nullptr, nullptr, nullptr},
    {"retains_grad", get<[](const Tensor& t) { return py_bool(autograd_meta(t) && autograd_meta(t)->retains_grad); }>,
     nullptr, nullptr, nullptr},
    {"data", get<[](const Tensor& t) {
       Tensor d = t.alias();
       d->detach_version();
       return wrap(d);
     }>,
     set_data, "The same memory without history or version checks.", nullptr},
    {"_version", get<[](const Tensor& t) {
       check(!t->inference, "Inference tensors do not track version counter.");
       return PyLong_FromUnsignedLong(t->version());
     }>,
     nullptr, nullptr, nullptr},
    {"_base", get_base, nullptr, nullptr, nullptr},
    {"T", get<transposed>, nullptr, "The transpose.", nullptr},
    {"mT", get<matrix_transposed>, nullptr, "The last two axes exchanged.", nullptr},
    {"H", get<adjoint_of>, nullptr, "The conjugate transpose of a matrix.", nullptr},
    {"mH", get<batch_adjoint>, nullptr, "The conjugate transpose of the last two axes.", nullptr},
    {"real", get<[](const Tensor& t) { return wrap(real(t)); }>,
     [](PyObject* o, PyObject* v, void*) { return set_part(o, v, real); }, "The real part (a view).", nullptr},
    {"imag", get<[](const Tensor& t) { return wrap(imag(t)); }>,
     [](PyObject* o, PyObject* v, void*) { return set_part(o, v, imag); }, "The imaginary part (a view).", nullptr},
    {"is_cpu", get<[](const Tensor& t) { return py_bool(!is_meta(t)); }>, nullptr, nullptr, nullptr},
    {"is_cuda", get<[](const Tensor&) { return py_bool(false); }>, nullptr, nullptr, nullptr},
    {"is_xpu", get<[](const Tensor&) { return py_bool(false); }>, nullptr, nullptr, nullptr},
    {"is_mps", get<[](const Tensor&) { return py_bool(false); }>, nullptr, nullptr, nullptr},
    {"is_meta", get<[](const Tensor& t) { return py_bool(is_meta(t)); }>, nullptr, nullptr, nullptr},
    {"is_sparse", get<[](const Tensor&) { return py_bool(false); }>, nullptr, nullptr, nullptr},
    {"is_sparse_csr", get<[](const Tensor&) { return py_bool(false); }>, nullptr, nullptr, nullptr},
    {"is_quantized", get<[](const Tensor&) { return py_bool(false); }>, nullptr, nullptr, nullptr},
    {"is_nested", get<[](const Tensor&) { return py_bool(false); }>, nullptr, nullptr, nullptr},
    {"is_mkldnn", get<[](const Tensor&) { return py_bool(false); }>, nullptr, nullptr, nullptr},
    {"names", get<[](const Tensor& t) -> PyObject* {
       Object tuple = Object::check(PyTuple_New(t.dim()));
       for (int64_t i = 0; i < t.dim(); ++i) PyTuple_SET_ITEM(tuple.get(), i, Py_NewRef(Py_None));
       return tuple.release();
     }>,
     nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyMethodDef tensor_methods[] = {
    {"size", fast(size), METH_FASTCALL | METH_KEYWORDS, "size(dim=None): the sizes as a torch.Size, or one of them."},
    {"stride", fast(stride), METH_FASTCALL | METH_KEYWORDS,
     "stride(dim=None): the strides in elements, or one of them."},
    {"dim", no_args<[](const Tensor& t) { return PyLong_FromLongLong(t.dim()); }>, METH_NOARGS, "The number of axes."},
    {"ndimension", no_args<[](const Tensor& t) { return PyLong_FromLongLong(t.dim()); }>, METH_NOARGS,
     "The number of axes."},
    {"numel", no_args<[](const Tensor& t) { return PyLong_FromLongLong(t.numel()); }>, METH_NOARGS,
     "The number of elements."},
    {"nelement", no_args<[](const Tensor& t) { return PyLong_FromLongLong(t.numel()); }>, METH_NOARGS,
     "The number of elements."},
    {"item", no_args<[](const Tensor& t) { return from_scalar(t.item()); }>, METH_NOARGS,
     "The value of a one-element tensor as a Python number."},
    {"tolist", no_args<[](const Tensor& t) {
       check_has_data(t);
       return nested_list(static_cast<const char*>(t.raw()), t.dtype(), t.sizes(), t.strides());
     }>,
     METH_NOARGS, "The elements as nested lists of Python numbers."},
    {"storage_offset", no_args<[](const Tensor& t) { return PyLong_FromLongLong(t->offset()); }>, METH_NOARGS,
     "Where the tensor starts in its storage, in elements."},
    {"data_ptr",
     no_args<[](const Tensor& t) { return PyLong_FromVoidPtr(t.numel() && !is_meta(t) ? t.raw() : nullptr); }>,
     METH_NOARGS, "The address of the first element."},
    {"element_size", no_args<[](const Tensor& t) { return PyLong_FromLong(item_size(t.dtype())); }>, METH_NOARGS,
     "Bytes per element."},
    {"get_device", no_args<[](const Tensor&) { return PyLong_FromLong(-1); }>, METH_NOARGS, "-1: the CPU."},
    {"is_floating_point", no_args<[](const Tensor& t) { return py_bool(is_floating(t.dtype())); }>, METH_NOARGS,
     nullptr},
    {"is_complex", no_args<[](const Tensor& t) { return py_bool(is_complex_dtype(t.dtype())); }>, METH_NOARGS, nullptr},
    {"is_signed", no_args<[](const Tensor& t) { return py_bool(t.dtype() != DType::U8 && t.dtype() != DType::Bool); }>,
     METH_NOARGS, nullptr},
    {"is_conj", no_args<[](const Tensor&) { return py_bool(false); }>, METH_NOARGS, nullptr},
    {"is_neg", no_args<[](const Tensor&) { return py_bool(false); }>, METH_NOARGS, nullptr},
    {"is_inference", no_args<[](const Tensor& t) { return py_bool(t->inference); }>, METH_NOARGS, nullptr},
    {"is_pinned", no_args<[](const Tensor&) { return py_bool(false); }>, METH_NOARGS, nullptr},
    {"is_shared", no_args<[](const Tensor&) { return py_bool(false); }>, METH_NOARGS, nullptr},
    {"_is_view", no_args<[](const Tensor& t) { return py_bool(static_cast<bool>(t->base)); }>, METH_NOARGS, nullptr},
    {"_storage_bytes", no_args<[](const Tensor& t) { return PyLong_FromSize_t(t->storage().bytes()); }>, METH_NOARGS,
     nullptr},
    {"_storage_id", no_args<[](const Tensor& t) { return PyLong_FromVoidPtr(&t->storage()); }>, METH_NOARGS, nullptr},
    {"_storage_ptr", no_args<[](const Tensor& t) { return PyLong_FromVoidPtr(t->storage().data()); }>, METH_NOARGS,
     nullptr},
    {"requires_grad_", keyworded(requires_grad_), METH_VARARGS | METH_KEYWORDS,
     "Sets requires_grad in place; returns self."},
    {"is_contiguous", keyworded(is_contiguous), METH_VARARGS | METH_KEYWORDS,
     "Whether the elements lie in memory in order."},
    {"to", fast(to), METH_FASTCALL | METH_KEYWORDS, "Converts to a dtype or device; self if nothing changes."},
    {"float", keyworded(convert<DType::F32>), METH_VARARGS | METH_KEYWORDS, "To float32."},
    {"double", keyworded(convert<DType::F64>), METH_VARARGS | METH_KEYWORDS, "To float64."},
    {"half", keyworded(convert<DType::F16>), METH_VARARGS | METH_KEYWORDS, "To float16."},
    {"bfloat16", keyworded(convert<DType::BF16>), METH_VARARGS | METH_KEYWORDS, "To bfloat16."},
    {"int", keyworded(convert<DType::I32>), METH_VARARGS | METH_KEYWORDS, "To int32."},
    {"long", keyworded(convert<DType::I64>), METH_VARARGS | METH_KEYWORDS, "To int64."},
    {"short", keyworded(convert<DType::I16>), METH_VARARGS | METH_KEYWORDS, "To int16."},
    {"char", keyworded(convert<DType::I8>), METH_VARARGS | METH_KEYWORDS, "To int8."},
    {"byte", keyworded(convert<DType::U8>), METH_VARARGS | METH_KEYWORDS, "To uint8."},
    {"bool", keyworded(convert<DType::Bool>), METH_VARARGS | METH_KEYWORDS, "To bool."},
    {"cfloat", keyworded(convert<DType::C64>), METH_VARARGS | METH_KEYWORDS, "To complex64."},
    {"cdouble", keyworded(convert<DType::C128>), METH_VARARGS | METH_KEYWORDS, "To complex128."},
    {"cpu", keyworded(cpu), METH_VARARGS | METH_KEYWORDS, "self: it is there already."},
    {"cuda", keyworded(no_cuda), METH_VARARGS | METH_KEYWORDS, "An AssertionError: there is no CUDA."},
    {"pin_memory", keyworded(cpu), METH_VARARGS | METH_KEYWORDS, "self: there is no CUDA to pin for."},
    {"set_", keyworded(set_), METH_VARARGS | METH_KEYWORDS,
     "Makes self look at another tensor's storage, or at a storage."},
    {"resize_", keyworded(resize_), METH_VARARGS | METH_KEYWORDS,
     "Changes the sizes in place; new elements are uninitialised."},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace rl::py
