// Arithmetic on shapes and strides.
#pragma once

#include <iosfwd>
#include <string>

#include "tensor/small_vector.h"

namespace rl {

// The text of a shape, put together when it is written: a check that holds makes none.
struct ShapeText {
  IntSpan sizes;
  bool tuple = false;
  std::string str() const;
  operator std::string() const { return str(); }
  friend std::ostream& operator<<(std::ostream& out, const ShapeText& text);
};
inline ShapeText shape_str(IntSpan sizes) { return {sizes}; }        // "[2, 3]"
inline ShapeText tuple_str(IntSpan sizes) { return {sizes, true}; }  // "(2, 3)"
int64_t product(IntSpan sizes);
Dims contiguous_strides(IntSpan sizes);
// The strides a fresh dense tensor gets to match `strides`' order of axes (PyTorch's preserve_format).
Dims dense_strides_like(IntSpan sizes, IntSpan strides);
bool is_dense(IntSpan sizes, IntSpan strides);  // non-overlapping, no holes
Dims channels_last_strides(IntSpan sizes);      // 4-d: NHWC, 5-d: NDHWC order
bool is_channels_last(IntSpan sizes, IntSpan strides);
// Right-aligned broadcast of two shapes; a RuntimeError with PyTorch's words and both shapes where they do not match.
Dims broadcast_shapes(IntSpan a, IntSpan b);
// Strides that let a tensor be read as if it had the (broadcast) shape `to`: 0 along repeated axes.
Dims broadcast_strides(IntSpan sizes, IntSpan strides, IntSpan to);
bool can_broadcast(IntSpan from, IntSpan to);
// -dim <= d < dim, wrapped to be non-negative; an IndexError otherwise. A 0-d tensor counts as 1-d.
int64_t wrap_dim(int64_t d, int64_t dim);
Dims wrap_dims(IntSpan dims, int64_t dim);  // also refuses a dim named twice
// Strides of view(sizes -> to) without a copy; false if there are none.
bool view_strides(IntSpan sizes, IntSpan strides, IntSpan to, Dims& out);
Dims infer_size(IntSpan shape, int64_t numel);  // fills in one -1

}  // namespace rl
