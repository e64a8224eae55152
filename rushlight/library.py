"""`torch.library`: operators of one's own, called as `torch.ops.space.name`.

Reference: https://pytorch.org/docs/stable/library.html
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from rushlight import _C

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = [
    "CustomOpDef",
    "Library",
    "custom_op",
    "define",
    "impl",
    "register_autograd",
    "register_fake",
    "register_kernel",
    "register_vmap",
    "triton_op",
    "wrap_triton",
]

_DEFINED: dict[str, CustomOpDef] = {}


class CustomOpDef:
    """An operator that a program defined. It is called as its function; gradients come from `register_autograd`."""

    def __init__(self, name: str, fn: Callable[..., Any] | None, schema: str | None = None) -> None:
        self._qualname = name
        self._namespace, _, self._name = name.partition("::")
        self._schema = schema
        self._fn = fn
        self._kernels: dict[str, Callable[..., Any]] = {}
        self._backward: Callable[..., Any] | None = None
        self._setup: Callable[..., Any] | None = None
        self.__name__ = self._name

    def __repr__(self) -> str:
        return f"<CustomOpDef({self._qualname})>"

    def _run(self) -> Callable[..., Any]:
        fn = self._kernels.get("cpu") or self._kernels.get("default") or self._fn
        if fn is None:
            raise NotImplementedError(
                f"{self._qualname}: no function for the CPU was registered; register_kernel('cpu') does it"
            )
        return fn

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        fn = self._run()
        tensors = (x for x in (*args, *kwargs.values()) if isinstance(x, _C.Tensor))
        if not _C._is_grad_enabled() or not any(x.requires_grad for x in tensors):
            return fn(*args, **kwargs)
        bound = inspect.signature(fn).bind(*args, **kwargs)
        bound.apply_defaults()
        return _function_of(self, bound.kwargs).apply(*bound.args)

    def register_fake(self, fn: Any = None, /) -> Any:
        """A function of shapes alone: kept, for programs are not traced."""
        return fn if fn is not None else lambda f: f

    register_vmap = register_torch_dispatch = register_fake

    def register_kernel(self, device_types: Any, fn: Any = None, /) -> Any:
        """The function for a kind of device."""
        if fn is None:
            return lambda f: self.register_kernel(device_types, f)
        for kind in (
            ("cpu",) if device_types is None else (device_types,) if isinstance(device_types, str) else device_types
        ):
            self._kernels[kind] = fn
        return fn

    def register_autograd(self, backward: Any, /, *, setup_context: Any = None) -> None:
        """How gradients go back: `backward(ctx, *grads)`, and `setup_context(ctx, inputs, output)`, which saves for it."""
        self._backward, self._setup = backward, setup_context

    def set_kernel_enabled(self, device_type: str, enabled: bool = True) -> Any:
        """Accepted."""
        return self


def _function_of(op: CustomOpDef, kwargs: dict[str, Any]) -> Any:
    """One call of an operator as a node of autograd; keyword-only arguments carry no gradients."""
    from rushlight.autograd import Function

    class Custom(Function):
        @staticmethod
        def forward(ctx: Any, *args: Any) -> Any:
            result = op._run()(*args, **kwargs)
            if op._setup is not None:
                keywords = {"keyword_only_inputs": kwargs} if kwargs else {}
                op._setup(ctx=ctx, inputs=args, output=result, **keywords)
            return result

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            if op._backward is None:
                raise RuntimeError(
                    f"Trying to backward through {op._qualname} but no autograd formula was registered. "
                    "Please use register_autograd to add one."
                )
            return op._backward(ctx, *grads)

    Custom.__name__ = Custom.__qualname__ = f"{op._namespace}_{op._name}"
    return Custom


def _checked(name: str) -> str:
    if "::" not in name:
        raise ValueError(f"Expected `name` to be of the form 'namespace::name', got {name!r}")
    return name.partition("(")[0].removesuffix(".default")


def custom_op(
    name: str,
    fn: Any = None,
    /,
    *,
    mutates_args: str | Iterable[str],
    device_types: Any = None,
    schema: str | None = None,
    tags: Any = None,
) -> Any:
    """Make a function an operator, called by its own name or as `torch.ops.space.name`.

    Args:
        name: "space::name".
        fn: the function; left out, a decorator is returned.
        mutates_args, schema, tags: accepted.
        device_types: for which devices the function is.

    Example:
        >>> import rushlight as torch
        >>> @torch.library.custom_op("docs::twice", mutates_args=())
        ... def twice(x: torch.Tensor) -> torch.Tensor:
        ...     return x * 2
        >>> twice.register_autograd(lambda ctx, grad: grad * 2)
        >>> x = torch.ones(2, requires_grad=True)
        >>> torch.ops.docs.twice(x).sum().backward()
        >>> x.grad
        tensor([2., 2.])

    Reference: https://pytorch.org/docs/stable/library.html#torch.library.custom_op
    """

    def make(function: Any) -> CustomOpDef:
        op = CustomOpDef(_checked(name), None if device_types is not None else function, schema)
        if device_types is not None:
            op.register_kernel(device_types, function)
        _DEFINED[op._qualname] = op
        return op

    return make if fn is None else make(fn)


def triton_op(name: str, fn: Any = None, /, *, mutates_args: Any, schema: str | None = None) -> Any:
    """`custom_op`: there is no Triton."""
    return custom_op(name, fn, mutates_args=mutates_args, schema=schema)


def wrap_triton(kernel: Any) -> Any:
    """The kernel itself."""
    return kernel


def _found(op: Any) -> CustomOpDef:
    if isinstance(op, CustomOpDef):
        return op
    name = op if isinstance(op, str) else getattr(op, "_qualname", str(op))
    if _checked(name) not in _DEFINED:
        raise RuntimeError(f"operator {name} does not exist")
    return _DEFINED[_checked(name)]


def define(qualname: str, schema: str, *, lib: Any = None, tags: Any = ()) -> None:
    """Declare an operator, whose functions come later from `impl`."""
    name = _checked(qualname)
    _DEFINED[name] = CustomOpDef(name, None, schema)


def impl(qualname: str, types: Any, func: Any = None, *, lib: Any = None) -> Any:
    """Give an operator its function, for the devices or keys that `types` names."""
    if func is None:
        return lambda f: impl(qualname, types, f, lib=lib)
    op = _found(qualname)
    for kind in (types,) if isinstance(types, str) else types:
        if kind.lower() in ("cpu", "default", "compositeexplicitautograd", "compositeimplicitautograd", ""):
            op._fn = func
        else:
            op._kernels[kind.lower()] = func
    return func


def register_kernel(op: Any, device_types: Any, func: Any = None, /, *, lib: Any = None) -> Any:
    """`CustomOpDef.register_kernel`, for an operator or its name."""
    return _found(op).register_kernel(device_types, func)


def register_fake(op: Any, func: Any = None, /, *, lib: Any = None, allow_override: bool = False) -> Any:
    """A function of shapes alone: accepted, for programs are not traced."""
    return func if func is not None else lambda f: f


register_vmap = impl_abstract = register_fake


def register_autograd(op: Any, backward: Any, /, *, setup_context: Any = None, lib: Any = None) -> None:
    """`CustomOpDef.register_autograd`, for an operator or its name."""
    _found(op).register_autograd(backward, setup_context=setup_context)


class Library:
    """Operators of one namespace, declared and given functions one after the other.

    Reference: https://pytorch.org/docs/stable/library.html#torch.library.Library
    """

    def __init__(self, ns: str, kind: str, dispatch_key: str = "") -> None:
        self.ns = ns
        self.kind = kind
        self.dispatch_key = dispatch_key

    def define(self, schema: str, alias_analysis: str = "", *, tags: Any = ()) -> str:
        """Declare an operator: "name(Tensor x) -> Tensor"."""
        name = schema.partition("(")[0].strip()
        define(f"{self.ns}::{name}", schema)
        return name

    def impl(self, op_name: Any, fn: Any, dispatch_key: str = "", **options: Any) -> None:
        """Give an operator its function."""
        name = op_name if isinstance(op_name, str) else op_name.__name__
        impl(f"{self.ns}::{name.rpartition('::')[2]}", dispatch_key or self.dispatch_key, fn)


def find(qualname: str) -> CustomOpDef | None:
    """The operator of that name, for `torch.ops`."""
    return _DEFINED.get(qualname)


def __getattr__(name: str) -> Any:
    from rushlight._missing import no_attribute

    raise no_attribute(__name__, name, __all__)
