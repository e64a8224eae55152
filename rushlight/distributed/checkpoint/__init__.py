"""`torch.distributed.checkpoint`: files that many processes write together; `torch.save` writes those of one."""

from __future__ import annotations

from rushlight._later import absent_class, absent_function

__all__ = [
    "DefaultLoadPlanner",
    "DefaultSavePlanner",
    "FileSystemReader",
    "FileSystemWriter",
    "LoadPlanner",
    "SavePlanner",
    "StorageReader",
    "StorageWriter",
    "async_save",
    "load",
    "load_state_dict",
    "save",
    "save_state_dict",
]

_WHY = "the world has one process; torch.save and torch.load keep a state_dict"
(
    DefaultLoadPlanner,
    DefaultSavePlanner,
    FileSystemReader,
    FileSystemWriter,
    LoadPlanner,
    SavePlanner,
    StorageReader,
    StorageWriter,
) = (
    absent_class(f"torch.distributed.checkpoint.{name}", _WHY)
    for name in (
        "DefaultLoadPlanner",
        "DefaultSavePlanner",
        "FileSystemReader",
        "FileSystemWriter",
        "LoadPlanner",
        "SavePlanner",
        "StorageReader",
        "StorageWriter",
    )
)
async_save, load, load_state_dict, save, save_state_dict = (
    absent_function(f"torch.distributed.checkpoint.{name}", _WHY)
    for name in ("async_save", "load", "load_state_dict", "save", "save_state_dict")
)
