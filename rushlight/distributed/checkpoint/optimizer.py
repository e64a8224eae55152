"""The state of optimizers that many processes share."""

from __future__ import annotations

from rushlight._later import absent_function

__all__ = ["load_sharded_optimizer_state_dict"]

_WHY = "the world has one process; torch.save and torch.load keep a state_dict"
load_sharded_optimizer_state_dict = absent_function(
    "torch.distributed.checkpoint.optimizer.load_sharded_optimizer_state_dict", _WHY
)
