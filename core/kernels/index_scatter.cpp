// Every destination receives its contributions in index order, whatever the number of threads: work is split across
// the dims that are not indexed, or by ranges of destinations, never across the index.
#include "kernels/index_scatter.h"

#include <algorithm>
#include <cstring>
#include <memory>

#include "kernels/copy.h"
#include "runtime/parallel.h"

namespace rl::cpu {
namespace {

constexpr int64_t kGrain = 1 << 14;

template <Scatter op, class T>
inline void combine(T& d, const T& s) {
  if constexpr (op == Scatter::assign) {
    d = s;
  } else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
    float a = static_cast<float>(d);
    combine<op>(a, static_cast<float>(s));
    d = T(a);
  } else if constexpr (std::is_same_v<T, bool>) {
    if constexpr (op == Scatter::add || op == Scatter::max) {
      d = d | s;
    } else {
      d = d & s;
    }
  } else if constexpr (op == Scatter::add) {
    d = static_cast<T>(d + s);
  } else if constexpr (op == Scatter::mul) {
    if constexpr (is_complex_v<T>) {
      d = T(d.real() * s.real() - d.imag() * s.imag(), d.real() * s.imag() + d.imag() * s.real());
    } else {
      d = static_cast<T>(d * s);
    }
  } else if constexpr (is_complex_v<T>) {
    d = s;  // complex has no order: the op never asks
  } else if constexpr (op == Scatter::min) {
    d = (s < d || s != s) && d == d ? s : d;
  } else {
    d = (s > d || s != s) && d == d ? s : d;
  }
}

// d = a + b, by vectors: this file is compiled without the vectoriser.
template <class T>
void add_row(T* d, const T* a, const T* b, int64_t n) {
  constexpr int64_t N = 16 / static_cast<int64_t>(sizeof(T));
  typedef T V __attribute__((vector_size(16)));
  int64_t i = 0;
#pragma GCC unroll 4
  for (; i + N <= n; i += N) {
    V x, y;
    std::memcpy(&x, a + i, 16);
    std::memcpy(&y, b + i, 16);
    x += y;
    std::memcpy(d + i, &x, 16);
  }
  for (; i < n; ++i) d[i] = a[i] + b[i];
}

// What is moved as it is has a size and no type.
struct Item16 {
  uint64_t low, high;
};

template <class F>
inline void visit_op(Scatter op, DType dtype, F&& f) {
  if (op == Scatter::assign) {
    std::integral_constant<Scatter, Scatter::assign> assign;
    switch (item_size(dtype)) {
      case 1: return f(assign, uint8_t{});
      case 2: return f(assign, uint16_t{});
      case 4: return f(assign, uint32_t{});
      case 8: return f(assign, uint64_t{});
      default: return f(assign, Item16{});
    }
  }
  auto with = [&](auto tag) { visit_dtype(dtype, [&](auto t) { f(tag, t); }); };
  // Sums and products have the same bits, signed or not.
  if (dtype == DType::I8 && (op == Scatter::add || op == Scatter::mul)) dtype = DType::U8;
  switch (op) {
    case Scatter::add: return with(std::integral_constant<Scatter, Scatter::add>{});
    case Scatter::mul: return with(std::integral_constant<Scatter, Scatter::mul>{});
    case Scatter::min: return with(std::integral_constant<Scatter, Scatter::min>{});
    default: return with(std::integral_constant<Scatter, Scatter::max>{});
  }
}

void or_row(uint8_t* d, const uint8_t* s, int64_t n) {
  int64_t i = 0;
  for (; i + 8 <= n; i += 8) {
    uint64_t x, y;
    std::memcpy(&x, d + i, 8);
    std::memcpy(&y, s + i, 8);
    x |= y;
    std::memcpy(d + i, &x, 8);
  }
  for (; i < n; ++i) d[i] |= s[i];
}

// The same of short floats, a piece at a time as float.
template <class T>
void add_short_row(T* d, const T* s, int64_t n) {
  constexpr int64_t kPiece = 256;
  const auto convert = copy().convert_block;
  alignas(64) float sum[kPiece], term[kPiece];
  for (int64_t b = 0; b < n; b += kPiece) {
    const int64_t m = std::min(kPiece, n - b);
    convert(sum, DType::F32, d + b, dtype_of_v<T>, 1, m);
    convert(term, DType::F32, s + b, dtype_of_v<T>, 1, m);
    add_row(sum, sum, term, m);
    convert(d + b, dtype_of_v<T>, sum, DType::F32, 1, m);
  }
}

template <class T>
void fill_row(T* d, T value, int64_t n) {
  constexpr int64_t kStep = 64 / static_cast<int64_t>(sizeof(T));
  int64_t i = 0;
  if (n >= kStep) {
    alignas(64) T line[kStep];
    for (T& v : line) v = value;
    for (; i + kStep <= n; i += kStep) std::memcpy(d + i, line, 64);
  }
  for (; i < n; ++i) d[i] = value;
}

// d[i] op= s[i]
template <Scatter op, class T>
inline void combine_row(T* d, int64_t ds, const T* s, int64_t ss, int64_t n) {
  constexpr int64_t kLong = 32;  // what is shorter costs less than a call
  if (ds == 1 && n * static_cast<int64_t>(sizeof(T)) >= kLong) {
    if constexpr (op == Scatter::assign) {
      if (ss == 1) return static_cast<void>(std::memcpy(d, s, static_cast<size_t>(n) * sizeof(T)));
      if (ss == 0) return fill_row(d, *s, n);
    } else if constexpr (op == Scatter::add) {
      if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
        if (ss == 1) return add_short_row(d, s, n);
      } else if constexpr (std::is_same_v<T, bool>) {
        if (ss == 1) return or_row(reinterpret_cast<uint8_t*>(d), reinterpret_cast<const uint8_t*>(s), n);
      } else if constexpr (std::is_arithmetic_v<T>) {
        if (ss == 1) return add_row(d, d, s, n);
      }
    }
  }
  for (int64_t i = 0; i < n; ++i) combine<op>(d[i * ds], s[i * ss]);
}

// d[index[j] * step] op= s[j * ss]. Apart, so that nothing of it has an address that d could point to.
template <Scatter op, class T>
[[gnu::noinline]] void scatter_run(T* __restrict d, int64_t step, const T* __restrict s, int64_t ss,
                                   const int64_t* __restrict x, int64_t xs, int64_t n, int64_t skip) {
  if (step == 1 && ss == 1 && xs == 1 && skip < 0) {
    for (int64_t j = 0; j < n; ++j) combine<op>(d[x[j]], s[j]);
    return;
  }
  for (int64_t j = 0; j < n; ++j, s += ss, x += xs)
    if (*x != skip) combine<op>(d[*x * step], *s);
}

// d[i * ds + index[i * xs] * step] op= s[i * ss]
template <Scatter op, class T>
[[gnu::noinline]] void scatter_across(T* __restrict d, int64_t ds, int64_t step, const T* __restrict s, int64_t ss,
                                      const int64_t* __restrict x, int64_t xs, int64_t n) {
  if (ds == 1 && ss == 1 && xs == 1) {
    for (int64_t i = 0; i < n; ++i) combine<op>(d[i + x[i] * step], s[i]);
    return;
  }
  for (int64_t i = 0; i < n; ++i, d += ds, s += ss, x += xs) combine<op>(d[*x * step], *s);
}

// One destination line: d[index[j] * step] op= s[j * ss]. A long one is split by ranges of the index's value.
template <Scatter op, class T>
void scatter_line(T* d, int64_t step, const T* s, int64_t ss, const int64_t* x, int64_t xs, int64_t n, int64_t skip) {
  int64_t high = 0;
  if (n > 1 << 21 && num_threads() > 1 && !in_parallel_region()) {
    for (int64_t j = 0; j < n; ++j) high = std::max(high, x[j * xs]);
  }
  if (high <= 1 << 16) return scatter_run<op>(d, step, s, ss, x, xs, n, skip);
  int64_t parts = std::min<int64_t>(num_threads(), 8), width = high / parts + 1;
  parallel_for(parts, 1, [=](int64_t begin, int64_t end) {
    uint64_t low = static_cast<uint64_t>(begin * width), count = static_cast<uint64_t>((end - begin) * width);
    // The indices in range are picked out first, without branches: which part an index belongs to is a coin toss.
    constexpr int64_t kBlock = 2048;
    int32_t mine[kBlock];
    for (int64_t b = 0; b < n; b += kBlock) {
      int32_t m = static_cast<int32_t>(std::min(kBlock, n - b));
      int64_t held = 0;
      for (int32_t j = 0; j < m; ++j) {
        int64_t v = x[(b + j) * xs];
        mine[held] = j;
        held += (static_cast<uint64_t>(v) - low < count) & (v != skip);
      }
      for (int64_t k = 0; k < held; ++k) {
        int64_t j = b + mine[k];
        combine<op>(d[x[j * xs] * step], s[j * ss]);
      }
    }
  });
}

}  // namespace

void scatter_rows(void* dst, DType dtype, RowLayout dl, const void* src, RowLayout sl, const int64_t* index,
                  int64_t outer, int64_t n, int64_t inner, Scatter op, int64_t skip) {
  visit_op(op, dtype, [&](auto tag, auto t) {
    using T = decltype(t);
    constexpr Scatter kOp = decltype(tag)::value;
    T* d = static_cast<T*>(dst);
    const T* s = static_cast<const T*>(src);
    if (inner == 1 && outer == 1) {
      scatter_line<kOp>(d, dl.index_stride, s, sl.index_stride, index, 1, n, skip);
      return;
    }
    // Pieces of the inner dim of at least a cache line; enough of them for the threads.
    int64_t piece = inner;
    if (outer < 4 && inner >= 32) piece = std::max<int64_t>(16, (inner / 2 + 15) / 16 * 16);
    int64_t pieces = (inner + piece - 1) / piece;
    parallel_for(outer * pieces, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, n * piece)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t u = begin; u < end; ++u) {
                     int64_t o = u / pieces, b = u % pieces * piece, m = std::min(piece, inner - b);
                     T* dp = d + o * dl.outer_stride + b * dl.inner_stride;
                     const T* sp = s + o * sl.outer_stride + b * sl.inner_stride;
                     if (m == 1) {
                       scatter_run<kOp>(dp, dl.index_stride, sp, sl.index_stride, index, 1, n, skip);
                       continue;
                     }
                     for (int64_t j = 0; j < n; ++j)
                       if (index[j] != skip)
                         combine_row<kOp>(dp + index[j] * dl.index_stride, dl.inner_stride, sp + j * sl.index_stride,
                                          sl.inner_stride, m);
                   }
                 });
  });
}

void add_rows(void* dst, const void* base, DType dtype, const void* src, const int64_t* index, int64_t outer,
              int64_t rows, int64_t n, int64_t inner) {
  // The sources of each row as a list, in order: every row is then written once, by one thread.
  auto head = std::make_unique<int64_t[]>(static_cast<size_t>(rows));
  auto next = std::make_unique<int64_t[]>(static_cast<size_t>(n));
  for (int64_t r = 0; r < rows; ++r) head[r] = -1;
  for (int64_t j = n; j-- > 0;) {
    next[j] = head[index[j]];
    head[index[j]] = j;
  }
  auto run = [&](auto zero) {
    using T = decltype(zero);
    parallel_for_light(outer * rows, std::max<int64_t>(1, kGrain / inner), [&](int64_t begin, int64_t end) {
      for (int64_t u = begin; u < end; ++u) {
        T* d = static_cast<T*>(dst) + u * inner;
        const T* from = static_cast<const T*>(base) + u * inner;
        int64_t j = head[u % rows];
        if (j < 0 && from != d) std::memcpy(d, from, static_cast<size_t>(inner) * sizeof(T));
        for (; j >= 0; j = next[j], from = d)
          add_row(d, from, static_cast<const T*>(src) + (u / rows * n + j) * inner, inner);
      }
    });
  };
  if (dtype == DType::F64) return run(double{});
  run(float{});
}

void scatter(void* dst, DType dtype, const int64_t* ds, const void* src, const int64_t* ss, const int64_t* index,
             const int64_t* is, const int64_t* sizes, int ndim, int dim, Scatter op) {
  int64_t n[64], a[64], b[64], c[64], total = 1;
  int nd = 0;
  int64_t nk = 1, step = 1, sk = 0, ik = 0;  // the indexed dim
  if (ndim > 0) nk = sizes[dim], step = ds[dim], sk = ss[dim], ik = is[dim];
  for (int i = 0; i < ndim; ++i) {
    if (sizes[i] == 0) return;
    if (sizes[i] == 1 || i == dim) continue;
    n[nd] = sizes[i], a[nd] = ds[i], b[nd] = ss[i], c[nd] = is[i];
    total *= sizes[i];
    ++nd;
  }
  visit_op(op, dtype, [&](auto tag, auto t) {
    using T = decltype(t);
    constexpr Scatter kOp = decltype(tag)::value;
    T* d = static_cast<T*>(dst);
    const T* s = static_cast<const T*>(src);
    if (nd == 0) {
      scatter_line<kOp>(d, step, s, sk, index, ik, nk, -1);
      return;
    }
    // Columns move together when they lie closer than the indexed dim's items; else each line is done alone.
    int in = nd - 1;
    bool columns = c[in] <= ik || nk == 1;
    int64_t width = columns ? std::min<int64_t>(n[in], 512) : 1;
    if (columns && total / width < 4) width = std::min<int64_t>(width, std::max<int64_t>(16, total / 4));
    int64_t per = (n[in] + width - 1) / width, units = total / n[in] * per;
    parallel_for(units, std::max<int64_t>(1, kGrain / std::max<int64_t>(1, nk * width)),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t u = begin; u < end; ++u) {
                     int64_t i0 = u % per * width, rest = u / per, m = std::min(width, n[in] - i0);
                     int64_t oa = i0 * a[in], ob = i0 * b[in], oc = i0 * c[in];
                     for (int i = in - 1; i >= 0; --i) {
                       int64_t r = rest % n[i];
                       rest /= n[i];
                       oa += r * a[i], ob += r * b[i], oc += r * c[i];
                     }
                     if (m == 1) {
                       scatter_line<kOp>(d + oa, step, s + ob, sk, index + oc, ik, nk, -1);
                       continue;
                     }
                     for (int64_t k = 0; k < nk; ++k)
                       scatter_across<kOp>(d + oa, a[in], step, s + ob + k * sk, b[in], index + oc + k * ik, c[in], m);
                   }
                 });
  });
}

}  // namespace rl::cpu
