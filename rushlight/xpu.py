"""`torch.xpu`: a kind of device that is not here, so that programs can ask."""

from __future__ import annotations

from rushlight._absent_device import (
    device_count,
    empty_cache,
    is_available,
    is_initialized,
    manual_seed,
    manual_seed_all,
    synchronize,
)
from rushlight._missing import module_getattr

__all__ = [
    "current_device",
    "device_count",
    "empty_cache",
    "is_available",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
    "synchronize",
]


def current_device() -> int:
    """There is none.

    Raises:
        AssertionError: always.
    """
    raise AssertionError("Torch not compiled with XPU enabled: rushlight runs on the CPU")


__getattr__ = module_getattr(__name__)
