"""Modules as a whole: initial weights, the life of `nn.Module`, containers, and the layers that only rearrange."""

import copy
import json
import pickle
import warnings
from collections import OrderedDict
from pathlib import Path

import pytest

from .conftest import torch
from .golden.record_init import APPROXIMATE, FUNCTIONS, MODULES, entry, tensors

nn = torch.nn
F = nn.functional
INITIAL = json.loads((Path(__file__).parent / "golden" / "initial_weights.json").read_text())


@pytest.mark.parametrize("call", MODULES + FUNCTIONS)
def test_initial_weights_are_pytorchs_bit_for_bit(call):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = {name: entry(t) for name, t in tensors(torch, call).items()}
    want = INITIAL[call]
    assert list(made) == list(want)
    for name, (shape, digest, first) in want.items():
        assert made[name][0] == shape
        assert made[name][2] == pytest.approx(first, rel=1e-5, abs=1e-6), name
        if not call.startswith(APPROXIMATE):
            assert made[name][1] == digest, name


# ---- Module ----


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(2, 3)
        self.b = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
        self.register_buffer("buf", torch.ones(2))
        self.register_buffer("hidden", torch.ones(2), persistent=False)
        self.p = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return self.b(self.a(x))


def test_state_dict_keys():
    assert list(Net().state_dict()) == ["p", "buf", "a.weight", "a.bias", "b.0.weight", "b.0.bias"]


def test_load_state_dict_lists_everything_that_is_wrong():
    state = Net().state_dict()
    del state["a.weight"]
    state["other"] = torch.ones(1)
    state["a.bias"] = torch.ones(7)
    with pytest.raises(RuntimeError) as info:
        Net().load_state_dict(state)
    text = str(info.value)
    assert text.startswith("Error(s) in loading state_dict for Net:\n\t")
    assert 'Missing key(s) in state_dict: "a.weight". ' in text
    assert 'Unexpected key(s) in state_dict: "other". ' in text
    assert "size mismatch for a.bias: copying a param with shape torch.Size([7])" in text
    state["a.bias"] = torch.ones(3)
    result = Net().load_state_dict(state, strict=False)
    assert result.missing_keys == ["a.weight"]
    assert result.unexpected_keys == ["other"]
    assert str(Net().load_state_dict(Net().state_dict())) == "<All keys matched successfully>"


def test_load_state_dict_assign():
    net = Net()
    state = {k: v.clone() for k, v in net.state_dict().items()}
    net.load_state_dict(state, assign=True)
    assert net.buf is state["buf"]
    assert isinstance(net.a.weight, nn.Parameter)
    assert net.a.weight.requires_grad


def test_extra_state():
    class Counter(nn.Module):
        count = 5

        def get_extra_state(self):
            return {"count": self.count}

        def set_extra_state(self, state):
            self.count = state["count"]

    a, b = Counter(), Counter()
    a.count = 7
    b.load_state_dict(a.state_dict())
    assert b.count == 7
    with pytest.raises(RuntimeError, match="_extra_state"):
        b.load_state_dict({})


def test_hooks_of_every_kind():
    log = []
    net = Net()
    handles = [
        net.register_forward_pre_hook(lambda m, a: log.append("pre")),
        net.register_forward_pre_hook(lambda m, a: log.append("first"), prepend=True),
        net.register_forward_hook(lambda m, a, o: log.append("after")),
        net.register_forward_hook(lambda m, a, k, o: log.append(("with", k)), with_kwargs=True),
        net.register_full_backward_pre_hook(lambda m, g: log.append("backward pre")),
        net.register_full_backward_hook(lambda m, gi, go: log.append(("backward", len(gi), len(go)))),
    ]
    net(torch.ones(1, 2, requires_grad=True)).sum().backward()
    assert log == ["first", "pre", "after", ("with", {}), "backward pre", ("backward", 1, 1)]
    for handle in handles:
        handle.remove()
    log.clear()
    net(torch.ones(1, 2))
    assert log == []


def test_registered_names_print_as_those_of_dictionaries():
    m = nn.Sequential(nn.ReLU(), nn.Linear(1, 1))
    names = m._modules.keys()
    assert repr(names) == "dict_keys(['0', '1'])" and list(m._modules.values()) == list(m)
    assert repr(m._modules.items()) == f"dict_items([('0', ReLU()), ('1', {m[1]!r})])"
    m.add_module("last", nn.Tanh())
    assert list(names) == ["0", "1", "last"] and ("0", m[0]) in m._modules.items()


def test_hooks_of_all_modules():
    module = torch.nn.modules.module
    log = []
    handles = [
        module.register_module_forward_pre_hook(lambda m, a: log.append(type(m).__name__)),
        module.register_module_forward_hook(lambda m, a, o: log.append(type(m).__name__ + "!")),
        module.register_module_parameter_registration_hook(lambda m, name, p: log.append(name)),
    ]
    nn.Linear(1, 1)(torch.ones(1, 1))
    for handle in handles:
        handle.remove()
    assert log == ["weight", "bias", "Linear", "Linear!"]


def test_state_dict_hooks():
    log = []
    net = Net()
    net.register_state_dict_pre_hook(lambda m, prefix, keep: log.append("before"))
    net.register_state_dict_post_hook(lambda m, state, prefix, meta: log.append("after"))
    net.register_load_state_dict_pre_hook(lambda m, state, prefix, *rest: log.append("load"))
    net.register_load_state_dict_post_hook(lambda m, keys: log.append(("loaded", len(keys.missing_keys))))
    net.load_state_dict(net.state_dict())
    assert log == ["before", "after", "load", ("loaded", 0)]


def test_forward_and_full_backward_hooks_do_not_mix():
    net = Net()
    net.register_full_backward_hook(lambda *a: None)
    with pytest.raises(RuntimeError, match="Cannot use both"):
        net.register_backward_hook(lambda *a: None)


@pytest.mark.parametrize(
    "kind, f, text",
    [
        (KeyError, lambda n: n.register_parameter("a.b", None), "t contain"),
        (KeyError, lambda n: n.register_parameter("", None), "t be empty string"),
        (KeyError, lambda n: n.register_parameter("forward", None), "already exists"),
        (TypeError, lambda n: n.register_parameter("q", torch.ones(1)), "cannot assign 'torch.FloatTensor'"),
        (TypeError, lambda n: n.register_buffer("q", 3), "cannot assign 'int' object to buffer"),
        (TypeError, lambda n: n.add_module("q", 3), "is not a Module subclass"),
        (TypeError, lambda n: setattr(n, "p", torch.ones(1)), "cannot assign 'torch.FloatTensor' as parameter 'p'"),
        (TypeError, lambda n: setattr(n, "a", 3), "as child module 'a'"),
        (AttributeError, lambda n: n.nothing, "'Net' object has no attribute 'nothing'"),
        (AttributeError, lambda n: n.get_submodule("b.9"), "has no attribute `9`"),
        (AttributeError, lambda n: n.get_parameter("buf"), "`buf` is not an nn.Parameter"),
        (TypeError, lambda n: n.load_state_dict(3), "Expected state_dict to be dict-like"),
        (TypeError, lambda n: n.to(torch.int32), "only accepts floating point or complex"),
        (ValueError, lambda n: n.train(3), "training mode is expected to be boolean"),
        (NotImplementedError, lambda n: nn.Module()(1), 'missing the required "forward"'),
    ],
)
def test_module_errors(kind, f, text):
    with pytest.raises(kind, match=text.replace(".", r"\.").replace("(", r"\(")):
        f(Net())


def test_own_getattr_may_call_supers():
    class Wrapper(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def __getattr__(self, name):
            try:
                return super().__getattr__(name)
            except AttributeError:
                return getattr(super().__getattr__("inner"), name)

        @property
        def broken(self):
            return self.b[7]

    w = Wrapper(Net())
    assert w.a is w.inner.a
    assert not hasattr(w, "nothing")


def test_moving_and_copying():
    net = Net()
    assert net.to(torch.float64).a.weight.dtype == torch.float64
    assert net.half().buf.dtype == torch.float16
    assert net.float().requires_grad_(False).a.weight.requires_grad is False
    assert not net.eval().b[1].training
    twin = copy.deepcopy(net)
    assert twin.a.weight is not net.a.weight
    assert torch.equal(pickle.loads(pickle.dumps(nn.Linear(2, 2))).weight * 0, torch.zeros(2, 2))


def test_shared_parameters_are_named_once():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.Linear(2, 2)
            self.two = self.one

    assert [n for n, _ in Tied().named_parameters()] == ["one.weight", "one.bias"]
    assert len(dict(Tied().named_parameters(remove_duplicate=False))) == 4
    assert len(Tied().state_dict()) == 4


# ---- containers ----


def test_sequential():
    s = nn.Sequential(OrderedDict([("fc", nn.Linear(1, 2)), ("act", nn.ReLU())]))
    assert s.fc is s[0]
    assert s[-1] is s.act
    assert len(s[:1]) == 1
    s = nn.Sequential(nn.Linear(1, 2)) + nn.Sequential(nn.ReLU())
    s.append(nn.Tanh()).insert(0, nn.ELU()).extend([nn.GELU()])
    assert [type(m).__name__ for m in s] == ["ELU", "Linear", "ReLU", "Tanh", "GELU"]
    del s[1]
    assert list(dict(s.named_children())) == ["0", "1", "2", "3"]
    with pytest.raises(TypeError):
        nn.Sequential(3)


def test_module_list_and_dict():
    m = nn.ModuleList([nn.Linear(1, 1), nn.Linear(1, 1), nn.ReLU()])
    assert repr(m) == ("ModuleList(\n  (0-1): 2 x Linear(in_features=1, out_features=1, bias=True)\n  (2): ReLU()\n)")
    m.insert(1, nn.Tanh())
    assert isinstance(m[1], nn.Tanh)
    assert isinstance(m.pop(0), nn.Linear)
    d = nn.ModuleDict({"a": nn.Linear(1, 1), "b": nn.ReLU()})
    assert list(d) == ["a", "b"]
    assert isinstance(d.pop("b"), nn.ReLU)
    with pytest.raises(KeyError):
        d["c"]


def test_parameter_list_and_dict():
    one = nn.ParameterDict({"a": torch.ones(1)})
    assert repr(one) == "ParameterDict(  (a): Parameter containing: [torch.FloatTensor of size 1])"
    assert repr(nn.ParameterList()) == "ParameterList()" and repr(nn.ParameterDict()) == "ParameterDict()"
    p = nn.ParameterList([torch.ones(2), nn.Parameter(torch.ones(3)), "x"])
    assert len(list(p.parameters())) == 2
    assert repr(p).splitlines()[1] == "    (0): Parameter containing: [torch.float32 of size 2]"
    d = nn.ParameterDict({"a": torch.ones(2), "b": 3})
    assert d.popitem() == ("b", 3)
    assert list((d | nn.ParameterDict({"r": torch.ones(1)})).keys()) == ["a", "r"]
    with pytest.raises(TypeError, match="not a string"):
        d[3]


# ---- layers that rearrange ----


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("kind", ["Constant", "Zero", "Reflection", "Replication", "Circular"])
def test_padding(kind, dim):
    pad = tuple(range(1, dim * 2 + 1))
    pad = tuple(min(p, 2) for p in pad)
    layer = getattr(nn, f"{kind}Pad{dim}d")(pad, *([7.0] if kind == "Constant" else []))
    x = torch.arange(2 * 3 * 4**dim, dtype=torch.float64).reshape(2, 3, *[4] * dim).requires_grad_()
    y = layer(x)
    mode = {"Constant": "constant", "Zero": "constant", "Reflection": "reflect", "Replication": "replicate"}
    want = F.pad(x, pad, mode.get(kind, "circular"), *([7.0] if kind == "Constant" else []))
    assert torch.equal(y, want)
    inner = y
    for axis in range(dim):
        inner = inner.narrow(-1 - axis, pad[2 * axis], 4)
    assert torch.equal(inner, x)
    assert torch.autograd.gradcheck(layer, x[:1, :1].detach().requires_grad_())
    assert layer(x[0]).shape == y.shape[1:]
    assert repr(getattr(nn, f"{kind}Pad{dim}d")(2, *([7.0] if kind == "Constant" else []))) == (
        f"{kind}Pad{dim}d(padding={(2,) * dim * 2}, value=7.0)"
        if kind == "Constant"
        else f"{kind}Pad{dim}d({(2,) * dim * 2})"
    )


def test_shuffles_and_their_inverses():
    x = torch.randn(2, 8, 3, 5)
    assert nn.PixelShuffle(2)(x).shape == (2, 2, 6, 10)
    assert torch.equal(nn.PixelUnshuffle(2)(nn.PixelShuffle(2)(x)), x)
    assert torch.equal(nn.ChannelShuffle(4)(nn.ChannelShuffle(2)(x)), x)
    assert nn.ChannelShuffle(2)(torch.arange(4.0).reshape(1, 4, 1)).flatten().tolist() == [0.0, 2.0, 1.0, 3.0]


def test_distances():
    a, b = torch.tensor([[3.0, 4.0]]), torch.tensor([[0.0, 0.0]])
    assert nn.PairwiseDistance(eps=0.0)(a, b).item() == 5.0
    assert nn.PairwiseDistance(p=1, keepdim=True, eps=0.0)(a, b).tolist() == [[7.0]]
    assert nn.CosineSimilarity()(a, 2 * a).item() == pytest.approx(1.0)
    assert nn.CosineSimilarity()(a, b).item() == 0.0


@pytest.mark.parametrize(
    "name", ["Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"]
)
def test_dropouts_do_nothing_in_evaluation(name):
    layer = getattr(nn, name)(0.5)
    x = torch.randn(2, 3, *[4] * {"Dropout1d": 1, "Dropout3d": 3}.get(name, 2))
    assert torch.equal(layer.eval()(x), x)
    y = layer.train()(x)
    if name[-2:] in ("1d", "2d", "3d"):  # whole channels go
        gone = (y == 0).flatten(2)
        assert torch.equal(gone.all(-1), gone.any(-1))
    with pytest.raises(ValueError, match="between 0 and 1"):
        getattr(nn, name)(1.5)


def test_padding_of_nothing_is_an_error():
    """Wrapping around no elements, or repeating an edge that is not there, must not end the process."""
    for x, pad, mode in (
        (torch.ones(1, 1, 4), (-4, 2), "circular"),
        (torch.ones(1, 1, 0), (1, 1), "replicate"),
        (torch.ones(1, 1, 0), (0, 1), "circular"),
    ):
        with pytest.raises(RuntimeError):
            F.pad(x, pad, mode)
            raise RuntimeError  # PyTorch gives unset memory for the first
    assert F.pad(torch.ones(1, 1, 4), (-2, -2), "circular").shape == (1, 1, 0)
    assert nn.ZeroPad2d((1, 2))(torch.ones(1, 2, 2)).shape == (1, 2, 5)


def test_older_backward_hooks_see_the_last_node():
    seen = []
    net = torch.nn.Linear(2, 2)
    net.register_backward_hook(lambda m, gi, go: seen.append((m, len(gi), go[0].shape)))
    out = net(torch.ones(1, 2, requires_grad=True))
    assert out.grad_fn.name() == "AddmmBackward0"
    out.sum().backward()
    assert seen == [(net, 3, (1, 2))]
    handle = torch.nn.modules.module.register_module_backward_hook(lambda m, gi, go: seen.append(type(m).__name__))
    with pytest.raises(RuntimeError, match="Cannot use both"):
        torch.nn.modules.module.register_module_full_backward_hook(print)
    torch.nn.ReLU()(torch.ones(1, requires_grad=True)).sum().backward()
    handle.remove()
    assert seen[1:] == ["ReLU"]


def test_what_full_backward_hooks_return():
    def run(result, inputs):
        net = torch.nn.Linear(2, 2)
        net.register_full_backward_hook(lambda m, gi, go: result(gi))
        net(inputs).sum().backward()
        return inputs.grad

    x = torch.ones(1, 2)
    assert run(lambda gi: [gi[0] * 0], x.clone().requires_grad_()).tolist() == [[0.0, 0.0]]
    with pytest.raises(RuntimeError, match="changed the size"):
        run(lambda gi: gi[0], x.clone().requires_grad_())
    with pytest.raises(TypeError):
        run(lambda gi: 5, x.clone().requires_grad_())
    with pytest.warns(UserWarning, match="no inputs require gradients"):
        assert run(lambda gi: (None,), x) is None
