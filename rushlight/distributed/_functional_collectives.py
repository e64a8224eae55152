"""Collective operations that return what they make, as tensors of several processes use them."""

from __future__ import annotations

from rushlight._later import absent_class, absent_function

__all__ = ["AsyncCollectiveTensor", "all_gather_tensor", "all_reduce", "all_to_all_single", "permute_tensor"]

_WHY = "the world has one process; torch.distributed.nn.functional has those of a world of one"
_HOME = "torch.distributed._functional_collectives"
AsyncCollectiveTensor = absent_class(f"{_HOME}.AsyncCollectiveTensor", _WHY)
(
    all_gather_tensor,
    all_reduce,
    all_to_all_single,
    all_to_all_single_autograd,
    permute_tensor,
    reduce_scatter_tensor,
    wait_tensor,
) = (
    absent_function(f"{_HOME}.{name}", _WHY)
    for name in (
        "all_gather_tensor",
        "all_reduce",
        "all_to_all_single",
        "all_to_all_single_autograd",
        "permute_tensor",
        "reduce_scatter_tensor",
        "wait_tensor",
    )
)
