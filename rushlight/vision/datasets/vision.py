"""What the data sets of images have in common: a root folder, transforms, a printed form."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from rushlight.utils.data import Dataset

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["StandardTransform", "VisionDataset"]


class VisionDataset(Dataset):
    """The base of the data sets here.

    Args:
        root: the folder that the files are in.
        transforms: a function of (image, target) that returns both; not together with the two others.
        transform, target_transform: functions of the image and of the target.

    Raises:
        ValueError: `transforms` together with one of the others.

    A subclass defines `__getitem__` and `__len__`.

    >>> class Squares(torch.vision.datasets.VisionDataset):
    ...     def __getitem__(self, index):
    ...         return self.transforms(index, index**2)
    ...     def __len__(self):
    ...         return 3
    >>> Squares(target_transform=str)[2]
    (2, '4')

    Reference: https://pytorch.org/vision/stable/generated/torchvision.datasets.VisionDataset.html
    """

    _repr_indent = 4

    def __init__(
        self,
        root: Any = None,
        transforms: Callable | None = None,
        transform: Callable | None = None,
        target_transform: Callable | None = None,
    ) -> None:
        self.root = os.path.expanduser(root) if isinstance(root, str) else root
        if transforms is not None and (transform is not None or target_transform is not None):
            raise ValueError("Only transforms or transform/target_transform can be passed as argument")
        self.transform = transform
        self.target_transform = target_transform
        if transform is not None or target_transform is not None:
            transforms = StandardTransform(transform, target_transform)
        self.transforms = transforms

    def __getitem__(self, index: int) -> Any:
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(index)")

    def __len__(self) -> int:
        raise NotImplementedError(f"{type(self).__name__} must define __len__()")

    def _transformed(self, image: Any, target: Any) -> tuple[Any, Any]:
        if self.transform is not None:
            image = self.transform(image)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return image, target

    def __repr__(self) -> str:
        body = [f"Number of datapoints: {len(self)}"]
        if self.root is not None:
            body.append(f"Root location: {self.root}")
        body += self.extra_repr().splitlines()
        if self.transforms is not None:
            body.append(repr(self.transforms))
        return "\n".join([f"Dataset {type(self).__name__}", *(" " * self._repr_indent + line for line in body)])

    def extra_repr(self) -> str:
        """Further lines of the printed form; for subclasses to override."""
        return ""


class StandardTransform:
    """A function of (image, target) made of a function of each.

    >>> torch.vision.datasets.vision.StandardTransform(None, str)(1, 2)
    (1, '2')
    """

    def __init__(self, transform: Callable | None = None, target_transform: Callable | None = None) -> None:
        self.transform = transform
        self.target_transform = target_transform

    def __call__(self, input: Any, target: Any) -> tuple[Any, Any]:
        if self.transform is not None:
            input = self.transform(input)
        if self.target_transform is not None:
            target = self.target_transform(target)
        return input, target

    def __repr__(self) -> str:
        body = [type(self).__name__]
        for head, function in (("Transform: ", self.transform), ("Target transform: ", self.target_transform)):
            if function is not None:
                first, *rest = repr(function).splitlines()
                body += [head + first, *(" " * len(head) + line for line in rest)]
        return "\n".join(body)
