"""`torch.ops.aten.NAME`: the operators of the core by their names in PyTorch's schema files; those of libraries beside them."""

from __future__ import annotations

import math
from typing import Any

from rushlight import _C
from rushlight._later import absent_function

__all__ = ["aten", "load_library"]


def _slice(self: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Any:
    return self[(slice(None),) * (dim % self.dim()) + (slice(start, end, step),)]


def _safe_softmax(self: Any, dim: int, dtype: Any = None) -> Any:
    """softmax, where a row of nothing but -inf gives zeros."""
    nothing = (self == -math.inf).all(dim, keepdim=True)
    return _C.where(nothing, 0.0, _C.where(nothing, 0.0, self).softmax(dim, dtype))


def _softmax_backward_data(grad_output: Any, output: Any, dim: int, input_dtype: Any) -> Any:
    if output.dtype.itemsize == 2:
        grad_output, output = grad_output.float(), output.float()
    weighted = grad_output * output
    return (weighted - output * weighted.sum(dim, keepdim=True)).to(input_dtype)


def _to_copy(self: Any, *, dtype: Any = None, device: Any = None, memory_format: Any = None, **options: Any) -> Any:
    options.pop("layout", None)
    options.pop("pin_memory", None)
    format = {} if memory_format is None else {"memory_format": memory_format}
    return self.to(device=device, dtype=dtype, copy=True, **options, **format)


def _index(self: Any, indices: Any) -> Any:
    return self[tuple(slice(None) if index is None else index for index in indices)]


# What PyTorch has under these names only.
_COMPOSED = {
    "_pin_memory": lambda self, device=None: self.pin_memory(),
    "_safe_softmax": _safe_softmax,
    "_softmax_backward_data": _softmax_backward_data,
    "_sparse_addmm": absent_function("torch.ops.aten._sparse_addmm", "there are no sparse tensors"),
    "_sparse_mm_reduce_impl": absent_function("torch.ops.aten._sparse_mm_reduce_impl", "there are no sparse tensors"),
    "_to_copy": _to_copy,
    "alias": lambda self: self.view(self.shape) if self.is_contiguous() else self[...],
    "index": _index,
    "slice": _slice,
}


class _Namespace:
    """Operators by name: each is made when it is first asked for, and kept."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, name: str) -> Any:
        op = None if name.startswith("__") else self._find(name)
        if op is None:
            raise AttributeError(f"'_OpNamespace' '{self.name}' object has no attribute '{name}'")
        made = _Operator(op, f"{self.name}.{name}")
        setattr(self, name, made)
        return made

    def _find(self, name: str) -> Any:
        if self.name == "aten":
            return _COMPOSED.get(name) or getattr(_C, name, None)
        from rushlight.library import find

        return find(f"{self.name}::{name}")


class _Operator:
    """An operator, or one of its overloads: each chooses by the arguments, as the operator itself does."""

    def __init__(self, op: Any, name: str, overload: bool = False) -> None:
        self._op = op
        self._name = name
        self._overload = overload
        self.__name__ = name.partition(".")[2]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._op(*args, **kwargs)

    def __getattr__(self, overload: str) -> Any:
        if overload.startswith("__") or self._overload:
            raise AttributeError(overload)
        made = _Operator(self._op, f"{self._name}.{overload}", overload=True)
        setattr(self, overload, made)
        return made

    def __str__(self) -> str:
        return self._name

    def __repr__(self) -> str:
        kind = "OpOverload" if self._overload else "OpOverloadPacket"
        return f"<{kind}(op='{self._name}')>"


aten = _Namespace("aten")
load_library = absent_function("torch.ops.load_library", "compiled operators are for another core")


def __getattr__(name: str) -> Any:
    """The operators of a library (see `torch.library`), by its name."""
    if name.startswith("__"):
        raise AttributeError(name)
    made = globals()[name] = _Namespace(name)
    return made
