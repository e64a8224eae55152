// Recurrent layers: one direction of one layer over all time steps, for float and double.
//
// Rows are sequences, sorted by falling length; step t has batch_sizes[t] rows, at offsets[t] in every [total, ...]
// array. Rows do not depend on each other: the batch is cut among the threads, and each thread walks all its steps.
#pragma once

#include <cstdint>

#include "runtime/cpu.h"

namespace rl {

enum class CellKind { tanh, relu, lstm, gru };
inline int64_t gate_count(CellKind k) { return k == CellKind::lstm ? 4 : k == CellKind::gru ? 3 : 1; }

namespace cpu {

// The pointwise part of one step, over `rows` rows of n units. Gates lie gate after gate in a row; `ld` is the distance
// between rows of the pointer before it, where they are not adjacent.
template <class T> struct CellSteps {
  // gates: sums in, activations (i, f, g, o) out.
  void (*lstm)(int64_t rows, int64_t n, T* gates, const T* c_prev, T* c, T* tanh_c, T* h, int64_t ld_h);
  // dh (to which dout, if given, is added) and dc in; dgates and the dc of the step before out.
  void (*lstm_backward)(int64_t rows, int64_t n, const T* gates, const T* c_prev, const T* tanh_c, T* dh, const T* dout,
                        int64_t ld_dout, T* dc, T* dgates);
  // gates: the input's sums in, activations (r, z, n) out; hidden: the recurrent sums, to which bias (or null) comes.
  void (*gru)(int64_t rows, int64_t n, T* gates, const T* hidden, const T* bias, const T* h_prev, int64_t ld_prev,
              T* hidden_n, T* h, int64_t ld_h);
  // dh (+ dout) in; dh becomes what reaches the step before directly.
  void (*gru_backward)(int64_t rows, int64_t n, const T* gates, const T* hidden_n, const T* h_prev, int64_t ld_prev,
                       T* dh, const T* dout, int64_t ld_dout, T* dgates, T* dhidden);
  void (*simple)(bool relu, int64_t rows, int64_t n, const T* sums, T* h, int64_t ld_h);
  void (*simple_backward)(bool relu, int64_t rows, int64_t n, const T* h, int64_t ld_h, const T* dh, const T* dout,
                          int64_t ld_dout, T* dsums);
};

struct RnnTable {
  CellSteps<float> f32;
  CellSteps<double> f64;
};
RL_ISA_TABLE(RnnTable, rnn)

}  // namespace cpu

// A matrix in strips: element (p, j) of [depth, lines] is at [j / kRnnStrip][p][j % kRnnStrip]. What the last strip
// lacks is zero or never looked at.
constexpr int64_t kRnnStrip = 32;
constexpr int64_t kRnnDepth = 384;  // the longest sum that gemm() makes in one piece
inline int64_t in_strips(int64_t lines) { return (lines + kRnnStrip - 1) / kRnnStrip * kRnnStrip; }

// out[unit, feature] = (or +=) the sum over rows of left[row, unit] * right[row, feature], both in strips `distance` rows
// apart from each other.
template <class T> struct StripGradient {
  int64_t rows = 0, distance = 0, units = 0, features = 0;
  const T *left = nullptr, *right = nullptr;
  bool add = false;
  T* out = nullptr;
};

namespace cpu {

template <class T> struct RnnProducts {
  // A matrix into strips `distance` elements apart; line j of it starts at src + j * line_stride.
  void (*pack)(const T* src, int64_t line_stride, int64_t k_stride, int64_t lines, int64_t depth, T* out,
               int64_t distance);
  // c = a @ b (+ bias, where k is at most kRnnDepth), or c += a @ b; b is [k, n] in strips.
  void (*multiply)(int64_t rows, int64_t k, int64_t n, const T* a, int64_t ld_a, const T* b, const T* bias, bool add,
                   T* c, int64_t ld_c);
  void (*gradient)(const StripGradient<T>& g, int64_t strip);  // of the units of one strip
  void (*add_columns)(int64_t rows, const T* strip, int64_t count, T* sums);
};
struct RnnProductsTable {
  RnnProducts<float> f32;
  RnnProducts<double> f64;
};
RL_ISA_TABLE(RnnProductsTable, rnn_products)

}  // namespace cpu

// Rows that belong to a walk's steps, where somebody else put them: sequences side by side in each step (at the walk's
// own offsets), or each sequence by itself.
template <class T> struct StepRows {
  T* data = nullptr;
  int64_t row = 0, step = 0;         // distances from row to row and, without offsets, from step to step
  const int64_t* offsets = nullptr;  // rows before each step
  T* at(int64_t t, int64_t b) const { return data + (offsets ? offsets[t] * row : t * step) + b * row; }
};

// What both passes share. `recurrent` is the width of h: `hidden`, or the projection's.
template <class T> struct RnnPass {
  CellKind kind = CellKind::lstm;
  int64_t steps = 0, batch = 0, input = 0, hidden = 0, recurrent = 0;
  const int64_t *batch_sizes = nullptr, *offsets = nullptr;
  bool reverse = false;
  const T *w_ih = nullptr, *w_hh = nullptr, *b_hh = nullptr, *w_hr = nullptr;  // contiguous; b_hh for gru only
  StepRows<const T> x;                   // [input]; null: gates hold the input's part
  const T* bias = nullptr;               // the input's, where x is given
  const T *h0 = nullptr, *c0 = nullptr;  // [batch, recurrent], [batch, hidden]
  bool zero_start = false;               // h0 holds zeros
  T* gates = nullptr;     // [total, gates * hidden]: the input's part before forward, activations after (simple: sums)
  T* hidden_n = nullptr;  // gru: [total, hidden]
  T *c = nullptr, *tanh_c = nullptr;  // lstm: [total, hidden]
  T* raw_h = nullptr;                 // with a projection: [total, hidden]
  StepRows<T> out;                    // [recurrent]
  T* scratch = nullptr;               // rnn_scratch() elements
};

template <class T> struct RnnBackward : RnnPass<T> {
  StepRows<const T> dout;   // like out, or null
  T* dh = nullptr;          // [batch, recurrent]: the gradient of the last h in, of h0 out
  T* dc = nullptr;          // [batch, hidden]: the same for lstm's c
  T* dgates = nullptr;      // [total, gates * hidden], of the input's sums; or null
  T* dhidden = nullptr;     // gru: [total, 3 * hidden], of the recurrent sums; or null
  StepRows<T> dx;           // of x, or null
  T* dproj = nullptr;       // with a projection: [total, recurrent]
  bool wants_start = true;  // whether dh shall come out
  // Gradients of weights (rnn_gradient_on_walk), those that are wanted; of biases zeros come in. b_hh for gru only.
  T *dw_ih = nullptr, *dw_hh = nullptr, *db_ih = nullptr, *db_hh = nullptr;
};

// Whether the walk does the input's products on its way: it saves a pass over the gates, where the weights of both
// products stay in a core's cache and the walk keeps every thread busy. The bits are the same.
template <class T> bool rnn_input_in_walk(const RnnPass<T>& p);
// Whether the walk back makes the gradients of weights, some steps at a time, while those of the gates are in a cache.
// Does not depend on the threads.
template <class T> bool rnn_gradient_on_walk(const RnnPass<T>& p);

template <class T> int64_t rnn_scratch(const RnnPass<T>& p);
template <class T> int64_t rnn_scratch(const RnnBackward<T>& p);
template <class T> void rnn_forward(const RnnPass<T>& p);
template <class T> void rnn_backward(const RnnBackward<T>& p);

}  // namespace rl
