"""What `torch.compile` needs to see through mask functions."""

from __future__ import annotations

from contextlib import nullcontext

__all__ = ["TransformGetItemToIndex"]


class TransformGetItemToIndex(nullcontext[None]):
    """Within it `x[i]` takes a tensor `i` of `vmap`: as always here."""
