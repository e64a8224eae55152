// Layer, RMS and group norm.
#include "ops/normalization.h"

#include <algorithm>
#include <limits>

#include "kernels/channel_norm.h"
#include "kernels/norm.h"
#include "ops/creation.h"

namespace rl {
namespace {

using namespace formula;

Tensor optional(const Tensor& t, DType dtype) { return t.defined() ? to_dtype(t, dtype) : t; }
void* raw_or_null(const Tensor& t) { return t.defined() ? t.raw() : nullptr; }

Dims last_dims(const Tensor& x, int64_t count) {
  Dims dims;
  for (int64_t d = x.dim() - count; d < x.dim(); ++d) dims.push_back(d);
  return dims;
}

// The gradient of the bias does not depend on x, but like the others it can be differentiated again: to nothing.
Tensor tied(const Tensor& t, const Tensor& x) {
  if (t.requires_grad() || !needs_gradient(x)) return t;
  Tensor out = clone(t);
  record("NativeLayerNormBackwardBackward0", out, {x}, {},
         [sizes = Dims(x.sizes()), dtype = x.dtype()](Backward& ctx) { ctx.set(0, zeros(sizes, dtype)); });
  return out;
}

void check_shapes(const char* name, const Tensor& x, IntSpan shape, const Tensor& weight, const Tensor& bias) {
  int64_t count = static_cast<int64_t>(shape.size());
  check(
      count >= 1,
      "Expected normalized_shape to be at least 1-dimensional, i.e., containing at least one element, but got normalized_shape = ",
      shape_str(shape));
  auto same = [&](const Tensor& t) { return !t.defined() || std::ranges::equal(t.sizes(), shape); };
  check(same(weight), "Expected weight to be of same shape as normalized_shape, but got weight of shape ",
        shape_str(weight.defined() ? weight.sizes() : IntSpan()), " and normalized_shape = ", shape_str(shape));
  check(same(bias), "Expected bias to be of same shape as normalized_shape, but got bias of shape ",
        shape_str(bias.defined() ? bias.sizes() : IntSpan()), " and normalized_shape = ", shape_str(shape));
  bool match = x.dim() >= count && std::ranges::equal(x.sizes().last(static_cast<size_t>(count)), shape);
  if (!match) {
    std::string wanted = shape_str(shape);
    wanted = "[*" + std::string(std::string_view(name) == "layer_norm" ? ", " : "") + wanted.substr(1);
    fail(ErrorKind::Runtime, "Given normalized_shape=", shape_str(shape), ", expected input with shape ", wanted,
         ", but got input of size", shape_str(x.sizes()));
  }
}

struct WithStats {
  Tensor out, mean, rstd;
};

WithStats layer_norm_stats(const Tensor& x, IntSpan shape, const Tensor& weight, const Tensor& bias, double eps,
                           bool stats) {
  check_shapes("layer_norm", x, shape, weight, bias);
  if (!is_floating(x.dtype())) not_implemented_for("LayerNormKernelImpl", x.dtype());
  check_one_dtype(x, {&weight, &bias});
  DType dtype = x.dtype();
  Tensor in = plain(x), w = optional(weight, dtype), b = optional(bias, dtype);
  w = w.defined() ? plain(w) : w;
  b = b.defined() ? plain(b) : b;
  int64_t n = product(shape), rows = n ? x.numel() / n : 0, count = static_cast<int64_t>(shape.size());
  Tensor out = Tensor::empty(x.sizes(), dtype);
  bool wanted = needs_gradient(x, weight, bias);
  Tensor mean_kept, rstd_kept;
  if (wanted || stats)
    mean_kept = Tensor::empty(Dims{rows}, stats_dtype(dtype)),
    rstd_kept = Tensor::empty(Dims{rows}, stats_dtype(dtype));
  if (x.numel() > 0)
    cpu::norm().layer_norm(dtype, in.raw(), raw_or_null(w), raw_or_null(b), rows, n, eps, out.raw(),
                           raw_or_null(mean_kept), raw_or_null(rstd_kept));
  if (!wanted) return {out, mean_kept, rstd_kept};
  record("NativeLayerNormBackward0", out, {x, weight, bias}, {x, weight, mean_kept, rstd_kept},
         [n, rows, count, eps, bias_dtype = bias.defined() ? bias.dtype() : dtype](Backward& ctx) {
           Tensor x = ctx.saved(0), weight = ctx.saved(1), g = ctx.grad();
           if (Backward::create_graph()) {
             Dims dims = last_dims(x, count), lead;
             for (int64_t d = 0; d + count < x.dim(); ++d) lead.push_back(d);
             Normalised y(x, dims, eps, true);
             if (ctx.needs(0))
               ctx.set(0, to_dtype(y.backward(weight.defined() ? mul(g, weight) : g, dims, true), x.dtype()));
             if (ctx.needs(1))
               ctx.set(1, to_dtype(lead.empty() ? mul(g, y.hat) : sum(mul(g, y.hat), lead, false), weight.dtype()));
             if (ctx.needs(2)) ctx.set(2, tied(to_dtype(lead.empty() ? g : sum(g, lead, false), bias_dtype), x));
             return;
           }
           Dims inner(x.sizes().last(static_cast<size_t>(count)));
           Tensor dx, dw, db, w = optional(weight, x.dtype());
           if (ctx.needs(0)) dx = Tensor::empty(x.sizes(), x.dtype());
           if (ctx.needs(1)) dw = zeros(inner, x.dtype());
           if (ctx.needs(2)) db = zeros(inner, x.dtype());
           if (w.defined()) w = plain(w);
           Tensor gc = plain(g), xc = plain(x);
           if (x.numel() > 0)
             cpu::norm().layer_norm_backward(x.dtype(), gc.raw(), xc.raw(), ctx.saved(2).raw(), ctx.saved(3).raw(),
                                             raw_or_null(w), rows, n, raw_or_null(dx), raw_or_null(dw),
                                             raw_or_null(db));
           if (dx.defined()) ctx.set(0, dx);
           if (dw.defined()) ctx.set(1, to_dtype(dw, weight.dtype()));
           if (db.defined()) ctx.set(2, to_dtype(db, bias_dtype));
         });
  return {out, mean_kept, rstd_kept};
}

Tensor layer_norm(const Tensor& x, IntSpan shape, const Tensor& weight, const Tensor& bias, double eps, bool) {
  return layer_norm_stats(x, shape, weight, bias, eps, false).out;
}

std::tuple<Tensor, Tensor, Tensor> native_layer_norm(const Tensor& x, IntSpan shape, const Tensor& weight,
                                                     const Tensor& bias, double eps) {
  WithStats r = layer_norm_stats(x, shape, weight, bias, eps, true);
  Dims sizes(x.sizes());
  for (int64_t d = x.dim() - static_cast<int64_t>(shape.size()); d < x.dim(); ++d) sizes[d] = 1;
  auto shown = [&](const Tensor& t) { return shown_stats(t, x, {&weight, &bias}); };
  return {r.out, shown(view(r.mean, sizes)), shown(view(r.rstd, sizes))};
}

Tensor rms_norm(const Tensor& x, IntSpan shape, const Tensor& weight, std::optional<double> given_eps) {
  check_shapes("rms_norm", x, shape, weight, {});
  if (!is_differentiable(x.dtype())) not_implemented_for("rms_norm", x.dtype());
  DType dtype = x.dtype();
  double eps = given_eps.value_or(real_of(dtype) == DType::F64 ? std::numeric_limits<double>::epsilon()
                                                               : std::numeric_limits<float>::epsilon());
  if (is_complex_dtype(dtype)) {
    Tensor hat = Normalised(x, last_dims(x, static_cast<int64_t>(shape.size())), eps, false).hat;
    return weight.defined() ? mul(hat, weight) : hat;
  }
  Tensor in = plain(x), w = optional(weight, dtype);
  w = w.defined() ? plain(w) : w;
  int64_t n = product(shape), rows = n ? x.numel() / n : 0, count = static_cast<int64_t>(shape.size());
  Tensor out = Tensor::empty(x.sizes(), dtype);
  bool wanted = needs_gradient(x, weight);
  Tensor rstd_kept = wanted ? Tensor::empty(Dims{rows}, stats_dtype(dtype)) : Tensor();
  if (x.numel() > 0)
    cpu::norm().rms_norm(dtype, in.raw(), raw_or_null(w), rows, n, eps, out.raw(), raw_or_null(rstd_kept));
  if (!wanted) return out;
  // PyTorch's CPU form ends in a product, and grad_fn shows it.
  record("MulBackward0", out, {x, weight}, {x, weight, rstd_kept}, [n, rows, count, eps](Backward& ctx) {
    Tensor x = ctx.saved(0), weight = ctx.saved(1), g = ctx.grad();
    if (Backward::create_graph()) {
      Dims dims = last_dims(x, count), lead;
      for (int64_t d = 0; d + count < x.dim(); ++d) lead.push_back(d);
      Normalised y(x, dims, eps, false);
      if (ctx.needs(0)) ctx.set(0, to_dtype(y.backward(weight.defined() ? mul(g, weight) : g, dims, false), x.dtype()));
      if (ctx.needs(1))
        ctx.set(1, to_dtype(lead.empty() ? mul(g, y.hat) : sum(mul(g, y.hat), lead, false), weight.dtype()));
      return;
    }
    Tensor dx, dw, w = optional(weight, x.dtype());
    if (ctx.needs(0)) dx = Tensor::empty(x.sizes(), x.dtype());
    if (ctx.needs(1)) dw = zeros(Dims(x.sizes().last(static_cast<size_t>(count))), x.dtype());
    if (w.defined()) w = plain(w);
    Tensor gc = plain(g), xc = plain(x);
    if (x.numel() > 0)
      cpu::norm().rms_norm_backward(x.dtype(), gc.raw(), xc.raw(), ctx.saved(2).raw(), raw_or_null(w), rows, n,
                                    raw_or_null(dx), raw_or_null(dw));
    if (dx.defined()) ctx.set(0, dx);
    if (dw.defined()) ctx.set(1, to_dtype(dw, weight.dtype()));
  });
  return out;
}

// --- group norm ----------------------------------------------------------------------------------------------------------

// One coefficient per row, in the type that the kernels compute in.
class RowCoefficients {
 public:
  RowCoefficients(DType dtype, int64_t rows) : tensor_(Tensor::empty(Dims{rows}, stats_dtype(dtype))) {}
  void set(int64_t row, double value) {
    if (tensor_.dtype() == DType::F64)
      tensor_.data<double>()[row] = value;
    else
      tensor_.data<float>()[row] = static_cast<float>(value);
  }
  const void* raw() const { return tensor_.raw(); }

 private:
  Tensor tensor_;
};

// The gradients of y = (x - mean) * rstd * weight + bias, where each sample's channels fall into `groups` groups that
// share mean and rstd.
struct GroupGradient {
  Tensor dx;
  std::vector<double> dweight, dbias;

  GroupGradient(const Tensor& g_in, const Tensor& x_in, const Tensor& mean, const Tensor& rstd, const Tensor& weight,
                int64_t groups, bool needs_x) {
    const DType dtype = stats_dtype(x_in.dtype());
    Tensor g = plain(to_dtype(g_in, dtype)), x = plain(to_dtype(x_in, dtype));
    int64_t batch = x.sizes()[0], channels = x.sizes()[1], rows = batch * channels, n = x.numel() / rows;
    int64_t stats = batch * groups, width = channels / groups;
    std::vector<double> m = as_doubles(mean, stats, 0), s = as_doubles(rstd, stats, 1),
                        w = as_doubles(weight, channels, 1);
    auto group_of = [&](int64_t row) { return static_cast<size_t>(row / width); };
    RowCoefficients center(dtype, rows);
    for (int64_t r = 0; r < rows; ++r) center.set(r, m[group_of(r)]);
    std::vector<double> sums(static_cast<size_t>(rows)), dots(static_cast<size_t>(rows));
    cpu::channel_norm().gradient_sums(dtype, g.raw(), x.raw(), center.raw(), rows, n, rows, sums.data(), dots.data());
    dweight.assign(static_cast<size_t>(channels), 0);
    dbias = dweight;
    std::vector<double> total(static_cast<size_t>(stats)), along(static_cast<size_t>(stats));
    for (int64_t r = 0; r < rows; ++r) {
      size_t c = static_cast<size_t>(r % channels), k = group_of(r), i = static_cast<size_t>(r);
      dweight[c] += dots[i] * s[k];
      dbias[c] += sums[i];
      total[k] += sums[i] * w[c];
      along[k] += dots[i] * w[c];
    }
    if (!needs_x) return;
    double count = static_cast<double>(x.numel() / stats);
    RowCoefficients a(dtype, rows), b(dtype, rows), c(dtype, rows);
    for (int64_t r = 0; r < rows; ++r) {
      size_t k = group_of(r);
      a.set(r, s[k] * w[static_cast<size_t>(r % channels)]);
      b.set(r, -s[k] * s[k] * s[k] * along[k] / count);
      c.set(r, -s[k] * total[k] / count);
    }
    dx = Tensor::empty(x.sizes(), dtype);
    cpu::channel_norm().combine(dtype, g.raw(), x.raw(), center.raw(), a.raw(), b.raw(), c.raw(), rows, n, rows,
                                dx.raw());
    dx = to_dtype(dx, x_in.dtype());
  }
};

WithStats group_norm_stats(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, double eps) {
  check(x.dim() >= 2, "Expected at least 2 dimensions for input tensor but received ", x.dim());
  int64_t channels = x.sizes()[1], batch = x.sizes()[0];
  check(groups > 0, "Expected num groups to be greater than 0, got ", groups);
  check(channels % groups == 0,
        "Expected number of channels in input to be divisible by num_groups, but got input of shape ",
        shape_str(x.sizes()), " and num_groups=", groups);
  auto per_channel = [&](const Tensor& t) { return !t.defined() || (t.dim() == 1 && t.numel() == channels); };
  check(per_channel(weight),
        "Expected weight to be a vector of size equal to the number of channels in input, but got weight of shape ",
        shape_str(weight.defined() ? weight.sizes() : IntSpan()), " and input of shape ", shape_str(x.sizes()));
  check(per_channel(bias),
        "Expected bias to be a vector of size equal to the number of channels in input, but got bias of shape ",
        shape_str(bias.defined() ? bias.sizes() : IntSpan()), " and input of shape ", shape_str(x.sizes()));
  if (!is_floating(x.dtype())) not_implemented_for("GroupNormKernelImpl", x.dtype());
  check_one_dtype(x, {&weight, &bias});
  int64_t rows = batch * groups, n = rows ? x.numel() / rows : 0;
  DType stats = stats_dtype(x.dtype());
  Tensor out, mean_kept = Tensor::empty(Dims{rows}, stats), rstd_kept = Tensor::empty(Dims{rows}, stats);
  {
    GradModeGuard off(false);
    Tensor in = plain(detach(x));
    out = Tensor::empty(x.sizes(), x.dtype());
    if (x.numel() > 0)
      cpu::norm().layer_norm(x.dtype(), in.raw(), nullptr, nullptr, rows, n, eps, out.raw(), mean_kept.raw(),
                             rstd_kept.raw());
    const int64_t length = x.numel() ? x.numel() / (batch * channels) : 0;
    if (stats == x.dtype() && (weight.defined() || bias.defined()) && length >= 8) {
      Tensor scale = weight.defined() ? plain(to_dtype(detach(weight), stats)) : ones(Dims{channels}, stats);
      Tensor shift = bias.defined() ? plain(to_dtype(detach(bias), stats)) : zeros(Dims{channels}, stats);
      cpu::channel_norm().affine(stats, out.raw(), scale.raw(), shift.raw(), batch * channels, length, channels,
                                 out.raw());
    } else if (weight.defined() && bias.defined())
      out = to_dtype(call<pointwise::Addcmul>(over_channels(bias, x.dim()), out, over_channels(weight, x.dim()), 1),
                     x.dtype());
    else if (weight.defined())
      out = to_dtype(mul(out, over_channels(weight, x.dim())), x.dtype());
    else if (bias.defined())
      out = to_dtype(add(out, over_channels(bias, x.dim())), x.dtype());
  }
  record("NativeGroupNormBackward0", out, {x, weight, bias}, {x, weight, mean_kept, rstd_kept},
         [rows, n, eps, groups, bias_dtype = bias.defined() ? bias.dtype() : x.dtype()](Backward& ctx) {
           Tensor x = ctx.saved(0), weight = ctx.saved(1), g = ctx.grad();
           if (x.numel() == 0) {
             if (ctx.needs(0)) ctx.set(0, zeros_like(x));
             if (ctx.needs(1)) ctx.set(1, zeros_like(weight));
             if (ctx.needs(2)) ctx.set(2, zeros(Dims{x.sizes()[1]}, bias_dtype));
             return;
           }
           if (!Backward::create_graph()) {
             GroupGradient d(g, x, ctx.saved(2), ctx.saved(3), weight, groups, ctx.needs(0));
             if (ctx.needs(0)) ctx.set(0, d.dx);
             if (ctx.needs(1)) ctx.set(1, from_doubles(d.dweight, weight.dtype()));
             if (ctx.needs(2)) ctx.set(2, from_doubles(d.dbias, bias_dtype));
             return;
           }
           const Dims grouped{rows, n}, last{1};
           Dims rest{0};
           for (int64_t d = 2; d < x.dim(); ++d) rest.push_back(d);
           Tensor scaled = weight.defined() ? mul(g, over_channels(weight, x.dim())) : g;
           Normalised y(reshape(x, grouped), last, eps, true);
           if (ctx.needs(0)) ctx.set(0, reshape(y.backward(reshape(scaled, grouped), last, true), x.sizes()));
           Tensor hat = y.hat;
           if (ctx.needs(1)) ctx.set(1, to_dtype(sum(mul(g, reshape(hat, x.sizes())), rest, false), weight.dtype()));
           if (ctx.needs(2))
             ctx.set(2, tie_to_inputs(to_dtype(sum(g, rest, false), bias_dtype), std::span<const Tensor>(&x, 1)));
         });
  return {out, mean_kept, rstd_kept};
}

Tensor group_norm(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, double eps, bool) {
  return group_norm_stats(x, groups, weight, bias, eps).out;
}

std::tuple<Tensor, Tensor, Tensor> native_group_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                                                     int64_t batch, int64_t channels, int64_t length, int64_t groups,
                                                     double eps) {
  check(x.dim() >= 2 && x.sizes()[0] == batch && x.sizes()[1] == channels &&
            x.numel() == batch * channels * std::clamp<int64_t>(length, -1, x.numel()),
        "native_group_norm: an input of shape ", shape_str(x.sizes()), " is not N = ", batch, ", C = ", channels,
        ", HxW = ", length);
  WithStats r = group_norm_stats(x, groups, weight, bias, eps);
  Dims sizes{batch, groups};
  auto shown = [&](const Tensor& t) { return shown_stats(t, x, {&weight, &bias}); };
  if (!needs_gradient(x) || x.numel() == 0) {
    const std::span<const Tensor> from(&x, 1);
    return {r.out, tie_to_inputs(shown(view(r.mean, sizes)), from), tie_to_inputs(shown(view(r.rstd, sizes)), from)};
  }
  // These are differentiable here.
  Tensor grouped = reshape(x, Dims{batch * groups, x.numel() / (batch * groups)});
  const Dims last{1};
  Normalised y(grouped, last, eps, true);
  return {r.out, shown(reshape(mean(grouped, last, true), sizes)), shown(reshape(y.rstd, sizes))};
}

}  // namespace

std::vector<double> as_doubles(const Tensor& t, int64_t n, double otherwise) {
  std::vector<double> out(static_cast<size_t>(n), otherwise);
  if (!t.defined()) return out;
  if (t.dtype() == DType::F32 && t.is_contiguous()) {
    std::copy(t.data<float>(), t.data<float>() + n, out.begin());
    return out;
  }
  GradModeGuard off(false);
  Tensor wide = plain(to_dtype(detach(t), DType::F64));
  std::copy(wide.data<double>(), wide.data<double>() + n, out.begin());
  return out;
}

void store_doubles(const Tensor& to, const std::vector<double>& values) {
  if (to.dtype() == DType::F32 && to.is_contiguous()) {
    std::transform(values.begin(), values.end(), to.data<float>(), [](double v) { return static_cast<float>(v); });
    return;
  }
  Tensor wide = Tensor::empty(Dims{static_cast<int64_t>(values.size())}, DType::F64);
  std::copy(values.begin(), values.end(), wide.data<double>());
  copy_data(to, reshape(wide, to.sizes()));
}

Tensor from_doubles(const std::vector<double>& values, DType dtype) {
  Tensor out = Tensor::empty(Dims{static_cast<int64_t>(values.size())}, dtype);
  store_doubles(out, values);
  return out;
}

static const Family family([](Registry& r) {
  constexpr Traits kFunction{.method = false};
  r.op<&layer_norm>(
      "layer_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool cudnn_enable=True) -> Tensor",
      "(input - mean) / sqrt(variance + eps) over the last axes, whose sizes are normalized_shape, times\n"
      "weight plus bias (each of that shape; Ba, Kiros and Hinton 2016). The variance is the biased one.\n"
      "Last axes of other sizes are a RuntimeError. Floating dtypes.\n\n"
      ">>> F.layer_norm(torch.tensor([[1., 2., 3.], [0., 0., 9.]]), (3,))\ntensor([[-1.2247,  0.0000,  1.2247],\n"
      "        [-0.7071, -0.7071,  1.4142]])\n",
      kFunction);
  r.op<&rms_norm>(
      "rms_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, float? eps=None) -> Tensor",
      "input / sqrt(mean(input^2) + eps) over the last axes, whose sizes are normalized_shape, times weight\n"
      "(of that shape; Zhang and Sennrich 2019). eps is the machine epsilon unless told. Floating and\n"
      "complex dtypes.\n\n"
      ">>> F.rms_norm(torch.tensor([[3., 4.]]), (2,))\ntensor([[0.8485, 1.1314]])\n",
      kFunction);
  r.op<&group_norm>(
      "group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool cudnn_enabled=True) -> Tensor",
      "(n, c, ...): the channels in num_groups groups, each of a sample normalised to mean 0 and (biased)\n"
      "variance 1, then times weight plus bias, one per channel (Wu and He 2018). Channels that the groups\n"
      "do not divide are a RuntimeError. Floating dtypes.\n\n"
      ">>> F.group_norm(torch.tensor([[1., 3., 10., 30.]]), 2)\ntensor([[-1.0000,  1.0000, -1.0000,  1.0000]])\n",
      kFunction);
  r.op<&native_layer_norm>(
      "native_layer_norm(Tensor input, int[] normalized_shape, Tensor? weight, Tensor? bias, float eps) -> (Tensor, Tensor, Tensor)",
      "layer_norm(), and the mean and 1 / sqrt(variance + eps) of each item, with sizes 1 for the\n"
      "normalised axes.\n\n"
      ">>> torch.native_layer_norm(torch.tensor([[1., 3.]]), (2,), None, None, 0.0)\n"
      "(tensor([[-1.,  1.]]), tensor([[2.]]), tensor([[1.]]))\n",
      kFunction);
  r.op<&native_group_norm>(
      "native_group_norm(Tensor input, Tensor? weight, Tensor? bias, int N, int C, int HxW, int group, float eps) -> (Tensor, Tensor, Tensor)",
      "group_norm() of N samples, C channels and HxW places, and the mean and 1 / sqrt(variance + eps) of\n"
      "each group: (N, group).\n\n"
      ">>> torch.native_group_norm(torch.tensor([[1., 3.]]), None, None, 1, 2, 1, 1, 0.0)\n"
      "(tensor([[-1.,  1.]]), tensor([[2.]]), tensor([[1.]]))\n",
      kFunction);
});

}  // namespace rl
