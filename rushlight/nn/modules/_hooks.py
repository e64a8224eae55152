"""The call of a module that has hooks; modules without any never come here."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any

from rushlight import _C
from rushlight.autograd.function import Function
from rushlight.utils.hooks import RemovableHandle

__all__ = ["add_hook", "call_hooked"]

# Hooks of every module, by the name that a module's own dictionary of the same kind has.
GLOBAL: dict[str, OrderedDict[int, Any]] = {
    name: OrderedDict()
    for name in (
        "_forward_pre_hooks",
        "_forward_hooks",
        "_forward_hooks_with_kwargs",
        "_forward_hooks_always_called",
        "_backward_pre_hooks",
        "_backward_hooks",
        "_older_backward_hooks",
        "_parameter_registration",
        "_module_registration",
        "_buffer_registration",
    )
}


def add_hook(hooks: Any, hook: Any, *flags: Any, prepend: bool = False) -> RemovableHandle:
    """Put `hook` into `hooks`, mark it in each of `flags`, and return the handle that undoes both."""
    handle = RemovableHandle(hooks, extra_dict=[f for f in flags if f is not None])
    hooks[handle.id] = hook
    for flag in flags:
        if flag is not None:
            flag[handle.id] = True
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


class BackwardHookFunction(Function):
    """Passes tensors through; when their gradients arrive in backward, `seen` may look at and replace them."""

    @staticmethod
    def forward(ctx: Any, seen: Callable[[tuple[Any, ...]], Any], *tensors: Any) -> Any:
        ctx.seen = seen
        ctx.set_materialize_grads(False)
        return tuple(t.view_as(t) for t in tensors)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return (None, *ctx.seen(grads))


def _pass_through(values: tuple[Any, ...], seen: Callable[[tuple[Any, ...]], Any]) -> tuple[tuple[Any, ...], bool]:
    """Send the tensors among `values` through a gate. False: none of them requires grad, so nothing was done."""
    at = [i for i, v in enumerate(values) if isinstance(v, _C.Tensor)]
    if not (_C._is_grad_enabled() and any(values[i].requires_grad for i in at)):
        return values, False

    def see(grads: tuple[Any, ...]) -> tuple[Any, ...]:
        full: list[Any] = [None] * len(values)
        for i, g in zip(at, grads, strict=True):
            full[i] = g
        result = seen(tuple(full))
        return tuple(result[i] for i in at)

    passed = BackwardHookFunction.apply(see, *(values[i] for i in at))
    out = list(values)
    for i, t in zip(at, passed, strict=True):
        out[i] = t
    return tuple(out), True


class _BackwardHooks:
    """The full backward hooks of one call: gates around the inputs and the outputs."""

    def __init__(self, module: Any) -> None:
        own = module.__dict__
        self.module = module
        self.pre = [*GLOBAL["_backward_pre_hooks"].values(), *own.get("_backward_pre_hooks", {}).values()]
        full = own.get("_is_full_backward_hook") is not False
        mine = list(own.get("_backward_hooks", {}).values())
        self.hooks = [*GLOBAL["_backward_hooks"].values(), *(mine if full else [])]
        self.older = [*GLOBAL["_older_backward_hooks"].values(), *([] if full else mine)]
        self.grad_output: Any = None
        self.inputs_gated = False
        self.input_count = 0

    def on_inputs(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.input_count = len(args)
        if self.hooks:
            args, self.inputs_gated = _pass_through(args, self._input_grads)
        return args

    def on_output(self, output: Any) -> Any:
        if self.older:
            self._hook_last_node(output)
        if not (self.pre or self.hooks):
            return output
        several = isinstance(output, tuple)
        values, _ = _pass_through(output if several else (output,), self._output_grads)
        return values if several else values[0]

    def _hook_last_node(self, output: Any) -> None:
        """The older hooks see the gradients of the node that made the output, which may be the module's last alone."""
        while not isinstance(output, _C.Tensor):
            if isinstance(output, dict):
                output = next(v for v in output.values() if isinstance(v, _C.Tensor))
            else:
                output = output[0]
        if output.grad_fn is not None:
            for hook in self.older:
                output.grad_fn.register_hook(partial(hook, self.module))

    def _output_grads(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.pre:
            grads = self._replaced(hook(self.module, grads), grads)
        self.grad_output = grads
        if self.hooks and not self.inputs_gated:
            import warnings

            warnings.warn(
                "Full backward hook is firing when gradients are computed with respect to module outputs since no "
                "inputs require gradients.",
                stacklevel=2,
            )
            for hook in self.hooks:
                result = hook(self.module, (None,) * self.input_count, grads)
                if result is not None and not (isinstance(result, tuple) and all(g is None for g in result)):
                    raise RuntimeError(
                        "Backward hook for Modules where no input requires gradient should always return None or None "
                        "for all gradients."
                    )
        return grads

    def _input_grads(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.hooks:
            grads = self._replaced(hook(self.module, grads, self.grad_output), grads)
        return grads

    @staticmethod
    def _replaced(result: Any, before: tuple[Any, ...]) -> tuple[Any, ...]:
        if result is None:
            return before
        if len(result) != len(before):
            raise RuntimeError(
                f"Backward hook returned an invalid number of grad_input, got {len(result)}, but expected {len(before)}"
            )
        for new, old in zip(result, before, strict=True):
            if isinstance(new, _C.Tensor) and isinstance(old, _C.Tensor) and new.shape != old.shape:
                raise RuntimeError(f"hook 'hook' has changed the size of value: from {old.shape} to {new.shape}")
        return tuple(result)


def call_hooked(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`module(*args, **kwargs)` with all hooks that apply to it."""
    own = module.__dict__
    with_kwargs = own.get("_forward_pre_hooks_with_kwargs", {})
    for key, hook in [*GLOBAL["_forward_pre_hooks"].items(), *own.get("_forward_pre_hooks", {}).items()]:
        if key in with_kwargs:
            result = hook(module, args, kwargs)
            if result is not None:
                if not (isinstance(result, tuple) and len(result) == 2):
                    raise RuntimeError(
                        f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {result}."
                    )
                args, kwargs = result
        else:
            result = hook(module, args)
            if result is not None:
                args = result if isinstance(result, tuple) else (result,)
    pre, later = "_backward_pre_hooks", "_backward_hooks"
    backward = None
    if own.get(pre) or own.get(later) or GLOBAL[pre] or GLOBAL[later] or GLOBAL["_older_backward_hooks"]:
        backward = _BackwardHooks(module)
    forward_hooks = [*GLOBAL["_forward_hooks"].items(), *own.get("_forward_hooks", {}).items()]
    takes_kwargs = {**GLOBAL["_forward_hooks_with_kwargs"], **own.get("_forward_hooks_with_kwargs", {})}
    always = {**GLOBAL["_forward_hooks_always_called"], **own.get("_forward_hooks_always_called", {})}
    done: set[int] = set()
    output: Any = None
    try:
        if backward:
            args = backward.on_inputs(args)
        output = module.forward(*args, **kwargs)
        for key, hook in forward_hooks:
            done.add(key)
            result = hook(module, args, kwargs, output) if key in takes_kwargs else hook(module, args, output)
            if result is not None:
                output = result
        return backward.on_output(output) if backward else output
    except Exception:
        import warnings

        for key, hook in forward_hooks:
            if key in always and key not in done:
                try:
                    result = hook(module, args, kwargs, output) if key in takes_kwargs else hook(module, args, output)
                    if result is not None:
                        output = result
                except Exception as second:
                    warnings.warn(
                        "module forward hook with ``always_call=True`` raised an exception that was silenced as "
                        f"another error was raised in forward: {second}",
                        stacklevel=3,
                    )
        raise
