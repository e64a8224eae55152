// im2col and col2im: sliding blocks of images as columns, and the sum of such columns as images. Each is the other's
// gradient.
#include "kernels/fold.h"

#include "ops/basic.h"
#include "ops/creation.h"
#include "ops/index_util.h"

namespace rl {
namespace {

std::string pair(int64_t a, int64_t b) { return concat("(", a, ", ", b, ")"); }

struct Pair {
  int64_t h, w;
  Pair(IntSpan v, const char* name) {
    check(v.size() == 1 || v.size() == 2, "It is expected ", name, " equals to 2, but got size ", v.size());
    h = v[0], w = v.back();
  }
  std::string str() const { return pair(h, w); }
};

struct Blocks {
  Pair kernel, dilation, padding, stride;

  Blocks(IntSpan k, IntSpan d, IntSpan p, IntSpan s)
      : kernel(k, "kernel_size"), dilation(d, "dilation"), padding(p, "padding"), stride(s, "stride") {
    auto positive = [](const Pair& v, const char* name, const char* short_name) {
      check(v.h > 0 && v.w > 0, name, " should be greater than zero, but got ", short_name, "_height: ", v.h, " ",
            short_name, "_width: ", v.w);
    };
    positive(kernel, "kernel size", "kernel");
    positive(stride, "stride", "stride");
    positive(dilation, "dilation", "dilation");
    check(padding.h >= 0 && padding.w >= 0, "padding should be non-negative, but got pad_height: ", padding.h,
          " pad_width: ", padding.w);
  }
  int64_t area() const { return kernel.h * kernel.w; }
  FoldShape over(int64_t planes, int64_t height, int64_t width) const {
    auto count = [](int64_t size, int64_t k, int64_t d, int64_t p, int64_t s) {
      int64_t room = size + 2 * p - d * (k - 1) - 1;
      return room < 0 ? 0 : room / s + 1;
    };
    return {planes,
            height,
            width,
            kernel.h,
            kernel.w,
            dilation.h,
            dilation.w,
            padding.h,
            padding.w,
            stride.h,
            stride.w,
            count(height, kernel.h, dilation.h, padding.h, stride.h),
            count(width, kernel.w, dilation.w, padding.w, stride.w)};
  }
};

Tensor im2col(const Tensor& self, IntSpan kernel_size, IntSpan dilation, IntSpan padding, IntSpan stride);

Tensor col2im(const Tensor& self, IntSpan output_size, IntSpan kernel_size, IntSpan dilation, IntSpan padding,
              IntSpan stride) {
  Blocks b(kernel_size, dilation, padding, stride);
  Pair size(output_size, "output_size");
  int64_t d = self.dim();
  check((d == 2 && self.numel() > 0) || (d == 3 && self.size(1) > 0 && self.size(2) > 0),
        "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for input, "
        "but got: ",
        shape_str(self.sizes()));
  check(self.size(-2) % b.area() == 0, "Expected size of input's dimension 1 to be divisible by the product of ",
        "kernel_size, but got input.size(1)=", self.size(-2), " and kernel_size=", b.kernel.str(), ".");
  int64_t channels = self.size(-2) / b.area(), batch = d == 3 ? self.size(0) : 1;
  FoldShape s = b.over(batch * channels, size.h, size.w);
  check(self.size(-1) == s.rows * s.columns, "Given output_size=", size.str(), ", kernel_size=", b.kernel.str(),
        ", dilation=", b.dilation.str(), ", padding=", b.padding.str(), ", stride=", b.stride.str(),
        ", expected size of input's dimension 2 to match the calculated number of sliding blocks ", s.rows, " * ",
        s.columns, " = ", s.rows * s.columns, ", but got input.size(2)=", self.size(-1), ".");
  check(size.h > 0 && size.w > 0, "Expected output spatial size to be positive, but got: output_size=", size.str());
  if (!is_differentiable(self.dtype()) && self.dtype() != DType::Bool)
    not_implemented_for("col2im_out_cpu", self.dtype());
  Dims sizes{channels, size.h, size.w};
  if (d == 3) sizes = Dims{batch, channels, size.h, size.w};
  Tensor out = Tensor::empty(sizes, self.dtype());
  if (out.numel() > 0) fold_columns(self.dtype(), s, plain(self).raw(), out.raw());
  record("Col2ImBackward0", out, {self}, {},
         [k = Dims(kernel_size), w = Dims(dilation), p = Dims(padding), t = Dims(stride)](Backward& ctx) {
           ctx.set(0, im2col(ctx.grad(), k, w, p, t));
         });
  return out;
}

Tensor im2col(const Tensor& self, IntSpan kernel_size, IntSpan dilation, IntSpan padding, IntSpan stride) {
  Blocks b(kernel_size, dilation, padding, stride);
  int64_t d = self.dim();
  bool full = d == 3 || d == 4;
  for (int64_t i = d == 4 ? 1 : 0; full && i < d; ++i) full = self.size(i) > 0;
  check(full,
        "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, but "
        "got: ",
        shape_str(self.sizes()));
  int64_t batch = d == 4 ? self.size(0) : 1, channels = self.size(-3);
  FoldShape s = b.over(batch * channels, self.size(-2), self.size(-1));
  check(s.rows > 0 && s.columns > 0, "Given input with spatial size ", pair(s.height, s.width),
        ", kernel_size=", b.kernel.str(), ", dilation=", b.dilation.str(), ", padding=", b.padding.str(),
        ", calculated shape of the array of sliding blocks as ", pair(s.rows, s.columns),
        ", but its components must be at least one.");
  if (!is_differentiable(self.dtype()) && self.dtype() != DType::Bool)
    not_implemented_for("im2col_out_cpu", self.dtype());
  Dims sizes{channels * b.area(), s.rows * s.columns};
  if (d == 4) sizes = Dims{batch, channels * b.area(), s.rows * s.columns};
  Tensor out = Tensor::empty(sizes, self.dtype());
  if (out.numel() > 0) unfold_columns(self.dtype(), s, plain(self).raw(), out.raw());
  record("Im2ColBackward0", out, {self}, {},
         [size = Dims{s.height, s.width}, k = Dims(kernel_size), w = Dims(dilation), p = Dims(padding),
          t = Dims(stride)](Backward& ctx) { ctx.set(0, col2im(ctx.grad(), size, k, w, p, t)); });
  return out;
}

}  // namespace

static const Family family([](Registry& r) {
  constexpr Traits kFunction{.method = false};
  r.op<&im2col>(
      "im2col(Tensor self, int[2] kernel_size, int[2] dilation, int[2] padding, int[2] stride) -> Tensor",
      "The sliding blocks of images (n, c, h, w) as columns: (n, c * kernel height * kernel width, blocks).\n"
      "F.unfold calls it. Windows larger than the image are a RuntimeError.\n\n"
      ">>> F.unfold(torch.arange(9.).view(1, 1, 3, 3), 2)\ntensor([[[0., 1., 3., 4.],\n         [1., 2., 4., 5.],\n"
      "         [3., 4., 6., 7.],\n         [4., 5., 7., 8.]]])\n",
      kFunction);
  r.op<&col2im>(
      "col2im(Tensor self, int[2] output_size, int[2] kernel_size, int[2] dilation, int[2] padding, int[2] stride) -> "
      "Tensor",
      "The images (n, c, height, width) whose sliding blocks are the columns; where blocks overlap they are\n"
      "added: the transpose of im2col(). F.fold calls it.\n\n"
      ">>> F.fold(torch.ones(1, 4, 4), (3, 3), 2)\ntensor([[[[1., 2., 1.],\n          [2., 4., 2.],\n"
      "          [1., 2., 1.]]]])\n",
      kFunction);
});

}  // namespace rl
