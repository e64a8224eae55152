"""Norms, products of vectors, and condition numbers."""

from __future__ import annotations

import math
from typing import Any

from rushlight import _C
from rushlight.linalg._decompositions import singular_values
from rushlight.linalg._tools import check_float, check_matrix, deliver

matmul = _C.linalg_matmul
vecdot = _C.linalg_vecdot
vector_norm = _C.linalg_vector_norm


def diagonal(A: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """The diagonals of matrices, as a view.

    >>> torch.linalg.diagonal(torch.arange(8).view(2, 2, 2))
    tensor([[0, 3],
            [4, 7]])
    """
    return A.diagonal(offset, dim1, dim2)


def cross(input: Any, other: Any, *, dim: int = -1, out: Any = None) -> Any:
    """The cross product of vectors of three along dim.

    >>> torch.linalg.cross(torch.tensor([1., 0., 0.]), torch.tensor([0., 1., 0.]))
    tensor([0., 0., 1.])
    """
    if input.dim() != other.dim():
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    if input.shape[dim] != 3 or other.shape[dim] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {input.shape[dim]} and {other.shape[dim]}"
        )
    from rushlight._composite import find

    return deliver(find("cross")(input, other, dim=dim), out)


def vander(x: Any, N: int | None = None) -> Any:
    """Rows of powers 1, x, x**2, ... up to x**(N-1).

    >>> torch.linalg.vander(torch.tensor([2., 3.]), N=3)
    tensor([[1., 2., 4.],
            [1., 3., 9.]])
    """
    if x.dtype in (_C.bool, _C.float16, _C.bfloat16):
        kind = {_C.bool: "Bool", _C.float16: "Half"}.get(x.dtype, "BFloat16")
        raise RuntimeError(f"linalg.vander supports floating point, complex, and integer tensors, but got {kind}")
    x = x.unsqueeze(0) if x.dim() == 0 else x
    count = x.shape[-1] if N is None else N
    if count < 2:
        raise RuntimeError("N must be greater than 1.")
    return _C.cat([_C.ones_like(x).unsqueeze(-1), x.unsqueeze(-1).expand(*x.shape, count - 1).cumprod(-1)], -1)


def _largest(values: Any, dim: int, keepdim: bool) -> Any:
    """The largest value along an axis, 0 where there is none."""
    return values.amax(dim, keepdim) if values.shape[dim] else values.sum(dim, keepdim)


def matrix_norm(
    A: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None, out: Any = None
) -> Any:
    """A norm of matrices: "fro", "nuc", inf, -inf, 1, -1, 2 or -2.

    >>> x = torch.tensor([[3., 0.], [0., 4.]])
    >>> torch.linalg.matrix_norm(x), torch.linalg.matrix_norm(x, 2)
    (tensor(5.), tensor(4.))

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.matrix_norm.html
    """
    check_float(A, "linalg.matrix_norm", short=True)
    if A.dim() < 2:
        raise RuntimeError("linalg.matrix_norm: The input tensor A must have at least 2 dimensions.")
    if len(dim) != 2:
        raise RuntimeError("linalg.matrix_norm: dim must be a 2-tuple.")
    rows, columns = (d % A.dim() for d in dim)
    if rows == columns:
        raise RuntimeError(f"linalg.matrix_norm: dims must be different. Got ({dim[0]}, {dim[1]})")
    if dtype is not None:
        A = A.to(dtype)
    if ord == "fro":
        return deliver(vector_norm(A, 2, [rows, columns], keepdim), out)
    if ord == "nuc" or ord in (2, -2):
        check_float(A, "linalg.matrix_norm")
        values = singular_values(A.movedim((rows, columns), (-2, -1)))
        found = values.sum(-1) if ord == "nuc" else _largest(values, -1, False) if ord == 2 else values.amin(-1)
        if keepdim:
            for d in sorted((rows, columns)):
                found = found.unsqueeze(d)
        return deliver(found, out)
    if ord not in (1, -1, math.inf, -math.inf):
        raise RuntimeError(f"linalg.matrix_norm: Order {ord} not supported.")
    inner, outer = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = vector_norm(A, 1, [inner], True)
    found = _largest(sums, outer, True) if ord > 0 else sums.amin(outer, True)
    if not keepdim:
        for d in sorted((rows, columns), reverse=True):
            found = found.squeeze(d)
    return deliver(found, out)


def norm(A: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, out: Any = None) -> Any:
    """The norm of vectors (one dim), of matrices (two), or of all elements.

    >>> torch.linalg.norm(torch.tensor([3., 4.])), torch.linalg.norm(torch.eye(2), "nuc")
    (tensor(5.), tensor(2.))

    Reference: https://pytorch.org/docs/stable/generated/torch.linalg.norm.html
    """
    dims = [dim] if isinstance(dim, int) else None if dim is None else list(dim)
    if ord is not None:
        if dims is not None and len(dims) not in (1, 2):
            raise RuntimeError("linalg.norm: If dim is specified, it must be of length 1 or 2.")
        if dims is None and A.dim() not in (1, 2):
            raise RuntimeError("linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D.")
        if (len(dims) if dims is not None else A.dim()) == 2:
            return matrix_norm(A, ord, dims or (0, 1), keepdim, dtype=dtype, out=out)
        if isinstance(ord, str):
            raise RuntimeError(f"linalg.norm: Order {ord} not supported: 'fro' and 'nuc' are norms of matrices.")
    return deliver(vector_norm(A, 2 if ord is None else ord, dims, keepdim, dtype=dtype), out)


def cond(A: Any, p: Any = None, *, out: Any = None) -> Any:
    """How much solving with A amplifies errors: the norm of A times the norm of its inverse.

    Args:
        p: None or 2 (from the singular values), -2, "fro", "nuc", inf, -inf, 1 or -1.

    >>> torch.linalg.cond(torch.tensor([[1., 0.], [0., 100.]])).round(decimals=3)
    tensor(100.)
    """
    check_matrix(A, "linalg.cond")
    if p not in (None, "fro", "nuc", 2, -2, 1, -1, math.inf, -math.inf):
        raise RuntimeError(f"linalg.cond got an invalid norm type: {p}")
    if A.numel() == 0:
        return deliver(A.new_zeros(A.shape[:-2], dtype=A.dtype.to_real()), out)
    if p is None or p in (2, -2):
        values = singular_values(A)
        largest, smallest = values[..., 0], values[..., -1]
        return deliver(smallest / largest if p == -2 else largest / smallest, out)
    from rushlight.linalg._solvers import inv_ex

    inverse, info = inv_ex(A)
    inverse = _C.where((info > 0)[..., None, None], A, inverse)
    return deliver((matrix_norm(A, p) * matrix_norm(inverse, p)).masked_fill(info > 0, math.inf), out)
