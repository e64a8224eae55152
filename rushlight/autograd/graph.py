"""Names around the recorded graph that programs use."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from rushlight import _C
from rushlight.autograd.grad_mode import enable_grad

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = [
    "GradientEdge",
    "Node",
    "disable_saved_tensors_hooks",
    "get_gradient_edge",
    "increment_version",
    "register_multi_grad_hook",
    "save_on_cpu",
    "saved_tensors_hooks",
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

    def __exit__(self, *exc: object) -> None:
        _C._pop_saved_tensors_hooks()


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
    nodes = [get_gradient_edge(t).node for t in tensors]
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
                waiting[task] = [None] * len(nodes), sum(map(_C._will_evaluate, nodes))
            grads, missing = waiting.pop(task)
            grads[index] = grad
            if missing > 1:
                waiting[task] = grads, missing - 1
            else:
                fn(grads)

        return hook

    return _Handles([t.register_hook(hook_for(i)) for i, t in enumerate(tensors)])


@contextlib.contextmanager
def disable_saved_tensors_hooks(error_message: str) -> Iterator[None]:
    """In the block, what an op saves may not go through hooks: entering some is an error with this message.

    >>> with torch.autograd.graph.disable_saved_tensors_hooks("not here"):
    ...     torch.autograd.graph.save_on_cpu().__enter__()
    Traceback (most recent call last):
    RuntimeError: not here
    """
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


class _Handles:
    """Several handles that are removed together."""

    def __init__(self, handles: list[Any]) -> None:
        self.handles = handles

    def remove(self) -> None:
        """Remove the hooks; a second call does nothing."""
        for handle in self.handles:
            handle.remove()

    def __enter__(self) -> _Handles:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()
