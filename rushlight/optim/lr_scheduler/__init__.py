"""Schedules: how the learning rate changes as training goes on. Call `step()` after the optimizer's.

>>> optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
>>> scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.1)
>>> for epoch in range(3):
...     optimizer.step()
...     scheduler.step()
>>> scheduler.get_last_lr()
[0.1]

Reference: https://pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate
"""

from rushlight._missing import module_getattr
from rushlight.optim.lr_scheduler._base import EPOCH_DEPRECATION_WARNING, LRScheduler, _LRScheduler
from rushlight.optim.lr_scheduler._combined import ChainedScheduler, SequentialLR
from rushlight.optim.lr_scheduler._cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from rushlight.optim.lr_scheduler._cycles import CyclicLR, OneCycleLR
from rushlight.optim.lr_scheduler._factors import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from rushlight.optim.lr_scheduler._plateau import ReduceLROnPlateau

__all__ = [
    "LambdaLR", "MultiplicativeLR", "StepLR", "MultiStepLR", "ConstantLR", "LinearLR", "ExponentialLR", "SequentialLR",
    "CosineAnnealingLR", "ChainedScheduler", "ReduceLROnPlateau", "CyclicLR", "CosineAnnealingWarmRestarts",
    "OneCycleLR", "PolynomialLR", "LRScheduler",
]  # fmt: skip
_ALSO = (EPOCH_DEPRECATION_WARNING, _LRScheduler)  # PyTorch's module has these names too

__getattr__ = module_getattr(__name__)
