"""Compositions that look values up."""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight._composite import composite


@composite("take_along_dim(Tensor self, Tensor indices, int? dim=None) -> Tensor")
def take_along_dim(input: Any, indices: Any, dim: int | None = None, *, out: Any = None) -> Any:
    """Elements at indices along dim (the other dimensions broadcast), or of the flattened input.

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

        if not -input.dim() <= dim < input.dim():
            raise IndexError(
                f"Dimension out of range (expected to be in range of [{-input.dim()}, {input.dim() - 1}], but got {dim})"
            )
        dim %= input.dim()
        if indices.numel() and indices.min() < 0:
            indices = _C.where(indices < 0, indices + input.shape[dim], indices)
        one = [1 if d == dim else n for d, n in enumerate(input.shape)]
        other = [1 if d == dim else n for d, n in enumerate(indices.shape)]
        common = list(broadcast_shapes(one, other))
        wide = [*common[:dim], input.shape[dim], *common[dim + 1 :]]
        result = input.expand(wide).gather(dim, indices.expand([*common[:dim], indices.shape[dim], *common[dim + 1 :]]))
    return result if out is None else _C._write_out(out, result)
