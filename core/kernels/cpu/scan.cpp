#include "kernels/scan.h"

#include <cmath>

#include "kernels/cpu/rows.h"
#include "kernels/pointwise/math.h"

namespace rl::cpu::RL_ISA {
namespace {

constexpr int64_t kStripe = 512;     // columns carried together
constexpr int64_t kChunk = 65536;    // a long row is cut here, whatever the number of threads
constexpr int64_t kMinParallel = 4;  // rows or stripes from which a row need not be cut

template <class R> struct Pair {
  R re, im;
  friend Pair operator+(Pair a, Pair b) { return {a.re + b.re, a.im + b.im}; }
  // Explicit fma: compilers fuse the pattern of a complex product on some instruction sets only.
  friend Pair operator*(Pair a, Pair b) {
    return {__builtin_fma(a.re, b.re, -(a.im * b.im)), __builtin_fma(a.re, b.im, a.im * b.re)};
  }
};

// The type that carries the running value, and the one that is stored.
template <class T> struct Carried {
  using type = std::conditional_t<std::is_floating_point_v<compute_t<T>>, double, int64_t>;
  using out = std::conditional_t<std::is_floating_point_v<compute_t<T>>, T, int64_t>;
};
template <class R> struct Carried<Pair<R>> {
  using type = Pair<double>;
  using out = Pair<R>;
};

template <class A, class T> [[gnu::always_inline]] inline A carry_of(T v) {
  if constexpr (std::is_same_v<A, Pair<double>>)
    return {static_cast<double>(v.re), static_cast<double>(v.im)};
  else
    return widen<A>(v);
}
template <class O, class A> [[gnu::always_inline]] inline O stored(A v) {
  if constexpr (std::is_same_v<A, Pair<double>>)
    return {static_cast<decltype(O::re)>(v.re), static_cast<decltype(O::re)>(v.im)};
  else if constexpr (std::is_same_v<A, int64_t>)
    return static_cast<O>(v);
  else
    return narrow<O>(v);
}

struct Plus {
  static constexpr int64_t unit = 0;
  template <class A> [[gnu::always_inline]] static A call(A a, A b) { return a + b; }
};
struct Times {
  static constexpr int64_t unit = 1;
  template <class A> [[gnu::always_inline]] static A call(A a, A b) { return a * b; }
};
template <class A, class Op> [[gnu::always_inline]] inline A unit_of() {
  if constexpr (std::is_same_v<A, Pair<double>>)
    return {static_cast<double>(Op::unit), 0.0};
  else
    return static_cast<A>(Op::unit);
}

// Runs over n elements with the given step (1 or -1), four at a time: the chain through `carry` is one operation per
// four. out == nullptr: only the carry is wanted.
template <class Op, bool Write, class T, class O, class A>
[[gnu::noinline]] A run_row(const T* x, int64_t n, int64_t step, O* out, A carry) {
  for (int64_t quads = n / 4; quads > 0; --quads) {
    const A a = carry_of<A>(x[0]), b = Op::call(a, carry_of<A>(x[step])), c0 = carry_of<A>(x[2 * step]);
    const A c = Op::call(b, c0), d = Op::call(b, Op::call(c0, carry_of<A>(x[3 * step])));
    if constexpr (Write) {
      out[0] = stored<O>(Op::call(carry, a));
      out[step] = stored<O>(Op::call(carry, b));
      out[2 * step] = stored<O>(Op::call(carry, c));
    }
    carry = Op::call(carry, d);
    if constexpr (Write) {
      out[3 * step] = stored<O>(carry);
      out += 4 * step;
    }
    x += 4 * step;
  }
  for (int64_t rest = n & 3; rest > 0; --rest) {
    carry = Op::call(carry, carry_of<A>(x[0]));
    if constexpr (Write) {
      out[0] = stored<O>(carry);
      out += step;
    }
    x += step;
  }
  return carry;
}

template <class Op, class T> void accumulate(const T* x, bool reverse, int64_t outer, int64_t n, int64_t inner,
                                             void* out) {
  using A = typename Carried<T>::type;
  using O = typename Carried<T>::out;
  O* o = static_cast<O*>(out);
  const int64_t step = reverse ? -1 : 1;
  if (n <= 0) return;
  if (inner == 1 && (n < 4 * kChunk || outer >= kMinParallel)) {
    parallel_for_light(outer, rows_per_task(n, 8192), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const int64_t first = r * n + (reverse ? n - 1 : 0);
        run_row<Op, true>(x + first, n, step, o + first, unit_of<A, Op>());
      }
    });
    return;
  }
  if (inner == 1) {
    // Totals of the chunks first, then every chunk from its own start.
    const int64_t chunks = (n + kChunk - 1) / kChunk;
    Scratch<A> carry(chunks);
    for (int64_t r = 0; r < outer; ++r) {
      const T* row = x + r * n + (reverse ? n - 1 : 0);
      O* to = o + r * n + (reverse ? n - 1 : 0);
      auto length = [&](int64_t c) { return c + 1 < chunks ? kChunk : n - c * kChunk; };
      parallel_for(chunks - 1, 1, [&](int64_t begin, int64_t end) {
        for (int64_t c = begin; c < end; ++c) {
          carry[c] = run_row<Op, false>(row + c * kChunk * step, kChunk, step, to, unit_of<A, Op>());
        }
      });
      A total = unit_of<A, Op>();
      for (int64_t c = 0; c < chunks; ++c) {
        A own = c + 1 < chunks ? carry[c] : total;
        carry[c] = total;
        if (c + 1 < chunks) total = Op::call(total, own);
      }
      parallel_for(chunks, 1, [&](int64_t begin, int64_t end) {
        for (int64_t c = begin; c < end; ++c) {
          run_row<Op, true>(row + c * kChunk * step, length(c), step, to + c * kChunk * step, carry[c]);
        }
      });
    }
    return;
  }
  const int64_t stripes = (inner + kStripe - 1) / kStripe, width = (inner + stripes - 1) / stripes;
  parallel_for(outer * stripes, rows_per_task(n * width), [&](int64_t begin, int64_t end) {
    alignas(64) A carry[kStripe];
    for (int64_t t = begin; t < end; ++t) {
      const int64_t from = t % stripes * width, count = from + width < inner ? width : inner - from;
      for (int64_t i = 0; i < count; ++i) carry[i] = unit_of<A, Op>();
      for (int64_t k = 0; k < n; ++k) {
        const int64_t at = (t / stripes * n + (reverse ? n - 1 - k : k)) * inner + from;
        const T* row = x + at;
        O* to = o + at;
        for (int64_t i = 0; i < count; ++i) {
          carry[i] = Op::call(carry[i], carry_of<A>(row[i]));
          to[i] = stored<O>(carry[i]);
        }
      }
    }
  });
}

template <class Op> void accumulate_any(DType in, bool reverse, const void* x, int64_t outer, int64_t n, int64_t inner,
                                        void* out) {
  visit_dtype(in, [&](auto tag) {
    using T = decltype(tag);
    if constexpr (std::is_same_v<T, bool>) {
      accumulate<Op>(static_cast<const uint8_t*>(x), reverse, outer, n, inner, out);
    } else if constexpr (is_complex_v<T>) {
      accumulate<Op>(static_cast<const Pair<typename T::value_type>*>(x), reverse, outer, n, inner, out);
    } else {
      accumulate<Op>(static_cast<const T*>(x), reverse, outer, n, inner, out);
    }
  });
}

void cumsum(DType in, bool reverse, const void* x, int64_t outer, int64_t n, int64_t inner, void* out) {
  accumulate_any<Plus>(in, reverse, x, outer, n, inner, out);
}
void cumprod(DType in, const void* x, int64_t outer, int64_t n, int64_t inner, void* out) {
  accumulate_any<Times>(in, false, x, outer, n, inner, out);
}

template <bool Max, class T> void extremes(const T* x, int64_t outer, int64_t n, int64_t inner, T* values,
                                           int64_t* indices) {
  using C = compute_t<T>;
  using I = IntOf<C>;
  if (n <= 0) return;
  const int64_t stripes = (inner + kStripe - 1) / kStripe, width = (inner + stripes - 1) / stripes;
  parallel_for(outer * stripes, rows_per_task(n * width), [&](int64_t begin, int64_t end) {
    alignas(64) C best[kStripe];
    alignas(64) I where[kStripe];
    for (int64_t t = begin; t < end; ++t) {
      const int64_t from = t % stripes * width, count = from + width < inner ? width : inner - from;
      const int64_t first = t / stripes * n * inner + from;
      if (inner == 1) {
        C top = widen<C>(x[first]);
        int64_t at = 0;
        for (int64_t k = 0; k < n; ++k) {
          C v = widen<C>(x[first + k]);
          if (v != v || (Max ? v >= top : v <= top)) top = v, at = k;
          values[first + k] = narrow<T>(top);
          indices[first + k] = at;
        }
        continue;
      }
      for (int64_t i = 0; i < count; ++i) best[i] = widen<C>(x[first + i]), where[i] = 0;
      for (int64_t k = 0; k < n; ++k) {
        const T* row = x + first + k * inner;
        T* v_out = values + first + k * inner;
        int64_t* i_out = indices + first + k * inner;
        for (int64_t i = 0; i < count; ++i) {
          C v = widen<C>(row[i]);
          bool take = (Max ? v >= best[i] : v <= best[i]) | (v != v);
          best[i] = take ? v : best[i];
          where[i] = take ? static_cast<I>(k) : where[i];
          v_out[i] = narrow<T>(best[i]);
          i_out[i] = where[i];
        }
      }
    }
  });
}

template <bool Max>
void extremes_any(DType in, const void* x, int64_t outer, int64_t n, int64_t inner, void* values, int64_t* indices) {
  visit_dtype(in, [&](auto tag) {
    using T = decltype(tag);
    if constexpr (std::is_same_v<T, bool>) {
      extremes<Max>(static_cast<const uint8_t*>(x), outer, n, inner, static_cast<uint8_t*>(values), indices);
    } else if constexpr (!is_complex_v<T>) {
      extremes<Max>(static_cast<const T*>(x), outer, n, inner, static_cast<T*>(values), indices);
    }
  });
}

// log(exp(a) + exp(b)), infinities and NaN included.
[[gnu::always_inline]] inline double log_add(double a, double b) {
  double high = a > b ? a : b, low = a > b ? b : a;
  double sum = high + std::log1p(std::exp(low - high));
  return a != a || b != b ? a + b : high == low && std::isinf(high) ? high : sum;
}

// A block is summed relative to its largest element where the spread is small enough for that to lose nothing;
// otherwise element after element.
template <class T> void log_row(const T* x, int64_t n, T* out) {
  constexpr int64_t kBlock = 256;
  alignas(64) double values[kBlock], sums[kBlock];
  double carry = lowest_of<double>();
  for (int64_t from = 0; from < n; from += kBlock) {
    const int64_t count = from + kBlock < n ? kBlock : n - from;
    double top = carry;
    for (int64_t i = 0; i < count; ++i) values[i] = widen<double>(x[from + i]);
    for (int64_t i = 0; i < count; ++i) top = extreme<true>(top, values[i]);
    const double floor = carry > values[0] ? carry : values[0];
    if (!(top - floor < 30) || std::isinf(floor)) {
      for (int64_t i = 0; i < count; ++i) {
        carry = log_add(carry, values[i]);
        out[from + i] = narrow<T>(carry);
      }
      continue;
    }
    double sum = math::exp(carry - top);
    for (int64_t i = 0; i < count; ++i) values[i] = math::exp(values[i] - top);
    for (int64_t i = 0; i < count; ++i) sums[i] = sum += values[i];
    for (int64_t i = 0; i < count; ++i) sums[i] = math::log(sums[i]) + top;
    for (int64_t i = 0; i < count; ++i) out[from + i] = narrow<T>(sums[i]);
    carry = sums[count - 1];
  }
}

void logcumsumexp(DType in, const void* x, int64_t outer, int64_t n, int64_t inner, void* out) {
  visit_floating(in, [&](auto tag) {
    using T = decltype(tag);
    const T* p = static_cast<const T*>(x);
    T* o = static_cast<T*>(out);
    if (n <= 0) return;
    if (inner == 1) {
      parallel_for(outer, rows_per_task(n, 4096), [&](int64_t begin, int64_t end) {
        for (int64_t r = begin; r < end; ++r) log_row(p + r * n, n, o + r * n);
      });
      return;
    }
    constexpr int64_t kColumns = 64;
    const int64_t stripes = (inner + kColumns - 1) / kColumns;
    parallel_for(outer * stripes, rows_per_task(n * kColumns, 4096), [&](int64_t begin, int64_t end) {
      alignas(64) double top[kColumns], sum[kColumns], old[kColumns];
      for (int64_t t = begin; t < end; ++t) {
        const int64_t from = t % stripes * kColumns, count = from + kColumns < inner ? kColumns : inner - from;
        for (int64_t i = 0; i < count; ++i) top[i] = lowest_of<double>(), sum[i] = 0;
        for (int64_t k = 0; k < n; ++k) {
          const int64_t at = (t / stripes * n + k) * inner + from;
          for (int64_t i = 0; i < count; ++i) {
            double v = widen<double>(p[at + i]), high = v > top[i] ? v : top[i];
            double base = __builtin_isinf(high) ? 0 : high;
            old[i] = base;
            sum[i] = sum[i] * math::exp((__builtin_isinf(top[i]) && top[i] < 0 ? base : top[i]) - base) +
                     math::exp(v - base);
            top[i] = high;
          }
          for (int64_t i = 0; i < count; ++i) o[at + i] = narrow<T>(math::log(sum[i]) + old[i]);
        }
      }
    });
  });
}

}  // namespace

extern const ScanTable scan_table = {cumsum, cumprod, extremes_any<true>, extremes_any<false>, logcumsumexp};

}  // namespace rl::cpu::RL_ISA
