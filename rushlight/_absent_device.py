"""What the modules of devices that are not here share: `torch.mps`, `torch.mtia`, `torch.xpu` answer, and do nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "device_count",
    "empty_cache",
    "is_available",
    "is_initialized",
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


def manual_seed(seed: int) -> None:
    """Nothing: there is no such device."""


def manual_seed_all(seed: int) -> None:
    """Nothing: there is no such device."""


def empty_cache() -> None:
    """Nothing: there is no such device."""


def synchronize(device: Any = None) -> None:
    """Nothing is under way on a device that is not there."""


def no_current_device(kind: str) -> Callable[[], NoReturn]:
    """The `current_device` of such a module."""

    def current_device() -> NoReturn:
        """There is none.

        Raises:
            AssertionError: always.
        """
        raise AssertionError(f"Torch not compiled with {kind} enabled: rushlight runs on the CPU")

    return current_device
