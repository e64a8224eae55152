"""A world of one process. Scripts that can run alone or in many processes run alone here.

`init_process_group` takes a world of size 1, collective operations then do what they do in one, and a larger world is
refused with the reason.

Reference: https://pytorch.org/docs/stable/distributed.html
"""

from __future__ import annotations

import enum
import os
from typing import Any

from rushlight import _C
from rushlight._missing import module_getattr

__all__ = [
    "Backend",
    "GroupMember",
    "ProcessGroup",
    "ReduceOp",
    "Work",
    "all_gather",
    "all_gather_into_tensor",
    "all_gather_object",
    "all_reduce",
    "all_to_all",
    "all_to_all_single",
    "barrier",
    "broadcast",
    "broadcast_object_list",
    "destroy_process_group",
    "gather",
    "gather_object",
    "get_backend",
    "get_default_backend_for_device",
    "get_global_rank",
    "get_group_rank",
    "get_process_group_ranks",
    "get_rank",
    "get_world_size",
    "group",
    "init_process_group",
    "irecv",
    "is_available",
    "is_backend_available",
    "is_gloo_available",
    "is_initialized",
    "is_mpi_available",
    "is_nccl_available",
    "is_torchelastic_launched",
    "isend",
    "monitored_barrier",
    "new_group",
    "recv",
    "reduce",
    "reduce_scatter",
    "reduce_scatter_tensor",
    "scatter",
    "scatter_object_list",
    "send",
]


class Backend(str):
    """The name of a backend, in small letters.

    Examples:
        >>> import rushlight as torch
        >>> torch.distributed.Backend("GLOO")
        'gloo'
    """

    UNDEFINED = "undefined"
    GLOO = "gloo"
    NCCL = "nccl"
    UCC = "ucc"
    MPI = "mpi"
    XCCL = "xccl"

    def __new__(cls, name: str) -> str:  # type: ignore[misc]  # PyTorch's gives a plain string too
        if not isinstance(name, str):
            raise ValueError(f"Backend constructor parameter must be string-ish, got {name!r}")
        return name.lower()


class ReduceOp:
    """How values are put together. In a world of one none of them changes anything."""

    class RedOpType(enum.Enum):
        """The ways by name."""

        SUM = 0
        AVG = 1
        PRODUCT = 2
        MIN = 3
        MAX = 4
        BAND = 5
        BOR = 6
        BXOR = 7
        PREMUL_SUM = 8

    SUM = RedOpType.SUM
    AVG = RedOpType.AVG
    PRODUCT = RedOpType.PRODUCT
    MIN = RedOpType.MIN
    MAX = RedOpType.MAX
    BAND = RedOpType.BAND
    BOR = RedOpType.BOR
    BXOR = RedOpType.BXOR
    PREMUL_SUM = RedOpType.PREMUL_SUM


reduce_op = ReduceOp


class ProcessGroup:
    """The group of this process."""

    def __init__(self, backend: str) -> None:
        self._backend = backend

    def rank(self) -> int:
        """0."""
        return 0

    def size(self) -> int:
        """1."""
        return 1

    def name(self) -> str:
        """The backend that was asked for."""
        return self._backend


class GroupMember:
    """Where the group of all processes is found."""

    WORLD: ProcessGroup | None = None
    NON_GROUP_MEMBER = -100


group = GroupMember


class Work:
    """What an operation with `async_op=True` gives: it is done already."""

    def wait(self, timeout: Any = None) -> bool:
        """True."""
        return True

    def is_completed(self) -> bool:
        """True."""
        return True

    def is_success(self) -> bool:
        """True."""
        return True


def is_available() -> bool:
    """True: a world of one is there."""
    return True


def is_initialized() -> bool:
    """Whether `init_process_group` was called."""
    return GroupMember.WORLD is not None


def is_backend_available(backend: str) -> bool:
    """Whether that way of talking to other processes is there: none is."""
    return False


def is_nccl_available() -> bool:
    """False."""
    return False


def is_gloo_available() -> bool:
    """False."""
    return False


def is_mpi_available() -> bool:
    """False."""
    return False


def is_torchelastic_launched() -> bool:
    """Whether `torchrun` started this process."""
    return os.environ.get("TORCHELASTIC_RUN_ID") is not None


def get_default_backend_for_device(device: Any) -> str:
    """ "gloo"."""
    return "gloo"


def init_process_group(
    backend: str | None = None,
    init_method: str | None = None,
    timeout: Any = None,
    world_size: int = -1,
    rank: int = -1,
    store: Any = None,
    group_name: str = "",
    pg_options: Any = None,
    device_id: Any = None,
) -> None:
    """Begin a world of one process.

    Args:
        backend: remembered.
        world_size, rank: 1 and 0, or left to the environment's `WORLD_SIZE` and `RANK`.
        init_method, timeout, store, group_name, pg_options, device_id: accepted.

    Raises:
        ValueError: it has begun already, or neither `world_size` nor the environment says how large it is.
        NotImplementedError: it would have more processes.

    Example:
        >>> init_process_group("gloo", world_size=1, rank=0)
        >>> get_world_size()
        1
        >>> destroy_process_group()
    """
    if is_initialized():
        raise ValueError("trying to initialize the default process group twice!")
    if world_size < 0:
        if "WORLD_SIZE" not in os.environ:
            raise ValueError("environment variable WORLD_SIZE expected, but not set")
        world_size = int(os.environ["WORLD_SIZE"])
    if world_size != 1:
        raise NotImplementedError(
            f"torch.distributed: rushlight runs in a world of one process, but world_size={world_size}; start one process, "
            "which uses all cores"
        )
    GroupMember.WORLD = ProcessGroup(backend or "gloo")


def destroy_process_group(group: Any = None) -> None:
    """End it."""
    if group is None or group is GroupMember.WORLD:
        _world()
        GroupMember.WORLD = None


def _world() -> ProcessGroup:
    if GroupMember.WORLD is None:
        raise ValueError("Default process group has not been initialized, please make sure to call init_process_group.")
    return GroupMember.WORLD


def _only(rank: Any, what: str) -> None:
    if rank not in (0, None):
        raise ValueError(f"{what}={rank}, but the world has one process, of rank 0")


def get_rank(group: Any = None) -> int:
    """0."""
    return _world().rank()


def get_world_size(group: Any = None) -> int:
    """1."""
    return _world().size()


def get_backend(group: Any = None) -> str:
    """The backend that was asked for."""
    return _world().name()


def get_group_rank(group: Any, global_rank: int) -> int:
    """The rank within a group."""
    _only(global_rank, "global_rank")
    return 0


def get_global_rank(group: Any, group_rank: int) -> int:
    """The rank within the world."""
    _only(group_rank, "group_rank")
    return 0


def get_process_group_ranks(group: Any = None) -> list[int]:
    """[0]."""
    return [0]


def new_group(ranks: Any = None, *args: Any, **kwargs: Any) -> ProcessGroup:
    """A group of this process."""
    for rank in ranks or ():
        _only(rank, "rank")
    return ProcessGroup(_world().name())


def barrier(group: Any = None, async_op: bool = False, device_ids: Any = None) -> Work | None:
    """Nobody to wait for."""
    _world()
    return Work() if async_op else None


def monitored_barrier(group: Any = None, timeout: Any = None, wait_all_ranks: bool = False) -> None:
    """Nobody to wait for."""
    _world()


def all_reduce(tensor: Any, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False) -> Work | None:
    """The sum (or what else) over all processes: the tensor stays as it is."""
    _checked_tensor(tensor)
    return barrier(async_op=async_op)


def reduce(
    tensor: Any,
    dst: Any = None,
    op: Any = ReduceOp.SUM,
    group: Any = None,
    async_op: bool = False,
    group_dst: Any = None,
) -> Work | None:
    """The same, for one process."""
    _checked_tensor(tensor)
    _only(dst, "dst")
    return barrier(async_op=async_op)


def broadcast(
    tensor: Any, src: Any = None, group: Any = None, async_op: bool = False, group_src: Any = None
) -> Work | None:
    """The tensor of one process to all: it stays as it is."""
    _checked_tensor(tensor)
    _only(src, "src")
    return barrier(async_op=async_op)


def _checked_tensor(value: Any) -> None:
    if not isinstance(value, _C.Tensor):
        raise TypeError(
            f"Invalid function argument. Expected parameter `tensor` of type torch.Tensor, got {type(value)}"
        )


def _copy(into: Any, tensor: Any) -> None:
    _checked_tensor(tensor)
    from rushlight.autograd.grad_mode import no_grad

    with no_grad():
        into.copy_(tensor.reshape(into.shape))


def all_gather(tensor_list: Any, tensor: Any, group: Any = None, async_op: bool = False) -> Work | None:
    """The tensors of all processes to all: this one into a list of one."""
    _copy(_single(tensor_list, "tensor_list"), tensor)
    return barrier(async_op=async_op)


def all_gather_into_tensor(output_tensor: Any, input_tensor: Any, group: Any = None, async_op: bool = False) -> Any:
    """The same, into one tensor."""
    _copy(output_tensor, input_tensor)
    return barrier(async_op=async_op)


def gather(
    tensor: Any,
    gather_list: Any = None,
    dst: Any = None,
    group: Any = None,
    async_op: bool = False,
    group_dst: Any = None,
) -> Work | None:
    """The tensors of all processes to one."""
    _only(dst, "dst")
    _copy(_single(gather_list, "gather_list"), tensor)
    return barrier(async_op=async_op)


def scatter(
    tensor: Any,
    scatter_list: Any = None,
    src: Any = None,
    group: Any = None,
    async_op: bool = False,
    group_src: Any = None,
) -> Work | None:
    """A tensor for each process, from one."""
    _only(src, "src")
    _copy(tensor, _single(scatter_list, "scatter_list"))
    return barrier(async_op=async_op)


def reduce_scatter(
    output: Any, input_list: Any, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Work | None:
    """The sums over all processes, one for each."""
    _copy(output, _single(input_list, "input_list"))
    return barrier(async_op=async_op)


def reduce_scatter_tensor(
    output: Any, input: Any, op: Any = ReduceOp.SUM, group: Any = None, async_op: bool = False
) -> Work | None:
    """The same, from one tensor."""
    _copy(output, input)
    return barrier(async_op=async_op)


def all_to_all(
    output_tensor_list: Any, input_tensor_list: Any, group: Any = None, async_op: bool = False
) -> Work | None:
    """A tensor from each process to each."""
    _copy(_single(output_tensor_list, "output_tensor_list"), _single(input_tensor_list, "input_tensor_list"))
    return barrier(async_op=async_op)


def all_to_all_single(output: Any, input: Any, *args: Any, async_op: bool = False, **kwargs: Any) -> Work | None:
    """The same, within one tensor."""
    _copy(output, input)
    return barrier(async_op=async_op)


def _single(values: Any, name: str) -> Any:
    if not isinstance(values, (list, tuple)) or len(values) != 1:
        count = len(values) if hasattr(values, "__len__") else values
        raise ValueError(f"{name} should hold one tensor, for the world has one process, but got {count}")
    return values[0]


def all_gather_object(object_list: list[Any], obj: Any, group: Any = None) -> None:
    """The objects of all processes to all."""
    _world()
    _single(object_list, "object_list")
    object_list[0] = obj


def gather_object(obj: Any, object_gather_list: Any = None, dst: Any = None, group: Any = None) -> None:
    """The objects of all processes to one."""
    _only(dst, "dst")
    all_gather_object(object_gather_list, obj)


def broadcast_object_list(object_list: list[Any], src: Any = None, group: Any = None, device: Any = None) -> None:
    """The objects of one process to all: they stay as they are."""
    _world()
    _only(src, "src")


def scatter_object_list(output: list[Any], inputs: Any = None, src: Any = None, group: Any = None) -> None:
    """An object for each process, from one."""
    _only(src, "src")
    all_gather_object(output, _single(inputs, "scatter_object_input_list"))


def _nobody(*args: Any, **kwargs: Any) -> None:
    """There is no other process.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError("torch.distributed: there is no other process to send to or receive from")


send = recv = isend = irecv = _nobody


# Parts that one process has no use for: they can be imported, and refuse to work.
__getattr__ = module_getattr(
    __name__,
    ("algorithms", "checkpoint", "device_mesh", "fsdp", "nn", "optim", "rpc", "tensor"),
    {"DeviceMesh": "device_mesh", "init_device_mesh": "device_mesh"},
)
