// Order: sort, topk, unique, searching.
#include "kernels/sort.h"

#include <algorithm>
#include <numeric>

#include "ops/creation.h"
#include "ops/formula.h"
#include "ops/index_util.h"
#include "ops/reduce.h"

namespace rl {
namespace {

// The gradient goes back to where the values came from; each place at most once.
void record_order(const char* name, const Tensor& values, const Tensor& indices, const Tensor& x, int64_t dim) {
  const Tensor outs[] = {values, indices};
  record(name, std::span<const Tensor>(outs), std::span<const Tensor>(&x, 1), {Keep(indices)},
         [sizes = Dims(x.sizes()), dim](Backward& ctx) {
           const Tensor& g = ctx.grad(0);
           if (g.defined()) ctx.set(0, scatter_src(zeros(sizes, g.dtype()), dim, ctx.saved(0), g));
         });
}

static std::tuple<Tensor, Tensor> sort_as(const char* node, const Tensor& t, int64_t d, bool descending) {
  check(!is_complex_dtype(t.dtype()), "Sort does not support complex dtypes on CPU");
  int64_t dim = wrap_dim(d, t.dim());
  Tensor x = plain(t), values = Tensor::empty(x.sizes(), x.dtype()), indices = Tensor::empty(x.sizes(), DType::I64);
  AxisRows rows(x, dim);
  if (x.numel() > 0)
    cpu::sort().sort(values.raw(), indices.data<int64_t>(), x.raw(), x.dtype(), rows.outer, rows.n, rows.inner,
                     descending);
  record_order(node, values, indices, t, dim);
  return {values, indices};
}
std::tuple<Tensor, Tensor> sort(const Tensor& t, int64_t dim, bool descending) {
  return sort_as("SortBackward0", t, dim, descending);
}
std::tuple<Tensor, Tensor> sort_stable(const Tensor& x, std::optional<bool>, int64_t dim, bool descending) {
  return sort_as("SortBackward1", x, dim, descending);
}

Tensor argsort(const Tensor& t, int64_t d, bool descending) {
  check(!is_complex_dtype(t.dtype()), "Sort does not support complex dtypes on CPU");
  int64_t dim = wrap_dim(d, t.dim());
  Tensor x = plain(t), indices = Tensor::empty(x.sizes(), DType::I64);
  AxisRows rows(x, dim);
  if (x.numel() > 0)
    cpu::sort().sort(nullptr, indices.data<int64_t>(), x.raw(), x.dtype(), rows.outer, rows.n, rows.inner, descending);
  return indices;
}
Tensor argsort_stable(const Tensor& x, bool, int64_t dim, bool descending) { return argsort(x, dim, descending); }

Tensor msort(const Tensor& x) { return std::get<0>(sort(x, 0, false)); }

std::tuple<Tensor, Tensor> topk(const Tensor& t, int64_t k, int64_t d, bool largest, bool) {
  check(!is_complex_dtype(t.dtype()), "topk does not support complex dtypes on CPU");
  check(t.dtype() != DType::Bool, "topk does not support bool dtypes on CPU");
  int64_t dim = wrap_dim(d, t.dim()), n = t.dim() ? t.sizes()[dim] : 1;
  check(k >= 0 && k <= n, "selected index k out of range: k is ", k, ", the size of dimension ", dim, " is ", n);
  Tensor x = plain(t);
  Dims sizes(x.sizes());
  if (t.dim() > 0)
    sizes[dim] = k;
  else if (k == 0)
    sizes.push_back(0);
  Tensor values = Tensor::empty(sizes, x.dtype()), indices = Tensor::empty(sizes, DType::I64);
  AxisRows rows(x, dim);
  if (values.numel() > 0)
    cpu::sort().topk(values.raw(), indices.data<int64_t>(), x.raw(), x.dtype(), rows.outer, rows.n, rows.inner, k,
                     largest);
  record_order("TopkBackward0", values, indices, t, dim);
  return {values, indices};
}

// --- unique --------------------------------------------------------------------------------------------------------------

using Three = std::tuple<Tensor, Tensor, Tensor>;

// The first n of a 1-d tensor, in memory of their own if that saves much.
Tensor first_of(const Tensor& t, int64_t n) {
  Tensor part = t.alias(Dims{n}, Dims{1}, 0);
  return n * 2 < t.numel() ? clone(part) : part;
}

Three unique_flat(const Tensor& t, bool consecutive, bool want_inverse, bool want_counts) {
  if (is_complex_dtype(t.dtype())) not_implemented_for(consecutive ? "unique" : "unique2_sort", t.dtype());
  GradModeGuard off(false);
  Tensor x = plain(t);
  int64_t n = x.numel();
  Tensor values = Tensor::empty(Dims{n}, x.dtype());
  Tensor inverse = want_inverse ? Tensor::empty(x.sizes(), DType::I64) : Tensor::empty(Dims{0}, DType::I64);
  Tensor counts = Tensor::empty(Dims{want_counts ? n : 0}, DType::I64);
  if (n == 0) return {values, inverse, counts};
  auto run = consecutive ? cpu::sort().unique_consecutive : cpu::sort().unique;
  int64_t found = run(values.raw(), want_inverse ? inverse.data<int64_t>() : nullptr,
                      want_counts ? counts.data<int64_t>() : nullptr, x.raw(), x.dtype(), n);
  return {first_of(values, found), inverse, want_counts ? first_of(counts, found) : counts};
}

// Slices along dim as rows: their order (lexicographic unless consecutive) and where a new one begins.
Three unique_slices(const Tensor& t, int64_t d, bool consecutive, bool want_inverse, bool want_counts) {
  if (is_complex_dtype(t.dtype())) not_implemented_for("unique_dim", t.dtype());
  GradModeGuard off(false);
  int64_t dim = wrap_dim(d, t.dim());
  int64_t n = t.dim() ? t.sizes()[dim] : 1;
  Dims order_of_axes{dim};
  for (int64_t i = 0; i < t.dim(); ++i)
    if (i != dim) order_of_axes.push_back(i);
  Tensor moved = t.dim() > 1 ? contiguous(permute(detach(t), order_of_axes)) : plain(t);
  int64_t width = n ? moved.numel() / n : 0;
  check(n > 0 || t.numel() == 0, "unique_dim: bad shape");
  if (n == 0) {
    int64_t empty_axes = 0;
    for (int64_t s : t.sizes()) empty_axes += s == 0;
    check(empty_axes == 1, "Number of zero sized dimensions is more than one, so unique cannot be applied ");
    return {clone(detach(t)), Tensor::empty(Dims{0}, DType::I64), Tensor::empty(Dims{0}, DType::I64)};
  }
  check(t.numel() > 0, "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied");
  Tensor order = Tensor::empty(Dims{n}, DType::I64), inverse = Tensor::empty(Dims{n}, DType::I64);
  int64_t* row = order.data<int64_t>();
  std::iota(row, row + n, int64_t{0});
  std::vector<int64_t> firsts, counts;
  visit_dtype(moved.dtype(), [&](auto zero) {
    using T = decltype(zero);
    if constexpr (!is_complex_v<T>) {
      using C = std::conditional_t<std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>, float, T>;
      const T* p = moved.data<T>();
      auto less = [&](int64_t a, int64_t b) {
        for (int64_t i = 0; i < width; ++i) {
          C x = static_cast<C>(p[a * width + i]), y = static_cast<C>(p[b * width + i]);
          if (x < y) return true;
          if (y < x) return false;
        }
        return false;
      };
      auto same = [&](int64_t a, int64_t b) {
        for (int64_t i = 0; i < width; ++i)
          if (!(static_cast<C>(p[a * width + i]) == static_cast<C>(p[b * width + i]))) return false;
        return true;
      };
      if (!consecutive) std::stable_sort(row, row + n, less);
      for (int64_t i = 0; i < n; ++i) {
        if (i == 0 || !same(row[i - 1], row[i])) {
          firsts.push_back(row[i]);
          counts.push_back(0);
        }
        ++counts.back();
        inverse.data<int64_t>()[row[i]] = static_cast<int64_t>(firsts.size()) - 1;
      }
    }
  });
  auto as_tensor = [](const std::vector<int64_t>& v) {
    Tensor out = Tensor::empty(Dims{static_cast<int64_t>(v.size())}, DType::I64);
    std::copy(v.begin(), v.end(), out.data<int64_t>());
    return out;
  };
  Tensor none = Tensor::empty(Dims{0}, DType::I64);
  return {index_select(detach(t), dim, as_tensor(firsts)), want_inverse ? inverse : none,
          want_counts ? as_tensor(counts) : none};
}

Three unique2(const Tensor& x, bool, bool want_inverse, bool want_counts) {
  return unique_flat(x, false, want_inverse, want_counts);
}
Three unique_dim(const Tensor& x, int64_t dim, bool, bool want_inverse, bool want_counts) {
  return unique_slices(x, dim, false, want_inverse, want_counts);
}
Three unique_consecutive(const Tensor& x, bool want_inverse, bool want_counts, std::optional<int64_t> dim) {
  return dim ? unique_slices(x, *dim, true, want_inverse, want_counts)
             : unique_flat(x, true, want_inverse, want_counts);
}

// --- searching -----------------------------------------------------------------------------------------------------------

Tensor searchsorted_in(const char* name, const Tensor& sorted, const Tensor& wanted, bool out_int32, bool right,
                       const Tensor& sorter) {
  const Tensor both_inputs[] = {sorted, wanted};
  DType common = result_type(both_inputs, {});
  check(!is_complex_dtype(common), name, "(): does not support complex input");
  GradModeGuard off(false);
  Tensor rows = plain(to_dtype(sorted, common)), values = plain(to_dtype(wanted, common));
  Tensor order = sorter.defined() ? plain(sorter) : Tensor();
  Tensor out = Tensor::empty(values.sizes(), DType::I64);
  bool shared = rows.dim() == 1;
  int64_t n = rows.sizes().back(), m = shared ? values.numel() : values.sizes().back();
  if (out.numel() > 0)
    cpu::search().searchsorted(out.data<int64_t>(), rows.raw(), order.defined() ? order.data<int64_t>() : nullptr,
                               values.raw(), common, shared ? 1 : values.numel() / m, n, m, shared, right);
  return out_int32 ? to_dtype(out, DType::I32) : out;
}

Tensor searchsorted(const Tensor& sorted, const Tensor& values, bool out_int32, bool right,
                    std::optional<std::string_view> side, const Tensor& sorter) {
  if (side) {
    check(*side == "left" || *side == "right", "torch.searchsorted(): side can only be 'left' or 'right' but got ",
          *side);
    check(!(right && *side == "left"), "torch.searchsorted(): side and right can't be set to opposites, got side of ",
          *side, " while right was True");
    right = *side == "right";
  }
  check(sorted.dim() > 0,
        "torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 dimension");
  check(
      values.dim() == 0 || values->wrapped_number || sorted.dtype() == values.dtype(),
      "torch.searchsorted(): boundary tensor and input value tensor should have same dtype, but got boundary tensor dtype ",
      dtype_name(sorted.dtype()), " and input value tensor dtype ", dtype_name(values.dtype()));
  bool match = sorted.dim() == 1 || sorted.dim() == values.dim();
  for (int64_t d = 0; match && sorted.dim() > 1 && d < sorted.dim() - 1; ++d)
    match = sorted.sizes()[d] == values.sizes()[d];
  check(
      match,
      values.dim() == 0
          ? "torch.searchsorted(): input value can be a scalar only when boundaries tensor dimension is 1, but we got boundaries tensor dim("
          : "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input value "
            "tensor must match, but we got boundaries tensor ",
      shape_str(sorted.sizes()), " and input value tensor ", shape_str(values.sizes()));
  if (sorter.defined()) {
    check(same_shape(sorted, sorter),
          "torch.searchsorted(): boundary and sorter must have the same size, but got boundary tensor ",
          shape_str(sorted.sizes()), " and got sorter tensor ", shape_str(sorter.sizes()));
    check(sorter.dtype() == DType::I64, "torch.searchsorted(): sorter must be a tensor of long dtype but got dtype ",
          scalar_type_name(sorter.dtype()));
    if (sorter.numel() > 0) {
      cpu::ReduceShape flat{1, sorter.numel(), 1, 0, 1, 1};
      int64_t low, high;
      cpu::reduce_minmax().aminmax(DType::I64, plain(sorter).raw(), flat, &low, &high);
      check(low >= 0 && high < sorter.sizes().back(), "torch.searchsorted(): sorter index out of range");
    }
  }
  return searchsorted_in("torch.searchsorted", sorted, values, out_int32, right, sorter);
}
Tensor searchsorted_scalar(const Tensor& sorted, const Scalar& value, bool out_int32, bool right,
                           std::optional<std::string_view> side, const Tensor& sorter) {
  return searchsorted(sorted, Tensor::wrapped(value), out_int32, right, side, sorter);
}

Tensor bucketize(const Tensor& x, const Tensor& boundaries, bool out_int32, bool right) {
  check(boundaries.dim() == 1, "boundaries tensor must be 1 dimension, but got dim(", boundaries.dim(), ")");
  return searchsorted_in("torch.bucketize", boundaries, x, out_int32, right, {});
}
Tensor bucketize_scalar(const Scalar& x, const Tensor& boundaries, bool out_int32, bool right) {
  return bucketize(Tensor::wrapped(x), boundaries, out_int32, right);
}

Tensor isin(const Tensor& elements, const Tensor& test, bool, bool invert) {
  const Tensor both_inputs[] = {elements, test};
  DType common = result_type(both_inputs, {});
  check(!is_complex_dtype(common), "Unsupported input type encountered for isin(): ", scalar_type_name(common));
  GradModeGuard off(false);
  Tensor x = plain(to_dtype(elements, common)), y = plain(to_dtype(test, common));
  Tensor out = Tensor::empty(x.sizes(), DType::Bool);
  if (y.numel() == 0)
    fill_data(out, Scalar(invert));
  else if (x.numel() > 0)
    cpu::search().isin(out.data<bool>(), x.raw(), x.numel(), y.raw(), y.numel(), common, invert);
  return out;
}
Tensor isin_tensor_scalar(const Tensor& elements, const Scalar& test, bool unique, bool invert) {
  return isin(elements, Tensor::wrapped(test), unique, invert);
}
Tensor isin_scalar_tensor(const Scalar& element, const Tensor& test, bool unique, bool invert) {
  return isin(Tensor::wrapped(element), test, unique, invert);
}

}  // namespace

static const Family family([](Registry& r) {
  constexpr Traits kFunction{.method = false};
  r.op<&sort>("sort(Tensor self, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)",
              "The elements in order along dim, and their places (int64); both have self's shape. Equal elements\n"
              "keep their order; NaN is the largest. Complex dtypes are a RuntimeError.\n\n"
              ">>> torch.sort(torch.tensor([3., float('nan'), 1.])).values\ntensor([1., 3., nan])\n"
              ">>> torch.sort(torch.tensor([[2, 1], [3, 4]]), dim=1, descending=True).indices\ntensor([[0, 1],\n"
              "        [1, 0]])\n");
  r.op<&sort_stable>(
      "sort.stable(Tensor self, *, bool? stable, int dim=-1, bool descending=False) -> (Tensor values, Tensor indices)");
  r.op<&argsort>("argsort(Tensor self, int dim=-1, bool descending=False) -> Tensor",
                 "The indices (int64) that sort self along dim. Equal elements keep their order; NaN is the largest.\n"
                 "Complex dtypes are a RuntimeError.\n\n"
                 ">>> torch.argsort(torch.tensor([3, 1, 2]))\ntensor([1, 2, 0])\n");
  r.op<&argsort_stable>("argsort.stable(Tensor self, *, bool stable, int dim=-1, bool descending=False) -> Tensor");
  r.op<&msort>("msort(Tensor self) -> Tensor",
               "self in order along its first axis: sort(self, 0).values.\n\n"
               ">>> torch.msort(torch.tensor([[3, 1], [2, 5]]))\ntensor([[2, 1],\n        [3, 5]])\n");
  r.op<&topk>(
      "topk(Tensor self, int k, int dim=-1, bool largest=True, bool sorted=True) -> (Tensor values, Tensor indices)",
      "The k largest (or smallest) elements along dim in order, and their places (int64). k beyond the size\n"
      "and complex dtypes are a RuntimeError.\n\n"
      ">>> torch.topk(torch.tensor([3, 1, 2]), 2).values\ntensor([3, 2])\n");
  r.op<&unique2>(
      "_unique2(Tensor self, bool sorted=True, bool return_inverse=False, bool return_counts=False) -> (Tensor, Tensor, Tensor)",
      "The distinct elements in order, the place of each element among them, and how often each occurs.", kFunction);
  r.op<&unique_dim>(
      "unique_dim(Tensor self, int dim, bool sorted=True, bool return_inverse=False, bool return_counts=False) -> (Tensor, Tensor, Tensor)",
      "The distinct slices along dim in order, the place of each slice of self among them, and how often\n"
      "each occurs (int64). torch.unique(self, dim=...) is the usual way to ask for it.\n\n"
      ">>> torch.unique_dim(torch.tensor([[1, 2], [0, 5], [1, 2]]), 0)\n(tensor([[0, 5],\n"
      "        [1, 2]]), tensor([], dtype=torch.int64), tensor([], dtype=torch.int64))\n",
      kFunction);
  r.op<&unique_consecutive>(
      "_unique_consecutive(Tensor self, bool return_inverse=False, bool return_counts=False, int? dim=None) -> (Tensor, Tensor, Tensor)",
      "The elements (or slices along dim) that differ from the one before, with places and counts.", kFunction);
  r.op<&searchsorted>(
      "searchsorted.Tensor(Tensor sorted_sequence, Tensor self, *, bool out_int32=False, bool right=False, str? side=None, Tensor? sorter=None) -> Tensor",
      "Where the values would be inserted in sorted_sequence's last axis to keep it sorted; after equal\n"
      "ones with right. A vector serves values of any shape, else all but the last sizes agree: a\n"
      "RuntimeError if not. int64, int32 with out_int32.\n\n"
      ">>> torch.searchsorted(torch.tensor([1, 3, 5]), torch.tensor([2, 3]))\ntensor([1, 1])\n",
      kFunction);
  r.op<&searchsorted_scalar>(
      "searchsorted.Scalar(Tensor sorted_sequence, Scalar self, *, bool out_int32=False, bool right=False, str? side=None, Tensor? sorter=None) -> Tensor",
      "", kFunction);
  r.op<&bucketize>(
      "bucketize.Tensor(Tensor self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> Tensor",
      "The interval between the sorted boundaries (a vector) that each element lies in: i with\n"
      "boundaries[i-1] < x <= boundaries[i], or with right boundaries[i-1] <= x < boundaries[i]. int64 in\n"
      "self's shape, int32 with out_int32.\n\n"
      ">>> torch.bucketize(torch.tensor([0, 1, 2]), torch.tensor([1, 2]))\ntensor([0, 0, 1])\n"
      ">>> torch.bucketize(torch.tensor([0, 1, 2]), torch.tensor([1, 2]), right=True)\ntensor([0, 1, 2])\n",
      kFunction);
  r.op<&bucketize_scalar>(
      "bucketize.Scalar(Scalar self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> Tensor", "",
      kFunction);
  r.op<&isin>(
      "isin.Tensor_Tensor(Tensor elements, Tensor test_elements, *, bool assume_unique=False, bool invert=False) -> Tensor",
      "Whether each element is one of test_elements (a tensor of any shape, or a number), as bool in the\n"
      "shape of elements; with invert, whether it is none. Complex tensors are a RuntimeError.\n\n"
      ">>> torch.isin(torch.tensor([1, 2, 3]), torch.tensor([2]))\ntensor([False,  True, False])\n",
      kFunction);
  r.op<&isin_tensor_scalar>(
      "isin.Tensor_Scalar(Tensor elements, Scalar test_element, *, bool assume_unique=False, bool invert=False) -> Tensor",
      "", kFunction);
  r.op<&isin_scalar_tensor>(
      "isin.Scalar_Tensor(Scalar element, Tensor test_elements, *, bool assume_unique=False, bool invert=False) -> Tensor",
      "", kFunction);
});

}  // namespace rl
