"""Multi-head attention."""

from __future__ import annotations

import math
import warnings
from typing import Any

from rushlight import _C

__all__ = ["multi_head_attention_forward"]


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise AssertionError(message)


def _canonical_mask(
    mask: Any, mask_name: str, other_type: Any, other_name: str, target_type: Any, check_other: bool = True
) -> Any:
    """A mask as what is added to the scores: bool masks have True where a position must not take part."""
    if mask is None:
        return None
    floating = mask.dtype.is_floating_point
    _require(mask.dtype == _C.bool or floating, f"only bool and floating types of {mask_name} are supported")
    if check_other and other_type is not None and mask.dtype != other_type:
        warnings.warn(
            f"Support for mismatched {mask_name} and {other_name} is deprecated. Use same type for both instead.",
            stacklevel=3,
        )
    if floating:
        return mask
    return _C.zeros_like(mask, dtype=target_type).masked_fill_(mask, float("-inf"))


def _none_or_dtype(input: Any) -> Any:
    return None if input is None else input.dtype


def _check_shapes(query: Any, key: Any, value: Any, key_padding_mask: Any, attn_mask: Any, num_heads: int) -> bool:
    """Whether there is a batch dimension; raises where the inputs disagree about it."""
    dim = query.dim()
    _require(dim in (2, 3), f"query should be unbatched 2D or batched 3D tensor but received {dim}-D query tensor")
    kind = "batched (3-D)" if dim == 3 else "unbatched (2-D)"
    _require(
        key.dim() == dim and value.dim() == dim,
        f"For {kind} `query`, expected `key` and `value` to be {dim}-D but found {key.dim()}-D and {value.dim()}-D "
        "tensors respectively",
    )
    if key_padding_mask is not None:
        _require(
            key_padding_mask.dim() == dim - 1,
            f"For {kind} `query`, expected `key_padding_mask` to be `None` or {dim - 1}-D but found "
            f"{key_padding_mask.dim()}-D tensor instead",
        )
    if attn_mask is not None:
        _require(
            attn_mask.dim() in (2, 3),
            f"For {kind} `query`, expected `attn_mask` to be `None`, 2-D or 3-D but found {attn_mask.dim()}-D tensor "
            "instead",
        )
        if dim == 2 and attn_mask.dim() == 3:
            expected = (num_heads, query.shape[0], key.shape[0])
            _require(
                tuple(attn_mask.shape) == expected,
                f"Expected `attn_mask` shape to be {expected} but got {attn_mask.shape}",
            )
    return dim == 3


def _project(
    query: Any, key: Any, value: Any, weight: Any, bias: Any, separate: tuple[Any, Any, Any] | None
) -> tuple[Any, Any, Any]:
    """Queries, keys and values; one product where they are of the same tensor."""
    if separate is None and query is key and key is value:
        return tuple(_C.linear(query, weight, bias).chunk(3, -1))  # type: ignore[return-value]
    if separate is None and key is value:
        width = query.shape[-1]
        both = [width, 2 * width]
        w_q, w_kv = weight.split(both)
        b_q, b_kv = (None, None) if bias is None else bias.split(both)
        k, v = _C.linear(key, w_kv, b_kv).chunk(2, -1)
        return _C.linear(query, w_q, b_q), k, v
    weights = weight.chunk(3) if separate is None else separate
    biases = (None, None, None) if bias is None else bias.chunk(3)
    return tuple(  # type: ignore[return-value]
        _C.linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases, strict=True)
    )


def _check_projections(key: Any, value: Any, weight: Any, separate: tuple[Any, Any, Any] | None) -> None:
    if separate is None:
        _require(key.shape == value.shape, f"key shape {key.shape} does not match value shape {value.shape}")
        _require(weight is not None, "use_separate_proj_weight is False but in_proj_weight is None")
        return
    _require(
        key.shape[:2] == value.shape[:2],
        f"key's sequence and batch dims {key.shape[:2]} do not match value's {value.shape[:2]}",
    )
    for name, own in zip("qkv", separate, strict=True):
        _require(own is not None, f"use_separate_proj_weight is True but {name}_proj_weight is None")


def _check_mask(mask: Any, scores: tuple[int, ...], each: int) -> None:
    """A mask is for all scores alike, or for `each` head of each sequence."""
    if mask is None:
        return
    expected = (each, *scores) if mask.dim() == 3 else scores
    if tuple(mask.shape) != expected:
        raise RuntimeError(f"The shape of the {mask.dim()}D attn_mask is {mask.shape}, but should be {expected}.")


def _one_more(mask: Any) -> Any:
    """A mask with one more key, that takes part."""
    return None if mask is None else _C.constant_pad_nd(mask, (0, 1))


def _one_mask(attn_mask: Any, key_padding_mask: Any, batch: int, heads: int, keys: int) -> Any:
    """Both masks as what is added to scores (batch, heads, queries, keys)."""
    if attn_mask is not None and attn_mask.dim() != 2:
        attn_mask = attn_mask.unflatten(0, (batch, heads))
    if key_padding_mask is None:
        return attn_mask
    for axis, size in enumerate((batch, keys)):
        found = key_padding_mask.shape[axis]
        _require(found == size, f"Expected key_padded_mask.shape[{axis}] to be {size}, but got {found}")
    padding = key_padding_mask.view(batch, 1, 1, keys)
    return padding if attn_mask is None else attn_mask + padding


def _attend(q: Any, k: Any, v: Any, mask: Any, dropout_p: float) -> tuple[Any, Any]:
    """scaled_dot_product_attention step by step, for those who want its weights."""
    scores = (q * math.sqrt(1.0 / q.size(-1))) @ k.mT
    if mask is not None:
        scores = scores + mask
    weights = _C.softmax(scores, -1)
    if dropout_p > 0.0:
        weights = _C.dropout(weights, dropout_p, True)
    return weights @ v, weights


def multi_head_attention_forward(
    query: Any, key: Any, value: Any, embed_dim_to_check: int, num_heads: int, in_proj_weight: Any, in_proj_bias: Any,
    bias_k: Any, bias_v: Any, add_zero_attn: bool, dropout_p: float, out_proj_weight: Any, out_proj_bias: Any,
    training: bool = True, key_padding_mask: Any = None, need_weights: bool = True, attn_mask: Any = None,
    use_separate_proj_weight: bool = False, q_proj_weight: Any = None, k_proj_weight: Any = None,
    v_proj_weight: Any = None, static_k: Any = None, static_v: Any = None, average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Any, Any]:  # fmt: skip
    """Attention in several subspaces at once (Vaswani et al., 2017): what nn.MultiheadAttention computes.

    Shapes: query (L, N, E), key and value (S, N, E'), all without N for one sequence; attn_mask (L, S) or (N * num_heads,
    L, S); key_padding_mask (N, S). Returns (L, N, E) and, with need_weights, the weights (N, L, S), or (N, num_heads, L, S)
    where they are not averaged.

    Reference: https://arxiv.org/abs/1706.03762
    """
    batched = _check_shapes(query, key, value, key_padding_mask, attn_mask, num_heads)
    if not batched:
        same_kv, same_q = value is key, query is key
        key = key.unsqueeze(1)
        query = key if same_q else query.unsqueeze(1)
        value = key if same_kv else value.unsqueeze(1)
        key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
    length, batch, width = query.shape
    dtype = query.dtype
    key_padding_mask = _canonical_mask(
        key_padding_mask, "key_padding_mask", _none_or_dtype(attn_mask), "attn_mask", dtype
    )
    if is_causal and attn_mask is None:
        raise RuntimeError(
            "Need attn_mask if specifying the is_causal hint. You may use the Transformer module method "
            "`generate_square_subsequent_mask` to create this mask."
        )
    if is_causal and key_padding_mask is None and not need_weights:
        attn_mask = None
    else:
        attn_mask = _canonical_mask(attn_mask, "attn_mask", None, "", dtype, check_other=False)
        is_causal = False  # the mask says it

    _require(width == embed_dim_to_check, f"was expecting embedding dimension of {embed_dim_to_check}, but got {width}")
    head = width // num_heads
    _require(head * num_heads == width, f"embed_dim {width} not divisible by num_heads {num_heads}")
    separate = (q_proj_weight, k_proj_weight, v_proj_weight) if use_separate_proj_weight else None
    _check_projections(key, value, in_proj_weight, separate)
    q, k, v = _project(query, key, value, in_proj_weight, in_proj_bias, separate)

    _check_mask(attn_mask, (length, key.shape[0]), batch * num_heads)
    if bias_k is not None and bias_v is not None:
        _require(static_k is None, "bias cannot be added to static key.")
        _require(static_v is None, "bias cannot be added to static value.")
        k = _C.cat([k, bias_k.repeat(1, batch, 1)])
        v = _C.cat([v, bias_v.repeat(1, batch, 1)])
        attn_mask, key_padding_mask = _one_more(attn_mask), _one_more(key_padding_mask)
    else:
        _require(bias_k is None, "bias_k is set but bias_v is None")
        _require(bias_v is None, "bias_v is set but bias_k is None")

    def by_heads(x: Any, static: Any, name: str) -> Any:
        """(steps, batch, heads * head) to (batch, heads, steps, head), without a copy."""
        if static is None:
            return x.unflatten(-1, (num_heads, head)).permute(1, 2, 0, 3)
        for axis, size in ((0, batch * num_heads), (2, head)):
            _require(
                static.size(axis) == size,
                f"expecting static_{name}.size({axis}) of {size}, but got {static.size(axis)}",
            )
        return static.unflatten(0, (batch, num_heads))

    q, k, v = by_heads(q, None, "q"), by_heads(k, static_k, "k"), by_heads(v, static_v, "v")
    if add_zero_attn:
        k, v = (_C.cat([x, _C.zeros((batch, num_heads, 1, head), dtype=x.dtype, device=x.device)], 2) for x in (k, v))
        attn_mask, key_padding_mask = _one_more(attn_mask), _one_more(key_padding_mask)
    mask = _one_mask(attn_mask, key_padding_mask, batch, num_heads, k.size(2))
    if not training:
        dropout_p = 0.0

    weights = None
    if need_weights:
        out, weights = _attend(q, k, v, mask, dropout_p)
        weights = weights.mean(1) if average_attn_weights else weights
    else:
        out = _C.scaled_dot_product_attention(q, k, v, mask, dropout_p, is_causal)
    out = _C.linear(out.permute(2, 0, 1, 3).flatten(2), out_proj_weight, out_proj_bias)
    if not batched:
        out = out.squeeze(1)
        weights = None if weights is None else weights.squeeze(0)
    return out, weights
