"""The rules of the core's optimizers as operations on tensors: for `differentiable=True`, where the step is recorded.

A rule gets the parameter, its gradient, its state and its group. It changes the parameter in place and puts new tensors
into the state. What the rules compute is told by the classes; they are tested against the core's loops.
"""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

from rushlight import _C

__all__ = ["update"]

_COUNTERS = ("step", "mu_product", "eta", "mu")


def update(rule: str, groups: Any, state: Any) -> None:
    """Every parameter that has a gradient, in groups that are differentiable with the graph recorded."""
    from rushlight.autograd.grad_mode import no_grad

    for group in groups:
        with nullcontext() if group["differentiable"] else no_grad():
            for p in group["params"]:
                if p.grad is not None:
                    _update_one(rule, p, p.grad, state, group)


def _update_one(rule: str, p: Any, g: Any, state: Any, o: Any) -> None:
    # SGD without momentum keeps nothing; asking a defaultdict would leave an empty entry
    kept = state[p] if rule != "sgd" or o["momentum"] else {}
    if o["maximize"]:
        g = -g
    o = {**o, "lr": _in_dtype(o["lr"], p)}
    if "betas" in o:
        o["betas"] = tuple(_in_dtype(beta, p) for beta in o["betas"])
    decay = o.get("weight_decay", 0)
    if isinstance(decay, _C.Tensor) or decay != 0:
        if o.get("decoupled_weight_decay"):
            p.mul_(1 - o["lr"] * decay)
        else:
            g = g + p * decay
    if not p.is_complex():
        _RULES[rule](p, g, kept, o)
        return
    real = {k: v if k in _COUNTERS else _C.view_as_real(v) for k, v in kept.items()}
    _RULES[rule](_C.view_as_real(p), _C.view_as_real(g), real, o)
    kept.update({k: v if k in _COUNTERS else _C.view_as_complex(v) for k, v in real.items()})


def _in_dtype(value: Any, p: Any) -> Any:
    """An option that is a tensor, in the parameter's precision: or a step in float64 were rounded to float32."""
    if not isinstance(value, _C.Tensor):
        return value
    return value.squeeze().to(_C.view_as_real(p).dtype if p.is_complex() else p.dtype)


def _kept(s: Any, p: Any, *names: str) -> list[Any]:
    return [s[name] if name in s else _C.zeros_like(p, requires_grad=False) for name in names]


def _count(s: Any) -> float:
    """The number of this step."""
    step = s.get("step")
    s["step"] = _C.tensor(1.0) if step is None else step.detach() + 1
    return s["step"].item()


def _moments(p: Any, g: Any, s: Any, o: Any) -> tuple[Any, Any]:
    beta1, beta2 = o["betas"]
    m, v = _kept(s, p, "exp_avg", "exp_avg_sq")
    s["exp_avg"] = m + (1 - beta1) * (g - m)
    s["exp_avg_sq"] = v * beta2 + (1 - beta2) * g * g
    return s["exp_avg"], s["exp_avg_sq"]


def _sgd(p: Any, g: Any, s: Any, o: Any) -> None:
    if o["momentum"]:
        buffer = s.get("momentum_buffer")
        buffer = g.detach().clone() if buffer is None else o["momentum"] * buffer + (1 - o["dampening"]) * g
        s["momentum_buffer"] = buffer
        g = g + o["momentum"] * buffer if o["nesterov"] else buffer
    p.sub_(o["lr"] * g)


def _adam(p: Any, g: Any, s: Any, o: Any) -> None:
    t = _count(s)
    m, v = _moments(p, g, s, o)
    if o["amsgrad"]:
        (top,) = _kept(s, p, "max_exp_avg_sq")
        v = s["max_exp_avg_sq"] = _C.maximum(top, v)
    beta1, beta2 = o["betas"]
    p.sub_(o["lr"] / (1 - beta1**t) * m / (v.sqrt() / (1 - beta2**t) ** 0.5 + o["eps"]))


def _adamax(p: Any, g: Any, s: Any, o: Any) -> None:
    t = _count(s)
    beta1, beta2 = o["betas"]
    m, u = _kept(s, p, "exp_avg", "exp_inf")
    s["exp_avg"] = m + (1 - beta1) * (g - m)
    s["exp_inf"] = _C.maximum(u * beta2, g.abs() + o["eps"])
    p.sub_(o["lr"] / (1 - beta1**t) * s["exp_avg"] / s["exp_inf"])


def _nadam(p: Any, g: Any, s: Any, o: Any) -> None:
    t = _count(s)
    m, v = _moments(p, g, s, o)
    beta1, beta2 = o["betas"]
    mu, ahead = (beta1 * (1 - 0.5 * 0.96 ** (i * o["momentum_decay"])) for i in (t, t + 1))
    s["mu_product"] = s["mu_product"] * mu if "mu_product" in s else _C.tensor(mu)
    product = s["mu_product"].item()
    denominator = (v / (1 - beta2**t)).sqrt() + o["eps"]
    p.sub_(o["lr"] * (1 - mu) / (1 - product) * g / denominator)
    p.sub_(o["lr"] * ahead / (1 - product * ahead) * m / denominator)


def _radam(p: Any, g: Any, s: Any, o: Any) -> None:
    t = _count(s)
    m, v = _moments(p, g, s, o)
    beta1, beta2 = o["betas"]
    correction, most = 1 - beta2**t, 2 / (1 - beta2) - 1
    length = most - 2 * t * beta2**t / correction
    step = o["lr"] * m / (1 - beta1**t)
    if length > 5:
        rect = ((length - 4) * (length - 2) * most / ((most - 4) * (most - 2) * length)) ** 0.5
        step = step * correction**0.5 / (v.sqrt() + o["eps"]) * rect
    p.sub_(step)


def _adagrad(p: Any, g: Any, s: Any, o: Any) -> None:
    t = _count(s)
    s["sum"] = s["sum"] + g * g
    p.sub_(o["lr"] / (1 + (t - 1) * o["lr_decay"]) * g / (s["sum"].sqrt() + o["eps"]))


def _adadelta(p: Any, g: Any, s: Any, o: Any) -> None:
    _count(s)
    rho, eps = o["rho"], o["eps"]
    square, accumulated = _kept(s, p, "square_avg", "acc_delta")
    s["square_avg"] = square * rho + (1 - rho) * g * g
    delta = (accumulated + eps).sqrt() / (s["square_avg"] + eps).sqrt() * g
    s["acc_delta"] = accumulated * rho + (1 - rho) * delta * delta
    p.sub_(o["lr"] * delta)


def _rmsprop(p: Any, g: Any, s: Any, o: Any) -> None:
    _count(s)
    alpha = o["alpha"]
    (square,) = _kept(s, p, "square_avg")
    s["square_avg"] = variance = square * alpha + (1 - alpha) * g * g
    if o["centered"]:
        (mean,) = _kept(s, p, "grad_avg")
        s["grad_avg"] = mean + (1 - alpha) * (g - mean)
        variance = variance - s["grad_avg"] * s["grad_avg"]
    step = g / (variance.sqrt() + o["eps"])
    if o["momentum"] > 0:
        (buffer,) = _kept(s, p, "momentum_buffer")
        step = s["momentum_buffer"] = buffer * o["momentum"] + step
    p.sub_(o["lr"] * step)


def _rprop(p: Any, g: Any, s: Any, o: Any) -> None:
    _count(s)
    (before,) = _kept(s, p, "prev")
    size = s["step_size"] if "step_size" in s else _C.full_like(p, float(o["lr"]), requires_grad=False)
    both = g * before
    factor = (
        _C.ones_like(p, requires_grad=False).masked_fill(both > 0, o["etas"][1]).masked_fill(both < 0, o["etas"][0])
    )
    s["step_size"] = (size * factor).clamp(*o["step_sizes"])
    s["prev"] = _C.where(both < 0, _C.zeros_like(g, requires_grad=False), g)
    p.sub_(s["prev"].sign() * s["step_size"])


def _asgd(p: Any, g: Any, s: Any, o: Any) -> None:
    t = _count(s)
    lr, lambd = o["lr"], o["lambd"]
    eta = s["eta"].item() if "eta" in s else lr
    mu = s["mu"].item() if "mu" in s else 1.0
    (mean,) = _kept(s, p, "ax")
    p.mul_(1 - lambd * eta).sub_(eta * g)
    s["eta"] = _C.tensor(float(lr / (1 + lambd * lr * t) ** o["alpha"]))
    s["mu"] = _C.tensor(1 / max(1.0, t - o["t0"]))
    s["ax"] = p.clone() if mu == 1 else mean + (p - mean) * mu


_RULES = {
    "sgd": _sgd, "adam": _adam, "adamax": _adamax, "nadam": _nadam, "radam": _radam, "adagrad": _adagrad,
    "adadelta": _adadelta, "rmsprop": _rmsprop, "rprop": _rprop, "asgd": _asgd,
}  # fmt: skip
