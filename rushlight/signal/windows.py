"""Windows: what a stretch of a signal is multiplied with, so that it begins and ends softly.

Each gives M values. `sym` says whether the window is symmetric (for filters) or one period of a periodic one (for spectra).

A window is a vector of M elements, in the default float dtype unless dtype says float32 or float64. sym=True is
symmetric, for filters; sym=False is periodic, for spectra of pieces of a signal. A negative M, and another dtype,
are a ValueError.

Reference: https://pytorch.org/docs/stable/signal.html
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from rushlight import _C

__all__ = [
    "bartlett",
    "blackman",
    "cosine",
    "exponential",
    "gaussian",
    "general_cosine",
    "general_hamming",
    "hamming",
    "hann",
    "kaiser",
    "nuttall",
]


def _window(
    name: str, M: int, values: Callable[[Any, int], Any], sym: bool, dtype: Any, requires_grad: bool, options: Any
) -> Any:
    """`values(k, n)` of the places k = 0 ... M - 1 of a symmetric window of n values."""
    dtype = _C.get_default_dtype() if dtype is None else dtype
    if dtype not in (_C.float32, _C.float64):
        raise ValueError(f"{name} expects float32 or float64 dtypes, got: {dtype}")
    if M < 0:
        raise ValueError(f"{name} requires non-negative window length, got M={M}")
    layout = options.pop("layout", None)
    if layout is not None and layout != _C.strided:
        raise ValueError(f"{name} is implemented for strided tensors only, got: {layout}")
    _C.empty(0, device=options.pop("device", None))
    if options:
        raise TypeError(f"{name}() got an unexpected keyword argument {next(iter(options))!r}")
    if M == 0:
        return _C.empty(0, dtype=dtype, requires_grad=requires_grad)
    if M == 1:
        return _C.ones(1, dtype=dtype, requires_grad=requires_grad)
    n = M if sym else M + 1
    made = values(_C.arange(M, dtype=_C.float64), n).to(dtype)
    return made.requires_grad_(requires_grad)


def exponential(
    M: int,
    *,
    center: float | None = None,
    tau: float = 1.0,
    sym: bool = True,
    dtype: Any = None,
    requires_grad: bool = False,
    **options: Any,
) -> Any:
    """exp(-|k - center| / tau).

    >>> torch.signal.windows.exponential(5)
    tensor([0.1353, 0.3679, 1.0000, 0.3679, 0.1353])
    """
    if tau <= 0:
        raise ValueError(f"Tau must be positive, got: {tau} instead.")
    if sym and center is not None:
        raise ValueError("Center must be None for symmetric windows")
    middle = center

    def values(k: Any, n: int) -> Any:
        return (-(k - ((n - 1) / 2 if middle is None else middle)).abs() / tau).exp()

    return _window("exponential", M, values, sym, dtype, requires_grad, options)


def cosine(M: int, *, sym: bool = True, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Any:
    """Half a wave of the sine.

    >>> torch.signal.windows.cosine(4)
    tensor([0.3827, 0.9239, 0.9239, 0.3827])
    """
    return _window("cosine", M, lambda k, n: ((k + 0.5) * (math.pi / n)).sin(), sym, dtype, requires_grad, options)


def gaussian(
    M: int, *, std: float = 1.0, sym: bool = True, dtype: Any = None, requires_grad: bool = False, **options: Any
) -> Any:
    """exp(-(k / std)^2 / 2), from the middle.

    >>> torch.signal.windows.gaussian(5)
    tensor([0.1353, 0.6065, 1.0000, 0.6065, 0.1353])
    """
    if std <= 0:
        raise ValueError(f"Standard deviation must be positive, got: {std} instead.")
    return _window(
        "gaussian", M, lambda k, n: (-(((k - (n - 1) / 2) / std) ** 2) / 2).exp(), sym, dtype, requires_grad, options
    )


def kaiser(
    M: int, *, beta: float = 12.0, sym: bool = True, dtype: Any = None, requires_grad: bool = False, **options: Any
) -> Any:
    """i0(beta sqrt(1 - x^2)) / i0(beta), x from -1 to 1.

    >>> torch.signal.windows.kaiser(5, beta=6.)
    tensor([0.0149, 0.4830, 1.0000, 0.4830, 0.0149])
    """
    if beta < 0:
        raise ValueError(f"beta must be non-negative, got: {beta} instead.")

    def values(k: Any, n: int) -> Any:
        inside = (1 - (2 * k / (n - 1) - 1) ** 2).clamp_min(0)
        return (beta * inside.sqrt()).i0() / _C.tensor(beta, dtype=_C.float64).i0()

    return _window("kaiser", M, values, sym, dtype, requires_grad, options)


def general_cosine(
    M: int, *, a: Sequence[float], sym: bool = True, dtype: Any = None, requires_grad: bool = False, **options: Any
) -> Any:
    """A sum of cosines: a[0] - a[1] cos(x) + a[2] cos(2 x) - ..., x from 0 to 2 pi.

    >>> torch.signal.windows.general_cosine(5, a=[0.5, 0.5])
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    if not isinstance(a, Sequence):
        raise TypeError("Coefficients must be a list/tuple")
    if not a:
        raise ValueError("Coefficients cannot be empty")

    def values(k: Any, n: int) -> Any:
        x = k * (2 * math.pi / (n - 1))
        return sum((-1) ** i * weight * (i * x).cos() for i, weight in enumerate(a))

    return _window("general_cosine", M, values, sym, dtype, requires_grad, options)


def general_hamming(M: int, *, alpha: float = 0.54, sym: bool = True, **options: Any) -> Any:
    """alpha - (1 - alpha) cos(x), x from 0 to 2 pi.

    >>> torch.signal.windows.general_hamming(5)
    tensor([0.0800, 0.5400, 1.0000, 0.5400, 0.0800])
    """
    return general_cosine(M, a=[alpha, 1.0 - alpha], sym=sym, **options)


def hamming(M: int, *, sym: bool = True, **options: Any) -> Any:
    """0.54 - 0.46 cos(x), x from 0 to 2 pi.

    >>> torch.signal.windows.hamming(5)
    tensor([0.0800, 0.5400, 1.0000, 0.5400, 0.0800])
    """
    return general_hamming(M, sym=sym, **options)


def hann(M: int, *, sym: bool = True, **options: Any) -> Any:
    """0.5 - 0.5 cos(x), x from 0 to 2 pi.

    >>> torch.signal.windows.hann(5), torch.signal.windows.hann(4, sym=False)
    (tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000]), tensor([0.0000, 0.5000, 1.0000, 0.5000]))
    """
    return general_hamming(M, alpha=0.5, sym=sym, **options)


def blackman(M: int, *, sym: bool = True, **options: Any) -> Any:
    """0.42 - 0.5 cos(x) + 0.08 cos(2 x), x from 0 to 2 pi.

    >>> torch.signal.windows.blackman(5)[1:4]
    tensor([0.3400, 1.0000, 0.3400])
    """
    return general_cosine(M, a=[0.42, 0.5, 0.08], sym=sym, **options)


def nuttall(M: int, *, sym: bool = True, **options: Any) -> Any:
    """A sum of four cosines.

    >>> torch.signal.windows.nuttall(5)
    tensor([3.6280e-04, 2.2698e-01, 1.0000e+00, 2.2698e-01, 3.6280e-04])
    """
    return general_cosine(M, a=[0.3635819, 0.4891775, 0.1365995, 0.0106411], sym=sym, **options)


def bartlett(M: int, *, sym: bool = True, dtype: Any = None, requires_grad: bool = False, **options: Any) -> Any:
    """A triangle.

    >>> torch.signal.windows.bartlett(5)
    tensor([0.0000, 0.5000, 1.0000, 0.5000, 0.0000])
    """
    return _window("bartlett", M, lambda k, n: 1 - (2 * k / (n - 1) - 1).abs(), sym, dtype, requires_grad, options)
