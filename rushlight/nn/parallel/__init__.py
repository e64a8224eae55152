"""Modules over several devices: here there is one, so these run the module.

Reference: https://pytorch.org/docs/stable/nn.html#dataparallel-layers-multi-gpu-distributed
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rushlight import _C
from rushlight.nn.parallel.data_parallel import DataParallel, data_parallel
from rushlight.nn.parallel.distributed import DistributedDataParallel

__all__ = [
    "DataParallel",
    "DistributedDataParallel",
    "data_parallel",
    "gather",
    "parallel_apply",
    "replicate",
    "scatter",
]


def _one(devices: Any) -> None:
    for device in devices:
        kind = _C.device(device).type if not isinstance(device, int) else "cuda"
        if kind != "cpu":
            _C.empty(0).to(_C.device(device) if not isinstance(device, int) else _C.device("cuda", device))
    if len(devices) != 1:
        raise RuntimeError(f"there is one device, the CPU, but {len(devices)} were given")


def scatter(inputs: Any, target_gpus: Any, dim: int = 0) -> Any:
    """A part of the inputs for each device: all of them for the one there is."""
    _one(target_gpus)
    return _scattered(inputs)


def _scattered(value: Any) -> Any:
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return [type(value)(*(_scattered(item)[0] for item in value))]
    if isinstance(value, tuple):
        return [tuple(_scattered(item)[0] for item in value)]
    if isinstance(value, list):
        return [[_scattered(item)[0] for item in value]]
    if isinstance(value, Mapping):
        return [type(value)({k: _scattered(v)[0] for k, v in value.items()})]  # type: ignore[call-arg]
    return [value]


def gather(outputs: Any, target_device: Any, dim: int = 0) -> Any:
    """The results of all devices in one."""
    first = outputs[0]
    if isinstance(first, _C.Tensor):
        return _C.cat([x.reshape(1) if x.dim() == 0 else x for x in outputs], dim) if len(outputs) > 1 else first
    if first is None:
        return None
    if isinstance(first, Mapping):
        return type(first)({k: gather([x[k] for x in outputs], target_device, dim) for k in first})  # type: ignore[call-arg]
    joined = [gather(list(column), target_device, dim) for column in zip(*outputs)]
    return type(first)(*joined) if hasattr(first, "_fields") else type(first)(joined)


def replicate(network: Any, devices: Any, detach: bool = False) -> list[Any]:
    """A copy of a module for each device: the module itself."""
    _one(devices)
    return [network]


def parallel_apply(modules: Any, inputs: Any, kwargs_tup: Any = None, devices: Any = None) -> list[Any]:
    """Each module with its inputs."""
    if len(modules) != len(inputs):
        raise AssertionError(f"The number of modules {len(modules)} is not equal to the number of inputs {len(inputs)}")
    keywords = kwargs_tup if kwargs_tup is not None else ({},) * len(modules)
    return [
        module(*(args if isinstance(args, (list, tuple)) else (args,)), **kwargs)
        for module, args, kwargs in zip(modules, inputs, keywords)
    ]
