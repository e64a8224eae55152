"""An optimizer on other parameters for a while."""

from __future__ import annotations

from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rushlight import _C

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["swap_in_optimizer_params_and_state"]


@contextmanager
def swap_in_optimizer_params_and_state(
    optimizer: Any, swapin_parameters: dict[str, Any], swapin_optim_state: dict[str, Any]
) -> Iterator[None]:
    """Inside the block, the optimizer updates the given parameters with the given state; then it has its own back.

    Args:
        optimizer: with state, that is, after a step.
        swapin_parameters: tensors in the order of the optimizer's parameters.
        swapin_optim_state: as from `state_dict()`. Its tensors are changed in place by steps.

    Raises:
        RuntimeError: no state yet, or a state that does not fit the optimizer's groups.
    """
    groups = optimizer.param_groups
    state, saved = _checked(optimizer, swapin_optim_state)
    tensors = list(swapin_parameters.values())
    if len(tensors) < sum(len(group["params"]) for group in saved):
        raise _error("requires the explicit parameter state to match optimizer.param_groups ordering.")
    extra = set(state).difference(*(group["params"] for group in saved))
    if extra:
        raise _error(f"requires the state to be keyed only by packed parameter ids; got extra keys {sorted(extra)!r}.")
    own_state, own_groups = optimizer.state, [dict(group) for group in groups]
    try:
        optimizer.state = defaultdict(dict)
        given = iter(tensors)
        for group, new in zip(groups, saved, strict=True):
            params = [next(given) for _ in new["params"]]
            group.update(new, params=params)
            for p, number in zip(params, new["params"], strict=True):
                optimizer.state[p] = dict(state.get(number, {}))
        yield
    finally:
        for group, before in zip(groups, own_groups, strict=True):
            group.clear()
            group.update(before)
        optimizer.state = own_state


def _error(text: str) -> RuntimeError:
    return RuntimeError(f"swap_in_optimizer_params_and_state {text}")


def _checked(optimizer: Any, given: Any) -> tuple[dict[Any, Any], list[dict[str, Any]]]:
    if not optimizer.state:
        raise _error("requires initialized optimizer state.")
    if not isinstance(given, dict):
        raise _error("requires a DCP-style optimizer state_dict.")
    state, groups = given.get("state"), given.get("param_groups")
    if not isinstance(state, dict) or any(isinstance(key, _C.Tensor) for key in state):
        raise _error("requires optimizer.state_dict()-style state keyed by packed parameter ids.")
    if not all(isinstance(own, dict) for own in state.values()):
        raise _error("requires per-parameter optimizer state entries to be dictionaries.")
    if not isinstance(groups, list):
        raise _error(f"requires swapin_optim_state['param_groups'] to be a list, got {type(groups).__name__}.")
    if len(groups) != len(optimizer.param_groups):
        raise RuntimeError("swapin_optim_state has a different number of parameter groups than the live optimizer.")
    for i, (own, new) in enumerate(zip(optimizer.param_groups, groups, strict=True)):
        numbers = new.get("params") if isinstance(new, dict) else None
        if not isinstance(numbers, list) or not all(isinstance(n, int) for n in numbers):
            raise _error("requires param_groups[*]['params'] entries keyed by packed parameter ids.")
        if len(numbers) != len(own["params"]):
            raise RuntimeError(
                f"swapin_optim_state param group {i} has a different number of params than the live optimizer "
                "param group."
            )
        if set(new) != set(own):
            raise _error(f"requires the keys of group {i} to be those of the live group: {sorted(set(new) ^ set(own))}")
    return state, groups
