"""Kernels for each instruction set give the same bits."""

import hashlib

import pytest

from .conftest import CANDIDATE, torch

pytestmark = pytest.mark.skipif(CANDIDATE == "torch", reason="rushlight's own kernels")

F = torch.nn.functional
SIZES = (1, 7, 31, 1000, 4099)


def normal(*shape, dtype=None):
    return torch.randn(*shape).to(dtype or torch.float32)


def pointwise(f):
    def run(dtype):
        return [f(normal(n, dtype=dtype)) for n in SIZES] + [f(normal(33, 17, dtype=dtype).t())]

    return run


def of_matrix(f):
    def run(dtype):
        return [f(normal(*s, dtype=dtype)) for s in ((1, 1), (3, 1000), (1000, 3), (65, 129))]

    return run


def of_images(f):
    """The results and the gradients."""

    def run(dtype):
        found = []
        for shape in ((2, 3, 5, 4), (1, 2, 33, 37), (7, 40, 1, 1), (3, 5, 16, 16)):
            x = normal(*shape, dtype=dtype).requires_grad_()
            y = f(x)
            y.backward(normal(*y.shape, dtype=dtype))
            found += [y.detach(), x.grad]
        return found

    return run


CASES = {
    **{
        name: of_images(f)
        for name, f in {
            "max_pool2d": lambda x: F.max_pool2d(x, 2, ceil_mode=True),
            "max_pool2d 3": lambda x: F.max_pool2d(x, 3, 2, 1),
            "avg_pool2d": lambda x: F.avg_pool2d(x, 2, 2, 1),
            "avg_pool2d 3": lambda x: F.avg_pool2d(x, 3, 1, 1),
            "batch_norm": lambda x: F.batch_norm(x, None, None, training=True),
            "group_norm": lambda x: F.group_norm(x, 1),
        }.items()
    },
    **{
        name: pointwise(f)
        for name, f in {
            "exp": torch.exp,
            "log": lambda x: (x.abs() + 0.1).log(),
            "sin": torch.sin,
            "tan": torch.tan,
            "tanh": torch.tanh,
            "sigmoid": torch.sigmoid,
            "erf": torch.erf,
            "gelu": F.gelu,
            "softplus": F.softplus,
            "pow": lambda x: x.abs() ** 1.7,
            "div": lambda x: x / (x * x + 0.3),
            "sqrt": lambda x: x.abs().sqrt(),
            "rsqrt": lambda x: (x.abs() + 0.1).rsqrt(),
            "addcmul": lambda x: torch.addcmul(x, x, x, value=0.3),
            "lerp": lambda x: torch.lerp(x, x * x, 0.37),
            "lgamma": torch.lgamma,
            "atan2": lambda x: torch.atan2(x, x.flip(0)),
            "compare": lambda x: (x > 0.1) & (x < 1),
            "where": lambda x: torch.where(x > 0, x, -x),
            "sum": torch.sum,
            "mean": torch.mean,
            "var": lambda x: x.var(unbiased=False),
            "prod": lambda x: (x * 0.1 + 1).prod(),
            "norm": lambda x: x.norm(),
            "logsumexp": lambda x: x.logsumexp(0),
            "max": torch.max,
            "argmax": torch.argmax,
            "cumsum": lambda x: x.cumsum(0),
            "sort": lambda x: x.sort(0).indices,
            "topk": lambda x: x.topk(1, 0).values,
            "arange": lambda x: torch.arange(0.1, 0.1 + 0.3 * len(x), 0.3, dtype=x.dtype),
            "linspace": lambda x: torch.linspace(-0.7, 0.3, len(x), dtype=x.dtype),
        }.items()
    },
    **{
        name: of_matrix(f)
        for name, f in {
            "sum 0": lambda x: x.sum(0),
            "sum 1": lambda x: x.sum(1),
            "std": lambda x: x.std(0, unbiased=False),
            "amax": lambda x: x.amax(1),
            "sort 0": lambda x: x.sort(0).indices,
            "sort 1": lambda x: (x * 9).round().sort(1, descending=True).indices,
            "topk 1": lambda x: x.topk(min(20, x.shape[1]), 1).indices,
            "softmax 0": lambda x: x.softmax(0),
            "softmax 1": lambda x: x.softmax(1),
            "log_softmax": lambda x: x.log_softmax(1),
            "layer_norm": lambda x: F.layer_norm(x, x.shape[1:]),
            "matmul": lambda x: x @ x.t(),
            "matvec": lambda x: x @ x[0],
            "linear": lambda x: F.linear(x, x, x[:, 0]),
            "transpose copy": lambda x: x.t().contiguous(),
            "cat": lambda x: torch.cat([x, x * 2]),
            "gather": lambda x: x.gather(0, torch.zeros(1, x.shape[1], dtype=torch.long)),
            "masked": lambda x: x[x > 0],
            "cdist": lambda x: torch.cdist(x, x),
        }.items()
    },
}


# (input, weight, options)
CONVOLUTIONS = {
    "conv2d": ((2, 5, 13, 17), (9, 5, 3, 3), {"padding": 1}),
    "conv2d 3x3, transformed": ((3, 17, 14, 15), (20, 17, 3, 3), {"padding": 1}),
    "conv2d many channels": ((2, 50, 9, 9), (15, 50, 3, 3), {"stride": 2}),
    "conv2d 3x3, stride 2, transformed": ((2, 19, 24, 21), (37, 19, 3, 3), {"stride": 2, "padding": 1}),
    "conv2d 4x4, stride 2, transformed": ((2, 19, 25, 20), (37, 19, 4, 4), {"stride": 2, "padding": 1}),
    "conv2d 3x3, stride 2, tiles of one result": ((8, 19, 14, 13), (70, 19, 3, 3), {"stride": 2, "padding": 1}),
    "conv2d 1x1, stride 2": ((2, 19, 30, 31), (37, 19, 1, 1), {"stride": 2}),
    "conv2d one channel": ((3, 1, 28, 28), (6, 1, 5, 5), {"padding": 2}),
    "conv2d few results": ((3, 6, 14, 14), (16, 6, 5, 5), {}),
    "conv2d three channels, stride 2": ((2, 3, 30, 31), (64, 3, 7, 7), {"stride": 2, "padding": 3}),
    "conv2d one small image": ((1, 64, 7, 7), (50, 64, 3, 3), {"padding": 1}),
    "conv2d many kernels, few tiles": ((6, 368, 8, 8), (360, 368, 3, 3), {"padding": 1}),
    "conv2d 5x5, along its rows": ((2, 19, 15, 23), (36, 19, 5, 5), {"padding": 2}),
    "conv2d 7x7, in halves": ((2, 16, 21, 40), (24, 16, 7, 7), {"padding": 3, "groups": 1}),
    "conv2d 7x7, stride 2, along its rows": ((1, 5, 61, 58), (40, 5, 7, 7), {"stride": 2, "padding": 3}),
    "conv1d": ((2, 40, 333), (40, 40, 5), {"padding": 2}),
    "conv1d of 3": ((5, 40, 333), (80, 40, 3), {"padding": 1}),
    "conv2d 1x1": ((2, 64, 17, 17), (30, 64, 1, 1), {}),
    "conv2d depthwise": ((2, 6, 11, 37), (6, 1, 3, 3), {"padding": 1, "groups": 6}),
    "conv2d depthwise, 3x3 and stride 2": ((2, 6, 11, 37), (6, 1, 3, 3), {"padding": 1, "stride": 2, "groups": 6}),
    "conv2d depthwise, channels side by side": (
        (2, 21, 11, 17),
        (21, 1, 5, 5),
        {"padding": 1, "stride": 2, "groups": 21},
    ),
    "conv2d depthwise 3x3, channels side by side": ((3, 30, 9, 10), (30, 1, 3, 3), {"padding": 1, "groups": 30}),
    "conv3d": ((2, 9, 5, 13, 17), (20, 9, 3, 3, 3), {"padding": 1}),
    "conv2d depthwise, stride 2": ((2, 6, 11, 37), (6, 1, 5, 5), {"stride": 2, "groups": 6}),
}


# (input, weight)
TRANSPOSED = {
    "one channel of results, lines by fours and the rest": ((1, 2, 5, 5), (2, 4, 3, 3)),
    "one channel of results, short lines": ((1, 2, 5, 5), (2, 1, 3, 3)),
    "few channels": ((2, 3, 12, 9), (3, 6, 3, 3)),
    "many channels": ((2, 40, 9, 9), (40, 30, 3, 3)),
}


def digest(tensors):
    h = hashlib.sha256()
    for t in tensors:
        h.update(bytes(t.reshape(-1).clone(memory_format=torch.contiguous_format).view(torch.uint8).tolist()))
    return h.hexdigest()


@pytest.fixture
def each_isa():
    """Runs a function under each instruction set that this machine has, from the same seed."""
    best = torch._C._isa()

    def run(f):
        found = {}
        for isa in ("scalar", "avx2", "avx512"):
            try:
                torch._C._force_isa(isa)
            except ValueError:
                continue
            torch.manual_seed(3)
            found[isa] = digest(f())
        return found

    yield run
    torch._C._force_isa(best)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
@pytest.mark.parametrize("name", CASES)
def test_same_bits(name, dtype, each_isa):
    found = each_isa(lambda: CASES[name](getattr(torch, dtype)))
    assert len(set(found.values())) == 1, found


COMPLEX = {
    "mul": torch.mul,
    "div": torch.div,
    "square": lambda x, y: x.square(),
    "cube": lambda x, y: x**3,
    "pow": torch.pow,
    "add": lambda x, y: torch.add(x, y, alpha=0.3 + 2j),
    "sub": lambda x, y: torch.sub(x, y, alpha=0.3 + 2j),
    "rsub": lambda x, y: torch.rsub(x, y, alpha=0.3 + 2j),
    "addcmul": lambda x, y: torch.addcmul(x, y, x, value=0.3 + 0.1j),
    "addcdiv": lambda x, y: torch.addcdiv(x, y, x, value=0.3 + 0.1j),
    "lerp": lambda x, y: torch.lerp(x, y, 0.3 + 0.1j),
    "lerp of tensors": lambda x, y: torch.lerp(x, y, y),
    "reciprocal": lambda x, y: x.reciprocal(),
    "sqrt": lambda x, y: x.sqrt(),
    "rsqrt": lambda x, y: x.rsqrt(),
    "exp": lambda x, y: x.exp(),
    "log": lambda x, y: x.log(),
    "sin": lambda x, y: x.sin(),
    "tan": lambda x, y: x.tan(),
    "tanh": lambda x, y: x.tanh(),
    "sigmoid": lambda x, y: x.sigmoid(),
    "abs": lambda x, y: x.abs(),
    "angle": lambda x, y: x.angle(),
    "outer": torch.outer,
    "dot": torch.dot,
    "sum": lambda x, y: x.sum(),
    "prod": lambda x, y: (x * 0.1 + 1).prod(),
    "cumprod": lambda x, y: (x * 0.1 + 1).cumprod(0),
}


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("name", COMPLEX)
def test_complex(name, dtype, each_isa):
    def run():
        found = []
        for n in SIZES[:4]:
            x, y = (torch.randn(n, dtype=getattr(torch, dtype)).requires_grad_() for _ in range(2))
            z = COMPLEX[name](x, y)
            grads = torch.autograd.grad(z, (x, y), z.detach() * 0.3, allow_unused=True)
            found += [z.detach(), *(g for g in grads if g is not None)]
        return found

    found = each_isa(run)
    assert len(set(found.values())) == 1, found


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_a_complex_product_is_that_of_its_parts(dtype):
    """No fused product in it, so that a number does not depend on its place in the tensor."""
    x, y = (torch.randn(1003, dtype=getattr(torch, dtype)) for _ in range(2))
    z = x * y
    assert torch.equal(z.real, x.real * y.real - x.imag * y.imag)
    assert torch.equal(z.imag, x.real * y.imag + x.imag * y.real)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions(name, dtype, each_isa):
    def run():
        of_x, of_w, options = CONVOLUTIONS[name]
        x, w = (normal(*s, dtype=getattr(torch, dtype)).requires_grad_() for s in (of_x, of_w))
        y = getattr(F, f"conv{len(of_x) - 2}d")(x, w, normal(of_w[0], dtype=x.dtype), **options)
        return [y.detach(), *torch.autograd.grad(y, (x, w), y.detach() * 0.3)]

    assert len(set(each_isa(run).values())) == 1


@pytest.mark.parametrize("size", [1, 15, 16, 17, 1000, 20011])
def test_random_numbers(size, each_isa):
    def draw():
        return [torch.rand(size), torch.randn(size), torch.randn(size, dtype=torch.float64), torch.randperm(size), torch.randint(0, 9, (size,)),
                torch.empty(size).exponential_(), torch.bernoulli(torch.full((size,), 0.3)), torch.empty(size).uniform_(-1, 2)]  # fmt: skip

    found = each_isa(draw)
    assert len(set(found.values())) == 1, found


def test_gradients(each_isa):
    def train():
        x, w = torch.randn(37, 19), torch.randn(19, 11, requires_grad=True)
        loss = F.cross_entropy(torch.tanh(x @ w), torch.arange(37) % 11)
        loss.backward()
        return [loss.detach(), w.grad]

    assert len(set(each_isa(train).values())) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_optimizers(dtype, each_isa):
    options = {
        "SGD": {"lr": 0.1, "momentum": 0.9},
        "RMSprop": {"centered": True, "momentum": 0.9},
        "Adam": {"amsgrad": True},
    }

    def train():
        found = []
        for name in ("SGD", "Adam", "Adamax", "NAdam", "RAdam", "Adagrad", "Adadelta", "RMSprop", "Rprop", "ASGD"):
            params = [normal(n, dtype=getattr(torch, dtype)).requires_grad_() for n in (1, 5, 1031)]
            optimizer = getattr(torch.optim, name)(params, **options.get(name, {}))
            for _ in range(7):
                for p in params:
                    p.grad = normal(*p.shape, dtype=p.dtype)
                optimizer.step()
            found += [p.detach() for p in params]
        return found

    found = each_isa(train)
    assert len(set(found.values())) == 1, found


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="scalar"):
        torch._C._force_isa("mmx")


def results_of(net, x):
    """The outputs and all gradients."""
    out = net(x)
    out = out[0] if isinstance(out, tuple) else out
    out.backward(normal(*out.shape))
    return [out.detach(), x.grad, *(p.grad for p in net.parameters())]


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize(("batch", "width", "hidden"), [(3, 5, 37), (19, 5, 37), (19, 24, 101)])
def test_same_bits_of_recurrent_layers(each_isa, kind, batch, width, hidden):
    def run():
        return results_of(getattr(torch.nn, kind)(width, hidden), normal(6, batch, width).requires_grad_())

    found = each_isa(run)
    assert len(set(found.values())) == 1, found


@pytest.mark.parametrize("shape", [(2, 3, 7, 5), (2, 2, 70, 16), (1, 1, 150, 33)])
@pytest.mark.parametrize("kind", ["plain", "causal", "masked"])
def test_same_bits_of_attention(each_isa, shape, kind):
    def run():
        q, k, v = (normal(*shape).requires_grad_() for _ in range(3))
        mask = normal(shape[-2], shape[-2]) if kind == "masked" else None
        out = F.scaled_dot_product_attention(q, k, v, mask, is_causal=kind == "causal")
        out.backward(normal(*shape))
        return [out.detach(), q.grad, k.grad, v.grad]

    found = each_isa(run)
    assert len(set(found.values())) == 1, found


@pytest.mark.parametrize("classes", [3, 65, 1100])
def test_same_bits_of_cross_entropy(each_isa, classes):
    def run():
        x = normal(70, classes).requires_grad_()
        loss = F.cross_entropy(x, torch.arange(70) % classes, label_smoothing=0.1)
        loss.backward()
        return [loss.detach(), x.grad]

    found = each_isa(run)
    assert len(set(found.values())) == 1, found


@pytest.mark.parametrize("shape", [(3, 3), (7, 5), (5, 7), (33, 33), (70, 40), (2, 9, 9)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_same_bits_of_factorizations(each_isa, shape, dtype):
    def run():
        A = torch.randn(shape, dtype=getattr(torch, dtype))
        found = [*torch.geqrf(A), *torch.linalg.qr(A, "complete"), *torch.linalg.svd(A), *torch.linalg.lu_factor(A)]
        if shape[-1] == shape[-2]:
            H = A + A.mH + 20 * torch.eye(shape[-1], dtype=A.dtype)
            found += [*torch.linalg.eigh(H), torch.linalg.cholesky(H), torch.linalg.inv(H)]
        return found

    found = each_isa(run)
    assert len(set(found.values())) == 1, found


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", TRANSPOSED)
def test_transposed_convolutions(name, dtype, stride, each_isa):
    def run():
        x, w = (normal(*s, dtype=getattr(torch, dtype)).requires_grad_() for s in TRANSPOSED[name])
        y = F.conv_transpose2d(x, w, stride=stride)
        return [y.detach(), *torch.autograd.grad(y, (x, w), y.detach() * 0.3)]

    assert len(set(each_isa(run).values())) == 1
