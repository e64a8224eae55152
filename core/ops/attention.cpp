// Scaled dot product attention: one node, no matrix of scores (kernels/attention.h).
#include "kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/pointwise/rounding.h"
#include "ops/creation.h"
#include "ops/formula.h"
#include "ops/index_util.h"
#include "ops/loss.h"
#include "ops/matmul.h"
#include "ops/reduce.h"
#include "ops/replay.h"
#include "ops/shape.h"

namespace rl {
namespace {

using namespace formula;

constexpr double kInf = std::numeric_limits<double>::infinity();

// All but the last two sizes.
IntSpan lead(const Tensor& t) { return t.sizes().first(static_cast<size_t>(t.dim() - 2)); }

Tensor with_lead(const Tensor& t, IntSpan sizes) {
  if (std::ranges::equal(lead(t), sizes)) return t;
  Dims all(sizes);
  all.push_back(t.size(-2)), all.push_back(t.size(-1));
  return expand(t, all);
}

// Where the matrices of t start, in elements, for leading axes broadcast to `sizes`.
SmallVector<int64_t, 16> entry_offsets(const Tensor& t, IntSpan sizes) {
  Dims strides = broadcast_strides(lead(t), t.strides().first(static_cast<size_t>(t.dim() - 2)), sizes);
  int64_t n = product(sizes);
  SmallVector<int64_t, 16> out;
  out.resize(n, 0);
  for (int64_t i = 0; i < n; ++i) {
    int64_t rest = i;
    for (int64_t d = static_cast<int64_t>(sizes.size()) - 1; d >= 0; --d) {
      out[i] += rest % sizes[d] * strides[d];
      rest /= sizes[d];
    }
  }
  return out;
}

// Empty, with heads inside of positions, as models want it next: (batch, positions, heads, width), transposed.
Tensor heads_inside(IntSpan sizes, DType dtype) {
  if (sizes.size() != 4) return Tensor::empty(sizes, dtype);
  int64_t h = sizes[1], n = sizes[2], w = sizes[3];
  return Tensor::empty_strided(sizes, Dims{n * h * w, w, h * w, 1}, dtype);
}
Tensor gradient_like(const Tensor& t) {
  bool inside = t.dim() == 4 && t.strides()[1] < t.strides()[2];
  return inside ? heads_inside(t.sizes(), t.dtype()) : Tensor::empty(t.sizes(), t.dtype());
}

struct Settings {
  bool causal;
  double scale;
};

// Of differentiable ops. mask is additive; keep are dropout's factors.
Tensor composed(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask, const Tensor& keep,
                const Settings& how) {
  Tensor scores = mul(matmul(q, mT(k)), how.scale);
  if (mask.defined()) scores = add(scores, mask);
  if (how.causal) {
    int64_t rows = scores.size(-2), cols = scores.size(-1);
    Tensor later = call<pointwise::Gt>(arange_int(cols), unsqueeze(arange_int(rows), 1));
    scores = where(later, number(-kInf), scores);
  }
  if (scores.numel() > 0) {
    Tensor dead;  // rows with nothing to attend to
    {
      GradModeGuard off(false);
      dead = eq(amax(detach(scores), Dims{-1}, true), -kInf);
    }
    Tensor p = softmax(where(dead, number(0), scores), -1);
    scores = where(dead, number(0), p);
  }
  if (keep.defined()) scores = mul(scores, keep);
  return matmul(scores, v);
}

template <class T> MatrixStack<T> stack_of(const Tensor& t, const SmallVector<int64_t, 16>& offsets) {
  return {static_cast<std::remove_const_t<T>*>(t.raw()), offsets.data(), t.strides()[static_cast<size_t>(t.dim() - 2)],
          t.size(-1) == 1 ? 1 : t.strides()[static_cast<size_t>(t.dim() - 1)]};
}

// The arguments that both passes share; the offsets must live as long.
template <class T> struct Arguments {
  SmallVector<int64_t, 16> q, k, v, mask, out;
  Arguments(const Tensor& tq, const Tensor& tk, const Tensor& tv, const Tensor& tm, const Tensor& to)
      : q(entry_offsets(tq, lead(to))),
        k(entry_offsets(tk, lead(to))),
        v(entry_offsets(tv, lead(to))),
        out(entry_offsets(to, lead(to))) {
    if (tm.defined()) mask = entry_offsets(tm, lead(to));
  }
  void fill(AttentionArgs<T>& a, const Tensor& tq, const Tensor& tk, const Tensor& tv, const Tensor& tm,
            const Tensor& keep, const Settings& how, const Tensor& to, const Tensor& lse) const {
    a.entries = product(lead(to));
    a.queries = tq.size(-2), a.keys = tk.size(-2), a.width = tq.size(-1), a.value_width = tv.size(-1);
    a.q = stack_of<const T>(tq, q), a.k = stack_of<const T>(tk, k), a.v = stack_of<const T>(tv, v);
    if (tm.defined()) a.mask = stack_of<const T>(tm, mask);
    if (keep.defined()) a.keep = keep.data<T>();
    a.causal = how.causal, a.scale = how.scale;
    a.out = stack_of<T>(to, out);
    a.lse = lse.defined() ? lse.data<T>() : nullptr;
  }
};

template <class T>
void run_forward(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask, const Tensor& keep,
                 const Settings& how, const Tensor& out, const Tensor& lse) {
  Arguments<T> at(q, k, v, mask, out);
  AttentionArgs<T> a;
  at.fill(a, q, k, v, mask, keep, how, out, lse);
  attention_forward(a);
}

// Saved: q, k, v, mask, keep, out, lse.
template <class T> void run_backward_kernel(Backward& ctx, const Settings& how) {
  Tensor q = ctx.saved(0), k = ctx.saved(1), v = ctx.saved(2), mask = ctx.saved(3), keep = ctx.saved(4),
         out = ctx.saved(5), lse = ctx.saved(6);
  const Tensor& g = ctx.grad();
  Tensor dq = gradient_like(q), dk = gradient_like(k), dv = gradient_like(v);
  Arguments<T> at(q, k, v, mask, out);
  AttentionBackward<T> a;
  at.fill(a, q, k, v, mask, keep, how, out, lse);
  auto g_at = entry_offsets(g, lead(g)), q_at = entry_offsets(dq, lead(dq)), k_at = entry_offsets(dk, lead(dk)),
       v_at = entry_offsets(dv, lead(dv));
  a.dout = stack_of<const T>(g, g_at);
  a.dq = stack_of<T>(dq, q_at), a.dk = stack_of<T>(dk, k_at), a.dv = stack_of<T>(dv, v_at);
  attention_backward(a);
  ctx.set(0, dq), ctx.set(1, dk), ctx.set(2, dv);
}

// bool or float, to what is added to the scores.
Tensor additive(const Tensor& mask, DType dtype) {
  if (mask.dtype() != DType::Bool) return to_dtype(mask, dtype);
  GradModeGuard off(false);
  return to_dtype(where(mask, number(0), -kInf), dtype);
}

void check_arguments(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& mask, double dropout,
                     bool causal) {
  auto name = [](const Tensor& t) { return dtype_name(t.dtype()); };
  check(q.dtype() == k.dtype() && q.dtype() == v.dtype(),
        "Expected query, key, and value to have the same dtype, but got query.dtype: ", name(q),
        " key.dtype: ", name(k), " and value.dtype: ", name(v), " instead.");
  check(q.dim() >= 2 && k.dim() >= 2 && v.dim() >= 2,
        "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: ", q.dim(),
        " key.dim: ", k.dim(), " and value.dim: ", v.dim(), " instead.");
  if (mask.defined()) {
    check(mask.dtype() == DType::Bool || mask.dtype() == DType::F32 || mask.dtype() == q.dtype(),
          "Expected attn_mask dtype to be bool or float or to match query dtype, but got attn_mask.dtype: ", name(mask),
          " and  query.dtype: ", name(q), " instead.");
    check(!causal, "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True");
  }
  check(dropout >= 0 && dropout <= 1, "dropout probability has to be between 0 and 1, but got ", dropout);
  check(q.size(-1) == k.size(-1) && k.size(-2) == v.size(-2), "scaled_dot_product_attention: query ",
        shape_str(q.sizes()), ", key ", shape_str(k.sizes()), " and value ", shape_str(v.sizes()),
        " do not fit together: they are (..., L, E), (..., S, E) and (..., S, Ev)");
}

// Each head of k or v, repeated for the query heads that share it.
Tensor repeat_heads(const Tensor& t, int64_t heads) {
  int64_t own = t.size(-3);
  if (own == heads) return t;
  check(own > 0 && heads % own == 0, "Number of heads in key and value must divide the number of heads in query, got ",
        own, " and ", heads);
  Dims wide(lead(t)), flat(t.sizes());
  for (int64_t n : {heads / own, t.size(-2), t.size(-1)}) wide.push_back(n);
  flat[static_cast<size_t>(t.dim() - 3)] = heads;
  return reshape(expand(unsqueeze(t, t.dim() - 2), wide), flat);
}

Tensor dropout_factors(IntSpan sizes, DType dtype, double p) {
  static const OpDef* def = Registry::get().overloads("dropout").front();
  GradModeGuard off(false);
  Tensor one = ones(sizes, dtype);
  Value args[3] = {Value(one), Value(), Value()};
  args[1].tag = Tag::Double, args[1].d = p;
  args[2].tag = Tag::Bool, args[2].b = true;
  Result result;
  def->fn(args, result);
  Tensor factors = result.tensor;
  return factors.is_contiguous() && factors.dim() > 0 ? factors : contiguous(expand(factors, sizes));
}

Tensor attention(const Tensor& query, const Tensor& key, const Tensor& value, const Tensor& attn_mask, double dropout,
                 bool causal, std::optional<double> scale, bool grouped) {
  if (grouped && query.dim() >= 3 && key.dim() >= 3 && value.dim() >= 3)
    return attention(query, repeat_heads(key, query.size(-3)), repeat_heads(value, query.size(-3)), attn_mask, dropout,
                     causal, scale, false);
  check_arguments(query, key, value, attn_mask, dropout, causal);
  DType dtype = query.dtype();
  if (!is_floating(dtype)) not_implemented_for("scaled_dot_product_attention", dtype);
  if (dtype == DType::F16 || dtype == DType::BF16) {
    auto wide = [](const Tensor& t) { return to_dtype(t, DType::F32); };
    Tensor mask = attn_mask.defined() && attn_mask.dtype() != DType::Bool ? wide(attn_mask) : attn_mask;
    return to_dtype(attention(wide(query), wide(key), wide(value), mask, dropout, causal, scale, false), dtype);
  }
  Dims batch = broadcast_shapes(broadcast_shapes(lead(query), lead(key)), lead(value));
  Tensor mask = attn_mask;
  if (mask.defined()) {
    while (mask.dim() < 2) mask = unsqueeze(mask, 0);
    mask = additive(mask, dtype);
    Dims all(broadcast_shapes(lead(mask), batch));
    batch = all;
    // Rows are read as they lie, so columns must be adjacent.
    Dims full(lead(mask));
    full.push_back(query.size(-2)), full.push_back(key.size(-2));
    mask = expand(mask, full);
  }
  int64_t width = query.size(-1);
  Settings how{causal, scale ? *scale : width ? 1 / std::sqrt(static_cast<double>(width)) : 1};
  Tensor q = with_lead(query, batch), k = with_lead(key, batch), v = with_lead(value, batch);
  Dims shape(batch), scores(batch);
  shape.push_back(q.size(-2)), shape.push_back(v.size(-1));
  scores.push_back(q.size(-2)), scores.push_back(k.size(-2));
  Tensor keep = dropout > 0 ? dropout_factors(scores, dtype, dropout) : Tensor();
  bool empty = product(shape) == 0 || product(scores) == 0 || width == 0;
  if (empty || (mask.defined() && needs_gradient(mask))) return composed(q, k, v, mask, keep, how);

  if (mask.defined() && mask.size(-1) > 1 && mask.stride(-1) != 1) mask = contiguous(detach(mask));
  Tensor out = heads_inside(shape, dtype);
  bool wanted = needs_gradient(q, k, v);
  Tensor lse;
  if (wanted) {
    Dims rows(batch);
    rows.push_back(q.size(-2));
    lse = Tensor::empty(rows, dtype);
  }
  (dtype == DType::F32 ? run_forward<float> : run_forward<double>)(q, k, v, mask, keep, how, out, lse);
  if (!wanted) return out;
  const char* name =
      q.dim() == 4 && dropout == 0 ? "ScaledDotProductFlashAttentionForCpuBackward0" : "UnsafeViewBackward0";
  record(name, out, {q, k, v}, {q, k, v, mask, keep, output(out), lse}, [how](Backward& ctx) {
    if (Backward::create_graph()) {
      const Tensor inputs[] = {ctx.saved(0), ctx.saved(1), ctx.saved(2)};
      Tensor mask = ctx.saved(3), keep = ctx.saved(4);
      return differentiate_again(
          ctx, inputs, [&](const TensorList& t) { return TensorList{composed(t[0], t[1], t[2], mask, keep, how)}; });
    }
    (ctx.saved(0).dtype() == DType::F32 ? run_backward_kernel<float> : run_backward_kernel<double>)(ctx, how);
  });
  return out;
}

const Family family([](Registry& r) {
  r.op<&attention>(
      "scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float dropout_p=0.0, bool is_causal=False, *, float? scale=None, bool enable_gqa=False) -> Tensor",
      "softmax(scale * query @ key.mT + mask) @ value, without ever holding all scores (Vaswani et al. 2017; Dao et al. 2022).\n\n"
      "query is (..., L, E), key (..., S, E), value (..., S, Ev). attn_mask broadcasts to (..., L, S): True (or 0.0) takes part, "
      "False (or -inf) does not; is_causal lets position i see positions up to i. scale is 1 / sqrt(E) unless given; dropout_p "
      "drops probabilities; enable_gqa lets groups of query heads share a head of key and value.\n\n"
      ">>> q = torch.ones(1, 2, 4, 8)\n"
      ">>> torch.nn.functional.scaled_dot_product_attention(q, q, q, is_causal=True).shape\n"
      "torch.Size([1, 2, 4, 8])\n",
      {.method = false});
});

}  // namespace
}  // namespace rl
