"""Averaged stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from rushlight.optim.optimizer import Optimizer, check_options

__all__ = ["ASGD"]


class ASGD(Optimizer):
    """Gradient descent with a falling step size eta, and the average ax of the parameters since step t0 (in the state).

    p = (1 - lambd * eta) * p - eta * g; eta = lr / (1 + lambd * lr * t)**alpha; ax += mu * (p - ax); mu = 1 / (t - t0)

    Args:
        params: what to optimize: tensors, (name, tensor) pairs, or groups.
        lr, lambd, alpha, t0: see above.
        weight_decay: adds weight_decay * p to the gradient.
        maximize: ascend instead.
        foreach, capturable: accepted; one fused update is used always.
        differentiable: the step is recorded, so that gradients flow through it.

    Raises:
        ValueError: a negative option.

    Reference: Polyak and Juditsky, Acceleration of stochastic approximation by averaging (1992)

    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = torch.optim.ASGD([w], lr=0.1)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w.detach()
    tensor([0.8000, 1.6000])
    """

    _rule = "asgd"

    def __init__(
        self, params: Any, lr: Any = 1e-2, lambd: float = 1e-4, alpha: float = 0.75, t0: float = 1e6,
        weight_decay: float = 0, foreach: bool | None = None, maximize: bool = False, differentiable: bool = False,
        capturable: bool = False,
    ) -> None:  # fmt: skip
        check_options(lr, weight_decay=weight_decay)
        super().__init__(params, {
            "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip
