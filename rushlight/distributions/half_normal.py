"""The half-normal distribution."""

from __future__ import annotations

import math
from typing import Any

from rushlight.distributions._half import HalfDistribution
from rushlight.distributions.normal import Normal

__all__ = ["HalfNormal"]


class HalfNormal(HalfDistribution):
    """The absolute value of a normal variable with mean 0 and standard deviation `scale`.

    >>> torch.distributions.HalfNormal(torch.tensor(1.)).mean
    tensor(0.7979)

    Reference: https://pytorch.org/docs/stable/distributions.html#halfnormal
    """

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Normal(0, scale, validate_args=False), validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return super().expand(batch_shape, self._get_checked_instance(HalfNormal, _instance))

    @property
    def mean(self) -> Any:
        return self.scale * math.sqrt(2 / math.pi)

    @property
    def variance(self) -> Any:
        return self.scale.pow(2) * (1 - 2 / math.pi)
