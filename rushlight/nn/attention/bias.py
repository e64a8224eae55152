"""Causal masks for queries and keys of different lengths, as tensors that tell what they are."""

from __future__ import annotations

import enum
from typing import Any

from rushlight import _C

__all__ = ["CausalBias", "CausalVariant", "causal_lower_right", "causal_upper_left"]


class CausalVariant(enum.IntEnum):
    """Which corner the diagonal starts from."""

    UPPER_LEFT = 1
    LOWER_RIGHT = 2


class CausalBias(_C.Tensor):  # type: ignore[misc]
    """A bool mask (seq_len_q, seq_len_kv), True where a key is seen; for the attn_mask of attention."""

    variant: CausalVariant
    seq_len_q: int
    seq_len_kv: int

    def __new__(cls, variant: CausalVariant, seq_len_q: int, seq_len_kv: int) -> CausalBias:
        if not isinstance(variant, CausalVariant):
            raise AssertionError("variant must be a CausalVariant")
        shift = 0 if variant == CausalVariant.UPPER_LEFT else seq_len_kv - seq_len_q
        mask = _C.ones((seq_len_q, seq_len_kv), dtype=_C.bool).tril(shift).as_subclass(cls)
        mask.variant, mask.seq_len_q, mask.seq_len_kv = variant, seq_len_q, seq_len_kv
        return mask  # type: ignore[no-any-return]


def _sizes(size: tuple[Any, ...]) -> tuple[int, int]:
    if len(size) != 2:
        raise AssertionError(f"a causal mask has 2 dimensions, got {len(size)}")
    return size  # type: ignore[return-value]


def causal_upper_left(*size: int) -> CausalBias:
    """Query i sees keys 0 to i.

    >>> from rushlight.nn.attention.bias import causal_upper_left
    >>> causal_upper_left(2, 3).tolist()
    [[True, False, False], [True, True, False]]
    """
    return CausalBias(CausalVariant.UPPER_LEFT, *_sizes(size))


def causal_lower_right(*size: int) -> CausalBias:
    """The last query sees all keys, the one before all but the last, ...

    >>> from rushlight.nn.attention.bias import causal_lower_right
    >>> causal_lower_right(2, 3).tolist()
    [[True, True, False], [True, True, True]]
    """
    return CausalBias(CausalVariant.LOWER_RIGHT, *_sizes(size))
