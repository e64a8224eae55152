"""Differentiation: `backward`, `grad`, grad modes, custom functions, and checks of gradients."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rushlight import _C
from rushlight._missing import module_getattr
from rushlight.autograd.grad_mode import (
    enable_grad,
    enforce_grad_layout_policy,
    inference_mode,
    no_grad,
    set_grad_enabled,
    set_multithreading_enabled,
)

if TYPE_CHECKING:
    from rushlight.autograd.anomaly_mode import detect_anomaly, set_detect_anomaly
    from rushlight.autograd.function import Function
    from rushlight.autograd.variable import Variable

__all__ = [
    "Function",
    "Variable",
    "backward",
    "detect_anomaly",
    "enable_grad",
    "enforce_grad_layout_policy",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "inference_mode",
    "no_grad",
    "set_detect_anomaly",
    "set_grad_enabled",
    "set_multithreading_enabled",
]

_HOMES = {
    "Function": "function",
    "detect_anomaly": "anomaly_mode",
    "set_detect_anomaly": "anomaly_mode",
    "Variable": "variable",
}
_SUBMODULES = ("anomaly_mode", "function", "forward_ad", "functional", "grad_mode", "graph", "profiler", "variable")


def _listed(values: Any) -> tuple[Any, ...]:
    """One tensor, or one edge of the graph, is a list of one."""
    if isinstance(values, _C.Tensor) or (isinstance(values, tuple) and hasattr(values, "output_nr")):
        return (values,)
    return tuple(values)


def _inputs(inputs: Any, what: str) -> tuple[Any, ...]:
    if isinstance(inputs, Mapping):
        if type(inputs) is not dict:
            raise TypeError(
                f"`inputs` argument to `{what}()` must be a dict, not {type(inputs).__name__}. "
                "Other Mapping types are not supported."
            )
        inputs = inputs.values()
    found = _listed(inputs)
    if not found:
        raise RuntimeError(f"`inputs` argument to `{what}()` cannot be empty.")
    return found


def _seeds(outputs: tuple[Any, ...], grads: Any) -> tuple[Any, ...]:
    if grads is None:
        grads = (None,) * len(outputs)
    grads = (grads,) if isinstance(grads, _C.Tensor) else tuple(grads)
    if len(grads) != len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(grads)} gradients")
    if any(isinstance(t, tuple) for t in outputs):
        grads = tuple(_edge_seed(t, g) if isinstance(t, tuple) else g for t, g in zip(outputs, grads, strict=True))
    return grads


def _edge_seed(edge: Any, seed: Any) -> Any:
    shape, dtype = getattr(edge, "like", None) or (None, None)
    if seed is not None:
        if shape is not None and shape != seed.shape:
            raise RuntimeError(
                f"Mismatch in shape: grad_output[0] has a shape of {seed.shape} and output[0] has a shape of {shape}."
            )
        return seed
    if shape is None or shape.numel() != 1:
        raise RuntimeError("grad can be implicitly created only for scalar outputs")
    return _C.ones(shape, dtype=dtype)


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Add the gradients of `tensors` to the `.grad` of the leaves (or of `inputs` alone).

    Args:
        tensors: a tensor or several; each must have one element unless `grad_tensors` has a seed for it.
        grad_tensors: the seeds, shaped like `tensors`.
        retain_graph: keep what was saved, to run backward again. Default: the value of `create_graph`.
        create_graph: record the backward pass itself, for higher derivatives.
        inputs: accumulate into these only.

    Raises:
        RuntimeError: a tensor does not require grad, or has several elements and no seed.

    >>> x = torch.tensor([1., 2.], requires_grad=True)
    >>> torch.autograd.backward([(x * x).sum(), x.sum()])
    >>> x.grad
    tensor([3., 5.])

    Reference: https://pytorch.org/docs/stable/generated/torch.autograd.backward.html
    """
    if grad_variables is not None:
        warnings.warn("`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning, stacklevel=2)
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to `backward()`."
            )
        grad_tensors = grad_variables
    if inputs is not None:
        inputs = _inputs(inputs, "backward")
    roots = _listed(tensors)
    keep = create_graph if retain_graph is None else retain_graph
    _C._backward(roots, _seeds(roots, grad_tensors), keep, create_graph, inputs)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> Any:
    """The gradients of the sum of `outputs` with respect to `inputs`, without touching any `.grad`.

    Args:
        outputs, inputs: a tensor or several (`inputs` may be a dict, and then so is the result).
        grad_outputs: seeds shaped like `outputs`; needed where an output has several elements.
        retain_graph, create_graph: as in `backward`.
        allow_unused: None instead of an error for an input that did not take part.
        is_grads_batched: `grad_outputs` have a leading batch dimension; so have the results.
        materialize_grads: zeros instead of None for unused inputs.

    Returns:
        A tuple of tensors, one for each input.

    >>> x = torch.tensor(3., requires_grad=True)
    >>> (dy,) = torch.autograd.grad(x ** 3, x, create_graph=True)
    >>> dy, torch.autograd.grad(dy, x)
    (tensor(27., grad_fn=<MulBackward0>), (tensor(18.),))

    Reference: https://pytorch.org/docs/stable/generated/torch.autograd.grad.html
    """
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    if not only_inputs:
        warnings.warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for "
            "other parts of the graph, please use torch.autograd.backward.",
            FutureWarning,
            stacklevel=2,
        )
    leaves = _inputs(inputs, "grad")
    if isinstance(inputs, dict):
        values = grad(
            outputs, leaves, grad_outputs, retain_graph, create_graph, True, allow_unused, is_grads_batched,
            materialize_grads,
        )  # fmt: skip
        return dict(zip(inputs, values, strict=True))
    roots = _listed(outputs)
    seeds = _seeds(roots, grad_outputs)
    keep = create_graph if retain_graph is None else retain_graph
    unused = materialize_grads if allow_unused is None else allow_unused
    if is_grads_batched:
        count = next(s.shape[0] for s in seeds if s is not None)
        rows = [
            grad(roots, leaves, tuple(None if s is None else s[i] for s in seeds), True, create_graph,
                 allow_unused=unused, materialize_grads=materialize_grads)
            for i in range(count)
        ]  # fmt: skip
        return tuple(None if row[0] is None else _C.stack(list(row)) for row in zip(*rows, strict=True))
    found = _C._grad(roots, leaves, seeds, keep, create_graph, unused)
    if materialize_grads:
        if any(g is None and isinstance(x, tuple) for x, g in zip(leaves, found, strict=True)):
            raise RuntimeError("materialize_grads cannot be used when the given input is a GradientEdge")
        return tuple(
            _C.zeros_like(x, requires_grad=create_graph) if g is None else g for x, g in zip(leaves, found, strict=True)
        )
    return tuple(found)


__getattr__ = module_getattr(__name__, _SUBMODULES, _HOMES)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_SUBMODULES})


# Not when first used: the function has the name of its module, which would take its place.
from rushlight.autograd.gradcheck import gradcheck, gradgradcheck  # noqa: E402
