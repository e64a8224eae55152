"""Damaged and hostile files: each gives an error that says so, never a crash, and never much memory."""

import io
import math
import os
import pickle
import random
import resource
import struct
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

import rushlight as torch
from rushlight.serialization import _archive

FILES = Path(__file__).parent / "golden" / "files"
CLEAR = (RuntimeError, pickle.UnpicklingError, EOFError, ValueError)


@pytest.fixture(autouse=True)
def _little_memory():
    """No test may ask for much more memory than its files have bytes."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * (1 if sys.platform == "darwin" else 1024)
    assert grown < 200 << 20 or "ASAN_OPTIONS" in os.environ  # the sanitizer keeps what is freed


def load(data, **options):
    """The result or the error's name; whatever else is raised fails the test."""
    try:
        torch.load(io.BytesIO(data), **options)
    except CLEAR as error:
        assert str(error), "an error must say something"
        return type(error).__name__
    return "loaded"


def records(name):
    with zipfile.ZipFile(FILES / f"{name}.pth") as archive:
        return {i.filename.partition("/")[2]: archive.read(i) for i in archive.infolist()}


def zipped(parts):
    return b"".join(map(bytes, _archive.pieces("x", list(parts.items()))))


def with_pickle(body, **parts):
    return zipped({"data.pkl": body, **parts, "version": b"3\n"})


@pytest.mark.parametrize("path", sorted(FILES.glob("*.pth")), ids=lambda p: p.stem)
def test_cut_off(path):
    data = path.read_bytes()
    draw = random.Random(1)
    for end in {*range(40), *(draw.randrange(len(data)) for _ in range(60)), len(data) - 1, len(data) - 22}:
        assert load(data[:end]) != "loaded"


@pytest.mark.parametrize("path", sorted(FILES.glob("*.pth")), ids=lambda p: p.stem)
def test_flipped_bits(path):
    data = path.read_bytes()
    draw = random.Random(2)
    for _ in range(150):
        broken = bytearray(data)
        for _ in range(draw.choice((1, 1, 2, 8))):
            broken[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
        load(bytes(broken))


def test_a_flipped_bit_in_a_weight_is_found_out():
    data = bytearray((FILES / "checkpoint.pth").read_bytes())
    with zipfile.ZipFile(FILES / "checkpoint.pth") as archive:
        at = archive.getinfo("checkpoint/data/0").header_offset
    data[data.index(b"ZZ", at) + 64] ^= 1
    with pytest.raises(RuntimeError, match="the checksum of record 'data/0' is wrong"):
        torch.load(io.BytesIO(data))


@pytest.mark.parametrize("name", ["tensors", "data", "module", "checkpoint", "data_protocol5"])
def test_flipped_bits_behind_the_checksum(name):
    """The pickle is damaged and its checksum is right: what a hostile writer can do."""
    parts = records(name)
    body = parts["data.pkl"]
    draw = random.Random(3)
    for _ in range(200):
        broken = bytearray(body)
        for _ in range(draw.choice((1, 1, 2, 4))):
            at = draw.randrange(len(body))
            broken[at] = draw.choice((broken[at] ^ 1 << draw.randrange(8), draw.randrange(256), 0xFF))
        load(zipped({**parts, "data.pkl": bytes(broken)}))
    for _ in range(60):
        a, b = sorted(draw.randrange(len(body)) for _ in range(2))
        load(zipped({**parts, "data.pkl": body[:a] + body[b:]}))
        load(zipped({**parts, "data.pkl": body[:b] + body[a:]}))


NAMES = [
    "collections OrderedDict", "torch FloatStorage", "torch._utils _rebuild_tensor_v2", "torch Size", "torch float32",
    "torch._utils _rebuild_parameter", "builtins set", "numpy dtype", "numpy ndarray", "numpy.core.multiarray scalar",
    "numpy.core.multiarray _reconstruct", "numpy._core.numeric _frombuffer", "collections defaultdict", "torch relu",
    "torch.nn.modules.linear Linear", "torch.nn.modules.container Sequential", "_codecs encode", "collections Counter",
    "copyreg _reconstructor", "builtins getattr", "torch._tensor _rebuild_from_type_v2", "torch._C Generator",
    "builtins bytearray", "torch.optim.adam Adam", "datetime datetime", "datetime timedelta", "torch.nn.parameter Parameter",
    "collections deque", "torch device", "pathlib PosixPath", "builtins object", "builtins slice", "builtins type",
    "torch.storage UntypedStorage", "torch._utils _rebuild_tensor_v3", "argparse Namespace", "builtins complex",
    "torch._utils _rebuild_parameter_with_state", "decimal Decimal", "copyreg __newobj__", "builtins frozenset", "numpy int64",
    "builtins range", "builtins list", "builtins tuple", "builtins dict", "decimal Decimal", "types SimpleNamespace",
]  # fmt: skip


def instructions(draw):
    """A random pickle: instructions with arguments that fit, in an order that often does not."""
    out = []
    for _ in range(draw.randrange(3, 40)):
        kind = draw.randrange(14)
        if kind < 4:
            out.append(draw.choice([b"(", b")", b"]", b"}", b"N", b"\x88", b"\x8f", b"K\x03", b"K\x00", b"(", b"]"]))
        elif kind < 6:
            out.append(b"c" + draw.choice(NAMES).replace(" ", "\n").encode() + b"\n")
        elif kind < 9:
            out.append(
                draw.choice([b"t", b"R", b"b", b"\x81", b"a", b"e", b"s", b"u", b"\x90", b"\x91", b"Q", b"\x85"])
            )
        elif kind < 10:
            out.append(draw.choice([b"0", b"1", b"2", b"d", b"l", b"o", b"\x92", b"\x93", b"\x94", b"\x86", b"\x87"]))
        elif kind < 13:
            out.append(b"J" + struct.pack("<i", draw.choice((-1, 0, 1, 5, 2**31 - 1, -(2**31)))))
        else:
            out.append(draw.choice([b"q", b"h"]) + bytes((draw.randrange(4),)))
    return b"\x80\x02" + b"".join(out) + b"."


WORDS = [
    "storage",
    "0",
    "cpu",
    "f4",
    "latin1",
    "O8",
    "_modules",
    "weight",
    "M8",
    "<",
    "|",
    "_parameters",
    "ns",
    "relu",
    "S5",
]


def expression(draw, depth):
    """A random pickle that leaves one value: calls of what files may call, with arguments of all kinds."""
    kind = draw.randrange(16 if depth else 7)
    if kind < 2:
        return b"\x8a\x09" + draw.choice((-1, 0, 1, 2, 3, 4, 8, 2**31, 2**40, 2**62, -(2**63))).to_bytes(
            9, "little", signed=True
        )
    if kind == 2:
        word = draw.choice(WORDS).encode()
        return b"X" + struct.pack("<I", len(word)) + word
    if kind == 3:
        data = draw.randbytes(draw.choice((0, 1, 4, 8, 10)))
        return b"C" + bytes((len(data),)) + data
    if kind == 4:
        return draw.choice([b"N", b"\x88", b"\x89", b"G" + struct.pack(">d", 1.5), b")", b"]", b"}"])
    if kind < 7:
        return b"c" + draw.choice(NAMES).replace(" ", "\n").encode() + b"\n"
    inner = [expression(draw, depth - 1) for _ in range(draw.randrange(6))]
    if kind == 7:
        return b"(" + b"".join(inner) + b"t"
    if kind == 8:
        return b"](" + b"".join(inner) + b"e"
    if kind == 9:
        return b"}" + b"".join(b"K" + bytes((i,)) + item + b"s" for i, item in enumerate(inner))
    if kind == 10:
        return b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ"
    called = b"c" + draw.choice(NAMES).replace(" ", "\n").encode() + b"\n(" + b"".join(inner) + b"t"
    if kind < 14:
        return called + draw.choice([b"R", b"R", b"\x81"])
    return called + draw.choice([b"R", b"\x81"]) + expression(draw, depth - 1) + b"b"


def test_random_pickles():
    draw = random.Random(4)
    for _ in range(1000):
        load(with_pickle(instructions(draw), **{"data/0": bytes(16)}))
    for _ in range(int(os.environ.get("RUSHLIGHT_FUZZ", 4000))):
        load(with_pickle(b"\x80\x02" + expression(draw, 4) + b".", **{"data/0": bytes(16)}))


def test_random_calls():
    """Each name called with a few random values."""
    draw = random.Random(9)
    for name in NAMES:
        for _ in range(60):
            args = b"".join(expression(draw, 1) for _ in range(draw.randrange(8)))
            body = b"c" + name.replace(" ", "\n").encode() + b"\n(" + args + b"t" + draw.choice([b"R", b"\x81"])
            if draw.random() < 0.5:
                body += b"(" + b"".join(expression(draw, 1) for _ in range(draw.randrange(10))) + b"tb"
            load(with_pickle(b"\x80\x02" + body + b".", **{"data/0": bytes(16)}))


def tensor_pickle(size, stride, offset=0, numel=4, kind=b"FloatStorage", key=b"0"):
    """A pickle of one tensor with these numbers."""

    def number(n):
        return b"\x8a\x09" + n.to_bytes(9, "little", signed=True)

    def text(word):
        return b"X" + struct.pack("<I", len(word)) + word

    ints = [b"(" + b"".join(map(number, values)) + b"t" for values in (size, stride)]
    storage = b"(" + text(b"storage") + b"ctorch\n" + kind + b"\n" + text(key) + text(b"cpu") + number(numel) + b"tQ"
    rest = number(offset) + ints[0] + ints[1] + b"\x89ccollections\nOrderedDict\n)Rt"
    return b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(" + storage + rest + b"R."


@pytest.mark.parametrize(
    "numbers",
    [
        {"size": [5], "stride": [1]},
        {"size": [2], "stride": [4]},
        {"size": [4], "stride": [1], "offset": 1},
        {"size": [4], "stride": [1], "offset": -1},
        {"size": [4], "stride": [-1], "offset": 3},
        {"size": [-4], "stride": [1]},
        {"size": [2, 2], "stride": [1]},
        {"size": [2**40, 2**40], "stride": [0, 0]},
        {"size": [2**62], "stride": [2]},
        {"size": [2**33], "stride": [2**33]},
        {"size": [3], "stride": [2**62]},
        {"size": [4], "stride": [1], "offset": 2**62},
        {"size": [1] * 65, "stride": [1] * 65},
        {"size": [4], "stride": [1], "numel": 5},
        {"size": [4], "stride": [1], "numel": 2**40},
        {"size": [4], "stride": [1], "numel": -1},
        {"size": [4], "stride": [1], "numel": 2**62},
        {"size": [4], "stride": [1], "kind": b"NoSuchStorage"},
        {"size": [4], "stride": [1], "kind": b"DoubleStorage"},
        {"size": [4], "stride": [1], "key": b"1"},
        {"size": [4], "stride": [1], "key": b"../../etc/passwd"},
    ],
)
def test_impossible_tensors(numbers):
    assert load(with_pickle(tensor_pickle(**numbers), **{"data/0": bytes(16)})) != "loaded"
    assert load(with_pickle(tensor_pickle([4], [1]), **{"data/0": bytes(16)})) == "loaded"


def test_bools_are_bools(tmp_path):
    """Kernels may count on 0 and 1."""
    path = tmp_path / "x.pth"
    path.write_bytes(with_pickle(tensor_pickle([4], [1], kind=b"BoolStorage"), **{"data/0": b"\x00\x01\x02\xff"}))
    for options in ({}, {"mmap": True}):
        mask = torch.load(path, **options)
        assert mask.tolist() == [False, True, True, True] and mask.sum() == 3 and mask.nonzero().shape == (3, 1)
        assert mask.view(torch.uint8).tolist() == [0, 1, 1, 1]


def test_zip_bombs():
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    squeezed = b"".join(bomb.compress(bytes(1 << 20)) for _ in range(80)) + bomb.flush()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data.pkl", tensor_pickle([20 << 20], [1], numel=20 << 20))
        archive.writestr("x/data/0", bytes(10))
    assert load(file.getvalue()) != "loaded"
    # a record that claims to inflate to 80 MB, and does
    data = bytearray(file.getvalue())
    for claimed in (80 << 20, 1 << 30, 100):
        body = tensor_pickle([25], [1], numel=claimed // 4)
        entry = b"x/data/0"
        local = (
            struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 8, 0, 33, 1, len(squeezed), claimed, len(entry), 0) + entry
        )
        first = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 0, 0, 33, 0, len(body), len(body), 10, 0) + b"x/data.pkl"
        blob = first + body + local + squeezed
        listing = b""
        for name, size, full, method, at in (
            (b"x/data.pkl", len(body), len(body), 0, 0),
            (entry, len(squeezed), claimed, 8, len(first) + len(body)),
        ):
            listing += struct.pack(
                "<4s6H3I5H2I", b"PK\x01\x02", 20, 20, 0, method, 0, 33, 0, size, full, len(name), 0, 0, 0, 0, 0, at
            )
            listing += name
        data = blob + listing + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 2, 2, len(listing), len(blob), 0)
        assert load(data) == "RuntimeError"
    # what is honestly compressed is read
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in records("checkpoint").items():
            archive.writestr(f"x/{name}", part)
    assert load(file.getvalue()) == "loaded"


def test_damaged_directories():
    data = (FILES / "checkpoint.pth").read_bytes()
    at = data.index(b"PK\x01\x02")
    end = data.rindex(b"PK\x05\x06")
    draw = random.Random(5)
    for _ in range(400):
        broken = bytearray(data)
        where = draw.randrange(at, end + 22)
        broken[where : where + 4] = struct.pack("<I", draw.choice((0, 1, 0xFFFFFFFF, 0x7FFFFFFF, draw.getrandbits(32))))
        load(bytes(broken[: len(data)]))
    twice = with_pickle(b"\x80\x02N.").replace(b"x/version", b"x/data.pk")
    load(twice)
    assert load(data[:at] + data[end:]) != "loaded"
    assert load(b"PK\x03\x04" + bytes(100)) != "loaded"
    assert load(b"PK\x05\x06" + bytes(18)) != "loaded"


def pickled(*parts):
    return with_pickle(b"\x80\x04" + b"".join(parts) + b".")


def deep(opener, count=60_000, closer=b""):
    return b"N" + opener * count + closer


@pytest.mark.parametrize(
    "body",
    {
        "lists": b"]" * 60_000 + b"a" * 59_999,
        "tuples": deep(b"\x85"),
        "dicts": b"}" + b"K\x01}" * 50_000 + b"s" * 50_000,
        "frozensets": b"(N" + b"\x91" + b"\x85" * 50_000,
        "tuple as a key": b"}" + deep(b"\x85") + b"Ns",
        "tuple of tuples twice as a key": b"}" + b"N" + b"2\x86" * 60 + b"Ns",
        "set with a deep tuple": b"\x8f(" + deep(b"\x85") + b"\x90",
        "deques": b"ccollections\ndeque\n\x94" + b"h\x00)R" * 50_000 + b"a" * 49_999,
        "defaultdicts": b"ccollections\ndefaultdict\n\x94" + b"h\x00)RK\x01" * 50_000 + b"h\x00)R" + b"s" * 50_000,
        "a list in itself": b"]\x94h\x00a",
        "a dict in itself": b"}\x94K\x01h\x00s",
        "a key that is a list": b"}]Ns",
        "memo far away": b"Nr\xff\xff\xff\xff",
        "memo missing": b"h\x07",
        "long string": b"X\xff\xff\xff\xffabc",
        "very long bytes": b"\x8e" + struct.pack("<Q", 2**62) + b"abc",
        "very long bytearray": b"\x96" + struct.pack("<Q", 2**40) + b"abc",
        "negative length": b"\x8b" + struct.pack("<i", -5) + b"abc",
        "many digits": b"L" + b"9" * 100_000 + b"L\n",
        "huge frame": b"\x95" + struct.pack("<Q", 2**63) + b"N",
        "bytearray of an int": b"cbuiltins\nbytearray\n\x8a\x05\x00\x00\x00\x00\x10\x85R",
        "bytes of an int": b"cbuiltins\nbytes\n\x8a\x05\x00\x00\x00\x00\x10\x85R",
        "list of a range": b"cbuiltins\nlist\ncbuiltins\nrange\n\x8a\x05\x00\x00\x00\x00\x10\x85R\x85R",
        "size of a range": b"ctorch\nSize\ncbuiltins\nrange\n\x8a\x06\x00\x00\x00\x00\x00\x10\x85R\x85R",
        "arguments of a range": b"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_tensor_v2\nctorch\nTensor\n"
        b"cbuiltins\nrange\n\x8a\x06\x00\x00\x00\x00\x00\x10\x85RNtR",
        "tensor of a range": b"ctorch._utils\n_rebuild_tensor_v3\n((X\x07\x00\x00\x00storagectorch.storage\nUntypedStorage\n"
        b"X\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x00tQK\x00cbuiltins\nrange\n\x8a\x06\x00\x00\x00\x00\x00\x10\x85R"
        b")\x89Nctorch\nfloat32\ntR",
        "set of a range": b"cbuiltins\nset\ncbuiltins\nrange\n\x8a\x06\x00\x00\x00\x00\x00\x10\x85R\x85R",
        "deque of a range": b"ccollections\ndeque\ncbuiltins\nrange\n\x8a\x06\x00\x00\x00\x00\x00\x10\x85R\x85R",
        "dictionary of a range": b"ccollections\nOrderedDict\ncbuiltins\nrange\n\x8a\x06\x00\x00\x00\x00\x00\x10\x85R\x85R",
        "device of a range": b"ctorch\ndevice\ncbuiltins\nrange\n\x8a\x06\x00\x00\x00\x00\x00\x10\x85R\x85R",
        "parameters of a range": b"ctorch.nn.modules.linear\nLinear\n)\x81}X\x0b\x00\x00\x00_parameterscbuiltins\nrange\n"
        b"\x8a\x06\x00\x00\x00\x00\x00\x10\x85Rsb",
        "deep range": b"cbuiltins\nslice\n" + deep(b"\x85") + b"\x85R",
        "a repeated list": b"cbuiltins\ngetattr\n]X\x07\x00\x00\x00__mul__\x86R",
        "state of a class": b"ctorch.nn.modules.linear\nLinear\nN}X\x07\x00\x00\x00forwardNs\x86b",
        "state of a function": b"ctorch\nrelu\n}X\x01\x00\x00\x00aNsb",
        "state of a list": b"]}b",
        "module with arguments": b"ctorch.nn.modules.linear\nLinear\nK\x01K\x02\x86\x81",
        "module called": b"ctorch.nn.modules.linear\nLinear\nK\x01K\x02\x86R",
        "module with a bad state": b"ctorch.nn.modules.linear\nLinear\n)\x81K\x01b",
        "operation called": b"ctorch\nzeros\n\x8a\x05\x00\x00\x00\x00\x10\x85R",
        "array of huge shape": b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
        b"(K\x01\x8a\x05\x00\x00\x00\x00\x10\x85cnumpy\ndtype\nX\x02\x00\x00\x00f8\x89\x88\x87R\x89C\x00tb",
        "array of zero-sized items": b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85C\x01b\x87R"
        b"(K\x01\x8a\x05\x00\x00\x00\x00\x10\x85cnumpy\ndtype\nX\x02\x00\x00\x00V0\x89\x88\x87R\x89C\x00tb",
        "dtype of huge items": b"cnumpy\ndtype\nX\x0a\x00\x00\x00V999999999\x89\x88\x87R"
        b"(K\x03X\x01\x00\x00\x00|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb",
        "dtype by expression": b"cnumpy\ndtype\nX\x0d\x00\x00\x00f8,f8,(9999)f\x89\x88\x87R",
        "ufunc": b"cnumpy\nfromfile\nX\x0b\x00\x00\x00/etc/passwd\x85R",
        "EXT": b"\x82\x01",
        "buffer": b"\x97",
        "no end": b"N" * 10,
        "only stop": b"",
        "protocol 9": b"\x80\x09N",
        "dotted name": b"\x8c\x05torch\x8c\x0bnn.Module.x\x93",
        "os through a module": b"\x8c\x0ftorch.nn.modules\x8c\x02os\x93\x8c\x01x\x85R",
        "dunder": b"ctorch.nn\n__builtins__\n",
        "eval in main": b"c__main__\n__builtins__\n",
    }.items(),
    ids=lambda item: item[0],
)
def test_hostile_pickles(body):
    load(with_pickle(b"\x80\x04" + body[1] + b".", **{"data/0": b""}))
    load(pickled(body[1]), weights_only=True)


def test_what_must_be_refused():
    for body in (
        b"ctorch.nn.modules.linear\nLinear\nN}X\x07\x00\x00\x00forwardNs\x86b0",
        b"ctorch\nrelu\n}X\x01\x00\x00\x00aNsb",
        b"ctorch.nn.modules.linear\nLinear\nK\x01K\x02\x86R",
        b"ctorch\nzeros\nK\x01\x85R",
        b"cposix\nsystem\nX\x04\x00\x00\x00true\x85R",
        b"cbuiltins\neval\nX\x01\x00\x00\x001\x85R",
        b"(X\x04\x00\x00\x00trueiposix\nsystem\n",
        b"(cposix\nsystem\nX\x04\x00\x00\x00trueo",
        b"cbuiltins\ngetattr\n]X\x06\x00\x00\x00append\x86R",
        b"ctorch.serialization\nload\nX\x01\x00\x00\x00x\x85R",
        b"crushlight.serialization._loader\nLoader\n)\x81",
        b"ctorch.utils.data.dataloader\nDataLoader\n)\x81",
        b"ctorch.multiprocessing.spawn\nProcessContext\n)\x81",
        b"cfunctools\npartial\n",
        b"coperator\nattrgetter\n",
        b"cctypes\nCDLL\n",
        b"crushlight\n_C\n",
        b"ctorch.nn.\x00\nLinear\n",
        b"ctorch.nn.\nLinear\n",
        b"c\n\n",
        b"X\x0b\x00\x00\x00torch.nn.\xed\xa0\x80X\x01\x00\x00\x00x\x93",
        b"ctorch\nmanual_seed\nK\x01\x85R",
    ):
        assert load(pickled(body)) == "UnpicklingError", body
    assert torch.nn.Linear.forward is not None and not hasattr(torch.relu, "a")


def test_legacy_files():
    data = (FILES / "tensors_legacy.pth").read_bytes()
    draw = random.Random(6)
    for _ in range(200):
        broken = bytearray(data)
        where = draw.randrange(len(data) - 8)
        broken[where : where + 8] = struct.pack("<q", draw.choice((-1, 2**62, 2**31, 10**6, 0)))
        load(bytes(broken))
    assert load(b"hello, this is no file of tensors") != "loaded"
    assert load(pickle.dumps({"a": 1})) == "RuntimeError"
    assert load(bytes(257) + b"ustar" + bytes(300)) != "loaded"
    assert load(b"") == "EOFError"


def test_safetensors():
    from rushlight.serialization._safetensors import save_bytes

    data = save_bytes({"a": torch.arange(6.0).reshape(2, 3), "b": torch.ones(2, dtype=torch.bfloat16)})
    assert load(data) == "loaded"
    draw = random.Random(7)
    for _ in range(300):
        broken = bytearray(data)
        broken[draw.randrange(len(data))] = draw.randrange(256)
        load(bytes(broken))
        load(data[: draw.randrange(len(data))])
    for header in (
        b'{"a":{"dtype":"F32","shape":[1000000000000],"data_offsets":[0,4]}}',
        b'{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}',
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}',
        b'{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,99999999999]}}',
        b'{"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}',
        b'{"a":{"dtype":"F32","shape":"x","data_offsets":[0,4]}}',
        b'{"a":3}',
        b'{"a":' * 5000,
        b'{"a"',
    ):
        assert load(struct.pack("<Q", len(header)) + header + bytes(4)) != "loaded"


def test_files_change_while_they_are_read(tmp_path):
    path = tmp_path / "x.pth"
    torch.save(torch.arange(100_000.0), path)
    source = _archive.File(path)
    os.truncate(path, 1000)
    with pytest.raises(EOFError, match="ended while it was read"):
        source.read_into(500, memoryview(bytearray(2000)))
    source.close()


def test_the_machine_agrees_with_pickle():
    """On data, our machine and Python's own unpickler say the same."""
    draw = random.Random(8)

    def thing(depth):
        kind = draw.randrange(11 if depth else 6)
        if kind == 0:
            return draw.randrange(-(2 ** draw.randrange(1, 80)), 2 ** draw.randrange(1, 80))
        if kind == 1:
            return draw.choice([None, True, False, ...])
        if kind == 2:
            return draw.uniform(-1e6, 1e6)
        if kind == 3:
            return "".join(map(chr, (draw.randrange(32, 0x2FF) for _ in range(draw.randrange(300)))))
        if kind == 4:
            return draw.randbytes(draw.randrange(300))
        if kind == 5:
            return complex(draw.random(), math.inf)
        items = [thing(depth - 1) for _ in range(draw.randrange(5))]
        if kind == 6:
            return items
        if kind == 7:
            return tuple(items)
        if kind == 8:
            return dict(enumerate(items))
        if kind == 9:
            return {draw.random() for _ in items}
        return np.array([draw.random() for _ in items])

    from rushlight.serialization._loader import Loader
    from rushlight.serialization._machine import Machine

    for _ in range(300):
        made = thing(4)
        for protocol in range(6):
            data = pickle.dumps(made, protocol)
            machine = Machine(data, Loader(lambda identity: None, True))
            assert repr(machine.run()) == repr(pickle.loads(data)) and machine.end == len(data)
