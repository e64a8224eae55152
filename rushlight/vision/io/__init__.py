"""Reading and writing images, through Pillow. There is no video here.

Reference: https://pytorch.org/vision/stable/io.html
"""

from rushlight._missing import module_getattr
from rushlight.vision.io.image import *  # noqa: F403
from rushlight.vision.io.image import __all__ as __all__

__getattr__ = module_getattr(__name__)
