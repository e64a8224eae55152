"""Padding: elements added before and after the last dimensions.

padding is one number for all sides, or (left, right, top, bottom, front, back) as far as there are axes. Any dtype.
A padding that a mirror image cannot fill is a RuntimeError.
"""

from __future__ import annotations

from typing import Any

from rushlight.nn import functional as F
from rushlight.nn.modules.module import Module

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]


class _Pad(Module):
    """Keeps the padding: (left, right, top, bottom, front, back), or one number for all.

    Shapes: (N, C, *) or (C, *) to the same with the last dimensions grown by their two pads. A negative number crops.
    """

    __constants__ = ["padding"]
    _sides = 2  # two for each padded dimension
    _mode = "constant"

    def __init__(self, padding: Any) -> None:
        super().__init__()
        self.padding: tuple[int, ...] = (
            (padding,) * self._sides if not isinstance(padding, (tuple, list)) else tuple(padding)
        )

    def forward(self, input: Any) -> Any:
        """(N, C, *) or (C, *), padded."""
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPadNd(_Pad):
    __constants__ = ["padding", "value"]

    def __init__(self, padding: Any, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Any) -> Any:
        """(N, C, *) or (C, *), padded."""
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class ConstantPad1d(_ConstantPadNd):
    """Pads the last dimension with a value.

    Args:
        padding: (left, right), or one number for both.
        value: what to pad with.

    Example:
        >>> import rushlight as torch
        >>> torch.nn.ConstantPad1d((1, 2), 7.0)(torch.zeros(1, 2))
        tensor([[7., 0., 0., 7., 7.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.ConstantPad1d.html
    """


class ConstantPad2d(_ConstantPadNd):
    """Pads the last two dimensions with a value: padding is (left, right, top, bottom) or one number.

    >>> torch.nn.ConstantPad2d((1, 0, 0, 1), 9.)(torch.tensor([[[1., 2.]]]))
    tensor([[[9., 1., 2.],
             [9., 9., 9.]]])
    """

    _sides = 4


class ConstantPad3d(_ConstantPadNd):
    """Pads the last three dimensions with a value: (left, right, top, bottom, front, back) or one number.

    >>> torch.nn.ConstantPad3d(1, 0.)(torch.ones(1, 2, 2, 2)).sum()
    tensor(8.)
    """

    _sides = 6


class ZeroPad1d(ConstantPad1d):
    """Pads the last dimension with zeros: padding is (left, right) or one number.

    >>> torch.nn.ZeroPad1d((1, 2))(torch.tensor([[5., 7.]]))
    tensor([[0., 5., 7., 0., 0.]])
    """

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad2d(ConstantPad2d):
    """Pads the last two dimensions with zeros: padding is (left, right, top, bottom) or one number.

    >>> torch.nn.ZeroPad2d(1)(torch.ones(1, 2, 2)).sum(), torch.nn.ZeroPad2d(1)(torch.ones(1, 2, 2)).shape
    (tensor(4.), torch.Size([1, 4, 4]))
    """

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ZeroPad3d(ConstantPad3d):
    """Pads the last three dimensions with zeros: (left, right, top, bottom, front, back) or one number.

    >>> torch.nn.ZeroPad3d(1)(torch.ones(1, 2, 2, 2)).shape
    torch.Size([1, 4, 4, 4])
    """

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ReflectionPadNd(_Pad):
    _mode = "reflect"


class ReflectionPad1d(_ReflectionPadNd):
    """Pads the last dimension with its mirror image, without repeating the edge: padding is (left, right).

    Example:
        >>> import rushlight as torch
        >>> torch.nn.ReflectionPad1d(2)(torch.arange(4.0).reshape(1, 4))
        tensor([[2., 1., 0., 1., 2., 3., 2., 1.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.ReflectionPad1d.html
    """


class ReflectionPad2d(_ReflectionPadNd):
    """Pads the last two dimensions with their mirror image: padding is (left, right, top, bottom) or one number.

    >>> torch.nn.ReflectionPad2d((1, 1, 0, 0))(torch.tensor([[[1., 2., 3.]]]))
    tensor([[[2., 1., 2., 3., 2.]]])
    """

    _sides = 4


class ReflectionPad3d(_ReflectionPadNd):
    """Pads the last three dimensions with their mirror image.

    >>> torch.nn.ReflectionPad3d(1)(torch.ones(1, 2, 2, 2)).shape
    torch.Size([1, 4, 4, 4])
    """

    _sides = 6


class _ReplicationPadNd(_Pad):
    _mode = "replicate"


class ReplicationPad1d(_ReplicationPadNd):
    """Pads the last dimension by repeating its edges: padding is (left, right) or one number.

    Example:
        >>> import rushlight as torch
        >>> torch.nn.ReplicationPad1d(2)(torch.arange(3.0).reshape(1, 3))
        tensor([[0., 0., 0., 1., 2., 2., 2.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.ReplicationPad1d.html
    """


class ReplicationPad2d(_ReplicationPadNd):
    """Pads the last two dimensions by repeating their edges: padding is (left, right, top, bottom) or one number.

    >>> torch.nn.ReplicationPad2d((1, 1, 0, 0))(torch.tensor([[[1., 2.]]]))
    tensor([[[1., 1., 2., 2.]]])
    """

    _sides = 4


class ReplicationPad3d(_ReplicationPadNd):
    """Pads the last three dimensions by repeating their edges.

    >>> torch.nn.ReplicationPad3d(1)(torch.ones(1, 2, 2, 2)).shape
    torch.Size([1, 4, 4, 4])
    """

    _sides = 6


class _CircularPadNd(_Pad):
    _mode = "circular"

    def forward(self, input: Any) -> Any:
        """(N, C, *) or (C, *), padded."""
        spatial = self._sides // 2
        if input.dim() not in (spatial + 1, spatial + 2):
            raise ValueError(f"expected {spatial + 1}D or {spatial + 2}D input (got {input.dim()}D input)")
        return F.pad(input, self.padding, "circular")


class CircularPad1d(_CircularPadNd):
    """Pads the last dimension as if its end were joined to its beginning: padding is (left, right).

    Example:
        >>> import rushlight as torch
        >>> torch.nn.CircularPad1d(1)(torch.arange(3.0).reshape(1, 3))
        tensor([[2., 0., 1., 2., 0.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.CircularPad1d.html
    """


class CircularPad2d(_CircularPadNd):
    """Pads the last two dimensions from their other ends: padding is (left, right, top, bottom) or one number.

    >>> torch.nn.CircularPad2d((1, 0, 0, 0))(torch.tensor([[[1., 2.], [3., 4.]]]))
    tensor([[[2., 1., 2.],
             [4., 3., 4.]]])
    """

    _sides = 4


class CircularPad3d(_CircularPadNd):
    """Pads the last three dimensions from their other ends.

    >>> torch.nn.CircularPad3d(1)(torch.ones(1, 2, 2, 2)).shape
    torch.Size([1, 4, 4, 4])
    """

    _sides = 6
