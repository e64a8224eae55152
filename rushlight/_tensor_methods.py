"""Methods of tensors that are not operations: conversions to types, copies, storages, what NumPy and pickle ask for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from rushlight import _C
from rushlight._missing import DENSE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["METHODS", "contains", "copied", "deep_copied", "reduced", "wrapped_array"]


def _type(self: Any, dtype: Any = None, non_blocking: bool = False, **kwargs: Any) -> Any:
    """The name of the tensor's type ("torch.FloatTensor"), or the tensor converted to a dtype or type."""
    from rushlight._legacy import dtype_of_type, type_name

    return type_name(self.dtype) if dtype is None else self.to(dtype_of_type(dtype))


def _type_as(self: Any, other: Any) -> Any:
    """The tensor in the dtype of other."""
    if not isinstance(other, _C.Tensor):
        raise TypeError(f"type_as(): argument 'other' (position 1) must be Tensor, not {type(other).__name__}")
    return self.to(other.dtype)


def _new(self: Any, *args: Any, device: Any = None) -> Any:
    """A tensor of the same dtype: from sizes, or from data."""
    return _C._older_tensor(self.dtype, *args)


def _new_tensor(
    self: Any, data: Any, *, dtype: Any = None, device: Any = None, requires_grad: bool = False, **kwargs: Any
) -> Any:
    """A copy of data as a tensor of the same dtype."""
    if isinstance(data, _C.Tensor):
        made = data.detach().clone().to(self.dtype if dtype is None else dtype)
        return made.requires_grad_(requires_grad)
    return _C.tensor(data, dtype=self.dtype if dtype is None else dtype, device=device, requires_grad=requires_grad)


def _each(self: Any, name: str, others: tuple[Any, ...], function: Callable[..., Any]) -> Any:
    if self.requires_grad:
        raise TypeError(f"Can't call {name}() on Variable that requires grad. Use var.detach().{name}() instead.")
    for other in others:
        if not isinstance(other, _C.Tensor):
            raise TypeError(f"{name}(): argument 'other' (position 1) must be Tensor, not {type(other).__name__}")
    others = tuple(other.expand_as(self).reshape(-1).tolist() for other in others)
    rows = zip(self.reshape(-1).tolist(), *others, strict=True)
    values = [function(*row) for row in rows]
    self.copy_(_C.tensor(values, dtype=self.dtype).reshape(self.shape))
    return self


def _apply_(self: Any, callable: Callable[[Any], Any]) -> Any:
    """Replace each element by callable(element). Slow: a Python call for each."""
    return _each(self, "apply_", (), callable)


def _map_(self: Any, tensor: Any, callable: Callable[[Any, Any], Any]) -> Any:
    """Replace each element by callable(element, the one of tensor). Slow: a Python call for each."""
    return _each(self, "map_", (tensor,), callable)


def _map2_(self: Any, x: Any, y: Any, callable: Callable[[Any, Any, Any], Any]) -> Any:
    """Replace each element by callable(element, the one of x, the one of y). Slow: a Python call for each."""
    return _each(self, "map2_", (x, y), callable)


def _untyped_storage(self: Any) -> Any:
    """The bytes behind the tensor."""
    from rushlight.storage import UntypedStorage

    return UntypedStorage._of(self)


def _storage(self: Any) -> Any:
    """The memory behind the tensor, as elements of its dtype."""
    from rushlight.storage import TypedStorage

    return TypedStorage(wrap_storage=_untyped_storage(self), dtype=self.dtype)


def _storage_type(self: Any) -> Any:
    """The class of `storage()`, such as torch.FloatStorage."""
    from rushlight.storage import storage_class, storage_name

    return storage_class(storage_name(self.dtype))


def _share_memory_(self: Any) -> Any:
    """Move the storage into memory that processes share; returns self."""
    from rushlight import _shared_memory

    _shared_memory.share(self)
    return self


def _to_dense(self: Any, dtype: Any = None, *, masked_grad: bool = True) -> Any:
    """self: every tensor is dense."""
    return self if dtype is None else self.to(dtype)


def _dim_order(self: Any, *, ambiguity_check: Any = False) -> tuple[int, ...]:
    """The axes from the outermost in memory to the innermost."""
    strides = self.stride()
    return tuple(sorted(range(self.dim()), key=lambda d: (-strides[d], d)))


def _fill_diagonal_(self: Any, fill_value: Any, wrap: bool = False) -> Any:
    """Set the main diagonal; with wrap, also of the further blocks of a tall matrix."""
    if self.dim() < 2:
        raise RuntimeError("dimensions must larger than 1")
    if self.dim() > 2 and len(set(self.shape)) != 1:
        raise RuntimeError("all dimensions of input must be of equal length")
    if self.dim() == 2 and wrap and self.shape[0] > self.shape[1] + 1:
        width = self.shape[1]
        for start in range(0, self.shape[0], width + 1):
            self[start : start + width].diagonal().fill_(fill_value)
        return self
    count = min(self.shape)
    self.as_strided((count,), (sum(self.stride()),)).fill_(fill_value)
    return self


def _sum_to_size(self: Any, *size: Any) -> Any:
    """Sum over the axes along which `size` would have been broadcast to this shape."""
    target = tuple(size[0]) if len(size) == 1 and not isinstance(size[0], int) else size
    lead = self.dim() - len(target)
    if lead < 0 or any(t not in (1, s) for t, s in zip(target, self.shape[lead:], strict=True)):
        raise RuntimeError(f"size {{{list(target)}}} is not expandable to size {{{list(self.shape)}}}.")
    axes = [d for d in range(self.dim()) if d < lead or (target[d - lead] == 1 and self.shape[d] != 1)]
    summed = self.sum(axes, keepdim=True) if axes else self
    return summed.reshape(target) if lead else summed


def _reinforce(self: Any, reward: Any) -> Any:
    """Gone from PyTorch since 0.4."""
    raise RuntimeError("reinforce() was removed. Use torch.distributions instead.")


def _is_set_to(self: Any, tensor: Any) -> bool:
    """Whether both look at the same memory in the same way."""
    return (
        self._storage_id() == tensor._storage_id()
        and self.storage_offset() == tensor.storage_offset()
        and self.shape == tensor.shape
        and self.stride() == tensor.stride()
    )


def _none(self: Any) -> None:
    return None


def _false(self: Any) -> bool:
    return False


def _no_axis(self: Any) -> int:
    return 0


def _refused(kind: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        hint = f": {DENSE}" if kind == "sparse" else ""
        raise NotImplementedError(f"rushlight has no {kind} tensors{hint}")

    method.__doc__ = f"Refused: there are no {kind} tensors."
    return method


def _moved(kind: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError(f"Torch not compiled with {kind} enabled: rushlight runs on the CPU")

    method.__doc__ = f"An AssertionError: there is no {kind}."
    return method


def _function(name: str) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        from rushlight import _functions

        return getattr(_functions, name)(self, *args, **kwargs)

    method.__name__ = name
    method.__doc__ = f"`torch.{name}` of this tensor."
    return method


def _reverse(self: Any) -> Any:
    return self if self.dim() == 0 else self.flip(0)


def _data_ptr(self: Any) -> int:
    """The address of the first element."""
    address: int = self.data_ptr()
    return address


def _resize(self: Any, *sizes: Any) -> Any:
    """The older `reshape`: as many elements in another shape."""
    import warnings

    warnings.warn("non-inplace resize is deprecated", stacklevel=2)
    shape = sizes[0] if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes
    count = 1
    for size in shape:
        count *= size
    if count != self.numel():
        raise RuntimeError(
            f"requested resize to {'x'.join(map(str, shape))} ({count} elements in total), but the given tensor has a "
            f"size of {'x'.join(map(str, self.shape))} ({self.numel()} elements). autograd's resize can only change the "
            "shape of a given tensor, while preserving the number of elements. "
        )
    return self.contiguous().view(*shape)


def _resize_as(self: Any, tensor: Any) -> Any:
    """The older `reshape_as`."""
    return _resize(self, *tensor.shape)


def _record_stream(self: Any, stream: Any) -> None:
    """Refuses: there are no streams of CUDA work."""
    raise RuntimeError("record_stream is for CUDA tensors: rushlight runs on the CPU")


METHODS: dict[str, Any] = {
    "resize": _resize,
    "resize_as": _resize_as,
    "record_stream": _record_stream,
    "type": _type,
    "type_as": _type_as,
    "new": _new,
    "new_tensor": _new_tensor,
    "apply_": _apply_,
    "map_": _map_,
    "map2_": _map2_,
    "storage": _storage,
    "_typed_storage": _storage,
    "untyped_storage": _untyped_storage,
    "storage_type": _storage_type,
    "share_memory_": _share_memory_,
    "to_dense": _to_dense,
    "dim_order": _dim_order,
    "fill_diagonal_": _fill_diagonal_,
    "sum_to_size": _sum_to_size,
    "polygamma": lambda self, n: _C.polygamma(n, self),
    "reinforce": _reinforce,
    "is_set_to": _is_set_to,
    "const_data_ptr": _data_ptr,
    "is_coalesced": _false,
    "is_distributed": _false,
    "sparse_dim": _no_axis,
    "dense_dim": lambda self: self.dim(),
    "name": property(_none),
    "volatile": property(_false),
    "grad_dtype": property(lambda self: self.dtype),
    "is_ipu": property(_false),
    "is_maia": property(_false),
    "is_mtia": property(_false),
    "is_vulkan": property(_false),
    "is_xla": property(_false),
    "_grad": property(lambda self: self.grad),
    "_grad_fn": property(lambda self: self.grad_fn),
    "_cdata": property(id),
    "_reduce_ex_internal": lambda self, protocol: reduced(self, protocol),
    "__array_priority__": 1000,
    "__div__": lambda self, other: self / other,
    "__rdiv__": lambda self, other: self.reciprocal() * other,
    "__idiv__": lambda self, other: self.div_(other),
    "polygamma_": lambda self, n: self.copy_(_C.polygamma(n, self.clone())),
    "__nonzero__": lambda self: bool(self),
    "__long__": lambda self: int(self),
    **{
        name: _function(name)
        for name in (
            "cholesky", "cholesky_inverse", "cholesky_solve", "det", "inverse", "logdet", "matrix_exp", "pinverse",
            "qr", "slogdet", "svd",
        )
    },
    **{
        name: _refused("sparse")
        for name in (
            "coalesce", "indices", "values", "sparse_mask", "to_sparse", "to_sparse_bsc", "to_sparse_bsr",
            "to_sparse_coo", "to_sparse_csc", "to_sparse_csr",
        )
    },
    **{name: _refused("quantized") for name in ("dequantize", "int_repr", "q_scale", "q_zero_point", "qscheme")},
    **{name: _moved(name.upper()) for name in ("xpu", "ipu", "mtia")},
}  # fmt: skip


def contains(self: Any, element: Any) -> bool:
    """`element in self`."""
    if isinstance(element, (_C.Tensor, int, float, complex, bool)):
        found: bool = (element == self).any().item()
        return found
    raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")


def wrapped_array(self: Any, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
    """What NumPy's functions make of their result when a tensor was the argument: a tensor again."""
    if array.ndim == 0 and return_scalar:
        return _C.tensor(array.item(), dtype=_C.from_numpy(array.reshape(1)).dtype)
    return _C.from_numpy(array)


def copied(self: Any) -> Any:
    """`copy.copy`: another tensor over the same memory."""
    made = self.detach()
    if type(self) is not _C.Tensor:
        made = _C.Tensor._make_subclass(type(self), made)
    if self.requires_grad:
        made.requires_grad_()
    vars(made).update(vars(self))
    return made


def deep_copied(self: Any, memo: dict[Any, Any]) -> Any:
    """`copy.deepcopy`: memory of its own, shared as it was among what is copied together; the gradient comes along."""
    if id(self) in memo:
        return memo[id(self)]
    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the moment.  "
            "If you were attempting to deepcopy a module, this may be because of a torch.nn.utils.weight_norm usage, "
            "see https://github.com/pytorch/pytorch/pull/103001. A result of an operation that records can be copied "
            "with x.detach().clone()."
        )
    import copy

    from rushlight.storage import UntypedStorage

    bytes_ = UntypedStorage._of(self).__deepcopy__(memo)
    made = bytes_._tensor(self.dtype, self.storage_offset(), self.size(), self.stride())
    if type(self) is not _C.Tensor:
        made = _C.Tensor._make_subclass(type(self), made)
    if self.requires_grad:
        made.requires_grad_()
        if self.grad is not None:
            made.grad = copy.deepcopy(self.grad, memo)
    memo[id(self)] = made
    if vars(self):
        vars(made).update(copy.deepcopy(vars(self), memo))
    return made


def _sent_to_process() -> bool:
    """Whether it is `multiprocessing` that pickles: it does not know how to send a tensor before ours is imported."""
    frame: Any = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__", "").startswith("rushlight"):
        frame = frame.f_back
    return frame is not None and frame.f_globals.get("__name__") == "multiprocessing.reduction"


def reduced(self: Any, protocol: Any) -> Any:
    """How pickle sees a tensor. One that covers its storage shares it with others; a part takes only its own bytes."""
    if "multiprocessing.reduction" in sys.modules and _sent_to_process():
        from rushlight.multiprocessing.reductions import reduce_alone

        return reduce_alone(self)
    kind = None if type(self) is _C.Tensor else type(self)
    if self.is_meta:
        return _rebuilt_without_data, (
            self.dtype, tuple(self.shape), self.stride(), self.requires_grad, kind, dict(vars(self)),
        )  # fmt: skip
    from rushlight.storage import UntypedStorage

    whole = self.numel() * self.element_size() >= self._storage_bytes()
    source = self.detach()
    if type(source) is not _C.Tensor:
        source = _C.Tensor._make_subclass(_C.Tensor, source)
    if not whole:
        source = source.clone()
    bytes_ = UntypedStorage._of(source)
    name = repr(self.dtype).removeprefix("torch.")
    arguments = (bytes_, name, source.storage_offset(), tuple(source.shape), source.stride(), self.requires_grad)
    state = vars(self)
    if kind is None and not state:
        return _rebuilt, arguments
    return _rebuilt, (*arguments, kind, dict(state))


def _rebuilt(
    bytes_: Any,
    dtype: str,
    offset: int,
    size: Iterable[int],
    stride: Iterable[int],
    requires_grad: bool,
    kind: Any = None,
    state: Any = None,
) -> Any:
    """What a pickled tensor calls."""
    return as_it_was(bytes_._tensor(getattr(_C, dtype), offset, size, stride), kind, requires_grad, state)


def _rebuilt_without_data(dtype: Any, size: Any, stride: Any, requires_grad: bool, kind: Any, state: Any) -> Any:
    """What a pickled tensor of the device "meta" calls."""
    return as_it_was(_C.empty_strided(size, stride, dtype=dtype, device="meta"), kind, requires_grad, state)


def to_arguments(
    args: Iterable[Any], device: Any = None, dtype: Any = None, non_blocking: bool = False
) -> tuple[Any, Any, bool]:
    """What `to(device, dtype, non_blocking)`, `to(dtype, ...)` or `to(tensor, ...)` means, whichever it is."""
    for arg in args:
        if isinstance(arg, _C.Tensor):
            device, dtype = arg.device, arg.dtype
        elif isinstance(arg, _C.dtype):
            dtype = arg
        elif isinstance(arg, bool):
            non_blocking = arg
        elif arg is not None:
            device = arg
    return None if device is None else _C.device(device), dtype, non_blocking


def as_it_was(tensor: Any, kind: Any, requires_grad: bool, state: Any) -> Any:
    """A tensor that was sent or saved: of its class, if that is another one, and with its attributes."""
    if kind is not None:
        tensor = _C.Tensor._make_subclass(kind, tensor)
    if requires_grad:
        tensor.requires_grad_()
    if state:
        vars(tensor).update(state)
    return tensor
