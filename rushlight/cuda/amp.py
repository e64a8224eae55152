"""The older names of `torch.amp` for this device, which warn of it."""

from __future__ import annotations

from typing import Any

from rushlight import _C, amp
from rushlight.amp._older import OlderAutocast, OlderGradScaler, deprecated

__all__ = ["GradScaler", "amp_definitely_not_available", "autocast", "custom_bwd", "custom_fwd"]


class autocast(OlderAutocast):
    """`torch.amp.autocast("cuda", ...)`."""

    _of, _default = "cuda", _C.float16


class GradScaler(OlderGradScaler):
    """`torch.amp.GradScaler("cuda", ...)`."""

    _of = "cuda"


def custom_fwd(fwd: Any = None, *, cast_inputs: Any = None) -> Any:
    """`torch.amp.custom_fwd(device_type="cuda")`."""
    deprecated("cuda", "custom_fwd")
    return amp.custom_fwd(fwd, device_type="cuda", cast_inputs=cast_inputs)


def custom_bwd(bwd: Any = None) -> Any:
    """`torch.amp.custom_bwd(device_type="cuda")`."""
    deprecated("cuda", "custom_bwd")
    return amp.custom_bwd(bwd, device_type="cuda") if bwd is not None else amp.custom_bwd(device_type="cuda")


def amp_definitely_not_available() -> bool:
    """True: there is no CUDA."""
    return True
