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

// What both passes share. `recurrent` is the width of h: `hidden`, or the projection's.
template <class T> struct RnnPass {
  CellKind kind = CellKind::lstm;
  int64_t steps = 0, batch = 0, hidden = 0, recurrent = 0;
  const int64_t *batch_sizes = nullptr, *offsets = nullptr;
  bool reverse = false;
  const T *w_hh = nullptr, *b_hh = nullptr, *w_hr = nullptr;  // contiguous; b_hh for gru only, w_hr for projections
  const T *h0 = nullptr, *c0 = nullptr;                       // [batch, recurrent], [batch, hidden]
  bool zero_start = false;                                    // h0 holds zeros
  T* gates = nullptr;     // [total, gates * hidden]: the input's part before forward, activations after (simple: sums)
  T* hidden_n = nullptr;  // gru: [total, hidden]
  T *c = nullptr, *tanh_c = nullptr;  // lstm: [total, hidden]
  T* raw_h = nullptr;                 // with a projection: [total, hidden]
  T* out = nullptr;                   // [total, recurrent], rows ld_out apart
  int64_t ld_out = 0;
  T* scratch = nullptr;  // rnn_scratch() elements
};

template <class T> struct RnnBackward : RnnPass<T> {
  const T* dout = nullptr;  // like out, or null
  T* dh = nullptr;          // [batch, recurrent]: the gradient of the last h in, of h0 out
  T* dc = nullptr;          // [batch, hidden]: the same for lstm's c
  T* dgates = nullptr;      // [total, gates * hidden], of the input's sums
  T* dhidden = nullptr;     // gru: [total, 3 * hidden], of the recurrent sums
  T* dproj = nullptr;       // with a projection: [total, recurrent]
  bool wants_start = true;  // whether dh shall come out
};

template <class T> int64_t rnn_scratch(const RnnPass<T>& p);
template <class T> void rnn_forward(const RnnPass<T>& p);
template <class T> void rnn_backward(const RnnBackward<T>& p);

}  // namespace rl
