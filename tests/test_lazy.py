"""Lazy modules: shapes found out in the first call, or from the state that is loaded."""

import copy
import pickle
import warnings

import pytest

from .conftest import torch

nn = torch.nn
LAYERS = [
    (lambda: nn.LazyLinear(3), (2, 5), nn.Linear),
    (lambda: nn.LazyConv1d(4, 3), (2, 5, 6), nn.Conv1d),
    (lambda: nn.LazyConv2d(4, 3, groups=2), (2, 6, 5, 5), nn.Conv2d),
    (lambda: nn.LazyConv3d(4, 2, bias=False), (2, 3, 4, 4, 4), nn.Conv3d),
    (lambda: nn.LazyConvTranspose1d(4, 3), (2, 5, 6), nn.ConvTranspose1d),
    (lambda: nn.LazyConvTranspose2d(4, 3, groups=2), (2, 6, 5, 5), nn.ConvTranspose2d),
    (lambda: nn.LazyConvTranspose3d(4, 2), (2, 3, 4, 4, 4), nn.ConvTranspose3d),
    (lambda: nn.LazyBatchNorm1d(), (4, 5), nn.BatchNorm1d),
    (lambda: nn.LazyBatchNorm2d(affine=False), (4, 5, 3, 3), nn.BatchNorm2d),
    (lambda: nn.LazyBatchNorm3d(track_running_stats=False), (4, 5, 2, 2, 2), nn.BatchNorm3d),
    (lambda: nn.LazyInstanceNorm1d(), (4, 5, 6), nn.InstanceNorm1d),
    (lambda: nn.LazyInstanceNorm2d(), (4, 5, 6, 6), nn.InstanceNorm2d),
    (lambda: nn.LazyInstanceNorm3d(), (4, 5, 2, 2, 2), nn.InstanceNorm3d),
]


def quietly(make):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return make()


@pytest.mark.parametrize("make, shape, cls", LAYERS)
def test_first_call_makes_an_ordinary_layer(make, shape, cls):
    m = quietly(make)
    assert type(m).__name__ == "Lazy" + cls.__name__
    x = torch.randn(shape)
    y = m(x)
    assert type(m) is cls
    for t in (*m.parameters(), *m.buffers()):
        assert "Uninitialized" not in type(t).__name__
        assert t.numel() > 0
    assert all(type(b) is torch.Tensor for b in m.buffers())
    assert torch.isfinite(m(x)).all()
    assert m(x).shape == y.shape
    assert not m._forward_pre_hooks
    assert repr(m).startswith(cls.__name__ + "(")
    if list(m.parameters()):
        y.sum().backward()
        assert all(p.grad is not None for p in m.parameters())


@pytest.mark.parametrize("make, shape, cls", LAYERS)
def test_state_gives_the_shapes(make, shape, cls):
    source = quietly(make)
    x = torch.randn(shape)
    source(x)
    m = quietly(make)
    m.load_state_dict(source.state_dict())
    source.eval(), m.eval()
    assert torch.equal(m(x), source(x))
    assert repr(m) == repr(source)


def test_draws_come_with_the_shapes():
    torch.manual_seed(3)
    lazy = quietly(lambda: nn.LazyLinear(4))
    lazy(torch.zeros(1, 6))
    torch.manual_seed(3)
    assert torch.equal(lazy.weight, nn.Linear(6, 4).weight)


def test_uninitialized_parameters_refuse_arithmetic():
    m = quietly(lambda: nn.LazyLinear(3))
    assert repr(m.weight) == "<UninitializedParameter>"
    for f in (lambda: m.weight + 1, lambda: torch.add(m.weight, 1), lambda: m.weight.numel()):
        with pytest.raises(ValueError, match="Attempted to use an uninitialized parameter"):
            f()
    for f in (lambda: m.weight.shape, lambda: nn.Linear(3, 3).load_state_dict(m.state_dict())):
        with pytest.raises(RuntimeError, match="Can't access the shape of an uninitialized parameter"):
            f()
    with pytest.raises(RuntimeError, match="Can't share memory"):
        m.share_memory()


def test_uninitialized_modules_move_and_copy():
    m = quietly(lambda: nn.Sequential(nn.LazyLinear(3), nn.LazyBatchNorm1d()))
    m.double()
    for twin in (copy.deepcopy(m), pickle.loads(pickle.dumps(m))):
        assert twin(torch.ones(2, 4, dtype=torch.float64)).dtype == torch.float64
        assert twin[0].in_features == 4
    assert type(m[0]).__name__ == "LazyLinear"
    assert quietly(lambda: nn.LazyLinear(3)).load_state_dict(quietly(lambda: nn.LazyLinear(3)).state_dict())


def test_wrong_first_input():
    with pytest.raises(RuntimeError, match="Expected 3D .unbatched. or 4D .batched. input to LazyConv2d"):
        quietly(lambda: nn.LazyConv2d(3, 2))(torch.randn(2, 3))
    with pytest.raises(ValueError, match="divisible by groups"):
        quietly(lambda: nn.LazyConv2d(4, 2, groups=2))(torch.randn(1, 3, 4, 4))


def test_ones_own():
    class Scale(torch.nn.modules.lazy.LazyModuleMixin, nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.UninitializedParameter()
            self.register_buffer("seen", nn.UninitializedBuffer())

        def initialize_parameters(self, x):
            if self.has_uninitialized_params():
                with torch.no_grad():
                    self.weight.materialize(x.shape[-1:])
                    self.weight.fill_(2)
                    self.seen.materialize((1,))
                    self.seen.fill_(0)

        def forward(self, x):
            return x * self.weight

    m = quietly(Scale)
    assert m(torch.ones(2, 3)).tolist() == [[2.0] * 3] * 2
    assert type(m.weight) is nn.Parameter
    assert m.seen.tolist() == [0.0]
