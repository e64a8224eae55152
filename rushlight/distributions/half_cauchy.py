"""The half-Cauchy distribution."""

from __future__ import annotations

import math
from typing import Any

from rushlight import _C
from rushlight.distributions._half import HalfDistribution
from rushlight.distributions.cauchy import Cauchy

__all__ = ["HalfCauchy"]


class HalfCauchy(HalfDistribution):
    """The absolute value of a Cauchy variable around 0.

    >>> torch.distributions.HalfCauchy(torch.tensor(1.)).cdf(torch.tensor(1.))
    tensor(0.5000)

    Reference: https://pytorch.org/docs/stable/distributions.html#halfcauchy
    """

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        super().__init__(Cauchy(0, scale, validate_args=False), validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return super().expand(batch_shape, self._get_checked_instance(HalfCauchy, _instance))

    @property
    def mean(self) -> Any:
        return _C.full(self._extended_shape(), math.inf, dtype=self.scale.dtype, device=self.scale.device)

    @property
    def variance(self) -> Any:
        return self.base_dist.variance

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        return super().log_prob(_C.as_tensor(value, dtype=self.scale.dtype, device=self.scale.device))
