// The writing half of the index kernels: many instances of loops that vectorise little, so compiled once.
#pragma once

#include <cstdint>

#include "kernels/index.h"

namespace rl::cpu {

void scatter_rows(void* dst, DType dtype, RowLayout dst_layout, const void* src, RowLayout src_layout,
                  const int64_t* index, int64_t outer, int64_t n, int64_t inner, Scatter op, int64_t skip);
void scatter(void* dst, DType dtype, const int64_t* dst_strides, const void* src, const int64_t* src_strides,
             const int64_t* index, const int64_t* index_strides, const int64_t* sizes, int ndim, int dim, Scatter op);

// dst[o, index[j], i] = base[o, index[j], i] + src[o, j, i], in the order of j where an index comes more than once, and
// dst = base elsewhere; base may be dst. All contiguous, float or double, index in [0, rows).
void add_rows(void* dst, const void* base, DType dtype, const void* src, const int64_t* index, int64_t outer,
              int64_t rows, int64_t n, int64_t inner);

}  // namespace rl::cpu
