"""Helpers around training: `utils.data`, hooks, and what scripts expect under this name."""

from __future__ import annotations

import importlib
from typing import Any

_SUBMODULES = frozenset(
    {
        "_pytree", "benchmark", "checkpoint", "collect_env", "data", "deterministic", "dlpack", "hooks", "model_zoo",
        "serialization", "tensorboard",
    }
)  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    from rushlight._missing import no_attribute

    raise no_attribute(__name__, name, _SUBMODULES)


def swap_tensors(t1: Any, t2: Any) -> None:
    """Exchange what two tensors hold: values, shape, dtype and gradient."""
    grads = t1.grad, t2.grad
    one, two = t1.data, t2.data
    wants = t1.requires_grad, t2.requires_grad
    for tensor, data, grad, wanted in ((t1, two, grads[1], wants[1]), (t2, one, grads[0], wants[0])):
        tensor.requires_grad_(False)
        tensor.grad = None
        tensor.data = data
        tensor.requires_grad_(wanted)
        tensor.grad = grad
