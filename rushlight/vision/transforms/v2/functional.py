"""The functions of `rushlight.vision.transforms.functional` under their names in v2.

`import rushlight.vision.transforms.v2.functional as TF`.
"""

from __future__ import annotations

from typing import Any

import rushlight as torch
from rushlight._missing import module_getattr
from rushlight.vision._pillow import is_pil
from rushlight.vision.transforms import _functional_tensor as _T
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
    """As `transforms.functional.resize`, but tensors of bytes are not averaged by way of floats.

    Args:
        inpt: a PIL image or a tensor.
        size: (height, width), or a number for the shorter side; None makes the longer side `max_size`.
        interpolation, max_size, antialias: as there.

    >>> from rushlight.vision.transforms.v2 import functional as TF
    >>> TF.resize(torch.zeros(3, 20, 10), None, max_size=10).shape
    torch.Size([3, 10, 5])
    """
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
    """A part of the image, brought to a size.

    >>> from rushlight.vision.transforms.v2 import functional as TF
    >>> TF.resized_crop(torch.rand(3, 8, 8), 0, 0, 4, 4, [2, 2]).shape
    torch.Size([3, 2, 2])
    """
    return resize(_v1.crop(inpt, top, left, height, width), size, interpolation, antialias=antialias)


def get_size(inpt: Any) -> list[int]:
    """[height, width].

    >>> from rushlight.vision.transforms.v2 import functional as TF
    >>> TF.get_size(torch.zeros(3, 4, 5))
    [4, 5]
    """
    return _v1.get_dimensions(inpt)[1:]


def to_image(inpt: Any) -> Any:
    """A PIL image, an array (height, width[, channels]) or a tensor as a tensor (channels, height, width).

    >>> import numpy as np
    >>> from rushlight.vision.transforms.v2 import functional as TF
    >>> TF.to_image(np.zeros((4, 5, 3), np.uint8)).shape
    torch.Size([3, 4, 5])
    """
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


def _is_tensor(inpt: Any) -> bool:
    """Whether it is a tensor, which must be of an image then."""
    if not isinstance(inpt, torch.Tensor):
        return False
    _T.check(inpt)
    return True


def invert(inpt: Any) -> Any:  # type: ignore[no-redef]
    """White minus the image, of any number of channels.

    >>> from rushlight.vision.transforms.v2 import functional as TF
    >>> TF.invert(torch.tensor([0., 0.25]).view(2, 1, 1)).flatten()
    tensor([1.0000, 0.7500])
    """
    return _T.largest(inpt.dtype) - inpt if _is_tensor(inpt) else _v1.invert(inpt)


def posterize(inpt: Any, bits: int) -> Any:  # type: ignore[no-redef]
    """The image with only the highest `bits` bits of each byte; floats have 2 ** bits values.

    >>> from rushlight.vision.transforms.v2 import functional as TF
    >>> TF.posterize(torch.tensor([0.2, 0.3, 0.8]).view(1, 1, 3), 2).flatten()
    tensor([0.0000, 0.2500, 0.7500])
    """
    if not _is_tensor(inpt) or (inpt.dtype == torch.uint8 and _T.channels_of(inpt) in (1, 3)):
        return _v1.posterize(inpt, bits)
    if not 0 <= bits <= 8:
        raise ValueError(f"The number of bits should be between 0 and 8. Got {bits}")
    if not inpt.is_floating_point():
        width = _T.largest(inpt.dtype).bit_length()
        return inpt & ((2**bits - 1) << (width - bits)) if bits < width else inpt
    levels = 2**bits
    return (inpt * levels).floor().clamp(0, levels - 1) / levels


def solarize(inpt: Any, threshold: float) -> Any:  # type: ignore[no-redef]
    """The image, of any number of channels, inverted where it is `threshold` or more.

    >>> from rushlight.vision.transforms.v2 import functional as TF
    >>> TF.solarize(torch.tensor([0.25, 0.75]).view(1, 1, 2), 0.5).flatten()
    tensor([0.2500, 0.2500])
    """
    if not _is_tensor(inpt):
        return _v1.solarize(inpt, threshold)
    if threshold > (white := _T.largest(inpt.dtype)):
        raise TypeError(f"threshold {threshold} is more than {white}, the largest value of {inpt.dtype} images")
    return torch.where(inpt >= threshold, invert(inpt), inpt)


def equalize(inpt: Any) -> Any:  # type: ignore[no-redef]
    """Each channel mapped so that all values are about as frequent; other dtypes than bytes by way of them.

    >>> from rushlight.vision.transforms.v2 import functional as TF
    >>> TF.equalize(torch.rand(3, 8, 8)).dtype
    torch.float32
    """
    if not _is_tensor(inpt):
        return _v1.equalize(inpt)
    return _v1.convert_image_dtype(_T.equalized(_v1.convert_image_dtype(inpt, torch.uint8)), inpt.dtype)


def gaussian_noise(inpt: Any, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> Any:
    """A tensor of bytes, or of floats from 0 to 1, with normal noise of this mean and width, where white is 1.

    Raises:
        ValueError: a PIL image, another dtype, or a negative sigma.

    >>> from rushlight.vision.transforms.v2 import functional as TF
    >>> TF.gaussian_noise(torch.ones(1, 1, 2), mean=1.0)
    tensor([[[1., 1.]]])
    """
    if not isinstance(inpt, torch.Tensor):
        raise ValueError(f"Gaussian noise is for tensors, got {type(inpt)}: ToImage() comes before it")
    if sigma < 0:
        raise ValueError(f"sigma shouldn't be negative. Got {sigma}")
    if inpt.is_floating_point():
        noisy = inpt + (mean + torch.randn_like(inpt) * sigma)
        return noisy.clamp(0, 1) if clip else noisy
    if inpt.dtype != torch.uint8:
        raise ValueError(f"Input tensor is expected to be in uint8 or float dtype, got dtype={inpt.dtype}")
    noise = mean * 255 + torch.randn_like(inpt, dtype=torch.float32) * (sigma * 255)
    noisy = inpt + noise.to(torch.int16)
    return (noisy.clamp(0, 255) if clip else noisy).to(torch.uint8)


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
