"""How tensors and storages are sent to another process: as the name of their shared memory."""

from __future__ import annotations

from multiprocessing.reduction import ForkingPickler
from typing import TYPE_CHECKING, Any

from rushlight import _C
from rushlight._tensor_methods import as_it_was

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["init_reductions", "rebuild_storage", "rebuild_tensor", "reduce_storage", "reduce_tensor"]


def reduce_storage(storage: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """What is sent for an `UntypedStorage`; it is moved into shared memory first."""
    from rushlight import _shared_memory

    if storage.nbytes() == 0:
        return rebuild_storage, ("", 0)
    _shared_memory.share(storage._bytes)
    return rebuild_storage, _shared_memory.given(storage._bytes)


def rebuild_storage(source: Any, nbytes: int) -> Any:
    """The storage that was sent, in the process that receives it."""
    from rushlight import _shared_memory
    from rushlight.storage import UntypedStorage

    return UntypedStorage._of(_shared_memory.taken(source, nbytes)) if nbytes else UntypedStorage(0)


def reduce_tensor(tensor: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """What is sent for a tensor.

    Raises:
        RuntimeError: the tensor is a result that requires grad: its history cannot be sent.
    """
    from rushlight.storage import UntypedStorage

    if tensor.requires_grad and not tensor.is_leaf:
        raise RuntimeError(
            "Cowardly refusing to serialize non-leaf tensor which requires_grad, since autograd does not support "
            "crossing process boundaries.  If you just want to transfer the data, call detach() on the tensor before "
            "serializing (e.g., putting it on the queue)."
        )
    view = (tensor.dtype, tensor.storage_offset(), tuple(tensor.shape), tensor.stride())
    own = {name: value for name, value in vars(tensor).items() if name != "_backward_hooks"} or None
    kind = None if type(tensor) is _C.Tensor else type(tensor)
    return rebuild_tensor, (kind, UntypedStorage._of(tensor), view, tensor.requires_grad, own)


def rebuild_tensor(kind: Any, storage: Any, view: tuple[Any, ...], requires_grad: bool, own: Any) -> Any:
    """The tensor that was sent, in the process that receives it."""
    return as_it_was(storage._tensor(*view), kind, requires_grad, own)


def reduce_alone(tensor: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """`reduce_tensor` for a pickler that does not know how storages are sent."""
    _, (kind, storage, *rest) = reduce_tensor(tensor)
    return _rebuild_alone, (kind, *reduce_storage(storage), *rest)


def _rebuild_alone(kind: Any, rebuild: Any, sent: tuple[Any, ...], *rest: Any) -> Any:
    return rebuild_tensor(kind, rebuild(*sent), *rest)


def init_reductions() -> None:
    """Teach `multiprocessing` to send tensors this way."""
    from rushlight.nn.parameter import Parameter
    from rushlight.storage import UntypedStorage

    ForkingPickler.register(UntypedStorage, reduce_storage)
    for kind in (_C.Tensor, Parameter):
        ForkingPickler.register(kind, reduce_tensor)
