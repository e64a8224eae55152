"""`torch.cpu`: the device that is there."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from rushlight._missing import module_getattr

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Event",
    "Stream",
    "current_device",
    "current_stream",
    "device_count",
    "is_available",
    "is_initialized",
    "set_device",
    "stream",
    "synchronize",
]


class Stream:
    """Stands for the order of work on the CPU, where everything is in order."""

    def __init__(self, priority: int = -1) -> None:
        pass

    def wait_stream(self, stream: Any) -> None:
        """Nothing to wait for."""


def is_available() -> bool:
    """True.

    >>> torch.cpu.is_available()
    True
    """
    return True


def is_initialized() -> bool:
    """True."""
    return True


def device_count() -> int:
    """1.

    >>> torch.cpu.device_count()
    1
    """
    return 1


def current_device() -> str:
    """ "cpu"."""
    return "cpu"


def set_device(device: Any) -> None:
    """Nothing: there is one."""


def synchronize(device: Any = None) -> None:
    """Nothing: every operation is done when it returns."""


def current_stream(device: Any = None) -> Stream:
    """The only stream."""
    return Stream()


class Event:
    """A mark in the order of work: everything before it is done."""

    def record(self, stream: Any = None) -> None:
        """Mark this place."""

    def wait(self, stream: Any = None) -> None:
        """Nothing to wait for."""

    def synchronize(self) -> None:
        """Nothing to wait for."""

    def query(self) -> bool:
        """True."""
        return True


@contextlib.contextmanager
def stream(stream: Any) -> Iterator[None]:
    """Nothing: there is one stream."""
    yield


StreamContext = stream


__getattr__ = module_getattr(__name__, ("amp",))
