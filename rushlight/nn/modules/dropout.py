"""Dropout layers: active in training mode only."""

from __future__ import annotations

from typing import Any

from rushlight.nn import functional as F
from rushlight.nn.modules.module import Module

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class _DropoutNd(Module):
    """Keeps the probability and the in-place flag.

    Args:
        p: the probability that an element (or channel) becomes zero.
        inplace: change the input itself.

    Raises:
        ValueError: p is not in [0, 1].
    """

    __constants__ = ["p", "inplace"]

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if p < 0.0 or p > 1.0:
            raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_DropoutNd):
    """Zeroes elements at random in training, and scales the others by 1 / (1 - p) (Hinton et al. 2012).

    >>> _ = torch.manual_seed(0)
    >>> m = torch.nn.Dropout(0.5)
    >>> m(torch.ones(6)), m.eval()(torch.ones(2))
    (tensor([0., 0., 2., 0., 0., 0.]), tensor([1., 1.]))
    """

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_DropoutNd):
    """Zeroes whole channels of (N, C, L).

    >>> _ = torch.manual_seed(0)
    >>> torch.nn.Dropout1d(0.5)(torch.ones(1, 3, 2))
    tensor([[[0., 0.],
             [0., 0.],
             [2., 2.]]])
    """

    def forward(self, input: Any) -> Any:
        """(N, C, L) or (C, L)."""
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_DropoutNd):
    """Zeroes whole channels of (N, C, H, W).

    >>> _ = torch.manual_seed(0)
    >>> torch.nn.Dropout2d(0.5)(torch.ones(1, 4, 2, 2)).sum((2, 3))
    tensor([[0., 0., 8., 0.]])
    """

    def forward(self, input: Any) -> Any:
        """(N, C, H, W)."""
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_DropoutNd):
    """Zeroes whole channels of (N, C, D, H, W).

    >>> torch.nn.Dropout3d(0.5)(torch.ones(1, 3, 2, 2, 2)).shape
    torch.Size([1, 3, 2, 2, 2])
    """

    def forward(self, input: Any) -> Any:
        """(N, C, D, H, W)."""
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_DropoutNd):
    """Dropout that keeps mean and variance, for SELU networks (Klambauer et al. 2017).

    >>> m = torch.nn.AlphaDropout(0.5)
    >>> m.eval()(torch.ones(3))
    tensor([1., 1., 1.])
    """

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.alpha_dropout(input, self.p, self.training)


class FeatureAlphaDropout(_DropoutNd):
    """AlphaDropout of whole channels.

    >>> torch.nn.FeatureAlphaDropout(0.5).eval()(torch.ones(1, 2, 2)).sum()
    tensor(4.)
    """

    def forward(self, input: Any) -> Any:
        """(N, C, ...)."""
        return F.feature_alpha_dropout(input, self.p, self.training)
