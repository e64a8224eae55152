// Fractional max pooling, and the way back from max pooling's indices.
#include <algorithm>
#include <limits>
#include <vector>

#include "kernels/pool.h"
#include "ops/creation.h"
#include "ops/index_util.h"
#include "ops/pointwise.h"
#include "runtime/parallel.h"

namespace rl {
namespace {

DType wide(DType d) { return d == DType::F64 ? DType::F64 : is_floating(d) ? DType::F32 : d; }

// --- fractional ----------------------------------------------------------------------------------------------------------------

// Where the windows begin along one axis: evenly spread but for the sample, the last one at the end. Rounded at each step
// as PyTorch does in T.
template <class T>
void starts(double sample_in, int64_t in, int64_t out, int64_t kernel, int64_t* to) {
  auto rounded = [](double v) {
    return static_cast<double>(static_cast<float>(static_cast<T>(static_cast<float>(v))));
  };
  auto round = [&](double v) {
    if constexpr (std::is_same_v<T, double>)
      return v;
    else
      return rounded(v);
  };
  const double sample = round(sample_in);
  if (out > 1) {
    const double alpha = round(round(static_cast<double>(in - kernel)) / round(static_cast<double>(out - 1)));
    for (int64_t i = 0; i < out - 1; ++i)
      to[i] = static_cast<int64_t>(round(round(static_cast<double>(i) + sample) * alpha)) -
              static_cast<int64_t>(round(sample * alpha));
  }
  if (out > 0) to[out - 1] = in - kernel;
  for (int64_t i = 0; i < out; ++i) to[i] = std::clamp<int64_t>(to[i], 0, in - kernel);  // whatever the sample was
}

void starts(DType dtype, double sample, int64_t in, int64_t out, int64_t kernel, int64_t* to) {
  switch (dtype) {
    case DType::F64: return starts<double>(sample, in, out, kernel, to);
    case DType::F16: return starts<Half>(sample, in, out, kernel, to);
    case DType::BF16: return starts<BFloat16>(sample, in, out, kernel, to);
    default: return starts<float>(sample, in, out, kernel, to);
  }
}

template <class T>
void fractional_planes(DType dtype, const T* x, const double* samples, const PoolShape& s, int axes, T* out,
                       int64_t* index) {
  const int64_t ins = s.in_size(), outs = s.out_size();
  parallel_for(s.planes, std::max<int64_t>(1, 16384 / (ins + outs)), [&](int64_t begin, int64_t end) {
    std::vector<int64_t> from[3];
    for (int a = 0; a < 3; ++a) from[a].resize(static_cast<size_t>(s.axis[a].out));
    for (int64_t p = begin; p < end; ++p) {
      // The samples of a plane stand for (depth,) height, width in 3-d, for width, height in 2-d.
      for (int a = 3 - axes; a < 3; ++a)
        starts(dtype, samples[p * axes + (axes == 3 ? a : 2 - a)], s.axis[a].in, s.axis[a].out, s.axis[a].kernel,
               from[a].data());
      const T* plane = x + p * ins;
      int64_t o = p * outs;
      for (int64_t d0 : from[0])
        for (int64_t h0 : from[1])
          for (int64_t w0 : from[2]) {
            T best = -std::numeric_limits<T>::infinity();
            int64_t at = (d0 * s.axis[1].in + h0) * s.axis[2].in + w0;
            for (int64_t d = d0; d < d0 + s.axis[0].kernel; ++d)
              for (int64_t h = h0; h < h0 + s.axis[1].kernel; ++h)
                for (int64_t w = w0; w < w0 + s.axis[2].kernel; ++w) {
                  const int64_t i = (d * s.axis[1].in + h) * s.axis[2].in + w;
                  if (plane[i] > best || plane[i] != plane[i]) best = plane[i], at = i;
                }
            out[o] = best;
            index[o++] = at;
          }
    }
  });
}

template <int kAxes>
std::tuple<Tensor, Tensor> fractional_max_pool(const Tensor& x, IntSpan kernel, IntSpan output, const Tensor& samples) {
  static constexpr const char* kName = kAxes == 2 ? "fractional_max_pool2d" : "fractional_max_pool3d";
  static constexpr const char* kNode = kAxes == 2 ? "FractionalMaxPool2DBackward0" : "FractionalMaxPool3DBackward0";
  check(kernel.size() == 1 || kernel.size() == kAxes, kName,
        ": kernel_size must either be a single Int or tuple of Ints, one per dimension");
  check(output.size() == 1 || output.size() == kAxes, kName,
        ": output_size must either be a single Int or tuple of Ints, one per dimension");
  check(x.dim() == kAxes + 1 || x.dim() == kAxes + 2, kName, "(): Expected ", kAxes + 1, "D or ", kAxes + 2,
        "D tensor, but got: ", shape_str(x.sizes()));
  for (int64_t d = x.dim() == kAxes + 2; d < x.dim(); ++d)
    check(x.sizes()[d] > 0, kName,
          "(): Expected input to have non-zero size for non-batch dimensions, but got: ", shape_str(x.sizes()),
          " with dimension ", d, " being empty.");
  if (!is_floating(x.dtype())) not_implemented_for(kName, x.dtype());
  const int64_t batch = x.dim() == kAxes + 2 ? x.sizes()[0] : 1, channels = x.sizes()[x.dim() - kAxes - 1];
  check(samples.dtype() == x.dtype(), "Expect _random_samples to have the same dtype as input");
  check(samples.dim() == 3, "Expect _random_samples to have exactly three dimensions, got ", samples.dim());
  check(samples.sizes()[0] >= batch, "Expect _random_samples.size(0) no less then input batch size.");
  check(samples.sizes()[1] == channels, "Expect _random_samples.size(1) equals to input channel size.");
  check(samples.sizes()[2] == kAxes, "Expect _random_samples.size(2) equals to ", kAxes, "; got ", samples.sizes()[2],
        ".");
  PoolShape s;
  s.planes = batch * channels;
  Dims sizes(x.sizes());
  for (int i = 0; i < kAxes; ++i) {
    PoolAxis& a = s.axis[3 - kAxes + i];
    a.in = x.sizes()[x.dim() - kAxes + i];
    a.kernel = kernel[kernel.size() == 1 ? 0 : static_cast<size_t>(i)];
    a.out = output[output.size() == 1 ? 0 : static_cast<size_t>(i)];
    check(a.kernel > 0 && a.out >= 0, kName, ": kernel_size and output_size must be positive, got ", a.kernel, " and ",
          a.out);
    check(a.kernel <= a.in && a.out <= a.in - a.kernel + 1, kName, "(): pool size ", a.kernel,
          " too large relative to input size ", a.in, " in dimension ", x.dim() - kAxes + i, " for an output of ",
          a.out);
    sizes[x.dim() - kAxes + i] = a.out;
  }
  Tensor out, index = Tensor::empty(sizes, DType::I64);
  {
    GradModeGuard off(false);
    Tensor in = plain(to_dtype(detach(x), wide(x.dtype()))), draws = plain(to_dtype(detach(samples), DType::F64));
    out = Tensor::empty(sizes, in.dtype());
    if (out.numel() > 0) {
      if (in.dtype() == DType::F64)
        fractional_planes(x.dtype(), in.data<double>(), draws.data<double>(), s, kAxes, out.data<double>(),
                          index.data<int64_t>());
      else
        fractional_planes(x.dtype(), in.data<float>(), draws.data<double>(), s, kAxes, out.data<float>(),
                          index.data<int64_t>());
    }
    out = to_dtype(out, x.dtype());
  }
  const Tensor outs[] = {out, index};
  record(kNode, std::span<const Tensor>(outs), std::span<const Tensor>(&x, 1), {Keep(x), Keep(index)},
         [s](Backward& ctx) {
           if (!ctx.has_grad(0)) return;
           Tensor x = ctx.saved(0), flat = zeros(Dims{s.planes, s.in_size()}, ctx.grad(0).dtype());
           Tensor where = reshape(ctx.saved(1), Dims{s.planes, s.out_size()});
           Tensor dx = reshape(scatter_add(flat, 1, where, reshape(ctx.grad(0), where.sizes())), x.sizes());
           ctx.set(0, tie_to_inputs(dx, std::span<const Tensor>(&x, 1)));
         });
  return {out, index};
}

// --- unpooling -----------------------------------------------------------------------------------------------------------------

template <class Sizes>
std::string by_x(const Sizes& sizes) {
  std::string text;
  for (int64_t n : sizes) text += (text.empty() ? "" : "x") + std::to_string(n);
  return text;
}

// x's elements where index says, zeros elsewhere.
Tensor max_unpool(const char* name, const char* node, int axes, const Tensor& x, const Tensor& index, IntSpan output) {
  check(index.dtype() == DType::I64,
        "elements in indices should be type int64 but got: ", scalar_type_name(index.dtype()));
  check(static_cast<int>(output.size()) == axes, "There should be exactly ",
        axes == 2 ? "two elements (height, width)" : "three elements (depth, height, width)",
        " in output_size, but got ", output.size(), " elements.");
  check(x.dim() == axes + 1 || x.dim() == axes + 2, "Input to ", name, " should be a ", axes + 1, "d or ", axes + 2,
        "d Tensor, but got a tensor with ", x.dim(), " dimensions.");
  check(same_shape(x, index), "Expected shape of indices to be same as that of the input tensor (",
        shape_str(x.sizes()), ") but got indices tensor with shape: ", shape_str(index.sizes()));
  for (int64_t d = 1; d < x.dim(); ++d)
    check(x.sizes()[d] > 0, name, "(): Expected input to have non-zero size for non-batch dimensions, but got ",
          shape_str(x.sizes()), " with dimension ", d, " being empty.");
  if (x.dtype() == DType::Bool || is_complex_dtype(x.dtype())) not_implemented_for(name, x.dtype());
  Dims sizes(x.sizes());
  int64_t planes = 1, ins = 1, outs = 1;
  for (int64_t d = 0; d < x.dim() - axes; ++d) planes *= x.sizes()[d];
  for (int i = 0; i < axes; ++i) {
    ins *= x.sizes()[x.dim() - axes + i];
    sizes[x.dim() - axes + i] = output[static_cast<size_t>(i)];
    check(output[static_cast<size_t>(i)] >= 0, name, ": negative output_size ", shape_str(output));
    outs *= output[static_cast<size_t>(i)];
  }
  const Dims flat{planes, ins};
  Tensor where = plain(index);
  const int64_t* at = where.data<int64_t>();
  for (int64_t i = 0; i < where.numel(); ++i)
    check(at[i] >= 0 && at[i] < outs, "Found an invalid max index: ", at[i], " (output volumes are of size ",
          by_x(output), ")");
  Tensor out;
  {
    GradModeGuard off(false);
    Tensor empty = zeros(Dims{planes, outs}, x.dtype());
    if (x.numel() > 0) empty = scatter_src(empty, 1, reshape(where, flat), reshape(detach(x), flat));
    out = reshape(empty, sizes);
  }
  record(node, out, {x}, {x, where}, [planes, outs, flat](Backward& ctx) {
    Tensor x = ctx.saved(0), g = reshape(ctx.grad(), Dims{planes, outs});
    Tensor dx = reshape(gather(g, 1, reshape(ctx.saved(1), flat), false), x.sizes());
    ctx.set(0, tie_to_inputs(dx, std::span<const Tensor>(&x, 1)));
  });
  return out;
}

Tensor max_unpool2d(const Tensor& x, const Tensor& index, IntSpan output) {
  return max_unpool("max_unpooling2d_forward_out_cpu", "MaxUnpool2DBackward0", 2, x, index, output);
}

Tensor max_unpool3d(const Tensor& x, const Tensor& index, IntSpan output, IntSpan stride, IntSpan padding) {
  check(stride.size() == 3,
        "There should be exactly three elements (depth, height, width) in stride, but got: ", stride.size(),
        " elements.");
  check(padding.size() == 3,
        "There should be exactly three elements (depth, height, width) in padding, but got: ", padding.size(),
        " elements.");
  for (int64_t s : stride) check(s > 0, "strides should be greater than zero, but got stride: ", shape_str(stride));
  return max_unpool("max_unpooling3d_forward_out_cpu", "MaxUnpool3DBackward0", 3, x, index, output);
}

}  // namespace

static const Family family([](Registry& r) {
  constexpr Traits kFunction{.method = false};
  r.op<&fractional_max_pool<2>>(
      "fractional_max_pool2d(Tensor self, int[2] kernel_size, int[2] output_size, Tensor random_samples) -> (Tensor, Tensor)",
      "The largest element of each of output_size windows of kernel_size, and its place in the plane\n"
      "(int64), over the last two axes of (n, c, h, w) or (c, h, w). Where the windows begin is drawn\n"
      "(Graham 2014): random_samples, (n, c, 2) in [0, 1), shifts them, so that the step between them is h\n"
      "/ output_size on average. Windows that do not fit are a RuntimeError.\n\n"
      ">>> x = torch.arange(16.).view(1, 1, 4, 4)\n"
      ">>> F.fractional_max_pool2d(x, 2, output_size=2, _random_samples=torch.zeros(1, 1, 2))\n"
      "tensor([[[[ 5.,  7.],\n          [13., 15.]]]])\n",
      kFunction);
  r.op<&fractional_max_pool<3>>(
      "fractional_max_pool3d(Tensor self, int[3] kernel_size, int[3] output_size, Tensor random_samples) -> (Tensor, Tensor)",
      "fractional_max_pool2d() over the last three axes of (n, c, d, h, w) or (c, d, h, w); random_samples\n"
      "is (n, c, 3).\n\n"
      ">>> x = torch.arange(64.).view(1, 1, 4, 4, 4)\n"
      ">>> F.fractional_max_pool3d(x, 2, output_size=2, _random_samples=torch.zeros(1, 1, 3)).shape\n"
      "torch.Size([1, 1, 2, 2, 2])\n",
      kFunction);
  r.op<&max_unpool2d>(
      "max_unpool2d(Tensor self, Tensor indices, int[2] output_size) -> Tensor",
      "Zeros of output_size (height, width), with self's elements at the places that\n"
      "max_pool2d_with_indices() gave: the inverse of pooling, but for the elements that it dropped. self\n"
      "and indices (int64) are (n, c, h, w) or (c, h, w). An index outside of the plane is a RuntimeError.\n\n"
      ">>> x = torch.tensor([[[1., 2.], [4., 3.]]])\n"
      ">>> y, indices = F.max_pool2d(x, 2, return_indices=True)\n"
      ">>> F.max_unpool2d(y, indices, 2)\ntensor([[[0., 0.],\n         [4., 0.]]])\n",
      kFunction);
  r.op<&max_unpool3d>(
      "max_unpool3d(Tensor self, Tensor indices, int[3] output_size, int[3] stride, int[3] padding) -> Tensor",
      "Zeros of output_size (depth, height, width), with self's elements at the places that\n"
      "max_pool3d_with_indices() gave. self and indices (int64) are (n, c, d, h, w) or (c, d, h, w). An\n"
      "index outside of the volume is a RuntimeError.\n\n"
      ">>> x = torch.arange(8.).view(1, 1, 2, 2, 2)\n"
      ">>> y, indices = F.max_pool3d(x, 2, return_indices=True)\n"
      ">>> F.max_unpool3d(y, indices, 2).flatten()\ntensor([0., 0., 0., 0., 0., 0., 0., 7.])\n",
      kFunction);
});

}  // namespace rl
