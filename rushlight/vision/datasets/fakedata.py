"""Random images, to try a program out without data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rushlight as torch
from rushlight.vision.datasets.vision import VisionDataset

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FakeData"]


class FakeData(VisionDataset):
    """Images of random pixels with random classes; the same for the same index, and torchvision's.

    Args:
        size: how many.
        image_size: channels, height, width.
        num_classes: of the targets.
        transform, target_transform: functions of the image (PIL) and of the target.
        random_offset: added to the index, which seeds the image.

    >>> from rushlight.vision import datasets
    >>> image, target = datasets.FakeData(size=10, image_size=(3, 8, 8))[0]
    >>> image.size, target
    ((8, 8), 6)

    Reference: https://pytorch.org/vision/stable/generated/torchvision.datasets.FakeData.html
    """

    def __init__(
        self,
        size: int = 1000,
        image_size: tuple[int, int, int] = (3, 224, 224),
        num_classes: int = 10,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
        random_offset: int = 0,
    ) -> None:
        super().__init__(transform=transform, target_transform=target_transform)
        self.size = size
        self.num_classes = num_classes
        self.image_size = image_size
        self.random_offset = random_offset

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        from rushlight.vision.transforms.functional import to_pil_image

        if index >= len(self):
            raise IndexError(f"{type(self).__name__} index out of range: {index} of {len(self)}")
        state = torch.get_rng_state()
        torch.manual_seed(index + self.random_offset)
        pixels = torch.randn(*self.image_size)
        target = torch.randint(0, self.num_classes, size=(1,), dtype=torch.long)[0]
        torch.set_rng_state(state)
        image, target = self._transformed(to_pil_image(pixels), target)
        return image, target.item() if isinstance(target, torch.Tensor) else target

    def __len__(self) -> int:
        return self.size
