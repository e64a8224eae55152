"""`torch.xpu`: a kind of device that is not here, so that programs can ask."""

from rushlight._absent_device import *  # noqa: F403
from rushlight._absent_device import __all__ as _answers
from rushlight._absent_device import no_current_device
from rushlight._missing import module_getattr

__all__ = [*_answers, "current_device"]

current_device = no_current_device("XPU")
__getattr__ = module_getattr(__name__)
