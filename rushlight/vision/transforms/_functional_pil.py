"""Transforms of PIL images: thin wraps of Pillow, under the names that `_functional_tensor` has."""

from __future__ import annotations

import numbers
from functools import partial
from typing import Any

from rushlight.vision._pillow import is_pil, pillow


def check(image: Any) -> None:
    """Raises a TypeError for what is no PIL image."""
    if not is_pil(image):
        raise TypeError(f"img should be PIL Image. Got {type(image)}")


def size_of(image: Any) -> tuple[int, int]:
    """Height and width."""
    check(image)
    return image.height, image.width


def channels_of(image: Any) -> int:
    """The number of bands."""
    check(image)
    return len(image.getbands())


def fill_of(image: Any, fill: Any) -> Any:
    """A colour as Pillow wants it: one number, or one for each band; whole numbers unless the image is of floats."""
    bands = channels_of(image)
    if fill is None:
        fill = 0
    if isinstance(fill, numbers.Number):
        fill = (fill,) * bands
    elif isinstance(fill, list | tuple):
        if len(fill) == 1:
            fill = tuple(fill) * bands
        elif len(fill) != bands:
            raise ValueError(
                f"The number of elements in 'fill' does not match the number of channels of the image ({len(fill)} != {bands})"
            )
    else:
        raise TypeError(f"Got inappropriate fill arg: {type(fill)}")
    if image.mode != "F":
        fill = tuple(int(x) for x in fill)
    return fill if bands > 1 else fill[0]


def hflip(image: Any) -> Any:
    check(image)
    return image.transpose(pillow().Transpose.FLIP_LEFT_RIGHT)


def vflip(image: Any) -> Any:
    check(image)
    return image.transpose(pillow().Transpose.FLIP_TOP_BOTTOM)


def crop(image: Any, top: int, left: int, height: int, width: int) -> Any:
    check(image)
    return image.crop((left, top, left + width, top + height))


def resize(image: Any, height: int, width: int, resample: int) -> Any:
    check(image)
    return image.resize((width, height), resample)


def pad(image: Any, left: int, top: int, right: int, bottom: int, fill: Any, mode: str) -> Any:
    check(image)
    if mode == "constant":
        border = (left, top, right, bottom)
        if image.mode == "P":  # the colours are a table, which has to come along
            padded = pillow("ImageOps").expand(image, border=border, fill=fill_of(image, fill))
            padded.putpalette(image.getpalette())
            return padded
        return pillow("ImageOps").expand(image, border=border, fill=fill_of(image, fill))
    import numpy as np

    palette = image.getpalette() if image.mode == "P" else None
    if min(left, top, right, bottom) < 0:  # Pillow crops where a number is negative
        box = (max(-left, 0), max(-top, 0), image.width - max(-right, 0), image.height - max(-bottom, 0))
        image = image.crop(box)
        left, top, right, bottom = (max(p, 0) for p in (left, top, right, bottom))
    pixels = np.asarray(image)
    borders = ((top, bottom), (left, right), (0, 0))[: pixels.ndim]
    padded = pillow().fromarray(np.pad(pixels, borders, mode=mode))  # type: ignore[call-overload]
    if palette is not None:
        padded.putpalette(palette)
    return padded


def affine(image: Any, matrix: list[float], resample: int, fill: Any) -> Any:
    check(image)
    return image.transform(image.size, pillow().Transform.AFFINE, matrix, resample, fillcolor=fill_of(image, fill))


def rotate(image: Any, angle: float, resample: int, expand: bool, center: Any, fill: Any) -> Any:
    check(image)
    return image.rotate(angle, resample, expand, center, fillcolor=fill_of(image, fill))


def perspective(image: Any, coefficients: list[float], resample: int, fill: Any) -> Any:
    check(image)
    kind = pillow().Transform.PERSPECTIVE
    return image.transform(image.size, kind, coefficients, resample, fillcolor=fill_of(image, fill))


def rgb_to_grayscale(image: Any, channels: int) -> Any:
    check(image)
    gray = image.convert("L")
    if channels == 1:
        return gray
    if channels == 3:
        return pillow().merge("RGB", (gray, gray, gray))
    raise ValueError("num_output_channels should be either 1 or 3")


def _enhance(what: str, image: Any, factor: float) -> Any:
    check(image)
    return getattr(pillow("ImageEnhance"), what)(image).enhance(factor)


adjust_brightness = partial(_enhance, "Brightness")
adjust_contrast = partial(_enhance, "Contrast")
adjust_saturation = partial(_enhance, "Color")
adjust_sharpness = partial(_enhance, "Sharpness")


def adjust_hue(image: Any, factor: float) -> Any:
    check(image)
    mode = image.mode
    if mode in ("L", "1", "I", "F"):
        return image
    import numpy as np

    hue, saturation, value = image.convert("HSV").split()
    turned = (np.asarray(hue).astype(np.int32) + int(factor * 255)) % 256
    hue = pillow().fromarray(turned.astype(np.uint8))
    return pillow().merge("HSV", (hue, saturation, value)).convert(mode)


def adjust_gamma(image: Any, gamma: float, gain: float) -> Any:
    check(image)
    table = [int((255 + 1 - 1e-3) * gain * pow(value / 255.0, gamma)) for value in range(256)]
    return image.convert("RGB").point(table * 3).convert(image.mode)


def _operation(what: str, image: Any, *args: Any) -> Any:
    check(image)
    return getattr(pillow("ImageOps"), what)(image, *args)


invert = partial(_operation, "invert")
posterize = partial(_operation, "posterize")
solarize = partial(_operation, "solarize")
autocontrast = partial(_operation, "autocontrast")
equalize = partial(_operation, "equalize")
