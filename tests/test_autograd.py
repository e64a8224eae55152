"""The graph, hooks, views and in-place changes, higher orders, custom functions, gradcheck."""

import gc
import importlib
import math
import threading
import warnings
import weakref
from collections import OrderedDict

import pytest

from .conftest import CANDIDATE, torch


def leaf(*shape, dtype=None):
    return torch.randn(*shape, dtype=dtype or torch.float64, requires_grad=True)


class TestGraph:
    def test_leaf_and_grad_fn(self):
        x = torch.tensor([1.0], requires_grad=True)
        y = x + 2
        assert x.is_leaf and x.grad_fn is None and x.grad is None
        assert not y.is_leaf and y.requires_grad
        assert repr(y.grad_fn).startswith("<AddBackward0 object at 0x")

    def test_a_custom_functions_node_says_where_it_is_from(self):
        class Same(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return x.clone()

        node = Same.apply(torch.ones(1, requires_grad=True)).grad_fn
        assert repr(node).startswith("<torch.autograd.function.SameBackward object at 0x")

    @pytest.mark.parametrize(
        "name, f",
        {
            "AddBackward0": lambda x: x + 2,
            "MulBackward0": lambda x: x * x,
            "SubBackward0": lambda x: x - x,
            "DivBackward0": lambda x: x / x,
            "PowBackward0": lambda x: x**2,
            "SumBackward0": lambda x: x.sum(),
            "SumBackward1": lambda x: x.sum(0),
            "MeanBackward0": lambda x: x.mean(),
            "MmBackward0": lambda x: x.mm(x),
            "AddmmBackward0": lambda x: torch.addmm(x, x, x),
            "NegBackward0": lambda x: -x,
            "ExpBackward0": lambda x: x.exp(),
            "ReluBackward0": lambda x: x.relu(),
            "TBackward0": lambda x: x.t(),
            "TransposeBackward0": lambda x: x.transpose(0, 1),
            "ViewBackward0": lambda x: x.view(-1),
            "SelectBackward0": lambda x: x[0],
            "SliceBackward0": lambda x: x[1:],
            "IndexBackward0": lambda x: x[torch.tensor([0])],
            "CatBackward0": lambda x: torch.cat([x, x]),
            "StackBackward0": lambda x: torch.stack([x, x]),
            "CloneBackward0": lambda x: x.clone(),
            "ExpandBackward0": lambda x: x.unsqueeze(0).expand(2, -1, -1),
            "UnsqueezeBackward0": lambda x: x.unsqueeze(0),
            "SoftmaxBackward0": lambda x: x.softmax(0),
            "MaxBackward0": lambda x: x.max(0).values,
            "WhereBackward0": lambda x: torch.where(x > 0, x, x),
            "ToCopyBackward0": lambda x: x.to(torch.float32),
        }.items(),
        ids=lambda v: v if isinstance(v, str) else "",
    )
    def test_names(self, name, f):
        fn = f(leaf(3, 3)).grad_fn
        assert fn.name() == name
        assert type(fn).__name__ == name

    def test_a_number_over_a_tensor_is_a_product(self):
        fn = (2 / leaf(3)).grad_fn
        assert fn.name() == "MulBackward0"
        assert fn.next_functions[0][0].name() == "ReciprocalBackward0"
        over = 49 / torch.tensor([49.0], dtype=torch.float64)
        assert over.item() == 0.9999999999999999  # 1 / 49 is rounded before it is multiplied

    @pytest.mark.parametrize(
        "equation, name",
        {
            "ij->": "SumBackward1",
            "ij->j": "SumBackward1",
            "ij->ji": "PermuteBackward0",
            "ij,ij->ij": "MulBackward0",
            "ij,jk->ik": "ViewBackward0",
        }.items(),
    )
    def test_names_of_einsum(self, equation, name):
        operands = [leaf(3, 3) for _ in equation.split("->")[0].split(",")]
        assert torch.einsum(equation, *operands).grad_fn.name() == name

    def test_next_functions(self):
        x, y = leaf(2), leaf(2)
        fn = (x * y.exp()).grad_fn
        (a, i), (b, j) = fn.next_functions
        assert (i, j) == (0, 0)
        assert a.name().endswith("AccumulateGrad") and a.variable is x
        assert b.name() == "ExpBackward0"
        assert (x * 2).grad_fn.next_functions[1][0] is None

    def test_accumulates(self):
        x = torch.tensor([1.0], requires_grad=True)
        (x**2).backward()
        (x**3).backward()
        assert x.grad.item() == 5
        x.grad.zero_()
        (x**3).backward()
        assert x.grad.item() == 3
        x.grad = None
        (2 * x).backward()
        assert x.grad.item() == 2

    def test_gradient_argument(self):
        x = leaf(3)
        (x * 2).backward(torch.tensor([1.0, 10.0, 100.0], dtype=torch.float64))
        assert x.grad.tolist() == [2, 20, 200]

    def test_inputs_argument(self):
        x, y = leaf(3), leaf(3)
        (x * y).sum().backward(inputs=[x])
        assert x.grad is not None and y.grad is None

    def test_retain_graph(self):
        x = leaf(2)
        y = x.exp().sum()
        y.backward(retain_graph=True)
        y.backward()
        assert torch.allclose(x.grad, 2 * x.exp())
        with pytest.raises(RuntimeError, match="second time"):
            y.backward()

    def test_diamond_and_reuse(self):
        x = leaf(4)
        y = x.sin()
        (y * y + y).sum().backward()
        assert torch.allclose(x.grad, (2 * x.sin() + 1) * x.cos())

    def test_retain_grad(self):
        x = leaf(2)
        y = x * 3
        y.retain_grad()
        (y * y).sum().backward()
        assert torch.allclose(y.grad, 2 * y)
        assert y.retains_grad

    def test_detach(self):
        x = leaf(2)
        y = (x * 2).detach()
        assert not y.requires_grad and y.is_leaf
        y[0] = 7
        z = x * 2
        z.detach_()
        assert z.is_leaf and not z.requires_grad
        assert x.detach().data_ptr() == x.data_ptr()

    def test_modes(self):
        x = leaf(2)
        with torch.no_grad():
            assert not (x * 2).requires_grad and not torch.is_grad_enabled()
            with torch.enable_grad():
                assert (x * 2).requires_grad
        with torch.set_grad_enabled(False):
            assert not (x * 2).requires_grad
        assert torch.is_grad_enabled()
        torch.set_grad_enabled(False)
        assert not (x * 2).requires_grad
        torch.set_grad_enabled(True)

        @torch.no_grad()
        def f():
            return x * 2

        assert not f().requires_grad and torch.is_grad_enabled()

    def test_modes_end_with_an_exception(self):
        with pytest.raises(KeyError):
            with torch.no_grad():
                raise KeyError
        assert torch.is_grad_enabled()

    def test_inference_mode(self):
        x = leaf(2)
        with torch.inference_mode():
            y = x * 2
        assert y.is_inference() and not y.requires_grad
        with pytest.raises(RuntimeError, match="[Ii]nference"):
            (y * x).sum().backward()

    def test_integers_cannot_require_grad(self):
        with pytest.raises(RuntimeError, match="floating"):
            torch.tensor([1], requires_grad=True)
        with pytest.raises(RuntimeError, match="floating"):
            torch.tensor([1]).requires_grad_()

    def test_grad_function(self):
        x, y = leaf(3), leaf(3)
        gx, gy = torch.autograd.grad((x * y).sum(), [x, y])
        assert torch.equal(gx, y) and torch.equal(gy, x)
        assert x.grad is None
        with pytest.raises(RuntimeError, match="not have been used"):
            torch.autograd.grad(x.sum(), [x, y])
        assert torch.autograd.grad(x.sum(), [x, y], allow_unused=True)[1] is None
        assert torch.autograd.grad(x.sum(), [x, y], materialize_grads=True)[1].tolist() == [0, 0, 0]

    def test_broadcast_gradients_have_the_input_shape(self):
        x, y = leaf(3, 1), leaf(4)
        (x * y).sum().backward()
        assert x.grad.shape == (3, 1) and y.grad.shape == (4,)

    def test_identity_of_grad(self):
        x = leaf(2)
        x.sum().backward()
        assert x.grad is x.grad

    def test_million_operations(self):
        x = torch.ones(1, requires_grad=True)
        y = x
        for _ in range(1_000_000):
            y = y + 1e-7
        y.backward()
        assert x.grad.item() == 1
        del y

    def test_deep_graph_is_freed_unused(self):
        y = torch.ones(1, requires_grad=True)
        for _ in range(200_000):
            y = y * 1.0
        del y

    def test_graph_is_freed(self):
        class Kept:
            pass

        x = leaf(2)
        y = x.exp()
        mark = Kept()
        ref = weakref.ref(mark)
        y.register_hook(lambda g, mark=mark: None)
        del mark
        y.sum().backward()
        del y
        gc.collect()
        assert ref() is None


class TestInplace:
    def test_changed_saved_tensor(self):
        x = leaf(3)
        y = x.exp()
        y.add_(1)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            y.sum().backward()

    def test_harmless_change(self):
        x = leaf(3)
        y = x + 1
        y.mul_(3)
        y.sum().backward()
        assert x.grad.tolist() == [3, 3, 3]

    def test_leaf(self):
        x = leaf(3)
        with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
            x.add_(1)
        with pytest.raises(RuntimeError, match="view of a leaf"):
            x[0] = 1
        with torch.no_grad():
            x.add_(1)

    def test_assignment_into_a_buffer(self):
        x = leaf(3)
        b = torch.zeros(2, 3, dtype=torch.float64)
        b[1] = x * 2
        assert b.requires_grad
        (b * b).sum().backward()
        assert torch.allclose(x.grad, 8 * x)

    def test_write_through_a_view(self):
        x = leaf(4)
        y = x * 1
        v = y[1:3]
        v.mul_(10)
        y.sum().backward()
        assert x.grad.tolist() == [1, 10, 10, 1]

    def test_view_sees_change_of_base(self):
        x = leaf(4)
        y = x * 1
        v = y[:2]
        y.mul_(3)
        v.sum().backward()
        assert x.grad.tolist() == [3, 3, 0, 0]

    @pytest.mark.parametrize("step", [1, 2])
    def test_write_through_a_complex_view_of_reals(self, step):
        def f(x, z):
            y = x * 1
            pairs = torch.view_as_complex(y[::step])
            pairs[0] = z
            pairs[1:].mul_(2j)
            return y.sin(), pairs.abs()

        x = torch.randn(4, 3, 2, dtype=torch.float64, requires_grad=True)
        z = torch.randn(3, dtype=torch.complex128, requires_grad=True)
        assert torch.autograd.gradcheck(f, (x, z))
        assert torch.autograd.gradgradcheck(f, (x, z))

    def test_write_through_a_real_view_of_complex_numbers(self):
        def f(z):
            y = z * 1
            y.imag.mul_(3)
            torch.view_as_real(y)[1] += y.real[0]
            return y.abs()

        z = torch.randn(3, 2, dtype=torch.complex128, requires_grad=True)
        assert torch.autograd.gradcheck(f, (z,)) is True

    def test_version_counter_is_shared(self):
        x = torch.zeros(4)
        v = x[:2]
        before = x._version
        v.add_(1)
        assert x._version == before + 1 == v._version

    def test_is_view(self):
        x = torch.zeros(4)
        assert x[:2]._is_view() and x[:2]._base is x and not x._is_view()

    def test_inplace_changes_grad_fn(self):
        y = leaf(3) * 1
        y.relu_()
        assert y.grad_fn.name() == "ReluBackward0"


class TestHigherOrder:
    def test_second_derivative(self):
        x = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
        (g,) = torch.autograd.grad(x**4, x, create_graph=True)
        (h,) = torch.autograd.grad(g, x, create_graph=True)
        (k,) = torch.autograd.grad(h, x)
        assert (g.item(), h.item(), k.item()) == (32, 48, 48)

    def test_hessian_and_jacobian(self):
        F = torch.autograd.functional
        x = torch.tensor([1.0, 2.0], dtype=torch.float64)
        assert torch.allclose(F.hessian(lambda v: (v**3).sum(), x), torch.diag(6 * x))
        assert torch.allclose(F.jacobian(lambda v: v**2, x), torch.diag(2 * x))
        assert torch.allclose(F.vjp(lambda v: v**2, x, torch.ones_like(x))[1], 2 * x)
        assert torch.allclose(F.jvp(lambda v: v**2, x, torch.ones_like(x))[1], 2 * x)
        assert torch.allclose(F.hvp(lambda v: (v**3).sum(), x, torch.ones_like(x))[1], 6 * x)

    def test_gradient_penalty(self):
        w, x = leaf(3, 3), leaf(2, 3)
        y = torch.tanh(x @ w).sum()
        (g,) = torch.autograd.grad(y, x, create_graph=True)
        (g**2).sum().backward()
        assert w.grad.abs().sum() > 0


GRADCHECKED = {
    "add": lambda x, y: x + y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / (y.abs() + 1),
    "pow": lambda x, y: (x.abs() + 0.5) ** y,
    "matmul": lambda x, y: x @ y.T,
    "where": lambda x, y: torch.where(x > y, x * y, y),
    "cat": lambda x, y: torch.cat([x, y], 1),
    "stack": lambda x, y: torch.stack([x, y]).permute(2, 0, 1),
    "softmax": lambda x, y: (x.softmax(1) * y).sum(0),
    "log_softmax": lambda x, y: x.log_softmax(0) * y,
    "logsumexp": lambda x, y: (x + y).logsumexp(1),
    "var": lambda x, y: (x * y).var(1),
    "std": lambda x, y: (x * y).std(),
    "norm": lambda x, y: (x + y).norm(dim=1),
    "prod": lambda x, y: (x * y).prod(1),
    "cumsum": lambda x, y: (x * y).cumsum(1),
    "cumprod": lambda x, y: (x * y).cumprod(1),
    "amax": lambda x, y: (x * y).amax(1),
    "median": lambda x, y: (x * y).median(),
    "sort": lambda x, y: (x * y).sort(1).values,
    "index": lambda x, y: (x * y)[:, torch.tensor([0, 2, 2])],
    "mask": lambda x, y: (x * y)[torch.tensor([[True, False, True, True], [False, True, True, False], [True] * 4])],
    "gather": lambda x, y: (x * y).gather(1, torch.tensor([[0], [3], [1]])),
    "scatter": lambda x, y: x.scatter(1, torch.tensor([[0], [3], [1]]), y[:, :1]),
    "index_add": lambda x, y: x.index_add(0, torch.tensor([0, 0, 2]), y),
    "expand": lambda x, y: x[:, :1].expand(3, 4) * y,
    "as_strided": lambda x, y: (x * y).as_strided((2, 2), (1, 2), 1),
    "unfold": lambda x, y: (x * y).unfold(1, 2, 1),
    "roll flip": lambda x, y: x.roll(1, 0) * y.flip(1),
    "tril": lambda x, y: x.tril() * y.triu(1),
    "clamp": lambda x, y: x.clamp(-0.5, 0.5) * y,
    "lerp": lambda x, y: torch.lerp(x, y, 0.3),
    "addcmul": lambda x, y: torch.addcmul(x, x, y, value=2),
    "atan2": lambda x, y: torch.atan2(x, y),
    "erf": lambda x, y: torch.erf(x) * torch.sigmoid(y),
    "tanh": lambda x, y: torch.tanh(x) * torch.exp(y),
    "log1p": lambda x, y: torch.log1p(x.abs()) + torch.sqrt(y.abs() + 1),
    "einsum": lambda x, y: torch.einsum("ij,kj->ik", x, y),
    "outer": lambda x, y: torch.outer(x[0], y[0]),
    "mse": lambda x, y: torch.nn.functional.mse_loss(x, y),
    "linear": lambda x, y: torch.nn.functional.linear(x, y),
    "cross entropy": lambda x, y: torch.nn.functional.cross_entropy(x * y, torch.tensor([0, 3, 1])),
    "view chain": lambda x, y: (x * y).view(2, 6).t().reshape(3, 4)[::2].contiguous(),
    "inplace": lambda x, y: (x * 1).mul_(y).add_(x),
    "repeat": lambda x, y: x.repeat(2, 1) + y.repeat_interleave(2, 0),
}


@pytest.mark.parametrize("name", GRADCHECKED)
def test_gradcheck(name):
    f = GRADCHECKED[name]
    x, y = leaf(3, 4), leaf(3, 4)
    assert torch.autograd.gradcheck(f, (x, y))
    assert torch.autograd.gradgradcheck(f, (x, y))


def test_gradcheck_is_no_module():
    importlib.import_module(f"{CANDIDATE}.autograd.gradcheck")
    assert torch.autograd.gradcheck(torch.sin, (leaf(2),))


def test_gradcheck_finds_a_wrong_gradient():
    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 3

    with pytest.raises(RuntimeError, match="Jacobian mismatch"):
        torch.autograd.gradcheck(Wrong.apply, (leaf(2),))
    assert not torch.autograd.gradcheck(Wrong.apply, (leaf(2),), raise_exception=False)


class TestFunction:
    def test_round_trip(self):
        class Cube(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x, scale, name=None):
                ctx.save_for_backward(x)
                ctx.scale = scale
                return scale * x**3

            @staticmethod
            def backward(ctx, g):
                (x,) = ctx.saved_tensors
                assert ctx.needs_input_grad[0] and not ctx.needs_input_grad[1]
                return g * ctx.scale * 3 * x**2, None, None

        x = leaf(3)
        y = Cube.apply(x, 2, "name")
        assert "CubeBackward" in type(y.grad_fn).__name__
        y.sum().backward()
        assert torch.allclose(x.grad, 6 * x**2)
        assert torch.autograd.gradcheck(lambda v: Cube.apply(v, 2), (leaf(3),))
        assert torch.autograd.gradgradcheck(lambda v: Cube.apply(v, 2), (leaf(3),))

    def test_many_outputs_and_none(self):
        class Split(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.set_materialize_grads(False)
                return x * 1, x * 2

            @staticmethod
            def backward(ctx, a, b):
                assert a is None
                return b * 2

        x = leaf(2)
        Split.apply(x)[1].sum().backward()
        assert x.grad.tolist() == [2, 2]

    def test_setup_context(self):
        class Double(torch.autograd.Function):
            @staticmethod
            def forward(x):
                return x * 2

            @staticmethod
            def setup_context(ctx, inputs, output):
                ctx.factor = 2

            @staticmethod
            def backward(ctx, g):
                return g * ctx.factor

        x = leaf(2)
        Double.apply(x).sum().backward()
        assert x.grad.tolist() == [2, 2]

    def test_mark_non_differentiable_and_once(self):
        class F(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                index = x.argmax()
                ctx.mark_non_differentiable(index)
                return x * 1, index

            @staticmethod
            @torch.autograd.function.once_differentiable
            def backward(ctx, g, _):
                return g

        x = leaf(2)
        y, index = F.apply(x)
        assert not index.requires_grad
        (g,) = torch.autograd.grad(y.sum() ** 2, x, create_graph=True)
        with pytest.raises(RuntimeError, match="once_differentiable"):
            g.sum().backward()

    def test_wrong_number_of_gradients(self):
        class F(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x, y):
                return x + y

            @staticmethod
            def backward(ctx, g):
                return g

        with pytest.raises(RuntimeError, match="incorrect number of gradients"):
            F.apply(leaf(2), leaf(2)).sum().backward()


class TestAnomaly:
    def test_names_the_forward_line(self):
        x = leaf(2)
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter("always")
            with torch.autograd.set_detect_anomaly(True):
                y = (x * 0 - 1).sqrt()  # the line to be named
                with pytest.raises(RuntimeError, match="returned nan values"):
                    y.sum().backward()
        text = " ".join(str(w.message) for w in seen)
        assert "the line to be named" in text or "test_autograd.py" in text

    def test_detect_anomaly_context(self):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with torch.autograd.detect_anomaly():
                assert torch.is_anomaly_enabled()
        assert not torch.is_anomaly_enabled()


def test_saved_tensor_hooks():
    packed = []

    def pack(t):
        packed.append(t.shape)
        return t

    x = leaf(3)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        y = x * x
    y.sum().backward()
    assert packed and torch.allclose(x.grad, 2 * x)


def test_threads_run_backward_at_once():
    import threading

    failed = []

    def work():
        x = leaf(64)
        for _ in range(50):
            x.grad = None
            (x.sin() * x).sum().backward()
            if not torch.allclose(x.grad, x.cos() * x + x.sin()):
                failed.append(1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not failed


class TestForwardGradcheck:
    def test_agrees(self):
        x = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
        z = torch.randn(3, dtype=torch.complex128, requires_grad=True)

        def f(x, z):
            return x.sin() @ z.real, (x * z).abs(), z.conj() * x[0]

        assert torch.autograd.gradcheck(f, (x, z), check_forward_ad=True, check_backward_ad=False)
        assert torch.autograd.gradcheck(f, (x, z), check_forward_ad=True)

    @pytest.mark.skipif(CANDIDATE == "torch", reason="PyTorch asks the Function for a jvp")
    def test_finds_a_backward_that_is_no_function_of_its_gradient(self):
        class Twice(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return 2 * x

            @staticmethod
            def backward(ctx, g):
                return 2 * g.detach()

        x = torch.randn(3, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(Twice.apply, (x,))
        with pytest.raises(RuntimeError, match="forward mode"):
            torch.autograd.gradcheck(Twice.apply, (x,), check_forward_ad=True)


@pytest.mark.parametrize("rows", [5, 40])  # by differences, by a matrix product
@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, math.inf])
def test_distances_of_zero_have_a_gradient_of_zero(rows, p):
    torch.manual_seed(0)
    x = torch.randn(rows, 3, dtype=torch.float64, requires_grad=True)
    torch.cdist(x, x, p=p).sum().backward()
    apart = x.detach()[:, None] - x.detach()[None]
    norm = apart.norm(p, -1, keepdim=True)
    want = apart.sign() * (apart.abs() == norm) if p == math.inf else apart.sign() * (apart.abs() / norm) ** (p - 1)
    assert torch.allclose(x.grad, 2 * want.nan_to_num(0).sum(1))


@pytest.mark.parametrize("op", [torch.matmul, torch.mul, torch.maximum, torch.nn.functional.linear])
def test_only_the_gradients_asked_for_are_computed(op):
    a, b = torch.rand(2, 2, requires_grad=True), torch.rand(2, 2, requires_grad=True)
    y, computed = op(a, b), []
    y.grad_fn.register_hook(lambda inputs, _: computed.append([g is not None for g in inputs]))
    torch.autograd.grad(y.sum(), a, retain_graph=True)
    torch.autograd.grad(y.sum(), b, retain_graph=True, create_graph=True)
    y.sum().backward(inputs=[b], retain_graph=True)
    y.sum().backward()
    assert computed == [[True, False], [False, True], [False, True], [True, True]]


def test_a_condition_has_no_edge():
    x = torch.ones(2, requires_grad=True)
    condition = torch.tensor([True, False])
    assert [fn is not None for fn, _ in torch.where(condition, x, 0.0).grad_fn.next_functions] == [True, False]
    y = torch.where(condition, x * 1, x * 2)
    assert len(y.grad_fn.next_functions) == 2
    assert torch.autograd.grad(y.sum(), x)[0].tolist() == [1, 2]


def test_fills_of_expanded_memory():
    x = torch.zeros(3).expand(2, 3)
    assert x.fill_(2).tolist() == [[2] * 3] * 2 and x.zero_().tolist() == [[0] * 3] * 2


NODES = {
    "x[:]": "SliceBackward0",
    "x[:, :]": "AliasBackward0",
    "x % x": "RemainderBackward1",
    "x % 2": "RemainderBackward0",
    "torch.fmod(x, x)": "FmodBackward1",
    "torch.rsub(x, x)": "RsubBackward0",
    "1 - x": "RsubBackward1",
    "torch.lerp(x, x, x)": "LerpBackward1",
    "torch.lerp(x, x, 0.5)": "LerpBackward0",
    "torch.copysign(x, 1.0)": "CopysignBackward1",
    "torch.xlogy(x, 2)": "XlogyBackward2",
    "torch.xlogy(2, x)": "XlogyBackward1",
    "torch.square(x)": "PowBackward0",
    "torch.log1p(x)": "Log1PBackward0",
    "torch.deg2rad(x)": "Deg2RadBackward0",
    "torch.sort(x, stable=True)[0]": "SortBackward1",
    "torch.index_fill(x, 0, torch.tensor([0]), torch.tensor(0.0))": "IndexFillBackward1",
    "x.t_()": "TBackward1",
    "x.transpose_(0, 1)": "TransposeBackward1",
    "x.unsqueeze_(0)": "UnsqueezeBackward1",
    "x.squeeze_()": "SqueezeBackward3",
    "x.squeeze_(0)": "SqueezeBackward4",
    "x.fill_(0.5)": "FillBackward2",
    "x.fill_(torch.tensor(0.5))": "FillBackward3",
    "+x": "MulBackward0",
    "torch.conj_physical(x)": "MulBackward0",
    "torch.linalg.qr(x)[0]": "LinalgQrBackward0",
    "torch.linalg.svd(x)[1]": "LinalgSvdBackward0",
}


@pytest.mark.parametrize("text", NODES)
def test_names_of_nodes(text):
    x = torch.arange(1.0, 7.0).reshape(2, 3).requires_grad_() * 1
    assert eval(text, {"torch": torch, "x": x}).grad_fn.name() == NODES[text]


def test_in_place_changes_of_geometry():
    x = torch.arange(6.0).reshape(2, 3).requires_grad_()
    y = x * 2
    y.t_()
    assert y.shape == (3, 2) and y._version == 1
    y.unsqueeze_(0).mul_(torch.arange(6.0).reshape(1, 3, 2)).sum().backward()
    assert x.grad.tolist() == [[0, 4, 8], [2, 6, 10]]
    row = (x * 1)[0]
    row.t_()  # of one dimension: the same, but changed
    assert row._version == 1 and row.grad_fn.name() == "TBackward1"


def test_no_derivative_is_an_error():
    x = torch.ones(2, requires_grad=True)
    for y in (x // 2, torch.heaviside(x, torch.ones(2))):
        assert y.requires_grad
        with pytest.raises(RuntimeError, match="is not implemented"):
            y.sum().backward()
    assert not (x.detach() // 2).requires_grad


def test_a_bound_that_is_nan_lets_no_gradient_through():
    x = torch.ones(2, requires_grad=True)
    torch.clamp(x, min=float("nan")).sum().backward()
    assert x.grad.tolist() == [0, 0]


def test_geometry_that_is_changed_without_record():
    x = torch.ones(3, 4, requires_grad=True)
    y = x * 1
    y.t_()
    with torch.no_grad():
        y.unsqueeze_(0)
    total = y.sum()
    total.backward(retain_graph=True)
    total.backward()
    assert x.grad.tolist() == [[2] * 4] * 3
    z = x * 1
    with torch.no_grad():
        z.unsqueeze_(1).unsqueeze_(1)
    with pytest.raises(RuntimeError):
        torch.autograd.grad(z.sum(), x)


def test_gradients_by_edges():
    edge_of = torch.autograd.graph.get_gradient_edge
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * x
    z = (y * 3).sum()
    edge, leaf, root, several = edge_of(y), edge_of(x), edge_of(z), edge_of(y * 3)
    assert edge._fields == ("node", "output_nr", "ownership_token")
    del y
    gradient = [6.0, 12.0]
    assert torch.autograd.grad(z, [edge, x], retain_graph=True)[0].tolist() == [3.0, 3.0]
    for outputs, inputs, seed in (
        (z, leaf, None),
        (root, x, None),
        (several, x, torch.ones(2)),
        ([root], [leaf], None),
    ):
        (found,) = torch.autograd.grad(outputs, inputs, seed, retain_graph=True)
        assert found.tolist() == gradient
    z.backward(inputs=leaf, retain_graph=True)
    torch.autograd.backward(root, retain_graph=True)
    assert x.grad.tolist() == [12.0, 24.0]
    with pytest.raises(RuntimeError, match="only for scalar outputs"):
        torch.autograd.grad(several, x, retain_graph=True)
    with pytest.raises(RuntimeError, match="Mismatch in shape"):
        torch.autograd.grad(several, x, torch.ones(3), retain_graph=True)
    with pytest.raises(RuntimeError, match="Tensors or GradientEdges"):
        torch.autograd.grad(z, [5], retain_graph=True)
    with pytest.raises(RuntimeError, match="must be an autograd.graph.Node"):
        torch.autograd.grad(z, edge._replace(node=None), retain_graph=True)
    unused = edge_of(torch.ones(2, requires_grad=True))
    assert torch.autograd.grad(z, unused, retain_graph=True, allow_unused=True) == (None,)
    with pytest.raises(RuntimeError, match="materialize_grads"):
        torch.autograd.grad(z, unused, retain_graph=True, materialize_grads=True)


def test_inputs_of_grad():
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="can.*be empty"):
        torch.autograd.grad(x.sum(), [])
    for differentiate in (torch.autograd.grad, lambda y, inputs: torch.autograd.backward(y, inputs=inputs)):
        with pytest.raises(TypeError, match="must be a dict"):
            differentiate(x.sum(), OrderedDict(a=x))


def test_a_hook_keeps_the_dtype():
    x = torch.ones(2, requires_grad=True)
    y = x * 2
    y.register_hook(lambda g: g.double())
    with pytest.raises(RuntimeError, match="changed the type of value"):
        y.sum().backward()


def test_threads_that_end_within_hooks_of_saved_tensors():
    def leave_open():
        torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t).__enter__()

    for _ in range(20):
        thread = threading.Thread(target=leave_open)
        thread.start()
        thread.join()
    x = torch.ones(2, requires_grad=True)
    (x * x).sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]


def test_multi_grad_hooks_by_backward():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    a, b = x * 2, x * 3
    register, seen = torch.autograd.graph.register_multi_grad_hook, []
    handle = register((a, b, x), lambda grads: seen.append([None if g is None else g.tolist() for g in grads]))
    a.sum().backward(retain_graph=True)
    assert seen == [[[1.0, 1.0], None, [2.0, 2.0]]]
    (a * b).sum().backward(retain_graph=True)
    assert seen[1:] == [[[3.0, 6.0], [2.0, 4.0], [12.0, 24.0]]]
    torch.autograd.grad(a.sum(), a, retain_graph=True)
    assert seen[2:] == [[[1.0, 1.0], None, None]]
    handle.remove()
    first = []
    register((a, b), lambda g: first.append(g.tolist()), mode="any")
    (a + b).sum().backward(retain_graph=True)
    b.sum().backward(retain_graph=True)
    assert first == [[1.0, 1.0], [1.0, 1.0]]
    assert len(seen) == 3
    with pytest.raises(AssertionError, match="gradient function"):
        register((a, torch.ones(1)), print)


def test_refusing_saved_tensor_hooks_and_counting_versions():
    graph = torch.autograd.graph
    with graph.disable_saved_tensors_hooks("none here"):
        with pytest.raises(RuntimeError, match="none here"), graph.save_on_cpu():
            pass
    with graph.save_on_cpu():
        pass
    t = torch.ones(2)
    before = t._version
    graph.increment_version(t)
    graph.increment_version([t])
    assert t._version == before + 2


def test_what_custom_functions_hand_back():
    class Function(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, mark):
            if mark is not None:
                ctx.mark_dirty(mark)
            return x, x.argmax()

        @staticmethod
        def backward(ctx, g, indices):
            assert indices.dtype == torch.int64
            return g * 2, None

    x = torch.ones(2, requires_grad=True)
    with torch.no_grad():
        y, _ = Function.apply(x, None)
    assert not y.requires_grad
    assert x.requires_grad
    Function.apply(x, None)[0].sum().backward()
    assert x.grad.tolist() == [2.0, 2.0]
    with pytest.raises(RuntimeError, match="marked as dirty"):
        Function.apply(x, torch.ones(1))
    with pytest.warns(DeprecationWarning, match="instantiated"):
        made = Function()
    with pytest.raises(RuntimeError, match="Legacy autograd function"):
        made(x)


def test_dual_tensors():
    ad = torch.autograd.forward_ad
    x, t = torch.tensor([1.0, 2.0]), torch.tensor([1.0, -1.0])
    with ad.dual_level() as level:
        assert level == 0
        dual = ad.make_dual(x, t)
        assert ad.unpack_dual(dual).tangent is t
        primal, tangent = ad.unpack_dual(dual**3)
        assert primal.tolist() == [1.0, 8.0]
        assert tangent.tolist() == [3.0, -12.0]
        assert not tangent.requires_grad
        assert ad.unpack_dual((dual * ad.make_dual(x, x)).sum()).tangent == 1 + 1 - 2 + 4
        assert ad.unpack_dual(x * 2).tangent is None
        assert ad.unpack_dual(dual.detach()).tangent is None
        layer = torch.nn.Linear(2, 1)
        weight = layer.weight
        del layer.weight
        layer.weight = ad.make_dual(weight, torch.ones(1, 2))
        assert ad.unpack_dual(layer(x)).tangent == 3
        with pytest.raises(RuntimeError, match="different size"):
            ad.make_dual(x, t[:1])
        with pytest.raises(ValueError, match="floating point or complex"):
            ad.make_dual(torch.arange(2), t)
        with pytest.raises(RuntimeError, match="Nested"):
            ad.enter_dual_level()
    assert ad.unpack_dual(dual).tangent is None
    with pytest.raises(RuntimeError, match="no level exists"):
        ad.make_dual(x, t)


def test_variable_of_old_code():
    Variable = torch.autograd.Variable
    x = torch.ones(2)
    v = Variable(x, requires_grad=True)
    assert v.requires_grad and not x.requires_grad and v.data_ptr() == x.data_ptr()
    assert isinstance(x, Variable) and not isinstance(3, Variable)
    assert Variable(v * 2).grad_fn is None
    with pytest.raises(TypeError, match="Variable data has to be a tensor, but got int"):
        Variable(3)
    with pytest.warns(UserWarning, match="volatile was removed"):
        assert not Variable(x, volatile=True).requires_grad
    with pytest.raises(ValueError, match="can't be volatile and require_grad"):
        Variable(x, requires_grad=True, volatile=True)


def test_saved_variables_of_old_code():
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            with pytest.warns(DeprecationWarning, match="'saved_variables' is deprecated"):
                (x,) = ctx.saved_variables
            return g * 2 + 0 * x

    x = torch.ones(2, requires_grad=True)
    Twice.apply(x).sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_names_without_effect():
    graph = torch.autograd.graph
    before = graph.set_warn_on_accumulate_grad_stream_mismatch(True)
    assert before is None
    with torch.autograd.enforce_grad_layout_policy(False):
        x = leaf(2)
        x.sum().backward()
    y = x.exp()
    z = y.exp()
    assert z.grad_fn._sequence_nr() > y.grad_fn._sequence_nr()
    with pytest.raises(TypeError, match="expects a float"), graph.region_activation_memory_budget("a"):
        pass
    with pytest.raises(ValueError, match="must be in"), graph.region_activation_memory_budget(2.0):
        pass


def test_gradients_of_pairs_that_lie_anywhere():
    x = torch.randn(3, dtype=torch.complex64, requires_grad=True)
    a = torch.randn(1, requires_grad=True)
    if CANDIDATE != "torch":  # PyTorch refuses a gradient that starts at an odd place
        torch.cat([a, torch.view_as_real(x).flatten()]).square().sum().backward()
        torch.testing.assert_close(x.grad, 2 * x.detach())
    z = torch.randn(2, 1, dtype=torch.complex128, requires_grad=True)
    odd = torch.as_strided(torch.randn(4, dtype=torch.float64), (2, 1, 2), (2, 1, 1))
    (torch.view_as_real(z) * odd).sum().backward()
    torch.testing.assert_close(torch.view_as_real(z.grad), odd)
