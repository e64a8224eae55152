"""Pooling: functions of torch.nn.functional."""

from __future__ import annotations

from typing import Any

from rushlight import _C

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
    "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d", "adaptive_max_pool2d_with_indices",
    "adaptive_max_pool3d", "adaptive_max_pool3d_with_indices", "avg_pool1d", "avg_pool2d", "avg_pool3d",
    "fractional_max_pool2d", "fractional_max_pool2d_with_indices", "fractional_max_pool3d",
    "fractional_max_pool3d_with_indices", "lp_pool1d", "lp_pool2d", "lp_pool3d", "max_pool1d",
    "max_pool1d_with_indices", "max_pool2d", "max_pool2d_with_indices", "max_pool3d", "max_pool3d_with_indices",
    "max_unpool1d", "max_unpool2d", "max_unpool3d",
]  # fmt: skip

avg_pool1d = _C.avg_pool1d
avg_pool2d = _C.avg_pool2d
avg_pool3d = _C.avg_pool3d
adaptive_avg_pool1d = _C.adaptive_avg_pool1d


# ---- windows of a fixed size


def max_pool1d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest element of each window of the last dimension of (N, C, L) or (C, L).

    >>> torch.nn.functional.max_pool1d(torch.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    op = _C.max_pool1d_with_indices if return_indices else _C.max_pool1d
    return op(input, kernel_size, () if stride is None else stride, padding, dilation, ceil_mode)


def max_pool2d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest element of each window of the last two dimensions of (N, C, H, W) or (C, H, W).

    >>> torch.nn.functional.max_pool2d(torch.arange(16.0).reshape(1, 4, 4), 2)
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """
    op = _C.max_pool2d_with_indices if return_indices else _C.max_pool2d
    return op(input, kernel_size, () if stride is None else stride, padding, dilation, ceil_mode)


def max_pool3d(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """The largest element of each window of the last three dimensions of (N, C, D, H, W) or (C, D, H, W).

    >>> F.max_pool3d(torch.ones(1, 1, 4, 4, 4), 2).shape
    torch.Size([1, 1, 2, 2, 2])
    """
    op = _C.max_pool3d_with_indices if return_indices else _C.max_pool3d
    return op(input, kernel_size, () if stride is None else stride, padding, dilation, ceil_mode)


def max_pool1d_with_indices(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """max_pool1d, and where in its row each largest element lies.

    >>> F.max_pool1d_with_indices(torch.tensor([[1., 5., 2., 3.]]), 2)
    (tensor([[5., 3.]]), tensor([[1, 3]]))
    """
    return _C.max_pool1d_with_indices(
        input, kernel_size, () if stride is None else stride, padding, dilation, ceil_mode
    )


def max_pool2d_with_indices(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """max_pool2d, and where in its plane each largest element lies: row * W + column.

    >>> F.max_pool2d_with_indices(torch.tensor([[[1., 5.], [2., 3.]]]), 2)
    (tensor([[[5.]]]), tensor([[[1]]]))
    """
    return _C.max_pool2d_with_indices(
        input, kernel_size, () if stride is None else stride, padding, dilation, ceil_mode
    )


def max_pool3d_with_indices(
    input: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:  # fmt: skip
    """max_pool3d, and where in its volume each largest element lies.

    >>> F.max_pool3d_with_indices(torch.arange(8.).view(1, 2, 2, 2), 2)[1].item()
    7
    """
    return _C.max_pool3d_with_indices(
        input, kernel_size, () if stride is None else stride, padding, dilation, ceil_mode
    )


def _lp_pool(mean_pool: Any, size: int, input: Any, norm_type: float, kernel_size: Any, stride: Any, ceil: bool) -> Any:
    # The sum of a window is its mean times the number of elements it should have.
    mean = mean_pool(input**norm_type, kernel_size, () if stride is None else stride, 0, ceil)
    return (mean * size) ** (1.0 / norm_type)


def _volume(kernel_size: Any, dims: int) -> int:
    if isinstance(kernel_size, int):
        return int(kernel_size**dims)
    volume = 1
    for k in kernel_size:
        volume *= k
    return volume if len(kernel_size) == dims else int(volume**dims)


def lp_pool1d(input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """The norm_type-norm of each window: (sum of x ** p) ** (1 / p).

    >>> F.lp_pool1d(torch.tensor([[[3., 4., 6., 8.]]]), 2, 2)
    tensor([[[ 5., 10.]]])
    """
    return _lp_pool(_C.avg_pool1d, _volume(kernel_size, 1), input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """The norm_type-norm of each window: (sum of x ** p) ** (1 / p).

    >>> F.lp_pool2d(torch.ones(1, 1, 4, 4), 1, 2)
    tensor([[[[4., 4.],
              [4., 4.]]]])
    """
    return _lp_pool(_C.avg_pool2d, _volume(kernel_size, 2), input, norm_type, kernel_size, stride, ceil_mode)


def lp_pool3d(input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """The norm_type-norm of each window: (sum of x ** p) ** (1 / p).

    >>> F.lp_pool3d(torch.ones(1, 1, 4, 4, 4), 2, 2).shape
    torch.Size([1, 1, 2, 2, 2])
    """
    return _lp_pool(_C.avg_pool3d, _volume(kernel_size, 3), input, norm_type, kernel_size, stride, ceil_mode)


# ---- a given number of windows


def _sizes(output_size: Any, input: Any) -> Any:
    """output_size with the input's own size where it says None."""
    if isinstance(output_size, int):
        return output_size
    if output_size is None:
        output_size = (None,)
    if input.dim() <= len(output_size):
        raise ValueError(f"Input dimension should be at least {len(output_size) + 1}")
    own = input.shape[-len(output_size) :]
    return [n if v is None else v for v, n in zip(output_size, own)]


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """The means of output_size windows that cover the last two dimensions evenly; None keeps a dimension's size.

    >>> F.adaptive_avg_pool2d(torch.ones(1, 8, 5, 7), (None, 1)).shape
    torch.Size([1, 8, 5, 1])
    """
    return _C.adaptive_avg_pool2d(input, _sizes(output_size, input))


def adaptive_avg_pool3d(input: Any, output_size: Any) -> Any:
    """The means of output_size windows that cover the last three dimensions evenly.

    >>> F.adaptive_avg_pool3d(torch.ones(1, 8, 4, 5, 7), (2, 2, 2)).shape
    torch.Size([1, 8, 2, 2, 2])
    """
    return _C.adaptive_avg_pool3d(input, _sizes(output_size, input))


def adaptive_max_pool1d_with_indices(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """adaptive_max_pool1d, and where the largest elements lie.

    >>> F.adaptive_max_pool1d_with_indices(torch.tensor([[1., 2., 4., 3.]]), 2)
    (tensor([[2., 4.]]), tensor([[1, 2]]))
    """
    return _C.adaptive_max_pool1d(input, output_size)


def adaptive_max_pool2d_with_indices(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """adaptive_max_pool2d, and where in its plane each largest element lies.

    >>> F.adaptive_max_pool2d_with_indices(torch.arange(16.).view(1, 4, 4), 1)
    (tensor([[[15.]]]), tensor([[[15]]]))
    """
    return _C.adaptive_max_pool2d(input, _sizes(output_size, input))


def adaptive_max_pool3d_with_indices(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """adaptive_max_pool3d, and where in its volume each largest element lies.

    >>> F.adaptive_max_pool3d_with_indices(torch.arange(8.).view(1, 2, 2, 2), 1)[1].item()
    7
    """
    return _C.adaptive_max_pool3d(input, _sizes(output_size, input))


def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of output_size windows that cover the last dimension evenly.

    >>> F.adaptive_max_pool1d(torch.tensor([[1., 2., 4., 3.]]), 2)
    tensor([[2., 4.]])
    """
    both = adaptive_max_pool1d_with_indices(input, output_size)
    return both if return_indices else both[0]


def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of output_size windows that cover the last two dimensions evenly.

    >>> F.adaptive_max_pool2d(torch.arange(16.).view(1, 4, 4), 2)
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """
    both = adaptive_max_pool2d_with_indices(input, output_size)
    return both if return_indices else both[0]


def adaptive_max_pool3d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of output_size windows that cover the last three dimensions evenly.

    >>> F.adaptive_max_pool3d(torch.ones(1, 8, 4, 5, 7), 2).shape
    torch.Size([1, 8, 2, 2, 2])
    """
    both = adaptive_max_pool3d_with_indices(input, output_size)
    return both if return_indices else both[0]


# ---- windows placed by chance


def _fractional(
    dims: int, input: Any, kernel_size: Any, output_size: Any, output_ratio: Any, return_indices: bool, samples: Any
) -> Any:
    name = f"fractional_max_pool{dims}d"
    if output_size is None and output_ratio is None:
        raise ValueError(f"{name} requires specifying either an output_size or an output_ratio")
    if output_size is None:
        if dims > input.dim():
            raise ValueError(f"{name}: expected an input of {dims + 1} or {dims + 2} dimensions, got {input.dim()}")
        ratios = (output_ratio,) * dims if isinstance(output_ratio, (int, float)) else tuple(output_ratio)
        output_size = [int(n * r) for n, r in zip(input.shape[-dims:], ratios)]
    if samples is None:
        batch = 1 if input.dim() == dims + 1 else input.shape[0]
        samples = _C.rand(batch, input.shape[-dims - 1], dims, dtype=input.dtype, device=input.device)
    both = getattr(_C, name)(input, kernel_size, output_size, samples)
    return both if return_indices else both[0]


def fractional_max_pool2d_with_indices(
    input: Any, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:  # fmt: skip
    """fractional_max_pool2d, and where in its plane each largest element lies."""
    return _fractional(2, input, kernel_size, output_size, output_ratio, True, _random_samples)


def fractional_max_pool2d(
    input: Any, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:  # fmt: skip
    """The largest elements of output_size windows whose places are drawn at random (Graham 2014).

    >>> F.fractional_max_pool2d(torch.zeros(1, 3, 9, 9), 2, output_size=(5, 6)).shape
    torch.Size([1, 3, 5, 6])
    """
    return _fractional(2, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


def fractional_max_pool3d_with_indices(
    input: Any, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:  # fmt: skip
    """fractional_max_pool3d, and where in its volume each largest element lies."""
    return _fractional(3, input, kernel_size, output_size, output_ratio, True, _random_samples)


def fractional_max_pool3d(
    input: Any, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
    _random_samples: Any = None,
) -> Any:  # fmt: skip
    """The largest elements of output_size windows whose places are drawn at random (Graham 2014).

    >>> F.fractional_max_pool3d(torch.zeros(1, 3, 8, 8, 8), 2, output_ratio=0.5).shape
    torch.Size([1, 3, 4, 4, 4])
    """
    return _fractional(3, input, kernel_size, output_size, output_ratio, return_indices, _random_samples)


# ---- back to where the largest elements were


def _each(value: Any, dims: int) -> tuple[int, ...]:
    return (value,) * dims if isinstance(value, int) else tuple(value)


def _unpooled_size(input: Any, dims: int, kernel: Any, stride: Any, padding: Any, output_size: Any) -> list[int]:
    """The size that pooling had before, or output_size where it is a size that pools to the input's."""
    usual = [
        (n - 1) * s + k - 2 * p for n, k, s, p in zip(input.shape[-dims:], kernel, stride, padding)
    ]  # fmt: skip
    if output_size is None:
        return usual
    if len(output_size) == dims + 2:
        output_size = output_size[2:]
    if len(output_size) != dims:
        raise ValueError(
            f"output_size should be a sequence containing {dims} or {dims + 2} elements, but it has a length of "
            f"'{len(output_size)}'"
        )
    low, high = [n - s for n, s in zip(usual, stride)], [n + s for n, s in zip(usual, stride)]
    if not all(a < n < b for a, n, b in zip(low, output_size, high)):
        raise ValueError(
            f'invalid output_size "{list(output_size)}" (dim must be between {low} and {high}, both excluded)'
        )
    return list(output_size)


def _max_unpool(
    dims: int, input: Any, indices: Any, kernel_size: Any, stride: Any, padding: Any, output_size: Any
) -> Any:
    kernel = _each(kernel_size, dims)
    step = kernel if stride is None else _each(stride, dims)
    before = _each(padding, dims)
    size = _unpooled_size(input, dims, kernel, step, before, output_size)
    if dims == 3:
        return _C.max_unpool3d(input, indices, size, step, before)
    if dims == 2:
        return _C.max_unpool2d(input, indices, size)
    return _C.max_unpool2d(input.unsqueeze(-1), indices.unsqueeze(-1), [*size, 1]).squeeze(-1)


def max_unpool1d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """Zeros with the input's elements where max_pool1d found them (its indices).

    >>> top, where = torch.nn.functional.max_pool1d(torch.tensor([[1.0, 3.0, 2.0, 0.0]]), 2, return_indices=True)
    >>> torch.nn.functional.max_unpool1d(top, where, 2)
    tensor([[0., 3., 2., 0.]])
    """
    return _max_unpool(1, input, indices, kernel_size, stride, padding, output_size)


def max_unpool2d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """Zeros with the input's elements where max_pool2d found them (its indices).

    >>> y, indices = F.max_pool2d(torch.tensor([[[1., 5.], [2., 3.]]]), 2, return_indices=True)
    >>> F.max_unpool2d(y, indices, 2)
    tensor([[[0., 5.],
             [0., 0.]]])
    """
    return _max_unpool(2, input, indices, kernel_size, stride, padding, output_size)


def max_unpool3d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """Zeros with the input's elements where max_pool3d found them (its indices).

    >>> y, indices = F.max_pool3d(torch.zeros(1, 1, 4, 4, 4), 2, return_indices=True)
    >>> F.max_unpool3d(y, indices, 2).shape
    torch.Size([1, 1, 4, 4, 4])
    """
    return _max_unpool(3, input, indices, kernel_size, stride, padding, output_size)
