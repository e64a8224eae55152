"""`torch.FloatTensor` and its kind: the older names of a tensor with a dtype."""

from __future__ import annotations

from typing import Any

from rushlight import _C

__all__ = ["NAMES", "dtype_of_type", "tensor_class", "type_name"]

_DTYPES = {
    "FloatTensor": "float32",
    "DoubleTensor": "float64",
    "HalfTensor": "float16",
    "BFloat16Tensor": "bfloat16",
    "ByteTensor": "uint8",
    "CharTensor": "int8",
    "ShortTensor": "int16",
    "IntTensor": "int32",
    "LongTensor": "int64",
    "BoolTensor": "bool",
    "ComplexFloatTensor": "complex64",
    "ComplexDoubleTensor": "complex128",
}
NAMES = frozenset(_DTYPES) - {"ComplexFloatTensor", "ComplexDoubleTensor"}
_NAME_OF = {getattr(_C, dtype): name for name, dtype in _DTYPES.items()}
_classes: dict[str, Any] = {}


class _TensorType(type):
    """Makes `isinstance(x, torch.FloatTensor)` ask for the dtype."""

    dtype: Any

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, _C.Tensor) and instance.dtype is cls.dtype

    def __call__(cls, *args: Any, device: Any = None) -> Any:
        if device is not None and _C.device(device).type != "cpu":
            raise RuntimeError(f"legacy constructor expects device type: cpu but device type: {device} was passed")
        return _C._older_tensor(cls.dtype, *args)


def tensor_class(name: str) -> Any:
    """The class that `torch.FloatTensor` (and so on) names."""
    made = _classes.get(name)
    if made is None:
        namespace = {
            "__module__": "torch",
            "dtype": getattr(_C, _DTYPES[name]),
            "__doc__": f"A {_DTYPES[name]} tensor.",
        }
        made = _classes[name] = _TensorType(name, (), namespace)
    return made


def type_name(dtype: Any) -> str:
    """ "torch.FloatTensor" for float32."""
    return "torch." + _NAME_OF[dtype]


def dtype_of_type(kind: Any) -> Any:
    """The dtype that a dtype, a tensor type or the name of a tensor type means.

    Raises:
        ValueError: it means none.
        TypeError: it is a type of CUDA tensors.
    """
    if isinstance(kind, _C.dtype):
        return kind
    if isinstance(kind, _TensorType):
        return kind.dtype
    if kind is _C.Tensor:
        return _C.get_default_dtype()
    if isinstance(kind, str):
        if kind.startswith("torch.cuda."):
            raise TypeError(f"type {kind} not available. Torch not compiled with CUDA enabled.")
        short = kind.removeprefix("torch.")
        if short == "Tensor":
            return _C.get_default_dtype()
        if short in _DTYPES and short != kind:
            return getattr(_C, _DTYPES[short])
        found = getattr(_C, short, None)
        if short != kind and isinstance(found, _C.dtype):
            return found
    raise ValueError(f"invalid type: {kind!r}")
