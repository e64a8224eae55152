"""Distances between vectors."""

from __future__ import annotations

from typing import Any

from rushlight.nn import functional as F
from rushlight.nn.modules.module import Module

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class PairwiseDistance(Module):
    """The p-norm of x1 - x2 + eps over the last dimension.

    Args:
        p: of the norm; may be negative.
        eps: keeps the gradient finite where the two are equal.
        keepdim: keep that dimension, as 1.

    Shapes: (N, D) and (N, D) to (N), or (D) and (D) to ().

    >>> torch.nn.PairwiseDistance()(torch.zeros(1, 2), torch.tensor([[3., 4.]]))
    tensor([5.0000])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.PairwiseDistance.html
    """

    __constants__ = ["norm", "eps", "keepdim"]

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Any, x2: Any) -> Any:
        """(N, D) and (N, D) to (N)."""
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class CosineSimilarity(Module):
    """x1 . x2 / max(|x1| |x2|, eps) along a dimension.

    Args:
        dim: along which.
        eps: against division by zero.

    Shapes: (*, D, *) and (*, D, *), broadcast, to (*, *).

    >>> torch.nn.CosineSimilarity(dim=1)(torch.tensor([[1., 0.]]), torch.tensor([[1., 1.]]))
    tensor([0.7071])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.CosineSimilarity.html
    """

    __constants__ = ["dim", "eps"]

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Any, x2: Any) -> Any:
        """(*, D, *) and (*, D, *) to (*, *)."""
        return F.cosine_similarity(x1, x2, self.dim, self.eps)
