// The rows of scores in attention.
#include "kernels/attention.h"

#include "kernels/cpu/exps.h"

namespace rl::cpu::RL_ISA {
namespace {

template <class T> int64_t seen(const ScoreRows<T>& how, int64_t r) {
  if (how.causal < 0) return how.cols;
  const int64_t n = how.causal + r + 1;
  return n < how.cols ? n : how.cols;
}

// Rows are short, so sums stay in their type; the lanes are added in a fixed tree.
template <class T> [[gnu::always_inline]] inline T sum_few(Pack<T> p) {
  alignas(64) T v[kLanes<T>];
  store(v, p);
  for (int64_t half = kLanes<T> / 2; half > 0; half /= 2)
    for (int64_t l = 0; l < half; ++l) v[l] += v[l + half];
  return v[0];
}
template <class T, class F, class Tail> [[gnu::always_inline]] inline T sum_row(int64_t n, const F& f,
                                                                                const Tail& tail) {
  constexpr int64_t lanes = kLanes<T>;
  Pack<T> a = splat(T(0)), b = a;
  int64_t i = 0;
  for (; i + 2 * lanes <= n; i += 2 * lanes) {
    a = a + f(i);
    b = b + f(i + lanes);
  }
  if (i + lanes <= n) {
    a = a + f(i);
    i += lanes;
  }
  if (i < n) b = b + tail(n - i);
  return sum_few(a + b);
}

// Loops run over whole vectors where nothing but the scores' own padding lies behind a row.
template <class T> int64_t padded(const ScoreRows<T>& how, int64_t n) {
  if (how.mask != nullptr || how.keep != nullptr) return n;
  const int64_t m = (n + kScoreLanes - 1) / kScoreLanes * kScoreLanes;
  return m < how.ld ? m : how.ld;
}

template <class T> void softmax(const ScoreRows<T>& how, T* scores, T* inverse, T* lse) {
  const T scale = how.scale;
  for (int64_t r = 0; r < how.rows; ++r) {
    T* __restrict x = scores + r * how.ld;
    const int64_t n = seen(how, r), m = padded(how, n);
    if (how.mask != nullptr) {
      const T* add = how.mask + r * how.mask_ld;
      for (int64_t i = 0; i < n; ++i) x[i] = x[i] * scale + add[i];
    } else {
      for (int64_t i = 0; i < m; ++i) x[i] *= scale;
      for (int64_t i = n; i < m; ++i) x[i] = lowest_of<T>();
    }
    const T top = max_of<T>(x, m);
    for (int64_t i = m; i < how.cols; ++i) x[i] = 0;
    if (lse != nullptr) lse[r] = top;
    if (top == lowest_of<T>()) {  // nothing to attend to: as if the sum were infinite
      T total = -lowest_of<T>();
      for (int64_t i = 0; i < n; ++i) total = x[i] != x[i] ? x[i] : total;
      for (int64_t i = 0; i < m; ++i) x[i] = 0;
      inverse[r] = total;
      if (lse != nullptr) lse[r] = 0;
      continue;
    }
    for (int64_t i = 0; i < m; ++i) x[i] = exp_or_zero(x[i] - top);
    inverse[r] =
        sum_row<T>(m, [&](int64_t i) { return load<T>(x + i); }, [&](int64_t rest) { return tail_of<T>(x, m, rest); });
    if (how.keep != nullptr) {
      const T* k = how.keep + r * how.keep_ld;
      for (int64_t i = 0; i < n; ++i) x[i] *= k[i];
    }
  }
  if (lse != nullptr) {
    for (int64_t r = 0; r < how.rows; ++r) lse[r] += math::log(inverse[r]);
  }
  for (int64_t r = 0; r < how.rows; ++r) inverse[r] = T(1) / inverse[r];
}

template <class T> void gradient(const ScoreRows<T>& how, T* scores, T* dscores, const T* lse, const T* delta) {
  for (int64_t r = 0; r < how.rows; ++r) {
    T* __restrict x = scores + r * how.ld, * __restrict d = dscores + r * how.ld;
    const int64_t n = seen(how, r), m = padded(how, n);
    const T top = lse[r], shift = delta[r], scale = how.scale;
    if (how.mask != nullptr) {
      const T* add = how.mask + r * how.mask_ld;
      for (int64_t i = 0; i < n; ++i) x[i] = exp_or_zero(x[i] * scale + add[i] - top);
    } else {
      for (int64_t i = 0; i < m; ++i) x[i] = exp_or_zero(x[i] * scale - top);
    }
    if (how.keep != nullptr) {
      const T* k = how.keep + r * how.keep_ld;
      for (int64_t i = 0; i < n; ++i) {
        d[i] = x[i] * (d[i] * k[i] - shift) * scale;
        x[i] *= k[i];
      }
    } else {
      for (int64_t i = 0; i < m; ++i) d[i] = x[i] * (d[i] - shift) * scale;
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
    out[r] = sum_row<T>(
        n, [&](int64_t i) { return load<T>(x + i) * load<T>(y + i); },
        [&](int64_t rest) { return tail_of<T>(x, n, rest) * tail_of<T>(y, n, rest); });
  }
}

template <class T> constexpr AttentionSteps<T> kSteps = {softmax<T>, gradient<T>, scale<T>, dots<T>};

}  // namespace

extern const AttentionTable attention_table = {kSteps<float>, kSteps<double>};

}  // namespace rl::cpu::RL_ISA
