"""Which names a file may use, and what becomes of them; the locations of storages."""

from __future__ import annotations

import enum
from functools import cached_property
from pickle import UnpicklingError
from types import MethodType
from typing import TYPE_CHECKING, Any

from rushlight import _C
from rushlight.serialization import _build, _names
from rushlight.serialization._machine import Builder, Machine, Unbuilt

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Lister", "Loader", "add_safe", "describe", "names_refused", "restorer", "safe", "user_safe"]

user_safe: list[Any] = []  # what add_safe_globals was given


def full_name(thing: Any) -> str:
    """ "module.name" of a class, a function, or a pair of one and the name it has in files."""
    if isinstance(thing, tuple):
        if len(thing) != 2 or not isinstance(thing[1], str):
            raise TypeError(f"Expected a tuple of (global, str of the full path of the global), got {thing!r}")
        return thing[1]
    return f"{thing.__module__}.{thing.__qualname__}"


def add_safe(things: list[Any]) -> None:
    """Allow these in files."""
    known = {full_name(thing) for thing in user_safe}
    for thing in things:
        if full_name(thing) not in known:
            user_safe.append(thing)


def safe() -> dict[str, Any]:
    """What the user has allowed, by name."""
    return {full_name(thing): thing[0] if isinstance(thing, tuple) else thing for thing in user_safe}


# What Python raises when arguments or states are of wrong kinds.
_UNFIT = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, AssertionError)


_MEMBERS = ("_parameters", "_buffers", "_modules")


class Refused(Exception):
    """A name that is not built from files; the loader then lists all of them."""


class Loader(Builder):
    """Builds what a file describes.

    Args:
        storage: gives the storage behind a persistent id.
        weights_only: only data; otherwise also rushlight's classes and the modules that the program has imported.
    """

    def __init__(self, storage: Callable[[Any], Any], weights_only: bool) -> None:
        self.persistent = storage  # type: ignore[assignment,method-assign]
        self.weights_only = weights_only
        self.safe = safe()
        self.found: dict[tuple[str, str], Any] = {}
        self.classes: dict[int, Any] = {}  # what is neither plain data nor allowed by the user, but built
        self.made: dict[int, Any] = {}  # instances of classes that were made here, and may be given a state

    def find(self, module: str, name: str) -> Any:
        known = self.found.get((module, name))
        if known is None:
            known = self.found[module, name] = self._find(module, name)
        return known

    def _find(self, module: str, name: str) -> Any:
        found = _build.TORCH.get((module, name))
        if found is not None:
            return found
        if module == "torch":
            kind = getattr(_C, name, None) if not name.startswith("_") else None
            if isinstance(kind, _C.dtype):
                return kind
            if name.endswith("Storage"):
                return StorageType(name)
        if module == "torch.storage" and name in ("UntypedStorage", "TypedStorage"):
            return StorageType(name)
        if module == "torch.cuda" and name.endswith("Storage"):
            return StorageType(name)
        found = _build.plain_named(module, name)
        if found is None and module.partition(".")[0] == "numpy":
            found = _build.numpy_named(module, name)
        if found is None and (module, name) in (("torch.nn.parameter", "Parameter"), ("torch.nn", "Parameter")):
            from rushlight.nn.parameter import Parameter

            found = Parameter
        if found is None and module in ("copyreg", "copy_reg") and name in ("_reconstructor", "__newobj__"):
            found = self._reconstructor if name == "_reconstructor" else self._newobj
        if found is None:
            found = self.safe.get(f"{module}.{name}")
        if found is None and not self.weights_only:
            found = self._class(module, name)
            if isinstance(found, type):
                self.classes[id(found)] = found
        if found is None:
            raise Refused
        return found

    def _class(self, module: str, name: str) -> Any:
        """A class or function that is no plain data, but that files may name."""
        if _names.own(module):
            return _names.class_named(module, name) or _names.function_named(module, name)
        found = _build.imported(module, name)
        if found is None:
            return None
        from rushlight.nn.modules.module import Module

        plain_tuple = issubclass(found, tuple) and hasattr(found, "_fields")
        return found if issubclass(found, (Module, enum.Enum)) or plain_tuple else None

    def _is_safe(self, thing: Any) -> bool:
        return any(thing is allowed for allowed in self.safe.values())

    def call(self, function: Any, args: Any) -> Any:
        args = _tuple(args)
        maker = _build.CALLS.get(id(function))
        try:
            if maker is not None:
                return maker(*args)
            if type(function) is MethodType and function.__self__ is self:
                return function(*args)
            if isinstance(function, type) and issubclass(function, enum.Enum):
                return function._value2member_map_[args[0]]
            if self._is_safe(function):
                return self._keep(function(*args))
        except _UNFIT as error:
            raise UnpicklingError(f"cannot make {_said(function)} from what is in the file: {error}") from error
        raise UnpicklingError(f"calling {_said(function)} is refused")

    def _newobj(self, cls: Any, *args: Any) -> Any:
        return self.new(cls, args, {})

    def _reconstructor(self, cls: Any, base: Any, state: Any) -> Any:
        if base is object and state is None:
            return self.new(cls, (), {})
        if base is tuple and isinstance(state, tuple):
            return self.new(cls, state, {})
        raise UnpicklingError(f"making {_said(cls)} from {_said(base)} is refused")

    def new(self, cls: Any, args: Any, kwargs: Any) -> Any:
        try:
            return self._new(cls, _tuple(args), kwargs)
        except _UNFIT as error:
            raise UnpicklingError(f"cannot make {_said(cls)} from what is in the file: {error}") from error

    def _new(self, cls: Any, args: Any, kwargs: Any) -> Any:
        if not isinstance(cls, type):
            raise UnpicklingError(f"{_said(cls)} is no class: the file is damaged")
        if self._is_safe(cls):
            return self._keep(cls.__new__(cls, *args, **kwargs))
        if kwargs or type(kwargs) is not dict:
            raise UnpicklingError(f"keyword arguments for {_said(cls)} are refused")
        if id(cls) in _build.CALLS:
            return self.call(cls, args)
        if id(cls) not in self.classes:
            raise UnpicklingError(f"making {_said(cls)} is refused")
        if issubclass(cls, tuple):
            fields = getattr(cls, "_fields", None)
            if fields is not None and len(fields) != len(args):
                raise UnpicklingError(f"{cls.__name__} has {len(fields)} fields, the file has {len(args)}")
            return tuple.__new__(cls, args)
        if args or issubclass(cls, (_C.Tensor, enum.Enum)):
            raise UnpicklingError(f"making {_said(cls)} with arguments is refused")
        return self._keep(object.__new__(cls))

    def _keep(self, made: Any) -> Any:
        self.made[id(made)] = made
        return made

    def build(self, made: Any, state: Any) -> Any:
        try:
            return self._build(made, state)
        except _UNFIT as error:
            raise UnpicklingError(f"the state of {type(made).__name__} in the file does not fit: {error}") from error

    def _build(self, made: Any, state: Any) -> Any:
        if type(made) is Unbuilt:
            return _build.dtype_state(made.args, state) if made.kind == "dtype" else _build.array_state(state)
        taker = _build.STATES.get(type(made))
        if taker is not None:
            return taker(made, state)
        if id(made) not in self.made:
            raise UnpicklingError(f"a state for {type(made).__name__} is refused")
        setter = getattr(type(made), "__setstate__", None)
        if setter is not None:
            kind = type(made)
            if type(state) is dict and any(not isinstance(state.get(name, {}), dict) for name in _MEMBERS):
                raise UnpicklingError(f"the state of {kind.__name__} is none of a module: the file is damaged")
            if type(state) is dict and kind.__module__.startswith("rushlight."):  # PyTorch stores what is computed here
                state = {
                    n: v
                    for n, v in state.items()
                    if n in _MEMBERS or not isinstance(getattr(kind, str(n), None), property)
                }
            setter(made, state)
            return made
        slots = None
        if type(state) is tuple and len(state) == 2:
            state, slots = state
        if state:
            _build.put_attributes(made, state)
        if slots:
            for name, value in slots.items():
                if not isinstance(name, str) or name.startswith("__"):
                    raise UnpicklingError(f"the attribute {name!r} is refused")
                object.__setattr__(made, name, value)
        return made

    def extend(self, made: Any, items: list[Any]) -> None:
        if id(made) not in self.made:
            raise UnpicklingError(f"cannot append to {type(made).__name__}: the file is damaged")
        if hasattr(made, "extend"):
            made.extend(items)
        else:
            for item in items:
                (made.append if hasattr(made, "append") else made.add)(item)

    def set_items(self, made: Any, items: list[Any]) -> None:
        if id(made) not in self.made:
            raise UnpicklingError(f"cannot set items of {type(made).__name__}: the file is damaged")
        for i in range(0, len(items), 2):
            made[items[i]] = items[i + 1]


class StorageType:
    """What `torch.FloatStorage` is in a file: a name for a dtype."""

    def __init__(self, name: str) -> None:
        self.name = name

    @cached_property
    def dtype(self) -> Any:
        """Its dtype; None for bytes without one."""
        from rushlight._legacy import dtype_of_type

        if self.name == "UntypedStorage":
            return None
        try:
            return dtype_of_type("torch." + self.name.replace("Storage", "Tensor"))
        except (ValueError, TypeError):
            raise RuntimeError(f"the file holds a torch.{self.name}, a dtype that rushlight does not have") from None


def _tuple(args: Any) -> tuple[Any, ...]:
    if not isinstance(args, tuple):
        raise UnpicklingError("arguments that are no tuple: the pickle is damaged")
    return args


def _said(thing: Any) -> str:
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if isinstance(module, str) and isinstance(name, str):
        return f"{module}.{name}"
    return f"an object of type {type(thing).__name__}"


# ---- what was refused -------------------------------------------------------------------------------------------------


class _Stub:
    """Stands for everything while the names in a pickle are listed."""

    name = ""


class Lister(Builder):
    """Finds out all that a pickle names and refers to, and builds nothing."""

    def __init__(self) -> None:
        self.names: dict[tuple[str, str], None] = {}
        self.outside: list[Any] = []

    def find(self, module: str, name: str) -> Any:
        self.names[module, name] = None
        stub = _Stub()
        stub.name = name
        return stub

    def call(self, function: Any, args: Any) -> Any:
        return _Stub()

    def new(self, cls: Any, args: Any, kwargs: Any) -> Any:
        return _Stub()

    def build(self, made: Any, state: Any) -> Any:
        return made

    def extend(self, made: Any, items: list[Any]) -> None:
        pass

    def set_items(self, made: Any, items: list[Any]) -> None:
        pass

    def persistent(self, identity: Any) -> Any:
        self.outside.append(identity)
        return _Stub()


def names_refused(data: bytes, start: int = 0, weights_only: bool = False) -> list[str]:
    """The names in a pickle that would be refused, as "module.name"."""
    lister = Lister()
    try:
        Machine(data, lister, start).run()
    except (UnpicklingError, EOFError):
        pass  # what could be read until then
    loader = Loader(lambda identity: None, weights_only)
    out = []
    for module, name in lister.names:
        try:
            loader.find(module, name)
        except Refused:
            out.append(f"{'builtins' if module == '__builtin__' else module}.{name}")
    return out


def describe(names: list[str], where: str, weights_only: bool) -> str:
    """The message about names that were refused."""
    many = len(names) != 1
    head = "Weights only load failed. " if weights_only else ""
    text = f"{head}{where} names {len(names)} thing{'s' if many else ''} that {'are' if many else 'is'} not built from files: "
    text += ", ".join(names)
    import sys

    missing = sorted({n.rpartition(".")[0] for n in names} - set(sys.modules))
    if weights_only:
        text += ". With weights_only=True only tensors and plain data are loaded"
    text += (
        ". rushlight never runs code from a file, whatever weights_only says. Modules (torch.nn.Module) are built when "
        "the program has imported their class"
    )
    if missing and not weights_only:
        text += f"; not imported here: {', '.join(missing)}"
    return text + (
        ". If you trust the file, allow these names with torch.serialization.add_safe_globals([...]) or "
        "`with torch.serialization.safe_globals([...]):`."
    )


# ---- where storages go ------------------------------------------------------------------------------------------------


def restorer(map_location: Any, default: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    """What turns (storage, location in the file) into the storage to use, for each form of `map_location`."""
    if map_location is None:
        return default
    if isinstance(map_location, dict):
        return lambda storage, location: default(storage, map_location.get(location, location))
    if isinstance(map_location, (str, bytes)):
        text = map_location.decode() if isinstance(map_location, bytes) else map_location
        return lambda storage, location: default(storage, text)
    if isinstance(map_location, _C.device):
        return lambda storage, location: default(storage, str(map_location))

    def chosen(storage: Any, location: str) -> Any:
        from rushlight.storage import TypedStorage, UntypedStorage

        result = map_location(storage, location)
        if result is None:
            return default(storage, location)
        if isinstance(result, TypedStorage):
            result = result.untyped()
        if not isinstance(result, UntypedStorage):
            raise TypeError(f"map_location returned {type(result).__name__}, expected a storage or None")
        return result

    return chosen
