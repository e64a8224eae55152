"""`GradScaler`: keeps the gradients of a float16 training in the range of float16."""

from __future__ import annotations

import math
import warnings
from collections import defaultdict
from collections.abc import Iterable
from enum import Enum
from typing import Any

from rushlight import _C
from rushlight.autograd.grad_mode import no_grad

__all__ = ["GradScaler", "OptState"]


class OptState(Enum):
    """What was done with an optimizer since the last update."""

    READY = 0
    UNSCALED = 1
    STEPPED = 2


class _Record:
    """Of one optimizer, since the last update."""

    def __init__(self) -> None:
        self.stage = OptState.READY
        self.found_inf: float | None = None  # None: not looked for yet


class GradScaler:
    """Multiplies the loss so that small gradients survive float16, and skips the steps where they overflow.

    Each iteration: `scaler.scale(loss).backward()`, `scaler.step(optimizer)`, `scaler.update()`. To clip gradients in between,
    call `scaler.unscale_(optimizer)` first. The factor shrinks when a gradient is infinite or NaN, and grows after some
    steps without.

    Args:
        device: "cpu". For "cuda", which is not there, it warns and does nothing.
        init_scale: the first factor.
        growth_factor, backoff_factor: by which it grows and shrinks.
        growth_interval: after how many steps it grows.
        enabled: False makes every method pass on what it is given.

    Raises:
        AssertionError: growth_factor is at most 1, or backoff_factor at least 1.

    Example:
        >>> scaler = torch.amp.GradScaler("cpu", init_scale=4.0)
        >>> scaler.scale(torch.tensor(3.0))
        tensor(12.)

    Reference: https://pytorch.org/docs/stable/amp.html#torch.amp.GradScaler
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        self._device = device
        if enabled and device == "cuda":
            warnings.warn(
                "torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.",
                stacklevel=2 if type(self) is GradScaler else 3,
            )
            enabled = False
        self._enabled = enabled
        if not enabled:
            return
        if growth_factor <= 1.0:
            raise AssertionError(f"The growth factor must be > 1.0, got {growth_factor}")
        if backoff_factor >= 1.0:
            raise AssertionError(f"The backoff factor must be < 1.0, got {backoff_factor}")
        self._init_scale = init_scale
        self._scale: Any = None  # a tensor, from the first use on
        self._growth_factor = growth_factor
        self._backoff_factor = backoff_factor
        self._growth_interval = growth_interval
        self._growth_tracker = 0
        self._records: defaultdict[int, _Record] = defaultdict(_Record)

    def scale(self, outputs: Any) -> Any:
        """A tensor, or the tensors in an iterable, times the factor."""
        if not self._enabled:
            return outputs
        if self._scale is None:
            self._scale = _C.tensor(self._init_scale, dtype=_C.float32)
        if isinstance(outputs, _C.Tensor):
            return outputs * self._scale
        if isinstance(outputs, Iterable) and not isinstance(outputs, (str, bytes)):
            scaled = map(self.scale, outputs)
            return type(outputs)(scaled) if isinstance(outputs, (list, tuple)) else scaled  # type: ignore[call-arg]
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def _used(self, what: str) -> None:
        if self._scale is None:
            raise AssertionError(
                f"Attempted {what} but _scale is None.  This may indicate your script did not use "
                "scaler.scale(loss or outputs) earlier in the iteration."
            )

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of an optimizer's parameters by the factor, so that they can be clipped.

        Raises:
            RuntimeError: it was done already, or `step` was, since the last update.
            ValueError: a gradient is float16: keep the parameters in float32 and use `autocast`.
        """
        if not self._enabled:
            return
        self._used("unscale_")
        record = self._records[id(optimizer)]
        if record.stage is OptState.UNSCALED:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        if record.stage is OptState.STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        self._unscale(optimizer, record)
        record.stage = OptState.UNSCALED

    def _unscale(self, optimizer: Any, record: _Record) -> None:
        inverse = 1.0 / self._scale.item()
        finite = True
        with no_grad():
            grads = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
            if any(grad.dtype is _C.float16 for grad in grads):
                raise ValueError("Attempting to unscale FP16 gradients.")
            for grad in grads:
                finite = finite and bool(grad.isfinite().all())
                grad.mul_(inverse)
        if grads:
            record.found_inf = 0.0 if finite else 1.0

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Step, unless a gradient is infinite or NaN. Unscales first where that was not done.

        Args:
            optimizer: whose step; further arguments go to it. Closures are not possible.

        Raises:
            RuntimeError: called twice without `update`, or with a closure.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        self._used("step")
        record = self._records[id(optimizer)]
        if record.stage is OptState.STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        if record.stage is OptState.READY:
            self._unscale(optimizer, record)
        if record.found_inf is None:
            raise AssertionError(
                "No inf checks were recorded for this optimizer: none of its parameters has a gradient"
            )
        record.stage = OptState.STEPPED
        return None if record.found_inf else optimizer.step(*args, **kwargs)

    def update(self, new_scale: Any = None) -> None:
        """Adjust the factor after the steps of an iteration.

        Args:
            new_scale: the factor to go on with, instead.
        """
        if not self._enabled:
            return
        self._used("update")
        if new_scale is not None:
            self._scale.fill_(float(new_scale))
        else:
            found = [record.found_inf for record in self._records.values() if record.found_inf is not None]
            if not found:
                raise AssertionError("No inf checks were recorded prior to update.")
            scale = self._scale.item()
            if any(found):
                self._scale.fill_(scale * self._backoff_factor)
                self._growth_tracker = 0
            else:
                self._growth_tracker += 1
                if self._growth_tracker == self._growth_interval:
                    self._growth_tracker = 0
                    grown = self._scale * self._growth_factor
                    if math.isfinite(grown.item()):
                        self._scale.copy_(grown)
        self._records.clear()

    def is_enabled(self) -> bool:
        """Whether it does anything."""
        return self._enabled

    def get_scale(self) -> float:
        """The factor; 1 if disabled."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else float(self._scale.item())

    def get_growth_factor(self) -> float:
        """By what the factor grows."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set by what the factor grows."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """By what the factor shrinks."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set by what the factor shrinks."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """After how many steps the factor grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set after how many steps the factor grows."""
        self._growth_interval = new_interval

    def _get_growth_tracker(self) -> int:
        return self._growth_tracker if self._enabled else 0

    def state_dict(self) -> dict[str, Any]:
        """The state, as numbers; empty if disabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._growth_tracker,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over a state that `state_dict` gave.

        Raises:
            RuntimeError: it is that of a disabled scaler.
        """
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler."
            )
        self._init_scale = state_dict["scale"]
        if self._scale is not None:
            self._scale.fill_(state_dict["scale"])
        self._growth_factor = state_dict["growth_factor"]
        self._backoff_factor = state_dict["backoff_factor"]
        self._growth_interval = state_dict["growth_interval"]
        self._growth_tracker = state_dict["_growth_tracker"]

    def __getstate__(self) -> dict[str, Any]:
        if self._enabled and self._records:
            raise AssertionError(
                "A GradScaler instance may only be pickled at the beginning of an iteration, or at the end after "
                "scaler.update()."
            )
        return self.__dict__.copy()
