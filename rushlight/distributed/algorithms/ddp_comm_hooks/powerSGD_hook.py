"""How processes would exchange gradients in fewer bytes."""

from __future__ import annotations

from rushlight._later import absent_class, absent_function

__all__ = ["PowerSGDState", "batched_powerSGD_hook", "powerSGD_hook"]

_WHY = "the world has one process"
PowerSGDState = absent_class("torch.distributed.algorithms.ddp_comm_hooks.powerSGD_hook.PowerSGDState", _WHY)
batched_powerSGD_hook, powerSGD_hook = (
    absent_function(f"torch.distributed.algorithms.ddp_comm_hooks.powerSGD_hook.{name}", _WHY)
    for name in ("batched_powerSGD_hook", "powerSGD_hook")
)
