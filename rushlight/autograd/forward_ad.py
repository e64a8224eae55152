"""`torch.autograd.forward_ad`: tensors with tangents.

A dual tensor is an ordinary one that is differentiated by: what is computed of it is recorded as for a backward, and a
tangent is worked out when it is asked for (as `torch.func.jvp` does, by differentiating the backward pass). So
nothing has a tangent under `no_grad`.
"""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from rushlight import _C
from rushlight import autograd as _autograd
from rushlight.autograd.grad_mode import enable_grad

__all__ = ["UnpackedDualTensor", "dual_level", "enter_dual_level", "exit_dual_level", "make_dual", "unpack_dual"]


class _Level(threading.local):
    """The duals of this thread's level, each with its tangent and whether its origin wants a gradient."""

    duals: list[tuple[Any, Any, bool]] | None = None


_level = _Level()


class UnpackedDualTensor(NamedTuple):
    """A tensor and its tangent."""

    primal: Any
    tangent: Any


def enter_dual_level() -> int:
    """Enter the level in which tensors may be given tangents; there is one, numbered 0."""
    if _level.duals is not None:
        raise RuntimeError("Nested forward mode AD is not supported at the moment")
    _level.duals = []
    return 0


def exit_dual_level(*, level: int | None = None) -> None:
    """Leave the level: what has a tangent in it has none from here on."""
    if _level.duals is None or level not in (None, 0):
        raise RuntimeError("Trying to exit a forward AD level that was not the last one that was created.")
    _level.duals = None


class dual_level:
    """A block in which tensors may be given tangents.

    >>> import rushlight.autograd.forward_ad as fwAD
    >>> with fwAD.dual_level():
    ...     y = fwAD.make_dual(torch.tensor(3.), torch.tensor(1.)) ** 2
    ...     fwAD.unpack_dual(y).tangent
    tensor(6.)

    Reference: https://pytorch.org/docs/stable/generated/torch.autograd.forward_ad.dual_level.html
    """

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *exc: object) -> None:
        exit_dual_level()


def make_dual(tensor: Any, tangent: Any, *, level: int | None = None) -> Any:
    """A tensor with the values of `tensor` that has this tangent.

    Raises:
        RuntimeError: there is no level, or the shapes differ.
        ValueError: one of the two is neither of a floating point nor of a complex dtype.

    Reference: https://pytorch.org/docs/stable/generated/torch.autograd.forward_ad.make_dual.html
    """
    if _level.duals is None:
        raise RuntimeError(
            "Trying to create a dual Tensor for forward AD but no level exists, make sure to enter_dual_level() first."
        )
    for what, t in (("primal", tensor), ("tangent", tangent)):
        if not (t.is_floating_point() or t.is_complex()):
            raise ValueError(f"Expected {what} to be floating point or complex, but got: {t.dtype}")
    if tensor.shape != tangent.shape:
        raise RuntimeError(
            f"Trying to set a forward gradient that has a different size than that of the original Tensor: "
            f"{tuple(tangent.shape)}, not {tuple(tensor.shape)}"
        )
    with enable_grad():
        dual = tensor.view_as(tensor) if tensor.requires_grad else tensor.detach().requires_grad_()
    _level.duals.append((dual, tangent, tensor.requires_grad or tangent.requires_grad))
    return dual


def unpack_dual(tensor: Any, *, level: int | None = None) -> UnpackedDualTensor:
    """The values of a tensor and its tangent in this level, None if it has none.

    Reference: https://pytorch.org/docs/stable/generated/torch.autograd.forward_ad.unpack_dual.html
    """
    if not isinstance(tensor, _C.Tensor):
        raise TypeError(f"unpack_dual(): argument 'dual' must be Tensor, not {type(tensor).__name__}")
    duals = _level.duals
    if not duals or not tensor.requires_grad:
        return UnpackedDualTensor(tensor, None)
    keep = any(tracked for _, _, tracked in duals)
    primal = tensor if keep else tensor.detach()
    for dual, tangent, _ in duals:
        if dual is tensor:
            return UnpackedDualTensor(primal, tangent)
    with enable_grad():
        cotangent = _C.zeros_like(tensor).requires_grad_()
        leaves = [dual for dual, _, _ in duals]
        back = _autograd.grad(tensor, leaves, cotangent, create_graph=True, allow_unused=True)
        reached = [(b, tangent) for b, (_, tangent, _) in zip(back, duals, strict=True) if b is not None]
        if not reached:
            return UnpackedDualTensor(tensor, None)
        moving = [(b, t) for b, t in reached if b.requires_grad]
        found = None
        if moving:
            (found,) = _autograd.grad(
                [b for b, _ in moving], cotangent, [t.to(b.dtype) for b, t in moving], create_graph=keep,
                retain_graph=True, allow_unused=True,
            )  # fmt: skip
    found = _C.zeros_like(tensor) if found is None else found
    return UnpackedDualTensor(primal, found if keep else found.detach())
