"""Cholesky factors of random correlation matrices."""

from __future__ import annotations

import math
from typing import Any

from rushlight import _C
from rushlight._dtype_info import finfo
from rushlight.autograd.grad_mode import no_grad
from rushlight.distributions import constraints
from rushlight.distributions.beta import Beta
from rushlight.distributions.distribution import Distribution
from rushlight.distributions.utils import broadcast_all

__all__ = ["LKJCholesky"]


class LKJCholesky(Distribution):
    """Cholesky factors of correlation matrices, whose density is proportional to their determinant^(concentration - 1).

    Args:
        dim: of the matrices.
        concentration: 1 is uniform, larger ones favour the identity.

    Samples come from the onion method (Lewandowski et al. 2009).

    >>> L = torch.distributions.LKJCholesky(3, 1.0).sample()
    >>> torch.allclose((L @ L.T).diagonal(), torch.ones(3), atol=1e-5)
    True

    Reference: https://pytorch.org/docs/stable/distributions.html#lkjcholesky
    """

    arg_constraints = {"concentration": constraints.positive}
    support = constraints.corr_cholesky

    def __init__(self, dim: int, concentration: Any = 1.0, validate_args: bool | None = None) -> None:
        if dim < 2:
            raise ValueError(f"Expected dim to be an integer greater than or equal to 2. Found dim={dim}.")
        self.dim = dim
        (self.concentration,) = broadcast_all(concentration)
        marginal = self.concentration + 0.5 * (dim - 2)
        steps = _C.arange(dim - 1, dtype=self.concentration.dtype, device=self.concentration.device)
        steps = _C.cat([steps.new_zeros((1,)), steps])
        # The squared length of each row's part before the diagonal.
        self._beta = Beta(steps + 0.5, marginal.unsqueeze(-1) - 0.5 * steps)
        super().__init__(self.concentration.size(), (dim, dim), validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._get_checked_instance(LKJCholesky, _instance)
        batch_shape = _C.Size(batch_shape)
        new.dim = self.dim
        new.concentration = self.concentration.expand(batch_shape)
        new._beta = self._beta.expand((*batch_shape, self.dim))
        super(LKJCholesky, new).__init__(batch_shape, self.event_shape, validate_args=False)
        new._validate_args = self._validate_args
        return new

    def sample(self, sample_shape: Any = ()) -> Any:
        with no_grad():
            y = self._beta.sample(sample_shape).unsqueeze(-1)
            direction = _C.randn(self._extended_shape(sample_shape), dtype=y.dtype, device=y.device).tril(-1)
            direction = direction / direction.norm(dim=-1, keepdim=True)
            direction[..., 0, :].fill_(0.0)
            w = _C.sqrt(y) * direction
            rest = (1 - (w**2).sum(-1)).clamp(min=finfo(w.dtype).tiny).sqrt()
            return w + rest.diag_embed()

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        diagonal = value.diagonal(dim1=-1, dim2=-2)[..., 1:]
        # det^(concentration - 1), and the Jacobian of L to L L^T.
        order = _C.arange(2, self.dim + 1, device=self.concentration.device)
        order = 2 * (self.concentration - 1).unsqueeze(-1) + self.dim - order
        unnormalized = (order * diagonal.log()).sum(-1)
        m = self.dim - 1
        alpha = self.concentration + 0.5 * m
        normalizer = 0.5 * m * math.log(math.pi) + _C.mvlgamma(alpha - 0.5, m) - _C.lgamma(alpha) * m
        return unnormalized - normalizer
