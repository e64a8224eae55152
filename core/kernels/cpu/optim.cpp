// Options are numbers of the elements' type rather than bools: a loop that compares those is vectorised.
// Each rule is one formula; a state that its options leave out is a scratch block, so that a rule is one loop.
#include "kernels/optim.h"

#include "kernels/cpu/loop.h"

namespace rl::cpu::RL_ISA {
namespace {

inline float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }
inline float root(float a) { return __builtin_sqrtf(a); }
inline double root(double a) { return __builtin_sqrt(a); }
inline float magnitude(float a) { return __builtin_fabsf(a); }
inline double magnitude(double a) { return __builtin_fabs(a); }
template <class T>
inline T larger(T a, T b) {  // a NaN wins
  const T most = a > b ? a : b;
  return a != a ? a : most;
}

// a + weight * (b - a), from the nearer end.
template <class T>
struct Lerp {
  explicit Lerp(double w) : weight(T(w)), scale(magnitude(weight) < T(0.5) ? weight : weight - T(1)) {}
  T operator()(T a, T b) const { return fused(scale, b - a, magnitude(weight) < T(0.5) ? a : b); }
  T weight, scale;
};

// c: -, -, lr
template <class T>
struct PlainSgd {
  static constexpr int states = 0;
  explicit PlainSgd(const double* c) : step(T(-c[2])) {}
  void operator()(T& p, T g) const { p = fused(step, g, p); }
  T step;
};

// c: momentum, 1 - dampening, lr, nesterov, first step
template <class T>
struct Sgd {
  static constexpr int states = 1;
  explicit Sgd(const double* c) : momentum(T(c[0])), keep(T(c[1])), step(T(-c[2])), nesterov(T(c[3])), first(T(c[4])) {}
  void operator()(T& p, T g, T& buffer) const {
    buffer = first != T(0) ? g : fused(keep, g, buffer * momentum);
    p = fused(step, nesterov != T(0) ? fused(momentum, buffer, g) : buffer, p);
  }
  T momentum, keep, step, nesterov, first;
};

// c: 1 - beta1, beta2, step size, sqrt(1 - beta2^t), eps, amsgrad
template <class T>
struct Adam {
  static constexpr int states = 3;
  explicit Adam(const double* c)
      : lerp(c[0]),
        beta2(T(c[1])),
        rest2(T(1 - c[1])),
        step(T(-c[2])),
        correction(T(c[3])),
        eps(T(c[4])),
        ams(T(c[5])) {}
  void operator()(T& p, T g, T& m, T& v, T& top) const {
    m = lerp(m, g);
    v = fused(rest2 * g, g, v * beta2);
    top = larger(top, v);
    p += step * m / (root(ams != T(0) ? top : v) / correction + eps);
  }
  Lerp<T> lerp;
  T beta2, rest2, step, correction, eps, ams;
};

// c: 1 - beta1, beta2, step size, -, eps
template <class T>
struct Adamax {
  static constexpr int states = 2;
  explicit Adamax(const double* c) : lerp(c[0]), beta2(T(c[1])), step(T(-c[2])), eps(T(c[4])) {}
  void operator()(T& p, T g, T& m, T& u) const {
    m = lerp(m, g);
    u = larger(u * beta2, magnitude(g) + eps);
    p += step * m / u;
  }
  Lerp<T> lerp;
  T beta2, step, eps;
};

// c: 1 - beta1, beta2, step of g, 1 - beta2^t, eps, step of m
template <class T>
struct NAdam {
  static constexpr int states = 2;
  explicit NAdam(const double* c)
      : lerp(c[0]),
        beta2(T(c[1])),
        rest2(T(1 - c[1])),
        step(T(-c[2])),
        correction(T(c[3])),
        eps(T(c[4])),
        ahead(T(-c[5])) {}
  void operator()(T& p, T g, T& m, T& v) const {
    m = lerp(m, g);
    v = fused(rest2 * g, g, v * beta2);
    const T d = root(v / correction) + eps;
    p += step * g / d;
    p += ahead * m / d;
  }
  Lerp<T> lerp;
  T beta2, rest2, step, correction, eps, ahead;
};

// c: 1 - beta1, beta2, lr, 1 - beta1^t, eps, sqrt(1 - beta2^t), rectification or 0 while the variance is intractable
template <class T>
struct RAdam {
  static constexpr int states = 2;
  explicit RAdam(const double* c)
      : lerp(c[0]),
        beta2(T(c[1])),
        rest2(T(1 - c[1])),
        lr(T(c[2])),
        correction(T(c[3])),
        eps(T(c[4])),
        scale(T(c[5])),
        rect(T(c[6])) {}
  void operator()(T& p, T g, T& m, T& v) const {
    m = lerp(m, g);
    v = fused(rest2 * g, g, v * beta2);
    const T plain = m / correction * lr;
    const T adapted = plain * (T(1) / (root(v) + eps) * scale) * rect;
    p -= rect != T(0) ? adapted : plain;
  }
  Lerp<T> lerp;
  T beta2, rest2, lr, correction, eps, scale, rect;
};

// c: -, -, step size, -, eps
template <class T>
struct Adagrad {
  static constexpr int states = 1;
  explicit Adagrad(const double* c) : step(T(-c[2])), eps(T(c[4])) {}
  void operator()(T& p, T g, T& sum) const {
    sum = fused(g, g, sum);
    p += step * g / (root(sum) + eps);
  }
  T step, eps;
};

// c: -, rho, lr, -, eps
template <class T>
struct Adadelta {
  static constexpr int states = 2;
  explicit Adadelta(const double* c) : rho(T(c[1])), rest(T(1 - c[1])), step(T(-c[2])), eps(T(c[4])) {}
  void operator()(T& p, T g, T& square, T& accumulated) const {
    square = fused(rest * g, g, square * rho);
    const T delta = root(accumulated + eps) / root(square + eps) * g;
    accumulated = fused(rest * delta, delta, accumulated * rho);
    p = fused(step, delta, p);
  }
  T rho, rest, step, eps;
};

// c: momentum, alpha, lr, centered, eps
template <class T>
struct RMSprop {
  static constexpr int states = 3;
  explicit RMSprop(const double* c)
      : lerp(1 - c[1]),
        momentum(T(c[0])),
        alpha(T(c[1])),
        rest(T(1 - c[1])),
        step(T(-c[2])),
        eps(T(c[4])),
        centered(T(c[3])) {}
  void operator()(T& p, T g, T& square, T& buffer, T& mean) const {
    square = fused(rest * g, g, square * alpha);
    mean = lerp(mean, g);
    const T d = root(centered != T(0) ? fused(-mean, mean, square) : square) + eps;
    buffer = buffer * momentum + g / d;
    p = momentum > T(0) ? fused(step, buffer, p) : p + step * g / d;
  }
  Lerp<T> lerp;
  T momentum, alpha, rest, step, eps, centered;
};

// c: smaller, larger, least, most
template <class T>
struct Rprop {
  static constexpr int states = 2;
  explicit Rprop(const double* c) : minus(T(c[0])), plus(T(c[1])), least(T(c[2])), most(T(c[3])) {}
  void operator()(T& p, T g, T& before, T& size) const {
    const T both = g * before;
    const T s = size * (both > T(0) ? plus : both < T(0) ? minus : both == T(0) ? T(1) : both);
    const T bounded = s < least ? least : s;
    size = bounded > most ? most : bounded;
    before = both < T(0) ? T(0) : g;
    const T sign = T(before > T(0)) - T(before < T(0));
    p = fused(-sign, size, p);
  }
  T minus, plus, least, most;
};

// c: -, -, eta, -, -, mu
template <class T>
struct Asgd {
  static constexpr int states = 1;
  explicit Asgd(const double* c) : step(T(-c[2])), mu(T(c[5])) {}
  void operator()(T& p, T g, T& mean) const {
    p = fused(step, g, p);
    mean = mu == T(1) ? p : mean + (p - mean) * mu;
  }
  T step, mu;
};

constexpr int64_t kBlock = 512;

// PlainSgd without options: the same numbers with so little work that a step waits for memory. A network's parameters
// lie in many places, and the hardware foresees each of them only after a while.
template <class T>
void descend(T* p, const T* g, T step, int64_t begin, int64_t end) {
  constexpr int64_t line = 64 / static_cast<int64_t>(sizeof(T)), block = 8 * line, ahead = 16 * line;
  for (int64_t at = begin; at < end; at += block) {
    for (int64_t i = at + ahead; i < at + ahead + block; i += line) {
      __builtin_prefetch(p + i);
      __builtin_prefetch(g + i);
    }
    const int64_t stop = end - at < block ? end : at + block;
    RL_INDEPENDENT_ITERATIONS
    for (int64_t i = at; i < stop; ++i) p[i] = fused(step, g[i], p[i]);
  }
}

template <class T, template <class> class Rule>
void run(const OptimTensor& t, int64_t begin, int64_t end) {
  const OptimNumbers& numbers = *t.numbers;
  const Rule<T> rule(numbers.c);
  const T sign = T(numbers.sign), decay = T(numbers.decay), shrink = T(numbers.shrink);
  constexpr int states = Rule<T>::states;
  if constexpr (states == 0) {
    if (decay == T(0) && shrink == T(1))
      return descend(static_cast<T*>(t.param), static_cast<const T*>(t.grad), rule.step * sign, begin, end);
  }
  alignas(64) T scratch[states + 1][kBlock];
  for (int k = 0; k < states; ++k)
    if (!t.state[k])
      for (T& x : scratch[k]) x = 0;
  for (int64_t at = begin; at < end; at += kBlock) {
    const int64_t n = end - at < kBlock ? end - at : kBlock;
    T* p = static_cast<T*>(t.param) + at;
    const T* g = static_cast<const T*>(t.grad) + at;
    T* s[states + 1];
    for (int k = 0; k < states; ++k) s[k] = t.state[k] ? static_cast<T*>(t.state[k]) + at : scratch[k];
    RL_INDEPENDENT_ITERATIONS
    for (int64_t i = 0; i < n; ++i) {
      T d = g[i] * sign, v = p[i];
      d = decay != T(0) ? fused(decay, v, d) : d;
      v *= shrink;
      if constexpr (states == 0)
        rule(v, d);
      else if constexpr (states == 1)
        rule(v, d, s[0][i]);
      else if constexpr (states == 2)
        rule(v, d, s[0][i], s[1][i]);
      else
        rule(v, d, s[0][i], s[1][i], s[2][i]);
      p[i] = v;
    }
  }
}

template <template <class> class Rule>
void run_rule(const OptimTensor& t, int64_t begin, int64_t end) {
  if (t.dtype == DType::F32)
    run<float, Rule>(t, begin, end);
  else
    run<double, Rule>(t, begin, end);
}

void update(const OptimTensor& t, int64_t begin, int64_t end) {
  switch (t.numbers->kind) {
    case OptimKind::SGD: return t.state[0] ? run_rule<Sgd>(t, begin, end) : run_rule<PlainSgd>(t, begin, end);
    case OptimKind::Adam: return run_rule<Adam>(t, begin, end);
    case OptimKind::Adamax: return run_rule<Adamax>(t, begin, end);
    case OptimKind::NAdam: return run_rule<NAdam>(t, begin, end);
    case OptimKind::RAdam: return run_rule<RAdam>(t, begin, end);
    case OptimKind::Adagrad: return run_rule<Adagrad>(t, begin, end);
    case OptimKind::Adadelta: return run_rule<Adadelta>(t, begin, end);
    case OptimKind::RMSprop: return run_rule<RMSprop>(t, begin, end);
    case OptimKind::Rprop: return run_rule<Rprop>(t, begin, end);
    case OptimKind::ASGD: return run_rule<Asgd>(t, begin, end);
  }
}

}  // namespace

extern const OptimTable optim_table = {update};

}  // namespace rl::cpu::RL_ISA
