"""`LRScheduler`: counts epochs, asks `get_lr` for the rates, and puts them into the optimizer's groups."""

from __future__ import annotations

import types
import warnings
from typing import TYPE_CHECKING, Any

from rushlight import _C
from rushlight.optim.optimizer import Optimizer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_ADVICE = "https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
EPOCH_DEPRECATION_WARNING = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. Please use "
    "`scheduler.step()` to step the scheduler. During the deprecation, if epoch is different from None, the closed "
    "form is used instead of the new chainable form, where available."
)


def warn(text: str) -> None:
    """A UserWarning at the line that called the scheduler's method."""
    warnings.warn(text, UserWarning, stacklevel=4)


def check_optimizer(optimizer: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{type(optimizer).__name__} is not an Optimizer")


def values_of(optimizer: Any, key: str) -> list[Any]:
    """An option of every group; tensors are copied, so that they stay what they are now."""
    values = (group[key] for group in optimizer.param_groups)
    return [v.clone() if isinstance(v, _C.Tensor) else v for v in values]


def set_value(group: dict[str, Any], key: str, value: Any) -> None:
    """Change an option of a group; a tensor keeps its identity."""
    if isinstance(group[key], _C.Tensor):
        group[key].fill_(value.squeeze() if isinstance(value, _C.Tensor) else value)
    else:
        group[key] = value


def one_for_each(name: str, optimizer: Any, value: Any) -> list[Any]:
    """A value for each group, from a list of them or one for all."""
    count = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        value = [value] * count
    elif len(value) != count:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. "
            f"{name} has {len(value)} values, param_groups has {count}."
        )
    return [v.clone() if isinstance(v, _C.Tensor) else v for v in value]


class LRScheduler:
    """Base of all schedules. A program's own defines `get_lr`.

    Args:
        optimizer: whose learning rates to set; they are what the schedule starts from.
        last_epoch: where to go on, when training is resumed: the groups then have their "initial_lr".

    Raises:
        TypeError: no Optimizer.
        KeyError: last_epoch is given, and a group has no "initial_lr".

    >>> class Halve(torch.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [group["lr"] * (0.5 if self.last_epoch else 1) for group in self.optimizer.param_groups]
    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    >>> scheduler = Halve(optimizer)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]

    Reference: https://pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LRScheduler.html
    """

    _get_lr_called_within_step = False
    _is_initial = False
    _get_closed_form_lr: Callable[[], list[Any]]

    def __init__(self, optimizer: Any, last_epoch: int = -1) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                lr = group["lr"]
                group.setdefault("initial_lr", lr.clone() if isinstance(lr, _C.Tensor) else lr)
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming scheduler with "
                    "last_epoch >= 0.\nThis typically happens when:\n1. You're trying to resume training from a "
                    "checkpoint but haven't properly loaded the optimizer state\n2. You're using last_epoch >= 0 for "
                    "a fresh training run (not recommended)"
                )
        self.base_lrs: list[Any] = values_of(optimizer, "initial_lr")
        self.last_epoch: Any = last_epoch
        optimizer.__dict__.setdefault("_scheduled_step", optimizer.__dict__.get("step"))
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    # ---- stepping ----

    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch (or, deprecated, to a given one) and set the groups' learning rates."""
        if self._step_count == 1:
            self._check_order()
        self._step_count += 1
        if epoch is not None:
            warnings.warn(EPOCH_DEPRECATION_WARNING, UserWarning, stacklevel=2)
        self._update_lr(epoch)

    def _check_order(self) -> None:
        own = self.optimizer.__dict__
        if own.get("step") is not own.get("_scheduled_step"):
            warn(
                "Seems like `optimizer.step()` has been overridden after learning rate scheduler initialization. "
                "Please, make sure to call `optimizer.step()` before `lr_scheduler.step()`. See more details at "
                + _ADVICE
            )
        elif not self.optimizer._opt_called:
            warn(
                "Detected call of `lr_scheduler.step()` before `optimizer.step()`. In PyTorch 1.1.0 and later, you "
                "should call them in the opposite order: `optimizer.step()` before `lr_scheduler.step()`.  Failure to "
                "do this will result in PyTorch skipping the first value of the learning rate schedule. See more "
                "details at " + _ADVICE
            )

    def _update_lr(self, epoch: int | None = None) -> None:
        if epoch is None:
            self.last_epoch += 1
            values = self._computed(self.get_lr)
        else:
            self.last_epoch = epoch
            values = self._computed(getattr(self, "_get_closed_form_lr", self.get_lr))
        self._set_lrs(values)

    def _computed(self, formula: Callable[[], list[Any]]) -> list[Any]:
        self._get_lr_called_within_step = True
        try:
            return formula()
        finally:
            self._get_lr_called_within_step = False

    def _set_lrs(self, values: Iterable[Any]) -> None:
        for group, lr in zip(self.optimizer.param_groups, values, strict=True):
            set_value(group, "lr", lr)
        self._last_lr: list[Any] = values_of(self.optimizer, "lr")

    # ---- rates ----

    def get_last_lr(self) -> list[Any]:
        """The rates that the last step set, one for each group."""
        return self._last_lr

    def get_lr(self) -> list[Any]:
        """The rates of this epoch; for `step`, which has counted it. Elsewhere ask `get_last_lr`."""
        raise NotImplementedError

    def _check_caller(self) -> None:
        if not self._get_lr_called_within_step:
            warn("To get the last learning rate computed by the scheduler, please use `get_last_lr()`.")

    def _scaled(self, factor: float) -> list[Any]:
        return [group["lr"] * factor for group in self.optimizer.param_groups]

    def _unchanged(self) -> list[Any]:
        return values_of(self.optimizer, "lr")

    # ---- saving ----

    def state_dict(self) -> dict[str, Any]:
        """All that the schedule knows, but the optimizer."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        self.__dict__.update(state_dict)


class _LRScheduler(LRScheduler):
    """The name that PyTorch gave the base before 2.0."""


def callable_state(function: Any) -> dict[str, Any] | None:
    """What of a callable can be saved: an object's attributes, but nothing of a function."""
    return None if isinstance(function, types.FunctionType) else function.__dict__.copy()
