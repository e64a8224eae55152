"""Functions of functions: gradients, Jacobians, batched forms, and modules called with given parameters."""

from rushlight._missing import module_getattr
from rushlight.func._batch_norm import replace_all_batch_norm_modules_
from rushlight.func._functional_call import functional_call, stack_module_state
from rushlight.func._rearrange import rearrange
from rushlight.func._transforms import (
    debug_unwrap,
    functionalize,
    grad,
    grad_and_value,
    hessian,
    jacfwd,
    jacrev,
    jvp,
    linearize,
    vjp,
    vmap,
)

__all__ = [
    "debug_unwrap",
    "functional_call",
    "functionalize",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "rearrange",
    "replace_all_batch_norm_modules_",
    "stack_module_state",
    "vjp",
    "vmap",
]

__getattr__ = module_getattr(__name__)
