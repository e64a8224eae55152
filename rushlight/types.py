"""Names for what functions take and give, for annotations."""

from __future__ import annotations

import builtins
import os
from collections.abc import Sequence
from typing import IO, Any

from rushlight import _C

__all__ = ["Device", "FileLike", "IntLikeType", "Number", "Tensor"]

Tensor = _C.Tensor
Number = builtins.int | builtins.float | builtins.bool
_int = builtins.int
_float = builtins.float
_bool = builtins.bool
_complex = builtins.complex
_dtype = _C.dtype
_device = _C.device
_size = _C.Size | list[builtins.int] | tuple[builtins.int, ...]
_layout = _C.layout
_TensorOrTensors = _C.Tensor | Sequence[_C.Tensor]
Device = _C.device | str | builtins.int | None
FileLike = str | os.PathLike[str] | IO[bytes]
IntLikeType = builtins.int
FloatLikeType = builtins.float
BoolLikeType = builtins.bool


def __getattr__(name: str) -> Any:
    if name == "Storage":
        from rushlight.storage import UntypedStorage

        return UntypedStorage
    from rushlight._missing import no_attribute

    raise no_attribute(__name__, name, __all__)
