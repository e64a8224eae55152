"""`torch.distributed.fsdp`: models that are divided among processes."""

from __future__ import annotations

from rushlight._later import absent_class, absent_function

__all__ = [
    "BackwardPrefetch",
    "CPUOffload",
    "CPUOffloadPolicy",
    "FSDPModule",
    "FullOptimStateDictConfig",
    "FullStateDictConfig",
    "FullyShardedDataParallel",
    "LocalOptimStateDictConfig",
    "LocalStateDictConfig",
    "MixedPrecision",
    "MixedPrecisionPolicy",
    "OffloadPolicy",
    "OptimStateKeyType",
    "ShardedOptimStateDictConfig",
    "ShardedStateDictConfig",
    "ShardingStrategy",
    "StateDictSettings",
    "StateDictType",
    "fully_shard",
    "register_fsdp_forward_method",
]

_WHY = "the world has one process"
(
    BackwardPrefetch,
    CPUOffload,
    CPUOffloadPolicy,
    FSDPModule,
    FullOptimStateDictConfig,
    FullStateDictConfig,
    FullyShardedDataParallel,
    LocalOptimStateDictConfig,
    LocalStateDictConfig,
    MixedPrecision,
    MixedPrecisionPolicy,
    OffloadPolicy,
    OptimStateKeyType,
    ShardedOptimStateDictConfig,
    ShardedStateDictConfig,
    ShardingStrategy,
    StateDictSettings,
    StateDictType,
) = (
    absent_class(f"torch.distributed.fsdp.{name}", _WHY)
    for name in (
        "BackwardPrefetch",
        "CPUOffload",
        "CPUOffloadPolicy",
        "FSDPModule",
        "FullOptimStateDictConfig",
        "FullStateDictConfig",
        "FullyShardedDataParallel",
        "LocalOptimStateDictConfig",
        "LocalStateDictConfig",
        "MixedPrecision",
        "MixedPrecisionPolicy",
        "OffloadPolicy",
        "OptimStateKeyType",
        "ShardedOptimStateDictConfig",
        "ShardedStateDictConfig",
        "ShardingStrategy",
        "StateDictSettings",
        "StateDictType",
    )
)
fully_shard, register_fsdp_forward_method = (
    absent_function(f"torch.distributed.fsdp.{name}", _WHY) for name in ("fully_shard", "register_fsdp_forward_method")
)
