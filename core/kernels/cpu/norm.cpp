#include "kernels/norm.h"

#include <cmath>

#include "kernels/cpu/rows.h"

namespace rl::cpu::RL_ISA {
namespace {

// out = (x - mean) * rstd * weight + bias; without Center the mean is taken to be zero.
template <bool Center, class T>
void forward_row(const T* x, const T* weight, const T* bias, int64_t n, double eps, T* out, compute_t<T>* mean,
                 compute_t<T>* rstd) {
  using C = compute_t<T>;
  double center = 0;
  if constexpr (Center) {
    center = sum_packs<C>(
                 n, [&](int64_t i) { return load<C>(x + i); },
                 [&](int64_t, int64_t rest) { return tail_of<C>(x, n, rest); }) /
             static_cast<double>(n);
  }
  const C near = static_cast<C>(center);
  const Pack<C> shift = splat(near);
  auto square = [&](const Pack<C>& v) { return (v - shift) * (v - shift); };
  double m2 = sum_packs<C>(
      n, [&](int64_t i) { return square(load<C>(x + i)); },
      [&](int64_t, int64_t rest) { return square(tail_of<C>(x, n, rest, near)); });
  const C scale = static_cast<C>(1.0 / std::sqrt(m2 / static_cast<double>(n) + eps));
  if (weight != nullptr && bias != nullptr) {
    for (int64_t i = 0; i < n; ++i)
      out[i] = narrow<T>((widen<C>(x[i]) - near) * scale * widen<C>(weight[i]) + widen<C>(bias[i]));
  } else if (weight != nullptr) {
    for (int64_t i = 0; i < n; ++i) out[i] = narrow<T>((widen<C>(x[i]) - near) * scale * widen<C>(weight[i]));
  } else if (bias != nullptr) {
    for (int64_t i = 0; i < n; ++i) out[i] = narrow<T>((widen<C>(x[i]) - near) * scale + widen<C>(bias[i]));
  } else {
    for (int64_t i = 0; i < n; ++i) out[i] = narrow<T>((widen<C>(x[i]) - near) * scale);
  }
  if (mean != nullptr) *mean = near;
  if (rstd != nullptr) *rstd = scale;
}

template <bool Center>
void forward(DType dtype, const void* x, const void* weight, const void* bias, int64_t rows, int64_t n, double eps,
             void* out, void* mean, void* rstd) {
  if (n <= 0) return;
  visit_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    using C = compute_t<T>;
    const T *in = static_cast<const T*>(x), *w = static_cast<const T*>(weight), *b = static_cast<const T*>(bias);
    T* o = static_cast<T*>(out);
    C *m = static_cast<C*>(mean), *s = static_cast<C*>(rstd);
    parallel_for(rows, rows_per_task(n), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        forward_row<Center>(in + r * n, w, b, n, eps, o + r * n, m != nullptr ? m + r : nullptr,
                            s != nullptr ? s + r : nullptr);
      }
    });
  });
}

// With h = (x - mean) * rstd and g = grad * weight: dx = rstd * (g - mean(g) - h * mean(g * h)); RMS norm has no mean(g).
template <bool Center, class T>
void backward_row(const T* grad, const T* x, const T* weight, compute_t<T> mean, compute_t<T> rstd, int64_t n, T* dx) {
  using C = compute_t<T>;
  const Pack<C> shift = splat(mean), scale = splat(rstd);
  auto g_at = [&](int64_t i) {
    return weight != nullptr ? load<C>(grad + i) * load<C>(weight + i) : load<C>(grad + i);
  };
  auto g_tail = [&](int64_t rest) {
    Pack<C> g = tail_of<C>(grad, n, rest);
    return weight != nullptr ? g * tail_of<C>(weight, n, rest) : g;
  };
  double dot = sum_packs<C>(
      n, [&](int64_t i) { return g_at(i) * ((load<C>(x + i) - shift) * scale); },
      [&](int64_t, int64_t rest) { return g_tail(rest) * ((tail_of<C>(x, n, rest, mean) - shift) * scale); });
  double sum = 0;
  if constexpr (Center) {
    sum = sum_packs<C>(n, [&](int64_t i) { return g_at(i); }, [&](int64_t, int64_t rest) { return g_tail(rest); });
  }
  const C a = static_cast<C>(sum / static_cast<double>(n)), b = static_cast<C>(dot / static_cast<double>(n));
  if (weight != nullptr) {
    for (int64_t i = 0; i < n; ++i) {
      dx[i] = narrow<T>((widen<C>(grad[i]) * widen<C>(weight[i]) - a - (widen<C>(x[i]) - mean) * rstd * b) * rstd);
    }
  } else {
    for (int64_t i = 0; i < n; ++i)
      dx[i] = narrow<T>((widen<C>(grad[i]) - a - (widen<C>(x[i]) - mean) * rstd * b) * rstd);
  }
}

template <bool Center>
void backward(DType dtype, const void* grad, const void* x, const void* mean, const void* rstd, const void* weight,
              int64_t rows, int64_t n, void* dx, void* dweight, void* dbias) {
  if (n <= 0) return;
  visit_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    using C = compute_t<T>;
    const T *g = static_cast<const T*>(grad), *in = static_cast<const T*>(x), *w = static_cast<const T*>(weight);
    const C *m = static_cast<const C*>(mean), *s = static_cast<const C*>(rstd);
    T *d = static_cast<T*>(dx), *dw = static_cast<T*>(dweight), *db = static_cast<T*>(dbias);
    // Column sums over groups of rows whose number depends on the shape alone; a group's rows are still in cache
    // from dx when its columns are summed.
    const bool columns = dw != nullptr || db != nullptr;
    int64_t group = rows_per_task(n, 65536);
    if (columns && rows > 64 * group) group = (rows + 63) / 64;
    const int64_t groups = (rows + group - 1) / group;
    Scratch<double> partial(columns ? 2 * groups * n : 0);
    parallel_for(groups, 1, [&](int64_t begin, int64_t end) {
      constexpr int64_t kWidth = 256;
      alignas(64) C wsum[kWidth], bsum[kWidth];
      for (int64_t k = begin; k < end; ++k) {
        const int64_t last = (k + 1) * group < rows ? (k + 1) * group : rows;
        double *pw = partial + 2 * k * n, *pb = pw + n;
        if (columns) {
          for (int64_t i = 0; i < 2 * n; ++i) pw[i] = 0;
        }
        for (int64_t from = k * group; from < last; from += 32) {
          const int64_t to = from + 32 < last ? from + 32 : last;
          if (d != nullptr) {
            for (int64_t r = from; r < to; ++r) {
              backward_row<Center>(g + r * n, in + r * n, w, Center ? m[r] : C(0), s[r], n, d + r * n);
            }
          }
          if (!columns) continue;
          for (int64_t c = 0; c < n; c += kWidth) {
            const int64_t width = c + kWidth < n ? kWidth : n - c;
            for (int64_t i = 0; i < width; ++i) wsum[i] = bsum[i] = 0;
            for (int64_t r = from; r < to; ++r) {
              const T *gr = g + r * n + c, *xr = in + r * n + c;
              const C center = Center ? m[r] : C(0), scale = s[r];
              for (int64_t i = 0; i < width; ++i) {
                const C v = widen<C>(gr[i]);
                wsum[i] += v * ((widen<C>(xr[i]) - center) * scale);
                bsum[i] += v;
              }
            }
            for (int64_t i = 0; i < width; ++i) pw[c + i] += wsum[i];
            for (int64_t i = 0; i < width; ++i) pb[c + i] += bsum[i];
          }
        }
      }
    });
    if (!columns) return;
    double* total = partial;
    if (groups == 0) {
      for (int64_t i = 0; i < n; ++i) {
        if (dw != nullptr) dw[i] = narrow<T>(C(0));
        if (db != nullptr) db[i] = narrow<T>(C(0));
      }
      return;
    }
    for (int64_t k = 1; k < groups; ++k) {
      for (int64_t i = 0; i < 2 * n; ++i) total[i] += partial[2 * k * n + i];
    }
    for (int64_t i = 0; i < n; ++i) {
      if (dw != nullptr) dw[i] = narrow<T>(total[i]);
      if (db != nullptr) db[i] = narrow<T>(total[n + i]);
    }
  });
}

void rms_norm(DType dtype, const void* x, const void* weight, int64_t rows, int64_t n, double eps, void* out,
              void* rstd) {
  forward<false>(dtype, x, weight, nullptr, rows, n, eps, out, nullptr, rstd);
}

void rms_norm_backward(DType dtype, const void* grad, const void* x, const void* rstd, const void* weight, int64_t rows,
                       int64_t n, void* dx, void* dweight) {
  backward<false>(dtype, grad, x, nullptr, rstd, weight, rows, n, dx, dweight, nullptr);
}

}  // namespace

extern const NormTable norm_table = {forward<true>, backward<true>, rms_norm, rms_norm_backward};

}  // namespace rl::cpu::RL_ISA
