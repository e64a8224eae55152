"""Activation functions as modules.

Each works on every element of a tensor of any shape, if nothing else is said, and gives one of the same shape and
dtype. Floating dtypes; ReLU, ReLU6, Hardtanh and Threshold take integers too, Sigmoid, Softsign, Tanh and
Tanhshrink make floats of them, for the others they are a NotImplementedError or RuntimeError.
"""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight.nn import functional as F
from rushlight.nn.modules.attention import MultiheadAttention  # noqa: F401 - where PyTorch has it
from rushlight.nn.modules.module import Module
from rushlight.nn.parameter import Parameter

__all__ = [
    "CELU",
    "ELU",
    "GELU",
    "GLU",
    "Hardshrink",
    "Hardsigmoid",
    "Hardswish",
    "Hardtanh",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "Mish",
    "PReLU",
    "RReLU",
    "ReLU",
    "ReLU6",
    "SELU",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softmax2d",
    "Softmin",
    "Softplus",
    "Softshrink",
    "Softsign",
    "Tanh",
    "Tanhshrink",
    "Threshold",
]


class _Activation(Module):
    """A module whose arguments are its attributes, named in `__constants__` and shown in that order."""

    __constants__: list[str] = []

    def extra_repr(self) -> str:
        shown = []
        for name in self.__constants__:
            value = getattr(self, name)
            if name != "inplace":
                shown.append(f"{name}={value!r}")
            elif value:
                shown.append("inplace=True")
        return ", ".join(shown)


class ReLU(_Activation):
    """max(input, 0).

    >>> torch.nn.ReLU()(torch.tensor([-1., 0., 2.]))
    tensor([0., 0., 2.])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.ReLU.html
    """

    __constants__ = ["inplace"]

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.relu(input, self.inplace)


class ReLU6(_Activation):
    """min(max(input, 0), 6).

    >>> torch.nn.ReLU6()(torch.tensor([-1., 3., 8.]))
    tensor([0., 3., 6.])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.ReLU6.html
    """

    __constants__ = ["inplace"]

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.relu6(input, self.inplace)


class ELU(_Activation):
    """input where positive, else alpha * (exp(input) - 1).

    >>> torch.nn.ELU()(torch.tensor([-1., 0., 2.]))
    tensor([-0.6321,  0.0000,  2.0000])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.ELU.html
    """

    __constants__ = ["alpha", "inplace"]

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.elu(input, self.alpha, self.inplace)


class CELU(_Activation):
    """max(input, 0) + min(alpha * (exp(input / alpha) - 1), 0).

    >>> torch.nn.CELU()(torch.tensor([-1., 0., 2.]))
    tensor([-0.6321,  0.0000,  2.0000])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.CELU.html
    """

    __constants__ = ["alpha", "inplace"]

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__()
        self.alpha = alpha
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.celu(input, self.alpha, self.inplace)


class SELU(_Activation):
    """ELU with the scale and alpha that keep mean 0 and variance 1.

    >>> torch.nn.SELU()(torch.tensor([-1., 0., 2.]))
    tensor([-1.1113,  0.0000,  2.1014])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.SELU.html
    """

    __constants__ = ["inplace"]

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.selu(input, self.inplace)


class GELU(_Activation):
    """input * Phi(input), Phi the normal distribution; approximate is "none" or "tanh".

    >>> torch.nn.GELU()(torch.tensor([-1., 0., 2.]))
    tensor([-0.1587,  0.0000,  1.9545])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.GELU.html
    """

    __constants__ = ["approximate"]

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return _C.gelu(input, approximate=self.approximate)


class LeakyReLU(_Activation):
    """input where positive, else negative_slope * input.

    >>> torch.nn.LeakyReLU(0.1)(torch.tensor([-1., 2.]))
    tensor([-0.1000,  2.0000])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.LeakyReLU.html
    """

    __constants__ = ["negative_slope", "inplace"]

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__()
        self.negative_slope = negative_slope
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.leaky_relu(input, self.negative_slope, self.inplace)


class RReLU(_Activation):
    """Leaky ReLU with a random slope in training.

    >>> torch.nn.RReLU().eval()(torch.tensor([-24., 1.]))
    tensor([-5.5000,  1.0000])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.RReLU.html
    """

    __constants__ = ["lower", "upper", "inplace"]

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3, inplace: bool = False) -> None:
        super().__init__()
        self.lower = lower
        self.upper = upper
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.rrelu(input, self.lower, self.upper, self.training, self.inplace)


class Threshold(_Activation):
    """input where it is above threshold, else value.

    >>> torch.nn.Threshold(1.0, 20.0)(torch.tensor([0.5, 2.]))
    tensor([20.,  2.])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Threshold.html
    """

    __constants__ = ["threshold", "value", "inplace"]

    def __init__(self, threshold: float, value: float, inplace: bool = False) -> None:
        super().__init__()
        self.threshold = threshold
        self.value = value
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.threshold(input, self.threshold, self.value, self.inplace)


class Hardsigmoid(_Activation):
    """relu6(input + 3) / 6.

    >>> torch.nn.Hardsigmoid()(torch.tensor([-4., 0., 1.5]))
    tensor([0.0000, 0.5000, 0.7500])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Hardsigmoid.html
    """

    __constants__ = ["inplace"]

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return ""  # as PyTorch prints it

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.hardsigmoid(input, self.inplace)


class Hardswish(_Activation):
    """input * relu6(input + 3) / 6.

    >>> torch.nn.Hardswish()(torch.tensor([-4., 1., 4.]))
    tensor([-0.0000, 0.6667, 4.0000])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Hardswish.html
    """

    __constants__ = ["inplace"]

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return ""  # as PyTorch prints it

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.hardswish(input, self.inplace)


class SiLU(_Activation):
    """input * sigmoid(input).

    >>> torch.nn.SiLU()(torch.tensor([-1., 0., 2.]))
    tensor([-0.2689,  0.0000,  1.7616])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.SiLU.html
    """

    __constants__ = ["inplace"]

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.silu(input, self.inplace)


class Mish(_Activation):
    """input * tanh(softplus(input)).

    >>> torch.nn.Mish()(torch.tensor([-1., 0., 2.]))
    tensor([-0.3034,  0.0000,  1.9440])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Mish.html
    """

    __constants__ = ["inplace"]

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.mish(input, self.inplace)


class Softplus(_Activation):
    """log(1 + exp(beta * input)) / beta; the input itself where beta * input is above threshold.

    >>> torch.nn.Softplus()(torch.tensor([-1., 0., 100.]))
    tensor([  0.3133,   0.6931, 100.0000])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Softplus.html
    """

    __constants__ = ["beta", "threshold"]

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta = beta
        self.threshold = threshold

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.softplus(input, self.beta, self.threshold)


class Softsign(_Activation):
    """input / (1 + |input|).

    >>> torch.nn.Softsign()(torch.tensor([-1., 0., 3.]))
    tensor([-0.5000,  0.0000,  0.7500])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Softsign.html
    """

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.softsign(input)


class Sigmoid(_Activation):
    """1 / (1 + exp(-input)).

    >>> torch.nn.Sigmoid()(torch.tensor([-1., 0., 2.]))
    tensor([0.2689, 0.5000, 0.8808])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Sigmoid.html
    """

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return _C.sigmoid(input)


class Tanh(_Activation):
    """The hyperbolic tangent.

    >>> torch.nn.Tanh()(torch.tensor([-1., 0., 2.]))
    tensor([-0.7616,  0.0000,  0.9640])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Tanh.html
    """

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return _C.tanh(input)


class LogSigmoid(_Activation):
    """log(sigmoid(input)), without overflow.

    >>> torch.nn.LogSigmoid()(torch.tensor([-1000., 0.]))
    tensor([-1.0000e+03, -6.9315e-01])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.LogSigmoid.html
    """

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.logsigmoid(input)


class Tanhshrink(_Activation):
    """input - tanh(input).

    >>> torch.nn.Tanhshrink()(torch.tensor([-1., 0., 2.]))
    tensor([-0.2384,  0.0000,  1.0360])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Tanhshrink.html
    """

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.tanhshrink(input)


class GLU(_Activation):
    """The first half of input along dim times the sigmoid of the second.

    >>> torch.nn.GLU()(torch.tensor([1., 2., 0., 100.]))
    tensor([0.5000, 2.0000])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.GLU.html
    """

    __constants__ = ["dim"]

    def __init__(self, dim: int = -1) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, input: Any) -> Any:
        """Any shape, to the same with half as much along dim."""
        return F.glu(input, self.dim)


class _AlongDim(_Activation):
    __constants__ = ["dim"]

    def __init__(self, dim: int | None = None) -> None:
        super().__init__()
        self.dim = dim


class Softmax(_AlongDim):
    """exp(input) scaled to sum to 1 along dim.

    >>> torch.nn.Softmax(dim=1)(torch.tensor([[0., 0.], [1., 1001.]]))
    tensor([[0.5000, 0.5000],
            [0.0000, 1.0000]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Softmax.html
    """

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.softmax(input, self.dim, _stacklevel=5)


class Softmin(_AlongDim):
    """softmax(-input).

    >>> torch.nn.Softmin(dim=0)(torch.tensor([0., 1000.]))
    tensor([1., 0.])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Softmin.html
    """

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.softmin(input, self.dim, _stacklevel=5)


class LogSoftmax(_AlongDim):
    """log(softmax(input)), without overflow.

    >>> torch.nn.LogSoftmax(dim=1)(torch.tensor([[1., 1.]]))
    tensor([[-0.6931, -0.6931]])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.LogSoftmax.html
    """

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.log_softmax(input, self.dim, _stacklevel=5)


class Hardtanh(_Activation):
    """The input clamped to [min_val, max_val].

    >>> torch.nn.Hardtanh(-1, 1)(torch.tensor([-2., 0.5, 2.]))
    tensor([-1.0000,  0.5000,  1.0000])

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.Hardtanh.html
    """

    __constants__ = ["min_val", "max_val", "inplace"]

    def __init__(
        self, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False, min_value: float | None = None,
        max_value: float | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        for old, new, value in (("min_value", "min_val", min_value), ("max_value", "max_val", max_value)):
            if value is not None:
                import warnings

                warnings.warn(
                    f"keyword argument `{old}` is deprecated and rename to `{new}`", FutureWarning, stacklevel=2
                )
        self.min_val = min_val if min_value is None else min_value
        self.max_val = max_val if max_value is None else max_value
        self.inplace = inplace
        if self.max_val <= self.min_val:
            raise AssertionError(f"max_val ({self.max_val}) must be greater than min_val ({self.min_val})")

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.hardtanh(input, self.min_val, self.max_val, self.inplace)


class _Shrink(Module):
    __constants__ = ["lambd"]

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = lambd

    def extra_repr(self) -> str:
        return str(self.lambd)


class Hardshrink(_Shrink):
    """The input where its absolute value is above lambd, else 0.

    >>> torch.nn.Hardshrink(0.5)(torch.tensor([-1., 0.4, 2.]))
    tensor([-1.,  0.,  2.])
    """

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.hardshrink(input, self.lambd)


class Softshrink(_Shrink):
    """The input moved towards 0 by lambd.

    >>> torch.nn.Softshrink(0.5)(torch.tensor([-1., 0.4, 2.]))
    tensor([-0.5000,  0.0000,  1.5000])
    """

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.softshrink(input, self.lambd)


class Softmax2d(Module):
    """softmax over the channels of (N, C, H, W) or (C, H, W).

    >>> torch.nn.Softmax2d()(torch.zeros(1, 2, 1, 1)).flatten()
    tensor([0.5000, 0.5000])
    """

    def forward(self, input: Any) -> Any:
        """The same shape."""
        if input.dim() not in (3, 4):
            raise ValueError(f"Softmax2d: expected input to be 3D or 4D, got {input.dim()}D instead")
        return _C.softmax(input, -3)


class PReLU(Module):
    """Leaky ReLU whose slope is learned: one for all, or one for each channel.

    Args:
        num_parameters: 1, or the number of channels (dimension 1 of the input).
        init: the slope to start with.

    >>> m = torch.nn.PReLU()
    >>> m(torch.tensor([-2., 3.]))
    tensor([-0.5000,  3.0000], grad_fn=<PreluKernelBackward0>)

    Reference: https://pytorch.org/docs/stable/generated/torch.nn.PReLU.html (He et al. 2015)
    """

    __constants__ = ["num_parameters"]

    def __init__(self, num_parameters: int = 1, init: float = 0.25, device: Any = None, dtype: Any = None) -> None:
        super().__init__()
        self.num_parameters = num_parameters
        self.init = init
        self.weight = Parameter(_C.empty(num_parameters, device=device, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set every slope to `init`."""
        from rushlight.nn.init import constant_

        constant_(self.weight, self.init)

    def forward(self, input: Any) -> Any:
        """Any shape, unchanged."""
        return F.prelu(input, self.weight)

    def extra_repr(self) -> str:
        return f"num_parameters={self.num_parameters}"
