"""Factorizations: cholesky, qr, eigenvalues, singular values, lu."""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight._results import result_type
from rushlight.linalg import _functions as functions
from rushlight.linalg._tools import (
    LinAlgError,
    adjoint,
    batch_text,
    check_matrix,
    check_square,
    deliver,
    first_failure,
    recorded,
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


def cholesky(A: Any, *, upper: bool = False, out: Any = None) -> Any:
    """The lower triangular L with A = L L^H (or, with upper, U with A = U^H U), of a Hermitian positive-definite A.

    Raises:
        LinAlgError: A is not positive-definite.

    >>> L = torch.linalg.cholesky(torch.tensor([[4., 2.], [2., 5.]]))
    >>> L, L @ L.T
    (tensor([[2., 0.],
            [1., 2.]]), tensor([[4., 2.],
            [2., 5.]]))

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.cholesky.html
    """
    check_square(A, "linalg.cholesky")
    return deliver(cholesky_ex(A, upper=upper, check_errors=True).L, out)


def cholesky_ex(A: Any, *, upper: bool = False, check_errors: bool = False, out: Any = None) -> Any:
    """`cholesky` that reports failure in `info` instead of raising (unless check_errors).

    info (int32, one for each matrix) is 0, or the order of the first leading minor that is not positive-definite; there
    that L stops.

    >>> torch.linalg.cholesky_ex(torch.tensor([[1., 2.], [2., 1.]])).info
    tensor(2, dtype=torch.int32)
    """
    check_square(A, "linalg.cholesky")
    lower = adjoint(A) if upper else A
    L, info = functions.Cholesky.apply(lower) if recorded(A) else _C._linalg_cholesky(lower)
    failed = first_failure(info) if check_errors else None
    if failed:
        raise LinAlgError(
            f"linalg.cholesky: {batch_text(A, failed.matrix)}The factorization could not be completed because the input "
            f"is not positive-definite (the leading minor of order {failed.info} is not positive-definite)."
        )
    return deliver(_Cholesky(adjoint(L) if upper else L, info), out)


def qr(A: Any, mode: str = "reduced", *, out: Any = None) -> Any:
    """A = Q R with orthonormal columns in Q and upper triangular R.

    Args:
        mode: "reduced", "complete", or "r" (R alone; Q is empty and there is no gradient).

    >>> A = torch.tensor([[3., 1.], [4., 2.]])
    >>> Q, R = torch.linalg.qr(A)
    >>> torch.allclose(Q @ R, A, atol=1e-6), R[1, 0].item()
    (True, 0.0)

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.qr.html
    """
    check_matrix(A, "linalg.qr")
    if mode not in ("reduced", "complete", "r"):
        raise RuntimeError(
            f"qr received unrecognized mode '{mode}' but expected one of 'reduced' (default), 'r', or 'complete'"
        )
    if not recorded(A):
        found = _C._linalg_qr(A, mode == "complete", mode == "r")
    elif mode == "r":
        raise RuntimeError(
            "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use "
            "linalg.qr(A, mode='reduced') if you are going to differentiate through linalg.qr."
        )
    else:
        found = functions.QR.apply(A, mode == "complete")
    return deliver(_QR(*found), out)


def _symmetric(UPLO: str) -> Any:
    if UPLO.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {UPLO}")
    return UPLO.upper()


def eigh(A: Any, UPLO: str = "L", *, out: Any = None) -> Any:
    """Eigenvalues in ascending order and orthonormal eigenvectors of a Hermitian A; only one triangle is read.

    >>> values, vectors = torch.linalg.eigh(torch.tensor([[2., 1.], [1., 2.]]))
    >>> values.round(decimals=3)
    tensor([1., 3.])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.eigh.html
    """
    check_square(A, "linalg.eigh")
    compute = functions.Eigh.apply if recorded(A) else functions.eigh
    return deliver(_Eigh(*compute(A, _symmetric(UPLO))), out)


def eigvalsh(A: Any, UPLO: str = "L", *, out: Any = None) -> Any:
    """The eigenvalues that `eigh` gives.

    >>> torch.linalg.eigvalsh(torch.tensor([[2., 1.], [1., 2.]])).round(decimals=3)
    tensor([1., 3.])
    """
    check_square(A, "linalg.eigvalsh")
    return deliver(eigenvalues(A, _symmetric(UPLO)), out)


def eigenvalues(A: Any, uplo: str) -> Any:
    """Of a Hermitian matrix."""
    return (functions.Eigh.apply(A, uplo) if recorded(A) else functions.eigh(A, uplo, False))[0]


def eig(A: Any, *, out: Any = None) -> Any:
    """Eigenvalues and eigenvectors (complex) of any square A.

    >>> values, vectors = torch.linalg.eig(torch.tensor([[0., -1.], [1., 0.]]))
    >>> values.imag.abs()
    tensor([1., 1.])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.eig.html
    """
    check_square(A, "linalg.eig")
    return deliver(_Eig(*functions.Eig.apply(A)), out)


def eigvals(A: Any, *, out: Any = None) -> Any:
    """The eigenvalues that `eig` gives.

    >>> torch.linalg.eigvals(torch.tensor([[2., 0.], [0., 3.]])).real.sort().values
    tensor([2., 3.])
    """
    check_square(A, "linalg.eigvals")
    return deliver(functions.Eig.apply(A)[0] if recorded(A) else functions.eig(A, False)[0], out)


def svd(A: Any, full_matrices: bool = True, *, driver: str | None = None, out: Any = None) -> Any:
    """A = U diag(S) Vh with the singular values in descending order.

    Args:
        full_matrices: square U and Vh; otherwise only as many columns and rows as there are singular values.
        driver: chooses among CUDA's; there is none to choose here.

    >>> U, S, Vh = torch.linalg.svd(torch.tensor([[3., 0.], [4., 5.]]))
    >>> S, torch.allclose(U @ torch.diag(S) @ Vh, torch.tensor([[3., 0.], [4., 5.]]), atol=1e-5)
    (tensor([6.7082, 2.2361]), True)

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.svd.html
    """
    check_matrix(A, "linalg.svd")
    _check_driver("svd", driver)
    compute = functions.SVD.apply if recorded(A) else functions.svd
    return deliver(_SVD(*compute(A, full_matrices)), out)


def _check_driver(name: str, driver: Any) -> None:
    if driver is not None:
        raise RuntimeError(
            f"torch.linalg.{name}: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend."
        )


def singular_values(A: Any) -> Any:
    """Of any matrix, in descending order."""
    return (functions.SVD.apply(A, False) if recorded(A) else functions.svd(A, False, False))[1]


def svdvals(A: Any, *, driver: str | None = None, out: Any = None) -> Any:
    """The singular values in descending order.

    >>> torch.linalg.svdvals(torch.tensor([[3., 0.], [4., 5.]]))
    tensor([6.7082, 2.2361])
    """
    check_matrix(A, "linalg.svdvals")
    _check_driver("svdvals", driver)
    return deliver(singular_values(A), out)


def legacy_svd(A: Any, some: bool, compute_uv: bool, out: Any = None) -> Any:
    """`torch.svd`."""
    if not compute_uv:
        m, n = A.shape[-2:]
        U, S, V = A.new_zeros((*A.shape[:-2], m, m)), svdvals(A), A.new_zeros((*A.shape[:-2], n, n))
    else:
        U, S, Vh = svd(A, not some)
        V = adjoint(Vh)
    return deliver(_LegacySVD(U, S, V), out)


def lu_factor_ex(A: Any, *, pivot: bool = True, check_errors: bool = False, out: Any = None) -> Any:
    """The compact LU factors of A, the pivots (from 1) and, per matrix, the first zero pivot (0: none).

    >>> torch.linalg.lu_factor_ex(torch.zeros(2, 2)).info
    tensor(1, dtype=torch.int32)
    """
    check_matrix(A, "linalg.lu_factor_ex")
    return _lu_factored(A, pivot, "lu_factor_ex" if check_errors else None, out)


def _lu_factored(A: Any, pivot: bool, checked: str | None, out: Any = None) -> Any:
    if not pivot:
        raise RuntimeError("linalg.lu_factor: LU without pivoting is not implemented on the CPU")
    factors, pivots, info = _C._linalg_lu(A)
    failed = first_failure(info) if checked else None
    if failed:
        raise RuntimeError(
            f"torch.linalg.{checked}: {batch_text(A, failed.matrix)}U[{failed.info},{failed.info}] is zero and using it "
            "on lu_solve would result in a division by zero. If you still want to perform the factorization, consider "
            "calling linalg.lu(A, pivot) or linalg.lu_factor_ex(A, pivot)"
        )
    if recorded(A):
        factors = functions.LU.apply(A, factors, permutation(pivots, A.shape[-2], A.dtype))
    return deliver(_LUFactorEx(factors, pivots, info), out)


def lu_factor(A: Any, *, pivot: bool = True, out: Any = None) -> Any:
    """The compact LU factors of A and the pivots (from 1), for `lu_solve`.

    >>> LU, pivots = torch.linalg.lu_factor(torch.tensor([[1., 2.], [3., 4.]]))
    >>> pivots
    tensor([2, 2], dtype=torch.int32)
    """
    check_matrix(A, "linalg.lu_factor")
    LU, pivots, _ = _lu_factored(A, pivot, "lu_factor")
    return deliver(_LUFactor(LU, pivots), out)


def permutation(pivots: Any, rows: int, dtype: Any) -> Any:
    """The matrix P of A = P L U."""
    order = _C._linalg_row_order(pivots, rows).unsqueeze(-2)
    return _C.zeros(*pivots.shape[:-1], rows, rows, dtype=dtype).scatter(-2, order, 1)


def lu(A: Any, *, pivot: bool = True, out: Any = None) -> Any:
    """A = P L U with a permutation P, unit lower triangular L and upper triangular U.

    >>> P, L, U = torch.linalg.lu(torch.tensor([[1., 2.], [3., 4.]]))
    >>> torch.allclose(P @ L @ U, torch.tensor([[1., 2.], [3., 4.]]))
    True
    """
    check_matrix(A, "linalg.lu")
    LU, pivots, _ = _lu_factored(A, pivot, None)
    m, n = A.shape[-2:]
    k = min(m, n)
    L = LU[..., :k].tril(-1) + _C.eye(m, k, dtype=A.dtype)
    return deliver(_LU(permutation(pivots, m, A.dtype), L, LU[..., :k, :].triu()), out)


def check_reflections(A: Any, tau: Any, name: str) -> None:
    """That tau are factors of the reflections in A."""
    if tau.shape[-1] > A.shape[-1]:
        raise RuntimeError(f"{name}: input.shape[-1] must be greater than or equal to tau.shape[-1]")
    if tau.dim() != A.dim() - 1:
        raise RuntimeError(
            f"{name}: Expected tau to have one dimension less than input, but got tau.ndim equal to {tau.dim()} and "
            f"input.ndim is equal to {A.dim()}"
        )
    if tau.shape[:-1] != A.shape[:-2]:
        raise RuntimeError(
            f"{name}: Expected batch dimensions of tau to be equal to input.shape[:-2], but got {list(tau.shape[:-1])}"
        )
    if tau.dtype != A.dtype:
        raise RuntimeError(f"{name}: tau dtype {tau.dtype} does not match input dtype {A.dtype}")


def householder_product(A: Any, tau: Any, *, out: Any = None) -> Any:
    """The first columns of the product of Householder reflections I - tau v v^H, v below the diagonal of A.

    >>> h, tau = torch.geqrf(torch.tensor([[3., 1.], [4., 2.]]))
    >>> q = torch.linalg.householder_product(h, tau)
    >>> torch.allclose(q.T @ q, torch.eye(2), atol=1e-6)
    True
    """
    name = "torch.linalg.householder_product"
    check_matrix(A, name, "input")
    m, n = A.shape[-2:]
    if m < n:
        raise RuntimeError(f"{name}: input.shape[-2] must be greater than or equal to input.shape[-1]")
    check_reflections(A, tau, name)
    if not recorded(A, tau):
        return deliver(_C._linalg_householder_product(A, tau), out)
    Q = _C.eye(m, n, dtype=A.dtype).expand(*A.shape[:-2], m, n)
    for k in range(tau.shape[-1] - 1, -1, -1):
        below = A[..., k + 1 :, k]
        head = [_C.zeros_like(A[..., :k, k]), _C.ones_like(A[..., k : k + 1, k])]
        v = _C.cat([*head, below], -1).unsqueeze(-1)
        Q = Q - tau[..., k, None, None] * (v @ (v.mH @ Q))
    if tau.shape[-1] == 0:  # no reflection, but a function of A still
        Q = _C.where(_C.zeros((), dtype=_C.bool), A, Q)
    return deliver(Q, out)
