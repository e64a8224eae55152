"""Files of many processes, put together."""

from __future__ import annotations

from rushlight._later import absent_function

__all__ = ["consolidate_safetensors_files"]

_WHY = "the world has one process; torch.save and torch.load keep a state_dict"
consolidate_safetensors_files = absent_function("torch.distributed.checkpoint.consolidate_safetensors_files", _WHY)
