"""`torch.distributed.fsdp`, by the file that it is in."""

from rushlight.distributed.fsdp import *  # noqa: F403
from rushlight.distributed.fsdp import __all__ as __all__
