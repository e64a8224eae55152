"""Adam's adaptivity in little memory."""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight._dtype_info import finfo
from rushlight.optim.optimizer import OneByOne

__all__ = ["Adafactor"]


class Adafactor(OneByOne):
    """Divides by the root of a mean of squares that, for matrices, is kept as the means of its rows and columns.

    With b = t**beta2_decay: rows = lerp(rows, mean of g**2 over columns, b), columns likewise, and the mean of squares is
    their outer product over the mean of rows. The update is g over its root, clipped to root mean square d, and scaled by
    max(eps2, rms(p)) * min(lr, 1 / sqrt(t)).

    Args:
        params: what to optimize: tensors, (name, tensor) pairs, or groups.
        lr: the largest relative step.
        beta2_decay: how fast the mean comes to forget slowly.
        eps: the least root mean square (None: the dtype's eps), and the least scale of a parameter.
        d: the largest root mean square of an update.
        weight_decay: shrinks p by 1 - lr * weight_decay.
        foreach: accepted.
        maximize: ascend instead.

    Raises:
        ValueError: an option out of its range.
        RuntimeError: complex parameters, in the step.

    Reference: Shazeer and Stern, https://arxiv.org/abs/1804.04235

    >>> w = torch.ones(2, 2, requires_grad=True)
    >>> optimizer = torch.optim.Adafactor([w], lr=0.1)
    >>> (w * torch.tensor([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    >>> optimizer.step()
    >>> w.detach()
    tensor([[0.9225, 0.8905],
            [0.8961, 0.9020]])
    """

    def __init__(
        self, params: Any, lr: Any = 1e-2, beta2_decay: float = -0.8, eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0, weight_decay: float = 0.0, *, foreach: bool | None = None, maximize: bool = False,
    ) -> None:  # fmt: skip
        if isinstance(lr, _C.Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        for good, text in (
            (lr >= 0.0, f"Learning rate should be >= 0 but is: {lr}"),
            (beta2_decay <= 0.0, f"beta2_decay should be <= 0 but is: {beta2_decay}"),
            (eps[0] is None or eps[0] >= 0.0, f"epsilon1 should be >= 0 but is: {eps[0]}"),
            (eps[1] >= 0.0, f"epsilon2 should be >= 0 but is: {eps[1]}"),
            (d >= 1.0, f"Clipping threshold d should be >= 1 but is: {d}"),
            (weight_decay >= 0.0, f"weight_decay should be >= 0 but is: {weight_decay}"),
        ):
            if not good:
                raise ValueError(text)
        super().__init__(params, {
            "lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize,
        })  # fmt: skip

    def _update_one(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        if p.is_complex():
            raise RuntimeError("Adafactor does not support complex parameters")
        if not state:
            state["step"] = _C.tensor(0.0)
            if g.dim() > 1:
                state["row_var"] = g.new_zeros([*g.shape[:-1], 1])
                state["col_var"] = g.new_zeros([*g.shape[:-2], 1, g.shape[-1]])
            else:
                state["variance"] = _C.zeros_like(g)
        state["step"] += 1
        t, lr = state["step"].item(), float(group["lr"])
        least = finfo(p.dtype).eps if group["eps"][0] is None else group["eps"][0]
        weight = t ** group["beta2_decay"]
        scale = max(group["eps"][1], p.norm(2).item() / p.numel() ** 0.5) * min(lr, t**-0.5)
        if group["weight_decay"] != 0:
            p.mul_(1 - lr * group["weight_decay"])
        if g.dim() > 1:
            rows, columns = state["row_var"], state["col_var"]
            rows.lerp_(g.norm(dim=-1, keepdim=True).square_().div_(g.shape[-1]), weight)
            columns.lerp_(g.norm(dim=-2, keepdim=True).square_().div_(g.shape[-2]), weight)
            square = (rows @ columns).div_(rows.mean(dim=-2, keepdim=True).clamp_(min=least))
        else:
            square = state["variance"].lerp_(g * g, weight).clone()
        update = square.clamp_(min=least * least).rsqrt_().mul_(g)
        clip = max(1.0, update.norm(2).item() / (update.numel() ** 0.5 * group["d"]))
        p.add_(update, alpha=-scale / clip)
