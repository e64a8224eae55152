"""The generalised Pareto distribution."""

from __future__ import annotations

import math
from typing import Any

from rushlight import _C
from rushlight.distributions import constraints
from rushlight.distributions.distribution import Distribution
from rushlight.distributions.utils import broadcast_all

__all__ = ["GeneralizedPareto"]


class GeneralizedPareto(Distribution):
    """The generalised Pareto distribution: of what exceeds a high threshold.

    Args:
        loc: the threshold.
        scale: of the excess.
        concentration: 0 gives an exponential tail, positive a heavy one, negative an end.

    >>> torch.distributions.GeneralizedPareto(torch.tensor(0.), torch.tensor(1.), torch.tensor(0.)).mean
    tensor(1.)

    Reference: https://pytorch.org/docs/stable/distributions.html#generalizedpareto
    """

    arg_constraints = {"loc": constraints.real, "scale": constraints.positive, "concentration": constraints.real}
    has_rsample = True
    _params = {"loc": 0, "scale": 0, "concentration": 0}

    def __init__(self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.size(), validate_args=validate_args)

    def _split(self) -> tuple[Any, Any]:
        """Where the concentration is (almost) 0, and the concentration with 1 in these places."""
        zero = _C.isclose(self.concentration, _C.zeros_like(self.concentration))
        return zero, _C.where(zero, _C.ones_like(self.concentration), self.concentration)

    def rsample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        return self.icdf(_C.rand(shape, dtype=self.loc.dtype, device=self.loc.device))

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        z = (value - self.loc) / self.scale
        zero, k = self._split()
        power = 1 / k + _C.ones_like(z)
        tail = _C.where(power == 0, power, power * _C.log1p(k * z))
        return -self.scale.log() - _C.where(zero, z, tail)

    def log_survival_function(self, value: Any) -> Any:
        """log(1 - cdf(value))."""
        if self._validate_args:
            self._validate_sample(value)
        z = (value - self.loc) / self.scale
        zero, k = self._split()
        return _C.where(zero, -z, -_C.log1p(k * z) / k)

    def log_cdf(self, value: Any) -> Any:
        """log(cdf(value))."""
        return _C.log1p(-_C.exp(self.log_survival_function(value)))

    def cdf(self, value: Any) -> Any:
        return _C.exp(self.log_cdf(value))

    def icdf(self, value: Any) -> Any:
        zero, k = self._split()
        log_left = _C.log1p(-value)
        curved = self.loc + self.scale / k * _C.expm1(-k * log_left)
        return _C.where(zero, self.loc - self.scale * log_left, curved)

    @property
    def mean(self) -> Any:
        valid = self.concentration < 1
        k = _C.where(valid, self.concentration, 0.5)
        return _C.where(valid, self.loc + self.scale / (1 - k), math.nan)

    @property
    def variance(self) -> Any:
        valid = self.concentration < 0.5
        k = _C.where(valid, self.concentration, 0.25)
        return _C.where(valid, self.scale**2 / ((1 - k) ** 2 * (1 - 2 * k)), math.nan)

    def entropy(self) -> Any:
        return (_C.log(self.scale) + self.concentration + 1).expand(self._batch_shape)

    @property
    def mode(self) -> Any:
        return self.loc

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        end = _C.where(self.concentration < 0, self.loc - self.scale / self.concentration, math.inf)
        return constraints.interval(self.loc, end)
