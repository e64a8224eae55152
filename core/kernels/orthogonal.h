// QR by Householder's reflections, on matrices of adjacent rows; float, double and complex.
#pragma once

#include <cstdint>

#include "tensor/dtype.h"

namespace rl {

// Each of `count` matrices a [rows, columns] becomes R, on and above its diagonal, and below it the vectors of the
// reflections whose factors are tau [min(rows, columns)], as LAPACK leaves them.
void factor_qr(DType dtype, void* a, int64_t count, int64_t rows, int64_t columns, void* tau);
// c [rows, width] becomes Q c (adjoint: Q^H c): Q is the product of the `reflections` first reflections of
// a [rows, columns]. fresh: c is not read, it counts as the identity's first columns.
void apply_reflections(DType dtype, const void* a, int64_t count, int64_t rows, int64_t columns, const void* tau,
                       int64_t reflections, void* c, int64_t width, bool adjoint, bool fresh);

}  // namespace rl
