"""Which part of a tensor that is spread over processes a process would hold."""

from __future__ import annotations

from rushlight._later import absent_function

__all__ = ["compute_local_shape_and_global_offset"]

compute_local_shape_and_global_offset = absent_function(
    "torch.distributed.tensor.compute_local_shape_and_global_offset", "the world has one process"
)
