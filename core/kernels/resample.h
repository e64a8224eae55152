// Resampling: an axis of a tensor is replaced by weighted sums of its elements. What a result is a sum of stands in a
// table, so that all interpolations, their gradients (the transposed tables) and gradients of gradients are one loop.
#pragma once

#include <cstdint>
#include <vector>

#include "tensor/dtype.h"

namespace rl::resample {

enum class Filter { nearest, nearest_exact, linear, cubic, linear_aa, cubic_aa, lanczos_aa };

struct Table {
  int64_t in = 1, out = 1;
  std::vector<int64_t> first;  // result o has the terms first[o], ..., first[o + 1] - 1
  std::vector<int64_t> at;     // each one's place
  std::vector<double> weight;
  bool identity = false;
  Table transposed() const;
};

// scale: that of the output over the input as the user gave it, or 0. `narrow`: places are computed in float, as PyTorch
// does unless the tensor is double. `planar`: two axes are resized; PyTorch finds the nearest element in another way then,
// which shows where two are equally near.
Table table(Filter filter, int64_t in, int64_t out, bool align_corners, double scale, bool narrow, bool planar);

// [outer, in, inner] -> [outer, out, inner]; float, double and uint8 (in fixed point, each axis rounded).
void apply(DType dtype, const void* x, int64_t outer, const Table& t, int64_t inner, void* to);

// --- sampling at the places of a grid -----------------------------------------------------------------------------------

enum class Mode { bilinear, nearest, bicubic };
enum class Padding { zeros, border, reflection };

struct Grid {
  int axes;  // 2 or 3
  int64_t batch, channels;
  int64_t in[3], out[3];  // the last `axes` count
  Mode mode;
  Padding padding;
  bool align_corners;
};

// x [batch, channels, in...], grid [batch, out..., axes] with coordinates of the last axis first -> [batch, channels,
// out...]; float and double.
void sample(DType dtype, const void* x, const void* grid, const Grid& g, void* out);
// dx (may be null) must be zeros.
void sample_backward(DType dtype, const void* grad, const void* x, const void* grid, const Grid& g, void* dx,
                     void* dgrid);

// For each place of the grid: per axis (last axis first) how far it lies beyond the first of its elements, how that moves
// with the grid's coordinate, and where each of its `terms` elements (term j: digit a of j in base terms^(1/axes) along axis
// a) lies in a plane, -1 if outside.
int terms_per_axis(const Grid& g);  // 1, 2 or 4
void places(DType dtype, const void* grid, const Grid& g, void* parts, void* slopes, int64_t* at);

}  // namespace rl::resample
