"""What autocast is set to, on this thread, for each kind of device. What the CPU's is set to the core is told."""

from __future__ import annotations

import threading
from typing import Any

from rushlight import _C

__all__ = [
    "autocast_decrement_nesting",
    "autocast_increment_nesting",
    "clear_autocast_cache",
    "get_autocast_cpu_dtype",
    "get_autocast_dtype",
    "get_autocast_gpu_dtype",
    "is_autocast_cache_enabled",
    "is_autocast_cpu_enabled",
    "is_autocast_enabled",
    "set_autocast_cache_enabled",
    "set_autocast_cpu_dtype",
    "set_autocast_cpu_enabled",
    "set_autocast_dtype",
    "set_autocast_enabled",
    "set_autocast_gpu_dtype",
]


class _State(threading.local):
    def __init__(self) -> None:
        self.enabled: dict[str, bool] = {}
        self.dtypes: dict[str, Any] = {"cpu": _C.bfloat16}
        self.cache = True
        self.depth = 0


_state = _State()


def _tell() -> None:
    _C._set_autocast(_state.enabled.get("cpu", False), _state.dtypes["cpu"], _state.cache)


def _device(device_type: Any) -> str:
    """A kind of device, checked."""
    if not isinstance(device_type, str):
        raise ValueError(f"Expected `device_type` of type `str`, got: `{type(device_type)}`")
    kind: str = _C.device(device_type).type
    return kind


def is_autocast_enabled(device_type: str | None = None) -> bool:
    """Whether autocast is on for a kind of device; without an argument, for CUDA, as ever."""
    return _state.enabled.get("cuda" if device_type is None else _device(device_type), False)


def set_autocast_enabled(device_type: Any, enabled: bool | None = None) -> None:
    """Switch autocast on or off for a kind of device. `autocast` does it for a block, and is to be preferred."""
    if enabled is None:
        device_type, enabled = "cuda", device_type
    _state.enabled[_device(device_type)] = bool(enabled)
    _tell()


def get_autocast_dtype(device_type: str) -> Any:
    """What autocast casts to: bfloat16 on the CPU, float16 elsewhere, unless told otherwise."""
    return _state.dtypes.get(_device(device_type), _C.float16)


def set_autocast_dtype(device_type: str, dtype: Any) -> None:
    """Set what autocast casts to."""
    _state.dtypes[_device(device_type)] = dtype
    _tell()


def is_autocast_cache_enabled() -> bool:
    """Whether a weight that was cast is kept for its next uses in the block."""
    return _state.cache


def set_autocast_cache_enabled(enabled: bool) -> None:
    """Keep weights that were cast, or not."""
    _state.cache = bool(enabled)
    _tell()


def clear_autocast_cache() -> None:
    """Forget the weights that were cast."""
    _C._clear_autocast_cache()


def autocast_increment_nesting() -> int:
    """One block deeper."""
    _state.depth += 1
    return _state.depth


def autocast_decrement_nesting() -> int:
    """One block less deep."""
    _state.depth -= 1
    return _state.depth


def is_autocast_cpu_enabled() -> bool:
    """The older name of `is_autocast_enabled("cpu")`."""
    return is_autocast_enabled("cpu")


def set_autocast_cpu_enabled(enabled: bool) -> None:
    """The older name of `set_autocast_enabled("cpu", enabled)`."""
    set_autocast_enabled("cpu", enabled)


def get_autocast_cpu_dtype() -> Any:
    """The older name of `get_autocast_dtype("cpu")`."""
    return get_autocast_dtype("cpu")


def set_autocast_cpu_dtype(dtype: Any) -> None:
    """The older name of `set_autocast_dtype("cpu", dtype)`."""
    set_autocast_dtype("cpu", dtype)


def get_autocast_gpu_dtype() -> Any:
    """The older name of `get_autocast_dtype("cuda")`."""
    return get_autocast_dtype("cuda")


def set_autocast_gpu_dtype(dtype: Any) -> None:
    """The older name of `set_autocast_dtype("cuda", dtype)`."""
    set_autocast_dtype("cuda", dtype)
