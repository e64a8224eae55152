"""The share of one process in a dataset."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, TypeVar

from rushlight import _C
from rushlight.utils.data.sampler import Sampler

__all__ = ["DistributedSampler"]

T = TypeVar("T", covariant=True)


class DistributedSampler(Sampler[T]):
    """Deals the indices out to processes, the same number to each, and gives those of one of them.

    Call `set_epoch` before each pass, or every pass has the same order.

    Args:
        dataset: what is read; its length counts.
        num_replicas, rank: how many processes, and which this is; by default as `torch.distributed` says.
        shuffle: in random order.
        seed: of the order; the same in all processes.
        drop_last: leave out what does not divide evenly, instead of giving some samples twice.

    Raises:
        ValueError: the rank is not below num_replicas, or they are left out and no process group was begun.

    Example:
        >>> list(DistributedSampler(range(5), num_replicas=2, rank=0, shuffle=False))
        [0, 2, 4]

    Reference: https://pytorch.org/docs/stable/data.html#torch.utils.data.distributed.DistributedSampler
    """

    def __init__(
        self,
        dataset: Any,
        num_replicas: int | None = None,
        rank: int | None = None,
        shuffle: bool = True,
        seed: int = 0,
        drop_last: bool = False,
    ) -> None:
        if num_replicas is None or rank is None:
            from rushlight import distributed

            num_replicas = distributed.get_world_size() if num_replicas is None else num_replicas
            rank = distributed.get_rank() if rank is None else rank
        if rank >= num_replicas or rank < 0:
            raise ValueError(f"Invalid rank {rank}, rank should be in the interval [0, {num_replicas - 1}]")
        self.dataset = dataset
        self.num_replicas = num_replicas
        self.rank = rank
        self.epoch = 0
        self.drop_last = drop_last
        count = len(dataset)
        if drop_last and count % num_replicas:
            self.num_samples = math.ceil((count - num_replicas) / num_replicas)
        else:
            self.num_samples = math.ceil(count / num_replicas)
        self.total_size = self.num_samples * num_replicas
        self.shuffle = shuffle
        self.seed = seed

    def __iter__(self) -> Iterator[T]:
        count = len(self.dataset)
        if self.shuffle:
            generator = _C.Generator().manual_seed(self.seed + self.epoch)
            indices = _C.randperm(count, generator=generator).tolist()
        else:
            indices = list(range(count))
        if not self.drop_last and indices:
            indices = (indices * math.ceil(self.total_size / len(indices)))[: self.total_size]
        yield from indices[self.rank : self.total_size : self.num_replicas]

    def __len__(self) -> int:
        return self.num_samples

    def set_epoch(self, epoch: int) -> None:
        """Which pass comes: each has its own order."""
        self.epoch = epoch
