"""Transforms as functions of an image, a PIL image or a tensor (..., channels, height, width).

`import rushlight.vision.transforms.functional as TF`. Tensors of integers go from 0 to the dtype's largest value, those of
floats from 0 to 1.

What is neither is a TypeError.

Reference: https://pytorch.org/vision/stable/transforms.html#functional-transforms
"""

from __future__ import annotations

import numbers
import sys
from enum import Enum
from typing import Any

import rushlight as torch
from rushlight.vision._pillow import is_pil, pillow
from rushlight.vision.transforms import _functional_pil as P
from rushlight.vision.transforms import _functional_tensor as T
from rushlight.vision.transforms._arguments import size_pair

__all__ = [
    "InterpolationMode", "adjust_brightness", "adjust_contrast", "adjust_gamma", "adjust_hue", "adjust_saturation",
    "adjust_sharpness", "affine", "autocontrast", "center_crop", "convert_image_dtype", "crop", "elastic_transform",
    "equalize", "erase", "five_crop", "gaussian_blur", "get_dimensions", "get_image_num_channels", "get_image_size",
    "hflip", "invert", "normalize", "pad", "perspective", "pil_to_tensor", "posterize", "resize", "resized_crop",
    "rgb_to_grayscale", "rotate", "solarize", "ten_crop", "to_grayscale", "to_pil_image", "to_tensor", "vflip",
]  # fmt: skip


class InterpolationMode(Enum):
    """How pixels between pixels are found. Tensors have the first four; PIL images all but NEAREST_EXACT.

    >>> from rushlight.vision.transforms import InterpolationMode, Resize
    >>> Resize(4, InterpolationMode.BICUBIC)(torch.rand(3, 8, 8)).shape
    torch.Size([3, 4, 4])

    Reference: https://pytorch.org/vision/stable/generated/torchvision.transforms.InterpolationMode.html
    """

    NEAREST = "nearest"
    NEAREST_EXACT = "nearest-exact"
    BILINEAR = "bilinear"
    BICUBIC = "bicubic"
    BOX = "box"
    HAMMING = "hamming"
    LANCZOS = "lanczos"


# Pillow's numbers of them.
pil_modes_mapping = {
    InterpolationMode.NEAREST: 0,
    InterpolationMode.LANCZOS: 1,
    InterpolationMode.BILINEAR: 2,
    InterpolationMode.BICUBIC: 3,
    InterpolationMode.NEAREST_EXACT: 0,
    InterpolationMode.BOX: 4,
    InterpolationMode.HAMMING: 5,
}
_FROM_PILLOW = {
    number: mode for mode, number in pil_modes_mapping.items() if mode is not InterpolationMode.NEAREST_EXACT
}


def _interpolation_mode(interpolation: Any) -> InterpolationMode:
    """Takes the names too, and Pillow's numbers, as old programs pass them."""
    if isinstance(interpolation, InterpolationMode):
        return interpolation
    if isinstance(interpolation, int) and int(interpolation) in _FROM_PILLOW:
        return _FROM_PILLOW[int(interpolation)]
    if isinstance(interpolation, str) and interpolation in InterpolationMode._value2member_map_:
        return InterpolationMode(interpolation)
    raise TypeError(
        "Argument interpolation should be a InterpolationMode or a corresponding Pillow integer constant, "
        f"or one of {', '.join(mode.value for mode in InterpolationMode)}, but got {interpolation!r}"
    )


def _is_tensor(image: Any) -> bool:
    return isinstance(image, torch.Tensor)


def _kind(image: Any) -> Any:
    """The module of the functions for this kind of image; those have the same names in both."""
    return T if _is_tensor(image) else P


# ---- what an image is ----


def get_dimensions(img: Any) -> list[int]:
    """[channels, height, width].

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.get_dimensions(torch.zeros(3, 4, 5))
    [3, 4, 5]
    """
    kind = _kind(img)
    return [kind.channels_of(img), *kind.size_of(img)]


def _size_of(img: Any) -> tuple[int, int]:
    if not _is_tensor(img) and not is_pil(img):
        raise TypeError(f"Unexpected type {type(img)}")
    _, height, width = get_dimensions(img)
    return height, width


def get_image_size(img: Any) -> list[int]:
    """[width, height].

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.get_image_size(torch.zeros(3, 4, 5))
    [5, 4]
    """
    height, width = _size_of(img)
    return [width, height]


def get_image_num_channels(img: Any) -> int:
    """The number of channels.

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.get_image_num_channels(torch.zeros(3, 4, 5))
    3
    """
    _size_of(img)  # refuses what is no image
    return get_dimensions(img)[0]


# ---- conversions ----


def to_tensor(pic: Any) -> Any:
    """A PIL image or an array (height, width[, channels]) as a tensor (channels, height, width).

    Bytes become floats from 0 to 1; other types stay as they are.

    Raises:
        TypeError: it is neither.
        ValueError: an array of another number of dimensions.

    >>> import numpy as np
    >>> to_tensor(np.full((2, 3, 3), 255, np.uint8)).shape
    torch.Size([3, 2, 3])
    """
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(pic, numpy.ndarray):
        if pic.ndim not in (2, 3):
            raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        pixels = torch.from_numpy(numpy.ascontiguousarray(pic[:, :, None] if pic.ndim == 2 else pic))
    elif is_pil(pic):
        pixels = _pixels(pic, {"I": "int32", "I;16": "int16", "I;16B": "int16", "F": "float32"}.get(pic.mode, "uint8"))
        if pic.mode == "1":
            pixels = 255 * pixels
    else:
        raise TypeError(f"pic should be PIL Image or ndarray. Got {type(pic)}")
    image = pixels.permute(2, 0, 1).contiguous()
    return image.to(torch.get_default_dtype()).div_(255) if image.dtype == torch.uint8 else image


def _pixels(pic: Any, dtype: str | None = None) -> Any:
    """The pixels of a PIL image, (height, width, channels)."""
    import numpy as np

    return torch.from_numpy(np.array(pic, dtype=dtype, copy=True)).reshape(pic.height, pic.width, len(pic.getbands()))


def pil_to_tensor(pic: Any) -> Any:
    """A PIL image as a tensor (channels, height, width) of the same values.

    Raises:
        TypeError: it is none, or its pixels have 16 bits, for which there is no dtype.

    >>> from PIL import Image
    >>> pil_to_tensor(Image.new("RGB", (5, 4), "red")).shape
    torch.Size([3, 4, 5])
    """
    if not is_pil(pic):
        raise TypeError(f"pic should be PIL Image. Got {type(pic)}")
    if pic.mode.startswith("I;16"):
        raise TypeError(f"pic has mode {pic.mode}, pixels of 16 bits without a sign; pic.convert('I') has int32")
    return _pixels(pic).permute(2, 0, 1)


def convert_image_dtype(image: Any, dtype: Any = torch.float) -> Any:
    """A tensor in another dtype, scaled so that white stays white.

    Raises:
        RuntimeError: from float32 to int32 or int64, or from float64 to int64: white has no exact value there.
        TypeError: it is no tensor.

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.convert_image_dtype(torch.tensor([0, 255], dtype=torch.uint8), torch.float32)
    tensor([0., 1.])
    """
    if not _is_tensor(image):
        raise TypeError("Input img should be Tensor Image")
    return T.convert_image_dtype(image, dtype)


_MODES = {2: ("LA",), 3: ("RGB", "YCbCr", "HSV"), 4: ("RGBA", "CMYK", "RGBX")}


def to_pil_image(pic: Any, mode: str | None = None) -> Any:
    """A tensor (channels, height, width) or an array (height, width[, channels]) as a PIL image.

    Floats are taken to go from 0 to 1, unless the mode is "F".

    Args:
        pic: up to 4 channels.
        mode: Pillow's name of the kind of image; by default guessed from channels and dtype.

    Raises:
        TypeError: neither tensor nor array, or a dtype that no image has.
        ValueError: the dimensions, the channels or the mode do not fit.

    >>> to_pil_image(torch.rand(3, 8, 9)).size
    (9, 8)
    """
    import numpy as np

    if not _is_tensor(pic) and not isinstance(pic, np.ndarray):
        raise TypeError(f"pic should be Tensor or ndarray. Got {type(pic)}.")
    if pic.ndim not in (2, 3):
        raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
    if _is_tensor(pic):
        pic = pic.detach().cpu()
        pic = pic.unsqueeze(0) if pic.dim() == 2 else pic
        channels = pic.shape[0]
        if pic.is_floating_point() and mode != "F":
            pic = pic.mul(255).to(torch.uint8)
        pixels = np.ascontiguousarray(pic.permute(1, 2, 0).numpy())
    else:
        pixels = pic[:, :, None] if pic.ndim == 2 else pic
        channels = pixels.shape[2]
    if channels > 4:
        raise ValueError(f"pic should not have > 4 channels. Got {channels} channels.")
    if channels == 1:
        short = "I;16" if sys.byteorder == "little" else "I;16B"
        expected = {"uint8": "L", "int16": short, "int32": "I", "float32": "F"}.get(pixels.dtype.name)
        if mode is not None and mode != expected:
            raise ValueError(f"Incorrect mode ({mode}) supplied for input type {pixels.dtype}. Should be {expected}")
        mode = expected
    elif mode is not None and mode not in _MODES[channels]:
        raise ValueError(f"Only modes {list(_MODES[channels])} are supported for {channels}D inputs")
    elif mode is None and pixels.dtype == np.uint8:
        mode = _MODES[channels][0]
    if mode is None:
        raise TypeError(f"Input type {pixels.dtype} is not supported")
    height, width = pixels.shape[:2]
    return pillow().frombytes(mode, (width, height), pixels.tobytes())


def normalize(tensor: Any, mean: Any, std: Any, inplace: bool = False) -> Any:
    """(tensor - mean) / std, channel by channel.

    Args:
        tensor: floats (..., channels, height, width).
        mean, std: a number a channel.
        inplace: whether to change the tensor itself.

    Raises:
        TypeError: no tensor, or not of floats.
        ValueError: a std of 0, or fewer than 3 dimensions.

    >>> normalize(torch.full((1, 2, 2), 0.75), (0.5,), (0.5,))
    tensor([[[0.5000, 0.5000],
             [0.5000, 0.5000]]])
    """
    if not _is_tensor(tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(tensor)}")
    return T.normalize(tensor, mean, std, inplace)


# ---- size and place ----


def _compute_resized_output_size(image_size: tuple[int, int], size: Any, max_size: int | None = None) -> list[int]:
    """[height, width] of the resized image; one size is the shorter side's, none makes the longer one max_size."""
    if size is not None and len(size) == 2:
        return [int(size[0]), int(size[1])]
    h, w = image_size
    short, long = (w, h) if w <= h else (h, w)
    if size is None:
        if not isinstance(max_size, int):
            raise ValueError(f"max_size must be an integer when size is None, but got {max_size} instead.")
        new_short, new_long = int(max_size * short / long), max_size
    else:
        new_short, new_long = size[0], int(size[0] * long / short)
        if max_size is not None:
            if max_size <= size[0]:
                raise ValueError(
                    f"max_size = {max_size} must be strictly greater than the requested size for the smaller edge "
                    f"size = {size}"
                )
            if new_long > max_size:
                new_short, new_long = int(max_size * new_short / new_long), max_size
    new_w, new_h = (new_short, new_long) if w <= h else (new_long, new_short)
    return [new_h, new_w]


def resize(
    img: Any,
    size: Any,
    interpolation: Any = InterpolationMode.BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Any:
    """The image in another size.

    Args:
        img: a PIL image or a tensor.
        size: (height, width), or a number for the shorter side; the other one follows.
        interpolation: one of `InterpolationMode`; tensors have NEAREST, NEAREST_EXACT, BILINEAR, BICUBIC.
        max_size: with a single size: the most that the longer side may have.
        antialias: for tensors: whether to average where the image gets smaller; PIL images always do.

    Raises:
        TypeError: no image, or sizes that are no numbers.
        ValueError: a size of three numbers, or max_size together with both sides.

    >>> resize(torch.rand(3, 20, 10), 5).shape
    torch.Size([3, 10, 5])
    """
    return _resize(img, size, interpolation, max_size, antialias, False)


def _resize(img: Any, size: Any, interpolation: Any, max_size: int | None, antialias: bool | None, whole: bool) -> Any:
    """`resize`; whole: as in version 2 of the transforms, where bytes are averaged as bytes and size may be None."""
    interpolation = _interpolation_mode(interpolation)
    if isinstance(size, list | tuple):
        if len(size) not in (1, 2):
            raise ValueError(
                f"Size must be an int or a 1 or 2 element tuple/list, not a {len(size)} element tuple/list"
            )
        if max_size is not None and len(size) != 1:
            raise ValueError(
                "max_size should only be passed if size specifies the length of the smaller edge, "
                "i.e. size should be an int or a sequence of length 1 in torchscript mode."
            )
    elif isinstance(size, int):
        size = [size]
    elif size is not None or not whole:
        raise TypeError(f"size should be int or a sequence of ints. Got {type(size)}")
    image_size = _size_of(img)
    height, width = _compute_resized_output_size(image_size, size, max_size)
    if image_size == (height, width):
        return img
    if _is_tensor(img):
        return T.resize(img, height, width, interpolation.value, bool(antialias), whole)
    if antialias is False:
        import warnings

        warnings.warn("Anti-alias option is always applied for PIL Image input. Argument antialias is ignored.")
    return P.resize(img, height, width, pil_modes_mapping[interpolation])


def pad(img: Any, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> Any:
    """The image with a border.

    Args:
        img: a PIL image or a tensor.
        padding: of all sides; or (left and right, top and bottom); or (left, top, right, bottom).
        fill: the value of a constant border: a number, or one a channel; None is 0.
        padding_mode: "constant"; "edge", the last pixel; "reflect", mirrored without it; "symmetric", with it.

    Raises:
        TypeError, ValueError: arguments of another kind.

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.pad(torch.ones(1, 1, 2), 1)
    tensor([[[0., 0., 0., 0.],
             [0., 1., 1., 0.],
             [0., 0., 0., 0.]]])
    """
    if not isinstance(padding, numbers.Number | tuple | list):
        raise TypeError("Got inappropriate padding arg")
    if fill is not None and not isinstance(fill, numbers.Number | str | tuple | list):
        raise TypeError("Got inappropriate fill arg")
    if not isinstance(padding_mode, str):
        raise TypeError("Got inappropriate padding_mode arg")
    if padding_mode not in ("constant", "edge", "reflect", "symmetric"):
        raise ValueError("Padding mode should be either constant, edge, reflect or symmetric")
    sides = [padding] if isinstance(padding, numbers.Number) else list(padding)  # type: ignore[arg-type]
    if len(sides) not in (1, 2, 4):
        raise ValueError(f"Padding must be an int or a 1, 2, or 4 element tuple, not a {len(sides)} element tuple")
    left, top, right, bottom = (sides * 4)[:4] if len(sides) < 4 else sides
    return _kind(img).pad(img, left, top, right, bottom, fill, padding_mode)


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """A part of the image; what lies outside of it is 0.

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.crop(torch.arange(16).view(1, 4, 4), top=1, left=2, height=2, width=2)
    tensor([[[ 6,  7],
             [10, 11]]])
    """
    return _kind(img).crop(img, top, left, height, width)


def center_crop(img: Any, output_size: Any) -> Any:
    """The middle of the image, with a border of 0 where the image is smaller.

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.center_crop(torch.arange(16).view(1, 4, 4), 2)
    tensor([[[ 5,  6],
             [ 9, 10]]])
    """
    height, width = _size_of(img)
    crop_height, crop_width = size_pair(output_size)
    if crop_width > width or crop_height > height:
        wide, high = max(crop_width - width, 0), max(crop_height - height, 0)
        img = pad(img, [wide // 2, high // 2, (wide + 1) // 2, (high + 1) // 2], fill=0)
        height, width = _size_of(img)
        if (crop_height, crop_width) == (height, width):
            return img
    top, left = round((height - crop_height) / 2.0), round((width - crop_width) / 2.0)
    return crop(img, top, left, crop_height, crop_width)


def resized_crop(
    img: Any,
    top: int,
    left: int,
    height: int,
    width: int,
    size: Any,
    interpolation: Any = InterpolationMode.BILINEAR,
    antialias: bool | None = True,
) -> Any:
    """A part of the image, brought to a size.

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.resized_crop(torch.rand(3, 8, 8), 0, 0, 4, 4, [2, 2]).shape
    torch.Size([3, 2, 2])
    """
    return resize(crop(img, top, left, height, width), size, interpolation, antialias=antialias)


def hflip(img: Any) -> Any:
    """The image with left and right exchanged.

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.hflip(torch.tensor([[[1, 2, 3]]]))
    tensor([[[3, 2, 1]]])
    """
    return _kind(img).hflip(img)


def vflip(img: Any) -> Any:
    """The image with top and bottom exchanged.

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.vflip(torch.tensor([[[1], [2]]])).flatten()
    tensor([2, 1])
    """
    return _kind(img).vflip(img)


def five_crop(img: Any, size: Any) -> tuple[Any, Any, Any, Any, Any]:
    """The four corners and the middle.

    Raises:
        ValueError: the image is smaller than `size`.

    >>> import rushlight.vision.transforms.functional as TF
    >>> [crop.shape for crop in TF.five_crop(torch.rand(3, 8, 8), 4)][0]
    torch.Size([3, 4, 4])
    """
    size = h, w = size_pair(size)
    height, width = _size_of(img)
    if w > width or h > height:
        raise ValueError(f"Requested crop size {tuple(size)} is bigger than input size {(height, width)}")
    corners = [crop(img, top, left, h, w) for top in (0, height - h) for left in (0, width - w)]
    return (corners[0], corners[1], corners[2], corners[3], center_crop(img, [h, w]))


def ten_crop(img: Any, size: Any, vertical_flip: bool = False) -> tuple[Any, ...]:
    """`five_crop` of the image and of the flipped image.

    >>> import rushlight.vision.transforms.functional as TF
    >>> len(TF.ten_crop(torch.rand(3, 8, 8), 4))
    10
    """
    return five_crop(img, size) + five_crop(vflip(img) if vertical_flip else hflip(img), size)


# ---- turned, shifted, bent ----


def _get_inverse_affine_matrix(
    center: list[float], angle: float, translate: list[float], scale: float, shear: list[float], inverted: bool = True
) -> list[float]:
    if inverted:
        return T.inverse_affine_matrix(center, angle, translate, scale, shear)
    a, b, c, d, e, f = T.inverse_affine_matrix(center, angle, translate, scale, shear)
    determinant = a * e - b * d
    a, b, d, e = e / determinant, -b / determinant, -d / determinant, a / determinant
    return [a, b, -(a * c + b * f), d, e, -(d * c + e * f)]


def rotate(
    img: Any,
    angle: float,
    interpolation: Any = InterpolationMode.NEAREST,
    expand: bool = False,
    center: Any = None,
    fill: Any = None,
) -> Any:
    """The image turned counter-clockwise.

    Args:
        img: a PIL image or a tensor.
        angle: in degrees.
        interpolation: NEAREST, BILINEAR; for PIL images also BICUBIC.
        expand: whether the result grows to hold the whole image.
        center: (x, y) of the point that stays, by default the middle.
        fill: the value outside of the image: a number, or one a channel.

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.rotate(torch.tensor([[[1., 2.], [3., 4.]]]), 90)
    tensor([[[2., 4.],
             [1., 3.]]])
    """
    interpolation = _interpolation_mode(interpolation)
    if not isinstance(angle, int | float):
        raise TypeError("Argument angle should be int or float")
    if center is not None and not isinstance(center, list | tuple):
        raise TypeError("Argument center should be a sequence")
    if not _is_tensor(img):
        return P.rotate(img, angle, pil_modes_mapping[interpolation], expand, center, fill)
    height, width = _size_of(img)
    middle = [0.0, 0.0] if center is None else [center[0] - width * 0.5, center[1] - height * 0.5]
    matrix = T.inverse_affine_matrix(middle, -angle, [0.0, 0.0], 1.0, [0.0, 0.0])
    return T.rotate(img, matrix, interpolation.value, expand, fill)


def affine(
    img: Any,
    angle: float,
    translate: Any,
    scale: float,
    shear: Any,
    interpolation: Any = InterpolationMode.NEAREST,
    fill: Any = None,
    center: Any = None,
) -> Any:
    """The image turned clockwise, scaled, sheared and shifted, in its size.

    Args:
        img: a PIL image or a tensor.
        angle: in degrees, from -180 to 180.
        translate: (right, down) in pixels.
        scale: more than 0.
        shear: along x, or (along x, along y), in degrees.
        interpolation, fill, center: as for `rotate`.

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.affine(torch.arange(3.).view(1, 1, 3), angle=0, translate=[1, 0], scale=1, shear=[0]).flatten()
    tensor([0., 0., 1.])
    """
    interpolation = _interpolation_mode(interpolation)
    if not isinstance(angle, int | float):
        raise TypeError("Argument angle should be int or float")
    if not isinstance(translate, list | tuple):
        raise TypeError("Argument translate should be a sequence")
    if len(translate) != 2:
        raise ValueError("Argument translate should be a sequence of length 2")
    if scale <= 0.0:
        raise ValueError("Argument scale should be positive")
    if not isinstance(shear, numbers.Number | list | tuple):
        raise TypeError("Shear should be either a single value or a sequence of two values")
    shear = [shear, 0.0] if isinstance(shear, numbers.Number) else list(shear) * (2 if len(shear) == 1 else 1)  # type: ignore[arg-type]
    if len(shear) != 2:
        raise ValueError(f"Shear should be a sequence containing two values. Got {shear}")
    if center is not None and not isinstance(center, list | tuple):
        raise TypeError("Argument center should be a sequence")
    height, width = _size_of(img)
    if not _is_tensor(img):
        middle = [width * 0.5, height * 0.5] if center is None else center
        matrix = T.inverse_affine_matrix(middle, angle, translate, scale, shear)
        return P.affine(img, matrix, pil_modes_mapping[interpolation], fill)
    middle = [0.0, 0.0] if center is None else [center[0] - width * 0.5, center[1] - height * 0.5]
    matrix = T.inverse_affine_matrix(middle, angle, [1.0 * t for t in translate], scale, shear)
    return T.affine(img, matrix, interpolation.value, fill)


def _get_perspective_coeffs(startpoints: Any, endpoints: Any) -> list[float]:
    """The a..h of (x, y) -> ((ax + by + c) / (gx + hy + 1), (dx + ey + f) / (gx + hy + 1)) that take the end points to
    the start points."""
    import numpy as np

    if len(startpoints) != 4 or len(endpoints) != 4:
        raise ValueError(
            f"Please provide exactly four corners, got {len(startpoints)} startpoints and {len(endpoints)} endpoints."
        )
    rows, values = [], []
    for (x, y), (u, v) in zip(endpoints, startpoints):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    solution = np.linalg.lstsq(np.array(rows, np.float64), np.array(values, np.float64), rcond=None)[0]
    return [float(x) for x in solution.astype(np.float32)]


def perspective(
    img: Any, startpoints: Any, endpoints: Any, interpolation: Any = InterpolationMode.BILINEAR, fill: Any = None
) -> Any:
    """The image seen from aside: `startpoints`, four (x, y), go to `endpoints`.

    The order is top left, top right, bottom right, bottom left.

    >>> import rushlight.vision.transforms.functional as TF
    >>> corners = [[0, 0], [3, 0], [3, 3], [0, 3]]
    >>> TF.perspective(torch.ones(1, 4, 4), corners, corners).sum()
    tensor(16.)
    """
    coefficients = _get_perspective_coeffs(startpoints, endpoints)
    interpolation = _interpolation_mode(interpolation)
    if not _is_tensor(img):
        return P.perspective(img, coefficients, pil_modes_mapping[interpolation], fill)
    return T.perspective(img, coefficients, interpolation.value, fill)


def elastic_transform(
    img: Any, displacement: Any, interpolation: Any = InterpolationMode.BILINEAR, fill: Any = None
) -> Any:
    """Every pixel taken from another place.

    Args:
        img: a PIL image or a tensor.
        displacement: (1, height, width, 2): how far away, where the image goes from -1 to 1.
        interpolation, fill: as for `rotate`.

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.elastic_transform(torch.rand(3, 4, 4), torch.zeros(1, 4, 4, 2)).shape
    torch.Size([3, 4, 4])
    """
    interpolation = _interpolation_mode(interpolation)
    if not _is_tensor(displacement):
        raise TypeError("Argument displacement should be a Tensor")
    image = img if _is_tensor(img) else pil_to_tensor(img)
    expected = (1, *T.size_of(image), 2)
    if tuple(displacement.shape) != expected:
        raise ValueError(f"Argument displacement shape should be {expected}, but given {tuple(displacement.shape)}")
    result = T.elastic(image, displacement, interpolation.value, fill)
    return result if _is_tensor(img) else to_pil_image(result, img.mode)


# ---- colours ----


def _check_factor(img: Any, factor: float, name: str) -> None:
    """Pillow's enhancements go on below 0; those of tensors end there."""
    if _is_tensor(img) and factor < 0:
        raise ValueError(f"{name} ({factor}) is not non-negative.")


def adjust_brightness(img: Any, brightness_factor: float) -> Any:
    """The image times the factor: 0 is black, 1 the image.

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.adjust_brightness(torch.full((3, 1, 1), 0.5), 1.5).flatten()
    tensor([0.7500, 0.7500, 0.7500])
    """
    _check_factor(img, brightness_factor, "brightness_factor")
    return _kind(img).adjust_brightness(img, brightness_factor)


def adjust_contrast(img: Any, contrast_factor: float) -> Any:
    """Away from the mean gray: 0 is gray, 1 the image.

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.adjust_contrast(torch.tensor([0., 1.]).expand(3, 1, 2), 0.5)[0]
    tensor([[0.2500, 0.7500]])
    """
    _check_factor(img, contrast_factor, "contrast_factor")
    return _kind(img).adjust_contrast(img, contrast_factor)


def adjust_saturation(img: Any, saturation_factor: float) -> Any:
    """Away from the gray image: 0 is without colour, 1 the image.

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.adjust_saturation(torch.tensor([1., 0., 0.]).view(3, 1, 1), 0).flatten()
    tensor([0.2989, 0.2989, 0.2989])
    """
    _check_factor(img, saturation_factor, "saturation_factor")
    return _kind(img).adjust_saturation(img, saturation_factor)


def adjust_sharpness(img: Any, sharpness_factor: float) -> Any:
    """Away from the smoothed image: 0 is smooth, 1 the image.

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.adjust_sharpness(torch.rand(3, 8, 8), 2).shape
    torch.Size([3, 8, 8])
    """
    _check_factor(img, sharpness_factor, "sharpness_factor")
    return _kind(img).adjust_sharpness(img, sharpness_factor)


def adjust_hue(img: Any, hue_factor: float) -> Any:
    """The colours turned round the circle of colours by hue_factor of it, from -0.5 to 0.5.

    Source: https://en.wikipedia.org/wiki/Hue

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.adjust_hue(torch.tensor([1., 0., 0.]).view(3, 1, 1), 0.5).flatten()
    tensor([0., 1., 1.])
    """
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"hue_factor ({hue_factor}) is not in [-0.5, 0.5].")
    return _kind(img).adjust_hue(img, hue_factor)


def adjust_gamma(img: Any, gamma: float, gain: float = 1) -> Any:
    """gain * image ** gamma, where the image goes from 0 to 1.

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.adjust_gamma(torch.full((3, 1, 1), 0.5), 2).flatten()
    tensor([0.2500, 0.2500, 0.2500])
    """
    if gamma < 0:
        raise ValueError("Gamma should be a non-negative real number")
    return _kind(img).adjust_gamma(img, gamma, gain)


def to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """A PIL image in gray, of 1 or 3 equal channels; see `rgb_to_grayscale` for tensors.

    >>> import rushlight.vision.transforms.functional as TF
    >>> from PIL import Image
    >>> TF.to_grayscale(Image.new("RGB", (5, 4), "red")).mode
    'L'
    """
    if not is_pil(img):
        raise TypeError("Input should be PIL Image")
    return P.rgb_to_grayscale(img, num_output_channels)


def rgb_to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """The image in gray, of 1 or 3 equal channels: 0.2989 red + 0.587 green + 0.114 blue.

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.rgb_to_grayscale(torch.tensor([1., 0., 0.]).view(3, 1, 1)).flatten()
    tensor([0.2989])
    """
    return _kind(img).rgb_to_grayscale(img, num_output_channels)


def gaussian_blur(img: Any, kernel_size: Any, sigma: Any = None) -> Any:
    """The image smoothed by a Gaussian.

    Args:
        img: a PIL image or a tensor.
        kernel_size: odd: of both sides, or (across, down).
        sigma: standard deviation in pixels, the same way; by default 0.3 * ((kernel_size - 1) * 0.5 - 1) + 0.8.

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.gaussian_blur(torch.tensor([0., 0., 1., 0., 0.]).view(1, 1, 5).expand(1, 5, 5), 3, 1.)[0, 0]
    tensor([0.0000, 0.2741, 0.4519, 0.2741, 0.0000])
    """
    if not isinstance(kernel_size, int | list | tuple):
        raise TypeError(f"kernel_size should be int or a sequence of integers. Got {type(kernel_size)}")
    kernel_size = [kernel_size] * 2 if isinstance(kernel_size, int) else list(kernel_size)
    if len(kernel_size) != 2:
        raise ValueError(f"If kernel_size is a sequence its length should be 2. Got {len(kernel_size)}")
    if any(size % 2 == 0 or size < 0 for size in kernel_size):
        raise ValueError(f"kernel_size should have odd and positive integers. Got {kernel_size}")
    if sigma is None:
        sigma = [size * 0.15 + 0.35 for size in kernel_size]
    if not isinstance(sigma, int | float | list | tuple):
        raise TypeError(f"sigma should be either float or sequence of floats. Got {type(sigma)}")
    sigma = [float(sigma)] * 2 if isinstance(sigma, int | float) else list(sigma) * (2 if len(sigma) == 1 else 1)
    if len(sigma) != 2:
        raise ValueError(f"If sigma is a sequence, its length should be 2. Got {len(sigma)}")
    if any(s <= 0.0 for s in sigma):
        raise ValueError(f"sigma should have positive values. Got {sigma}")
    if _is_tensor(img):
        return T.gaussian_blur(img, kernel_size, sigma)
    if not is_pil(img):
        raise TypeError(f"img should be PIL Image or Tensor. Got {type(img)}")
    return to_pil_image(T.gaussian_blur(pil_to_tensor(img), kernel_size, sigma), mode=img.mode)


def invert(img: Any) -> Any:
    """White minus the image.

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.invert(torch.tensor([0, 55], dtype=torch.uint8).view(1, 1, 2)).flatten()
    tensor([255, 200], dtype=torch.uint8)
    """
    return _kind(img).invert(img)


def posterize(img: Any, bits: int) -> Any:
    """The image with only the highest `bits` bits of each byte.

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.posterize(torch.tensor([77, 200], dtype=torch.uint8).view(1, 1, 2), 2).flatten()
    tensor([ 64, 192], dtype=torch.uint8)
    """
    if not 0 <= bits <= 8:
        raise ValueError(f"The number of bits should be between 0 and 8. Got {bits}")
    return _kind(img).posterize(img, bits)


def solarize(img: Any, threshold: float) -> Any:
    """The image inverted where it is `threshold` or more.

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.solarize(torch.tensor([100, 200], dtype=torch.uint8).view(1, 1, 2), 128).flatten()
    tensor([100,  55], dtype=torch.uint8)
    """
    return _kind(img).solarize(img, threshold)


def autocontrast(img: Any) -> Any:
    """Each channel stretched from black to white.

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.autocontrast(torch.tensor([0.25, 0.5, 0.75]).view(1, 1, 3)).flatten()
    tensor([0.0000, 0.5000, 1.0000])
    """
    return _kind(img).autocontrast(img)


def equalize(img: Any) -> Any:
    """Each channel (of bytes) mapped so that all values are about as frequent.

    Source: https://en.wikipedia.org/wiki/Histogram_equalization

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.equalize(torch.tensor([10, 11, 12, 13], dtype=torch.uint8).view(1, 1, 4)).flatten()
    tensor([10, 11, 12, 13], dtype=torch.uint8)
    """
    return _kind(img).equalize(img)


def erase(img: Any, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> Any:
    """The tensor with v in the rectangle of height h and width w whose upper left corner is row i, column j.

    >>> import rushlight.vision.transforms.functional as TF
    >>> TF.erase(torch.ones(1, 2, 3), 0, 1, 2, 1, torch.tensor(0.))
    tensor([[[1., 0., 1.],
             [1., 0., 1.]]])
    """
    if not _is_tensor(img):
        raise TypeError(f"img should be Tensor Image. Got {type(img)}")
    return T.erase(img, i, j, h, w, v, inplace)
