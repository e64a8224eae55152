"""The functions of `rushlight.vision.transforms.functional` under their names in v2.

`import rushlight.vision.transforms.v2.functional as TF`.
"""

from __future__ import annotations

from typing import Any

import rushlight as torch
from rushlight._missing import module_getattr
from rushlight.vision._pillow import is_pil
from rushlight.vision.transforms import functional as _v1
from rushlight.vision.transforms.functional import *  # noqa: F403
from rushlight.vision.transforms.functional import __all__ as _names

__all__ = [
    *_names,
    "elastic",
    "gaussian_noise",
    "get_num_channels",
    "get_size",
    "grayscale_to_rgb",
    "horizontal_flip",
    "permute_channels",
    "to_dtype",
    "to_image",
    "vertical_flip",
]

horizontal_flip, vertical_flip, elastic = _v1.hflip, _v1.vflip, _v1.elastic_transform
get_num_channels = _v1.get_image_num_channels


def resize(  # type: ignore[no-redef]
    inpt: Any,
    size: Any,
    interpolation: Any = _v1.InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Any:
    """As `transforms.functional.resize`, but tensors of bytes are not averaged by way of floats."""
    return _v1._resize(inpt, size, interpolation, max_size, antialias, True)


def resized_crop(  # type: ignore[no-redef]
    inpt: Any,
    top: int,
    left: int,
    height: int,
    width: int,
    size: Any,
    interpolation: Any = _v1.InterpolationMode.BILINEAR,
    antialias: bool | None = True,
) -> Any:
    """A part of the image, brought to a size."""
    return resize(_v1.crop(inpt, top, left, height, width), size, interpolation, antialias=antialias)


def get_size(inpt: Any) -> list[int]:
    """[height, width].

    >>> from rushlight.vision.transforms.v2 import functional as TF
    >>> TF.get_size(torch.zeros(3, 4, 5))
    [4, 5]
    """
    return _v1.get_dimensions(inpt)[1:]


def to_image(inpt: Any) -> Any:
    """A PIL image, an array (height, width[, channels]) or a tensor as a tensor (channels, height, width)."""
    if is_pil(inpt):
        return _v1.pil_to_tensor(inpt)
    if isinstance(inpt, torch.Tensor):
        return inpt.unsqueeze(0) if inpt.dim() == 2 else inpt
    array = torch.as_tensor(inpt)
    return array.unsqueeze(0) if array.dim() == 2 else array.permute(2, 0, 1).contiguous()


def to_dtype(inpt: Any, dtype: Any = torch.float32, scale: bool = False) -> Any:
    """A tensor in another dtype; `scale`: white stays white.

    >>> from rushlight.vision.transforms.v2 import functional as TF
    >>> TF.to_dtype(torch.tensor([[[255]]], dtype=torch.uint8), torch.float32, scale=True)
    tensor([[[1.]]])
    """
    return _v1.convert_image_dtype(inpt, dtype) if scale else inpt.to(dtype)


def grayscale_to_rgb(inpt: Any) -> Any:
    """An image of one channel as one of three.

    >>> from rushlight.vision.transforms.v2 import functional as TF
    >>> TF.grayscale_to_rgb(torch.rand(1, 4, 4)).shape
    torch.Size([3, 4, 4])
    """
    if is_pil(inpt):
        return inpt.convert("RGB")
    return inpt.expand(*inpt.shape[:-3], 3, -1, -1) if inpt.shape[-3] == 1 else inpt


def gaussian_noise(inpt: Any, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> Any:
    """A tensor of floats with normal noise."""
    if not inpt.is_floating_point():
        raise ValueError(f"Input tensor is expected to be in uint8 or float dtype, got dtype={inpt.dtype}")
    if sigma < 0:
        raise ValueError(f"sigma shouldn't be negative. Got {sigma}")
    noisy = inpt + (mean + torch.randn_like(inpt) * sigma)
    return noisy.clamp(0, 1) if clip else noisy


def permute_channels(inpt: Any, permutation: list[int]) -> Any:
    """The channels in another order.

    >>> from rushlight.vision.transforms.v2 import functional as TF
    >>> TF.permute_channels(torch.tensor([1, 2, 3]).view(3, 1, 1), [2, 1, 0]).flatten()
    tensor([3, 2, 1])
    """
    if is_pil(inpt):
        return _v1.to_pil_image(_v1.pil_to_tensor(inpt)[permutation])
    return inpt[..., permutation, :, :]


__getattr__ = module_getattr(__name__)
