"""Image files and tensors, through Pillow."""

from __future__ import annotations

import io
import os
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, Any

import rushlight as torch
from rushlight.vision._pillow import pillow

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    """Which channels to read: as they are, gray, gray with transparency, red green blue, with transparency.

    >>> data = torch.vision.io.encode_png(torch.zeros(3, 4, 5, dtype=torch.uint8))
    >>> torch.vision.io.decode_image(data, torch.vision.io.ImageReadMode.GRAY).shape
    torch.Size([1, 4, 5])
    """

    UNCHANGED = 0
    GRAY = 1
    GRAY_ALPHA = 2
    RGB = 3
    RGB_ALPHA = 4


_PILLOW_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def _mode(mode: Any) -> ImageReadMode:
    if isinstance(mode, str) and mode.upper() in ImageReadMode.__members__:
        return ImageReadMode[mode.upper()]
    if not isinstance(mode, ImageReadMode):
        raise ValueError(f"mode is one of {', '.join(ImageReadMode.__members__)}, got {mode!r}")
    return mode


def read_file(path: Any) -> Any:
    """The bytes of a file: a one-dimensional uint8 tensor.

    >>> torch.vision.io.write_file("three", torch.tensor([1, 2, 3], dtype=torch.uint8))
    >>> torch.vision.io.read_file("three")
    tensor([1, 2, 3], dtype=torch.uint8)
    """
    with open(path, "rb") as file:
        return torch.frombuffer(bytearray(file.read()), dtype=torch.uint8)


def write_file(filename: Any, data: Any) -> None:
    """Writes a one-dimensional uint8 tensor to a file.

    Raises:
        RuntimeError: data is something else.

    >>> torch.vision.io.write_file("two", torch.tensor([1, 2], dtype=torch.uint8))
    >>> open("two", "rb").read()
    b'\\x01\\x02'
    """
    _check_bytes(data, 1)
    with open(filename, "wb") as file:
        file.write(data.contiguous().numpy().tobytes())


def _check_bytes(data: Any, dim: int) -> None:
    if not isinstance(data, torch.Tensor) or data.dtype != torch.uint8 or data.dim() != dim:
        found = f"{data.dim()}-d {data.dtype}" if isinstance(data, torch.Tensor) else str(type(data))
        raise RuntimeError(f"expected a {dim}-dimensional uint8 tensor, got {found}")


def _file_of(data: Any) -> io.BytesIO:
    """A tensor of bytes as a file."""
    _check_bytes(data, 1)
    return io.BytesIO(data.contiguous().numpy().tobytes())


@contextmanager
def _opened(source: Any, formats: tuple[str, ...] | None = None) -> Iterator[Any]:
    """The image in a file; what is wrong with it is a RuntimeError, as in torchvision."""
    image_module = pillow()
    try:
        with image_module.open(source, formats=formats) as image:
            yield image
    except (image_module.UnidentifiedImageError, OSError, SyntaxError, ValueError, TypeError) as error:
        if isinstance(error, FileNotFoundError | PermissionError | IsADirectoryError):
            raise RuntimeError(f"[Errno {error.errno}] {error.strerror}: {error.filename!r}") from None
        raise RuntimeError(f"the image cannot be decoded: {error}") from None


def _decode(source: Any, mode: Any, upright: bool, formats: tuple[str, ...] | None = None) -> Any:
    from rushlight.vision.transforms.functional import pil_to_tensor

    wanted = _mode(mode)
    with _opened(source, formats) as image:
        if upright:
            image = pillow("ImageOps").exif_transpose(image)
        if wanted is not ImageReadMode.UNCHANGED:
            image = image.convert(_PILLOW_MODES[wanted.value])
        elif image.mode == "P":  # a table of colours
            image = image.convert("RGBA" if "transparency" in image.info else "RGB")
        elif image.mode == "1":
            image = image.convert("L")
        return pil_to_tensor(image).contiguous()


def read_image(path: Any, mode: Any = ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False) -> Any:
    """An image file as a uint8 tensor (channels, height, width).

    Args:
        path: of a file of any format that Pillow reads.
        mode: an `ImageReadMode`, or its name.
        apply_exif_orientation: whether to turn the image as its camera says.

    Raises:
        RuntimeError: there is no such file, it is no image, or its pixels have 16 bits, for which there is no dtype.

    >>> torch.vision.io.write_png(torch.zeros(3, 4, 5, dtype=torch.uint8), "black.png")
    >>> torch.vision.io.read_image("black.png", mode="GRAY").shape
    torch.Size([1, 4, 5])
    """
    return _decode(os.fspath(path), mode, apply_exif_orientation)


def decode_image(input: Any, mode: Any = ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False) -> Any:
    """`read_image` of a file's bytes (a one-dimensional uint8 tensor), or of a path.

    >>> data = torch.vision.io.encode_jpeg(torch.zeros(3, 8, 8, dtype=torch.uint8))
    >>> torch.vision.io.decode_image(data).shape
    torch.Size([3, 8, 8])
    """
    if not isinstance(input, torch.Tensor):
        return read_image(input, mode, apply_exif_orientation)
    return _decode(_file_of(input), mode, apply_exif_orientation)


def decode_png(input: Any, mode: Any = ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False) -> Any:
    """`decode_image` of the bytes of a PNG file.

    >>> data = torch.vision.io.encode_png(torch.full((1, 1, 2), 7, dtype=torch.uint8))
    >>> torch.vision.io.decode_png(data)
    tensor([[[7, 7]]], dtype=torch.uint8)
    """
    return _decode(_file_of(input), mode, apply_exif_orientation, ("PNG",))


def decode_jpeg(
    input: Any, mode: Any = ImageReadMode.UNCHANGED, device: Any = "cpu", apply_exif_orientation: bool = False
) -> Any:
    """`decode_image` of the bytes of a JPEG file, or of several in a list.

    >>> data = torch.vision.io.encode_jpeg(torch.zeros(3, 8, 8, dtype=torch.uint8))
    >>> [image.shape for image in torch.vision.io.decode_jpeg([data, data])]
    [torch.Size([3, 8, 8]), torch.Size([3, 8, 8])]
    """
    if isinstance(input, list):
        return [decode_jpeg(data, mode, device, apply_exif_orientation) for data in input]
    return _decode(_file_of(input), mode, apply_exif_orientation, ("JPEG",)).to(device)


def decode_webp(input: Any, mode: Any = ImageReadMode.UNCHANGED) -> Any:
    """`decode_image` of the bytes of a WebP file.

    >>> image = torch.vision.io.decode_webp(torch.vision.io.read_file("cat.webp"))  # doctest: +SKIP
    """
    return _decode(_file_of(input), mode, False, ("WEBP",))


def decode_gif(input: Any) -> Any:
    """The bytes of a GIF file as (3, height, width), or (n, 3, height, width) where it has several pictures.

    Raises:
        RuntimeError: it is no GIF file.

    >>> import io
    >>> from PIL import Image
    >>> Image.new("RGB", (5, 4)).save(file := io.BytesIO(), "GIF")
    >>> torch.vision.io.decode_gif(torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8)).shape
    torch.Size([3, 4, 5])
    """
    from rushlight.vision.transforms.functional import pil_to_tensor

    with _opened(_file_of(input), ("GIF",)) as image:
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
    """Writes a uint8 tensor (1 or 3, height, width) as a JPEG file; quality from 1 to 100.

    >>> torch.vision.io.write_jpeg(torch.zeros(3, 8, 8, dtype=torch.uint8), "black.jpg")
    >>> torch.vision.io.read_image("black.jpg").shape
    torch.Size([3, 8, 8])
    """
    write_file(filename, encode_jpeg(input, quality))
