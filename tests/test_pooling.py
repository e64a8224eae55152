"""Pooling: values and gradients recorded from PyTorch, borders, special values, layers, errors."""

import math

import pytest

from .conftest import torch
from .images import check_recorded, differentiable, distinct, functions

F, nn = torch.nn.functional, torch.nn


@pytest.mark.parametrize("name", functions("pooling"))
def test_equals_pytorch(name):
    check_recorded("pooling", name)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: F.max_pool2d(x, 2),
        lambda x: F.max_pool2d(x, 3, 2, 1),
        lambda x: F.max_pool2d(x, 2, 1, dilation=2),
        lambda x: F.avg_pool2d(x, 2),
        lambda x: F.avg_pool2d(x, 3, 1, 1, False, False),
        lambda x: F.adaptive_avg_pool2d(x, (2, 3)),
        lambda x: F.adaptive_avg_pool2d(x, 1),
        lambda x: F.adaptive_max_pool2d(x, (3, 2)),
        lambda x: F.max_pool1d(x[0], 3, 2),
        lambda x: F.avg_pool1d(x[0], 2),
        lambda x: F.max_pool3d(x, (1, 2, 2)),
        lambda x: F.avg_pool3d(x, (2, 2, 3), 1),
        lambda x: F.lp_pool2d(x + 3, 3.0, 2),
        lambda x: F.fractional_max_pool2d(x, 2, (3, 3), _random_samples=torch.full((1, 2, 2), 0.4).to(x.dtype)),
    ],
)
def test_gradients_of_gradients(function):
    differentiable(function, distinct(1, 2, 5, 6))


def test_gradient_of_unpooling():
    top, where = F.max_pool2d(distinct(1, 2, 4, 4), 2, return_indices=True)
    differentiable(lambda x: F.max_unpool2d(x, where, 2), top.clone())
    assert F.max_unpool2d(top, where, 2).sum().item() == pytest.approx(top.sum().item())


def test_loops_agree():
    """Short rows, long rows and tiles have loops of their own; a maximum over shifted copies is a fourth way."""
    for h, w in ((7, 7), (16, 15), (33, 70)):
        for kernel, stride in ((2, 2), (3, 1), (3, 2), (2, 3)):
            x = distinct(2, 3, h, w, dtype=torch.float32)
            out = F.max_pool2d(x, kernel, stride)
            parts = [
                x[
                    :,
                    :,
                    i : i + (out.shape[2] - 1) * stride + 1 : stride,
                    j : j + (out.shape[3] - 1) * stride + 1 : stride,
                ]
                for i in range(kernel)
                for j in range(kernel)
            ]
            assert torch.equal(out, torch.stack(parts).amax(0))
            mean = F.avg_pool2d(x, kernel, stride)
            assert torch.allclose(mean, torch.stack(parts).mean(0), atol=1e-6)
            leaf = x.clone().requires_grad_()
            F.max_pool2d(leaf, kernel, stride).sum().backward()
            values, where = F.max_pool2d(x, kernel, stride, return_indices=True)
            again = torch.zeros(2, 3, h * w).scatter_add_(2, where.flatten(2), torch.ones_like(values).flatten(2))
            assert torch.equal(leaf.grad.flatten(2), again)


def test_threads_change_nothing():
    before = torch.get_num_threads()
    found = []
    for threads in (1, 3):
        torch.set_num_threads(threads)
        x = distinct(16, 8, 45, 45, dtype=torch.float32).requires_grad_()
        total = (
            F.max_pool2d(x, 3, 2, 1).sum()
            + (F.avg_pool2d(x, 3, 1) * 0.37).sum()
            + F.batch_norm(x, None, None, training=True).square().sum()
        )
        total.backward()
        found.append((total.item(), x.grad.clone()))
    torch.set_num_threads(before)
    assert found[0][0] == found[1][0] and torch.equal(found[0][1], found[1][1])


def test_nan_and_infinity():
    x = torch.tensor([[1.0, math.nan, 3.0, -math.inf], [math.nan, 2.0, -math.inf, -math.inf]])[None]
    value, where = F.max_pool2d(x, 2, return_indices=True)
    assert math.isnan(value[0, 0, 0]) and where[0, 0, 0] == 4  # the last NaN
    assert value[0, 0, 1] == 3
    none = torch.full((1, 1, 2, 40), -math.inf, requires_grad=True)
    value, where = F.max_pool2d(none, 2, return_indices=True)
    assert (value == -math.inf).all() and (where[0, 0, 0] == torch.arange(0, 40, 2)).all()
    value.sum().backward()
    assert none.grad[0, 0, 0].sum() == 20 and none.grad.sum() == 20


def test_first_of_equals():
    assert F.max_pool2d(torch.zeros(1, 1, 4, 4), 2, return_indices=True)[1].flatten().tolist() == [0, 2, 8, 10]
    _, where = F.max_pool2d(torch.zeros(1, 1, 3, 3), 3, 1, 1, return_indices=True)
    assert where.flatten().tolist() == [0, 0, 1, 0, 0, 1, 3, 3, 4]


def test_empty_and_unbatched():
    assert F.max_pool2d(torch.zeros(0, 3, 4, 4), 2).shape == (0, 3, 2, 2)
    assert F.avg_pool2d(torch.zeros(0, 3, 4, 4), 2).shape == (0, 3, 2, 2)
    assert F.adaptive_avg_pool2d(torch.zeros(2, 3, 4, 4), (0, 2)).shape == (2, 3, 0, 2)
    x = torch.zeros(0, 3, 4, 4, requires_grad=True)
    F.max_pool2d(x, 2).sum().backward()
    assert x.grad.shape == x.shape
    x = distinct(3, 6, 5)
    assert torch.equal(F.max_pool2d(x, 2), F.max_pool2d(x[None], 2)[0])
    assert F.max_pool1d(x[0], 2).shape == (6, 2)


def test_layouts():
    x = distinct(2, 3, 6, 8, dtype=torch.float32)
    last = x.contiguous(memory_format=torch.channels_last)
    for f in (lambda t: F.max_pool2d(t, 2), lambda t: F.avg_pool2d(t, 3, 1), lambda t: F.adaptive_max_pool2d(t, 4)):
        assert torch.equal(f(x), f(last))
        assert f(last).is_contiguous(memory_format=torch.channels_last)
        assert torch.equal(f(x.transpose(2, 3)), f(x.transpose(2, 3).contiguous()))


def test_names():
    x = torch.zeros(1, 1, 4, 4, requires_grad=True)
    assert F.max_pool2d(x, 2).grad_fn.name() == "MaxPool2DWithIndicesBackward0"
    assert F.avg_pool2d(x, 2).grad_fn.name() == "AvgPool2DBackward0"
    assert F.adaptive_avg_pool2d(x, 1).grad_fn.name() == "MeanBackward1"
    assert torch.max_pool2d(x, 2).shape == (1, 1, 2, 2)
    assert torch.ops.aten.max_pool2d_with_indices.default(x, [2, 2])[1].dtype == torch.int64


LAYERS = {
    "MaxPool1d(3, padding=1)": "kernel_size=3, stride=3, padding=1, dilation=1, ceil_mode=False",
    "MaxPool2d((2, 3), return_indices=True)": "kernel_size=(2, 3), stride=(2, 3), padding=0, dilation=1, ceil_mode=False",
    "AvgPool1d(2)": "kernel_size=(2,), stride=(2,), padding=(0,)",
    "AvgPool2d(3, 2)": "kernel_size=3, stride=2, padding=0",
    "AdaptiveAvgPool2d((1, None))": "output_size=(1, None)",
    "AdaptiveMaxPool1d(3)": "output_size=3",
    "LPPool2d(2, 3)": "norm_type=2, kernel_size=3, stride=None, ceil_mode=False",
    "MaxUnpool2d(2)": "kernel_size=(2, 2), stride=(2, 2), padding=(0, 0)",
    "FractionalMaxPool2d(2, output_ratio=0.5)": "",
}


@pytest.mark.parametrize("text", LAYERS)
def test_layers_print_as_in_pytorch(text):
    name = text.split("(")[0]
    assert repr(eval(f"nn.{text}")) == f"{name}({LAYERS[text]})"


def test_layers_are_the_functions():
    x = distinct(2, 3, 8, 9, dtype=torch.float32)
    assert torch.equal(nn.MaxPool2d(3, 2, 1)(x), F.max_pool2d(x, 3, 2, 1))
    assert torch.equal(nn.AvgPool2d(2, count_include_pad=False)(x), F.avg_pool2d(x, 2, count_include_pad=False))
    assert nn.AdaptiveAvgPool2d((None, 2))(x).shape == (2, 3, 8, 2)
    top, where = nn.MaxPool2d(2, return_indices=True)(x)
    back = nn.MaxUnpool2d(2)(top, where, output_size=x.shape)
    assert back.shape == x.shape and back.sum() == pytest.approx(top.sum().item(), rel=1e-5)
    assert nn.LPPool1d(1, 2)(x[0]).shape == (3, 8, 4)


def test_fractional_draws_as_pytorch():
    torch.manual_seed(3)
    _, where = nn.FractionalMaxPool2d(2, output_size=(3, 3), return_indices=True)(distinct(1, 1, 7, 7))
    assert where.flatten().tolist() == [1, 10, 5, 29, 24, 34, 35, 44, 48]


ERRORS = [
    (lambda x: F.max_pool2d(x, 2, padding=2), RuntimeError, "pad should be at most half of effective kernel size"),
    (lambda x: F.avg_pool2d(x, 2, padding=2), RuntimeError, "pad should be at most half of effective kernel size"),
    (lambda x: F.max_pool2d(x, 2, 1, 2, 4), RuntimeError, "pad should be smaller than or equal to half of kernel size"),
    (lambda x: F.max_pool2d(x, 9), RuntimeError, "Output size is too small"),
    (lambda x: F.max_pool2d(x, 2, 0), RuntimeError, "stride should not be zero"),
    (lambda x: F.max_pool2d(x, 0, 1), RuntimeError, "kernel size should be greater than zero"),
    (lambda x: F.max_pool2d(x, 2, dilation=0), RuntimeError, "dilation should be greater than zero"),
    (lambda x: F.max_pool2d(x, 2, padding=-1), RuntimeError, "pad must be non-negative"),
    (
        lambda x: F.max_pool2d(x, (1, 2, 3)),
        RuntimeError,
        "kernel_size must either be a single int, or a tuple of two ints",
    ),
    (lambda x: F.max_pool2d(x[0, 0], 2), RuntimeError, "tensor expected for input"),
    (lambda x: F.max_pool2d(x[:, :0], 2), RuntimeError, "optional 0 dim batch size for input"),
    (lambda x: F.max_pool2d(x > 0, 2), NotImplementedError, "\"max_pool2d\" not implemented for 'Bool'"),
    (lambda x: F.max_pool1d(x[0].long(), 2), NotImplementedError, "not implemented for 'Long'"),
    (
        lambda x: F.avg_pool3d(x, (3, 1, 1), 1, (1, 0, 0)),
        RuntimeError,
        "input image (T: 2 H: 4 W: 4) smaller than kernel",
    ),
    (lambda x: F.avg_pool2d(x, 2, divisor_override=0), RuntimeError, "divisor must be not zero"),
    (lambda x: F.adaptive_avg_pool2d(x, -1), RuntimeError, "greater than or equal to 0"),
    (lambda x: F.adaptive_avg_pool2d(x[:, :, :0], 2), RuntimeError, "non-zero size for non-batch dimensions"),
    (lambda x: F.adaptive_max_pool2d(x[:, :, :0], 2), RuntimeError, "non-zero size for non-batch dimensions"),
    (
        lambda x: F.fractional_max_pool2d(x, 2),
        ValueError,
        "requires specifying either an output_size or an output_ratio",
    ),
    (lambda x: F.fractional_max_pool2d(x, 5, 5), RuntimeError, "too large relative to input"),
    (lambda x: nn.FractionalMaxPool2d(2, 2, 0.5), ValueError, "only one of output_size and output_ratio"),
    (lambda x: F.max_unpool2d(x, x.long() + 99, 2), RuntimeError, "Found an invalid max index: 99"),
    (lambda x: F.max_unpool2d(x, x.int(), 2), RuntimeError, "should be type int64"),
    (lambda x: F.max_unpool2d(x, x.long(), 2, output_size=(1, 1)), ValueError, "invalid output_size"),
]


@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_errors(number):
    call, kind, text = ERRORS[number]
    with pytest.raises(kind, match=text.replace("(", "\\(").replace(")", "\\)")):
        call(torch.zeros(1, 2, 4, 4))
