"""Augmentation that draws from a set of operations: AutoAugment, RandAugment, TrivialAugmentWide, AugMix."""

from __future__ import annotations

import math
import numbers
from enum import Enum
from typing import Any

import rushlight as torch
from rushlight.nn import Module
from rushlight.vision.transforms import functional as TF
from rushlight.vision.transforms._arguments import fill_for
from rushlight.vision.transforms.functional import InterpolationMode

__all__ = ["AugMix", "AutoAugment", "AutoAugmentPolicy", "RandAugment", "TrivialAugmentWide"]


_FACTORS = {
    "Brightness": "adjust_brightness",
    "Color": "adjust_saturation",
    "Contrast": "adjust_contrast",
    "Sharpness": "adjust_sharpness",
}
_PLAIN = {"AutoContrast": "autocontrast", "Equalize": "equalize", "Invert": "invert"}

Space = dict[str, tuple[Any, bool]]  # the magnitudes of each operation, and whether they have a sign


def _space(
    names: str, bins: int, shear: float, across: float, down: float, turn: float, factor: float, bits: tuple[int, int]
) -> Space:
    """The magnitudes of these operations in `bins` steps; bits: what posterize starts from, and how many it takes away."""
    largest = {
        "ShearX": shear, "ShearY": shear, "TranslateX": across, "TranslateY": down, "Rotate": turn,
        "Brightness": factor, "Color": factor, "Contrast": factor, "Sharpness": factor,
    }  # fmt: skip
    space: Space = {}
    for name in names.split():
        if name in largest:
            space[name] = (torch.linspace(0.0, largest[name], bins), True)
        elif name == "Posterize":
            steps = torch.arange(bins) / ((bins - 1) / bits[1])
            space[name] = (bits[0] - steps.round().int(), False)
        elif name == "Solarize":
            space[name] = (torch.linspace(255.0, 0.0, bins), False)
        else:
            space[name] = (torch.tensor(0.0), False)
    return space


_GEOMETRY = "ShearX ShearY TranslateX TranslateY Rotate"
_COLORS = "Brightness Color Contrast Sharpness"
_VALUES = "Posterize Solarize AutoContrast Equalize"


class _Drawing(Module):
    """What the transforms here draw, and the operations that they draw from."""

    _functional: Any = TF  # version 2 puts its own here
    interpolation: Any

    def _perform(self, img: Any, name: str, magnitude: float, fill: Any) -> Any:
        """One of the operations on a PIL image or a tensor."""
        f = self._functional
        moved = {"interpolation": self.interpolation, "fill": fill}
        if name in ("ShearX", "ShearY"):
            degrees = math.degrees(math.atan(magnitude))  # the magnitude is a slope
            shear = [degrees, 0.0] if name == "ShearX" else [0.0, degrees]
            return f.affine(img, 0.0, [0, 0], 1.0, shear, center=[0, 0], **moved)
        if name in ("TranslateX", "TranslateY"):
            shift = [int(magnitude), 0] if name == "TranslateX" else [0, int(magnitude)]
            return f.affine(img, 0.0, shift, 1.0, [0.0, 0.0], **moved)
        if name == "Rotate":
            return f.rotate(img, magnitude, **moved)
        if name == "Posterize":
            return f.posterize(img, int(magnitude))
        if name == "Solarize":
            return f.solarize(img, self._threshold(img, magnitude))
        if name in _FACTORS:
            return getattr(f, _FACTORS[name])(img, 1.0 + magnitude)
        return getattr(f, _PLAIN[name])(img) if name != "Identity" else img

    def _threshold(self, img: Any, magnitude: float) -> float:
        """From where on to invert; version 1 has this for bytes alone."""
        return magnitude

    def _negative(self) -> bool:
        """Whether a magnitude gets a minus sign."""
        return bool(torch.randint(2, (1,)))

    def _magnitude(self, magnitudes: Any, signed: bool, count: int | None = None) -> float:
        """A magnitude that is drawn among the first `count`, and its sign."""
        magnitude = 0.0
        if magnitudes.ndim > 0:
            magnitude = float(magnitudes[torch.randint(count or len(magnitudes), (1,), dtype=torch.long)].item())
        return -magnitude if signed and self._negative() else magnitude


class AutoAugmentPolicy(Enum):
    """The data set that a policy was found on.

    >>> torch.vision.transforms.AutoAugmentPolicy("cifar10")
    <AutoAugmentPolicy.CIFAR10: 'cifar10'>
    """

    IMAGENET = "imagenet"
    CIFAR10 = "cifar10"
    SVHN = "svhn"


# Tables 7 to 9 of the paper: operation, probability, magnitude from 0 to 9; twice a line.
_POLICIES = {
    AutoAugmentPolicy.IMAGENET: """
        Posterize .4 8 Rotate .6 9; Solarize .6 5 AutoContrast .6 -; Equalize .8 - Equalize .6 -;
        Posterize .6 7 Posterize .6 6; Equalize .4 - Solarize .2 4; Equalize .4 - Rotate .8 8;
        Solarize .6 3 Equalize .6 -; Posterize .8 5 Equalize 1. -; Rotate .2 3 Solarize .6 8;
        Equalize .6 - Posterize .4 6; Rotate .8 8 Color .4 0; Rotate .4 9 Equalize .6 -;
        Equalize .0 - Equalize .8 -; Invert .6 - Equalize 1. -; Color .6 4 Contrast 1. 8;
        Rotate .8 8 Color 1. 2; Color .8 8 Solarize .8 7; Sharpness .4 7 Invert .6 -;
        ShearX .6 5 Equalize 1. -; Color .4 0 Equalize .6 -; Equalize .4 - Solarize .2 4;
        Solarize .6 5 AutoContrast .6 -; Invert .6 - Equalize 1. -; Color .6 4 Contrast 1. 8;
        Equalize .8 - Equalize .6 -""",
    AutoAugmentPolicy.CIFAR10: """
        Invert .1 - Contrast .2 6; Rotate .7 2 TranslateX .3 9; Sharpness .8 1 Sharpness .9 3;
        ShearY .5 8 TranslateY .7 9; AutoContrast .5 - Equalize .9 -; ShearY .2 7 Posterize .3 7;
        Color .4 3 Brightness .6 7; Sharpness .3 9 Brightness .7 9; Equalize .6 - Equalize .5 -;
        Contrast .6 7 Sharpness .6 5; Color .7 7 TranslateX .5 8; Equalize .3 - AutoContrast .4 -;
        TranslateY .4 3 Sharpness .2 6; Brightness .9 6 Color .2 8; Solarize .5 2 Invert .0 -;
        Equalize .2 - AutoContrast .6 -; Equalize .2 - Equalize .6 -; Color .9 9 Equalize .6 -;
        AutoContrast .8 - Solarize .2 8; Brightness .1 3 Color .7 0; Solarize .4 5 AutoContrast .9 -;
        TranslateY .9 9 TranslateY .7 9; AutoContrast .9 - Solarize .8 3; Equalize .8 - Invert .1 -;
        TranslateY .7 9 AutoContrast .9 -""",
    AutoAugmentPolicy.SVHN: """
        ShearX .9 4 Invert .2 -; ShearY .9 8 Invert .7 -; Equalize .6 - Solarize .6 6;
        Invert .9 - Equalize .6 -; Equalize .6 - Rotate .9 3; ShearX .9 4 AutoContrast .8 -;
        ShearY .9 8 Invert .4 -; ShearY .9 5 Solarize .2 6; Invert .9 - AutoContrast .8 -;
        Equalize .6 - Rotate .9 3; ShearX .9 4 Solarize .3 3; ShearY .8 8 Invert .7 -;
        Equalize .9 - TranslateY .6 6; Invert .9 - Equalize .6 -; Contrast .3 3 Rotate .8 4;
        Invert .8 - TranslateY .0 2; ShearY .7 6 Solarize .4 8; Invert .6 - Rotate .8 4;
        ShearY .3 7 TranslateX .9 3; ShearX .1 6 Invert .6 -; Solarize .7 2 TranslateY .6 7;
        ShearY .8 4 Invert .8 -; ShearX .7 9 TranslateY .8 3; ShearY .8 5 AutoContrast .7 -;
        ShearX .7 2 Invert .1 -""",
}


class AutoAugment(_Drawing):
    """Two operations by a policy that was learned on a data set.

    Args:
        policy: which one.
        interpolation, fill: of the operations that move pixels.

    Source: Cubuk et al., AutoAugment: learning augmentation strategies from data, https://arxiv.org/abs/1805.09501

    >>> torch.vision.transforms.AutoAugment()(torch.zeros(3, 16, 16, dtype=torch.uint8)).shape
    torch.Size([3, 16, 16])
    """

    def __init__(
        self,
        policy: AutoAugmentPolicy = AutoAugmentPolicy.IMAGENET,
        interpolation: Any = InterpolationMode.NEAREST,
        fill: Any = None,
    ) -> None:
        super().__init__()
        self.policy = policy
        self.interpolation = interpolation
        self.fill = fill
        self.policies = self._get_policies(policy)

    def _get_policies(self, policy: AutoAugmentPolicy) -> list[tuple[tuple[str, float, int | None], ...]]:
        if policy not in _POLICIES:
            raise ValueError(f"The provided policy {policy} is not recognized. It is one of {list(AutoAugmentPolicy)}")
        lines = []
        for line in _POLICIES[policy].split(";"):
            words = line.split()
            pairs = (words[:3], words[3:])
            lines.append(tuple((name, float(p), None if m == "-" else int(m)) for name, p, m in pairs))
        return lines

    def _augmentation_space(self, num_bins: int, image_size: tuple[int, int]) -> Space:
        height, width = image_size
        names = f"{_GEOMETRY} {_COLORS} {_VALUES} Invert"
        return _space(names, num_bins, 0.3, 150.0 / 331.0 * width, 150.0 / 331.0 * height, 30.0, 0.9, (8, 4))

    @staticmethod
    def get_params(transform_num: int) -> tuple[int, Any, Any]:
        """Draws the line of the policy, what the probabilities are compared with, and the signs."""
        line = int(torch.randint(transform_num, (1,)).item())
        chances = torch.rand((2,))
        return line, chances, torch.randint(2, (2,))

    def forward(self, img: Any) -> Any:
        fill = fill_for(img, self.fill)
        _, height, width = TF.get_dimensions(img)
        line, chances, signs = self.get_params(len(self.policies))
        space = self._augmentation_space(10, (height, width))
        for i, (name, p, step) in enumerate(self.policies[line]):
            if chances[i] <= p:
                magnitudes, signed = space[name]
                magnitude = float(magnitudes[step].item()) if step is not None else 0.0
                magnitude = -magnitude if signed and signs[i] == 0 else magnitude
                img = self._perform(img, name, magnitude, fill)
        return img

    def __repr__(self) -> str:
        return f"{type(self).__name__}(policy={self.policy}, fill={self.fill})"


class RandAugment(_Drawing):
    """A number of operations drawn evenly, all of one strength.

    Args:
        num_ops: how many.
        magnitude: the strength, below num_magnitude_bins.
        num_magnitude_bins: in how many steps the strength is divided.
        interpolation, fill: of the operations that move pixels.

    Source: Cubuk et al., RandAugment: practical automated data augmentation, https://arxiv.org/abs/1909.13719

    >>> torch.vision.transforms.RandAugment()(torch.zeros(3, 16, 16, dtype=torch.uint8)).shape
    torch.Size([3, 16, 16])
    """

    def __init__(
        self,
        num_ops: int = 2,
        magnitude: int = 9,
        num_magnitude_bins: int = 31,
        interpolation: Any = InterpolationMode.NEAREST,
        fill: Any = None,
    ) -> None:
        super().__init__()
        self.num_ops = num_ops
        self.magnitude = magnitude
        self.num_magnitude_bins = num_magnitude_bins
        self.interpolation = interpolation
        self.fill = fill

    def _augmentation_space(self, num_bins: int, image_size: tuple[int, int]) -> Space:
        height, width = image_size
        names = f"Identity {_GEOMETRY} {_COLORS} {_VALUES}"
        return _space(names, num_bins, 0.3, 150.0 / 331.0 * width, 150.0 / 331.0 * height, 30.0, 0.9, (8, 4))

    def forward(self, img: Any) -> Any:
        fill = fill_for(img, self.fill)
        _, height, width = TF.get_dimensions(img)
        space = self._augmentation_space(self.num_magnitude_bins, (height, width))
        for _ in range(self.num_ops):
            name = list(space)[int(torch.randint(len(space), (1,)).item())]
            magnitudes, signed = space[name]
            magnitude = float(magnitudes[self.magnitude].item()) if magnitudes.ndim > 0 else 0.0
            if signed and self._negative():
                magnitude *= -1.0
            img = self._perform(img, name, magnitude, fill)
        return img

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(num_ops={self.num_ops}, magnitude={self.magnitude}, "
            f"num_magnitude_bins={self.num_magnitude_bins}, interpolation={self.interpolation}, fill={self.fill})"
        )


class TrivialAugmentWide(_Drawing):
    """One operation drawn evenly, of a strength that is drawn evenly.

    Args:
        num_magnitude_bins: in how many steps the strength is divided.
        interpolation, fill: of the operations that move pixels.

    Source: Müller, Hutter, TrivialAugment: tuning-free yet state-of-the-art data augmentation,
    https://arxiv.org/abs/2103.10158

    >>> torch.vision.transforms.TrivialAugmentWide()(torch.zeros(3, 16, 16, dtype=torch.uint8)).shape
    torch.Size([3, 16, 16])
    """

    def __init__(
        self, num_magnitude_bins: int = 31, interpolation: Any = InterpolationMode.NEAREST, fill: Any = None
    ) -> None:
        super().__init__()
        self.num_magnitude_bins = num_magnitude_bins
        self.interpolation = interpolation
        self.fill = fill

    def _augmentation_space(self, num_bins: int) -> Space:
        return _space(f"Identity {_GEOMETRY} {_COLORS} {_VALUES}", num_bins, 0.99, 32.0, 32.0, 135.0, 0.99, (8, 6))

    def forward(self, img: Any) -> Any:
        fill = fill_for(img, self.fill)
        space = self._augmentation_space(self.num_magnitude_bins)
        name = list(space)[int(torch.randint(len(space), (1,)).item())]
        return self._perform(img, name, self._magnitude(*space[name]), fill)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(num_magnitude_bins={self.num_magnitude_bins}, interpolation={self.interpolation}, "
            f"fill={self.fill})"
        )


class AugMix(_Drawing):
    """The image mixed with several chains of operations on it.

    Args:
        severity: the strength, from 1 to 10.
        mixture_width: the number of chains.
        chain_depth: operations in each; drawn from 1 to 3 where it is not positive.
        alpha: of the Dirichlet distribution of the weights.
        all_ops: whether brightness, colour, contrast and sharpness are among the operations.
        interpolation, fill: of the operations that move pixels.

    Source: Hendrycks et al., AugMix: a simple data processing method, https://arxiv.org/abs/1912.02781

    >>> torch.vision.transforms.AugMix()(torch.zeros(3, 16, 16, dtype=torch.uint8)).shape
    torch.Size([3, 16, 16])
    """

    _PARAMETER_MAX = 10

    def __init__(
        self,
        severity: int = 3,
        mixture_width: int = 3,
        chain_depth: int = -1,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: Any = InterpolationMode.BILINEAR,
        fill: Any = None,
    ) -> None:
        super().__init__()
        if not 1 <= severity <= self._PARAMETER_MAX:
            raise ValueError(f"The severity must be between [1, {self._PARAMETER_MAX}]. Got {severity} instead.")
        self.severity = severity
        self.mixture_width = mixture_width
        self.chain_depth = chain_depth
        self.alpha = alpha
        self.all_ops = all_ops
        self.interpolation = interpolation
        self.fill = fill

    def _augmentation_space(self, num_bins: int, image_size: tuple[int, int]) -> Space:
        height, width = image_size
        names = f"{_GEOMETRY} {_VALUES} {_COLORS if self.all_ops else ''}"
        return _space(names, num_bins, 0.3, width / 3.0, height / 3.0, 30.0, 0.9, (4, 4))

    def _sample_dirichlet(self, params: Any) -> Any:
        from rushlight.distributions import Dirichlet

        return Dirichlet(params).sample()

    def forward(self, orig_img: Any) -> Any:
        is_tensor = isinstance(orig_img, torch.Tensor)
        img = orig_img if is_tensor else TF.pil_to_tensor(orig_img)
        _, height, width = TF.get_dimensions(img)
        fill = fill_for(img, self.fill) if isinstance(self.fill, numbers.Number) or self.fill is not None else None
        space = self._augmentation_space(self._PARAMETER_MAX, (height, width))
        batch = img.reshape([1] * max(4 - img.ndim, 0) + list(img.shape))
        n, ones = batch.shape[0], [1] * (batch.ndim - 1)
        share = self._sample_dirichlet(torch.tensor([self.alpha, self.alpha]).expand(n, -1))
        weights = self._sample_dirichlet(torch.tensor([self.alpha] * self.mixture_width).expand(n, -1)) * share[:, 1:2]
        mix = share[:, 0].reshape([n, *ones]) * batch
        for i in range(self.mixture_width):
            chain = batch
            depth = self.chain_depth if self.chain_depth > 0 else int(torch.randint(1, 4, (1,)).item())
            for _ in range(depth):
                name = list(space)[int(torch.randint(len(space), (1,)).item())]
                chain = self._perform(chain, name, self._magnitude(*space[name], self.severity), fill)
            mix = mix + weights[:, i].reshape([n, *ones]) * chain
        mix = mix.reshape(img.shape).to(img.dtype)
        return mix if is_tensor else TF.to_pil_image(mix)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(severity={self.severity}, mixture_width={self.mixture_width}, "
            f"chain_depth={self.chain_depth}, alpha={self.alpha}, all_ops={self.all_ops}, "
            f"interpolation={self.interpolation}, fill={self.fill})"
        )
