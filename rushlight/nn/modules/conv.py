"""Convolutions and transposed convolutions."""

from __future__ import annotations

import math
from typing import Any

from rushlight import _C
from rushlight.nn import functional as F
from rushlight.nn import init
from rushlight.nn.modules.module import Module
from rushlight.nn.parameter import Parameter

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

_PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


def _each(value: Any, axes: int) -> tuple[int, ...]:
    """One number stands for all axes."""
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * axes


class _ConvNd(Module):
    """What all convolutions share: the arguments, the parameters and how they print."""

    __constants__ = [
        "stride", "padding", "dilation", "groups", "padding_mode", "output_padding", "in_channels", "out_channels",
        "kernel_size",
    ]  # fmt: skip
    _axes = 0

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
        transposed: bool, output_padding: Any, groups: int, bias: bool, padding_mode: str, device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        if groups <= 0:
            raise ValueError("groups must be a positive integer")
        if in_channels % groups:
            raise ValueError("in_channels must be divisible by groups")
        if out_channels % groups:
            raise ValueError("out_channels must be divisible by groups")
        if isinstance(padding, str):
            if padding not in ("same", "valid"):
                raise ValueError(f"Invalid padding string {padding!r}, should be one of {{'valid', 'same'}}")
            if padding == "same" and any(s != 1 for s in stride):
                raise ValueError("padding='same' is not supported for strided convolutions")
        if padding_mode not in _PADDING_MODES:
            raise ValueError(
                f"padding_mode must be one of {set(_PADDING_MODES)}, but got padding_mode={padding_mode!r}"
            )
        self.in_channels = in_channels
        self.out_channels = out_channels
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.transposed = transposed
        self.output_padding = output_padding
        self.groups = groups
        self.padding_mode = padding_mode
        # For F.pad: before and after, the last axis first.
        self._reversed_padding_repeated_twice: Any
        if isinstance(padding, str):
            amounts: list[int] = []
            for d, k in zip(reversed(dilation), reversed(kernel_size), strict=False):
                total = d * (k - 1) if padding == "same" else 0
                amounts += [total // 2, total - total // 2]
            self._reversed_padding_repeated_twice = amounts
        else:
            self._reversed_padding_repeated_twice = tuple(p for p in reversed(padding) for _ in range(2))
        channels = (in_channels, out_channels // groups) if transposed else (out_channels, in_channels // groups)
        self.weight = Parameter(_C.empty((*channels, *kernel_size), device=device, dtype=dtype))
        if bias:
            self.bias = Parameter(_C.empty(out_channels, device=device, dtype=dtype))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw weight and bias from U(-k, k) with k = 1/sqrt(the number of inputs of one output)."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in, _ = init._calculate_fan_in_and_fan_out(self.weight)
            if fan_in:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    def extra_repr(self) -> str:
        parts = [
            f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, stride={self.stride}"
        ]  # fmt: skip
        none = (0,) * len(self.kernel_size)
        if self.padding != none:
            parts.append(f"padding={self.padding}")
        if self.dilation != (1,) * len(self.kernel_size):
            parts.append(f"dilation={self.dilation}")
        if self.output_padding != none:
            parts.append(f"output_padding={self.output_padding}")
        if self.groups != 1:
            parts.append(f"groups={self.groups}")
        if self.bias is None:
            parts.append("bias=False")
        if self.padding_mode != "zeros":
            parts.append(f"padding_mode={self.padding_mode}")
        return ", ".join(parts)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("padding_mode", "zeros")


class _Conv(_ConvNd):
    _op: Any

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
        dilation: Any = 1, groups: int = 1, bias: bool = True, padding_mode: str = "zeros", device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        n = self._axes
        super().__init__(
            in_channels, out_channels, _each(kernel_size, n), _each(stride, n),
            padding if isinstance(padding, str) else _each(padding, n), _each(dilation, n), False, (0,) * n, groups,
            bias, padding_mode, device, dtype,
        )  # fmt: skip

    def _conv_forward(self, input: Any, weight: Any, bias: Any) -> Any:
        if self.padding_mode == "zeros":
            return self._op(input, weight, bias, self.stride, self.padding, self.dilation, self.groups)
        padded = F.pad(input, self._reversed_padding_repeated_twice, mode=self.padding_mode)
        return self._op(padded, weight, bias, self.stride, (0,) * self._axes, self.dilation, self.groups)

    def forward(self, input: Any) -> Any:
        """The filters applied at every place."""
        return self._conv_forward(input, self.weight, self.bias)


class Conv1d(_Conv):
    """Filters that slide over a sequence: each output is a sum over a window of all input channels, plus a bias.

    Args:
        in_channels, out_channels: channels of the input and of the output (the number of filters).
        kernel_size: length of a filter.
        stride: by how much it moves.
        padding: zeros put at both ends; "same" for an output of the input's length, "valid" for none.
        dilation: distance between the elements of the input that neighbouring weights see.
        groups: the channels fall into so many groups that do not see each other.
        bias: whether to add one.
        padding_mode: "zeros", "reflect", "replicate" or "circular".
        device, dtype: of the parameters.

    Shapes: input (n, in_channels, length) or (in_channels, length); output (n, out_channels, length') with
    length' = floor((length + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1;
    weight (out_channels, in_channels / groups, kernel_size).

    >>> torch.nn.Conv1d(16, 33, 3, stride=2)(torch.randn(20, 16, 50)).shape
    torch.Size([20, 33, 24])

    Raises:
        ValueError: channels that groups does not divide, an unknown padding or padding_mode.
        RuntimeError: an input with other channels, or shorter than the kernel.

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Conv1d.html
    """

    _axes = 1
    _op = staticmethod(_C.conv1d)


class Conv2d(_Conv):
    """Filters that slide over images (LeCun et al., Gradient-based learning applied to document recognition, 1998).

    Args:
        in_channels, out_channels: channels of the input and of the output (the number of filters).
        kernel_size, stride, padding, dilation: a number, or (height, width). padding may be "same" or "valid".
        groups: the channels fall into so many groups that do not see each other; in_channels makes it depthwise.
        bias: whether to add one.
        padding_mode: "zeros", "reflect", "replicate" or "circular".
        device, dtype: of the parameters.

    Shapes: input (n, in_channels, height, width) or without n; output (n, out_channels, height', width'), each
    size' = floor((size + 2 * padding - dilation * (kernel_size - 1) - 1) / stride) + 1;
    weight (out_channels, in_channels / groups, height, width of the kernel).

    >>> torch.nn.Conv2d(3, 8, 3, padding=1)(torch.randn(2, 3, 32, 32)).shape
    torch.Size([2, 8, 32, 32])

    Raises:
        ValueError: channels that groups does not divide, an unknown padding or padding_mode.
        RuntimeError: an input with other channels, or smaller than the kernel.

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html
    """

    _axes = 2
    _op = staticmethod(_C.conv2d)


class Conv3d(_Conv):
    """Filters that slide over volumes, or over images and time.

    Arguments and errors are Conv2d's, with (depth, height, width) for two axes.

    Shapes: input (n, in_channels, depth, height, width) or without n; output likewise; weight
    (out_channels, in_channels / groups, depth, height, width of the kernel).

    >>> torch.nn.Conv3d(3, 8, 3)(torch.randn(2, 3, 8, 16, 16)).shape
    torch.Size([2, 8, 6, 14, 14])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Conv3d.html
    """

    _axes = 3
    _op = staticmethod(_C.conv3d)


class _ConvTransposeNd(_ConvNd):
    _op: Any

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1, padding: Any = 0,
        output_padding: Any = 0, groups: int = 1, bias: bool = True, dilation: Any = 1, padding_mode: str = "zeros",
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        n = self._axes
        if padding_mode != "zeros":
            raise ValueError(f'Only "zeros" padding mode is supported for {type(self).__name__}')
        super().__init__(
            in_channels, out_channels, _each(kernel_size, n), _each(stride, n), _each(padding, n), _each(dilation, n),
            True, _each(output_padding, n), groups, bias, padding_mode, device, dtype,
        )  # fmt: skip

    def _output_padding(self, input: Any, output_size: Any) -> Any:
        """What must be added at the end of each axis for an output of output_size."""
        n = self._axes
        if output_size is None:
            return self.output_padding
        sizes = list(output_size)
        if len(sizes) == input.dim():
            sizes = sizes[input.dim() - n :]
        if len(sizes) != n:
            raise ValueError(
                f"ConvTranspose{n}D: for {input.dim()}D input, output_size must have {n} or {input.dim()} elements "
                f"(got {len(sizes)})"
            )
        least = [
            (input.size(d - n) - 1) * self.stride[d] - 2 * self.padding[d] + self.dilation[d] * (k - 1) + 1
            for d, k in enumerate(self.kernel_size)
        ]
        most = [low + s - 1 for low, s in zip(least, self.stride, strict=True)]
        if any(not low <= size <= high for low, size, high in zip(least, sizes, most, strict=True)):
            raise ValueError(
                f"requested an output size of {sizes}, but valid sizes range from {least} to {most} "
                f"(for an input of {input.size()[2:]})"
            )
        return [size - low for size, low in zip(sizes, least, strict=True)]

    def forward(self, input: Any, output_size: Any = None) -> Any:
        """The input spread by the filters; of the sizes that a stride leaves open, output_size chooses."""
        extra = self._output_padding(input, output_size)
        return self._op(input, self.weight, self.bias, self.stride, self.padding, extra, self.groups, self.dilation)


class ConvTranspose1d(_ConvTransposeNd):
    """The transpose of Conv1d: what that one does to gradients, this one does to its input.

    Args:
        in_channels, out_channels, kernel_size, stride, padding, groups, bias, dilation: as in Conv1d, whose input is
            this one's output.
        output_padding: added to the length of the output, which a stride leaves open.
        padding_mode: only "zeros".
        device, dtype: of the parameters.

    Shapes: input (n, in_channels, length) or (in_channels, length); output (n, out_channels, length') with
    length' = (length - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + output_padding + 1;
    weight (in_channels, out_channels / groups, kernel_size).

    >>> torch.nn.ConvTranspose1d(4, 8, 3, stride=2)(torch.randn(2, 4, 10)).shape
    torch.Size([2, 8, 21])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose1d.html
    """

    _axes = 1
    _op = staticmethod(_C.conv_transpose1d)


class ConvTranspose2d(_ConvTransposeNd):
    """The transpose of Conv2d, by which decoders and generators enlarge images (Zeiler et al., Deconvolutional
    networks, 2010).

    Arguments are ConvTranspose1d's, each a number or (height, width).

    Shapes: input (n, in_channels, height, width) or without n; output (n, out_channels, height', width'), each
    size' = (size - 1) * stride - 2 * padding + dilation * (kernel_size - 1) + output_padding + 1;
    weight (in_channels, out_channels / groups, height, width of the kernel).

    >>> torch.nn.ConvTranspose2d(16, 8, 2, stride=2)(torch.randn(1, 16, 7, 7)).shape
    torch.Size([1, 8, 14, 14])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html
    """

    _axes = 2
    _op = staticmethod(_C.conv_transpose2d)


class ConvTranspose3d(_ConvTransposeNd):
    """The transpose of Conv3d.

    Arguments are ConvTranspose1d's, each a number or (depth, height, width).

    Shapes: input (n, in_channels, depth, height, width) or without n; output likewise.

    >>> torch.nn.ConvTranspose3d(2, 4, 2, stride=2)(torch.randn(1, 2, 3, 4, 5)).shape
    torch.Size([1, 4, 6, 8, 10])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose3d.html
    """

    _axes = 3
    _op = staticmethod(_C.conv_transpose3d)
