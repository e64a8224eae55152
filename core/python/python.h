// What the files of the binding share. Only this room includes Python.h.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <structmember.h>

#include <string>
#include <string_view>
#include <utility>

#include "autograd/engine.h"
#include "ops/basic.h"
#include "ops/registry.h"

namespace rl::py {

// Thrown when a Python error is already set.
struct PythonError {};

// An owned reference.
class Object {
 public:
  Object() = default;
  static Object steal(PyObject* p) {
    Object o;
    o.p_ = p;
    return o;
  }
  // Steals, and throws if there is nothing to steal.
  static Object check(PyObject* p) {
    if (!p) throw PythonError{};
    return steal(p);
  }
  static Object borrow(PyObject* p) {
    Py_XINCREF(p);
    return steal(p);
  }
  Object(const Object& o) : p_(o.p_) { Py_XINCREF(p_); }
  Object(Object&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  Object& operator=(Object o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }
  ~Object() { Py_XDECREF(p_); }
  PyObject* get() const { return p_; }
  PyObject* release() { return std::exchange(p_, nullptr); }
  explicit operator bool() const { return p_ != nullptr; }

 private:
  PyObject* p_ = nullptr;
};

void set_python_error(const Error& error);

// Runs body and turns C++ exceptions into Python errors; on error the result is `failure`.
template <class Body, class R = decltype(std::declval<Body>()())>
inline R guarded(Body&& body, R failure = R{}) {
  try {
    return body();
  } catch (const PythonError&) {
  } catch (const Error& e) {
    set_python_error(e);
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& e) {
    PyErr_SetString(PyExc_RuntimeError, e.what());
  }
  return failure;
}

// --- Tensor objects ----------------------------------------------------------------------------------------------------
struct PyTensor {
  PyObject_HEAD TensorImpl* impl;  // owned, unless impl->owns_pyobj
  PyObject* dict;
  PyObject* weakrefs;
};
extern PyTypeObject* tensor_type;
extern PyTypeObject* parameter_type;  // nn.Parameter, once rushlight.nn defined it
inline bool is_tensor_exact(PyObject* o) { return Py_TYPE(o) == tensor_type; }
inline bool is_tensor(PyObject* o) { return is_tensor_exact(o) || PyType_IsSubtype(Py_TYPE(o), tensor_type); }
inline TensorImpl* impl_of(PyObject* o) { return reinterpret_cast<PyTensor*>(o)->impl; }
inline Tensor tensor_of(PyObject* o) { return Tensor(impl_of(o)); }
PyObject* wrap(Tensor t);                                // a new reference; None for an undefined tensor
PyObject* wrap_as(PyTypeObject* type, const Tensor& t);  // of a subclass; t must have no object yet

// --- the small types ---------------------------------------------------------------------------------------------------
struct PyDType {
  PyObject_HEAD DType dtype;
};
extern PyTypeObject *dtype_type, *device_type, *layout_type, *memory_format_type, *size_type, *generator_type;
PyObject* reduced_as(const char* function, PyObject* args);  // __reduce__: a function of rushlight._reduce; steals args
PyObject* dtype_object(DType d);                             // borrowed
bool is_dtype(PyObject* o);                                  // a torch.dtype, or float/int/bool/complex
DType dtype_from(PyObject* o);
PyObject* device_object(Device d);  // new reference
Device device_from(PyObject* o);    // a torch.device, a str or an int
bool is_device(PyObject* o);
PyObject* size_object(IntSpan sizes);  // torch.Size, new reference
MemoryFormat memory_format_from(PyObject* o);
PyObject* layout_strided();  // borrowed
Generator* generator_from(PyObject* o);

// --- numbers -----------------------------------------------------------------------------------------------------------
PyObject* from_scalar(const Scalar& s);
// Python and NumPy numbers (and, if asked, one-element tensors) to Scalar; false if o is none of them.
bool to_scalar(PyObject* o, Scalar& out, bool allow_tensor = true);
bool to_int(PyObject* o, int64_t& out);  // int, NumPy integer or integer 0-d tensor; false otherwise
bool is_numpy_scalar(PyObject* o);
bool is_array(PyObject* o);  // of NumPy's, or of a subclass such as np.memmap; NumPy itself need not be imported here
std::string type_name(PyObject* o);
std::string_view text_of(PyObject* s);  // of a str; throws where it is no UTF-8

// --- subclasses that users define (subclass.cpp) -----------------------------------------------------------------------
extern bool subclasses_exist;            // once a class other than the package's own derives from Tensor
void note_subclass(PyTypeObject* type);  // a class derives from Tensor
bool is_subclassed(PyObject* o);         // of such a class
PyObject* in_class_of(PyObject* self, PyObject* result);  // steals result; may throw
// False if no argument is of such a class; else `result` is the call's, after __torch_function__. May throw.
bool torch_function(PyObject* function, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames, PyObject*& result);
// The same for objects that are no Tensors but have __torch_function__.
bool torch_function_of_others(PyObject* function, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames,
                              PyObject*& result);
// The same for an operator, which `method` names; b may be null.
bool torch_function_of_operator(const char* method, PyObject* a, PyObject* b, PyObject*& result);
extern PyMethodDef subclass_methods[];
extern PyMethodDef subclass_class_methods[];

// --- ops ---------------------------------------------------------------------------------------------------------------
PyObject* from_result(const OpDef& def, Result& result);
int add_small_types(PyObject* module);
int add_tensor_type(PyObject* module);
int add_ops(PyObject* module);
int add_autograd(PyObject* module);
int add_construct(PyObject* module);
int add_interop(PyObject* module);
int add_optim(PyObject* module);
int add_graph(PyObject* module);
int add_storage(PyObject* module);
int add_subclasses(PyObject* module);
extern PyMethodDef tensor_methods[];
extern PyMethodDef interop_methods[];
extern PyMethodDef autograd_methods[];
extern PyGetSetDef tensor_properties[];
extern PyBufferProcs tensor_buffer;
PyObject* tensor_getitem(PyObject* self, PyObject* index);
int tensor_setitem(PyObject* self, PyObject* index, PyObject* value);
PyObject* wrap_node(const Ref<Node>& node);  // new reference; None for null
// torch.tensor(data): nested sequences, numbers, arrays, tensors.
Tensor tensor_from_data(PyObject* data, std::optional<DType> dtype, bool copy);
// torch.Tensor(...), torch.FloatTensor(...), x.new(...): sizes (of zeros), data (an array of that dtype is shared), a tensor.
Tensor older_tensor(PyObject* args, DType dtype, bool any_dtype);
bool tensor_from_buffer(PyObject* o, Tensor& out);  // shares the memory of an object with the buffer protocol
// Calls a registered op by its OpDef, as torch.NAME would.
PyObject* call_from_python(const OpDef& def, const Value* args);
const OpDef& find_op(const char* name, const char* overload = "");

}  // namespace rl::py
