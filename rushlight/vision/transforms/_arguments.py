"""Checks that the transforms share."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

__all__ = ["check_sequence", "draw", "fill_for", "size_pair", "symmetric_range"]

ONE_SIZE = "Please provide only two dimensions (h, w) for size."


def size_pair(size: Any, error: str = ONE_SIZE) -> Any:
    """(height, width)."""
    if isinstance(size, numbers.Number):
        return int(size), int(size)  # type: ignore[call-overload]
    if isinstance(size, Sequence) and len(size) == 1:
        return size[0], size[0]
    if len(size) != 2:
        raise ValueError(error)
    return size


def check_sequence(x: Any, name: str, sizes: tuple[int, ...]) -> None:
    """A sequence of one of these lengths."""
    text = str(sizes[0]) if len(sizes) == 1 else " or ".join(str(s) for s in sizes)
    if not isinstance(x, Sequence):
        raise TypeError(f"{name} should be a sequence of length {text}.")
    if len(x) not in sizes:
        raise ValueError(f"{name} should be a sequence of length {text}.")


def symmetric_range(x: Any, name: str, sizes: tuple[int, ...] = (2,)) -> list[float]:
    """A number x stands for [-x, x]."""
    if isinstance(x, numbers.Number):
        if x < 0:  # type: ignore[operator]
            raise ValueError(f"If {name} is a single number, it must be positive.")
        x = [-x, x]  # type: ignore[operator]
    else:
        check_sequence(x, name, sizes)
    return [float(d) for d in x]


def draw(low: float, high: float) -> float:
    """One uniform number, from rushlight's generator."""
    import rushlight as torch

    return torch.empty(1).uniform_(float(low), float(high)).item()


def fill_for(img: Any, fill: Any) -> Any:
    """For tensors, one number a channel."""
    import rushlight as torch
    from rushlight.vision.transforms import functional as TF

    if not isinstance(img, torch.Tensor):
        return fill
    if isinstance(fill, numbers.Number):
        return [float(fill)] * TF.get_dimensions(img)[0]  # type: ignore[arg-type]
    return [float(f) for f in fill] if fill is not None else None
