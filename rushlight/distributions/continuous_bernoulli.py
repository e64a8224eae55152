"""The continuous Bernoulli distribution."""

from __future__ import annotations

import math
from typing import Any

from rushlight import _C
from rushlight.distributions import constraints
from rushlight.distributions.exp_family import ExponentialFamily
from rushlight.distributions.utils import ProbsOrLogits, broadcast_all, clamp_probs, lazy_property, logits_to_probs
from rushlight.nn import functional as F

__all__ = ["ContinuousBernoulli"]


class ContinuousBernoulli(ProbsOrLogits, ExponentialFamily):
    """A number x in [0, 1] with density proportional to probs^x (1 - probs)^(1 - x).

    Where probs is within `lims`, around 1/2, Taylor series stand in for formulas that lose all digits there.

    >>> torch.distributions.ContinuousBernoulli(torch.tensor(0.5)).mean
    tensor(0.5000)

    Reference: https://pytorch.org/docs/stable/distributions.html#continuousbernoulli
    (Loaiza-Ganem & Cunningham 2019)
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    _mean_carrier_measure = 0
    has_rsample = True

    def __init__(
        self, probs: Any = None, logits: Any = None, lims: Any = (0.499, 0.501), validate_args: bool | None = None
    ) -> None:
        shape = self._take(probs, logits)
        if probs is not None:
            if validate_args is not None and not self.arg_constraints["probs"].check(self.probs).all():
                raise ValueError("The parameter probs has invalid values")
            self.probs = self._param = clamp_probs(self.probs)
        self._lims = lims
        super().__init__(shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._get_checked_instance(ContinuousBernoulli, _instance)
        new._lims = self._lims
        self._expand_given(new, _C.Size(batch_shape))
        super(ContinuousBernoulli, new).__init__(batch_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    @lazy_property
    def probs(self) -> Any:
        """Probabilities, kept off 0 and 1."""
        return clamp_probs(logits_to_probs(self.logits, is_binary=True))

    def _outside(self) -> Any:
        return (self.probs <= self._lims[0]) | (self.probs > self._lims[1])

    def _cut_probs(self) -> Any:
        """The probabilities, with those around 1/2 moved to the limit."""
        return _C.where(self._outside(), self.probs, self._lims[0] * _C.ones_like(self.probs))

    def _log_norm(self) -> Any:
        p = self._cut_probs()
        below = _C.where(p <= 0.5, p, _C.zeros_like(p))
        above = _C.where(p >= 0.5, p, _C.ones_like(p))
        log_norm = _C.log(_C.abs(_C.log1p(-p) - _C.log(p))) - _C.where(
            p <= 0.5, _C.log1p(-2.0 * below), _C.log(2.0 * above - 1.0)
        )
        x = (self.probs - 0.5) ** 2
        return _C.where(self._outside(), log_norm, math.log(2.0) + (4.0 / 3.0 + 104.0 / 45.0 * x) * x)

    @property
    def mean(self) -> Any:
        p = self._cut_probs()
        mean = p / (2.0 * p - 1.0) + 1.0 / (_C.log1p(-p) - _C.log(p))
        x = self.probs - 0.5
        return _C.where(self._outside(), mean, 0.5 + (1.0 / 3.0 + 16.0 / 45.0 * x**2) * x)

    @property
    def variance(self) -> Any:
        p = self._cut_probs()
        variance = p * (p - 1.0) / (1.0 - 2.0 * p) ** 2 + 1.0 / (_C.log1p(-p) - _C.log(p)) ** 2
        x = (self.probs - 0.5) ** 2
        return _C.where(self._outside(), variance, 1.0 / 12.0 - (1.0 / 15.0 - 128.0 / 945.0 * x) * x)

    @property
    def stddev(self) -> Any:
        return self.variance.sqrt()

    def rsample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        return self.icdf(_C.rand(shape, dtype=self.probs.dtype, device=self.probs.device))

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        return -F.binary_cross_entropy_with_logits(logits, value, reduction="none") + self._log_norm()

    def cdf(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        p = self._cut_probs()
        curved = (p**value * (1.0 - p) ** (1.0 - value) + p - 1.0) / (2.0 * p - 1.0)
        inside = _C.where(self._outside(), curved, value)
        high = _C.where(value >= 1.0, _C.ones_like(value), inside)
        return _C.where(value <= 0.0, _C.zeros_like(value), high)

    def icdf(self, value: Any) -> Any:
        p = self._cut_probs()
        curved = (_C.log1p(-p + value * (2.0 * p - 1.0)) - _C.log1p(-p)) / (_C.log(p) - _C.log1p(-p))
        return _C.where(self._outside(), curved, value)

    def entropy(self) -> Any:
        log0, log1 = _C.log1p(-self.probs), _C.log(self.probs)
        return self.mean * (log0 - log1) - self._log_norm() - log0

    @property
    def _natural_params(self) -> tuple[Any, ...]:
        return (self.logits,)

    def _log_normalizer(self, x: Any) -> Any:  # type: ignore[override]
        low, high = self._lims[0] - 0.5, self._lims[1] - 0.5
        outside = (x <= low) | (x > high)
        cut = _C.where(outside, x, low * _C.ones_like(x))
        log_norm = _C.log(_C.abs(_C.expm1(cut))) - _C.log(_C.abs(cut))
        return _C.where(outside, log_norm, 0.5 * x + x**2 / 24.0 - x**4 / 2880.0)
