"""Optimizers: what turns gradients into better parameters, the schedules of their learning rates, averaged weights.

Options out of their range, and no parameters at all, are a ValueError. State and parameter groups are laid out as
PyTorch's, so that state dictionaries go both ways.

>>> model = torch.nn.Linear(2, 1)
>>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
>>> loss = model(torch.ones(4, 2)).square().mean()
>>> optimizer.zero_grad()
>>> loss.backward()
>>> optimizer.step()

Reference: https://pytorch.org/docs/stable/optim.html
"""

from rushlight._missing import complete_when_listed, module_getattr
from rushlight.optim.optimizer import Optimizer

# Imported when first used: a program needs one or two of them.
_HOMES = {
    "ASGD": "asgd", "Adadelta": "adadelta", "Adafactor": "_adafactor", "Adagrad": "adagrad", "Adam": "adam",
    "AdamW": "adamw", "Adamax": "adamax", "LBFGS": "lbfgs", "Muon": "_muon", "NAdam": "nadam", "RAdam": "radam",
    "RMSprop": "rmsprop", "Rprop": "rprop", "SGD": "sgd", "SparseAdam": "sparse_adam",
    "swap_in_optimizer_params_and_state": "_stateless",
}  # fmt: skip
_SUBMODULES = ("lr_scheduler", "swa_utils")

__all__ = [*_HOMES, "Optimizer", *_SUBMODULES]


__getattr__ = module_getattr(__name__, _SUBMODULES, _HOMES)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


complete_when_listed(__name__, __all__)
