"""What the core's pickled objects call when they are loaded: the names of dtypes, functions and the like."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from rushlight import _C

__all__ = ["attribute", "generator", "made"]


def attribute(name: str) -> Any:
    """What torch.NAME is; NAME may have dots."""
    return attrgetter(name)(_C)


def generator(state: Any) -> Any:
    """A torch.Generator that goes on from that state."""
    return _C.Generator().set_state(state)


def made(name: str, argument: Any) -> Any:
    """torch.NAME(argument)."""
    return getattr(_C, name)(argument)
