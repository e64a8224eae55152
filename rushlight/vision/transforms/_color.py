"""Transforms of values. The random ones draw from rushlight's generator, in torchvision's order."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import rushlight as torch
from rushlight.nn import Module
from rushlight.vision.transforms import functional as TF
from rushlight.vision.transforms._arguments import draw, size_pair

__all__ = [
    "ColorJitter", "GaussianBlur", "Grayscale", "RandomAdjustSharpness", "RandomAutocontrast", "RandomEqualize",
    "RandomGrayscale", "RandomInvert", "RandomPosterize", "RandomSolarize",
]  # fmt: skip


class ColorJitter(Module):
    """Brightness, contrast, saturation and hue changed at random, in a random order.

    Args:
        brightness, contrast, saturation: x for a factor from max(0, 1 - x) to 1 + x, or (least, most).
        hue: x for from -x to x, or (least, most), within -0.5 and 0.5.

    >>> torch.vision.transforms.ColorJitter(0.2, 0.2, 0.2, 0.1)(torch.rand(3, 8, 8)).shape
    torch.Size([3, 8, 8])

    Reference: https://pytorch.org/vision/stable/generated/torchvision.transforms.ColorJitter.html
    """

    def __init__(self, brightness: Any = 0, contrast: Any = 0, saturation: Any = 0, hue: Any = 0) -> None:
        super().__init__()
        self.brightness = self._check_input(brightness, "brightness")
        self.contrast = self._check_input(contrast, "contrast")
        self.saturation = self._check_input(saturation, "saturation")
        self.hue = self._check_input(hue, "hue", center=0, bound=(-0.5, 0.5), clip_first_on_zero=False)

    @staticmethod
    def _check_input(
        value: Any, name: str, center: float = 1, bound: Any = (0, float("inf")), clip_first_on_zero: bool = True
    ) -> tuple[float, float] | None:
        if isinstance(value, numbers.Number):
            if value < 0:  # type: ignore[operator]
                raise ValueError(f"If {name} is a single number, it must be non negative.")
            value = [center - float(value), center + float(value)]  # type: ignore[arg-type]
            if clip_first_on_zero:
                value[0] = max(value[0], 0.0)
        elif isinstance(value, tuple | list) and len(value) == 2:
            value = [float(value[0]), float(value[1])]
        else:
            raise TypeError(f"{name} should be a single number or a list/tuple with length 2.")
        if not bound[0] <= value[0] <= value[1] <= bound[1]:
            raise ValueError(f"{name} values should be between {bound}, but got {value}.")
        return None if value[0] == value[1] == center else tuple(value)

    @staticmethod
    def get_params(brightness: Any, contrast: Any, saturation: Any, hue: Any) -> tuple[Any, ...]:
        """Draws the order and the four numbers, None for those that do not change."""
        order = torch.randperm(4)
        drawn = [draw(*bounds) if bounds is not None else None for bounds in (brightness, contrast, saturation, hue)]
        return (order, *drawn)

    def forward(self, img: Any) -> Any:
        order, *drawn = self.get_params(self.brightness, self.contrast, self.saturation, self.hue)
        functions = (TF.adjust_brightness, TF.adjust_contrast, TF.adjust_saturation, TF.adjust_hue)
        for i in order.tolist():
            if drawn[i] is not None:
                img = functions[i](img, drawn[i])
        return img

    def __repr__(self) -> str:
        parts = (f"{name}={getattr(self, name)}" for name in ("brightness", "contrast", "saturation", "hue"))
        return f"{type(self).__name__}({', '.join(parts)})"


class Grayscale(Module):
    """The image in gray, of 1 or 3 equal channels.

    >>> torch.vision.transforms.Grayscale()(torch.rand(3, 8, 8)).shape
    torch.Size([1, 8, 8])
    """

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        self.num_output_channels = num_output_channels

    def forward(self, img: Any) -> Any:
        return TF.rgb_to_grayscale(img, self.num_output_channels)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(num_output_channels={self.num_output_channels})"


class RandomGrayscale(Module):
    """The image in gray with probability p, with as many channels as before.

    >>> torch.vision.transforms.RandomGrayscale(p=1)(torch.tensor([1., 0., 0.]).view(3, 1, 1)).flatten()
    tensor([0.2989, 0.2989, 0.2989])
    """

    def __init__(self, p: float = 0.1) -> None:
        super().__init__()
        self.p = p

    def forward(self, img: Any) -> Any:
        channels = TF.get_dimensions(img)[0]
        return TF.rgb_to_grayscale(img, channels) if torch.rand(1) < self.p else img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class GaussianBlur(Module):
    """The image smoothed by a Gaussian of random width.

    Args:
        kernel_size: odd, of both sides or (across, down).
        sigma: the standard deviation, or (least, most).

    >>> torch.vision.transforms.GaussianBlur(3, sigma=(0.1, 2.))(torch.rand(3, 8, 8)).shape
    torch.Size([3, 8, 8])
    """

    def __init__(self, kernel_size: Any, sigma: Any = (0.1, 2.0)) -> None:
        super().__init__()
        self.kernel_size = size_pair(kernel_size, "Kernel size should be a tuple/list of two integers")
        if any(size <= 0 or size % 2 == 0 for size in self.kernel_size):
            raise ValueError("Kernel size value should be an odd and positive number.")
        if isinstance(sigma, numbers.Number):
            if sigma <= 0:  # type: ignore[operator]
                raise ValueError("If sigma is a single number, it must be positive.")
            sigma = (sigma, sigma)
        elif not isinstance(sigma, Sequence) or len(sigma) != 2:
            raise ValueError("sigma should be a single number or a list/tuple with length 2.")
        elif not 0.0 < sigma[0] <= sigma[1]:
            raise ValueError("sigma values should be positive and of the form (min, max).")
        self.sigma = sigma

    @staticmethod
    def get_params(sigma_min: float, sigma_max: float) -> float:
        """Draws the standard deviation."""
        return draw(sigma_min, sigma_max)

    def forward(self, img: Any) -> Any:
        sigma = self.get_params(self.sigma[0], self.sigma[1])
        return TF.gaussian_blur(img, list(self.kernel_size), [sigma, sigma])

    def __repr__(self) -> str:
        return f"{type(self).__name__}(kernel_size={self.kernel_size}, sigma={self.sigma})"


class _Sometimes(Module):
    """A change that happens with probability p."""

    _functional: Any = TF  # version 2 puts its own here

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def forward(self, img: Any) -> Any:
        return self._change(img) if torch.rand(1).item() < self.p else img

    def _change(self, img: Any) -> Any:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p})"


class RandomInvert(_Sometimes):
    """White minus the image, with probability p.

    >>> torch.vision.transforms.RandomInvert(p=1)(torch.tensor([0., 1.]).view(1, 1, 2)).flatten()
    tensor([1., 0.])
    """

    def _change(self, img: Any) -> Any:
        return self._functional.invert(img)


class RandomAutocontrast(_Sometimes):
    """Each channel stretched from black to white, with probability p.

    >>> torch.vision.transforms.RandomAutocontrast(p=1)(torch.tensor([0.25, 0.75]).view(1, 1, 2)).flatten()
    tensor([0., 1.])
    """

    def _change(self, img: Any) -> Any:
        return TF.autocontrast(img)


class RandomEqualize(_Sometimes):
    """All values about as frequent, with probability p.

    >>> torch.vision.transforms.RandomEqualize(p=1)(torch.zeros(3, 8, 8, dtype=torch.uint8)).shape
    torch.Size([3, 8, 8])
    """

    def _change(self, img: Any) -> Any:
        return self._functional.equalize(img)


class RandomPosterize(_Sometimes):
    """Only the highest `bits` bits kept, with probability p.

    >>> image = torch.tensor([77, 200], dtype=torch.uint8).view(1, 1, 2)
    >>> torch.vision.transforms.RandomPosterize(2, p=1)(image).flatten()
    tensor([ 64, 192], dtype=torch.uint8)
    """

    def __init__(self, bits: int, p: float = 0.5) -> None:
        super().__init__(p)
        self.bits = bits

    def _change(self, img: Any) -> Any:
        return self._functional.posterize(img, self.bits)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(bits={self.bits},p={self.p})"


class RandomSolarize(_Sometimes):
    """Inverted where the image is `threshold` or more, with probability p.

    >>> image = torch.tensor([100, 200], dtype=torch.uint8).view(1, 1, 2)
    >>> torch.vision.transforms.RandomSolarize(128, p=1)(image).flatten()
    tensor([100,  55], dtype=torch.uint8)
    """

    def __init__(self, threshold: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.threshold = threshold

    def _change(self, img: Any) -> Any:
        return self._functional.solarize(img, self.threshold)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(threshold={self.threshold},p={self.p})"


class RandomAdjustSharpness(_Sometimes):
    """Sharper or smoother by a factor, with probability p.

    >>> torch.vision.transforms.RandomAdjustSharpness(2, p=1)(torch.rand(3, 8, 8)).shape
    torch.Size([3, 8, 8])
    """

    def __init__(self, sharpness_factor: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.sharpness_factor = sharpness_factor

    def _change(self, img: Any) -> Any:
        return TF.adjust_sharpness(img, self.sharpness_factor)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(sharpness_factor={self.sharpness_factor},p={self.p})"
