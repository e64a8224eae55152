// Variance and logsumexp: two passes over a block while it is in cache, blocks merged in double.
#include <cmath>

#include "kernels/cpu/fold.h"
#include "kernels/pointwise/math.h"

namespace rl::cpu::RL_ISA {
namespace {

// Mean and sum of squared deviations; blocks are merged by Chan's formula.
template <class T> struct Moments {
  using In = T;
  using C = compute_t<T>;
  struct State {
    double mean, m2, count;
  };
  static constexpr int kLanes = Pack<C>::kLanes;
  static constexpr int64_t kBlock = 2048, kBlockRows = 32;

  State empty() const { return {0, 0, 0}; }
  State join(State a, State b) const {
    double count = a.count + b.count;
    if (count == 0) return a;
    double delta = b.mean - a.mean, share = b.count / count;
    return {a.mean + delta * share, a.m2 + b.m2 + delta * delta * a.count * share, count};
  }
  State place(State s, int64_t, int64_t) const { return s; }

  static double total(const C* lanes) {
    double wide[kLanes];
    for (int l = 0; l < kLanes; ++l) wide[l] = lanes[l];
    for (int half = kLanes / 2; half > 0; half /= 2) {
      for (int l = 0; l < half; ++l) wide[l] += wide[l + half];
    }
    return wide[0];
  }

  // f is applied to packs of the row, the unused lanes of the last pack holding fill.
  template <class F> [[gnu::always_inline]] static double sum(const T* p, int64_t n, C fill, const F& f) {
    Pack<C> a = splat(C(0)), b = a, c = a, d = a;
    int64_t i = 0;
    for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
      a = a + f(load<C>(p + i));
      b = b + f(load<C>(p + i + kLanes));
      c = c + f(load<C>(p + i + 2 * kLanes));
      d = d + f(load<C>(p + i + 3 * kLanes));
    }
    for (; i + kLanes <= n; i += kLanes) a = a + f(load<C>(p + i));
    if (i < n) b = b + f(load_tail<C>(p, n, n - i, fill));
    alignas(64) C lanes[kLanes];
    store(lanes, (a + b) + (c + d));
    return total(lanes);
  }

  [[gnu::noinline]] State row(const T* p, int64_t n) const {
    State state = empty();
    for (int64_t from = 0; from < n; from += kBlock) {
      const int64_t count = at_most(kBlock, n - from);
      const double items = static_cast<double>(count);
      const double center = sum(p + from, count, C(0), [](const Pack<C>& x) { return x; }) / items;
      // The rounded center is corrected by the (tiny) mean of the deviations from it.
      const C near = static_cast<C>(center);
      const Pack<C> shift = splat(near);
      double m2 = sum(p + from, count, near, [&](const Pack<C>& x) { return (x - shift) * (x - shift); });
      const double off = center - static_cast<double>(near);
      m2 = m2 - off * off * items;
      State piece{center, m2 < 0 ? 0 : m2, items};
      state = from == 0 ? piece : join(state, piece);
    }
    return state;
  }

  [[gnu::noinline]] void cols(const T* p, int64_t n, int64_t stride, int64_t width, State* out) const {
    alignas(64) C sums[kMaxWidth + kLanes];
    alignas(64) C squares[kMaxWidth + kLanes];
    alignas(64) double means[kMaxWidth + kLanes];
    const int64_t packs = ceil_div(width, kLanes), last = width - kLanes;
    for (int64_t from = 0; from < n; from += kBlockRows) {
      const int64_t count = at_most(kBlockRows, n - from);
      const T* base = p + from * stride;
      const double items = static_cast<double>(count), inverse = 1.0 / items;
      for (int64_t q = 0; q < packs; ++q) {
        const T* x = base + at_most(q * kLanes, last);
        Pack<C> a = load<C>(x), b = splat(C(0));
        int64_t r = 1;
        for (; r + 2 <= count; r += 2) {
          a = a + load<C>(x + r * stride);
          b = b + load<C>(x + (r + 1) * stride);
        }
        if (r < count) a = a + load<C>(x + r * stride);
        a = a + b;
        store(sums + q * kLanes, a);
        for (int l = 0; l < kLanes; ++l) means[q * kLanes + l] = static_cast<double>(sums[q * kLanes + l]) * inverse;
        for (int l = 0; l < kLanes; ++l) sums[q * kLanes + l] = static_cast<C>(means[q * kLanes + l]);
        Pack<C> shift = load<C>(sums + q * kLanes);
        a = splat(C(0)), b = a;
        r = 0;
        for (; r + 2 <= count; r += 2) {
          Pack<C> u = load<C>(x + r * stride) - shift, v = load<C>(x + (r + 1) * stride) - shift;
          a = a + u * u;
          b = b + v * v;
        }
        if (r < count) {
          Pack<C> u = load<C>(x + r * stride) - shift;
          a = a + u * u;
        }
        store(squares + q * kLanes, a + b);
      }
      for (int64_t i = 0; i < width; ++i) {
        int64_t at = i < (packs - 1) * kLanes ? i : (packs - 1) * kLanes + i - last;
        State piece{means[at], static_cast<double>(squares[at]), items};
        out[i] = from == 0 ? piece : join(out[i], piece);
      }
    }
  }
};

// f(tag, x, first, second) on floats or doubles, results in the same; halves through float.
template <class F> void visit_floating(DType in, const void* x, const ReduceShape& shape, void* first, void* second,
                                       const F& f) {
  if (in == DType::F64) return f(double{}, Source(x), static_cast<double*>(first), static_cast<double*>(second));
  auto floats = [&](const Source& from, void* a, void* b) {
    f(float{}, from, static_cast<float*>(a), static_cast<float*>(b));
  };
  if (!is_half(in)) return floats(x, first, second);
  const WideResult one(shape, DType::F32, first, in), two(shape, DType::F32, second, in);
  floats(Source(x, in, DType::F32), one.get(), two.get());
  one.deliver();
  two.deliver();
}

void var_mean(DType in, const void* x, const ReduceShape& shape, double correction, bool std_dev, void* var,
              void* mean) {
  visit_floating(in, x, shape, var, mean, [&](auto tag, const Source& from, auto* v, auto* m) {
    using T = decltype(tag);
    const double nan = std::numeric_limits<double>::quiet_NaN();
    reduce(Moments<T>{}, from, shape, [=](int64_t i, auto s) {
      double divisor = s.count - correction;
      double variance = s.m2 / (divisor > 0 ? divisor : 0);
      if (s.count == 0) s.mean = variance = nan;
      if (v != nullptr) v[i] = narrow<T>(std_dev ? std::sqrt(variance) : variance);
      if (m != nullptr) m[i] = narrow<T>(s.mean);
    });
  });
}

// The largest element and the sum of exp(x - largest).
template <class T> struct LogSumExp {
  using In = T;
  using C = compute_t<T>;
  struct State {
    C top;
    double sum;
  };
  static constexpr int kLanes = Pack<C>::kLanes;
  static constexpr int64_t kBlock = 1024, kBlockRows = 16;

  static C shift_of(C top) { return __builtin_isinf(top) ? C(0) : top; }

  State empty() const { return {lowest_of<C>(), 0}; }
  State join(State a, State b) const {
    C top = extreme<true>(a.top, b.top);
    auto rescaled = [&](State s) {
      return s.top == top ? s.sum : s.sum * std::exp(double(shift_of(s.top)) - double(shift_of(top)));
    };
    return {top, rescaled(a) + rescaled(b)};
  }
  State place(State s, int64_t, int64_t) const { return s; }

  [[gnu::noinline]] State row(const T* p, int64_t n) const {
    State state = empty();
    alignas(64) C values[kBlock + kLanes];
    for (int64_t from = 0; from < n; from += kBlock) {
      const int64_t count = at_most(kBlock, n - from), padded = ceil_div(count, kLanes) * kLanes;
      Pack<C> top = splat(lowest_of<C>());
      int64_t i = 0;
      for (; i + kLanes <= count; i += kLanes) {
        Pack<C> x = load<C>(p + from + i);
        top = extreme<true>(top, x);
        store(values + i, x);
      }
      for (int64_t k = i; k < padded; ++k) values[k] = k < count ? widen<C>(p[from + k]) : lowest_of<C>();
      if (i < padded) top = extreme<true>(top, load<C>(values + i));
      alignas(64) C lanes[kLanes];
      store(lanes, top);
      for (int l = 1; l < kLanes; ++l) lanes[0] = extreme<true>(lanes[0], lanes[l]);
      State piece{lanes[0], 0};
      // Rescale little: what came before stays the reference when it is larger.
      const C shift = shift_of(piece.top);
      for (int64_t k = 0; k < padded; k += kLanes) {
        for (int l = 0; l < kLanes; ++l) values[k + l] = math::exp(values[k + l] - shift);
      }
      Pack<C> a = splat(C(0)), b = a;
      for (i = 0; i + 2 * kLanes <= padded; i += 2 * kLanes) {
        a = a + load<C>(values + i);
        b = b + load<C>(values + i + kLanes);
      }
      if (i < padded) a = a + load<C>(values + i);
      store(lanes, a + b);
      piece.sum = Moments<T>::total(lanes);
      state = from == 0 ? piece : join(state, piece);
    }
    return state;
  }

  [[gnu::noinline]] void cols(const T* p, int64_t n, int64_t stride, int64_t width, State* out) const {
    alignas(64) C tops[kMaxWidth + kLanes];
    alignas(64) C values[kBlockRows * kLanes];
    const int64_t packs = ceil_div(width, kLanes), last = width - kLanes;
    alignas(64) C sums[kMaxWidth + kLanes];
    for (int64_t from = 0; from < n; from += kBlockRows) {
      const int64_t count = at_most(kBlockRows, n - from);
      for (int64_t q = 0; q < packs; ++q) {
        const T* x = p + from * stride + at_most(q * kLanes, last);
        Pack<C> top = from == 0 ? splat(lowest_of<C>()) : load<C>(tops + q * kLanes);
        for (int64_t r = 0; r < count; ++r) {
          Pack<C> v = load<C>(x + r * stride);
          top = extreme<true>(top, v);
          store(values + r * kLanes, v);
        }
        alignas(64) C shift[kLanes], old[kLanes], sum[kLanes];
        store(shift, top);
        for (int l = 0; l < kLanes; ++l) {
          old[l] = from == 0 ? C(0) : tops[q * kLanes + l];
          tops[q * kLanes + l] = shift[l];
          shift[l] = __builtin_isinf(shift[l]) ? C(0) : shift[l];
          old[l] = __builtin_isinf(old[l]) ? C(0) : old[l];
          sum[l] = from == 0 ? C(0) : sums[q * kLanes + l];
        }
        bool moved = false;
        for (int l = 0; l < kLanes; ++l) moved |= !(old[l] == shift[l]);
        if (moved && from > 0) {
          for (int l = 0; l < kLanes; ++l) sum[l] *= math::exp(old[l] - shift[l]);
        }
        for (int64_t r = 0; r < count; ++r) {
          for (int l = 0; l < kLanes; ++l) values[r * kLanes + l] = math::exp(values[r * kLanes + l] - shift[l]);
        }
        Pack<C> a = splat(C(0));
        for (int64_t r = 0; r < count; ++r) a = a + load<C>(values + r * kLanes);
        store(sums + q * kLanes, load<C>(sum) + a);
      }
    }
    for (int64_t i = 0; i < width; ++i) {
      int64_t at = i < (packs - 1) * kLanes ? i : (packs - 1) * kLanes + i - last;
      out[i] = {tops[at], static_cast<double>(sums[at])};
    }
  }
};

void logsumexp(DType in, const void* x, const ReduceShape& shape, void* out) {
  visit_floating(in, x, shape, out, nullptr, [&](auto tag, const Source& from, auto* o, auto*) {
    using T = decltype(tag);
    reduce(LogSumExp<T>{}, from, shape, [o](int64_t i, auto s) {
      o[i] = narrow<T>(s.top != s.top ? double(s.top) : std::log(s.sum) + double(LogSumExp<T>::shift_of(s.top)));
    });
  });
}

}  // namespace

extern const ReduceMomentsTable reduce_moments_table = {var_mean, logsumexp};

}  // namespace rl::cpu::RL_ISA
