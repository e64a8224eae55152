"""What the files of linalg share: checks, the way to NumPy's LAPACK and back, results with names."""

from __future__ import annotations

from typing import Any, NamedTuple

from rushlight import _C
from rushlight._errors import LinAlgError

__all__ = [
    "adjoint",
    "array",
    "batch_text",
    "call",
    "check_matrix",
    "check_square",
    "deliver",
    "first_failure",
    "recorded",
    "tensor",
]

_SCALAR_NAMES = {"int64": "Long", "int32": "Int", "int16": "Short", "int8": "Char", "uint8": "Byte", "bool": "Bool"}


# What says that a dtype is not implemented where PyTorch's kernels do: for short floats, for integers too.
_SHORT = {
    "linalg.qr": "geqrf_cpu",
    "linalg.svd": "linalg_svd_cpu",
    "linalg.svdvals": "linalg_svd_cpu",
    "linalg.cond": "linalg_svd_cpu",
    "linalg.eig": "linalg_eig_out_cpu",
    "linalg.eigvals": "linalg_eig_out_cpu",
    "linalg.det": "lu_cpu",
    "linalg.cholesky": "cholesky_cpu",
    "torch.linalg.ldl_factor_ex": "ldl_factor_kernel_cpu",
}
_ANY = {
    "linalg.eigh": "linalg_eigh_cpu",
    "linalg.eigvalsh": "linalg_eigh_cpu",
    "linalg.lu": "lu_cpu",
    "linalg.lu_factor": "lu_cpu",
    "linalg.lu_factor_ex": "lu_cpu",
    "torch.geqrf": "geqrf_cpu",
}


def check_float(A: Any, name: str, short: bool = False) -> None:
    """That the dtype is one that factorizations have (or, with short, any of floats)."""
    if not isinstance(A, _C.Tensor):
        raise TypeError(f"{name}(): argument 'A' (position 1) must be Tensor, not {type(A).__name__}")
    dtype = repr(A.dtype).removeprefix("torch.")
    if dtype in ("float16", "bfloat16"):
        if short:
            return
        kind = "Half" if dtype == "float16" else "BFloat16"
        kernel = _SHORT.get(name) or _ANY.get(name)
        if kernel:
            raise NotImplementedError(f"\"{kernel}\" not implemented for '{kind}'")
        raise RuntimeError(f"{name}: Low precision dtypes not supported. Got {kind}")
    if not (A.is_floating_point() or A.is_complex()):
        if name in _ANY:
            raise NotImplementedError(f"\"{_ANY[name]}\" not implemented for '{_SCALAR_NAMES.get(dtype, dtype)}'")
        raise RuntimeError(
            f"{name}: Expected a floating point or complex tensor as input. Got {_SCALAR_NAMES.get(dtype, dtype)}"
        )


def check_matrix(A: Any, name: str, argument: str = "A") -> None:
    """That A is a matrix or a batch of matrices."""
    check_float(A, name)
    if A.dim() < 2:
        raise RuntimeError(
            f"{name}: The input tensor {argument} must have at least 2 dimensions; its shape is {list(A.shape)}."
        )


def check_square(A: Any, name: str, argument: str = "A") -> None:
    """That A is a square matrix or a batch of them."""
    check_matrix(A, name, argument)
    if A.shape[-1] != A.shape[-2]:
        raise RuntimeError(
            f"{name}: {argument} must be batches of square matrices, "
            f"but they are {A.shape[-2]} by {A.shape[-1]} matrices"
        )


def array(x: Any) -> Any:
    """The NumPy array of a tensor."""
    return x.detach().numpy()


def tensor(a: Any, like: Any = None) -> Any:
    """The tensor of a NumPy array or number."""
    import numpy as np

    made = _C.from_numpy(np.ascontiguousarray(a)).reshape(np.shape(a))
    return made if like is None else made.to(like.dtype)


def call(function: Any, *arguments: Any, failure: str, **options: Any) -> Any:
    """Call NumPy; its LinAlgError becomes ours, with `failure` as its text."""
    import numpy as np

    try:
        with np.errstate(all="ignore"):
            return function(*arguments, **options)
    except np.linalg.LinAlgError as error:
        raise LinAlgError(failure) from error


def recorded(*inputs: Any) -> bool:
    """Whether a gradient of them will be wanted."""
    return _C.is_grad_enabled() and any(x.requires_grad for x in inputs)


def adjoint(A: Any) -> Any:
    """The conjugate transpose of the last two axes."""
    return A.mH


def batch_text(A: Any, index: int) -> str:
    """ "(Batch element 3): " where there is a batch."""
    return f"(Batch element {index}): " if A.dim() > 2 else ""


class Failure(NamedTuple):
    """What a factorization reports."""

    matrix: int  # in the batch
    info: int


def first_failure(info: Any) -> Failure | None:
    """The first matrix of a batch that was not factored."""
    if info.is_meta or not info.any():
        return None
    reports = info.reshape(-1).tolist()
    index = next(i for i, report in enumerate(reports) if report)
    return Failure(index, reports[index])


def deliver(result: Any, out: Any) -> Any:
    """Write a result into out=, if it is given."""
    if out is None:
        return result
    targets, values = (out, result) if isinstance(result, tuple) else ((out,), (result,))
    if not isinstance(targets, tuple | list) or len(targets) != len(values):
        raise TypeError(f"argument 'out' must be a tuple of {len(values)} Tensors, got {out!r}")
    for target, value in zip(targets, values, strict=True):
        _C._write_out(target, value)
    return type(result)(*out) if isinstance(result, tuple) else out
