"""`make_tensor`: random tensors for tests."""

from __future__ import annotations

from typing import Any

from rushlight import _C

__all__ = ["make_tensor"]


def make_tensor(
    *shape: Any,
    dtype: Any,
    device: Any = "cpu",
    low: float | None = None,
    high: float | None = None,
    requires_grad: bool = False,
    noncontiguous: bool = False,
    exclude_zero: bool = False,
    memory_format: Any = None,
) -> Any:
    """A tensor with uniform random values in [low, high).

    Args:
        shape: the sizes.
        dtype: any. Default limits: -9 and 9 for floats and signed integers, 0 and 9 for uint8, 0 and 2 for bool.
        requires_grad: for floats and complex numbers.
        noncontiguous: lay it out with gaps.
        exclude_zero: replace zeros by the smallest number (integers: 1).

    >>> x = torch.testing.make_tensor(3, dtype=torch.int64, device="cpu", low=0, high=5)
    >>> x.shape, bool(((x >= 0) & (x < 5)).all())
    (torch.Size([3]), True)
    """
    size = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape
    if dtype is _C.bool:
        low, high = 0 if low is None else low, 2 if high is None else high
    elif dtype is _C.uint8:
        low, high = 0 if low is None else low, 10 if high is None else high
    else:
        step = 0 if dtype.is_floating_point or dtype.is_complex else 1
        low, high = -9 if low is None else low, 9 + step if high is None else high
    if low >= high:
        raise ValueError(f"`low` must be less than `high`, but got {low} >= {high}")
    drawn = (*size[:-1], 2 * size[-1]) if noncontiguous and size else size
    if dtype.is_complex:
        real = dtype.to_real()
        parts = _C.empty((*drawn, 2), dtype=real).uniform_(low, high)
        made = _C.view_as_complex(parts)
    elif dtype.is_floating_point:
        made = _C.empty(drawn, dtype=_C.float32 if dtype.itemsize == 2 else dtype).uniform_(low, high).to(dtype)
    else:
        made = _C.randint(int(low), int(high), drawn, dtype=_C.int64).to(dtype)
    if noncontiguous and size:
        made = made[..., ::2]
    if exclude_zero:
        made[made == 0] = 1 if not (dtype.is_floating_point or dtype.is_complex) else 1e-4
    if memory_format is not None:
        made = made.contiguous(memory_format=memory_format)
    return made.detach().requires_grad_(requires_grad) if requires_grad else made
