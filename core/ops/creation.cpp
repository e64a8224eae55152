// New tensors: filled with one value, with sequences, with index pairs, with window functions.
#include "ops/creation.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "kernels/copy.h"
#include "kernels/pointwise/arithmetic.h"
#include "kernels/pointwise/trig.h"
#include "ops/pointwise.h"
#include "runtime/parallel.h"

namespace rl {
namespace {

constexpr int64_t kGrain = 1 << 16;

template <class T>
constexpr bool is_small_float = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;
// What sequences of T are computed in.
template <class T>
using sequence_t =
    std::conditional_t<std::is_integral_v<T>, int64_t, std::conditional_t<is_small_float<T>, float, double>>;

template <class To, class From>
To cast(From v) {
  if constexpr (is_small_float<To>)
    return To(static_cast<float>(v));
  else if constexpr (is_small_float<From>)
    return static_cast<To>(static_cast<float>(v));
  else
    return static_cast<To>(v);
}

const char* cpp_name(DType dtype) {
  static constexpr const char* kNames[kDTypeCount] = {"uint8_t",
                                                      "int8_t",
                                                      "int16_t",
                                                      "int",
                                                      "int64_t",
                                                      "at::Half",
                                                      "float",
                                                      "double",
                                                      "c10::complex<float>",
                                                      "c10::complex<double>",
                                                      "bool",
                                                      "at::BFloat16"};
  return kNames[static_cast<int>(dtype)];
}

template <class T>
T checked(const Scalar& value) {
  check_fits(value, dtype_of_v<T>);
  return value.to<T>();
}

DType dtype_of_number(const Scalar& value) {
  return value.is_bool()       ? DType::Bool
         : value.is_integral() ? DType::I64
         : value.is_complex()  ? default_complex()
                               : default_dtype();
}

// --- one value -----------------------------------------------------------------------------------------------------------

Tensor empty_op(IntSpan size, const Options& o, std::optional<MemoryFormat> format) {
  DType dtype = o.dtype.value_or(default_dtype());
  if (!format || *format == MemoryFormat::Contiguous) return with_options(Tensor::empty(size, dtype), o);
  check(*format != MemoryFormat::Preserve, "unsupported memory format option Preserve");
  size_t rank = *format == MemoryFormat::ChannelsLast ? 4 : 5;
  check(size.size() == rank, "required rank ", rank, " tensor to use channels_last", rank == 5 ? "_3d" : "",
        " format, got the size ", shape_str(size));
  return with_options(Tensor::empty_strided(size, channels_last_strides(size), dtype), o);
}

void check_sizes(IntSpan size) {
  for (int64_t s : size) check(s >= 0, "Trying to create tensor with negative dimension ", s, ": ", shape_str(size));
}

Tensor strided(IntSpan size, IntSpan stride, DType dtype) {
  check(size.size() == stride.size(), "dimensionality of sizes (", size.size(),
        ") must match dimensionality of strides (", stride.size(), ")");
  check_sizes(size);
  for (int64_t s : stride)
    check(s >= 0, "Storage size calculation overflowed with sizes=", shape_str(size),
          " and strides=", shape_str(stride));
  return Tensor::empty_strided(size, stride, dtype);
}

Tensor empty_strided_op(IntSpan size, IntSpan stride, const Options& o) {
  return with_options(strided(size, stride, o.dtype.value_or(default_dtype())), o);
}

Tensor empty_permuted(IntSpan size, IntSpan layout, const Options& o) {
  check(size.size() == layout.size(),
        "Number of dimensions in size does not match the length of the physical_layout; i.e. len(size) = ", size.size(),
        " is not equal to len(physical_layout) = ", layout.size());
  auto n = static_cast<int64_t>(size.size());
  Dims strides(n, -1);
  int64_t step = 1;
  for (int64_t i = n - 1; i >= 0; --i) {
    int64_t d = layout[static_cast<size_t>(i)];
    check(d >= 0 && d < n, "Dimension out of range (expected to be between 0 and ", n - 1, ", but got ", d,
          " at index ", i, ").  NB: negative dims not currently supported; file an issue if you want it.");
    check(strides[d] < 0, "Duplicate dim not allowed");
    strides[d] = step;
    check(!__builtin_mul_overflow(step, std::max<int64_t>(size[static_cast<size_t>(d)], 1), &step),
          "Storage size calculation overflowed with sizes=", shape_str(size));
  }
  return with_options(strided(size, strides, o.dtype.value_or(default_dtype())), o);
}

Tensor filled(IntSpan size, const Scalar& value, DType dtype, const Options& o) {
  check_fits(value, dtype);
  return with_options(full(size, value, dtype), o);
}

Tensor full_op(IntSpan size, const Scalar& value, const Options& o) {
  return filled(size, value, o.dtype.value_or(dtype_of_number(value)), o);
}
Tensor zeros_op(IntSpan size, const Options& o) {
  for (int64_t s : size) check(s >= 0, "zeros: Dimension size must be non-negative, got ", shape_str(size));
  return filled(size, Scalar(0), o.dtype.value_or(default_dtype()), o);
}
Tensor ones_op(IntSpan size, const Options& o) { return filled(size, Scalar(1), o.dtype.value_or(default_dtype()), o); }
Tensor scalar_tensor(const Scalar& s, const Options& o) { return filled({}, s, o.dtype.value_or(default_dtype()), o); }

Tensor empty_like_op(const Tensor& t, const Options& o, std::optional<MemoryFormat> format) {
  return with_options(new_like(t, o.dtype.value_or(t.dtype()), format), o);
}
Tensor full_like(const Tensor& t, const Scalar& value, const Options& o, std::optional<MemoryFormat> format) {
  Tensor out = new_like(t, o.dtype.value_or(t.dtype()), format);
  check_fits(value, out.dtype());
  fill_data(out, value);
  return with_options(std::move(out), o);
}
Tensor zeros_like_op(const Tensor& t, const Options& o, std::optional<MemoryFormat> format) {
  return full_like(t, Scalar(0), o, format);
}
Tensor ones_like_op(const Tensor& t, const Options& o, std::optional<MemoryFormat> format) {
  return full_like(t, Scalar(1), o, format);
}

Tensor new_empty(const Tensor& t, IntSpan size, const Options& o) {
  return with_options(Tensor::empty(size, o.dtype.value_or(t.dtype())), o);
}
Tensor new_empty_strided(const Tensor& t, IntSpan size, IntSpan stride, const Options& o) {
  return with_options(strided(size, stride, o.dtype.value_or(t.dtype())), o);
}
Tensor new_full(const Tensor& t, IntSpan size, const Scalar& value, const Options& o) {
  return filled(size, value, o.dtype.value_or(t.dtype()), o);
}
Tensor new_zeros(const Tensor& t, IntSpan size, const Options& o) { return new_full(t, size, Scalar(0), o); }
Tensor new_ones(const Tensor& t, IntSpan size, const Options& o) { return new_full(t, size, Scalar(1), o); }

Tensor eye_m(int64_t n, int64_t m, const Options& o) {
  check(n >= 0, "n must be greater or equal to 0, got ", n);
  check(m >= 0, "m must be greater or equal to 0, got ", m);
  Tensor out = full(Dims{n, m}, Scalar(0), o.dtype.value_or(default_dtype()));
  if (out.numel() > 0) fill_data(out.alias(Dims{std::min(n, m)}, Dims{m + 1}, 0), Scalar(1));
  return with_options(std::move(out), o);
}
Tensor eye(int64_t n, const Options& o) { return eye_m(n, n, o); }

// --- sequences -------------------------------------------------------------------------------------------------------------

// out[i] = start + i * step, rounded once where PyTorch's compiled loops round once.
template <class T>
void fill_sequence(T* out, int64_t n, sequence_t<T> start, sequence_t<T> step) {
  using S = sequence_t<T>;
  parallel_for_light(n, kGrain / 4, [&](int64_t begin, int64_t end) {
    if constexpr (std::is_same_v<T, int64_t>) {
      // By vectors: this file is compiled without the vectoriser.
      typedef uint64_t V __attribute__((vector_size(16)));
      const uint64_t by = static_cast<uint64_t>(step);
      uint64_t next = static_cast<uint64_t>(start) + static_cast<uint64_t>(begin) * by;
      V pair = {next, next + by};
      int64_t i = begin;
      for (; i + 2 <= end; i += 2, pair += 2 * by) std::memcpy(out + i, &pair, sizeof pair);
      if (i < end) out[i] = static_cast<int64_t>(pair[0]);
    } else if constexpr (std::is_same_v<S, int64_t>) {
      for (int64_t i = begin; i < end; ++i)
        out[i] = static_cast<T>(static_cast<uint64_t>(start) + static_cast<uint64_t>(i) * static_cast<uint64_t>(step));
    } else if (const bool whole = std::trunc(start) == start && std::trunc(step) == step; std::is_same_v<S, double>) {
      for (int64_t i = begin; i < end; i += kGrain)
        cpu::copy().ramp(out + i, dtype_of_v<T>, std::min(kGrain, end - i), static_cast<double>(i), 1, start, step,
                         whole);
    } else if (whole) {
      for (int64_t i = begin; i < end; ++i) out[i] = cast<T>(start + static_cast<S>(i) * step);
    } else {
      for (int64_t i = begin; i < end; ++i) out[i] = cast<T>(std::fma(static_cast<S>(i), step, start));
    }
  });
}

template <class S>
void check_range(S start, S end, S step) {
  check(step > 0 || step < 0, "step must be nonzero");
  if constexpr (std::is_floating_point_v<S>)
    check(std::isfinite(start) && std::isfinite(end), "unsupported range: ", start, " -> ", end);
  check(step > 0 ? end >= start : end <= start,
        "upper bound and lower bound inconsistent with step sign: start=", start, ", end=", end, ", step=", step);
}

int64_t checked_size(double size) {
  check(size >= 0 && size < 0x1p63, "invalid size, possible overflow?");
  return static_cast<int64_t>(size);
}

// Calls f(T{}) with the types that sequences may have.
template <class F>
Tensor visit_sequence(const char* name, DType dtype, F&& f) {
  return visit_dtype(dtype, [&](auto zero) -> Tensor {
    using T = decltype(zero);
    if constexpr (std::is_same_v<T, bool> || is_complex_v<T>)
      not_implemented_for(name, dtype);
    else
      return f(zero);
  });
}

Tensor arange(const Scalar& start, const Scalar& end, const Scalar& step, const Options& o) {
  bool integers = start.is_integral() && end.is_integral() && step.is_integral();
  return visit_sequence("arange_cpu", o.dtype.value_or(integers ? DType::I64 : default_dtype()), [&](auto zero) {
    using T = decltype(zero);
    using S = sequence_t<T>;
    S from = checked<S>(start), to = checked<S>(end), by = checked<S>(step);
    if (by == 0 && step.to_double() != 0)
      fail(ErrorKind::Value, "step must be nonzero: ", step.to_double(), " is 0 as ", dtype_name(dtype_of_v<T>));
    check_range(from, to, by);
    int64_t n;
    if constexpr (std::is_same_v<T, int64_t>) {
      __int128 exact = (static_cast<__int128>(to) - from + by - (by > 0 ? 1 : -1)) / by;
      check(exact <= std::numeric_limits<int64_t>::max(), "invalid size, possible overflow?");
      n = static_cast<int64_t>(exact);
    } else {
      n = checked_size(std::ceil((end.to_double() - start.to_double()) / step.to_double()));
    }
    Tensor out = Tensor::empty(Dims{n}, dtype_of_v<T>);
    fill_sequence(out.data<T>(), n, from, by);
    return with_options(std::move(out), o);
  });
}
Tensor arange_to(const Scalar& end, const Options& o) { return arange(Scalar(0), end, Scalar(1), o); }

Tensor range(const Scalar& start, const Scalar& end, const Scalar& step, const Options& o) {
  return visit_sequence("range_cpu", o.dtype.value_or(default_dtype()), [&](auto zero) {
    using T = decltype(zero);
    using S = sequence_t<T>;
    S from = checked<S>(start), to = checked<S>(end), by = checked<S>(step);
    check_range(from, to, by);
    int64_t n = checked_size(static_cast<double>((to - from) / by) + 1);
    Tensor out = Tensor::empty(Dims{n}, dtype_of_v<T>);
    fill_sequence(out.data<T>(), n, from, by);
    return with_options(std::move(out), o);
  });
}

// What a spaced sequence of T is computed in, step by step from either end to its middle.
template <class T>
struct Spacing {
  using Step = std::conditional_t<std::is_integral_v<T>, double, T>;
  T start, end;
  Step step;
  int64_t n;

  static Step product(Step a, int64_t i) {
    if constexpr (is_complex_v<T>)
      return a * static_cast<typename T::value_type>(i);
    else
      return cast<Step>(cast<double>(a) * cast<double>(cast<Step>(i)));
  }
  Spacing(const Scalar& from, const Scalar& to, int64_t n)
      : start(checked<T>(from)), end(checked<T>(to)), step(), n(n) {
    if (n < 2) return;
    if constexpr (is_complex_v<T>)
      step = (end - start) / static_cast<typename T::value_type>(n - 1);
    else if constexpr (std::is_integral_v<T>)
      step = (static_cast<double>(end) - static_cast<double>(start)) / static_cast<double>(n - 1);
    else if constexpr (is_small_float<T>)
      step = T(cast<float>(T(cast<float>(end) - cast<float>(start))) / cast<float>(cast<T>(n - 1)));
    else
      step = (end - start) / static_cast<T>(n - 1);
  }
  // Not yet rounded to a small float.
  std::conditional_t<is_small_float<T>, float, Step> operator()(int64_t i) const {
    bool first = i < n / 2 || n == 1;
    int64_t k = first ? i : n - 1 - i;
    if constexpr (is_complex_v<T>) {
      return first ? start + product(step, k) : end - product(step, k);
    } else if constexpr (std::is_same_v<T, float>) {  // exact product, so one rounding as an fma's
      double p = static_cast<double>(step) * static_cast<double>(k);
      return static_cast<float>(first ? start + p : end - p);
    } else if constexpr (is_small_float<T>) {
      auto p = cast<float>(product(step, k));
      return first ? cast<float>(start) + p : cast<float>(end) - p;
    } else {
      return first ? std::fma(step, static_cast<double>(k), static_cast<double>(start))
                   : std::fma(-step, static_cast<double>(k), static_cast<double>(end));
    }
  }
};

DType spaced_dtype(const char* name, const Scalar& start, const Scalar& end, const Options& o) {
  if (!start.is_complex() && !end.is_complex()) return o.dtype.value_or(default_dtype());
  DType inferred = default_complex();
  check(!o.dtype || is_complex_dtype(*o.dtype), "torch.", name, "(): inferred dtype ", cpp_name(inferred),
        " can't be safely cast to passed dtype ", scalar_type_name(o.dtype.value_or(inferred)));
  return o.dtype.value_or(inferred);
}

template <class Value>
Tensor spaced(const char* name, const Scalar& start, const Scalar& end, int64_t steps, const Options& o, Value value) {
  check(steps >= 0, "number of steps must be non-negative, got ", steps);
  DType dtype = spaced_dtype(name, start, end, o);
  Tensor out = Tensor::empty(Dims{steps}, dtype);
  visit_dtype(dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_same_v<T, bool>) {
      not_implemented_for((std::string(name) + "_cpu").c_str(), dtype);
    } else {
      Spacing<T> at(start, end, steps);
      T* data = out.data<T>();
      parallel_for(steps, 8192, [&](int64_t begin, int64_t stop) {
        for (int64_t i = begin; i < stop; ++i) data[i] = cast<T>(value(at(i)));
      });
    }
  });
  return with_options(std::move(out), o);
}

// From both ends to the middle, as Spacing says, by vectors.
template <class T>
void fill_spaced(T* out, int64_t n, T start, T end) {
  const double step = static_cast<double>((end - start) / static_cast<T>(n - 1));
  constexpr bool kExact = sizeof(T) == 4;
  parallel_for_light(n, kGrain / 4, [&](int64_t begin, int64_t stop) {
    const int64_t half = std::clamp(n / 2, begin, stop);
    for (int64_t i = begin; i < half; i += kGrain)
      cpu::copy().ramp(out + i, dtype_of_v<T>, std::min(kGrain, half - i), static_cast<double>(i), 1,
                       static_cast<double>(start), step, kExact);
    for (int64_t i = half; i < stop; i += kGrain)
      cpu::copy().ramp(out + i, dtype_of_v<T>, std::min(kGrain, stop - i), static_cast<double>(n - 1 - i), -1,
                       static_cast<double>(end), -step, kExact);
  });
}

Tensor linspace(const Scalar& start, const Scalar& end, int64_t steps, const Options& o) {
  const DType dtype = steps > 1 ? spaced_dtype("linspace", start, end, o) : DType::I64;
  if (dtype == DType::F32 || dtype == DType::F64) {
    Tensor out = Tensor::empty(Dims{steps}, dtype);
    if (dtype == DType::F32)
      fill_spaced(out.data<float>(), steps, checked<float>(start), checked<float>(end));
    else
      fill_spaced(out.data<double>(), steps, checked<double>(start), checked<double>(end));
    return with_options(std::move(out), o);
  }
  return spaced("linspace", start, end, steps, o, [](auto v) { return v; });
}

Tensor logspace(const Scalar& start, const Scalar& end, int64_t steps, double base, const Options& o) {
  if (steps == 1 && !start.is_complex() && !end.is_complex()) {  // a single number is rounded once, at the end
    const DType dtype = spaced_dtype("logspace", start, end, o);
    return with_options(full(Dims{1}, Scalar(std::pow(base, start.to_double())), dtype), o);
  }
  return spaced("logspace", start, end, steps, o, [base](auto v) {
    using S = decltype(v);
    if constexpr (is_complex_v<S>)
      return std::pow(S(static_cast<typename S::value_type>(base)), v);
    else
      return cast<S>(std::pow(cast<double>(cast<S>(base)), cast<double>(v)));
  });
}

Scalar end_point(const char* name, const Tensor& start, const Tensor& end, const Tensor& which) {
  int64_t a = start.defined() ? start.dim() : 0, b = end.defined() ? end.dim() : 0;
  check(a == 0 && b == 0, name, " only supports 0-dimensional start and end tensors, but got start with ", a,
        " dimension(s) and end with ", b, " dimension(s).");
  return which.item();
}
Tensor linspace_tt(const Tensor& a, const Tensor& b, int64_t steps, const Options& o) {
  return linspace(end_point("linspace", a, b, a), end_point("linspace", a, b, b), steps, o);
}
Tensor linspace_ts(const Tensor& a, const Scalar& b, int64_t steps, const Options& o) {
  return linspace(end_point("linspace", a, {}, a), b, steps, o);
}
Tensor linspace_st(const Scalar& a, const Tensor& b, int64_t steps, const Options& o) {
  return linspace(a, end_point("linspace", {}, b, b), steps, o);
}
Tensor logspace_tt(const Tensor& a, const Tensor& b, int64_t steps, double base, const Options& o) {
  return logspace(end_point("logspace", a, b, a), end_point("logspace", a, b, b), steps, base, o);
}
Tensor logspace_ts(const Tensor& a, const Scalar& b, int64_t steps, double base, const Options& o) {
  return logspace(end_point("logspace", a, {}, a), b, steps, base, o);
}
Tensor logspace_st(const Scalar& a, const Tensor& b, int64_t steps, double base, const Options& o) {
  return logspace(a, end_point("logspace", {}, b, b), steps, base, o);
}

// --- index pairs -----------------------------------------------------------------------------------------------------------

void check_matrix(int64_t rows, int64_t cols) {
  check(rows >= 0, "row must be non-negative, got ", rows);
  check(cols >= 0, "col must be non-negative, got ", cols);
}

// Rows and columns of the entries with columns in [begin(row), end(row)); rows in [first, last) have at least one.
template <class Columns>
Tensor index_pairs(const char* name, int64_t first, int64_t last, const Options& o, Columns columns) {
  if (last - first > int64_t{1} << 33)
    fail(ErrorKind::OutOfMemory, name, "(): a result with at least ", last - first,
         " entries does not fit into memory");
  DType dtype = o.dtype.value_or(DType::I64);
  int64_t n = 0;
  for (int64_t r = first; r < last; ++r) {
    auto [begin, end] = columns(r);
    if (__builtin_add_overflow(n, end - begin, &n))
      fail(ErrorKind::OutOfMemory, name, "(): the result does not fit into memory");
  }
  auto fill = [&](auto zero) {
    using T = decltype(zero);
    Tensor out = Tensor::empty(Dims{2, n}, dtype);
    T* row = out.data<T>();
    T* col = row + n;
    for (int64_t r = first; r < last; ++r) {
      auto [begin, end] = columns(r);
      for (int64_t c = begin; c < end; ++c) *row++ = static_cast<T>(r), *col++ = static_cast<T>(c);
    }
    return with_options(std::move(out), o);
  };
  if (dtype == DType::I64) return fill(int64_t{});
  if (dtype == DType::I32) return fill(int32_t{});
  not_implemented_for(name, dtype);
}

Tensor tril_indices(int64_t rows, int64_t cols, int64_t offset, const Options& o) {
  check_matrix(rows, cols);
  offset = std::clamp(offset, -rows, cols);
  int64_t first = std::max<int64_t>(0, -offset), last = cols ? rows : first;
  return index_pairs("tril_indices", first, std::max(first, last), o,
                     [=](int64_t r) { return std::pair(int64_t{0}, offset >= cols - r ? cols : r + offset + 1); });
}
Tensor triu_indices(int64_t rows, int64_t cols, int64_t offset, const Options& o) {
  check_matrix(rows, cols);
  offset = std::clamp(offset, -rows, cols);
  int64_t last = offset < cols - rows ? rows : cols - offset;
  return index_pairs("triu_indices", 0, last, o,
                     [=](int64_t r) { return std::pair(std::max<int64_t>(r + offset, 0), cols); });
}

// --- windows -----------------------------------------------------------------------------------------------------------------

// shape(i, n): the window's values at the positions i = 0 .. length - 1 of a symmetric window of n points.
template <class Shape>
Tensor window(const char* name, int64_t length, bool periodic, const Options& o, Shape shape) {
  DType dtype = o.dtype.value_or(default_dtype());
  check(is_floating(dtype) || is_complex_dtype(dtype), name,
        " expects floating point dtypes, got: ", dtype_name(dtype));
  check(length >= 0, name, " requires non-negative window_length, got window_length=", length);
  if (length > int64_t{1} << 40)
    fail(ErrorKind::OutOfMemory, name, "(): a window of ", length, " points does not fit into memory");
  Options plain{.dtype = dtype};
  if (length < 2) return filled(Dims{length}, Scalar(1), dtype, o);
  GradModeGuard off(false);
  return with_options(shape(arange_to(Scalar(length), plain), length + periodic), o);
}

Tensor times(const Tensor& t, double factor) { return call<pointwise::Mul>(t, Tensor::wrapped(Scalar(factor))); }
Tensor plus(const Tensor& t, double term) { return call<pointwise::Add>(t, Tensor::wrapped(Scalar(term)), 1); }
Tensor cosine(const Tensor& t) { return call<pointwise::Cos>(t); }

Tensor cosine_window(const char* name, int64_t length, bool periodic, double alpha, double beta, const Options& o) {
  return window(name, length, periodic, o, [=](const Tensor& i, int64_t n) {
    return plus(times(cosine(times(i, 2 * M_PI / static_cast<double>(n - 1))), -beta), alpha);
  });
}
Tensor hann_window(int64_t length, bool periodic, const Options& o) {
  return cosine_window("hann_window", length, periodic, 0.5, 0.5, o);
}
Tensor hamming_window(int64_t length, bool periodic, double alpha, double beta, const Options& o) {
  return cosine_window("hamming_window", length, periodic, alpha, beta, o);
}
Tensor blackman_window(int64_t length, bool periodic, const Options& o) {
  return window("blackman_window", length, periodic, o, [](const Tensor& i, int64_t n) {
    Tensor t = times(i, M_PI / static_cast<double>(n - 1));
    return plus(call<pointwise::Sub>(times(cosine(times(t, 4)), 0.08), times(cosine(times(t, 2)), 0.5), 1), 0.42);
  });
}
Tensor bartlett_window(int64_t length, bool periodic, const Options& o) {
  return window("bartlett_window", length, periodic, o, [](const Tensor& i, int64_t n) {
    Tensor out = times(i, 2.0 / static_cast<double>(n - 1));
    Tensor falling = slice(out, 0, (n - 1) / 2 + 1, std::nullopt);
    copy_data(falling, plus(times(falling, -1), 2));
    return out;
  });
}

// The modified Bessel function of order 0; all terms of its series are positive.
double bessel_i0(double x) {
  double quarter = x * x / 4, term = 1, sum = 1;
  for (int k = 1; term > sum * 1e-17 && std::isfinite(sum); ++k) sum += term *= quarter / (static_cast<double>(k) * k);
  return sum;
}
Tensor kaiser_window(int64_t length, bool periodic, double beta, const Options& o) {
  return window("kaiser_window", length, periodic, o, [beta](const Tensor& i, int64_t n) {
    visit_dtype(i.dtype(), [&](auto zero) {
      using T = decltype(zero);
      if constexpr (std::is_same_v<sequence_t<T>, int64_t> || is_complex_v<T>) {
        not_implemented_for("kaiser_window_cpu", i.dtype());
      } else {
        double scale = 1 / bessel_i0(beta);
        for (int64_t k = 0; k < i.numel(); ++k) {
          double x = static_cast<double>(k) * 2 / static_cast<double>(n - 1) - 1;
          i.data<T>()[k] = cast<T>(bessel_i0(beta * std::sqrt(std::max(0.0, 1 - x * x))) * scale);
        }
      }
    });
    return i;
  });
}

}  // namespace

bool fits(const Scalar& value, DType dtype) {
  constexpr double kFloatMax = std::numeric_limits<float>::max();
  if (dtype == DType::Bool) return true;
  auto fits_float = [](double d) { return !std::isfinite(d) || std::abs(d) <= kFloatMax; };
  std::complex<double> c = value.to_complex();
  if (dtype == DType::C64) return fits_float(c.real()) && fits_float(c.imag());
  if (dtype == DType::C128) return true;
  if (c.imag() != 0) return false;
  if (dtype == DType::F32) return fits_float(c.real());
  if (is_floating(dtype)) return true;
  return visit_dtype(dtype, [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_integral_v<T>) {
      constexpr auto kMax = static_cast<int64_t>(std::numeric_limits<T>::max());
      constexpr int64_t kMin = std::is_unsigned_v<T> ? -kMax : static_cast<int64_t>(std::numeric_limits<T>::min());
      if (value.is_beyond_int64()) return false;
      if (value.is_integral()) return value.to_int() >= kMin && value.to_int() <= kMax;
      // The largest int64 is no double: the first that is above it does not fit.
      return c.real() >= static_cast<double>(kMin) && c.real() < static_cast<double>(kMax) + (sizeof(T) < 8);
    } else {
      return true;
    }
  });
}

void check_fits(const Scalar& value, DType dtype) {
  if (fits(value, dtype)) return;
  auto number = value.is_beyond_int64() ? concat(static_cast<uint64_t>(value.to_int()))
                : value.is_integral()   ? concat(value.to_int())
                : value.is_complex()    ? concat(value.to_complex())
                                        : concat(value.to_double());
  fail(ErrorKind::Runtime, "value cannot be converted to type ", cpp_name(dtype), " without overflow: ", number);
}

Tensor new_like(const Tensor& like, DType dtype, std::optional<MemoryFormat> format) {
  switch (format.value_or(MemoryFormat::Preserve)) {
    case MemoryFormat::Preserve: return Tensor::empty_like(like, dtype);
    case MemoryFormat::Contiguous: return Tensor::empty(like.sizes(), dtype);
    default: return empty_op(like.sizes(), {.dtype = dtype}, format);
  }
}

Tensor arange_int(int64_t n) {
  Tensor out = Tensor::empty(Dims{n}, DType::I64);
  fill_sequence(out.data<int64_t>(), n, 0, 1);
  return out;
}

static const Family family([](Registry& r) {
  constexpr Traits kFunction{.method = false};
  constexpr Traits kMethod{.function = false};
  r.op<&empty_op>("empty.memory_format(int[] size, *, $options, MemoryFormat? memory_format=None) -> Tensor",
                  "A tensor of the given size whose contents are whatever the memory held, in the default float dtype\n"
                  "or the one given. A negative size is a RuntimeError.\n\n"
                  ">>> torch.empty(2, 3).shape\ntorch.Size([2, 3])\n");
  r.op<&empty_strided_op>("empty_strided(int[] size, int[] stride, *, $options) -> Tensor",
                          "A tensor of the given size and strides (in elements) with arbitrary contents.\n\n"
                          ">>> torch.empty_strided((2, 3), (1, 2)).stride()\n(1, 2)\n");
  r.op<&empty_permuted>(
      "empty_permuted(int[] size, int[] physical_layout, *, $options) -> Tensor",
      "A dense tensor with arbitrary contents whose dimensions lie in memory in the given order, outermost\n"
      "first.\n\n"
      ">>> torch.empty_permuted((2, 3), (1, 0)).stride()\n(1, 2)\n");
  r.op<&zeros_op>(
      "zeros(int[] size, *, $options) -> Tensor",
      "A tensor of zeros of the given size, in the default float dtype or the one given. A negative size is\n"
      "a RuntimeError.\n\n"
      ">>> torch.zeros(2, 3)\ntensor([[0., 0., 0.],\n        [0., 0., 0.]])\n");
  r.op<&ones_op>("ones(int[] size, *, $options) -> Tensor",
                 "A tensor of ones of the given size, in the default float dtype or the one given. A negative size is\n"
                 "a RuntimeError.\n\n"
                 ">>> torch.ones(3)\ntensor([1., 1., 1.])\n");
  r.op<&full_op>(
      "full(int[] size, Scalar fill_value, *, $options) -> Tensor",
      "A tensor of the given size with every element equal to fill_value, whose kind gives the dtype (bool,\n"
      "int64, the default float dtype), unless it is given. A negative size is a RuntimeError.\n\n"
      ">>> torch.full((2,), 7)\ntensor([7, 7])\n");
  r.op<&scalar_tensor>("scalar_tensor(Scalar s, *, $options) -> Tensor",
                       "A 0-d tensor of the default float dtype (or the one given) that holds the number s.\n\n"
                       ">>> torch.scalar_tensor(3)\ntensor(3.)\n");
  r.op<&empty_like_op>("empty_like(Tensor self, *, $options, MemoryFormat? memory_format=None) -> Tensor",
                       "A tensor of self's shape and dtype with arbitrary contents.\n\n"
                       ">>> torch.empty_like(torch.ones(2, 3)).shape\ntorch.Size([2, 3])\n",
                       kFunction);
  r.op<&zeros_like_op>("zeros_like(Tensor self, *, $options, MemoryFormat? memory_format=None) -> Tensor",
                       "A tensor of zeros of self's shape and dtype.\n\n"
                       ">>> torch.zeros_like(torch.tensor([1, 2]))\ntensor([0, 0])\n",
                       kFunction);
  r.op<&ones_like_op>(
      "ones_like(Tensor self, *, $options, MemoryFormat? memory_format=None) -> Tensor",
      "A tensor of ones of self's shape and dtype.\n\n"
      ">>> torch.ones_like(torch.tensor([1, 2]), dtype=torch.float64)\ntensor([1., 1.], dtype=torch.float64)\n",
      kFunction);
  r.op<&full_like>("full_like(Tensor self, Scalar fill_value, *, $options, MemoryFormat? memory_format=None) -> Tensor",
                   "A tensor of self's shape and dtype with every element equal to fill_value.\n\n"
                   ">>> torch.full_like(torch.zeros(2, dtype=torch.int64), 7)\ntensor([7, 7])\n",
                   kFunction);
  r.op<&new_empty>("new_empty(Tensor self, int[] size, *, $options) -> Tensor",
                   "A tensor of the given size and self's dtype with arbitrary contents.\n\n"
                   ">>> torch.ones(2, dtype=torch.int8).new_empty(3).dtype\ntorch.int8\n",
                   kMethod);
  r.op<&new_empty_strided>("new_empty_strided(Tensor self, int[] size, int[] stride, *, $options) -> Tensor",
                           "A tensor of the given size and strides, and self's dtype, with arbitrary contents.\n\n"
                           ">>> torch.ones(2).new_empty_strided((2, 2), (1, 2)).stride()\n(1, 2)\n",
                           kMethod);
  r.op<&new_zeros>("new_zeros(Tensor self, int[] size, *, $options) -> Tensor",
                   "A tensor of zeros of the given size and self's dtype.\n\n"
                   ">>> torch.tensor([1]).new_zeros(2)\ntensor([0, 0])\n",
                   kMethod);
  r.op<&new_ones>("new_ones(Tensor self, int[] size, *, $options) -> Tensor",
                  "A tensor of ones of the given size and self's dtype.\n\n"
                  ">>> torch.tensor([True]).new_ones(2)\ntensor([True, True])\n",
                  kMethod);
  r.op<&new_full>("new_full(Tensor self, int[] size, Scalar fill_value, *, $options) -> Tensor",
                  "A tensor of the given size and self's dtype with every element equal to fill_value.\n\n"
                  ">>> torch.tensor([1.]).new_full((2,), 7)\ntensor([7., 7.])\n",
                  kMethod);
  r.op<&eye>("eye(int n, *, $options) -> Tensor",
             "An (n, n) or (n, m) matrix with ones on the diagonal and zeros elsewhere, in the default float dtype\n"
             "or the one given. A negative n is a RuntimeError.\n\n"
             ">>> torch.eye(2)\ntensor([[1., 0.],\n        [0., 1.]])\n");
  r.op<&eye_m>("eye.m(int n, int m, *, $options) -> Tensor");
  r.op<&arange_to>(
      "arange(Scalar end, *, $options) -> Tensor",
      "The numbers start, start + step, ... before end (start 0, step 1): a vector, int64 unless one of\n"
      "them is a float or dtype says otherwise. A step of 0 or in the wrong direction is a RuntimeError.\n\n"
      ">>> torch.arange(1, 7, 2)\ntensor([1, 3, 5])\n");
  r.op<&arange>("arange.start_step(Scalar start, Scalar end, Scalar step=1, *, $options) -> Tensor");
  r.op<&range>("range.step(Scalar start, Scalar end, Scalar step=1, *, $options) -> Tensor",
               "The numbers start, start + step, ... up to and with end. arange(), which leaves out the end as\n"
               "Python's range does, is the usual one.\n\n"
               ">>> torch.arange(1, 4), torch.range(1, 4)\n(tensor([1, 2, 3]), tensor([1., 2., 3., 4.]))\n");
  r.op<&linspace_tt>(
      "linspace.Tensor_Tensor(Tensor start, Tensor end, int steps, *, $options) -> Tensor",
      "A vector of steps evenly spaced numbers from start to end, both included, in the default float dtype\n"
      "or the one given. Negative steps are a RuntimeError.\n\n"
      ">>> torch.linspace(0, 1, 5)\ntensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])\n");
  r.op<&linspace_ts>("linspace.Tensor_Scalar(Tensor start, Scalar end, int steps, *, $options) -> Tensor");
  r.op<&linspace_st>("linspace.Scalar_Tensor(Scalar start, Tensor end, int steps, *, $options) -> Tensor");
  r.op<&linspace>("linspace(Scalar start, Scalar end, int steps, *, $options) -> Tensor");
  r.op<&logspace_tt>(
      "logspace.Tensor_Tensor(Tensor start, Tensor end, int steps, float base=10, *, $options) -> Tensor");
  r.op<&logspace_ts>(
      "logspace.Tensor_Scalar(Tensor start, Scalar end, int steps, float base=10, *, $options) -> Tensor");
  r.op<&logspace_st>(
      "logspace.Scalar_Tensor(Scalar start, Tensor end, int steps, float base=10, *, $options) -> Tensor");
  r.op<&logspace>("logspace(Scalar start, Scalar end, int steps, float base=10, *, $options) -> Tensor",
                  "base to the power of steps evenly spaced exponents from start to end, both included.\n\n"
                  ">>> torch.logspace(0, 3, 4)\ntensor([   1.,   10.,  100., 1000.])\n");
  r.op<&tril_indices>(
      "tril_indices(int row, int col, int offset=0, *, $options) -> Tensor",
      "The rows and columns, as a (2, n) tensor, of the entries on and below the offset-th diagonal of a\n"
      "(row, col) matrix.\n\n"
      ">>> torch.tril_indices(2, 3)\ntensor([[0, 1, 1],\n        [0, 0, 1]])\n");
  r.op<&triu_indices>(
      "triu_indices(int row, int col, int offset=0, *, $options) -> Tensor",
      "The rows and columns, as a (2, n) tensor, of the entries on and above the offset-th diagonal of a\n"
      "(row, col) matrix.\n\n"
      ">>> torch.triu_indices(2, 3)\ntensor([[0, 0, 0, 1, 1],\n        [0, 1, 2, 1, 2]])\n");
  r.op<&hann_window>(
      "hann_window(int window_length, bool periodic=True, *, $options) -> Tensor",
      "The Hann window, 1/2 - 1/2 cos(2 pi i / m), m being window_length, or window_length - 1 unless\n"
      "periodic: the periodic one is for spectra of pieces, the symmetric one for filters. Floating dtypes.\n\n"
      ">>> torch.hann_window(4)\ntensor([0.0000, 0.5000, 1.0000, 0.5000])\n");
  r.op<&hamming_window>(
      "hamming_window(int window_length, bool periodic=True, float alpha=0.54, float beta=0.46, *, $options) -> Tensor",
      "The Hamming window, alpha - beta cos(2 pi i / m); m and dtypes are hann_window()'s.\n\n"
      ">>> torch.hamming_window(4)\ntensor([0.0800, 0.5400, 1.0000, 0.5400])\n");
  r.op<&blackman_window>("blackman_window(int window_length, bool periodic=True, *, $options) -> Tensor",
                         "The Blackman window, 0.42 - 0.5 cos(2 pi i / m) + 0.08 cos(4 pi i / m); m and dtypes are\n"
                         "hann_window()'s.\n\n"
                         ">>> torch.blackman_window(4)[1:]\ntensor([0.3400, 1.0000, 0.3400])\n");
  r.op<&bartlett_window>("bartlett_window(int window_length, bool periodic=True, *, $options) -> Tensor",
                         "The Bartlett window, a triangle: 1 - |2 i / m - 1|; m and dtypes are hann_window()'s.\n\n"
                         ">>> torch.bartlett_window(4)\ntensor([0.0000, 0.5000, 1.0000, 0.5000])\n");
  r.op<&kaiser_window>(
      "kaiser_window(int window_length, bool periodic=True, float beta=12.0, *, $options) -> Tensor",
      "The Kaiser window, I0(beta sqrt(1 - (2 i / m - 1)^2)) / I0(beta); m and dtypes are hann_window()'s.\n\n"
      ">>> torch.kaiser_window(4, True, 6.)\ntensor([0.0149, 0.4830, 1.0000, 0.4830])\n");
});

}  // namespace rl
