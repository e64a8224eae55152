"""Averages of a model's weights over training: stochastic weight averaging, and moving averages.

Reference: Izmailov et al., https://arxiv.org/abs/1803.05407
"""

from __future__ import annotations

import math
from copy import deepcopy
from itertools import chain
from typing import TYPE_CHECKING, Any

from rushlight import _C
from rushlight._missing import module_getattr
from rushlight.autograd.grad_mode import no_grad
from rushlight.nn import Module
from rushlight.optim.lr_scheduler._base import LRScheduler, one_for_each

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "AveragedModel", "update_bn", "SWALR", "get_ema_multi_avg_fn", "get_swa_multi_avg_fn", "get_ema_avg_fn",
    "get_swa_avg_fn",
]  # fmt: skip


def _check_decay(decay: float) -> None:
    if decay < 0.0 or decay > 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[..., None]:
    """For `AveragedModel(multi_avg_fn=...)`: average = decay * average + (1 - decay) * weights, in place."""
    _check_decay(decay)

    @no_grad()
    def update(averages: Any, weights: Any, _: Any) -> None:
        for average, weight in zip(averages, weights, strict=True):
            if average.is_floating_point() or average.is_complex():
                average.lerp_(weight, 1 - decay)
            else:
                average.copy_(average * decay + weight * (1 - decay))

    return update


def get_swa_multi_avg_fn() -> Callable[..., None]:
    """For `AveragedModel(multi_avg_fn=...)`: the plain average of all weights so far, in place."""

    @no_grad()
    def update(averages: Any, weights: Any, count: Any) -> None:
        part = float(1 / (count + 1))
        for average, weight in zip(averages, weights, strict=True):
            if average.is_floating_point() or average.is_complex():
                average.lerp_(weight, part)
            else:
                average.copy_(average + (weight - average) / (count + 1))

    return update


def get_ema_avg_fn(decay: float = 0.999) -> Callable[..., Any]:
    """For `AveragedModel(avg_fn=...)`: decay * average + (1 - decay) * weights.

    >>> average = torch.optim.swa_utils.get_ema_avg_fn(0.9)
    >>> average(torch.tensor(1.), torch.tensor(2.), 0)
    tensor(1.1000)
    """
    _check_decay(decay)

    @no_grad()
    def update(average: Any, weight: Any, _: Any) -> Any:
        return decay * average + (1 - decay) * weight

    return update


def get_swa_avg_fn() -> Callable[..., Any]:
    """For `AveragedModel(avg_fn=...)`: the plain average of all weights so far.

    >>> average = torch.optim.swa_utils.get_swa_avg_fn()
    >>> average(torch.tensor(1.), torch.tensor(4.), 2)
    tensor(2.)
    """

    @no_grad()
    def update(average: Any, weight: Any, count: Any) -> Any:
        return average + (weight - average) / (count + 1)

    return update


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of the model's over training.

    Args:
        model: what to copy.
        device: where the averages live.
        avg_fn: (average, weight, count) -> the new average; a plain average unless it is given.
        multi_avg_fn: (averages, weights, count), all of a dtype at once and in place, instead.
        use_buffers: average the buffers too; else they are copied.

    Raises:
        AssertionError: both functions are given.

    >>> model = torch.nn.Linear(1, 1, bias=False)
    >>> average = torch.optim.swa_utils.AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     _ = torch.nn.init.constant_(model.weight, value)
    ...     average.update_parameters(model)
    >>> average.module.weight.item()
    3.0
    """

    n_averaged: Any

    def __init__(
        self, model: Any, device: Any = None, avg_fn: Callable[..., Any] | None = None,
        multi_avg_fn: Callable[..., None] | None = None, use_buffers: bool = False,
    ) -> None:  # fmt: skip
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", _C.tensor(0, dtype=_C.long, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The averaged model's."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Any) -> None:
        """Take the model's present weights into the averages; the first time they are copied."""
        if self.use_buffers:
            own: Any = chain(self.module.parameters(), self.module.buffers())
            new: Any = chain(model.parameters(), model.buffers())
        else:
            own, new = self.parameters(), model.parameters()
        averages = [p.detach() for p in own]
        weights = [p.detach().to(a.device) for p, a in zip(new, averages, strict=False)]
        if self.n_averaged == 0:
            for average, weight in zip(averages, weights, strict=True):
                average.copy_(weight)
        elif self.avg_fn is not None:
            for average, weight in zip(averages, weights, strict=True):
                average.copy_(self.avg_fn(average, weight, self.n_averaged))
        else:
            function = self.multi_avg_fn or get_swa_multi_avg_fn()
            by_dtype: dict[Any, tuple[list[Any], list[Any]]] = {}
            for average, weight in zip(averages, weights, strict=True):
                pair = by_dtype.setdefault(average.dtype, ([], []))
                pair[0].append(average)
                pair[1].append(weight)
            for pair in by_dtype.values():
                function(*pair, self.n_averaged)
        if not self.use_buffers:
            for average, buffer in zip(self.module.buffers(), model.buffers(), strict=True):
                average.detach().copy_(buffer.detach())
        self.n_averaged += 1


@no_grad()
def update_bn(loader: Iterable[Any], model: Any, device: Any = None) -> None:
    """Compute the statistics of a model's batch norms anew, in one pass over the data: averages of weights need it.

    Args:
        loader: of batches: tensors, or lists or tuples that start with the model's input.
        model: whose batch norms to bring up to date.
        device: where the batches go first.

    >>> net = torch.nn.Sequential(torch.nn.BatchNorm1d(1))
    >>> torch.optim.swa_utils.update_bn([torch.tensor([[1.], [3.]])], net)
    >>> net[0].running_mean
    tensor([2.])
    """
    from rushlight.nn.modules.batchnorm import _BatchNorm

    norms = [m for m in model.modules() if isinstance(m, _BatchNorm)]
    if not norms:
        return
    momenta = [m.momentum for m in norms]
    was_training = model.training
    model.train()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain average over all batches
    for batch in loader:
        x = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(x if device is None else x.to(device))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """From the present rate to swa_lr in anneal_epochs epochs, and on at swa_lr.

    Args:
        optimizer: whose learning rates to set.
        swa_lr: the last rate; a list has one for each group.
        anneal_epochs: how many epochs it takes to get there.
        anneal_strategy: "cos" or "linear".
        last_epoch: where to go on; -1 starts.

    Raises:
        ValueError: an unknown strategy, a negative number of epochs.

    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    >>> scheduler = torch.optim.swa_utils.SWALR(optimizer, swa_lr=0.1, anneal_epochs=2, anneal_strategy="linear")
    >>> for _ in range(3):
    ...     print(round(optimizer.param_groups[0]["lr"], 4), end=" ")
    ...     optimizer.step()
    ...     scheduler.step()
    1.0 0.55 0.1
    """

    def __init__(
        self, optimizer: Any, swa_lr: Any, anneal_epochs: int = 10, anneal_strategy: str = "cos", last_epoch: int = -1
    ) -> None:
        for lr, group in zip(one_for_each("swa_lr", optimizer, swa_lr), optimizer.param_groups, strict=True):
            group["swa_lr"] = lr
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        self._anneal_strategy = anneal_strategy
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def anneal_func(self, t: float) -> float:
        """How much of the way is done at the part t of the time."""
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t

    def get_lr(self) -> list[Any]:
        self._check_caller()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        length = max(1, self.anneal_epochs)
        before, now = (self.anneal_func(max(0, min(1, at / length))) for at in (step - 1, step))
        rates = []
        for group in self.optimizer.param_groups:
            lr, goal = group["lr"], group["swa_lr"]
            start = goal if before == 1 else (lr - before * goal) / (1 - before)
            rates.append(goal * now + start * (1 - now))
        return rates


__getattr__ = module_getattr(__name__)
