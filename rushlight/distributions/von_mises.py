"""The von Mises distribution."""

from __future__ import annotations

import math
from typing import Any

from rushlight import _C
from rushlight.autograd.grad_mode import no_grad
from rushlight.distributions import constraints
from rushlight.distributions.distribution import Distribution
from rushlight.distributions.utils import broadcast_all, lazy_property

__all__ = ["VonMises"]


def _log_bessel(x: Any, order: int) -> Any:
    """log of the modified Bessel function of order 0 or 1, without overflow."""
    return (_C.special_i0e(x) if order == 0 else _C.special_i1e(x)).log() + x


class VonMises(Distribution):
    """The von Mises distribution of angles: around `loc`, the closer the higher the `concentration`.

    Samples come from rejection with a wrapped Cauchy proposal (Best & Fisher 1979), in float64.

    >>> torch.distributions.VonMises(torch.tensor(1.), torch.tensor(4.)).mean
    tensor(1.)

    Reference: https://pytorch.org/docs/stable/distributions.html#vonmises
    """

    arg_constraints = {"loc": constraints.real, "concentration": constraints.positive}
    support = constraints.real
    has_rsample = False

    def __init__(self, loc: Any, concentration: Any, validate_args: bool | None = None) -> None:
        self.loc, self.concentration = broadcast_all(loc, concentration)
        super().__init__(self.loc.shape, (), validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        return type(self)(
            self.loc.expand(batch_shape), self.concentration.expand(batch_shape), validate_args=self._validate_args
        )

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        height = self.concentration * _C.cos(value - self.loc)
        return height - math.log(2 * math.pi) - _log_bessel(self.concentration, 0)

    @lazy_property
    def _proposal_r(self) -> Any:
        kappa = self.concentration.to(_C.double)
        tau = 1 + (1 + 4 * kappa**2).sqrt()
        rho = (tau - (2 * tau).sqrt()) / (2 * kappa)
        # For small kappa that loses all digits.
        return _C.where(kappa < 1e-5, 1 / kappa + kappa, (1 + rho**2) / (2 * rho))

    def sample(self, sample_shape: Any = ()) -> Any:
        shape = self._extended_shape(sample_shape)
        with no_grad():
            loc, kappa, r = self.loc.to(_C.double), self.concentration.to(_C.double), self._proposal_r
            x = _C.empty(shape, dtype=_C.double)
            done = _C.zeros(shape, dtype=_C.bool)
            while not done.all():
                u1, u2, u3 = _C.rand((3, *shape), dtype=_C.double).unbind()
                z = _C.cos(math.pi * u1)
                f = (1 + r * z) / (r + z)
                c = kappa * (r - f)
                accept = ((c * (2 - c) - u2) > 0) | ((c / u2).log() + 1 - c >= 0)
                if accept.any():
                    x = _C.where(accept, (u3 - 0.5).sign() * f.acos(), x)
                    done = done | accept
            return ((x + math.pi + loc) % (2 * math.pi) - math.pi).to(self.loc.dtype)

    @property
    def mean(self) -> Any:
        return self.loc

    @property
    def mode(self) -> Any:
        return self.loc

    @lazy_property
    def variance(self) -> Any:
        """The circular variance."""
        return 1 - (_log_bessel(self.concentration, 1) - _log_bessel(self.concentration, 0)).exp()
