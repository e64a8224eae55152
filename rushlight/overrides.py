"""`__torch_function__`: whether objects have it, and how to go around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rushlight import _C

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "BaseTorchFunctionMode",
    "TorchFunctionMode",
    "get_default_nowrap_functions",
    "get_ignored_functions",
    "handle_torch_function",
    "has_torch_function",
    "is_tensor_like",
    "is_tensor_method_or_property",
    "resolve_name",
]


def is_tensor_like(inp: Any) -> bool:
    """Whether inp is a tensor, or of a type with `__torch_function__`.

    >>> torch.overrides.is_tensor_like(torch.ones(1)), torch.overrides.is_tensor_like([1])
    (True, False)
    """
    return isinstance(inp, _C.Tensor) or hasattr(inp, "__torch_function__")


def _has(value: Any) -> bool:
    hook = getattr(type(value), "__torch_function__", None)
    if hook is None or hook is _C._disabled_torch_function_impl:
        return False
    return not isinstance(value, _C.Tensor) or getattr(hook, "__func__", None) is not None


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Whether one of them has a `__torch_function__` of its own, or a mode is entered."""
    return _C._change_torch_function_disabled(0) == 0 and (
        _C._entered_function_modes() > 0 or any(_has(value) for value in relevant_args)
    )


def has_torch_function_unary(value: Any) -> bool:
    """`has_torch_function((value,))`."""
    return has_torch_function((value,))


def has_torch_function_variadic(*values: Any) -> bool:
    """`has_torch_function(values)`."""
    return has_torch_function(values)


def handle_torch_function(
    public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any
) -> Any:
    """Let the `__torch_function__` of the arguments answer for a function.

    Raises:
        TypeError: each of them returned NotImplemented.
    """
    found: list[Any] = []
    for value in relevant_args:
        if _has(value) and all(type(value) is not type(other) for other in found):
            at = next((i for i, other in enumerate(found) if issubclass(type(value), type(other))), len(found))
            found.insert(at, value)
    types = tuple(type(value) for value in found)
    if _C._entered_function_modes():
        mode = _C._leave_function_mode()
        try:
            result = mode.__torch_function__(public_api, types, args, kwargs)
        finally:
            _C._enter_function_mode(mode)
        if result is not NotImplemented:
            return result
    for value in found:
        result = type(value).__torch_function__(public_api, types, args, kwargs)
        if result is not NotImplemented:
            return result
    name = f"{public_api.__module__}.{public_api.__name__}"
    raise TypeError(f"no implementation found for '{name}' on types that implement __torch_function__: {list(types)}")


def is_tensor_method_or_property(func: Any) -> bool:
    """Whether func is a method of Tensor, or the getter of one of its properties."""
    return func in vars(_C.Tensor).values() or getattr(func, "__name__", "") == "__get__"


def resolve_name(f: Any) -> str | None:
    """How a program writes f, or None.

    >>> torch.overrides.resolve_name(torch.add)
    'torch.add'
    """
    name = getattr(f, "__name__", None)
    if name is None:
        return None
    return f"torch.Tensor.{name}" if is_tensor_method_or_property(f) else f"torch.{name}"


def get_default_nowrap_functions() -> set[Any]:
    """The getters whose results keep their own class."""
    return {vars(_C.Tensor)[name].__get__ for name in ("_base", "grad")}


def get_ignored_functions() -> set[Any]:
    """Functions that `__torch_function__` never sees."""
    return set()


class _Without:
    """Within it no `__torch_function__` is asked."""

    def __enter__(self) -> None:
        _C._change_torch_function_disabled(1)

    def __exit__(self, *error: Any) -> None:
        _C._change_torch_function_disabled(-1)


class TorchFunctionMode:
    """Within it, `__torch_function__` of this object is asked for every operation, whatever its arguments are.

    Example:
        >>> import rushlight as torch
        >>> class Counting(torch.overrides.TorchFunctionMode):
        ...     calls = 0
        ...     def __torch_function__(self, func, types, args=(), kwargs=None):
        ...         self.calls += 1
        ...         return func(*args, **(kwargs or {}))
        >>> with Counting() as counting:
        ...     y = torch.ones(2) + 1
        >>> counting.calls
        2
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """What a mode does with a call: each defines its own, as in PyTorch, where this too is abstract."""
        raise NotImplementedError(
            f"{type(self).__name__} does not say what it does with calls: define __torch_function__"
        )

    def __enter__(self) -> Any:
        _C._enter_function_mode(self)
        return self

    def __exit__(self, *error: Any) -> None:
        _C._leave_function_mode()

    @classmethod
    def push(cls, *args: Any, **kwargs: Any) -> Any:
        """One made of these arguments, for `with`."""
        return cls(*args, **kwargs)


class BaseTorchFunctionMode(TorchFunctionMode):
    """One that lets every operation run."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """What the operation gives."""
        return func(*args, **(kwargs or {}))


DisableTorchFunction = DisableTorchFunctionSubclass = _Without
