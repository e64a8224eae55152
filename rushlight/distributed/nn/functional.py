"""`torch.distributed.nn.functional`: collective operations that gradients flow through, in a world of one process.

They return what they make, instead of writing into an argument.
"""

from __future__ import annotations

from typing import Any

from rushlight.distributed import ReduceOp, _only, _world

__all__ = ["all_gather", "all_reduce", "all_to_all", "broadcast", "gather", "reduce", "reduce_scatter", "scatter"]


def broadcast(tensor: Any, src: Any, group: Any = None) -> Any:
    """What `src` has: a copy of the tensor."""
    _only(src, "src")
    return tensor.clone()


def all_reduce(tensor: Any, op: Any = ReduceOp.SUM, group: Any = None) -> Any:
    """What the processes have, put together: a copy of the tensor."""
    _world()
    return tensor.clone()


def reduce(tensor: Any, dst: Any, op: Any = ReduceOp.SUM, group: Any = None) -> Any:
    """What the processes have, put together for one of them."""
    _only(dst, "dst")
    return tensor.clone()


def all_gather(tensor: Any, group: Any = None) -> tuple[Any, ...]:
    """What each process has: one copy."""
    _world()
    return (tensor.clone(),)


def gather(tensor: Any, dst: Any = 0, group: Any = None) -> tuple[Any, ...]:
    """What each process has, for one of them."""
    _only(dst, "dst")
    return (tensor.clone(),)


def _one(tensors: Any, what: str) -> Any:
    _world()
    if len(tensors) != 1:
        raise ValueError(f"{what} must have one tensor for each process, and there is one process; got {len(tensors)}")
    return tensors[0].clone()


def scatter(tensors: Any, src: Any = 0, group: Any = None) -> Any:
    """The one of `src`'s tensors that is this process's."""
    _only(src, "src")
    return _one(tensors, "tensors")


def reduce_scatter(output: Any, input_list: Any, op: Any = ReduceOp.SUM, group: Any = None) -> Any:
    """This process's part of what the processes have, put together."""
    return _one(input_list, "input_list")


def all_to_all(output_tensor_list: Any, input_tensor_list: Any, group: Any = None) -> tuple[Any, ...]:
    """What every process has for this one."""
    return (_one(input_tensor_list, "input_tensor_list"),)
