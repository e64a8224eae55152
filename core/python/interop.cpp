// Other libraries' memory: the buffer protocol, NumPy, DLPack.
#include <cstring>

#include "python/meta.h"
#include "python/python.h"

namespace rl::py {
namespace {

const char* buffer_format(DType d) {
  static constexpr const char* kFormats[kDTypeCount] = {"B", "b", "h",  "i",  "l", "e",
                                                        "f", "d", "Zf", "Zd", "?", nullptr};
  return kFormats[static_cast<int>(d)];
}

bool dtype_of_format(const char* format, Py_ssize_t itemsize, DType& out) {
  if (!format) format = "B";
  if (*format == '@' || *format == '=' || *format == '<' || *format == '|') ++format;
  if (*format == '>' || *format == '!') return itemsize == 1 && dtype_of_format(format + 1, itemsize, out);
  std::string_view f(format);
  if (f == "?")
    out = DType::Bool;
  else if (f == "e")
    out = DType::F16;
  else if (f == "f")
    out = DType::F32;
  else if (f == "d")
    out = DType::F64;
  else if (f == "Zf")
    out = DType::C64;
  else if (f == "Zd")
    out = DType::C128;
  else if (f == "B")
    out = DType::U8;
  else if (f.size() == 1 && std::strchr("bhilqn", f[0]))
    out = itemsize == 1 ? DType::I8 : itemsize == 2 ? DType::I16 : itemsize == 4 ? DType::I32 : DType::I64;
  else
    return false;
  return item_size(out) == itemsize;
}

// Owns a Py_buffer until the storage dies.
struct Exporter {
  Py_buffer view;
};
void release_exporter(void* context) {
  std::unique_ptr<Exporter> e(static_cast<Exporter*>(context));
  if (!Py_IsInitialized()) return;
  PyGILState_STATE gil = PyGILState_Ensure();
  PyBuffer_Release(&e->view);
  PyGILState_Release(gil);
}

// Holds a tensor's memory where it is: the tensor itself may be given another storage meanwhile.
class Loan {
 public:
  explicit Loan(const Tensor& t) : storage_(t->storage_ref()) { storage_->lend(); }
  ~Loan() { storage_->take_back(); }
  Loan(const Loan&) = delete;
  Loan& operator=(const Loan&) = delete;

 private:
  Ref<Storage> storage_;
};

// What a consumer's view of one of our tensors needs for as long as it lives.
struct Exported {
  explicit Exported(const Tensor& t) : loan(t) {}
  Loan loan;
  std::vector<Py_ssize_t> shape, strides;
};

int get_buffer(PyObject* self, Py_buffer* view, int flags) {
  return guarded(
      [&]() -> int {
        Tensor t = tensor_of(self);
        view->obj = nullptr;
        check_has_data(t);
        const char* format = buffer_format(t.dtype());
        auto wants = [&](int kind) { return (flags & kind) == kind; };
        const bool columns = wants(PyBUF_F_CONTIGUOUS);
        const bool any_layout =
            wants(PyBUF_STRIDES) && !columns && !wants(PyBUF_C_CONTIGUOUS) && !wants(PyBUF_ANY_CONTIGUOUS);
        const bool fits = any_layout || (t.is_contiguous() && (!columns || t.dim() <= 1));
        if (t.requires_grad() || !format || ((flags & PyBUF_WRITABLE) && t->storage().read_only) || !fits) {
          PyErr_SetString(PyExc_BufferError,
                          t.requires_grad()
                              ? "Can't export a Tensor that requires grad as a buffer. Use tensor.detach() first."
                          : format ? "this tensor's memory layout does not fit what the consumer asks for"
                                   : "the buffer protocol has no format for bfloat16");
          return -1;
        }
        auto e = std::make_unique<Exported>(t);
        for (int64_t d = 0; d < t.dim(); ++d) {
          e->shape.push_back(t.sizes()[d]);
          e->strides.push_back(t.strides()[d] * item_size(t.dtype()));
        }
        view->obj = Py_NewRef(self);
        view->buf = t.raw();
        view->itemsize = item_size(t.dtype());
        view->len = t.numel() * view->itemsize;
        view->readonly = t->storage().read_only;
        view->ndim = static_cast<int>(t.dim());
        view->format = flags & PyBUF_FORMAT ? const_cast<char*>(format) : nullptr;
        view->shape = flags & PyBUF_ND ? e->shape.data() : nullptr;
        view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? e->strides.data() : nullptr;
        view->suboffsets = nullptr;
        view->internal = e.release();
        return 0;
      },
      -1);
}
void release_buffer(PyObject*, Py_buffer* view) {
  std::unique_ptr<Exported>(static_cast<Exported*>(view->internal)).reset();
}

PyObject* numpy_array(const Tensor& t) {
  static PyObject* asarray = nullptr;  // not initialised in place: an import may let other threads run
  if (!asarray) {
    Object numpy = Object::check(PyImport_ImportModule("numpy"));
    asarray = Object::check(PyObject_GetAttrString(numpy.get(), "asarray")).release();
  }
  check_type(!is_meta(t), "can't convert meta device type tensor to numpy. It has no data.");
  check_type(t.dtype() != DType::BF16,
             "Got unsupported ScalarType BFloat16: NumPy has no bfloat16; convert first, e.g. with .float()");
  Object o = Object::check(wrap(t));
  Object view = Object::check(PyMemoryView_FromObject(o.get()));
  return PyObject_CallOneArg(asarray, view.get());
}

PyObject* numpy(PyObject* self, PyObject* args, PyObject* kwargs) {
  int force = 0;
  static const char* names[] = {"force", nullptr};
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|$p:numpy", const_cast<char**>(names), &force)) return nullptr;
  return guarded([&] {
    Tensor t = tensor_of(self);
    check(force || !t.requires_grad() || !grad_mode.enabled,
          "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.");
    // An object without history; identity does not matter here.
    return numpy_array(t.requires_grad() ? detach(t) : t);
  });
}

PyObject* array(PyObject* self, PyObject* args, PyObject* kwargs) {
  PyObject *dtype = Py_None, *copy = Py_None;
  static const char* names[] = {"dtype", "copy", nullptr};
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|OO:__array__", const_cast<char**>(names), &dtype, &copy))
    return nullptr;
  return guarded([&]() -> PyObject* {
    Tensor t = tensor_of(self);
    check(!t.requires_grad() || !grad_mode.enabled,
          "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.");
    Object a = Object::check(numpy_array(t.requires_grad() ? detach(t) : t));
    if (dtype != Py_None) return PyObject_CallMethod(a.get(), "astype", "O", dtype);
    return a.release();
  });
}

// --- DLPack ------------------------------------------------------------------------------------------------------------
// The structures of DLPack's stable ABI (version 0.x: DLManagedTensor).
struct DLDevice {
  int32_t type, id;
};
struct DLDataType {
  uint8_t code, bits;
  uint16_t lanes;
};
struct DLTensor {
  void* data;
  DLDevice device;
  int32_t ndim;
  DLDataType dtype;
  int64_t *shape, *strides;
  uint64_t byte_offset;
};
struct DLManagedTensor {
  DLTensor dl_tensor;
  void* manager_ctx;
  void (*deleter)(DLManagedTensor*);
};

struct DLExport {
  explicit DLExport(const Tensor& t) : loan(t) {}
  Loan loan;
  DLManagedTensor managed;
  std::vector<int64_t> shape, strides;
};

DLDataType dl_type(DType d) {
  uint8_t bits = static_cast<uint8_t>(8 * item_size(d));
  if (d == DType::Bool) return {6, 8, 1};
  if (d == DType::U8) return {1, 8, 1};
  if (d == DType::BF16) return {4, 16, 1};
  if (is_complex_dtype(d)) return {5, bits, 1};
  return {static_cast<uint8_t>(is_floating(d) ? 2 : 0), bits, 1};
}

bool dtype_of_dl(DLDataType t, DType& out) {
  for (int i = 0; i < kDTypeCount; ++i) {
    DLDataType mine = dl_type(static_cast<DType>(i));
    if (mine.code == t.code && mine.bits == t.bits && t.lanes == 1) {
      out = static_cast<DType>(i);
      return true;
    }
  }
  return false;
}

void capsule_destructor(PyObject* capsule) {
  if (!PyCapsule_IsValid(capsule, "dltensor")) return;  // consumed: the consumer deletes it
  auto* m = static_cast<DLManagedTensor*>(PyCapsule_GetPointer(capsule, "dltensor"));
  m->deleter(m);
}

PyObject* to_dlpack(PyObject* self, PyObject*, PyObject*) {
  return guarded([&]() -> PyObject* {
    Tensor t = tensor_of(self);
    if (t.requires_grad()) {
      PyErr_SetString(PyExc_BufferError, "Can't export tensors that require gradient, use tensor.detach()");
      throw PythonError{};
    }
    check_has_data(t);
    auto e = std::make_unique<DLExport>(t);
    e->shape.assign(t.sizes().begin(), t.sizes().end());
    e->strides.assign(t.strides().begin(), t.strides().end());
    e->managed = {
        {t.raw(), {1, 0}, static_cast<int32_t>(t.dim()), dl_type(t.dtype()), e->shape.data(), e->strides.data(), 0},
        e.get(),
        [](DLManagedTensor* m) {
          PyGILState_STATE gil = PyGILState_Ensure();
          std::unique_ptr<DLExport>(static_cast<DLExport*>(m->manager_ctx)).reset();
          PyGILState_Release(gil);
        }};
    PyObject* capsule = PyCapsule_New(&e->managed, "dltensor", capsule_destructor);
    if (capsule) e.release();
    return capsule;
  });
}
PyObject* dlpack_device(PyObject*, PyObject*) { return Py_BuildValue("(ii)", 1, 0); }

PyObject* from_dlpack(PyObject*, PyObject* o) {
  return guarded([&]() -> PyObject* {
    Object capsule = Object::borrow(o);
    if (!PyCapsule_CheckExact(o)) {
      check_type(PyObject_HasAttrString(o, "__dlpack__"),
                 "from_dlpack(): expected an object with __dlpack__ or a DLPack capsule, got ", type_name(o));
      Object device = Object::check(PyObject_CallMethod(o, "__dlpack_device__", nullptr));
      int type = 0, id = 0;
      if (!PyArg_ParseTuple(device.get(), "ii", &type, &id)) throw PythonError{};
      check(type == 1, "from_dlpack(): only tensors on the CPU can be taken, this one is on DLPack device type ", type);
      capsule = Object::check(PyObject_CallMethod(o, "__dlpack__", nullptr));
    }
    check_value(PyCapsule_IsValid(capsule.get(), "dltensor"),
                "from_dlpack(): the capsule was already consumed, or is not a DLPack tensor");
    auto* m = static_cast<DLManagedTensor*>(PyCapsule_GetPointer(capsule.get(), "dltensor"));
    DType dtype;
    check(dtype_of_dl(m->dl_tensor.dtype, dtype), "from_dlpack(): unsupported data type (code ",
          int{m->dl_tensor.dtype.code}, ", bits ", int{m->dl_tensor.dtype.bits}, ")");
    Dims sizes, strides;
    int64_t reach = 1;
    for (int i = 0; i < m->dl_tensor.ndim; ++i) {
      sizes.push_back(m->dl_tensor.shape[i]);
      if (m->dl_tensor.strides) strides.push_back(m->dl_tensor.strides[i]);
    }
    if (!m->dl_tensor.strides) strides = contiguous_strides(sizes);
    for (int64_t i = 0; i < sizes.size(); ++i) {
      check_value(strides[i] >= 0, "from_dlpack(): negative strides are not supported; copy the array first");
      reach = sizes[i] == 0 ? 0 : reach + (reach ? (sizes[i] - 1) * strides[i] : 0);
    }
    PyCapsule_SetName(capsule.get(), "used_dltensor");
    char* data = static_cast<char*>(m->dl_tensor.data) + m->dl_tensor.byte_offset;
    Ref<Storage> storage = Storage::external(
        data, static_cast<size_t>(reach) * item_size(dtype),
        [](void* c) {
          auto* managed = static_cast<DLManagedTensor*>(c);
          if (managed->deleter) managed->deleter(managed);
        },
        m);
    return wrap(Tensor(TensorImpl::make(std::move(storage), 0, sizes, strides, dtype)));
  });
}

PyObject* from_buffer(PyObject*, PyObject* args, PyObject* kwargs) {
  PyObject *o, *dtype = nullptr;
  Py_ssize_t count = -1, offset = 0;
  int requires_grad = 0;
  static const char* names[] = {"buffer", "dtype", "count", "offset", "requires_grad", nullptr};
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$Onnp:frombuffer", const_cast<char**>(names), &o, &dtype, &count,
                                   &offset, &requires_grad))
    return nullptr;
  return guarded([&]() -> PyObject* {
    check_type(dtype != nullptr, "frombuffer() missing 1 required keyword argument: \"dtype\"");
    check_type(is_dtype(dtype), "frombuffer(): argument 'dtype' must be torch.dtype, not ", type_name(dtype));
    DType d = dtype_from(dtype);
    auto e = std::make_unique<Exporter>();
    bool read_only = false;
    if (PyObject_GetBuffer(o, &e->view, PyBUF_WRITABLE) < 0) {
      PyErr_Clear();
      if (PyObject_GetBuffer(o, &e->view, PyBUF_SIMPLE) < 0) throw PythonError{};
      read_only = true;
    }
    Py_ssize_t bytes = e->view.len, item = item_size(d);
    auto refuse = [&](const std::string& why) {
      PyBuffer_Release(&e->view);
      fail(ErrorKind::Value, why);
    };
    if (bytes <= 0 || count == 0)
      refuse(concat("both buffer length (", bytes, ") and count (", count, ") must not be 0"));
    if (offset < 0 || offset >= bytes)
      refuse(concat("offset (", offset, " bytes) must be non-negative and no greater than buffer length (", bytes,
                    " bytes) minus 1"));
    if (count < 0 && (bytes - offset) % item != 0)
      refuse(concat("buffer length (", bytes - offset, " bytes) after offset (", offset,
                    " bytes) must be a multiple of element size (", item, ")"));
    if (count < 0) count = (bytes - offset) / item;
    if (count > (bytes - offset) / item)
      refuse(concat("requested buffer length (", count, " * ", item, " bytes) after offset (", offset,
                    " bytes) must not be greater than actual buffer length (", bytes, " bytes)"));
    char* data = static_cast<char*>(e->view.buf) + offset;
    Ref<Storage> storage = Storage::external(data, static_cast<size_t>(count * item), release_exporter, e.release());
    storage->read_only = read_only;
    Tensor t(TensorImpl::make(std::move(storage), 0, Dims{count}, Dims{1}, d));
    if (read_only &&
        PyErr_WarnEx(
            PyExc_UserWarning,
            "The given buffer is not writable, and PyTorch does not support non-writable tensors: writing to this one is an error.",
            1) < 0)
      throw PythonError{};
    if (requires_grad) set_requires_grad(t, true);
    return wrap(t);
  });
}

PyMethodDef functions[] = {
    {"from_dlpack", from_dlpack, METH_O,
     "A tensor that shares the memory of another library's array, by DLPack. What another device holds is\n"
     "a RuntimeError.\n\n"
     ">>> x = torch.ones(2)\n"
     ">>> torch.from_dlpack(x).data_ptr() == x.data_ptr()\n"
     "True\n"},
    {"frombuffer", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(from_buffer)), METH_VARARGS | METH_KEYWORDS,
     "A 1-d tensor of dtype over an object's buffer, from offset (in bytes) on, of count elements or all.\n"
     "It shares the memory. A buffer that does not hold them is a ValueError.\n\n"
     ">>> torch.frombuffer(bytearray([1, 0, 2, 0]), dtype=torch.int16)\n"
     "tensor([1, 2], dtype=torch.int16)\n"},
    {nullptr, nullptr, 0, nullptr}};

}  // namespace

PyBufferProcs tensor_buffer = {get_buffer, release_buffer};
PyMethodDef interop_methods[] = {
    {"numpy", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(numpy)), METH_VARARGS | METH_KEYWORDS,
     "A NumPy array that shares this tensor's memory."},
    {"__array__", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(array)), METH_VARARGS | METH_KEYWORDS, nullptr},
    {"__dlpack__", reinterpret_cast<PyCFunction>(reinterpret_cast<void*>(to_dlpack)), METH_VARARGS | METH_KEYWORDS,
     "A DLPack capsule of this tensor."},
    {"__dlpack_device__", dlpack_device, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr}};

bool tensor_from_buffer(PyObject* o, Tensor& out) {
  auto e = std::make_unique<Exporter>();
  bool read_only = false;
  if (PyObject_GetBuffer(o, &e->view, PyBUF_STRIDED | PyBUF_FORMAT | PyBUF_WRITABLE) < 0) {
    PyErr_Clear();
    if (PyObject_GetBuffer(o, &e->view, PyBUF_STRIDED_RO | PyBUF_FORMAT) < 0) return false;
    read_only = true;
  }
  Py_buffer& v = e->view;
  DType dtype;
  // NumPy's dates and durations show their bytes where a buffer is asked for: they are no numbers.
  std::string_view type = Py_TYPE(o)->tp_name;
  if (type == "numpy.datetime64" || type == "numpy.timedelta64") {
    PyErr_Format(PyExc_TypeError, "can't convert a %s to a tensor: convert it to a number first", Py_TYPE(o)->tp_name);
    PyBuffer_Release(&v);
    return false;
  }
  if (v.format && (v.format[0] == '>' || v.format[0] == '!') && v.itemsize > 1) {
    PyErr_SetString(PyExc_ValueError,
                    "given numpy array has byte order different from the native byte order: convert it first, "
                    "array.astype(array.dtype.newbyteorder('='))");
    PyBuffer_Release(&v);
    return false;
  }
  if (!dtype_of_format(v.format, v.itemsize, dtype)) {
    PyErr_Format(
        PyExc_TypeError,
        "can't convert an array of element type '%s' to a tensor. The supported types are: float64, float32, float16, complex64, complex128, int64, int32, "
        "int16, int8, uint8, and bool.",
        v.format ? v.format : "?");
    PyBuffer_Release(&v);
    return false;
  }
  Dims sizes, strides;
  int64_t reach = 1;
  for (int i = 0; i < v.ndim; ++i) {
    sizes.push_back(v.shape[i]);
    int64_t step = v.strides ? v.strides[i] : 0;
    if (v.shape[i] > 1 && (step < 0 || step % v.itemsize != 0)) {
      PyErr_SetString(
          PyExc_ValueError,
          step < 0
              ? "At least one stride in the given numpy array is negative, and tensors with negative strides are not currently "
                "supported. (You can probably work around this by making a copy of your array with array.copy().)"
              : "given numpy array strides not a multiple of the element byte size. Copy the numpy array to reallocate the memory.");
      PyBuffer_Release(&v);
      return false;
    }
    strides.push_back(v.shape[i] > 1 ? step / v.itemsize : 1);
    reach = v.shape[i] == 0 ? 0 : reach + (reach ? (v.shape[i] - 1) * strides.back() : 0);
  }
  if (!v.strides) strides = contiguous_strides(sizes);
  void* data = v.buf;
  Ref<Storage> storage =
      Storage::external(data, static_cast<size_t>(reach) * v.itemsize, release_exporter, e.release());
  storage->read_only = read_only;
  out = Tensor(TensorImpl::make(std::move(storage), 0, sizes, strides, dtype));
  return true;
}

int add_interop(PyObject* module) { return PyModule_AddFunctions(module, functions); }

}  // namespace rl::py
