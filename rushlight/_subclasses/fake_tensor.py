"""Tensors that stand for others while a program is traced. There are none."""

from __future__ import annotations

from typing import Any

from rushlight._later import absent_class

__all__ = ["FakeTensor", "FakeTensorMode", "is_fake"]

_WHY = 'programs are not traced; tensors of the device "meta" have shapes and no data'
FakeTensor, FakeTensorMode = (
    absent_class(f"torch._subclasses.{name}", _WHY) for name in ("FakeTensor", "FakeTensorMode")
)


def is_fake(x: Any) -> bool:
    """False."""
    return False
