"""`torch.backends`: which libraries there are, and their switches. There is one of each, so switches change nothing."""

from __future__ import annotations

from rushlight._missing import module_getattr

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


__getattr__ = module_getattr(__name__, __all__)
