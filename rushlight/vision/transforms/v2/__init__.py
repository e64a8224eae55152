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

import functools
import math
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

import rushlight as torch
from rushlight import nn
from rushlight.vision import transforms as v1
from rushlight.vision._pillow import is_pil
from rushlight.vision.transforms._arguments import fill_for
from rushlight.vision.transforms._functional_tensor import largest
from rushlight.vision.transforms.functional import InterpolationMode
from rushlight.vision.transforms.v2 import functional

_LIFTED = [
    "AugMix", "CenterCrop", "ColorJitter", "ConvertImageDtype", "ElasticTransform", "FiveCrop",
    "GaussianBlur", "Grayscale", "LinearTransformation", "Normalize", "Pad", "RandAugment", "RandomAdjustSharpness",
    "RandomAffine", "RandomAutocontrast", "RandomEqualize", "RandomGrayscale", "RandomHorizontalFlip",
    "RandomInvert", "RandomPerspective", "RandomPosterize", "RandomRotation", "RandomSolarize", "RandomVerticalFlip",
    "TenCrop", "TrivialAugmentWide",
]  # fmt: skip
_NEED_AN_IMAGE = frozenset(
    "AugMix ElasticTransform RandAugment RandomAffine RandomGrayscale RandomPerspective TrivialAugmentWide".split()
)  # what they draw depends on its size

__all__ = [
    "AutoAugment", "AutoAugmentPolicy", "Compose", "CutMix", "GaussianNoise", "Identity", "InterpolationMode", "Lambda", "MixUp",
    "PILToTensor", "RGB", "RandomApply", "RandomChannelPermutation", "RandomChoice", "RandomCrop", "RandomErasing", "RandomOrder", "RandomResizedCrop", "Resize", "ToDtype", "ToImage",
    "ToPILImage", "ToPureTensor", "ToTensor", "Transform", "functional", *_LIFTED,
]  # fmt: skip

AutoAugmentPolicy = v1.AutoAugmentPolicy


def _any_pil(sample: Any) -> bool:
    if isinstance(sample, Mapping):
        return any(_any_pil(v) for v in sample.values())
    if isinstance(sample, tuple | list):
        return any(_any_pil(v) for v in sample)
    return is_pil(sample)


def _sample(inputs: tuple[Any, ...]) -> Any:
    """What was passed: one structure, or several arguments as one."""
    return inputs if len(inputs) > 1 else inputs[0]


def _in_turn(transforms: Any, inputs: tuple[Any, ...]) -> Any:
    """The transforms one after the other."""
    sample = _sample(inputs)
    for transform in transforms:
        sample = transform(*sample) if len(inputs) > 1 else transform(sample)
    return sample


def apply_to_images(
    function: Callable[[Any], Any], sample: Any, also: tuple[type, ...] = (), needed_by: str | None = None
) -> Any:
    """The sample with the function of its images in their places; every image sees the same random numbers.

    Args:
        function: of one image.
        sample: an image, or tuples, lists and dictionaries with images in them.
        also: further types that count as images.
        needed_by: the name of a transform that cannot do without an image.

    Raises:
        TypeError: there is no image in the sample, and `needed_by` is given.
    """
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

    result = walk(sample)
    if state is None and needed_by is not None:
        raise TypeError(
            f"No image was found in the sample: {needed_by} takes PIL images and tensors (..., height, width), got "
            f"{type(sample).__name__}. ToImage() before it makes one of an array"
        )
    return result


class Transform(nn.Module):
    """The base of transforms: define `transform(inpt, params)`, and `make_params(flat_inputs)` for random numbers.

    >>> from rushlight.vision.transforms import v2
    >>> class Darker(v2.Transform):
    ...     def transform(self, inpt, params):
    ...         return inpt / 2
    >>> Darker()(torch.ones(1, 1, 2), "a label")
    (tensor([[[0.5000, 0.5000]]]), 'a label')
    """

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """What is drawn once a call."""
        return {}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The change of one image."""
        raise NotImplementedError(f"{type(self).__name__} must define transform(inpt, params)")

    def forward(self, *inputs: Any) -> Any:
        return apply_to_images(lambda x: self.transform(x, self.make_params([x])), _sample(inputs))

    def extra_repr(self) -> str:
        shown = (bool, int, float, str, tuple, list, Enum)
        values = {name: value for name, value in vars(self).items() if isinstance(value, shown)}
        return ", ".join(
            f"{name}={value.value if isinstance(value, Enum) else value}"
            for name, value in values.items()
            if name != "training" and not name.startswith("_")
        )


def _lifted(name: str) -> type:
    """The transform of version 1 for structures with images in them, with the functions of version 2."""
    base = getattr(v1, name)
    needed_by = name if name in _NEED_AN_IMAGE else None

    @functools.wraps(base.__init__)
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        base.__init__(self, *args, **kwargs)
        if not 0.0 <= getattr(self, "p", 0.0) <= 1.0:
            raise ValueError(f"`p` should be a floating point value in the interval [0.0, 1.0], got {self.p}")

    def forward(self: Any, *inputs: Any) -> Any:
        return apply_to_images(lambda x: base.forward(self, x), _sample(inputs), needed_by=needed_by)

    what, *rest = base.__doc__.partition("\n")
    members = {
        "__init__": __init__,
        "forward": forward,
        "__repr__": nn.Module.__repr__,
        "__module__": __name__,
        "__doc__": "".join([what, " For structures with images in them, too.", *rest]).replace(
            f"torch.vision.transforms.{name}", f"torch.vision.transforms.v2.{name}"
        ),
        "_functional": functional,
    }
    return type(name, (base, Transform), members)


def _threshold(self: Any, img: Any, magnitude: float) -> float:
    """A byte, in the image's own range."""
    return magnitude * (largest(img.dtype) / 255) if isinstance(img, torch.Tensor) else magnitude


globals().update({name: _lifted(name) for name in _LIFTED})
for _name in ("AugMix", "RandAugment", "TrivialAugmentWide"):  # version 2 draws signs in another way, and takes floats
    globals()[_name]._negative = lambda self: bool(torch.rand(()) <= 0.5)
    globals()[_name]._threshold = _threshold


class Resize(v1.Resize, Transform):
    """The image in another size: `transforms.Resize` for structures with images in them.

    Args:
        size: (height, width), or a number for the shorter side; None makes the longer side `max_size`.
        interpolation, max_size, antialias: as for `functional.resize`.

    >>> torch.vision.transforms.v2.Resize(None, max_size=4)(torch.rand(3, 8, 6)).shape
    torch.Size([3, 4, 3])
    """

    __repr__ = nn.Module.__repr__

    def __init__(
        self,
        size: Any,
        interpolation: Any = InterpolationMode.BILINEAR,
        max_size: int | None = None,
        antialias: bool | None = True,
    ) -> None:
        if size is None and not isinstance(max_size, int):
            raise ValueError(f"max_size must be an integer when size is None, but got {max_size} instead.")
        super().__init__([max_size] if size is None else size, interpolation, max_size, antialias)
        self.size = size

    def forward(self, *inputs: Any) -> Any:
        def change(x: Any) -> Any:
            return functional.resize(x, self.size, self.interpolation, self.max_size, self.antialias)

        return apply_to_images(change, _sample(inputs))


class RandomCrop(v1.RandomCrop, Transform):
    """A part of the image at a random place: `transforms.RandomCrop` for structures with images in them.

    Arguments are the same; a side that has the size already draws no number.

    >>> torch.vision.transforms.v2.RandomCrop(6)(torch.rand(3, 8, 8), 5)[0].shape
    torch.Size([3, 6, 6])
    """

    __repr__ = nn.Module.__repr__

    @staticmethod
    def get_params(img: Any, output_size: Any) -> tuple[int, int, int, int]:
        """Draws top, left; returns them with height and width."""
        rows, columns = (have - want for have, want in zip(functional.get_size(img), output_size, strict=True))
        if min(rows, columns) != 0:  # both are drawn, or it is too small
            return v1.RandomCrop.get_params(img, output_size)
        top, left = (int(torch.randint(0, n + 1, (1,))) if n else 0 for n in (rows, columns))
        return top, left, *output_size

    def forward(self, *inputs: Any) -> Any:
        change = functools.partial(v1.RandomCrop.forward, self)
        return apply_to_images(change, _sample(inputs), needed_by="RandomCrop")


class RandomErasing(v1.RandomErasing, Transform):
    """A random rectangle overwritten: `transforms.RandomErasing` for structures with images in them, PIL ones too.

    >>> torch.vision.transforms.v2.RandomErasing(p=1, value=2)(torch.zeros(3, 8, 8)).max()
    tensor(2.)
    """

    __repr__ = nn.Module.__repr__

    def forward(self, *inputs: Any) -> Any:
        def change(x: Any) -> Any:
            if is_pil(x):
                return functional.to_pil_image(v1.RandomErasing.forward(self, functional.pil_to_tensor(x)), x.mode)
            return v1.RandomErasing.forward(self, x)

        return apply_to_images(change, _sample(inputs))


class RandomResizedCrop(v1.RandomResizedCrop, Transform):
    """A random part of the image, brought to a size: `transforms.RandomResizedCrop` for structures with images in them.

    >>> torch.vision.transforms.v2.RandomResizedCrop(224)(torch.rand(3, 64, 48), 5)[0].shape
    torch.Size([3, 224, 224])
    """

    __repr__ = nn.Module.__repr__

    def forward(self, *inputs: Any) -> Any:
        def change(x: Any) -> Any:
            place = self.get_params(x, self.scale, self.ratio)
            return functional.resize(functional.crop(x, *place), self.size, self.interpolation, None, self.antialias)

        return apply_to_images(change, _sample(inputs), needed_by="RandomResizedCrop")


class AutoAugment(v1.AutoAugment, Transform):
    """`transforms.AutoAugment` for structures with images in them, floats too; it draws in another order.

    >>> torch.vision.transforms.v2.AutoAugment()(torch.rand(3, 16, 16)).shape
    torch.Size([3, 16, 16])
    """

    __repr__ = nn.Module.__repr__
    _functional = functional
    _threshold = _threshold

    def forward(self, *inputs: Any) -> Any:
        return apply_to_images(self._augmented, _sample(inputs), needed_by="AutoAugment")

    def _augmented(self, img: Any) -> Any:
        space = self._augmentation_space(10, tuple(functional.get_size(img)))  # type: ignore[arg-type]
        for name, p, step in self.policies[int(torch.randint(len(self.policies), ()))]:
            if torch.rand(()) <= p:
                magnitudes, signed = space[name]
                magnitude = float(magnitudes[step]) if step is not None else 0.0
                if signed and torch.rand(()) <= 0.5:
                    magnitude *= -1.0
                img = self._perform(img, name, magnitude, fill_for(img, self.fill))
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
        return _in_turn(self.transforms, inputs)

    def extra_repr(self) -> str:
        return "\n".join(f"    {t}" for t in self.transforms)


class RandomApply(Transform):
    """All of the transforms with probability p, else none.

    >>> from rushlight.vision.transforms import v2
    >>> v2.RandomApply([v2.RandomHorizontalFlip(p=1)], p=1)(torch.tensor([[[1, 2]]]))
    tensor([[[2, 1]]])
    """

    def __init__(self, transforms: Any, p: float = 0.5) -> None:
        super().__init__()
        if not 0.0 <= p <= 1.0:
            raise ValueError("`p` should be a floating point value in the interval [0.0, 1.0].")
        self.transforms = transforms
        self.p = p

    def forward(self, *inputs: Any) -> Any:
        return _sample(inputs) if torch.rand(1) >= self.p else _in_turn(self.transforms, inputs)


class RandomChoice(Transform):
    """One of the transforms; p: their weights.

    >>> from rushlight.vision.transforms import v2
    >>> v2.RandomChoice([v2.RandomHorizontalFlip(p=1), v2.Identity()], p=[1, 0])(torch.tensor([[[1, 2]]]))
    tensor([[[2, 1]]])
    """

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
    """All of the transforms, in random order.

    >>> from rushlight.vision.transforms import v2
    >>> v2.RandomOrder([v2.RandomHorizontalFlip(p=1), v2.RandomVerticalFlip(p=1)])(torch.tensor([[[1, 2]]]))
    tensor([[[2, 1]]])
    """

    def __init__(self, transforms: Any) -> None:
        super().__init__()
        self.transforms = transforms

    def forward(self, *inputs: Any) -> Any:
        return _in_turn([self.transforms[i] for i in torch.randperm(len(self.transforms)).tolist()], inputs)


class Identity(Transform):
    """The sample as it is.

    >>> torch.vision.transforms.v2.Identity()(torch.zeros(1), 5)
    (tensor([0.]), 5)
    """

    def forward(self, *inputs: Any) -> Any:
        return _sample(inputs)


class ToPureTensor(Identity):
    """The sample as it is: tensors here are always plain ones.

    >>> torch.vision.transforms.v2.ToPureTensor()(torch.zeros(1))
    tensor([0.])
    """


class Lambda(Transform):
    """Any function of everything in the sample, or of what is of some types.

    >>> torch.vision.transforms.v2.Lambda(lambda n: n + 1, int)(torch.zeros(1), 5)
    (tensor([0.]), 6)
    """

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

        return walk(_sample(inputs))


class ToImage(Transform):
    """PIL images and arrays as tensors (channels, height, width) of the same values.

    >>> import numpy as np
    >>> torch.vision.transforms.v2.ToImage()(np.zeros((4, 5, 3), np.uint8)).shape
    torch.Size([3, 4, 5])
    """

    def forward(self, *inputs: Any) -> Any:
        import numpy as np

        return apply_to_images(functional.to_image, _sample(inputs), also=(np.ndarray,))


class PILToTensor(Transform):
    """PIL images as tensors (channels, height, width) of the same values; other things pass through.

    >>> from PIL import Image
    >>> torch.vision.transforms.v2.PILToTensor()(Image.new("RGB", (5, 4), "red"))[:, 0, 0]
    tensor([255,   0,   0], dtype=torch.uint8)
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return functional.pil_to_tensor(inpt) if is_pil(inpt) else inpt


class ToTensor(Transform):
    """As `transforms.ToTensor`; deprecated in version 2: ToImage(), then ToDtype(torch.float32, scale=True).

    >>> from PIL import Image
    >>> torch.vision.transforms.v2.ToTensor()(Image.new("L", (2, 1), 255))
    tensor([[[1., 1.]]])
    """

    def forward(self, *inputs: Any) -> Any:
        import numpy as np

        def convert(x: Any) -> Any:
            return functional.to_tensor(x) if is_pil(x) or isinstance(x, np.ndarray) else x

        return apply_to_images(convert, _sample(inputs), also=(np.ndarray,))


class ToPILImage(Transform):
    """Tensors (channels, height, width) and arrays (height, width, channels) as PIL images.

    >>> torch.vision.transforms.v2.ToPILImage()(torch.zeros(3, 4, 5)).size
    (5, 4)
    """

    def __init__(self, mode: str | None = None) -> None:
        super().__init__()
        self.mode = mode

    def forward(self, *inputs: Any) -> Any:
        import numpy as np

        def convert(x: Any) -> Any:
            return x if is_pil(x) else functional.to_pil_image(x, self.mode)

        return apply_to_images(convert, _sample(inputs), also=(np.ndarray,))


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


class RGB(Transform):
    """Images of one channel as images of three.

    >>> torch.vision.transforms.v2.RGB()(torch.zeros(1, 4, 5)).shape
    torch.Size([3, 4, 5])
    """

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        return functional.grayscale_to_rgb(inpt)


class GaussianNoise(Transform):
    """Tensors of bytes, or of floats from 0 to 1, with normal noise.

    Args:
        mean, sigma: of the noise, where white is 1.
        clip: whether to keep the values between black and white.

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
        images, labels = _sample(inputs)
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
