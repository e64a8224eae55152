"""Functions of tensors that layers are made of; `import rushlight.nn.functional as F`.

Each is a thin function over an op of the core. What the core offers under the same name and arguments is not
written here: it is looked up when first used.

Activations work on every element and keep shape and dtype; inplace=True writes into the input. Losses take reduction
"mean", "sum" (both give a 0-d tensor) or "none" (a loss for each element or sample); another word is a ValueError.
Dropouts work in training=True and give the input back otherwise; a p outside of [0, 1] is a ValueError. Channels are the
second dimension of a batch, the first of a single sample. Floating dtypes, where nothing else is said; shapes that do not
fit are a RuntimeError that names them.
"""

from __future__ import annotations

from typing import Any

from rushlight import _C
from rushlight.nn import _reduction

_code = _reduction.code


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    op = getattr(_C, name, None)
    if op is None:
        import rushlight._composite

        op = rushlight._composite.find(name)
    if op is None:
        from rushlight._missing import no_attribute

        raise no_attribute(__name__, name, __dir__())
    globals()[name] = op
    return op


def __dir__() -> list[str]:
    return sorted({*(n for n in globals() if not n.startswith("_")), *_CORE})


# Ops of the core that belong to this module as they are.
_CORE = (
    "linear", "bilinear", "gelu", "prelu", "softplus", "hardshrink", "one_hot",
    "cosine_similarity", "pairwise_distance", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d",
    "conv_transpose3d", "scaled_dot_product_attention", "pixel_shuffle", "pixel_unshuffle", "channel_shuffle",
    "avg_pool1d", "avg_pool2d", "avg_pool3d", "adaptive_avg_pool1d",
)  # fmt: skip


# ---- activations ----


def sigmoid(input: Any) -> Any:
    """1 / (1 + exp(-input)).

    >>> F.sigmoid(torch.tensor([-1., 0., 2.]))
    tensor([0.2689, 0.5000, 0.8808])
    """
    return input.sigmoid()


def tanh(input: Any) -> Any:
    """The hyperbolic tangent.

    >>> F.tanh(torch.tensor([-1., 0., 2.]))
    tensor([-0.7616,  0.0000,  0.9640])
    """
    return input.tanh()


def logsigmoid(input: Any, *, out: Any = None) -> Any:
    """log(sigmoid(input)), without overflow.

    >>> F.logsigmoid(torch.tensor([-1000., 0.]))
    tensor([-1.0000e+03, -6.9315e-01])
    """
    return _C.log_sigmoid(input) if out is None else _C.log_sigmoid(input, out=out)


def softshrink(input: Any, lambd: float = 0.5, *, out: Any = None) -> Any:
    """input moved towards 0 by lambd.

    >>> F.softshrink(torch.tensor([-1., 0.4, 2.]), 0.5)
    tensor([-0.5000,  0.0000,  1.5000])
    """
    if lambd < 0:
        raise RuntimeError(f"lambda must be greater or equal to 0, but found to be {lambd}: it is how far values move")
    return _C.softshrink(input, lambd) if out is None else _C.softshrink(input, lambd, out=out)


def relu(input: Any, inplace: bool = False) -> Any:
    """max(input, 0).

    >>> F.relu(torch.tensor([-1., 0., 2.]))
    tensor([0., 0., 2.])
    """
    return _C.relu_(input) if inplace else _C.relu(input)


def relu6(input: Any, inplace: bool = False) -> Any:
    """min(max(input, 0), 6).

    >>> F.relu6(torch.tensor([-1., 3., 8.]))
    tensor([0., 3., 6.])
    """
    return _C.relu6_(input) if inplace else _C.relu6(input)


def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """input where positive, else alpha * (exp(input) - 1).

    >>> F.elu(torch.tensor([-1., 0., 2.]))
    tensor([-0.6321,  0.0000,  2.0000])
    """
    return _C.elu_(input, alpha) if inplace else _C.elu(input, alpha)


def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> Any:
    """max(input, 0) + min(alpha * (exp(input / alpha) - 1), 0).

    >>> F.celu(torch.tensor([-1., 0., 2.]))
    tensor([-0.6321,  0.0000,  2.0000])
    """
    return _C.celu_(input, alpha) if inplace else _C.celu(input, alpha)


def selu(input: Any, inplace: bool = False) -> Any:
    """ELU with the scale and alpha that keep mean 0 and variance 1.

    >>> F.selu(torch.tensor([-1., 0., 2.]))
    tensor([-1.1113,  0.0000,  2.1014])
    """
    return _C.selu_(input) if inplace else _C.selu(input)


def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> Any:
    """input where positive, else negative_slope * input.

    >>> F.leaky_relu(torch.tensor([-1., 2.]), 0.1)
    tensor([-0.1000,  2.0000])
    """
    return _C.leaky_relu_(input, negative_slope) if inplace else _C.leaky_relu(input, negative_slope)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> Any:
    """input clamped to [min_val, max_val].

    >>> F.hardtanh(torch.tensor([-2., 0.5, 2.]))
    tensor([-1.0000,  0.5000,  1.0000])
    """
    if min_val > max_val:
        raise ValueError(f"min_val cannot be greater than max_val: got {min_val} and {max_val}")
    return _C.hardtanh_(input, min_val, max_val) if inplace else _C.hardtanh(input, min_val, max_val)


def hardswish(input: Any, inplace: bool = False) -> Any:
    """input * relu6(input + 3) / 6.

    >>> F.hardswish(torch.tensor([-4., 1., 4.]))
    tensor([-0.0000, 0.6667, 4.0000])
    """
    return _C.hardswish_(input) if inplace else _C.hardswish(input)


def hardsigmoid(input: Any, inplace: bool = False) -> Any:
    """relu6(input + 3) / 6.

    >>> F.hardsigmoid(torch.tensor([-4., 0., 1.5]))
    tensor([0.0000, 0.5000, 0.7500])
    """
    return _C.hardsigmoid_(input) if inplace else _C.hardsigmoid(input)


def silu(input: Any, inplace: bool = False) -> Any:
    """input * sigmoid(input).

    >>> F.silu(torch.tensor([-1., 0., 2.]))
    tensor([-0.2689,  0.0000,  1.7616])
    """
    return _C.silu_(input) if inplace else _C.silu(input)


def mish(input: Any, inplace: bool = False) -> Any:
    """input * tanh(softplus(input)).

    >>> F.mish(torch.tensor([-1., 0., 2.]))
    tensor([-0.3034,  0.0000,  1.9440])
    """
    return _C.mish_(input) if inplace else _C.mish(input)


def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> Any:
    """input where it is above threshold, else value.

    >>> F.threshold(torch.tensor([0.5, 2.]), 1., 20.)
    tensor([20.,  2.])
    """
    return _C.threshold_(input, threshold, value) if inplace else _C.threshold(input, threshold, value)


def rrelu(
    input: Any, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False, inplace: bool = False
) -> Any:
    """Leaky ReLU with a random slope from [lower, upper] in training, their mean otherwise.

    >>> F.rrelu(torch.tensor([-24., 1.]))
    tensor([-5.5000,  1.0000])
    """
    if inplace:  # the slopes' gradient reads what the input was
        return input.copy_(_C.rrelu(input.clone(), lower, upper, training))
    return _C.rrelu(input, lower, upper, training)


def rrelu_(input: Any, lower: float = 1.0 / 8, upper: float = 1.0 / 3, training: bool = False) -> Any:
    """rrelu in place.

    >>> F.rrelu_(torch.tensor([-24., 1.]))
    tensor([-5.5000,  1.0000])
    """
    return rrelu(input, lower, upper, training, inplace=True)


def glu(input: Any, dim: int = -1) -> Any:
    """The first half of input along dim times the sigmoid of the second.

    >>> F.glu(torch.tensor([1., 2., 0., 100.]))
    tensor([0.5000, 2.0000])
    """
    if input.dim() == 0:
        raise RuntimeError("glu does not support scalars because halving size must be even")
    return _C.glu(input, dim)


def tanhshrink(input: Any) -> Any:
    """input - tanh(input).

    >>> F.tanhshrink(torch.tensor([-1., 0., 2.]))
    tensor([-0.2384,  0.0000,  1.0360])
    """
    return input - input.tanh()


def softsign(input: Any) -> Any:
    """input / (1 + |input|).

    >>> F.softsign(torch.tensor([-1., 0., 3.]))
    tensor([-0.5000,  0.0000,  0.7500])
    """
    return input / (input.abs() + 1)


def _implicit_dim(name: str, ndim: int, stacklevel: int) -> int:
    """The dimension that softmax took in old code that named none."""
    import warnings

    warnings.warn(
        f"Implicit dimension choice for {name} has been deprecated. Change the call to include dim=X as an argument.",
        stacklevel=stacklevel + 1,
    )
    return 0 if ndim in (0, 1, 3) else 1


def softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """exp(input) scaled to sum to 1 along dim.

    >>> F.softmax(torch.tensor([[0., 0.], [1., 1001.]]), dim=1)
    tensor([[0.5000, 0.5000],
            [0.0000, 1.0000]])
    """
    if dim is None:
        dim = _implicit_dim("softmax", input.dim(), _stacklevel)
    return _C.softmax(input, dim) if dtype is None else _C.softmax(input, dim, dtype=dtype)


def softmin(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """softmax(-input).

    >>> F.softmin(torch.tensor([0., 1000.]), dim=0)
    tensor([1., 0.])
    """
    if dim is None:
        dim = _implicit_dim("softmin", input.dim(), _stacklevel)
    return _C.softmax(-input, dim) if dtype is None else _C.softmax(-input, dim, dtype=dtype)


def log_softmax(input: Any, dim: int | None = None, _stacklevel: int = 3, dtype: Any = None) -> Any:
    """log(softmax(input)), computed in one go and so without overflow.

    >>> F.log_softmax(torch.tensor([0., 1000.]), dim=0)
    tensor([-1000.,     0.])
    """
    if dim is None:
        dim = _implicit_dim("log_softmax", input.dim(), _stacklevel)
    return _C.log_softmax(input, dim) if dtype is None else _C.log_softmax(input, dim, dtype=dtype)


def gumbel_softmax(logits: Any, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1) -> Any:
    """A sample from the Gumbel-Softmax distribution (Jang et al. 2016); one-hot, with the soft gradient, if hard.

    >>> _ = torch.manual_seed(0)
    >>> F.gumbel_softmax(torch.zeros(2, 3), hard=True).sum(-1)
    tensor([1., 1.])
    """
    noise = -_C.empty_like(logits).exponential_().log()
    soft = _C.softmax((logits + noise) / tau, dim)
    if not hard:
        return soft
    index = soft.max(dim, keepdim=True)[1]
    return _C.zeros_like(logits).scatter_(dim, index, 1.0) - soft.detach() + soft


# ---- dropout ----


def _check_probability(p: float) -> None:
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """In training, zero each element with probability p and scale the others by 1 / (1 - p).

    >>> _ = torch.manual_seed(0)
    >>> F.dropout(torch.ones(6)), F.dropout(torch.ones(2), training=False)
    (tensor([0., 0., 2., 0., 0., 0.]), tensor([1., 1.]))
    """
    _check_probability(p)
    return _C.dropout_(input, p, training) if inplace else _C.dropout(input, p, training)


def alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Dropout that keeps mean and variance, for SELU networks.

    >>> F.alpha_dropout(torch.ones(3), 0.5)
    tensor([1., 1., 1.])
    """
    _check_probability(p)
    return _C.alpha_dropout_(input, p, training) if inplace else _C.alpha_dropout(input, p, training)


def feature_alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """alpha_dropout of whole channels.

    >>> F.feature_alpha_dropout(torch.ones(1, 2, 2), 0.5).sum()
    tensor(4.)
    """
    _check_probability(p)
    op = _C.feature_alpha_dropout_ if inplace else _C.feature_alpha_dropout
    return op(input, p, training)


def _channel_dropout(input: Any, p: float, training: bool, inplace: bool, spatial: int) -> Any:
    _check_probability(p)
    single = input.dim() == spatial + 1  # no batch dimension
    if single:
        input = input.unsqueeze_(0) if inplace else input.unsqueeze(0)
    result = _C.feature_dropout_(input, p, training) if inplace else _C.feature_dropout(input, p, training)
    if single:
        result = result.squeeze_(0) if inplace else result.squeeze(0)
    return result


def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Dropout of whole channels of (N, C, L) or (C, L).

    >>> _ = torch.manual_seed(0)
    >>> F.dropout1d(torch.ones(1, 3, 2))
    tensor([[[0., 0.],
             [0., 0.],
             [2., 2.]]])
    """
    if input.dim() not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {input.dim()}D input. "
            "Note that dropout1d exists to provide channel-wise dropout on inputs with 1 spatial dimension, a channel "
            "dimension, and an optional batch dimension (i.e. 2D or 3D inputs)."
        )
    return _channel_dropout(input, p, training, inplace, 1)


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Dropout of whole channels of (N, C, H, W).

    >>> _ = torch.manual_seed(0)
    >>> F.dropout2d(torch.ones(1, 4, 2, 2)).sum((2, 3))
    tensor([[0., 0., 8., 0.]])
    """
    if input.dim() not in (3, 4):
        import warnings

        warnings.warn(
            f"dropout2d: Received a {input.dim()}-D input to dropout2d, which is deprecated and will result in an error "
            "in a future release. To retain the behavior and silence this warning, please use dropout instead. Note "
            "that dropout2d exists to provide channel-wise dropout on inputs with 2 spatial dimensions, a channel "
            "dimension, and an optional batch dimension (i.e. 3D or 4D inputs).",
            stacklevel=2,
        )
    _check_probability(p)
    # Three dimensions are (N, C, L) here, as in old code, not (C, H, W): nothing is without a batch.
    return _C.feature_dropout_(input, p, training) if inplace else _C.feature_dropout(input, p, training)


def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Dropout of whole channels of (N, C, D, H, W) or (C, D, H, W).

    >>> F.dropout3d(torch.ones(1, 3, 2, 2, 2)).shape
    torch.Size([1, 3, 2, 2, 2])
    """
    return _channel_dropout(input, p, training, inplace, 3)


# ---- losses ----


def _to_same_size(input: Any, target: Any) -> Any:
    """Broadcast two tensors of different sizes, with the warning that this is seldom meant."""
    import warnings

    from rushlight._composite.shapes import broadcast_tensors

    warnings.warn(
        f"Using a target size ({target.shape}) that is different to the input size ({input.shape}). This will likely "
        "lead to incorrect results due to broadcasting. Please ensure they have the same size.",
        stacklevel=3,
    )
    return broadcast_tensors(input, target)


def _weighted(loss: Any, weight: Any, reduction: str) -> Any:
    """Weight unreduced losses, and reduce: the mean divides by the sum of the weights."""
    if weight.shape != loss.shape:
        raise ValueError("Inputs and weights must have the same size.")
    loss = loss * weight
    if reduction == "none":
        return loss
    return loss.sum() if reduction == "sum" else loss.sum() / weight.sum()


def mse_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    weight: Any = None,
) -> Any:  # fmt: skip
    """(input - target)^2, reduced.

    >>> F.mse_loss(torch.tensor([1., 2.]), torch.tensor([1., 4.]))
    tensor(2.)
    """
    if input.shape != target.shape:
        input, target = _to_same_size(input, target)
    reduction = _reduction.legacy(size_average, reduce, reduction)
    if weight is not None:
        return _weighted(_C.mse_loss(input, target, 0), weight, reduction)
    return _C.mse_loss(input, target, _code(reduction))


def l1_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    weight: Any = None,
) -> Any:  # fmt: skip
    """|input - target|, reduced.

    >>> F.l1_loss(torch.tensor([1., 2.]), torch.tensor([1., 4.]), reduction="none")
    tensor([0., 2.])
    """
    if input.shape != target.shape:
        input, target = _to_same_size(input, target)
    reduction = _reduction.legacy(size_average, reduce, reduction)
    if weight is not None:
        return _weighted(_C.l1_loss(input, target, 0), weight, reduction)
    return _C.l1_loss(input, target, _code(reduction))


def smooth_l1_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    beta: float = 1.0,
) -> Any:  # fmt: skip
    """Quadratic below beta, linear above (Fast R-CNN), reduced.

    >>> F.smooth_l1_loss(torch.tensor([0.5, 3.]), torch.zeros(2), reduction="none")
    tensor([0.1250, 2.5000])
    """
    if input.shape != target.shape:
        input, target = _to_same_size(input, target)
    code = _code(_reduction.legacy(size_average, reduce, reduction))
    return _C.l1_loss(input, target, code) if beta == 0.0 else _C.smooth_l1_loss(input, target, code, beta)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Any:
    """Quadratic below delta, delta times linear above, reduced.

    >>> F.huber_loss(torch.tensor([0.5, 3.]), torch.zeros(2), reduction="none", delta=2.)
    tensor([0.1250, 4.0000])
    """
    if input.shape != target.shape:
        input, target = _to_same_size(input, target)
    if weight is not None:
        return _weighted(_C.huber_loss(input, target, 0, delta), weight, reduction)
    return _C.huber_loss(input, target, _code(reduction), delta)


def nll_loss(
    input: Any, target: Any, weight: Any = None, size_average: bool | None = None, ignore_index: int = -100,
    reduce: bool | None = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """-input at the target class: input holds log-probabilities, (N, C, ...), target class indices, (N, ...).

    >>> F.nll_loss(torch.tensor([[0.9, 0.1], [0.5, 0.5]]).log(), torch.tensor([0, 1]))
    tensor(0.3993)
    """
    code = _code(_reduction.legacy(size_average, reduce, reduction))
    return _C.nll_loss_nd(input, target, weight, code, ignore_index)


def cross_entropy(
    input: Any, target: Any, weight: Any = None, size_average: bool | None = None, ignore_index: int = -100,
    reduce: bool | None = None, reduction: str = "mean", label_smoothing: float = 0.0,
) -> Any:  # fmt: skip
    """The cross entropy of logits (N, C, ...) with class indices (N, ...) or class probabilities (N, C, ...).

    >>> F.cross_entropy(torch.tensor([[2., 0.], [0., 2.]]), torch.tensor([0, 0]), reduction="none")
    tensor([0.1269, 2.1269])
    >>> F.cross_entropy(torch.tensor([[2., 0.]]), torch.tensor([[0.5, 0.5]]))
    tensor(1.1269)
    """
    code = _code(_reduction.legacy(size_average, reduce, reduction))
    return _C.cross_entropy_loss(input, target, weight, code, ignore_index, label_smoothing)


def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """The cross entropy of probabilities with targets in [0, 1].

    >>> F.binary_cross_entropy(torch.tensor([0.9, 0.2]), torch.tensor([1., 0.]))
    tensor(0.1643)
    """
    code = _code(_reduction.legacy(size_average, reduce, reduction))
    if target.shape != input.shape:
        raise ValueError(
            f"Using a target size ({target.shape}) that is different to the input size ({input.shape}) is deprecated. "
            "Please ensure they have the same size."
        )
    if weight is not None:
        weight = weight.expand_as(target)
    return _C.binary_cross_entropy(input, target, weight, code)


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean", pos_weight: Any = None,
) -> Any:  # fmt: skip
    """binary_cross_entropy of sigmoid(input), without overflow.

    >>> F.binary_cross_entropy_with_logits(torch.tensor([1000., -1000.]), torch.tensor([1., 0.]))
    tensor(0.)
    """
    code = _code(_reduction.legacy(size_average, reduce, reduction))
    if target.shape != input.shape:
        raise ValueError(f"Target size ({target.shape}) must be the same as input size ({input.shape})")
    return _C.binary_cross_entropy_with_logits(input, target, weight, pos_weight, code)


def kl_div(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
    log_target: bool = False,
) -> Any:  # fmt: skip
    """target * (log(target) - input): input (and with log_target also target) holds log-probabilities.

    >>> p, q = torch.tensor([[0.5, 0.5]]), torch.tensor([[0.9, 0.1]])
    >>> F.kl_div(q.log(), p, reduction="batchmean")
    tensor(0.5108)
    """
    reduction = _reduction.legacy(size_average, reduce, reduction)
    if reduction == "mean":
        import warnings

        warnings.warn(
            "reduction: 'mean' divides the total loss by both the batch size and the support size."
            "'batchmean' divides only by the batch size, and aligns with the KL div math definition."
            "'mean' will be changed to behave the same as 'batchmean' in the next major release.",
            stacklevel=2,
        )
    if reduction == "batchmean":
        total = _C.kl_div(input, target, 2, log_target=log_target)
        return total / input.shape[0] if input.dim() else total
    return _C.kl_div(input, target, _code(reduction), log_target=log_target)


def _reduced(loss: Any, reduction: str) -> Any:
    code = _code(reduction)
    return loss if code == 0 else loss.mean() if code == 1 else loss.sum()


def poisson_nll_loss(
    input: Any, target: Any, log_input: bool = True, full: bool = False, size_average: bool | None = None,
    eps: float = 1e-8, reduce: bool | None = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """The negative log likelihood of counts under a Poisson distribution, but for a constant.

    Args:
        input: the rates, or with log_input their logarithms, of any shape.
        target: the counts; shapes broadcast.
        log_input: exp(input) - target * input; without it input - target * log(input + eps).
        full: add Stirling's approximation of log(target!) where target is above 1.
        eps: keeps the logarithm finite at a rate of 0.
        reduction: "none", "mean" or "sum".

    >>> F.poisson_nll_loss(torch.tensor([0., 1.]), torch.tensor([1., 3.]))
    tensor(0.3591)
    """
    code = _code(_reduction.legacy(size_average, reduce, reduction))
    return _C.poisson_nll_loss(input, target, log_input, full, eps, code)


def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """The negative log likelihood of targets under normal distributions with means input and variances var.

    >>> F.gaussian_nll_loss(torch.tensor([0.]), torch.tensor([2.]), torch.tensor([1.]))
    tensor(2.)
    """
    if isinstance(var, float):
        if var < 0:
            raise ValueError("var has negative entry/entries")
        var = var * _C.ones_like(input)
    elif (var < 0).any():
        raise ValueError("var has negative entry/entries")
    if var.shape != input.shape:
        if input.shape[:-1] == var.shape:
            var = var.unsqueeze(-1)
        elif input.dim() != var.dim() or [b for a, b in zip(input.shape, var.shape, strict=True) if a != b] != [1]:
            raise ValueError(
                f"var is of incorrect size: {tuple(var.shape)} for an input of shape {tuple(input.shape)}; it must have "
                "the input's shape, or 1 in one dimension, or no last dimension"
            )
    _code(reduction)
    with_floor = var.clone()
    recording = _C._is_grad_enabled()
    _C._set_grad_enabled(False)
    try:
        with_floor.clamp_(min=eps)
    finally:
        _C._set_grad_enabled(recording)
    loss = 0.5 * (with_floor.log() + (input - target) ** 2 / with_floor)
    if full:
        loss = loss + 0.9189385332046727
    return _reduced(loss, reduction)


def hinge_embedding_loss(
    input: Any, target: Any, margin: float = 1.0, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """input where target is 1, max(0, margin - input) where it is -1.

    >>> F.hinge_embedding_loss(torch.tensor([0.3, 0.3]), torch.tensor([1., -1.]), reduction="none")
    tensor([0.3000, 0.7000])
    """
    code = _code(_reduction.legacy(size_average, reduce, reduction))
    return _C.hinge_embedding_loss(input, target, margin, code)


def soft_margin_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
) -> Any:
    """log(1 + exp(-target * input)), reduced.

    >>> F.soft_margin_loss(torch.tensor([0., 2.]), torch.tensor([1., 1.]))
    tensor(0.4100)
    """
    return _C.soft_margin_loss(input, target, _code(_reduction.legacy(size_average, reduce, reduction)))


def margin_ranking_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """max(0, -target * (input1 - input2) + margin), reduced.

    >>> F.margin_ranking_loss(torch.tensor([3., 1.]), torch.tensor([1., 3.]), torch.tensor([1., 1.]))
    tensor(1.)
    """
    code = _code(_reduction.legacy(size_average, reduce, reduction))
    if not input1.dim() == input2.dim() == target.dim():
        raise RuntimeError(
            "margin_ranking_loss : All input tensors should have same dimension but got sizes: "
            f"input1: {input1.size()}, input2: {input2.size()}, target: {target.size()} "
        )
    return _C.margin_ranking_loss(input1, input2, target, margin, code)


def cosine_embedding_loss(
    input1: Any, input2: Any, target: Any, margin: float = 0, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """1 - cos where target is 1, max(0, cos - margin) where it is -1, reduced.

    >>> x, y = torch.tensor([[1., 0.]]), torch.tensor([[0., 1.]])
    >>> F.cosine_embedding_loss(x, y, torch.tensor([1]))
    tensor(1.)
    """
    code = _code(_reduction.legacy(size_average, reduce, reduction))
    return _C.cosine_embedding_loss(input1, input2, target, margin, code)


def triplet_margin_loss(
    anchor: Any, positive: Any, negative: Any, margin: float = 1.0, p: float = 2, eps: float = 1e-6,
    swap: bool = False, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """max(0, d(anchor, positive) - d(anchor, negative) + margin), reduced.

    >>> F.triplet_margin_loss(torch.tensor([[0.]]), torch.tensor([[1.]]), torch.tensor([[1.5]]))
    tensor(0.5000)
    """
    code = _code(_reduction.legacy(size_average, reduce, reduction))
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    return _C.triplet_margin_loss(anchor, positive, negative, margin, p, eps, swap, code)


# ---- normalisation, padding ----


def layer_norm(input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Mean 0 and variance 1 over the last dimensions, then weight and bias.

    >>> F.layer_norm(torch.tensor([[1., 2., 3.]]), (3,))
    tensor([[-1.2247,  0.0000,  1.2247]])
    """
    return _C.layer_norm(input, normalized_shape, weight, bias, eps)


def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: float | None = None) -> Any:
    """input over its root mean square in the last dimensions, then weight.

    >>> F.rms_norm(torch.tensor([[3., 4.]]), (2,))
    tensor([[0.8485, 1.1314]])
    """
    return _C.rms_norm(input, normalized_shape, weight, eps)


def normalize(input: Any, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Any = None) -> Any:
    """input over its p-norm along dim (at least eps).

    >>> F.normalize(torch.tensor([[3., 4.], [0., 0.]]))
    tensor([[0.6000, 0.8000],
            [0.0000, 0.0000]])
    """
    norm = input.norm(p, dim, keepdim=True).clamp_min(eps).expand_as(input)
    return input / norm if out is None else _C.div(input, norm, out=out)


def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """Add elements before and after each of the last dimensions: pad = (left, right, top, bottom, ...).

    >>> x = torch.tensor([[1., 2., 3.]])
    >>> F.pad(x, (1, 2)), F.pad(x, (1, 1), mode="reflect")
    (tensor([[0., 1., 2., 3., 0., 0.]]), tensor([[2., 1., 2., 3., 2.]]))
    """
    return _C.pad(input, pad, mode, value)


from rushlight.nn._functional.attention import *  # noqa: E402, F403
from rushlight.nn._functional.attention import _canonical_mask, _none_or_dtype  # noqa: E402, F401
from rushlight.nn._functional.conv import *  # noqa: E402, F403
from rushlight.nn._functional.loss import *  # noqa: E402, F403
from rushlight.nn._functional.norm import *  # noqa: E402, F403
from rushlight.nn._functional.pooling import *  # noqa: E402, F403
from rushlight.nn._functional.resample import *  # noqa: E402, F403
from rushlight.nn._functional.sparse import *  # noqa: E402, F403
