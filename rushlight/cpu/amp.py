"""The older names of `torch.amp` for this device, which warn of it."""

from __future__ import annotations

from rushlight import _C
from rushlight.amp._older import OlderAutocast, OlderGradScaler

__all__ = ["GradScaler", "autocast"]


class autocast(OlderAutocast):
    """`torch.amp.autocast("cpu", ...)`."""

    _of, _default = "cpu", _C.bfloat16


class GradScaler(OlderGradScaler):
    """`torch.amp.GradScaler("cpu", ...)`."""

    _of = "cpu"
