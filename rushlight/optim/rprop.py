"""Resilient backpropagation: only the gradient's sign counts."""

from __future__ import annotations

from typing import Any

from rushlight.optim.optimizer import Optimizer, check_options

__all__ = ["Rprop"]


class Rprop(Optimizer):
    """Each coordinate has a step size of its own: larger while its gradient keeps its sign, smaller when that turns.

    Where the sign turned, the coordinate rests for one step. For full batches.

    Args:
        params: what to optimize: tensors, (name, tensor) pairs, or groups.
        lr: the first step sizes.
        etas: the factors that make a step size smaller and larger.
        step_sizes: the least and the largest step size.
        maximize: ascend instead.
        foreach, capturable: accepted; one fused update is used always.
        differentiable: the step is recorded, so that gradients flow through it.

    Raises:
        ValueError: a negative lr, or etas that are not on either side of 1.

    Reference: Riedmiller and Braun, A direct adaptive method for faster backpropagation learning (1993)

    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = torch.optim.Rprop([w], lr=0.1)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w.detach()
    tensor([0.9000, 1.9000])
    """

    _rule = "rprop"

    def __init__(
        self, params: Any, lr: Any = 1e-2, etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50), *, capturable: bool = False, foreach: bool | None = None,
        maximize: bool = False, differentiable: bool = False,
    ) -> None:  # fmt: skip
        check_options(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        super().__init__(params, {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "capturable": capturable,
        })  # fmt: skip
