"""`rearrange`: axes by name, in the notation of einops."""

from __future__ import annotations

import math
from typing import Any

from rushlight import _C

__all__ = ["rearrange"]


def _side(text: str, pattern: str) -> list[list[str]]:
    """The axes on one side: for each dimension the names that it is made of. "..." stands alone."""
    groups: list[list[str]] = []
    group: list[str] | None = None
    for word in text.replace("...", " … ").replace("(", " ( ").replace(")", " ) ").split():
        if word == "(":
            if group is not None:
                raise ValueError("Axis composition is one-level (brackets inside brackets not allowed)")
            group = []
        elif word == ")":
            if group is None:
                raise ValueError(f"Brackets are not balanced: {pattern}")
            groups.append(group)
            group = None
        elif word == "1":
            if group is None:
                groups.append([])
        elif word.isdecimal():
            raise ValueError("rearrange only supports unnamed axes of size 1")
        elif word != "…" and (not word.isidentifier() or word.startswith("_") or word.endswith("_")):
            raise ValueError(
                f"Invalid axis identifier: {word}; a name is a Python identifier that neither starts nor ends with an "
                "underscore"
            )
        elif group is None:
            groups.append([word])
        else:
            group.append(word)
    if group is not None:
        raise ValueError(f"Brackets are not balanced: {pattern}")
    names = [name for one in groups for name in one]
    if names.count("…") > 1:
        raise ValueError("Expression may contain dots only inside ellipsis (...); only one ellipsis for tensor")
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"Indexing expression contains duplicate dimension '{name}'")
    return groups


def _sizes(tensor: Any, left: list[list[str]], given: dict[str, int]) -> tuple[dict[str, int], tuple[int, ...]]:
    """The size of each named axis, and those that the ellipsis stands for."""
    around = next((i for i, group in enumerate(left) if group == ["…"]), None)
    fixed = len(left) - (around is not None)
    if tensor.dim() != fixed and (around is None or tensor.dim() < fixed):
        raise ValueError(
            f"Number of dimensions in pattern ({fixed}) must be equal to the number of dimensions in the tensor "
            f"({tensor.dim()})"
        )
    skipped = tensor.dim() - fixed
    sizes = dict(given)
    shape = list(tensor.shape)
    rest: tuple[int, ...] = ()
    if around is not None:
        rest = tuple(shape[around : around + skipped])
        shape[around : around + skipped] = []
    for group, n in zip((g for g in left if g != ["…"]), shape, strict=True):
        unknown = [name for name in group if name not in sizes]
        known = math.prod(sizes[name] for name in group if name in sizes)
        if len(unknown) > 1:
            raise ValueError(f"cannot infer the sizes of several axes at once: {' '.join(unknown)}")
        if unknown and known and n % known == 0:
            sizes[unknown[0]] = n // known
        elif unknown or known != n:
            raise ValueError(f"Dimension sizes do not match: {n} is not made of ({' '.join(group)}), of {known} so far")
    return sizes, rest


def rearrange(tensor: Any, pattern: str, **axes_lengths: int) -> Any:
    """Transpose, split and join axes by their names.

    Args:
        tensor: a tensor, or several of one shape, which are stacked first.
        pattern: the axes as they are, "->", and as they shall be: names, "(several joined)", "1", and "..." for the rest.
        axes_lengths: sizes of axes that the shape does not tell.

    Raises:
        ValueError: the pattern is none, or does not fit the tensor.

    Example:
        >>> import rushlight as torch
        >>> torch.func.rearrange(torch.arange(6).reshape(2, 3), "a b -> (b a)")
        tensor([0, 3, 1, 4, 2, 5])

    Reference: https://pytorch.org/docs/stable/generated/torch.func.rearrange.html
    """
    if not isinstance(tensor, _C.Tensor):
        tensor = _C.stack(list(tensor))
    if pattern.count("->") != 1:
        raise ValueError("Pattern must contain a single '->' separator")
    left, right = (_side(side, pattern) for side in pattern.split("->"))
    names = [[name for group in side for name in group] for side in (left, right)]
    if ["…"] not in left and "…" in names[0]:
        raise ValueError(f"Ellipsis is parenthesis in the left side is not allowed: {pattern}")
    if "…" in names[1] and "…" not in names[0]:
        raise ValueError(f"Ellipsis found in right side, but not left side of a pattern {pattern}")
    apart = set(names[0]) ^ set(names[1])
    if apart:
        raise ValueError(f"Identifiers only on one side of rearrange expression (should be on both): {apart}")
    if axes_lengths.keys() - set(names[0]):
        raise ValueError(f"Identifiers not found in rearrange expression: {axes_lengths.keys() - set(names[0])}")
    sizes, rest = _sizes(tensor, left, axes_lengths)

    def spread(name: str) -> tuple[int, ...]:
        return rest if name == "…" else (sizes[name],)

    split = tensor.reshape([n for name in names[0] for n in spread(name)])
    starts, at = {}, 0
    for name in names[0]:
        starts[name] = range(at, at + len(spread(name)))
        at += len(spread(name))
    moved = split.permute([i for name in names[1] for i in starts[name]])
    shape: list[int] = []
    for group in right:
        parts = [n for name in group for n in spread(name)]
        shape += parts if group == ["…"] else [math.prod(parts)]
    return moved.reshape(shape)
