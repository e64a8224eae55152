"""Switching the recording of gradients on and off: context managers that are decorators too."""

from __future__ import annotations

from typing import Any, TypeVar

from rushlight import _C

__all__ = [
    "enable_grad",
    "enforce_grad_layout_policy",
    "inference_mode",
    "no_grad",
    "set_grad_enabled",
    "set_multithreading_enabled",
]

_is_enabled = _C._is_grad_enabled
_set_enabled = _C._set_grad_enabled

_F = TypeVar("_F")


class _Decorator:
    """A context manager that also decorates functions, generator functions and (as PyTorch does) classes.

    For a generator function the mode holds while the generator runs, not while its caller does.
    """

    __slots__ = ()

    def clone(self) -> Any:
        """A fresh context manager of the same kind, for one call of a decorated function."""
        return type(self)()

    def __enter__(self) -> Any:
        raise NotImplementedError

    def __exit__(self, *exc: object) -> None:
        raise NotImplementedError

    def __call__(self, func: Any) -> Any:
        import functools
        import inspect

        if isinstance(func, type):
            func.__init__ = self(func.__init__)  # type: ignore[misc]
            return func
        clone = self.clone
        if not inspect.isgeneratorfunction(func):

            @functools.wraps(func)
            def call(*args: Any, **kwargs: Any) -> Any:
                with clone():
                    return func(*args, **kwargs)

            return call

        @functools.wraps(func)
        def generate(*args: Any, **kwargs: Any) -> Any:
            generator = func(*args, **kwargs)
            try:
                with clone():
                    value = next(generator)
                while True:
                    try:
                        sent = yield value
                    except GeneratorExit:
                        with clone():
                            generator.close()
                        raise
                    except BaseException as error:
                        with clone():
                            value = generator.throw(error)
                    else:
                        with clone():
                            value = generator.send(sent)
            except StopIteration as stop:
                return stop.value

        return generate


class no_grad(_Decorator):
    """Nothing computed in the block is recorded for `backward`; results do not require grad.

    Example:
        >>> import rushlight as torch
        >>> x = torch.ones(2, requires_grad=True)
        >>> with torch.no_grad():
        ...     y = x * 2
        >>> y.requires_grad
        False

    Reference: https://pytorch.org/docs/stable/generated/torch.no_grad.html
    """

    __slots__ = ("prev",)

    def __new__(cls, orig_func: Any = None) -> Any:
        if orig_func is None:
            return object.__new__(cls)
        return object.__new__(cls)(orig_func)

    def __init__(self, orig_func: Any = None) -> None:
        self.prev = False

    def __enter__(self) -> None:
        self.prev = _is_enabled()
        _set_enabled(False)

    def __exit__(self, *exc: object) -> None:
        _set_enabled(self.prev)


class enable_grad(no_grad):
    """Records again inside a `no_grad` block.

    >>> x = torch.ones(1, requires_grad=True)
    >>> with torch.no_grad():
    ...     with torch.enable_grad():
    ...         y = x * 2
    >>> y.requires_grad
    True

    Reference: https://pytorch.org/docs/stable/generated/torch.enable_grad.html
    """

    __slots__ = ()

    def __enter__(self) -> None:
        self.prev = _is_enabled()
        _set_enabled(True)


class set_grad_enabled(_Decorator):
    """Set recording on or off: at once when called, and until the end of the block in a `with` statement.

    Args:
        mode: True to record, False not to.

    >>> x = torch.ones(1, requires_grad=True)
    >>> with torch.set_grad_enabled(False):
    ...     y = x * 2
    >>> y.requires_grad
    False

    Reference: https://pytorch.org/docs/stable/generated/torch.set_grad_enabled.html
    """

    __slots__ = ("mode", "prev")

    def __init__(self, mode: bool) -> None:
        self.prev = _is_enabled()
        self.mode = mode
        _set_enabled(mode)

    def __call__(self, func: Any) -> Any:
        _set_enabled(self.prev)
        return super().__call__(func)

    def __enter__(self) -> None:
        _set_enabled(self.mode)

    def __exit__(self, *exc: object) -> None:
        _set_enabled(self.prev)

    def clone(self) -> set_grad_enabled:
        return type(self)(self.mode)

    def __str__(self) -> str:
        return f"{type(self).__module__}.{type(self).__name__}(mode={self.mode})"

    __repr__ = __str__


class inference_mode(_Decorator):
    """Like `no_grad`, and the tensors made inside can never take part in recording later.

    Args:
        mode: False leaves inference mode for the block.

    >>> x = torch.ones(1, requires_grad=True)
    >>> with torch.inference_mode():
    ...     y = x * 2
    >>> y.requires_grad, y.is_inference()
    (False, True)

    Reference: https://pytorch.org/docs/stable/generated/torch.autograd.grad_mode.inference_mode.html
    """

    __slots__ = ("grad", "mode", "prev")

    def __new__(cls, mode: Any = True) -> Any:
        if isinstance(mode, bool):
            return object.__new__(cls)
        made = object.__new__(cls)
        made._with(True)
        return made(mode)

    def __init__(self, mode: Any = True) -> None:
        self.mode = mode
        self.prev = self.grad = False

    def __enter__(self) -> None:
        self.grad = _is_enabled()
        self.prev = _C._set_inference_mode(self.mode)
        _set_enabled(not self.mode)

    def __exit__(self, *exc: object) -> None:
        _C._set_inference_mode(self.prev)
        _set_enabled(self.grad)

    def clone(self) -> inference_mode:
        return object.__new__(type(self))._with(self.mode)

    def _with(self, mode: bool) -> inference_mode:
        self.mode = mode
        self.prev = self.grad = False
        return self


class set_multithreading_enabled(_Decorator):
    """Accepted: backward runs on the calling thread.

    Args:
        mode: kept.

    >>> with torch.autograd.set_multithreading_enabled(False):
    ...     pass
    """

    __slots__ = ("mode",)

    def __init__(self, mode: bool) -> None:
        self.mode = mode

    def clone(self) -> set_multithreading_enabled:
        """Another."""
        return type(self)(self.mode)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        pass


class enforce_grad_layout_policy(_Decorator):
    """Accepted: a gradient has the layout of its leaf.

    Args:
        enable: kept.

    >>> with torch.autograd.enforce_grad_layout_policy(False):
    ...     pass
    """

    __slots__ = ("mode",)

    def __init__(self, enable: bool = True) -> None:
        self.mode = enable

    def clone(self) -> enforce_grad_layout_policy:
        """Another."""
        return type(self)(self.mode)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        pass
