"""Tensors that belong to a module: `Parameter` and `Buffer`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rushlight import _C

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "is_lazy"]


class Parameter(_C.Tensor):  # type: ignore[misc]
    """A tensor that a module counts among its parameters when it is set as an attribute.

    Args:
        data: the values (empty when left out). They are shared, not copied.
        requires_grad: whether to compute its gradient.

    Raises:
        RuntimeError: `requires_grad` of integers or bools.

    >>> m = torch.nn.Module()
    >>> m.scale = torch.nn.Parameter(torch.ones(2))
    >>> [name for name, _ in m.named_parameters()], m.scale.requires_grad
    (['scale'], True)

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.parameter.Parameter.html
    """

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Parameter:
        if data is None:
            data = _C.empty(0)
        made: Parameter = _C.Tensor._make_subclass(cls, data.detach(), requires_grad)
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Parameter:
        if id(self) in memo:
            known: Parameter = memo[id(self)]
            return known
        made = type(self)(self.detach().clone(memory_format=_C.preserve_format), self.requires_grad)
        memo[id(self)] = made
        return made

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        from rushlight._tensor_str import _str

        return "Parameter containing:\n" + _str(self)

    def __reduce_ex__(self, protocol: Any) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return _rebuild_parameter, (self.detach(), self.requires_grad, {})


def _rebuild_parameter(data: Any, requires_grad: bool, backward_hooks: Any) -> Parameter:
    """What a pickled parameter calls; `backward_hooks` is there for PyTorch's files, and empty."""
    return Parameter(data, requires_grad)


class _BufferType(type):
    """Makes `isinstance(x, Buffer)` true for the plain tensors that `Buffer(...)` returns."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, _C.Tensor) and getattr(instance, "_is_buffer", False)


class Buffer(metaclass=_BufferType):
    """A tensor that a module counts among its buffers when it is set as an attribute.

    Args:
        data: the values (empty when left out).
        persistent: whether it is part of `state_dict`.

    >>> m = torch.nn.Module()
    >>> m.mean = torch.nn.Buffer(torch.zeros(2))
    >>> list(m.state_dict()), list(m.parameters())
    (['mean'], [])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.parameter.Buffer.html
    """

    persistent: bool

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        if data is None:
            data = _C.empty(0)
        made = data.detach().requires_grad_(data.requires_grad)
        made.persistent = persistent
        made._is_buffer = True
        return made


class UninitializedTensorMixin:
    """A tensor that has a dtype and a device, but no shape yet; only what moves or fills it may be called."""

    cls_to_become: Any = None
    data: Any
    _watched: Any = None
    _allowed = frozenset(
        {
            "__hash__", "__setattr__", "__get__", "__set__", "__delete__", "size", "copy_", "is_complex",
            "is_floating_point", "half", "float", "double", "char", "short", "int", "long", "cuda", "cpu", "to",
            "get_device", "_has_compatible_shallow_copy_type", "bfloat16", "requires_grad_", "detach", "clone",
        }
    )  # fmt: skip

    @staticmethod
    def _watch() -> None:
        """Have the core ask `__torch_function__` from now on: it does so once a class of another package exists."""
        if UninitializedTensorMixin._watched is None:
            body = {"__module__": "torch.nn.parameter", "__torch_function__": _C._disabled_torch_function_impl}
            UninitializedTensorMixin._watched = type("_Watched", (_C.Tensor,), body)

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Get a shape: from now on this is an ordinary parameter or buffer with unset values."""
        device = self.data.device if device is None else device
        dtype = self.data.dtype if dtype is None else dtype
        self.data = _C.empty(shape, device=device, dtype=dtype)
        self.__class__ = self.cls_to_become

    @property
    def shape(self) -> Any:
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. This error usually happens in "
            "`load_state_dict` when trying to load an uninitialized parameter into an initialized one. Call `forward` "
            "to initialize the parameters before accessing their attributes."
        )

    def numel(self) -> int:
        """Refused: how many elements there will be is not known yet."""
        self.__torch_function__(_C.Tensor.numel, (type(self),), (self,))
        return 0

    def share_memory_(self) -> Any:
        """Refused: there is no memory yet."""
        raise RuntimeError(
            "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the parameters "
            "before calling `module.share_memory()`."
        )

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return f"<{type(self).__name__}>"

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, tuple[Any, ...]]:
        return type(self), (self.requires_grad, None, self.data.dtype)  # type: ignore[attr-defined]

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if getattr(func, "__name__", "") in cls._allowed or type(func).__name__ == "method-wrapper":
            return super().__torch_function__(func, types, args, kwargs or {})  # type: ignore[misc]
        raise ValueError(
            f"Attempted to use an uninitialized parameter in {func}. This error happens when you are using a "
            "`LazyModule` or explicitly manipulating `torch.nn.parameter.UninitializedParameter` objects. When using "
            "LazyModules Call `forward` with a dummy batch to initialize the parameters before calling torch functions"
        )


def is_lazy(param: Any) -> bool:
    """Whether a parameter or buffer still waits for its shape.

    >>> torch.nn.parameter.is_lazy(torch.nn.LazyLinear(3).weight)
    True
    """
    return isinstance(param, UninitializedTensorMixin)


class UninitializedParameter(UninitializedTensorMixin, Parameter):  # type: ignore[misc]
    """A parameter whose shape is found out in the first call of its module.

    >>> m = torch.nn.LazyLinear(3)
    >>> isinstance(m.weight, torch.nn.UninitializedParameter)
    True

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.parameter.UninitializedParameter.html
    """

    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        cls._watch()
        return _C.Tensor._make_subclass(cls, _C.empty(0, device=device, dtype=dtype), requires_grad)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, self.data.device, self.data.dtype)
        return memo[id(self)]


class _MaterializedBuffer(_C.Tensor):  # type: ignore[misc]
    """What an uninitialized buffer becomes; a lazy module puts a plain tensor in its place."""

    __torch_function__ = _C._disabled_torch_function_impl


class UninitializedBuffer(UninitializedTensorMixin, _C.Tensor):  # type: ignore[misc]
    """A buffer whose shape is found out in the first call of its module.

    >>> m = torch.nn.LazyBatchNorm1d()
    >>> isinstance(m.running_mean, torch.nn.UninitializedBuffer)
    True

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.parameter.UninitializedBuffer.html
    """

    cls_to_become = _MaterializedBuffer

    def __new__(
        cls, requires_grad: bool = False, device: Any = None, dtype: Any = None, persistent: bool = True
    ) -> Any:
        cls._watch()
        made = _C.Tensor._make_subclass(cls, _C.empty(0, device=device, dtype=dtype), requires_grad)
        made.persistent = persistent
        made._is_buffer = True
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, self.data.device, self.data.dtype)
        return memo[id(self)]


_C._set_parameter_type(Parameter)
