#include "kernels/softmax.h"

#include "kernels/cpu/exps.h"

namespace rl::cpu::RL_ISA {
namespace {

template <class T> void forward_row(bool log, const T* x, int64_t n, T* out) {
  using C = compute_t<T>;
  const C top = max_of<C>(x, n);
  const Pack<C> tops = splat(top);
  if (log) {
    const Pack<C> shift = splat(static_cast<C>(math::log(sum_exps<false, C>(x, n, top, nullptr))));
    map_row<C>(x, n, out, [&](const Pack<C>& v) { return (v - tops) - shift; });
  } else if constexpr (std::is_same_v<T, C>) {
    const C scale = static_cast<C>(1.0 / sum_exps<true, C>(x, n, top, out));
    for (int64_t i = 0; i < n; ++i) out[i] *= scale;
  } else {
    const Pack<C> scale = splat(static_cast<C>(1.0 / sum_exps<false, C>(x, n, top, nullptr)));
    map_row<C>(x, n, out, [&](const Pack<C>& v) { return exps(v - tops) * scale; });
  }
}

template <class T> void backward_row(bool log, const T* grad, const T* y, int64_t n, T* dx) {
  using C = compute_t<T>;
  if (log) {
    const C total = static_cast<C>(sum_packs<C>(
        n, [&](int64_t i) { return load<C>(grad + i); },
        [&](int64_t, int64_t rest) { return tail_of<C>(grad, n, rest); }));
    for (int64_t i = 0; i < n; ++i) dx[i] = narrow<T>(widen<C>(grad[i]) - math::exp(widen<C>(y[i])) * total);
    return;
  }
  const C dot = static_cast<C>(sum_packs<C>(
      n, [&](int64_t i) { return load<C>(grad + i) * load<C>(y + i); },
      [&](int64_t, int64_t rest) { return tail_of<C>(grad, n, rest) * tail_of<C>(y, n, rest); }));
  for (int64_t i = 0; i < n; ++i) dx[i] = narrow<T>((widen<C>(grad[i]) - dot) * widen<C>(y[i]));
}

// A stripe of columns, walked row by row; width <= kStripe.
constexpr int64_t kStripe = 256;

template <class T> void forward_stripe(bool log, const T* x, int64_t n, int64_t stride, int64_t width, T* out) {
  using C = compute_t<T>;
  alignas(64) C top[kStripe], total[kStripe], e[kStripe];
  for (int64_t i = 0; i < width; ++i) top[i] = widen<C>(x[i]);
  for (int64_t i = 0; i < width; ++i) total[i] = 0;
  for (int64_t r = 1; r < n; ++r) {
    const T* row = x + r * stride;
    for (int64_t i = 0; i < width; ++i) {
      C v = widen<C>(row[i]);
      C best = v > top[i] ? v : top[i];
      top[i] = v != v ? v : best;
    }
  }
  for (int64_t r = 0; r < n; ++r) {
    const T* row = x + r * stride;
    for (int64_t i = 0; i < width; ++i) e[i] = exp_or_zero(widen<C>(row[i]) - top[i]);
    for (int64_t i = 0; i < width; ++i) total[i] += e[i];
    if constexpr (std::is_same_v<T, C>) {
      if (!log) std::memcpy(out + r * stride, e, static_cast<size_t>(width) * sizeof(C));
    }
  }
  if (log) {
    for (int64_t i = 0; i < width; ++i) total[i] = math::log(total[i]);
    for (int64_t r = 0; r < n; ++r) {
      const T* row = x + r * stride;
      T* o = out + r * stride;
      for (int64_t i = 0; i < width; ++i) o[i] = narrow<T>(widen<C>(row[i]) - top[i] - total[i]);
    }
    return;
  }
  for (int64_t i = 0; i < width; ++i) total[i] = C(1) / total[i];
  for (int64_t r = 0; r < n; ++r) {
    T* o = out + r * stride;
    if constexpr (std::is_same_v<T, C>) {
      for (int64_t i = 0; i < width; ++i) o[i] *= total[i];
    } else {
      const T* row = x + r * stride;
      for (int64_t i = 0; i < width; ++i) o[i] = narrow<T>(math::exp(widen<C>(row[i]) - top[i]) * total[i]);
    }
  }
}

template <class T>
void backward_stripe(bool log, const T* grad, const T* y, int64_t n, int64_t stride, int64_t width, T* dx) {
  using C = compute_t<T>;
  alignas(64) C total[kStripe];
  for (int64_t i = 0; i < width; ++i) total[i] = 0;
  for (int64_t r = 0; r < n; ++r) {
    const T *g = grad + r * stride, *o = y + r * stride;
    if (log) {
      for (int64_t i = 0; i < width; ++i) total[i] += widen<C>(g[i]);
    } else {
      for (int64_t i = 0; i < width; ++i) total[i] += widen<C>(g[i]) * widen<C>(o[i]);
    }
  }
  for (int64_t r = 0; r < n; ++r) {
    const T *g = grad + r * stride, *o = y + r * stride;
    T* d = dx + r * stride;
    if (log) {
      for (int64_t i = 0; i < width; ++i) d[i] = narrow<T>(widen<C>(g[i]) - math::exp(widen<C>(o[i])) * total[i]);
    } else {
      for (int64_t i = 0; i < width; ++i) d[i] = narrow<T>((widen<C>(g[i]) - total[i]) * widen<C>(o[i]));
    }
  }
}

// body(offset, width): a row (width 0) or a stripe of columns.
template <class Body> void each_part(int64_t outer, int64_t n, int64_t inner, const Body& body) {
  if (n <= 0) return;
  if (inner == 1) {
    parallel_for(outer, rows_per_task(n, 16384), [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; ++o) body(o * n, 0);
    });
    return;
  }
  // Few enough columns that a stripe stays in cache between its passes, enough for whole cache lines.
  int64_t stripe = 65536 / n / 16 * 16;
  stripe = stripe < 32 ? 32 : stripe > kStripe ? kStripe : stripe;
  const int64_t stripes = (inner + stripe - 1) / stripe;
  parallel_for(outer * stripes, rows_per_task(n * (stripe < inner ? stripe : inner), 16384),
               [&](int64_t begin, int64_t end) {
                 for (int64_t t = begin; t < end; ++t) {
                   int64_t from = t % stripes * stripe;
                   body(t / stripes * n * inner + from, from + stripe < inner ? stripe : inner - from);
                 }
               });
}

void forward(DType dtype, bool log, const void* x, int64_t outer, int64_t n, int64_t inner, void* out) {
  visit_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    const T* in = static_cast<const T*>(x);
    T* o = static_cast<T*>(out);
    each_part(outer, n, inner, [&](int64_t at, int64_t width) {
      if (width == 0)
        forward_row(log, in + at, n, o + at);
      else
        forward_stripe(log, in + at, n, inner, width, o + at);
    });
  });
}

void backward(DType dtype, bool log, const void* grad, const void* out, int64_t outer, int64_t n, int64_t inner,
              void* dx) {
  visit_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    const T *g = static_cast<const T*>(grad), *y = static_cast<const T*>(out);
    T* d = static_cast<T*>(dx);
    each_part(outer, n, inner, [&](int64_t at, int64_t width) {
      if (width == 0)
        backward_row(log, g + at, y + at, n, d + at);
      else
        backward_stripe(log, g + at, y + at, n, inner, width, d + at);
    });
  });
}

}  // namespace

extern const SoftmaxTable softmax_table = {forward, backward};

}  // namespace rl::cpu::RL_ISA
