"""nn.utils: norms of weights, parametrizations, pruning, fusion, calling with other parameters."""

import copy
import importlib
import warnings

import pytest

from .conftest import torch

nn = torch.nn
utils = nn.utils
P = nn.utils.parametrize
prune = importlib.import_module(f"{torch.__name__}.nn.utils.prune")


@pytest.fixture(autouse=True)
def _quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).mT

    def right_inverse(self, x):
        return x.triu()


# ---- parametrize ----


def test_parametrization():
    m = nn.Linear(3, 3)
    original = m.weight
    P.register_parametrization(m, "weight", Symmetric())
    assert torch.equal(m.weight, m.weight.mT)
    assert list(m.state_dict()) == ["bias", "parametrizations.weight.original"]
    assert m.parametrizations.weight.original is original
    assert type(m).__name__ == "ParametrizedLinear"
    assert isinstance(m, nn.Linear)
    assert P.type_before_parametrizations(m) is nn.Linear
    assert P.is_parametrized(m)
    assert P.is_parametrized(m, "weight")
    assert not P.is_parametrized(m, "bias")
    m(torch.ones(1, 3)).sum().backward()
    assert original.grad is not None
    m.weight = torch.ones(3, 3)
    assert torch.equal(original.detach(), torch.ones(3, 3).triu())
    with P.cached():
        assert m.weight is m.weight
    assert m.weight is not m.weight
    twin = copy.deepcopy(m)
    assert torch.equal(twin.weight, m.weight)
    with pytest.raises(RuntimeError, match="only supported through state_dict"):
        import pickle

        pickle.dumps(m)
    P.remove_parametrizations(m, "weight")
    assert type(m) is nn.Linear
    assert m.weight is original
    assert torch.equal(m.weight, torch.ones(3, 3))


def test_unparametrized_value_can_come_back():
    m = nn.Linear(3, 3)
    before = m.weight.detach().clone()
    P.register_parametrization(m, "weight", nn.Tanh())
    P.remove_parametrizations(m, "weight", leave_parametrized=False)
    assert torch.equal(m.weight, before)


def test_several_parametrizations_and_originals():
    class Sum(nn.Module):
        def forward(self, a, b):
            return a + b

        def right_inverse(self, x):
            return x / 2, x / 2

    m = nn.Linear(2, 2)
    before = m.weight.detach().clone()
    P.register_parametrization(m, "weight", Sum())
    assert list(m.state_dict()) == ["bias", "parametrizations.weight.original0", "parametrizations.weight.original1"]
    assert torch.allclose(m.weight, before)
    P.register_parametrization(m, "weight", nn.Tanh())
    assert torch.allclose(m.weight, before.tanh())
    with pytest.raises(ValueError, match="Cannot leave unparametrized"):
        P.remove_parametrizations(m, "weight", leave_parametrized=False)
    P.remove_parametrizations(m, "weight")
    assert isinstance(m.weight, nn.Parameter)


@pytest.mark.parametrize(
    "f, text",
    [
        (lambda m: P.register_parametrization(m, "weight", nn.Flatten(0)), "may not change the shape"),
        (lambda m: P.register_parametrization(m, "nothing", nn.Tanh()), "does not have a parameter, a buffer"),
        (lambda m: P.remove_parametrizations(m, "weight"), "does not have a parametrization on weight"),
        (lambda m: utils.parametrizations.orthogonal(m, orthogonal_map="x"), "orthogonal_map has to be one of"),
        (lambda m: utils.parametrizations.orthogonal(m, "bias"), "Expected a matrix"),
        (lambda m: utils.parametrizations.spectral_norm(m, "x"), "has no parameter or buffer"),
    ],
)
def test_parametrization_errors(f, text):
    with pytest.raises(ValueError, match=text):
        f(nn.Linear(3, 4))


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4)])
@pytest.mark.parametrize("name", ["matrix_exp", "cayley", "householder"])
def test_orthogonal(name, shape):
    m = utils.parametrizations.orthogonal(nn.Linear(*shape), orthogonal_map=name)
    opt = torch.optim.SGD(m.parameters(), lr=0.5)
    for _ in range(3):
        opt.zero_grad()
        m(torch.randn(4, shape[0])).square().sum().backward()
        opt.step()
    w = m.weight if shape[1] >= shape[0] else m.weight.mT
    assert torch.allclose(w.mT @ w, torch.eye(min(shape)), atol=1e-4)
    q = nn.init.orthogonal_(torch.empty(shape[1], shape[0]))
    m.weight = q
    assert torch.allclose(m.weight, q, atol=1e-5)


def test_orthogonal_starts_as_pytorchs():
    torch.manual_seed(0)
    m = utils.parametrizations.orthogonal(nn.Linear(5, 3))
    assert m.weight.flatten()[:4].tolist() == pytest.approx([-0.0058, 0.4170, -0.6397, -0.5720], abs=1e-4)


@pytest.mark.parametrize("make", [utils.weight_norm, utils.parametrizations.weight_norm])
@pytest.mark.parametrize("dim", [0, 1, None])
def test_weight_norm(make, dim):
    m = nn.Linear(4, 3)
    w = m.weight.detach().clone()
    x = torch.randn(2, 4)
    before = m(x)
    make(m, dim=dim)
    assert torch.allclose(m(x), before, atol=1e-6)
    m(x).sum().backward()
    names = ["bias", "weight_g", "weight_v"] if make is utils.weight_norm else [
        "bias", "parametrizations.weight.original0", "parametrizations.weight.original1",
    ]  # fmt: skip
    assert list(m.state_dict()) == names
    g = m.state_dict()[names[1]]
    assert g.shape == {0: (3, 1), 1: (1, 4), None: ()}[dim]
    assert all(p.grad is not None for p in m.parameters())
    if make is utils.weight_norm:
        with pytest.raises(RuntimeError, match="Cannot register two weight_norm hooks"):
            make(m)
        utils.remove_weight_norm(m)
        assert torch.allclose(m.weight, w, atol=1e-6)
        assert isinstance(m.weight, nn.Parameter)


def test_old_weight_norm_states_load_into_the_new():
    old, new = utils.weight_norm(nn.Linear(4, 3)), utils.parametrizations.weight_norm(nn.Linear(4, 3))
    new.load_state_dict(old.state_dict())
    assert torch.allclose(new.weight, old.weight)


@pytest.mark.parametrize("make", [utils.spectral_norm, utils.parametrizations.spectral_norm])
def test_spectral_norm(make):
    torch.manual_seed(0)
    m = make(nn.Linear(4, 6))
    for _ in range(20):
        m(torch.randn(2, 4))
    assert torch.linalg.matrix_norm(m.weight.detach(), 2).item() == pytest.approx(1, abs=1e-6)
    m(torch.randn(2, 4)).sum().backward()
    m.eval()
    first = m.weight.detach().clone()
    m(torch.randn(2, 4))
    assert torch.equal(first, m.weight.detach())
    if make is utils.spectral_norm:
        assert list(m.state_dict()) == ["bias", "weight_orig", "weight_u", "weight_v"]
        assert m.state_dict()._metadata[""]["spectral_norm"] == {"weight.version": 1}
        utils.remove_spectral_norm(m)
        assert list(m.state_dict()) == ["bias", "weight"]


def test_spectral_norm_starts_as_pytorchs():
    torch.manual_seed(0)
    m = utils.spectral_norm(nn.Linear(3, 5))
    assert m.weight_u.tolist() == pytest.approx([-0.3197, 0.0976, -0.4591, 0.5898, -0.5741], abs=1e-4)
    m(torch.ones(1, 3))
    assert m.weight[0].tolist() == pytest.approx([-0.0071, 0.5085, -0.7802], abs=1e-4)


# ---- prune ----


def test_pruning():
    torch.manual_seed(0)
    m = nn.Linear(3, 4)
    prune.random_unstructured(m, "weight", 0.5)
    assert m.weight_mask.sum() == 6
    assert torch.equal(m.weight, m.weight_orig * m.weight_mask)
    assert set(m.state_dict()) == {"bias", "weight_orig", "weight_mask"}
    prune.l1_unstructured(m, "weight", 2)
    assert m.weight_mask.sum() == 4
    (hook,) = m._forward_pre_hooks.values()
    assert isinstance(hook, prune.PruningContainer)
    assert len(hook) == 2
    m(torch.ones(1, 3)).sum().backward()
    assert (m.weight_orig.grad[m.weight_mask == 0] == 0).all()
    assert prune.is_pruned(m)
    prune.remove(m, "weight")
    assert not prune.is_pruned(m)
    assert (m.weight == 0).sum() == 8


def test_structured_and_global_pruning():
    m = nn.Conv2d(3, 4, 2)
    prune.ln_structured(m, "weight", amount=2, n=2, dim=0)
    assert sorted(m.weight_mask.flatten(1).sum(1).tolist()) == [0.0, 0.0, 12.0, 12.0]
    prune.random_structured(m, "weight", amount=1, dim=1)
    assert m.weight_mask.sum() == 16
    prune.custom_from_mask(m, "bias", torch.tensor([0, 1, 1, 0]))
    assert m.bias[0] == 0
    a, b = nn.Linear(3, 4), nn.Linear(4, 2)
    prune.global_unstructured([(a, "weight"), (b, "weight")], prune.L1Unstructured, amount=0.5)
    assert a.weight_mask.sum() + b.weight_mask.sum() == 10


@pytest.mark.parametrize(
    "kind, f, text",
    [
        (ValueError, lambda m: prune.l1_unstructured(m, "weight", 2.0), "float in the range"),
        (ValueError, lambda m: prune.l1_unstructured(m, "weight", 100), "smaller than the number of parameters"),
        (TypeError, lambda m: prune.l1_unstructured(m, "weight", "a"), "Invalid type for amount"),
        (ValueError, lambda m: prune.ln_structured(m, "bias", 1, 2, 1), "multidimensional tensors"),
        (IndexError, lambda m: prune.ln_structured(m, "weight", 1, 2, 5), "Invalid index 5"),
        (ValueError, lambda m: prune.remove(m, "weight"), "has to be pruned"),
    ],
)
def test_pruning_errors(kind, f, text):
    m = nn.Linear(3, 4)
    with pytest.raises(kind, match=text):
        f(m)
    assert list(m.state_dict()) == ["weight", "bias"]


# ---- the rest ----


def test_fusion():
    conv, bn = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)
    linear, bn1 = nn.Linear(3, 4), nn.BatchNorm1d(4)
    up, bn2 = nn.ConvTranspose2d(3, 4, 3), nn.BatchNorm2d(4)
    for norm in (bn, bn1, bn2):
        for t in (norm.weight, norm.bias, norm.running_mean):
            nn.init.normal_(t)
        nn.init.uniform_(norm.running_var, 0.5, 2)
        norm.eval()
    x = torch.randn(2, 3, 5, 5)
    fused = utils.fuse_conv_bn_eval(conv.eval(), bn)
    assert torch.allclose(fused(x), bn(conv(x)), atol=1e-5)
    assert torch.allclose(utils.fuse_conv_bn_eval(up.eval(), bn2, transpose=True)(x), bn2(up(x)), atol=1e-5)
    assert torch.allclose(
        utils.fuse_linear_bn_eval(linear.eval(), bn1)(x[:, :, 0, 0]), bn1(linear(x[:, :, 0, 0])), atol=1e-5
    )
    with pytest.raises(AssertionError, match="Fusion only for eval"):
        utils.fuse_conv_bn_eval(conv.train(), bn)


def test_skip_init_draws_nothing():
    torch.manual_seed(0)
    m = utils.skip_init(nn.Linear, 3, 4)
    assert m.weight.shape == (4, 3)
    first = torch.rand(1)
    torch.manual_seed(0)
    assert torch.equal(first, torch.rand(1))
    with pytest.raises(RuntimeError, match="Expected a Module"):
        utils.skip_init(int)


def test_functional_call():
    call = torch.func.functional_call
    m = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    before = m[0].weight
    w = torch.ones(2, 2, requires_grad=True)
    out = call(m, {"0.weight": w}, torch.randn(3, 2))
    out.square().sum().backward()
    assert w.grad is not None
    assert before.grad is None
    assert m[0].weight is before
    with pytest.raises(RuntimeError, match="Unexpected key"):
        call(m, {"x": w}, torch.ones(1, 2), strict=True)
    with pytest.raises(ValueError, match="multiple dictionaries"):
        call(m, [{"0.weight": w}, {"0.weight": w}], torch.ones(1, 2))
    tied = nn.Module()
    tied.a = nn.Linear(2, 2, bias=False)
    tied.b = tied.a
    tied.forward = lambda x: tied.b(tied.a(x))
    assert call(tied, {"a.weight": 2 * torch.eye(2)}, torch.ones(1, 2)).tolist() == [[4.0, 4.0]]


def test_gradient_norms():
    a, b = torch.ones(3, requires_grad=True), torch.ones(2, requires_grad=True)
    (3 * a.sum() + 4 * b.sum()).backward()
    norm = utils.get_total_norm([a.grad, b.grad])
    assert norm.item() == pytest.approx((27 + 32) ** 0.5)
    utils.clip_grads_with_norm_([a, b], 1.0, norm)
    assert utils.get_total_norm([a.grad, b.grad]).item() == pytest.approx(1, abs=1e-4)
    utils.clip_grad_value_([a, b], 0.1)
    assert a.grad.max() == pytest.approx(0.1)
    v = utils.parameters_to_vector([a, b])
    utils.vector_to_parameters(v * 2, [a, b])
    assert a.tolist() == [2.0] * 3
