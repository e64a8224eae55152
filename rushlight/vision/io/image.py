"""Image files and tensors, through Pillow."""

from __future__ import annotations

import io
import os
from enum import Enum
from typing import Any

import rushlight as torch
from rushlight.vision._pillow import pillow

__all__ = [
    "ImageReadMode",
    "decode_gif",
    "decode_image",
    "decode_jpeg",
    "decode_png",
    "decode_webp",
    "encode_jpeg",
    "encode_png",
    "read_file",
    "read_image",
    "write_file",
    "write_jpeg",
    "write_png",
]


class ImageReadMode(Enum):
    """Which channels to read: as they are, gray, gray with transparency, red green blue, with transparency."""

    UNCHANGED = 0
    GRAY = 1
    GRAY_ALPHA = 2
    RGB = 3
    RGB_ALPHA = 4


_PILLOW_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def _mode(mode: Any) -> ImageReadMode:
    return ImageReadMode[mode.upper()] if isinstance(mode, str) else mode


def read_file(path: Any) -> Any:
    """The bytes of a file: a one-dimensional uint8 tensor.

    >>> torch.vision.io.write_file("three", torch.tensor([1, 2, 3], dtype=torch.uint8))
    >>> torch.vision.io.read_file("three")
    tensor([1, 2, 3], dtype=torch.uint8)
    """
    with open(path, "rb") as file:
        return torch.frombuffer(bytearray(file.read()), dtype=torch.uint8)


def write_file(filename: Any, data: Any) -> None:
    """Writes a one-dimensional uint8 tensor to a file."""
    _check_bytes(data, 1)
    with open(filename, "wb") as file:
        file.write(data.contiguous().numpy().tobytes())


def _check_bytes(data: Any, dim: int) -> None:
    if not isinstance(data, torch.Tensor) or data.dtype != torch.uint8 or data.dim() != dim:
        found = f"{data.dim()}-d {data.dtype}" if isinstance(data, torch.Tensor) else str(type(data))
        raise RuntimeError(f"expected a {dim}-dimensional uint8 tensor, got {found}")


def _decode(source: Any, mode: Any, upright: bool, formats: tuple[str, ...] | None = None) -> Any:
    from rushlight.vision.transforms.functional import pil_to_tensor

    image_module = pillow()
    try:
        with image_module.open(source, formats=formats) as image:
            if upright:
                image = pillow("ImageOps").exif_transpose(image)
            wanted = _mode(mode)
            if wanted is not ImageReadMode.UNCHANGED:
                image = image.convert(_PILLOW_MODES[wanted.value])
            elif image.mode == "P":  # a table of colours
                image = image.convert("RGBA" if "transparency" in image.info else "RGB")
            elif image.mode == "1":
                image = image.convert("L")
            return pil_to_tensor(image).contiguous()
    except (image_module.UnidentifiedImageError, OSError, SyntaxError, ValueError) as error:
        if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
            raise RuntimeError(f"[Errno {error.errno}] {error.strerror}: {error.filename!r}") from None
        raise RuntimeError(f"the image cannot be decoded: {error}") from None


def read_image(path: Any, mode: Any = ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False) -> Any:
    """An image file as a uint8 tensor (channels, height, width).

    Args:
        path: of a file of any format that Pillow reads.
        mode: an `ImageReadMode`, or its name.
        apply_exif_orientation: whether to turn the image as its camera says.

    Raises:
        RuntimeError: there is no such file, or it is no image.
    """
    return _decode(os.fspath(path), mode, apply_exif_orientation)


def decode_image(input: Any, mode: Any = ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False) -> Any:
    """The same of a file's bytes (a uint8 tensor), or of a path."""
    if not isinstance(input, torch.Tensor):
        return read_image(input, mode, apply_exif_orientation)
    _check_bytes(input, 1)
    return _decode(io.BytesIO(input.contiguous().numpy().tobytes()), mode, apply_exif_orientation)


def _decode_format(data: Any, mode: Any, upright: bool, name: str) -> Any:
    _check_bytes(data, 1)
    return _decode(io.BytesIO(data.contiguous().numpy().tobytes()), mode, upright, (name,))


def decode_png(input: Any, mode: Any = ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False) -> Any:
    """`decode_image` of the bytes of a PNG file."""
    return _decode_format(input, mode, apply_exif_orientation, "PNG")


def decode_jpeg(
    input: Any, mode: Any = ImageReadMode.UNCHANGED, device: Any = "cpu", apply_exif_orientation: bool = False
) -> Any:
    """`decode_image` of the bytes of a JPEG file, or of several in a list."""
    if isinstance(input, list):
        return [decode_jpeg(data, mode, device, apply_exif_orientation) for data in input]
    return _decode_format(input, mode, apply_exif_orientation, "JPEG").to(device)


def decode_webp(input: Any, mode: Any = ImageReadMode.UNCHANGED) -> Any:
    """`decode_image` of the bytes of a WebP file."""
    return _decode_format(input, mode, False, "WEBP")


def decode_gif(input: Any) -> Any:
    """The bytes of a GIF file as (3, height, width), or (n, 3, height, width) where it has several pictures."""
    from rushlight.vision.transforms.functional import pil_to_tensor

    _check_bytes(input, 1)
    with pillow().open(io.BytesIO(input.numpy().tobytes()), formats=("GIF",)) as image:
        frames = []
        for i in range(image.n_frames):
            image.seek(i)
            frames.append(pil_to_tensor(image.convert("RGB")).contiguous())
    return frames[0] if len(frames) == 1 else torch.stack(frames)


def _encode(image: Any, format: str, **options: Any) -> Any:
    from rushlight.vision.transforms.functional import to_pil_image

    _check_bytes(image, 3)
    if image.shape[0] not in (1, 3):
        raise RuntimeError(f"The number of channels should be 1 or 3, got: {image.shape[0]}")
    buffer = io.BytesIO()
    to_pil_image(image).save(buffer, format, **options)
    return torch.frombuffer(bytearray(buffer.getvalue()), dtype=torch.uint8)


def encode_png(input: Any, compression_level: int = 6) -> Any:
    """A uint8 tensor (1 or 3, height, width) as the bytes of a PNG file; compression_level from 0 to 9.

    >>> data = torch.vision.io.encode_png(torch.zeros(3, 4, 5, dtype=torch.uint8))
    >>> torch.vision.io.decode_png(data).shape
    torch.Size([3, 4, 5])
    """
    if not 0 <= compression_level <= 9:
        raise RuntimeError("Compression level should be between 0 and 9")
    return _encode(input, "PNG", compress_level=compression_level)


def encode_jpeg(input: Any, quality: int = 75) -> Any:
    """A uint8 tensor (1 or 3, height, width), or a list of them, as the bytes of a JPEG file; quality from 1 to 100.

    >>> data = torch.vision.io.encode_jpeg(torch.zeros(3, 8, 8, dtype=torch.uint8))
    >>> data.dtype, torch.vision.io.decode_jpeg(data).shape
    (torch.uint8, torch.Size([3, 8, 8]))
    """
    if not 1 <= quality <= 100:
        raise ValueError("Image quality should be a positive number between 1 and 100")
    if isinstance(input, list):
        return [encode_jpeg(image, quality) for image in input]
    return _encode(input, "JPEG", quality=quality)


def write_png(input: Any, filename: Any, compression_level: int = 6) -> None:
    """Writes a uint8 tensor (1 or 3, height, width) as a PNG file.

    >>> torch.vision.io.write_png(torch.zeros(3, 4, 5, dtype=torch.uint8), "black.png")
    >>> torch.vision.io.read_image("black.png").shape
    torch.Size([3, 4, 5])
    """
    write_file(filename, encode_png(input, compression_level))


def write_jpeg(input: Any, filename: Any, quality: int = 75) -> None:
    """Writes a uint8 tensor (1 or 3, height, width) as a JPEG file."""
    write_file(filename, encode_jpeg(input, quality))
