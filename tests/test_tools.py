"""The generators that turn the registry's schemas into stubs and reference pages."""

import ast
import importlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parent.parent / "tools"
sys.path.insert(0, str(TOOLS))

import check_links  # noqa: E402
import check_tree  # noqa: E402
import gen_reference  # noqa: E402
import gen_stubs  # noqa: E402
import schema  # noqa: E402

CLAMP = "clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor"
ADD = "add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor"
MAX = "max(Tensor self) -> Tensor"
MAX_DIM = "max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)"
SUM = "sum.dim(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor"
RESHAPE = "reshape(Tensor self, int[] shape) -> Tensor"
ZEROS = "zeros(int[] size, *, ScalarType? dtype=None, Device? device=None, bool requires_grad=False) -> Tensor"
CAT = "cat(Tensor[] tensors, int dim=0) -> Tensor"
WHERE = "where(Tensor condition, Tensor self, Tensor other) -> Tensor"
RECORDS = [
    (CLAMP, "Limits every element.", ["function", "method", "inplace", "out"]),
    (ADD, "", ["function", "method", "inplace", "out", "number other"]),
    (MAX, "The largest element.", []),
    (MAX_DIM, "", []),
    (SUM, "", []),
    (RESHAPE, "", []),
    (ZEROS, "", ["function", "out"]),
    (CAT, "", ["function", "out"]),
    (WHERE, "", []),
    ("split(Tensor self, int[] split_size, int dim=0) -> Tensor[]", "", []),
    ("is_floating_point(Tensor self) -> bool", "", []),
    ("relu(Tensor self) -> Tensor", "", ["function", "method", "inplace"]),
    ("normal_(Tensor(a!) self, float mean=0, float std=1, *, Generator? generator=None) -> Tensor(a!)", "", ["method"]),
    ("stft(Tensor self, int n, str pad_mode='a, (b', float x=-1e-05, int[2] k=[1, 2]) -> Tensor", "", []),
    ("var_mean(Tensor self, bool unbiased=True) -> (Tensor, Tensor)", "", []),
    ("index_put(Tensor self, Tensor?[] indices, Tensor values) -> Tensor", "", []),
]


def test_parse():
    parsed = schema.parse(SUM)
    assert (parsed.name, parsed.overload) == ("sum", "dim")
    assert [p.name for p in parsed.parameters] == ["self", "dim", "keepdim", "dtype"]
    assert [p.keyword_only for p in parsed.parameters] == [False, False, False, True]
    assert parsed.parameters[1].type == schema.Type("int", optional=True, list=True, size=1)
    assert parsed.returns == (("", schema.Type("Tensor")),)
    assert schema.parse("f() -> ()").returns == ()
    assert schema.parse_type("Tensor(a!)").written
    assert schema.parse_type("Tensor?[]") == schema.Type("Tensor", list=True, inner_optional=True)


@pytest.mark.parametrize(
    "text", ["", "f(Tensor self)", "f(self) -> Tensor", "f(Tensor self) -> Ten sor[", "1(int a) -> int"]
)
def test_what_is_no_schema_is_refused(text):
    with pytest.raises(schema.SchemaError):
        schema.parse(text)


@pytest.mark.parametrize(
    "text, form, out, expected",
    [
        (CLAMP, "function", False, ["def clamp(input: Tensor, min: Number | None = None, max: Number | None = None) -> Tensor: ..."]),
        (CLAMP, "inplace", True, ["def clamp_(self, min: Number | None = None, max: Number | None = None) -> Tensor: ..."]),
        (ADD, "function", True, ["def add(input: Tensor, other: Tensor | Number, *, alpha: Number = 1, out: Tensor | None = None) -> Tensor: ..."]),
        (MAX_DIM, "method", False, ["def max(self, dim: _int, keepdim: _bool = False) -> _max_result: ..."]),
        (RESHAPE, "method", False, ["def reshape(self, shape: Sequence[_int]) -> Tensor: ...", "def reshape(self, *shape: _int) -> Tensor: ..."]),
        (CAT, "function", True, ["def cat(tensors: Sequence[Tensor], dim: _int = 0, *, out: Tensor | None = None) -> Tensor: ..."]),
        (CAT, "method", False, []),
        (WHERE, "method", False, ["def where(self, condition: Tensor, other: Tensor | Number) -> Tensor: ..."]),
    ],
)  # fmt: skip
def test_signatures(text, form, out, expected):
    assert schema.signatures(schema.parse(text), form, out, {"other"}) == expected


def test_numbers_may_stand_for_tensors():
    xlogy = schema.parse("xlogy(Tensor self, Tensor other) -> Tensor")
    both = ["def xlogy(input: Tensor | Number, other: Tensor | Number) -> Tensor: ..."]
    assert schema.signatures(xlogy, numbers={"self", "other"}) == both
    assert schema.signatures(xlogy) == ["def xlogy(input: Tensor, other: Tensor) -> Tensor: ..."]


def test_sizes_may_be_spread_and_keywords_follow():
    spread = schema.signatures(schema.parse(ZEROS))[1]
    assert spread.startswith("def zeros(*size: _int, dtype: _dtype | None = None, ")


def test_defaults():
    parsed = schema.parse(
        "f(int[2] k=[1, 2], int[1] s=[0], str m='a, b', float e=1e-05, MemoryFormat f=contiguous_format) -> Tensor"
    )
    assert [schema.default(p) for p in parsed.parameters] == ["(1, 2)", "(0,)", "'a, b'", "1e-05", "..."]


def test_stub_is_python_and_holds_every_form():
    stub = gen_stubs.generate(RECORDS)
    tree = ast.parse(stub)
    tensor = gen_stubs.members(tree, "Tensor")
    assert {"clamp", "clamp_", "add", "add_", "max", "relu_", "normal_", "where", "reshape"} <= tensor
    assert not {"cat", "zeros"} & tensor
    assert {"clamp", "cat", "zeros", "_max_result"} <= gen_stubs.members(tree)
    assert "clamp_" in gen_stubs.members(tree)
    assert "class _max_result(NamedTuple):\n    values: Tensor\n    indices: Tensor\n" in stub


def test_stub_of_a_module_that_is_not_in_the_package_yet(tmp_path):
    """As when a wheel is built."""
    module = shutil.copy(importlib.import_module("rushlight._C").__file__, tmp_path)
    command = [sys.executable, str(TOOLS / "gen_stubs.py"), "--module", module]
    subprocess.run([*command, "--output", str(tmp_path / "_C.pyi")], check=True, cwd=tmp_path, timeout=60)
    assert "def relu(" in (tmp_path / "_C.pyi").read_text()


def test_stub_type_checks(tmp_path):
    mypy = shutil.which("mypy", path=str(Path(sys.executable).parent)) or shutil.which("mypy")
    if mypy is None:
        pytest.skip("mypy is not installed")
    (tmp_path / "_C.pyi").write_text(gen_stubs.generate(RECORDS))
    (tmp_path / "use.py").write_text(
        "from typing import assert_type\n"
        "import _C as torch\n"
        "from _C import Tensor\n"
        "x = torch.zeros(2, 3)\n"
        "x = torch.zeros([2, 3], dtype=None)\n"
        "assert_type(x.reshape(3, 2).add(1, alpha=2), Tensor)\n"
        "assert_type(x.max(0).values, Tensor)\n"
        "assert_type(torch.max(x), Tensor)\n"
        "assert_type(x.sum((0, 1), keepdim=True) + 1, Tensor)\n"
        "assert_type(x.is_floating_point(), bool)\n"
        "x.clamp_(0, 1)\n"
        "x.no_such_method()\n"
    )
    command = [mypy, "--strict", "--python-version", "3.11", "--cache-dir", str(tmp_path / "cache"), "_C.pyi", "use.py"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    errors = [line for line in run.stdout.splitlines() if ": error:" in line]
    assert len(errors) == 1 and 'has no attribute "no_such_method"' in errors[0], run.stdout + run.stderr


def test_reference_pages():
    pages = gen_reference.pages(RECORDS)
    assert "[clamp](c.md#clamp)" in pages["index.md"]
    page = pages["c.md"]
    assert "## clamp" in page and "Limits every element." in page and "`Tensor.clamp_` (in place)" in page
    assert "torch.clamp(input: Tensor, min: Number | None = None" in page
    assert "torch.max(input: Tensor, dim: int, keepdim: bool = False, *, out: " in pages["m.md"]
    assert "| None = None) -> _max_result" in pages["m.md"]


def test_the_reference_shows_what_the_package_exports():
    import rushlight as torch

    operations = {schema.parse(text).name for text, _, _ in torch._C._schemas()}
    text = "\n".join(gen_reference.module_pages(TOOLS.parent / "rushlight", operations).values())
    shown = set(re.findall(r":: rushlight\.(?:\w+\.)*(\w+)$", text, re.MULTILINE)) | operations
    rooms = "linalg fft func autograd nn nn.init nn.utils optim optim.lr_scheduler utils.data distributions distributed"
    rooms += " signal.windows vision.transforms vision.transforms.v2 vision.models vision.datasets vision.ops"
    rooms += " testing utils.benchmark masked"
    for room in rooms.split():
        module = importlib.import_module(f"rushlight.{room}")
        functions = {n for n in module.__all__ if callable(getattr(module, n)) and not n.startswith("_")}
        assert {n for n in functions if f"{room}_{n}" not in operations} <= shown, room
    assert {"einsum", "quantile", "tensor", "from_numpy", "set_printoptions", "Tensor"} <= shown


def test_examples_in_documentation_are_fenced():
    doc = "Adds.\n\n>>> torch.add(1, 2)\ntensor(3)\n\nMore.\n"
    assert gen_reference.markdown(doc) == "Adds.\n\n```pycon\n>>> torch.add(1, 2)\ntensor(3)\n```\n\nMore."


def test_quotes_of_code_are_checked(tmp_path, monkeypatch):
    monkeypatch.setattr(check_links, "ROOT", tmp_path)
    (tmp_path / "a.h").write_text("struct A {\n  int x;\n};\n")
    page = tmp_path / "page.md"
    page.write_text("<!-- from a.h -->\n```cpp\nstruct A {\n  int x;\n};\n```\n[a](a.h) [b](b.h) [c](#no)\n")
    assert check_links.broken(page) == ["page.md: b.h does not exist", "page.md: no heading no in page.md"]
    page.write_text("<!-- from a.h -->\n```cpp\nstruct A {\n  int y;\n};\n```\n")
    assert check_links.broken(page) == ["page.md: the code quoted from a.h is not what stands there"]


def test_the_tree_check_sees_offences():
    assert check_tree.offences_of("core/kernels/a.h", '#include "tensor/tensor.h"\n')
    assert check_tree.offences_of("core/kernels/a.h", '#include "tensor/dtype.h"\n#include "runtime/error.h"\n') == []
    assert check_tree.offences_of("core/tensor/a.h", '#include "ops/add.h"\n')
    assert check_tree.offences_of("core/ops/a.cpp", "#include <Python.h>\n")
    assert check_tree.offences_of("a.py", "x = 1\n" * 1001)
