"""MobileNetV2.

Source: Sandler et al., MobileNetV2: inverted residuals and linear bottlenecks, https://arxiv.org/abs/1801.04381
"""

from __future__ import annotations

from functools import partial
from typing import Any

import rushlight as torch
from rushlight import nn
from rushlight.vision.models._api import WeightsEnum, imagenet, load_into, register
from rushlight.vision.models._start import small_normal, start_weights
from rushlight.vision.ops.misc import Conv2dNormActivation

__all__ = ["MobileNetV2", "MobileNet_V2_Weights", "mobilenet_v2"]


def _make_divisible(v: float, divisor: int, min_value: int | None = None) -> int:
    """The nearest multiple of the divisor that is not more than a tenth below v."""
    nearest = max(min_value or divisor, int(v + divisor / 2) // divisor * divisor)
    return nearest + divisor if nearest < 0.9 * v else nearest


class InvertedResidual(nn.Module):
    """Wider by a 1x1 convolution, a 3x3 convolution of each channel by itself, narrow again; beside a shortcut."""

    def __init__(self, inp: int, oup: int, stride: int, expand_ratio: int, norm_layer: Any = None) -> None:
        super().__init__()
        if stride not in (1, 2):
            raise ValueError(f"stride should be 1 or 2 instead of {stride}")
        norm_layer = norm_layer or nn.BatchNorm2d
        hidden = round(inp * expand_ratio)
        step = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.ReLU6)
        layers = [] if expand_ratio == 1 else [step(inp, hidden, kernel_size=1)]
        layers += [
            step(hidden, hidden, stride=stride, groups=hidden),
            nn.Conv2d(hidden, oup, 1, 1, 0, bias=False),
            norm_layer(oup),
        ]
        self.stride = stride
        self.use_res_connect = stride == 1 and inp == oup
        self.conv = nn.Sequential(*layers)
        self.out_channels = oup
        self._is_cn = stride > 1

    def forward(self, x: Any) -> Any:
        return x + self.conv(x) if self.use_res_connect else self.conv(x)


class MobileNetV2(nn.Module):
    """MobileNetV2.

    Args:
        num_classes: of the result.
        width_mult: what the channels are multiplied by.
        inverted_residual_setting: rows of (expansion, channels, blocks, stride).
        round_nearest: the channels are a multiple of it.
        block, norm_layer: by default InvertedResidual and BatchNorm2d.
        dropout: before the last layer.

    Shapes: input (n, 3, height, width), output (n, num_classes).

    >>> torch.vision.models.MobileNetV2(num_classes=10, width_mult=0.25)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        num_classes: int = 1000,
        width_mult: float = 1.0,
        inverted_residual_setting: list[list[int]] | None = None,
        round_nearest: int = 8,
        block: Any = None,
        norm_layer: Any = None,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        block = block or InvertedResidual
        norm_layer = norm_layer or nn.BatchNorm2d
        rows = inverted_residual_setting or [
            [1, 16, 1, 1],
            [6, 24, 2, 2],
            [6, 32, 3, 2],
            [6, 64, 4, 2],
            [6, 96, 3, 1],
            [6, 160, 3, 2],
            [6, 320, 1, 1],
        ]
        if len(rows) == 0 or len(rows[0]) != 4:
            raise ValueError(
                f"inverted_residual_setting should be non-empty or a 4-element list, got {inverted_residual_setting}"
            )
        channels = _make_divisible(32 * width_mult, round_nearest)
        self.last_channel = _make_divisible(1280 * max(1.0, width_mult), round_nearest)
        features: list[Any] = [
            Conv2dNormActivation(3, channels, stride=2, norm_layer=norm_layer, activation_layer=nn.ReLU6)
        ]
        for t, c, n, s in rows:
            width = _make_divisible(c * width_mult, round_nearest)
            for i in range(n):
                features.append(block(channels, width, s if i == 0 else 1, expand_ratio=t, norm_layer=norm_layer))
                channels = width
        features.append(
            Conv2dNormActivation(
                channels, self.last_channel, kernel_size=1, norm_layer=norm_layer, activation_layer=nn.ReLU6
            )
        )
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(nn.Dropout(p=dropout), nn.Linear(self.last_channel, num_classes))
        start_weights(self, small_normal)

    def forward(self, x: Any) -> Any:
        x = nn.functional.adaptive_avg_pool2d(self.features(x), (1, 1))
        return self.classifier(torch.flatten(x, 1))


class MobileNet_V2_Weights(WeightsEnum):
    IMAGENET1K_V1 = imagenet("mobilenet_v2-b0353104", 3504872, 71.878, 90.286)
    IMAGENET1K_V2 = imagenet("mobilenet_v2-7ebf99e0", 3504872, 72.154, 90.822, 232)
    DEFAULT = IMAGENET1K_V2


@register(MobileNet_V2_Weights)
def mobilenet_v2(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> MobileNetV2:
    """MobileNetV2.

    Args:
        weights: a `MobileNet_V2_Weights`, its name, or None for a model that has learned nothing.
        progress: whether to show the download.
        kwargs: what `MobileNetV2` takes.
    """
    return load_into(MobileNetV2(**kwargs), weights, progress)
