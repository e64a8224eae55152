"""Pictures of many images at once, and drawings on an image."""

from __future__ import annotations

import colorsys
import math
from typing import Any

import rushlight as torch
from rushlight.vision._pillow import pillow

__all__ = ["draw_bounding_boxes", "draw_keypoints", "draw_segmentation_masks", "make_grid", "save_image"]


@torch.no_grad()
def make_grid(
    tensor: Any,
    nrow: int = 8,
    padding: int = 2,
    normalize: bool = False,
    value_range: tuple[float, float] | None = None,
    scale_each: bool = False,
    pad_value: float = 0.0,
) -> Any:
    """Images side by side.

    Args:
        tensor: (n, channels, height, width), or a list of images; one image, or one channel, is taken too.
        nrow: images in a row.
        padding: pixels between them.
        normalize: whether to bring the values to 0..1.
        value_range: the values that become 0 and 1; by default the least and the largest.
        scale_each: whether that is found for each image by itself.
        pad_value: of the pixels between.

    Returns:
        (3, height, width), where one channel was given or three; else with the channels of the images.

    Raises:
        TypeError: no tensor, no list of tensors, or a value_range that is no tuple.
        ValueError: no images, another number of dimensions, or nrow below 1.

    >>> make_grid(torch.rand(10, 1, 4, 4), nrow=5).shape
    torch.Size([3, 14, 32])
    """
    if isinstance(tensor, list):
        for image in tensor:
            if not isinstance(image, torch.Tensor):
                raise TypeError(f"tensor or list of tensors expected, got a list containing {type(image)}")
        tensor = torch.stack(tensor, 0)
    elif not isinstance(tensor, torch.Tensor):
        raise TypeError(f"tensor or list of tensors expected, got {type(tensor)}")
    if value_range is not None and not isinstance(value_range, tuple):
        raise TypeError("value_range has to be a tuple (min, max) if specified. min and max are numbers")
    if tensor.dim() not in (2, 3, 4) or len(tensor) == 0 or nrow < 1:
        raise ValueError(
            "make_grid takes (n, channels, height, width) with n > 0, (channels, height, width) or (height, width), "
            f"and nrow > 0, got {tuple(tensor.shape)} and nrow={nrow}"
        )
    tensor = tensor.reshape((1,) * (4 - tensor.dim()) + tuple(tensor.shape))
    if tensor.shape[1] == 1:
        tensor = tensor.expand(-1, 3, -1, -1)
    if normalize:
        tensor = (
            torch.stack([_stretched(t, value_range) for t in tensor]) if scale_each else _stretched(tensor, value_range)
        )
    n, channels, height, width = tensor.shape
    if n == 1:
        return tensor[0].clone()
    columns = min(nrow, n)
    rows = math.ceil(n / columns)
    high, wide = height + padding, width + padding
    grid = tensor.new_full((channels, high * rows + padding, wide * columns + padding), pad_value)
    for i in range(n):
        top, left = i // columns * high + padding, i % columns * wide + padding
        grid[:, top : top + height, left : left + width] = tensor[i]
    return grid


def _stretched(image: Any, value_range: tuple[float, float] | None) -> Any:
    low, high = value_range if value_range is not None else (float(image.min()), float(image.max()))
    return image.clamp(low, high).sub(low).div(max(high - low, 1e-5))


@torch.no_grad()
def save_image(tensor: Any, fp: Any, format: str | None = None, **kwargs: Any) -> None:
    """Images side by side as a file; values from 0 to 1.

    Args:
        tensor, kwargs: as for `make_grid`.
        fp: a path, or a file that is open for writing.
        format: Pillow's name of the format, such as "png"; by default what the path ends with.

    Raises:
        ValueError: an open file, or a path with an unknown ending, without a format.
        KeyError: a format that Pillow does not know.

    >>> save_image(torch.rand(16, 1, 28, 28), "grid.png", nrow=4)
    >>> torch.vision.io.read_image("grid.png").shape
    torch.Size([3, 122, 122])
    """
    grid = make_grid(tensor, **kwargs)
    pixels = grid.mul(255).add(0.5).clamp(0, 255).permute(1, 2, 0).to("cpu", torch.uint8).numpy()
    pillow().fromarray(pixels).save(fp, format=format)


def _canvas(image: Any) -> Any:
    """The tensor as a PIL image to draw on."""
    from rushlight.vision.transforms.functional import to_pil_image

    if not isinstance(image, torch.Tensor):
        raise TypeError(f"Tensor expected, got {type(image)}")
    if image.dtype != torch.uint8 and not image.is_floating_point():
        raise ValueError("The image dtype must be uint8 or float")
    if image.dim() != 3:
        raise ValueError("Pass individual images, not batches")
    if image.shape[0] not in (1, 3):
        raise ValueError("Only grayscale and RGB images are supported")
    return to_pil_image(image.expand(3, -1, -1))


def _uncanvas(canvas: Any, like: Any) -> Any:
    from rushlight.vision.transforms.functional import convert_image_dtype, pil_to_tensor

    return convert_image_dtype(pil_to_tensor(canvas).contiguous(), like.dtype)


def _palette(count: int) -> list[tuple[int, int, int]]:
    """Colours that are easy to tell apart: hues a golden angle away from each other."""
    hues = ((i * 0.618034) % 1.0 for i in range(count))
    return [tuple(int(255 * c) for c in colorsys.hsv_to_rgb(h, 0.8, 1.0)) for h in hues]  # type: ignore[misc]


def _colors(colors: Any, count: int) -> list[Any]:
    """A colour for each object, as Pillow's (red, green, blue)."""
    if colors is None:
        return _palette(count)
    if not isinstance(colors, str | tuple | list) or (isinstance(colors, tuple) and len(colors) != 3):
        raise ValueError(f"colors must be a name, (red, green, blue), or a list of such, but got {colors}.")
    if isinstance(colors, str | tuple):
        colors = [colors] * count
    if len(colors) < count:
        raise ValueError(
            f"Number of colors must be equal or larger than the number of objects, but got {len(colors)} < {count}."
        )
    return [pillow("ImageColor").getrgb(c) if isinstance(c, str) else c for c in colors]


@torch.no_grad()
def draw_bounding_boxes(
    image: Any,
    boxes: Any,
    labels: list[str] | None = None,
    colors: Any = None,
    fill: bool | None = False,
    width: int = 1,
    font: str | None = None,
    font_size: int | None = None,
    label_colors: Any = None,
    label_background_colors: Any = None,
    fill_labels: bool = False,
) -> Any:
    """The image with boxes drawn on it.

    Args:
        image: (1 or 3, height, width), bytes or floats from 0 to 1.
        boxes: (n, 4): left, top, right, bottom.
        labels: a text for each box.
        colors: one colour, or one a box; names, "#rrggbb" or (red, green, blue).
        fill: whether the boxes are filled, half transparent.
        width: of the lines.
        font, font_size: a TrueType file, and its size.
        label_colors, label_background_colors, fill_labels: of the labels.

    Returns:
        (3, height, width) of the image's dtype.

    >>> image = torch.zeros(3, 8, 8, dtype=torch.uint8)
    >>> torch.vision.utils.draw_bounding_boxes(image, torch.tensor([[1., 1., 5., 5.]]), colors="red")[0, 1, 1]
    tensor(255, dtype=torch.uint8)
    """
    canvas = _canvas(image)
    if boxes.numel() and bool(((boxes[:, 0] > boxes[:, 2]) | (boxes[:, 1] > boxes[:, 3])).any()):
        raise ValueError(
            "Boxes need to be in (xmin, ymin, xmax, ymax) format. Use torchvision.ops.box_convert to convert them"
        )
    count = boxes.shape[0]
    if labels is not None and len(labels) != count:
        raise ValueError(
            f"The number of boxes ({count}) and labels ({len(labels)}) mismatch. Please specify labels for each box."
        )
    if count == 0:
        return _uncanvas(canvas, image)
    box_colors = _colors(colors, count)
    text_colors = _colors(label_colors, count) if label_colors is not None else box_colors
    back_colors = _colors(label_background_colors, count) if label_background_colors is not None else box_colors
    draw = pillow("ImageDraw").Draw(canvas, "RGBA" if fill else "RGB")
    fonts = pillow("ImageFont")
    face = fonts.truetype(font, font_size or 10) if font else fonts.load_default(*([font_size] if font_size else []))
    for i, box in enumerate(boxes.to(torch.int64).tolist()):
        inside = (*box_colors[i], 100) if fill else None
        draw.rectangle(box, width=width, outline=box_colors[i], fill=inside)
        if labels is not None and labels[i] is not None:
            place = (box[0] + width + 1, box[1] + width + 1)
            if fill_labels:
                draw.rectangle(draw.textbbox(place, labels[i], font=face), fill=back_colors[i])
            draw.text(
                place, labels[i], fill="black" if fill_labels and label_colors is None else text_colors[i], font=face
            )
    return _uncanvas(canvas, image)


@torch.no_grad()
def draw_segmentation_masks(image: Any, masks: Any, alpha: float = 0.8, colors: Any = None) -> Any:
    """The image with each mask in a colour.

    Args:
        image: (3, height, width), bytes or floats from 0 to 1.
        masks: (n, height, width) or (height, width) of bool.
        alpha: how much of the colour; 1 hides the image.
        colors: as for `draw_bounding_boxes`.

    Where masks overlap, the colour is black.

    Raises:
        TypeError: the image is no tensor.
        ValueError: shapes or dtypes that do not fit.

    >>> mask = torch.zeros(2, 2, dtype=torch.bool)
    >>> mask[0, 0] = True
    >>> torch.vision.utils.draw_segmentation_masks(torch.zeros(3, 2, 2, dtype=torch.uint8), mask, 1.0, "red")[0]
    tensor([[255,   0],
            [  0,   0]], dtype=torch.uint8)
    """
    if not isinstance(image, torch.Tensor):
        raise TypeError(f"The image must be a tensor, got {type(image)}")
    if image.dtype != torch.uint8 and not image.is_floating_point():
        raise ValueError(f"The image dtype must be uint8 or float, got {image.dtype}")
    if image.dim() != 3 or image.shape[0] != 3:
        raise ValueError(f"Pass one RGB image (3, height, width), got {tuple(image.shape)}")
    if masks.dim() == 2:
        masks = masks[None]
    if masks.dim() != 3:
        raise ValueError(f"masks must be of shape (H, W) or (batch_size, H, W), got {tuple(masks.shape)}")
    if masks.dtype != torch.bool:
        raise ValueError(f"The masks must be of dtype bool. Got {masks.dtype}")
    if masks.shape[-2:] != image.shape[-2:]:
        raise ValueError("The image and the masks must have the same height and width")
    white = 255 if image.dtype == torch.uint8 else 1
    colored = image.detach().clone()
    for mask, color in zip(masks, _colors(colors, masks.shape[0])):
        shade = torch.tensor([c * white / 255 for c in color]).to(image.dtype)
        colored = torch.where(mask, shade[:, None, None], colored)
    colored = colored.masked_fill(masks.sum(0) > 1, 0)
    return (image * (1 - alpha) + colored * alpha).to(image.dtype)


@torch.no_grad()
def draw_keypoints(
    image: Any,
    keypoints: Any,
    connectivity: list[tuple[int, int]] | None = None,
    colors: Any = None,
    radius: int = 2,
    width: int = 3,
    visibility: Any = None,
) -> Any:
    """The image with points, and lines between them.

    Args:
        image: (3, height, width), bytes or floats from 0 to 1.
        keypoints: (instances, points, 2): x and y.
        connectivity: which points are joined, by white lines.
        colors: of the points: a name, "#rrggbb" or (red, green, blue); None draws the lines alone.
        radius, width: of the points and of the lines.
        visibility: (instances, points) of bool: which are drawn.

    Raises:
        ValueError: shapes that do not fit.

    >>> image, points = torch.zeros(3, 8, 8, dtype=torch.uint8), torch.tensor([[[3, 4]]])
    >>> torch.vision.utils.draw_keypoints(image, points, colors="red", radius=1)[0, 4, 3]
    tensor(255, dtype=torch.uint8)
    """
    canvas = _canvas(image)
    if keypoints.dim() != 3:
        raise ValueError(f"keypoints must be of shape (num_instances, K, 2), got {tuple(keypoints.shape)}")
    if visibility is not None:
        visibility = visibility.squeeze(-1) if visibility.dim() == 3 else visibility
        if visibility.shape != keypoints.shape[:-1]:
            raise ValueError(
                f"visibility must be of shape (num_instances, K) = {tuple(keypoints.shape[:-1])}, "
                f"got {tuple(visibility.shape)}"
            )
    draw = pillow("ImageDraw").Draw(canvas)
    color = _colors(colors, 1)[0] if colors is not None else None
    for i, points in enumerate(keypoints.to(torch.int64).tolist()):
        seen = visibility[i].tolist() if visibility is not None else [True] * len(points)
        for (x, y), visible in zip(points, seen):
            if visible:
                draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=color, outline=None, width=0)
        for a, b in connectivity or ():
            if seen[a] and seen[b]:
                draw.line((*points[a], *points[b]), width=width)
    return _uncanvas(canvas, image)
