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
    "factory_kwargs",
    "functional",
    "init",
    "modules",
    "parameter",
    "utils",
    *_layers,
]

_missing = module_getattr(__name__)


def factory_kwargs(kwargs: Any) -> dict[str, Any]:
    """The arguments among `kwargs` that go on to functions like `empty`: device, dtype, memory_format.

    Raises:
        TypeError: there is another one, or one is given twice (also in `factory_kwargs`).
    """
    if kwargs is None:
        return {}
    simple = ("device", "dtype", "memory_format")
    unexpected = kwargs.keys() - {*simple, "factory_kwargs"}
    if unexpected:
        raise TypeError(f"unexpected kwargs {unexpected}")
    made = dict(kwargs.get("factory_kwargs", {}))
    for key in simple:
        if key in kwargs:
            if key in made:
                raise TypeError(f"{key} specified twice, in **kwargs and in factory_kwargs")
            made[key] = kwargs[key]
    return made


def __getattr__(name: str) -> Any:
    if name in ("attention", "common_types", "grad", "parallel"):  # imported when first used
        return importlib.import_module(f"{__name__}.{name}")
    if name == "LinearCrossEntropyOptions":
        return modules.LinearCrossEntropyOptions
    if name == "DataParallel":
        return importlib.import_module(f"{__name__}.parallel").DataParallel
    return _missing(name)
