"""Comparisons for tests: `assert_close`, `assert_equal`-like with tolerances 0, and `make_tensor`."""

from __future__ import annotations

from rushlight._missing import module_getattr
from rushlight.testing._comparison import assert_allclose, assert_close

__all__ = ["assert_allclose", "assert_close", "make_tensor"]


__getattr__ = module_getattr(__name__, homes={"make_tensor": "_creation"})
