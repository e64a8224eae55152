"""`torch.accelerator`: whichever device stands beside the CPU. There is none."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = [
    "current_accelerator",
    "current_device_index",
    "current_device_idx",
    "current_stream",
    "device_count",
    "empty_cache",
    "is_available",
    "set_device_index",
    "set_device_idx",
    "synchronize",
]


def is_available() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def current_accelerator(check_available: bool = False) -> None:
    """None: there is none."""


def _none(*args: Any, **kwargs: Any) -> NoReturn:
    """There is no accelerator.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError("Cannot access accelerator device when none is available: rushlight runs on the CPU")


current_device_index = current_device_idx = set_device_index = set_device_idx = current_stream = synchronize = _none


def empty_cache() -> None:
    """Nothing: there is no accelerator."""
