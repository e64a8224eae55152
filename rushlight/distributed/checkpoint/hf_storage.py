"""Files of many processes in the format of safetensors."""

from __future__ import annotations

from rushlight._later import absent_class

__all__ = ["HuggingFaceStorageReader", "HuggingFaceStorageWriter"]

_WHY = "the world has one process; torch.save and torch.load keep a state_dict"
HuggingFaceStorageReader, HuggingFaceStorageWriter = (
    absent_class(f"torch.distributed.checkpoint.hf_storage.{name}", _WHY)
    for name in ("HuggingFaceStorageReader", "HuggingFaceStorageWriter")
)
