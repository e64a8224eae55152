// What factorizations do to adjacent elements of rows and columns; float, double and complex.
#pragma once

#include <cstdint>

#include "runtime/cpu.h"
#include "tensor/dtype.h"

namespace rl::cpu {

template <class T>
struct LineLoops {
  T (*dot)(const T* a, const T* b, int64_t n);  // the sum of conj(a) b
  // to += by * from, and to += a * x + b * y
  void (*add)(T* to, T by, const T* from, int64_t n);
  void (*add_two)(T* to, T a, const T* x, T b, const T* y, int64_t n);
  // `count` columns, `step` apart, of n elements: each is multiplied by I - tau v v^H.
  void (*reflect)(const T* v, T tau, T* columns, int64_t step, int64_t count, int64_t n);
  // `count` rotations, by cosines c and sines s, of rows of n elements: of the first and the one `step` on, of that and
  // the next, ...
  void (*turn)(T* first, int64_t step, int64_t n, const double* c, const double* s, int64_t count);
};

struct LineTable {
  LineLoops<float> f32;
  LineLoops<double> f64;
  LineLoops<Complex64> c64;
  LineLoops<Complex128> c128;
};
RL_AVX2_TABLE(LineTable, lines)

template <class T>
const LineLoops<T>& lines_of() {
  if constexpr (std::is_same_v<T, float>) return lines().f32;
  if constexpr (std::is_same_v<T, double>) return lines().f64;
  if constexpr (std::is_same_v<T, Complex64>) return lines().c64;
  if constexpr (std::is_same_v<T, Complex128>) return lines().c128;
}

}  // namespace rl::cpu
