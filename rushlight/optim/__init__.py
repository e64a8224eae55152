"""Optimizers."""

from rushlight._missing import module_getattr
from rushlight.optim.optimizer import Optimizer
from rushlight.optim.sgd import SGD

__all__ = ["SGD", "Optimizer"]

__getattr__ = module_getattr(__name__)
