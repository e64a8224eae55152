"""Python's `multiprocessing`, with tensors that are sent through its queues and pipes in shared memory.

The receiver sees the same memory as the sender: nothing is copied, and what one writes the other reads.

Example:
    >>> import rushlight as torch
    >>> import rushlight.multiprocessing as mp
    >>> queue = mp.SimpleQueue()
    >>> x = torch.zeros(3)
    >>> queue.put(x)
    >>> queue.get().fill_(7)
    tensor([7., 7., 7.])
    >>> x
    tensor([7., 7., 7.])

Reference: https://pytorch.org/docs/stable/multiprocessing.html
"""

from __future__ import annotations

import multiprocessing
import sys
from multiprocessing import *  # noqa: F403

from rushlight._missing import module_getattr
from rushlight.multiprocessing.reductions import init_reductions
from rushlight.multiprocessing.spawn import (  # noqa: F401
    ENV_VAR_PARALLEL_START,
    ProcessContext,
    ProcessExitedException,
    ProcessRaisedException,
    SpawnContext,
    spawn,
    start_processes,
)

__all__ = [
    "set_sharing_strategy",
    "get_sharing_strategy",
    "get_all_sharing_strategies",
    *multiprocessing.__all__,  # type: ignore[attr-defined]
]

_STRATEGIES = {"file_descriptor", "file_system"} if sys.platform == "linux" else {"file_system"}
_strategy = "file_descriptor" if sys.platform == "linux" else "file_system"


def set_sharing_strategy(new_strategy: str) -> None:
    """Choose how memory is shared. All are the same here: files without names, that are never left behind."""
    global _strategy
    assert new_strategy in _STRATEGIES, f"expected one of {sorted(_STRATEGIES)}, got {new_strategy!r}"
    _strategy = new_strategy


def get_sharing_strategy() -> str:
    """The strategy that was set."""
    return _strategy


def get_all_sharing_strategies() -> set[str]:
    """The names that `set_sharing_strategy` takes."""
    return set(_STRATEGIES)


__getattr__ = module_getattr(__name__)


init_reductions()
