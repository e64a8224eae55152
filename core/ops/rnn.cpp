// Recurrent networks. A layer (both directions of it) is one node: a walk through time (kernels/rnn.h), and in backward a
// walk back and one product for each weight. The input's products are made on the walks or, where its weights are large,
// for all time steps at once.
#include "kernels/rnn.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernels/pointwise/activation.h"
#include "kernels/pointwise/trig.h"
#include "ops/creation.h"
#include "ops/formula.h"
#include "ops/index_util.h"
#include "ops/matmul.h"
#include "ops/replay.h"
#include "ops/shape.h"

namespace rl {
namespace {

using namespace formula;

// Where the rows of each time step lie.
struct Steps {
  Dims sizes, offsets;
  int64_t batch = 0, total = 0;
  bool packed = false;

  static Steps dense(int64_t steps, int64_t batch) {
    Steps s;
    s.batch = batch, s.total = steps * batch;
    for (int64_t t = 0; t < steps; ++t) s.sizes.push_back(batch), s.offsets.push_back(t * batch);
    return s;
  }
  static Steps of(const Tensor& batch_sizes) {
    check(batch_sizes.dim() == 1 && batch_sizes.dtype() == DType::I64,
          "batch_sizes must be a 1-D int64 tensor, got shape ", shape_str(batch_sizes.sizes()));
    Tensor flat = plain(batch_sizes);
    Steps s;
    s.packed = true;
    for (int64_t t = 0; t < flat.numel(); ++t) {
      int64_t n = flat.data<int64_t>()[t];
      check(n > 0 && (t == 0 || n <= s.sizes.back()),
            "batch_sizes must be positive and must not grow: sequences are packed by falling length");
      s.sizes.push_back(n), s.offsets.push_back(s.total);
      s.total += n;
    }
    check(!s.sizes.empty(), "batch_sizes must not be empty");
    s.batch = s.sizes[0];
    return s;
  }
  int64_t count() const { return sizes.size(); }
  // The rows of the step before (or after, for a backward walk) at each row: -1 - b where it is the initial state of b.
  int64_t row_before(int64_t t, int64_t b, bool reverse) const {
    int64_t before = reverse ? t + 1 : t - 1;
    bool known = before >= 0 && before < count() && b < sizes[before];
    return known ? offsets[before] + b : -1 - b;
  }
  int64_t last_row(int64_t b, bool reverse) const {
    if (reverse) return b;
    int64_t t = count() - 1;
    while (sizes[t] <= b) --t;
    return offsets[t] + b;
  }
};

struct Layer {
  CellKind kind;
  bool biases, projected;
  int directions;
  int64_t input, hidden, recurrent;
  int per_direction() const { return 2 + (biases ? 2 : 0) + (projected ? 1 : 0); }
};

// The weights of one direction, as tensors or as places in the list of a node's inputs.
struct Weights {
  Tensor w_ih, w_hh, b_ih, b_hh, w_hr;
  Weights(const Layer& l, const Tensor* p) {
    w_ih = p[0], w_hh = p[1];
    if (l.biases) b_ih = p[2], b_hh = p[3];
    if (l.projected) w_hr = p[l.per_direction() - 1];
  }
};

// A node's inputs: x, h0, c0, then the weights.
constexpr int64_t kFirstWeight = 3;

Tensor flat_rows(const Tensor& t, int64_t rows) {
  Dims shape{rows, t.size(-1)};
  return t.alias(shape, contiguous_strides(shape), t->offset());
}
// Columns [from, from + width) of some rows, without history.
Tensor block(const Tensor& t, int64_t row, int64_t rows, int64_t col, int64_t width) {
  int64_t ld = t.size(-1);
  return t.alias(Dims{rows, width}, Dims{ld, 1}, t->offset() + row * ld + col);
}
template <class T> T* data_or_null(const Tensor& t) { return t.defined() ? t.data<T>() : nullptr; }

// [steps, batch, width] whose rows lie anywhere, but each in one piece; or [total, width].
bool has_rows(const Tensor& t) { return t.is_contiguous() || (t.dim() == 3 && t.strides()[2] == 1); }
Tensor with_rows(const Tensor& t) { return has_rows(t) ? t : plain(t); }
template <class T> StepRows<T> rows_of(const Steps& s, const Tensor& t, int64_t col = 0) {
  if (!t.defined()) return {};
  T* data = t.data<std::remove_const_t<T>>() + col;
  if (t.is_contiguous()) return {data, t.size(-1), 0, s.offsets.data()};
  return {data, t.strides()[1], t.strides()[0], nullptr};
}
Tensor empty_rows_like(const Tensor& t) {
  if (t.is_contiguous()) return Tensor::empty(t.sizes(), t.dtype());
  return transpose(Tensor::empty(Dims{t.size(1), t.size(0), t.size(2)}, t.dtype()), 0, 1);
}

// What a direction keeps for backward.
struct Kept {
  Tensor gates, hidden_n, c, tanh_c, raw_h;
  static constexpr int64_t kCount = 5;
};

template <class T, class Pass>
void fill_pass(Pass& p, const Layer& l, const Steps& s, int d, const Weights& w, const Kept& k, const Tensor& h0,
               const Tensor& c0, const Tensor& out) {
  p.w_ih = w.w_ih.template data<T>();
  p.w_hh = w.w_hh.template data<T>();
  p.b_hh = l.kind == CellKind::gru ? data_or_null<T>(w.b_hh) : nullptr;
  p.w_hr = data_or_null<T>(w.w_hr);
  p.h0 = h0.template data<T>() + d * s.batch * l.recurrent;
  p.c0 = c0.defined() ? c0.template data<T>() + d * s.batch * l.hidden : nullptr;
  p.gates = k.gates.template data<T>();
  p.hidden_n = data_or_null<T>(k.hidden_n);
  p.c = data_or_null<T>(k.c);
  p.tanh_c = data_or_null<T>(k.tanh_c);
  p.raw_h = data_or_null<T>(k.raw_h);
  p.out = rows_of<T>(s, out, d * l.recurrent);
}
// What the shapes say.
template <class T, class Pass> void shape_pass(Pass& p, const Layer& l, const Steps& s, int d) {
  p.kind = l.kind;
  p.steps = s.count(), p.batch = s.batch, p.input = l.input, p.hidden = l.hidden, p.recurrent = l.recurrent;
  p.batch_sizes = s.sizes.data(), p.offsets = s.offsets.data();
  p.reverse = d == 1;
}

template <class T>
void run_forward(const Layer& l, const Steps& s, int d, const Weights& w, const Tensor& x, const Tensor& bias, Kept& k,
                 const Tensor& h0, const Tensor& c0, bool zero_start, const Tensor& out) {
  RnnPass<T> p;
  shape_pass<T>(p, l, s, d);
  if (!l.projected && rnn_input_in_walk(p)) {
    p.x = rows_of<const T>(s, x);
    p.bias = data_or_null<T>(bias);
    k.gates = Tensor::empty(Dims{s.total, w.w_ih.size(0)}, x.dtype());
  } else {
    k.gates = flat_rows(linear(plain(x), w.w_ih, bias), s.total);
  }
  fill_pass<T>(p, l, s, d, w, k, h0, c0, out);
  p.zero_start = zero_start;
  Tensor scratch = Tensor::empty(Dims{rnn_scratch(p)}, out.dtype());
  p.scratch = scratch.data<T>();
  rnn_forward(p);
}

// Copies every sequence's last row of from[:, col : col + width] into to[d].
void take_last(const Steps& s, bool reverse, const Tensor& from, int64_t col, const Tensor& to, int d) {
  int64_t width = to.size(-1), item = item_size(to.dtype()), ld = from.size(-1);
  const char* source = static_cast<const char*>(from.raw());
  char* target = static_cast<char*>(to.raw()) + d * s.batch * width * item;
  for (int64_t b = 0; b < s.batch; ++b)
    std::memcpy(target + b * width * item, source + (s.last_row(b, reverse) * ld + col) * item,
                static_cast<size_t>(width * item));
}

// h before each row, as one matrix.
Tensor rows_before(const Steps& s, bool reverse, const Tensor& out, int64_t col, const Tensor& h0, int d) {
  int64_t width = h0.size(-1), item = item_size(out.dtype()), ld = out.size(-1);
  Tensor r = Tensor::empty(Dims{s.total, width}, out.dtype());
  const char *rows = static_cast<const char*>(out.raw()),
             *first = static_cast<const char*>(h0.raw()) + d * s.batch * width * item;
  char* to = static_cast<char*>(r.raw());
  for (int64_t t = 0; t < s.count(); ++t)
    for (int64_t b = 0; b < s.sizes[t]; ++b, to += width * item) {
      int64_t row = s.row_before(t, b, reverse);
      std::memcpy(to, row >= 0 ? rows + (row * ld + col) * item : first + b * width * item,
                  static_cast<size_t>(width * item));
    }
  return r;
}

bool gradient_on_walk(const Layer& l, const Steps& s, DType dtype) {
  auto ask = [&]<class T>(RnnPass<T> p) {
    shape_pass<T>(p, l, s, 0);
    return !l.projected && rnn_gradient_on_walk(p);
  };
  return dtype == DType::F32 ? ask(RnnPass<float>()) : ask(RnnPass<double>());
}

// --- the same, composed of differentiable ops ------------------------------------------------------------------------------

Tensor sigmoid(const Tensor& t) { return call<pointwise::Sigmoid>(t); }
Tensor tanh(const Tensor& t) { return call<pointwise::Tanh>(t); }

struct State {
  Tensor h, c;
};

Tensor gate(const Tensor& t, int64_t i, int64_t n) { return slice(t, 1, i * n, (i + 1) * n); }

// One step from the input's part of the sums, [rows, gates * hidden].
State composed_cell(const Layer& l, const Tensor& input_sums, const State& from, const Weights& w) {
  int64_t n = l.hidden;
  Tensor hidden_sums = linear(from.h, w.w_hh, w.b_hh);
  if (l.kind == CellKind::gru) {
    Tensor r = sigmoid(add(gate(input_sums, 0, n), gate(hidden_sums, 0, n)));
    Tensor z = sigmoid(add(gate(input_sums, 1, n), gate(hidden_sums, 1, n)));
    Tensor m = tanh(add(gate(input_sums, 2, n), mul(r, gate(hidden_sums, 2, n))));
    return {add(m, mul(z, sub(from.h, m))), {}};
  }
  Tensor sums = add(input_sums, hidden_sums);
  if (l.kind == CellKind::tanh) return {tanh(sums), {}};
  if (l.kind == CellKind::relu) return {call<pointwise::Relu>(sums), {}};
  Tensor i = sigmoid(gate(sums, 0, n)), f = sigmoid(gate(sums, 1, n)), g = tanh(gate(sums, 2, n)),
         o = sigmoid(gate(sums, 3, n));
  Tensor c = add(mul(f, from.c), mul(i, g));
  Tensor h = mul(o, tanh(c));
  return {w.w_hr.defined() ? linear(h, w.w_hr, {}) : h, c};
}

TensorList composed_layer(const Layer& l, const Steps& s, const TensorList& inputs, const Tensor& out_like) {
  Tensor x = reshape(inputs[0], Dims{s.total, inputs[0].size(-1)});
  TensorList outs, last_h, last_c;
  bool lstm = l.kind == CellKind::lstm;
  for (int d = 0; d < l.directions; ++d) {
    Weights w(l, &inputs[static_cast<size_t>(kFirstWeight + d * l.per_direction())]);
    Tensor sums = linear(x, w.w_ih, w.b_ih);
    auto start = [&](const Tensor& t, int64_t width, int64_t from, int64_t to) {
      if (!t.defined()) return zeros(Dims{to - from, width}, x.dtype());
      return slice(select(t, 0, d), 0, from, to);
    };
    State now;
    int64_t rows = 0;
    TensorList steps(static_cast<size_t>(s.count())), done_h, done_c;
    for (int64_t k = 0; k < s.count(); ++k) {
      int64_t t = d == 1 ? s.count() - 1 - k : k, n = s.sizes[t];
      if (n < rows) {  // some sequences are over
        done_h.push_back(slice(now.h, 0, n, rows));
        now.h = slice(now.h, 0, 0, n);
        if (lstm) done_c.push_back(slice(now.c, 0, n, rows)), now.c = slice(now.c, 0, 0, n);
      } else if (n > rows) {  // some begin
        Tensor h = start(inputs[1], l.recurrent, rows, n), c = lstm ? start(inputs[2], l.hidden, rows, n) : Tensor();
        now.h = rows ? cat({now.h, h}, 0) : h;
        if (lstm) now.c = rows ? cat({now.c, c}, 0) : c;
      }
      rows = n;
      now = composed_cell(l, slice(sums, 0, s.offsets[t], s.offsets[t] + n), now, w);
      steps[static_cast<size_t>(t)] = now.h;
    }
    done_h.push_back(now.h);
    std::reverse(done_h.begin(), done_h.end());
    last_h.push_back(cat(done_h, 0));
    if (lstm) {
      done_c.push_back(now.c);
      std::reverse(done_c.begin(), done_c.end());
      last_c.push_back(cat(done_c, 0));
    }
    outs.push_back(cat(steps, 0));
  }
  TensorList result{reshape(l.directions == 2 ? cat(outs, 1) : outs[0], out_like.sizes()), stack(last_h, 0)};
  if (lstm) result.push_back(stack(last_c, 0));
  return result;
}

// --- backward -----------------------------------------------------------------------------------------------------------------

// grad's values as the kernels want them, zeros where there is none.
Tensor carried(const Tensor& grad, IntSpan sizes, DType dtype) {
  Tensor t = Tensor::empty(sizes, dtype);
  if (grad.defined())
    copy_data(t, grad);
  else
    fill_data(t, Scalar(0));
  return t;
}

template <class T>
void layer_backward(Backward& ctx, const Layer& l, const Steps& s, bool zero_start) {
  int64_t per = l.per_direction(), inputs = kFirstWeight + l.directions * per, D = l.directions;
  Tensor x = ctx.saved(0), h0 = ctx.saved(1), c0 = ctx.saved(2), out = ctx.saved(inputs);
  DType dtype = x.dtype();
  bool lstm = l.kind == CellKind::lstm, gru = l.kind == CellKind::gru, on_walk = gradient_on_walk(l, s, dtype);
  h0 = h0.defined() ? plain(h0) : zeros(Dims{D, s.batch, l.recurrent}, dtype);
  if (lstm) c0 = c0.defined() ? plain(c0) : zeros(Dims{D, s.batch, l.hidden}, dtype);
  Tensor dout = ctx.has_grad(0) ? with_rows(ctx.grad(0)) : Tensor();
  Tensor dh = carried(ctx.grad(1), h0.sizes(), dtype);
  Tensor dc = lstm ? carried(ctx.grad(2), c0.sizes(), dtype) : Tensor();
  Tensor dx;
  if (!on_walk) x = flat_rows(plain(x), s.total), out = flat_rows(out, s.total);
  for (int d = 0; d < D; ++d) {
    int64_t first = kFirstWeight + d * per, kept = inputs + 1 + d * Kept::kCount;
    TensorList params;
    for (int64_t i = 0; i < per; ++i) params.push_back(plain(ctx.saved(first + i)));
    Weights w(l, params.data());
    Kept k{ctx.saved(kept), ctx.saved(kept + 1), ctx.saved(kept + 2), ctx.saved(kept + 3), ctx.saved(kept + 4)};
    int64_t width = k.gates.size(1), col = d * l.recurrent;
    RnnBackward<T> p;
    shape_pass<T>(p, l, s, d);
    fill_pass<T>(p, l, s, d, w, k, h0, c0, out);
    p.zero_start = zero_start;
    if (dout.defined()) p.dout = rows_of<const T>(s, dout, col);
    p.dh = dh.data<T>() + d * s.batch * l.recurrent;
    p.dc = lstm ? dc.template data<T>() + d * s.batch * l.hidden : nullptr;
    p.wants_start = ctx.needs(1);
    bool in_walk = on_walk && rnn_input_in_walk(p);
    Tensor dgates, dhidden, dproj, part;
    if (in_walk && ctx.needs(0)) {
      part = empty_rows_like(x);
      p.dx = rows_of<T>(s, part);
    }
    if (!in_walk) dgates = dhidden = Tensor::empty(Dims{s.total, width}, dtype), p.dgates = dgates.data<T>();
    if (gru && !on_walk) dhidden = Tensor::empty(Dims{s.total, width}, dtype), p.dhidden = dhidden.template data<T>();
    if (l.projected) dproj = Tensor::empty(Dims{s.total, l.recurrent}, dtype);
    p.dproj = data_or_null<T>(dproj);
    Tensor grads[4];  // of weights and biases, where the walk makes them
    if (on_walk) {
      p.x = rows_of<const T>(s, x);
      auto wanted = [&](int64_t i) { return ctx.needs(first + i) && (i < 2 || l.biases); };
      if (wanted(0)) grads[0] = Tensor::empty(Dims{width, l.input}, dtype);
      if (wanted(1)) grads[1] = Tensor::empty(Dims{width, l.recurrent}, dtype);
      if (wanted(2) || (!gru && wanted(3))) grads[2] = zeros(Dims{width}, dtype);
      if (gru && wanted(3)) grads[3] = zeros(Dims{width}, dtype);
      p.dw_ih = data_or_null<T>(grads[0]), p.dw_hh = data_or_null<T>(grads[1]);
      p.db_ih = data_or_null<T>(grads[2]), p.db_hh = data_or_null<T>(grads[3]);
    }
    Tensor scratch = Tensor::empty(Dims{rnn_scratch(p)}, dtype);
    p.scratch = scratch.data<T>();
    rnn_backward(p);

    if (ctx.needs(0)) {
      if (!in_walk) part = raw_mm(dgates, false, w.w_ih, false);
      dx = dx.defined() ? add(dx, part) : part;
    }
    if (on_walk) {
      if (!gru && l.biases && ctx.needs(first + 3)) grads[3] = ctx.needs(first + 2) ? clone(grads[2]) : grads[2];
      for (int64_t i = 0; i < (l.biases ? 4 : 2); ++i)
        if (ctx.needs(first + i)) ctx.set(first + i, grads[i]);
      continue;
    }
    if (ctx.needs(first)) ctx.set(first, raw_mm(dgates, true, x, false));
    if (ctx.needs(first + 1)) {
      Tensor r;
      if (s.packed) {
        r = raw_mm(dhidden, true, rows_before(s, d == 1, out, col, h0, d), false);
      } else {
        int64_t B = s.batch, rest = s.total - B, shift = d == 1 ? 0 : B;
        if (rest > 0)
          r = raw_mm(block(dhidden, shift, rest, 0, width), true, block(out, B - shift, rest, col, l.recurrent), false);
        if (!zero_start || rest == 0) {
          Tensor start = h0.alias(Dims{B, l.recurrent}, Dims{l.recurrent, 1}, h0->offset() + d * B * l.recurrent);
          Tensor of_start = raw_mm(block(dhidden, d == 1 ? rest : 0, B, 0, width), true, start, false);
          r = r.defined() ? add(r, of_start) : of_start;
        }
      }
      ctx.set(first + 1, r);
    }
    if (l.biases) {
      Tensor b;
      if (ctx.needs(first + 2)) ctx.set(first + 2, b = raw_column_sum(dgates));
      if (ctx.needs(first + 3)) ctx.set(first + 3, gru || !b.defined() ? raw_column_sum(dhidden) : clone(b));
    }
    if (l.projected && ctx.needs(first + per - 1)) ctx.set(first + per - 1, raw_mm(dproj, true, k.raw_h, false));
  }
  if (ctx.needs(0)) {
    Tensor like = ctx.saved(0);
    bool same = std::ranges::equal(dx.sizes(), like.sizes());
    ctx.set(0, same ? dx : dx.alias(like.sizes(), contiguous_strides(like.sizes()), dx->offset()));
  }
  if (ctx.needs(1)) ctx.set(1, dh);
  if (lstm && ctx.needs(2)) ctx.set(2, dc);
}

// --- a layer ---------------------------------------------------------------------------------------------------------------

struct LayerResult {
  Tensor out, h, c;
};

// x: [steps, batch, features], or [total, features] where sequences are packed. h0 and c0 may be undefined.
LayerResult run_layer(const Layer& l, const Steps& s, const Tensor& given, const Tensor& h0, const Tensor& c0,
                      const Tensor* params, const char* name) {
  const bool on_walk = gradient_on_walk(l, s, given.dtype());
  const Tensor x = on_walk && has_rows(given) ? given : contiguous(given);
  int64_t D = l.directions;
  DType dtype = x.dtype();
  bool lstm = l.kind == CellKind::lstm, gru = l.kind == CellKind::gru, zero_start = !h0.defined();
  TensorList inputs{x, h0, c0};
  inputs.insert(inputs.end(), params, params + D * l.per_direction());
  LayerResult r;
  Dims shape(x.sizes());
  shape.back() = D * l.recurrent;
  r.out = Tensor::empty(shape, dtype);
  r.h = Tensor::empty(Dims{D, s.batch, l.recurrent}, dtype);
  if (lstm) r.c = Tensor::empty(Dims{D, s.batch, l.hidden}, dtype);
  std::vector<Kept> kept;
  {
    GradModeGuard off(false);
    Tensor values = detach(x);
    Tensor h = h0.defined() ? plain(h0) : zeros(r.h.sizes(), dtype), c;
    if (lstm) c = c0.defined() ? plain(c0) : zeros(r.c.sizes(), dtype);
    for (int d = 0; d < D; ++d) {
      TensorList mine;
      for (int i = 0; i < l.per_direction(); ++i) mine.push_back(plain(params[d * l.per_direction() + i]));
      Weights w(l, mine.data());
      Kept k;
      Tensor bias = !l.biases || gru ? w.b_ih : add(w.b_ih, w.b_hh);
      auto rows = [&] { return Tensor::empty(Dims{s.total, l.hidden}, dtype); };
      if (gru) k.hidden_n = rows();
      if (lstm) k.c = rows(), k.tanh_c = rows();
      if (l.projected) k.raw_h = rows();
      (dtype == DType::F32 ? run_forward<float> : run_forward<double>)(l, s, d, w, values, bias, k, h, c, zero_start,
                                                                       r.out);
      take_last(s, d == 1, r.out, d * l.recurrent, r.h, d);
      if (lstm) take_last(s, d == 1, k.c, 0, r.c, d);
      kept.push_back(std::move(k));
    }
  }
  if (!needs_gradient(inputs)) return r;
  TensorList outs{r.out, r.h};
  if (lstm) outs.push_back(r.c);
  auto formula = [l, s, zero_start](Backward& ctx) {
    if (Backward::create_graph()) {
      TensorList inputs;
      int64_t count = kFirstWeight + l.directions * l.per_direction();
      for (int64_t i = 0; i < count; ++i) inputs.push_back(ctx.saved(i));
      Tensor like = ctx.saved(count);
      return differentiate_again(ctx, inputs, [&](const TensorList& seen) { return composed_layer(l, s, seen, like); });
    }
    (ctx.saved(0).dtype() == DType::F32 ? layer_backward<float> : layer_backward<double>)(ctx, l, s, zero_start);
  };
  Ref<Node> node = make_node(name, inputs, std::move(formula));
  for (const Tensor& t : inputs) node->saved.emplace_back(t, false, 0u);
  node->saved.emplace_back(r.out, true, 0u);
  for (const Kept& k : kept)
    for (const Tensor* t : {&k.gates, &k.hidden_n, &k.c, &k.tanh_c, &k.raw_h}) node->saved.emplace_back(*t, false, 0u);
  node->outputs = static_cast<uint32_t>(outs.size());
  for (size_t i = 0; i < outs.size(); ++i) set_history(outs[i], node, static_cast<uint32_t>(i));
  return r;
}

// --- networks --------------------------------------------------------------------------------------------------------------

Tensor drop(const Tensor& t, double p) {
  static const OpDef* def = Registry::get().overloads("dropout").front();
  Value args[3] = {Value(t), Value(), Value()};
  args[1].tag = Tag::Double, args[1].d = p;
  args[2].tag = Tag::Bool, args[2].b = true;
  Result result;
  def->fn(args, result);
  return result.tensor;
}

struct Network {
  CellKind kind;
  const char *op, *node;
  bool biases;
  int64_t layers;
  double dropout;
  bool train, bidirectional;
};

constexpr const char *kCat = "CatBackward0", *kStack = "StackBackward0";

// The states of all layers, below each other.
Tensor joined(const TensorList& parts) {
  Tensor out;
  {
    GradModeGuard off(false);
    out = cat(parts, 0);
  }
  record(kStack, {&out, 1}, parts, {}, [count = parts.size(), rows = parts[0].size(0)](Backward& ctx) {
    for (size_t i = 0; i < count; ++i) {
      const int64_t from = static_cast<int64_t>(i) * rows;
      if (ctx.needs(i)) ctx.set(i, slice(ctx.grad(), 0, from, from + rows));
    }
  });
  return out;
}

LayerResult run_network(const Network& net, const Steps& s, Tensor x, Tensor h0, Tensor c0, TensorList params) {
  int directions = net.bidirectional ? 2 : 1;
  check(net.layers > 0 && !params.empty(), net.op, ": there must be at least one layer");
  check(net.layers <= static_cast<int64_t>(params.size()), net.op, ": got ", params.size(), " parameters for ",
        net.layers, " layers");
  int64_t plain_count = net.biases ? 4 : 2, per = static_cast<int64_t>(params.size()) / (net.layers * directions);
  bool projected = net.kind == CellKind::lstm && per == plain_count + 1;
  check(per * net.layers * directions == static_cast<int64_t>(params.size()) && (per == plain_count || projected),
        net.op, ": got ", params.size(), " parameters for ", net.layers, " layers in ", directions,
        " directions; each needs ", plain_count);
  DType given = x.dtype();
  if (!is_floating(given)) not_implemented_for(net.op, given);
  for (const Tensor& p : params)
    check(p.dtype() == given, net.op, ": input and parameter tensors are not the same dtype, found input tensor with ",
          scalar_type_name(given), " and parameter tensor with ", scalar_type_name(p.dtype()));
  if (given == DType::F16 || given == DType::BF16) {
    auto widen = [](Tensor& t) { t = t.defined() ? to_dtype(t, DType::F32) : t; };
    widen(x), widen(h0), widen(c0);
    for (Tensor& p : params) widen(p);
    LayerResult r = run_network(net, s, x, h0, c0, params);
    for (Tensor* t : {&r.out, &r.h, &r.c})
      if (t->defined()) *t = to_dtype(*t, given);
    return r;
  }
  int64_t gates = gate_count(net.kind), hidden = params[0].dim() == 2 ? params[0].size(0) / gates : 0;
  int64_t recurrent = projected ? params[static_cast<size_t>(per - 1)].size(0) : hidden;
  auto state_fits = [&](const Tensor& t, int64_t width, const char* what) {
    if (!t.defined()) return;
    check(t.dtype() == given, "Input and hidden tensors are not the same dtype, found input tensor with ",
          scalar_type_name(given), " and hidden tensor with ", scalar_type_name(t.dtype()));
    Dims want{net.layers * directions, s.batch, width};
    check(std::ranges::equal(t.sizes(), want), "Expected hidden", what, " size (", want[0], ", ", want[1], ", ",
          want[2], "), got ", shape_str(t.sizes()));
  };
  state_fits(h0, recurrent, net.kind == CellKind::lstm ? "[0]" : "");
  state_fits(c0, hidden, "[1]");
  Layer layer{net.kind, net.biases, projected, directions, 0, hidden, recurrent};
  LayerResult r;
  TensorList all_h, all_c;
  for (int64_t i = 0; i < net.layers; ++i) {
    Tensor* mine = &params[static_cast<size_t>(i * directions * per)];
    for (int d = 0; d < directions; ++d) {
      Weights w(layer, mine + d * per);
      check(w.w_ih.dim() == 2 && w.w_ih.size(0) == gates * hidden && w.w_hh.dim() == 2 &&
                w.w_hh.size(0) == gates * hidden && w.w_hh.size(1) == recurrent &&
                (!net.biases || (w.b_ih.numel() == gates * hidden && w.b_hh.numel() == gates * hidden)) &&
                (!projected || (w.w_hr.dim() == 2 && w.w_hr.size(0) == recurrent && w.w_hr.size(1) == hidden)),
            net.op, ": the shapes of layer ", i, "'s parameters do not fit together: weight_ih ",
            shape_str(w.w_ih.sizes()), ", weight_hh ", shape_str(w.w_hh.sizes()));
      check(w.w_ih.size(1) == x.size(-1), "input.size(-1) must be equal to input_size. Expected ", w.w_ih.size(1),
            ", got ", x.size(-1));
    }
    auto of_layer = [&](const Tensor& t) {
      return !t.defined() || net.layers == 1 ? t : slice(t, 0, i * directions, (i + 1) * directions);
    };
    layer.input = x.size(-1);
    r = run_layer(layer, s, x, of_layer(h0), of_layer(c0), mine, net.node);
    all_h.push_back(r.h), all_c.push_back(r.c);
    x = r.out;
    if (net.dropout > 0 && net.train && i + 1 < net.layers) x = drop(x, net.dropout);
  }
  if (net.layers > 1) {
    r.h = joined(all_h);
    if (r.c.defined()) r.c = joined(all_c);
  }
  return r;
}

// In PyTorch the last states are a stack of those of all layers, whatever the steps' outputs come from, and say so where
// they are printed.
void stack_states(const Network& net, LayerResult& r) {
  if (net.layers > 1 || std::string_view(net.node) == kStack) return;
  for (Tensor* t : {&r.h, &r.c}) {
    if (!t->defined() || !t->requires_grad()) continue;
    Tensor same = t->alias();
    record(kStack, same, {*t}, {}, [](Backward& ctx) { ctx.set(0, ctx.grad()); });
    *t = same;
  }
}

LayerResult run_dense(const Network& net, const Tensor& input, const Tensor& h0, const Tensor& c0,
                      const TensorList& params, bool batch_first) {
  check(input.dim() == 3, net.op, ": Expected input to be 3-D (steps, batch, features), got shape ",
        shape_str(input.sizes()));
  Tensor x = batch_first ? transpose(input, 0, 1) : input;
  check(x.size(0) > 0, "Expected sequence length to be larger than 0 in RNN");
  LayerResult r = run_network(net, Steps::dense(x.size(0), x.size(1)), x, h0, c0, params);
  if (batch_first) r.out = transpose(r.out, 0, 1);
  stack_states(net, r);
  return r;
}

LayerResult run_packed(const Network& net, const Tensor& data, const Tensor& batch_sizes, const Tensor& h0,
                       const Tensor& c0, const TensorList& params) {
  check(data.dim() == 2, net.op, ": Expected packed data to be 2-D (rows, features), got shape ",
        shape_str(data.sizes()));
  Steps s = Steps::of(batch_sizes);
  check(s.total == data.size(0), net.op, ": batch_sizes add up to ", s.total, ", but data has ", data.size(0), " rows");
  LayerResult r = run_network(net, s, data, h0, c0, params);
  stack_states(net, r);
  return r;
}

void pair_of(const TensorList& hx, Tensor& h0, Tensor& c0) {
  if (hx.empty()) return;
  check(hx.size() == 2, "lstm expects two hidden states");
  h0 = hx[0], c0 = hx[1];
}

std::tuple<Tensor, Tensor, Tensor> lstm(const Tensor& input, const TensorList& hx, const TensorList& params,
                                        bool biases, int64_t layers, double dropout, bool train, bool bidirectional,
                                        bool batch_first) {
  Tensor h0, c0;
  pair_of(hx, h0, c0);
  Network net{CellKind::lstm, "lstm",       bidirectional ? kCat : "MkldnnRnnLayerBackward0", biases, layers, dropout,
              train,          bidirectional};
  LayerResult r = run_dense(net, input, h0, c0, params, batch_first);
  return {r.out, r.h, r.c};
}
std::tuple<Tensor, Tensor, Tensor> lstm_packed(const Tensor& data, const Tensor& batch_sizes, const TensorList& hx,
                                               const TensorList& params, bool biases, int64_t layers, double dropout,
                                               bool train, bool bidirectional) {
  Tensor h0, c0;
  pair_of(hx, h0, c0);
  Network net{CellKind::lstm, "lstm", kCat, biases, layers, dropout, train, bidirectional};
  LayerResult r = run_packed(net, data, batch_sizes, h0, c0, params);
  return {r.out, r.h, r.c};
}

constexpr const char* kNames[] = {"rnn_tanh", "rnn_relu", "lstm", "gru"};

template <CellKind K>
std::tuple<Tensor, Tensor> rnn(const Tensor& input, const Tensor& hx, const TensorList& params, bool biases,
                               int64_t layers, double dropout, bool train, bool bidirectional, bool batch_first) {
  Network net{
      K, kNames[static_cast<int>(K)], bidirectional ? kCat : kStack, biases, layers, dropout, train, bidirectional};
  LayerResult r = run_dense(net, input, hx, {}, params, batch_first);
  return {r.out, r.h};
}
template <CellKind K>
std::tuple<Tensor, Tensor> rnn_packed(const Tensor& data, const Tensor& batch_sizes, const Tensor& hx,
                                      const TensorList& params, bool biases, int64_t layers, double dropout, bool train,
                                      bool bidirectional) {
  Network net{K, kNames[static_cast<int>(K)], kCat, biases, layers, dropout, train, bidirectional};
  LayerResult r = run_packed(net, data, batch_sizes, hx, {}, params);
  return {r.out, r.h};
}

// --- cells -------------------------------------------------------------------------------------------------------------------

void check_cell(const char* op, const Tensor& x, const Tensor& w_ih, const Tensor& w_hh, int64_t gates) {
  check(w_ih.dim() == 2 && w_hh.dim() == 2 && w_hh.size(0) == w_ih.size(0) && w_hh.size(0) == gates * w_hh.size(1), op,
        ": weights of shapes ", shape_str(w_ih.sizes()), " and ", shape_str(w_hh.sizes()), " do not fit together");
  check(x.dim() == 2 && x.size(1) == w_ih.size(1), "input has inconsistent input_size: got ", x.size(-1), " expected ",
        w_ih.size(1));
}
void check_cell_state(const Tensor& x, const Tensor& h, const Tensor& w_hh, const char* name) {
  check(h.dim() == 2 && h.size(0) == x.size(0), "Input batch size ", x.size(0), " doesn't match ", name, " batch size ",
        h.size(0));
  check(h.size(1) == w_hh.size(1), name, " has inconsistent hidden_size: got ", h.size(1), ", expected ", w_hh.size(1));
}

// A cell is a layer of one step: the fused forward and backward serve it too.
template <CellKind K>
State run_cell(const Tensor& x, const Tensor& h, const Tensor& c, const Tensor& w_ih, const Tensor& w_hh,
               const Tensor& b_ih, const Tensor& b_hh, const char* op, const char* node) {
  check_cell(op, x, w_ih, w_hh, gate_count(K));
  check_cell_state(x, h, w_hh, "hidden0");
  if (c.defined()) check_cell_state(x, c, w_hh, "hidden1");
  check(b_ih.defined() == b_hh.defined(), op, ": there must be both biases or none");
  if (!is_floating(x.dtype())) not_implemented_for(op, x.dtype());
  for (const Tensor& t : {h, w_ih, w_hh})
    check(t.dtype() == x.dtype(), "mat1 and mat2 must have the same dtype, but got ", scalar_type_name(x.dtype()),
          " and ", scalar_type_name(t.dtype()));
  TensorList params{w_ih, w_hh};
  if (b_ih.defined()) params.push_back(b_ih), params.push_back(b_hh);
  Network net{K, op, node, b_ih.defined(), 1, 0, false, false};
  LayerResult r =
      run_network(net, Steps::dense(1, x.size(0)), x, unsqueeze(h, 0), c.defined() ? unsqueeze(c, 0) : c, params);
  return {r.out, r.c.defined() ? squeeze(r.c, Dims{0}) : r.c};
}

std::tuple<Tensor, Tensor> lstm_cell(const Tensor& input, const TensorList& hx, const Tensor& w_ih, const Tensor& w_hh,
                                     const Tensor& b_ih, const Tensor& b_hh) {
  check(hx.size() == 2, "lstm_cell expects two hidden states");
  State s = run_cell<CellKind::lstm>(input, hx[0], hx[1], w_ih, w_hh, b_ih, b_hh, "lstm_cell", "MulBackward0");
  return {s.h, s.c};
}
Tensor gru_cell(const Tensor& input, const Tensor& hx, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                const Tensor& b_hh) {
  return run_cell<CellKind::gru>(input, hx, {}, w_ih, w_hh, b_ih, b_hh, "gru_cell", "AddBackward0").h;
}
Tensor rnn_tanh_cell(const Tensor& input, const Tensor& hx, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                     const Tensor& b_hh) {
  return run_cell<CellKind::tanh>(input, hx, {}, w_ih, w_hh, b_ih, b_hh, "rnn_tanh_cell", "TanhBackward0").h;
}
Tensor rnn_relu_cell(const Tensor& input, const Tensor& hx, const Tensor& w_ih, const Tensor& w_hh, const Tensor& b_ih,
                     const Tensor& b_hh) {
  return run_cell<CellKind::relu>(input, hx, {}, w_ih, w_hh, b_ih, b_hh, "rnn_relu_cell", "ReluBackward0").h;
}

const Family family([](Registry& r) {
  constexpr Traits kFunction{.method = false};
  r.op<&lstm>(
      "lstm.input(Tensor input, Tensor[] hx, Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor, Tensor)",
      "Long short-term memory (Hochreiter and Schmidhuber 1997) over sequences: the outputs, the last h and\n"
      "the last c. For each step i, f, g, o = W x + U h + biases, in four blocks; c = sigmoid(f) c +\n"
      "sigmoid(i) tanh(g); h = sigmoid(o) tanh(c). input is (time, n, features), or (n, time, features)\n"
      "with batch_first; hx is (h, c), each (layers * directions, n, hidden), and an empty hx stands for\n"
      "zeros; params holds W (4 hidden, features), U (4 hidden, hidden) and, with has_biases, two biases\n"
      "for each layer and direction. torch.nn.LSTM keeps them. Floating dtypes.\n\n"
      ">>> x, h, c = torch.zeros(5, 1, 3), torch.zeros(1, 1, 2), torch.zeros(1, 1, 2)\n"
      ">>> params = [torch.ones(8, 3), torch.ones(8, 2)]\n"
      ">>> out, h, c = torch.lstm(x, (h, c), params, False, 1, 0.0, False, False, False)\n"
      ">>> out.shape, h.shape\n(torch.Size([5, 1, 2]), torch.Size([1, 1, 2]))\n",
      kFunction);
  r.op<&lstm_packed>(
      "lstm.data(Tensor data, Tensor batch_sizes, Tensor[] hx, Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional) -> (Tensor, Tensor, Tensor)",
      "lstm over packed sequences.", kFunction);
  r.op<&rnn<CellKind::gru>>(
      "gru.input(Tensor input, Tensor? hx, Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor)",
      "Gated recurrent units (Cho et al. 2014) over sequences: the outputs and the last h. For each step r,\n"
      "z, n come in three blocks: r and z are sigmoid(W x + b + U h + b'), n = tanh(W x + b + r (U h +\n"
      "b')); h = (1 - z) n + z h. Shapes are lstm()'s, with three blocks for four and hx a tensor.\n"
      "torch.nn.GRU keeps the params. Floating dtypes.\n\n"
      ">>> x, h, params = torch.zeros(5, 1, 3), torch.ones(1, 1, 2), [torch.zeros(6, 3), torch.zeros(6, 2)]\n"
      ">>> torch.gru(x, h, params, False, 1, 0.0, False, False, False)[0].flatten(1)\ntensor([[0.5000, 0.5000],\n"
      "        [0.2500, 0.2500],\n        [0.1250, 0.1250],\n        [0.0625, 0.0625],\n        [0.0312, 0.0312]])\n",
      kFunction);
  r.op<&rnn_packed<CellKind::gru>>(
      "gru.data(Tensor data, Tensor batch_sizes, Tensor? hx, Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional) -> (Tensor, Tensor)",
      "gru over packed sequences.", kFunction);
  r.op<&rnn<CellKind::tanh>>(
      "rnn_tanh.input(Tensor input, Tensor? hx, Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor)",
      "h = tanh(W x + b + U h + b') over sequences (Elman 1990): the outputs and the last h. Shapes are\n"
      "lstm()'s, with one block for four and hx a tensor. torch.nn.RNN keeps the params. Floating dtypes.\n\n"
      ">>> x, h, params = torch.ones(2, 1, 1), torch.zeros(1, 1, 1), [torch.ones(1, 1), torch.zeros(1, 1)]\n"
      ">>> torch.rnn_tanh(x, h, params, False, 1, 0.0, False, False, False)[0].flatten()\ntensor([0.7616, 0.7616])\n",
      kFunction);
  r.op<&rnn_packed<CellKind::tanh>>(
      "rnn_tanh.data(Tensor data, Tensor batch_sizes, Tensor? hx, Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional) -> (Tensor, Tensor)",
      "rnn_tanh over packed sequences.", kFunction);
  r.op<&rnn<CellKind::relu>>(
      "rnn_relu.input(Tensor input, Tensor? hx, Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional, bool batch_first) -> (Tensor, Tensor)",
      "rnn_tanh() with relu in the place of tanh.\n\n"
      ">>> x, h, params = torch.ones(3, 1, 1), torch.zeros(1, 1, 1), [torch.ones(1, 1), torch.ones(1, 1)]\n"
      ">>> torch.rnn_relu(x, h, params, False, 1, 0.0, False, False, False)[0].flatten()\ntensor([1., 2., 3.])\n",
      kFunction);
  r.op<&rnn_packed<CellKind::relu>>(
      "rnn_relu.data(Tensor data, Tensor batch_sizes, Tensor? hx, Tensor[] params, bool has_biases, int num_layers, float dropout, bool train, bool bidirectional) -> (Tensor, Tensor)",
      "rnn_relu over packed sequences.", kFunction);
  r.op<&lstm_cell>(
      "lstm_cell(Tensor input, Tensor[] hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) -> (Tensor, Tensor)",
      "One step of lstm(): the next h and c, each (n, hidden), from input (n, features) and hx = (h, c).\n\n"
      ">>> x, w, u = torch.zeros(1, 3), torch.ones(8, 3), torch.ones(8, 2)\n"
      ">>> h, c = torch.lstm_cell(x, (torch.zeros(1, 2), torch.ones(1, 2)), w, u)\n"
      ">>> c\ntensor([[0.5000, 0.5000]])\n",
      kFunction);
  r.op<&gru_cell>(
      "gru_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) -> Tensor",
      "One step of gru(): the next h, (n, hidden), from input (n, features) and h.\n\n"
      ">>> torch.gru_cell(torch.zeros(1, 3), torch.ones(1, 2), torch.zeros(6, 3), torch.zeros(6, 2))\n"
      "tensor([[0.5000, 0.5000]])\n",
      kFunction);
  r.op<&rnn_tanh_cell>(
      "rnn_tanh_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) -> Tensor",
      "One step of rnn_tanh(): the next h, (n, hidden), from input (n, features) and h.\n\n"
      ">>> torch.rnn_tanh_cell(torch.ones(1, 1), torch.zeros(1, 2), torch.ones(2, 1), torch.zeros(2, 2))\n"
      "tensor([[0.7616, 0.7616]])\n",
      kFunction);
  r.op<&rnn_relu_cell>(
      "rnn_relu_cell(Tensor input, Tensor hx, Tensor w_ih, Tensor w_hh, Tensor? b_ih=None, Tensor? b_hh=None) -> Tensor",
      "One step of rnn_relu(): the next h, (n, hidden), from input (n, features) and h.\n\n"
      ">>> torch.rnn_relu_cell(torch.ones(1, 1), torch.ones(1, 2), torch.ones(2, 1), torch.ones(2, 2))\n"
      "tensor([[3., 3.]])\n",
      kFunction);
});

}  // namespace
}  // namespace rl
