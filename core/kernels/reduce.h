// Reductions. The input is seen as [outer, n, inner] with strides in elements; n is reduced and the output is a
// contiguous [outer, inner]. A full reduction is outer == inner == 1. Strides may be anything; a unit stride along n,
// inner or (with inner == 1) outer is walked in memory order without a copy.
//
// Result dtypes: sum, nansum, prod: int64 for integers and bool, else the input's. mean: the input's (floating or
// complex). any, all: bool. count_nonzero, arg*: int64. The rest: the input's; norms of complex input: the real dtype.
// An empty n gives the identity (mean, var: NaN; logsumexp: -inf); min/max/arg of an empty n must be refused by the caller.
// Float sums are blocked, with fixed lanes: bits depend neither on the instruction set nor on the number of threads.
#pragma once

#include <cstdint>

#include "runtime/cpu.h"
#include "tensor/dtype.h"

namespace rl::cpu {

struct ReduceShape {
  int64_t outer = 1, n = 0, inner = 1;
  int64_t outer_stride = 0, n_stride = 1, inner_stride = 1;

  static ReduceShape contiguous(int64_t outer, int64_t n, int64_t inner) {
    return {outer, n, inner, n * inner, inner, 1};
  }
};

struct ReduceSumTable {
  void (*sum)(DType in, const void* x, const ReduceShape& shape, void* out);
  void (*nansum)(DType in, const void* x, const ReduceShape& shape, void* out);
  void (*mean)(DType in, const void* x, const ReduceShape& shape, void* out);
  void (*prod)(DType in, const void* x, const ReduceShape& shape, void* out);
  void (*count_nonzero)(DType in, const void* x, const ReduceShape& shape, int64_t* out);
  void (*any)(DType in, const void* x, const ReduceShape& shape, bool* out);
  void (*all)(DType in, const void* x, const ReduceShape& shape, bool* out);
  // (sum |x|^p)^(1/p); p may be 0 (count of nonzero), +-inf or any other value. Floating and complex input.
  void (*norm)(DType in, double p, const void* x, const ReduceShape& shape, void* out);
};

// NaN wins, the first of equals is chosen. Real dtypes and bool. Either output of max, min may be null.
struct ReduceMinMaxTable {
  void (*amax)(DType in, const void* x, const ReduceShape& shape, void* out);
  void (*amin)(DType in, const void* x, const ReduceShape& shape, void* out);
  void (*aminmax)(DType in, const void* x, const ReduceShape& shape, void* out_min, void* out_max);
  void (*max)(DType in, const void* x, const ReduceShape& shape, void* values,
              int64_t* indices);  // argmax: values null
  void (*min)(DType in, const void* x, const ReduceShape& shape, void* values, int64_t* indices);
};

// Floating dtypes. Either output of var_mean may be null; std_dev gives the square root of the variance.
struct ReduceMomentsTable {
  void (*var_mean)(DType in, const void* x, const ReduceShape& shape, double correction, bool std_dev, void* var,
                   void* mean);
  void (*logsumexp)(DType in, const void* x, const ReduceShape& shape, void* out);
};

RL_ISA_TABLE(ReduceSumTable, reduce_sum)
RL_ISA_TABLE(ReduceMinMaxTable, reduce_minmax)
RL_ISA_TABLE(ReduceMomentsTable, reduce_moments)

}  // namespace rl::cpu
