"""`torch.nn.parallel.scatter_gather`: the older home of `scatter` and `gather`."""

from __future__ import annotations

from typing import Any

from rushlight.nn.parallel import gather, scatter

__all__ = ["gather", "scatter", "scatter_kwargs"]


def scatter_kwargs(inputs: Any, kwargs: Any, target_gpus: Any, dim: int = 0) -> tuple[Any, Any]:
    """The parts of positional and of keyword arguments for each device: all of them for the one there is."""
    parts = scatter(tuple(inputs or ()), target_gpus, dim), scatter(dict(kwargs or {}), target_gpus, dim)
    return tuple(parts[0]), tuple(parts[1])
