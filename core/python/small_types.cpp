// torch.dtype, torch.device, torch.layout, torch.memory_format, torch.Size, torch.Generator.
#include <cstring>

#include "python/python.h"

namespace rl::py {

PyTypeObject *dtype_type, *device_type, *layout_type, *memory_format_type, *size_type, *generator_type;

namespace {

PyObject* dtypes[kDTypeCount];
PyObject* strided;

struct PyDevice {
  PyObject_HEAD Device device;
};
struct PyNamed {  // layout, memory_format
  PyObject_HEAD int value;
  const char* name;
};
struct PyGenerator {
  PyObject_HEAD Generator* generator;
  bool owned;
};

template <class T>
T* self_of(PyObject* o) {
  return reinterpret_cast<T*>(o);
}

// Types are heap types, each made from a spec.
PyTypeObject* make_type(PyObject* module, const char* attribute, const char* name, int size, PyType_Slot* slots,
                        const char* doc, unsigned flags = 0, PyObject* base = nullptr) {
  std::vector<PyType_Slot> all{{Py_tp_doc, const_cast<char*>(doc)}};
  do all.push_back(*slots);
  while (slots++->slot);
  PyType_Spec spec{name, size, 0, static_cast<unsigned>(Py_TPFLAGS_DEFAULT | flags), all.data()};
  PyObject* type = base ? PyType_FromSpecWithBases(&spec, base) : PyType_FromSpec(&spec);
  if (type && PyModule_AddObjectRef(module, attribute, type) < 0) return nullptr;
  return reinterpret_cast<PyTypeObject*>(type);
}
template <class F>
void* slot(F* f) {
  return reinterpret_cast<void*>(f);
}

void dealloc_plain(PyObject* o) {
  PyTypeObject* type = Py_TYPE(o);
  type->tp_free(o);
  Py_DECREF(type);
}

// --- dtype -------------------------------------------------------------------------------------------------------------
// Element types that programs name and no tensor here is of: they can be passed around, compared and asked about. Their
// DType counts on behind the last one.
struct NamedDType {
  const char* name;
  int8_t item_size;
  bool floating, complex, is_signed;
};
constexpr NamedDType kNamed[] = {
    {"uint16", 2, false, false, false},        {"uint32", 4, false, false, false},
    {"uint64", 8, false, false, false},        {"complex32", 4, false, true, true},
    {"float8_e4m3fn", 1, true, false, true},   {"float8_e4m3fnuz", 1, true, false, true},
    {"float8_e5m2", 1, true, false, true},     {"float8_e5m2fnuz", 1, true, false, true},
    {"float8_e8m0fnu", 1, true, false, false}, {"float4_e2m1fn_x2", 1, true, false, true},
    {"qint8", 1, false, false, true},          {"quint8", 1, false, false, false},
    {"qint32", 4, false, false, true},         {"quint4x2", 1, false, false, false},
    {"quint2x4", 1, false, false, false},      {"int1", 1, false, false, true},
    {"int2", 1, false, false, true},           {"int3", 1, false, false, true},
    {"int4", 1, false, false, true},           {"int5", 1, false, false, true},
    {"int6", 1, false, false, true},           {"int7", 1, false, false, true},
    {"uint1", 1, false, false, false},         {"uint2", 1, false, false, false},
    {"uint3", 1, false, false, false},         {"uint4", 1, false, false, false},
    {"uint5", 1, false, false, false},         {"uint6", 1, false, false, false},
    {"uint7", 1, false, false, false},
};
const NamedDType* named(PyObject* o) {
  int i = static_cast<int>(self_of<PyDType>(o)->dtype) - kDTypeCount;
  return i < 0 ? nullptr : &kNamed[i];
}
const char* name_of(PyObject* o) { return named(o) ? named(o)->name : dtype_name(self_of<PyDType>(o)->dtype); }

PyObject* dtype_repr(PyObject* o) { return PyUnicode_FromFormat("torch.%s", name_of(o)); }

bool equals_numpy(const char* mine, PyObject* other) {
  // np.float32 (a class) and np.dtype('float32') both name the same element type.
  Object name;
  if (PyType_Check(other)) {
    const char* full = reinterpret_cast<PyTypeObject*>(other)->tp_name;
    if (std::strncmp(full, "numpy.", 6) != 0) return false;
    return std::strcmp(full + 6, mine) == 0 || (std::strcmp(mine, "bool") == 0 && std::strcmp(full + 6, "bool_") == 0);
  }
  if (std::strncmp(Py_TYPE(other)->tp_name, "numpy.dtype", 11) != 0) return false;
  name = Object::steal(PyObject_GetAttrString(other, "name"));
  if (!name) {
    PyErr_Clear();
    return false;
  }
  return PyUnicode_Check(name.get()) && PyUnicode_CompareWithASCIIString(name.get(), mine) == 0;
}

PyObject* dtype_compare(PyObject* a, PyObject* b, int op) {
  if (op != Py_EQ && op != Py_NE) Py_RETURN_NOTIMPLEMENTED;
  bool equal = a == b || (Py_TYPE(b) != dtype_type && equals_numpy(name_of(a), b));
  return PyBool_FromLong(equal == (op == Py_EQ));
}
Py_hash_t dtype_hash(PyObject* o) { return 7919 + static_cast<Py_hash_t>(self_of<PyDType>(o)->dtype); }
PyObject* dtype_reduce(PyObject* o, PyObject*) { return reduced_as("attribute", Py_BuildValue("(s)", name_of(o))); }
PyObject* dtype_to_real(PyObject* o, PyObject*) {
  return guarded([&] { return Py_NewRef(dtype_object(real_of(dtype_from(o)))); });
}
PyObject* dtype_to_complex(PyObject* o, PyObject*) {
  return guarded([&] {
    DType d = dtype_from(o);
    return Py_NewRef(dtype_object(d == DType::F16 || d == DType::BF16 ? DType::C64 : complex_of(d)));
  });
}
PyMethodDef dtype_methods[] = {
    {"__reduce__", dtype_reduce, METH_NOARGS, nullptr},
    {"to_real", dtype_to_real, METH_NOARGS, "The real dtype of the same precision."},
    {"to_complex", dtype_to_complex, METH_NOARGS, "The complex dtype of the same precision."},
    {nullptr, nullptr, 0, nullptr}};
PyGetSetDef dtype_properties[] = {
    {"is_floating_point",
     [](PyObject* o, void*) {
       return PyBool_FromLong(named(o) ? named(o)->floating : is_floating(self_of<PyDType>(o)->dtype));
     },
     nullptr, nullptr, nullptr},
    {"is_complex",
     [](PyObject* o, void*) {
       return PyBool_FromLong(named(o) ? named(o)->complex : is_complex_dtype(self_of<PyDType>(o)->dtype));
     },
     nullptr, nullptr, nullptr},
    {"is_signed",
     [](PyObject* o, void*) {
       DType d = self_of<PyDType>(o)->dtype;
       return PyBool_FromLong(named(o) ? named(o)->is_signed : d != DType::U8 && d != DType::Bool);
     },
     nullptr, nullptr, nullptr},
    {"itemsize",
     [](PyObject* o, void*) {
       return PyLong_FromLong(named(o) ? named(o)->item_size : item_size(self_of<PyDType>(o)->dtype));
     },
     nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

// --- device ------------------------------------------------------------------------------------------------------------
PyObject* device_new(PyTypeObject*, PyObject* args, PyObject* kwargs) {
  PyObject *what = nullptr, *index = nullptr;
  static const char* names[] = {"type", "index", nullptr};
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:device", const_cast<char**>(names), &what, &index))
    return nullptr;
  return guarded([&]() -> PyObject* {
    Device d = device_from(what);
    if (index && index != Py_None) {
      long i = PyLong_AsLong(index);
      if (i == -1 && PyErr_Occurred()) throw PythonError{};
      check(d.index < 0, "type (string) must not include an index because index was passed explicitly: ", d.str());
      check(i >= 0 && i < 128, "Device index must not be negative");
      d.index = static_cast<int8_t>(i);
    }
    return device_object(d);
  });
}
PyObject* device_repr(PyObject* o) {
  Device d = self_of<PyDevice>(o)->device;
  Device bare{d.type, -1};
  return d.index >= 0 ? PyUnicode_FromFormat("device(type='%s', index=%d)", bare.str().c_str(), d.index)
                      : PyUnicode_FromFormat("device(type='%s')", bare.str().c_str());
}
PyObject* device_str(PyObject* o) { return PyUnicode_FromString(self_of<PyDevice>(o)->device.str().c_str()); }
PyObject* device_compare(PyObject* a, PyObject* b, int op) {
  if ((op != Py_EQ && op != Py_NE) || Py_TYPE(b) != device_type) Py_RETURN_NOTIMPLEMENTED;
  return PyBool_FromLong((self_of<PyDevice>(a)->device == self_of<PyDevice>(b)->device) == (op == Py_EQ));
}
Py_hash_t device_hash(PyObject* o) {
  Device d = self_of<PyDevice>(o)->device;
  return 31 * static_cast<Py_hash_t>(d.type) + d.index + 1000;
}
PyObject* device_reduce(PyObject* o, PyObject*) {
  return reduced_as("made", Py_BuildValue("(ss)", "device", self_of<PyDevice>(o)->device.str().c_str()));
}
PyMethodDef device_methods[] = {{"__reduce__", device_reduce, METH_NOARGS, nullptr}, {nullptr, nullptr, 0, nullptr}};
PyGetSetDef device_properties[] = {
    {"type",
     [](PyObject* o, void*) {
       return PyUnicode_FromString(Device{self_of<PyDevice>(o)->device.type, -1}.str().c_str());
     },
     nullptr, nullptr, nullptr},
    {"index",
     [](PyObject* o, void*) -> PyObject* {
       int i = self_of<PyDevice>(o)->device.index;
       if (i < 0) Py_RETURN_NONE;
       return PyLong_FromLong(i);
     },
     nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

// --- layout, memory_format ---------------------------------------------------------------------------------------------
PyObject* named_repr(PyObject* o) { return PyUnicode_FromString(self_of<PyNamed>(o)->name); }
PyObject* named_reduce(PyObject* o, PyObject*) {
  return reduced_as("attribute", Py_BuildValue("(s)", self_of<PyNamed>(o)->name + 6));
}
PyMethodDef named_methods[] = {{"__reduce__", named_reduce, METH_NOARGS, nullptr}, {nullptr, nullptr, 0, nullptr}};
PyObject* make_named(PyTypeObject* type, int value, const char* name) {
  PyNamed* o = PyObject_New(PyNamed, type);
  if (!o) return nullptr;
  o->value = value;
  o->name = name;
  return reinterpret_cast<PyObject*>(o);
}

// --- Size --------------------------------------------------------------------------------------------------------------
PyObject* size_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  return guarded([&] {
    Object made = Object::check(PyTuple_Type.tp_new(type, args, kwargs));
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(made.get()); ++i) {
      PyObject* item = PyTuple_GET_ITEM(made.get(), i);
      if (PyLong_Check(item) && (PyLong_AsLongLong(item) != -1 || !PyErr_Occurred())) continue;
      PyErr_Clear();
      int64_t value;
      check_type(to_int(item, value), "torch.Size() takes an iterable of 'int' (item ", i, " is '", type_name(item),
                 "')");
      PyTuple_SET_ITEM(made.get(), i, PyLong_FromLongLong(value));
      Py_DECREF(item);
    }
    return made.release();
  });
}
PyObject* size_repr(PyObject* o) {
  std::string text = "torch.Size([";
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(o); ++i)
    text += (i ? ", " : "") + std::to_string(PyLong_AsLongLong(PyTuple_GET_ITEM(o, i)));
  return PyUnicode_FromString((text + "])").c_str());
}
PyObject* size_numel(PyObject* o, PyObject*) {
  int64_t n = 1;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(o); ++i) n *= PyLong_AsLongLong(PyTuple_GET_ITEM(o, i));
  return PyLong_FromLongLong(n);
}
PyObject* as_size(PyObject* tuple) {
  if (!tuple || !PyTuple_CheckExact(tuple)) return tuple;
  Object held = Object::steal(tuple);
  Object args = Object::steal(PyTuple_Pack(1, tuple));
  return args ? PyTuple_Type.tp_new(size_type, args.get(), nullptr) : nullptr;
}
PyObject* size_concat(PyObject* a, PyObject* b) { return as_size(PyTuple_Type.tp_as_sequence->sq_concat(a, b)); }
PyObject* size_add(PyObject* a, PyObject* b) {  // so that a tuple before a Size makes a Size too
  if (!PyTuple_Check(a) || !PyTuple_Check(b)) Py_RETURN_NOTIMPLEMENTED;
  return size_concat(a, b);
}
PyObject* size_repeat(PyObject* a, Py_ssize_t n) { return as_size(PyTuple_Type.tp_as_sequence->sq_repeat(a, n)); }
PyObject* size_subscript(PyObject* a, PyObject* index) {
  return as_size(PyTuple_Type.tp_as_mapping->mp_subscript(a, index));
}
PyObject* size_reduce(PyObject* o, PyObject*) {
  Object plain = Object::steal(PySequence_Tuple(o));
  if (plain.get() == o) plain = Object::steal(PyTuple_GetSlice(o, 0, PyTuple_GET_SIZE(o)));
  return reduced_as("made", Py_BuildValue("(sO)", "Size", plain.get()));
}
PyMethodDef size_methods[] = {{"numel", size_numel, METH_NOARGS, "The number of elements: the product of the sizes."},
                              {"__reduce__", size_reduce, METH_NOARGS, nullptr},
                              {nullptr, nullptr, 0, nullptr}};

// --- Generator ---------------------------------------------------------------------------------------------------------
PyObject* generator_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  PyObject* device = nullptr;
  static const char* names[] = {"device", nullptr};
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:Generator", const_cast<char**>(names), &device)) return nullptr;
  return guarded([&]() -> PyObject* {
    if (device && device != Py_None) {
      Device d = device_from(device);
      check(d.type == DeviceType::CPU, "Device type ", d.str(),
            " is not supported for torch.Generator() here: rushlight runs on the CPU");
    }
    PyGenerator* o = reinterpret_cast<PyGenerator*>(type->tp_alloc(type, 0));
    if (!o) return nullptr;
    o->generator = std::make_unique<Generator>().release();
    o->owned = true;
    return reinterpret_cast<PyObject*>(o);
  });
}
void generator_dealloc(PyObject* o) {
  if (self_of<PyGenerator>(o)->owned) std::unique_ptr<Generator>(self_of<PyGenerator>(o)->generator).reset();
  dealloc_plain(o);
}
PyObject* generator_manual_seed(PyObject* o, PyObject* seed) {
  // Seeds from -2^63 to 2^64 - 1 are taken; negative ones wrap.
  if (!PyIndex_Check(seed)) {
    PyErr_Format(PyExc_RuntimeError, "manual_seed expected a long, but got %s", Py_TYPE(seed)->tp_name);
    return nullptr;
  }
  Object number = Object::steal(PyNumber_Index(seed));
  if (!number) return nullptr;
  Object masked = Object::steal(PyLong_FromString("0xffffffffffffffff", nullptr, 16));
  Object low = Object::steal(PyLong_FromString("-0x8000000000000000", nullptr, 16));
  if (PyObject_RichCompareBool(number.get(), masked.get(), Py_GT) ||
      PyObject_RichCompareBool(number.get(), low.get(), Py_LT)) {
    PyErr_SetString(
        PyExc_ValueError,
        "Overflow when unpacking long long: a seed lies between -0x8000_0000_0000_0000 and 0xffff_ffff_ffff_ffff");
    return nullptr;
  }
  Object wrapped = Object::steal(PyNumber_And(number.get(), masked.get()));
  self_of<PyGenerator>(o)->generator->manual_seed(PyLong_AsUnsignedLongLong(wrapped.get()));
  return Py_NewRef(o);
}
PyObject* generator_get_state(PyObject* o, PyObject*) {
  return guarded([&] {
    Generator::State state = self_of<PyGenerator>(o)->generator->get_state();
    Tensor t = Tensor::empty(Dims{static_cast<int64_t>(state.size())}, DType::U8);
    std::memcpy(t.raw(), state.data(), state.size());
    return wrap(t);
  });
}
PyObject* generator_set_state(PyObject* o, PyObject* state) {
  return guarded([&]() -> PyObject* {
    check_type(is_tensor(state), "expected a torch.ByteTensor, but got ", type_name(state));
    Tensor t = tensor_of(state);
    check_type(t.dtype() == DType::U8, "expected a torch.ByteTensor, but got torch.", scalar_type_name(t.dtype()),
               "Tensor");
    t = contiguous(t);
    self_of<PyGenerator>(o)->generator->set_state(t.data<uint8_t>(), static_cast<size_t>(t.numel()));
    return Py_NewRef(o);
  });
}
PyObject* generator_initial_seed(PyObject* o, PyObject*) {
  return PyLong_FromUnsignedLongLong(self_of<PyGenerator>(o)->generator->initial_seed());
}
PyObject* generator_seed(PyObject* o, PyObject*) {
  return PyLong_FromUnsignedLongLong(self_of<PyGenerator>(o)->generator->seed());
}
PyObject* generator_clone(PyObject* o, PyObject*) {
  Object fresh = Object::steal(PyObject_CallNoArgs(reinterpret_cast<PyObject*>(generator_type)));
  if (fresh) *self_of<PyGenerator>(fresh.get())->generator = *self_of<PyGenerator>(o)->generator;
  return fresh.release();
}
PyObject* generator_reduce(PyObject* o, PyObject*) {
  Object state = Object::steal(generator_get_state(o, nullptr));
  return state ? reduced_as("generator", Py_BuildValue("(O)", state.get())) : nullptr;
}
PyMethodDef generator_methods[] = {
    {"manual_seed", generator_manual_seed, METH_O, "Seeds the generator; returns it."},
    {"get_state", generator_get_state, METH_NOARGS, "The state as a uint8 tensor of 5056 bytes, PyTorch's own format."},
    {"set_state", generator_set_state, METH_O, "Restores a state that get_state() gave."},
    {"initial_seed", generator_initial_seed, METH_NOARGS, "The seed it was given."},
    {"seed", generator_seed, METH_NOARGS, "Seeds from the system's entropy; returns the seed."},
    {"clone_state", generator_clone, METH_NOARGS, "A new generator in the same state."},
    {"__reduce__", generator_reduce, METH_NOARGS, nullptr},
    {nullptr, nullptr, 0, nullptr}};
PyGetSetDef generator_properties[] = {
    {"device", [](PyObject*, void*) { return device_object(Device{}); }, nullptr, nullptr, nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

}  // namespace

PyObject* reduced_as(const char* function, PyObject* args) {
  Object held = Object::steal(args);
  Object home = Object::steal(held ? PyImport_ImportModule("rushlight._reduce") : nullptr);
  Object callable = Object::steal(home ? PyObject_GetAttrString(home.get(), function) : nullptr);
  return callable ? Py_BuildValue("(OO)", callable.get(), held.get()) : nullptr;
}

PyObject* dtype_object(DType d) { return dtypes[static_cast<int>(d)]; }
bool is_dtype(PyObject* o) {
  return Py_TYPE(o) == dtype_type || o == reinterpret_cast<PyObject*>(&PyFloat_Type) ||
         o == reinterpret_cast<PyObject*>(&PyLong_Type) || o == reinterpret_cast<PyObject*>(&PyBool_Type) ||
         o == reinterpret_cast<PyObject*>(&PyComplex_Type);
}
DType dtype_from(PyObject* o) {
  if (Py_TYPE(o) == dtype_type) {
    if (named(o)) [[unlikely]]
      fail(ErrorKind::NotImplemented, "rushlight has no tensors of dtype torch.", name_of(o));
    return self_of<PyDType>(o)->dtype;
  }
  if (o == reinterpret_cast<PyObject*>(&PyFloat_Type)) return DType::F64;
  if (o == reinterpret_cast<PyObject*>(&PyLong_Type)) return DType::I64;
  if (o == reinterpret_cast<PyObject*>(&PyBool_Type)) return DType::Bool;
  if (o == reinterpret_cast<PyObject*>(&PyComplex_Type)) return DType::C128;
  fail(ErrorKind::Type, "expected a torch.dtype, got ", type_name(o));
}
PyObject* device_object(Device d) {
  PyDevice* o = PyObject_New(PyDevice, device_type);
  if (o) o->device = d;
  return reinterpret_cast<PyObject*>(o);
}
bool is_device(PyObject* o) {
  return Py_TYPE(o) == device_type || PyUnicode_Check(o) || (PyLong_Check(o) && !PyBool_Check(o));
}
Device device_from(PyObject* o) {
  if (Py_TYPE(o) == device_type) return self_of<PyDevice>(o)->device;
  if (PyUnicode_Check(o)) {
    const char* text = PyUnicode_AsUTF8(o);
    if (!text) throw PythonError{};
    return Device::parse(text);
  }
  if (PyLong_Check(o)) {
    long i = PyLong_AsLong(o);
    check(i >= 0 && i < 128, "Device index must be between 0 and 127, got ", i);
    return Device{DeviceType::CUDA, static_cast<int8_t>(i)};
  }
  fail(ErrorKind::Type, "device(): argument 'type' (position 1) must be str, not ", type_name(o));
}
PyObject* size_object(IntSpan sizes) {
  // A tuple with another type: allocated here, because tuple's own constructor would copy.
  PyObject* t = size_type->tp_alloc(size_type, static_cast<Py_ssize_t>(sizes.size()));
  if (!t) return nullptr;
  for (size_t i = 0; i < sizes.size(); ++i) PyTuple_SET_ITEM(t, i, PyLong_FromLongLong(sizes[i]));
  return t;
}
MemoryFormat memory_format_from(PyObject* o) { return static_cast<MemoryFormat>(self_of<PyNamed>(o)->value); }
PyObject* layout_strided() { return strided; }
Generator* generator_from(PyObject* o) { return self_of<PyGenerator>(o)->generator; }

int add_small_types(PyObject* module) {
  PyType_Slot dtype_slots[] = {{Py_tp_repr, slot(dtype_repr)},
                               {Py_tp_richcompare, slot(dtype_compare)},
                               {Py_tp_hash, slot(dtype_hash)},
                               {Py_tp_methods, dtype_methods},
                               {Py_tp_getset, dtype_properties},
                               {Py_tp_dealloc, slot(dealloc_plain)},
                               {0, nullptr}};
  PyType_Slot device_slots[] = {{Py_tp_new, slot(device_new)},
                                {Py_tp_repr, slot(device_repr)},
                                {Py_tp_str, slot(device_str)},
                                {Py_tp_richcompare, slot(device_compare)},
                                {Py_tp_hash, slot(device_hash)},
                                {Py_tp_methods, device_methods},
                                {Py_tp_getset, device_properties},
                                {Py_tp_dealloc, slot(dealloc_plain)},
                                {0, nullptr}};
  PyType_Slot named_slots[] = {{Py_tp_repr, slot(named_repr)},
                               {Py_tp_methods, named_methods},
                               {Py_tp_dealloc, slot(dealloc_plain)},
                               {0, nullptr}};
  PyType_Slot size_slots[] = {{Py_tp_new, slot(size_new)},       {Py_tp_repr, slot(size_repr)},
                              {Py_sq_concat, slot(size_concat)}, {Py_nb_add, slot(size_add)},
                              {Py_sq_repeat, slot(size_repeat)}, {Py_mp_subscript, slot(size_subscript)},
                              {Py_tp_methods, size_methods},     {0, nullptr}};
  PyType_Slot generator_slots[] = {{Py_tp_new, slot(generator_new)},
                                   {Py_tp_dealloc, slot(generator_dealloc)},
                                   {Py_tp_methods, generator_methods},
                                   {Py_tp_getset, generator_properties},
                                   {0, nullptr}};
  unsigned closed = Py_TPFLAGS_DISALLOW_INSTANTIATION;
  dtype_type = make_type(module, "dtype", "torch.dtype", sizeof(PyDType), dtype_slots,
                         "The type of the elements of a tensor, such as torch.float32.\n\n"
                         ">>> torch.float16.itemsize, torch.float16.is_floating_point\n(2, True)\n",
                         closed);
  device_type = make_type(module, "device", "torch.device", sizeof(PyDevice), device_slots,
                          "device(\"cpu\"): where a tensor lies.\n\n"
                          ">>> torch.device(\"cpu\"), torch.ones(1).device.type\n(device(type='cpu'), 'cpu')\n");
  layout_type = make_type(module, "layout", "torch.layout", sizeof(PyNamed), named_slots,
                          "How the elements of a tensor are kept; torch.strided is the one there is.\n\n"
                          ">>> torch.ones(2).layout\ntorch.strided\n",
                          closed);
  memory_format_type =
      make_type(module, "memory_format", "torch.memory_format", sizeof(PyNamed), named_slots,
                "In which order the axes of a tensor lie in memory.\n\n"
                ">>> torch.ones(1, 3, 2, 2).contiguous(memory_format=torch.channels_last).stride()\n(12, 1, 6, 3)\n",
                closed);
  size_type = make_type(module, "Size", "torch.Size", 0, size_slots,
                        "The shape of a tensor: a tuple of integers.\n\n"
                        ">>> size = torch.ones(2, 3).shape\n>>> size[0], size.numel(), len(size)\n(2, 6, 2)\n",
                        0, reinterpret_cast<PyObject*>(&PyTuple_Type));
  generator_type = make_type(
      module, "Generator", "torch.Generator", sizeof(PyGenerator), generator_slots,
      "Generator(device=\"cpu\"): a stream of random numbers with a seed of its own.\n\n"
      ">>> generator = torch.Generator().manual_seed(0)\n>>> torch.rand(2, generator=generator)\ntensor([0.4963, 0.7682])\n",
      Py_TPFLAGS_BASETYPE);
  if (!dtype_type || !device_type || !layout_type || !memory_format_type || !size_type || !generator_type) return -1;

  for (int i = 0; i < kDTypeCount; ++i) {
    PyDType* o = PyObject_New(PyDType, dtype_type);
    if (!o) return -1;
    o->dtype = static_cast<DType>(i);
    dtypes[i] = reinterpret_cast<PyObject*>(o);
    if (PyModule_AddObjectRef(module, kDTypeName[i], dtypes[i]) < 0) return -1;
  }
  for (size_t i = 0; i < std::size(kNamed); ++i) {
    Object o = Object::steal(reinterpret_cast<PyObject*>(PyObject_New(PyDType, dtype_type)));
    if (!o) return -1;
    self_of<PyDType>(o.get())->dtype = static_cast<DType>(kDTypeCount + i);
    if (PyModule_AddObjectRef(module, kNamed[i].name, o.get()) < 0) return -1;
    if (!std::strcmp(kNamed[i].name, "complex32") && PyModule_AddObjectRef(module, "chalf", o.get()) < 0) return -1;
  }
  static constexpr std::pair<const char*, DType> kAliases[] = {
      {"float", DType::F32}, {"double", DType::F64}, {"half", DType::F16},   {"short", DType::I16},
      {"int", DType::I32},   {"long", DType::I64},   {"cfloat", DType::C64}, {"cdouble", DType::C128}};
  for (auto [name, d] : kAliases)
    if (PyModule_AddObjectRef(module, name, dtype_object(d)) < 0) return -1;
  strided = make_named(layout_type, 0, "torch.strided");
  if (!strided || PyModule_AddObjectRef(module, "strided", strided) < 0) return -1;
  // What tensors are asked for and never have.
  for (const char* other : {"torch.sparse_coo", "torch.sparse_csr", "torch.sparse_csc", "torch.sparse_bsr",
                            "torch.sparse_bsc", "torch.jagged"}) {
    Object layout = Object::steal(make_named(layout_type, 1, other));
    if (!layout || PyModule_AddObjectRef(module, other + 6, layout.get()) < 0) return -1;
  }
  static constexpr const char* kFormats[] = {"torch.contiguous_format", "torch.preserve_format", "torch.channels_last",
                                             "torch.channels_last_3d"};
  for (int i = 0; i < 4; ++i) {
    Object format = Object::steal(make_named(memory_format_type, i, kFormats[i]));
    if (!format || PyModule_AddObjectRef(module, kFormats[i] + 6, format.get()) < 0) return -1;
  }
  PyGenerator* g = PyObject_New(PyGenerator, generator_type);
  if (!g) return -1;
  g->generator = &default_generator();
  g->owned = false;
  Object generator = Object::steal(reinterpret_cast<PyObject*>(g));
  return PyModule_AddObjectRef(module, "default_generator", generator.get());
}

}  // namespace rl::py
