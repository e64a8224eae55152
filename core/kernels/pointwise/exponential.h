// Exponentials and logarithms.
#pragma once

#include "kernels/pointwise/expr.h"
#include "kernels/pointwise/math.h"

namespace rl::pointwise {

struct Exp {
  static constexpr const char* schema = "exp(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "e to the power self.\n\n"
      ">>> torch.exp(torch.tensor([0., 1.]))\ntensor([1.0000, 2.7183])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return exp(x); }
  template <class T> RL_FN static T grad0(T g, T, T y) { return g * conj(y); }
};

struct Expm1 {
  static constexpr const char* schema = "expm1(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "exp(self) - 1, without loss of digits for small self.\n\n"
      ">>> torch.expm1(torch.tensor([0., 1e-3]))\ntensor([0.0000, 0.0010])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return expm1(x); }
  template <class T> RL_FN static T grad0(T g, T, T y) { return g * conj(y + T(1)); }
};

struct Exp2 {
  static constexpr const char* schema = "exp2(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "2 to the power self.\n\n"
      ">>> torch.exp2(torch.tensor([0., 3.]))\ntensor([1., 8.])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return exp2(x); }
  template <class T> RL_FN static T grad0(T g, T, T y) { return g * conj(y * T(kLn2)); }
};

struct Log {
  static constexpr const char* schema = "log(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Natural logarithm; -inf at 0, NaN below.\n\n"
      ">>> torch.log(torch.tensor([1., 10.]))\ntensor([0.0000, 2.3026])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return log(x); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return g / conj(x); }
};

struct Log1p {
  static constexpr const char* schema = "log1p(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "log(1 + self), without loss of digits for small self.\n\n"
      ">>> torch.log1p(torch.tensor([0., 1.]))\ntensor([0.0000, 0.6931])\n";
  static constexpr const char* backward_name = "Log1PBackward0";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return log1p(x); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return g / conj(x + T(1)); }
};

struct Log2 {
  static constexpr const char* schema = "log2(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Logarithm to base 2.\n\n"
      ">>> torch.log2(torch.tensor([1., 8.]))\ntensor([0., 3.])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return log2(x); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return g / conj(x * T(kLn2)); }
};

struct Log10 {
  static constexpr const char* schema = "log10(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "Logarithm to base 10.\n\n"
      ">>> torch.log10(torch.tensor([1., 1000.]))\ntensor([0., 3.])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return log10(x); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return g / conj(x * T(kLn10)); }
};

struct Sigmoid {
  static constexpr const char* schema = "sigmoid(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "1 / (1 + exp(-self)), with values in [0, 1]. Also special.expit.\n\n"
      ">>> torch.sigmoid(torch.tensor([0., 2.]))\ntensor([0.5000, 0.8808])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return sigmoid(x); }
  template <class T> RL_FN static T grad0(T g, T, T y) { return g * conj((T(1) - y) * y); }
};

struct Logit {
  static constexpr const char* schema = "logit(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "log(self / (1 - self)), the inverse of sigmoid; with eps, self is first clamped to [eps, 1 - eps].\n\n"
      ">>> torch.logit(torch.tensor([0.5, 0.75]))\ntensor([0.0000, 1.0986])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return log(x / (T(1) - x)); }
  template <class T> RL_FN static T grad0(T g, T x, T) {
    return where((x >= T(0)) & (x <= T(1)), g / (x * (T(1) - x)), T(kNaN));
  }
};

struct LogitEps {
  static constexpr const char* schema = "logit.eps(Tensor self, Scalar eps) -> Tensor";
  static constexpr const char* doc = "logit with eps: self is first clamped to [eps, 1 - eps].";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T eps) {
    T up = where(x < eps, eps, x);
    T z = where(up > T(1) - eps, T(1) - eps, up);
    return log(z / (T(1) - z));
  }
  template <class T> RL_FN static T grad0(T g, T x, T eps, T) {
    return where((x >= eps) & (x <= T(1) - eps), g / (x * (T(1) - x)), T(0));
  }
};

struct LogSigmoid {
  static constexpr const char* schema = "log_sigmoid(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "log(1 / (1 + exp(-self))), without overflow: min(self, 0) - log1p(exp(-|self|)).\n\n"
      ">>> torch.nn.functional.logsigmoid(torch.tensor([0., 2.]))\ntensor([-0.6931, -0.1269])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return where(x < T(0), x, T(0)) - log1p_unit(exp(-abs(x))); }
  template <class T> RL_FN static T grad0(T g, T x, T) { return g * sigmoid(-x); }
};

struct Logaddexp {
  static constexpr const char* schema = "logaddexp(Tensor self, Tensor other) -> Tensor";
  static constexpr const char* doc =
      "log(exp(self) + exp(other)), without overflow.\n\n"
      ">>> torch.logaddexp(torch.tensor([0., 100.]), torch.tensor([0., 100.]))\ntensor([  0.6931, 100.6931])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T a, T b) {
    return where(isinf(a) & (a == b), a, maximum(a, b) + log1p_unit(exp(-abs(a - b))));
  }
  template <class T> RL_FN static T grad0(T g, T a, T b, T) { return g / (T(1) + exp(b - a)); }
  template <class T> RL_FN static T grad1(T g, T a, T b, T) { return g / (T(1) + exp(a - b)); }
};

struct Logaddexp2 {
  static constexpr const char* schema = "logaddexp2(Tensor self, Tensor other) -> Tensor";
  static constexpr const char* doc =
      "log2(2**self + 2**other), without overflow.\n\n"
      ">>> torch.logaddexp2(torch.tensor([0.]), torch.tensor([0.]))\ntensor([1.])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T a, T b) {
    return where(isinf(a) & (a == b), a, maximum(a, b) + log1p_unit(exp2(-abs(a - b))) * T(1 / kLn2));
  }
  template <class T> RL_FN static T grad0(T g, T a, T b, T) { return g / (T(1) + exp2(b - a)); }
  template <class T> RL_FN static T grad1(T g, T a, T b, T) { return g / (T(1) + exp2(a - b)); }
};

struct Xlogy {
  static constexpr const char* schema = "xlogy.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Numbers numbers = Numbers::Either;
  static constexpr const char* doc =
      "self * log(other), being 0 where self is 0 (and NaN where other is NaN).\n\n"
      ">>> torch.xlogy(torch.tensor([0., 2.]), torch.tensor([0., 3.]))\ntensor([0.0000, 2.1972])\n";
  static constexpr const char* backward_versions = "012";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T a, T b) { return where(b != b, b, where(a == T(0), T(0), a * log(b))); }
  template <class T> RL_FN static T grad0(T g, T a, T b, T) {
    return where((a == T(0)) & (b <= T(0)), T(0), g * log(b));
  }
  template <class T> RL_FN static T grad1(T g, T a, T b, T) { return g * a / b; }
};

struct Xlog1py {
  static constexpr const char* schema = "special_xlog1py(Tensor self, Tensor other) -> Tensor";
  static constexpr Numbers numbers = Numbers::Either;
  static constexpr const char* doc =
      "self * log1p(other), being 0 where self is 0 (and NaN where other is NaN).\n\n"
      ">>> torch.special.xlog1py(torch.tensor([0., 2.]), torch.tensor([-1., 2.]))\ntensor([0.0000, 2.1972])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T a, T b) { return where(b != b, b, where(a == T(0), T(0), a * log1p(b))); }
  template <class T> RL_FN static T grad0(T g, T a, T b, T) {
    return where((a == T(0)) & (b <= T(-1)), T(0), g * log1p(b));
  }
  template <class T> RL_FN static T grad1(T g, T a, T b, T) { return g * a / (b + T(1)); }
};

struct Entr {
  static constexpr const char* schema = "special_entr(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "-self * log(self), 0 at 0 and -inf below: a term of the entropy.\n\n"
      ">>> torch.special.entr(torch.tensor([0., 0.5]))\ntensor([0.0000, 0.3466])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) {
    return where(x > T(0), -x * log(x), where(x == T(0), T(0), where(x < T(0), T(-kInf), x)));
  }
  template <class T> RL_FN static T grad0(T g, T x, T) { return g * (T(-1) - log(x)); }
};

using ExponentialOps = List<Exp, Expm1, Exp2, Log, Log1p, Log2, Log10, Sigmoid, Logit, LogitEps, LogSigmoid, Logaddexp,
                            Logaddexp2, Xlogy, Xlog1py, Entr>;

static_assert(grad_uses<Exp, 0>() == 0b101 && grad_uses<Log, 0>() == 0b11);

}  // namespace rl::pointwise
