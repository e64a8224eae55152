"""Which DataLoader worker this process is."""

from __future__ import annotations

from typing import Any

__all__ = ["WorkerInfo", "get_worker_info", "set_worker_info"]

_info: WorkerInfo | None = None


class WorkerInfo:
    """Which worker this is.

    Attributes:
        id: from 0 to num_workers - 1.
        num_workers: how many share the work.
        seed: of this worker's generators.
        dataset: this process's copy.
    """

    __slots__ = ("dataset", "id", "num_workers", "rng", "seed", "worker_method")

    id: int
    num_workers: int
    seed: int
    dataset: Any

    def __init__(self, id: int, num_workers: int, seed: int, dataset: Any) -> None:
        values = (dataset, id, num_workers, None, seed, "multiprocessing")
        for name, value in zip(self.__slots__, values):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"cannot assign to field {name!r}")

    def __repr__(self) -> str:
        names = ("id", "num_workers", "seed", "dataset", "rng", "worker_method")
        return f"WorkerInfo({', '.join(f'{name}={getattr(self, name)!r}' for name in names)})"


def set_worker_info(info: WorkerInfo) -> None:
    """This process is that worker."""
    global _info
    _info = info


def get_worker_info() -> WorkerInfo | None:
    """Which DataLoader worker this process is: None in a process that is none.

    A stream asks for it to give its share only; a `worker_init_fn` to set up `.dataset`.

    Example:
        >>> from rushlight.utils.data import IterableDataset
        >>> class Range(IterableDataset):
        ...     def __iter__(self):
        ...         info = get_worker_info()
        ...         return iter(range(info.id, 10, info.num_workers) if info else range(10))
        >>> get_worker_info() is None
        True

    Reference: https://pytorch.org/docs/stable/data.html#torch.utils.data.get_worker_info
    """
    return _info
