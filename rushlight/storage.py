"""The memory behind tensors: `Tensor.untyped_storage()` (bytes) and `Tensor.storage()` (elements)."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from rushlight import _C

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["TypedStorage", "UntypedStorage"]

# One object for each storage, so that what shares memory is seen to share it (when it is pickled, or compared).
_known: weakref.WeakValueDictionary[int, UntypedStorage] = weakref.WeakValueDictionary()


class UntypedStorage:
    """Bytes that tensors look into.

    Args:
        size: how many bytes (zeros), or the bytes themselves.

    >>> storage = torch.tensor([1., 2.]).untyped_storage()
    >>> storage.nbytes(), len(storage)
    (8, 8)
    """

    __slots__ = ("__weakref__", "_bytes")

    _bytes: Any

    def __new__(cls, size: Any = 0, *, device: Any = None) -> UntypedStorage:
        if isinstance(size, int):
            return cls._of(_C.zeros(size, dtype=_C.uint8))
        return cls._of(_C.tensor(list(size), dtype=_C.uint8))

    @classmethod
    def _of(cls, tensor: Any) -> UntypedStorage:
        """The storage of a tensor."""
        key = tensor._storage_id()
        found = _known.get(key)
        if found is None:
            found = object.__new__(cls)
            found._bytes = _C._storage_view(tensor)
            _known[key] = found
        return found

    def _view(self) -> Any:
        return _C._storage_view(self._bytes)

    def _tensor(self, dtype: Any, offset: int, size: Any, stride: Any) -> Any:
        """A tensor over these bytes."""
        return _C._tensor_over(self._bytes, dtype, offset, size, stride)

    def _elements(self, dtype: Any) -> Any:
        """A tensor of all that fits, for a tensor of that dtype to look at."""
        return self._tensor(dtype, 0, (self.nbytes() // dtype.itemsize,), (1,))

    @property
    def device(self) -> Any:
        """The CPU."""
        return self._bytes.device

    @property
    def is_cuda(self) -> bool:
        """False."""
        return False

    def nbytes(self) -> int:
        """How many bytes there are."""
        count: int = self._bytes._storage_bytes()
        return count

    size = __len__ = nbytes

    def __sizeof__(self) -> int:
        return super().__sizeof__() + self.nbytes()

    def element_size(self) -> int:
        """1."""
        return 1

    def data_ptr(self) -> int:
        """The address of the first byte."""
        address: int = self._bytes._storage_ptr()
        return address

    @property
    def _cdata(self) -> int:
        identity: int = self._bytes._storage_id()
        return identity

    def tolist(self) -> list[int]:
        """The bytes as ints."""
        numbers: list[int] = self._view().tolist()
        return numbers

    def copy_(self, source: Any, non_blocking: bool | None = None) -> UntypedStorage:
        """Take the bytes of another storage of the same size."""
        self._view().copy_(source._view())
        return self

    def clone(self) -> UntypedStorage:
        """A storage with the same bytes."""
        return UntypedStorage._of(self._view().clone())

    def fill_(self, value: int) -> UntypedStorage:
        """Set every byte."""
        self._view().fill_(value)
        return self

    def resize_(self, size: int) -> UntypedStorage:
        """Grow to that many bytes."""
        _C._resize_storage(self._bytes, size)
        return self

    def cpu(self) -> UntypedStorage:
        """self."""
        return self

    def is_shared(self) -> bool:
        """Whether the bytes are in memory that processes share."""
        return self.nbytes() == 0 or _C._storage_fd(self._bytes) >= 0

    def share_memory_(self) -> UntypedStorage:
        """Move the bytes into memory that processes share: a child made by fork, and whoever is sent a tensor over them
        through a queue of `torch.multiprocessing`, sees the same memory. What is shared cannot be resized."""
        from rushlight import _shared_memory

        _shared_memory.share(self._bytes)
        return self

    @classmethod
    def _new_shared(cls, size: int, *, device: Any = "cpu") -> UntypedStorage:
        """That many bytes of shared memory (zeros)."""
        from rushlight import _shared_memory

        return cls._of(_shared_memory.empty(size))

    @classmethod
    def from_file(cls, filename: Any, shared: bool = False, nbytes: int = 0) -> UntypedStorage:
        """The first bytes of a file, mapped: they are read when they are looked at.

        Args:
            shared: writing to the storage writes to the file, which grows to `nbytes` if it is shorter. Otherwise the
                file is left as it is.
            nbytes: how many bytes. Default: all of the file.

        Raises:
            RuntimeError: the file is shorter, and not shared; or it cannot be opened.
        """
        import os

        try:
            fd = os.open(filename, (os.O_RDWR | os.O_CREAT) if shared else os.O_RDONLY)
        except OSError as error:
            raise RuntimeError(f"unable to open file <{filename}>: {error.strerror}") from error
        try:
            size = os.fstat(fd).st_size
            nbytes = nbytes or size
            if size < nbytes:
                if not shared:
                    raise RuntimeError(f"{filename} has {size} bytes, {nbytes} were asked for")
                os.ftruncate(fd, nbytes)
            return cls._of(_C._map_fd(fd, nbytes, shared)) if nbytes else cls(0)
        finally:
            os.close(fd)

    def untyped(self) -> UntypedStorage:
        """self."""
        return self

    def is_pinned(self, device: Any = None) -> bool:
        """False."""
        return False

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, slice):
            return self._view()[index].item()
        start, stop, step = index.indices(len(self))
        if step == 1 and stop > start and _C._storage_fd(self._bytes) != -2:
            return UntypedStorage._of(_C._storage_part(self._bytes, start, stop - start))
        return UntypedStorage._of(self._view()[index].clone())

    def __setitem__(self, index: Any, value: int) -> None:
        self._view()[index] = value

    def __iter__(self) -> Iterator[int]:
        return iter(self.tolist())

    def __repr__(self) -> str:
        lines = "".join(f" {b}\n" for b in self.tolist())
        return f"{lines}[torch.storage.UntypedStorage(device={self.device}) of size {self.nbytes()}]"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, UntypedStorage) and self._cdata == other._cdata

    def __hash__(self) -> int:
        return hash(self._cdata)

    def __copy__(self) -> UntypedStorage:
        return self.clone()

    def __deepcopy__(self, memo: dict[Any, Any]) -> UntypedStorage:
        kept = memo.setdefault("torch", {})
        if self._cdata not in kept:
            kept[self._cdata] = self.clone()
        made: UntypedStorage = kept[self._cdata]
        return made

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[bytes]]:
        view = self._view()
        return _from_bytes, (memoryview(view.numpy()).tobytes() if view.numel() else b"",)


def _from_bytes(data: bytes) -> UntypedStorage:
    """What a pickled storage calls."""
    if not data:
        return UntypedStorage(0)
    made = _C.empty(len(data), dtype=_C.uint8)
    memoryview(made.numpy())[:] = data  # type: ignore[call-overload]
    return UntypedStorage._of(made)


class _StorageType(type):
    """Makes `torch.FloatStorage(3)` and `isinstance(x, torch.FloatStorage)` work."""

    dtype: Any

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, TypedStorage) and instance.dtype is cls.dtype

    def __call__(cls, size: Any = 0, **options: Any) -> TypedStorage:
        return TypedStorage(size, dtype=cls.dtype)


class TypedStorage:
    """A storage seen as elements of one dtype.

    Args:
        size: how many elements (zeros), or a list of them.
        wrap_storage: the bytes to look at instead.
        dtype: of the elements. Default: the default dtype.

    >>> storage = torch.tensor([1., 2.]).storage()
    >>> len(storage), storage[1]
    (2, 2.0)
    """

    __slots__ = ("_untyped", "dtype")

    def __init__(self, size: Any = 0, *, wrap_storage: Any = None, dtype: Any = None, device: Any = None) -> None:
        self.dtype = _C.get_default_dtype() if dtype is None else dtype
        if wrap_storage is None:
            data = _C.zeros(size, dtype=self.dtype) if isinstance(size, int) else _C.tensor(size, dtype=self.dtype)
            wrap_storage = UntypedStorage._of(data)
        self._untyped = wrap_storage

    def _view(self) -> Any:
        return self._untyped._tensor(self.dtype, 0, (len(self),), (1,))

    def _elements(self, dtype: Any) -> Any:
        if dtype != self.dtype:
            raise RuntimeError(f"Expected a Storage of {dtype} or an UntypedStorage, but got one of {self.dtype}")
        return self._view()

    @property
    def device(self) -> Any:
        """The CPU."""
        return self._untyped.device

    @property
    def is_cuda(self) -> bool:
        """False."""
        return False

    @property
    def _cdata(self) -> int:
        return self._untyped._cdata

    def untyped(self) -> UntypedStorage:
        """The bytes."""
        return self._untyped

    _untyped_storage = property(untyped)

    def element_size(self) -> int:
        """Bytes per element."""
        size: int = self.dtype.itemsize
        return size

    def nbytes(self) -> int:
        """How many bytes there are."""
        return self._untyped.nbytes()

    def __sizeof__(self) -> int:
        return super().__sizeof__() + self.nbytes()

    def size(self) -> int:
        """How many elements there are."""
        return self._untyped.nbytes() // self.element_size()

    __len__ = size

    def data_ptr(self) -> int:
        """The address of the first element."""
        return self._untyped.data_ptr()

    def tolist(self) -> list[Any]:
        """The elements as Python numbers."""
        numbers: list[Any] = self._view().tolist()
        return numbers

    def copy_(self, source: Any, non_blocking: bool | None = None) -> TypedStorage:
        """Take the elements of another storage."""
        self._view().copy_(source._view())
        return self

    def clone(self) -> TypedStorage:
        """A storage with the same elements."""
        return TypedStorage(wrap_storage=self._untyped.clone(), dtype=self.dtype)

    def fill_(self, value: Any) -> TypedStorage:
        """Set every element."""
        self._view().fill_(value)
        return self

    def resize_(self, size: int) -> TypedStorage:
        """Grow to that many elements."""
        self._untyped.resize_(size * self.element_size())
        return self

    def cpu(self) -> TypedStorage:
        """self."""
        return self

    def is_shared(self) -> bool:
        """Whether the elements are in memory that processes share."""
        return self._untyped.is_shared()

    def share_memory_(self) -> TypedStorage:
        """Move the elements into memory that processes share."""
        self._untyped.share_memory_()
        return self

    @classmethod
    def _new_shared(cls, size: int, *, dtype: Any = None, device: Any = "cpu") -> TypedStorage:
        """That many elements of shared memory (zeros)."""
        dtype = _C.get_default_dtype() if dtype is None else dtype
        return cls(wrap_storage=UntypedStorage._new_shared(size * dtype.itemsize), dtype=dtype)

    def is_pinned(self, device: Any = None) -> bool:
        """False."""
        return False

    def pickle_storage_type(self) -> str:
        """ "FloatStorage" for float32."""
        return storage_name(self.dtype)

    def type(self, dtype: Any = None) -> Any:
        """The name of its type."""
        return f"torch.{storage_name(self.dtype)}"

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            raise RuntimeError("slices are only supported in UntypedStorage.__getitem__")
        if not -len(self) <= index < len(self):
            raise IndexError(f"index {index} out of range for storage of size {len(self)}")
        return self._view()[index].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        self._view()[index] = value

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TypedStorage) and self._cdata == other._cdata

    def __hash__(self) -> int:
        return hash(self._cdata)

    def __repr__(self) -> str:
        lines = "".join(f" {value}\n" for value in self.tolist())
        head = f"torch.storage.TypedStorage(dtype={self.dtype}, device={self.device})"
        return f"{lines}[{head} of size {len(self)}]"

    def __deepcopy__(self, memo: dict[Any, Any]) -> TypedStorage:
        return TypedStorage(wrap_storage=self._untyped.__deepcopy__(memo), dtype=self.dtype)

    def __copy__(self) -> TypedStorage:
        return self.clone()

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _typed, (self._untyped, self.dtype)


def _typed(untyped: UntypedStorage, dtype: Any) -> TypedStorage:
    """What a pickled typed storage calls."""
    return TypedStorage(wrap_storage=untyped, dtype=dtype)


_classes: dict[str, Any] = {}


def storage_name(dtype: Any) -> str:
    """ "FloatStorage" for float32."""
    from rushlight._legacy import type_name

    return type_name(dtype).removeprefix("torch.").replace("Tensor", "Storage")


def storage_class(name: str) -> Any:
    """The class that `torch.FloatStorage` (and so on) names."""
    made = _classes.get(name)
    if made is None:
        from rushlight._legacy import dtype_of_type

        dtype = dtype_of_type("torch." + name.replace("Storage", "Tensor"))
        made = _classes[name] = _StorageType(name, (), {"__module__": "torch", "dtype": dtype})
    return made
