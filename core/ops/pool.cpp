// Max and average pooling over windows of the last axes, and their adaptive forms.
#include "kernels/pool.h"

#include <string>

#include "ops/creation.h"
#include "ops/index_util.h"
#include "ops/lazy_text.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace rl {
namespace {

// --- shapes ----------------------------------------------------------------------------------------------------------------

// "2x3x8", the last `axes` sizes behind the channels.
std::string times(int64_t channels, const int64_t* sizes, int axes) {
  std::string text = std::to_string(channels);
  for (int i = 3 - axes; i < 3; ++i) text += "x" + std::to_string(sizes[i]);
  return text;
}

// " kT: 2 kH: 2 kW: 2"
std::string by_axis(const char* letter, const PoolShape& s, int64_t PoolAxis::* what, int axes) {
  static constexpr const char* kAxes[] = {"T", "H", "W"};
  std::string text;
  for (int i = 3 - axes; i < 3; ++i)
    text += std::string(" ") + letter + kAxes[i] + ": " + std::to_string(s.axis[i].*what);
  return text;
}

// int[2] as a user may give it: one for all axes, or one each.
void per_axis(const char* op, int axes, const char* what, IntSpan given, PoolShape& s, int64_t PoolAxis::* member) {
  static constexpr const char* kCounts[] = {"", "one int", "two ints", "three ints"};
  if (given.size() != 1 && static_cast<int>(given.size()) != axes) {
    if (axes == 1)
      fail(ErrorKind::Runtime, op, "() ", what,
           " must be an int, list of ints or tuple of ints of size 1 but got size ", given.size());
    fail(ErrorKind::Runtime, op, ": ", what, " must ",
         member == &PoolAxis::stride ? "either be omitted, " : "either be ", "a single int, or a tuple of ",
         kCounts[axes], ", but got ", given.size());
  }
  for (int i = 0; i < axes; ++i) {
    int64_t value = given[given.size() == 1 ? 0 : static_cast<size_t>(i)];
    check(value >= INT32_MIN && value <= INT32_MAX, op, ": ", what, " ", value, " is out of range");
    s.axis[3 - axes + i].*member = value;
  }
}

struct Pooling {
  PoolShape shape;
  Dims out_sizes;
};

// (C, ...) or (N, C, ...), of which only N may be 0.
void check_input(const char* op, int axes, const Tensor& x) {
  static constexpr const char* kRanks[][2] = {{"2D", "3D"}, {"3D", "4D"}, {"4D", "5D"}};
  const char *single = kRanks[axes - 1][0], *batched = kRanks[axes - 1][1];
  check(x.dim() == axes + 1 || x.dim() == axes + 2, op, ": non-empty ", single, " or ", batched,
        " (batch mode) tensor expected for input, but got shape ", shape_str(x.sizes()));
  for (int64_t d = x.dim() == axes + 2; d < x.dim(); ++d)
    check(x.sizes()[d] > 0, op, ": Expected ", single, " or ", batched,
          " (batch mode) tensor with optional 0 dim batch size for input, but got:", shape_str(x.sizes()));
}

// Puts the input's and the output's sizes into place, and says what the result's are.
void place(const Tensor& x, int axes, Pooling& p) {
  p.shape.planes = 1;
  for (int64_t d = 0; d < x.dim() - axes; ++d) {
    p.shape.planes *= x.sizes()[d];
    p.out_sizes.push_back(x.sizes()[d]);
  }
  for (int i = 3 - axes; i < 3; ++i) {
    p.shape.axis[i].in = x.sizes()[x.dim() - 3 + i];
    p.out_sizes.push_back(p.shape.axis[i].out);
  }
}

Pooling windows(const char* op, int axes, const Tensor& x, IntSpan kernel, IntSpan stride, IntSpan pad,
                IntSpan dilation, bool ceil_mode) {
  Pooling p;
  PoolShape& s = p.shape;
  per_axis(op, axes, "kernel_size", kernel, s, &PoolAxis::kernel);
  per_axis(op, axes, "stride", stride.empty() ? kernel : stride, s, &PoolAxis::stride);
  per_axis(op, axes, "padding", pad, s, &PoolAxis::pad);
  per_axis(op, axes, "dilation", dilation, s, &PoolAxis::dilation);
  check_input(op, axes, x);
  for (int i = 3 - axes; i < 3; ++i) {
    PoolAxis& a = s.axis[i];
    a.in = x.sizes()[x.dim() - 3 + i];
    check(a.kernel > 0, op, ": kernel size should be greater than zero, but got",
          Later{[&] { return by_axis("k", s, &PoolAxis::kernel, axes); }}, " (kernel_size must be greater than zero)");
    check(a.stride != 0, op, ": stride should not be zero (stride must be greater than zero)");
    check(a.stride > 0, op, ": stride should be greater than zero, but got",
          Later{[&] { return by_axis("d", s, &PoolAxis::stride, axes); }});
    check(a.dilation > 0, op, ": dilation should be greater than zero, but got",
          Later{[&] { return by_axis("dilation", s, &PoolAxis::dilation, axes); }},
          " (dilation must be greater than zero)");
    check(a.pad >= 0, op, ": pad must be non-negative, but got pad: ", a.pad, " (padding must be non-negative)");
    check(a.pad <= ((a.kernel - 1) * a.dilation + 1) / 2, op,
          ": pad should be at most half of effective kernel size, but got pad=", a.pad, ", kernel_size=", a.kernel,
          " and dilation=", a.dilation, " (padding should be at most half of kernel size)");
    check(a.pad <= a.kernel / 2, op,
          ": pad should be smaller than or equal to half of kernel size, but got pad = ", a.pad,
          ", kernel size = ", a.kernel, " (padding should be at most half of kernel size)");
    int64_t room = a.in + 2 * a.pad - a.dilation * (a.kernel - 1) - 1 + (ceil_mode ? a.stride - 1 : 0);
    a.out = (room >= 0 ? room / a.stride : -((-room + a.stride - 1) / a.stride)) + 1;
    // The last window starts inside of the input or of the padding before it.
    if (ceil_mode && (a.out - 1) * a.stride >= a.in + a.pad) --a.out;
  }
  int64_t in[3], out[3];
  bool fits = true;
  for (int i = 0; i < 3; ++i) {
    in[i] = s.axis[i].in;
    out[i] = s.axis[i].out;
    fits &= out[i] >= 1;
  }
  const int64_t channels = x.sizes()[x.dim() - axes - 1];
  if (!fits && axes == 1)
    fail(ErrorKind::Runtime, op, "() Invalid computed output size: ", out[2], ". Given input size: (",
         times(channels, in, axes), "). Calculated output size: (", channels, "x1x", out[2],
         "). Output size is too small for kernel_size ", s.axis[2].kernel);
  if (!fits)
    fail(ErrorKind::Runtime, "Given input size: (", times(channels, in, axes), "). Calculated output size: (",
         times(channels, out, axes), "). Output size is too small: the windows (kernel size:",
         Later{[&] { return by_axis("k", s, &PoolAxis::kernel, axes); }}, ") are larger than the padded input");
  place(x, axes, p);
  return p;
}

Pooling adaptive(const char* op, int axes, const Tensor& x, IntSpan output_size) {
  check(static_cast<int>(output_size.size()) == axes || output_size.size() == 1, op, ": output_size must be ", axes,
        " (internal error: output_size.size() must be ", axes, "), but got ", output_size.size(), " sizes");
  check(x.dim() == axes + 1 || x.dim() == axes + 2, op, "(): Expected ", axes + 1, " to ", axes + 2,
        " dimensions, that is a ", axes + 1, "D or ", axes + 2, "D tensor, but got: ", shape_str(x.sizes()));
  for (int64_t d = x.dim() - axes; d < x.dim(); ++d)
    check(x.sizes()[d] > 0, op,
          "(): Expected input to have non-zero size for non-batch dimensions, but input has sizes ",
          shape_str(x.sizes()), " with dimension ", d, " being empty");
  Pooling p;
  bool regular = true;
  int64_t outs = 1;
  for (int i = 0; i < axes; ++i) {
    PoolAxis& a = p.shape.axis[3 - axes + i];
    a.in = x.sizes()[x.dim() - axes + i];
    a.out = output_size[output_size.size() == 1 ? 0 : static_cast<size_t>(i)];
    a.adaptive = true;
    check(a.out >= 0, op, ": elements of output_size must be greater than or equal to 0 but received ",
          shape_str(output_size), " (Trying to create tensor with negative dimension)");
    check(!__builtin_mul_overflow(outs, a.out, &outs), op, ": no tensor has room for output_size ",
          shape_str(output_size));
    regular &= a.out > 0 && a.in % a.out == 0;
  }
  for (int i = 3 - axes; regular && i < 3; ++i) {
    PoolAxis& a = p.shape.axis[i];
    a.kernel = a.stride = a.in / a.out;
    a.adaptive = false;
  }
  place(x, axes, p);
  return p;
}

// Whether the kernels for planes serve. They keep the rows that a window spans, split into as many parts as the stride.
bool planar(const PoolShape& s, DType dtype, int64_t most = 1 << 16) {
  const PoolAxis& d = s.axis[0];
  for (int i = 1; i < 3; ++i)
    if (s.axis[i].stride > 256 || (s.axis[i].kernel - 1) * s.axis[i].dilation > 1024) return false;
  return dtype != DType::I64 && d.in == 1 && d.out == 1 && d.kernel == 1 && d.pad == 0 && !s.axis[1].adaptive &&
         !s.axis[2].adaptive && s.axis[1].kernel * s.axis[2].kernel <= most;
}

// Of means: windows so wide, and so little of them shared, that adding up each by itself is the shorter way.
bool wide_windows(const PoolShape& s) {
  const PoolAxis& a = s.axis[2];
  return a.kernel >= 16 && a.dilation == 1 && a.kernel <= 2 * a.stride;
}

// The dtype that the kernels compute in.
DType wide(DType d) { return d == DType::F64 ? DType::F64 : is_floating(d) ? DType::F32 : DType::I64; }
Tensor widened(const Tensor& t) { return plain(to_dtype(detach(t), wide(t.dtype()))); }

// Channels-last input gives channels-last output.
Tensor in_format_of(const Tensor& x, const Tensor& out) {
  if (x.is_contiguous() || x.dim() < 4 || !is_channels_last(x.sizes(), x.strides())) return out;
  return contiguous(out, x.dim() == 4 ? MemoryFormat::ChannelsLast : MemoryFormat::ChannelsLast3d);
}

// A gradient that depends on the input in no way that can be differentiated is still, in PyTorch, a function of it. So
// that the input need not be kept, only its edge is.
Tensor tied(const Backward& ctx, Tensor r, IntSpan sizes) {
  if (!Backward::create_graph() || r.requires_grad()) return r;
  Tensor out = r.alias();
  Ref<Node> node = make_node("ZerosBackward0", {}, [sizes = Dims(sizes), dtype = r.dtype()](Backward& zero) {
    zero.set(0, zeros(sizes, dtype));
  });
  node->edges.push_back(ctx.node().edges[0]);
  set_history(out, std::move(node));
  return out;
}

// --- the largest ---------------------------------------------------------------------------------------------------------------

// Positions in the plane from those in the window.
Tensor positions(const Tensor& where, const PoolShape& s) {
  if (where.dtype() == DType::I64) return where;
  Tensor out = Tensor::empty(where.sizes(), DType::I64);
  const uint8_t* taps = where.data<uint8_t>();
  int64_t* to = out.data<int64_t>();
  const PoolAxis &h = s.axis[1], &w = s.axis[2];
  for (int64_t p = 0; p < s.planes; ++p)
    for (int64_t i = 0; i < h.out; ++i)
      for (int64_t o = 0; o < w.out; ++o, ++taps, ++to)
        *to = std::clamp<int64_t>((i * h.stride - h.pad + *taps / w.kernel * h.dilation) * w.in + o * w.stride - w.pad +
                                      *taps % w.kernel * w.dilation,
                                  0, h.in * w.in - 1);
  return out;
}

Tensor max_backward(const Tensor& g, const Tensor& where, const PoolShape& s, IntSpan sizes) {
  const int64_t ins = s.in_size(), outs = s.out_size();
  if (s.planes == 0 || outs == 0) return zeros(sizes, g.dtype());
  if (Backward::create_graph()) {
    Tensor index = reshape(positions(where, s), Dims{s.planes, outs});
    Tensor spread = scatter_add(zeros(Dims{s.planes, ins}, g.dtype()), 1, index, reshape(g, index.sizes()));
    return reshape(spread, sizes);
  }
  Tensor from = widened(g), dx = Tensor::empty(sizes, from.dtype());
  if (where.dtype() == DType::U8)
    cpu::pool().max2d_backward(from.dtype(), from.raw(), where.data<uint8_t>(), s, dx.raw());
  else
    pool::scatter(from.dtype(), from.raw(), where.data<int64_t>(), s.planes, outs, ins, dx.raw());
  return to_dtype(dx, g.dtype());
}

// Both results, or (indices not asked for) one.
struct MaxPooled {
  Tensor out, index;
};

MaxPooled max_pooled(const char* node, const char* kernel, const Tensor& x, const Pooling& p, bool indices) {
  if (x.dtype() == DType::Bool || is_complex_dtype(x.dtype())) not_implemented_for(kernel, x.dtype());
  const PoolShape& s = p.shape;
  const bool history = needs_gradient(x);
  MaxPooled result;
  Tensor where;
  {
    GradModeGuard off(false);
    Tensor in = widened(x), out = Tensor::empty(p.out_sizes, in.dtype());
    if (planar(s, in.dtype(), 256)) {
      if (indices || history) where = Tensor::empty(p.out_sizes, DType::U8);
      if (out.numel() > 0)
        cpu::pool().max2d(in.dtype(), in.raw(), s, out.raw(), where.defined() ? where.data<uint8_t>() : nullptr);
    } else {
      where = Tensor::empty(p.out_sizes, DType::I64);
      if (out.numel() > 0) pool::max(in.dtype(), in.raw(), s, out.raw(), where.data<int64_t>());
    }
    result.out = in_format_of(x, to_dtype(out, x.dtype()));
    if (indices) result.index = in_format_of(x, positions(where, s));
  }
  if (history) {
    const Tensor outs[] = {result.out, result.index};
    record(node, std::span<const Tensor>(outs, indices ? 2 : 1), std::span<const Tensor>(&x, 1), {Keep(where)},
           [s, sizes = Dims(x.sizes())](Backward& ctx) {
             if (ctx.has_grad(0)) ctx.set(0, tied(ctx, max_backward(ctx.grad(0), ctx.saved(0), s, sizes), sizes));
           });
  }
  return result;
}

constexpr const char* kMaxNodes[] = {"SqueezeBackward1", "MaxPool2DWithIndicesBackward0",
                                     "MaxPool3DWithIndicesBackward0"};
constexpr const char* kMaxNames[] = {"max_pool1d", "max_pool2d", "max_pool3d"};

template <int kAxes>
MaxPooled max_pool_any(const Tensor& x, IntSpan kernel, IntSpan stride, IntSpan pad, IntSpan dilation, bool ceil_mode,
                       bool indices) {
  const char* name = kMaxNames[kAxes - 1];
  Pooling p = windows(name, kAxes, x, kernel, stride, pad, dilation, ceil_mode);
  if (kAxes == 1 && !indices && !is_floating(x.dtype())) not_implemented_for("max_pool1d_impl", x.dtype());
  return max_pooled(kMaxNodes[kAxes - 1], name, x, p, indices);
}

template <int kAxes>
Tensor max_pool(const Tensor& x, IntSpan kernel, IntSpan stride, IntSpan pad, IntSpan dilation, bool ceil_mode) {
  return max_pool_any<kAxes>(x, kernel, stride, pad, dilation, ceil_mode, false).out;
}

template <int kAxes>
std::tuple<Tensor, Tensor> max_pool_with_indices(const Tensor& x, IntSpan kernel, IntSpan stride, IntSpan pad,
                                                 IntSpan dilation, bool ceil_mode) {
  MaxPooled r = max_pool_any<kAxes>(x, kernel, stride, pad, dilation, ceil_mode, true);
  return {r.out, r.index};
}

template <int kAxes>
Tensor max_pool_with_indices_backward(const Tensor& g, const Tensor& x, IntSpan kernel, IntSpan stride, IntSpan pad,
                                      IntSpan dilation, bool ceil_mode, const Tensor& index) {
  Pooling p = windows(kMaxNames[kAxes - 1], kAxes, x, kernel, stride, pad, dilation, ceil_mode);
  check(same_shape(g, index) && std::ranges::equal(g.sizes(), IntSpan(p.out_sizes)),
        "max_pool_with_indices_backward: expected grad_output and indices of shape ", shape_str(p.out_sizes),
        ", but got ", shape_str(g.sizes()), " and ", shape_str(index.sizes()));
  check(g.dtype() == x.dtype(), "expected dtype ", scalar_type_name(x.dtype()), " for `gradOutput` but got dtype ",
        scalar_type_name(g.dtype()));
  check(index.dtype() == DType::I64, "max_pool_with_indices_backward: expected int64 indices");
  const int64_t ins = p.shape.in_size(), outs = p.shape.out_size();
  if (p.shape.planes == 0) return tie_to_inputs(zeros(x.sizes(), g.dtype()), std::span<const Tensor>(&x, 1));
  Tensor to = zeros(Dims{p.shape.planes, ins}, g.dtype());
  Tensor spread =
      scatter_add(to, 1, reshape(index, Dims{p.shape.planes, outs}), reshape(g, Dims{p.shape.planes, outs}));
  return tie_to_inputs(in_format_of(x, reshape(spread, x.sizes())), std::span<const Tensor>(&x, 1));
}

template <int kAxes>
std::tuple<Tensor, Tensor> adaptive_max_pool(const Tensor& x, IntSpan output_size) {
  static constexpr const char* kNames[] = {"adaptive_max_pool1d", "adaptive_max_pool2d", "adaptive_max_pool3d"};
  static constexpr const char* kNodes[] = {"SqueezeBackward1", "AdaptiveMaxPool2DBackward0",
                                           "AdaptiveMaxPool3DBackward0"};
  const char* name = kNames[kAxes - 1];
  Pooling p = adaptive(name, kAxes, x, output_size);
  const int64_t channel = x.dim() - kAxes - 1;
  check(channel == 0 || x.sizes()[channel] > 0, name,
        "(): Expected input to have non-zero size for non-batch dimensions, but input has sizes ", shape_str(x.sizes()),
        " with dimension ", channel, " being empty");
  if (!is_floating(x.dtype()))
    not_implemented_for(kAxes == 3 ? "adaptive_max_pool3d_cpu" : "adaptive_max_pool2d", x.dtype());
  MaxPooled r = max_pooled(kNodes[kAxes - 1], name, x, p, true);
  return {r.out, r.index};
}

// --- the mean ------------------------------------------------------------------------------------------------------------------

Tensor mean_backward(const Tensor& g, const Pooling& p, IntSpan sizes, const char* node);

Tensor mean_pooled(const Tensor& x, const Pooling& p, const char* node) {
  Tensor out;
  {
    GradModeGuard off(false);
    Tensor in = widened(x);
    out = Tensor::empty(p.out_sizes, in.dtype());
    if (out.numel() > 0)
      (planar(p.shape, in.dtype()) && !wide_windows(p.shape) ? cpu::pool().mean2d : pool::mean)(in.dtype(), in.raw(),
                                                                                                p.shape, out.raw());
    out = in_format_of(x, to_dtype(out, x.dtype()));
  }
  if (needs_gradient(x))
    record(node, out, {x}, {}, [p, node, sizes = Dims(x.sizes())](Backward& ctx) {
      ctx.set(0, tied(ctx, mean_backward(ctx.grad(), p, sizes, node), sizes));
    });
  return out;
}

// Linear in g, so that its gradient is the pooling itself.
Tensor mean_backward(const Tensor& g, const Pooling& p, IntSpan sizes, const char* node) {
  Tensor dx;
  {
    GradModeGuard off(false);
    Tensor from = widened(g);
    dx = Tensor::empty(sizes, from.dtype());
    if (dx.numel() > 0)
      (planar(p.shape, from.dtype()) && !wide_windows(p.shape) ? cpu::pool().mean2d_backward : pool::mean_backward)(
          from.dtype(), from.raw(), p.shape, dx.raw());
    dx = to_dtype(dx, g.dtype());
  }
  if (needs_gradient(g))
    record("AvgPoolBackwardBackward0", dx, {g}, {},
           [p, node](Backward& ctx) { ctx.set(0, mean_pooled(ctx.grad(), p, node)); });
  return dx;
}

template <int kAxes>
Tensor avg_pool_any(const Tensor& x, IntSpan kernel, IntSpan stride, IntSpan pad, bool ceil_mode, bool include_pad,
                    std::optional<int64_t> divisor) {
  static constexpr const char* kNames[] = {"avg_pool1d", "avg_pool2d", "avg_pool3d"};
  static constexpr const char* kNodes[] = {"SqueezeBackward1", "AvgPool2DBackward0", "AvgPool3DBackward0"};
  const char* name = kNames[kAxes - 1];
  static constexpr int64_t kOne[] = {1};
  Pooling p = windows(name, kAxes, x, kernel, stride, pad, kOne, ceil_mode);
  check(!divisor || *divisor != 0, "divisor must be not zero");
  for (const PoolAxis& a : p.shape.axis)
    check(kAxes < 3 || a.in >= a.kernel, "input image (",
          Later{[&] { return by_axis("", p.shape, &PoolAxis::in, 3).substr(1); }}, ") smaller than kernel size (",
          Later{[&] { return by_axis("k", p.shape, &PoolAxis::kernel, 3).substr(1); }}, ")");
  if (!is_floating(x.dtype()) && x.dtype() != DType::I64)
    not_implemented_for(kAxes == 3 ? "avg_pool3d_out_frame" : "avg_pool2d", x.dtype());
  p.shape.include_pad = include_pad;
  p.shape.divisor = divisor.value_or(0);
  return mean_pooled(x, p, kNodes[kAxes - 1]);
}

Tensor avg_pool1d(const Tensor& x, IntSpan kernel, IntSpan stride, IntSpan pad, bool ceil_mode, bool include_pad) {
  return avg_pool_any<1>(x, kernel, stride, pad, ceil_mode, include_pad, {});
}

template <int kAxes>
Tensor adaptive_avg_pool(const Tensor& x, IntSpan output_size) {
  static constexpr const char* kNames[] = {"adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d"};
  static constexpr const char* kNodes[] = {"SqueezeBackward1", "AdaptiveAvgPool2DBackward0",
                                           "AdaptiveAvgPool3DBackward0"};
  Pooling p = adaptive(kNames[kAxes - 1], kAxes, x, output_size);
  if (!is_floating(x.dtype()))
    not_implemented_for(kAxes == 3 ? "adaptive_avg_pool3d_cpu" : "adaptive_avg_pool2d", x.dtype());
  if (p.shape.out_size() == 1 && kAxes > 1) {
    Dims axes;
    for (int64_t d = x.dim() - kAxes; d < x.dim(); ++d) axes.push_back(d);
    return mean(x, axes, true);
  }
  return mean_pooled(x, p, kNodes[kAxes - 1]);
}

}  // namespace

static const Family family([](Registry& r) {
  constexpr Traits kFunction{.method = false};
  r.op<&max_pool<1>>(
      "max_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=0, int[1] dilation=1, bool ceil_mode=False) -> Tensor",
      "The largest element of each window of (n, c, length) or (c, length). Windows hold kernel_size\n"
      "elements that lie dilation apart, begin padding before the input and are stride (kernel_size) apart:\n"
      "(length + 2 padding - dilation (kernel_size - 1) - 1) // stride + 1 of them, rounded up with\n"
      "ceil_mode. The padding is -inf, NaN wins. A padding of more than half a window, and windows larger\n"
      "than the input, are a RuntimeError.\n\n"
      ">>> F.max_pool1d(torch.tensor([[1., 5., 2., 3., 4.]]), 2)\ntensor([[5., 3.]])\n",
      kFunction);
  r.op<&max_pool<2>>(
      "max_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, int[2] dilation=1, bool ceil_mode=False) -> Tensor",
      "max_pool1d() along both axes of (n, c, h, w) or (c, h, w).\n\n"
      ">>> F.max_pool2d(torch.arange(16.).view(1, 4, 4), 3, stride=2, padding=1)\ntensor([[[ 5.,  7.],\n"
      "         [13., 15.]]])\n",
      kFunction);
  r.op<&max_pool<3>>(
      "max_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, int[3] dilation=1, bool ceil_mode=False) -> Tensor",
      "max_pool1d() along the last three axes of (n, c, d, h, w) or (c, d, h, w).\n\n"
      ">>> F.max_pool3d(torch.ones(1, 1, 4, 4, 4), 2).shape\ntorch.Size([1, 1, 2, 2, 2])\n",
      kFunction);
  r.op<&max_pool_with_indices<1>>(
      "max_pool1d_with_indices(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=0, int[1] dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)",
      "max_pool1d(), and where each largest element lies (int64, the first of equals).\n\n"
      ">>> F.max_pool1d(torch.tensor([[1., 5., 2., 3.]]), 2, return_indices=True)\n"
      "(tensor([[5., 3.]]), tensor([[1, 3]]))\n",
      kFunction);
  r.op<&max_pool_with_indices<2>>(
      "max_pool2d_with_indices(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, int[2] dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)",
      "max_pool2d(), and where in its plane each largest element lies (int64, row * width + column, the\n"
      "first of equals).\n\n"
      ">>> F.max_pool2d(torch.tensor([[[1., 5.], [2., 3.]]]), 2, return_indices=True)\n"
      "(tensor([[[5.]]]), tensor([[[1]]]))\n",
      kFunction);
  r.op<&max_pool_with_indices<3>>(
      "max_pool3d_with_indices(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, int[3] dilation=1, bool ceil_mode=False) -> (Tensor, Tensor)",
      "max_pool3d(), and where in its volume each largest element lies (int64, the first of equals).\n\n"
      ">>> F.max_pool3d(torch.arange(8.).view(1, 1, 2, 2, 2), 2, return_indices=True)[1].item()\n7\n",
      kFunction);
  r.op<&max_pool_with_indices_backward<2>>(
      "max_pool2d_with_indices_backward(Tensor grad_output, Tensor self, int[2] kernel_size, int[2] stride, int[2] padding, int[2] dilation, bool ceil_mode, Tensor indices) -> Tensor",
      "The gradient of max_pool2d_with_indices(): grad_output added at the places in indices, in self's\n"
      "shape.\n\n"
      ">>> x = torch.tensor([[[1., 5.], [2., 3.]]])\n"
      ">>> y, indices = torch._C.max_pool2d_with_indices(x, 2)\n"
      ">>> torch._C.max_pool2d_with_indices_backward(torch.ones_like(y), x, 2, 2, 0, 1, False, indices)\n"
      "tensor([[[0., 1.],\n         [0., 0.]]])\n",
      kFunction);
  r.op<&max_pool_with_indices_backward<3>>(
      "max_pool3d_with_indices_backward(Tensor grad_output, Tensor self, int[3] kernel_size, int[3] stride, int[3] padding, int[3] dilation, bool ceil_mode, Tensor indices) -> Tensor",
      "The gradient of max_pool3d_with_indices(): grad_output added at the places in indices, in self's\n"
      "shape.\n\n"
      ">>> x = torch.arange(8.).view(1, 1, 2, 2, 2)\n"
      ">>> y, indices = torch._C.max_pool3d_with_indices(x, 2)\n"
      ">>> torch._C.max_pool3d_with_indices_backward(torch.ones_like(y), x, 2, 2, 0, 1, False, indices).flatten()\n"
      "tensor([0., 0., 0., 0., 0., 0., 0., 1.])\n",
      kFunction);
  r.op<&avg_pool1d>(
      "avg_pool1d(Tensor self, int[1] kernel_size, int[1] stride=[], int[1] padding=0, bool ceil_mode=False, bool count_include_pad=True) -> Tensor",
      "The mean of each window of (n, c, length) or (c, length). Windows hold kernel_size elements, begin\n"
      "padding before the input and are stride (kernel_size) apart: (length + 2 padding - kernel_size) //\n"
      "stride + 1 of them, rounded up with ceil_mode. The padding counts as zeros, or not at all without\n"
      "count_include_pad. A padding of more than half a window is a RuntimeError.\n\n"
      ">>> F.avg_pool1d(torch.tensor([[1., 3., 5., 7.]]), 2)\ntensor([[2., 6.]])\n"
      ">>> x = torch.tensor([[2., 2.]])\n"
      ">>> F.avg_pool1d(x, 2, padding=1), F.avg_pool1d(x, 2, padding=1, count_include_pad=False)\n"
      "(tensor([[1., 1.]]), tensor([[2., 2.]]))\n",
      kFunction);
  r.op<&avg_pool_any<2>>(
      "avg_pool2d(Tensor self, int[2] kernel_size, int[2] stride=[], int[2] padding=0, bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) -> Tensor",
      "avg_pool1d() along both axes of (n, c, h, w) or (c, h, w); divisor_override is divided by instead of\n"
      "the count.\n\n"
      ">>> F.avg_pool2d(torch.ones(1, 4, 4), 2, divisor_override=1)\ntensor([[[4., 4.],\n         [4., 4.]]])\n",
      kFunction);
  r.op<&avg_pool_any<3>>(
      "avg_pool3d(Tensor self, int[3] kernel_size, int[3] stride=[], int[3] padding=0, bool ceil_mode=False, bool count_include_pad=True, int? divisor_override=None) -> Tensor",
      "avg_pool2d() along the last three axes of (n, c, d, h, w) or (c, d, h, w).\n\n"
      ">>> F.avg_pool3d(torch.ones(1, 1, 4, 4, 4), 2).shape\ntorch.Size([1, 1, 2, 2, 2])\n",
      kFunction);
  r.op<&adaptive_avg_pool<1>>(
      "adaptive_avg_pool1d(Tensor self, int[1] output_size) -> Tensor",
      "(n, c, length) or (c, length) as the means of output_size windows that cover it evenly: window i\n"
      "reaches from floor(i * length / size) to ceil((i + 1) * length / size). Floating dtypes.\n\n"
      ">>> F.adaptive_avg_pool1d(torch.tensor([[1., 2., 3., 4.]]), 2)\ntensor([[1.5000, 3.5000]])\n",
      kFunction);
  r.op<&adaptive_avg_pool<2>>(
      "adaptive_avg_pool2d(Tensor self, int[2] output_size) -> Tensor",
      "adaptive_avg_pool1d() along the last two axes of (n, c, h, w) or (c, h, w); None keeps a size (in\n"
      "F.adaptive_avg_pool2d).\n\n"
      ">>> F.adaptive_avg_pool2d(torch.ones(1, 8, 5, 7), 1).shape\ntorch.Size([1, 8, 1, 1])\n",
      kFunction);
  r.op<&adaptive_avg_pool<3>>(
      "adaptive_avg_pool3d(Tensor self, int[3] output_size) -> Tensor",
      "adaptive_avg_pool1d() along the last three axes of (n, c, d, h, w) or (c, d, h, w).\n\n"
      ">>> F.adaptive_avg_pool3d(torch.ones(1, 8, 4, 5, 7), (2, 2, 2)).shape\ntorch.Size([1, 8, 2, 2, 2])\n",
      kFunction);
  r.op<&adaptive_max_pool<1>>(
      "adaptive_max_pool1d(Tensor self, int[1] output_size) -> (Tensor, Tensor)",
      "(n, c, length) or (c, length) as the largest elements of output_size windows that cover it evenly\n"
      "(as in adaptive_avg_pool1d()), and their places (int64). Floating dtypes.\n\n"
      ">>> F.adaptive_max_pool1d(torch.tensor([[1., 2., 4., 3.]]), 2, return_indices=True)\n"
      "(tensor([[2., 4.]]), tensor([[1, 2]]))\n",
      kFunction);
  r.op<&adaptive_max_pool<2>>(
      "adaptive_max_pool2d(Tensor self, int[2] output_size) -> (Tensor, Tensor)",
      "adaptive_max_pool1d() along the last two axes of (n, c, h, w) or (c, h, w); places count within the\n"
      "plane.\n\n"
      ">>> F.adaptive_max_pool2d(torch.arange(16.).view(1, 4, 4), 2)\ntensor([[[ 5.,  7.],\n         [13., 15.]]])\n",
      kFunction);
  r.op<&adaptive_max_pool<3>>(
      "adaptive_max_pool3d(Tensor self, int[3] output_size) -> (Tensor, Tensor)",
      "adaptive_max_pool1d() along the last three axes of (n, c, d, h, w) or (c, d, h, w); places count\n"
      "within the volume.\n\n"
      ">>> F.adaptive_max_pool3d(torch.ones(1, 8, 4, 5, 7), 2).shape\ntorch.Size([1, 8, 2, 2, 2])\n",
      kFunction);
});

}  // namespace rl
