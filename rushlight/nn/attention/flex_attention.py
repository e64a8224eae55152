"""torch.nn.attention.flex_attention: not offered; its names say so."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["create_block_mask", "flex_attention"]


def _refuse(name: str) -> NoReturn:
    raise NotImplementedError(
        f"rushlight has no torch.nn.attention.flex_attention.{name}; use "
        "torch.nn.functional.scaled_dot_product_attention with an attn_mask"
    )


def flex_attention(*args: Any, **kwargs: Any) -> NoReturn:
    """Not offered."""
    _refuse("flex_attention")


def create_block_mask(*args: Any, **kwargs: Any) -> NoReturn:
    """Not offered."""
    _refuse("create_block_mask")
