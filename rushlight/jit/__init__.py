"""`torch.jit`: functions and modules run as they are, which gives the same results; files are refused.

Reference: https://pytorch.org/docs/stable/jit.html
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, TypeVar

from rushlight._later import absent_class, absent_function
from rushlight._missing import module_getattr
from rushlight.futures import Future
from rushlight.nn import Module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "Attribute",
    "Error",
    "Future",
    "CompilationUnit",
    "Final",
    "RecursiveScriptModule",
    "ScriptFunction",
    "ScriptModule",
    "TracerWarning",
    "annotate",
    "export",
    "fork",
    "freeze",
    "fuser",
    "ignore",
    "interface",
    "is_scripting",
    "is_tracing",
    "isinstance",
    "load",
    "onednn_fusion_enabled",
    "optimize_for_inference",
    "optimized_execution",
    "save",
    "script",
    "script_if_tracing",
    "script_method",
    "set_fusion_strategy",
    "strict_fusion",
    "trace",
    "trace_module",
    "unused",
    "wait",
]

_F = TypeVar("_F", bound="Callable[..., Any]")
load, save = (
    absent_function(
        f"torch.jit.{name}", "TorchScript files are neither read nor written; torch.save keeps a state_dict"
    )
    for name in ("load", "save")
)
ScriptFunction, CompilationUnit = (
    absent_class(f"torch.jit.{name}", "nothing is compiled") for name in ("ScriptFunction", "CompilationUnit")
)


class ScriptModule(Module):
    """The base of modules that were written for TorchScript: a module like others.

    Reference: https://pytorch.org/docs/stable/generated/torch.jit.ScriptModule.html
    """


class RecursiveScriptModule(ScriptModule):
    """What `script` would make of a module. There are none."""


def script(
    obj: Any,
    optimize: Any = None,
    _frames_up: int = 0,
    _rcb: Any = None,
    example_inputs: Any = None,
) -> Any:
    """The function, module or class itself: nothing is compiled, and the results are those of running it as it is.

    Examples:
        >>> import rushlight as torch
        >>> @torch.jit.script
        ... def twice(x):
        ...     return x * 2
        >>> twice(torch.ones(2))
        tensor([2., 2.])

    Raises:
        RuntimeError: it is none of these.

    Reference: https://pytorch.org/docs/stable/generated/torch.jit.script.html
    """
    if not callable(obj):
        raise RuntimeError(f"torch.jit.script takes a function, a module or a class, not {type(obj).__name__}")
    return obj


def script_method(fn: _F) -> _F:
    """The method itself."""
    return fn


def trace(func: Any, example_inputs: Any = None, *args: Any, **kwargs: Any) -> Any:
    """The function or module itself, which also keeps its `if` and `for` alive; it is not run.

    Raises:
        RuntimeError: it is neither.

    Reference: https://pytorch.org/docs/stable/generated/torch.jit.trace.html
    """
    if not callable(func):
        raise RuntimeError(f"torch.jit.trace takes a function or a module, not {type(func).__name__}")
    return func


def trace_module(mod: Any, inputs: Any, *args: Any, **kwargs: Any) -> Any:
    """The module itself."""
    return mod


def freeze(mod: Any, preserved_attrs: Any = None, optimize_numerics: bool = True) -> Any:
    """The module itself.

    Raises:
        RuntimeError: it is in training mode.
    """
    if mod.training:
        raise RuntimeError("Freezing is only for modules in evaluation mode: call .eval() first")
    return mod


def optimize_for_inference(mod: Any, other_methods: Any = None) -> Any:
    """The module itself."""
    return mod


def interface(obj: _F) -> _F:
    """The class itself."""
    return obj


class TracerWarning(Warning):
    """What tracing would warn of."""


class Error(RuntimeError):
    """An error in compiled code."""


def fork(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
    """Call a function, at once; `wait` gives its result."""
    future: Future[Any] = Future()
    future.set_result(func(*args, **kwargs))
    return future


def wait(future: Future[Any]) -> Any:
    """The result of what was forked."""
    return future.wait()


class Attribute:
    """A value with a type, for a ScriptModule."""

    def __init__(self, value: Any, type: Any) -> None:
        self.value = value
        self.type = type


def is_scripting() -> bool:
    """False."""
    return False


def is_tracing() -> bool:
    """False."""
    return False


def export(fn: _F) -> _F:
    """Marks a method to be compiled: gives it back."""
    return fn


def script_if_tracing(fn: _F) -> _F:
    """Compiles a function while a model is traced: gives it back."""
    return fn


def _overload(fn: _F) -> _F:
    """Marks one of several signatures of a function: gives it back."""
    return fn


_overload_method = _overload


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """Marks a function that is not to be compiled: gives it back. With or without parentheses."""
    return drop if callable(drop) else lambda fn: fn


def unused(fn: _F) -> _F:
    """Marks a function that is not to be compiled: gives it back."""
    return fn


def annotate(the_type: Any, the_value: Any) -> Any:
    """The value."""
    return the_value


def isinstance(obj: Any, target_type: Any) -> bool:
    """Whether an object is of a type, such as `list[int]` (the items are not looked at)."""
    import builtins
    import typing

    kinds: Any = target_type if builtins.isinstance(target_type, tuple) else (target_type,)
    return builtins.isinstance(obj, tuple(typing.get_origin(kind) or kind for kind in kinds))


def onednn_fusion_enabled() -> bool:
    """False."""
    return False


def enable_onednn_fusion(enabled: bool) -> None:
    """Accepted: nothing is compiled."""


def set_fusion_strategy(strategy: Any) -> list[Any]:
    """Accepted: nothing is compiled."""
    return []


@contextlib.contextmanager
def optimized_execution(should_optimize: bool) -> Iterator[None]:
    """Nothing: nothing is compiled."""
    yield


@contextlib.contextmanager
def fuser(name: str) -> Iterator[None]:
    """Nothing: nothing is compiled."""
    yield


@contextlib.contextmanager
def strict_fusion() -> Iterator[None]:
    """Nothing: nothing is compiled."""
    yield


__getattr__ = module_getattr(__name__)
