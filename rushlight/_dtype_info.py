"""`finfo` and `iinfo`: the limits of the dtypes."""

from __future__ import annotations

from typing import Any

from rushlight import _C

__all__ = ["finfo", "iinfo"]

# Bits, and exponents of two: eps = 2**-fraction, smallest_normal = 2**lowest, max just below 2**highest.
_FLOATS = {
    "float16": (16, 10, -14, 16),
    "bfloat16": (16, 7, -126, 128),
    "float32": (32, 23, -126, 128),
    "float64": (64, 52, -1022, 1024),
    "complex32": (16, 10, -14, 16),
    "complex64": (32, 23, -126, 128),
    "complex128": (64, 52, -1022, 1024),
}
_PARTS = {"complex32": "float16", "complex64": "float32", "complex128": "float64"}
_INTEGERS = {
    "uint8": 8, "int8": 8, "int16": 16, "int32": 32, "int64": 64, "uint16": 16, "uint32": 32, "uint64": 64,
}  # fmt: skip
# Those of eight bits follow no common rule: eps, the smallest normal number, max, min.
_FLOAT8 = {
    "float8_e4m3fn": (2.0**-3, 2.0**-6, 448.0, -448.0),
    "float8_e4m3fnuz": (2.0**-3, 2.0**-7, 240.0, -240.0),
    "float8_e5m2": (2.0**-2, 2.0**-14, 57344.0, -57344.0),
    "float8_e5m2fnuz": (2.0**-3, 2.0**-15, 57344.0, -57344.0),
    "float8_e8m0fnu": (1.0, 2.0**-127, 2.0**127, 2.0**-127),
}


def _name(dtype: Any) -> str:
    return repr(dtype).removeprefix("torch.")


def _checked(dtype: Any, function: str) -> Any:
    if dtype is float:
        return _C.float64
    if not isinstance(dtype, _C.dtype):
        raise TypeError(f"{function}(): argument 'type' (position 1) must be torch.dtype, not {type(dtype).__name__}")
    return dtype


class finfo:
    """The limits of a floating-point dtype (of its parts, for a complex one).

    Args:
        type: the dtype. Default: the default dtype.

    Attributes: bits, eps, max, min, tiny, smallest_normal, resolution, dtype.

    Raises:
        TypeError: the dtype is of integers or bools.

    >>> torch.finfo(torch.float32).eps, torch.finfo(torch.float16).max
    (1.1920928955078125e-07, 65504.0)

    Reference: https://pytorch.org/docs/stable/type_info.html
    """

    bits: int
    eps: float
    max: float
    min: float
    tiny: float
    smallest_normal: float
    resolution: float
    dtype: str

    def __init__(self, type: Any = None) -> None:
        dtype = _checked(_C.get_default_dtype() if type is None else type, "finfo")
        if _name(dtype) in _FLOAT8:
            self.bits, self.resolution, self.dtype = 8, 1.0, _name(dtype)
            self.eps, self.tiny, self.max, self.min = _FLOAT8[self.dtype]
            self.smallest_normal = self.tiny
            return
        if _name(dtype) not in _FLOATS:
            raise TypeError(
                f"torch.finfo() requires a floating point input type. Use torch.iinfo to handle '{_name(dtype)}'"
            )
        bits, fraction, lowest, highest = _FLOATS[_name(dtype)]
        import math

        self.bits = bits
        self.eps = 2.0**-fraction
        self.max = (2.0 - 2.0**-fraction) * 2.0 ** (highest - 1)
        self.min = -self.max
        self.tiny = self.smallest_normal = 2.0**lowest
        self.resolution = float(f"1e-{math.floor(fraction * math.log10(2))}")
        self.dtype = _PARTS.get(_name(dtype), _name(dtype))

    def __repr__(self) -> str:
        parts = ((n, getattr(self, n)) for n in ("resolution", "min", "max", "eps", "smallest_normal", "tiny"))
        return f"finfo({', '.join(f'{n}={_short(v)}' for n, v in parts)}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, finfo) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


class iinfo:
    """The limits of an integer dtype: bits, min, max, dtype.

    Raises:
        TypeError: the dtype is not of integers.

    >>> torch.iinfo(torch.int8).min, torch.iinfo(torch.int8).max
    (-128, 127)

    Reference: https://pytorch.org/docs/stable/type_info.html
    """

    bits: int
    max: int
    min: int
    dtype: str

    def __init__(self, type: Any) -> None:
        dtype = _C.int64 if type is int else _checked(type, "iinfo")
        name = _name(dtype)
        if name == "bool":
            raise TypeError("torch.bool is not supported by torch.iinfo")
        if name not in _INTEGERS:
            raise TypeError(f"torch.iinfo() requires an integer input type. Use torch.finfo to handle '{name}'")
        self.bits = _INTEGERS[name]
        self.dtype = name
        signed = not name.startswith("u")
        self.max = 2 ** (self.bits - signed) - 1
        self.min = -self.max - 1 if signed else 0

    def __repr__(self) -> str:
        return f"iinfo(min={_short(self.min)}, max={_short(self.max)}, dtype={self.dtype})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, iinfo) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]


def _short(value: float) -> str:
    """As C++ streams print: six significant digits."""
    return f"{value:.6g}"
