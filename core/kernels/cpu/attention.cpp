// The rows of scores in attention.
#include "kernels/attention.h"

#include "kernels/cpu/rows.h"
#include "kernels/pointwise/math.h"

namespace rl::cpu::RL_ISA {
namespace {

template <class T> int64_t seen(const ScoreRows<T>& how, int64_t r) {
  if (how.causal < 0) return how.cols;
  const int64_t n = how.causal + r + 1;
  return n < how.cols ? n : how.cols;
}

template <class T> void scale_and_mask(const ScoreRows<T>& how, int64_t r, int64_t n, T* __restrict x) {
  const T scale = how.scale;
  if (how.mask != nullptr) {
    const T* m = how.mask + r * how.mask_ld;
    for (int64_t i = 0; i < n; ++i) x[i] = x[i] * scale + m[i];
  } else {
    for (int64_t i = 0; i < n; ++i) x[i] *= scale;
  }
}

template <class T> void softmax(const ScoreRows<T>& how, T* scores, T* inverse, T* lse) {
  for (int64_t r = 0; r < how.rows; ++r) {
    T* __restrict x = scores + r * how.ld;
    const int64_t n = seen(how, r);
    scale_and_mask(how, r, n, x);
    const T top = max_of<T>(x, n);
    for (int64_t i = n; i < how.cols; ++i) x[i] = 0;
    if (top == lowest_of<T>()) {  // nothing to attend to
      T nan = 0;
      for (int64_t i = 0; i < n; ++i) nan = x[i] != x[i] ? x[i] : nan;
      for (int64_t i = 0; i < n; ++i) x[i] = 0;
      inverse[r] = nan;
      if (lse != nullptr) lse[r] = -lowest_of<T>();
      continue;
    }
    for (int64_t i = 0; i < n; ++i) x[i] = math::exp_nonpositive(x[i] - top);
    const double total = sum_packs<T>(
        n, [&](int64_t i) { return load<T>(x + i); }, [&](int64_t, int64_t rest) { return tail_of<T>(x, n, rest); });
    inverse[r] = static_cast<T>(1.0 / total);
    if (lse != nullptr) lse[r] = top + math::log(static_cast<T>(total));
    if (how.keep != nullptr) {
      const T* k = how.keep + r * how.keep_ld;
      for (int64_t i = 0; i < n; ++i) x[i] *= k[i];
    }
  }
}

template <class T> void gradient(const ScoreRows<T>& how, T* scores, T* dscores, const T* lse, const T* delta) {
  for (int64_t r = 0; r < how.rows; ++r) {
    T* __restrict x = scores + r * how.ld, * __restrict d = dscores + r * how.ld;
    const int64_t n = seen(how, r);
    const T top = lse[r], shift = delta[r], scale = how.scale;
    if (how.mask != nullptr) {
      const T* m = how.mask + r * how.mask_ld;
      for (int64_t i = 0; i < n; ++i) x[i] = math::exp(x[i] * scale + m[i] - top);
    } else {
      for (int64_t i = 0; i < n; ++i) x[i] = math::exp(x[i] * scale - top);
    }
    if (how.keep != nullptr) {
      const T* k = how.keep + r * how.keep_ld;
      for (int64_t i = 0; i < n; ++i) {
        d[i] = x[i] * (d[i] * k[i] - shift) * scale;
        x[i] *= k[i];
      }
    } else {
      for (int64_t i = 0; i < n; ++i) d[i] = x[i] * (d[i] - shift) * scale;
    }
    for (int64_t i = n; i < how.cols; ++i) x[i] = d[i] = 0;
  }
}

template <class T> void scale(int64_t rows, int64_t n, const T* by, T* x, int64_t ld) {
  for (int64_t r = 0; r < rows; ++r) {
    T* __restrict row = x + r * ld;
    const T f = by[r];
    for (int64_t j = 0; j < n; ++j) row[j] *= f;
  }
}

template <class T>
void dots(int64_t rows, int64_t n, const T* a, int64_t ld_a, int64_t a_col, const T* b, int64_t ld_b, T* out) {
  for (int64_t r = 0; r < rows; ++r) {
    const T *x = a + r * ld_a, *y = b + r * ld_b;
    if (a_col != 1) {
      double total = 0;
      for (int64_t j = 0; j < n; ++j) total += x[j * a_col] * y[j];
      out[r] = static_cast<T>(total);
      continue;
    }
    out[r] = static_cast<T>(sum_packs<T>(
        n, [&](int64_t i) { return load<T>(x + i) * load<T>(y + i); },
        [&](int64_t, int64_t rest) { return tail_of<T>(x, n, rest) * tail_of<T>(y, n, rest); }));
  }
}

template <class T> constexpr AttentionSteps<T> kSteps = {softmax<T>, gradient<T>, scale<T>, dots<T>};

}  // namespace

extern const AttentionTable attention_table = {kSteps<float>, kSteps<double>};

}  // namespace rl::cpu::RL_ISA
