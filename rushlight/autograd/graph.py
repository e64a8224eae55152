"""Names around the recorded graph that programs use."""

from __future__ import annotations

import contextlib
import threading
import weakref
from typing import TYPE_CHECKING, Any, NamedTuple

from rushlight import _C
from rushlight.autograd.grad_mode import enable_grad
from rushlight.utils.hooks import MultiHandle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = [
    "GradientEdge",
    "Node",
    "allow_mutation_on_saved_tensors",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "region_activation_memory_budget",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
    "set_override_stale_capture_stream",
    "set_warn_on_accumulate_grad_stream_mismatch",
]

Node = _C._Node

_refusal = threading.local()


class saved_tensors_hooks:
    """In the block, what an op saves for backward goes through `pack_hook`, and comes back through `unpack_hook`.

    >>> x = torch.ones(2, requires_grad=True)
    >>> pack = lambda t: (print("kept", tuple(t.shape)), t)[1]
    >>> with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
    ...     y = x.exp()
    kept (2,)

    Reference: https://pytorch.org/docs/stable/autograd.html#torch.autograd.graph.saved_tensors_hooks
    """

    def __init__(self, pack_hook: Callable[[Any], Any], unpack_hook: Callable[[Any], Any]) -> None:
        self.pack_hook = pack_hook
        self.unpack_hook = unpack_hook

    def __enter__(self) -> None:
        message = getattr(_refusal, "message", None)
        if message is not None:
            raise RuntimeError(message)
        _C._push_saved_tensors_hooks(self.pack_hook, self.unpack_hook)
        _refusal.entered = getattr(_refusal, "entered", 0) + 1

    def __exit__(self, *exc: object) -> None:
        _C._pop_saved_tensors_hooks()
        _refusal.entered -= 1


class save_on_cpu(saved_tensors_hooks):
    """In the block, tensors saved for backward are kept in the CPU's memory: on the CPU, as they are.

    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.autograd.graph.save_on_cpu():
    ...     y = (x * x).sum()
    >>> y.backward()
    >>> x.grad
    tensor([2., 2.])
    """

    def __init__(self, pin_memory: bool = False, device_type: str = "cuda") -> None:
        super().__init__(lambda t: t, lambda t: t)


class _EdgeFields(NamedTuple):
    node: Any
    output_nr: int
    ownership_token: Any = None


class GradientEdge(_EdgeFields):
    """A node of the graph and which of its outputs: where a gradient arrives.

    `autograd.grad` and `autograd.backward` take it in the place of a tensor, on either side.
    """

    like: Any = None  # the shape and the dtype of the tensor that it was made of

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in zip(self._fields, self, strict=True))
        return f"GradientEdge({fields})"


def get_gradient_edge(tensor: Any) -> GradientEdge:
    """The edge by which the gradient of `tensor` reaches the graph.

    Raises:
        RuntimeError: `tensor` does not require grad.

    >>> x = torch.tensor(2., requires_grad=True)
    >>> edge = torch.autograd.graph.get_gradient_edge(x * x)
    >>> edge.node.name(), edge.output_nr
    ('MulBackward0', 0)
    >>> torch.autograd.grad(edge, x)
    (tensor(4.),)

    Reference: https://pytorch.org/docs/stable/generated/torch.autograd.graph.get_gradient_edge.html
    """
    if not tensor.requires_grad:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    if tensor.grad_fn is None:
        with enable_grad():
            edge = GradientEdge(tensor.view_as(tensor).grad_fn.next_functions[0][0], 0)
    else:
        edge = GradientEdge(tensor.grad_fn, tensor.output_nr)
    edge.like = (tensor.shape, tensor.dtype)
    return edge


def register_multi_grad_hook(tensors: Sequence[Any], fn: Callable[..., Any], *, mode: str = "all") -> Any:
    """Call `fn` once gradients of all (or, with mode "any", of the first) of `tensors` are there, in each backward.

    With mode "all", `fn` gets a list with one gradient for each tensor, None for those that the backward does not come
    to; with "any", the first gradient.

    >>> x, y = torch.ones(1, requires_grad=True), torch.ones(1, requires_grad=True)
    >>> handle = torch.autograd.graph.register_multi_grad_hook((x, y), lambda grads: print(len(grads)))
    >>> (x * y).sum().backward()
    2

    Reference: https://pytorch.org/docs/stable/generated/torch.autograd.graph.register_multi_grad_hook.html
    """
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got: {mode}")
    if not all(t.requires_grad for t in tensors):
        raise AssertionError("Expected gradient function to be set: a tensor does not require grad")
    count = len(tensors)
    hooks: list[Any] = []  # the hooks as their handles know them: nothing here keeps a tensor or a node alive
    waiting: dict[int, tuple[list[Any], int]] = {}  # by backward: the gradients, and how many are still to come
    last_task = 0

    def hook_for(index: int) -> Callable[[Any], None]:
        def hook(grad: Any) -> None:
            nonlocal last_task
            task = _C._backward_task()
            if mode == "any":
                if task != last_task:
                    last_task = task
                    fn(grad)
                return
            if task not in waiting:
                waiting[task] = [None] * count, _C._count_hooks_to_come(hooks)
            grads, missing = waiting.pop(task)
            grads[index] = grad
            if missing > 1:
                waiting[task] = grads, missing - 1
            else:
                fn(grads)

        return hook

    handles = tuple(t.register_hook(hook_for(i)) for i, t in enumerate(tensors))
    hooks += [handle._hook for handle in handles]
    return MultiHandle(handles)


@contextlib.contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """In the block, what an op saves may not go through hooks: to be within some, or to enter some, is an error with
    this message.

    >>> with torch.autograd.graph.disable_saved_tensors_hooks("not here"):
    ...     torch.autograd.graph.save_on_cpu().__enter__()
    Traceback (most recent call last):
    RuntimeError: not here
    """
    if getattr(_refusal, "entered", 0):
        raise RuntimeError(error_message)
    before = getattr(_refusal, "message", None)
    _refusal.message = error_message
    try:
        yield
    finally:
        _refusal.message = before


def increment_version(tensor: Any) -> None:
    """Count one or several tensors as changed in place, as after a write that autograd could not see.

    >>> t = torch.ones(2)
    >>> torch.autograd.graph.increment_version(t)
    >>> t._version
    1
    """
    for t in (tensor,) if isinstance(tensor, _C.Tensor) else tensor:
        _C._increment_version(t)


class _Kept:
    """A tensor that was saved for backward; a copy of it from when its memory is about to change."""

    __slots__ = ("__weakref__", "tensor")

    def __init__(self, tensor: Any) -> None:
        self.tensor = tensor


class _MutationContext:
    """What `allow_mutation_on_saved_tensors` knows: for each memory, what looks into it and was saved."""

    def __init__(self) -> None:
        self.kept: dict[int, weakref.WeakSet[_Kept]] = {}
        self.open = True

    def pack(self, tensor: Any) -> _Kept:
        kept = _Kept(tensor)
        self.kept.setdefault(tensor.untyped_storage().data_ptr(), weakref.WeakSet()).add(kept)
        return kept

    def unpack(self, kept: _Kept) -> Any:
        if not self.open:
            raise AssertionError(
                "Trying to backward outside of the 'allow_mutation_on_saved_tensors' context in which the graph was "
                "originally recorded."
            )
        return kept.tensor

    def before_change(self, tensor: Any) -> None:
        for kept in self.kept.pop(tensor.untyped_storage().data_ptr(), ()):
            kept.tensor = kept.tensor.clone()

    def clear(self) -> None:
        """Forget everything: a later backward is an error."""
        self.kept.clear()


@contextlib.contextmanager
def allow_mutation_on_saved_tensors() -> Iterator[Any]:
    """In the block, what was saved for backward may be changed in place: it is copied first.

    Forward and backward must both be within the block.

    >>> with torch.autograd.graph.allow_mutation_on_saved_tensors():
    ...     a = torch.ones(2, requires_grad=True)
    ...     b = a.clone()
    ...     out = (b * b).sum()
    ...     b = b.mul_(5)
    ...     out.backward()
    >>> a.grad
    tensor([2., 2.])

    Reference: https://pytorch.org/docs/stable/autograd.html#torch.autograd.graph.allow_mutation_on_saved_tensors
    """
    global _mutation_allowed
    if _mutation_allowed:
        raise RuntimeError("allow_mutation_on_saved_tensors contexts cannot be nested")
    context = _MutationContext()
    with saved_tensors_hooks(context.pack, context.unpack):
        _mutation_allowed = True
        _C._set_change_listener(context.before_change)
        try:
            yield context
        finally:
            _C._set_change_listener(None)
            _mutation_allowed = context.open = False
            context.clear()


_mutation_allowed = False


@contextlib.contextmanager
def region_activation_memory_budget(budget: float) -> Iterator[None]:
    """Says how much of what `torch.compile` would keep for backward may be kept: without effect, nothing is compiled."""
    what = "torch.autograd.graph.region_activation_memory_budget"
    if isinstance(budget, bool) or not isinstance(budget, (int, float)):
        raise TypeError(f"{what}: expects a float, got {type(budget).__name__}")
    if not 0 <= budget <= 1:
        raise ValueError(f"{what}: must be in [0, 1], got {budget}")
    yield


def set_warn_on_accumulate_grad_stream_mismatch(enabled: bool) -> None:
    """Whether streams of a device that differ are warned of: without effect, there are no streams."""


def set_override_stale_capture_stream(enabled: bool) -> None:
    """Which stream of a device a captured graph takes: without effect, there are no streams."""
