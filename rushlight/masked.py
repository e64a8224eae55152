"""Reductions and normalisations that leave masked elements out: `mask` is True where an element counts.

Masks broadcast to the input. A place where nothing counts gets what the operation starts with: 0 for sums, 1 for
products, -inf for maxima, nan for means.

Reference: https://pytorch.org/docs/stable/masked.html
"""

from __future__ import annotations

import math
from typing import Any

from rushlight import _C
from rushlight._dims import wrapped
from rushlight._dtype_info import iinfo

__all__ = [
    "amax",
    "amin",
    "argmax",
    "argmin",
    "cumprod",
    "cumsum",
    "log_softmax",
    "logaddexp",
    "logsumexp",
    "mean",
    "median",
    "norm",
    "normalize",
    "prod",
    "softmax",
    "softmin",
    "std",
    "sum",
    "var",
]


def _is_inexact(dtype: Any) -> bool:
    return bool(dtype.is_floating_point or dtype.is_complex)


def _mask(input: Any, mask: Any) -> Any:
    """The mask as bools of the input's shape."""
    if mask.dim() > input.dim():
        raise IndexError(
            "_input_mask expected broadcastable mask (got mask dimensionality higher than of the input): "
            f"{tuple(mask.shape)} for {tuple(input.shape)}"
        )
    return mask.to(_C.bool).expand(input.shape)


def _filled(input: Any, mask: Any, value: Any) -> Any:
    """The input with `value` where the mask is False."""
    return input if mask is None else _C.where(_mask(input, mask), input, _C.tensor(value, dtype=input.dtype))


def _least(input: Any) -> Any:
    return -math.inf if input.dtype.is_floating_point or input.dtype.is_complex else iinfo(input.dtype).min


def _most(input: Any) -> Any:
    return math.inf if input.dtype.is_floating_point else iinfo(input.dtype).max


def _dims(dim: Any, ndim: int) -> tuple[int, ...]:
    if dim is None or dim == ():
        return tuple(range(ndim))
    dims = []
    for d in (dim,) if isinstance(dim, int) else dim:
        if (one := wrapped(d, ndim)) in dims:
            raise RuntimeError(f"dim={d} appears multiple times in the list of dims")
        dims.append(one)
    return tuple(sorted(dims))


def _widened(dtype: Any, input: Any) -> Any:
    if dtype is not None:
        return dtype
    small = (_C.uint8, _C.bool, _C.int8, _C.int16, _C.int32)
    return _C.int64 if input.dtype in small else input.dtype


def sum(input: Any, dim: Any = None, *, keepdim: bool | None = False, dtype: Any = None, mask: Any = None) -> Any:
    """The sum of the elements that count.

    >>> torch.masked.sum(torch.tensor([1., 2., 3.]), mask=torch.tensor([True, False, True]))
    tensor(4.)
    """
    dims = _dims(dim, input.dim())
    return _C.sum(_filled(input, mask, 0), dims, bool(keepdim), dtype=_widened(dtype, input))


def prod(input: Any, dim: Any = None, *, keepdim: bool | None = False, dtype: Any = None, mask: Any = None) -> Any:
    """The product of the elements that count.

    >>> torch.masked.prod(torch.tensor([2., 9., 3.]), mask=torch.tensor([True, False, True]))
    tensor(6.)
    """
    result = _filled(input, mask, 1).to(_widened(dtype, input))
    for d in reversed(_dims(dim, input.dim())):
        result = result.prod(d, bool(keepdim))
    return result


def cumsum(input: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """Running sums of the elements that count.

    >>> torch.masked.cumsum(torch.tensor([1., 9., 3.]), 0, mask=torch.tensor([True, False, True]))
    tensor([1., 1., 4.])
    """
    dtype = input.dtype if dtype is None else dtype
    return _C.cumsum(_filled(input, mask, 0), _dims(dim, input.dim())[0], dtype=dtype).to(dtype)


def cumprod(input: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """Running products of the elements that count.

    >>> torch.masked.cumprod(torch.tensor([2., 9., 3.]), 0, mask=torch.tensor([True, False, True]))
    tensor([2., 2., 6.])
    """
    dtype = input.dtype if dtype is None else dtype
    return _C.cumprod(_filled(input, mask, 1), _dims(dim, input.dim())[0], dtype=dtype).to(dtype)


def amax(input: Any, dim: Any = None, *, keepdim: bool | None = False, dtype: Any = None, mask: Any = None) -> Any:
    """The largest element that counts.

    >>> torch.masked.amax(torch.tensor([1., 9., 3.]), mask=torch.tensor([True, False, True]))
    tensor(3.)
    """
    result = _C.amax(_filled(input, mask, _least(input)), _dims(dim, input.dim()), bool(keepdim))
    return result if dtype is None else result.to(dtype)


def amin(input: Any, dim: Any = None, *, keepdim: bool | None = False, dtype: Any = None, mask: Any = None) -> Any:
    """The smallest element that counts.

    >>> torch.masked.amin(torch.tensor([1., 0., 3.]), mask=torch.tensor([True, False, True]))
    tensor(1.)
    """
    result = _C.amin(_filled(input, mask, _most(input)), _dims(dim, input.dim()), bool(keepdim))
    return result if dtype is None else result.to(dtype)


def argmax(
    input: Any, dim: int | None = None, *, keepdim: bool | None = False, dtype: Any = None, mask: Any = None
) -> Any:
    """Where the largest element is that counts, as a tensor of the input's dtype (or `dtype`).

    >>> torch.masked.argmax(torch.tensor([1., 9., 3.]), mask=torch.tensor([True, False, True]))
    tensor(2.)
    """
    result = _C.argmax(_filled(input, mask, _least(input)), dim, bool(keepdim))
    return result.to(input.dtype if dtype is None else dtype)


def argmin(
    input: Any, dim: int | None = None, *, keepdim: bool | None = False, dtype: Any = None, mask: Any = None
) -> Any:
    """Where the smallest element is that counts, as a tensor of the input's dtype (or `dtype`).

    >>> torch.masked.argmin(torch.tensor([1., 0., 3.]), mask=torch.tensor([True, False, True]))
    tensor(0.)
    """
    result = _C.argmin(_filled(input, mask, _most(input)), dim, bool(keepdim))
    return result.to(input.dtype if dtype is None else dtype)


def _count(input: Any, dim: Any, keepdim: bool, mask: Any) -> Any:
    """How many elements count."""
    ones = _C.ones(input.shape, dtype=_C.int64) if mask is None else _mask(input, mask)
    return ones.sum(_dims(dim, input.dim()), keepdim)


def mean(input: Any, dim: Any = None, *, keepdim: bool | None = False, dtype: Any = None, mask: Any = None) -> Any:
    """The mean of the elements that count.

    Raises:
        ValueError: the dtype is not floating point or complex.

    >>> torch.masked.mean(torch.tensor([1., 2., 3.]), mask=torch.tensor([True, False, True]))
    tensor(2.)
    """
    source, dtype = ("Input", input.dtype) if dtype is None else ("Optional", dtype)
    if not _is_inexact(dtype):
        raise ValueError(
            f"mean(): Could not infer output dtype. {source} dtype must be either a floating point or complex dtype. "
            f"Got: {dtype}"
        )
    return sum(input, dim, keepdim=keepdim, dtype=dtype, mask=mask) / _count(input, dim, bool(keepdim), mask)


def median(input: Any, dim: int = -1, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """The median (the lower of two) of the elements that count.

    Raises:
        ValueError: where nothing is masked, an element is nan.

    >>> torch.masked.median(torch.tensor([1., 9., 3.]), 0, mask=torch.tensor([True, False, True]))
    tensor(1.)
    """
    if dtype is None:
        dtype = input.dtype
    if not dtype.is_floating_point:
        dtype = _C.float32
    at = _dims(dim, input.dim())[0]
    if input.is_floating_point():
        kept = input if mask is None else _mask(input, mask)
        if bool((input.isnan() if mask is None else input.isnan() & kept).any()):
            raise ValueError("masked median expects no NaNs among the elements that count")
    values = _filled(input.to(dtype), mask, math.nan)
    return _C.nanmedian(values, at, keepdim).values


def norm(
    input: Any, ord: float | None = 2.0, dim: Any = None, *, keepdim: bool | None = False, dtype: Any = None,
    mask: Any = None,
) -> Any:  # fmt: skip
    """The vector norm of the elements that count.

    >>> torch.masked.norm(torch.tensor([3., 9., 4.]), 2., mask=torch.tensor([True, False, True]))
    tensor(5.)
    """
    from rushlight import linalg

    ord = 2.0 if ord is None else float(ord)
    value = math.inf if ord == -math.inf else 0
    filled = _filled(input, mask, value)
    return linalg.vector_norm(filled, ord, _dims(dim, input.dim()), bool(keepdim), dtype=dtype)


def _moments(input: Any, dim: Any, unbiased: bool | None, correction: Any, keepdim: bool, dtype: Any, mask: Any) -> Any:
    if unbiased is not None and correction is not None:
        raise AssertionError("Only one of unbiased and correction may be given")
    less = 1.0 if unbiased is None else float(unbiased)
    less = less if correction is None else float(correction)
    if dtype is None:
        dtype = input.dtype if _is_inexact(input.dtype) else _C.float32
    compute = dtype if _is_inexact(dtype) else _C.float32
    total = sum(input, dim, keepdim=True, dtype=dtype, mask=mask)
    difference = input - total / _count(input, dim, True, mask)
    squares = sum(difference * difference.conj(), dim, keepdim=keepdim, dtype=compute, mask=mask)
    count = _count(input, dim, keepdim, mask)
    if less != 0:
        real = squares.real.dtype if compute.is_complex else compute
        count = (count.to(real) - less).clamp(min=0)
    return (squares / count).to(dtype)


def var(
    input: Any, dim: Any = None, unbiased: bool | None = None, *, correction: Any = None,
    keepdim: bool | None = False, dtype: Any = None, mask: Any = None,
) -> Any:  # fmt: skip
    """The variance of the elements that count.

    >>> torch.masked.var(torch.tensor([1., 9., 3.]), mask=torch.tensor([True, False, True]))
    tensor(2.)
    """
    return _moments(input, dim, unbiased, correction, bool(keepdim), dtype, mask)


def std(
    input: Any, dim: Any = None, unbiased: bool | None = None, *, correction: Any = None,
    keepdim: bool | None = False, dtype: Any = None, mask: Any = None,
) -> Any:  # fmt: skip
    """The standard deviation of the elements that count.

    >>> torch.masked.std(torch.tensor([1., 9., 3.]), mask=torch.tensor([True, False, True]))
    tensor(1.4142)
    """
    return _moments(input, dim, unbiased, correction, bool(keepdim), dtype, mask).sqrt()


def softmax(input: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """exp(input) scaled to sum to 1 over the elements that count.

    >>> torch.masked.softmax(torch.tensor([1., 1., 9.]), 0, mask=torch.tensor([True, True, False]))
    tensor([0.5000, 0.5000, 0.0000])
    """
    filled = _filled(input, mask, _least(input))
    return _C.softmax(filled, _dims(dim, input.dim())[0], dtype=input.dtype if dtype is None else dtype)


def log_softmax(input: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """The logarithm of softmax over the elements that count.

    >>> torch.masked.log_softmax(torch.tensor([1., 1., 9.]), 0, mask=torch.tensor([True, True, False]))
    tensor([-0.6931, -0.6931,    -inf])
    """
    filled = _filled(input, mask, _least(input))
    return _C.log_softmax(filled, _dims(dim, input.dim())[0], dtype=input.dtype if dtype is None else dtype)


def softmin(input: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """softmax(-input) over the elements that count.

    >>> torch.masked.softmin(torch.tensor([1., 1., 9.]), 0, mask=torch.tensor([True, True, False]))
    tensor([0.5000, 0.5000, 0.0000])
    """
    filled = _filled(input, mask, _most(input))
    return _C.softmax(-filled, _dims(dim, input.dim())[0], dtype=input.dtype if dtype is None else dtype)


def logsumexp(input: Any, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """log(sum(exp(input))) of the elements that count.

    >>> torch.masked.logsumexp(torch.tensor([0., 9., 0.]), 0, mask=torch.tensor([True, False, True]))
    tensor(0.6931)
    """
    result = _C.logsumexp(_filled(input, mask, _least(input)), _dims(dim, input.dim()), keepdim)
    return result.to(input.dtype if dtype is None else dtype)


def logaddexp(input: Any, other: Any, *, dtype: Any = None, input_mask: Any = None, other_mask: Any = None) -> Any:
    """log(exp(input) + exp(other)), where each counts."""
    first, second = _filled(input, input_mask, _least(input)), _filled(other, other_mask, _least(other))
    return _C.logaddexp(first, second).to(input.dtype if dtype is None else dtype)


def normalize(input: Any, ord: float, dim: int, *, eps: float = 1e-12, dtype: Any = None, mask: Any = None) -> Any:
    """The input over the norm (at least eps) of the elements that count.

    >>> torch.masked.normalize(torch.tensor([3., 9., 4.]), 2., 0, mask=torch.tensor([True, False, True]))
    tensor([0.6000, 0.0000, 0.8000])
    """
    size = norm(input, ord, _dims(dim, input.dim())[0], keepdim=True, dtype=dtype, mask=mask)
    return _filled(input, mask, 0) / size.clamp(min=eps)


_REDUCTIONS = ("amax", "amin", "argmax", "argmin", "logsumexp", "mean", "median", "norm", "prod", "std", "sum", "var")


def _input_mask(input: Any, *args: Any, **kwargs: Any) -> Any:
    """The mask of an operation's input, as its keyword arguments give it."""
    if kwargs.get("mask") is None:
        raise ValueError("_input_mask requires explicit mask")
    return _mask(input, kwargs["mask"])


def _output_mask(op: Any, input: Any, *args: Any, **kwargs: Any) -> Any:
    """Where the result of an operation stands for any element that counts. PyTorch's samples of gradients ask for it."""
    mask = _input_mask(input, *args, **kwargs)
    if op.__name__ not in _REDUCTIONS:
        return mask
    place = 1 if op.__name__ == "norm" else 0
    dim = kwargs.get("dim", args[place] if len(args) > place else -1 if op.__name__ == "median" else None)
    return mask.to(_C.int64).sum(_dims(dim, input.dim()), bool(kwargs.get("keepdim", False))) > 0
