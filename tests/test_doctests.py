"""The examples of the documentation print what they say: of every module of the package, and of every operation."""

import doctest
import importlib.util
import pkgutil
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


def names():
    return {"torch": torch, "F": torch.nn.functional}


@pytest.mark.parametrize("name", MODULES)
def test_of_a_module(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    found = doctest.testmod(importlib.import_module(name), extraglobs=names(), optionflags=OPTIONS)
    assert not found.failed, capsys.readouterr().out


def test_of_the_operations(capsys):
    runner = doctest.DocTestRunner(optionflags=OPTIONS)
    for schema, text, _ in torch._C._schemas():
        runner.run(doctest.DocTestParser().get_doctest(text, names(), schema.partition("(")[0], None, 0))
    assert not runner.failures, capsys.readouterr().out


def test_every_operation_has_an_example():
    texts = defaultdict(str)
    for schema, text, _ in torch._C._schemas():
        texts[schema.partition("(")[0].partition(".")[0]] += text
    assert [name for name, text in texts.items() if ">>>" not in text and not name.startswith("_")] == []
