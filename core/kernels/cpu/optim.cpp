// Options are numbers of the elements' type rather than bools: a loop that compares those is vectorised.
// Each rule is one formula; a state that its options leave out is a scratch block, so that a rule is one loop.
#include "kernels/optim.h"

#include <type_traits>

#include "kernels/cpu/loop.h"

namespace rl::cpu::RL_ISA {
namespace {

inline float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
inline double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }
inline float root(float a) { return __builtin_sqrtf(a); }
inline double root(double a) { return __builtin_sqrt(a); }
inline float magnitude(float a) { return __builtin_fabsf(a); }
inline double magnitude(double a) { return __builtin_fabs(a); }

// Short floats: a register of them at a time, computed with as floats and rounded after every operation. A call for
// each operation keeps the rules small.
#if defined(__AVX512F__)
constexpr int kFloats = 16;
#elif defined(__AVX2__)
constexpr int kFloats = 8;
#else
constexpr int kFloats = 4;
#endif
typedef float Floats __attribute__((vector_size(4 * kFloats)));
typedef uint32_t Bits __attribute__((vector_size(4 * kFloats)));

__attribute__((noinline)) Floats fused(Floats a, Floats b, Floats c) {
  for (int i = 0; i < kFloats; ++i) a[i] = __builtin_fmaf(a[i], b[i], c[i]);
  return a;
}
__attribute__((noinline)) Floats root(Floats a) {
  for (int i = 0; i < kFloats; ++i) a[i] = __builtin_sqrtf(a[i]);
  return a;
}
inline Floats magnitude(Floats a) { return Floats(Bits(a) & 0x7FFFFFFFu); }

struct ToBFloat16 {
  __attribute__((noinline)) static Floats round(Floats x) {
    const Bits u = Bits(x);
    return x == x ? Floats((u + 0x7FFFu + ((u >> 16) & 1u)) & 0xFFFF0000u) : x;
  }
};
struct ToHalf {
  __attribute__((noinline)) static Floats round(Floats x) {
    const Floats size = magnitude(x);
    const Bits u = Bits(size), sign = Bits(x) ^ u;
    const Floats normal = Floats((u + 0xFFFu + ((u >> 13) & 1u)) & 0xFFFFE000u), subnormal = (size + 0.5f) - 0.5f;
    Floats near = size < 0x1p-14f ? subnormal : normal;
    near = size >= 65520.f ? Floats{} + __builtin_inff() : near;
    return x == x ? Floats(Bits(near) | sign) : x;
  }
};

template <class Rounding>
struct Short {
  Short() = default;
  Short(Floats x) : value(Rounding::round(x)) {}
  explicit Short(double x) : Short(Floats{} + static_cast<float>(x)) {}
  static Short exact(Floats x) {  // x is rounded already
    Short s;
    s.value = x;
    return s;
  }
  friend Short operator+(Short a, Short b) { return a.value + b.value; }
  friend Short operator-(Short a, Short b) { return a.value - b.value; }
  friend Short operator*(Short a, Short b) { return a.value * b.value; }
  friend Short operator*(Short a, float b) { return a.value * b; }
  friend Short operator/(Short a, Short b) { return a.value / b.value; }
  friend Short operator/(Short a, float b) { return a.value / b; }
  friend auto operator>(Short a, Short b) { return a.value > b.value; }
  friend auto operator<(Short a, Short b) { return a.value < b.value; }
  friend auto operator==(Short a, Short b) { return a.value == b.value; }
  Floats value;
};
template <class R>
Short<R> root(Short<R> a) {
  return root(a.value);
}
template <class R>
Short<R> magnitude(Short<R> a) {
  return Short<R>::exact(magnitude(a.value));
}

// What a number is that an operation takes beside its elements.
template <class T>
struct NumberOf {
  using type = T;
};
template <class R>
struct NumberOf<Short<R>> {
  using type = float;
};
template <class T>
using Number = typename NumberOf<T>::type;

// Operations of three or four operands round once. a + b * c, where c (or b) is a number, rounded as elements are:
template <class T>
T plus(T a, T b, T c) {
  return fused(b, c, a);
}
template <class R>
Short<R> plus(Short<R> a, Short<R> b, Short<R> c) {
  return fused(b.value, c.value, a.value);
}
// a + number * b * c
template <class T>
T plus_product(T a, Number<T> number, T b, T c) {
  return fused(number * b, c, a);
}
template <class R>
Short<R> plus_product(Short<R> a, float number, Short<R> b, Short<R> c) {
  return fused(number * b.value, c.value, a.value);
}
// a + number * b / c
template <class T>
T plus_quotient(T a, Number<T> number, T b, T c) {
  return a + number * b / c;
}
template <class R>
Short<R> plus_quotient(Short<R> a, float number, Short<R> b, Short<R> c) {
  return a.value + number * b.value / c.value;
}

// One of two elements, without a branch.
template <class T>
T pick(bool first, T a, T b) {
  return first ? a : b;
}
template <class R>
Short<R> pick(bool first, const Short<R>& a, const Short<R>& b) {
  return first ? a : b;
}
template <class R, class Mask>
Short<R> pick(Mask first, const Short<R>& a, const Short<R>& b) {
  return Short<R>::exact(first ? a.value : b.value);
}
template <class T>
T larger(T a, T b) {  // a NaN wins
  return pick(a == a, pick(a > b, a, b), a);
}

// a + weight * (b - a), from the nearer end.
template <class T>
struct Lerp {
  using N = Number<T>;
  explicit Lerp(double w) : weight(N(w)), scale(magnitude(weight) < N(0.5) ? weight : weight - N(1)) {}
  T operator()(T a, T b) const {
    if constexpr (std::is_same_v<N, T>)
      return fused(scale, b - a, magnitude(weight) < N(0.5) ? a : b);
    else
      return fused(Floats{} + scale, b.value - a.value, magnitude(weight) < N(0.5) ? a.value : b.value);
  }
  N weight, scale;
};

// In the rules a T is rounded as elements are, and a Number<T> is not.

// c: -, -, lr
template <class T>
struct PlainSgd {
  static constexpr int states = 0;
  explicit PlainSgd(const double* c) : step(T(-c[2])) {}
  void operator()(T& p, T g) const { p = plus(p, step, g); }
  T step;
};

// c: momentum, 1 - dampening, lr, nesterov, first step
template <class T>
struct Sgd {
  static constexpr int states = 1;
  using N = Number<T>;
  explicit Sgd(const double* c)
      : momentum(N(c[0])), ahead(T(c[0])), keep(T(c[1])), step(T(-c[2])), nesterov(N(c[3])), first(N(c[4])) {}
  void operator()(T& p, T g, T& buffer) const {
    buffer = pick(first != N(0), g, plus(buffer * momentum, keep, g));
    p = plus(p, step, pick(nesterov != N(0), plus(g, ahead, buffer), buffer));
  }
  N momentum;
  T ahead, keep, step;
  N nesterov, first;
};

// c: 1 - beta1, beta2, step size, sqrt(1 - beta2^t), eps, amsgrad
template <class T>
struct Adam {
  static constexpr int states = 3;
  using N = Number<T>;
  explicit Adam(const double* c)
      : lerp(c[0]),
        beta2(N(c[1])),
        rest2(N(1 - c[1])),
        step(N(-c[2])),
        correction(N(c[3])),
        ams(N(c[5])),
        eps(T(c[4])) {}
  void operator()(T& p, T g, T& m, T& v, T& top) const {
    m = lerp(m, g);
    v = plus_product(v * beta2, rest2, g, g);
    top = larger(top, v);
    p = plus_quotient(p, step, m, root(pick(ams != N(0), top, v)) / correction + eps);
  }
  Lerp<T> lerp;
  N beta2, rest2, step, correction, ams;
  T eps;
};

// c: 1 - beta1, beta2, step size, -, eps
template <class T>
struct Adamax {
  static constexpr int states = 2;
  using N = Number<T>;
  explicit Adamax(const double* c) : lerp(c[0]), beta2(N(c[1])), step(N(-c[2])), eps(T(c[4])) {}
  void operator()(T& p, T g, T& m, T& u) const {
    m = lerp(m, g);
    u = larger(u * beta2, magnitude(g) + eps);
    p = plus_quotient(p, step, m, u);
  }
  Lerp<T> lerp;
  N beta2, step;
  T eps;
};

// c: 1 - beta1, beta2, step of g, 1 - beta2^t, eps, step of m
template <class T>
struct NAdam {
  static constexpr int states = 2;
  using N = Number<T>;
  explicit NAdam(const double* c)
      : lerp(c[0]),
        beta2(N(c[1])),
        rest2(N(1 - c[1])),
        step(N(-c[2])),
        correction(N(c[3])),
        ahead(N(-c[5])),
        eps(T(c[4])) {}
  void operator()(T& p, T g, T& m, T& v) const {
    m = lerp(m, g);
    v = plus_product(v * beta2, rest2, g, g);
    const T d = root(v / correction) + eps;
    p = plus_quotient(p, step, g, d);
    p = plus_quotient(p, ahead, m, d);
  }
  Lerp<T> lerp;
  N beta2, rest2, step, correction, ahead;
  T eps;
};

// c: 1 - beta1, beta2, lr, 1 - beta1^t, eps, sqrt(1 - beta2^t), rectification or 0 while the variance is intractable
template <class T>
struct RAdam {
  static constexpr int states = 2;
  using N = Number<T>;
  explicit RAdam(const double* c)
      : lerp(c[0]),
        beta2(N(c[1])),
        rest2(N(1 - c[1])),
        lr(N(c[2])),
        correction(N(c[3])),
        scale(N(c[5])),
        rect(N(c[6])),
        eps(T(c[4])) {}
  void operator()(T& p, T g, T& m, T& v) const {
    m = lerp(m, g);
    v = plus_product(v * beta2, rest2, g, g);
    const T plain = m / correction * lr;
    const T adapted = plain * (T(1.0) / (root(v) + eps) * scale) * rect;
    p = p - pick(rect != N(0), adapted, plain);
  }
  Lerp<T> lerp;
  N beta2, rest2, lr, correction, scale, rect;
  T eps;
};

// c: -, -, step size, -, eps
template <class T>
struct Adagrad {
  static constexpr int states = 1;
  using N = Number<T>;
  explicit Adagrad(const double* c) : step(N(-c[2])), eps(T(c[4])) {}
  void operator()(T& p, T g, T& sum) const {
    sum = plus(sum, g, g);
    p = plus_quotient(p, step, g, root(sum) + eps);
  }
  N step;
  T eps;
};

// c: -, rho, lr, -, eps
template <class T>
struct Adadelta {
  static constexpr int states = 2;
  using N = Number<T>;
  explicit Adadelta(const double* c) : rho(N(c[1])), rest(N(1 - c[1])), step(T(-c[2])), eps(T(c[4])) {}
  void operator()(T& p, T g, T& square, T& accumulated) const {
    square = plus_product(square * rho, rest, g, g);
    const T delta = root(accumulated + eps) / root(square + eps) * g;
    accumulated = plus_product(accumulated * rho, rest, delta, delta);
    p = plus(p, step, delta);
  }
  N rho, rest;
  T step, eps;
};

// c: momentum, alpha, lr, centered, eps
template <class T>
struct RMSprop {
  static constexpr int states = 3;
  using N = Number<T>;
  explicit RMSprop(const double* c)
      : lerp(1 - c[1]),
        momentum(N(c[0])),
        alpha(N(c[1])),
        rest(N(1 - c[1])),
        step(N(-c[2])),
        centered(N(c[3])),
        far(T(-c[2])),
        eps(T(c[4])) {}
  void operator()(T& p, T g, T& square, T& buffer, T& mean) const {
    square = plus_product(square * alpha, rest, g, g);
    mean = lerp(mean, g);
    const T d = root(pick(centered != N(0), plus_product(square, N(-1), mean, mean), square)) + eps;
    buffer = plus_quotient(buffer * momentum, N(1), g, d);
    p = pick(momentum > N(0), plus(p, far, buffer), plus_quotient(p, step, g, d));
  }
  Lerp<T> lerp;
  N momentum, alpha, rest, step, centered;
  T far, eps;
};

// c: smaller, larger, least, most
template <class T>
struct Rprop {
  static constexpr int states = 2;
  explicit Rprop(const double* c) : down(T(c[0])), up(T(c[1])), least(T(c[2])), most(T(c[3])) {}
  void operator()(T& p, T g, T& before, T& size) const {
    const T none(0.0), both = g * before;
    const T s = size * pick(both > none, up, pick(both < none, down, pick(both == none, T(1.0), both)));
    const T bounded = pick(s < least, least, s);
    size = pick(bounded > most, most, bounded);
    before = pick(both < none, none, g);
    p = plus(p, pick(before > none, T(-1.0), pick(before < none, T(1.0), T(-0.0))), size);
  }
  T down, up, least, most;
};

// c: -, -, eta, -, -, mu
template <class T>
struct Asgd {
  static constexpr int states = 1;
  using N = Number<T>;
  explicit Asgd(const double* c) : step(T(-c[2])), mu(N(c[5])) {}
  void operator()(T& p, T g, T& mean) const {
    p = plus(p, step, g);
    mean = pick(mu == N(1), p, mean + (p - mean) * mu);
  }
  T step;
  N mu;
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

template <class T, template <class> class Rule>
void run_short(const OptimTensor& t, int64_t begin, int64_t end) {
  const OptimNumbers& numbers = *t.numbers;
  const Rule<T> rule(numbers.c);
  const float sign = static_cast<float>(numbers.sign), shrink = static_cast<float>(numbers.shrink);
  const T decay = T(numbers.decay);
  constexpr int states = Rule<T>::states;
  const int64_t item = sizeof(float);
  for (int64_t at = begin; at < end; at += kFloats) {
    const size_t bytes = static_cast<size_t>((end - at < kFloats ? end - at : kFloats) * item);
    auto load = [&](const void* from) {
      Floats x = {};
      if (!from) return T::exact(x);
      const float* p = static_cast<const float*>(from) + at;
      if (bytes == sizeof(x))
        __builtin_memcpy(&x, p, sizeof(x));
      else
        __builtin_memcpy(&x, p, bytes);
      return T::exact(x);
    };
    auto store = [&](void* to, const T& x) {
      if (!to) return;
      float* p = static_cast<float*>(to) + at;
      if (bytes == sizeof(x))
        __builtin_memcpy(p, &x, sizeof(x));
      else
        __builtin_memcpy(p, &x, bytes);
    };
    T d = load(t.grad) * sign, v = load(t.param), s[states + 1];
    for (int k = 0; k < states; ++k) s[k] = load(t.state[k]);
    if (numbers.decay != 0) d = plus(d, decay, v);
    v = v * shrink;
    if constexpr (states == 0)
      rule(v, d);
    else if constexpr (states == 1)
      rule(v, d, s[0]);
    else if constexpr (states == 2)
      rule(v, d, s[0], s[1]);
    else
      rule(v, d, s[0], s[1], s[2]);
    store(t.param, v);
    for (int k = 0; k < states; ++k) store(t.state[k], s[k]);
  }
}

template <template <class> class Rule>
void run_rule(const OptimTensor& t, int64_t begin, int64_t end) {
  switch (t.dtype) {
    case DType::F32: return run<float, Rule>(t, begin, end);
    case DType::F16: return run_short<Short<ToHalf>, Rule>(t, begin, end);
    case DType::BF16: return run_short<Short<ToBFloat16>, Rule>(t, begin, end);
    default: return run<double, Rule>(t, begin, end);
  }
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
