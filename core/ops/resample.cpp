// Interpolation to another size, and sampling at the places of a grid.
#include "kernels/resample.h"

#include <array>
#include <memory>
#include <string>

#include "ops/creation.h"
#include "ops/formula.h"
#include "ops/index_util.h"
#include "ops/lazy_text.h"
#include "ops/shape.h"

namespace rl {
namespace {

using resample::Filter;
using resample::Table;

}  // namespace

// float[]?
template <>
struct detail::Read<std::optional<std::vector<double>>> {
  static std::optional<std::vector<double>> get(const Value* v) {
    if (v->tag == Tag::None) return std::nullopt;
    return *v->doubles;
  }
};

namespace {

// --- to another size -------------------------------------------------------------------------------------------------------

struct Resampling {
  std::vector<Table> there, back;  // one per spatial axis, and transposed
  const char *node, *backward_node;
};

DType wide(DType d) { return d == DType::F16 || d == DType::BF16 ? DType::F32 : d; }

// The last axis first: where the size grows, the other axes' passes are then the larger ones, over whole rows. Back in the
// opposite order.
Tensor run(const Tensor& input, const std::vector<Table>& tables, bool last_first) {
  Tensor x = plain(to_dtype(detach(input), wide(input.dtype())));
  const int64_t axes = static_cast<int64_t>(tables.size());
  for (int64_t i = 0; i < axes; ++i) {
    const int64_t a = last_first ? axes - 1 - i : i, d = x.dim() - axes + a;
    const Table& t = tables[static_cast<size_t>(a)];
    if (t.identity) continue;
    Dims sizes(x.sizes());
    int64_t outer = 1, inner = 1;
    for (int64_t k = 0; k < x.dim(); ++k) (k < d ? outer : k > d ? inner : sizes[k]) *= k == d ? 1 : sizes[k];
    sizes[d] = t.out;
    Tensor out = Tensor::empty(sizes, x.dtype());
    resample::apply(x.dtype(), x.raw(), outer, t, inner, out.raw());
    x = out;
  }
  if (x.is_same(input) || x->storage_ref() == input->storage_ref()) x = clone(x);
  return to_dtype(x, input.dtype());
}

Tensor resampled(const Tensor& x, const std::shared_ptr<const Resampling>& plan, bool back) {
  Tensor out;
  {
    GradModeGuard off(false);
    out = run(x, back ? plan->back : plan->there, !back);
    if (!x.is_contiguous() && x.dim() >= 4 && is_channels_last(x.sizes(), x.strides()))
      out = contiguous(out, x.dim() == 4 ? MemoryFormat::ChannelsLast : MemoryFormat::ChannelsLast3d);
  }
  if (needs_gradient(x))
    record(back ? plan->backward_node : plan->node, out, {x}, {},
           [plan, back](Backward& ctx) { ctx.set(0, resampled(ctx.grad(), plan, !back)); });
  return out;
}

// "H: 4, W: 5"
std::string by_axis(IntSpan sizes) {
  static constexpr const char* kAxes[] = {"D", "H", "W"};
  std::string text;
  for (size_t i = 0; i < sizes.size(); ++i)
    text += (text.empty() ? "" : ", ") + std::string(kAxes[3 - sizes.size() + i]) + ": " + std::to_string(sizes[i]);
  return text;
}

struct Method {
  Filter filter;
  const char *name, *node, *backward_node;
  bool bytes = true;
};

Tensor upsample(const Method& m, const Tensor& x, IntSpan size, bool align_corners,
                std::initializer_list<std::optional<double>> scales) {
  const int64_t axes = static_cast<int64_t>(scales.size());
  check(static_cast<int64_t>(size.size()) == axes, "It is expected output_size equals to ", axes, ", but got size ",
        size.size());
  check(x.dim() == axes + 2, "It is expected input_size equals to ", axes + 2, ", but got size ", x.dim(), ": ", m.name,
        " takes (N, C, ...) of ", axes + 2, " dimensions, not shape ", shape_str(x.sizes()));
  bool positive = true;
  int64_t rest = x.sizes()[1];
  for (int64_t i = 0; i < axes; ++i) positive &= x.sizes()[i + 2] > 0 && size[static_cast<size_t>(i)] > 0;
  check(positive, "Input and output sizes should be greater than 0, but got input (",
        Later{[&] { return by_axis(x.sizes().subspan(2)); }}, ") output (", Later{[&] { return by_axis(size); }}, ")");
  check(rest > 0, "Non-empty ", axes + 2, "D data tensor expected but got a tensor with sizes ", shape_str(x.sizes()));
  if (!is_floating(x.dtype()) && !(x.dtype() == DType::U8 && m.bytes)) not_implemented_for(m.name, x.dtype());
  for (int64_t n : size)
    check(n <= int64_t{1} << 28, m.name, ": an output of size ", shape_str(size), " is too large along one axis");
  Dims sizes{x.sizes()[0], x.sizes()[1]};
  double elements = 1;
  for (int64_t n : size) {
    sizes.push_back(n);
    elements *= static_cast<double>(n);
  }
  if (elements > 0x1p28) Tensor::empty(sizes, x.dtype());  // refuses what there is no memory for
  auto plan = std::make_shared<Resampling>();
  // Places are computed as PyTorch does.
  const bool nearest = m.filter <= Filter::nearest_exact;
  const bool narrow =
      nearest ? x.dtype() != DType::F64 || axes == 2 : x.dtype() != DType::F64 && x.dtype() != DType::U8;
  plan->node = m.node;
  plan->backward_node = m.backward_node;
  const bool history = needs_gradient(x);
  for (int64_t i = 0; i < axes; ++i) {
    plan->there.push_back(resample::table(m.filter, x.sizes()[i + 2], size[static_cast<size_t>(i)], align_corners,
                                          std::data(scales)[i].value_or(0), narrow, axes == 2));
    if (history) plan->back.push_back(plan->there.back().transposed());
  }
  return resampled(x, plan, false);
}

using Scale = std::optional<double>;

template <const Method& M>
Tensor nearest1d(const Tensor& x, IntSpan size, Scale w) {
  return upsample(M, x, size, false, {w});
}
template <const Method& M>
Tensor nearest2d(const Tensor& x, IntSpan size, Scale h, Scale w) {
  return upsample(M, x, size, false, {h, w});
}
template <const Method& M>
Tensor nearest3d(const Tensor& x, IntSpan size, Scale d, Scale h, Scale w) {
  return upsample(M, x, size, false, {d, h, w});
}
template <const Method& M>
Tensor smooth1d(const Tensor& x, IntSpan size, bool align_corners, Scale w) {
  return upsample(M, x, size, align_corners, {w});
}
template <const Method& M>
Tensor smooth2d(const Tensor& x, IntSpan size, bool align_corners, Scale h, Scale w) {
  return upsample(M, x, size, align_corners, {h, w});
}
template <const Method& M>
Tensor smooth3d(const Tensor& x, IntSpan size, bool align_corners, Scale d, Scale h, Scale w) {
  return upsample(M, x, size, align_corners, {d, h, w});
}

// The size, or how much larger than the input it shall be.
template <const Method& M>
Tensor smooth2d_by(const Tensor& x, std::optional<IntSpan> size, bool align_corners,
                   std::optional<std::vector<double>> scales) {
  check(size.has_value() != scales.has_value() && x.dim() == 4 && (!scales || scales->size() == 2),
        "Must specify exactly one of output_size and scale_factors, two numbers for a 4D input");
  if (size) return upsample(M, x, *size, align_corners, {Scale(), Scale()});
  const double h = (*scales)[0], w = (*scales)[1];
  Dims wanted{static_cast<int64_t>(static_cast<double>(x.sizes()[2]) * h),
              static_cast<int64_t>(static_cast<double>(x.sizes()[3]) * w)};
  return upsample(M, x, wanted, align_corners, {h, w});
}

constexpr Method kNearest1d{Filter::nearest, "upsample_nearest1d", "UpsampleNearest1DBackward0",
                            "UpsampleNearest1DBackwardBackward0"};
constexpr Method kNearest2d{Filter::nearest, "upsample_nearest2d_channels_last", "UpsampleNearest2DBackward0",
                            "UpsampleNearest2DBackwardBackward0"};
constexpr Method kNearest3d{Filter::nearest, "upsample_nearest3d", "UpsampleNearest3DBackward0",
                            "UpsampleNearest3DBackwardBackward0"};
constexpr Method kExact1d{Filter::nearest_exact, "upsample_nearest1d", "UpsampleNearestExact1DBackward0",
                          "UpsampleNearestExact1DBackwardBackward0"};
constexpr Method kExact2d{Filter::nearest_exact, "upsample_nearest2d_channels_last", "UpsampleNearestExact2DBackward0",
                          "UpsampleNearestExact2DBackwardBackward0"};
constexpr Method kExact3d{Filter::nearest_exact, "upsample_nearest3d", "UpsampleNearestExact3DBackward0",
                          "UpsampleNearestExact3DBackwardBackward0"};
constexpr Method kLinear{Filter::linear, "compute_indices_weights_linear", "UpsampleLinear1DBackward0",
                         "UpsampleLinear1DBackwardBackward0"};
constexpr Method kBilinear{Filter::linear, "upsample_bilinear2d_channels_last", "UpsampleBilinear2DBackward0",
                           "UpsampleBilinear2DBackwardBackward0"};
constexpr Method kTrilinear{Filter::linear, "upsample_trilinear3d", "UpsampleTrilinear3DBackward0",
                            "UpsampleTrilinear3DBackwardBackward0"};
constexpr Method kBicubic{Filter::cubic, "compute_indices_weights_cubic", "UpsampleBicubic2DBackward0",
                          "UpsampleBicubic2DBackwardBackward0"};
constexpr Method kBilinearAa{Filter::linear_aa, "upsample_bilinear2d_aa", "UpsampleBilinear2DAaBackward0",
                             "UpsampleBilinear2DAaBackwardBackward0"};
constexpr Method kBicubicAa{Filter::cubic_aa, "upsample_bicubic2d_aa", "UpsampleBicubic2DAaBackward0",
                            "UpsampleBicubic2DAaBackwardBackward0"};
constexpr Method kLanczosAa{Filter::lanczos_aa, "upsample_lanczos2d_aa", "UpsampleLanczos2DAaBackward0",
                            "UpsampleLanczos2DAaBackwardBackward0"};

// --- grids -----------------------------------------------------------------------------------------------------------------

// Cubic convolution's weight of neighbour k (-1, 0, 1, 2) of a place that lies t beyond neighbour 0, and its derivative.
std::pair<Tensor, Tensor> cubic_weight(const Tensor& t, int k) {
  using namespace formula;
  constexpr double a = -0.75;
  const double sign = k <= 0 ? 1 : -1;
  Tensor d = mul(sub(t, number(k)), sign);  // the distance
  if (k == 0 || k == 1)
    return {add(mul(sub(mul(d, a + 2), number(a + 3)), square(d)), 1),
            mul(mul(sub(mul(d, 3 * (a + 2)), number(2 * (a + 3))), d), sign)};
  return {sub(mul(add(mul(sub(mul(d, a), number(5 * a)), d), 8 * a), d), number(4 * a)),
          mul(add(mul(sub(mul(d, 3 * a), number(10 * a)), d), 8 * a), sign)};
}

// Both gradients of grid_sampler, of differentiable operations. Within its cell a place moves linearly with the grid.
std::pair<Tensor, Tensor> grid_gradient(const Tensor& grad, const Tensor& x, const Tensor& grid,
                                        const resample::Grid& g) {
  using namespace formula;
  const int axes = g.axes, each = resample::terms_per_axis(g);
  const int64_t points = grid.numel() / axes / g.batch, ins = x.numel() / std::max<int64_t>(g.batch * g.channels, 1);
  int terms = 1;
  for (int a = 0; a < axes; ++a) terms *= each;
  Tensor parts = Tensor::empty(Dims{axes, g.batch, points}, x.dtype()),
         slopes = Tensor::empty(Dims{axes, g.batch, points}, x.dtype()),
         at = Tensor::empty(Dims{terms, g.batch, points}, DType::I64);
  resample::places(x.dtype(), plain(detach(grid)).raw(), g, parts.raw(), slopes.raw(), at.data<int64_t>());
  std::vector<std::array<Tensor, 4>> weight(static_cast<size_t>(axes)), slope(static_cast<size_t>(axes));
  for (int a = 0; a < axes; ++a) {
    Tensor coordinate = reshape(select(grid, -1, a), Dims{g.batch, points}), rate = select(slopes, 0, a);
    Tensor t = add(select(parts, 0, a), mul(rate, sub(coordinate, detach(coordinate))));
    for (int k = 0; k < each; ++k) {
      Tensor w, d;
      if (each == 4)
        std::tie(w, d) = cubic_weight(t, k - 1);
      else if (each == 2)
        w = k ? t : sub(number(1), t), d = full(Dims{g.batch, points}, Scalar(k ? 1.0 : -1.0), x.dtype());
      else
        w = ones(Dims{g.batch, points}, x.dtype()), d = zeros(Dims{g.batch, points}, x.dtype());
      weight[static_cast<size_t>(a)][static_cast<size_t>(k)] = w;
      slope[static_cast<size_t>(a)][static_cast<size_t>(k)] = mul(d, rate);
    }
  }
  const Dims spread{g.batch, g.channels, points}, single{g.batch, 1, points};
  Tensor planes = reshape(x, Dims{g.batch, g.channels, ins}), from = reshape(grad, spread);
  Tensor dx = zeros(Dims{g.batch, g.channels, ins}, x.dtype());
  TensorList dgrid(static_cast<size_t>(axes));
  for (int j = 0; j < terms; ++j) {
    Tensor place = select(at, 0, j), inside = to_dtype(call<pointwise::Ge>(place, number(0)), x.dtype());
    Tensor index = expand(reshape(call<pointwise::Maximum>(place, zeros_like(place)), single), spread);
    Tensor moved = mul(from, gather(planes, 2, index, false));
    Tensor w = inside;
    for (int a = 0, rest = j; a < axes; ++a, rest /= each)
      w = mul(w, weight[static_cast<size_t>(a)][static_cast<size_t>(rest % each)]);
    dx = scatter_add(dx, 2, index, mul(from, reshape(w, single)));
    for (int b = 0; b < axes; ++b) {
      Tensor s = inside;
      for (int a = 0, rest = j; a < axes; ++a, rest /= each)
        s = mul(s, (a == b ? slope : weight)[static_cast<size_t>(a)][static_cast<size_t>(rest % each)]);
      Tensor part = sum(mul(moved, reshape(s, single)), Dims{1}, false);
      Tensor& total = dgrid[static_cast<size_t>(b)];
      total = total.defined() ? add(total, part) : part;
    }
  }
  for (Tensor& t : dgrid) t = unsqueeze(t, 2);
  const Tensor inputs[] = {x, grid};
  return {tie_to_inputs(reshape(dx, x.sizes()), inputs), tie_to_inputs(reshape(cat(dgrid, 2), grid.sizes()), inputs)};
}

Tensor grid_sampler(const Tensor& x, const Tensor& grid, int64_t mode, int64_t padding, bool align_corners) {
  check(x.dim() == 4 || x.dim() == 5, "grid_sampler(): expected 4D or 5D input, but got input with sizes ",
        shape_str(x.sizes()), " and grid with sizes ", shape_str(grid.sizes()));
  check(grid.dim() == x.dim(),
        "grid_sampler(): expected 4D or 5D input and grid with same number of dimensions, but got input with sizes ",
        shape_str(x.sizes()), " and grid with sizes ", shape_str(grid.sizes()));
  check(x.sizes()[0] == grid.sizes()[0],
        "grid_sampler(): expected grid and input to have same batch size, but got input with sizes ",
        shape_str(x.sizes()), " and grid with sizes ", shape_str(grid.sizes()));
  const int axes = static_cast<int>(x.dim()) - 2;
  check(grid.sizes()[x.dim() - 1] == axes, "grid_sampler(): expected grid to have size ", axes,
        " in last dimension, but got grid with sizes ", shape_str(grid.sizes()));
  for (int64_t d = 2; d < x.dim(); ++d)
    check(x.sizes()[d] > 0, "grid_sampler(): expected input to have non-empty spatial dimensions, but input has sizes ",
          shape_str(x.sizes()), " with dimension ", d, " being empty");
  check(!(axes == 3 && mode == 2), "grid_sampler(): bicubic interpolation only supports 4D input");
  check(mode >= 0 && mode <= 2, "grid_sampler(): interpolation_mode ", mode, " is none of 0, 1, 2");
  check(padding >= 0 && padding <= 2, "grid_sampler(): padding_mode ", padding, " is none of 0, 1, 2");
  if (!is_floating(x.dtype()))
    not_implemented_for(axes == 2 ? "grid_sampler_2d_cpu_kernel_impl" : "grid_sampler3d_cpu", x.dtype());
  check(x.dtype() == grid.dtype(), "expected scalar type ", scalar_type_name(x.dtype()), " but found ",
        scalar_type_name(grid.dtype()), ": grid_sampler() wants input and grid of one dtype");
  resample::Grid g{};
  g.axes = axes;
  g.batch = x.sizes()[0];
  g.channels = x.sizes()[1];
  g.mode = static_cast<resample::Mode>(mode);
  g.padding = static_cast<resample::Padding>(padding);
  g.align_corners = align_corners;
  Dims sizes{g.batch, g.channels};
  for (int a = 0; a < axes; ++a) {
    g.in[3 - axes + a] = x.sizes()[2 + a];
    g.out[3 - axes + a] = grid.sizes()[1 + a];
    sizes.push_back(grid.sizes()[1 + a]);
  }
  Tensor out;
  {
    GradModeGuard off(false);
    const DType dtype = wide(x.dtype());
    Tensor in = plain(to_dtype(detach(x), dtype)), at = plain(to_dtype(detach(grid), dtype));
    out = Tensor::empty(sizes, dtype);
    if (out.numel() > 0) resample::sample(dtype, in.raw(), at.raw(), g, out.raw());
    out = to_dtype(out, x.dtype());
  }
  record(
      axes == 2 ? "GridSampler2DBackward0" : "GridSampler3DBackward0", out, {x, grid}, {x, grid}, [g](Backward& ctx) {
        Tensor x = ctx.saved(0), grid = ctx.saved(1), grad = ctx.grad(), dx, dgrid;
        const DType dtype = wide(x.dtype());
        if (Backward::create_graph() && grad.numel() > 0) {
          std::tie(dx, dgrid) = grid_gradient(to_dtype(grad, dtype), to_dtype(x, dtype), to_dtype(grid, dtype), g);
          if (ctx.needs(0)) ctx.set(0, to_dtype(dx, x.dtype()));
          if (ctx.needs(1)) ctx.set(1, to_dtype(dgrid, x.dtype()));
          return;
        }
        Tensor in = plain(to_dtype(x, dtype)), at = plain(to_dtype(grid, dtype)), from = plain(to_dtype(grad, dtype));
        if (ctx.needs(0)) dx = zeros(x.sizes(), dtype);
        if (ctx.needs(1)) dgrid = zeros(grid.sizes(), dtype);
        if (grad.numel() > 0)
          resample::sample_backward(dtype, from.raw(), in.raw(), at.raw(), g, dx.defined() ? dx.raw() : nullptr,
                                    dgrid.defined() ? dgrid.raw() : nullptr);
        if (dx.defined()) ctx.set(0, to_dtype(dx, x.dtype()));
        if (dgrid.defined()) ctx.set(1, to_dtype(dgrid, x.dtype()));
      });
  return out;
}

template <int kAxes>
Tensor grid_sampler_of(const Tensor& x, const Tensor& grid, int64_t mode, int64_t padding, bool align_corners) {
  check(x.dim() == kAxes + 2, "grid_sampler(): expected ", kAxes + 2, "D input, but got input with sizes ",
        shape_str(x.sizes()), " and grid with sizes ", shape_str(grid.sizes()));
  return grid_sampler(x, grid, mode, padding, align_corners);
}

}  // namespace

static const Family family([](Registry& r) {
  constexpr Traits kFunction{.method = false};
  const char* exact = "Resizes the last axes: each result is the element nearest to the middle of its place.";
  const char* aa =
      "Resizes the last axes with a filter as wide as what a result covers, so that shrinking does not alias.";
  r.op<&nearest1d<kNearest1d>>(
      "upsample_nearest1d(Tensor self, int[1] output_size, float? scales=None) -> Tensor",
      "(n, c, length) resized to output_size: each result is the element that its place falls into, floor(i\n"
      "* length / size). With scales its inverse takes the place of length / size.\n"
      "F.interpolate(mode=\"nearest\") calls it. Floating dtypes and uint8.\n\n"
      ">>> F.interpolate(torch.tensor([[[1., 2.]]]), 4)\ntensor([[[1., 1., 2., 2.]]])\n",
      kFunction);
  r.op<&nearest2d<kNearest2d>>(
      "upsample_nearest2d(Tensor self, int[2] output_size, float? scales_h=None, float? scales_w=None) -> Tensor",
      "upsample_nearest1d() for images (n, c, h, w).\n\n"
      ">>> F.interpolate(torch.tensor([[[[1., 2.], [3., 4.]]]]), (2, 4))\ntensor([[[[1., 1., 2., 2.],\n"
      "          [3., 3., 4., 4.]]]])\n",
      kFunction);
  r.op<&nearest3d<kNearest3d>>(
      "upsample_nearest3d(Tensor self, int[3] output_size, float? scales_d=None, float? scales_h=None, float? scales_w=None) -> Tensor",
      "upsample_nearest1d() for volumes (n, c, d, h, w).\n\n"
      ">>> F.interpolate(torch.ones(1, 1, 2, 2, 2), scale_factor=2).shape\ntorch.Size([1, 1, 4, 4, 4])\n",
      kFunction);
  r.op<&nearest1d<kExact1d>>("_upsample_nearest_exact1d(Tensor self, int[1] output_size, float? scales=None) -> Tensor",
                             exact, kFunction);
  r.op<&nearest2d<kExact2d>>(
      "_upsample_nearest_exact2d(Tensor self, int[2] output_size, float? scales_h=None, float? scales_w=None) -> Tensor",
      exact, kFunction);
  r.op<&nearest3d<kExact3d>>(
      "_upsample_nearest_exact3d(Tensor self, int[3] output_size, float? scales_d=None, float? scales_h=None, float? scales_w=None) -> Tensor",
      exact, kFunction);
  r.op<&smooth1d<kLinear>>(
      "upsample_linear1d(Tensor self, int[1] output_size, bool align_corners, float? scales=None) -> Tensor",
      "(n, c, length) resized to output_size by interpolation between the two nearest elements. With\n"
      "align_corners the first and last elements stay where they are; without it, elements are cells whose\n"
      "middles lie at i + 1/2, and beyond the outermost middle the value is constant. Floating dtypes.\n\n"
      ">>> x = torch.tensor([[[0., 1.]]])\n"
      ">>> F.interpolate(x, 4, mode=\"linear\"), F.interpolate(x, 4, mode=\"linear\", align_corners=True)\n"
      "(tensor([[[0.0000, 0.2500, 0.7500, 1.0000]]]), tensor([[[0.0000, 0.3333, 0.6667, 1.0000]]]))\n",
      kFunction);
  r.op<&smooth2d<kBilinear>>(
      "upsample_bilinear2d(Tensor self, int[2] output_size, bool align_corners, float? scales_h=None, float? scales_w=None) -> Tensor",
      "upsample_linear1d() along both axes of images (n, c, h, w). Floating dtypes.\n\n"
      ">>> F.interpolate(torch.tensor([[[[0., 1.], [2., 3.]]]]), (2, 3), mode=\"bilinear\", align_corners=True)\n"
      "tensor([[[[0.0000, 0.5000, 1.0000],\n          [2.0000, 2.5000, 3.0000]]]])\n",
      kFunction);
  r.op<&smooth3d<kTrilinear>>(
      "upsample_trilinear3d(Tensor self, int[3] output_size, bool align_corners, float? scales_d=None, float? scales_h=None, float? scales_w=None) -> Tensor",
      "upsample_linear1d() along the three axes of volumes (n, c, d, h, w). Floating dtypes.\n\n"
      ">>> F.interpolate(torch.ones(1, 1, 2, 2, 2), (3, 3, 3), mode=\"trilinear\").shape\n"
      "torch.Size([1, 1, 3, 3, 3])\n",
      kFunction);
  r.op<&smooth2d<kBicubic>>(
      "upsample_bicubic2d(Tensor self, int[2] output_size, bool align_corners, float? scales_h=None, float? scales_w=None) -> Tensor",
      "Images (n, c, h, w) resized by cubic convolution (Keys 1981, a = -3/4) of four neighbours along each\n"
      "axis; values may reach beyond those of the input. Floating dtypes.\n\n"
      ">>> F.interpolate(torch.tensor([[[[0., 0., 1., 1.]]]]), (1, 6), mode=\"bicubic\")\n"
      "tensor([[[[ 0.0000, -0.0938,  0.1435,  0.8565,  1.0938,  1.0000]]]])\n",
      kFunction);
  r.op<&smooth2d<kBilinearAa>>(
      "_upsample_bilinear2d_aa(Tensor self, int[2] output_size, bool align_corners, float? scales_h=None, float? scales_w=None) -> Tensor",
      aa, kFunction);
  r.op<&smooth2d_by<kBilinearAa>>(
      "_upsample_bilinear2d_aa.vec(Tensor input, int[]? output_size, bool align_corners, float[]? scale_factors) -> Tensor",
      aa, kFunction);
  r.op<&smooth2d<kBicubicAa>>(
      "_upsample_bicubic2d_aa(Tensor self, int[2] output_size, bool align_corners, float? scales_h=None, float? scales_w=None) -> Tensor",
      aa, kFunction);
  r.op<&smooth2d<kLanczosAa>>(
      "_upsample_lanczos2d_aa(Tensor self, int[2] output_size, bool align_corners, float? scales_h=None, float? scales_w=None) -> Tensor",
      aa, kFunction);
  r.op<&grid_sampler>(
      "grid_sampler(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners) -> Tensor",
      "input (n, c, h, w), or (n, c, d, h, w), read where grid, (n, h', w', 2) or (n, d', h', w', 3), says,\n"
      "its last axis x, y(, z) with -1 and 1 at the input's edges (the middles of its outermost elements\n"
      "with align_corners). interpolation_mode: 0 (bi)linear, 1 nearest, 2 bicubic; padding_mode beyond the\n"
      "input: 0 zeros, 1 the edge, 2 mirrored. F.grid_sample names them (Jaderberg et al. 2015). Floating\n"
      "dtypes.\n\n"
      ">>> x, grid = torch.tensor([[[[1., 2.], [3., 4.]]]]), torch.tensor([[[[0., 0.], [1., 1.]]]])\n"
      ">>> F.grid_sample(x, grid, align_corners=True)\ntensor([[[[2.5000, 4.0000]]]])\n",
      kFunction);
  r.op<&grid_sampler_of<2>>(
      "grid_sampler_2d(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners) -> Tensor",
      "grid_sampler() for images.\n\n"
      ">>> x, grid = torch.tensor([[[[1., 2.], [3., 4.]]]]), torch.zeros(1, 1, 1, 2)\n"
      ">>> torch.grid_sampler_2d(x, grid, 1, 0, True).item()\n1.0\n",
      kFunction);
  r.op<&grid_sampler_of<3>>(
      "grid_sampler_3d(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners) -> Tensor",
      "grid_sampler() for volumes.\n\n"
      ">>> torch.grid_sampler_3d(torch.ones(1, 1, 2, 2, 2), torch.zeros(1, 1, 1, 1, 3), 0, 0, True).item()\n1.0\n",
      kFunction);
});

}  // namespace rl
