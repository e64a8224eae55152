"""Factorizations and what follows from them with their gradients: from the core, but those of large matrices that
iterate, and eigenvalues of any matrix, from NumPy's LAPACK. The gradients are written with differentiable operations, so
they have some."""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight._errors import LinAlgError
from rushlight.autograd.function import Function
from rushlight.linalg._tools import adjoint, array, batch_text, call, first_failure, tensor

__all__ = [
    "Cholesky",
    "Det",
    "Eig",
    "Eigh",
    "Inverse",
    "LU",
    "PseudoInverse",
    "QR",
    "SVD",
    "SlogDet",
    "Solve",
    "SolveFactored",
    "Triangular",
    "eigh",
    "inverse",
    "solve_triangular",
    "svd",
]

_TALL = 32  # from there on, Q R first


def _lapack() -> Any:
    import numpy as np

    return np.linalg


def _eye(A: Any) -> Any:
    return _C.eye(A.shape[-1], dtype=A.dtype, device=A.device)


def _diagonal(values: Any, dtype: Any) -> Any:
    return _C.diag_embed(values.to(dtype))


def _skew(A: Any) -> Any:
    return A - adjoint(A)


def _gaps(values: Any) -> Any:
    """values_j - values_i, with ones on the diagonal."""
    gaps = values.unsqueeze(-2) - values.unsqueeze(-1)
    return gaps + _C.eye(values.shape[-1], dtype=gaps.dtype)


def _off_diagonal(A: Any) -> Any:
    return A * (1 - _C.eye(A.shape[-1], dtype=A.dtype))


def solve_triangular(A: Any, B: Any, upper: bool, unit: bool = False) -> Any:
    """The X of A X = B, one triangle of A being read."""
    return Triangular.apply(A, B, upper, unit)


def inverse(A: Any, failure: str) -> Any:
    """linalg.inv, or a LinAlgError with that text."""
    X, info = Inverse.apply(A)
    if info.any():
        raise LinAlgError(failure)
    return X


class Inverse(Function):
    """linalg.inv_ex"""

    _node_name = "LinalgInvExBackward0"

    @staticmethod
    def forward(ctx: Any, A: Any) -> Any:
        LU, pivots, info = _C._linalg_lu(A)
        X = _C._linalg_lu_solve(LU, pivots, _eye(A), False).expand(A.shape)
        ctx.save_for_backward(X)
        ctx.mark_non_differentiable(info)
        return X, info

    @staticmethod
    def backward(ctx: Any, G: Any, _: Any) -> Any:
        (X,) = ctx.saved_tensors
        XH = adjoint(X)
        return -(XH @ G @ XH)


class Solve(Function):
    """linalg.solve_ex of a matrix on the right"""

    _node_name = "LinalgSolveExBackward0"

    @staticmethod
    def forward(ctx: Any, A: Any, B: Any) -> Any:
        LU, pivots, info = _C._linalg_lu(A)
        X = _C._linalg_lu_solve(LU, pivots, B, False)
        ctx.save_for_backward(A, X, LU, pivots)
        ctx.mark_non_differentiable(info)
        ctx.shapes = A.shape, B.shape
        return X, info

    @staticmethod
    def backward(ctx: Any, G: Any, _: Any) -> Any:
        A, X, LU, pivots = ctx.saved_tensors
        if _C.is_grad_enabled():  # gradients of this gradient are wanted
            gB = Solve.apply(adjoint(A), G)[0]
        else:
            gB = _C._linalg_lu_solve(LU, pivots, G, True)
        gA = -(gB @ adjoint(X))
        return gA.sum_to_size(ctx.shapes[0]), gB.sum_to_size(ctx.shapes[1])


class SolveFactored(Function):
    """linalg.lu_solve, of factors that are constants"""

    @staticmethod
    def forward(ctx: Any, LU: Any, pivots: Any, B: Any, adjoint: bool) -> Any:
        ctx.save_for_backward(LU, pivots)
        ctx.adjoint = adjoint
        ctx.shape = B.shape
        return _C._linalg_lu_solve(LU, pivots, B, adjoint)

    @staticmethod
    def backward(ctx: Any, G: Any) -> Any:
        LU, pivots = ctx.saved_tensors
        gB = SolveFactored.apply(LU, pivots, G, not ctx.adjoint)
        return None, None, gB.sum_to_size(ctx.shape), None


class Triangular(Function):
    """linalg.solve_triangular, A on the left"""

    _node_name = "LinalgSolveTriangularBackward0"

    @staticmethod
    def forward(ctx: Any, A: Any, B: Any, upper: bool, unit: bool) -> Any:
        X = _C._linalg_solve_triangular(A, B, upper, unit)
        ctx.save_for_backward(A, X)
        ctx.options = upper, unit
        ctx.shapes = A.shape, B.shape
        return X

    @staticmethod
    def backward(ctx: Any, G: Any) -> Any:
        A, X = ctx.saved_tensors
        upper, unit = ctx.options
        gB = solve_triangular(adjoint(A), G, not upper, unit)
        gA = -(gB @ adjoint(X))
        gA = gA.triu(1 if unit else 0) if upper else gA.tril(-1 if unit else 0)
        return gA.sum_to_size(ctx.shapes[0]), gB.sum_to_size(ctx.shapes[1]), None, None


def _pivots_of(A: Any) -> tuple[Any, Any]:
    """The diagonal of U, and the determinant of the permutation."""
    LU, pivots, _ = _C._linalg_lu(A)
    moved = pivots != _C.arange(1, pivots.shape[-1] + 1, dtype=pivots.dtype, device=A.device)
    return LU.diagonal(0, -2, -1), 1 - 2 * (moved.sum(-1) % 2).to(A.dtype.to_real())


class Det(Function):
    """linalg.det"""

    _node_name = "LinalgDetBackward0"

    @staticmethod
    def forward(ctx: Any, A: Any) -> Any:
        diagonal, sign = _pivots_of(A)
        D = diagonal.prod(-1) * sign
        ctx.save_for_backward(A, D)
        return D

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        A, D = ctx.saved_tensors
        g = g[..., None, None]
        if bool((D == 0).any()):
            # The adjugate, from the singular values: of each the product of the others.
            U, S, Vh = SVD.apply(A, False)
            n = S.shape[-1]
            others = S.unsqueeze(-2).expand(*S.shape, n).masked_fill(_C.eye(n, dtype=_C.bool), 1).prod(-1)
            phase = (Det.apply(U) * Det.apply(Vh))[..., None, None].conj()
            return g * phase.conj() * ((U * others.unsqueeze(-2).to(U.dtype)) @ Vh)
        return g * Det.apply(A)[..., None, None].conj() * adjoint(inverse(A, "linalg.det: the matrix is singular"))


class SlogDet(Function):
    """linalg.slogdet"""

    _node_name = "LinalgSlogdetBackward0"

    @staticmethod
    def forward(ctx: Any, A: Any) -> Any:
        diagonal, sign = _pivots_of(A)
        sign, value = diagonal.sgn().prod(-1) * sign, diagonal.abs().log().sum(-1)
        ctx.save_for_backward(A, sign)
        return sign, value

    @staticmethod
    def backward(ctx: Any, gsign: Any, g: Any) -> Any:
        A, sign = ctx.saved_tensors
        if g is None:
            g = _C.zeros(sign.shape, dtype=A.dtype.to_real())
        turned = adjoint(Inverse.apply(A)[0])
        if A.is_complex() and gsign is not None:
            g = _C.complex(g, (gsign.conj() * sign).imag * -1)
        return g[..., None, None].to(A.dtype) * turned


class Cholesky(Function):
    """linalg.cholesky_ex, lower"""

    _node_name = "LinalgCholeskyExBackward0"

    @staticmethod
    def forward(ctx: Any, A: Any) -> Any:
        L, info = _C._linalg_cholesky(A)
        ctx.save_for_backward(L)
        ctx.mark_non_differentiable(info)
        return L, info

    @staticmethod
    def backward(ctx: Any, G: Any, _: Any) -> Any:
        (L,) = ctx.saved_tensors
        P = (adjoint(L) @ G).tril()
        P = P - 0.5 * _C.diag_embed(P.diagonal(dim1=-2, dim2=-1))
        P = 0.5 * (P + adjoint(P))
        left = solve_triangular(adjoint(L), P, True)
        return adjoint(solve_triangular(adjoint(L), adjoint(left), True))


class LU(Function):
    """linalg.lu_factor, of what has been factored: L below the diagonal and U above it, A = P L U.

    The first k rows and columns of the factors are square; what lies beside (a wide A) or below (a tall one) comes from
    one more triangular solve.
    """

    _node_name = "LinalgLuFactorExBackward0"

    @staticmethod
    def forward(ctx: Any, A: Any, factors: Any, P: Any) -> Any:
        made = factors.detach()  # a tensor of its own: the result, which knows where it comes from
        ctx.save_for_backward(made, P)
        return made

    @staticmethod
    def backward(ctx: Any, G: Any) -> Any:
        factors, P = ctx.saved_tensors
        m, n = factors.shape[-2:]
        k = min(m, n)
        square, g = factors[..., :k, :k], G[..., :k, :k]
        L, U = square.tril(-1) + _eye(square), square.triu()
        lower, upper = adjoint(L) @ g.tril(-1), g.triu() @ adjoint(U)
        beside = below = None
        if n > k:  # U goes on to the right
            rest = G[..., :k, k:]
            lower = lower - rest @ adjoint(factors[..., :k, k:])
            beside = solve_triangular(adjoint(L), rest, True, True)
        if m > k:  # L goes on below
            rest = G[..., k:, :k]
            upper = upper - adjoint(factors[..., k:, :k]) @ rest
            below = adjoint(solve_triangular(U, adjoint(rest), True))
        inner = solve_triangular(adjoint(L), lower.tril(-1) + upper.triu(), True, True)
        gA = adjoint(solve_triangular(U, adjoint(inner), True))
        if beside is not None:
            gA = _C.cat([gA, beside], -1)
        if below is not None:
            gA = _C.cat([gA, below], -2)
        return P @ gA, None, None


class QR(Function):
    """linalg.qr, reduced or complete"""

    _node_name = "LinalgQrBackward0"

    @staticmethod
    def forward(ctx: Any, A: Any, complete: bool) -> Any:
        Q, R = _C._linalg_qr(A, complete, False)
        ctx.save_for_backward(A, Q, R)
        return Q, R

    @staticmethod
    def backward(ctx: Any, gQ: Any, gR: Any) -> Any:
        A, Q, R = ctx.saved_tensors
        m, n = A.shape[-2:]
        if Q.shape[-1] > n:
            raise RuntimeError(
                "The QR decomposition is not differentiable when mode='complete' and nrows > ncols: use mode='reduced'"
            )
        gQ = _C.zeros_like(Q) if gQ is None else gQ
        gR = _C.zeros_like(R) if gR is None else gR
        if m >= n:
            return _qr_gradient(Q, R, gQ, gR), None
        gU, gV = gR[..., :m], gR[..., m:]
        gX = _qr_gradient(Q, R[..., :m], gQ + A[..., m:] @ adjoint(gV), gU)
        return _C.cat([gX, Q @ gV], -1), None


def _qr_gradient(Q: Any, R: Any, gQ: Any, gR: Any) -> Any:
    M = R @ adjoint(gR) - adjoint(gQ) @ Q
    half = M.tril(-1) + 0.5 * _C.diag_embed(M.diagonal(dim1=-2, dim2=-1))
    M = half + adjoint(half)  # with a real diagonal, as that of R is
    return adjoint(solve_triangular(R, adjoint(gQ + Q @ M), True))


def _is_for_core(A: Any, n: int) -> bool:
    """Whether an iteration over n values is the core's: LAPACK divides larger problems, and conquers them."""
    return n <= (24 if A.is_complex() else 128 if A.dtype == _C.float64 else 256)


def eigh(A: Any, uplo: str, vectors: bool = True) -> tuple[Any, Any]:
    """Eigenvalues and, if asked for, eigenvectors; without gradient."""
    unfinished = (
        "The algorithm failed to converge because the input matrix is ill-conditioned or has too many repeated "
        "eigenvalues (error code: 1)."
    )
    if _is_for_core(A, A.shape[-1]):
        L, V, info = _C._linalg_eigh(A, uplo == "U", vectors)
        failed = first_failure(info)
        if failed:
            raise LinAlgError(f"linalg.eigh: {batch_text(A, failed.matrix)}{unfinished}")
        return L, V
    name = "eigh" if vectors else "eigvalsh"
    found = call(getattr(_lapack(), name), array(A), uplo, failure=f"linalg.eigh: {unfinished}")
    L, V = [tensor(part) for part in found] if vectors else [tensor(found), None]
    if not L.isfinite().all():
        raise LinAlgError(f"linalg.eigh: {unfinished}")
    return L, V


class Eigh(Function):
    """linalg.eigh"""

    _node_name = "LinalgEighBackward0"

    @staticmethod
    def forward(ctx: Any, A: Any, uplo: str) -> Any:
        L, V = eigh(A, uplo)
        ctx.save_for_backward(L, V)
        ctx.set_materialize_grads(False)
        return L, V

    @staticmethod
    def backward(ctx: Any, gL: Any, gV: Any) -> Any:
        L, V = ctx.saved_tensors
        inner = _C.zeros_like(V) if gL is None else _diagonal(gL, V.dtype)
        if gV is not None:
            along = adjoint(V) @ gV
            if V.is_complex():
                _check_phases(along, f"linalg_eigh_backward: {_OF_PHASES}")
            inner = inner + 0.5 * _skew(along) / _gaps(L)
        return V @ inner @ adjoint(V), None


_OF_PHASES = (
    "The eigenvectors in the complex case are specified up to multiplication by e^{i phi}. The specified loss function "
    "depends on this quantity, so it is ill-defined."
)


def _check_phases(along: Any, failure: str) -> None:
    if along.numel() and float(along.detach().diagonal(dim1=-2, dim2=-1).imag.abs().amax()) > 1e-2:
        raise RuntimeError(failure)


def svd(A: Any, full: bool, vectors: bool = True) -> tuple[Any, Any, Any]:
    """U, S and Vh, or S between two that are not computed; without gradient."""
    m, n = A.shape[-2:]
    if not _is_for_core(A, min(m, n)):
        failure = "linalg.svd: The algorithm failed to converge because the input matrix contained non-finite values."
        found = call(_lapack().svd, array(A), full, vectors, failure=failure)
        if not vectors:
            return None, tensor(found), None
        return tensor(found[0]), tensor(found[1]), tensor(found[2])
    if m >= 2 * n and m > _TALL and not (full and vectors):
        Q, R = _C._linalg_qr(A.detach(), False, not vectors)
        U, S, Vh = svd(R, False, vectors)
        return (Q @ U if vectors else U), S, Vh
    if n >= 2 * m and n > _TALL and not (full and vectors):
        V, S, Uh = svd(A.detach().mH, False, vectors)
        return (Uh.mH, S, V.mH) if vectors else (None, S, None)
    U, S, Vh, info = _C._linalg_svd(A, full, vectors)
    failed = first_failure(info)
    if failed:
        raise LinAlgError(
            f"linalg.svd: {batch_text(A, failed.matrix)}The algorithm failed to converge because the input matrix "
            "contained non-finite values."
        )
    if vectors and full and A.numel() == 0:
        U, Vh = (_C.eye(k, dtype=A.dtype).expand(*A.shape[:-2], k, k).clone() for k in (m, n))
    return U, S, Vh


class SVD(Function):
    """linalg.svd"""

    _node_name = "LinalgSvdBackward0"

    @staticmethod
    def forward(ctx: Any, A: Any, full: bool) -> Any:
        U, S, Vh = svd(A, full)
        ctx.save_for_backward(U, S, Vh)
        ctx.set_materialize_grads(False)
        ctx.full = full and A.shape[-1] != A.shape[-2]
        return U, S, Vh

    @staticmethod
    def backward(ctx: Any, gU: Any, gS: Any, gVh: Any) -> Any:
        U, S, Vh = ctx.saved_tensors
        if gU is None and gS is None and gVh is None:
            return None, None
        if ctx.full:
            k = S.shape[-1]
            U, Vh = U[..., :k], Vh[..., :k, :]
            gU = None if gU is None else gU[..., :k]
            gVh = None if gVh is None else gVh[..., :k, :]
        V = adjoint(Vh)
        values = S.to(U.dtype)
        inner = _C.zeros_like(U[..., : S.shape[-1], :]) if gS is None else _diagonal(gS, U.dtype)
        gaps = _gaps(S * S)
        outside = None
        if U.is_complex() and (gU is not None or gVh is not None):
            along = adjoint(U) @ gU if gU is not None else 0
            along = along + Vh @ adjoint(gVh) if gVh is not None else along
            _check_phases(
                along,
                "svd_backward: The singular vectors in the complex case are specified up to multiplication by e^{i phi}. "
                "The specified loss function depends on this phase term, making it ill-defined.",
            )
        if gU is not None:
            part = _skew(adjoint(U) @ gU)
            inner = inner + (_off_diagonal(part) / gaps) * values.unsqueeze(-2)
            if U.is_complex():
                inner = inner + _C.diag_embed(part.diagonal(dim1=-2, dim2=-1) / (2 * values))
            if U.shape[-2] > U.shape[-1]:
                outside = ((gU - U @ (adjoint(U) @ gU)) / values.unsqueeze(-2)) @ Vh
        if gVh is not None:
            gV = adjoint(gVh)
            inner = inner + values.unsqueeze(-1) * (_off_diagonal(_skew(Vh @ gV)) / gaps)
            if V.shape[-2] > V.shape[-1]:
                rest = U @ (adjoint(gV - V @ (Vh @ gV)) / values.unsqueeze(-1))
                outside = rest if outside is None else outside + rest
        gA = U @ inner @ Vh
        return gA if outside is None else gA + outside, None


def eig(A: Any, vectors: bool = True) -> tuple[Any, Any]:
    """Eigenvalues of any square matrix and, if asked for, eigenvectors; without gradient."""
    if not A.isfinite().all():
        raise RuntimeError("torch.linalg.eig: input tensor should not contain infs or NaNs.")
    compute = _lapack().eig if vectors else _lapack().eigvals
    found = call(compute, array(A), failure="linalg.eig: The algorithm failed to converge.")
    dtype = A.dtype.to_complex()
    L, V = found if vectors else (found, None)
    return tensor(L).to(dtype), tensor(V).to(dtype) if vectors else None


class Eig(Function):
    """linalg.eig"""

    _node_name = "LinalgEigBackward0"

    @staticmethod
    def forward(ctx: Any, A: Any) -> Any:
        L, V = eig(A)
        ctx.save_for_backward(L, V)
        ctx.set_materialize_grads(False)
        ctx.real = not A.is_complex()
        return L, V

    @staticmethod
    def backward(ctx: Any, gL: Any, gV: Any) -> Any:
        L, V = ctx.saved_tensors
        inner = _C.zeros_like(V) if gL is None else _C.diag_embed(gL)
        VH = adjoint(V)
        if gV is not None:
            along = VH @ gV
            _check_phases(along, f"linalg_eig_backward: {_OF_PHASES}")
            scaled = (VH @ V) * along.diagonal(dim1=-2, dim2=-1).real.unsqueeze(-2)
            inner = inner + _off_diagonal(along - scaled) / _gaps(L).conj()
        gA, info = Solve.apply(VH, inner @ VH)
        if info.any():
            raise LinAlgError("linalg.eig: the eigenvectors are not independent")
        return gA.real if ctx.real else gA


class PseudoInverse(Function):
    """linalg.pinv, from a function of the matrix"""

    _node_name = "LinalgPinvBackward0"

    @staticmethod
    def forward(ctx: Any, A: Any, compute: Any) -> Any:
        P = compute(A)
        ctx.save_for_backward(A, P)
        ctx.compute = compute
        return P

    @staticmethod
    def backward(ctx: Any, G: Any) -> Any:
        A, P = ctx.saved_tensors
        if _C.is_grad_enabled():  # gradients of this gradient are wanted
            P = PseudoInverse.apply(A, ctx.compute)
        PH, GH = adjoint(P), adjoint(G)
        gA = -(PH @ G @ PH)
        left, right = GH @ P @ PH, PH @ P @ GH
        return gA + (left - A @ (P @ left)) + (right - (right @ P) @ A), None
