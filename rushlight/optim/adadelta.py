"""Steps in the parameters' own units."""

from __future__ import annotations

from typing import Any

from rushlight.optim.optimizer import Optimizer, check_options

__all__ = ["Adadelta"]


class Adadelta(Optimizer):
    """The step is the root mean square of past steps over that of past gradients, times the gradient.

    square = rho * square + (1 - rho) * g**2; delta = sqrt(acc + eps) / sqrt(square + eps) * g;
    acc = rho * acc + (1 - rho) * delta**2; p -= lr * delta

    Args:
        params: what to optimize: tensors, (name, tensor) pairs, or groups.
        lr: scales the step.
        rho: how slowly the averages forget.
        eps: starts the steps, and keeps the division finite.
        weight_decay: adds weight_decay * p to the gradient.
        maximize: ascend instead.
        foreach, capturable: accepted; one fused update is used always.
        differentiable: the step is recorded, so that gradients flow through it.

    Raises:
        ValueError: a negative option.

    Reference: Zeiler, https://arxiv.org/abs/1212.5701

    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = torch.optim.Adadelta([w], lr=1.0)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w.detach()
    tensor([0.9968, 1.9968])
    """

    _rule = "adadelta"

    def __init__(
        self, params: Any, lr: Any = 1.0, rho: float = 0.9, eps: float = 1e-6, weight_decay: float = 0,
        foreach: bool | None = None, *, capturable: bool = False, maximize: bool = False,
        differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_options(lr, eps=eps, weight_decay=weight_decay)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        super().__init__(params, {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "capturable": capturable, "foreach": foreach, "differentiable": differentiable,
        })  # fmt: skip
