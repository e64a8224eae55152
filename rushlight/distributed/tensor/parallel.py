"""`torch.distributed.tensor.parallel`: plans for layers that are spread over processes. Plans can be made, not carried out."""

from __future__ import annotations

from typing import Any

from rushlight._later import absent_function

__all__ = [
    "ColwiseParallel",
    "ParallelStyle",
    "PrepareModuleInput",
    "PrepareModuleInputOutput",
    "PrepareModuleOutput",
    "RowwiseParallel",
    "SequenceParallel",
    "loss_parallel",
    "parallelize_module",
]

_WHY = "the world has one process"
loss_parallel, parallelize_module = (
    absent_function(f"torch.distributed.tensor.parallel.{name}", _WHY)
    for name in ("loss_parallel", "parallelize_module")
)


class ParallelStyle:
    """What is to be done with a layer: the options are kept as attributes."""

    src_data_rank: int | None = 0

    def __init__(self, **options: Any) -> None:
        vars(self).update(options)

    _apply = absent_function("torch.distributed.tensor.parallel.ParallelStyle", _WHY)


class ColwiseParallel(ParallelStyle):
    """The outputs of a linear layer, cut up."""


class RowwiseParallel(ParallelStyle):
    """The inputs of a linear layer, cut up."""


class SequenceParallel(ParallelStyle):
    """The positions, cut up."""


class PrepareModuleInput(ParallelStyle):
    """How a layer wants its inputs."""


class PrepareModuleOutput(ParallelStyle):
    """How a layer gives its outputs."""


class PrepareModuleInputOutput(ParallelStyle):
    """Both."""
