"""Writes rushlight/_C.pyi from the registry of operations, so that type checkers and editors know every signature.

    python tools/gen_stubs.py [--module build/.../_C.so] [--output rushlight/_C.pyi] [--check]

`rushlight._C._schemas()` lists (schema, documentation, flags). The flags say which forms exist: "function", "method",
"inplace", "out"; and, with "number NAME", that a number may stand for that tensor. What the module holds besides operations is
described by tools/stub_prelude.pyi.in or, where that says nothing, by its bare name.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))
import schema as schemas

ROOT = Path(__file__).resolve().parent.parent
PRELUDE = Path(__file__).resolve().parent / "stub_prelude.pyi.in"
FLAGS = ("function", "method", "inplace", "out")
NUMBER = "number "


def load(module: str | None) -> ModuleType:
    sys.path.insert(0, str(ROOT))
    if module is None:
        return importlib.import_module("rushlight._C")
    spec = importlib.util.spec_from_file_location("rushlight._C", module)
    assert spec and spec.loader
    loaded = importlib.util.module_from_spec(spec)
    sys.modules["rushlight._C"] = loaded  # the package's Python part, which is read too, shall not look for another
    spec.loader.exec_module(loaded)
    return loaded


def forms_of(schema: schemas.Schema, flags: Any) -> set[str]:
    """Which forms the flags name; with none named, the function and, where there is a self, the method.

    Functions that return tensors take out= without being asked, as the core's reading of arguments has it.
    """
    named = {flags} if isinstance(flags, str) else set(flags) if isinstance(flags, Iterable) else set()
    named = {flag for flag in named if flag in FLAGS or flag.startswith(NUMBER)}
    if not named & {"function", "method"}:
        named |= {"function", "method"} if schema.self_parameter else {"function"}
    return named | {"out"} if schema.takes_out else named


def numbers_in(forms: Iterable[str]) -> set[str]:
    return {form.removeprefix(NUMBER) for form in forms if form.startswith(NUMBER)}


def overloads(lines: list[str]) -> list[str]:
    lines = list(dict.fromkeys(lines))
    return lines if len(lines) == 1 else [text for line in lines for text in ("@overload", line)]


def members(tree: ast.Module, class_name: str | None = None) -> set[str]:
    """The names that the prelude already declares, in the module or in one of its classes."""
    body: list[ast.stmt] = tree.body
    if class_name is not None:
        body = next((n.body for n in tree.body if isinstance(n, ast.ClassDef) and n.name == class_name), [])
    found = set()
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
        elif isinstance(node, ast.Assign):
            found |= {t.id for t in node.targets if isinstance(t, ast.Name)}
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found |= {alias.asname or alias.name for alias in node.names}
    return found


def python_methods() -> tuple[list[tuple[str, str, Any]], dict[str, Any]]:
    """What the package adds to tensors at run time: compositions, as records; and methods without a schema."""
    compositions = importlib.import_module("rushlight._composite")
    for home in sorted(set(compositions.NAMES.values())):
        importlib.import_module(f"rushlight._composite.{home}")
    records = [(c.schema, "", ["method"]) for _, c in sorted(compositions.REGISTRY.items()) if c.method]
    return records, importlib.import_module("rushlight._tensor_methods").METHODS


def generate(
    records: Iterable[tuple[str, str, Any]], module: ModuleType | None = None, added: dict[str, Any] | None = None
) -> str:
    """The text of the stub; `added` are methods that Python code gives to Tensor."""
    prelude = PRELUDE.read_text()
    tree = ast.parse(prelude)
    taken, tensor_taken = members(tree), members(tree, "Tensor")

    functions: dict[str, list[str]] = {}
    methods: dict[str, list[str]] = {}
    results: dict[str, str] = {}
    for text, _, flags in records:
        schema = schemas.parse(text)
        forms = forms_of(schema, flags)
        out, numbers = "out" in forms, numbers_in(forms)
        name = schemas.result_class(schema)
        if name and name not in results:
            fields = "".join(f"    {field}: {schemas.annotation(type_)}\n" for field, type_ in schema.returns)
            results[name] = f"class {name}(NamedTuple):\n{fields}"
        if "function" in forms:
            functions.setdefault(schema.name, []).extend(schemas.signatures(schema, "function", out, numbers))
        if "method" in forms:
            methods.setdefault(schema.name, []).extend(schemas.signatures(schema, "method", False, numbers))
        if {"inplace", "method"} <= forms:
            methods.setdefault(schema.name + "_", []).extend(schemas.signatures(schema, "inplace", False, numbers))
        if {"inplace", "method", "function"} <= forms:
            signatures = schemas.signatures(schema, "inplace function", False, numbers)
            functions.setdefault(schema.name + "_", []).extend(signatures)

    # The prelude ends with the class Tensor; its methods from the registry follow at once.
    parts = [prelude.rstrip(), ""]
    for name in sorted(set(methods) - tensor_taken):
        parts += ["    " + line for line in overloads(methods[name])]
    tensor = getattr(module, "Tensor", None) if module else None
    others = {name: getattr(tensor, name) for name in vars(tensor)} if tensor else {}
    others.update(added or {})
    for name in sorted(set(others) - set(methods) - tensor_taken):
        if name.isidentifier() and not name.startswith("__"):
            is_method = callable(others[name])
            parts.append(
                f"    def {name}(self, *args: Any, **kwargs: Any) -> Any: ..." if is_method else f"    {name}: Any"
            )
    parts.append("")
    for name in sorted(results):
        parts += [results[name].rstrip(), ""]
    for name in sorted(set(functions) - taken):
        parts += overloads(functions[name])

    known = taken | set(functions) | set(results)
    for name in sorted(vars(module) if module else ()):
        if name not in known and not (name.startswith("__") and name.endswith("__")):
            value = getattr(module, name)
            if isinstance(value, type):
                parts.append(f"class {name}:\n    def __init__(self, *args: Any, **kwargs: Any) -> None: ...")
                parts.append("    def __getattr__(self, name: str) -> Any: ...")
            elif callable(value):
                parts.append(f"def {name}(*args: Any, **kwargs: Any) -> Any: ...")
            else:
                parts.append(f"{name}: Any")
    return "\n".join(parts) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--module", help="the built extension; without it, rushlight._C as it is imported")
    parser.add_argument("--output", type=Path, default=ROOT / "rushlight" / "_C.pyi")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when the file is missing or stale")
    arguments = parser.parse_args()

    module = load(arguments.module)
    records, added = python_methods()
    own = {text.split("(")[0].split(".")[0] for text, _, _ in module._schemas()}
    records = [record for record in records if record[0].split("(")[0] not in own]
    text = generate([*module._schemas(), *records], module, added)
    ast.parse(text)
    if arguments.check:
        fresh = arguments.output.exists() and arguments.output.read_text() == text
        print(f"{arguments.output} is {'fresh' if fresh else 'stale: run make stubs'}")
        return 0 if fresh else 1
    arguments.output.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
