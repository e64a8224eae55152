// Connectionist temporal classification (Graves et al. 2006): the negative log of the summed probability of all ways to
// align a target with an input. https://www.cs.toronto.edu/~graves/icml_2006.pdf
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/pointwise/rounding.h"
#include "ops/creation.h"
#include "ops/formula.h"
#include "ops/index_util.h"
#include "ops/reduce.h"
#include "runtime/parallel.h"

namespace rl {
namespace {

using namespace formula;

constexpr double kInf = std::numeric_limits<double>::infinity();

// log(exp(a) + exp(b)): sums are kept in double, what is small beside them is computed in T.
template <class T> double log_add(double a, double b) {
  double high = std::max(a, b), low = std::min(a, b);
  return low == -kInf ? high : high + std::log1p(std::exp(static_cast<T>(low - high)));
}
template <class T> double log_add(double a, double b, double c) {
  double top = std::max(std::max(a, b), c);
  if (top == -kInf) return top;
  auto part = [top](double x) { return x == top ? T(1) : x == -kInf ? T(0) : std::exp(static_cast<T>(x - top)); };
  T sum = part(a) + part(b) + part(c);
  return sum == T(1) ? top : top + std::log(sum);
}

// What both passes know of the batch.
struct Batch {
  int64_t steps = 0, size = 0, classes = 0, blank = 0;
  std::vector<int64_t> input_lengths, target_lengths, target_starts;
  int64_t longest = 0;  // of the targets
};

// One sequence: its target with blanks between and around the labels is a chain of states.
struct Chain {
  const Batch& b;
  const int64_t* target;
  int64_t states, length;

  Chain(const Batch& batch, const int64_t* targets, int64_t i)
      : b(batch),
        target(targets + batch.target_starts[static_cast<size_t>(i)]),
        states(2 * batch.target_lengths[static_cast<size_t>(i)] + 1),
        length(batch.input_lengths[static_cast<size_t>(i)]) {}
  int64_t label(int64_t s) const { return s & 1 ? target[s / 2] : b.blank; }
  // Whether a path may go from state s - 2 to s: past a blank between different labels.
  bool skips(int64_t s) const { return (s & 1) && s >= 2 && label(s) != label(s - 2); }
};

// alpha[t][s]: the log probability of all paths that are in s at t.
template <class T> double run_alpha(const Chain& c, const T* log_probs, int64_t stride, double* alpha) {
  int64_t n = c.states;
  if (c.length == 0) return n == 1 ? 0 : kInf;
  for (int64_t s = 0; s < n; ++s) alpha[s] = s < 2 ? static_cast<double>(log_probs[c.label(s)]) : -kInf;
  for (int64_t t = 1; t < c.length; ++t) {
    const T* row = log_probs + t * stride;
    const double* before = alpha + (t - 1) * n;
    double* now = alpha + t * n;
    for (int64_t s = 0; s < n; ++s) {
      double sum = log_add<T>(before[s], s >= 1 ? before[s - 1] : -kInf, c.skips(s) ? before[s - 2] : -kInf);
      now[s] = sum + static_cast<double>(row[c.label(s)]);
    }
  }
  const double* last = alpha + (c.length - 1) * n;
  return -(n > 1 ? log_add<T>(last[n - 1], last[n - 2]) : last[0]);
}

// The gradient of one sequence's loss, times by. As in PyTorch, it includes what log_softmax takes out again.
template <class T>
void run_beta(const Chain& c, const T* log_probs, int64_t stride, const double* alpha, double nll, double by, T* grad,
              int64_t grad_stride) {
  int64_t n = c.states, classes = c.b.classes;
  std::vector<double> beta(static_cast<size_t>(n), -kInf), next(beta), gathered(static_cast<size_t>(classes));
  for (int64_t t = c.length - 1; t >= 0; --t) {
    const T* row = log_probs + t * stride;
    for (int64_t s = 0; s < n; ++s) {
      double sum = -kInf;
      if (t == c.length - 1) {
        if (s >= n - 2) sum = 0;
      } else {
        auto later = [&](int64_t k) { return next[static_cast<size_t>(k)]; };
        sum =
            log_add<T>(later(s), s + 1 < n ? later(s + 1) : -kInf, s + 2 < n && c.skips(s + 2) ? later(s + 2) : -kInf);
      }
      beta[static_cast<size_t>(s)] = sum + static_cast<double>(row[c.label(s)]);
    }
    std::fill(gathered.begin(), gathered.end(), -kInf);
    for (int64_t s = 0; s < n; ++s) {
      double& at = gathered[static_cast<size_t>(c.label(s))];
      at = log_add<T>(at, alpha[t * n + s] + beta[static_cast<size_t>(s)]);
    }
    for (int64_t k = 0; k < classes; ++k) {
      double lp = static_cast<double>(row[k]), own = gathered[static_cast<size_t>(k)];
      double path = own == -kInf && nll < kInf ? 0 : std::exp(static_cast<T>(own + nll - lp));
      grad[t * grad_stride + k] = static_cast<T>((std::exp(row[k]) - path) * by);
    }
    std::swap(beta, next);
  }
}

// [first state of a sequence's alpha]: sequences one after another.
std::vector<int64_t> alpha_starts(const Batch& b) {
  std::vector<int64_t> starts{0};
  for (int64_t i = 0; i < b.size; ++i) {
    size_t k = static_cast<size_t>(i);
    starts.push_back(starts.back() + b.input_lengths[k] * (2 * b.target_lengths[k] + 1));
  }
  return starts;
}

template <class T>
void forward_all(const Batch& b, const Tensor& log_probs, const Tensor& targets, const Tensor& nll,
                 const Tensor& alpha) {
  auto starts = alpha_starts(b);
  parallel_for(b.size, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      nll.data<T>()[i] =
          static_cast<T>(run_alpha(Chain(b, targets.data<int64_t>(), i), log_probs.data<T>() + i * b.classes,
                                   b.size * b.classes, alpha.data<double>() + starts[static_cast<size_t>(i)]));
  });
}

template <class T>
void backward_all(const Batch& b, const Tensor& log_probs, const Tensor& targets, const Tensor& nll,
                  const Tensor& alpha, const Tensor& by, bool zero_infinity, const Tensor& grad) {
  auto starts = alpha_starts(b);
  parallel_for(b.size, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      double loss = static_cast<double>(nll.data<T>()[i]);
      if (zero_infinity && loss == kInf) continue;
      run_beta(Chain(b, targets.data<int64_t>(), i), log_probs.data<T>() + i * b.classes, b.size * b.classes,
               alpha.data<double>() + starts[static_cast<size_t>(i)], loss, static_cast<double>(by.data<T>()[i]),
               grad.data<T>() + i * b.classes, b.size * b.classes);
    }
  });
}

Batch check_batch(const Tensor& log_probs, const Tensor& targets, IntSpan input_lengths, IntSpan target_lengths,
                  int64_t blank) {
  Batch b;
  b.steps = log_probs.size(0), b.size = log_probs.size(1), b.classes = log_probs.size(2), b.blank = blank;
  check(b.size > 0, "ctc_loss: the batch must not be empty, got log_probs of shape ", shape_str(log_probs.sizes()));
  check(blank >= 0 && blank < b.classes, "blank must be in label range: 0 to ", b.classes - 1, ", got ", blank);
  auto length = [](IntSpan s) { return static_cast<int64_t>(s.size()); };
  check(length(input_lengths) == b.size, "input_lengths must be of size batch_size: ", b.size, " sequences, got ",
        length(input_lengths), " lengths");
  check(length(target_lengths) == b.size, "target_lengths must be of size batch_size: ", b.size, " sequences, got ",
        length(target_lengths), " lengths");
  int64_t total = 0;
  for (int64_t i = 0; i < b.size; ++i) {
    int64_t in = input_lengths[static_cast<size_t>(i)], out = target_lengths[static_cast<size_t>(i)];
    check(in >= 0, "Expected input_lengths to have value at least 0, but got value ", in,
          " (while checking arguments for ctc_loss)");
    check(out >= 0, "Expected target_lengths to have value at least 0, but got value ", out,
          " (while checking arguments for ctc_loss)");
    check(in <= b.steps, "Expected input_lengths to have value at most ", b.steps, ", but got value ", in,
          " (while checking arguments for ctc_loss)");
    b.input_lengths.push_back(in), b.target_lengths.push_back(out);
    b.target_starts.push_back(targets.dim() == 1 ? total : i * targets.size(1));
    b.longest = std::max(b.longest, out);
    total += out;
  }
  if (targets.dim() == 1) {
    check(targets.size(0) == total, "Expected tensor to have size ", total, " at dimension 0, but got size ",
          targets.size(0), " for argument #2 'targets' (while checking arguments for ctc_loss)");
  } else {
    check(targets.dim() == 2 && targets.size(0) == b.size && targets.size(1) >= b.longest,
          "Expected tensor to have size at least ", b.longest, " at dimension 1, but got size ",
          targets.dim() == 2 ? targets.size(1) : 0,
          " for argument #2 'targets' (while checking arguments for ctc_loss); targets have shape ",
          shape_str(targets.sizes()), " for ", b.size, " sequences");
  }
  const int64_t* t = targets.numel() > 0 ? targets.data<int64_t>() : nullptr;
  for (int64_t i = 0; i < b.size; ++i)
    for (int64_t k = 0; k < b.target_lengths[static_cast<size_t>(i)]; ++k) {
      int64_t label = t[b.target_starts[static_cast<size_t>(i)] + k];
      check(label >= 0 && label < b.classes, "ctc_loss: target ", label, " of sequence ", i, " is not in [0, ",
            b.classes, "), the classes of log_probs");
    }
  return b;
}

// (the loss of each sequence, what backward needs)
std::tuple<Tensor, Tensor> ctc_loss_each(const Tensor& log_probs, const Tensor& targets, IntSpan input_lengths,
                                         IntSpan target_lengths, int64_t blank, bool zero_infinity) {
  check(log_probs.dim() == 3, "ctc_loss: log_probs must be (steps, batch, classes), got shape ",
        shape_str(log_probs.sizes()));
  if (log_probs.dtype() != DType::F32 && log_probs.dtype() != DType::F64)
    fail(ErrorKind::NotImplemented, "\"ctc_loss_cpu\" not implemented for '", scalar_type_name(log_probs.dtype()), "'");
  check(is_integral(targets.dtype()) && targets.dtype() != DType::Bool,
        "targets must be torch.long or torch.int, got torch.", dtype_name(targets.dtype()));
  DType dtype = log_probs.dtype();
  Tensor labels = plain(targets.dtype() == DType::I64 ? targets : to_dtype(targets, DType::I64));
  Batch b = check_batch(log_probs, labels, input_lengths, target_lengths, blank);
  Tensor nll = Tensor::empty(Dims{b.size}, dtype), alpha = Tensor::empty(Dims{alpha_starts(b).back()}, DType::F64);
  (dtype == DType::F32 ? forward_all<float> : forward_all<double>)(b, plain(log_probs), labels, nll, alpha);
  const Tensor outs[] = {nll, alpha}, inputs[] = {log_probs};
  record("CtcLossBackward0", std::span<const Tensor>(outs, 1), inputs, {log_probs, labels, output(nll), alpha},
         [b, zero_infinity](Backward& ctx) {
           const Tensor saved = ctx.saved(0);
           Tensor grad;
           {
             GradModeGuard off(false);
             Tensor log_probs = plain(saved), by = plain(ctx.grad());
             grad = zeros(log_probs.sizes(), log_probs.dtype());
             (log_probs.dtype() == DType::F32 ? backward_all<float> : backward_all<double>)(b, log_probs, ctx.saved(1),
                                                                                            ctx.saved(2), ctx.saved(3),
                                                                                            by, zero_infinity, grad);
           }
           record("NotImplemented", grad, {ctx.grad(), saved}, {}, [](Backward&) {
             fail(ErrorKind::Runtime, "derivative for aten::_ctc_loss_backward is not implemented");
           });
           ctx.set(0, grad);
         });
  return {nll, alpha};
}

Tensor ctc_loss(const Tensor& log_probs, const Tensor& targets, IntSpan input_lengths, IntSpan target_lengths,
                int64_t blank, int64_t reduction, bool zero_infinity) {
  check(log_probs.dim() == 2 || log_probs.dim() == 3,
        "ctc_loss: log_probs must be (steps, batch, classes) or (steps, classes), got shape ",
        shape_str(log_probs.sizes()));
  bool single = log_probs.dim() == 2;
  Tensor lp = single ? unsqueeze(log_probs, 1) : log_probs;
  Tensor loss = std::get<0>(ctc_loss_each(lp, single && targets.dim() == 1 ? unsqueeze(targets, 0) : targets,
                                          input_lengths, target_lengths, blank, zero_infinity));
  if (zero_infinity) loss = where(eq(loss, kInf), number(0), loss);
  if (reduction == 1) {
    Tensor lengths = Tensor::empty(Dims{loss.numel()}, loss.dtype());
    for (int64_t i = 0; i < loss.numel(); ++i) {
      double n = static_cast<double>(std::max<int64_t>(target_lengths[static_cast<size_t>(i)], 1));
      if (loss.dtype() == DType::F32)
        lengths.data<float>()[i] = static_cast<float>(n);
      else
        lengths.data<double>()[i] = n;
    }
    return mean(div(loss, lengths), Dims{0}, false);
  }
  if (reduction == 2) return sum(loss, Dims{0}, false);
  return single ? squeeze(loss, Dims{0}) : loss;
}

Dims lengths_of(const Tensor& t) {
  check(is_integral(t.dtype()) && t.dtype() != DType::Bool,
        "input_lengths and target_lengths must be integral, got torch.", dtype_name(t.dtype()));
  Tensor flat = plain(to_dtype(detach(t), DType::I64));
  Dims out;
  for (int64_t i = 0; i < flat.numel(); ++i) out.push_back(flat.data<int64_t>()[i]);
  return out;
}
Tensor ctc_loss_tensors(const Tensor& log_probs, const Tensor& targets, const Tensor& input_lengths,
                        const Tensor& target_lengths, int64_t blank, int64_t reduction, bool zero_infinity) {
  return ctc_loss(log_probs, targets, lengths_of(input_lengths), lengths_of(target_lengths), blank, reduction,
                  zero_infinity);
}

const Family family([](Registry& r) {
  constexpr Traits kFunction{.method = false};
  r.op<&ctc_loss_each>(
      "_ctc_loss(Tensor log_probs, Tensor targets, int[] input_lengths, int[] target_lengths, int blank=0, bool zero_infinity=False) -> (Tensor, Tensor)",
      "The loss of each sequence.", kFunction);
  r.op<&ctc_loss>(
      "ctc_loss.IntList(Tensor log_probs, Tensor targets, int[] input_lengths, int[] target_lengths, int blank=0, int reduction=1, bool zero_infinity=False) -> Tensor",
      "The connectionist temporal classification loss (Graves et al. 2006): -log of the probability of all\n"
      "ways in which the steps, with the blanks and repetitions removed, spell the target. log_probs is\n"
      "(steps, batch, classes) or (steps, classes); targets is padded, (batch, longest), or one after\n"
      "another; lengths are lists or int64 tensors. reduction 1 divides each by its target's length, then\n"
      "takes the mean. zero_infinity makes 0 of what cannot be spelled. float32 and float64.\n\n"
      ">>> p = torch.full((2, 1, 2), 0.5).log()\n"
      ">>> (-F.ctc_loss(p, torch.tensor([[1]]), [2], [1])).exp()\ntensor(0.7500)\n",
      kFunction);
  r.op<&ctc_loss_tensors>(
      "ctc_loss.Tensor(Tensor log_probs, Tensor targets, Tensor input_lengths, Tensor target_lengths, int blank=0, int reduction=1, bool zero_infinity=False) -> Tensor",
      "", kFunction);
});

}  // namespace
}  // namespace rl
