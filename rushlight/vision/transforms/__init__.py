"""Transforms of images: PIL images or tensors (..., channels, height, width).

Under the same seed they draw what torchvision's draw.

>>> from rushlight.vision import transforms
>>> pipeline = transforms.Compose([
...     transforms.RandomHorizontalFlip(),
...     transforms.RandomRotation(15),
...     transforms.ToTensor(),
...     transforms.Normalize((0.5,), (0.5,)),
... ])

Reference: https://pytorch.org/vision/stable/transforms.html
"""

from __future__ import annotations

import importlib
from typing import Any

from rushlight.vision.transforms import functional
from rushlight.vision.transforms.autoaugment import *  # noqa: F403
from rushlight.vision.transforms.autoaugment import __all__ as _autoaugment
from rushlight.vision.transforms.transforms import *  # noqa: F403
from rushlight.vision.transforms.transforms import __all__ as _transforms

__all__ = [*_transforms, *_autoaugment, "functional"]

_RENAMED = {"Scale": "Resize", "RandomSizedCrop": "RandomResizedCrop"}  # until torchvision 0.13


def __getattr__(name: str) -> Any:
    if name in _RENAMED:
        raise AttributeError(
            f"module 'torchvision.transforms' has no attribute {name!r}: it is called {_RENAMED[name]}"
        )
    if name == "v2":
        return importlib.import_module(f"{__name__}.v2")
    from rushlight._missing import no_attribute

    raise no_attribute(__name__, name, __all__)
