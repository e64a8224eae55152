"""Optimizers: runs recorded from PyTorch, layouts and dtypes, groups, saving, hooks, errors."""

import copy
import json
import math
import pickle
import warnings
from pathlib import Path

import pytest

from .conftest import CANDIDATE, torch
from .golden.optim_cases import (
    LBFGS,
    OPTIMIZERS,
    STEPS,
    make,
    minimize_rosenbrock,
    run_optimizer,
    set_grads,
    value,
)
from .test_golden import check

GOLDEN = json.loads((Path(__file__).parent / "golden" / "optim.json").read_text())
RECORDED = [(n, k, d) for n, k in OPTIMIZERS for d in ("float32", "float64", "complex64")]
RECORDED = [c for c in RECORDED if f"{c[0]} {json.dumps(c[1])} {c[2]}" in GOLDEN]
NAMES = sorted({name for name, _ in OPTIMIZERS})
RULES = [name for name in NAMES if name not in ("Adafactor", "Muon")]  # served by the core


def param(*shape, dtype="float32", seed=1.0):
    return value(torch, shape, seed, dtype).requires_grad_()


# ---- the same numbers as PyTorch ----


@pytest.mark.parametrize("name, kwargs, dtype", RECORDED, ids=lambda v: v if isinstance(v, str) else json.dumps(v))
def test_runs_as_pytorch(name, kwargs, dtype):
    golden = GOLDEN[f"{name} {json.dumps(kwargs)} {dtype}"]
    params, saved = run_optimizer(torch, name, kwargs, dtype)
    check("optim", params, golden["params"], f"{name} {kwargs}: parameters")
    assert [str(i) for i in saved["state"]] == list(golden["state"])
    for i, own in saved["state"].items():
        recorded = golden["state"][str(i)]
        assert list(own) == list(recorded)  # the same keys in the same order
        for key, v in own.items():
            check("optim", [v], [recorded[key]], f"{name} {kwargs}: state {key}")
    group = json.loads(json.dumps(saved["param_groups"][0]))
    assert list(group) == list(golden["group"]) and group == golden["group"]


@pytest.mark.parametrize("kwargs", LBFGS, ids=json.dumps)
def test_lbfgs_runs_as_pytorch(kwargs):
    found = minimize_rosenbrock(torch, kwargs, "float64")
    assert found == pytest.approx(GOLDEN[f"LBFGS {json.dumps(kwargs)}"], rel=1e-5, abs=1e-9)


def test_sparse_adam_rests_where_there_is_no_gradient():
    if CANDIDATE == "torch":
        pytest.skip("PyTorch wants sparse gradients")
    w, dense = param(4, 2), param(2, 2)
    start = w.detach().clone()
    with torch.no_grad():
        dense.copy_(w[[0, 2]])
    sparse_adam, adam = torch.optim.SparseAdam([w], lr=0.1), torch.optim.Adam([dense], lr=0.1)
    for i in range(3):
        dense.grad = value(torch, (2, 2), 1.0 + i, "float32")
        w.grad = torch.zeros(4, 2)
        w.grad[[0, 2]] = dense.grad
        sparse_adam.step()
        adam.step()
    torch.testing.assert_close(w[[0, 2]], dense)
    assert torch.equal(w[[1, 3]], start[[1, 3]])


# ---- layouts, dtypes, sizes ----


@pytest.mark.parametrize("name", RULES)
def test_strided_parameters_and_gradients(name):
    plain, odd = param(3, 4), torch.empty(4, 6)[:, ::2].T
    odd.copy_(plain.detach())
    odd.requires_grad_()
    assert not odd.is_contiguous()
    optimizers = [getattr(torch.optim, name)([p]) for p in (plain, odd)]
    for i in range(3):
        plain.grad = value(torch, (3, 4), i, "float32")
        odd.grad = value(torch, (3, 4), i, "float32") if i else value(torch, (3, 4), i, "float32").T.contiguous().T
        for optimizer in optimizers:
            optimizer.step()
    assert torch.equal(plain, odd)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_short_floats(name, dtype):
    options = {"lr": 10.0 if name == "Adadelta" else 0.1}  # a step that short floats can show
    params, optimizer = make(torch, name, options, dtype)
    wide, reference = make(torch, name, options, "float32")
    start = [p.detach().clone() for p in params]
    with torch.no_grad():
        for p, w in zip(params, wide):
            w.copy_(p)
    set_grads(torch, params, 1, dtype)
    for p, w in zip(params, wide):
        w.grad = p.grad.float()
    optimizer.step()
    reference.step()
    ulp = torch.finfo(getattr(torch, dtype)).eps * 8  # every operation rounds
    for p, w, before in zip(params, wide, start):
        assert p.dtype == before.dtype and not torch.equal(p, before)
        torch.testing.assert_close(p.float(), w, rtol=ulp, atol=ulp / 8)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Rprop", "Adadelta"])
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_short_floats_round_after_every_operation(name, dtype):
    """Bit by bit what a loop over operations gives that computes each in float32."""
    dtype, n = getattr(torch, dtype), 192  # PyTorch rounds once more in what does not fill its registers

    def r(x):
        return x.to(dtype).float()

    def number(x):  # as an operation on floats takes it
        return torch.tensor(x).item() if isinstance(x, float) else x

    def own(x):  # as an element
        return r(torch.tensor(x))

    def plus_square(a, weight, b):  # a + weight * b * b, the last product and the sum rounded at once
        return r((a.double() + (weight * b).double() * b.double()).float())

    def step(p, g, state, t):
        if name == "SGD":
            state["b"] = r(r(state["b"] * number(0.9)) + g) if t > 1 else g
            return r(p + own(-0.1) * state["b"])
        if name in ("Adam", "AdamW"):
            p = r(p * number(1 - 0.1 * 0.01)) if name == "AdamW" else p
            state["m"] = r((state["m"].double() + number(1 - 0.9) * (g - state["m"]).double()).float())
            state["v"] = plus_square(r(state["v"] * number(0.999)), number(1 - 0.999), g)
            d = r(r(r(state["v"].sqrt()) / number(math.sqrt(1 - 0.999**t))) + own(1e-3))
            return r(p + number(-0.1 / (1 - 0.9**t)) * state["m"] / d)
        if name == "RMSprop":
            state["v"] = plus_square(r(state["v"] * number(0.99)), number(1 - 0.99), g)
            return r(p + number(-0.1) * g / r(r(state["v"].sqrt()) + own(1e-3)))
        if name == "Adagrad":
            state["v"] = plus_square(state["v"], 1.0, g)
            return r(p + number(-0.1) * g / r(r(state["v"].sqrt()) + own(1e-3)))
        if name == "Adadelta":
            state["v"] = plus_square(r(state["v"] * number(0.9)), number(1 - 0.9), g)
            d = r(r(r(state["m"] + own(1e-3)).sqrt()) / r(r(state["v"] + own(1e-3)).sqrt()))
            d = r(d * g)
            state["m"] = plus_square(r(state["m"] * number(0.9)), number(1 - 0.9), d)
            return r(p + own(-0.1) * d)
        sign = r(g * state["m"]).sign()
        factor = torch.where(sign > 0, own(1.2), torch.where(sign < 0, own(0.5), own(1.0)))
        size = r(state.get("v0", own(0.1)) * factor).clamp(own(1e-6), own(50.0))
        state["v0"] = size
        state["m"] = torch.where(sign < 0, own(0.0), g)
        return r(p - state["m"].sign() * size)

    torch.manual_seed(3)
    p = torch.randn(n).to(dtype).requires_grad_()
    more = {"SGD": {"momentum": 0.9}, "Rprop": {}}.get(name, {"eps": 1e-3})
    optimizer = getattr(torch.optim, name)([p], lr=0.1, **more)
    mine, state = p.detach().float(), {"m": torch.zeros(n), "v": torch.zeros(n)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for t in range(1, 30):
            p.grad = (torch.randn(n) * torch.rand(n)).to(dtype)
            mine = step(mine, p.grad.float(), state, t)
            optimizer.step()
            assert torch.equal(p.detach().float(), mine), t


def test_many_and_large_parameters_are_the_same_on_any_number_of_threads():
    results = []
    before = torch.get_num_threads()
    for threads in (1, 3):
        torch.set_num_threads(threads)
        params = [param(n, seed=n) for n in (7, 40_000, 1, 0, 25_001)]
        optimizer = torch.optim.Adam(params, lr=0.1)
        for i in range(2):
            for p in params:
                p.grad = torch.full_like(p, 0.5 - i)
            optimizer.step()
        results.append(params)
    torch.set_num_threads(before)
    assert all(torch.equal(a, b) for a, b in zip(*results))


def test_large_is_as_small():
    whole = param(50_000)
    parts = [p.detach().clone().requires_grad_() for p in whole.split(1000)]
    optimizers = torch.optim.RMSprop([whole], momentum=0.9), torch.optim.RMSprop(parts, momentum=0.9)
    for i in range(3):
        whole.grad = value(torch, (50_000,), i, "float32")
        for p, g in zip(parts, whole.grad.split(1000)):
            p.grad = g.clone()
        for optimizer in optimizers:
            optimizer.step()
    assert torch.equal(whole, torch.cat(parts))


def test_no_gradient_no_state():
    used, unused = param(2), param(2)
    optimizer = torch.optim.Adam([unused, used])
    used.grad = torch.ones(2)
    before = unused.detach().clone()
    optimizer.step()
    assert torch.equal(unused, before)
    assert list(optimizer.state_dict()["state"]) == [1] and unused not in optimizer.state


# ---- differentiable ----


@pytest.mark.parametrize("name, kwargs", [c for c in OPTIMIZERS if c[0] in RULES], ids=str)
def test_differentiable_gives_the_same(name, kwargs):
    params, optimizer = make(torch, name, kwargs, "float64")
    leaves, _ = make(torch, name, kwargs, "float64")
    copies = [p.clone() for p in leaves]
    options = {k: tuple(v) if isinstance(v, list) else v for k, v in kwargs.items()}
    recorded = getattr(torch.optim, name)(copies, differentiable=True, **options)
    for i in range(3):
        set_grads(torch, params, i, "float64")
        set_grads(torch, copies, i, "float64")
        optimizer.step()
        recorded.step()
    for p, q in zip(params, copies):
        torch.testing.assert_close(p, q, rtol=1e-6, atol=1e-7)
    if CANDIDATE == "torch":
        return  # some of its steps change what backward through the step before them needs
    sum((q * q).sum() for q in copies).backward()
    assert all(leaf.grad is not None for leaf in leaves)
    for a, b in zip(optimizer.state.values(), recorded.state.values()):
        assert set(a) == set(b)


def test_gradient_with_respect_to_the_learning_rate():
    lr = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    w = torch.tensor([1.0, 2.0], dtype=torch.float64, requires_grad=True)
    p = w.clone()
    p.grad = torch.tensor([3.0, 5.0], dtype=torch.float64)
    torch.optim.SGD([p], lr=lr, differentiable=True).step()
    p.sum().backward()
    assert lr.grad.item() == pytest.approx(-8.0) and w.grad.tolist() == [1.0, 1.0]


# ---- groups and options ----


def test_groups_have_their_own_options():
    a, b = param(3), param(3)
    a.grad, b.grad = torch.ones(3), torch.ones(3)
    start = a.detach().clone()
    optimizer = torch.optim.SGD([{"params": a}, {"params": [b], "lr": 0.5}], lr=0.1)
    optimizer.add_param_group({"params": param(2), "momentum": 0.9})
    optimizer.step()
    torch.testing.assert_close(a, start - 0.1)
    torch.testing.assert_close(b, start - 0.5)
    assert [g["lr"] for g in optimizer.param_groups] == [0.1, 0.5, 0.1]
    assert [g["momentum"] for g in optimizer.param_groups] == [0, 0, 0.9]


def test_names():
    layer = torch.nn.Linear(2, 1)
    optimizer = torch.optim.SGD(layer.named_parameters())
    assert optimizer.param_groups[0]["param_names"] == ["weight", "bias"]
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["weight", "bias"]
    other = torch.optim.SGD(layer.parameters())
    other.load_state_dict(optimizer.state_dict())
    assert other.param_groups[0]["param_names"] == ["weight", "bias"]


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adagrad", "RMSprop", "Adafactor"])
def test_a_tensor_as_learning_rate(name):
    found = []
    for lr in (0.125, torch.tensor(0.125), torch.tensor([0.125])):
        p = param(4)
        optimizer = getattr(torch.optim, name)([p], lr=lr)
        for i in range(3):
            p.grad = value(torch, (4,), i, "float32")
            optimizer.step()
        found.append(p)
    torch.testing.assert_close(found[1], found[0])
    torch.testing.assert_close(found[2], found[0])


def test_options_may_change_between_steps():
    p = param(3)
    p.grad = torch.ones(3)
    optimizer = torch.optim.SGD([p], lr=0.1)
    optimizer.step()
    optimizer.param_groups[0]["lr"] = 0.0
    before = p.detach().clone()
    optimizer.step()
    assert torch.equal(p, before)


def test_an_optimizer_that_wraps_another():
    class Slow(torch.optim.Optimizer):
        def __init__(self, inner):  # as many do: without super().__init__()
            self.inner, self.param_groups, self.state, self.defaults = inner, inner.param_groups, {}, {}

        def step(self, closure=None):
            return self.inner.step(closure)

    p = torch.nn.Parameter(torch.ones(1))
    slow = Slow(torch.optim.SGD([p], 0.5))
    p.grad = torch.ones(1)
    slow.step()
    assert p.item() == 0.5
    slow.zero_grad()
    assert p.grad is None


def test_any_sequence_of_parameters():
    p = param(3)
    optimizer = torch.optim.SGD([p], lr=1.0)
    optimizer.param_groups[0]["params"] = (p,)
    p.grad = torch.ones(3)
    before = p.detach().clone()
    optimizer.step()
    torch.testing.assert_close(p, before - 1)
    optimizer.zero_grad()
    assert p.grad is None


def test_a_parameter_given_twice_is_updated_twice():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        p = torch.zeros(40_000, requires_grad=True)
        optimizer = torch.optim.SGD([p, p], lr=1.0, momentum=0.5)
    assert "duplicate parameters" in str(caught[0].message)
    p.grad = torch.ones(40_000)
    optimizer.step()
    if CANDIDATE != "torch":
        assert p.eq(p[0]).all()


def test_repr():
    text = repr(torch.optim.SGD([param(2)], lr=0.1))
    assert text.startswith("SGD (\nParameter Group 0\n    dampening: 0\n    differentiable: False\n")
    assert text.endswith("weight_decay: 0\n)")


# ---- step and zero_grad ----


def test_closure_runs_with_gradients():
    p = param(2)
    optimizer = torch.optim.Adam([p])

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with torch.no_grad():
        loss = optimizer.step(closure)
    assert loss.requires_grad and not torch.equal(p.grad, torch.zeros(2))
    assert optimizer.step() is None


def test_zero_grad():
    p, q = param(2), param(2)
    p.grad = torch.ones(2)
    optimizer = torch.optim.SGD([p, q])
    grad = p.grad
    optimizer.zero_grad(set_to_none=False)
    assert p.grad is grad and grad.tolist() == [0, 0] and q.grad is None
    optimizer.zero_grad()
    assert p.grad is None and q.grad is None


def test_zero_grad_cuts_the_graph_of_a_gradient():
    p = param(2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a cycle, which zero_grad is about to cut
        (p**3).sum().backward(create_graph=True)
    assert p.grad.requires_grad
    torch.optim.SGD([p]).zero_grad(set_to_none=False)
    assert not p.grad.requires_grad and p.grad.grad_fn is None and p.grad.tolist() == [0, 0]


def test_a_step_is_a_change_in_place():
    p = param(2)
    y = (p * p).sum()
    p.grad = torch.ones(2)
    version = p._version
    torch.optim.SGD([p]).step()
    assert p._version > version
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_training_makes_the_loss_fall():
    torch.manual_seed(0)
    x = torch.randn(32, 3)
    y = x @ torch.tensor([[1.0], [-2.0], [0.5]]) + 0.3
    for name, lr in (("SGD", 0.1), ("Adam", 0.1), ("AdamW", 0.1), ("RMSprop", 0.05), ("Rprop", 0.1), ("NAdam", 0.1)):
        model = torch.nn.Linear(3, 1)
        optimizer = getattr(torch.optim, name)(model.parameters(), lr=lr)
        for _ in range(150):
            loss = ((model(x) - y) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        assert loss < 1e-2, name


# ---- saving ----


@pytest.mark.parametrize("name, kwargs", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("way", ["state_dict", "deepcopy", "pickle"])
def test_training_goes_on_from_what_was_saved(name, kwargs, way):
    golden = GOLDEN[f"{name} {json.dumps(kwargs)} float32"]
    params, optimizer = make(torch, name, kwargs, "float32")
    for i in range(STEPS // 2):
        set_grads(torch, params, i, "float32")
        optimizer.step()
    if way == "state_dict":
        saved = copy.deepcopy(optimizer.state_dict())
        optimizer = type(optimizer)(params, lr=9.0)
        optimizer.load_state_dict(saved)
    else:
        params, optimizer = (
            copy.deepcopy((params, optimizer)) if way == "deepcopy" else pickle.loads(pickle.dumps((params, optimizer)))
        )
    for i in range(STEPS // 2, STEPS):
        set_grads(torch, params, i, "float32")
        optimizer.step()
    check("optim", [p.detach() for p in params], golden["params"], f"{name} {kwargs} after {way}")


def test_loading_takes_the_dtype_of_the_parameters_but_for_steps():
    p = param(2)
    optimizer = torch.optim.Adam([p])
    p.grad = torch.ones(2)
    optimizer.step()
    q = param(2, dtype="float64")
    other = torch.optim.Adam([q])
    other.load_state_dict(optimizer.state_dict())
    assert other.state[q]["exp_avg"].dtype == torch.float64 and other.state[q]["step"].dtype == torch.float32
    q.grad = torch.ones(2, dtype=torch.float64)
    other.step()
    assert other.state[q]["step"].item() == 2


def test_older_checkpoints():
    p = param(2)
    optimizer = torch.optim.Adam([p], lr=0.1)
    p.grad = torch.ones(2)
    optimizer.step()
    saved = optimizer.state_dict()
    saved["state"][0]["step"] = 1
    for key in ("maximize", "foreach", "capturable", "differentiable", "fused", "decoupled_weight_decay"):
        del saved["param_groups"][0][key]
    optimizer.load_state_dict(saved)
    assert torch.is_tensor(optimizer.state[p]["step"])
    optimizer.step()
    assert optimizer.state[p]["step"].item() == 2


def test_loading_another_model_is_refused():
    one = torch.optim.SGD([param(2)])
    two = torch.optim.SGD([{"params": param(2)}, {"params": param(2)}])
    three = torch.optim.SGD([param(2), param(2)])
    with pytest.raises(ValueError, match="different number of parameter groups"):
        one.load_state_dict(two.state_dict())
    with pytest.raises(ValueError, match="doesn't match the size"):
        one.load_state_dict(three.state_dict())


# ---- hooks and subclasses ----


def test_hooks():
    seen = []
    p = param(2)
    p.grad = torch.ones(2)
    optimizer = torch.optim.SGD([p])
    optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append("pre"))
    handle = optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append("post"))
    optimizer.register_state_dict_pre_hook(lambda o: seen.append("saving"))
    optimizer.register_state_dict_post_hook(lambda o, d: {**d, "more": 1})
    optimizer.register_load_state_dict_pre_hook(lambda o, d: seen.append("loading"))
    optimizer.register_load_state_dict_post_hook(lambda o: seen.append("loaded"))
    optimizer.step()
    handle.remove()
    optimizer.step()
    assert seen == ["pre", "post", "pre"]
    saved = optimizer.state_dict()
    assert saved["more"] == 1
    optimizer.load_state_dict(saved)
    assert seen[3:] == ["saving", "loading", "loaded"]


def test_global_hooks():
    from importlib import import_module

    module = import_module(f"{CANDIDATE}.optim.optimizer")
    seen = []
    handle = module.register_optimizer_step_post_hook(lambda o, args, kwargs: seen.append(type(o).__name__))
    for name in ("SGD", "LBFGS"):
        p = param(2)
        optimizer = getattr(torch.optim, name)([p])
        optimizer.step(lambda p=p: (p * p).sum())
    handle.remove()
    assert seen == ["SGD", "LBFGS"]


def test_an_optimizer_of_ones_own():
    seen = []

    class SignDescent(torch.optim.Optimizer):
        def __init__(self, params, lr=0.1):
            super().__init__(params, {"lr": lr})

        @torch.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is not None:
                        p.add_(p.grad.sign(), alpha=-group["lr"])
                        self.state[p]["count"] = self.state[p].get("count", 0) + 1

    p = torch.zeros(2, requires_grad=True)
    p.grad = torch.tensor([3.0, -2.0])
    optimizer = SignDescent([p])
    optimizer.register_step_pre_hook(lambda *a: seen.append("pre"))
    optimizer.step()
    torch.testing.assert_close(p.detach(), torch.tensor([-0.1, 0.1]))
    assert seen == ["pre"] and optimizer.state_dict()["state"] == {0: {"count": 1}}


def test_a_subclass_of_an_optimizer():
    class Halved(torch.optim.SGD):
        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    p.grad *= 0.5
            return super().step(closure)

    p = torch.zeros(1, requires_grad=True)
    p.grad = torch.ones(1)
    optimizer = Halved([p], lr=1.0)
    seen = []
    optimizer.register_step_post_hook(lambda *a: seen.append(1))
    optimizer.step()
    assert p.item() == -0.5 and len(seen) >= 1


# ---- errors ----


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda o: o.SGD(param(1)), TypeError, "should be an iterable of Tensors or dicts"),
        (lambda o: o.SGD([]), ValueError, "empty parameter list"),
        (lambda o: o.SGD([1]), TypeError, "can only optimize Tensors"),
        (lambda o: o.SGD([param(1) * 2]), ValueError, "can't optimize a non-leaf Tensor"),
        (lambda o: o.SGD([{"params": {param(1)}}]), TypeError, "ordered collections"),
        (lambda o: o.SGD([("a", param(1)), param(1)]), ValueError, "with/without names"),
        (lambda o: o.SGD([param(1)], lr=-1), ValueError, "Invalid learning rate: -1"),
        (lambda o: o.SGD([param(1)], lr=torch.ones(2)), ValueError, "Tensor lr must be 1-element"),
        (lambda o: o.SGD([param(1)], momentum=-0.5), ValueError, "Invalid momentum value: -0.5"),
        (lambda o: o.SGD([param(1)], nesterov=True), ValueError, "Nesterov momentum requires a momentum"),
        (lambda o: o.SGD([param(1)], fused=True, foreach=True), RuntimeError, "cannot be `True` together"),
        (lambda o: o.Adam([param(1)], betas=(1.0, 0.0)), ValueError, "Invalid beta parameter at index 0: 1.0"),
        (lambda o: o.Adam([param(1)], betas=(0.9, 1.5)), ValueError, "Invalid beta parameter at index 1: 1.5"),
        (lambda o: o.Adam([param(1)], eps=-1), ValueError, "Invalid epsilon value: -1"),
        (lambda o: o.Adam([param(1)], weight_decay=-1), ValueError, "Invalid weight_decay value: -1"),
        (lambda o: o.Adam([param(1)], betas=(0.9, torch.tensor(0.9))), ValueError, "either both floats or both"),
        (lambda o: o.Adam([param(1)], lr=torch.tensor(0.1), foreach=True), ValueError, "lr as a Tensor is not"),
        (lambda o: o.NAdam([param(1)], momentum_decay=-0.2), ValueError, "Invalid momentum_decay value: -0.2"),
        (lambda o: o.Adagrad([param(1)], lr_decay=-0.5), ValueError, "Invalid lr_decay value: -0.5"),
        (lambda o: o.Adadelta([param(1)], rho=1.1), ValueError, "Invalid rho value: 1.1"),
        (lambda o: o.RMSprop([param(1)], momentum=-1.0), ValueError, "Invalid momentum value: -1.0"),
        (lambda o: o.Rprop([param(1)], etas=(1.0, 0.5)), ValueError, "Invalid eta values: 1.0, 0.5"),
        (lambda o: o.Adafactor([param(1)], d=0.0), ValueError, "Clipping threshold d should be >= 1"),
        (lambda o: o.Muon([param(1)]), ValueError, "Muon only supports 2D parameters"),
        (lambda o: o.SparseAdam([param(2, dtype="complex64")]), ValueError, "does not support complex"),
        (lambda o: o.LBFGS([{"params": param(1)}, {"params": param(1)}]), ValueError, "per-parameter options"),
        (lambda o: o.LBFGS([param(1)]).step(), TypeError, "closure"),
    ],
)
def test_errors(call, error, words):
    with pytest.raises(error, match=words):
        call(torch.optim)


def test_a_parameter_in_two_groups_is_refused():
    p = param(1)
    with pytest.raises(ValueError, match="more than one parameter group"):
        torch.optim.SGD([{"params": p}, {"params": p}])


def test_broken_state_is_an_error():
    if CANDIDATE == "torch":
        pytest.skip("PyTorch's words are those of its operations")
    p = param(2)
    p.grad = torch.ones(2)
    optimizer = torch.optim.Adam([p])
    optimizer.step()
    for key, bad, words in (
        ("exp_avg", torch.ones(3), r"state 'exp_avg' has shape \[3\], its parameter \[2\]"),
        ("exp_avg", 1.0, "'exp_avg' must be a Tensor, got float"),
        ("step", torch.ones(2), "'step' must have one element"),
    ):
        good = optimizer.state[p][key]
        optimizer.state[p][key] = bad
        with pytest.raises((RuntimeError, TypeError), match=words):
            optimizer.step()
        optimizer.state[p][key] = good
    optimizer.param_groups[0]["lr"] = "fast"
    with pytest.raises(TypeError, match="'lr' must be a number, got str"):
        optimizer.step()
    optimizer.param_groups[0].update(lr=0.1, betas=(0.9, 0.9, 0.9))
    with pytest.raises(TypeError, match="'betas' must be a pair"):
        optimizer.step()
    optimizer.param_groups[0]["betas"] = 0.9
    with pytest.raises(TypeError, match="'betas' must be a pair, got float"):
        optimizer.step()
    optimizer.param_groups[0]["betas"] = (0.9, 0.99)
    del optimizer.param_groups[0]["lr"]
    with pytest.raises(KeyError, match="lr"):
        optimizer.step()


# ---- averages of weights ----


def test_averaged_model():
    utils = torch.optim.swa_utils
    for kwargs, expected in (
        ({}, 3.0),
        ({"multi_avg_fn": utils.get_swa_multi_avg_fn()}, 3.0),
        ({"avg_fn": utils.get_swa_avg_fn()}, 3.0),
        ({"multi_avg_fn": utils.get_ema_multi_avg_fn(0.5)}, 3.75),
        ({"avg_fn": utils.get_ema_avg_fn(0.5)}, 3.75),
        ({"avg_fn": lambda a, w, n: a + w}, 9.0),
    ):
        model = torch.nn.Linear(1, 1, bias=False)
        average = utils.AveragedModel(model, **kwargs)
        for x in (1.0, 2.0, 6.0):
            torch.nn.init.constant_(model.weight, x)
            average.update_parameters(model)
        assert average.module.weight.item() == pytest.approx(expected), kwargs
        assert average.n_averaged.item() == 3
        assert average(torch.ones(1, 1)).item() == pytest.approx(expected)
        assert list(average.state_dict()) == ["n_averaged", "module.weight"]
    with pytest.raises(ValueError, match="Invalid decay value 2"):
        utils.get_ema_avg_fn(2)
    with pytest.raises(AssertionError, match="Only one of"):
        utils.AveragedModel(model, avg_fn=utils.get_swa_avg_fn(), multi_avg_fn=utils.get_swa_multi_avg_fn())


def test_batch_norms_of_averages():
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2, momentum=0.3))
    batches = [value(torch, (4, 2), i, "float32") for i in range(3)]
    torch.optim.swa_utils.update_bn([(b, 0) for b in batches], model.eval())
    means = torch.stack([model[0](b).mean(0) for b in batches]).mean(0)
    torch.testing.assert_close(model[1].running_mean, means)
    assert model[1].momentum == 0.3 and not model.training


def test_buffers_of_averages():
    model = torch.nn.BatchNorm1d(1)
    plain, averaged = (torch.optim.swa_utils.AveragedModel(model, use_buffers=use) for use in (False, True))
    for x in (0.0, 4.0):
        model.running_mean.fill_(x)
        plain.update_parameters(model)
        averaged.update_parameters(model)
    assert plain.module.running_mean.item() == 4.0 and averaged.module.running_mean.item() == 2.0


def test_numbers_stay_finite():
    p = torch.tensor([math.inf, 1.0, math.nan], requires_grad=True)
    p.grad = torch.tensor([1.0, 0.0, 1.0])
    torch.optim.SGD([p], lr=0.1).step()
    assert p[0] == math.inf and p[1] == 1.0 and p[2].isnan()


def test_other_parameters_for_a_while():
    p = param(2)
    optimizer = torch.optim.Adam([p], lr=0.1)
    with pytest.raises(RuntimeError, match="requires initialized optimizer state"):
        with torch.optim.swap_in_optimizer_params_and_state(optimizer, {"p": p}, {}):
            pass
    p.grad = torch.ones(2)
    optimizer.step()
    before, group = p.detach().clone(), optimizer.param_groups[0]
    q = torch.zeros(2, requires_grad=True)
    q.grad = torch.ones(2)
    given = copy.deepcopy(optimizer.state_dict())
    with torch.optim.swap_in_optimizer_params_and_state(optimizer, {"q": q}, given):
        optimizer.step()
    assert torch.equal(p, before) and q[0] < -0.05
    assert optimizer.param_groups[0] is group and group["params"][0] is p
    assert given["state"][0]["step"].item() == 2 and optimizer.state[p]["step"].item() == 1
    given["param_groups"][0]["params"] = []
    with pytest.raises(RuntimeError, match="different number of params"):
        with torch.optim.swap_in_optimizer_params_and_state(optimizer, {"q": q}, given):
            pass


def test_what_optimizers_elsewhere_import():
    from importlib import import_module

    module = import_module(f"{CANDIDATE}.optim.optimizer")

    class Plain(torch.optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {"lr": 0.5, "differentiable": False})

        @module._use_grad_for_differentiable
        def step(self):
            for p in self.param_groups[0]["params"]:
                p.sub_(p.grad * module._get_value(torch.tensor(0.5)))

    p = torch.ones(1, requires_grad=True)
    p.grad = torch.ones(1)
    Plain([p]).step()
    assert p.item() == 0.5 and torch.is_grad_enabled()
    assert module.ParamsT is not None and module.required is not None
    with pytest.raises(AttributeError, match="nonsense"):
        module.nonsense


def test_functions_of_lists():
    from importlib import import_module

    functional = import_module(f"{CANDIDATE}.optim._functional")
    if CANDIDATE == "torch":
        functional = import_module("torch.optim.adam")
    p, q = param(3), param(3)
    optimizer = torch.optim.Adam([p], lr=0.1, betas=(0.8, 0.9), weight_decay=0.1)
    state = [[torch.zeros(3)], [torch.zeros(3)], [], [torch.tensor(0.0)]]
    for i in range(3):
        p.grad = value(torch, (3,), i, "float32")
        optimizer.step()
        with torch.no_grad():
            functional.adam(
                [q],
                [p.grad],
                *state,
                amsgrad=False,
                beta1=0.8,
                beta2=0.9,
                lr=0.1,
                weight_decay=0.1,
                eps=1e-8,
                maximize=False,
            )
    torch.testing.assert_close(p, q)
    assert state[3][0].item() == 3 and torch.equal(state[0][0], optimizer.state[p]["exp_avg"])


def test_state_that_is_loaded_stays_where_it_is():
    p = torch.nn.Parameter(torch.ones(2))
    first = torch.optim.Adam([p])
    p.grad = torch.ones(2)
    first.step()
    saved = first.state_dict()
    second = torch.optim.Adam([torch.nn.Parameter(torch.ones(2))])
    second.load_state_dict(saved)
    assert second.state_dict()["state"][0]["exp_avg"] is saved["state"][0]["exp_avg"]
    muon = torch.optim.Muon([torch.nn.Parameter(torch.ones(2, 2))])
    keys = list(muon.param_groups[0])
    muon.load_state_dict(muon.state_dict())
    muon.load_state_dict(muon.state_dict())
    assert sorted(muon.param_groups[0]) == sorted(keys)


def test_what_copies_of_pytorchs_optimizers_call():
    o = torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=0.1)
    with pytest.warns(DeprecationWarning, match="_accelerator_graph_capture_health_check"):
        o._cuda_graph_capture_health_check()
    o._accelerator_graph_capture_health_check()
