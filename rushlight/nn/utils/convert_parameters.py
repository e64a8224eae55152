"""Parameters as one vector, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rushlight import _C

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Any]) -> Any:
    """All parameters flattened and joined.

    >>> torch.nn.utils.parameters_to_vector(torch.nn.Linear(2, 3).parameters()).shape
    torch.Size([9])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.utils.parameters_to_vector.html
    """
    return _C.cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Any, parameters: Iterable[Any]) -> None:
    """Make slices of `vec` the data of the parameters.

    Raises:
        TypeError: `vec` is no tensor.

    >>> m = torch.nn.Linear(2, 1)
    >>> torch.nn.utils.vector_to_parameters(torch.tensor([1., 2., 3.]), m.parameters())
    >>> m.weight.tolist(), m.bias.tolist()
    ([[1.0, 2.0]], [3.0])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.utils.vector_to_parameters.html
    """
    if not isinstance(vec, _C.Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {type(vec).__name__}")
    start = 0
    for p in parameters:
        count = p.numel()
        p.data = vec[start : start + count].view_as(p).data
        start += count
