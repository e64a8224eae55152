"""Compositions that compare, look up and replace values."""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight._composite import composite


def _inexact(t: Any) -> bool:
    return bool(t.dtype.is_floating_point or t.dtype.is_complex)


@composite("isclose(Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False) -> Tensor")
def isclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> Any:
    """Where |input - other| <= atol + rtol * |other|; infinities equal themselves, NaN only with equal_nan.

    Reference: https://pytorch.org/docs/stable/generated/torch.isclose.html
    """
    if input.dtype != other.dtype:
        raise RuntimeError(f"{input.dtype} did not match {other.dtype}")
    if rtol < 0:
        raise RuntimeError(f"rtol must be greater than or equal to zero, but got {rtol}")
    if atol < 0:
        raise RuntimeError(f"atol must be greater than or equal to zero, but got {atol}")
    close = input == other
    if equal_nan and _inexact(input):
        close = close | (input.isnan() & other.isnan())
    if rtol == 0 and atol == 0:
        return close
    if input.dtype == _C.bool:
        input, other = input.to(_C.int64), other.to(_C.int64)
    if not _inexact(input):
        input, other = input.to(_C.get_default_dtype()), other.to(_C.get_default_dtype())
    difference = (input - other).abs()
    return close | (difference.isfinite() & (difference <= atol + (rtol * other).abs()))


@composite("allclose(Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False) -> bool")
def allclose(input: Any, other: Any, rtol: float = 1e-5, atol: float = 1e-8, equal_nan: bool = False) -> bool:
    """Whether isclose is true everywhere.

    Reference: https://pytorch.org/docs/stable/generated/torch.allclose.html
    """
    return bool(isclose(input, other, rtol, atol, equal_nan).all())


@composite("take_along_dim(Tensor self, Tensor indices, int? dim=None) -> Tensor")
def take_along_dim(input: Any, indices: Any, dim: int | None = None, *, out: Any = None) -> Any:
    """Elements at indices along dim (the other dimensions broadcast), or of the flattened input.

    Reference: https://pytorch.org/docs/stable/generated/torch.take_along_dim.html
    """
    if indices.dtype != _C.int64:
        raise RuntimeError(f"torch.take_along_dim(): dtype of indices should be Long but got {indices.dtype}")
    if dim is None:
        result = input.reshape(-1).gather(0, indices.reshape(-1))
    else:
        if input.dim() != indices.dim():
            raise RuntimeError(
                "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
                f"{input.dim()} dimensions for input, and {indices.dim()} dimensions for indices"
            )
        from rushlight._composite.shapes import broadcast_shapes

        if not -input.dim() <= dim < input.dim():
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-input.dim()}, {input.dim() - 1}], but got {dim})"
            )
        dim %= input.dim()
        if indices.numel() and indices.min() < 0:
            indices = _C.where(indices < 0, indices + input.shape[dim], indices)
        one = [1 if d == dim else n for d, n in enumerate(input.shape)]
        other = [1 if d == dim else n for d, n in enumerate(indices.shape)]
        common = list(broadcast_shapes(one, other))
        wide = [*common[:dim], input.shape[dim], *common[dim + 1 :]]
        result = input.expand(wide).gather(dim, indices.expand([*common[:dim], indices.shape[dim], *common[dim + 1 :]]))
    return result if out is None else _C._write_out(out, result)


@composite("float_power(Tensor self, Tensor exponent) -> Tensor")
def float_power(input: Any, exponent: Any, *, out: Any = None) -> Any:
    """input to the power of exponent, in float64 (or complex128).

    Reference: https://pytorch.org/docs/stable/generated/torch.float_power.html
    """

    def is_complex(value: Any) -> bool:
        return bool(value.dtype.is_complex) if isinstance(value, _C.Tensor) else isinstance(value, complex)

    dtype = _C.complex128 if is_complex(input) or is_complex(exponent) else _C.float64
    base = input.to(dtype) if isinstance(input, _C.Tensor) else _C.tensor(input, dtype=dtype)
    power = exponent.to(dtype) if isinstance(exponent, _C.Tensor) else exponent
    return base.pow(power) if out is None else _C.pow(base, power, out=out)


@composite("float_power_(Tensor(a!) self, Tensor exponent) -> Tensor(a!)", function=False)
def float_power_(input: Any, exponent: Any) -> Any:
    """float_power in place; the tensor must be float64 or complex128."""
    result = float_power(input, exponent)
    if input.dtype != result.dtype:
        raise RuntimeError(
            f"the base given to float_power_ has dtype {input.dtype} but the operation's result requires dtype {result.dtype}"
        )
    return input.copy_(result)


@composite("nan_to_num(Tensor self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor")
def nan_to_num(
    input: Any, nan: float | None = None, posinf: float | None = None, neginf: float | None = None, *, out: Any = None
) -> Any:
    """NaN replaced by nan (0), infinities by posinf and neginf (the largest and smallest numbers of the dtype).

    Reference: https://pytorch.org/docs/stable/generated/torch.nan_to_num.html
    """
    if not _inexact(input):
        result = input.clone()
    elif input.dtype.is_complex:
        result = _C.complex(nan_to_num(input.real, nan, posinf, neginf), nan_to_num(input.imag, nan, posinf, neginf))
    else:
        limits = _C.finfo(input.dtype)
        result = input.masked_fill(input.isnan(), 0.0 if nan is None else nan)
        result = result.masked_fill(input == float("inf"), limits.max if posinf is None else posinf)
        result = result.masked_fill(input == float("-inf"), limits.min if neginf is None else neginf)
    return result if out is None else _C._write_out(out, result)
