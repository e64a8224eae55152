"""fold and unfold."""

from __future__ import annotations

from typing import Any

from rushlight import _C

__all__ = ["conv_tbc", "fold", "unfold"]


def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """The sliding blocks of images as columns: what a convolution multiplies its filters with.

    Shapes: (n, c, height, width) to (n, c * kernel height * kernel width, number of blocks); n may be missing.

    >>> F.unfold(torch.arange(9.0).reshape(1, 1, 3, 3), 2)
    tensor([[[0., 1., 3., 4.],
             [1., 2., 4., 5.],
             [3., 4., 6., 7.],
             [4., 5., 7., 8.]]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.functional.unfold.html
    """
    return _C.im2col(input, kernel_size, dilation, padding, stride)


def fold(
    input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Any:  # fmt: skip
    """The sum of columns, each put at the place of its block: unfold's transpose.

    Shapes: (n, c * kernel height * kernel width, number of blocks) to (n, c, *output_size); n may be missing.

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.functional.fold.html
    """
    return _C.col2im(input, output_size, kernel_size, dilation, padding, stride)


def conv_tbc(input: Any, weight: Any, bias: Any, pad: int = 0) -> Any:
    """conv1d over sequences of shape (time, n, channels), with a weight of shape (kernel, in, out).

    Reference: https://pytorch.org/docs/stable/generated/torch.conv_tbc.html
    """
    if input.dim() != 3 or weight.dim() != 3 or bias.dim() != 1:
        raise RuntimeError(
            "conv_tbc: Input must have 3 dims: time, batch, in_channel; weight 3: kernel_width, in_channels, "
            f"out_channels; bias 1. Got {input.dim()}, {weight.dim()} and {bias.dim()}"
        )
    if input.shape[2] != weight.shape[1]:
        raise RuntimeError("Input dim 2 (input channels) is not == dim 1 in the weight tensor")
    if weight.shape[2] != bias.shape[0]:
        raise RuntimeError("Bias size must equal dim 2 in the weight tensor (output channels).")
    out = _C.conv1d(input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, 1, pad)
    return out.permute(2, 0, 1).contiguous()
