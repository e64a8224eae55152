"""Which process would write what."""

from rushlight.distributed.checkpoint import DefaultLoadPlanner, DefaultSavePlanner

__all__ = ["DefaultLoadPlanner", "DefaultSavePlanner"]
