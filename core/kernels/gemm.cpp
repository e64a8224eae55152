// Complex matrix multiplication as one real multiplication of twice the depth and width: a row of A, read as reals, is
// re, im, re, im, ...; an element x + iy of B becomes the square [x y; -y x]; a row of C, read as reals, comes out
// right.
#include "kernels/gemm.h"

#include <algorithm>
#include <vector>

#include "runtime/error.h"

namespace rl {

void cpu::gemm_out_of_memory(std::size_t bytes) {
  fail(ErrorKind::OutOfMemory, "matmul: cannot allocate ", bytes, " bytes of working memory");
}

namespace {

template <class R>
struct Operand {
  const std::complex<R>* data;
  int64_t line_stride, k_stride, batch_stride;
  const int64_t* offsets;
  std::complex<R> factor;
  const std::complex<R>* at(int64_t batch) const { return data + (offsets ? offsets[batch] : batch * batch_stride); }
};

template <class R>
void pack_a(const void* context, int64_t batch, int64_t first, int64_t lines, int64_t width, int64_t k0, int64_t depth,
            R* out) {
  const auto& x = *static_cast<const Operand<R>*>(context);
  const std::complex<R>* base = x.at(batch);
  for (int64_t i = 0; i < width; ++i) {
    const std::complex<R>* line = base + (first + i) * x.line_stride;
    for (int64_t p = 0; p < depth; ++p) {
      int64_t q = k0 + p;
      const std::complex<R>* z = line + (q >> 1) * x.k_stride;
      out[p * width + i] = i >= lines ? R(0) : (q & 1) ? z->imag() : z->real();
    }
  }
}

template <class R>
void pack_b(const void* context, int64_t batch, int64_t first, int64_t lines, int64_t width, int64_t k0, int64_t depth,
            R* out) {
  const auto& x = *static_cast<const Operand<R>*>(context);
  const std::complex<R>* base = x.at(batch);
  bool scaled = x.factor != std::complex<R>(1);
  for (int64_t p = 0; p < depth; ++p) {
    int64_t q = k0 + p;
    const std::complex<R>* row = base + (q >> 1) * x.k_stride;
    R* o = out + p * width;
    for (int64_t i = 0; i < lines; ++i) {
      int64_t j = first + i;
      std::complex<R> z = row[(j >> 1) * x.line_stride];
      if (scaled) z *= x.factor;
      o[i] = (q & 1) ? ((j & 1) ? z.real() : -z.imag()) : ((j & 1) ? z.imag() : z.real());
    }
    std::fill(o + lines, o + width, R(0));
  }
}

template <class R>
void complex_gemm(const GemmArgs<std::complex<R>>& g) {
  using C = std::complex<R>;
  if (g.m <= 0 || g.n <= 0 || g.batch <= 0) return;
  if (g.c.col_stride != 1 && g.n > 1) {
    // Into a dense C first; or, when C is the transpose of a dense matrix, the transposed problem.
    if (g.c.row_stride == 1) {
      GemmArgs<C> t = g;
      t.m = g.n, t.n = g.m;
      t.a = {g.b.data, g.b.col_stride, g.b.row_stride};
      t.b = {g.a.data, g.a.col_stride, g.a.row_stride};
      t.c = {g.c.data, g.c.col_stride, g.c.row_stride};
      std::swap(t.bias_n, t.bias_m);
      std::swap(t.bias_n_stride, t.bias_m_stride);
      std::swap(t.a_batch, t.b_batch);
      std::swap(t.a_offsets, t.b_offsets);
      return complex_gemm(t);
    }
    std::vector<C> dense(static_cast<size_t>(g.batch * g.m * g.n));
    GemmArgs<C> t = g;
    t.c = {dense.data(), g.n, 1};
    t.c_batch = g.m * g.n;
    t.c_offsets = nullptr;
    auto each = [&](auto f) {
      for (int64_t b = 0; b < g.batch; ++b)
        for (int64_t i = 0; i < g.m; ++i)
          for (int64_t j = 0; j < g.n; ++j)
            f(dense[static_cast<size_t>((b * g.m + i) * g.n + j)],
              g.c.data[(g.c_offsets ? g.c_offsets[b] : b * g.c_batch) + i * g.c.row_stride + j * g.c.col_stride]);
    };
    if (g.beta != C(0)) each([](C& d, C& c) { d = c; });
    complex_gemm(t);
    each([](C& d, C& c) { c = d; });
    return;
  }
  auto start = [&](int64_t b) { return g.c.data + (g.c_offsets ? g.c_offsets[b] : b * g.c_batch); };
  GemmArgs<R> r;
  r.m = g.m, r.n = 2 * g.n, r.k = g.alpha == C(0) ? 0 : 2 * g.k;
  r.batch = g.batch;
  r.beta = g.beta.real();
  if (g.beta.imag() != R(0)) {
    for (int64_t b = 0; b < g.batch; ++b)
      for (int64_t i = 0; i < g.m; ++i)
        for (int64_t j = 0; j < g.n; ++j) start(b)[i * g.c.row_stride + j] *= g.beta;
    r.beta = 1;
  }
  Operand<R> a{g.a.data, g.a.row_stride, g.a.col_stride, g.a_batch, g.a_offsets, C(1)};
  Operand<R> b{g.b.data, g.b.col_stride, g.b.row_stride, g.b_batch, g.b_offsets, g.alpha};
  r.b_packer = {pack_b<R>, &b};
  std::vector<int64_t> a_offsets, c_offsets;
  if (g.a.col_stride == 1 || g.k == 1) {
    r.a = {reinterpret_cast<const R*>(g.a.data), 2 * g.a.row_stride, 1};
    r.a_batch = 2 * g.a_batch;
    if (g.a_offsets) {
      for (int64_t i = 0; i < g.batch; ++i) a_offsets.push_back(2 * g.a_offsets[i]);
      r.a_offsets = a_offsets.data();
    }
  } else {
    r.a_packer = {pack_a<R>, &a};
  }
  r.c = {reinterpret_cast<R*>(g.c.data), 2 * g.c.row_stride, 1};
  r.c_batch = 2 * g.c_batch;
  if (g.c_offsets) {
    for (int64_t i = 0; i < g.batch; ++i) c_offsets.push_back(2 * g.c_offsets[i]);
    r.c_offsets = c_offsets.data();
  }
  if (g.bias_n && g.bias_n_stride == 1) r.bias_n = reinterpret_cast<const R*>(g.bias_n);
  gemm(r);
  if ((g.bias_n && !r.bias_n) || g.bias_m)
    for (int64_t e = 0; e < g.batch; ++e)
      for (int64_t i = 0; i < g.m; ++i)
        for (int64_t j = 0; j < g.n; ++j) {
          C& c = start(e)[i * g.c.row_stride + j];
          if (g.bias_n && !r.bias_n) c += g.bias_n[j * g.bias_n_stride];
          if (g.bias_m) c += g.bias_m[i * g.bias_m_stride];
        }
}

}  // namespace

void gemm(const GemmArgs<Complex64>& g) { complex_gemm(g); }
void gemm(const GemmArgs<Complex128>& g) { complex_gemm(g); }

}  // namespace rl
