// Reducers that fold elements with one associative operation: Fold for real dtypes, FoldComplex for sums over complex
// ones, Both for two reducers in one pass over memory. An operation Op has
//   In, Block (lane type within a block), State (type across blocks); static constexpr Block kUnit; State kStart
//   Pack<Block> pre(Pack<Block>), Pack<C> fold(Pack<C> acc, Pack<C> x) for Block and State, State merge(State, Block), State join(State, State)
//   bool done(State)                                        nothing can change the result any more
#pragma once

#include "kernels/cpu/reduce_driver.h"

namespace rl::cpu::RL_ISA {
namespace {

template <class Op> struct Fold {
  using In = typename Op::In;
  using Block = typename Op::Block;
  using State = typename Op::State;
  static constexpr int kLanes = Pack<Block>::kLanes;
  static constexpr int64_t kBlock = 1024;    // elements of a row between merges into State
  static constexpr int64_t kBlockRows = 64;  // rows of a column block between merges

  Op op;

  State empty() const { return op.start(); }
  State join(State a, State b) const { return op.join(a, b); }
  State place(State s, int64_t, int64_t) const { return s; }

  [[gnu::always_inline]] Pack<Block> get(const In* p) const { return op.pre(load<Block>(p)); }

  [[gnu::noinline]] State row(const In* p, int64_t n) const {
    State lanes[kLanes];
    for (int l = 0; l < kLanes; ++l) lanes[l] = op.start();
    const Pack<Block> unit = splat(op.unit());
    for (int64_t from = 0; from < n; from += kBlock) {
      const int64_t to = at_most(from + kBlock, n);
      int64_t i = from;
      Pack<Block> a = unit;
      if (to - i >= 4 * kLanes) {
        Pack<Block> b = unit, c = unit, d = unit;
        for (; i + 4 * kLanes <= to; i += 4 * kLanes) {
          a = op.fold(a, get(p + i));
          b = op.fold(b, get(p + i + kLanes));
          c = op.fold(c, get(p + i + 2 * kLanes));
          d = op.fold(d, get(p + i + 3 * kLanes));
        }
        a = op.fold(op.fold(a, b), op.fold(c, d));
      }
      for (; i + kLanes <= to; i += kLanes) a = op.fold(a, get(p + i));
      if (i < to) {
        Pack<Block> x = op.pre(load_tail<Block>(p + from, to - from, to - i, op.filler()));
        a = op.fold(a, x);
      }
      alignas(64) Block block[kLanes];
      store(block, a);
      for (int l = 0; l < kLanes; ++l) lanes[l] = op.merge(lanes[l], block[l]);
      if (op.done(lanes, kLanes)) break;
    }
    for (int half = kLanes / 2; half > 0; half /= 2) {
      for (int l = 0; l < half; ++l) lanes[l] = op.join(lanes[l], lanes[l + half]);
    }
    return lanes[0];
  }

  // Many rows of at most kBlock elements, a group at a time: their lanes are joined side by side. The tree over the lanes
  // is the one of row().
  static constexpr int64_t kGroup = 64 / static_cast<int64_t>(sizeof(State));
  void rows(const In* p, int64_t count, int64_t n, int64_t stride, State* out) const {
    int64_t r = 0;
    for (; r + kGroup <= count; r += kGroup) group(p + r * stride, n, stride, out + r);
    for (; r < count; ++r) out[r] = row(p + r * stride, n);
  }
  [[gnu::noinline]] void group(const In* p, int64_t n, int64_t stride, State* out) const {
    Pack<State> rows[kGroup];
    for (int64_t k = 0; k < kGroup; ++k) {
      const In* x = p + k * stride;
      const Pack<Block> unit = splat(op.unit());
      int64_t i = 0;
      Pack<Block> a = unit;
      if (n >= 4 * kLanes) {
        Pack<Block> b = unit, c = unit, d = unit;
        for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
          a = op.fold(a, get(x + i));
          b = op.fold(b, get(x + i + kLanes));
          c = op.fold(c, get(x + i + 2 * kLanes));
          d = op.fold(d, get(x + i + 3 * kLanes));
        }
        a = op.fold(op.fold(a, b), op.fold(c, d));
      }
      for (; i + kLanes <= n; i += kLanes) a = op.fold(a, get(x + i));
      if (i < n) a = op.fold(a, op.pre(load_tail<Block>(x, n, n - i, op.filler())));
      if constexpr (sizeof(State) == sizeof(Block)) {
#pragma GCC unroll 4
        for (int j = 0; j < kRegs; ++j) rows[k].r[j] = __builtin_convertvector(a.r[j], typename Pack<State>::Reg);
      } else {
        static_assert(sizeof(State) == 2 * sizeof(Block));
        rows[k] = op.fold(widen_half<State, 0>(a), widen_half<State, 1>(a));
      }
    }
    // Rounds that halve what a row still has: two rows share a pack after the first, four after the next, ...
    join_lanes(rows, [this](const Pack<State>& a, const Pack<State>& b)
                         __attribute__((always_inline)) { return op.fold(a, b); });
    store(out, rows[0]);
  }

  // Eight rows at a time, so that accumulators are read and written once for eight loads. The last pack of columns
  // overlaps its neighbour instead of being partial.
  [[gnu::noinline]] void cols(const In* p, int64_t n, int64_t stride, int64_t width, State* out) const {
    alignas(64) Block acc[kMaxWidth + kLanes];
    const int64_t packs = ceil_div(width, kLanes), last = width - kLanes;
    for (int64_t i = 0; i < width; ++i) out[i] = op.start();
    for (int64_t from = 0; from < n; from += kBlockRows) {
      const int64_t to = at_most(from + kBlockRows, n);
      int64_t r = from;
      bool fresh = true;
      for (; r + 8 <= to; r += 8) {
        const In* row = p + r * stride;
        for (int64_t q = 0; q < packs; ++q) {
          const In* x = row + at_most(q * kLanes, last);
          Pack<Block> a = op.fold(get(x), get(x + stride)), b = op.fold(get(x + 2 * stride), get(x + 3 * stride));
          Pack<Block> c = op.fold(get(x + 4 * stride), get(x + 5 * stride));
          Pack<Block> d = op.fold(get(x + 6 * stride), get(x + 7 * stride));
          a = op.fold(op.fold(a, b), op.fold(c, d));
          store(acc + q * kLanes, fresh ? a : op.fold(load<Block>(acc + q * kLanes), a));
        }
        fresh = false;
      }
      for (; r < to; ++r) {
        const In* row = p + r * stride;
        for (int64_t q = 0; q < packs; ++q) {
          Pack<Block> a = get(row + at_most(q * kLanes, last));
          store(acc + q * kLanes, fresh ? a : op.fold(load<Block>(acc + q * kLanes), a));
        }
        fresh = false;
      }
      for (int64_t q = 0; q + 1 < packs; ++q) {
        for (int l = 0; l < kLanes; ++l) out[q * kLanes + l] = op.merge(out[q * kLanes + l], acc[q * kLanes + l]);
      }
      const int64_t first = (packs - 1) * kLanes;  // the overlap belongs to the pack before
      for (int64_t i = first; i < width; ++i) out[i] = op.merge(out[i], acc[first + i - last]);
    }
  }
};

// A reducer over complex numbers that adds real and imaginary parts apart, as twice as many real columns.
template <class Op, class Complex> struct FoldComplex {
  using In = Complex;
  using Real = typename Op::In;
  struct State {
    typename Op::State re, im;
  };
  static constexpr int kLanes = Fold<Op>::kLanes / 2;

  Fold<Op> real;

  State empty() const { return {real.op.start(), real.op.start()}; }
  State join(State a, State b) const { return {real.op.join(a.re, b.re), real.op.join(a.im, b.im)}; }
  State place(State s, int64_t, int64_t) const { return s; }
  [[gnu::noinline]] State row(const In* p, int64_t n) const {
    const Real* x = reinterpret_cast<const Real*>(p);
    State total = empty();
    int64_t wide = n / 16;
    if (wide > 0) {
      typename Op::State sums[32];
      real.cols(x, wide, 32, 32, sums);
      for (int l = 0; l < 16; ++l) total = join(total, {sums[2 * l], sums[2 * l + 1]});
    }
    for (int64_t i = wide * 16; i < n; ++i) total = join(total, {real.row(x + 2 * i, 1), real.row(x + 2 * i + 1, 1)});
    return total;
  }
  [[gnu::noinline]] void cols(const In* p, int64_t n, int64_t stride, int64_t width, State* out) const {
    for (int64_t from = 0; from < width; from += kMaxWidth / 2) {
      int64_t count = at_most(kMaxWidth / 2, width - from);
      int64_t first = at_most(from, width - at_least(count, kLanes));
      typename Op::State sums[kMaxWidth];
      real.cols(reinterpret_cast<const Real*>(p + first), n, 2 * stride, 2 * (from + count - first), sums);
      for (int64_t i = first; i < from + count; ++i) out[i] = {sums[2 * (i - first)], sums[2 * (i - first) + 1]};
    }
  }
};

// Two reducers over the same input; memory is read once, the second finds it in cache.
template <class A, class B> struct Both {
  using In = typename A::In;
  struct State {
    typename A::State a;
    typename B::State b;
  };
  static constexpr int kLanes = A::kLanes;
  static_assert(A::kLanes == B::kLanes);

  A a;
  B b;

  State empty() const { return {a.empty(), b.empty()}; }
  State join(State s, State t) const { return {a.join(s.a, t.a), b.join(s.b, t.b)}; }
  State place(State s, int64_t scale, int64_t offset) const {
    return {a.place(s.a, scale, offset), b.place(s.b, scale, offset)};
  }
  [[gnu::noinline]] State row(const In* p, int64_t n) const {
    State state = empty();
    for (int64_t i = 0; i < n; i += 4096) {
      int64_t count = at_most(4096, n - i);
      State piece = place({a.row(p + i, count), b.row(p + i, count)}, 1, i);
      state = i == 0 ? piece : join(state, piece);
    }
    return state;
  }
  [[gnu::noinline]] void cols(const In* p, int64_t n, int64_t stride, int64_t width, State* out) const {
    typename A::State as[kMaxWidth + kLanes];
    typename B::State bs[kMaxWidth + kLanes];
    for (int64_t r = 0; r < n; r += 64) {
      int64_t count = at_most(64, n - r);
      a.cols(p + r * stride, count, stride, width, as);
      b.cols(p + r * stride, count, stride, width, bs);
      for (int64_t i = 0; i < width; ++i) {
        State piece = place({as[i], bs[i]}, 1, r);
        out[i] = r == 0 ? piece : join(out[i], piece);
      }
    }
  }
};

}  // namespace
}  // namespace rl::cpu::RL_ISA
