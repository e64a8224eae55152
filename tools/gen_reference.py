"""Writes docs/reference/: every operation from the registry, and a page of each room of the package.

The package's pages only name its functions and classes; the site (Sphinx) fills in their docstrings.

python tools/gen_reference.py [--output docs/reference]
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import re
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import gen_stubs
import schema as schemas

# page: (title, modules as globs under rushlight/)
ROOMS = {
    "torch": ("More functions of torch", ["__init__.py"]),
    "nn": ("Layers", ["nn/__init__.py", "nn/modules/*.py", "nn/parameter.py", "nn/attention/*.py", "nn/parallel/*.py"]),
    "functional": ("Functions of layers", ["nn/functional.py", "nn/_functional/*.py", "nn/init.py", "nn/utils/*.py"]),
    "autograd": ("Gradients", ["autograd/*.py", "func/__init__.py"]),
    "optim": ("Optimizers", ["optim/*.py", "optim/lr_scheduler/__init__.py"]),
    "data": ("Data", ["utils/data/*.py"]),
    "files": ("Files", ["serialization/__init__.py", "hub.py", "storage.py"]),
    "linalg": ("Linear algebra and signals", ["linalg/__init__.py", "fft.py", "signal/*.py"]),
    "distributions": ("Distributions", ["distributions/*.py"]),
    "vision": ("Vision", ["vision/*.py", "vision/*/*.py", "vision/transforms/v2/*.py"]),
    # What is shown above is not shown again.
    "rest": ("Everything else", ["*.py", "*/*.py", "utils/benchmark/*.py", "utils/serialization/*.py"]),
}
NOTE = "<!-- made by tools/gen_reference.py -->\n"
# Said once, so that no entry has to.
COMMON = """\
What holds for all of them, unless an entry says otherwise:

- `self` is the tensor that a method is called on; the function takes it first, under the name `input`.
- *Shapes.* Tensors meet by broadcasting: sizes are compared from the last axis on, and where one has 1 or no axis, it is repeated.
  Sizes that do not fit are a `RuntimeError` that names both shapes. An axis may be counted from the end (-1); one that is not there is an
  `IndexError`.
- *Dtypes.* Different dtypes are promoted: bool, then integers, floating, complex; within a kind the wider one. Numbers of Python and 0-d tensors
  count only where their kind is higher. A dtype that an operation lacks is a `RuntimeError` that names it, mostly a `NotImplementedError`.
- `out=` takes a tensor for the result: it gets the result's shape, and its dtype must be of no lower kind (`RuntimeError`). It
  records nothing, so that inputs which require a gradient are a `RuntimeError`.
- `name_` works in place: the result must have the shape of `self` and a kind of dtype that is not above its own (`RuntimeError`). A leaf that
  requires a gradient cannot be changed in place while gradients are recorded, and backward refuses what was changed after it was kept.
- *Gradients* flow to floating and complex inputs; the result's `grad_fn` has PyTorch's name. Gradients of gradients work.
- An argument of the wrong type, a missing or an unknown one, is a `TypeError` that names it.
"""


def readable(signature: str) -> str:
    """A signature without the marks that only a type checker needs."""
    text = signature.removeprefix("def ").removesuffix(": ...")
    for word in ("int", "float", "bool", "complex", "str", "dtype", "device", "layout", "memory_format"):
        text = text.replace(f"_{word}", word)
    return text


def plain(line: str) -> str:
    """Text whose stars and angles mean themselves, but for what stands in backticks."""
    parts = re.split(r"(`[^`]+`)", line)
    parts[::2] = [re.sub(r"([*<])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def markdown(doc: str) -> str:
    """A docstring as Markdown: its examples in fences."""
    found: list[str] = []
    inside = False
    for line in inspect.cleandoc(doc).splitlines():
        if line.startswith(">>>") and not inside:
            found += ["", "```pycon"] if found and found[-1] else ["```pycon"]
            inside = True
        elif not line.strip() and inside:
            found.append("```")
            inside = False
        found.append(line if inside else plain(line))
    return "\n".join([*found, "```"] if inside else found)


def section(name: str, records: list[tuple[schemas.Schema, str, set[str]]], of: str | None = None) -> str:
    """An operation's entry; of: the operation that it is another name of."""
    lines: list[str] = []
    forms: set[str] = set()
    docs: list[str] = []
    for schema, doc, these in records:
        out, numbers = "out" in these, gen_stubs.numbers_in(these)
        forms |= these
        if "function" in these:
            lines += ["torch." + readable(s) for s in schemas.signatures(schema, "function", out, numbers)]
        else:
            lines += [
                "Tensor." + readable(s).replace("self, ", "")
                for s in schemas.signatures(schema, "method", False, numbers)
            ]
        if doc and markdown(doc) not in docs:
            docs.append(markdown(doc))
    docs.sort(key=lambda doc: ">>>" not in doc)
    also = []
    if {"function", "method"} <= forms:
        also.append(f"`Tensor.{name}`")
    if "inplace" in forms:
        also.append(f"`Tensor.{name}_` (in place)")
    text = f"## {name}\n\n```python\n" + "\n".join(dict.fromkeys(lines)) + "\n```\n\n"
    text += f"The same as [{of}]({of[0].lower()}.md#{of.lower()}).\n\n" if of else ""
    text += "\n\n".join(docs) + ("\n\n" if docs else "")
    return text + (f"Also as {' and '.join(also)}.\n\n" if also else "")


def pages(records: Iterable[tuple[str, str, Any]]) -> dict[str, str]:
    """The pages by file name: one for each first letter, and an index."""
    operations: dict[str, list[tuple[schemas.Schema, str, set[str]]]] = defaultdict(list)
    for text, doc, flags in records:
        schema = schemas.parse(text)
        operations[schema.name].append((schema, doc or "", gen_stubs.forms_of(schema, flags)))
    letters: dict[str, list[str]] = defaultdict(list)
    for name in sorted(operations):
        if not name.startswith("_"):
            letters[name[0].lower()].append(name)
    # Another name has the same texts, and was registered later.
    first: dict[tuple[str, ...], str] = {}
    for name, forms in operations.items():
        first.setdefault(tuple(doc for _, doc, _ in forms), name)
    aliases = {name: of for name, forms in operations.items() if (of := first[tuple(d for _, d, _ in forms)]) != name}
    found = {}
    rooms = "".join(f"- [{title}]({page}.md)\n" for page, (title, _) in ROOMS.items())
    index = f"{NOTE}# Reference\n\n{rooms}\n```{{toctree}}\n:hidden:\n\n" + "\n".join(ROOMS) + "\n```\n\n"
    index += f"## Operations\n\nAll {sum(map(len, letters.values()))} operations of the registry. {COMMON}\n"
    for letter, names in sorted(letters.items()):
        body = "".join(section(name, operations[name], aliases.get(name)) for name in names)
        found[f"{letter}.md"] = f"{NOTE}# Operations: {letter.upper()}\n\n{body}"
        index += f"**{letter.upper()}** " + " · ".join(f"[{n}]({letter}.md#{n.lower()})" for n in names) + "\n\n"
    listed = "\n".join(name.removesuffix(".md") for name in found)
    index += f"```{{toctree}}\n:hidden:\n\n{listed}\n```\n"
    return {"index.md": index, **found}


def listed(module: ModuleType) -> list[str]:
    return list(getattr(module, "__all__", None) or vars(module))


def belongs_to(thing: Any, name: str, module: ModuleType) -> bool:
    """Whether the site shows a function or class at this module: where it is defined, or the public face of that."""
    if not callable(thing) or inspect.ismodule(thing) or name.startswith("_"):
        return False
    home = str(getattr(thing, "__module__", None))
    package = module.__name__ if hasattr(module, "__path__") else module.__name__.rpartition(".")[0]
    hidden = any(part.startswith("_") for part in home.split("."))
    # Some classes give PyTorch's home for the sake of pickles, which does not list them.
    homeless = name not in listed(sys.modules.get(home, module))
    exported = name in getattr(module, "__all__", ()) and (hidden or homeless)
    return home == module.__name__ or exported or (hidden and home.startswith(f"{package}._"))


def entry(thing: Any, name: str) -> str:
    kind = "class" if isinstance(thing, type) else "function" if inspect.isroutine(thing) else "data"
    return f".. auto{kind}:: {name}\n"


def beside_the_registry(package: ModuleType, operations: set[str]) -> list[str]:
    """The package's own functions and classes, but for operations, legacy types and what a submodule shows."""
    found = ["Tensor"]
    for name in dir(package):
        if name.startswith("_") or name.removesuffix("_") in operations or name.endswith(("Tensor", "Storage")):
            continue
        thing = getattr(package, name)
        home = str(getattr(thing, "__module__", None))
        if inspect.isbuiltin(thing) or (callable(thing) and home.startswith((f"{package.__name__}._", "torch"))):
            found.append(name)
    return found


def module_pages(package: Path, operations: set[str]) -> dict[str, str]:
    """The pages of the package's rooms: a directive for each module, with the names that it shows."""
    found = {}
    shown: set[int] = set()
    for page, (title, globs) in ROOMS.items():
        text = f"{NOTE}# {title}\n\n"
        for path in (path for pattern in globs for path in sorted(package.glob(pattern))):
            parts = [package.name, *path.relative_to(package).with_suffix("").parts]
            if any(part.startswith("_") for part in parts if part not in ("__init__", "_functional")):
                continue
            name = ".".join(p for p in parts if p != "__init__")
            module = importlib.import_module(name)
            if name == package.name:
                names = beside_the_registry(module, operations)
            else:
                names = [n for n in listed(module) if belongs_to(getattr(module, n, None), n, module)]
            names = [n for n in names if id(getattr(module, n)) not in shown]
            shown |= {id(getattr(module, n)) for n in names}
            # A package whose names are all shown by its modules may still say what holds for them.
            speaks = path.name == "__init__.py" and "\n\n" in (module.__doc__ or "").strip()
            if names or (speaks and f".. automodule:: {name}\n" not in "".join((*found.values(), text))):
                entries = "".join(entry(getattr(module, n), f"{name}.{n}") for n in dict.fromkeys(names))
                text += f"## {name}\n\n```{{eval-rst}}\n.. automodule:: {name}\n   :no-members:\n\n{entries}```\n\n"
        found[f"{page}.md"] = text
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--module", help="the built extension; without it, rushlight._C as it is imported")
    parser.add_argument("--output", type=Path, default=gen_stubs.ROOT / "docs" / "reference")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    records = gen_stubs.load(arguments.module)._schemas()
    operations = {schemas.parse(text).name for text, _, _ in records}
    written = pages(records) | module_pages(gen_stubs.ROOT / "rushlight", operations)
    for name, text in written.items():
        (arguments.output / name).write_text(text.rstrip() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
