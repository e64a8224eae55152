"""`torch.distributed.tensor.experimental`: what is tried out there for tensors that are spread over processes."""

from __future__ import annotations

from rushlight._later import absent_function

__all__ = ["context_parallel", "implicit_replication"]

_WHY = "the world has one process"
context_parallel, implicit_replication = (
    absent_function(f"torch.distributed.tensor.experimental.{name}", _WHY) for name in __all__
)
