"""`torch.backends.cuda`: not here. The switches keep what they are told."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

matmul = SimpleNamespace(
    allow_tf32=False,
    allow_fp16_reduced_precision_reduction=True,
    allow_bf16_reduced_precision_reduction=True,
    fp32_precision="none",
)
cufft_plan_cache = SimpleNamespace(size=0, max_size=0, clear=lambda: None)
_sdp = {"flash": True, "mem_efficient": True, "math": True, "cudnn": True}


def is_built() -> bool:
    """False."""
    return False


def preferred_linalg_library(backend: Any = None) -> None:
    """None: linear algebra runs on the CPU."""


def enable_flash_sdp(enabled: bool) -> None:
    """Remembered; attention on the CPU has one way."""
    _sdp["flash"] = enabled


def flash_sdp_enabled() -> bool:
    """What `enable_flash_sdp` was told."""
    return _sdp["flash"]


def enable_mem_efficient_sdp(enabled: bool) -> None:
    """Remembered; attention on the CPU has one way."""
    _sdp["mem_efficient"] = enabled


def mem_efficient_sdp_enabled() -> bool:
    """What `enable_mem_efficient_sdp` was told."""
    return _sdp["mem_efficient"]


def enable_math_sdp(enabled: bool) -> None:
    """Remembered; attention on the CPU has one way."""
    _sdp["math"] = enabled


def math_sdp_enabled() -> bool:
    """What `enable_math_sdp` was told."""
    return _sdp["math"]


def enable_cudnn_sdp(enabled: bool) -> None:
    """Remembered; attention on the CPU has one way."""
    _sdp["cudnn"] = enabled


def cudnn_sdp_enabled() -> bool:
    """What `enable_cudnn_sdp` was told."""
    return _sdp["cudnn"]


@contextlib.contextmanager
def sdp_kernel(
    enable_flash: bool = True, enable_math: bool = True, enable_mem_efficient: bool = True, enable_cudnn: bool = True
) -> Iterator[None]:
    """Nothing: attention on the CPU has one way."""
    yield
