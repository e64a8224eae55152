// The writing half of the index kernels: many instances of loops that vectorise little, so compiled once.
#pragma once

#include <cstdint>

#include "kernels/index.h"

namespace rl::cpu {

void scatter_rows(void* dst, DType dtype, RowLayout dst_layout, const void* src, RowLayout src_layout,
                  const int64_t* index, int64_t outer, int64_t n, int64_t inner, Scatter op, int64_t skip);
void scatter(void* dst, DType dtype, const int64_t* dst_strides, const void* src, const int64_t* src_strides,
             const int64_t* index, const int64_t* index_strides, const int64_t* sizes, int ndim, int dim, Scatter op);

}  // namespace rl::cpu
