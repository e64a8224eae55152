#include "kernels/channel_norm.h"

#include "kernels/cpu/rows.h"

namespace rl::cpu::RL_ISA {
namespace {

void affine(DType dtype, const void* x, const void* scale, const void* shift, int64_t rows, int64_t n, void* out) {
  visit_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    using C = compute_t<T>;
    parallel_for(rows, rows_per_task(n), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const T* in = static_cast<const T*>(x) + r * n;
        T* o = static_cast<T*>(out) + r * n;
        const C a = static_cast<const C*>(scale)[r], b = static_cast<const C*>(shift)[r];
        for (int64_t i = 0; i < n; ++i) o[i] = narrow<T>(widen<C>(in[i]) * a + b);
      }
    });
  });
}

void gradient_sums(DType dtype, const void* g, const void* x, const void* center, int64_t rows, int64_t n, double* sums,
                   double* dots) {
  visit_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    using C = compute_t<T>;
    parallel_for(rows, rows_per_task(n), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const T *gr = static_cast<const T*>(g) + r * n, *xr = static_cast<const T*>(x) + r * n;
        const C mean = static_cast<const C*>(center)[r];
        const Pack<C> shift = splat(mean);
        dots[r] = sum_packs<C>(
            n, [&](int64_t i) { return load<C>(gr + i) * (load<C>(xr + i) - shift); },
            [&](int64_t, int64_t rest) { return tail_of<C>(gr, n, rest) * (tail_of<C>(xr, n, rest, mean) - shift); });
        sums[r] = sum_packs<C>(
            n, [&](int64_t i) { return load<C>(gr + i); },
            [&](int64_t, int64_t rest) { return tail_of<C>(gr, n, rest); });
      }
    });
  });
}

void combine(DType dtype, const void* g, const void* x, const void* center, const void* a, const void* b, const void* c,
             int64_t rows, int64_t n, void* out) {
  visit_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    using C = compute_t<T>;
    auto at = [](const void* p, int64_t r) { return static_cast<const C*>(p)[r]; };
    parallel_for(rows, rows_per_task(n), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const T *gr = static_cast<const T*>(g) + r * n, *xr = static_cast<const T*>(x) + r * n;
        T* o = static_cast<T*>(out) + r * n;
        const C mean = at(center, r), ga = at(a, r), xb = at(b, r), rest = at(c, r);
        for (int64_t i = 0; i < n; ++i) o[i] = narrow<T>(widen<C>(gr[i]) * ga + ((widen<C>(xr[i]) - mean) * xb + rest));
      }
    });
  });
}

}  // namespace

extern const ChannelNormTable channel_norm_table = {affine, gradient_sums, combine};

}  // namespace rl::cpu::RL_ISA
