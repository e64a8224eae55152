"""Inverses, determinants, linear systems, and powers of matrices."""

from __future__ import annotations

import math
from typing import Any

from rushlight import _C
from rushlight._dtype_info import finfo
from rushlight._results import result_type
from rushlight.linalg import _functions as functions
from rushlight.linalg._decompositions import eigenvalues, permutation, qr, singular_values
from rushlight.linalg._tools import (
    LinAlgError,
    adjoint,
    batch_text,
    check_float,
    check_matrix,
    check_square,
    deliver,
    first_failure,
    recorded,
)

_InvEx = result_type("linalg_inv_ex", "inverse", "info")
_SolveEx = result_type("linalg_solve_ex", "result", "info")
_SlogDet = result_type("linalg_slogdet", "sign", "logabsdet")
_Lstsq = result_type("linalg_lstsq", "solution", "residuals", "rank", "singular_values")


def det(A: Any, *, out: Any = None) -> Any:
    """The determinant.

    >>> torch.linalg.det(torch.tensor([[2., 0.], [5., 3.]]))
    tensor(6.)

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.det.html
    """
    check_square(A, "linalg.det")
    return deliver(functions.Det.apply(A), out)


def slogdet(A: Any, *, out: Any = None) -> Any:
    """The sign of the determinant and the logarithm of its absolute value.

    >>> torch.linalg.slogdet(torch.tensor([[0., 1.], [1., 0.]]))
    torch.return_types.linalg_slogdet(
    sign=tensor(-1.),
    logabsdet=tensor(0.))

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.slogdet.html
    """
    check_square(A, "linalg.slogdet")
    return deliver(_SlogDet(*functions.SlogDet.apply(A)), out)


def inv(A: Any, *, out: Any = None) -> Any:
    """The inverse.

    Raises:
        LinAlgError: A is singular.

    >>> torch.linalg.inv(torch.tensor([[2., 0.], [0., 4.]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.inv.html
    """
    return deliver(inv_ex(A, check_errors=True).inverse, out)


def inv_ex(A: Any, *, check_errors: bool = False, out: Any = None) -> Any:
    """`inv` that reports failure in `info` instead of raising (unless check_errors).

    >>> torch.linalg.inv_ex(torch.zeros(2, 2)).info
    tensor(1, dtype=torch.int32)
    """
    check_square(A, "linalg.inv")
    X, info = functions.Inverse.apply(A)
    failed = first_failure(info) if check_errors else None
    if failed:
        raise LinAlgError(
            f"linalg.inv: {batch_text(A, failed.matrix)}The diagonal element {failed.info} is zero, "
            "the inversion could not be completed because the input matrix is singular."
        )
    return deliver(_InvEx(X, info), out)


def _is_vector(A: Any, B: Any) -> bool:
    return B.dim() == 1 or (A.dim() - 1 == B.dim() and B.shape == A.shape[:-1])


def solve(A: Any, B: Any, *, left: bool = True, out: Any = None) -> Any:
    """The X with A X = B (or, with left=False, X A = B).

    Args:
        A: square matrices.
        B: matrices, or vectors if it has one dim or the batch shape of A and one more.

    Raises:
        LinAlgError: A is singular.

    >>> torch.linalg.solve(torch.tensor([[2., 0.], [0., 4.]]), torch.tensor([2., 8.]))
    tensor([1., 2.])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.solve.html
    """
    return deliver(solve_ex(A, B, left=left, check_errors=True).result, out)


def solve_ex(A: Any, B: Any, *, left: bool = True, check_errors: bool = False, out: Any = None) -> Any:
    """`solve` that reports failure in `info` instead of raising (unless check_errors).

    >>> torch.linalg.solve_ex(torch.zeros(2, 2), torch.ones(2)).info
    tensor(1, dtype=torch.int32)
    """
    check_square(A, "linalg.solve")
    if A.dtype != B.dtype:
        raise RuntimeError(
            f"linalg.solve: Expected A and B to have the same dtype, but found A of type {A.dtype} and B of type "
            f"{B.dtype} instead"
        )
    vector = _is_vector(A, B)
    if vector and not left:
        raise RuntimeError("linalg.solve: Vector broadcasting of the left hand side is not supported for left=False.")
    right = B.unsqueeze(-1) if vector else B
    if not left:
        A, right = A.mT, right.mT
    if A.shape[-1] != right.shape[-2]:
        raise RuntimeError(
            f"linalg.solve: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
            f"({list(A.shape)} and {list(B.shape)})"
        )
    X, info = functions.Solve.apply(A, right)
    failed = first_failure(info) if check_errors else None
    if failed:
        raise LinAlgError(
            f"torch.linalg.solve: {batch_text(A, failed.matrix)}The solver failed because the input matrix is singular."
        )
    return deliver(_SolveEx(X.squeeze(-1) if vector else X if left else X.mT, info), out)


def cholesky_solve(B: Any, L: Any, *, upper: bool = False) -> Any:
    """Solve A X = B for the matrix A whose Cholesky factor is L."""
    check_square(L, "cholesky_solve", "A")
    if B.dim() < 2 or B.shape[-2] != L.shape[-1]:
        raise RuntimeError(
            f"Incompatible matrix sizes for cholesky_solve: each A matrix is {L.shape[-1]} by {L.shape[-1]}, "
            f"B has shape {list(B.shape)}"
        )
    lower = adjoint(L) if upper else L
    return functions.solve_triangular(adjoint(lower), functions.solve_triangular(lower, B, False), True)


def lu_solve(LU: Any, pivots: Any, B: Any, *, left: bool = True, adjoint: bool = False, out: Any = None) -> Any:
    """Solve A X = B (or X A = B, or with A^H) from the result of `lu_factor(A)`.

    >>> LU, pivots = torch.linalg.lu_factor(torch.tensor([[2., 0.], [0., 4.]]))
    >>> torch.linalg.lu_solve(LU, pivots, torch.tensor([[2.], [8.]]))
    tensor([[1.],
            [2.]])
    """
    if not (LU.requires_grad and _C.is_grad_enabled()):
        if left:
            return deliver(functions.SolveFactored.apply(LU, pivots, B, adjoint), out)
        X = functions.SolveFactored.apply(LU, pivots, B.mH, not adjoint)
        return deliver(X.mH, out)
    n = LU.shape[-1]
    P = permutation(pivots, n, LU.dtype)
    A = P @ (LU.tril(-1) + _C.eye(n, dtype=LU.dtype)) @ LU.triu()
    return deliver(solve(A.mH if adjoint else A, B, left=left), out)


def solve_triangular(
    A: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False, out: Any = None
) -> Any:
    """The X with A X = B (or X A = B), reading one triangle of A only.

    >>> torch.linalg.solve_triangular(torch.tensor([[1., 0.], [2., 1.]]), torch.tensor([[1.], [4.]]), upper=False)
    tensor([[1.],
            [2.]])
    """
    check_square(A, "linalg.solve_triangular")
    if not left:
        return deliver(solve_triangular(A.mT, B.mT, upper=not upper, unitriangular=unitriangular).mT, out)
    return deliver(functions.solve_triangular(A, B, upper, unitriangular), out)


def _cutoff(S: Any, shape: Any, atol: Any, rtol: Any, name: str) -> Any:
    """Up to which size singular values count as zero."""
    bounds = {"atol": atol, "rtol": rtol}
    for argument, bound in bounds.items():
        if isinstance(bound, _C.Tensor):
            if bound.is_complex():
                kind = "ComplexDouble" if bound.dtype == _C.complex128 else "ComplexFloat"
                raise RuntimeError(
                    f"torch.linalg.{name}: {argument} tensor of complex type is not supported. Got {kind}"
                )
            bounds[argument] = bound.unsqueeze(-1)
    atol, rtol = bounds.values()
    largest = S.amax(-1, True) if S.shape[-1] else S.new_zeros(*S.shape[:-1], 1)
    if rtol is None:
        rtol = max(shape[-2:]) * finfo(S.dtype).eps
        if isinstance(atol, _C.Tensor):
            rtol = _C.where(atol > 0, 0.0, rtol)
        elif atol is not None and atol > 0:
            rtol = 0.0
    relative = largest * rtol
    if atol is None:
        return relative
    return _C.maximum(relative, atol if isinstance(atol, _C.Tensor) else _C.full_like(relative, atol))


def matrix_rank(
    A: Any, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None, out: Any = None
) -> Any:
    """How many singular values are larger than max(atol, rtol * the largest).

    >>> torch.linalg.matrix_rank(torch.tensor([[1., 2.], [2., 4.]]))
    tensor(1)
    """
    check_matrix(A, "linalg.matrix_rank")
    if hermitian:
        check_square(A, "linalg.eigh")
    A = A.detach()
    S = eigenvalues(A, "L").abs() if hermitian else singular_values(A)
    limit = _cutoff(S, A.shape, tol if tol is not None else atol, 0.0 if tol is not None else rtol, "matrix_rank")
    return deliver((S > limit).sum(-1), out)


def pinv(
    A: Any, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None, out: Any = None
) -> Any:
    """The Moore-Penrose inverse; singular values up to max(atol, rtol * the largest) count as zero.

    >>> A = torch.tensor([[1., 0.], [0., 2.], [0., 0.]])
    >>> torch.allclose(torch.linalg.pinv(A) @ A, torch.eye(2), atol=1e-6)
    True

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.pinv.html
    """
    check_matrix(A, "linalg.pinv")
    relative = rtol if rtol is not None else rcond
    if hermitian:
        check_square(A, "linalg.pinv")

    def compute(A: Any) -> Any:
        if hermitian:  # only the lower triangle is read
            values, U = functions.eigh(A, "L")
            S, V = values.abs(), U
        else:
            U, S, Vh = functions.svd(A, False)
            values, V = S, adjoint(Vh)
        inverse = values.reciprocal().masked_fill(S <= _cutoff(S, A.shape, atol, relative, "pinv"), 0)
        return (V * inverse.unsqueeze(-2)) @ adjoint(U)

    found = functions.PseudoInverse.apply(A, compute) if recorded(A) else compute(A)
    return deliver(found, out)


def _by_qr(A: Any, B: Any) -> tuple[Any, Any]:
    """The X that makes |A X - B| smallest, of all those the smallest, for A of full rank; and the R of A or A^H."""
    wide = A.shape[-2] < A.shape[-1]
    Q, R = qr(adjoint(A) if wide else A)
    if wide:
        return Q @ functions.solve_triangular(adjoint(R), B, False), R
    return functions.solve_triangular(R, adjoint(Q) @ B, True), R


def _of_full_rank(R: Any, rcond: float) -> bool:
    """Whether no singular value is below rcond times the largest, beyond doubt."""
    if R.is_meta:
        return True
    R = R.detach()
    inverse = _C._linalg_solve_triangular(R, _C.eye(R.shape[-1], dtype=R.dtype, device=R.device), True, False)
    norms = _C.linalg_vector_norm(R, 2, [-2, -1]) * _C.linalg_vector_norm(inverse, 2, [-2, -1])
    return bool((norms * rcond < 0.5).all())


def lstsq(A: Any, B: Any, rcond: float | None = None, *, driver: str | None = None, out: Any = None) -> Any:
    """The X that makes |A X - B| smallest.

    Args:
        rcond: singular values up to this times the largest count as zero.
        driver: "gels" takes A to have full rank; "gelsy" (the default), "gelsd" and "gelss" find its rank, and of all
            solutions the smallest.

    Returns:
        solution, residuals (squared, for overdetermined A of full rank), rank and singular_values; empty where the
        driver does not compute them: "gelsy" gives no residuals.

    >>> A, B = torch.tensor([[1., 0.], [1., 1.], [1., 2.]]), torch.tensor([[1.], [3.], [5.]])
    >>> torch.linalg.lstsq(A, B).solution.round(decimals=3)
    tensor([[1.],
            [2.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.lstsq.html
    """
    name = "torch.linalg.lstsq"
    check_matrix(A, name, "input")
    if B.dim() < 1:
        raise RuntimeError(f"{name}: other must have at least 1 dimension.")
    if A.dtype != B.dtype:
        raise RuntimeError(
            f"{name}: Expected input and other to have the same dtype, but got input's dtype {A.dtype} and other's "
            f"dtype {B.dtype}"
        )
    if not 0 <= A.dim() - B.dim() <= 1:
        raise RuntimeError(
            f"{name}: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1"
        )
    driver = "gelsy" if driver is None else driver
    if driver not in ("gels", "gelsy", "gelsd", "gelss"):
        raise RuntimeError(f"{name}: parameter `driver` should be one of (gels, gelsy, gelsd, gelss), got {driver}")
    vector = B.dim() < A.dim()
    right = B.unsqueeze(-1) if vector else B
    m, n = A.shape[-2:]
    if right.shape[-2] != m:
        raise RuntimeError(
            f"{name}: input.size(-2) should match other.size({-1 if vector else -2}), got {m} and {right.shape[-2]}"
        )
    if A.shape[:-2] != right.shape[:-2]:
        from rushlight._composite.shapes import broadcast_shapes

        batch = broadcast_shapes(A.shape[:-2], right.shape[:-2])
        A, right = A.expand(*batch, m, n), right.expand(*batch, *right.shape[-2:])
    X, rank, values = _least_squares(A, right, rcond, driver)
    squared = X.flatten()[:0].abs()  # also what is not computed has X's history
    if m > n and (driver == "gels" or (driver != "gelsy" and bool((rank == n).all()))):
        squared = (A @ X - right).abs().square().sum(-2)
    found = _Lstsq(X.squeeze(-1) if vector else X, squared, rank, values)
    return deliver(found, out)


def _least_squares(A: Any, B: Any, rcond: float | None, driver: str) -> tuple[Any, Any, Any]:
    """The solution, and the rank and the singular values where the driver finds them."""
    batch, smaller = A.shape[:-2], min(A.shape[-2:])
    values = A.new_zeros(0, dtype=A.dtype.to_real())
    if driver == "gels":
        X, R = _by_qr(A, B)
        R = R.detach()
        rounded = _C.linalg_vector_norm(R, 2, [-2]) * (finfo(R.dtype).eps / 4)  # what may stand for a zero
        zero = (R.diagonal(dim1=-2, dim2=-1).abs() <= rounded).to(_C.int32)
        failed = first_failure((zero * _C.arange(1, smaller + 1)).amax(-1)) if zero.numel() else None
        if failed:
            raise LinAlgError(
                f"torch.linalg.lstsq: {batch_text(A, failed.matrix)}The least squares solution could not be computed "
                f"because the input matrix does not have full rank (error code: {failed.info})."
            )
        return X, _C.zeros(0, dtype=_C.int64), values
    rcond = max(A.shape[-2:]) * finfo(A.dtype).eps if rcond is None else rcond
    if driver == "gelsy" or recorded(A, B):
        X, R = _by_qr(A, B)
        if driver == "gelsy" and _of_full_rank(R, rcond):
            return X, _C.full(batch, smaller, dtype=_C.int64, device=A.device), values
    U, S, Vh = functions.svd(A.detach(), False)
    kept = S > _cutoff(S, A.shape, None, rcond, "lstsq")
    if recorded(A, B):
        if not kept.all():
            X = pinv(A, rtol=rcond) @ B
    else:
        inverse = S.reciprocal().masked_fill(~kept, 0).unsqueeze(-1)
        X = adjoint(Vh) @ (inverse * (adjoint(U) @ B))
    return X, kept.sum(-1), values if driver == "gelsy" else S


def matrix_power(A: Any, n: int, *, out: Any = None) -> Any:
    """A multiplied n times with itself (its inverse, for negative n).

    >>> torch.linalg.matrix_power(torch.tensor([[2., 0.], [0., 4.]]), -1)
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    if isinstance(A, _C.Tensor) and (A.dim() < 2 or A.shape[-1] != A.shape[-2]):
        check_square(A.double(), "linalg.matrix_power")
    if not isinstance(n, int):
        raise TypeError(f"linalg_matrix_power(): argument 'n' (position 2) must be int, not {type(n).__name__}")
    if n < 0:
        A, n = inv(A), -n
    result = _C.linalg_matrix_power(A, n)
    if n == 0:  # the identity, but a function of A still
        result = _C.where(_C.zeros((), dtype=_C.bool), A, result)
    return deliver(result, out)


def multi_dot(tensors: Any, *, out: Any = None) -> Any:
    """The product of matrices, in the order that takes the fewest multiplications. The ends may be vectors.

    >>> torch.linalg.multi_dot([torch.ones(2, 3), torch.ones(3, 4), torch.ones(4)])
    tensor([12., 12.])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.multi_dot.html
    """
    tensors = list(tensors)
    if len(tensors) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(tensors)}")
    first, last = tensors[0].dim() == 1, tensors[-1].dim() == 1
    if first:
        tensors[0] = tensors[0].unsqueeze(0)
    if last:
        tensors[-1] = tensors[-1].unsqueeze(-1)
    for i, part in enumerate(tensors):
        if part.dim() != 2:
            raise RuntimeError(f"multi_dot(): tensor {i} must be 2D but got {part.dim()}D")
    for i in range(len(tensors) - 1):
        if tensors[i].shape[1] != tensors[i + 1].shape[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {i} and {i + 1} with shapes {list(tensors[i].shape)} and "
                f"{list(tensors[i + 1].shape)} cannot be multiplied"
            )
    sizes = [tensors[0].shape[0], *(part.shape[1] for part in tensors)]
    product = _multiplied(tensors, sizes)
    product = product.squeeze(0) if first else product
    return deliver(product.squeeze(-1) if last else product, out)


def _multiplied(tensors: list[Any], sizes: list[int]) -> Any:
    count = len(tensors)
    if count == 2:
        return tensors[0] @ tensors[1]
    if count == 3:
        a, b, c, d = sizes
        first, second, third = tensors
        return (first @ second) @ third if a * c * (b + d) <= b * d * (a + c) else first @ (second @ third)
    costs = [[0] * count for _ in range(count)]
    splits = [[0] * count for _ in range(count)]
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            options = [(costs[i][k] + costs[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)]
            costs[i][j], splits[i][j] = min(options)

    def product(i: int, j: int) -> Any:
        return tensors[i] if i == j else product(i, splits[i][j]) @ product(splits[i][j] + 1, j)

    return product(0, count - 1)


def matrix_exp(A: Any) -> Any:
    """The matrix exponential: halved until small, a Taylor polynomial, squared back.

    >>> torch.linalg.matrix_exp(torch.tensor([[0., 1.], [0., 0.]]))
    tensor([[1., 1.],
            [0., 1.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.matrix_exp.html
    """
    check_float(A, "linalg.matrix_exp", short=True)
    wide = _C.complex128 if A.is_complex() else _C.float64
    if A.dtype != wide:  # every squaring doubles the error
        return matrix_exp(A.to(wide)).to(A.dtype)
    check_square(A, "linalg.matrix_exp")
    if A.numel() == 0:
        return A.clone()
    sizes = _C.linalg_vector_norm(A.detach(), 1, [-2]).amax(-1)
    times = (sizes.nan_to_num(0, 0, 0) * 2).clamp_min(1).log2().ceil()  # how often each is squared
    if not sizes.isfinite().all():
        A = _C.where(sizes.isfinite()[..., None, None], A, math.nan)
    most = int(times.max())
    if most:
        A = A * _C.exp2(-times)[..., None, None]
    # Sixteen terms and one, as a polynomial in A^4 whose coefficients are polynomials up to A^3.
    A2 = A @ A
    A4 = A2 @ A2
    powers = _C.stack([_C.eye(A.shape[-1], dtype=A.dtype).expand(A.shape), A, A2, A2 @ A])
    rows = [[1 / math.factorial(4 * i + k) for k in range(4)] for i in range(4)]
    parts = (_C.tensor(rows, dtype=A.dtype) @ powers.flatten(1)).view(powers.shape)
    result = parts[3] + A4 * (1 / math.factorial(16))
    for i in (2, 1, 0):
        result = parts[i] + A4 @ result
    least = int(times.min())
    for k in range(most):
        squared = result @ result
        result = squared if k < least else _C.where((times > k)[..., None, None], squared, result)
    return result


def tensorinv(A: Any, ind: int = 2, *, out: Any = None) -> Any:
    """The inverse for `tensordot`: A as a matrix of its first `ind` axes by the others.

    >>> torch.linalg.tensorinv(torch.eye(4).view(4, 2, 2), ind=1).shape
    torch.Size([2, 2, 4])
    """
    if ind <= 0:
        raise RuntimeError("Expected a strictly positive integer for 'ind'")
    rows, columns = math.prod(A.shape[:ind]), math.prod(A.shape[ind:])
    if rows != columns:
        raise RuntimeError(
            f"Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), "
            f"but got {columns} != {rows}"
        )
    return deliver(inv(A.reshape(rows, columns)).reshape(*A.shape[ind:], *A.shape[:ind]), out)


def tensorsolve(A: Any, B: Any, dims: Any = None, *, out: Any = None) -> Any:
    """The X with tensordot(A, X, X.dim()) == B.

    >>> torch.linalg.tensorsolve(torch.eye(4).view(4, 2, 2), torch.arange(4.))
    tensor([[0., 1.],
            [2., 3.]])
    """
    if dims is not None:
        A = A.movedim(tuple(dims), tuple(range(A.dim() - len(dims), A.dim())))
    shape = A.shape[B.dim() :]
    if B.numel() != math.prod(shape):
        raise RuntimeError(
            "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
            f"prod(self.shape[:other.ndim]), but got {math.prod(shape)} != {B.numel()}"
        )
    return deliver(solve(A.reshape(B.numel(), -1), B.flatten()).reshape(shape), out)
