// Layer, RMS, group, batch and instance norm.
#include <cmath>
#include <limits>

#include "kernels/channel_norm.h"
#include "kernels/norm.h"
#include "ops/creation.h"
#include "ops/formula.h"
#include "ops/index_util.h"
#include "ops/reduce.h"

namespace rl {
namespace {

using namespace formula;

// mean and rstd of half types are kept in float.
DType stats_dtype(DType d) { return d == DType::F64 ? DType::F64 : DType::F32; }

bool is_wide(DType d) { return d == DType::F32 || d == DType::F64; }

Tensor optional(const Tensor& t, DType dtype) { return t.defined() ? to_dtype(t, dtype) : t; }
void* raw_or_null(const Tensor& t) { return t.defined() ? t.raw() : nullptr; }

// x normalised over dims, differentiably.
struct Normalised {
  Tensor hat, rstd;
  Normalised(const Tensor& x, IntSpan dims, double eps, bool center) {
    Tensor c = center ? sub(x, mean(x, dims, true)) : x;
    rstd = call<pointwise::Rsqrt>(add(mean(square(c), dims, true), eps));
    hat = mul(c, rstd);
  }
  // The gradient of x from that of hat.
  Tensor backward(const Tensor& g, IntSpan dims, bool center) const {
    Tensor rest = sub(g, mul(hat, mean(mul(g, hat), dims, true)));
    return mul(rstd, center ? sub(rest, mean(g, dims, true)) : rest);
  }
};

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
        weight.defined() ? shape_str(weight.sizes()) : "", " and normalized_shape = ", shape_str(shape));
  check(same(bias), "Expected bias to be of same shape as normalized_shape, but got bias of shape ",
        bias.defined() ? shape_str(bias.sizes()) : "", " and normalized_shape = ", shape_str(shape));
  bool match = x.dim() >= count && std::ranges::equal(x.sizes().last(static_cast<size_t>(count)), shape);
  if (!match) {
    std::string wanted = shape_str(shape);
    wanted = "[*" + std::string(std::string_view(name) == "layer_norm" ? ", " : "") + wanted.substr(1);
    fail(ErrorKind::Runtime, "Given normalized_shape=", shape_str(shape), ", expected input with shape ", wanted,
         ", but got input of size", shape_str(x.sizes()));
  }
}

Tensor layer_norm(const Tensor& x, IntSpan shape, const Tensor& weight, const Tensor& bias, double eps, bool) {
  check_shapes("layer_norm", x, shape, weight, bias);
  if (!is_floating(x.dtype())) not_implemented_for("LayerNormKernelImpl", x.dtype());
  DType dtype = x.dtype();
  Tensor in = plain(x), w = optional(weight, dtype), b = optional(bias, dtype);
  w = w.defined() ? plain(w) : w;
  b = b.defined() ? plain(b) : b;
  int64_t n = product(shape), rows = n ? x.numel() / n : 0, count = static_cast<int64_t>(shape.size());
  Tensor out = Tensor::empty(x.sizes(), dtype);
  bool wanted = needs_gradient(x, weight, bias);
  Tensor mean_kept, rstd_kept;
  if (wanted)
    mean_kept = Tensor::empty(Dims{rows}, stats_dtype(dtype)),
    rstd_kept = Tensor::empty(Dims{rows}, stats_dtype(dtype));
  if (x.numel() > 0)
    cpu::norm().layer_norm(dtype, in.raw(), raw_or_null(w), raw_or_null(b), rows, n, eps, out.raw(),
                           raw_or_null(mean_kept), raw_or_null(rstd_kept));
  if (!wanted) return out;
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
  return out;
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

// --- channels as rows ------------------------------------------------------------------------------------------------------

// One coefficient per row of [batch * channels, length], in the type that the kernels compute in.
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

// A small vector read as double, whatever it is; `otherwise` where there is none.
std::vector<double> as_doubles(const Tensor& t, int64_t n, double otherwise) {
  std::vector<double> out(static_cast<size_t>(n), otherwise);
  if (!t.defined()) return out;
  GradModeGuard off(false);
  Tensor wide = plain(to_dtype(detach(t), DType::F64));
  std::copy(wide.data<double>(), wide.data<double>() + n, out.begin());
  return out;
}

Tensor from_doubles(const std::vector<double>& values, DType dtype) {
  Tensor wide = Tensor::empty(Dims{static_cast<int64_t>(values.size())}, DType::F64);
  std::copy(values.begin(), values.end(), wide.data<double>());
  return to_dtype(wide, dtype);
}

// The gradients of y = (x - mean) * rstd * weight + bias, where each sample's channels fall into `groups` groups that
// share mean and rstd (group norm), or each channel has one over all samples (batch norm, groups == 0). With `frozen`
// mean and rstd are constants.
struct ChannelGradient {
  Tensor dx;
  std::vector<double> dweight, dbias;

  ChannelGradient(const Tensor& g_in, const Tensor& x_in, const Tensor& mean, const Tensor& rstd, const Tensor& weight,
                  int64_t groups, bool frozen, bool needs_x) {
    Tensor g = plain(to_dtype(g_in, x_in.dtype())), x = plain(x_in);
    int64_t batch = x.sizes()[0], channels = x.sizes()[1], rows = batch * channels, n = x.numel() / rows;
    int64_t stats = groups ? batch * groups : channels, width = groups ? channels / groups : 1;
    std::vector<double> m = as_doubles(mean, stats, 0), s = as_doubles(rstd, stats, 1),
                        w = as_doubles(weight, channels, 1);
    auto group_of = [&](int64_t row) { return static_cast<size_t>(groups ? row / width : row % channels); };
    auto channel_of = [&](int64_t row) { return static_cast<size_t>(row % channels); };
    RowCoefficients center(x.dtype(), rows);
    for (int64_t r = 0; r < rows; ++r) center.set(r, m[group_of(r)]);
    std::vector<double> sums(static_cast<size_t>(rows)), dots(static_cast<size_t>(rows));
    cpu::channel_norm().gradient_sums(x.dtype(), g.raw(), x.raw(), center.raw(), rows, n, sums.data(), dots.data());
    dweight.assign(static_cast<size_t>(channels), 0);
    dbias = dweight;
    std::vector<double> total(static_cast<size_t>(stats)), along(static_cast<size_t>(stats));
    for (int64_t r = 0; r < rows; ++r) {
      size_t c = channel_of(r), k = group_of(r), i = static_cast<size_t>(r);
      dweight[c] += dots[i] * s[k];
      dbias[c] += sums[i];
      total[k] += sums[i] * w[c];
      along[k] += dots[i] * w[c];
    }
    if (!needs_x) return;
    double count = static_cast<double>(x.numel() / stats);
    RowCoefficients a(x.dtype(), rows), b(x.dtype(), rows), c(x.dtype(), rows);
    for (int64_t r = 0; r < rows; ++r) {
      size_t k = group_of(r);
      a.set(r, s[k] * w[channel_of(r)]);
      b.set(r, frozen ? 0 : -s[k] * s[k] * s[k] * along[k] / count);
      c.set(r, frozen ? 0 : -s[k] * total[k] / count);
    }
    dx = Tensor::empty(x.sizes(), x.dtype());
    cpu::channel_norm().combine(x.dtype(), g.raw(), x.raw(), center.raw(), a.raw(), b.raw(), c.raw(), rows, n,
                                dx.raw());
  }
};

// Short rows are better served by broadcasting, and channels_last tensors stay as they are.
bool as_channel_rows(const Tensor& x) {
  return x.is_contiguous() && x.numel() > 0 && x.numel() / (x.sizes()[0] * x.sizes()[1]) >= 8;
}

// x * scale + shift, both one per (sample, channel) given by row.
template <class Scale, class Shift>
Tensor affine_rows(const Tensor& x, const Scale& scale, const Shift& shift) {
  int64_t rows = x.sizes()[0] * x.sizes()[1];
  RowCoefficients a(x.dtype(), rows), b(x.dtype(), rows);
  for (int64_t r = 0; r < rows; ++r) {
    a.set(r, scale(r));
    b.set(r, shift(r));
  }
  Tensor out = Tensor::empty(x.sizes(), x.dtype());
  cpu::channel_norm().affine(x.dtype(), x.raw(), a.raw(), b.raw(), rows, x.numel() / rows, out.raw());
  return out;
}

// --- group norm ----------------------------------------------------------------------------------------------------------

// A vector over the channels, ready to broadcast against an input of `dim` axes.
Tensor over_channels(const Tensor& t, int64_t dim) {
  Dims sizes(dim, 1);
  sizes[1] = t.numel();
  return reshape(t, sizes);
}

Tensor group_norm(const Tensor& x, int64_t groups, const Tensor& weight, const Tensor& bias, double eps, bool) {
  check(x.dim() >= 2, "Expected at least 2 dimensions for input tensor but received ", x.dim());
  int64_t channels = x.sizes()[1], batch = x.sizes()[0];
  check(groups > 0, "Expected num groups to be greater than 0, got ", groups);
  check(channels % groups == 0,
        "Expected number of channels in input to be divisible by num_groups, but got input of shape ",
        shape_str(x.sizes()), " and num_groups=", groups);
  auto per_channel = [&](const Tensor& t) { return !t.defined() || (t.dim() == 1 && t.numel() == channels); };
  check(per_channel(weight),
        "Expected weight to be a vector of size equal to the number of channels in input, but got weight of shape ",
        weight.defined() ? shape_str(weight.sizes()) : "", " and input of shape ", shape_str(x.sizes()));
  check(per_channel(bias),
        "Expected bias to be a vector of size equal to the number of channels in input, but got bias of shape ",
        bias.defined() ? shape_str(bias.sizes()) : "", " and input of shape ", shape_str(x.sizes()));
  if (!is_floating(x.dtype())) not_implemented_for("GroupNormKernelImpl", x.dtype());
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
    if (is_wide(x.dtype()) && (weight.defined() || bias.defined()) && as_channel_rows(out)) {
      std::vector<double> w = as_doubles(weight, channels, 1), b = as_doubles(bias, channels, 0);
      out = affine_rows(
          out, [&](int64_t r) { return w[static_cast<size_t>(r % channels)]; },
          [&](int64_t r) { return b[static_cast<size_t>(r % channels)]; });
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
             ChannelGradient d(g, x, ctx.saved(2), ctx.saved(3), weight, groups, false, ctx.needs(0));
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
           if (ctx.needs(2)) ctx.set(2, to_dtype(sum(g, rest, false), bias_dtype));
         });
  return out;
}

// --- batch norm ------------------------------------------------------------------------------------------------------------

// Mean and (biased) variance of each channel.
std::pair<Tensor, Tensor> channel_moments(const Tensor& t) {
  const Tensor x = to_dtype(detach(t), stats_dtype(t.dtype()));
  int64_t batch = x.sizes()[0], channels = x.sizes()[1], length = channels && batch ? x.numel() / batch / channels : 0;
  Tensor means = Tensor::empty(Dims{channels}, x.dtype());
  if (!x.is_contiguous() || length < 16) {
    DimSet set = all_dims(x.dim()) & ~DimSet{2};
    Tensor var = reduce(x, set, false, x.dtype(), [&](DType in, const void* p, const cpu::ReduceShape& shape, void* o) {
      cpu::reduce_moments().var_mean(in, p, shape, 0, false, o, means.raw());
    });
    return {means, var};
  }
  // Each (sample, channel) first, as they lie in memory; then the samples' moments are put together.
  Tensor part_mean = Tensor::empty(Dims{batch, channels}, x.dtype()),
         part_var = Tensor::empty(Dims{batch, channels}, x.dtype());
  Tensor var = Tensor::empty(Dims{channels}, x.dtype());
  cpu::reduce_moments().var_mean(x.dtype(), x.raw(), cpu::ReduceShape::contiguous(batch * channels, length, 1), 0,
                                 false, part_var.raw(), part_mean.raw());
  auto join = [&](auto zero) {
    using T = decltype(zero);
    const T *m = part_mean.data<T>(), *v = part_var.data<T>();
    for (int64_t c = 0; c < channels; ++c) {
      double center = 0, spread = 0;
      for (int64_t i = 0; i < batch; ++i) center += static_cast<double>(m[i * channels + c]);
      center /= static_cast<double>(batch);
      for (int64_t i = 0; i < batch; ++i) {
        double off = static_cast<double>(m[i * channels + c]) - center;
        spread += static_cast<double>(v[i * channels + c]) + off * off;
      }
      means.data<T>()[c] = static_cast<T>(center);
      var.data<T>()[c] = static_cast<T>(spread / static_cast<double>(batch));
    }
  };
  if (x.dtype() == DType::F64)
    join(double{});
  else
    join(float{});
  return {means, var};
}

void update_running(const Tensor& running, const Tensor& now, double momentum) {
  if (!running.defined()) return;
  Tensor old = detach(running);
  copy_data(running, add(mul(old, 1 - momentum), mul(now, momentum)));
  changed_in_place(running, "batch_norm");
}

Tensor batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                  const Tensor& running_var, bool training, double momentum, double eps, bool) {
  check(x.dim() >= 2, "batch_norm: expected an input of at least 2 dimensions (batch and channels), got shape ",
        shape_str(x.sizes()));
  int64_t channels = x.sizes()[1];
  auto check_size = [&](const Tensor& t, const char* name) {
    check(!t.defined() || t.numel() == channels, name, " should contain ", channels, " elements not ",
          t.defined() ? t.numel() : 0);
  };
  check(training || running_mean.defined(), "running_mean must be defined in evaluation mode");
  check(training || running_var.defined(), "running_var must be defined in evaluation mode");
  check_size(running_mean, "running_mean");
  check_size(running_var, "running_var");
  check_size(weight, "weight");
  check_size(bias, "bias");
  if (!is_floating(x.dtype())) not_implemented_for("batch_norm", x.dtype());
  Tensor means, invstd, out;
  int64_t n = channels ? x.numel() / channels : 0;
  {
    GradModeGuard off(false);
    DType stats = stats_dtype(x.dtype());
    Tensor var;
    if (training) {
      std::tie(means, var) = channel_moments(x);
      update_running(running_mean, means, momentum);
      update_running(running_var, mul(var, static_cast<double>(n) / std::max<double>(static_cast<double>(n) - 1, 1)),
                     momentum);
    } else {
      means = clone(to_dtype(detach(running_mean), stats));
      var = to_dtype(detach(running_var), stats);
    }
    invstd = call<pointwise::Rsqrt>(add(var, eps));
    Tensor scale = weight.defined() ? mul(invstd, to_dtype(detach(weight), stats)) : invstd;
    Tensor shift = neg(mul(means, scale));
    if (bias.defined()) shift = add(shift, to_dtype(detach(bias), stats));
    if (as_channel_rows(x)) {
      std::vector<double> a = as_doubles(scale, channels, 1), b = as_doubles(shift, channels, 0);
      out = affine_rows(
          detach(x), [&](int64_t r) { return a[static_cast<size_t>(r % channels)]; },
          [&](int64_t r) { return b[static_cast<size_t>(r % channels)]; });
    } else {
      out =
          to_dtype(call<pointwise::Addcmul>(over_channels(shift, x.dim()), detach(x), over_channels(scale, x.dim()), 1),
                   x.dtype());
    }
  }
  record(
      "NativeBatchNormBackward0", out, {x, weight, bias}, {x, weight, means, invstd},
      [training, eps, n, bias_dtype = bias.defined() ? bias.dtype() : x.dtype()](Backward& ctx) {
        Tensor x = ctx.saved(0), weight = ctx.saved(1), g = ctx.grad();
        Dims dims{0};
        for (int64_t d = 2; d < x.dim(); ++d) dims.push_back(d);
        auto channel = [&](const Tensor& t) { return over_channels(t, x.dim()); };
        auto give = [&](int i, const Tensor& t, DType dtype) {
          if (ctx.needs(i)) ctx.set(i, to_dtype(t, dtype));
        };
        if (Backward::create_graph() && training) {
          Normalised y(x, dims, eps, true);
          give(0, ctx.needs(0) ? y.backward(weight.defined() ? mul(g, channel(weight)) : g, dims, true) : g, x.dtype());
          if (ctx.needs(1)) give(1, sum(mul(g, y.hat), dims, false), weight.dtype());
          if (ctx.needs(2)) give(2, sum(g, dims, false), bias_dtype);
          return;
        }
        Tensor mean = ctx.saved(2), invstd = ctx.saved(3);
        if (!Backward::create_graph() && as_channel_rows(x)) {
          ChannelGradient d(g, x, mean, invstd, weight, 0, !training, ctx.needs(0));
          if (ctx.needs(0)) ctx.set(0, d.dx);
          if (ctx.needs(1)) ctx.set(1, from_doubles(d.dweight, weight.dtype()));
          if (ctx.needs(2)) ctx.set(2, from_doubles(d.dbias, bias_dtype));
          return;
        }
        Tensor total = training || ctx.needs(2) ? sum(g, dims, false) : Tensor(), dot;
        if (training || ctx.needs(1)) dot = sum(mul(sub(x, channel(mean)), g), dims, false);
        if (ctx.needs(1)) give(1, mul(dot, invstd), weight.dtype());
        if (ctx.needs(2)) give(2, total, bias_dtype);
        if (!ctx.needs(0)) return;
        Tensor scale = weight.defined() ? mul(invstd, weight) : invstd;
        if (!training) return give(0, mul(g, channel(scale)), x.dtype());
        // scale * (g - total / n - (x - mean) invstd^2 dot / n), as g * scale + x * b + c.
        double size = static_cast<double>(n);
        Tensor b = neg(div(mul(mul(scale, square(invstd)), dot), size));
        Tensor c = neg(add(div(mul(scale, total), size), mul(mean, b)));
        give(0, call<pointwise::Addcmul>(call<pointwise::Addcmul>(channel(c), x, channel(b), 1), g, channel(scale), 1),
             x.dtype());
      });
  return out;
}

// Every sample's channels are channels of their own.
Tensor instance_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                     const Tensor& running_var, bool use_input_stats, double momentum, double eps, bool) {
  check(use_input_stats || (running_mean.defined() && running_var.defined()),
        "Expected running_mean and running_var to be defined when use_input_stats is false");
  check(x.dim() >= 2, "instance_norm: expected an input of at least 2 dimensions, got shape ", shape_str(x.sizes()));
  int64_t batch = x.sizes()[0], channels = x.sizes()[1];
  auto repeated = [&](const Tensor& t) {
    return t.defined() ? reshape(expand(t, Dims{batch, t.numel()}), Dims{batch * t.numel()}) : t;
  };
  Tensor mean_each, var_each;
  {
    GradModeGuard off(false);
    mean_each = running_mean.defined() ? clone(repeated(detach(running_mean))) : Tensor();
    var_each = running_var.defined() ? clone(repeated(detach(running_var))) : Tensor();
  }
  Dims sizes(x.sizes());
  sizes[0] = 1;
  sizes[1] = batch * channels;
  Tensor out = batch_norm(view(contiguous(x), sizes), repeated(weight), repeated(bias), mean_each, var_each,
                          use_input_stats, momentum, eps, false);
  if (use_input_stats) {
    GradModeGuard off(false);
    for (auto [running, each] : {std::pair(running_mean, mean_each), std::pair(running_var, var_each)})
      if (running.defined()) {
        copy_data(running, mean(view(each, Dims{batch, channels}), Dims{0}, false));
        changed_in_place(running, "instance_norm");
      }
  }
  return view(out, x.sizes());
}

}  // namespace

static const Family family([](Registry& r) {
  constexpr Traits kFunction{.method = false};
  r.op<&layer_norm>(
      "layer_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool cudnn_enable=True) -> Tensor",
      "(input - mean) / sqrt(variance + eps) over the last axes, times weight plus bias.", kFunction);
  r.op<&rms_norm>("rms_norm(Tensor input, int[] normalized_shape, Tensor? weight=None, float? eps=None) -> Tensor",
                  "input / sqrt(mean(input^2) + eps) over the last axes, times weight.", kFunction);
  r.op<&group_norm>(
      "group_norm(Tensor input, int num_groups, Tensor? weight=None, Tensor? bias=None, float eps=1e-05, bool cudnn_enabled=True) -> Tensor",
      "Normalises each group of channels of each sample, then weight and bias per channel.", kFunction);
  r.op<&batch_norm>(
      "batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, float momentum, float eps, bool cudnn_enabled) -> Tensor",
      "Normalises each channel over the batch (training; the running statistics are updated) or by the running statistics.",
      kFunction);
  r.op<&instance_norm>(
      "instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool use_input_stats, float momentum, float eps, bool cudnn_enabled) -> Tensor",
      "Normalises each channel of each sample.", kFunction);
});

}  // namespace rl
