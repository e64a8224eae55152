"""`torch.backends`: which libraries there are, and their switches. There is one of each, so switches change nothing."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from rushlight._missing import module_getattr

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@contextlib.contextmanager
def __allow_nonbracketed_mutation() -> Iterator[None]:
    """A block in which the switches may be set: they always may."""
    yield


__getattr__ = module_getattr(__name__, __all__)
