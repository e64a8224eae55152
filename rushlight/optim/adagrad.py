"""Steps that shrink with the gradients seen so far."""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight.optim.optimizer import Optimizer, check_implementation, check_options

__all__ = ["Adagrad"]


class Adagrad(Optimizer):
    """sum += g**2; p -= lr / (1 + (t - 1) * lr_decay) * g / (sqrt(sum) + eps)

    Args:
        params: what to optimize: tensors, (name, tensor) pairs, or groups.
        lr, lr_decay: the step size, and how it falls.
        weight_decay: adds weight_decay * p to the gradient.
        initial_accumulator_value: what sum starts at.
        eps: keeps the division finite.
        maximize: ascend instead.
        foreach, fused: accepted; one fused update is used always.
        differentiable: the step is recorded, so that gradients flow through it.

    Raises:
        ValueError: a negative option.

    Reference: Duchi et al., http://jmlr.org/papers/v12/duchi11a.html

    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = torch.optim.Adagrad([w], lr=0.1)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w.detach()
    tensor([0.9000, 1.9000])
    """

    _rule = "adagrad"

    def __init__(
        self, params: Any, lr: Any = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
        initial_accumulator_value: float = 0, eps: float = 1e-10, foreach: bool | None = None, *,
        maximize: bool = False, differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        check_options(
            lr, lr_decay=lr_decay, weight_decay=weight_decay, initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )  # fmt: skip
        super().__init__(params, {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "fused": fused,
        })  # fmt: skip
        check_implementation(foreach, fused, differentiable)
        start = initial_accumulator_value
        for p in (p for group in self.param_groups for p in group["params"]):
            value = complex(start, start) if p.is_complex() else start
            self.state[p] = {"step": _C.tensor(0.0), "sum": _C.full_like(p, value, requires_grad=False)}

    def share_memory(self) -> None:
        """Move the sums to shared memory, for training in several processes."""
        for state in self.state.values():
            state["sum"].share_memory_()
