"""How a tensor prints, to the character as PyTorch prints it.

Everything here works on the Python numbers that `Tensor.tolist()` gives; a large tensor is cut down to its
corners first, so that printing costs the same for a thousand elements and for a billion.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rushlight import _C

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["get_printoptions", "printoptions", "set_printoptions"]

_PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}


class _PrintOptions:
    """The options in force; one instance, `PRINT_OPTS`."""

    __slots__ = ("edgeitems", "linewidth", "precision", "sci_mode", "threshold")

    def __init__(self) -> None:
        self.precision = 4
        self.threshold: float = 1000
        self.edgeitems = 3
        self.linewidth = 80
        self.sci_mode: bool | None = None


PRINT_OPTS = _PrintOptions()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Set how tensors print. What is left out keeps its value, except `sci_mode`, which goes back to automatic.

    Args:
        precision: digits after the point (4).
        threshold: a tensor with more elements than this is summarised (1000).
        edgeitems: how many items a summary shows at either end of each dimension (3).
        linewidth: characters in a line (80).
        profile: "default", "short" or "full": sets the four above; those given beside it win.
        sci_mode: True or False to force scientific notation on or off, None to decide by the values.

    Example:
        >>> import rushlight as torch
        >>> torch.set_printoptions(precision=2)
        >>> torch.tensor([1.12345])
        tensor([1.12])
        >>> torch.set_printoptions(profile="default")

    Reference: https://pytorch.org/docs/stable/generated/torch.set_printoptions.html
    """
    for name, value in _PROFILES.get(profile or "", {}).items():
        setattr(PRINT_OPTS, name, value)
    if precision is not None:
        PRINT_OPTS.precision = precision
    if threshold is not None:
        PRINT_OPTS.threshold = threshold
    if edgeitems is not None:
        PRINT_OPTS.edgeitems = edgeitems
    if linewidth is not None:
        PRINT_OPTS.linewidth = linewidth
    PRINT_OPTS.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """The options in force, as keyword arguments for `set_printoptions`.

    >>> torch.get_printoptions()["precision"]
    4
    """
    return {
        name: getattr(PRINT_OPTS, name) for name in ("precision", "threshold", "edgeitems", "linewidth", "sci_mode")
    }


@contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """Set print options for the length of a `with` block; takes the arguments of `set_printoptions`."""
    before = get_printoptions()
    set_printoptions(**options)
    try:
        yield
    finally:
        set_printoptions(**before)


class _Gap:
    """Stands in a summarised list where items were left out."""


_GAP = _Gap()


def _nested(tensor: Any) -> Any:
    """The nested list of a tensor, cut down to its edges in every dimension that is longer than two edges."""
    edge = PRINT_OPTS.edgeitems
    if tensor.dim() == 0:
        return tensor.tolist()
    size = tensor.size(0)
    if edge == 0 and size > 0:
        return [_GAP]
    if tensor.dim() == 1:
        if size > 2 * edge:
            return [*tensor[:edge].tolist(), _GAP, *tensor[-edge:].tolist()]
        return tensor.tolist()
    if size > 2 * edge:
        head = [_nested(tensor[i]) for i in range(edge)]
        return [*head, _GAP, *(_nested(tensor[i]) for i in range(size - edge, size))]
    return [_nested(tensor[i]) for i in range(size)]


def _flatten(nested: Any, out: list[Any]) -> list[Any]:
    """All numbers of a nested list, in order."""
    if not isinstance(nested, list):
        if nested is not _GAP:
            out.append(nested)
    elif nested and not isinstance(nested[0], list):
        out.extend(nested if _GAP not in nested else [item for item in nested if item is not _GAP])
    else:
        for item in nested:
            _flatten(item, out)
    return out


def _integer_format(values: list[Any]) -> tuple[int, Callable[[Any], str]]:
    """Width and formatter for integers and bools: right-aligned."""
    width = max([1, *(len(str(v)) for v in values)])
    return width, lambda v: str(v).rjust(width)


def _float_format(values: list[float]) -> tuple[int, Callable[[float], str]]:
    """Width and formatter for floats: whole numbers as "2.", others with the precision, or scientific.

    Only finite numbers other than zero decide; "nan" and "inf" may be wider than the column, as in PyTorch.
    """
    finite = [v for v in values if v and math.isfinite(v)]
    if not finite:
        return 1, lambda v: f"{v:.0f}." if math.isfinite(v) else str(v)
    magnitudes = [abs(v) for v in finite]
    largest, smallest = max(magnitudes), min(magnitudes)
    scientific = PRINT_OPTS.sci_mode
    if scientific is None:
        scientific = largest / smallest > 1000.0 or largest > 1.0e8 or smallest < 1.0e-4
    if scientific:
        spec = f".{PRINT_OPTS.precision}e"
        width = max(len(format(v, spec)) for v in finite)
        spec = f"{width}{spec}"
        return width, lambda v: format(v, spec)
    if all(v.is_integer() for v in finite):
        width = max(len(f"{v:.0f}") for v in finite) + 1
        return width, lambda v: (f"{v:.0f}." if math.isfinite(v) else str(v)).rjust(width)
    spec = f".{PRINT_OPTS.precision}f"
    width = max(len(format(v, spec)) for v in finite)
    return width, lambda v: format(v, spec).rjust(width)


def _complex_format(values: list[complex]) -> tuple[int, Callable[[complex], str]]:
    """Width and formatter for complex numbers: a column for the real and one for the imaginary parts."""
    real_width, real = _float_format([v.real for v in values])
    imag_width, imag = _float_format([v.imag for v in values])

    def show(value: complex) -> str:
        second = imag(value.imag).lstrip()
        return real(value.real) + ("" if second[0] in "+-" else "+") + second + "j"

    return real_width + imag_width + 1, show


def _layout(nested: Any, dim: int, indent: int, width: int, show: Callable[[Any], str]) -> str:
    """Brackets, commas and line breaks around the formatted numbers."""
    if dim == 0:
        return show(nested)
    if dim == 1:
        per_line = max(1, (PRINT_OPTS.linewidth - indent) // (width + 2))
        gap = " ..." if PRINT_OPTS.edgeitems else "..."
        items = [gap if v is _GAP else show(v) for v in nested]
        if len(items) <= per_line:
            return "[" + ", ".join(items) + "]"
        lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
        return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
    rows = ["..." if row is _GAP else _layout(row, dim - 1, indent + 1, width, show) for row in nested]
    return "[" + ("," + "\n" * (dim - 1) + " " * (indent + 1)).join(rows) + "]"


def _tensor_str(self: Any, indent: int) -> str:
    """The bracketed numbers of a tensor."""
    tensor = self
    if tensor.numel() == 0:
        return "[]"
    dtype = tensor.dtype
    nested = _nested(tensor) if tensor.numel() > PRINT_OPTS.threshold else tensor.tolist()
    values = _flatten(nested, [])
    if dtype.is_floating_point:
        width, show = _float_format(values)
    elif dtype.is_complex:
        width, show = _complex_format(values)
    else:
        width, show = _integer_format(values)
    return _layout(nested, tensor.dim(), indent, width, show)


def _add_suffixes(tensor_str: str, suffixes: list[str], indent: int, force_newline: bool = False) -> str:
    """Append ", suffix" for each, on a new line where it would pass the line width."""
    text = tensor_str
    column = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if force_newline or column + len(suffix) + 2 > PRINT_OPTS.linewidth:
            text += ",\n" + " " * indent + suffix
            column = indent + len(suffix)
            force_newline = False
        else:
            text += ", " + suffix
            column += len(suffix) + 2
    return text + ")"


def _default_complex(default: Any) -> Any:
    return _C.complex128 if default is _C.float64 else _C.complex64


def _is_parameter(tensor: Any) -> bool:
    """Whether `tensor` is an nn.Parameter, without importing nn to find out."""
    import sys

    nn = sys.modules.get("rushlight.nn.parameter")
    return nn is not None and isinstance(tensor, nn.Parameter)


def _str(tensor: Any, *, tensor_contents: str | None = None) -> str:
    """The repr of a tensor: `tensor(` values, then what differs from the defaults.

    `tensor_contents` stands in for the values where a caller has its own.
    """
    parameter = _is_parameter(tensor)
    kind = type(tensor)
    plain = kind is _C.Tensor or (parameter and kind.__name__ == "Parameter")
    prefix = "tensor(" if plain else f"{kind.__name__}("
    indent = len(prefix)
    dtype, default = tensor.dtype, _C.get_default_dtype()
    suffixes: list[str] = []
    device = tensor.device
    if device.type != "cpu":
        suffixes.append(f"device='{device}'")
    if device.type == "meta":
        contents = "..."
        suffixes.append(f"size={tuple(tensor.shape)}")
        if dtype is not default:
            suffixes.append(f"dtype={dtype}")
    elif tensor.numel() == 0:
        contents = "[]"
        if tensor.dim() != 1:
            suffixes.append(f"size={tuple(tensor.shape)}")
        if dtype is not default:
            suffixes.append(f"dtype={dtype}")
    else:
        if not PRINT_OPTS.edgeitems:
            suffixes.append(f"size={tuple(tensor.shape)}")
        if (
            dtype is not default
            and dtype is not _C.int64
            and dtype is not _C.bool
            and dtype != _default_complex(default)
        ):
            suffixes.append(f"dtype={dtype}")
        contents = tensor_contents if tensor_contents is not None else _tensor_str(tensor, indent)
    if tensor_contents is not None:
        contents = tensor_contents
    grad_fn = tensor.grad_fn
    if grad_fn is not None:
        suffixes.append(f"grad_fn=<{grad_fn.name().rsplit('::', 1)[-1]}>")
    elif tensor.requires_grad:
        suffixes.append("requires_grad=True")
    text = _add_suffixes(prefix + contents, suffixes, indent)
    return f"Parameter({text})" if parameter and not plain else text


def _format(tensor: Any, spec: str) -> str:
    """`format(tensor, spec)`: a tensor without dimensions formats as its number, any other takes no spec."""
    if tensor.dim() == 0 and type(tensor) is _C.Tensor and tensor.device.type != "meta":
        return format(tensor.item(), spec)
    return object.__format__(tensor, spec)
