"""Files of many processes, turned into files of one."""

from __future__ import annotations

from rushlight._later import absent_class, absent_function

__all__ = ["dcp_to_torch_save", "torch_save_to_dcp"]

_WHY = "the world has one process; torch.save and torch.load keep a state_dict"
_EmptyStateDictLoadPlanner = absent_class("torch.distributed.checkpoint.format_utils._EmptyStateDictLoadPlanner", _WHY)
dcp_to_torch_save, torch_save_to_dcp = (
    absent_function(f"torch.distributed.checkpoint.format_utils.{name}", _WHY)
    for name in ("dcp_to_torch_save", "torch_save_to_dcp")
)
