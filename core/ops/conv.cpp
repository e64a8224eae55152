// Convolutions and transposed convolutions over one, two and three axes.
#include "ops/conv.h"

#include "ops/creation.h"
#include "ops/formula.h"
#include "ops/product.h"
#include "ops/shape.h"

namespace rl {
namespace {

const Tensor kNone;
constexpr const char* kNode = "ConvolutionBackward0";
constexpr const char* kSecond = "ConvolutionBackwardBackward0";

Tensor convolve(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& c,
                const char* name = kSecond);
Tensor convolve_input(const Tensor& g, const Tensor& w, const Tensor& bias, const ConvGeometry& c,
                      const char* name = kSecond);
Tensor convolve_weight(const Tensor& g, const Tensor& x, const ConvGeometry& c);

// Of the values added to every channel. It depends on neither of the others, but like their gradients it can be
// differentiated again: to nothing.
void set_bias_gradient(Backward& ctx) {
  const Tensor& g = ctx.grad();
  Dims dims{0};
  for (int64_t d = 2; d < g.dim(); ++d) dims.push_back(d);
  Tensor out = sum(g, dims, false);
  if (Backward::create_graph() && !out.requires_grad()) {
    Tensor first = ctx.saved(0), second = ctx.saved(1);
    if (first.requires_grad() || second.requires_grad()) {
      auto shape = [](const Tensor& t) { return t.defined() ? Dims(t.sizes()) : Dims(); };
      record(kSecond, out, {first, second}, {}, [a = shape(first), b = shape(second), d = g.dtype()](Backward& again) {
        if (again.needs(0)) again.set(0, zeros(a, d));
        if (again.needs(1)) again.set(1, zeros(b, d));
      });
    }
  }
  ctx.set(2, std::move(out));
}

// channels_last in, channels_last out.
Tensor in_format(const Tensor& out, const Tensor& x, const Tensor& w) {
  auto last = [](const Tensor& t) {
    return t.dim() >= 4 && !t.is_contiguous() && is_channels_last(t.sizes(), t.strides());
  };
  if (!last(x) && !last(w)) return out;
  GradModeGuard off(false);
  return contiguous(out, out.dim() == 4 ? MemoryFormat::ChannelsLast : MemoryFormat::ChannelsLast3d);
}

Tensor convolve(const Tensor& x, const Tensor& w, const Tensor& bias, const ConvGeometry& c, const char* name) {
  Tensor out = in_format(raw_convolve(x, w, bias, c), x, w);
  if (needs_gradient(x, w, bias))
    record(name, out, {x, w, bias}, {if_needed(x, w), if_needed(w, x)}, [c](Backward& ctx) {
      const Tensor& g = ctx.grad();
      if (ctx.needs(0)) ctx.set(0, convolve_input(g, formula::conj(ctx.saved(1)), kNone, c));
      if (ctx.needs(1)) ctx.set(1, convolve_weight(g, formula::conj(ctx.saved(0)), c));
      if (ctx.needs(2)) set_bias_gradient(ctx);
    });
  return out;
}

Tensor convolve_input(const Tensor& g, const Tensor& w, const Tensor& bias, const ConvGeometry& c, const char* name) {
  Tensor out = in_format(raw_convolve_input(g, w, bias, c), g, w);
  if (needs_gradient(g, w, bias))
    record(name, out, {g, w, bias}, {if_needed(g, w), if_needed(w, g)}, [c](Backward& ctx) {
      const Tensor& d = ctx.grad();
      if (ctx.needs(0)) ctx.set(0, convolve(d, formula::conj(ctx.saved(1)), kNone, c));
      if (ctx.needs(1)) ctx.set(1, convolve_weight(formula::conj(ctx.saved(0)), d, c));
      if (ctx.needs(2)) set_bias_gradient(ctx);
    });
  return out;
}

Tensor convolve_weight(const Tensor& g, const Tensor& x, const ConvGeometry& c) {
  Tensor out = raw_convolve_weight(g, x, c);
  if (needs_gradient(g, x))
    record(kSecond, out, {g, x}, {if_needed(g, x), if_needed(x, g)}, [c](Backward& ctx) {
      const Tensor& d = ctx.grad();
      if (ctx.needs(0)) ctx.set(0, convolve(formula::conj(ctx.saved(1)), d, kNone, c));
      if (ctx.needs(1)) ctx.set(1, convolve_input(formula::conj(ctx.saved(0)), d, kNone, c));
    });
  return out;
}

// --- arguments -------------------------------------------------------------------------------------------------------

std::string by_axes(const int64_t* sizes, int64_t axes) {
  std::string out;
  for (int64_t i = 3 - axes; i < 3; ++i) out += (out.empty() ? "" : " x ") + std::to_string(sizes[i]);
  return out;
}

// The input with its borders, and what the kernel sees of it at once.
struct Extent {
  Extent(const ConvGeometry& c, int i, int64_t size) {
    const bool known = !__builtin_mul_overflow(int64_t{2}, c.pad[i], &padded) &&
                       !__builtin_add_overflow(padded, size, &padded) &&
                       !__builtin_mul_overflow(c.dilation[i], c.kernel[i] - 1, &reach) &&
                       !__builtin_add_overflow(reach, int64_t{1}, &reach);
    check(known, "convolution: padding ", c.pad[i], " and dilation ", c.dilation[i], " reach farther than any tensor");
  }
  int64_t padded, reach;
};

// One number for all axes, or one each.
void fill_axes(IntSpan values, int64_t axes, const char* name, int64_t* out) {
  check(values.size() == 1 || static_cast<int64_t>(values.size()) == axes, "expected ", name,
        " to be a single integer value or a list of ", axes, " values to match the convolution dimensions, but got ",
        name, "=", shape_str(values));
  for (int64_t i = 0; i < axes; ++i) out[3 - axes + i] = values[values.size() == 1 ? 0 : static_cast<size_t>(i)];
}

void check_types(const Tensor& x, const Tensor& w, const Tensor& bias) {
  if (x.dtype() == w.dtype() && (!bias.defined() || bias.dtype() == x.dtype())) return;
  std::string what = bias.defined() ? concat("Input type (", cpp_name(x.dtype()), ") and bias type (",
                                             cpp_name(bias.dtype()), ") should be the same")
                                    : concat("expected scalar type ", scalar_type_name(x.dtype()), " but found ",
                                             scalar_type_name(w.dtype()));
  fail(ErrorKind::Runtime, what, ": the input is torch.", dtype_name(x.dtype()), ", the weight torch.",
       dtype_name(w.dtype()), "; convert the input with .to(weight.dtype), or the layer with .to(input.dtype)");
}

struct Arguments {
  IntSpan stride, padding, dilation, output_padding;
  int64_t groups;
};

// What x and w say; sizes of the result are for the caller to find.
ConvGeometry check_arguments(const Tensor& x, const Tensor& w, const Tensor& bias, const Arguments& a,
                             bool transposed) {
  ConvGeometry c;
  c.axes = x.dim() - 2;
  fill_axes(a.stride, c.axes, "stride", c.stride);
  fill_axes(a.padding, c.axes, "padding", c.pad);
  fill_axes(a.dilation, c.axes, "dilation", c.dilation);
  auto all = [&](const int64_t* v, int64_t least) { return v[0] >= least && v[1] >= least && v[2] >= least; };
  check(all(c.pad, 0), "negative padding is not supported");
  check(all(c.stride, 1), "non-positive stride is not supported");
  check(all(c.dilation, 1), "non-positive dilation is not supported");
  check(a.groups > 0, "non-positive groups is not supported");
  check(w.dim() == x.dim(), "Expected ", x.dim(), "-dimensional weight for ", x.dim(), "-dimensional input ",
        shape_str(x.sizes()), ", but got weight of size ", shape_str(w.sizes()), " instead");
  IntSpan ws = w.sizes(), xs = x.sizes();
  c.groups = a.groups;
  check(ws[0] >= c.groups, "Given groups=", c.groups, ", expected weight to be at least ", c.groups,
        " at dimension 0, but got weight of size ", shape_str(ws), " instead");
  check(ws[0] % c.groups == 0, "Given groups=", c.groups, ", expected weight to be divisible by ", c.groups,
        " at dimension 0, but got weight of size [", shape_str(ws), "] instead");
  int64_t wanted = transposed ? ws[0] : ws[1] * c.groups;
  check(xs[1] == wanted, "Given ", transposed ? "transposed=" : "groups=", transposed ? 1 : c.groups,
        ", weight of size ", shape_str(ws), ", expected input", shape_str(xs), " to have ", wanted,
        " channels, but got ", xs[1], " channels instead");
  int64_t outputs = transposed ? ws[1] * c.groups : ws[0];
  check(!bias.defined() || (bias.dim() == 1 && bias.numel() == outputs), "Given ", transposed ? "transposed=1, " : "",
        "weight of size ", shape_str(ws), ", expected bias to be 1-dimensional with ", outputs,
        " elements, but got bias of size ", shape_str(bias.defined() ? bias.sizes() : IntSpan()), " instead");
  check_types(x, w, bias);
  c.batch = xs[0], c.channels = ws[1], c.m = ws[0] / c.groups;
  for (int64_t i = 0; i < c.axes; ++i) {
    int64_t at = 3 - c.axes + i;
    c.kernel[at] = ws[static_cast<size_t>(i + 2)];
    (transposed ? c.out : c.in)[at] = xs[static_cast<size_t>(i + 2)];
  }
  check(c.taps() > 0, "Expected a kernel of at least one element, but got weight of size ", shape_str(ws));
  return c;
}

Tensor convolution(const Tensor& x, const Tensor& w, const Tensor& bias, IntSpan stride, IntSpan padding,
                   IntSpan dilation, bool transposed, IntSpan output_padding, int64_t groups) {
  check(x.dim() >= 3 && x.dim() <= 5,
        "Expected 3D, 4D or 5D input to convolution, but got input of size: ", shape_str(x.sizes()));
  ConvGeometry c = check_arguments(x, w, bias, {stride, padding, dilation, output_padding, groups}, transposed);
  if (transposed) {
    int64_t extra[3] = {0, 0, 0};
    fill_axes(output_padding, c.axes, "output_padding", extra);
    if (!is_differentiable(x.dtype()) && x.dtype() != DType::I64)
      not_implemented_for(c.axes == 3 ? "slow_conv_transpose3d_out_cpu" : "slow_conv_transpose2d_out_cpu", x.dtype());
    bool small = true, empty = false;
    for (int i = 0; i < 3; ++i) {
      check(extra[i] >= 0, "negative output_padding is not supported");
      small = small && (extra[i] == 0 || extra[i] < c.stride[i] || extra[i] < c.dilation[i]);
      if (i >= 3 - c.axes) {
        const Extent border(c, i, 0);
        int64_t spread;
        const bool known = !__builtin_mul_overflow(c.out[i] - 1, c.stride[i], &spread) &&
                           !__builtin_add_overflow(spread, border.reach, &spread) &&
                           !__builtin_add_overflow(spread, extra[i], &spread);
        check(known, "convolution: stride ", c.stride[i], " and output_padding ", extra[i],
              " reach farther than any tensor");
        c.in[i] = spread - border.padded;
        if (c.out[i] == 1) c.stride[i] = std::min(c.stride[i], std::max<int64_t>(spread, 1));
      }
      empty = empty || c.in[i] < 1;
    }
    check(small, "output padding must be smaller than either stride or dilation, but got output_padding: ",
          by_axes(extra, c.axes), " stride: ", by_axes(c.stride, c.axes), " dilation: ", by_axes(c.dilation, c.axes));
    check(!empty, "Given input size per channel: (", by_axes(c.out, c.axes), "). Calculated output size per channel: (",
          by_axes(c.in, c.axes), "). Output size is too small");
    return convolve_input(x, w, bias, c, kNode);
  }
  if (x.dtype() == DType::Bool) not_implemented_for(c.axes == 3 ? "compute_columns3d" : "slow_conv2d_cpu", x.dtype());
  int64_t padded[3], reach[3];
  bool fits = true;
  for (int i = 0; i < 3; ++i) {
    const Extent extent(c, i, c.in[i]);
    padded[i] = extent.padded, reach[i] = extent.reach;
    fits = fits && padded[i] >= reach[i];
    c.out[i] = fits ? (padded[i] - reach[i]) / c.stride[i] + 1 : 0;
    if (c.out[i] == 1) c.stride[i] = std::min(c.stride[i], padded[i]);  // no step is taken: paths count with it
  }
  check(fits, "Calculated padded input size per channel: (", by_axes(padded, c.axes), "). Kernel size: (",
        by_axes(reach, c.axes), "). Kernel size can't be greater than actual input size");
  return convolve(x, w, bias, c, kNode);
}

Tensor convolution_named(const Tensor& x, const Tensor& w, const Tensor& bias, IntSpan stride, IntSpan padding,
                         IntSpan dilation, bool transposed, IntSpan output_padding, int64_t groups, bool, bool, bool,
                         bool) {
  return convolution(x, w, bias, stride, padding, dilation, transposed, output_padding, groups);
}

// A sample without the batch's axis gets one for the time of the call.
template <class F>
Tensor batched(const char* name, int64_t axes, const Tensor& x, F f) {
  if (x.dim() == axes + 2) return f(x);
  check(x.dim() == axes + 1, "Expected ", axes + 1, "D (unbatched) or ", axes + 2, "D (batched) input to ", name,
        ", but got input of size: ", shape_str(x.sizes()));
  return squeeze(f(unsqueeze(x, 0)), Dims{0});
}

constexpr const char* kNames[] = {"conv1d", "conv2d", "conv3d"};
constexpr const char* kTransposedNames[] = {"conv_transpose1d", "conv_transpose2d", "conv_transpose3d"};

template <int kAxes>
Tensor conv(const Tensor& input, const Tensor& weight, const Tensor& bias, IntSpan stride, IntSpan padding,
            IntSpan dilation, int64_t groups) {
  return batched(kNames[kAxes - 1], kAxes, input, [&](const Tensor& x) {
    return convolution(x, weight, bias, stride, padding, dilation, false, Dims(kAxes, 0), groups);
  });
}

// padding="same": the result has the input's size; what does not fall evenly on both sides goes behind.
template <int kAxes>
Tensor conv_mode(const Tensor& input, const Tensor& weight, const Tensor& bias, IntSpan stride,
                 std::string_view padding, IntSpan dilation, int64_t groups) {
  if (padding == "valid") return conv<kAxes>(input, weight, bias, stride, Dims(kAxes, 0), dilation, groups);
  check(padding == "same", "Invalid padding string: '", padding, "'; use 'valid' or 'same'");
  for (int64_t s : stride) check(s == 1, "padding='same' is not supported for strided convolutions");
  check(weight.dim() == kAxes + 2, "Expected ", kAxes + 2, "-dimensional weight for ", kNames[kAxes - 1],
        ", but got weight of size ", shape_str(weight.sizes()));
  int64_t wide[3] = {1, 1, 1};
  fill_axes(dilation, kAxes, "dilation", wide);
  return batched(kNames[kAxes - 1], kAxes, input, [&](const Tensor& x) {
    Dims low(kAxes, 0), behind(2 * kAxes, 0);
    bool uneven = false;
    for (int64_t i = 0; i < kAxes; ++i) {
      const int64_t apart = wide[3 - kAxes + i];
      int64_t total;
      check(!__builtin_mul_overflow(apart, weight.size(i + 2) - 1, &total), "convolution: dilation ", apart,
            " reaches farther than any tensor");
      total = std::max<int64_t>(total, 0);
      low[i] = total / 2;
      behind[2 * (kAxes - 1 - i) + 1] = total % 2;
      uneven = uneven || total % 2;
    }
    return convolution(uneven ? constant_pad_nd(x, behind, Scalar(0)) : x, weight, bias, stride, low, dilation, false,
                       Dims(kAxes, 0), groups);
  });
}

template <int kAxes>
Tensor conv_transpose(const Tensor& input, const Tensor& weight, const Tensor& bias, IntSpan stride, IntSpan padding,
                      IntSpan output_padding, int64_t groups, IntSpan dilation) {
  return batched(kTransposedNames[kAxes - 1], kAxes, input, [&](const Tensor& x) {
    return convolution(x, weight, bias, stride, padding, dilation, true, output_padding, groups);
  });
}

// (time, n, in) with (kernel, in, out).
Tensor conv_tbc(const Tensor& x, const Tensor& w, const Tensor& bias, int64_t pad) {
  check(x.dim() == 3, "Input must have 3 dims: time, batch, in_channel; got shape ", shape_str(x.sizes()));
  check(w.dim() == 3, "Weight tensor must have 3 dims: kernel_width, in_channels, out_channels; got shape ",
        shape_str(w.sizes()));
  check(bias.dim() == 1, "Bias must be 1-D; got shape ", shape_str(bias.sizes()));
  check(x.size(2) == w.size(1), "Input dim 2 (input channels) is not == dim 1 in the weight tensor: shapes ",
        shape_str(x.sizes()), " and ", shape_str(w.sizes()));
  check(w.size(2) == bias.size(0), "Bias size must equal dim 2 in the weight tensor (output channels).");
  Tensor out = conv<1>(permute(x, Dims{1, 2, 0}), permute(w, Dims{2, 1, 0}), bias, Dims{1}, Dims{pad}, Dims{1}, 1);
  return contiguous(permute(out, Dims{2, 0, 1}));
}

template <int kAxes>
void add_ops(Registry& r, const char* doc, const char* transposed_doc) {
  constexpr Traits kFunction{.method = false};
  std::string n = std::to_string(kAxes), list = "int[" + n + "] ";
  r.add("conv" + n + "d(Tensor input, Tensor weight, Tensor? bias=None, " + list + "stride=1, " + list + "padding=0, " +
            list + "dilation=1, int groups=1) -> Tensor",
        &box<&conv<kAxes>>, doc, kFunction);
  r.add("conv" + n + "d.padding(Tensor input, Tensor weight, Tensor? bias=None, " + list +
            "stride=1, str padding=\"valid\", " + list + "dilation=1, int groups=1) -> Tensor",
        &box<&conv_mode<kAxes>>, doc, kFunction);
  r.add("conv_transpose" + n + "d(Tensor input, Tensor weight, Tensor? bias=None, " + list + "stride=1, " + list +
            "padding=0, " + list + "output_padding=0, int groups=1, " + list + "dilation=1) -> Tensor",
        &box<&conv_transpose<kAxes>>, transposed_doc, kFunction);
}

}  // namespace

static const Family family([](Registry& r) {
  constexpr Traits kFunction{.method = false};
  add_ops<1>(
      r,
      "The cross-correlation of sequences (n, in, length) with filters (out, in / groups, kernel): each of\n"
      "the (n, out, length') elements is the sum over a window of the input times the filter, plus the bias\n"
      "of its channel, with length' = (length + 2 padding - dilation (kernel - 1) - 1) // stride + 1.\n"
      "padding may be \"valid\" or, with stride 1, \"same\". Input without the batch works too. Channels that\n"
      "do not fit, and filters larger than the input, are a RuntimeError. All of one dtype.\n\n"
      ">>> torch.conv1d(torch.tensor([[[1., 2., 4., 8.]]]), torch.tensor([[[-1., 1.]]]))\ntensor([[[1., 2., 4.]]])\n",
      "The gradient of conv1d() with respect to its input, as an operation of its own: it spreads (n, in,\n"
      "length) by the filters (in, out / groups, kernel) over (n, out, (length - 1) stride - 2 padding +\n"
      "dilation (kernel - 1) + output_padding + 1).\n\n"
      ">>> torch.conv_transpose1d(torch.tensor([[[1., 2.]]]), torch.tensor([[[1., 10.]]]), stride=2)\n"
      "tensor([[[ 1., 10.,  2., 20.]]])\n");
  add_ops<2>(
      r,
      "conv1d() for images (n, in, h, w) and filters (out, in / groups, height, width).\n\n"
      ">>> torch.conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 2, 2))\n"
      "tensor([[[[4., 4.],\n          [4., 4.]]]])\n",
      "conv_transpose1d() for images (n, in, h, w) and filters (in, out / groups, height, width).\n\n"
      ">>> x, w = torch.ones(1, 1, 2, 2), torch.ones(1, 1, 3, 3)\n"
      ">>> torch.conv_transpose2d(x, w, stride=2, padding=1, output_padding=1).shape\ntorch.Size([1, 1, 4, 4])\n");
  add_ops<3>(r,
             "conv1d() for volumes (n, in, depth, h, w) and filters (out, in / groups, depth, height, width).\n\n"
             ">>> torch.conv3d(torch.ones(1, 2, 4, 4, 4), torch.ones(3, 2, 3, 3, 3), padding=\"same\").shape\n"
             "torch.Size([1, 3, 4, 4, 4])\n",
             "conv_transpose1d() for volumes (n, in, depth, h, w) and filters (in, out / groups, depth, height,\n"
             "width).\n\n"
             ">>> torch.conv_transpose3d(torch.ones(1, 2, 4, 4, 4), torch.ones(2, 3, 3, 3, 3)).shape\n"
             "torch.Size([1, 3, 6, 6, 6])\n");
  r.op<&convolution>(
      "convolution(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] dilation, bool "
      "transposed, int[] output_padding, int groups) -> Tensor",
      "conv1d(), conv2d() and conv3d(), and with transposed their transposes, by the number of stride's\n"
      "values; output_padding counts only there.\n\n"
      ">>> torch.convolution(torch.ones(1, 1, 4), torch.ones(1, 1, 2), None, (1,), (0,), (1,), False, (0,), 1)\n"
      "tensor([[[2., 2., 2.]]])\n",
      kFunction);
  r.op<&conv_tbc>(
      "conv_tbc(Tensor self, Tensor weight, Tensor bias, int pad=0) -> Tensor",
      "conv1d() over sequences (time, n, in), with a weight (kernel, in, out), a bias (out,) and pad zeros\n"
      "at both ends.\n\n"
      ">>> torch.conv_tbc(torch.ones(4, 1, 1), torch.ones(2, 1, 1), torch.zeros(1), 0).flatten()\n"
      "tensor([2., 2., 2.])\n",
      kFunction);
  r.op<&convolution_named>(
      "_convolution(Tensor input, Tensor weight, Tensor? bias, int[] stride, int[] padding, int[] dilation, bool "
      "transposed, int[] output_padding, int groups, bool benchmark, bool deterministic, bool cudnn_enabled, bool "
      "allow_tf32) -> Tensor",
      "convolution; what is said of backends is ignored.", kFunction);
});

}  // namespace rl
