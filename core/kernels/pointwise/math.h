// Mathematical functions of numbers, all of them; see the parts.
#pragma once

#include "kernels/pointwise/math_basic.h"
#include "kernels/pointwise/math_elementary.h"
#include "kernels/pointwise/math_libm.h"
#include "kernels/pointwise/math_special.h"

namespace rl::math {

template <class T>
  requires(is_float<T>)
RL_FN T log_sigmoid(T x) {
  return (x < T(0) ? x : T(0)) - log1p_unit(exp(-abs(x)));
}
template <class T>
  requires(is_float<T>)
RL_FN T softplus(T x) {
  return (x > T(0) ? x : T(0)) + log1p_unit(exp(-abs(x)));
}

}  // namespace rl::math
