"""`save` and `load`, in PyTorch's file format.

A file is written beside its target and renamed, so that a crash never costs the old checkpoint. Loading never runs code
from a file: it builds tensors, plain data and modules whose class the program has imported, and refuses the rest by name.

Reference: https://pytorch.org/docs/stable/notes/serialization.html
"""

from __future__ import annotations

import os
from enum import Enum
from typing import IO, TYPE_CHECKING, Any, TypeAlias

from rushlight import _C
from rushlight._missing import module_getattr
from rushlight.utils.serialization import config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "SourceChangeWarning",
    "mkdtemp",
    "register_package",
    "check_module_version_greater_or_equal",
    "validate_cuda_device",
    "validate_hpu_device",
    "location_tag",
    "default_restore_location",
    "normalize_storage_type",
    "storage_to_tensor_type",
    "save",
    "load",
    "StorageType",
    "LoadEndianness",
    "get_crc32_options",
    "set_crc32_options",
    "get_default_load_endianness",
    "set_default_load_endianness",
    "get_default_mmap_options",
    "set_default_mmap_options",
    "clear_safe_globals",
    "get_safe_globals",
    "add_safe_globals",
    "safe_globals",
    "get_unsafe_globals_in_checkpoint",
    "skip_data",
]

DEFAULT_PROTOCOL = 2
# What annotations of programs name: what `load` takes as `f`, and as `map_location`.
FILE_LIKE: TypeAlias = "str | os.PathLike[str] | IO[bytes]"
MAP_LOCATION: TypeAlias = "Callable[[Any, str], Any] | _C.device | str | dict[str, str] | None"
_skipping = False
_packages: list[tuple[int, Any, Any]] = []


class SourceChangeWarning(Warning):
    """Was given when the source of a saved module had changed; never given here."""


class LoadEndianness(Enum):
    """The byte order of files that do not tell theirs."""

    NATIVE = 1
    LITTLE = 2
    BIG = 3


# ---- writing ----------------------------------------------------------------------------------------------------------


def save(
    obj: object,
    f: Any,
    pickle_module: Any = None,
    pickle_protocol: int = DEFAULT_PROTOCOL,
    _use_new_zipfile_serialization: bool = True,
    _disable_byteorder_record: bool = False,
) -> None:
    """Write an object to a file that `load`, and PyTorch's, can read.

    A file on disk is written under another name, brought to the disk, and renamed: it is complete, or it is what it was
    before. Tensors that share memory share it when they are loaded; a part of a tensor takes only its own bytes.

    Args:
        obj: tensors, modules, dictionaries, lists, numbers, ...: whatever `pickle` takes.
        f: a path, or an object with `write`.
        pickle_protocol: 2 can be read by every PyTorch.

    Example:
        >>> import io
        >>> import rushlight as torch
        >>> file = io.BytesIO()
        >>> torch.save({"weight": torch.arange(3), "epoch": 5}, file)
        >>> _ = file.seek(0)
        >>> torch.load(file)
        {'weight': tensor([0, 1, 2]), 'epoch': 5}

    Raises:
        RuntimeError: the folder does not exist, or views of different dtypes share memory.

    Reference: https://pytorch.org/docs/stable/generated/torch.save.html
    """
    from rushlight.serialization import _archive

    _check_pickle_module(pickle_module)
    if not isinstance(pickle_protocol, int):
        raise ValueError(f"pickle_protocol must be an int, got {type(pickle_protocol).__name__}")
    is_path = isinstance(f, (str, os.PathLike))
    if not is_path and not hasattr(f, "write"):
        raise AttributeError("expected 'f' to be string, path, or a file-like object with a 'write' attribute")
    if _use_new_zipfile_serialization:
        pieces = _zip_pieces(obj, _folder_name(f) if is_path else "archive", pickle_protocol, _disable_byteorder_record)
    else:
        from rushlight.serialization._legacy import legacy_pieces

        pieces = legacy_pieces(obj, pickle_protocol)
    if is_path:
        with _archive.replacing(f) as fd:
            for piece in pieces:
                _archive.write_all(fd, piece)
        return
    for piece in pieces:
        f.write(piece)
    if hasattr(f, "flush"):
        f.flush()


def _folder_name(path: Any) -> str:
    """The folder in the archive: the file's name, as PyTorch has it."""
    name = os.path.basename(os.fsdecode(path))
    return name.rpartition(".")[0] or name or "archive"


def _zip_pieces(obj: Any, folder: str, protocol: int, no_byteorder: bool) -> Iterator[Any]:
    from rushlight.serialization._archive import pieces
    from rushlight.serialization._writer import pickled

    body, storages, _ = pickled(obj, protocol)
    # No ".format_version": with it, PyTorch may guess where records stand from how its own writer lays them out.
    records: list[tuple[str, Any]] = [("data.pkl", body)]
    if not no_byteorder:
        records.append(("byteorder", b"little"))
    if _skipping:
        storages = [(key, bytes(len(data))) for key, data in storages]
    records += [(f"data/{key}", data) for key, data in storages]
    records.append(("version", b"3\n"))
    records.append((".data/serialization_id", f"{_C._crc32(body):020d}{len(body):020d}".encode()))
    return pieces(folder, records, config.save.compute_crc32, config.save.storage_alignment)


def _check_pickle_module(module: Any) -> None:
    name = getattr(module, "__name__", None)
    if module is not None and name not in ("pickle", "_pickle", "cPickle"):
        raise RuntimeError(f"pickle_module={name}: only the standard pickle is supported")


# ---- reading ----------------------------------------------------------------------------------------------------------


def load(
    f: Any,
    map_location: Any = None,
    pickle_module: Any = None,
    *,
    weights_only: bool | None = None,
    mmap: bool | None = None,
    **pickle_load_args: Any,
) -> Any:
    """Read what `save`, or PyTorch's, wrote: also the format before PyTorch 1.6, and safetensors.

    Nothing in the file is run. Built are tensors, plain data (NumPy's included), rushlight's modules and optimizers, and
    modules whose class the running program has imported; other names are refused, all of them in one message.

    Args:
        f: a path, or an object with `read` and `seek`.
        map_location: where storages go: a device, a dictionary of devices, or a function of (storage, location).
            Files that were written on a GPU need `map_location="cpu"`.
        weights_only: True refuses classes of modules as well: tensors and plain data only.
        mmap: map the file instead of reading it: tensors are read when they are used. The file must stay as it is
            meanwhile; changing the tensors does not change it.

    Example:
        >>> import io
        >>> import rushlight as torch
        >>> file = io.BytesIO()
        >>> torch.save(torch.nn.Linear(2, 1), file)
        >>> _ = file.seek(0)
        >>> torch.load(file)
        Linear(in_features=2, out_features=1, bias=True)

    Raises:
        pickle.UnpicklingError: the file names what is not built from files, or is damaged.
        RuntimeError: the file is damaged, cut off, or needs a device that is not here.
        EOFError: the file is empty or cut off.
        FileNotFoundError: there is no such file.

    Reference: https://pytorch.org/docs/stable/generated/torch.load.html
    """
    _check_pickle_module(pickle_module)
    if map_location is not None and not (
        isinstance(map_location, (str, bytes, dict, _C.device)) or callable(map_location)
    ):
        raise TypeError(
            f"map_location must be a device, a string, a dictionary or a function, got {type(map_location).__name__}"
        )
    encoding = pickle_load_args.pop("encoding", "utf-8")
    errors = pickle_load_args.pop("errors", "strict")
    pickle_load_args.pop("fix_imports", None)
    if pickle_load_args:
        raise TypeError(f"load() got an unexpected keyword argument {next(iter(pickle_load_args))!r}")
    if mmap is None:
        mmap = config.load.mmap and isinstance(f, (str, os.PathLike))
    seekable = not isinstance(f, (str, os.PathLike)) and hasattr(f, "tell") and getattr(f, "seekable", lambda: True)()
    start = f.tell() if seekable else None
    source, mapped = _opened(f, mmap)
    try:
        head = source.read(0, min(source.size, 16))
        if not head:
            raise EOFError(f"{source.name} is empty: ran out of input")
        from rushlight.serialization._loader import restorer

        place = restorer(map_location, default_restore_location)
        options = {"encoding": encoding, "errors": errors}
        if head[:4] == b"PK\x03\x04":
            return _load_zip(source, mapped, place, bool(weights_only), options)
        if mmap:
            raise RuntimeError(
                "mmap can only be used with files saved with `torch.save(_use_new_zipfile_serialization=True)`, please "
                "torch.save your checkpoint with this option in order to use mmap."
            )
        if _is_safetensors(head, source.size):
            return _load_safetensors(source, place)
        from rushlight.serialization._legacy import load_legacy

        made, end = load_legacy(source, place, bool(weights_only), options)
        if start is not None:  # such files may stand one behind the other
            f.seek(start + end)
        return made
    finally:
        source.close()


def _opened(f: Any, mmap: bool | None) -> tuple[Any, Any]:
    """The source to read from, and the mapped file if it is mapped."""
    from rushlight.serialization import _archive

    if isinstance(f, (str, os.PathLike)):
        source = _archive.File(f)
        if not mmap or source.size == 0:
            return source, None
        try:
            return source, _C._map_fd(source.file.fileno(), source.size, config.load.mmap_flags == 1)
        except BaseException:
            source.close()
            raise
    if mmap:
        raise ValueError("f must be a file path in order to use the mmap argument")
    for method in ("seek", "read", "tell"):
        if not hasattr(f, method):
            raise AttributeError(
                f"'{type(f).__name__}' object has no attribute '{method}'. You can only torch.load from a file that is "
                "seekable. Please pre-load the data into a buffer like io.BytesIO and try to load from it instead."
            )
    if hasattr(f, "seekable") and not f.seekable():
        raise AttributeError(
            "You can only torch.load from a file that is seekable. Please pre-load the data into a buffer like "
            "io.BytesIO and try to load from it instead."
        )
    import io

    here = f.tell()
    if type(f) is io.BytesIO:
        data = f.getbuffer()[here:]
        f.seek(0, 2)
        return _archive.Bytes(data), None
    if here:
        return _archive.Bytes(f.read()), None
    return _archive.Stream(f), None


def _load_zip(source: Any, mapped: Any, place: Any, weights_only: bool, options: dict[str, Any]) -> Any:
    from pickle import UnpicklingError

    from rushlight.serialization._archive import Archive
    from rushlight.serialization._build import sound
    from rushlight.serialization._loader import Loader, Refused, StorageType, describe, names_refused
    from rushlight.serialization._machine import Machine
    from rushlight.storage import TypedStorage, UntypedStorage

    archive = Archive(source)
    swapped = _is_swapped(archive)
    storages: dict[str, tuple[Any, Any]] = {}
    claimed = 0

    def memory_of(key: str, nbytes: int, dtype: Any) -> Any:
        nonlocal claimed
        entry = archive.entry(f"data/{key}")
        if nbytes > entry.size or nbytes < 0:
            raise RuntimeError(
                f"{source.name} is damaged: storage {key!r} should have {nbytes} bytes, the record has {entry.size}"
            )
        claimed += nbytes
        if claimed > 21 * source.size + (64 << 20):
            raise RuntimeError(f"{source.name} is damaged: its storages are far larger than the file")
        if mapped is not None and not entry.deflated and not swapped and nbytes and entry.at % 16 == 0:
            return sound(_C._storage_part(mapped, entry.at, nbytes), dtype)
        memory = _C.empty(nbytes, dtype=_C.uint8, device="cpu")
        if nbytes and not _skipping:
            archive.read_into(f"data/{key}", entry, memoryview(memory))  # type: ignore[arg-type]
            if swapped and dtype is not None and dtype.itemsize > 1:
                item = dtype.itemsize // (2 if dtype.is_complex else 1)
                memory = memory.reshape(-1, item).flip(1).reshape(-1)
        return sound(memory, dtype)

    def persistent(identity: Any) -> Any:
        if type(identity) is not tuple or len(identity) != 5 or identity[0] != "storage":
            raise UnpicklingError(f"Unknown typename for persistent_load, expected 'storage' but got {identity!r:.80}")
        _, kind, key, location, numel = identity
        if type(kind) is not StorageType or type(key) is not str or type(location) is not str or type(numel) is not int:
            raise UnpicklingError("no reference to a storage: the file is damaged")
        if key not in storages:
            dtype = kind.dtype
            memory = memory_of(key, numel * (1 if dtype is None else dtype.itemsize), dtype)
            storages[key] = place(UntypedStorage._of(memory), location), dtype
        storage, dtype = storages[key]
        return storage if dtype is None else TypedStorage(wrap_storage=storage, dtype=dtype)

    body = archive.read("data.pkl")
    try:
        return Machine(body, Loader(persistent, weights_only), **options).run()
    except Refused:
        raise UnpicklingError(describe(names_refused(body, 0, weights_only), source.name, weights_only)) from None


def _is_swapped(archive: Any) -> bool:
    """Whether the bytes of numbers are in the other order than here."""
    import sys

    if "byteorder" in archive:
        order = archive.read("byteorder").decode("ascii", "replace").strip()
        if order not in ("little", "big"):
            raise ValueError(f"Unknown endianness type: {order}")
    else:
        order = {None: "little", LoadEndianness.LITTLE: "little", LoadEndianness.BIG: "big"}.get(
            config.load.endianness, sys.byteorder
        )
    return order != sys.byteorder


def _is_safetensors(head: bytes, size: int) -> bool:
    return len(head) > 9 and head[8:9] == b"{" and 2 <= int.from_bytes(head[:8], "little") <= size - 8


def _load_safetensors(source: Any, place: Any) -> dict[str, Any]:
    from rushlight.serialization._safetensors import load

    return load(source, place)


# ---- what may be loaded -----------------------------------------------------------------------------------------------


def add_safe_globals(safe_globals: list[Any]) -> None:
    """Allow classes and functions in files: instances are made, and the functions called, as the file says.

    Args:
        safe_globals: classes or functions, or pairs of one and the full name that it has in files.

    >>> import collections
    >>> torch.serialization.add_safe_globals([collections.Counter])
    >>> collections.Counter in torch.serialization.get_safe_globals()
    True
    >>> torch.serialization.clear_safe_globals()
    """
    from rushlight.serialization import _loader

    _loader.add_safe(safe_globals)


def get_safe_globals() -> list[Any]:
    """What was allowed."""
    from rushlight.serialization import _loader

    return list(_loader.user_safe)


def clear_safe_globals() -> None:
    """Allow nothing but what is always allowed."""
    from rushlight.serialization import _loader

    _loader.user_safe.clear()


class safe_globals:
    """`with safe_globals([MyConfig]): torch.load(...)`: allow classes and functions for a while.

    >>> import collections
    >>> with torch.serialization.safe_globals([collections.Counter]):
    ...     print(collections.Counter in torch.serialization.get_safe_globals())
    True
    """

    def __init__(self, safe_globals: list[Any]) -> None:
        self.things = safe_globals

    def __enter__(self) -> None:
        from rushlight.serialization import _loader

        self.before = list(_loader.user_safe)
        _loader.add_safe(self.things)

    def __exit__(self, *exc: object) -> None:
        from rushlight.serialization import _loader

        _loader.user_safe[:] = self.before


def get_unsafe_globals_in_checkpoint(f: Any) -> list[str]:
    """The names in a file that `load(weights_only=True)` would refuse, as "module.name"."""
    from rushlight.serialization._archive import Archive
    from rushlight.serialization._loader import names_refused

    source, _ = _opened(f, None)
    try:
        if source.read(0, min(source.size, 4)) != b"PK\x03\x04":
            raise ValueError(
                "Expected input to be a checkpoint returned by torch.save but got a torchscript checkpoint"
            )
        return names_refused(Archive(source).read("data.pkl"), 0, weights_only=True)
    finally:
        source.close()


# ---- settings ---------------------------------------------------------------------------------------------------------


def get_crc32_options() -> bool:
    """Whether `save` computes checksums.

    >>> torch.serialization.get_crc32_options()
    True
    """
    return config.save.compute_crc32


def set_crc32_options(compute_crc32: bool) -> None:
    """Choose whether `save` computes checksums, which `load` then checks."""
    config.save.compute_crc32 = bool(compute_crc32)


def get_default_load_endianness() -> LoadEndianness | None:
    """The byte order of files that do not tell theirs; None: little.

    >>> torch.serialization.get_default_load_endianness()
    """
    found: LoadEndianness | None = config.load.endianness
    return found


def set_default_load_endianness(endianness: LoadEndianness | None) -> None:
    """Set the byte order of files that do not tell theirs."""
    if endianness is not None and not isinstance(endianness, LoadEndianness):
        raise TypeError("Invalid argument type in function set_default_load_endianness")
    config.load.endianness = endianness


def get_default_mmap_options() -> int | None:
    """mmap.MAP_PRIVATE, unless it was set."""
    return config.load.mmap_flags


class set_default_mmap_options:
    """Choose mmap.MAP_PRIVATE (what `load(mmap=True)` maps is not written back) or mmap.MAP_SHARED."""

    def __init__(self, flags: int) -> None:
        import mmap

        if flags not in (mmap.MAP_PRIVATE, mmap.MAP_SHARED):
            raise ValueError(
                "Invalid argument in function set_default_mmap_options, expected mmap.MAP_PRIVATE or mmap.MAP_SHARED, "
                f"but got {flags}"
            )
        self.before = config.load.mmap_flags
        config.load.mmap_flags = flags

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exc: object) -> None:
        config.load.mmap_flags = self.before


class skip_data:
    """`with skip_data():` `save` writes zeros for storages, and `load` leaves them as they come: only the shapes matter."""

    def __init__(self, materialize_fake_tensors: bool = False) -> None:
        self.materialize_fake_tensors = materialize_fake_tensors

    def __enter__(self) -> skip_data:
        global _skipping
        self.before = _skipping
        _skipping = True
        return self

    def __exit__(self, *exc: object) -> None:
        global _skipping
        _skipping = self.before


# ---- devices ----------------------------------------------------------------------------------------------------------


def register_package(
    priority: int, tagger: Callable[[Any], str | None], deserializer: Callable[[Any, str], Any]
) -> None:
    """Add a kind of device: `tagger(storage)` gives the location that is saved, `deserializer(storage, location)` the storage
    that is loaded; both give None for what is not theirs. Small priorities are asked first."""
    _packages.append((priority, tagger, deserializer))
    _packages.sort(key=lambda entry: entry[0])


def location_tag(storage: Any) -> str:
    """Where a storage is: "cpu"."""
    for _, tagger, _ in _packages:
        location = tagger(storage)
        if location:
            return location
    return "cpu"


def default_restore_location(storage: Any, location: str) -> Any:
    """The storage, moved to where it was.

    Raises:
        RuntimeError: the place does not exist here.
    """
    for _, _, deserializer in _packages:
        moved = deserializer(storage, location)
        if moved is not None:
            return moved
    if location == "cpu" or location.startswith("cpu:"):
        return storage
    if location == "meta":
        from rushlight.storage import UntypedStorage

        return UntypedStorage._of(_C.empty(storage.nbytes(), dtype=_C.uint8, device="meta"))
    if location.startswith("cuda"):
        validate_cuda_device(location)
    raise RuntimeError(
        f"don't know how to restore data location of torch.storage.UntypedStorage (tagged with {location}): use "
        "torch.load with map_location=torch.device('cpu') to map your storages to the CPU."
    )


def validate_cuda_device(location: str) -> int:
    """A RuntimeError: there is no CUDA device."""
    raise RuntimeError(
        "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False. If you are running on "
        "a CPU-only machine, please use torch.load with map_location=torch.device('cpu') to map your storages to the CPU."
    )


def validate_hpu_device(location: str) -> int:
    """A RuntimeError: there is no HPU device."""
    raise RuntimeError(
        "Attempting to deserialize object on a HPU device but torch.hpu.is_available() is False. Please use torch.load "
        "with map_location=torch.device('cpu') to map your storages to the CPU."
    )


def normalize_storage_type(storage_type: Any) -> Any:
    """torch.FloatStorage for its name."""
    import rushlight

    return getattr(rushlight, storage_type.__name__)


def storage_to_tensor_type(storage: Any) -> Any:
    """torch.FloatTensor for a FloatStorage."""
    import rushlight

    return getattr(rushlight, storage.pickle_storage_type().replace("Storage", "Tensor"))


def StorageType(name: str) -> Any:
    """What `torch.FloatStorage` is while a file is read."""
    from rushlight.serialization import _loader

    return _loader.StorageType(name)


class mkdtemp:
    """`with mkdtemp() as path:` a folder that is removed afterwards."""

    def __enter__(self) -> str:
        import tempfile

        self.path = tempfile.mkdtemp()
        return self.path

    def __exit__(self, *exc: object) -> None:
        import shutil

        shutil.rmtree(self.path)


def check_module_version_greater_or_equal(
    module: Any, req_version_tuple: tuple[int, ...], error_if_malformed: bool = True
) -> bool:
    """Whether `module.__version__` is at least that version."""
    try:
        version = tuple(type(need)(have) for need, have in zip(req_version_tuple, module.__version__.split(".")))
    except Exception as error:
        if error_if_malformed:
            raise RuntimeError(
                f"'{module.__name__}' module version string is malformed '{module.__version__}'"
            ) from error
        return True
    return version >= req_version_tuple


__getattr__ = module_getattr(__name__)
