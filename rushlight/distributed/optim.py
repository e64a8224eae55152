"""`torch.distributed.optim`: its optimizers, which divide their state among processes, are not here."""

from rushlight._later import absent_class

__all__ = ["ZeroRedundancyOptimizer"]

ZeroRedundancyOptimizer = absent_class(
    "torch.distributed.optim.ZeroRedundancyOptimizer", "the world has one process; use the optimizer itself"
)
