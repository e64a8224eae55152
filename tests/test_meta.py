"""Tensors of the device "meta": shapes without data."""

import copy
import pickle
import warnings

import pytest

from .conftest import CANDIDATE, torch

nn = torch.nn


def meta(*shape, **options):
    return torch.empty(*shape, device="meta", **options)


def test_what_it_is():
    x = meta(2, 3)
    assert x.device == torch.device("meta") and x.is_meta and not x.is_cpu and x.shape == (2, 3)
    assert repr(x) == "tensor(..., device='meta', size=(2, 3))"
    assert repr(meta(2, dtype=torch.int8)) == "tensor(..., device='meta', size=(2,), dtype=torch.int8)"
    assert x.data_ptr() == 0 and x.untyped_storage().nbytes() == 24 and x.get_device() == -1
    assert not torch.ones(1).is_meta


def test_it_takes_no_memory():
    x = meta(1 << 20, 1 << 20)
    y = (x @ x.t() + 1).softmax(1)
    assert y.shape == (1 << 20, 1 << 20) and y.is_meta
    assert y.sort()[1].dtype == torch.int64 and y.sum().shape == () and y.topk(3)[0].shape == (1 << 20, 3)


@pytest.mark.parametrize(
    "make",
    [
        lambda **o: torch.ones(3, **o),
        lambda **o: torch.arange(3, **o),
        lambda **o: torch.rand(3, **o),
        lambda **o: torch.randint(5, (3,), **o),
        lambda **o: torch.full((3,), 2, **o),
        lambda **o: torch.tensor([1, 2, 3], **o),
        lambda **o: torch.as_tensor([1.0, 2.0, 3.0], **o),
        lambda **o: torch.linspace(0, 1, 3, **o),
    ],
)
def test_creation_by_argument_and_by_block(make):
    here, there = make(), make(device="meta")
    with torch.device("meta"):
        within, inner = make(), make(device="cpu")
    assert (there.shape, there.dtype) == (here.shape, here.dtype) == (within.shape, within.dtype)
    assert there.is_meta and within.is_meta and not inner.is_meta and not make().is_meta


def test_blocks_nest_and_end_with_an_error():
    with torch.device("meta"):
        assert torch.get_default_device() == torch.device("meta")
        with torch.device("cpu"):
            assert not torch.ones(2).is_meta
        with pytest.raises(ZeroDivisionError), torch.device("cpu"):
            raise ZeroDivisionError
        assert torch.ones(2).is_meta
    assert torch.get_default_device() == torch.device("cpu")
    torch.set_default_device("meta")
    try:
        assert torch.zeros(1).is_meta
    finally:
        torch.set_default_device(None)
    assert not torch.zeros(1).is_meta


def test_tensors_follow_tensors():
    x, y = meta(3), torch.ones(3)
    assert torch.zeros_like(x).is_meta and x.new_zeros(2).is_meta and not torch.zeros_like(x, device="cpu").is_meta
    with torch.device("meta"):
        assert not torch.zeros_like(y).is_meta and not y.new_ones(2).is_meta and not (y + 1).is_meta
    assert y.to("meta").is_meta and y.to(x).is_meta and y.to("meta").shape == y.shape
    assert x.double().dtype == torch.float64 and x.double().is_meta and x.to("meta") is x
    assert meta(4, 6).t().stride() == (1, 6) and torch.ones(4, 6).t().to("meta").stride() == (1, 6)
    assert (x + torch.tensor(2.0)).is_meta  # one number may come from anywhere
    assert (
        x[1:].shape == (2,) and x[torch.tensor([0, 2])].shape == (2,) and x.clone().is_meta and copy.deepcopy(x).is_meta
    )


@pytest.mark.parametrize(
    "kind, use",
    [
        (NotImplementedError, lambda x, y: x.tolist()),
        (NotImplementedError, lambda x, y: x.cpu()),
        (NotImplementedError, lambda x, y: x.to("cpu")),
        (NotImplementedError, lambda x, y: y.copy_(x)),
        (NotImplementedError, lambda x, y: x.nonzero()),
        (NotImplementedError, lambda x, y: x[x > 0]),
        (NotImplementedError, lambda x, y: torch.masked_select(x, x > 0)),
        (NotImplementedError, lambda x, y: x.unique()),
        (NotImplementedError, lambda x, y: torch.where(x > 0)),
        (NotImplementedError, lambda x, y: torch.equal(x, x)),
        (TypeError, lambda x, y: x.numpy()),
        (RuntimeError, lambda x, y: x[0].item()),
        (RuntimeError, lambda x, y: bool(x[0])),
        (RuntimeError, lambda x, y: float(x[0])),
        (RuntimeError, lambda x, y: int(x[0])),
        (RuntimeError, lambda x, y: x + y),
        (RuntimeError, lambda x, y: setattr(y, "data", x)),
        (RuntimeError, lambda x, y: setattr(y, "grad", x)),
        (RuntimeError, lambda x, y: x @ meta(4)),
    ],
)
def test_what_needs_data_is_refused(kind, use):
    x, y = meta(3), torch.ones(3)
    with pytest.raises(kind):
        use(x, y)
    assert y.tolist() == [1, 1, 1]


@pytest.mark.skipif(
    CANDIDATE == "torch", reason="PyTorch leaves the first as it is, and computes the shape of the second"
)
def test_no_mixture_goes_unnoticed():
    x, y = meta(3), torch.ones(3)
    for use in (lambda: y.add_(x), lambda: nn.functional.linear(x, torch.ones(2, 3))):
        with pytest.raises(RuntimeError, match="expected device meta"):
            use()
    assert y.tolist() == [1, 1, 1]


def test_a_model_is_built_trained_and_never_computed():
    state = torch.get_rng_state()
    with torch.device("meta"):
        net = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
            nn.Dropout(0.5), nn.Linear(8 * 16 * 16, 1 << 20),
        )  # fmt: skip
        loss = nn.functional.cross_entropy(net(torch.randn(4, 3, 32, 32)), torch.randint(0, 9, (4,)))
    assert loss.shape == () and loss.is_meta and loss.grad_fn is not None
    loss.backward()
    assert all(p.grad.is_meta and p.grad.shape == p.shape for p in net.parameters())
    optimizer = torch.optim.Adam(net.parameters())
    optimizer.step()
    assert optimizer.state[net[0].weight]["exp_avg"].is_meta
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize(
    "make, shape",
    [
        (lambda: nn.LSTM(16, 32, 2), (5, 3, 16)),
        (lambda: nn.TransformerEncoderLayer(16, 2, 32), (5, 3, 16)),
        (lambda: nn.MultiheadAttention(16, 2), None),
        (lambda: nn.Embedding(10, 4), None),
        (lambda: nn.LayerNorm(16), (5, 3, 16)),
        (lambda: nn.ConvTranspose1d(16, 4, 3), (2, 16, 9)),
        (lambda: nn.Upsample(scale_factor=2, mode="bilinear"), (2, 3, 4, 4)),
    ],
)
def test_layers_give_the_shapes_of_their_results(make, shape):
    layer = make()
    with torch.device("meta"):
        empty = make()
    if isinstance(layer, nn.MultiheadAttention):
        inputs = [torch.randn(5, 3, 16)] * 3
    elif isinstance(layer, nn.Embedding):
        inputs = [torch.randint(0, 10, (2, 3))]
    else:
        inputs = [torch.randn(shape)]
    real, shapes = layer(*inputs), empty(*(x.to("meta") for x in inputs))
    for a, b in zip(*(out if isinstance(out, tuple) else (out,) for out in (real, shapes))):
        if isinstance(a, torch.Tensor):
            assert (a.shape, a.dtype, a.stride()) == (b.shape, b.dtype, b.stride()) and b.is_meta


def test_a_model_gets_memory_and_weights():
    with torch.device("meta"):
        net = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    with pytest.raises(NotImplementedError, match="no data"):
        net.to("cpu")
    donor = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    assert net.load_state_dict(donor.state_dict(), assign=True).missing_keys == []
    assert not any(t.is_meta for t in net.state_dict().values()) and isinstance(net[0].weight, nn.Parameter)
    net.eval(), donor.eval()
    x = torch.randn(4, 3)
    assert torch.equal(net(x), donor(x))

    layer = nn.Linear(3, 2, device="meta")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        layer.load_state_dict(nn.Linear(3, 2).state_dict())  # copies into nowhere
    assert layer.weight.is_meta
    assert layer.to_empty(device="cpu") is layer and not layer.weight.is_meta and layer.weight.requires_grad
    assert nn.Linear(3, 2).to("meta").weight.is_meta
    assert not nn.utils.skip_init(nn.Linear, 3, 2).weight.is_meta


def test_values_that_are_not_there_are_no_errors():
    x = torch.zeros(3, dtype=torch.int64, device="meta")
    assert (x // x).shape == (x % x).shape == (3,) and torch.multinomial(meta(4, 3), 2).shape == (4, 2)
    assert nn.functional.one_hot(x, 5).shape == (3, 5)


def test_pickled():
    for x in (meta(4, 6).t(), nn.Parameter(meta(2)), meta(2, dtype=torch.int8)):
        y = pickle.loads(pickle.dumps(x))
        assert (type(y), y.shape, y.stride(), y.dtype) == (type(x), x.shape, x.stride(), x.dtype)
        assert y.is_meta and y.requires_grad == x.requires_grad


@pytest.mark.parametrize("zipped", [True, False])
def test_saved(tmp_path, zipped):
    with torch.device("meta"):
        net = nn.Linear(3, 2)
    things = {
        "net": net.state_dict(),
        "turned": meta(4, 6).t(),
        "leaf": meta(2, requires_grad=True),
        "here": torch.ones(2),
    }
    torch.save(things, tmp_path / "x.pt", _use_new_zipfile_serialization=zipped)
    assert (tmp_path / "x.pt").stat().st_size < 3000
    got = torch.load(tmp_path / "x.pt")
    assert got["net"]["weight"].is_meta and got["net"]["weight"].shape == (2, 3)
    assert got["turned"].is_meta and got["turned"].stride() == (1, 6)
    assert got["leaf"].is_meta and got["leaf"].requires_grad and got["here"].tolist() == [1, 1]


def test_initial_weights_are_not_drawn():
    for fill in (nn.init.trunc_normal_, nn.init.orthogonal_, nn.init.kaiming_normal_, nn.init.dirac_):
        weight = meta(4, 4, 3)
        assert fill(weight) is weight


def test_second_derivatives():
    x = meta(3, requires_grad=True)
    (g,) = torch.autograd.grad((x.sin() * x).sum(), x, create_graph=True)
    g.sum().backward()
    assert g.is_meta and x.grad.is_meta and x.grad.shape == (3,)
