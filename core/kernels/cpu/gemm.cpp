// The driver of floating-point matrix multiplication: which operand to pack, in what blocks, on how many threads.
#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <utility>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "kernels/cpu/convert.h"
#include "kernels/cpu/gemm_tiles.h"
#include "runtime/parallel.h"

namespace rl::cpu::RL_ISA {
namespace {

#include "kernels/cpu/gemm_micro.h"
#include "kernels/cpu/gemm_pairs.h"

constexpr int64_t kBlockRows = 224;          // rows of A that stay in the second-level cache
constexpr int64_t kPanelElements = 1 << 20;  // packed at once, of each operand
constexpr int64_t kStripDepth = 8192;        // k beyond which all blocks of A are no longer packed at once
constexpr int64_t kParallelWork = 1 << 19;   // multiplications below which another thread does not pay
constexpr int64_t kGrainWork = 1 << 18;

struct Buffers {
  Scratch a, b, sums, line;
};
// Behind a pointer: a thread's own memory is scarce in a library that is loaded late (allocator.h: RL_FAST_TLS).
Buffers& buffers() {
  static thread_local const std::unique_ptr<Buffers> b = std::make_unique<Buffers>();
  return *b;
}

template <class T> struct Problem {
  using P = gemm_scalar_t<T>;
  int64_t m, n, k;
  Matrix<const T> a, b;
  Matrix<T> c;
  P alpha, beta;
  const T *bias_n, *bias_m;
  int64_t bias_n_stride, bias_m_stride;
  bool relu;
  const LinePacker<P>*a_packer, *b_packer;
  int64_t batch;

  // C^T = B^T A^T
  void swap() {
    std::swap(m, n);
    std::swap(a, b);
    std::swap(a.row_stride, a.col_stride);
    std::swap(b.row_stride, b.col_stride);
    std::swap(c.row_stride, c.col_stride);
    std::swap(bias_n, bias_m);
    std::swap(bias_n_stride, bias_m_stride);
    std::swap(a_packer, b_packer);
  }
};

// One element's last steps; every path gives these roundings.
template <class T, class P> inline P blend(const Problem<T>& g, P sum, bool first, P before) {
  P x = g.alpha == P(1) ? sum : g.alpha * sum;
  if (!first) return before + x;
  if (g.beta == P(0)) return x;
  return fma_one(g.beta, before, x);
}
template <class T, class P> inline P finish(const Problem<T>& g, P x, int64_t i, int64_t j) {
  if (g.bias_n) x += static_cast<P>(g.bias_n[j * g.bias_n_stride]);
  if (g.bias_m) x += static_cast<P>(g.bias_m[i * g.bias_m_stride]);
  if (g.relu) x = x < P(0) ? P(0) : x;
  return x;
}
template <class T> inline void put_one(const Problem<T>& g, gemm_scalar_t<T> sum, int64_t i, int64_t j) {
  using P = gemm_scalar_t<T>;
  T& c = g.c.data[i * g.c.row_stride + j * g.c.col_stride];
  P before = g.beta == P(0) ? P(0) : static_cast<P>(c);
  c = static_cast<T>(finish(g, blend(g, sum, true, before), i, j));
}

// Where partial sums live between blocks of k: in C itself, or in a buffer when C's type is too narrow.
template <class P> struct Partial {
  P* data = nullptr;
  int64_t ld = 0;
};

// Writes a spilled tile at (i0, j0), in passes that each vectorise; the tile is used up.
template <class T, class P>
[[gnu::noinline]] void finish_tile(const Problem<T>& g, P* tile, int64_t i0, int64_t j0, int64_t rows, int64_t cols,
                                   bool first, bool last, const Partial<P>& partial) {
  constexpr int64_t ld = kStrip<P>;
  int64_t rs = g.c.row_stride, cs = g.c.col_stride;
  T* c = g.c.data + i0 * rs + j0 * cs;
  P* part = partial.data ? partial.data + i0 * partial.ld + j0 : nullptr;
  auto each = [&](auto f) {
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < cols; ++j) f(tile[i * ld + j], i, j);
  };
  // at(i, j) with the stride of the usual case known to the compiler
  auto with_c = [&](auto f) {
    if (cs == 1)
      each([&](P& x, int64_t i, int64_t j) { f(x, c[i * rs + j]); });
    else
      each([&](P& x, int64_t i, int64_t j) { f(x, c[i * rs + j * cs]); });
  };
  if (g.alpha != P(1)) each([&](P& x, int64_t, int64_t) { x = g.alpha * x; });
  if (!first && part)
    each([&](P& x, int64_t i, int64_t j) { x = part[i * partial.ld + j] + x; });
  else if (!first)
    with_c([](P& x, const T& before) { x = static_cast<P>(before) + x; });
  else if (g.beta != P(0))
    with_c([&](P& x, const T& before) { x = fma_one(g.beta, static_cast<P>(before), x); });
  if (last) {
    if (g.bias_n) each([&](P& x, int64_t, int64_t j) { x += static_cast<P>(g.bias_n[(j0 + j) * g.bias_n_stride]); });
    if (g.bias_m) each([&](P& x, int64_t i, int64_t) { x += static_cast<P>(g.bias_m[(i0 + i) * g.bias_m_stride]); });
    if (g.relu) each([](P& x, int64_t, int64_t) { x = x < P(0) ? P(0) : x; });
  }
  if (!last && part)
    each([&](P& x, int64_t i, int64_t j) { part[i * partial.ld + j] = x; });
  else
    with_c([](const P& x, T& at) { at = static_cast<T>(x); });
}

// Rows are cut into tiles of nearly equal height.
struct RowTiles {
  int64_t m, count;
  explicit RowTiles(int64_t rows) : m(rows), count((rows + kRows - 1) / kRows) {}
  int64_t begin(int64_t t) const { return m * t / count; }
};

// One operand as the micro-kernel sees it, for one block of k.
template <class P> struct PackedA {
  const P* data;
  int64_t rs, ks;
  bool packed;  // tile after tile, and rs, ks mean nothing
};
template <class P> struct PackedB {
  const P* data;
  int64_t ks, strip;  // strip: distance between strips of columns
};

template <class T> struct Block {
  using P = gemm_scalar_t<T>;
  const Problem<T>* g;
  int64_t k0, depth;
  bool first, last;
  PackedA<P> a;
  PackedB<P> b;
  int64_t a_row0, b_col0;  // what data points at
  Partial<P> partial;
  bool pairs;     // the panels hold words of pairs, and depth counts these
  Finish quick;   // how whole tiles leave the registers
  const P* bias;  // for Finish::bias
};

// Tiles [t0, t1) of rows by strips [s0, s1) of columns of a block.
template <class T>
void compute(const Block<T>& k, const RowTiles& tiles, int64_t t0, int64_t t1, int64_t s0, int64_t s1, int64_t n) {
  using P = gemm_scalar_t<T>;
  constexpr int L = kLanes<P>;
  const Problem<T>& g = *k.g;
  alignas(64) P spilled[kRows * kStrip<P>];
  TileOut<P> out;
  out.finish = k.quick;
  out.bias = nullptr;
  out.floor = g.relu ? P(0) : -std::numeric_limits<P>::infinity();
  for (int64_t s = s0; s < s1; ++s) {
    int64_t j = s * kStrip<P>, cols = std::min<int64_t>(kStrip<P>, n - j);
    const P* b = k.b.data + s * k.b.strip;
    int vecs = static_cast<int>((cols + L - 1) / L), tail = static_cast<int>(cols - (vecs - 1) * L);
    if (k.bias && !g.bias_m) out.bias = k.bias + k.b_col0 + j;
    for (int64_t t = t0; t < t1; ++t) {
      int64_t i = tiles.begin(t), rows = tiles.begin(t + 1) - i;
      const P* a = k.a.packed ? k.a.data + i * k.depth : k.a.data + i * k.a.rs;
      int64_t rs = k.a.packed ? 1 : k.a.rs, ks = k.a.packed ? rows : k.a.ks;
      if (k.bias && g.bias_m) out.bias = k.bias + k.a_row0 + i;
#if defined(__AVX512F__)
      if constexpr (std::is_same_v<T, BFloat16>) {
        if (k.pairs) {
          kPairTiles[static_cast<size_t>(rows - 1)](k.depth, a, b, spilled);
          const int64_t row = k.a_row0 + i, col = k.b_col0 + j;
          if (k.quick == Finish::spill) {
            finish_tile<T, P>(g, spilled, row, col, rows, cols, k.first, k.last, k.partial);
            continue;
          }
          P* part = k.partial.data ? k.partial.data + row * k.partial.ld + col : nullptr;
          const BFloat16* bias = k.last && g.bias_n ? g.bias_n + col : nullptr;
          finish_pairs(spilled, rows, cols,
                       {k.first ? nullptr : part, k.last ? nullptr : part, k.partial.ld, bias,
                        g.c.data + row * g.c.row_stride + col, g.c.row_stride});
          continue;
        }
      }
#endif
      if (k.quick == Finish::spill) {
        out.dst = spilled;
        out.ld = kStrip<P>;
      } else if constexpr (std::is_same_v<T, P>) {
        out.dst = g.c.data + (k.a_row0 + i) * g.c.row_stride + k.b_col0 + j;
        out.ld = g.c.row_stride;
      }
      kTiles<P>[vecs - 1][rs == 1][rows - 1](k.depth, a, rs, ks, b, k.b.ks, tail, out);
      if (k.quick == Finish::spill)
        finish_tile<T, P>(g, spilled, k.a_row0 + i, k.b_col0 + j, rows, cols, k.first, k.last, k.partial);
    }
  }
}

template <class T>
void pack_a(const Problem<T>& g, const RowTiles& tiles, int64_t t0, int64_t t1, int64_t row0, int64_t k0, int64_t depth,
            gemm_scalar_t<T>* out, [[maybe_unused]] LeastExponent* pairs) {
  for (int64_t t = t0; t < t1; ++t) {
    int64_t i = tiles.begin(t), rows = tiles.begin(t + 1) - i;
    if constexpr (std::is_same_v<T, BFloat16>) {
      if (pairs) {
        pack_pairs(g.a.data + (row0 + i) * g.a.row_stride + k0 * g.a.col_stride, g.a.row_stride, g.a.col_stride, rows,
                   rows, depth, out + i * ((depth + 1) / 2), *pairs);
        continue;
      }
    }
    if (g.a_packer)
      g.a_packer->pack(g.a_packer->context, g.batch, row0 + i, rows, rows, k0, depth, out + i * depth);
    else
      pack_lines(g.a.data + (row0 + i) * g.a.row_stride + k0 * g.a.col_stride, g.a.row_stride, g.a.col_stride, rows,
                 rows, depth, out + i * depth);
  }
}

template <class T>
void pack_b(const Problem<T>& g, int64_t s0, int64_t s1, int64_t col0, int64_t n, int64_t k0, int64_t depth,
            gemm_scalar_t<T>* out, [[maybe_unused]] LeastExponent* pairs) {
  using P = gemm_scalar_t<T>;
  for (int64_t s = s0; s < s1; ++s) {
    int64_t j = s * kStrip<P>, cols = std::min<int64_t>(kStrip<P>, n - j);
    if constexpr (std::is_same_v<T, BFloat16>) {
      if (pairs) {
        pack_pairs(g.b.data + (col0 + j) * g.b.col_stride + k0 * g.b.row_stride, g.b.col_stride, g.b.row_stride, cols,
                   int64_t{kStrip<P>}, depth, out + j * ((depth + 1) / 2), *pairs);
        continue;
      }
    }
    P* o = out + j * depth;
    if (g.b_packer)
      g.b_packer->pack(g.b_packer->context, g.batch, col0 + j, cols, kStrip<P>, k0, depth, o);
    else
      pack_lines(g.b.data + (col0 + j) * g.b.col_stride + k0 * g.b.row_stride, g.b.col_stride, g.b.row_stride, cols,
                 int64_t{kStrip<P>}, depth, o);
  }
}

// Sums along k are made in blocks of nearly equal length.
struct DepthBlocks {
  int64_t k, count;
  DepthBlocks(int64_t k, int64_t longest) : k(k), count((k + longest - 1) / longest) {}
  int64_t begin(int64_t b) const { return k * b / count; }
  int64_t longest() const { return (k + count - 1) / count; }
};

// What all blocks of a product share, and how the tiles of one leave the registers.
template <class T> struct Leaving {
  bool plain;
  Leaving(const Problem<T>& g, const DepthBlocks& depths, Block<T>& block) {
    using P = gemm_scalar_t<T>;
    constexpr bool same = std::is_same_v<T, P>;
    block.g = &g;
    if (!same && depths.count > 1) block.partial = {buffers().sums.get<P>(g.m * g.n), g.n};
    plain = same && g.c.col_stride == 1 && g.alpha == P(1) && !(g.bias_n && g.bias_m);
    if constexpr (same) {
      if (g.bias_n && g.bias_n_stride == 1) block.bias = g.bias_n;
      if (g.bias_m && g.bias_m_stride == 1) block.bias = g.bias_m;
    }
    if (plain && (g.bias_n || g.bias_m || g.relu) && !block.bias) plain = false;
  }
  void start(Block<T>& block, const DepthBlocks& depths, int64_t b) const {
    const Problem<T>& g = *block.g;
    block.k0 = depths.begin(b);
    block.depth = depths.begin(b + 1) - block.k0;
    block.first = b == 0;
    block.last = b + 1 == depths.count;
    block.quick = Finish::spill;
    if (!plain) return;
    bool extra = block.last && block.bias;
    if (block.first && g.beta == 0) block.quick = !extra ? Finish::set : g.bias_m ? Finish::row_bias : Finish::bias;
    if (!extra && (!block.first || g.beta == 1)) block.quick = Finish::add;
  }
};

// Few rows: each strip of B is packed where it is used, into the nearest cache, and no thread waits for another between
// the blocks of k. Where strips are few, threads share the rows of one.
template <class T> void by_strips(const Problem<T>& g, bool direct_a) {
  static_assert(std::is_same_v<T, gemm_scalar_t<T>>);
  const DepthBlocks depths(g.k, kDepth);
  Block<T> shared{};
  const Leaving<T> leaving(g, depths, shared);
  const RowTiles tiles(g.m);
  const int64_t work = g.m * g.n * g.k, strips = (g.n + kStrip<T> - 1) / kStrip<T>;
  const int64_t threads = work >= kParallelWork && !in_parallel_region() ? num_threads() : 1;
  T* packed_a = direct_a ? nullptr : buffers().a.get<T>(g.m * g.k);
  if (packed_a) {
    const int64_t items = depths.count * tiles.count;
    parallel_for(items, threads > 1 ? std::max<int64_t>(1, 16384 / (depths.longest() * kRows)) : items,
                 [&](int64_t begin, int64_t end) {
                   for (int64_t i = begin; i < end; ++i) {
                     const int64_t t = i % tiles.count, k0 = depths.begin(i / tiles.count);
                     pack_a(g, tiles, t, t + 1, 0, k0, depths.begin(i / tiles.count + 1) - k0, packed_a + g.m * k0,
                            nullptr);
                   }
                 });
  }
  const int64_t parts = strips >= 4 * threads ? 1 : tiles.count, items = strips * parts;
  const int64_t least = static_cast<int64_t>(static_cast<double>(items) * kGrainWork / static_cast<double>(work));
  const int64_t grain = threads == 1 ? items : std::max({int64_t{1}, least, parts > 1 ? items / (2 * threads) : 0});
  parallel_for(items, grain, [&](int64_t begin, int64_t end) {
    T* packed_b = buffers().b.get<T>(kStrip<T> * depths.longest());
    Block<T> block = shared;
    block.b = {packed_b, kStrip<T>, 0};
    for (int64_t b = 0; b < depths.count; ++b) {
      leaving.start(block, depths, b);
      block.a = direct_a ? PackedA<T>{g.a.data + block.k0 * g.a.col_stride, g.a.row_stride, g.a.col_stride, false}
                         : PackedA<T>{packed_a + g.m * block.k0, 0, 0, true};
      for (int64_t item = begin, next; item < end; item = next) {
        const int64_t first = item / parts * parts, cols = std::min<int64_t>(kStrip<T>, g.n - item / parts * kStrip<T>);
        next = std::min(end, first + parts);
        block.b_col0 = item / parts * kStrip<T>;
        pack_b(g, 0, 1, block.b_col0, cols, block.k0, block.depth, packed_b, nullptr);
        compute(block, tiles, tiles.count * (item - first) / parts, tiles.count * (next - first) / parts, 0, 1, cols);
      }
    }
  });
  buffers().a.trim();
}

// The general case: blocks of k, and of m and n so large that the packed operands stay in the last cache.
template <class T> void blocked(const Problem<T>& g, bool direct_a, bool direct_b) {
  using P = gemm_scalar_t<T>;
  constexpr bool same = std::is_same_v<T, P>;
  const DepthBlocks depths(g.k, std::is_same_v<T, BFloat16> ? 2 * kDepth : kDepth);  // words of pairs are as many
  const int64_t max_depth = depths.longest();
  Block<T> block{};
  const Leaving<T> leaving(g, depths, block);

  bool threads = g.m * g.n * g.k >= kParallelWork && num_threads() > 1 && !in_parallel_region();
  int64_t max_rows = std::max<int64_t>(kPanelElements / max_depth / kRows * kRows, kRows);
  int64_t max_cols = std::max<int64_t>(kPanelElements / max_depth / kStrip<P> * kStrip<P>, kStrip<P>);
  if (direct_a) max_rows = g.m;
  if (direct_b) max_cols = g.n;
  P* packed_a = direct_a ? nullptr : buffers().a.get<P>(std::min(g.m, max_rows) * max_depth);
  P* packed_b = direct_b
                    ? nullptr
                    : buffers().b.get<P>((std::min(g.n, max_cols) + kStrip<P> - 1) / kStrip<P> * kStrip<P> * max_depth);

  const bool by_pairs = std::is_same_v<T, BFloat16> && has_pairs() && !g.a_packer && !g.b_packer;
  const bool plain_pairs = g.c.col_stride == 1 && g.alpha == P(1) && g.beta == P(0) && !g.bias_m && !g.relu &&
                           (!g.bias_n || g.bias_n_stride == 1);
  LeastExponent b_least;
  for (int64_t col0 = 0; col0 < g.n; col0 += max_cols) {
    int64_t n = std::min(max_cols, g.n - col0), strips = (n + kStrip<P> - 1) / kStrip<P>;
    for (int64_t kb = 0; kb < depths.count; ++kb) {
      leaving.start(block, depths, kb);
      const int64_t k0 = block.k0, depth = depths.begin(kb + 1) - k0;
      block.b_col0 = col0;
      for (int64_t row0 = 0; row0 < g.m; row0 += max_rows) {
        int64_t m = std::min(max_rows, g.m - row0);
        RowTiles tiles(m);
        block.a_row0 = row0;
        int64_t a_tiles = direct_a ? 0 : tiles.count, b_strips = direct_b || row0 > 0 ? 0 : strips;
        LeastExponent a_least;
        auto pack = [&](bool pairs) {
          auto some = [&](int64_t begin, int64_t end) {
            pack_b(g, std::min(begin, b_strips), std::min(end, b_strips), col0, n, k0, depth, packed_b,
                   pairs ? &b_least : nullptr);
            pack_a(g, tiles, std::max<int64_t>(begin - b_strips, 0), std::max<int64_t>(end - b_strips, 0), row0, k0,
                   depth, packed_a, pairs ? &a_least : nullptr);
          };
          int64_t items = a_tiles + b_strips;
          if (items > 0) parallel_for(items, threads ? std::max<int64_t>(1, 16384 / (depth * kRows)) : items, some);
        };
        if (row0 == 0) block.pairs = by_pairs, b_least = LeastExponent();
        pack(block.pairs);
        if (block.pairs && !pairs_are_exact(a_least.value, b_least.value)) {
          block.pairs = false;
          b_strips = strips;
          pack(false);
        }
        block.depth = block.pairs ? (depth + 1) / 2 : depth;
        if (by_pairs) block.quick = block.pairs && plain_pairs ? Finish::set : Finish::spill;
        if constexpr (same) {
          block.a = direct_a ? PackedA<P>{g.a.data + row0 * g.a.row_stride + k0 * g.a.col_stride, g.a.row_stride,
                                          g.a.col_stride, false}
                             : PackedA<P>{packed_a, 0, 0, true};
          block.b = direct_b ? PackedB<P>{g.b.data + col0 + k0 * g.b.row_stride, g.b.row_stride, kStrip<P>}
                             : PackedB<P>{packed_b, kStrip<P>, depth * kStrip<P>};
        } else {
          block.a = {packed_a, 0, 0, true};
          block.b = {packed_b, kStrip<P>, block.depth * kStrip<P>};
        }
        if (!threads) {
          for (int64_t t = 0; t < tiles.count; t += kBlockRows / kRows)
            compute(block, tiles, t, std::min(tiles.count, t + kBlockRows / kRows), 0, strips, n);
          continue;
        }
        // A grid of tasks, each a run of row tiles (short enough for the cache) by a run of strips.
        int64_t total = m * n * block.depth;
        int64_t tasks = std::clamp<int64_t>(total / kGrainWork, 1, 8 * num_threads());
        int64_t row_groups = std::max<int64_t>((m + kBlockRows - 1) / kBlockRows, 1);
        int64_t col_groups = std::clamp<int64_t>((tasks + row_groups - 1) / row_groups, 1, strips);
        if (row_groups * col_groups < tasks) row_groups = std::clamp<int64_t>(tasks / col_groups, 1, tiles.count);
        parallel_for(row_groups * col_groups, 1, [&](int64_t begin, int64_t end) {
          for (int64_t task = begin; task < end; ++task) {
            int64_t r = task / col_groups, c = task % col_groups;
            compute(block, tiles, tiles.count * r / row_groups, tiles.count * (r + 1) / row_groups,
                    strips * c / col_groups, strips * (c + 1) / col_groups, n);
          }
        });
      }
    }
  }
  buffers().a.trim();
  buffers().b.trim();
  buffers().sums.trim();
}

// Sums over k for M x N elements whose operands both run along k, each in 16 (for double 8) interleaved sums, or twice
// as many; the number depends on M alone.
template <class P, int M, int N>
[[gnu::noinline]] void dots(int64_t k, const P* a, int64_t as, const P* b, int64_t bs, P* out) {
  constexpr int L = kLanes<P>, V = 64 / kVecBytes * (M <= 2 ? 2 : 1);
  Vec<P> acc[M * N][V];
  for (int i = 0; i < M * N; ++i)
    for (int v = 0; v < V; ++v) acc[i][v] = Vec<P>{};
  int64_t p = 0;
  auto step = [&](auto get) {
#pragma GCC unroll 8
    for (int v = 0; v < V; ++v) {
      Vec<P> x[M];
#pragma GCC unroll 4
      for (int i = 0; i < M; ++i) x[i] = get(a + i * as + p + v * L, v);
#pragma GCC unroll 4
      for (int j = 0; j < N; ++j) {
        Vec<P> y = get(b + j * bs + p + v * L, v);
#pragma GCC unroll 4
        for (int i = 0; i < M; ++i) acc[i * N + j][v] = fma(x[i], y, acc[i * N + j][v]);
      }
    }
  };
  for (; p + V * L <= k; p += V * L) step([](const P* q, int) { return load(q); });
  if (p < k) {
    int left = static_cast<int>(k - p);
    step([&](const P* q, int v) {
      int part = std::clamp(left - v * L, 0, L);
      return part == L ? load(q) : load_part(q, part);
    });
  }
#pragma GCC unroll 16
  for (int i = 0; i < M * N; ++i)
#pragma GCC unroll 4
    for (int w = V / 2; w > 0; w /= 2)
#pragma GCC unroll 8
      for (int v = 0; v < w; ++v) acc[i][v] += acc[i][v + w];
  // The lanes are added pairwise, as many elements at once as there are lanes.
  for (int i0 = 0; i0 < M * N; i0 += L) {
    Vec<P> r[L];
#pragma GCC unroll 16
    for (int i = 0; i < L; ++i) r[i] = i0 + i < M * N ? acc[i0 + i][0] : Vec<P>{};
    transpose_block<P>(r);
#pragma GCC unroll 4
    for (int w = L / 2; w > 0; w /= 2)
#pragma GCC unroll 8
      for (int i = 0; i < w; ++i) r[i] += r[i + w];
    store_part(out + i0, r[0], std::min(L, M * N - i0));
  }
}

template <class P>
void dots_any(int rows, int cols, int64_t k, const P* a, int64_t as, const P* b, int64_t bs, P* out) {
  auto one_by_one = [&](auto wide) {
    constexpr int N = decltype(wide)::value;
    switch (rows) {
      case 1: return dots<P, 1, N>(k, a, as, b, bs, out);
      case 2: return dots<P, 2, N>(k, a, as, b, bs, out);
      case 3: return dots<P, 3, N>(k, a, as, b, bs, out);
      default: return dots<P, 4, N>(k, a, as, b, bs, out);
    }
  };
  switch (cols) {
    case 1: return one_by_one(std::integral_constant<int, 1>{});
    case 2: return one_by_one(std::integral_constant<int, 2>{});
    default: return one_by_one(std::integral_constant<int, 4>{});
  }
}

// A few rows, both operands run along k: no packing, B is read once.
template <class T> void dot_rows(const Problem<T>& g) {
  using P = gemm_scalar_t<T>;
  constexpr int64_t kPiece = 1 << 15;
  if (g.m <= 4 && g.n <= 4 && g.k >= 4 * kPiece) {
    int rows = static_cast<int>(g.m);
    // One long sum: pieces of fixed length, added in order.
    int64_t pieces = (g.k + kPiece - 1) / kPiece;
    P* sums = buffers().line.get<P>(pieces * g.m * g.n);
    parallel_for(pieces, 2, [&](int64_t begin, int64_t end) {
      for (int64_t q = begin; q < end; ++q)
        for (int64_t j = 0; j < g.n; ++j) {
          P out[4];
          dots_any<P>(rows, 1, std::min(kPiece, g.k - q * kPiece), g.a.data + q * kPiece, g.a.row_stride,
                      g.b.data + j * g.b.col_stride + q * kPiece, 0, out);
          for (int i = 0; i < rows; ++i) sums[(q * g.m + i) * g.n + j] = out[i];
        }
    });
    for (int64_t i = 0; i < g.m; ++i)
      for (int64_t j = 0; j < g.n; ++j) {
        P sum = 0;
        for (int64_t q = 0; q < pieces; ++q) sum += sums[(q * g.m + i) * g.n + j];
        put_one(g, sum, i, j);
      }
    return;
  }
  int64_t grain = std::max<int64_t>(4, (1 << 17) / (g.k * ((g.m + 3) / 4)));
  parallel_for(g.n, grain, [&](int64_t begin, int64_t end) {
    P out[16];
    for (int64_t j = begin; j < end;) {
      int cols = end - j >= 4 ? 4 : end - j >= 2 ? 2 : 1;
      for (int64_t i = 0; i < g.m; i += 4) {
        int rows = static_cast<int>(std::min<int64_t>(4, g.m - i));
        dots_any<P>(rows, cols, g.k, g.a.data + i * g.a.row_stride, g.a.row_stride, g.b.data + j * g.b.col_stride,
                    g.b.col_stride, out);
        for (int r = 0; r < rows; ++r)
          for (int c = 0; c < cols; ++c) put_one(g, out[r * cols + c], i + r, j + c);
      }
      j += cols;
    }
  });
}

// m == 1 and a B larger than the cache: eight whole rows at a time, the sums staying in the nearest cache.
template <class T> void stream_rows(const Problem<T>& g) {
  using P = gemm_scalar_t<T>;
  constexpr int64_t kCols = 2048;
  constexpr int kStep = 8, L = kLanes<P>;
  parallel_for((g.n + 255) / 256, std::max<int64_t>(1, (1 << 17) / (g.k * 256)), [&](int64_t u0, int64_t u1) {
    alignas(64) P sums[kCols];
    int64_t end = std::min(g.n, u1 * 256);
    for (int64_t j = u0 * 256; j < end; j += kCols) {
      int64_t cols = std::min(kCols, end - j);
      std::fill(sums, sums + cols, P(0));
      for (int64_t p = 0; p < g.k; p += kStep) {
        int steps = static_cast<int>(std::min<int64_t>(kStep, g.k - p));
        const P* x = g.a.data + p * g.a.col_stride;
        const P* b = g.b.data + p * g.b.row_stride + j;
        int64_t q = 0;
        if (steps == kStep) {
          for (; q + L <= cols; q += L) {
            Vec<P> s = load(sums + q);
#pragma GCC unroll 8
            for (int r = 0; r < kStep; ++r)
              s = fma(splat<P>(x[r * g.a.col_stride]), load(b + r * g.b.row_stride + q), s);
            store(sums + q, s);
          }
        }
        for (; q < cols; ++q)
          for (int r = 0; r < steps; ++r) sums[q] = fma_one(x[r * g.a.col_stride], b[r * g.b.row_stride + q], sums[q]);
      }
      for (int64_t q = 0; q < cols; ++q) put_one(g, sums[q], 0, j + q);
    }
  });
}

// m == 1, rows of B run along n: a long row of sums at a time.
template <class T> void axpy_row(const Problem<T>& g) {
  using P = gemm_scalar_t<T>;
  constexpr int64_t kWide = 512 / static_cast<int64_t>(sizeof(P));
  int64_t units = (g.n + kWide - 1) / kWide;
  parallel_for(units, std::max<int64_t>(1, (1 << 17) / (g.k * kWide)), [&](int64_t u0, int64_t u1) {
    alignas(64) P sums[kWide];
    TileOut<P> out{Finish::spill, sums, kWide, nullptr, P(0)};
    for (int64_t j = u0 * kWide; j < std::min(g.n, u1 * kWide); j += kWide) {
      int64_t cols = std::min(kWide, g.n - j);
      int64_t at = 0;
      constexpr int L = kLanes<P>;
      while (at < cols) {
        int64_t left = cols - at;
        const P* b = g.b.data + j + at;
        out.dst = sums + at;
        if (left >= kWideVecs * L) {
          tile<P, 1, kWideVecs, true>(g.k, g.a.data, 1, g.a.col_stride, b, g.b.row_stride, L, out);
          at += kWideVecs * L;
        } else {
          int vecs = left > L ? 2 : 1, tail = static_cast<int>(std::min<int64_t>(L, left - (vecs - 1) * L));
          kTiles<P>[vecs - 1][1][0](g.k, g.a.data, 1, g.a.col_stride, b, g.b.row_stride, tail, out);
          at += vecs * L;
        }
      }
      for (int64_t c = 0; c < cols; ++c) put_one(g, sums[c], 0, j + c);
    }
  });
}

// The same of a short type: rows of B are widened a piece at a time, the pieces' sums added in order.
template <class T> void widened_rows(const Problem<T>& g) {
  constexpr int64_t kPiece = 1024, kCols = 4;
  const ConvertFn widen = convert_fns[static_cast<int>(DType::F32)][static_cast<int>(dtype_of_v<T>)];
  float* a = buffers().line.get<float>(g.m * g.k);
  for (int64_t i = 0; i < g.m; ++i) widen(a + i * g.k, g.a.data + i * g.a.row_stride, g.k);
  parallel_for((g.n + kCols - 1) / kCols, std::max<int64_t>(1, (1 << 17) / (g.k * kCols)),
               [&](int64_t begin, int64_t end) {
                 alignas(64) float b[kCols * kPiece], sums[4 * kCols], part[4 * kCols];
                 for (int64_t j = begin * kCols, step; j < std::min(g.n, end * kCols); j += step) {
                   step = g.n - j < kCols ? 1 : kCols;
                   for (int64_t p = 0; p < g.k; p += kPiece) {
                     const int64_t length = std::min(kPiece, g.k - p);
                     for (int64_t c = 0; c < step; ++c)
                       widen(b + c * kPiece, g.b.data + (j + c) * g.b.col_stride + p, length);
                     dots_any<float>(static_cast<int>(g.m), static_cast<int>(step), length, a + p, g.k, b, kPiece,
                                     p == 0 ? sums : part);
                     for (int64_t i = 0; p > 0 && i < g.m * step; ++i) sums[i] += part[i];
                   }
                   for (int64_t i = 0; i < g.m; ++i)
                     for (int64_t c = 0; c < step; ++c) put_one(g, sums[i * step + c], i, j + c);
                 }
               });
}

template <class T> void solve(Problem<T>& g) {
  using P = gemm_scalar_t<T>;
  constexpr bool same = std::is_same_v<T, P>;
  if (g.k == 0) {
    for (int64_t i = 0; i < g.m; ++i)
      for (int64_t j = 0; j < g.n; ++j) put_one(g, P(0), i, j);
    return;
  }
  if (g.n == 1 && g.m > 1)
    g.swap();
  else if (g.m > 1 && g.c.col_stride != 1 && g.c.row_stride == 1)
    g.swap();
  // A stride that is never taken must not look adjacent.
  if (g.m == 1) g.a.row_stride = g.k;
  if (g.n == 1 && g.b.row_stride == 1) g.b.col_stride = g.k;
  bool hooks = g.a_packer || g.b_packer;
  if constexpr (!same) {
    const bool rows_lie = g.b.row_stride == 1 && (g.a.col_stride == 1 || g.k == 1);
    if (!hooks && rows_lie && g.m <= 4 && g.k >= 8) return widened_rows(g);
  }
  if (!same || hooks) return blocked(g, false, false);
  if constexpr (same) {
    bool b_along_n = g.b.col_stride == 1 || g.n == 1, b_along_k = g.b.row_stride == 1 || g.k == 1;
    if (g.n <= 4 && g.m > g.n && b_along_k && (g.a.col_stride == 1 || g.k == 1)) {
      g.swap();
      std::swap(b_along_n, b_along_k);
      b_along_k = true;
    }
    bool few_rows = (g.m <= 4 && g.k >= 8) || (g.m <= 16 && g.m * 24 <= g.k);
    if (few_rows && b_along_k && g.b.col_stride != 1 && (g.a.col_stride == 1 || g.k == 1)) return dot_rows(g);
    if (g.m == 1 && b_along_n && g.n > 1) return g.n >= 512 && g.n * g.k >= (1 << 18) ? stream_rows(g) : axpy_row(g);
    // Packing pays when each packed element is used often enough. Of A, whose rows the micro-kernel reads as well where
    // they lie, only when they are many strips long, or so long that they would drive each other out of the cache.
    bool direct_b = g.b.col_stride == 1 && (g.k * g.n <= (1 << 16) || g.m <= 4 * kRows);
    bool short_rows = g.a.col_stride == 1 && g.k <= 256 && g.a.row_stride * sizeof(P) <= 2048;
    bool direct_a = g.m * g.k <= (1 << 16) || g.n <= 8 * kStrip<P> ||
                    (g.n <= 32 * kStrip<P> && (g.a.row_stride == 1 || short_rows));
    // Long rows of B are read better by several strips in turn.
    bool one_by_one = g.m <= kBlockRows && g.k <= kStripDepth && (g.b.col_stride != 1 || g.n <= 512);
    if (!direct_b && one_by_one) return by_strips(g, direct_a);
    return blocked(g, direct_a, direct_b);
  }
}

template <class T> void run(const GemmArgs<T>& g) {
  if (g.m <= 0 || g.n <= 0 || g.batch <= 0) return;
  using P = gemm_scalar_t<T>;
  Problem<T> p{g.m,
               g.n,
               g.alpha == P(0) ? 0 : g.k,
               g.a,
               g.b,
               g.c,
               g.alpha,
               g.beta,
               g.bias_n,
               g.bias_m,
               g.bias_n_stride,
               g.bias_m_stride,
               g.relu,
               g.a_packer.pack ? &g.a_packer : nullptr,
               g.b_packer.pack ? &g.b_packer : nullptr,
               0};
  if (g.batch == 1 && !g.a_offsets && !g.b_offsets && !g.c_offsets) return solve(p);
  bool strided = !g.a_offsets && !g.b_offsets && !g.c_offsets;
  if (strided && g.b_batch == 0 && !p.a_packer && !p.b_packer && !g.bias_m && g.a_batch == g.m * g.a.row_stride &&
      g.c_batch == g.m * g.c.row_stride) {
    p.m *= g.batch;
    return solve(p);
  }
  auto one = [&](int64_t i) {
    Problem<T> q = p;
    q.batch = i;
    q.a.data += g.a_offsets ? g.a_offsets[i] : i * g.a_batch;
    q.b.data += g.b_offsets ? g.b_offsets[i] : i * g.b_batch;
    q.c.data += g.c_offsets ? g.c_offsets[i] : i * g.c_batch;
    solve(q);
  };
  int64_t work = g.m * g.n * g.k + 1;
  if (g.batch >= 2 * num_threads() || work < kParallelWork) {
    parallel_for(g.batch, std::max<int64_t>(1, kGrainWork / work), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) one(i);
    });
  } else {
    for (int64_t i = 0; i < g.batch; ++i) one(i);
  }
}

}  // namespace

extern const Tiles<float> tiles_f32 = {kRows, kVecs, kLanes<float>, kTiles<float>[0][0].data(),
                                       pack_lines<float, float>};
extern const Tiles<double> tiles_f64 = {kRows, kVecs, kLanes<double>, kTiles<double>[0][0].data(),
                                        pack_lines<double, double>};
extern const GemmTable gemm_table = {run<float>, run<double>, run<Half>, run<BFloat16>};

}  // namespace rl::cpu::RL_ISA
