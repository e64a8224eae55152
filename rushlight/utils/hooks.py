"""The handle that registering a hook returns."""

from __future__ import annotations

import itertools
import weakref
from collections import OrderedDict
from typing import Any

__all__ = ["CoreHandle", "RemovableHandle"]

_ids = itertools.count()


class RemovableHandle:
    """Takes a hook out of the dictionaries it was put into: `handle.remove()`, or leaving its `with` block."""

    __slots__ = ("_extra", "_home", "id")

    def __init__(self, hooks_dict: Any, *, extra_dict: Any = None) -> None:
        self._home = weakref.ref(hooks_dict)
        extra = extra_dict if isinstance(extra_dict, (list, tuple)) else [] if extra_dict is None else [extra_dict]
        self._extra = tuple(weakref.ref(d) for d in extra)
        self.id = next(_ids)

    def remove(self) -> None:
        """Remove the hook; a second call does nothing."""
        for ref in (self._home, *self._extra):
            hooks = ref()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __getstate__(self) -> tuple[Any, ...]:
        return self._home(), self.id, tuple(ref() for ref in self._extra)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        global _ids
        home, self.id, extra = state
        # A dictionary that is gone leaves an empty one behind, which goes at once.
        self._home = weakref.ref(OrderedDict() if home is None else home)
        self._extra = tuple(weakref.ref(OrderedDict() if d is None else d) for d in extra)
        _ids = itertools.count(max(next(_ids), self.id + 1))

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class CoreHandle(RemovableHandle):
    """The handle of a hook that the core keeps: on a tensor or on a node of the tape."""

    __slots__ = ("_kind", "_owner")

    def __init__(self, id: int, owner: Any, kind: str) -> None:
        self.id = id
        self._owner = owner
        self._kind = kind

    def remove(self) -> None:
        """Remove the hook; a second call does nothing."""
        if self._owner is not None:
            from rushlight import _C

            _C._remove_hook(self.id, self._owner)
            self._owner = None

    def __getstate__(self) -> tuple[Any, ...]:
        raise TypeError("the handle of a hook on a tensor or on a node can not be copied or pickled")
