"""The examples of the documentation print what they say: of every module of the package, and of every operation."""

import doctest
import importlib.util
import inspect
import pkgutil
import re
from collections import defaultdict

import pytest

from .conftest import CANDIDATE, ROOT, torch

pytestmark = [
    pytest.mark.skipif(CANDIDATE != "rushlight", reason="rushlight's own documentation"),
    pytest.mark.filterwarnings("ignore"),
]
OPTIONS = doctest.NORMALIZE_WHITESPACE
MODULES = [
    name
    for _, name, _ in pkgutil.walk_packages([str(ROOT / "rushlight")], "rushlight.")
    if ">>>" in (importlib.util.find_spec(name).loader.get_source(name) or "")
]


class Finder(doctest.DocTestFinder):
    """Finds what stands in a module, under decorators, in classes that are made and in those that name another home."""

    def _from_module(self, module, object):
        if inspect.isclass(object):
            written = re.search(rf"^ *class {object.__name__}\b", inspect.getsource(module), re.MULTILINE) is not None
            return written or object.__module__ == module.__name__
        return super()._from_module(module, inspect.unwrap(object) if inspect.isroutine(object) else object)


def run(tests):
    """What the examples print wrongly."""
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    for test in tests:
        test.globs |= names()
        runner.run(test, out=report.append)
    return "".join(report)


def names():
    return {"torch": torch, "F": torch.nn.functional}


@pytest.mark.parametrize("name", MODULES)
def test_of_a_module(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not run(Finder().find(importlib.import_module(name)))


def test_of_the_core():
    texts = [(schema.partition("(")[0], text) for schema, text, _ in torch._C._schemas()]
    texts += [
        (name, f.__doc__ or "") for name, f in vars(torch._C).items() if inspect.isbuiltin(f) or inspect.isclass(f)
    ]
    assert not run(doctest.DocTestParser().get_doctest(text, {}, name, None, 0) for name, text in texts)


def test_every_operation_has_an_example():
    texts = defaultdict(str)
    for schema, text, _ in torch._C._schemas():
        texts[schema.partition("(")[0].partition(".")[0]] += text
    assert [name for name, text in texts.items() if ">>>" not in text and not name.startswith("_")] == []


def test_pointwise_operations_take_the_dtypes_that_they_say():
    dtypes = {"bool": torch.bool, "integers": torch.int32, "floating": torch.float32, "complex": torch.complex64}
    wrong = []
    for schema, text, flags in torch._C._schemas():
        name = schema.partition("(")[0].partition(".")[0]
        if "pointwise" not in flags or name.startswith("_"):
            continue
        said = re.search(r"Dtypes: ([^;.]+)", text)[1]
        taken = set(re.split(", | and ", said)) | (
            {"bool", "integers"} if "become the default float" in text else set()
        )
        required = [p for p in re.sub(r".*?\((.*)\) ->.*", r"\1", schema).split(", ") if "=" not in p and p != "*"]
        for kind, dtype in dtypes.items():
            if kind == "bool" and "Scalar" in schema:
                continue  # with a number it is promoted
            arguments = [torch.ones(2, dtype=dtype) if p.startswith("Tensor") else 1 for p in required]
            try:
                getattr(torch._C, name)(*arguments)
            except RuntimeError:
                if kind in taken:
                    wrong.append((schema, kind, "refused"))
            else:
                if kind not in taken:
                    wrong.append((schema, kind, "taken"))
    assert wrong == []
