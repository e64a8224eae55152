"""Functions to their gradients, Jacobians and batched forms, on the tape.

A transform calls the function on tensors of its own, and differentiates what comes out. Within another transform (or
where the arguments require grad already) it does so differentiably, so that transforms nest.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

from rushlight import _C
from rushlight import autograd as _autograd
from rushlight.autograd.grad_mode import enable_grad
from rushlight.func._tree import leaves, rebuilt, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "debug_unwrap",
    "functionalize",
    "grad",
    "grad_and_value",
    "hessian",
    "jacfwd",
    "jacrev",
    "jvp",
    "linearize",
    "vjp",
    "vmap",
]

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
            raise ValueError(f"Thing passed to transform API must be Tensor, got {type(x)}")
        if not (x.is_floating_point() or x.is_complex()):
            raise RuntimeError(
                f"only Tensors of floating point dtype can require gradients (or of complex dtype), got {x.dtype}"
            )
        outer |= x.requires_grad
        own = x.view_as(x) if x.requires_grad else x.detach().requires_grad_()
        made.append(own)
        return own

    return rebuilt(tree, track), made, outer


def _with_aux(value: Any, call: str) -> tuple[Any, Any]:
    """The two parts of what a function with has_aux returned."""
    if not (isinstance(value, tuple) and len(value) == 2):
        raise RuntimeError(f"{call}: output of function f should be a tuple: (output, aux) if has_aux is True")
    for x in leaves(value[1]):
        if not isinstance(x, _C.Tensor):
            raise RuntimeError(f"Expected tensors, got unsupported type {type(x)}")
    return value


def _ends(value: Any, call: str) -> list[Any]:
    """The tensors that a function returned; it must return nothing else."""
    if value is None:
        raise RuntimeError(f"{call}: Expected f to be a function that has non-empty output (got output = [None])")
    ends = list(leaves(value))
    if not ends:
        raise RuntimeError(f"{call}: Expected f to be a function that has non-empty output (got output = {value})")
    for t in ends:
        if not isinstance(t, _C.Tensor):
            raise RuntimeError(f"{call}: expected f(*primals) to return only tensors, got unsupported type {type(t)}")
    return ends


def _differentiable(ends: list[Any], call: str) -> None:
    for t in ends:
        if not (t.is_floating_point() or t.is_complex()):
            raise RuntimeError(
                f"{call}: All outputs of f must be floating-point or complex Tensors, got Tensor with dtype {t.dtype}"
            )


def _real(tensors: list[Any], what: str, kind: str) -> None:
    for i, t in enumerate(tensors):
        if isinstance(t, _C.Tensor) and t.is_complex():
            raise RuntimeError(
                f"{what}: Expected all {kind}puts to be real but received complex tensor at flattened {kind}put idx: {i}"
            )


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
    if not numbers:
        raise RuntimeError("argnums must be non-empty")
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
                value, aux = _with_aux(value, "grad_and_value(f)(*args)")
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
    call = "vjp(f, *primals)"
    with _within() as nested:
        own, inputs, outer = _tracked(primals)
        value = func(*own)
        aux = None
        if has_aux:
            value, aux = _with_aux(value, call)
    keep = nested or outer
    ends = _ends(value, call)
    _differentiable(ends, "vjp(f, ...)")

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
    call = "jvp(f, primals, tangents)"
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise RuntimeError(f"{call}: Expected primals and tangents to be tuples")
    if len(primals) != len(tangents):
        raise RuntimeError(f"{call}: Expected primals and tangents to have the same structure")
    for name, given in (("primals", primals), ("tangents", tangents)):
        for t in leaves(given):
            if not isinstance(t, _C.Tensor):
                raise RuntimeError(f"{call}: Expected {name} to only contain Tensors, got {type(t)}")
    _moving(primals)
    with _within() as nested:
        own, inputs, outer = _tracked(primals)
        value = func(*own)
        aux = None
        if has_aux:
            value, aux = _with_aux(value, call)
        directions = [t for t in leaves(tangents) if isinstance(t, _C.Tensor)]
        keep = nested or outer or any(t.requires_grad for t in directions)
        ends = _ends(value, call)
        changes = _push(ends, inputs, directions, keep)
        change = _like(value, changes)
    result = (_released(value, keep), _released(change, keep))
    return (*result, _released(aux, keep)) if has_aux else result


def _moving(primals: Any) -> None:
    for t in leaves(primals):
        if isinstance(t, _C.Tensor) and not (t.is_floating_point() or t.is_complex()):
            raise ValueError(f"Expected primal to be floating point or complex, but got: {t.dtype}")


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

    if chunk_size is not None and chunk_size <= 0:
        raise ValueError("jacrev: `chunk_size` should be greater than 0.")
    return _jacobian(func, argnums, has_aux, "jacrev")


def _jacobian(func: Callable[..., Any], argnums: Any, has_aux: bool, what: str) -> Callable[..., Any]:
    call = "vjp(f, *primals)" if what == "jacrev" else "jvp(f, primals, tangents)"

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        numbers, picked = _chosen(args, argnums, what)
        if what == "jacfwd":
            _moving(picked)
        with _within() as nested:
            own, inputs, outer = _tracked(picked)
            if what == "jacfwd":
                _real(inputs, what, "in")
            value = func(*_replaced(args, numbers, own), **kwargs)
            aux = None
            if has_aux:
                value, aux = _with_aux(value, call)
            ends = _ends(value, call)
            if what == "jacrev":
                _differentiable(ends, "vjp(f, ...)")
                _real(inputs, what, "in")
            _real(ends, what, "out")
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
                if what == "jacfwd":
                    stacked = [t.to(end.dtype) for t in stacked]
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
    return _jacobian(func, argnums, has_aux, "jacfwd")


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

    The items are taken one by one and the results stacked: right for any function, also one that looks at values
    (`.item()`, `if`), and no faster than a loop. Random numbers are drawn for all items at once, as PyTorch draws them.

    Args:
        func: of tensors, or nests of them, to tensors.
        in_dims: which dimension of each positional argument is the batch; None: the argument is the same for all,
            as keyword arguments are.
        out_dims: where the batch goes in each result.
        randomness: "same" gives every item the same random numbers, "different" its own; "error" refuses to draw any.

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
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")
    name = getattr(func, "__name__", None) or repr(func)

    @wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        flat = list(leaves(args))
        where = _mapped(name, in_dims, args, flat)
        sizes = [x.shape[d] for x, d in zip(flat, where, strict=True) if d is not None]
        if not sizes:
            raise ValueError("vmap: Expected at least one Tensor to vmap over")
        if any(n != sizes[0] for n in sizes):
            raise ValueError(
                "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
                f"{sizes} for the mapped dimension"
            )
        size = sizes[0]

        def call(take: Callable[[Any, int], Any]) -> Any:
            item = _in_order(args, [x if d is None else take(x, d) for x, d in zip(flat, where, strict=True)])
            return func(*item, **kwargs)

        if not size:  # one call on zeros says what an item's result looks like
            generator = _C.default_generator
            start: Any = generator.get_state()
            example = call(lambda x, d: x.new_zeros((*x.shape[:d], *x.shape[d:][1:])))
            generator.set_state(start)
            return _stacked([example], out_dims, name, 0)
        chunk = size if chunk_size is None or randomness != "different" else chunk_size
        results = []
        for begin in range(0, size, chunk):
            stop = min(begin + chunk, size)
            with _DRAWS[randomness](stop - begin) as draws:
                for i in range(begin, stop):
                    draws.begin(i - begin)
                    results.append(call(partial(_item, at=i)))
                    draws.end(i - begin)
        return _stacked(results, out_dims, name, size)

    return wrapper


class _NoDraws:
    """Random numbers while vmap goes through its items, with randomness="error": none may be drawn."""

    def __init__(self, items: int) -> None:
        self.state: Any = None

    def __enter__(self) -> _NoDraws:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def begin(self, item: int) -> None:
        if item == 0:
            self.state = _C.default_generator.get_state()

    def end(self, item: int) -> None:
        if item == 0 and not _C.equal(self.state, _C.default_generator.get_state()):
            raise RuntimeError(
                "vmap: called random operation while in randomness error mode. Please either use the 'same' or "
                "'different' randomness flags on vmap or perform the randomness operation out of vmap"
            )


class _SameDraws(_NoDraws):
    """Every item draws what the first one drew."""

    def begin(self, item: int) -> None:
        if item == 0:
            self.state = _C.default_generator.get_state()
            self.cursors = _C._batched_draw_cursors()
        else:
            _C.default_generator.set_state(self.state)
            _C._set_batched_draw_cursors(self.cursors)

    def end(self, item: int) -> None:
        if item == 0:
            self.after = _C.default_generator.get_state()
        _C.default_generator.set_state(self.after)


class _OwnDraws(_NoDraws):
    """A draw of the first item is made for all of them at once, as PyTorch makes it."""

    def __init__(self, items: int) -> None:
        self.items = items

    def __enter__(self) -> _OwnDraws:
        _C._push_batched_draws(self.items)
        return self

    def __exit__(self, *exc: object) -> None:
        _C._pop_batched_draws()

    def begin(self, item: int) -> None:
        _C._begin_batched_item(item)

    def end(self, item: int) -> None:
        pass


_DRAWS = {"error": _NoDraws, "same": _SameDraws, "different": _OwnDraws}


def _item(x: Any, dim: int, at: int) -> Any:
    return x.select(dim, at)


def _mapped(name: str, in_dims: Any, args: tuple[Any, ...], flat: list[Any]) -> list[int | None]:
    """For each leaf of the arguments, which of its dimensions (not below 0) is mapped."""
    what = f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): "
    if not isinstance(in_dims, (int, tuple)):
        raise ValueError(
            f"{what}expected `in_dims` to be int or a (potentially nested) tuple matching the structure of inputs, "
            f"got: {type(in_dims)}."
        )
    if not args:
        raise ValueError(
            f"vmap({name})(<inputs>): got no inputs. Are arguments missing? Without any there is no batch."
        )
    try:
        where = list(spread(in_dims, args))
    except (ValueError, KeyError):
        raise ValueError(f"{what}in_dims is not compatible with the structure of `inputs`.") from None
    for i, (x, d) in enumerate(zip(flat, where, strict=True)):
        if d is None:
            continue
        if not isinstance(d, int):
            raise ValueError(
                f"{what}Got in_dim={d} for an input but in_dim must be either an integer dimension or None."
            )
        if not isinstance(x, _C.Tensor):
            raise ValueError(
                f"{what}Got in_dim={d} for an input but the input is of type {type(x)}. We cannot vmap over non-Tensor "
                "arguments, please use None as the respective in_dim"
            )
        if not -x.dim() <= d < x.dim():
            raise ValueError(
                f"{what}Got in_dim={d} for some input, but that input is a Tensor of dimensionality {x.dim()} so "
                f"expected in_dim to satisfy -{x.dim()} <= in_dim < {x.dim()}."
            )
        where[i] = d % x.dim()
    return where


def _stacked(results: list[Any], out_dims: Any, name: str, size: int) -> Any:
    """The results of all items as one; those of no item as `results[0]` says."""
    first = results[0]
    what = f"vmap({name}, ..., out_dims={out_dims})(<inputs>): "
    if isinstance(first, _C.Tensor) and isinstance(out_dims, tuple):
        out_dims = out_dims[0] if len(out_dims) == 1 else "neither"
    if isinstance(out_dims, (tuple, list)) and isinstance(first, (tuple, list)) and type(out_dims) is not type(first):
        out_dims = "neither"
    try:
        where = list(spread(out_dims, first))
    except (ValueError, KeyError):
        where = ["neither"]
    if not all(d is None or isinstance(d, int) for d in where):
        raise ValueError(f"{what}out_dims is not compatible with the structure of `outputs`.")
    columns = list(zip(*(list(leaves(r)) for r in results), strict=True))
    made = []
    for column, d in zip(columns, where, strict=True):
        if d is None:
            same = (t is column[0] or (isinstance(t, _C.Tensor) and _C.equal(t, column[0])) for t in column)
            if isinstance(column[0], _C.Tensor) and not all(same):
                raise ValueError(f"vmap({name}, ...): `{name}` can not return a BatchedTensor when out_dim is None")
            made.append(column[0])
        elif not isinstance(column[0], _C.Tensor):
            raise ValueError(
                f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(column[0])}. "
                "Did you mean to set out_dims= to None for output?"
            )
        else:
            joined = _C.stack(list(column), d)
            made.append(joined if size else joined.narrow(d, 0, 0))
    return _in_order(first, made)


def functionalize(func: Callable[..., Any], *, remove: str = "mutations") -> Callable[..., Any]:
    """The function itself: what it changes in place stays inside where it works on copies.

    >>> torch.func.functionalize(lambda x: x.add_(1))(torch.zeros(1))
    tensor([1.])

    Reference: https://pytorch.org/docs/stable/generated/torch.func.functionalize.html
    """
    return func


def debug_unwrap(tensor: Any, *, recurse: bool = True) -> Any:
    """The tensor itself: functions that are transformed see ordinary tensors.

    >>> torch.func.debug_unwrap(torch.ones(1))
    tensor([1.])
    """
    return tensor
