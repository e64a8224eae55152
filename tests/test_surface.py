"""What is not an operation: seeds, legacy types, storages, devices that are not there, subclasses, assert_close."""

import copy
import pickle
import sys

import numpy as np
import pytest

from .conftest import CANDIDATE, torch


def test_versions_compare_by_number():
    assert torch.__version__ >= (1, 8) and torch.__version__ > "2.9" and torch.__version__ < "10"
    assert torch.version.cuda is None or CANDIDATE == "torch"


def test_legacy_types():
    assert torch.FloatTensor(2, 3).shape == (2, 3) and torch.LongTensor([1, 2]).dtype == torch.int64
    assert isinstance(torch.ones(1), torch.FloatTensor) and not isinstance(torch.ones(1), torch.LongTensor)
    assert torch.ones(1).type(torch.DoubleTensor).dtype == torch.float64
    assert torch.ones(1).type("torch.LongTensor").type() == "torch.LongTensor"
    with pytest.raises(ValueError, match="invalid type"):
        torch.ones(1).type("foo")


def test_legacy_types_take_arrays():
    singles, doubles = np.arange(3, dtype=np.float32), np.arange(4.0).reshape(2, 2) + 0.5
    for make in (torch.Tensor, torch.FloatTensor, torch.ones(1).new):
        assert make(doubles).tolist() == doubles.tolist() and make(doubles).dtype == torch.float32
        made = make(singles)
        made[0] = 7  # the memory of an array of that dtype is shared
        assert singles[0] == 7
        singles[0] = 0
    assert torch.LongTensor(doubles).tolist() == [[0, 1], [2, 3]]
    assert torch.LongTensor(np.arange(2, dtype=np.int32)).tolist() == [0, 1]
    assert torch.ByteTensor(np.array([True, False])).tolist() == [1, 0]
    assert torch.BoolTensor(np.array([1, 0])).dtype == torch.bool
    assert torch.Tensor(np.zeros((0, 3))).shape == (0, 3) and torch.Tensor([np.ones(2), np.zeros(2)]).shape == (2, 2)
    # What has no dimensions and is whole is a size.
    assert torch.FloatTensor(np.int64(3)).shape == torch.Tensor(np.array(3)).shape == (3,)
    assert torch.Tensor(np.array(3.5)).tolist() == 3.5 and torch.Tensor(np.int32(2), 3).shape == (2, 3)
    assert torch.LongTensor(range(3)).tolist() == [0, 1, 2] and torch.FloatTensor().shape == (0,)
    for wrong in ({1, 2}, "ab", None, 2.5, np.array(["a"]), iter([1])):
        with pytest.raises(TypeError):
            torch.FloatTensor(wrong)
    with pytest.raises(TypeError):
        torch.LongTensor(torch.ones(2))


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_factors_may_stand_before_their_tensors():
    x, y, z = torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]), torch.tensor([5.0, 8.0])
    a, b = torch.arange(4.0).reshape(2, 2), torch.eye(2) + 1
    for old, new in (
        (x.clone().add_(-0.5, y), x - 0.5 * y),
        (x.add(2, y), x + 2 * y),
        (torch.add(x, 2, y), x + 2 * y),
        (torch.sub(x, 2, y), x - 2 * y),
        (x.clone().mul_(0.9).addcmul_(0.1, y, y), 0.9 * x + 0.1 * y * y),
        (x.clone().addcdiv_(-2, y, z), x - 2 * y / z),
        (torch.addcmul(x, 2, y, z, out=torch.empty(2)), x + 2 * y * z),
        (torch.addmm(0.5, a, 2, b, b), 0.5 * a + 2 * b @ b),
        (torch.addmm(0.5, a, b, b), 0.5 * a + b @ b),
        (a.clone().addmm_(0.5, 2, b, b), 0.5 * a + 2 * b @ b),
        (a.addmm(0.5, b, b), 0.5 * a + b @ b),
        (torch.addmv(0.5, x, b, y), 0.5 * x + b @ y),
        (torch.addr(0.5, a, x, y), 0.5 * a + x[:, None] * y),
        (torch.baddbmm(0.5, a[None], b[None], b[None]), (0.5 * a + b @ b)[None]),
    ):
        assert torch.allclose(old, new)
    p = torch.ones(2, requires_grad=True)
    p.mul(1).add(3, p).sum().backward()
    assert p.grad.tolist() == [4, 4]
    for wrong in (lambda: x.add(y, 2), lambda: x.add(2, 3, y), lambda: x.mul(2, y), lambda: torch.add(2, x, y)):
        with pytest.raises(TypeError):
            wrong()


def test_deprecated_orders_warn():
    with pytest.warns(UserWarning, match="deprecated"):
        torch.ones(1).add(2, torch.ones(1))


def test_storages_are_shared_by_views():
    x = torch.arange(6.0)
    y = x[2:].reshape(2, 2)
    assert x.untyped_storage().data_ptr() == y.untyped_storage().data_ptr()
    assert x.untyped_storage().nbytes() == 24 and len(y.storage()) == 6
    y.storage()[0] = 9
    assert x[0] == 9
    assert sys.getsizeof(x.untyped_storage()) >= 24 and sys.getsizeof(torch.ones(1000).storage()) > 4000
    a, b = copy.deepcopy([x, y])
    b[0, 0] = -1
    assert a[2] == -1 and x[2] == 2
    if CANDIDATE != "torch":
        c, d = pickle.loads(pickle.dumps([x, x.view(2, 3)]))
        d[0, 0] = 7
        assert c[0] == 7


def test_a_small_part_makes_a_small_pickle():
    if CANDIDATE != "torch":
        assert len(pickle.dumps(torch.zeros(100_000)[:3])) < 1000


def test_no_other_device():
    if CANDIDATE == "torch":
        pytest.skip("depends on the machine")
    assert not torch.cuda.is_available() and torch.cuda.device_count() == 0
    assert not torch.backends.mps.is_available() and not torch.backends.cudnn.is_available()
    torch.cuda.manual_seed_all(1)
    with pytest.raises(AssertionError, match="not compiled with CUDA"):
        torch.ones(1).to("cuda")


def test_results_take_the_subclass():
    class Mine(torch.Tensor):
        pass

    m = torch.ones(2, 3).as_subclass(Mine)
    for result in (m + 1, 1 - m, -m, m[0], m.T, m.sum(), torch.cat([m, m]), m.max(0).values, m.double()):
        assert type(result) is Mine
    assert type(torch.nn.Parameter(torch.ones(1)) * 2) is torch.Tensor
    x = torch.ones(2, requires_grad=True)
    (x.as_subclass(Mine) * 2).sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_torch_function():
    seen = []

    class Logged(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            seen.append(func.__name__)
            return super().__torch_function__(func, types, args, kwargs or {})

    class Other:
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            return func.__name__

    x = torch.ones(2).as_subclass(Logged)
    assert type(torch.add(x, 1)) is Logged and type(x * 2) is Logged
    assert seen == ["add", "mul"]
    assert torch.add(Other(), 1) == "add"


def test_assert_close():
    close = torch.testing.assert_close
    close(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.000001]))
    close({"a": [1.0, None]}, {"a": [1.0, None]})
    with pytest.raises(AssertionError, match=r"Mismatched elements: 1 / 2 \(50.0%\)"):
        close(torch.tensor([1, 2]), torch.tensor([1, 3]))
    with pytest.raises(AssertionError, match="dtype"):
        close(torch.ones(1), torch.ones(1, dtype=torch.float64))
    with pytest.raises(AssertionError, match=r"item \['a'\]\[0\]"):
        close({"a": [1.0]}, {"a": [2.0]})


def test_methods_written_in_python_are_on_the_class():
    import rushlight as own
    from rushlight import _composite, _tensor_methods

    for name in _composite.NAMES:
        _composite._load(name)
    expected = {name for name, c in _composite.REGISTRY.items() if c.method} | set(_tensor_methods.METHODS)
    assert {n for n in expected if not n.startswith("_")} - {"grad_dtype"} <= set(dir(own.Tensor))
    assert callable(own.Tensor.quantile)
