#include "kernels/random.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "kernels/random_detail.h"

namespace rl::random {
namespace {

using namespace detail;

template <class T>
constexpr const char* kCppName = std::is_same_v<T, Half>       ? "c10::Half"
                                 : std::is_same_v<T, BFloat16> ? "c10::BFloat16"
                                 : std::is_same_v<T, float>    ? "float"
                                 : std::is_same_v<T, double>   ? "double"
                                 : std::is_same_v<T, bool>     ? "bool"
                                 : std::is_same_v<T, uint8_t>  ? "unsigned char"
                                 : std::is_same_v<T, int8_t>   ? "signed char"
                                 : std::is_same_v<T, int16_t>  ? "short"
                                 : std::is_same_v<T, int32_t>  ? "int"
                                                               : "long";

template <class T> constexpr double max_of() {
  if constexpr (std::is_same_v<T, Half>) return 65504.0;
  if constexpr (std::is_same_v<T, BFloat16>) return 0x1.FEp127;
  return static_cast<double>(std::numeric_limits<compute_t<T>>::max());
}

void widen_complex(Out& out) {
  if (!is_complex_dtype(out.dtype)) return;
  out.dtype = real_of(out.dtype);
  out.n *= 2;
}

// ---- normal ----

// The algorithm for fewer than 16 values and for tensors that are not contiguous.
template <class T> void normal_serial(T* out, int64_t n, double mean, double std, Generator& g) {
  for (int64_t i = 0; i < n; ++i) out[i] = to<T>(std::fma(g.next_normal(), std, mean));
}

void normal_block_f64(const uint32_t* words, double* out, double mean, double std) {
  constexpr double kTwoPi = 6.283185307179586;
  for (int k = 0; k < 8; ++k) {
    double radius = std::sqrt(-2.0 * std::log(1.0 - u53(words + 2 * k)));
    double theta = kTwoPi * u53(words + 2 * (k + 8));
    out[k] = std::fma(radius * std::cos(theta), std, mean);
    out[k + 8] = std::fma(radius * std::sin(theta), std, mean);
  }
}

// Blocks of 16 values. A last incomplete block is redrawn whole, over the last 16 values.
void normal_vector(double* out, int64_t n, double mean, double std, Generator& g) {
  int64_t whole = n / 16;
  std::vector<uint32_t> words(static_cast<size_t>(2 * std::min(n, kHeavyChunk)));
  for (int64_t begin = 0; begin < whole; begin += kHeavyChunk / 16) {
    int64_t blocks = std::min(kHeavyChunk / 16, whole - begin);
    g.fill_u32(words.data(), 32 * blocks);
    parallel_for(blocks, kHeavyGrain / 16, [&](int64_t from, int64_t until) {
      for (int64_t b = from; b < until; ++b) normal_block_f64(words.data() + 32 * b, out + 16 * (begin + b), mean, std);
    });
  }
  if (int64_t rest = n % 16) {
    uint32_t last[32];
    g.fill_u32(last, 2 * rest);  // drawn and dropped
    g.fill_u32(last, 32);
    normal_block_f64(last, out + n - 16, mean, std);
  }
}

void normal_vector(float* out, int64_t n, float mean, float std, Generator& g) {
  auto fill = cpu::random().normal_f32;
  draw<1>(n / 16 * 16, g,
          [&](const uint32_t* words, int64_t begin, int64_t count) { fill(words, out + begin, count, mean, std); });
  if (int64_t rest = n % 16) {
    uint32_t last[16];
    g.fill_u32(last, rest);  // drawn and dropped
    g.fill_u32(last, 16);
    fill(last, out + n - 16, 16, mean, std);
  }
}

template <class T>
  requires is_small_float<T>
void normal_vector(T* out, int64_t n, float mean, float std, Generator& g) {
  auto fill = cpu::random().normal_f32;
  float values[kChunk];
  draw<1>(n / 16 * 16, g, [&](const uint32_t* words, int64_t begin, int64_t count) {
    fill(words, values, count, mean, std);
    for (int64_t i = 0; i < count; ++i) out[begin + i] = T(values[i]);
  });
  if (n % 16) {
    uint32_t last[16];
    g.fill_u32(last, 16);
    fill(last, values, 16, mean, std);
    for (int i = 0; i < 16; ++i) out[n - 16 + i] = T(values[i]);
  }
}

template <class T> void normal_any(const Out& out, double mean, double std, Generator& g) {
  auto* data = static_cast<T*>(out.data);
  if (out.n >= 16 && out.contiguous) {
    normal_vector(data, out.n, static_cast<compute_t<T>>(mean), static_cast<compute_t<T>>(std), g);
  } else {
    normal_serial(data, out.n, mean, std, g);
  }
}

// ---- integers ----

// x % divisor for 32-bit x by two multiplications (D. Lemire, O. Kaser, N. Kurz, 2019).
class Modulo {
 public:
  explicit Modulo(uint32_t divisor) : divisor_(divisor), magic_(~uint64_t{0} / divisor + 1) {}
  uint32_t operator()(uint32_t x) const {
    uint64_t low = magic_ * x;
    return static_cast<uint32_t>((static_cast<unsigned __int128>(low) * divisor_) >> 64);
  }

 private:
  uint64_t divisor_, magic_;
};

template <class T> void fill_modulo(T* out, int64_t n, uint64_t range, int64_t base, Generator& g) {
  auto ubase = static_cast<uint64_t>(base);
  if (range < (uint64_t{1} << 28)) {
    Modulo modulo(static_cast<uint32_t>(range));
    draw<1>(n, g, [&](const uint32_t* words, int64_t begin, int64_t count) {
      for (int64_t i = 0; i < count; ++i) out[begin + i] = to<T>(static_cast<int64_t>(modulo(words[i]) + ubase));
    });
    return;
  }
  draw<2>(n, g, [&](const uint32_t* words, int64_t begin, int64_t count) {
    for (int64_t i = 0; i < count; ++i) {
      uint64_t u = static_cast<uint64_t>(words[2 * i]) << 32 | words[2 * i + 1];
      out[begin + i] = to<T>(static_cast<int64_t>(u % range + ubase));
    }
  });
}

template <class T> void check_bound(int64_t value, const char* name) {
  bool inside;
  if constexpr (is_float<T>) {
    inside = std::abs(static_cast<double>(value)) <= max_of<T>();
  } else {
    inside = std::in_range<int64_t>(std::numeric_limits<T>::max()) &&
             value >= static_cast<int64_t>(std::numeric_limits<T>::lowest()) &&
             value <= static_cast<int64_t>(std::numeric_limits<T>::max());
  }
  check(inside, name, " is out of bounds for ", kCppName<T>);
}

template <> void check_bound<bool>(int64_t value, const char* name) {
  check(value == 0 || value == 1, name, " is out of bounds for ", kCppName<bool>);
}

// PyTorch moves bounds that a floating type cannot hold inwards, by one unit of the type at their magnitude.
template <class T> int64_t unit_at(int64_t value) {
  int log2 = 63 - std::countl_zero(static_cast<uint64_t>(std::max<int64_t>(std::abs(value), 1)));
  return int64_t{1} << std::max(log2 - kDigits<T> + 1, 0);
}
template <class T> int64_t rounded(int64_t value) {
  auto v = static_cast<double>(static_cast<compute_t<T>>(to<T>(value)));
  return v >= 0x1p63 ? std::numeric_limits<int64_t>::min() : static_cast<int64_t>(v);  // as the x86 conversion
}
template <class T> int64_t inner_from(int64_t from) {
  int64_t next = rounded<T>(from + 1);
  return next < from ? next + unit_at<T>(from + 1) : from;
}
template <class T> int64_t inner_to(int64_t to_value) {
  int64_t last = rounded<T>(to_value - 1);
  return last >= to_value ? last - unit_at<T>(to_value - 1) : to_value;
}

}  // namespace

void fill_strided(DType dtype, void* data, int ndim, const int64_t* sizes, const int64_t* strides,
                  const std::function<void(Out)>& fill) {
  int64_t n = 1;
  std::vector<std::pair<int64_t, int64_t>> dims;  // (stride, size), outermost first
  for (int d = 0; d < ndim; ++d) {
    n *= sizes[d];
    if (sizes[d] != 1) dims.emplace_back(strides[d], sizes[d]);
  }
  if (n == 0) return fill({dtype, data, 0, true});
  auto is_packed = [&] {
    int64_t expected = 1;
    for (size_t d = dims.size(); d-- > 0;) {
      if (dims[d].first != expected) return false;
      expected *= dims[d].second;
    }
    return true;
  };
  bool contiguous = is_packed();
  std::stable_sort(dims.begin(), dims.end(), [](auto& a, auto& b) { return a.first > b.first; });
  if (contiguous || is_packed()) return fill({dtype, data, n, contiguous});

  auto item = static_cast<size_t>(item_size(dtype));
  std::vector<std::byte> packed(static_cast<size_t>(n) * item);
  fill({dtype, packed.data(), n, false});
  std::vector<int64_t> index(dims.size(), 0);
  auto* target = static_cast<std::byte*>(data);
  int64_t offset = 0;
  for (int64_t i = 0; i < n; ++i) {
    std::memcpy(target + offset * static_cast<int64_t>(item), packed.data() + static_cast<size_t>(i) * item, item);
    for (size_t d = dims.size(); d-- > 0;) {
      offset += dims[d].first;
      if (++index[d] < dims[d].second) break;
      offset -= dims[d].first * dims[d].second;
      index[d] = 0;
    }
  }
}

void uniform(Out out, double from, double to_value, Generator& g) {
  widen_complex(out);
  visit_floating(out.dtype, "check_uniform_bounds", [&](auto zero) {
    using T = decltype(zero);
    using C = compute_t<T>;
    double max = max_of<T>();
    check(from >= -max && from <= max, "from is out of bounds for ", kCppName<T>);
    check(to_value >= -max && to_value <= max, "to is out of bounds for ", kCppName<T>);
    check(from <= to_value, "uniform_ expects to return a [from, to) range, but found from=", from, " > to=", to_value);
    check(to_value - from <= max, "uniform_ expects to-from <= std::numeric_limits<", scalar_type_name(out.dtype),
          ">::max(), but found to=", to_value, " and from=", from, " which result in to-from to exceed the limit");
    auto low = static_cast<C>(from), high = static_cast<C>(to_value);
    std::lock_guard lock(g.mutex());
    auto* data = static_cast<T*>(out.data);
    if constexpr (std::is_same_v<T, double>) {
      draw<2>(out.n, g, [&](const uint32_t* words, int64_t begin, int64_t count) {
        cpu::random().uniform_f64(words, data + begin, count, low, high - low, high);
      });
    } else {
      draw<1>(out.n, g, [&](const uint32_t* words, int64_t begin, int64_t count) {
        if constexpr (std::is_same_v<T, float>) {
          cpu::random().uniform_f32(words, data + begin, count, low, high - low, high);
        } else {
          float values[kChunk];
          auto end = static_cast<float>(T(high));
          constexpr float kNever = std::numeric_limits<float>::quiet_NaN();  // the end is compared after rounding
          cpu::random().uniform_f32(words, values, count, low, high - low, kNever);
          for (int64_t i = 0; i < count; ++i) {
            T value(values[i]);
            data[begin + i] = static_cast<float>(value) == end ? T(low) : value;
          }
        }
      });
    }
  });
}

void normal(Out out, double mean, double std, Generator& g) {
  check(std >= 0, "normal expects std >= 0.0, but found std ", std);
  if (is_complex_dtype(out.dtype)) std /= std::sqrt(2.0);
  widen_complex(out);
  std::lock_guard lock(g.mutex());
  visit_floating(out.dtype, "normal_kernel_cpu", [&](auto zero) { normal_any<decltype(zero)>(out, mean, std, g); });
}

void normal_each(Out out, const void* means, double mean, const void* stds, double std, Generator& g) {
  visit_floating(out.dtype, "normal_kernel_cpu", [&](auto zero) {
    using T = decltype(zero);
    using C = compute_t<T>;
    auto* data = static_cast<T*>(out.data);
    auto* m = static_cast<const T*>(means);
    auto* s = static_cast<const T*>(stds);
    if (s) {
      check(std::none_of(s, s + out.n, [](T v) { return static_cast<C>(v) < 0; }),
            "normal expects all elements of std >= 0.0");
    } else {
      check(std >= 0, "normal expects std >= 0.0, but found std ", std);
    }
    {
      std::lock_guard lock(g.mutex());
      normal_any<T>(out, 0, s ? 1 : std, g);
    }
    C shift = static_cast<C>(to<T>(mean));
    for (int64_t i = 0; i < out.n; ++i) {
      if (s) data[i] = T(static_cast<C>(data[i]) * static_cast<C>(s[i]));
      data[i] = T(static_cast<C>(data[i]) + (m ? static_cast<C>(m[i]) : shift));
    }
  });
}

void random_range(Out out, int64_t from, std::optional<int64_t> to_value, Generator& g) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
  check(!is_complex_dtype(out.dtype), "check_random_bounds handles only integral, floating-point and boolean types");
  std::lock_guard lock(g.mutex());
  visit_real(out.dtype, "random_from_to", [&](auto zero) {
    using T = decltype(zero);
    auto* data = static_cast<T*>(out.data);
    if (!to_value && from == kMin) {
      check(out.n == 0 || out.dtype == DType::I64 || out.dtype == DType::F64 || out.dtype == DType::F32 ||
                out.dtype == DType::BF16,
            "random_full_64_bits_range_kernel_cpu handles only int64, double, float and bfloat16");
      draw<2>(out.n, g, [&](const uint32_t* words, int64_t begin, int64_t count) {
        for (int64_t i = 0; i < count; ++i) {
          uint64_t u = static_cast<uint64_t>(words[2 * i]) << 32 | words[2 * i + 1];
          data[begin + i] = to<T>(static_cast<int64_t>(u));
        }
      });
      return;
    }
    int64_t low = from, last;  // both ends included
    if (to_value) {
      check(from < *to_value, "random_ expects 'from' to be less than 'to', but got from=", from, " >= to=", *to_value);
      int64_t high = *to_value;
      if constexpr (is_float<T>) {
        low = inner_from<T>(from);
        high = inner_to<T>(high);
        check(low < high,
              "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, but got from=", low,
              " >= to=", high);
      }
      check_bound<T>(low, "from");
      check_bound<T>(high - 1, "to - 1");
      last = high - 1;
    } else {
      if constexpr (is_float<T>) {
        last = int64_t{1} << kDigits<T>;
        low = inner_from<T>(from);
        check(low < last,
              "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' casted to dtype, but got "
              "from=",
              low, " > to_inc=", last);
      } else {
        last = static_cast<int64_t>(std::numeric_limits<T>::max());
      }
      check_bound<T>(low, "from");
    }
    fill_modulo(data, out.n, static_cast<uint64_t>(last) - static_cast<uint64_t>(low) + 1, low, g);
  });
}

void random_full(Out out, Generator& g) {
  std::lock_guard lock(g.mutex());
  visit_real(out.dtype, "random_kernel_cpu", [&](auto zero) {
    using T = decltype(zero);
    auto* data = static_cast<T*>(out.data);
    if constexpr (std::is_same_v<T, int64_t> || std::is_same_v<T, double>) {
      constexpr uint64_t kRange = std::is_same_v<T, double> ? (uint64_t{1} << 53) + 1 : uint64_t{1} << 63;
      draw<2>(out.n, g, [&](const uint32_t* words, int64_t begin, int64_t count) {
        for (int64_t i = 0; i < count; ++i) {
          uint64_t u = static_cast<uint64_t>(words[2 * i]) << 32 | words[2 * i + 1];
          data[begin + i] = to<T>(u % kRange);
        }
      });
    } else {
      constexpr uint64_t kRange = std::is_same_v<T, bool> ? 2
                                  : is_float<T>           ? (uint64_t{1} << kDigits<T>)+1
                                                          : uint64_t{1} << kDigits<T>;
      draw<1>(out.n, g, [&](const uint32_t* words, int64_t begin, int64_t count) {
        for (int64_t i = 0; i < count; ++i) data[begin + i] = to<T>(static_cast<int64_t>(words[i] % kRange));
      });
    }
  });
}

void randperm(Out out, Generator& g) {
  int64_t n = out.n;
  visit_real(out.dtype, "randperm", [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_same_v<T, bool>) {
      not_implemented("randperm", DType::Bool);
    } else {
      if constexpr (is_float<T>) {
        int64_t limit = (int64_t{1} << kDigits<T>)+1;
        check(n <= limit || out.dtype == DType::BF16, "n cannot be greater than ", limit, " for ",
              scalar_type_name(dtype_of_v<T>), " type.");
      } else {
        check(std::in_range<T>(n), "value cannot be converted to type ", dtype_name(out.dtype),
              "_t without overflow: ", n);
      }
      auto* data = static_cast<T*>(out.data);
      std::lock_guard lock(g.mutex());
      if (n >= std::numeric_limits<uint32_t>::max() / 20) {
        for (int64_t i = 0; i < n; ++i) {
          auto z = static_cast<int64_t>(g.next_u64() % static_cast<uint64_t>(i + 1));
          data[i] = to<T>(i);
          data[i] = std::exchange(data[z], to<T>(i));
        }
        return;
      }
      for (int64_t i = 0; i < n; ++i) data[i] = to<T>(i);
      draw<1>(n - 1, g, [&](const uint32_t* words, int64_t begin, int64_t count) {
        for (int64_t i = 0; i < count; ++i) {
          std::swap(data[begin + i], data[begin + i + words[i] % static_cast<uint32_t>(n - begin - i)]);
        }
      });
    }
  });
}

}  // namespace rl::random
