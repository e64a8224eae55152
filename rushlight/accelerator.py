"""`torch.accelerator`: whichever device stands beside the CPU. There is none."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = [
    "current_accelerator",
    "current_device_index",
    "current_device_idx",
    "current_stream",
    "device_count",
    "device_index",
    "empty_cache",
    "get_device_capability",
    "get_memory_info",
    "is_available",
    "max_memory_allocated",
    "max_memory_reserved",
    "memory_allocated",
    "memory_reserved",
    "memory_stats",
    "reset_accumulated_memory_stats",
    "reset_peak_memory_stats",
    "set_device_index",
    "set_device_idx",
    "set_stream",
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
get_device_capability = get_memory_info = memory_allocated = memory_reserved = memory_stats = set_stream = _none
max_memory_allocated = max_memory_reserved = reset_peak_memory_stats = reset_accumulated_memory_stats = _none


class device_index:
    """Chooses a device within it: None chooses nothing."""

    def __init__(self, device: int | None) -> None:
        self.idx = device

    def __enter__(self) -> None:
        if self.idx is not None:
            _none()

    def __exit__(self, *error: Any) -> None:
        pass


def empty_cache() -> None:
    """Nothing: there is no accelerator."""
