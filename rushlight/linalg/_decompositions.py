"""Factorizations: cholesky, qr, eigenvalues, singular values, lu."""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight._results import result_type
from rushlight.linalg import _functions as functions
from rushlight.linalg._tools import (
    LinAlgError,
    adjoint,
    array,
    batch_text,
    check_matrix,
    check_square,
    deliver,
    tensor,
)

_Cholesky = result_type("linalg_cholesky_ex", "L", "info")
_QR = result_type("linalg_qr", "Q", "R")
_Eigh = result_type("linalg_eigh", "eigenvalues", "eigenvectors")
_Eig = result_type("linalg_eig", "eigenvalues", "eigenvectors")
_SVD = result_type("linalg_svd", "U", "S", "Vh")
_LegacySVD = result_type("svd", "U", "S", "V")
_LU = result_type("linalg_lu", "P", "L", "U")
_LUFactor = result_type("linalg_lu_factor", "LU", "pivots")
_LUFactorEx = result_type("linalg_lu_factor_ex", "LU", "pivots", "info")


def _cholesky_failure(A: Any) -> str:
    """Which leading minor of which matrix is not positive definite."""
    import numpy as np

    a = array(A)
    for index, matrix in enumerate(a.reshape(-1, *a.shape[-2:])):
        for order in range(1, matrix.shape[-1] + 1):
            try:
                np.linalg.cholesky(matrix[:order, :order])
            except np.linalg.LinAlgError:
                return (
                    f"linalg.cholesky: {batch_text(A, index)}The factorization could not be completed because the "
                    f"input is not positive-definite (the leading minor of order {order} is not positive-definite)."
                )
    return "linalg.cholesky: The factorization could not be completed because the input is not positive-definite."


def cholesky(A: Any, *, upper: bool = False, out: Any = None) -> Any:
    """The lower triangular L with A = L L^H (or, with upper, U with A = U^H U), of a Hermitian positive-definite A.

    Raises:
        LinAlgError: A is not positive-definite.

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.cholesky.html
    """
    check_square(A, "linalg.cholesky")
    lower = adjoint(A) if upper else A
    try:
        L = functions.Cholesky.apply(lower, "not positive-definite")
    except LinAlgError:
        raise LinAlgError(_cholesky_failure(lower)) from None
    return deliver(adjoint(L) if upper else L, out)


def cholesky_ex(A: Any, *, upper: bool = False, check_errors: bool = False, out: Any = None) -> Any:
    """`cholesky` that reports failure in `info` instead of raising (unless check_errors)."""
    check_square(A, "linalg.cholesky")
    info = _C.zeros(A.shape[:-2], dtype=_C.int32)
    try:
        return deliver(_Cholesky(cholesky(A, upper=upper), info), out)
    except LinAlgError:
        if check_errors:
            raise
        return deliver(_Cholesky(_C.full_like(A.detach(), float("nan")), info + 1), out)


def qr(A: Any, mode: str = "reduced", *, out: Any = None) -> Any:
    """A = Q R with orthonormal columns in Q and upper triangular R.

    Args:
        mode: "reduced", "complete", or "r" (R alone; Q is empty and there is no gradient).

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.qr.html
    """
    check_matrix(A, "linalg.qr")
    if mode == "r":
        import numpy as np

        if A.requires_grad and _C._is_grad_enabled():
            raise RuntimeError("linalg.qr: the derivative is not implemented when mode='r'. Use 'reduced' instead")
        return deliver(_QR(_C.empty(0, dtype=A.dtype), tensor(np.linalg.qr(array(A), "r"))), out)
    if mode not in ("reduced", "complete"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    return deliver(_QR(*functions.QR.apply(A, mode)), out)


def _symmetric(A: Any, UPLO: str) -> Any:
    if UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    return UPLO.upper()


def eigh(A: Any, UPLO: str = "L", *, out: Any = None) -> Any:
    """Eigenvalues in ascending order and orthonormal eigenvectors of a Hermitian A; only one triangle is read.

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.eigh.html
    """
    check_square(A, "linalg.eigh")
    return deliver(_Eigh(*functions.Eigh.apply(A, _symmetric(A, UPLO))), out)


def eigvalsh(A: Any, UPLO: str = "L", *, out: Any = None) -> Any:
    """The eigenvalues that `eigh` gives."""
    check_square(A, "linalg.eigvalsh")
    return deliver(functions.Eigh.apply(A, _symmetric(A, UPLO))[0], out)


def eig(A: Any, *, out: Any = None) -> Any:
    """Eigenvalues and eigenvectors (complex) of any square A.

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.eig.html
    """
    check_square(A, "linalg.eig")
    return deliver(_Eig(*functions.Eig.apply(A)), out)


def eigvals(A: Any, *, out: Any = None) -> Any:
    """The eigenvalues that `eig` gives."""
    check_square(A, "linalg.eigvals")
    return deliver(functions.Eig.apply(A)[0], out)


def svd(A: Any, full_matrices: bool = True, *, driver: str | None = None, out: Any = None) -> Any:
    """A = U diag(S) Vh with the singular values in descending order.

    Args:
        full_matrices: square U and Vh; otherwise only as many columns and rows as there are singular values.
        driver: accepted; it chooses among CUDA's.

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.svd.html
    """
    check_matrix(A, "linalg.svd")
    return deliver(_SVD(*functions.SVD.apply(A, full_matrices)), out)


def svdvals(A: Any, *, driver: str | None = None, out: Any = None) -> Any:
    """The singular values in descending order."""
    check_matrix(A, "linalg.svdvals")
    return deliver(functions.SVD.apply(A, False)[1], out)


def legacy_svd(A: Any, some: bool, compute_uv: bool) -> Any:
    """`torch.svd`."""
    U, S, Vh = svd(A, not some)
    if not compute_uv:
        m, n = A.shape[-2:]
        return _LegacySVD(A.new_zeros((*A.shape[:-2], m, m)), S, A.new_zeros((*A.shape[:-2], n, n)))
    return _LegacySVD(U, S, adjoint(Vh))


def _factor(matrix: Any) -> tuple[Any, int]:
    """Partial pivoting in place: the pivots from 1, and the number of the first zero pivot (or 0)."""
    import numpy as np

    rows, columns = matrix.shape
    count = min(rows, columns)
    pivots, info = np.empty(count, dtype=np.int32), 0
    for k in range(count):
        p = k + int(np.argmax(np.abs(matrix[k:, k].real) + np.abs(matrix[k:, k].imag)))
        pivots[k] = p + 1
        if p != k:
            matrix[[k, p]] = matrix[[p, k]]
        if matrix[k, k] == 0:
            info = info or k + 1
        elif k + 1 < rows:
            matrix[k + 1 :, k] /= matrix[k, k]
            matrix[k + 1 :, k + 1 :] -= np.outer(matrix[k + 1 :, k], matrix[k, k + 1 :])
    return pivots, info


def lu_factor_ex(A: Any, *, pivot: bool = True, check_errors: bool = False, out: Any = None) -> Any:
    """The compact LU factors of A, the pivots (from 1) and, per matrix, the first zero pivot (0: none)."""
    import numpy as np

    check_matrix(A, "linalg.lu_factor_ex")
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")
    a = array(A).copy()
    m, n = a.shape[-2:]
    pivots = np.empty((*a.shape[:-2], min(m, n)), dtype=np.int32)
    info = np.empty(a.shape[:-2], dtype=np.int32)
    for index in np.ndindex(*a.shape[:-2]):
        pivots[index], info[index] = _factor(a[index])
    if check_errors and info.any():
        raise LinAlgError("torch.linalg.lu_factor_ex: U has a zero on its diagonal: the matrix is singular")
    factors, swaps = tensor(a), tensor(pivots)
    if A.requires_grad and _C.is_grad_enabled():
        factors = functions.LU.apply(A, factors, permutation(swaps, m, A.dtype))
    return deliver(_LUFactorEx(factors, swaps, tensor(info)), out)


def lu_factor(A: Any, *, pivot: bool = True, out: Any = None) -> Any:
    """The compact LU factors of A and the pivots (from 1), for `lu_solve`."""
    LU, pivots, _ = lu_factor_ex(A, pivot=pivot)
    return deliver(_LUFactor(LU, pivots), out)


def permutation(pivots: Any, rows: int, dtype: Any) -> Any:
    """The matrix P of A = P L U."""
    import numpy as np

    p = array(pivots)
    matrices = np.zeros((*p.shape[:-1], rows, rows))
    for index in np.ndindex(*p.shape[:-1]):
        order = list(range(rows))
        for k, at in enumerate(p[index]):
            order[k], order[at - 1] = order[at - 1], order[k]
        ones = (*index, order, range(rows))
        matrices[ones] = 1
    return tensor(matrices).to(dtype)


def lu(A: Any, *, pivot: bool = True, out: Any = None) -> Any:
    """A = P L U with a permutation P, unit lower triangular L and upper triangular U."""
    LU, pivots = lu_factor(A, pivot=pivot)
    m, n = A.shape[-2:]
    k = min(m, n)
    L = LU[..., :k].tril(-1) + _C.eye(m, k, dtype=A.dtype)
    return deliver(_LU(permutation(pivots, m, A.dtype), L, LU[..., :k, :].triu()), out)


def householder_product(A: Any, tau: Any, *, out: Any = None) -> Any:
    """The first columns of the product of Householder reflections I - tau v v^H, v below the diagonal of A."""
    check_matrix(A, "torch.linalg.householder_product", "input")
    m, n = A.shape[-2:]
    Q = _C.eye(m, n, dtype=A.dtype).expand(*A.shape[:-2], m, n)
    for k in range(tau.shape[-1] - 1, -1, -1):
        below = A[..., k + 1 :, k]
        head = [_C.zeros_like(A[..., :k, k]), _C.ones_like(A[..., k : k + 1, k])]
        v = _C.cat([*head, below], -1).unsqueeze(-1)
        Q = Q - tau[..., k, None, None] * (v @ (v.mH @ Q))
    if tau.shape[-1] == 0:  # no reflection, but a function of A still
        Q = _C.where(_C.zeros((), dtype=_C.bool), A, Q)
    return deliver(Q, out)
