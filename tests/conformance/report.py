"""Turns the tallies of a run into the summary, the page and the comparison with the committed baseline."""

import json
import re

from .compare import DECIDING, MEANT, PARTS
from .families import FAMILIES, family, in_core


def build(results):
    """{name: {part: (passed, total, first)}}, parts summed over dtypes."""
    table = {}
    for name in sorted(results):
        parts = {}
        for r in results[name]["rows"]:
            p, t, first = parts.get(r["part"], (0, 0, None))
            why = r["first"]
            if why and r["dtype"] and not first:
                why = f"[{r['dtype']}] {why}"
            parts[r["part"]] = (p + r["passed"], t + r["total"], first or why)
        table[name] = parts
    return table


def status(parts, deciding=DECIDING):
    """pass, fail, or none: the operator has no samples for these dtypes on a CPU."""
    seen = [parts[p] for p in deciding if p in parts and parts[p][1]]
    if not seen:
        return "none"
    return "pass" if all(p == t for p, t, _ in seen) else "fail"


def reason(parts, order=PARTS):
    for p in order:
        if p in parts and parts[p][0] < parts[p][1]:
            return f"{p}: {parts[p][2]}"
    return ""


def verdicts(table, noun, deciding, order):
    """The lines that name what fails, with the reason, and what passes."""
    failing = [n for n, p in table.items() if status(p, deciding) != "pass"]
    lines = [f"| {noun} | first difference |", "|---|---|"] if failing else []
    for n in failing:
        why = reason(table[n], order).replace("|", "\\|").replace("\n", " ")[:160]
        lines.append(f"| `{n}` | {why} |")
    passing = [f"`{n}`" for n in table if n not in failing]
    return [*lines, *([""] if failing else []), "Passing: " + ", ".join(passing)]


def counts(table):
    by = {f: [0, 0] for f in ("core", *FAMILIES)}
    for name, parts in table.items():
        s = status(parts)
        if s == "none":
            continue
        for f in [family(name)] + (["core"] if in_core(name) else []):
            by[f][1] += 1
            by[f][0] += s == "pass"
    return by


def samples(table, part):
    return tuple(sum(p.get(part, (0, 0, None))[i] for p in table.values()) for i in (0, 1))


def summary(table):
    passed = sum(status(p) == "pass" for p in table.values())
    none = sum(status(p) == "none" for p in table.values())
    lines = [
        f"{passed} of {len(table)} operators pass on all samples ({none} have no samples for these dtypes on a CPU)"
    ]
    for part in PARTS:
        p, t = samples(table, part)
        if t:
            lines.append(f"  {part:9} {p} of {t} samples")
    by = counts(table)
    lines.append(f"families of the tensor core: {by['core'][0]} of {by['core'][1]}")
    lines += [f"  {f:9} {by[f][0]} of {by[f][1]}" for f in FAMILIES if by[f][1]]
    return "\n".join(lines)


def failures(table, parts=PARTS):
    return "\n".join(f"{name}: {reason(p, parts)}" for name, p in table.items() if reason(p, parts))


def page(table, version):
    passed = sum(status(p) == "pass" for p in table.values())
    none = [n for n, p in table.items() if status(p) == "none"]
    by = counts(table)
    out = [
        "# Conformance",
        "",
        f"`make conformance` runs the operator database of PyTorch {version} (OpInfo, {len(table)} entries) on",
        "rushlight: every sample input in float64, float32, int64 and bool; gradients and gradients of gradients in",
        "float64; the method, operator, in-place and `out=` spellings of an operator; and its wrong inputs, compared by",
        "exception type. Random operators run under the same seed. Shapes and dtypes must be equal, values within the",
        "tolerances of `torch.testing.assert_close` (float32: or no further from the float64 result than twice PyTorch's",
        "own error; four times for multi_head_attention_forward, whose samples have logits of several hundred). Where PyTorch leaves open which of several equal values is named",
        "(sort, argsort, topk, kthvalue, mode), any is accepted. Not compared: PyTorch's gradient of",
        "as_strided_scatter, which its own gradcheck refuses; its float64 Bessel functions count to 1e-6, which is how",
        "accurate they are; and wrong inputs that rushlight takes otherwise on purpose: "
        + "; ".join(f"`{name}` ({why})" for name, (_, why) in sorted(MEANT.items()))
        + ".",
        "",
        f"**{passed} of {len(table)} operators pass on all their samples.** {len(none)} have no CPU samples for these",
        "dtypes.",
        f"Of the tensor core: {by['core'][0]} of {by['core'][1]}.",
        "",
        "| family | passing | of |",
        "|---|---|---|",
        *[f"| {f} | {by[f][0]} | {by[f][1]} |" for f in FAMILIES if by[f][1]],
        "",
        "| samples | passing | of |",
        "|---|---|---|",
        *[f"| {p} | {s[0]} | {s[1]} |" for p in PARTS if (s := samples(table, p))[1]],
        "",
        "## Not passing yet",
        "",
        "| operator | family | forward | gradient | first difference |",
        "|---|---|---|---|---|",
    ]
    for name, p in table.items():
        if status(p) == "fail":
            cells = ["{}/{}".format(*p[k][:2]) if k in p else "" for k in ("forward", "gradient")]
            why = reason(p).replace("|", "\\|").replace("\n", " ")[:160]
            out.append(f"| `{name}` | {family(name)} | {cells[0]} | {cells[1]} | {why} |")
    wrong = [
        (n, p) for n, p in table.items() if status(p) == "pass" and "errors" in p and p["errors"][0] < p["errors"][1]
    ]
    if wrong:
        out += [
            "",
            "## Passing, but another exception on wrong input",
            "",
            "| operator | same | of | first |",
            "|---|---|---|---|",
        ]
        for n, p in wrong:
            why = (p["errors"][2] or "").replace("|", "\\|").replace("\n", " ")[:160]
            out.append(f"| `{n}` | {p['errors'][0]} | {p['errors'][1]} | {why} |")
    out += ["", "## Passing", ""]
    for f in FAMILIES:
        good = [f"`{n}`" for n, p in table.items() if status(p) == "pass" and family(n) == f]
        if good:
            out += [f"**{f}**: " + ", ".join(good), ""]
    if none:
        out += ["## No samples here", "", ", ".join(f"`{n}`" for n in none), ""]
    return "\n".join(out)


def write_section(path, key, text):
    """Put one section of the page into its place: sections stand between marks, the operators' page before all."""
    old = path.read_text() if path.exists() else ""
    marked = re.compile(r"<!-- (\w+) -->\n(.*?)<!-- /\1 -->\n", re.S)
    sections = {m[1]: m[2] for m in marked.finditer(old)}
    head = marked.sub("", old).rstrip("\n") + "\n"
    if key == "operators":
        head = text.rstrip("\n") + "\n"
    else:
        sections[key] = text.rstrip("\n") + "\n"
    path.parent.mkdir(exist_ok=True)
    path.write_text(head + "".join(f"\n<!-- {k} -->\n{v}<!-- /{k} -->\n" for k, v in sorted(sections.items())))


def brief(table, what, parts, deciding):
    """How many entries of a database pass, and how many samples of each part."""
    passed = sum(status(p, deciding) == "pass" for p in table.values())
    lines = [f"{passed} of {len(table)} {what} pass on all samples"]
    for part in parts:
        p, t = samples(table, part)
        if t:
            lines.append(f"  {part:9} {p} of {t} samples")
    return "\n".join(lines)


def check(table, path, update, whole, key="pass", what="operators", parts=PARTS, deciding=DECIDING):
    """0 when every entry of the baseline (its list `key`) that ran still passes."""
    passing = sorted(n for n, p in table.items() if status(p, deciding) == "pass")
    recorded = json.loads(path.read_text()) if path.exists() else {}
    baseline = recorded.get(key, [])
    lost = [n for n in baseline if n in table and n not in passing]
    new = [n for n in passing if n not in baseline]
    if update:
        kept = [n for n in baseline if n not in table]
        recorded[key] = sorted(set(passing) | set(kept))
        path.write_text(json.dumps(recorded, indent=0) + "\n")
        print(f"baseline written: {len(recorded[key])} {what}")
        return 0
    if new and whole:
        print(f"{len(new)} {what} pass that the baseline does not list (run with --update): {', '.join(new[:20])}")
    for n in lost:
        print(f"REGRESSED {n}: {reason(table[n], parts)}")
    return 1 if lost else 0
