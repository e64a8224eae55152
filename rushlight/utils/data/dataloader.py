"""`DataLoader`: batches of a dataset, in the order of a sampler."""

from __future__ import annotations

import itertools
import os
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar, cast

from rushlight import _C
from rushlight.utils.data._utils.collate import default_collate, default_convert
from rushlight.utils.data._utils.fetch import fetcher, gatherer
from rushlight.utils.data._utils.info import get_worker_info
from rushlight.utils.data.dataset import Dataset, IterableDataset
from rushlight.utils.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, draw_seed

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]

T = TypeVar("T", covariant=True)
_collate_fn_t = Callable[[list[Any]], Any]


class _DatasetKind:
    Map = 0
    Iterable = 1


class _InfiniteConstantSampler(Sampler[None]):
    """What stands for indices where the dataset is a stream."""

    def __iter__(self) -> Iterator[None]:
        while True:
            yield None


class DataLoader(Generic[T]):
    """Iterates over a dataset in batches. Each `iter()` starts again, with a new order if it shuffles.

    Args:
        dataset: read by index, or a stream (`IterableDataset`).
        batch_size: how many samples make a batch; None gives single samples.
        shuffle: in random order.
        sampler: gives the indices instead.
        batch_sampler: gives lists of indices, one for each batch, instead.
        num_workers: how many processes load the samples; 0: this one does. The rows of a `TensorDataset` (or of a `Subset`
            of one) are taken in this process whatever the number, for that is faster than to send them from another.
        collate_fn: makes a batch of the list of samples; by default `default_collate`.
        drop_last: leave out the last batch if it is shorter.
        timeout: for a batch from the workers, in seconds; 0: none.
        worker_init_fn: called in each worker with its number, when its generators have been seeded.
        multiprocessing_context: how processes are made: "fork", "spawn", "forkserver" or a context of `multiprocessing`.
        generator: the source of randomness of shuffling and of the workers' seeds; by default the default generator
            gives the seed.
        prefetch_factor: how many batches each worker makes ahead; 2 by default.
        persistent_workers: keep the workers from one pass to the next.
        in_order: False gives batches as they are done.
        pin_memory, pin_memory_device: without effect: there is no device to copy to.

    Raises:
        ValueError: options that exclude each other or are out of range.
        RuntimeError: a worker ended, or took longer than the timeout. An error in a worker is raised with its own type,
            and with the worker's traceback in the message.

    Example:
        >>> import rushlight as torch
        >>> data = torch.utils.data.TensorDataset(torch.arange(5), torch.arange(5) * 10)
        >>> loader = torch.utils.data.DataLoader(data, batch_size=2)
        >>> for x, y in loader:
        ...     print(x, y)
        tensor([0, 1]) tensor([ 0, 10])
        tensor([2, 3]) tensor([20, 30])
        tensor([4]) tensor([40])

    Reference: https://pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader
    """

    dataset: Dataset[T]
    batch_size: int | None
    num_workers: int
    sampler: Any
    batch_sampler: Any
    _initialized = False
    _iterator: Any = None

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[Any] | Iterable[Any] | None = None,
        batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, timeout, prefetch_factor, persistent_workers)
        stream = isinstance(dataset, IterableDataset)
        if stream:
            for name, value in (("shuffle", shuffle or None), ("sampler", sampler), ("batch_sampler", batch_sampler)):
                if value is not None:
                    raise ValueError(
                        f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
                    )
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")

        if sampler is None:
            if stream:
                sampler = _InfiniteConstantSampler()
            else:
                sampler = RandomSampler(dataset, generator=generator) if shuffle else SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(cast("Iterable[int]", sampler), batch_size, drop_last)
        if collate_fn is None:
            collate_fn = default_convert if batch_sampler is None else default_collate

        self.dataset = dataset
        self.batch_size = batch_size
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.num_workers = num_workers
        self.collate_fn = collate_fn
        self.pin_memory = pin_memory
        self.drop_last = drop_last
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.generator = generator
        self.prefetch_factor = 2 if num_workers > 0 and prefetch_factor is None else prefetch_factor
        self.persistent_workers = persistent_workers
        self.pin_memory_device = pin_memory_device
        self.in_order = in_order
        self._stream = stream
        self._promised: int | None = None  # what len() said of a stream
        self._initialized = True
        _suggest_workers(num_workers)

    @property
    def multiprocessing_context(self) -> Any:
        """What was given, as a context; None means that of `multiprocessing`."""
        return self._multiprocessing_context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: Any) -> None:
        if context is not None:
            import multiprocessing
            from multiprocessing.context import BaseContext

            if self.num_workers == 0:
                raise ValueError(
                    "multiprocessing_context can only be used with multi-process loading (num_workers > 0), "
                    "but got num_workers=0"
                )
            if isinstance(context, str):
                methods = multiprocessing.get_all_start_methods()
                if context not in methods:
                    raise ValueError(
                        f"multiprocessing_context option should specify a valid start method in {methods!r}, "
                        f"but got multiprocessing_context={context!r}"
                    )
                context = multiprocessing.get_context(context)
            if not isinstance(context, BaseContext):
                raise TypeError(
                    "multiprocessing_context option should be a valid context object or a string specifying the start "
                    f"method, but got multiprocessing_context={context}"
                )
        self._multiprocessing_context = context

    def __setattr__(self, name: str, value: Any) -> None:
        if self._initialized and name in _FIXED:
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    @property
    def _dataset_kind(self) -> int:
        return _DatasetKind.Iterable if self._stream else _DatasetKind.Map

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def __iter__(self) -> Iterator[Any]:
        if not (self.persistent_workers and self.num_workers):
            return self._begin()
        if self._iterator is None or not self._iterator._usable():
            self._iterator = self._begin()
        else:
            self._iterator._reset(self)
        return cast("Iterator[Any]", self._iterator)

    def _begin(self) -> _BaseDataLoaderIter:
        gather = None if self.batch_sampler is None else gatherer(self.dataset, self.collate_fn)
        if self.num_workers == 0:
            return _SingleProcessDataLoaderIter(self, gather)
        if gather is not None and self.worker_init_fn is None:  # nobody could tell that there are no workers
            return _GatheringDataLoaderIter(self, gather)
        return _MultiProcessingDataLoaderIter(self)

    def __len__(self) -> int:
        if not self._stream:
            return len(self._index_sampler)
        length: int = len(self.dataset)  # type: ignore[arg-type]
        self._promised = length
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else -(-length // self.batch_size)


def _check_workers(num_workers: int, timeout: float, prefetch_factor: int | None, persistent_workers: bool) -> None:
    if num_workers < 0:
        raise ValueError(f"num_workers option should be non-negative, but got {num_workers}")
    if timeout < 0:
        raise ValueError(f"timeout option should be non-negative, but got {timeout}")
    if num_workers == 0 and prefetch_factor is not None:
        raise ValueError("prefetch_factor option could only be specified with num_workers > 0")
    if prefetch_factor is not None and prefetch_factor < 0:
        raise ValueError(f"prefetch_factor option should be non-negative, but got {prefetch_factor}")
    if persistent_workers and num_workers == 0:
        raise ValueError("persistent_workers option needs num_workers > 0")


def _suggest_workers(count: int) -> None:
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or count
    if count > cpus:
        warnings.warn(
            f"This DataLoader will create {count} worker processes in total. Our suggested max number of worker in "
            f"current system is {cpus}: more of them share the CPUs, and each takes memory.",
            stacklevel=3,
        )


_FIXED = frozenset({"batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"})


class _BaseDataLoaderIter:
    """One pass of a loader; with persistent workers, one after the other."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._dataset = loader.dataset
        self._index_sampler = loader._index_sampler
        self._promised = getattr(loader, "_promised", None)  # libraries pass loaders of their own
        self._given = 0
        if loader.pin_memory:
            warnings.warn(
                "'pin_memory' argument is set as true but no accelerator is found, then device pinned memory won't "
                "be used.",
                stacklevel=4,
            )

    def _next(self) -> Any:
        raise NotImplementedError

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        batch = self._next()
        self._given += 1
        if self._promised is not None and self._given > self._promised:
            warnings.warn(
                f"Length of IterableDataset {self._dataset} was reported to be {self._promised} "
                f"(when accessing len(dataloader)), but {self._given} samples have been fetched.",
                stacklevel=2,
            )
        return batch

    def __len__(self) -> int:
        return len(self._index_sampler)


# In all of these the sampler, which may draw when it is asked for an iterator, comes first; then the seed of the workers
# is drawn, with or without workers: so the generators go on as they do in PyTorch.


class _SingleProcessDataLoaderIter(_BaseDataLoaderIter):
    """Loads the samples in this process."""

    def __init__(self, loader: DataLoader[Any], gather: Callable[[Any], Any] | None = None) -> None:
        super().__init__(loader)
        indices = iter(self._index_sampler) if gather is None else _index_batches(self._index_sampler)
        self._base_seed = draw_seed(loader.generator)
        if loader.timeout > 0:
            raise AssertionError(f"a timeout needs num_workers > 0, but got timeout={loader.timeout} and num_workers=0")
        stream = loader._dataset_kind == _DatasetKind.Iterable
        fetch = gather or fetcher(loader.dataset, loader._auto_collation, loader.collate_fn, loader.drop_last, stream)
        self._batches = map(fetch, indices)

    def _next(self) -> Any:
        return next(self._batches)


class _WorkersDataLoaderIter(_BaseDataLoaderIter):
    """What passes with workers have in common."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        if not loader.prefetch_factor:
            raise AssertionError("prefetch_factor must be greater than 0 for MultiProcessingDataLoaderIter")
        iter(self._index_sampler)  # PyTorch asks twice in the first pass
        self._base_seed = draw_seed(loader.generator)

    def _reset(self, loader: DataLoader[Any]) -> None:
        """Begin another pass."""
        self._given = 0
        self._promised = loader._promised

    def _usable(self) -> bool:
        return True


class _GatheringDataLoaderIter(_WorkersDataLoaderIter):
    """In place of workers, where making a batch is one step and sending it between processes would take longer.

    It asks the sampler for indices when the workers would need them.
    """

    def __init__(self, loader: DataLoader[Any], gather: Callable[[Any], Any]) -> None:
        super().__init__(loader)
        self._gather = gather
        self._ahead = loader.num_workers * cast("int", loader.prefetch_factor)
        self._reset(loader)

    def _reset(self, loader: DataLoader[Any]) -> None:
        super()._reset(loader)
        self._indices = _index_batches(self._index_sampler)
        self._asked = deque(itertools.islice(self._indices, self._ahead))

    def _next(self) -> Any:
        if not self._asked:
            raise StopIteration
        batch = self._gather(self._asked.popleft())
        self._asked.extend(itertools.islice(self._indices, 1))
        return batch


class _MultiProcessingDataLoaderIter(_WorkersDataLoaderIter):
    """Has the samples loaded by workers."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        from rushlight.utils.data._utils.processes import WorkerPool

        self._pool = WorkerPool(loader, self._base_seed)
        self._reset(loader)

    def _reset(self, loader: DataLoader[Any]) -> None:
        super()._reset(loader)
        self._pool.start(iter(self._index_sampler))

    def _usable(self) -> bool:
        return self._pool.usable()

    def _next(self) -> Any:
        return self._pool.next()


def _index_batches(batch_sampler: Any) -> Iterator[Any]:
    """The batches of indices, as tensors or slices where they come from our own samplers."""
    sampler = batch_sampler.sampler if type(batch_sampler) is BatchSampler else None
    if type(sampler) is SequentialSampler:
        return _slices(len(sampler), batch_sampler.batch_size, batch_sampler.drop_last)
    if type(sampler) is RandomSampler and not sampler.replacement and sampler.num_samples == len(sampler.data_source):
        return _permuted(sampler, batch_sampler.batch_size, batch_sampler.drop_last)
    return iter(batch_sampler)


def _slices(n: int, size: int, drop_last: bool) -> Iterator[slice]:
    end = n - n % size if drop_last else n
    for start in range(0, end, size):
        yield slice(start, min(start + size, n))


def _permuted(sampler: RandomSampler, size: int, drop_last: bool) -> Iterator[Any]:
    n = len(sampler.data_source)
    source = sampler._source()
    order = _C.randperm(n, generator=source)
    full = n - n % size
    for start in range(0, full, size):
        yield order[start : start + size]
    if sampler.generator is not None:
        _C.randperm(n, generator=source)  # as RandomSampler does when it has given its last index
    if full < n and not drop_last:
        yield order[full:]
