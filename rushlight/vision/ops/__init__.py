"""Boxes, and layers that models of images are made of.

Reference: https://pytorch.org/vision/stable/ops.html
"""

from __future__ import annotations

import importlib
from typing import Any

from rushlight.vision.ops.boxes import *  # noqa: F403
from rushlight.vision.ops.boxes import __all__ as _boxes

_LAYERS = (
    "Conv2dNormActivation", "FrozenBatchNorm2d", "MLP", "Permute", "SqueezeExcitation", "StochasticDepth",
    "sigmoid_focal_loss", "stochastic_depth",
)  # fmt: skip

__all__ = [*_boxes, *_LAYERS]


def __getattr__(name: str) -> Any:
    if name in _LAYERS:
        return getattr(importlib.import_module(f"{__name__}.misc"), name)
    from rushlight._missing import no_attribute

    raise no_attribute(__name__, name, __all__)
