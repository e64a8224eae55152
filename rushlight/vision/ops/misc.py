"""Layers that several models are made of."""

from __future__ import annotations

from typing import Any

import rushlight as torch
from rushlight import nn
from rushlight.nn import functional as F
from rushlight.vision.ops.boxes import reduced

__all__ = [
    "MLP",
    "Conv2dNormActivation",
    "Conv3dNormActivation",
    "FrozenBatchNorm2d",
    "Permute",
    "SqueezeExcitation",
    "StochasticDepth",
    "sigmoid_focal_loss",
    "stochastic_depth",
]


class _ConvNormActivation(nn.Sequential):
    """What the two below share; conv is nn.Conv2d or nn.Conv3d."""

    def __init__(
        self,
        conv: Any,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any,
        padding: Any,
        groups: int,
        norm_layer: Any,
        activation_layer: Any,
        dilation: Any,
        inplace: bool | None,
        bias: bool | None,
    ) -> None:
        if padding is None:
            if isinstance(kernel_size, int) and isinstance(dilation, int):
                padding = (kernel_size - 1) // 2 * dilation
            else:
                dims = 2 if conv is nn.Conv2d else 3
                kernels = (kernel_size,) * dims if isinstance(kernel_size, int) else tuple(kernel_size)
                dilations = (dilation,) * dims if isinstance(dilation, int) else tuple(dilation)
                padding = tuple((k - 1) // 2 * d for k, d in zip(kernels, dilations, strict=True))
        bias = norm_layer is None if bias is None else bias
        layers = [
            conv(in_channels, out_channels, kernel_size, stride, padding, dilation=dilation, groups=groups, bias=bias)
        ]
        if norm_layer is not None:
            layers.append(norm_layer(out_channels))
        if activation_layer is not None:
            layers.append(activation_layer(**({} if inplace is None else {"inplace": inplace})))
        super().__init__(*layers)
        self.out_channels = out_channels


class Conv2dNormActivation(_ConvNormActivation):
    """A convolution, a normalization and an activation.

    Args:
        in_channels, out_channels, kernel_size, stride, groups, dilation: of the convolution.
        padding: by default what keeps the size, at a stride of 1.
        norm_layer, activation_layer: None for without.
        inplace: of the activation.
        bias: by default only without normalization.

    >>> [type(m).__name__ for m in torch.vision.ops.Conv2dNormActivation(3, 8)]
    ['Conv2d', 'BatchNorm2d', 'ReLU']
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any = 3,
        stride: Any = 1,
        padding: Any = None,
        groups: int = 1,
        norm_layer: Any = nn.BatchNorm2d,
        activation_layer: Any = nn.ReLU,
        dilation: Any = 1,
        inplace: bool | None = True,
        bias: bool | None = None,
    ) -> None:
        super().__init__(
            nn.Conv2d, in_channels, out_channels, kernel_size, stride, padding, groups, norm_layer, activation_layer,
            dilation, inplace, bias,
        )  # fmt: skip


class Conv3dNormActivation(_ConvNormActivation):
    """`Conv2dNormActivation` of volumes (n, channels, depth, height, width).

    >>> [type(m).__name__ for m in torch.vision.ops.Conv3dNormActivation(3, 8)]
    ['Conv3d', 'BatchNorm3d', 'ReLU']
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any = 3,
        stride: Any = 1,
        padding: Any = None,
        groups: int = 1,
        norm_layer: Any = nn.BatchNorm3d,
        activation_layer: Any = nn.ReLU,
        dilation: Any = 1,
        inplace: bool | None = True,
        bias: bool | None = None,
    ) -> None:
        super().__init__(
            nn.Conv3d, in_channels, out_channels, kernel_size, stride, padding, groups, norm_layer, activation_layer,
            dilation, inplace, bias,
        )  # fmt: skip


class SqueezeExcitation(nn.Module):
    """Channels weighted by what the whole image says.

    Source: Hu et al., Squeeze-and-excitation networks, https://arxiv.org/abs/1709.01507

    >>> torch.vision.ops.SqueezeExcitation(8, 2)(torch.zeros(1, 8, 4, 4)).shape
    torch.Size([1, 8, 4, 4])
    """

    def __init__(
        self, input_channels: int, squeeze_channels: int, activation: Any = nn.ReLU, scale_activation: Any = nn.Sigmoid
    ) -> None:
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1 = nn.Conv2d(input_channels, squeeze_channels, 1)
        self.fc2 = nn.Conv2d(squeeze_channels, input_channels, 1)
        self.activation = activation()
        self.scale_activation = scale_activation()

    def forward(self, input: Any) -> Any:
        return self.scale_activation(self.fc2(self.activation(self.fc1(self.avgpool(input))))) * input


class MLP(nn.Sequential):
    """Linear layers with normalization, activation and dropout between them.

    >>> torch.vision.ops.MLP(4, [8, 2])(torch.zeros(3, 4)).shape
    torch.Size([3, 2])
    """

    def __init__(
        self,
        in_channels: int,
        hidden_channels: list[int],
        norm_layer: Any = None,
        activation_layer: Any = nn.ReLU,
        inplace: bool | None = None,
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        options = {} if inplace is None else {"inplace": inplace}
        layers: list[Any] = []
        for i, width in enumerate(hidden_channels):
            layers.append(nn.Linear(in_channels, width, bias=bias))
            if i < len(hidden_channels) - 1:
                if norm_layer is not None:
                    layers.append(norm_layer(width))
                layers.append(activation_layer(**options))
            layers.append(nn.Dropout(dropout, **options))
            in_channels = width
        super().__init__(*layers)


class Permute(nn.Module):
    """The dimensions in another order.

    >>> torch.vision.ops.Permute([0, 2, 3, 1])(torch.zeros(1, 3, 4, 5)).shape
    torch.Size([1, 4, 5, 3])
    """

    def __init__(self, dims: list[int]) -> None:
        super().__init__()
        self.dims = dims

    def forward(self, x: Any) -> Any:
        return x.permute(self.dims)


class FrozenBatchNorm2d(nn.Module):
    """Batch normalization whose numbers are given and do not change; it loads what a `BatchNorm2d` has learned.

    >>> len(list(torch.vision.ops.FrozenBatchNorm2d(3).parameters()))
    0
    """

    weight: Any
    bias: Any
    running_mean: Any
    running_var: Any

    def __init__(self, num_features: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.register_buffer("weight", torch.ones(num_features))
        self.register_buffer("bias", torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *rest: Any) -> None:
        state_dict.pop(f"{prefix}num_batches_tracked", None)  # of a BatchNorm2d, which counts
        super()._load_from_state_dict(state_dict, prefix, *rest)

    def forward(self, x: Any) -> Any:
        shape = (1, -1, 1, 1)
        scale = self.weight.reshape(shape) * (self.running_var.reshape(shape) + self.eps).rsqrt()
        return x * scale + (self.bias.reshape(shape) - self.running_mean.reshape(shape) * scale)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.weight.shape[0]}, eps={self.eps})"


def stochastic_depth(input: Any, p: float, mode: str, training: bool = True) -> Any:
    """Zero with probability p, for the whole batch or for each row; the rest scaled up.

    Source: Huang et al., Deep networks with stochastic depth, https://arxiv.org/abs/1603.09382

    >>> torch.vision.ops.stochastic_depth(torch.ones(2, 1), 0.5, "row", training=False).flatten()
    tensor([1., 1.])
    """
    if p < 0.0 or p > 1.0:
        raise ValueError(f"drop probability has to be between 0 and 1, but got {p}")
    if mode not in ("batch", "row"):
        raise ValueError(f"mode has to be either 'batch' or 'row', but got {mode}")
    if not training or p == 0.0:
        return input
    shape = [input.shape[0] if mode == "row" else 1] + [1] * (input.dim() - 1)
    noise = torch.empty(shape, dtype=input.dtype, device=input.device).bernoulli_(1.0 - p)
    return input * (noise.div_(1.0 - p) if p < 1.0 else noise)


class StochasticDepth(nn.Module):
    """See `stochastic_depth`.

    >>> torch.vision.ops.StochasticDepth(0.5, "row").eval()(torch.ones(2))
    tensor([1., 1.])
    """

    def __init__(self, p: float, mode: str) -> None:
        super().__init__()
        self.p = p
        self.mode = mode

    def forward(self, input: Any) -> Any:
        return stochastic_depth(input, self.p, self.mode, self.training)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(p={self.p}, mode={self.mode})"


def sigmoid_focal_loss(
    inputs: Any, targets: Any, alpha: float = 0.25, gamma: float = 2, reduction: str = "none"
) -> Any:
    """Cross entropy that looks away from what is easy: -alpha_t (1 - p_t)^gamma log p_t.

    Args:
        inputs: logits of any shape.
        targets: 0 or 1, of the same shape.
        alpha: the weight of 1 against 0; negative for none.
        gamma: how much the easy ones lose.
        reduction: "none", "mean" or "sum".

    Source: Lin et al., Focal loss for dense object detection, https://arxiv.org/abs/1708.02002

    >>> torch.vision.ops.sigmoid_focal_loss(torch.tensor([3., -3.]), torch.tensor([1., 1.]))
    tensor([2.7321e-05, 6.9157e-01])
    """
    if not (0 <= alpha <= 1) and alpha != -1:
        raise ValueError(f"Invalid alpha value: {alpha}. alpha must be in the range [0,1] or -1 for ignore.")
    p = torch.sigmoid(inputs)
    right = p * targets + (1 - p) * (1 - targets)
    loss = F.binary_cross_entropy_with_logits(inputs, targets, reduction="none") * (1 - right) ** gamma
    if alpha >= 0:
        loss = (alpha * targets + (1 - alpha) * (1 - targets)) * loss
    return reduced(loss, reduction)
