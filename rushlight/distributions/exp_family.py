"""Exponential families."""

from __future__ import annotations

from typing import Any

from rushlight.distributions.distribution import Distribution

__all__ = ["ExponentialFamily"]


class ExponentialFamily(Distribution):
    """Densities exp(<natural parameters, statistics> - log normaliser + carrier).

    Entropies and divergences follow from the log normaliser and its gradient (Nielsen & Nock 2010).

    Reference: https://pytorch.org/docs/stable/distributions.html#exponentialfamily
    """

    @property
    def _natural_params(self) -> tuple[Any, ...]:
        raise NotImplementedError

    def _log_normalizer(self, *natural_params: Any) -> Any:
        raise NotImplementedError

    @property
    def _mean_carrier_measure(self) -> Any:
        raise NotImplementedError

    def entropy(self) -> Any:
        """The entropy, in nats."""
        from rushlight.autograd import grad
        from rushlight.autograd.grad_mode import enable_grad

        with enable_grad():
            natural = [p.detach().requires_grad_() for p in self._natural_params]
            log_normalizer = self._log_normalizer(*natural)
            slopes = grad(log_normalizer.sum(), natural, create_graph=True)
        result = -self._mean_carrier_measure + log_normalizer
        for p, g in zip(natural, slopes, strict=True):
            result = result - (p * g).reshape((*self._batch_shape, -1)).sum(-1)
        return result
