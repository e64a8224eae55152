"""torch.amp: which operations are cast to what, and the scaler's bookkeeping."""

import pickle
import warnings

import pytest

from .conftest import CANDIDATE, torch

amp = __import__(f"{CANDIDATE}.amp", fromlist=["*"])
F = torch.nn.functional
X = torch.arange(16.0).reshape(4, 4) / 8
LOWER, FULL, SAME = "lower", "float32", "same"


# ---- autocast ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "op, kind",
    [
        (lambda x: x @ x, LOWER),
        (lambda x: x.mm(x), LOWER),
        (lambda x: torch.addmm(x, x, x), LOWER),
        (lambda x: torch.baddbmm(x[None], x[None], x[None]), LOWER),
        (lambda x: F.linear(x, x, x[0]), LOWER),
        (lambda x: torch.einsum("ij,jk->ik", x, x), LOWER),
        (lambda x: x + x, SAME),
        (lambda x: x.sum(), SAME),
        (lambda x: x.softmax(1), SAME),
        (lambda x: F.layer_norm(x, (4,)), SAME),
        (lambda x: x.mv(x[0]), SAME),
        (lambda x: torch.mm(x, x, out=x.clone()), SAME),
        (lambda x: x.prod(), FULL),
        (lambda x: x.trace(), FULL),
        (lambda x: F.mse_loss(x, x), FULL),
        (lambda x: F.l1_loss(x, x), FULL),
        (lambda x: F.cross_entropy(x, torch.tensor([0, 1, 2, 3])), FULL),
        (lambda x: F.nll_loss(x, torch.tensor([0, 1, 2, 3])), FULL),
        (lambda x: F.binary_cross_entropy_with_logits(x, x), FULL),
        (lambda x: F.binary_cross_entropy(x.sigmoid(), x.sigmoid()), FULL),
        (lambda x: F.kl_div(x, x, reduction="sum"), FULL),
        (lambda x: torch.linalg.qr(x)[0], FULL),
        (lambda x: torch.svd(x)[0], FULL),
        (lambda x: x.quantile(0.5), FULL),
        (lambda x: F.poisson_nll_loss(x, x), FULL),
        (lambda x: F.multi_margin_loss(x, torch.tensor([0, 1, 2, 3])), FULL),
        (lambda x: torch.cdist(x, x), FULL),
        (lambda x: F.pad(x, (1, 1), "replicate"), FULL),
        (lambda x: F.pad(x, (1, 1)), SAME),
        (lambda x: F.conv1d(x, x.reshape(4, 4, 1)), LOWER),
        (lambda x: torch.fft.fft(x).real, FULL),
        (lambda x: torch.cat([x, x.float()]), FULL),
        (lambda x: torch.stack([x, x]), SAME),
    ],
)
@pytest.mark.parametrize("lower", [torch.bfloat16, torch.float16])
def test_types(op, kind, lower):
    with torch.autocast("cpu", dtype=lower):
        for dtype in (torch.float32, lower):
            expected = {LOWER: lower, FULL: torch.float32, SAME: dtype}[kind]
            assert op(X.to(dtype)).dtype is expected
        if kind is not FULL or op(X.double()).is_floating_point():
            assert op(X.double()).dtype in (torch.float64,)


def test_blocks():
    assert not torch.is_autocast_enabled("cpu")
    with torch.autocast("cpu"):
        assert torch.is_autocast_enabled("cpu") and not torch.is_autocast_enabled()
        with torch.autocast("cpu", enabled=False):
            assert (X @ X).dtype is torch.float32 and not torch.is_autocast_enabled("cpu")
        with torch.autocast("cpu", torch.float16):
            assert (X @ X).dtype is torch.float16 and torch.get_autocast_dtype("cpu") is torch.float16
        assert (X @ X).dtype is torch.bfloat16
        with pytest.raises(ValueError):
            with torch.autocast("cpu", torch.float16):
                raise ValueError
        assert torch.get_autocast_dtype("cpu") is torch.bfloat16
    assert (X @ X).dtype is torch.float32 and not torch.is_autocast_enabled("cpu")
    assert (torch.get_autocast_dtype("cpu"), torch.get_autocast_dtype("cuda")) == (torch.bfloat16, torch.float16)


def test_as_a_decorator():
    @torch.autocast("cpu")
    def product(x):
        "doc"
        return product(x - 1) if x.sum() > 10 else x @ x

    assert product.__doc__ == "doc" and product(X).dtype is torch.bfloat16
    assert not torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize("kind, gives", [("LSTM", LOWER), ("RNN", LOWER), ("GRU", SAME), ("LSTMCell", SAME)])
def test_recurrent_layers(kind, gives):
    layer = getattr(torch.nn, kind)(4, 3)
    for dtype in (torch.float32, torch.bfloat16):
        with torch.autocast("cpu"):
            out = layer(X.to(dtype))[0]
        assert out.dtype is (torch.bfloat16 if gives is LOWER else dtype)
        out.float().sum().backward()
    assert all(p.grad.dtype is torch.float32 for p in layer.parameters())


def test_training_step():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    with torch.autocast("cpu"):
        out = model(X)
        loss = F.cross_entropy(out, torch.tensor([0, 1, 2, 0]))
    assert out.dtype is torch.bfloat16 and loss.dtype is torch.float32
    loss.backward()
    assert all(p.dtype is torch.float32 and p.grad.dtype is torch.float32 for p in model.parameters())
    exact = torch.nn.functional.cross_entropy(model(X), torch.tensor([0, 1, 2, 0]))
    assert abs(loss.item() - exact.item()) < 0.02
    wide = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    exact.backward()
    for got, p in zip(wide, model.parameters()):
        # bfloat16 keeps 8 bits: each product and sum is off by up to 2**-9 of values around 1.
        assert torch.allclose(got, p.grad, rtol=0, atol=2**-8)


def test_a_weight_is_cast_once():
    w = torch.ones(2, 2, requires_grad=True)
    for cache, count in ((True, 1), (False, 2)):
        with torch.autocast("cpu", cache_enabled=cache):
            assert torch.is_autocast_cache_enabled() is cache
            one, two = X[:2, :2] @ w, X[:2, :2] @ w
        casts = {y.grad_fn.next_functions[1][0] for y in (one, two)}
        assert len(casts) == count
    with torch.autocast("cpu"):
        with torch.no_grad():
            X[:2, :2] @ w
        (X[:2, :2] @ w).sum().backward()
    assert w.grad is not None
    with torch.no_grad():
        w.fill_(2)
    with torch.autocast("cpu"):
        assert (torch.eye(2) @ w)[0, 0].item() == 2


def test_other_devices_warn():
    with pytest.warns(UserWarning, match="CUDA is not available"):
        cast = torch.autocast("cuda")
    with cast:
        assert (X @ X).dtype is torch.float32 and not torch.is_autocast_enabled("cuda")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        torch.autocast("cuda", enabled=False)
    with pytest.warns(UserWarning, match="target dtype is not supported"):
        with torch.autocast("cpu", dtype=torch.float64):
            assert (X @ X).dtype is torch.float32
    with pytest.raises(RuntimeError, match="foo"):
        torch.autocast("foo")
    with pytest.raises(ValueError, match="type `str`"):
        torch.autocast(1)


def test_older_names():
    cpu, cuda = (__import__(f"{CANDIDATE}.{d}.amp", fromlist=["*"]) for d in ("cpu", "cuda"))
    with pytest.warns(FutureWarning, match="torch.amp.autocast"):
        with cpu.autocast():
            assert (X @ X).dtype is torch.bfloat16
    with pytest.warns(Warning):
        assert not cuda.GradScaler().is_enabled()
        with cuda.autocast():
            assert (X @ X).dtype is torch.float32
    torch.set_autocast_enabled("cpu", True)
    torch.set_autocast_dtype("cpu", torch.float16)
    assert (X @ X).dtype is torch.float16
    torch.set_autocast_enabled("cpu", False)
    torch.set_autocast_dtype("cpu", torch.bfloat16)
    assert (X @ X).dtype is torch.float32


@pytest.mark.parametrize("cast", [None, torch.float32])
def test_custom_functions(cast):
    seen = []

    class Product(torch.autograd.Function):
        @staticmethod
        @amp.custom_fwd(device_type="cpu", cast_inputs=cast)
        def forward(ctx, a, b):
            ctx.save_for_backward(a, b)
            seen.append((a.dtype, torch.is_autocast_enabled("cpu")))
            return a @ b

        @staticmethod
        @amp.custom_bwd(device_type="cpu")
        def backward(ctx, grad):
            a, b = ctx.saved_tensors
            seen.append((a.dtype, torch.is_autocast_enabled("cpu")))
            return grad @ b.T, a.T @ grad

    x = X.bfloat16().requires_grad_()
    with torch.autocast("cpu"):
        y = Product.apply(x, X)
    assert y.dtype is (torch.bfloat16 if cast is None else cast)
    y.sum().backward()
    on = cast is None
    assert seen == [(torch.bfloat16 if on else cast, on)] * 2
    assert Product.apply(X, X).dtype is torch.float32


# ---- GradScaler --------------------------------------------------------------------------------------------------


def one_parameter():
    p = torch.nn.Parameter(torch.ones(3))
    return p, torch.optim.SGD([p], 0.5)


def test_scaler():
    p, optimizer = one_parameter()
    scaler = amp.GradScaler("cpu", init_scale=8.0, growth_interval=2)
    for step in range(1, 4):
        optimizer.zero_grad()
        scaler.scale(p.sum()).backward()
        assert p.grad.tolist() == [scaler.get_scale()] * 3
        if step == 2:
            scaler.unscale_(optimizer)
            assert p.grad.tolist() == [1.0] * 3
        scaler.step(optimizer)
        scaler.update()
        assert p.tolist() == [1 - step / 2] * 3
    assert scaler.get_scale() == 16.0 and scaler.state_dict()["_growth_tracker"] == 1
    for bad in (float("inf"), float("nan")):
        p.grad = torch.tensor([1.0, bad, 1.0])
        assert scaler.step(optimizer) is None and p.tolist() == [-0.5] * 3
        scaler.update()
    assert scaler.get_scale() == 4.0
    scaler.update(3.0)
    assert scaler.get_scale() == 3.0 and scaler.scale([torch.ones(1)])[0].item() == 3.0


def test_scaler_state():
    scaler = amp.GradScaler("cpu", 4.0, 3.0, 0.25, 7)
    state = scaler.state_dict()
    assert state == {
        "scale": 4.0,
        "growth_factor": 3.0,
        "backoff_factor": 0.25,
        "growth_interval": 7,
        "_growth_tracker": 0,
    }
    other = amp.GradScaler("cpu")
    other.scale(torch.ones(()))
    other.load_state_dict(state)
    assert other.state_dict() == state and other.scale(torch.ones(())).item() == 4.0
    assert pickle.loads(pickle.dumps(other)).state_dict() == state
    with pytest.raises(RuntimeError, match="state dict is empty"):
        other.load_state_dict({})
    with pytest.raises(AssertionError):
        amp.GradScaler("cpu", growth_factor=1.0)


def test_scaler_in_the_wrong_order():
    p, optimizer = one_parameter()
    scaler = amp.GradScaler("cpu")
    for call in (lambda: scaler.step(optimizer), scaler.update, lambda: scaler.unscale_(optimizer)):
        with pytest.raises(AssertionError, match="_scale is None"):
            call()
    scaler.scale(p.sum()).backward()
    with pytest.raises(AssertionError, match="No inf checks"):
        scaler.update()
    scaler.unscale_(optimizer)
    with pytest.raises(RuntimeError, match="already been called"):
        scaler.unscale_(optimizer)
    scaler.step(optimizer)
    with pytest.raises(RuntimeError, match="already been called"):
        scaler.step(optimizer)
    with pytest.raises(RuntimeError, match=r"after step\(\)"):
        scaler.unscale_(optimizer)
    scaler.update()
    with pytest.raises(RuntimeError, match="Closure"):
        scaler.step(optimizer, closure=lambda: 0)
    half = torch.nn.Parameter(torch.ones(2).half())
    half.grad = torch.ones(2).half()
    with pytest.raises(ValueError, match="FP16"):
        scaler.unscale_(torch.optim.SGD([half], 0.1))


def test_scaler_that_is_off():
    p, optimizer = one_parameter()
    with pytest.warns(UserWarning, match="CUDA is not available"):
        scaler = amp.GradScaler()
    assert not scaler.is_enabled() and scaler.state_dict() == {} and scaler.get_scale() == 1.0
    scaler.scale(p.sum()).backward()
    scaler.unscale_(optimizer)
    scaler.step(optimizer)
    scaler.update()
    assert p.tolist() == [0.5] * 3
