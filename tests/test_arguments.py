"""Arguments that are seldom given, and inputs far out: values worked out by hand or with Python's math, or PyTorch's."""

import math

import pytest

from .conftest import CANDIDATE, torch

F = torch.nn.functional
X, T = [0.5, 2.0, 3.0], [0.0, 1.0, 4.0]


def double(*values, **options):
    return torch.tensor(values, dtype=torch.float64, **options)


# ---- losses ----


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("log_input", [False, True])
def test_poisson_nll(log_input, full):
    def one(x, t):
        loss = math.exp(x) - t * x if log_input else x - t * math.log(x + 0.1)
        return loss + (t * math.log(t) - t + math.log(2 * math.pi * t) / 2 if full and t > 1 else 0)

    loss = F.poisson_nll_loss(double(*X), double(*T), log_input=log_input, full=full, eps=0.1, reduction="sum")
    assert loss.item() == pytest.approx(sum(map(one, X, T)), rel=1e-12)


@pytest.mark.parametrize("full", [False, True])
def test_gaussian_nll_has_a_least_variance(full):
    variances = [0.5, 1e-9, 2.0]
    each = [(math.log(max(v, 0.25)) + (x - t) ** 2 / max(v, 0.25)) / 2 for x, t, v in zip(X, T, variances)]
    expected = sum(each) / 3 + (math.log(2 * math.pi) / 2 if full else 0)
    loss = F.gaussian_nll_loss(double(*X), double(*T), double(*variances), full=full, eps=0.25)
    assert loss.item() == pytest.approx(expected, rel=1e-12)


def test_huber_pulls_target_as_it_pushes_input():
    x, t = double(*X, requires_grad=True), double(2.0, 1.5, -1.0, requires_grad=True)
    F.huber_loss(x, t, reduction="sum", delta=0.75).backward()
    assert x.grad.tolist() == [-0.75, 0.5, 0.75] and t.grad.tolist() == [0.75, -0.5, -0.75]


def test_margins():
    sign = double(1.0, -1.0, -1.0)
    assert F.hinge_embedding_loss(double(*X), sign, margin=2.5, reduction="none").tolist() == [0.5, 0.5, 0.0]
    a, b = double([1.0, 0.0], [1.0, 0.0]), double([0.6, 0.8], [0.6, 0.8])
    loss = F.cosine_embedding_loss(a, b, double(1.0, -1.0), margin=0.25, reduction="none")
    assert loss.tolist() == pytest.approx([0.4, 0.35], rel=1e-9)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0])
def test_triplets_may_swap(p):
    near, far, farther = double([0.5, 0.0]), double([0.0, 1.0]), double([2.0, 2.0])
    distance = lambda a, b: sum(abs(x - y + 1e-6) ** p for x, y in zip(a[0].tolist(), b[0].tolist())) ** (1 / p)
    for swap, to_negative in ((False, distance(near, farther)), (True, distance(far, farther))):
        loss = F.triplet_margin_loss(near, far, farther, margin=2.0, p=p, swap=swap)
        assert loss.item() == pytest.approx(2.0 + distance(near, far) - to_negative, rel=1e-9)


# ---- functions of numbers ----


def test_slopes():
    assert F.celu(double(-1.0, 0.5), 2.0).tolist() == pytest.approx([2 * math.expm1(-0.5), 0.5], rel=1e-12)
    assert F.rrelu(double(-1.0, 2.0), 0.25, 0.75).tolist() == [-0.5, 2.0]


def test_erfcx_far_out():
    far = [30.0, 100.0, 1e5]
    series = lambda z: 1 - z / 2 + 3 * z**2 / 4 - 15 * z**3 / 8 + 105 * z**4 / 16
    expected = [series(x**-2) / (x * math.sqrt(math.pi)) for x in far]
    assert torch.special.erfcx(double(*far)).tolist() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_infinities_become_the_largest_numbers(dtype):
    dtype = getattr(torch, dtype)
    largest = torch.finfo(dtype).max
    values = torch.tensor([math.inf, -math.inf, math.nan, 1.0], dtype=dtype)
    assert values.nan_to_num().tolist() == [largest, -largest, 0.0, 1.0]


def test_gains():
    gain = torch.nn.init.calculate_gain
    assert [gain(name) for name in ("linear", "sigmoid", "tanh", "selu")] == [1, 1, 5 / 3, 3 / 4]
    assert gain("relu") == math.sqrt(2) and gain("leaky_relu", 0.2) == math.sqrt(2 / 1.04)


# ---- places and counts ----


def test_sides_of_a_boundary():
    boundaries = torch.tensor([1, 3, 3, 5])
    assert torch.searchsorted(boundaries, 3).item() == 1 and torch.searchsorted(boundaries, 3, right=True).item() == 3
    assert torch.searchsorted(boundaries, 3, side="right").item() == 3 and torch.bucketize(3, boundaries).item() == 1


def test_counts_of_what_is_not_there():
    assert torch.bincount(torch.tensor([1, 1]), minlength=4).tolist() == [0, 2, 0, 0]


def test_quantiles_between_neighbours():
    x = double(1.0, 2.0, 4.0, 8.0)
    found = {
        name: torch.quantile(x, 0.4, interpolation=name).item() for name in ("lower", "higher", "midpoint", "nearest")
    }
    assert found == {"lower": 2.0, "higher": 4.0, "midpoint": 3.0, "nearest": 2.0}
    assert torch.quantile(x, 0.4).item() == pytest.approx(2.4)


def test_zero_frequency_comes_back():
    for n in (4, 5):
        x = torch.arange(n)
        assert torch.fft.fftshift(x).tolist() == [*range(n - n // 2, n), *range(n - n // 2)]
        assert torch.equal(torch.fft.ifftshift(torch.fft.fftshift(x)), x)


def test_rank_by_the_longer_side():
    # Singular values below 6 * eps * the largest do not count.
    eps = torch.finfo(torch.float32).eps
    for factor, rank in ((5, 1), (7, 2)):
        a = torch.zeros(6, 2)
        a[0, 0], a[1, 1] = 1, factor * eps
        assert torch.linalg.matrix_rank(a).item() == rank


# ---- layers ----


def test_norms_of_windows_that_are_no_squares():
    x = torch.arange(24.0, dtype=torch.float64).reshape(1, 1, 4, 6)
    windows = x.unfold(2, 2, 2).unfold(3, 3, 3)
    assert torch.allclose(F.lp_pool2d(x, 3.0, (2, 3)), (windows**3).sum((-1, -2)) ** (1 / 3))


@pytest.mark.parametrize("p", [1.0, 3.0, math.inf])
def test_rows_of_embeddings_are_shrunk_by_any_norm(p):
    weight = double([3.0, 4.0], [0.1, 0.2], [6.0, 8.0])
    rows = F.embedding(torch.tensor([0, 1]), weight.clone(), max_norm=2.0, norm_type=p)
    assert rows[0].norm(p).item() == pytest.approx(2.0, rel=1e-6) and rows[1].tolist() == [0.1, 0.2]
    after = weight.clone()
    F.embedding(torch.tensor([0]), after, max_norm=2.0, norm_type=p)
    assert torch.equal(after[1:], weight[1:]) and not torch.equal(after[0], weight[0])


# ---- training ----


def test_orders_of_epochs():
    sampler = torch.utils.data.DistributedSampler(range(8), 2, 0, seed=3)
    orders = []
    for epoch in range(3):
        sampler.set_epoch(epoch)
        orders.append(list(sampler))
    assert orders == [[2, 3, 1, 6], [2, 3, 5, 4], [3, 0, 1, 5]]


@pytest.mark.parametrize(
    "options, rates",
    [
        ({"mode": "max", "threshold": 0.25}, [1.0, 0.1, 0.01, 0.01, 0.001]),  # only 5.5 is a quarter above 4
        ({"mode": "max", "threshold": 0.25, "threshold_mode": "abs"}, [1.0, 0.1, 0.1, 0.1, 0.01]),
        ({"mode": "min", "factor": 0.5, "eps": 0.2}, [1.0, 0.5, 0.25, 0.25, 0.25]),  # half of 0.25 is less than eps
    ],
)
def test_plateaus(options, rates):
    figures = {"max": [4.0, 4.2, 4.9, 5.5, 5.6], "min": [1.0, 1.1, 1.2, 1.3, 1.4]}[options["mode"]]
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, **options)
    found = []
    for figure in figures:
        schedule.step(figure)
        found.append(optimizer.param_groups[0]["lr"])
    assert found == pytest.approx(rates)


# ---- boxes ----


@pytest.mark.skipif(CANDIDATE == "torch", reason="boxes are torchvision's, which PyTorch does not bring")
def test_shapes_of_boxes_count():
    from rushlight.vision import ops

    a, b = double([0.0, 0.0, 4.0, 2.0]), double([0.0, 0.0, 2.0, 2.0])
    v = 4 / math.pi**2 * (math.atan(2.0) - math.atan(1.0)) ** 2
    distance = 1 / (16 + 4)  # between the middles, by the diagonal of both
    expected = 0.5 - distance - v * v / (1 - 0.5 + v)
    assert ops.complete_box_iou(a, b).item() == pytest.approx(expected, rel=1e-6)


@pytest.mark.skipif(CANDIDATE == "torch", reason="boxes are torchvision's, which PyTorch does not bring")
def test_focal_loss_weighs_classes():
    from rushlight.vision import ops

    p = 0.8
    logits = double(math.log(p / (1 - p)), math.log(p / (1 - p)))
    expected = [-0.25 * (1 - p) ** 3 * math.log(p), -0.75 * p**3 * math.log(1 - p)]
    assert ops.sigmoid_focal_loss(logits, double(1.0, 0.0), 0.25, 3).tolist() == pytest.approx(expected, rel=1e-9)
