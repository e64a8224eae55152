"""Reductions, scans, order and norms: strides, ties, zeros, empty input, gradients of gradients."""

import itertools
import math
import warnings

import numpy as np
import pytest

import rushlight as torch
from rushlight import _C
from rushlight.autograd import gradcheck, gradgradcheck


def doubles(*shape):
    return torch.randn(*shape, dtype=torch.float64)


VIEWS = {
    "plain": lambda x: x,
    "permuted": lambda x: x.permute(3, 1, 0, 2),
    "steps": lambda x: x[::2, 1::2, :, ::3],
    "expanded": lambda x: x[:, :1].expand(4, 6, 5, 7),
    "channels last": lambda x: x.contiguous(memory_format=torch.channels_last),
    "part": lambda x: x[1:3, 2:].permute(2, 0, 3, 1),
}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", ["sum", "mean", "var", "amax", "any", "count_nonzero", "logsumexp", "nansum"])
def test_any_strides_and_axes(view, name):
    x = VIEWS[view](doubles(4, 6, 5, 7))
    for count in (1, 2, 3, 4):
        for dims in itertools.combinations(range(4), count):
            kept = [d for d in range(4) if d not in dims]
            shape = [x.shape[d] for d in kept]
            flat = x.permute([*kept, *dims]).contiguous().reshape([*shape, -1])
            got, expected = getattr(x, name)(list(dims)), getattr(flat, name)(-1)
            assert got.shape == expected.shape
            assert bool(((got - expected).abs() < 1e-9).all()) if got.dtype == torch.float64 else got.equal(expected)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.prod(1),
        lambda x: x[0].prod(),
        lambda x: x.cumprod(0),
        lambda x: x.cumsum(1),
        lambda x: x.logcumsumexp(1),
        lambda x: x.std(0),
        lambda x: x.var((0, 1), correction=0),
        lambda x: torch.var_mean(x, 1),
        lambda x: x.renorm(2, 0, 1.0),
        lambda x: torch.dist(x, torch.ones(4, dtype=torch.float64), 3),
        lambda x: x.logsumexp(0),
    ],
)
def test_gradients_of_gradients(function):
    x = doubles(3, 4)
    x[0, 1] = x[1, 0] = x[1, 2] = 0  # one zero in a row, and two
    x.requires_grad_(True)
    assert gradcheck(function, (x,))
    assert gradgradcheck(function, (x,))


@pytest.mark.parametrize("shape", [(3, 4), (2, 4, 9), (2, 4, 3, 5)])
def test_norm_layers(shape):
    x, w, b = doubles(*shape).requires_grad_(True), doubles(4).requires_grad_(True), doubles(4).requires_grad_(True)
    means, spreads = doubles(4), doubles(4).abs() + 0.5
    layers = [
        lambda x, w, b: _C.group_norm(x, 2, w, b),
        lambda x, w, b: _C.batch_norm(x, w, b, None, None, True, 0.1, 1e-5, False),
        lambda x, w, b: _C.batch_norm(x, w, b, means, spreads, False, 0.1, 1e-5, False),
    ]
    for layer in layers:
        assert gradcheck(layer, (x, w, b))
        assert gradgradcheck(layer, (x, w, b))


def test_ties():
    x = torch.tensor([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]], requires_grad=True)
    (g,) = torch.autograd.grad(x.amax(1).sum(), x)
    assert g.tolist() == [[0, 0.5, 0.5], [pytest.approx(1 / 3)] * 3]
    values, indices = x.max(1)
    assert indices.tolist() == [1, 0]
    (g,) = torch.autograd.grad(values.sum(), x)
    assert g.tolist() == [[0, 1, 0], [1, 0, 0]]
    assert x.sort(1, descending=True)[1].tolist() == [[1, 2, 0], [0, 1, 2]]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "int16", "uint8"])
@pytest.mark.parametrize("shape", [(1, 70), (5, 3), (40, 17), (33, 256), (3, 300), (2, 9000)])
def test_order_is_stable(shape, dtype):
    x = torch.randint(0, 50, shape)
    x = (x * 1000003 if dtype == "int64" else x).to(getattr(torch, dtype))
    if x.dtype.is_floating_point:
        x = torch.where(x == 7, float("nan"), torch.where(x == 8, -0.0, torch.where(x == 9, -float("inf"), x)))
        x.view(-1)[0] = 1e30  # the others' keys have their first bits in common
    for dim in (0, 1):
        for descending in (False, True):
            values, indices = x.sort(dim, descending=descending)
            ranks = np.unique(np.where(x.numpy() == 0, 0, x.numpy()), return_inverse=True)[1].reshape(shape)
            expected = np.argsort(-ranks if descending else ranks, dim, kind="stable")
            assert np.array_equal(indices.numpy(), expected)
            assert np.array_equal(
                values.numpy(), np.take_along_axis(x.numpy(), expected, dim), equal_nan=dtype[0] == "f"
            )
            for k in {1, min(10, x.shape[dim]), x.shape[dim] // 2}:
                found = x.topk(k, dim, largest=descending).indices
                assert np.array_equal(found.numpy(), np.take(expected, range(k), dim))


def test_nothing_to_reduce():
    empty = torch.zeros(0, 3)
    assert empty.sum().item() == 0 and empty.prod().item() == 1
    assert empty.sum(0).tolist() == [0, 0, 0]
    assert math.isnan(empty.mean().item())
    with pytest.raises(RuntimeError, match="Expected reduction dim to be specified for input.numel"):
        empty.max()
    with pytest.raises(IndexError, match="Expected reduction dim 0 to have non-zero size"):
        empty.max(0)
    with pytest.raises(IndexError, match=r"argmax\(\): Expected reduction dim"):
        empty.argmax()


def test_unique():
    x = torch.tensor([3, 1, 2, 1, 3])
    values, inverse, counts = torch.unique(x, return_inverse=True, return_counts=True)
    assert (values.tolist(), inverse.tolist(), counts.tolist()) == ([1, 2, 3], [2, 0, 1, 0, 2], [2, 1, 2])
    rows = torch.tensor([[1, 2], [0, 5], [1, 2]])
    assert torch.unique(rows, dim=0).tolist() == [[0, 5], [1, 2]]
    assert torch.unique_consecutive(torch.tensor([1, 1, 2, 1])).tolist() == [1, 2, 1]


def test_integers_have_a_mean():
    x = torch.tensor([1, 2, 4])
    assert x.sum().dtype == torch.int64
    assert x.mean().dtype == torch.float32 and x.std().dtype == torch.float32
    assert x.mean().item() == pytest.approx(7 / 3)


def test_running_statistics():
    mean, var = torch.zeros(2), torch.ones(2)
    x = torch.tensor([[1.0, 2.0], [3.0, 6.0]])
    _C.batch_norm(x, None, None, mean, var, True, 0.5, 1e-5, False)
    assert mean.tolist() == [1, 2] and var.tolist() == [1.5, 4.5]


def test_histogram_of_points():
    points = torch.tensor([[0.0, 1.0], [1.0, 0.0], [2.0, 0.0], [2.0, 2.0]])
    hist, edges = torch.histogramdd(points, bins=[3, 3], weight=torch.tensor([1.0, 2.0, 4.0, 8.0]))
    assert hist.tolist() == [[0, 1, 0], [2, 0, 0], [4, 0, 8]] and edges[0].tolist() == pytest.approx(
        [0, 2 / 3, 4 / 3, 2]
    )


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int16", "int32"])
def test_extremes_of_small_integers(dtype):
    import numpy as np

    generator = np.random.default_rng(0)
    for shape in ((1,), (77,), (5000,), (3, 1), (40, 3), (3, 40), (700, 1100), (5, 33, 7), (300000,)):
        values = generator.integers(-2000, 2000, shape).astype(dtype)
        x = torch.from_numpy(values)
        assert x.amax().item() == values.max() and x.amin().item() == values.min()
        for dim in range(values.ndim):
            assert np.array_equal(x.amax(dim).numpy(), values.max(dim))
            assert np.array_equal(x.amin(dim).numpy(), values.min(dim))
        if values.ndim > 1:
            turned = values.swapaxes(0, -1)[::-1][:, ::2]
            y = x.transpose(0, -1).flip(0)[:, ::2]
            for dim in range(values.ndim):
                assert np.array_equal(y.amax(dim).numpy(), turned.max(dim))


def test_integrals_and_covariances_of_too_few():
    assert torch.cumulative_trapezoid(torch.zeros(3, 0)).shape == (3, 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert torch.cov(torch.tensor([[1.0, 2.0], [1.0, 2.0]]), correction=5).isinf().all()
    counts, edges = torch.histogramdd(
        torch.tensor([[0.5, float("nan")], [0.5, 0.5]]), [2, 1], range=[0.0, 1.0, 0.0, 1.0]
    )
    assert counts.tolist() == [[0], [1]] and edges[1].tolist() == [0, 1]
