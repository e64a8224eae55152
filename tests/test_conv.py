"""Convolutions: values and gradients recorded from PyTorch, every kernel against a plain product, layers, errors."""

import math

import pytest

from .conftest import CANDIDATE, torch
from .images import check_recorded, differentiable, distinct, functions

F, nn = torch.nn.functional, torch.nn


@pytest.mark.parametrize("name", functions("conv"))
def test_equals_pytorch(name):
    check_recorded("conv", name)


def plain_conv2d(x, w, bias, stride, padding, dilation, groups):
    """By unfold and one matrix product for each group."""
    out = []
    size = [
        (x.shape[d] + 2 * padding - dilation * (w.shape[d] - 1) - 1) // stride + 1 for d in (2, 3)
    ]  # fmt: skip
    for a, b in zip(x.chunk(groups, 1), w.chunk(groups, 0)):
        columns = F.unfold(a, w.shape[2:], dilation, padding, stride)
        out.append((b.flatten(1) @ columns).unflatten(2, size))
    return torch.cat(out, 1) + bias.reshape(1, -1, 1, 1)


# (n, in, out, height, width), kernel, stride, padding, dilation, groups: each meets another loop of the kernels
SHAPES = {
    "one strip": ((1, 3, 4, 5, 6), 3, 1, 1, 1, 1),
    "many channels": ((2, 70, 30, 9, 9), 3, 1, 1, 2, 1),
    "several blocks of k": ((1, 60, 20, 7, 7), 4, 1, 0, 1, 1),
    "3x3, in the transformed space": ((3, 16, 20, 13, 15), 3, 1, 1, 1, 1),
    "3x3, many channels": ((3, 70, 64, 13, 15), 3, 1, 1, 1, 1),
    "3x3, wide": ((1, 18, 33, 8, 70), 3, 1, 2, 1, 1),
    "3x3, groups": ((2, 32, 32, 16, 17), 3, 1, 0, 1, 2),
    "stride 2": ((2, 9, 12, 17, 23), 3, 2, 1, 1, 1),
    "stride 3": ((1, 5, 8, 20, 19), 2, 3, 1, 2, 1),
    "1x1": ((2, 20, 40, 9, 11), 1, 1, 0, 1, 1),
    "1x1, stride 2": ((2, 20, 40, 9, 11), 1, 2, 0, 1, 1),
    "one channel": ((4, 1, 6, 28, 28), 5, 1, 2, 1, 1),
    "few results, short rows": ((3, 6, 16, 14, 14), 5, 1, 0, 1, 1),
    "few results, long rows": ((2, 9, 7, 5, 45), 3, 1, 1, 2, 1),
    "one channel, many rows": ((2, 1, 16, 90, 50), 3, 2, 1, 1, 1),
    "3x3, stride 2, in the transformed space": ((6, 20, 35, 31, 36), 3, 2, 1, 1, 1),
    "3x3, stride 2, few tiles and a wide border": ((1, 40, 70, 27, 28), 3, 2, 2, 1, 1),
    "3x3, stride 2, groups": ((2, 40, 66, 24, 30), 3, 2, 0, 1, 2),
    "4x4, stride 2, in the transformed space": ((3, 33, 20, 17, 22), 4, 2, 1, 1, 1),
    "4x4, stride 2, groups": ((4, 36, 40, 18, 15), 4, 2, 2, 1, 2),
    "3x3, stride 2, tiles of one result": ((8, 24, 150, 14, 13), 3, 2, 1, 1, 1),
    "3x3, stride 2, one line of results": ((16, 16, 40, 2, 31), 3, 2, 1, 1, 1),
    "4x4, stride 2, tiles of one result": ((6, 33, 70, 15, 12), 4, 2, 1, 1, 1),
    "7x7, stride 2": ((1, 3, 16, 40, 37), 7, 2, 3, 1, 1),
    "5x5, along its rows": ((3, 17, 34, 15, 23), 5, 1, 2, 1, 1),
    "5x5, one wide image": ((1, 20, 24, 6, 150), 5, 1, 4, 1, 1),
    "5x5, groups": ((2, 32, 48, 9, 28), 5, 1, 0, 1, 2),
    "5x5, many channels": ((9, 130, 40, 7, 7), 5, 1, 2, 1, 1),
    "4x4, along its rows": ((2, 12, 24, 33, 33), 4, 1, 0, 1, 1),
    "7x7, in halves": ((2, 16, 24, 20, 27), 7, 1, 5, 1, 1),
    "7x7, strided, along its rows": ((2, 5, 40, 61, 58), 7, 2, 3, 1, 1),
    "6x6, strided": ((2, 7, 32, 50, 61), 6, 2, 1, 1, 1),
    "depthwise": ((2, 10, 10, 12, 37), 3, 1, 1, 1, 10),
    "depthwise, stride 2": ((2, 10, 20, 15, 37), 3, 2, 1, 1, 10),
    "depthwise, 3x3, stride 2": ((3, 7, 7, 15, 38), 3, 2, 1, 1, 7),
    "depthwise, rows of whole vectors": ((2, 3, 3, 9, 32), 3, 1, 1, 1, 3),
    "depthwise, without a border": ((2, 3, 3, 9, 20), 3, 1, 0, 1, 3),
    "depthwise, stride 2, long rows": ((1, 3, 3, 14, 73), 3, 2, 1, 1, 3),
    "depthwise, stride 2, without a border": ((1, 3, 3, 13, 68), 3, 2, 0, 1, 3),
    "depthwise, few rows": ((2, 5, 5, 4, 6), 3, 1, 1, 1, 5),
    "depthwise, 5x5, channels side by side": ((2, 31, 31, 14, 11), 5, 1, 2, 1, 31),
    "depthwise, 4x4, stride 2, channels side by side": ((2, 16, 16, 13, 70), 4, 2, 3, 1, 16),
    "depthwise, 3x3, channels side by side": ((2, 30, 30, 43, 50), 3, 1, 2, 1, 30),
    "depthwise, 3x3, stride 2, channels side by side": ((1, 130, 130, 14, 15), 3, 2, 1, 1, 130),
    "depthwise, 5x5": ((1, 3, 3, 9, 80), 5, 1, 0, 1, 3),
}


@pytest.mark.parametrize("name", SHAPES)
def test_against_a_matrix_product(name):
    (n, a, b, h, w), kernel, *options, groups = SHAPES[name]
    exact = [distinct(n, a, h, w), distinct(b, a // groups, kernel, kernel), distinct(b)]
    exact = [t.requires_grad_() for t in exact]
    options = dict(zip(("stride", "padding", "dilation"), options), groups=groups)
    want = plain_conv2d(*exact, **options)
    g = distinct(*want.shape) - 0.3
    grads = torch.autograd.grad(want, exact, g)
    for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 3e-6)):
        inputs = [t.detach().to(dtype).requires_grad_() for t in exact]
        got = F.conv2d(*inputs, **options)
        found = torch.autograd.grad(got, inputs, g.to(dtype))
        for x, y in zip((got, *found), (want, *grads)):
            scale = y.abs().max().item()
            assert (x.double() - y).abs().max().item() <= tolerance * scale


@pytest.mark.parametrize("stride, padding, extra, groups", [(1, 1, 0, 1), (2, 1, 1, 2), (3, 0, 2, 1), (2, 2, 0, 4)])
def test_transposed_is_the_transpose(stride, padding, extra, groups):
    x, w = distinct(2, 4, 7, 6), distinct(4, 8 // groups, 3, 3) / 2
    y = F.conv_transpose2d(x, w, None, stride, padding, extra, groups)
    z = distinct(*y.shape) - 0.1
    back = F.conv2d(z, w, None, stride, padding, 1, groups)[:, :, :7, :6]
    assert (y * z).sum().item() == pytest.approx((x * back).sum().item(), rel=1e-10)


@pytest.mark.parametrize("rows", [1, 4, 5])
@pytest.mark.parametrize("kernel, padding", [((3, 1), (1, 1)), ((1, 2), (1, 4)), ((2, 3), (3, 2))])
def test_input_gradient_of_lines_of_one_element(kernel, padding, rows):
    """By the map's matrix: the images of the unit vectors."""
    size = (3, rows, 1)
    n = math.prod(size)
    w = torch.randn(30, 3, *kernel)
    options = {"stride": 2, "padding": padding}
    images = F.conv2d(torch.eye(n).reshape(n, *size), w, **options)
    x = torch.randn(2, *size, requires_grad=True)
    y = F.conv2d(x, w, **options)
    g = torch.randn_like(y)
    (got,) = torch.autograd.grad(y, x, g)
    want = (g.unsqueeze(1) * images).flatten(2).sum(2).reshape(x.shape)
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "function, shapes",
    [
        (lambda x, w, b: F.conv1d(x, w, b, 2, 1), ((1, 2, 6), (2, 2, 3), (2,))),
        (lambda x, w, b: F.conv2d(x, w, b, padding=1), ((1, 2, 3, 3), (2, 2, 3, 3), (2,))),
        (lambda x, w, b: F.conv2d(x, w, b, 2, 1, 2, 2), ((1, 2, 4, 5), (2, 1, 2, 2), (2,))),
        (lambda x, w, b: F.conv2d(x, w, b, padding="same"), ((2, 3, 3), (1, 2, 2, 2), (1,))),
        (lambda x, w, b: F.conv3d(x, w, b, (1, 2, 1)), ((1, 1, 2, 3, 3), (2, 1, 2, 2, 1), (2,))),
        (lambda x, w, b: F.conv_transpose1d(x, w, b, 2, 1, 1), ((1, 2, 3), (2, 2, 3), (2,))),
        (lambda x, w, b: F.conv_transpose2d(x, w, b, 2, groups=2), ((1, 2, 2, 2), (2, 1, 2, 2), (2,))),
        (lambda x, w, b: F.conv_transpose3d(x, w, b), ((1, 1, 2, 2, 1), (1, 1, 1, 2, 2), (1,))),
        (lambda x, w, b: torch.conv_tbc(x, w, b, 1), ((4, 1, 2), (3, 2, 2), (2,))),
    ],
)
def test_gradients_of_gradients(function, shapes):
    differentiable(function, *(distinct(*s) for s in shapes))


def test_gradients_of_folding():
    differentiable(lambda x: F.unfold(x, 2, 1, 1, 2), distinct(1, 2, 3, 4))
    differentiable(lambda x: F.fold(x, (3, 4), 2, 1, 1, 2), distinct(1, 8, 6))
    x = distinct(2, 3, 6, 5)
    counts = F.fold(F.unfold(torch.ones_like(x), 3, padding=1), (6, 5), 3, padding=1)
    assert torch.allclose(F.fold(F.unfold(x, 3, padding=1), (6, 5), 3, padding=1), x * counts)


def test_complex_is_four_real_products():
    parts = [distinct(2, 2, 4, 4), distinct(2, 2, 4, 4) - 0.4, distinct(3, 2, 2, 2), distinct(3, 2, 2, 2) / 3]
    x, w = torch.complex(*parts[:2]), torch.complex(*parts[2:])
    y = F.conv2d(x, w, torch.tensor([1j, 2.0, 3 - 1j], dtype=torch.complex128))
    real = F.conv2d(parts[0], parts[2]) - F.conv2d(parts[1], parts[3])
    imag = F.conv2d(parts[0], parts[3]) + F.conv2d(parts[1], parts[2])
    bias = torch.tensor([1j, 2.0, 3 - 1j], dtype=torch.complex128).reshape(1, 3, 1, 1)
    assert (y - torch.complex(real, imag) - bias).abs().max().item() < 1e-12
    differentiable(lambda x, w: F.conv2d(x, w), x[:1, :, :3, :2].clone(), w[:1].clone())


def test_layout_follows_the_input():
    x = distinct(2, 3, 5, 6).to(memory_format=torch.channels_last)
    w = distinct(4, 3, 3, 3)
    y = F.conv2d(x, w)
    assert y.is_contiguous(memory_format=torch.channels_last) and torch.allclose(y, F.conv2d(x.contiguous(), w))
    strided = distinct(2, 3, 10, 12)[:, :, ::2, ::2]
    assert torch.equal(F.conv2d(strided, w), F.conv2d(strided.contiguous(), w))


@pytest.mark.skipif(CANDIDATE == "torch", reason="PyTorch promises no equal bits")
def test_threads_do_not_change_the_bits():
    before = torch.get_num_threads()
    results = []
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            got = []
            for name in (
                "many channels",
                "3x3, in the transformed space",
                "3x3, many channels",
                "5x5, along its rows",
                "5x5, one wide image",
                "7x7, in halves",
                "7x7, strided, along its rows",
                "stride 2",
                "3x3, stride 2, in the transformed space",
                "3x3, stride 2, few tiles and a wide border",
                "4x4, stride 2, in the transformed space",
                "depthwise",
                "depthwise, 5x5, channels side by side",
                "depthwise, 3x3, channels side by side",
                "one channel",
            ):
                (n, a, b, h, w), kernel, *options, groups = SHAPES[name]
                x = distinct(n, a, h, w, dtype=torch.float32).requires_grad_()
                weight = distinct(b, a // groups, kernel, kernel, dtype=torch.float32).requires_grad_()
                y = F.conv2d(x, weight, None, *options, groups)
                got += [y, *torch.autograd.grad(y, (x, weight), y.detach() * 0.7)]
            results.append(got)
    finally:
        torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*results))


# (batch, in, out, height, width), kernel, stride, padding: transformed along the rows
@pytest.mark.parametrize(
    "shape, kernel, stride, padding",
    [
        ((3, 24, 40, 1, 333), (1, 5), (1, 1), (0, 2)),
        ((5, 32, 33, 1, 70), (1, 3), (1, 1), (0, 2)),
        ((2, 24, 32, 1, 700), (1, 8), (1, 1), (0, 0)),
        ((2, 24, 32, 1, 701), (1, 9), (1, 2), (0, 3)),
        ((2, 40, 48, 17, 29), (1, 7), (1, 1), (0, 3)),
        ((2, 16, 24, 31, 40), (2, 5), (2, 1), (1, 6)),
        ((2, 16, 24, 30, 70), (3, 6), (1, 2), (4, 5)),
        ((2, 16, 24, 30, 70), (7, 4), (2, 1), (3, 0)),
    ],
)
def test_kernels_of_rows(shape, kernel, stride, padding):
    n, channels, m, height, width = shape
    x, w = distinct(n, channels, height, width), distinct(m, channels, *kernel)
    bias = distinct(m)
    rows, columns = ((s + 2 * p - k) // t + 1 for s, p, k, t in zip((height, width), padding, kernel, stride))
    want = (w.flatten(1) @ F.unfold(x, kernel, 1, padding, stride)).unflatten(2, (rows, columns))
    got = F.conv2d(x.float(), w.float(), bias.float(), stride, padding)
    want = want + bias.reshape(1, -1, 1, 1)
    assert (got.double() - want).abs().max().item() <= 3e-6 * want.abs().max().item()
    if height == 1:
        line = F.conv1d(x.float().squeeze(2), w.float().squeeze(2), bias.float(), stride[1], padding[1])
        assert torch.equal(line, got.squeeze(2))


@pytest.mark.parametrize("channels, m", [(3, 20), (17, 16)])
def test_planes_of_3x3_are_sums_of_planes(channels, m):
    x, w = distinct(2, channels, 5, 9, 10), distinct(m, channels, 3, 3, 3)
    x, w = x.requires_grad_(), w.requires_grad_()
    deep = F.pad(x, (0, 0, 0, 0, 1, 1))
    want = torch.stack(
        [sum(F.conv2d(deep[:, :, z + i], w[:, :, i], padding=(0, 1)) for i in range(3)) for z in range(5)], 2
    )
    g = distinct(*want.shape) - 0.3
    exact = [want, *torch.autograd.grad(want, (x, w), g)]
    single = [t.detach().float().requires_grad_() for t in (x, w)]
    got = F.conv3d(*single, padding=(1, 0, 1))
    for a, b in zip([got, *torch.autograd.grad(got, single, g.float())], exact):
        assert (a.double() - b).abs().max().item() <= 3e-6 * b.abs().max().item()


@pytest.mark.parametrize("shape", [(2, 20, 29, 31), (1, 3, 28, 40), (9, 33, 5, 28), (3, 40, 33)])
def test_a_point_with_a_stride_sees_every_other_element(shape):
    torch.manual_seed(0)
    conv = F.conv1d if len(shape) == 3 else F.conv2d
    x, w, b = torch.randn(shape), torch.randn(24, shape[1], *[1] * (len(shape) - 2)), torch.randn(24)
    seen = x[..., ::2] if len(shape) == 3 else x[..., ::2, ::2]
    expected = conv(seen.contiguous(), w, b)
    x[..., 1::2] = math.nan  # nobody looks there
    torch.testing.assert_close(conv(x, w, b, stride=2), expected)
    seen[0, 1, ..., 3] = math.inf
    torch.testing.assert_close(conv(x, w, b, stride=2), conv(seen.contiguous(), w, b), equal_nan=True)


@pytest.mark.parametrize("wide", [3, 5, 7])
def test_an_infinity_reaches_its_own_window_only(wide):
    x = torch.ones(2, 16, 24, 24)
    x[0, 3, 8, 9] = math.inf
    y = F.conv2d(x, torch.ones(16, 16, wide, wide), padding=wide // 2)
    assert y.isinf().sum().item() == 16 * wide * wide and not y.isnan().any()
    assert y[1, 0, 8, 8].item() == 16 * wide * wide
    y = F.conv2d(x.repeat(1, 1, 2, 2), torch.ones(16, 16, 4, 4), stride=2)
    assert y.isinf().sum().item() == 16 * 4 * 4 and not y.isnan().any()


def test_nothing_in_nothing_out():
    w = torch.ones(4, 3, 2, 2, requires_grad=True)
    x = torch.ones(0, 3, 5, 5, requires_grad=True)
    y = F.conv2d(x, w, torch.ones(4))
    assert y.shape == (0, 4, 4, 4)
    y.sum().backward()
    assert x.grad.shape == x.shape and not w.grad.any()
    assert F.conv2d(torch.ones(0, 16, 30, 30), torch.ones(32, 16, 5, 5)).shape == (0, 32, 26, 26)


@pytest.mark.parametrize(
    "call, words",
    [
        (
            lambda r: F.conv2d(r(2, 4, 8, 8), r(6, 3, 3, 3)),
            r"Given groups=1, weight of size \[6, 3, 3, 3\], expected input\[2, 4, 8, 8\] to have 3 channels, "
            "but got 4 channels instead",
        ),
        (lambda r: F.conv2d(r(8, 8), r(6, 3, 3, 3)), r"Expected 3D \(unbatched\) or 4D \(batched\) input to conv2d"),
        (
            lambda r: F.conv2d(r(2, 3, 2, 2), r(6, 3, 3, 3)),
            r"Calculated padded input size per channel: \(2 x 2\). Kernel size: \(3 x 3\). "
            "Kernel size can't be greater than actual input size",
        ),
        (lambda r: F.conv2d(r(1, 3, 4, 4), r(6, 3, 3, 3), r(5)), "expected bias to be 1-dimensional with 6 elements"),
        (lambda r: F.conv2d(r(1, 3, 4, 4), r(6, 3, 3, 3), stride=0), "non-positive stride is not supported"),
        (lambda r: F.conv2d(r(1, 3, 4, 4), r(6, 3, 3, 3), padding=-1), "negative padding is not supported"),
        (lambda r: F.conv2d(r(1, 3, 4, 4), r(6, 3, 3, 3), dilation=0), "dilation"),
        (lambda r: F.conv2d(r(1, 6, 4, 4), r(5, 3, 3, 3), groups=2), "to be divisible by 2 at dimension 0"),
        (lambda r: F.conv2d(r(1, 3, 4, 4), r(6, 3, 3, 3), stride=(1, 2, 3)), "expected stride to be a single integer"),
        (lambda r: F.conv2d(r(1, 3, 4, 4), r(6, 3, 3, 3), padding="same", stride=2), "strided convolutions"),
        (lambda r: F.conv2d(r(1, 3, 4, 4), r(6, 3, 3, 3), padding="full"), "Invalid padding string: 'full'"),
        (
            lambda r: F.conv2d(r(1, 3, 4, 4), r(6, 3, 3, 3).double()),
            "expected scalar type Float but found Double.*convert the input",
        ),
        (lambda r: F.conv_transpose2d(r(2, 4, 8, 8), r(3, 2, 3, 3)), "Given transposed=1, .* to have 3 channels"),
        (
            lambda r: F.conv_transpose2d(r(1, 3, 8, 8), r(3, 2, 3, 3), output_padding=1),
            "output padding must be smaller",
        ),
        (lambda r: F.unfold(r(2, 3, 2, 2), 3), r"calculated shape of the array of sliding blocks as \(0, 0\)"),
        (lambda r: F.fold(r(2, 26, 9), (5, 5), 3), "divisible by the product of kernel_size"),
        (lambda r: F.fold(r(2, 27, 8), (5, 5), 3), r"sliding blocks 3 \* 3 = 9, but got input.size\(2\)=8"),
    ],
)
def test_errors(call, words):
    with pytest.raises(RuntimeError, match=words):
        call(torch.randn)


LAYERS = {
    "Conv1d(4, 6, kernel_size=(3,), stride=(1,))": lambda: nn.Conv1d(4, 6, 3),
    "Conv2d(4, 6, kernel_size=(3, 2), stride=(2, 2), padding=(1, 1), dilation=(2, 2), groups=2, bias=False)": (
        lambda: nn.Conv2d(4, 6, (3, 2), 2, 1, 2, 2, False)
    ),
    "Conv2d(4, 6, kernel_size=(4, 4), stride=(1, 1), padding=same, padding_mode=reflect)": (
        lambda: nn.Conv2d(4, 6, 4, padding="same", padding_mode="reflect")
    ),
    "Conv3d(4, 6, kernel_size=(3, 3, 3), stride=(1, 1, 1))": lambda: nn.Conv3d(4, 6, 3),
    "ConvTranspose2d(4, 6, kernel_size=(3, 3), stride=(2, 2), output_padding=(1, 1))": (
        lambda: nn.ConvTranspose2d(4, 6, 3, 2, output_padding=1)
    ),
    "Fold(output_size=(4, 5), kernel_size=2, dilation=1, padding=0, stride=1)": lambda: nn.Fold((4, 5), 2),
    "Unfold(kernel_size=(2, 3), dilation=1, padding=0, stride=2)": lambda: nn.Unfold((2, 3), stride=2),
}


@pytest.mark.parametrize("text", LAYERS)
def test_layers_print_as_pytorch(text):
    layer = LAYERS[text]()
    assert repr(layer) == text
    if "Conv" in text:
        assert list(layer.state_dict()) == (["weight"] if "bias=False" in text else ["weight", "bias"])


def test_padding_modes():
    x = torch.randn(2, 3, 7, 6)
    for mode in ("zeros", "reflect", "replicate", "circular"):
        layer = nn.Conv2d(3, 4, 3, padding=(1, 2), padding_mode=mode)
        padded = F.pad(x, (2, 2, 1, 1), mode="constant" if mode == "zeros" else mode)
        assert torch.allclose(layer(x), F.conv2d(padded, layer.weight, layer.bias), atol=1e-6)
    with pytest.raises(ValueError, match="padding_mode must be one of"):
        nn.Conv2d(3, 4, 3, padding_mode="mirror")
    with pytest.raises(ValueError, match='Only "zeros" padding mode is supported for ConvTranspose2d'):
        nn.ConvTranspose2d(3, 4, 3, padding_mode="reflect")


def test_output_size_chooses():
    layer = nn.ConvTranspose2d(3, 4, 3, stride=2)
    x = torch.randn(2, 3, 5, 5)
    assert layer(x, output_size=(11, 12)).shape == (2, 4, 11, 12)
    assert layer(x, output_size=[2, 4, 12, 11]).shape == (2, 4, 12, 11)
    with pytest.raises(ValueError, match=r"valid sizes range from \[11, 11\] to \[12, 12\]"):
        layer(x, output_size=(20, 20))


@pytest.mark.parametrize(
    "options, words",
    [
        ({"groups": 3}, "in_channels must be divisible by groups"),
        ({"groups": 0}, "groups must be a positive integer"),
        ({"out_channels": 5, "groups": 2}, "out_channels must be divisible by groups"),
        ({"padding": "full"}, "Invalid padding string 'full'"),
        ({"padding": "same", "stride": 2}, "padding='same' is not supported for strided convolutions"),
    ],
)
def test_layers_refuse(options, words):
    with pytest.raises(ValueError, match=words):
        nn.Conv2d(**{"in_channels": 4, "out_channels": 6, "kernel_size": 3, **options})


def test_gradients_by_name():
    x, w = distinct(2, 4, 6, 5).requires_grad_(), distinct(6, 2, 3, 3).requires_grad_()
    y = F.conv2d(x, w, None, 2, 1, 1, 2)
    g = distinct(*y.shape)
    dx, dw = torch.autograd.grad(y, (x, w), g)
    grad = torch.nn.grad
    assert torch.allclose(grad.conv2d_input(x.shape, w, g, 2, 1, 1, 2), dx)
    assert torch.allclose(grad.conv2d_weight(x, w.shape, g, 2, 1, 1, 2), dw)
    x, w = distinct(2, 4, 9), distinct(6, 4, 3)
    g = distinct(2, 6, 7)
    assert grad.conv1d_input(x.shape, w, g).shape == x.shape and grad.conv1d_weight(x, w.shape, g).shape == w.shape


@pytest.mark.parametrize("shape", [(3, 16, 64, 7), (40, 16, 7, 7)])
def test_threads_keep_to_their_rows(shape):
    """Short rows are copied in vectors that reach over several of them, up to what another thread has written."""
    x, w = torch.randn(*shape), torch.randn(16, 16, 3, 3)
    first = F.conv2d(x, w, padding=1)
    for _ in range(300):
        assert torch.equal(F.conv2d(x, w, padding=1), first)
