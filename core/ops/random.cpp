// Random tensors, random fills in place, and dropout.
#include "ops/random.h"

#include <cmath>
#include <memory>

#include "kernels/pointwise/arithmetic.h"
#include "kernels/random.h"
#include "ops/creation.h"
#include "ops/pointwise.h"
#include "runtime/meta.h"
#include "runtime/parallel.h"

namespace rl {
namespace {

Generator& pick(Generator* g) { return g ? *g : default_generator(); }

struct Batch {
  int64_t items, item = 0;
  size_t next = 0;            // which of the draws the item asks for
  std::vector<Tensor> drawn;  // for all items
  std::unique_ptr<Batch> outer;
};
thread_local constinit Batch* innermost RL_FAST_TLS = nullptr;  // owned here: static thread-local memory is scarce

// Runs draw(Out) on t's memory. Long draws let other Python threads run.
template <class Draw>
void draw_each(const Tensor& t, Draw&& draw) {
  if (in_meta_scope()) return;
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

// The same, within a batch and those around it.
template <class Draw>
void draw_within(Batch* batch, const Tensor& t, Draw& draw) {
  if (!batch) return draw_each(t, draw);
  if (batch->next == batch->drawn.size()) {
    Dims sizes{batch->items};
    for (int64_t n : t.sizes()) sizes.push_back(n);
    Tensor all = Tensor::empty(sizes, t.dtype());
    draw_within(batch->outer.get(), all, draw);
    batch->drawn.push_back(all);
  }
  const Tensor& all = batch->drawn[batch->next++];
  const bool fits = all.dtype() == t.dtype() && std::ranges::equal(all.sizes().subspan(1), t.sizes());
  if (!fits) return draw_each(t, draw);  // the items do not draw alike
  copy_data(t, select(all, 0, batch->item));
}

// For draws that depend on no element of a tensor.
template <class Draw>
void draw_into(const Tensor& t, Draw&& draw) {
  draw_within(innermost, t, draw);
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
  if (parameter.defined())
    draw_each(self, draw);
  else
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
  Tensor out = Tensor::empty(Dims{n}, o.dtype.value_or(DType::I64));
  draw_each(out, [&](random::Out to) { random::randperm(to, pick(g)); });
  return with_options(std::move(out), o);
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
  draw_each(out, [&](random::Out o) {
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
  draw_each(out, [&](random::Out o) { random::bernoulli_each(o, p.dtype(), p.raw(), pick(g)); });
  return zero_gradient("BernoulliBackward0", out, self);
}
Tensor bernoulli_p(const Tensor& self, double p, Generator* g) {
  Tensor out = Tensor::empty(self.sizes(), self.dtype());
  draw_into(out, [&](random::Out o) { random::bernoulli(o, p, pick(g)); });
  return zero_gradient("BernoulliBackward3", out, self);
}

Tensor poisson(const Tensor& self, Generator* g) {
  Tensor out = Tensor::empty(self.sizes(), self.dtype()), rates = contiguous(detach(self));
  draw_each(out, [&](random::Out o) { random::poisson(o, rates.raw(), pick(g)); });
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
  draw_each(out, [&](random::Out o) { random::binomial(o, n.raw(), p.raw(), pick(g)); });
  record("NotImplemented", out, {count, prob}, {},
         [](Backward&) { fail(ErrorKind::Runtime, "derivative for aten::binomial is not implemented"); });
  return out;
}

Tensor multinomial(const Tensor& self, int64_t samples, bool replacement, Generator* g) {
  check(self.dim() == 1 || self.dim() == 2, "prob_dist must be 1 or 2 dim, got a tensor of shape ",
        shape_str(self.sizes()));
  Tensor weights = contiguous(detach(self));
  bool matrix = self.dim() == 2;
  int64_t rows = matrix ? self.size(0) : 1;
  Dims sizes = matrix ? Dims{rows, std::max<int64_t>(samples, 0)} : Dims{std::max<int64_t>(samples, 0)};
  Tensor out = Tensor::empty(sizes, DType::I64);
  if (in_meta_scope()) return out;
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

void push_batched_draws(int64_t items) {
  auto batch = std::make_unique<Batch>(Batch{.items = items, .drawn = {}, .outer = {}});
  batch->outer.reset(innermost);
  innermost = batch.release();
}
void pop_batched_draws() {
  const std::unique_ptr<Batch> last(innermost);
  if (last) innermost = last->outer.release();
}
void begin_batched_item(int64_t item) {
  if (!innermost) return;
  innermost->item = item;
  innermost->next = 0;
}
std::vector<size_t> batched_draw_cursors() {
  std::vector<size_t> cursors;
  for (const Batch* batch = innermost; batch; batch = batch->outer.get()) cursors.push_back(batch->next);
  return cursors;
}
void set_batched_draw_cursors(const std::vector<size_t>& cursors) {
  Batch* batch = innermost;
  for (size_t i = 0; i < cursors.size() && batch; ++i, batch = batch->outer.get()) batch->next = cursors[i];
}

static const Family family([](Registry& r) {
  constexpr Traits kFunction{.method = false};
  constexpr Traits kMethod{.function = false};
  r.op<&rand>("rand(int[] size, *, Generator? generator=None, $options) -> Tensor",
              "Uniform random numbers in [0, 1), in the default float dtype or the one given. The same seed gives\n"
              "the same numbers, however many threads compute them.\n\n"
              ">>> _ = torch.manual_seed(0)\n"
              ">>> torch.rand(3)\ntensor([0.4963, 0.7682, 0.0885])\n");
  r.op<&randn>("randn(int[] size, *, Generator? generator=None, $options) -> Tensor",
               "Random numbers of the standard normal distribution, mean 0 and variance 1, in the default float\n"
               "dtype or the one given (complex too: real and imaginary part then have variance 1/2).\n\n"
               ">>> _ = torch.manual_seed(0)\n"
               ">>> torch.randn(2, 2)\ntensor([[ 1.5410, -0.2934],\n        [-2.1788,  0.5684]])\n");
  r.op<&randint>("randint(int high, int[] size, *, Generator? generator=None, $options) -> Tensor",
                 "Random integers, equally likely, from low (or 0) up to but not including high; int64 unless dtype\n"
                 "says otherwise. An empty range is a RuntimeError.\n\n"
                 ">>> _ = torch.manual_seed(0)\n"
                 ">>> torch.randint(1, 7, (5,))\ntensor([3, 4, 6, 1, 2])\n");
  r.op<&randint_low>("randint.low(int low, int high, int[] size, *, Generator? generator=None, $options) -> Tensor");
  r.op<&randperm>("randperm(int n, *, Generator? generator=None, $options) -> Tensor",
                  "A random permutation of 0 .. n - 1, all equally likely; int64 unless dtype says otherwise. A\n"
                  "negative n is a RuntimeError.\n\n"
                  ">>> _ = torch.manual_seed(0)\n"
                  ">>> torch.randperm(5)\ntensor([4, 0, 1, 3, 2])\n");
  r.op<&rand_like>(
      "rand_like(Tensor self, *, Generator? generator=None, $options, MemoryFormat? memory_format=None) -> Tensor",
      "rand() in the shape and dtype of self. Integers are an error unless dtype is given.\n\n"
      ">>> torch.rand_like(torch.zeros(2, 3)).shape\ntorch.Size([2, 3])\n",
      kFunction);
  r.op<&randn_like>(
      "randn_like(Tensor self, *, Generator? generator=None, $options, MemoryFormat? memory_format=None) -> Tensor",
      "randn() in the shape and dtype of self. Integers are an error unless dtype is given.\n\n"
      ">>> torch.randn_like(torch.zeros(2, 3, dtype=torch.float64)).dtype\ntorch.float64\n",
      kFunction);
  r.op<&randint_like_tensor>(
      "randint_like.Tensor(Tensor self, Tensor high, *, Generator? generator=None, $options, MemoryFormat? memory_format=None) -> Tensor",
      "randint() in the shape and dtype of self.\n\n"
      ">>> x = torch.randint_like(torch.zeros(100), 2, 5)\n"
      ">>> x.dtype, bool(((x >= 2) & (x < 5)).all())\n(torch.float32, True)\n",
      kFunction);
  r.op<&randint_like>(
      "randint_like(Tensor self, int high, *, Generator? generator=None, $options, MemoryFormat? memory_format=None) -> Tensor",
      "", kFunction);
  r.op<&randint_like_low>(
      "randint_like.low_dtype(Tensor self, int low, int high, *, Generator? generator=None, $options, MemoryFormat? memory_format=None) -> Tensor",
      "", kFunction);
  r.op<&normal_tt>("normal.Tensor_Tensor(Tensor mean, Tensor std, *, Generator? generator=None) -> Tensor",
                   "Normal random numbers: mean and std are tensors, broadcast, which give each element its own, or\n"
                   "numbers; two numbers need a size. A negative std is a RuntimeError.\n\n"
                   ">>> torch.normal(torch.tensor([0., 100.]), 0.)\ntensor([  0., 100.])\n"
                   ">>> torch.normal(0., 1., (2, 3)).shape\ntorch.Size([2, 3])\n");
  r.op<&normal_tf>("normal.Tensor_float(Tensor mean, float std=1, *, Generator? generator=None) -> Tensor");
  r.op<&normal_ft>("normal.float_Tensor(float mean, Tensor std, *, Generator? generator=None) -> Tensor");
  r.op<&normal_ff>(
      "normal.float_float(float mean, float std, int[] size, *, Generator? generator=None, $options) -> Tensor");
  r.op<&bernoulli>(
      "bernoulli(Tensor self, *, Generator? generator=None) -> Tensor",
      "0 or 1, each with its element of self as the probability of 1 (or all with p), in self's shape and\n"
      "floating dtype. A probability outside of [0, 1] is a RuntimeError.\n\n"
      ">>> torch.bernoulli(torch.tensor([0., 1., 1.]))\ntensor([0., 1., 1.])\n");
  r.op<&bernoulli_p>("bernoulli.p(Tensor self, float p, *, Generator? generator=None) -> Tensor");
  r.op<&multinomial>(
      "multinomial(Tensor self, int num_samples, bool replacement=False, *, Generator? generator=None) -> Tensor",
      "num_samples indices (int64) for the weights in each row of self, (n,) or (rows, n): drawn in\n"
      "proportion to them, none twice unless replacement. Negative, infinite or NaN weights, a row of\n"
      "zeros, and more samples without replacement than weights are a RuntimeError.\n\n"
      ">>> torch.multinomial(torch.tensor([0., 3., 1.]), 2).sort().values\ntensor([1, 2])\n");
  r.op<&poisson>(
      "poisson(Tensor self, Generator? generator=None) -> Tensor",
      "Poisson random numbers with the rates in self, in its shape and floating dtype. A negative rate is a\n"
      "RuntimeError.\n\n"
      ">>> torch.poisson(torch.tensor([0., 0.]))\ntensor([0., 0.])\n",
      kFunction);
  r.op<&binomial>("binomial(Tensor count, Tensor prob, Generator? generator=None) -> Tensor",
                  "Binomial random numbers: successes of count trials that succeed with probability prob each; the\n"
                  "shapes are broadcast. Floating dtypes.\n\n"
                  ">>> torch.binomial(torch.tensor([10., 10.]), torch.tensor([0., 1.]))\ntensor([ 0., 10.])\n");
  r.op<&uniform_>("uniform_(Tensor self, float from=0, float to=1, *, Generator? generator=None) -> Tensor",
                  "Fills self, of a floating dtype, with uniform random numbers in [from, to).\n\n"
                  ">>> x = torch.empty(1000).uniform_(-1, 1)\n"
                  ">>> bool((x >= -1).all() and (x < 1).all())\nTrue\n",
                  kMethod);
  r.op<&normal_>("normal_(Tensor self, float mean=0, float std=1, *, Generator? generator=None) -> Tensor",
                 "Fills self, of a floating or complex dtype, with normal random numbers. A negative std is a\n"
                 "RuntimeError.\n\n"
                 ">>> _ = torch.manual_seed(0)\n"
                 ">>> torch.empty(3).normal_(10, 2)\ntensor([13.0820,  9.4131,  5.6424])\n",
                 kMethod);
  r.op<&random_from>(
      "random_.from(Tensor self, int from, int? to, *, Generator? generator=None) -> Tensor",
      "Fills self with random integers in [from, to), or [0, to); without to, up to the largest that the\n"
      "dtype holds exactly (2^24 for float32).\n\n"
      ">>> x = torch.empty(100, dtype=torch.int8).random_(3)\n"
      ">>> bool((x >= 0).all() and (x < 3).all())\nTrue\n",
      kMethod);
  r.op<&random_to>("random_.to(Tensor self, int to, *, Generator? generator=None) -> Tensor", "", kMethod);
  r.op<&random_>("random_(Tensor self, *, Generator? generator=None) -> Tensor", "", kMethod);
  r.op<&bernoulli_tensor_>(
      "bernoulli_.Tensor(Tensor self, Tensor p, *, Generator? generator=None) -> Tensor",
      "Fills self with 0 or 1, with the probability p of 1: a number, or a tensor of self's shape.\n\n"
      ">>> torch.empty(3).bernoulli_(torch.tensor([0., 1., 0.]))\ntensor([0., 1., 0.])\n",
      kMethod);
  r.op<&bernoulli_p_>("bernoulli_.float(Tensor self, float p=0.5, *, Generator? generator=None) -> Tensor", "",
                      kMethod);
  r.op<&exponential_>(
      "exponential_(Tensor self, float lambd=1, *, Generator? generator=None) -> Tensor",
      "Fills self, of a floating dtype, with exponential random numbers: density lambd * exp(-lambd * x),\n"
      "mean 1 / lambd. lambd <= 0 is a RuntimeError.\n\n"
      ">>> bool((torch.empty(1000).exponential_(2.) > 0).all())\nTrue\n",
      kMethod);
  r.op<&geometric_>("geometric_(Tensor self, float p, *, Generator? generator=None) -> Tensor",
                    "Fills self with geometric random numbers: the trials up to and with the first success, each with\n"
                    "probability p. p outside of (0, 1) is a RuntimeError.\n\n"
                    ">>> bool((torch.empty(1000).geometric_(0.5) >= 1).all())\nTrue\n",
                    kMethod);
  r.op<&cauchy_>(
      "cauchy_(Tensor self, float median=0, float sigma=1, *, Generator? generator=None) -> Tensor",
      "Fills self, of a floating dtype, with Cauchy random numbers: density sigma / (pi * ((x - median)^2 +\n"
      "sigma^2)). sigma <= 0 is a RuntimeError.\n\n"
      ">>> x = torch.empty(10001).cauchy_(5., 0.1)\n"
      ">>> bool((x.median() - 5).abs() < 0.1)\nTrue\n",
      kMethod);
  r.op<&log_normal_>(
      "log_normal_(Tensor self, float mean=1, float std=2, *, Generator? generator=None) -> Tensor",
      "Fills self, of a floating dtype, with the exponentials of normal random numbers of the given mean\n"
      "and std. std <= 0 is a RuntimeError.\n\n"
      ">>> bool((torch.empty(1000).log_normal_(0., 1.) > 0).all())\nTrue\n",
      kMethod);
  r.op<&dropout_any<false, false>>(
      "dropout(Tensor input, float p, bool train) -> Tensor",
      "In training, zeroes elements with probability p and scales the others by 1 / (1 - p), which keeps\n"
      "the mean (Srivastava et al. 2014); else the input itself. p outside of [0, 1] is a RuntimeError.\n"
      "F.dropout calls it.\n\n"
      ">>> _ = torch.manual_seed(0)\n"
      ">>> torch.dropout(torch.ones(6), 0.5, True)\ntensor([0., 0., 2., 0., 0., 0.])\n");
  r.op<&dropout_any_<false, false>>("dropout_(Tensor input, float p, bool train) -> Tensor",
                                    "dropout() in place.\n\n"
                                    ">>> torch.dropout_(torch.ones(3), 1.0, True)\ntensor([0., 0., 0.])\n");
  r.op<&dropout_any<true, false>>(
      "feature_dropout(Tensor input, float p, bool train) -> Tensor",
      "dropout() of whole channels: of (n, c, ...), all of a channel is zero or none (Tompson et al. 2015).\n"
      "F.dropout1d to 3d call it.\n\n"
      ">>> _ = torch.manual_seed(0)\n"
      ">>> torch.feature_dropout(torch.ones(1, 4, 2), 0.5, True)\ntensor([[[0., 0.],\n         [0., 0.],\n"
      "         [2., 2.],\n         [0., 0.]]])\n");
  r.op<&dropout_any_<true, false>>("feature_dropout_(Tensor input, float p, bool train) -> Tensor",
                                   "feature_dropout() in place.\n\n"
                                   ">>> torch.feature_dropout_(torch.ones(1, 2, 2), 1.0, True).sum()\ntensor(0.)\n");
  r.op<&dropout_any<false, true>>(
      "alpha_dropout(Tensor input, float p, bool train) -> Tensor",
      "dropout() for self-normalising networks: dropped elements take SELU's lower limit, and an affine map\n"
      "restores mean 0 and variance 1 (Klambauer et al. 2017).\n\n"
      ">>> torch.alpha_dropout(torch.ones(3), 0.5, False)\ntensor([1., 1., 1.])\n");
  r.op<&dropout_any_<false, true>>("alpha_dropout_(Tensor input, float p, bool train) -> Tensor",
                                   "alpha_dropout() in place.\n\n"
                                   ">>> torch.alpha_dropout_(torch.ones(3), 0.5, False)\ntensor([1., 1., 1.])\n");
  r.op<&dropout_any<true, true>>(
      "feature_alpha_dropout(Tensor input, float p, bool train) -> Tensor",
      "alpha_dropout() of whole channels.\n\n"
      ">>> torch.feature_alpha_dropout(torch.ones(1, 2, 2), 0.5, False).sum()\ntensor(4.)\n");
  r.op<&dropout_any_<true, true>>(
      "feature_alpha_dropout_(Tensor input, float p, bool train) -> Tensor",
      "feature_alpha_dropout() in place.\n\n"
      ">>> torch.feature_alpha_dropout_(torch.ones(1, 2, 2), 0.5, False).sum()\ntensor(4.)\n");
  r.op<&native_dropout>(
      "native_dropout(Tensor input, float p, bool? train) -> (Tensor, Tensor)",
      "dropout(), and the bool mask of the elements that were kept.\n\n"
      ">>> torch.native_dropout(torch.ones(3), 0.5, False)\n(tensor([1., 1., 1.]), tensor([True, True, True]))\n");
  r.op<&native_dropout_backward>(
      "native_dropout_backward(Tensor grad_output, Tensor mask, float scale) -> Tensor",
      "The gradient of native_dropout(): grad_output * mask * scale.\n\n"
      ">>> torch.native_dropout_backward(torch.ones(2), torch.tensor([True, False]), 2.0)\ntensor([2., 0.])\n",
      {.method = false});
});

}  // namespace rl
