// Factorizations of matrices and triangular systems, each in place on adjacent rows; float, double and complex.
#pragma once

#include <cstdint>

#include "runtime/cpu.h"
#include "tensor/dtype.h"

namespace rl::cpu {

struct FactorTable {
  // a [n, n]: its lower triangle becomes the L of A = L L^H; above it is rubble. Returns the order of the first leading
  // minor that is not positive definite, where it stops, or 0.
  int64_t (*cholesky)(DType dtype, void* a, int64_t n);
  // a [rows, columns]: L (ones on its diagonal) below and U above, A = P L U. Step i exchanged the rows i and
  // pivots[i] - 1. Returns the number of the first zero on U's diagonal, or 0.
  int64_t (*lu)(DType dtype, void* a, int64_t rows, int64_t columns, int32_t* pivots);
  // b [n, columns] becomes the X of A X = B; of a [n, n] one triangle is read. unit: its diagonal counts as ones.
  void (*solve)(DType dtype, const void* a, int64_t n, void* b, int64_t columns, bool upper, bool unit);
};
RL_AVX2_TABLE(FactorTable, factor)

}  // namespace rl::cpu
