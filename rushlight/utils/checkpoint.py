"""Checkpointing: backward computes the values inside of a part of a model again, instead of forward keeping them.

Reference: https://pytorch.org/docs/stable/checkpoint.html
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable
from typing import Any

from rushlight import _C
from rushlight.autograd import Function, backward
from rushlight.autograd.grad_mode import enable_grad, no_grad
from rushlight.autograd.graph import saved_tensors_hooks

__all__ = [
    "CheckpointError",
    "CheckpointFunction",
    "check_backward_validity",
    "checkpoint",
    "checkpoint_sequential",
    "detach_variable",
    "get_device_states",
    "noop_context_fn",
    "set_checkpoint_debug_enabled",
    "set_checkpoint_early_stop",
    "set_device_states",
]

_early_stop = True


def get_device_states(*args: Any) -> tuple[list[int], list[Any]]:
    """The accelerators that hold arguments, and the states of their generators: none."""
    return [], []


def set_device_states(devices: Any, states: Any, *, device_type: str | None = None) -> None:
    """Nothing: there is no accelerator."""


class CheckpointError(RuntimeError):
    """The second run of a checkpointed function did not do what the first one did."""


class _Enough(Exception):
    """All that backward needs has been computed."""


def noop_context_fn() -> tuple[Any, Any]:
    """Two contexts that do nothing."""
    return contextlib.nullcontext(), contextlib.nullcontext()


@contextlib.contextmanager
def set_checkpoint_early_stop(enable: bool) -> Any:
    """Within it, functions are checkpointed so that their second run stops (or not) when backward has what it needs."""
    global _early_stop
    before, _early_stop = _early_stop, enable
    try:
        yield
    finally:
        _early_stop = before


@contextlib.contextmanager
def set_checkpoint_debug_enabled(enabled: bool | None) -> Any:
    """Accepted: errors always say which tensor differs."""
    yield


def detach_variable(inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The tensors as leaves that require a gradient where they did.

    >>> x = torch.ones(1, requires_grad=True)
    >>> (y,) = torch.utils.checkpoint.detach_variable(((x * 2),))
    >>> y.requires_grad, y.grad_fn
    (True, None)
    """
    if not isinstance(inputs, tuple):
        raise RuntimeError(f"Only tuple of tensors is supported. Got Unsupported input type: {type(inputs).__name__}")
    return tuple(x.detach().requires_grad_(x.requires_grad) if isinstance(x, _C.Tensor) else x for x in inputs)


def check_backward_validity(inputs: Any) -> None:
    """Warn if no input requires a gradient."""
    if not any(isinstance(x, _C.Tensor) and x.requires_grad for x in inputs):
        warnings.warn("None of the inputs have requires_grad=True. Gradients will be None", stacklevel=2)


class _Surroundings:
    """The state of the random generator and of autocast when a function is first run, for its second run."""

    def __init__(self, preserve_rng: bool) -> None:
        from rushlight.amp import _state

        self._rng = _C.default_generator.get_state() if preserve_rng else None
        self._autocast = (
            _state.is_autocast_enabled("cpu"),
            _state.get_autocast_dtype("cpu"),
            _state.is_autocast_cache_enabled(),
        )

    @contextlib.contextmanager
    def again(self) -> Any:
        """Within it, things are as they were."""
        from rushlight.amp import autocast

        enabled, dtype, cache = self._autocast
        now = _C.default_generator.get_state() if self._rng is not None else None
        try:
            if self._rng is not None:
                _C.default_generator.set_state(self._rng)
            with autocast("cpu", dtype=dtype, enabled=enabled, cache_enabled=cache):
                yield
        finally:
            if now is not None:
                _C.default_generator.set_state(now)


class CheckpointFunction(Function):
    """The reentrant way: runs without gradients first, and again, with its own backward, in backward."""

    @staticmethod
    def forward(ctx: Any, run_function: Callable[..., Any], preserve_rng_state: bool, *args: Any) -> Any:
        """Run, and keep the arguments."""
        check_backward_validity(args)
        ctx.run_function = run_function
        ctx.surroundings = _Surroundings(preserve_rng_state)
        ctx.at = [i for i, x in enumerate(args) if isinstance(x, _C.Tensor)]
        ctx.args = [None if isinstance(x, _C.Tensor) else x for x in args]
        ctx.save_for_backward(*[args[i] for i in ctx.at])
        with no_grad():
            return run_function(*args)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        """Run again, with gradients, and through it backward."""
        args = list(ctx.args)
        for i, tensor in zip(ctx.at, ctx.saved_tensors):
            args[i] = tensor
        inputs = detach_variable(tuple(args))
        with enable_grad(), ctx.surroundings.again():
            outputs = ctx.run_function(*inputs)
        if isinstance(outputs, _C.Tensor):
            outputs = (outputs,)
        wanted = [(out, grad) for out, grad in zip(outputs, grads) if isinstance(out, _C.Tensor) and out.requires_grad]
        if not wanted:
            raise RuntimeError("none of output has requires_grad=True, this checkpoint() is not necessary")
        backward([out for out, _ in wanted], [grad for _, grad in wanted])
        return (None, None, *(x.grad if isinstance(x, _C.Tensor) else None for x in inputs))


class _Kept:
    """Stands in the graph for a tensor that is not kept."""

    __slots__ = ("index", "like", "run")

    def __init__(self, run: _Run, index: int, tensor: Any) -> None:
        self.run = run
        self.index = index
        self.like = (tuple(tensor.shape), tensor.dtype)


class _Run:
    """One call of a checkpointed function: numbers what forward would have saved, and computes it again when asked."""

    def __init__(self, again: Callable[[], Any], check: bool, early_stop: bool) -> None:
        self._again = again
        self._check = check
        self._early_stop = early_stop
        self._count = 0
        self._values: dict[int, Any] = {}

    def pack(self, tensor: Any) -> _Kept:
        """Instead of saving it: its number."""
        self._count += 1
        return _Kept(self, self._count - 1, tensor)

    def unpack(self, kept: _Kept) -> Any:
        """The tensor of that number."""
        if kept.index not in self._values:
            self._recompute()
        if kept.index not in self._values:
            raise CheckpointError(
                "torch.utils.checkpoint: A different number of tensors was saved during the original forward and "
                f"recomputation.\nNumber of tensors saved during forward: {self._count}\n"
                f"Number of tensors saved during recomputation: {len(self._values)}"
            )
        tensor = self._values.pop(kept.index)
        if self._check and (tuple(tensor.shape), tensor.dtype) != kept.like:
            shape, dtype = kept.like
            raise CheckpointError(
                "torch.utils.checkpoint: Recomputed values for the following tensors have different metadata than "
                f"during the forward pass.\ntensor at position {kept.index}:\nsaved metadata: shape {shape}, {dtype}\n"
                f"recomputed metadata: shape {tuple(tensor.shape)}, {tensor.dtype}"
            )
        return tensor

    def _recompute(self) -> None:
        self._values.clear()

        def keep(tensor: Any) -> Any:
            at = len(self._values)
            self._values[at] = tensor.detach()
            if self._early_stop and at + 1 == self._count:
                raise _Enough
            return tensor.detach()

        with contextlib.suppress(_Enough), saved_tensors_hooks(keep, lambda tensor: tensor), enable_grad():
            self._again()


def _chosen(use_reentrant: bool | None, function: str) -> bool:
    if use_reentrant is None:
        warnings.warn(
            f"{function}: the use_reentrant parameter should be passed explicitly. use_reentrant=False is recommended; "
            "without it, use_reentrant=True is taken.",
            stacklevel=3,
        )
        return True
    return use_reentrant


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = None,
    context_fn: Callable[[], tuple[Any, Any]] = noop_context_fn,
    determinism_check: str = "default",
    debug: bool = False,
    early_stop: bool = True,
    **kwargs: Any,
) -> Any:
    """Call a function without keeping what its backward needs: backward calls it again to get that.

    It takes the memory of one such part at a time instead of the whole model's, and the time of a second forward. The
    second call sees the random numbers and the autocast of the first.

    Args:
        function: a module, or any function of tensors.
        args: its arguments.
        use_reentrant: False is recommended: everything works within. True is PyTorch's older way: no keywords, at least one input
            must require a gradient, `autograd.grad` does not work. None warns and takes True.
        context_fn: gives two contexts, for the first and for the second call.
        determinism_check: "none": shapes and types in the second call are not compared with those in the first.
        debug: accepted.
        early_stop: the second call ends when backward has what it needs.
        kwargs: the function's keywords, and `preserve_rng_state` (True).

    Raises:
        CheckpointError: the second call saved other tensors than the first.
        ValueError: keywords that the reentrant way lacks.

    Example:
        >>> layer, x = torch.nn.Linear(2, 2), torch.ones(1, 2)
        >>> checkpoint(layer, x, use_reentrant=False).sum().backward()

    Reference: https://pytorch.org/docs/stable/checkpoint.html
    """
    use_reentrant = _chosen(use_reentrant, "torch.utils.checkpoint")
    preserve = kwargs.pop("preserve_rng_state", True)
    if use_reentrant:
        if kwargs:
            raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
        if context_fn is not noop_context_fn or debug:
            raise ValueError("Passing `context_fn` or `debug` is only supported when use_reentrant=False.")
        return CheckpointFunction.apply(function, preserve, *args)
    if determinism_check not in ("default", "none"):
        raise ValueError(f"determinism_check should be one of ['default', 'none'] but got {determinism_check}")
    first, second = context_fn()
    if not _C.is_grad_enabled():
        return function(*args, **kwargs)
    surroundings = _Surroundings(preserve)

    def again() -> Any:
        with surroundings.again(), second:
            return function(*args, **kwargs)

    run = _Run(again, determinism_check == "default", early_stop and _early_stop)
    with saved_tensors_hooks(run.pack, run.unpack), first:
        return function(*args, **kwargs)


def checkpoint_sequential(
    functions: Any, segments: int, input: Any, use_reentrant: bool | None = None, **kwargs: Any
) -> Any:
    """Call functions one after the other, in segments, each of them checkpointed but for the last.

    Args:
        functions: a `Sequential`, or a list.
        segments: into how many parts to cut.
        input: of the first one.
        use_reentrant: see `checkpoint`.

    Example:
        >>> model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU(), torch.nn.Linear(2, 1))
        >>> checkpoint_sequential(model, 2, torch.ones(1, 2), use_reentrant=False).shape
        torch.Size([1, 1])

    Reference: https://pytorch.org/docs/stable/checkpoint.html
    """
    use_reentrant = _chosen(use_reentrant, "torch.utils.checkpoint.checkpoint_sequential")
    preserve = kwargs.pop("preserve_rng_state", True)
    if kwargs:
        raise ValueError("Unexpected keyword arguments: " + ",".join(kwargs))
    steps = list(functions.children()) if hasattr(functions, "children") else list(functions)
    size = len(steps) // segments

    def run(part: list[Any]) -> Callable[[Any], Any]:
        def through(x: Any) -> Any:
            for step in part:
                x = step(x)
            return x

        return through

    cut = size * (segments - 1)
    for start in range(0, cut, size):
        part = run(steps[start : start + size])
        input = checkpoint(part, input, use_reentrant=use_reentrant, preserve_rng_state=preserve)
    return run(steps[cut:])(input)
