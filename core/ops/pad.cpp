// Padding: with a constant, or with self's own elements mirrored, repeated or wrapped around.
#include <algorithm>

#include "ops/creation.h"
#include "ops/index_util.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace rl {

Tensor constant_pad_nd(const Tensor& self, IntSpan pad, const Scalar& value) {
  check(pad.size() % 2 == 0, "Length of pad must be even but instead it equals ", pad.size());
  int64_t n = self.dim(), count = static_cast<int64_t>(pad.size()) / 2;
  check(count <= n, "Length of pad should be no more than twice the number of dimensions of the input. Pad length is ",
        pad.size(), " while the input has ", n, " dimensions.");
  check_fits(value, self.dtype());
  // What is kept of self, and where it goes.
  Dims sizes(self.sizes()), kept(self.sizes());
  int64_t from = self->offset(), to = 0;
  bool covered = true;
  Dims before(n, 0), cut(n, 0);
  for (int64_t i = 0; i < count; ++i) {
    int64_t d = n - 1 - i, low = pad[static_cast<size_t>(2 * i)], high = pad[static_cast<size_t>(2 * i + 1)];
    constexpr int64_t kMost = int64_t{1} << 60;
    check(low > -kMost && low < kMost && high > -kMost && high < kMost, "padding of ", low, " and ", high,
          " for dimension ", d, " is larger than any tensor");
    sizes[d] += low + high;
    check(sizes[d] >= 0, "The input size ", self.sizes()[d], ", plus negative padding ", low, " and ", high,
          " resulted in a negative output size, "
          "which is invalid. Check dimension ",
          d, " of your input.");
    kept[d] = std::max<int64_t>(0, self.sizes()[d] + std::min<int64_t>(low, 0) + std::min<int64_t>(high, 0));
    before[d] = std::max<int64_t>(low, 0);
    cut[d] = std::max<int64_t>(-low, 0);
    covered &= low <= 0 && high <= 0;
  }
  Tensor out = covered ? Tensor::empty(sizes, self.dtype()) : full(sizes, value, self.dtype());
  for (int64_t d = 0; d < n; ++d) {
    from += cut[d] * self.strides()[d];
    to += before[d] * out.strides()[d];
  }
  if (out.numel() > 0 && product(kept) > 0)
    copy_data(out.alias(kept, out.strides(), to), self.alias(kept, self.strides(), from));
  record("ConstantPadNdBackward0", out, {self}, {}, [p = Dims(pad)](Backward& ctx) {
    Dims back;
    for (int64_t x : p) back.push_back(-x);
    ctx.set(0, constant_pad_nd(ctx.grad(), back, Scalar(0)));
  });
  return out;
}

namespace {

enum class Border { reflect, replicate, circular };

int64_t border_source(Border kind, int64_t i, int64_t n) {
  switch (kind) {
    case Border::reflect: return i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
    case Border::replicate: return std::clamp<int64_t>(i, 0, n - 1);
    default: return (i % n + n) % n;
  }
}

Tensor pad_border(Border kind, const Tensor& self, IntSpan pad) {
  int64_t n = self.dim(), count = static_cast<int64_t>(pad.size()) / 2;
  TensorList sources;
  Dims dims, lengths;
  for (int64_t i = 0; i < count; ++i) {
    int64_t d = n - 1 - i, low = pad[static_cast<size_t>(2 * i)], high = pad[static_cast<size_t>(2 * i + 1)],
            size = self.sizes()[d];
    if (kind == Border::reflect)
      check(low < size && high < size,
            "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding (", low,
            ", ", high, ") at dimension ", d, " of input ", shape_str(self.sizes()));
    if (kind == Border::circular)
      check(low <= size && high <= size, "Padding value causes wrapping around more than once.");
    // What wraps around is what negative amounts have left.
    int64_t cut = kind == Border::circular ? std::max<int64_t>(-low, 0) : 0;
    int64_t around = kind == Border::circular ? size - cut - std::max<int64_t>(-high, 0) : size;
    check(size + low + high >= (kind == Border::circular ? 0 : 1), "input (", shape_str(self.sizes()),
          ") is too small for padding (", low, ", ", high, ") at dimension ", d);
    check(around > 0 || size + low + high == 0, "Padding value causes wrapping around nothing: padding (", low, ", ",
          high, ") leaves none of the ", size, " elements of dimension ", d);
    if (low == 0 && high == 0) continue;
    Tensor source = Tensor::empty(Dims{size + low + high}, DType::I64);
    for (int64_t j = 0; j < source.numel(); ++j)
      source.data<int64_t>()[j] = cut + border_source(kind, j - low - cut, around);
    sources.push_back(std::move(source));
    dims.push_back(d);
    lengths.push_back(size);
  }
  Tensor out = detach(self);
  // From the first dimension on, so that the longest rows are moved whole.
  for (size_t i = sources.size(); i-- > 0;) out = index_select(out, dims[static_cast<int64_t>(i)], sources[i]);
  if (sources.empty()) out = clone(out);
  static constexpr const char* kNames[3][3] = {
      {"ReflectionPad1DBackward0", "ReflectionPad2DBackward0", "ReflectionPad3DBackward0"},
      {"ReplicationPad1DBackward0", "ReplicationPad2DBackward0", "ReplicationPad3DBackward0"},
      {"PadCircularBackward0", "PadCircularBackward0", "PadCircularBackward0"}};
  sources.push_back(self);
  record_keeping(kNames[static_cast<int>(kind)][std::clamp<int64_t>(count, 1, 3) - 1], out, {self}, sources,
                 [dims, lengths](Backward& ctx) {
                   Tensor g = ctx.grad();
                   for (int64_t i = 0; i < dims.size(); ++i) {
                     Dims sizes(g.sizes());
                     sizes[dims[i]] = lengths[i];
                     g = index_add(zeros(sizes, g.dtype()), dims[i], ctx.saved(i), g, Scalar(1));
                   }
                   // It does not depend on self, but can be differentiated by it, as in PyTorch.
                   const Tensor self = ctx.saved(dims.size());
                   ctx.set(0, tie_to_inputs(g, std::span<const Tensor>(&self, 1)));
                 });
  return out;
}

template <Border kKind, int kDims>
Tensor border_pad(const Tensor& self, IntSpan padding) {
  const char* name = kKind == Border::reflect ? "reflection_pad" : "replication_pad";
  check(static_cast<int>(padding.size()) == 2 * kDims, "padding size is expected to be ", 2 * kDims,
        ", but got: ", padding.size());
  check(self.dim() == kDims + 1 || self.dim() == kDims + 2, name, kDims, "d: Expected ", kDims + 1, "D or ", kDims + 2,
        "D (batch mode) tensor, but got input of shape ", shape_str(self.sizes()));
  return pad_border(kKind, self, padding);
}

Tensor pad(const Tensor& self, IntSpan amounts, std::string_view mode, std::optional<double> value) {
  check(amounts.size() % 2 == 0, "Padding length must be divisible by 2");
  check(static_cast<int64_t>(amounts.size()) <= 2 * self.dim(),
        "Padding length should be less than or equal to two times the input dimension but got padding length ",
        amounts.size(), " and input of dimension ", self.dim());
  if (mode == "constant")
    return constant_pad_nd(
        self, amounts,
        is_integral(self.dtype()) ? Scalar(static_cast<int64_t>(value.value_or(0))) : Scalar(value.value_or(0)));
  check(!value || *value == 0, "Padding mode \"", mode, "\" doesn't take in value argument");
  if (mode != "reflect" && mode != "replicate" && mode != "circular")
    fail(ErrorKind::NotImplemented, "Unrecognised padding mode ", mode);
  int64_t n = static_cast<int64_t>(amounts.size()), d = self.dim();
  if (!((n == 2 && (d == 2 || d == 3)) || (n == 4 && (d == 3 || d == 4)) || (n == 6 && (d == 4 || d == 5))))
    fail(
        ErrorKind::NotImplemented, "Padding size ", n, " is not supported for ", d,
        "D input tensor.\nSupported combinations for non-constant padding:\n"
        "  - 2D or 3D input: padding size = 2 (pads last dimension)\n  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
        "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)");
  return pad_border(mode == "reflect"     ? Border::reflect
                    : mode == "replicate" ? Border::replicate
                                          : Border::circular,
                    self, amounts);
}

}  // namespace

static const Family family([](Registry& r) {
  constexpr Traits kFunction{.method = false};
  r.op<&constant_pad_nd>(
      "constant_pad_nd(Tensor self, int[] pad, Scalar value=0) -> Tensor",
      "self with value around it: pad gives (before, after) for the last dimension, then for the one before\n"
      "it, ...; negative amounts cut away. An odd count, or more pairs than dimensions, is a RuntimeError.\n"
      "F.pad calls it.\n\n"
      ">>> torch.constant_pad_nd(torch.tensor([[1, 2]]), (1, 2, 0, 1), 9)\ntensor([[9, 1, 2, 9, 9],\n"
      "        [9, 9, 9, 9, 9]])\n",
      kFunction);
  r.op<&pad>("pad(Tensor self, int[] pad, str mode=\"constant\", float? value=None) -> Tensor",
             "self padded with a constant (\"constant\": see constant_pad_nd()), with its mirror image (\"reflect\"),\n"
             "its edge (\"replicate\") or from its other end (\"circular\"). The last three take the last 1, 2 or 3\n"
             "dimensions of (n, c, ...) or (c, ...); a mirror needs fewer elements than there are.\n\n"
             ">>> x = torch.tensor([[1., 2., 3.]])\n"
             ">>> F.pad(x, (2, 2), mode=\"reflect\"), F.pad(x, (2, 2), mode=\"circular\")\n"
             "(tensor([[3., 2., 1., 2., 3., 2., 1.]]), tensor([[2., 3., 1., 2., 3., 1., 2.]]))\n",
             kFunction);
  r.op<&border_pad<Border::reflect, 1>>(
      "reflection_pad1d(Tensor self, int[2] padding) -> Tensor",
      "(n, c, length) or (c, length) with its mirror image before and after, the edge not repeated. A\n"
      "padding that is not smaller than length is a RuntimeError.\n\n"
      ">>> F.pad(torch.tensor([[1., 2., 3.]]), (2, 1), mode=\"reflect\")\ntensor([[3., 2., 1., 2., 3., 2.]])\n",
      kFunction);
  r.op<&border_pad<Border::reflect, 2>>(
      "reflection_pad2d(Tensor self, int[4] padding) -> Tensor",
      "reflection_pad1d() along both axes of (n, c, h, w) or (c, h, w): padding is (left, right, top,\n"
      "bottom).\n\n"
      ">>> F.pad(torch.tensor([[[1., 2.], [3., 4.]]]), (1, 0, 1, 0), mode=\"reflect\")\ntensor([[[4., 3., 4.],\n"
      "         [2., 1., 2.],\n         [4., 3., 4.]]])\n",
      kFunction);
  r.op<&border_pad<Border::reflect, 3>>(
      "reflection_pad3d(Tensor self, int[6] padding) -> Tensor",
      "reflection_pad1d() along the last three axes of (n, c, d, h, w) or (c, d, h, w).\n\n"
      ">>> F.pad(torch.ones(1, 2, 2, 2), (1, 1, 1, 1, 1, 1), mode=\"reflect\").shape\ntorch.Size([1, 4, 4, 4])\n",
      kFunction);
  r.op<&border_pad<Border::replicate, 1>>(
      "replication_pad1d(Tensor self, int[2] padding) -> Tensor",
      "(n, c, length) or (c, length) with its first and last elements repeated.\n\n"
      ">>> F.pad(torch.tensor([[1., 2., 3.]]), (2, 1), mode=\"replicate\")\ntensor([[1., 1., 1., 2., 3., 3.]])\n",
      kFunction);
  r.op<&border_pad<Border::replicate, 2>>(
      "replication_pad2d(Tensor self, int[4] padding) -> Tensor",
      "replication_pad1d() along both axes of (n, c, h, w) or (c, h, w): padding is (left, right, top,\n"
      "bottom).\n\n"
      ">>> F.pad(torch.tensor([[[1., 2.], [3., 4.]]]), (1, 0, 1, 0), mode=\"replicate\")\ntensor([[[1., 1., 2.],\n"
      "         [1., 1., 2.],\n         [3., 3., 4.]]])\n",
      kFunction);
  r.op<&border_pad<Border::replicate, 3>>(
      "replication_pad3d(Tensor self, int[6] padding) -> Tensor",
      "replication_pad1d() along the last three axes of (n, c, d, h, w) or (c, d, h, w).\n\n"
      ">>> F.pad(torch.ones(1, 2, 2, 2), (1, 1, 1, 1, 1, 1), mode=\"replicate\").shape\ntorch.Size([1, 4, 4, 4])\n",
      kFunction);
});

}  // namespace rl
