"""The order in which a dataset is read. Under the same seed the orders are PyTorch's."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

from rushlight import _C

__all__ = [
    "BatchSampler",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "SubsetRandomSampler",
    "WeightedRandomSampler",
]

T = TypeVar("T", covariant=True)


def draw_seed(generator: Any = None) -> int:
    """A seed from `generator` or the default one, below 2**63."""
    drawn: int = _C.empty((), dtype=_C.int64).random_(generator=generator).item()
    return drawn


class Sampler(Generic[T]):
    """Base of samplers: `__iter__` gives indices, or lists of indices; `__len__` is how many.

    Example:
        >>> class Backwards(Sampler[int]):
        ...     def __init__(self, data):
        ...         self.data = data
        ...
        ...     def __iter__(self):
        ...         return iter(range(len(self.data) - 1, -1, -1))

    Reference: https://pytorch.org/docs/stable/data.html#torch.utils.data.Sampler
    """

    def __init__(self, data_source: Any = None) -> None:
        pass

    def __iter__(self) -> Iterator[T]:
        raise NotImplementedError


class SequentialSampler(Sampler[int]):
    """0, 1, 2, ...

    Example:
        >>> list(SequentialSampler("abc"))
        [0, 1, 2]

    Reference: https://pytorch.org/docs/stable/data.html#torch.utils.data.SequentialSampler
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """The indices in random order, or draws with replacement.

    Args:
        data_source: what is read; its length counts.
        replacement: draw each index anew.
        num_samples: how many to draw; by default the length of the data.
        generator: the source of randomness. Without one, the default generator gives the seed of a fresh one each time.

    Raises:
        ValueError: num_samples is not positive, so also for empty data.

    Example:
        >>> list(RandomSampler("abcd", generator=torch.Generator().manual_seed(0)))
        [0, 1, 3, 2]

    Reference: https://pytorch.org/docs/stable/data.html#torch.utils.data.RandomSampler
    """

    def __init__(
        self, data_source: Sized, replacement: bool = False, num_samples: int | None = None, generator: Any = None
    ) -> None:
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator
        if not isinstance(replacement, bool):
            raise TypeError(f"replacement should be a boolean value, but got replacement={replacement}")
        if not isinstance(self.num_samples, int) or self.num_samples <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={self.num_samples}")

    @property
    def num_samples(self) -> int:
        """How many indices an iteration gives; follows the data where no number was given."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def _source(self) -> Any:
        """The generator that an iteration draws from."""
        return self.generator if self.generator is not None else _C.Generator().manual_seed(draw_seed())

    def __iter__(self) -> Iterator[int]:
        n = len(self.data_source)
        source = self._source()
        if self.replacement:
            # In draws of 32, the last of them possibly of none: that is how PyTorch consumes the stream.
            for size in [32] * (self.num_samples // 32) + [self.num_samples % 32]:
                yield from _C.randint(0, n, (size,), dtype=_C.int64, generator=source).tolist()
        else:
            for _ in range(self.num_samples // n):
                yield from _C.randperm(n, generator=source).tolist()
            # Drawn even where none of it is needed: what comes next from the generator depends on it.
            yield from _C.randperm(n, generator=source).tolist()[: self.num_samples % n]

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given indices in random order.

    Args:
        indices: what to draw from, each once.
        generator: the source of randomness; the default generator if None.

    Example:
        >>> sorted(SubsetRandomSampler([3, 5, 8]))
        [3, 5, 8]

    Reference: https://pytorch.org/docs/stable/data.html#torch.utils.data.SubsetRandomSampler
    """

    def __init__(self, indices: Sequence[int], generator: Any = None) -> None:
        self.indices = indices
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        for i in _C.randperm(len(self.indices), generator=self.generator).tolist():
            yield self.indices[i]

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """Indices drawn with probabilities in proportion to the weights.

    Args:
        weights: one for each index; they need not sum to 1.
        num_samples: how many to draw.
        replacement: whether an index can come twice.
        generator: the source of randomness; the default generator if None.

    Example:
        >>> list(WeightedRandomSampler([0, 0, 1.5], 3))
        [2, 2, 2]

    Reference: https://pytorch.org/docs/stable/data.html#torch.utils.data.WeightedRandomSampler
    """

    def __init__(
        self, weights: Sequence[float], num_samples: int, replacement: bool = True, generator: Any = None
    ) -> None:
        if not isinstance(num_samples, int) or isinstance(num_samples, bool) or num_samples <= 0:
            raise ValueError(f"num_samples should be a positive integer value, but got num_samples={num_samples}")
        if not isinstance(replacement, bool):
            raise ValueError(f"replacement should be a boolean value, but got replacement={replacement}")
        self.weights = _C.as_tensor(weights, dtype=_C.float64)
        if self.weights.dim() != 1:
            raise ValueError(
                f"weights should be a 1d sequence but given weights have shape {tuple(self.weights.shape)}"
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def __iter__(self) -> Iterator[int]:
        yield from _C.multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator).tolist()

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Lists of `batch_size` indices from another sampler.

    Args:
        sampler: gives indices; any iterable.
        batch_size: how many make a batch.
        drop_last: leave out the last batch if it is shorter.

    Example:
        >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
        [[0, 1], [2, 3], [4]]

    Reference: https://pytorch.org/docs/stable/data.html#torch.utils.data.BatchSampler
    """

    def __init__(self, sampler: Sampler[int] | Iterable[int], batch_size: int, drop_last: bool) -> None:
        if not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size <= 0:
            raise ValueError(f"batch_size should be a positive integer value, but got batch_size={batch_size}")
        if not isinstance(drop_last, bool):
            raise ValueError(f"drop_last should be a boolean value, but got drop_last={drop_last}")
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        indices = iter(self.sampler)
        while batch := list(itertools.islice(indices, self.batch_size)):
            if not self.drop_last or len(batch) == self.batch_size:
                yield batch

    def __len__(self) -> int:
        n = len(self.sampler)  # type: ignore[arg-type]
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)
