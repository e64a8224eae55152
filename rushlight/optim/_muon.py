"""Momentum whose matrix is made orthogonal."""

from __future__ import annotations

import math
from typing import Any

from rushlight import _C
from rushlight.optim.optimizer import OneByOne

__all__ = ["Muon"]


def _orthogonal(g: Any, coefficients: tuple[float, float, float], steps: int, eps: float) -> Any:
    """A matrix with g's singular vectors and singular values near 1: a Newton-Schulz iteration in bfloat16."""
    if steps >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if g.dim() != 2:
        raise ValueError("Input tensor gradient must be a 2D matrix")
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    a, b, c = coefficients
    tall = g.shape[0] > g.shape[1]
    x = g.bfloat16()
    x = x.T if tall else x
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        gram = x @ x.T
        x = _C.addmm(x, _C.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x


class Muon(OneByOne):
    """For the matrices of hidden layers: steps along the nearest orthogonal matrix to the momentum.

    buf = lerp(buf, g, 1 - momentum); p shrinks by 1 - lr * weight_decay; p -= lr * ratio * orthogonal(buf).

    Args:
        params: matrices only; biases, embeddings and the rest are another optimizer's.
        lr: the step size.
        weight_decay: see above.
        momentum: how slowly buf forgets.
        nesterov: orthogonal(lerp(g, buf, momentum)) instead.
        ns_coefficients, ns_steps: of the iteration x = a * x + (b * xx' + c * (xx')**2) * x.
        eps: the least norm that the matrix is divided by.
        adjust_lr_fn: the ratio: "original", or None: sqrt(max(1, rows / columns)); "match_rms_adamw":
            0.2 * sqrt(max(rows, columns)), so that AdamW's lr and weight_decay serve.

    Raises:
        ValueError: parameters that are no matrices; an option out of its range.

    Reference: Jordan, https://kellerjordan.github.io/posts/muon; Liu et al., https://arxiv.org/abs/2502.16982

    >>> w = torch.zeros(2, 2, requires_grad=True)
    >>> optimizer = torch.optim.Muon([w], lr=0.1)
    >>> (w * torch.tensor([[3.0, 0.0], [0.0, 1.0]])).sum().backward()
    >>> optimizer.step()
    >>> w.detach().sign()
    tensor([[-1.,  0.],
            [ 0., -1.]])
    """

    def __init__(
        self, params: Any, lr: Any = 1e-3, weight_decay: float = 0.1, momentum: float = 0.95, nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315), eps: float = 1e-7, ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:  # fmt: skip
        if isinstance(lr, _C.Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        for name, value in (("Learning rate", lr), ("momentum", momentum), ("weight decay", weight_decay)):
            if not value >= 0.0:
                raise ValueError(f"{name} should be >= 0 but is: {value}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        super().__init__(params, {
            "lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
            "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn,
        })  # fmt: skip
        for p in (p for group in self.param_groups for p in group["params"]):
            if p.dim() != 2:
                raise ValueError(f"Muon only supports 2D parameters whereas we found a parameter with size: {p.size()}")

    def _update_one(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        if p.is_complex():
            raise RuntimeError("Muon does not support complex parameters")
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = _C.zeros_like(g)
        momentum, lr = group["momentum"], float(group["lr"])
        buffer = state["momentum_buffer"].lerp_(g, 1 - momentum)
        along = g.lerp(buffer, momentum) if group["nesterov"] else buffer
        along = _orthogonal(along, group["ns_coefficients"], group["ns_steps"], group["eps"])
        rows, columns = p.shape
        adamw = group["adjust_lr_fn"] == "match_rms_adamw"
        ratio = 0.2 * math.sqrt(max(rows, columns)) if adamw else math.sqrt(max(1, rows / columns))
        p.mul_(1 - lr * group["weight_decay"])
        p.add_(along, alpha=-lr * ratio)
