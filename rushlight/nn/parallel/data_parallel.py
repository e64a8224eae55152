"""DataParallel: on a machine without GPUs, the module."""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight.nn.modules.module import Module

__all__ = ["DataParallel", "data_parallel"]


class DataParallel(Module):
    """Runs a module over the GPUs. There are none, so it runs the module, as PyTorch does then.

    Its state_dict has the names of the module's with `module.` before them.

    Args:
        module: what to run.
        device_ids, output_device, dim: accepted.

    Example:
        >>> list(torch.nn.DataParallel(torch.nn.Linear(1, 1)).state_dict())
        ['module.weight', 'module.bias']

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.DataParallel.html
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0) -> None:
        super().__init__()
        self.module = module
        self.device_ids: list[int] = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the module gives."""
        return self.module(*inputs, **kwargs)


def data_parallel(
    module: Module,
    inputs: Any,
    device_ids: Any = None,
    output_device: Any = None,
    dim: int = 0,
    module_kwargs: dict[str, Any] | None = None,
) -> Any:
    """The module with these inputs, over the GPUs: there are none."""
    args = inputs if isinstance(inputs, tuple) else (inputs,) if inputs is not None else ()
    if device_ids:
        _C.empty(0).to("cuda")  # refuses, with the reason
    return module(*args, **(module_kwargs or {}))
