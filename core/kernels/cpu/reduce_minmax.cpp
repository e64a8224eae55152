// amax, amin and the ones that also tell where.
#include "kernels/cpu/fold.h"

namespace rl::cpu::RL_ISA {
namespace {

template <class T, bool Max> struct ExtremeOp {
  using In = T;
  using Block = compute_t<T>;
  using State = Block;

  State start() const { return Max ? lowest_of<Block>() : highest_of<Block>(); }
  Block unit() const { return start(); }
  Block filler() const { return start(); }
  bool done(const State*, int) const { return false; }
  [[gnu::always_inline]] Pack<Block> pre(const Pack<Block>& x) const { return x; }
  template <class C> [[gnu::always_inline]] Pack<C> fold(const Pack<C>& a, const Pack<C>& b) const {
    return extreme<Max>(a, b);
  }
  [[gnu::always_inline]] State merge(State s, Block b) const { return extreme<Max>(s, b); }
  [[gnu::always_inline]] State join(State a, State b) const { return extreme<Max>(a, b); }
};

// The extreme and its first position. Rows: the extreme of each block, and a search for its place only when it is
// better than what came before. Columns: values and row numbers side by side.
template <class T, bool Max> struct WhereExtreme {
  using In = T;
  using C = compute_t<T>;
  using I = IntOf<C>;
  struct State {
    C value;
    int64_t index;
  };
  static constexpr int kLanes = Pack<C>::kLanes;
  static constexpr int64_t kBlock = 2048;

  State empty() const { return {Max ? lowest_of<C>() : highest_of<C>(), 0}; }
  static bool better(C a, C b) { return (Max ? !(a <= b) : !(a >= b)) && b == b; }
  State join(State a, State b) const {
    if (better(b.value, a.value)) return b;
    if (better(a.value, b.value)) return a;
    return a.index <= b.index ? a : b;
  }
  State place(State s, int64_t scale, int64_t offset) const { return {s.value, s.index * scale + offset}; }

  static int64_t first_of(const T* p, int64_t n, C value) {
    int64_t i = 0;
    const Pack<C> wanted = splat(value);
    // Four packs at a time while none of them has it.
    for (; i + 4 * kLanes <= n; i += 4 * kLanes) {
      Mask<C> hit = splat(I(0));
      for (int j = 0; j < 4; ++j) {
        Pack<C> x = load<C>(p + i + j * kLanes);
#pragma GCC unroll 4
        for (int k = 0; k < kRegs; ++k) hit.r[k] |= (x.r[k] == wanted.r[k]) | (x.r[k] != x.r[k]);
      }
      alignas(64) I lanes[kLanes];
      store(lanes, hit);
      I any = 0;
      for (int l = 0; l < kLanes; ++l) any |= lanes[l];
      if (any != 0) break;
    }
    for (; i + kLanes <= n; i += kLanes) {
      Pack<C> x = load<C>(p + i);
      Mask<C> hit;
#pragma GCC unroll 4
      for (int k = 0; k < kRegs; ++k) hit.r[k] = (x.r[k] == wanted.r[k]) | (x.r[k] != x.r[k]);
      alignas(64) I lanes[kLanes];
      store(lanes, hit);
      I any = 0;
      for (int l = 0; l < kLanes; ++l) any |= lanes[l];
      if (any == 0) continue;
      for (int l = 0; l < kLanes; ++l) {
        if (lanes[l] != 0) return i + l;
      }
    }
    for (; i < n; ++i) {
      C x = widen<C>(p[i]);
      if (x == value || x != x) return i;
    }
    return 0;
  }

  [[gnu::noinline]] State row(const T* p, int64_t n) const {
    State best{};
    for (int64_t from = 0; from < n; from += kBlock) {
      int64_t count = at_most(kBlock, n - from);
      C value = Fold<ExtremeOp<T, Max>>{}.row(p + from, count);
      if (from > 0 && !better(value, best.value)) continue;
      best = {value, from + first_of(p + from, count, value)};
      if (value != value) break;
    }
    return best;
  }

  [[gnu::noinline]] void cols(const T* p, int64_t n, int64_t stride, int64_t width, State* out) const {
    alignas(64) C values[kMaxWidth + kLanes];
    alignas(64) I rows[kMaxWidth + kLanes];
    const int64_t packs = ceil_div(width, kLanes), last = width - kLanes;
    for (int64_t q = 0; q < packs; ++q) {
      store(values + q * kLanes, load<C>(p + at_most(q * kLanes, last)));
      store(rows + q * kLanes, splat(I(0)));
    }
    int64_t r = 1;
    for (; r + 4 <= n; r += 4) step<4>(p + r * stride, r, stride, packs, last, values, rows);
    for (; r < n; ++r) step<1>(p + r * stride, r, stride, packs, last, values, rows);
    for (int64_t i = 0; i < width; ++i) {
      int64_t at = i < (packs - 1) * kLanes ? i : (packs - 1) * kLanes + i - last;
      out[i] = {values[at], rows[at]};
    }
  }

  template <int Rows>
  [[gnu::always_inline]] static void step(const T* row, int64_t r, int64_t stride, int64_t packs, int64_t last,
                                          C* values, I* rows) {
    for (int64_t q = 0; q < packs; ++q) {
      const T* x = row + at_most(q * kLanes, last);
      Pack<C> best = load<C>(values + q * kLanes);
      Mask<C> where = load<I>(rows + q * kLanes);
      for (int j = 0; j < Rows; ++j) {
        Pack<C> v = load<C>(x + j * stride);
#pragma GCC unroll 4
        for (int k = 0; k < kRegs; ++k) {
          auto take = Max ? v.r[k] > best.r[k] : v.r[k] < best.r[k];
          if constexpr (std::is_floating_point_v<C>) take |= (v.r[k] != v.r[k]) & (best.r[k] == best.r[k]);
          best.r[k] = take ? v.r[k] : best.r[k];
          where.r[k] = take ? typename Mask<C>::Reg{} + static_cast<I>(r + j) : where.r[k];
        }
      }
      store(values + q * kLanes, best);
      store(rows + q * kLanes, where);
    }
  }
};

// Of small integers, as they lie: as many in a register as fit.
template <class T, bool Max> struct NarrowExtreme {
  using In = T;
  using State = T;
  static constexpr int kLanes = 16;

  static T pick(T a, T b) { return Max ? (a > b ? a : b) : (a < b ? a : b); }
  State empty() const { return Max ? std::numeric_limits<T>::lowest() : std::numeric_limits<T>::max(); }
  State join(State a, State b) const { return pick(a, b); }
  State place(State s, int64_t, int64_t) const { return s; }
  [[gnu::noinline]] State row(const T* p, int64_t n) const {
    T best = empty();
    for (int64_t i = 0; i < n; ++i) best = pick(best, p[i]);
    return best;
  }
  [[gnu::noinline]] void cols(const T* p, int64_t n, int64_t stride, int64_t width, State* out) const {
    T best[kMaxWidth + kLanes];
    for (int64_t i = 0; i < width; ++i) best[i] = p[i];
    int64_t r = 1;
    for (; r + 4 <= n; r += 4) {
      const T *a = p + r * stride, *b = a + stride, *c = b + stride, *d = c + stride;
      for (int64_t i = 0; i < width; ++i) best[i] = pick(best[i], pick(pick(a[i], b[i]), pick(c[i], d[i])));
    }
    for (; r < n; ++r)
      for (int64_t i = 0; i < width; ++i) best[i] = pick(best[i], p[r * stride + i]);
    for (int64_t i = 0; i < width; ++i) out[i] = best[i];
  }
};

// The dtypes that have loops of their own: small integers go through int32, halves through float.
DType loops_of(DType in) {
  switch (in) {
    case DType::F32:
    case DType::F16:
    case DType::BF16: return DType::F32;
    case DType::F64:
    case DType::I64: return in;
    default: return DType::I32;
  }
}

// f(tag, x, first, second) on the elements as loops_of() takes them, results in that dtype.
template <class F> void visit_loops(DType in, const void* x, const ReduceShape& shape, void* first, void* second,
                                    const F& f) {
  const DType wide = loops_of(in);
  auto call = [&](const Source& from, void* a, void* b) {
    switch (wide) {
      case DType::F32: return f(float{}, from, static_cast<float*>(a), static_cast<float*>(b));
      case DType::F64: return f(double{}, from, static_cast<double*>(a), static_cast<double*>(b));
      case DType::I64: return f(int64_t{}, from, static_cast<int64_t*>(a), static_cast<int64_t*>(b));
      default: return f(int32_t{}, from, static_cast<int32_t*>(a), static_cast<int32_t*>(b));
    }
  };
  if (wide == in) return call(x, first, second);
  const WideResult one(shape, wide, first, in), two(shape, wide, second, in);
  call(Source(x, in, wide), one.get(), two.get());
  one.deliver();
  two.deliver();
}

template <bool Max> void amost(DType in, const void* x, const ReduceShape& shape, void* out) {
  auto narrow_ones = [&](auto tag) {
    using T = decltype(tag);
    T* o = static_cast<T*>(out);
    reduce(NarrowExtreme<T, Max>{}, x, shape, [o](int64_t i, T s) { o[i] = s; });
  };
  switch (in) {
    case DType::Bool:
    case DType::U8: return narrow_ones(uint8_t{});
    case DType::I8: return narrow_ones(int8_t{});
    case DType::I16: return narrow_ones(int16_t{});
    default: break;
  }
  visit_loops(in, x, shape, out, nullptr, [&](auto tag, const Source& from, auto* o, auto*) {
    using T = decltype(tag);
    reduce(Fold<ExtremeOp<T, Max>>{}, from, shape, [o](int64_t i, T s) { o[i] = narrow<T>(s); });
  });
}

void aminmax(DType in, const void* x, const ReduceShape& shape, void* out_min, void* out_max) {
  visit_loops(in, x, shape, out_min, out_max, [&](auto tag, const Source& from, auto* low, auto* high) {
    using T = decltype(tag);
    reduce(Both<Fold<ExtremeOp<T, false>>, Fold<ExtremeOp<T, true>>>{}, from, shape, [=](int64_t i, auto s) {
      low[i] = narrow<T>(s.a);
      high[i] = narrow<T>(s.b);
    });
  });
}

template <bool Max> void where(DType in, const void* x, const ReduceShape& shape, void* values, int64_t* indices) {
  visit_loops(in, x, shape, values, nullptr, [&](auto tag, const Source& from, auto* v, auto*) {
    using T = decltype(tag);
    reduce(WhereExtreme<T, Max>{}, from, shape, [=](int64_t i, auto s) {
      if (v != nullptr) v[i] = narrow<T>(s.value);
      if (indices != nullptr) indices[i] = s.index;
    });
  });
}

}  // namespace

extern const ReduceMinMaxTable reduce_minmax_table = {amost<true>, amost<false>, aminmax, where<true>, where<false>};

}  // namespace rl::cpu::RL_ISA
