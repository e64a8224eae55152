"""Embeddings, and their sums."""

from __future__ import annotations

import warnings
from typing import Any

from rushlight import _C
from rushlight._composite.lookup import embedding_bag as _embedding_bag
from rushlight.autograd.grad_mode import no_grad

__all__ = ["embedding", "embedding_bag"]

_MODES = {"sum": 0, "mean": 1, "max": 2}


def _shrink(weight: Any, indices: Any, max_norm: float, norm_type: float) -> None:
    """Scale the rows that are named, where their norm is larger, down to max_norm: in place, and not recorded."""
    with no_grad():
        _C.embedding_renorm_(weight, indices.contiguous(), max_norm, norm_type)


def embedding(
    input: Any, weight: Any, padding_idx: int | None = None, max_norm: float | None = None, norm_type: float = 2.0,
    scale_grad_by_freq: bool = False, sparse: bool = False,
) -> Any:  # fmt: skip
    """The rows of weight that input names; the row padding_idx gets no gradient, rows above max_norm are shrunk.

    >>> F.embedding(torch.tensor([2, 0]), torch.tensor([[0., 1.], [2., 3.], [4., 5.]]))
    tensor([[4., 5.],
            [0., 1.]])
    """
    if padding_idx is None:
        padding_idx = -1
    else:
        rows = weight.shape[0]
        if not -rows <= padding_idx < rows:
            raise AssertionError("Padding_idx must be within num_embeddings")
        padding_idx %= rows
    if max_norm is not None:
        _shrink(weight, input, max_norm, norm_type)
    return _C.embedding(weight, input, padding_idx, scale_grad_by_freq, sparse)


def embedding_bag(
    input: Any, weight: Any, offsets: Any = None, max_norm: float | None = None, norm_type: float = 2,
    scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False, per_sample_weights: Any = None,
    include_last_offset: bool = False, padding_idx: int | None = None,
) -> Any:  # fmt: skip
    """The sum, mean or maximum of the embeddings in each bag of indices.

    Args:
        input: indices, one bag per row (B, N), or all bags one after another (N) with `offsets`.
        weight: the table (rows, features).
        offsets: where each bag starts; with include_last_offset also where the last one ends.
        max_norm, norm_type: rows with a larger norm are scaled down to it.
        scale_grad_by_freq: divide gradients by how often the index occurs.
        mode: "sum", "mean" or "max". Empty bags give zeros.
        sparse: accepted; gradients are dense.
        per_sample_weights: factors of the embeddings, for "sum".
        padding_idx: an index that does not count.

    >>> weight = torch.tensor([[1., 2.], [3., 4.]])
    >>> F.embedding_bag(torch.tensor([0, 1, 1]), weight, torch.tensor([0, 2]), mode="sum")
    tensor([[4., 6.],
            [3., 4.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.functional.embedding_bag.html
    """
    if weight.dtype == _C.int64 and input.dtype.is_floating_point:
        warnings.warn(
            "Argument order of nn.functional.embedding_bag was changed. Usage `embedding_bag(weight, input, ...)` is "
            "deprecated, and should now be `embedding_bag(input, weight, ...)`.",
            stacklevel=2,
        )
        weight, input = input, weight
    if per_sample_weights is not None and input.shape != per_sample_weights.shape:
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must have the "
            f"same shape as the input ({input.shape})"
        )
    if weight.dim() != 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.dim()}")
    rows = input if input.dim() == 2 else None
    if rows is not None:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                f"sequences. However, found offsets of type {type(offsets)}"
            )
        bags, length = input.shape
        offsets = _C.arange(bags, dtype=input.dtype) * length
        include_last_offset = False
        input = input.reshape(-1)
        per_sample_weights = None if per_sample_weights is None else per_sample_weights.reshape(-1)
    elif input.dim() != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}")
    elif offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    elif offsets.dim() != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    if mode not in _MODES:
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max" and scale_grad_by_freq:
        raise ValueError("max mode does not support scaling the gradient by the frequency")
    if mode == "max" and sparse:
        raise ValueError("max mode does not support sparse weights")
    if max_norm is not None:
        _shrink(weight, input, max_norm, norm_type)
    if per_sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' "
            f"(got mode='{mode}'): multiply the embeddings yourself before they are reduced."
        )
    if rows is not None and rows.numel() and padding_idx is None and rows.dtype in (_C.int64, _C.int32):
        low, high = rows.aminmax()
        if low >= 0 and high < len(weight):
            return _equal_bags(weight, rows, mode, scale_grad_by_freq, per_sample_weights)
    return _embedding_bag(
        weight, input, offsets, scale_grad_by_freq, _MODES[mode], sparse, per_sample_weights, include_last_offset,
        padding_idx,
    )[0]  # fmt: skip


def _equal_bags(weight: Any, rows: Any, mode: str, scale_grad_by_freq: bool, per_sample_weights: Any) -> Any:
    """Bags of one length: reductions along it."""
    vectors = _C.embedding(weight, rows, -1, scale_grad_by_freq)
    if per_sample_weights is not None:
        vectors = vectors * per_sample_weights.reshape(rows.shape).unsqueeze(2)
    if mode == "max":
        return vectors.max(1)[0]
    return vectors.sum(1) if mode == "sum" else vectors.mean(1)
