"""`assert_close`: that results agree within tolerances, with a message that says where and how far they do not."""

from __future__ import annotations

import cmath
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rushlight import _C

__all__ = ["assert_allclose", "assert_close"]

# (rtol, atol); every other dtype is compared exactly.
_TOLERANCES = {
    _C.float16: (1e-3, 1e-5),
    _C.bfloat16: (1.6e-2, 1e-5),
    _C.float32: (1.3e-6, 1e-5),
    _C.float64: (1e-7, 1e-7),
    _C.complex64: (1.3e-6, 1e-5),
    _C.complex128: (1e-7, 1e-7),
}
_Message = str | Callable[[str], str] | None


class _Options:
    """What `assert_close` was asked for."""

    def __init__(self, **given: Any) -> None:
        self.rtol: float | None = given["rtol"]
        self.atol: float | None = given["atol"]
        self.equal_nan: bool = given["equal_nan"]
        self.check_device: bool = given["check_device"]
        self.check_dtype: bool = given["check_dtype"]
        self.check_layout: bool = given["check_layout"]
        self.check_stride: bool = given["check_stride"]
        self.allow_subclasses: bool = given["allow_subclasses"]
        self.msg: _Message = given["msg"]

    def tolerances(self, *dtypes: Any) -> tuple[float, float]:
        """The given ones, or the widest that the dtypes call for."""
        if self.rtol is not None and self.atol is not None:
            return self.rtol, self.atol
        known = [_TOLERANCES.get(dtype, (0.0, 0.0)) for dtype in dtypes]
        return max(r for r, _ in known), max(a for _, a in known)


class _Mismatch(Exception):
    """A difference, and the keys that lead to it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.path: list[Any] = []


def _comparison(
    difference: str,
    absolute: Any,
    relative: Any,
    rtol: float,
    atol: float,
    index: Any = None,
    relative_index: Any = None,
) -> str:
    lines = []
    for kind, value, allowed, at in (("absolute", absolute, atol, index), ("relative", relative, rtol, relative_index)):
        place = "" if at is None else f" at index {at}"
        limit = f" (up to {allowed} allowed)" if rtol or atol else ""
        name = f"Greatest {kind}" if difference else kind.capitalize()
        lines.append(f"{name} difference: {value}{place}{limit}")
    return "\n".join(lines)


def _compare_numbers(actual: Any, expected: Any, options: _Options, rtol: float, atol: float) -> None:
    both_nan = cmath.isnan(actual) and cmath.isnan(expected)
    if actual == expected or (options.equal_nan and both_nan):
        return
    finite = cmath.isfinite(actual) and cmath.isfinite(expected)
    absolute = abs(actual - expected)
    if finite and absolute <= atol + rtol * abs(expected):
        return
    relative = absolute / abs(expected) if expected != 0 else float("inf")
    verb = "close" if rtol or atol else "equal"
    detail = _comparison("", absolute, relative, rtol, atol)
    raise _Mismatch(f"Scalars are not {verb}!\n\nExpected {expected} but got {actual}.\n{detail}")


def _compare_attributes(actual: Any, expected: Any, options: _Options) -> None:
    def differ(name: str, a: Any, b: Any) -> None:
        if a != b:
            raise _Mismatch(f"The values for attribute '{name}' do not match: {a} != {b}.")

    differ("shape", actual.shape, expected.shape)
    if options.check_layout:
        differ("layout", actual.layout, expected.layout)
    if options.check_stride:
        differ("stride()", actual.stride(), expected.stride())
    if options.check_device:
        differ("device", actual.device, expected.device)
    if options.check_dtype:
        differ("dtype", actual.dtype, expected.dtype)


def _unraveled(flat: int, shape: Sequence[int]) -> tuple[int, ...]:
    places = []
    for size in reversed(shape):
        places.append(flat % size)
        flat //= size
    return tuple(reversed(places))


def _compare_tensors(actual: Any, expected: Any, options: _Options, dtypes: tuple[Any, Any] | None = None) -> None:
    _compare_attributes(actual, expected, options)
    rtol, atol = options.tolerances(*(dtypes or (actual.dtype, expected.dtype)))
    with_grad = _C._is_grad_enabled()
    _C._set_grad_enabled(False)
    try:
        actual, expected = actual.detach(), expected.detach()
        if actual.dtype != expected.dtype:
            common = _C.promote_types(actual.dtype, expected.dtype)
            actual, expected = actual.to(common), expected.to(common)
        if actual.dtype in (_C.float16, _C.bfloat16):
            actual, expected = actual.float(), expected.float()
        elif actual.dtype is _C.bool or not (actual.dtype.is_floating_point or actual.dtype.is_complex):
            actual, expected = actual.to(_C.int64), expected.to(_C.int64)
        matches = actual == expected
        exact = actual.dtype is _C.int64
        if not exact:
            nan_both = (actual != actual) & (expected != expected)
            if options.equal_nan:
                matches = matches | nan_both
            if rtol or atol:
                distance = (actual - expected).abs()
                finite = actual.isfinite() & expected.isfinite()
                matches = matches | (finite & (distance <= atol + rtol * expected.abs()))
        elif rtol or atol:
            distance = (actual - expected).abs()
            matches = matches | (distance.double() <= atol + rtol * expected.abs().double())
        if bool(matches.all()):
            return
        _report(actual, expected, matches, rtol, atol, exact)
    finally:
        _C._set_grad_enabled(with_grad)


def _report(actual: Any, expected: Any, matches: Any, rtol: float, atol: float, exact: bool) -> None:
    """Raise what the mismatch of tensors is."""
    if actual.dim() == 0:
        a, b = actual.item(), expected.item()
        absolute = abs(a - b)
        relative = absolute / abs(b) if b != 0 else float("inf")
        verb = "close" if rtol or atol else "equal"
        detail = _comparison("", absolute, relative, rtol, atol)
        raise _Mismatch(f"Scalars are not {verb}!\n\nExpected {b} but got {a}.\n{detail}")
    distance = (actual - expected).abs()
    shape = actual.shape
    wide = expected.abs().float() if exact else expected.abs()
    ratio = (distance.float() if exact else distance) / wide
    zero = _C.zeros_like(distance)
    distance = _C.where(matches, zero, distance)
    ratio = _C.where(matches, _C.zeros_like(ratio), ratio)
    at, relative_at = int(distance.argmax()), int(ratio.argmax())
    wrong, total = int((~matches).sum()), matches.numel()
    verb = "close" if rtol or atol else "equal"
    detail = _comparison(
        "greatest", distance.reshape(-1)[at].item(), ratio.reshape(-1)[relative_at].item(), rtol, atol,
        _unraveled(at, shape), _unraveled(relative_at, shape),
    )  # fmt: skip
    head = f"Tensor-likes are not {verb}!\n\nMismatched elements: {wrong} / {total} ({wrong / total:.1%})"
    raise _Mismatch(f"{head}\n{detail}")


def _is_array(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.ndarray)


def _is_number(value: Any) -> bool:
    if isinstance(value, (int, float, complex)):
        return True
    numpy = sys.modules.get("numpy")
    return numpy is not None and isinstance(value, numpy.number)


def _is_sequence(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _number_dtype(value: Any) -> Any:
    return _C.complex128 if isinstance(value, complex) else _C.float64 if isinstance(value, float) else _C.int64


def _is_bool(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return isinstance(value, bool) or (numpy is not None and isinstance(value, numpy.bool_))


def _compare(actual: Any, expected: Any, options: _Options) -> None:
    pair = (actual, expected)
    related = isinstance(actual, type(expected)) or isinstance(expected, type(actual))
    if actual is None or expected is None:
        if actual is not expected:
            raise _Mismatch(f"None mismatch: {actual} is not {expected}")
    elif all(map(_is_bool, pair)):
        if bool(actual) != bool(expected):
            raise _Mismatch(f"Booleans mismatch: {actual} is not {expected}")
    elif all(map(_is_number, pair)):
        if options.check_dtype and type(actual) is not type(expected):
            raise _Mismatch(f"The (d)types do not match: {type(actual)} != {type(expected)}.")
        rtol, atol = options.tolerances(*map(_number_dtype, pair))
        _compare_numbers(actual, expected, options, rtol, atol)
    elif all(map(_is_array, pair)):
        _compare_tensors(_C.as_tensor(actual), _C.as_tensor(expected), options)
    elif all(isinstance(v, _C.Tensor) for v in pair) and (
        type(actual) is type(expected) or (options.allow_subclasses and related)
    ):
        _compare_tensors(actual, expected, options)
    elif all(map(_is_sequence, pair)):
        if len(actual) != len(expected):
            raise _Mismatch(f"The length of the sequences mismatch: {len(actual)} != {len(expected)}")
        _compare_items(zip(range(len(actual)), actual, expected, strict=True), options)
    elif all(isinstance(v, Mapping) for v in pair):
        missing, extra = sorted(set(expected) - set(actual), key=str), sorted(set(actual) - set(expected), key=str)
        if missing or extra:
            raise _Mismatch(
                "The keys of the mappings do not match:\n"
                f"Missing keys in the actual mapping: {missing}\n"
                f"Additional keys in the actual mapping: {extra}"
            )
        _compare_items(((key, actual[key], expected[key]) for key in actual), options)
    else:
        raise TypeError(f"No comparison pair was able to handle inputs of type {type(actual)} and {type(expected)}.")


def _compare_items(items: Any, options: _Options) -> None:
    for key, actual, expected in items:
        try:
            _compare(actual, expected, options)
        except _Mismatch as mismatch:
            mismatch.path.insert(0, key)
            raise


def assert_close(
    actual: Any,
    expected: Any,
    *,
    allow_subclasses: bool = True,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = False,
    check_device: bool = True,
    check_dtype: bool = True,
    check_layout: bool = True,
    check_stride: bool = False,
    msg: _Message = None,
) -> None:
    """Check that `|actual - expected| <= atol + rtol * |expected|` for every element.

    Args:
        actual, expected: tensors, arrays, numbers, bools, None, or sequences and mappings of them.
        rtol, atol: both or none. Defaults by dtype: float32 1.3e-6 and 1e-5, float64 1e-7 and 1e-7, float16 1e-3 and
            1e-5, bfloat16 1.6e-2 and 1e-5, integers and bools 0.
        equal_nan: let NaN equal NaN.
        check_device, check_dtype, check_layout, check_stride: compare these as well.
        allow_subclasses: let an instance of a subclass be compared with one of its base.
        msg: the error's text, or a function that makes it from the usual one.

    Raises:
        AssertionError: they are not close.
        TypeError: they cannot be compared.
        ValueError: only one of rtol and atol is given.

    >>> torch.testing.assert_close(torch.tensor([1.]), torch.tensor([1.0000001]))

    Reference: https://pytorch.org/docs/stable/testing.html
    """
    if (rtol is None) != (atol is None):
        which = "rtol" if rtol is None else "atol"
        raise ValueError(f"Both 'rtol' and 'atol' must be either specified or omitted, but got no {which}.")
    options = _Options(**{name: value for name, value in locals().items() if name not in ("actual", "expected")})
    try:
        _compare(actual, expected, options)
        return
    except _Mismatch as mismatch:
        text = str(mismatch)
        if mismatch.path:
            text += f"\n\nThe failure occurred for item {''.join(f'[{key!r}]' for key in mismatch.path)}"
    if msg is not None:
        text = msg(text) if callable(msg) else msg
    raise AssertionError(text)


def assert_allclose(
    actual: Any,
    expected: Any,
    rtol: float | None = None,
    atol: float | None = None,
    equal_nan: bool = True,
    msg: str = "",
) -> None:
    """The older `assert_close`: dtypes may differ, and anything that makes a tensor may be given."""
    actual, expected = _C.as_tensor(actual), _C.as_tensor(expected, dtype=getattr(actual, "dtype", None))
    assert_close(
        actual,
        expected,
        rtol=rtol,
        atol=atol,
        equal_nan=equal_nan,
        check_dtype=False,
        check_device=False,
        msg=msg or None,
    )
