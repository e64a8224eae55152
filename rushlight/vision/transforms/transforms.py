"""The transforms that are classes, in one place, as torchvision has them."""

from __future__ import annotations

from rushlight.vision.transforms import functional as F  # noqa: F401
from rushlight.vision.transforms._color import *  # noqa: F403
from rushlight.vision.transforms._color import __all__ as _color
from rushlight.vision.transforms._containers import *  # noqa: F403
from rushlight.vision.transforms._containers import __all__ as _containers
from rushlight.vision.transforms._geometry import *  # noqa: F403
from rushlight.vision.transforms._geometry import __all__ as _geometry
from rushlight.vision.transforms.functional import InterpolationMode

__all__ = [*_containers, *_geometry, *_color, "InterpolationMode"]
