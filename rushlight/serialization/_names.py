"""What the names in a file mean: PyTorch's for rushlight's classes and functions, in both directions."""

from __future__ import annotations

import sys
from typing import Any

from rushlight import _C

__all__ = ["class_named", "function_named", "own", "written"]

# Where PyTorch defines a layer, if the file here has another name.
_LAYERS = {
    "MultiheadAttention": "activation",
    **dict.fromkeys(("LazyBatchNorm1d", "LazyBatchNorm2d", "LazyBatchNorm3d"), "batchnorm"),
    **dict.fromkeys(("LazyInstanceNorm1d", "LazyInstanceNorm2d", "LazyInstanceNorm3d"), "instancenorm"),
    **dict.fromkeys((f"Lazy{kind}{n}d" for kind in ("Conv", "ConvTranspose") for n in (1, 2, 3)), "conv"),
}
_OWN = ("torch", "torchvision", "rushlight")
# Packages whose classes are built from files: what holds data and parameters. Nothing that opens files or starts processes.
_PACKAGES = (
    "rushlight.nn",
    "rushlight.optim",
    "rushlight.distributions",
    "rushlight.utils.data.dataset",
    "rushlight.vision.models",
    "rushlight.vision.transforms",
    "rushlight.vision.ops",
)
# Packages whose functions may stand in a file as data (`self.activation = F.relu`). The loader never calls them.
_FUNCTIONS = (
    "rushlight.nn.functional",
    "rushlight.nn._functional",
    "rushlight.linalg",
    "rushlight.fft",
    "rushlight.special",
)


def own(module: str) -> bool:
    """Whether a module's name is torch, torchvision, rushlight or below them."""
    return module.partition(".")[0] in _OWN


def _home(module: str) -> str:
    """torch.nn -> rushlight.nn; torchvision -> rushlight.vision."""
    top, dot, rest = module.partition(".")
    return {"torch": "rushlight", "torchvision": "rushlight.vision"}.get(top, top) + dot + rest


def _below(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == p or module.startswith(p + ".") for p in packages)


def _attribute(module: str, name: str) -> Any:
    """An attribute of one of our modules, imported if need be; None where it is missing."""
    import importlib

    if "." in name or name.startswith("__"):
        return None
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError):
        return None


def class_named(module: str, name: str) -> Any:
    """rushlight's class for PyTorch's name or its own; None if it has none that may be built from a file."""
    home = _home(module)
    if not _below(home, _PACKAGES):
        return None
    found = None
    if home.startswith("rushlight.nn.modules") or home == "rushlight.nn":
        found = _attribute("rushlight.nn", name)
    found = _attribute(home, name) if found is None else found
    if not isinstance(found, type) or not _below(found.__module__, _PACKAGES) or hasattr(found, "__del__"):
        return None
    return found


def function_named(module: str, name: str) -> Any:
    """An operation or a function of nn.functional and its kind; None for all others."""
    home = _home(module)
    if home == "rushlight._C._nn":
        home = "rushlight.nn.functional"
    found = None
    if home in ("rushlight", "rushlight._C"):
        found = getattr(_C, name, None) if not name.startswith("_") else None
    elif _below(home, _FUNCTIONS):
        found = _attribute(home, name)
    if found is None or isinstance(found, type):
        return None
    if isinstance(found, type(_C.add)):
        return found
    return found if callable(found) and _below(getattr(found, "__module__", None) or "", _FUNCTIONS) else None


def written(thing: Any) -> tuple[str, str] | None:
    """The name that PyTorch knows a class or function of rushlight by; None for those of others."""
    if isinstance(thing, _C.dtype):
        return "torch", repr(thing).removeprefix("torch.")
    if thing is _C.Tensor or thing is _C.Size or thing is _C.device or thing is _C.dtype:
        return "torch", thing.__name__
    if thing is _C.Generator:
        return "torch._C", "Generator"
    name: Any = getattr(thing, "__qualname__", None) or getattr(thing, "__name__", None)
    if isinstance(thing, type(_C.add)):
        functional = sys.modules.get("rushlight.nn.functional")
        known = functional is not None and getattr(functional, name, None) is thing
        return ("torch.nn.functional" if known else "torch"), name
    module = getattr(thing, "__module__", None)
    if type(name) is not str or type(module) is not str:
        return None
    if module.partition(".")[0] != "rushlight":
        return (module, name) if getattr(thing, "_torch_name", False) else None
    if module.startswith("rushlight.vision"):
        return "torchvision" + module[len("rushlight.vision") :], name
    if module.startswith("rushlight.nn._functional"):
        return "torch.nn.functional", name
    if module.startswith("rushlight.nn.modules."):
        module = "rushlight.nn.modules." + _LAYERS.get(name, module.removeprefix("rushlight.nn.modules."))
    if module.rpartition(".")[2].startswith("_") and module.count(".") > 1:
        module = module.rpartition(".")[0]  # a file that its package takes the name from
    return "torch" + module[len("rushlight") :], name
