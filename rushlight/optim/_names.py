"""Names with an underscore that optimizers written for PyTorch take from its torch.optim.optimizer."""

from __future__ import annotations

import math
from functools import wraps
from typing import Any

from rushlight import _C

NAMES: dict[str, Any] = {}


def _name(function: Any) -> Any:
    NAMES[function.__name__] = function
    return function


@_name
def _use_grad_for_differentiable(step: Any) -> Any:
    """A `step` that records gradients where the optimizer is differentiable, and not otherwise."""

    @wraps(step)
    def wrapped(self: Any, *args: Any, **kwargs: Any) -> Any:
        before = _C._is_grad_enabled()
        _C._set_grad_enabled(bool(self.defaults["differentiable"]))
        try:
            return step(self, *args, **kwargs)
        finally:
            _C._set_grad_enabled(before)

    return wrapped


@_name
def _get_value(x: Any) -> Any:
    """The number in a tensor; a number as it is."""
    return x.item() if isinstance(x, _C.Tensor) else x


@_name
def _to_scalar(x: Any) -> Any:
    """A tensor of one element without its axes; a number as it is."""
    return x.squeeze() if isinstance(x, _C.Tensor) and x.dim() else x


@_name
def _dispatch_sqrt(x: Any) -> Any:
    """The square root of a tensor or of a number."""
    return x.sqrt() if isinstance(x, _C.Tensor) else math.sqrt(x)


@_name
def _stack_if_compiling(x: Any) -> Any:
    """What it gets: nothing is compiled."""
    return x


@_name
def _default_to_fused_or_foreach(params: Any, differentiable: bool, use_fused: bool = False) -> tuple[bool, bool]:
    """(fused, foreach) for parameters on a CPU: neither."""
    return False, False


@_name
def _get_scalar_dtype(is_fused: Any = None) -> Any:
    """The dtype of step counters."""
    return _C.float64 if not is_fused and _C.get_default_dtype() == _C.float64 else _C.float32


@_name
def _view_as_real(params: list[Any], *state_and_grads: list[Any]) -> None:
    """Complex parameters in a list, and their tensors in the other lists, become views of real numbers."""
    for i, p in enumerate(params):
        if p.is_complex():
            params[i] = _C.view_as_real(p)
            for tensors in state_and_grads:
                tensors[i] = _C.view_as_real(tensors[i])


NAMES["ParamsT"] = Any
NAMES["StateDict"] = dict[str, Any]
NAMES.update(
    {f"_{what}_doc": "" for what in ("params", "foreach", "fused", "capturable", "differentiable", "maximize")}
)
