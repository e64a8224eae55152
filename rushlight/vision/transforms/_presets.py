"""What the images of a model have to go through."""

from __future__ import annotations

from typing import Any

import rushlight as torch
from rushlight import nn
from rushlight.vision.transforms import functional as TF
from rushlight.vision.transforms.functional import InterpolationMode

__all__ = ["ImageClassification"]


class ImageClassification(nn.Module):
    """Resized, cropped to the middle, a tensor from 0 to 1, normalized.

    Args:
        crop_size: of the result.
        resize_size: of the shorter side, before.
        mean, std: of the normalization.
        interpolation, antialias: as for `Resize`.

    >>> preset = torch.vision.models.ResNet18_Weights.DEFAULT.transforms()
    >>> preset(torch.zeros(3, 300, 400, dtype=torch.uint8)).shape
    torch.Size([3, 224, 224])
    """

    def __init__(
        self,
        *,
        crop_size: int,
        resize_size: int = 256,
        mean: tuple[float, ...] = (0.485, 0.456, 0.406),
        std: tuple[float, ...] = (0.229, 0.224, 0.225),
        interpolation: InterpolationMode = InterpolationMode.BILINEAR,
        antialias: bool | None = True,
    ) -> None:
        super().__init__()
        self.crop_size = [crop_size]
        self.resize_size = [resize_size]
        self.mean = list(mean)
        self.std = list(std)
        self.interpolation = interpolation
        self.antialias = antialias

    def forward(self, img: Any) -> Any:
        img = TF.resize(img, self.resize_size, self.interpolation, antialias=self.antialias)
        img = TF.center_crop(img, self.crop_size)
        if not isinstance(img, torch.Tensor):
            img = TF.pil_to_tensor(img)
        return TF.normalize(TF.convert_image_dtype(img, torch.float), self.mean, self.std)

    def __repr__(self) -> str:
        names = ("crop_size", "resize_size", "mean", "std", "interpolation")
        lines = (f"\n    {name}={getattr(self, name)}" for name in names)
        return f"{type(self).__name__}({''.join(lines)}\n)"

    def describe(self) -> str:
        """The same in words."""
        return (
            "Accepts PIL images and tensors (..., C, H, W). Images are resized to "
            f"resize_size={self.resize_size} with {self.interpolation}, cropped to crop_size={self.crop_size} in the "
            f"middle, brought to 0..1 and normalized with mean={self.mean} and std={self.std}."
        )
