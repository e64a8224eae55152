"""Adaptive moment estimation."""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight.optim.optimizer import Optimizer, check_implementation, check_options

__all__ = ["Adam"]


class Adam(Optimizer):
    """Steps of about lr along each coordinate, whatever the gradient's scale.

    m = lerp(m, g, 1 - beta1); v = beta2 * v + (1 - beta2) * g**2; both start at 0, which t = 1, 2, ... corrects:
    p -= lr * m / (1 - beta1**t) / (sqrt(v / (1 - beta2**t)) + eps)

    Args:
        params: what to optimize: tensors, (name, tensor) pairs, or groups.
        lr: the step size.
        betas: how slowly the averages m and v forget.
        eps: keeps the division finite.
        weight_decay: adds weight_decay * p to the gradient.
        amsgrad: divide by the largest v so far.
        decoupled_weight_decay: shrink p by 1 - lr * weight_decay instead, as AdamW does.
        maximize: ascend instead.
        foreach, fused, capturable: accepted; one fused update is used always.
        differentiable: the step is recorded, so that gradients flow through it.

    Raises:
        ValueError: a negative option.

    Reference: Kingma and Ba, https://arxiv.org/abs/1412.6980; amsgrad: https://openreview.net/forum?id=ryQu7f-RZ

    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = torch.optim.Adam([w], lr=0.1)
    >>> (w**2).sum().backward()
    >>> optimizer.step()
    >>> w.detach()
    tensor([0.9000, 1.9000])
    """

    _rule = "adam"

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: tuple[Any, Any] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0, amsgrad: bool = False, *, foreach: bool | None = None, maximize: bool = False,
        capturable: bool = False, differentiable: bool = False, fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:  # fmt: skip
        check_options(lr, betas, eps=eps, weight_decay=weight_decay)
        if isinstance(betas[0], _C.Tensor) != isinstance(betas[1], _C.Tensor):
            raise ValueError("betas must be either both floats or both Tensors")
        for name, value in (("lr", lr), ("betas[0]", betas[0]), ("betas[1]", betas[1])):
            if isinstance(value, _C.Tensor):
                if value.numel() != 1:
                    raise ValueError(f"Tensor {name} must be 1-element")
                if foreach and not capturable:
                    raise ValueError(f"{name} as a Tensor is not supported for capturable=False and foreach=True")
        plain = tuple(b.squeeze() if isinstance(b, _C.Tensor) else b for b in betas)
        super().__init__(params, {
            "lr": lr, "betas": plain, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
            "maximize": maximize, "foreach": foreach, "capturable": capturable, "differentiable": differentiable,
            "fused": fused, "decoupled_weight_decay": decoupled_weight_decay,
        })  # fmt: skip
        check_implementation(foreach, fused, differentiable)
