"""Checks the Markdown files: links point at files and headings that exist, quoted code is what stands in the code.

A fence after a line `<!-- from core/ops/a.cpp -->` is a quote of that file.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
QUOTE = re.compile(r"^<!-- from (\S+) -->\s*^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """The names that a renderer gives to the headings."""
    found: set[str] = set()
    for heading in re.findall(r"^#+\s+(.+?)\s*#*$", FENCE.sub("", text), re.MULTILINE):
        plain = re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        name = re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
        while name in found:
            name += "-1"
        found.add(name)
    return found | set(re.findall(r'<a (?:id|name)="([^"]+)"', text))


def broken(file: Path) -> list[str]:
    text = file.read_text(encoding="utf-8")
    found = []
    for target in LINK.findall(re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        to = (file.parent / path).resolve() if path else file
        if not to.exists():
            found.append(f"{file.relative_to(ROOT)}: {target} does not exist")
        elif anchor and to.suffix == ".md" and anchor not in anchors(to.read_text(encoding="utf-8")):
            found.append(f"{file.relative_to(ROOT)}: no heading {anchor} in {to.relative_to(ROOT)}")
    for source, code in QUOTE.findall(text):
        if not (ROOT / source).exists() or code.rstrip() not in (ROOT / source).read_text(encoding="utf-8"):
            found.append(f"{file.relative_to(ROOT)}: the code quoted from {source} is not what stands there")
    return found


def main() -> int:
    files = sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))
    found = [line for file in files for line in broken(file)]
    print("\n".join(found) if found else f"links of {len(files)} pages are sound")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
