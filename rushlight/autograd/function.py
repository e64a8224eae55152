"""Custom functions: subclass `Function`, say `forward` and `backward`, call `apply`."""

from __future__ import annotations

import warnings
from typing import Any

from rushlight import _C

__all__ = ["Function", "FunctionCtx", "InplaceFunction", "once_differentiable"]


class FunctionCtx:
    """What `forward` and `backward` of a custom function share; `ctx` in their signatures.

    The core makes one for each `apply`, reads what `forward` left on it, and gives `saved_tensors` and
    `needs_input_grad` back.
    """

    _function: Any = None
    _node: Any = None
    to_save: tuple[Any, ...] = ()
    dirty_tensors: tuple[Any, ...] = ()
    non_differentiable: tuple[Any, ...] = ()
    materialize_grads: bool = True
    needs_input_grad: tuple[bool, ...] = ()

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """What `save_for_backward` kept; RuntimeError once backward has freed it."""
        saved: tuple[Any, ...] = _C._saved_tensors(self)
        return saved

    @property
    def saved_variables(self) -> tuple[Any, ...]:
        """What `saved_tensors` was called once."""
        warnings.warn("'saved_variables' is deprecated; use 'saved_tensors'", DeprecationWarning, stacklevel=2)
        return self.saved_tensors

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors (inputs or outputs of `forward`, or None) for `backward`, where `ctx.saved_tensors` has them."""
        self.to_save = tensors

    def save_for_forward(self, *tensors: Any) -> None:
        """Keep tensors for `jvp`."""
        self.saved_for_forward = tensors

    def mark_dirty(self, *tensors: Any) -> None:
        """Say which inputs `forward` changed in place; they must be returned too."""
        self.dirty_tensors = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Say which outputs have no gradient, such as indices."""
        self.non_differentiable = tensors

    def mark_shared_storage(self, *pairs: Any) -> None:
        """Accepted: views are known without it."""
        warnings.warn(
            "mark_shared_storage is deprecated. Tensors with shared storages are automatically tracked. Note that "
            "calls to `set_()` are not tracked",
            FutureWarning,
            stacklevel=2,
        )

    # What the node says of itself: in `backward`, `ctx` is taken for it.

    def name(self) -> str:
        """The node's name."""
        return type(self).__name__

    @property
    def next_functions(self) -> Any:
        """The nodes that the gradients go to, with their input numbers."""
        return _C._node_of_context(self).next_functions

    @property
    def metadata(self) -> dict[Any, Any]:
        """A dict for notes."""
        notes: dict[Any, Any] = _C._node_of_context(self).metadata
        return notes

    def register_hook(self, hook: Any) -> Any:
        """Call hook(grad_inputs, grad_outputs) after the node ran."""
        return _C._node_of_context(self).register_hook(hook)

    def register_prehook(self, hook: Any) -> Any:
        """Call hook(grad_outputs) before the node runs."""
        return _C._node_of_context(self).register_prehook(hook)

    def set_materialize_grads(self, value: bool) -> None:
        """False: `backward` gets None, not zeros, for outputs that took no part in the loss."""
        self.materialize_grads = value


class Function(_C._FunctionBase):
    """Base of custom differentiable functions.

    Example:
        >>> import rushlight as torch
        >>> class Exp(torch.autograd.Function):
        ...     @staticmethod
        ...     def forward(ctx, x):
        ...         y = x.exp()
        ...         ctx.save_for_backward(y)
        ...         return y
        ...     @staticmethod
        ...     def backward(ctx, grad):
        ...         (y,) = ctx.saved_tensors
        ...         return grad * y
        >>> Exp.apply(torch.tensor(0.0))
        tensor(1.)

    `backward` returns one gradient (or None) for each argument of `forward`. With a separate
    `setup_context(ctx, inputs, output)`, `forward` takes no `ctx`.

    Reference: https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function
    """

    _backward_cls: type[FunctionCtx] = FunctionCtx

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # The type of `ctx`, named as the node is.
        members = {"_function": cls, "__module__": cls.__module__}
        cls._backward_cls = type(f"{cls.__name__}Backward", (FunctionCtx,), members)
        if "vjp" in cls.__dict__ and "backward" not in cls.__dict__:
            cls.backward = cls.__dict__["vjp"]  # type: ignore[method-assign]  # the core calls `backward`

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        warnings.warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so you should "
            "invoke them on the class itself. Instantiating an autograd function will raise an error in a future version.",
            DeprecationWarning,
            stacklevel=2,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd "
            f"function with static forward method: {type(self).__name__}.apply(...)"
        )

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the result; the first argument is `ctx` unless the class has `setup_context`."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Save what `backward` needs, from the inputs and the output of a `forward` without `ctx`."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """The gradient of each argument of `forward`, from that of each output."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    vjp = backward

    generate_vmap_rule = False  # accepted: vmap calls `forward` for each item

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        """The function of a batch, for libraries that call it; `func.vmap` calls `forward` for each item."""
        raise NotImplementedError("To use autograd.Function with a batch of its own, implement the vmap staticmethod.")

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """The tangent of each output, from that of each input."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )


class InplaceFunction(Function):
    """A custom function that may work in place (kept for old code)."""

    def __init__(self, inplace: bool = False) -> None:
        self.inplace = inplace


def _bind(forward: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """All arguments of `forward` by position, the defaults included, as `setup_context` gets them."""
    import inspect

    bound = inspect.signature(forward).bind(*args, **kwargs)
    bound.apply_defaults()
    if bound.kwargs:
        raise NotImplementedError("a forward with keyword-only arguments is not supported beside setup_context")
    return bound.args


def once_differentiable(fn: Any) -> Any:
    """Decorates a `backward` that can not itself be differentiated; a second derivative is then an error.

    >>> from rushlight.autograd.function import once_differentiable
    >>> class Double(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         return 2 * x
    ...     @staticmethod
    ...     @once_differentiable
    ...     def backward(ctx, grad):
    ...         return 2 * grad
    >>> x = torch.ones(1, requires_grad=True)
    >>> Double.apply(x).backward()
    >>> x.grad
    tensor([2.])
    """
    import functools

    @functools.wraps(fn)
    def backward(ctx: Any, *grads: Any) -> Any:
        recording = _C._is_grad_enabled()
        _C._set_grad_enabled(False)
        try:
            outputs = fn(ctx, *grads)
        finally:
            _C._set_grad_enabled(recording)
        if not recording or not any(isinstance(g, _C.Tensor) and g.requires_grad for g in grads):
            return outputs
        single = not isinstance(outputs, tuple)
        results = tuple(
            _Blocked.apply(o, *[g for g in grads if isinstance(g, _C.Tensor)]) if isinstance(o, _C.Tensor) else o
            for o in ((outputs,) if single else outputs)
        )
        return results[0] if single else results

    return backward


class _Blocked(Function):
    """Passes a value on, and refuses to be differentiated."""

    @staticmethod
    def forward(ctx: Any, value: Any, *sources: Any) -> Any:
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise RuntimeError(
            "trying to differentiate twice a function that was marked with @once_differentiable; write its backward "
            "with differentiable operations and take the decorator away"
        )


class _NoDerivative(Function):
    """Passes a result on that depends on tensors by which it has no derivative."""

    _node_name = "NotImplemented"

    @staticmethod
    def forward(ctx: Any, name: str, result: Any, *sources: Any) -> Any:
        ctx.function = name
        return result

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        raise NotImplementedError(f"the derivative for '{ctx.function}' is not implemented.")


def without_derivative(name: str, result: Any, *sources: Any) -> Any:
    """`result`, through which going backward to the tensors among `sources` is an error, not a gradient left out."""
    wanted = [t for t in sources if isinstance(t, _C.Tensor) and t.requires_grad]
    if not wanted or not _C._is_grad_enabled() or result.requires_grad:
        return result
    return _NoDerivative.apply(name, result, *wanted)
