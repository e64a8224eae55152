// Comparisons, predicates, logic, selection: results are bool (except Where and the bitwise ops).
//
// Glue for the engine: greater, less, not_equal, ... are aliases; isclose and allclose are Python or C++ over these;
// bitwise_and and its kin are also what &, |, ^, ~, <<, >> call.
#pragma once

#include "kernels/pointwise/expr.h"
#include "kernels/pointwise/math.h"

namespace rl::pointwise {

struct Eq {
  static constexpr const char* schema = "eq.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Numbers numbers = Numbers::Last;
  static constexpr const char* doc =
      "self == other, elementwise and broadcast, as bool. NaN equals nothing.\n\n"
      ">>> torch.eq(torch.tensor([1, 2]), torch.tensor([1, 3]))\ntensor([ True, False])\n";
  static constexpr Rule rule = Rule::Compare;
  static constexpr unsigned types = kAll;
  template <class T> RL_FN static auto forward(T a, T b) { return a == b; }
};

struct Ne {
  static constexpr const char* schema = "ne.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Numbers numbers = Numbers::Last;
  static constexpr const char* doc =
      "self != other, elementwise and broadcast, as bool.\n\n"
      ">>> torch.ne(torch.tensor([1, 2]), torch.tensor([1, 3]))\ntensor([False,  True])\n";
  static constexpr Rule rule = Rule::Compare;
  static constexpr unsigned types = kAll;
  template <class T> RL_FN static auto forward(T a, T b) { return a != b; }
};

struct Lt {
  static constexpr const char* schema = "lt.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Numbers numbers = Numbers::Last;
  static constexpr const char* doc =
      "self < other, elementwise and broadcast, as bool.\n\n"
      ">>> torch.lt(torch.tensor([1, 2]), torch.tensor([2, 2]))\ntensor([ True, False])\n";
  static constexpr Rule rule = Rule::Compare;
  static constexpr unsigned types = kReal;
  template <class T> RL_FN static auto forward(T a, T b) { return a < b; }
};

struct Le {
  static constexpr const char* schema = "le.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Numbers numbers = Numbers::Last;
  static constexpr const char* doc =
      "self <= other, elementwise and broadcast, as bool.\n\n"
      ">>> torch.le(torch.tensor([1, 3]), torch.tensor([2, 2]))\ntensor([ True, False])\n";
  static constexpr Rule rule = Rule::Compare;
  static constexpr unsigned types = kReal;
  template <class T> RL_FN static auto forward(T a, T b) { return a <= b; }
};

struct Gt {
  static constexpr const char* schema = "gt.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Numbers numbers = Numbers::Last;
  static constexpr const char* doc =
      "self > other, elementwise and broadcast, as bool.\n\n"
      ">>> torch.gt(torch.tensor([1, 3]), torch.tensor([2, 2]))\ntensor([False,  True])\n";
  static constexpr Rule rule = Rule::Compare;
  static constexpr unsigned types = kReal;
  template <class T> RL_FN static auto forward(T a, T b) { return a > b; }
};

struct Ge {
  static constexpr const char* schema = "ge.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Numbers numbers = Numbers::Last;
  static constexpr const char* doc =
      "self >= other, elementwise and broadcast, as bool.\n\n"
      ">>> torch.ge(torch.tensor([1, 2]), torch.tensor([2, 2]))\ntensor([False,  True])\n";
  static constexpr Rule rule = Rule::Compare;
  static constexpr unsigned types = kReal;
  template <class T> RL_FN static auto forward(T a, T b) { return a >= b; }
};

struct LogicalAnd {
  static constexpr const char* schema = "logical_and(Tensor self, Tensor other) -> Tensor";
  static constexpr const char* doc =
      "Both nonzero, elementwise, as bool.\n\n"
      ">>> torch.logical_and(torch.tensor([1, 0]), torch.tensor([2, 2]))\ntensor([ True, False])\n";
  static constexpr Rule rule = Rule::Logical;
  static constexpr unsigned types = kAll;
  template <class T> RL_FN static bool forward(T a, T b) { return (a != T(0)) & (b != T(0)); }
};

struct LogicalOr {
  static constexpr const char* schema = "logical_or(Tensor self, Tensor other) -> Tensor";
  static constexpr const char* doc =
      "Either nonzero, elementwise, as bool.\n\n"
      ">>> torch.logical_or(torch.tensor([1, 0]), torch.tensor([0, 0]))\ntensor([ True, False])\n";
  static constexpr Rule rule = Rule::Logical;
  static constexpr unsigned types = kAll;
  template <class T> RL_FN static bool forward(T a, T b) { return (a != T(0)) | (b != T(0)); }
};

struct LogicalXor {
  static constexpr const char* schema = "logical_xor(Tensor self, Tensor other) -> Tensor";
  static constexpr const char* doc =
      "Exactly one nonzero, elementwise, as bool.\n\n"
      ">>> torch.logical_xor(torch.tensor([1, 0]), torch.tensor([2, 2]))\ntensor([False,  True])\n";
  static constexpr Rule rule = Rule::Logical;
  static constexpr unsigned types = kAll;
  template <class T> RL_FN static bool forward(T a, T b) { return (a != T(0)) != (b != T(0)); }
};

struct LogicalNot {
  static constexpr const char* schema = "logical_not(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Zero, elementwise, as bool.\n\n>>> torch.logical_not(torch.tensor([0., 2.]))\ntensor([ True, False])\n";
  static constexpr Rule rule = Rule::Logical;
  static constexpr unsigned types = kAll;
  template <class T> RL_FN static bool forward(T x) { return x == T(0); }
};

struct IsNan {
  static constexpr const char* schema = "isnan(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Where self is NaN (a complex number: either part).\n\n"
      ">>> torch.isnan(torch.tensor([1., float('nan')]))\ntensor([False,  True])\n";
  static constexpr Rule rule = Rule::Logical;
  static constexpr unsigned types = kAll;
  template <class T> RL_FN static bool forward(T x) { return isnan(x); }
};

struct IsInf {
  static constexpr const char* schema = "isinf(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Where self is infinite (a complex number: either part).\n\n"
      ">>> torch.isinf(torch.tensor([1., float('-inf')]))\ntensor([False,  True])\n";
  static constexpr Rule rule = Rule::Logical;
  static constexpr unsigned types = kAll;
  template <class T> RL_FN static bool forward(T x) { return isinf(x); }
};

struct IsFinite {
  static constexpr const char* schema = "isfinite(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Where self is neither infinite nor NaN.\n\n"
      ">>> torch.isfinite(torch.tensor([1., float('inf')]))\ntensor([ True, False])\n";
  static constexpr Rule rule = Rule::Logical;
  static constexpr unsigned types = kAll;
  template <class T> RL_FN static bool forward(T x) { return isfinite(x); }
};

struct IsPosInf {
  static constexpr const char* schema = "isposinf(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Where self is +inf.\n\n>>> torch.isposinf(torch.tensor([1., float('inf')]))\ntensor([False,  True])\n";
  static constexpr Rule rule = Rule::Logical;
  static constexpr unsigned types = kReal;
  template <class T> RL_FN static bool forward(T x) { return isinf(x) & (x > T(0)); }
};

struct IsNegInf {
  static constexpr const char* schema = "isneginf(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Where self is -inf.\n\n>>> torch.isneginf(torch.tensor([1., float('-inf')]))\ntensor([False,  True])\n";
  static constexpr Rule rule = Rule::Logical;
  static constexpr unsigned types = kReal;
  template <class T> RL_FN static bool forward(T x) { return isinf(x) & signbit(x); }
};

struct Signbit {
  static constexpr const char* schema = "signbit(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Where the sign bit is set; -0.0 has it.\n\n>>> torch.signbit(torch.tensor([-0., 1.]))\ntensor([ True, False])\n";
  static constexpr Rule rule = Rule::Logical;
  static constexpr unsigned types = kReal;
  template <class T> RL_FN static bool forward(T x) { return signbit(x); }
};

struct IsReal {
  static constexpr const char* schema = "isreal(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Where the imaginary part is zero: everywhere for real dtypes.\n\n"
      ">>> torch.isreal(torch.tensor([1+0j, 1j]))\ntensor([ True, False])\n";
  static constexpr Rule rule = Rule::Logical;
  static constexpr unsigned types = kAll;
  template <class T> RL_FN static bool forward(T x) {
    auto im = imag(x);
    return im == decltype(im)(0);
  }
};

// |self - other| <= atol + rtol * |other|; equal infinities are close. equal_nan is a second record.
struct IsClose {
  static constexpr const char* schema =
      "isclose(Tensor self, Tensor other, Scalar rtol=1e-05, Scalar atol=1e-08) -> Tensor";
  static constexpr const char* doc =
      "|self - other| <= atol + rtol * |other|, as bool; equal infinities are close, NaN is close to nothing unless "
      "equal_nan=True.\n\n"
      ">>> torch.isclose(torch.tensor([1., 2.]), torch.tensor([1.0000001, 2.1]))\ntensor([ True, False])\n";
  static constexpr Rule rule = Rule::Compare;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static bool forward(T a, T b, T rtol, T atol) {
    return (a == b) | (isfinite(a - b) & (abs(a - b) <= atol + abs(rtol * b)));
  }
};

struct IsCloseEqualNan {
  static constexpr const char* schema =
      "isclose_equal_nan(Tensor self, Tensor other, Scalar rtol=1e-05, Scalar atol=1e-08) -> Tensor";
  static constexpr const char* doc = "isclose with equal_nan=True: two NaNs are close.";
  static constexpr Rule rule = Rule::Compare;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static bool forward(T a, T b, T rtol, T atol) {
    return IsClose::forward(a, b, rtol, atol) | (isnan(a) & isnan(b));
  }
};

// The condition is bool, the branches have the promoted dtype; the engine wires the mixed types.
struct Where {
  static constexpr const char* schema = "where.self(Tensor condition, Tensor self, Tensor other) -> Tensor";
  static constexpr const char* doc =
      "self where condition is true, other elsewhere; all three are broadcast.\n\n"
      ">>> torch.where(torch.tensor([True, False]), torch.tensor([1, 2]), torch.tensor([3, 4]))\ntensor([1, 4])\n";
  static constexpr Rule rule = Rule::Select;
  static constexpr unsigned types = kAll;
  template <class C, class T> RL_FN static T forward(C c, T a, T b) { return where(c, a, b); }
  template <class C, class T> RL_FN static T grad1(T g, C c, T, T, T) { return where(c, g, T(0)); }
  template <class C, class T> RL_FN static T grad2(T g, C c, T, T, T) { return where(c, T(0), g); }
};

struct BitwiseAnd {
  static constexpr const char* schema = "bitwise_and.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Numbers numbers = Numbers::Either;
  static constexpr const char* doc =
      "self & other, on integers and bool.\n\n>>> torch.bitwise_and(torch.tensor([6, 5]), 3)\ntensor([2, 1])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kBool | kInts;
  template <class T> RL_FN static T forward(T a, T b) { return static_cast<T>(a & b); }
};

struct BitwiseOr {
  static constexpr const char* schema = "bitwise_or.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Numbers numbers = Numbers::Either;
  static constexpr const char* doc =
      "self | other, on integers and bool.\n\n>>> torch.bitwise_or(torch.tensor([4, 5]), 3)\ntensor([7, 7])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kBool | kInts;
  template <class T> RL_FN static T forward(T a, T b) { return static_cast<T>(a | b); }
};

struct BitwiseXor {
  static constexpr const char* schema = "bitwise_xor.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Numbers numbers = Numbers::Either;
  static constexpr const char* doc =
      "self ^ other, on integers and bool.\n\n>>> torch.bitwise_xor(torch.tensor([6, 5]), 3)\ntensor([5, 6])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kBool | kInts;
  template <class T> RL_FN static T forward(T a, T b) { return static_cast<T>(a ^ b); }
};

struct BitwiseNot {
  static constexpr const char* schema = "bitwise_not(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "~self: every bit flipped; on bool it is logical not.\n\n"
      ">>> torch.bitwise_not(torch.tensor([0, 5]))\ntensor([-1, -6])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kBool | kInts;
  template <class T> RL_FN static T forward(T x) {
    if constexpr (math::is_bool<T>)
      return !x;
    else
      return static_cast<T>(~x);
  }
};

struct BitwiseLeftShift {
  static constexpr const char* schema = "bitwise_left_shift.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Numbers numbers = Numbers::Either;
  static constexpr const char* doc =
      "self << other on integers; shifting by the width or more gives 0.\n\n"
      ">>> torch.bitwise_left_shift(torch.tensor([1, 3]), 2)\ntensor([ 4, 12])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts;
  template <class T> RL_FN static T forward(T a, T n) { return shift_left(a, n); }
};

struct BitwiseRightShift {
  static constexpr const char* schema = "bitwise_right_shift.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Numbers numbers = Numbers::Either;
  static constexpr const char* doc =
      "self >> other on integers, keeping the sign.\n\n"
      ">>> torch.bitwise_right_shift(torch.tensor([-8, 9]), 1)\ntensor([-4,  4])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts;
  template <class T> RL_FN static T forward(T a, T n) { return shift_right(a, n); }
};

struct Gcd {
  static constexpr const char* schema = "gcd(Tensor self, Tensor other) -> Tensor";
  static constexpr const char* doc =
      "Greatest common divisor of integers, never negative; gcd(0, 0) is 0.\n\n"
      ">>> torch.gcd(torch.tensor([12, 7]), torch.tensor([18, 14]))\ntensor([6, 7])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts;
  template <class T> RL_FN static T forward(T a, T b) { return gcd(a, b); }
};

struct Lcm {
  static constexpr const char* schema = "lcm(Tensor self, Tensor other) -> Tensor";
  static constexpr const char* doc =
      "Least common multiple of integers, never negative.\n\n"
      ">>> torch.lcm(torch.tensor([4, 3]), torch.tensor([6, 5]))\ntensor([12, 15])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts;
  template <class T> RL_FN static T forward(T a, T b) { return lcm(a, b); }
};

using CompareOps = List<Eq, Ne, Lt, Le, Gt, Ge, LogicalAnd, LogicalOr, LogicalXor, LogicalNot, IsNan, IsInf, IsFinite,
                        IsPosInf, IsNegInf, Signbit, IsReal, IsClose, IsCloseEqualNan, Where, BitwiseAnd, BitwiseOr,
                        BitwiseXor, BitwiseNot, BitwiseLeftShift, BitwiseRightShift, Gcd, Lcm>;

static_assert(grad_uses<Where, 1>() == 0b11 && !has_grad<Where, 0>());

}  // namespace rl::pointwise
