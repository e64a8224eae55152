"""Adam with the infinity norm."""

from __future__ import annotations

from typing import Any

from rushlight.optim.optimizer import Optimizer, check_options

__all__ = ["Adamax"]


class Adamax(Optimizer):
    """Adam that divides by the largest recent gradient instead of a mean of squares.

    m = lerp(m, g, 1 - beta1); u = max(beta2 * u, abs(g) + eps); p -= lr / (1 - beta1**t) * m / u

    Args:
        params: what to optimize: tensors, (name, tensor) pairs, or groups.
        lr: the step size.
        betas: how slowly the averages m and v forget.
        eps: keeps the division finite.
        weight_decay: adds weight_decay * p to the gradient.
        maximize: ascend instead.
        foreach, capturable: accepted; one fused update is used always.
        differentiable: the step is recorded, so that gradients flow through it.

    Raises:
        ValueError: a negative option.

    Reference: Kingma and Ba, section 7, https://arxiv.org/abs/1412.6980

    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = torch.optim.Adamax([w], lr=0.1)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w.detach()
    tensor([0.9000, 1.9000])
    """

    _rule = "adamax"

    def __init__(
        self, params: Any, lr: Any = 2e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, foreach: bool | None = None, *, maximize: bool = False,
        differentiable: bool = False, capturable: bool = False,
    ) -> None:  # fmt: skip
        check_options(lr, betas, eps=eps, weight_decay=weight_decay)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip
