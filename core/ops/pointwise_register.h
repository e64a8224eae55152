// Turns a list of pointwise records into registry entries. Included by the pointwise_*.cpp files only.
#pragma once

#include <cctype>
#include <cstring>

#include "ops/basic.h"
#include "ops/pointwise.h"
#include "ops/pointwise_wrapped.h"

namespace rl {

// The expression type whose values are tensors: a record's gradient, instantiated with it, runs ops that record
// themselves, which makes gradients of gradients.
struct TensorExpr {
  static constexpr bool is_expr = true;
  Tensor tensor;

  explicit TensorExpr(double number) : tensor(Tensor::wrapped(Scalar(number))) {}
  explicit TensorExpr(Tensor t) : tensor(std::move(t)) {}

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

[[gnu::cold, gnu::noinline]] inline std::string camel_case(std::string_view name) {
  std::string out;
  bool upper = true;
  for (char c : name) {
    if (c == '_') {
      upper = true;
      continue;
    }
    out += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = false;
  }
  return out;
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

template <class Op>
[[gnu::cold]] void register_record(Registry& r, const cpu::PointwiseLoops& (*loops)()) {
  PointwiseDef& d = pointwise_slot<Op>;
  constexpr auto arity = pointwise::arity<Op>;
  static const std::string name = [] {
    std::string_view schema = Op::schema;
    return std::string(schema.substr(0, schema.find_first_of(".(")));
  }();
  d.name = name.c_str();
  d.backward_name = camel_case(name) + "Backward0";
  if constexpr (requires { Op::backward_name; }) d.backward_name = Op::backward_name;
  if constexpr (requires { Op::backward_versions; }) {
    auto version = [&](int i) { return camel_case(name) + "Backward" + Op::backward_versions[i]; };
    d.backward_name = version(0);
    d.backward_of_numbers[0] = version(1);
    d.backward_of_numbers[1] = version(2);
  }
  d.no_derivative = requires { Op::no_derivative; };
  d.rule = Op::rule;
  d.types = Op::types;
  d.tensors = arity.tensors;
  d.scalars = arity.scalars;
  d.bool_result = returns_bool<Op>();
  d.integer_division = pointwise::divides_integers<Op>();
  if constexpr (requires { Op::no_negative_power; }) d.no_negative_power = Op::no_negative_power;
  d.refuses_bool = requires { Op::refuses_bool; };
  d.has_alpha = std::strstr(Op::schema, "alpha=1)") != nullptr;
  d.scalars_promote = arity.scalars > 0 && !d.has_alpha && std::strstr(Op::schema, "value=1)") == nullptr &&
                      std::strstr(Op::schema, "Scalar weight)") == nullptr;
  [&]<int... I>(std::integer_sequence<int, I...>) {
    ((d.has_grad[I] = pointwise::has_grad<Op, I>(), d.grad_uses[I] = pointwise::grad_uses<Op, I>()), ...);
  }(std::make_integer_sequence<int, cpu::kMaxGrads>{});
  d.loops = loops;
  d.grad_expr = &grad_expr<Op>;
  if constexpr (requires { Op::internal; }) return;
  if constexpr (is_wrapped<Op>) return;
  Traits traits{.in_place = true};
  if constexpr (requires { Op::numbers; }) traits.numbers = Op::numbers;
  OpDef& def = r.add(Op::schema, &box_pointwise<Op>, Op::doc, traits);
  def.pointwise = &d;
}

}  // namespace detail

// Table gives the list's loops for the active instruction set.
template <class List, auto Table>
struct RegisterList;
template <auto Table, class... Ops>
struct RegisterList<pointwise::List<Ops...>, Table> {
  template <size_t I>
  static const cpu::PointwiseLoops& loops() {
    return Table()[I];
  }
  [[gnu::cold]] static void run(Registry& r) {
    [&]<size_t... I>(std::index_sequence<I...>) {
      (detail::register_record<Ops>(r, &loops<I>), ...);
    }(std::index_sequence_for<Ops...>{});
  }
};

}  // namespace rl
