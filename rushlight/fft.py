"""Fourier transforms: NumPy's pocketfft with gradients, under the names of `torch.fft`.

A transform is linear, so its gradient is another transform: the inverse one with the other scaling.
"""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight._autocast import in_float32 as _in_float32
from rushlight._dims import wrapped
from rushlight.autograd.function import Function

__all__ = [
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]

# Each scaling, and that of the transform the other way.
_OPPOSITE = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


def _check_tensor(name: str, input: Any) -> None:
    if not isinstance(input, _C.Tensor):
        raise TypeError(f"fft_{name}(): argument 'input' (position 1) must be Tensor, not {type(input).__name__}")


def _transformed(input: Any, inverse: bool, size: int | None, dims: tuple[int, ...], norm: Any) -> Any:
    """What numpy.fft makes of a tensor: of a real one half the transform, of a half (of `size` elements) a real one."""
    import numpy as np

    real, dtype = not input.is_complex(), input.dtype
    shape = list(input.shape)
    if real:
        shape[dims[-1]] = shape[dims[-1]] // 2 + 1
    x, plain = input.detach().resolve_conj().numpy(), np.fft.ifft if inverse else np.fft.fft
    # With a scale of its own NumPy transforms float32 in float32. Without one, as the scale is an integer then, it goes
    # through float64 and takes several times as long.
    count = 1
    if dtype.to_real() == _C.float32 and norm == ("forward" if inverse else "backward"):
        norm = _OPPOSITE[norm]
        for dim in dims:
            count *= size if size is not None and dim == dims[-1] else input.shape[dim]
    if np.__version__.startswith("1."):  # which has no place for results
        sizes = None if size is None else [*(shape[dim] for dim in dims[:-1]), size]
        name = "rfftn" if real else ("ifftn" if inverse else "fftn") if size is None else "irfftn"
        found = getattr(np.fft, name)(x, sizes, dims, norm)
        made = input.new_empty(found.shape, dtype=dtype.to_complex() if size is None else dtype.to_real())
        made.numpy()[...] = found
        return made.mul_(count) if count != 1 else made
    # The results lie in the allocator's memory, which is warm; axes after the first are transformed in place.
    made = input.new_empty(shape, dtype=dtype.to_complex() if real else dtype)
    to, rest = made.numpy(), dims[:-1]
    if real:
        np.fft.rfft(x, None, dims[-1], norm, out=to)
    elif size is None:
        plain(x, None, dims[-1], norm, out=to)
    elif rest:
        plain(x, None, rest[0], norm, out=to)
        rest = rest[1:]
    else:
        to = x
    for dim in rest:
        plain(to, None, dim, norm, out=to)
    if size is None:
        return made.mul_(count) if count != 1 else made
    shape[dims[-1]] = size
    made = input.new_empty(shape, dtype=dtype.to_real())
    np.fft.irfft(to, size, dims[-1], norm, out=made.numpy())
    return made.mul_(count) if count != 1 else made


class _Complex(Function):
    """fftn and ifftn of complex tensors over given axes."""

    _node_name = "FftC2CBackward0"

    @staticmethod
    def forward(ctx: Any, input: Any, dims: tuple[int, ...], norm: str, inverse: bool) -> Any:
        ctx.options = dims, norm, inverse
        return _transformed(input, inverse, None, dims, norm)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        dims, norm, inverse = ctx.options
        return _Complex.apply(grad, dims, _OPPOSITE[norm], not inverse), None, None, None


def _weighted(half: Any, axis: int, size: int, inner: float) -> Any:
    """What is mirrored in the whole, all but the first and the middle one, times a factor."""
    count = half.shape[axis]
    shape = [1] * half.dim()
    shape[axis] = count
    weights = _C.full((count,), inner, dtype=half.dtype.to_real())
    weights[0] = 1
    if size % 2 == 0:
        weights[-1] = 1
    return half * weights.reshape(shape)


class _ToHalf(Function):
    """rfftn of real tensors; inverse: its conjugate."""

    _node_name = "FftR2CBackward0"

    @staticmethod
    def forward(ctx: Any, input: Any, dims: tuple[int, ...], norm: str, inverse: bool) -> Any:
        ctx.options = dims, norm, inverse, input.shape[dims[-1]]
        made = _transformed(input, False, None, dims, _OPPOSITE[norm] if inverse else norm)
        return made.conj_physical() if inverse else made

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        dims, norm, inverse, size = ctx.options
        half = _weighted(grad, dims[-1], size, 0.5)
        return _FromHalf.apply(half, size, dims, _OPPOSITE[norm], not inverse), None, None, None


class _FromHalf(Function):
    """irfftn; not inverse: that of the conjugate. The last axis gets `size` elements."""

    _node_name = "FftC2RBackward0"

    @staticmethod
    def forward(ctx: Any, input: Any, size: int, dims: tuple[int, ...], norm: str, inverse: bool) -> Any:
        ctx.options = size, dims, norm, inverse
        x, scale = (input, norm) if inverse else (input.conj(), _OPPOSITE[norm])
        return _transformed(x, True, size, dims, scale)

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        size, dims, norm, inverse = ctx.options
        half = _ToHalf.apply(grad, dims, _OPPOSITE[norm], not inverse)
        return _weighted(half, dims[-1], size, 2.0), None, None, None, None


def _checked_norm(norm: str | None) -> str:
    if norm is None:
        return "backward"
    if norm not in _OPPOSITE:
        raise RuntimeError(f'Invalid normalization mode: "{norm}"')
    return norm


def _of_full_precision(input: Any) -> Any:
    if input.dtype in (_C.float16, _C.bfloat16):
        raise RuntimeError(f"Unsupported dtype {input.dtype}: Fourier transforms take float32 and float64")
    return input


def _of_integers(transform: Any, input: Any, *options: Any, out: Any) -> Any:
    """In float64, rounded once: of large sums that cancel, float32 would keep few digits."""
    made = transform(input.to(_C.float64), *options, None)
    dtype = _C.get_default_dtype()
    return _out(made.to(dtype.to_complex() if made.is_complex() else dtype), out)


def _is_integral(input: Any) -> bool:
    return not (input.is_floating_point() or input.is_complex())


def _as_complex(input: Any) -> Any:
    input = _of_full_precision(input)
    return input if input.is_complex() else input.to(input.dtype.to_complex())


def _resized(input: Any, sizes: Any, dims: tuple[int, ...]) -> Any:
    """Cut or padded with zeros at the end of each axis."""
    for size, dim in zip(sizes, dims, strict=True):
        if size == -1:
            continue
        if size < 1:
            raise RuntimeError(f"Invalid number of data points ({size}) specified")
        have = input.shape[dim]
        if have > size:
            input = input.narrow(dim, 0, size)
        elif have < size:
            shape = list(input.shape)
            shape[dim] = size - have
            input = _C.cat([input, input.new_zeros(shape)], dim)
    if any(input.shape[dim] < 1 for dim in dims):
        raise RuntimeError("Invalid number of data points (0) specified")
    return input


def _axes(input: Any, s: Any, dim: Any) -> tuple[Any, tuple[int, ...]]:
    sizes = None if s is None else [s] if isinstance(s, int) else list(s)
    if dim is None:
        count = input.dim() if sizes is None else len(sizes)
        if count > input.dim():
            raise RuntimeError(f"Got shape with {count} values but input tensor only has {input.dim()} dimensions.")
        dims = tuple(range(input.dim() - count, input.dim()))
    else:
        dims = (dim,) if isinstance(dim, int) else tuple(dim)
        dims = tuple(wrapped(d, input.dim()) for d in dims)
        if len(set(dims)) != len(dims):
            raise RuntimeError("FFT dims must be unique")
    if sizes is not None and len(sizes) != len(dims):
        raise RuntimeError("When given, dim and shape arguments must have the same length")
    return [-1] * len(dims) if sizes is None else sizes, dims


def _out(result: Any, out: Any) -> Any:
    return result if out is None else _C._write_out(out, result)


def _full(input: Any, s: Any, dim: Any, norm: str | None, inverse: bool, out: Any) -> Any:
    if _is_integral(input):
        return _of_integers(_full, input, s, dim, norm, inverse, out=out)
    sizes, dims = _axes(input, s, dim)
    x = _resized(_as_complex(input), sizes, dims)
    return _out(_Complex.apply(x, dims, _checked_norm(norm), inverse) if dims else x, out)


def _half(input: Any, s: Any, dim: Any, norm: str | None, inverse: bool, out: Any) -> Any:
    """The transform of a real tensor, without the half that mirrors the other."""
    if input.is_complex():
        raise RuntimeError(f"rfft expects a real input tensor, but got {input.dtype}")
    if _is_integral(input):
        return _of_integers(_half, input, s, dim, norm, inverse, out=out)
    sizes, dims = _axes(input, s, dim)
    if not dims:
        raise RuntimeError("rfftn must transform at least one axis")
    x = _resized(_of_full_precision(input), sizes, dims)
    return _out(_ToHalf.apply(x, dims, _checked_norm(norm), inverse), out)


def _real(input: Any, s: Any, dim: Any, norm: str | None, inverse: bool, out: Any) -> Any:
    """The real tensor whose transform, without its mirrored half, this is."""
    if _is_integral(input):
        return _of_integers(_real, input, s, dim, norm, inverse, out=out)
    sizes, dims = _axes(input, s, dim)
    if not dims:
        raise RuntimeError("irfftn must transform at least one axis")
    last = sizes[-1] if sizes[-1] != -1 else 2 * (input.shape[dims[-1]] - 1)
    if last < 1:
        raise RuntimeError(f"Invalid number of data points ({last}) specified")
    x = _resized(_as_complex(input), [*sizes[:-1], last // 2 + 1], dims)
    return _out(_FromHalf.apply(x, last, dims, _checked_norm(norm), inverse), out)


_SHARED = """

    Args:
        input: real or complex; integers become floats.
        {sizes}: cut or pad with zeros to this size first.
        dim: the axis or axes.
        norm: "backward" (the inverse divides by n), "forward" (the other does) or "ortho" (both, by sqrt(n)).

    {example}

    Raises:
        RuntimeError: a size below 1, an axis given twice, an unknown norm, float16 or bfloat16.

    Reference: https://pytorch.org/docs/stable/generated/torch.fft.{name}.html
    """


def _one(name: str, run: Any, inverse: bool, what: str, example: str) -> Any:
    def transform(input: Any, n: int | None = None, dim: int = -1, norm: str | None = None, *, out: Any = None) -> Any:
        _check_tensor(name, input)
        return run(input, None if n is None else [n], dim, norm, inverse, out)

    return _named(transform, name, what, example, "n")


def _many(name: str, run: Any, inverse: bool, dims: Any, what: str, example: str) -> Any:
    def transform(input: Any, s: Any = None, dim: Any = dims, norm: str | None = None, *, out: Any = None) -> Any:
        _check_tensor(name, input)
        return run(input, s, dim, norm, inverse, out)

    return _named(transform, name, what, example, "s")


def _named(transform: Any, name: str, what: str, example: str, sizes: str) -> Any:
    transform.__name__ = transform.__qualname__ = name
    transform.__doc__ = what + _SHARED.format(sizes=sizes, name=name, example=example)
    return _in_float32(transform)


fft = _one(
    "fft", _full, False,
    "The discrete Fourier transform along one axis: X[k] = the sum over t of x[t] exp(-2 pi i k t / n), complex.",
    """>>> torch.fft.fft(torch.tensor([1., 2., 3., 4.]))
    tensor([10.+0.j, -2.+2.j, -2.+0.j, -2.-2.j])""",
)  # fmt: skip
ifft = _one(
    "ifft", _full, True, "The inverse of `fft`: x[t] = the sum over k of X[k] exp(2 pi i k t / n) / n.",
    """>>> torch.fft.ifft(torch.fft.fft(torch.tensor([1., 2., 3., 4.]))).real
    tensor([1., 2., 3., 4.])""",
)  # fmt: skip
rfft = _one(
    "rfft", _half, False,
    "The first n // 2 + 1 elements of the transform of a real tensor; the others mirror them, conjugated.",
    """>>> torch.fft.rfft(torch.tensor([1., 2., 3., 4.]))
    tensor([10.+0.j, -2.+2.j, -2.+0.j])""",
)  # fmt: skip
irfft = _one(
    "irfft", _real, True, "The inverse of `rfft`: real, of n elements (an even number, 2 (size - 1), unless told).",
    """>>> torch.fft.irfft(torch.fft.rfft(torch.tensor([1., 2., 3.])), n=3).round(decimals=3)
    tensor([1., 2., 3.])""",
)  # fmt: skip
hfft = _one(
    "hfft", _real, False, "The (real) transform of a Hermitian signal of n elements, of which n // 2 + 1 are given.",
    """>>> torch.fft.hfft(torch.tensor([1 + 0j, 1, 0])).shape
    torch.Size([4])""",
)  # fmt: skip
ihfft = _one(
    "ihfft", _half, True, "The inverse of `hfft`: n // 2 + 1 elements.",
    """>>> torch.fft.ihfft(torch.tensor([1., 2., 3., 4.])).shape
    torch.Size([3])""",
)  # fmt: skip
fft2 = _many(
    "fft2", _full, False, (-2, -1), "The transform along two axes.",
    """>>> torch.fft.fft2(torch.ones(2, 2)).real
    tensor([[4., 0.],
            [0., 0.]])""",
)  # fmt: skip
ifft2 = _many(
    "ifft2", _full, True, (-2, -1), "The inverse of `fft2`.",
    """>>> torch.fft.ifft2(torch.fft.fft2(torch.eye(2))).real
    tensor([[1., 0.],
            [0., 1.]])""",
)  # fmt: skip
rfft2 = _many(
    "rfft2", _half, False, (-2, -1), "The transform of a real tensor along two axes, half of the last one.",
    """>>> torch.fft.rfft2(torch.ones(4, 4)).shape
    torch.Size([4, 3])""",
)  # fmt: skip
irfft2 = _many(
    "irfft2", _real, True, (-2, -1), "The inverse of `rfft2`.",
    """>>> torch.fft.irfft2(torch.fft.rfft2(torch.eye(2)))
    tensor([[1., 0.],
            [0., 1.]])""",
)  # fmt: skip
hfft2 = _many(
    "hfft2", _real, False, (-2, -1), "`hfft` along two axes.",
    """>>> torch.fft.hfft2(torch.ones(2, 3)).shape
    torch.Size([2, 4])""",
)  # fmt: skip
ihfft2 = _many(
    "ihfft2", _half, True, (-2, -1), "The inverse of `hfft2`.",
    """>>> torch.fft.ihfft2(torch.ones(2, 4)).shape
    torch.Size([2, 3])""",
)  # fmt: skip
fftn = _many(
    "fftn", _full, False, None, "The transform along several axes (all, by default).",
    """>>> torch.fft.fftn(torch.ones(2, 2, 2)).real.flatten()
    tensor([8., 0., 0., 0., 0., 0., 0., 0.])""",
)  # fmt: skip
ifftn = _many(
    "ifftn", _full, True, None, "The inverse of `fftn`.",
    """>>> torch.fft.ifftn(torch.fft.fftn(torch.eye(2))).real
    tensor([[1., 0.],
            [0., 1.]])""",
)  # fmt: skip
rfftn = _many(
    "rfftn", _half, False, None, "The transform of a real tensor along several axes, half of the last one.",
    """>>> torch.fft.rfftn(torch.ones(4, 4, 4)).shape
    torch.Size([4, 4, 3])""",
)  # fmt: skip
irfftn = _many(
    "irfftn", _real, True, None, "The inverse of `rfftn`.",
    """>>> torch.fft.irfftn(torch.fft.rfftn(torch.eye(2)))
    tensor([[1., 0.],
            [0., 1.]])""",
)  # fmt: skip
hfftn = _many(
    "hfftn", _real, False, None, "`hfft` along several axes.",
    """>>> torch.fft.hfftn(torch.ones(2, 3)).shape
    torch.Size([2, 4])""",
)  # fmt: skip
ihfftn = _many(
    "ihfftn", _half, True, None, "The inverse of `hfftn`.",
    """>>> torch.fft.ihfftn(torch.ones(2, 4)).shape
    torch.Size([2, 3])""",
)  # fmt: skip


def fftfreq(n: int, d: float = 1.0, *, dtype: Any = None, out: Any = None, **options: Any) -> Any:
    """The frequencies of the elements that `fft` of n samples gives; d is the time between samples.

    >>> torch.fft.fftfreq(4, d=0.5)
    tensor([ 0.0000,  0.5000, -1.0000, -0.5000])
    """
    order = _C.cat([_C.arange(0, (n + 1) // 2), _C.arange(-(n // 2), 0)])
    return _out(order.to(dtype or _C.get_default_dtype()) * (1.0 / (n * d)), out)


def rfftfreq(n: int, d: float = 1.0, *, dtype: Any = None, out: Any = None, **options: Any) -> Any:
    """The frequencies of the elements that `rfft` of n samples gives.

    >>> torch.fft.rfftfreq(4)
    tensor([0.0000, 0.2500, 0.5000])
    """
    return _out(_C.arange(0, n // 2 + 1).to(dtype or _C.get_default_dtype()) * (1.0 / (n * d)), out)


def fftshift(input: Any, dim: Any = None) -> Any:
    """Move the zero frequency to the middle.

    >>> torch.fft.fftshift(torch.fft.fftfreq(4))
    tensor([-0.5000, -0.2500,  0.0000,  0.2500])
    """
    dims = list(range(input.dim())) if dim is None else [dim] if isinstance(dim, int) else list(dim)
    return input.roll([input.shape[d] // 2 for d in dims], dims)


def ifftshift(input: Any, dim: Any = None) -> Any:
    """Undo `fftshift`.

    >>> torch.fft.ifftshift(torch.tensor([-2, -1, 0, 1]))
    tensor([ 0,  1, -2, -1])
    """
    dims = list(range(input.dim())) if dim is None else [dim] if isinstance(dim, int) else list(dim)
    return input.roll([-(input.shape[d] // 2) for d in dims], dims)
