// Diagonals and triangles, and the out-of-place forms of writing into a view.
#include <algorithm>

#include "ops/creation.h"
#include "ops/index_util.h"
#include "ops/pointwise.h"
#include "tensor/destination.h"

namespace rl {

static Tensor triangle(const Tensor& self, int64_t diagonal, bool upper) {
  check(self.dim() >= 2, upper ? "triu" : "tril", ": input tensor must have at least 2 dimensions, but got shape ",
        shape_str(self.sizes()));
  Tensor t = plain(self), out = self.is_contiguous() ? Destination::over(self) : Tensor();
  if (!out.defined()) out = Tensor::empty(self.sizes(), self.dtype());
  int64_t rows = self.size(-2), cols = self.size(-1);
  diagonal = std::clamp(diagonal, -rows - 1, cols + 1);
  if (out.numel() > 0)
    cpu::index().triangle(out.raw(), t.raw(), item_size(self.dtype()), out.numel() / (rows * cols), rows, cols,
                          diagonal, upper);
  record(upper ? "TriuBackward0" : "TrilBackward0", out, {self}, {},
         [diagonal, upper](Backward& ctx) { ctx.set(0, triangle(ctx.grad(), diagonal, upper)); });
  return out;
}
static Tensor tril(const Tensor& self, int64_t diagonal) { return triangle(self, diagonal, false); }
static Tensor triu(const Tensor& self, int64_t diagonal) { return triangle(self, diagonal, true); }

Tensor diagonal(const Tensor& self, int64_t offset, int64_t dim1, int64_t dim2) {
  check_index(self.dim() >= 2 || self.dim() == 1,
              "diagonal: expected a tensor with at least 2 dimensions, but got shape ", shape_str(self.sizes()));
  int64_t a = wrap_dim(dim1, self.dim()), b = wrap_dim(dim2, self.dim());
  check(a != b, "diagonal dimensions cannot be identical ", dim1, ", ", dim2);
  Dims sizes(self.sizes()), strides(self.strides());
  int64_t n = offset >= 0 ? std::min(sizes[a], sizes[b] - offset) : std::min(sizes[a] + offset, sizes[b]);
  n = std::max<int64_t>(n, 0);
  int64_t start = self->offset();
  if (n > 0) start += offset >= 0 ? offset * strides[b] : -offset * strides[a];
  int64_t step = strides[a] + strides[b];
  for (int64_t d : {std::max(a, b), std::min(a, b)}) {
    sizes.erase(d);
    strides.erase(d);
  }
  sizes.push_back(n);
  strides.push_back(step);
  Tensor out = view_of(self, sizes, strides, start);
  record("DiagonalBackward0", out, {self}, {}, [offset, a, b, from = Dims(self.sizes())](Backward& ctx) {
    Tensor whole = zeros(from, ctx.grad().dtype());
    copy_(diagonal(whole, offset, a, b), ctx.grad());
    ctx.set(0, whole);
  });
  return out;
}

static Tensor diag_embed(const Tensor& self, int64_t offset, int64_t dim1, int64_t dim2) {
  check_index(self.dim() > 0, "diag_embed: expected a tensor with at least 1 dimension, but got shape []");
  int64_t rank = self.dim() + 1, a = wrap_dim(dim1, rank), b = wrap_dim(dim2, rank);
  check(a != b, "diagonal dimensions cannot be identical ", dim1, ", ", dim2);
  int64_t n;
  check(!(offset < 0 ? __builtin_sub_overflow(self.size(-1), offset, &n)
                     : __builtin_add_overflow(self.size(-1), offset, &n)),
        "diag_embed: no tensor is large enough for offset ", offset);
  Dims sizes(self.sizes());
  sizes.pop_back();
  sizes.insert(std::min(a, b), n);
  sizes.insert(std::max(a, b), n);
  Tensor out = zeros(sizes, self.dtype());
  {
    GradModeGuard plain_values(false);
    copy_data(diagonal(out, offset, a, b), self);
  }
  record("DiagEmbedBackward0", out, {self}, {},
         [offset, a, b](Backward& ctx) { ctx.set(0, diagonal(ctx.grad(), offset, a, b)); });
  return out;
}

static Tensor diag(const Tensor& self, int64_t offset) {
  check(self.dim() == 1 || self.dim() == 2, "diag(): Supports 1D or 2D tensors. Got ", self.dim(), "D");
  return self.dim() == 1 ? diag_embed(self, offset, 0, 1)
                         : clone(diagonal(self, offset, 0, 1), MemoryFormat::Contiguous);
}
static Tensor diagflat(const Tensor& self, int64_t offset) { return diag_embed(reshape(self, Dims{-1}), offset, 0, 1); }

static Tensor trace(const Tensor& self) {
  check(self.dim() == 2, "trace: expected a matrix, but got tensor with dim ", self.dim());
  Tensor out;
  {
    GradModeGuard plain_values(false);
    out = sum(diagonal(detach(self), 0, 0, 1), {}, false);
  }
  record("TraceBackward0", out, {self}, {}, [from = Dims(self.sizes())](Backward& ctx) {
    Tensor whole = zeros(from, ctx.grad().dtype());
    copy_(diagonal(whole, 0, 0, 1), ctx.grad());
    ctx.set(0, whole);
  });
  return out;
}

// self with one view of it replaced by src: pick(t) is that view.
template <class Pick>
static Tensor scatter_view(const char* name, const Tensor& self, const Tensor& source, Pick pick) {
  Tensor out = Tensor::empty_like(self), kept;
  copy_data(out, self);
  {
    GradModeGuard plain_values(false);
    kept = pick(out);
  }
  check(same_shape(kept, source),
        "expected src to have a size equal to the slice of self. src size = ", shape_str(source.sizes()),
        ", slice size = ", shape_str(kept.sizes()));
  copy_data(kept, source);
  record(name, out, {self, source}, {}, [pick, dtype = source.dtype()](Backward& ctx) {
    if (ctx.needs(0)) {
      Tensor g = clone(ctx.grad());
      zero_(pick(g));
      ctx.set(0, g);
    }
    if (ctx.needs(1)) ctx.set(1, to_dtype(pick(ctx.grad()), dtype));
  });
  return out;
}
static Tensor diagonal_scatter(const Tensor& self, const Tensor& src, int64_t offset, int64_t dim1, int64_t dim2) {
  return scatter_view("DiagonalScatterBackward0", self, src,
                      [=](const Tensor& t) { return diagonal(t, offset, dim1, dim2); });
}
static Tensor select_scatter(const Tensor& self, const Tensor& src, int64_t dim, int64_t index) {
  return scatter_view("SelectScatterBackward0", self, src, [=](const Tensor& t) { return select(t, dim, index); });
}
static Tensor slice_scatter(const Tensor& self, const Tensor& src, int64_t dim, std::optional<int64_t> start,
                            std::optional<int64_t> end, int64_t step) {
  return scatter_view("SliceScatterBackward0", self, src,
                      [=](const Tensor& t) { return slice(t, dim, start, end, step); });
}
static Tensor as_strided_scatter(const Tensor& self, const Tensor& src, IntSpan size, IntSpan stride,
                                 std::optional<int64_t> offset) {
  return scatter_view("AsStridedScatterBackward0", self, src,
                      [sizes = Dims(size), strides = Dims(stride), offset](const Tensor& t) {
                        return as_strided(t, sizes, strides, offset);
                      });
}

static const Family family([](Registry& r) {
  constexpr Traits kInPlace{.in_place = true};
  r.op<&tril>("tril(Tensor self, int diagonal=0) -> Tensor",
              "The lower triangle of matrices (..., n, m), up to the given diagonal (0 the main one), zeros above.\n"
              "Any dtype; fewer than two dimensions are a RuntimeError.\n\n"
              ">>> torch.tril(torch.ones(2, 2))\ntensor([[1., 0.],\n        [1., 1.]])\n",
              kInPlace);
  r.op<&triu>("triu(Tensor self, int diagonal=0) -> Tensor",
              "The upper triangle of matrices (..., n, m), from the given diagonal (0 the main one) on, zeros\n"
              "below. Any dtype; fewer than two dimensions are a RuntimeError.\n\n"
              ">>> torch.triu(torch.ones(2, 2))\ntensor([[1., 1.],\n        [0., 1.]])\n",
              kInPlace);
  r.op<&diagonal>("diagonal(Tensor self, int offset=0, int dim1=0, int dim2=1) -> Tensor",
                  "A view of the diagonals of the matrices over dim1 and dim2, as the last dimension: the offset-th\n"
                  "above the main one, below if negative. Equal dims are a RuntimeError.\n\n"
                  ">>> torch.diagonal(torch.tensor([[1, 2, 3], [4, 5, 6]]), 1)\ntensor([2, 6])\n");
  r.op<&diag_embed>(
      "diag_embed(Tensor self, int offset=0, int dim1=-2, int dim2=-1) -> Tensor",
      "Matrices, over dim1 and dim2, with the last dimension of self as their offset-th diagonals: (..., n)\n"
      "gives (..., n + |offset|, n + |offset|).\n\n"
      ">>> torch.diag_embed(torch.tensor([[1, 2]]), 1)\ntensor([[[0, 1, 0],\n         [0, 0, 2],\n         [0, 0, 0]]])\n");
  r.op<&diag>("diag(Tensor self, int diagonal=0) -> Tensor",
              "The matrix with a vector as its diagonal, or the diagonal of a matrix, as a copy. Any dtype; other\n"
              "dimensions are a RuntimeError.\n\n"
              ">>> torch.diag(torch.tensor([1, 2]))\ntensor([[1, 0],\n        [0, 2]])\n");
  r.op<&diagflat>(
      "diagflat(Tensor self, int offset=0) -> Tensor",
      "The matrix with all elements of self, in order, as its offset-th diagonal.\n\n"
      ">>> torch.diagflat(torch.tensor([1, 2]), 1)\ntensor([[0, 1, 0],\n        [0, 0, 2],\n        [0, 0, 0]])\n");
  r.op<&trace>("trace(Tensor self) -> Tensor",
               "The sum of a matrix's diagonal; of integers and bool as int64. Other than two dimensions are a\n"
               "RuntimeError.\n\n"
               ">>> torch.trace(torch.tensor([[1, 2], [3, 4]]))\ntensor(5)\n");
  r.op<&diagonal_scatter>(
      "diagonal_scatter(Tensor self, Tensor src, int offset=0, int dim1=0, int dim2=1) -> Tensor",
      "A copy of self with src as its diagonal (see diagonal()). A src of another shape is a RuntimeError.\n\n"
      ">>> torch.diagonal_scatter(torch.zeros(2, 2), torch.tensor([1., 2.]))\ntensor([[1., 0.],\n        [0., 2.]])\n");
  r.op<&select_scatter>(
      "select_scatter(Tensor self, Tensor src, int dim, int index) -> Tensor",
      "A copy of self with src as the slice at index along dim. A src of another shape is a RuntimeError.\n\n"
      ">>> torch.select_scatter(torch.zeros(2, 2), torch.tensor([1., 2.]), 1, 0)\ntensor([[1., 0.],\n"
      "        [2., 0.]])\n");
  r.op<&slice_scatter>(
      "slice_scatter(Tensor self, Tensor src, int dim=0, int? start=None, int? end=None, int step=1) -> Tensor",
      "A copy of self with src as the slices start:end:step along dim. A src of another shape is a\n"
      "RuntimeError.\n\n"
      ">>> torch.slice_scatter(torch.zeros(5), torch.tensor([1., 2.]), 0, 1, 5, 2)\ntensor([0., 1., 0., 2., 0.])\n");
  r.op<&as_strided_scatter>(
      "as_strided_scatter(Tensor self, Tensor src, int[] size, int[] stride, int? storage_offset=None) -> Tensor",
      "A copy of self with src at the places of as_strided(). A src of another shape is a RuntimeError.\n\n"
      ">>> torch.as_strided_scatter(torch.zeros(4), torch.tensor([1., 2.]), (2,), (2,))\ntensor([1., 0., 2., 0.])\n");
});

}  // namespace rl
