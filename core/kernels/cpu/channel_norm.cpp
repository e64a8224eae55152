#include "kernels/channel_norm.h"

#include "kernels/cpu/rows.h"

namespace rl::cpu::RL_ISA {
namespace {

template <class F> void visit_wide(DType dtype, const F& f) {
  if (dtype == DType::F32) f(float{});
  if (dtype == DType::F64) f(double{});
}

// --- rows ------------------------------------------------------------------------------------------------------------------

// f(row, number of its coefficients) on all rows.
template <class F> void each_row(int64_t rows, int64_t n, int64_t period, const F& f) {
  parallel_for(rows, rows_per_task(n), [&](int64_t begin, int64_t end) __attribute__((noinline)) {
    int64_t k = begin % period;
    for (int64_t r = begin; r < end; ++r) {
      f(r, k);
      if (++k == period) k = 0;
    }
  });
}

void affine(DType dtype, const void* x, const void* scale, const void* shift, int64_t rows, int64_t n, int64_t period,
            void* out) {
  visit_wide(dtype, [&](auto tag) {
    using C = decltype(tag);
    each_row(rows, n, period, [&](int64_t r, int64_t k) {
      const C* in = static_cast<const C*>(x) + r * n;
      C* __restrict o = static_cast<C*>(out) + r * n;
      const C a = static_cast<const C*>(scale)[k], b = static_cast<const C*>(shift)[k];
      for (int64_t i = 0; i < n; ++i) o[i] = narrow<C>(in[i] * a + b);
    });
  });
}

void gradient_sums(DType dtype, const void* g, const void* x, const void* center, int64_t rows, int64_t n,
                   int64_t period, double* sums, double* dots) {
  visit_wide(dtype, [&](auto tag) {
    using C = decltype(tag);
    each_row(rows, n, period, [&](int64_t r, int64_t k) {
      const C *gr = static_cast<const C*>(g) + r * n, *xr = static_cast<const C*>(x) + r * n;
      const C mean = static_cast<const C*>(center)[k];
      const Pack<C> shift = splat(mean);
      dots[r] = sum_packs<C>(
          n, [&](int64_t i) { return load<C>(gr + i) * (load<C>(xr + i) - shift); },
          [&](int64_t, int64_t rest) { return tail_of<C>(gr, n, rest) * (tail_of<C>(xr, n, rest, mean) - shift); });
      sums[r] = sum_packs<C>(
          n, [&](int64_t i) { return load<C>(gr + i); },
          [&](int64_t, int64_t rest) { return tail_of<C>(gr, n, rest); });
    });
  });
}

void combine(DType dtype, const void* g, const void* x, const void* center, const void* a, const void* b, const void* c,
             int64_t rows, int64_t n, int64_t period, void* out) {
  visit_wide(dtype, [&](auto tag) {
    using C = decltype(tag);
    auto at = [](const void* p, int64_t k) { return static_cast<const C*>(p)[k]; };
    each_row(rows, n, period, [&](int64_t r, int64_t k) {
      const C *gr = static_cast<const C*>(g) + r * n, *xr = static_cast<const C*>(x) + r * n;
      C* __restrict o = static_cast<C*>(out) + r * n;
      const C mean = at(center, k), ga = at(a, k), xb = at(b, k), rest = at(c, k);
      for (int64_t i = 0; i < n; ++i) o[i] = narrow<C>(gr[i] * ga + ((xr[i] - mean) * xb + rest));
    });
  });
}

// --- columns ---------------------------------------------------------------------------------------------------------------

// Per column the sums of d = a - base and of d * (x - center) over all rows: 32 rows at a time in C, the rest in double. How
// the rows are grouped depends on the shape alone.
template <class C> void sum_columns(int64_t rows, int64_t n, const C* a, const C* base, const C* x, const C* center,
                                    double* sums, double* dots) {
  constexpr int64_t kWidth = 256;
  int64_t group = rows_per_task(n, 65536);
  if (rows > 64 * group) group = (rows + 63) / 64;
  const int64_t groups = (rows + group - 1) / group;
  Scratch<double> partial(2 * groups * n);
  parallel_for(groups, 1, [&](int64_t begin, int64_t end) __attribute__((noinline)) {
    alignas(64) C one[kWidth], two[kWidth];
    for (int64_t k = begin; k < end; ++k) {
      const int64_t last = (k + 1) * group < rows ? (k + 1) * group : rows;
      double* to_sums = partial + 2 * k * n;
      for (int64_t i = 0; i < 2 * n; ++i) to_sums[i] = 0;
      for (int64_t from = k * group; from < last; from += 32) {
        const int64_t to = from + 32 < last ? from + 32 : last;
        for (int64_t c = 0; c < n; c += kWidth) {
          const int64_t width = c + kWidth < n ? kWidth : n - c;
          for (int64_t i = 0; i < width; ++i) one[i] = two[i] = 0;
          for (int64_t r = from; r < to; ++r) {
            const C *ar = a + r * n + c, *xr = x + r * n + c, *b = base + c, *m = center + c;
            for (int64_t i = 0; i < width; ++i) {
              const C d = ar[i] - b[i];
              one[i] += d;
              two[i] += d * (xr[i] - m[i]);
            }
          }
          for (int64_t i = 0; i < width; ++i) {
            to_sums[c + i] += one[i];
            to_sums[n + c + i] += two[i];
          }
        }
      }
    }
  });
  for (int64_t i = 0; i < n; ++i) {
    double s = 0, d = 0;
    for (int64_t k = 0; k < groups; ++k) {
      s += partial[2 * k * n + i];
      d += partial[(2 * k + 1) * n + i];
    }
    sums[i] = s;
    dots[i] = d;
  }
}

void column_moments(DType dtype, const void* x, int64_t rows, int64_t n, double* mean, double* var) {
  visit_wide(dtype, [&](auto tag) {
    using C = decltype(tag);
    const C* in = static_cast<const C*>(x);
    Scratch<C> center(n);
    Scratch<double> rest(n);
    // Sums of what lies off the first row are small where the values are large and alike; they give the mean, and what
    // lies off that gives the squares.
    for (int64_t i = 0; i < n; ++i) center[i] = in[i];
    const double count = static_cast<double>(rows);
    sum_columns<C>(rows, n, in, center, in, center, mean, var);
    for (int64_t i = 0; i < n; ++i) {
      mean[i] = static_cast<double>(in[i]) + mean[i] / count;
      center[i] = static_cast<C>(mean[i]);
    }
    sum_columns<C>(rows, n, in, center, in, center, rest, var);
    for (int64_t i = 0; i < n; ++i) {
      const double small = rest[i] / count;  // what rounding the mean left over
      const double v = var[i] / count - small * small;
      var[i] = v < 0 ? 0 : v;
    }
  });
}

template <class F> void each_row_of_columns(int64_t rows, int64_t n, const F& f) {
  parallel_for(rows, rows_per_task(n), [&](int64_t begin, int64_t end) __attribute__((noinline)) {
    for (int64_t r = begin; r < end; ++r) f(r);
  });
}

void column_affine(DType dtype, const void* x, const void* scale, const void* shift, int64_t rows, int64_t n,
                   void* out) {
  visit_wide(dtype, [&](auto tag) {
    using C = decltype(tag);
    const C *a = static_cast<const C*>(scale), *b = static_cast<const C*>(shift);
    each_row_of_columns(rows, n, [&](int64_t r) {
      const C* in = static_cast<const C*>(x) + r * n;
      C* __restrict o = static_cast<C*>(out) + r * n;
      for (int64_t i = 0; i < n; ++i) o[i] = narrow<C>(in[i] * a[i] + b[i]);
    });
  });
}

void column_gradient_sums(DType dtype, const void* g, const void* x, const void* center, int64_t rows, int64_t n,
                          double* sums, double* dots) {
  visit_wide(dtype, [&](auto tag) {
    using C = decltype(tag);
    const C *gr = static_cast<const C*>(g), *in = static_cast<const C*>(x), *mean = static_cast<const C*>(center);
    Scratch<C> zero(n);
    for (int64_t i = 0; i < n; ++i) zero[i] = 0;
    sum_columns<C>(rows, n, gr, zero, in, mean, sums, dots);
  });
}

void column_combine(DType dtype, const void* g, const void* x, const void* center, const void* a, const void* b,
                    const void* c, int64_t rows, int64_t n, void* out) {
  visit_wide(dtype, [&](auto tag) {
    using C = decltype(tag);
    const C *mean = static_cast<const C*>(center), *ga = static_cast<const C*>(a), *xb = static_cast<const C*>(b),
            *rest = static_cast<const C*>(c);
    each_row_of_columns(rows, n, [&](int64_t r) {
      const C *gr = static_cast<const C*>(g) + r * n, *xr = static_cast<const C*>(x) + r * n;
      C* __restrict o = static_cast<C*>(out) + r * n;
      for (int64_t i = 0; i < n; ++i) o[i] = narrow<C>(gr[i] * ga[i] + ((xr[i] - mean[i]) * xb[i] + rest[i]));
    });
  });
}

}  // namespace

extern const ChannelNormTable channel_norm_table = {affine,        gradient_sums,        combine,       column_moments,
                                                    column_affine, column_gradient_sums, column_combine};

}  // namespace rl::cpu::RL_ISA
