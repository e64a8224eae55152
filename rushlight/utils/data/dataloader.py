"""`DataLoader`: batches of a dataset, in the order of a sampler."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar, cast

from rushlight import _C
from rushlight.utils.data._utils.collate import default_collate, default_convert
from rushlight.utils.data.dataset import Dataset, IterableDataset, Subset, TensorDataset, samples_of
from rushlight.utils.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, draw_seed

__all__ = ["DataLoader", "default_collate", "default_convert", "get_worker_info"]

T = TypeVar("T", covariant=True)


def get_worker_info() -> None:
    """None: samples are loaded in the process that asks for them.

    Example:
        >>> get_worker_info() is None
        True

    Reference: https://pytorch.org/docs/stable/data.html#torch.utils.data.get_worker_info
    """


class _Endless(Sampler[None]):
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
        num_workers: accepted; the samples are loaded in this process.
        collate_fn: makes a batch of the list of samples; by default `default_collate`.
        drop_last: leave out the last batch if it is shorter.
        generator: the source of randomness of shuffling; by default the default generator gives the seed.
        pin_memory, timeout, worker_init_fn, multiprocessing_context, prefetch_factor, persistent_workers,
            pin_memory_device, in_order: checked as PyTorch does, and without effect.

    Raises:
        ValueError: options that exclude each other or are out of range.

    Example:
        >>> loader = DataLoader(TensorDataset(torch.arange(5), torch.arange(5) * 10), batch_size=2)
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
                sampler = _Endless()
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

    @property
    def multiprocessing_context(self) -> Any:
        """What was given, checked; nothing uses it."""
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
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        return self.sampler if self.batch_sampler is None else self.batch_sampler

    def __iter__(self) -> Iterator[Any]:
        return _BatchIterator(self)

    def __len__(self) -> int:
        if not self._stream:
            return len(self._index_sampler)
        length: int = len(self.dataset)  # type: ignore[arg-type]
        self._promised = length
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else -(-length // self.batch_size)


_FIXED = frozenset({"batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers"})


class _BatchIterator:
    """One pass of a loader."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._index_sampler = loader._index_sampler
        # In this order: the sampler may draw when it is asked for an iterator; then comes the number that PyTorch
        # seeds its workers with, drawn so that the generator goes on as it does there; then the stream begins.
        gather = _gatherer(loader)
        indices = iter(self._index_sampler) if gather is None else _index_batches(self._index_sampler)
        self._base_seed = draw_seed(loader.generator)
        if loader.timeout > 0 and loader.num_workers == 0:
            raise AssertionError(f"a timeout needs num_workers > 0, but got timeout={loader.timeout} and num_workers=0")
        self._batches = map(gather or (_from_stream if loader._stream else _from_samples)(loader), indices)

    def __iter__(self) -> _BatchIterator:
        return self

    def __next__(self) -> Any:
        return next(self._batches)

    def __len__(self) -> int:
        return len(self._index_sampler)


def _from_samples(loader: DataLoader[Any]) -> Callable[[Any], Any]:
    """From indices to a batch, or from an index to a sample."""
    dataset, join = loader.dataset, loader.collate_fn
    if loader.batch_sampler is None:
        return lambda index: join(dataset[index])
    return lambda indices: join(samples_of(dataset, indices))


def _from_stream(loader: DataLoader[Any]) -> Callable[[Any], Any]:
    """From places of a batch, or of a sample, to what comes next; StopIteration ends the pass."""
    stream, join, promised = iter(loader.dataset), loader.collate_fn, loader._promised  # type: ignore[call-overload]
    given = 0

    def fetch(places: Any) -> Any:
        nonlocal given
        if places is None:
            data = next(stream)
        else:
            data = [sample for _, sample in zip(places, stream)]
            if not data or (loader.drop_last and len(data) < len(places)):
                raise StopIteration
        batch = join(data)
        given += 1
        if promised is not None and given > promised:
            warnings.warn(
                f"Length of IterableDataset {loader.dataset} was reported to be {promised} "
                f"(when accessing len(dataloader)), but {given} samples have been fetched.",
                stacklevel=3,
            )
        return batch

    return fetch


# ---- a batch in one step -----------------------------------------------------------------------------------------


def _gatherer(loader: DataLoader[Any]) -> Callable[[Any], Any] | None:
    """A function from indices to a batch, where the data are tensors and nobody's own code sees single samples."""
    if loader.collate_fn is not default_collate or loader.batch_sampler is None or loader._stream:
        return None
    dataset: Any = loader.dataset
    tables = []
    while isinstance(dataset, Subset):
        own = type(dataset)
        if own.__getitem__ is not Subset.__getitem__ or own.__getitems__ is not Subset.__getitems__:
            return None
        table = _index_tensor(dataset.indices)
        if table is None:
            return None
        tables.append(table)
        dataset = dataset.dataset
    if not isinstance(dataset, TensorDataset) or type(dataset).__getitem__ is not TensorDataset.__getitem__:
        return None
    if hasattr(dataset, "__getitems__") or any(type(tensor) is not _C.Tensor for tensor in dataset.tensors):
        return None
    tensors = dataset.tensors

    def gather(indices: Any) -> Any:
        if type(indices) is not slice:
            found = _index_tensor(indices)
            if found is None:
                return default_collate(samples_of(loader.dataset, indices))
            indices = found
        for table in tables:
            indices = table[indices]
        if type(indices) is slice:  # a copy: a batch may be written to
            return [tensor[indices].clone().contiguous() for tensor in tensors]
        return [tensor[indices].contiguous() for tensor in tensors]

    return gather


def _index_tensor(indices: Any) -> Any:
    """The indices as a tensor; None where they are something else than a row of integers."""
    if type(indices) is _C.Tensor:
        return indices if indices.dtype is _C.int64 and indices.dim() == 1 else None
    if isinstance(indices, (list, tuple)) and set(map(type, indices)) != {int}:
        return None
    try:
        tensor = _C.as_tensor(list(indices) if isinstance(indices, range) else indices)
    except (TypeError, ValueError, RuntimeError):
        return None
    return tensor if tensor.dtype is _C.int64 and tensor.dim() == 1 else None


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
