// The walk through time. The recurrent weight is laid out once in the strips that the product's inner loop reads.
#include "kernels/rnn.h"

#include <algorithm>
#include <type_traits>

#include "kernels/gemm.h"
#include "runtime/parallel.h"

namespace rl {
namespace {

constexpr int64_t kFewRows = 4;                // a batch so small that laying out does not pay
constexpr int64_t kParallelWork = 1 << 20;     // multiplications of a whole walk below which one thread does it
constexpr int64_t kCachedWeights = 640 << 10;  // bytes that stay in a core's second cache beside what passes through
constexpr int64_t kSegmentBytes = 512 << 10;   // of gates' gradients, for which those of weights are made at once
constexpr int64_t kGradientBatch = 16;

template <class T> const cpu::CellSteps<T>& cell_steps() {
  if constexpr (std::is_same_v<T, float>)
    return cpu::rnn().f32;
  else
    return cpu::rnn().f64;
}
template <class T> const cpu::RnnProducts<T>& products() {
  if constexpr (std::is_same_v<T, float>)
    return cpu::rnn_products().f32;
  else
    return cpu::rnn_products().f64;
}

// Hands out pieces of a scratch block; without one it counts what they need.
template <class T> class Pieces {
 public:
  explicit Pieces(T* data) : data_(data) {}
  T* take(int64_t n) {
    T* piece = data_ ? data_ + used_ : nullptr;
    used_ += (n + 15) / 16 * 16;
    return piece;
  }
  int64_t used() const { return used_; }

 private:
  T* data_;
  int64_t used_ = 0;
};

// A fixed right operand of many products: element (p, j) of [k, n] is data[p * k_stride + j * n_stride].
template <class T> class Operand {
 public:
  Operand() = default;
  Operand(const T* data, int64_t k, int64_t n, int64_t k_stride, int64_t n_stride, bool few, Pieces<T>& pieces)
      : data_(data), k_(k), n_(n), k_stride_(k_stride), n_stride_(n_stride) {
    if (!few) packed_ = pieces.take(k * in_strips(n));
  }
  void pack() const {
    if (!packed_) return;
    parallel_for(in_strips(n_) / kRnnStrip, std::max<int64_t>(1, 32768 / (k_ * kRnnStrip + 1)),
                 [&](int64_t begin, int64_t end) {
                   int64_t j0 = begin * kRnnStrip;
                   products<T>().pack(data_ + j0 * n_stride_, n_stride_, k_stride_, std::min(n_, end * kRnnStrip) - j0,
                                      k_, packed_ + j0 * k_, kRnnStrip * k_);
                 });
  }

  // c = a @ this (+ bias), or c += a @ this, for `rows` rows.
  void multiply(int64_t rows, const T* a, int64_t ld_a, bool add, T* c, int64_t ld_c, const T* bias = nullptr) const {
    if (rows <= 0) return;
    if (packed_) return products<T>().multiply(rows, k_, n_, a, ld_a, packed_, bias, add, c, ld_c);
    GemmArgs<T> g;
    g.m = rows, g.k = k_, g.n = n_;
    g.a = {a, ld_a, 1};
    g.b = {data_, k_stride_, n_stride_};
    g.c = {c, ld_c, 1};
    g.beta = add ? T(1) : T(0);
    gemm(g);
  }

 private:
  const T* data_ = nullptr;
  int64_t k_ = 0, n_ = 0, k_stride_ = 0, n_stride_ = 0;
  T* packed_ = nullptr;
};

template <class T> struct ForwardPieces {
  Operand<T> recurrent, input, projection;
  T* sums = nullptr;  // gru's recurrent sums, [batch, 3 * hidden]

  ForwardPieces(const RnnPass<T>& p, Pieces<T>& pieces) {
    const int64_t width = gate_count(p.kind) * p.hidden;
    const bool few = p.batch <= kFewRows;
    recurrent = {p.w_hh, p.recurrent, width, 1, p.recurrent, few, pieces};
    if (p.x.data) input = {p.w_ih, p.input, width, 1, p.input, few, pieces};
    if (p.w_hr) projection = {p.w_hr, p.hidden, p.recurrent, 1, p.hidden, few, pieces};
    if (p.kind == CellKind::gru) sums = pieces.take(p.batch * width);
  }
};

template <class T> struct BackwardPieces {
  Operand<T> recurrent, input, projection;
  T* raw = nullptr;                         // the gradient of what is projected, [batch, hidden]
  T *dgates = nullptr, *dhidden = nullptr;  // of one step
  // For gradients of weights: some steps' gradients of gates, x and h before them, in strips `rows` rows apart.
  int64_t steps, rows = 0;
  T *gate_strips = nullptr, *hidden_strips = nullptr, *x_strips = nullptr, *h_strips = nullptr;

  BackwardPieces(const RnnBackward<T>& p, Pieces<T>& pieces) {
    const int64_t width = gate_count(p.kind) * p.hidden;
    const bool few = p.batch <= kFewRows;
    recurrent = {p.w_hh, width, p.recurrent, p.recurrent, 1, few, pieces};
    if (p.dx.data) input = {p.w_ih, width, p.input, p.input, 1, few, pieces};
    if (p.w_hr) {
      projection = {p.w_hr, p.recurrent, p.hidden, p.hidden, 1, few, pieces};
      raw = pieces.take(p.batch * p.hidden);
    }
    if (!p.dgates) dgates = pieces.take(p.batch * width);
    const bool gru = p.kind == CellKind::gru;
    if (!p.dhidden && gru) dhidden = pieces.take(p.batch * width);
    steps = p.steps;
    if (!p.dw_ih && !p.dw_hh && !p.db_ih && !p.db_hh) return;
    const int64_t line = in_strips(width), step = p.batch * line * (gru ? 2 : 1) * static_cast<int64_t>(sizeof(T));
    const int64_t most = std::clamp<int64_t>(kSegmentBytes / step, 1, p.steps), segments = (p.steps + most - 1) / most;
    steps = (p.steps + segments - 1) / segments;
    rows = steps * p.batch;
    gate_strips = hidden_strips = pieces.take(rows * line);
    if (gru) hidden_strips = pieces.take(rows * line);
    if (p.dw_ih) x_strips = pieces.take(rows * in_strips(p.input));
    if (p.dw_hh) h_strips = pieces.take(rows * in_strips(p.recurrent));
  }
};

// The rows of one step that a chunk [b0, b1) of the batch has, in runs that come from the same place: the outputs of the
// step before, or (a backward walk meets sequences at their ends) the initial state.
template <class T> struct Walk {
  const RnnPass<T>& p;
  int64_t b0, b1;

  int64_t time(int64_t s) const { return p.reverse ? p.steps - 1 - s : s; }
  int64_t rows(int64_t t) const { return std::min(p.batch_sizes[t], b1) - b0; }
  int64_t at(int64_t t) const { return p.offsets[t] + b0; }

  // body(first row in the chunk, count, h before, its row stride, c before, whether h is known to be zero)
  template <class Body> void each_run(int64_t s, int64_t count, const Body& body) const {
    int64_t t = time(s), from_before = 0;
    if (s > 0) {
      int64_t before = p.reverse ? t + 1 : t - 1;
      from_before = std::clamp<int64_t>(rows(before), 0, count);
      if (from_before > 0)
        body(int64_t{0}, from_before, p.out.at(before, b0), p.out.row, p.c ? p.c + at(before) * p.hidden : nullptr,
             false);
    }
    if (from_before < count) {
      int64_t b = b0 + from_before;
      body(from_before, count - from_before, p.h0 + b * p.recurrent, p.recurrent, p.c0 ? p.c0 + b * p.hidden : nullptr,
           p.zero_start);
    }
  }
};

// Sequences per chunk of the batch.
template <class T> int64_t chunk_rows(const RnnPass<T>& p) {
  int64_t threads = num_threads();
  int64_t total = p.steps == 0 ? 0 : p.offsets[p.steps - 1] + p.batch_sizes[p.steps - 1];
  bool small = total * gate_count(p.kind) * p.hidden * p.recurrent < kParallelWork;
  return small || threads <= 1 ? p.batch : std::max<int64_t>(8, (p.batch + threads - 1) / threads);
}

// The part of gradients of weights that some steps, which are in `use`'s strips, have: `rows` of them.
template <class T> void add_weight_gradients(const RnnBackward<T>& p, const BackwardPieces<T>& use, int64_t rows,
                                             bool first) {
  constexpr int64_t kWork = 1 << 18;
  const int64_t width = gate_count(p.kind) * p.hidden, strips = in_strips(width) / kRnnStrip;
  const cpu::RnnProducts<T>& kernels = products<T>();
  struct Part {
    const T *left, *right;
    int64_t features;
    T *out, *sums;
  };
  const bool gru = p.kind == CellKind::gru;
  const Part parts[2] = {{use.gate_strips, use.x_strips, p.input, p.dw_ih, p.db_ih},
                         {use.hidden_strips, use.h_strips, p.recurrent, p.dw_hh, gru ? p.db_hh : nullptr}};
  const int64_t work = rows * kRnnStrip * (p.input + p.recurrent) / 2;
  parallel_for(2 * strips, std::max<int64_t>(1, kWork / (work + 1)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const Part& part = parts[i / strips];
      const int64_t s = i % strips;
      if (part.sums)
        kernels.add_columns(rows, part.left + s * use.rows * kRnnStrip, std::min(kRnnStrip, width - s * kRnnStrip),
                            part.sums + s * kRnnStrip);
      if (part.out)
        kernels.gradient({rows, use.rows, width, part.features, part.left, part.right, !first, part.out}, s);
    }
  });
}

template <class T, class Body> void over_batch(const RnnPass<T>& p, const Body& body) {
  if (p.batch == 0) return;
  int64_t rows = chunk_rows(p), chunks = (p.batch + rows - 1) / rows;
  parallel_for(chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) body(Walk<T>{p, c * rows, std::min(p.batch, (c + 1) * rows)});
  });
}

}  // namespace

template <class T> bool rnn_gradient_on_walk(const RnnPass<T>& p) {
  // Small numbers are left to gemm(), which has ways of its own with them; so is a small gru, which would fill strips of
  // two kinds.
  const int64_t least = p.kind == CellKind::gru ? 96 : 8;
  return p.batch >= kGradientBatch && p.steps > 0 && !p.w_hr && p.input >= 8 && p.hidden >= least &&
         p.input < kRnnDepth &&
         (p.input + p.recurrent) * gate_count(p.kind) * p.hidden * static_cast<int64_t>(sizeof(T)) <= kCachedWeights;
}
template <class T> bool rnn_input_in_walk(const RnnPass<T>& p) {
  int64_t rows = std::max<int64_t>(chunk_rows(p), 1), chunks = (p.batch + rows - 1) / rows;
  return rnn_gradient_on_walk(p) && (rows == p.batch || chunks >= num_threads());
}

template <class T> int64_t rnn_scratch(const RnnPass<T>& p) {
  Pieces<T> pieces(nullptr);
  ForwardPieces<T>(p, pieces);
  return pieces.used() + 1;
}
template <class T> int64_t rnn_scratch(const RnnBackward<T>& p) {
  Pieces<T> pieces(nullptr);
  BackwardPieces<T>(p, pieces);
  return pieces.used() + 1;
}

template <class T> void rnn_forward(const RnnPass<T>& p) {
  const int64_t hidden = p.hidden, width = gate_count(p.kind) * hidden;
  Pieces<T> pieces(p.scratch);
  const ForwardPieces<T> use(p, pieces);
  for (const Operand<T>* o : {&use.recurrent, &use.input, &use.projection}) o->pack();
  const cpu::CellSteps<T>& cell = cell_steps<T>();
  over_batch(p, [&](const Walk<T>& w) {
    for (int64_t s = 0; s < p.steps; ++s) {
      int64_t t = w.time(s), count = w.rows(t);
      if (count <= 0) continue;
      if (p.x.data)
        use.input.multiply(count, p.x.at(t, w.b0), p.x.row, false, p.gates + w.at(t) * width, width, p.bias);
      w.each_run(s, count, [&](int64_t first, int64_t rows, const T* h, int64_t ld_h, const T* c, bool zero) {
        int64_t at = w.at(t) + first;
        T *gates = p.gates + at * width, *out = p.out.at(t, w.b0 + first);
        if (p.kind == CellKind::gru) {
          T* mine = use.sums + (w.b0 + first) * width;
          if (zero)
            std::fill(mine, mine + rows * width, T(0));
          else
            use.recurrent.multiply(rows, h, ld_h, false, mine, width);
          cell.gru(rows, hidden, gates, mine, p.b_hh, h, ld_h, p.hidden_n + at * hidden, out, p.out.row);
          return;
        }
        if (!zero) use.recurrent.multiply(rows, h, ld_h, true, gates, width);
        if (p.kind != CellKind::lstm) {
          cell.simple(p.kind == CellKind::relu, rows, hidden, gates, out, p.out.row);
          return;
        }
        T* raw = p.w_hr ? p.raw_h + at * hidden : out;
        cell.lstm(rows, hidden, gates, c, p.c + at * hidden, p.tanh_c + at * hidden, raw, p.w_hr ? hidden : p.out.row);
        if (p.w_hr) use.projection.multiply(rows, raw, hidden, false, out, p.out.row);
      });
    }
  });
}

template <class T> void rnn_backward(const RnnBackward<T>& p) {
  const int64_t hidden = p.hidden, width = gate_count(p.kind) * hidden, recurrent = p.recurrent;
  Pieces<T> pieces(p.scratch);
  const BackwardPieces<T> use(p, pieces);
  for (const Operand<T>* o : {&use.recurrent, &use.input, &use.projection}) o->pack();
  const cpu::CellSteps<T>& cell = cell_steps<T>();
  auto into_strips = [&](int64_t rows, int64_t columns, const T* from, int64_t ld, T* strips, int64_t at) {
    if (strips) products<T>().pack(from, 1, ld, columns, rows, strips + at * kRnnStrip, use.rows * kRnnStrip);
  };
  // Steps [begin, end) of the walk, whose rows lie together; the last one comes first.
  auto walk = [&](const Walk<T>& w, int64_t begin, int64_t end, int64_t row0) {
    for (int64_t s = end - 1; s >= begin; --s) {
      int64_t t = w.time(s), count = w.rows(t);
      if (count <= 0) continue;
      w.each_run(s, count, [&](int64_t first, int64_t rows, const T* h, int64_t ld_h, const T* c, bool) {
        int64_t at = w.at(t) + first, b = w.b0 + first;
        const T *gates = p.gates + at * width, *dout = p.dout.data ? p.dout.at(t, b) : nullptr;
        T *dh = p.dh + b * recurrent, *dgates = use.dgates ? use.dgates + b * width : p.dgates + at * width;
        const T* up = dgates;
        switch (p.kind) {
          case CellKind::gru: {
            T* dhidden = use.dhidden ? use.dhidden + b * width : p.dhidden + at * width;
            cell.gru_backward(rows, hidden, gates, p.hidden_n + at * hidden, h, ld_h, dh, dout, p.dout.row, dgates,
                              dhidden);
            into_strips(rows, width, dhidden, width, use.hidden_strips, at - row0);
            up = dhidden;
            break;
          }
          case CellKind::lstm: {
            T* from = dh;
            if (p.w_hr) {
              T* total = p.dproj + at * recurrent;
              for (int64_t r = 0; r < rows; ++r)
                for (int64_t k = 0; k < recurrent; ++k)
                  total[r * recurrent + k] =
                      dout ? dh[r * recurrent + k] + dout[r * p.dout.row + k] : dh[r * recurrent + k];
              use.projection.multiply(rows, total, recurrent, false, use.raw + b * hidden, hidden);
              from = use.raw + b * hidden;
              dout = nullptr;
            }
            cell.lstm_backward(rows, hidden, gates, c, p.tanh_c + at * hidden, from, dout, p.dout.row,
                               p.dc + b * hidden, dgates);
            break;
          }
          default:
            cell.simple_backward(p.kind == CellKind::relu, rows, hidden, p.out.at(t, b), p.out.row, dh, dout,
                                 p.dout.row, dgates);
        }
        into_strips(rows, width, dgates, width, use.gate_strips, at - row0);
        if (use.x_strips) into_strips(rows, p.input, p.x.at(t, b), p.x.row, use.x_strips, at - row0);
        into_strips(rows, recurrent, h, ld_h, use.h_strips, at - row0);
        // The initial state is where a walk begins: nobody may want its gradient.
        bool start = h == p.h0 + b * recurrent;
        if (!start || p.wants_start) use.recurrent.multiply(rows, up, width, p.kind == CellKind::gru, dh, recurrent);
        if (p.dx.data) use.input.multiply(rows, dgates, width, false, p.dx.at(t, b), p.dx.row);
      });
    }
  };
  for (int64_t end = p.steps; end > 0; end -= use.steps) {
    const int64_t begin = std::max<int64_t>(end - use.steps, 0);
    const int64_t first = p.reverse ? p.steps - end : begin, last = p.reverse ? p.steps - 1 - begin : end - 1;
    const int64_t row0 = p.offsets[first], rows = p.offsets[last] + p.batch_sizes[last] - row0;
    over_batch(p, [&](const Walk<T>& w) { walk(w, begin, end, row0); });
    if (use.rows > 0) add_weight_gradients(p, use, rows, end == p.steps);
  }
}

template bool rnn_input_in_walk(const RnnPass<float>&);
template bool rnn_input_in_walk(const RnnPass<double>&);
template bool rnn_gradient_on_walk(const RnnPass<float>&);
template bool rnn_gradient_on_walk(const RnnPass<double>&);
template int64_t rnn_scratch(const RnnPass<float>&);
template int64_t rnn_scratch(const RnnPass<double>&);
template int64_t rnn_scratch(const RnnBackward<float>&);
template int64_t rnn_scratch(const RnnBackward<double>&);
template void rnn_forward(const RnnPass<float>&);
template void rnn_forward(const RnnPass<double>&);
template void rnn_backward(const RnnBackward<float>&);
template void rnn_backward(const RnnBackward<double>&);

}  // namespace rl
