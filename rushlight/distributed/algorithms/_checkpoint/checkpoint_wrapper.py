"""Layers that compute again in backward; `torch.utils.checkpoint` does it for functions."""

from __future__ import annotations

from rushlight._later import absent_class, absent_function

__all__ = [
    "CheckpointImpl",
    "CheckpointWrapper",
    "apply_activation_checkpointing",
    "checkpoint_wrapper",
    "offload_wrapper",
]

_WHY = "use torch.utils.checkpoint.checkpoint"
CheckpointImpl, CheckpointWrapper = (
    absent_class(f"torch.distributed.algorithms._checkpoint.checkpoint_wrapper.{name}", _WHY)
    for name in ("CheckpointImpl", "CheckpointWrapper")
)
apply_activation_checkpointing, checkpoint_wrapper, offload_wrapper = (
    absent_function(f"torch.distributed.algorithms._checkpoint.checkpoint_wrapper.{name}", _WHY)
    for name in ("apply_activation_checkpointing", "checkpoint_wrapper", "offload_wrapper")
)
