"""The older names of factorizations and solvers, and singular values by random projection."""

from __future__ import annotations

from typing import Any

from rushlight import _C, linalg
from rushlight._composite import composite
from rushlight._composite.shapes import broadcast_shapes
from rushlight._results import result_type
from rushlight._switches import warn_of_older_name
from rushlight.linalg._decompositions import check_reflections, permutation
from rushlight.linalg._tools import recorded

_LUUnpack = result_type("lu_unpack", "P", "L", "U")
_TriangularSolve = result_type("triangular_solve", "solution", "cloned_coefficient")
_Geqrf = result_type("geqrf", "a", "tau")


def _deliver(result: Any, out: Any) -> Any:
    if out is None:
        return result
    if isinstance(result, tuple):
        return type(result)(*(_C._write_out(target, value) for target, value in zip(out, result)))  # type: ignore[call-arg]
    return _C._write_out(out, result)


@composite("lu(Tensor self, bool pivot=True, bool get_infos=False) -> (Tensor, Tensor)")
def lu(A: Any, pivot: bool = True, get_infos: bool = False, out: Any = None) -> Any:
    """The older `linalg.lu_factor`.

    Returns:
        The compact factors, the pivots (from 1) and, if asked for, whether each matrix is singular.

    >>> LU, pivots = torch.linalg.lu_factor(torch.tensor([[1., 2.], [3., 4.]]))
    >>> pivots
    tensor([2, 2], dtype=torch.int32)

    Reference: https://pytorch.org/docs/stable/generated/torch.lu.html
    """
    warn_of_older_name(
        "lu", "lu_factor", "torch.linalg.lu_factor(A), or torch.linalg.lu_factor_ex(A) for get_infos=True"
    )
    whole = linalg.lu_factor_ex(A, pivot=pivot)
    made = whole if get_infos else tuple(whole[:2])
    if out is not None:
        for target, value in zip(out, made):
            _C._write_out(target, value)
        return out
    return made


@composite("lu_solve(Tensor self, Tensor LU_data, Tensor LU_pivots) -> Tensor")
def lu_solve(b: Any, LU_data: Any, LU_pivots: Any, *, out: Any = None) -> Any:
    """The older `linalg.lu_solve`: x with A x = b, from the factors of A.

    >>> LU, pivots = torch.linalg.lu_factor(torch.tensor([[2., 0.], [0., 4.]]))
    >>> torch.lu_solve(torch.tensor([[2.], [8.]]), LU, pivots)
    tensor([[1.],
            [2.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.lu_solve.html
    """
    return _deliver(linalg.lu_solve(LU_data, LU_pivots, b), out)


@composite(
    "lu_unpack(Tensor LU_data, Tensor LU_pivots, bool unpack_data=True, bool unpack_pivots=True) -> (Tensor P, Tensor L, Tensor U)",
    method=False,
)
def lu_unpack(
    LU_data: Any, LU_pivots: Any, unpack_data: bool = True, unpack_pivots: bool = True, *, out: Any = None
) -> Any:
    """The matrices P, L and U with A = P L U, from what `linalg.lu_factor` gives.

    >>> A = torch.tensor([[1., 2.], [3., 4.]])
    >>> P, L, U = torch.lu_unpack(*torch.linalg.lu_factor(A))
    >>> torch.allclose(P @ L @ U, A)
    True

    Reference: https://pytorch.org/docs/stable/generated/torch.lu_unpack.html
    """
    if LU_pivots.dtype is not _C.int32:
        raise RuntimeError(
            "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype. "
            "Note: this function is intended to be used with the output produced by torch.linalg.lu_factor"
        )
    m, n = LU_data.shape[-2:]
    k = min(m, n)
    P = L = U = _C.empty(0, dtype=LU_data.dtype)
    if unpack_data:
        L = LU_data[..., :, :k].tril(-1) + _C.eye(m, k, dtype=LU_data.dtype)
        U = LU_data[..., :k, :].triu()
    if unpack_pivots:
        P = permutation(LU_pivots, m, LU_data.dtype)
    return _deliver(_LUUnpack(P, L, U), out)


@composite(
    "triangular_solve(Tensor self, Tensor A, bool upper=True, bool transpose=False, bool unitriangular=False) -> (Tensor solution, Tensor cloned_coefficient)"
)
def triangular_solve(
    b: Any, A: Any, upper: bool = True, transpose: bool = False, unitriangular: bool = False, *, out: Any = None
) -> Any:
    """The older `linalg.solve_triangular`: x with A x = b, and A.

    >>> torch.triangular_solve(torch.tensor([[1.], [4.]]), torch.tensor([[1., 0.], [2., 1.]]), upper=False).solution
    tensor([[1.],
            [2.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.triangular_solve.html
    """
    warn_of_older_name(
        "triangular_solve", "solve_triangular", "torch.linalg.solve_triangular(A, b, upper=upper), the matrix first"
    )
    if b.dim() < 2 or A.dim() < 2:
        which, sizes = ("b", b.shape) if b.dim() < 2 else ("A", A.shape)
        raise RuntimeError(
            f"torch.triangular_solve: Expected {which} to have at least 2 dimensions, but it has {len(sizes)} dimensions "
            "instead"
        )
    if A.shape[-1] != A.shape[-2] or A.shape[-1] != b.shape[-2]:
        raise RuntimeError(
            f"torch.triangular_solve: Incompatible matrix sizes: each A matrix is {A.shape[-2]} by {A.shape[-1]} but each b "
            f"matrix is {b.shape[-2]} by {b.shape[-1]}"
        )
    batch = broadcast_shapes(b.shape[:-2], A.shape[:-2])
    A, b = A.expand(*batch, *A.shape[-2:]), b.expand(*batch, *b.shape[-2:])
    matrix = A.mT if transpose else A
    solution = linalg.solve_triangular(matrix, b, upper=upper != transpose, unitriangular=unitriangular)
    return _deliver(_TriangularSolve(solution, A.clone()), out)


@composite("geqrf(Tensor self) -> (Tensor a, Tensor tau)")
def geqrf(input: Any, *, out: Any = None) -> Any:
    """A QR factorization as LAPACK leaves it: R above the diagonal, reflections below, and their factors.

    >>> h, tau = torch.geqrf(torch.tensor([[3., 1.], [4., 2.]]))
    >>> h.shape, tau.shape
    (torch.Size([2, 2]), torch.Size([2]))

    Reference: https://pytorch.org/docs/stable/generated/torch.geqrf.html
    """
    if input.dim() < 2:
        raise RuntimeError("torch.geqrf: input must have at least 2 dimensions.")
    from rushlight.autograd.function import without_derivative

    parts = (without_derivative("geqrf", part, input) for part in _C._linalg_geqrf(input))
    return _deliver(_Geqrf(*parts), out)


@composite("orgqr(Tensor self, Tensor input2) -> Tensor")
def orgqr(input: Any, tau: Any, *, out: Any = None) -> Any:
    """The older `linalg.householder_product`.

    >>> h, tau = torch.geqrf(torch.tensor([[3., 1.], [4., 2.]]))
    >>> q = torch.orgqr(h, tau)
    >>> torch.allclose(q.T @ q, torch.eye(2), atol=1e-6)
    True

    Reference: https://pytorch.org/docs/stable/generated/torch.orgqr.html
    """
    return _deliver(linalg.householder_product(input, tau), out)


@composite("ormqr(Tensor self, Tensor input2, Tensor input3, bool left=True, bool transpose=False) -> Tensor")
def ormqr(input: Any, tau: Any, other: Any, left: bool = True, transpose: bool = False, *, out: Any = None) -> Any:
    """Q other (or other Q, or with Q^H), Q being the product of the reflections that `geqrf` leaves.

    >>> h, tau = torch.geqrf(torch.tensor([[3., 1.], [4., 2.]]))
    >>> torch.allclose(torch.ormqr(h, tau, torch.eye(2)), torch.orgqr(h, tau), atol=1e-6)
    True

    Reference: https://pytorch.org/docs/stable/generated/torch.ormqr.html
    """
    if input.dim() < 2 or other.dim() < 2:
        raise RuntimeError("torch.ormqr: input must have at least 2 dimensions.")
    m = input.shape[-2]
    if other.shape[-2 if left else -1] != m:
        raise RuntimeError(
            f"torch.ormqr: other.shape[{-2 if left else -1}] must be equal to input.shape[-2], but got "
            f"{other.shape[-2 if left else -1]} and {m}"
        )
    check_reflections(input, tau, "torch.ormqr")
    if tau.shape[-1] > m:
        raise RuntimeError("torch.ormqr: tau.shape[-1] must be less than or equal to other.shape[-2]")
    if other.dim() != input.dim():
        raise RuntimeError(
            f"torch.ormqr: Expected other to have the same number of dimensions as input, but got other.ndim equal to "
            f"{other.dim()} and input.ndim is equal to {input.dim()}"
        )
    if other.shape[:-2] != input.shape[:-2]:
        raise RuntimeError(
            "torch.ormqr: Expected batch dimensions of other to be equal to input.shape[:-2], but got "
            f"{list(other.shape[:-2])}"
        )
    if other.dtype != input.dtype:
        raise RuntimeError(f"torch.ormqr: other dtype {other.dtype} does not match input dtype {input.dtype}")
    if not recorded(input, tau, other):
        if left:
            return _deliver(_C._linalg_ormqr(input, tau, other, transpose), out)
        return _deliver(_C._linalg_ormqr(input, tau, other.mH, not transpose).mH, out)
    result = other
    count = tau.shape[-1]
    forward = left == transpose  # which reflection meets `other` first
    for i in range(count) if forward else range(count - 1, -1, -1):
        head = input.new_zeros(*input.shape[:-2], i), input.new_ones(*input.shape[:-2], 1)
        v = _C.cat([*head, input[..., i + 1 :, i]], -1).unsqueeze(-1)
        factor = tau[..., i, None, None]
        if transpose:
            factor = factor.conj()
        if left:
            result = result - factor * v @ (v.mH @ result)
        else:
            result = result - factor * (result @ v) @ v.mH
    return _deliver(result.clone() if result is other else result, out)


def _basis(A: Any, q: int, niter: int) -> Any:
    """An orthonormal basis of nearly all that A gives: its products with q random vectors, refined."""
    Q = linalg.qr(A @ _C.randn(A.shape[-1], q, dtype=A.dtype)).Q
    for _ in range(niter):
        Q = linalg.qr(A.mH @ Q).Q
        Q = linalg.qr(A @ Q).Q
    return Q


@composite("svd_lowrank(Tensor A, int q=6, int niter=2, Tensor? M=None) -> (Tensor, Tensor, Tensor)", method=False)
def svd_lowrank(A: Any, q: int | None = 6, niter: int | None = 2, M: Any = None) -> Any:
    """The q largest singular values of a matrix, nearly, with their vectors: A is about U diag(S) V^H.

    Args:
        A: (..., m, n); the values should fall off quickly.
        q: how many; a little more than are needed.
        niter: how often the guess is refined.
        M: subtracted from A.

    >>> U, S, V = torch.svd_lowrank(torch.randn(20, 5), q=3)
    >>> U.shape, S.shape, V.shape
    (torch.Size([20, 3]), torch.Size([3]), torch.Size([5, 3]))

    Reference: https://pytorch.org/docs/stable/generated/torch.svd_lowrank.html
    """
    q, niter = 6 if q is None else q, 2 if niter is None else niter
    if M is not None:
        A = A - M.expand(A.shape)
    flipped = A.shape[-2] < A.shape[-1]
    if flipped:
        A = A.mH
    Q = _basis(A, q, niter)
    U, S, Vh = linalg.svd(Q.mH @ A, full_matrices=False)
    U, V = Q @ U, Vh.mH
    return (V, S, U) if flipped else (U, S, V)


@composite(
    "pca_lowrank(Tensor A, int? q=None, bool center=True, int niter=2) -> (Tensor, Tensor, Tensor)", method=False
)
def pca_lowrank(A: Any, q: int | None = None, center: bool = True, niter: int = 2) -> Any:
    """The principal components of the rows of A, nearly.

    Args:
        A: (..., m, n): m samples of n features.
        q: how many components; 6 at most by default.
        center: subtract the means of the features first.
        niter: how often the guess is refined.

    Returns:
        U, S, V: the directions are the columns of V, `A @ V[:, :k]` the projection.

    >>> U, S, V = torch.pca_lowrank(torch.randn(20, 5), q=3)
    >>> U.shape, S.shape, V.shape
    (torch.Size([20, 3]), torch.Size([3]), torch.Size([5, 3]))

    Reference: https://pytorch.org/docs/stable/generated/torch.pca_lowrank.html
    """
    m, n = A.shape[-2:]
    q = min(6, m, n) if q is None else q
    if not 0 <= q <= min(m, n):
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}")
    if not niter >= 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    if not A.is_floating_point():
        A = A.to(_C.get_default_dtype())
    return svd_lowrank(A - A.mean(-2, keepdim=True) if center else A, q, niter)
