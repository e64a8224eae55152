// Integer matrix multiplication, wrapping around. Rows of B are read along n; other layouts are copied once.
#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

#include "kernels/gemm.h"
#include "runtime/parallel.h"

namespace rl::cpu::RL_ISA {
namespace {

// Multiplied as at least 32 bits wide and unsigned, so that nothing overflows in the sense of the language.
template <class T>
using Wrap = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
// Sums are kept in the type's own width: the low bits are the same, and more of them fit into a vector.
template <class T>
using Sum = std::make_unsigned_t<T>;

constexpr int kCols = 128;
constexpr int kTileRows = 4;

#if defined(__AVX512F__)
constexpr int kVecBytes = 64;
#elif defined(__AVX2__)
constexpr int kVecBytes = 32;
#else
constexpr int kVecBytes = 16;
#endif

template <class T, int Rows>
void row_block(int64_t k, int64_t cols, const T* a, int64_t ars, int64_t acs, const T* b, int64_t brs, Sum<T>* sums) {
  typedef Sum<T> V __attribute__((vector_size(kVecBytes)));
  typedef Sum<T> Loose __attribute__((vector_size(kVecBytes), aligned(alignof(T)), may_alias));
  constexpr int L = kVecBytes / static_cast<int>(sizeof(T)), kVecs = 2;
  int64_t j = 0;
  for (; j + kVecs * L <= cols; j += kVecs * L) {
    V acc[Rows][kVecs];
    for (int i = 0; i < Rows; ++i)
      for (int v = 0; v < kVecs; ++v) acc[i][v] = *reinterpret_cast<const Loose*>(sums + i * kCols + j + v * L);
    for (int64_t p = 0; p < k; ++p) {
      V row[kVecs];
      for (int v = 0; v < kVecs; ++v) row[v] = *reinterpret_cast<const Loose*>(b + p * brs + j + v * L);
#pragma GCC unroll 4
      for (int i = 0; i < Rows; ++i) {
        V x = V{} + static_cast<Sum<T>>(a[i * ars + p * acs]);
        for (int v = 0; v < kVecs; ++v) acc[i][v] += x * row[v];
      }
    }
    for (int i = 0; i < Rows; ++i)
      for (int v = 0; v < kVecs; ++v) *reinterpret_cast<Loose*>(sums + i * kCols + j + v * L) = acc[i][v];
  }
  if (j == cols) return;
  for (int64_t p = 0; p < k; ++p) {
    const T* row = b + p * brs;
    for (int i = 0; i < Rows; ++i) {
      auto x = static_cast<Wrap<T>>(static_cast<Sum<T>>(a[i * ars + p * acs]));
      Sum<T>* s = sums + i * kCols;
      for (int64_t q = j; q < cols; ++q)
        s[q] = static_cast<Sum<T>>(s[q] + x * static_cast<Wrap<T>>(static_cast<Sum<T>>(row[q])));
    }
  }
}

template <class T>
void put(const GemmArgs<T>& g, T* c, int64_t i, int64_t j, Sum<T> sum) {
  using W = Wrap<T>;
  T& at = c[i * g.c.row_stride + j * g.c.col_stride];
  W x = static_cast<W>(sum) * static_cast<W>(g.alpha);
  if (g.beta != 0) x += static_cast<W>(g.beta) * static_cast<W>(at);
  if (g.bias_n) x += static_cast<W>(g.bias_n[j * g.bias_n_stride]);
  if (g.bias_m) x += static_cast<W>(g.bias_m[i * g.bias_m_stride]);
  at = static_cast<T>(x);
  if (g.relu && at < 0) at = 0;
}

// Rows [i0, i1) by columns [j0, j1).
template <class T>
void part(const GemmArgs<T>& g, const T* a, const T* b, int64_t brs, int64_t bcs, T* c, int64_t i0, int64_t i1,
          int64_t j0, int64_t j1) {
  constexpr int64_t kDepth = 256;
  alignas(64) T packed[kCols * kDepth];
  alignas(64) Sum<T> sums[kTileRows * kCols];
  for (int64_t j = j0; j < j1; j += kCols) {
    int64_t cols = std::min<int64_t>(kCols, j1 - j);
    for (int64_t i = i0; i < i1; i += kTileRows) {
      int rows = static_cast<int>(std::min<int64_t>(kTileRows, i1 - i));
      std::memset(sums, 0, sizeof sums);
      for (int64_t k0 = 0; k0 < g.k; k0 += kDepth) {
        int64_t depth = std::min(kDepth, g.k - k0);
        const T* rows_of_b = b + k0 * brs + j * bcs;
        int64_t step = brs;
        if (bcs != 1) {
          // Only worth repeating when k needs several blocks; with one, the copy of the first rows serves all.
          if (i == i0 || g.k > kDepth)
            for (int64_t q = 0; q < cols; ++q)
              for (int64_t p = 0; p < depth; ++p) packed[p * kCols + q] = rows_of_b[p * brs + q * bcs];
          rows_of_b = packed;
          step = kCols;
        }
        const T* rows_of_a = a + i * g.a.row_stride + k0 * g.a.col_stride;
        auto call = [&](auto block) {
          block(depth, cols, rows_of_a, g.a.row_stride, g.a.col_stride, rows_of_b, step, sums);
        };
        switch (rows) {
          case 4: call(row_block<T, 4>); break;
          case 3: call(row_block<T, 3>); break;
          case 2: call(row_block<T, 2>); break;
          default: call(row_block<T, 1>);
        }
      }
      for (int r = 0; r < rows; ++r)
        for (int64_t q = 0; q < cols; ++q) put(g, c, i + r, j + q, sums[r * kCols + q]);
    }
  }
}

template <class T>
void run(const GemmArgs<T>& g) {
  if (g.m <= 0 || g.n <= 0 || g.batch <= 0) return;
  // A transposed B deeper than one block is turned once, outside the loops.
  std::unique_ptr<T[]> turned;
  bool turn = g.b.col_stride != 1 && g.n > 1 && g.k > 256 && g.m > kTileRows;
  if (turn) turned = std::make_unique_for_overwrite<T[]>(static_cast<size_t>(g.k * g.n));
  for (int64_t batch = 0; batch < g.batch; ++batch) {
    const T* a = g.a.data + (g.a_offsets ? g.a_offsets[batch] : batch * g.a_batch);
    const T* b = g.b.data + (g.b_offsets ? g.b_offsets[batch] : batch * g.b_batch);
    T* c = g.c.data + (g.c_offsets ? g.c_offsets[batch] : batch * g.c_batch);
    int64_t brs = g.b.row_stride, bcs = g.n == 1 ? 1 : g.b.col_stride;
    if (turn) {
      for (int64_t p0 = 0; p0 < g.k; p0 += 64)
        for (int64_t j = 0; j < g.n; ++j)
          for (int64_t p = p0; p < std::min(g.k, p0 + 64); ++p) turned[p * g.n + j] = b[p * brs + j * bcs];
      b = turned.get();
      brs = g.n;
      bcs = 1;
    }
    int64_t row_blocks = (g.m + 15) / 16, col_blocks = (g.n + kCols - 1) / kCols;
    int64_t work = 16 * std::min<int64_t>(g.n, kCols) * std::max<int64_t>(g.k, 1);
    parallel_for(row_blocks * col_blocks, std::max<int64_t>(1, (1 << 18) / work), [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        int64_t i = t / col_blocks * 16, j = t % col_blocks * kCols;
        part(g, a, b, brs, bcs, c, i, std::min(g.m, i + 16), j, std::min<int64_t>(g.n, j + kCols));
      }
    });
  }
}

}  // namespace

extern const GemmIntTable gemm_int_table = {run<uint8_t>, run<int8_t>, run<int16_t>, run<int32_t>, run<int64_t>};

}  // namespace rl::cpu::RL_ISA
