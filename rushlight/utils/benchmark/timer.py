"""`Timer`: how long a statement takes, and `Compare`: a table of several."""

from __future__ import annotations

import statistics
import timeit
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from rushlight import _C

__all__ = ["Compare", "Measurement", "Timer"]


@dataclass
class Measurement:
    """What was measured.

    Attributes:
        number_per_run: how often the statement was run for each of the times.
        raw_times: the times of these runs, in seconds.
    """

    number_per_run: int
    raw_times: list[float]
    stmt: str
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    env: str | None = None
    num_threads: int = 1
    metadata: dict[Any, Any] = field(default_factory=dict)

    @property
    def times(self) -> list[float]:
        """Of one statement, in seconds."""
        return [time / self.number_per_run for time in self.raw_times]

    @property
    def median(self) -> float:
        """The median time of a statement, in seconds."""
        return statistics.median(self.times)

    @property
    def mean(self) -> float:
        """The mean time of a statement, in seconds."""
        return statistics.fmean(self.times)

    @property
    def iqr(self) -> float:
        """How far the middle half of the times reaches."""
        times = sorted(self.times)
        if len(times) < 2:
            return 0.0
        low, _, high = statistics.quantiles(times, n=4, method="inclusive")
        return high - low

    @property
    def title(self) -> str:
        """The labels."""
        return (self.label or self.stmt) + (f": {self.sub_label}" if self.sub_label else "")

    def __repr__(self) -> str:
        scale, unit = _unit(self.median)
        parts = [f"<{type(self).__module__}.{type(self).__name__} object>", self.title]
        if self.description:
            parts.append(self.description)
        runs = f"{len(self.raw_times)} measurement{'s' * (len(self.raw_times) > 1)}, {self.number_per_run} runs"
        if len(self.raw_times) > 1:
            parts.append(f"  Median: {self.median / scale:.2f} {unit}\n  IQR:    {self.iqr / scale:.2f} {unit}")
            runs = f"{runs} per measurement"
        else:
            parts.append(f"  {self.median / scale:.2f} {unit}")
        parts.append(f"  {runs}, {self.num_threads} thread{'s' * (self.num_threads > 1)}")
        return "\n".join(parts)


def _unit(seconds: float) -> tuple[float, str]:
    for scale, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= scale:
            return scale, unit
    return 1e-9, "ns"


class Timer:
    """Times a statement, with one thread unless told otherwise.

    Args:
        stmt: the code.
        setup: run once before it.
        global_setup: accepted.
        timer: the clock.
        globals: the names that the code sees; `torch` is there by itself.
        label, sub_label, description, env: for the results.
        num_threads: how many threads operations may use.

    Example:
        >>> timer = torch.utils.benchmark.Timer("x + x", "x = torch.ones(4)")
        >>> timer.timeit(100).mean < 1
        True

    Reference: https://pytorch.org/docs/stable/benchmark_utils.html
    """

    def __init__(
        self,
        stmt: str = "pass",
        setup: str = "pass",
        global_setup: str = "",
        timer: Callable[[], float] = timeit.default_timer,
        globals: dict[str, Any] | None = None,
        label: str | None = None,
        sub_label: str | None = None,
        description: str | None = None,
        env: str | None = None,
        num_threads: int = 1,
        language: Any = "py",
    ) -> None:
        if str(language).lower() not in ("py", "python", "language.python"):
            raise NotImplementedError("Timer: only Python is timed")
        import textwrap

        import rushlight

        names = {"torch": rushlight, **(globals or {})}
        self._stmt = textwrap.dedent(stmt).strip()
        self._timer = timeit.Timer(self._stmt, textwrap.dedent(setup).strip(), timer=timer, globals=names)
        self._about = {
            "stmt": self._stmt,
            "label": label,
            "sub_label": sub_label,
            "description": description,
            "env": env,
            "num_threads": num_threads,
        }
        self._threads = num_threads

    def _runs(self, number: int, until: Callable[[list[float]], bool]) -> Measurement:
        before = _C.get_num_threads()
        _C.set_num_threads(self._threads)
        try:
            times: list[float] = []
            while not times or not until(times):
                times.append(self._timer.timeit(number))
        finally:
            _C.set_num_threads(before)
        return Measurement(number, times, **self._about)  # type: ignore[arg-type]

    def timeit(self, number: int = 1_000_000) -> Measurement:
        """The time of so many runs, after a hundredth of them to warm up."""
        self._runs(max(number // 100, 2), lambda times: True)
        return self._runs(number, lambda times: True)

    def _block(self, seconds: float) -> int:
        """How many runs take that long."""
        number = 1
        while self._runs(number, lambda times: True).raw_times[0] < seconds:
            number *= 10 if number < 1000 else 2
        return number

    def blocked_autorange(self, callback: Any = None, min_run_time: float = 0.2) -> Measurement:
        """Times of blocks of runs, together at least `min_run_time` seconds."""
        number = self._block(min(min_run_time / 100, 0.001))
        return self._runs(number, lambda times: sum(times) >= min_run_time)

    def adaptive_autorange(
        self, threshold: float = 0.1, *, min_run_time: float = 0.01, max_run_time: float = 10.0, callback: Any = None
    ) -> Measurement:
        """The same, until the middle half of the times lies within `threshold` of the median."""
        number = self._block(0.0005)

        def steady(times: list[float]) -> bool:
            total = sum(times)
            if total < min_run_time or len(times) < 4:
                return False
            low, middle, high = statistics.quantiles(times, n=4, method="inclusive")
            return high - low < threshold * middle or total > max_run_time

        return self._runs(number, steady)


class Compare:
    """A table of measurements: a row for each sub_label, a column for each description.

    Args:
        results: measurements.
    """

    def __init__(self, results: Iterable[Measurement]) -> None:
        self._results = list(results)

    def extend_results(self, results: Iterable[Measurement]) -> None:
        """Add measurements."""
        self._results.extend(results)

    def trim_significant_figures(self) -> None:
        """Accepted: three digits are shown."""

    def colorize(self, rowwise: bool = False) -> None:
        """Accepted: the table has no colours."""

    def highlight_warnings(self) -> None:
        """Accepted."""

    def __str__(self) -> str:
        out = []
        for label in dict.fromkeys(m.label or m.stmt for m in self._results):
            chosen = [m for m in self._results if (m.label or m.stmt) == label]
            columns = list(dict.fromkeys(m.description or m.env or "time" for m in chosen))
            rows = list(dict.fromkeys((m.num_threads, m.sub_label or m.stmt) for m in chosen))
            scale, unit = _unit(min(m.median for m in chosen))
            cells = [[f"[{label}]", *columns]]
            for threads, row in rows:
                line = [f"{row} ({threads} thread{'s' * (threads > 1)})"]
                for column in columns:
                    found = [
                        m.median
                        for m in chosen
                        if (m.num_threads, m.sub_label or m.stmt, m.description or m.env or "time")
                        == (threads, row, column)
                    ]
                    line.append(f"{statistics.median(found) / scale:.3g}" if found else "")
                cells.append(line)
            widths = [max(len(line[i]) for line in cells) for i in range(len(columns) + 1)]
            out += ["  ".join(cell.rjust(width) for cell, width in zip(line, widths)) for line in cells]
            out += [f"Times are in {unit}.", ""]
        return "\n".join(out)

    def print(self) -> None:
        """Print it."""
        print(self)
