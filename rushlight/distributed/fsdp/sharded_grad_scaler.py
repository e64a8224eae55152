"""The GradScaler of `torch.distributed.fsdp`."""

from __future__ import annotations

from rushlight._later import absent_class

__all__ = ["ShardedGradScaler"]

_WHY = "the world has one process"
ShardedGradScaler = absent_class("torch.distributed.fsdp.sharded_grad_scaler.ShardedGradScaler", _WHY)
