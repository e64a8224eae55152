// How arguments and results travel between the binding (or the recorder) and an op whose C++ type it does not know.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "tensor/generator.h"
#include "tensor/tensor.h"

namespace rl {

// What a Value holds, and what a parameter takes (which is never None).
enum class Tag : uint8_t {
  None,
  Tensor,
  TensorList,
  Scalar,
  Int,
  Double,
  Bool,
  IntList,
  DoubleList,
  BoolList,
  ScalarList,
  DType,
  String,
  Generator,
  Device,
  Layout,
  MemoryFormat
};

// Borrowed: tensors and lists belong to the caller for the time of the call.
struct Value {
  Tag tag = Tag::None;
  union {
    TensorImpl* tensor = nullptr;
    const TensorList* tensors;
    int64_t i;
    double d;
    bool b;
    const Dims* ints;
    const std::vector<double>* doubles;
    const std::vector<Scalar>* scalars;
    rl::DType dtype;
    const std::string* string;
    rl::Generator* generator;
    rl::MemoryFormat memory_format;
  };
  rl::Device device;
  rl::Scalar scalar;

  Value() = default;
  Value(const rl::Tensor& t) : tag(t.defined() ? Tag::Tensor : Tag::None), tensor(t.get()) {}
  Value(const rl::Scalar& s) : tag(Tag::Scalar), scalar(s) {}
};

struct Result {
  enum class Kind : uint8_t { None, Tensor, Tuple, List, Scalar, Bool, Int, Double, DType } kind = Kind::None;
  Tensor tensor;
  TensorList tensors;
  Scalar scalar;
  DType dtype = DType::F32;
};

// The keyword arguments that all creation functions share; "$options" in a schema.
struct Options {
  std::optional<DType> dtype;
  bool requires_grad = false;
};
DType default_dtype();
void set_default_dtype(DType dtype);
inline DType default_complex() { return default_dtype() == DType::F64 ? DType::C128 : DType::C64; }

namespace detail {

// How an op's C++ parameter reads its Value(s).
template <class T> struct Read;
template <> struct Read<const Tensor&> {
  static const Tensor& get(const Value* v) {
    static_assert(sizeof(Tensor) == sizeof(TensorImpl*));
    static const Tensor none;
    return v->tag == Tag::None ? none : reinterpret_cast<const Tensor&>(v->tensor);
  }
};
template <> struct Read<const TensorList&> {
  static const TensorList& get(const Value* v) {
    static const TensorList none;
    return v->tag == Tag::None ? none : *v->tensors;
  }
};
template <> struct Read<const Scalar&> {
  static const Scalar& get(const Value* v) { return v->scalar; }
};
template <> struct Read<int64_t> {
  static int64_t get(const Value* v) { return v->i; }
};
template <> struct Read<double> {
  static double get(const Value* v) { return v->d; }
};
template <> struct Read<bool> {
  static bool get(const Value* v) { return v->b; }
};
template <> struct Read<IntSpan> {
  static IntSpan get(const Value* v) { return v->tag == Tag::None ? IntSpan() : IntSpan(*v->ints); }
};
template <> struct Read<DType> {
  static DType get(const Value* v) { return v->dtype; }
};
template <> struct Read<std::string_view> {
  static std::string_view get(const Value* v) { return *v->string; }
};
template <> struct Read<Generator*> {
  static Generator* get(const Value* v) { return v->tag == Tag::None ? nullptr : v->generator; }
};
template <> struct Read<MemoryFormat> {
  static MemoryFormat get(const Value* v) { return v->memory_format; }
};
template <> struct Read<const std::vector<double>&> {
  static const std::vector<double>& get(const Value* v) { return *v->doubles; }
};
template <> struct Read<const std::vector<Scalar>&> {
  static const std::vector<Scalar>& get(const Value* v) { return *v->scalars; }
};
template <class T> struct Read<std::optional<T>> {
  static std::optional<T> get(const Value* v) {
    if (v->tag == Tag::None) return std::nullopt;
    if constexpr (std::is_same_v<T, Scalar>)
      return Read<const Scalar&>::get(v);
    else if constexpr (std::is_same_v<T, Dims>)
      return Dims(*v->ints);
    else
      return Read<T>::get(v);
  }
};
template <> struct Read<const Options&> {
  static Options get(const Value* v) {  // dtype, layout, device, pin_memory, requires_grad
    Options o;
    o.dtype = Read<std::optional<DType>>::get(v);
    o.requires_grad = v[4].tag != Tag::None && v[4].b;
    return o;
  }
};
template <class T> inline constexpr int kWidth = std::is_same_v<T, const Options&> ? 5 : 1;

inline void store(Result& r, Tensor t) {
  r.kind = Result::Kind::Tensor;
  r.tensor = std::move(t);
}
inline void store(Result& r, TensorList list) {
  r.kind = Result::Kind::List;
  r.tensors = std::move(list);
}
inline void store(Result& r, bool b) {
  r.kind = Result::Kind::Bool;
  r.scalar = b;
}
inline void store(Result& r, int64_t i) {
  r.kind = Result::Kind::Int;
  r.scalar = i;
}
inline void store(Result& r, double d) {
  r.kind = Result::Kind::Double;
  r.scalar = d;
}
inline void store(Result& r, Scalar s) {
  r.kind = Result::Kind::Scalar;
  r.scalar = s;
}
inline void store(Result& r, DType d) {
  r.kind = Result::Kind::DType;
  r.dtype = d;
}
template <class... T>
inline void store(Result& r, std::tuple<T...> t) {
  r.kind = Result::Kind::Tuple;
  std::apply([&](auto&... x) { (r.tensors.push_back(std::move(x)), ...); }, t);
}

template <auto F, class R, class... A, size_t... I>
void call_boxed(R (*)(A...), const Value* args, Result& out, std::index_sequence<I...>) {
  constexpr int widths[] = {kWidth<A>..., 0};
  constexpr auto offset = [](size_t i, const int* w) {
    int at = 0;
    for (size_t j = 0; j < i; ++j) at += w[j];
    return at;
  };
  (void)args;
  if constexpr (std::is_void_v<R>) {
    F(Read<A>::get(args + offset(I, widths))...);
    (void)out;
  } else {
    store(out, F(Read<A>::get(args + offset(I, widths))...));
  }
}
template <auto F, class R, class... A>
void boxed(R (*f)(A...), const Value* args, Result& out) {
  call_boxed<F>(f, args, out, std::index_sequence_for<A...>{});
}

}  // namespace detail

using Boxed = void (*)(const Value* args, Result& out);

template <auto F>
inline void box(const Value* args, Result& out) {
  detail::boxed<F>(F, args, out);
}

}  // namespace rl
