"""The safetensors format: a JSON header, then the bytes of the tensors.

Reference: https://huggingface.co/docs/safetensors
"""

from __future__ import annotations

import json
import math
import struct
from typing import TYPE_CHECKING, Any

from rushlight import _C
from rushlight.serialization._build import sound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rushlight.serialization._archive import Source

__all__ = ["load", "pieces", "save_bytes"]

_DTYPES = {
    "F64": _C.float64,
    "F32": _C.float32,
    "F16": _C.float16,
    "BF16": _C.bfloat16,
    "I64": _C.int64,
    "I32": _C.int32,
    "I16": _C.int16,
    "I8": _C.int8,
    "U8": _C.uint8,
    "BOOL": _C.bool,
    "C64": _C.complex64,
}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}
_MOST_HEADER = 100_000_000


def _damaged(source: Source, what: str) -> RuntimeError:
    return RuntimeError(f"{source.name} is no safetensors file, or damaged: {what}")


def load(source: Source, place: Callable[[Any, str], Any]) -> dict[str, Any]:
    """The tensors in a file, by name."""
    from rushlight.storage import UntypedStorage

    (length,) = struct.unpack("<Q", source.read(0, 8))
    if length > min(_MOST_HEADER, source.size - 8):
        raise _damaged(source, f"a header of {length} bytes")
    try:
        header = json.loads(source.read(8, length))
    except (ValueError, RecursionError) as error:
        raise _damaged(source, f"its header is no JSON ({error})") from None
    if not isinstance(header, dict):
        raise _damaged(source, "its header is no table")
    start = 8 + length
    room = source.size - start
    claimed = 0
    out = {}
    for name, about in header.items():
        if name == "__metadata__":
            continue
        try:
            dtype, shape = about["dtype"], about["shape"]
            begin, end = about["data_offsets"]
            numbers = [begin, end, *shape]
        except (TypeError, KeyError, ValueError):
            raise _damaged(source, f"tensor {name!r} is not described") from None
        if dtype not in _DTYPES:
            raise RuntimeError(
                f"tensor {name!r} in {source.name} has the dtype {dtype!r}, which rushlight does not have"
            )
        if any(type(n) is not int or n < 0 for n in numbers) or len(shape) > 64 or end > room or begin > end:
            raise _damaged(source, f"tensor {name!r} is out of range")
        kind = _DTYPES[dtype]
        claimed += end - begin
        if math.prod(shape) * kind.itemsize != end - begin or claimed > room:
            raise _damaged(source, f"tensor {name!r} of shape {shape} does not have {end - begin} bytes")
        memory = _C.empty(end - begin, dtype=_C.uint8, device="cpu")
        if end > begin:
            source.read_into(start + begin, memoryview(memory))  # type: ignore[arg-type]
        storage = place(UntypedStorage._of(sound(memory, kind)), "cpu")
        strides = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
        out[name] = storage._tensor(kind, 0, shape, [max(1, s) for s in strides])
    return out


def pieces(tensors: dict[str, Any], metadata: dict[str, str] | None = None) -> Iterator[Any]:
    """The bytes of a file with these tensors."""
    header: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    packed = []
    at = 0
    # Large dtypes first, then by name: every tensor is aligned.
    for name in sorted(tensors, key=lambda n: (-tensors[n].element_size(), n)):
        tensor = tensors[name].detach().contiguous()
        if tensor.dtype not in _NAMES:
            raise RuntimeError(f"safetensors has no dtype for {tensor.dtype} (tensor {name!r})")
        size = tensor.numel() * tensor.element_size()
        header[name] = {"dtype": _NAMES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [at, at + size]}
        at += size
        packed.append(tensor)
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    yield struct.pack("<Q", len(text)) + text
    for tensor in packed:
        if tensor.numel():
            yield memoryview(tensor.reshape(-1).view(_C.uint8))


def save_bytes(tensors: dict[str, Any], metadata: dict[str, str] | None = None) -> bytes:
    """A file with these tensors, in memory."""
    return b"".join(map(bytes, pieces(tensors, metadata)))
