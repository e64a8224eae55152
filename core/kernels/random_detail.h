// What the files of random fills share.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <vector>

#include "kernels/random.h"
#include "kernels/random_table.h"
#include "runtime/error.h"
#include "runtime/parallel.h"

namespace rl::random::detail {

inline constexpr int64_t kChunk = 2048;        // values per block of work that stays in the first-level cache
inline constexpr int64_t kHeavyChunk = 65536;  // for distributions whose arithmetic is worth sharing among threads
inline constexpr int64_t kHeavyGrain = 2048;

template <class T> struct compute_of {
  using type = T;
};
template <> struct compute_of<Half> {
  using type = float;
};
template <> struct compute_of<BFloat16> {
  using type = float;
};
template <class T> using compute_t = typename compute_of<T>::type;

template <class T> inline constexpr bool is_small_float = std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>;
template <class T> inline constexpr bool is_float = std::is_floating_point_v<T> || is_small_float<T>;

template <class T>
inline constexpr int kDigits = std::is_same_v<T, Half>       ? 11
                               : std::is_same_v<T, BFloat16> ? 8
                                                             : std::numeric_limits<compute_t<T>>::digits;

// Small floats are reached from double or int64 by way of float, with both roundings.
template <class T, class V> inline T to(V value) {
  if constexpr (is_small_float<T>) {
    return T(static_cast<float>(value));
  } else if constexpr (std::is_same_v<T, bool>) {
    return value != V{0};
  } else {
    return static_cast<T>(value);
  }
}

[[noreturn]] inline void not_implemented(const char* name, DType dtype) {
  fail(ErrorKind::NotImplemented, '"', name, "\" not implemented for '", scalar_type_name(dtype), "'");
}

// Calls f(T{}) for the floating dtypes; any other is not implemented under the given name.
template <class F> void visit_floating(DType dtype, const char* name, F&& f) {
  visit_dtype(dtype, [&](auto zero) {
    if constexpr (is_float<decltype(zero)>) {
      f(zero);
    } else {
      not_implemented(name, dtype);
    }
  });
}

template <class F> void visit_real(DType dtype, const char* name, F&& f) {
  visit_dtype(dtype, [&](auto zero) {
    if constexpr (is_complex_v<decltype(zero)>) {
      not_implemented(name, dtype);
    } else {
      f(zero);
    }
  });
}

inline double u53(const uint32_t* words) {
  uint64_t bits = static_cast<uint64_t>(words[0] & 0x1FFFFFu) << 32 | words[1];
  return static_cast<double>(bits) * 0x1p-53;
}

inline float u24(uint32_t word) { return static_cast<float>(word & 0xFFFFFFu) * 0x1p-24f; }

// body(words, begin, count) over [0, n) in chunks, with `per` words drawn for each value.
template <int per, int64_t chunk = kChunk, class Body> void draw(int64_t n, Generator& g, Body&& body) {
  alignas(64) uint32_t words[per * chunk];
  for (int64_t begin = 0; begin < n; begin += chunk) {
    int64_t count = std::min(chunk, n - begin);
    g.fill_u32(words, per * count);
    body(static_cast<const uint32_t*>(words), begin, count);
  }
}

// out[i] = f(u) for a 53-bit uniform u, the arithmetic shared among threads.
template <class T, class F> void transform_u53(T* out, int64_t n, Generator& g, F&& f) {
  if (n <= kChunk) {
    draw<2>(n, g, [&](const uint32_t* words, int64_t begin, int64_t count) {
      for (int64_t i = 0; i < count; ++i) out[begin + i] = to<T>(f(u53(words + 2 * i)));
    });
    return;
  }
  std::vector<uint32_t> words(static_cast<size_t>(2 * std::min(n, kHeavyChunk)));
  for (int64_t begin = 0; begin < n; begin += kHeavyChunk) {
    int64_t count = std::min(kHeavyChunk, n - begin);
    g.fill_u32(words.data(), 2 * count);
    parallel_for(count, kHeavyGrain, [&](int64_t from, int64_t until) {
      for (int64_t i = from; i < until; ++i) out[begin + i] = to<T>(f(u53(words.data() + 2 * i)));
    });
  }
}

}  // namespace rl::random::detail
