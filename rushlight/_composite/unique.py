"""unique: one tensor, or a tuple with what else was asked for."""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight._composite import composite


def _chosen(source: Any, values: Any, inverse: Any, counts: Any, return_inverse: bool, return_counts: bool) -> Any:
    if source.requires_grad:
        from rushlight.autograd.function import without_derivative

        values = without_derivative("unique", values, source)
    extras = ([inverse] if return_inverse else []) + ([counts] if return_counts else [])
    return (values, *extras) if extras else values


@composite(
    "unique(Tensor self, bool sorted=True, bool return_inverse=False, bool return_counts=False, int? dim=None) -> Tensor"
)
def unique(
    input: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The distinct elements in ascending order.

    Args:
        sorted: accepted; the result is in order either way.
        return_inverse: also give the place of each element of input in the result.
        return_counts: also give how often each occurs.
        dim: compare the slices along this axis instead of single elements.

    >>> torch.unique(torch.tensor([3, 1, 3]), return_counts=True)
    (tensor([1, 3]), tensor([1, 2]))

    Reference: https://pytorch.org/docs/stable/generated/torch.unique.html
    """
    if dim is None:
        found = _C._unique2(input, sorted, return_inverse, return_counts)
    else:
        found = _C.unique_dim(input, dim, sorted, return_inverse, return_counts)
    return _chosen(input, *found, return_inverse, return_counts)


@composite(
    "unique_consecutive(Tensor self, bool return_inverse=False, bool return_counts=False, int? dim=None) -> Tensor"
)
def unique_consecutive(
    input: Any, return_inverse: bool = False, return_counts: bool = False, dim: int | None = None
) -> Any:
    """The elements that differ from the one before, so each run of equal elements once.

    Args:
        return_inverse: also give the place of each element of input in the result.
        return_counts: also give the length of each run.
        dim: compare the slices along this axis instead of single elements.

    >>> torch.unique_consecutive(torch.tensor([1, 1, 2, 1]))
    tensor([1, 2, 1])

    Reference: https://pytorch.org/docs/stable/generated/torch.unique_consecutive.html
    """
    found = _C._unique_consecutive(input, return_inverse, return_counts, dim)
    return _chosen(input, *found, return_inverse, return_counts)
