// Interpolation to another size, and sampling at the places of a grid.
#include "kernels/resample.h"

#include <array>
#include <memory>
#include <string>

#include "ops/creation.h"
#include "ops/index_util.h"

namespace rl {
namespace {

using resample::Filter;
using resample::Table;

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
  check(positive, "Input and output sizes should be greater than 0, but got input (", by_axis(x.sizes().subspan(2)),
        ") output (", by_axis(size), ")");
  check(rest > 0, "Non-empty ", axes + 2, "D data tensor expected but got a tensor with sizes ", shape_str(x.sizes()));
  if (!is_floating(x.dtype()) && !(x.dtype() == DType::U8 && m.bytes)) not_implemented_for(m.name, x.dtype());
  auto plan = std::make_shared<Resampling>();
  plan->node = m.node;
  plan->backward_node = m.backward_node;
  const bool history = needs_gradient(x);
  for (int64_t i = 0; i < axes; ++i) {
    plan->there.push_back(resample::table(m.filter, x.sizes()[i + 2], size[static_cast<size_t>(i)], align_corners,
                                          std::data(scales)[i].value_or(0), x.dtype() != DType::F64));
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
  record(axes == 2 ? "GridSampler2DBackward0" : "GridSampler3DBackward0", out, {x, grid}, {x, grid},
         [g, axes](Backward& ctx) {
           Tensor x = ctx.saved(0), grid = ctx.saved(1), grad = ctx.grad(), dx, dgrid;
           {
             GradModeGuard off(false);
             const DType dtype = wide(x.dtype());
             Tensor in = plain(to_dtype(detach(x), dtype)), at = plain(to_dtype(detach(grid), dtype)),
                    from = plain(to_dtype(detach(grad), dtype));
             if (ctx.needs(0)) dx = zeros(x.sizes(), dtype);
             if (ctx.needs(1)) dgrid = zeros(grid.sizes(), dtype);
             if (grad.numel() > 0)
               resample::sample_backward(dtype, from.raw(), in.raw(), at.raw(), g, dx.defined() ? dx.raw() : nullptr,
                                         dgrid.defined() ? dgrid.raw() : nullptr);
             if (dx.defined()) dx = to_dtype(dx, x.dtype());
             if (dgrid.defined()) dgrid = to_dtype(dgrid, x.dtype());
           }
           const Tensor outs[] = {dx, dgrid};
           if (Backward::create_graph()) {
             const Tensor inputs[] = {grad, x, grid};
             record("GridSamplerBackwardBackward0", std::span<const Tensor>(outs), std::span<const Tensor>(inputs), {},
                    [axes](Backward&) {
                      fail(ErrorKind::Runtime, "derivative for aten::grid_sampler_", axes,
                           "d_backward is not implemented: grid_sample can be differentiated once");
                    });
           }
           if (dx.defined()) ctx.set(0, dx);
           if (dgrid.defined()) ctx.set(1, dgrid);
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
  const char* nearest = "Resizes the last axes: each result is the element that its place falls into.";
  const char* exact = "Resizes the last axes: each result is the element nearest to the middle of its place.";
  const char* linear = "Resizes the last axes by linear interpolation between neighbours.";
  const char* cubic = "Resizes the last axes by cubic convolution (Keys 1981) of four neighbours each.";
  const char* aa =
      "Resizes the last axes with a filter as wide as what a result covers, so that shrinking does not alias.";
  r.op<&nearest1d<kNearest1d>>("upsample_nearest1d(Tensor self, int[1] output_size, float? scales=None) -> Tensor",
                               nearest, kFunction);
  r.op<&nearest2d<kNearest2d>>(
      "upsample_nearest2d(Tensor self, int[2] output_size, float? scales_h=None, float? scales_w=None) -> Tensor",
      nearest, kFunction);
  r.op<&nearest3d<kNearest3d>>(
      "upsample_nearest3d(Tensor self, int[3] output_size, float? scales_d=None, float? scales_h=None, float? scales_w=None) -> Tensor",
      nearest, kFunction);
  r.op<&nearest1d<kExact1d>>("_upsample_nearest_exact1d(Tensor self, int[1] output_size, float? scales=None) -> Tensor",
                             exact, kFunction);
  r.op<&nearest2d<kExact2d>>(
      "_upsample_nearest_exact2d(Tensor self, int[2] output_size, float? scales_h=None, float? scales_w=None) -> Tensor",
      exact, kFunction);
  r.op<&nearest3d<kExact3d>>(
      "_upsample_nearest_exact3d(Tensor self, int[3] output_size, float? scales_d=None, float? scales_h=None, float? scales_w=None) -> Tensor",
      exact, kFunction);
  r.op<&smooth1d<kLinear>>(
      "upsample_linear1d(Tensor self, int[1] output_size, bool align_corners, float? scales=None) -> Tensor", linear,
      kFunction);
  r.op<&smooth2d<kBilinear>>(
      "upsample_bilinear2d(Tensor self, int[2] output_size, bool align_corners, float? scales_h=None, float? scales_w=None) -> Tensor",
      linear, kFunction);
  r.op<&smooth3d<kTrilinear>>(
      "upsample_trilinear3d(Tensor self, int[3] output_size, bool align_corners, float? scales_d=None, float? scales_h=None, float? scales_w=None) -> Tensor",
      linear, kFunction);
  r.op<&smooth2d<kBicubic>>(
      "upsample_bicubic2d(Tensor self, int[2] output_size, bool align_corners, float? scales_h=None, float? scales_w=None) -> Tensor",
      cubic, kFunction);
  r.op<&smooth2d<kBilinearAa>>(
      "_upsample_bilinear2d_aa(Tensor self, int[2] output_size, bool align_corners, float? scales_h=None, float? scales_w=None) -> Tensor",
      aa, kFunction);
  r.op<&smooth2d<kBicubicAa>>(
      "_upsample_bicubic2d_aa(Tensor self, int[2] output_size, bool align_corners, float? scales_h=None, float? scales_w=None) -> Tensor",
      aa, kFunction);
  r.op<&smooth2d<kLanczosAa>>(
      "_upsample_lanczos2d_aa(Tensor self, int[2] output_size, bool align_corners, float? scales_h=None, float? scales_w=None) -> Tensor",
      aa, kFunction);
  const char* grids =
      "Samples input where grid says: (-1, -1) is its first corner, (1, 1) its last. interpolation_mode: 0 (bi)linear, 1 "
      "nearest, 2 bicubic; padding_mode outside of input: 0 zeros, 1 border, 2 reflection.";
  r.op<&grid_sampler>(
      "grid_sampler(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners) -> Tensor",
      grids, kFunction);
  r.op<&grid_sampler_of<2>>(
      "grid_sampler_2d(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners) -> Tensor",
      grids, kFunction);
  r.op<&grid_sampler_of<3>>(
      "grid_sampler_3d(Tensor input, Tensor grid, int interpolation_mode, int padding_mode, bool align_corners) -> Tensor",
      grids, kFunction);
});

}  // namespace rl
