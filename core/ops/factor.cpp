// What linalg is made of: factorizations of batches of matrices and solutions of systems, without gradients, which
// rushlight/linalg writes with differentiable operations.
#include "kernels/factor.h"

#include <cstring>

#include "kernels/orthogonal.h"
#include "kernels/spectral.h"
#include "ops/basic.h"
#include "ops/creation.h"
#include "ops/formula.h"
#include "ops/index_util.h"
#include "runtime/parallel.h"

namespace rl {
namespace {

// Matrices in memory of their own, for a kernel to change.
Tensor fresh(const Tensor& t, IntSpan sizes) {
  Tensor copy = Tensor::empty(sizes, t.dtype());
  copy_data(copy, t);
  return copy;
}
Tensor fresh(const Tensor& t) { return fresh(t, t.sizes()); }

int64_t rows_of(const Tensor& t) { return t.sizes()[t.dim() - 2]; }
int64_t columns_of(const Tensor& t) { return t.sizes()[t.dim() - 1]; }
IntSpan batch_of(const Tensor& t) { return t.sizes().first(t.dim() - 2); }
Dims with(IntSpan batch, std::initializer_list<int64_t> more) {
  Dims sizes(batch);
  for (int64_t s : more) sizes.push_back(s);
  return sizes;
}
std::byte* matrix(const Tensor& t, int64_t index) {
  return static_cast<std::byte*>(t.raw()) + index * rows_of(t) * columns_of(t) * item_size(t.dtype());
}

// The matrices of a batch: many small ones side by side, a large one with all threads in its products.
template <class Body>
void runs_of_matrices(int64_t batch, int64_t operations, Body body) {
  constexpr int64_t worth_a_thread = 100'000;
  parallel_for(batch, std::max<int64_t>(1, worth_a_thread / std::max<int64_t>(1, operations)), body);
}
template <class Body>
void each_matrix(int64_t batch, int64_t operations, Body body) {
  runs_of_matrices(batch, operations, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) body(i);
  });
}

void check_matrices(const Tensor& t, const char* name) {
  check(t.dim() >= 2, name, ": expected matrices, got shape ", shape_str(t.sizes()));
}

void check_square_matrices(const Tensor& t, const char* name) {
  check(t.dim() >= 2 && rows_of(t) == columns_of(t), name, ": expected square matrices, got shape ",
        shape_str(t.sizes()));
}
void check_computed(const Tensor& t, const char* name) {
  const DType d = t.dtype();
  if (d != DType::F32 && d != DType::F64 && d != DType::C64 && d != DType::C128) not_implemented_for(name, d);
}

std::tuple<Tensor, Tensor> cholesky(const Tensor& A) {
  check_square_matrices(A, "cholesky");
  check_computed(A, "cholesky");
  const int64_t n = columns_of(A);
  Tensor L = fresh(A), info = Tensor::empty(batch_of(A), DType::I32);
  each_matrix(A.numel() ? info.numel() : 0, n * n * n / 3, [&](int64_t i) {
    info.data<int32_t>()[i] = static_cast<int32_t>(cpu::factor().cholesky(A.dtype(), matrix(L, i), n));
  });
  if (A.numel() == 0) fill_data(info, Scalar(0));
  for (int64_t i = 0; L.numel() && i < info.numel(); ++i)
    for (int64_t row = 0; row + 1 < n; ++row)
      std::memset(matrix(L, i) + (row * n + row + 1) * item_size(A.dtype()), 0, (n - row - 1) * item_size(A.dtype()));
  return {L, info};
}

std::tuple<Tensor, Tensor, Tensor> lu(const Tensor& A) {
  check_matrices(A, "lu");
  check_computed(A, "lu");
  const int64_t m = rows_of(A), n = columns_of(A), k = std::min(m, n);
  Tensor LU = fresh(A), pivots = Tensor::empty(with(batch_of(A), {k}), DType::I32);
  Tensor info = zeros(batch_of(A), DType::I32);
  each_matrix(A.numel() ? info.numel() : 0, m * n * k, [&](int64_t i) {
    info.data<int32_t>()[i] =
        static_cast<int32_t>(cpu::factor().lu(A.dtype(), matrix(LU, i), m, n, pivots.data<int32_t>() + i * k));
  });
  return {LU, pivots, info};
}

// A batch that a and b both broadcast to.
struct Pair {
  Pair(const Tensor& A, const Tensor& B, const char* name) : batch(broadcast_shapes(batch_of(A), batch_of(B))) {
    check(A.dtype() == B.dtype(), name, ": expected two tensors of one dtype, got ", scalar_type_name(A.dtype()),
          " and ", scalar_type_name(B.dtype()));
    check(rows_of(B) == columns_of(A), name, ": Incompatible shapes of A and B for the equation AX = B (",
          shape_str(A.sizes()), " and ", shape_str(B.sizes()), "): A has ", columns_of(A), " columns, B ", rows_of(B),
          " rows");
    const Dims sizes = with(batch, {columns_of(A), columns_of(A)});
    one = A.numel() == columns_of(A) * columns_of(A);
    a = one ? plain(A) : plain(expand(detach(A), sizes));
    x = fresh(B, with(batch, {rows_of(B), columns_of(B)}));
    total = x.numel() ? x.numel() / (rows_of(x) * columns_of(x)) : 0;
  }
  std::byte* of_a(int64_t i) const { return matrix(a, one ? 0 : i); }
  Dims batch;
  int64_t total;
  bool one;  // the same matrix for all
  Tensor a, x;
};

Tensor solve_triangular(const Tensor& A, const Tensor& B, bool upper, bool unit) {
  check_square_matrices(A, "linalg.solve_triangular");
  check(B.dim() >= 2, "linalg.solve_triangular: expected matrices, got shape ", shape_str(B.sizes()));
  check_computed(A, "triangular_solve_cpu");
  const Pair pair(A, B, "linalg.solve_triangular");
  const int64_t n = columns_of(A), columns = columns_of(B);
  each_matrix(pair.total, n * n * columns, [&](int64_t i) {
    cpu::factor().solve(A.dtype(), pair.of_a(i), n, matrix(pair.x, i), columns, upper, unit);
  });
  return pair.x;
}

void check_pivot(int32_t pivot, int64_t rows) {
  check(pivot >= 1 && pivot <= rows, "Pivots given to lu_solve must all be ",
        pivot < 1 ? "greater or equal to 1" : "smaller or equal to LU.size(-2)", ": got ", pivot, " for ", rows,
        " rows. Are they the result of lu_factor?");
}

// The order in which the exchanges of a factorization leave the rows.
void follow(const int32_t* pivots, int64_t count, int64_t* order, int64_t rows) {
  for (int64_t i = 0; i < rows; ++i) order[i] = i;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t other = pivots[i] - 1;
    check_pivot(pivots[i], rows);
    std::swap(order[i], order[other]);
  }
}

Tensor lu_solve(const Tensor& LU, const Tensor& pivots, const Tensor& B, bool adjoint) {
  check_square_matrices(LU, "linalg.lu_solve");
  check_computed(LU, "lu_solve_cpu");
  check(B.dim() >= 2, "linalg.lu_solve: expected matrices, got shape ", shape_str(B.sizes()));
  const int64_t n = columns_of(LU), columns = columns_of(B);
  Dims of_pivots = with(batch_of(LU), {n});
  check(std::ranges::equal(pivots.sizes(), IntSpan(of_pivots)) && pivots.dtype() == DType::I32,
        "linalg.lu_solve: expected int32 pivots of shape ", shape_str(of_pivots), ", got ",
        scalar_type_name(pivots.dtype()), " of shape ", shape_str(pivots.sizes()));
  const Pair pair(adjoint ? formula::conj(mT(detach(LU))) : LU, B, "linalg.lu_solve");
  Dims all = with(pair.batch, {n});
  const Tensor p = plain(pair.one ? pivots : expand(detach(pivots), all));
  const auto& solve = cpu::factor().solve;
  const int64_t row = columns * item_size(B.dtype());
  each_matrix(pair.total, 2 * n * n * columns, [&](int64_t i) {
    std::byte* x = matrix(pair.x, i);
    const int32_t* exchanged = p.data<int32_t>() + (pair.one ? 0 : i * n);
    auto exchange = [&](int64_t k) {
      const int64_t other = exchanged[k] - 1;
      check_pivot(exchanged[k], n);
      if (other != k) std::swap_ranges(x + k * row, x + (k + 1) * row, x + other * row);
    };
    if (adjoint) {
      solve(LU.dtype(), pair.of_a(i), n, x, columns, false, false);
      solve(LU.dtype(), pair.of_a(i), n, x, columns, true, true);
      for (int64_t k = n; k-- > 0;) exchange(k);
    } else {
      for (int64_t k = 0; k < n; ++k) exchange(k);
      solve(LU.dtype(), pair.of_a(i), n, x, columns, false, true);
      solve(LU.dtype(), pair.of_a(i), n, x, columns, true, false);
    }
  });
  return pair.x;
}

Tensor row_order(const Tensor& pivots, int64_t rows) {
  check(pivots.dim() >= 1 && columns_of(pivots) <= rows, "expected up to ", rows, " pivots per matrix, got shape ",
        shape_str(pivots.sizes()));
  const Tensor p = plain(to_dtype(detach(pivots), DType::I32));
  const int64_t k = columns_of(p);
  Dims sizes(p.sizes());
  sizes.back() = rows;
  Tensor order = Tensor::empty(sizes, DType::I64);
  for (int64_t i = 0; rows && i < order.numel() / rows; ++i)
    follow(p.data<int32_t>() + i * k, k, order.data<int64_t>() + i * rows, rows);
  return order;
}

// Work on a small matrix that does not shrink with its size.
constexpr int64_t kOverhead = 500;

std::tuple<Tensor, Tensor> geqrf(const Tensor& A) {
  check_matrices(A, "geqrf");
  check_computed(A, "geqrf_cpu");
  const int64_t m = rows_of(A), n = columns_of(A), k = std::min(m, n);
  Tensor a = fresh(A), tau = Tensor::empty(with(batch_of(A), {k}), A.dtype());
  runs_of_matrices(A.numel() ? tau.numel() / k : 0, kOverhead + 2 * m * n * k, [&](int64_t begin, int64_t end) {
    factor_qr(A.dtype(), matrix(a, begin), end - begin, m, n,
              static_cast<std::byte*>(tau.raw()) + begin * k * item_size(A.dtype()));
  });
  return {a, tau};
}

void check_reflections(const Tensor& A, const Tensor& tau, const char* name) {
  check_matrices(A, name);
  check_computed(A, name);
  check(tau.dtype() == A.dtype() && tau.dim() == A.dim() - 1 &&
            std::ranges::equal(batch_of(A), tau.sizes().first(tau.dim() - 1)) &&
            tau.sizes().back() <= std::min(rows_of(A), columns_of(A)),
        name, ": ", shape_str(tau.sizes()), " is no shape of factors of the reflections in ", shape_str(A.sizes()));
}

// `c` becomes Q c, of the reflections that geqrf leaves; a fresh one becomes Q's first columns.
void reflect(const Tensor& a, const Tensor& tau, Tensor& c, bool adjoint, bool fresh) {
  const int64_t m = rows_of(a), n = columns_of(a), k = tau.sizes()[tau.dim() - 1], width = columns_of(c);
  runs_of_matrices(
      c.numel() ? c.numel() / (m * width) : 0, kOverhead + 4 * m * width * k, [&](int64_t begin, int64_t end) {
        apply_reflections(a.dtype(), static_cast<std::byte*>(a.raw()) + begin * m * n * item_size(a.dtype()),
                          end - begin, m, n, static_cast<std::byte*>(tau.raw()) + begin * k * item_size(a.dtype()), k,
                          matrix(c, begin), width, adjoint, fresh);
      });
}

// The rows of R: zeros below a's diagonal.
Tensor upper_rows(const Tensor& a, int64_t rows) {
  const int64_t n = columns_of(a), item = item_size(a.dtype());
  Tensor R = Tensor::empty(with(batch_of(a), {rows, n}), a.dtype());
  each_matrix(R.numel() ? R.numel() / (rows * n) : 0, rows * n, [&](int64_t i) {
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t zeros = std::min(row, n) * item;
      std::memset(matrix(R, i) + row * n * item, 0, zeros);
      std::memcpy(matrix(R, i) + row * n * item + zeros, matrix(a, i) + row * n * item + zeros, n * item - zeros);
    }
  });
  return R;
}

std::tuple<Tensor, Tensor> qr(const Tensor& A, bool complete, bool only_r) {
  const int64_t rows = complete ? rows_of(A) : std::min(rows_of(A), columns_of(A));
  const auto [a, tau] = geqrf(A);
  Tensor Q = Tensor::empty(only_r ? Dims{0} : with(batch_of(A), {rows_of(A), rows}), A.dtype());
  if (!only_r) reflect(a, tau, Q, false, true);
  return {Q, upper_rows(a, rows)};
}

Tensor householder_product(const Tensor& A, const Tensor& tau) {
  check_reflections(A, tau, "linalg.householder_product");
  Tensor Q = Tensor::empty(A.sizes(), A.dtype());
  reflect(plain(A), plain(tau), Q, false, true);
  return Q;
}

Tensor multiply_reflections(const Tensor& A, const Tensor& tau, const Tensor& C, bool adjoint) {
  check_reflections(A, tau, "ormqr");
  check(C.dtype() == A.dtype() && C.dim() == A.dim() && rows_of(C) == rows_of(A) &&
            std::ranges::equal(batch_of(A), batch_of(C)),
        "ormqr: reflections in ", shape_str(A.sizes()), " cannot be applied to ", shape_str(C.sizes()));
  Tensor c = fresh(C);
  reflect(plain(A), plain(tau), c, adjoint, false);
  return c;
}

std::tuple<Tensor, Tensor, Tensor> eigh(const Tensor& A, bool upper, bool vectors) {
  check_square_matrices(A, "linalg.eigh");
  check_computed(A, "linalg_eigh_cpu");
  const int64_t n = columns_of(A);
  const Tensor a = plain(A);
  Tensor values = Tensor::empty(A.sizes().first(A.dim() - 1), real_of(A.dtype()));
  Tensor V = Tensor::empty(vectors ? Dims(A.sizes()) : Dims{0}, A.dtype()), info = zeros(batch_of(A), DType::I32);
  runs_of_matrices(A.numel() ? info.numel() : 0, kOverhead + (vectors ? 9 : 3) * n * n * n,
                   [&](int64_t begin, int64_t end) {
                     find_eigenvalues(A.dtype(), matrix(a, begin), upper, end - begin, n,
                                      static_cast<std::byte*>(values.raw()) + begin * n * item_size(values.dtype()),
                                      vectors ? matrix(V, begin) : nullptr, info.data<int32_t>() + begin);
                   });
  return {values, V, info};
}

std::tuple<Tensor, Tensor, Tensor, Tensor> svd(const Tensor& A, bool full, bool vectors) {
  check_matrices(A, "linalg.svd");
  check_computed(A, "linalg_svd_cpu");
  const bool wide = rows_of(A) < columns_of(A);  // then that of its adjoint
  const Tensor columns = plain(wide ? formula::conj(detach(A)) : mT(detach(A)));
  const int64_t n = rows_of(columns), m = columns_of(columns), width = full ? m : n;
  Tensor S = Tensor::empty(with(batch_of(A), {n}), real_of(A.dtype())), info = zeros(batch_of(A), DType::I32);
  Tensor U = Tensor::empty(vectors ? wide ? with(batch_of(A), {width, m}) : with(batch_of(A), {m, width}) : Dims{0},
                           A.dtype());
  Tensor V = Tensor::empty(vectors ? with(batch_of(A), {n, n}) : Dims{0}, A.dtype());
  runs_of_matrices(A.numel() ? info.numel() : 0, kOverhead + (vectors ? 20 : 5) * m * n * n,
                   [&](int64_t begin, int64_t end) {
                     find_singular_values(A.dtype(), matrix(columns, begin), end - begin, m, n,
                                          static_cast<std::byte*>(S.raw()) + begin * n * item_size(S.dtype()),
                                          vectors ? matrix(U, begin) : nullptr, width,
                                          vectors ? matrix(V, begin) : nullptr, wide, info.data<int32_t>() + begin);
                   });
  return wide ? std::tuple{V, S, U, info} : std::tuple{U, S, V, info};
}

}  // namespace

static const Family family([](Registry& r) {
  r.op<&cholesky>("_linalg_cholesky(Tensor A) -> (Tensor L, Tensor info)",
                  "The lower Cholesky factors, and where they failed. Without gradient.");
  r.op<&lu>("_linalg_lu(Tensor A) -> (Tensor LU, Tensor pivots, Tensor info)",
            "Compact LU factors, pivots from 1, and the first zero pivots. Without gradient.");
  r.op<&solve_triangular>("_linalg_solve_triangular(Tensor A, Tensor B, bool upper, bool unitriangular) -> Tensor",
                          "The X of A X = B. Without gradient.");
  r.op<&lu_solve>("_linalg_lu_solve(Tensor LU, Tensor pivots, Tensor B, bool adjoint) -> Tensor",
                  "The X of A X = B, or of A^H X = B, from the factors of A. Without gradient.");
  r.op<&geqrf>("_linalg_geqrf(Tensor A) -> (Tensor a, Tensor tau)", "QR as LAPACK leaves it. Without gradient.");
  r.op<&qr>("_linalg_qr(Tensor A, bool complete, bool only_r) -> (Tensor Q, Tensor R)",
            "Q, empty where only R is wanted, and R. Without gradient.");
  r.op<&householder_product>("_linalg_householder_product(Tensor A, Tensor tau) -> Tensor",
                             "The first columns of the product of reflections. Without gradient.");
  r.op<&multiply_reflections>("_linalg_ormqr(Tensor A, Tensor tau, Tensor C, bool adjoint) -> Tensor",
                              "Q C, or Q^H C, with the Q of reflections. Without gradient.");
  r.op<&eigh>("_linalg_eigh(Tensor A, bool upper, bool vectors) -> (Tensor L, Tensor V, Tensor info)",
              "Eigenvalues, eigenvectors (or none), and where there are none. Without gradient.");
  r.op<&svd>("_linalg_svd(Tensor A, bool full, bool vectors) -> (Tensor U, Tensor S, Tensor Vh, Tensor info)",
             "Singular values, their vectors (or none), and where there are none. Without gradient.");
  r.op<&row_order>("_linalg_row_order(Tensor pivots, int rows) -> Tensor",
                   "For every row of P^T A the row of A that it is.");
});

}  // namespace rl
