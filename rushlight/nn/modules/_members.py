"""`module._parameters`, `_buffers` and `_modules`: views of the attributes that are registered as such."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, MutableMapping, ValuesView
from typing import Any

__all__ = ["Members", "member_view"]


class Members(MutableMapping[str, Any]):
    """A mapping of registered names to attributes.

    The values live in the module's `__dict__` and nowhere else, so that `self.weight` is an ordinary attribute
    and costs what one costs; the module keeps only the names beside them.
    """

    __slots__ = ("_home", "_names")

    def __init__(self, home: dict[str, Any], names: dict[str, None]) -> None:
        self._home = home
        self._names = names

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        return self._home[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._names[name] = None
        self._home[name] = value

    def __delitem__(self, name: str) -> None:
        del self._names[name]
        self._home.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    # The views of plain dictionaries: they print as such.
    def keys(self) -> KeysView[str]:
        return self._names.keys()

    def values(self) -> ValuesView[Any]:
        return dict(self).values()

    def items(self) -> ItemsView[str, Any]:
        return dict(self).items()

    def copy(self) -> dict[str, Any]:
        """A plain dictionary of the same items."""
        return dict(self)

    def __repr__(self) -> str:
        return repr(dict(self))


def member_view(names: str) -> Any:
    """The property that shows the attributes named in `module.__dict__[names]`."""

    def get(module: Any) -> Members:
        home = module.__dict__
        if names not in home:
            raise AttributeError(f"{type(module).__name__!r} object has no attribute {names!r}: call Module.__init__()")
        return Members(home, home[names])

    def replace(module: Any, members: Any) -> None:
        home = module.__dict__
        for name in home.get(names, ()):
            home.pop(name, None)
        members = dict(members)
        home[names] = dict.fromkeys(members)
        home.update(members)

    return property(get, replace)
