"""CTC, margin losses, the adaptive softmax and bags of embeddings: recorded values and gradients, errors."""

import itertools
import math

import pytest

from rushlight.autograd import gradcheck

from . import sequences
from .conftest import torch

nn, F = torch.nn, torch.nn.functional


@pytest.mark.parametrize("name", sequences.names("ctc", "margins", "bags", "adaptive_softmax", "gumbel"))
def test_values_and_gradients(name):
    sequences.check(name)


def test_ctc_is_the_sum_over_all_alignments():
    steps, classes, target = 4, 3, [1, 2]
    log_probs = torch.randn(steps, 1, classes, dtype=torch.float64).log_softmax(2)

    def collapse(path):
        return [c for c, _ in itertools.groupby(path) if c != 0]

    total = sum(
        math.exp(sum(log_probs[t, 0, c].item() for t, c in enumerate(path)))
        for path in itertools.product(range(classes), repeat=steps)
        if collapse(path) == target
    )
    loss = F.ctc_loss(log_probs, torch.tensor([target]), (steps,), (2,), reduction="sum")
    assert math.isclose(loss.item(), -math.log(total), rel_tol=1e-12)


def test_gradients_of_ctc():
    x = torch.randn(5, 2, 4, dtype=torch.float64, requires_grad=True)
    targets = torch.tensor([[1, 1, 2], [3, 2, 0]])
    assert gradcheck(lambda x: F.ctc_loss(x.log_softmax(2), targets, (5, 4), (3, 2)), (x,))


def test_errors_of_ctc():
    x = torch.randn(5, 2, 4).log_softmax(2)
    targets = torch.tensor([[1, 2], [3, 1]])
    for args, kwargs, words in (
        ((x, targets, (5, 6), (2, 2)), {}, "at most 5, but got value 6"),
        ((x, targets, (5,), (2, 2)), {}, "input_lengths must be of size batch_size"),
        ((x, targets, (5, 5), (2, 3)), {}, "at least 3 at dimension 1, but got size 2"),
        ((x, targets.reshape(-1), (5, 5), (2, 1)), {}, "Expected tensor to have size 3 at dimension 0, but got size 4"),
        ((x, targets, (5, 5), (2, 2)), {"blank": 4}, "blank must be in label range"),
        ((x, targets + 3, (5, 5), (2, 2)), {}, "target 4 of sequence 0 is not in"),
        ((x, targets.float(), (5, 5), (2, 2)), {}, "targets must be torch.long or torch.int"),
    ):
        with pytest.raises(RuntimeError, match=words):
            F.ctc_loss(*args, **kwargs)


def test_errors_of_margins():
    x = torch.randn(3, 4)
    for call, kind, words in (
        (lambda: F.multi_margin_loss(x, torch.tensor([0, 1, 4])), RuntimeError, "target out of range"),
        (
            lambda: F.multi_margin_loss(x, torch.tensor([0, 1])),
            RuntimeError,
            r"Expected target size \[3\], but got \[2\]",
        ),
        (lambda: F.multi_margin_loss(x, torch.tensor([0, 1, 2]), p=3), ValueError, "only p == 1 and p == 2"),
        (lambda: F.multilabel_margin_loss(x, torch.zeros(3, 3).long()), RuntimeError, "inconsistent target size"),
        (lambda: F.multilabel_margin_loss(x, torch.full((3, 4), 4)), RuntimeError, "out of range"),
        (lambda: F.triplet_margin_with_distance_loss(x, x, x[0]), RuntimeError, "same number of dimensions"),
        (lambda: nn.MultiMarginLoss(weight=torch.ones(2, 2)), ValueError, "expected weight to be None or 1D tensor"),
        (lambda: F.linear_cross_entropy(x, torch.randn(2, 5), torch.zeros(3).long()), RuntimeError, "got 4 and 5"),
        (lambda: nn.AdaptiveLogSoftmaxWithLoss(8, 10, [5, 5]), ValueError, "unique, positive integers"),
        (
            lambda: nn.AdaptiveLogSoftmaxWithLoss(4, 10, [5])(x, torch.tensor([0, 1, 10])),
            RuntimeError,
            r"in \[0, 9\], but values in range \[0, 10\]",
        ),
    ):
        with pytest.raises(kind, match=words):
            call()


def test_bags():
    weight = torch.randn(5, 3)
    indices = torch.tensor([0, 1, 2, 2])
    expected = torch.stack([weight[:2].mean(0), weight[2], torch.zeros(3)])
    torch.testing.assert_close(F.embedding_bag(indices, weight, torch.tensor([0, 2, 4])), expected)
    ends = torch.tensor([0, 2, 4, 4])
    torch.testing.assert_close(F.embedding_bag(indices, weight, ends, include_last_offset=True), expected)
    ends = torch.tensor([0, 1, 3])  # what comes after the last one is in no bag
    summed = F.embedding_bag(indices[:4], weight, ends, mode="sum", include_last_offset=True)
    torch.testing.assert_close(summed, torch.stack([weight[indices[0]], weight[indices[1:3]].sum(0)]))
    assert F.embedding_bag(indices, weight, ends[:0]).shape == (0, weight.shape[1])
    torch.testing.assert_close(F.embedding_bag(indices.int().view(2, 2), weight, mode="max")[1], weight[2])
    bag = nn.EmbeddingBag(5, 3, padding_idx=-1, mode="sum")
    assert (bag.weight[4] == 0).all() and repr(bag) == "EmbeddingBag(5, 3, mode='sum', padding_idx=4)"
    assert not nn.EmbeddingBag.from_pretrained(weight).weight.requires_grad
    F.embedding_bag(indices, weight, torch.tensor([0]), max_norm=0.5)
    assert (weight[:3].norm(dim=1) <= 0.5001).all()
    for call, kind, words in (
        (lambda: F.embedding_bag(indices, weight), ValueError, "offsets has to be a 1D Tensor but got None"),
        (lambda: F.embedding_bag(indices, weight, torch.tensor([1])), RuntimeError, r"offsets\[0\] has to be 0"),
        (lambda: F.embedding_bag(indices, weight, torch.tensor([0, 9])), RuntimeError, "can not be greater than"),
        (
            lambda: F.embedding_bag(indices + 3, weight, torch.tensor([0])),
            RuntimeError,
            "Index 2 of input takes value 5",
        ),
        (lambda: F.embedding_bag(indices, weight, ends, mode="median"), ValueError, "mode has to be one of"),
        (
            lambda: F.embedding_bag(indices, weight, ends, per_sample_weights=torch.ones(4)),
            NotImplementedError,
            "only supported for mode='sum'",
        ),
    ):
        with pytest.raises(kind, match=words):
            call()


def test_modules():
    x, y = torch.randn(3, 4), torch.tensor([0, 1, 2])
    torch.testing.assert_close(nn.MultiMarginLoss(p=2)(x, y), F.multi_margin_loss(x, y, 2))
    with pytest.warns(FutureWarning, match="NLLLoss2d"):
        assert nn.NLLLoss2d()(x.log_softmax(1), y) == nn.CrossEntropyLoss()(x, y)
    head = nn.LinearCrossEntropyLoss(4, 5, bias=True, options=nn.LinearCrossEntropyOptions())
    torch.testing.assert_close(head(x, y), F.cross_entropy(head.linear(x), y))
    assert repr(nn.TripletMarginWithDistanceLoss()).startswith("TripletMarginWithDistanceLoss(\n  (distance_function)")
    with pytest.raises(ValueError, match="invalid acc_policy"):
        nn.LinearCrossEntropyOptions(acc_policy="fast")


def test_an_infinite_logit_leaves_no_distribution():
    x = torch.tensor([[float("inf"), 0.0, 1.0], [0.0, 1.0, 2.0]], requires_grad=True)
    loss = torch.nn.functional.cross_entropy(x, torch.tensor([1, 1]), reduction="none")
    assert loss[0].isnan() and loss[1].isfinite()
    loss.sum().backward()
    assert x.grad[0].isnan().all() and x.grad[1].isfinite().all()


def test_counts_of_zero_have_a_gradient():
    x = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64, requires_grad=True)
    counts = torch.tensor([0.0, 1.0, 3.0], dtype=torch.float64, requires_grad=True)
    F.poisson_nll_loss(x, counts, full=True, reduction="sum").backward()
    torch.testing.assert_close(x.grad, (x.exp() - counts).detach())
    stirling = math.log(3) + 0.5 / 3  # of targets above 1
    torch.testing.assert_close(counts.grad, -x.detach() + torch.tensor([0.0, 0.0, stirling], dtype=torch.float64))
    assert F.poisson_nll_loss(torch.tensor([1, 2]), torch.tensor([1, 2])).dtype == torch.float32
    with pytest.raises(ValueError, match="foo is not a valid value"):
        F.poisson_nll_loss(x, counts, reduction="foo")


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weighted", [False, True])
def test_cross_entropy_of_logits_far_from_zero(smoothing, weighted):
    """The loss and its gradient are those of the logits' differences, however large what they have in common is."""
    torch.manual_seed(0)
    far = torch.randn(70, 37) * 4 + 1024.0
    near, target = far - 1024.0, torch.randint(37, (70,))
    near[:35, 0] += 30  # sure predictions: losses of 1e-10
    far[:35, 0] += 30
    near, far = (near + 1024.0) - 1024.0, far  # the same numbers to the last bit
    target[:35] = 0
    weight = torch.rand(37) + 0.5 if weighted else None
    results = []
    for logits in (near, far, near.double()):
        x = logits.clone().requires_grad_()
        w = weight.to(x.dtype) if weighted else None
        loss = F.cross_entropy(x, target, w, reduction="none", label_smoothing=smoothing)
        loss.sum().backward()
        results.append((loss.detach(), x.grad))
    for got in results[:2]:
        for value, exact in zip(got, results[2], strict=True):
            assert ((value.double() - exact).abs() <= 2e-7 + 1e-6 * exact.abs()).all()
    assert results[1][1].double().sum(1).abs().max() < 1e-6


def test_ctc_has_no_second_derivative():
    x = torch.randn(5, 2, 4, dtype=torch.float64, requires_grad=True)
    loss = F.ctc_loss(x.log_softmax(2), torch.tensor([[1, 2], [1, 1]]), torch.tensor([5, 5]), torch.tensor([2, 2]))
    (g,) = torch.autograd.grad(loss, x, create_graph=True)
    with pytest.raises(RuntimeError, match="derivative for aten::_ctc_loss_backward is not implemented"):
        g.sum().backward()
