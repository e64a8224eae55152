"""Datasets, samplers, and the loader that makes batches of them.

Reference: https://pytorch.org/docs/stable/data.html
"""

from __future__ import annotations

from typing import Any, NoReturn

from rushlight._missing import no_attribute
from rushlight.utils.data._utils.collate import default_collate, default_convert
from rushlight.utils.data.dataloader import DataLoader, get_worker_info
from rushlight.utils.data.dataset import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)
from rushlight.utils.data.distributed import DistributedSampler
from rushlight.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

__all__ = [
    "BatchSampler",
    "ChainDataset",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "DistributedSampler",
    "IterableDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "StackDataset",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "default_collate",
    "default_convert",
    "get_worker_info",
    "random_split",
]

_DATAPIPES = (
    "DataChunk", "argument_validation", "guaranteed_datapipes_determinism", "non_deterministic", "runtime_validation", "runtime_validation_disabled",
)  # fmt: skip


def _refuse(name: str) -> NoReturn:
    raise NotImplementedError(
        f"torch.utils.data.{name}: rushlight has no datapipes; write a Dataset or an IterableDataset"
    )


def __getattr__(name: str) -> Any:
    if name in ("DFIterDataPipe", "IterDataPipe", "MapDataPipe", "functional_datapipe"):
        from rushlight.utils.data import datapipes

        return getattr(datapipes, name)
    if name in _DATAPIPES:
        _refuse(name)
    raise no_attribute(__name__, name, globals())
