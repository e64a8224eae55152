// Running reductions along n of a contiguous [outer, n, inner]; out has the same shape and may be x where the dtypes
// agree. Half and BFloat16 run in float, float in double.
#pragma once

#include <cstdint>

#include "runtime/cpu.h"
#include "tensor/dtype.h"

namespace rl::cpu {

struct ScanTable {
  // Integers and bool give int64 (bool: the count of true so far). reverse: from the end, as cumsum's gradient needs.
  void (*cumsum)(DType in, bool reverse, const void* x, int64_t outer, int64_t n, int64_t inner, void* out);
  void (*cumprod)(DType in, const void* x, int64_t outer, int64_t n, int64_t inner, void* out);
  // Real dtypes and bool. The last of equals is chosen, and NaN stays once it has come.
  void (*cummax)(DType in, const void* x, int64_t outer, int64_t n, int64_t inner, void* values, int64_t* indices);
  void (*cummin)(DType in, const void* x, int64_t outer, int64_t n, int64_t inner, void* values, int64_t* indices);
  void (*logcumsumexp)(DType in, const void* x, int64_t outer, int64_t n, int64_t inner, void* out);  // floating
};

RL_AVX2_TABLE(ScanTable, scan)

}  // namespace rl::cpu
