"""Kullback-Leibler divergences: `kl_divergence`, and `register_kl` for one's own.

Between distributions of different families, KL(p || q) = -entropy(p) - E_p[log q]. The expectation needs few
properties of p: its mean and variance, E[log x] and E[exp(-t x)]. They stand first; the pairs follow from them.
"""

from __future__ import annotations

import math
import warnings
from functools import total_ordering
from typing import TYPE_CHECKING, Any

from rushlight import _C
from rushlight.autograd import grad
from rushlight.distributions.bernoulli import Bernoulli
from rushlight.distributions.beta import Beta
from rushlight.distributions.binomial import Binomial
from rushlight.distributions.categorical import Categorical
from rushlight.distributions.cauchy import Cauchy
from rushlight.distributions.continuous_bernoulli import ContinuousBernoulli
from rushlight.distributions.dirichlet import Dirichlet
from rushlight.distributions.distribution import Distribution
from rushlight.distributions.exp_family import ExponentialFamily
from rushlight.distributions.exponential import Exponential
from rushlight.distributions.gamma import Gamma
from rushlight.distributions.geometric import Geometric
from rushlight.distributions.gumbel import Gumbel
from rushlight.distributions.half_normal import HalfNormal
from rushlight.distributions.independent import Independent
from rushlight.distributions.laplace import Laplace
from rushlight.distributions.lowrank_multivariate_normal import (
    LowRankMultivariateNormal,
    _lowrank_logdet,
    _lowrank_mahalanobis,
)
from rushlight.distributions.multivariate_normal import MultivariateNormal, _batch_mahalanobis, _half_log_det
from rushlight.distributions.normal import Normal
from rushlight.distributions.one_hot_categorical import OneHotCategorical
from rushlight.distributions.pareto import Pareto
from rushlight.distributions.poisson import Poisson
from rushlight.distributions.transformed_distribution import TransformedDistribution
from rushlight.distributions.uniform import Uniform
from rushlight.distributions.utils import _sum_rightmost, euler_constant
from rushlight.nn.functional import softplus

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["kl_divergence", "register_kl"]

_KL_REGISTRY: dict[tuple[type, type], Callable[..., Any]] = {}
_KL_MEMOIZE: dict[tuple[type, type], Any] = {}


def register_kl(type_p: type, type_q: type) -> Callable[..., Any]:
    """A decorator: the function computes KL(p || q) for these types and those derived from them.

    Raises:
        TypeError: one of them is no class. (It need not be a Distribution: libraries have bases of their own.)

    >>> class Mine(torch.distributions.Normal):
    ...     pass
    >>> @torch.distributions.register_kl(Mine, Mine)
    ... def _(p, q):
    ...     return (p.loc - q.loc).abs()
    >>> torch.distributions.kl_divergence(Mine(torch.tensor(0.), 1.), Mine(torch.tensor(3.), 1.))
    tensor(3.)

    Reference: https://pytorch.org/docs/stable/distributions.html#torch.distributions.kl.register_kl
    """
    for what, cls in (("type_p", type_p), ("type_q", type_q)):
        if not isinstance(cls, type):
            raise TypeError(f"Expected {what} to be a Distribution subclass but got {cls}")

    def decorator(fun: Callable[..., Any]) -> Callable[..., Any]:
        _KL_REGISTRY[type_p, type_q] = fun
        _KL_MEMOIZE.clear()
        return fun

    return decorator


@total_ordering
class _Match:
    """Pairs of classes, the more derived ones first."""

    def __init__(self, *types: type) -> None:
        self.types = types

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Match) and self.types == other.types

    def __le__(self, other: _Match) -> bool:
        for x, y in zip(self.types, other.types, strict=True):
            if not issubclass(x, y):
                return False
            if x is not y:
                break
        return True

    __hash__ = None  # type: ignore[assignment]


def _dispatch_kl(type_p: type, type_q: type) -> Any:
    matches = [(p, q) for p, q in _KL_REGISTRY if issubclass(type_p, p) and issubclass(type_q, q)]
    if not matches:
        return NotImplemented
    left_p, left_q = min(_Match(*m) for m in matches).types
    right_q, right_p = min(_Match(*reversed(m)) for m in matches).types
    left, right = _KL_REGISTRY[left_p, left_q], _KL_REGISTRY[right_p, right_q]
    if left is not right:
        warnings.warn(
            f"Ambiguous kl_divergence({type_p.__name__}, {type_q.__name__}). "
            f"Please register_kl({left_p.__name__}, {right_q.__name__})",
            RuntimeWarning,
            stacklevel=3,
        )
    return left


def kl_divergence(p: Distribution, q: Distribution) -> Any:
    """The Kullback-Leibler divergence of q from p: the mean of log(p / q) under p, of the batch's shape.

    Raises:
        NotImplementedError: nothing is registered for these types.

    Example:
        >>> import rushlight as torch
        >>> D = torch.distributions
        >>> D.kl_divergence(D.Normal(0.0, 1.0), D.Normal(1.0, 1.0))
        tensor(0.5000)

    Reference: https://pytorch.org/docs/stable/distributions.html#torch.distributions.kl.kl_divergence
    """
    key = type(p), type(q)
    fun = _KL_MEMOIZE.get(key)
    if fun is None:
        fun = _KL_MEMOIZE[key] = _dispatch_kl(*key)
    if fun is NotImplemented:
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {type(p).__name__} and q type {type(q).__name__}"
        )
    return fun(p, q)


def _infinite(like: Any) -> Any:
    return _C.full_like(like, math.inf)


def _infinite_where(value: Any, condition: Any) -> Any:
    return value.masked_fill(condition, math.inf)


# ---- what is needed of p ----


def _x_log_x(x: Any) -> Any:
    return _C.xlogy(x, x)


def _mean_log(p: Any) -> Any:
    """E[log x]."""
    if isinstance(p, Gamma):
        return p.concentration.digamma() - p.rate.log()
    if isinstance(p, Exponential):
        return -p.rate.log() - euler_constant
    if isinstance(p, Beta):
        return p.concentration1.digamma() - (p.concentration1 + p.concentration0).digamma()
    if isinstance(p, Pareto):
        return p.scale.log() + p.alpha.reciprocal()
    return (_x_log_x(p.high) - _x_log_x(p.low)) / (p.high - p.low) - 1  # Uniform


def _laplace_transform(p: Any, t: Any) -> Any:
    """E[exp(-t x)]."""
    if isinstance(p, Gamma):
        return (1 + t / p.rate) ** -p.concentration
    if isinstance(p, Exponential):
        return p.rate / (p.rate + t)
    if isinstance(p, Normal):
        return (-t * p.loc + 0.5 * (t * p.scale) ** 2).exp()
    if isinstance(p, Gumbel):
        return ((1 + t * p.scale).lgamma() - t * p.loc).exp()
    return ((-t * p.low).exp() - (-t * p.high).exp()) / (t * (p.high - p.low))  # Uniform


# ---- E_p[log q] ----


def _under_exponential(p: Any, q: Any) -> Any:
    return q.rate.log() - q.rate * p.mean


def _under_gamma(p: Any, q: Any) -> Any:
    a, b = q.concentration, q.rate
    return a * b.log() - a.lgamma() + (a - 1) * _mean_log(p) - b * p.mean


def _under_normal(p: Any, q: Any) -> Any:
    variance = q.scale.pow(2)
    return -0.5 * (2 * math.pi * variance).log() - (p.variance + (p.mean - q.loc) ** 2) / (2 * variance)


def _under_gumbel(p: Any, q: Any) -> Any:
    t = q.scale.reciprocal()
    return (q.loc - p.mean) * t - (q.loc * t).exp() * _laplace_transform(p, t) - q.scale.log()


def _under_continuous_bernoulli(p: Any, q: Any) -> Any:
    return p.mean * q.logits + _C.log1p(-q.probs) + q._log_norm()


def _register_cross(density: Callable[..., Any], q_type: type, *p_types: type) -> None:
    for p_type in p_types:
        register_kl(p_type, q_type)(lambda p, q: -p.entropy() - density(p, q))


_register_cross(_under_exponential, Exponential, Beta, ContinuousBernoulli, Gamma)
_register_cross(_under_gamma, Gamma, Beta, Exponential)
_register_cross(_under_normal, Normal, Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, Laplace, Uniform)
_register_cross(_under_gumbel, Gumbel, Exponential, Gamma, Normal, Uniform)
_register_cross(_under_continuous_bernoulli, ContinuousBernoulli, Beta)


@register_kl(Uniform, Exponential)
@register_kl(Uniform, Gamma)
def _kl_uniform_positive(p: Any, q: Any) -> Any:
    density = _under_exponential if isinstance(q, Exponential) else _under_gamma
    return _infinite_where(-p.entropy() - density(p, q), p.low < 0)


@register_kl(Uniform, ContinuousBernoulli)
def _kl_uniform_continuous_bernoulli(p: Any, q: Any) -> Any:
    return _infinite_where(-p.entropy() - _under_continuous_bernoulli(p, q), (p.high > 1) | (p.low < 0))


@register_kl(Uniform, Beta)
def _kl_uniform_beta(p: Any, q: Any) -> Any:
    width = p.high - p.low
    mean_log_rest = (_x_log_x(1 - p.low) - _x_log_x(1 - p.high)) / width - 1
    a, b = q.concentration1, q.concentration0
    density = (a - 1) * _mean_log(p) + (b - 1) * mean_log_rest - a.lgamma() - b.lgamma() + (a + b).lgamma()
    return _infinite_where(-p.entropy() - density, (p.high > 1) | (p.low < 0))


@register_kl(Uniform, Pareto)
def _kl_uniform_pareto(p: Any, q: Any) -> Any:
    density = q.alpha.log() + q.alpha * q.scale.log() - (q.alpha + 1) * _mean_log(p)
    return _infinite_where(-p.entropy() - density, p.low < q.scale)


@register_kl(Beta, Uniform)
@register_kl(ContinuousBernoulli, Uniform)
def _kl_unit_uniform(p: Any, q: Any) -> Any:
    return _infinite_where(-p.entropy() + (q.high - q.low).log(), (q.low > 0) | (q.high < 1))


@register_kl(Pareto, Exponential)
@register_kl(Pareto, Gamma)
def _kl_pareto_positive(p: Any, q: Any) -> Any:
    density = _under_exponential if isinstance(q, Exponential) else _under_gamma
    return _infinite_where(-p.entropy() - density(p, q), p.alpha <= 1)


@register_kl(Pareto, Normal)
def _kl_pareto_normal(p: Any, q: Any) -> Any:
    return _infinite_where(-p.entropy() - _under_normal(p, q), p.alpha <= 2)


@register_kl(Normal, Laplace)
def _kl_normal_laplace(p: Any, q: Any) -> Any:
    offset = p.loc - q.loc
    relative = offset / p.scale
    # E|x - loc| of a normal variable: a folded normal's mean.
    distance = math.sqrt(2 / math.pi) * p.scale * (-0.5 * relative**2).exp() + offset * _C.erf(
        math.sqrt(0.5) * relative
    )
    return -p.entropy() + (2 * q.scale).log() + distance / q.scale


@register_kl(Bernoulli, Poisson)
def _kl_bernoulli_poisson(p: Any, q: Any) -> Any:
    return -p.entropy() - (p.probs * q.rate.log() - q.rate)


# Where p has values that q can not have.
for _p, _attribute, _others in (
    (Beta, "concentration1", (Pareto,)),
    (ContinuousBernoulli, "probs", (Pareto,)),
    (Exponential, "rate", (Beta, ContinuousBernoulli, Pareto, Uniform)),
    (Gamma, "concentration", (Beta, ContinuousBernoulli, Pareto, Uniform)),
    (Gumbel, "loc", (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)),
    (Laplace, "loc", (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)),
    (Normal, "loc", (Beta, ContinuousBernoulli, Exponential, Gamma, Pareto, Uniform)),
    (Pareto, "scale", (Beta, ContinuousBernoulli, Uniform)),
    (Poisson, "rate", (Bernoulli, Binomial)),
):
    for _q in _others:
        register_kl(_p, _q)(lambda p, q, _name=_attribute: _infinite(getattr(p, _name)))


# ---- p and q of the same family ----


@register_kl(ExponentialFamily, ExponentialFamily)
def _kl_exponential_family(p: Any, q: Any) -> Any:
    """A Bregman divergence of the log normaliser."""
    if type(p) is not type(q):
        raise NotImplementedError(
            "The cross KL-divergence between different exponential families cannot be computed using Bregman divergences"
        )
    of_p = [x.detach().requires_grad_() for x in p._natural_params]
    normalizer = p._log_normalizer(*of_p)
    slopes = grad(normalizer.sum(), of_p, create_graph=True)
    result = q._log_normalizer(*q._natural_params) - normalizer
    for a, b, slope in zip(of_p, q._natural_params, slopes, strict=True):
        result = result - _sum_rightmost((b - a) * slope, len(q.event_shape))
    return result


@register_kl(Bernoulli, Bernoulli)
def _kl_bernoulli(p: Any, q: Any) -> Any:
    one = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    one = one.masked_fill(q.probs == 0, math.inf).masked_fill(p.probs == 0, 0)
    zero = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    return one + zero.masked_fill(q.probs == 1, math.inf).masked_fill(p.probs == 1, 0)


@register_kl(Beta, Beta)
def _kl_beta(p: Any, q: Any) -> Any:
    return _kl_dirichlet(p._dirichlet, q._dirichlet)


@register_kl(Binomial, Binomial)
def _kl_binomial(p: Any, q: Any) -> Any:
    if (p.total_count < q.total_count).any():
        raise NotImplementedError("KL between Binomials where q.total_count > p.total_count is not implemented")
    kl = p.total_count * (p.probs * (p.logits - q.logits) + (-p.probs).log1p() - (-q.probs).log1p())
    return _infinite_where(kl, p.total_count > q.total_count)


@register_kl(Categorical, Categorical)
def _kl_categorical(p: Any, q: Any) -> Any:
    terms = p.probs * (p.logits - q.logits)
    terms = terms.masked_fill((q.probs == 0).expand_as(terms), math.inf)
    return terms.masked_fill((p.probs == 0).expand_as(terms), 0).sum(-1)


@register_kl(ContinuousBernoulli, ContinuousBernoulli)
def _kl_continuous_bernoulli(p: Any, q: Any) -> Any:
    return _under_continuous_bernoulli(p, p) - _under_continuous_bernoulli(p, q)


@register_kl(Dirichlet, Dirichlet)
def _kl_dirichlet(p: Any, q: Any) -> Any:
    a, b = p.concentration, q.concentration
    total = a.sum(-1)
    normalizers = total.lgamma() - b.sum(-1).lgamma() - (a.lgamma() - b.lgamma()).sum(-1)
    return normalizers + ((a - b) * (a.digamma() - total.digamma().unsqueeze(-1))).sum(-1)


@register_kl(Exponential, Exponential)
def _kl_exponential(p: Any, q: Any) -> Any:
    ratio = q.rate / p.rate
    return ratio - 1 - ratio.log()


@register_kl(Gamma, Gamma)
def _kl_gamma(p: Any, q: Any) -> Any:
    a, b = p.concentration, q.concentration
    return (
        b * (p.rate / q.rate).log() + b.lgamma() - a.lgamma() + (a - b) * a.digamma() + (q.rate - p.rate) * (a / p.rate)
    )


@register_kl(Gumbel, Gumbel)
def _kl_gumbel(p: Any, q: Any) -> Any:
    return -p.entropy() - _under_gumbel(p, q)


@register_kl(Geometric, Geometric)
def _kl_geometric(p: Any, q: Any) -> Any:
    return -p.entropy() - _C.log1p(-q.probs) / p.probs - q.logits


@register_kl(HalfNormal, HalfNormal)
def _kl_half_normal(p: Any, q: Any) -> Any:
    return _kl_normal(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _kl_laplace(p: Any, q: Any) -> Any:
    ratio = p.scale / q.scale
    distance = (p.loc - q.loc).abs()
    return -ratio.log() + distance / q.scale + ratio * (-distance / p.scale).exp() - 1


@register_kl(Normal, Normal)
def _kl_normal(p: Any, q: Any) -> Any:
    ratio = (p.scale / q.scale).pow(2)
    return 0.5 * (ratio + ((p.loc - q.loc) / q.scale).pow(2) - 1 - ratio.log())


@register_kl(OneHotCategorical, OneHotCategorical)
def _kl_one_hot_categorical(p: Any, q: Any) -> Any:
    return _kl_categorical(p._categorical, q._categorical)


@register_kl(Pareto, Pareto)
def _kl_pareto(p: Any, q: Any) -> Any:
    ratio = q.alpha / p.alpha
    kl = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return _infinite_where(kl, p.scale < q.scale)


@register_kl(Poisson, Poisson)
def _kl_poisson(p: Any, q: Any) -> Any:
    return p.rate * (p.rate.log() - q.rate.log()) - (p.rate - q.rate)


@register_kl(TransformedDistribution, TransformedDistribution)
def _kl_transformed(p: Any, q: Any) -> Any:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError
    return kl_divergence(p.base_dist, q.base_dist)


@register_kl(Uniform, Uniform)
def _kl_uniform(p: Any, q: Any) -> Any:
    kl = ((q.high - q.low) / (p.high - p.low)).log()
    return _infinite_where(kl, (q.low > p.low) | (q.high < p.high))


@register_kl(Independent, Independent)
def _kl_independent(p: Any, q: Any) -> Any:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError
    return _sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(Cauchy, Cauchy)
def _kl_cauchy(p: Any, q: Any) -> Any:
    return ((p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)).log() - (4 * p.scale * q.scale).log()


# ---- multivariate normals: (trace(Q^-1 P) + distance - n + log det Q - log det P) / 2 ----


def _squares(matrix: Any) -> Any:
    """trace(M M^T), batched."""
    return matrix.pow(2).sum((-2, -1))


def _factors(p: Any) -> list[Any]:
    """Matrices F with sum of F F^T the covariance."""
    if isinstance(p, MultivariateNormal):
        return [p._unbroadcasted_scale_tril]
    return [p._unbroadcasted_cov_factor, p._unbroadcasted_cov_diag.sqrt().diag_embed()]


def _log_det(p: Any) -> Any:
    if isinstance(p, MultivariateNormal):
        return 2 * _half_log_det(p._unbroadcasted_scale_tril)
    return _lowrank_logdet(p._unbroadcasted_cov_diag, p._capacitance_tril)


@register_kl(MultivariateNormal, MultivariateNormal)
@register_kl(MultivariateNormal, LowRankMultivariateNormal)
@register_kl(LowRankMultivariateNormal, MultivariateNormal)
@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
def _kl_multivariate_normal(p: Any, q: Any) -> Any:
    from rushlight import linalg

    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two (Low Rank) Multivariate Normals with different event shapes cannot be computed"
        )
    difference = q.loc - p.loc
    if isinstance(q, MultivariateNormal):
        tril = q._unbroadcasted_scale_tril
        distance = _batch_mahalanobis(tril, difference)
        trace = sum(_squares(linalg.solve_triangular(tril, f, upper=False)) for f in _factors(p))
    else:
        factor, diag, capacitance = q._unbroadcasted_cov_factor, q._unbroadcasted_cov_diag, q._capacitance_tril
        distance = _lowrank_mahalanobis(factor, diag, difference, capacitance)
        a = linalg.solve_triangular(capacitance, factor.mT / diag.unsqueeze(-2), upper=False)
        trace = sum(_squares(f * diag.rsqrt().unsqueeze(-1)) - _squares(a.matmul(f)) for f in _factors(p))
    return 0.5 * (_log_det(q) - _log_det(p) + trace + distance - p.event_shape[0])
