"""`Variable`, the name of tensors in old code."""

from __future__ import annotations

import warnings
from typing import Any

from rushlight import _C

__all__ = ["Variable", "VariableMeta"]


class VariableMeta(type):
    """Takes every tensor for an instance, and makes tensors."""

    def __instancecheck__(cls, other: Any) -> bool:
        return isinstance(other, _C.Tensor)

    def __call__(cls, data: Any = None, requires_grad: bool = False, volatile: bool = False) -> Any:
        if volatile and requires_grad:
            raise ValueError("Variable can't be volatile and require_grad at the same time!")
        if volatile:
            warnings.warn(
                "volatile was removed and now has no effect. Use `with torch.no_grad():` instead.", stacklevel=2
            )
        if data is None:
            return _C.tensor([], requires_grad=requires_grad)
        if not isinstance(data, _C.Tensor):
            raise TypeError(
                f"Variable data has to be a tensor, but got {type(data).__name__}: torch.tensor(data) makes one"
            )
        return data.detach().requires_grad_(requires_grad)


class Variable(metaclass=VariableMeta):
    """`Variable(tensor)` is the tensor without its history.

    >>> x = torch.autograd.Variable(torch.ones(2), requires_grad=True)
    >>> x, isinstance(x, torch.autograd.Variable)
    (tensor([1., 1.], requires_grad=True), True)
    """
