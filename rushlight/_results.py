"""Results with named parts, where an operation is written in Python. Those of the core are made by the core."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

__all__ = ["result_type"]


def result_type(name: str, *fields: str) -> Any:
    """A named tuple that prints as PyTorch's results do."""
    base: Any = namedtuple(name, fields)  # type: ignore[misc]

    def shown(self: Any) -> str:
        parts = ",\n".join(f"{field}={value!r}" for field, value in zip(fields, self, strict=True))
        return f"torch.return_types.{name}(\n{parts})"

    return type(name, (base,), {"__slots__": (), "__repr__": shown, "__module__": "torch.return_types"})
