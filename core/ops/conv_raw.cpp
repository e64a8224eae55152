// From the geometry of a convolution to what the kernels take.
#include <algorithm>
#include <cmath>
#include <deque>
#include <utility>
#include <vector>

#include "kernels/conv.h"
#include "kernels/reduce.h"
#include "ops/conv.h"
#include "ops/creation.h"
#include "ops/formula.h"
#include "ops/index_util.h"
#include "ops/matmul.h"

namespace rl {
namespace {

using Taps = SmallVector<int64_t, 64>;

// Any type by way of one that the kernels compute in: f(operands in that type) -> result.
template <class F>
Tensor through(DType by, const Tensor& a, const Tensor& b, const Tensor& bias, F f) {
  GradModeGuard off(false);
  auto as = [&](const Tensor& t) { return t.defined() ? to_dtype(detach(t), by) : t; };
  return to_dtype(f(as(a), as(b), as(bias)), a.dtype());
}

// A product of complex operands from four of real ones.
template <class F>
Tensor complex_product(const Tensor& a, const Tensor& b, const Tensor& bias, F f) {
  GradModeGuard off(false);
  auto part = [](const Tensor& t, bool imaginary) {
    return t.defined() ? contiguous(imaginary ? imag(detach(t)) : real(detach(t))) : t;
  };
  Tensor ar = part(a, false), ai = part(a, true), br = part(b, false), bi = part(b, true), none;
  Tensor re = formula::sub(f(ar, br, part(bias, false)), f(ai, bi, none));
  Tensor im = formula::add(f(ar, bi, part(bias, true)), f(ai, br, none));
  Tensor out = Tensor::empty(re.sizes(), a.dtype());
  if (out.numel() > 0) {
    copy_data(real(out), re);
    copy_data(imag(out), im);
  }
  return out;
}

bool is_plain(DType d) { return d == DType::F32 || d == DType::F64 || d == DType::I64; }

// f for operands of any type.
template <class F>
Tensor by_type(const Tensor& a, const Tensor& b, const Tensor& bias, F f) {
  DType d = a.dtype();
  if (is_plain(d)) return f(plain(a), plain(b), bias.defined() ? plain(bias) : bias);
  if (is_complex_dtype(d)) return complex_product(a, b, bias, f);
  return through(is_integral(d) ? DType::I64 : DType::F32, a, b, bias, f);
}

// A tensor with border as the kernels read it.
struct Source {
  Tensor keep;
  const void* data;
  int64_t line, row, plane, block, size;  // elements from one row, plane, channel on to the next; readable
  bool deferred = false;                  // the kernel will spread it, as `how` says
  cpu::ConvSpread how;
};

// Depthwise and the like: no matrix product in it.
bool is_direct(const ConvGeometry& c, DType dtype) {
  return c.groups > 1 && c.channels * c.m <= 4 && dtype != DType::I64;
}

// Axis by axis how to spread; the tensor itself where nothing is to be done.
// `exact`: its size must be the one that s says, not a larger one.
Source spread(const Tensor& t, int64_t blocks, cpu::ConvSpread& s, bool exact = false, bool defer = false) {
  bool as_is = s.phases == 1;
  for (int i = 0; i < 3; ++i)
    as_is = as_is && s.pad[i] == 0 && s.step[i] == 1 && (exact ? s.out[i] == s.in[i] : s.out[i] <= s.in[i]);
  Source source;
  if (as_is) {
    source.keep = t;
    source.line = s.in[2], source.row = s.in[2], source.plane = s.in[1] * s.in[2];
    source.block = s.in[0] * source.plane;
  } else {
    source.line = s.out[2], source.row = s.phases * s.out[2], source.plane = s.out[1] * source.row;
    source.block = s.out[0] * source.plane;
    s.blocks = blocks;
    if (defer) {
      source.keep = t, source.data = t.raw(), source.size = 0, source.how = s, source.deferred = true;
      return source;
    }
    // Room for whole vectors after the end.
    source.keep = Tensor::empty(Dims{blocks * source.block + 16}, t.dtype());
    DType bits = t.dtype() == DType::I64 ? DType::F64 : t.dtype();
    cpu::conv().spread(bits, s, t.raw(), source.keep.raw());
  }
  source.size = source.keep.numel();
  source.data = source.keep.raw();
  return source;
}

// x under the kernel: strides, padding and dilation become offsets.
struct Reading {
  Source source;
  Taps x_taps, w_taps;
  cpu::ConvProduct product;

  // `skipping`: what reads may leave out every other element. Of short rows, or where each element is multiplied many times, a
  // copy is cheaper.
  Reading(const Tensor& x, const ConvGeometry& c, bool skipping = false) {
    cpu::ConvSpread s;
    int64_t step[3];
    skipping = skipping && c.kernel[2] == 1 && c.stride[2] == 2 && std::max({c.pad[0], c.pad[1], c.pad[2]}) == 0 &&
               c.out[2] >= 14 && c.m <= 512;
    for (int i = 0; i < 3; ++i) {
      int64_t reach = (c.kernel[i] - 1) * c.dilation[i];
      s.in[i] = c.in[i], s.pad[i] = c.pad[i];
      step[i] = c.stride[i];
      if (skipping) {
        s.out[i] = s.in[i];
      } else if (c.kernel[i] == 1) {
        s.step[i] = c.stride[i], s.out[i] = c.out[i];
        step[i] = 1;
      } else if (i == 2 && c.stride[i] > 1) {
        s.step[i] = c.stride[i], s.phases = std::min(c.stride[i], reach + 1);
        s.out[i] = c.out[i] + reach / c.stride[i];
      } else {
        s.out[i] = (c.out[i] - 1) * c.stride[i] + reach + 1;
      }
    }
    source = spread(x, c.batch * c.groups * c.channels, s, false, is_direct(c, x.dtype()));
    for (int64_t z = 0; z < c.kernel[0]; ++z)
      for (int64_t y = 0; y < c.kernel[1]; ++y)
        for (int64_t i = 0; i < c.kernel[2]; ++i) {
          int64_t at = i * c.dilation[2];
          if (s.phases > 1) at = at % s.step[2] * source.line + at / s.step[2];
          x_taps.push_back(z * c.dilation[0] * source.plane + y * c.dilation[1] * source.row + at);
          w_taps.push_back(w_taps.size());
        }
    cpu::ConvProduct& p = product;
    p.groups = c.groups, p.channels = c.channels, p.m = c.m, p.taps = c.taps();
    p.images = c.batch, p.planes = c.out[0], p.rows = c.out[1], p.run = c.out[2];
    p.x_channel = source.block, p.x_group = c.channels * source.block, p.x_image = c.groups * p.x_group;
    p.x_plane = step[0] * source.plane, p.x_row = step[1] * source.row, p.x_step = skipping ? 2 : 1;
    p.x_taps = x_taps.data(), p.x_size = source.size;
    p.w_channel = p.taps, p.w_m = c.channels * p.taps, p.w_group = c.m * p.w_m, p.w_taps = w_taps.data();
    p.o_row = c.out[2], p.o_plane = c.out[1] * p.o_row, p.o_m = c.out[0] * p.o_plane;
    p.o_group = c.m * p.o_m, p.o_image = c.groups * p.o_group;
    merge();
  }
  Reading(const Reading&) = delete;

  // Rows that follow each other in x and in the result are one run.
  void merge() {
    cpu::ConvProduct& p = product;
    if (p.rows > 1 && (p.x_row != p.x_step * p.run || p.o_row != p.run)) return;
    p.run *= p.rows, p.rows = 1;
    if (p.planes > 1 && (p.x_plane != p.x_step * p.run || p.o_plane != p.run)) return;
    p.run *= p.planes, p.planes = 1;
  }
};

const void* raw_or_null(const Tensor& t) { return t.defined() ? t.raw() : nullptr; }

void multiply(DType dtype, const cpu::ConvProduct& p, const Source& x, bool direct, const void* w, const void* bias,
              void* out) {
  if (dtype == DType::I64)
    cpu::conv_product_int(p, static_cast<const int64_t*>(x.data), static_cast<const int64_t*>(w),
                          static_cast<const int64_t*>(bias), static_cast<int64_t*>(out));
  else if (direct)
    cpu::conv().direct(dtype, x.deferred ? &x.how : nullptr, &p, 1, x.data, w, bias, out);
  else
    cpu::conv().product(dtype, p, x.data, w, bias, out);
}

// The bias, or zeros, everywhere.
void fill_bias(const Tensor& out, const Tensor& bias) {
  if (out.numel() == 0) return;
  if (!bias.defined()) return fill_data(out, Scalar(0));
  Dims sizes(out.dim(), 1);
  sizes[1] = bias.numel();
  copy_data(out, bias.alias(sizes, contiguous_strides(sizes), bias->offset()));
}

// Not so if the sum overflows, either.
bool is_finite(const Tensor& t) {
  float sum;
  cpu::reduce_sum().sum(t.dtype(), t.raw(), cpu::ReduceShape::contiguous(1, t.numel(), 1), &sum);
  return std::isfinite(sum);
}

// Whether the transforms of patches and kernels cost less than the multiplications they spare. They mix neighbours: an
// infinity would spread to results that do not see it.
bool suits_winograd(const ConvGeometry& c, const Tensor& a, const Tensor& b, const int64_t* out) {
  if (a.dtype() != DType::F32 || c.kernel[0] != 1 || c.kernel[1] != 3 || c.kernel[2] != 3) return false;
  for (int i = 0; i < 3; ++i)
    if (c.stride[i] != 1 || c.dilation[i] != 1) return false;
  if (c.in[0] != 1 || c.out[0] != 1 || std::min(c.channels, c.m) < 16) return false;
  if (c.channels * c.m > (1 << 20)) return false;  // 16 values for every 9 of a kernel
  if (out[1] < 4 || out[2] < 4 || c.batch * ((out[1] + 1) / 2) * ((out[2] + 1) / 2) < 48) return false;
  return is_finite(a) && is_finite(b);
}

// x with a border, convolved with 3x3 kernels. `from` and `to` are channels of one group, given by their steps in w.
struct Winograd {
  const Tensor& x;
  const int64_t *in, *out;
  int64_t pad_y, pad_x, channels, m, w_channel, w_m;
  bool flip;

  void run(const ConvGeometry& c, const Tensor& w, const Tensor& bias, const Tensor& y) const {
    cpu::ConvWinograd p;
    p.groups = c.groups, p.channels = channels, p.m = m, p.images = c.batch, p.flip = flip;
    p.tile_rows = (out[1] + 1) / 2, p.tile_columns = (out[2] + 1) / 2;
    p.out_rows = out[1], p.out_columns = out[2];
    cpu::ConvSpread s;
    s.in[1] = in[1], s.in[2] = in[2], s.pad[1] = pad_y, s.pad[2] = pad_x;
    s.out[1] = 2 * p.tile_rows + 2, s.out[2] = p.tile_columns + 1;
    s.step[2] = 2, s.phases = 2;
    Source source = spread(x, c.batch * c.groups * channels, s);
    p.x_phase = source.line, p.x_row = source.row, p.x_channel = source.block;
    p.x_group = channels * p.x_channel, p.x_image = c.groups * p.x_group;
    p.w_channel = w_channel, p.w_m = w_m, p.w_group = c.m * c.channels * 9;
    p.o_m = out[1] * out[2], p.o_group = m * p.o_m, p.o_image = c.groups * p.o_group;
    cpu::conv_winograd().product(p, static_cast<const float*>(source.data), w.data<float>(),
                                 static_cast<const float*>(raw_or_null(bias)), y.data<float>());
  }
};

void winograd_weight(const Tensor& g, const Tensor& x, const ConvGeometry& c, const Tensor& dw) {
  cpu::ConvWinograd p;
  p.groups = c.groups, p.channels = c.channels, p.m = c.m, p.images = c.batch;
  p.tile_rows = (c.out[1] + 1) / 2, p.tile_columns = (c.out[2] + 1) / 2;
  cpu::ConvSpread of_x, of_g;
  for (int i = 1; i < 3; ++i) {
    int64_t even = 2 * (i == 1 ? p.tile_rows : p.tile_columns);
    of_x.in[i] = c.in[i], of_x.pad[i] = c.pad[i], of_x.out[i] = even + 2;
    of_g.in[i] = c.out[i], of_g.out[i] = even;
  }
  Source xs = spread(x, c.batch * c.groups * c.channels, of_x, true);
  Source gs = spread(g, c.batch * c.groups * c.m, of_g, true);
  p.x_row = xs.row, p.x_channel = xs.block, p.x_group = c.channels * xs.block, p.x_image = c.groups * p.x_group;
  p.o_m = gs.block, p.o_group = c.m * gs.block, p.o_image = c.groups * p.o_group;
  p.w_group = c.m * c.channels * 9;
  cpu::conv_winograd().weight_gradient(p, static_cast<const float*>(xs.data), static_cast<const float*>(gs.data),
                                       dw.data<float>());
}

// Kernels of 3x3 or planes of them over few channels: the same with channels in the lanes. `from` and `to` are channels of
// one group, the work is counted for one tile.
bool suits_turned(const ConvGeometry& c, const Tensor& a, const Tensor& b, int64_t from, int64_t to,
                  const int64_t* out) {
  if (a.dtype() != DType::F32 || c.kernel[1] != 3 || c.kernel[2] != 3) return false;
  for (int i = 0; i < 3; ++i)
    if (c.stride[i] != 1 || c.dilation[i] != 1 || c.pad[i] > c.kernel[i] - 1) return false;
  const int64_t k = from * c.kernel[0], k_lanes = (k + 15) / 16 * 16, to_lanes = (to + 15) / 16 * 16;
  if (k * to > 4096 || out[1] < 2 || out[2] < 2) return false;
  const int64_t turned = 18 * k * to_lanes + 100 * (k_lanes + to_lanes), plain = 40 * k * to;
  return turned < plain && is_finite(a) && is_finite(b);
}

cpu::ConvTurned turned_of(const ConvGeometry& c) {
  cpu::ConvTurned p;
  p.groups = c.groups, p.channels = c.channels, p.m = c.m, p.images = c.batch, p.depth = c.kernel[0];
  for (int i = 0; i < 3; ++i) p.in[i] = c.in[i], p.out[i] = c.out[i], p.pad[i] = c.pad[i];
  p.w_channel = c.taps(), p.w_m = c.channels * c.taps(), p.w_group = c.m * p.w_m;
  return p;
}

void turned_product(const cpu::ConvTurned& p, const Tensor& x, const Tensor& w, const Tensor& bias, const Tensor& out) {
  cpu::conv_turned().product(p, x.data<float>(), w.data<float>(), static_cast<const float*>(raw_or_null(bias)),
                             out.data<float>());
}

// Kernels of 3 or 4 taps a side with stride 2. `each` results of a tile along an axis: a convolution's 2, or 2 for every other
// place of its input.
bool suits_strided(const ConvGeometry& c, const Tensor& a, const Tensor& b, const int64_t* results, int64_t each) {
  if (a.dtype() != DType::F32 || c.kernel[0] != 1 || c.in[0] != 1 || c.out[0] != 1 || c.pad[0] != 0) return false;
  int64_t products = 1, plain = 1, tiles = c.batch;
  for (int i = 1; i < 3; ++i) {
    if (c.kernel[i] < 3 || c.kernel[i] > 4 || c.stride[i] != 2 || c.dilation[i] != 1 || c.pad[i] >= c.kernel[i])
      return false;
    int64_t of_axis = 0, of_taps = 0;
    for (int64_t phase = 0; phase < 2; ++phase) {
      // Two results take three products of two taps; one takes as many as it has taps.
      const int64_t taps = (c.kernel[i] - phase + 1) / 2;
      const int64_t count = each == 2 ? results[i] : (results[i] - (phase + c.pad[i]) % 2 + 1) / 2;
      of_axis += count / 2 * (taps + 1) + count % 2 * taps, of_taps += count * taps;
    }
    products *= of_axis, plain *= of_taps, tiles *= (results[i] + each - 1) / each;
  }
  if (std::min(c.channels, c.m) < 16 || tiles < 48) return false;
  // Many kernels cost memory as well.
  if (100 * products > (c.channels * c.m <= (1 << 15) ? 95 : 80) * plain) return false;
  return is_finite(a) && is_finite(b);
}

cpu::ConvStrided strided_of(const ConvGeometry& c) {
  cpu::ConvStrided p;
  p.groups = c.groups, p.channels = c.channels, p.m = c.m, p.images = c.batch;
  for (int i = 0; i < 2; ++i)
    p.in[i] = c.in[i + 1], p.out[i] = c.out[i + 1], p.kernel[i] = c.kernel[i + 1], p.pad[i] = c.pad[i + 1];
  return p;
}

// Kernels of wider rows: transformed along these alone, which is worth it where what is counted here in multiplications of
// a vector (as measured: those of the products, and what transforming inputs, results and kernels costs) is clearly less.
// `from` and `to` are channels of one group.
bool suits_rows(const ConvGeometry& c, const Tensor& a, const Tensor& b, int64_t from, int64_t to, const int64_t* in,
                const int64_t* out) {
  if (a.dtype() != DType::F32 || c.kernel[0] != 1 || c.in[0] != 1 || c.out[0] != 1) return false;
  for (int i = 1; i < 3; ++i)
    if (c.stride[i] > 2 || c.dilation[i] != 1) return false;
  const int64_t taps = (c.kernel[2] + c.stride[2] - 1) / c.stride[2];
  if (taps < 3 || taps > 8) return false;
  auto share = [](int64_t n, int64_t of) { return (n + of - 1) / of; };
  const int64_t parts = taps > 5 ? 2 : 1, points = (taps > 5 ? 4 : taps) + 3, wide = share(out[2], 4) + parts - 1;
  const int64_t depth = from * c.stride[2] * parts * c.kernel[1], up = share(to, 8) * 8;
  const int64_t seen = std::min(in[1], (out[1] - 1) * c.stride[1] + c.kernel[1]);
  const int64_t each =
      share(out[1] * wide, 16) * up * (points * depth + 62) + 165 * seen * share(wide, 16) * from * c.stride[2];
  const int64_t plain = share(out[1] * out[2], 16) * c.kernel[1] * c.kernel[2] * from * (to + 6);
  if (c.batch * (5 * plain - 6 * each) < 6 * 18 * depth * up) return false;
  return is_finite(a) && is_finite(b);
}

cpu::ConvRows rows_of(const ConvGeometry& c) {
  cpu::ConvRows p;
  p.groups = c.groups, p.channels = c.channels, p.m = c.m, p.images = c.batch;
  for (int i = 0; i < 2; ++i) {
    p.in[i] = c.in[i + 1], p.out[i] = c.out[i + 1], p.pad[i] = c.pad[i + 1];
    p.stride[i] = c.stride[i + 1], p.kernel[i] = c.kernel[i + 1];
  }
  p.w_channel = c.taps(), p.w_m = c.channels * c.taps(), p.w_group = c.m * p.w_m;
  return p;
}

void rows_product(const cpu::ConvRows& p, const Tensor& x, const Tensor& w, const Tensor& bias, const Tensor& out) {
  cpu::conv_rows().product(p, x.data<float>(), w.data<float>(), static_cast<const float*>(raw_or_null(bias)),
                           out.data<float>());
}

// One channel to a group, a kernel of 3x3. `pad` is that of the convolution asked for: a gradient's is what the kernel
// leaves.
bool suits_depthwise(const ConvGeometry& c, DType dtype, const int64_t (&pad)[3]) {
  if (dtype != DType::F32 || c.channels != 1 || c.m != 1 || c.groups < 2) return false;
  if (c.kernel[0] != 1 || c.in[0] != 1 || c.out[0] != 1 || c.pad[0] != 0) return false;
  for (int i = 1; i < 3; ++i)
    if (c.kernel[i] != 3 || c.dilation[i] != 1 || pad[i] < 0 || pad[i] > 1) return false;
  return c.stride[1] == c.stride[2] && c.stride[1] <= 2;
}

void depthwise(const ConvGeometry& c, const Tensor& x, const Tensor& w, const Tensor& bias, bool backwards,
               const Tensor& out) {
  const int64_t *in = backwards ? c.out : c.in, *to = backwards ? c.in : c.out;
  cpu::ConvDepthwise p;
  p.planes = c.batch * c.groups, p.channels = c.groups, p.stride = c.stride[1], p.flip = backwards;
  p.in_rows = in[1], p.in_columns = in[2], p.out_rows = to[1], p.out_columns = to[2];
  p.pad_y = backwards ? 2 - c.pad[1] : c.pad[1], p.pad_x = backwards ? 2 - c.pad[2] : c.pad[2];
  const auto product = backwards && p.stride == 2 ? cpu::conv_depthwise().spread : cpu::conv_depthwise().product;
  product(p, x.data<float>(), w.data<float>(), static_cast<const float*>(raw_or_null(bias)), out.data<float>());
}

bool is_3x3(const ConvGeometry& c) { return c.kernel[1] == 3 && c.kernel[2] == 3; }

// The same for kernels of any size with 16 channels side by side; of 3x3 where rows are too short to fill the lanes.
bool suits_planes(const ConvGeometry& c, DType dtype) {
  if (dtype != DType::F32 || c.channels != 1 || c.m != 1 || 4 * c.groups < 3 * ((c.groups + 15) / 16 * 16))
    return false;
  if (c.kernel[0] != 1 || c.in[0] != 1 || c.out[0] != 1 || c.pad[0] != 0) return false;
  for (int i = 1; i < 3; ++i)
    if (c.kernel[i] < 2 || c.dilation[i] != 1 || c.pad[i] >= c.kernel[i]) return false;
  return c.stride[1] == c.stride[2] && c.stride[1] <= 2;
}
bool suits_planes_better(const ConvGeometry& c, DType dtype) {
  return suits_planes(c, dtype) && (!is_3x3(c) || (c.out[2] <= 8 && c.batch * c.groups >= 4096));
}

cpu::ConvPlanes planes_of(const ConvGeometry& c) {
  cpu::ConvPlanes p;
  p.images = c.batch, p.channels = c.groups, p.stride = c.stride[1];
  for (int i = 0; i < 2; ++i)
    p.in[i] = c.in[i + 1], p.out[i] = c.out[i + 1], p.kernel[i] = c.kernel[i + 1], p.pad[i] = c.pad[i + 1];
  return p;
}

// A kernel as large as the input sees it once: a product of matrices.
bool is_whole(const ConvGeometry& c) {
  bool whole = c.groups == 1;
  for (int i = 0; i < 3; ++i)
    whole = whole && c.pad[i] == 0 && c.out[i] == 1 && c.in[i] == (c.kernel[i] - 1) * c.dilation[i] + 1 &&
            (c.dilation[i] == 1 || c.kernel[i] == 1);
  return whole;
}

Tensor as_matrix(const Tensor& t, int64_t rows) {
  Dims sizes{rows, rows ? t.numel() / rows : 0};
  return t.alias(sizes, contiguous_strides(sizes), t->offset());
}

Tensor as_shape(const Tensor& t, const Dims& sizes, const Tensor& bias) {
  Tensor out = t.alias(sizes, contiguous_strides(sizes), t->offset());
  if (!bias.defined()) return out;
  GradModeGuard off(false);
  Dims along(sizes.size(), 1);
  along[1] = bias.numel();
  return formula::add(out, bias.alias(along, contiguous_strides(along), bias->offset()));
}

Tensor convolve(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& c) {
  if (is_whole(c) && x.numel() > 0 && w.numel() > 0)
    return as_shape(raw_mm(as_matrix(x, c.batch), false, as_matrix(w, c.m), true), c.y_sizes(), bias);
  Tensor out = Tensor::empty(c.y_sizes(), x.dtype());
  if (out.numel() == 0) return out;
  if (c.channels * c.taps() == 0) {
    fill_bias(out, bias);
    return out;
  }
  if (suits_turned(c, x, w, c.channels, c.m, c.out)) {
    turned_product(turned_of(c), x, w, bias, out);
    return out;
  }
  if (suits_winograd(c, x, w, c.out)) {
    Winograd{x, c.in, c.out, c.pad[1], c.pad[2], c.channels, c.m, 9, c.channels * 9, false}.run(c, w, bias, out);
    return out;
  }
  if (suits_strided(c, x, w, c.out, 2)) {
    cpu::conv_strided().product(strided_of(c), x.data<float>(), w.data<float>(),
                                static_cast<const float*>(raw_or_null(bias)), out.data<float>());
    return out;
  }
  if (suits_planes_better(c, x.dtype())) {
    cpu::conv_planes().product(planes_of(c), x.data<float>(), w.data<float>(),
                               static_cast<const float*>(raw_or_null(bias)), out.data<float>());
    return out;
  }
  if (suits_rows(c, x, w, c.channels, c.m, c.in, c.out)) {
    rows_product(rows_of(c), x, w, bias, out);
    return out;
  }
  if (suits_depthwise(c, x.dtype(), c.pad)) {
    depthwise(c, x, w, bias, false, out);
    return out;
  }
  // Few results are summed without a product of matrices, which asks for vectors to read.
  Reading reading(x, c, x.dtype() != DType::I64 && c.m > 16);
  multiply(x.dtype(), reading.product, reading.source, is_direct(c, x.dtype()), w.raw(), raw_or_null(bias), out.raw());
  return out;
}

// Along one axis: the taps that reach the positions first, first + stride, ..., and what they read there.
struct Phase {
  int64_t count = 0;
  SmallVector<int64_t, 8> taps, shifts;
};
using AxisPhases = SmallVector<Phase, 4>;

AxisPhases phases_of(const ConvGeometry& c, int axis) {
  AxisPhases all;
  for (int64_t first = 0; first < std::min(c.stride[axis], c.in[axis]); ++first) {
    Phase phase;
    phase.count = (c.in[axis] - first + c.stride[axis] - 1) / c.stride[axis];
    for (int64_t k = 0; k < c.kernel[axis]; ++k) {
      int64_t at = first + c.pad[axis] - k * c.dilation[axis];
      if (at % c.stride[axis] != 0) continue;
      phase.taps.push_back(k);
      phase.shifts.push_back(at / c.stride[axis]);
    }
    all.push_back(std::move(phase));
  }
  return all;
}

// The input's gradient, or a transposed convolution, as products with every tap that are added where they belong.
// `source` is g with its border.
struct Scattering {
  Taps shifts, across, phase_of, order;
  SmallVector<cpu::ConvScatter::Phase, 8> phases;
  cpu::ConvScatter scatter;

  // Where the input is packed once for all taps, or weights are read once, that is worth more than adding the products.
  static bool suits(const ConvGeometry& c, DType dtype) {
    if (dtype == DType::I64 || is_direct(c, dtype)) return false;
    const int64_t positions = c.out[0] * c.out[1] * c.out[2];
    const bool strided = c.stride[0] > 1 || c.stride[1] > 1 || c.stride[2] > 1;
    if (c.channels <= 4) return c.m >= 24;
    // Each image is multiplied by itself: few positions leave a part of their strips empty.
    if (c.taps() == 1 || c.m < 48 || (c.batch > 1 && positions < 64)) return false;
    return strided || c.batch * positions <= 64;
  }

  Scattering(const ConvGeometry& c, const AxisPhases (&axes)[3], const cpu::ConvSpread& s, const Source& source)
      : shifts(c.taps(), 0), across(c.taps(), 0), phase_of(c.taps(), 0) {
    cpu::ConvScatter& p = scatter;
    for (int64_t z = 0; z < axes[0].size(); ++z)
      for (int64_t y = 0; y < axes[1].size(); ++y)
        for (int64_t i = 0; i < axes[2].size(); ++i) {
          const Phase &pz = axes[0][z], &py = axes[1][y], &px = axes[2][i];
          for (int64_t a = 0; a < pz.taps.size(); ++a)
            for (int64_t b = 0; b < py.taps.size(); ++b)
              for (int64_t d = 0; d < px.taps.size(); ++d) {
                const int64_t tap = (pz.taps[a] * c.kernel[1] + py.taps[b]) * c.kernel[2] + px.taps[d];
                shifts[tap] = (pz.shifts[a] + s.pad[0]) * source.plane + (py.shifts[b] + s.pad[1]) * source.row +
                              px.shifts[d] + s.pad[2];
                across[tap] = px.shifts[d];
                phase_of[tap] = phases.size();
                order.push_back(tap);
              }
          phases.push_back({pz.count, py.count, px.count, (z * c.in[1] + y) * c.in[2] + i});
        }
    std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return shifts[a] < shifts[b]; });
    p.groups = c.groups, p.channels = c.m, p.m = c.channels, p.taps = c.taps(), p.images = c.batch;
    p.x_channel = source.block, p.x_group = c.m * source.block, p.x_image = c.groups * p.x_group;
    p.x_plane = source.plane, p.x_row = source.row;
    p.x_begin = s.pad[0] * source.plane + s.pad[1] * source.row + s.pad[2];
    p.x_end = p.x_begin + (c.out[0] - 1) * source.plane + (c.out[1] - 1) * source.row + c.out[2];
    p.x_end = std::min(p.x_end, source.block);
    p.w_m = c.taps(), p.w_channel = c.channels * p.w_m, p.w_group = c.m * p.w_channel;
    p.shifts = shifts.data(), p.phase_of = phase_of.data(), p.order = order.data(), p.used = order.size();
    p.phases = phases.data(), p.phase_count = phases.size();
    p.o_step = c.stride[2], p.o_row = c.stride[1] * c.in[2], p.o_plane = c.stride[0] * c.in[1] * c.in[2];
    p.o_m = c.in[0] * c.in[1] * c.in[2], p.o_group = c.channels * p.o_m, p.o_image = c.groups * p.o_group;
  }
  Scattering(const Scattering&) = delete;
};

Tensor convolve_input(const Tensor& g, const Tensor& w, const Tensor& bias, const ConvGeometry& c) {
  if (is_whole(c) && g.numel() > 0 && w.numel() > 0)
    return as_shape(raw_mm(as_matrix(g, c.batch), false, as_matrix(w, c.m), false), c.x_sizes(), bias);
  Tensor out = Tensor::empty(c.x_sizes(), g.dtype());
  if (out.numel() == 0) return out;
  if (c.m * c.taps() * g.numel() == 0) {
    fill_bias(out, bias);
    return out;
  }
  if (suits_turned(c, g, w, c.m, c.channels, c.in)) {
    cpu::ConvTurned p = turned_of(c);
    std::swap(p.channels, p.m);
    std::swap(p.w_channel, p.w_m);
    for (int i = 0; i < 3; ++i) p.in[i] = c.out[i], p.out[i] = c.in[i], p.pad[i] = c.kernel[i] - 1 - c.pad[i];
    p.flip = true;
    turned_product(p, g, w, bias, out);
    return out;
  }
  if (suits_winograd(c, g, w, c.in)) {
    Winograd{g, c.out, c.in, 2 - c.pad[1], 2 - c.pad[2], c.m, c.channels, c.channels * 9, 9, true}.run(c, w, bias, out);
    return out;
  }
  if (suits_strided(c, g, w, c.in, 4)) {
    cpu::conv_strided().spread(strided_of(c), g.data<float>(), w.data<float>(),
                               static_cast<const float*>(raw_or_null(bias)), out.data<float>());
    return out;
  }
  if (suits_planes_better(c, g.dtype())) {
    cpu::conv_planes().spread(planes_of(c), g.data<float>(), w.data<float>(),
                              static_cast<const float*>(raw_or_null(bias)), out.data<float>());
    return out;
  }
  if (c.stride[1] == 1 && c.stride[2] == 1 && suits_rows(c, g, w, c.m, c.channels, c.out, c.in)) {
    cpu::ConvRows p = rows_of(c);
    std::swap(p.channels, p.m);
    std::swap(p.w_channel, p.w_m);
    for (int i = 0; i < 2; ++i) p.in[i] = c.out[i + 1], p.out[i] = c.in[i + 1], p.pad[i] = p.kernel[i] - 1 - p.pad[i];
    p.flip = true;
    rows_product(p, g, w, bias, out);
    return out;
  }
  const bool halves = c.pad[1] == 1 && c.pad[2] == 1 && c.out[1] == (c.in[1] + 1) / 2 && c.out[2] == (c.in[2] + 1) / 2;
  if ((c.stride[1] == 1 || halves) && suits_depthwise(c, g.dtype(), {0, 2 - c.pad[1], 2 - c.pad[2]})) {
    depthwise(c, g, w, bias, true, out);
    return out;
  }
  AxisPhases phases[3];
  cpu::ConvSpread s;
  bool gaps = false, reached = true;
  for (int i = 0; i < 3; ++i) {
    phases[i] = phases_of(c, i);
    int64_t low = 0, high = 0;
    bool any = false;
    for (const Phase& p : phases[i]) {
      gaps = gaps || p.taps.empty();
      any = any || !p.taps.empty();
      for (int64_t shift : p.shifts) low = std::min(low, shift), high = std::max(high, shift + p.count);
    }
    reached = reached && any;
    s.in[i] = c.out[i], s.pad[i] = -low, s.out[i] = high - low;
  }
  const bool scattered = reached && Scattering::suits(c, g.dtype());
  if (gaps && !scattered) fill_bias(out, bias);
  const bool direct = is_direct(c, g.dtype());
  if (scattered) {
    // Of short lines a border would be a good part.
    bool as_it_lies = c.in[0] == 1 && c.out[0] == 1 && c.kernel[0] == 1 && 8 * (s.out[2] - s.in[2]) >= s.in[2];
    for (const Phase& p : phases[2]) as_it_lies = as_it_lies && p.count <= c.out[2];
    if (as_it_lies)
      for (int i = 0; i < 3; ++i) s.pad[i] = 0, s.out[i] = s.in[i];
    Source source = spread(g, c.batch * c.groups * c.m, s);
    Scattering all(c, phases, s, source);
    if (as_it_lies) all.scatter.across = all.across.data();
    cpu::conv_scatter().product(g.dtype(), all.scatter, source.data, w.raw(), raw_or_null(bias), out.raw());
    return out;
  }
  Source source = spread(g, c.batch * c.groups * c.m, s, false, direct);
  cpu::ConvProduct p;
  p.groups = c.groups, p.channels = c.m, p.m = c.channels, p.images = c.batch;
  p.x_channel = source.block, p.x_group = c.m * source.block, p.x_image = c.groups * p.x_group;
  p.x_plane = source.plane, p.x_row = source.row;
  p.x_size = source.size;
  p.w_m = c.taps(), p.w_channel = c.channels * p.w_m, p.w_group = c.m * p.w_channel;
  p.o_step = c.stride[2], p.o_row = c.stride[1] * c.in[2], p.o_plane = c.stride[0] * c.in[1] * c.in[2];
  p.o_m = c.in[0] * c.in[1] * c.in[2], p.o_group = c.channels * p.o_m, p.o_image = c.groups * p.o_group;
  std::deque<Taps> taps;  // products point into them
  std::vector<cpu::ConvProduct> products;
  for (int64_t z = 0; z < phases[0].size(); ++z)
    for (int64_t y = 0; y < phases[1].size(); ++y)
      for (int64_t i = 0; i < phases[2].size(); ++i) {
        const Phase &pz = phases[0][z], &py = phases[1][y], &px = phases[2][i];
        // From the last tap on they see what follows.
        Taps& x_taps = taps.emplace_back();
        Taps& w_taps = taps.emplace_back();
        for (int64_t a = pz.taps.size() - 1; a >= 0; --a)
          for (int64_t b = py.taps.size() - 1; b >= 0; --b)
            for (int64_t d = px.taps.size() - 1; d >= 0; --d) {
              x_taps.push_back((pz.shifts[a] + s.pad[0]) * source.plane + (py.shifts[b] + s.pad[1]) * source.row +
                               px.shifts[d] + s.pad[2]);
              w_taps.push_back((pz.taps[a] * c.kernel[1] + py.taps[b]) * c.kernel[2] + px.taps[d]);
            }
        if (x_taps.empty()) continue;
        cpu::ConvProduct q = p;
        q.taps = x_taps.size(), q.x_taps = x_taps.data(), q.w_taps = w_taps.data();
        q.planes = pz.count, q.rows = py.count, q.run = px.count;
        if (q.o_step == 1 && (q.rows == 1 || (q.x_row == q.run && q.o_row == q.run))) {
          q.run *= q.rows, q.rows = 1;
          if (q.planes == 1 || (q.x_plane == q.run && q.o_plane == q.run)) q.run *= q.planes, q.planes = 1;
        }
        q.o_begin = (z * c.in[1] + y) * c.in[2] + i;
        products.push_back(q);
      }
  if (direct && !products.empty()) {
    cpu::conv().direct(g.dtype(), source.deferred ? &source.how : nullptr, products.data(), products.size(),
                       source.data, w.raw(), raw_or_null(bias), out.raw());
    return out;
  }
  const int64_t item = item_size(g.dtype());
  for (cpu::ConvProduct& q : products) {
    char* begin = static_cast<char*>(out.raw()) + std::exchange(q.o_begin, 0) * item;
    multiply(g.dtype(), q, source, false, w.raw(), raw_or_null(bias), begin);
  }
  return out;
}

// Few channels and results: every sum in registers costs less than turning the patches around.
bool suits_sums(const ConvGeometry& c, DType dtype, int64_t run) {
  const int64_t lanes = (run + 15) / 16 * 16;
  return dtype == DType::F32 && c.channels < 8 && c.channels * c.taps() * c.m <= 512 && 2 * run >= lanes;
}

Tensor convolve_weight(const Tensor& g, const Tensor& x, const ConvGeometry& c) {
  Tensor out = Tensor::empty(c.w_sizes(), x.dtype());
  if (out.numel() == 0) return out;
  if (g.numel() == 0 || x.numel() == 0) {
    fill_data(out, Scalar(0));
    return out;
  }
  if (is_whole(c)) return as_shape(raw_mm(as_matrix(g, c.batch), true, as_matrix(x, c.batch), false), c.w_sizes(), {});
  if (suits_turned(c, x, g, c.channels, c.m, c.out)) {
    cpu::conv_turned().weight_gradient(turned_of(c), x.data<float>(), g.data<float>(), out.data<float>());
    return out;
  }
  if (suits_winograd(c, x, g, c.out)) {
    winograd_weight(g, x, c, out);
    return out;
  }
  if (suits_strided(c, x, g, c.out, 2)) {
    cpu::conv_strided().weight_gradient(strided_of(c), x.data<float>(), g.data<float>(), out.data<float>());
    return out;
  }
  if (suits_planes(c, x.dtype()) && is_3x3(c)) {
    cpu::conv_planes().weight_gradient(planes_of(c), x.data<float>(), g.data<float>(), out.data<float>());
    return out;
  }
  Reading reading(x, c);
  const Source& source = reading.source;
  if (is_direct(c, x.dtype()) || suits_sums(c, x.dtype(), reading.product.run))
    cpu::conv().direct_weight_gradient(x.dtype(), source.deferred ? &source.how : nullptr, reading.product, source.data,
                                       g.raw(), out.raw());
  else
    cpu::conv_weight().gradient(x.dtype(), reading.product, source.data, g.raw(), out.raw());
  return out;
}

}  // namespace

Tensor raw_convolve(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& c) {
  return by_type(x, w, bias, [&](const Tensor& a, const Tensor& b, const Tensor& d) { return convolve(a, b, d, c); });
}
Tensor raw_convolve_input(const Tensor& g, const Tensor& w, const Tensor& bias, const ConvGeometry& c) {
  return by_type(g, w, bias,
                 [&](const Tensor& a, const Tensor& b, const Tensor& d) { return convolve_input(a, b, d, c); });
}
Tensor raw_convolve_weight(const Tensor& g, const Tensor& x, const ConvGeometry& c) {
  return by_type(g, x, {}, [&](const Tensor& a, const Tensor& b, const Tensor&) { return convolve_weight(a, b, c); });
}

}  // namespace rl
