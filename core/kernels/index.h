// Reading and writing by index and by mask. Indices are int64; they must have been checked (and negative ones wrapped)
// with `wrap_indices` first, so nothing is written when one is bad.
#pragma once

#include <cstdint>

#include "runtime/cpu.h"
#include "tensor/dtype.h"

namespace rl::cpu {

enum class Scatter : uint8_t { assign, add, mul, min, max };

// A block of items addressed by [outer, index, inner]; strides count elements, index_stride is per unit of index.
struct RowLayout {
  int64_t outer_stride, index_stride, inner_stride;
};

struct IndexTable {
  // out[i] = index[i], plus size where negative. Returns the position of the first index outside [low, size), or -1;
  // low is -size or 0. out may be index or null (only check).
  int64_t (*wrap_indices)(int64_t* out, const int64_t* index, int64_t n, int64_t size, int64_t low);
  // out[i] += wrapped index[i] * stride, over a broadcast shape: the offsets of advanced indexing, one call per index
  // tensor. Returns the (row-major) position of the first bad index, or -1.
  int64_t (*add_offsets)(int64_t* out, const int64_t* index, const int64_t* index_strides, const int64_t* sizes,
                         int ndim, int64_t size, int64_t stride);

  // dst[o, j, i] (contiguous) = src[o, index[j], i]: index_select, take, embedding, x[offsets].
  void (*gather_rows)(void* dst, const void* src, int64_t item_bytes, RowLayout src_layout, const int64_t* index,
                      int64_t outer, int64_t n, int64_t inner);
  // dst[o, index[j], i] op= src[o, j, i] in the order of j: index_copy, index_fill (strides 0), index_add, index_put,
  // embedding's backward (skip = padding_idx, or -1).
  void (*scatter_rows)(void* dst, DType dtype, RowLayout dst_layout, const void* src, RowLayout src_layout,
                       const int64_t* index, int64_t outer, int64_t n, int64_t inner, Scatter op, int64_t skip);

  // dst[i...] = src[i... with index[i...] in place of i[dim]]; sizes are index's.
  void (*gather)(void* dst, const int64_t* dst_strides, const void* src, const int64_t* src_strides, int64_t item_bytes,
                 const int64_t* index, const int64_t* index_strides, const int64_t* sizes, int ndim, int dim);
  // dst[i... with index[i...] in place of i[dim]] op= src[i...], in row-major order.
  void (*scatter)(void* dst, DType dtype, const int64_t* dst_strides, const void* src, const int64_t* src_strides,
                  const int64_t* index, const int64_t* index_strides, const int64_t* sizes, int ndim, int dim,
                  Scatter op);

  // dst = cond ? a : b, all strided over sizes. masked_fill: a of strides 0, b = dst.
  void (*where)(void* dst, const int64_t* dst_strides, const bool* cond, const int64_t* cond_strides, const void* a,
                const int64_t* a_strides, const void* b, const int64_t* b_strides, int64_t item_bytes,
                const int64_t* sizes, int ndim);

  // The masked family works in two passes over contiguous memory. `counts` has mask_blocks(n) + 1 entries; count_mask
  // fills it with prefix sums and returns the total.
  int64_t (*mask_blocks)(int64_t n);
  int64_t (*count_mask)(const void* x, DType dtype, int64_t n, int64_t* counts);
  void (*masked_select)(void* dst, const void* src, int64_t item_bytes, const bool* mask, int64_t n,
                        const int64_t* counts);
  void (*masked_scatter)(void* dst, const bool* mask, const void* src, int64_t item_bytes, int64_t n,
                         const int64_t* counts);
  // out [total, ndim] = the indices of the nonzero elements of the contiguous x of shape sizes.
  void (*nonzero)(int64_t* out, const void* x, DType dtype, const int64_t* sizes, int ndim, const int64_t* counts);

  // Contiguous [batch, rows, cols]: keeps col - row >= diagonal (upper) or <= diagonal.
  void (*triangle)(void* dst, const void* src, int64_t item_bytes, int64_t batch, int64_t rows, int64_t cols,
                   int64_t diagonal, bool upper);
  // out has the sum of repeats entries: i, repeats[i] times.
  void (*repeat_index)(int64_t* out, const int64_t* repeats, int64_t n);
  // out [n, classes] = 0 except at index.
  void (*one_hot)(int64_t* out, const int64_t* index, int64_t n, int64_t classes);
  // out[index[i]] += weight ? weight[i] : 1; out is int64, or double with weights; already zeroed.
  void (*bincount)(void* out, const int64_t* index, const double* weight, int64_t n);
  // Counts of x (F32 or F64, contiguous) in bins equal parts of [low, high]; out (of x's type) is zeroed already.
  void (*histc)(void* out, const void* x, DType dtype, int64_t n, int64_t bins, double low, double high);
};
RL_AVX2_TABLE(IndexTable, index)

}  // namespace rl::cpu
