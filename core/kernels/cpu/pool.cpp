// 2-d pooling. Each row of the input is split into `stride` interleaved parts (padded at both ends), so that an element of
// the window is, over the row's results, one contiguous load.
#include "kernels/pool.h"

#include "kernels/cpu/pack.h"
#include "runtime/parallel.h"

namespace rl::cpu::RL_ISA {
namespace {

template <class F> void visit(DType dtype, const F& f) {
  if (dtype == DType::F32) f(float{});
  if (dtype == DType::F64) f(double{});
}

inline int64_t planes_per_task(const PoolShape& s) {
  const int64_t work = s.axis[1].in * s.axis[2].in + s.axis[1].out * s.axis[2].out * s.axis[1].kernel;
  return work >= 32768 ? 1 : 32768 / (work > 0 ? work : 1);
}

inline int64_t ceil_div(int64_t a, int64_t b) { return a > 0 ? (a + b - 1) / b : -(-a / b); }

// The rows that the current windows look at, split into parts: the element kw of window o is at part(row, kw)[o].
template <class C> class SplitRows {
 public:
  SplitRows(const PoolAxis& h, const PoolAxis& w, C fill)
      : w_(w),
        slots_((h.kernel - 1) * h.dilation + 1),
        length_(w.out + (w.kernel - 1) * w.dilation / w.stride + kLanes<C>),
        data_(slots_ * w.stride * length_),
        offsets_(w.kernel) {
    for (int64_t kw = 0; kw < w.kernel; ++kw) {
      const int64_t column = kw * w.dilation;
      offsets_[kw] = column % w.stride * length_ + column / w.stride;
    }
    const int64_t all = slots_ * w.stride * length_;
    for (int64_t i = 0; i < all; ++i) data_[i] = fill;
  }
  void start() { next_ = 0; }
  // Makes the rows [from, to) of the plane ready.
  void need(const C* plane, int64_t from, int64_t to) {
    for (int64_t r = next_ > from ? next_ : from; r < to; ++r) split(plane + r * w_.in, r % slots_);
    if (to > next_) next_ = to;
  }
  const C* row(int64_t r) const { return data_ + r % slots_ * w_.stride * length_; }
  // Where in a row the element kw of the windows is.
  const int64_t* offsets() const { return offsets_; }

 private:
  void split(const C* __restrict x, int64_t slot) {
    for (int64_t p = 0; p < w_.stride; ++p) {
      C* __restrict to = data_ + (slot * w_.stride + p) * length_;
      int64_t begin = ceil_div(w_.pad - p, w_.stride), end = ceil_div(w_.in + w_.pad - p, w_.stride);
      if (begin < 0) begin = 0;
      if (end > length_) end = length_;
      const C* from = x + p - w_.pad;
      if (w_.stride == 1) {
        for (int64_t j = begin; j < end; ++j) to[j] = from[j];
      } else if (w_.stride == 2) {
        for (int64_t j = begin; j < end; ++j) to[j] = from[2 * j];
      } else {
        for (int64_t j = begin; j < end; ++j) to[j] = from[w_.stride * j];
      }
    }
  }

  const PoolAxis w_;
  const int64_t slots_, length_;
  int64_t next_ = 0;
  Scratch<C> data_;
  Scratch<int64_t> offsets_;
};

// Which elements along an axis of window o lie inside: [first, last).
inline void inside(const PoolAxis& a, int64_t o, int64_t& first, int64_t& last) {
  const int64_t from = o * a.stride - a.pad;
  first = from < 0 ? ceil_div(-from, a.dilation) : 0;
  last = ceil_div(a.in - from, a.dilation);
  if (last > a.kernel) last = a.kernel;
  if (first > last) first = last;
}

// Windows of 2x2 that tile the plane.
inline bool tiles(const PoolAxis& a) {
  return a.kernel == 2 && a.stride == 2 && a.pad == 0 && a.dilation == 1 && 2 * a.out <= a.in;
}

// The even lanes of a and b, or the odd ones.
template <int odd, class C, size_t... I>
[[gnu::always_inline]] inline Pack<C> every_second(const Pack<C>& a, const Pack<C>& b, std::index_sequence<I...>) {
  Pack<C> out;
#pragma GCC unroll 4
  for (int k = 0; k < kRegs; ++k) {
    const auto low = 2 * k < kRegs ? a.r[2 * k] : b.r[2 * k - kRegs];
    const auto high = 2 * k + 1 < kRegs ? a.r[2 * k + 1] : b.r[2 * k + 1 - kRegs];
    out.r[k] = __builtin_shufflevector(low, high, (2 * static_cast<int>(I) + odd)...);
  }
  return out;
}
template <int odd, class C>
[[gnu::always_inline]] inline Pack<C> every_second(const Pack<C>& a, const Pack<C>& b) {
  return every_second<odd>(a, b, std::make_index_sequence<Pack<C>::kRegLanes>{});
}
// The first or second half of the lanes of even and odd, in turn.
template <int half, class C, size_t... I>
[[gnu::always_inline]] inline Pack<C> in_turn(const Pack<C>& even, const Pack<C>& odd, std::index_sequence<I...>) {
  constexpr int n = Pack<C>::kRegLanes;
  Pack<C> out;
#pragma GCC unroll 4
  for (int k = 0; k < kRegs; ++k) {
    const int from = half * kRegs + k;  // in half registers
    const auto e = even.r[from / 2], o = odd.r[from / 2];
    out.r[k] = from % 2 == 0
                   ? __builtin_shufflevector(e, o, (static_cast<int>(I) / 2 + static_cast<int>(I) % 2 * n)...)
                   : __builtin_shufflevector(e, o, (n / 2 + static_cast<int>(I) / 2 + static_cast<int>(I) % 2 * n)...);
  }
  return out;
}
template <int half, class C> [[gnu::always_inline]] inline Pack<C> in_turn(const Pack<C>& even, const Pack<C>& odd) {
  return in_turn<half>(even, odd, std::make_index_sequence<Pack<C>::kRegLanes>{});
}

template <class C> [[gnu::always_inline]] inline Pack<C> load_first(const C* p, int64_t count) {
  return count >= kLanes<C> ? load<C>(p) : load_part<C>(p, count > 0 ? count : 0, C(0));
}
template <class C> [[gnu::always_inline]] inline void store_first(C* p, int64_t count, const Pack<C>& v) {
  if (count >= kLanes<C>)
    store(p, v);
  else if (count > 0)
    store_part(p, count, v);
}
template <class I> [[gnu::always_inline]] inline void store_taps(uint8_t* to, int64_t count, const Pack<I>& tap) {
  alignas(64) I buffer[kLanes<I>];
  store(buffer, tap);
  if (count >= kLanes<I>) {
    for (int64_t l = 0; l < kLanes<I>; ++l) to[l] = static_cast<uint8_t>(buffer[l]);
  } else {
#pragma GCC unroll 1
    for (int64_t l = 0; l < count; ++l) to[l] = static_cast<uint8_t>(buffer[l]);
  }
}

template <class C> void max_tiles(const C* x, const PoolShape& s, C* out, uint8_t* taps, int64_t begin, int64_t end) {
  using I = IntOf<C>;
  constexpr int64_t lanes = kLanes<C>;
  const PoolAxis &h = s.axis[1], &w = s.axis[2];
  for (int64_t p = begin; p < end; ++p)
    for (int64_t i = 0; i < h.out; ++i) {
      const C *up = x + (p * h.in + 2 * i) * w.in, *down = up + w.in;
      const int64_t at = (p * h.out + i) * w.out;
      for (int64_t o = 0; o < w.out; o += lanes) {
        const int64_t rest = w.out - o;
        const Pack<C> a = load_first(up + 2 * o, 2 * rest), b = load_first(up + 2 * o + lanes, 2 * rest - lanes),
                      c = load_first(down + 2 * o, 2 * rest), d = load_first(down + 2 * o + lanes, 2 * rest - lanes);
        const Pack<C> v[] = {every_second<1>(a, b), every_second<0>(c, d), every_second<1>(c, d)};
        Pack<C> best = every_second<0>(a, b);
        Mask<C> tap = splat(I(0));
#pragma GCC unroll 3
        for (int t = 0; t < 3; ++t) {
          const Mask<C> number = splat(static_cast<I>(t + 1));
#pragma GCC unroll 4
          for (int k = 0; k < kRegs; ++k) {
            const auto take = (v[t].r[k] > best.r[k]) | (v[t].r[k] != v[t].r[k]);
            best.r[k] = take ? v[t].r[k] : best.r[k];
            tap.r[k] = take ? number.r[k] : tap.r[k];
          }
        }
        store_first(out + at + o, rest, best);
        if (taps != nullptr) store_taps(taps + at + o, rest, tap);
      }
    }
}

template <class C> void max_tiles_backward(const C* g, const uint8_t* taps, const PoolShape& s, C* dx) {
  using I = IntOf<C>;
  constexpr int64_t lanes = kLanes<C>;
  const PoolAxis &h = s.axis[1], &w = s.axis[2];
  for (int64_t i = 0; i < h.out; ++i) {
    C *up = dx + 2 * i * w.in, *down = up + w.in;
    for (int64_t o = 0; o < w.out; o += lanes) {
      const int64_t at = i * w.out + o, rest = w.out - o;
      const Pack<C> grad = load_first(g + at, rest), zero = splat(C(0));
      alignas(64) I buffer[lanes] = {};
      if (rest >= lanes) {
        for (int64_t l = 0; l < lanes; ++l) buffer[l] = taps[at + l];
      } else {
#pragma GCC unroll 1
        for (int64_t l = 0; l < rest; ++l) buffer[l] = taps[at + l];
      }
      const Mask<C> tap = load<I>(buffer);
      Pack<C> part[4];
      for (int t = 0; t < 4; ++t) {
        Mask<C> here;
#pragma GCC unroll 4
        for (int k = 0; k < kRegs; ++k) here.r[k] = tap.r[k] == splat(static_cast<I>(t)).r[k];
        part[t] = select(here, grad, zero);
      }
      store_first(up + 2 * o, 2 * rest, in_turn<0>(part[0], part[1]));
      store_first(up + 2 * o + lanes, 2 * rest - lanes, in_turn<1>(part[0], part[1]));
      store_first(down + 2 * o, 2 * rest, in_turn<0>(part[2], part[3]));
      store_first(down + 2 * o + lanes, 2 * rest - lanes, in_turn<1>(part[2], part[3]));
    }
    for (int64_t c = 2 * w.out; c < w.in; ++c) up[c] = down[c] = C(0);
  }
  for (int64_t i = 2 * h.out * w.in; i < h.in * w.in; ++i) dx[i] = C(0);
}

// Rows too short to fill a register, one result at a time.
template <class C> void max_planes_short(const C* x, const PoolShape& s, C* out, uint8_t* taps, int64_t begin,
                                         int64_t end) {
  const PoolAxis &h = s.axis[1], &w = s.axis[2];
  int64_t first[8], last[8];
  for (int64_t o = 0; o < w.out; ++o) inside(w, o, first[o], last[o]);
  for (int64_t p = begin; p < end; ++p) {
    const C* plane = x + p * h.in * w.in;
    for (int64_t i = 0; i < h.out; ++i) {
      int64_t a, b;
      inside(h, i, a, b);
      const C* top = plane + (i * h.stride - h.pad) * w.in - w.pad;
      const int64_t at = (p * h.out + i) * w.out;
      for (int64_t o = 0; o < w.out; ++o) {
        if (h.kernel == 2 && w.kernel == 2 && b - a == 2 && last[o] - first[o] == 2) {
          const C *up = top + o * w.stride, *down = up + h.dilation * w.in;
          const C v[] = {up[w.dilation], down[0], down[w.dilation]};
          C best = up[0];
          unsigned tap = 0;
#pragma GCC unroll 3
          for (unsigned t = 0; t < 3; ++t) {
            const bool take = (v[t] > best) | (v[t] != v[t]);
            best = take ? v[t] : best;
            tap = take ? t + 1 : tap;
          }
          out[at + o] = best;
          if (taps != nullptr) taps[at + o] = static_cast<uint8_t>(tap);
          continue;
        }
        C best = lowest_of<C>();
        int64_t tap = (a < h.kernel ? a : h.kernel - 1) * w.kernel + (first[o] < w.kernel ? first[o] : w.kernel - 1);
        for (int64_t kh = a; kh < b; ++kh) {
          const C* row = top + kh * h.dilation * w.in + o * w.stride;
          for (int64_t kw = first[o]; kw < last[o]; ++kw) {
            const C v = row[kw * w.dilation];
            const bool take = v > best || v != v;
            best = take ? v : best;
            tap = take ? kh * w.kernel + kw : tap;
          }
        }
        out[at + o] = best;
        if (taps != nullptr) taps[at + o] = static_cast<uint8_t>(tap);
      }
    }
  }
}

template <class C> void max_planes(const C* x, const PoolShape& s, C* out, uint8_t* taps, int64_t begin, int64_t end) {
  using I = IntOf<C>;
  constexpr int64_t lanes = kLanes<C>;
  const PoolAxis &h = s.axis[1], &w = s.axis[2];
  if (w.out >= 4 && tiles(h) && tiles(w)) return max_tiles(x, s, out, taps, begin, end);
  if (w.out < 8) return max_planes_short(x, s, out, taps, begin, end);
  SplitRows<C> rows(h, w, lowest_of<C>());
  Scratch<const C*> window(h.kernel);
  const int64_t* offsets = rows.offsets();
  // Where a window holds nothing but -inf, its first element inside counts as the largest.
  Scratch<I> first(w.out + lanes);
  for (int64_t o = 0; o < w.out; ++o) {
    int64_t a, b;
    inside(w, o, a, b);
    first[o] = static_cast<I>(a < w.kernel ? a : w.kernel - 1);
  }
  for (int64_t o = w.out; o < w.out + lanes; ++o) first[o] = 0;
  for (int64_t p = begin; p < end; ++p) {
    const C* plane = x + p * h.in * w.in;
    rows.start();
    for (int64_t i = 0; i < h.out; ++i) {
      int64_t a, b;
      inside(h, i, a, b);
      const int64_t top = i * h.stride - h.pad;
      rows.need(plane, top > 0 ? top : 0, top + (b - 1) * h.dilation + 1);  // also rows that only later windows see
      for (int64_t kh = a; kh < b; ++kh) window[kh] = rows.row(top + kh * h.dilation);
      const int64_t at = (p * h.out + i) * w.out;
      for (int64_t o = 0; o < w.out; o += lanes) {
        Pack<C> best = splat(lowest_of<C>());
        Mask<C> tap = load<I>(first + o) + splat(static_cast<I>((a < h.kernel ? a : h.kernel - 1) * w.kernel));
        for (int64_t kh = a; kh < b; ++kh) {
          for (int64_t kw = 0; kw < w.kernel; ++kw) {
            const Pack<C> v = load<C>(window[kh] + offsets[kw] + o);
            const Mask<C> number = splat(static_cast<I>(kh * w.kernel + kw));
#pragma GCC unroll 4
            for (int k = 0; k < kRegs; ++k) {
              const auto take = (v.r[k] > best.r[k]) | (v.r[k] != v.r[k]);
              best.r[k] = take ? v.r[k] : best.r[k];
              tap.r[k] = take ? number.r[k] : tap.r[k];
            }
          }
        }
        const int64_t rest = w.out - o;
        store_first(out + at + o, rest, best);
        if (taps != nullptr) store_taps(taps + at + o, rest, tap);
      }
    }
  }
}

void max2d(DType dtype, const void* x, const PoolShape& s, void* out, uint8_t* taps) {
  visit(dtype, [&](auto tag) {
    using C = decltype(tag);
    parallel_for(s.planes, planes_per_task(s), [&](int64_t begin, int64_t end) __attribute__((noinline)) {
      max_planes(static_cast<const C*>(x), s, static_cast<C*>(out), taps, begin, end);
    });
  });
}

template <class C> void max_plane_backward(const C* __restrict g, const uint8_t* __restrict taps, const PoolShape& s,
                                           const int64_t* offsets, C* __restrict dx) {
  const PoolAxis &h = s.axis[1], &w = s.axis[2];
  if (w.out >= 8 && tiles(h) && tiles(w)) return max_tiles_backward(g, taps, s, dx);
  const int64_t ins = h.in * w.in;
  for (int64_t i = 0; i < ins; ++i) dx[i] = C(0);
  for (int64_t i = 0; i < h.out; ++i) {
    const int64_t top = (i * h.stride - h.pad) * w.in - w.pad;
    for (int64_t o = 0; o < w.out; ++o) {
      const int64_t at = top + o * w.stride + offsets[taps[i * w.out + o]];
      if (at >= 0 && at < ins) dx[at] += g[i * w.out + o];
    }
  }
}

void max2d_backward(DType dtype, const void* g, const uint8_t* taps, const PoolShape& s, void* dx) {
  visit(dtype, [&](auto tag) {
    using C = decltype(tag);
    const PoolAxis &h = s.axis[1], &w = s.axis[2];
    int64_t offsets[256] = {};
    for (int64_t kh = 0; kh < h.kernel; ++kh)
      for (int64_t kw = 0; kw < w.kernel; ++kw) offsets[kh * w.kernel + kw] = kh * h.dilation * w.in + kw * w.dilation;
    const int64_t ins = h.in * w.in, outs = h.out * w.out;
    parallel_for(s.planes, planes_per_task(s), [&](int64_t begin, int64_t end) __attribute__((noinline)) {
      for (int64_t p = begin; p < end; ++p)
        max_plane_backward(static_cast<const C*>(g) + p * outs, taps + p * outs, s, offsets,
                           static_cast<C*>(dx) + p * ins);
    });
  });
}

inline int64_t count_along(const PoolAxis& a, int64_t o, bool include_pad) {
  int64_t from = o * a.stride - a.pad, to = from + a.kernel, end = include_pad ? a.in + a.pad : a.in;
  if (!include_pad && from < 0) from = 0;
  return (to < end ? to : end) - from;
}

// What window (i, o) divides by is down(i) * across[o].
template <class C> struct Divisors {
  explicit Divisors(const PoolShape& shape) : s(shape), across(s.axis[2].out + kLanes<C>) {
    for (int64_t o = 0; o < s.axis[2].out; ++o)
      across[o] = s.divisor != 0 ? C(1) : static_cast<C>(count_along(s.axis[2], o, s.include_pad));
    for (int64_t o = s.axis[2].out; o < s.axis[2].out + kLanes<C>; ++o) across[o] = C(1);
  }
  C down(int64_t i) const {
    return static_cast<C>(s.divisor != 0 ? s.divisor : count_along(s.axis[1], i, s.include_pad));
  }
  const PoolShape& s;
  Scratch<C> across;
};

// One plane in windows of 2x2, with the operations of any other window in the same order.
template <class C> void mean_tiles(const C* x, const Divisors<C>& divisors, C* out) {
  constexpr int64_t lanes = kLanes<C>;
  const PoolAxis &h = divisors.s.axis[1], &w = divisors.s.axis[2];
  for (int64_t i = 0; i < h.out; ++i) {
    const Pack<C> across = splat(divisors.down(i));
    for (int64_t o = 0; o < w.out; o += lanes) {
      const int64_t rest = w.out - o;
      Pack<C> sum = splat(C(0));
      for (int kh = 0; kh < 2; ++kh) {
        const C* row = x + (2 * i + kh) * w.in + 2 * o;
        const Pack<C> a = load_first(row, 2 * rest), b = load_first(row + lanes, 2 * rest - lanes);
        sum = sum + every_second<0>(a, b) + every_second<1>(a, b);
      }
      const Pack<C> by = load<C>(divisors.across + o) * across;
#pragma GCC unroll 4
      for (int k = 0; k < kRegs; ++k) sum.r[k] /= by.r[k];
      store_first(out + i * w.out + o, rest, sum);
    }
  }
}

template <class C> void mean_tiles_backward(const C* g, const Divisors<C>& divisors, C* dx) {
  constexpr int64_t lanes = kLanes<C>;
  const PoolAxis &h = divisors.s.axis[1], &w = divisors.s.axis[2];
  for (int64_t i = 0; i < h.out; ++i) {
    const Pack<C> across = splat(divisors.down(i));
    C* rows = dx + 2 * i * w.in;
    for (int64_t o = 0; o < w.out; o += lanes) {
      const int64_t rest = w.out - o;
      Pack<C> share = load_first(g + i * w.out + o, rest);
      const Pack<C> by = load<C>(divisors.across + o) * across;
#pragma GCC unroll 4
      for (int k = 0; k < kRegs; ++k) share.r[k] /= by.r[k];
      share = splat(C(0)) + share;
      for (C* to = rows + 2 * o; to < rows + 2 * w.in; to += w.in) {
        store_first(to, 2 * rest, in_turn<0>(share, share));
        store_first(to + lanes, 2 * rest - lanes, in_turn<1>(share, share));
      }
    }
    for (int64_t c = 2 * w.out; c < w.in; ++c) rows[c] = rows[w.in + c] = C(0);
  }
  for (int64_t i = 2 * h.out * w.in; i < h.in * w.in; ++i) dx[i] = C(0);
}

void mean2d(DType dtype, const void* x, const PoolShape& s, void* out) {
  visit(dtype, [&](auto tag) {
    using C = decltype(tag);
    constexpr int64_t lanes = kLanes<C>;
    const PoolAxis &h = s.axis[1], &w = s.axis[2];
    const Divisors<C> divisors(s);
    parallel_for(s.planes, planes_per_task(s), [&](int64_t begin, int64_t end) __attribute__((noinline)) {
      if (w.out >= 4 && tiles(h) && tiles(w)) {
        for (int64_t p = begin; p < end; ++p)
          mean_tiles(static_cast<const C*>(x) + p * h.in * w.in, divisors, static_cast<C*>(out) + p * h.out * w.out);
        return;
      }
      SplitRows<C> rows(h, w, C(0));
      Scratch<const C*> window(h.kernel);
      const int64_t* offsets = rows.offsets();
      for (int64_t p = begin; p < end; ++p) {
        const C* plane = static_cast<const C*>(x) + p * h.in * w.in;
        rows.start();
        for (int64_t i = 0; i < h.out; ++i) {
          int64_t a, b;
          inside(h, i, a, b);
          const int64_t top = i * h.stride - h.pad;
          rows.need(plane, top + a, top + b);
          for (int64_t kh = a; kh < b; ++kh) window[kh] = rows.row(top + kh);
          C* to = static_cast<C*>(out) + (p * h.out + i) * w.out;
          const Pack<C> down = splat(divisors.down(i));
          for (int64_t o = 0; o < w.out; o += lanes) {
            Pack<C> sum = splat(C(0));
            for (int64_t kh = a; kh < b; ++kh)
              for (int64_t kw = 0; kw < w.kernel; ++kw) sum = sum + load<C>(window[kh] + offsets[kw] + o);
            const Pack<C> by = load<C>(divisors.across + o) * down;
#pragma GCC unroll 4
            for (int k = 0; k < kRegs; ++k) sum.r[k] /= by.r[k];
            if (w.out - o >= lanes)
              store(to + o, sum);
            else
              store_part(to + o, w.out - o, sum);
          }
        }
      }
    });
  });
}

void mean2d_backward(DType dtype, const void* g, const PoolShape& s, void* dx) {
  visit(dtype, [&](auto tag) {
    using C = decltype(tag);
    const PoolAxis &h = s.axis[1], &w = s.axis[2];
    const Divisors<C> divisors(s);
    parallel_for(s.planes, planes_per_task(s), [&](int64_t begin, int64_t end) __attribute__((noinline)) {
      if (w.out >= 4 && tiles(h) && tiles(w)) {
        for (int64_t p = begin; p < end; ++p)
          mean_tiles_backward(static_cast<const C*>(g) + p * h.out * w.out, divisors,
                              static_cast<C*>(dx) + p * h.in * w.in);
        return;
      }
      Scratch<C> share(w.out);
      for (int64_t p = begin; p < end; ++p) {
        C* plane = static_cast<C*>(dx) + p * h.in * w.in;
        for (int64_t i = 0; i < h.in * w.in; ++i) plane[i] = C(0);
        for (int64_t i = 0; i < h.out; ++i) {
          const C* from = static_cast<const C*>(g) + (p * h.out + i) * w.out;
          const C down = divisors.down(i);
          for (int64_t o = 0; o < w.out; ++o) share[o] = from[o] / (down * divisors.across[o]);
          int64_t a, b;
          inside(h, i, a, b);
          for (int64_t kh = a; kh < b; ++kh) {
            C* row = plane + (i * h.stride - h.pad + kh) * w.in;
            for (int64_t kw = 0; kw < w.kernel; ++kw) {
              // The windows whose element kw lies inside.
              int64_t first = ceil_div(w.pad - kw, w.stride), last = ceil_div(w.in + w.pad - kw, w.stride);
              if (first < 0) first = 0;
              if (last > w.out) last = w.out;
              C* __restrict to = row + kw - w.pad;
              const C* __restrict add = share;
              if (w.stride == 1) {
                for (int64_t o = first; o < last; ++o) to[o] += add[o];
              } else {
                for (int64_t o = first; o < last; ++o) to[o * w.stride] += add[o];
              }
            }
          }
        }
      }
    });
  });
}

}  // namespace

extern const PoolTable pool_table = {max2d, max2d_backward, mean2d, mean2d_backward};

}  // namespace rl::cpu::RL_ISA
