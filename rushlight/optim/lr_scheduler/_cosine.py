"""Schedules that fall along a cosine."""

from __future__ import annotations

import math
from typing import Any

from rushlight.optim.lr_scheduler._base import LRScheduler


class CosineAnnealingLR(LRScheduler):
    """From the initial rate to eta_min along half a cosine of T_max epochs (and up again, if it goes on).

    Each rate comes from the one before it, so that the schedule can be chained with others.

    Args:
        optimizer: whose learning rates to set.
        T_max: epochs to the least rate.
        eta_min: the least rate.
        last_epoch: where to go on; -1 starts.

    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=4)
    >>> for _ in range(5):
    ...     print(round(optimizer.param_groups[0]["lr"], 4), end=" ")
    ...     optimizer.step()
    ...     scheduler.step()
    1.0 0.8536 0.5 0.1464 0.0

    Reference: Loshchilov and Hutter, https://arxiv.org/abs/1608.03983
    """

    def __init__(self, optimizer: Any, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        self._check_caller()
        if self._is_initial:
            return self._unchanged()
        epoch, low, half = self.last_epoch, self.eta_min, self.T_max
        groups = self.optimizer.param_groups
        if self._step_count == 1 and epoch > 0:
            return [low + (lr - low) * (1 + math.cos(epoch * math.pi / half)) / 2 for lr in self.base_lrs]
        if (epoch - 1 - half) % (2 * half) == 0:  # from the bottom, where the ratio below is 0 / 0
            up = 1 - math.cos(math.pi / half)
            return [group["lr"] + (lr - low) * up / 2 for lr, group in zip(self.base_lrs, groups, strict=True)]
        ratio = (1 + math.cos(math.pi * epoch / half)) / (1 + math.cos(math.pi * (epoch - 1) / half))
        return [ratio * (group["lr"] - low) + low for group in groups]

    def _get_closed_form_lr(self) -> list[Any]:
        low, height = self.eta_min, 1 + math.cos(math.pi * self.last_epoch / self.T_max)
        return [low + (lr - low) * height / 2 for lr in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Half cosines down to eta_min, each starting again at the initial rate.

    Args:
        optimizer: whose learning rates to set.
        T_0: epochs of the first.
        T_mult: how many times longer each next one is.
        eta_min: the least rate.
        last_epoch: where to go on; -1 starts.

    Raises:
        ValueError: T_0 or T_mult is no positive integer.

    >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    >>> scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2)
    >>> for _ in range(4):
    ...     print(round(optimizer.param_groups[0]["lr"], 4), end=" ")
    ...     optimizer.step()
    ...     scheduler.step()
    1.0 0.5 1.0 0.5

    Reference: Loshchilov and Hutter, https://arxiv.org/abs/1608.03983
    """

    def __init__(self, optimizer: Any, T_0: int, T_mult: int = 1, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        if T_0 <= 0 or not isinstance(T_0, int):
            raise ValueError(f"Expected positive integer T_0, but got {T_0}")
        if T_mult < 1 or not isinstance(T_mult, int):
            raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult}")
        if not isinstance(eta_min, (float, int)):
            raise ValueError(f"Expected float or int eta_min, but got {eta_min} of type {type(eta_min)}")
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: Any = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        self._check_caller()
        low, height = self.eta_min, 1 + math.cos(math.pi * self.T_cur / self.T_i)
        return [low + (lr - low) * height / 2 for lr in self.base_lrs]

    def step(self, epoch: Any = None) -> None:
        """The next epoch, or any point in time: `step(epoch + batch / batches)` in every batch."""
        if epoch is None and self.last_epoch >= 0:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur %= self.T_i
                self.T_i *= self.T_mult
        else:
            self._go_to(0 if epoch is None else epoch)
        self.last_epoch = math.floor(0 if epoch is None else epoch)
        self._set_lrs(self._computed(self.get_lr))

    def _go_to(self, epoch: Any) -> None:
        if epoch < 0:
            raise ValueError(f"Expected non-negative epoch, but got {epoch}")
        first, times = self.T_0, self.T_mult
        if epoch < first:
            self.T_i, self.T_cur = first, epoch
        elif times == 1:
            self.T_cur = epoch % first
        else:
            restarts = int(math.log(epoch / first * (times - 1) + 1, times))
            self.T_cur = epoch - first * (times**restarts - 1) / (times - 1)
            self.T_i = first * times**restarts
