"""torch.special: special functions. Each is an op of the core: the same as torch.special_NAME or torch.NAME."""

from __future__ import annotations

from typing import Any

from rushlight import _C

# The names under which the core has what is not called special_NAME there.
_SAME_AS = {
    "digamma": "digamma", "erf": "erf", "erfc": "erfc", "erfinv": "erfinv", "exp2": "exp2", "expit": "sigmoid",
    "expm1": "expm1", "gammainc": "igamma", "gammaincc": "igammac", "gammaln": "lgamma", "i0": "i0", "log1p": "log1p",
    "log_softmax": "log_softmax", "logit": "logit", "logsumexp": "logsumexp", "multigammaln": "mvlgamma",
    "polygamma": "polygamma", "psi": "digamma", "round": "round", "sinc": "sinc", "softmax": "softmax",
    "xlogy": "xlogy",
}  # fmt: skip
_PREFIX = "special_"

_SHIFTED = frozenset(f"shifted_chebyshev_polynomial_{kind}" for kind in "tuvw")

__all__ = sorted({*_SAME_AS, *_SHIFTED, *(name.removeprefix(_PREFIX) for name in dir(_C) if name.startswith(_PREFIX))})


def __getattr__(name: str) -> Any:
    if name in _SAME_AS:
        value = getattr(_C, _PREFIX + name, None) or getattr(_C, _SAME_AS[name])
    elif not name.startswith("_") and hasattr(_C, _PREFIX + name):
        value = getattr(_C, _PREFIX + name)
    elif name in _SHIFTED:
        value = _shifted(name)
    else:
        from rushlight._missing import no_attribute

        raise no_attribute(__name__, name, __all__)
    globals()[name] = value
    return value


def _shifted(name: str) -> Any:
    """A Chebyshev polynomial on [0, 1]: the usual one at 2x - 1."""
    usual = getattr(_C, _PREFIX + name.removeprefix("shifted_"))

    def polynomial(input: Any, n: Any, *, out: Any = None) -> Any:
        return usual(2 * input - 1, n, out=out)

    polynomial.__name__ = polynomial.__qualname__ = name
    polynomial.__doc__ = f"`{name.removeprefix('shifted_')}` at 2 * input - 1."
    return polynomial


def __dir__() -> list[str]:
    return list(__all__)
