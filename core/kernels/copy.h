// Copying, converting and filling strided memory. Strides count elements (of the dst or src type), may be 0 (broadcast
// sources) or negative.
#pragma once

#include <cstdint>

#include "runtime/cpu.h"
#include "tensor/dtype.h"

namespace rl::cpu {

// One input of cat: `bytes` contiguous bytes per outer index, from `data`.
struct CatPart {
  const void* data;
  int64_t bytes;
};

struct CopyTable {
  // dst[i...] = (dst type) src[i...]. dst must not have stride 0 in a dim longer than 1; dst and src must not overlap
  // unless they are the same.
  void (*copy_strided)(void* dst, DType dst_dtype, const int64_t* dst_strides, const void* src, DType src_dtype,
                       const int64_t* src_strides, const int64_t* sizes, int ndim);
  // dst[i...] = *value, which is of the dst's type.
  void (*fill)(void* dst, DType dtype, const int64_t* strides, const int64_t* sizes, int ndim, const void* value);
  // dst[i] = (dst type) src[i * src_stride] for i < n, on the calling thread.
  void (*convert_block)(void* dst, DType dst_dtype, const void* src, DType src_dtype, int64_t src_stride, int64_t n);
  // dst[i * dst_stride] = src[i], elements of item_bytes (1, 2, 4, 8 or 16), on the calling thread.
  void (*scatter_block)(void* dst, int64_t dst_stride, const void* src, int64_t item_bytes, int64_t n);
  // dst (outer rows of the sum of all parts' bytes) = the parts side by side.
  void (*cat)(void* dst, int64_t outer, const CatPart* parts, int64_t count);
  // out[i] = start + (first + i * ascent) * step of float or double, rounded once (not at all before the sum, if products
  // are exact); ascent is 1 or -1, n below 2^31.
  void (*ramp)(void* out, DType dtype, int64_t n, double first, double ascent, double start, double step, bool exact);
};
RL_ISA_TABLE(CopyTable, copy)

}  // namespace rl::cpu
