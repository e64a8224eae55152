// Householder's reflections H = I - tau v v^H, v[0] = 1, over adjacent vectors.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/complex_parts.h"
#include "tensor/dtype.h"

namespace rl {
namespace {

// Memory for arrays of any kind of number, made once.
class Workspace {
 public:
  explicit Workspace(int64_t bytes) : memory_(static_cast<size_t>(bytes / 16 + 64)) {}
  template <class T>
  T* take(int64_t count) {
    T* taken = reinterpret_cast<T*>(memory_.data() + used_);
    used_ += (static_cast<size_t>(count) * sizeof(T) + 15) / 16;
    return taken;
  }

 private:
  struct alignas(16) Line {
    std::byte bytes[16];
  };
  std::vector<Line> memory_;
  size_t used_ = 0;
};

template <class F>
void with_type(DType dtype, F f) {
  switch (dtype) {
    case DType::F32: return f(float{});
    case DType::F64: return f(double{});
    case DType::C64: return f(Complex64{});
    default: return f(Complex128{});
  }
}

template <class T>
double largest_part(const T* x, int64_t n) {
  double most = 0;
  for (int64_t i = 0; i < n; ++i) {
    const double parts[] = {std::fabs(static_cast<double>(std::real(x[i]))),
                            std::fabs(static_cast<double>(std::imag(x[i])))};
    for (double part : parts)
      if (part > most || std::isnan(part)) most = part;
  }
  return most;
}

template <class T>
double squares(const T* x, int64_t n, double unit) {
  double sums[4] = {};
  const auto* parts = reinterpret_cast<const RealOf<T>*>(x);
  const int64_t count = n * static_cast<int64_t>(sizeof(T) / sizeof(RealOf<T>));
  int64_t i = 0;
  for (; i + 4 <= count; i += 4)
    for (int64_t l = 0; l < 4; ++l) {
      const double part = static_cast<double>(parts[i + l]) * unit;
      sums[l] += part * part;
    }
  for (; i < count; ++i) {
    const double part = static_cast<double>(parts[i]) * unit;
    sums[0] += part * part;
  }
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

template <class T>
struct Reflection {
  T tau;
  double beta;
};

// x becomes the v of the H with H^H x = beta e_0; signs and tau as LAPACK's. Where x is such a multiple already, H = I.
template <class T>
Reflection<T> reflect(T* x, int64_t n) {
  using R = RealOf<T>;
  double unit = 1, tail = squares(x + 1, n - 1, 1), re = std::real(x[0]), im = std::imag(x[0]);
  double whole = re * re + im * im + tail;
  constexpr double tiny = 1e-280, huge = 1e280;  // beyond them squares lose what matters
  if (!(tail > tiny && whole < huge)) {
    const double of_tail = largest_part(x + 1, n - 1);
    if (of_tail == 0 && im == 0) {
      x[0] = 1;
      return {T(0), re};
    }
    const double most = std::fmax(largest_part(x, 1), of_tail);
    if (most < std::numeric_limits<double>::infinity() && !std::isnan(of_tail)) {
      unit = std::ldexp(1.0, -std::max(std::ilogb(most), -1000));
      tail = squares(x + 1, n - 1, unit), re *= unit, im *= unit;
      whole = re * re + im * im + tail;
    }
  }
  const double beta = -std::copysign(std::sqrt(whole), re);
  Reflection<T> made;
  x[0] = 1;
  if constexpr (std::is_floating_point_v<T>) {
    made.tau = static_cast<T>((beta - re) / beta);
    const double by = 1 / (re - beta);
    for (int64_t i = 1; i < n; ++i) x[i] = static_cast<T>(static_cast<double>(x[i]) * unit * by);
  } else {
    made.tau = {static_cast<R>((beta - re) / beta), static_cast<R>(-im / beta)};
    const double below = (re - beta) * (re - beta) + im * im;
    const std::complex<double> by{(re - beta) / below, -im / below};
    for (int64_t i = 1; i < n; ++i) {
      const auto v = times(std::complex<double>(x[i].real() * unit, x[i].imag() * unit), by);
      x[i] = {static_cast<R>(v.real()), static_cast<R>(v.imag())};
    }
  }
  made.beta = beta / unit;
  return made;
}

}  // namespace
}  // namespace rl
