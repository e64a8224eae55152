"""Losses that are compositions, and the CTC loss."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rushlight import _C
from rushlight._autocast import in_float32
from rushlight.nn import _reduction

if TYPE_CHECKING:
    from collections.abc import Callable

    from rushlight.nn.modules.linear_cross_entropy_options import LinearCrossEntropyOptions

__all__ = [
    "ctc_loss",
    "linear_cross_entropy",
    "multi_margin_loss",
    "multilabel_margin_loss",
    "multilabel_soft_margin_loss",
    "triplet_margin_with_distance_loss",
]


def _reduced(loss: Any, reduction: str) -> Any:
    code = _reduction.code(reduction)
    return loss if code == 0 else loss.mean() if code == 1 else loss.sum()


def ctc_loss(
    log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any, blank: int = 0, reduction: str = "mean",
    zero_infinity: bool = False,
) -> Any:  # fmt: skip
    """Connectionist temporal classification: the negative log probability of a target, over all alignments.

    Args:
        log_probs: (steps, batch, classes), or (steps, classes) for one sequence; logarithms, as of log_softmax.
        targets: classes without blanks, (batch, longest), or all one after another.
        input_lengths, target_lengths: of each sequence, tensors or tuples.
        blank: the class that stands for nothing.
        reduction: "mean" divides by the targets' lengths, then averages; "sum"; "none".
        zero_infinity: losses of targets longer than their input count as 0 instead of infinity.

    >>> log_probs = torch.zeros(5, 1, 3).log_softmax(2)
    >>> F.ctc_loss(log_probs, torch.tensor([[1, 2]]), (5,), (2,))
    tensor(0.9689)

    Reference: Graves et al. (2006), https://www.cs.toronto.edu/~graves/icml_2006.pdf
    """
    code = _reduction.code(reduction)
    is_tensor = [isinstance(lengths, _C.Tensor) for lengths in (input_lengths, target_lengths)]
    if all(is_tensor):
        return _C.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, code, zero_infinity)
    plain = [x.tolist() if isinstance(x, _C.Tensor) else x for x in (input_lengths, target_lengths)]
    of_inputs, of_targets = ([x] if isinstance(x, int) else list(x) for x in plain)
    return _C.ctc_loss(log_probs, targets, of_inputs, of_targets, blank, code, zero_infinity)


def _check_class_scores(name: str, input: Any) -> None:
    if input.dim() > 2 or (input.dim() == 2 and input.shape[1] == 0) or (input.dim() < 2 and input.numel() == 0):
        raise RuntimeError(
            f"{name}: Expected non-empty vector or matrix with optional 0-dim batch size, but got: {list(input.shape)}"
        )


@in_float32
def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: float = 1.0, weight: Any = None, size_average: bool | None = None,
    reduce: bool | None = None, reduction: str = "mean",
) -> Any:  # fmt: skip
    """The mean over wrong classes of max(0, margin - score of the right class + score of the wrong one)^p.

    Shapes: input (N, C) or (C), target (N) or (); the weight, one per class, counts for the right class.

    >>> F.multi_margin_loss(torch.tensor([[0.1, 0.2, 0.4, 0.8]]), torch.tensor([3]))
    tensor(0.3250)
    """
    reduction = _reduction.legacy(size_average, reduce, reduction)
    _reduction.code(reduction)
    if p not in (1, 2):
        raise ValueError("only p == 1 and p == 2 supported")
    if weight is not None and weight.dim() != 1:
        raise ValueError("weight must be one-dimensional")
    _check_class_scores("multi_margin_loss", input)
    if target.dtype != _C.int64:
        raise RuntimeError(f"expected scalar type Long but found {str(target.dtype).partition('.')[2].capitalize()}")
    scores = input.reshape(-1, input.shape[-1]) if input.dim() else input.reshape(1, 1)
    rows, classes = scores.shape
    if target.dim() > 1 or target.numel() != rows:
        raise RuntimeError(
            "multi_margin_loss: target tensor should be 1-D with size equal to the number of input samples (batch "
            f"size). Expected target size [{rows}], but got {list(target.shape)}. Input has shape {list(input.shape)}."
        )
    if weight is not None and weight.numel() != classes:
        raise RuntimeError(f"inconsistent weight size, expected {classes} but got {list(weight.shape)}")
    right = target.reshape(-1, 1)
    if rows and bool(((right < 0) | (right >= classes)).any()):
        raise RuntimeError(f"target out of range: expected classes in [0, {classes - 1}]")
    terms = (margin - scores.gather(1, right) + scores).clamp_min(0)
    if p == 2:
        terms = terms * terms
    if weight is not None:
        terms = terms * weight[right]
    terms = terms.scatter(1, right, 0.0)  # the right class against itself
    loss = _reduced(terms.sum(1) / classes, reduction)
    return loss.reshape(target.shape) if reduction == "none" and input.dim() < 2 else loss


@in_float32
def multilabel_margin_loss(
    input: Any, target: Any, size_average: bool | None = None, reduce: bool | None = None, reduction: str = "mean"
) -> Any:
    """The sum over right and wrong classes of max(0, 1 - score of the right + score of the wrong), over the classes.

    Shapes: input and target (N, C) or (C); a row of the target lists the right classes, and ends at the first -1.

    >>> F.multilabel_margin_loss(torch.tensor([[0.1, 0.2, 0.4, 0.8]]), torch.tensor([[3, 0, -1, 1]]))
    tensor(0.8500)
    """
    reduction = _reduction.legacy(size_average, reduce, reduction)
    _reduction.code(reduction)
    _check_class_scores("multilabel_margin_loss", input)
    if target.dtype != _C.int64:
        found = str(target.dtype).removeprefix("torch.")
        raise RuntimeError(f"expected scalar type Long but found {found}: the target lists classes: target.long()")
    if target.shape != input.shape and not (input.dim() < 2 and target.numel() == input.numel()):
        raise RuntimeError(f"inconsistent target size: {list(target.shape)} for input of size: {list(input.shape)}")
    classes = input.shape[-1] if input.dim() else 1
    scores, labels = input.reshape(-1, classes), target.reshape(-1, classes)
    if bool(((labels < -1) | (labels >= classes)).any()):
        raise RuntimeError(f"argument #2 'target' is out of range: expected -1 or classes in [0, {classes - 1}]")
    listed = (labels < 0).cumsum(1) == 0
    places = _C.where(listed, labels, classes)
    right = _C.zeros(len(scores), classes + 1, dtype=_C.bool).scatter(1, places, True)[:, :classes]
    # One right class of every row at a time: few are listed, and all at once are as large as the scores squared.
    loss = scores.sum(1) * 0
    for k in range(int(listed.sum(1).max()) if listed.numel() else 0):
        margins = (1 - scores.gather(1, labels[:, k : k + 1].clamp_min(0)) + scores).clamp_min(0)
        loss = loss + margins.masked_fill(right | ~listed[:, k : k + 1], 0.0).sum(1)
    loss = loss / classes
    loss = _reduced(loss, reduction)
    return loss.reshape(()) if reduction == "none" and input.dim() < 2 else loss


def multilabel_soft_margin_loss(
    input: Any, target: Any, weight: Any = None, size_average: bool | None = None, reduce: bool | None = None,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """The mean over the classes of the binary cross entropy of logits (N, C) with targets (N, C) of 0 and 1.

    >>> F.multilabel_soft_margin_loss(torch.tensor([[0., 2.]]), torch.tensor([[0., 1.]]))
    tensor(0.4100)
    """
    reduction = _reduction.legacy(size_average, reduce, reduction)
    _reduction.code(reduction)
    loss = -(target * _C.log_sigmoid(input) + (1 - target) * _C.log_sigmoid(-input))
    if weight is not None:
        loss = loss * weight
    return _reduced(loss.sum(-1) / loss.shape[-1], reduction)


def triplet_margin_with_distance_loss(
    anchor: Any, positive: Any, negative: Any, *, distance_function: Callable[[Any, Any], Any] | None = None,
    margin: float = 1.0, swap: bool = False, reduction: str = "mean",
) -> Any:  # fmt: skip
    """max(0, d(anchor, positive) - d(anchor, negative) + margin) with any distance d; the 2-norm, if None.

    swap: where the positive is nearer to the negative than the anchor is, that distance counts (Balntas et al., 2016).

    >>> distance = lambda x, y: (x - y).abs().sum(-1)
    >>> x, near, far = torch.zeros(1, 1), torch.tensor([[1.]]), torch.tensor([[1.5]])
    >>> F.triplet_margin_with_distance_loss(x, near, far, distance_function=distance)
    tensor(0.5000)
    """
    _reduction.code(reduction)
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    dims = (anchor.dim(), positive.dim(), negative.dim())
    if len(set(dims)) > 1:
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but got: "
            f"anchor {dims[0]}D, positive {dims[1]}D, and negative {dims[2]}D inputs"
        )
    distance = distance_function or _C.pairwise_distance
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = _C.minimum(far, distance(positive, negative))
    return _reduced((near - far + margin).clamp_min(0), reduction)


def linear_cross_entropy(
    input: Any, linear_weight: Any, target: Any, *, linear_bias: Any = None, weight: Any = None,
    reduction: str = "mean", ignore_index: int | None = None, label_smoothing: float = 0.0,
    options: LinearCrossEntropyOptions | None = None,
) -> Any:  # fmt: skip
    """cross_entropy of linear(input, linear_weight, linear_bias).

    Shapes: input (N, in_features) or (in_features), linear_weight (classes, *out_features, in_features), target as of
    cross_entropy for logits (N, classes, *out_features). `options` are accepted; they would save memory, not change values.
    """
    if input.dim() not in (1, 2):
        raise RuntimeError(f"expected input with dimensionality 1 or 2, got {input.dim()}")
    if linear_weight.dim() < 2:
        raise RuntimeError(f"expected linear_weight with dimensionality at least 2, got {linear_weight.dim()}")
    batch, width = input.shape[:-1], input.shape[-1]
    if width != linear_weight.shape[-1]:
        raise RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), "
            f"got {width} and {linear_weight.shape[-1]}, respectively"
        )
    outputs = tuple(linear_weight.shape[:-1])
    if linear_bias is not None and tuple(linear_bias.shape) != outputs:
        raise RuntimeError(f"expected linear_bias shape {outputs}, got {tuple(linear_bias.shape)}")
    if len(outputs) > 1 and not batch:
        raise RuntimeError(
            f"K-dimensional loss defined by linear_weight shape {tuple(linear_weight.shape)} requires batched input, "
            f"(N, {width}), got unbatched input with shape {tuple(input.shape)}"
        )
    shape = (*batch, *outputs)
    if tuple(target.shape) == shape and ignore_index is not None:
        raise RuntimeError("ignore_index cannot be specified when target contains probabilities")
    flat = linear_weight.reshape(math.prod(outputs), width)
    bias = None if linear_bias is None else linear_bias.reshape(-1)
    ignored = -100 if ignore_index is None else ignore_index

    def loss(*given: Any) -> Any:
        x, w, b, classes = given
        logits = _C.linear(x, w, b).reshape(shape)
        return _C.cross_entropy_loss(logits, target, classes, _reduction.code(reduction), ignored, label_smoothing)

    if options is not None and input.dtype.itemsize == 2:  # in chunks, PyTorch does not round the logits
        return loss(*(None if t is None else t.float() for t in (input, flat, bias, weight))).to(input.dtype)
    return loss(input, flat, bias, weight)
