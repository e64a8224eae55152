// The elementwise part of the losses; the engine reduces (mean, sum, none).
#pragma once

#include "kernels/pointwise/expr.h"
#include "kernels/pointwise/math.h"

namespace rl::pointwise {

struct MseElement {
  static constexpr const char* schema = "mse_element(Tensor self, Tensor target) -> Tensor";
  static constexpr const char* doc = "(self - target)**2: mse_loss before its reduction.";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T t) {
    T d = x - t;
    return d * d;
  }
  template <class T> RL_FN static T grad0(T g, T x, T t, T) { return g * (T(2) * (x - t)); }
  template <class T> RL_FN static T grad1(T g, T x, T t, T) { return g * (T(2) * (t - x)); }
};

struct L1Element {
  static constexpr const char* schema = "l1_element(Tensor self, Tensor target) -> Tensor";
  static constexpr const char* doc = "|self - target|: l1_loss before its reduction.";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T t) { return abs(x - t); }
  template <class T> RL_FN static T grad0(T g, T x, T t, T) { return g * sign(x - t); }
  template <class T> RL_FN static T grad1(T g, T x, T t, T) { return g * sign(t - x); }
};

struct SmoothL1Element {
  static constexpr const char* schema = "smooth_l1_element(Tensor self, Tensor target, Scalar beta=1) -> Tensor";
  static constexpr const char* doc =
      "d**2 / (2 beta) where |d| < beta, |d| - beta / 2 elsewhere, d = self - target: smooth_l1_loss before its reduction.";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T t, T beta) {
    T d = abs(x - t);
    return where(d < beta, T(0.5) * d * d / beta, d - T(0.5) * beta);
  }
  template <class T> RL_FN static T grad0(T g, T x, T t, T beta, T) {
    T d = x - t;
    return where(d >= beta, g, where(d <= -beta, -g, g * d / beta));
  }
  template <class T> RL_FN static T grad1(T g, T x, T t, T beta, T) {
    T d = t - x;
    return where(d >= beta, g, where(d <= -beta, -g, g * d / beta));
  }
};

struct HuberElement {
  static constexpr const char* schema = "huber_element(Tensor self, Tensor target, Scalar delta=1) -> Tensor";
  static constexpr const char* doc =
      "d**2 / 2 where |d| <= delta, delta * (|d| - delta / 2) elsewhere: huber_loss before its reduction.";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T t, T delta) {
    T d = abs(x - t);
    return where(d <= delta, T(0.5) * d * d, delta * (d - T(0.5) * delta));
  }
  template <class T> RL_FN static T grad0(T g, T x, T t, T delta, T) {
    T d = x - t;
    return where(d > delta, g * delta, where(d < -delta, -g * delta, g * d));
  }
  template <class T> RL_FN static T grad1(T g, T x, T t, T delta, T) {
    T d = t - x;
    return where(d > delta, g * delta, where(d < -delta, -g * delta, g * d));
  }
};

struct BceElement {
  static constexpr const char* schema = "bce_element(Tensor self, Tensor target) -> Tensor";
  static constexpr const char* doc =
      "-(t log(p) + (1 - t) log(1 - p)) with each logarithm kept above -100: binary_cross_entropy before weight and "
      "reduction.";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T p, T t) {
    return (t - T(1)) * maximum(log1p(-p), T(-100)) - t * maximum(log(p), T(-100));
  }
  template <class T> RL_FN static T grad0(T g, T p, T t, T) { return g * (p - t) / maximum((T(1) - p) * p, T(1e-12f)); }
  template <class T> RL_FN static T grad1(T g, T p, T, T) { return g * (log1p(-p) - log(p)); }
};

struct BceLogitsElement {
  static constexpr const char* schema = "bce_logits_element(Tensor self, Tensor target) -> Tensor";
  static constexpr const char* doc =
      "(1 - t) x - log_sigmoid(x): binary_cross_entropy_with_logits before weight and reduction.";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T t) {
    return (T(1) - t) * x - (where(x < T(0), x, T(0)) - log1p_unit(exp(-abs(x))));
  }
  template <class T> RL_FN static T grad0(T g, T x, T t, T) { return g * (sigmoid(x) - t); }
  template <class T> RL_FN static T grad1(T g, T x, T, T) { return -g * x; }
};

struct BceLogitsPosWeightElement {
  static constexpr const char* schema =
      "bce_logits_pos_weight_element(Tensor self, Tensor target, Tensor pos_weight) -> Tensor";
  static constexpr const char* doc =
      "(1 - t) x - (1 + (w - 1) t) log_sigmoid(x): binary_cross_entropy_with_logits with pos_weight w.";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T t, T w) {
    T ls = where(x < T(0), x, T(0)) - log1p_unit(exp(-abs(x)));
    return (T(1) - t) * x - ((w - T(1)) * t + T(1)) * ls;
  }
  template <class T> RL_FN static T grad0(T g, T x, T t, T w, T) {
    T lw = (w - T(1)) * t + T(1);
    return g * (T(1) - t - lw * sigmoid(-x));
  }
  template <class T> RL_FN static T grad1(T g, T x, T, T w, T) { return -g * (x + (w - T(1)) * log_sigmoid(x)); }
};

struct SoftMarginElement {
  static constexpr const char* schema = "soft_margin_element(Tensor self, Tensor target) -> Tensor";
  static constexpr const char* doc = "log(1 + exp(-target * self)): soft_margin_loss before its reduction.";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T t) { return softplus(-t * x); }
  template <class T> RL_FN static T grad0(T g, T x, T t, T) { return -g * t * sigmoid(-t * x); }
  template <class T> RL_FN static T grad1(T g, T x, T t, T) { return -g * x * sigmoid(-t * x); }
};

struct KlDivElement {
  static constexpr const char* schema = "kl_div_element(Tensor self, Tensor target) -> Tensor";
  static constexpr const char* doc =
      "target * (log(target) - self), self being log-probabilities: kl_div before its reduction.";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T t) { return where(t == T(0), T(0), t * log(t)) - t * x; }
  template <class T> RL_FN static T grad0(T g, T, T t, T) { return -g * t; }
  template <class T> RL_FN static T grad1(T g, T x, T t, T) {
    return where(t == T(0), T(0), g * (log(t) + T(1))) - g * x;
  }
};

struct KlDivLogElement {
  static constexpr const char* schema = "kl_div_log_element(Tensor self, Tensor target) -> Tensor";
  static constexpr const char* doc = "exp(target) * (target - self): kl_div with log_target=True.";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T t) { return exp(t) * (t - x); }
  template <class T> RL_FN static T grad0(T g, T, T t, T) { return -g * exp(t); }
  template <class T> RL_FN static T grad1(T g, T x, T t, T) { return g * exp(t) * (t - x + T(1)); }
};

struct PoissonNllElement {
  static constexpr const char* schema =
      "poisson_nll_element(Tensor self, Tensor target, Scalar log_input, Scalar full, Scalar eps=1e-08) -> Tensor";
  static constexpr const char* doc =
      "exp(x) - t x (log_input) or x - t log(x + eps), plus Stirling's term for t > 1 if full: poisson_nll_loss before its "
      "reduction. log_input and full are 0 or 1.";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T t, T log_input, T full, T eps) {
    T base = where(log_input != T(0), exp(x) - t * x, x - t * log(x + eps));
    T stirling = t * log(t) - t + T(0.5) * log(T(2 * kPi) * t);
    return where((full != T(0)) & (t > T(1)), base + stirling, base);
  }
  template <class T> RL_FN static T grad0(T g, T x, T t, T log_input, T, T eps, T) {
    return where(log_input != T(0), g * (exp(x) - t), g * (T(1) - t / (x + eps)));
  }
  template <class T> RL_FN static T grad1(T g, T x, T t, T log_input, T full, T eps, T) {
    T base = where(log_input != T(0), -x, -log(x + eps));
    T stirling = log(t) + T(0.5) / t;
    return g * where((full != T(0)) & (t > T(1)), base + stirling, base);
  }
};

using LossOps = List<MseElement, L1Element, SmoothL1Element, HuberElement, BceElement, BceLogitsElement,
                     BceLogitsPosWeightElement, SoftMarginElement, KlDivElement, KlDivLogElement, PoissonNllElement>;

static_assert(grad_uses<MseElement, 0>() == 0b111);

}  // namespace rl::pointwise
