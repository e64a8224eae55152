"""How processes would exchange gradients now and then."""

from __future__ import annotations

from rushlight._later import absent_class, absent_function

__all__ = ["PostLocalSGDState", "post_localSGD_hook"]

_WHY = "the world has one process"
PostLocalSGDState = absent_class(
    "torch.distributed.algorithms.ddp_comm_hooks.post_localSGD_hook.PostLocalSGDState", _WHY
)
post_localSGD_hook = absent_function(
    "torch.distributed.algorithms.ddp_comm_hooks.post_localSGD_hook.post_localSGD_hook", _WHY
)
