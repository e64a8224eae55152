"""Pooling layers.

Input (n, channels, ...) or without n, with 1, 2 or 3 axes after the channels: another number is a RuntimeError, and
so are windows larger than the input.
"""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight.nn import functional as F
from rushlight.nn.modules.module import Module

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d", "AvgPool1d", "AvgPool2d", "AvgPool3d", "FractionalMaxPool2d", "FractionalMaxPool3d",
    "LPPool1d", "LPPool2d", "LPPool3d", "MaxPool1d", "MaxPool2d", "MaxPool3d", "MaxUnpool1d", "MaxUnpool2d",
    "MaxUnpool3d",
]  # fmt: skip


def _each(value: Any, dims: int) -> tuple[int, ...]:
    return (value,) * dims if isinstance(value, int) else tuple(value)


# ---- the largest element


class _MaxPoolNd(Module):
    __constants__ = ["kernel_size", "stride", "padding", "dilation", "return_indices", "ceil_mode"]
    return_indices: bool
    ceil_mode: bool

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPoolNd):
    """The largest element of each window of the last dimension.

    Args:
        kernel_size: the window's size.
        stride: how far apart windows begin; kernel_size by default.
        padding: how far before the input the first window begins.
        dilation: how far apart the elements of a window are.
        return_indices: whether to return where the largest elements lie, too (for `MaxUnpool1d`).
        ceil_mode: whether the last window may reach beyond the end.

    >>> torch.nn.MaxPool1d(2)(torch.tensor([[1., 5., 2., 3.]]))
    tensor([[5., 3.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.MaxPool1d.html
    """

    def forward(self, input: Any) -> Any:
        """(N, C, L) or (C, L) to the same with L = (L + 2 * padding - dilation * (kernel_size - 1) - 1) / stride + 1."""
        return F.max_pool1d(
            input, self.kernel_size, self.stride, self.padding, self.dilation, ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )  # fmt: skip


class MaxPool2d(_MaxPoolNd):
    """The largest element of each window of the last two dimensions.

    >>> torch.nn.MaxPool2d(2)(torch.zeros(8, 3, 28, 28)).shape
    torch.Size([8, 3, 14, 14])

    Args: as `MaxPool1d`'s, each for both dimensions or a pair.

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.MaxPool2d.html
    """

    def forward(self, input: Any) -> Any:
        """(N, C, H, W) or (C, H, W) to the same with smaller H and W."""
        return F.max_pool2d(
            input, self.kernel_size, self.stride, self.padding, self.dilation, ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )  # fmt: skip


class MaxPool3d(_MaxPoolNd):
    """The largest element of each window of the last three dimensions.

    Args: as `MaxPool1d`'s, each for all dimensions or a triple.

    >>> torch.nn.MaxPool3d(2)(torch.zeros(1, 1, 4, 4, 4)).shape
    torch.Size([1, 1, 2, 2, 2])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.MaxPool3d.html
    """

    def forward(self, input: Any) -> Any:
        """(N, C, D, H, W) or (C, D, H, W) to the same with smaller D, H and W."""
        return F.max_pool3d(
            input, self.kernel_size, self.stride, self.padding, self.dilation, ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )  # fmt: skip


# ---- and back


class _MaxUnpoolNd(Module):
    _dims = 0

    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()
        self.kernel_size = _each(kernel_size, self._dims)
        self.stride = _each(stride if stride is not None else kernel_size, self._dims)
        self.padding = _each(padding, self._dims)

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpoolNd):
    """Zeros, and what `MaxPool1d` found where it found it.

    Args: as the `MaxPool1d`'s.

    >>> y, indices = torch.nn.MaxPool1d(2, return_indices=True)(torch.tensor([[1., 5., 2., 3.]]))
    >>> torch.nn.MaxUnpool1d(2)(y, indices)
    tensor([[0., 5., 0., 3.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.MaxUnpool1d.html
    """

    _dims = 1

    def forward(self, input: Any, indices: Any, output_size: Any = None) -> Any:
        """(N, C, L) or (C, L) to the size before pooling; output_size chooses where several pool to L."""
        return F.max_unpool1d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool2d(_MaxUnpoolNd):
    """Zeros, and what `MaxPool2d` found where it found it.

    Args: as the `MaxPool2d`'s.

    >>> y, indices = torch.nn.MaxPool2d(2, return_indices=True)(torch.tensor([[[1., 5.], [2., 3.]]]))
    >>> torch.nn.MaxUnpool2d(2)(y, indices)
    tensor([[[0., 5.],
             [0., 0.]]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.MaxUnpool2d.html
    """

    _dims = 2

    def forward(self, input: Any, indices: Any, output_size: Any = None) -> Any:
        """(N, C, H, W) or (C, H, W) to the size before pooling."""
        return F.max_unpool2d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool3d(_MaxUnpoolNd):
    """Zeros, and what `MaxPool3d` found where it found it.

    Args: as the `MaxPool3d`'s.

    >>> y, indices = torch.nn.MaxPool3d(2, return_indices=True)(torch.zeros(1, 1, 4, 4, 4))
    >>> torch.nn.MaxUnpool3d(2)(y, indices).shape
    torch.Size([1, 1, 4, 4, 4])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.MaxUnpool3d.html
    """

    _dims = 3

    def forward(self, input: Any, indices: Any, output_size: Any = None) -> Any:
        """(N, C, D, H, W) or (C, D, H, W) to the size before pooling."""
        return F.max_unpool3d(input, indices, self.kernel_size, self.stride, self.padding, output_size)


# ---- the mean


class _AvgPoolNd(Module):
    __constants__ = ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad"]
    kernel_size: Any
    stride: Any
    padding: Any

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPoolNd):
    """The mean of each window of the last dimension.

    Args:
        kernel_size: the window's size.
        stride: how far apart windows begin; kernel_size by default.
        padding: how many zeros stand before and after the input.
        ceil_mode: whether the last window may reach beyond the end.
        count_include_pad: whether those zeros count.

    >>> torch.nn.AvgPool1d(2)(torch.tensor([[1., 3., 5., 7.]]))
    tensor([[2., 6.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.AvgPool1d.html
    """

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size = _each(kernel_size, 1)
        self.stride = _each(stride if stride is not None else kernel_size, 1)
        self.padding = _each(padding, 1)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Any) -> Any:
        """(N, C, L) or (C, L) to the same with a smaller L."""
        return _C.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad)


class AvgPool2d(_AvgPoolNd):
    """The mean of each window of the last two dimensions.

    Args: as `AvgPool1d`'s, and
        divisor_override: what sums are divided by, instead of the number of elements.

    >>> torch.nn.AvgPool2d(2)(torch.arange(16.).view(1, 4, 4))
    tensor([[[ 2.5000,  4.5000],
             [10.5000, 12.5000]]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.AvgPool2d.html
    """

    __constants__ = ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"]

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Any) -> Any:
        """(N, C, H, W) or (C, H, W) to the same with smaller H and W."""
        return _C.avg_pool2d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
            self.divisor_override,
        )  # fmt: skip


class AvgPool3d(_AvgPoolNd):
    """The mean of each window of the last three dimensions.

    Args: as `AvgPool2d`'s.

    >>> torch.nn.AvgPool3d(2)(torch.zeros(1, 1, 4, 4, 4)).shape
    torch.Size([1, 1, 2, 2, 2])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.AvgPool3d.html
    """

    __constants__ = ["kernel_size", "stride", "padding", "ceil_mode", "count_include_pad", "divisor_override"]

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("padding", 0)
        self.__dict__.setdefault("ceil_mode", False)
        self.__dict__.setdefault("count_include_pad", True)

    def forward(self, input: Any) -> Any:
        """(N, C, D, H, W) or (C, D, H, W) to the same with smaller D, H and W."""
        return _C.avg_pool3d(
            input, self.kernel_size, self.stride, self.padding, self.ceil_mode, self.count_include_pad,
            self.divisor_override,
        )  # fmt: skip


# ---- windows placed by chance


class _FractionalMaxPoolNd(Module):
    __constants__ = ["kernel_size", "return_indices", "output_size", "output_ratio"]
    _dims = 0
    _random_samples: Any

    def __init__(
        self, kernel_size: Any, output_size: Any = None, output_ratio: Any = None, return_indices: bool = False,
        _random_samples: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if not all(k > 0 for k in _each(kernel_size, self._dims)):
            raise ValueError(f"kernel_size must greater than zero for all dimensions, but got {kernel_size}")
        self.kernel_size = _each(kernel_size, self._dims)
        self.return_indices = return_indices
        self.register_buffer("_random_samples", _random_samples)
        self.output_size = _each(output_size, self._dims) if output_size is not None else None
        self.output_ratio = (output_ratio,) * self._dims if isinstance(output_ratio, (int, float)) else output_ratio
        if output_size is None and output_ratio is None:
            raise ValueError(
                f"FractionalMaxPool{self._dims}d requires specifying either an output size, or a pooling ratio"
            )
        if output_size is not None and output_ratio is not None:
            raise ValueError("only one of output_size and output_ratio may be specified")
        if self.output_ratio is not None and not all(0 < r < 1 for r in self.output_ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")


class FractionalMaxPool2d(_FractionalMaxPoolNd):
    """The largest elements of windows whose places are drawn at random (Graham 2014, https://arxiv.org/abs/1412.6071).

    Args:
        kernel_size: the window's size.
        output_size: how many windows there are along each dimension,
        output_ratio: or that as a fraction of the input's size.
        return_indices: whether to return where the largest elements lie, too.

    >>> torch.nn.FractionalMaxPool2d(2, output_size=(5, 6))(torch.zeros(1, 3, 9, 9)).shape
    torch.Size([1, 3, 5, 6])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.FractionalMaxPool2d.html
    """

    _dims = 2

    def forward(self, input: Any) -> Any:
        """(N, C, H, W) or (C, H, W) to the same with output_size."""
        return F.fractional_max_pool2d(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices,
            _random_samples=self._random_samples,
        )  # fmt: skip


class FractionalMaxPool3d(_FractionalMaxPoolNd):
    """The largest elements of windows whose places are drawn at random (Graham 2014, https://arxiv.org/abs/1412.6071).

    Args: as `FractionalMaxPool2d`'s.

    >>> torch.nn.FractionalMaxPool3d(2, output_ratio=0.5)(torch.zeros(1, 3, 8, 8, 8)).shape
    torch.Size([1, 3, 4, 4, 4])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.FractionalMaxPool3d.html
    """

    _dims = 3

    def forward(self, input: Any) -> Any:
        """(N, C, D, H, W) or (C, D, H, W) to the same with output_size."""
        return F.fractional_max_pool3d(
            input, self.kernel_size, self.output_size, self.output_ratio, self.return_indices,
            _random_samples=self._random_samples,
        )  # fmt: skip


# ---- the norm


class _LPPoolNd(Module):
    __constants__ = ["norm_type", "kernel_size", "stride", "ceil_mode"]

    def __init__(self, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}, "
            f"ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPoolNd):
    """The norm of each window of the last dimension: (sum of x ** p) ** (1 / p).

    Args:
        norm_type: p; 1 gives sums, large ones approach the maximum.
        kernel_size: the window's size.
        stride: how far apart windows begin; kernel_size by default.
        ceil_mode: whether the last window may reach beyond the end.

    >>> torch.nn.LPPool1d(2, 2)(torch.tensor([[[3., 4., 6., 8.]]]))
    tensor([[[ 5., 10.]]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.LPPool1d.html
    """

    def forward(self, input: Any) -> Any:
        """(N, C, L) or (C, L) to the same with a smaller L."""
        return F.lp_pool1d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool2d(_LPPoolNd):
    """The norm of each window of the last two dimensions.

    Args: as `LPPool1d`'s.

    >>> torch.nn.LPPool2d(1, 2)(torch.ones(1, 1, 4, 4))
    tensor([[[[4., 4.],
              [4., 4.]]]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.LPPool2d.html
    """

    def forward(self, input: Any) -> Any:
        """(N, C, H, W) or (C, H, W) to the same with smaller H and W."""
        return F.lp_pool2d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


class LPPool3d(_LPPoolNd):
    """The norm of each window of the last three dimensions.

    Args: as `LPPool1d`'s.

    >>> torch.nn.LPPool3d(2, 2)(torch.ones(1, 1, 4, 4, 4)).shape
    torch.Size([1, 1, 2, 2, 2])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.LPPool3d.html
    """

    def forward(self, input: Any) -> Any:
        """(N, C, D, H, W) or (C, D, H, W) to the same with smaller D, H and W."""
        return F.lp_pool3d(input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode)


# ---- a given number of windows


class _AdaptiveAvgPoolNd(Module):
    __constants__ = ["output_size"]

    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """The means of output_size windows that cover the last dimension evenly.

    >>> torch.nn.AdaptiveAvgPool1d(2)(torch.tensor([[1., 2., 3., 4.]]))
    tensor([[1.5000, 3.5000]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool1d.html
    """

    def forward(self, input: Any) -> Any:
        """(N, C, L) or (C, L) to (N, C, output_size) or (C, output_size)."""
        return _C.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """The means of output_size windows that cover the last two dimensions evenly, whatever the input's size.

    >>> torch.nn.AdaptiveAvgPool2d((1, None))(torch.zeros(8, 3, 28, 20)).shape
    torch.Size([8, 3, 1, 20])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool2d.html
    """

    def forward(self, input: Any) -> Any:
        """(N, C, H, W) or (C, H, W) to the same with output_size."""
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """The means of output_size windows that cover the last three dimensions evenly.

    >>> torch.nn.AdaptiveAvgPool3d((None, 2, 2))(torch.zeros(1, 8, 4, 5, 7)).shape
    torch.Size([1, 8, 4, 2, 2])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveAvgPool3d.html
    """

    def forward(self, input: Any) -> Any:
        """(N, C, D, H, W) or (C, D, H, W) to the same with output_size."""
        return F.adaptive_avg_pool3d(input, self.output_size)


class _AdaptiveMaxPoolNd(Module):
    __constants__ = ["output_size", "return_indices"]

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """The largest elements of output_size windows that cover the last dimension evenly.

    >>> torch.nn.AdaptiveMaxPool1d(2)(torch.tensor([[1., 2., 4., 3.]]))
    tensor([[2., 4.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool1d.html
    """

    def forward(self, input: Any) -> Any:
        """(N, C, L) or (C, L) to (N, C, output_size) or (C, output_size)."""
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """The largest elements of output_size windows that cover the last two dimensions evenly.

    >>> torch.nn.AdaptiveMaxPool2d(2)(torch.arange(16.).view(1, 4, 4))
    tensor([[[ 5.,  7.],
             [13., 15.]]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool2d.html
    """

    def forward(self, input: Any) -> Any:
        """(N, C, H, W) or (C, H, W) to the same with output_size."""
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """The largest elements of output_size windows that cover the last three dimensions evenly.

    >>> torch.nn.AdaptiveMaxPool3d(2)(torch.zeros(1, 8, 4, 5, 7)).shape
    torch.Size([1, 8, 2, 2, 2])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.AdaptiveMaxPool3d.html
    """

    def forward(self, input: Any) -> Any:
        """(N, C, D, H, W) or (C, D, H, W) to the same with output_size."""
        return F.adaptive_max_pool3d(input, self.output_size, self.return_indices)
