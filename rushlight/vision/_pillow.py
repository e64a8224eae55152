"""Pillow, imported when the first image is read, written or made."""

from __future__ import annotations

import importlib
import sys
from typing import Any

__all__ = ["is_pil", "pillow"]


def pillow(module: str = "Image") -> Any:
    """A module of Pillow: `pillow().open(path)`, `pillow("ImageOps").invert(image)`.

    Raises:
        ImportError: Pillow is not installed; the message says how to install it.
    """
    try:
        return importlib.import_module(f"PIL.{module}")
    except ModuleNotFoundError as error:
        if error.name and error.name.partition(".")[0] != "PIL":
            raise
        raise ImportError(
            "Images need Pillow, which is not installed: pip install pillow",
            name="PIL",
        ) from None


def is_pil(image: Any) -> bool:
    """Whether this is an image of Pillow. Asking imports nothing: without Pillow there is no such image."""
    loaded = sys.modules.get("PIL.Image")
    return loaded is not None and isinstance(image, loaded.Image)
