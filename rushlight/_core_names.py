"""What libraries ask `torch._C` for and is not in the core: answers of a PyTorch in which nothing is traced or compiled."""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight._later import absent_class
from rushlight._tensor_methods import to_arguments

__all__ = ["find"]


# TorchScript's graphs and types: libraries name them in annotations and ask whether something is one.
_SCRIPT = (
    "AnyType Argument Block BoolType ClassType Code DictType FloatType FunctionSchema Graph IntType ListType Node "
    "NoneType NumberType OptionalType ScriptMethod ScriptObject StringType TensorType TupleType Type Value"
).split()
globals().update({name: absent_class(f"torch.{name}", "functions are run, not turned into graphs") for name in _SCRIPT})


def _parse_to(*args: Any, **kwargs: Any) -> tuple[Any, Any, bool, Any]:
    """The arguments of `Tensor.to` and `Module.to` as (device, dtype, non_blocking, memory_format)."""
    given = kwargs.get("device"), kwargs.get("dtype"), kwargs.get("non_blocking", False)
    return (*to_arguments(args, *given), kwargs.get("memory_format"))


class _Functions:
    """A namespace of `torch._C`."""

    def __init__(self, **functions: Any) -> None:
        vars(self).update(functions)


_FOUND = {
    "_are_functorch_transforms_active": lambda: False,
    "_functorch": _Functions(is_batchedtensor=lambda t: False, is_legacy_batchedtensor=lambda t: False),
    "_get_accelerator": lambda check=None: _C.device("cpu"),
    "_get_default_device": lambda: "cpu",
    "_get_privateuse1_backend_name": lambda: "privateuseone",
    "_get_tracing_state": lambda: None,
    "_has_cuda": False,
    "_has_mps": False,
    "_has_xpu": False,
    "_is_tracing": lambda: False,
    "_nn": _Functions(_parse_to=_parse_to),
    "_TensorMeta": type(_C.Tensor),
}


def find(name: str) -> Any:
    """The value of that name.

    Raises:
        AttributeError: there is none.
    """
    if name == "_LinAlgError":
        from rushlight._errors import LinAlgError

        return LinAlgError
    if name in ("DisableTorchFunction", "DisableTorchFunctionSubclass"):
        from rushlight import overrides

        return getattr(overrides, name)
    if name in _FOUND:
        return _FOUND[name]
    if name in _SCRIPT:
        return globals()[name]
    raise AttributeError(f"module 'torch._C' has no attribute {name!r}")
