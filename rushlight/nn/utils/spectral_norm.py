"""Spectral normalisation as a hook: a weight over its largest singular value."""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight.autograd.grad_mode import no_grad
from rushlight.nn import functional as F
from rushlight.nn.parameter import Parameter

__all__ = ["SpectralNorm", "remove_spectral_norm", "spectral_norm"]


class SpectralNorm:
    """The forward pre-hook that divides the weight by its largest singular value, followed by power iteration.

    The singular vectors stay in the buffers `name_u` and `name_v`, so that one step for each call is enough.
    """

    _version: int = 1

    def __init__(self, name: str = "weight", n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        self.name = name
        self.dim = dim
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.n_power_iterations = n_power_iterations
        self.eps = eps

    def reshape_weight_to_matrix(self, weight: Any) -> Any:
        """The weight with dimension `dim` as rows and all others as columns."""
        if self.dim != 0:
            weight = weight.movedim(self.dim, 0)
        return weight.reshape(weight.shape[0], -1)

    def compute_weight(self, module: Any, do_power_iteration: bool) -> Any:
        """The weight over its largest singular value; with `do_power_iteration` the vectors are brought up to date."""
        weight = getattr(module, self.name + "_orig")
        u, v = getattr(module, self.name + "_u"), getattr(module, self.name + "_v")
        matrix = self.reshape_weight_to_matrix(weight)
        if do_power_iteration:
            with no_grad():
                for _ in range(self.n_power_iterations):
                    F.normalize(_C.mv(matrix.t(), u), dim=0, eps=self.eps, out=v)
                    F.normalize(_C.mv(matrix, v), dim=0, eps=self.eps, out=u)
                u, v = u.clone(), v.clone()
        return weight / _C.dot(u, _C.mv(matrix, v))

    def remove(self, module: Any) -> None:
        """Make the weight a parameter again, as it is now."""
        with no_grad():
            weight = self.compute_weight(module, do_power_iteration=False)
        for name in (self.name, self.name + "_u", self.name + "_v", self.name + "_orig"):
            delattr(module, name)
        module.register_parameter(self.name, Parameter(weight.detach()))

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module, do_power_iteration=module.training))

    @staticmethod
    def apply(module: Any, name: str, n_power_iterations: int, dim: int, eps: float) -> SpectralNorm:
        """Put the hook on a module."""
        from rushlight.nn.parameter import is_lazy

        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, SpectralNorm) and hook.name == name:
                raise RuntimeError(f"Cannot register two spectral_norm hooks on the same parameter {name}")
        made = SpectralNorm(name, n_power_iterations, dim, eps)
        weight = module._parameters[name]
        if weight is None:
            raise ValueError(f"`SpectralNorm` cannot be applied as parameter `{name}` is None")
        if is_lazy(weight):
            raise ValueError(
                "The module passed to `SpectralNorm` can't have uninitialized parameters. Make sure to run the dummy "
                "forward before applying spectral normalization"
            )
        with no_grad():
            rows, columns = made.reshape_weight_to_matrix(weight).shape
            u = F.normalize(weight.new_empty(rows).normal_(0, 1), dim=0, eps=eps)
            v = F.normalize(weight.new_empty(columns).normal_(0, 1), dim=0, eps=eps)
        delattr(module, name)
        module.register_parameter(name + "_orig", weight)
        setattr(module, name, weight.data)
        module.register_buffer(name + "_u", u)
        module.register_buffer(name + "_v", v)
        module.register_forward_pre_hook(made)
        module._register_state_dict_hook(_StateHook(made))
        module._register_load_state_dict_pre_hook(_LoadHook(made))
        return made


class _StateHook:
    """Notes the hook's version in the state's metadata."""

    def __init__(self, norm: SpectralNorm) -> None:
        self.fn = norm

    def __call__(self, module: Any, state_dict: Any, prefix: str, local_metadata: Any) -> None:
        versions = local_metadata.setdefault("spectral_norm", {})
        key = self.fn.name + ".version"
        if key in versions:
            raise RuntimeError(f"Unexpected key in metadata['spectral_norm']: {key}")
        versions[key] = self.fn._version


class _LoadHook:
    """Turns states from before version 1, which kept the weight and no `v`, into today's."""

    def __init__(self, norm: SpectralNorm) -> None:
        self.fn = norm

    def __call__(
        self, state_dict: Any, prefix: str, local_metadata: Any, strict: bool, missing_keys: Any, unexpected_keys: Any,
        error_msgs: Any,
    ) -> None:  # fmt: skip
        version = local_metadata.get("spectral_norm", {}).get(self.fn.name + ".version")
        if version is not None and version >= 1:
            return
        key = prefix + self.fn.name
        if version is None and all(key + s in state_dict for s in ("_orig", "_u", "_v")) and key not in state_dict:
            return
        missing = [key + s for s in ("_orig", "", "_u") if key + s not in state_dict]
        if missing:
            if strict:
                missing_keys.extend(missing)
            return
        with no_grad():
            original, weight, u = state_dict[key + "_orig"], state_dict.pop(key), state_dict[key + "_u"]
            sigma = (original / weight).mean()
            matrix = self.fn.reshape_weight_to_matrix(original)
            rhs = _C.mv(matrix.t(), u).unsqueeze(1)
            from rushlight import linalg

            v = (linalg.pinv(matrix.t().mm(matrix)) @ rhs).squeeze(1)
            state_dict[key + "_v"] = v * (sigma / _C.dot(u, _C.mv(matrix, v)))


def spectral_norm(
    module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Any:
    """Divide a parameter by its largest singular value, in every call (Miyato et al. 2018).

    Args:
        module: whose parameter.
        name: which.
        n_power_iterations: steps of power iteration for each call in training.
        eps: against division by zero.
        dim: the dimension of the outputs: 1 for transposed convolutions, otherwise 0.

    Raises:
        RuntimeError: the parameter is normalised already.

    Example:
        >>> import rushlight as torch
        >>> m = torch.nn.utils.spectral_norm(torch.nn.Linear(20, 40))
        >>> m.weight_u.shape
        torch.Size([40])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.utils.spectral_norm.html
    """
    if dim is None:
        dim = int(_is_transposed(module))
    SpectralNorm.apply(module, name, n_power_iterations, dim, eps)
    return module


def _is_transposed(module: Any) -> bool:
    return any(
        cls.__name__ in ("ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d") for cls in type(module).__mro__
    )


def remove_spectral_norm(module: Any, name: str = "weight") -> Any:
    """Undo `spectral_norm`; the weight keeps its last value.

    Raises:
        ValueError: the parameter is not normalised.

    >>> m = torch.nn.utils.spectral_norm(torch.nn.Linear(2, 2))
    >>> [name for name, _ in torch.nn.utils.remove_spectral_norm(m).named_parameters()]
    ['bias', 'weight']
    """
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, SpectralNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            break
    else:
        raise ValueError(f"spectral_norm of '{name}' not found in {module}")
    for hooks in (module._state_dict_hooks, module._load_state_dict_pre_hooks):
        for key, hook in hooks.items():
            if isinstance(hook, (_StateHook, _LoadHook)) and hook.fn.name == name:
                del hooks[key]
                break
    return module
