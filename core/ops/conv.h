// Convolutions, for other ops to build on.
//
// A convolution and its two gradients are one trilinear form seen from three sides: with y = convolve(x, w),
// convolve_input(g, w) is the gradient of x and convolve_weight(g, x) that of w (conjugates aside). Each is the gradient
// of the others, so all orders of derivatives are there. A transposed convolution is convolve_input.
#pragma once

#include "ops/basic.h"

namespace rl {

// All three spatial axes, always; axes that are not there have size 1. Channels are those of one group.
struct ConvGeometry {
  int64_t axes = 2;
  int64_t batch = 1, groups = 1, channels = 1, m = 1;  // of x: groups * channels; of y: groups * m
  int64_t in[3] = {1, 1, 1}, kernel[3] = {1, 1, 1}, out[3] = {1, 1, 1};
  int64_t stride[3] = {1, 1, 1}, pad[3] = {0, 0, 0}, dilation[3] = {1, 1, 1};

  int64_t taps() const { return kernel[0] * kernel[1] * kernel[2]; }
  Dims x_sizes() const { return with_axes(batch, groups * channels, in); }
  Dims w_sizes() const { return with_axes(groups * m, channels, kernel); }
  Dims y_sizes() const { return with_axes(batch, groups * m, out); }

 private:
  Dims with_axes(int64_t a, int64_t b, const int64_t* sizes) const {
    Dims d{a, b};
    for (int64_t i = 3 - axes; i < 3; ++i) d.push_back(sizes[i]);
    return d;
  }
};

// Without history; bias may be undefined.
Tensor raw_convolve(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry);
Tensor raw_convolve_input(const Tensor& g, const Tensor& w, const Tensor& bias, const ConvGeometry& geometry);
Tensor raw_convolve_weight(const Tensor& g, const Tensor& x, const ConvGeometry& geometry);

}  // namespace rl
