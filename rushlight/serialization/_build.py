"""What files are built of: tensors, arrays, containers and other plain data. Each is checked, and nothing else is called."""

from __future__ import annotations

import enum
import math
import re
import sys
from collections import Counter, OrderedDict, defaultdict, deque
from pickle import UnpicklingError
from types import ModuleType
from typing import TYPE_CHECKING, Any

from rushlight import _C
from rushlight.serialization._machine import Unbuilt, checked_key

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CALLS", "DATA", "STATES", "TORCH", "numpy_named", "plain_named", "put_attributes", "rebuild", "sound"]

# (what is called) -> (how it is made). By identity: what a file names need not be hashable.
CALLS: dict[int, Callable[..., Any]] = {}
# Things with a name of PyTorch's.
TORCH: dict[tuple[str, str], Any] = {}
# Types that may stand in a file as data, by name.
DATA: dict[tuple[str, str], Any] = {}
# Type of an object -> how it takes a state.
STATES: dict[type, Callable[[Any, Any], Any]] = {}


def rebuild(module: str) -> Callable[[Any], Any]:
    """Marks a function as PyTorch's `module.name`, which files call."""

    def named(function: Any) -> Any:
        function.__module__ = module
        function.__qualname__ = function.__name__
        function._torch_name = True
        TORCH[module, function.__name__] = function
        CALLS[id(function)] = function
        return function

    return named


def _calls(target: Any, *names: str) -> Callable[[Any], Any]:
    """Marks a function as what makes `target` when a file calls it; `names` are those it has in files."""

    def named(function: Any) -> Any:
        CALLS[id(target)] = function
        for name in names:
            module, _, own = name.rpartition(".")
            DATA[module, own] = target
        return function

    return named


def _is_int(value: Any) -> bool:
    return type(value) is int


def _tuple(values: Any) -> tuple[Any, ...]:
    """The same; a range, which may be endless, is none."""
    if not isinstance(values, (tuple, list)):
        raise UnpicklingError(f"a tuple was expected, not {type(values).__name__}: the file is damaged")
    return tuple(values)


def put_attributes(target: Any, state: Any) -> None:
    """Put `state` into the `__dict__` of `target`."""
    if not isinstance(state, dict) or any(type(name) is not str for name in state):
        raise UnpicklingError(f"the state of {type(target).__name__} is no dictionary of names")
    vars(target).update(state)


def sound(memory: Any, dtype: Any) -> Any:
    """The bytes of a storage. A bool that is neither 0 nor 1 would be no bool: it becomes 1."""
    if dtype is _C.bool and memory.numel() and memory.max().item() > 1:
        memory.clamp_(max=1)
    return memory


# ---- tensors ----------------------------------------------------------------------------------------------------------


def _no_hooks(hooks: Any) -> None:
    if hooks:
        raise UnpicklingError("a tensor with hooks is refused")


def _checked_layout(dtype: Any, offset: Any, size: Any, stride: Any, requires_grad: Any) -> tuple[Any, Any]:
    """Size and stride, if a tensor can be so."""
    if not isinstance(dtype, _C.dtype):
        raise UnpicklingError(f"a tensor needs a dtype, not {type(dtype).__name__}")
    size, stride = _tuple(size), _tuple(stride)
    if not (_is_int(offset) and all(map(_is_int, size)) and all(map(_is_int, stride)) and type(requires_grad) is bool):
        raise UnpicklingError("a tensor's offset, size or stride is no int: the file is damaged")
    if len(size) > 64 or any(n < 0 or n >= 1 << 62 for n in (*size, *stride, offset)) or math.prod(size) >= 1 << 62:
        raise RuntimeError(f"impossible tensor in the file: size {size}, stride {stride}, storage offset {offset}")
    return size, stride


def _tensor(
    storage: Any, dtype: Any, offset: Any, size: Any, stride: Any, requires_grad: Any, metadata: Any = None
) -> Any:
    from rushlight.storage import UntypedStorage

    if not isinstance(storage, UntypedStorage):
        raise UnpicklingError(f"a tensor needs a storage, not {type(storage).__name__}")
    size, stride = _checked_layout(dtype, offset, size, stride, requires_grad)
    made = storage._tensor(dtype, offset, size, stride)
    if isinstance(metadata, dict):
        if metadata.get("conj"):
            made = made.conj().resolve_conj() if hasattr(made, "resolve_conj") else made.conj()
        if metadata.get("neg"):
            made = -made
    if requires_grad:
        made.requires_grad_()
    return made


def _typed(storage: Any) -> tuple[Any, Any]:
    from rushlight.storage import TypedStorage

    if not isinstance(storage, TypedStorage):
        raise UnpicklingError(f"a tensor needs a storage, not {type(storage).__name__}")
    return storage._untyped, storage.dtype


@rebuild("torch._utils")
def _rebuild_tensor(storage: Any, storage_offset: Any, size: Any, stride: Any) -> Any:
    return _tensor(*_typed(storage), storage_offset, size, stride, False)


@rebuild("torch._utils")
def _rebuild_tensor_v2(
    storage: Any,
    storage_offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any,
    backward_hooks: Any,
    metadata: Any = None,
) -> Any:
    _no_hooks(backward_hooks)
    return _tensor(*_typed(storage), storage_offset, size, stride, requires_grad, metadata)


@rebuild("torch._utils")
def _rebuild_tensor_v3(
    storage: Any,
    storage_offset: Any,
    size: Any,
    stride: Any,
    requires_grad: Any,
    backward_hooks: Any,
    dtype: Any,
    metadata: Any = None,
) -> Any:
    from rushlight.storage import TypedStorage, UntypedStorage

    _no_hooks(backward_hooks)
    if isinstance(storage, TypedStorage):
        storage = storage._untyped
    if dtype is _C.bool and isinstance(storage, UntypedStorage):
        sound(storage._view(), dtype)
    return _tensor(storage, dtype, storage_offset, size, stride, requires_grad, metadata)


@rebuild("torch._utils")
def _rebuild_meta_tensor_no_storage(dtype: Any, size: Any, stride: Any, requires_grad: Any) -> Any:
    size, stride = _checked_layout(dtype, 0, size, stride, requires_grad)
    return _C.empty_strided(size, stride, dtype=dtype, device="meta", requires_grad=requires_grad)


@rebuild("torch._utils")
def _rebuild_parameter(data: Any, requires_grad: Any, backward_hooks: Any) -> Any:
    from rushlight.nn.parameter import Parameter

    _no_hooks(backward_hooks)
    if not isinstance(data, _C.Tensor) or type(requires_grad) is not bool:
        raise UnpicklingError("a parameter needs a tensor: the file is damaged")
    return Parameter(data, requires_grad)


@rebuild("torch._utils")
def _rebuild_parameter_with_state(data: Any, requires_grad: Any, backward_hooks: Any, state: Any) -> Any:
    made = _rebuild_parameter(data, requires_grad, backward_hooks)
    put_attributes(made, state)
    return made


@rebuild("torch._tensor")
def _rebuild_from_type_v2(func: Any, new_type: Any, args: Any, state: Any) -> Any:
    known: Any = TORCH.get(("torch._utils", getattr(func, "__name__", "")))
    if known is None or known is not func:
        raise UnpicklingError("a tensor is rebuilt by an unknown function: the file is damaged")
    made = known(*_tuple(args))
    if new_type is not _C.Tensor and type(made) is not new_type:
        if not (isinstance(new_type, type) and issubclass(new_type, _C.Tensor)):
            raise UnpicklingError(f"{new_type!r} is no class of tensors")
        made = _C.Tensor._make_subclass(new_type, made, made.requires_grad)
    if isinstance(state, tuple) and len(state) == 2 and not state[1]:
        state = state[0]
    if state:
        put_attributes(
            made, {k: v for k, v in state.items() if k != "_backward_hooks"} if type(state) is dict else state
        )
    return made


def _lacking(name: str, what: str) -> None:
    def refused(*args: Any) -> None:
        raise RuntimeError(f"the file holds {what}, which rushlight does not have")

    refused.__name__ = name
    rebuild("torch._utils")(refused)


for _name, _what in {
    "_rebuild_sparse_tensor": "a sparse tensor",
    "_rebuild_sparse_csr_tensor": "a sparse tensor",
    "_rebuild_nested_tensor": "a nested tensor",
    "_rebuild_qtensor": "a quantized tensor",
    "_rebuild_device_tensor_from_numpy": "a tensor of another device",
    "_rebuild_device_tensor_from_cpu_tensor": "a tensor of another device",
    "_rebuild_wrapper_subclass": "a tensor that wraps others",
}.items():
    _lacking(_name, _what)


@rebuild("torch.serialization")
def _get_layout(name: Any) -> Any:
    if name != "torch.strided":
        raise RuntimeError(f"the file holds the layout {name!r}, which rushlight does not have")
    return _C.strided


@_calls(_C.Size, "torch.Size")
def _size(values: Any = ()) -> Any:
    values = _tuple(values)
    if not all(map(_is_int, values)):
        raise UnpicklingError("torch.Size of what are no ints")
    return _C.Size(values)


@_calls(_C.device, "torch.device")
def _device(*args: Any) -> Any:
    return _C.device(*args)


@_calls(_C.Generator, "torch._C.Generator", "torch.Generator")
def _generator(device: Any = None) -> Any:
    return _C.Generator()


def _generator_state(made: Any, state: Any) -> Any:
    """(seed, offset, state) of PyTorch's."""
    if type(state) is not tuple or len(state) != 3 or not isinstance(state[2], _C.Tensor):
        raise UnpicklingError("no state of a generator: the file is damaged")
    made.set_state(state[2])
    return made


STATES[_C.Generator] = _generator_state


@_calls(getattr, "builtins.getattr")
def _getattr(holder: Any, name: Any) -> Any:
    """How PyTorch writes torch.relu: an attribute of the class that holds its functions."""
    from rushlight.serialization._names import function_named

    if isinstance(holder, enum.EnumMeta) and name in holder.__members__:
        return holder.__members__[name]  # as Python 3.11.0 to 3.11.3 writes a member of an enumeration
    if holder is not VARIABLE_FUNCTIONS or type(name) is not str:
        raise UnpicklingError("getattr is refused, but for functions of torch and members of enumerations")
    found = function_named("torch", name)
    if found is None:
        raise UnpicklingError(f"torch.{name} is refused: it is no operation of rushlight")
    return found


class VARIABLE_FUNCTIONS:
    """Stands for torch._C._VariableFunctionsClass."""


TORCH["torch._C", "_VariableFunctionsClass"] = VARIABLE_FUNCTIONS
TORCH["torch", "Tensor"] = _C.Tensor

# ---- containers and other data of the standard library ----------------------------------------------------------------

_SCALARS = (int, float, bool, complex, str, bytes, list, dict, tuple, object, type(None))
for _type in _SCALARS:
    DATA["builtins", _type.__name__] = _type
_FACTORIES = (*_SCALARS, set, OrderedDict, Counter, defaultdict, deque)
DATA["builtins", "long"] = int
DATA["builtins", "unicode"] = str
DATA["builtins", "Ellipsis"] = Ellipsis
DATA["builtins", "NotImplemented"] = NotImplemented


def _items(value: Any) -> Any:
    if type(value) not in (list, tuple, set, frozenset):
        raise UnpicklingError(f"a list was expected, not {type(value).__name__}: the file is damaged")
    return value


def _pairs(value: Any) -> Any:
    if isinstance(value, dict):
        return value
    made: dict[Any, Any] = {}
    for pair in _items(value):
        if len(_items(pair)) != 2:
            raise UnpicklingError("a pair was expected: the file is damaged")
        made[checked_key(pair[0])] = pair[1]
    return made


_calls(set, "builtins.set", "sets.Set")(lambda values=(): set(map(checked_key, _items(values))))
_calls(frozenset, "builtins.frozenset")(lambda values=(): frozenset(map(checked_key, _items(values))))
_calls(OrderedDict, "collections.OrderedDict")(lambda pairs=(): OrderedDict(_pairs(pairs)))
_calls(Counter, "collections.Counter")(lambda counts=(): Counter(_pairs(counts)))
_calls(dict, "builtins.dict")(lambda pairs=(): dict(_pairs(pairs)))
_calls(list, "builtins.list")(lambda values=(): list(_items(values)))
_calls(tuple, "builtins.tuple")(lambda values=(): tuple(_items(values)))


def _no_fragile(values: Any) -> Any:
    if any(type(value) in (deque, defaultdict) for value in values):
        raise UnpicklingError("a deque of deques is refused here")
    return values


@_calls(defaultdict, "collections.defaultdict")
def _defaultdict(factory: Any = None, pairs: Any = ()) -> Any:
    if factory is not None and not any(factory is known for known in _FACTORIES):
        raise UnpicklingError("a defaultdict with a function of its own is refused")
    pairs = _pairs(pairs)
    _no_fragile(pairs.values())
    return defaultdict(factory, pairs)


@_calls(deque, "collections.deque")
def _deque(values: Any = (), size: Any = None) -> Any:
    return deque(_no_fragile(_items(values)), size)


@_calls(bytearray, "builtins.bytearray")
def _bytearray(value: Any = b"", encoding: Any = None) -> Any:
    if type(value) is str and encoding == "latin-1":
        value = value.encode("latin-1")
    if type(value) is not bytes:
        raise UnpicklingError("a bytearray needs bytes")
    return bytearray(value)


@rebuild("_codecs")
def encode(text: Any, encoding: Any = "utf-8") -> bytes:
    if type(text) is not str or encoding not in ("latin1", "latin-1", "utf-8", "ascii"):
        raise UnpicklingError("_codecs.encode is refused, but for bytes")
    return text.encode(encoding)


@_calls(bytes)
def _bytes(*args: Any) -> bytes:
    if args:
        raise UnpicklingError("calling bytes is refused")
    return b""  # how pickle writes it


@_calls(complex)
def _complex(real: Any = 0.0, imag: Any = 0.0) -> complex:
    if type(real) not in (float, int) or type(imag) not in (float, int):
        raise UnpicklingError("a complex number needs two numbers")
    return complex(real, imag)


_LONGEST_RANGE = 100_000_000


def _of_ints(kind: Any) -> Callable[..., Any]:
    def made(*args: Any) -> Any:
        if not all(_is_int(a) or a is None for a in args):
            raise UnpicklingError(f"a {kind.__name__} needs ints")
        result = kind(*args)
        if kind is range and not -_LONGEST_RANGE < result.start - result.stop < _LONGEST_RANGE:
            raise UnpicklingError(f"{result} is refused: going through it would not end")
        return result

    return made


_calls(range, "builtins.range", "builtins.xrange")(_of_ints(range))
_calls(slice, "builtins.slice")(_of_ints(slice))


@_calls(type)
def _type_of(thing: Any) -> Any:
    """How pickle writes the types of None, ... and NotImplemented."""
    if thing is None or thing is Ellipsis or thing is NotImplemented:
        return type(thing)
    raise UnpicklingError("type() is refused")


DATA["builtins", "type"] = type

# Classes that are nothing but values, which their constructors check themselves.
_VALUES = {
    "datetime": ("date", "datetime", "time", "timedelta", "timezone"),
    "decimal": ("Decimal",),
    "pathlib": ("PosixPath", "PurePath", "PurePosixPath", "PureWindowsPath", "Path"),
    "argparse": ("Namespace",),
    "types": ("SimpleNamespace",),
}


def plain_named(module: str, name: str) -> Any:
    """A type of plain data by its name in a file, or None."""
    if module in ("__builtin__", "copy_reg"):
        module = {"__builtin__": "builtins", "copy_reg": "copyreg"}[module]
    found = DATA.get((module, name))
    if found is not None:
        return found
    if module == "pathlib._local":
        module = "pathlib"
    if name not in _VALUES.get(module, ()):
        return None
    import importlib

    found = getattr(importlib.import_module(module), name)
    if name in ("Namespace", "SimpleNamespace"):
        CALLS[id(found)] = lambda: found()
        STATES[found] = _with_attributes
    else:
        CALLS[id(found)] = lambda *args: found(*map(_value, args))
    return found


def _value(argument: Any) -> Any:
    import datetime

    if type(argument) not in (int, str, bytes, datetime.timedelta, datetime.timezone):
        raise UnpicklingError(f"{type(argument).__name__} is no part of a date, number or path")
    return argument


def _with_attributes(made: Any, state: Any) -> Any:
    put_attributes(made, state)
    return made


STATES[OrderedDict] = _with_attributes  # `_metadata` of a state_dict

# ---- NumPy ------------------------------------------------------------------------------------------------------------

_DTYPE = re.compile(r"[<>=|]?(?:[?bBhHiIlLqQefdgFDGOSUVaMm]|[biufcSUVmMOa]\d{1,9})")
_NUMPY_DATA = re.compile(
    r"bool_?|bool8|u?int(?:8|16|32|64|c|p|_)?|u?(?:byte|short|intc|long|longlong)|float(?:16|32|64|128|_)?|half|single"
    r"|double|longdouble|complex(?:64|128|256|_)?|str_|bytes_|void|object_|datetime64|timedelta64|generic|number"
)
_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")
_NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")


def numpy_named(module: str, name: str) -> Any:
    """What a name of NumPy's means in a file, or None."""
    if module in _MULTIARRAY:
        return {"_reconstruct": _array, "scalar": _scalar}.get(name)
    if module in _NUMERIC:
        return _array_of_buffer if name == "_frombuffer" else None
    if module == "numpy" and name == "dtype":
        return _dtype
    if module in ("numpy", "numpy.dtypes"):
        import numpy

        if name == "ndarray" or (module == "numpy" and _NUMPY_DATA.fullmatch(name)):
            return getattr(numpy, name, None)
        kind = getattr(getattr(numpy, "dtypes", None), name, None) if name.endswith("DType") else None
        if kind is not None:
            CALLS[id(kind)] = lambda: _dtype_of(kind())
            return kind
    return None


def _numpy_call(function: Any) -> Any:
    CALLS[id(function)] = function
    return function


@_numpy_call
def _dtype(code: Any, align: Any = False, copy: Any = False) -> Any:
    if type(code) is type and code.__module__ == "numpy":
        import numpy

        return numpy.dtype(code)
    if type(code) is not str or not _DTYPE.fullmatch(code):
        raise UnpicklingError(f"no dtype of NumPy: {code!r:.60}")
    return Unbuilt("dtype", code)


def _dtype_of(value: Any) -> Any:
    """The NumPy dtype that a file's dtype stands for."""
    import numpy

    if type(value) is Unbuilt and value.kind == "dtype":
        return numpy.dtype(value.args)
    if not isinstance(value, numpy.dtype):
        raise UnpicklingError(f"a dtype of NumPy was expected, not {type(value).__name__}")
    return value


def dtype_state(code: str, state: Any) -> Any:
    """The dtype of that code with a state as NumPy writes it: byte order, fields, sizes, unit of time."""
    import numpy

    if type(state) is not tuple or len(state) < 8 or state[1] not in ("<", ">", "|", "="):
        raise UnpicklingError("no state of a NumPy dtype: the file is damaged")
    _, order, sub, names, fields, itemsize = state[:6]
    if names is not None:
        parts = [fields[name] for name in names]
        made: Any = numpy.dtype(
            {
                "names": list(names),
                "formats": [_dtype_of(part[0]) for part in parts],
                "offsets": [part[1] for part in parts],
                "itemsize": itemsize,
            }
        )
    elif sub is not None:
        made = numpy.dtype((_dtype_of(sub[0]), sub[1]))
    elif len(state) > 8 and state[8]:
        unit, count = state[8][1][:2]
        unit = unit.decode() if type(unit) is bytes else unit
        if not re.fullmatch(r"[A-Za-zμ]{1,8}", unit) or not _is_int(count):
            raise UnpicklingError("no unit of time: the file is damaged")
        made = numpy.dtype(f"{code[0]}8[{count}{unit}]")
    else:
        made = numpy.dtype(code)
    if made.hasobject and (names is not None or sub is not None):
        raise UnpicklingError("a NumPy dtype with objects in fields is refused")
    return made.newbyteorder(order) if order in "<>" else made


@_numpy_call
def _scalar(dtype: Any, data: Any = None) -> Any:
    import numpy

    dtype = _dtype_of(dtype)
    if dtype.hasobject or type(data) is not bytes or len(data) != dtype.itemsize:
        raise UnpicklingError("no NumPy scalar: the file is damaged")
    if dtype.itemsize == 0:
        return numpy.zeros((), dtype)[()]
    return numpy.frombuffer(data, dtype)[0]


@_numpy_call
def _array(cls: Any, shape: Any = (0,), code: Any = b"b") -> Any:
    import numpy

    if cls is not numpy.ndarray:
        raise UnpicklingError("a class of arrays that is not ndarray is refused")
    return Unbuilt("array")


def array_state(state: Any) -> Any:
    """The array that NumPy's state describes."""
    import numpy

    if type(state) is not tuple or len(state) not in (4, 5):
        raise UnpicklingError("no state of an array: the file is damaged")
    shape, dtype, fortran, data = state[-4:]
    dtype = _dtype_of(dtype)
    if dtype.hasobject:
        _checked_shape(shape, len(_items(data)))
        if any(isinstance(item, numpy.ndarray) or type(item) in (deque, defaultdict, Unbuilt) for item in data):
            raise UnpicklingError("an array of arrays is refused")
        made = numpy.empty(len(data), dtype=object)
        for i, item in enumerate(data):
            made[i] = item
        return made.reshape(shape, order="F" if fortran else "C")
    if type(data) not in (bytes, bytearray):
        raise UnpicklingError("an array needs bytes: the file is damaged")
    _checked_shape(shape, len(data) // dtype.itemsize if dtype.itemsize else None)
    if not dtype.itemsize or not data:
        return numpy.zeros(shape, dtype)
    if len(data) % dtype.itemsize:
        raise UnpicklingError("the bytes of an array do not fit its dtype: the file is damaged")
    return numpy.frombuffer(bytearray(data), dtype).reshape(shape, order="F" if fortran else "C")


def _checked_shape(shape: Any, count: int | None) -> None:
    if type(shape) is not tuple or len(shape) > 32 or not all(_is_int(n) and n >= 0 for n in shape):
        raise UnpicklingError("no shape of an array: the file is damaged")
    if count is not None and math.prod(shape) != count:
        raise UnpicklingError(f"an array of shape {shape} cannot hold {count} items: the file is damaged")
    if count is None and math.prod(shape) > 1 << 20:
        raise UnpicklingError(f"an array of shape {shape} without bytes is refused")


@_numpy_call
def _array_of_buffer(data: Any, dtype: Any, shape: Any, order: Any, *axes: Any) -> Any:
    if order not in ("C", "F") or (axes and any(axes)):
        raise UnpicklingError("no layout of an array: the file is damaged")
    return array_state((shape, dtype, order == "F", data))


# ---- what the program has imported ------------------------------------------------------------------------------------


def imported(module: str, name: str) -> Any:
    """The class (at the top of its module, or in other classes there) that the running program knows by that name."""
    found: Any = sys.modules.get(module)
    if not isinstance(found, ModuleType):
        return None
    for part in name.split("."):
        found = vars(found).get(part) if part != "__dict__" else None
        if not isinstance(found, type):
            return None
    return found if found.__module__ == module and found.__qualname__ == name else None
