"""Modules whose weights nobody has drawn."""

from __future__ import annotations

import inspect
from typing import Any

__all__ = ["skip_init"]


def skip_init(module_cls: Any, *args: Any, **kwargs: Any) -> Any:
    """A module whose parameters are memory that nobody has written, for weights that are loaded anyway.

    Args:
        module_cls: the class; its constructor must take `device`.
        args, kwargs: for the constructor; the module ends up on `device`.

    Raises:
        RuntimeError: the class is no module, or takes no `device`.

    >>> torch.nn.utils.skip_init(torch.nn.Linear, 3, 2).weight.shape
    torch.Size([2, 3])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.utils.skip_init.html
    """
    from rushlight.nn.modules.module import Module

    if not issubclass(module_cls, Module):
        raise RuntimeError(f"Expected a Module; got {module_cls}")
    if "device" not in inspect.signature(module_cls).parameters:
        raise RuntimeError("Module must support a 'device' arg to skip initialization")
    device = kwargs.pop("device", "cpu")
    return module_cls(*args, device="meta", **kwargs).to_empty(device=device)
