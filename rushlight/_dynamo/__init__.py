"""`torch._dynamo`: switches that scripts set, and decorators, all without effect."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from rushlight._later import absent_class
from rushlight.compiler import allow_in_graph, assume_constant_result, disable, is_compiling, list_backends, reset

__all__ = [
    "OptimizedModule",
    "allow_in_graph",
    "assume_constant_result",
    "config",
    "disable",
    "graph_break",
    "is_compiling",
    "list_backends",
    "optimize",
    "reset",
]


class _Config(ModuleType):
    """Keeps what it is told; what it was not told is None."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return None


config = _Config("torch._dynamo.config")


def optimize(*args: Any, **kwargs: Any) -> Any:
    """The older `torch.compile`: a decorator that gives back what it gets."""
    return lambda fn: fn


def graph_break(msg: str = "") -> None:
    """Nothing: nothing is compiled."""


def mark_dynamic(t: Any, index: Any = None, **kwargs: Any) -> None:
    """Accepted: nothing is compiled."""


mark_static = maybe_mark_dynamic = mark_unbacked = mark_dynamic


def mark_static_address(t: Any, guard: bool = False) -> None:
    """Accepted: nothing is compiled."""


def is_dynamo_supported() -> bool:
    """False."""
    return False


OptimizedModule = absent_class("torch._dynamo.OptimizedModule", "torch.compile gives back the module itself")


def __getattr__(name: str) -> Any:
    if name == "eval_frame":
        import importlib

        return importlib.import_module("rushlight._dynamo.eval_frame")
    from rushlight._missing import no_attribute

    raise no_attribute("rushlight._dynamo", name, __all__)
