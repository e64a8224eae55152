"""Dimensions by number, negative ones counted from the end."""

from __future__ import annotations

__all__ = ["wrapped"]


def wrapped(dim: int, ndim: int) -> int:
    """The dimension from 0 on; a tensor without any has one as far as this goes.

    Raises:
        IndexError: there is no such dimension.

    >>> from rushlight._dims import wrapped
    >>> wrapped(-1, 3)
    2
    """
    count = max(ndim, 1)
    if not -count <= dim < count:
        raise IndexError(f"Dimension out of range (expected to be in range of [{-count}, {count - 1}], but got {dim})")
    return dim % count
