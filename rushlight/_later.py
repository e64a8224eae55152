"""Stand-ins for parts of PyTorch that are not here: they can be imported and asked about, and refuse to work by name."""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["absent_class", "absent_function", "refusal"]


def refusal(name: str, why: str) -> NotImplementedError:
    """The error of what is not here."""
    return NotImplementedError(f"{name} is not in rushlight: {why}")


def absent_function(name: str, why: str) -> Any:
    """A function that refuses to be called."""

    def absent(*args: Any, **kwargs: Any) -> NoReturn:
        raise refusal(name, why)

    absent.__name__ = absent.__qualname__ = name.rpartition(".")[2]
    absent.__doc__ = f"Not here: {why}.\n\nRaises:\n    NotImplementedError: always.\n"
    return absent


def absent_class(name: str, why: str) -> Any:
    """A class without instances: `isinstance` says False, and making one is refused."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        raise refusal(name, why)

    doc = f"Not here: {why}.\n\nRaises:\n    NotImplementedError: when one is made.\n"
    return type(
        name.rpartition(".")[2], (), {"__init__": __init__, "__doc__": doc, "__module__": name.rpartition(".")[0]}
    )
