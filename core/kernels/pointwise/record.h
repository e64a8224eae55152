// The form of a pointwise op: one struct, from which every backend takes what it needs.
//
//   struct Exp {
//     static constexpr const char* schema = "exp(Tensor self) -> Tensor";
//     static constexpr const char* doc = "...";
//     static constexpr Rule rule = Rule::Float;
//     static constexpr unsigned types = kFloating | kComplex;
//     template <class T> RL_FN static T forward(T x) { return exp(x); }
//     template <class T> RL_FN static T grad0(T g, T, T y) { return g * conj(y); }
//   };
//
// forward takes the Tensor arguments of the schema in order, then its other (Scalar) arguments in order, all of one
// type T. gradI(g, inputs..., output) is the gradient with respect to input I; without it the op is not
// differentiable in that input. Under Rule::RealOfComplex and Rule::ComplexOfReal, g and output have the type
// of the output. A gradient may be a constant (grad_uses<Op, I>() == 0).
//
// T is a number, or an expression type (expr.h); bodies are therefore branch-free: where(), &, |, ! on conditions, and
// constants are written T(c). Optional members:
//   integer_division = true  the last Tensor-or-Scalar argument divides: the engine raises ZeroDivisionError when an
//                            integer divisor is 0 (forward itself returns 0)
//   backward_versions = "110"  the numbers of grad_fn's name: for tensors, for a number as first, and as last operand
//   no_derivative = true      going backward through it is an error
//   no_negative_power = true integers to a negative integer power are refused by the engine
//   numbers = Numbers::Last  which operands may be Python numbers; a number without this is a TypeError
//   spread_scalar = true     the loop reads its Scalar argument from an array, like a tensor
//   fast(x...), slow(x...)   a vectorising forward that is right where !slow(x...); loops use forward only elsewhere
#pragma once

#include "kernels/pointwise/platform.h"

namespace rl::pointwise {

enum class Rule : unsigned char {
  Same,           // computes in and returns the promoted dtype of the Tensor and Scalar arguments
  Float,          // as Same, integers and bool first going to the default float dtype
  Compare,        // promotes, computes in the promoted dtype, returns bool
  Logical,        // any dtypes, bool result; no promotion needed for one input
  RealOfComplex,  // as Same, but a complex input gives its real dtype
  ComplexOfReal,  // real floating inputs, complex output: forward returns the two parts as Pair
  Select,         // Where: the first input is bool, the others promote as Same
};

// Which operands of a call may be Python numbers where the schema says Tensor.
enum class Numbers : unsigned char {
  None,
  Last,    // torch.eq(x, 2)
  Either,  // torch.bitwise_and(x, 2), torch.bitwise_and(2, x)
  Both,    // torch.add(2, 3) too: the last two
};

// The dtypes an op computes in. Half and bfloat16 compute in float.
inline constexpr unsigned kBool = 1, kUnsigned = 2, kSigned = 4, kInts = kUnsigned | kSigned, kFloating = 8,
                          kComplex = 16;
inline constexpr unsigned kReal = kBool | kInts | kFloating, kAll = kReal | kComplex;

template <class T>
inline constexpr unsigned type_bit = math::is_bool<T>     ? kBool
                                     : math::is_float<T>  ? kFloating
                                     : math::is_cplx<T>   ? kComplex
                                     : math::is_signed<T> ? kSigned
                                                          : kUnsigned;
template <class Op, class T> inline constexpr bool computes_in = (Op::types & type_bit<T>) != 0;

template <class... Ops> struct List {
  static constexpr int size = sizeof...(Ops);
};
template <class... Lists> struct Concat;
template <class... A> struct Concat<List<A...>> {
  using type = List<A...>;
};
template <class... A, class... B, class... Rest>
struct Concat<List<A...>, List<B...>, Rest...> : Concat<List<A..., B...>, Rest...> {};

// How many Tensor arguments and how many other arguments a schema has.
struct Arity {
  int tensors = 0, scalars = 0;
  constexpr int inputs() const { return tensors + scalars; }
};
constexpr Arity arity_of_schema(const char* s) {
  Arity a;
  while (*s != '(') ++s;
  ++s;
  while (*s != ')') {
    while (*s == ' ' || *s == ',') ++s;
    if (*s == ')') break;
    if (*s == 'T' && s[1] == 'e')
      ++a.tensors;
    else if (*s != '*')
      ++a.scalars;
    while (*s != ',' && *s != ')') ++s;
  }
  return a;
}
template <class Op> inline constexpr Arity arity = arity_of_schema(Op::schema);

template <class Op> constexpr bool divides_integers() {
  if constexpr (requires { Op::integer_division; }) return Op::integer_division;
  return false;
}

// The result of a ComplexOfReal op: the engine stores it as a complex number.
template <class T> struct Pair {
  T re, im;
};

}  // namespace rl::pointwise
