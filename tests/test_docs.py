"""The README and the tutorial's sessions print what the pages say they print."""

import doctest
import re

import pytest

from .conftest import CANDIDATE, ROOT

PAGES = sorted(p for folder in ("tutorial", "zh/tutorial") for p in (ROOT / "docs" / folder).glob("[0-9]*.md"))
BLOCK = re.compile(r"^```pycon\n(.*?)^```$", re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.skipif(CANDIDATE != "rushlight", reason="the pages import rushlight")


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_readme_prints_what_it_says(name, capsys):
    text = (ROOT / name).read_text(encoding="utf-8")
    program, printed = re.search(r"```python\n(.*?)```\n\n```\n(.*?)```", text, re.DOTALL).groups()
    exec(program, {})
    assert capsys.readouterr().out == printed


def sessions(text):
    """The page with all but its sessions blank, so that line numbers stay."""
    kept, end = [], 0
    for block in BLOCK.finditer(text):
        kept += [re.sub(r"[^\n]", "", text[end : block.start(1)]), block[1]]
        end = block.end(1)
    return "".join(kept)


def test_there_are_pages():
    assert len(PAGES) == 16


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT / "docs").with_suffix("")))
def test_prints_what_it_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a chapter saves files
    text = sessions(page.read_text(encoding="utf-8"))
    test = doctest.DocTestParser().get_doctest(text, {"__name__": "__main__"}, page.name, str(page), 0)
    assert test.examples
    report: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=report.append)
    assert not report, "".join(report)
