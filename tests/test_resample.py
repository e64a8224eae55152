"""Interpolation, grids and pixel shuffling: values and gradients recorded from PyTorch, layers, errors."""

import math

import pytest

from .conftest import torch
from .images import check_recorded, differentiable, distinct, functions

F, nn = torch.nn.functional, torch.nn


@pytest.mark.parametrize("name", functions("resample"))
def test_equals_pytorch(name):
    check_recorded("resample", name)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic", "area"])
def test_gradients_of_interpolation(mode):
    differentiable(lambda x: F.interpolate(x, (3, 7), mode=mode), distinct(1, 2, 4, 5))


@pytest.mark.parametrize("mode", ["bilinear", "bicubic", "lanczos"])
def test_gradients_of_antialiased_interpolation(mode):
    differentiable(lambda x: F.interpolate(x, (3, 2), mode=mode, antialias=True), distinct(1, 1, 7, 5))


@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
def test_gradients_of_grid_sample(mode, padding):
    grid = distinct(2, 2, 3, 2) * 0.7 + 0.013
    differentiable(lambda x, g: F.grid_sample(x, g, mode, padding, False), distinct(2, 2, 4, 5), grid)


def test_gradients_of_volumes():
    grid = distinct(1, 2, 2, 1, 3) * 0.5 + 0.013
    differentiable(lambda x, g: F.grid_sample(x, g, align_corners=True), distinct(1, 2, 3, 4, 3), grid)
    differentiable(lambda x: F.interpolate(x, (2, 5, 3), mode="trilinear"), distinct(1, 1, 3, 4, 2))


def test_constant_stays_constant():
    x = torch.full((1, 2, 11, 9), 3.0)
    for mode in ("nearest", "bilinear", "bicubic", "area"):
        for size in ((4, 4), (20, 31), (11, 9)):
            assert torch.allclose(F.interpolate(x, size, mode=mode), torch.full((1, 2, *size), 3.0))
    for mode in ("bilinear", "bicubic", "lanczos"):
        assert torch.allclose(F.interpolate(x, (4, 20), mode=mode, antialias=True), torch.full((1, 2, 4, 20), 3.0))


def test_same_size_is_a_copy():
    x = distinct(1, 2, 4, 4)
    for mode in ("nearest", "bilinear"):
        y = F.interpolate(x, 4, mode=mode)
        assert torch.equal(x, y) and y.data_ptr() != x.data_ptr()


def test_layouts():
    x = distinct(2, 3, 6, 8, dtype=torch.float32)
    last = x.contiguous(memory_format=torch.channels_last)
    for mode in ("nearest", "bilinear", "bicubic"):
        assert torch.equal(F.interpolate(x, 5, mode=mode), F.interpolate(last, 5, mode=mode))
        assert F.interpolate(last, 5, mode=mode).is_contiguous(memory_format=torch.channels_last)
        turned = x.transpose(2, 3)
        assert torch.equal(F.interpolate(turned, 5, mode=mode), F.interpolate(turned.contiguous(), 5, mode=mode))


def test_identity_grid():
    x = distinct(1, 2, 5, 4, dtype=torch.float32)
    theta = torch.eye(2, 3)[None]
    for align in (False, True):
        grid = F.affine_grid(theta, x.shape, align)
        for mode in ("bilinear", "nearest", "bicubic"):
            assert torch.allclose(F.grid_sample(x, grid, mode, align_corners=align), x, atol=1e-5)
    mirrored = F.affine_grid(torch.tensor([[[-1.0, 0, 0], [0, 1, 0]]]), x.shape, True)
    assert torch.allclose(F.grid_sample(x, mirrored, align_corners=True), x.flip(3), atol=1e-5)


def test_far_and_strange_places():
    x = torch.ones(1, 1, 3, 3)
    grid = torch.tensor([[[[math.nan, 0], [math.inf, 0], [1e30, -1e30], [-math.inf, math.inf]]]])
    assert F.grid_sample(x, grid, align_corners=False).tolist() == [[[[0, 0, 0, 0]]]]
    for padding in ("border", "reflection"):
        assert F.grid_sample(x, grid, padding_mode=padding, align_corners=False).shape == (1, 1, 1, 4)
        F.grid_sample(x, grid, "bicubic", padding, False)


def test_empty():
    assert F.interpolate(torch.zeros(0, 2, 4, 4), 3).shape == (0, 2, 3, 3)
    assert F.grid_sample(torch.zeros(1, 0, 3, 3), torch.zeros(1, 2, 2, 2), align_corners=False).shape == (1, 0, 2, 2)
    assert F.grid_sample(torch.zeros(1, 2, 3, 3), torch.zeros(1, 0, 2, 2), align_corners=False).shape == (1, 2, 0, 2)


def test_old_names_warn():
    x = distinct(1, 1, 3, 3)
    with pytest.warns(UserWarning, match="deprecated"):
        assert torch.equal(F.upsample(x, 5), F.interpolate(x, 5))
    with pytest.warns(UserWarning, match="deprecated"):
        assert torch.equal(F.upsample_bilinear(x, 5), F.interpolate(x, 5, mode="bilinear", align_corners=True))
    with pytest.warns(UserWarning, match="align_corners=False since 1.3.0"):
        F.grid_sample(x, torch.zeros(1, 1, 1, 2).double())


LAYERS = {
    "Upsample(scale_factor=2)": "scale_factor=2.0, mode='nearest'",
    "Upsample(size=(2, 3), mode='bilinear', align_corners=True)": "size=(2, 3), mode='bilinear'",
    "UpsamplingNearest2d(scale_factor=2)": "scale_factor=2.0, mode='nearest'",
    "UpsamplingBilinear2d(size=3)": "size=3, mode='bilinear'",
    "PixelShuffle(2)": "upscale_factor=2",
}


@pytest.mark.parametrize("text", LAYERS)
def test_layers_print_as_in_pytorch(text):
    layer = eval(f"nn.{text}")
    assert repr(layer) == f"{text.split('(')[0]}({LAYERS[text]})"
    layer(torch.zeros(1, 4, 4, 4))


def test_names():
    x = torch.zeros(1, 1, 4, 4, requires_grad=True)
    assert F.interpolate(x, 2, mode="bilinear").grad_fn.name() == "UpsampleBilinear2DBackward0"
    assert F.interpolate(x, 2).grad_fn.name() == "UpsampleNearest2DBackward0"
    assert torch.ops.aten.upsample_nearest2d(x, [8, 8]).shape == (1, 1, 8, 8)


ERRORS = [
    (lambda x: F.interpolate(x), ValueError, "either size or scale_factor should be defined"),
    (lambda x: F.interpolate(x, 3, 2), ValueError, "only one of size or scale_factor should be defined"),
    (lambda x: F.interpolate(x, (2, 3, 4)), ValueError, "must have the same number of spatial dimensions"),
    (lambda x: F.interpolate(x, scale_factor=(2.0,)), ValueError, "must have the same number of spatial dimensions"),
    (lambda x: F.interpolate(x, 3, mode="foo"), NotImplementedError, "Only 3D, 4D and 5D input Tensors supported"),
    (lambda x: F.interpolate(x, 3, mode="linear"), NotImplementedError, "Got 4D input, but linear mode needs 3D input"),
    (lambda x: F.interpolate(x[0], 3, mode="bilinear"), NotImplementedError, "Got 3D input, but bilinear mode needs 4D"),
    (lambda x: F.interpolate(x, 3, align_corners=True), ValueError, "align_corners option can only be set with"),
    (lambda x: F.interpolate(x, 3, antialias=True), ValueError, "Anti-alias option is restricted to bilinear, bicubic"),
    (lambda x: F.interpolate(x, 3, mode="lanczos"), ValueError, "Lanczos mode requires antialias=True"),
    (lambda x: F.interpolate(x, 3, recompute_scale_factor=True), ValueError, "recompute_scale_factor is not meaningful"),
    (lambda x: F.interpolate(x, (3.5, 2)), TypeError, "expected size to be one of int or"),
    (lambda x: F.interpolate(x, 0), RuntimeError, "Input and output sizes should be greater than 0"),
    (lambda x: F.interpolate(x[:, :0], 2), RuntimeError, "Non-empty 4D data tensor expected"),
    (lambda x: F.interpolate(x.long(), 2), NotImplementedError, "not implemented for 'Long'"),
    (lambda x: F.grid_sample(x, x, "foo"), ValueError, "expected mode to be 'bilinear', 'nearest' or 'bicubic'"),
    (lambda x: F.grid_sample(x, x, padding_mode="foo"), ValueError, "expected padding_mode to be 'zeros', 'border'"),
    (lambda x: F.grid_sample(x, x, align_corners=True), RuntimeError, "expected grid to have size 2 in last dimension"),
    (lambda x: F.grid_sample(x, torch.zeros(3, 1, 1, 2), align_corners=True), RuntimeError, "same batch size"),
    (lambda x: F.grid_sample(x, torch.zeros(1, 1, 1, 2).double(), align_corners=True), RuntimeError, "expected scalar type"),
    (lambda x: F.affine_grid(torch.zeros(1, 2, 2), x.shape), ValueError, "Expected a batch of 2D affine matrices"),
    (lambda x: F.affine_grid(torch.zeros(1, 2, 3), (1, 2, 3)), NotImplementedError, "only supports 4D and 5D sizes"),
    (lambda x: F.affine_grid(torch.zeros(1, 2, 3), (1, 2, 0, 3), True), ValueError, "non-zero, positive output size"),
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_errors(number):
    call, kind, text = ERRORS[number]
    with pytest.raises(kind, match=text):
        call(torch.zeros(1, 2, 4, 4))
