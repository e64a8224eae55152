"""Layers, losses and what models are built from."""

from __future__ import annotations

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


__getattr__ = module_getattr(
    __name__,
    ("attention", "common_types", "grad", "parallel"),
    {"DataParallel": "parallel", "LinearCrossEntropyOptions": "modules"},
)
