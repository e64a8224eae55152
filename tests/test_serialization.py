"""save and load: files of PyTorch's, round trips, sharing, places, refusals, and what a crash leaves."""

import argparse
import collections
import copy
import datetime
import enum
import io
import os
import pathlib
import pickle
import stat
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import numpy as np
import pytest

import rushlight as torch
from rushlight.serialization import _archive

FILES = Path(__file__).parent / "golden" / "files"
DTYPES = "uint8 int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128 bool".split()


def saved(thing, **options):
    file = io.BytesIO()
    torch.save(thing, file, **options)
    file.seek(0)
    return file


def through(thing, load=None, **options):
    return torch.load(saved(thing, **options), **(load or {}))


def same_memory(a, b):
    return a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr()


# ---- files of PyTorch's -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tensors", "tensors_legacy"])
def test_tensors_of_pytorch(name):
    got = torch.load(FILES / f"{name}.pth")
    for dtype in DTYPES:
        assert torch.equal(got["dtypes"][dtype], torch.tensor([0, 1, 2]).to(getattr(torch, dtype)))
    assert torch.equal(got["base"], torch.arange(12.0)) and torch.equal(got["row"], torch.arange(4.0, 8.0))
    assert same_memory(got["base"], got["row"])
    assert got["transposed"].stride() == (1, 3) and got["transposed"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert got["expanded"].stride() == (0,) and got["expanded"].tolist() == [1, 1, 1]
    assert got["scalar"].item() == 2.5 and got["empty"].shape == (0, 3)
    assert got["requires_grad"].requires_grad
    assert isinstance(got["parameter"], torch.nn.Parameter) and not got["parameter"].requires_grad
    assert got["attribute"].note == "kept"
    assert got["conj"].tolist() == [1 - 2j]
    assert got["storage"].tolist() == [1, 2] and isinstance(got["storage"], torch.UntypedStorage)
    assert got["size"] == torch.Size([2, 3]) and isinstance(got["size"], torch.Size)
    assert got["device"] == torch.device("cuda:1") and got["dtype"] is torch.bfloat16
    assert got["function"] is torch.relu
    if "generator" in got:
        assert torch.equal(
            torch.rand(3, generator=got["generator"]), torch.rand(3, generator=torch.Generator().manual_seed(5))
        )


@pytest.mark.parametrize("name", ["data", "data_protocol5"])
def test_plain_data_of_pytorch(name):
    got = torch.load(FILES / f"{name}.pth")
    assert got["numbers"] == [0, -1, 255, 65536, 2**31, -(2**70), 1.5, float("inf"), True, None, 1 + 2j]
    assert got["text"] == ["", "ü€😀", "x" * 300, b"\x00\xff", bytearray(b"ab")]
    kinds = [set, frozenset, tuple, tuple, collections.OrderedDict, collections.Counter, collections.defaultdict]
    assert [type(c) for c in got["containers"]] == kinds
    assert got["containers"][-2:] == [{"a": 2, "b": 1}, {"a": [1]}] and got["containers"][-1]["new"] == []
    scalar, number, flag, array, fortran, words, objects, dtype = got["numpy"]
    assert (scalar, number, flag) == (2.5, -3, True) and type(scalar) is np.float32 and type(flag) is np.bool_
    assert array.dtype == np.int16 and array.tolist() == [[0, 1, 2], [3, 4, 5]] and array.flags.writeable
    assert fortran.flags.f_contiguous and words.tolist() == ["a", "bc"] and objects.tolist() == [1, "a", None]
    assert dtype == np.float32


def test_a_module_of_pytorch():
    net = torch.load(FILES / "module.pth")
    assert repr(net) == (
        "Sequential(\n  (first): Linear(in_features=3, out_features=4, bias=True)\n"
        "  (norm): LayerNorm((4,), eps=1e-05, elementwise_affine=True, bias=True)\n  (act): GELU(approximate='tanh')\n"
        "  (last): Linear(in_features=4, out_features=1, bias=False)\n)"
    )
    assert not net.training and net.last.weight.tolist() == [[4, 4.125, 4.25, 4.375]]
    net(torch.ones(2, 3)).sum().backward()
    assert net.first.weight.grad is not None
    net.register_forward_hook(lambda *call: None)
    copy.deepcopy(net).train()


def test_layers_of_pytorch():
    conv, norm, lstm, gru, attention, bag = got = torch.load(FILES / "layers.pth")
    ours = [
        torch.nn.Conv2d(1, 2, 3, padding=1),
        torch.nn.BatchNorm2d(2),
        torch.nn.LSTM(2, 3, bidirectional=True),
        torch.nn.GRU(2, 3),
        torch.nn.MultiheadAttention(4, 2),
        torch.nn.EmbeddingBag(3, 2),
    ]
    for back, layer in zip(got, ours):
        assert type(back) is type(layer) and repr(back) == repr(layer)
        assert list(back.state_dict()) == list(layer.state_dict())
        layer.load_state_dict(back.state_dict())
        for copied in (through(back), copy.deepcopy(back), pickle.loads(pickle.dumps(back))):
            assert all(torch.equal(a, b) for a, b in zip(copied.state_dict().values(), back.state_dict().values()))
    x = torch.ones(1, 1, 4, 4)
    assert torch.equal(norm(conv(x)), ours[1](ours[0](x)))
    x = torch.ones(3, 1, 2)
    assert torch.equal(lstm(x)[0], ours[2](x)[0]) and torch.equal(gru(x)[0], ours[3](x)[0])
    x = torch.ones(3, 4)
    assert torch.equal(attention(x, x, x)[0], ours[4](x, x, x)[0])
    assert torch.equal(bag(torch.tensor([[0, 2]])), ours[5](torch.tensor([[0, 2]])))


@pytest.mark.parametrize("name", ["checkpoint", "checkpoint_legacy"])
def test_a_checkpoint_of_pytorch_goes_on_training(name):
    got = torch.load(FILES / f"{name}.pth", weights_only=True)
    assert got["epoch"] == 3 and got["loss"] == 0.5
    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    net.load_state_dict(got["model_state_dict"])
    assert got["model_state_dict"]._metadata["0"] == {"version": 1}
    state = got["optimizer_state_dict"]
    assert state["param_groups"][0]["lr"] == 0.125 and state["state"][0]["step"] == 1
    optimizer = torch.optim.Adam(net.parameters(), lr=1.0)
    optimizer.load_state_dict(state)
    net(torch.ones(1, 3)).sum().backward()
    optimizer.step()
    assert optimizer.state_dict()["state"][0]["step"] == 2


def test_what_is_written_is_what_pytorch_writes():
    """The same instructions in the pickle of a checkpoint."""
    with (
        zipfile.ZipFile(FILES / "checkpoint.pth") as theirs,
        zipfile.ZipFile(saved(torch.load(FILES / "checkpoint.pth"))) as ours,
    ):
        assert opcodes(ours.read("archive/data.pkl")) == opcodes(theirs.read("checkpoint/data.pkl"))


def opcodes(data):
    """What a pickle says, without where it remembers things and how wide it writes numbers."""
    import pickletools

    short = {"BININT1": "INT", "BININT2": "INT", "BININT": "INT", "SETITEM": "SETITEMS", "APPEND": "APPENDS"}
    skipped = ("PROTO", "BINPUT", "LONG_BINPUT", "MARK", "BINGET", "LONG_BINGET")
    return [(short.get(op.name, op.name), arg) for op, arg, _ in pickletools.genops(data) if op.name not in skipped]


# ---- round trips ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("zipped", [True, False])
def test_every_dtype(dtype, zipped):
    x = torch.tensor([[0, 1], [2, 3]]).to(getattr(torch, dtype))
    y = through(x, _use_new_zipfile_serialization=zipped)
    assert y.dtype is x.dtype and torch.equal(x, y)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_layouts_and_kinds(protocol):
    image = torch.arange(24.0).reshape(1, 2, 3, 4).to(memory_format=torch.channels_last)
    special = torch.ones(2)
    special.note = {"a": 1}
    things = [
        image,
        torch.arange(6).reshape(2, 3).t(),
        torch.ones(1).expand(4),
        torch.tensor(1.0),
        torch.empty(2, 0),
        special,
    ]
    back = through(things, pickle_protocol=protocol)
    for x, y in zip(things, back):
        assert torch.equal(x, y) and x.stride() == y.stride()
    assert back[-1].note == {"a": 1}
    leaf = through(torch.nn.Parameter(torch.ones(2)))
    assert type(leaf) is torch.nn.Parameter and leaf.requires_grad and leaf.is_leaf
    assert isinstance(through(torch.nn.Buffer(torch.ones(1), persistent=False)), torch.nn.Buffer)


def test_tensors_that_share_memory_share_it_again():
    x = torch.arange(10.0)
    a, b, c = through([x[2:6], x[4:8], x[2:6].view(2, 2)])
    b.zero_()
    assert a.tolist() == [2, 3, 0, 0] and same_memory(a, c)
    assert same_memory(*through((x, x.view(2, 5))))
    one, two = through([x, x])
    assert one is two


def test_a_part_takes_only_its_own_bytes():
    big = torch.arange(1_000_000.0)
    assert len(saved(big[500_000:500_010]).getvalue()) < 3000
    assert torch.equal(through(big[500_000:500_010]), big[500_000:500_010])
    column = torch.arange(1_000_000.0).view(1000, 1000)[:, 7]
    assert len(saved({"a": column}).getvalue()) < 8000
    assert torch.equal(through(column), column)
    strided = big.view(1000, 1000)[3:5, ::2]
    assert torch.equal(through(strided), strided)
    both = through([big[:4], big[2:6]])  # what is shared stays shared, and the rest stays out
    assert same_memory(*both) and both[0].untyped_storage().nbytes() == 24
    assert through(big[5:5]).shape == (0,)
    whole = through([big[:2], big.storage()])
    assert whole[1].nbytes() == 4_000_000
    assert through(big[:4], _use_new_zipfile_serialization=False).untyped_storage().nbytes() == 16


def test_different_dtypes_over_one_memory_are_refused_as_in_pytorch():
    x = torch.ones(4)
    with pytest.raises(RuntimeError, match="view the same data as different types"):
        saved([x, x.view(torch.int32)])


def test_long_lists_of_numbers():
    draw = np.random.default_rng(0)
    losses = draw.standard_normal(5000).tolist()
    things = [losses, [*range(-300, 70_000, 7)], [1, 2.5, None, True, -(2**70)] * 100, losses, [0.5], [0.25] * 63]
    for protocol in (2, 4, 5):
        back = through(things, pickle_protocol=protocol)
        assert back == things and back[0] is back[3]
    table = {**{f"k{i}": i / 2 for i in range(50)}, "ü": None, 3: "x" * 300}
    assert through([table, table, list(table)]) == [table, table, list(table)]
    assert type(back[2][3]) is bool


Point = collections.namedtuple("Point", "x y")


class Color(enum.Enum):
    RED = 1


def test_data_of_the_standard_library_and_numpy():
    things = [
        Point(1, torch.ones(2)),
        Color.RED,
        datetime.datetime(2020, 1, 2, 3, tzinfo=datetime.timezone.utc),
        datetime.timedelta(days=1),
        pathlib.Path("/a/b"),
        argparse.Namespace(lr=0.1, layers=[1, 2]),
        collections.deque([1, 2], 5),
        range(3),
        slice(1, None),
        ...,
        float,
        {(1, "a"): {2.5: None}, frozenset({1}): b""},
        np.datetime64("2020-01-02"),
        np.random.default_rng(0).integers(0, 9, 3),
        np.zeros(2, dtype=[("a", "f4"), ("b", "i8")]),
    ]
    back = through(things)
    assert repr(back) == repr(things)
    assert type(back[0]) is Point and back[1] is Color.RED


class ByName:
    """What Python 3.11.0 to 3.11.3 writes for an attribute of an enumeration."""

    def __init__(self, name):
        self.name = name

    def __reduce_ex__(self, protocol):
        return getattr, (Color, self.name)


def test_members_of_enumerations_by_name():
    assert through([ByName("RED")])[0] is Color.RED
    with pytest.raises(pickle.UnpicklingError, match="getattr is refused"):
        through(ByName("__subclasses__"))


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleList([torch.nn.Linear(2, 3), torch.nn.Linear(3, 1)])
        self.act = torch.nn.functional.relu
        self.register_buffer("count", torch.zeros(1))
        self.register_buffer("scratch", torch.zeros(1), persistent=False)
        self.config = {"width": 3}

    def forward(self, x):
        return self.layers[1](self.act(self.layers[0](x)))


def test_whole_modules():
    net = Net()
    net.register_forward_hook  # noqa: B018
    for load in ({}, {"weights_only": False}):
        back = through(net, load)
        assert type(back) is Net and repr(back) == repr(net) and back.config == {"width": 3}
        assert torch.equal(back(torch.ones(4, 2)), net(torch.ones(4, 2)))
        assert list(back.state_dict()) == list(net.state_dict())
        back(torch.ones(1, 2)).sum().backward()
    with pytest.raises(pickle.UnpicklingError, match=r"Weights only load failed.*tests?.test_serialization.Net"):
        through(net, {"weights_only": True})
    for copied in (pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
        assert torch.equal(copied(torch.ones(4, 2)), net(torch.ones(4, 2)))
    optimizer = through(torch.optim.Adam(net.parameters(), lr=0.5))
    assert type(optimizer) is torch.optim.Adam and optimizer.param_groups[0]["lr"] == 0.5


def test_paths_and_files(tmp_path):
    x = torch.arange(5)
    for path in (tmp_path / "a.pth", str(tmp_path / "b"), os.fsencode(tmp_path / "c.pt").decode()):
        torch.save(x, path)
        assert torch.equal(torch.load(path), x)
    with zipfile.ZipFile(tmp_path / "a.pth") as archive:
        assert archive.testzip() is None
        assert archive.namelist()[0] == "a/data.pkl"
        assert all(i.header_offset >= 0 and i.compress_type == 0 for i in archive.infolist())
        assert archive.read("a/byteorder") == b"little" and archive.read("a/version") == b"3\n"
    with open(tmp_path / "d", "wb") as file:
        torch.save(x, file)
    with open(tmp_path / "d", "rb") as file:
        assert torch.equal(torch.load(file), x)
    file = io.BytesIO(b"head")
    file.seek(4)
    torch.save(x, file)
    file.seek(4)
    assert torch.equal(torch.load(file), x)

    class OnlyWrites:
        def __init__(self):
            self.got = b""

        def write(self, data):
            self.got += bytes(data)

    sink = OnlyWrites()
    torch.save(x, sink)
    assert torch.equal(torch.load(io.BytesIO(sink.got)), x)


def test_what_is_no_file():
    with pytest.raises(AttributeError, match="'write' attribute"):
        torch.save(1, 5)
    with pytest.raises(AttributeError, match="only torch.load from a file that is seekable"):
        torch.load(5)
    with pytest.raises(RuntimeError, match="Parent directory /nowhere/here does not exist"):
        torch.save(1, "/nowhere/here/x.pth")
    with pytest.raises(FileNotFoundError):
        torch.load("/nowhere/here/x.pth")
    read, write = os.pipe()
    with os.fdopen(read, "rb") as pipe, pytest.raises(AttributeError, match="seekable"):
        torch.load(pipe)
    os.close(write)
    with pytest.raises(TypeError):
        torch.load(FILES / "module.pth", map_location=3)
    with pytest.raises(TypeError, match="unexpected keyword"):
        torch.load(FILES / "module.pth", nonsense=3)


def test_records_are_aligned_and_large_sizes_are_written(monkeypatch, tmp_path):
    torch.save({"a": torch.ones(3), "b": torch.ones(100_000), "c": torch.ones(1)}, tmp_path / "x.pth")
    archive = _archive.Archive(_archive.Bytes((tmp_path / "x.pth").read_bytes()))
    assert all(archive.entry(f"data/{key}").at % 64 == 0 for key in "012")
    monkeypatch.setattr(_archive, "_LIMIT", 1000)  # as if the file had more than 4 GB
    data = b"".join(
        bytes(p) for p in _archive.pieces("x", [("data.pkl", b"1" * 10), ("big", b"2" * 5000), ("end", b"3")])
    )
    monkeypatch.undo()
    assert b"PK\x06\x06" in data and b"PK\x06\x07" in data


# ---- places -----------------------------------------------------------------------------------------------------------


def gpu_file(tmp_path):
    """A file as a machine with a GPU writes it."""
    archive = _archive.Archive(_archive.Bytes(saved({"x": torch.ones(2)}).getvalue()))
    body = archive.read("data.pkl").replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
    pieces = _archive.pieces("x", [("data.pkl", body), ("data/0", archive.read("data/0")), ("version", b"3\n")])
    (tmp_path / "gpu.pth").write_bytes(b"".join(map(bytes, pieces)))
    return tmp_path / "gpu.pth"


def test_map_location(tmp_path):
    path = gpu_file(tmp_path)
    with pytest.raises(RuntimeError, match="Attempting to deserialize object on a CUDA device but"):
        torch.load(path)
    seen = []

    def place(storage, location):
        seen.append((type(storage), storage.nbytes(), location))
        return storage

    for where in ("cpu", torch.device("cpu"), {"cuda:0": "cpu"}, place, b"cpu"):
        assert torch.load(path, map_location=where)["x"].tolist() == [1, 1]
    assert seen == [(torch.UntypedStorage, 8, "cuda:0")]
    for where in (lambda s, l: None, {"cuda:1": "cpu"}, "cuda", {"cuda:0": "cuda:1"}):
        with pytest.raises(RuntimeError, match="CUDA device"):
            torch.load(path, map_location=where)
    with pytest.raises(TypeError, match="expected a storage or None"):
        torch.load(path, map_location=lambda s, l: 3)


def test_register_package(tmp_path):
    from rushlight import serialization

    moved = []
    serialization.register_package(
        5, lambda s: None, lambda s, l: moved.append(l) or s if l.startswith("cuda") else None
    )
    try:
        assert torch.load(gpu_file(tmp_path))["x"].tolist() == [1, 1] and moved == ["cuda:0"]
    finally:
        serialization._packages.clear()


def test_mmap(tmp_path):
    path = tmp_path / "x.pth"
    torch.save({"a": torch.arange(1000.0), "b": torch.empty(0), "c": torch.ones(3)}, path)
    got = torch.load(path, mmap=True)
    assert got["a"].sum() == 499500 and got["a"].data_ptr() % 64 == 0 and got["b"].numel() == 0
    got["a"].zero_()  # reaches memory only
    assert torch.load(path)["a"].sum() == 499500
    a = got.pop("a")
    del got
    path.unlink()
    assert a.sum() == 0
    with pytest.raises(ValueError, match="must be a file path in order to use the mmap argument"):
        torch.load(saved(1), mmap=True)
    torch.save(1, path, _use_new_zipfile_serialization=False)
    with pytest.raises(RuntimeError, match="mmap can only be used"):
        torch.load(path, mmap=True)


def test_big_endian_files():
    archive = _archive.Archive(
        _archive.Bytes(
            saved([torch.tensor([1.5, 2]), torch.tensor([1 + 2j]), torch.ones(2, dtype=torch.bool)]).getvalue()
        )
    )
    records = [("data.pkl", archive.read("data.pkl")), ("byteorder", b"big")]
    records.append(("data/0", np.array([1.5, 2], ">f4").tobytes()))
    records.append(("data/1", np.array([1 + 2j], ">c8").tobytes()))
    records.append(("data/2", archive.read("data/2")))
    got = torch.load(io.BytesIO(b"".join(map(bytes, _archive.pieces("x", records)))))
    assert [t.tolist() for t in got] == [[1.5, 2], [1 + 2j], [True, True]]


# ---- refusals ---------------------------------------------------------------------------------------------------------


class Runs:
    """What a hostile file looks like from inside: code to run when it is loaded."""

    def __init__(self, function, *args):
        self.call = function, args

    def __reduce__(self):
        return self.call


class Config:
    def __init__(self, lr=0.1):
        self.lr = lr


class Slotted:
    __slots__ = ("a",)


def make_config(lr):
    return Config(lr)


def test_code_is_never_run(tmp_path):
    mark = tmp_path / "ran"
    for hostile in (
        Runs(os.system, f"touch {mark}"),
        Runs(eval, f"open({str(mark)!r}, 'w')"),
        Runs(exec, f"open({str(mark)!r}, 'w')"),
        Runs(open, str(mark), "w"),
        Runs(getattr, os, "system"),
        Runs(subprocess.Popen, ["touch", str(mark)]),
        Runs(__import__, "os"),
        Runs(os.mkdir, str(mark)),
        Runs(Path.touch, mark),
        Runs(torch.save, 1, str(mark)),
        Runs(type, "x", (), {}),
    ):
        for options in ({}, {"weights_only": False}, {"weights_only": True}):
            for zipped in (True, False):
                file = io.BytesIO()
                try:
                    torch.save([1, hostile], file, _use_new_zipfile_serialization=zipped)
                except (TypeError, AttributeError, pickle.PicklingError):
                    continue
                file.seek(0)
                with pytest.raises(pickle.UnpicklingError):
                    torch.load(file, **options)
    assert not mark.exists()


def test_all_refused_names_are_listed():
    with pytest.raises(pickle.UnpicklingError) as error:
        through({"a": Config(), "b": Runs(os.system, "true"), "c": [Slotted], "d": make_config})
    text = str(error.value)
    for name in (
        "test_serialization.Config",
        "posix.system",
        "test_serialization.Slotted",
        "test_serialization.make_config",
    ):
        assert name in text
    assert "names 4 things" in text and "add_safe_globals" in text and "never runs code" in text


def test_safe_globals():
    config = Config(0.5)
    slotted = Slotted()
    slotted.a = torch.ones(1)
    serialization = torch.serialization

    with pytest.raises(pickle.UnpicklingError, match="Config"):
        through(config)
    with serialization.safe_globals([Config, Slotted]):
        assert through(config, {"weights_only": True}).lr == 0.5
        assert through([slotted])[0].a == 1
        assert serialization.get_safe_globals() == [Config, Slotted]
    assert serialization.get_safe_globals() == []
    serialization.add_safe_globals([(make_config, f"{__name__}.make_config")])
    try:
        assert through(Runs(make_config, 3)).lr == 3
        with pytest.raises(pickle.UnpicklingError, match="Config"):
            through(config)
    finally:
        serialization.clear_safe_globals()
    assert serialization.get_safe_globals() == []
    assert serialization.get_unsafe_globals_in_checkpoint(saved([config, torch.ones(1)])) == [f"{__name__}.Config"]


def test_modules_must_have_been_imported(tmp_path):
    (tmp_path / "elsewhere.py").write_text(
        "import rushlight as torch\nprint('imported')\nclass Net(torch.nn.Module):\n    pass\n"
    )
    write = "import elsewhere, rushlight as torch; torch.save(elsewhere.Net(), 'net.pth')"
    read = """
        import rushlight as torch
        try:
            torch.load("net.pth")
        except Exception as error:
            print(type(error).__name__, error)
        import elsewhere
        print(torch.load("net.pth"))
    """
    root = str(Path(torch.__file__).parent.parent)
    for code in (write, textwrap.dedent(read)):
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": root},
            capture_output=True,
            text=True,
            check=True,
        )
    lines = done.stdout.splitlines()
    assert lines[0].startswith("UnpicklingError net.pth names 1 thing") and "not imported here: elsewhere" in lines[0]
    assert lines[1:] == ["imported", "Net()"]


def test_what_rushlight_does_not_have_is_said():
    body = saved({"x": torch.ones(2)})
    archive = _archive.Archive(_archive.Bytes(body.getvalue()))
    pkl = archive.read("data.pkl").replace(b"ctorch\nFloatStorage", b"ctorch\nQInt8Storage")
    data = b"".join(map(bytes, _archive.pieces("x", [("data.pkl", pkl), ("data/0", archive.read("data/0"))])))
    with pytest.raises(RuntimeError, match="QInt8Storage, a dtype that rushlight does not have"):
        torch.load(io.BytesIO(data))
    data = b"".join(map(bytes, _archive.pieces("x", [("constants.pkl", b""), ("code/x.py", b"")])))
    with pytest.raises(RuntimeError, match="TorchScript archive"):
        torch.load(io.BytesIO(data))
    with pytest.raises(RuntimeError, match="only the standard pickle"):
        torch.load(saved(1), pickle_module=collections)


# ---- what a crash leaves ----------------------------------------------------------------------------------------------


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "x.pth"
    torch.save({"epoch": 1}, path)
    with pytest.raises((AttributeError, pickle.PicklingError)):
        torch.save({"epoch": 2, "f": lambda: 0}, path)

    def full(fd, data):
        os.write(fd, bytes(data)[:100])
        raise OSError(28, "No space left on device")

    for state in ({"epoch": 2}, {"large": torch.zeros(1_500_000), "more": torch.zeros(1_500_000)}):
        monkeypatch.setattr(_archive, "write_all", full)
        with pytest.raises(OSError, match="No space"):
            torch.save(state, path)
        monkeypatch.undo()

    def interrupted(*arguments):
        yield b"start"
        yield bytes(5_000_000)
        raise KeyboardInterrupt

    monkeypatch.setattr(_archive, "pieces", interrupted)
    with pytest.raises(KeyboardInterrupt):
        torch.save(1, path)
    monkeypatch.undo()
    assert torch.load(path) == {"epoch": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["x.pth"]


def test_a_killed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "x.pth"
    torch.save({"epoch": 1}, path)
    script = f"""
        import os, signal
        import rushlight as torch
        from rushlight.serialization import _archive
        def write(fd, data):
            os.write(fd, bytes(data)[:50])
            os.kill(os.getpid(), signal.SIGKILL)
        _archive.write_all = write
        torch.save(dict(epoch=2), {str(path)!r})
    """
    root = str(Path(torch.__file__).parent.parent)
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], env={**os.environ, "PYTHONPATH": root})
    assert done.returncode == -9
    assert torch.load(path) == {"epoch": 1}
    if sys.platform == "linux":
        assert [p.name for p in tmp_path.iterdir()] == ["x.pth"]


def test_file_systems_without_unnamed_files(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "O_TMPFILE", None, raising=False)
    monkeypatch.delattr(os, "O_TMPFILE")
    path = tmp_path / "x.pth"
    for epoch in range(2):
        torch.save({"epoch": epoch}, path)
        assert torch.load(path) == {"epoch": epoch}

    def full(fd, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_archive, "write_all", full)
    with pytest.raises(OSError, match="No space"):
        torch.save(1, path)
    assert torch.load(path) == {"epoch": 1} and [p.name for p in tmp_path.iterdir()] == ["x.pth"]


def test_a_file_that_cannot_be_given_a_name_is_copied(tmp_path, monkeypatch):
    def refused(*arguments, **options):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refused)
    state = {"a": torch.arange(2_000_000)}
    for _ in range(2):
        torch.save(state, tmp_path / "x.pth")
        assert torch.equal(torch.load(tmp_path / "x.pth")["a"], state["a"])
    assert [p.name for p in tmp_path.iterdir()] == ["x.pth"]


def test_links_and_permissions_are_kept(tmp_path):
    real, link = tmp_path / "real.pth", tmp_path / "link.pth"
    torch.save(1, real)
    real.chmod(0o640)
    link.symlink_to(real)
    torch.save(2, link)
    assert link.is_symlink() and torch.load(real) == 2
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    mask = os.umask(0o027)
    try:
        torch.save(1, tmp_path / "new.pth")
    finally:
        os.umask(mask)
    assert stat.S_IMODE((tmp_path / "new.pth").stat().st_mode) == 0o640
    torch.save(3, "/dev/null")
    with pytest.raises(RuntimeError, match="is a directory"):
        torch.save(3, tmp_path)


# ---- settings ---------------------------------------------------------------------------------------------------------


def test_settings(tmp_path):
    from rushlight import serialization as s

    assert s.get_crc32_options() and s.get_default_load_endianness() is None
    s.set_crc32_options(False)
    try:
        file = saved(torch.ones(2))
        assert all(i.CRC == 0 for i in zipfile.ZipFile(file).infolist())
        file.seek(0)
        assert torch.load(file).tolist() == [1, 1]
    finally:
        s.set_crc32_options(True)
    with s.skip_data():
        file = saved(torch.ones(2))
    assert torch.load(file).tolist() == [0, 0]
    s.set_default_load_endianness(s.LoadEndianness.BIG)
    try:
        file = saved(torch.tensor([1], dtype=torch.int16), _disable_byteorder_record=True)
        assert torch.load(file).tolist() == [256]
    finally:
        s.set_default_load_endianness(None)
    with pytest.raises(TypeError):
        s.set_default_load_endianness("big")
    with s.set_default_mmap_options(1):
        assert s.get_default_mmap_options() == 1
    with pytest.raises(ValueError):
        s.set_default_mmap_options(77)
    config = torch.utils.serialization.config
    config.load.mmap, config.save.storage_alignment = True, 4096
    try:
        torch.save(torch.ones(3), tmp_path / "x.pth")
        assert torch.load(tmp_path / "x.pth").data_ptr() % 4096 == 0 and torch.load(saved(1)) == 1
    finally:
        config.load.mmap, config.save.storage_alignment = False, 64
    assert s.location_tag(torch.ones(1).untyped_storage()) == "cpu"
    for name in s.__all__:
        assert hasattr(s, name)


# ---- safetensors ------------------------------------------------------------------------------------------------------


def test_safetensors(tmp_path):
    from rushlight.serialization._safetensors import pieces

    tensors = {
        "half": torch.ones(3, dtype=torch.bfloat16),
        "matrix": torch.arange(6.0).reshape(2, 3).t(),
        "flags": torch.tensor([True, False]),
        "scalar": torch.tensor(3),
        "empty": torch.empty(0, 2),
    }
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"".join(map(bytes, pieces(tensors, {"by": "hand"}))))
    got = torch.load(path)
    assert got.keys() == tensors.keys()
    for name, x in tensors.items():
        assert got[name].dtype is x.dtype and got[name].shape == x.shape and torch.equal(got[name], x)


def test_the_safetensors_library_takes_our_tensors(tmp_path):
    pytest.importorskip("safetensors")
    script = """
        import torch
        from safetensors import safe_open
        from safetensors.torch import load, load_file, load_model, save, save_file, save_model
        tensors = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(3, dtype=torch.bfloat16), "c": torch.tensor(3)}
        save_file(tensors, "x.safetensors", metadata={"k": "v"})
        for got in (load_file("x.safetensors"), load(save(tensors)), torch.load("x.safetensors")):
            assert all(torch.equal(got[name], x) and got[name].dtype == x.dtype for name, x in tensors.items())
        with safe_open("x.safetensors", framework="pt") as file:
            assert file.metadata() == {"k": "v"} and file.get_slice("a")[:, 1:].tolist() == [[1, 2], [4, 5]]
        net, other = torch.nn.Linear(2, 3), torch.nn.Linear(2, 3)
        save_model(net, "net.safetensors")
        load_model(other, "net.safetensors")
        assert torch.equal(net.weight, other.weight)
        print(torch.__spec__.name)
    """
    root = str(Path(torch.__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-m", "rushlight", "-c", textwrap.dedent(script)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": root},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "rushlight", done.stderr


def test_storages_over_files(tmp_path):
    path = tmp_path / "x.bin"
    path.write_bytes(bytes(range(10)))
    private = torch.UntypedStorage.from_file(path, nbytes=4)
    assert private.tolist() == [0, 1, 2, 3] and not private.is_shared()
    private.fill_(9)
    part = private[1:3]
    part.fill_(7)
    assert private.tolist() == [9, 7, 7, 9] and torch.asarray(part, dtype=torch.uint8).tolist() == [7, 7]
    shared = torch.UntypedStorage.from_file(path, shared=True, nbytes=12)
    shared[11] = 5
    assert path.read_bytes() == bytes(range(10)) + b"\0\5" and shared.is_shared()
    with pytest.raises(RuntimeError, match="has 12 bytes, 20 were asked for"):
        torch.UntypedStorage.from_file(path, nbytes=20)
    with pytest.raises(RuntimeError, match="unable to open"):
        torch.UntypedStorage.from_file(tmp_path / "nothing", nbytes=20)


def test_tensors_in_files(tmp_path):
    path = str(tmp_path / "values")
    torch.from_file(path, shared=True, size=3, dtype=torch.int32).copy_(torch.tensor([1, 2, 3]))
    assert torch.from_file(path, size=4, dtype=torch.int16).tolist() == [1, 0, 2, 0]
    assert torch.from_file(path, size=0).shape == (0,)
    with pytest.raises(RuntimeError, match="bytes"):
        torch.from_file(path, size=100)
    with pytest.raises(RuntimeError, match="negative"):
        torch.from_file(path, size=-1)


def test_tensors_look_at_storages():
    storage = torch.arange(6.0).untyped_storage()
    t = torch.empty(0).set_(storage)
    assert t.tolist() == [0, 1, 2, 3, 4, 5] and t.untyped_storage().data_ptr() == storage.data_ptr()
    assert t.set_(source=storage, storage_offset=1, size=(2, 2), stride=(1, 2)).tolist() == [[1, 3], [2, 4]]
    assert torch.empty(0).set_(torch.arange(3.0).storage()).tolist() == [0, 1, 2]
    with pytest.raises(RuntimeError, match="Expected a Storage of"):
        torch.empty(0).set_(torch.arange(3).storage())
    with pytest.raises(TypeError, match="expected a Tensor or a storage"):
        torch.empty(0).set_(3)
    with pytest.raises(RuntimeError, match="storage"):
        torch.empty(0).set_(storage, 4, (3,), (1,))


def test_loading_onto_meta(tmp_path):
    torch.save({"a": torch.arange(3.0), "b": torch.nn.Parameter(torch.ones(2))}, tmp_path / "x.pt")
    for where in ("meta", torch.device("meta"), {"cpu": "meta"}):
        found = torch.load(tmp_path / "x.pt", map_location=where)
        assert found["a"].is_meta
        assert found["a"].shape == (3,)
        assert found["b"].is_meta
        assert isinstance(found["b"], torch.nn.Parameter)
    with torch.device("meta"):
        assert torch.load(tmp_path / "x.pt")["a"].tolist() == [0.0, 1.0, 2.0]


def test_older_files_one_behind_the_other():
    buffer = io.BytesIO()
    for i in range(3):
        torch.save([i, torch.full((2,), float(i))], buffer, _use_new_zipfile_serialization=False)
    buffer.seek(0)
    for i in range(3):
        number, tensor = torch.load(buffer)
        assert number == i
        assert tensor.tolist() == [i, i]
