"""Jacobians, Hessians and their products with vectors, for functions of tensors.

Each takes a function of one or several tensors that returns one or several tensors, and gives results nested
the same way: a tensor where the function has one input (output), a tuple where it has several.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rushlight import _C
from rushlight.autograd import grad
from rushlight.autograd.grad_mode import enable_grad

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]


def _tuple(value: Any, what: str, func: str) -> tuple[tuple[Any, ...], bool]:
    """`value` as a tuple of tensors, and whether it was one already."""
    several = isinstance(value, tuple)
    values = value if several else (value,)
    for i, item in enumerate(values):
        if not isinstance(item, _C.Tensor):
            raise TypeError(
                f"The {what} given to {func} must be either a Tensor or a tuple of Tensors but the value at index "
                f"{i} has type {type(item)}."
            )
    return values, several


def _prepare(inputs: tuple[Any, ...], create_graph: bool) -> tuple[Any, ...]:
    """Copies of the inputs to differentiate by: tied to the caller's graph only when it shall be differentiated."""
    if create_graph:
        return tuple(x.view_as(x) if x.requires_grad else x.detach().requires_grad_() for x in inputs)
    return tuple(x.detach().requires_grad_() for x in inputs)


def _release(values: Any, create_graph: bool) -> Any:
    """Detach results that nobody asked to differentiate."""
    if create_graph:
        return values
    if isinstance(values, tuple):
        return tuple(_release(v, create_graph) for v in values)
    return values.detach()


def _check_vector(v: tuple[Any, ...], like: tuple[Any, ...], what: str) -> None:
    if len(v) != len(like):
        raise RuntimeError(f"The number of elements of v, {len(v)}, must be the number of {what}, {len(like)}.")
    for i, (a, b) in enumerate(zip(v, like, strict=True)):
        if a.shape != b.shape:
            raise RuntimeError(f"v[{i}] has size {a.shape}, but the {what} it goes with has size {b.shape}.")


def _need_scalar(outputs: tuple[Any, ...], several: bool, func: str) -> None:
    if several or outputs[0].numel() != 1:
        raise RuntimeError(f"The Tensor returned by the function given to {func} should contain a single element")


def _fill(
    grads: tuple[Any, ...], inputs: tuple[Any, ...], strict: bool, what: str, create_graph: bool = False
) -> tuple[Any, ...]:
    """Zeros where an input did not take part, or an error if that was forbidden."""
    if strict:
        for i, g in enumerate(grads):
            if g is None or (create_graph and not g.requires_grad):
                raise RuntimeError(
                    f"The {what} is independent of input {i}. This is not allowed in strict mode: is every input used "
                    "by the function?"
                )
    return tuple(_C.zeros_like(x) if g is None else g for g, x in zip(grads, inputs, strict=True))


def _grad(outputs: Any, inputs: Any, seeds: Any, create_graph: bool, keep: bool | None = None) -> tuple[Any, ...]:
    """`grad` that gives None for everything that does not depend on the inputs."""
    outs, vs = [], []
    for o, s in zip(outputs, seeds if seeds is not None else [None] * len(outputs), strict=True):
        if o is not None and o.requires_grad:
            outs.append(o)
            vs.append(s)
    if not outs:
        return (None,) * len(inputs)
    found: tuple[Any, ...] = grad(tuple(outs), inputs, tuple(vs), keep, create_graph, allow_unused=True)
    return found


def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The function's value, and `v` times its Jacobian.

    Args:
        func: a function of tensors.
        inputs: a tensor, or a tuple of them.
        v: shaped like the output; may be left out when that has one element.
        create_graph: make the result differentiable.
        strict: an error instead of zeros where the output does not depend on an input.

    >>> torch.autograd.functional.vjp(lambda x: x ** 2, torch.tensor([1., 2.]), torch.ones(2))
    (tensor([1., 4.]), tensor([2., 4.]))

    Reference: https://pytorch.org/docs/stable/generated/torch.autograd.functional.vjp.html
    """
    with enable_grad():
        xs, several = _tuple(inputs, "inputs", "vjp")
        xs = _prepare(xs, create_graph)
        outs, several_out = _tuple(func(*xs), "outputs", "vjp")
        if v is None:
            if several_out or outs[0].numel() != 1:
                raise RuntimeError("The vector v can only be None if the function returns a single element tensor")
            vs: tuple[Any, ...] = (_C.ones_like(outs[0]),)
        else:
            vs = _prepare(_tuple(v, "v", "vjp")[0], create_graph)
            _check_vector(vs, outs, "outputs")
        result = _fill(_grad(outs, xs, vs, create_graph), xs, strict, "output")
    outs, result = _release(outs, create_graph), _release(result, create_graph)
    return (outs if several_out else outs[0]), (result if several else result[0])


def _direction(v: Any, xs: tuple[Any, ...], several: bool, create_graph: bool, func: str) -> tuple[Any, ...]:
    """`v` as tensors like the inputs; 1 where it is left out and there is one input with one element."""
    if v is None:
        if several or xs[0].numel() != 1:
            raise RuntimeError("The vector v can only be None if the input to the function is a single element")
        return (_C.ones_like(xs[0]),)
    vs = _prepare(_tuple(v, "v", func)[0], create_graph)
    _check_vector(vs, xs, "inputs")
    return vs


def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The function's value, and its Jacobian times `v`, by differentiating the backward pass.

    Args:
        func, inputs, create_graph, strict: as in `vjp`.
        v: shaped like the inputs; may be left out when there is one input with one element.

    >>> torch.autograd.functional.jvp(lambda x: x ** 2, torch.tensor([1., 2.]), torch.tensor([1., 0.]))
    (tensor([1., 4.]), tensor([2., 0.]))

    Reference: https://pytorch.org/docs/stable/generated/torch.autograd.functional.jvp.html
    """
    with enable_grad():
        xs, several = _tuple(inputs, "inputs", "jvp")
        xs = _prepare(xs, create_graph)
        vs = _direction(v, xs, several, create_graph, "jvp")
        outs, several_out = _tuple(func(*xs), "outputs", "jvp")
        seeds = tuple(_C.zeros_like(o).requires_grad_() for o in outs)
        first = _fill(_grad(outs, xs, seeds, True), xs, strict, "output")
        result = _fill(_grad(first, seeds, vs, create_graph), outs, strict, "output")
    outs, result = _release(outs, create_graph), _release(result, create_graph)
    return (outs if several_out else outs[0]), (result if several_out else result[0])


def jacobian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian: for an output of shape S and an input of shape T, a tensor of shape S + T.

    Args:
        func, inputs, create_graph, strict: as in `vjp`.
        vectorize, strategy: accepted; the result is the same.

    Returns:
        A tensor; for several inputs a tuple over inputs; for several outputs a tuple over outputs of that.

    Example:
        >>> import rushlight as torch
        >>> torch.autograd.functional.jacobian(lambda x: x * x, torch.tensor([1.0, 2.0]))
        tensor([[2., 0.],
                [0., 4.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.autograd.functional.jacobian.html
    """
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')
    if strategy == "forward-mode" and not vectorize:
        raise NotImplementedError("Computing Jacobian using forward-AD is only implemented for `vectorize=True`.")
    with enable_grad():
        xs, several = _tuple(inputs, "inputs", "jacobian")
        xs = _prepare(xs, create_graph)
        outs, several_out = _tuple(func(*xs), "outputs", "jacobian")
        table = []
        for i, out in enumerate(outs):
            flat = out.reshape(-1)
            rows = []
            one = _C.ones((), dtype=out.dtype) if vectorize and out.is_complex() else None
            for j in range(out.numel()):
                row = _grad((flat[j],), xs, one if one is None else (one,), create_graph, True)
                rows.append(_fill(row, xs, strict, f"output {i}", create_graph and strict))
            table.append(
                tuple(
                    _C.stack([row[k] for row in rows]).reshape((*out.shape, *x.shape))
                    if rows
                    else x.new_zeros((*out.shape, *x.shape))
                    for k, x in enumerate(xs)
                )
            )
    result: Any = _release(tuple(table), create_graph)
    if not several:
        result = tuple(row[0] for row in result)
    return result if several_out else result[0]


def hessian(
    func: Callable[..., Any],
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The Hessian of a function with one number as its result.

    Args:
        func: returns a tensor with one element.
        inputs, create_graph, strict: as in `vjp`.
        vectorize, outer_jacobian_strategy: accepted; the result is the same.

    Returns:
        For one input of shape S a tensor of shape S + S; for several a tuple of tuples.

    >>> torch.autograd.functional.hessian(lambda x: (x ** 3).sum(), torch.tensor([1., 2.]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.autograd.functional.hessian.html
    """
    xs, several = _tuple(inputs, "inputs", "hessian")

    def gradient(*values: Any) -> Any:
        outs, several_out = _tuple(func(*values), "outputs", "hessian")
        _need_scalar(outs, several_out, "hessian")
        first = _fill(_grad((outs[0].reshape(()),), values, None, True), values, strict, "output")
        return first

    result = jacobian(gradient, xs, create_graph, strict)
    return result if several else result[0][0]


def vhp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The function's value (one number), and `v` times its Hessian.

    >>> torch.autograd.functional.vhp(lambda x: (x ** 3).sum(), torch.tensor([1., 2.]), torch.ones(2))
    (tensor(9.), tensor([ 6., 12.]))

    Reference: https://pytorch.org/docs/stable/generated/torch.autograd.functional.vhp.html
    """
    with enable_grad():
        xs, several = _tuple(inputs, "inputs", "vhp")
        xs = _prepare(xs, create_graph)
        vs = _direction(v, xs, several, create_graph, "vhp")
        outs, several_out = _tuple(func(*xs), "outputs", "vhp")
        _need_scalar(outs, several_out, "vhp")
        first = _fill(_grad(outs, xs, None, True), xs, strict, "output", strict)
        result = _fill(_grad(first, xs, vs, create_graph), xs, strict, "gradient")
    outs, result = _release(outs, create_graph), _release(result, create_graph)
    return outs[0], (result if several else result[0])


def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """The function's value (one number), and its Hessian times `v`; the Hessian is symmetric, so this is `vhp`.

    >>> torch.autograd.functional.hvp(lambda x: (x ** 3).sum(), torch.tensor([1., 2.]), torch.ones(2))
    (tensor(9.), tensor([ 6., 12.]))

    Reference: https://pytorch.org/docs/stable/generated/torch.autograd.functional.hvp.html
    """
    return vhp(func, inputs, v, create_graph, strict)
