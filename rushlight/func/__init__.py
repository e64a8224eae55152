"""Functions of functions: modules called with given parameters."""

from rushlight._missing import module_getattr
from rushlight.func._functional_call import functional_call, stack_module_state

__all__ = ["functional_call", "stack_module_state"]

__getattr__ = module_getattr(__name__)
