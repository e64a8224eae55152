"""`torch.distributed.tensor`: tensors that are spread over processes. `isinstance(x, DTensor)` is False for every tensor."""

from __future__ import annotations

from rushlight._later import absent_class, absent_function
from rushlight.distributed.device_mesh import DeviceMesh, init_device_mesh
from rushlight.distributed.tensor.placement_types import Partial, Placement, Replicate, Shard

__all__ = [
    "DTensor",
    "DeviceMesh",
    "Partial",
    "Placement",
    "Replicate",
    "Shard",
    "distribute_module",
    "distribute_tensor",
    "init_device_mesh",
]

_WHY = "the world has one process"
DTensor = absent_class("torch.distributed.tensor.DTensor", _WHY)
distribute_module, distribute_tensor = (
    absent_function(f"torch.distributed.tensor.{name}", _WHY) for name in ("distribute_module", "distribute_tensor")
)
