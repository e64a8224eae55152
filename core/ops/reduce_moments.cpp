// Variance, standard deviation, norms, logsumexp.
#include <cmath>
#include <limits>

#include "ops/creation.h"
#include "ops/formula.h"
#include "ops/index_util.h"
#include "ops/reduce.h"
#include "tensor/destination.h"

namespace rl {
namespace {

using namespace formula;

// --- var, std ----------------------------------------------------------------------------------------------------------

Tensor var_backward(const Tensor& g, const Tensor& x, DimSet set, bool keepdim, double correction) {
  double freedom = static_cast<double>(reduced_count(x.sizes(), set)) - correction;
  Dims dims;
  for (int64_t d = 0; d < x.dim(); ++d)
    if (has_dim(set, d)) dims.push_back(d);
  Tensor centred = dims.empty() ? sub(x, x) : sub(x, mean(x, dims, true));
  return mul(mul(restore_dims(g, x.dim(), set, keepdim), 2.0 / std::max(freedom, 0.0)), centred);
}

// The variance and, if asked for, the mean of real x, without history. `root`: the standard deviation.
Tensor real_moments(const Tensor& x, DimSet set, bool keepdim, double correction, bool root, Tensor* mean_out) {
  cpu::ReduceShape shape;
  if (item_size(x.dtype()) >= 4 && !reduce_shape(x, set, shape)) {
    if (DimSet first = first_step(x, set)) {
      // Parts of equal size: the variance is the mean of theirs plus the variance of their means.
      GradModeGuard off(false);
      Tensor means, within = real_moments(x, first, true, 0, false, &means);
      Dims rest;
      for (int64_t d = 0; d < x.dim(); ++d)
        if (has_dim(set, d)) rest.push_back(d);
      double count = static_cast<double>(reduced_count(x.sizes(), set));
      Tensor center, between = real_moments(means, set, keepdim, 0, false, &center);
      Tensor var = mul(add(mean(within, rest, keepdim), between), count / std::max(count - correction, 0.0));
      if (mean_out) *mean_out = center;
      return root ? sqrt(var) : var;
    }
  }
  if (mean_out) *mean_out = Tensor::empty(reduced_sizes(x.sizes(), set, keepdim), x.dtype());
  return reduce(x, set, keepdim, x.dtype(), [&](DType in, const void* p, const cpu::ReduceShape& s, void* o) {
    cpu::reduce_moments().var_mean(in, p, s, correction, root, o, mean_out ? mean_out->raw() : nullptr);
  });
}

// The same of complex x too: its real and imaginary parts vary independently.
Tensor moments(const Tensor& x, DimSet set, bool keepdim, double correction, bool root, Tensor* mean_out) {
  if (!is_complex_dtype(x.dtype())) return real_moments(detach(x), set, keepdim, correction, root, mean_out);
  GradModeGuard off(false);
  Tensor parts = view_as_real(detach(x)), out;
  for (int64_t part = 0; part < 2; ++part) {
    Tensor var = real_moments(select(parts, -1, part), set, keepdim, correction, false, nullptr);
    out = part ? add(out, var) : var;
  }
  if (mean_out) {
    Dims dims;
    for (int64_t d = 0; d < x.dim(); ++d)
      if (has_dim(set, d)) dims.push_back(d);
    *mean_out = mean(detach(x), dims, keepdim);
  }
  return root ? sqrt(out) : out;
}

Tensor spread_backward(Tensor g, const Tensor& x, const Tensor& out, bool root, DimSet set, bool keepdim,
                       double correction) {
  if (root) g = where(eq(out, 0), number(0), div(g, mul(out, 2)));
  return var_backward(g, x, set, keepdim, correction);
}

// PyTorch refuses integers; their spread is that of the numbers in the default float dtype.
Tensor as_floating(const Tensor& t) { return is_integral(t.dtype()) ? to_dtype(t, default_dtype()) : t; }

template <bool Root>
Tensor spread_of(const Tensor& t, DimSet set, bool keepdim, double correction) {
  const Tensor x = as_floating(t);
  Tensor out = moments(x, set, keepdim, correction, Root, nullptr);
  record(Root ? "StdBackward0" : "VarBackward0", out, {x}, {x, output(out)}, [set, keepdim, correction](Backward& ctx) {
    ctx.set(0, spread_backward(ctx.grad(), ctx.saved(0), ctx.saved(1), Root, set, keepdim, correction));
  });
  return out;
}

// std_mean, var_mean: both in one pass.
template <bool Root>
std::tuple<Tensor, Tensor> spread_and_mean(const Tensor& t, DimSet set, bool keepdim, double correction) {
  const Tensor x = as_floating(t);
  Tensor center, out = moments(x, set, keepdim, correction, Root, &center);
  const Tensor outs[] = {out, center};
  record(Root ? "StdMeanBackward0" : "VarMeanBackward0", std::span<const Tensor>(outs), std::span<const Tensor>(&x, 1),
         {Keep(x), output(out)}, [set, keepdim, correction](Backward& ctx) {
           Tensor x = ctx.saved(0), total;
           if (ctx.has_grad(0)) total = spread_backward(ctx.grad(0), x, ctx.saved(1), Root, set, keepdim, correction);
           if (ctx.has_grad(1)) {
             double count = static_cast<double>(reduced_count(x.sizes(), set));
             Tensor g = spread(div(ctx.grad(1), count), x.sizes(), set, keepdim);
             total = total.defined() ? add(total, g) : g;
           }
           if (total.defined()) ctx.set(0, total);
         });
  return {out, center};
}
template <bool Root>
std::tuple<Tensor, Tensor> with_mean_all(const Tensor& x, bool unbiased) {
  return spread_and_mean<Root>(x, all_dims(x.dim()), false, unbiased);
}
template <bool Root>
std::tuple<Tensor, Tensor> with_mean_dims(const Tensor& x, IntSpan dims, bool unbiased, bool keepdim) {
  return spread_and_mean<Root>(x, dim_set(dims, x.dim()), keepdim, unbiased);
}
template <bool Root>
std::tuple<Tensor, Tensor> with_mean_correction(const Tensor& x, IntSpan dims, std::optional<Scalar> correction,
                                                bool keepdim) {
  return spread_and_mean<Root>(x, dim_set(dims, x.dim()), keepdim, correction ? correction->to_double() : 1.0);
}

template <bool Root>
Tensor spread_all(const Tensor& x, bool unbiased) {
  return spread_of<Root>(x, all_dims(x.dim()), false, unbiased);
}
template <bool Root>
Tensor spread_dims(const Tensor& x, IntSpan dims, bool unbiased, bool keepdim) {
  return spread_of<Root>(x, dim_set(dims, x.dim()), keepdim, unbiased);
}
template <bool Root>
Tensor spread_correction(const Tensor& x, IntSpan dims, std::optional<Scalar> correction, bool keepdim) {
  return spread_of<Root>(x, dim_set(dims, x.dim()), keepdim, correction ? correction->to_double() : 1.0);
}

// --- norms -------------------------------------------------------------------------------------------------------------

Tensor sgn(const Tensor& x) { return call<pointwise::Sgn>(x); }

Tensor norm_backward(const Tensor& gradient, const Tensor& x, double p, const Tensor& result, DimSet set,
                     bool keepdim) {
  Tensor g = restore_dims(gradient, x.dim(), set, keepdim), norm = restore_dims(result, x.dim(), set, keepdim);
  if (p == 0) return zeros_like(x);
  if (p == 1) return mul(sgn(x), g);
  Tensor zero = number(0);
  if (p == 2) return mul(where(eq(norm, 0), zero, div(x, norm)), g);
  if (std::isinf(p)) {
    Tensor size = abs(x), mask;
    {
      GradModeGuard off(false);
      mask = either(eq(size, norm), both(isnan(size), isnan(norm)));
    }
    Tensor count = reduce(mask, set, true, DType::I64, cpu::reduce_sum().sum, cpu::reduce_sum().sum);
    return mul(mul(sgn(x), to_dtype(mask, g.dtype())), div(g, to_dtype(count, g.dtype())));
  }
  Tensor size = abs(x);
  Tensor scale = where(eq(norm, 0), zero, div(g, pow(norm, p - 1)));
  if (p < 1) return mul(mul(sgn(x), where(eq(size, 0), zero, pow(size, p - 1))), mul(g, pow(norm, 1 - p)));
  if (p < 2) return mul(mul(sgn(x), where(eq(size, 0), zero, pow(size, p - 1))), scale);
  return mul(mul(x, pow(size, p - 2)), scale);
}

void check_normed(const Tensor& t) {
  check(is_differentiable(t.dtype()), "linalg.vector_norm: Expected a floating point or complex tensor as input. Got ",
        scalar_type_name(t.dtype()));
}

Tensor norm_over(const Tensor& x, double p, DimSet set, bool keepdim, const char* name) {
  check_normed(x);
  ReduceFn again = nullptr;
  if (p == 0) again = cpu::reduce_sum().sum;
  Tensor out = reduce(
      x, set, keepdim, real_of(x.dtype()),
      [p](DType in, const void* data, const cpu::ReduceShape& shape, void* o) {
        cpu::reduce_sum().norm(in, p, data, shape, o);
      },
      again);
  record(name, out, {x}, {x, output(out)}, [set, keepdim, p](Backward& ctx) {
    ctx.set(0, norm_backward(ctx.grad(), ctx.saved(0), p, ctx.saved(1), set, keepdim));
  });
  return out;
}

std::string number_text(double p) {
  if (std::isinf(p)) return p > 0 ? "inf" : "-inf";
  return concat(p);
}

Tensor checked_norm(const Tensor& t, double p, IntSpan dims, bool keepdim, std::optional<DType> dtype,
                    const char* name) {
  check_normed(t);
  if (dtype) {
    check(is_differentiable(*dtype), "linalg.vector_norm: dtype should be floating point or complex. Got ",
          scalar_type_name(*dtype));
    check(is_complex_dtype(*dtype) == is_complex_dtype(t.dtype()), "linalg.vector_norm: dtype should be ",
          is_complex_dtype(t.dtype()) ? "complex for complex" : "real for real", " inputs, but got ",
          scalar_type_name(*dtype));
    check(promote(t.dtype(), *dtype) == *dtype, "linalg.vector_norm: the dtype of the input (",
          scalar_type_name(t.dtype()), ") should be convertible without narrowing to the specified dtype (",
          scalar_type_name(*dtype), ")");
  }
  const Tensor x = dtype ? to_dtype(t, *dtype) : t;
  DimSet set = dim_set(dims, x.dim());
  if (x.numel() == 0 && (p < 0 || std::isinf(p))) {
    check(!dims.empty(), "linalg.vector_norm cannot compute the ", number_text(p),
          " norm on an empty tensor because the operation does not have an identity");
    for (int64_t d = 0; d < x.dim(); ++d)
      check(!has_dim(set, d) || x.sizes()[d] > 0, "linalg.vector_norm cannot compute the ", number_text(p),
            " norm on the dimension ", d,
            "because this dimension is empty and the operation does not have an identity");
  }
  return norm_over(x, p, set, keepdim, name);
}

Tensor linalg_vector_norm(const Tensor& x, const Scalar& ord, IntSpan dims, bool keepdim, std::optional<DType> dtype) {
  return checked_norm(x, ord.to_double(), dims, keepdim, dtype, "LinalgVectorNormBackward0");
}

Tensor norm(const Tensor& x, std::optional<Scalar> p, IntSpan dims, bool keepdim, std::optional<DType> dtype) {
  return checked_norm(x, p ? p->to_double() : 2.0, dims, keepdim, dtype, "LinalgVectorNormBackward0");
}

Tensor norm_named(const Tensor& x, std::string_view p, IntSpan dims, bool keepdim, std::optional<DType> dtype) {
  if (p == "fro") return checked_norm(x, 2.0, dims, keepdim, dtype, "LinalgVectorNormBackward0");
  check(p == "nuc", "norm(): p must be a number, 'fro' or 'nuc', got '", p, "'");
  check(x.dim() >= 2, "linalg.matrix_norm: The input tensor A must have at least 2 dimensions.");
  const auto& svd = Registry::get().overloads("linalg_svdvals");
  if (svd.empty())
    fail(ErrorKind::NotImplemented, "norm(): p='nuc' needs singular values, which are not available yet");
  Dims two = dims.empty() ? Dims{0, 1} : wrap_dims(dims, x.dim());
  check(two.size() == 2 && (x.dim() == 2 || !dims.empty()), "linalg.matrix_norm: dim must be a 2-tuple. Got ",
        shape_str(dims));
  Dims order;
  for (int64_t d = 0; d < x.dim(); ++d)
    if (d != two[0] && d != two[1]) order.push_back(d);
  order.push_back(two[0]);
  order.push_back(two[1]);
  const Tensor matrix = permute(dtype ? to_dtype(x, *dtype) : x, order);
  std::vector<Value> args(svd[0]->params.size());
  args[0] = Value(matrix);
  Result result;
  call_op(*svd[0], args.data(), result);
  Tensor out = sum(result.tensor, Dims{-1}, false);
  return keepdim ? restore_dims(out, x.dim(), dim_set(two, x.dim()), false) : out;
}

// --- dist, renorm and what is made of norms ----------------------------------------------------------------------------

Tensor dist(const Tensor& a, const Tensor& b, const Scalar& order) {
  double p = order.to_double();
  Tensor out;
  {
    GradModeGuard off(false);
    Tensor difference = sub(a, b);
    out = checked_norm(difference, p, {}, false, {}, "");
  }
  record("DistBackward0", out, {a, b}, {a, b, output(out)}, [p](Backward& ctx) {
    Tensor a = ctx.saved(0), b = ctx.saved(1), difference = sub(a, b);
    Tensor g = norm_backward(ctx.grad(), difference, p, ctx.saved(2), all_dims(difference.dim()), false);
    if (ctx.needs(0)) ctx.set(0, sum_to(g, a.sizes()));
    if (ctx.needs(1)) ctx.set(1, neg(sum_to(g, b.sizes())));
  });
  return out;
}

Tensor pairwise_distance(const Tensor& a, const Tensor& b, double p, double eps, bool keepdim) {
  Tensor difference = add(sub(a, b), eps);
  return checked_norm(difference, p, Dims{-1}, keepdim, {}, "NormBackward1");
}

// x / max(|x|, eps) over dim, the two rows of a cosine.
Tensor unit(const Tensor& x, int64_t dim, double eps) {
  Tensor length = checked_norm(x, 2, Dims{dim}, true, {}, "LinalgVectorNormBackward0"), safe;
  {
    GradModeGuard off(false);
    safe = call<pointwise::Maximum>(length, number(eps));
  }
  // Where the length is below eps, it counts as a constant.
  return div(x, where(eq(length, safe), length, safe));
}

Tensor cosine_similarity(const Tensor& a, const Tensor& b, int64_t dim, double eps) {
  const Tensor both_inputs[] = {a, b};
  DType common = result_type(both_inputs, {});
  check(is_floating(common), "expected common dtype to be floating point, yet common dtype is ",
        scalar_type_name(common));
  Dims sizes = broadcast_shapes(a.sizes(), b.sizes());
  Tensor x = expand(to_dtype(a, common), sizes), y = expand(to_dtype(b, common), sizes);
  return sum(mul(unit(x, dim, eps), unit(y, dim, eps)), Dims{dim}, false);
}

Tensor renorm(const Tensor& x, const Scalar& order, int64_t d, const Scalar& maxnorm) {
  check(!order.is_complex(), "renorm: p must be real-valued");
  check(!maxnorm.is_complex(), "renorm: maxnorm must be real-valued");
  double p = order.to_double(), limit = maxnorm.to_double();
  check(p > 0, "renorm: non-positive-norm not supported");
  check(limit >= 0, "renorm: expected maxnorm to be >= 0 but got ", limit);
  check(x.dim() >= 2, "renorm: input needs at least 2 dimensions, got ", x.dim(), " dimensions");
  int64_t dim = wrap_dim(d, x.dim());
  DimSet set = all_dims(x.dim()) & ~(DimSet{1} << dim);
  auto factor = [limit](const Tensor& norm) {
    return where(gt(norm, limit), div(number(limit), add(norm, 1e-7)), ones_like(norm));
  };
  Tensor out;
  {
    GradModeGuard off(false);
    const Tensor by = factor(norm_over(x, p, set, true, ""));
    Destination::last_pass();
    out = mul(x, by);
  }
  record("RenormBackward0", out, {x}, {x}, [=](Backward& ctx) {
    Tensor x = ctx.saved(0), g = ctx.grad();
    Tensor norm = norm_over(x, p, set, true, "LinalgVectorNormBackward0");
    Dims dims;
    for (int64_t i = 0; i < x.dim(); ++i)
      if (i != dim) dims.push_back(i);
    Tensor dot = sum(mul(conj(x), g), dims, true);
    if (is_complex_dtype(dot.dtype())) dot = real(dot);
    Tensor slope = where(gt(norm, limit), div(mul(dot, -limit), square(add(norm, 1e-7))), 0);
    ctx.set(0, add(mul(g, factor(norm)), norm_backward(slope, x, p, norm, set, true)));
  });
  return out;
}

// --- logsumexp ---------------------------------------------------------------------------------------------------------

Tensor logsumexp(const Tensor& t, IntSpan dims, bool keepdim) {
  const Tensor x = is_integral(t.dtype()) ? to_dtype(t, default_dtype()) : t;
  DimSet set = dim_set(dims, x.dim());
  Tensor out;
  if (is_complex_dtype(x.dtype())) {
    GradModeGuard off(false);
    Tensor top = real(x).numel() ? amax(contiguous(real(x)), dims, true)
                                 : zeros(reduced_sizes(x.sizes(), set, true), real_of(x.dtype()));
    top = where(call<pointwise::IsFinite>(top), top, 0);
    out = add(call<pointwise::Log>(sum(exp(sub(x, top)), dims, true)), top);
    out = reshape(out, reduced_sizes(x.sizes(), set, keepdim));
  } else {
    out = reduce(
        x, set, keepdim, x.dtype(),
        [](DType in, const void* p, const cpu::ReduceShape& shape, void* o) {
          cpu::reduce_moments().logsumexp(in, p, shape, o);
        },
        cpu::reduce_moments().logsumexp);
  }
  record("LogsumexpBackward0", out, {x}, {x, output(out)}, [set, keepdim](Backward& ctx) {
    Tensor x = ctx.saved(0);
    Tensor g = restore_dims(ctx.grad(), x.dim(), set, keepdim), y = restore_dims(ctx.saved(1), x.dim(), set, keepdim);
    ctx.set(0, mul(g, conj(exp(sub(x, y)))));
  });
  return out;
}

}  // namespace

Tensor vector_norm(const Tensor& x, double p, IntSpan dims, bool keepdim, const char* name) {
  return checked_norm(x, p, dims, keepdim, {}, name);
}

static const Family family([](Registry& r) {
  constexpr Traits kFunction{.method = false};
  r.op<&spread_all<false>>(
      "var(Tensor self, bool unbiased=True) -> Tensor",
      "The variance: the sum of squared distances from the mean over n - correction elements (correction 1:\n"
      "unbiased), over the axes dim or all. Where no more than correction elements are left, NaN or inf. Of\n"
      "complex numbers it is real; integers are computed in the default float dtype.\n\n"
      ">>> torch.var(torch.tensor([1., 2., 3., 4.])), torch.var(torch.tensor([1., 2., 3., 4.]), correction=0)\n"
      "(tensor(1.6667), tensor(1.2500))\n");
  r.op<&spread_dims<false>>("var.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor");
  r.op<&spread_correction<false>>(
      "var.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor");
  r.op<&spread_all<true>>("std(Tensor self, bool unbiased=True) -> Tensor",
                          "The standard deviation, the root of var().\n\n"
                          ">>> torch.std(torch.tensor([[1., 3.], [2., 2.]]), dim=1)\ntensor([1.4142, 0.0000])\n");
  r.op<&spread_dims<true>>("std.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> Tensor");
  r.op<&spread_correction<true>>(
      "std.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> Tensor");
  r.op<&with_mean_all<false>>("var_mean(Tensor self, bool unbiased=True) -> (Tensor, Tensor)",
                              "var() and mean() in one pass.\n\n"
                              ">>> torch.var_mean(torch.tensor([1., 2., 3.]))\n(tensor(1.), tensor(2.))\n",
                              kFunction);
  r.op<&with_mean_dims<false>>(
      "var_mean.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> (Tensor, Tensor)", "",
      kFunction);
  r.op<&with_mean_correction<false>>(
      "var_mean.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> (Tensor, Tensor)",
      "", kFunction);
  r.op<&with_mean_all<true>>("std_mean(Tensor self, bool unbiased=True) -> (Tensor, Tensor)",
                             "std() and mean() in one pass.\n\n"
                             ">>> torch.std_mean(torch.tensor([1., 2., 3.]))\n(tensor(1.), tensor(2.))\n",
                             kFunction);
  r.op<&with_mean_dims<true>>(
      "std_mean.dim(Tensor self, int[1]? dim, bool unbiased=True, bool keepdim=False) -> (Tensor, Tensor)", "",
      kFunction);
  r.op<&with_mean_correction<true>>(
      "std_mean.correction(Tensor self, int[1]? dim=None, *, Scalar? correction=None, bool keepdim=False) -> (Tensor, Tensor)",
      "", kFunction);
  r.op<&norm>(
      "norm.ScalarOpt_dim(Tensor self, Scalar? p=2, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
      "The p-norm, (sum |x|^p)^(1/p), over the axes dim, or of all elements; p may be inf, -inf, 0 (how\n"
      "many are not zero), \"fro\" or \"nuc\". Real, in floating and complex dtypes.\n\n"
      ">>> x = torch.tensor([[3., 4.], [6., 8.]])\n"
      ">>> torch.norm(x, dim=1), torch.norm(x, p=float('inf'))\n(tensor([ 5., 10.]), tensor(8.))\n");
  r.op<&norm_named>(
      "norm.str(Tensor self, str p, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
      "The Frobenius ('fro') or nuclear ('nuc') norm.");
  r.op<&linalg_vector_norm>(
      "linalg_vector_norm(Tensor self, Scalar ord=2, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor",
      "(sum |x|^ord)^(1/ord) over the axes dim, or of all elements (also of a matrix, as of a vector); ord\n"
      "may be inf, -inf or 0. Real, in floating and complex dtypes; integers are a RuntimeError.\n\n"
      ">>> torch.linalg.vector_norm(torch.tensor([3., -4.])), torch.linalg.vector_norm(torch.tensor([3., -4.]), 1)\n"
      "(tensor(5.), tensor(7.))\n",
      kFunction);
  r.op<&dist>("dist(Tensor self, Tensor other, Scalar p=2) -> Tensor",
              "The p-norm of self - other, broadcast, over all elements.\n\n"
              ">>> torch.dist(torch.tensor([0., 0.]), torch.tensor([3., 4.]))\ntensor(5.)\n");
  r.op<&pairwise_distance>(
      "pairwise_distance(Tensor x1, Tensor x2, float p=2., float eps=1e-06, bool keepdim=False) -> Tensor",
      "The p-norms of x1 - x2 + eps along the last axis; the shapes are broadcast.\n\n"
      ">>> F.pairwise_distance(torch.zeros(2, 2), torch.tensor([[3., 4.], [0., 1.]]))\ntensor([5.0000, 1.0000])\n",
      kFunction);
  r.op<&cosine_similarity>(
      "cosine_similarity(Tensor x1, Tensor x2, int dim=1, float eps=1e-08) -> Tensor",
      "The cosine of the angle between x1 and x2 along dim: x1 . x2 / (|x1| |x2|), no length less than eps.\n"
      "The shapes are broadcast. Floating dtypes.\n\n"
      ">>> F.cosine_similarity(torch.tensor([[1., 0.], [1., 1.]]), torch.tensor([[0., 1.], [2., 2.]]))\n"
      "tensor([0.0000, 1.0000])\n",
      kFunction);
  r.op<&renorm>("renorm(Tensor self, Scalar p, int dim, Scalar maxnorm) -> Tensor",
                "self with each slice along dim whose p-norm exceeds maxnorm scaled down to it. Fewer than two\n"
                "dimensions, or p <= 0, are a RuntimeError.\n\n"
                ">>> torch.renorm(torch.tensor([[3., 4.], [0.3, 0.4]]), 2, 0, 1)\ntensor([[0.6000, 0.8000],\n"
                "        [0.3000, 0.4000]])\n",
                {.in_place = true});
  r.op<&logsumexp>(
      "logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor",
      "log(sum(exp(self))) over the axes dim, computed without overflow; keepdim leaves them with size 1.\n"
      "Integers become the default float dtype.\n\n"
      ">>> torch.logsumexp(torch.tensor([0., 0.]), 0)\ntensor(0.6931)\n");
  r.op<&logsumexp>("special_logsumexp(Tensor self, int[1] dim, bool keepdim=False) -> Tensor", "logsumexp.", kFunction);
});

}  // namespace rl
