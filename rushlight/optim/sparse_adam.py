"""Adam for gradients that are mostly zero."""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight.optim.optimizer import OneByOne, check_options

__all__ = ["SparseAdam"]


class SparseAdam(OneByOne):
    """Adam that touches only the rows with a gradient: those words of an embedding that the batch used.

    Rows whose gradient is all zero keep their moments and values, where Adam would go on moving them.

    Args:
        params: what to optimize: tensors, (name, tensor) pairs, or groups.
        lr: the step size.
        betas: how slowly the averages of gradients and their squares forget.
        eps: keeps the division finite.
        maximize: ascend instead.

    Raises:
        ValueError: an option that is not positive; complex parameters.

    Reference: https://pytorch.org/docs/stable/generated/torch.optim.SparseAdam.html

    >>> w = torch.ones(3, 1, requires_grad=True)
    >>> optimizer = torch.optim.SparseAdam([w], lr=0.1)
    >>> w[[0, 2]].sum().backward()
    >>> optimizer.step()
    >>> w.detach().T
    tensor([[0.9000, 1.0000, 0.9000]])
    """

    def __init__(
        self, params: Any, lr: Any = 1e-3, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:  # fmt: skip
        if not isinstance(lr, _C.Tensor) and not lr > 0.0:
            raise ValueError(f"Invalid learning rate: {lr}")
        if not eps > 0.0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_options(lr, betas)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})
        found = [
            [i, j] for i, group in enumerate(self.param_groups) for j, p in enumerate(group["params"]) if p.is_complex()
        ]
        if found:
            raise ValueError(f"Complex params at indices {found}: SparseAdam does not support complex parameters")

    def _update_one(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        if not state:
            average, square = (_C.zeros_like(p, requires_grad=False) for _ in range(2))
            state.update(step=0, exp_avg=average, exp_avg_sq=square)
        state["step"] += 1
        rows = g.reshape(g.shape[0], -1).ne(0).any(1).nonzero().flatten() if g.dim() else g.reshape(1).nonzero()
        if not rows.numel():
            return
        at: Any = rows if g.dim() else ...
        beta1, beta2 = group["betas"]
        g = g[at]
        m = state["exp_avg"][at].lerp(g, 1 - beta1)
        v = state["exp_avg_sq"][at].lerp(g * g, 1 - beta2)
        state["exp_avg"][at] = m
        state["exp_avg_sq"][at] = v
        t = state["step"]
        step = float(group["lr"]) * (1 - beta2**t) ** 0.5 / (1 - beta1**t)
        p[at] = p[at] - step * m / (v.sqrt() + group["eps"])
