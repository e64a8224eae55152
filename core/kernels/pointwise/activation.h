// Activations of neural networks, each with its gradient as one expression.
//
// Glue for the engine: gelu(approximate='none') is Gelu, 'tanh' is GeluTanh; hardtanh is also relu6 (Relu6 here);
// silu is also swish; prelu broadcasts its weight over the channels and calls Prelu; rrelu in evaluation is leaky_relu
// with the mean slope, in training Mul with a random slope; selu and celu follow from Elu's formula.
#pragma once

#include "kernels/pointwise/expr.h"
#include "kernels/pointwise/math.h"

namespace rl::pointwise {

struct Relu {
  static constexpr const char* schema = "relu(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "max(self, 0). The gradient at 0 is 0.\n\n>>> torch.relu(torch.tensor([-1., 2.]))\ntensor([0., 2.])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating;
  template <class T> RL_FN static T forward(T x) { return where(x <= T(0), T(0), x); }
  template <class T> RL_FN static T grad0(T g, T, T y) { return where(y <= T(0), T(0), g); }
};

struct Relu6 {
  static constexpr const char* schema = "relu6(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "min(max(self, 0), 6).\n\n>>> torch.nn.functional.relu6(torch.tensor([-1., 8.]))\ntensor([0., 6.])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating;
  template <class T> RL_FN static T forward(T x) {
    T up = where(x < T(0), T(0), x);
    return where(up > T(6), T(6), up);
  }
  template <class T> RL_FN static T grad0(T g, T x, T) { return where((x > T(0)) & (x < T(6)), g, T(0)); }
};

struct Hardtanh {
  static constexpr const char* schema = "hardtanh(Tensor self, Scalar min_val=-1, Scalar max_val=1) -> Tensor";
  static constexpr const char* doc =
      "self limited to [min_val, max_val]; the gradient at the limits is 0.\n\n"
      ">>> torch.nn.functional.hardtanh(torch.tensor([-2., 0.5]))\ntensor([-1.0000,  0.5000])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating;
  template <class T> RL_FN static T forward(T x, T lo, T hi) {
    T up = where(x < lo, lo, x);
    return where(up > hi, hi, up);
  }
  template <class T> RL_FN static T grad0(T g, T x, T lo, T hi, T) { return where((x > lo) & (x < hi), g, T(0)); }
};

struct LeakyRelu {
  static constexpr const char* schema = "leaky_relu(Tensor self, Scalar negative_slope=0.01) -> Tensor";
  static constexpr const char* doc =
      "self above 0, negative_slope * self below.\n\n"
      ">>> torch.nn.functional.leaky_relu(torch.tensor([-1., 2.]), 0.1)\ntensor([-0.1000,  2.0000])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T slope) { return where(x > T(0), x, x * slope); }
  template <class T> RL_FN static T grad0(T g, T x, T slope, T) { return where(x > T(0), g, g * slope); }
};

struct Prelu {
  static constexpr const char* schema = "_prelu_kernel(Tensor self, Tensor weight) -> Tensor";
  static constexpr const char* doc =
      "self above 0, weight * self below; weight is learnt.\n\n"
      ">>> torch.nn.functional.prelu(torch.tensor([-1., 2.]), torch.tensor([0.25]))\ntensor([-0.2500,  2.0000])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T w) { return where(x > T(0), x, w * x); }
  template <class T> RL_FN static T grad0(T g, T x, T w, T) { return where(x > T(0), g, w * g); }
  template <class T> RL_FN static T grad1(T g, T x, T, T) { return where(x > T(0), T(0), x * g); }
};

struct Elu {
  static constexpr const char* schema =
      "elu(Tensor self, Scalar alpha=1, Scalar scale=1, Scalar input_scale=1) -> Tensor";
  static constexpr const char* doc =
      "scale * self above 0, scale * alpha * (exp(input_scale * self) - 1) below.\n\n"
      ">>> torch.nn.functional.elu(torch.tensor([-1., 2.]))\ntensor([-0.6321,  2.0000])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T alpha, T scale, T input_scale) {
    return where(x < T(0), expm1(x * input_scale) * (alpha * scale), x * scale);
  }
  template <class T> RL_FN static T grad0(T g, T x, T alpha, T scale, T input_scale, T) {
    return where(x > T(0), g * scale, g * (input_scale * alpha * scale) * exp(x * input_scale));
  }
};

struct Selu {
  static constexpr const char* schema = "selu(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "elu with the constants that keep mean and variance (Klambauer et al. 2017).\n\n"
      ">>> torch.selu(torch.tensor([-1., 2.]))\ntensor([-1.1113,  2.1014])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  static constexpr double alpha = 1.6732632423543772848, scale = 1.0507009873554804934;
  template <class T> RL_FN static T forward(T x) { return Elu::forward(x, T(alpha), T(scale), T(1)); }
  template <class T> RL_FN static T grad0(T g, T x, T) {
    return where(x > T(0), g * T(scale), g * T(alpha * scale) * exp(x));
  }
};

struct Celu {
  static constexpr const char* schema = "celu(Tensor self, Scalar alpha=1) -> Tensor";
  static constexpr const char* doc =
      "self above 0, alpha * (exp(self / alpha) - 1) below (Barron 2017).\n\n"
      ">>> torch.celu(torch.tensor([-1., 2.]))\ntensor([-0.6321,  2.0000])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T alpha) {
    return where(x < T(0), expm1(x * (T(1) / alpha)) * alpha, x);
  }
  template <class T> RL_FN static T grad0(T g, T x, T alpha, T) {
    return where(x > T(0), g, g * exp(x * (T(1) / alpha)));
  }
};

struct Gelu {
  static constexpr const char* schema = "gelu(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "self * Phi(self), Phi being the normal distribution function (Hendrycks and Gimpel 2016); approximate='tanh' "
      "uses a formula with tanh instead.\n\n"
      ">>> torch.nn.functional.gelu(torch.tensor([-1., 2.]))\ntensor([-0.1587,  1.9545])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return gelu(x); }
  template <class T> RL_FN static T grad0(T g, T x, T) {
    T cdf = gelu_cdf(x);
    T pdf = exp_nonpositive(x * x * T(-0.5)) * T(kInvSqrt2Pi);
    return g * (cdf + x * pdf);
  }
};

struct GeluTanh {
  static constexpr const char* schema = "gelu_tanh(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "gelu(approximate='tanh'): self / 2 * (1 + tanh(sqrt(2/pi) * (self + 0.044715 * self**3))).\n\n"
      ">>> torch.nn.functional.gelu(torch.tensor([-1., 2.]), approximate='tanh')\ntensor([-0.1588,  1.9546])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) {
    T inner = T(kSqrt2OverPi) * (x + T(0.044715) * (x * x * x));
    return T(0.5) * x * (T(1) + tanh(inner));
  }
  template <class T> RL_FN static T grad0(T g, T x, T) {
    T t = tanh(T(kSqrt2OverPi) * (x + T(0.044715) * (x * x * x)));
    T slope = T(kSqrt2OverPi) * (T(1) + T(3 * 0.044715) * (x * x));
    return g * (T(0.5) * (T(1) + t) + T(0.5) * x * ((T(1) - t * t) * slope));
  }
};

struct Silu {
  static constexpr const char* schema = "silu(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "self * sigmoid(self), also called swish.\n\n"
      ">>> torch.nn.functional.silu(torch.tensor([-1., 2.]))\ntensor([-0.2689,  1.7616])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating | kComplex;
  template <class T> RL_FN static T forward(T x) { return x / (T(1) + exp(-x)); }
  template <class T> RL_FN static T grad0(T g, T x, T) {
    T s = sigmoid(x);
    return g * conj(s * (T(1) + x * (T(1) - s)));
  }
};

struct Mish {
  static constexpr const char* schema = "mish(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "self * tanh(softplus(self)) (Misra 2019).\n\n"
      ">>> torch.nn.functional.mish(torch.tensor([-1., 2.]))\ntensor([-0.3034,  1.9440])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  // tanh(log(1 + e)) is n / (n + 2) with n = e * (e + 2): one exponential is enough.
  template <class T> RL_FN static T gate(T x) {
    T e = exp(where(x > T(20), T(20), x));
    T n = e * (e + T(2));
    return where(x > T(20), T(1), n / (n + T(2)));
  }
  template <class T> RL_FN static T forward(T x) { return x * gate(x); }
  template <class T> RL_FN static T grad0(T g, T x, T) {
    T t = gate(x);
    return g * (t + x * sigmoid(x) * (T(1) - t * t));
  }
};

struct Softplus {
  static constexpr const char* schema = "softplus(Tensor self, Scalar beta=1, Scalar threshold=20) -> Tensor";
  static constexpr const char* doc =
      "log(1 + exp(beta * self)) / beta; self itself where beta * self > threshold.\n\n"
      ">>> torch.nn.functional.softplus(torch.tensor([-1., 2.]))\ntensor([0.3133, 2.1269])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T beta, T threshold) {
    T z = x * beta;
    return where(z > threshold, x, (where(z > T(0), z, T(0)) + log1p_unit(exp(-abs(z)))) / beta);
  }
  template <class T> RL_FN static T grad0(T g, T x, T beta, T threshold, T) {
    return where(x * beta > threshold, g, g * sigmoid(x * beta));
  }
};

struct Softsign {
  static constexpr const char* schema = "softsign(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "self / (1 + |self|).\n\n>>> torch.nn.functional.softsign(torch.tensor([-1., 3.]))\ntensor([-0.5000,  0.7500])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return x / (abs(x) + T(1)); }
  template <class T> RL_FN static T grad0(T g, T x, T) {
    T d = abs(x) + T(1);
    return g / (d * d);
  }
};

struct Hardsigmoid {
  static constexpr const char* schema = "hardsigmoid(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "self / 6 + 1 / 2, limited to [0, 1].\n\n"
      ">>> torch.nn.functional.hardsigmoid(torch.tensor([-4., 0., 1.5]))\ntensor([0.0000, 0.5000, 0.7500])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) {
    T z = x + T(3);
    T up = where(z < T(0), T(0), z);
    return where(up > T(6), T(6), up) / T(6);
  }
  template <class T> RL_FN static T grad0(T g, T x, T) { return where((x > T(-3)) & (x < T(3)), g * T(1.0 / 6), T(0)); }
};

struct Hardswish {
  static constexpr const char* schema = "hardswish(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "self * hardsigmoid(self) (Howard et al. 2019).\n\n"
      ">>> torch.nn.functional.hardswish(torch.tensor([1., 4.]))\ntensor([0.6667, 4.0000])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) {
    T z = x + T(3);
    T up = where(z < T(0), T(0), z);
    return x * where(up > T(6), T(6), up) / T(6);
  }
  template <class T> RL_FN static T grad0(T g, T x, T) {
    return where(x <= T(-3), T(0), where(x >= T(3), g, g * (x / T(3) + T(0.5))));
  }
};

struct Tanhshrink {
  static constexpr const char* schema = "tanhshrink(Tensor self) -> Tensor";
  static constexpr const char* doc =
      "self - tanh(self).\n\n>>> torch.nn.functional.tanhshrink(torch.tensor([1.]))\ntensor([0.2384])\n";
  static constexpr Rule rule = Rule::Float;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x) { return x - tanh(x); }
  template <class T> RL_FN static T grad0(T g, T x, T) {
    T t = tanh(x);
    return g * (t * t);
  }
};

struct Softshrink {
  static constexpr const char* schema = "softshrink(Tensor self, Scalar lambd=0.5) -> Tensor";
  static constexpr const char* doc =
      "Moves self towards 0 by lambd, to 0 within lambd of it.\n\n"
      ">>> torch.nn.functional.softshrink(torch.tensor([-2., 0.3]))\ntensor([-1.5000,  0.0000])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T l) { return where(x > l, x - l, where(x < -l, x + l, x * T(0))); }
  template <class T> RL_FN static T grad0(T g, T x, T l, T) { return where((x > l) | (x < -l), g, T(0)); }
};

struct Hardshrink {
  static constexpr const char* schema = "hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor";
  static constexpr const char* doc =
      "0 within lambd of 0, self elsewhere.\n\n"
      ">>> torch.hardshrink(torch.tensor([-2., 0.3]))\ntensor([-2.,  0.])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kFloating;
  template <class T> RL_FN static T forward(T x, T l) { return where((x >= -l) & (x <= l), T(0), x); }
  template <class T> RL_FN static T grad0(T g, T x, T l, T) { return where((x > l) | (x < -l), g, T(0)); }
};

struct Threshold {
  static constexpr const char* schema = "threshold(Tensor self, Scalar threshold, Scalar value) -> Tensor";
  static constexpr const char* doc =
      "self above threshold, value elsewhere.\n\n"
      ">>> torch.nn.functional.threshold(torch.tensor([0.5, 2.]), 1, 9)\ntensor([9., 2.])\n";
  static constexpr Rule rule = Rule::Same;
  static constexpr unsigned types = kInts | kFloating;
  template <class T> RL_FN static T forward(T x, T t, T v) { return where(x <= t, v, x); }
  template <class T> RL_FN static T grad0(T g, T x, T t, T, T) { return where(x <= t, T(0), g); }
};

using ActivationOps = List<Relu, Relu6, Hardtanh, LeakyRelu, Prelu, Elu, Selu, Celu, Gelu, GeluTanh, Silu, Mish,
                           Softplus, Softsign, Hardsigmoid, Hardswish, Tanhshrink, Softshrink, Hardshrink, Threshold>;

static_assert(grad_uses<Relu, 0>() == 0b101 && grad_uses<Gelu, 0>() == 0b11);
static_assert(grad_uses<LeakyRelu, 0>() == 0b111);

}  // namespace rl::pointwise
