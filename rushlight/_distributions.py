"""What `importlib.metadata` says of the packages that rushlight serves."""

from __future__ import annotations

import importlib
from importlib.metadata import Distribution
from typing import Any

__all__ = ["served"]


class _Served(Distribution):
    """A distribution without files: its name, its version, and which module it gives."""

    def __init__(self, name: str, version: str) -> None:
        self._texts = {
            "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: served by rushlight\n",
            "top_level.txt": f"{name}\n",
        }

    def read_text(self, filename: Any) -> str | None:
        return self._texts.get(str(filename))

    def locate_file(self, path: Any) -> Any:
        from pathlib import Path

        return Path(__file__).parent / path


def served(name: str) -> Distribution:
    """The distribution under whose name rushlight is imported: "torch" or "torchvision"."""
    home = importlib.import_module("rushlight.torch_version" if name == "torch" else "rushlight.vision")
    return _Served(name, str(home.__version__))
