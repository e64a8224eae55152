"""The factorization of symmetric and Hermitian matrices that need not be positive-definite: A = L D L^T, D of blocks of
one or two rows (Bunch and Kaufman 1977), in the compact form of LAPACK's sytrf."""

from __future__ import annotations

import math
from typing import Any

from rushlight._results import result_type
from rushlight.autograd.function import Function, without_derivative
from rushlight.linalg._tools import LinAlgError, array, check_square, deliver, tensor

_LDLFactor = result_type("linalg_ldl_factor", "LD", "pivots")
_LDLFactorEx = result_type("linalg_ldl_factor_ex", "LD", "pivots", "info")
_ALPHA = (1 + math.sqrt(17)) / 8  # a pivot that small against its column makes the factors grow


def _size(x: Any) -> Any:
    """What pivots are compared by: |re| + |im|."""
    import numpy as np

    return abs(x.real) + abs(x.imag) if np.iscomplexobj(x) else abs(x)


def _pivot(a: Any, k: int) -> tuple[int, int]:
    """Which row comes to the next block, and how many rows the block has."""
    here, column = _size(a[k, k]), _size(a[k + 1 :, k])
    if not column.size:
        return k, 1
    best = k + 1 + int(column.argmax())
    most = column.max()
    if here >= _ALPHA * most:
        return k, 1
    row = _size(a[best, k:])
    row[best - k] = 0
    if here >= _ALPHA * most * (most / row.max()):
        return k, 1
    return best, 1 if _size(a[best, best]) >= _ALPHA * row.max() else 2


def _factor(a: Any, transposed: Any) -> tuple[list[int], int]:
    """Factors one matrix, given in full, in place below its diagonal: the pivots, and the first block that is zero."""
    import numpy as np

    n, k, info = len(a), 0, 0
    pivots: list[int] = []
    while k < n:
        at, rows = _pivot(a, k)
        to, end = k + rows - 1, k + rows
        if at != to:
            a[[to, at], k:] = a[[at, to], k:]
            a[k:, [to, at]] = a[k:, [at, to]]
        pivots += [at + 1] if rows == 1 else [-at - 1] * 2
        block, below = a[k:end, k:end], a[end:, k:end]
        if not _size(a[k:, k]).max() > 0 and not np.isnan(a[k:, k]).any():
            info = info or k + 1
        elif rows == 1:
            factors = below / block
            a[end:, end:] -= factors @ transposed(below)
            a[end:, k:end] = factors
        else:
            factors = below @ np.linalg.inv(block)
            a[end:, end:] -= factors @ transposed(below)
            a[end:, k:end] = factors
        k = end
    return pivots, info


def ldl_factor_ex(A: Any, *, hermitian: bool = False, check_errors: bool = False, out: Any = None) -> Any:
    """The compact L D L^T factors of A, the pivots and, per matrix, the first block of D that is zero (0: none).

    >>> torch.linalg.ldl_factor_ex(torch.eye(2)).info
    tensor(0, dtype=torch.int32)

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.ldl_factor_ex.html
    """
    import numpy as np

    check_square(A, "torch.linalg.ldl_factor_ex")
    transposed = (lambda m: m.conj().T) if hermitian else (lambda m: m.T)
    a = np.tril(array(A))
    pivots = np.empty(a.shape[:-1], dtype=np.int32)
    info = np.empty(a.shape[:-2], dtype=np.int32)
    for index in np.ndindex(*a.shape[:-2]):
        full = a[index] + transposed(np.tril(a[index], -1))
        if hermitian:
            np.fill_diagonal(full, full.diagonal().real)
        with np.errstate(all="ignore"):
            pivots[index], info[index] = _factor(full, transposed)
        a[index] = np.tril(full)
        if hermitian:
            np.fill_diagonal(a[index], full.diagonal().real)
    if check_errors and info.any():
        raise LinAlgError("torch.linalg.ldl_factor_ex: D has a block of zeros: the matrix is singular")
    LD = without_derivative("linalg_ldl_factor_ex", tensor(a), A)
    return deliver(_LDLFactorEx(LD, tensor(pivots), tensor(info)), out)


def ldl_factor(A: Any, *, hermitian: bool = False, out: Any = None) -> Any:
    """The compact L D L^T factors of a symmetric (or Hermitian) A, of which the lower triangle is read, for `ldl_solve`.

    >>> LD, pivots = torch.linalg.ldl_factor(torch.tensor([[4., 2.], [2., 5.]]))
    >>> torch.linalg.ldl_solve(LD, pivots, torch.tensor([[6.], [7.]]))
    tensor([[1.],
            [1.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.ldl_factor.html
    """
    LD, pivots, info = ldl_factor_ex(A, hermitian=hermitian)
    if info.any():
        raise LinAlgError("torch.linalg.ldl_factor: D has a block of zeros: the matrix is singular")
    return deliver(_LDLFactor(LD, pivots), out)


def _substitute(a: Any, pivots: Any, b: Any, hermitian: bool) -> None:
    """b becomes the solution, for one matrix."""
    import numpy as np

    blocks, k = [], 0
    while k < len(a):
        end = k + (1 if pivots[k] > 0 else 2)
        blocks.append((k, end, abs(int(pivots[k])) - 1))
        k = end
    for k, end, at in blocks:
        b[[end - 1, at]] = b[[at, end - 1]]
        b[end:] -= a[end:, k:end] @ b[k:end]
        block = np.tril(a[k:end, k:end])
        upper = np.tril(block, -1).T
        b[k:end] = np.linalg.solve(block + (upper.conj() if hermitian else upper), b[k:end])
    for k, end, at in reversed(blocks):
        across = a[end:, k:end].T
        b[k:end] -= (across.conj() if hermitian else across) @ b[end:]
        b[[end - 1, at]] = b[[at, end - 1]]


class _Solve(Function):
    """linalg.ldl_solve, differentiable in B."""

    @staticmethod
    def forward(ctx: Any, LD: Any, pivots: Any, B: Any, hermitian: bool) -> Any:
        import numpy as np

        ctx.save_for_backward(LD, pivots)
        ctx.hermitian = hermitian
        a, p, b = array(LD), array(pivots), array(B)
        batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
        a, p = np.broadcast_to(a, (*batch, *a.shape[-2:])), np.broadcast_to(p, (*batch, *p.shape[-1:]))
        x = np.broadcast_to(b, (*batch, *b.shape[-2:])).copy()
        for index in np.ndindex(*batch):
            try:
                _substitute(a[index], p[index], x[index], hermitian)
            except np.linalg.LinAlgError:
                raise LinAlgError("torch.linalg.ldl_solve: D is singular") from None
        return tensor(x)

    @staticmethod
    def backward(ctx: Any, G: Any) -> Any:
        if ctx.needs_input_grad[0]:
            raise NotImplementedError("linalg.ldl_solve is not differentiable in LD; use linalg.solve")
        LD, pivots = ctx.saved_tensors
        g = G if ctx.hermitian else G.conj()
        g = _Solve.apply(LD, pivots, g.resolve_conj(), ctx.hermitian)
        return None, None, (g if ctx.hermitian else g.conj()), None


def ldl_solve(LD: Any, pivots: Any, B: Any, *, hermitian: bool = False, out: Any = None) -> Any:
    """The X with A X = B, from the factors that `ldl_factor(A)` gives.

    >>> LD, pivots = torch.linalg.ldl_factor(torch.eye(2) * 2)
    >>> torch.linalg.ldl_solve(LD, pivots, torch.ones(2, 1))
    tensor([[0.5000],
            [0.5000]])

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.ldl_solve.html
    """
    name = "torch.linalg.ldl_solve"
    check_square(LD, name, "LD")
    if B.dim() < 2:
        raise RuntimeError(f"{name}: B must have at least 2 dimensions; its shape is {list(B.shape)}")
    if B.dtype != LD.dtype:
        raise RuntimeError(f"{name}: Expected LD and B to have the same dtype, but found {LD.dtype} and {B.dtype}")
    if pivots.shape != LD.shape[:-1]:
        raise RuntimeError(
            f"{name}: Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with shape "
            f"{list(pivots.shape)} instead"
        )
    if B.shape[-2] != LD.shape[-1]:
        raise RuntimeError(
            f"Incompatible matrix sizes for {name}: each LD is {LD.shape[-1]} by {LD.shape[-1]} but each B is "
            f"{B.shape[-2]} by {B.shape[-1]}"
        )
    return deliver(_Solve.apply(LD, pivots, B, hermitian), out)
