"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight.optim.optimizer import Optimizer

__all__ = ["SGD"]


class SGD(Optimizer):
    """p -= lr * g, with momentum if asked: buf = momentum * buf + (1 - dampening) * g; p -= lr * buf.

    Args:
        params: what to optimize.
        lr: the step size.
        momentum, dampening: see above; the first buffer is the first gradient.
        weight_decay: adds weight_decay * p to the gradient.
        nesterov: step along g + momentum * buf instead of buf.
        maximize: ascend instead.
        foreach, fused, differentiable: accepted; one fused update is used always.

    Raises:
        ValueError: a negative option, or nesterov without momentum or with dampening.

    Reference: https://pytorch.org/docs/stable/generated/torch.optim.SGD.html (Sutskever et al. 2013)
    """

    def __init__(
        self, params: Any, lr: Any = 1e-3, momentum: float = 0, dampening: float = 0, weight_decay: Any = 0,
        nesterov: bool = False, *, maximize: bool = False, foreach: bool | None = None, differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:  # fmt: skip
        if isinstance(lr, _C.Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        for name, value in (("learning rate", lr), ("momentum value", momentum), ("weight_decay value", weight_decay)):
            if value < 0.0:
                raise ValueError(f"Invalid {name}: {value}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
            "nesterov": nesterov, "maximize": maximize, "foreach": foreach, "differentiable": differentiable,
            "fused": fused,
        })  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            for name, default in (
                ("nesterov", False), ("maximize", False), ("foreach", None), ("differentiable", False), ("fused", False)
            ):  # fmt: skip
                group.setdefault(name, default)

    def _step_group(self, group: dict[str, Any]) -> None:
        params, grads = [], []
        for p in group["params"]:
            grad = p.grad
            if grad is not None:
                params.append(p)
                grads.append(grad)
        momentum = group["momentum"]
        buffers: list[Any] | None = None
        if momentum:
            state = self.state
            buffers = [state[p].get("momentum_buffer") for p in params]
        _C._sgd_step(
            params, grads, buffers, group["lr"], momentum, group["dampening"], group["weight_decay"],
            group["nesterov"], group["maximize"],
        )  # fmt: skip
        if buffers is not None:
            for p, buffer in zip(params, buffers, strict=True):
                state[p]["momentum_buffer"] = buffer
