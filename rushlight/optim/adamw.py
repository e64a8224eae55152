"""Adam with decoupled weight decay."""

from __future__ import annotations

from typing import Any

from rushlight.optim.adam import Adam

__all__ = ["AdamW"]


class AdamW(Adam):
    """Adam whose weight decay leaves the averages alone: p is shrunk by 1 - lr * weight_decay before each step.

    Args:
        params: what to optimize: tensors, (name, tensor) pairs, or groups.
        lr: the step size.
        betas: how slowly the averages m and v forget.
        eps: keeps the division finite.
        weight_decay: see above.
        amsgrad: divide by the largest average of squares so far.
        maximize: ascend instead.
        foreach, fused, capturable: accepted; one fused update is used always.
        differentiable: the step is recorded, so that gradients flow through it.

    Raises:
        ValueError: a negative option.

    Reference: Loshchilov and Hutter, https://arxiv.org/abs/1711.05101

    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = torch.optim.AdamW([w], lr=0.1)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w.detach()
    tensor([0.8990, 1.8980])
    """

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: tuple[Any, Any] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 1e-2, amsgrad: bool = False, *, maximize: bool = False, foreach: bool | None = None,
        capturable: bool = False, differentiable: bool = False, fused: bool | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize, capturable=capturable,
            differentiable=differentiable, fused=fused, decoupled_weight_decay=True,
        )  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True
