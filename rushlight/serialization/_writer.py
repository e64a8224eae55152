"""Writes objects as PyTorch would, so that PyTorch can read them."""

from __future__ import annotations

import copyreg
import io
import pickle
import struct
import sys
import types
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from rushlight import _C
from rushlight.serialization import _build, _names
from rushlight.serialization._loader import StorageType

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Stored", "pickled"]

# What PyTorch's Module expects in a state, in its order; modules here keep no empty dictionaries.
_MODULE_STATE: dict[str, Callable[[], Any]] = {
    "training": lambda: True,
    "_parameters": dict,
    "_buffers": dict,
    "_non_persistent_buffers_set": set,
    "_backward_pre_hooks": OrderedDict,
    "_backward_hooks": OrderedDict,
    "_is_full_backward_hook": lambda: None,
    "_forward_hooks": OrderedDict,
    "_forward_hooks_with_kwargs": OrderedDict,
    "_forward_hooks_always_called": OrderedDict,
    "_forward_pre_hooks": OrderedDict,
    "_forward_pre_hooks_with_kwargs": OrderedDict,
    "_state_dict_hooks": OrderedDict,
    "_state_dict_pre_hooks": OrderedDict,
    "_load_state_dict_pre_hooks": OrderedDict,
    "_load_state_dict_post_hooks": OrderedDict,
    "_modules": dict,
}


def _imported(module: str, name: str) -> Any:
    """A class, if its module was imported: otherwise there is no object of it."""
    return getattr(sys.modules.get(module), name, None)


_pack_float = struct.Struct(">cd").pack
_PLAIN = frozenset({int, float, bool, str, type(None)})


def _int(value: int) -> bytes:
    """A number that is not negative."""
    if value < 0x100:
        return pickle.BININT1 + bytes((value,))
    if value < 0x80000000:
        return pickle.BININT + struct.pack("<i", value)
    return pickle.LONG1 + b"\x09" + value.to_bytes(9, "little")


def _ints(values: Any) -> bytes:
    """A tuple of such."""
    parts = b"".join(map(_int, values))
    if len(values) > 3:
        return pickle.MARK + parts + pickle.TUPLE
    return parts + (pickle.EMPTY_TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3)[len(values)]


class Stored:
    """A storage that is written: which of its bytes, and who looks into them."""

    def __init__(self, key: str, view: Any, dtype: Any) -> None:
        self.key = key
        self.view = view  # the bytes as a tensor; keeps them alive
        self.dtype = dtype
        self.nbytes = view.numel()
        self.low = self.nbytes
        self.high = 0
        self.users = 0
        self.whole = False
        self.tensor: Any = None  # the only user, if it is to be written without the gaps between its elements

    def used_by(self, tensor: Any) -> None:
        """Note which bytes a tensor looks at."""
        self.users += 1
        self.tensor = tensor
        if tensor.numel() == 0:
            return
        item = tensor.element_size()
        first = tensor.storage_offset() * item
        reach = sum((n - 1) * s for n, s in zip(tensor.shape, tensor.stride())) + 1
        self.low = min(self.low, first)
        self.high = max(self.high, first + reach * item)

    def plan(self) -> bool:
        """Decide what is written; False: the whole storage."""
        full = self.nbytes
        if self.whole or (self.low == 0 and self.high == full):
            return False
        if self.high <= self.low:
            self.low = self.high = 0
        needed = self.tensor.numel() * self.tensor.element_size()
        if self.users != 1 or self.high - self.low <= needed:
            self.tensor = None
        return self.tensor is not None or self.high - self.low < full

    def data(self, planned: Stored | None) -> Any:
        """The buffer to write."""
        if planned is None:
            return memoryview(self.view) if self.nbytes else b""
        if planned.tensor is not None:
            packed = planned.tensor.detach().contiguous()
            from rushlight.storage import UntypedStorage

            return memoryview(UntypedStorage._of(packed)._view())
        return memoryview(self.view)[planned.low : planned.high] if planned.high > planned.low else b""


def pickled(thing: Any, protocol: int, legacy: bool = False) -> tuple[bytes, list[tuple[str, Any]], list[Any]]:
    """The pickle, the storages it refers to as (key, buffer), and their dtypes."""
    plan: dict[int, Stored] = {}
    for _ in range(2):
        file = io.BytesIO()
        pickler = _Pickler(file, protocol, plan, legacy)
        pickler.dump(thing)
        # Once more if a storage need not be written whole: its tensors are described differently then.
        again = {} if plan else {i: s for i, s in pickler.stored.items() if s.plan()}
        if not again:
            break
        plan = again
    stored = pickler.stored
    buffers = [(s.key, s.data(plan.get(i))) for i, s in stored.items()]
    return file.getvalue(), buffers, [s.dtype for s in stored.values()]


_StandardPickler: Any = pickle._Pickler  # type: ignore[attr-defined]


class _Pickler(_StandardPickler):  # type: ignore[misc]
    """The standard library's pickler in Python, which lets names and tensors be written in a way of our own."""

    dispatch: dict[Any, Any] = dict(_StandardPickler.dispatch)

    def __init__(self, file: Any, protocol: int, plan: dict[int, Stored], legacy: bool) -> None:
        super().__init__(file, max(2, protocol))
        self.stored: dict[int, Stored] = {}
        self.plan = plan
        self.legacy = legacy
        self.dispatch_table = _Reducers()
        self.types: dict[Any, StorageType] = {}

    # ---- names ----

    def save_global(self, obj: Any, name: Any = None) -> None:
        found = ("torch", obj.name) if type(obj) is StorageType else _names.written(obj)
        if found is None:
            super().save_global(obj, name)
            return
        module, own = found
        if type(obj) is StorageType and obj.name == "UntypedStorage":
            module = "torch.storage"
        if self.proto >= 4:
            self.save(module)
            self.save(own)
            self.write(pickle.STACK_GLOBAL)
        else:
            self.write(pickle.GLOBAL + f"{module}\n{own}\n".encode())
        self.memoize(obj)

    dispatch[types.FunctionType] = save_global
    dispatch[StorageType] = save_global
    dispatch[type(_C.add)] = save_global
    dispatch[_C.dtype] = save_global

    # ---- storages and tensors ----

    def _storage_type(self, dtype: Any) -> StorageType:
        """One object for each dtype, so that its name is written once."""
        found = self.types.get(dtype)
        if found is None:
            from rushlight.storage import storage_name

            found = self.types[dtype] = StorageType("UntypedStorage" if dtype is None else storage_name(dtype))
        return found

    def _stored(self, view: Any, identity: int, dtype: Any) -> Stored:
        stored = self.stored.get(identity)
        if stored is None:
            stored = self.stored[identity] = Stored(str(len(self.stored)), view(), dtype)
        elif stored.dtype is not dtype:
            raise RuntimeError("Cannot save multiple tensors or storages that view the same data as different types")
        return stored

    def _name(self, thing: Any) -> bytes:
        """What refers to a name or word that was written before; writes it the first time."""
        known = self.memo.get(id(thing))
        if known is not None:
            found: bytes = self.get(known[0])
            return found
        self.save(thing)
        return b""

    def _save_persistent(self, stored: Stored, nbytes: int) -> None:
        """The reference to a storage."""
        item = 1 if stored.dtype is None else stored.dtype.itemsize
        key = stored.key.encode()
        self.write(pickle.MARK)
        self.write(self._name("storage"))
        self.write(self._name(self._storage_type(stored.dtype)))
        self.write(pickle.BINUNICODE + struct.pack("<I", len(key)) + key)
        self.write(self._name("cpu"))
        self.write(_int(nbytes // item) + (pickle.NONE if self.legacy else b"") + pickle.TUPLE + pickle.BINPERSID)

    def _no_hooks(self) -> bytes:
        return self._name(OrderedDict) + pickle.EMPTY_TUPLE + pickle.REDUCE

    def _rebuilder(self, tensor: Any) -> Any:
        """The function that a file calls for this tensor."""
        return _build._rebuild_meta_tensor_no_storage if tensor.is_meta else _build._rebuild_tensor_v2

    def _save_arguments(self, tensor: Any, requires_grad: bool) -> None:
        """The arguments of that function."""
        flag = pickle.NEWTRUE if requires_grad else pickle.NEWFALSE
        if tensor.is_meta:  # there is nothing behind it
            self.write(pickle.MARK)
            self.write(self._name(tensor.dtype) + _ints(tensor.shape) + _ints(tensor.stride()) + flag + pickle.TUPLE)
            return
        identity = tensor._storage_id()
        stored = self._stored(lambda: _C._storage_view(tensor), identity, tensor.dtype)
        stored.used_by(tensor)
        offset, stride, nbytes = tensor.storage_offset(), tensor.stride(), stored.nbytes
        planned = self.plan.get(identity)
        if planned is not None and planned.tensor is not None:
            offset, stride = 0, tensor.detach().contiguous().stride()
            nbytes = tensor.numel() * tensor.element_size()
        elif planned is not None:
            offset = offset - planned.low // tensor.element_size() if tensor.numel() else 0
            nbytes = planned.high - planned.low
        self.write(pickle.MARK)
        self._save_persistent(stored, nbytes)
        self.write(_int(offset) + _ints(tensor.shape) + _ints(stride) + flag)
        self.write(self._no_hooks() + pickle.TUPLE)

    def save_tensor(self, tensor: Any) -> None:
        state = vars(tensor)
        if state:
            self._save_subclass(tensor)
            return
        self.write(self._name(self._rebuilder(tensor)))
        self._save_arguments(tensor, tensor.requires_grad)
        self.write(pickle.REDUCE)
        self.memoize(tensor)

    def _save_subclass(self, tensor: Any) -> None:
        self.save(_build._rebuild_from_type_v2)
        self.write(pickle.MARK)
        self.save(self._rebuilder(tensor))
        self.save(type(tensor))
        self._save_arguments(tensor, tensor.requires_grad)
        self.save(dict(vars(tensor)))
        self.write(pickle.TUPLE + pickle.REDUCE)
        self.memoize(tensor)

    def save_parameter(self, parameter: Any) -> None:
        state = vars(parameter)
        self.write(self._name(_build._rebuild_parameter_with_state if state else _build._rebuild_parameter))
        self.write(pickle.MARK)
        self.write(self._name(self._rebuilder(parameter)))
        self._save_arguments(parameter, False)
        self.write(pickle.REDUCE + (pickle.NEWTRUE if parameter.requires_grad else pickle.NEWFALSE))
        self.write(self._no_hooks())
        if state:
            self.save(dict(state))
        self.write(pickle.TUPLE + pickle.REDUCE)
        self.memoize(parameter)

    def save_untyped(self, storage: Any, dtype: Any = None) -> None:
        stored = self._stored(storage._view, storage._cdata, dtype)
        stored.whole = True
        self._save_persistent(stored, storage.nbytes())

    def save_typed(self, storage: Any) -> None:
        self.save_untyped(storage.untyped(), storage.dtype)

    # ---- the rest ----

    def _save_plain(self, values: Any) -> None:
        """Numbers and words are written by the quick pickler: it says the same, and remembers nothing."""
        file = io.BytesIO()
        quick = pickle.Pickler(file, 2)
        quick.fast = True
        quick.dump(values)
        self.write(file.getvalue()[2:-1])  # without PROTO and STOP
        self.memoize(values)

    def save_list(self, values: Any) -> None:
        if len(values) >= 8 and _PLAIN.issuperset(map(type, values)):
            self._save_plain(values)
        else:
            _StandardPickler.save_list(self, values)

    def save_dict(self, values: Any) -> None:
        if len(values) >= 8 and _PLAIN.issuperset(map(type, values)) and _PLAIN.issuperset(map(type, values.values())):
            self._save_plain(values)
        else:
            _StandardPickler.save_dict(self, values)

    dispatch[list] = save_list
    dispatch[dict] = save_dict

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        """Write anything; what is frequent comes first."""
        kind = type(obj)
        if kind is float:
            self.write(_pack_float(b"G", obj))
            return
        known = self.memo.get(id(obj))
        if known is not None:
            self.write(self.get(known[0]))
            return
        written = self.dispatch.get(kind)
        if written is not None:
            written(self, obj)
            return
        parameter = _imported("rushlight.nn.parameter", "Parameter")
        if kind is parameter:
            self.save_parameter(obj)
        elif issubclass(kind, _C.Tensor) and kind.__reduce_ex__ in (
            _C.Tensor.__reduce_ex__,
            getattr(parameter, "__reduce_ex__", None),
        ):
            self._save_subclass(obj)
        elif kind is _imported("rushlight.storage", "UntypedStorage"):
            self.save_untyped(obj)
        elif kind is _imported("rushlight.storage", "TypedStorage"):
            self.save_typed(obj)
        else:
            super().save(obj, save_persistent_id)

    dispatch[_C.Tensor] = save_tensor


def _reduce_size(size: Any) -> tuple[Any, ...]:
    return _C.Size, (tuple(size),)


def _reduce_device(device: Any) -> tuple[Any, ...]:
    return _C.device, (device.type,) if device.index is None else (device.type, device.index)


def _reduce_generator(generator: Any) -> tuple[Any, ...]:
    return _C.Generator, (generator.device,), (generator.initial_seed(), None, generator.get_state())


def _reduce_layout(layout: Any) -> tuple[Any, ...]:
    return _build._get_layout, (str(layout),)


def _reduce_module(module: Any) -> Any:
    """As pickle would, with a state that PyTorch's Module takes."""
    reduced = module.__reduce_ex__(2)
    if type(reduced) is tuple and len(reduced) > 2 and type(reduced[2]) is dict and "_parameters" in reduced[2]:
        own = dict(reduced[2])
        state = {name: own.pop(name) if name in own else default() for name, default in _MODULE_STATE.items()}
        if isinstance(getattr(type(module), "_flat_weights", None), property):  # recurrent layers
            own |= {name: getattr(module, name) for name in ("_flat_weights_names", "_flat_weights")}
        reduced = (*reduced[:2], {**state, **own}, *reduced[3:])
    return reduced


_SPECIAL: dict[Any, Callable[[Any], Any]] = {
    _C.Size: _reduce_size,
    _C.device: _reduce_device,
    _C.Generator: _reduce_generator,
    type(_C.strided): _reduce_layout,
}


class _Reducers:
    """The pickler's table of how objects are taken apart, by type."""

    def get(self, kind: type, default: Any = None) -> Any:
        """The function for a type."""
        found = _SPECIAL.get(kind)
        if found is None:
            module = _imported("rushlight.nn.modules.module", "Module")
            if module is not None and issubclass(kind, module):
                return _reduce_module
            found = copyreg.dispatch_table.get(kind, default)
        return found
