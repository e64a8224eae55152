"""`torch.backends`: which libraries there are, and their switches. There is one of each, so switches change nothing."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = [
    "cpu",
    "cuda",
    "cudnn",
    "mha",
    "mkl",
    "mkldnn",
    "mps",
    "nnpack",
    "openmp",
    "opt_einsum",
    "quantized",
    "xnnpack",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    from rushlight._missing import no_attribute

    raise no_attribute(__name__, name, __all__)
