"""Ops that are compositions of other ops, in Python.

They cost nothing until used: `find(name)` imports the module that has the name. The core asks for what it lacks
through `_C._set_missing_attribute_hook`, the package through its `__getattr__`.
"""

from __future__ import annotations

import functools
import importlib
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NAMES", "Composite", "composite", "find", "find_method"]

_F = TypeVar("_F", bound="Callable[..., Any]")

# Where each composition lives. A test holds this against what the modules register.
_HOMES: dict[str, tuple[str, ...]] = {
    "shapes": (
        "_chunk_cat", "atleast_1d", "atleast_2d", "atleast_3d", "block_diag", "broadcast_shapes", "broadcast_tensors",
        "cartesian_prod", "column_stack", "combinations", "dsplit", "dstack", "fliplr", "flipud", "hsplit", "hstack",
        "meshgrid", "rot90", "row_stack", "tensor_split", "unravel_index", "vander", "vsplit", "vstack",
    ),
    "products": ("cdist", "chain_matmul", "cross", "einsum", "kron", "pdist", "spmm", "tensordot"),
    "statistics": (
        "corrcoef", "cov", "histogram", "histogramdd", "nanquantile", "quantile",
    ),
    "calculus": ("cumulative_trapezoid", "diff", "gradient", "trapezoid", "trapz"),
    "unique": ("unique", "unique_consecutive"),
    "lapack": (
        "geqrf", "lu", "lu_solve", "lu_unpack", "orgqr", "ormqr", "pca_lowrank", "svd_lowrank", "triangular_solve",
    ),
    "spectral": ("istft", "stft"),
    "lookup": ("embedding_bag", "take_along_dim"),
    "segments": ("_segment_reduce", "segment_reduce"),
    "sequences": ("_pack_padded_sequence", "_pad_packed_sequence"),
}  # fmt: skip
NAMES: dict[str, str] = {name: home for home, names in _HOMES.items() for name in names}


class Composite:
    """A registered composition: its schema in PyTorch's notation, and where it shows."""

    __slots__ = ("function", "implementation", "method", "schema")

    def __init__(self, schema: str, implementation: Callable[..., Any], method: bool, function: bool) -> None:
        self.schema = schema
        self.implementation = implementation
        self.method = method
        self.function = function


REGISTRY: dict[str, Composite] = {}


def _check_tensors(name: str, tensors: list[tuple[int, str]], args: tuple[Any, ...]) -> None:
    """A TypeError for the first argument that is no tensor where the schema says so; a list stands at position -1."""
    from rushlight import _C

    for position, parameter in tensors:
        if position < 0:
            parts = args[0] if len(args) == 1 and isinstance(args[0], list | tuple) else args
            for i, part in enumerate(parts):
                if not isinstance(part, _C.Tensor):
                    got = type(part).__name__
                    raise TypeError(f"{name}(): expected Tensor as element {i} in argument 0, but got {got}") from None
            return
        if position < len(args) and not isinstance(args[position], _C.Tensor):
            shown = "input" if parameter == "self" else parameter
            got = type(args[position]).__name__
            raise TypeError(
                f"{name}(): argument '{shown}' (position {position + 1}) must be Tensor, not {got}"
            ) from None


def composite(schema: str, *, method: bool = True, function: bool = True) -> Callable[[_F], _F]:
    """Register a function as torch.NAME and (unless `method` is False) as Tensor.NAME.

    Args:
        schema: as PyTorch writes it, such as "kron(Tensor self, Tensor other) -> Tensor"; NAME is its name.
        method: whether tensors have it.
        function: whether the package has it.
    """

    name, _, parameters = schema.partition("(")
    positional = parameters.partition(", *")[0].partition(")")[0].split(", ")
    tensors = [(i, part.split()[1]) for i, part in enumerate(positional) if part.startswith("Tensor ")]
    if positional[0].startswith("Tensor[] "):
        tensors = [(-1, positional[0].split()[1])]

    def register(implementation: _F) -> _F:
        @functools.wraps(implementation)
        def checked(*args: Any, **kwargs: Any) -> Any:
            try:
                return implementation(*args, **kwargs)
            except AttributeError:
                _check_tensors(name, tensors, args)
                raise

        REGISTRY[name] = Composite(schema, checked, method, function)
        return checked  # type: ignore[return-value]

    return register


def _load(name: str) -> Composite | None:
    home = NAMES.get(name)
    if home is None:
        return None
    importlib.import_module(f"{__name__}.{home}")
    return REGISTRY[name]


def find(name: str) -> Any:
    """The function torch.NAME, or None when no composition has that name."""
    found = _load(name)
    return found.implementation if found is not None and found.function else None


def find_method(name: str) -> Any:
    """The function behind Tensor.NAME, or None."""
    found = _load(name)
    return found.implementation if found is not None and found.method else None
