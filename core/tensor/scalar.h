// A Python number on its way into an op: bool, int, float or complex.
#pragma once

#include <complex>

#include "runtime/error.h"
#include "tensor/dtype.h"

namespace rl {

class Scalar {
 public:
  enum class Kind : uint8_t { Bool, Int, Float, Complex };

  Scalar() : kind_(Kind::Int), i_(0), imag_(0) {}
  Scalar(bool b) : kind_(Kind::Bool), i_(b), imag_(0) {}
  Scalar(int i) : kind_(Kind::Int), i_(i), imag_(0) {}
  Scalar(int64_t i) : kind_(Kind::Int), i_(i), imag_(0) {}
  Scalar(double d) : kind_(Kind::Float), d_(d), imag_(0) {}
  // 2^63 to 2^64 - 1: an integer whose bits wrap in an integer dtype and whose value counts in all others.
  static Scalar beyond_int64(uint64_t u) {
    Scalar s(static_cast<int64_t>(u));
    s.imag_ = 1;
    return s;
  }
  Scalar(std::complex<double> c) : kind_(Kind::Complex), d_(c.real()), imag_(c.imag()) {}

  Kind kind() const { return kind_; }
  bool is_bool() const { return kind_ == Kind::Bool; }
  bool is_integral() const { return kind_ <= Kind::Int; }
  bool is_float() const { return kind_ == Kind::Float; }
  bool is_complex() const { return kind_ == Kind::Complex; }
  bool is_beyond_int64() const { return kind_ == Kind::Int && imag_ != 0; }

  double to_double() const {
    if (kind_ > Kind::Int) return d_;
    return imag_ != 0 ? static_cast<double>(static_cast<uint64_t>(i_)) : static_cast<double>(i_);
  }
  int64_t to_int() const { return kind_ <= Kind::Int ? i_ : static_cast<int64_t>(d_); }
  bool to_bool() const { return kind_ <= Kind::Int ? i_ != 0 : (d_ != 0 || imag_ != 0); }
  std::complex<double> to_complex() const { return {to_double(), kind_ == Kind::Complex ? imag_ : 0.0}; }

  template <class T>
  T to() const {
    if constexpr (std::is_same_v<T, bool>) {
      return to_bool();
    } else if constexpr (is_complex_v<T>) {
      return T(to_complex());
    } else if constexpr (std::is_integral_v<T>) {
      return static_cast<T>(to_int());
    } else if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
      return static_cast<T>(to_double());
    } else {
      return T(static_cast<float>(to_double()));
    }
  }
  // Writes the value, converted, as one element of the given type.
  void store(DType dtype, void* where) const {
    visit_dtype(dtype, [&](auto zero) { *static_cast<decltype(zero)*>(where) = to<decltype(zero)>(); });
  }
  static Scalar load(DType dtype, const void* where) {
    return visit_dtype(dtype, [&](auto zero) -> Scalar {
      using T = decltype(zero);
      if constexpr (std::is_same_v<T, bool>) return Scalar(*static_cast<const uint8_t*>(where) != 0);  // as it was left
      const T& v = *static_cast<const T*>(where);
      if constexpr (std::is_integral_v<T>) {
        return Scalar(static_cast<int64_t>(v));
      } else if constexpr (is_complex_v<T>) {
        return Scalar(std::complex<double>(v.real(), v.imag()));
      } else if constexpr (std::is_same_v<T, double>) {
        return Scalar(v);
      } else {
        return Scalar(static_cast<double>(static_cast<float>(v)));
      }
    });
  }

 private:
  Kind kind_;
  union {
    int64_t i_;
    double d_;
  };
  double imag_;
};

}  // namespace rl
