"""Boxes, and layers that models of images are made of.

Reference: https://pytorch.org/vision/stable/ops.html
"""

from __future__ import annotations

from rushlight._missing import module_getattr
from rushlight.vision.ops.boxes import *  # noqa: F403
from rushlight.vision.ops.boxes import __all__ as _boxes

_LAYERS = (
    "Conv2dNormActivation", "Conv3dNormActivation", "FrozenBatchNorm2d", "MLP", "Permute", "SqueezeExcitation",
    "StochasticDepth", "sigmoid_focal_loss", "stochastic_depth",
)  # fmt: skip

# What torchvision has besides: it can be imported, and refuses to work.
_ABSENT = (
    "DeformConv2d", "DropBlock2d", "DropBlock3d", "FeaturePyramidNetwork", "MultiScaleRoIAlign", "PSRoIAlign",
    "PSRoIPool", "RoIAlign", "RoIPool", "deform_conv2d", "drop_block2d", "drop_block3d", "ps_roi_align", "ps_roi_pool",
    "roi_align", "roi_pool",
)  # fmt: skip

__all__ = [*_boxes, *_LAYERS]


__getattr__ = module_getattr(__name__, homes=dict.fromkeys(_LAYERS, "misc") | dict.fromkeys(_ABSENT, "_absent"))
