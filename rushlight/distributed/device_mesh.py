"""`torch.distributed.device_mesh`: grids of devices, which one process has none of."""

from __future__ import annotations

from rushlight._later import absent_class, absent_function

__all__ = ["DeviceMesh", "init_device_mesh"]

_WHY = "the world has one process"
DeviceMesh = absent_class("torch.distributed.device_mesh.DeviceMesh", _WHY)
init_device_mesh = absent_function("torch.distributed.device_mesh.init_device_mesh", _WHY)
