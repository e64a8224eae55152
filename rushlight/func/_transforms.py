"""Functions to their gradients, Jacobians and batched forms, on the tape.

A transform calls the function on tensors of its own, and differentiates what comes out. Within another transform (or
where the arguments require grad already) it does so differentiably, so that transforms nest.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

from rushlight import _C
from rushlight import autograd as _autograd
from rushlight.autograd.grad_mode import enable_grad
from rushlight.func._tree import leaves, rebuilt, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["functionalize", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize", "vjp", "vmap"]

_depth = 0


@contextmanager
def _within() -> Iterator[bool]:
    """Inside of a transform; gives whether it stands in another one."""
    global _depth
    nested = _depth > 0
    _depth += 1
    try:
        with enable_grad():
            yield nested
    finally:
        _depth -= 1


def _tracked(tree: Any) -> tuple[Any, list[Any], bool]:
    """The nest with tensors to differentiate by; these; and whether the originals are tracked themselves."""
    made: list[Any] = []
    outer = False

    def track(x: Any) -> Any:
        nonlocal outer
        if not isinstance(x, _C.Tensor):
            return x
        if not (x.is_floating_point() or x.is_complex()):
            raise RuntimeError(
                f"only tensors of floating point and complex dtype can be differentiated by, got {x.dtype}"
            )
        outer |= x.requires_grad
        own = x.view_as(x) if x.requires_grad else x.detach().requires_grad_()
        made.append(own)
        return own

    return rebuilt(tree, track), made, outer


def _released(tree: Any, keep: bool) -> Any:
    """Without history, unless somebody outside may want it."""
    return tree if keep else rebuilt(tree, lambda x: x.detach() if isinstance(x, _C.Tensor) else x)


def _filled(grads: Any, inputs: list[Any]) -> list[Any]:
    return [_C.zeros_like(x) if g is None else g for g, x in zip(grads, inputs, strict=True)]


def _like(tree: Any, values: list[Any]) -> Any:
    """`values` in the places of the tensors of the nest."""
    rest = iter(values)
    return rebuilt(tree, lambda x: next(rest) if isinstance(x, _C.Tensor) else x)


def _in_order(tree: Any, values: list[Any]) -> Any:
    """`values` in the places of all leaves of the nest."""
    rest = iter(values)
    return rebuilt(tree, lambda _: next(rest))


def _chosen(args: tuple[Any, ...], argnums: Any, what: str) -> tuple[tuple[int, ...], Any]:
    numbers = argnums if isinstance(argnums, tuple) else (argnums,)
    for n in numbers:
        if not isinstance(n, int) or not -len(args) <= n < len(args):
            raise RuntimeError(
                f"Got argnum={n}, but only {len(args)} positional inputs" if isinstance(n, int)
                else f"{what}: argnums must be int or Tuple[int, ...], got: {type(argnums)}"
            )  # fmt: skip
    numbers = tuple(n % len(args) for n in numbers)
    return numbers, tuple(args[n] for n in numbers)


def _replaced(args: tuple[Any, ...], numbers: tuple[int, ...], values: tuple[Any, ...]) -> tuple[Any, ...]:
    new = list(args)
    for n, value in zip(numbers, values, strict=True):
        new[n] = value
    return tuple(new)


def grad_and_value(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives the gradient of `func` and its value; see `grad`.

    >>> torch.func.grad_and_value(lambda x: x ** 2)(torch.tensor(3.))
    (tensor(6.), tensor(9.))
    """

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        numbers, picked = _chosen(args, argnums, "grad")
        with _within() as nested:
            own, inputs, outer = _tracked(picked)
            value = func(*_replaced(args, numbers, own), **kwargs)
            aux = None
            if has_aux:
                if not (isinstance(value, tuple) and len(value) == 2):
                    raise RuntimeError("grad_and_value(f)(*args): output of function f should be a tuple (output, aux)")
                value, aux = value
            if not isinstance(value, _C.Tensor):
                raise RuntimeError(
                    f"grad_and_value(f)(*args): Expected f(*args) to return a tensor, got {type(value).__name__}"
                )
            if value.dim() != 0:
                raise RuntimeError(
                    "grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got tensor with "
                    f"{value.dim()} dims. Maybe you wanted to use the vjp or jacrev APIs instead?"
                )
            keep = nested or outer
            if value.requires_grad:
                grads = _autograd.grad(value, inputs, create_graph=keep, allow_unused=True)
            else:
                grads = [None] * len(inputs)
            result = _like(own, _filled(grads, inputs))
        result = _released(result if isinstance(argnums, tuple) else result[0], keep)
        value = _released((value, aux) if has_aux else value, keep)
        return result, value

    return wrapper


def grad(func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that gives the gradient of `func`, which returns one number.

    Args:
        func: the function; its arguments may be nests of tensors (dictionaries of parameters, say).
        argnums: by which argument, or by which several.
        has_aux: `func` returns (value, aux), and aux comes along.

    Raises:
        RuntimeError: the value is no tensor of one number, or there is no such argument.

    Example:
        >>> import rushlight as torch
        >>> torch.func.grad(lambda x: x.sin())(torch.tensor(0.0))
        tensor(1.)

    Reference: https://pytorch.org/docs/stable/generated/torch.func.grad.html
    """
    both = grad_and_value(func, argnums, has_aux)

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        result, value = both(*args, **kwargs)
        return (result, value[1]) if has_aux else result

    return wrapper


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of `func`, and a function from cotangents (nested as the value) to gradients of the primals.

    Returns:
        (value, function), and aux where `has_aux`.

    >>> y, pull = torch.func.vjp(lambda x: x ** 2, torch.tensor(3.))
    >>> pull(torch.tensor(1.))
    (tensor(6.),)

    Reference: https://pytorch.org/docs/stable/generated/torch.func.vjp.html
    """
    with _within() as nested:
        own, inputs, outer = _tracked(primals)
        value = func(*own)
        aux = None
        if has_aux:
            value, aux = value
    keep = nested or outer
    ends = list(leaves(value))
    if not all(isinstance(t, _C.Tensor) for t in ends):
        raise RuntimeError("vjp(f, *primals): Expected f to return only tensors")

    def pull(cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        given = list(leaves(cotangents))
        if len(given) != len(ends):
            raise RuntimeError(f"Expected pytree structure of cotangents to be that of the outputs, got {len(given)}")
        used = [(t, g) for t, g in zip(ends, given, strict=True) if t.requires_grad]
        again = keep or _depth > 0 or any(g.requires_grad for g in given)
        with enable_grad():
            grads: Any = [None] * len(inputs)
            if used:
                grads = _autograd.grad(
                    [t for t, _ in used], inputs, [g for _, g in used], retain_graph=True, create_graph=again,
                    allow_unused=True,
                )  # fmt: skip
            result = _released(_like(own, _filled(grads, inputs)), again)
        return result

    shown = _released(value, keep)
    return (shown, pull, _released(aux, keep)) if has_aux else (shown, pull)


def jvp(func: Callable[..., Any], primals: Any, tangents: Any, *, strict: bool = False, has_aux: bool = False) -> Any:
    """The value of `func`, and how it changes where the primals change by `tangents`.

    The product is the gradient of the transposed product, which is linear in its cotangents.

    Returns:
        (value, change), and aux where `has_aux`.

    >>> torch.func.jvp(torch.sin, (torch.tensor(0.),), (torch.tensor(1.),))
    (tensor(0.), tensor(1.))

    Reference: https://pytorch.org/docs/stable/generated/torch.func.jvp.html
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise RuntimeError("jvp(f, primals, tangents): Expected primals and tangents to be tuples")
    if len(primals) != len(tangents):
        raise RuntimeError("jvp(f, primals, tangents): Expected primals and tangents to have the same structure")
    with _within() as nested:
        own, inputs, outer = _tracked(primals)
        value = func(*own)
        aux = None
        if has_aux:
            value, aux = value
        directions = [t for t in leaves(tangents) if isinstance(t, _C.Tensor)]
        keep = nested or outer or any(t.requires_grad for t in directions)
        ends = list(leaves(value))
        changes = _push(ends, inputs, directions, keep)
        change = _like(value, changes)
    result = (_released(value, keep), _released(change, keep))
    return (*result, _released(aux, keep)) if has_aux else result


def _push(ends: list[Any], inputs: list[Any], directions: list[Any], keep: bool) -> list[Any]:
    moving = [t for t in ends if t.requires_grad]
    changes: Iterator[Any] = iter(())
    if moving:
        cotangents = [_C.zeros_like(t).requires_grad_() for t in moving]
        back = _autograd.grad(moving, inputs, cotangents, create_graph=True, allow_unused=True)
        pairs = [(b, d) for b, d in zip(back, directions, strict=True) if b is not None and b.requires_grad]
        forward: Any = [None] * len(moving)
        if pairs:
            forward = _autograd.grad(
                [b for b, _ in pairs], cotangents, [d for _, d in pairs], create_graph=keep, retain_graph=True,
                allow_unused=True,
            )  # fmt: skip
        changes = iter(_filled(forward, moving))
    return [next(changes) if t.requires_grad else _C.zeros_like(t) for t in ends]


def linearize(func: Callable[..., Any], *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """The value of `func`, and the linear function from tangents of the primals to changes of the value.

    >>> y, push = torch.func.linearize(lambda x: x ** 2, torch.tensor(3.))
    >>> push(torch.tensor(1.))
    tensor(6.)

    Reference: https://pytorch.org/docs/stable/generated/torch.func.linearize.html
    """
    value = _released(func(*primals), False)
    return value, lambda *tangents: jvp(func, primals, tangents)[1]


def jacrev(
    func: Callable[..., Any], argnums: Any = 0, *, has_aux: bool = False, chunk_size: int | None = None,
    _preallocate_and_copy: bool = False,
) -> Callable[..., Any]:  # fmt: skip
    """A function that gives the Jacobian of `func`: shape of the output, then shape of the input, nested as they are.

    Example:
        >>> import rushlight as torch
        >>> torch.func.jacrev(lambda x: x**2)(torch.tensor([1.0, 2.0]))
        tensor([[2., 0.],
                [0., 4.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.func.jacrev.html
    """

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        numbers, picked = _chosen(args, argnums, "jacrev")
        with _within() as nested:
            own, inputs, outer = _tracked(picked)
            value = func(*_replaced(args, numbers, own), **kwargs)
            aux = None
            if has_aux:
                value, aux = value
            keep = nested or outer

            def rows(end: Any) -> Any:
                parts: list[list[Any]] = [[] for _ in inputs]
                flat = end.reshape(-1)
                for i in range(flat.shape[0]):
                    grads: Any = [None] * len(inputs)
                    if end.requires_grad:
                        grads = _autograd.grad(flat[i], inputs, create_graph=keep, retain_graph=True, allow_unused=True)
                    for part, g in zip(parts, _filled(grads, inputs), strict=True):
                        part.append(g)
                stacked = [
                    _C.stack(part).reshape((*end.shape, *x.shape)) if part else x.new_zeros((*end.shape, *x.shape))
                    for part, x in zip(parts, inputs, strict=True)
                ]
                made = _like(own, stacked)
                return made if isinstance(argnums, tuple) else made[0]

            jacobian = rebuilt(value, rows)
        jacobian = _released(jacobian, keep)
        return (jacobian, _released(aux, keep)) if has_aux else jacobian

    return wrapper


def jacfwd(
    func: Callable[..., Any], argnums: Any = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable[..., Any]:
    """The Jacobian, as `jacrev` gives it (and in the same way: there is no forward mode).

    >>> torch.func.jacfwd(lambda x: x ** 2)(torch.tensor([1., 2.]))
    tensor([[2., 0.],
            [0., 4.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.func.jacfwd.html
    """
    return jacrev(func, argnums, has_aux=has_aux)


def hessian(func: Callable[..., Any], argnums: Any = 0) -> Callable[..., Any]:
    """A function that gives the matrix of second derivatives.

    Example:
        >>> import rushlight as torch
        >>> torch.func.hessian(lambda x: (x**3).sum())(torch.tensor([1.0, 2.0]))
        tensor([[ 6.,  0.],
                [ 0., 12.]])

    Reference: https://pytorch.org/docs/stable/generated/torch.func.hessian.html
    """
    return jacfwd(jacrev(func, argnums), argnums)


def vmap(
    func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:  # fmt: skip
    """A function over batches, from one over single items.

    The items are taken one by one and the results stacked: right for any function, and no faster than a loop.

    Args:
        func: of tensors, or nests of them, to tensors.
        in_dims: which dimension of each argument is the batch; None: the argument is the same for all.
        out_dims: where the batch goes in each result.
        randomness: "same" gives every item the same random numbers; otherwise they differ.

    Raises:
        ValueError: no argument has a batch, or their sizes differ.

    Example:
        >>> import rushlight as torch
        >>> torch.func.vmap(torch.dot)(torch.ones(3, 2), torch.ones(3, 2))
        tensor([2., 2., 2.])

    Reference: https://pytorch.org/docs/stable/generated/torch.func.vmap.html
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        dims = (in_dims,) * len(args) if isinstance(in_dims, int) else in_dims
        if not isinstance(dims, (tuple, list)) or len(dims) != len(args):
            raise ValueError(
                f"vmap({getattr(func, '__name__', func)}, in_dims={in_dims}, ...)(<inputs>): in_dims is not compatible "
                "with the structure of inputs"
            )
        flat = list(leaves(args))
        where = list(spread(tuple(dims), args))
        named = list(leaves(kwargs))
        for x, d in zip(flat, where, strict=True):
            if isinstance(x, _C.Tensor) and d is not None and not -x.dim() <= d < x.dim():
                raise ValueError(
                    f"vmap({getattr(func, '__name__', func)}, in_dims={in_dims}, ...)(<inputs>): Got in_dim={d} for some "
                    f"input, but that input is a Tensor of dimensionality {x.dim()} so expected in_dim to satisfy "
                    f"-{x.dim()} <= in_dim < {x.dim()}."
                )
        sizes = {x.shape[d] for x, d in zip(flat, where, strict=True) if isinstance(x, _C.Tensor) and d is not None}
        sizes |= {x.shape[0] for x in named if isinstance(x, _C.Tensor)}
        if not sizes:
            raise ValueError(
                f"vmap({getattr(func, '__name__', func)}, in_dims={in_dims}, ...)(<inputs>): no input has a dimension "
                "to map over"
            )
        if len(sizes) > 1:
            raise ValueError(
                "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
                f"{sorted(sizes)} for the mapped dimension"
            )
        (size,) = sizes
        state = _C.default_generator.get_state() if randomness == "same" else None
        results = []
        for i in range(size):
            if state is not None:
                _C.default_generator.set_state(state)
            taken = [
                x.select(d, i) if isinstance(x, _C.Tensor) and d is not None else x
                for x, d in zip(flat, where, strict=True)
            ]
            item = _in_order(args, taken)
            by_name = _like(kwargs, [x.select(0, i) for x in named if isinstance(x, _C.Tensor)])
            results.append(func(*item, **by_name))
        if not results:
            raise ValueError("vmap: the mapped dimension is empty")
        return _stacked(results, out_dims)

    return wrapper


def _stacked(results: list[Any], out_dims: Any) -> Any:
    columns = list(zip(*(list(leaves(r)) for r in results), strict=True))
    where = list(spread(out_dims, results[0]))
    for column in columns:
        if not isinstance(column[0], _C.Tensor):
            raise ValueError(f"vmap: the function must only return Tensors, got type {type(column[0])}")
    made = [column[0] if d is None else _C.stack(list(column), d) for column, d in zip(columns, where, strict=True)]
    return _in_order(results[0], made)


def functionalize(func: Callable[..., Any], *, remove: str = "mutations") -> Callable[..., Any]:
    """The function itself: what it changes in place stays inside where it works on copies.

    >>> torch.func.functionalize(lambda x: x.add_(1))(torch.zeros(1))
    tensor([1.])

    Reference: https://pytorch.org/docs/stable/generated/torch.func.functionalize.html
    """
    return func
