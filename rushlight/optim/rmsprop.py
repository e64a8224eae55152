"""The gradient over the root of its mean square."""

from __future__ import annotations

from typing import Any

from rushlight.optim.optimizer import Optimizer, check_options

__all__ = ["RMSprop"]


class RMSprop(Optimizer):
    """square = alpha * square + (1 - alpha) * g**2; p -= lr * g / (sqrt(square) + eps)

    Args:
        params: what to optimize: tensors, (name, tensor) pairs, or groups.
        lr: the step size.
        alpha: how slowly the mean square forgets.
        eps: keeps the division finite.
        weight_decay: adds weight_decay * p to the gradient.
        momentum: buf = momentum * buf + g / (sqrt(square) + eps); p -= lr * buf.
        centered: take the square of the mean gradient off the mean square: a variance.
        maximize: ascend instead.
        foreach, capturable: accepted; one fused update is used always.
        differentiable: the step is recorded, so that gradients flow through it.

    Raises:
        ValueError: a negative option.

    Reference: Hinton, lecture 6e, https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf; centered: https://arxiv.org/abs/1308.0850

    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = torch.optim.RMSprop([w], lr=0.01)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w.detach()
    tensor([0.9000, 1.9000])
    """

    _rule = "rmsprop"

    def __init__(
        self, params: Any, lr: Any = 1e-2, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0,
        momentum: float = 0, centered: bool = False, capturable: bool = False, foreach: bool | None = None,
        maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_options(lr, eps=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        super().__init__(params, {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable,
        })  # fmt: skip
