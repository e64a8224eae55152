"""The settings of `torch.save` and `torch.load`: `torch.utils.serialization.config`."""

from __future__ import annotations

from rushlight.utils.serialization import config

__all__ = ["config"]
