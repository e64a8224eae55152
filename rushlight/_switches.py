"""Settings that programs make. What has no effect here says so; what can be asked back is remembered."""

from __future__ import annotations

import sys
import warnings
from typing import Any

from rushlight import _C

__all__ = [
    "are_deterministic_algorithms_enabled",
    "compiled_with_cxx11_abi",
    "get_default_device",
    "get_deterministic_debug_mode",
    "get_float32_matmul_precision",
    "get_num_interop_threads",
    "is_deterministic_algorithms_warn_only_enabled",
    "is_warn_always_enabled",
    "set_default_device",
    "set_default_tensor_type",
    "set_deterministic_debug_mode",
    "set_float32_matmul_precision",
    "set_flush_denormal",
    "set_num_interop_threads",
    "set_warn_always",
    "use_deterministic_algorithms",
    "warn_of_older_name",
    "warn_once",
]

_said: set[str] = set()
_state: dict[str, Any] = {"deterministic": 0, "precision": "highest", "warn_always": False, "interop": 1}


def use_deterministic_algorithms(mode: bool, *, warn_only: bool = False) -> None:
    """Ask for algorithms that give the same bits every time: every one here does, so nothing changes.

    >>> torch.use_deterministic_algorithms(True)
    >>> torch.are_deterministic_algorithms_enabled()
    True
    >>> torch.use_deterministic_algorithms(False)
    """
    _state["deterministic"] = (1 if warn_only else 2) if mode else 0


def are_deterministic_algorithms_enabled() -> bool:
    """Whether deterministic algorithms were asked for.

    >>> torch.are_deterministic_algorithms_enabled()
    False
    """
    return _state["deterministic"] != 0


def is_deterministic_algorithms_warn_only_enabled() -> bool:
    """Whether they were asked for with `warn_only=True`."""
    return _state["deterministic"] == 1


def set_deterministic_debug_mode(debug_mode: int | str) -> None:
    """The same switch as a word or number: "default" (0), "warn" (1), "error" (2)."""
    words = {"default": 0, "warn": 1, "error": 2}
    if isinstance(debug_mode, str):
        if debug_mode not in words:
            raise RuntimeError(
                "invalid value of debug_mode, expected one of `default`, `warn`, `error`, but got " + debug_mode
            )
        debug_mode = words[debug_mode]
    if debug_mode not in (0, 1, 2):
        raise RuntimeError(f"invalid value of debug_mode, expected 0, 1, or 2, but got {debug_mode}")
    _state["deterministic"] = debug_mode


def get_deterministic_debug_mode() -> int:
    """0, 1 or 2: see `set_deterministic_debug_mode`.

    >>> torch.get_deterministic_debug_mode()
    0
    """
    mode: int = _state["deterministic"]
    return mode


def set_float32_matmul_precision(precision: str) -> None:
    """Allow less than float32 inside float32 matmul ("high", "medium"). The CPU always computes the highest.

    >>> torch.set_float32_matmul_precision("high")
    >>> torch.get_float32_matmul_precision()
    'high'
    >>> torch.set_float32_matmul_precision("highest")
    """
    if precision not in ("highest", "high", "medium"):
        raise RuntimeError(f"Invalid precision: {precision!r}; expected 'highest', 'high' or 'medium'")
    _state["precision"] = precision


def get_float32_matmul_precision() -> str:
    """What `set_float32_matmul_precision` was told.

    >>> torch.get_float32_matmul_precision()
    'highest'
    """
    precision: str = _state["precision"]
    return precision


def set_num_interop_threads(n: int) -> None:
    """Accepted and remembered: there is one pool of threads, and `set_num_threads` sizes it."""
    if not isinstance(n, int):
        raise TypeError(f"set_num_interop_threads expects an int, but got {type(n).__name__}")
    if n <= 0:
        raise RuntimeError("Expected positive number of threads")
    _state["interop"] = n


def get_num_interop_threads() -> int:
    """What `set_num_interop_threads` was told.

    >>> torch.get_num_interop_threads() >= 1
    True
    """
    count: int = _state["interop"]
    return count


def set_warn_always(b: bool) -> None:
    """Say every time what otherwise is said once, such as that a name is an older one."""
    _state["warn_always"] = bool(b)


def warn_once(text: str) -> None:
    """A UserWarning at the line of the program that called into the package; the first time only."""
    if text in _said and not _state["warn_always"]:
        return
    _said.add(text)
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).startswith("rushlight."):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, stacklevel=level)


def warn_of_older_name(name: str, now: str, more: str) -> None:
    """That torch.NAME has a successor in torch.linalg, and how to call it."""
    warn_once(
        f"torch.{name} is deprecated in favor of torch.linalg.{now} and will be removed in a future PyTorch release: {more}"
    )


def is_warn_always_enabled() -> bool:
    """What `set_warn_always` was told.

    >>> torch.is_warn_always_enabled()
    False
    """
    on: bool = _state["warn_always"]
    return on


def set_flush_denormal(mode: bool) -> bool:
    """False: kernels always keep denormal numbers."""
    return False


def compiled_with_cxx11_abi() -> bool:
    """True."""
    return True


def get_default_device() -> Any:
    """Where new tensors lie.

    >>> torch.get_default_device()
    device(type='cpu')
    """
    return _C._get_default_device()


def set_default_device(device: Any) -> None:
    """Where new tensors lie: on the CPU (or None, which means it), or on "meta", without data.

    Raises:
        AssertionError, RuntimeError: another device was asked for.
    """
    _C._set_default_device(_C.device("cpu" if device is None else device))


def set_default_tensor_type(t: Any) -> None:
    """The older name of `set_default_dtype`: takes a tensor type such as `torch.DoubleTensor` or its name.

    >>> torch.set_default_tensor_type(torch.DoubleTensor)
    >>> torch.tensor(1.).dtype
    torch.float64
    >>> torch.set_default_tensor_type(torch.FloatTensor)
    """
    from rushlight._legacy import dtype_of_type

    dtype = dtype_of_type(t)
    if not dtype.is_floating_point:
        raise TypeError("only floating-point types are supported as the default type")
    _C.set_default_dtype(dtype)
