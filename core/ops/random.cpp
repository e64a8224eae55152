// Random tensors, random fills in place, and dropout.
#include "kernels/random.h"

#include <cmath>

#include "kernels/pointwise/arithmetic.h"
#include "ops/creation.h"
#include "ops/pointwise.h"
#include "runtime/parallel.h"

namespace rl {
namespace {

Generator& pick(Generator* g) { return g ? *g : default_generator(); }

// Runs draw(Out) on t's memory. Long draws let other Python threads run.
template <class Draw>
void draw_into(const Tensor& t, Draw&& draw) {
  auto run = [&] {
    if (t.is_contiguous())
      draw(random::Out{t.dtype(), t.raw(), t.numel(), true});
    else
      random::fill_strided(t.dtype(), t.raw(), static_cast<int>(t.dim()), t.sizes().data(), t.strides().data(),
                           [&](random::Out out) { draw(out); });
  };
  if (t.numel() < 16384) return run();
  BlockingRegion region;
  run();
}

// --- in place ------------------------------------------------------------------------------------------------------------

// What was drawn does not depend on what was there: the gradient is zero.
template <class Draw>
Tensor draw_in_place(const Tensor& self, const char* op, const char* node_name, Draw&& draw,
                     const Tensor& parameter = {}) {
  bool tracked = needs_gradient(self, parameter) && is_differentiable(self.dtype());
  check_in_place(self, op, tracked);
  Ref<Node> node;
  if (tracked) {
    const Tensor inputs[] = {self, parameter};
    node = make_node(node_name, {inputs, parameter.defined() ? 2u : 1u},
                     [shape = parameter.defined() ? Dims(parameter.sizes()) : Dims()](Backward& ctx) {
                       if (ctx.needs(0)) ctx.set(0, zeros_like(ctx.grad()));
                       if (ctx.needs(1)) ctx.set(1, zeros(shape, ctx.grad().dtype()));
                     });
  }
  draw_into(self, draw);
  changed_in_place(self, op);
  if (node) rebase_history(self, std::move(node));
  return self;
}

Tensor uniform_(const Tensor& self, double from, double to, Generator* g) {
  return draw_in_place(self, "uniform_", "UniformBackward0",
                       [&](random::Out out) { random::uniform(out, from, to, pick(g)); });
}
Tensor normal_(const Tensor& self, double mean, double std, Generator* g) {
  return draw_in_place(self, "normal_", "NormalBackward0",
                       [&](random::Out out) { random::normal(out, mean, std, pick(g)); });
}
Tensor random_(const Tensor& self, Generator* g) {
  return draw_in_place(self, "random_", "RandomBackward2", [&](random::Out out) { random::random_full(out, pick(g)); });
}
Tensor random_to(const Tensor& self, int64_t to, Generator* g) {
  return draw_in_place(self, "random_", "RandomBackward1",
                       [&](random::Out out) { random::random_range(out, 0, to, pick(g)); });
}
Tensor random_from(const Tensor& self, int64_t from, std::optional<int64_t> to, Generator* g) {
  return draw_in_place(self, "random_", "RandomBackward0",
                       [&](random::Out out) { random::random_range(out, from, to, pick(g)); });
}
Tensor exponential_(const Tensor& self, double lambd, Generator* g) {
  return draw_in_place(self, "exponential_", "ExponentialBackward0",
                       [&](random::Out out) { random::exponential(out, lambd, pick(g)); });
}
Tensor geometric_(const Tensor& self, double p, Generator* g) {
  return draw_in_place(self, "geometric_", "GeometricBackward0",
                       [&](random::Out out) { random::geometric(out, p, pick(g)); });
}
Tensor cauchy_(const Tensor& self, double median, double sigma, Generator* g) {
  return draw_in_place(self, "cauchy_", "CauchyBackward0",
                       [&](random::Out out) { random::cauchy(out, median, sigma, pick(g)); });
}
Tensor log_normal_(const Tensor& self, double mean, double std, Generator* g) {
  return draw_in_place(self, "log_normal_", "LogNormalBackward0",
                       [&](random::Out out) { random::log_normal(out, mean, std, pick(g)); });
}
Tensor bernoulli_p_(const Tensor& self, double p, Generator* g) {
  return draw_in_place(self, "bernoulli_", "BernoulliBackward2",
                       [&](random::Out out) { random::bernoulli(out, p, pick(g)); });
}
Tensor bernoulli_tensor_(const Tensor& self, const Tensor& p, Generator* g) {
  // The probabilities in the order in which self's memory is filled.
  Tensor ordered = Tensor::empty_strided(self.sizes(), dense_strides_like(self.sizes(), self.strides()), p.dtype());
  copy_data(ordered, expand(detach(p), self.sizes()));
  return draw_in_place(
      self, "bernoulli_", "BernoulliBackward1",
      [&](random::Out out) { random::bernoulli_each(out, ordered.dtype(), ordered.raw(), pick(g)); }, p);
}

// --- new tensors -----------------------------------------------------------------------------------------------------------

template <class Draw>
Tensor drawn(Tensor out, const Options& o, Draw&& draw) {
  draw_into(out, draw);
  return with_options(std::move(out), o);
}

Tensor rand(IntSpan size, Generator* g, const Options& o) {
  return drawn(Tensor::empty(size, o.dtype.value_or(default_dtype())), o,
               [&](random::Out out) { random::uniform(out, 0, 1, pick(g)); });
}
Tensor randn(IntSpan size, Generator* g, const Options& o) {
  return drawn(Tensor::empty(size, o.dtype.value_or(default_dtype())), o,
               [&](random::Out out) { random::normal(out, 0, 1, pick(g)); });
}
Tensor randint_low(int64_t low, int64_t high, IntSpan size, Generator* g, const Options& o) {
  return drawn(Tensor::empty(size, o.dtype.value_or(DType::I64)), o,
               [&](random::Out out) { random::random_range(out, low, high, pick(g)); });
}
Tensor randint(int64_t high, IntSpan size, Generator* g, const Options& o) { return randint_low(0, high, size, g, o); }
Tensor randperm(int64_t n, Generator* g, const Options& o) {
  return drawn(Tensor::empty(Dims{n}, o.dtype.value_or(DType::I64)), o,
               [&](random::Out out) { random::randperm(out, pick(g)); });
}

Tensor rand_like(const Tensor& t, Generator* g, const Options& o, std::optional<MemoryFormat> format) {
  return drawn(new_like(t, o.dtype.value_or(t.dtype()), format), o,
               [&](random::Out out) { random::uniform(out, 0, 1, pick(g)); });
}
Tensor randn_like(const Tensor& t, Generator* g, const Options& o, std::optional<MemoryFormat> format) {
  return drawn(new_like(t, o.dtype.value_or(t.dtype()), format), o,
               [&](random::Out out) { random::normal(out, 0, 1, pick(g)); });
}
Tensor randint_like_low(const Tensor& t, int64_t low, int64_t high, Generator* g, const Options& o,
                        std::optional<MemoryFormat> format) {
  return drawn(new_like(t, o.dtype.value_or(t.dtype()), format), o,
               [&](random::Out out) { random::random_range(out, low, high, pick(g)); });
}
Tensor randint_like(const Tensor& t, int64_t high, Generator* g, const Options& o, std::optional<MemoryFormat> format) {
  return randint_like_low(t, 0, high, g, o, format);
}
Tensor randint_like_tensor(const Tensor& t, const Tensor& high, Generator* g, const Options& o,
                           std::optional<MemoryFormat> format) {
  check(high.dim() == 0, "high must be a scalar tensor and on CPU, got one of shape ", shape_str(high.sizes()));
  return randint_like_low(t, 0, high.item().to_int(), g, o, format);
}

Tensor zero_gradient(const char* name, Tensor out, const Tensor& a, const Tensor& b = {}) {
  record(name, out, {a, b}, {},
         [a_sizes = a.defined() ? Dims(a.sizes()) : Dims(),
          b_sizes = b.defined() ? Dims(b.sizes()) : Dims()](Backward& ctx) {
           if (ctx.needs(0)) ctx.set(0, zeros(a_sizes, ctx.grad().dtype()));
           if (ctx.needs(1)) ctx.set(1, zeros(b_sizes, ctx.grad().dtype()));
         });
  return out;
}

// t's values in the given shape and dtype, contiguous and without history.
Tensor prepared(const Tensor& t, IntSpan sizes, DType dtype) {
  return contiguous(expand(to_dtype(detach(t), dtype), sizes));
}

Tensor normal_complex(const Tensor& mean, const Tensor& std, double std_value, IntSpan sizes, Generator* g) {
  GradModeGuard off(false);
  Tensor out = Tensor::empty(sizes, mean.dtype());
  if (std.defined()) {
    Tensor each = prepared(std, sizes, std.dtype());
    visit_dtype(each.dtype(), [&](auto zero) {
      using T = decltype(zero);
      if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>)
        for (int64_t i = 0; i < each.numel(); ++i)
          check(!(each.data<T>()[i] < 0), "normal expects all elements of std >= 0.0");
    });
  }
  draw_into(out, [&](random::Out o) { random::normal(o, 0, std.defined() ? 1 : std_value, pick(g)); });
  if (std.defined()) out = call<pointwise::Mul>(out, to_dtype(detach(std), real_of(out.dtype())));
  return call<pointwise::Add>(out, detach(mean), 1);
}

// mean or std may be undefined: then its number counts.
Tensor normal_any(const Tensor& mean, double mean_value, const Tensor& std, double std_value, Generator* g) {
  check(!std.defined() || !is_complex_dtype(std.dtype()), "normal expects standard deviation to be non-complex");
  DType dtype = mean.defined() ? mean.dtype() : std.dtype();
  Dims sizes = mean.defined() && std.defined() ? broadcast_shapes(mean.sizes(), std.sizes())
                                               : Dims(mean.defined() ? mean.sizes() : std.sizes());
  if (is_complex_dtype(dtype)) return normal_complex(mean, std, std_value, sizes, g);
  if (!is_floating(dtype)) not_implemented_for("normal_kernel_cpu", dtype);
  Tensor means = mean.defined() ? prepared(mean, sizes, dtype) : Tensor(),
         stds = std.defined() ? prepared(std, sizes, dtype) : Tensor();
  Tensor out = Tensor::empty(sizes, dtype);
  draw_into(out, [&](random::Out o) {
    random::normal_each(o, means.defined() ? means.raw() : nullptr, mean_value, stds.defined() ? stds.raw() : nullptr,
                        std_value, pick(g));
  });
  return out;
}
Tensor normal_tt(const Tensor& mean, const Tensor& std, Generator* g) {
  return zero_gradient("NormalBackward3", normal_any(mean, 0, std, 1, g), mean, std);
}
Tensor normal_tf(const Tensor& mean, double std, Generator* g) {
  check(std >= 0, "normal expects std >= 0.0, but found std ", std);
  return zero_gradient("NormalBackward1", normal_any(mean, 0, {}, std, g), mean);
}
Tensor normal_ft(double mean, const Tensor& std, Generator* g) {
  return zero_gradient("NormalBackward2", normal_any({}, mean, std, 1, g), std);
}
Tensor normal_ff(double mean, double std, IntSpan size, Generator* g, const Options& o) {
  return drawn(Tensor::empty(size, o.dtype.value_or(default_dtype())), o,
               [&](random::Out out) { random::normal(out, mean, std, pick(g)); });
}

Tensor bernoulli(const Tensor& self, Generator* g) {
  Tensor out = Tensor::empty(self.sizes(), self.dtype()), p = contiguous(detach(self));
  draw_into(out, [&](random::Out o) { random::bernoulli_each(o, p.dtype(), p.raw(), pick(g)); });
  return zero_gradient("BernoulliBackward0", out, self);
}
Tensor bernoulli_p(const Tensor& self, double p, Generator* g) {
  Tensor out = Tensor::empty(self.sizes(), self.dtype());
  draw_into(out, [&](random::Out o) { random::bernoulli(o, p, pick(g)); });
  return zero_gradient("BernoulliBackward3", out, self);
}

Tensor poisson(const Tensor& self, Generator* g) {
  Tensor out = Tensor::empty(self.sizes(), self.dtype()), rates = contiguous(detach(self));
  draw_into(out, [&](random::Out o) { random::poisson(o, rates.raw(), pick(g)); });
  return zero_gradient("PoissonBackward0", out, self);
}

Tensor binomial(const Tensor& count, const Tensor& prob, Generator* g) {
  for (auto [t, name] : {std::pair(&count, "count"), std::pair(&prob, "prob")})
    check_value(is_floating(t->dtype()), "binomial only supports floating-point dtypes for ", name,
                ", got: ", scalar_type_name(t->dtype()));
  check(count.dtype() == prob.dtype(), "Found dtype ", scalar_type_name(prob.dtype()), " but expected ",
        scalar_type_name(count.dtype()));
  Dims sizes = broadcast_shapes(count.sizes(), prob.sizes());
  Tensor n = prepared(count, sizes, count.dtype()), p = prepared(prob, sizes, prob.dtype()),
         out = Tensor::empty(sizes, count.dtype());
  draw_into(out, [&](random::Out o) { random::binomial(o, n.raw(), p.raw(), pick(g)); });
  return zero_gradient("BinomialBackward0", out, count, prob);
}

Tensor multinomial(const Tensor& self, int64_t samples, bool replacement, Generator* g) {
  check(self.dim() == 1 || self.dim() == 2, "prob_dist must be 1 or 2 dim, got a tensor of shape ",
        shape_str(self.sizes()));
  Tensor weights = contiguous(detach(self));
  bool matrix = self.dim() == 2;
  int64_t rows = matrix ? self.size(0) : 1;
  Dims sizes = matrix ? Dims{rows, std::max<int64_t>(samples, 0)} : Dims{std::max<int64_t>(samples, 0)};
  Tensor out = Tensor::empty(sizes, DType::I64);
  random::multinomial(weights.dtype(), weights.raw(), rows, self.size(-1), samples, replacement, out.data<int64_t>(),
                      pick(g));
  return out;
}

// --- dropout -----------------------------------------------------------------------------------------------------------------

// out = input * factor + shift; shift is undefined except for alpha dropout.
struct Noise {
  Tensor factor, shift;
};

// Nothing to do: not in training, nothing to drop.
bool idle(const Tensor& input, double p, bool train) {
  check(p >= 0 && p <= 1, "dropout probability has to be between 0 and 1, but got ", p);
  return p == 0 || !train || input.numel() == 0;
}

Noise make_noise(const Tensor& input, double p, bool feature, bool alpha) {
  GradModeGuard off(false);
  if (p == 1) return {full({}, Scalar(0), input.dtype()), {}};
  check(!is_integral(input.dtype()), "result type Float can't be cast to the desired output type ",
        scalar_type_name(input.dtype()));
  Tensor mask;
  if (feature) {  // one draw for each channel of each example
    check(input.dim() >= 2, "Feature dropout requires at least 2 dimensions in the input, got ",
          shape_str(input.sizes()));
    Dims sizes(input.dim(), 1);
    sizes[0] = input.size(0), sizes[1] = input.size(1);
    mask = Tensor::empty(sizes, input.dtype());
  } else {
    mask = Tensor::empty_like(input);
  }
  Generator& g = default_generator();
  if (!alpha) {
    draw_into(mask, [&](random::Out out) { random::dropout_mask(out, p, g); });
    return {mask, {}};
  }
  constexpr double kAlpha = 1.7580993408473766;  // SELU's scale times its alpha
  double a = 1 / std::sqrt((kAlpha * kAlpha * p + 1) * (1 - p));
  draw_into(mask, [&](random::Out out) { random::bernoulli(out, 1 - p, g); });
  auto number = [](double d) { return Tensor::wrapped(Scalar(d)); };
  Tensor dropped = call<pointwise::Mul>(call<pointwise::Add>(mask, number(-1), 1), number(kAlpha * a));
  return {call<pointwise::Mul>(mask, number(a)), call<pointwise::Add>(dropped, number(kAlpha * a * p), 1)};
}

template <bool feature, bool alpha>
Tensor dropout_any(const Tensor& input, double p, bool train) {
  if (idle(input, p, train)) return input;
  Noise noise = make_noise(input, p, feature, alpha);
  Tensor out = call<pointwise::Mul>(input, noise.factor);
  return noise.shift.defined() ? call<pointwise::Add>(out, noise.shift, 1) : out;
}

template <class Op, class Formula, class... Number>
void apply_in_place(const Tensor& self, const Tensor& other, const char* op, const char* node_name, Formula formula,
                    Number... number) {
  bool tracked = needs_gradient(self);
  check_in_place(self, op, tracked);
  Ref<Node> node;
  if (tracked) node = make_node(node_name, {&self, 1}, std::move(formula));
  {
    GradModeGuard off(false);
    const Tensor inputs[] = {self, other};
    const Scalar scalars[] = {Scalar(number)..., Scalar()};
    run_pointwise(pointwise_def<Op>(), inputs, scalars, self);
  }
  changed_in_place(self, op);
  if (node) rebase_history(self, std::move(node));
}

template <bool feature, bool alpha>
Tensor dropout_any_(const Tensor& self, double p, bool train) {
  if (idle(self, p, train)) return self;
  Noise noise = make_noise(self, p, feature, alpha);
  apply_in_place<pointwise::Mul>(
      self, noise.factor, "dropout_", "MulBackward0",
      [factor = noise.factor](Backward& ctx) { ctx.set(0, call<pointwise::Mul>(ctx.grad(), factor)); });
  if (noise.shift.defined())
    apply_in_place<pointwise::Add>(
        self, noise.shift, "dropout_", "AddBackward0", [](Backward& ctx) { ctx.set(0, ctx.grad()); }, 1);
  return self;
}

std::tuple<Tensor, Tensor> native_dropout(const Tensor& input, double p, std::optional<bool> train) {
  Tensor mask = Tensor::empty_like(input, DType::Bool);
  double scale = p == 1 ? 0 : 1 / (1 - p);
  if (!train.value_or(true)) {
    fill_data(mask, Scalar(true));
    scale = 1;
  } else if (p == 1) {
    fill_data(mask, Scalar(false));
  } else {
    draw_into(mask, [&](random::Out out) { random::bernoulli(out, 1 - p, default_generator()); });
  }
  auto apply = [mask, scale](const Tensor& t) {
    return call<pointwise::Mul>(call<pointwise::Mul>(t, mask), Tensor::wrapped(Scalar(scale)));
  };
  Tensor out = apply(detach(input));
  record("NativeDropoutBackward0", out, {input}, {}, [apply](Backward& ctx) { ctx.set(0, apply(ctx.grad())); });
  return {out, mask};
}

Tensor native_dropout_backward(const Tensor& grad, const Tensor& mask, double scale) {
  return call<pointwise::Mul>(call<pointwise::Mul>(grad, mask), Tensor::wrapped(Scalar(scale)));
}

}  // namespace

static const Family family([](Registry& r) {
  constexpr Traits kFunction{.method = false};
  constexpr Traits kMethod{.function = false};
  r.op<&rand>("rand(int[] size, *, Generator? generator=None, $options) -> Tensor",
              "Uniform random numbers in [0, 1).");
  r.op<&randn>("randn(int[] size, *, Generator? generator=None, $options) -> Tensor",
               "Random numbers of the standard normal distribution.");
  r.op<&randint>("randint(int high, int[] size, *, Generator? generator=None, $options) -> Tensor",
                 "Random integers in [0, high).");
  r.op<&randint_low>("randint.low(int low, int high, int[] size, *, Generator? generator=None, $options) -> Tensor",
                     "Random integers in [low, high).");
  r.op<&randperm>("randperm(int n, *, Generator? generator=None, $options) -> Tensor",
                  "A random permutation of 0 .. n - 1.");
  r.op<&rand_like>(
      "rand_like(Tensor self, *, Generator? generator=None, $options, MemoryFormat? memory_format=None) -> Tensor",
      "Uniform random numbers in [0, 1) in the shape of self.", kFunction);
  r.op<&randn_like>(
      "randn_like(Tensor self, *, Generator? generator=None, $options, MemoryFormat? memory_format=None) -> Tensor",
      "Random numbers of the standard normal distribution in the shape of self.", kFunction);
  r.op<&randint_like_tensor>(
      "randint_like.Tensor(Tensor self, Tensor high, *, Generator? generator=None, $options, MemoryFormat? memory_format=None) -> Tensor",
      "Random integers in [0, high) in the shape of self.", kFunction);
  r.op<&randint_like>(
      "randint_like(Tensor self, int high, *, Generator? generator=None, $options, MemoryFormat? memory_format=None) -> Tensor",
      "Random integers in [0, high) in the shape of self.", kFunction);
  r.op<&randint_like_low>(
      "randint_like.low_dtype(Tensor self, int low, int high, *, Generator? generator=None, $options, MemoryFormat? memory_format=None) -> Tensor",
      "Random integers in [low, high) in the shape of self.", kFunction);
  r.op<&normal_tt>("normal.Tensor_Tensor(Tensor mean, Tensor std, *, Generator? generator=None) -> Tensor",
                   "Normal random numbers, each with its own mean and standard deviation.");
  r.op<&normal_tf>("normal.Tensor_float(Tensor mean, float std=1, *, Generator? generator=None) -> Tensor",
                   "Normal random numbers, each with its own mean.");
  r.op<&normal_ft>("normal.float_Tensor(float mean, Tensor std, *, Generator? generator=None) -> Tensor",
                   "Normal random numbers, each with its own standard deviation.");
  r.op<&normal_ff>(
      "normal.float_float(float mean, float std, int[] size, *, Generator? generator=None, $options) -> Tensor",
      "Normal random numbers.");
  r.op<&bernoulli>("bernoulli(Tensor self, *, Generator? generator=None) -> Tensor",
                   "0 or 1, each with its element of self as the probability of 1.");
  r.op<&bernoulli_p>("bernoulli.p(Tensor self, float p, *, Generator? generator=None) -> Tensor",
                     "0 or 1 in the shape of self, with the probability p of 1.");
  r.op<&multinomial>(
      "multinomial(Tensor self, int num_samples, bool replacement=False, *, Generator? generator=None) -> Tensor",
      "Indices drawn with probabilities in proportion to the weights in (each row of) self.");
  r.op<&poisson>("poisson(Tensor self, Generator? generator=None) -> Tensor",
                 "Poisson random numbers with the rates in self.", kFunction);
  r.op<&binomial>("binomial(Tensor count, Tensor prob, Generator? generator=None) -> Tensor",
                  "Binomial random numbers of count trials with probability prob.");
  r.op<&uniform_>("uniform_(Tensor self, float from=0, float to=1, *, Generator? generator=None) -> Tensor",
                  "Fills self with uniform random numbers in [from, to).", kMethod);
  r.op<&normal_>("normal_(Tensor self, float mean=0, float std=1, *, Generator? generator=None) -> Tensor",
                 "Fills self with normal random numbers.", kMethod);
  r.op<&random_from>(
      "random_.from(Tensor self, int from, int? to, *, Generator? generator=None) -> Tensor",
      "Fills self with random integers in [from, to); without to, up to the largest that the dtype holds exactly.",
      kMethod);
  r.op<&random_to>("random_.to(Tensor self, int to, *, Generator? generator=None) -> Tensor",
                   "Fills self with random integers in [0, to).", kMethod);
  r.op<&random_>("random_(Tensor self, *, Generator? generator=None) -> Tensor",
                 "Fills self with random integers from 0 to the largest that the dtype holds exactly.", kMethod);
  r.op<&bernoulli_tensor_>("bernoulli_.Tensor(Tensor self, Tensor p, *, Generator? generator=None) -> Tensor",
                           "Fills self with 0 or 1, with the probabilities p of 1.", kMethod);
  r.op<&bernoulli_p_>("bernoulli_.float(Tensor self, float p=0.5, *, Generator? generator=None) -> Tensor",
                      "Fills self with 0 or 1, with the probability p of 1.", kMethod);
  r.op<&exponential_>("exponential_(Tensor self, float lambd=1, *, Generator? generator=None) -> Tensor",
                      "Fills self with exponential random numbers of rate lambd.", kMethod);
  r.op<&geometric_>("geometric_(Tensor self, float p, *, Generator? generator=None) -> Tensor",
                    "Fills self with geometric random numbers: trials up to the first success.", kMethod);
  r.op<&cauchy_>("cauchy_(Tensor self, float median=0, float sigma=1, *, Generator? generator=None) -> Tensor",
                 "Fills self with Cauchy random numbers.", kMethod);
  r.op<&log_normal_>("log_normal_(Tensor self, float mean=1, float std=2, *, Generator? generator=None) -> Tensor",
                     "Fills self with the exponentials of normal random numbers.", kMethod);
  r.op<&dropout_any<false, false>>(
      "dropout(Tensor input, float p, bool train) -> Tensor",
      "In training, zeroes elements with probability p and scales the others by 1 / (1 - p).");
  r.op<&dropout_any_<false, false>>("dropout_(Tensor input, float p, bool train) -> Tensor", "dropout in place.");
  r.op<&dropout_any<true, false>>("feature_dropout(Tensor input, float p, bool train) -> Tensor",
                                  "dropout of whole channels (the second dimension).");
  r.op<&dropout_any_<true, false>>("feature_dropout_(Tensor input, float p, bool train) -> Tensor",
                                   "feature_dropout in place.");
  r.op<&dropout_any<false, true>>("alpha_dropout(Tensor input, float p, bool train) -> Tensor",
                                  "dropout that keeps mean and variance of SELU's outputs.");
  r.op<&dropout_any_<false, true>>("alpha_dropout_(Tensor input, float p, bool train) -> Tensor",
                                   "alpha_dropout in place.");
  r.op<&dropout_any<true, true>>("feature_alpha_dropout(Tensor input, float p, bool train) -> Tensor",
                                 "alpha_dropout of whole channels.");
  r.op<&dropout_any_<true, true>>("feature_alpha_dropout_(Tensor input, float p, bool train) -> Tensor",
                                  "feature_alpha_dropout in place.");
  r.op<&native_dropout>("native_dropout(Tensor input, float p, bool? train) -> (Tensor, Tensor)",
                        "dropout, and the mask of the elements that were kept.");
  r.op<&native_dropout_backward>("native_dropout_backward(Tensor grad_output, Tensor mask, float scale) -> Tensor",
                                 "The gradient of dropout by its mask.", {.method = false});
});

}  // namespace rl
