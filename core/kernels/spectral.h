// Eigenvalues of Hermitian matrices and singular values, of matrices that fit the caches; float, double and complex.
// Neither errors nor orthogonality depend on how large or small the elements are.
#pragma once

#include <cstdint>

#include "tensor/dtype.h"

namespace rl {

// Of each of `count` matrices a [n, n], of which one triangle is read: the real values [n], ascending, and in the columns
// of vectors [n, n] (unless null) what belongs to them. failed [count]: 1 where an element is not finite.
void find_eigenvalues(DType dtype, const void* a, bool upper, int64_t count, int64_t n, void* values, void* vectors,
                      int32_t* failed);
// Of each of `count` matrices A, given as columns [n, m] with m >= n: the values s [n], descending, and A = U S V^H in
// u [m, width] and vh [n, n] (unless null). adjoint: u becomes U^H [width, m] and vh V [n, n].
void find_singular_values(DType dtype, const void* columns, int64_t count, int64_t m, int64_t n, void* s, void* u,
                          int64_t width, void* vh, bool adjoint, int32_t* failed);

}  // namespace rl
