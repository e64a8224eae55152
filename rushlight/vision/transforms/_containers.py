"""Transforms made of transforms, and those that convert."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import rushlight as torch
from rushlight.nn import Module
from rushlight.vision.transforms import functional as TF

__all__ = [
    "Compose", "ConvertImageDtype", "Lambda", "LinearTransformation", "Normalize", "PILToTensor", "RandomApply",
    "RandomChoice", "RandomOrder", "ToPILImage", "ToTensor",
]  # fmt: skip


def _listed(name: str, transforms: Any, *before: str) -> str:
    return "\n".join([f"{name}(", *before, *(f"    {t}" for t in transforms), ")"])


class Compose:
    """One transform after the other.

    >>> from rushlight.vision import transforms
    >>> transforms.Compose([transforms.CenterCrop(10), transforms.ToTensor()])
    Compose(
        CenterCrop(size=(10, 10))
        ToTensor()
    )

    Reference: https://pytorch.org/vision/stable/generated/torchvision.transforms.Compose.html
    """

    def __init__(self, transforms: Any) -> None:
        self.transforms = transforms

    def __call__(self, img: Any) -> Any:
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return _listed(type(self).__name__, self.transforms)


class Lambda:
    """Any function as a transform.

    Raises:
        TypeError: it cannot be called.

    >>> torch.vision.transforms.Lambda(lambda x: x * 2)(torch.ones(2))
    tensor([2., 2.])
    """

    def __init__(self, lambd: Any) -> None:
        if not callable(lambd):
            raise TypeError(f"Argument lambd should be callable, got {type(lambd).__name__!r}")
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        return self.lambd(img)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class RandomApply(Module):
    """All of the transforms with probability p, else none.

    >>> torch.vision.transforms.RandomApply([torch.nn.ReLU()], p=1)(torch.tensor([-1., 2.]))
    tensor([0., 2.])
    """

    def __init__(self, transforms: Any, p: float = 0.5) -> None:
        super().__init__()
        self.transforms = transforms
        self.p = p

    def forward(self, img: Any) -> Any:
        if self.p < torch.rand(1):
            return img
        for transform in self.transforms:
            img = transform(img)
        return img

    def __repr__(self) -> str:
        return _listed(type(self).__name__, self.transforms, f"    p={self.p}")


class _RandomTransforms:
    def __init__(self, transforms: Any) -> None:
        if not isinstance(transforms, Sequence):
            raise TypeError("Argument transforms should be a sequence")
        self.transforms = transforms

    def __repr__(self) -> str:
        return _listed(type(self).__name__, self.transforms)


class RandomOrder(_RandomTransforms):
    """All of the transforms, in an order that Python's `random` draws.

    >>> torch.vision.transforms.RandomOrder([torch.nn.ReLU(), torch.nn.Identity()])(torch.tensor([-1., 2.]))
    tensor([0., 2.])
    """

    def __call__(self, img: Any) -> Any:
        order = list(range(len(self.transforms)))
        random.shuffle(order)
        for i in order:
            img = self.transforms[i](img)
        return img


class RandomChoice(_RandomTransforms):
    """One of the transforms, which Python's `random` draws; p: their weights.

    >>> torch.vision.transforms.RandomChoice([torch.nn.ReLU()])(torch.tensor([-1., 2.]))
    tensor([0., 2.])
    """

    def __init__(self, transforms: Any, p: Any = None) -> None:
        super().__init__(transforms)
        if p is not None and not isinstance(p, Sequence):
            raise TypeError("Argument p should be a sequence")
        self.p = p

    def __call__(self, *args: Any) -> Any:
        return random.choices(self.transforms, weights=self.p)[0](*args)

    def __repr__(self) -> str:
        return f"{super().__repr__()}(p={self.p})"


class ToTensor:
    """A PIL image or an array (height, width, channels) as a tensor (channels, height, width); bytes from 0 to 1.

    See `functional.to_tensor`.

    >>> from PIL import Image
    >>> torch.vision.transforms.ToTensor()(Image.new("L", (2, 1), 51))
    tensor([[[0.2000, 0.2000]]])

    Reference: https://pytorch.org/vision/stable/generated/torchvision.transforms.ToTensor.html
    """

    def __call__(self, pic: Any) -> Any:
        return TF.to_tensor(pic)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class PILToTensor:
    """A PIL image as a tensor (channels, height, width) of the same values. See `functional.pil_to_tensor`.

    >>> from PIL import Image
    >>> torch.vision.transforms.PILToTensor()(Image.new("RGB", (2, 1), "red"))[0]
    tensor([[255, 255]], dtype=torch.uint8)
    """

    def __call__(self, pic: Any) -> Any:
        return TF.pil_to_tensor(pic)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class ConvertImageDtype(Module):
    """A tensor in another dtype, scaled. See `functional.convert_image_dtype`.

    >>> image = torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 2)
    >>> torch.vision.transforms.ConvertImageDtype(torch.float32)(image).flatten()
    tensor([0., 1.])
    """

    def __init__(self, dtype: Any) -> None:
        super().__init__()
        self.dtype = dtype

    def forward(self, image: Any) -> Any:
        return TF.convert_image_dtype(image, self.dtype)


class ToPILImage:
    """A tensor (channels, height, width) or an array (height, width, channels) as a PIL image.

    See `functional.to_pil_image`.

    >>> torch.vision.transforms.ToPILImage()(torch.zeros(3, 4, 5)).size
    (5, 4)
    """

    def __init__(self, mode: str | None = None) -> None:
        self.mode = mode

    def __call__(self, pic: Any) -> Any:
        return TF.to_pil_image(pic, self.mode)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({f'mode={self.mode}' if self.mode is not None else ''})"


class Normalize(Module):
    """(image - mean) / std, channel by channel. See `functional.normalize`.

    >>> from rushlight.vision import transforms
    >>> transforms.Normalize((0.5,), (0.5,))(torch.ones(1, 1, 2))
    tensor([[[1., 1.]]])

    Reference: https://pytorch.org/vision/stable/generated/torchvision.transforms.Normalize.html
    """

    def __init__(self, mean: Any, std: Any, inplace: bool = False) -> None:
        super().__init__()
        self.mean = mean
        self.std = std
        self.inplace = inplace

    def forward(self, tensor: Any) -> Any:
        return TF.normalize(tensor, self.mean, self.std, self.inplace)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(mean={self.mean}, std={self.std})"


class LinearTransformation(Module):
    """(flattened image - mean_vector) @ transformation_matrix, for whitening.

    Args:
        transformation_matrix: (d, d), where d is channels * height * width.
        mean_vector: (d).

    Raises:
        ValueError: shapes that do not fit.

    >>> torch.vision.transforms.LinearTransformation(torch.eye(4) * 2, torch.ones(4))(torch.ones(1, 2, 2)).flatten()
    tensor([0., 0., 0., 0.])
    """

    def __init__(self, transformation_matrix: Any, mean_vector: Any) -> None:
        super().__init__()
        rows, columns = transformation_matrix.shape
        if rows != columns:
            raise ValueError(f"transformation_matrix should be square. Got {(rows, columns)} rectangular matrix.")
        if mean_vector.shape[0] != rows:
            raise ValueError(
                f"mean_vector should have the same length {mean_vector.shape[0]} as any one of the dimensions of the "
                f"transformation_matrix [{(rows, columns)}]"
            )
        self.transformation_matrix = transformation_matrix
        self.mean_vector = mean_vector

    def forward(self, tensor: Any) -> Any:
        size = self.transformation_matrix.shape[0]
        n = tensor.shape[-3] * tensor.shape[-2] * tensor.shape[-1]
        if n != size:
            raise ValueError(
                f"Input tensor and transformation matrix have incompatible shape. [{tensor.shape[-3]} x "
                f"{tensor.shape[-2]} x {tensor.shape[-1]}] != {size}"
            )
        centred = tensor.reshape(-1, n) - self.mean_vector
        return (centred @ self.transformation_matrix.to(centred.dtype)).reshape(tensor.shape)

    def __repr__(self) -> str:
        matrix, mean = self.transformation_matrix.tolist(), self.mean_vector.tolist()
        return f"{type(self).__name__}(transformation_matrix={matrix}, mean_vector={mean})"
