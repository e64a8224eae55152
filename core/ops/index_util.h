// What the ops that read and write by index share.
#pragma once

#include "kernels/index.h"
#include "ops/basic.h"
#include "ops/indexing.h"

namespace rl {

// Contiguous, for kernels: t itself where it can be, without history.
inline Tensor plain(const Tensor& t) { return t.is_contiguous() ? t : contiguous(detach(t)); }

// How many elements of a contiguous tensor are nonzero, and the running counts that the mask kernels take.
struct MaskCount {
  explicit MaskCount(const Tensor& mask) {
    int64_t n = mask.numel();
    counts.resize((n > 0 ? cpu::index().mask_blocks(n) : 0) + 1);
    if (n > 0) total = cpu::index().count_mask(mask.raw(), mask.dtype(), n, counts.data());
  }
  SmallVector<int64_t, 8> counts;
  int64_t total = 0;
};

// Several axes seen as one of `total` items `stride` apart; false if they do not lie so.
inline bool collapse_axes(IntSpan sizes, IntSpan strides, int64_t& total, int64_t& stride) {
  total = 1, stride = 0;
  for (size_t i = sizes.size(); i-- > 0;) {
    if (sizes[i] == 1) continue;
    if (total == 1)
      stride = strides[i];
    else if (strides[i] != stride * total)
      return false;
    total *= sizes[i];
  }
  return true;
}

// [outer, n, inner] around an axis.
struct Rows {
  int64_t outer = 1, n = 1, inner = 1;
  cpu::RowLayout layout{0, 1, 1};
  // False if t's strides have no such form.
  static bool of(const Tensor& t, int64_t dim, int64_t axes, Rows& r) {
    IntSpan sizes = t.sizes(), strides = t.strides();
    size_t from = static_cast<size_t>(dim), to = static_cast<size_t>(dim + axes);
    if (!collapse_axes(sizes.first(from), strides.first(from), r.outer, r.layout.outer_stride)) return false;
    if (!collapse_axes(sizes.subspan(to), strides.subspan(to), r.inner, r.layout.inner_stride)) return false;
    if (r.inner == 1) r.layout.inner_stride = 1;
    if (axes == 1) r.n = sizes[from], r.layout.index_stride = strides[from];
    return true;
  }
  static Rows contiguous(IntSpan sizes, int64_t dim) {
    Rows r;
    for (size_t i = 0; i < sizes.size(); ++i)
      (static_cast<int64_t>(i) < dim ? r.outer : static_cast<int64_t>(i) == dim ? r.n : r.inner) *= sizes[i];
    r.layout = {r.n * r.inner, r.inner, 1};
    return r;
  }
};

// As record(), for a number of kept tensors that is known only at run time.
template <class Formula>
void record_keeping(const char* name, const Tensor& out, std::initializer_list<Tensor> inputs, const TensorList& keeps,
                    Formula formula) {
  if (!grad_mode.enabled || !is_differentiable(out.dtype())) return;
  bool wanted = false;
  for (const Tensor& t : inputs) wanted |= t.requires_grad();
  if (!wanted) return;
  Ref<Node> node = make_node(name, {inputs.begin(), inputs.size()}, std::move(formula));
  for (const Tensor& t : keeps) node->saved.emplace_back(t, false);
  set_history(out, std::move(node));
}

// Contiguous int64 indices in [0, size): the tensor itself if it is so, else a copy. The kind of error differs by op.
Tensor checked_index(const Tensor& index, int64_t size, int64_t dim, bool negative, ErrorKind kind);

Tensor masked_fill(const Tensor& self, const Tensor& mask, const Scalar& value);
Tensor masked_select(const Tensor& self, const Tensor& mask);
Tensor masked_scatter(const Tensor& self, const Tensor& mask, const Tensor& source);
Tensor index_put(const Tensor& self, const TensorList& indices, const Tensor& values, bool accumulate);
Tensor index_select(const Tensor& self, int64_t dim, const Tensor& index);
Tensor index_add(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source, const Scalar& alpha);
Tensor index_fill(const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value);
Tensor index_copy(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source);
Tensor gather(const Tensor& self, int64_t dim, const Tensor& index, bool sparse_grad);
Tensor scatter_src(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source);
Tensor scatter_value(const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value);
Tensor scatter_add(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source);

}  // namespace rl
