"""How processes would exchange gradients."""

from __future__ import annotations

import enum

from rushlight._later import absent_function
from rushlight.distributed.algorithms.ddp_comm_hooks import default_hooks, post_localSGD_hook, powerSGD_hook

__all__ = ["DDPCommHookType", "default_hooks", "post_localSGD_hook", "powerSGD_hook", "register_ddp_comm_hook"]

register_ddp_comm_hook = absent_function(
    "torch.distributed.algorithms.ddp_comm_hooks.register_ddp_comm_hook", "the world has one process"
)


class DDPCommHookType(enum.Enum):
    """The names of the ways."""

    ALLREDUCE = "allreduce"
    BATCHED_POWER_SGD = "batched_powerSGD"
    BF16_COMPRESS = "bf16_compress"
    FP16_COMPRESS = "fp16_compress"
    POST_LOCAL_SGD = "post_localSGD"
    POWER_SGD = "powerSGD"
    QUANTIZE_PER_CHANNEL = "quantize_per_channel"
    QUANTIZE_PER_TENSOR = "quantize_per_tensor"
