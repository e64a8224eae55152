"""`torch.distributed.rpc`: calls into other processes."""

from __future__ import annotations

from rushlight._later import absent_class, absent_function

__all__ = [
    "RRef",
    "TensorPipeRpcBackendOptions",
    "get_worker_info",
    "init_rpc",
    "remote",
    "rpc_async",
    "rpc_sync",
    "shutdown",
]

_WHY = "the world has one process"
RRef, TensorPipeRpcBackendOptions = (
    absent_class(f"torch.distributed.rpc.{name}", _WHY) for name in ("RRef", "TensorPipeRpcBackendOptions")
)
get_worker_info, init_rpc, remote, rpc_async, rpc_sync, shutdown = (
    absent_function(f"torch.distributed.rpc.{name}", _WHY)
    for name in ("get_worker_info", "init_rpc", "remote", "rpc_async", "rpc_sync", "shutdown")
)
