"""`torch.ops.aten.NAME`: the operators of the core by their names in PyTorch's schema files."""

from __future__ import annotations

from typing import Any

from rushlight import _C

__all__ = ["aten"]


class _Namespace:
    """Operators by name; an overload (`torch.ops.aten.add.Tensor`) is the operator, which chooses by its arguments."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, name: str) -> Any:
        op = None if name.startswith("__") else getattr(_C, name, None)
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
