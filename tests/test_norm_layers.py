"""Batch, group, instance and local response norm: values and gradients recorded from PyTorch, running statistics, layers."""

import math

import pytest

from .conftest import torch
from .images import check_recorded, differentiable, distinct, functions

F, nn = torch.nn.functional, torch.nn


@pytest.mark.parametrize("name", functions("norm"))
def test_equals_pytorch(name):
    check_recorded("norm", name)


@pytest.mark.parametrize("shape", [(4, 3), (3, 2, 5), (2, 2, 3, 3), (2, 2, 9)])
@pytest.mark.parametrize("training", [True, False])
def test_gradients_of_batch_norm(shape, training):
    channels = shape[1]
    mean, var = distinct(channels), distinct(channels).abs() + 0.5

    def function(x, w, b):
        return F.batch_norm(x, mean.clone(), var.clone(), w, b, training, eps=1e-2)

    differentiable(function, distinct(*shape), distinct(channels), distinct(channels))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: F.group_norm(x, 2, eps=1e-2),
        lambda x: F.instance_norm(x, eps=1e-2),
        lambda x: F.local_response_norm(x, 3, 0.5),
        lambda x: nn.CrossMapLRN2d(3, 0.5)(x),
    ],
)
def test_gradients_of_others(function):
    differentiable(function, distinct(2, 4, 2, 3))


def naive(x, dims):
    mean = x.mean(dims, keepdim=True)
    return (x - mean) / ((x - mean) ** 2).mean(dims, keepdim=True).add(1e-5).sqrt()


@pytest.mark.parametrize("shape", [(37, 5), (300, 70), (3, 6, 4), (2, 3, 5, 7), (2, 5, 40, 41), (1, 4, 2, 3, 3)])
def test_layouts_agree(shape):
    """Rows and columns have kernels of their own; which is taken depends on the layout."""
    x = distinct(*shape, dtype=torch.float32) + 100
    dims = (0, *range(2, len(shape)))
    want = naive(x.double(), dims).float()
    kinds = [x, x.transpose(0, -1).contiguous().transpose(0, -1)]
    if len(shape) == 4:
        kinds.append(x.contiguous(memory_format=torch.channels_last))
    weight = distinct(*shape, dtype=torch.float32)
    for t in kinds:
        leaf = t.detach().requires_grad_()
        out = F.batch_norm(leaf, None, None, training=True)
        assert torch.allclose(out, want, atol=2e-4)
        (out * weight).sum().backward()
        other = x.double().requires_grad_()
        (naive(other, dims) * weight.double()).sum().backward()
        assert torch.allclose(leaf.grad, other.grad.float(), atol=2e-4, rtol=1e-3)
    if len(shape) == 4:
        assert F.batch_norm(kinds[2], None, None, training=True).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half(dtype):
    x = distinct(4, 3, 5, 5, dtype=getattr(torch, dtype)).requires_grad_()
    out = nn.BatchNorm2d(3)(x)  # float weights, as autocast leaves them
    assert out.dtype == x.dtype
    assert torch.allclose(out.float(), naive(x.detach().float(), (0, 2, 3)), rtol=torch.finfo(x.dtype).eps, atol=1e-4)
    out.float().sum().backward()
    assert x.grad.dtype == x.dtype


def test_running_statistics():
    layer = nn.BatchNorm1d(2, momentum=0.5)
    x = torch.tensor([[1.0, 10.0], [3.0, 30.0]])
    layer(x)
    assert layer.running_mean.tolist() == [1.0, 10.0]
    assert layer.running_var.tolist() == [1.5, 100.5]  # of the unbiased variance
    assert layer.num_batches_tracked == 1
    layer.eval()
    assert torch.allclose(layer(x), (x - layer.running_mean) / (layer.running_var + 1e-5).sqrt())
    assert layer.num_batches_tracked == 1
    layer.reset_running_stats()
    assert layer.running_mean.tolist() == [0, 0] and layer.num_batches_tracked == 0


def test_cumulative_average():
    layer = nn.BatchNorm1d(1, momentum=None)
    for value in (1.0, 2.0, 6.0):
        layer(torch.tensor([[value - 1], [value + 1]]))
    assert layer.running_mean.item() == pytest.approx(3.0)
    assert layer.num_batches_tracked == 3


def test_without_running_statistics():
    layer = nn.BatchNorm2d(2, affine=False, track_running_stats=False)
    assert not layer.state_dict() and layer.running_mean is None
    x = distinct(3, 2, 4, 4, dtype=torch.float32)
    assert torch.equal(layer(x), layer.eval()(x))


def test_frozen_running_statistics():
    layer = nn.BatchNorm1d(2)
    layer.track_running_stats = False
    layer(distinct(4, 2, dtype=torch.float32))
    assert layer.running_mean.tolist() == [0, 0] and layer.num_batches_tracked == 0


def test_empty_batch():
    layer = nn.BatchNorm2d(3)
    x = torch.zeros(0, 3, 4, 4, requires_grad=True)
    layer(x).sum().backward()
    assert layer.running_mean.tolist() == [0, 0, 0]
    assert layer.weight.grad.tolist() == [0, 0, 0] and x.grad.shape == x.shape


def test_large_means_do_not_cancel():
    x = distinct(64, 4) + 1e6
    assert torch.allclose(F.batch_norm(x, None, None, training=True), naive(x, (0,)))
    small = F.batch_norm((distinct(64, 4) + 1e4).float(), None, None, training=True)
    assert small.std(0, unbiased=False).tolist() == pytest.approx([1.0] * 4, abs=1e-2)


def test_nan_spreads_in_its_channel_alone():
    x = distinct(4, 2, 3, 3, dtype=torch.float32)
    x[1, 0, 1, 1] = math.nan
    out = F.batch_norm(x, None, None, training=True)
    assert out[:, 0].isnan().all() and not out[:, 1].isnan().any()


def test_state_dict():
    layer = nn.BatchNorm2d(2)
    state = layer.state_dict()
    assert list(state) == ["weight", "bias", "running_mean", "running_var", "num_batches_tracked"]
    assert state._metadata[""]["version"] == 2
    del state["num_batches_tracked"]
    with pytest.raises(RuntimeError, match="num_batches_tracked"):
        layer.load_state_dict(state)
    state._metadata[""]["version"] = 1  # from before there was one
    layer.load_state_dict(state)
    with pytest.raises(RuntimeError, match="does not track running stats by default"):
        nn.InstanceNorm2d(2).load_state_dict({"running_mean": torch.zeros(2), "running_var": torch.ones(2)})


def test_native_operators():
    x = distinct(2, 3, 4)
    out, mean, rstd = torch.native_batch_norm(x, None, None, None, None, True, 0.1, 1e-5)
    assert torch.allclose(mean, x.mean((0, 2))) and torch.allclose(out, naive(x, (0, 2)))
    assert torch.allclose(rstd, (x.var((0, 2), unbiased=False) + 1e-5).rsqrt())
    assert [t.shape for t in torch.native_group_norm(x, None, None, 2, 3, 4, 3, 1e-5)[1:]] == [(2, 3), (2, 3)]
    assert [t.shape for t in torch.native_layer_norm(x, [4], None, None, 1e-5)[1:]] == [(2, 3, 1), (2, 3, 1)]


LAYERS = {
    "BatchNorm2d(3)": "3, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True",
    "BatchNorm1d(3, bias=False)": "3, eps=1e-05, momentum=0.1, affine=True, bias=False, track_running_stats=True",
    "InstanceNorm1d(4)": "4, eps=1e-05, momentum=0.1, affine=False, bias=False, track_running_stats=False",
    "GroupNorm(2, 4)": "2, 4, eps=1e-05, affine=True, bias=True",
    "LocalResponseNorm(2)": "2, alpha=0.0001, beta=0.75, k=1.0",
    "CrossMapLRN2d(2)": "2, alpha=0.0001, beta=0.75, k=1",
}


@pytest.mark.parametrize("text", LAYERS)
def test_layers_print_as_in_pytorch(text):
    name = text.split("(")[0]
    assert repr(eval(f"nn.{text}")) == f"{name}({LAYERS[text]})"


def test_instance_norm_without_a_batch():
    layer = nn.InstanceNorm2d(3, affine=True, track_running_stats=True)
    x = distinct(3, 4, 5, dtype=torch.float32)
    assert torch.equal(layer(x), layer(x[None])[0])
    assert layer.running_mean.abs().sum() > 0 and layer.num_batches_tracked == 0
    with pytest.warns(UserWarning, match="does not match num_features"):
        nn.InstanceNorm2d(4)(x)


def test_sync_batch_norm_of_one_process():
    model = nn.SyncBatchNorm.convert_sync_batchnorm(nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)))
    assert type(model[1]) is nn.SyncBatchNorm
    x = distinct(4, 3, dtype=torch.float32)
    assert torch.equal(model[1](x), nn.BatchNorm1d(3)(x))


ERRORS = [
    (lambda x: nn.BatchNorm2d(3)(x[:1, :, :1, :1]), ValueError, "Expected more than 1 value per channel when training"),
    (lambda x: nn.BatchNorm1d(3)(x[:1, :, 0, 0]), ValueError, "got input size torch.Size(\\[1, 3])"),
    (lambda x: nn.BatchNorm2d(3)(x[0]), ValueError, "expected 4D input (got 3D input)"),
    (lambda x: nn.BatchNorm1d(3)(x), ValueError, "expected 2D or 3D input (got 4D input)"),
    (lambda x: nn.BatchNorm2d(4)(x), RuntimeError, "running_mean should contain 3 elements not 4"),
    (lambda x: F.batch_norm(x, None, None), RuntimeError, "running_mean must be defined in evaluation mode"),
    (lambda x: F.batch_norm(x, None, None, torch.ones(2), training=True), RuntimeError, "weight should contain 3"),
    (lambda x: F.batch_norm(x.long(), None, None, training=True), NotImplementedError, "not implemented for 'Long'"),
    (lambda x: F.batch_norm(x, None, None, training=True, eps=0), ValueError, "eps must be positive during training"),
    (lambda x: nn.InstanceNorm2d(3)(x[:, :, :1, :1]), ValueError, "Expected more than 1 spatial element when training"),
    (lambda x: nn.InstanceNorm2d(4, affine=True)(x), ValueError, "to match num_features (4), but got: 3"),
    (lambda x: nn.InstanceNorm1d(3)(x), ValueError, "expected 2D or 3D input (got 4D input)"),
    (lambda x: nn.GroupNorm(2, 3), ValueError, "num_channels (3) must be divisible by num_groups (2)"),
    (
        lambda x: nn.GroupNorm(2, 4)(x),
        RuntimeError,
        "Expected number of channels in input to be divisible by num_groups",
    ),
    (lambda x: nn.LocalResponseNorm(2)(x[0, 0]), ValueError, "Expected 3D or higher dimensionality"),
    (lambda x: nn.CrossMapLRN2d(2)(x[0]), ValueError, "Expected input to be 4D, got 3D"),
    (lambda x: nn.SyncBatchNorm(3)(x[0, 0, 0]), ValueError, "expected at least 2D input (got 1D input)"),
]


@pytest.mark.parametrize("number", range(len(ERRORS)))
def test_errors(number):
    call, kind, text = ERRORS[number]
    with pytest.raises(kind, match=text.replace("(", "\\(").replace(")", "\\)")):
        call(torch.ones(2, 3, 4, 4))
