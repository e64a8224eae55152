"""Nested tuples, lists and dictionaries of tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["leaves", "rebuilt", "spread"]


def leaves(tree: Any) -> Iterator[Any]:
    """What is in the nest, in order."""
    if isinstance(tree, (tuple, list)):
        for item in tree:
            yield from leaves(item)
    elif isinstance(tree, dict):
        for item in tree.values():
            yield from leaves(item)
    else:
        yield tree


def rebuilt(tree: Any, f: Callable[[Any], Any]) -> Any:
    """The same nest of f(leaf)."""
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(rebuilt(item, f) for item in tree))
    if isinstance(tree, (tuple, list)):
        return type(tree)(rebuilt(item, f) for item in tree)
    if isinstance(tree, dict):
        return type(tree)((key, rebuilt(item, f)) for key, item in tree.items())
    return f(tree)


def spread(prefix: Any, tree: Any) -> Iterator[Any]:
    """One entry for each leaf of `tree`: the leaf of `prefix`, a shallower nest, that stands above it."""
    if isinstance(prefix, (tuple, list)):
        if not isinstance(tree, (tuple, list)) or len(prefix) != len(tree):
            raise ValueError(f"{prefix} does not stand above {tree}")
        for p, t in zip(prefix, tree, strict=True):
            yield from spread(p, t)
    elif isinstance(prefix, dict):
        if not isinstance(tree, dict) or prefix.keys() != tree.keys():
            raise ValueError(f"{prefix} does not stand above {tree}")
        for key, item in tree.items():
            yield from spread(prefix[key], item)
    else:
        for _ in leaves(tree):
            yield prefix
