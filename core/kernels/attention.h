// Scaled dot product attention, softmax(scale * Q K^T + mask) V, for float and double: block by block of queries, so that
// no matrix of all scores is held. Backward computes the scores again from what forward kept of each row.
//
// The rows follow Dao et al., FlashAttention (2022), https://arxiv.org/abs/2205.14135, with whole rows of scores at once.
#pragma once

#include <cstdint>

#include "runtime/cpu.h"

namespace rl {
namespace cpu {

constexpr int64_t kScoreLanes = 16;  // rows of scores are padded to a multiple, whatever is in the padding

// What is done to rows of scores between two products.
template <class T> struct ScoreRows {
  int64_t rows, cols, ld;  // of scores (and of dscores)
  T scale;
  const T* mask = nullptr;  // added after scaling; its rows mask_ld apart
  int64_t mask_ld = 0;
  const T* keep = nullptr;  // dropout's factors, rows keep_ld apart
  int64_t keep_ld = 0;
  int64_t causal = -1;  // row r sees columns up to causal + r; -1: all
};

template <class T> struct AttentionSteps {
  // scores become exp(score - largest), times keep; inverse[r]: one over the sum of the exponentials (0 if all are
  // masked); lse[r], if asked for: log of the sum of exp(score) (+inf if all are masked).
  void (*softmax)(const ScoreRows<T>& how, T* scores, T* inverse, T* lse);
  // scores become the probabilities, times keep; dscores, the gradients of the probabilities, become those of the scores.
  void (*gradient)(const ScoreRows<T>& how, T* scores, T* dscores, const T* lse, const T* delta);
  void (*scale)(int64_t rows, int64_t n, const T* by, T* x, int64_t ld);
  // out[r] = the sum over j of a[r][j] * b[r][j]
  void (*dots)(int64_t rows, int64_t n, const T* a, int64_t ld_a, int64_t a_col, const T* b, int64_t ld_b, T* out);
};
struct AttentionTable {
  AttentionSteps<float> f32;
  AttentionSteps<double> f64;
};
RL_ISA_TABLE(AttentionTable, attention)

}  // namespace cpu

// A stack of matrices: entry i starts at offsets[i].
template <class T> struct MatrixStack {
  T* data = nullptr;
  const int64_t* offsets = nullptr;
  int64_t row = 0, col = 1;  // strides
  T* at(int64_t entry, int64_t first_row) const { return data + offsets[entry] + first_row * row; }
};

template <class T> struct AttentionArgs {
  int64_t entries, queries, keys, width, value_width;
  MatrixStack<const T> q, k, v;
  MatrixStack<const T> mask;  // col 1; data may be null
  const T* keep = nullptr;    // [entries, queries, keys] or null
  bool causal = false;
  double scale = 1;
  MatrixStack<T> out;  // col 1
  T* lse = nullptr;    // [entries, queries]; forward may leave it out
};
template <class T> struct AttentionBackward : AttentionArgs<T> {
  MatrixStack<const T> dout;
  MatrixStack<T> dq, dk, dv;  // col 1
};

template <class T> void attention_forward(const AttentionArgs<T>& a);
template <class T> void attention_backward(const AttentionBackward<T>& a);

}  // namespace rl
