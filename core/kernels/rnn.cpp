// The walk through time. The recurrent weight is laid out once in the strips that the product's inner loop reads.
#include "kernels/rnn.h"

#include <algorithm>
#include <type_traits>

#include "kernels/gemm.h"
#include "runtime/parallel.h"

namespace rl {
namespace {

constexpr int64_t kStrip = 32;
constexpr int64_t kFewRows = 4;             // a batch so small that laying out does not pay
constexpr int64_t kParallelWork = 1 << 20;  // multiplications of a whole walk below which one thread does it

template <class T> const cpu::CellSteps<T>& cell_steps() {
  if constexpr (std::is_same_v<T, float>)
    return cpu::rnn().f32;
  else
    return cpu::rnn().f64;
}

// A fixed right operand of many products: element (p, j) of [k, n] is data[p * k_stride + j * n_stride].
template <class T> class Operand {
 public:
  Operand(const T* data, int64_t k, int64_t n, int64_t k_stride, int64_t n_stride, T* packed)
      : data_(data), k_(k), n_(n), k_stride_(k_stride), n_stride_(n_stride), packed_(packed) {
    if (!packed_) return;
    for (int64_t j0 = 0; j0 < n; j0 += kStrip) {
      int64_t width = std::min(kStrip, n - j0);
      T* strip = packed + j0 * k;
      for (int64_t p0 = 0; p0 < k; p0 += 16)
        for (int64_t j = 0; j < width; ++j)
          for (int64_t p = p0, end = std::min(k, p0 + 16); p < end; ++p)
            strip[p * width + j] = data[p * k_stride + (j0 + j) * n_stride];
    }
  }

  // c = (beta * c) + a @ this, for `rows` rows.
  void multiply(int64_t rows, const T* a, int64_t ld_a, T* c, int64_t ld_c, bool add) const {
    if (rows <= 0) return;
    GemmArgs<T> g;
    g.m = rows, g.k = k_;
    g.a = {a, ld_a, 1};
    g.c = {c, ld_c, 1};
    g.beta = add ? T(1) : T(0);
    if (!packed_) {
      g.n = n_;
      g.b = {data_, k_stride_, n_stride_};
      return gemm(g);
    }
    int64_t strips = n_ / kStrip, rest = n_ - strips * kStrip;
    g.n = kStrip;
    g.b = {packed_, kStrip, 1};
    for (int64_t s = 0; s < strips; ++s) {
      gemm(g);
      g.b.data += kStrip * k_;
      g.c.data += kStrip;
    }
    if (rest == 0) return;
    g.n = rest;
    g.b.row_stride = rest;
    gemm(g);
  }

 private:
  const T* data_;
  int64_t k_, n_, k_stride_, n_stride_;
  T* packed_;
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
        body(int64_t{0}, from_before, p.out + at(before) * p.ld_out, p.ld_out,
             p.c ? p.c + at(before) * p.hidden : nullptr, false);
    }
    if (from_before < count) {
      int64_t b = b0 + from_before;
      body(from_before, count - from_before, p.h0 + b * p.recurrent, p.recurrent, p.c0 ? p.c0 + b * p.hidden : nullptr,
           p.zero_start);
    }
  }
};

template <class T, class Body> void over_batch(const RnnPass<T>& p, const Body& body) {
  if (p.batch == 0) return;
  int64_t threads = num_threads();
  int64_t total = p.steps == 0 ? 0 : p.offsets[p.steps - 1] + p.batch_sizes[p.steps - 1];
  bool small = total * gate_count(p.kind) * p.hidden * p.recurrent < kParallelWork;
  int64_t rows = small || threads <= 1 ? p.batch : std::max<int64_t>(8, (p.batch + threads - 1) / threads);
  int64_t chunks = (p.batch + rows - 1) / rows;
  parallel_for(chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) body(Walk<T>{p, c * rows, std::min(p.batch, (c + 1) * rows)});
  });
}

template <class T> int64_t packed_size(const RnnPass<T>& p) {
  return p.batch <= kFewRows ? 0 : gate_count(p.kind) * p.hidden * p.recurrent;
}

}  // namespace

template <class T> int64_t rnn_scratch(const RnnPass<T>& p) {
  int64_t n = packed_size(p);
  if (p.w_hr && p.batch > kFewRows) n += p.hidden * p.recurrent;
  if (p.kind == CellKind::gru) n += 3 * p.batch * p.hidden;
  if (p.w_hr) n += p.batch * p.hidden;
  return n + 1;
}

template <class T> void rnn_forward(const RnnPass<T>& p) {
  int64_t hidden = p.hidden, width = gate_count(p.kind) * hidden, recurrent = p.recurrent;
  bool few = p.batch <= kFewRows;
  T* scratch = p.scratch;
  Operand<T> weight(p.w_hh, recurrent, width, 1, recurrent, few ? nullptr : scratch);
  scratch += packed_size(p);
  Operand<T> projection(p.w_hr, p.w_hr ? hidden : 0, p.w_hr ? recurrent : 0, 1, hidden, few ? nullptr : scratch);
  if (p.w_hr && !few) scratch += hidden * recurrent;
  T* sums = scratch;  // gru's recurrent sums, [batch, 3 * hidden]
  const cpu::CellSteps<T>& cell = cell_steps<T>();
  over_batch(p, [&](const Walk<T>& w) {
    for (int64_t s = 0; s < p.steps; ++s) {
      int64_t t = w.time(s), count = w.rows(t);
      if (count <= 0) continue;
      w.each_run(s, count, [&](int64_t first, int64_t rows, const T* h, int64_t ld_h, const T* c, bool zero) {
        int64_t at = w.at(t) + first;
        T *gates = p.gates + at * width, *out = p.out + at * p.ld_out;
        if (p.kind == CellKind::gru) {
          T* mine = sums + (w.b0 + first) * width;
          if (zero)
            std::fill(mine, mine + rows * width, T(0));
          else
            weight.multiply(rows, h, ld_h, mine, width, false);
          cell.gru(rows, hidden, gates, mine, p.b_hh, h, ld_h, p.hidden_n + at * hidden, out, p.ld_out);
          return;
        }
        if (!zero) weight.multiply(rows, h, ld_h, gates, width, true);
        if (p.kind != CellKind::lstm) {
          cell.simple(p.kind == CellKind::relu, rows, hidden, gates, out, p.ld_out);
          return;
        }
        T* raw = p.w_hr ? p.raw_h + at * hidden : out;
        cell.lstm(rows, hidden, gates, c, p.c + at * hidden, p.tanh_c + at * hidden, raw, p.w_hr ? hidden : p.ld_out);
        if (p.w_hr) projection.multiply(rows, raw, hidden, out, p.ld_out, false);
      });
    }
  });
}

template <class T> void rnn_backward(const RnnBackward<T>& p) {
  int64_t hidden = p.hidden, width = gate_count(p.kind) * hidden, recurrent = p.recurrent;
  bool few = p.batch <= kFewRows;
  T* scratch = p.scratch;
  Operand<T> weight(p.w_hh, width, recurrent, recurrent, 1, few ? nullptr : scratch);
  scratch += packed_size(p);
  Operand<T> projection(p.w_hr, p.w_hr ? recurrent : 0, p.w_hr ? hidden : 0, hidden, 1, few ? nullptr : scratch);
  if (p.w_hr && !few) scratch += hidden * recurrent;
  T* raw = scratch;  // the gradient of what is projected, [batch, hidden]
  const cpu::CellSteps<T>& cell = cell_steps<T>();
  over_batch(p, [&](const Walk<T>& w) {
    for (int64_t s = p.steps - 1; s >= 0; --s) {
      int64_t t = w.time(s), count = w.rows(t);
      if (count <= 0) continue;
      w.each_run(s, count, [&](int64_t first, int64_t rows, const T* h, int64_t ld_h, const T* c, bool) {
        int64_t at = w.at(t) + first, b = w.b0 + first;
        const T *gates = p.gates + at * width, *dout = p.dout ? p.dout + at * p.ld_out : nullptr;
        T *dh = p.dh + b * recurrent, *dgates = p.dgates + at * width;
        const T* up = dgates;
        switch (p.kind) {
          case CellKind::gru: {
            T* dhidden = p.dhidden + at * width;
            cell.gru_backward(rows, hidden, gates, p.hidden_n + at * hidden, h, ld_h, dh, dout, p.ld_out, dgates,
                              dhidden);
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
                      dout ? dh[r * recurrent + k] + dout[r * p.ld_out + k] : dh[r * recurrent + k];
              projection.multiply(rows, total, recurrent, raw + b * hidden, hidden, false);
              from = raw + b * hidden;
              dout = nullptr;
            }
            cell.lstm_backward(rows, hidden, gates, c, p.tanh_c + at * hidden, from, dout, p.ld_out, p.dc + b * hidden,
                               dgates);
            break;
          }
          default:
            cell.simple_backward(p.kind == CellKind::relu, rows, hidden, p.out + at * p.ld_out, p.ld_out, dh, dout,
                                 p.ld_out, dgates);
        }
        // The initial state is where a walk begins: nobody may want its gradient.
        bool start = h == p.h0 + b * recurrent;
        if (!start || p.wants_start) weight.multiply(rows, up, width, dh, recurrent, p.kind == CellKind::gru);
      });
    }
  });
}

template int64_t rnn_scratch(const RnnPass<float>&);
template int64_t rnn_scratch(const RnnPass<double>&);
template void rnn_forward(const RnnPass<float>&);
template void rnn_forward(const RnnPass<double>&);
template void rnn_backward(const RnnBackward<float>&);
template void rnn_backward(const RnnBackward<double>&);

}  // namespace rl
