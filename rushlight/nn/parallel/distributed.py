"""DistributedDataParallel in a world of one process."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from rushlight.nn.modules.module import Module

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DistributedDataParallel"]


class DistributedDataParallel(Module):
    """Averages the gradients over all processes. There is one, so it runs the module.

    Its state_dict has the names of the module's with `module.` before them.

    Args:
        module: what to run; some parameter must require a gradient.
        device_ids: None: the CPU.
        options: PyTorch's others, accepted.

    Raises:
        ValueError: `torch.distributed.init_process_group` was not called.
        RuntimeError: no parameter requires a gradient.

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.parallel.DistributedDataParallel.html
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, **options: Any) -> None:
        super().__init__()
        from rushlight import distributed

        distributed.get_rank()  # there is a world, or an error that says what to call
        if not any(p.requires_grad for p in module.parameters()):
            raise RuntimeError(
                "DistributedDataParallel is not needed when a module doesn't have any parameter that requires a gradient."
            )
        if device_ids:
            raise ValueError(
                "DistributedDataParallel device_ids and output_device arguments only work with GPU modules: "
                f"this one is on the CPU, but got device_ids {device_ids}"
            )
        self.module = module
        self.device_ids = None
        self.require_backward_grad_sync = True

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the module gives."""
        return self.module(*inputs, **kwargs)

    @contextlib.contextmanager
    def no_sync(self) -> Iterator[None]:
        """Within it gradients are not averaged."""
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before

    @contextlib.contextmanager
    def join(self, *args: Any, **kwargs: Any) -> Iterator[None]:
        """For processes with less data than others: there are no others."""
        yield

    def register_comm_hook(self, state: Any, hook: Any) -> None:
        """Accepted: there is no communication."""
