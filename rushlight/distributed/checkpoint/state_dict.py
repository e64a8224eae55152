"""`torch.distributed.checkpoint.state_dict`: the state of models that are divided among processes."""

from __future__ import annotations

from rushlight._later import absent_class, absent_function

__all__ = [
    "StateDictOptions",
    "get_model_state_dict",
    "get_optimizer_state_dict",
    "get_state_dict",
    "set_model_state_dict",
    "set_optimizer_state_dict",
    "set_state_dict",
]

_WHY = "the world has one process; state_dict() and load_state_dict() of the model do it"
StateDictOptions = absent_class("torch.distributed.checkpoint.state_dict.StateDictOptions", _WHY)
(
    get_model_state_dict,
    get_optimizer_state_dict,
    get_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
    set_state_dict,
) = (
    absent_function(f"torch.distributed.checkpoint.state_dict.{name}", _WHY)
    for name in (
        "get_model_state_dict",
        "get_optimizer_state_dict",
        "get_state_dict",
        "set_model_state_dict",
        "set_optimizer_state_dict",
        "set_state_dict",
    )
)
