// Turns a list of pointwise records into registry entries. Included by the pointwise_*.cpp files only.
#pragma once

#include <array>

#include "ops/basic.h"
#include "ops/pointwise.h"
#include "ops/pointwise_wrapped.h"

namespace rl {

// The expression type whose values are tensors: a record's gradient, instantiated with it, runs ops that record
// themselves, which makes gradients of gradients.
struct TensorExpr {
  static constexpr bool is_expr = true;
  Tensor tensor;

  explicit TensorExpr(double number);
  explicit TensorExpr(const Tensor& t);
  explicit TensorExpr(Tensor&& t) : tensor(std::move(t)) {}
  TensorExpr(const TensorExpr& other);
  TensorExpr(TensorExpr&& other) = default;
  ~TensorExpr();

  template <class Op, class... A>
  static TensorExpr apply(const A&... a) {
    constexpr auto arity = pointwise::arity<Op>;
    const Tensor all[] = {a.tensor...};
    Scalar scalars[arity.scalars + 1];
    for (int i = 0; i < arity.scalars; ++i) scalars[i] = all[arity.tensors + i].item();
    // A number made of numbers keeps all its digits and stays weak in promotion.
    if ((a.tensor->wrapped_number && ...)) {
      Tensor numbers[] = {a.tensor.alias()...};
      Tensor result = run_pointwise(pointwise_def<Op>(), numbers, scalars);
      result->wrapped_number = true;
      return TensorExpr(std::move(result));
    }
    return TensorExpr(run_pointwise(pointwise_def<Op>(), all, scalars));
  }
};

namespace detail {

// Cold: small rather than fast, here and below.
template <class Op, int I>
[[gnu::cold]] TensorExpr grad_of_expr(const Tensor& g, const Tensor* inputs, const Scalar* scalars, const Tensor& y) {
  constexpr auto arity = pointwise::arity<Op>;
  return [&]<size_t... T, size_t... S>(std::index_sequence<T...>, std::index_sequence<S...>) {
    return pointwise::grad<Op, I>(TensorExpr(g), TensorExpr(inputs[T])..., TensorExpr(Tensor::wrapped(scalars[S]))...,
                                  TensorExpr(y));
  }(std::make_index_sequence<arity.tensors>{}, std::make_index_sequence<arity.scalars>{});
}

template <class Op>
[[gnu::cold]] Tensor grad_expr(int input, const Tensor& g, const Tensor* inputs, const Scalar* scalars,
                               const Tensor& y) {
  Tensor result;
  [&]<int... I>(std::integer_sequence<int, I...>) {
    (
        [&] {
          if constexpr (pointwise::has_grad<Op, I>()) {
            if (input == I) result = grad_of_expr<Op, I>(g, inputs, scalars, y).tensor;
          }
        }(),
        ...);
  }(std::make_integer_sequence<int, cpu::kMaxGrads>{});
  // A gradient that is a constant (0 for floor, say) has the shape of g all the same.
  if (result->wrapped_number) result = full(g.sizes(), result.item(), g.dtype());
  return result;
}

template <class Op>
constexpr bool returns_bool() {
  return Op::rule == pointwise::Rule::Compare || Op::rule == pointwise::Rule::Logical;
}

// Which arguments of a schema are tensors: bit i for argument i. (pow(Scalar self, Tensor exponent) has a number first.)
constexpr unsigned tensor_places(const char* s) {
  unsigned mask = 0;
  int at = 0;
  while (*s != '(') ++s;
  for (++s; *s != ')';) {
    while (*s == ' ' || *s == ',') ++s;
    if (*s == ')') break;
    if (*s != '*') {
      if (s[0] == 'T' && s[1] == 'e') mask |= 1u << at;
      ++at;
    }
    while (*s != ',' && *s != ')') ++s;
  }
  return mask;
}

template <class Op>
void box_pointwise(const Value* args, Result& out) {
  constexpr auto arity = pointwise::arity<Op>;
  constexpr unsigned places = tensor_places(Op::schema);
  Tensor tensors[arity.tensors + 1];
  Scalar scalars[arity.scalars + 1];
  int t = 0, s = 0;
  for (int i = 0; i < arity.inputs(); ++i) {
    if (places >> i & 1)
      tensors[t++] = Tensor(args[i].tensor);
    else
      scalars[s++] = args[i].tag == Tag::Int ? Scalar(args[i].i) : args[i].scalar;
  }
  out.kind = Result::Kind::Tensor;
  out.tensor = run_pointwise(pointwise_slot<Op>, tensors, scalars);
}

// What a record's type says, as values.
struct RecordFacts {
  const char *schema, *doc;
  const char* backward_name;      // null: made of the op's name
  const char* backward_versions;  // null: one version
  pointwise::Rule rule;
  unsigned types;
  int tensors, scalars;
  bool no_derivative, bool_result, integer_division, no_negative_power, refuses_bool;
  bool hidden;  // no op of its own
  Numbers numbers;
  std::array<unsigned, cpu::kMaxGrads> grad_uses;
  std::array<bool, cpu::kMaxGrads> has_grad;
  decltype(PointwiseDef::grad_expr) grad_expr;
  Boxed box;
};

template <class Op>
constexpr RecordFacts facts_of() {
  constexpr auto arity = pointwise::arity<Op>;
  RecordFacts f{};
  f.schema = Op::schema;
  f.doc = Op::doc;
  if constexpr (requires { Op::backward_name; }) f.backward_name = Op::backward_name;
  if constexpr (requires { Op::backward_versions; }) f.backward_versions = Op::backward_versions;
  f.rule = Op::rule;
  f.types = Op::types;
  f.tensors = arity.tensors;
  f.scalars = arity.scalars;
  f.no_derivative = requires { Op::no_derivative; };
  f.bool_result = returns_bool<Op>();
  f.integer_division = pointwise::divides_integers<Op>();
  if constexpr (requires { Op::no_negative_power; }) f.no_negative_power = Op::no_negative_power;
  f.refuses_bool = requires { Op::refuses_bool; };
  f.hidden = requires { Op::internal; } || is_wrapped<Op>;
  if constexpr (requires { Op::numbers; }) f.numbers = Op::numbers;
  [&]<int... I>(std::integer_sequence<int, I...>) {
    ((f.has_grad[I] = pointwise::has_grad<Op, I>(), f.grad_uses[I] = pointwise::grad_uses<Op, I>()), ...);
  }(std::make_integer_sequence<int, cpu::kMaxGrads>{});
  f.grad_expr = &grad_expr<Op>;
  f.box = &box_pointwise<Op>;
  return f;
}

void register_record(Registry& r, PointwiseDef& d, const RecordFacts& f);

}  // namespace detail

// Loops and LoopsOfComplex give the list's loops for the active instruction set.
template <class List, auto Loops, auto LoopsOfComplex = nullptr>
struct RegisterList;
template <auto Loops, auto LoopsOfComplex, class... Ops>
struct RegisterList<pointwise::List<Ops...>, Loops, LoopsOfComplex> {
  static void run(Registry& r) {
    static constexpr detail::RecordFacts facts[] = {detail::facts_of<Ops>()...};
    PointwiseDef* const slots[] = {&pointwise_slot<Ops>...};
    for (int i = 0; i < static_cast<int>(sizeof...(Ops)); ++i) {
      PointwiseDef& d = *slots[i];
      d.place = i;
      d.loops = [] { return Loops().data(); };
      if constexpr (!std::is_null_pointer_v<decltype(LoopsOfComplex)>)
        d.loops_of_complex = [] { return LoopsOfComplex().data(); };
      detail::register_record(r, d, facts[i]);
    }
  }
};

}  // namespace rl
