"""What PyTorch has for sizes that are not known yet, for sizes that are."""

from __future__ import annotations

import builtins
import math
from typing import Any

from rushlight._later import absent_class

__all__ = [
    "SymBool",
    "SymFloat",
    "SymInt",
    "sym_float",
    "sym_int",
    "sym_ite",
    "sym_max",
    "sym_min",
    "sym_not",
    "sym_sqrt",
    "sym_sum",
]

# Sizes are plain numbers here: `isinstance(size, torch.SymInt)` is False.
SymBool, SymFloat, SymInt = (
    absent_class(f"torch.{name}", "programs are not traced: sizes are numbers")
    for name in ("SymBool", "SymFloat", "SymInt")
)


def sym_int(a: Any) -> int:
    """The number without its fraction.

    >>> torch.sym_int(2.7)
    2
    """
    return math.trunc(a)


def sym_float(a: Any) -> float:
    """The number as a float.

    >>> torch.sym_float(2)
    2.0
    """
    return float(a)


def sym_not(a: Any) -> bool:
    """not a.

    >>> torch.sym_not(False)
    True
    """
    return not a


def sym_max(a: Any, b: Any) -> Any:
    """The larger one; a float if one of them is.

    >>> torch.sym_max(1, 2.5)
    2.5
    """
    largest = builtins.max(a, b)
    return float(largest) if isinstance(a, float) or isinstance(b, float) else largest


def sym_min(a: Any, b: Any) -> Any:
    """The smaller one; a float if one of them is.

    >>> torch.sym_min(1, 2.5)
    1.0
    """
    smallest = builtins.min(a, b)
    return float(smallest) if isinstance(a, float) or isinstance(b, float) else smallest


def sym_ite(b: Any, t: Any, f: Any) -> Any:
    """t if b, else f.

    >>> torch.sym_ite(True, 1, 2)
    1
    """
    return t if b else f


def sym_sqrt(a: Any) -> float:
    """The square root.

    >>> torch.sym_sqrt(9)
    3.0
    """
    return math.sqrt(a)


def sym_sum(args: Any) -> Any:
    """The sum.

    >>> torch.sym_sum([1, 2, 3])
    6
    """
    return sum(args)
