#include "ops/optim.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "kernels/copy.h"
#include "runtime/parallel.h"

namespace rl {
namespace {

using StepNumbers = cpu::OptimNumbers;

void weight_decay(StepNumbers& n, double decay, bool maximize, bool decoupled = false, double lr = 0) {
  n.sign = maximize ? -1 : 1;
  n.decay = decoupled ? 0 : decay;
  n.shrink = decoupled ? 1 - lr * decay : 1;
}

// Options are in the order in which the rules below name them.

void sgd(const double* o, double*, bool, StepNumbers& n) {
  weight_decay(n, o[3], o[5] != 0);
  const double c[] = {o[1], 1 - o[2], o[0], o[4]};
  std::copy(std::begin(c), std::end(c), n.c);
}

void adam(const double* o, double* counters, bool, StepNumbers& n) {
  const double lr = o[0], beta1 = o[1], beta2 = o[2], t = ++counters[0];
  weight_decay(n, o[4], o[5] != 0, o[6] != 0, lr);
  const double c[] = {1 - beta1, beta2, lr / (1 - std::pow(beta1, t)), std::sqrt(1 - std::pow(beta2, t)), o[3], o[7]};
  std::copy(std::begin(c), std::end(c), n.c);
}

void adamax(const double* o, double* counters, bool, StepNumbers& n) {
  const double t = ++counters[0];
  weight_decay(n, o[4], o[5] != 0);
  const double c[] = {1 - o[1], o[2], o[0] / (1 - std::pow(o[1], t)), 0, o[3]};
  std::copy(std::begin(c), std::end(c), n.c);
}

void nadam(const double* o, double* counters, bool single, StepNumbers& n) {
  const double lr = o[0], beta1 = o[1], beta2 = o[2], t = ++counters[0], slowing = o[7];
  weight_decay(n, o[4], o[5] != 0, o[6] != 0, lr);
  const double mu = beta1 * (1 - 0.5 * std::pow(0.96, t * slowing));
  const double next = beta1 * (1 - 0.5 * std::pow(0.96, (t + 1) * slowing));
  counters[1] = single ? double(float(counters[1]) * float(mu)) : counters[1] * mu;
  const double c[] = {1 - beta1,
                      beta2,
                      lr * (1 - mu) / (1 - counters[1]),
                      1 - std::pow(beta2, t),
                      o[3],
                      lr * next / (1 - counters[1] * next)};
  std::copy(std::begin(c), std::end(c), n.c);
}

void radam(const double* o, double* counters, bool, StepNumbers& n) {
  const double lr = o[0], beta1 = o[1], beta2 = o[2], t = ++counters[0];
  weight_decay(n, o[4], o[5] != 0, o[6] != 0, lr);
  const double correction2 = 1 - std::pow(beta2, t), most = 2 / (1 - beta2) - 1;
  const double length = most - 2 * t * std::pow(beta2, t) / correction2;  // of the moving average
  const double rect =
      length > 5 ? std::sqrt((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)) : 0;
  const double c[] = {1 - beta1, beta2, lr, 1 - std::pow(beta1, t), o[3], std::sqrt(correction2), rect};
  std::copy(std::begin(c), std::end(c), n.c);
}

void adagrad(const double* o, double* counters, bool, StepNumbers& n) {
  const double t = ++counters[0];
  weight_decay(n, o[2], o[3] != 0);
  n.c[2] = o[0] / (1 + (t - 1) * o[4]);
  n.c[4] = o[1];
}

void adadelta(const double* o, double* counters, bool, StepNumbers& n) {
  ++counters[0];
  weight_decay(n, o[3], o[4] != 0);
  n.c[1] = o[1];
  n.c[2] = o[0];
  n.c[4] = o[2];
}

void rmsprop(const double* o, double* counters, bool, StepNumbers& n) {
  ++counters[0];
  weight_decay(n, o[3], o[4] != 0);
  const double c[] = {o[5], o[1], o[0], o[6], o[2]};
  std::copy(std::begin(c), std::end(c), n.c);
}

void rprop(const double* o, double* counters, bool, StepNumbers& n) {
  ++counters[0];
  weight_decay(n, 0, o[5] != 0);
  std::copy(o + 1, o + 5, n.c);
}

void asgd(const double* o, double* counters, bool, StepNumbers& n) {
  const double lr = o[0], lambda = o[3], t = ++counters[0], eta = counters[1];
  weight_decay(n, o[1], o[2] != 0);
  n.shrink = 1 - lambda * eta;
  n.c[2] = eta;
  n.c[5] = counters[2];
  counters[1] = lr / std::pow(1 + lambda * lr * t, o[4]);
  counters[2] = 1 / std::max(1.0, t - o[5]);
}

const std::vector<OptimRule>& rules() {
  using K = cpu::OptimKind;
  static const std::vector<OptimRule> all = {
      {"sgd",
       K::SGD,
       {"lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize"},
       {},
       {{"momentum_buffer", 0, -1, 1}},
       sgd},
      {"adam",
       K::Adam,
       {"lr", "betas", "eps", "weight_decay", "maximize", "decoupled_weight_decay", "amsgrad"},
       {{"step"}},
       {{"exp_avg"}, {"exp_avg_sq"}, {"max_exp_avg_sq", 0, -1, 7}},
       adam},
      {"adamax",
       K::Adamax,
       {"lr", "betas", "eps", "weight_decay", "maximize"},
       {{"step"}},
       {{"exp_avg"}, {"exp_inf"}},
       adamax},
      {"nadam",
       K::NAdam,
       {"lr", "betas", "eps", "weight_decay", "maximize", "decoupled_weight_decay", "momentum_decay"},
       {{"step"}, {"mu_product", 1}},
       {{"exp_avg"}, {"exp_avg_sq"}},
       nadam},
      {"radam",
       K::RAdam,
       {"lr", "betas", "eps", "weight_decay", "maximize", "decoupled_weight_decay"},
       {{"step"}},
       {{"exp_avg"}, {"exp_avg_sq"}},
       radam},
      {"adagrad",
       K::Adagrad,
       {"lr", "eps", "weight_decay", "maximize", "lr_decay", "initial_accumulator_value"},
       {{"step"}},
       {{"sum", 0, 5}},
       adagrad},
      {"adadelta",
       K::Adadelta,
       {"lr", "rho", "eps", "weight_decay", "maximize"},
       {{"step"}},
       {{"square_avg"}, {"acc_delta"}},
       adadelta},
      {"rmsprop",
       K::RMSprop,
       {"lr", "alpha", "eps", "weight_decay", "maximize", "momentum", "centered"},
       {{"step"}},
       {{"square_avg"}, {"momentum_buffer", 0, -1, 5}, {"grad_avg", 0, -1, 6}},
       rmsprop},
      {"rprop", K::Rprop, {"lr", "etas", "step_sizes", "maximize"}, {{"step"}}, {{"prev"}, {"step_size", 0, 0}}, rprop},
      {"asgd",
       K::ASGD,
       {"lr", "weight_decay", "maximize", "lambd", "alpha", "t0"},
       {{"step"}, {"eta", 0, 0}, {"mu", 1}},
       {{"ax"}},
       asgd},
  };
  return all;
}

double read(const Tensor& t) {
  if (t.dtype() == DType::F32) return *t.data<float>();
  return t.item().to_double();
}
void write(const Tensor& t, double value) {
  if (t.dtype() == DType::F32)
    *t.data<float>() = static_cast<float>(value);
  else
    fill_data(t, Scalar(value));
  t->bump_version();
}

DType computed_in(DType d) { return d == DType::F64 || d == DType::C128 ? DType::F64 : DType::F32; }
bool is_short(DType d) { return d == DType::F16 || d == DType::BF16; }
bool is_direct(DType d) { return d == DType::F32 || d == DType::F64 || is_complex_dtype(d); }
bool same_strides(const Tensor& a, const Tensor& b) {
  if (a.is_contiguous() && b.is_contiguous()) return true;
  return std::equal(a.strides().begin(), a.strides().end(), b.strides().begin());
}

}  // namespace

std::span<const OptimRule> optim_rules() { return rules(); }

void OptimStep::set_options(std::span<const double> options) {
  check(options.size() <= kOptions, rule_.name, " has ", options.size(), " options");
  std::copy(options.begin(), options.end(), options_);
  known_ = false;
}

void OptimStep::count(std::span<const Tensor> counters, bool first) {
  if (known_ && counters.empty() && first == known_first_) return;
  double now[kCounters] = {};
  for (size_t i = 0; i < counters.size(); ++i) now[i] = read(counters[i]);
  const bool single = !counters.empty() && counters[0].dtype() == DType::F32;
  if (!known_ || single != known_single_ || first != known_first_ || !std::equal(now, now + kCounters, before_)) {
    std::copy(now, now + kCounters, before_);
    std::copy(now, now + kCounters, after_);
    StepNumbers& numbers = numbers_.emplace_back();
    rule_.prepare(options_, after_, single, numbers);
    numbers.kind = rule_.kind;
    if (rule_.kind == cpu::OptimKind::SGD) numbers.c[4] = first;
    known_ = true;
    known_single_ = single;
    known_first_ = first;
  }
  for (size_t i = 0; i < counters.size(); ++i) write(counters[i], after_[i]);
}

// t, or a copy in the layout and dtype that kernels read; one that they write is copied back afterwards.
Tensor OptimStep::plain(const Tensor& t, bool written) {
  if (is_direct(t.dtype()) && t.is_contiguous()) return t;
  const DType dtype = is_complex_dtype(t.dtype()) ? t.dtype() : computed_in(t.dtype());
  Tensor copy = Tensor::empty(t.sizes(), dtype);
  copy_data(copy, t);
  if (written) copies_.push_back({t, copy});
  return copy;
}

void OptimStep::add(const Tensor& param, const Tensor& grad, std::span<Tensor> counters, std::span<Tensor> states) {
  const DType dtype = param.dtype();
  if (!is_differentiable(dtype))
    fail(ErrorKind::Type, rule_.name, ": a parameter must be of a floating or complex dtype, got ",
         scalar_type_name(dtype));
  if (!same_shape(param, grad))
    fail(ErrorKind::Runtime, rule_.name, ": the gradient of a parameter has shape ", shape_str(grad.sizes()),
         ", the parameter ", shape_str(param.sizes()));
  for (size_t i = 0; i < rule_.counters.size(); ++i) {
    if (counters[i].defined()) {
      if (counters[i].numel() != 1)
        fail(ErrorKind::Runtime, rule_.name, ": state '", rule_.counters[i].key, "' must have one element, got shape ",
             shape_str(counters[i].sizes()));
      continue;
    }
    const OptimRule::State& s = rule_.counters[i];
    counters[i] = full({}, Scalar(s.from >= 0 ? options_[s.from] : s.value),
                       default_dtype() == DType::F64 ? DType::F64 : DType::F32);
  }
  bool first = false, dense = is_direct(dtype) && (param.is_contiguous() || is_dense(param.sizes(), param.strides())) &&
                              grad.dtype() == dtype && same_strides(param, grad);
  for (size_t i = 0; i < rule_.states.size(); ++i) {
    const OptimRule::State& s = rule_.states[i];
    if (s.when >= 0 && options_[s.when] == 0) {
      if (!states.empty()) states[i].reset();
      continue;
    }
    if (states[i].defined()) {
      if (!same_shape(states[i], param))
        fail(ErrorKind::Runtime, rule_.name, ": state '", s.key, "' has shape ", shape_str(states[i].sizes()),
             ", its parameter ", shape_str(param.sizes()));
    } else {
      states[i] = Tensor::empty_like(param);
      const double value = s.from >= 0 ? options_[s.from] : s.value;
      fill_data(states[i], is_complex_dtype(dtype) ? Scalar(std::complex<double>(value, value)) : Scalar(value));
      first = true;
    }
    dense = dense && states[i].dtype() == dtype && same_strides(states[i], param);
  }
  count(counters.first(rule_.counters.size()), first);
  Kept& kept = kept_.emplace_back(Kept{param, grad, {}});
  for (size_t i = 0; i < states.size(); ++i) kept.states[i] = states[i];
  if (!dense) make_plain(kept);
  changed_in_place(param, rule_.name);
  if (param.numel() == 0) return;
  cpu::OptimTensor& t = tensors_.emplace_back();
  t.numbers = &numbers_.back();
  t.n = param.numel() * (is_complex_dtype(dtype) ? 2 : 1);
  t.dtype = is_short(dtype) ? dtype : computed_in(dtype);
  t.param = kept.param.raw();
  t.grad = kept.grad.raw();
  for (int i = 0; i < kStates; ++i) t.state[i] = kept.states[i].defined() ? kept.states[i].raw() : nullptr;
}

void OptimStep::make_plain(Kept& kept) {
  const DType dtype = kept.param.dtype();
  check_in_place(kept.param, rule_.name, false);
  const Tensor& grad = kept.grad;
  kept.grad = plain(grad.dtype() == dtype ? grad : to_dtype(detach(grad), dtype), false);
  kept.param = plain(kept.param, true);
  for (Tensor& s : kept.states) {
    if (!s.defined()) continue;
    const DType had = s.dtype();
    s = plain(s, true);
    check(s.dtype() == kept.param.dtype(), rule_.name, ": state of dtype ", scalar_type_name(had),
          " for a parameter of dtype ", scalar_type_name(dtype));
  }
}

void OptimStep::update_all() {
  const auto& update = cpu::optim().update;
  constexpr int64_t kGrain = 1 << 14;
  int64_t total = 0;
  for (const cpu::OptimTensor& t : tensors_) total += t.n;
  bool alone = total <= kGrain;
  if (!alone) {  // a parameter given twice is updated twice, one after the other
    std::vector<const void*> seen(std::bit_ceil(2 * tensors_.size()));  // a hash table: sorting takes microseconds
    for (const cpu::OptimTensor& t : tensors_) {
      size_t at =
          static_cast<uint64_t>(reinterpret_cast<uintptr_t>(t.param)) * 0x9e3779b97f4a7c15u >> 32 & (seen.size() - 1);
      while (seen[at] && seen[at] != t.param) at = (at + 1) & (seen.size() - 1);
      alone = alone || seen[at];
      seen[at] = t.param;
    }
  }
  if (alone) {
    for (const cpu::OptimTensor& t : tensors_) update(t, 0, t.n);
    return;
  }
  std::vector<int64_t> ends;
  ends.reserve(tensors_.size());
  for (const cpu::OptimTensor& t : tensors_) ends.push_back((ends.empty() ? 0 : ends.back()) + t.n);
  parallel_for(total, kGrain, [&](int64_t begin, int64_t end) {
    size_t i = static_cast<size_t>(std::upper_bound(ends.begin(), ends.end(), begin) - ends.begin());
    while (begin < end) {
      const int64_t start = i ? ends[i - 1] : 0, stop = std::min(end, ends[i]);
      update(tensors_[i], begin - start, stop - start);
      begin = stop;
      ++i;
    }
  });
}

void OptimStep::run() {
  update_all();
  for (const CopyBack& c : copies_) copy_data(c.to, c.from);
}

}  // namespace rl
