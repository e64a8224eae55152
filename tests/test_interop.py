"""NumPy, DLPack, pickle, copy, the buffer protocol: shared memory where it is promised, equal values everywhere."""

import copy
import io
import pickle
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from .conftest import CANDIDATE, torch

DTYPES = [
    "float32",
    "float64",
    "float16",
    "int8",
    "int16",
    "int32",
    "int64",
    "uint8",
    "bool",
    "complex64",
    "complex128",
]


@pytest.mark.parametrize("name", DTYPES)
def test_numpy_both_ways(name):
    a = np.array([[0, 1, 2], [3, 4, 5]]).astype(name)
    t = torch.from_numpy(a)
    assert t.dtype == getattr(torch, name) and t.shape == (2, 3)
    back = t.numpy()
    assert back.dtype == a.dtype and (back == a).all()
    assert back.__array_interface__["data"][0] == t.data_ptr()


def test_arrays_of_a_subclass_of_ndarray(tmp_path):
    np.arange(6, dtype=np.int16).tofile(tmp_path / "numbers.bin")
    mapped = np.memmap(tmp_path / "numbers.bin", dtype=np.int16, mode="r+")
    t = torch.from_numpy(mapped[1:4])
    assert t.tolist() == [1, 2, 3] and t.dtype == torch.int16
    t[0] = 9
    assert mapped[1] == 9
    assert torch.from_numpy(mapped[:2].astype(np.int64)).tolist() == [0, 9]  # still an np.memmap
    for wrong in ([1, 2], np.float32(3), torch.ones(1), memoryview(b"12")):
        with pytest.raises(TypeError, match="expected np.ndarray"):
            torch.from_numpy(wrong)


def test_memory_is_shared():
    a = np.zeros((2, 2))
    t = torch.from_numpy(a)
    t[0, 0] = 5
    a[1, 1] = 7
    assert a[0, 0] == 5 and t[1, 1] == 7
    n = t.numpy()
    n[0, 1] = 3
    assert a[0, 1] == 3
    c = torch.tensor(a)
    c[0, 0] = -1
    assert a[0, 0] == 5
    s = torch.as_tensor(a)
    s[0, 0] = -1
    assert a[0, 0] == -1


def test_strided_arrays():
    a = np.arange(24).reshape(4, 6)
    t = torch.from_numpy(a[::2, 1:5:2])
    assert t.tolist() == a[::2, 1:5:2].tolist()
    assert torch.from_numpy(a.T).stride() == (1, 6)
    assert torch.arange(6).reshape(2, 3).T.numpy().tolist() == [[0, 3], [1, 4], [2, 5]]
    with pytest.raises(ValueError, match="negative"):
        torch.from_numpy(a[::-1])


def test_array_outlives_tensor_and_tensor_outlives_array():
    n = torch.arange(1000).numpy()
    t = torch.from_numpy(np.arange(1000))
    junk = [torch.zeros(1000) for _ in range(50)]
    assert n.sum() == 499500 and t.sum() == 499500 and len(junk) == 50


def test_numpy_functions_take_tensors():
    t = torch.tensor([1.0, 4.0])
    assert np.sqrt(t.numpy()).tolist() == [1, 2]
    assert np.asarray(t).dtype == np.float32
    assert np.array(t).tolist() == [1, 4]
    assert np.asarray(t, dtype=np.float64).dtype == np.float64
    assert np.stack([t, t]).shape == (2, 2)


def test_operators_with_arrays():
    t, n = torch.tensor([1.0, 2.0]), np.array([1.0, 4.0])
    assert (n / t).tolist() == [1, 2] and (t / n).tolist() == [1, 0.5] and (t - n).tolist() == [0, -2]
    assert (t == n).tolist() == [True, False] == (n == t).tolist()
    assert (t == np.ones((2, 2))).shape == (2, 2) and t != n
    assert (t == np.array(["a", "b"])) is False and (t == [1.0, 2.0]) is False
    with pytest.raises(RuntimeError, match="must match the size"):
        t == np.ones(3)
    with pytest.raises(TypeError):
        pow(t, 2, 3)


def test_numpy_scalars():
    t = torch.tensor([1.0, 2.0])
    assert (t * np.float64(2)).dtype == torch.float32
    assert (t + np.float32(1)).tolist() == [2, 3]
    assert torch.tensor(np.float64(1.5)).dtype == torch.float64
    assert torch.tensor(np.int32(3)).dtype == torch.int32
    assert torch.tensor([np.float32(1.5)]).tolist() == [1.5]
    assert torch.tensor(np.arange(3)).dtype == torch.int64


def test_grad_must_be_detached():
    t = torch.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="detach"):
        t.numpy()
    assert t.detach().numpy().tolist() == [1, 1]
    assert t.numpy(force=True).tolist() == [1, 1]


@pytest.mark.parametrize("name", [d for d in DTYPES if d != "bool"])
def test_dlpack(name):
    t = torch.arange(6).to(getattr(torch, name)).reshape(2, 3)
    u = torch.from_dlpack(t)
    assert u.dtype == t.dtype and u.tolist() == t.tolist()
    assert u.data_ptr() == t.data_ptr()
    n = np.from_dlpack(t)
    assert n.tolist() == t.tolist()
    v = torch.from_dlpack(np.arange(6, dtype=name if name != "bfloat16" else "float32"))
    assert v.tolist() == list(range(6))
    assert t.__dlpack_device__()[0] == 1


def test_dlpack_keeps_memory_alive():
    n = np.from_dlpack(torch.arange(1000).clone())
    junk = [torch.zeros(1000) for _ in range(50)]
    assert n.sum() == 499500 and len(junk) == 50


def round_trip(x):
    return pickle.loads(pickle.dumps(x))


@pytest.mark.parametrize("make", [round_trip, copy.deepcopy], ids=["pickle", "deepcopy"])
class TestCopies:
    @pytest.mark.parametrize("name", [*DTYPES, "bfloat16"])
    def test_dtypes(self, make, name):
        t = torch.tensor([0, 1, 2]).to(getattr(torch, name))
        u = make(t)
        assert u.dtype == t.dtype and torch.equal(u, t)
        assert u.data_ptr() != t.data_ptr()

    def test_strides_and_grad(self, make):
        t = torch.arange(6.0).reshape(2, 3).T
        assert make(t).stride() == t.stride() and torch.equal(make(t), t)
        x = torch.ones(2, requires_grad=True)
        assert make(x).requires_grad and make(x).is_leaf

    def test_shapes(self, make):
        for shape in ((), (0,), (2, 0), (1, 1)):
            assert make(torch.zeros(shape)).shape == shape

    def test_parameter(self, make):
        p = torch.nn.Parameter(torch.ones(2))
        q = make(p)
        assert isinstance(q, torch.nn.Parameter) and q.requires_grad and torch.equal(p, q)

    def test_module(self, make):
        m = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
        n = make(m)
        x = torch.rand(4, 2)
        assert torch.equal(m(x), n(x))
        assert n[0].weight is not m[0].weight

    def test_things(self, make):
        for thing in (torch.float32, torch.device("cpu"), torch.Size([1, 2]), torch.strided):
            assert make(thing) == thing


def test_deepcopy_of_a_non_leaf():
    with pytest.raises(RuntimeError, match="leaf|graph leaves"):
        copy.deepcopy(torch.ones(2, requires_grad=True) * 2)


def test_deepcopy_keeps_sharing():
    x = torch.ones(2)
    a, b = copy.deepcopy([x, x])
    assert a is b


def test_shallow_copy_shares():
    x = torch.ones(2)
    y = copy.copy(x)
    y[0] = 5
    assert x[0] == 5


def test_tolist_and_item():
    assert torch.tensor([[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]]
    assert type(torch.tensor(1).item()) is int
    assert type(torch.tensor(1.0).item()) is float
    assert type(torch.tensor(True).item()) is bool
    assert type(torch.tensor(1j).item()) is complex
    assert torch.tensor(2.5).tolist() == 2.5
    assert int(torch.tensor(3)) == 3 and float(torch.tensor([2.5])) == 2.5 and bool(torch.tensor(1))
    assert range(5)[torch.tensor(3)] == 3


def test_frombuffer():
    raw = bytearray(np.arange(4, dtype=np.float32).tobytes())
    t = torch.frombuffer(raw, dtype=torch.float32)
    t[0] = 9
    assert np.frombuffer(raw, dtype=np.float32)[0] == 9
    assert torch.frombuffer(raw, dtype=torch.float32, offset=4, count=2).tolist() == [1, 2]


def test_attributes_weakrefs_and_identity():
    import weakref

    x = torch.ones(2)
    x.note = "kept"
    assert x.note == "kept"
    assert weakref.ref(x)() is x
    assert {x: 1}[x] == 1 and hash(x) == hash(x)
    y = x * 1
    assert y is not x and (x == y).all()


def test_subclass():
    class Mine(torch.Tensor):
        pass

    m = torch.ones(2).as_subclass(Mine)
    assert isinstance(m, Mine) and isinstance(m, torch.Tensor)


def test_bytes_of_a_pickle_file():
    f = io.BytesIO()
    pickle.dump({"w": torch.arange(3)}, f)
    f.seek(0)
    assert pickle.load(f)["w"].tolist() == [0, 1, 2]


@pytest.mark.skipif(CANDIDATE == "torch" or not sys.platform.startswith("linux"), reason="rushlight's own ELF file")
def test_leaves_room_for_other_libraries():
    """What lies in static thread-local storage comes out of a reserve of some 1.6 kB that all loaded libraries share."""
    image = Path(torch._C.__file__).read_bytes()
    (table,) = struct.unpack_from("<Q", image, 32)
    size, count = struct.unpack_from("<HH", image, 54)
    headers = [struct.unpack_from("<IIQQQQQQ", image, table + i * size) for i in range(count)]
    (memory,) = (header[6] for header in headers if header[0] == 7)  # PT_TLS
    assert memory <= 1100
