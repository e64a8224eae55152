"""`torch.mtia`: a kind of device that is not here, so that programs can ask."""

from __future__ import annotations

from typing import Any

from rushlight._missing import module_getattr

__all__ = [
    "current_device",
    "device_count",
    "empty_cache",
    "is_available",
    "manual_seed",
    "manual_seed_all",
    "synchronize",
]


def is_available() -> bool:
    """False."""
    return False


def is_initialized() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0."""
    return 0


def current_device() -> int:
    """There is none.

    Raises:
        AssertionError: always.
    """
    raise AssertionError("Torch not compiled with MTIA enabled: rushlight runs on the CPU")


def manual_seed(seed: int) -> None:
    """Nothing: there is no such device."""


def manual_seed_all(seed: int) -> None:
    """Nothing: there is no such device."""


def empty_cache() -> None:
    """Nothing: there is no such device."""


def synchronize(device: Any = None) -> None:
    """Nothing is under way on a device that is not there."""


__getattr__ = module_getattr(__name__)
