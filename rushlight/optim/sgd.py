"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from rushlight.optim.optimizer import Optimizer, check_implementation, check_options

__all__ = ["SGD"]


class SGD(Optimizer):
    """p -= lr * g, with momentum if asked: buf = momentum * buf + (1 - dampening) * g; p -= lr * buf.

    Args:
        params: what to optimize: tensors, (name, tensor) pairs, or groups.
        lr: the step size.
        momentum, dampening: see above; the first buffer is the first gradient.
        weight_decay: adds weight_decay * p to the gradient.
        nesterov: step along g + momentum * buf instead of buf.
        maximize: ascend instead.
        foreach, fused: accepted; one fused update is used always.
        differentiable: the step is recorded, so that gradients flow through it.

    Raises:
        ValueError: a negative option, or nesterov without momentum or with dampening.

    Reference: Sutskever et al., On the importance of initialization and momentum in deep learning (2013)

    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = torch.optim.SGD([w], lr=0.1)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w.detach()
    tensor([0.8000, 1.6000])
    """

    _rule = "sgd"

    def __init__(
        self, params: Any, lr: Any = 1e-3, momentum: float = 0, dampening: float = 0, weight_decay: Any = 0,
        nesterov: bool = False, *, maximize: bool = False, foreach: bool | None = None, differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:  # fmt: skip
        check_options(lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay,
            "nesterov": nesterov, "maximize": maximize, "foreach": foreach, "differentiable": differentiable,
            "fused": fused,
        })  # fmt: skip
        check_implementation(foreach, fused, differentiable)
