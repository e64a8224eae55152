"""`torch.__version__`: text that also compares as a version does."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["TorchVersion"]

_STAGES = {"dev": -4, "a": -3, "alpha": -3, "b": -2, "beta": -2, "rc": -1, "c": -1, "post": 1}


def _key(version: Any) -> tuple[Any, ...]:
    """The release numbers without trailing zeros, then the stage (a pre-release comes before its release)."""
    text = ".".join(map(str, version)) if isinstance(version, (tuple, list)) else str(version)
    public = text.partition("+")[0].strip().lower().removeprefix("v")
    found = re.fullmatch(r"(\d+(?:\.\d+)*)(?:[._-]?([a-z]+)[._-]?(\d*)(?:\.dev\d+)?)?", public)
    if found is None:
        raise ValueError(f"Invalid version: {text!r}")
    release = [int(part) for part in found[1].split(".")]
    while release and release[-1] == 0:
        release.pop()
    return tuple(release), _STAGES.get(found[2] or "", 0), int(found[3] or 0)


class TorchVersion(str):
    """A version that compares with text ("2.1"), tuples ((2, 1)) and other versions by number, not by letter.

    What is no version (`"unknown"`) is compared as text.
    """

    __slots__ = ()

    def _compare(self, other: Any) -> int:
        if not isinstance(other, (str, tuple, list)):
            other = str(other)
        try:
            mine, theirs = _key(self), _key(other)
        except ValueError:
            mine, theirs = (str(self),), (str(other),)
        return (mine > theirs) - (mine < theirs)

    def __eq__(self, other: object) -> bool:
        return self._compare(other) == 0

    def __ne__(self, other: object) -> bool:
        return self._compare(other) != 0

    def __lt__(self, other: Any) -> bool:
        return self._compare(other) < 0

    def __le__(self, other: Any) -> bool:
        return self._compare(other) <= 0

    def __gt__(self, other: Any) -> bool:
        return self._compare(other) > 0

    def __ge__(self, other: Any) -> bool:
        return self._compare(other) >= 0

    __hash__ = str.__hash__


__version__ = TorchVersion("2.13.0")  # of the PyTorch whose API this is: programs compare it
