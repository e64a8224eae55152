"""The transforms of version 2, as far as they are about images.

A transform takes an image, or any structure of tuples, lists and dictionaries with images in it: PIL images, or, where
there is none, the first tensor. All images of one call get the same random draws; labels and other things pass through.
Boxes, masks and videos as such (`torchvision.tv_tensors`) are not there.

>>> from rushlight.vision.transforms import v2
>>> pipeline = v2.Compose([v2.ToImage(), v2.RandomCrop(6), v2.ToDtype(torch.float32, scale=True)])
>>> image, label = pipeline(torch.zeros(3, 8, 8, dtype=torch.uint8), 5)
>>> image.shape, label
(torch.Size([3, 6, 6]), 5)

Reference: https://pytorch.org/vision/stable/transforms.html
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import rushlight as torch
from rushlight import nn
from rushlight.vision import transforms as v1
from rushlight.vision._pillow import is_pil
from rushlight.vision.transforms._arguments import fill_for
from rushlight.vision.transforms.functional import InterpolationMode
from rushlight.vision.transforms.v2 import functional

_LIFTED = [
    "AugMix", "CenterCrop", "ColorJitter", "ConvertImageDtype", "ElasticTransform", "FiveCrop",
    "GaussianBlur", "Grayscale", "LinearTransformation", "Normalize", "Pad", "RandAugment", "RandomAdjustSharpness",
    "RandomAffine", "RandomAutocontrast", "RandomCrop", "RandomEqualize", "RandomErasing", "RandomGrayscale",
    "RandomHorizontalFlip", "RandomInvert", "RandomPerspective", "RandomPosterize", "RandomRotation",
    "RandomSolarize", "RandomVerticalFlip", "TenCrop", "TrivialAugmentWide",
]  # fmt: skip

__all__ = [
    "AutoAugment", "AutoAugmentPolicy", "Compose", "CutMix", "GaussianNoise", "Identity", "InterpolationMode", "Lambda", "MixUp",
    "PILToTensor", "RGB", "RandomApply", "RandomChannelPermutation", "RandomChoice", "RandomOrder", "RandomResizedCrop", "Resize", "ToDtype", "ToImage",
    "ToPILImage", "ToPureTensor", "ToTensor", "Transform", "functional", *_LIFTED,
]  # fmt: skip

AutoAugmentPolicy = v1.AutoAugmentPolicy


def _any_pil(sample: Any) -> bool:
    if isinstance(sample, Mapping):
        return any(_any_pil(v) for v in sample.values())
    if isinstance(sample, tuple | list):
        return any(_any_pil(v) for v in sample)
    return is_pil(sample)


def apply_to_images(function: Callable[[Any], Any], sample: Any, also: tuple[type, ...] = ()) -> Any:
    """The sample with the function of its images in their places; every image sees the same random numbers."""
    pil = _any_pil(sample)
    state: Any = None

    def is_image(x: Any) -> bool:
        if is_pil(x) or isinstance(x, also):
            return True
        return isinstance(x, torch.Tensor) and not pil and x.dim() >= 2 and state is None

    def walk(x: Any) -> Any:
        nonlocal state
        if is_image(x):
            if state is None:
                state = torch.get_rng_state()
            else:
                torch.set_rng_state(state)
            return function(x)
        if isinstance(x, Mapping):
            return type(x)({k: walk(v) for k, v in x.items()})  # type: ignore[call-arg]
        if isinstance(x, tuple) and hasattr(x, "_fields"):
            return type(x)(*(walk(v) for v in x))
        return type(x)(walk(v) for v in x) if isinstance(x, tuple | list) else x

    return walk(sample)


class Transform(nn.Module):
    """The base of transforms: define `transform(inpt, params)`, and `make_params(flat_inputs)` for random numbers."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """What is drawn once a call."""
        return {}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The change of one image."""
        raise NotImplementedError

    def forward(self, *inputs: Any) -> Any:
        sample = inputs if len(inputs) > 1 else inputs[0]
        return apply_to_images(lambda x: self.transform(x, self.make_params([x])), sample)


def _lifted(name: str) -> type:
    base = getattr(v1, name)

    def forward(self: Any, *inputs: Any) -> Any:
        return apply_to_images(lambda x: base.forward(self, x), inputs if len(inputs) > 1 else inputs[0])

    doc = f"`transforms.{name}` for structures with images in them."
    return type(name, (base, Transform), {"forward": forward, "__doc__": doc, "__module__": __name__})


globals().update({name: _lifted(name) for name in _LIFTED})
for _name in ("AugMix", "RandAugment", "TrivialAugmentWide"):  # version 2 draws signs in another way
    globals()[_name]._negative = lambda self: bool(torch.rand(()) <= 0.5)


class Resize(v1.Resize, Transform):
    """`transforms.Resize` for structures with images in them."""

    def forward(self, *inputs: Any) -> Any:
        def change(x: Any) -> Any:
            return functional.resize(x, self.size, self.interpolation, self.max_size, self.antialias)

        return apply_to_images(change, inputs if len(inputs) > 1 else inputs[0])


class RandomResizedCrop(v1.RandomResizedCrop, Transform):
    """`transforms.RandomResizedCrop` for structures with images in them."""

    def forward(self, *inputs: Any) -> Any:
        def change(x: Any) -> Any:
            place = self.get_params(x, self.scale, self.ratio)
            return functional.resize(functional.crop(x, *place), self.size, self.interpolation, None, self.antialias)

        return apply_to_images(change, inputs if len(inputs) > 1 else inputs[0])


class AutoAugment(v1.AutoAugment, Transform):
    """`transforms.AutoAugment` for structures with images in them; it draws in another order."""

    def forward(self, *inputs: Any) -> Any:
        return apply_to_images(self._augmented, inputs if len(inputs) > 1 else inputs[0])

    def _augmented(self, img: Any) -> Any:
        from rushlight.vision.transforms.autoaugment import _apply_op

        space = self._augmentation_space(10, tuple(functional.get_size(img)))  # type: ignore[arg-type]
        for name, p, step in self.policies[int(torch.randint(len(self.policies), ()))]:
            if torch.rand(()) <= p:
                magnitudes, signed = space[name]
                magnitude = float(magnitudes[step]) if step is not None else 0.0
                if signed and torch.rand(()) <= 0.5:
                    magnitude *= -1.0
                img = _apply_op(img, name, magnitude, self.interpolation, fill_for(img, self.fill))
        return img


class Compose(Transform):
    """One transform after the other.

    >>> from rushlight.vision.transforms import v2
    >>> v2.Compose([v2.RandomHorizontalFlip(p=1), v2.Identity()])(torch.tensor([[[1, 2]]]))
    tensor([[[2, 1]]])
    """

    def __init__(self, transforms: Any) -> None:
        super().__init__()
        if not isinstance(transforms, list | tuple | nn.ModuleList):
            raise TypeError("Argument transforms should be a sequence of callables")
        if len(transforms) < 1:
            raise ValueError("Pass at least one transform")
        self.transforms = transforms

    def forward(self, *inputs: Any) -> Any:
        several = len(inputs) > 1
        sample: Any = inputs if several else inputs[0]
        for transform in self.transforms:
            sample = transform(*sample) if several else transform(sample)
        return sample

    def extra_repr(self) -> str:
        return "\n".join(f"    {t}" for t in self.transforms)


class RandomApply(Transform):
    """All of the transforms with probability p, else none."""

    def __init__(self, transforms: Any, p: float = 0.5) -> None:
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise ValueError("`p` should be a floating point value in the interval [0.0, 1.0].")
        self.transforms = transforms
        self.p = p

    def forward(self, *inputs: Any) -> Any:
        sample = inputs if len(inputs) > 1 else inputs[0]
        if torch.rand(1) >= self.p:
            return sample
        for transform in self.transforms:
            sample = transform(*sample) if len(inputs) > 1 else transform(sample)
        return sample


class RandomChoice(Transform):
    """One of the transforms; p: their weights."""

    def __init__(self, transforms: Any, p: list[float] | None = None) -> None:
        super().__init__()
        if p is not None and len(p) != len(transforms):
            raise ValueError(f"Length of p doesn't match the number of transforms: {len(p)} != {len(transforms)}")
        total = sum(p) if p is not None else 1.0
        self.transforms = transforms
        self.p = [x / total for x in p] if p is not None else [1 / len(transforms)] * len(transforms)

    def forward(self, *inputs: Any) -> Any:
        return self.transforms[int(torch.multinomial(torch.tensor(self.p), 1))](*inputs)


class RandomOrder(Transform):
    """All of the transforms, in random order."""

    def __init__(self, transforms: Any) -> None:
        super().__init__()
        self.transforms = transforms

    def forward(self, *inputs: Any) -> Any:
        sample = inputs if len(inputs) > 1 else inputs[0]
        for i in torch.randperm(len(self.transforms)).tolist():
            sample = self.transforms[i](*sample) if len(inputs) > 1 else self.transforms[i](sample)
        return sample


class Identity(Transform):
    """The sample as it is."""

    def forward(self, *inputs: Any) -> Any:
        return inputs if len(inputs) > 1 else inputs[0]


class ToPureTensor(Identity):
    """The sample as it is: tensors here are always plain ones."""


class Lambda(Transform):
    """Any function of everything in the sample, or of what is of some types."""

    def __init__(self, lambd: Callable[[Any], Any], *types: type) -> None:
        super().__init__()
        self.lambd = lambd
        self.types = types or (object,)

    def forward(self, *inputs: Any) -> Any:
        def walk(x: Any) -> Any:
            if isinstance(x, Mapping):
                return type(x)({k: walk(v) for k, v in x.items()})  # type: ignore[call-arg]
            if isinstance(x, tuple | list):
                return type(x)(walk(v) for v in x)
            return self.lambd(x) if isinstance(x, self.types) else x

        return walk(inputs if len(inputs) > 1 else inputs[0])


class ToImage(Transform):
    """PIL images and arrays as tensors (channels, height, width) of the same values."""

    def forward(self, *inputs: Any) -> Any:
        import numpy as np

        sample = inputs if len(inputs) > 1 else inputs[0]
        return apply_to_images(functional.to_image, sample, also=(np.ndarray,))


class PILToTensor(Transform):
    """PIL images as tensors of the same values; other things pass through."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return functional.pil_to_tensor(inpt) if is_pil(inpt) else inpt


class ToTensor(Transform):
    """As `transforms.ToTensor`; deprecated in version 2: ToImage(), then ToDtype(torch.float32, scale=True)."""

    def forward(self, *inputs: Any) -> Any:
        import numpy as np

        def convert(x: Any) -> Any:
            return functional.to_tensor(x) if is_pil(x) or isinstance(x, np.ndarray) else x

        return apply_to_images(convert, inputs if len(inputs) > 1 else inputs[0], also=(np.ndarray,))


class ToPILImage(Transform):
    """Tensors and arrays as PIL images."""

    def __init__(self, mode: str | None = None) -> None:
        super().__init__()
        self.mode = mode

    def forward(self, *inputs: Any) -> Any:
        import numpy as np

        def convert(x: Any) -> Any:
            return x if is_pil(x) else functional.to_pil_image(x, self.mode)

        return apply_to_images(convert, inputs if len(inputs) > 1 else inputs[0], also=(np.ndarray,))


class ToDtype(Transform):
    """Image tensors in another dtype; `scale`: white stays white.

    >>> from rushlight.vision.transforms import v2
    >>> v2.ToDtype(torch.float32, scale=True)(torch.tensor([0, 255], dtype=torch.uint8).view(1, 1, 2)).flatten()
    tensor([0., 1.])
    """

    def __init__(self, dtype: Any, scale: bool = False) -> None:
        super().__init__()
        if not isinstance(dtype, torch.dtype):
            raise ValueError(f"dtype must be a dtype, got {type(dtype)}: a dictionary of dtypes is not supported here")
        self.dtype = dtype
        self.scale = scale

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return functional.to_dtype(inpt, self.dtype, self.scale) if isinstance(inpt, torch.Tensor) else inpt

    def extra_repr(self) -> str:
        return f"scale={self.scale}"


class RGB(Transform):
    """Images of one channel as images of three."""

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return functional.grayscale_to_rgb(inpt)


class GaussianNoise(Transform):
    """Tensors of floats with normal noise.

    >>> from rushlight.vision.transforms import v2
    >>> v2.GaussianNoise()(torch.zeros(1, 4, 4)).shape
    torch.Size([1, 4, 4])
    """

    def __init__(self, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> None:
        super().__init__()
        self.mean = mean
        self.sigma = sigma
        self.clip = clip

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return functional.gaussian_noise(inpt, self.mean, self.sigma, self.clip)


class RandomChannelPermutation(Transform):
    """The channels in random order.

    >>> from rushlight.vision.transforms import v2
    >>> v2.RandomChannelPermutation()(torch.arange(3.).view(3, 1, 1)).sum()
    tensor(3.)
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return functional.permute_channels(inpt, torch.randperm(functional.get_num_channels(inpt)).tolist())


class _Mixing(Transform):
    """What MixUp and CutMix share: a batch of images and a batch of labels, mixed with themselves shifted by one."""

    def __init__(self, *, alpha: float = 1.0, num_classes: int | None = None, labels_getter: Any = "default") -> None:
        super().__init__()
        if labels_getter != "default":
            raise NotImplementedError("rushlight.vision has no labels_getter: pass (images, labels)")
        self.alpha = float(alpha)
        self.num_classes = num_classes
        self._dist: Any = None

    def forward(self, *inputs: Any) -> Any:
        images, labels = inputs if len(inputs) > 1 else inputs[0]
        if images.dim() != 4 or labels.dim() not in (1, 2) or len(labels) != len(images):
            raise ValueError(
                f"{type(self).__name__} takes a batch: images (n, c, h, w) and labels (n) or (n, classes), "
                f"got {tuple(images.shape)} and {tuple(labels.shape)}"
            )
        if labels.dim() == 1 and self.num_classes is None:
            raise ValueError("num_classes must be passed if the labels are class indices")
        if self._dist is None:
            from rushlight.distributions import Beta

            self._dist = Beta(torch.tensor([self.alpha]), torch.tensor([self.alpha]))
        share = float(self._dist.sample(()))
        images, share = self._mix(images, share)
        if labels.dim() == 1:
            labels = torch.nn.functional.one_hot(labels, num_classes=self.num_classes)
        labels = labels.float()
        return images, labels.roll(1, 0).mul(1.0 - share).add(labels.mul(share))

    def _mix(self, images: Any, share: float) -> tuple[Any, float]:
        raise NotImplementedError


class MixUp(_Mixing):
    """Each image blended with its neighbour in the batch, and so are the labels.

    Source: Zhang et al., mixup: beyond empirical risk minimization, https://arxiv.org/abs/1710.09412

    >>> from rushlight.vision.transforms import v2
    >>> images, labels = v2.MixUp(num_classes=3)(torch.rand(2, 3, 8, 8), torch.tensor([0, 2]))
    >>> images.shape, labels.shape
    (torch.Size([2, 3, 8, 8]), torch.Size([2, 3]))
    """

    def _mix(self, images: Any, share: float) -> tuple[Any, float]:
        return images.roll(1, 0).mul(1.0 - share).add(images.mul(share)), share


class CutMix(_Mixing):
    """A rectangle of each image taken from its neighbour in the batch, and the labels blended by its area.

    Source: Yun et al., CutMix, https://arxiv.org/abs/1905.04899

    >>> from rushlight.vision.transforms import v2
    >>> images, labels = v2.CutMix(num_classes=3)(torch.rand(2, 3, 8, 8), torch.tensor([0, 2]))
    >>> images.shape, labels.shape
    (torch.Size([2, 3, 8, 8]), torch.Size([2, 3]))
    """

    def _mix(self, images: Any, share: float) -> tuple[Any, float]:
        height, width = images.shape[-2:]
        x, y = int(torch.randint(width, (1,))), int(torch.randint(height, (1,)))
        half = 0.5 * math.sqrt(1.0 - share)
        wide, high = int(half * width), int(half * height)
        left, right = max(x - wide, 0), min(x + wide, width)
        top, bottom = max(y - high, 0), min(y + high, height)
        images = images.clone()
        images[..., top:bottom, left:right] = images.roll(1, 0)[..., top:bottom, left:right].clone()
        return images, 1.0 - (right - left) * (bottom - top) / (width * height)


# What is about boxes, masks and videos.
_ABSENT = frozenset(
    (
        "ClampBoundingBoxes ClampKeyPoints ConvertBoundingBoxFormat JPEG RandomIoUCrop RandomPhotometricDistort "
        "RandomResize RandomShortestSize RandomZoomOut SanitizeBoundingBoxes SanitizeKeyPoints ScaleJitter "
        "UniformTemporalSubsample"
    ).split()
)


def __getattr__(name: str) -> Any:
    from rushlight._missing import no_attribute

    if name in _ABSENT:
        raise NotImplementedError(f"rushlight.vision has no torchvision.transforms.v2.{name}")
    raise no_attribute(__name__, name, __all__)
