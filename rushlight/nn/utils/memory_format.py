"""The memory layout of convolution weights."""

from __future__ import annotations

from typing import Any

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]


def _convert(module: Any, memory_format: Any, kinds: tuple[str, ...], dims: int) -> Any:
    if any(cls.__name__ in kinds for cls in type(module).__mro__) and module.weight.dim() == dims:
        module.weight.data = module.weight.detach().clone(memory_format=memory_format)
    for child in module.children():
        _convert(child, memory_format, kinds, dims)
    return module


def convert_conv2d_weight_memory_format(module: Any, memory_format: Any) -> Any:
    """Lay out the weights of all Conv2d and ConvTranspose2d below `module` in a memory format.

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.utils.convert_conv2d_weight_memory_format.html
    """
    return _convert(module, memory_format, ("Conv2d", "ConvTranspose2d"), 4)


def convert_conv3d_weight_memory_format(module: Any, memory_format: Any) -> Any:
    """Lay out the weights of all Conv3d and ConvTranspose3d below `module` in a memory format."""
    return _convert(module, memory_format, ("Conv3d", "ConvTranspose3d"), 5)
