"""Compositions that summarise data."""

from __future__ import annotations

import math
from typing import Any

from rushlight import _C
from rushlight._autocast import in_float32
from rushlight._composite import composite
from rushlight._dims import wrapped
from rushlight._results import result_type


def _check_weights(name: str, weights: Any, count: int) -> None:
    floating = weights.dtype.is_floating_point
    whole = not floating and not weights.dtype.is_complex and weights.dtype != _C.bool
    if not (floating if name == "aweights" else whole):
        kind = "floating point" if name == "aweights" else "integral"
        got = str(weights.dtype).removeprefix("torch.")
        raise RuntimeError(f"cov(): expected {name} to have {kind} dtype but got {name} with {got} dtype")
    if weights.dim() > 1:
        raise RuntimeError(
            f"cov(): expected {name} to have one or fewer dimensions but got {name} with {weights.dim()} dimensions"
        )
    if weights.numel() != count:
        raise RuntimeError(
            f"cov(): expected {name} to have the same numel as there are observations in the input but got "
            f"{weights.numel()} != {count}"
        )
    if count and weights.min() < 0:
        raise RuntimeError(f"cov(): {name} cannot be negative")


@composite("cov(Tensor self, *, int correction=1, Tensor? fweights=None, Tensor? aweights=None) -> Tensor")
def cov(input: Any, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Any:
    """The covariance matrix of the rows, columns being observations.

    Args:
        correction: subtracted from the number of observations.
        fweights: how often each observation counts.
        aweights: how much each observation weighs.

    >>> torch.cov(torch.tensor([[1., 2., 3.], [3., 2., 1.]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.cov.html
    """
    if input.dim() > 2:
        raise RuntimeError(
            f"cov(): expected input to have two or fewer dimensions but got an input with {input.dim()} dimensions"
        )
    if input.dtype == _C.bool:
        raise RuntimeError("cov(): bool dtype is not supported for input")
    if not (input.dtype.is_floating_point or input.dtype.is_complex):
        input = input.to(_C.get_default_dtype())
    rows = input.reshape(1, -1) if input.dim() < 2 else input
    count = rows.shape[1]
    for name, given in (("fweights", fweights), ("aweights", aweights)):
        if given is not None:
            _check_weights(name, given, count)
    weights = fweights
    if aweights is not None:
        weights = aweights if weights is None else weights * aweights
    if weights is None:
        total: Any = count
        mean = rows.sum(1, keepdim=True) / count if count else rows.sum(1, keepdim=True)
    else:
        total = weights.sum()
        if total == 0:
            raise RuntimeError("cov(): weights sum to zero, can't be normalized")
        mean = (rows * weights).sum(1, keepdim=True) / total
    if weights is None:
        norm = total - correction
        if norm <= 0:
            import warnings

            warnings.warn(
                "cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of observations.",
                stacklevel=3,
            )
            norm = 0
    elif aweights is not None and correction != 0:
        norm = (total - correction * (weights * aweights).sum() / total).clamp_min(0)
    else:
        norm = (total - correction).clamp_min(0)
    centred = rows - mean
    weighted = centred if weights is None else centred * weights
    other = weighted.t().conj() if rows.dtype.is_complex else weighted.t()
    result = _C.mm(centred, other)
    return (result / norm).squeeze()


@composite("corrcoef(Tensor self) -> Tensor")
def corrcoef(input: Any) -> Any:
    """The correlation coefficients of the rows, columns being observations.

    >>> torch.corrcoef(torch.tensor([[1., 2., 3.], [3., 2., 1.]]))
    tensor([[ 1., -1.],
            [-1.,  1.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.corrcoef.html
    """
    if input.dim() > 2:
        raise RuntimeError(
            f"corrcoef(): expected input to have two or fewer dimensions but got an input with {input.dim()} dimensions"
        )
    c = cov(input)
    if c.dim() == 0:
        return c / c
    spread = c.diagonal()
    spread = (spread.real if spread.dtype.is_complex else spread).sqrt()
    result = c / spread.unsqueeze(1) / spread.unsqueeze(0)
    return result if result.dtype.is_complex else result.clamp(-1, 1)


_Histogram = result_type("histogram", "hist", "bin_edges")
_Histogramdd = result_type("histogramdd", "hist", "bin_edges")
_INTERPOLATIONS = ("linear", "lower", "higher", "midpoint", "nearest")


def _quantile(
    name: str, input: Any, q: Any, dim: int | None, keepdim: bool, interpolation: str, ignore_nan: bool
) -> Any:
    if not isinstance(q, _C.Tensor):
        if not 0 <= q <= 1:
            raise RuntimeError(f"{name}() q must be in the range [0, 1] but got {q}")
        q = _C.tensor(q, dtype=input.dtype)
    if input.numel() == 0:
        raise RuntimeError(f"{name}() input tensor must be non-empty")
    if input.dtype not in (_C.float32, _C.float64):
        raise RuntimeError(f"{name}() input tensor must be either float or double dtype")
    if q.dim() > 1:
        raise RuntimeError(f"{name}() q must be a scalar or 1D tensor")
    if q.dtype != input.dtype:
        raise RuntimeError(f"{name}() q tensor must be same dtype as the input tensor")
    if interpolation not in _INTERPOLATIONS:
        raise RuntimeError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
        )
    if not bool(((q >= 0) & (q <= 1)).all()):
        raise RuntimeError(f"{name}() q values must be in the range [0, 1]")
    shape = list(input.shape)
    if dim is None:
        values, kept = input.reshape(-1), [1] * input.dim()
    else:
        dim = wrapped(dim, input.dim())
        values = input.transpose(dim, -1) if input.dim() else input.reshape(1)
        kept = [1 if d == dim else n for d, n in enumerate(shape)]
    values = values.sort(-1)[0]
    size = values.shape[-1]
    spread_q = q.reshape([-1] + [1] * values.dim())  # (Q, 1, ..., 1)
    invalid = values.isnan()
    if ignore_nan:
        last = (invalid.logical_not().sum(-1, keepdim=True) - 1).clamp_min(0)
        rank = spread_q * last
    else:
        rank = spread_q * (size - 1)
        rank = rank.expand([rank.shape[0], *values.shape[:-1], 1])
        rank = _C.where(invalid.any(-1, keepdim=True), _C.tensor(float(size - 1), dtype=rank.dtype), rank)
    if interpolation == "lower":
        rank = rank.floor()
    elif interpolation == "higher":
        rank = rank.ceil()
    elif interpolation == "nearest":
        rank = rank.round()
    below = rank.to(_C.int64)
    wide = values.unsqueeze(0).expand([below.shape[0], *values.shape])
    low = wide.gather(-1, below)
    if interpolation in ("linear", "midpoint"):
        weight = _C.full_like(rank, 0.5) if interpolation == "midpoint" else rank - below.to(rank.dtype)
        high = wide.gather(-1, rank.ceil().to(_C.int64))
        low = low.lerp(high, weight)
    if dim is None:
        result = low.reshape([-1, *(kept if keepdim else [])])
    else:
        result = low.transpose(dim + 1, -1) if input.dim() else low.reshape(-1)
        if not keepdim and input.dim():
            result = result.squeeze(dim + 1)
    return result.squeeze(0) if q.dim() == 0 else result


@composite(
    "quantile(Tensor self, Tensor q, int? dim=None, bool keepdim=False, *, str interpolation='linear') -> Tensor"
)
@in_float32
def quantile(
    input: Any, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear", out: Any = None
) -> Any:
    """The q-quantiles along dim (or of all values); NaN wherever there is one.

    Args:
        q: a number or a vector of numbers in [0, 1]; a vector adds a first dimension.
        interpolation: between neighbours: "linear", "lower", "higher", "midpoint" or "nearest".

    >>> torch.quantile(torch.tensor([1., 2., 3., 4.]), torch.tensor([0.5, 1.]))
    tensor([2.5000, 4.0000])

    Reference: https://pytorch.org/docs/stable/generated/torch.quantile.html
    """
    result = _quantile("quantile", input, q, dim, keepdim, interpolation, False)
    return result if out is None else _C._write_out(out, result)


@composite(
    "nanquantile(Tensor self, Tensor q, int? dim=None, bool keepdim=False, *, str interpolation='linear') -> Tensor"
)
@in_float32
def nanquantile(
    input: Any, q: Any, dim: int | None = None, keepdim: bool = False, *, interpolation: str = "linear", out: Any = None
) -> Any:
    """quantile of the values that are not NaN.

    >>> torch.nanquantile(torch.tensor([1., float('nan'), 3.]), 0.5)
    tensor(2.)
    """
    result = _quantile("nanquantile", input, q, dim, keepdim, interpolation, True)
    return result if out is None else _C._write_out(out, result)


def _edges(values: Any, bins: Any, limits: Any) -> Any:
    """The edges of the bins: those that are given, or of so many bins from one limit to the other."""
    if not values.is_floating_point():
        raise NotImplementedError(f'"histogramdd" not implemented for {values.dtype}: it counts floating point values')
    if isinstance(bins, _C.Tensor):
        if bins.dim() != 1 or bins.numel() < 2:
            raise RuntimeError(f"torch.histogram(): edges are a vector of at least 2, got shape {tuple(bins.shape)}")
        return bins
    if bins <= 0:
        raise RuntimeError(f"torch.histogramdd(): bins must be > 0, but got {bins}")
    low, high = limits or ((values.min().item(), values.max().item()) if values.numel() else (0.0, 1.0))
    if not (math.isfinite(low) and math.isfinite(high)):
        raise RuntimeError(f"torch.histogramdd: the range [{low}, {high}] is not finite")
    if low > high:
        raise RuntimeError(f"torch.histogramdd: min should not exceed max, but got min {low} max {high}")
    if low == high:
        low, high = low - 0.5, high + 0.5
    return _C.linspace(low, high, bins + 1, dtype=values.dtype)


def _bin_of(values: Any, edges: Any) -> tuple[Any, Any]:
    """The bin of each value, and whether it is in one; the last includes its right edge."""
    count = edges.numel() - 1
    at = _C.searchsorted(edges, values.contiguous(), right=True) - 1
    at = _C.where(values == edges[-1], count - 1, at)
    return at, (at >= 0) & (at < count) & (values <= edges[-1])  # NaN is at most nothing


def _amounts(weight: Any, points: Any, dtype: Any) -> Any:
    """What each point counts for: 1, or its weight."""
    if weight is None:
        return _C.ones(points.shape[0], dtype=dtype)
    if weight.numel() != points.shape[0]:
        raise RuntimeError(
            f"torch.histogramdd: weight needs a number for each of the {points.shape[0]} points, got {weight.numel()}"
        )
    return weight.reshape(-1).to(dtype)


def _constant_in(hist: Any, name: str, input: Any) -> Any:
    if not input.requires_grad:
        return hist
    from rushlight.autograd.function import without_derivative

    return without_derivative(name, hist, input)


@composite(
    "histogram(Tensor self, int bins, *, float[]? range=None, Tensor? weight=None, bool density=False) -> (Tensor hist, Tensor bin_edges)"
)
def histogram(
    input: Any, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False, out: Any = None
) -> Any:
    """How many values (or what weight) fall between neighbouring edges; the last bin includes its right edge.

    Args:
        bins: their number, or the edges.
        range: (lowest, highest) edge where bins is a number; the extremes of input by default.
        weight: of each value.
        density: scale so that the integral is 1.

    >>> torch.histogram(torch.tensor([0., 1., 1., 2., 4.]), bins=4)
    torch.return_types.histogram(
    hist=tensor([1., 2., 1., 1.]),
    bin_edges=tensor([0., 1., 2., 3., 4.]))

    Reference: https://pytorch.org/docs/stable/generated/torch.histogram.html
    """
    values = input.reshape(-1)
    edges = _edges(values, bins, range)
    at, inside = _bin_of(values, edges)
    amount = _amounts(weight, values, input.dtype)
    hist = _C.zeros(edges.numel() - 1, dtype=input.dtype).scatter_add(0, at[inside], amount[inside])
    if density:
        hist = hist / hist.sum() / (edges[1:] - edges[:-1])
    hist = _constant_in(hist, "histogram", input)
    if out is not None:
        hist, edges = _C._write_out(out[0], hist), _C._write_out(out[1], edges)
    return _Histogram(hist, edges)


@composite(
    "histogramdd(Tensor self, int[] bins, float[]? range=None, Tensor? weight=None, bool density=False) -> (Tensor hist, Tensor[] bin_edges)",
)
def histogramdd(input: Any, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False) -> Any:
    """How many points (or what weight) fall into each cell of a grid.

    Args:
        input: (..., D): points.
        bins: how many cells along each axis, one number for all, or the edges along each.
        range: the lowest and highest edge of each axis, one after the other.
        weight: of each point.
        density: scale so that the integral is 1.

    >>> torch.histogramdd(torch.tensor([[0., 0.], [1., 1.], [1., 1.]]), bins=[2, 2]).hist
    tensor([[1., 0.],
            [0., 2.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.histogramdd.html
    """
    if input.dim() < 2:
        raise RuntimeError("torch.histogramdd: input tensor should have at least 2 dimensions")
    points = input.reshape(-1, input.shape[-1])
    axes = points.shape[1]
    per_axis = [bins] * axes if isinstance(bins, (int, _C.Tensor)) else list(bins)
    if len(per_axis) != axes:
        raise RuntimeError(
            f"torch.histogramdd: expected {axes} sequences of bin edges for a {axes}-dimensional histogram but got "
            f"{len(per_axis)}"
        )
    if range is not None and len(range) != 2 * axes:
        raise RuntimeError(
            f"torch.histogramdd: for a {axes}-dimensional histogram range should have {2 * axes} elements, but got "
            f"{len(range)}"
        )
    flat: Any = 0
    inside, edges = _C.ones(len(points), dtype=_C.bool), []
    for axis, wanted in enumerate(per_axis):
        edges.append(_edges(points[:, axis], wanted, None if range is None else range[2 * axis : 2 * axis + 2]))
        at, within = _bin_of(points[:, axis], edges[-1])
        inside = inside & within
        flat = flat * (edges[-1].numel() - 1) + at
    shape = [one.numel() - 1 for one in edges]
    amount = _amounts(weight, points, input.dtype)
    hist = _C.zeros(math.prod(shape), dtype=input.dtype).scatter_add(0, flat[inside], amount[inside]).reshape(shape)
    if density:
        hist = hist / hist.sum()
        for axis, one in enumerate(edges):
            widths = one[1:] - one[:-1]
            hist = hist / widths.reshape([-1 if i == axis else 1 for i, _ in enumerate(shape)])
    return _Histogramdd(_constant_in(hist, "histogramdd", input), tuple(edges))
