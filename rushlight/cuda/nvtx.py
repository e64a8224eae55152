"""Marks for NVIDIA's profiler: there is none, as in a PyTorch without CUDA."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["mark", "range", "range_end", "range_pop", "range_push", "range_start"]


def _refuse(*args: Any, **kwargs: Any) -> NoReturn:
    """There is no such profiler.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError("NVTX functions not installed. Are you sure you have a CUDA build?")


mark = range_push = range_pop = range_start = range_end = _refuse


@contextlib.contextmanager
def range(msg: str, *args: Any, **kwargs: Any) -> Iterator[None]:
    """Refuses as well."""
    _refuse()
    yield
