"""What the binding is handed that is wrong, huge or lies about itself: an error, and never memory that is no tensor's."""

import ctypes

import numpy as np
import pytest

from .conftest import CANDIDATE, torch

F = torch.nn.functional
HUGE = 2**62


class Lying:
    """A sequence that says one length and has another."""

    def __init__(self, said, items):
        self.said, self.items = said, items

    def __len__(self):
        return self.said

    def __getitem__(self, i):
        return self.items[i]


class Index:
    def __init__(self, value):
        self.value = value

    def __index__(self):
        return self.value


@pytest.mark.parametrize("said", [2, 10**6])
@pytest.mark.parametrize("nested", [False, True])
def test_sequences_that_lie_about_their_length(said, nested):
    data = Lying(said, range(1000))
    with pytest.raises((ValueError, IndexError)):
        torch.tensor([data] if nested else data)


@pytest.mark.skipif(CANDIDATE == "torch", reason="PyTorch crashes")
def test_a_list_that_changes_while_it_is_read():
    class Clearing(Index):
        def __index__(self):
            sizes.clear()
            return 2

    sizes = [Clearing(2), 3, 4]
    assert torch.zeros(sizes).shape == (2,)


@pytest.mark.parametrize("value", [Index(2**70), Index(-(2**70)), np.uint64(2**63)], ids=["int", "negative", "numpy"])
def test_numbers_beyond_64_bits(value):
    x = torch.arange(3.0)
    for call in (
        lambda: x.narrow(0, value, 1),
        lambda: x[value],
        lambda: torch.zeros(value),
        lambda: torch.Size([int(value) * 2]),
        lambda: torch.Size([value]),
    ):
        with pytest.raises((ValueError, TypeError)):
            call()
    at = int(value.__index__())
    assert x[:value].tolist() == x.tolist()[:at]
    assert x[value:].tolist() == x.tolist()[at:]


@pytest.mark.parametrize("sizes", [(HUGE,), (HUGE // 2,), (HUGE, 4), (HUGE, HUGE)])
def test_resize_beyond_memory(sizes):
    for x in (torch.ones(3), torch.ones(4)[1:]):
        with pytest.raises((RuntimeError, MemoryError)):
            x.resize_(sizes)
        assert x.tolist() == [1.0, 1.0, 1.0]


def test_frombuffer_beyond_the_buffer():
    data = bytearray(8)
    with pytest.raises((ValueError, RuntimeError)):
        torch.frombuffer(data, dtype=torch.float32, count=HUGE)
    with pytest.raises(TypeError):
        torch.frombuffer(data)


def test_more_dimensions_than_there_are():
    if CANDIDATE == "torch":
        pytest.skip("PyTorch counts on")
    for call in (
        lambda: torch.ones(1).as_strided([1] * 300, [0] * 300),
        lambda: torch.ones(1).view([1] * 65),
        lambda: torch.ones(1).expand([1] * 257),
    ):
        with pytest.raises(RuntimeError, match="at most 64 dimensions"):
            call()


def test_empty_tensors_of_huge_sizes():
    assert torch.empty(HUGE, 0).flatten().shape == (0,)


def test_counts_that_overflow():
    top = torch.tensor([2**63 - 1])
    for call in (
        lambda: torch.bincount(top),
        lambda: F.one_hot(top),
        lambda: torch.tensor(1.0).index_select(0, torch.zeros(1000, dtype=torch.int64)),
    ):
        with pytest.raises(RuntimeError):
            call()
    if CANDIDATE != "torch":  # which crashes
        with pytest.raises(RuntimeError):
            torch.repeat_interleave(torch.tensor([HUGE, HUGE, HUGE, HUGE + 2]))


@pytest.mark.parametrize(
    "options",
    [{"padding": 2**63 - 1}, {"padding": HUGE}, {"dilation": 2**63 - 1}, {"dilation": HUGE, "padding": "same"}],
)
def test_convolutions_that_reach_too_far(options):
    with pytest.raises(RuntimeError):
        F.conv1d(torch.ones(1, 1, 4), torch.ones(1, 1, 4), **options)


def test_transposed_convolutions_that_reach_too_far():
    for options in ({"stride": HUGE}, {"padding": HUGE}, {"stride": HUGE + 1, "output_padding": HUGE}):
        with pytest.raises(RuntimeError):
            F.conv_transpose1d(torch.ones(1, 1, 5), torch.ones(1, 1, 3), **options)


def test_a_convolution_with_one_step():
    x = torch.arange(16.0).reshape(1, 1, 4, 4).requires_grad_()
    F.conv2d(x, torch.ones(1, 1, 3, 3), stride=(2**33, 2**40)).sum().backward()
    assert x.grad.sum() == 9


def test_arrays_keep_the_memory_they_share():
    x = torch.ones(1000)
    a = x.numpy()
    with pytest.raises(RuntimeError, match="not resizable"):
        x.resize_(10**6)
    x.data = torch.zeros(3)
    others = [torch.zeros(1000) for _ in range(50)]
    assert a.sum() == 1000
    y = torch.ones(1000)
    b = y.numpy()
    y.set_(torch.zeros(3))
    others += [torch.zeros(1000) for _ in range(50)]
    assert b.sum() == 1000 and sum(o.sum() for o in others) == 0
    if CANDIDATE != "torch":
        z = torch.ones(4)
        del a, b
        memoryview(z).release()
        assert z.resize_(10**6).shape == (10**6,)  # what was given back may move again
        c = np.from_dlpack(y)
        y.set_()
        others += [torch.ones(3) for _ in range(50)]
        assert c.sum() == 0


@pytest.mark.skipif(CANDIDATE == "torch", reason="PyTorch's tensors are no buffers")
def test_buffers_have_the_order_that_is_asked_for():
    class View(ctypes.Structure):
        _fields_ = [("room", ctypes.c_char * 128)]

    def fits(t, flags):
        view = View()
        try:
            ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(t), ctypes.byref(view), flags)
        except BufferError:
            return False
        ctypes.pythonapi.PyBuffer_Release(ctypes.byref(view))
        return True

    strides, by_rows, by_columns, either = 0x18, 0x38, 0x58, 0x98
    turned = torch.ones(2, 3).t()
    assert fits(turned, strides) and not fits(turned, by_rows) and not fits(turned, either) and not fits(turned, 0)
    plain = torch.ones(2, 3)
    assert fits(plain, by_rows) and fits(plain, either) and not fits(plain, by_columns)
    assert fits(torch.ones(3), by_columns)


def test_arguments_of_the_wrong_type():
    x = torch.ones(2, 3)
    for call in (
        lambda: x.to(other=5),
        lambda: x.to(memory_format=5),
        lambda: x.double(memory_format=5),
        lambda: x.size(axis=0),
        lambda: x.size(0, 1),
        lambda: x.stride("a"),
        lambda: torch.fft.fft(x, out=5),
        lambda: torch.linalg.eigh(torch.eye(2), out=(torch.ones(2),)),
    ):
        with pytest.raises(TypeError):
            call()
    assert x.stride(dim=0) == 3 and x.size(dim=1) == 3 and x.size(None) == (2, 3)
    with pytest.raises(IndexError):
        torch.ones(()).stride(0)


def test_names_that_are_no_utf8():
    x = torch.ones(2, requires_grad=True)
    name = "\ud800"
    for call in (lambda: x.to(**{name: 1}), lambda: x.sum().backward(**{name: 1}), lambda: x.sum(**{name: 1})):
        with pytest.raises((TypeError, UnicodeError, RuntimeError)):
            call()
    with pytest.raises((AttributeError, UnicodeError)):
        getattr(x.sum().grad_fn, name)


@pytest.mark.parametrize("wrong", [5, torch.ones(7), torch.ones(10, 4, dtype=torch.float64)], ids=str)
def test_hooks_must_keep_the_gradients_shape_and_dtype(wrong):
    for register in ("register_prehook", "register_hook"):
        x = torch.ones(10, 4, requires_grad=True)
        y = torch.softmax(x, 1)
        getattr(y.grad_fn, register)(lambda *_: (wrong,))
        with pytest.raises((TypeError, RuntimeError)):
            y.sum().backward()


def test_out_of_the_wrong_dtype_or_ignored():
    x = torch.tensor([[1.0, 2.0], [4.0, 3.0]])
    for out in (
        (torch.empty(2), torch.empty(2, dtype=torch.int32)),
        (torch.empty(2, dtype=torch.float64), torch.empty(2, dtype=torch.int64)),
    ):
        with pytest.raises(RuntimeError):
            torch.max(x, 1, out=out)
    U, S, V = torch.empty(0), torch.empty(0), torch.empty(0)
    torch.svd(x, out=(U, S, V))
    torch.testing.assert_close(U @ torch.diag(S) @ V.T, x)


def test_data_of_another_shape_after_it_was_saved():
    def layer_norm(x):
        return F.layer_norm(x, (1000,), torch.ones(1000, requires_grad=True))

    def cross_entropy(x):
        return F.cross_entropy(x, torch.zeros(100, dtype=torch.int64))

    for f in (layer_norm, cross_entropy, lambda x: F.group_norm(x, 10), lambda x: x * x, lambda x: x.norm()):
        x = torch.ones(100, 1000, requires_grad=True)
        y = f(x)
        x.data = torch.ones(5)
        with pytest.raises((RuntimeError, IndexError)):
            y.sum().backward()
    # Other data of the same shape are what backward reads then, whatever was done to them before.
    x = torch.ones(3, requires_grad=True)
    y = x * x
    x.data = torch.ones(3).add_(1)
    y.sum().backward()
    assert x.grad.tolist() == [4.0] * 3 and x._version == 0


@pytest.mark.parametrize(
    ("sizes", "strides", "expected"),
    [
        ((3, 1, 5), (1, 0, 10), (1, 3, 3)),
        ((1, 3, 1, 5), (0, 1, 0, 10), (15, 1, 3, 3)),
        ((2, 3, 4), (0, 1, 12), (12, 1, 3)),
        ((3, 4), (1, 0), (4, 1)),
        ((2, 3), (1, 1), (1, 2)),
    ],
)
def test_results_keep_the_order_of_axes(sizes, strides, expected):
    x = torch.zeros(100).as_strided(sizes, strides)
    assert torch.empty_like(x).stride() == expected and x.clone().stride() == expected
