"""Starts many processes of a program."""

from __future__ import annotations

from rushlight._later import absent_class, absent_function

__all__ = ["LaunchConfig", "elastic_launch", "launch_agent"]

_WHY = "the world has one process"
LaunchConfig, elastic_launch = (
    absent_class(f"torch.distributed.launcher.api.{name}", _WHY) for name in ("LaunchConfig", "elastic_launch")
)
launch_agent = absent_function("torch.distributed.launcher.api.launch_agent", _WHY)
