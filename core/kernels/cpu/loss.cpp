#include "kernels/loss.h"

#include "kernels/cpu/exps.h"

namespace rl::cpu::RL_ISA {
namespace {

// The first wrong target. Checked before anything is computed: targets are few beside logits.
BadTarget find_bad(const int64_t* target, const ClassLoss& how) {
  for (int64_t r = 0; r < how.rows; ++r) {
    if ((target[r] < 0 || target[r] >= how.classes) && target[r] != how.ignore_index) return {r, target[r]};
  }
  return {};
}

template <class C, class T> C weight_of(const T* weight, int64_t c) {
  return weight != nullptr ? widen<C>(weight[c]) : C(1);
}

// Of each row its largest element, the sum of exp(element - largest), and that sum's logarithm, for at most kLogRows rows:
// their logarithms are taken together. The largest stays apart, because the sum of it and the logarithm is rounded at
// its size, and the small losses of sure predictions are lost in that.
constexpr int64_t kLogRows = 64;
template <class C, class T> void log_sum_exps(const T* x, int64_t rows, int64_t n, C* tops, C* sums, C* logs) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = x + r * n;
    const C top = max_of<C>(row, n);
    if (__builtin_isinf(top)) {  // an infinite element, or nothing but those (and NaNs)
      C sum = top > C(0) ? top : C(0);
      for (int64_t i = 0; i < n; ++i) sum = widen<C>(row[i]) != widen<C>(row[i]) ? widen<C>(row[i]) : sum;
      sums[r] = sum;
      tops[r] = 0;
      continue;
    }
    sums[r] = static_cast<C>(sum_exps<false, C>(row, n, top, static_cast<C*>(nullptr)));
    tops[r] = top;
  }
  for (int64_t r = 0; r < rows; ++r) logs[r] = math::log(sums[r]);
}

// The rows' losses (doubles) and weights, added in order and stored as the reduction says.
template <class T> void finish(const double* losses, const double* weights, const ClassLoss& how, void* loss,
                               double* total_weight) {
  T* out = static_cast<T*>(loss);
  double total = 0, weight = 0;
  for (int64_t r = 0; r < how.rows; ++r) weight += weights[r];
  *total_weight = weight;
  if (how.reduction == LossReduction::none) {
    for (int64_t r = 0; r < how.rows; ++r) out[r] = narrow<T>(losses[r]);
    return;
  }
  for (int64_t r = 0; r < how.rows; ++r) total += losses[r];
  out[0] = narrow<T>(how.reduction == LossReduction::mean ? total / weight : total);
}

// Without weights each class has 1.
template <class T>
double sum_of_weights(const T* weight, int64_t classes) {
  if (weight == nullptr) return static_cast<double>(classes);
  double sum = 0;
  for (int64_t c = 0; c < classes; ++c) sum += widen<double>(weight[c]);
  return sum;
}

BadTarget cross_entropy(DType dtype, const void* logits, const int64_t* target, const void* weight,
                        const ClassLoss& how, void* loss, void* norms, double* total_weight) {
  const BadTarget bad = find_bad(target, how);
  if (bad.row >= 0) return bad;
  visit_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    using C = compute_t<T>;
    const T *x = static_cast<const T*>(logits), *w = static_cast<const T*>(weight);
    C *tops = static_cast<C*>(norms), *sums = tops + how.rows;
    Scratch<double> losses(how.rows), weights(how.rows);
    const int64_t n = how.classes;
    const double smooth = how.label_smoothing;
    const double all_weights = sum_of_weights(w, n);
    parallel_for(how.rows, rows_per_task(n, 16384), [&](int64_t begin, int64_t end) {
      alignas(64) C logs[kLogRows];
      for (int64_t r = begin; r < end; ++r) {
        const int64_t at = (r - begin) % kLogRows;
        if (at == 0) log_sum_exps(x + r * n, end - r < kLogRows ? end - r : kLogRows, n, tops + r, sums + r, logs);
        const T* row = x + r * n;
        // An infinite logit leaves no distribution: NaN, as from log_softmax.
        if (sums[r] == std::numeric_limits<C>::infinity()) sums[r] = logs[at] = std::numeric_limits<C>::quiet_NaN();
        const C top = tops[r];
        if (target[r] == how.ignore_index) {
          losses[r] = weights[r] = 0;
          continue;
        }
        const double own = weight_of<C>(w, target[r]), z = logs[at];
        double value = own * (z - (widen<double>(row[target[r]]) - static_cast<double>(top)));
        if (smooth > 0) {
          const Pack<C> most = splat(top);
          double mixed = w == nullptr ? sum_packs<C>(
                                            n, [&](int64_t i) { return load<C>(row + i) - most; },
                                            [&](int64_t, int64_t rest) { return tail_of<C>(row, n, rest, top) - most; })
                                      : sum_packs<C>(
                                            n, [&](int64_t i) { return (load<C>(row + i) - most) * load<C>(w + i); },
                                            [&](int64_t, int64_t rest) {
                                              return (tail_of<C>(row, n, rest, top) - most) * tail_of<C>(w, n, rest);
                                            });
          value = (1 - smooth) * value + smooth / static_cast<double>(n) * (all_weights * z - mixed);
        }
        losses[r] = value;
        weights[r] = own;
      }
    });
    finish<T>(losses, weights, how, loss, total_weight);
  });
  return {};
}

// What a row's loss is multiplied by on its way into the result.
template <class C, class T> C row_scale(const T* grad, int64_t r, const ClassLoss& how, double total_weight) {
  if (how.reduction == LossReduction::none) return widen<C>(grad[r]);
  double g = widen<double>(grad[0]);
  return static_cast<C>(how.reduction == LossReduction::mean ? g / total_weight : g);
}

void cross_entropy_backward(DType dtype, const void* grad, const void* logits, const int64_t* target,
                            const void* weight, const ClassLoss& how, const void* norms, double total_weight,
                            void* dx) {
  visit_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    using C = compute_t<T>;
    const T *g = static_cast<const T*>(grad), *x = static_cast<const T*>(logits), *w = static_cast<const T*>(weight);
    const C *tops = static_cast<const C*>(norms), *sums = tops + how.rows;
    T* d = static_cast<T*>(dx);
    const int64_t n = how.classes;
    const double smooth = how.label_smoothing;
    const double all_weights = sum_of_weights(w, n);
    parallel_for(how.rows, rows_per_task(n, 16384), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const T* row = x + r * n;
        T* out = d + r * n;
        if (target[r] == how.ignore_index) {
          for (int64_t i = 0; i < n; ++i) out[i] = narrow<T>(C(0));
          continue;
        }
        const C top = tops[r], scale = row_scale<C>(g, r, how, total_weight), own = weight_of<C>(w, target[r]);
        const C each = static_cast<C>(smooth / static_cast<double>(n));
        const C hit = static_cast<C>((1 - smooth) * own);
        const C soft =
            scale * static_cast<C>((1 - smooth) * own + smooth / static_cast<double>(n) * all_weights) / sums[r];
        const Pack<C> most = splat(top), soft_pack = splat(soft);
        map_row<C>(row, n, out, [&](const Pack<C>& v) { return exps(v - most) * soft_pack; });
        // The target's element again, in full precision before it is rounded.
        C at = math::exp(widen<C>(row[target[r]]) - top) * soft - scale * hit;
        if (smooth > 0) {
          const C level = scale * each;
          if (w == nullptr) {
            for (int64_t i = 0; i < n; ++i) out[i] = narrow<T>(widen<C>(out[i]) - level);
          } else {
            for (int64_t i = 0; i < n; ++i) out[i] = narrow<T>(widen<C>(out[i]) - level * widen<C>(w[i]));
          }
          at -= level * weight_of<C>(w, target[r]);
        }
        out[target[r]] = narrow<T>(at);
      }
    });
  });
}

BadTarget nll(DType dtype, const void* log_probs, const int64_t* target, const void* weight, const ClassLoss& how,
              int64_t inner, void* loss, double* total_weight) {
  const BadTarget bad = find_bad(target, how);
  if (bad.row >= 0) return bad;
  visit_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    using C = compute_t<T>;
    const T *x = static_cast<const T*>(log_probs), *w = static_cast<const T*>(weight);
    Scratch<double> losses(how.rows), weights(how.rows);
    parallel_for(how.rows, 8192, [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        if (target[r] == how.ignore_index) {
          losses[r] = weights[r] = 0;
          continue;
        }
        weights[r] = weight_of<C>(w, target[r]);
        losses[r] = -weights[r] * widen<double>(x[(r / inner * how.classes + target[r]) * inner + r % inner]);
      }
    });
    finish<T>(losses, weights, how, loss, total_weight);
  });
  return {};
}

void nll_backward(DType dtype, const void* grad, const int64_t* target, const void* weight, const ClassLoss& how,
                  int64_t inner, double total_weight, void* dx) {
  visit_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    using C = compute_t<T>;
    const T *g = static_cast<const T*>(grad), *w = static_cast<const T*>(weight);
    T* d = static_cast<T*>(dx);
    const int64_t line = how.classes * inner;
    parallel_for(how.rows / inner, rows_per_task(line), [&](int64_t begin, int64_t end) {
      std::memset(static_cast<void*>(d + begin * line), 0, static_cast<size_t>((end - begin) * line) * sizeof(T));
      for (int64_t r = begin * inner; r < end * inner; ++r) {
        if (target[r] == how.ignore_index) continue;
        d[(r / inner * how.classes + target[r]) * inner + r % inner] =
            narrow<T>(-row_scale<C>(g, r, how, total_weight) * weight_of<C>(w, target[r]));
      }
    });
  });
}

template <bool Square> void distance(DType dtype, const void* x, const void* y, int64_t n, LossReduction reduction,
                                     void* loss) {
  visit_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    using C = compute_t<T>;
    const T *a = static_cast<const T*>(x), *b = static_cast<const T*>(y);
    constexpr int64_t chunk = 65536;
    const int64_t chunks = n > chunk ? (n + chunk - 1) / chunk : 1;
    double one = 0;
    Scratch<double> many(chunks > 1 ? chunks : 1);
    double* partial = chunks > 1 ? static_cast<double*>(many) : &one;
    auto measure = [](const Pack<C>& d) { return Square ? d * d : absolute(d); };
    parallel_for(chunks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t k = begin; k < end; ++k) {
        const T *p = a + k * chunk, *q = b + k * chunk;
        const int64_t count = k + 1 < chunks ? chunk : n - k * chunk;
        partial[k] = sum_packs<C>(
            count, [&](int64_t i) { return measure(load<C>(p + i) - load<C>(q + i)); },
            [&](int64_t, int64_t rest) { return measure(tail_of<C>(p, count, rest) - tail_of<C>(q, count, rest)); });
      }
    });
    double total = 0;
    for (int64_t k = 0; k < chunks; ++k) total += partial[k];
    *static_cast<T*>(loss) = narrow<T>(reduction == LossReduction::mean ? total / static_cast<double>(n) : total);
  });
}

template <bool Square>
void distance_backward(DType dtype, double scale, const void* x, const void* y, int64_t n, void* dx, void* dy) {
  visit_floating(dtype, [&](auto tag) {
    using T = decltype(tag);
    using C = compute_t<T>;
    const T *a = static_cast<const T*>(x), *b = static_cast<const T*>(y);
    const C s = static_cast<C>(scale);
    auto fill = [&](T* out, C factor) {
      if (out == nullptr) return;
      parallel_for(n, 32768, [=](int64_t begin, int64_t end) {
        const C by = factor;  // not read from memory under a condition
        for (int64_t i = begin; i < end; ++i) {
          const C d = widen<C>(a[i]) - widen<C>(b[i]);
          if constexpr (Square) {
            out[i] = narrow<T>(d * by);
          } else {
            // Three choices between numbers at hand: no branch, which signs at random would make a bad guess of.
            const C up = d > 0 ? by : C(0), down = d < 0 ? by : C(0), nan = d != d ? d : C(0);
            out[i] = narrow<T>(up - down + nan);
          }
        }
      });
    };
    fill(static_cast<T*>(dx), s);
    fill(static_cast<T*>(dy), -s);
  });
}

}  // namespace

extern const LossTable loss_table = {
    cross_entropy,           cross_entropy_backward,  nll, nll_backward, distance<true>, distance<false>,
    distance_backward<true>, distance_backward<false>};

}  // namespace rl::cpu::RL_ISA
