// What layer, group and batch norm share.
#pragma once

#include <initializer_list>
#include <vector>

#include "ops/formula.h"
#include "ops/index_util.h"
#include "ops/reduce.h"

namespace rl {

// mean and rstd of half types are kept in float.
inline DType stats_dtype(DType d) { return d == DType::F64 ? DType::F64 : DType::F32; }

// Parameters have the dtype of the input; beside halves they may be float.
inline void check_one_dtype(const Tensor& x, std::initializer_list<const Tensor*> parameters) {
  bool half = x.dtype() == DType::F16 || x.dtype() == DType::BF16;
  for (const Tensor* p : parameters)
    check(!p->defined() || p->dtype() == x.dtype() || (half && p->dtype() == DType::F32),
          "mixed dtype (CPU): all inputs must share same datatype. The input is ", dtype_name(x.dtype()),
          ", a parameter ", dtype_name(p->defined() ? p->dtype() : x.dtype()), ": convert one of them, as by .to()");
}

// Statistics that come beside a result: of the dtype of a short input, unless a parameter is wider.
inline Tensor shown_stats(const Tensor& stats, const Tensor& x, std::initializer_list<const Tensor*> parameters) {
  bool narrow = x.dtype() == DType::F16 || x.dtype() == DType::BF16;
  for (const Tensor* p : parameters) narrow &= !p->defined() || p->dtype() == x.dtype();
  return narrow ? to_dtype(stats, x.dtype()) : stats;
}

// x normalised over dims, differentiably.
struct Normalised {
  Tensor hat, rstd;
  Normalised(const Tensor& x, IntSpan dims, double eps, bool center) {
    Tensor c = center ? formula::sub(x, mean(x, dims, true)) : x;
    rstd = formula::rsqrt(formula::add(mean(formula::square(c), dims, true), eps));
    hat = formula::mul(c, rstd);
  }
  // The gradient of x from that of hat.
  Tensor backward(const Tensor& g, IntSpan dims, bool center) const {
    Tensor rest = formula::sub(g, formula::mul(hat, mean(formula::mul(g, hat), dims, true)));
    return formula::mul(rstd, center ? formula::sub(rest, mean(g, dims, true)) : rest);
  }
};

// A vector over the channels, ready to broadcast against an input of `dim` axes.
inline Tensor over_channels(const Tensor& t, int64_t dim) {
  Dims sizes(dim, 1);
  sizes[1] = t.numel();
  return reshape(t, sizes);
}

// A small vector read as double, whatever it is; `otherwise` where there is none.
std::vector<double> as_doubles(const Tensor& t, int64_t n, double otherwise);
// And back, as a new tensor or into one that is there.
Tensor from_doubles(const std::vector<double>& values, DType dtype);
void store_doubles(const Tensor& to, const std::vector<double>& values);

}  // namespace rl
