"""`Module`: the base of all layers and models."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from typing import TYPE_CHECKING, Any, TypeVar

from rushlight import _C
from rushlight._tensor_methods import to_arguments
from rushlight.nn.modules._hooks import GLOBAL, add_hook, call_hooked
from rushlight.nn.modules._members import Members, member_view
from rushlight.nn.parameter import Buffer, Parameter, is_lazy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from rushlight.utils.hooks import RemovableHandle

__all__ = [
    "Module",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_backward_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]

_Self = TypeVar("_Self", bound="Module")
_EXTRA_STATE_KEY_SUFFIX = "_extra_state"
_KINDS = ("_parameters", "_buffers", "_modules")
# Dictionaries of hooks: made when first used, so that a module without hooks carries none.
_HOOKS = (
    "_forward_pre_hooks",
    "_forward_pre_hooks_with_kwargs",
    "_forward_hooks",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_backward_pre_hooks",
    "_backward_hooks",
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)


class _IncompatibleKeys(namedtuple("_IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """What `load_state_dict` returns."""

    __slots__ = ()

    def __repr__(self) -> str:
        return super().__repr__() if self.missing_keys or self.unexpected_keys else "<All keys matched successfully>"

    __str__ = __repr__


class _HookDict:
    """Makes a module's dictionary of hooks on first use; from then on the instance attribute hides this."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, module: Any, owner: type | None = None) -> Any:
        if module is None:
            return self
        made: OrderedDict[int, Any] = OrderedDict()
        module.__dict__[self.name] = made
        if "state_dict" not in self.name:  # those are no part of a call
            module.__dict__["_hooked"] = True
        return made


def _indent(text: str) -> str:
    """All lines but the first moved right by two."""
    return text.replace("\n", "\n  ")


class Module:
    """Base of all layers and models: set parameters, buffers and other modules as attributes, define `forward`.

    Example:
        >>> import rushlight as torch
        >>> class Net(torch.nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.fc = torch.nn.Linear(4, 2)
        ...     def forward(self, x):
        ...         return self.fc(x)
        >>> Net()
        Net(
          (fc): Linear(in_features=4, out_features=2, bias=True)
        )

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Module.html
    """

    dump_patches = False
    T_destination = TypeVar("T_destination", bound=dict[str, Any])
    call_super_init = False
    _version: int = 1
    training: bool
    _non_persistent_buffers_set: set[str]
    _hooked = False  # whether a call must look at hooks: set with the first hook of this module (or of all modules)
    _is_full_backward_hook: bool | None = None

    _parameters = member_view("_parameters")
    _buffers = member_view("_buffers")
    _modules = member_view("_modules")

    _forward_pre_hooks = _HookDict()
    _forward_pre_hooks_with_kwargs = _HookDict()
    _forward_hooks = _HookDict()
    _forward_hooks_with_kwargs = _HookDict()
    _forward_hooks_always_called = _HookDict()
    _backward_pre_hooks = _HookDict()
    _backward_hooks = _HookDict()
    _state_dict_hooks = _HookDict()
    _state_dict_pre_hooks = _HookDict()
    _load_state_dict_pre_hooks = _HookDict()
    _load_state_dict_post_hooks = _HookDict()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init and (args or kwargs):
            what = f"got an unexpected keyword argument '{next(iter(kwargs))}'" if kwargs else (
                f"takes 1 positional argument but {len(args) + 1} were given"
            )  # fmt: skip
            raise TypeError(f"{type(self).__name__}.__init__() {what}")
        home = self.__dict__
        home["training"] = True
        home["_parameters"] = Members(self)
        home["_buffers"] = Members(self)
        home["_non_persistent_buffers_set"] = set()
        home["_modules"] = Members(self)
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    # ---- calling ----

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._hooked:
            return call_hooked(self, args, kwargs)
        return self.forward(*args, **kwargs)

    _call_impl = __call__

    def forward(self, *input: Any) -> Any:
        """What the module computes; every subclass defines it."""
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    # ---- registering ----

    def _forget(self, name: str, keep: str) -> None:
        """Take `name` out of the registries other than `keep`."""
        home = self.__dict__
        for kind in _KINDS:
            if kind != keep and name in home[kind]:
                home[kind].drop(name)
        home["_non_persistent_buffers_set"].discard(name)

    def _check_name(self, name: str, what: str, kind: str) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{what} name should be a string. Got {_typename(name)}")
        if "." in name:
            raise KeyError(f'{what} name can\'t contain "."' + (f", got: {name}" if what == "module" else ""))
        if name == "":
            raise KeyError(f'{what} name can\'t be empty string ""')
        if name not in self.__dict__[kind] and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")

    def register_parameter(self, name: str, param: Any) -> None:
        """Add a parameter, reachable as `self.name`; None registers the name without a value."""
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        self._check_name(name, "parameter", "_parameters")
        if param is not None:
            if not isinstance(param, Parameter):
                raise TypeError(
                    f"cannot assign '{_typename(param)}' object to parameter '{name}' "
                    "(torch.nn.Parameter or None required)"
                )
            if param.grad_fn is not None:
                raise ValueError(
                    f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created "
                    f"explicitly. To express '{name}' as a function of another Tensor, compute the value in the "
                    "forward() method."
                )
            for hook in GLOBAL["_parameter_registration"].values():
                result = hook(self, name, param)
                param = param if result is None else result
        self.__dict__["_parameters"].put(name, param)
        self.__dict__[name] = param

    def register_buffer(self, name: str, tensor: Any, persistent: bool = True) -> None:
        """Add a tensor that is state but no parameter; `persistent=False` keeps it out of `state_dict`."""
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        self._check_name(name, "buffer", "_buffers")
        if tensor is not None and not isinstance(tensor, _C.Tensor):
            raise TypeError(
                f"cannot assign '{_typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        for hook in GLOBAL["_buffer_registration"].values():
            result = hook(self, name, tensor)
            tensor = tensor if result is None else result
        self.__dict__["_buffers"].put(name, tensor)
        self.__dict__[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child module, reachable as `self.name`."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{_typename(module)} is not a Module subclass")
        self._check_name(name, "module", "_modules")
        for hook in GLOBAL["_module_registration"].values():
            result = hook(self, name, module)
            module = module if result is None else result
        self.__dict__["_modules"].put(name, module)
        self.__dict__[name] = module

    def register_module(self, name: str, module: Module | None) -> None:
        """The same as `add_module`."""
        self.add_module(name, module)

    def __setattr__(self, name: str, value: Any) -> None:
        home = self.__dict__
        if isinstance(value, _C.Tensor):
            if isinstance(value, Parameter):
                if "_parameters" not in home:
                    raise AttributeError("cannot assign parameters before Module.__init__() call")
                self._forget(name, "_parameters")
                if name not in home["_parameters"]:
                    home.pop(name, None)
                self.register_parameter(name, value)
                return
            names = home.get("_buffers")
            if names is not None:
                if name in home["_parameters"]:
                    raise TypeError(
                        f"cannot assign '{_typename(value)}' as parameter '{name}' "
                        "(torch.nn.Parameter or None expected)"
                    )
                if name in names:
                    names.put(name, value)
                    home[name] = value
                    return
                if isinstance(value, Buffer):
                    self._forget(name, "_buffers")
                    home.pop(name, None)
                    self.register_buffer(name, value, value.persistent)
                    return
        elif isinstance(value, Module):
            if "_modules" not in home:
                raise AttributeError("cannot assign module before Module.__init__() call")
            self._forget(name, "_modules")
            for hook in GLOBAL["_module_registration"].values():
                result = hook(self, name, value)
                value = value if result is None else result
            home["_modules"].put(name, value)
            home[name] = value
            return
        if value is None:
            for kind in _KINDS:
                if name in home.get(kind, ()):
                    home[kind].put(name, None)
        elif "_parameters" in home:
            if name in home["_parameters"]:
                what = "parameter", "torch.nn.Parameter or None"
            elif name in home["_modules"]:
                what = "child module", "torch.nn.Module or None"
            elif name in home["_buffers"]:
                what = "buffer", "torch.nn.Buffer, torch.Tensor or None"
            else:
                object.__setattr__(self, name, value)
                return
            raise TypeError(f"cannot assign '{_typename(value)}' as {what[0]} '{name}' ({what[1]} expected)")
        object.__setattr__(self, name, value)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """For subclasses that end their own with `super().__getattr__(name)`: the ordinary look-up and error."""
            return object.__getattribute__(self, name)

    def __delattr__(self, name: str) -> None:
        for kind in _KINDS:
            if name in self.__dict__.get(kind, ()):
                self.__dict__[kind].drop(name)
                del self.__dict__[name]
                self._non_persistent_buffers_set.discard(name)
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        return sorted(key for key in {*dir(type(self)), *self.__dict__} if not key[0].isdigit())

    def __getstate__(self) -> dict[str, Any]:
        home = self.__dict__
        hidden: set[str] = set().union(*(home.get(kind, ()) for kind in _KINDS))
        state = {key: value for key, value in home.items() if key not in hidden}
        state.pop("_hooked", None)
        for kind in _KINDS:
            state[kind] = dict(home.get(kind, ()))
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        home = self.__dict__
        home.update({key: value for key, value in state.items() if key not in _KINDS})
        for kind in _KINDS:
            object.__setattr__(self, kind, state.get(kind, ()))
        home.setdefault("_non_persistent_buffers_set", set())
        for name in _HOOKS:
            if name in home:
                if not home[name]:
                    del home[name]
                elif "state_dict" not in name:
                    home["_hooked"] = True

    # ---- walking ----

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """All modules below and including this one, with their dotted names."""
        if memo is None:
            memo = set()
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, child in self.__dict__["_modules"].items():
            if child is not None:
                yield from child.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """All modules below and including this one, each once."""
        if not remove_duplicate or type(self).named_modules is not Module.named_modules:
            for _, module in self.named_modules(remove_duplicate=remove_duplicate):
                yield module
            return
        seen: set[Module] = set()
        waiting: list[Iterator[Module | None]] = [iter((self,))]
        while waiting:
            for found in waiting[-1]:
                if found is None or found in seen:
                    continue
                if type(found).named_modules is not Module.named_modules:
                    yield from (m for _, m in found.named_modules(seen))
                    continue
                seen.add(found)
                yield found
                if children := found.__dict__["_modules"]:
                    waiting.append(iter(children.values()))
                    break
            else:
                waiting.pop()

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules directly below this one, with their names, each once."""
        seen: set[Module] = set()
        for name, child in self.__dict__["_modules"].items():
            if child is not None and child not in seen:
                seen.add(child)
                yield name, child

    def children(self) -> Iterator[Module]:
        """The modules directly below this one, each once."""
        for _, module in self.named_children():
            yield module

    def _named_members(
        self, get_members_fn: Callable[[Module], Any], prefix: str = "", recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:  # fmt: skip
        """The members of all modules, as (dotted name, value), without None and (if asked) without repeats."""
        seen: set[int] = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for module_prefix, module in modules:
            for name, value in get_members_fn(module):
                if value is None or id(value) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(value))
                yield (f"{module_prefix}.{name}" if module_prefix else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """All parameters with their dotted names."""
        return self._named_members(lambda m: m._parameters.items(), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Any]:
        """All parameters, each once: what an optimizer takes."""
        kind = type(self)
        if kind.named_parameters is not Module.named_parameters or kind._named_members is not Module._named_members:
            for _, param in self.named_parameters(recurse=recurse):
                yield param
            return
        # The same without names, which take most of the time.
        seen: set[int] = set()
        for module in self.modules() if recurse else (self,):
            for param in module._parameters.values():
                if param is not None and id(param) not in seen:
                    seen.add(id(param))
                    yield param

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        """All buffers with their dotted names."""
        return self._named_members(lambda m: m._buffers.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Any]:
        """All buffers, each once."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def get_submodule(self, target: str) -> Module:
        """The module with the dotted name `target`; AttributeError when there is none."""
        module: Module = self
        for item in target.split(".") if target else ():
            if not hasattr(module, item):
                raise AttributeError(f"{module._get_name()} has no attribute `{item}`")
            module = getattr(module, item)
            if not isinstance(module, Module):
                raise AttributeError(f"`{item}` is not an nn.Module")
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put `module` in the place with the dotted name `target`; `strict` needs something there already."""
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if (strict or hasattr(parent, name)) and not isinstance(getattr(parent, name, None), Module):
            if not hasattr(parent, name):
                raise AttributeError(f"{parent._get_name()} has no attribute `{name}`")
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def _get_member(self, target: str, kind: str, what: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
        if name not in module.__dict__[kind] or getattr(module, name) is None:
            raise AttributeError(f"`{name}` is not {what}")
        return getattr(module, name)

    def get_parameter(self, target: str) -> Any:
        """The parameter with the dotted name `target`."""
        return self._get_member(target, "_parameters", "an nn.Parameter")

    def get_buffer(self, target: str) -> Any:
        """The buffer with the dotted name `target`."""
        return self._get_member(target, "_buffers", "a buffer")

    def apply(self: _Self, fn: Callable[[Module], None]) -> _Self:
        """Call `fn` with every module below this one, and then with this one."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # ---- modes, types, devices ----

    def train(self: _Self, mode: bool = True) -> _Self:
        """Set training mode (dropout drops, batch norm learns its statistics), or with False the other."""
        if not isinstance(mode, bool):
            raise ValueError(f"training mode is expected to be boolean, got {mode!r}")
        self.training = mode
        if self.__dict__["_modules"]:
            for module in self.children():
                module.train(mode)
        return self

    def eval(self: _Self) -> _Self:
        """Set evaluation mode: `train(False)`."""
        return self.train(False)

    def requires_grad_(self: _Self, requires_grad: bool = True) -> _Self:
        """Set `requires_grad` of every parameter."""
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters (or fill them with zeros)."""
        for param in self.parameters():
            if param.grad is not None:
                if set_to_none:
                    param.grad = None
                else:
                    param.grad = _C.zeros_like(param.grad) if param.grad.grad_fn is not None else param.grad
                    param.grad.requires_grad_(False).zero_()

    def share_memory(self: _Self) -> _Self:
        """Put all parameters and buffers into shared memory."""
        for tensor in (*self.parameters(), *self.buffers()):
            if is_lazy(tensor):
                tensor.share_memory_()
        return self._apply(lambda t: t.share_memory_())

    def _apply(self: _Self, fn: Callable[[Any], Any], recurse: bool = True) -> _Self:
        """Replace every parameter's, gradient's and buffer's data by `fn` of it; parameters keep their identity."""
        home = self.__dict__
        if recurse:
            for module in self.children():
                module._apply(fn)
        for name, param in list(home["_parameters"].items()):
            if param is None:
                continue
            recording = _C._is_grad_enabled()
            _C._set_grad_enabled(False)
            try:
                data = fn(param)  # the parameter itself: its class may have a `to` of its own
                if (data.device.type == "meta") != (param.device.type == "meta"):
                    # Memory can not come or go under a tensor.
                    home["_parameters"][name] = Parameter(data, param.requires_grad)
                    continue
                if data is not param:
                    param.data = data
                if param.grad is not None:
                    grad = fn(param.grad).requires_grad_(param.grad.requires_grad)
                    param.grad = None
                    param.grad = grad
            finally:
                _C._set_grad_enabled(recording)
        for name, buffer in list(home["_buffers"].items()):
            if buffer is not None:
                home["_buffers"][name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Any:
        """Move parameters and buffers to a device and (floating point ones) to a dtype, in place.

        Forms: `to(device, dtype)`, `to(dtype)`, `to(tensor)`, each with `non_blocking`, `memory_format`.
        """
        non_blocking = kwargs.pop("non_blocking", False)
        memory_format = kwargs.pop("memory_format", None)
        device, dtype = kwargs.pop("device", None), kwargs.pop("dtype", None)
        if "tensor" in kwargs:
            args = (kwargs.pop("tensor"), *args)
        if kwargs:
            raise TypeError(f"to() got an unexpected keyword argument '{next(iter(kwargs))}'")
        if len(args) > 4 or any(isinstance(arg, int) and not isinstance(arg, bool) for arg in args[1:]):
            raise TypeError(
                "to() takes (device, dtype, non_blocking), (dtype, non_blocking) or (tensor, non_blocking); got "
                f"({', '.join(type(arg).__name__ for arg in args)})"
            )
        device, dtype, non_blocking = to_arguments(args, device, dtype, non_blocking)
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )

        def convert(t: Any) -> Any:
            if type(t).to is not _C.Tensor.to:
                own = dtype if t.dtype.is_floating_point or t.dtype.is_complex else None
                return t.to(device, own, non_blocking)
            if dtype is not None and (t.dtype.is_floating_point or t.dtype.is_complex) and t.dtype != dtype:
                t = t.to(dtype)
            if device is not None and t.device != device:
                t = t.to(device, non_blocking=non_blocking)
            if memory_format is not None and t.dim() in (4, 5):
                t = t.contiguous(memory_format=memory_format)
            return t

        return self._apply(convert)

    def to_empty(self: _Self, *, device: Any, recurse: bool = True) -> _Self:
        """Give every parameter and buffer fresh, unset memory on a device."""
        return self._apply(lambda t: _C.empty_like(t, device=device), recurse)

    def type(self: _Self, dst_type: Any) -> _Self:
        """Change all parameters and buffers to `dst_type`."""
        return self._apply(lambda t: t.type(dst_type))

    def _to_floating(self: _Self, dtype: Any) -> _Self:
        return self._apply(lambda t: t.to(dtype) if t.dtype.is_floating_point else t)

    def float(self: _Self) -> _Self:
        """Floating point parameters and buffers to float32."""
        return self._to_floating(_C.float32)

    def double(self: _Self) -> _Self:
        """Floating point parameters and buffers to float64."""
        return self._to_floating(_C.float64)

    def half(self: _Self) -> _Self:
        """Floating point parameters and buffers to float16."""
        return self._to_floating(_C.float16)

    def bfloat16(self: _Self) -> _Self:
        """Floating point parameters and buffers to bfloat16."""
        return self._to_floating(_C.bfloat16)

    def cpu(self: _Self) -> _Self:
        """Move to the CPU."""
        return self._apply(lambda t: t.cpu())

    def cuda(self: _Self, device: Any = None) -> _Self:
        """Move to a GPU; AssertionError where there is none."""
        return self._apply(lambda t: t.cuda(device))

    def xpu(self: _Self, device: Any = None) -> _Self:
        """Move to an XPU; AssertionError where there is none."""
        return self._apply(lambda t: t.to("xpu" if device is None else device))

    def mtia(self: _Self, device: Any = None) -> _Self:
        """Move to an MTIA device; RuntimeError where there is none."""
        return self._apply(lambda t: t.to("mtia" if device is None else device))

    def ipu(self: _Self, device: Any = None) -> _Self:
        """Move to an IPU; RuntimeError where there is none."""
        return self._apply(lambda t: t.to("ipu" if device is None else device))

    # ---- state ----

    def get_extra_state(self) -> Any:
        """Anything else that `state_dict` shall hold; define `set_extra_state` with it."""
        raise RuntimeError("Reached a code path in Module.get_extra_state() that should never be called.")

    def set_extra_state(self, state: Any) -> None:
        """Takes back what `get_extra_state` gave."""
        raise RuntimeError("Reached a code path in Module.set_extra_state() that should never be called.")

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Put this module's own parameters and buffers (not its children's) into `destination`."""
        home = self.__dict__
        for name, param in home["_parameters"].items():
            if param is not None:
                destination[prefix + name] = param if keep_vars else param.detach()
        for name, buffer in home["_buffers"].items():
            if buffer is not None and name not in self._non_persistent_buffers_set:
                destination[prefix + name] = buffer if keep_vars else buffer.detach()
        if type(self).get_extra_state is not Module.get_extra_state:
            destination[prefix + _EXTRA_STATE_KEY_SUFFIX] = self.get_extra_state()

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> OrderedDict[str, Any]:
        """All parameters and persistent buffers by dotted name; the tensors are the module's own, not copies."""
        if args:
            import warnings

            warnings.warn(
                "Positional args are being deprecated, use kwargs instead. Refer to "
                "https://pytorch.org/docs/main/generated/torch.nn.Module.html#torch.nn.Module.state_dict for details.",
                FutureWarning,
                stacklevel=2,
            )
            destination = args[0] if destination is None else destination
            prefix = args[1] if len(args) > 1 and prefix == "" else prefix
            keep_vars = args[2] if len(args) > 2 and keep_vars is False else keep_vars
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = metadata
        for hook in self.__dict__.get("_state_dict_pre_hooks", {}).values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        home = self.__dict__
        for name, module in home["_modules"].items():
            if module is not None:
                module.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
        for hook in home.get("_state_dict_hooks", {}).values():
            result = hook(self, destination, prefix, metadata)
            if not getattr(hook, "_from_public_api", False):
                destination = destination if result is None else result
            elif result is not None:
                raise RuntimeError("state_dict post-hook must return None")
        return destination  # type: ignore[no-any-return]

    def _load_from_state_dict(
        self, state_dict: Any, prefix: str, local_metadata: dict[str, Any], strict: bool, missing_keys: list[str],
        unexpected_keys: list[str], error_msgs: list[str],
    ) -> None:  # fmt: skip
        """Copy what belongs to this module itself (not its children) out of `state_dict`, noting what does not fit."""
        for hook in self.__dict__.get("_load_state_dict_pre_hooks", {}).values():
            hook(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
        buffers = {k: v for k, v in self._buffers.items() if k not in self._non_persistent_buffers_set}
        local = {k: v for k, v in (*self._parameters.items(), *buffers.items()) if v is not None}
        assign = local_metadata.get("assign_to_params_buffers", False)
        for name, own in local.items():
            key = prefix + name
            if key not in state_dict:
                if strict:
                    missing_keys.append(key)
                continue
            value = state_dict[key]
            if not isinstance(value, _C.Tensor):
                error_msgs.append(
                    f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from '
                    f"checkpoint but received {type(value)}"
                )
                continue
            lazy = is_lazy(own)
            if lazy and is_lazy(value):
                continue
            if not lazy and own.dim() == 0 and value.dim() == 1 and len(value) == 1 and not assign:
                value = value[0]
            if not lazy and value.shape != own.shape:
                error_msgs.append(
                    f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, "
                    f"the shape in current model is {own.shape}."
                )
                continue
            self._load_one(name, key, own, value, assign, error_msgs)
        extra = prefix + _EXTRA_STATE_KEY_SUFFIX
        if type(self).set_extra_state is not Module.set_extra_state:
            if extra in state_dict:
                self.set_extra_state(state_dict[extra])
            elif strict:
                missing_keys.append(extra)
        elif strict and extra in state_dict:
            unexpected_keys.append(extra)
        if strict:
            for key in state_dict:
                if key.startswith(prefix) and key != extra:
                    first, *rest = key[len(prefix) :].split(".", 1)
                    if first not in self.__dict__["_modules"] if rest else first not in local:
                        unexpected_keys.append(key)

    def _load_one(self, name: str, key: str, own: Any, value: Any, assign: bool, error_msgs: list[str]) -> None:
        """Copy one tensor into its place, or with `assign` put it there."""
        recording = _C._is_grad_enabled()
        _C._set_grad_enabled(False)
        try:
            if not assign:
                own.copy_(value)
                return
            if isinstance(own, Parameter):
                if isinstance(value, Parameter):
                    value.requires_grad_(own.requires_grad)
                else:
                    value = Parameter(value, requires_grad=own.requires_grad)
            setattr(self, name, value)
        except Exception as error:
            error_msgs.append(
                f'While copying the parameter named "{key}", whose dimensions in the model are {own.size()} and whose '
                f"dimensions in the checkpoint are {value.size()}, an exception occurred : {error.args}."
            )
        finally:
            _C._set_grad_enabled(recording)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Copy parameters and buffers from a dictionary as `state_dict` makes one.

        Args:
            state_dict: tensors by dotted name.
            strict: an error when names are missing or left over.
            assign: put the given tensors into the module, instead of copying their values.

        Returns:
            `missing_keys` and `unexpected_keys`.

        Raises:
            RuntimeError: names (if strict) or shapes do not match; the message lists them all.
        """
        from collections.abc import Mapping

        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        missing: list[str] = []
        unexpected: list[str] = []
        errors: list[str] = []
        metadata = getattr(state_dict, "_metadata", None)
        state: Any = OrderedDict(state_dict)
        if metadata is not None:
            state._metadata = metadata

        def load(module: Module, local: Any, prefix: str = "") -> None:
            local_metadata = {} if metadata is None else metadata.get(prefix[:-1], {})
            if assign:
                local_metadata["assign_to_params_buffers"] = assign
            module._load_from_state_dict(local, prefix, local_metadata, True, missing, unexpected, errors)
            home = module.__dict__
            for name, child in home["_modules"].items():
                if child is not None:
                    below = f"{prefix}{name}."
                    load(child, {k: v for k, v in local.items() if k.startswith(below)}, below)
            keys = _IncompatibleKeys(missing, unexpected)
            for hook in home.get("_load_state_dict_post_hooks", {}).values():
                if hook(module, keys) is not None:
                    raise AssertionError(
                        "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new "
                        "values, if incompatible_keys need to be modified, it should be done inplace."
                    )

        load(self, state)
        if strict:
            if unexpected:
                errors.insert(
                    0, "Unexpected key(s) in state_dict: {}. ".format(", ".join(f'"{k}"' for k in unexpected))
                )
            if missing:
                errors.insert(0, "Missing key(s) in state_dict: {}. ".format(", ".join(f'"{k}"' for k in missing)))
        if errors:
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t" + "\n\t".join(errors))
        return _IncompatibleKeys(missing, unexpected)

    # ---- hooks ----

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before each `forward`; what it returns replaces the arguments."""
        flag = self._forward_pre_hooks_with_kwargs if with_kwargs else None
        return add_hook(self._forward_pre_hooks, hook, flag, prepend=prepend)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after each `forward`; what it returns replaces the output."""
        kwargs_flag = self._forward_hooks_with_kwargs if with_kwargs else None
        always_flag = self._forward_hooks_always_called if always_call else None
        return add_hook(self._forward_hooks, hook, kwargs_flag, always_flag, prepend=prepend)

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_output)` in backward, before the module's gradients are computed."""
        return add_hook(self._backward_pre_hooks, hook, prepend=prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` in backward; what it returns replaces `grad_input`."""
        return self._add_backward_hook(hook, True, prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` for the node that made the output, whatever else the module did:
        `register_full_backward_hook` sees the module's own inputs. A module may have hooks of one of the kinds only."""
        return self._add_backward_hook(hook, False, False)

    def _add_backward_hook(self, hook: Callable[..., Any], full: bool, prepend: bool) -> RemovableHandle:
        if self._is_full_backward_hook is (not full):
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only "
                "one of them."
            )
        self._is_full_backward_hook = full
        return add_hook(self._backward_hooks, hook, prepend=prepend)

    def register_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, prefix, keep_vars)` before `state_dict` collects."""
        return add_hook(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Any) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, local_metadata)` after `state_dict` collected."""
        hook._from_public_api = True
        return add_hook(self._state_dict_hooks, hook)

    def _register_state_dict_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        return add_hook(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, state_dict, prefix, ...)` before `load_state_dict` reads this module's own tensors."""
        return add_hook(self._load_state_dict_pre_hooks, lambda *args: hook(self, *args))

    def _register_load_state_dict_pre_hook(
        self, hook: Callable[..., Any], with_module: bool = False
    ) -> RemovableHandle:
        return add_hook(self._load_state_dict_pre_hooks, (lambda *args: hook(self, *args)) if with_module else hook)

    def register_load_state_dict_post_hook(self, hook: Callable[..., Any]) -> RemovableHandle:
        """Call `hook(module, incompatible_keys)` after `load_state_dict` is done with this module."""
        return add_hook(self._load_state_dict_post_hooks, hook)

    # ---- printing ----

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What stands in the parentheses of the module's repr."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = [f"({name}): {_indent(repr(child))}" for name, child in self._modules.items()]
        if not children and len(lines) < 2:
            return f"{self._get_name()}({extra})"
        return f"{self._get_name()}(\n  " + "\n  ".join(lines + children) + "\n)"

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Compile this module's `forward` in place; takes the arguments of `rushlight.compile`."""
        import rushlight

        self.__dict__["forward"] = rushlight.compile(self.forward, *args, **kwargs)


def _typename(value: Any) -> str:
    """The name of a value's type as error messages say it: `torch.FloatTensor`, `int`, `mod.Class`."""
    if isinstance(value, _C.Tensor):
        return str(value.type())
    kind = value if isinstance(value, type) else type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"


def _register_global(kind: str, hook: Callable[..., Any], *flags: str) -> RemovableHandle:
    if "registration" not in kind:
        Module._hooked = True
    other = {"_backward_hooks": "_older_backward_hooks", "_older_backward_hooks": "_backward_hooks"}.get(kind)
    if other and GLOBAL[other]:
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module hook. Please use only "
            "one of them."
        )
    return add_hook(GLOBAL[kind], hook, *(GLOBAL[flag] for flag in flags))


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, args)` before every module's `forward`.

    >>> hook = lambda module, inputs: (inputs[0] + 1,)
    >>> handle = torch.nn.modules.module.register_module_forward_pre_hook(hook)
    >>> torch.nn.Identity()(torch.ones(1))
    tensor([2.])
    >>> handle.remove()
    """
    return _register_global("_forward_pre_hooks", hook)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Call `hook(module, args, output)` after every module's `forward`.

    >>> names = []
    >>> hook = lambda module, inputs, output: names.append(type(module).__name__)
    >>> handle = torch.nn.modules.module.register_module_forward_hook(hook)
    >>> _ = torch.nn.Sequential(torch.nn.Identity())(torch.ones(1))
    >>> handle.remove()
    >>> names
    ['Identity', 'Sequential']
    """
    flags = ["_forward_hooks_with_kwargs"] * with_kwargs + ["_forward_hooks_always_called"] * always_call
    return _register_global("_forward_hooks", hook, *flags)


def register_module_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """`register_backward_hook` for every module; older than `register_module_full_backward_hook`.

    Raises:
        RuntimeError: there are full backward hooks for every module.
    """
    return _register_global("_older_backward_hooks", hook)


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, grad_output)` in every module's backward."""
    return _register_global("_backward_pre_hooks", hook)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, grad_input, grad_output)` in every module's backward.

    >>> hook = lambda module, grad_input, grad_output: print(grad_output)
    >>> handle = torch.nn.modules.module.register_module_full_backward_hook(hook)
    >>> torch.nn.ReLU()(torch.ones(2, requires_grad=True)).sum().backward()
    (tensor([1., 1.]),)
    >>> handle.remove()
    """
    return _register_global("_backward_hooks", hook)


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, name, param)` whenever a parameter is registered; what it returns replaces it."""
    return _register_global("_parameter_registration", hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, name, submodule)` whenever a module is registered; what it returns replaces it."""
    return _register_global("_module_registration", hook)


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> RemovableHandle:
    """Call `hook(module, name, buffer)` whenever a buffer is registered; what it returns replaces it."""
    return _register_global("_buffer_registration", hook)
