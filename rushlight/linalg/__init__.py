"""Linear algebra with gradients, under the names of `torch.linalg`: Cholesky, LU, QR, triangular systems, and eigen- and
singular values of matrices that are not large are the core's, other eigenproblems NumPy's LAPACK.

Matrices are the last two axes, (..., m, n); the axes before them are a batch, and results have them too. float32,
float64, complex64 and complex128: other dtypes are a RuntimeError, and so are matrices that should be square and
are not. What an algorithm cannot do (a singular matrix has no inverse) is a `LinAlgError` that names the matrix of
the batch; the functions ending in _ex say it in `info`.
"""

from __future__ import annotations

from rushlight._autocast import in_float32 as _in_float32
from rushlight._errors import LinAlgError
from rushlight._missing import module_getattr
from rushlight.linalg._decompositions import (
    cholesky,
    cholesky_ex,
    eig,
    eigh,
    eigvals,
    eigvalsh,
    householder_product,
    legacy_svd,
    lu,
    lu_factor,
    lu_factor_ex,
    qr,
    svd,
    svdvals,
)
from rushlight.linalg._norms import cond, cross, diagonal, matmul, matrix_norm, norm, vander, vecdot, vector_norm
from rushlight.linalg._solvers import (
    cholesky_solve,
    det,
    inv,
    inv_ex,
    lstsq,
    lu_solve,
    matrix_exp,
    matrix_power,
    matrix_rank,
    multi_dot,
    pinv,
    slogdet,
    solve,
    solve_ex,
    solve_triangular,
    tensorinv,
    tensorsolve,
)
from rushlight.linalg._symmetric import ldl_factor, ldl_factor_ex, ldl_solve

__all__ = [
    "LinAlgError",
    "cholesky",
    "cholesky_ex",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "householder_product",
    "inv",
    "inv_ex",
    "ldl_factor",
    "ldl_factor_ex",
    "ldl_solve",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_factor_ex",
    "lu_solve",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_ex",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "vander",
    "vecdot",
    "vector_norm",
]


_PRIVATE = (cholesky_solve, legacy_svd)  # what torch.cholesky_solve and torch.svd are made of

# What is computed in float and wider; the others are made of products and sums, which autocast knows.
_PRODUCTS = {"cross", "diagonal", "matmul", "matrix_power", "multi_dot", "norm", "vander", "vecdot", "vector_norm"}
for _name in ({*__all__} - _PRODUCTS - {"LinAlgError"}) | {one.__name__ for one in _PRIVATE}:
    globals()[_name] = _in_float32(globals()[_name])


__getattr__ = module_getattr(__name__)
