"""How processes would exchange gradients."""

from __future__ import annotations

from rushlight._later import absent_function

__all__ = [
    "allreduce_hook",
    "bf16_compress_hook",
    "bf16_compress_wrapper",
    "fp16_compress_hook",
    "fp16_compress_wrapper",
]

_WHY = "the world has one process"
allreduce_hook, bf16_compress_hook, bf16_compress_wrapper, fp16_compress_hook, fp16_compress_wrapper = (
    absent_function(f"torch.distributed.algorithms.ddp_comm_hooks.default_hooks.{name}", _WHY)
    for name in (
        "allreduce_hook",
        "bf16_compress_hook",
        "bf16_compress_wrapper",
        "fp16_compress_hook",
        "fp16_compress_wrapper",
    )
)
