"""fold and unfold."""

from __future__ import annotations

from typing import Any

from rushlight import _C

__all__ = ["fold", "unfold"]


def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """The sliding blocks of images as columns: what a convolution multiplies its filters with.

    Shapes: (n, c, height, width) to (n, c * kernel height * kernel width, number of blocks); n may be missing.

    >>> torch.nn.functional.unfold(torch.arange(9.0).reshape(1, 1, 3, 3), 2)
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

    >>> F.fold(torch.ones(1, 4, 4), (3, 3), 2)
    tensor([[[[1., 2., 1.],
              [2., 4., 2.],
              [1., 2., 1.]]]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.functional.fold.html
    """
    return _C.col2im(input, output_size, kernel_size, dilation, padding, stride)
