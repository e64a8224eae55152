"""rushlight: PyTorch's API on a small, fast core. `import rushlight as torch`."""

from __future__ import annotations

import importlib
from math import e, inf, nan, pi
from typing import Any

from rushlight import _C
from rushlight._C import *  # noqa: F403
from rushlight.autograd.grad_mode import enable_grad, inference_mode, no_grad, set_grad_enabled
from rushlight.random import get_rng_state, initial_seed, manual_seed, seed, set_rng_state
from rushlight.torch_version import __version__

newaxis = None

__all__ = [
    *(name for name in dir(_C) if not name.startswith("_")),
    "__version__",
    "e",
    "enable_grad",
    "get_rng_state",
    "inf",
    "inference_mode",
    "initial_seed",
    "manual_seed",
    "nan",
    "newaxis",
    "no_grad",
    "pi",
    "seed",
    "set_grad_enabled",
    "set_rng_state",
]

# Imported when first used, so that `import rushlight` stays quick.
_SUBMODULES = frozenset(
    {
        "accelerator", "amp", "autograd", "backends", "compiler", "cpu", "cuda", "distributed", "distributions", "fft",
        "func", "futures", "fx", "hub", "jit", "library", "linalg", "masked", "mps", "mtia", "multiprocessing", "nested", "nn", "onnx", "ops", "optim",
        "overrides", "profiler", "quasirandom", "random", "return_types", "serialization", "signal", "special", "storage",
        "testing", "torch_version", "types", "utils", "version", "vision", "xpu",
    }
)  # fmt: skip
_HOMES = {
    "amp._state": (
        "autocast_decrement_nesting", "autocast_increment_nesting", "clear_autocast_cache", "get_autocast_cpu_dtype",
        "get_autocast_dtype", "get_autocast_gpu_dtype", "is_autocast_cache_enabled", "is_autocast_cpu_enabled",
        "is_autocast_enabled", "set_autocast_cache_enabled", "set_autocast_cpu_dtype", "set_autocast_cpu_enabled",
        "set_autocast_dtype", "set_autocast_enabled", "set_autocast_gpu_dtype",
    ),
    "amp.autocast_mode": ("autocast",),
    "amp.grad_scaler": ("GradScaler",),
    "compiler": ("compile",),
    "_dtype_info": ("finfo", "iinfo"),
    "_core_names": (
        "AnyType", "Argument", "Block", "BoolType", "ClassType", "Code", "DictType", "FloatType", "FunctionSchema",
        "Graph", "IntType", "ListType", "Node", "NoneType", "NumberType", "OptionalType", "ScriptMethod", "ScriptObject",
        "StringType", "TensorType", "TupleType", "Type", "Value",
    ),
    "_errors": ("AcceleratorError", "OutOfMemoryError"),
    "_functions": (
        "PyTorchFileReader", "PyTorchFileWriter", "_assert", "_assert_async", "_check", "_check_index", "_check_is_size",
        "_check_not_implemented", "_check_type", "_check_value", "_shape_as_tensor",
        "asarray", "cholesky", "cholesky_inverse", "cholesky_solve", "det", "detach_", "eig", "from_file", "get_device",
        "get_device_module", "inverse", "is_complex", "is_conj", "is_distributed", "is_floating_point", "is_inference",
        "is_neg", "is_signed", "is_storage", "logdet", "lstsq", "matrix_exp", "matrix_rank", "norm_except_dim", "numel",
        "pinverse", "qr", "rrelu_", "slogdet", "solve", "svd", "symeig", "to_dlpack", "typename",
    ),
    "func": ("vmap",),
    "futures": ("Future",),
    "jit": ("ScriptFunction", "ScriptModule"),
    "_import_hook": ("enable_torch_alias", "disable_torch_alias"),
    "_switches": (
        "are_deterministic_algorithms_enabled", "compiled_with_cxx11_abi", "get_default_device",
        "get_deterministic_debug_mode", "get_float32_matmul_precision", "get_num_interop_threads",
        "is_deterministic_algorithms_warn_only_enabled", "is_warn_always_enabled", "set_default_device",
        "set_default_tensor_type", "set_deterministic_debug_mode", "set_float32_matmul_precision",
        "set_flush_denormal", "set_num_interop_threads", "set_warn_always", "use_deterministic_algorithms",
    ),
    "_sym": ("SymBool", "SymFloat", "SymInt", "sym_float", "sym_int", "sym_ite", "sym_max", "sym_min", "sym_not", "sym_sqrt", "sym_sum"),
    "cuda": ("Event", "Stream"),
    "_tensor_str": ("get_printoptions", "set_printoptions"),
    "overrides": ("DisableTorchFunction", "DisableTorchFunctionSubclass"),
    "serialization": ("load", "save"),
    "storage": ("TypedStorage", "UntypedStorage"),
}  # fmt: skip
_LAZY = {name: home for home, names in _HOMES.items() for name in names}
_TYPES = frozenset(
    f"{kind}{what}"
    for kind in ("Float", "Double", "Half", "BFloat16", "Byte", "Char", "Short", "Int", "Long", "Bool")
    for what in ("Tensor", "Storage")
)
_OWN = frozenset({"annotations", "importlib", "Any"})


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        try:
            return importlib.import_module(f"rushlight.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"rushlight.{name}":
                raise
    elif name in _LAZY:
        value = getattr(importlib.import_module(f"rushlight.{_LAZY[name]}"), name)
        globals()[name] = value
        return value
    elif name in _TYPES:
        return _legacy_type(name)
    elif name == "torch":  # programs write torch.torch.Tensor
        return importlib.import_module("rushlight")
    elif name in ("__config__", "_dynamo", "_functions", "_subclasses", "_tensor_str", "_utils"):
        return importlib.import_module(f"rushlight.{name}")
    elif name.startswith("_"):
        op = None if name.startswith("__") else getattr(_C, name, None) or _compositions().find(name)
        if name.startswith("_foreach_"):
            op = importlib.import_module("rushlight._foreach").find(name)
        if op is None or not callable(op):
            raise AttributeError(f"module 'torch' has no attribute {name!r}")
        return op
    else:
        value = _compositions().find(name)
        if value is not None:
            globals()[name] = value
            return value
    from rushlight._missing import no_attribute

    raise no_attribute("rushlight", name, __dir__())


def __dir__() -> list[str]:
    return sorted({*(n for n in globals() if n not in _OWN), *_SUBMODULES, *_LAZY, *_TYPES, *_compositions().NAMES})


def _legacy_type(name: str) -> Any:
    """`torch.FloatTensor`, `torch.FloatStorage` and their kind."""
    if name.endswith("Tensor"):
        from rushlight._legacy import tensor_class

        return tensor_class(name)
    from rushlight.storage import storage_class

    return storage_class(name)


def _compositions() -> Any:
    return importlib.import_module("rushlight._composite")


# Attributes with an underscore that tensors get from _tensor_methods when they are asked for.
_UNDERSCORED = frozenset(
    {
        "__array_priority__", "__div__", "__idiv__", "__long__", "__nonzero__", "__rdiv__", "_cdata", "_grad",
        "_grad_fn", "_reduce_ex_internal", "_typed_storage",
    }
)  # fmt: skip


# Methods that are Python, and so are imported when they are first looked up, on a tensor or on its class.
_LATE = (
    "__div__", "__idiv__", "__long__", "__nonzero__", "__rdiv__", "allclose", "apply_", "cholesky", "cholesky_inverse",
    "cholesky_solve", "coalesce", "const_data_ptr", "corrcoef", "cov", "cross", "dense_dim", "dequantize", "det",
    "diff", "dim_order", "dsplit", "fill_diagonal_", "fliplr", "flipud", "float_power", "float_power_", "geqrf",
    "histogram", "histogramdd", "hsplit", "indices", "int_repr", "inverse", "ipu", "is_coalesced", "is_distributed",
    "is_ipu", "is_maia", "is_mtia", "is_set_to", "is_vulkan", "is_xla", "isclose", "istft", "kron", "logdet", "lu",
    "lu_solve", "map2_", "map_", "matrix_exp", "mtia", "name", "nan_to_num", "nanquantile", "new", "new_tensor",
    "orgqr", "ormqr", "pinverse", "polygamma", "polygamma_", "q_scale", "q_zero_point", "qr", "qscheme", "quantile",
    "record_stream", "reinforce", "resize", "resize_as", "rot90", "share_memory_", "slogdet", "sparse_dim",
    "sparse_mask", "stft", "storage", "storage_type", "sum_to_size", "svd", "take_along_dim", "tensor_split",
    "to_dense", "to_sparse", "to_sparse_bsc", "to_sparse_bsr", "to_sparse_coo", "to_sparse_csc", "to_sparse_csr",
    "triangular_solve", "type", "type_as", "unique", "unique_consecutive", "untyped_storage", "values", "volatile",
    "vsplit", "xpu",
)  # fmt: skip


class _Late:
    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, tensor: Any, owner: Any = None) -> Any:
        setattr(_C.Tensor, self.name, _missing_tensor_attribute(self.name))
        return getattr(owner if tensor is None else tensor, self.name)


def _missing_tensor_attribute(name: str) -> Any:
    """What the core asks for an attribute that tensors lack: a function to become a method, or None."""
    if name.startswith("_") and name not in _UNDERSCORED:
        return None
    methods = _methods().METHODS
    if name in methods:
        return methods[name]
    compositions = _compositions()
    found = compositions.find_method(name)
    if found is None:
        from rushlight._missing import tensor_attribute

        raise tensor_attribute(name, [*dir(_C.Tensor), *methods, *compositions.NAMES])
    return found


def _methods() -> Any:
    return importlib.import_module("rushlight._tensor_methods")


def _tensor_repr(tensor: Any) -> str:
    """How the core prints a tensor; the printing module is imported with the first one."""
    from rushlight._tensor_str import _str

    return _str(tensor)


def _tensor_format(self: Any, spec: str) -> str:
    """`f"{tensor:.4f}"`."""
    from rushlight._tensor_str import _format

    return _format(self, spec)


def _missing_core_name(name: str) -> Any:
    """What programs import from `torch._C` and is not in the core."""
    from rushlight._core_names import find

    return find(name)


def _attach() -> None:
    """The special methods of tensors that are written in Python. Each imports its code when it is first called."""
    own: Any = _C.Tensor  # a stub does not say that its methods may be set
    own.__format__ = _tensor_format
    own.__contains__ = lambda self, element: _methods().contains(self, element)
    own.__complex__ = lambda self: (self.item() if self.numel() == 1 else self.__float__()) + 0j
    own.__reversed__ = lambda self: self if self.dim() == 0 else self.flip(0)
    own.__copy__ = lambda self: _methods().copied(self)
    own.__deepcopy__ = lambda self, memo: _methods().deep_copied(self, memo)
    own.__reduce_ex__ = lambda self, protocol: _methods().reduced(self, protocol)
    own.__array_wrap__ = lambda self, *arguments: _methods().wrapped_array(self, *arguments)
    own.__array_priority__ = 1000
    device: Any = _C.device
    device.__enter__ = lambda self: __getattr__("_functions").enter_device(self)
    device.__exit__ = lambda self, *error: __getattr__("_functions").leave_device()
    own.is_shared = lambda self: self.untyped_storage().is_shared()
    for name in _LATE:
        if not hasattr(own, name):
            setattr(own, name, _Late(name))
    vars(_C)["__getattr__"] = _missing_core_name
    _C._set_missing_attribute_hook(_missing_tensor_attribute)
    _C._set_repr_hook(_tensor_repr)


_attach()
