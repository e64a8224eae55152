"""Exchange of tensors with other libraries, by DLPack."""

from rushlight import from_dlpack, to_dlpack

__all__ = ["from_dlpack", "to_dlpack"]
