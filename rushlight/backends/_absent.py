"""What the modules of libraries that are not here answer."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

enabled = False


def is_available() -> bool:
    """False."""
    return False


def is_built() -> bool:
    """False."""
    return False


@contextlib.contextmanager
def flags(*args: Any, **kwargs: Any) -> Iterator[None]:
    """Nothing: there is no such library to switch."""
    yield
