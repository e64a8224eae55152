"""One gradient, asked for in several ways: of strided and expanded seeds, of one input, through a recorded backward."""

import pytest

from .conftest import torch

F = torch.nn.functional
linalg = torch.linalg


def r(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def positive(x):
    return x @ x.mT + 3 * torch.eye(x.shape[-1], dtype=x.dtype)


BAGS = torch.tensor([0, 2, 1, 2, 0]), torch.tensor([0, 2, 2])
CASES = {
    "attention": (F.scaled_dot_product_attention, (2, 3, 4), (2, 5, 4), (2, 5, 6)),
    "attention, broadcast": (F.scaled_dot_product_attention, (2, 1, 3, 4), (1, 2, 5, 4), (1, 2, 5, 4)),
    "attention, no keys": (F.scaled_dot_product_attention, (2, 3, 4), (2, 0, 4), (2, 0, 4)),
    "attention, causal": (lambda q, k, v: F.scaled_dot_product_attention(q, k, v, is_causal=True), *[(2, 3, 4)] * 3),
    "attention, mask": (F.scaled_dot_product_attention, (2, 2, 3, 4), (2, 2, 5, 4), (2, 2, 5, 4), (2, 1, 1, 5)),
    "layer_norm": (lambda x, w, b: F.layer_norm(x, (3, 4), w, b), (2, 3, 4), (3, 4), (3, 4)),
    "layer_norm, no rows": (lambda x, w, b: F.layer_norm(x, (4,), w, b), (0, 4), (4,), (4,)),
    "group_norm": (lambda x, w, b: F.group_norm(x, 2, w, b), (2, 4, 3), (4,), (4,)),
    "batch_norm": (lambda x, w, b: F.batch_norm(x, None, None, w, b, True), (4, 3, 2), (3,), (3,)),
    "rms_norm": (lambda x, w: F.rms_norm(x, (4,), w), (3, 4), (4,)),
    "conv1d": (lambda x, w, b: F.conv1d(x, w, b, 2, 1, 2, 2), (2, 4, 7), (4, 2, 3), (4,)),
    "conv2d": (lambda x, w, b: F.conv2d(x, w, b, padding=1), (2, 3, 5, 6), (4, 3, 3, 3), (4,)),
    "conv2d, no batch": (lambda x, w, b: F.conv2d(x, w, b), (0, 3, 5, 6), (4, 3, 3, 3), (4,)),
    "conv_transpose2d": (lambda x, w, b: F.conv_transpose2d(x, w, b, 2, 1, 1), (2, 3, 3, 3), (3, 4, 3, 3), (4,)),
    "grid_sample": (lambda x, g: F.grid_sample(x, g * 0.9, align_corners=False), (2, 2, 3, 4), (2, 3, 2, 2)),
    "embedding_bag": (
        lambda w, p: F.embedding_bag(BAGS[0], w, BAGS[1], mode="sum", per_sample_weights=p), (4, 3), (5,)
    ),
    "embedding_bag, max": (lambda w: F.embedding_bag(BAGS[0], w, BAGS[1], mode="max", padding_idx=2), (4, 3)),
    "cdist": (torch.cdist, (2, 1, 3, 4), (3, 5, 4)),
    "cdist, p": (lambda a, b: torch.cdist(a, b, 1.5), (2, 3, 4), (2, 5, 4)),
    "cdist, no rows": (lambda a, b: torch.cdist(a, b, 1.5), (0, 4), (5, 4)),
    "solve": (lambda x, b: linalg.solve(positive(x), b), (2, 3, 3), (2, 3, 2)),
    "cholesky": (lambda x: linalg.cholesky(positive(x)), (2, 3, 3)),
    "qr": (lambda x: tuple(linalg.qr(x)), (4, 2)),
    "slogdet": (lambda x: linalg.slogdet(x)[1], (2, 3, 3)),
    "eigvalsh": (lambda x: linalg.eigvalsh(x + x.mT), (2, 3, 3)),
    "svdvals": (linalg.svdvals, (4, 3)),
    "lstsq": (lambda a, b: linalg.lstsq(a, b)[0], (4, 2), (4, 3)),
    "of nothing": (linalg.inv, (2, 0, 0)),
    "addmm": (lambda c, a, b: torch.addmm(c, a, b, beta=0.5, alpha=2), (3,), (2, 4), (4, 3)),
    "linear over nothing": (F.linear, (2, 0), (3, 0), (3,)),
    "cross_entropy": (lambda x: F.cross_entropy(x, BAGS[1], label_smoothing=0.1), (3, 4)),
    "cumprod": (lambda x: (x * torch.tensor([1.0, 0, 2, 0])).cumprod(1), (3, 4)),
    "lstm": (lambda x, *w: torch.lstm(x, (x.new_zeros(1, 2, 2), x.new_zeros(1, 2, 2)), w, True, 1, 0.0, True, False, False),
             (4, 2, 3), (8, 3), (8, 2), (8,), (8,)),
    "gru": (lambda x, h, *w: torch.gru(x, h, w, True, 1, 0.0, True, False, False),
            (4, 2, 3), (1, 2, 2), (6, 3), (6, 2), (6,), (6,)),
}  # fmt: skip


def strided(t):
    """The same values, every other element of a larger memory, with the outer dimensions swapped."""
    if t.dim() == 0:
        return torch.stack([t, t + 1])[0]
    swapped = t.transpose(0, -1).contiguous().transpose(0, -1)
    larger = swapped.new_zeros(*swapped.shape[:-1], 2 * swapped.shape[-1])
    larger[..., ::2] = swapped
    return larger[..., ::2]


def results(f, inputs):
    found = f(*inputs)
    return [t for t in (found if isinstance(found, tuple) else (found,)) if t.requires_grad]


@pytest.mark.parametrize("name", CASES)
def test_ways_to_ask(name):
    f, *shapes = CASES[name]
    torch.manual_seed(2)
    inputs = [r(*shape).requires_grad_() for shape in shapes]
    outputs = results(f, inputs)
    seeds = [torch.randn_like(t) for t in outputs]

    def ask(seeds, **options):
        return torch.autograd.grad(outputs, inputs, seeds, retain_graph=True, allow_unused=True, **options)

    def same(got, want):
        for g, w in zip(got, want, strict=True):
            torch.testing.assert_close(g, w, rtol=1e-9, atol=1e-9)

    plain = ask(seeds)
    same(ask([strided(v) for v in seeds]), plain)
    same([g.detach() for g in ask(seeds, create_graph=True)], plain)
    number = torch.tensor(0.7, dtype=torch.float64)
    same(ask([number.expand(t.shape) for t in outputs]), ask([torch.full_like(t, 0.7) for t in outputs]))

    others = [strided(x.detach()).detach().requires_grad_() for x in inputs]
    same(torch.autograd.grad(results(f, others), others, seeds), plain)
    for i in range(len(inputs)):  # one input alone
        some = [x.detach().clone().requires_grad_(i == j) for j, x in enumerate(inputs)]
        found = results(f, some)
        if len(found) == len(outputs):
            same(torch.autograd.grad(found, [some[i]], seeds), plain[i : i + 1])
    for i in range(len(outputs) if len(outputs) > 1 else 0):  # one result alone
        alone = torch.autograd.grad(outputs[i], inputs, seeds[i], retain_graph=True, allow_unused=True)
        rest = ask([v if i == j else torch.zeros_like(v) for j, v in enumerate(seeds)])
        same([torch.zeros_like(x) if g is None else g for g, x in zip(alone, inputs, strict=True)], rest)


REFUSED = {
    "nll_loss_forward": lambda w: F.nll_loss(r(4, 3), torch.tensor([0, 2, 1, 1]), w),
    "nll_loss2d_forward": lambda w: F.cross_entropy(r(2, 3, 4, 4), torch.zeros(2, 4, 4, dtype=torch.int64), w),
    "binary_cross_entropy": lambda w: F.binary_cross_entropy(r(3).sigmoid(), r(3).sigmoid(), w),
    "binary_cross_entropy_with_logits": lambda w: F.binary_cross_entropy_with_logits(r(3), r(3), pos_weight=w),
    "native_batch_norm": lambda w: F.batch_norm(r(4, 3), w, torch.ones(3, dtype=torch.float64)),
}


@pytest.mark.parametrize("function", REFUSED)
def test_arguments_without_a_gradient(function):
    words = f"The function '{function}' is not differentiable with respect to argument"
    with pytest.raises(RuntimeError, match=words):
        REFUSED[function](torch.ones(3, dtype=torch.float64, requires_grad=True))
    with torch.no_grad():
        REFUSED[function](torch.ones(3, dtype=torch.float64, requires_grad=True))


@pytest.mark.parametrize("function", [torch.igamma, torch.igammac, torch.special.zeta])
def test_first_arguments_without_a_derivative(function):
    a, x = torch.tensor([2.5]), torch.tensor([1.5])
    both = [t.clone().requires_grad_() for t in (a, x)]
    result = function(*both)
    assert result.requires_grad
    torch.autograd.grad(result, both[1], retain_graph=True)
    with pytest.raises(NotImplementedError, match="the derivative for .* is not implemented"):
        torch.autograd.grad(result, both[0])
    with pytest.raises(NotImplementedError, match="the derivative for .* is not implemented"):
        function(a.clone().requires_grad_(), x).backward()


UNDERIVED = {
    "unique": torch.unique,
    "unique along": lambda x: torch.unique(x, dim=0),
    "unique_consecutive": lambda x: torch.unique_consecutive(x, return_counts=True)[0],
    "histogram": lambda x: torch.histogram(x, bins=3).hist,
    "histogramdd": lambda x: torch.histogramdd(x, bins=[2, 2, 2]).hist,
    "geqrf": lambda x: torch.geqrf(x).a,
    "binomial": lambda x: torch.binomial(torch.ones(3, 3), x / 9),
    "bincount": lambda x: torch.bincount(torch.tensor([0, 2, 2]), x[0]),
    "ldl_factor": lambda x: linalg.ldl_factor(x + x.mT + 5 * torch.eye(3))[0],
}


@pytest.mark.parametrize("function", UNDERIVED)
def test_results_without_a_derivative(function):
    x = torch.arange(9.0).reshape(3, 3).requires_grad_()
    result = UNDERIVED[function](x)
    assert result.requires_grad
    with pytest.raises(RuntimeError, match="derivative for .* is not implemented"):
        (result.sum() + x.sum()).backward()
    assert not UNDERIVED[function](x.detach()).requires_grad
    with torch.no_grad():
        assert not UNDERIVED[function](x).requires_grad
