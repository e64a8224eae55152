"""Helpers around training: `utils.data`, hooks, and what scripts expect under this name."""

from __future__ import annotations

from typing import Any

from rushlight._missing import module_getattr

_SUBMODULES = frozenset(
    {
        "_pytree", "benchmark", "checkpoint", "collect_env", "data", "deterministic", "dlpack", "hooks", "model_zoo",
        "serialization", "tensorboard",
    }
)  # fmt: skip


__getattr__ = module_getattr(__name__, _SUBMODULES)


def swap_tensors(t1: Any, t2: Any) -> None:
    """Exchange what two tensors hold: values, shape, dtype and gradient.

    >>> a, b = torch.zeros(1), torch.ones(1)
    >>> torch.utils.swap_tensors(a, b)
    >>> a, b
    (tensor([1.]), tensor([0.]))
    """
    grads = t1.grad, t2.grad
    one, two = t1.data, t2.data
    wants = t1.requires_grad, t2.requires_grad
    for tensor, data, grad, wanted in ((t1, two, grads[1], wants[1]), (t2, one, grads[0], wants[0])):
        tensor.requires_grad_(False)
        tensor.grad = None
        tensor.data = data
        tensor.requires_grad_(wanted)
        tensor.grad = grad
