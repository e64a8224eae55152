#include "python/arguments.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <span>

#include "python/meta.h"

namespace rl::py {
namespace {

const char* type_text(const Param& p) {
  switch (p.type) {
    case Tag::Tensor: return "Tensor";
    case Tag::TensorList: return "tuple of Tensors";
    case Tag::Scalar: return "Number";
    case Tag::ScalarList: return "tuple of Scalars";
    case Tag::Int: return "int";
    case Tag::IntList: return "tuple of ints";
    case Tag::Double: return "float";
    case Tag::DoubleList: return "tuple of floats";
    case Tag::Bool: return "bool";
    case Tag::BoolList: return "tuple of bools";
    case Tag::DType: return "torch.dtype";
    case Tag::String: return "str";
    case Tag::Generator: return "torch.Generator";
    case Tag::Device: return "torch.device";
    case Tag::Layout: return "torch.layout";
    case Tag::MemoryFormat: return "torch.memory_format";
    case Tag::None: break;
  }
  return "?";
}

// Schemas say self; functions are called with input=. NumPy's names are understood too.
bool names_match(const std::string& param, PyObject* keyword, bool first) {
  const std::string_view k = text_of(keyword);
  if (k == param) return true;
  if (first && param == "self") return k == "input" || k == "x" || k == "a";
  if (param == "dim") return k == "axis";
  if (param == "keepdim") return k == "keepdims";
  if (param == "other") return k == "x2";
  return false;
}

std::string python_name(const Param& p, int i) { return i == 0 && p.name == "self" ? "input" : p.name; }

}  // namespace

bool Arguments::read_ints(PyObject* o, const Param& p, Dims& into, int64_t* bad) {
  const bool tuple = PyTuple_Check(o);
  if (tuple || PyList_Check(o)) {
    for (Py_ssize_t i = 0, n = Py_SIZE(o); i < n; ++i) {
      int64_t v;
      if (!to_int(tuple ? PyTuple_GET_ITEM(o, i) : PyList_GET_ITEM(o, i), v)) {
        *bad = i;
        return false;
      }
      into.push_back(v);
      if (!tuple) n = Py_SIZE(o);  // __index__ of the item may have changed the list
    }
    return true;
  }
  int64_t v;
  if (p.list_size > 0 && to_int(o, v)) {
    for (int i = 0; i < p.list_size; ++i) into.push_back(v);
    return true;
  }
  *bad = -1;
  return false;
}

bool Arguments::convert(const OpDef& def, const Param& p, int i, PyObject* o, int self, std::string* why) {
  Value& v = values_[i];
  v = Value();
  auto refuse = [&](const std::string& detail = "") {
    if (why) {
      *why =
          concat("argument '", python_name(p, i), "'", p.keyword_only ? "" : concat(" (position ", i + 1 - self, ")"),
                 " must be ", type_text(p), ", not ", detail.empty() ? type_name(o) : detail);
    }
    return false;
  };
  if (o == Py_None) {
    if (p.optional || p.default_text == "None") return true;
    return refuse("NoneType");
  }
  switch (p.type) {
    case Tag::Tensor: {
      if (is_tensor(o)) {
        v.tag = Tag::Tensor;
        v.tensor = impl_of(o);
        return true;
      }
      Scalar s;
      bool allowed = p.number && (def.numbers != Numbers::Either || held_.empty());
      if (allowed && to_scalar(o, s, false)) {
        // A number that an int64 does not hold wraps beside integers, and only there.
        if (s.is_beyond_int64() && i > 0 && values_[0].tag == Tag::Tensor && !is_integral(values_[0].tensor->dtype()))
          s = Scalar(s.to_double());
        held_.push_back(Tensor::wrapped(s));
        v.tag = Tag::Tensor;
        v.tensor = held_.back().get();
        return true;
      }
      return refuse();
    }
    case Tag::TensorList: {
      if (!PyTuple_Check(o) && !PyList_Check(o)) return refuse();
      if (tensors_used_ == 2) return refuse();
      TensorList& list = tensors_[tensors_used_++];
      list.clear();
      Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
      for (Py_ssize_t k = 0; k < n; ++k) {
        PyObject* item = PySequence_Fast_GET_ITEM(o, k);
        if (is_tensor(item))
          list.push_back(tensor_of(item));
        else if (p.optional_elements && item == Py_None)
          list.emplace_back();
        else {
          if (why) *why = concat("expected Tensor as element ", k, " in argument ", i, ", but got ", type_name(item));
          return false;
        }
      }
      v.tag = Tag::TensorList;
      v.tensors = &list;
      return true;
    }
    case Tag::Scalar:
      if (!to_scalar(o, v.scalar)) return refuse();
      v.tag = Tag::Scalar;
      return true;
    case Tag::Int: {
      int64_t n;
      if (!to_int(o, n)) return refuse();
      v.tag = Tag::Int;
      v.i = n;
      return true;
    }
    case Tag::Double: {
      Scalar s;
      if (PyBool_Check(o) || !to_scalar(o, s) || s.is_complex()) return refuse();
      v.tag = Tag::Double;
      v.d = s.to_double();
      return true;
    }
    case Tag::Bool:
      if (PyBool_Check(o)) {
        v.b = o == Py_True;
      } else if (is_numpy_scalar(o) && std::strstr(Py_TYPE(o)->tp_name, "bool")) {
        v.b = PyObject_IsTrue(o) == 1;
      } else {
        return refuse();
      }
      v.tag = Tag::Bool;
      return true;
    case Tag::IntList: {
      if (ints_used_ == 6) return refuse();
      Dims& list = ints_[ints_used_];
      list.clear();
      int64_t bad = -1;
      if (!read_ints(o, p, list, &bad)) {
        if (bad >= 0)
          return refuse(
              concat("tuple containing '", type_name(PySequence_Fast_GET_ITEM(o, bad)), "' at position ", bad));
        return refuse();
      }
      ++ints_used_;
      v.tag = Tag::IntList;
      v.ints = &list;
      return true;
    }
    case Tag::DoubleList:
    case Tag::ScalarList:
    case Tag::BoolList: {
      if (!PyTuple_Check(o) && !PyList_Check(o)) return refuse();
      std::vector<Scalar> items;
      for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(o); ++k) {
        Scalar s;
        if (!to_scalar(PySequence_Fast_GET_ITEM(o, k), s)) return refuse();
        items.push_back(s);
      }
      if (p.type == Tag::DoubleList) {
        doubles_.clear();
        for (const Scalar& s : items) doubles_.push_back(s.to_double());
        v.tag = Tag::DoubleList;
        v.doubles = &doubles_;
      } else {
        scalars_ = std::move(items);
        v.tag = Tag::ScalarList;
        v.scalars = &scalars_;
      }
      return true;
    }
    case Tag::DType:
      if (!is_dtype(o)) return refuse();
      v.tag = Tag::DType;
      v.dtype = dtype_from(o);
      return true;
    case Tag::String: {
      if (!PyUnicode_Check(o) || strings_used_ == 2) return refuse();
      std::string& s = strings_[strings_used_++];
      s = text_of(o);
      v.tag = Tag::String;
      v.string = &s;
      return true;
    }
    case Tag::Generator:
      if (!PyObject_TypeCheck(o, generator_type)) return refuse();
      v.tag = Tag::Generator;
      v.generator = generator_from(o);
      return true;
    case Tag::Device: {
      if (!is_device(o)) return refuse();
      v.tag = Tag::Device;
      v.device = existing_device(o);
      return true;
    }
    case Tag::Layout:
      if (!PyObject_TypeCheck(o, layout_type)) return refuse();
      if (o != layout_strided()) fail(ErrorKind::NotImplemented, "layout=: rushlight has strided tensors only");
      v.tag = Tag::Layout;
      return true;
    case Tag::MemoryFormat:
      if (!PyObject_TypeCheck(o, memory_format_type)) return refuse();
      v.tag = Tag::MemoryFormat;
      v.memory_format = memory_format_from(o);
      return true;
    case Tag::None: break;
  }
  return refuse();
}

bool Arguments::match(const OpDef& def, PyObject* const* args, Py_ssize_t nargs, PyObject* kwnames, bool method,
                      std::string* why) {
  ints_used_ = tensors_used_ = strings_used_ = 0;
  held_.clear();
  out = nullptr;
  int count = static_cast<int>(def.params.size());
  if (count > kMaxParams) fail(ErrorKind::Runtime, "op '", def.name, "' has more than ", kMaxParams, " parameters");
  // x.view(2, 3): a trailing list of ints may be spelled out where it is the only positional argument after self.
  int list_at = method && def.method ? 1 : 0;
  bool spread = false;
  if (nargs > list_at && count > list_at && def.params[list_at].type == Tag::IntList &&
      def.params[list_at].list_size == 0 &&
      (def.positional == list_at + 1 || def.name == "flip" || def.name == "permute")) {
    PyObject* first = args[list_at];
    int64_t n;
    spread = !PyTuple_Check(first) && !PyList_Check(first) && first != Py_None && to_int(first, n);
  }
  if (!spread && nargs > def.positional) {
    Py_ssize_t most = def.positional - list_at, given = nargs - list_at;
    if (why)
      *why = concat("takes ", most, " positional argument", most == 1 ? "" : "s", " but ", given,
                    given == 1 ? " was" : " were", " given");
    return false;
  }
  Py_ssize_t keywords = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
  Py_ssize_t used = 0;
  for (int i = 0; i < count; ++i) {
    const Param& p = def.params[static_cast<size_t>(i)];
    PyObject* given = nullptr;
    if (spread && i == list_at) {
      Dims& list = ints_[ints_used_++];
      list.clear();
      for (Py_ssize_t k = list_at; k < nargs; ++k) {
        int64_t n;
        if (!to_int(args[k], n)) {
          if (why)
            *why = concat("argument '", p.name, "' must be tuple of ints, but found element of type ",
                          type_name(args[k]), " at pos ", k - list_at);
          return false;
        }
        list.push_back(n);
      }
      values_[i].tag = Tag::IntList;
      values_[i].ints = &list;
      continue;
    }
    if (i < nargs && !p.keyword_only && !(spread && i > list_at)) {
      given = args[i];
      if (keywords && why) {
        for (Py_ssize_t k = 0; k < keywords; ++k)
          if (names_match(p.name, PyTuple_GET_ITEM(kwnames, k), i == 0)) {
            *why = concat("got multiple values for argument '", python_name(p, i), "'");
            return false;
          }
      }
    } else {
      for (Py_ssize_t k = 0; k < keywords; ++k) {
        if (names_match(p.name, PyTuple_GET_ITEM(kwnames, k), i == 0)) {
          given = args[nargs + k];
          ++used;
          break;
        }
      }
    }
    if (!given) {
      if (!p.has_default) {
        if (why) *why = concat("missing 1 required positional arguments: \"", python_name(p, i), "\"");
        return false;
      }
      values_[i] = p.value;
      continue;
    }
    if (!convert(def, p, i, given, list_at, why)) return false;
  }
  if (used < keywords) {
    for (Py_ssize_t k = 0; k < keywords; ++k) {
      PyObject* key = PyTuple_GET_ITEM(kwnames, k);
      bool known = false;
      for (int i = 0; i < count; ++i) known |= names_match(def.params[static_cast<size_t>(i)].name, key, i == 0);
      if (known) continue;
      if (PyUnicode_CompareWithASCIIString(key, "out") == 0 && !def.mutates && !def.returns.empty() &&
          (def.returns[0].first == 'T' || def.name.ends_with("_copy"))) {
        out = args[nargs + k] == Py_None ? nullptr : args[nargs + k];
        ++used;
        continue;
      }
      if (why) *why = concat("got an unexpected keyword argument '", text_of(key), "'");
      return false;
    }
    if (used < keywords) {
      if (why) *why = "got multiple values for an argument";
      return false;
    }
  }
  return true;
}

namespace {
std::string signature(const OpDef& def) {
  std::string text = "(";
  bool starred = false;
  for (size_t i = 0; i < def.params.size(); ++i) {
    const Param& p = def.params[i];
    if (i) text += ", ";
    if (p.keyword_only && !starred) {
      text += "*, ";
      starred = true;
    }
    text += concat(type_text(p), " ", python_name(p, static_cast<int>(i)));
    if (p.has_default) text += " = " + p.default_text;
  }
  return text + ")";
}
}  // namespace

bool in_older_order(const std::string& name, const OpDef& def, PyObject* const* args, Py_ssize_t nargs,
                    PyObject* kwnames, bool method, OlderOrder& into) {
  struct Order {
    std::string_view pattern;  // of tensors and numbers
    std::initializer_list<const char*> factors;
  };
  static const Order two[] = {{"TNT", {"alpha"}}}, three[] = {{"TNTT", {"value"}}},
                     function[] = {{"NTTT", {"beta"}}, {"NTNTT", {"beta", "alpha"}}},
                     of_tensor[] = {{"TNTT", {"beta"}}, {"TNNTT", {"beta", "alpha"}}};
  auto is = [&](std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), def.name) != names.end();
  };
  std::span<const Order> orders;
  if (is({"add", "sub"}))
    orders = two;
  else if (is({"addcmul", "addcdiv"}))
    orders = three;
  else if (is({"addmm", "addmv", "addr", "addbmm", "baddbmm"}))
    orders = method ? of_tensor : std::span<const Order>(function);
  std::string pattern;
  for (Py_ssize_t i = 0; i < nargs && !orders.empty(); ++i) {
    Scalar number;
    pattern += is_tensor(args[i]) ? 'T' : to_scalar(args[i], number, false) ? 'N' : '?';
  }
  for (const Order& order : orders) {
    if (pattern != order.pattern) continue;
    std::string text = concat("The factors of ", name, "() before its tensors are deprecated: give them by name");
    if (PyErr_WarnEx(PyExc_UserWarning, text.c_str(), 1) < 0) throw PythonError{};
    for (Py_ssize_t i = 0; i < nargs; ++i)
      if (pattern[static_cast<size_t>(i)] == 'T') into.args.push_back(args[i]);
    into.nargs = static_cast<Py_ssize_t>(into.args.size());
    for (Py_ssize_t i = 0; i < nargs; ++i)
      if (pattern[static_cast<size_t>(i)] == 'N') into.args.push_back(args[i]);
    Object names = Object::check(PyList_New(0));
    for (const char* factor : order.factors)
      if (PyList_Append(names.get(), Object::check(PyUnicode_FromString(factor)).get()) < 0) throw PythonError{};
    for (Py_ssize_t k = 0; kwnames && k < PyTuple_GET_SIZE(kwnames); ++k) {
      if (PyList_Append(names.get(), PyTuple_GET_ITEM(kwnames, k)) < 0) throw PythonError{};
      into.args.push_back(args[nargs + k]);
    }
    into.kwnames = Object::check(PyList_AsTuple(names.get()));
    return true;
  }
  return false;
}

void bad_arguments(const std::string& name, const std::vector<OpDef*>& overloads, PyObject* const* args,
                   Py_ssize_t nargs, PyObject* kwnames, bool method) {
  Arguments again;
  if (overloads.size() == 1) {
    std::string why;
    again.match(*overloads[0], args, nargs, kwnames, method, &why);
    PyErr_Format(PyExc_TypeError, "%s(): %s", name.c_str(), why.c_str());
    if (why.starts_with("takes") || why.starts_with("missing") || why.starts_with("got"))
      PyErr_Format(PyExc_TypeError, "%s() %s", name.c_str(), why.c_str());
    return;
  }
  std::string got;
  Py_ssize_t first = method ? 1 : 0;
  for (Py_ssize_t i = first; i < nargs; ++i) got += concat(i > first ? ", " : "", type_name(args[i]));
  Py_ssize_t keywords = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
  for (Py_ssize_t k = 0; k < keywords; ++k)
    got += concat(got.empty() ? "" : ", ", text_of(PyTuple_GET_ITEM(kwnames, k)), "=", type_name(args[nargs + k]));
  std::string text =
      concat(name, "() received an invalid combination of arguments - got (", got, "), but expected one of:");
  for (const OpDef* def : overloads) {
    std::string why;
    Arguments probe;
    probe.match(*def, args, nargs, kwnames, method, &why);
    text += concat("\n * ", signature(*def), "\n      didn't match: ", why);
  }
  PyErr_SetString(PyExc_TypeError, text.c_str());
}

}  // namespace rl::py
