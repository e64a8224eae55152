"""`torch.distributed.algorithms.join`: uneven inputs of several processes."""

from __future__ import annotations

from rushlight._later import absent_class

__all__ = ["Join", "JoinHook", "Joinable"]

_WHY = "the world has one process"
Join, Joinable, JoinHook = (
    absent_class(f"torch.distributed.algorithms.join.{name}", _WHY) for name in ("Join", "Joinable", "JoinHook")
)
