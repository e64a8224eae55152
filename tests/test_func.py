"""torch.func: transforms of functions, nested and over nests of tensors."""

import pytest

from .conftest import torch

func = torch.func


def test_grad_nests():
    f = lambda x: x.sin()  # noqa: E731
    x = torch.tensor(0.7, dtype=torch.float64)
    assert torch.allclose(func.grad(f)(x), x.cos())
    assert torch.allclose(func.grad(func.grad(f))(x), -x.sin())
    assert torch.allclose(func.grad(func.grad(func.grad(f)))(x), -x.cos())
    assert not func.grad(f)(x).requires_grad


def test_grad_of_captured_tensors():
    x, y = torch.tensor(2.0), torch.tensor(3.0)
    inner = lambda y: func.grad(lambda x: x**2 * y**2)(x)  # noqa: E731
    assert func.grad(inner)(y) == 2 * 2 * 2 * 3


def test_grad_options():
    f = lambda x, y: ((x * y).sum(), x + 1)  # noqa: E731
    x, y = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0])
    (gx, gy), aux = func.grad(f, argnums=(0, 1), has_aux=True)(x, y)
    assert torch.equal(gx, y)
    assert torch.equal(gy, x)
    assert torch.equal(aux, x + 1)
    g, value = func.grad_and_value(lambda p: (p["a"] * p["b"]).sum())({"a": x, "b": y})
    assert torch.equal(g["a"], y)
    assert value == 11
    with pytest.raises(RuntimeError, match="return a scalar Tensor"):
        func.grad(lambda x: x)(x)


def test_vjp_jvp_linearize():
    x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    v = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
    a = torch.arange(6, dtype=torch.float64).reshape(2, 3)
    f = lambda x: a @ x.sin()  # noqa: E731
    j = a * x.cos()
    value, pull = func.vjp(f, x)
    u = torch.tensor([1.0, 2.0], dtype=torch.float64)
    assert torch.allclose(pull(u)[0], j.T @ u)
    value, change = func.jvp(f, (x,), (v,))
    assert torch.allclose(value, f(x))
    assert torch.allclose(change, j @ v)
    assert torch.allclose(func.linearize(f, x)[1](v), j @ v)


def test_jacobians_and_hessian():
    x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    f = lambda x: x[:2] * x[1:]  # noqa: E731
    want = torch.tensor([[2.0, 1.0, 0.0], [0.0, 3.0, 2.0]], dtype=torch.float64)
    assert torch.equal(func.jacrev(f)(x), want)
    assert torch.equal(func.jacfwd(f)(x), want)
    assert torch.allclose(func.hessian(lambda x: (x**3).sum())(x), torch.diag(6 * x))


def test_vmap():
    a, b = torch.randn(4, 3), torch.randn(3, 4)
    assert torch.allclose(func.vmap(torch.dot, in_dims=(0, 1))(a, b), (a * b.T).sum(1))
    assert func.vmap(lambda x, y: x * y, in_dims=(0, None), out_dims=1)(a, torch.ones(3)).shape == (3, 4)
    out = func.vmap(lambda d: {"s": d["a"].sum()})({"a": a})
    assert torch.allclose(out["s"], a.sum(1))
    per_sample = func.vmap(func.grad(lambda w, x: (w * x).sum() ** 2), in_dims=(None, 0))(torch.ones(3), a)
    assert torch.allclose(per_sample, 2 * a.sum(1, keepdim=True) * a, atol=1e-5)
    with pytest.raises(ValueError):
        func.vmap(torch.add)(torch.ones(2), torch.ones(3))


def test_ensemble():
    models = [torch.nn.Linear(2, 1) for _ in range(3)]
    params, buffers = func.stack_module_state(models)
    x = torch.randn(5, 2)
    call = lambda p, b, x: func.functional_call(models[0], (p, b), (x,))  # noqa: E731
    out = func.vmap(call, in_dims=(0, 0, None))(params, buffers, x)
    assert torch.allclose(out, torch.stack([m(x) for m in models]), atol=1e-6)


def test_grad_of_functional_call():
    m = torch.nn.Linear(2, 1)
    params = dict(m.named_parameters())
    x, y = torch.randn(4, 2), torch.randn(4, 1)
    loss = lambda p: ((func.functional_call(m, p, (x,)) - y) ** 2).mean()  # noqa: E731
    got = func.grad(loss)({k: v.detach() for k, v in params.items()})
    loss(params).backward()
    assert torch.allclose(got["weight"], m.weight.grad)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"in_dims": [0]}, "int or a .*tuple"),
        ({"in_dims": ("a",)}, "integer dimension or None"),
        ({"in_dims": (0, 0)}, "not compatible with the structure"),
        ({"in_dims": 5}, "dimensionality 2"),
        ({"in_dims": (None,)}, "at least one Tensor"),
        ({"out_dims": (0, 0)}, "not compatible with the structure"),
        ({"out_dims": None}, "can not return a BatchedTensor"),
        ({"chunk_size": 0}, "chunk_size"),
    ],
)
def test_vmap_says_what_is_wrong_with_its_dimensions(options, message):
    with pytest.raises(ValueError, match=message):
        func.vmap(lambda x: x * 2, **options)(torch.arange(6.0).reshape(2, 3))


def test_vmap_over_nothing_and_by_keyword():
    assert func.vmap(lambda x: x.sum())(torch.ones(0, 2)).shape == (0,)
    assert func.vmap(lambda x: x * 2, out_dims=1)(torch.ones(0, 2)).shape == (2, 0)
    assert func.vmap(lambda x, k: x * k)(torch.ones(3), k=torch.ones(3)).shape == (3, 3)
    with pytest.raises(ValueError, match="non-Tensor"):
        func.vmap(lambda x, y: x)(torch.ones(2), 1)
    with pytest.raises(ValueError, match="no inputs"):
        func.vmap(lambda: 1)()


def test_vmap_and_randomness():
    with pytest.raises(RuntimeError, match="randomness error mode"):
        func.vmap(lambda x: x + torch.rand(2))(torch.zeros(3))
    same = func.vmap(lambda x: x + torch.rand(2), randomness="same")(torch.zeros(3))
    assert torch.equal(same[0], same[2])


def test_what_transforms_refuse():
    for transform in (func.grad, func.jacrev):
        with pytest.raises(ValueError, match="must be Tensor"):
            transform(lambda x: x)(2.0)
    with pytest.raises(ValueError, match="floating point or complex"):
        func.jacfwd(lambda x: x)(torch.arange(3))
    with pytest.raises(RuntimeError, match="floating-point or complex"):
        func.jacrev(lambda x: x.argmax())(torch.ones(3))
    with pytest.raises(RuntimeError, match="to be real"):
        func.jacrev(lambda x: x)(torch.ones(2, dtype=torch.complex64))
    with pytest.raises(RuntimeError, match="only tensors"):
        func.vjp(lambda x: 3.0, torch.ones(2))
    with pytest.raises(RuntimeError, match=r"\(output, aux\)"):
        func.vjp(lambda x: x, torch.ones(2), has_aux=True)
    with pytest.raises(RuntimeError, match="unsupported type"):
        func.grad(lambda x: (x.sum(), 5), has_aux=True)(torch.ones(2))
    with pytest.raises(RuntimeError, match="non-empty"):
        func.grad(lambda x: x.sum(), argnums=())(torch.ones(2))


def test_jacobian_of_complex_outputs():
    x = torch.tensor([1 + 2j, 3j])
    found = torch.autograd.functional.jacobian(lambda x: x * 2, x, vectorize=True)
    assert torch.equal(found, torch.eye(2) * (2 + 0j))


def test_functional_call_takes_tensors_for_tensors():
    net = torch.nn.Sequential(torch.nn.Linear(2, 2))
    with pytest.raises(TypeError, match="attribute `0`"):
        func.functional_call(net, {"0": torch.ones(2)}, torch.ones(1, 2))


class TestRandomInVmap:
    """The numbers are those that an op over the whole batch draws."""

    @staticmethod
    def drawn(function, *args, **kwargs):
        torch.manual_seed(5)
        return torch.func.vmap(function, **kwargs)(*args)

    def test_own_numbers_for_each_item(self):
        x = torch.arange(15.0).reshape(5, 3)
        found = self.drawn(
            lambda v: (torch.rand(2), torch.randn(7), torch.randint(0, 9, (4,))), x, randomness="different"
        )
        torch.manual_seed(5)
        assert all(map(torch.equal, found, (torch.rand(5, 2), torch.randn(5, 7), torch.randint(0, 9, (5, 4)))))

    def test_dropout_and_fills(self):
        x = torch.ones(5, 3)
        found = self.drawn(lambda v: torch.dropout(v, 0.5, True) + v.clone().normal_(), x, randomness="different")
        torch.manual_seed(5)
        assert torch.equal(found, torch.dropout(x, 0.5, True) + x.clone().normal_())

    def test_chunks_draw_one_after_another(self):
        found = self.drawn(lambda v: torch.randn(9), torch.ones(5), randomness="different", chunk_size=2)
        torch.manual_seed(5)
        assert torch.equal(found, torch.cat([torch.randn(n, 9) for n in (2, 2, 1)]))

    def test_nested(self):
        x = torch.ones(5, 3)

        def inner(randomness):
            return lambda v: (torch.func.vmap(lambda w: w * torch.rand(2), randomness=randomness)(v), torch.rand(1))

        for outer, nested, shapes in (
            ("different", "different", ((5, 3, 2), (5, 1))),
            ("different", "same", ((5, 1, 2), (5, 1))),
            ("same", "different", ((1, 3, 2), (1, 1))),
            ("same", "same", ((1, 1, 2), (1, 1))),
        ):
            found = self.drawn(inner(nested), x, randomness=outer)
            after = torch.rand(1)
            torch.manual_seed(5)
            first, second = (torch.rand(*shape) for shape in shapes)
            assert torch.equal(found[0], first.expand(5, 3, 2)) and torch.equal(found[1], second.expand(5, 1))
            assert torch.equal(after, torch.rand(1))

    def test_an_error_leaves_nothing_behind(self):
        with pytest.raises(ZeroDivisionError):
            torch.func.vmap(lambda v: (torch.rand(1), 1 / 0), randomness="different")(torch.ones(3))
        torch.manual_seed(5)
        found = torch.rand(3)
        torch.manual_seed(5)
        assert torch.equal(found, torch.rand(3))


def test_out_dims_have_the_kind_of_the_result():
    x = torch.ones(3, 2)
    for out, dims in (((x, x), [0, 1]), ([x, x], (0, 1))):
        with pytest.raises(ValueError, match="out_dims is not compatible with the structure of `outputs`"):
            torch.func.vmap(lambda v, kind=type(out): kind((v, v)), out_dims=dims)(x)
    with pytest.raises(ValueError, match="Did you mean to set out_dims= to None"):
        torch.func.vmap(lambda v: 3)(x)


def test_batch_norm_without_statistics():
    net = torch.nn.Sequential(torch.nn.BatchNorm1d(3), torch.nn.Linear(3, 2))
    assert torch.func.replace_all_batch_norm_modules_(net) is net
    assert net[0].running_mean is None and not net[0].track_running_stats
    found = torch.func.vmap(lambda v: torch.func.functional_call(net, dict(net.named_parameters()), (v,)))(
        torch.randn(4, 5, 3)
    )
    assert found.shape == (4, 5, 2)


@pytest.mark.parametrize(
    "pattern, sizes, shape, first",
    [
        ("a b -> b a", {}, (3, 2), [0, 3, 1]),
        ("a b -> (b a)", {}, (6,), [0, 3, 1]),
        ("a (b c) -> (a c) b", {"c": 3}, (6, 1), [0, 1, 2]),
        ("... a -> a ... 1", {}, (3, 2, 1), [0, 3, 1]),
        ("a b -> a () b", {}, (2, 1, 3), [0, 1, 2]),
        ("a ... b -> b ... a", {}, (3, 2), [0, 3, 1]),
    ],
)
def test_rearrange(pattern, sizes, shape, first):
    found = torch.func.rearrange(torch.arange(6).reshape(2, 3), pattern, **sizes)
    assert found.shape == shape and found.flatten()[:3].tolist() == first


@pytest.mark.parametrize(
    "pattern, words",
    [
        ("a b", "single '->'"),
        ("a b -> a", "only on one side"),
        ("a a -> a", "duplicate dimension 'a'"),
        ("a b c -> c b a", "Number of dimensions in pattern"),
        ("a 2 -> a", "unnamed axes of size 1"),
        ("_a b -> b _a", "Invalid axis identifier"),
        ("a b -> ... a b", "Ellipsis found in right side"),
        ("((a b) c) -> a b c", "brackets inside brackets"),
    ],
)
def test_rearrange_refuses(pattern, words):
    with pytest.raises(ValueError, match=words):
        torch.func.rearrange(torch.arange(6).reshape(2, 3), pattern)
