"""The handle that registering a hook returns."""

from __future__ import annotations

import itertools
import weakref
from collections import OrderedDict
from typing import Any

__all__ = ["CoreHandle", "MultiHandle", "RemovableHandle", "unserializable_hook", "warn_if_has_hooks"]

_ids = itertools.count()


def unserializable_hook(hook: Any) -> Any:
    """Marks a hook as one that need not be saved with its tensor; none is.

    >>> @torch.utils.hooks.unserializable_hook
    ... def hook(grad):
    ...     return None
    """
    hook.__torch_unserializable__ = True
    return hook


def warn_if_has_hooks(tensor: Any) -> None:
    """Accepted: hooks of tensors are never saved, and are no part of the tensor in Python."""


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

    __slots__ = ("_hook",)

    def __init__(self, hook: Any) -> None:
        self.id = next(_ids)
        self._hook = hook  # a weak reference: the handle keeps nothing alive

    def remove(self) -> None:
        """Remove the hook; a second call does nothing."""
        from rushlight import _C

        _C._remove_hook(self._hook)

    def __getstate__(self) -> tuple[Any, ...]:
        raise TypeError("the handle of a hook on a tensor or on a node can not be copied or pickled")


class MultiHandle(RemovableHandle):
    """Several handles that are removed together."""

    __slots__ = ("handles",)

    def __init__(self, handles: tuple[RemovableHandle, ...]) -> None:
        self.handles = handles

    def remove(self) -> None:
        """Remove the hooks; a second call does nothing."""
        for handle in self.handles:
            handle.remove()

    def __getstate__(self) -> tuple[Any, ...]:
        return self.handles

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.handles = state
