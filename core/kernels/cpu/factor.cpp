// Recursive: a problem is halved until a small one is left, and what joins the halves is a matrix product.
// Reference: Elmroth et al., Recursive blocked algorithms and hybrid data structures for dense matrix library software
// (2004)
#include "kernels/factor.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/complex_parts.h"
#include "kernels/cpu/loop.h"
#include "kernels/gemm.h"

namespace rl::cpu::RL_ISA {
namespace {

constexpr int64_t kSmall = 16;

int64_t half(int64_t n) { return (n / 2 + kSmall - 1) / kSmall * kSmall; }

template <class T>
inline double size_of(T a) {
  return std::fabs(static_cast<double>(a));
}
template <class R>
inline double size_of(std::complex<R> a) {  // as LAPACK measures pivots
  return std::fabs(static_cast<double>(a.real())) + std::fabs(static_cast<double>(a.imag()));
}

// Part of a matrix.
template <class T>
struct Part {
  T* data;
  int64_t row;
  T* operator[](int64_t i) const { return data + i * row; }
  Part from(int64_t i, int64_t j) const { return {data + i * row + j, row}; }
};

// to -= by * from
template <class T>
inline void subtract_row(T* to, T by, const T* from, int64_t n) {
  RL_INDEPENDENT_ITERATIONS
  for (int64_t i = 0; i < n; ++i) to[i] -= times(by, from[i]);
}

// c [m, n] -= a [m, k] b [k, n]
template <class T>
void subtract_product(Part<T> c, int64_t m, int64_t n, int64_t k, Part<const T> a, Matrix<const T> b) {
  if (m == 0 || n == 0 || k == 0) return;
  GemmArgs<T> g;
  g.m = m, g.n = n, g.k = k;
  g.a = {a.data, a.row, 1};
  g.b = b;
  g.c = {c.data, c.row, 1};
  g.alpha = T(-1), g.beta = T(1);
  gemm(g);
}

// c [m, n] -= a [m, k] b^H, where b is [n, k]
template <class T>
void subtract_adjoint_product(Part<T> c, int64_t m, int64_t n, int64_t k, Part<const T> a, Part<const T> b) {
  if constexpr (std::is_floating_point_v<T>) {
    subtract_product(c, m, n, k, a, Matrix<const T>{b.data, 1, b.row});
  } else {
    std::vector<T> turned(static_cast<size_t>(n * k));
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j < k; ++j) turned[static_cast<size_t>(j * n + i)] = conjugate(b[i][j]);
    subtract_product(c, m, n, k, a, Matrix<const T>{turned.data(), n, 1});
  }
}

// --- triangular systems ------------------------------------------------------------------------------------------------

// One right side: dot products along the rows, summed in lanes so that they are vectors.
template <class T>
void solve_vector(Part<const T> a, int64_t n, T* b, int64_t step, bool upper, bool unit) {
  constexpr int64_t lanes = 8;
  std::vector<T> x(static_cast<size_t>(n));
  for (int64_t turn = 0; turn < n; ++turn) {
    const int64_t i = upper ? n - 1 - turn : turn, begin = upper ? i + 1 : 0, count = upper ? n - begin : i;
    const T* row = a[i] + begin;
    const T* known = x.data() + begin;
    T sums[lanes] = {};
    int64_t j = 0;
    for (; j + lanes <= count; j += lanes)
      for (int64_t l = 0; l < lanes; ++l) sums[l] += times(row[j + l], known[j + l]);
    T sum = 0;
    for (; j < count; ++j) sum += times(row[j], known[j]);
    for (T s : sums) sum += s;
    const T rest = b[i * step] - sum;
    x[static_cast<size_t>(i)] = unit ? rest : rest / a[i][i];
  }
  for (int64_t i = 0; i < n; ++i) b[i * step] = x[static_cast<size_t>(i)];
}

template <class T>
void solve_part(Part<const T> a, int64_t n, Part<T> b, int64_t columns, bool upper, bool unit) {
  if (n <= kSmall) {
    for (int64_t turn = 0; turn < n; ++turn) {
      const int64_t i = upper ? n - 1 - turn : turn;
      for (int64_t j = upper ? i + 1 : 0; j < (upper ? n : i); ++j) subtract_row(b[i], a[i][j], b[j], columns);
      if (unit) continue;
      const T pivot = a[i][i];
      for (int64_t j = 0; j < columns; ++j) b[i][j] /= pivot;
    }
    return;
  }
  const int64_t h = half(n);
  auto lower_rows = [&] { solve_part(a.from(h, h), n - h, b.from(h, 0), columns, upper, unit); };
  if (upper) {
    lower_rows();
    subtract_product(b, h, columns, n - h, a.from(0, h), Matrix<const T>{b[h], b.row, 1});
    solve_part(a, h, b, columns, upper, unit);
  } else {
    solve_part(a, h, b, columns, upper, unit);
    subtract_product(b.from(h, 0), n - h, columns, h, a.from(h, 0), Matrix<const T>{b.data, b.row, 1});
    lower_rows();
  }
}

template <class T>
void solve(const T* a, int64_t n, T* b, int64_t columns, bool upper, bool unit) {
  constexpr int64_t few = 4;
  if (columns <= few && n > kSmall)
    for (int64_t j = 0; j < columns; ++j) solve_vector(Part<const T>{a, n}, n, b + j, columns, upper, unit);
  else
    solve_part(Part<const T>{a, n}, n, Part<T>{b, columns}, columns, upper, unit);
}

// x [rows, n] becomes the X of X L^H = A.
template <class T>
void solve_right(Part<const T> l, int64_t n, Part<T> x, int64_t rows) {
  if (n <= kSmall) {
    T turned[kSmall][kSmall] = {};
    for (int64_t i = 0; i < n; ++i)
      for (int64_t j = 0; j <= i; ++j) turned[j][i] = conjugate(l[i][j]);
    for (int64_t r = 0; r < rows; ++r) {
      T row[kSmall] = {}, known[kSmall] = {};  // of fixed length, for vectors
      std::copy_n(x[r], n, row);
      for (int64_t k = 0; k < n; ++k) {
        known[k] = row[k] / turned[k][k];
        subtract_row(row, known[k], turned[k], kSmall);
      }
      std::copy_n(known, n, x[r]);
    }
    return;
  }
  const int64_t h = half(n);
  solve_right(l, h, x, rows);
  subtract_adjoint_product<T>(x.from(0, h), rows, n - h, h, {x.data, x.row}, l.from(h, 0));
  solve_right(l.from(h, h), n - h, x.from(0, h), rows);
}

// --- Cholesky ----------------------------------------------------------------------------------------------------------

// The lower triangle of c [n, n] -= a [n, k] a^H
template <class T>
void subtract_square(Part<T> c, int64_t n, int64_t k, Part<const T> a) {
  constexpr int64_t whole = 128;
  if (n <= whole) return subtract_adjoint_product(c, n, n, k, a, a);
  const int64_t h = half(n);
  subtract_square(c, h, k, a);
  subtract_adjoint_product(c.from(h, 0), n - h, h, k, a.from(h, 0), a);
  subtract_square(c.from(h, h), n - h, k, a.from(h, 0));
}

template <class T>
int64_t cholesky(Part<T> a, int64_t n) {
  if (n <= kSmall) {
    for (int64_t k = 0; k < n; ++k) {
      const auto d = std::real(a[k][k]);
      if (!(d > 0)) return k + 1;
      const auto root = std::sqrt(d);
      a[k][k] = root;
      for (int64_t i = k + 1; i < n; ++i) a[i][k] /= root;
      for (int64_t i = k + 1; i < n; ++i)
        for (int64_t j = k + 1; j <= i; ++j) a[i][j] -= times(a[i][k], conjugate(a[j][k]));
    }
    return 0;
  }
  const int64_t h = half(n);
  if (const int64_t failed = cholesky(a, h)) return failed;
  const Part<T> below = a.from(h, 0), rest = a.from(h, h);
  solve_right<T>({a.data, a.row}, h, below, n - h);
  subtract_square<T>(rest, n - h, h, {below.data, below.row});
  const int64_t failed = cholesky(rest, n - h);
  return failed ? h + failed : 0;
}

// --- LU ------------------------------------------------------------------------------------------------------------------

template <class T>
void exchange_rows(Part<T> a, int64_t columns, const int32_t* pivots, int64_t count) {
  for (int64_t i = 0; i < count; ++i)
    if (pivots[i] - 1 != i) std::swap_ranges(a[i], a[i] + columns, a[pivots[i] - 1]);
}

template <class T>
int64_t lu(Part<T> a, int64_t rows, int64_t columns, int32_t* pivots) {
  const int64_t count = rows < columns ? rows : columns;
  int64_t zero = 0;
  if (count <= kSmall) {
    for (int64_t k = 0; k < count; ++k) {
      int64_t p = k;
      for (int64_t i = k + 1; i < rows; ++i)
        if (size_of(a[i][k]) > size_of(a[p][k])) p = i;
      pivots[k] = static_cast<int32_t>(p + 1);
      if (p != k) std::swap_ranges(a[k], a[k] + columns, a[p]);
      const T pivot = a[k][k];
      if (pivot == T(0)) {
        zero = zero ? zero : k + 1;
        continue;
      }
      for (int64_t i = k + 1; i < rows; ++i) {
        a[i][k] /= pivot;
        subtract_row(a[i] + k + 1, a[i][k], a[k] + k + 1, columns - k - 1);
      }
    }
    return zero;
  }
  const int64_t h = half(count);
  zero = lu(a, rows, h, pivots);
  const Part<T> right = a.from(0, h), rest = a.from(h, h);
  exchange_rows(right, columns - h, pivots, h);
  solve_part<T>({a.data, a.row}, h, right, columns - h, false, true);
  subtract_product<T>(rest, rows - h, columns - h, h, {a[h], a.row}, {right.data, right.row, 1});
  const int64_t later = lu(rest, rows - h, columns - h, pivots + h);
  exchange_rows(a.from(h, 0), h, pivots + h, count - h);
  for (int64_t i = h; i < count; ++i) pivots[i] += static_cast<int32_t>(h);
  return zero ? zero : later ? h + later : 0;
}

template <class F>
auto with_type(DType dtype, F f) {
  switch (dtype) {
    case DType::F32: return f(float{});
    case DType::F64: return f(double{});
    case DType::C64: return f(Complex64{});
    default: return f(Complex128{});
  }
}

int64_t cholesky_of(DType dtype, void* a, int64_t n) {
  return with_type(dtype,
                   [=](auto type) { return cholesky(Part<decltype(type)>{static_cast<decltype(type)*>(a), n}, n); });
}
int64_t lu_of(DType dtype, void* a, int64_t rows, int64_t columns, int32_t* pivots) {
  return with_type(dtype, [=](auto type) {
    return lu(Part<decltype(type)>{static_cast<decltype(type)*>(a), columns}, rows, columns, pivots);
  });
}
void solve_of(DType dtype, const void* a, int64_t n, void* b, int64_t columns, bool upper, bool unit) {
  with_type(dtype, [=](auto type) {
    using T = decltype(type);
    solve(static_cast<const T*>(a), n, static_cast<T*>(b), columns, upper, unit);
  });
}

}  // namespace

extern const FactorTable factor_table = {cholesky_of, lu_of, solve_of};

}  // namespace rl::cpu::RL_ISA
