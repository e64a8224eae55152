"""`module._parameters`, `_buffers` and `_modules`: what is registered, by name."""

from __future__ import annotations

import weakref
from typing import Any

__all__ = ["Members", "member_view"]

_KEPT = object()


class Members(dict[str, Any]):
    """What a module has registered as parameters, as buffers or as modules.

    The same values stand in the module's `__dict__` under their names, so that `self.weight` is an ordinary attribute and
    costs what one costs. A change of this dictionary changes the attributes as well.
    """

    __slots__ = ("_module",)

    def __init__(self, module: Any) -> None:
        self._module = weakref.ref(module)

    put = dict.__setitem__  # this dictionary alone: by the module, which sets the attribute itself
    drop = dict.__delitem__

    def _home(self) -> dict[str, Any]:
        module = self._module()
        return {} if module is None else module.__dict__

    def __setitem__(self, name: str, value: Any) -> None:
        dict.__setitem__(self, name, value)
        self._home()[name] = value

    def __delitem__(self, name: str) -> None:
        dict.__delitem__(self, name)
        self._home().pop(name, None)

    def pop(self, name: str, default: Any = _KEPT) -> Any:
        if name not in self and default is not _KEPT:
            return default
        value = self[name]
        del self[name]
        return value

    def popitem(self) -> tuple[str, Any]:
        name, value = dict.popitem(self)
        self._home().pop(name, None)
        return name, value

    def clear(self) -> None:
        for name in list(self):
            del self[name]

    def update(self, *others: Any, **more: Any) -> None:
        for name, value in dict(*others, **more).items():
            self[name] = value

    def setdefault(self, name: str, default: Any = None) -> Any:
        if name not in self:
            self[name] = default
        return self[name]

    def __ior__(self, other: Any) -> Any:  # type: ignore[misc,override]
        self.update(other)
        return self

    def __reduce__(self) -> Any:
        return dict, (dict(self),)

    def __copy__(self) -> dict[str, Any]:
        return dict(self)


def member_view(kind: str) -> Any:
    """The property for the dictionary under that name in `module.__dict__`; to assign it replaces what is registered."""

    def get(module: Any) -> Any:
        home = module.__dict__
        if kind not in home:
            raise AttributeError(f"{type(module).__name__!r} object has no attribute {kind!r}: call Module.__init__()")
        return home[kind]

    def replace(module: Any, members: Any) -> None:
        home = module.__dict__
        for name in home.get(kind, ()):
            home.pop(name, None)
        members = dict(members)
        home[kind] = made = Members(module)
        dict.update(made, members)
        home.update(members)

    return property(get, replace)
