// The views again, as copies of their own memory, and small ops made of others.
#include <algorithm>
#include <cmath>

#include "kernels/pointwise/arithmetic.h"
#include "kernels/pointwise/exponential.h"
#include "kernels/pointwise/special.h"
#include "ops/index_util.h"
#include "ops/pointwise.h"
#include "ops/shape.h"
#include "runtime/parallel.h"

namespace rl {

namespace {

Tensor copied(const Tensor& view) { return clone(view, MemoryFormat::Contiguous); }
TensorList copied(TensorList views) {
  for (Tensor& v : views) v = clone(v, MemoryFormat::Contiguous);
  return views;
}

Tensor alias_copy(const Tensor& t) { return copied(t); }
Tensor detach_copy(const Tensor& t) { return copied(detach(t)); }
Tensor as_strided_copy(const Tensor& t, IntSpan size, IntSpan stride, std::optional<int64_t> offset) {
  return copied(as_strided(t, size, stride, offset));
}
Tensor diagonal_copy(const Tensor& t, int64_t offset, int64_t dim1, int64_t dim2) {
  return copied(diagonal(t, offset, dim1, dim2));
}
Tensor expand_copy(const Tensor& t, IntSpan size, bool) { return copied(expand(t, size)); }
Tensor permute_copy(const Tensor& t, IntSpan dims) { return copied(permute(t, dims)); }
Tensor transpose_copy(const Tensor& t, int64_t a, int64_t b) { return copied(transpose(t, a, b)); }
Tensor t_copy(const Tensor& t) {
  check(t.dim() <= 2, "t() expects a tensor with <= 2 dimensions, but self is ", t.dim(), "D");
  return copied(t.dim() < 2 ? t : transpose(t, 0, 1));
}
Tensor squeeze_copy_all(const Tensor& t) {
  Dims dims;
  for (int64_t d = 0; d < t.dim(); ++d) dims.push_back(d);
  return copied(squeeze(t, dims));
}
Tensor squeeze_copy(const Tensor& t, IntSpan dims) { return copied(squeeze(t, dims)); }
Tensor squeeze_copy_dim(const Tensor& t, int64_t dim) { return copied(squeeze(t, {&dim, 1})); }
Tensor unsqueeze_copy(const Tensor& t, int64_t dim) { return copied(unsqueeze(t, dim)); }
Tensor select_copy(const Tensor& t, int64_t dim, int64_t index) { return copied(select(t, dim, index)); }
Tensor slice_copy(const Tensor& t, int64_t dim, std::optional<int64_t> start, std::optional<int64_t> end,
                  int64_t step) {
  return copied(slice(t, dim, start, end, step));
}
Tensor unfold_copy(const Tensor& t, int64_t dim, int64_t size, int64_t step) {
  return copied(unfold(t, dim, size, step));
}
Tensor view_copy(const Tensor& t, IntSpan size) { return copied(view(t, size)); }
Tensor view_as_real_copy(const Tensor& t) { return copied(view_as_real(t)); }
Tensor view_as_complex_copy(const Tensor& t) { return copied(view_as_complex(t)); }
TensorList split_copy(const Tensor& t, int64_t size, int64_t dim) { return copied(split(t, size, dim)); }
TensorList split_with_sizes_copy(const Tensor& t, IntSpan sizes, int64_t dim) {
  return copied(split_with_sizes(t, sizes, dim));
}
TensorList unbind_copy(const Tensor& t, int64_t dim) { return copied(unbind(t, dim)); }

Tensor fill(const Tensor& self, const Scalar& value) { return fill_(clone(self), value); }
Tensor fill_tensor(const Tensor& self, const Tensor& value) {
  check(value.dim() == 0, "fill only supports 0-dimension value tensor but got tensor with ", value.dim(),
        " dimensions.");
  return copy_(clone(self), value);
}

Tensor sum_to_size(const Tensor& self, IntSpan size) {
  int64_t skip = self.dim() - static_cast<int64_t>(size.size());
  bool fits = skip >= 0;
  for (int64_t d = skip; fits && d < self.dim(); ++d) {
    int64_t want = size[static_cast<size_t>(d - skip)];
    fits = want == 1 || want == self.sizes()[d];
  }
  if (size.empty()) return sum(self, {}, false);
  check(fits, "size {", shape_str(size), "} is not expandable to size {", shape_str(self.sizes()), "}.");
  return sum_to(self, size);
}

Tensor nonzero_static(const Tensor& self, int64_t size, int64_t fill_value) {
  check(size >= 0, "nonzero_static: 'size' must be an non-negative integer");
  Tensor found = nonzero(self);
  Tensor out = full(Dims{size, self.dim()}, Scalar(fill_value), DType::I64);
  int64_t n = std::min(size, found.sizes()[0]);
  if (n > 0 && self.dim() > 0) copy_data(slice(out, 0, 0, n), slice(found, 0, 0, n));
  return out;
}

std::tuple<Tensor, Tensor> frexp(const Tensor& self) {
  check(is_floating(self.dtype()), "torch.frexp() only supports floating-point dtypes");
  Tensor x = contiguous(detach(self));
  Tensor mantissa = Tensor::empty(x.sizes(), x.dtype()), exponent = Tensor::empty(x.sizes(), DType::I32);
  visit_dtype(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    if constexpr (!std::is_integral_v<T> && !is_complex_v<T>) {
      using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;
      const T* from = x.data<T>();
      T* m = mantissa.data<T>();
      int32_t* e = exponent.data<int32_t>();
      parallel_for(x.numel(), 16384, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          int power = 0;
          m[i] = T(std::frexp(static_cast<Wide>(from[i]), &power));
          e[i] = power;
        }
      });
    }
  });
  record("FrexpBackward0", mantissa, {self}, {exponent}, [](Backward& ctx) {
    Tensor power = call<pointwise::Neg>(to_dtype(ctx.saved(0), ctx.grad().dtype()));
    ctx.set(0, call<pointwise::Mul>(ctx.grad(), call<pointwise::Exp2>(power)));
  });
  return {mantissa, exponent};
}

Tensor mvlgamma(const Tensor& self, int64_t p) {
  check(p >= 1, "p has to be greater than or equal to 1");
  Tensor x = is_integral(self.dtype()) ? to_dtype(self, default_dtype()) : self;
  Tensor steps = Tensor::empty(Dims{p}, x.dtype());
  for (int64_t i = 0; i < p; ++i)
    copy_data(select(steps, 0, i), Tensor::wrapped(Scalar(-0.5 * static_cast<double>(i))));
  Tensor terms = call<pointwise::Lgamma>(call<pointwise::Add>(unsqueeze(x, -1), steps, 1));
  double constant = 0.25 * static_cast<double>(p * (p - 1)) * std::log(3.14159265358979323846);
  int64_t last = -1;
  return call<pointwise::Add>(sum(terms, {&last, 1}, false), Tensor::wrapped(Scalar(constant)), 1);
}

const Family family([](Registry& r) {
  constexpr Traits kFunction{.method = false}, kInPlace{.in_place = true};
  r.op<&alias_copy>("alias_copy(Tensor self) -> Tensor",
                    "alias() as a copy: the same elements in memory of their own.\n\n"
                    ">>> x = torch.ones(2)\n"
                    ">>> torch.alias_copy(x).data_ptr() == x.data_ptr()\nFalse\n",
                    kFunction);
  r.op<&detach_copy>("detach_copy(Tensor self) -> Tensor",
                     "detach() as a copy: no history, and memory of its own.\n\n"
                     ">>> x = torch.ones(2, requires_grad=True)\n"
                     ">>> torch.detach_copy(x).requires_grad\nFalse\n",
                     kFunction);
  r.op<&as_strided_copy>(
      "as_strided_copy(Tensor self, int[] size, int[] stride, int? storage_offset=None) -> Tensor",
      "as_strided() as a copy.\n\n"
      ">>> torch.as_strided_copy(torch.arange(4), (3, 2), (1, 1))\ntensor([[0, 1],\n        [1, 2],\n"
      "        [2, 3]])\n",
      kFunction);
  r.op<&diagonal_copy>("diagonal_copy(Tensor self, int offset=0, int dim1=0, int dim2=1) -> Tensor",
                       "diagonal() as a copy.\n\n"
                       ">>> torch.diagonal_copy(torch.arange(9).view(3, 3), 1)\ntensor([1, 5])\n",
                       kFunction);
  r.op<&expand_copy>("expand_copy(Tensor self, int[] size, *, bool implicit=False) -> Tensor",
                     "expand() as a copy: every element has memory of its own.\n\n"
                     ">>> torch.expand_copy(torch.tensor([1, 2]), (2, 2)).stride()\n(2, 1)\n",
                     kFunction);
  r.op<&permute_copy>("permute_copy(Tensor self, int[] dims) -> Tensor",
                      "permute() as a copy, contiguous.\n\n"
                      ">>> torch.permute_copy(torch.ones(2, 3, 4), (2, 0, 1)).is_contiguous()\nTrue\n",
                      kFunction);
  r.op<&transpose_copy>(
      "transpose_copy.int(Tensor self, int dim0, int dim1) -> Tensor",
      "transpose() as a copy.\n\n"
      ">>> torch.transpose_copy(torch.tensor([[1, 2], [3, 4]]), 0, 1)\ntensor([[1, 3],\n        [2, 4]])\n",
      kFunction);
  r.op<&t_copy>("t_copy(Tensor self) -> Tensor",
                "t() as a copy.\n\n"
                ">>> torch.t_copy(torch.tensor([[1, 2], [3, 4]]))\ntensor([[1, 3],\n        [2, 4]])\n",
                kFunction);
  r.op<&squeeze_copy_all>("squeeze_copy(Tensor self) -> Tensor",
                          "squeeze() as a copy.\n\n"
                          ">>> torch.squeeze_copy(torch.ones(1, 3, 1), 0).shape\ntorch.Size([3, 1])\n",
                          kFunction);
  r.op<&squeeze_copy_dim>("squeeze_copy.dim(Tensor self, int dim) -> Tensor", "", kFunction);
  r.op<&squeeze_copy>("squeeze_copy.dims(Tensor self, int[] dim) -> Tensor", "", kFunction);
  r.op<&unsqueeze_copy>("unsqueeze_copy(Tensor self, int dim) -> Tensor",
                        "unsqueeze() as a copy.\n\n"
                        ">>> torch.unsqueeze_copy(torch.tensor([1, 2]), 1)\ntensor([[1],\n        [2]])\n",
                        kFunction);
  r.op<&select_copy>("select_copy.int(Tensor self, int dim, int index) -> Tensor",
                     "select() as a copy.\n\n"
                     ">>> torch.select_copy(torch.tensor([[1, 2], [3, 4]]), 1, 0)\ntensor([1, 3])\n",
                     kFunction);
  r.op<&slice_copy>("slice_copy.Tensor(Tensor self, int dim=0, int? start=None, int? end=None, int step=1) -> Tensor",
                    "The slice start:end:step along dim, as a copy.\n\n"
                    ">>> torch.slice_copy(torch.arange(6), 0, 1, 6, 2)\ntensor([1, 3, 5])\n",
                    kFunction);
  r.op<&unfold_copy>("unfold_copy(Tensor self, int dimension, int size, int step) -> Tensor",
                     "Tensor.unfold() as a copy.\n\n"
                     ">>> torch.unfold_copy(torch.arange(5), 0, 3, 2)\ntensor([[0, 1, 2],\n        [2, 3, 4]])\n",
                     kFunction);
  r.op<&view_copy>("view_copy(Tensor self, int[] size) -> Tensor",
                   "Tensor.view() as a copy.\n\n"
                   ">>> torch.view_copy(torch.arange(4), (2, 2))\ntensor([[0, 1],\n        [2, 3]])\n",
                   kFunction);
  r.op<&view_as_real_copy>("view_as_real_copy(Tensor self) -> Tensor",
                           "view_as_real() as a copy.\n\n"
                           ">>> torch.view_as_real_copy(torch.tensor([1 + 2j]))\ntensor([[1., 2.]])\n",
                           kFunction);
  r.op<&view_as_complex_copy>("view_as_complex_copy(Tensor self) -> Tensor",
                              "view_as_complex() as a copy.\n\n"
                              ">>> torch.view_as_complex_copy(torch.tensor([[1., 2.]]))\ntensor([1.+2.j])\n",
                              kFunction);
  r.op<&split_copy>("split_copy.Tensor(Tensor self, int split_size, int dim=0) -> Tensor[]",
                    "split() as copies.\n\n"
                    ">>> torch.split_copy(torch.arange(3), 2)\n(tensor([0, 1]), tensor([2]))\n",
                    kFunction);
  r.op<&split_with_sizes_copy>(
      "split_with_sizes_copy(Tensor self, int[] split_sizes, int dim=0) -> Tensor[]",
      "split_with_sizes() as copies.\n\n"
      ">>> torch.split_with_sizes_copy(torch.arange(3), [1, 2])\n(tensor([0]), tensor([1, 2]))\n",
      kFunction);
  r.op<&unbind_copy>("unbind_copy.int(Tensor self, int dim=0) -> Tensor[]",
                     "unbind() as copies.\n\n"
                     ">>> torch.unbind_copy(torch.tensor([[1, 2], [3, 4]]), 1)\n(tensor([1, 3]), tensor([2, 4]))\n",
                     kFunction);
  r.op<&fill_tensor>(
      "fill.Tensor(Tensor self, Tensor value) -> Tensor",
      "A tensor of self's shape and dtype with every element equal to value: a number or a 0-d tensor (a\n"
      "larger one is a RuntimeError). value's dtype is converted.\n\n"
      ">>> torch.fill(torch.zeros(2, dtype=torch.int64), 2.9)\ntensor([2, 2])\n",
      kFunction);
  r.op<&fill>("fill.Scalar(Tensor self, Scalar value) -> Tensor", "", kFunction);
  r.op<&sum_to_size>(
      "sum_to_size(Tensor self, int[] size) -> Tensor",
      "Sums over the axes that size lacks or has as 1: the inverse of broadcasting, as the gradient of a\n"
      "broadcast operand needs it. A size that does not broadcast to self's is a RuntimeError.\n\n"
      ">>> torch.ones(4, 2, 3).sum_to_size(2, 1)\ntensor([[12.],\n        [12.]])\n",
      {.function = false});
  r.op<&nonzero_static>(
      "nonzero_static(Tensor self, *, int size, int fill_value=-1) -> Tensor",
      "nonzero() cut or filled up with fill_value to `size` rows, so that the shape (size, dim) of the\n"
      "int64 result does not depend on the data. A negative size is a RuntimeError.\n\n"
      ">>> torch.nonzero_static(torch.tensor([0, 5, 7]), size=3)\ntensor([[ 1],\n        [ 2],\n        [-1]])\n");
  r.op<&frexp>("frexp.Tensor(Tensor self) -> (Tensor mantissa, Tensor exponent)",
               "self as mantissa * 2 ** exponent, |mantissa| in [0.5, 1) (0 for 0). mantissa has self's dtype,\n"
               "exponent is int32; dtypes other than floating are a RuntimeError.\n\n"
               ">>> mantissa, exponent = torch.frexp(torch.tensor([8., 0.3]))\n"
               ">>> mantissa, exponent\n(tensor([0.5000, 0.6000]), tensor([ 4, -1], dtype=torch.int32))\n");
  r.op<&mvlgamma>(
      "mvlgamma(Tensor self, int p) -> Tensor",
      "The logarithm of the multivariate gamma function of dimension p, elementwise: p (p - 1) / 4 *\n"
      "log(pi) + the sum of lgamma(self - i / 2) for i = 0 .. p - 1. It is finite for self > (p - 1) / 2. p\n"
      "below 1 is a RuntimeError. Also special.multigammaln.\n\n"
      ">>> torch.mvlgamma(torch.tensor([2., 3.]), 2)\ntensor([0.4516, 1.5502])\n",
      kInPlace);
});

}  // namespace
}  // namespace rl
