"""Layers, losses and what models are built from."""

from __future__ import annotations

import importlib
from typing import Any

from rushlight._missing import module_getattr
from rushlight.nn import functional, init, modules, parameter, utils
from rushlight.nn.modules import *  # noqa: F403
from rushlight.nn.modules import __all__ as _layers
from rushlight.nn.parameter import Buffer, Parameter, UninitializedBuffer, UninitializedParameter

__all__ = [
    "Buffer",
    "Parameter",
    "UninitializedBuffer",
    "UninitializedParameter",
    "functional",
    "init",
    "modules",
    "parameter",
    "utils",
    *_layers,
]

_missing = module_getattr(__name__)


def __getattr__(name: str) -> Any:
    if name in ("attention", "parallel"):  # imported when first used
        return importlib.import_module(f"{__name__}.{name}")
    if name == "DataParallel":
        return importlib.import_module(f"{__name__}.parallel").DataParallel
    return _missing(name)
