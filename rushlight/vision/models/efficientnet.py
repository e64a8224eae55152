"""EfficientNet and EfficientNetV2.

Sources: Tan, Le, EfficientNet, https://arxiv.org/abs/1905.11946; EfficientNetV2, https://arxiv.org/abs/2104.00298
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import rushlight as torch
from rushlight import nn
from rushlight.vision.models._api import WeightsEnum, imagenet, load_into, register
from rushlight.vision.models._start import start_weights
from rushlight.vision.models.mobilenetv2 import _make_divisible
from rushlight.vision.ops.misc import Conv2dNormActivation, SqueezeExcitation, StochasticDepth

__all__ = [
    "EfficientNet",
    *(
        f"EfficientNet_{name}_Weights"
        for name in ("B0", "B1", "B2", "B3", "B4", "B5", "B6", "B7", "V2_S", "V2_M", "V2_L")
    ),
    *(f"efficientnet_{name}" for name in ("b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7", "v2_s", "v2_m", "v2_l")),
]


@dataclass
class Stage:
    """Blocks in a row; the first one has the stride and the other number of channels."""

    fused: bool
    expand_ratio: float
    kernel: int
    stride: int
    input_channels: int
    out_channels: int
    num_layers: int

    def scaled(self, width: float, depth: float) -> Stage:
        inputs, outputs = (_make_divisible(c * width, 8) for c in (self.input_channels, self.out_channels))
        layers = math.ceil(self.num_layers * depth)
        return Stage(self.fused, self.expand_ratio, self.kernel, self.stride, inputs, outputs, layers)


class _Block(nn.Module):
    """Wider and narrow again, beside a shortcut that is dropped at random."""

    def __init__(self, stage: Stage, inputs: int, stride: int, drop: float, norm_layer: Any) -> None:
        super().__init__()
        outputs, kernel = stage.out_channels, stage.kernel
        wide = _make_divisible(inputs * stage.expand_ratio, 8)
        step = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.SiLU)
        narrow = partial(Conv2dNormActivation, kernel_size=1, norm_layer=norm_layer, activation_layer=None)
        self.use_res_connect = stride == 1 and inputs == outputs
        self.block = nn.Sequential(*self.layers(step, narrow, inputs, wide, outputs, kernel, stride))
        self.stochastic_depth = StochasticDepth(drop, "row")
        self.out_channels = outputs

    def layers(
        self, step: Any, narrow: Any, inputs: int, wide: int, outputs: int, kernel: int, stride: int
    ) -> list[Any]:
        """The convolutions of one block; both kinds of block say."""
        raise NotImplementedError

    def forward(self, input: Any) -> Any:
        result = self.block(input)
        if self.use_res_connect:
            result = self.stochastic_depth(result)
            result += input
        return result


class MBConv(_Block):
    """With a convolution of each channel by itself, and weighted channels."""

    def layers(
        self, step: Any, narrow: Any, inputs: int, wide: int, outputs: int, kernel: int, stride: int
    ) -> list[Any]:
        return [
            *([step(inputs, wide, kernel_size=1)] if wide != inputs else []),
            step(wide, wide, kernel_size=kernel, stride=stride, groups=wide),
            SqueezeExcitation(wide, max(1, inputs // 4), activation=partial(nn.SiLU, inplace=True)),
            narrow(wide, outputs),
        ]


class FusedMBConv(_Block):
    """With one convolution that also makes it wider."""

    def layers(
        self, step: Any, narrow: Any, inputs: int, wide: int, outputs: int, kernel: int, stride: int
    ) -> list[Any]:
        if wide == inputs:
            return [step(inputs, outputs, kernel_size=kernel, stride=stride)]
        return [step(inputs, wide, kernel_size=kernel, stride=stride), narrow(wide, outputs)]


def _uniform(linear: Any) -> None:
    bound = 1.0 / math.sqrt(linear.out_features)
    nn.init.uniform_(linear.weight, -bound, bound)


class EfficientNet(nn.Module):
    """EfficientNet.

    Args:
        inverted_residual_setting: the stages.
        dropout: before the last layer.
        stochastic_depth_prob: how often the last block is left out while training; the ones before it less.
        num_classes: of the result.
        norm_layer: by default BatchNorm2d.
        last_channel: of the last convolution, by default four times its input.

    Shapes: input (n, 3, height, width), output (n, num_classes).

    >>> from rushlight.vision.models.efficientnet import Stage
    >>> rows = [Stage(fused=False, expand_ratio=4, kernel=3, stride=2, input_channels=8, out_channels=16, num_layers=2)]
    >>> torch.vision.models.EfficientNet(rows, dropout=0.2, num_classes=10)(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        inverted_residual_setting: list[Stage],
        dropout: float,
        stochastic_depth_prob: float = 0.2,
        num_classes: int = 1000,
        norm_layer: Any = None,
        last_channel: int | None = None,
    ) -> None:
        super().__init__()
        if not inverted_residual_setting:
            raise ValueError("The inverted_residual_setting should not be empty")
        norm_layer = norm_layer or nn.BatchNorm2d
        step = partial(Conv2dNormActivation, norm_layer=norm_layer, activation_layer=nn.SiLU)
        layers: list[Any] = [step(3, inverted_residual_setting[0].input_channels, kernel_size=3, stride=2)]
        total, count = sum(stage.num_layers for stage in inverted_residual_setting), 0
        for stage in inverted_residual_setting:
            blocks: list[Any] = []
            for i in range(stage.num_layers):
                inputs, stride = (stage.out_channels, 1) if i else (stage.input_channels, stage.stride)
                drop = stochastic_depth_prob * float(count) / total
                blocks.append((FusedMBConv if stage.fused else MBConv)(stage, inputs, stride, drop, norm_layer))
                count += 1
            layers.append(nn.Sequential(*blocks))
        width = inverted_residual_setting[-1].out_channels
        last = last_channel if last_channel is not None else 4 * width
        layers.append(step(width, last, kernel_size=1))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Dropout(p=dropout, inplace=True), nn.Linear(last, num_classes))
        start_weights(self, _uniform)

    def forward(self, x: Any) -> Any:
        return self.classifier(torch.flatten(self.avgpool(self.features(x)), 1))


# Fused or not, expansion, kernel, stride, channels in and out, blocks.
_B0 = [
    Stage(False, 1, 3, 1, 32, 16, 1),
    Stage(False, 6, 3, 2, 16, 24, 2),
    Stage(False, 6, 5, 2, 24, 40, 2),
    Stage(False, 6, 3, 2, 40, 80, 3),
    Stage(False, 6, 5, 1, 80, 112, 3),
    Stage(False, 6, 5, 2, 112, 192, 4),
    Stage(False, 6, 3, 1, 192, 320, 1),
]
_V2_S = [
    Stage(True, 1, 3, 1, 24, 24, 2),
    Stage(True, 4, 3, 2, 24, 48, 4),
    Stage(True, 4, 3, 2, 48, 64, 4),
    Stage(False, 4, 3, 2, 64, 128, 6),
    Stage(False, 6, 3, 1, 128, 160, 9),
    Stage(False, 6, 3, 2, 160, 256, 15),
]
_V2_M = [
    Stage(True, 1, 3, 1, 24, 24, 3),
    Stage(True, 4, 3, 2, 24, 48, 5),
    Stage(True, 4, 3, 2, 48, 80, 5),
    Stage(False, 4, 3, 2, 80, 160, 7),
    Stage(False, 6, 3, 1, 160, 176, 14),
    Stage(False, 6, 3, 2, 176, 304, 18),
    Stage(False, 6, 3, 1, 304, 512, 5),
]
_V2_L = [
    Stage(True, 1, 3, 1, 32, 32, 4),
    Stage(True, 4, 3, 2, 32, 64, 7),
    Stage(True, 4, 3, 2, 64, 96, 7),
    Stage(False, 4, 3, 2, 96, 192, 10),
    Stage(False, 6, 3, 1, 192, 224, 19),
    Stage(False, 6, 3, 2, 224, 384, 25),
    Stage(False, 6, 3, 1, 384, 640, 7),
]


def _weights(name: str, first: Any, second: Any = None) -> Any:
    """An enumeration of one or two sets of weights; the last is the default."""
    members = {"IMAGENET1K_V1": first, **({"IMAGENET1K_V2": second} if second else {})}
    members["DEFAULT"] = second or first
    return WeightsEnum(f"EfficientNet_{name}_Weights", members, module=__name__)  # type: ignore[call-arg]


def _bicubic(file: str, params: int, top1: float, top5: float, resize: int, crop: int, **more: Any) -> Any:
    return imagenet(file, params, top1, top5, resize, crop_size=crop, interpolation="bicubic", **more)


EfficientNet_B0_Weights = _weights(
    "B0", _bicubic("efficientnet_b0_rwightman-7f5810bc", 5288548, 77.692, 93.532, 256, 224)
)
EfficientNet_B1_Weights = _weights(
    "B1",
    _bicubic("efficientnet_b1_rwightman-bac287d4", 7794184, 78.642, 94.186, 256, 240),
    imagenet("efficientnet_b1-c27df63c", 7794184, 79.838, 94.934, 255, crop_size=240),
)
EfficientNet_B2_Weights = _weights(
    "B2", _bicubic("efficientnet_b2_rwightman-c35c1473", 9109994, 80.608, 95.31, 288, 288)
)
EfficientNet_B3_Weights = _weights(
    "B3", _bicubic("efficientnet_b3_rwightman-b3899882", 12233232, 82.008, 96.054, 320, 300)
)
EfficientNet_B4_Weights = _weights(
    "B4", _bicubic("efficientnet_b4_rwightman-23ab8bcd", 19341616, 83.384, 96.594, 384, 380)
)
EfficientNet_B5_Weights = _weights(
    "B5", _bicubic("efficientnet_b5_lukemelas-1a07897c", 30389784, 83.444, 96.628, 456, 456)
)
EfficientNet_B6_Weights = _weights(
    "B6", _bicubic("efficientnet_b6_lukemelas-24a108a5", 43040704, 84.008, 96.916, 528, 528)
)
EfficientNet_B7_Weights = _weights(
    "B7", _bicubic("efficientnet_b7_lukemelas-c5b4e57e", 66347960, 84.122, 96.908, 600, 600)
)
EfficientNet_V2_S_Weights = _weights(
    "V2_S", imagenet("efficientnet_v2_s-dd5fe13b", 21458488, 84.228, 96.878, 384, crop_size=384)
)
EfficientNet_V2_M_Weights = _weights(
    "V2_M", imagenet("efficientnet_v2_m-dc08266a", 54139356, 85.112, 97.156, 480, crop_size=480)
)
_HALF = {"mean": (0.5, 0.5, 0.5), "std": (0.5, 0.5, 0.5)}
EfficientNet_V2_L_Weights = _weights(
    "V2_L", _bicubic("efficientnet_v2_l-59c71312", 118515272, 85.808, 97.788, 480, 480, **_HALF)
)


def _builder(
    name: str, stages: list[Stage], weights: Any, dropout: float, scale: tuple[float, float] = (1.0, 1.0), **fixed: Any
) -> Any:
    """The function that builds one of them."""

    def build(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> EfficientNet:
        scaled = [stage.scaled(*scale) for stage in stages]
        options = {"dropout": dropout, **fixed, **kwargs}
        return load_into(EfficientNet(scaled, **options), weights, progress)

    build.__name__ = build.__qualname__ = f"efficientnet_{name}"
    build.__doc__ = f"""EfficientNet {name.upper().replace("_", "-")}.

    Args:
        weights: an `{weights.__name__}`, its name, or None for a model that has learned nothing.
        progress: whether to show the download.
        kwargs: what `EfficientNet` takes.
    """
    return register(weights)(build)


_norm = partial(nn.BatchNorm2d, eps=0.001, momentum=0.01)
_norm_v2 = partial(nn.BatchNorm2d, eps=1e-03)

efficientnet_b0 = _builder("b0", _B0, EfficientNet_B0_Weights, 0.2)
efficientnet_b1 = _builder("b1", _B0, EfficientNet_B1_Weights, 0.2, (1.0, 1.1))
efficientnet_b2 = _builder("b2", _B0, EfficientNet_B2_Weights, 0.3, (1.1, 1.2))
efficientnet_b3 = _builder("b3", _B0, EfficientNet_B3_Weights, 0.3, (1.2, 1.4))
efficientnet_b4 = _builder("b4", _B0, EfficientNet_B4_Weights, 0.4, (1.4, 1.8))
efficientnet_b5 = _builder("b5", _B0, EfficientNet_B5_Weights, 0.4, (1.6, 2.2), norm_layer=_norm)
efficientnet_b6 = _builder("b6", _B0, EfficientNet_B6_Weights, 0.5, (1.8, 2.6), norm_layer=_norm)
efficientnet_b7 = _builder("b7", _B0, EfficientNet_B7_Weights, 0.5, (2.0, 3.1), norm_layer=_norm)
efficientnet_v2_s = _builder("v2_s", _V2_S, EfficientNet_V2_S_Weights, 0.2, norm_layer=_norm_v2, last_channel=1280)
efficientnet_v2_m = _builder("v2_m", _V2_M, EfficientNet_V2_M_Weights, 0.3, norm_layer=_norm_v2, last_channel=1280)
efficientnet_v2_l = _builder("v2_l", _V2_L, EfficientNet_V2_L_Weights, 0.4, norm_layer=_norm_v2, last_channel=1280)
