"""`torch.nn.attention.flex_attention`: attention with a function of its own for scores is not here.

Reference: https://pytorch.org/docs/stable/nn.attention.flex_attention.html
"""

from __future__ import annotations

from rushlight._later import absent_class, absent_function

__all__ = ["AuxRequest", "BlockMask", "create_block_mask", "create_mask", "flex_attention"]

_WHY = "use torch.nn.functional.scaled_dot_product_attention with an attn_mask"
_HOME = "torch.nn.attention.flex_attention"
_DEFAULT_SPARSE_BLOCK_SIZE = 128
AuxRequest, BlockMask = (absent_class(f"{_HOME}.{name}", _WHY) for name in ("AuxRequest", "BlockMask"))
create_block_mask, create_mask, flex_attention = (
    absent_function(f"{_HOME}.{name}", _WHY) for name in ("create_block_mask", "create_mask", "flex_attention")
)
