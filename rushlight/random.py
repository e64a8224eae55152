"""Seeds and states of the default random generator."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from rushlight import _C

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

__all__ = ["fork_rng", "get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state"]

default_generator = _C.default_generator


def manual_seed(seed: Any) -> Any:
    """Seed every random function, so that what follows can be repeated; returns the default generator.

    Args:
        seed: from -2**63 to 2**64 - 1; negative seeds wrap.

    >>> _ = torch.manual_seed(0)
    >>> a = torch.rand(2)
    >>> _ = torch.manual_seed(0)
    >>> torch.equal(a, torch.rand(2))
    True

    Reference: https://pytorch.org/docs/stable/generated/torch.manual_seed.html
    """
    return _C.default_generator.manual_seed(int(seed))


def seed() -> int:
    """Seed from the system's entropy; returns that seed."""
    drawn: int = _C.default_generator.seed()
    return drawn


def initial_seed() -> int:
    """The seed that the default generator was last given.

    >>> _ = torch.manual_seed(7)
    >>> torch.initial_seed()
    7
    """
    given: int = _C.default_generator.initial_seed()
    return given


def get_rng_state() -> Any:
    """The state of the default generator, as a uint8 tensor.

    >>> state = torch.get_rng_state()
    >>> a = torch.rand(2)
    >>> torch.set_rng_state(state)
    >>> torch.equal(a, torch.rand(2))
    True
    """
    return _C.default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Put the default generator back into a state that `get_rng_state` gave.

    >>> state = torch.get_rng_state()
    >>> state.dtype, state.dim()
    (torch.uint8, 1)
    """
    _C.default_generator.set_state(new_state)


@contextlib.contextmanager
def fork_rng(
    devices: Iterable[Any] | None = None,
    enabled: bool = True,
    _caller: str = "fork_rng",
    _devices_kw: str = "devices",
    device_type: str = "cuda",
) -> Generator[None, None, None]:
    """Within it, random draws leave the default generator as it was before.

    Args:
        devices, device_type: accepted; there is only the CPU.
        enabled: False makes it do nothing.

    >>> _ = torch.manual_seed(0)
    >>> with torch.random.fork_rng():
    ...     _ = torch.rand(10)
    >>> torch.rand(1)
    tensor([0.4963])
    """
    if not enabled:
        yield
        return
    state = get_rng_state()
    try:
        yield
    finally:
        set_rng_state(state)
