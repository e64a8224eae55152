"""Tracing through tensors."""

from __future__ import annotations

from rushlight._later import absent_function

__all__ = ["get_proxy_mode", "make_fx"]

make_fx = absent_function("torch.fx.experimental.proxy_tensor.make_fx", "programs are not turned into graphs yet")


def get_proxy_mode() -> None:
    """None: nothing is traced."""
