"""Weight normalisation as a hook: a weight kept as a direction and a length."""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight.nn.parameter import Parameter

__all__ = ["WeightNorm", "remove_weight_norm", "weight_norm"]


def norm_except_dim(v: Any, dim: int) -> Any:
    """The 2-norms of the slices of `v` along `dim`, kept broadcastable; -1 is the norm of all."""
    if dim == -1:
        return v.norm()
    if dim < -1 or dim >= v.dim():
        raise IndexError(
            f"Dimension out of range (expected to be in range of [{-v.dim()}, {v.dim() - 1}], but got {dim})"
        )
    others = [d for d in range(v.dim()) if d != dim]
    return (v * v).sum(others, keepdim=True).sqrt() if others else v.abs()


def scaled_direction(v: Any, g: Any, dim: int) -> Any:
    """g * v / |v|, with the norms as `norm_except_dim` takes them."""
    return v * (g / norm_except_dim(v, dim))


class WeightNorm:
    """The forward pre-hook that computes the weight."""

    def __init__(self, name: str, dim: int | None) -> None:
        self.name = name
        self.dim = -1 if dim is None else dim

    def compute_weight(self, module: Any) -> Any:
        """The weight, from its direction `name_v` and its length `name_g`."""
        return scaled_direction(getattr(module, self.name + "_v"), getattr(module, self.name + "_g"), self.dim)

    @staticmethod
    def apply(module: Any, name: str, dim: int | None) -> WeightNorm:
        """Put the hook on a module."""
        from rushlight.nn.parameter import is_lazy

        for hook in module._forward_pre_hooks.values():
            if isinstance(hook, WeightNorm) and hook.name == name:
                raise RuntimeError(f"Cannot register two weight_norm hooks on the same parameter {name}")
        made = WeightNorm(name, dim)
        weight = getattr(module, name)
        if is_lazy(weight):
            raise ValueError(
                "The module passed to `WeightNorm` can't have uninitialized parameters. Make sure to run the dummy "
                "forward before applying weight normalization"
            )
        del module._parameters[name]
        module.register_parameter(name + "_g", Parameter(norm_except_dim(weight, made.dim).detach()))
        module.register_parameter(name + "_v", Parameter(weight.detach()))
        setattr(module, name, made.compute_weight(module))
        module.register_forward_pre_hook(made)
        return made

    def remove(self, module: Any) -> None:
        """Make the weight a parameter again."""
        weight = self.compute_weight(module)
        delattr(module, self.name)
        del module._parameters[self.name + "_g"]
        del module._parameters[self.name + "_v"]
        setattr(module, self.name, Parameter(_C.Tensor.detach(weight)))

    def __call__(self, module: Any, inputs: Any) -> None:
        setattr(module, self.name, self.compute_weight(module))


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Keep a parameter as a direction `name_v` and lengths `name_g` (Salimans & Kingma 2016).

    Args:
        module: whose parameter.
        name: which.
        dim: the dimension with one length for each index; None for one length in all.

    Raises:
        RuntimeError: the parameter is normalised already.

    Example:
        >>> import rushlight as torch
        >>> m = torch.nn.utils.weight_norm(torch.nn.Linear(20, 40))
        >>> m.weight_g.shape
        torch.Size([40, 1])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.utils.weight_norm.html
    """
    import warnings

    warnings.warn(
        "`torch.nn.utils.weight_norm` is deprecated in favor of `torch.nn.utils.parametrizations.weight_norm`.",
        FutureWarning,
        stacklevel=2,
    )
    WeightNorm.apply(module, name, dim)
    return module


def remove_weight_norm(module: Any, name: str = "weight") -> Any:
    """Undo `weight_norm`.

    Raises:
        ValueError: the parameter is not normalised.

    >>> import warnings
    >>> warnings.simplefilter("ignore")
    >>> m = torch.nn.utils.weight_norm(torch.nn.Linear(2, 2))
    >>> [name for name, _ in torch.nn.utils.remove_weight_norm(m).named_parameters()]
    ['bias', 'weight']
    """
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, WeightNorm) and hook.name == name:
            hook.remove(module)
            del module._forward_pre_hooks[key]
            return module
    raise ValueError(f"weight_norm of '{name}' not found in {module}")
