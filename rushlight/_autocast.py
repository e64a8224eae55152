"""What autocast is for the functions that are written in Python; the core casts what its own operations take."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, TypeVar

from rushlight import _C

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["in_float32"]

_F = TypeVar("_F", bound="Callable[..., Any]")


def in_float32(function: _F) -> _F:
    """Marks a function that autocast runs in float32: its bfloat16 and float16 tensors are cast, within it nothing is."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        if not _C._autocast_on():
            return function(*args, **kwargs)
        from rushlight.amp import autocast

        with autocast("cpu", enabled=False):
            return function(*map(_wide, args), **{name: _wide(value) for name, value in kwargs.items()})

    return call  # type: ignore[return-value]


def _wide(value: Any) -> Any:
    if isinstance(value, _C.Tensor) and value.dtype in (_C.bfloat16, _C.float16):
        return value.float()
    if isinstance(value, (list, tuple)) and any(isinstance(item, _C.Tensor) for item in value):
        return type(value)(map(_wide, value))
    return value
