"""Transforms that move pixels. The random ones draw from rushlight's generator, in torchvision's order."""

from __future__ import annotations

import math
import numbers
import warnings
from collections.abc import Sequence
from typing import Any

import rushlight as torch
from rushlight.nn import Module
from rushlight.vision.transforms import functional as TF
from rushlight.vision.transforms._arguments import check_sequence, draw, fill_for, size_pair, symmetric_range
from rushlight.vision.transforms.functional import InterpolationMode

__all__ = [
    "CenterCrop", "ElasticTransform", "FiveCrop", "Pad", "RandomAffine", "RandomCrop", "RandomErasing",
    "RandomHorizontalFlip", "RandomPerspective", "RandomResizedCrop", "RandomRotation", "RandomVerticalFlip", "Resize",
    "TenCrop",
]  # fmt: skip


def _randint(low: int, high: int) -> int:
    return int(torch.randint(low, high, size=(1,)).item())


class Resize(Module):
    """The image in another size. See `functional.resize`.

    >>> from rushlight.vision import transforms
    >>> transforms.Resize((4, 6))(torch.rand(3, 8, 8)).shape
    torch.Size([3, 4, 6])

    Reference: https://pytorch.org/vision/stable/generated/torchvision.transforms.Resize.html
    """

    def __init__(
        self,
        size: Any,
        interpolation: Any = InterpolationMode.BILINEAR,
        max_size: int | None = None,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        if not isinstance(size, int | Sequence):
            raise TypeError(f"Size should be int or sequence. Got {type(size)}")
        if isinstance(size, Sequence) and len(size) not in (1, 2):
            raise ValueError("If size is a sequence, it should have 1 or 2 values")
        self.size = size
        self.interpolation = TF._interpolation_mode(interpolation)
        self.max_size = max_size
        self.antialias = antialias

    def forward(self, img: Any) -> Any:
        return TF.resize(img, self.size, self.interpolation, self.max_size, self.antialias)

    def __repr__(self) -> str:
        detail = f"(size={self.size}, interpolation={self.interpolation.value}, max_size={self.max_size}, antialias={self.antialias})"
        return f"{type(self).__name__}{detail}"


class _Crop(Module):
    def __init__(self, size: Any) -> None:
        super().__init__()
        self.size = size_pair(size)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size})"


class CenterCrop(_Crop):
    """The middle of the image; where the image is smaller, with a border of 0. size: a number or (height, width).

    >>> torch.vision.transforms.CenterCrop(2)(torch.arange(16).view(1, 4, 4))
    tensor([[[ 5,  6],
             [ 9, 10]]])
    """

    def forward(self, img: Any) -> Any:
        return TF.center_crop(img, self.size)


class Pad(Module):
    """The image with a border. See `functional.pad`.

    >>> torch.vision.transforms.Pad((1, 0), padding_mode="edge")(torch.tensor([[[5., 7.]]]))
    tensor([[[5., 5., 7., 7.]]])
    """

    def __init__(self, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> None:
        super().__init__()
        if not isinstance(padding, numbers.Number | tuple | list):
            raise TypeError("Got inappropriate padding arg")
        if fill is not None and not isinstance(fill, numbers.Number | str | tuple | list):
            raise TypeError("Got inappropriate fill arg")
        if padding_mode not in ("constant", "edge", "reflect", "symmetric"):
            raise ValueError("Padding mode should be either constant, edge, reflect or symmetric")
        if isinstance(padding, Sequence) and len(padding) not in (1, 2, 4):
            raise ValueError(
                f"Padding must be an int or a 1, 2, or 4 element tuple, not a {len(padding)} element tuple"
            )
        self.padding = padding
        self.fill = fill
        self.padding_mode = padding_mode

    def forward(self, img: Any) -> Any:
        return TF.pad(img, self.padding, self.fill, self.padding_mode)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(padding={self.padding}, fill={self.fill}, padding_mode={self.padding_mode})"


class RandomCrop(Module):
    """A part of the image, at a random place.

    Args:
        size: a number or (height, width).
        padding: a border to add first, as for `Pad`.
        pad_if_needed: whether to add one where the image is too small.
        fill, padding_mode: of the borders.

    Raises:
        ValueError: the image is too small.

    >>> torch.vision.transforms.RandomCrop(32, padding=4)(torch.rand(3, 32, 32)).shape
    torch.Size([3, 32, 32])

    Reference: https://pytorch.org/vision/stable/generated/torchvision.transforms.RandomCrop.html
    """

    def __init__(
        self,
        size: Any,
        padding: Any = None,
        pad_if_needed: bool = False,
        fill: Any = 0,
        padding_mode: str = "constant",
    ) -> None:
        super().__init__()
        self.size = tuple(size_pair(size))
        self.padding = padding
        self.pad_if_needed = pad_if_needed
        self.fill = fill
        self.padding_mode = padding_mode

    @staticmethod
    def get_params(img: Any, output_size: Any) -> tuple[int, int, int, int]:
        """Draws top, left; returns them with height and width."""
        _, h, w = TF.get_dimensions(img)
        th, tw = output_size
        if h < th or w < tw:
            raise ValueError(f"Required crop size {(th, tw)} is larger than input image size {(h, w)}")
        if (w, h) == (tw, th):
            return 0, 0, h, w
        top = _randint(0, h - th + 1)
        return top, _randint(0, w - tw + 1), th, tw

    def forward(self, img: Any) -> Any:
        if self.padding is not None:
            img = TF.pad(img, self.padding, self.fill, self.padding_mode)
        _, height, width = TF.get_dimensions(img)
        if self.pad_if_needed and width < self.size[1]:
            img = TF.pad(img, [self.size[1] - width, 0], self.fill, self.padding_mode)
        if self.pad_if_needed and height < self.size[0]:
            img = TF.pad(img, [0, self.size[0] - height], self.fill, self.padding_mode)
        return TF.crop(img, *self.get_params(img, self.size))

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size}, padding={self.padding})"


class RandomResizedCrop(Module):
    """A part of the image of random size and shape, brought to a size.

    Args:
        size: a number or (height, width).
        scale: the part's share of the area: least and most.
        ratio: its width over its height: least and most.
        interpolation, antialias: as for `Resize`.

    Source: Szegedy et al., Going deeper with convolutions, https://arxiv.org/abs/1409.4842

    >>> torch.vision.transforms.RandomResizedCrop(224)(torch.rand(3, 64, 48)).shape
    torch.Size([3, 224, 224])
    """

    def __init__(
        self,
        size: Any,
        scale: Any = (0.08, 1.0),
        ratio: Any = (3.0 / 4.0, 4.0 / 3.0),
        interpolation: Any = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.size = size_pair(size)
        if not isinstance(scale, Sequence):
            raise TypeError("Scale should be a sequence")
        if not isinstance(ratio, Sequence):
            raise TypeError("Ratio should be a sequence")
        if scale[0] > scale[1] or ratio[0] > ratio[1]:
            warnings.warn("Scale and ratio should be of kind (min, max)")
        self.scale = scale
        self.ratio = ratio
        self.interpolation = TF._interpolation_mode(interpolation)
        self.antialias = antialias

    @staticmethod
    def get_params(img: Any, scale: Any, ratio: Any) -> tuple[int, int, int, int]:
        """Draws top, left, height and width; after ten that do not fit, the largest part in the middle that does."""
        _, height, width = TF.get_dimensions(img)
        area = height * width
        low, high = torch.log(torch.tensor(ratio)).tolist()
        for _ in range(10):
            target = area * draw(scale[0], scale[1])
            aspect = torch.exp(torch.empty(1).uniform_(low, high)).item()
            w, h = round(math.sqrt(target * aspect)), round(math.sqrt(target / aspect))
            if 0 < w <= width and 0 < h <= height:
                top = _randint(0, height - h + 1)
                return top, _randint(0, width - w + 1), h, w
        whole = width / height
        if whole < min(ratio):
            w, h = width, round(width / min(ratio))
        elif whole > max(ratio):
            w, h = round(height * max(ratio)), height
        else:
            w, h = width, height
        return (height - h) // 2, (width - w) // 2, h, w

    def forward(self, img: Any) -> Any:
        place = self.get_params(img, self.scale, self.ratio)
        return TF.resized_crop(img, *place, self.size, self.interpolation, antialias=self.antialias)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(size={self.size}, scale={tuple(round(s, 4) for s in self.scale)}, "
            f"ratio={tuple(round(r, 4) for r in self.ratio)}, interpolation={self.interpolation.value}, "
            f"antialias={self.antialias})"
        )


class FiveCrop(_Crop):
    """The four corners and the middle: a tuple of five images. size: a number or (height, width).

    >>> len(torch.vision.transforms.FiveCrop(4)(torch.rand(3, 8, 8)))
    5
    """

    def forward(self, img: Any) -> Any:
        return TF.five_crop(img, self.size)


class TenCrop(_Crop):
    """`FiveCrop` of the image and of the flipped image: a tuple of ten images.

    >>> len(torch.vision.transforms.TenCrop(4)(torch.rand(3, 8, 8)))
    10
    """

    def __init__(self, size: Any, vertical_flip: bool = False) -> None:
        super().__init__(size)
        self.vertical_flip = vertical_flip

    def forward(self, img: Any) -> Any:
        return TF.ten_crop(img, self.size, self.vertical_flip)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(size={self.size}, vertical_flip={self.vertical_flip})"


class _RandomFlip(Module):
    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomHorizontalFlip(_RandomFlip):
    """Left and right exchanged, with probability p.

    >>> torch.vision.transforms.RandomHorizontalFlip(p=1)(torch.tensor([[[1, 2, 3]]]))
    tensor([[[3, 2, 1]]])
    """

    def forward(self, img: Any) -> Any:
        return TF.hflip(img) if torch.rand(1) < self.p else img


class RandomVerticalFlip(_RandomFlip):
    """Top and bottom exchanged, with probability p.

    >>> torch.vision.transforms.RandomVerticalFlip(p=1)(torch.tensor([[[1], [2]]])).flatten()
    tensor([2, 1])
    """

    def forward(self, img: Any) -> Any:
        return TF.vflip(img) if torch.rand(1) < self.p else img


class RandomRotation(Module):
    """The image turned by a random angle.

    Args:
        degrees: d for from -d to d, or (least, most).
        interpolation, expand, center, fill: as for `functional.rotate`.

    >>> torch.vision.transforms.RandomRotation(15)(torch.rand(3, 16, 16)).shape
    torch.Size([3, 16, 16])

    Reference: https://pytorch.org/vision/stable/generated/torchvision.transforms.RandomRotation.html
    """

    def __init__(
        self,
        degrees: Any,
        interpolation: Any = InterpolationMode.NEAREST,
        expand: bool = False,
        center: Any = None,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.degrees = symmetric_range(degrees, "degrees")
        self.interpolation = TF._interpolation_mode(interpolation)
        self.expand = expand
        self.fill = _checked_fill(fill)
        if center is not None:
            check_sequence(center, "center", (2,))
        self.center = center

    @staticmethod
    def get_params(degrees: Any) -> float:
        """Draws the angle."""
        return draw(degrees[0], degrees[1])

    def forward(self, img: Any) -> Any:
        fill = fill_for(img, self.fill)
        return TF.rotate(img, self.get_params(self.degrees), self.interpolation, self.expand, self.center, fill)

    def __repr__(self) -> str:
        center = f", center={self.center}" if self.center is not None else ""
        fill = f", fill={self.fill}" if self.fill is not None else ""
        interpolation = self.interpolation.value
        return f"{type(self).__name__}(degrees={self.degrees}, interpolation={interpolation}, expand={self.expand}{center}{fill})"


def _checked_fill(fill: Any) -> Any:
    if fill is None:
        return 0
    if not isinstance(fill, Sequence | numbers.Number):
        raise TypeError("Fill should be either a sequence or a number.")
    return fill


class RandomAffine(Module):
    """The image turned, shifted, scaled and sheared at random.

    Args:
        degrees: d for from -d to d, or (least, most); 0 for none.
        translate: (a, b): shifted across by up to a widths, down by up to b heights.
        scale: (least, most).
        shear: s for from -s to s along x; or (least, most) along x; or four numbers, along x and along y.
        interpolation, fill, center: as for `functional.affine`.

    >>> torch.vision.transforms.RandomAffine(30, translate=(0.1, 0.1))(torch.rand(3, 16, 16)).shape
    torch.Size([3, 16, 16])

    Reference: https://pytorch.org/vision/stable/generated/torchvision.transforms.RandomAffine.html
    """

    def __init__(
        self,
        degrees: Any,
        translate: Any = None,
        scale: Any = None,
        shear: Any = None,
        interpolation: Any = InterpolationMode.NEAREST,
        fill: Any = 0,
        center: Any = None,
    ) -> None:
        super().__init__()
        self.degrees = symmetric_range(degrees, "degrees")
        if translate is not None:
            check_sequence(translate, "translate", (2,))
            if not all(0.0 <= t <= 1.0 for t in translate):
                raise ValueError("translation values should be between 0 and 1")
        if scale is not None:
            check_sequence(scale, "scale", (2,))
            if any(s <= 0 for s in scale):
                raise ValueError("scale values should be positive")
        self.translate = translate
        self.scale = scale
        self.shear = symmetric_range(shear, "shear", (2, 4)) if shear is not None else None
        self.interpolation = TF._interpolation_mode(interpolation)
        self.fill = _checked_fill(fill)
        if center is not None:
            check_sequence(center, "center", (2,))
        self.center = center

    @staticmethod
    def get_params(
        degrees: Any, translate: Any, scale_ranges: Any, shears: Any, img_size: Any
    ) -> tuple[float, tuple[int, int], float, tuple[float, float]]:
        """Draws the angle, the shift, the scale and the shear; img_size: (width, height)."""
        angle = draw(degrees[0], degrees[1])
        shift = (0, 0)
        if translate is not None:
            across, down = float(translate[0] * img_size[0]), float(translate[1] * img_size[1])
            right = round(draw(-across, across))
            shift = (right, round(draw(-down, down)))
        scale = draw(scale_ranges[0], scale_ranges[1]) if scale_ranges is not None else 1.0
        shear_x = draw(shears[0], shears[1]) if shears is not None else 0.0
        shear_y = draw(shears[2], shears[3]) if shears is not None and len(shears) == 4 else 0.0
        return angle, shift, scale, (shear_x, shear_y)

    def forward(self, img: Any) -> Any:
        fill = fill_for(img, self.fill)
        _, height, width = TF.get_dimensions(img)
        drawn = self.get_params(self.degrees, self.translate, self.scale, self.shear, [width, height])
        return TF.affine(img, *drawn, interpolation=self.interpolation, fill=fill, center=self.center)

    def __repr__(self) -> str:
        parts = [f"degrees={self.degrees}"]
        parts += [
            f"{name}={value}" for name in ("translate", "scale", "shear") if (value := getattr(self, name)) is not None
        ]
        if self.interpolation is not InterpolationMode.NEAREST:
            parts.append(f"interpolation={self.interpolation.value}")
        if self.fill != 0:
            parts.append(f"fill={self.fill}")
        if self.center is not None:
            parts.append(f"center={self.center}")
        return f"{type(self).__name__}({', '.join(parts)})"


class RandomPerspective(Module):
    """The image seen from a random side, with probability p.

    Args:
        distortion_scale: how far the corners may go in, from 0 to 1 (the middle of the sides).
        p: the probability.
        interpolation, fill: as for `functional.perspective`.

    >>> torch.vision.transforms.RandomPerspective(p=1)(torch.rand(3, 16, 16)).shape
    torch.Size([3, 16, 16])
    """

    def __init__(
        self,
        distortion_scale: float = 0.5,
        p: float = 0.5,
        interpolation: Any = InterpolationMode.BILINEAR,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.p = p
        self.distortion_scale = distortion_scale
        self.interpolation = TF._interpolation_mode(interpolation)
        self.fill = _checked_fill(fill)

    @staticmethod
    def get_params(width: int, height: int, distortion_scale: float) -> tuple[list[list[int]], list[list[int]]]:
        """Draws where the corners go; returns the corners and their new places."""
        across, down = int(distortion_scale * (width // 2)), int(distortion_scale * (height // 2))
        left, right = (0, across + 1), (width - across - 1, width)
        top, bottom = (0, down + 1), (height - down - 1, height)
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
        ends = [[_randint(*x), _randint(*y)] for x, y in corners]
        return [[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], ends

    def forward(self, img: Any) -> Any:
        fill = fill_for(img, self.fill)
        if torch.rand(1) < self.p:
            _, height, width = TF.get_dimensions(img)
            starts, ends = self.get_params(width, height, self.distortion_scale)
            return TF.perspective(img, starts, ends, self.interpolation, fill)
        return img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class ElasticTransform(Module):
    """The image bent at random, as if seen through moving water.

    Args:
        alpha: how far in pixels, a number or (across, down).
        sigma: how smoothly, a number or (across, down), in both directions of the displacement.
        interpolation, fill: as for `functional.elastic_transform`.

    Source: Simard, Steinkraus, Platt, Best practices for convolutional neural networks, 2003

    >>> torch.vision.transforms.ElasticTransform(50.)(torch.rand(3, 64, 64)).shape
    torch.Size([3, 64, 64])
    """

    def __init__(
        self,
        alpha: Any = 50.0,
        sigma: Any = 5.0,
        interpolation: Any = InterpolationMode.BILINEAR,
        fill: Any = 0,
    ) -> None:
        super().__init__()
        self.alpha = self._pair(alpha, "alpha")
        self.sigma = self._pair(sigma, "sigma")
        self.interpolation = TF._interpolation_mode(interpolation)
        self.fill = [float(f) for f in fill] if isinstance(fill, list | tuple) else [float(fill)]

    @staticmethod
    def _pair(value: Any, name: str) -> list[float]:
        if isinstance(value, numbers.Real):
            return [float(value)] * 2
        if not isinstance(value, Sequence):
            raise TypeError(f"{name} should be float or a sequence of floats. Got {type(value)}")
        if len(value) not in (1, 2):
            raise ValueError(f"{name} is a sequence its length should be 1 or 2. Got {len(value)}")
        if not all(isinstance(v, numbers.Real) for v in value):
            raise TypeError(f"{name} should be a sequence of floats. Got {value}")
        return [float(v) for v in value] * (2 if len(value) == 1 else 1)

    @staticmethod
    def get_params(alpha: list[float], sigma: list[float], size: list[int]) -> Any:
        """Draws the displacement (1, height, width, 2); size: (height, width)."""
        parts = []
        for i in range(2):
            part = torch.rand([1, 1, *size]) * 2 - 1
            if sigma[i] > 0.0:
                kernel = int(8 * sigma[i] + 1) | 1  # an odd number
                part = TF.gaussian_blur(part, [kernel, kernel], sigma)
            parts.append(part * alpha[i] / size[1 - i])  # across, then down
        return torch.cat(parts, 1).permute(0, 2, 3, 1)

    def forward(self, tensor: Any) -> Any:
        _, height, width = TF.get_dimensions(tensor)
        displacement = self.get_params(self.alpha, self.sigma, [height, width])
        return TF.elastic_transform(tensor, displacement, self.interpolation, self.fill)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(alpha={self.alpha}, sigma={self.sigma}, interpolation={self.interpolation}, "
            f"fill={self.fill})"
        )


class RandomErasing(Module):
    """A random rectangle of the tensor overwritten, with probability p.

    Args:
        p: the probability.
        scale: the rectangle's share of the area: least and most.
        ratio: its height over its width: least and most.
        value: a number, one a channel, or "random" for normal noise.
        inplace: whether to change the tensor itself.

    Source: Zhong et al., Random erasing data augmentation, https://arxiv.org/abs/1708.04896

    >>> _ = torch.manual_seed(0)
    >>> bool((torch.vision.transforms.RandomErasing(p=1)(torch.ones(1, 8, 8)) == 0).any())
    True
    """

    def __init__(
        self,
        p: float = 0.5,
        scale: Any = (0.02, 0.33),
        ratio: Any = (0.3, 3.3),
        value: Any = 0,
        inplace: bool = False,
    ) -> None:
        super().__init__()
        if not isinstance(value, numbers.Number | str | tuple | list):
            raise TypeError("Argument value should be either a number or str or a sequence")
        if isinstance(value, str) and value != "random":
            raise ValueError("If value is str, it should be 'random'")
        if not isinstance(scale, Sequence):
            raise TypeError("Scale should be a sequence")
        if not isinstance(ratio, Sequence):
            raise TypeError("Ratio should be a sequence")
        if scale[0] > scale[1] or ratio[0] > ratio[1]:
            warnings.warn("Scale and ratio should be of kind (min, max)")
        if scale[0] < 0 or scale[1] > 1:
            raise ValueError("Scale should be between 0 and 1")
        if p < 0 or p > 1:
            raise ValueError("Random erasing probability should be between 0 and 1")
        self.p = p
        self.scale = scale
        self.ratio = ratio
        self.value = value
        self.inplace = inplace

    @staticmethod
    def get_params(img: Any, scale: Any, ratio: Any, value: Any = None) -> tuple[int, int, int, int, Any]:
        """Draws top, left, height, width and value; ten tries, then the image as it is."""
        channels, height, width = img.shape[-3:]
        area = height * width
        low, high = torch.log(torch.tensor(ratio)).tolist()
        for _ in range(10):
            target = area * draw(scale[0], scale[1])
            aspect = torch.exp(torch.empty(1).uniform_(low, high)).item()
            h, w = round(math.sqrt(target * aspect)), round(math.sqrt(target / aspect))
            if not (h < height and w < width):
                continue
            if value is None:
                v = torch.empty([channels, h, w], dtype=torch.float32).normal_()
            else:
                v = torch.tensor(value)[:, None, None]
            top = _randint(0, height - h + 1)
            return top, _randint(0, width - w + 1), h, w, v
        return 0, 0, height, width, img

    def forward(self, img: Any) -> Any:
        if torch.rand(1) < self.p:
            value: Any = None
            if isinstance(self.value, int | float):
                value = [float(self.value)]
            elif isinstance(self.value, tuple | list):
                value = [float(v) for v in self.value]
            if value is not None and len(value) not in (1, img.shape[-3]):
                raise ValueError(
                    f"If value is a sequence, it should have either a single value or {img.shape[-3]} "
                    "(number of input channels)"
                )
            top, left, h, w, v = self.get_params(img, self.scale, self.ratio, value)
            return TF.erase(img, top, left, h, w, v, self.inplace)
        return img

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(p={self.p}, scale={self.scale}, ratio={self.ratio}, value={self.value}, "
            f"inplace={self.inplace})"
        )
