#include "kernels/softmax.h"

#include "kernels/cpu/convert.h"
#include "kernels/cpu/exps.h"
#include "kernels/cpu/loop.h"

namespace rl::cpu::RL_ISA {
namespace {

// out may be x.
template <class C> void forward_row(bool log, const C* x, int64_t n, C* out) {
  const C top = max_of<C>(x, n);
  if (log) {
    const Pack<C> tops = splat(top), shift = splat(static_cast<C>(math::log(sum_exps<false, C>(x, n, top, nullptr))));
    map_row<C>(x, n, out, [&](const Pack<C>& v) { return (v - tops) - shift; });
  } else {
    const C scale = static_cast<C>(1.0 / sum_exps<true, C>(x, n, top, out));
    for (int64_t i = 0; i < n; ++i) out[i] *= scale;
  }
}

// dx may be grad.
template <class C> void backward_row(bool log, const C* grad, const C* y, int64_t n, C* dx) {
  if (log) {
    const C total = static_cast<C>(sum_packs<C>(
        n, [&](int64_t i) { return load<C>(grad + i); },
        [&](int64_t, int64_t rest) { return tail_of<C>(grad, n, rest); }));
    RL_INDEPENDENT_ITERATIONS
    for (int64_t i = 0; i < n; ++i) dx[i] = grad[i] - math::exp(y[i]) * total;
    return;
  }
  const C dot = static_cast<C>(sum_packs<C>(
      n, [&](int64_t i) { return load<C>(grad + i) * load<C>(y + i); },
      [&](int64_t, int64_t rest) { return tail_of<C>(grad, n, rest) * tail_of<C>(y, n, rest); }));
  RL_INDEPENDENT_ITERATIONS
  for (int64_t i = 0; i < n; ++i) dx[i] = (grad[i] - dot) * y[i];
}

// A stripe of columns, walked row by row; width <= kStripe.
constexpr int64_t kStripe = 256;

template <class C> void forward_stripe(bool log, const C* x, int64_t n, int64_t stride, int64_t width, C* out) {
  alignas(64) C top[kStripe], total[kStripe], e[kStripe];
  for (int64_t i = 0; i < width; ++i) top[i] = x[i];
  for (int64_t i = 0; i < width; ++i) total[i] = 0;
  for (int64_t r = 1; r < n; ++r) {
    const C* row = x + r * stride;
    for (int64_t i = 0; i < width; ++i) {
      C v = row[i];
      C best = v > top[i] ? v : top[i];
      top[i] = v != v ? v : best;
    }
  }
  for (int64_t r = 0; r < n; ++r) {
    const C* row = x + r * stride;
    for (int64_t i = 0; i < width; ++i) e[i] = exp_or_zero(row[i] - top[i]);
    for (int64_t i = 0; i < width; ++i) total[i] += e[i];
    if (!log) std::memcpy(out + r * stride, e, static_cast<size_t>(width) * sizeof(C));
  }
  for (int64_t i = 0; i < width; ++i) total[i] = log ? math::log(total[i]) : C(1) / total[i];
  for (int64_t r = 0; r < n; ++r) {
    const C* row = x + r * stride;
    C* o = out + r * stride;
    if (log) {
      RL_INDEPENDENT_ITERATIONS
      for (int64_t i = 0; i < width; ++i) o[i] = row[i] - top[i] - total[i];
    } else {
      for (int64_t i = 0; i < width; ++i) o[i] *= total[i];
    }
  }
}

template <class C>
void backward_stripe(bool log, const C* grad, const C* y, int64_t n, int64_t stride, int64_t width, C* dx) {
  alignas(64) C total[kStripe];
  for (int64_t i = 0; i < width; ++i) total[i] = 0;
  for (int64_t r = 0; r < n; ++r) {
    const C *g = grad + r * stride, *o = y + r * stride;
    if (log) {
      for (int64_t i = 0; i < width; ++i) total[i] += g[i];
    } else {
      for (int64_t i = 0; i < width; ++i) total[i] += g[i] * o[i];
    }
  }
  for (int64_t r = 0; r < n; ++r) {
    const C *g = grad + r * stride, *o = y + r * stride;
    C* d = dx + r * stride;
    if (log) {
      RL_INDEPENDENT_ITERATIONS
      for (int64_t i = 0; i < width; ++i) d[i] = g[i] - math::exp(o[i]) * total[i];
    } else {
      RL_INDEPENDENT_ITERATIONS
      for (int64_t i = 0; i < width; ++i) d[i] = (g[i] - total[i]) * o[i];
    }
  }
}

// A row (width 0) or a stripe of columns of a short type, as floats and back.
struct Widened {
  DType dtype;
  int64_t n, stride, width;
  int64_t rows() const { return width == 0 ? 1 : n; }
  int64_t row() const { return width == 0 ? n : width; }
  void read(const uint16_t* from, float* to) const {
    const ConvertFn convert = convert_fns[static_cast<int>(DType::F32)][static_cast<int>(dtype)];
    for (int64_t r = 0; r < rows(); ++r) convert(to + r * row(), from + r * stride, row());
  }
  void write(const float* from, uint16_t* to) const {
    const ConvertFn convert = convert_fns[static_cast<int>(dtype)][static_cast<int>(DType::F32)];
    for (int64_t r = 0; r < rows(); ++r) convert(to + r * stride, from + r * row(), row());
  }
  // body(floats), `count` parts of them
  template <class Body> void with_room(int64_t count, const Body& body) const {
    constexpr int64_t kNear = 4096;
    const int64_t size = rows() * row();
    alignas(64) float near[kNear];
    if (count * size <= kNear) return body(near, near + size);
    const Scratch<float> far(count * size);
    body(static_cast<float*>(far), far + size);
  }
};

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

template <class C> void forward_part(bool log, const C* x, int64_t n, int64_t stride, int64_t width, C* out) {
  if (width == 0)
    forward_row(log, x, n, out);
  else
    forward_stripe(log, x, n, stride, width, out);
}
template <class C>
void backward_part(bool log, const C* grad, const C* y, int64_t n, int64_t stride, int64_t width, C* dx) {
  if (width == 0)
    backward_row(log, grad, y, n, dx);
  else
    backward_stripe(log, grad, y, n, stride, width, dx);
}

void forward(DType dtype, bool log, const void* x, int64_t outer, int64_t n, int64_t inner, void* out) {
  auto plain = [&](auto tag) {
    using C = decltype(tag);
    each_part(outer, n, inner, [&](int64_t at, int64_t width) {
      forward_part(log, static_cast<const C*>(x) + at, n, inner, width, static_cast<C*>(out) + at);
    });
  };
  if (dtype == DType::F32) return plain(float{});
  if (dtype == DType::F64) return plain(double{});
  each_part(outer, n, inner, [&](int64_t at, int64_t width) {
    const Widened part{dtype, n, inner, width};
    part.with_room(1, [&](float* values, float*) {
      part.read(static_cast<const uint16_t*>(x) + at, values);
      forward_part(log, values, n, width, width, values);
      part.write(values, static_cast<uint16_t*>(out) + at);
    });
  });
}

void backward(DType dtype, bool log, const void* grad, const void* out, int64_t outer, int64_t n, int64_t inner,
              void* dx) {
  auto plain = [&](auto tag) {
    using C = decltype(tag);
    each_part(outer, n, inner, [&](int64_t at, int64_t width) {
      backward_part(log, static_cast<const C*>(grad) + at, static_cast<const C*>(out) + at, n, inner, width,
                    static_cast<C*>(dx) + at);
    });
  };
  if (dtype == DType::F32) return plain(float{});
  if (dtype == DType::F64) return plain(double{});
  each_part(outer, n, inner, [&](int64_t at, int64_t width) {
    const Widened part{dtype, n, inner, width};
    part.with_room(2, [&](float* g, float* y) {
      part.read(static_cast<const uint16_t*>(grad) + at, g);
      part.read(static_cast<const uint16_t*>(out) + at, y);
      backward_part(log, g, y, n, width, width, g);
      part.write(g, static_cast<uint16_t*>(dx) + at);
    });
  });
}

}  // namespace

extern const SoftmaxTable softmax_table = {forward, backward};

}  // namespace rl::cpu::RL_ISA
