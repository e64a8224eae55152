"""Adam with Nesterov momentum."""

from __future__ import annotations

from typing import Any

from rushlight.optim.optimizer import Optimizer, check_options

__all__ = ["NAdam"]


class NAdam(Optimizer):
    """Adam that looks ahead by one step of its momentum mu = beta1 * (1 - 0.96**(t * momentum_decay) / 2).

    p -= lr * ((1 - mu_t) / (1 - mu_1...mu_t) * g + mu_t+1 / (1 - mu_1...mu_t+1) * m) / (sqrt(v / (1 - beta2**t)) + eps)

    Args:
        params: what to optimize: tensors, (name, tensor) pairs, or groups.
        lr: the step size.
        betas: how slowly the averages m and v forget.
        eps: keeps the division finite.
        weight_decay: adds weight_decay * p to the gradient.
        momentum_decay: how fast mu nears beta1.
        decoupled_weight_decay: shrink p by 1 - lr * weight_decay instead.
        maximize: ascend instead.
        foreach, capturable: accepted; one fused update is used always.
        differentiable: the step is recorded, so that gradients flow through it.

    Raises:
        ValueError: a negative option.

    Reference: Dozat, Incorporating Nesterov Momentum into Adam, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ

    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = torch.optim.NAdam([w], lr=0.1)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w.detach()
    tensor([0.8944, 1.8944])
    """

    _rule = "nadam"

    def __init__(
        self, params: Any, lr: Any = 2e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, momentum_decay: float = 4e-3, decoupled_weight_decay: bool = False, *,
        foreach: bool | None = None, maximize: bool = False, capturable: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_options(lr, betas, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize, "foreach": foreach,
            "capturable": capturable, "differentiable": differentiable,
        })  # fmt: skip
