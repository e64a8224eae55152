"""MobileNetV3.

Source: Howard et al., Searching for MobileNetV3, https://arxiv.org/abs/1905.02244
"""

from __future__ import annotations

from functools import partial
from typing import Any

import rushlight as torch
from rushlight import nn
from rushlight.vision.models._api import WeightsEnum, imagenet, load_into, register
from rushlight.vision.models._start import small_normal, start_weights
from rushlight.vision.models.mobilenetv2 import _make_divisible
from rushlight.vision.ops.misc import Conv2dNormActivation, SqueezeExcitation

__all__ = [
    "MobileNetV3",
    "MobileNet_V3_Large_Weights",
    "MobileNet_V3_Small_Weights",
    "mobilenet_v3_large",
    "mobilenet_v3_small",
]


class InvertedResidualConfig:
    """A row of the tables 1 and 2 of the paper: one block.

    Args:
        input_channels, expanded_channels, out_channels: of the block, before width_mult.
        kernel, stride, dilation: of the convolution of each channel by itself.
        use_se: whether channels are weighted (squeeze and excitation).
        activation: "HS" for Hardswish, else ReLU.
        width_mult: what the channels are multiplied by.
    """

    def __init__(
        self,
        input_channels: int,
        kernel: int,
        expanded_channels: int,
        out_channels: int,
        use_se: bool,
        activation: str,
        stride: int,
        dilation: int,
        width_mult: float,
    ) -> None:
        self.input_channels = self.adjust_channels(input_channels, width_mult)
        self.kernel = kernel
        self.expanded_channels = self.adjust_channels(expanded_channels, width_mult)
        self.out_channels = self.adjust_channels(out_channels, width_mult)
        self.use_se = use_se
        self.use_hs = activation == "HS"
        self.stride = stride
        self.dilation = dilation

    @staticmethod
    def adjust_channels(channels: int, width_mult: float) -> int:
        """A multiple of 8."""
        return _make_divisible(channels * width_mult, 8)


class InvertedResidual(nn.Module):
    """Wider, a convolution of each channel by itself, weighted channels, narrow again; beside a shortcut."""

    def __init__(self, cnf: InvertedResidualConfig, norm_layer: Any, se_layer: Any = None) -> None:
        super().__init__()
        if not 1 <= cnf.stride <= 2:
            raise ValueError("illegal stride value")
        se_layer = se_layer or partial(SqueezeExcitation, scale_activation=nn.Hardsigmoid)
        wide = cnf.expanded_channels
        step = partial(
            Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.Hardswish if cnf.use_hs else nn.ReLU
        )
        layers: list[Any] = [] if wide == cnf.input_channels else [step(cnf.input_channels, wide, kernel_size=1)]
        stride = 1 if cnf.dilation > 1 else cnf.stride
        layers.append(step(wide, wide, kernel_size=cnf.kernel, stride=stride, dilation=cnf.dilation, groups=wide))
        if cnf.use_se:
            layers.append(se_layer(wide, _make_divisible(wide // 4, 8)))
        layers.append(
            Conv2dNormActivation(wide, cnf.out_channels, kernel_size=1, norm_layer=norm_layer, activation_layer=None)
        )
        self.use_res_connect = cnf.stride == 1 and cnf.input_channels == cnf.out_channels
        self.block = nn.Sequential(*layers)
        self.out_channels = cnf.out_channels
        self._is_cn = cnf.stride > 1

    def forward(self, input: Any) -> Any:
        result = self.block(input)
        if self.use_res_connect:
            result += input
        return result


class MobileNetV3(nn.Module):
    """MobileNetV3.

    Args:
        inverted_residual_setting: the rows of the table.
        last_channel: the width of the layer before the last.
        num_classes: of the result.
        block, norm_layer: by default InvertedResidual and BatchNorm2d(eps=0.001, momentum=0.01).
        dropout: before the last layer.

    Shapes: input (n, 3, height, width), output (n, num_classes).

    >>> from rushlight.vision.models.mobilenetv3 import InvertedResidualConfig
    >>> rows = [InvertedResidualConfig(16, 3, 32, 16, True, "HS", stride=2, dilation=1, width_mult=1.0)]
    >>> torch.vision.models.MobileNetV3(rows, last_channel=64, num_classes=10)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        inverted_residual_setting: list[InvertedResidualConfig],
        last_channel: int,
        num_classes: int = 1000,
        block: Any = None,
        norm_layer: Any = None,
        dropout: float = 0.2,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        if not inverted_residual_setting:
            raise ValueError("The inverted_residual_setting should not be empty")
        block = block or InvertedResidual
        norm_layer = norm_layer or partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)
        step = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.Hardswish)
        layers: list[Any] = [step(3, inverted_residual_setting[0].input_channels, kernel_size=3, stride=2)]
        layers += [block(cnf, norm_layer) for cnf in inverted_residual_setting]
        width = inverted_residual_setting[-1].out_channels
        layers.append(step(width, 6 * width, kernel_size=1))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(
            nn.Linear(6 * width, last_channel),
            nn.Hardswish(inplace=True),
            nn.Dropout(p=dropout, inplace=True),
            nn.Linear(last_channel, num_classes),
        )
        start_weights(self, small_normal)

    def forward(self, x: Any) -> Any:
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


# Kernel, expanded channels, channels, weighted channels, activation, stride; the last rows may be narrower and dilated.
_LARGE = """
    3 16 16 - RE 1; 3 64 24 - RE 2; 3 72 24 - RE 1; 5 72 40 SE RE 2; 5 120 40 SE RE 1; 5 120 40 SE RE 1; 3 240 80 - HS 2;
    3 200 80 - HS 1; 3 184 80 - HS 1; 3 184 80 - HS 1; 3 480 112 SE HS 1; 3 672 112 SE HS 1; 5 672 160 SE HS 2;
    5 960 160 SE HS 1; 5 960 160 SE HS 1"""
_SMALL = """
    3 16 16 SE RE 2; 3 72 24 - RE 2; 3 88 24 - RE 1; 5 96 40 SE HS 2; 5 240 40 SE HS 1; 5 240 40 SE HS 1; 5 120 48 SE HS 1;
    5 144 48 SE HS 1; 5 288 96 SE HS 2; 5 576 96 SE HS 1; 5 576 96 SE HS 1"""


def _mobilenet_v3(
    table: str,
    last_channel: int,
    weights: Any,
    progress: bool,
    width_mult: float = 1.0,
    reduced_tail: bool = False,
    dilated: bool = False,
    **kwargs: Any,
) -> MobileNetV3:
    divider = 2 if reduced_tail else 1
    rows, inputs = [row.split() for row in table.split(";")], 16
    settings = []
    for i, (kernel, wide, out, se, activation, stride) in enumerate(rows):
        tail = i >= len(rows) - 3
        channels = int(out) // divider if tail else int(out)
        expanded = int(wide) // divider if i > len(rows) - 3 else int(wide)
        dilation = 2 if tail and dilated else 1
        shape = (inputs, int(kernel), expanded, channels, se == "SE", activation, int(stride), dilation, width_mult)
        settings.append(InvertedResidualConfig(*shape))
        inputs = channels
    last = InvertedResidualConfig.adjust_channels(last_channel // divider, width_mult)
    return load_into(MobileNetV3(settings, last, **kwargs), weights, progress)


class MobileNet_V3_Large_Weights(WeightsEnum):
    IMAGENET1K_V1 = imagenet("mobilenet_v3_large-8738ca79", 5483032, 74.042, 91.34)
    IMAGENET1K_V2 = imagenet("mobilenet_v3_large-5c1a4163", 5483032, 75.274, 92.566, 232)
    DEFAULT = IMAGENET1K_V2


class MobileNet_V3_Small_Weights(WeightsEnum):
    IMAGENET1K_V1 = imagenet("mobilenet_v3_small-047dcff4", 2542856, 67.668, 87.402)
    DEFAULT = IMAGENET1K_V1


@register(MobileNet_V3_Large_Weights)
def mobilenet_v3_large(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> MobileNetV3:
    """The large MobileNetV3.

    Args:
        weights: a `MobileNet_V3_Large_Weights`, its name, or None for a model that has learned nothing.
        progress: whether to show the download.
        kwargs: what `MobileNetV3` takes, and width_mult.
    """
    return _mobilenet_v3(_LARGE, 1280, weights, progress, **kwargs)


@register(MobileNet_V3_Small_Weights)
def mobilenet_v3_small(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> MobileNetV3:
    """The small MobileNetV3. Arguments as for `mobilenet_v3_large`.

    >>> torch.vision.models.mobilenet_v3_small(num_classes=10).eval()(torch.zeros(1, 3, 64, 64)).shape
    torch.Size([1, 10])
    """
    return _mobilenet_v3(_SMALL, 1024, weights, progress, **kwargs)
