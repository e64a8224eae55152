"""Limited-memory BFGS."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rushlight import _C
from rushlight.autograd.grad_mode import no_grad
from rushlight.optim.optimizer import Optimizer, check_options, evaluate

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """A quasi-Newton method: it learns the curvature along its last steps, and needs the closure.

    For full batches of small problems, where it takes tens of steps for others' thousands.

    Args:
        params: real or complex tensors; one group only.
        lr: the step along the direction, 1 by default.
        max_iter: iterations in a call of `step`.
        max_eval: evaluations of the closure in a call, max_iter * 5 / 4 by default.
        tolerance_grad: stop at a gradient whose largest element is not above it.
        tolerance_change: stop at a smaller change of the parameters or of the loss.
        history_size: how many steps are remembered.
        line_search_fn: None, or "strong_wolfe", which finds a good step length.

    Raises:
        ValueError: a negative lr; several groups.

    Reference: Nocedal and Wright, Numerical Optimization, algorithms 7.4, 7.5 and 3.5

    >>> x = torch.tensor([-1.5, 2.0], requires_grad=True)
    >>> optimizer = torch.optim.LBFGS([x], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    ...     loss.backward()
    ...     return loss
    >>> for _ in range(4):
    ...     loss = optimizer.step(closure)
    >>> x.detach()
    tensor([1.0000, 1.0000])
    """

    def __init__(
        self, params: Any, lr: Any = 1, max_iter: int = 20, max_eval: int | None = None, tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9, history_size: int = 100, line_search_fn: str | None = None,
    ) -> None:  # fmt: skip
        check_options(lr)
        super().__init__(params, {
            "lr": lr, "max_iter": max_iter, "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change, "history_size": history_size,
            "line_search_fn": line_search_fn,
        })  # fmt: skip
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    # ---- all parameters as one vector ----

    @property
    def _params(self) -> list[Any]:
        return self.param_groups[0]["params"]

    def _flat_grad(self) -> Any:
        parts = (_C.zeros_like(p, requires_grad=False) if p.grad is None else p.grad for p in self._params)
        return _C.cat([(_C.view_as_real(g) if g.is_complex() else g).reshape(-1) for g in parts])

    def _move(self, length: Any, direction: Any) -> None:
        at = 0
        for p in self._params:
            real = _C.view_as_real(p) if p.is_complex() else p
            real.add_(direction[at : at + real.numel()].view_as(real), alpha=length)
            at += real.numel()

    # ---- the step ----

    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Up to max_iter iterations.

        Args:
            closure: clears the gradients, computes the loss and its gradients, returns the loss.

        Returns:
            The loss before the step.
        """
        with no_grad():
            return self._minimize(lambda: evaluate(closure))

    def _minimize(self, closure: Callable[[], Any]) -> Any:
        group, state = self.param_groups[0], self.state[self._params[0]]
        lr, change = float(group["lr"]), group["tolerance_change"]
        search = group["line_search_fn"]
        if search not in (None, "strong_wolfe"):
            raise RuntimeError("only 'strong_wolfe' is supported")
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first = closure()
        loss, grad = float(first), self._flat_grad()
        evaluations = 1
        state["func_evals"] += 1
        if grad.abs().max() <= group["tolerance_grad"]:
            return first
        for iteration in range(1, group["max_iter"] + 1):
            state["n_iter"] += 1
            direction = self._direction(state, grad, group["history_size"])
            previous = state["prev_loss"] = loss
            if state["n_iter"] == 1:
                length = min(1.0, 1.0 / grad.abs().sum().item()) * lr
            else:
                length = lr
            state["t"] = length
            slope = grad.dot(direction)
            if slope > -change:
                break
            taken = 0
            if search is not None:
                loss, grad, length, taken = self._search(
                    closure, length, direction, loss, grad, slope, group["max_eval"] - evaluations
                )
                state["t"] = length
                self._move(length, direction)
            else:
                self._move(length, direction)
                if iteration != group["max_iter"]:  # after the last move nobody asks for the gradient
                    loss, grad = float(closure()), self._flat_grad()
                    taken = 1
            evaluations += taken
            state["func_evals"] += taken
            if (
                evaluations >= group["max_eval"]
                or grad.abs().max() <= group["tolerance_grad"]
                or direction.mul(length).abs().max() <= change
                or abs(loss - previous) < change
            ):
                break
        return first

    @staticmethod
    def _direction(state: dict[str, Any], grad: Any, history: int) -> Any:
        """Minus the inverse Hessian, as the remembered steps tell it, times the gradient: two loops over them."""
        if state["n_iter"] == 1:
            state.update(d=grad.neg(), old_dirs=[], old_stps=[], ro=[], H_diag=1)
        else:
            y, s = grad - state["prev_flat_grad"], state["d"] * state["t"]
            curvature = y.dot(s)
            old_y, old_s, ro = state["old_dirs"], state["old_stps"], state["ro"]
            if curvature > 1e-10:
                for memory, new in ((old_y, y), (old_s, s), (ro, 1.0 / curvature)):
                    if len(memory) == history:
                        memory.pop(0)
                    memory.append(new)
                state["H_diag"] = curvature / y.dot(y)
            al = state.setdefault("al", [None] * history)
            d = grad.neg()
            for i in range(len(old_y) - 1, -1, -1):
                al[i] = old_s[i].dot(d) * ro[i]
                d.add_(old_y[i], alpha=-al[i])
            d = d * state["H_diag"]
            for i in range(len(old_y)):
                d.add_(old_s[i], alpha=al[i] - old_y[i].dot(d) * ro[i])
            state["d"] = d
        state["prev_flat_grad"] = grad.clone()
        return state["d"]

    def _search(
        self, closure: Any, length: Any, direction: Any, loss: float, grad: Any, slope: Any, evaluations: int
    ) -> tuple[float, Any, Any, int]:
        """The strong Wolfe search from the present parameters, which it leaves as they are."""
        start = [p.clone() for p in self._params]

        def probe(at: Any) -> _Point:
            self._move(at, direction)
            loss, grad = float(closure()), self._flat_grad()
            for p, value in zip(self._params, start, strict=True):
                p.copy_(value)
            return _Point(at, loss, grad, grad.dot(direction))

        found, taken = _strong_wolfe(
            probe, _Point(0, loss, grad.clone(), slope), length, direction.abs().max().item(), evaluations
        )
        return found.loss, found.grad, found.at, taken


class _Point:
    """Along the direction: where, the loss, the gradient, and the slope of the loss."""

    __slots__ = ("at", "grad", "loss", "slope")

    def __init__(self, at: Any, loss: float, grad: Any, slope: Any) -> None:
        self.at, self.loss, self.grad, self.slope = at, loss, grad, slope


def _strong_wolfe(
    probe: Callable[[Any], _Point], start: _Point, length: Any, size: float, limit: int, c1: float = 1e-4,
    c2: float = 0.9, change: float = 1e-9,
) -> tuple[_Point, int]:  # fmt: skip
    """A point where the loss fell enough (c1) and the slope is flat enough (c2), and how many probes it took."""

    def too_high(p: _Point) -> bool:
        return p.loss > start.loss + c1 * p.at * start.slope

    def flat(p: _Point) -> bool:
        return bool(abs(p.slope) <= -c2 * start.slope)

    previous, now = start, probe(length)
    rounds = 0
    while rounds < limit:  # walk until two points enclose a minimum
        if too_high(now) or (rounds > 1 and now.loss >= previous.loss):
            break
        if flat(now):
            return now, rounds + 1
        if now.slope >= 0:
            break
        least, most = now.at + 0.01 * (now.at - previous.at), now.at * 10
        step = _cubic_minimum(previous, now, least, most)
        previous, now = now, probe(step)
        rounds += 1
    ends = [start, now] if rounds >= limit else [previous, now]
    taken, stuck = rounds + 1, False
    low = 0 if ends[0].loss <= ends[1].loss else 1
    while rounds < limit:  # narrow the interval
        if abs(ends[1].at - ends[0].at) * size < change:
            break
        least, most = min(e.at for e in ends), max(e.at for e in ends)
        step = _cubic_minimum(ends[0], ends[1], least, most)
        margin = 0.1 * (most - least)
        if min(most - step, step - least) < margin:
            if stuck or step >= most or step <= least:  # too near an end for too long
                step = most - margin if abs(step - most) < abs(step - least) else least + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        now = probe(step)
        taken += 1
        rounds += 1
        if too_high(now) or now.loss >= ends[low].loss:
            ends[1 - low] = now
            low = 0 if ends[0].loss <= ends[1].loss else 1
        else:
            done = flat(now)
            if not done and now.slope * (ends[1 - low].at - ends[low].at) >= 0:
                ends[1 - low] = ends[low]
            ends[low] = now
            if done:
                break
    return ends[low], taken


def _cubic_minimum(a: _Point, b: _Point, least: Any, most: Any) -> Any:
    """Where the cubic through two points with their slopes is least, within bounds; else halfway."""
    bend = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.at - b.at)
    square = bend**2 - a.slope * b.slope
    if not square >= 0:
        return (least + most) / 2.0
    root = square.sqrt() if isinstance(square, _C.Tensor) else math.sqrt(square)
    if a.at > b.at:
        a, b = b, a
    at = b.at - (b.at - a.at) * ((b.slope + root - bend) / (b.slope - a.slope + 2 * root))
    return min(max(at, least), most)
