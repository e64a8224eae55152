"""rushlight: PyTorch's API on a small, fast core. `import rushlight as torch`."""

from __future__ import annotations

import importlib
from typing import Any

from rushlight import _C
from rushlight._C import *  # noqa: F403
from rushlight.autograd.grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled

__version__ = "2.13.0"  # of the PyTorch whose API this is: programs compare it

__all__ = [
    *(name for name in dir(_C) if not name.startswith("_")),
    "enable_grad",
    "inference_mode",
    "no_grad",
    "set_grad_enabled",
]

# Imported when first used, so that `import rushlight` stays quick.
_SUBMODULES = frozenset(
    {
        "accelerator", "amp", "autograd", "backends", "compiler", "cpu", "cuda", "distributions", "fft", "func", "fx",
        "hub", "jit", "linalg", "mps", "multiprocessing", "nested", "nn", "onnx", "optim", "overrides", "profiler",
        "random", "serialization", "sparse", "special", "testing", "types", "utils", "version", "vision",
    }
)  # fmt: skip
_LAZY = {
    "set_printoptions": "_tensor_str",
    "OutOfMemoryError": "_errors",
    "get_printoptions": "_tensor_str",
    "enable_torch_alias": "_import_hook",
    "disable_torch_alias": "_import_hook",
}
_OWN = frozenset({"annotations", "importlib", "Any"})


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        try:
            return importlib.import_module(f"{__name__}.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"{__name__}.{name}":
                raise
    elif name in _LAZY:
        value = getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
        globals()[name] = value
        return value
    elif name.startswith("_"):
        raise AttributeError(f"module 'torch' has no attribute {name!r}")
    else:
        value = _compositions().find(name)
        if value is not None:
            globals()[name] = value
            return value
    from rushlight._missing import no_attribute

    raise no_attribute(__name__, name, __dir__())


def __dir__() -> list[str]:
    return sorted({*(n for n in globals() if n not in _OWN), *_SUBMODULES, *_LAZY, *_compositions().NAMES})


def _compositions() -> Any:
    return importlib.import_module("rushlight._composite")


def _missing_tensor_attribute(name: str) -> Any:
    """What the core asks for an attribute that tensors lack: a function to become a method, or None."""
    if name.startswith("_"):
        return None
    compositions = _compositions()
    found = compositions.find_method(name)
    if found is None:
        from rushlight._missing import tensor_attribute

        raise tensor_attribute(name, [*dir(_C.Tensor), *compositions.NAMES])
    return found


def _tensor_repr(tensor: Any) -> str:
    """How the core prints a tensor; the printing module is imported with the first one."""
    from rushlight._tensor_str import _str

    return _str(tensor)


def _tensor_format(tensor: Any, spec: str) -> str:
    """`f"{tensor:.4f}"`."""
    from rushlight._tensor_str import _format

    return _format(tensor, spec)


if "__format__" not in vars(_C.Tensor):
    _C.Tensor.__format__ = _tensor_format
_C._set_missing_attribute_hook(_missing_tensor_attribute)
_C._set_repr_hook(_tensor_repr)
