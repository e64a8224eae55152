"""Compositions that look values up."""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight._composite import composite
from rushlight._dims import wrapped


@composite("take_along_dim(Tensor self, Tensor indices, int? dim=None) -> Tensor")
def take_along_dim(input: Any, indices: Any, dim: int | None = None, *, out: Any = None) -> Any:
    """Elements at indices along dim (the other dimensions broadcast), or of the flattened input.

    >>> x = torch.tensor([[3, 1], [2, 5]])
    >>> torch.take_along_dim(x, x.argsort(1), 1)
    tensor([[1, 3],
            [2, 5]])

    Reference: https://pytorch.org/docs/stable/generated/torch.take_along_dim.html
    """
    if indices.dtype != _C.int64:
        raise RuntimeError(f"torch.take_along_dim(): dtype of indices should be Long but got {indices.dtype}")
    if dim is None:
        result = input.reshape(-1).gather(0, indices.reshape(-1))
    else:
        if input.dim() != indices.dim():
            raise RuntimeError(
                "torch.take_along_dim(): input and indices should have the same number of dimensions, but got "
                f"{input.dim()} dimensions for input, and {indices.dim()} dimensions for indices"
            )
        from rushlight._composite.shapes import broadcast_shapes

        dim = wrapped(dim, input.dim())
        if indices.numel() and indices.min() < 0:
            indices = _C.where(indices < 0, indices + input.shape[dim], indices)
        one = [1 if d == dim else n for d, n in enumerate(input.shape)]
        other = [1 if d == dim else n for d, n in enumerate(indices.shape)]
        common = list(broadcast_shapes(one, other))
        wide = [*common[:dim], input.shape[dim], *common[dim + 1 :]]
        result = input.expand(wide).gather(dim, indices.expand([*common[:dim], indices.shape[dim], *common[dim + 1 :]]))
    return result if out is None else _C._write_out(out, result)


def _starts_of_bags(indices: Any, offsets: Any, include_last_offset: bool) -> Any:
    """Where each bag begins; a RuntimeError unless the bags lie within the indices."""
    for name, t in (("indices", indices), ("offsets", offsets)):
        if t.dtype not in (_C.int64, _C.int32):
            raise RuntimeError(
                f"Expected tensor for argument '{name}' to have one of the following scalar types: Long, Int; but got "
                f"{t.dtype} instead (while checking arguments for embedding_bag)"
            )
    if include_last_offset and offsets.numel() == 0:
        raise RuntimeError("include_last_offset: number of offset should be at least 1")
    starts, n = offsets[:-1] if include_last_offset else offsets, indices.numel()
    if starts.numel() and int(starts[0]) != 0:
        raise RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, "
            f"got {int(starts[0])}"
        )
    if starts.numel() and int(offsets[-1]) > n:
        raise RuntimeError(
            f"offsets[-1] can not be greater than input's length: {n} but got offsets[-1] of {int(offsets[-1])}"
        )
    return starts


@composite(
    "embedding_bag(Tensor weight, Tensor indices, Tensor offsets, bool scale_grad_by_freq=False, int mode=0, "
    "bool sparse=False, Tensor? per_sample_weights=None, bool include_last_offset=False, int? padding_idx=None) -> "
    "(Tensor, Tensor, Tensor, Tensor)",
    method=False,
)
def embedding_bag(
    weight: Any, indices: Any, offsets: Any, scale_grad_by_freq: bool = False, mode: int = 0, sparse: bool = False,
    per_sample_weights: Any = None, include_last_offset: bool = False, padding_idx: int | None = None,
) -> tuple[Any, Any, Any, Any]:  # fmt: skip
    """Embeddings of bags of indices, summed (mode 0), averaged (1) or their maximum (2).

    Returns them, the bag of each index, the bags' sizes and, for the maximum, where it was found.

    >>> weight = torch.tensor([[1., 2.], [3., 4.], [5., 6.]])
    >>> torch.embedding_bag(weight, torch.tensor([0, 1, 2]), torch.tensor([0, 2]))[0]
    tensor([[4., 6.],
            [5., 6.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.functional.embedding_bag.html
    """
    if mode not in (0, 1, 2):
        raise RuntimeError(f"embedding_bag(): mode is 0 (sum), 1 (mean) or 2 (max), got {mode}")
    starts = _starts_of_bags(indices, offsets, include_last_offset)
    n, rows, bags = indices.numel(), weight.shape[0], starts.numel()
    end = int(offsets[-1]) if include_last_offset else n if bags else 0
    if end < n:  # the rest is in no bag
        n, indices = end, indices[:end]
        per_sample_weights = None if per_sample_weights is None else per_sample_weights[:end]
    bag_of = _C.searchsorted(starts.long().contiguous(), _C.arange(n), right=True) - 1
    kept, bag = indices, bag_of
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise RuntimeError(f"padding_idx must be within the number of embeddings, {rows}, but got {padding_idx}")
        counts = indices != padding_idx % rows
        kept, bag = indices[counts], bag_of[counts]
        per_sample_weights = None if per_sample_weights is None else per_sample_weights[counts]
    try:
        vectors = _C.embedding(weight, kept, -1, scale_grad_by_freq, sparse)
    except IndexError:
        at = int(((indices < 0) | (indices >= rows)).int().argmax())
        raise RuntimeError(
            f"Index {at} of input takes value {int(indices[at])} which is not in the valid range [0, {rows})"
        ) from None
    if per_sample_weights is not None:
        if per_sample_weights.dtype != weight.dtype:
            raise RuntimeError(
                f"expected scalar type {weight.dtype} for per_sample_weights but found {per_sample_weights.dtype}"
            )
        vectors = vectors * per_sample_weights.unsqueeze(1)
    sizes = _C.zeros(bags, dtype=_C.int64).index_add(0, bag, _C.ones_like(bag))
    if mode != 2:
        out = _C.zeros(bags, weight.shape[1], dtype=weight.dtype).index_add(0, bag, vectors)
        if mode == 1:
            out = out / sizes.clamp_min(1).unsqueeze(1).to(weight.dtype)
        return out, bag_of, sizes, sizes
    # The first of the largest elements takes the gradient.
    shape = (bags, weight.shape[1])
    found = vectors.detach()
    places = bag.unsqueeze(1).expand_as(found)
    top = _C.full(shape, float("-inf"), dtype=weight.dtype).scatter_reduce(0, places, found, "amax")
    order = _C.arange(len(kept)).unsqueeze(1)
    first = _C.where(found == top[bag], order, len(kept))
    first = _C.full(shape, len(kept), dtype=_C.int64).scatter_reduce(0, places, first, "amin")
    none = first == len(kept)
    first = first.masked_fill(none, 0)
    if len(kept) == 0:
        empty = _C.zeros(shape, dtype=weight.dtype).index_add(0, bag, vectors)
        return empty, bag_of, sizes, _C.full_like(first, -1)
    out = vectors.gather(0, first).masked_fill(none, 0.0)
    return out, bag_of, sizes, kept.long()[first].masked_fill(none, -1)
