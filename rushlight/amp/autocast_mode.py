"""`autocast`: matrix products and convolutions in a shorter type."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from typing import Any

from rushlight import _C
from rushlight.amp import _state

__all__ = ["autocast", "autocast_decorator", "custom_bwd", "custom_fwd", "is_autocast_available"]

_KINDS = ("cpu", "cuda", "xpu", "mps", "hpu", "mtia", "xla", "ipu", "maia", "privateuseone")
_CPU_TYPES = (_C.bfloat16, _C.float16)


def is_autocast_available(device_type: str) -> bool:
    """Whether autocast knows that kind of device.

    >>> torch.amp.is_autocast_available("cpu")
    True
    """
    return _state._device(device_type) in _KINDS


class autocast:
    """Within it, or in a function that it decorates, some operations run in a shorter type.

    Matrix products, convolutions and attention take their float32 inputs as `dtype`; losses, products and what else
    needs range take theirs as float32; `cat` and `stack` the widest. The rest runs in the type that it is given. Wrap the
    forward pass and the loss; backward runs outside, in the types that forward had.

    Args:
        device_type: "cpu". For others, which are not there, it warns and does nothing.
        dtype: bfloat16 or float16; by default `get_autocast_dtype(device_type)`.
        enabled: False switches it off within.
        cache_enabled: keep weights that were cast until the outermost block ends.

    Raises:
        ValueError: device_type is no text.
        RuntimeError: there is no such kind of device.

    Example:
        >>> x = torch.ones(2, 2)
        >>> with torch.autocast("cpu"):
        ...     print((x @ x).dtype, (x + x).dtype)
        torch.bfloat16 torch.float32

    Reference: https://pytorch.org/docs/stable/amp.html#torch.autocast
    """

    def __init__(
        self, device_type: str, dtype: Any = None, enabled: bool = True, cache_enabled: bool | None = None
    ) -> None:
        self.device = _state._device(device_type)
        if self.device not in _KINDS:
            raise RuntimeError(f"User specified an unsupported autocast device_type '{self.device}'")
        self.fast_dtype = _state.get_autocast_dtype(self.device) if dtype is None else dtype
        if not isinstance(self.fast_dtype, _C.dtype):
            raise ValueError(f"Expected `dtype` to be a torch.dtype, got: `{self.fast_dtype!r}`")
        self._cache_enabled = _state.is_autocast_cache_enabled() if cache_enabled is None else cache_enabled
        if enabled and self.device != "cpu":
            warnings.warn(f"{self.device.upper()} is not available. Disabling autocast.", stacklevel=2)
            enabled = False
        elif enabled and self.fast_dtype not in _CPU_TYPES:
            warnings.warn(
                "In CPU autocast, but the target dtype is not supported. Disabling autocast.\n"
                "CPU Autocast only supports dtypes of torch.bfloat16, torch.float16 currently.",
                stacklevel=2,
            )
            enabled = False
        self._enabled = enabled
        self._before: list[tuple[bool, Any, bool]] = []

    def __enter__(self) -> autocast:
        state = _state._state
        self._before.append(
            (_state.is_autocast_enabled(self.device), _state.get_autocast_dtype(self.device), state.cache)
        )
        state.depth += 1
        self._set(self._enabled, self.fast_dtype, self._cache_enabled)
        return self

    def __exit__(self, *error: Any) -> None:
        if _state.autocast_decrement_nesting() == 0:
            _C._clear_autocast_cache()
        self._set(*self._before.pop())

    def _set(self, enabled: bool, dtype: Any, cache: bool) -> None:
        state = _state._state
        state.enabled[self.device], state.dtypes[self.device], state.cache = enabled, dtype, cache
        _state._tell()

    def __call__(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return autocast_decorator(self, func)


def autocast_decorator(autocast_instance: autocast, func: Callable[..., Any]) -> Callable[..., Any]:
    """The function, run within that autocast."""

    @functools.wraps(func)
    def within(*args: Any, **kwargs: Any) -> Any:
        with autocast_instance:
            return func(*args, **kwargs)

    return within


def _cast(value: Any, device_type: str, dtype: Any) -> Any:
    """The floating-point tensors in arguments, as another dtype; float64 stays."""
    if isinstance(value, _C.Tensor):
        wanted = value.is_floating_point() and value.dtype is not _C.float64 and value.device.type == device_type
        return value.to(dtype) if wanted else value
    if isinstance(value, Mapping):
        return type(value)({k: _cast(v, device_type, dtype) for k, v in value.items()})  # type: ignore[call-arg]
    if isinstance(value, (list, tuple)):
        cast = [_cast(v, device_type, dtype) for v in value]
        return type(value)(*cast) if hasattr(value, "_fields") else type(value)(cast)
    return value


def custom_fwd(
    fwd: Callable[..., Any] | None = None, *, device_type: str, cast_inputs: Any = None
) -> Callable[..., Any]:
    """Decorates `forward` of an `autograd.Function` that is used under autocast.

    Args:
        fwd: the function; left out, a decorator is returned.
        device_type: as for `autocast`.
        cast_inputs: a dtype: floating-point inputs are cast to it, and autocast is off within. None leaves both alone.

    Example:
        >>> class Product(torch.autograd.Function):
        ...     @staticmethod
        ...     @torch.amp.custom_fwd(device_type="cpu")
        ...     def forward(ctx, a, b):
        ...         ctx.save_for_backward(a, b)
        ...         return a @ b
        ...
        ...     @staticmethod
        ...     @torch.amp.custom_bwd(device_type="cpu")
        ...     def backward(ctx, grad):
        ...         a, b = ctx.saved_tensors
        ...         return grad @ b.T, a.T @ grad

    Reference: https://pytorch.org/docs/stable/amp.html#torch.amp.custom_fwd
    """
    _state._device(device_type)
    if fwd is None:
        return functools.partial(custom_fwd, device_type=device_type, cast_inputs=cast_inputs)

    @functools.wraps(fwd)
    def forward(*args: Any, **kwargs: Any) -> Any:
        context = args[0]
        context._dtype = _state.get_autocast_dtype(device_type)
        on = _state.is_autocast_enabled(device_type)
        context._fwd_used_autocast = on and cast_inputs is None
        if not on or cast_inputs is None:
            return fwd(*args, **kwargs)
        with autocast(device_type, enabled=False):
            return fwd(*_cast(args, device_type, cast_inputs), **_cast(kwargs, device_type, cast_inputs))

    return forward


def custom_bwd(bwd: Callable[..., Any] | None = None, *, device_type: str) -> Callable[..., Any]:
    """Decorates `backward` of an `autograd.Function`: it runs under the autocast that `custom_fwd` saw.

    Args:
        bwd: the function; left out, a decorator is returned.
        device_type: as for `autocast`.

    Reference: https://pytorch.org/docs/stable/amp.html#torch.amp.custom_bwd
    """
    _state._device(device_type)
    if bwd is None:
        return functools.partial(custom_bwd, device_type=device_type)

    @functools.wraps(bwd)
    def backward(*args: Any, **kwargs: Any) -> Any:
        context = args[0]
        with autocast(device_type, dtype=context._dtype, enabled=context._fwd_used_autocast):
            return bwd(*args, **kwargs)

    return backward
