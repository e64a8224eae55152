"""The format of PyTorch before 1.6: pickles one after the other, then the bytes of the storages."""

from __future__ import annotations

import pickle
import struct
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from rushlight import _C
from rushlight.serialization._build import sound
from rushlight.serialization._loader import Lister, Loader, Refused, StorageType, describe, names_refused
from rushlight.serialization._machine import Builder, Machine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rushlight.serialization._archive import Source

__all__ = ["legacy_pieces", "load_legacy"]

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_SYSTEM = {"protocol_version": _PROTOCOL, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}


def load_legacy(
    source: Source, place: Callable[[Any, str], Any], weights_only: bool, options: dict[str, Any]
) -> tuple[Any, int]:
    """What a file in that format holds, and where it ends."""
    from rushlight.storage import TypedStorage, UntypedStorage

    data = source.whole()
    if data[257:262] == b"ustar":
        raise RuntimeError(
            f"{source.name} is in the tar format of PyTorch before 0.1.10, which is not read. Any PyTorch since can load "
            "it, and save it again"
        )
    plain = Builder()
    magic = Machine(data, plain)
    if magic.run() != _MAGIC:
        raise RuntimeError("Invalid magic number; corrupt file?")
    protocol = Machine(data, plain, magic.end)
    if protocol.run() != _PROTOCOL:
        raise RuntimeError(f"Invalid protocol version of {source.name}: only {_PROTOCOL} is read")
    system = Machine(data, plain, protocol.end)
    about = system.run()
    if not isinstance(about, dict) or about.get("little_endian") is not True:
        raise RuntimeError(f"{source.name} was written on a big-endian machine, which is not read in this format")

    # The bytes stand behind the pickle: it is gone through once to find them.
    lister = Lister()
    listing = Machine(data, lister, system.end, **options)
    listing.run()
    places, end = _places(source, data, listing.end, lister.outside)
    storages: dict[str, tuple[Any, Any]] = {}

    def persistent(identity: Any) -> Any:
        if len(identity) == 4:
            return identity[1]  # a module's class, with its source
        _, kind, key, location, _, part = identity
        if part is not None:
            raise RuntimeError("the file holds views of storages, as PyTorch wrote them before 0.4; they are not read")
        if type(kind) is not StorageType or type(location) is not str:
            raise UnpicklingError("no reference to a storage: the file is damaged")
        if key not in storages:
            at, nbytes = places[key]
            memory = _C.empty(nbytes, dtype=_C.uint8, device="cpu")
            if nbytes:
                memoryview(memory)[:] = data[at : at + nbytes]  # type: ignore[arg-type]
            storages[key] = place(UntypedStorage._of(sound(memory, kind.dtype)), location), kind.dtype
        storage, dtype = storages[key]
        return storage if dtype is None else TypedStorage(wrap_storage=storage, dtype=dtype)

    try:
        return Machine(data, Loader(persistent, weights_only), system.end, **options).run(), end
    except Refused:
        raise UnpicklingError(
            describe(names_refused(data, system.end, weights_only), source.name, weights_only)
        ) from None


def _places(source: Source, data: bytes, start: int, outside: list[Any]) -> tuple[dict[str, tuple[int, int]], int]:
    """Where the bytes of each storage are, and how many; and where the last ones end."""
    items: dict[str, Any] = {}
    for identity in outside:
        if type(identity) is tuple and len(identity) == 4 and identity[0] == "module":
            continue
        if (
            type(identity) is not tuple
            or len(identity) != 6
            or identity[0] != "storage"
            or type(identity[2]) is not str
        ):
            raise UnpicklingError("no reference to a storage: the file is damaged")
        items[identity[2]] = StorageType(getattr(identity[1], "name", "")).dtype
    listing = Machine(data, Builder(), start)
    keys = listing.run()
    if not isinstance(keys, list) or any(type(key) is not str for key in keys) or sorted(keys) != sorted(items):
        raise RuntimeError(f"{source.name} is damaged: its list of storages does not fit")
    at = listing.end
    places = {}
    for key in keys:
        if at + 8 > len(data):
            raise RuntimeError(f"{source.name} is cut off: storage {key} is missing")
        dtype = items[key]
        nbytes = struct.unpack_from("<q", data, at)[0] * (1 if dtype is None else dtype.itemsize)
        at += 8
        if nbytes < 0 or nbytes > len(data) - at:
            raise RuntimeError(f"{source.name} is damaged or cut off: storage {key} does not have its {nbytes} bytes")
        places[key] = at, nbytes
        at += nbytes
    return places, at


def legacy_pieces(thing: Any, protocol: int) -> Iterator[Any]:
    """The bytes of a file in that format."""
    from rushlight.serialization._writer import pickled

    body, storages, dtypes = pickled(thing, protocol, legacy=True)
    protocol = max(2, protocol)
    yield (
        b"".join(pickle.dumps(part, protocol) for part in (_MAGIC, _PROTOCOL, _SYSTEM))
        + body
        + pickle.dumps([key for key, _ in storages], protocol)
    )
    for (_, data), dtype in zip(storages, dtypes):
        yield struct.pack("<q", len(data) // (1 if dtype is None else dtype.itemsize))
        yield data
