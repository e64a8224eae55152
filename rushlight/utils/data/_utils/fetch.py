"""From indices to batches: what a loader does in its own process, and each worker in its."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rushlight import _C
from rushlight.utils.data._utils.collate import default_collate
from rushlight.utils.data.dataset import IterableDataset, Subset, TensorDataset, samples_of

__all__ = ["fetcher", "gatherer", "index_tensor"]


def fetcher(
    dataset: Any, batched: bool, collate_fn: Callable[[Any], Any], drop_last: bool, stream: bool | None = None
) -> Callable[[Any], Any]:
    """From indices to a batch, or from an index to a sample; StopIteration where a stream has ended.

    `stream` says that the data set is gone through; else its class does.
    """
    if isinstance(dataset, IterableDataset) if stream is None else stream:
        return _from_stream(iter(dataset), batched, collate_fn, drop_last)
    if not batched:
        return lambda index: collate_fn(dataset[index])
    return gatherer(dataset, collate_fn) or (lambda indices: collate_fn(samples_of(dataset, indices)))


def _from_stream(stream: Any, batched: bool, join: Callable[[Any], Any], drop_last: bool) -> Callable[[Any], Any]:
    """From places of a batch, or of a sample, to what comes next."""

    def fetch(places: Any) -> Any:
        if not batched:
            return join(next(stream))
        data = [sample for _, sample in zip(places, stream)]
        if not data or (drop_last and len(data) < len(places)):
            raise StopIteration
        return join(data)

    return fetch


def gatherer(dataset: Any, collate_fn: Callable[[Any], Any]) -> Callable[[Any], Any] | None:
    """From indices to a batch in one step, where the data are tensors and nobody's own code sees single samples."""
    if collate_fn is not default_collate:
        return None
    whole = dataset
    tables = []
    while isinstance(dataset, Subset):
        own = type(dataset)
        if own.__getitem__ is not Subset.__getitem__ or own.__getitems__ is not Subset.__getitems__:
            return None
        table = index_tensor(dataset.indices)
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
            found = index_tensor(indices)
            if found is None:
                return default_collate(samples_of(whole, indices))
            indices = found
        for table in tables:
            indices = table[indices]
        if type(indices) is slice:  # a copy: a batch may be written to
            return [tensor[indices].clone().contiguous() for tensor in tensors]
        return [tensor[indices].contiguous() for tensor in tensors]

    return gather


def index_tensor(indices: Any) -> Any:
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
