// Losses and the softmax family: a loss and its reduction are one pass and one node.
#include "kernels/loss.h"

#include <algorithm>
#include <array>

#include "kernels/pointwise/arithmetic.h"
#include "kernels/pointwise/compare.h"
#include "kernels/pointwise/exponential.h"
#include "kernels/pointwise/loss.h"
#include "kernels/pointwise/rounding.h"
#include "kernels/reduce.h"
#include "kernels/softmax.h"
#include "ops/differentiability.h"
#include "ops/loss.h"
#include "ops/pointwise.h"

namespace rl {
namespace {

using cpu::LossReduction;

const Tensor kNone;

Tensor number(double x) { return Tensor::wrapped(Scalar(x)); }
Tensor mul(const Tensor& a, const Tensor& b) { return call<pointwise::Mul>(a, b); }
Tensor add(const Tensor& a, const Tensor& b) { return call<pointwise::Add>(a, b, 1); }
Tensor sub(const Tensor& a, const Tensor& b) { return call<pointwise::Sub>(a, b, 1); }
Tensor divide(const Tensor& a, const Tensor& b) { return call<pointwise::Div>(a, b); }

LossReduction reduction_of(int64_t code) {
  check_value(code >= 0 && code <= 2, code,
              " is not a valid value for reduction: expected 0 (none), 1 (mean) or 2 (sum)");
  return static_cast<LossReduction>(code);
}

// Bytes as the kernels want them: contiguous, without history.
Tensor plain(const Tensor& t) { return t.is_contiguous() ? t : contiguous(detach(t)); }

Tensor raw_reduce(const Tensor& t, LossReduction how) {
  if (how == LossReduction::none) return t;
  Tensor x = t;
  if (is_integral(x.dtype())) x = to_dtype(x, how == LossReduction::mean ? default_dtype() : DType::I64);
  Tensor out = Tensor::empty({}, x.dtype());
  x = plain(x);
  cpu::ReduceShape shape = cpu::ReduceShape::contiguous(1, x.numel(), 1);
  (how == LossReduction::mean ? cpu::reduce_sum().mean : cpu::reduce_sum().sum)(x.dtype(), x.raw(), shape, out.raw());
  return out;
}

// The differentiable form, for losses composed of ops.
Tensor reduced(const Tensor& t, LossReduction how) {
  if (how == LossReduction::none) return t;
  Tensor out = raw_reduce(detach(t), how);
  bool mean = how == LossReduction::mean;
  record(mean ? "MeanBackward0" : "SumBackward0", out, {t}, {},
         [sizes = Dims(t.sizes()), n = std::max<int64_t>(t.numel(), 1), mean](Backward& ctx) {
           Tensor g = mean ? divide(ctx.grad(), number(static_cast<double>(n))) : ctx.grad();
           ctx.set(0, expand(g, sizes));
         });
  return out;
}

// --- losses of one pass over their elements ----------------------------------------------------------------------------

// The nodes' names by reduction: PyTorch composes some of these losses, and users print grad_fn.
struct Names {
  const char *none, *mean, *sum;
  constexpr Names(const char* one) : none(one), mean(one), sum(one) {}
  constexpr Names(const char* n, const char* m, const char* s) : none(n), mean(m), sum(s) {}
  const char* of(LossReduction how) const {
    return how == LossReduction::none ? none : how == LossReduction::mean ? mean : sum;
  }
};

// Op(inputs..., numbers...), times weight, reduced, with the gradients in the first two inputs.
template <class Op, size_t N>
Tensor element_loss(Names names, const Tensor& x, const Tensor& target, const Tensor& third, const Tensor& weight,
                    LossReduction how, const std::array<Scalar, N>& numbers) {
  const PointwiseDef& def = pointwise_def<Op>();
  Tensor elements;
  {
    GradModeGuard off(false);
    const Tensor inputs[] = {x, target, third};
    elements = run_pointwise(def, inputs, numbers.data());
    if (weight.defined()) elements = mul(elements, weight);
  }
  Tensor out = raw_reduce(elements, how);
  if (needs_gradient(x, target))
    record(names.of(how), out, {x, target}, {x, target, third, weight},
           [how, numbers, sizes = Dims(elements.sizes()),
            broadcast = third.defined() || weight.defined() || !same_shape(x, target)](Backward& ctx) {
             const PointwiseDef& def = pointwise_def<Op>();
             const Tensor inputs[] = {ctx.saved(0), ctx.saved(1), ctx.saved(2)};
             Tensor weight = ctx.saved(3), g = ctx.grad();
             if (how == LossReduction::mean) g = divide(g, number(static_cast<double>(product(sizes))));
             if (weight.defined()) g = mul(g, weight);
             if (broadcast) g = expand(g, sizes);
             for (int i = 0; i < 2; ++i)
               if (ctx.needs(i))
                 ctx.set(i, to_dtype(sum_to(pointwise_gradient(def, i, g, inputs, numbers.data(), Tensor()),
                                            inputs[i].sizes()),
                                     inputs[i].dtype()));
           });
  return out;
}
template <class Op>
Tensor element_loss(Names names, const Tensor& x, const Tensor& target, LossReduction how) {
  return element_loss<Op, 0>(names, x, target, kNone, kNone, how, {});
}

void check_floating(const char* kernel, const Tensor& x, const Tensor& target) {
  DType dtype = promote(x.dtype(), target.dtype());
  if (!is_differentiable(dtype))
    fail(ErrorKind::NotImplemented, "\"", kernel, "\" not implemented for '", scalar_type_name(dtype), "'");
}

// Whether one of the kernels over two equal flat tensors can run.
bool flat_pair(const Tensor& x, const Tensor& t) {
  return x.dtype() == t.dtype() && is_floating(x.dtype()) && same_shape(x, t);
}

using PairLoss = void (*)(DType, const void*, const void*, int64_t, LossReduction, void*);
using PairBackward = void (*)(DType, double, const void*, const void*, int64_t, void*, void*);

// The gradients of mse (Squared) and l1 in both inputs: one pass over the pair.
template <bool Squared>
void pair_backward(Backward& ctx, LossReduction how) {
  Tensor x = ctx.saved(0), t = ctx.saved(1);
  const Tensor& g = ctx.grad();
  double scale = (Squared ? 2.0 : 1.0) / (how == LossReduction::mean ? static_cast<double>(x.numel()) : 1.0);
  if (Backward::create_graph()) {
    Tensor d = sub(x, t);
    if (!Squared) d = call<pointwise::Sign>(d);
    d = mul(mul(g, number(scale)), d);
    if (ctx.needs(0)) ctx.set(0, d);
    if (ctx.needs(1)) ctx.set(1, call<pointwise::Neg>(d));
    return;
  }
  Tensor px = plain(x), pt = plain(t);
  Tensor dx = ctx.needs(0) ? Tensor::empty(x.sizes(), x.dtype()) : Tensor();
  Tensor dt = ctx.needs(1) ? Tensor::empty(x.sizes(), x.dtype()) : Tensor();
  PairBackward run = Squared ? cpu::loss().mse_backward : cpu::loss().l1_backward;
  double by = g.dtype() == DType::F32 ? static_cast<double>(*g.data<float>()) : g.item().to_double();
  run(x.dtype(), by * scale, px.raw(), pt.raw(), x.numel(), dx.defined() ? dx.raw() : nullptr,
      dt.defined() ? dt.raw() : nullptr);
  if (dx.defined()) ctx.set(0, std::move(dx));
  if (dt.defined()) ctx.set(1, std::move(dt));
}

template <bool Squared>
Tensor pair_loss(const char* name, const Tensor& x, const Tensor& t, LossReduction how) {
  Tensor out = Tensor::empty({}, x.dtype());
  PairLoss run = Squared ? cpu::loss().mse : cpu::loss().l1;
  if (x.is_contiguous() && t.is_contiguous())
    run(x.dtype(), x.raw(), t.raw(), x.numel(), how, out.raw());
  else
    run(x.dtype(), plain(x).raw(), plain(t).raw(), x.numel(), how, out.raw());
  if (needs_gradient(x, t))
    record(name, out, {x, t}, {x, t}, [how](Backward& ctx) { pair_backward<Squared>(ctx, how); });
  return out;
}

Tensor mse_loss(const Tensor& x, const Tensor& t, int64_t reduction) {
  LossReduction how = reduction_of(reduction);
  if (how != LossReduction::none && flat_pair(x, t)) return pair_loss<true>("MseLossBackward0", x, t, how);
  check_floating("mse_cpu", x, t);
  return element_loss<pointwise::MseElement>("MseLossBackward0", x, t, how);
}

Tensor l1_loss(const Tensor& x, const Tensor& t, int64_t reduction) {
  LossReduction how = reduction_of(reduction);
  if (how != LossReduction::none && flat_pair(x, t))
    return pair_loss<false>(how == LossReduction::mean ? "MeanBackward0" : "SumBackward0", x, t, how);
  return reduced(call<pointwise::Abs>(sub(x, t)), how);
}

Tensor smooth_l1_loss(const Tensor& x, const Tensor& t, int64_t reduction, double beta) {
  check(beta >= 0, "smooth_l1_loss does not support negative values for beta.");
  if (beta == 0) return l1_loss(x, t, reduction);
  check_floating("smooth_l1_cpu", x, t);
  return element_loss<pointwise::SmoothL1Element, 1>("SmoothL1LossBackward0", x, t, kNone, kNone,
                                                     reduction_of(reduction), {Scalar(beta)});
}

Tensor huber_loss(const Tensor& x, const Tensor& t, int64_t reduction, double delta) {
  check(delta > 0, "huber_loss does not support non-positive values for delta.");
  check_floating("huber_cpu", x, t);
  return element_loss<pointwise::HuberElement, 1>("HuberLossBackward0", x, t, kNone, kNone, reduction_of(reduction),
                                                  {Scalar(delta)});
}

Tensor binary_cross_entropy(const Tensor& x, const Tensor& t, const Tensor& weight, int64_t reduction) {
  check_constant("binary_cross_entropy", "weight", weight);
  check_floating("binary_cross_entropy", x, x);
  check(t.dtype() == x.dtype(), "Found dtype ", scalar_type_name(t.dtype()), " but expected ",
        scalar_type_name(x.dtype()), ". binary_cross_entropy() wants a target of the input's dtype: target.to(torch.",
        dtype_name(x.dtype()), ")");
  for (const Tensor* of : {&x, &t}) {
    if (of->numel() == 0) continue;
    Tensor flat = plain(*of), limits = Tensor::empty(Dims{2}, x.dtype());
    cpu::reduce_minmax().aminmax(x.dtype(), flat.raw(), cpu::ReduceShape::contiguous(1, of->numel(), 1), limits.raw(),
                                 static_cast<char*>(limits.raw()) + item_size(x.dtype()));
    double low = Scalar::load(x.dtype(), limits.raw()).to_double(),
           high = Scalar::load(x.dtype(), static_cast<char*>(limits.raw()) + item_size(x.dtype())).to_double();
    check(low >= 0 && high <= 1, "all elements of ", of == &x ? "input" : "target",
          " should be between 0 and 1; they go from ", low, " to ", high,
          of == &x ? ". Apply torch.sigmoid first, or use binary_cross_entropy_with_logits (nn.BCEWithLogitsLoss)"
                   : ". Are they labels that start at 1, or pixels that are not yet divided by 255?");
  }
  return element_loss<pointwise::BceElement, 0>("BinaryCrossEntropyBackward0", x, t, kNone, weight,
                                                reduction_of(reduction), {});
}

Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& t, const Tensor& weight,
                                        const Tensor& pos_weight, int64_t reduction) {
  constexpr const char* kName = "BinaryCrossEntropyWithLogitsBackward0";
  LossReduction how = reduction_of(reduction);
  check_constant("binary_cross_entropy_with_logits", "weight", weight);
  check_constant("binary_cross_entropy_with_logits", "pos_weight", pos_weight);
  check_floating("binary_cross_entropy_with_logits", x, t);
  check(!is_integral(t.dtype()), "result type ", scalar_type_name(x.dtype()),
        " can't be cast to the desired output type ", scalar_type_name(t.dtype()),
        ". binary_cross_entropy_with_logits() wants a floating target: target.to(torch.", dtype_name(x.dtype()), ")");
  if (pos_weight.defined())
    return element_loss<pointwise::BceLogitsPosWeightElement, 0>(kName, x, t, pos_weight, weight, how, {});
  return element_loss<pointwise::BceLogitsElement, 0>(kName, x, t, kNone, weight, how, {});
}

Tensor kl_div(const Tensor& x, const Tensor& t, int64_t reduction, bool log_target) {
  LossReduction how = reduction_of(reduction);
  check_floating("kl_div", x, t);
  check(!is_integral(t.dtype()), "kl_div: Integral inputs not supported.");
  if (log_target)
    return element_loss<pointwise::KlDivLogElement>({"MulBackward0", "MeanBackward0", "SumBackward0"}, x, t, how);
  return element_loss<pointwise::KlDivElement>({"SubBackward0", "MeanBackward0", "SumBackward0"}, x, t, how);
}

Tensor soft_margin_loss(const Tensor& x, const Tensor& t, int64_t reduction) {
  check_floating("soft_margin_loss", x, t);
  return element_loss<pointwise::SoftMarginElement>("SoftMarginLossBackward0", x, t, reduction_of(reduction));
}

Tensor poisson_nll_loss(const Tensor& x, const Tensor& t, bool log_input, bool full, double eps, int64_t reduction) {
  const Tensor input = is_integral(x.dtype()) ? to_dtype(x, default_dtype()) : x;
  return element_loss<pointwise::PoissonNllElement, 3>({"SubBackward0", "MeanBackward0", "SumBackward0"}, input, t,
                                                       kNone, kNone, reduction_of(reduction),
                                                       {Scalar(log_input ? 1 : 0), Scalar(full ? 1 : 0), Scalar(eps)});
}

// --- losses composed of ops --------------------------------------------------------------------------------------------

Tensor where(const Tensor& c, const Tensor& a, const Tensor& b) { return call<pointwise::Where>(c, a, b); }
Tensor positive_part(const Tensor& t) { return call<pointwise::ClampMin>(t, 0); }

Tensor hinge_embedding_loss(const Tensor& x, const Tensor& t, double margin, int64_t reduction) {
  Tensor zero = Tensor::wrapped(Scalar(0));
  Tensor apart = where(call<pointwise::Ne>(t, Tensor::wrapped(Scalar(1))),
                       positive_part(call<pointwise::Rsub>(x, number(margin), 1)), zero);
  Tensor close = where(call<pointwise::Ne>(t, Tensor::wrapped(Scalar(-1))), x, zero);
  return reduced(add(apart, close), reduction_of(reduction));
}

Tensor margin_ranking_loss(const Tensor& a, const Tensor& b, const Tensor& t, double margin, int64_t reduction) {
  Tensor d = mul(call<pointwise::Neg>(t), sub(a, b));
  return reduced(positive_part(add(d, number(margin))), reduction_of(reduction));
}

Tensor cosine_embedding_loss(const Tensor& a, const Tensor& b, const Tensor& t, double margin, int64_t reduction) {
  check(t.dim() <= 1, "0D or 1D target tensor expected, multi-target not supported");
  if (t.dim() == 1)
    check(a.dim() == 2 && b.dim() == 2, "1D target tensor expects 2D input tensors, but found inputs with sizes ",
          shape_str(a.sizes()), " and ", shape_str(b.sizes()), ".");
  else
    check(a.dim() == 1 && b.dim() == 1, "0D target tensor expects 1D input tensors, but found inputs with sizes ",
          shape_str(a.sizes()), " and ", shape_str(b.sizes()), ".");
  constexpr double kTiny = 1e-12;
  Dims last{t.dim()};
  Tensor product = sum(mul(a, b), last, false);
  Tensor norms = mul(add(sum(mul(a, a), last, false), number(kTiny)), add(sum(mul(b, b), last, false), number(kTiny)));
  Tensor cos = divide(product, call<pointwise::Sqrt>(norms));
  Tensor zero = Tensor::wrapped(Scalar(0));
  Tensor close =
      where(call<pointwise::Eq>(t, Tensor::wrapped(Scalar(1))), call<pointwise::Rsub>(cos, number(1), 1), zero);
  Tensor apart =
      where(call<pointwise::Eq>(t, Tensor::wrapped(Scalar(-1))), positive_part(sub(cos, number(margin))), zero);
  return reduced(add(close, apart), reduction_of(reduction));
}

Tensor distance(const Tensor& a, const Tensor& b, double p, double eps) {
  Tensor d = call<pointwise::Abs>(add(sub(a, b), number(eps)));
  Dims last{std::max(a.dim(), b.dim()) - 1};
  if (p == 1) return sum(d, last, false);
  if (p == 2) return call<pointwise::Sqrt>(sum(mul(d, d), last, false));
  return call<pointwise::Pow>(sum(call<pointwise::Pow>(d, number(p)), last, false), number(1 / p));
}

Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative, double margin,
                           double p, double eps, bool swap, int64_t reduction) {
  check(
      anchor.dim() == positive.dim() && positive.dim() == negative.dim(),
      "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: anchor ",
      anchor.dim(), "D, positive ", positive.dim(), "D, and negative ", negative.dim(), "D inputs");
  Tensor near = distance(anchor, positive, p, eps), far = distance(anchor, negative, p, eps);
  if (swap) far = call<pointwise::Minimum>(far, distance(positive, negative, p, eps));
  return reduced(positive_part(sub(add(near, number(margin)), far)), reduction_of(reduction));
}

// --- softmax -------------------------------------------------------------------------------------------------------------

struct Walk {
  int64_t outer = 1, n = 1, inner = 1;
  Walk(IntSpan sizes, int64_t dim) {
    for (int64_t d = 0; d < static_cast<int64_t>(sizes.size()); ++d)
      (d < dim ? outer : d == dim ? n : inner) *= sizes[static_cast<size_t>(d)];
  }
};

template <bool Log>
Tensor softmax_of(const Tensor& x, int64_t dim) {
  dim = wrap_dim(dim, x.dim());
  if (!is_floating(x.dtype()))
    fail(ErrorKind::NotImplemented, "\"", Log ? "log_" : "",
         dim == std::max<int64_t>(x.dim() - 1, 0) ? "softmax_lastdim_kernel_impl" : "softmax_kernel_impl",
         "\" not implemented for '", scalar_type_name(x.dtype()),
         "'. Give the dtype to compute in: dtype=torch.float32");
  Walk w(x.sizes(), dim);
  Tensor in = plain(x), out = Tensor::empty(x.sizes(), x.dtype());
  if (out.numel() > 0) cpu::softmax().forward(x.dtype(), Log, in.raw(), w.outer, w.n, w.inner, out.raw());
  if (needs_gradient(x))
    record(Log ? "LogSoftmaxBackward0" : "SoftmaxBackward0", out, {x}, {output(out)}, [dim](Backward& ctx) {
      Tensor y = ctx.saved(0);
      const Tensor& g = ctx.grad();
      if (Backward::create_graph()) {
        if (Log)
          ctx.set(0, sub(g, mul(call<pointwise::Exp>(y), sum(g, Dims{dim}, true))));
        else
          ctx.set(0, mul(sub(g, sum(mul(g, y), Dims{dim}, true)), y));
        return;
      }
      Walk w(y.sizes(), dim);
      Tensor pg = plain(g), dx = Tensor::empty(y.sizes(), y.dtype());
      if (dx.numel() > 0) cpu::softmax().backward(y.dtype(), Log, pg.raw(), y.raw(), w.outer, w.n, w.inner, dx.raw());
      ctx.set(0, dx);
    });
  return out;
}
template <bool Log>
Tensor softmax_op(const Tensor& x, int64_t dim, std::optional<DType> dtype) {
  return softmax_of<Log>(dtype ? to_dtype(x, *dtype) : x, dim);
}
template <bool Log>
Tensor softmax_half(const Tensor& x, int64_t dim, bool half_to_float) {
  return softmax_of<Log>(half_to_float ? to_dtype(x, DType::F32) : x, dim);
}

// --- classes -------------------------------------------------------------------------------------------------------------

[[noreturn, gnu::cold, gnu::noinline]] void bad_target(const char* op, const cpu::BadTarget& bad, int64_t classes) {
  fail(ErrorKind::Index, "Target ", bad.target, " is out of bounds. ", op, "(): the input has ", classes,
       " classes, so targets go from 0 to ", classes - 1, "; element ", bad.row, " of the target is ", bad.target,
       bad.target == classes ? " (do the labels start at 1?)" : "");
}

Tensor class_indices(const Tensor& target) {
  check(target.dtype() == DType::I64 || target.dtype() == DType::U8,
        "expected target dtype to be Long or Byte, but got ", scalar_type_name(target.dtype()),
        ". Class indices are int64: target.long()");
  return plain(target.dtype() == DType::I64 ? target : to_dtype(target, DType::I64));
}

void check_class_weight(const Tensor& x, const Tensor& weight, int64_t classes) {
  if (!weight.defined()) return;
  check(weight.dim() == 1 && weight.numel() == classes, "weight tensor should be defined either for all ", classes,
        " classes or no classes but got weight tensor of shape: ", shape_str(weight.sizes()));
  check(weight.dtype() == x.dtype(), "expected scalar type ", scalar_type_name(x.dtype()), " but found ",
        scalar_type_name(weight.dtype()), ": the weight must have the input's dtype");
}

// What each log-probability counts in the loss: the gradient of nll for a gradient of ones.
Tensor nll_coefficients(const Tensor& like, IntSpan sizes, const Tensor& target, const Tensor& weight,
                        const cpu::ClassLoss& how, int64_t inner, double total) {
  Tensor c = Tensor::empty(sizes, like.dtype());
  Tensor one = how.reduction == LossReduction::none ? ones(target.sizes(), like.dtype()) : ones({}, like.dtype());
  if (c.numel() > 0)
    cpu::loss().nll_backward(like.dtype(), one.raw(), target.data<int64_t>(), weight.defined() ? weight.raw() : nullptr,
                             how, inner, total, c.raw());
  return c;
}

// x: [classes], [n, classes] or [n, classes, ...].
Tensor nll(const char* name, const Tensor& x, const Tensor& target_in, const Tensor& weight_in, int64_t reduction,
           int64_t ignore_index) {
  if (!is_floating(x.dtype()))
    fail(ErrorKind::NotImplemented, "\"nll_loss_out_frame\" not implemented for '", scalar_type_name(x.dtype()), "'");
  int64_t dim = x.dim() == 1 ? 0 : 1;
  Walk w(x.sizes(), dim);
  check_class_weight(x, weight_in, w.n);
  Tensor target = class_indices(target_in), weight = weight_in.defined() ? plain(detach(weight_in)) : kNone;
  cpu::ClassLoss how{w.outer * w.inner, w.n, ignore_index, 0, reduction_of(reduction)};
  Tensor out =
      how.reduction == LossReduction::none ? Tensor::empty(target.sizes(), x.dtype()) : Tensor::empty({}, x.dtype());
  double total = 0;
  Tensor in = plain(x);
  cpu::BadTarget bad = cpu::loss().nll(x.dtype(), in.raw(), target.data<int64_t>(),
                                       weight.defined() ? weight.raw() : nullptr, how, w.inner, out.raw(), &total);
  if (bad.row >= 0) [[unlikely]]
    bad_target("nll_loss", bad, w.n);
  if (needs_gradient(x))
    record(name, out, {x}, {target, weight, x},
           [how, total, inner = w.inner, dim, sizes = Dims(x.sizes())](Backward& ctx) {
             Tensor target = ctx.saved(0), weight = ctx.saved(1), g = ctx.grad();
             if (Backward::create_graph()) {
               Tensor c = nll_coefficients(g, sizes, target, weight, how, inner, total);
               const Tensor x[] = {ctx.saved(2)};
               ctx.set(0, tie_to_inputs(
                              mul(how.reduction == LossReduction::none && g.dim() > 0 ? unsqueeze(g, dim) : g, c), x));
               return;
             }
             Tensor pg = plain(g), dx = Tensor::empty(sizes, g.dtype());
             if (dx.numel() > 0)
               cpu::loss().nll_backward(g.dtype(), pg.raw(), target.data<int64_t>(),
                                        weight.defined() ? weight.raw() : nullptr, how, inner, total, dx.raw());
             ctx.set(0, dx);
           });
  return out;
}

static void check_single_target(const Tensor& target) {
  check_value(target.numel() == 1, "For 1D input, 1D target must have size 1, but got target size: ", target.numel());
}

Tensor nll_loss(const Tensor& x, const Tensor& target, const Tensor& weight, int64_t reduction, int64_t ignore_index) {
  check(x.dim() == 1 || x.dim() == 2, "input tensor should be 1D or 2D, got shape ", tuple_str(x.sizes()));
  check(target.dim() <= 1, "0D or 1D target tensor expected, multi-target not supported. The target has shape ",
        tuple_str(target.sizes()), target.dim() == 2 && target.size(1) == 1 ? ": use target.squeeze(1)" : "");
  if (x.dim() == 1) check_single_target(target);
  check(x.dim() == 1 || (target.dim() == 1 && x.size(0) == target.size(0)),
        "size mismatch (got input: ", shape_str(x.sizes()), ", target: ", shape_str(target.sizes()), ")");
  check_constant("nll_loss_forward", "weight", weight);
  Tensor t = x.dim() == 1 && target.dim() == 1 ? reshape(target, {}) : target;
  return nll("NllLossBackward0", x, t, weight, reduction, ignore_index);
}

Tensor nll_loss2d(const Tensor& x, const Tensor& target, const Tensor& weight, int64_t reduction,
                  int64_t ignore_index) {
  check(target.dim() == 3,
        "only batches of spatial targets supported (3D tensors) but got targets of dimension: ", target.dim());
  check(x.dim() == 4, "only batches of spatial inputs supported (4D tensors), but got input of dimension: ", x.dim());
  check(x.size(0) == target.size(0) && x.size(2) == target.size(1) && x.size(3) == target.size(2),
        "size mismatch (got input: ", shape_str(x.sizes()), " , target: ", shape_str(target.sizes()), ")");
  check_constant("nll_loss2d_forward", "weight", weight);
  return nll("NllLoss2DBackward0", x, target, weight, reduction, ignore_index);
}

Tensor nll_loss_nd(const Tensor& x, const Tensor& target, const Tensor& weight, int64_t reduction,
                   int64_t ignore_index) {
  check_value(x.dim() >= 1, "Expected 1 or more dimensions (got ", x.dim(), ")");
  int64_t n = x.dim() == 1 ? 1 : x.size(0);
  if (x.dim() > 1)
    check_value(target.dim() > 0 && target.size(0) == n, "Expected input batch_size (", n,
                ") to match target batch_size (", target.dim() ? target.size(0) : 0, "). The input has shape ",
                tuple_str(x.sizes()), ", the target ", tuple_str(target.sizes()));
  if (x.dim() <= 2) return nll_loss(x, target, weight, reduction, ignore_index);
  if (x.dim() == 4) return nll_loss2d(x, target, weight, reduction, ignore_index);
  Dims expected(x.sizes());
  expected.erase(1);
  check(std::ranges::equal(target.sizes(), IntSpan(expected)), "Expected target size ", shape_str(expected), ", got ",
        shape_str(target.sizes()));
  check_constant("nll_loss2d_forward", "weight", weight);
  return nll(reduction == 0 ? "ViewBackward0" : "NllLoss2DBackward0", x, target, weight, reduction, ignore_index);
}

// Targets that are probabilities: -sum(weight * target * log_softmax(x)).
Tensor cross_entropy_of_probabilities(const Tensor& x, const Tensor& target, const Tensor& weight, LossReduction how,
                                      double smoothing) {
  int64_t dim = x.dim() == 1 ? 0 : 1, classes = x.sizes()[static_cast<size_t>(dim)];
  check(is_floating(target.dtype()), "Expected floating point type for target with class probabilities, got ",
        scalar_type_name(target.dtype()));
  check_class_weight(x, weight, classes);
  Tensor t = target;
  if (smoothing > 0) t = add(mul(t, number(1 - smoothing)), number(smoothing / static_cast<double>(classes)));
  if (weight.defined()) {
    Dims shape(x.dim(), 1);
    shape[dim] = classes;
    t = mul(t, view(contiguous(weight), shape));
  }
  Tensor terms = mul(softmax_of<true>(x, dim), t);
  if (how == LossReduction::none) return call<pointwise::Neg>(sum(terms, Dims{dim}, false));
  Tensor total = call<pointwise::Neg>(reduced(terms, LossReduction::sum));
  return how == LossReduction::sum
             ? total
             : divide(total, number(static_cast<double>(x.numel()) / static_cast<double>(classes)));
}

// Logits as rows of classes. The node keeps the logits and two numbers per row.
Tensor cross_entropy_rows(const Tensor& x, const Tensor& target, const Tensor& weight, const cpu::ClassLoss& how,
                          IntSpan out_shape) {
  Tensor in = plain(x);
  Tensor out = Tensor::empty(how.reduction == LossReduction::none ? out_shape : IntSpan(), x.dtype());
  const int64_t two_rows[2] = {2, how.rows};
  Tensor norms = Tensor::empty(two_rows, x.dtype() == DType::F64 ? DType::F64 : DType::F32);
  double total = 0;
  cpu::BadTarget bad =
      cpu::loss().cross_entropy(x.dtype(), in.raw(), target.data<int64_t>(), weight.defined() ? weight.raw() : nullptr,
                                how, out.raw(), norms.raw(), &total);
  if (bad.row >= 0) [[unlikely]]
    bad_target("cross_entropy", bad, how.classes);
  if (!needs_gradient(x)) return out;
  record(how.label_smoothing > 0 ? "AddBackward0" : "NllLossBackward0", out, {x}, {x, target, weight, norms},
         [how, total](Backward& ctx) {
           Tensor x = ctx.saved(0), target = ctx.saved(1), weight = ctx.saved(2), norms = ctx.saved(3), g = ctx.grad();
           if (!Backward::create_graph()) {
             Tensor in = plain(x), pg = plain(g), dx = Tensor::empty(x.sizes(), x.dtype());
             if (dx.numel() > 0)
               cpu::loss().cross_entropy_backward(x.dtype(), pg.raw(), in.raw(), target.data<int64_t>(),
                                                  weight.defined() ? weight.raw() : nullptr, how, norms.raw(), total,
                                                  dx.raw());
             ctx.set(0, dx);
             return;
           }
           // The loss is a sum of log-probabilities times coefficients c, and its gradient g * (c - softmax * sum(c)).
           int64_t dim = x.dim() - 1;
           Tensor c = nll_coefficients(x, x.sizes(), target, weight, how, 1, total);
           if (how.label_smoothing > 0) {
             Tensor counted =
                 to_dtype(call<pointwise::Ne>(target, Tensor::wrapped(Scalar(how.ignore_index))), x.dtype());
             double share = -how.label_smoothing / static_cast<double>(how.classes) /
                            (how.reduction == LossReduction::mean ? total : 1.0);
             Tensor even = mul(counted.dim() > 0 ? unsqueeze(counted, dim) : counted, number(share));
             c = add(mul(c, number(1 - how.label_smoothing)),
                     weight.defined() ? mul(even, weight) : expand(even, x.sizes()));
           }
           Tensor cg = mul(how.reduction == LossReduction::none && g.dim() > 0 ? unsqueeze(g, dim) : g, c);
           ctx.set(0, sub(cg, mul(softmax_of<false>(x, dim), sum(cg, Dims{dim}, true))));
         });
  return out;
}

Tensor cross_entropy_loss(const Tensor& x, const Tensor& target_in, const Tensor& weight_in, int64_t reduction,
                          int64_t ignore_index, double smoothing) {
  LossReduction how = reduction_of(reduction);
  check_value(x.dim() >= 1,
              "cross_entropy(): the input needs at least one dimension, (C), (N, C) or (N, C, ...), but it is 0-d");
  if (same_shape(x, target_in)) {
    check(ignore_index < 0, "ignore_index is not supported for floating point target");
    return cross_entropy_of_probabilities(x, target_in, weight_in, how, smoothing);
  }
  check_constant(x.dim() > 2 ? "nll_loss2d_forward" : "nll_loss_forward", "weight", weight_in);
  int64_t dim = x.dim() == 1 ? 0 : 1, classes = x.sizes()[static_cast<size_t>(dim)];
  check(smoothing >= 0 && smoothing <= 1, "label_smoothing must be between 0.0 and 1.0. Got: ", smoothing);
  if (x.dim() > 2 && smoothing == 0)
    return nll_loss_nd(softmax_of<true>(x, 1), target_in, weight_in, reduction, ignore_index);
  if (!is_floating(x.dtype()))
    fail(ErrorKind::NotImplemented, "\"log_softmax_lastdim_kernel_impl\" not implemented for '",
         scalar_type_name(x.dtype()), "'");
  if (x.dim() == 1) {
    check(target_in.dim() <= 1, "0D or 1D target tensor expected, multi-target not supported. The target has shape ",
          tuple_str(target_in.sizes()));
    check_single_target(target_in);
  } else {
    check_value(target_in.dim() > 0 && target_in.size(0) == x.size(0), "Expected input batch_size (", x.size(0),
                ") to match target batch_size (", target_in.dim() ? target_in.size(0) : 0, "). The input has shape ",
                tuple_str(x.sizes()), ", the target ", tuple_str(target_in.sizes()));
    if (x.dim() == 2)
      check(target_in.dim() == 1,
            "0D or 1D target tensor expected, multi-target not supported. cross_entropy(): the target has shape ",
            tuple_str(target_in.sizes()), " for input ", tuple_str(x.sizes()),
            target_in.dim() == 2 && target_in.size(1) == 1
                ? ": use target.squeeze(1)"
                : ": expected class indices (N,) or class probabilities of the input's shape");
  }
  check_class_weight(x, weight_in, classes);
  Tensor target = class_indices(target_in), weight = weight_in.defined() ? plain(detach(weight_in)) : kNone;
  cpu::ClassLoss settings{classes ? x.numel() / classes : 0, classes, ignore_index, smoothing, how};
  if (x.dim() <= 2) return cross_entropy_rows(x, target, weight, settings, x.dim() == 1 ? IntSpan() : target.sizes());
  Dims expected(x.sizes()), order;
  expected.erase(1);
  check(std::ranges::equal(target.sizes(), IntSpan(expected)), "Expected target size ", shape_str(expected), ", got ",
        shape_str(target.sizes()));
  for (int64_t d = 0; d < x.dim(); ++d)
    if (d != 1) order.push_back(d);
  order.push_back(1);
  return cross_entropy_rows(contiguous(permute(x, order)), target, weight, settings, target.sizes());
}

}  // namespace

Tensor softmax(const Tensor& x, int64_t dim) { return softmax_of<false>(x, dim); }
Tensor log_softmax(const Tensor& x, int64_t dim) { return softmax_of<true>(x, dim); }

static const Family family([](Registry& r) {
  constexpr Traits kFunction{.method = false};
  r.op<&softmax_op<false>>(
      "softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor",
      "exp(self) / sum(exp(self)) along dim, computed without overflow: positive, and the sum is 1. dtype,\n"
      "if given, is that of the computation and the result. Integers without it are a NotImplementedError.\n\n"
      ">>> torch.softmax(torch.zeros(2), 0)\ntensor([0.5000, 0.5000])\n");
  r.op<&softmax_op<true>>(
      "log_softmax.int(Tensor self, int dim, ScalarType? dtype=None) -> Tensor",
      "log(softmax(self, dim)), computed as self - logsumexp(self, dim), without overflow. dtype, if given,\n"
      "is that of the computation and the result. Integers without it are an error.\n\n"
      ">>> torch.log_softmax(torch.tensor([0., 0., 1000.]), 0)\ntensor([-1000., -1000.,     0.])\n");
  r.op<&softmax_op<false>>("special_softmax(Tensor self, int dim, ScalarType? dtype=None) -> Tensor",
                           "softmax() by its name in special.\n\n"
                           ">>> torch.special.softmax(torch.tensor([1., 1.]), 0)\ntensor([0.5000, 0.5000])\n",
                           kFunction);
  r.op<&softmax_op<true>>("special_log_softmax(Tensor self, int dim, *, ScalarType? dtype=None) -> Tensor",
                          "log_softmax() by its name in special.\n\n"
                          ">>> torch.special.log_softmax(torch.tensor([1., 1.]), 0)\ntensor([-0.6931, -0.6931])\n",
                          kFunction);
  r.op<&softmax_half<false>>("_softmax(Tensor self, int dim, bool half_to_float) -> Tensor",
                             "softmax, float16 giving float32 if half_to_float.", kFunction);
  r.op<&softmax_half<true>>("_log_softmax(Tensor self, int dim, bool half_to_float) -> Tensor",
                            "log_softmax, float16 giving float32 if half_to_float.", kFunction);
  r.op<&mse_loss>("mse_loss(Tensor self, Tensor target, int reduction=1) -> Tensor",
                  "(self - target)^2: of each element (reduction 0), their mean (1) or sum (2). The shapes are\n"
                  "broadcast; floating and complex dtypes. F.mse_loss names the reductions.\n\n"
                  ">>> F.mse_loss(torch.tensor([1., 2.]), torch.tensor([1., 4.]))\ntensor(2.)\n",
                  kFunction);
  r.op<&l1_loss>(
      "l1_loss(Tensor self, Tensor target, int reduction=1) -> Tensor",
      "|self - target|, reduced as mse_loss() says.\n\n"
      ">>> F.l1_loss(torch.tensor([1., 2.]), torch.tensor([1., 4.]), reduction=\"none\")\ntensor([0., 2.])\n",
      kFunction);
  r.op<&smooth_l1_loss>(
      "smooth_l1_loss(Tensor self, Tensor target, int reduction=1, float beta=1.0) -> Tensor",
      "d^2 / (2 beta) where d = |self - target| < beta, d - beta / 2 elsewhere (Girshick 2015), reduced as\n"
      "mse_loss() says. A negative beta is a RuntimeError.\n\n"
      ">>> F.smooth_l1_loss(torch.tensor([0.5, 3.]), torch.zeros(2), reduction=\"none\")\ntensor([0.1250, 2.5000])\n",
      kFunction);
  r.op<&huber_loss>(
      "huber_loss(Tensor self, Tensor target, int reduction=1, float delta=1.0) -> Tensor",
      "d^2 / 2 where d = |self - target| <= delta, delta (d - delta / 2) elsewhere (Huber 1964), reduced as\n"
      "mse_loss() says. delta <= 0 is a RuntimeError.\n\n"
      ">>> F.huber_loss(torch.tensor([0.5, 3.]), torch.zeros(2), reduction=\"none\", delta=2.)\n"
      "tensor([0.1250, 4.0000])\n",
      kFunction);
  r.op<&binary_cross_entropy>(
      "binary_cross_entropy(Tensor self, Tensor target, Tensor? weight=None, int reduction=1) -> Tensor",
      "-weight (target log(self) + (1 - target) log(1 - self)), self and target in [0, 1] and of one shape,\n"
      "the logarithms no less than -100; reduced as mse_loss() says. A probability outside of [0, 1] is a\n"
      "RuntimeError. Floating dtypes.\n\n"
      ">>> F.binary_cross_entropy(torch.tensor([0.9, 0.2]), torch.tensor([1., 0.]))\ntensor(0.1643)\n",
      kFunction);
  r.op<&binary_cross_entropy_with_logits>(
      "binary_cross_entropy_with_logits(Tensor self, Tensor target, Tensor? weight=None, Tensor? pos_weight=None, int reduction=1) -> Tensor",
      "binary_cross_entropy() of sigmoid(self), computed without overflow; pos_weight is the weight of the\n"
      "term with target. target has self's shape: another is a ValueError in F.\n\n"
      ">>> F.binary_cross_entropy_with_logits(torch.tensor([1000., -1000.]), torch.tensor([1., 0.]))\ntensor(0.)\n",
      kFunction);
  r.op<&kl_div>("kl_div(Tensor self, Tensor target, int reduction=1, *, bool log_target=False) -> Tensor",
                "target (log(target) - self), self being log-probabilities; with log_target, exp(target) (target -\n"
                "self). reduction 1 is the mean over all elements (F.kl_div's \"batchmean\" is the divergence as\n"
                "defined).\n\n"
                ">>> p, q = torch.tensor([[0.5, 0.5]]), torch.tensor([[0.9, 0.1]])\n"
                ">>> F.kl_div(q.log(), p, reduction=\"batchmean\")\ntensor(0.5108)\n",
                kFunction);
  r.op<&soft_margin_loss>("soft_margin_loss(Tensor self, Tensor target, int reduction=1) -> Tensor",
                          "log(1 + exp(-target * self)), target 1 or -1, reduced as mse_loss() says.\n\n"
                          ">>> F.soft_margin_loss(torch.tensor([0., 2.]), torch.tensor([1., 1.]), reduction=\"none\")\n"
                          "tensor([0.6931, 0.1269])\n",
                          kFunction);
  r.op<&poisson_nll_loss>(
      "poisson_nll_loss(Tensor input, Tensor target, bool log_input, bool full, float eps, int reduction) -> Tensor",
      "The negative log likelihood of counts (target) under Poisson distributions, but for a constant:\n"
      "exp(input) - target input, or without log_input input - target log(input + eps); full adds\n"
      "Stirling's term for targets above 1. Reduced as mse_loss() says.\n\n"
      ">>> F.poisson_nll_loss(torch.tensor([0., 1.]), torch.tensor([1., 3.]), reduction=\"none\")\n"
      "tensor([ 1.0000, -0.2817])\n",
      kFunction);
  r.op<&hinge_embedding_loss>(
      "hinge_embedding_loss(Tensor self, Tensor target, float margin=1.0, int reduction=1) -> Tensor",
      "self where target is 1, max(0, margin - self) where it is -1, reduced as mse_loss() says.\n\n"
      ">>> F.hinge_embedding_loss(torch.tensor([0.3, 0.3]), torch.tensor([1., -1.]), reduction=\"none\")\n"
      "tensor([0.3000, 0.7000])\n",
      kFunction);
  r.op<&margin_ranking_loss>(
      "margin_ranking_loss(Tensor input1, Tensor input2, Tensor target, float margin=0.0, int reduction=1) -> Tensor",
      "max(0, -target (input1 - input2) + margin): with target 1, input1 should exceed input2 by the\n"
      "margin. Reduced as mse_loss() says.\n\n"
      ">>> x, y = torch.tensor([3., 1.]), torch.tensor([1., 3.])\n"
      ">>> F.margin_ranking_loss(x, y, torch.tensor([1., 1.]), reduction=\"none\")\n"
      "tensor([0., 2.])\n",
      kFunction);
  r.op<&cosine_embedding_loss>(
      "cosine_embedding_loss(Tensor input1, Tensor input2, Tensor target, float margin=0.0, int reduction=1) -> Tensor",
      "1 - cos(input1, input2) where target is 1, max(0, cos - margin) where it is -1: inputs (n, d) and\n"
      "target (n,), or (d,) and (); reduced as mse_loss() says. Other shapes are a RuntimeError.\n\n"
      ">>> x, y = torch.tensor([[1., 0.], [1., 0.]]), torch.tensor([[0., 1.], [2., 0.]])\n"
      ">>> F.cosine_embedding_loss(x, y, torch.tensor([1, -1]), reduction=\"none\")\ntensor([1., 1.])\n",
      kFunction);
  r.op<&triplet_margin_loss>(
      "triplet_margin_loss(Tensor anchor, Tensor positive, Tensor negative, float margin=1.0, float p=2, float eps=1e-06, bool swap=False, int reduction=1) -> Tensor",
      "max(0, d(anchor, positive) - d(anchor, negative) + margin), d the p-norm of the difference along the\n"
      "last axis (Schroff et al. 2015). With swap, d(positive, negative) counts if it is less than\n"
      "d(anchor, negative). Reduced as mse_loss() says.\n\n"
      ">>> F.triplet_margin_loss(torch.tensor([[0.]]), torch.tensor([[1.]]), torch.tensor([[1.5]]))\ntensor(0.5000)\n",
      kFunction);
  r.op<&nll_loss>(
      "nll_loss(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, int ignore_index=-100) -> Tensor",
      "-weight[t] self[t] for the target class t: self (n, c) holds log-probabilities, target (n,) int64\n"
      "classes. reduction 1 divides by the sum of the weights; ignore_index takes no part. A class out of\n"
      "range is an IndexError.\n\n"
      ">>> x = torch.tensor([[0.9, 0.1], [0.5, 0.5]]).log()\n"
      ">>> F.nll_loss(x, torch.tensor([0, 1]), reduction=\"none\")\ntensor([0.1054, 0.6931])\n",
      kFunction);
  r.op<&nll_loss2d>(
      "nll_loss2d(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, int ignore_index=-100) -> Tensor",
      "nll_loss() for each pixel: self (n, c, h, w), target (n, h, w).\n\n"
      ">>> torch.nll_loss2d(torch.zeros(1, 2, 2, 2).log_softmax(1), torch.zeros(1, 2, 2, dtype=torch.int64))\n"
      "tensor(0.6931)\n",
      kFunction);
  r.op<&nll_loss_nd>(
      "nll_loss_nd(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, int ignore_index=-100) -> Tensor",
      "nll_loss() for each place: self (n, c, ...), target (n, ...).\n\n"
      ">>> torch.nll_loss_nd(torch.zeros(1, 4, 3).log_softmax(1), torch.tensor([[0, 1, 3]]))\ntensor(1.3863)\n",
      kFunction);
  r.op<&cross_entropy_loss>(
      "cross_entropy_loss(Tensor self, Tensor target, Tensor? weight=None, int reduction=1, int ignore_index=-100, float label_smoothing=0.0) -> Tensor",
      "nll_loss() of log_softmax(self) in one: self (n, c, ...) or (c,) holds logits; target holds int64\n"
      "classes (n, ...), or probabilities in self's shape and dtype. label_smoothing mixes the target with\n"
      "that share of equal probabilities (Szegedy et al. 2016). A class out of range is an IndexError.\n"
      "Floating dtypes.\n\n"
      ">>> F.cross_entropy(torch.tensor([[2., 0.], [0., 2.]]), torch.tensor([0, 0]), reduction=\"none\")\n"
      "tensor([0.1269, 2.1269])\n"
      ">>> F.cross_entropy(torch.tensor([[2., 0.]]), torch.tensor([[0.5, 0.5]]))\ntensor(1.1269)\n",
      kFunction);
});

}  // namespace rl
