// Element types: their storage types in C++, their names and sizes, and PyTorch's promotion lattice.
#pragma once

#include <bit>
#include <complex>
#include <cstdint>
#include <type_traits>

namespace rl {

// The order is PyTorch's ScalarType order for the types we have.
enum class DType : uint8_t { U8, I8, I16, I32, I64, F16, F32, F64, C64, C128, Bool, BF16 };
inline constexpr int kDTypeCount = 12;

inline uint32_t float_bits(float f) { return std::bit_cast<uint32_t>(f); }
inline float bits_float(uint32_t u) { return std::bit_cast<float>(u); }

// IEEE binary16, round to nearest even; branch-free in both directions so that loops vectorise.
struct Half {
  uint16_t bits = 0;
  Half() = default;
  explicit Half(float f) : bits(encode(f)) {}
  explicit operator float() const { return decode(bits); }
  static uint16_t encode(float f);
  static float decode(uint16_t h);
};

// bfloat16: the upper half of a float32, round to nearest even, NaN kept quiet.
struct BFloat16 {
  uint16_t bits = 0;
  BFloat16() = default;
  explicit BFloat16(float f) : bits(encode(f)) {}
  explicit operator float() const { return bits_float(static_cast<uint32_t>(bits) << 16); }
  static uint16_t encode(float f) {
    uint32_t u = float_bits(f);
    uint32_t rounded = (u + 0x7FFFu + ((u >> 16) & 1u)) >> 16;
    return (u & 0x7FFFFFFFu) > 0x7F800000u ? uint16_t{0x7FC0} : static_cast<uint16_t>(rounded);
  }
};

inline uint16_t Half::encode(float f) {
  uint32_t u = float_bits(f);
  uint32_t sign = (u >> 16) & 0x8000u;
  uint32_t a = u & 0x7FFFFFFFu;
  // Normal range: add the rounding bias, rebias the exponent. Subnormal: let the float adder do the rounding.
  uint32_t normal = (a + 0xC8000FFFu + ((a >> 13) & 1u)) >> 13;
  uint32_t subnormal = float_bits(bits_float(a) + 0.5f) - 0x3F000000u;
  uint32_t r = a < 0x38800000u ? subnormal : normal;
  r = a >= 0x477FF000u ? 0x7C00u : r;
  r = a > 0x7F800000u ? 0x7E00u : r;
  return static_cast<uint16_t>(sign | r);
}

inline float Half::decode(uint16_t h) {
  uint32_t sign = static_cast<uint32_t>(h & 0x8000u) << 16;
  uint32_t magnitude = static_cast<uint32_t>(h & 0x7FFFu) << 13;
  // Multiplying by 2^112 rebiases the exponent and normalises subnormals in one exact step.
  float scaled = bits_float(magnitude) * 0x1p112f;
  uint32_t r = (h & 0x7C00u) == 0x7C00u ? (magnitude | 0x7F800000u) : float_bits(scaled);
  return bits_float(sign | r);
}

using Complex64 = std::complex<float>;
using Complex128 = std::complex<double>;

template <DType D> struct storage_of;
template <> struct storage_of<DType::U8> {
  using type = uint8_t;
};
template <> struct storage_of<DType::I8> {
  using type = int8_t;
};
template <> struct storage_of<DType::I16> {
  using type = int16_t;
};
template <> struct storage_of<DType::I32> {
  using type = int32_t;
};
template <> struct storage_of<DType::I64> {
  using type = int64_t;
};
template <> struct storage_of<DType::F16> {
  using type = Half;
};
template <> struct storage_of<DType::F32> {
  using type = float;
};
template <> struct storage_of<DType::F64> {
  using type = double;
};
template <> struct storage_of<DType::C64> {
  using type = Complex64;
};
template <> struct storage_of<DType::C128> {
  using type = Complex128;
};
template <> struct storage_of<DType::Bool> {
  using type = bool;
};
template <> struct storage_of<DType::BF16> {
  using type = BFloat16;
};
template <DType D> using storage_t = typename storage_of<D>::type;

template <class T> inline constexpr DType dtype_of_v = DType::F32;
template <> inline constexpr DType dtype_of_v<uint8_t> = DType::U8;
template <> inline constexpr DType dtype_of_v<int8_t> = DType::I8;
template <> inline constexpr DType dtype_of_v<int16_t> = DType::I16;
template <> inline constexpr DType dtype_of_v<int32_t> = DType::I32;
template <> inline constexpr DType dtype_of_v<int64_t> = DType::I64;
template <> inline constexpr DType dtype_of_v<Half> = DType::F16;
template <> inline constexpr DType dtype_of_v<float> = DType::F32;
template <> inline constexpr DType dtype_of_v<double> = DType::F64;
template <> inline constexpr DType dtype_of_v<Complex64> = DType::C64;
template <> inline constexpr DType dtype_of_v<Complex128> = DType::C128;
template <> inline constexpr DType dtype_of_v<bool> = DType::Bool;
template <> inline constexpr DType dtype_of_v<BFloat16> = DType::BF16;

template <class T> struct is_complex : std::false_type {};
template <class T> struct is_complex<std::complex<T>> : std::true_type {};
template <class T> inline constexpr bool is_complex_v = is_complex<T>::value;

inline constexpr int kItemSize[kDTypeCount] = {1, 1, 2, 4, 8, 2, 4, 8, 8, 16, 1, 2};
inline constexpr int item_size(DType d) { return kItemSize[static_cast<int>(d)]; }

inline constexpr const char* kDTypeName[kDTypeCount] = {"uint8",     "int8",       "int16",   "int32",
                                                        "int64",     "float16",    "float32", "float64",
                                                        "complex64", "complex128", "bool",    "bfloat16"};
// PyTorch's C++ names, which its error messages use ("not implemented for 'Long'").
inline constexpr const char* kScalarTypeName[kDTypeCount] = {"Byte",         "Char",          "Short", "Int",
                                                             "Long",         "Half",          "Float", "Double",
                                                             "ComplexFloat", "ComplexDouble", "Bool",  "BFloat16"};
inline constexpr const char* dtype_name(DType d) { return kDTypeName[static_cast<int>(d)]; }
inline constexpr const char* scalar_type_name(DType d) { return kScalarTypeName[static_cast<int>(d)]; }

inline constexpr bool is_complex_dtype(DType d) { return d == DType::C64 || d == DType::C128; }
inline constexpr bool is_floating(DType d) {
  return d == DType::F16 || d == DType::F32 || d == DType::F64 || d == DType::BF16;
}
inline constexpr bool is_integral(DType d, bool include_bool = true) {
  return static_cast<int>(d) <= static_cast<int>(DType::I64) || (include_bool && d == DType::Bool);
}
inline constexpr bool is_differentiable(DType d) { return is_floating(d) || is_complex_dtype(d); }
inline constexpr DType real_of(DType d) { return d == DType::C64 ? DType::F32 : d == DType::C128 ? DType::F64 : d; }
inline constexpr DType complex_of(DType d) { return d == DType::F64 || d == DType::C128 ? DType::C128 : DType::C64; }

DType promote(DType a, DType b);  // torch.promote_types

// Calls f(T{}) with the storage type of d.
template <class F>
inline auto visit_dtype(DType d, F&& f) {
  switch (d) {
    case DType::U8: return f(uint8_t{});
    case DType::I8: return f(int8_t{});
    case DType::I16: return f(int16_t{});
    case DType::I32: return f(int32_t{});
    case DType::I64: return f(int64_t{});
    case DType::F16: return f(Half{});
    case DType::F32: return f(float{});
    case DType::F64: return f(double{});
    case DType::C64: return f(Complex64{});
    case DType::C128: return f(Complex128{});
    case DType::Bool: return f(bool{});
    default: return f(BFloat16{});
  }
}

}  // namespace rl
