// Differentiable pointwise forms under short names, for gradient formulas and compositions.
#pragma once

#include "kernels/pointwise/arithmetic.h"
#include "kernels/pointwise/compare.h"
#include "kernels/pointwise/complex.h"
#include "kernels/pointwise/exponential.h"
#include "kernels/pointwise/rounding.h"
#include "ops/basic.h"
#include "ops/pointwise.h"

namespace rl::formula {

inline Tensor number(double value) { return Tensor::wrapped(Scalar(value)); }
inline Tensor add(const Tensor& a, const Tensor& b) { return call<pointwise::Add>(a, b, 1); }
inline Tensor add(const Tensor& a, double b) { return call<pointwise::Add>(a, number(b), 1); }
inline Tensor sub(const Tensor& a, const Tensor& b) { return call<pointwise::Sub>(a, b, 1); }
inline Tensor mul(const Tensor& a, const Tensor& b) { return call<pointwise::Mul>(a, b); }
inline Tensor mul(const Tensor& a, double b) { return call<pointwise::Mul>(a, number(b)); }
inline Tensor div(const Tensor& a, const Tensor& b) { return call<pointwise::Div>(a, b); }
inline Tensor div(const Tensor& a, double b) { return call<pointwise::Div>(a, number(b)); }
inline Tensor neg(const Tensor& a) { return call<pointwise::Neg>(a); }
inline Tensor exp(const Tensor& a) { return call<pointwise::Exp>(a); }
inline Tensor abs(const Tensor& a) { return call<pointwise::Abs>(a); }
inline Tensor sqrt(const Tensor& a) { return call<pointwise::Sqrt>(a); }
inline Tensor rsqrt(const Tensor& a) { return call<pointwise::Rsqrt>(a); }
inline Tensor square(const Tensor& a) { return call<pointwise::Square>(a); }
inline Tensor pow(const Tensor& a, double b) { return call<pointwise::Pow>(a, number(b)); }
inline Tensor conj(const Tensor& a) { return is_complex_dtype(a.dtype()) ? call<pointwise::Conj>(a) : a; }
inline Tensor eq(const Tensor& a, const Tensor& b) { return call<pointwise::Eq>(a, b); }
inline Tensor eq(const Tensor& a, double b) { return call<pointwise::Eq>(a, number(b)); }
inline Tensor ne(const Tensor& a, double b) { return call<pointwise::Ne>(a, number(b)); }
inline Tensor gt(const Tensor& a, double b) { return call<pointwise::Gt>(a, number(b)); }
inline Tensor isnan(const Tensor& a) { return call<pointwise::IsNan>(a); }
inline Tensor both(const Tensor& a, const Tensor& b) { return call<pointwise::LogicalAnd>(a, b); }
inline Tensor either(const Tensor& a, const Tensor& b) { return call<pointwise::LogicalOr>(a, b); }
inline Tensor where(const Tensor& c, const Tensor& a, const Tensor& b) { return call<pointwise::Where>(c, a, b); }
inline Tensor where(const Tensor& c, const Tensor& a, double b) { return call<pointwise::Where>(c, a, number(b)); }

}  // namespace rl::formula
