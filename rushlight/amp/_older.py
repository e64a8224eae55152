"""What `torch.cpu.amp` and `torch.cuda.amp` share: the older names of `torch.amp`, which warn of it."""

from __future__ import annotations

import warnings
from typing import Any

from rushlight import amp


def deprecated(device: str, name: str) -> None:
    """Warn whoever called the caller."""
    warnings.warn(
        f"`torch.{device}.amp.{name}(args...)` is deprecated. Please use `torch.amp.{name}('{device}', args...)` instead.",
        FutureWarning,
        stacklevel=3,
    )


class OlderAutocast(amp.autocast):
    """`torch.amp.autocast` for one device."""

    _of: str
    _default: Any

    def __init__(self, enabled: bool = True, dtype: Any = None, cache_enabled: bool = True) -> None:
        deprecated(self._of, "autocast")
        super().__init__(self._of, enabled=enabled, dtype=dtype or self._default, cache_enabled=cache_enabled)


class OlderGradScaler(amp.GradScaler):
    """`torch.amp.GradScaler` for one device."""

    _of: str

    def __init__(
        self,
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        deprecated(self._of, "GradScaler")
        super().__init__(self._of, init_scale, growth_factor, backoff_factor, growth_interval, enabled)
