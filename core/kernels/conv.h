// Convolution as a product of the weights with patches of the input that are gathered as they are multiplied.
//
// The result has positions (images x planes x rows x run); a position reads the input at its own place plus one offset
// per tap of the kernel, and adjacent positions of a run read adjacent elements. Strides, padding and dilation along
// all axes come down to this once the input has been spread (ConvSpread): given its border of zeros, and with a stride
// along the last axis its columns sorted by their remainder. Transposed convolution is one such product per remainder of
// the output's position. All strides count elements.
//
// The same bits come out on every instruction set and with any number of threads.
#pragma once

#include <cstdint>

#include "runtime/cpu.h"
#include "tensor/dtype.h"

namespace rl::cpu {

struct ConvProduct {
  int64_t groups = 1, channels = 1, m = 1;  // input and output channels of one group
  int64_t taps = 1;
  int64_t images = 1, planes = 1, rows = 1, run = 1;
  int64_t x_group = 0, x_channel = 0, x_image = 0, x_plane = 0, x_row = 0;
  int64_t x_step = 1;  // from one position of a run to the next: 1, in `product` also 2
  const int64_t* x_taps = nullptr;
  int64_t x_size = 0;  // elements that may be read from x on
  int64_t w_group = 0, w_m = 0, w_channel = 0;
  const int64_t* w_taps = nullptr;
  int64_t o_group = 0, o_m = 0, o_image = 0, o_plane = 0, o_row = 0, o_step = 1;
  int64_t o_begin = 0;  // of the first position, in `direct`
};

// out[b][z][y][phase][i] = x[b][z * step - pad][y * step - pad][i * step + phase - pad], zero outside of x.
struct ConvSpread {
  int64_t blocks = 1;
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1};
  int64_t pad[3] = {0, 0, 0}, step[3] = {1, 1, 1};
  int64_t phases = 1;
};

// A 3x3 convolution with stride 1, two by two results at a time (Lavin and Gray, Fast algorithms for convolutional neural
// networks, 2015): 16 products of matrices in place of 36 multiplications for every pair of channels. x is spread with
// two phases along its rows, and has 2 * tile_rows + 2 of them. float32 only.
struct ConvWinograd {
  int64_t groups = 1, channels = 1, m = 1;
  int64_t images = 1, tile_rows = 1, tile_columns = 1;
  int64_t x_group = 0, x_channel = 0, x_image = 0, x_row = 0, x_phase = 0;
  int64_t w_group = 0, w_m = 0, w_channel = 0;
  bool flip = false;  // the kernel is read from its end
  int64_t out_rows = 1, out_columns = 1, o_group = 0, o_m = 0, o_image = 0;
};

// The same for few channels or small maps, with kernels of one or more planes of 3x3. x and the result are contiguous.
// float32 only.
struct ConvTurned {
  int64_t groups = 1, channels = 1, m = 1, images = 1;
  int64_t depth = 1;  // planes of the kernel
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1}, pad[3] = {0, 0, 0};
  int64_t w_group = 0, w_m = 0, w_channel = 0;
  bool flip = false;  // the kernel is read from its end
};

// Kernels of 3 or 4 taps a side with stride 2 along both axes, by two by two results. x, the kernels and the result are
// contiguous, no border is as wide as the kernel. float32 only.
struct ConvStrided {
  int64_t groups = 1, channels = 1, m = 1, images = 1;
  int64_t in[2] = {1, 1}, out[2] = {1, 1}, kernel[2] = {3, 3}, pad[2] = {0, 0};
};

// Kernels of rows of 3 and more taps, with a stride along the rows of 1 or 2: Winograd's transform along the rows alone, four
// results at a time. x and the result are contiguous. float32 only.
struct ConvRows {
  int64_t groups = 1, channels = 1, m = 1, images = 1;
  int64_t in[2] = {1, 1}, out[2] = {1, 1}, pad[2] = {0, 0}, stride[2] = {1, 1}, kernel[2] = {1, 1};
  int64_t w_group = 0, w_m = 0, w_channel = 0;
  bool flip = false;  // the kernel is read from its end
};

// A 3x3 convolution of every channel by itself, with stride 1 or 2 along both axes and a border of 0 or 1. x and the result
// are contiguous. float32 only.
struct ConvDepthwise {
  int64_t planes = 1, channels = 1;  // planes = images * channels
  int64_t in_rows = 1, in_columns = 1, out_rows = 1, out_columns = 1;
  int64_t pad_y = 0, pad_x = 0, stride = 1;
  bool flip = false;  // the kernel is read from its end
};

// The same for kernels of any size without gaps, with a border less wide than they are. The channels lie in the lanes.
struct ConvPlanes {
  int64_t images = 1, channels = 1, stride = 1;
  int64_t in[2] = {1, 1}, out[2] = {1, 1}, kernel[2] = {3, 3}, pad[2] = {0, 0};
};

// The same sum, product by product: what the input's position f gives with tap t belongs to place f - shifts[t] of the
// results' phase phase_of[t], where places are counted in steps of the input: rows x_row apart, planes x_plane. The
// results of a phase are every o_step-th of a row, from o on.
struct ConvScatter {
  struct Phase {
    int64_t planes, rows, run, o;
  };
  int64_t groups = 1, channels = 1, m = 1, taps = 1, images = 1;
  int64_t x_group = 0, x_channel = 0, x_image = 0, x_plane = 0, x_row = 0;
  int64_t x_begin = 0, x_end = 0;                        // positions of a channel that are not border
  const int64_t* across = nullptr;                       // by tap, if x has no border: its shift within a line
  int64_t w_group = 0, w_m = 0, w_channel = 0;           // taps are adjacent
  const int64_t *shifts = nullptr, *phase_of = nullptr;  // by tap
  const int64_t* order = nullptr;                        // taps that have a phase, by their shifts
  int64_t used = 0;                                      // of them, at least one
  const Phase* phases = nullptr;
  int64_t phase_count = 0;
  int64_t o_group = 0, o_m = 0, o_image = 0, o_plane = 0, o_row = 0, o_step = 1;
};

struct ConvTable {
  // float32 and float64 only
  void (*spread)(DType dtype, const ConvSpread& s, const void* x, void* out);
  // out[group, image, m, position] = bias[group, m] + sum over channels and taps of w * x; bias may be null
  void (*product)(DType dtype, const ConvProduct& c, const void* x, const void* w, const void* bias, void* out);
  // The same for groups of a channel or two, without a matrix product: `count` products of the same channels. With s, x is
  // yet to be spread; c describes it as it will be then.
  void (*direct)(DType dtype, const ConvSpread* s, const ConvProduct* c, int64_t count, const void* x, const void* w,
                 const void* bias, void* out);
  void (*direct_weight_gradient)(DType dtype, const ConvSpread* s, const ConvProduct& c, const void* x, const void* g,
                                 void* dw);
};
struct ConvWeightTable {
  // dw[group, m, channel, tap], contiguous, = sum over positions of g[image, m, position] * x; g is laid out as the
  // result, with adjacent positions of an image adjacent
  void (*gradient)(DType dtype, const ConvProduct& c, const void* x, const void* g, void* dw);
};
struct ConvScatterTable {
  void (*product)(DType dtype, const ConvScatter& c, const void* x, const void* w, const void* bias, void* out);
};
struct ConvWinogradTable {
  void (*product)(const ConvWinograd& c, const float* x, const float* w, const float* bias, float* out);
  // dw[group, m, channel, 3, 3], contiguous. Here x has one phase, and g is laid out as an even result: 2 * tile_rows by
  // 2 * tile_columns.
  void (*weight_gradient)(const ConvWinograd& c, const float* x, const float* g, float* dw);
};
struct ConvTurnedTable {
  void (*product)(const ConvTurned& c, const float* x, const float* w, const float* bias, float* out);
  // dw[group, m, channel, depth, 3, 3], contiguous
  void (*weight_gradient)(const ConvTurned& c, const float* x, const float* g, float* dw);
};
struct ConvPlanesTable {
  void (*product)(const ConvPlanes& c, const float* x, const float* w, const float* bias, float* out);
  void (*spread)(const ConvPlanes& c, const float* g, const float* w, const float* bias, float* out);
  void (*weight_gradient)(const ConvPlanes& c, const float* x, const float* g, float* dw);  // of 3x3
};
struct ConvStridedTable {
  void (*product)(const ConvStrided& c, const float* x, const float* w, const float* bias, float* out);
  // The gradient of the input, or a transposed convolution.
  void (*spread)(const ConvStrided& c, const float* g, const float* w, const float* bias, float* out);
  void (*weight_gradient)(const ConvStrided& c, const float* x, const float* g, float* dw);
};
struct ConvRowsTable {
  void (*product)(const ConvRows& c, const float* x, const float* w, const float* bias, float* out);
};
struct ConvDepthwiseTable {
  void (*product)(const ConvDepthwise& c, const float* x, const float* w, const float* bias, float* out);
  // out = bias + what each element of g gave through the kernel of a convolution with stride 2 and a border of 1: `in` is
  // g's size, half of out's rounded up
  void (*spread)(const ConvDepthwise& c, const float* g, const float* w, const float* bias, float* out);
};
RL_ISA_TABLE(ConvTable, conv)
RL_ISA_TABLE(ConvDepthwiseTable, conv_depthwise)
RL_ISA_TABLE(ConvRowsTable, conv_rows)
RL_ISA_TABLE(ConvWeightTable, conv_weight)
RL_ISA_TABLE(ConvTurnedTable, conv_turned)
RL_ISA_TABLE(ConvPlanesTable, conv_planes)
RL_ISA_TABLE(ConvStridedTable, conv_strided)
RL_ISA_TABLE(ConvScatterTable, conv_scatter)
RL_ISA_TABLE(ConvWinogradTable, conv_winograd)

void conv_product_int(const ConvProduct& c, const int64_t* x, const int64_t* w, const int64_t* bias, int64_t* out);

}  // namespace rl::cpu
