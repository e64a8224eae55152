"""float16 and bfloat16: computed in float32 and rounded once."""

import random

import pytest

from .conftest import CANDIDATE, torch
from .test_isa import digest, each_isa  # noqa: F401

F = torch.nn.functional
own = pytest.mark.skipif(CANDIDATE == "torch", reason="rushlight's own kernels")
SHORT = (torch.float16, torch.bfloat16)
SPECIAL = [
    0.0,
    -0.0,
    1.0,
    float("inf"),
    float("-inf"),
    float("nan"),
    1e-40,
    -1e-40,
    3e38,
    6e-8,
    65504.0,
    65520.0,
    2.0**-126,
]


def same(a, b):
    """Bit by bit, any NaN being a NaN."""
    assert a.dtype == b.dtype and a.shape == b.shape
    a, b = a.contiguous(), b.contiguous()
    return bool(((a.view(torch.int16) == b.view(torch.int16)) | ((a != a) & (b != b))).all())


def values(n, dtype):
    x = torch.randn(n) * torch.randn(n).exp()
    for i, v in enumerate(SPECIAL[:n]):
        x[-1 - i * 7 % n] = v
    return x.to(dtype)


POINTWISE = {
    "add": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "add a number": lambda a, b: a + 0.1,
    "mul by a number": lambda a, b: 3.7 * a,
    "relu": lambda a, b: torch.relu(a),
    "neg": lambda a, b: -a,
    "exp": lambda a, b: a.exp(),
    "gelu": lambda a, b: F.gelu(a),
    "where": lambda a, b: torch.where(a > b, a, b),
    "lerp": lambda a, b: torch.lerp(a, b, 0.25),
    "in place": lambda a, b: a.clone().mul_(b),
    "over itself": lambda a, b: (lambda c: c.add_(c))(a.clone()),
    "out=": lambda a, b: torch.add(a, b, out=torch.empty_like(a)),
    "a transposed one": lambda a, b: a.reshape(1, -1).t() * b.reshape(1, -1).t(),
}


@pytest.mark.parametrize("dtype", SHORT, ids=str)
def test_frexp(dtype):
    x = torch.tensor([1.0, -6.0, 0.15625, 0.0, 8.0], dtype=dtype)
    mantissa, exponent = torch.frexp(x)
    assert mantissa.dtype == dtype
    assert mantissa.tolist() == [0.5, -0.75, 0.625, 0.0, 0.5]
    assert exponent.tolist() == [1, 3, -2, 0, 4]


@pytest.mark.parametrize("dtype", SHORT, ids=str)
@pytest.mark.parametrize("n", [1, 31, 1000, 2500, 70001])
@pytest.mark.parametrize("name", POINTWISE)
def test_pointwise_is_float_rounded_once(name, n, dtype):
    torch.manual_seed(n)
    a, b = values(n, dtype), values(n, dtype).flip(0)
    assert same(POINTWISE[name](a, b), POINTWISE[name](a.float(), b.float()).to(dtype))


@pytest.mark.parametrize("dtype", SHORT, ids=str)
def test_types_mixed_in_one_loop(dtype):
    torch.manual_seed(0)
    a, f, i = values(3000, dtype), torch.randn(3000), torch.arange(3000)
    assert (a + f).dtype == torch.float32
    assert torch.equal((a + f).nan_to_num(), (a.float() + f).nan_to_num())
    assert same(a * i, (a.float() * i.to(dtype).float()).to(dtype))
    out = torch.empty(3000, dtype=dtype)
    torch.add(f, f, out=out)
    assert same(out, (f + f).to(dtype))


@pytest.mark.parametrize("dtype", SHORT, ids=str)
@pytest.mark.parametrize(
    "shape,dim", [((3, 5), 1), ((2, 5000), 1), ((7, 300), 0), ((4, 9, 33), 1), ((1, 1), 0), ((40, 1031), -1)]
)
def test_softmax_is_float_rounded_once(shape, dim, dtype):
    torch.manual_seed(1)
    for f in (torch.softmax, torch.log_softmax):
        x = (torch.randn(*shape) * 3).to(dtype)
        if x.numel() > 9:
            x.view(-1)[0], x.view(-1)[-1] = float("-inf"), float("nan")
        x.requires_grad_()
        y = f(x, dim)
        assert same(y.detach(), f(x.detach().float(), dim).to(dtype))
        g = torch.randn(*shape).to(dtype)
        (dx,) = torch.autograd.grad(y, x, g)
        z = y.detach().float()  # the gradient is of the rounded result
        total = (g.float() * (z if f is torch.softmax else 1)).sum(dim, keepdim=True)
        expected = (g.float() - total) * z if f is torch.softmax else g.float() - z.exp() * total
        assert torch.allclose(dx.float(), expected, rtol=2**-7, atol=1e-3, equal_nan=True)


def products():
    """Operands of all magnitudes, so that products of bfloat16 meet numbers that some machines' instructions lack."""
    choose = random.Random(1)
    sizes = [1, 2, 3, 5, 14, 15, 16, 17, 31, 32, 33, 64, 65, 127, 200, 385, 800]
    for i in range(60):
        m, k, n = (choose.choice(sizes) for _ in range(3))
        a = torch.randn(m, k) * choose.choice([1, 1, 1e-20, 1e-37, 1e30, 1e-12])
        b = torch.randn(k, n) * choose.choice([1, 1, 1e-20, 1e10])
        if i % 7 == 0:
            a[0, 0] = float("inf")
        if i % 11 == 0:
            b[0, 0] = float("nan")
        if i % 5 == 0:
            a = torch.relu(a)
        if i % 2:
            a = a.t().contiguous().t()
        if i // 2 % 2:
            b = b.t().contiguous().t()
        yield a, b, torch.randn(n)


@own
@pytest.mark.parametrize("dtype", SHORT, ids=str)
def test_products_have_the_same_bits(dtype, each_isa):  # noqa: F811
    def run():
        found = []
        for a, b, c in products():
            a, b, c = a.to(dtype), b.to(dtype), c.to(dtype)
            found += [a @ b, F.linear(a, b.t(), c), torch.addmm(c, a, b, alpha=0.5, beta=2), a @ b[:, 0]]
        return [y.nan_to_num(7.0) for y in found]

    assert len(set(each_isa(run).values())) == 1


@own
def test_sums_of_bfloat16_products_run_along_k_in_order(each_isa):  # noqa: F811
    """Where parts of a sum come and go, only one order gives this result."""
    a = torch.tensor([[1.0, 2.0**-25, -1.0, 2.0**-25, 1.5 * 2.0**-25]] * 6).bfloat16()

    def run():
        y = a @ torch.ones(5, 40).bfloat16()
        assert y.unique().tolist() == [2.5 * 2.0**-25]
        return [y]

    each_isa(run)


@pytest.mark.parametrize("dtype", SHORT, ids=str)
@pytest.mark.parametrize("m,k,n", [(1, 1500, 13), (4, 1024, 7), (3, 8, 1), (5, 400, 90), (200, 700, 40), (2800, 30, 5)])
def test_products_are_rounded_once(m, k, n, dtype):
    torch.manual_seed(2)
    a, b, c = torch.randn(m, k).to(dtype), torch.randn(n, k).to(dtype), torch.randn(n).to(dtype)
    exact = a.double() @ b.double().t() + c.double()
    error = (F.linear(a, b, c).double() - exact).abs()
    step = 2.0**-11 if dtype == torch.float16 else 2.0**-8
    assert (error <= exact.abs() * step * 1.01 + 1e-6 * k).all()


@pytest.mark.parametrize("m", [6, 2900])
def test_products_with_subnormal_numbers(m):
    """One subnormal number in a later part of an operand is not lost."""
    a, b = torch.ones(m, 40).bfloat16(), torch.zeros(40, 8).bfloat16()
    a[-1] = 0
    a[-1, -1] = 2.0**-130
    b[-1] = 1
    assert (a @ b)[-1].tolist() == [2.0**-130] * 8


def test_one_step_of_logspace_is_rounded_once():
    for dtype, value in ((torch.float16, 19952.0), (torch.bfloat16, 19968.0)):
        assert torch.logspace(4.3, 9, 1, dtype=dtype).tolist() == [value]
        assert torch.logspace(torch.tensor(4.3).to(dtype), 9, 1, dtype=dtype).tolist() != [value]
    assert torch.logspace(2.5, 9, 1, dtype=torch.int64).tolist() == [316]


def test_linear_cross_entropy_in_chunks_keeps_its_logits():
    torch.manual_seed(0)
    x, w = torch.randn(8, 16), torch.randn(5, 16)
    target = torch.arange(8) % 5
    for dtype in SHORT:
        options = torch.nn.LinearCrossEntropyOptions()
        got = F.linear_cross_entropy(x.to(dtype), w.to(dtype), target, options=options)
        want = F.linear_cross_entropy(x.to(dtype).double(), w.to(dtype).double(), target)
        assert got.dtype == dtype
        torch.testing.assert_close(got.double(), want, rtol=torch.finfo(dtype).eps, atol=0)


@pytest.mark.parametrize("dtype", SHORT)
def test_statistics_of_norms_have_the_dtype_of_their_input(dtype):
    x = torch.randn(2, 4, 3).to(dtype)
    for weight, stats in ((None, dtype), (dtype, dtype), (torch.float32, torch.float32)):
        w, channels = (None if weight is None else torch.ones(n, dtype=weight) for n in (3, 4))
        for found in (
            torch.native_layer_norm(x, (3,), w, w, 1e-5),
            torch.native_group_norm(x, channels, channels, 2, 4, 3, 2, 1e-5),
            torch.native_batch_norm(x, channels, channels, None, None, True, 0.1, 1e-5),
        ):
            assert [t.dtype for t in found] == [dtype, stats, stats]
