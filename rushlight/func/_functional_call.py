"""Calling modules with given parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rushlight import _C

__all__ = ["functional_call", "stack_module_state"]


def functional_call(
    module: Any, parameter_and_buffer_dicts: Any, args: Any = None, kwargs: Any = None, *, tie_weights: bool = True,
    strict: bool = False,
) -> Any:  # fmt: skip
    """`module(*args, **kwargs)` with the given tensors in place of the module's own.

    Args:
        module: what to call; afterwards it is as it was.
        parameter_and_buffer_dicts: tensors by dotted name, or several such dictionaries.
        args: a tuple of arguments, or one that is no tuple.
        kwargs: keyword arguments.
        tie_weights: a tensor that the module holds under several names is replaced under all of them.
        strict: every tensor of the module must be given, and no other.

    Raises:
        RuntimeError: names do not match, if strict.
        ValueError: a name is in several dictionaries, or tied names get different tensors.

    Example:
        >>> import rushlight as torch
        >>> from rushlight.func import functional_call
        >>> m = torch.nn.Linear(2, 1)
        >>> functional_call(m, {"weight": torch.ones(1, 2), "bias": torch.zeros(1)}, torch.ones(3, 2))
        tensor([[2.],
                [2.],
                [2.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.func.functional_call.html
    """
    from rushlight.nn.utils.stateless import _functional_call

    given = parameter_and_buffer_dicts
    if not isinstance(given, Mapping):
        if not isinstance(given, Sequence):
            raise ValueError(
                "Expected parameter_and_buffer_dicts to be a dict, or a list/tuple of dicts, "
                f"but got {type(given).__name__}"
            )
        if not all(isinstance(d, Mapping) for d in given):
            raise ValueError("Expected all elements of parameter_and_buffer_dicts to be dictionaries")
        names = [name for d in given for name in d]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"{repeated} appeared in multiple dictionaries; behavior of functional call is ambiguous")
        given = {name: tensor for d in given for name, tensor in d.items()}
    return _functional_call(module, given, args, kwargs, tie_weights=tie_weights, strict=strict)


def stack_module_state(models: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters and the buffers of several modules of one class, stacked along a new first dimension.

    Raises:
        RuntimeError: there are none, or they differ in class or mode.

    >>> models = [torch.nn.Linear(2, 1) for _ in range(3)]
    >>> params, buffers = torch.func.stack_module_state(models)
    >>> params["weight"].shape
    torch.Size([3, 1, 2])

    Reference: https://pytorch.org/docs/stable/generated/torch.func.stack_module_state.html
    """
    models = list(models)
    if not models:
        raise RuntimeError("stack_module_state: Expected at least one model, got 0.")
    if not all(m.training == models[0].training for m in models):
        raise RuntimeError("stack_module_state: Expected all models to have the same training/eval mode.")
    if not all(type(m) is type(models[0]) for m in models):
        raise RuntimeError("stack_module_state: Expected all models to be of the same class.")

    def stack(several: list[dict[str, Any]], differentiable: bool) -> dict[str, Any]:
        made = {}
        for name in several[0]:
            tensors = [d[name] for d in several]
            if differentiable and not all(t.requires_grad == tensors[0].requires_grad for t in tensors):
                raise RuntimeError(f"Expected {name} parameter to have the same .requires_grad for each model")
            made[name] = _C.stack([t.detach() for t in tensors]).requires_grad_(
                differentiable and tensors[0].requires_grad
            )
        return made

    params = stack([dict(m.named_parameters()) for m in models], True)
    return params, stack([dict(m.named_buffers()) for m in models], False)
