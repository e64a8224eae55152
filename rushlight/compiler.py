"""`torch.compile` and what belongs to it: a model runs as it is, which gives the same results.

Reference: https://pytorch.org/docs/stable/torch.compiler.html
"""

from __future__ import annotations

import contextlib
from typing import Any

__all__ = [
    "allow_in_graph",
    "assume_constant_result",
    "compile",
    "cudagraph_mark_step_begin",
    "disable",
    "is_compiling",
    "is_dynamo_compiling",
    "is_exporting",
    "list_backends",
    "reset",
    "set_stance",
]


def compile(
    model: Any = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: Any = "inductor",
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
    **others: Any,
) -> Any:
    """The model, or function, itself: nothing is compiled yet, and the results are those of running it as it is.

    Args:
        model: what to compile; left out, a decorator is returned.
        backend: a name; a function is refused, for it would not be called.
        mode, options: not both.
        fullgraph, dynamic, disable: accepted.

    Raises:
        RuntimeError: both `mode` and `options`.
        NotImplementedError: `backend` is a function.

    Example:
        >>> @torch.compile
        ... def double(x):
        ...     return x * 2
        >>> double(torch.ones(2))
        tensor([2., 2.])

    Reference: https://pytorch.org/docs/stable/generated/torch.compile.html
    """
    if mode is not None and options is not None:
        raise RuntimeError("Either mode or options can be specified, but both can't be specified at the same time.")
    if not isinstance(backend, str):
        from rushlight._later import refusal

        raise refusal("a backend of one's own for torch.compile", "programs are not turned into graphs yet")
    if model is None:
        return lambda fn: fn
    if not callable(model):
        raise RuntimeError(f"torch.compile: expected a module or a function, got {type(model).__name__}")
    return model


def disable(fn: Any = None, recursive: bool = True, **kwargs: Any) -> Any:
    """Marks what is not to be compiled: gives it back. With or without parentheses; also a context."""
    if fn is None:
        return _Decorator()
    return fn


class _Decorator(contextlib.ContextDecorator):
    """Does nothing, to a function or to a block."""

    def __call__(self, fn: Any) -> Any:
        return fn

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: Any) -> None:
        pass


def set_stance(stance: str = "default", **kwargs: Any) -> Any:
    """Accepted: nothing is compiled."""
    return _Decorator()


def allow_in_graph(fn: Any) -> Any:
    """Marks a function that compiling would not look into: gives it back."""
    return fn


def assume_constant_result(fn: Any) -> Any:
    """Marks a function whose result does not change: gives it back."""
    return fn


def is_compiling() -> bool:
    """False."""
    return False


def is_dynamo_compiling() -> bool:
    """False."""
    return False


def is_exporting() -> bool:
    """False."""
    return False


def list_backends(exclude_tags: Any = ()) -> list[str]:
    """The names that PyTorch lists by default; all of them run the model as it is."""
    return ["cudagraphs", "inductor", "onnxrt", "openxla", "tvm"]


def reset() -> None:
    """Nothing was compiled that could be forgotten."""


def cudagraph_mark_step_begin() -> None:
    """Nothing: there is no CUDA."""
