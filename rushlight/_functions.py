"""Questions about tensors that are functions as well as methods, and a few small tools."""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight._later import absent_class
from rushlight._results import result_type

__all__ = [
    "enter_device",
    "asarray",
    "det",
    "detach_",
    "eig",
    "from_file",
    "get_device",
    "get_device_module",
    "inverse",
    "is_complex",
    "is_conj",
    "is_distributed",
    "is_floating_point",
    "is_inference",
    "is_neg",
    "is_signed",
    "is_storage",
    "logdet",
    "lstsq",
    "matrix_exp",
    "matrix_rank",
    "norm_except_dim",
    "numel",
    "pinverse",
    "qr",
    "rrelu_",
    "slogdet",
    "solve",
    "svd",
    "symeig",
    "to_dlpack",
    "typename",
    "cholesky",
    "cholesky_inverse",
    "cholesky_solve",
]

PyTorchFileReader, PyTorchFileWriter = (
    absent_class(f"torch.{name}", "torch.load and torch.save are in Python; torch.load(mmap=True) reads what is needed")
    for name in ("PyTorchFileReader", "PyTorchFileWriter")
)


def _assert(condition: Any, message: str) -> None:
    """`assert`, as a function."""
    assert condition, message


def _assert_async(input: Any, assert_msg: str | None = None) -> None:
    """An error if the one number of a tensor is zero."""
    if not input:
        raise RuntimeError(assert_msg or "Expected Tensor with single nonzero value, but got zero")


def _check_with(error: type[Exception], cond: Any, message: Any = None) -> None:
    if not cond:
        raise error(
            str(message()) if callable(message) else message or f"Expected cond to be True, but got {bool(cond)}."
        )


def _check(cond: Any, message: Any = None) -> None:
    """An error, with what `message()` gives, if a condition does not hold."""
    _check_with(RuntimeError, cond, message)


def _check_index(cond: Any, message: Any = None) -> None:
    """The same, as an IndexError."""
    _check_with(IndexError, cond, message)


def _check_value(cond: Any, message: Any = None) -> None:
    """The same, as a ValueError."""
    _check_with(ValueError, cond, message)


def _check_type(cond: Any, message: Any = None) -> None:
    """The same, as a TypeError."""
    _check_with(TypeError, cond, message)


def _check_not_implemented(cond: Any, message: Any = None) -> None:
    """The same, as a NotImplementedError."""
    _check_with(NotImplementedError, cond, message)


def _check_is_size(i: Any, message: Any = None, *, max: Any = None) -> None:
    """An error if a number is no size."""
    _check(i >= 0 and (max is None or i <= max), message)


def _shape_as_tensor(self: Any) -> Any:
    """The sizes, as a tensor."""
    return _C.tensor(tuple(self.shape))


_QR = result_type("qr", "Q", "R")
_Slogdet = result_type("slogdet", "sign", "logabsdet")


def _tensor(value: Any, name: str) -> Any:
    if not isinstance(value, _C.Tensor):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(value).__name__}")
    return value


def is_floating_point(input: Any) -> bool:
    """Whether the dtype is float16, bfloat16, float32 or float64.

    >>> torch.is_floating_point(torch.ones(1)), torch.is_floating_point(torch.tensor([1]))
    (True, False)
    """
    answer: bool = _tensor(input, "is_floating_point").is_floating_point()
    return answer


def is_complex(input: Any) -> bool:
    """Whether the dtype is complex64 or complex128.

    >>> torch.is_complex(torch.ones(1)), torch.is_complex(torch.tensor([1j]))
    (False, True)
    """
    answer: bool = _tensor(input, "is_complex").is_complex()
    return answer


def is_signed(input: Any) -> bool:
    """Whether the dtype has negative numbers.

    >>> torch.is_signed(torch.tensor([1])), torch.is_signed(torch.tensor([1], dtype=torch.uint8))
    (True, False)
    """
    answer: bool = _tensor(input, "is_signed").is_signed()
    return answer


def is_conj(input: Any) -> bool:
    """False: conjugates are computed at once here.

    >>> torch.is_conj(torch.tensor([1j]).conj())
    False
    """
    answer: bool = _tensor(input, "is_conj").is_conj()
    return answer


def is_neg(input: Any) -> bool:
    """False: negation is computed at once here.

    >>> torch.is_neg(torch.ones(1))
    False
    """
    answer: bool = _tensor(input, "is_neg").is_neg()
    return answer


def is_inference(input: Any) -> bool:
    """Whether the tensor was made under `inference_mode`.

    >>> with torch.inference_mode():
    ...     print(torch.is_inference(torch.ones(1)))
    True
    """
    answer: bool = _tensor(input, "is_inference").is_inference()
    return answer


def is_distributed(input: Any) -> bool:
    """False.

    >>> torch.is_distributed(torch.ones(1))
    False
    """
    _tensor(input, "is_distributed")
    return False


def numel(input: Any) -> int:
    """The number of elements.

    >>> torch.numel(torch.ones(2, 3))
    6
    """
    count: int = _tensor(input, "numel").numel()
    return count


def detach_(input: Any) -> Any:
    """`input.detach_()`."""
    return _tensor(input, "detach_").detach_()


def get_device(input: Any) -> int:
    """-1: the CPU.

    >>> torch.get_device(torch.ones(1))
    -1
    """
    index: int = _tensor(input, "get_device").get_device()
    return index


def get_device_module(device: Any = None) -> Any:
    """The module of a device: `torch.cpu`, `torch.cuda`, ..."""
    import importlib

    kind = "cpu" if device is None else _C.device(device).type
    return importlib.import_module(f"rushlight.{kind}")


def is_storage(obj: Any) -> bool:
    """Whether obj is a storage: the memory behind tensors.

    >>> torch.is_storage(torch.ones(1).untyped_storage())
    True
    """
    from rushlight.storage import TypedStorage, UntypedStorage

    return isinstance(obj, (TypedStorage, UntypedStorage))


def typename(obj: Any) -> str:
    """The name of a tensor's type ("torch.FloatTensor"), or of an object's class with its module.

    >>> torch.typename(torch.ones(1))
    'torch.FloatTensor'
    """
    if isinstance(obj, _C.Tensor):
        name: str = obj.type()
        return name
    module = getattr(obj, "__module__", "") or ""
    if hasattr(obj, "__qualname__"):
        own = obj.__qualname__
    elif hasattr(obj, "__name__"):
        own = obj.__name__
    else:
        module = type(obj).__module__ or ""
        own = type(obj).__qualname__
    return own if module in ("", "builtins") else f"{module}.{own}"


def asarray(
    obj: Any, *, dtype: Any = None, device: Any = None, copy: bool | None = None, requires_grad: bool | None = None
) -> Any:
    """A tensor from a tensor, an array, a DLPack object, a buffer or nested lists, sharing memory where it can.

    Args:
        copy: True always copies; False refuses to (ValueError); None copies only if it must.

    >>> torch.asarray([1, 2]), torch.asarray((1., 2.), dtype=torch.float64)
    (tensor([1, 2]), tensor([1., 2.], dtype=torch.float64))

    Reference: https://pytorch.org/docs/stable/generated/torch.asarray.html
    """
    if type(obj).__module__ == "rushlight.storage":
        obj = obj._view()
    if isinstance(obj, _C.Tensor):
        made: Any = obj if requires_grad is not False else obj.detach() if obj.requires_grad else obj
        converted = made if dtype is None else made.to(dtype)
        if device is not None:
            converted = converted.to(device)
    else:
        shares = hasattr(obj, "__array__") or hasattr(obj, "__dlpack__")
        if not shares and not isinstance(obj, (list, tuple)):
            try:
                view = memoryview(obj)
            except TypeError:
                view = None
            if view is not None and view.nbytes:
                obj, shares = _C.frombuffer(obj, dtype=dtype or _C.get_default_dtype()), True
        elif hasattr(obj, "__dlpack__") and not hasattr(obj, "__array__"):
            obj = _C.from_dlpack(obj)
        made = _C.as_tensor(obj) if shares else None
        converted = _C.as_tensor(obj if made is None else made, dtype=dtype, device=device)
    copied = made is None or converted.data_ptr() != made.data_ptr()
    if copy is False and copied:
        raise ValueError("can't alias arbitrary sequence or a different dtype or device into a tensor: copy=False")
    if copy and not copied:
        converted = converted.clone()
    return converted.requires_grad_() if requires_grad and not converted.requires_grad else converted


def to_dlpack(tensor: Any) -> Any:
    """A DLPack capsule that shares the tensor's memory.

    >>> torch.from_dlpack(torch.to_dlpack(torch.ones(2)))
    tensor([1., 1.])
    """
    return tensor.__dlpack__()


def det(input: Any) -> Any:
    """`torch.linalg.det`.

    >>> torch.det(torch.tensor([[2., 0.], [5., 3.]]))
    tensor(6.)
    """
    from rushlight import linalg

    return linalg.det(input)


def slogdet(input: Any) -> Any:
    """`torch.linalg.slogdet`.

    >>> torch.slogdet(torch.tensor([[0., 1.], [1., 0.]]))
    torch.return_types.slogdet(
    sign=tensor(-1.),
    logabsdet=tensor(0.))
    """
    from rushlight import linalg

    return _Slogdet(*linalg.slogdet(input))


def logdet(input: Any) -> Any:
    """The logarithm of the determinant: NaN where it is negative.

    >>> torch.logdet(torch.eye(2) * 2)
    tensor(1.3863)
    """
    from rushlight import linalg

    sign, value = linalg.slogdet(input)
    return _C.where(sign == -1, _C.full_like(value, float("nan")), value)


def inverse(input: Any, *, out: Any = None) -> Any:
    """`torch.linalg.inv`.

    >>> torch.inverse(torch.tensor([[2., 0.], [0., 4.]]))
    tensor([[0.5000, 0.0000],
            [0.0000, 0.2500]])
    """
    from rushlight import linalg

    return linalg.inv(input, out=out)


def pinverse(input: Any, rcond: float = 1e-15) -> Any:
    """`torch.linalg.pinv`.

    >>> A = torch.tensor([[1., 0.], [0., 2.], [0., 0.]])
    >>> torch.allclose(torch.pinverse(A) @ A, torch.eye(2), atol=1e-6)
    True
    """
    from rushlight import linalg

    return linalg.pinv(input, rtol=rcond)


def qr(input: Any, some: bool = True, *, out: Any = None) -> Any:
    """`torch.linalg.qr` under its older name.

    >>> A = torch.tensor([[3., 1.], [4., 2.]])
    >>> Q, R = torch.qr(A)
    >>> torch.allclose(Q @ R, A, atol=1e-6)
    True
    """
    from rushlight import linalg
    from rushlight._switches import warn_of_older_name

    warn_of_older_name("qr", "qr", "torch.linalg.qr(A, 'reduced' if some else 'complete')")
    return _QR(*linalg.qr(input, "reduced" if some else "complete", out=out))


def svd(input: Any, some: bool = True, compute_uv: bool = True, *, out: Any = None) -> Any:
    """`torch.linalg.svd`, but with V instead of its conjugate transpose.

    >>> torch.svd(torch.tensor([[3., 0.], [4., 5.]])).S
    tensor([6.7082, 2.2361])
    """
    from rushlight import linalg

    return linalg.legacy_svd(input, some, compute_uv, out)


def cholesky(input: Any, upper: bool = False, *, out: Any = None) -> Any:
    """`torch.linalg.cholesky`.

    >>> torch.cholesky(torch.tensor([[4., 0.], [0., 9.]]))
    tensor([[2., 0.],
            [0., 3.]])
    """
    from rushlight import linalg
    from rushlight._switches import warn_of_older_name

    warn_of_older_name(
        "cholesky", "cholesky", "torch.linalg.cholesky(A), or torch.linalg.cholesky(A).mH for upper=True"
    )
    return linalg.cholesky(input, upper=upper, out=out)


def cholesky_solve(B: Any, L: Any, upper: bool = False, *, out: Any = None) -> Any:
    """Solve A X = B for the matrix A whose Cholesky factor is L.

    >>> torch.cholesky_solve(torch.tensor([[4.], [2.]]), torch.tensor([[2., 0.], [0., 1.]]))
    tensor([[1.],
            [2.]])
    """
    from rushlight import linalg

    return linalg.cholesky_solve(B, L, upper=upper)


def cholesky_inverse(L: Any, upper: bool = False, *, out: Any = None) -> Any:
    """The inverse of the matrix whose Cholesky factor is L.

    >>> torch.cholesky_inverse(torch.tensor([[2., 0.], [0., 1.]]))
    tensor([[0.2500, 0.0000],
            [0.0000, 1.0000]])
    """
    return cholesky_solve(_C.eye(L.shape[-1], dtype=L.dtype), L, upper)


def matrix_exp(A: Any) -> Any:
    """`torch.linalg.matrix_exp`.

    >>> torch.matrix_exp(torch.tensor([[0., 1.], [0., 0.]]))
    tensor([[1., 1.],
            [0., 1.]])
    """
    from rushlight import linalg

    return linalg.matrix_exp(A)


def from_file(
    filename: str, shared: bool | None = None, size: int | None = 0, *, dtype: Any = None, requires_grad: bool = False
) -> Any:
    """A tensor [size] whose values are a file's bytes, mapped: they are read when they are looked at.

    Args:
        shared: writing to the tensor writes to the file, which is made, and grows, as needed. Otherwise the file is left
            as it is.
        size: how many elements.
        dtype: default: the default dtype.

    Raises:
        RuntimeError: the file is too short or not there, and not shared.

    >>> import os, tempfile
    >>> path = os.path.join(tempfile.mkdtemp(), "values")
    >>> torch.from_file(path, shared=True, size=3).copy_(torch.tensor([1., 2., 3.]))
    tensor([1., 2., 3.])
    >>> torch.from_file(path, size=2)
    tensor([1., 2.])

    Reference: https://pytorch.org/docs/stable/generated/torch.from_file.html
    """
    from rushlight.storage import UntypedStorage

    dtype = dtype or _C.get_default_dtype()
    if not size or size < 0:
        if size:
            raise RuntimeError(f"from_file(): size must not be negative, got {size}")
        return _C.empty(0, dtype=dtype, requires_grad=requires_grad)
    storage = UntypedStorage.from_file(filename, bool(shared), size * dtype.itemsize)
    return _C.empty(0, dtype=dtype).set_(storage, 0, (size,), (1,)).requires_grad_(requires_grad)


def norm_except_dim(v: Any, pow: int = 2, dim: int = 0) -> Any:
    """The norm over every dimension but one, which is kept (-1: over all, a tensor without dimensions).

    >>> torch.norm_except_dim(torch.tensor([[3., 4.], [6., 8.]]))
    tensor([[ 5.],
            [10.]])
    """
    if dim == -1:
        return _C.norm(v, pow)
    kept = dim % v.dim() if -v.dim() <= dim < v.dim() else dim
    return _C.norm(v.transpose(0, kept).flatten(1), pow, 1).reshape([-1 if i == kept else 1 for i in range(v.dim())])


def rrelu_(input: Any, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Any:
    """`torch.nn.functional.rrelu_`."""
    from rushlight.nn import functional

    return functional.rrelu_(input, lower, upper, training)


def _removed(name: str, successor: str) -> Any:
    def removed(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(f"torch.{name} was deprecated in PyTorch 1.9 and is now removed. Please use {successor}")

    removed.__name__ = removed.__qualname__ = name
    removed.__doc__ = f"Removed from PyTorch: use {successor}.\n\nRaises:\n    RuntimeError: always.\n"
    return removed


eig, lstsq, matrix_rank, solve, symeig = (
    _removed(name, f"torch.linalg.{successor}")
    for name, successor in (
        ("eig", "eig, whose results are complex"),
        ("lstsq", "lstsq, whose arguments are the other way round"),
        ("matrix_rank", "matrix_rank"),
        ("solve", "solve, whose arguments are the other way round"),
        ("symeig", "eigh (or eigvalsh), which looks at the lower triangle"),
    )
)

_outer_devices: list[Any] = []


def enter_device(device: Any) -> Any:
    """`with torch.device("meta"):` new tensors lie there; devices that are not here are refused."""
    outer = _C._get_default_device()
    _C._set_default_device(device)
    _outer_devices.append(outer)
    return device


def leave_device() -> None:
    """The end of such a block."""
    _C._set_default_device(_outer_devices.pop())
