"""`torch.autograd.forward_ad`: tensors with tangents. There are none; `torch.func.jvp` differentiates forwards."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, NamedTuple

from rushlight._later import absent_function

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual"]

make_dual, enter_dual_level, exit_dual_level = (
    absent_function(f"torch.autograd.forward_ad.{name}", "use torch.func.jvp")
    for name in ("make_dual", "enter_dual_level", "exit_dual_level")
)


class UnpackedDualTensor(NamedTuple):
    """A tensor and its tangent."""

    primal: Any
    tangent: Any


def unpack_dual(tensor: Any, *, level: int | None = None) -> UnpackedDualTensor:
    """The tensor, and None: no tensor has a tangent."""
    return UnpackedDualTensor(tensor, None)


@contextlib.contextmanager
def dual_level() -> Iterator[int]:
    """A block in which tensors could be given tangents."""
    yield 0
