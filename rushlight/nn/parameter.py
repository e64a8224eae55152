"""Tensors that belong to a module: `Parameter` and `Buffer`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rushlight import _C

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Buffer", "Parameter"]


class Parameter(_C.Tensor):  # type: ignore[misc]
    """A tensor that a module counts among its parameters when it is set as an attribute.

    Args:
        data: the values (empty when left out). They are shared, not copied.
        requires_grad: whether to compute its gradient.

    Raises:
        RuntimeError: `requires_grad` of integers or bools.

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.parameter.Parameter.html
    """

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Parameter:
        if data is None:
            data = _C.empty(0)
        made: Parameter = _C.Tensor._make_subclass(cls, data.detach(), requires_grad)
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        if id(self) in memo:
            known: Parameter = memo[id(self)]
            return known
        made = type(self)(self.detach().clone(memory_format=_C.preserve_format), self.requires_grad)
        memo[id(self)] = made
        return made

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        from rushlight._tensor_str import _str

        return "Parameter containing:\n" + _str(self)

    def __reduce_ex__(self, protocol: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _rebuild_parameter, (self.detach(), self.requires_grad, {})


def _rebuild_parameter(data: Any, requires_grad: bool, backward_hooks: Any) -> Parameter:
    """What a pickled parameter calls; `backward_hooks` is there for PyTorch's files, and empty."""
    return Parameter(data, requires_grad)


class _BufferType(type):
    """Makes `isinstance(x, Buffer)` true for the plain tensors that `Buffer(...)` returns."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, _C.Tensor) and getattr(instance, "_is_buffer", False)


class Buffer(metaclass=_BufferType):
    """A tensor that a module counts among its buffers when it is set as an attribute.

    Args:
        data: the values (empty when left out).
        persistent: whether it is part of `state_dict`.

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.parameter.Buffer.html
    """

    persistent: bool

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        if data is None:
            data = _C.empty(0)
        made = data.detach().requires_grad_(data.requires_grad)
        made.persistent = persistent
        made._is_buffer = True
        return made


_C._set_parameter_type(Parameter)
