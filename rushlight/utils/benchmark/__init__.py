"""Timing of small pieces of code.

Reference: https://pytorch.org/docs/stable/benchmark_utils.html
"""

from __future__ import annotations

from rushlight.utils.benchmark.timer import Compare, Measurement, Timer

__all__ = ["Compare", "Measurement", "Timer"]
