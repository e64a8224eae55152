"""The older names of `torch.profiler`."""

from __future__ import annotations

from typing import Any

from rushlight import profiler
from rushlight._later import absent_class
from rushlight.profiler import EventList, record_function

__all__ = ["EventList", "emit_itt", "emit_nvtx", "profile", "record_function"]


emit_itt, emit_nvtx = (
    absent_class(f"torch.autograd.profiler.{name}", "its profiler is not connected")
    for name in ("emit_itt", "emit_nvtx")
)


class profile(profiler.profile):
    """`torch.profiler.profile`, with the older arguments."""

    def __init__(self, enabled: bool = True, **options: Any) -> None:
        super().__init__()
        self._enabled = enabled

    def __enter__(self) -> Any:
        return super().__enter__() if self._enabled else None

    def __exit__(self, *error: Any) -> None:
        if self._enabled:
            super().__exit__(*error)

    @property
    def function_events(self) -> EventList:
        """What was timed."""
        return self.events()

    @property
    def self_cpu_time_total(self) -> float:
        """The sum of all times, in microseconds."""
        total: float = self.total_average().self_cpu_time_total
        return total

    def total_average(self) -> Any:
        """All together."""
        return self.key_averages().total_average()

    def start(self) -> None:
        """Begin, if enabled."""
        if self._enabled:
            super().start()

    def stop(self) -> None:
        """End."""
        if self._enabled:
            super().stop()

    def table(self, **options: Any) -> str:
        """Times by name, as text."""
        return self.key_averages().table(**options)
