"""`torch.distributed.fsdp.wrap`: which parts of a model would be divided."""

from __future__ import annotations

from rushlight._later import absent_class, absent_function

__all__ = [
    "ModuleWrapPolicy",
    "always_wrap_policy",
    "enable_wrap",
    "lambda_auto_wrap_policy",
    "size_based_auto_wrap_policy",
    "transformer_auto_wrap_policy",
    "wrap",
]

_WHY = "the world has one process"
ModuleWrapPolicy = absent_class("torch.distributed.fsdp.wrap.ModuleWrapPolicy", _WHY)
(
    always_wrap_policy,
    enable_wrap,
    lambda_auto_wrap_policy,
    size_based_auto_wrap_policy,
    transformer_auto_wrap_policy,
    wrap,
) = (
    absent_function(f"torch.distributed.fsdp.wrap.{name}", _WHY)
    for name in (
        "always_wrap_policy",
        "enable_wrap",
        "lambda_auto_wrap_policy",
        "size_based_auto_wrap_policy",
        "transformer_auto_wrap_policy",
        "wrap",
    )
)
