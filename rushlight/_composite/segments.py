"""Reductions over stretches of a dimension."""

from __future__ import annotations

import math
from typing import Any

from rushlight import _C
from rushlight._composite import composite

_ARGUMENTS = (
    "(Tensor data, str reduce, *, Tensor? lengths=None, Tensor? indices=None, Tensor? offsets=None, int axis=0, "
    "bool unsafe=False, Scalar? initial=None) -> Tensor"
)
# How scatter_reduce calls it, and what an empty stretch gives.
_REDUCTIONS = {
    "sum": ("sum", 0.0), "mean": ("sum", 0.0), "prod": ("prod", 1.0), "max": ("amax", -math.inf), "min": ("amin", math.inf),
}  # fmt: skip


@composite("segment_reduce" + _ARGUMENTS, method=False)
def segment_reduce(
    data: Any, reduce: str, *, lengths: Any = None, indices: Any = None, offsets: Any = None, axis: int = 0,
    unsafe: bool = False, initial: Any = None,
) -> Any:  # fmt: skip
    """The sum, mean, prod, max or min of consecutive stretches of a dimension.

    Args:
        reduce: which.
        lengths: how long the stretches are, (*data.shape[:axis], segments).
        offsets: instead of lengths, where each begins, and at last where the last ends.
        initial: what every stretch starts with; an empty one gives it.

    Raises:
        RuntimeError: neither or both are given, or the lengths do not add up to the dimension.

    >>> torch.segment_reduce(torch.tensor([1., 2., 3.]), "sum", lengths=torch.tensor([1, 2]))
    tensor([1., 5.])
    """
    if reduce not in _REDUCTIONS:
        raise RuntimeError(f"reduce: must be one of {sorted(_REDUCTIONS)}, got {reduce!r}")
    if (lengths is None) == (offsets is None):
        raise RuntimeError("segment_reduce(): Either lengths or offsets must be defined, and not both")
    if indices is not None:
        raise RuntimeError("segment_reduce(): indices based reduction is not supported yet.")
    if lengths is None:
        lengths = offsets[..., 1:] - offsets[..., :-1]
    axis %= data.dim()
    outer, size, inner = data.shape[:axis], data.shape[axis], data.shape[axis + 1 :]
    rows = math.prod(outer)
    flat = data.reshape((rows, size, *inner))
    counts = lengths.reshape(rows, lengths.shape[-1])
    if not unsafe and (bool((counts < 0).any()) or bool((counts.sum(-1) != size).any())):
        raise RuntimeError(
            f"segment_reduce(): Expected all rows of lengths along axis to sum to data.size(axis), {size}, and to hold "
            "no negative number"
        )
    # The stretch of each position: how many end at or before it.
    ends = counts.cumsum(-1)
    which = (_C.arange(size).view(1, -1, 1) >= ends.unsqueeze(1)).sum(-1)
    which = which.view(rows, size, *[1] * len(inner)).expand_as(flat)
    how, neutral = _REDUCTIONS[reduce]
    start = neutral if initial is None else float(initial)
    # What lies behind the last stretch goes into one more, which is dropped.
    out = data.new_full((rows, counts.shape[-1] + 1, *inner), start)
    out = out.scatter_reduce(1, which, flat, how, include_self=True)[:, :-1]
    if reduce == "mean":
        n = counts.view(*counts.shape, *[1] * len(inner))
        out = _C.where(n > 0, out / n.clamp(min=1), out if initial is not None else math.nan)
    return out.reshape((*outer, counts.shape[-1], *inner))


composite("_segment_reduce" + _ARGUMENTS, method=False)(segment_reduce)
