// Runs pointwise records (kernels/pointwise/*.h): type promotion, broadcasting, strides, threads and gradients, once for
// all ops. call<pointwise::Exp>(x) is the C++ form of torch.exp.
#pragma once

#include <span>

#include "kernels/pointwise/expr.h"
#include "kernels/pointwise_loops.h"
#include "ops/registry.h"

namespace rl {

struct PointwiseDef {
  const char* name = nullptr;
  std::string backward_name;
  std::string backward_of_numbers[2];  // where the first, or the last, operand is a number; empty: no other name
  pointwise::Rule rule;
  unsigned types;
  int tensors, scalars;
  bool bool_result;
  bool integer_division;
  bool no_negative_power;
  bool refuses_bool;  // among its operands, whatever the other one is
  bool has_alpha;
  bool no_derivative;    // it is an error to go backward through it
  bool scalars_promote;  // the numbers take part in type promotion (clamp's bounds do, add's alpha does not)
  unsigned grad_uses[cpu::kMaxGrads];  // bit 0: g, bit 1 + i: input i, bit 1 + inputs: the output
  bool has_grad[cpu::kMaxGrads];
  int place;  // in the tables of its list
  const cpu::PointwiseLoops* (*loops)();
  const cpu::ComplexPointwiseLoops* (*loops_of_complex)();  // null where the list has none
  // gradI over expressions: the differentiable form, for gradients of gradients.
  Tensor (*grad_expr)(int input, const Tensor& g, const Tensor* inputs, const Scalar* scalars, const Tensor& y);

  // The loop over elements of a type, null where there is none: of the op, of its gradient in an input.
  cpu::PointwiseLoop forward(DType t) const {
    if (is_complex_dtype(t)) return loops_of_complex ? loops_of_complex()[place].forward[t == DType::C128] : nullptr;
    return loops()[place].forward[static_cast<int>(t)];
  }
  cpu::PointwiseLoop gradient(int input, DType t) const {
    if (is_complex_dtype(t))
      return loops_of_complex ? loops_of_complex()[place].grad[input][t == DType::C128] : nullptr;
    return is_floating(t) ? loops()[place].grad[input][t == DType::F64] : nullptr;
  }
};

// out, if defined, receives the result (its dtype may be any that the result casts to).
Tensor run_pointwise(const PointwiseDef& def, const Tensor* inputs, const Scalar* scalars, const Tensor& out = {});

// The gradient in one input given that of the output: in one pass, or of differentiable ops where gradients are
// recorded. For ops that wrap a record in a node of their own. It has the broadcast shape of what the formula uses.
Tensor pointwise_gradient(const PointwiseDef& def, int input, const Tensor& g, const Tensor* inputs,
                          const Scalar* scalars, const Tensor& y);

// Gives r, if it has no history, one of zero gradients to the inputs (where gradients are recorded).
Tensor tie_to_inputs(Tensor r, std::span<const Tensor> inputs);

// Sums `grad` down to `sizes`, the shape of an input that was broadcast.
Tensor sum_to(const Tensor& grad, IntSpan sizes);

// Filled when the op's list is registered (pointwise_register.h).
template <class Op> inline PointwiseDef pointwise_slot;
template <class Op> const PointwiseDef& pointwise_def() { return pointwise_slot<Op>; }

// A record's op, as `def` describes it: its own definition, or that of another op that is made of it.
template <class Op, class... T>
Tensor call_with(const PointwiseDef& def, const T&... arguments) {
  constexpr auto arity = pointwise::arity<Op>;
  static_assert(sizeof...(T) == arity.inputs());
  Tensor tensors[arity.tensors + 1];
  Scalar scalars[arity.scalars + 1];
  int t = 0, s = 0;
  auto take = [&](const auto& x) {
    if constexpr (std::is_same_v<std::decay_t<decltype(x)>, Tensor>)
      tensors[t++] = x;
    else
      scalars[s++] = Scalar(x);
  };
  (take(arguments), ...);
  return run_pointwise(def, tensors, scalars);
}

// call<pointwise::Mul>(a, b); numbers after the tensors are the op's Scalar arguments: call<pointwise::Add>(a, b, 1).
template <class Op, class... T>
Tensor call(const T&... arguments) {
  return call_with<Op>(pointwise_def<Op>(), arguments...);
}

}  // namespace rl
