// sum, mean, prod, counts and norms.
#include <cmath>

#include "kernels/cpu/fold.h"

namespace rl::cpu::RL_ISA {
namespace {

// Elements are uint8 (bool too), int32, int64, float and double, and the complex ones made of these; nearly always the
// other dtypes are converted to one of them, a piece at a time. Lanes within a block: float, or 32-bit integers that a block cannot
// overflow; totals: double or int64.
template <class T> using SumBlock = std::conditional_t<std::is_same_v<T, int32_t>, int64_t, compute_t<T>>;
template <class T> using Total = std::conditional_t<std::is_floating_point_v<T>, double, int64_t>;

template <class T> struct real_part {
  using type = T;
};
template <class T> struct real_part<std::complex<T>> {
  using type = T;
};

enum class Pre { none, drop_nan, magnitude, square };

template <class T, Pre P, class BlockType = SumBlock<T>> struct AddOp {
  using In = T;
  using Block = BlockType;
  using State = std::conditional_t<std::is_floating_point_v<Block>, double, int64_t>;

  State start() const { return 0; }
  Block unit() const { return 0; }
  Block filler() const { return 0; }
  bool done(const State*, int) const { return false; }
  [[gnu::always_inline]] Pack<Block> pre(Pack<Block> x) const {
    if constexpr (P == Pre::drop_nan) return zero_nans(x);
    if constexpr (P == Pre::magnitude) return absolute(x);
    if constexpr (P == Pre::square) return x * x;
    return x;
  }
  template <class C> [[gnu::always_inline]] Pack<C> fold(const Pack<C>& a, const Pack<C>& b) const { return a + b; }
  [[gnu::always_inline]] State merge(State s, Block b) const { return s + static_cast<State>(b); }
  [[gnu::always_inline]] State join(State a, State b) const { return a + b; }
};

template <class T> struct ProductOp {
  using In = T;
  using Block = Total<T>;
  using State = Block;

  State start() const { return 1; }
  Block unit() const { return 1; }
  Block filler() const { return 1; }
  bool done(const State*, int) const { return false; }
  [[gnu::always_inline]] Pack<Block> pre(const Pack<Block>& x) const { return x; }
  template <class C> [[gnu::always_inline]] Pack<C> fold(const Pack<C>& a, const Pack<C>& b) const { return a * b; }
  [[gnu::always_inline]] State merge(State s, Block b) const { return s * b; }
  [[gnu::always_inline]] State join(State a, State b) const { return a * b; }
};

// Counts nonzeros (or, inverted, zeros); may stop at the first. One instance serves count_nonzero, any and all.
template <class T> struct CountOp {
  using In = T;
  using Block = compute_t<T>;
  using State = int64_t;
  using I = IntOf<Block>;

  bool invert, stop;
  I mask;  // bits that matter

  State start() const { return 0; }
  Block unit() const { return 0; }
  Block filler() const { return Block(invert ? 1 : 0); }
  bool done(const State* lanes, int count) const {
    if (!stop) return false;
    State found = 0;
    for (int l = 0; l < count; ++l) found |= lanes[l];
    return found != 0;
  }
  [[gnu::always_inline]] Pack<Block> pre(Pack<Block> x) const {
    typedef typename Pack<I>::Reg Bits;
    const Bits flip = Bits{} - static_cast<I>(invert);
#pragma GCC unroll 4
    for (int k = 0; k < kRegs; ++k) {
      x.r[k] &= Bits{} + mask;
      x.r[k] = ((x.r[k] != 0) ^ flip) & (Bits{} + 1);
    }
    return x;
  }
  template <class C> [[gnu::always_inline]] Pack<C> fold(const Pack<C>& a, const Pack<C>& b) const { return a + b; }
  [[gnu::always_inline]] State merge(State s, Block b) const { return s + static_cast<State>(b); }
  [[gnu::always_inline]] State join(State a, State b) const { return a + b; }
};

// Whether some byte is nonzero (inverted: zero), rows in whole vectors of bytes.
struct AnyByte {
  using In = uint8_t;
  using State = int64_t;
  static constexpr int kLanes = Fold<CountOp<uint8_t>>::kLanes;

  Fold<CountOp<uint8_t>> columns;

  State empty() const { return 0; }
  State join(State a, State b) const { return a | b; }
  State place(State s, int64_t, int64_t) const { return s; }
  [[gnu::noinline]] State row(const In* p, int64_t n) const {
    typedef uint8_t Bytes __attribute__((vector_size(kRegBytes)));
    constexpr int64_t step = 4 * kRegBytes;
    const Bytes zero = {};
    int64_t i = 0;
    while (i + step <= n) {
      Bytes found = zero;
      for (int64_t to = i + 32 * step < n ? i + 32 * step : n; i + step <= to; i += step) {
        for (int k = 0; k < 4; ++k) {
          Bytes x;
          std::memcpy(&x, p + i + k * kRegBytes, kRegBytes);
          found |= columns.op.invert ? (Bytes)(x == zero) : x;
        }
      }
      uint64_t words[kRegBytes / 8], any = 0;
      std::memcpy(words, &found, kRegBytes);
      for (uint64_t w : words) any |= w;
      if (any != 0) return 1;
    }
    uint8_t any = 0;
    for (; i < n; ++i) any = static_cast<uint8_t>(any | ((p[i] != 0) != columns.op.invert ? 1 : 0));
    return any;
  }
  void cols(const In* p, int64_t n, int64_t stride, int64_t width, State* out) const {
    columns.cols(p, n, stride, width, out);
  }
};

// The largest of |x|; negated, the largest of -|x|, which is the smallest of |x|.
template <class T> struct MagnitudeExtremeOp {
  using In = T;
  using Block = T;
  using State = T;
  using I = IntOf<T>;

  bool negated;

  State start() const { return negated ? lowest_of<T>() : T(0); }
  Block unit() const { return start(); }
  Block filler() const { return start(); }
  bool done(const State*, int) const { return false; }
  [[gnu::always_inline]] Pack<Block> pre(Pack<Block> x) const {
    typedef typename Pack<I>::Reg Bits;
    const Bits sign = Bits{} + (negated ? std::numeric_limits<I>::lowest() : I(0));
    x = absolute(x);
#pragma GCC unroll 4
    for (int k = 0; k < kRegs; ++k) x.r[k] = (typename Pack<T>::Reg)((Bits)x.r[k] ^ sign);
    return x;
  }
  template <class C> [[gnu::always_inline]] Pack<C> fold(const Pack<C>& a, const Pack<C>& b) const {
    return extreme<true>(a, b);
  }
  [[gnu::always_inline]] State merge(State s, Block b) const { return extreme<true>(s, b); }
  [[gnu::always_inline]] State join(State a, State b) const { return extreme<true>(a, b); }
};

// Sums f(element) one element after another: for what has no vector form (complex, general powers).
template <class T, class S, class Step> struct Plain {
  using In = T;
  using State = S;
  static constexpr int kLanes = 8;
  S start;
  Step step;  // S step(S, T)
  S (*merge)(S, S);

  S empty() const { return start; }
  S join(S a, S b) const { return merge(a, b); }
  S place(S s, int64_t, int64_t) const { return s; }
  [[gnu::noinline]] S row(const T* p, int64_t n) const {
    S lanes[4] = {start, start, start, start};
    int64_t i = 0;
    for (; i + 4 <= n; i += 4) {
      for (int l = 0; l < 4; ++l) lanes[l] = step(lanes[l], p[i + l]);
    }
    for (; i < n; ++i) lanes[0] = step(lanes[0], p[i]);
    return merge(merge(lanes[0], lanes[1]), merge(lanes[2], lanes[3]));
  }
  [[gnu::noinline]] void cols(const T* p, int64_t n, int64_t stride, int64_t width, S* out) const {
    for (int64_t i = 0; i < width; ++i) out[i] = start;
    for (int64_t r = 0; r < n; ++r) {
      for (int64_t i = 0; i < width; ++i) out[i] = step(out[i], p[r * stride + i]);
    }
  }
};

template <class T, class S, class Step, class Store>
void reduce_plain(S start, Step step, S (*merge)(S, S), const Source& x, const ReduceShape& shape, const Store& store) {
  reduce(Plain<T, S, Step>{start, step, merge}, x, shape, store);
}

template <class T> struct Parts {
  T re, im;
};

// f(tag) for the dtypes that floating-point reductions have instances for.
template <class F> void visit_wide(DType in, const F& f) {
  switch (in) {
    case DType::F32: return f(float{});
    case DType::F64: return f(double{});
    case DType::C64: return f(Complex64{});
    default: return f(Complex128{});
  }
}

template <class T, Pre P> void add_real(const Source& x, const ReduceShape& shape, void* out, double scale_by) {
  T* o = static_cast<T*>(out);
  reduce(Fold<AddOp<T, P>>{}, x, shape, [&](int64_t i, double s) { o[i] = narrow<T>(s / scale_by); });
}

template <Pre P> void add(DType in, const void* x, const ReduceShape& shape, void* out, double scale_by) {
  if (is_half(in)) {
    if constexpr (P == Pre::none) {  // common enough for loops of its own
      return (in == DType::F16 ? add_real<Half, P> : add_real<BFloat16, P>)(x, shape, out, scale_by);
    } else {
      return as_float(in, x, shape, out,
                      [&](const Source& wide, void* o) { add_real<float, P>(wide, shape, o, scale_by); });
    }
  }
  visit_wide(in, [&](auto tag) {
    using T = decltype(tag);
    if constexpr (is_complex_v<T>) {
      using Real = typename T::value_type;
      Real* o = static_cast<Real*>(out);
      reduce(FoldComplex<AddOp<Real, P>, T>{}, x, shape, [&](int64_t i, auto s) {
        o[2 * i] = narrow<Real>(s.re / scale_by);
        o[2 * i + 1] = narrow<Real>(s.im / scale_by);
      });
    } else {
      add_real<T, P>(x, shape, out, scale_by);
    }
  });
}

void sum(DType in, const void* x, const ReduceShape& shape, void* out) {
  auto integers = [&](auto tag, const Source& from) {
    int64_t* o = static_cast<int64_t*>(out);
    reduce(Fold<AddOp<decltype(tag), Pre::none>>{}, from, shape, [o](int64_t i, int64_t s) { o[i] = s; });
  };
  switch (in) {
    case DType::Bool:
    case DType::U8: return integers(uint8_t{}, x);
    case DType::I8:
    case DType::I16: return integers(int32_t{}, Source(x, in, DType::I32));
    case DType::I32: return integers(int32_t{}, x);
    case DType::I64: return integers(int64_t{}, x);
    default: return add<Pre::none>(in, x, shape, out, 1.0);
  }
}
void nansum(DType in, const void* x, const ReduceShape& shape, void* out) {
  if (is_integral(in)) return sum(in, x, shape, out);
  add<Pre::drop_nan>(in, x, shape, out, 1.0);
}
void mean(DType in, const void* x, const ReduceShape& shape, void* out) {
  add<Pre::none>(in, x, shape, out, static_cast<double>(shape.n));
}

void prod(DType in, const void* x, const ReduceShape& shape, void* out) {
  auto run = [&](auto tag, const Source& from, void* to) {
    using T = decltype(tag);
    T* o = static_cast<T*>(to);
    reduce(Fold<ProductOp<T>>{}, from, shape, [o](int64_t i, auto s) { o[i] = narrow<T>(s); });
  };
  auto complex = [&](auto tag) {
    using Real = decltype(tag);
    using P = Parts<Real>;
    using Wide = Parts<double>;
    // Explicit fma: compilers fuse the pattern of a complex product on some instruction sets only.
    auto times = [](Wide a, Wide b) {
      return Wide{__builtin_fma(a.re, b.re, -(a.im * b.im)), __builtin_fma(a.re, b.im, a.im * b.re)};
    };
    auto step = [times](Wide a, P b) { return times(a, Wide{double(b.re), double(b.im)}); };
    P* o = static_cast<P*>(out);
    reduce_plain<P, Wide>(Wide{1, 0}, step, +times, x, shape,
                          [o](int64_t i, Wide s) { o[i] = {narrow<Real>(s.re), narrow<Real>(s.im)}; });
  };
  switch (in) {
    case DType::I64: return run(int64_t{}, x, out);
    case DType::F32: return run(float{}, x, out);
    case DType::F64: return run(double{}, x, out);
    case DType::C64: return complex(float{});
    case DType::C128: return complex(double{});
    case DType::F16:
    case DType::BF16: return as_float(in, x, shape, out, [&](const Source& wide, void* o) { run(float{}, wide, o); });
    default: return run(int64_t{}, Source(x, in, DType::I64), out);
  }
}

template <class Store> void count(DType in, const void* x, const ReduceShape& shape, bool invert, bool stop,
                                  const Store& store) {
  auto run = [&](auto tag, auto mask) { reduce(Fold<CountOp<decltype(tag)>>{{invert, stop, mask}}, x, shape, store); };
  switch (in) {
    case DType::Bool:
    case DType::U8:
    case DType::I8:
      if (stop) return reduce(AnyByte{{{invert, stop, int32_t{-1}}}}, x, shape, store);
      return run(uint8_t{}, int32_t{-1});
    case DType::I16: return run(uint16_t{}, int32_t{-1});
    case DType::F16:
    case DType::BF16: return run(uint16_t{}, int32_t{0x7FFF});
    case DType::I32: return run(int32_t{}, int32_t{-1});
    case DType::I64: return run(int64_t{}, int64_t{-1});
    case DType::F32: return run(int32_t{}, std::numeric_limits<int32_t>::max());
    case DType::F64: return run(int64_t{}, std::numeric_limits<int64_t>::max());
    default: break;
  }
  auto complex = [&](auto tag) {
    using P = Parts<decltype(tag)>;
    auto step = [invert](int64_t s, P v) { return s + ((v.re != 0 || v.im != 0) != invert ? 1 : 0); };
    reduce_plain<P, int64_t>(0, step, +[](int64_t a, int64_t b) { return a + b; }, x, shape, store);
  };
  if (in == DType::C64)
    complex(float{});
  else
    complex(double{});
}

struct StoreCount {
  void* out;
  bool as_bool, invert;
  void operator()(int64_t i, int64_t s) const {
    if (as_bool)
      static_cast<bool*>(out)[i] = (s != 0) != invert;
    else
      static_cast<int64_t*>(out)[i] = s;
  }
};

void count_nonzero(DType in, const void* x, const ReduceShape& shape, int64_t* out) {
  count(in, x, shape, false, false, StoreCount{out, false, false});
}

template <bool All> void decide(DType in, const void* x, const ReduceShape& shape, bool* out) {
  count(in, x, shape, All, true, StoreCount{out, true, All});
}

// The sum of |v|^p in double, for powers without a vector form.
template <class T, class Store> void sum_of_powers(double p, const Source& x, const ReduceShape& shape,
                                                   const Store& store) {
  auto plus = [](double a, double b) { return a + b; };
  auto power = [p](double v) {
    if (p == 0) return v != 0 ? 1.0 : 0.0;
    if (p == 1) return v;
    if (p == 3) return v * v * v;
    if (p == 4) return v * v * (v * v);
    return std::pow(v, p);
  };
  if constexpr (is_complex_v<T>) {
    using P = Parts<typename T::value_type>;
    auto step = [power](double s, P v) {
      return s + power(std::sqrt(double(v.re) * double(v.re) + double(v.im) * double(v.im)));
    };
    reduce_plain<P, double>(0.0, step, +plus, x, shape, store);
  } else {
    auto step = [power](double s, T v) { return s + power(__builtin_fabs(static_cast<double>(v))); };
    reduce_plain<T, double>(0.0, step, +plus, x, shape, store);
  }
}

template <class T, class Store> void extreme_of(bool smallest, const Source& x, const ReduceShape& shape,
                                                const Store& store) {
  auto put = [&](int64_t i, double s) { store(i, __builtin_fabs(s)); };
  if constexpr (is_complex_v<T>) {
    using P = Parts<typename T::value_type>;
    auto pick = [](double a, double b) { return extreme<true>(a, b); };
    auto step = [smallest](double s, P v) {
      const double size = std::sqrt(double(v.re) * double(v.re) + double(v.im) * double(v.im));
      return extreme<true>(s, smallest ? -size : size);
    };
    reduce_plain<P, double>(smallest ? lowest_of<double>() : 0.0, step, +pick, x, shape, put);
  } else {
    reduce(Fold<MagnitudeExtremeOp<T>>{{smallest}}, x, shape, put);
  }
}

void norm_of(DType in, double p, const Source& x, const ReduceShape& shape, void* out) {
  visit_wide(in, [&](auto tag) {
    using T = decltype(tag);
    using Result = typename real_part<T>::type;
    Result* o = static_cast<Result*>(out);
    auto put = [&](int64_t i, double s) { o[i] = narrow<Result>(s); };
    if (__builtin_isinf(p)) return extreme_of<T>(p < 0, x, shape, put);
    if (p == 2) {
      auto root = [&](int64_t i, double s) { o[i] = narrow<Result>(std::sqrt(s)); };
      if constexpr (is_complex_v<T>) {
        return reduce(FoldComplex<AddOp<Result, Pre::square, double>, T>{}, x, shape,
                      [&](int64_t i, auto s) { root(i, s.re + s.im); });
      } else {
        return reduce(Fold<AddOp<T, Pre::square, double>>{}, x, shape, root);
      }
    }
    if constexpr (!is_complex_v<T>) {
      if (p == 1) return reduce(Fold<AddOp<T, Pre::magnitude>>{}, x, shape, put);
    }
    sum_of_powers<T>(p, x, shape,
                     [&](int64_t i, double s) { o[i] = narrow<Result>(p == 0 || p == 1 ? s : std::pow(s, 1.0 / p)); });
  });
}
void norm(DType in, double p, const void* x, const ReduceShape& shape, void* out) {
  if (!is_half(in)) return norm_of(in, p, x, shape, out);
  as_float(in, x, shape, out, [&](const Source& wide, void* o) { norm_of(DType::F32, p, wide, shape, o); });
}

}  // namespace

extern const ReduceSumTable reduce_sum_table = {sum,           nansum,        mean,         prod,
                                                count_nonzero, decide<false>, decide<true>, norm};

}  // namespace rl::cpu::RL_ISA
