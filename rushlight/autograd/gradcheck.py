"""Checking gradients against finite differences."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from rushlight import _C
from rushlight.autograd import grad
from rushlight.autograd.grad_mode import enable_grad, no_grad

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]

_Rows = list[list[float]]


class GradcheckError(RuntimeError):
    """The analytical and the numerical gradient differ, or backward is not what it must be."""


def _tensors(value: Any) -> tuple[Any, ...]:
    """What `func` takes or returns, as a tuple."""
    return (value,) if isinstance(value, _C.Tensor) else tuple(value)


def _differentiable(values: tuple[Any, ...]) -> list[Any]:
    return [x for x in values if isinstance(x, _C.Tensor) and x.requires_grad]


def _reals(tensor: Any) -> list[float]:
    """The numbers of a tensor, complex ones as real part, imaginary part."""
    values = tensor.detach().reshape(-1).tolist()
    if tensor.dtype.is_complex:
        return [part for v in values for part in (v.real, v.imag)]
    return [float(v) for v in values]


def _numerical(func: Callable[[], tuple[Any, ...]], x: Any, eps: float) -> list[_Rows]:
    """Central differences: for each output, a row for each real number in `x`."""
    data = x.data
    rows: list[_Rows] = []
    directions = (eps, eps * 1j) if x.dtype.is_complex else (eps,)
    for index in itertools.product(*(range(n) for n in x.shape)):
        before = data[index].item()
        for step in directions:
            data[index] = before + step
            up = [_reals(o) for o in func()]
            data[index] = before - step
            down = [_reals(o) for o in func()]
            data[index] = before
            rows.append(
                [[(a - b) / (2 * eps) for a, b in zip(u, d, strict=True)] for u, d in zip(up, down, strict=True)]
            )
    outputs = len(func()) if not rows else len(rows[0])
    return [[row[o] for row in rows] for o in range(outputs)]


def _analytical(out: Any, inputs: list[Any], check_dtypes: bool) -> list[_Rows]:
    """By backward: for each input, a row for each real number in `out`."""
    rows: list[_Rows] = []
    seeds = (1.0, 1j) if out.dtype.is_complex else (1.0,)
    for index in itertools.product(*(range(n) for n in out.shape)):
        for one in seeds:
            seed = _C.zeros_like(out)
            seed[index] = one
            found = grad((out,), tuple(inputs), (seed,), True, allow_unused=True)
            row = []
            for x, g in zip(inputs, found, strict=True):
                if g is not None and g.shape != x.shape:
                    raise GradcheckError(f"Analytical gradient has incorrect size: {g.shape} for an input of {x.shape}")
                if check_dtypes and g is not None and g.dtype != x.dtype:
                    raise GradcheckError("Analytical gradient has incorrect type")
                row.append([0.0] * len(_reals(x)) if g is None else _reals(g))
            rows.append(row)
    return [[row[i] for row in rows] for i in range(len(inputs))]


def _forward(outputs: list[Any], inputs: list[Any]) -> list[list[_Rows]]:
    """By `jvp`, which differentiates backward: for each output and input, a row for each real number in the output."""
    with enable_grad():
        seeds = [_C.zeros_like(out).requires_grad_() for out in outputs]
        first = grad(tuple(outputs), tuple(inputs), tuple(seeds), create_graph=True, allow_unused=True)
    columns: list[list[list[list[float]]]] = []
    for x, g in zip(inputs, first, strict=True):
        columns.append([])
        for index in itertools.product(*(range(n) for n in x.shape)):
            for one in (1.0, 1j) if x.dtype.is_complex else (1.0,):
                direction = _C.zeros_like(x)
                direction[index] = one
                found: Any = [None] * len(seeds)
                if g is not None and g.requires_grad:
                    found = grad((g,), tuple(seeds), (direction,), True, allow_unused=True)
                columns[-1].append(
                    [[0.0] * len(_reals(s)) if f is None else _reals(f) for s, f in zip(seeds, found, strict=True)]
                )
    return [[[list(row) for row in zip(*(c[o] for c in of_x))] for of_x in columns] for o in range(len(outputs))]


def _close(a: float, b: float, rtol: float, atol: float) -> bool:
    return a == b or abs(a - b) <= atol + rtol * abs(b) or (a != a and b != b)


def _compare(analytical: _Rows, numerical: _Rows, where: str, rtol: float, atol: float) -> None:
    """`analytical` has a row for each output number, `numerical` one for each input number."""
    for o, row in enumerate(analytical):
        for i, value in enumerate(row):
            if not _close(value, numerical[i][o], rtol, atol):
                by_input = [[analytical[k][j] for k in range(len(analytical))] for j in range(len(row))]
                raise GradcheckError(
                    f"Jacobian mismatch for {where},\n"
                    f"numerical:{_C.tensor(numerical, dtype=_C.float64)}\n"
                    f"analytical:{_C.tensor(by_input, dtype=_C.float64)}\n"
                    f"(first at element {i} of the input and {o} of the output: {numerical[i][o]} by differences, "
                    f"{value} analytically)\n"
                )


def _check_inputs(inputs: tuple[Any, ...], diff: list[Any]) -> None:
    """Refuses inputs whose differences would say nothing."""
    if not diff:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them have "
            "requires_grad=True."
        )
    for i, x in enumerate(inputs):
        if not (isinstance(x, _C.Tensor) and x.requires_grad):
            continue
        if x.dtype not in (_C.float64, _C.complex128):
            import warnings

            warnings.warn(
                f"Input #{i} requires gradient and is not a double precision floating point or complex. This check "
                "will likely fail if all the inputs are not of double precision floating point or complex. ",
                stacklevel=5,
            )
        if any(stride == 0 and size > 1 for stride, size in zip(x.stride(), x.shape, strict=True)):
            raise RuntimeError(
                f"The {i}th input has a dimension with stride 0. gradcheck only supports inputs that are "
                "non-overlapping to be able to compute the numerical gradients correctly. You should call "
                ".contiguous on the input before passing it to gradcheck."
            )
        x.retain_grad()


def _check(func: Callable[..., Any], inputs: tuple[Any, ...], eps: float, atol: float, rtol: float, nondet_tol: float,
           dtypes: bool, undefined: bool, forward: bool, backward: bool) -> None:  # fmt: skip
    diff = _differentiable(inputs)
    _check_inputs(inputs, diff)
    with enable_grad():
        outputs = _tensors(func(*inputs))
    checked = [o for o, t in enumerate(outputs) if isinstance(t, _C.Tensor) and t.requires_grad]

    def evaluate() -> tuple[Any, ...]:
        with no_grad():
            values = _tensors(func(*inputs))
        return tuple(values[o].clone() for o in checked) if checked else values

    numerical = [_numerical(evaluate, x, eps) for x in diff]
    with enable_grad():  # again, since the differences moved the inputs under what the first run saved
        outputs = _tensors(func(*inputs))
    if not checked:
        for i, per_output in enumerate(numerical):
            if any(abs(v) > atol for rows in per_output for row in rows for v in row):
                raise GradcheckError(f"Numerical gradient for function expected to be zero (input {i})")
        return
    if forward:
        for position, by_input in enumerate(_forward([outputs[o] for o in checked], diff)):
            for i, rows in enumerate(by_input):
                where = f"output {checked[position]} with respect to input {i}, computed in forward mode"
                _compare(rows, numerical[i][position], where, rtol, atol)
    if not backward:
        return
    for position, o in enumerate(checked):
        analytical = _analytical(outputs[o], diff, dtypes)
        again = _analytical(outputs[o], diff, dtypes)
        for i in range(len(diff)):
            where = f"output {o} with respect to input {i}"
            _compare(analytical[i], numerical[i][position], where, rtol, atol)
            for first, second in zip(analytical[i], again[i], strict=True):
                if any(abs(a - b) > nondet_tol for a, b in zip(first, second, strict=True)):
                    raise GradcheckError(
                        "Backward is not reentrant, i.e., running backward with same input and grad_output multiple "
                        "times gives different values, although analytical gradient matches numerical gradient. The "
                        f"tolerance for nondeterminism was {nondet_tol}."
                    )
    if undefined:
        seeds = tuple(_C.zeros_like(outputs[o]) for o in checked)
        found = grad(tuple(outputs[o] for o in checked), tuple(diff), seeds, True, allow_unused=True)
        if any(g is not None and any(v != 0 for v in _reals(g)) for g in found):
            raise GradcheckError("backward not multiplied by grad_output")


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    """Compare the gradients of `func` with central differences, element by element.

    Args:
        func: takes tensors, returns a tensor or a tuple of them.
        inputs: its arguments; those that require grad are checked, and should be float64 or complex128.
        eps: the step of the differences.
        atol, rtol: how far apart both may be.
        raise_exception: False returns False instead of raising.
        nondet_tol: how far two backward passes may differ.
        check_grad_dtypes: also compare the dtype of gradients.
        check_backward_ad: compare the gradients of backward.
        check_forward_ad: compare `jvp`, which differentiates backward here.
        check_undefined_grad: also check that a seed of zeros gives zeros.
        fast_mode, masked, check_batched_grad, check_batched_forward_grad: accepted; the check is the full one.

    Raises:
        GradcheckError: a gradient is wrong.
        ValueError: no input requires grad.

    Example:
        >>> import rushlight as torch
        >>> x = torch.randn(3, dtype=torch.float64, requires_grad=True)
        >>> torch.autograd.gradcheck(torch.sin, (x,))
        True

    Reference: https://pytorch.org/docs/stable/generated/torch.autograd.gradcheck.gradcheck.html
    """
    if not (check_forward_ad or check_backward_ad):
        raise AssertionError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    try:
        _check(
            func, _tensors(inputs), eps, atol, rtol, nondet_tol, check_grad_dtypes, check_undefined_grad,
            check_forward_ad, check_backward_ad,
        )  # fmt: skip
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """`gradcheck` of the gradients themselves: second derivatives against differences of first ones.

    Args:
        grad_outputs: seeds for the first derivative; random ones when left out.
        gen_non_contig_grad_outputs: whether the random seeds have gaps between their elements.
        check_fwd_over_rev, check_rev_over_rev: accepted.
        the others: as in `gradcheck`.

    >>> x = torch.tensor([0.5], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradgradcheck(torch.sin, (x,))
    True

    Reference: https://pytorch.org/docs/stable/generated/torch.autograd.gradcheck.gradgradcheck.html
    """
    args = _tensors(inputs)
    with enable_grad():
        outputs = _differentiable(_tensors(func(*args)))
    if grad_outputs is None:
        seeds = []
        for out in outputs:
            if out.dtype.is_floating_point or out.dtype.is_complex:
                seed = _C.randn_like(out)
            else:
                seed = _C.randn(out.shape, dtype=_C.float64)
            if gen_non_contig_grad_outputs and seed.dim():
                seed = _C.stack([seed, seed], -1)[..., 0]
            seeds.append(seed.requires_grad_())
    else:
        seeds = [s if s.requires_grad else s.detach().requires_grad_() for s in _tensors(grad_outputs)]
    count = len(args)

    def first_derivative(*values: Any) -> Any:
        xs = tuple(
            x.detach().requires_grad_() if isinstance(x, _C.Tensor) and x.is_leaf and x.requires_grad else x
            for x in values[:count]
        ) if not _C._is_grad_enabled() else values[:count]  # fmt: skip
        with enable_grad():
            outs = _differentiable(_tensors(func(*xs)))
            found = grad(tuple(outs), tuple(_differentiable(xs)), values[count:], create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(
        first_derivative, (*args, *seeds), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception,
        nondet_tol=nondet_tol, check_undefined_grad=check_undefined_grad, check_grad_dtypes=check_grad_dtypes,
    )  # fmt: skip
