"""`torch.cuda` on a machine without it: questions get truthful answers, work is refused with the reason."""

from __future__ import annotations

from typing import Any, NoReturn

from rushlight import _C
from rushlight._later import absent_class

__all__ = [
    "Event",
    "Stream",
    "current_device",
    "current_stream",
    "default_stream",
    "device",
    "device_count",
    "empty_cache",
    "get_arch_list",
    "get_device_capability",
    "get_device_name",
    "get_device_properties",
    "get_rng_state",
    "get_rng_state_all",
    "init",
    "initial_seed",
    "ipc_collect",
    "is_available",
    "is_bf16_supported",
    "is_initialized",
    "manual_seed",
    "manual_seed_all",
    "max_memory_allocated",
    "max_memory_reserved",
    "mem_get_info",
    "memory_allocated",
    "memory_reserved",
    "memory_stats",
    "memory_summary",
    "reset_max_memory_allocated",
    "reset_peak_memory_stats",
    "seed",
    "seed_all",
    "set_device",
    "set_rng_state",
    "stream",
    "synchronize",
]

_REFUSAL = (
    "Torch not compiled with CUDA enabled: rushlight runs on the CPU; choose the device with "
    "torch.device('cuda' if torch.cuda.is_available() else 'cpu')"
)
has_half = False
default_generators: tuple[Any, ...] = ()


def _refuse(*args: Any, **kwargs: Any) -> NoReturn:
    """There is no CUDA device to ask.

    Raises:
        AssertionError: always.
    """
    raise AssertionError(_REFUSAL)


current_device = get_device_name = get_device_capability = get_device_properties = _refuse
current_stream = default_stream = synchronize = mem_get_info = init = _refuse
get_rng_state = set_rng_state = initial_seed = set_device = can_device_access_peer = _refuse


def is_available() -> bool:
    """False.

    >>> torch.cuda.is_available()
    False
    """
    return False


def is_initialized() -> bool:
    """False."""
    return False


def is_bf16_supported(including_emulation: bool = True) -> bool:
    """False."""
    return False


def is_tf32_supported() -> bool:
    """False."""
    return False


def device_count() -> int:
    """0.

    >>> torch.cuda.device_count()
    0
    """
    return 0


def get_arch_list() -> list[str]:
    """No architectures."""
    return []


def get_rng_state_all() -> list[Any]:
    """No devices, no states."""
    return []


def set_rng_state_all(new_states: Any) -> None:
    """No devices to set."""


def manual_seed(seed: int) -> None:
    """Nothing: there is no CUDA generator to seed."""
    int(seed)


def manual_seed_all(seed: int) -> None:
    """Nothing: there is no CUDA generator to seed."""
    int(seed)


def seed() -> None:
    """Nothing: there is no CUDA generator to seed."""


def seed_all() -> None:
    """Nothing: there is no CUDA generator to seed."""


def empty_cache() -> None:
    """Nothing: there is no CUDA memory."""


def ipc_collect() -> None:
    """Nothing: there is no CUDA memory."""


def _no_memory(device: Any = None) -> int:
    """0: no CUDA memory is used."""
    return 0


memory_allocated = memory_reserved = max_memory_allocated = max_memory_reserved = _no_memory
memory_cached = max_memory_cached = _no_memory


def _nothing(device: Any = None) -> None:
    """Nothing: there is no CUDA memory."""


reset_peak_memory_stats = reset_max_memory_allocated = reset_max_memory_cached = _nothing
reset_accumulated_memory_stats = _nothing


def memory_stats(device: Any = None) -> dict[str, Any]:
    """Empty: no CUDA memory is used."""
    return {}


def memory_summary(device: Any = None, abbreviated: bool = False) -> str:
    """Says that there is no CUDA memory."""
    return "no CUDA device: rushlight runs on the CPU"


class device:
    """Chooses a device within it: nothing happens, there is none."""

    def __init__(self, device: Any) -> None:
        self.idx = device

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: Any) -> None:
        pass


class device_of(device):
    """Chooses the device of a tensor within it: nothing happens."""


class Stream:
    """A queue of CUDA work; there is none here.

    Raises:
        RuntimeError: always.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("torch.cuda.Stream requires CUDA support: rushlight runs on the CPU")


class Event:
    """A mark in a queue of CUDA work; there is none here.

    Raises:
        RuntimeError: always.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError("torch.cuda.Event requires CUDA support: rushlight runs on the CPU")


class stream:
    """Chooses a stream within it: None (no stream) is the only one."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: Any) -> None:
        pass


StreamContext = stream
set_stream = set_per_process_memory_fraction = utilization = memory_usage = temperature = power_draw = _refuse
clock_rate = cudart = current_blas_handle = graph_pool_handle = make_graphed_callables = memory_snapshot = _refuse
CUDAGraph = ExternalStream = graph = absent_class("torch.cuda.CUDAGraph", "there is no CUDA device")


def is_current_stream_capturing() -> bool:
    """False."""
    return False


def get_sync_debug_mode() -> int:
    """0: there is nothing to wait for."""
    return 0


def set_sync_debug_mode(debug_mode: int | str) -> None:
    """Accepted: there is nothing to wait for."""


def __getattr__(name: str) -> Any:
    if name in ("amp", "memory", "nvtx", "random"):
        import importlib

        return importlib.import_module(f"rushlight.cuda.{name}")
    if name == "OutOfMemoryError":
        from rushlight._errors import OutOfMemoryError

        return OutOfMemoryError
    if name.endswith("Tensor") and name.removesuffix("Tensor") in (
        "Float", "Double", "Half", "BFloat16", "Byte", "Char", "Short", "Int", "Long", "Bool",
    ):  # fmt: skip
        return _missing_type(name)
    from rushlight._missing import no_attribute

    raise no_attribute(__name__, name, __all__)


def _missing_type(name: str) -> Any:
    """A class that no tensor is an instance of, and that cannot be made."""
    made = type(name, (_C.Tensor,), {"__module__": "torch.cuda", "__new__": _refuse})
    globals()[name] = made
    return made
