"""Transforms of image tensors (..., channels, height, width), with torchvision's formulas for tensors."""

from __future__ import annotations

import math
from typing import Any

import rushlight as torch
from rushlight.nn import functional as F

Tensor = torch.Tensor


def check(image: Any) -> None:
    """Raises a TypeError for what is no tensor of an image."""
    if not isinstance(image, Tensor) or image.dim() < 2:
        raise TypeError("Tensor is not a torch image.")


def check_channels(image: Any, permitted: tuple[int, ...]) -> None:
    if (channels := channels_of(image)) not in permitted:
        raise TypeError(f"Input image tensor permitted channel values are {list(permitted)}, but found {channels}")


def size_of(image: Any) -> tuple[int, int]:
    """Height and width."""
    check(image)
    return image.shape[-2], image.shape[-1]


def channels_of(image: Any) -> int:
    """The number of channels: 1 for a matrix."""
    check(image)
    return image.shape[-3] if image.dim() > 2 else 1


_LARGEST = {
    torch.uint8: 255,
    torch.int8: 2**7 - 1,
    torch.int16: 2**15 - 1,
    torch.int32: 2**31 - 1,
    torch.int64: 2**63 - 1,
}


def largest(dtype: Any) -> int:
    """The value of white."""
    return _LARGEST.get(dtype, 1)


def convert_image_dtype(image: Any, dtype: Any) -> Any:
    if image.dtype == dtype:
        return image
    if image.is_floating_point():
        if dtype.is_floating_point:
            return image.to(dtype)
        too_wide = (torch.int32, torch.int64) if image.dtype == torch.float32 else (torch.int64,)
        if image.dtype in (torch.float32, torch.float64) and dtype in too_wide:
            raise RuntimeError(f"The cast from {image.dtype} to {dtype} cannot be performed safely.")
        return image.mul(largest(dtype) + 1.0 - 1e-3).to(dtype)  # equal parts of [0, 1] for every integer
    if dtype.is_floating_point:
        return image.to(dtype) / largest(image.dtype)
    have, want = largest(image.dtype), largest(dtype)
    if have > want:
        return torch.div(image, (have + 1) // (want + 1), rounding_mode="floor").to(dtype)
    return image.to(dtype) * ((want + 1) // (have + 1))


def _as_batch(image: Any) -> tuple[Any, Any]:
    """The image as a float batch (n, c, h, w), and a function that brings a result back to its shape and dtype."""
    shape, dtype = image.shape, image.dtype
    batch = image.reshape((math.prod(shape[:-3]), *shape[-3:])) if image.dim() > 2 else image.reshape((1, 1, *shape))
    if dtype not in (torch.float32, torch.float64):
        batch = batch.to(torch.float32)

    def restore(result: Any) -> Any:
        result = result.reshape((*shape[:-2], *result.shape[-2:]))
        if result.dtype == dtype:
            return result
        return result.to(dtype) if dtype.is_floating_point or dtype == torch.bool else result.round().to(dtype)

    return batch, restore


# ---- geometry ----


def hflip(image: Any) -> Any:
    check(image)
    return image.flip(-1)


def vflip(image: Any) -> Any:
    check(image)
    return image.flip(-2)


def crop(image: Any, top: int, left: int, height: int, width: int) -> Any:
    h, w = size_of(image)
    bottom, right = top + height, left + width
    inside = image[..., max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if top >= 0 and left >= 0 and bottom <= h and right <= w:
        return inside
    padding = (
        max(min(right, 0) - left, 0),
        max(right - max(w, left), 0),
        max(min(bottom, 0) - top, 0),
        max(bottom - max(h, top), 0),
    )
    return F.pad(inside, padding)


def pad(image: Any, left: int, top: int, right: int, bottom: int, fill: Any, mode: str) -> Any:
    check(image)
    if mode == "constant":
        fill = fill[0] if isinstance(fill, list | tuple) and len(fill) == 1 else fill
        if isinstance(fill, str):
            raise TypeError(f"Got inappropriate fill arg: for a tensor it is a number, got {fill!r}")
        sides = (left, right, top, bottom)
        if not isinstance(fill, list | tuple):
            return F.pad(image, sides, value=fill)
        if len(fill) != channels_of(image):
            raise ValueError(f"fill has {len(fill)} numbers, but the image has {channels_of(image)} channels")
        color = torch.tensor(fill, device=image.device).to(image.dtype).reshape(-1, 1, 1)
        outside = F.pad(torch.zeros(image.shape[-2:], dtype=torch.bool, device=image.device), sides, value=1.0)
        return torch.where(outside, color, F.pad(image, sides))
    for dim, before, after in ((-2, top, bottom), (-1, left, right)):
        if before or after:
            image = image.index_select(dim, _border(image.shape[dim], before, after, mode, image.device))
    return image


def _border(size: int, before: int, after: int, mode: str, device: Any) -> Any:
    """Which row or column of the image stands at each place of the padded one."""
    place = torch.arange(-before, size + after, device=device)
    if mode == "edge":
        return place.clamp(0, size - 1)
    if mode == "reflect":
        if before >= size or after >= size:
            raise RuntimeError(
                f"Padding size should be less than the corresponding input dimension, but got padding "
                f"({before}, {after}) for a dimension of {size} with mode='reflect'"
            )
        return (size - 1) - ((size - 1) - place.abs()).abs()
    if max(before, after) > size:
        raise RuntimeError(f"symmetric padding of ({before}, {after}) is more than the dimension of {size}")
    place = torch.where(place < 0, -1 - place, place)
    return torch.where(place >= size, 2 * size - 1 - place, place)


def resize(image: Any, height: int, width: int, mode: str, antialias: bool, whole: bool = False) -> Any:
    check(image)
    if mode not in ("nearest", "nearest-exact", "bilinear", "bicubic"):
        error = ValueError if mode == "lanczos" else NotImplementedError
        raise error(f"Interpolation mode '{mode}' is unsupported with Tensor input; PIL images have it")
    smooth = mode in ("bilinear", "bicubic")
    batch, restore = _as_batch(image)
    if whole and smooth and image.dtype == torch.uint8:
        batch = batch.to(torch.uint8)
    result = F.interpolate(
        batch, size=[height, width], mode=mode, align_corners=False if smooth else None, antialias=smooth and antialias
    )
    if mode == "bicubic" and image.dtype == torch.uint8:
        result = result.clamp(0, 255)
    return restore(result)


def check_grid(image: Any, mode: str, modes: tuple[str, ...], fill: Any) -> None:
    """Checks the arguments that the transforms by a grid share."""
    check(image)
    if mode not in modes:
        raise ValueError(f"Interpolation mode '{mode}' is unsupported with Tensor input")
    if fill is not None and not isinstance(fill, int | float) and len(fill) > 1 and len(fill) != channels_of(image):
        raise ValueError(
            "The number of elements in 'fill' cannot broadcast to match the number of channels of the image "
            f"({len(fill)} != {channels_of(image)})"
        )


def sample(image: Any, grid: Any, mode: str, fill: Any) -> Any:
    """The image at the places of grid (1, h, w, 2), from -1 to 1; `fill` where a place is outside of it."""
    batch, restore = _as_batch(image)
    grid = grid.to(batch.dtype).expand(batch.shape[0], -1, -1, -1)
    if fill is None:
        return restore(F.grid_sample(batch, grid, mode=mode, padding_mode="zeros", align_corners=False))
    ones = torch.ones((batch.shape[0], 1, *batch.shape[2:]), dtype=batch.dtype, device=batch.device)
    both = F.grid_sample(torch.cat((batch, ones), 1), grid, mode=mode, padding_mode="zeros", align_corners=False)
    result, covered = both[:, :-1], both[:, -1:]
    color = torch.tensor([float(x) for x in (fill if isinstance(fill, list | tuple) else [fill])], dtype=batch.dtype)
    color = color.to(batch.device).reshape(1, -1, 1, 1)
    if mode == "nearest":
        return restore(torch.where(covered < 0.5, color, result))
    return restore(result * covered + (1.0 - covered) * color)


def _grid_dtype(image: Any) -> Any:
    """Places are computed as exactly as the image is."""
    return torch.float64 if image.dtype == torch.float64 else torch.float32


def _mesh(x: Any, y: Any) -> Any:
    """(1, height * width, 3): x, y and 1 of each pixel, row by row."""
    points = torch.ones(1, y.shape[0], x.shape[0], 3, dtype=x.dtype)
    points[..., 0] = x
    points[..., 1] = y.unsqueeze(-1)
    return points.reshape(1, -1, 3)


def affine_grid(image: Any, matrix: list[float], out_width: int, out_height: int) -> Any:
    """Where each pixel of the result comes from, for an inverse affine matrix about the image's centre."""
    (height, width), dtype = size_of(image), _grid_dtype(image)
    x = torch.linspace(-out_width * 0.5 + 0.5, out_width * 0.5 - 0.5, out_width, dtype=dtype)
    y = torch.linspace(-out_height * 0.5 + 0.5, out_height * 0.5 - 0.5, out_height, dtype=dtype)
    theta = torch.tensor(matrix, dtype=dtype).reshape(1, 2, 3).transpose(1, 2)
    theta = theta / torch.tensor([0.5 * width, 0.5 * height], dtype=dtype)
    return _mesh(x, y).bmm(theta).reshape(1, out_height, out_width, 2)


def affine_output_size(matrix: list[float], width: int, height: int) -> tuple[int, int]:
    """The width and the height that hold the whole of the turned image."""
    corners = [(sx * 0.5 * width, sy * 0.5 * height, 1.0) for sx, sy in ((-1, -1), (-1, 1), (1, 1), (1, -1))]
    theta = torch.tensor(matrix, dtype=torch.float32).reshape(2, 3)
    points = torch.tensor(corners, dtype=torch.float32) @ theta.T
    low, high = points.amin(0), points.amax(0)
    tolerance = 1e-4  # a rotation by 90 degrees must not add a pixel
    low = torch.trunc((low + torch.tensor((width * 0.5, height * 0.5))) / tolerance) * tolerance
    high = torch.trunc((high + torch.tensor((width * 0.5, height * 0.5))) / tolerance) * tolerance
    size = torch.ceil(high) - torch.floor(low)
    return int(size[0]), int(size[1])


def affine(image: Any, matrix: list[float], mode: str, fill: Any) -> Any:
    check_grid(image, mode, ("nearest", "bilinear"), fill)
    h, w = size_of(image)
    return sample(image, affine_grid(image, matrix, w, h), mode, fill)


def rotate(image: Any, matrix: list[float], mode: str, expand: bool, fill: Any) -> Any:
    check_grid(image, mode, ("nearest", "bilinear"), fill)
    h, w = size_of(image)
    out_w, out_h = affine_output_size(matrix, w, h) if expand else (w, h)
    return sample(image, affine_grid(image, matrix, out_w, out_h), mode, fill)


def perspective(image: Any, coefficients: list[float], mode: str, fill: Any) -> Any:
    check_grid(image, mode, ("nearest", "bilinear"), fill)
    h, w = size_of(image)
    dtype = _grid_dtype(image)
    a = torch.tensor([*coefficients, 1.0], dtype=dtype)
    points = _mesh(torch.linspace(0.5, w - 0.5, w, dtype=dtype), torch.linspace(0.5, h - 0.5, h, dtype=dtype))
    top = a[:6].reshape(1, 2, 3).transpose(1, 2) / torch.tensor([0.5 * w, 0.5 * h], dtype=dtype)
    below = a[6:].reshape(1, 3, 1).expand(1, 3, 2)
    grid = points.bmm(top) / points.bmm(below) - 1.0
    return sample(image, grid.reshape(1, h, w, 2), mode, fill)


def elastic(image: Any, displacement: Any, mode: str, fill: Any) -> Any:
    check_grid(image, mode, ("nearest", "bilinear"), fill)
    h, w = size_of(image)
    x = torch.linspace((-w + 1) / w, (w - 1) / w, w, dtype=_grid_dtype(image))
    y = torch.linspace((-h + 1) / h, (h - 1) / h, h, dtype=_grid_dtype(image))
    identity = _mesh(x, y)[..., :2].reshape(1, h, w, 2)
    return sample(image, identity + displacement.to(identity.dtype), mode, fill)


# ---- colours ----


def _blend(first: Any, second: Any, ratio: float) -> Any:
    """ratio of the one and the rest of the other."""
    ratio = float(ratio)
    return (ratio * first + (1.0 - ratio) * second).clamp(0, largest(first.dtype)).to(first.dtype)


def rgb_to_grayscale(image: Any, channels: int = 1) -> Any:
    check(image)
    if image.dim() < 3:
        raise TypeError(f"Input image tensor should have at least 3 dimensions, but found {image.dim()}")
    check_channels(image, (1, 3))
    if channels not in (1, 3):
        raise ValueError("num_output_channels should be either 1 or 3")
    if image.shape[-3] == 3:
        red, green, blue = image.unbind(-3)
        gray = (0.2989 * red + 0.587 * green + 0.114 * blue).to(image.dtype).unsqueeze(-3)  # ITU-R 601-2 luma
    else:
        gray = image.clone()
    if channels == 3 and image.shape[-3] == 3:  # one channel stays one, as in torchvision
        return gray.expand(image.shape)
    return gray


def adjust_brightness(image: Any, factor: float) -> Any:
    check(image)
    check_channels(image, (1, 3))
    return _blend(image, torch.zeros_like(image), factor)


def adjust_contrast(image: Any, factor: float) -> Any:
    check(image)
    check_channels(image, (1, 3))
    gray = rgb_to_grayscale(image) if channels_of(image) == 3 else image
    mean = gray.to(image.dtype if image.is_floating_point() else torch.float32).mean(dim=(-3, -2, -1), keepdim=True)
    return _blend(image, mean, factor)


def adjust_saturation(image: Any, factor: float) -> Any:
    check(image)
    check_channels(image, (1, 3))
    return image if channels_of(image) == 1 else _blend(image, rgb_to_grayscale(image), factor)


def adjust_hue(image: Any, factor: float) -> Any:
    check(image)
    check_channels(image, (1, 3))
    if channels_of(image) == 1 or image.numel() == 0:
        return image
    h, s, v = _to_hsv(convert_image_dtype(image, torch.float32)).unbind(-3)
    return convert_image_dtype(_to_rgb(torch.stack(((h + factor) % 1.0, s, v), -3)), image.dtype)


def _to_hsv(image: Any) -> Any:
    """Red, green, blue to hue, saturation, value, all from 0 to 1 (as `colorsys` of Python has it)."""
    r, g, b = image.unbind(-3)
    high, low = image.amax(-3), image.amin(-3)
    gray = high == low
    one = torch.ones_like(high)
    saturation = (high - low) / torch.where(gray, one, high)
    span = torch.where(gray, one, high - low)
    rc, gc, bc = (high - r) / span, (high - g) / span, (high - b) / span
    hue = torch.where(high == r, bc - gc, torch.where(high == g, 2.0 + rc - bc, 4.0 + gc - rc))
    return torch.stack((torch.fmod(hue / 6.0 + 1.0, 1.0), saturation, high), -3)


def _to_rgb(image: Any) -> Any:
    h, s, v = image.unbind(-3)
    sector = torch.floor(h * 6.0)
    f = h * 6.0 - sector
    p = (v * (1.0 - s)).clamp(0.0, 1.0)
    q = (v * (1.0 - s * f)).clamp(0.0, 1.0)
    t = (v * (1.0 - s * (1.0 - f))).clamp(0.0, 1.0)
    sector = (sector.to(torch.int64) % 6).unsqueeze(-3)
    channels = ((v, q, p, p, t, v), (t, v, v, q, p, p), (p, p, t, v, v, q))  # red, green, blue in each sector
    return torch.cat([torch.stack(c, -3).gather(-3, sector) for c in channels], -3)


def adjust_gamma(image: Any, gamma: float, gain: float) -> Any:
    check(image)
    check_channels(image, (1, 3))
    result = image if image.is_floating_point() else convert_image_dtype(image, torch.float32)
    return convert_image_dtype((gain * result**gamma).clamp(0, 1), image.dtype)


def adjust_sharpness(image: Any, factor: float) -> Any:
    check(image)
    check_channels(image, (1, 3))
    h, w = size_of(image)
    if h <= 2 or w <= 2:
        return image
    batch, restore = _as_batch(image)
    kernel = torch.ones(3, 3, dtype=batch.dtype)
    kernel[1, 1] = 5.0
    kernel = (kernel / kernel.sum()).expand(batch.shape[1], 1, 3, 3)
    smooth = image.clone()
    smooth[..., 1:-1, 1:-1] = restore(F.conv2d(batch, kernel.contiguous(), groups=batch.shape[1]))
    return _blend(image, smooth, factor)


def gaussian_kernel(size: int, sigma: float, dtype: Any = torch.float32) -> Any:
    """The weights of a Gaussian at `size` whole places about 0; they sum to 1."""
    half = (size - 1) * 0.5
    density = torch.exp(-0.5 * (torch.linspace(-half, half, size, dtype=dtype) / sigma).pow(2))
    return density / density.sum()


def gaussian_blur(image: Any, kernel_size: list[int], sigma: list[float]) -> Any:
    check(image)
    batch, restore = _as_batch(image)
    x, y = (gaussian_kernel(size, s, batch.dtype) for size, s in zip(kernel_size, sigma))
    kernel = (y[:, None] @ x[None, :]).expand(batch.shape[1], 1, -1, -1).contiguous()
    across, down = kernel_size[0] // 2, kernel_size[1] // 2
    padded = F.pad(batch, (across, across, down, down), mode="reflect")
    return restore(F.conv2d(padded, kernel, groups=batch.shape[1]))


def invert(image: Any) -> Any:
    check(image)
    if image.dim() < 3:
        raise TypeError(f"Input image tensor should have at least 3 dimensions, but found {image.dim()}")
    check_channels(image, (1, 3))
    return largest(image.dtype) - image


def _check_bytes(image: Any) -> None:
    check(image)
    if image.dim() < 3:
        raise TypeError(f"Input image tensor should have at least 3 dimensions, but found {image.dim()}")
    if image.dtype != torch.uint8:
        raise TypeError(f"Only torch.uint8 image tensors are supported, but found {image.dtype}")
    check_channels(image, (1, 3))


def posterize(image: Any, bits: int) -> Any:
    _check_bytes(image)
    return image & (256 - 2 ** (8 - int(bits)))


def solarize(image: Any, threshold: float) -> Any:
    check(image)
    if image.dim() < 3:
        raise TypeError(f"Input image tensor should have at least 3 dimensions, but found {image.dim()}")
    check_channels(image, (1, 3))
    if threshold > largest(image.dtype):
        raise TypeError("Threshold should be less than bound of img.")
    return torch.where(image >= threshold, invert(image), image)


def autocontrast(image: Any) -> Any:
    check(image)
    if image.dim() < 3:
        raise TypeError(f"Input image tensor should have at least 3 dimensions, but found {image.dim()}")
    check_channels(image, (1, 3))
    white = largest(image.dtype)
    dtype = image.dtype if image.is_floating_point() else torch.float32
    low = image.amin(dim=(-2, -1), keepdim=True).to(dtype)
    high = image.amax(dim=(-2, -1), keepdim=True).to(dtype)
    scale = (high - low).reciprocal() * white
    flat = ~torch.isfinite(scale)
    low, scale = low.masked_fill(flat, 0), scale.masked_fill(flat, 1)
    return ((image - low) * scale).clamp(0, white).to(image.dtype)


def equalize(image: Any) -> Any:
    _check_bytes(image)
    return equalized(image)


def equalized(image: Any) -> Any:
    """`equalize` of bytes of any number of channels."""
    if image.numel() == 0:
        return image
    planes = [_equalize(plane) for plane in image.reshape(-1, *image.shape[-2:])]
    return torch.stack(planes).reshape(image.shape)


def _equalize(plane: Any) -> Any:
    values = plane.reshape(-1).long()
    counts = torch.bincount(values, minlength=256)
    used = counts[counts != 0]
    step = int(used[:-1].sum()) // 255
    if step == 0:
        return plane
    table = torch.div(torch.cumsum(counts, 0) + step // 2, step, rounding_mode="floor")
    table = torch.cat((torch.zeros(1, dtype=table.dtype), table[:-1])).clamp(0, 255)
    return table[values].to(torch.uint8).reshape(plane.shape)


# ---- the rest ----


def normalize(image: Any, mean: Any, std: Any, inplace: bool = False) -> Any:
    check(image)
    if not image.is_floating_point():
        raise TypeError(
            f"Input tensor should be a float tensor. Got {image.dtype}. ToTensor() comes before Normalize()"
        )
    if image.dim() < 3:
        raise ValueError(
            f"Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = {image.size()}"
        )
    mean = torch.as_tensor(mean, dtype=image.dtype, device=image.device)
    std = torch.as_tensor(std, dtype=image.dtype, device=image.device)
    if (std == 0).any():
        raise ValueError(f"std evaluated to zero after conversion to {image.dtype}, leading to division by zero.")
    mean = mean.reshape(-1, 1, 1) if mean.dim() == 1 else mean
    std = std.reshape(-1, 1, 1) if std.dim() == 1 else std
    return image.sub_(mean).div_(std) if inplace else image.sub(mean).div_(std)


def erase(image: Any, top: int, left: int, height: int, width: int, value: Any, inplace: bool) -> Any:
    check(image)
    image = image if inplace else image.clone()
    image[..., top : top + height, left : left + width] = value
    return image


def inverse_affine_matrix(center: Any, angle: float, translate: Any, scale: float, shear: Any) -> list[float]:
    """The first two rows of the inverse of M = T * C * RSS * C^-1, as six numbers.

    T is the translation, C moves the centre to the origin, RSS is rotation, shear and scale:
    R(angle) * [[1, -tan(shear x)], [0, 1]] * [[1, 0], [-tan(shear y), 1]] * scale.
    """
    turn, sx, sy = math.radians(angle), math.radians(shear[0]), math.radians(shear[1])
    a = math.cos(turn - sy) / math.cos(sy)
    b = -math.cos(turn - sy) * math.tan(sx) / math.cos(sy) - math.sin(turn)
    c = math.sin(turn - sy) / math.cos(sy)
    d = -math.sin(turn - sy) * math.tan(sx) / math.cos(sy) + math.cos(turn)
    m = [d / scale, -b / scale, 0.0, -c / scale, a / scale, 0.0]  # the determinant of RSS without the scale is 1
    x, y = -center[0] - translate[0], -center[1] - translate[1]
    m[2] += m[0] * x + m[1] * y + center[0]
    m[5] += m[3] * x + m[4] * y + center[1]
    return m
