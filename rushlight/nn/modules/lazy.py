"""What lazy modules share: parameters that get their shapes in the first call."""

from __future__ import annotations

import itertools
from typing import Any

from rushlight import _C
from rushlight.autograd.grad_mode import no_grad
from rushlight.nn.parameter import _MaterializedBuffer, is_lazy

__all__ = ["LazyModuleMixin"]


class LazyModuleMixin:
    """For modules that find out their input's size in the first call (or from the state they load).

    A subclass registers `UninitializedParameter`s, says in `cls_to_become` what class it turns into, and gives its
    parameters shapes in `initialize_parameters`, which gets the arguments of the first call.

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.modules.lazy.LazyModuleMixin.html
    """

    cls_to_become: Any = None
    _parameters: Any
    _buffers: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        me: Any = self
        self._load_hook = me._register_load_state_dict_pre_hook(self._lazy_load_hook)
        self._initialize_hook = me.register_forward_pre_hook(_infer_parameters, with_kwargs=True)

    def _lazy_load_hook(
        self, state_dict: Any, prefix: str, local_metadata: Any, strict: bool, missing_keys: Any, unexpected_keys: Any,
        error_msgs: Any,
    ) -> None:  # fmt: skip
        """Parameters without a shape take the shape of what is loaded."""
        for name, param in itertools.chain(self._parameters.items(), self._buffers.items()):
            key = prefix + name
            if key in state_dict and param is not None and is_lazy(param):
                value = state_dict[key]
                if not is_lazy(value):
                    with no_grad():
                        param.materialize(value.shape)
        _plain_buffers(self)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Give every parameter its shape, by the arguments of the first call."""
        raise NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer still waits for its shape."""
        return any(is_lazy(t) for t in (*self._parameters.values(), *self._buffers.values()))

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        for members in (self._parameters, self._buffers):
            for name, tensor in members.items():
                if tensor is not None and name not in self._non_persistent_buffers_set:  # type: ignore[attr-defined]
                    destination[prefix + name] = tensor if is_lazy(tensor) or keep_vars else tensor.detach()

    def _infer_parameters(self, args: Any, kwargs: Any = None) -> None:
        _infer_parameters(self, args, kwargs)

    def _replicate_for_data_parallel(self) -> Any:
        raise RuntimeError(
            "Modules with uninitialized parameters can't be used with `DataParallel`. Run a dummy forward pass to "
            "correctly initialize the modules"
        )


def _plain_buffers(module: Any) -> None:
    """Put plain tensors in the place of buffers that have just got their shapes."""
    for name, tensor in list(module._buffers.items()):
        if type(tensor) is _MaterializedBuffer:
            module._buffers[name] = _C.Tensor.detach(tensor).as_subclass(_C.Tensor)


def _infer_parameters(module: Any, args: Any, kwargs: Any = None) -> None:
    """The hook before the first call: shapes for all parameters, and the class that the module becomes."""
    module.initialize_parameters(*args, **(kwargs or {}))
    _plain_buffers(module)
    if module.has_uninitialized_params():
        raise RuntimeError(f"module {module._get_name()} has not been fully initialized")
    module._initialize_hook.remove()
    module._load_hook.remove()
    del module._initialize_hook
    del module._load_hook
    if module.cls_to_become is not None:
        module.__class__ = module.cls_to_become
