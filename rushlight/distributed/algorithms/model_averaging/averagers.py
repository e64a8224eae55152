"""Averages of models over processes."""

from __future__ import annotations

from rushlight._later import absent_class

__all__ = ["ModelAverager", "PeriodicModelAverager"]

_WHY = "the world has one process"
ModelAverager, PeriodicModelAverager = (
    absent_class(f"torch.distributed.algorithms.model_averaging.averagers.{name}", _WHY)
    for name in ("ModelAverager", "PeriodicModelAverager")
)
