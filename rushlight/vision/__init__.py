"""Images: data sets, transforms, models, input and output, boxes. Served as `torchvision` too by `python -m rushlight`.

Names, arguments, random draws and state_dict keys are torchvision's. PIL images need Pillow (`pip install pillow`),
which is imported when the first one is met.

Reference: https://pytorch.org/vision/stable/
"""

from __future__ import annotations

from rushlight._missing import module_getattr

__version__ = "0.28.0+rushlight"

__all__ = [
    "__version__",
    "datasets",
    "disable_beta_transforms_warning",
    "get_image_backend",
    "get_video_backend",
    "io",
    "models",
    "ops",
    "set_image_backend",
    "set_video_backend",
    "transforms",
    "utils",
]

_SUBMODULES = frozenset({"datasets", "io", "models", "ops", "transforms", "utils"})


def set_image_backend(backend: str) -> None:
    """Accepts "PIL", which is the only package that reads images here.

    Raises:
        ValueError: another one, "accimage" included.
    """
    if backend != "PIL":
        raise ValueError(f"Invalid backend '{backend}'. Options are 'PIL': rushlight.vision reads images with Pillow")


def get_image_backend() -> str:
    """The package that reads images: "PIL"."""
    return "PIL"


def set_video_backend(backend: str) -> None:
    """Refuses: there is no video here.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError("rushlight.vision reads no video")


def get_video_backend() -> str:
    """What torchvision says by default, though there is no video here."""
    return "pyav"


def disable_beta_transforms_warning() -> None:
    """Does nothing, as in torchvision since 0.17."""


__getattr__ = module_getattr(__name__, _SUBMODULES)


def __dir__() -> list[str]:
    return sorted({*(n for n in globals() if n not in ("annotations", "module_getattr")), *_SUBMODULES})
