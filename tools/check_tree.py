"""The rules of the house that no linter knows: short files, arrows that run one way, no leftovers.

Run over the files that git tracks; prints every offence and exits with 1 when there is one.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

MAX_LINES = 1000
SOURCES = {".py", ".pyi", ".h", ".cpp", ".cu", ".md", ".toml", ".yml", ".yaml", ".sh", ".txt", ""}
GENERATED_OR_RECORDED = ("tests/golden/", "docs/conformance.md", "LICENSE")

# The rooms of core/, lowest first: a room includes itself and the rooms below it.
ROOMS = ["runtime", "tensor", "kernels", "autograd", "ops", "graph", "python"]
# kernels and autograd stand side by side above tensor; kernels know only element types and the runtime.
NOT_ALLOWED = {("autograd", "kernels"), ("kernels", "autograd")}
KERNELS_MAY_SEE = {f"tensor/{name}.h" for name in ("dtype", "generator", "scalar", "small_vector")}  # plain data

FORBIDDEN = {
    re.compile(r"-ffast-math"): "breaks the promise of equal bits",
    re.compile(r"^(<{7} |>{7} |={7}$)", re.MULTILINE): "a merge marker",
    re.compile(r"\bbreakpoint\(\)|\bpdb\.set_trace"): "a debugger call",
    re.compile(r"/(?:work)/|/tmp/[A-Z]"): "a path of one machine",
    re.compile(r"#include\s+[<\"](torch|ATen|c10)/"): "rushlight does not use PyTorch's code",
    re.compile(r"\bFIXME\b|\bXXX\b"): "an unfinished thought; say it in an issue",
}
THIS = "tools/check_tree.py"


def layering(path: str, text: str) -> list[str]:
    parts = path.split("/")
    if parts[0] != "core" or len(parts) < 3 or parts[1] not in ROOMS:
        return []
    room, offences = parts[1], []
    for include in re.findall(r'^#include "([^"]+)"', text, re.MULTILINE):
        other = include.split("/")[0]
        if other not in ROOMS:
            continue
        too_high = ROOMS.index(other) > ROOMS.index(room) or (room, other) in NOT_ALLOWED
        if room == "kernels" and other == "tensor" and include not in KERNELS_MAY_SEE:
            too_high = True
        if too_high:
            offences.append(f"{path}: {room}/ must not include {include}")
    if room != "python" and re.search(r"#include\s+<Python\.h>", text):
        offences.append(f"{path}: Python.h belongs to core/python/ only")
    return offences


def offences_of(path: str, text: str) -> list[str]:
    found = []
    lines = text.count("\n")
    if lines > MAX_LINES and not path.startswith(GENERATED_OR_RECORDED):
        found.append(f"{path}: {lines} lines; the limit is {MAX_LINES}")
    if path != THIS and not path.endswith(".md"):  # prose may name what code may not do
        for pattern, why in FORBIDDEN.items():
            for match in pattern.finditer(text):
                line = text.count("\n", 0, match.start()) + 1
                found.append(f"{path}:{line}: {match.group(0).strip()!r}: {why}")
    return found + layering(path, text)


def main() -> int:
    root = Path(__file__).resolve().parent.parent
    listed = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True).stdout
    found = []
    for path in listed.splitlines():
        file = root / path
        if file.suffix in SOURCES and file.is_file():
            found += offences_of(path, file.read_text(encoding="utf-8", errors="replace"))
    print("\n".join(found) if found else "the tree is in order")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
