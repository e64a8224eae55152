"""Comparisons for tests: `assert_close`, `assert_equal`-like with tolerances 0, and `make_tensor`."""

from __future__ import annotations

from typing import Any

from rushlight.testing._comparison import assert_allclose, assert_close

__all__ = ["assert_allclose", "assert_close", "make_tensor"]


def __getattr__(name: str) -> Any:
    if name == "make_tensor":
        from rushlight.testing._creation import make_tensor

        return make_tensor
    from rushlight._missing import no_attribute

    raise no_attribute(__name__, name, __all__)
