// Sliding blocks of images as columns, and back.
#pragma once

#include <cstdint>

#include "tensor/dtype.h"

namespace rl {

struct FoldShape {
  int64_t planes;  // samples * channels
  int64_t height, width, kernel_h, kernel_w, dilation_h, dilation_w, pad_h, pad_w, stride_h, stride_w;
  int64_t rows, columns;  // of blocks
};

// columns[plane][ky][kx][row][column] = image[plane][row * stride - pad + ky * dilation][...], zero outside.
void unfold_columns(DType dtype, const FoldShape& s, const void* image, void* columns);
// Its transpose: the sum of all columns that read a pixel.
void fold_columns(DType dtype, const FoldShape& s, const void* columns, void* image);

}  // namespace rl
