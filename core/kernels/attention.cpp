// The products of attention, and how its work is cut.
#include "kernels/attention.h"

#include <algorithm>
#include <memory>
#include <type_traits>

#include "kernels/gemm.h"
#include "runtime/parallel.h"

namespace rl {
namespace {

constexpr int64_t kScores = 1 << 15;  // scores held at once, as far as whole rows allow
constexpr int64_t kGrainWork = 1 << 18;

template <class T> const cpu::AttentionSteps<T>& steps() {
  if constexpr (std::is_same_v<T, float>)
    return cpu::attention().f32;
  else
    return cpu::attention().f64;
}

// A buffer that a thread keeps.
template <class T> T* scratch(int64_t elements) {
  constexpr int64_t kKeep = 1 << 21;
  static thread_local std::unique_ptr<T[]> data;
  static thread_local int64_t size = 0;
  if (elements > size || (size > kKeep && elements <= kKeep)) {
    data = std::make_unique_for_overwrite<T[]>(static_cast<size_t>(elements));
    size = elements;
  }
  return data.get();
}

// Causal blocks are lower: what lies above the diagonal in them is computed for nothing.
template <class T> int64_t block_rows(const AttentionArgs<T>& a) {
  int64_t rows = std::clamp<int64_t>(kScores / std::max<int64_t>(a.keys, 1), 16, a.causal ? 64 : 256);
  int64_t blocks = (a.queries + rows - 1) / rows;
  return (a.queries + blocks - 1) / blocks;
}

// c = a @ b (+ c), with a and b by any strides.
template <class T>
void product(int64_t m, int64_t n, int64_t k, const T* a, int64_t a_row, int64_t a_col, const T* b, int64_t b_row,
             int64_t b_col, T* c, int64_t c_row, bool add = false) {
  GemmArgs<T> g;
  g.m = m, g.n = n, g.k = k;
  g.a = {a, a_row, a_col};
  g.b = {b, b_row, b_col};
  g.c = {c, c_row, 1};
  g.beta = add ? T(1) : T(0);
  gemm(g);
}

int64_t padded(int64_t cols) { return (cols + cpu::kScoreLanes - 1) / cpu::kScoreLanes * cpu::kScoreLanes; }

template <class T>
cpu::ScoreRows<T> score_rows(const AttentionArgs<T>& a, int64_t entry, int64_t first, int64_t rows, int64_t cols) {
  cpu::ScoreRows<T> how{rows, cols, padded(cols), static_cast<T>(a.scale)};
  if (a.mask.data) how.mask = a.mask.at(entry, first), how.mask_ld = a.mask.row;
  if (a.keep) how.keep = a.keep + (entry * a.queries + first) * a.keys, how.keep_ld = a.keys;
  how.causal = a.causal ? first : -1;
  return how;
}

// Keys that any of the rows [first, first + rows) sees.
template <class T> int64_t reach(const AttentionArgs<T>& a, int64_t first, int64_t rows) {
  return a.causal ? std::min(a.keys, first + rows) : a.keys;
}

template <class T> void forward_block(const AttentionArgs<T>& a, int64_t e, int64_t first, int64_t rows) {
  int64_t cols = reach(a, first, rows), ld = padded(cols);
  T* scores = scratch<T>(rows * ld + rows);
  T* inverse = scores + rows * ld;
  product(rows, cols, a.width, a.q.at(e, first), a.q.row, a.q.col, a.k.at(e, 0), a.k.col, a.k.row, scores, ld);
  steps<T>().softmax(score_rows(a, e, first, rows, cols), scores, inverse,
                     a.lse ? a.lse + e * a.queries + first : nullptr);
  T* out = a.out.at(e, first);
  product(rows, a.value_width, cols, scores, ld, int64_t{1}, a.v.at(e, 0), a.v.row, a.v.col, out, a.out.row);
  steps<T>().scale(rows, a.value_width, inverse, out, a.out.row);
}

template <class T> void backward_entry(const AttentionBackward<T>& a, int64_t e) {
  int64_t block = block_rows(a);
  for (int64_t first = 0; first < a.queries; first += block) {
    int64_t rows = std::min(block, a.queries - first), cols = reach(a, first, rows), ld = padded(cols);
    T* scores = scratch<T>(2 * rows * padded(a.keys) + rows);
    T *dscores = scores + rows * ld, *delta = dscores + rows * ld;
    const T *dout = a.dout.at(e, first), *out = a.out.at(e, first);
    steps<T>().dots(rows, a.value_width, dout, a.dout.row, a.dout.col, out, a.out.row, delta);
    product(rows, cols, a.width, a.q.at(e, first), a.q.row, a.q.col, a.k.at(e, 0), a.k.col, a.k.row, scores, ld);
    product(rows, cols, a.value_width, dout, a.dout.row, a.dout.col, a.v.at(e, 0), a.v.col, a.v.row, dscores, ld);
    steps<T>().gradient(score_rows(a, e, first, rows, cols), scores, dscores, a.lse + e * a.queries + first, delta);
    // The first block writes all keys' rows, those that it does not reach as zeros.
    bool add = first > 0;
    if (!add)
      for (int64_t s = cols; s < a.keys; ++s) {
        std::fill_n(a.dk.at(e, s), a.width, T(0));
        std::fill_n(a.dv.at(e, s), a.value_width, T(0));
      }
    product(cols, a.value_width, rows, scores, int64_t{1}, ld, dout, a.dout.row, a.dout.col, a.dv.at(e, 0), a.dv.row,
            add);
    product(cols, a.width, rows, dscores, int64_t{1}, ld, a.q.at(e, first), a.q.row, a.q.col, a.dk.at(e, 0), a.dk.row,
            add);
    product(rows, a.width, cols, dscores, ld, int64_t{1}, a.k.at(e, 0), a.k.row, a.k.col, a.dq.at(e, first), a.dq.row);
  }
}

}  // namespace

template <class T> void attention_forward(const AttentionArgs<T>& a) {
  int64_t block = block_rows(a), blocks = (a.queries + block - 1) / block;
  int64_t work = block * a.keys * (a.width + a.value_width) + 1;
  parallel_for(a.entries * blocks, std::max<int64_t>(1, kGrainWork / work), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      int64_t first = i % blocks * block;
      forward_block(a, i / blocks, first, std::min(block, a.queries - first));
    }
  });
}

template <class T> void attention_backward(const AttentionBackward<T>& a) {
  // Few entries are walked one after another, and their products shared instead.
  if (a.entries < num_threads()) {
    for (int64_t e = 0; e < a.entries; ++e) backward_entry(a, e);
    return;
  }
  int64_t work = 3 * a.queries * a.keys * (a.width + a.value_width) + 1;
  parallel_for(a.entries, std::max<int64_t>(1, kGrainWork / work), [&](int64_t begin, int64_t end) {
    for (int64_t e = begin; e < end; ++e) backward_entry(a, e);
  });
}

template void attention_forward(const AttentionArgs<float>&);
template void attention_forward(const AttentionArgs<double>&);
template void attention_backward(const AttentionBackward<float>&);
template void attention_backward(const AttentionBackward<double>&);

}  // namespace rl
