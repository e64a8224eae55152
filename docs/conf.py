"""The documentation site: `make site` builds it into site/.

Sphinx with MyST and the Furo theme: the pages are the Markdown that is read in the repository too, the README being the
first, the reference comes from the docstrings, search works in English and Chinese, and all three are kept well.
"""

import re
import shutil
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

project = "rushlight"
author = "The rushlight developers"
copyright = author
try:
    release = metadata.version("rushlight")
except metadata.PackageNotFoundError:
    release = next(
        line.split('"')[1] for line in (ROOT / "pyproject.toml").read_text().splitlines() if line.startswith("version")
    )

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton"]
root_doc = "README"
# The pages are the Markdown at the top and in docs/; docs/index.md lists them where there is no sidebar.
exclude_patterns = [f"{path.name}" for path in ROOT.iterdir() if path.is_dir() and path.name != "docs"]
exclude_patterns += ["CODE_OF_CONDUCT.md", "docs/index.md"]
CONTENTS = """
```{toctree}
:hidden:

docs/tutorial/index
中文说明 <README.zh-CN>
docs/zh/tutorial/index
docs/examples
docs/vision
docs/saving
docs/reference/index
docs/compatibility
docs/conformance
docs/performance
ARCHITECTURE
CONTRIBUTING
CHANGELOG
```
"""
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence", "attrs_inline"]
myst_heading_anchors = 3
# Links to sources beside docs/ work where the repository is read; headings of the reference repeat.
suppress_warnings = ["myst.xref_missing", "myst.header", "autodoc.duplicate_object", "ref.duplicate"]

default_role = "py:obj"  # `name` in a docstring: code, and a link where there is something of that name
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": True}
autodoc_typehints = "none"
copybutton_prompt_text = r">>> |\.\.\. ?|\$ "
copybutton_prompt_is_regexp = True

html_theme = "furo"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_title = "rushlight"
html_search_language = "zh"  # jieba splits Chinese into words and leaves English as it is
html_search_options = {"dict": str(ROOT / "docs" / "zh" / "terms.txt")}  # words that it would split
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#b3470b", "color-brand-content": "#b3470b"},
    "dark_css_variables": {"color-brand-primary": "#ff9a5c", "color-brand-content": "#ff9a5c"},
}


def in_doctests(app, what, name, obj, options, lines):
    """Docstrings are plain text with examples; a stray * or | in a formula is not markup."""
    inside = False
    for i, line in enumerate(lines):
        inside = line.lstrip().startswith((">>>", "...")) or (inside and bool(line.strip()))
        if not inside:
            parts = re.split(r"(`+[^`]+`+_?)", line)  # what stands in backticks is marked up on purpose
            parts[::2] = [re.sub(r"([*|]|(?<=\w)_(?!\w))", r"\\\1", part) for part in parts[::2]]
            lines[i] = "".join(parts)


def with_contents(app, name, source):
    """The README, which is read elsewhere too, gets the site's table of contents here."""
    if name == root_doc:
        source[0] += CONTENTS


def finish(app, error):
    """The first page under its usual name too, and a search that finds its stemmer."""
    if error:
        return
    shutil.copy(Path(app.outdir, f"{root_doc}.html"), Path(app.outdir, "index.html"))
    # Sphinx 9 stems the English words of a Chinese index, but looks for the stemmer under the language's name.
    data = Path(app.outdir, "_static", "language_data.js")
    data.write_text(data.read_text(encoding="utf-8").replace("ChineseStemmer", "EnglishStemmer"), encoding="utf-8")


def setup(app):
    app.connect("autodoc-process-docstring", in_doctests)
    app.connect("source-read", with_contents)
    app.connect("build-finished", finish)
