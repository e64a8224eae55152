"""Adam with a rectified start."""

from __future__ import annotations

from typing import Any

from rushlight.optim.optimizer import Optimizer, check_options

__all__ = ["RAdam"]


class RAdam(Optimizer):
    """Adam that divides by the root of v only once enough steps make that mean something, and rectifies its variance.

    With r = 2 / (1 - beta2) - 1, r_t = r - 2 * t * beta2**t / (1 - beta2**t) and m' = m / (1 - beta1**t):
    p -= lr * m' while r_t <= 5, then p -= lr * m' * sqrt(1 - beta2**t) / (sqrt(v) + eps) * rect, where
    rect = sqrt((r_t - 4) * (r_t - 2) * r / ((r - 4) * (r - 2) * r_t))

    Args:
        params: what to optimize: tensors, (name, tensor) pairs, or groups.
        lr: the step size.
        betas: how slowly the averages m and v forget.
        eps: keeps the division finite.
        weight_decay: adds weight_decay * p to the gradient.
        decoupled_weight_decay: shrink p by 1 - lr * weight_decay instead.
        maximize: ascend instead.
        foreach, capturable: accepted; one fused update is used always.
        differentiable: the step is recorded, so that gradients flow through it.

    Raises:
        ValueError: a negative option.

    Reference: Liu et al., https://arxiv.org/abs/1908.03265

    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = torch.optim.RAdam([w], lr=0.1)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w.detach()
    tensor([0.8000, 1.6000])
    """

    _rule = "radam"

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, decoupled_weight_decay: bool = False, *, foreach: bool | None = None,
        maximize: bool = False, capturable: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_options(lr, betas, eps=eps, weight_decay=weight_decay)
        super().__init__(params, {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "foreach": foreach, "capturable": capturable, "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        })  # fmt: skip
