// Ops that are a choice among pointwise records: arguments that may be None, modes given by name, other names.
#include <bit>
#include <cmath>
#include <limits>

#include "kernels/pointwise/activation.h"
#include "kernels/pointwise/arithmetic.h"
#include "kernels/pointwise/compare.h"
#include "kernels/pointwise/exponential.h"
#include "kernels/pointwise/rounding.h"
#include "kernels/reduce.h"
#include "ops/basic.h"
#include "ops/pointwise.h"
#include "tensor/destination.h"
#include "tensor/meta.h"

namespace rl {
namespace {

// A record under another op's name, as its errors and its grad_fn show.
struct Name {
  const char *op, *backward;
};
constexpr Name kPow0{"pow", "PowBackward0"}, kPow1{"pow", "PowBackward1"}, kPow2{"pow", "PowBackward2"};
constexpr Name kClamp0{"clamp", "ClampBackward0"}, kClamp1{"clamp", "ClampBackward1"},
    kClampMin{"clamp_min", "ClampMinBackward1"}, kClampMax{"clamp_max", "ClampMaxBackward1"},
    kDiv{"div", "DivBackward2"}, kGelu{"GeluKernelImpl", "GeluBackward0"}, kGlu{"glu", "GluBackward0"},
    kRound{"round_cpu", "RoundBackward1"}, kLogit{"logit", "LogitBackward0"},
    kRrelu{"rrelu_with_noise", "RreluWithNoiseBackward0"}, kNanToNum{"nan_to_num", "NanToNumBackward0"};

template <class Op, const Name& N, class... T>
Tensor call_as(const T&... arguments) {
  static const PointwiseDef def = [] {
    PointwiseDef d = pointwise_def<Op>();
    d.name = N.op;
    d.backward_name = N.backward;
    return d;
  }();
  Destination::last_pass();
  return call_with<Op>(def, arguments...);
}

// --- powers ------------------------------------------------------------------------------------------------------------

Tensor pow_scalar(const Tensor& self, const Scalar& exponent) {
  Tensor x = self;
  if (is_integral(x.dtype())) {
    if (exponent.is_integral()) {
      check(exponent.to_int() >= 0, "Integers to negative integer powers are not allowed. The tensor has dtype ",
            dtype_name(x.dtype()), ": make it floating, x.float() ** ", exponent.to_int());
      if (x.dtype() == DType::Bool && !exponent.is_bool()) x = to_dtype(x, DType::I64);
    } else if (exponent.is_float()) {
      x = to_dtype(x, default_dtype());
    }
  }
  if (x.dtype() == DType::Bool && exponent.is_bool()) return exponent.to_bool() ? clone(x) : ones_like(x);
  if (!exponent.is_complex()) {
    double e = exponent.to_double();
    if (e == 2) return call_as<pointwise::Square, kPow0>(x);
    if (e == 3) return call_as<pointwise::Cube, kPow0>(x);
    if (e == 0.5) return call_as<pointwise::Sqrt, kPow0>(x);
    if (e == -0.5) return call_as<pointwise::Rsqrt, kPow0>(x);
    if (e == -1) return call_as<pointwise::Reciprocal, kPow0>(x);
  }
  return call_as<pointwise::PowTensorScalar, kPow0>(x, exponent);
}

Tensor pow_number(const Scalar& self, const Tensor& exponent) {
  return call_as<pointwise::Pow, kPow2>(Tensor::wrapped(self), exponent);
}

Tensor pow_tensor(const Tensor& self, const Tensor& exponent) {
  if (exponent->wrapped_number) return pow_scalar(self, exponent.item());
  if (self->wrapped_number) return pow_number(self.item(), exponent);
  return call_as<pointwise::Pow, kPow1>(self, exponent);
}

DType power_dtype(bool complex) { return complex ? DType::C128 : DType::F64; }
Tensor float_power_scalar(const Tensor& self, const Scalar& exponent) {
  bool complex = is_complex_dtype(self.dtype()) || exponent.is_complex();
  return pow_scalar(to_dtype(self, power_dtype(complex)),
                    complex ? Scalar(exponent.to_complex()) : Scalar(exponent.to_double()));
}
Tensor float_power_number(const Scalar& self, const Tensor& exponent) {
  bool complex = is_complex_dtype(exponent.dtype()) || self.is_complex();
  return pow_number(self, to_dtype(exponent, power_dtype(complex)));
}
Tensor float_power_tensor(const Tensor& self, const Tensor& exponent) {
  DType dtype = power_dtype(is_complex_dtype(self.dtype()) || is_complex_dtype(exponent.dtype()));
  return pow_tensor(to_dtype(self, dtype), to_dtype(exponent, dtype));
}

// --- the next number ----------------------------------------------------------------------------------------------------

// The next one of 16 bits, seen as integers that grow with the magnitude.
template <class T>
T next_towards(T from, T to) {
  const float a = static_cast<float>(from), b = static_cast<float>(to);
  if (a != a || b != b) return T(a + b);
  if (a == b) return to;
  uint16_t bits = std::bit_cast<uint16_t>(from);
  if (a == 0)
    bits = b > 0 ? 1 : 0x8001;
  else
    bits = static_cast<uint16_t>((b > a) == (a > 0) ? bits + 1 : bits - 1);
  return std::bit_cast<T>(bits);
}

Tensor nextafter(const Tensor& self, const Tensor& other) {
  const Tensor both[] = {self, other};
  const DType dtype = result_type(both, {});
  if (dtype != DType::F16 && dtype != DType::BF16) return call<pointwise::Nextafter>(self, other);
  const Dims sizes = broadcast_shapes(self.sizes(), other.sizes());
  auto operand = [&](const Tensor& t) { return contiguous(expand(to_dtype(detach(t), dtype), sizes)); };
  Tensor a = operand(self), b = operand(other), out = Tensor::empty(sizes, dtype);
  auto fill = [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0; i < out.numel(); ++i) out.data<T>()[i] = next_towards(a.data<T>()[i], b.data<T>()[i]);
  };
  if (!is_meta(out)) dtype == DType::F16 ? fill(Half()) : fill(BFloat16());
  record("NextafterBackward0", out, {self, other}, {self, other}, [](Backward& ctx) {
    const Tensor in[] = {ctx.saved(0), ctx.saved(1)};
    for (int i = 0; i < 2; ++i)
      if (ctx.needs(i))
        ctx.set(i, sum_to(pointwise_gradient(pointwise_def<pointwise::Nextafter>(), i, ctx.grad(), in, nullptr, {}),
                          in[i].sizes()));
  });
  return out;
}

// --- limits ------------------------------------------------------------------------------------------------------------

bool is_nan(const std::optional<Scalar>& s) { return s && s->is_float() && std::isnan(s->to_double()); }

Tensor clamp(const Tensor& self, std::optional<Scalar> low, std::optional<Scalar> high) {
  check(low || high, "torch.clamp: At least one of 'min' or 'max' must not be None");
  if (is_nan(low) || is_nan(high)) {
    Tensor out = full(self.sizes(), Scalar(std::nan("")), is_floating(self.dtype()) ? self.dtype() : default_dtype());
    record("ClampBackward1", out, {self}, {}, [](Backward& ctx) { ctx.set(0, zeros_like(ctx.grad())); });
    return out;
  }
  if (!high) return call_as<pointwise::ClampMin, kClamp1>(self, *low);
  if (!low) return call_as<pointwise::ClampMax, kClamp1>(self, *high);
  return call_as<pointwise::Clamp, kClamp1>(self, *low, *high);
}

// A bound that bounds nothing.
Tensor no_bound(const Tensor& self, const Tensor& other, bool upper) {
  const Tensor both[] = {self, other};
  DType dtype = result_type(both, {});
  if (is_floating(dtype)) return Tensor::wrapped(Scalar(upper ? HUGE_VAL : -HUGE_VAL));
  return visit_dtype(dtype, [&](auto zero) -> Tensor {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T>)
      return Tensor::wrapped(
          Scalar(static_cast<int64_t>(upper ? std::numeric_limits<T>::max() : std::numeric_limits<T>::min())));
    else
      return Tensor::wrapped(Scalar(0));
  });
}

template <const Name& N>
Tensor clamp_between(const Tensor& self, const Tensor& low, const Tensor& high) {
  return call_as<pointwise::ClampTensor, N>(self, low.defined() ? low : no_bound(self, high, false),
                                            high.defined() ? high : no_bound(self, low, true));
}
Tensor clamp_tensor(const Tensor& self, const Tensor& low, const Tensor& high) {
  check(low.defined() || high.defined(), "torch.clamp: At least one of 'min' or 'max' must not be None");
  return clamp_between<kClamp0>(self, low, high);
}
Tensor clamp_min_tensor(const Tensor& self, const Tensor& low) {
  if (self.dtype() == DType::Bool && low.dtype() == DType::Bool) return call<pointwise::Maximum>(self, low);
  return clamp_between<kClampMin>(self, low, Tensor());
}
Tensor clamp_max_tensor(const Tensor& self, const Tensor& high) {
  if (self.dtype() == DType::Bool && high.dtype() == DType::Bool) return call<pointwise::Minimum>(self, high);
  return clamp_between<kClampMax>(self, Tensor(), high);
}

Tensor nan_to_num(const Tensor& self, std::optional<double> nan, std::optional<double> positive,
                  std::optional<double> negative) {
  if (is_integral(self.dtype())) return clone(self);
  if (is_complex_dtype(self.dtype())) return view_as_complex(nan_to_num(view_as_real(self), nan, positive, negative));
  double largest = self.dtype() == DType::F64   ? std::numeric_limits<double>::max()
                   : self.dtype() == DType::F32 ? static_cast<double>(std::numeric_limits<float>::max())
                   : self.dtype() == DType::F16 ? 65504.0
                                                : 3.3895313892515355e38;
  return call_as<pointwise::NanToNum, kNanToNum>(self, nan.value_or(0.0), positive.value_or(largest),
                                                 negative.value_or(-largest));
}

// --- rounding, division ------------------------------------------------------------------------------------------------

Tensor round_decimals(const Tensor& self, int64_t decimals) {
  if (decimals == 0) return call<pointwise::Round>(self);
  if (is_integral(self.dtype()))
    fail(ErrorKind::NotImplemented, "\"round_cpu\" not implemented for '", scalar_type_name(self.dtype()), "'");
  return call_as<pointwise::RoundDecimals, kRound>(self, std::pow(10.0, std::abs(static_cast<double>(decimals))),
                                                   decimals > 0 ? 1.0 : 0.0);
}

Tensor div_mode(const Tensor& self, const Tensor& other, std::optional<std::string_view> mode) {
  if (!mode) return call_as<pointwise::Div, kDiv>(self, other);
  if (*mode == "floor") return call_as<pointwise::DivFloor, kDiv>(self, other);
  check(*mode == "trunc", "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '", *mode, "'");
  return call_as<pointwise::DivTrunc, kDiv>(self, other);
}

Tensor logit(const Tensor& self, std::optional<double> eps) {
  return eps ? call_as<pointwise::LogitEps, kLogit>(self, *eps) : call_as<pointwise::Logit, kLogit>(self);
}

// --- choice and comparison ---------------------------------------------------------------------------------------------

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  if (condition.dtype() != DType::Bool && condition.dtype() != DType::U8)
    fail(ErrorKind::Runtime, "where expected condition to be a boolean tensor, but got a tensor with dtype ",
         scalar_type_name(condition.dtype()), ". Compare to get one, as in torch.where(x > 0, a, b)");
  return call<pointwise::Where>(condition, a, b);
}
Tensor where_method(const Tensor& self, const Tensor& condition, const Tensor& other) {
  return where(condition, self, other);
}

Tensor isclose(const Tensor& self, const Tensor& other, double rtol, double atol, bool equal_nan) {
  check(self.dtype() == other.dtype(), scalar_type_name(self.dtype()), " did not match ",
        scalar_type_name(other.dtype()), ": isclose() compares tensors of one dtype");
  check(rtol >= 0, "rtol must be greater than or equal to zero, but got ", rtol);
  check(atol >= 0, "atol must be greater than or equal to zero, but got ", atol);
  GradModeGuard off(false);
  if (is_complex_dtype(self.dtype())) {
    Tensor equal = call<pointwise::Eq>(self, other);
    if (equal_nan)
      equal = call<pointwise::LogicalOr>(
          equal, call<pointwise::LogicalAnd>(call<pointwise::IsNan>(self), call<pointwise::IsNan>(other)));
    Tensor error = call<pointwise::Abs>(call<pointwise::Sub>(self, other, 1));
    Tensor allowed =
        call<pointwise::Add>(call<pointwise::Mul>(call<pointwise::Abs>(other), Tensor::wrapped(Scalar(rtol))),
                             Tensor::wrapped(Scalar(atol)), 1);
    return call<pointwise::LogicalOr>(
        equal, call<pointwise::LogicalAnd>(call<pointwise::IsFinite>(error), call<pointwise::Le>(error, allowed)));
  }
  Tensor a = is_integral(self.dtype()) ? to_dtype(self, DType::F64) : self,
         b = is_integral(other.dtype()) ? to_dtype(other, DType::F64) : other;
  return equal_nan ? call<pointwise::IsCloseEqualNan>(a, b, rtol, atol) : call<pointwise::IsClose>(a, b, rtol, atol);
}

bool allclose(const Tensor& self, const Tensor& other, double rtol, double atol, bool equal_nan) {
  Tensor close = contiguous(isclose(self, other, rtol, atol, equal_nan));
  bool all = true;
  if (close.numel() > 0)
    cpu::reduce_sum().all(DType::Bool, close.raw(), cpu::ReduceShape::contiguous(1, close.numel(), 1), &all);
  return all;
}

// --- activations -------------------------------------------------------------------------------------------------------

Tensor gelu(const Tensor& self, std::string_view approximate) {
  if (approximate == "none") return call_as<pointwise::Gelu, kGelu>(self);
  check(approximate == "tanh", "approximate argument must be either none or tanh.");
  return call_as<pointwise::GeluTanh, kGelu>(self);
}

Tensor glu(const Tensor& self, int64_t dim) {
  check(self.dim() > 0, "glu does not support 0-dimensional tensors");
  dim = wrap_dim(dim, self.dim());
  int64_t n = self.size(dim);
  check(n % 2 == 0, "Halving dimension must be even, but dimension ", dim, " is size ", n);
  return call_as<pointwise::Mul, kGlu>(slice(self, dim, 0, n / 2),
                                       call<pointwise::Sigmoid>(slice(self, dim, n / 2, n)));
}

Tensor prelu(const Tensor& self, const Tensor& weight) {
  check(self.dtype() == weight.dtype(), "prelu: Type promoting not supported. Got ", scalar_type_name(self.dtype()),
        " and ", scalar_type_name(weight.dtype()));
  check(weight.dim() <= 1, "prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = ", weight.dim());
  if (weight.numel() != 1) {
    check(self.dim() > 0, "Not allow zero-dim input tensor.");
    int64_t channels = self.dim() > 1 ? self.size(1) : 1;
    check(weight.numel() == channels,
          "Mismatch of parameter numbers and input channel size. Found parameter numbers = ", weight.numel(),
          " and channel size = ", channels, ".");
  }
  Dims shape(self.dim(), 1);
  if (self.dim() > 1) shape[1] = weight.numel();
  return call<pointwise::Prelu>(self, view(weight, shape));
}

// In training, a slope is drawn for every element that is not positive, in memory order.
Tensor rrelu(const Tensor& self, const Scalar& lower, const Scalar& upper, bool training, Generator* generator) {
  double from = lower.to_double(), to = upper.to_double();
  check(from <= to, "Lower bound should be less than or equal to the upper bound");
  if (!training) return call_as<pointwise::LeakyRelu, kRrelu>(self, (from + to) / 2);
  Tensor x = contiguous(detach(self)), noise = Tensor::empty(self.sizes(), self.dtype());
  check(is_floating(x.dtype()), "\"rrelu_with_noise_out_cpu\" not implemented for '", scalar_type_name(x.dtype()), "'");
  Generator& g = generator ? *generator : default_generator();
  std::lock_guard<std::mutex> lock(g.mutex());
  visit_dtype(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    if constexpr (is_differentiable(dtype_of_v<T>) && !is_complex_v<T>) {
      const T* in = x.data<T>();
      T* out = noise.data<T>();
      using W = std::conditional_t<std::is_same_v<T, double>, double, float>;
      for (int64_t i = 0; i < x.numel(); ++i)
        out[i] = static_cast<W>(in[i]) <= 0 ? T(static_cast<W>(g.next_double() * (to - from) + from)) : T(1);
    }
  });
  Tensor out = call<pointwise::Mul>(detach(self), noise);
  record(kRrelu.backward, out, {self}, {self, noise}, [](Backward& ctx) {
    const Tensor self = ctx.saved(0);
    ctx.set(0, tie_to_inputs(call<pointwise::Mul>(ctx.grad(), ctx.saved(1)), std::span<const Tensor>(&self, 1)));
  });
  return out;
}

}  // namespace

static const Family family([](Registry& r) {
  constexpr Traits kNumbers{.in_place = true, .numbers = Numbers::Both};
  constexpr Traits kInPlace{.in_place = true};
  constexpr Traits kFunction{.method = false, .in_place = true};
  r.op<&pow_tensor>(
      "pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor",
      "self ** exponent, elementwise and broadcast. Integers to a negative integer power are an error.\n\n"
      ">>> torch.pow(torch.tensor([2., 3.]), torch.tensor([3., 2.]))\ntensor([8., 9.])\n",
      kInPlace);
  r.op<&pow_scalar>("pow.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor",
                    "self ** exponent with a number as exponent.", kInPlace);
  r.op<&pow_number>("pow.Scalar(Scalar self, Tensor exponent) -> Tensor", "number ** exponent.", {.method = false});
  r.op<&nextafter>("nextafter(Tensor self, Tensor other) -> Tensor",
                   "The next representable number after self towards other.\n\n"
                   ">>> torch.nextafter(torch.tensor([1.]), torch.tensor([2.])) > 1\ntensor([True])\n",
                   {.in_place = true});
  r.op<&float_power_tensor>(
      "float_power.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor",
      "self ** exponent, either of them a number, computed in float64, or complex128 where one is complex.\n\n"
      ">>> torch.float_power(torch.tensor([2, 3]), -1)\ntensor([0.5000, 0.3333], dtype=torch.float64)\n",
      kInPlace);
  r.op<&float_power_scalar>("float_power.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor",
                            "self ** exponent computed in float64 or complex128.", kInPlace);
  r.op<&float_power_number>("float_power.Scalar(Scalar self, Tensor exponent) -> Tensor",
                            "number ** exponent computed in float64 or complex128.", {.method = false});
  // First, or 0-d bounds would pass for numbers and get no gradient.
  r.op<&clamp_tensor>("clamp.Tensor(Tensor self, Tensor? min=None, Tensor? max=None) -> Tensor", "", kInPlace);
  r.op<&clamp>("clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor",
               "min(max(self, min), max), in the promoted dtype; the bounds are numbers or tensors (broadcast), and\n"
               "one may be None (both: a RuntimeError). If min > max, every element becomes max.\n\n"
               ">>> torch.clamp(torch.tensor([-2., 0.5, 3.]), min=-1, max=1)\ntensor([-1.0000,  0.5000,  1.0000])\n",
               kInPlace);
  r.op<&clamp_min_tensor>("clamp_min.Tensor(Tensor self, Tensor min) -> Tensor", "Elements below min become min.",
                          kInPlace);
  r.op<&clamp_max_tensor>("clamp_max.Tensor(Tensor self, Tensor max) -> Tensor", "Elements above max become max.",
                          kInPlace);
  r.op<&nan_to_num>(
      "nan_to_num(Tensor self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor",
      "Replaces NaN (by 0 unless told) and the infinities (by the largest and smallest finite numbers of\n"
      "the dtype unless told), in self's shape and dtype.\n\n"
      ">>> torch.nan_to_num(torch.tensor([float('nan'), 1.]), nan=7.)\ntensor([7., 1.])\n",
      kInPlace);
  r.op<&round_decimals>("round.decimals(Tensor self, *, int decimals) -> Tensor",
                        "Rounds to that many digits after the point.", kInPlace);
  r.op<&div_mode>("div.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor",
                  "self / other, rounded: 'floor' as Python's //, 'trunc' towards zero, None not at all.", kNumbers);
  r.op<&logit>("logit(Tensor self, float? eps=None) -> Tensor",
               "log(self / (1 - self)), the inverse of sigmoid, in self's shape; with eps, self is first clamped to\n"
               "[eps, 1 - eps]. Outside of [0, 1] it is NaN. Integers become the default float dtype.\n\n"
               ">>> torch.logit(torch.tensor([0.5, 0.75]))\ntensor([0.0000, 1.0986])\n",
               kInPlace);
  r.op<&where>(
      "where.self(Tensor condition, Tensor self, Tensor other) -> Tensor",
      "self where condition (bool) is true, other elsewhere; all three are broadcast, self and other\n"
      "promoted, and may be numbers. With condition alone: nonzero(as_tuple=True).\n\n"
      ">>> torch.where(torch.tensor([True, False]), torch.tensor([1, 2]), torch.tensor([3, 4]))\ntensor([1, 4])\n",
      {.numbers = Numbers::Both});
  r.op<&where_method>("where.method(Tensor self, Tensor condition, Tensor other) -> Tensor", "",
                      {.function = false, .numbers = Numbers::Last});
  r.op<&isclose>(
      "isclose(Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False) -> Tensor",
      "|self - other| <= atol + rtol * |other|, as bool, broadcast; equal infinities are close, NaN is\n"
      "close to nothing unless equal_nan. Different dtypes and negative tolerances are a RuntimeError.\n\n"
      ">>> torch.isclose(torch.tensor([1., 2.]), torch.tensor([1.0000001, 2.1]))\ntensor([ True, False])\n");
  r.op<&allclose>(
      "allclose(Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False) -> bool",
      "Whether all elements are close, as isclose() says: a bool. Shapes that do not broadcast and\n"
      "different dtypes are a RuntimeError.\n\n"
      ">>> torch.allclose(torch.tensor([0.1 + 0.2]), torch.tensor([0.3]))\nTrue\n");
  r.op<&gelu>("gelu(Tensor self, *, str approximate='none') -> Tensor",
              "self * Phi(self), Phi being the normal distribution function (Hendrycks and Gimpel 2016);\n"
              "approximate='tanh' uses a formula with tanh instead, another word is a RuntimeError. In self's\n"
              "shape; floating dtypes.\n\n"
              ">>> torch.nn.functional.gelu(torch.tensor([-1., 2.]))\ntensor([-0.1587,  1.9545])\n",
              kFunction);
  r.op<&glu>("glu(Tensor self, int dim=-1) -> Tensor",
             "The first half of self along dim times the sigmoid of the second (Dauphin et al. 2017). An odd size\n"
             "is a RuntimeError. Floating dtypes.\n\n"
             ">>> F.glu(torch.tensor([1., 2., 0., 100.]))\ntensor([0.5000, 2.0000])\n",
             {.method = false});
  r.op<&prelu>("prelu(Tensor self, Tensor weight) -> Tensor",
               "self where it is positive, weight * self elsewhere: one weight, or one per channel (the second\n"
               "dimension; He et al. 2015). Another number of weights is a RuntimeError. Floating dtypes.\n\n"
               ">>> torch.prelu(torch.tensor([[-2., 3.]]), torch.tensor([0.25]))\ntensor([[-0.5000,  3.0000]])\n");
  r.op<&rrelu>(
      "rrelu(Tensor self, Scalar lower=0.125, Scalar upper=0.3333333333333333, bool training=False, Generator? generator=None) -> Tensor",
      "leaky_relu() with a slope drawn from [lower, upper] for each element in training, their mean in\n"
      "evaluation (Xu et al. 2015). Floating dtypes.\n\n"
      ">>> F.rrelu(torch.tensor([-24., 1.]))\ntensor([-5.5000,  1.0000])\n",
      kFunction);

  static constexpr const char* kAliases[][2] = {{"absolute", "abs"},
                                                {"arccos", "acos"},
                                                {"arccosh", "acosh"},
                                                {"arcsin", "asin"},
                                                {"arcsinh", "asinh"},
                                                {"arctan", "atan"},
                                                {"arctanh", "atanh"},
                                                {"arctan2", "atan2"},
                                                {"negative", "neg"},
                                                {"multiply", "mul"},
                                                {"subtract", "sub"},
                                                {"divide", "div"},
                                                {"true_divide", "div"},
                                                {"fix", "trunc"},
                                                {"greater", "gt"},
                                                {"greater_equal", "ge"},
                                                {"less", "lt"},
                                                {"less_equal", "le"},
                                                {"not_equal", "ne"},
                                                {"clip", "clamp"},
                                                {"special_expit", "sigmoid"},
                                                {"special_exp2", "exp2"},
                                                {"special_expm1", "expm1"},
                                                {"special_log1p", "log1p"},
                                                {"special_sinc", "sinc"},
                                                {"special_round", "round"},
                                                {"special_logit", "logit"},
                                                {"special_erf", "erf"},
                                                {"special_erfc", "erfc"},
                                                {"special_erfinv", "erfinv"},
                                                {"special_digamma", "digamma"},
                                                {"special_psi", "digamma"},
                                                {"special_gammaln", "lgamma"},
                                                {"special_i0", "i0"},
                                                {"special_gammainc", "igamma"},
                                                {"special_gammaincc", "igammac"},
                                                {"special_xlogy", "xlogy"},
                                                {"special_polygamma", "polygamma"},
                                                {"special_logsumexp", "logsumexp"},
                                                {"special_multigammaln", "mvlgamma"}};
  for (auto& [name, of] : kAliases) r.alias(name, of);
});

}  // namespace rl
