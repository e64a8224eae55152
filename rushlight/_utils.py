"""Small helpers that libraries import from `torch._utils`."""

from __future__ import annotations

import sys
import traceback
from typing import Any, NoReturn

__all__ = ["ExceptionWrapper", "KeyErrorMessage"]


class KeyErrorMessage(str):
    """A text that KeyError prints as it is, lines and all."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


class ExceptionWrapper:
    """An exception and its traceback as text, to be raised again elsewhere: in another thread or process.

    Args:
        exc_info: of the exception; by default the one being handled.
        where: for the message, such as "in DataLoader worker process 0".
    """

    def __init__(self, exc_info: Any = None, where: str = "in background") -> None:
        if exc_info is None:
            exc_info = sys.exc_info()
        self.exc_type: Any = exc_info[0]
        self.exc_msg = "".join(traceback.format_exception(*exc_info))
        self.where = where

    def reraise(self) -> NoReturn:
        """Raise an exception of the same type; RuntimeError where its type cannot be made of a text alone."""
        text = f"Caught {self.exc_type.__name__} {self.where}.\nOriginal {self.exc_msg}"
        try:
            if issubclass(self.exc_type, KeyError):
                error = self.exc_type(KeyErrorMessage(text))
            elif getattr(self.exc_type, "message", None):
                error = self.exc_type(message=text)
            else:
                error = self.exc_type(text)
        except Exception:
            error = RuntimeError(text)
        raise error


def _flatten_dense_tensors(tensors: Any) -> Any:
    """The elements of several tensors in one row."""
    from rushlight import cat

    return cat([tensor.reshape(-1) for tensor in tensors]) if len(tensors) != 1 else tensors[0].reshape(-1)


def _unflatten_dense_tensors(flat: Any, tensors: Any) -> tuple[Any, ...]:
    """Parts of such a row, in the shapes of the tensors."""
    parts = flat.split([tensor.numel() for tensor in tensors])
    return tuple(part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True))
