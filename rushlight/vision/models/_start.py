"""The weights that the convolutional networks start from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rushlight import nn

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["small_normal", "start_weights"]


def small_normal(linear: Any) -> None:
    """Weights of a linear layer from a normal distribution of width 0.01."""
    nn.init.normal_(linear.weight, 0, 0.01)


def start_weights(model: Any, linear: Callable[[Any], None] | None = None) -> None:
    """Convolutions by `kaiming_normal_` over what leaves them, norms at one, biases at zero; `linear` draws the weights
    of a linear layer, which otherwise stays as it was made."""
    for m in model.modules():
        if isinstance(m, nn.Conv2d):
            nn.init.kaiming_normal_(m.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(m, nn.BatchNorm2d | nn.GroupNorm):
            nn.init.ones_(m.weight)
        elif linear is not None and isinstance(m, nn.Linear):
            linear(m)
        else:
            continue
        if m.bias is not None:
            nn.init.zeros_(m.bias)
