"""The Vision Transformer.

Source: Dosovitskiy et al., An image is worth 16x16 words, https://arxiv.org/abs/2010.11929
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any, NamedTuple

import rushlight as torch
from rushlight import nn
from rushlight.vision.models._api import WeightsEnum, imagenet, load_into, register
from rushlight.vision.ops.misc import MLP, Conv2dNormActivation

__all__ = [
    "ConvStemConfig",
    "ViT_B_16_Weights",
    "ViT_B_32_Weights",
    "ViT_H_14_Weights",
    "ViT_L_16_Weights",
    "ViT_L_32_Weights",
    "VisionTransformer",
    "vit_b_16",
    "vit_b_32",
    "vit_h_14",
    "vit_l_16",
    "vit_l_32",
]


class ConvStemConfig(NamedTuple):
    """One convolution of a stem, which takes the place of the single one that cuts the patches.

    >>> torch.vision.models.vision_transformer.ConvStemConfig(out_channels=64, kernel_size=3, stride=2).stride
    2
    """

    out_channels: int
    kernel_size: int
    stride: int
    norm_layer: Any = nn.BatchNorm2d
    activation_layer: Any = nn.ReLU


def _stem(configs: list[ConvStemConfig], hidden_dim: int) -> nn.Sequential:
    stem = nn.Sequential()
    channels = 3
    for i, config in enumerate(configs):
        stem.add_module(f"conv_bn_relu_{i}", Conv2dNormActivation(channels, **config._asdict()))
        channels = config.out_channels
    last = nn.Conv2d(channels, hidden_dim, kernel_size=1)
    nn.init.normal_(last.weight, mean=0.0, std=math.sqrt(2.0 / hidden_dim))
    nn.init.zeros_(last.bias)
    stem.add_module("conv_last", last)
    return stem


class MLPBlock(MLP):
    """Two linear layers with GELU between them."""

    _version = 2

    def __init__(self, in_dim: int, mlp_dim: int, dropout: float) -> None:
        super().__init__(in_dim, [mlp_dim, in_dim], activation_layer=nn.GELU, inplace=None, dropout=dropout)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                if m.bias is not None:
                    nn.init.normal_(m.bias, std=1e-6)

    def _load_from_state_dict(self, state_dict: Any, prefix: str, local_metadata: Any, *rest: Any) -> None:
        for i in range(2):  # in version 1, the linear layers were called so
            for kind in ("weight", "bias"):
                old = f"{prefix}linear_{i + 1}.{kind}"
                if old in state_dict:
                    state_dict[f"{prefix}{3 * i}.{kind}"] = state_dict.pop(old)
        super()._load_from_state_dict(state_dict, prefix, local_metadata, *rest)


class EncoderBlock(nn.Module):
    """Self-attention, then the two linear layers, each after a normalization and beside a shortcut."""

    def __init__(
        self, num_heads: int, hidden_dim: int, mlp_dim: int, dropout: float, attention_dropout: float, norm_layer: Any
    ) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.ln_1 = norm_layer(hidden_dim)
        self.self_attention = nn.MultiheadAttention(hidden_dim, num_heads, dropout=attention_dropout, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.ln_2 = norm_layer(hidden_dim)
        self.mlp = MLPBlock(hidden_dim, mlp_dim, dropout)

    def forward(self, input: Any) -> Any:
        if input.dim() != 3:
            raise AssertionError(f"Expected (batch_size, seq_length, hidden_dim) got {input.shape}")
        x = self.ln_1(input)
        x, _ = self.self_attention(x, x, x, need_weights=False)
        x = self.dropout(x) + input
        return x + self.mlp(self.ln_2(x))


class Encoder(nn.Module):
    """The blocks, after the places have been added."""

    def __init__(
        self,
        seq_length: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        mlp_dim: int,
        dropout: float,
        attention_dropout: float,
        norm_layer: Any,
    ) -> None:
        super().__init__()
        self.pos_embedding = nn.Parameter(torch.empty(1, seq_length, hidden_dim).normal_(std=0.02))
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.Sequential()
        for i in range(num_layers):
            block = EncoderBlock(num_heads, hidden_dim, mlp_dim, dropout, attention_dropout, norm_layer)
            self.layers.add_module(f"encoder_layer_{i}", block)
        self.ln = norm_layer(hidden_dim)

    def forward(self, input: Any) -> Any:
        return self.ln(self.layers(self.dropout(input + self.pos_embedding)))


class VisionTransformer(nn.Module):
    """A transformer over the patches of an image.

    Args:
        image_size, patch_size: the sides of the image and of a patch.
        num_layers, num_heads, hidden_dim, mlp_dim: of the encoder.
        dropout, attention_dropout: of the encoder.
        num_classes: of the result.
        representation_size: the width of a further layer before the last, None for without.
        norm_layer: by default LayerNorm(eps=1e-6).
        conv_stem_configs: several convolutions in place of the one that cuts the patches.

    Shapes: input (n, 3, image_size, image_size), output (n, num_classes).

    >>> model = torch.vision.models.VisionTransformer(32, 8, 2, num_heads=2, hidden_dim=16, mlp_dim=32, num_classes=10)
    >>> model(torch.zeros(2, 3, 32, 32)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        image_size: int,
        patch_size: int,
        num_layers: int,
        num_heads: int,
        hidden_dim: int,
        mlp_dim: int,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        num_classes: int = 1000,
        representation_size: int | None = None,
        norm_layer: Any = partial(nn.LayerNorm, eps=1e-6),  # noqa: B008
        conv_stem_configs: list[ConvStemConfig] | None = None,
    ) -> None:
        super().__init__()
        if image_size % patch_size:
            raise AssertionError(f"Input shape indivisible by patch size! {image_size} is no multiple of {patch_size}")
        self.image_size = image_size
        self.patch_size = patch_size
        self.hidden_dim = hidden_dim
        self.conv_proj: Any
        if conv_stem_configs is None:
            self.conv_proj = nn.Conv2d(3, hidden_dim, kernel_size=patch_size, stride=patch_size)
        else:
            self.conv_proj = _stem(conv_stem_configs, hidden_dim)
        self.seq_length = (image_size // patch_size) ** 2 + 1
        self.class_token = nn.Parameter(torch.zeros(1, 1, hidden_dim))
        shape = (num_layers, num_heads, hidden_dim, mlp_dim, dropout, attention_dropout)
        self.encoder = Encoder(self.seq_length, *shape, norm_layer)
        self.heads = nn.Sequential()
        if representation_size is not None:
            self.heads.add_module("pre_logits", nn.Linear(hidden_dim, representation_size))
            self.heads.add_module("act", nn.Tanh())
        self.heads.add_module("head", nn.Linear(representation_size or hidden_dim, num_classes))
        if conv_stem_configs is None:
            nn.init.trunc_normal_(self.conv_proj.weight, std=math.sqrt(1 / (3 * patch_size * patch_size)))
            nn.init.zeros_(self.conv_proj.bias)
        if representation_size is not None:
            nn.init.trunc_normal_(self.heads.pre_logits.weight, std=math.sqrt(1 / hidden_dim))
            nn.init.zeros_(self.heads.pre_logits.bias)
        nn.init.zeros_(self.heads.head.weight)
        nn.init.zeros_(self.heads.head.bias)

    def _process_input(self, x: Any) -> Any:
        n, _, h, w = x.shape
        for name, size in (("height", h), ("width", w)):
            if size != self.image_size:
                raise AssertionError(f"Wrong image {name}! Expected {self.image_size} but got {size}!")
        return self.conv_proj(x).reshape(n, self.hidden_dim, -1).permute(0, 2, 1)

    def forward(self, x: Any) -> Any:
        x = self._process_input(x)
        x = torch.cat((self.class_token.expand(x.shape[0], -1, -1), x), dim=1)
        return self.heads(self.encoder(x)[:, 0])


_swag = partial(imagenet, interpolation="bicubic")


class ViT_B_16_Weights(WeightsEnum):
    IMAGENET1K_V1 = imagenet("vit_b_16-c867db91", 86567656, 81.072, 95.318)
    IMAGENET1K_SWAG_E2E_V1 = _swag("vit_b_16_swag-9ac1b537", 86859496, 85.304, 97.65, 384, crop_size=384)
    IMAGENET1K_SWAG_LINEAR_V1 = _swag("vit_b_16_lc_swag-4e70ced5", 86567656, 81.886, 96.18, 224)
    DEFAULT = IMAGENET1K_V1


class ViT_B_32_Weights(WeightsEnum):
    IMAGENET1K_V1 = imagenet("vit_b_32-d86f8d99", 88224232, 75.912, 92.466)
    DEFAULT = IMAGENET1K_V1


class ViT_L_16_Weights(WeightsEnum):
    IMAGENET1K_V1 = imagenet("vit_l_16-852ce7e3", 304326632, 79.662, 94.638, 242)
    IMAGENET1K_SWAG_E2E_V1 = _swag("vit_l_16_swag-4f3808c9", 305174504, 88.064, 98.512, 512, crop_size=512)
    IMAGENET1K_SWAG_LINEAR_V1 = _swag("vit_l_16_lc_swag-4d563306", 304326632, 85.146, 97.422, 224)
    DEFAULT = IMAGENET1K_V1


class ViT_L_32_Weights(WeightsEnum):
    IMAGENET1K_V1 = imagenet("vit_l_32-c7638314", 306535400, 76.972, 93.07)
    DEFAULT = IMAGENET1K_V1


class ViT_H_14_Weights(WeightsEnum):
    IMAGENET1K_SWAG_E2E_V1 = _swag("vit_h_14_swag-80465313", 633470440, 88.552, 98.694, 518, crop_size=518)
    IMAGENET1K_SWAG_LINEAR_V1 = _swag("vit_h_14_lc_swag-c1eb923e", 632045800, 85.708, 97.73, 224)
    DEFAULT = IMAGENET1K_SWAG_E2E_V1


def _vit(
    patch: int, layers: int, heads: int, hidden: int, mlp: int, weights: Any, progress: bool, **kwargs: Any
) -> VisionTransformer:
    if weights is not None:
        kwargs["image_size"] = weights.transforms.keywords["crop_size"]
    image_size = kwargs.pop("image_size", 224)
    return load_into(VisionTransformer(image_size, patch, layers, heads, hidden, mlp, **kwargs), weights, progress)


@register(ViT_B_16_Weights)
def vit_b_16(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VisionTransformer:
    """ViT-B/16.

    Args:
        weights: a `ViT_B_16_Weights`, its name, or None for a model that has learned nothing.
        progress: whether to show the download.
        kwargs: image_size, and what else `VisionTransformer` takes.
    """
    return _vit(16, 12, 12, 768, 3072, weights, progress, **kwargs)


@register(ViT_B_32_Weights)
def vit_b_32(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VisionTransformer:
    """ViT-B/32. Arguments as for `vit_b_16`."""
    return _vit(32, 12, 12, 768, 3072, weights, progress, **kwargs)


@register(ViT_L_16_Weights)
def vit_l_16(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VisionTransformer:
    """ViT-L/16. Arguments as for `vit_b_16`."""
    return _vit(16, 24, 16, 1024, 4096, weights, progress, **kwargs)


@register(ViT_L_32_Weights)
def vit_l_32(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VisionTransformer:
    """ViT-L/32. Arguments as for `vit_b_16`."""
    return _vit(32, 24, 16, 1024, 4096, weights, progress, **kwargs)


@register(ViT_H_14_Weights)
def vit_h_14(*, weights: Any = None, progress: bool = True, **kwargs: Any) -> VisionTransformer:
    """ViT-H/14. Arguments as for `vit_b_16`."""
    return _vit(14, 32, 16, 1280, 5120, weights, progress, **kwargs)
