"""`Optimizer`: groups of parameters with their options, state for each parameter, saving, hooks.

An optimizer is a subclass that gives its options as `defaults` and names its update: a rule of the core, which updates
all parameters in one call.
"""

from __future__ import annotations

import warnings
from collections import OrderedDict, defaultdict
from copy import deepcopy
from functools import wraps
from itertools import chain
from typing import TYPE_CHECKING, Any, ClassVar

from rushlight import _C
from rushlight.autograd.grad_mode import no_grad

if TYPE_CHECKING:
    from collections.abc import Callable

    from rushlight.utils.hooks import RemovableHandle

__all__ = ["Optimizer", "register_optimizer_step_post_hook", "register_optimizer_step_pre_hook"]

_optim_step = _C._optim_step
_optim_zero_grad = _C._optim_zero_grad


class _Required:
    """The default of an option that every group must give."""

    def __repr__(self) -> str:
        return "<required parameter>"


required = _Required()
_global_pre_hooks: OrderedDict[int, Any] = OrderedDict()
_global_post_hooks: OrderedDict[int, Any] = OrderedDict()
_HOOKS = (
    "_optimizer_step_pre_hooks",
    "_optimizer_step_post_hooks",
    "_optimizer_state_dict_pre_hooks",
    "_optimizer_state_dict_post_hooks",
    "_optimizer_load_state_dict_pre_hooks",
    "_optimizer_load_state_dict_post_hooks",
)
# Options that older checkpoints may lack, and what they mean then.
_LATER_OPTIONS = {
    "amsgrad": False, "capturable": False, "centered": False, "decoupled_weight_decay": False, "differentiable": False,
    "foreach": None, "fused": None, "maximize": False, "momentum": 0, "nesterov": False,
}  # fmt: skip
_COUNTERS = ("step", "mu_product", "eta", "mu")


def check_options(lr: Any, betas: Any = (), **options: float) -> None:
    """Refuses a learning rate or another option below 0, and betas outside of [0, 1)."""
    if isinstance(lr, _C.Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    if not lr >= 0.0:
        raise ValueError(f"Invalid learning rate: {lr}")
    if "eps" in options and not options["eps"] >= 0.0:
        raise ValueError(f"Invalid epsilon value: {options['eps']}")
    for i, beta in enumerate(betas):
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter at index {i}: {beta}")
    for name, value in options.items():
        if not value >= 0.0:
            raise ValueError(f"Invalid {name} value: {value}")


def check_implementation(foreach: Any, fused: Any, differentiable: Any) -> None:
    """Refuses what PyTorch refuses; all are served by the same update."""
    if fused and differentiable:
        raise RuntimeError("`fused` does not support `differentiable`")
    if fused and foreach:
        raise RuntimeError("`fused` and `foreach` cannot be `True` together.")


def evaluate(closure: Callable[[], Any]) -> Any:
    """The closure's loss, with gradients recorded."""
    recording = _C._is_grad_enabled()
    _C._set_grad_enabled(True)
    try:
        return closure()
    finally:
        _C._set_grad_enabled(recording)


def _with_hooks(step: Callable[..., Any]) -> Callable[..., Any]:
    """A `step` that a program defines, with the hooks around it."""

    @wraps(step)
    def hooked(self: Any, *args: Any, **kwargs: Any) -> Any:
        self._opt_called = True
        if self._has_step_hooks():
            return self._step_with_hooks(step, (self, *args), kwargs)
        return step(self, *args, **kwargs)

    return hooked


class Optimizer:
    """Base of all optimizers.

    A program's own optimizer gives `defaults` and defines `step`.

    Args:
        params: tensors, (name, tensor) pairs, or dicts with "params" and options of their own.
        defaults: the options of groups that do not give their own.

    Raises:
        TypeError: a single tensor, or something that is none.
        ValueError: no parameters; a parameter in two groups; not a leaf.

    >>> class Plain(torch.optim.Optimizer):
    ...     def __init__(self, params, lr):
    ...         super().__init__(params, {"lr": lr})
    ...     @torch.no_grad()
    ...     def step(self):
    ...         for group in self.param_groups:
    ...             for p in group["params"]:
    ...                 p -= group["lr"] * p.grad
    >>> w = torch.nn.Parameter(torch.tensor([1.]))
    >>> optimizer = Plain([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w.item()
    0.0

    Reference: https://pytorch.org/docs/stable/optim.html#torch.optim.Optimizer
    """

    _rule: ClassVar[str | None] = None  # the core's update
    _opt_called = False  # whether step() ran, for schedulers
    _in_hooks = False
    _optimizer_step_pre_hooks: OrderedDict[int, Any]
    _optimizer_step_post_hooks: OrderedDict[int, Any]
    _optimizer_state_dict_pre_hooks: OrderedDict[int, Any]
    _optimizer_state_dict_post_hooks: OrderedDict[int, Any]
    _optimizer_load_state_dict_pre_hooks: OrderedDict[int, Any]
    _optimizer_load_state_dict_post_hooks: OrderedDict[int, Any]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _with_hooks(cls.__dict__["step"])  # type: ignore[method-assign]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        self = super().__new__(cls)
        # Optimizers that wrap another one often do not call `__init__`; a step of theirs looks for hooks all the same.
        self.__dict__.update((name, OrderedDict()) for name in _HOOKS)
        return self

    def __init__(self, params: Any, defaults: dict[str, Any]) -> None:
        self.defaults = defaults
        if isinstance(params, _C.Tensor):
            raise TypeError(
                "params argument given to the optimizer should be an iterable of Tensors or dicts, but got "
                + str(params.type())
            )
        self.state: defaultdict[Any, Any] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        groups = list(params)
        if not groups:
            raise ValueError("optimizer got an empty parameter list")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    # ---- groups ----

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group: {"params": ..., and options that differ from the defaults}."""
        if not isinstance(param_group, dict):
            raise TypeError(f"param_group must be a dict, but got {type(param_group)}")
        params = param_group["params"]
        if isinstance(params, _C.Tensor):
            params = [params]
        elif isinstance(params, set):
            raise TypeError(
                "optimizer parameters need to be organized in ordered collections, but the ordering of tensors in "
                "sets will change between runs. Please use a list instead."
            )
        params = list(params)
        named = [isinstance(p, tuple) for p in params]
        if any(named):
            if not all(named):
                raise ValueError("all optimizer params should be with/without names. Some param names are missing")
            param_group["params"] = [p for _, p in params]
            param_group["param_names"] = [name for name, _ in params]
        else:
            param_group["params"] = params
        for param in param_group["params"]:
            if not isinstance(param, _C.Tensor):
                kind = type(param)
                name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
                raise TypeError(f"optimizer can only optimize Tensors, but one of the params is {name}")
            if not self.defaults.get("differentiable", None) and not (param.is_leaf or param.retains_grad):
                raise ValueError("can't optimize a non-leaf Tensor")
        for name, default in self.defaults.items():
            if default is required and name not in param_group:
                raise ValueError(f"parameter group didn't specify a value of required optimization parameter {name}")
            param_group.setdefault(name, default)
        params = param_group["params"]
        if len(params) != len({id(p) for p in params}):
            import warnings

            warnings.warn(
                "optimizer contains a parameter group with duplicate parameters; in future, this will cause an error; "
                "see github.com/pytorch/pytorch/issues/40967 for more information",
                stacklevel=3,
            )
        if self.param_groups:
            if ("param_names" in param_group) != ("param_names" in self.param_groups[0]):
                have, lack = "with", "without"
                if "param_names" in param_group:
                    have, lack = lack, have
                raise ValueError(
                    "all optimizer param groups should be with/without names. "
                    f"cannot add param group {lack} names to the optimizer"
                )
            known = {id(p) for group in self.param_groups for p in group["params"]}
            if not known.isdisjoint(id(p) for p in params):
                raise ValueError("some parameters appear in more than one parameter group")
        self.param_groups.append(param_group)

    # ---- stepping ----

    def _accelerator_graph_capture_health_check(self) -> None:
        """What copies of PyTorch's optimizers call first: there are no graphs to capture."""

    def _cuda_graph_capture_health_check(self) -> None:
        warnings.warn("Use _accelerator_graph_capture_health_check instead", DeprecationWarning, stacklevel=2)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or (set_to_none=False) fill them with zeros."""
        _optim_zero_grad(self.param_groups, set_to_none)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient.

        Args:
            closure: computes the loss anew and returns it; it runs with gradients recorded.

        Returns:
            The closure's loss, or None.
        """
        self._opt_called = True
        if self._optimizer_step_pre_hooks or self._optimizer_step_post_hooks or _global_pre_hooks or _global_post_hooks:
            return self._step_with_hooks(type(self)._step, (self,) if closure is None else (self, closure), {})
        return self._step(closure)

    def _step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = None if closure is None else evaluate(closure)
        if self._rule is None or self.defaults.get("differentiable"):
            self._update()
        else:
            _optim_step(self._rule, self.param_groups, self.state)
        return loss

    def _update(self) -> None:
        """Update all parameters by operations on tensors, where there is no rule in the core or a graph is wanted."""
        if self._rule is None:
            raise NotImplementedError(f"{type(self).__name__} must define step()")
        from rushlight.optim._differentiable import update

        update(self._rule, self.param_groups, self.state)

    def _has_step_hooks(self) -> bool:
        own = self._optimizer_step_pre_hooks or self._optimizer_step_post_hooks
        return bool(own or _global_pre_hooks or _global_post_hooks)

    def _step_with_hooks(self, step: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._in_hooks:  # a step that calls its base's
            return step(*args, **kwargs)
        for hook in chain(_global_pre_hooks.values(), self._optimizer_step_pre_hooks.values()):
            result = hook(self, args, kwargs)
            if result is not None:
                if not (isinstance(result, tuple) and len(result) == 2):
                    raise RuntimeError(
                        f"{step} must return None or a tuple of (new_args, new_kwargs), but got {result}."
                    )
                args, kwargs = result
        self._in_hooks = True
        try:
            loss = step(*args, **kwargs)
        finally:
            self._in_hooks = False
        for hook in chain(self._optimizer_step_post_hooks.values(), _global_post_hooks.values()):
            hook(self, args, kwargs)
        return loss

    # ---- saving ----

    def state_dict(self) -> dict[str, Any]:
        """{"state": by parameter number, "param_groups": with numbers in place of parameters}, as PyTorch's."""
        for hook in self._optimizer_state_dict_pre_hooks.values():
            hook(self)
        numbers: dict[int, int] = {}
        groups = []
        for group in self.param_groups:
            packed = {key: value for key, value in group.items() if key != "params"}
            # Of a parameter that stands twice in a group, the last place counts: files agree on it.
            first = len(numbers)
            numbers.update({id(p): i for i, p in enumerate(group["params"], first) if id(p) not in numbers})
            packed["params"] = [numbers[id(p)] for p in group["params"]]
            groups.append(packed)
        state = {numbers[id(k)] if isinstance(k, _C.Tensor) else k: v for k, v in self.state.items()}
        result: dict[str, Any] = {"state": state, "param_groups": groups}
        for hook in self._optimizer_state_dict_post_hooks.values():
            replaced = hook(self, result)
            result = result if replaced is None else replaced
        return result

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` gave; state goes to the dtype and device of its parameter.

        Raises:
            ValueError: other groups, or other numbers of parameters in them.
        """
        state_dict = dict(state_dict)
        for hook in self._optimizer_load_state_dict_pre_hooks.values():
            replaced = hook(self, state_dict)
            state_dict = state_dict if replaced is None else replaced
        own, saved = self.param_groups, deepcopy(state_dict["param_groups"])
        if len(own) != len(saved):
            raise ValueError("loaded state dict has a different number of parameter groups")
        if any(len(a["params"]) != len(b["params"]) for a, b in zip(own, saved, strict=True)):
            raise ValueError(
                "loaded state dict contains a parameter group that doesn't match the size of optimizer's group"
            )
        numbers = chain.from_iterable(group["params"] for group in saved)
        params = dict(zip(numbers, chain.from_iterable(group["params"] for group in own), strict=True))
        state: defaultdict[Any, Any] = defaultdict(dict)
        for key, value in state_dict["state"].items():
            if key in params:
                state[params[key]] = self._cast(params[key], value)
            else:
                state[key] = value
        for group, loaded in zip(own, saved, strict=True):
            loaded["params"] = group["params"]
            if "param_names" in group and "param_names" not in loaded:
                loaded["param_names"] = group["param_names"]
        self.__setstate__({"state": state, "param_groups": saved})
        for hook in self._optimizer_load_state_dict_post_hooks.values():
            hook(self)

    def _cast(self, param: Any, value: Any, key: Any = None) -> Any:
        """State tensors in the parameter's dtype, themselves where they have it; step counters keep theirs."""
        if isinstance(value, _C.Tensor):
            if key == "step":
                return value
            return value.to(dtype=param.dtype if param.dtype.is_floating_point else None, device=param.device)
        if isinstance(value, dict):
            return {k: self._cast(param, v, k) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self._cast(param, v) for v in value)
        return value

    def __getstate__(self) -> dict[str, Any]:
        return {"defaults": self.defaults, "state": self.state, "param_groups": self.param_groups}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        for name in _HOOKS:
            self.__dict__.setdefault(name, OrderedDict())
        for group in self.param_groups:
            for name in self.defaults:
                if name in _LATER_OPTIONS and (self._rule or name != "differentiable"):
                    group.setdefault(name, _LATER_OPTIONS[name])
        self.defaults.setdefault("differentiable", False)
        if self._rule is None:
            return
        for own in self.state.values():
            for name in _COUNTERS:
                if isinstance(own, dict) and isinstance(own.get(name), (int, float)):
                    own[name] = _C.tensor(float(own[name]))

    # ---- hooks ----

    def _add_hook(self, kind: str, hook: Any, prepend: bool = False) -> RemovableHandle:
        return _register(self.__dict__[kind], hook, prepend)

    def register_step_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` before each step."""
        return self._add_hook("_optimizer_step_pre_hooks", hook)

    def register_step_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(optimizer, args, kwargs)` after each step."""
        return self._add_hook("_optimizer_step_post_hooks", hook)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer)` before `state_dict` collects."""
        return self._add_hook("_optimizer_state_dict_pre_hooks", hook, prepend)

    def register_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer, state_dict)` after `state_dict` collected; what it returns replaces that."""
        return self._add_hook("_optimizer_state_dict_post_hooks", hook, prepend)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer, state_dict)` before loading; what it returns is loaded instead."""
        return self._add_hook("_optimizer_load_state_dict_pre_hooks", hook, prepend)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(optimizer)` after loading."""
        return self._add_hook("_optimizer_load_state_dict_post_hooks", hook, prepend)

    def __repr__(self) -> str:
        text = type(self).__name__ + " ("
        for i, group in enumerate(self.param_groups):
            text += f"\nParameter Group {i}\n"
            for key in sorted(group):
                if key != "params":
                    text += f"    {key}: {group[key]}\n"
        return text + ")"


class OneByOne(Optimizer):
    """Base of optimizers that have no rule in the core: `_update_one` updates a parameter by operations on tensors."""

    def _update(self) -> None:
        with no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        self._update_one(p, -p.grad if group.get("maximize") else p.grad, self.state[p], group)

    def _update_one(self, p: Any, g: Any, state: dict[str, Any], group: dict[str, Any]) -> None:
        """The step of one parameter; each optimizer has its own."""
        raise NotImplementedError(f"{type(self).__name__} has no step of one parameter: define _update_one")


def _register(hooks: Any, hook: Any, prepend: bool = False) -> RemovableHandle:
    from rushlight.utils.hooks import RemovableHandle

    handle = RemovableHandle(hooks)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def register_optimizer_step_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(optimizer, args, kwargs)` before each step of every optimizer.

    >>> from rushlight.optim.optimizer import register_optimizer_step_pre_hook
    >>> handle = register_optimizer_step_pre_hook(lambda optimizer, args, kwargs: print("soon"))
    >>> torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0).step()
    soon
    >>> handle.remove()
    """
    return _register(_global_pre_hooks, hook)


def register_optimizer_step_post_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(optimizer, args, kwargs)` after each step of every optimizer.

    >>> from rushlight.optim.optimizer import register_optimizer_step_post_hook
    >>> handle = register_optimizer_step_post_hook(lambda optimizer, args, kwargs: print("step"))
    >>> torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0).step()
    step
    >>> handle.remove()
    """
    return _register(_global_post_hooks, hook)


def __getattr__(name: str) -> Any:
    from rushlight.optim._names import NAMES

    if name in NAMES:
        return NAMES[name]
    from rushlight._missing import no_attribute

    raise no_attribute(__name__, name, [*globals(), *NAMES])
