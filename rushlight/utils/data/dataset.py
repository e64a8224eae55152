"""Datasets: what a sample is, and ways to put datasets together."""

from __future__ import annotations

import bisect
import itertools
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Generic, TypeVar

from rushlight import _C

__all__ = [
    "ChainDataset",
    "ConcatDataset",
    "Dataset",
    "IterableDataset",
    "StackDataset",
    "Subset",
    "TensorDataset",
    "random_split",
]

T = TypeVar("T", covariant=True)


class Dataset(Generic[T]):
    """Base of datasets that are read by index: write `__getitem__`, and `__len__` for the samplers.

    A method `__getitems__(indices)` that gives the list of samples of a batch is used where there is one.

    Example:
        >>> class Squares(Dataset):
        ...     def __len__(self):
        ...         return 100
        ...
        ...     def __getitem__(self, i):
        ...         return torch.tensor(i * i)

    Reference: https://pytorch.org/docs/stable/data.html#torch.utils.data.Dataset
    """

    def __getitem__(self, index: Any) -> T:
        raise NotImplementedError(f"{type(self).__name__} is a Dataset and should implement __getitem__")

    def __add__(self, other: Dataset[Any]) -> Any:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[T], Iterable[T]):
    """Base of datasets that are streams: write `__iter__`.

    Example:
        >>> class Lines(IterableDataset):
        ...     def __iter__(self):
        ...         yield from open("data.txt")

    Reference: https://pytorch.org/docs/stable/data.html#torch.utils.data.IterableDataset
    """

    def __add__(self, other: Dataset[Any]) -> Any:
        return ChainDataset([self, other])


class TensorDataset(Dataset[tuple[Any, ...]]):
    """Sample i is the tuple of the rows i of the tensors.

    `DataLoader` takes the rows of a batch out of each tensor in one step, not sample by sample.

    Args:
        tensors: of the same length.

    Raises:
        AssertionError: the lengths differ.

    Example:
        >>> TensorDataset(torch.tensor([[1.0], [2.0]]), torch.tensor([0, 1]))[1]
        (tensor([2.]), tensor(1))

    Reference: https://pytorch.org/docs/stable/data.html#torch.utils.data.TensorDataset
    """

    tensors: tuple[Any, ...]

    def __init__(self, *tensors: Any) -> None:
        sizes = [tensor.size(0) for tensor in tensors]
        if any(size != sizes[0] for size in sizes):
            raise AssertionError(f"Size mismatch between tensors: their first sizes are {sizes}")
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Any, ...]:
        return tuple([tensor[index] for tensor in self.tensors])

    def __len__(self) -> int:
        size: int = self.tensors[0].size(0)
        return size


class StackDataset(Dataset[Any]):
    """Sample i is the tuple (or, with keywords, the dict) of the samples i of the datasets.

    Args:
        args: datasets of the same length, for tuples.
        kwargs: the same, for dicts.

    Raises:
        ValueError: no dataset, both kinds, or lengths that differ.

    Example:
        >>> StackDataset(image=[10, 20], label=["a", "b"])[0]
        {'image': 10, 'label': 'a'}

    Reference: https://pytorch.org/docs/stable/data.html#torch.utils.data.StackDataset
    """

    datasets: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if args and kwargs:
            raise ValueError("StackDataset: give datasets by position (tuples) or by keyword (dicts), not both")
        if not args and not kwargs:
            raise ValueError("StackDataset: at least one dataset should be passed")
        self.datasets = args or kwargs
        sizes = [len(dataset) for dataset in args or kwargs.values()]
        self._length: int = sizes[0]
        if any(size != sizes[0] for size in sizes):
            raise ValueError(f"Size mismatch between datasets: their lengths are {sizes}")

    def __getitem__(self, index: Any) -> Any:
        if isinstance(self.datasets, dict):
            return {name: dataset[index] for name, dataset in self.datasets.items()}
        return tuple([dataset[index] for dataset in self.datasets])

    def __getitems__(self, indices: list[Any]) -> list[Any]:
        named = isinstance(self.datasets, dict)
        columns = []
        for dataset in self.datasets.values() if named else self.datasets:
            column = samples_of(dataset, indices)
            if len(column) != len(indices):
                raise ValueError(
                    f"Nested dataset's output size mismatch. Expected {len(indices)}, got {len(column)} samples"
                )
            columns.append(column)
        rows = zip(*columns)
        return [dict(zip(self.datasets, row)) for row in rows] if named else list(rows)

    def __len__(self) -> int:
        return self._length


class ConcatDataset(Dataset[T]):
    """The samples of one dataset after those of another; `a + b` makes one too.

    Args:
        datasets: at least one, none of them a stream.

    Raises:
        AssertionError: there is none, or one is an IterableDataset.

    Example:
        >>> ConcatDataset([[1, 2], [3]])[2]
        3

    Reference: https://pytorch.org/docs/stable/data.html#torch.utils.data.ConcatDataset
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets: list[Any] = list(datasets)
        if not self.datasets:
            raise AssertionError("datasets should not be an empty iterable")
        if any(isinstance(dataset, IterableDataset) for dataset in self.datasets):
            raise AssertionError("ConcatDataset does not support IterableDataset; ChainDataset joins streams")
        self.cumulative_sizes = self.cumsum(self.datasets)

    @staticmethod
    def cumsum(sequence: Iterable[Any]) -> list[int]:
        """Where each dataset ends."""
        return list(itertools.accumulate(len(dataset) for dataset in sequence))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, idx: int) -> T:
        if idx < 0:
            if -idx > len(self):
                raise ValueError(
                    f"absolute value of index should not exceed dataset length: index {idx}, length {len(self)}"
                )
            idx += len(self)
        which = bisect.bisect_right(self.cumulative_sizes, idx)
        before = self.cumulative_sizes[which - 1] if which else 0
        sample: T = self.datasets[which][idx - before]
        return sample


class ChainDataset(IterableDataset[Any]):
    """One stream after another; `a + b` of streams makes one too.

    Args:
        datasets: streams.

    Raises:
        AssertionError: when it comes to a dataset that is not an IterableDataset.

    Example:
        >>> class Count(IterableDataset):
        ...     def __iter__(self):
        ...         yield from range(2)
        >>> list(ChainDataset([Count(), Count()]))
        [0, 1, 0, 1]

    Reference: https://pytorch.org/docs/stable/data.html#torch.utils.data.ChainDataset
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = datasets

    def _streams(self) -> Iterator[Any]:
        for dataset in self.datasets:
            if not isinstance(dataset, IterableDataset):
                raise AssertionError("ChainDataset only supports IterableDataset; ConcatDataset joins the others")
            yield dataset

    def __iter__(self) -> Iterator[Any]:
        return itertools.chain.from_iterable(self._streams())

    def __len__(self) -> int:
        return sum(len(dataset) for dataset in self._streams())


class Subset(Dataset[T]):
    """The samples of a dataset at some indices.

    Args:
        dataset: the whole.
        indices: which samples.

    Raises:
        NotImplementedError: a subclass with its own `__getitem__` lacks a `__getitems__` to go with it.

    Example:
        >>> list(Subset("abcd", [3, 0]))
        ['d', 'a']

    Reference: https://pytorch.org/docs/stable/data.html#torch.utils.data.Subset
    """

    dataset: Any
    indices: Sequence[int]

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        own = type(self)
        if own.__getitem__ is not Subset.__getitem__ and own.__getitems__ is Subset.__getitems__:
            raise NotImplementedError(
                f"{own.__name__} overrides __getitem__ but not __getitems__, which DataLoader calls; the shortest is "
                "def __getitems__(self, indices): return [self[i] for i in indices]"
            )
        self.dataset = dataset
        self.indices = indices

    def __getitem__(self, idx: Any) -> T:
        sample: T = self.dataset[[self.indices[i] for i in idx] if isinstance(idx, list) else self.indices[idx]]
        return sample

    def __getitems__(self, indices: list[Any]) -> list[T]:
        return samples_of(self.dataset, [self.indices[i] for i in indices])

    def __len__(self) -> int:
        return len(self.indices)


def samples_of(dataset: Any, indices: Any) -> Any:
    """The samples of a batch, in one call where the dataset can."""
    several = getattr(dataset, "__getitems__", None)
    return several(indices) if several else [dataset[i] for i in indices]


def random_split(
    dataset: Any, lengths: Sequence[int | float], generator: Any = _C.default_generator
) -> list[Subset[Any]]:
    """Deal the samples of a dataset at random into parts that do not overlap.

    Args:
        dataset: what to split.
        lengths: of the parts, or their fractions, which sum to 1; samples left by rounding go to the first parts.
        generator: the source of randomness.

    Raises:
        ValueError: the lengths do not sum to that of the dataset, or a fraction is not between 0 and 1.

    Example:
        >>> train, test = random_split(range(10), [0.8, 0.2], generator=torch.Generator().manual_seed(42))
        >>> list(test)
        [3, 7]

    Reference: https://pytorch.org/docs/stable/data.html#torch.utils.data.random_split
    """
    total = len(dataset)
    whole = sum(lengths)
    if math.isclose(whole, 1) and whole <= 1:
        sizes = []
        for i, fraction in enumerate(lengths):
            if not 0 <= fraction <= 1:
                raise ValueError(f"Fraction at index {i} is not between 0 and 1: {fraction}")
            sizes.append(math.floor(total * fraction))
        for i in range(total - sum(sizes)):
            sizes[i % len(sizes)] += 1
        for i, size in enumerate(sizes):
            if size == 0:
                warnings.warn(
                    f"Length of split at index {i} is 0. This might result in an empty dataset.", stacklevel=2
                )
    else:
        sizes = list(lengths)  # type: ignore[arg-type]
    if sum(sizes) != total:
        raise ValueError(
            "Sum of input lengths does not equal the length of the input dataset! "
            f"The lengths {list(lengths)} sum to {whole}, the dataset has {total} samples"
        )
    order = _C.randperm(total, generator=generator).tolist()
    ends = itertools.accumulate(sizes)
    return [Subset(dataset, order[end - size : end]) for end, size in zip(ends, sizes)]
