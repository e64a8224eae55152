"""How this rushlight was built, as text.

Reference: https://pytorch.org/docs/stable/config_mod.html
"""

from __future__ import annotations

from rushlight import _C

__all__ = ["parallel_info", "show"]


def show() -> str:
    """The version and the instruction set that kernels use."""
    from rushlight.torch_version import __version__

    return f"PyTorch built with:\n  - rushlight's own core, as of PyTorch {__version__}\n  - CPU capability usage: {_C._isa()}\n"


def parallel_info() -> str:
    """How many threads operations use."""
    return (
        f"ATen/Parallel:\n\tat::get_num_threads() : {_C.get_num_threads()}\nATen parallel backend: rushlight's pool\n"
    )
