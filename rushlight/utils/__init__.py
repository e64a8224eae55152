"""Helpers around training: `utils.data`, hooks, and what scripts expect under this name."""

from __future__ import annotations

import importlib
from typing import Any

_SUBMODULES = ("data", "hooks", "checkpoint", "tensorboard", "dlpack")


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
