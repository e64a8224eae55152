"""Compiled operators of torchvision that are not written yet."""

from __future__ import annotations

from rushlight._later import absent_class, absent_function

_WHY = "it is not written yet"
DeformConv2d, FeaturePyramidNetwork, MultiScaleRoIAlign, PSRoIAlign, PSRoIPool, RoIAlign, RoIPool = (
    absent_class(f"torchvision.ops.{name}", _WHY)
    for name in (
        "DeformConv2d",
        "FeaturePyramidNetwork",
        "MultiScaleRoIAlign",
        "PSRoIAlign",
        "PSRoIPool",
        "RoIAlign",
        "RoIPool",
    )
)
deform_conv2d, ps_roi_align, ps_roi_pool, roi_align, roi_pool = (
    absent_function(f"torchvision.ops.{name}", _WHY)
    for name in ("deform_conv2d", "ps_roi_align", "ps_roi_pool", "roi_align", "roi_pool")
)
