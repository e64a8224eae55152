"""Reads the files of many processes."""

from __future__ import annotations

from rushlight._later import absent_function

__all__ = ["load", "load_state_dict"]

_WHY = "the world has one process; torch.save and torch.load keep a state_dict"
load, load_state_dict, _load_state_dict = (
    absent_function(f"torch.distributed.checkpoint.{name}", _WHY)
    for name in ("load", "load_state_dict", "_load_state_dict")
)
