// Batch and instance norm.
#include <cmath>

#include "kernels/channel_norm.h"
#include "ops/creation.h"
#include "ops/differentiability.h"
#include "ops/normalization.h"

namespace rl {
namespace {

using namespace formula;
using Doubles = std::vector<double>;

// The strides that put the channels last.
Dims channels_innermost(IntSpan sizes) {
  const int64_t dim = static_cast<int64_t>(sizes.size());
  Dims strides(dim, 1);
  int64_t step = std::max<int64_t>(sizes[1], 1);
  for (int64_t d = dim - 1; d > 1; --d) {
    strides[d] = step;
    step *= std::max<int64_t>(sizes[static_cast<size_t>(d)], 1);
  }
  strides[0] = step;
  return strides;
}

// An input's channels as the kernels see them: as rows (N, C, ... lies that way and a row is long enough), or as columns
// (channels last; (N, C) itself).
struct Channels {
  int64_t batch, count, length;
  bool columns;   // how the kernels shall see them
  bool restored;  // the result goes back to the contiguous layout
  Dims sizes, strides;

  explicit Channels(const Tensor& x) : batch(x.sizes()[0]), count(x.sizes()[1]), sizes(x.sizes()) {
    length = x.numel() / (batch * count);
    Dims innermost = channels_innermost(x.sizes());
    const bool last = lies(x, innermost);
    columns = last || length < 8;
    restored = columns && !last;
    strides = columns ? innermost : contiguous_strides(x.sizes());
  }
  static bool lies(const Tensor& x, IntSpan strides) {
    for (size_t d = 0; d < strides.size(); ++d)
      if (x.sizes()[d] != 1 && x.strides()[d] != strides[d]) return false;
    return true;
  }
  Tensor make(DType dtype) const { return Tensor::empty_strided(sizes, strides, dtype); }
  Tensor arrange(const Tensor& t) const {
    if (lies(t, strides)) return t;
    Tensor out = make(t.dtype());
    copy_data(out, t);
    return out;
  }
  Tensor restore(const Tensor& t) const { return restored ? contiguous(t) : t; }
  int64_t rows() const { return columns ? batch * length : batch * count; }
  int64_t width() const { return columns ? count : length; }
  double samples() const { return static_cast<double>(batch * length); }

  void moments(const Tensor& x, Doubles& mean, Doubles& var) const {
    const size_t n = static_cast<size_t>(count);
    mean.assign(n, 0);
    var.assign(n, 0);
    if (columns) return cpu::channel_norm().column_moments(x.dtype(), x.raw(), rows(), count, mean.data(), var.data());
    // Each (sample, channel) first, as they lie in memory; then the samples' moments are put together.
    Tensor means = Tensor::empty(Dims{rows()}, x.dtype()), vars = Tensor::empty(Dims{rows()}, x.dtype());
    cpu::reduce_moments().var_mean(x.dtype(), x.raw(), cpu::ReduceShape::contiguous(rows(), length, 1), 0, false,
                                   vars.raw(), means.raw());
    if (x.dtype() == DType::F64)
      join(means.data<double>(), vars.data<double>(), mean, var);
    else
      join(means.data<float>(), vars.data<float>(), mean, var);
  }

  void affine(const Tensor& x, const Doubles& scale, const Doubles& shift, const Tensor& out) const {
    Tensor a = from_doubles(scale, x.dtype()), b = from_doubles(shift, x.dtype());
    if (columns)
      cpu::channel_norm().column_affine(x.dtype(), x.raw(), a.raw(), b.raw(), rows(), count, out.raw());
    else
      cpu::channel_norm().affine(x.dtype(), x.raw(), a.raw(), b.raw(), rows(), length, count, out.raw());
  }

  // The sums of g and of g * (x - mean) per channel.
  void gradient_sums(const Tensor& g, const Tensor& x, const Tensor& mean, Doubles& sums, Doubles& dots) const {
    const size_t n = static_cast<size_t>(count);
    sums.assign(n, 0);
    dots.assign(n, 0);
    if (columns)
      return cpu::channel_norm().column_gradient_sums(x.dtype(), g.raw(), x.raw(), mean.raw(), rows(), count,
                                                      sums.data(), dots.data());
    Doubles row_sums(static_cast<size_t>(rows())), row_dots(static_cast<size_t>(rows()));
    cpu::channel_norm().gradient_sums(x.dtype(), g.raw(), x.raw(), mean.raw(), rows(), length, count, row_sums.data(),
                                      row_dots.data());
    for (size_t r = 0; r < row_sums.size(); r += n)
      for (size_t c = 0; c < n; ++c) {
        sums[c] += row_sums[r + c];
        dots[c] += row_dots[r + c];
      }
  }

  void combine(const Tensor& g, const Tensor& x, const Tensor& mean, const Doubles& a, const Doubles& b,
               const Doubles& c, const Tensor& out) const {
    Tensor ga = from_doubles(a, x.dtype()), xb = from_doubles(b, x.dtype()), rest = from_doubles(c, x.dtype());
    if (columns)
      cpu::channel_norm().column_combine(x.dtype(), g.raw(), x.raw(), mean.raw(), ga.raw(), xb.raw(), rest.raw(),
                                         rows(), count, out.raw());
    else
      cpu::channel_norm().combine(x.dtype(), g.raw(), x.raw(), mean.raw(), ga.raw(), xb.raw(), rest.raw(), rows(),
                                  length, count, out.raw());
  }

 private:
  template <class T>
  void join(const T* m, const T* v, Doubles& mean, Doubles& var) const {
    const size_t n = static_cast<size_t>(count), all = static_cast<size_t>(rows());
    const double parts = static_cast<double>(batch);
    for (size_t r = 0; r < all; r += n)
      for (size_t c = 0; c < n; ++c) mean[c] += static_cast<double>(m[r + c]);
    for (size_t c = 0; c < n; ++c) mean[c] /= parts;
    for (size_t r = 0; r < all; r += n)
      for (size_t c = 0; c < n; ++c) {
        const double off = static_cast<double>(m[r + c]) - mean[c];
        var[c] += static_cast<double>(v[r + c]) + off * off;
      }
    for (size_t c = 0; c < n; ++c) var[c] /= parts;
  }
};

// running = running * (1 - momentum) + now * momentum
void update_running(const Tensor& running, const Doubles& now, double factor, double momentum) {
  if (!running.defined()) return;
  Doubles next = as_doubles(running, running.numel(), 0);
  for (size_t c = 0; c < next.size(); ++c) next[c] = next[c] * (1 - momentum) + now[c] * factor * momentum;
  store_doubles(running, next);
  changed_in_place(running, "batch_norm");
}

struct BatchNormed {
  Tensor out, mean, invstd;
};

void record_batch_norm(const BatchNormed& r, const Tensor& x, const Tensor& weight, const Tensor& bias, bool training,
                       double eps);

BatchNormed batch_norm_stats(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                             const Tensor& running_var, bool training, double momentum, double eps) {
  if (x.numel() != 0) {
    check_constant("native_batch_norm", "running_mean", running_mean);
    check_constant("native_batch_norm", "running_var", running_var);
  }
  if (x.dim() < 2 && x.numel() == 0) return {clone(x), {}, {}};
  check_index(x.dim() >= 2,
              "Dimension out of range: batch_norm expects an input of at least 2 dimensions (batch and channels), "
              "got shape ",
              shape_str(x.sizes()));
  const int64_t channels = x.sizes()[1];
  auto check_size = [&](const Tensor& t, const char* name) {
    check(!t.defined() || t.numel() == channels, name, " should contain ", channels, " elements not ",
          t.defined() ? t.numel() : 0, " (the input's shape is ", shape_str(x.sizes()), ")");
  };
  check(training || running_mean.defined(), "running_mean must be defined in evaluation mode");
  check(training || running_var.defined(), "running_var must be defined in evaluation mode");
  check_size(running_mean, "running_mean");
  check_size(running_var, "running_var");
  check_size(weight, "weight");
  check_size(bias, "bias");
  if (!is_floating(x.dtype())) not_implemented_for("batch_norm", x.dtype());
  check_one_dtype(x, {&weight, &bias, &running_mean, &running_var});
  const DType dtype = stats_dtype(x.dtype());
  BatchNormed r;
  {
    GradModeGuard off(false);
    Doubles mean, var;
    if (x.numel() == 0) {
      r.out = Tensor::empty_like(x);
      mean.assign(static_cast<size_t>(channels), 0);
      var.assign(static_cast<size_t>(channels), 0);
    }
    if (!training) {
      mean = as_doubles(running_mean, channels, 0);
      var = as_doubles(running_var, channels, 1);
    }
    if (x.numel() > 0) {
      const Channels layout(x);
      Tensor in = layout.arrange(to_dtype(detach(x), dtype));
      if (training) {
        layout.moments(in, mean, var);
        const double n = layout.samples();
        update_running(running_mean, mean, 1, momentum);
        update_running(running_var, var, n / std::max(n - 1, 1.0), momentum);
      }
      Doubles scale = as_doubles(weight, channels, 1), shift = as_doubles(bias, channels, 0);
      for (size_t c = 0; c < scale.size(); ++c) {
        var[c] = 1 / std::sqrt(var[c] + eps);
        scale[c] *= var[c];
        shift[c] -= mean[c] * scale[c];
      }
      r.out = layout.make(dtype);
      layout.affine(in, scale, shift, r.out);
      r.out = layout.restore(to_dtype(r.out, x.dtype()));
    }
    if (x.numel() == 0)
      for (double& v : var) v = 1 / std::sqrt(v + eps);
    r.mean = from_doubles(mean, dtype);
    r.invstd = from_doubles(var, dtype);
  }
  if (needs_gradient(x, weight, bias)) record_batch_norm(r, x, weight, bias, training, eps);
  return r;
}

void record_batch_norm(const BatchNormed& r, const Tensor& x, const Tensor& weight, const Tensor& bias, bool training,
                       double eps) {
  record("NativeBatchNormBackward0", r.out, {x, weight, bias}, {x, weight, r.mean, r.invstd},
         [training, eps, bias_dtype = bias.defined() ? bias.dtype() : x.dtype()](Backward& ctx) {
           Tensor x = ctx.saved(0), weight = ctx.saved(1), mean = ctx.saved(2), invstd = ctx.saved(3), g = ctx.grad();
           const int64_t channels = x.sizes()[1];
           if (x.numel() == 0) {
             if (ctx.needs(0)) ctx.set(0, zeros_like(x));
             if (ctx.needs(1)) ctx.set(1, zeros_like(weight));
             if (ctx.needs(2)) ctx.set(2, zeros(Dims{channels}, bias_dtype));
             return;
           }
           if (Backward::create_graph()) {
             Dims dims{0};
             for (int64_t d = 2; d < x.dim(); ++d) dims.push_back(d);
             auto give = [&](int i, const Tensor& t, DType dtype) { ctx.set(i, to_dtype(t, dtype)); };
             Tensor weighted = weight.defined() ? mul(g, over_channels(weight, x.dim())) : g;
             if (training) {
               Normalised y(x, dims, eps, true);
               if (ctx.needs(0)) give(0, y.backward(weighted, dims, true), x.dtype());
               if (ctx.needs(1)) give(1, sum(mul(g, y.hat), dims, false), weight.dtype());
             } else {
               Tensor rstd = over_channels(invstd, x.dim()), center = over_channels(mean, x.dim());
               if (ctx.needs(0)) give(0, mul(weighted, rstd), x.dtype());
               if (ctx.needs(1)) give(1, sum(mul(mul(sub(x, center), rstd), g), dims, false), weight.dtype());
             }
             if (ctx.needs(2)) give(2, tie_to_inputs(sum(g, dims, false), std::span<const Tensor>(&x, 1)), bias_dtype);
             return;
           }
           const Channels layout(x);
           const DType dtype = mean.dtype();
           Tensor xs = layout.arrange(to_dtype(detach(x), dtype)), gs = layout.arrange(to_dtype(detach(g), dtype));
           Doubles sums, dots, scale = as_doubles(invstd, channels, 1), w = as_doubles(weight, channels, 1);
           if (training || ctx.needs(1) || ctx.needs(2)) layout.gradient_sums(gs, xs, mean, sums, dots);
           if (ctx.needs(0)) {
             Doubles a(w.size()), b(w.size()), c(w.size());
             const double n = layout.samples();
             for (size_t i = 0; i < w.size(); ++i) {
               a[i] = scale[i] * w[i];
               if (!training) continue;
               b[i] = -a[i] * scale[i] * scale[i] * dots[i] / n;
               c[i] = -a[i] * sums[i] / n;
             }
             Tensor dx = layout.make(dtype);
             if (training)
               layout.combine(gs, xs, mean, a, b, c, dx);
             else
               layout.affine(gs, a, c, dx);
             ctx.set(0, layout.restore(to_dtype(dx, x.dtype())));
           }
           if (ctx.needs(1)) {
             for (size_t i = 0; i < dots.size(); ++i) dots[i] *= scale[i];
             ctx.set(1, from_doubles(dots, weight.dtype()));
           }
           if (ctx.needs(2)) ctx.set(2, from_doubles(sums, bias_dtype));
         });
}

Tensor batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                  const Tensor& running_var, bool training, double momentum, double eps, bool) {
  return batch_norm_stats(x, weight, bias, running_mean, running_var, training, momentum, eps).out;
}

std::tuple<Tensor, Tensor, Tensor> native_batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias,
                                                     const Tensor& running_mean, const Tensor& running_var,
                                                     bool training, double momentum, double eps) {
  BatchNormed r = batch_norm_stats(x, weight, bias, running_mean, running_var, training, momentum, eps);
  auto shown = [&](const Tensor& t) { return shown_stats(t, x, {&weight, &bias, &running_mean, &running_var}); };
  if (training && r.mean.defined()) return {r.out, shown(r.mean), shown(r.invstd)};
  const DType dtype = stats_dtype(x.dtype());
  return {r.out, shown(Tensor::empty(Dims{0}, dtype)), shown(Tensor::empty(Dims{0}, dtype))};
}

std::tuple<Tensor, Tensor, Tensor> native_batch_norm_no_stats(const Tensor& x, const Tensor& weight, const Tensor& bias,
                                                              bool training, double momentum, double eps) {
  return native_batch_norm(x, weight, bias, {}, {}, training, momentum, eps);
}

std::tuple<Tensor, Tensor, Tensor> native_batch_norm_no_training(const Tensor& x, const Tensor& weight,
                                                                 const Tensor& bias, const Tensor& running_mean,
                                                                 const Tensor& running_var, double momentum,
                                                                 double eps) {
  return native_batch_norm(x, weight, bias, running_mean, running_var, false, momentum, eps);
}

std::tuple<Tensor, Tensor, Tensor, Tensor> batch_norm_with_update(const Tensor& x, const Tensor& weight,
                                                                  const Tensor& bias, const Tensor& running_mean,
                                                                  const Tensor& running_var, double momentum,
                                                                  double eps) {
  BatchNormed r = batch_norm_stats(x, weight, bias, running_mean, running_var, true, momentum, eps);
  auto shown = [&](const Tensor& t) { return shown_stats(t, x, {&weight, &bias, &running_mean, &running_var}); };
  Tensor none = Tensor::empty(Dims{0}, stats_dtype(x.dtype()));
  return {r.out, shown(r.mean.defined() ? r.mean : none), shown(r.invstd.defined() ? r.invstd : none),
          Tensor::empty(Dims{0}, DType::U8)};
}

// Every sample's channels are channels of their own.
Tensor instance_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                     const Tensor& running_var, bool use_input_stats, double momentum, double eps, bool) {
  check(use_input_stats || (running_mean.defined() && running_var.defined()),
        "Expected running_mean and running_var to be defined when use_input_stats is false");
  check_constant("native_batch_norm", "running_mean", running_mean);
  check_constant("native_batch_norm", "running_var", running_var);
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
  const char* native_doc = "batch_norm, and (in training) the mean and 1 / sqrt(variance + eps) of each channel.";
  r.op<&batch_norm>(
      "batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, float momentum, float eps, bool cudnn_enabled) -> Tensor",
      "(n, c, ...): each channel normalised over all else, (input - mean) / sqrt(variance + eps), times\n"
      "weight plus bias, each (c,) (Ioffe and Szegedy 2015). In training by the batch's mean and biased\n"
      "variance, and running_mean and running_var move by the share momentum towards the mean and the\n"
      "unbiased variance; else by those. One value per channel in training is a ValueError in F. Floating\n"
      "dtypes.\n\n"
      ">>> x, mean, var = torch.tensor([[1.], [3.]]), torch.zeros(1), torch.ones(1)\n"
      ">>> F.batch_norm(x, mean, var, training=True), mean, var\n(tensor([[-1.0000],\n"
      "        [ 1.0000]]), tensor([0.2000]), tensor([1.1000]))\n",
      kFunction);
  r.op<&native_batch_norm>(
      "native_batch_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
      "batch_norm(), and (in training) the mean and 1 / sqrt(variance + eps) of each channel.\n\n"
      ">>> x = torch.tensor([[1.], [3.]])\n"
      ">>> torch.native_batch_norm(x, None, None, None, None, True, 0.1, 0.0)\n(tensor([[-1.],\n"
      "        [ 1.]]), tensor([2.]), tensor([1.]))\n",
      kFunction);
  r.op<&native_batch_norm>(
      "_native_batch_norm_legit(Tensor input, Tensor? weight, Tensor? bias, Tensor running_mean, Tensor running_var, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
      native_doc, kFunction);
  r.op<&native_batch_norm_no_stats>(
      "_native_batch_norm_legit.no_stats(Tensor input, Tensor? weight, Tensor? bias, bool training, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
      native_doc, kFunction);
  r.op<&native_batch_norm_no_training>(
      "_native_batch_norm_legit_no_training(Tensor input, Tensor? weight, Tensor? bias, Tensor running_mean, Tensor running_var, float momentum, float eps) -> (Tensor, Tensor, Tensor)",
      native_doc, kFunction);
  r.op<&batch_norm_with_update>(
      "_batch_norm_with_update(Tensor input, Tensor? weight, Tensor? bias, Tensor running_mean, Tensor running_var, float momentum, float eps) -> (Tensor, Tensor, Tensor, Tensor)",
      native_doc, kFunction);
  r.op<&instance_norm>(
      "instance_norm(Tensor input, Tensor? weight, Tensor? bias, Tensor? running_mean, Tensor? running_var, bool use_input_stats, float momentum, float eps, bool cudnn_enabled) -> Tensor",
      "(n, c, ...): each channel of each sample normalised to mean 0 and (biased) variance 1, then times\n"
      "weight plus bias, each (c,) (Ulyanov et al. 2016). Without use_input_stats, by the running\n"
      "statistics. Floating dtypes.\n\n"
      ">>> F.instance_norm(torch.tensor([[[1., 3.], [10., 30.]]]))\ntensor([[[-1.0000,  1.0000],\n"
      "         [-1.0000,  1.0000]]])\n",
      kFunction);
});

}  // namespace rl
