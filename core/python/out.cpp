// out=: the result of an op written into given tensors.
#include <algorithm>
#include <optional>
#include <unordered_set>

#include "ops/layout.h"
#include "python/arguments.h"
#include "tensor/meta.h"

namespace rl::py {
namespace {

// Which dtypes out= may have, besides the result's own. PyTorch converts for ops that promote types, and for these:
const std::unordered_set<std::string_view> kConverts = {
    "addr",        "cat",          "concat",    "concatenate", "stack",     "hstack",    "vstack",
    "dstack",      "column_stack", "row_stack", "outer",       "ger",       "kron",      "logsumexp",
    "mean",        "nanmean",      "std",       "var",         "normal",    "max",       "min",
    "lerp",        "clamp",        "clip",      "clamp_min",   "clamp_max", "div",       "divide",
    "true_divide", "floor_divide", "pow",       "logit",       "ldexp",     "polygamma", "mvlgamma",
    "sum",         "prod",         "nansum",    "cumsum",      "cumprod",   "bernoulli", "copy",
};
// The pointwise ops it does not convert for.
const std::unordered_set<std::string_view> kExactPointwise = {
    "abs",       "absolute", "bitwise_not", "ceil",       "conj_physical", "complex",  "frac",  "floor",
    "heaviside", "isposinf", "isneginf",    "nan_to_num", "neg",           "negative", "polar", "positive",
    "round",     "sign",     "sgn",         "signbit",    "trunc",         "fix",      "where",
};
// Ops that compute in the dtype of out where no dtype is asked for.
const std::unordered_set<std::string_view> kTakesDtype = {
    "zeros", "ones",  "full",    "empty",    "arange", "range", "linspace", "logspace", "eye",
    "rand",  "randn", "randint", "randperm", "sum",    "prod",  "nansum",   "cumsum",   "cumprod",
};

// Those that read all of their input before, or while, they write: out may not even be the input itself.
const std::unordered_set<std::string_view> kNeverInput = {
    "gather", "take", "index_select", "masked_select", "cat", "concat", "concatenate", "kthvalue",
};

std::string_view c_name(DType d) {
  switch (d) {
    case DType::F32: return "float";
    case DType::F64: return "double";
    case DType::I64: return "long int";
    case DType::I32: return "int";
    case DType::I16: return "short int";
    case DType::I8: return "signed char";
    case DType::U8: return "unsigned char";
    case DType::Bool: return "bool";
    case DType::C64: return "c10::complex<float>";
    case DType::C128: return "c10::complex<double>";
    case DType::F16: return "c10::Half";
    default: return "c10::BFloat16";
  }
}

// Pointwise, of several records.
const std::unordered_set<std::string_view> kPointwiseToo = {"where", "clamp",      "pow",  "div",
                                                            "gelu",  "nan_to_num", "round"};

void check_overlap(const OpDef& def, const Tensor& out, const Value* args) {
  if (out.numel() == 0) return;
  check(
      !overlaps_itself(out),
      "unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please clone() the tensor before "
      "performing the operation.");
  bool never = kNeverInput.contains(def.name);
  if (!never && !def.pointwise && !kPointwiseToo.contains(def.name)) return;
  auto inspect = [&](const Tensor& in, bool index) {
    if (never && !index)
      check_no_overlap(out, in);
    else
      check_partial_overlap(out, in);
  };
  for (size_t i = 0; i < def.params.size(); ++i) {
    if (args[i].tag == Tag::Tensor) inspect(Tensor(args[i].tensor), def.params[i].name == "index");
    if (args[i].tag == Tag::TensorList)
      for (const Tensor& t : *args[i].tensors) inspect(t, false);
  }
}

void check_dtype(const OpDef* def, const Tensor& out, DType result) {
  if (out.dtype() == result) return;
  bool converts = !def || (kConverts.contains(def->name) && def->returns.size() == 1) ||
                  (def->pointwise && !kExactPointwise.contains(def->name));
  if (!converts) {
    bool flag = result == DType::Bool && out.dtype() == DType::U8 && (def->name == "all" || def->name == "any");
    check(flag, "Expected out tensor to have dtype ", c_name(result), ", but got ", c_name(out.dtype()), " instead");
    return;
  }
  check(can_cast(result, out.dtype()), "result type ", scalar_type_name(result),
        " can't be cast to the desired output type ", scalar_type_name(out.dtype()));
}

// out takes the shape of the result: in its own memory, where that is large enough.
void fit(const Tensor& out, const Tensor& r) {
  check(!(grad_mode.enabled && out.requires_grad()),
        "out=... arguments don't support automatic differentiation, but one of the arguments requires grad.");
  if (same_shape(out, r)) return;
  if (out.numel() != 0)
    if (PyErr_WarnFormat(
            PyExc_UserWarning, 1,
            "An output with one or more elements was resized since it had shape %s, which does not match the required output shape %s. "
            "This behavior is deprecated, and in a future PyTorch release outputs will not be resized unless they have zero elements. "
            "You can explicitly reuse an out tensor t by resizing it, inplace, to zero elements with t.resize_(0).",
            shape_str(out.sizes()).str().c_str(), shape_str(r.sizes()).str().c_str()) < 0)
      throw PythonError{};
  int64_t bytes = (out->offset() + r.numel()) * item_size(out.dtype());
  bool apart = &r->storage() != &out->storage();
  if (apart && bytes <= static_cast<int64_t>(out->storage().bytes())) {
    out->set(out->storage_ref(), out->offset(), r.sizes(), contiguous_strides(r.sizes()), out.dtype());
  } else {
    check(out->storage().resizable(),
          "Trying to resize storage that is not resizable: out= stands over the memory of another object, which is too "
          "small for a result of shape ",
          shape_str(r.sizes()));
    const Storage& own = r->storage();
    const bool whole = r.is_contiguous() && own.bytes() == static_cast<size_t>(r.numel() * item_size(r.dtype()));
    const bool alone = r->use_count() == 1 && own.use_count() == 1 && !own.deleter() && r.dtype() == out.dtype();
    Tensor fresh = whole && alone ? r : Tensor::empty(r.sizes(), out.dtype());
    out->set(fresh->storage_ref(), 0, r.sizes(), fresh.strides(), out.dtype());
  }
}

// out as it was given, and as it then is.
void check_place(const OpDef& def, const Tensor& out, const Value* args, const Tensor& r) {
  if (kNeverInput.contains(def.name)) check_overlap(def, out, args);
  fit(out, r);
  check_overlap(def, out, args);
}

void write_out(const Tensor& out, const Tensor& r) {
  if (autograd_support.before_change) autograd_support.before_change(out);
  copy_data(out, r);
  changed_in_place(out, "out=");
}

}  // namespace

// What holds before the operation runs, for the memory of out to be its result's from the start. All else is found out
// when there is a result.
std::optional<Destination> offer_out(const OpDef& def, const Value* args, PyObject* out) {
  constexpr size_t kMost = 3;
  Tensor places[kMost];
  size_t count = 0;
  auto add = [&](PyObject* item) {
    if (count == kMost || !is_tensor(item) || autograd_support.before_change) return false;
    const Tensor& t = tensor_of(item);
    if (t.numel() == 0 || t->storage().read_only || overlaps_itself(t) || t.requires_grad() || is_meta(t)) return false;
    for (size_t i = 0; i < count; ++i)  // each result must know its own
      if (&places[i]->storage() == &t->storage() || (places[i].dtype() == t.dtype() && same_shape(places[i], t)))
        return false;
    places[count++] = t;
    return true;
  };
  if (PyTuple_Check(out)) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(out); ++i)
      if (!add(PyTuple_GET_ITEM(out, i))) return std::nullopt;
  } else if (!add(out)) {
    return std::nullopt;
  }
  int inside = 0;
  bool exact = count == 1 && !kNeverInput.contains(def.name), tracked = false;
  auto inspect = [&](const Tensor& in) {
    if (!in.defined()) return;
    tracked |= grad_mode.enabled && in.requires_grad();
    for (size_t i = 0; i < count; ++i) {
      if (&in->storage() != &places[i]->storage()) continue;
      ++inside;
      exact &= same_place(in, places[i]);
    }
  };
  for (size_t i = 0; i < def.params.size(); ++i) {
    if (args[i].tag == Tag::Tensor) inspect(Tensor(args[i].tensor));
    if (args[i].tag == Tag::TensorList)
      for (const Tensor& t : *args[i].tensors) inspect(t);
  }
  if (tracked || (inside && !exact)) return std::nullopt;
  using Holds = Destination::Holds;
  const Holds holds = inside == 0 ? Holds::Nothing : inside == 1 ? Holds::OneInput : Holds::Inputs;
  return std::optional<Destination>(std::in_place, std::span<const Tensor>(places, count), holds,
                                    def.pointwise != nullptr);
}

PyObject* finish_out(const OpDef& def, const Value* args, PyObject* out, Result& result) {
  if (result.kind == Result::Kind::Tensor) {
    if (PyTuple_Check(out) && PyTuple_GET_SIZE(out) == 1) out = PyTuple_GET_ITEM(out, 0);
    check_type(is_tensor(out), def.name, "(): argument 'out' must be Tensor, not ", type_name(out));
    check(
        !grad_mode.enabled || !result.tensor.requires_grad(), def.name,
        "(): functions with out=... arguments don't support automatic differentiation, but one of the arguments requires grad.");
    const Tensor& to = tensor_of(out);
    check_dtype(&def, to, result.tensor.dtype());
    check_place(def, to, args, result.tensor);
    write_out(to, result.tensor);
    return Py_NewRef(out);
  }
  Object items = Object::check(PySequence_Fast(out, "out must be a tuple of Tensors"));
  check_type(static_cast<size_t>(PySequence_Fast_GET_SIZE(items.get())) == result.tensors.size(), def.name,
             "(): argument 'out' must be a tuple of ", result.tensors.size(), " Tensors");
  for (size_t i = 0; i < result.tensors.size(); ++i) {
    PyObject* item = PySequence_Fast_GET_ITEM(items.get(), i);
    check_type(is_tensor(item), def.name, "(): argument 'out' must be a tuple of Tensors");
    check_dtype(&def, tensor_of(item), result.tensors[i].dtype());
    check_place(def, tensor_of(item), args, result.tensors[i]);
  }
  for (size_t i = 0; i < result.tensors.size(); ++i) {
    Tensor to = tensor_of(PySequence_Fast_GET_ITEM(items.get(), i));
    write_out(to, result.tensors[i]);
    result.tensors[i] = to;
  }
  return from_result(def, result);
}

void take_dtype_of_out(const OpDef& def, PyObject* out, Value* args) {
  if (!is_tensor(out) || !kTakesDtype.contains(def.name)) return;
  int at = 0;
  for (const Param& p : def.params) {
    if (p.type == Tag::DType && args[at].tag == Tag::None) {
      args[at].tag = Tag::DType;
      args[at].dtype = tensor_of(out).dtype();
      return;
    }
    ++at;
  }
}

// For compositions in Python: _write_out(out, result) -> out.
PyObject* write_out_of_composite(PyObject*, PyObject* args) {
  PyObject *out, *result;
  if (!PyArg_ParseTuple(args, "OO", &out, &result)) return nullptr;
  return guarded([&]() -> PyObject* {
    check_type(is_tensor(out), "argument 'out' must be Tensor, not ", type_name(out));
    check(
        !grad_mode.enabled || !tensor_of(result).requires_grad(),
        "functions with out=... arguments don't support automatic differentiation, but one of the arguments requires grad.");
    check_dtype(nullptr, tensor_of(out), tensor_of(result).dtype());
    fit(tensor_of(out), tensor_of(result));
    write_out(tensor_of(out), tensor_of(result));
    return Py_NewRef(out);
  });
}

}  // namespace rl::py
