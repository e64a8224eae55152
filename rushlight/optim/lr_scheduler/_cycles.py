"""Schedules that go up and down again, and the momentum down and up with them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rushlight.optim.lr_scheduler._base import LRScheduler, callable_state, check_optimizer, one_for_each, set_value

if TYPE_CHECKING:
    from collections.abc import Callable


class _Cycle(LRScheduler):
    """What both have: the momentum, or Adam's beta1, goes against the rate."""

    use_beta1: bool

    def _start_momentum(self, base: list[Any], top: list[Any], last_epoch: int) -> None:
        if last_epoch != -1:
            return
        for high, low, group in zip(top, base, self.optimizer.param_groups, strict=True):
            self._set_momentum(group, high)
            group["max_momentum"] = high
            group["base_momentum"] = low

    def _find_momentum(self) -> None:
        options = self.optimizer.defaults
        if "momentum" not in options and "betas" not in options:
            raise ValueError("optimizer must support momentum or beta1 with `cycle_momentum` option enabled")
        self.use_beta1 = "betas" in options

    def _set_momentum(self, group: dict[str, Any], value: Any) -> None:
        if self.use_beta1:
            group["betas"] = (value, *group["betas"][1:])
        else:
            group["momentum"] = value


class CyclicLR(_Cycle):
    """Between base_lr and max_lr, up and down along lines. Step after every batch.

    Args:
        optimizer: whose learning rates to set.
        base_lr, max_lr: the bounds; a list has one for each group.
        step_size_up, step_size_down: steps of a half cycle; down takes as long as up unless it is given.
        mode: "triangular"; "triangular2", where each cycle is half as high as the one before; "exp_range", where the
            height is gamma**step.
        gamma: of "exp_range".
        scale_fn, scale_mode: instead of mode: the height as a function of the number of the cycle ("cycle") or of the
            step ("iterations").
        cycle_momentum: whether the momentum falls from max_momentum to base_momentum as the rate rises.
        base_momentum, max_momentum: its bounds.
        last_epoch: where to go on; -1 starts.

    Raises:
        ValueError: an unknown mode; an optimizer without momentum; a list of another length than there are groups.

    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0, momentum=0.9)
    >>> scheduler = torch.optim.lr_scheduler.CyclicLR(optimizer, base_lr=0.1, max_lr=0.5, step_size_up=2)
    >>> for _ in range(5):
    ...     print(round(optimizer.param_groups[0]["lr"], 4), end=" ")
    ...     optimizer.step()
    ...     scheduler.step()
    0.1 0.3 0.5 0.3 0.1

    Reference: Smith, https://arxiv.org/abs/1506.01186
    """

    def __init__(
        self, optimizer: Any, base_lr: Any, max_lr: Any, step_size_up: int = 2000, step_size_down: int | None = None,
        mode: str = "triangular", gamma: float = 1.0, scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle", cycle_momentum: bool = True, base_momentum: Any = 0.8, max_momentum: Any = 0.9,
        last_epoch: int = -1,
    ) -> None:  # fmt: skip
        check_optimizer(optimizer)
        self.optimizer = optimizer
        base_lrs = one_for_each("base_lr", optimizer, base_lr)
        if last_epoch == -1:
            for lr, group in zip(base_lrs, optimizer.param_groups, strict=True):
                set_value(group, "lr", lr)
        self.max_lrs = one_for_each("max_lr", optimizer, max_lr)
        up = float(step_size_up)
        self.total_size = up + (up if step_size_down is None else float(step_size_down))
        self.step_ratio = up / self.total_size
        if scale_fn is None and mode not in ("triangular", "triangular2", "exp_range"):
            raise ValueError("mode is invalid and scale_fn is None")
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode
        self._choose_scale()
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._find_momentum()
            self.base_momentums = one_for_each("base_momentum", optimizer, base_momentum)
            self.max_momentums = one_for_each("max_momentum", optimizer, max_momentum)
            self._start_momentum(self.base_momentums, self.max_momentums, last_epoch)
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def _choose_scale(self) -> None:
        if self._scale_fn_custom is None:
            self.scale_mode = "iterations" if self.mode == "exp_range" else "cycle"

    def scale_fn(self, x: float) -> float:
        """The height of a cycle, or at a step."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular":
            return 1.0
        return 1 / (2.0 ** (x - 1)) if self.mode == "triangular2" else self.gamma**x

    def get_lr(self) -> list[Any]:
        self._check_caller()
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        part = x / self.step_ratio if x <= self.step_ratio else (x - 1) / (self.step_ratio - 1)
        scale = self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            for group, low, high in zip(
                self.optimizer.param_groups, self.base_momentums, self.max_momentums, strict=True
            ):
                self._set_momentum(group, high - (high - low) * part * scale)
        return [low + (high - low) * part * scale for low, high in zip(self.base_lrs, self.max_lrs, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """All but the optimizer; of scale_fn, what an object keeps as attributes."""
        state = super().state_dict()
        function = state.pop("_scale_fn_custom")
        state["_scale_fn_custom"] = None if function is None else callable_state(function)
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` gave; scale_fn stays the one given at construction."""
        state = dict(state_dict)
        saved = state.pop("_scale_fn_custom")
        super().load_state_dict(state)
        if saved is not None and self._scale_fn_custom is not None:
            self._scale_fn_custom.__dict__.update(saved)
        self._choose_scale()


class OneCycleLR(_Cycle):
    """One rise to max_lr and one long fall to almost nothing. Step after every batch.

    Args:
        optimizer: whose learning rates to set.
        max_lr: the top; a list has one for each group.
        total_steps: of the cycle; or else epochs and steps_per_epoch.
        pct_start: the part of them that rises.
        anneal_strategy: "cos" or "linear".
        cycle_momentum: whether the momentum falls from max_momentum to base_momentum as the rate rises.
        base_momentum, max_momentum: its bounds.
        div_factor: the cycle starts at max_lr / div_factor.
        final_div_factor: it ends at that over final_div_factor.
        three_phase: fall to the start first, as symmetric to the rise, then to the end.
        last_epoch: where to go on; -1 starts.

    Raises:
        ValueError: no or wrong lengths; an unknown strategy; an optimizer without momentum; a step beyond the end.

    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0, momentum=0.9)
    >>> scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=5)
    >>> for _ in range(5):
    ...     print(round(optimizer.param_groups[0]["lr"], 4), end=" ")
    ...     optimizer.step()
    ...     if _ < 4:
    ...         scheduler.step()
    0.04 0.9505 0.6113 0.1883 0.0

    Reference: Smith and Topin, https://arxiv.org/abs/1708.07120
    """

    def __init__(
        self, optimizer: Any, max_lr: Any, total_steps: int | None = None, epochs: int | None = None,
        steps_per_epoch: int | None = None, pct_start: float = 0.3, anneal_strategy: str = "cos",
        cycle_momentum: bool = True, base_momentum: Any = 0.85, max_momentum: Any = 0.95, div_factor: float = 25.0,
        final_div_factor: float = 1e4, three_phase: bool = False, last_epoch: int = -1,
    ) -> None:  # fmt: skip
        check_optimizer(optimizer)
        self.optimizer = optimizer
        self.total_steps = self._count(total_steps, epochs, steps_per_epoch)
        rise = float(pct_start * self.total_steps) - 1
        back = float(2 * pct_start * self.total_steps) - 2
        last = self.total_steps - 1
        phases: list[tuple[float, str, str, str, str]] = [(rise, "initial_lr", "max_lr", "max", "base")]
        if three_phase:
            phases.append((back, "max_lr", "initial_lr", "base", "max"))
            phases.append((last, "initial_lr", "min_lr", "max", "max"))
        else:
            phases.append((last, "max_lr", "min_lr", "base", "max"))
        self._schedule_phases: list[dict[str, Any]] = [
            {
                "end_step": end, "start_lr": lr0, "end_lr": lr1, "start_momentum": m0 + "_momentum",
                "end_momentum": m1 + "_momentum",
            }
            for end, lr0, lr1, m0, m1 in phases
        ]  # fmt: skip
        if not (isinstance(pct_start, float) and 0 <= pct_start <= 1):
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._anneal_func_type = anneal_strategy
        tops = one_for_each("max_lr", optimizer, max_lr)
        if last_epoch == -1:
            for top, group in zip(tops, optimizer.param_groups, strict=True):
                group["initial_lr"] = top / div_factor
                group["max_lr"] = top
                group["min_lr"] = group["initial_lr"] / final_div_factor
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self._find_momentum()
            self._start_momentum(
                one_for_each("base_momentum", optimizer, base_momentum),
                one_for_each("max_momentum", optimizer, max_momentum),
                last_epoch,
            )
        super().__init__(optimizer, last_epoch)

    @staticmethod
    def _count(total_steps: Any, epochs: Any, steps_per_epoch: Any) -> int:
        if total_steps is not None:
            named = {"total_steps": total_steps}
        elif epochs is not None and steps_per_epoch is not None:
            named = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
        else:
            raise ValueError("You must define either total_steps OR (epochs AND steps_per_epoch)")
        for name, value in named.items():
            if not isinstance(value, int) or value <= 0:
                raise ValueError(f"Expected positive integer {name}, but got {value}")
        return math.prod(named.values())

    def _anneal(self, start: Any, end: Any, part: float) -> Any:
        if self._anneal_func_type == "cos":
            return end + (start - end) / 2.0 * (math.cos(math.pi * part) + 1)
        return (end - start) * part + start

    def get_lr(self) -> list[Any]:
        self._check_caller()
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(f"Tried to step {step} times. The specified number of total steps is {self.total_steps}")
        start, phase = 0.0, self._schedule_phases[0]
        for phase in self._schedule_phases:
            if step <= phase["end_step"] or phase is self._schedule_phases[-1]:
                break
            start = phase["end_step"]
        part = (step - start) / (phase["end_step"] - start)
        for group in self.optimizer.param_groups if self.cycle_momentum else ():
            momentum = self._anneal(group[phase["start_momentum"]], group[phase["end_momentum"]], part)
            self._set_momentum(group, momentum)
        groups = self.optimizer.param_groups
        return [self._anneal(group[phase["start_lr"]], group[phase["end_lr"]], part) for group in groups]
