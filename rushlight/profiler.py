"""`torch.profiler`: times the blocks that a program names. Single operations are not timed.

Reference: https://pytorch.org/docs/stable/profiler.html
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterable
from enum import Enum
from typing import Any

__all__ = [
    "ProfilerAction",
    "ProfilerActivity",
    "kineto_available",
    "profile",
    "record_function",
    "schedule",
    "supported_activities",
    "tensorboard_trace_handler",
]

_active: list[profile] = []


class ProfilerActivity(Enum):
    """What is watched."""

    CPU = 0
    XPU = 1
    MTIA = 2
    CUDA = 3
    HPU = 4
    PrivateUse1 = 5


class ProfilerAction(Enum):
    """What a profiler does in a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def supported_activities() -> set[ProfilerActivity]:
    """The CPU's."""
    return {ProfilerActivity.CPU}


def kineto_available() -> bool:
    """False: there is none."""
    return False


class record_function(contextlib.ContextDecorator):
    """Names a block, or a function, for the profiler.

    Args:
        name: under which its times are added up.
        args: accepted.

    Example:
        >>> with torch.profiler.record_function("forward"):
        ...     y = torch.ones(2) * 2

    Reference: https://pytorch.org/docs/stable/profiler.html
    """

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name = name
        self.args = args
        self._starts: list[int] = []

    def __enter__(self) -> record_function:
        self._starts.append(time.perf_counter_ns())
        return self

    def __exit__(self, *error: Any) -> None:
        start, end = self._starts.pop(), time.perf_counter_ns()
        for one in _active:
            one._note(self.name, start, end)


class _Average:
    """The times of one name."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.count = 0
        self.cpu_time_total = 0.0

    @property
    def cpu_time(self) -> float:
        """The mean, in microseconds."""
        return self.cpu_time_total / self.count

    self_cpu_time_total = property(lambda self: self.cpu_time_total)
    device_time_total = cuda_time_total = self_device_time_total = property(lambda self: 0.0)


class EventList(list[_Average]):
    """Times by name."""

    def table(self, sort_by: str | None = None, row_limit: int = 100, **options: Any) -> str:
        """As text: name, total and mean time, number of calls."""
        rows = sorted(self, key=lambda row: -row.cpu_time_total)[:row_limit]
        width = max([len("Name"), *(len(row.key) for row in rows)])
        line = f"{'-' * width}  {'-' * 12}  {'-' * 12}  {'-' * 10}"
        out = [line, f"{'Name':>{width}}  {'CPU total':>12}  {'CPU time avg':>12}  {'# of Calls':>10}", line]
        for row in rows:
            total, mean = _time_text(row.cpu_time_total), _time_text(row.cpu_time)
            out.append(f"{row.key:>{width}}  {total:>12}  {mean:>12}  {row.count:>10}")
        return "\n".join([*out, line, "Only blocks named by record_function are timed.", ""])

    def total_average(self) -> Any:
        """All together."""
        made = _Average("Total")
        made.count = sum(row.count for row in self)
        made.cpu_time_total = sum(row.cpu_time_total for row in self)
        return made


def _time_text(microseconds: float) -> str:
    for unit, size in (("s", 1e6), ("ms", 1e3)):
        if microseconds >= size:
            return f"{microseconds / size:.3f}{unit}"
    return f"{microseconds:.3f}us"


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0, skip_first_wait: int = 0
) -> Callable[[int], ProfilerAction]:
    """Which steps are recorded: after `skip_first`, in cycles of `wait`, `warmup` and `active` steps.

    Example:
        >>> plan = torch.profiler.schedule(wait=1, warmup=1, active=2)
        >>> [plan(step).name for step in range(4)]
        ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE']
    """

    def action(step: int) -> ProfilerAction:
        step -= skip_first
        if step < 0:
            return ProfilerAction.NONE
        if skip_first_wait:
            step += wait
        cycle, at = divmod(step, wait + warmup + active)
        if repeat and cycle >= repeat:
            return ProfilerAction.NONE
        if at < wait:
            return ProfilerAction.NONE
        if at < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD if at < wait + warmup + active - 1 else ProfilerAction.RECORD_AND_SAVE

    return action


def tensorboard_trace_handler(dir_name: str, worker_name: str | None = None, use_gzip: bool = False) -> Any:
    """For `on_trace_ready`: writes each trace into a folder."""
    import socket

    def handler(prof: profile) -> None:
        os.makedirs(dir_name, exist_ok=True)
        who = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        prof.export_chrome_trace(os.path.join(dir_name, f"{who}.{time.time_ns()}.pt.trace.json"))

    return handler


class profile:
    """Adds up the times of the blocks named by `record_function` within it.

    Args:
        activities: accepted; the CPU is watched.
        schedule: from the number of a step to what is done in it; by default everything is recorded. Call `step()` after each.
        on_trace_ready: called with the profiler when a cycle ends.
        options: PyTorch's others, accepted.

    Example:
        >>> with torch.profiler.profile() as prof:
        ...     with torch.profiler.record_function("work"):
        ...         y = torch.ones(2) + 1
        >>> [row.key for row in prof.key_averages()]
        ['work']

    Reference: https://pytorch.org/docs/stable/profiler.html
    """

    def __init__(
        self,
        *,
        activities: Iterable[ProfilerActivity] | None = None,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[[Any], Any] | None = None,
        **options: Any,
    ) -> None:
        self.activities = set(activities) if activities is not None else supported_activities()
        self.schedule = schedule or (lambda step: ProfilerAction.RECORD)
        self.on_trace_ready = on_trace_ready
        self.step_num = 0
        self.current_action = self.schedule(0)
        self._ranges: list[tuple[str, int, int, int]] = []

    def _note(self, name: str, start: int, end: int) -> None:
        if self.current_action in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE):
            self._ranges.append((name, start, end, threading.get_ident()))

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self.stop()

    def start(self) -> None:
        """Begin."""
        _active.append(self)
        self._step_start = time.perf_counter_ns()

    def stop(self) -> None:
        """End."""
        _active.remove(self)
        if self.current_action in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE) and self.on_trace_ready:
            self.on_trace_ready(self)

    def step(self) -> None:
        """A step of the program has ended."""
        now = time.perf_counter_ns()
        self._note(f"ProfilerStep#{self.step_num}", self._step_start, now)
        before = self.current_action
        self.step_num += 1
        self.current_action = self.schedule(self.step_num)
        if before is ProfilerAction.RECORD_AND_SAVE:
            if self.on_trace_ready:
                self.on_trace_ready(self)
            self._ranges = []
        self._step_start = now

    def key_averages(self, *args: Any, **kwargs: Any) -> EventList:
        """Times by name."""
        found: dict[str, _Average] = {}
        for name, start, end, _ in self._ranges:
            row = found.setdefault(name, _Average(name))
            row.count += 1
            row.cpu_time_total += (end - start) / 1000
        return EventList(found.values())

    def events(self) -> EventList:
        """The same as `key_averages`."""
        return self.key_averages()

    def export_chrome_trace(self, path: str) -> None:
        """Write what was recorded for chrome://tracing."""
        events = [
            {
                "name": name,
                "ph": "X",
                "ts": start / 1000,
                "dur": (end - start) / 1000,
                "pid": os.getpid(),
                "tid": thread,
            }
            for name, start, end, thread in self._ranges
        ]
        with open(path, "w") as file:
            json.dump({"traceEvents": events}, file)

    def add_metadata(self, key: str, value: str) -> None:
        """Accepted."""

    def add_metadata_json(self, key: str, value: str) -> None:
        """Accepted."""
