"""The handle that registering a hook returns."""

from __future__ import annotations

import itertools
import weakref
from typing import Any

__all__ = ["RemovableHandle"]

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

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()
