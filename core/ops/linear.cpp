// The layers that are products: linear, and bilinear.
#include <algorithm>

#include "kernels/pointwise/arithmetic.h"
#include "ops/product.h"

namespace rl {
namespace {

// The rows of x over all its leading axes; false if they do not lie at one stride.
bool row_stride_of(const Tensor& x, int64_t& stride) {
  int64_t d = x.dim();
  IntSpan s = x.sizes(), st = x.strides();
  stride = d == 1 ? s[0] * st[0] : st[d - 2];
  int64_t reach = 0;
  for (int64_t i = d - 2; i >= 0; --i) {
    if (s[i] == 1) continue;
    if (reach == 0) {
      stride = st[i];
      reach = s[i];
    } else if (st[i] == stride * reach) {
      reach *= s[i];
    } else {
      return false;
    }
  }
  return true;
}

// Edges: [bias,] input, weight; saved: input, weight. One node for the product, the bias and the change of shape.
template <int First>
void linear_backward(Backward& ctx) {
  const bool graph = Backward::create_graph();
  Tensor g = ctx.grad();
  if (g.dim() != 2) g = g.dim() == 1 ? unsqueeze(g, 0) : as_matrix(g);
  if constexpr (First == 1) {
    if (ctx.needs(0)) ctx.set(0, graph ? sum(g, Dims{0}, false) : raw_column_sum(g));
  }
  if (ctx.needs(First)) {
    Tensor w = conj_of(ctx.saved(1));
    Tensor r = times(g, false, w, false);
    const Tensor& like = ctx.grad();
    if (like.dim() != 2) {
      Dims shape(like.sizes());
      shape.back() = w.sizes()[1];
      r = graph ? view(r, shape) : r.alias(shape, contiguous_strides(shape), r->offset());
    }
    ctx.set(First, std::move(r));
  }
  if (ctx.needs(First + 1)) {
    Tensor x = conj_of(ctx.saved(0));
    if (x.dim() != 2) x = x.dim() == 1 ? unsqueeze(x, 0) : as_matrix(x);
    ctx.set(First + 1, times(g, true, x, false));
  }
}

[[noreturn, gnu::cold, gnu::noinline]] void bad_linear(const Tensor& x, const Tensor& w) {
  int64_t k = x.size(-1);
  fail(ErrorKind::Runtime, "linear(): expected last dim ", w.sizes()[1], " (in_features), got input ",
       tuple_str(x.sizes()), "; mat1 and mat2 shapes cannot be multiplied (", k ? x.numel() / k : 0, "x", k, " and ",
       w.sizes()[1], "x", w.sizes()[0], ")");
}

}  // namespace

Tensor linear(const Tensor& input, const Tensor& w, const Tensor& bias) {
  if (w.dim() != 2) [[unlikely]] {
    check(w.dim() == 1 && input.dim() > 0, "linear(): the weight must be (out_features, in_features), got ",
          tuple_str(w.sizes()), " for input ", tuple_str(input.sizes()));
    Tensor out = matmul(input, w);
    return bias.defined() ? call<pointwise::Add>(out, bias, 1) : out;
  }
  check(input.dim() > 0, "linear(): both arguments to linear need to be at least 1D, but the input is a 0-d tensor");
  int64_t d = input.dim(), in = w.sizes()[1], n = w.sizes()[0];
  if (input.sizes()[d - 1] != in) bad_linear(input, w);
  check_dtypes(input, w, bias.defined() ? ProductKind::WithAddend : ProductKind::Matrices);
  if (bias.defined()) {
    check(bias.dtype() == w.dtype(), "self and mat2 must have the same dtype, but got ", scalar_type_name(bias.dtype()),
          " and ", scalar_type_name(w.dtype()));
    if (bias.dim() != 1 || bias.sizes()[0] != n) {
      if (bias.dim() > 1) return call<pointwise::Add>(linear(input, w, kNone), bias, 1);
      check(bias.numel() == 1, "The expanded size of the tensor (", n, ") must match the existing size (", bias.numel(),
            ") at non-singleton dimension 1.  Target sizes: [", input.numel() / std::max<int64_t>(in, 1), ", ", n,
            "].  Tensor sizes: ", shape_str(bias.sizes()), ". linear(): the bias must have out_features elements");
      return linear(input, w, expand(bias, Dims{n}));
    }
  }
  int64_t row_stride;
  bool rows = row_stride_of(input, row_stride);
  const Tensor& x = rows ? input : contiguous(input);
  if (!rows) row_stride = in;
  Tensor out;
  int64_t m = 1;
  if (d == 2) {
    int64_t shape[2] = {m = x.sizes()[0], n};
    out = Tensor::empty({shape, 2}, x.dtype());
  } else {
    Dims shape(x.sizes());
    shape.back() = n;
    out = Tensor::empty(shape, x.dtype());
    for (int64_t i = 0; i + 1 < d; ++i) m *= x.sizes()[i];
  }
  if (m != 0 && n != 0) {
    MatrixProduct p{x.dtype(),      m,         n, in, x.raw(), row_stride, x.strides()[d - 1], w.raw(), w.strides()[1],
                    w.strides()[0], out.raw(), n};
    if (bias.defined()) {
      if (bias.strides()[0] == 1 || n == 1) {
        p.bias = bias.raw();
      } else {
        copy_data(out, bias);
        p.beta = 1;
      }
    }
    multiply(p, "addmm_impl_cpu_");
  }
  if (!grad_mode.enabled) return out;
  if (bias.defined()) {
    if (x.requires_grad() || w.requires_grad() || bias.requires_grad())
      record(d == 2 ? "AddmmBackward0" : "ViewBackward0", out, {bias, x, w}, {if_needed(x, w), if_needed(w, x)},
             [](Backward& ctx) { linear_backward<1>(ctx); });
  } else if (x.requires_grad() || w.requires_grad()) {
    record(d == 2   ? "MmBackward0"
           : d == 1 ? "SqueezeBackward4"
                    : "UnsafeViewBackward0",
           out, {x, w}, {if_needed(x, w), if_needed(w, x)}, [](Backward& ctx) { linear_backward<0>(ctx); });
  }
  return out;
}

// out[.., o] = x[.., i] W[o, i, j] y[.., j]
static Tensor bilinear(const Tensor& x, const Tensor& y, const Tensor& w, const Tensor& bias) {
  check(w.dim() == 3, "bilinear(): the weight must be (out_features, in1_features, in2_features), got ",
        tuple_str(w.sizes()));
  check(x.dim() == y.dim(), "bilinear(): input dimensions do not match: got ", x.dim(), " and ", y.dim());
  for (int64_t i = 0; i + 1 < x.dim(); ++i)
    check(x.sizes()[i] == y.sizes()[i], "bilinear(): input batch dimensions do not match at dim ", i, ": got ",
          x.sizes()[i], " and ", y.sizes()[i]);
  check(x.size(-1) == w.size(1), "bilinear(): input1 size does not match weight size: got ", x.size(-1),
        " but expected ", w.size(1));
  check(y.size(-1) == w.size(2), "bilinear(): input2 size does not match weight size: got ", y.size(-1),
        " but expected ", w.size(2));
  check(!bias.defined() || (bias.dim() == 1 && bias.size(0) == w.size(0)),
        "bilinear(): bias size does not match weight size: got ", bias.defined() ? bias.numel() : 0, " but expected ",
        w.size(0));
  Dims shape(x.sizes());
  shape.back() = w.size(0);
  Tensor rows = as_matrix(x), cols = as_matrix(y);
  int64_t n = rows.size(0), out_features = w.size(0), in1 = w.size(1), in2 = w.size(2);
  Tensor half = mm(rows, reshape(permute(w, Dims{1, 0, 2}), Dims{in1, out_features * in2}));  // [n, o * j]
  Tensor out = bmm(reshape(half, Dims{n, out_features, in2}), unsqueeze(cols, 2));
  out = reshape(out, shape);
  return bias.defined() ? call<pointwise::Add>(out, bias, 1) : out;
}

static const Family family([](Registry& r) {
  constexpr Traits kFunction{.method = false};
  r.op<&linear>("linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor",
                "input @ weight.T + bias: input (..., in_features), weight (out_features, in_features), bias\n"
                "(out_features,). Sizes that do not fit are a RuntimeError.\n\n"
                ">>> F.linear(torch.tensor([[1., 2.]]), torch.tensor([[1., 1.], [0., -1.]]), torch.tensor([10., 0.]))\n"
                "tensor([[13., -2.]])\n",
                kFunction);
  r.op<&bilinear>("bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None) -> Tensor",
                  "input1 @ weight[o] @ input2 + bias[o] for every output o: input1 (..., in1), input2 (..., in2),\n"
                  "weight (out, in1, in2), result (..., out).\n\n"
                  ">>> F.bilinear(torch.tensor([[1., 2.]]), torch.tensor([[3., 4.]]), torch.eye(2).view(1, 2, 2))\n"
                  "tensor([[11.]])\n",
                  kFunction);
});

}  // namespace rl
