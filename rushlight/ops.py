"""`torch.ops.aten.NAME`: the operators of the core by their names in PyTorch's schema files."""

from __future__ import annotations

import math
from typing import Any

from rushlight import _C

__all__ = ["aten"]


def _slice(self: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Any:
    return self[(slice(None),) * (dim % self.dim()) + (slice(start, end, step),)]


def _safe_softmax(self: Any, dim: int, dtype: Any = None) -> Any:
    """softmax, where a row of nothing but -inf gives zeros."""
    nothing = (self == -math.inf).all(dim, keepdim=True)
    return _C.where(nothing, 0.0, _C.where(nothing, 0.0, self).softmax(dim, dtype))


def _softmax_backward_data(grad_output: Any, output: Any, dim: int, input_dtype: Any) -> Any:
    weighted = grad_output * output
    return (weighted - output * weighted.sum(dim, keepdim=True)).to(input_dtype)


# What PyTorch has under these names only.
_COMPOSED = {"slice": _slice, "_safe_softmax": _safe_softmax, "_softmax_backward_data": _softmax_backward_data}


class _Namespace:
    """Operators by name; an overload (`torch.ops.aten.add.Tensor`) is the operator, which chooses by its arguments."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, name: str) -> Any:
        op = None if name.startswith("__") else _COMPOSED.get(name) or getattr(_C, name, None)
        if op is None:
            raise AttributeError(f"'_OpNamespace' '{self.name}' object has no attribute '{name}'")
        return _Operator(op)


class _Operator:
    def __init__(self, op: Any) -> None:
        self._op = op
        self.__name__ = op.__name__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._op(*args, **kwargs)

    def __getattr__(self, overload: str) -> Any:
        if overload.startswith("__"):
            raise AttributeError(overload)
        return self

    def __repr__(self) -> str:
        return f"<OpOverloadPacket(op='aten.{self.__name__}')>"


aten = _Namespace("aten")
