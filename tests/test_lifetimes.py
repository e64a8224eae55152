"""What is let go of is freed, and what is kept keeps its identity."""

import gc
import threading
import weakref

import pytest

from .conftest import CANDIDATE, torch


def alive(make):
    """Whether what `make` returned is still there after the collector ran."""
    refs = [weakref.ref(o) for o in make()]
    gc.collect()
    return [r() is not None for r in refs]


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.input = x
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return 2 * g * x


def test_results_and_leaves():
    def make():
        x = torch.ones(3, requires_grad=True)
        y = x.exp() * x
        y.sum().backward()
        return x, y, x.grad

    assert alive(make) == [False] * 3


def test_graph_without_backward():
    def make():
        x = torch.ones(3, requires_grad=True)
        y = x.exp()
        z = (y * x).sum()
        return x, y, z

    assert alive(make) == [False] * 3


def test_custom_function():
    def make():
        x = torch.ones(3, requires_grad=True)
        y = Square.apply(x)
        z = Square.apply(y).sum()
        z.backward()
        return x, y, z

    assert alive(make) == [False] * 3


@pytest.mark.skipif(CANDIDATE == "torch", reason="PyTorch keeps what an attribute ties to its own history")
def test_attribute_cycles():
    def make():
        x = torch.ones(3, requires_grad=True)
        x.me = x
        y = x * 2
        x.result = y
        return x, y

    assert alive(make)[0] is False


def test_double_backward():
    def make():
        x = torch.ones(3, requires_grad=True)
        (g,) = torch.autograd.grad((x**3).sum(), x, create_graph=True)
        (h,) = torch.autograd.grad(g.sum(), x)
        return x, g, h

    assert alive(make) == [False] * 3


def test_views_and_in_place():
    def make():
        x = torch.ones(4, requires_grad=True)
        y = x * 1
        v = y[1:3]
        v.mul_(2)
        y.sum().backward()
        return x, y, v

    assert alive(make) == [False] * 3


def test_hooks_die_with_their_tensor():
    class Mark:
        pass

    def make():
        mark = Mark()
        x = torch.ones(3, requires_grad=True)
        x.register_hook(lambda g, mark=mark: None)
        y = x * 2
        y.register_hook(lambda g, mark=mark: None)
        y.grad_fn.register_hook(lambda a, b, mark=mark: None)
        y.sum().backward()
        return (mark,)

    assert alive(make) == [False]


def test_memory_does_not_grow():
    if not hasattr(torch._C, "_memory_stats"):
        pytest.skip("rushlight's own counter")

    def step():
        x = torch.ones(1000, requires_grad=True)
        (Square.apply(x).exp() * x)[3:].sum().backward()

    step()
    gc.collect()
    before = torch._C._memory_stats()["allocated"]
    for _ in range(50):
        step()
    gc.collect()
    assert torch._C._memory_stats()["allocated"] <= before


def test_identity_and_attributes_survive():
    x = torch.ones(2, requires_grad=True)
    x.sum().backward()
    g = x.grad
    g.note = "kept"
    address = id(g)
    del g
    gc.collect()
    assert id(x.grad) == address and x.grad.note == "kept" and x.grad is x.grad
    m = torch.nn.Linear(2, 2)
    assert m.weight is m.weight
    m(torch.ones(1, 2)).sum().backward()
    assert m.weight.grad is m.weight.grad


def test_saved_tensor_is_the_same_object():
    class F(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * 2

        @staticmethod
        def backward(ctx, g):
            assert ctx.saved_tensors[0] is x
            return g * 2

    x = torch.ones(2, requires_grad=True)
    x.mark = 1
    F.apply(x).sum().backward()


def test_leaf_gradients_are_not_shared():
    a, b = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    (a + b).backward(torch.ones(2))
    a.grad.add_(5)
    assert b.grad.tolist() == [1, 1]


def test_threads_share_a_graph():
    """Several backwards at once through the same nodes, while kernels and hooks let other threads run."""
    w = torch.ones(300, 300, requires_grad=True)
    shared = (w * 0.001) @ w
    shared.register_hook(lambda g: g * 1)
    errors, found = [], []

    def work():
        try:
            for _ in range(5):
                (g,) = torch.autograd.grad((shared * 1).sum(), w, retain_graph=True)
                found.append(g[0, 0].item())
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not errors and len(found) == 20 and max(found) - min(found) < 1e-4


def test_graph_made_in_two_threads():
    x = torch.ones(2, requires_grad=True)
    box = [x]

    def extend():
        for _ in range(50):
            box[0] = box[0] * 1.0

    for _ in range(4):
        t = threading.Thread(target=extend)
        t.start()
        t.join()
        extend()
    assert torch.autograd.grad(box[0].sum(), x)[0].tolist() == [1, 1]


def test_long_chain_of_functions():
    y = x = torch.ones(1, requires_grad=True)
    for _ in range(20_000):
        y = Square.apply(y)
    y.backward()
    assert x.grad is not None
    del y


class Mark:
    """Called as a hook, it does nothing; what it refers to are its attributes."""

    def __call__(self, *args):
        return None


class KeepsOutput(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, mark):
        ctx.result = x.exp()
        ctx.mark = mark
        return ctx.result

    @staticmethod
    def backward(ctx, g):
        return g * ctx.result, None


def hooked(where):
    """A hook that refers to the tensor, or to the node, that it is on."""
    x = torch.ones(3, requires_grad=True)
    mark = Mark()
    if where == "leaf":
        x.register_hook(mark)
        (x * 2).sum().backward()
        mark.owner = x
    elif where == "node":
        y = x * 2
        y.grad_fn.register_hook(mark)
        mark.owner = y.grad_fn
    elif where == "node of a tensor":
        y = x * 2
        y.register_hook(mark)
        mark.owner = y.grad_fn
    elif where == "context":
        mark.owner = KeepsOutput.apply(x, mark)
        mark.owner.sum().backward()
    elif where == "result":
        mark.owner = x * 2
        mark.handle = mark.owner.register_hook(mark)
    elif where == "after accumulation":
        x.register_post_accumulate_grad_hook(mark)
        mark.owner = x
    return (mark,)


@pytest.mark.parametrize("where", ["leaf", "node", "node of a tensor", "context"])
def test_hooks_on_what_they_refer_to(where):
    assert alive(lambda: hooked(where)) == [False]


@pytest.mark.skipif(CANDIDATE == "torch", reason="PyTorch keeps these")
@pytest.mark.parametrize("where", ["result", "after accumulation"])
def test_more_hooks_on_what_they_refer_to(where):
    assert alive(lambda: hooked(where)) == [False]


def test_handles_keep_nothing():
    handles = []

    def make():
        x = torch.ones(2, requires_grad=True)
        y, z = x * 2, x * 3
        marks = Mark(), Mark(), Mark()
        handles.append(y.register_hook(marks[0]))
        handles.append(x.register_hook(marks[1]))
        handles.append(torch.autograd.graph.register_multi_grad_hook((y, z), marks[2], mode="any"))
        return x, y, z, *marks

    assert alive(make) == [False] * 6
    for handle in handles:
        handle.remove()


def test_hook_on_several_gradients_keeps_nothing():
    def make():
        x = torch.ones(2, requires_grad=True)
        y, z = x * 2, x * 3
        mark = Mark()
        torch.autograd.graph.register_multi_grad_hook((y, z), mark)
        (y + z).sum().backward()
        return x, y, z, mark

    assert alive(make) == [False] * 4


def test_a_removed_hook_is_let_go():
    x = torch.ones(2, requires_grad=True)
    mark = Mark()
    ref = weakref.ref(mark)
    handle = x.register_hook(mark)
    del mark
    assert ref() is not None
    handle.remove()
    assert ref() is None
