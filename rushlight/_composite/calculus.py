"""Differences, gradients and integrals of sampled functions."""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight._composite import composite
from rushlight._dims import wrapped


@composite("diff(Tensor self, int n=1, int dim=-1, Tensor? prepend=None, Tensor? append=None) -> Tensor")
def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None, *, out: Any = None) -> Any:
    """The n-th difference of neighbours along dim.

    >>> torch.diff(torch.tensor([1, 3, 6])), torch.diff(torch.tensor([1, 3, 6]), n=2)
    (tensor([2, 3]), tensor([1]))

    Reference: https://pytorch.org/docs/stable/generated/torch.diff.html
    """
    if input.dim() == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    dim = wrapped(dim, input.dim())
    parts = [t for t in (prepend, input, append) if t is not None] if n else [input]
    for extra in (prepend, append):
        if extra is not None and extra.dim() != input.dim():
            raise RuntimeError("diff expects prepend or append to be the same dimension as input")
    result = _C.cat(parts, dim) if len(parts) > 1 else input
    for _ in range(min(n, result.shape[dim])):
        length = result.shape[dim]
        high, low = result.narrow(dim, 1, length - 1), result.narrow(dim, 0, length - 1)
        result = high.logical_xor(low) if result.dtype == _C.bool else high - low
    if n == 0:
        result = result.clone()
    return result if out is None else _C._write_out(out, result)


@composite("gradient(Tensor self, *, Scalar? spacing=None, int? dim=None, int edge_order=1) -> Tensor[]", method=False)
def gradient(input: Any, *, spacing: Any = 1, dim: Any = None, edge_order: int = 1) -> Any:
    """The derivative along each dimension by central differences, one-sided at the edges.

    Args:
        input: the samples.
        spacing: the distance of samples (one number, or one for each dimension), or their coordinates.
        dim: which dimensions; all by default.
        edge_order: 1 or 2: the order of the estimate at the edges.

    >>> torch.gradient(torch.tensor([0., 1., 4., 9.]))
    (tensor([1., 2., 4., 5.]),)

    Reference: https://pytorch.org/docs/stable/generated/torch.gradient.html
    """
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    dims = list(range(input.dim())) if dim is None else [dim] if isinstance(dim, int) else list(dim)
    dims = [wrapped(d, input.dim()) for d in dims]
    if len(set(dims)) != len(dims):
        raise RuntimeError("dim appears multiple times in the list of dims")
    if spacing is None:
        spacing = 1
    if isinstance(spacing, (int, float, complex)) or (isinstance(spacing, _C.Tensor) and spacing.dim() == 0):
        spacing = [spacing] * len(dims)
    spacing = list(spacing) if not isinstance(spacing, _C.Tensor) else [spacing]
    if len(spacing) != len(dims):
        raise RuntimeError(
            f"torch.gradient expected spacing to be unspecified, a scalar, or a list of length {len(dims)}, but got a "
            f"list of length {len(spacing)}"
        )
    if not (input.dtype.is_floating_point or input.dtype.is_complex):
        input = input.to(_C.get_default_dtype())
    for d in dims:
        if input.shape[d] < edge_order + 1:
            raise RuntimeError(
                f"torch.gradient expected each dimension size to be at least edge_order+1, but got {input.shape[d]}"
            )
    return tuple(_derivative(input, d, h, edge_order) for d, h in zip(dims, spacing, strict=True))


def _derivative(f: Any, dim: int, spacing: Any, edge_order: int) -> Any:
    n = f.shape[dim]
    if isinstance(spacing, _C.Tensor) and spacing.dim() == 1:
        steps = spacing[1:] - spacing[:-1]
    else:
        steps = _C.full((n - 1,), 1.0, dtype=_C.float64 if f.dtype == _C.float64 else None) * spacing
    steps = steps.to(f.dtype)

    def at(start: int, length: int) -> Any:
        return f.narrow(dim, start, length)

    def shaped(h: Any) -> Any:
        return h.reshape([-1 if d == dim else 1 for d in range(f.dim())])

    parts = []
    if n > 2:
        a, b = shaped(steps[:-1]), shaped(steps[1:])
        middle = (
            at(0, n - 2) * (-b / (a * (a + b)))
            + at(1, n - 2) * ((b - a) / (a * b))
            + at(2, n - 2) * (a / (b * (a + b)))
        )
        parts.append(middle)
    if edge_order == 1:
        first = (at(1, 1) - at(0, 1)) / shaped(steps[:1])
        last = (at(n - 1, 1) - at(n - 2, 1)) / shaped(steps[-1:])
    else:
        a, b = shaped(steps[:1]), shaped(steps[1:2])
        first = (
            at(0, 1) * (-(2 * a + b) / (a * (a + b))) + at(1, 1) * ((a + b) / (a * b)) - at(2, 1) * (a / (b * (a + b)))
        )
        a, b = shaped(steps[-2:-1]), shaped(steps[-1:])
        last = (
            at(n - 3, 1) * (b / (a * (a + b)))
            - at(n - 2, 1) * ((a + b) / (a * b))
            + at(n - 1, 1) * ((2 * b + a) / (b * (a + b)))
        )
    return _C.cat([first, *parts, last], dim)


def _intervals(name: str, y: Any, x: Any, dx: Any, dim: int) -> Any:
    """The trapezoid over each pair of neighbours along dim."""
    n = y.shape[dim]
    low, high = y.narrow(dim, 0, n - 1), y.narrow(dim, 1, n - 1)
    if x is None:
        return (low + high) * dx / 2.0
    if x.dim() == 1 and y.dim() > 1:
        if x.shape[0] != n:
            raise RuntimeError(
                f"{name}(): There must be one `x` value for each sample point, got {x.shape[0]} for {n} points"
            )
        step = (x[1:] - x[:-1]).reshape([-1 if d == dim else 1 for d in range(y.dim())])
    else:
        along = dim - y.dim()
        step = x.narrow(along, 1, x.shape[along] - 1) - x.narrow(along, 0, x.shape[along] - 1)
    return (low + high) * step / 2.0


@composite("trapezoid(Tensor y, Tensor? x=None, *, Scalar dx=1, int dim=-1) -> Tensor", method=False)
def trapezoid(y: Any, x: Any = None, *, dx: Any = 1, dim: int = -1) -> Any:
    """The integral along dim by the trapezoidal rule, over points x or with spacing dx.

    >>> torch.trapezoid(torch.tensor([0., 1., 2.]), dx=0.5)
    tensor(1.)

    Reference: https://pytorch.org/docs/stable/generated/torch.trapezoid.html
    """
    dim = wrapped(dim, y.dim())
    if y.shape[dim] == 0:
        return y.sum(dim).to(y.dtype if y.dtype.is_floating_point else _C.get_default_dtype()) * 0
    if y.dtype == _C.bool:
        raise RuntimeError("trapezoid: received a bool input for `y`, but bool is not supported")
    return _intervals("trapezoid", y, x, dx, dim).sum(dim)


@composite("trapz(Tensor y, Tensor? x=None, *, float dx=1, int dim=-1) -> Tensor", method=False)
def trapz(y: Any, x: Any = None, *, dx: Any = 1, dim: int = -1) -> Any:
    """The same as trapezoid.

    >>> torch.trapz(torch.tensor([0., 1., 2.]), torch.tensor([0., 1., 3.]))
    tensor(3.5000)
    """
    return trapezoid(y, x, dx=dx, dim=dim)


@composite("cumulative_trapezoid(Tensor y, Tensor? x=None, *, Scalar dx=1, int dim=-1) -> Tensor", method=False)
def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = 1, dim: int = -1) -> Any:
    """The integrals up to each point along dim, by the trapezoidal rule: one value fewer than points.

    >>> torch.cumulative_trapezoid(torch.tensor([0., 1., 2.]))
    tensor([0.5000, 2.0000])

    Reference: https://pytorch.org/docs/stable/generated/torch.cumulative_trapezoid.html
    """
    if y.dtype == _C.bool:
        raise RuntimeError("cumulative_trapezoid: received a bool input for `y`, but bool is not supported")
    dim = wrapped(dim, y.dim())
    if y.shape[dim] == 0:
        return y.clone()
    return _intervals("cumulative_trapezoid", y, x, dx, dim).cumsum(dim)
