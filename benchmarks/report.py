"""The table, the page and the chart made from a run."""

import math
from collections import namedtuple

from .cases import GROUP_TARGETS, GROUPS

Row = namedtuple("Row", "case ratio kept jax error flops most")
Row.__doc__ = """ratio: PyTorch's median over rushlight's (kept: of the PyTorch that keeps its memory; jax: JAX's).

most: the ratio of a rushlight that does all its arithmetic at the machine's peak, and nothing else."""


def rows(result, cases):
    out = []
    peak = (result["limits"].get("peak") or 0) * 1e9
    for c in cases:
        t = result["cases"][c.name]
        mine, theirs = t.get("rushlight"), t.get("torch")
        if not isinstance(mine, float) or not isinstance(theirs, float):
            out.append(Row(c, None, None, None, mine if isinstance(mine, str) else str(theirs), 0, None))
            continue
        kept = t["kept"] / mine if isinstance(t.get("kept"), float) else None
        jax = t["jax"] / mine if isinstance(t.get("jax"), float) else None
        # Of float32: short floats have instructions of their own.
        most = theirs * peak / c.flops if peak and c.flops and c.group != "short" else None
        out.append(Row(c, theirs / mine, kept, jax, None, c.flops / mine, most))
    return out


def beyond(r):
    """Whether the machine's peak itself falls short of the row's target."""
    return r.most is not None and r.most < r.case.target


def missed(r):
    """What a row falls short of, or an empty string."""
    if r.ratio is None:
        return "missing"
    short = []
    if r.ratio < r.case.target:
        short.append("ratio")
    if r.kept is not None and r.case.kept and r.kept < r.case.kept:
        short.append("kept")
    return ", ".join(short)


def geomean(values):
    values = [v for v in values if v]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else float("nan")


def _number(x):
    return "" if x is None else f"{x:.2f}" if x < 10 else f"{x:.1f}"


def _peak(limits):
    return (
        f"{limits['peak']:.0f} GFLOP/s at its peak (fused multiply-adds in registers), " if limits.get("peak") else ""
    )


def _start_lines(result, candidate):
    s = result.get("start")
    if not s:
        return []
    mine, theirs = s[candidate], s["torch"]

    def mark(value, limit):
        return "" if value <= limit else "MISS"

    return [
        ("import, ms", mine["seconds"] * 1e3, theirs["seconds"] * 1e3, 50, mark(mine["seconds"] * 1e3, 50)),
        ("process after import, MB", mine["rss"], theirs["rss"], 25, mark(mine["rss"], 25)),
        ("of that added by the import, MB", mine["added"], theirs["added"], None, ""),
        ("installed, MB", mine["installed"], theirs["installed"], 15, mark(mine["installed"], 15)),
    ]


def summary(result, table):
    out = []
    for group in GROUPS:
        mine = [r for r in table if r.case.group == group]
        if not mine:
            continue
        g = geomean(r.ratio for r in mine)
        target = GROUP_TARGETS.get(group)
        line = f"{GROUPS[group]}: geometric mean {g:.2f}"
        if target:
            line += f" (target {target}{'' if g >= target else ', MISS'})"
        bad = [r for r in mine if missed(r)]
        line += f"; {len(mine) - len(bad)} of {len(mine)} reach their targets"
        if far := sum(beyond(r) for r in bad):
            line += f", {far} could not at the machine's peak"
        kept = [r.kept for r in mine if r.kept]
        if kept:
            line += f"; against kept memory {geomean(kept):.2f}"
        out.append(line)
    return out


def text(result, table, candidate):
    lim = result["limits"]
    out = [
        f"{candidate} {result['versions']['rushlight']} and PyTorch {result['versions']['torch']}, {result['threads']} threads",
        f"machine: {_peak(lim)}PyTorch's large float32 product {lim['gflops']:.0f}; {lim['gbs']:.1f} GB/s adding warm arrays",
        "ratio = PyTorch's time / rushlight's; kept: PyTorch with a malloc that keeps its memory",
        "",
        f"{'case':58} {'target':>7} {'ratio':>7} {'kept':>7}",
    ]
    for r in table:
        flops = f"  {r.flops / 1e9:.0f} GFLOP/s" if r.flops else ""
        jax = f"  JAX {r.jax:.2f}" if r.jax else ""
        note = f"  <- {missed(r)}" if missed(r) else ""
        if missed(r) and r.most:
            note += f" (at most {_number(r.most)})"
        tail = r.error[:60] if r.error else ""
        out.append(
            f"{r.case.name:58} {_number(r.case.target):>7} {_number(r.ratio):>7} {_number(r.kept):>7}{flops}{jax}{note} {tail}"
        )
    out += ["", *summary(result, table)]
    for name, loss in result.get("contended", {}).items():
        mine, theirs = loss.get("rushlight"), loss.get("torch")
        mark = "  <- loses more than the core" if mine and mine > 2.2 else ""
        out.append(f"with one core busy, {name}: {_number(mine)} times slower (PyTorch {_number(theirs)}){mark}")
    for label, mine, theirs, target, mark in _start_lines(result, candidate):
        goal = f" (target {target})" if target else ""
        out.append(f"{label}: {mine:.1f}, PyTorch {theirs:.1f}{goal} {mark}")
    return "\n".join(out)


def page(result, table, candidate):
    lim = result["limits"]
    out = [
        "# Performance",
        "",
        f"Written by `make bench`: {candidate} beside PyTorch {result['versions']['torch']}, {result['threads']} threads each, both on",
        "the same machine in one run. Each library has a process of its own, which is stopped while another is timed; the",
        "figure is the median of batches taken in turn. Ratios only: PyTorch's time over rushlight's, so 2 means twice as fast.",
        "*kept* is the ratio against a PyTorch whose malloc is told to keep its memory. **Bold** falls short of its target.",
        "",
        f"The machine: {_peak(lim)}{lim['gflops']:.0f} in a large float32 product of PyTorch's; {lim['gbs']:.1f} GB/s adding",
        "arrays in warm memory. *At most*, beside a row that falls short, is the ratio that the peak itself would give: the time of",
        "its arithmetic alone, where no algorithm does with less.",
        "",
        "![How many times as fast as PyTorch, by group](performance.svg)",
        "",
        *[f"- {line}" for line in summary(result, table)],
    ]
    for group, title in GROUPS.items():
        mine = [r for r in table if r.case.group == group]
        if not mine:
            continue
        out += ["", f"## {title}", ""]
        if group == "bulk":
            out += ["| operation | 1e3 | 1e5 | 1e7 | kept 1e3 | kept 1e5 | kept 1e7 |", "|---|---|---|---|---|---|---|"]
            by = {}
            for r in mine:
                by.setdefault(r.case.name.rsplit(" ", 1)[0], {})[r.case.size] = r
            for name, sizes in by.items():
                cells = [_cell(sizes.get(s), "ratio") for s in ("1e3", "1e5", "1e7")]
                cells += [_cell(sizes.get(s), "kept") for s in ("1e3", "1e5", "1e7")]
                out.append(f"| {name} | " + " | ".join(cells) + " |")
            continue
        extra = "GFLOP/s" if group == "matmul" else "JAX"
        out += [f"| case | target | ratio | kept | {extra} |", "|---|---|---|---|---|"]
        for r in mine:
            last = (
                f"{r.flops / 1e9:.0f}" if group == "matmul" and r.flops else _number(r.jax) if group != "matmul" else ""
            )
            out.append(
                f"| {r.case.name} | {_number(r.case.target)} | {_cell(r, 'ratio')} | {_cell(r, 'kept')} | {last} |"
            )
    if result.get("contended"):
        out += ["", "## With another process busy on one core", "", "Times slower than on an idle machine.", ""]
        out += ["| case | rushlight | PyTorch |", "|---|---|---|"]
        for name, loss in result["contended"].items():
            out.append(f"| {name} | {_number(loss.get('rushlight'))} | {_number(loss.get('torch'))} |")
    if result.get("start"):
        out += ["", "## Start and size", "", "| | rushlight | PyTorch | target |", "|---|---|---|---|"]
        for label, mine, theirs, target, mark in _start_lines(result, candidate):
            value = f"**{mine:.1f}**" if mark else f"{mine:.1f}"
            out.append(f"| {label} | {value} | {theirs:.1f} | {target or ''} |")
    return "\n".join(out) + "\n"


def _cell(r, what):
    if r is None:
        return ""
    value = getattr(r, what)
    if value is None:
        return "missing" if r.error and what == "ratio" else ""
    short = value < (r.case.target if what == "ratio" else r.case.kept or 0)
    if not short:
        return _number(value)
    return f"**{_number(value)}**" + (f" (at most {_number(r.most)})" if what == "ratio" and r.most else "")


def _lanes(table):
    """(title, ratios) of each group, and of each size of the large one."""
    for group, title in GROUPS.items():
        mine = [r for r in table if r.case.group == group and r.ratio]
        if group != "bulk":
            yield title, [r.ratio for r in mine]
            continue
        for size in ("1e3", "1e5", "1e7"):
            kind = "Pointwise operations, reductions and the rest"
            yield f"{kind}: {size} elements", [r.ratio for r in mine if r.case.size == size]


def chart(table, path):
    """A dot for each case on a logarithmic scale of ratios; matplotlib is an extra, so its absence is no error."""
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot as plt
    except ImportError:
        print("no chart: matplotlib is not installed")
        return
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "rushlight", "font.size": 11})
    lanes = [(title, ratios) for title, ratios in _lanes(table) if ratios]
    # As wide as a phone needs and no wider: names stand above their lanes.
    figure, axis = plt.subplots(figsize=(7, 0.7 + 0.72 * len(lanes)), layout="constrained")
    for y, (title, ratios) in enumerate(lanes):
        heights = [y + 0.11 * (i * 3 % 5 - 2) / 2 for i in range(len(ratios))]
        axis.scatter(ratios, heights, s=26, color="#b3470b", alpha=0.45, linewidth=0, zorder=3)
        mean = geomean(ratios)
        axis.plot([mean, mean], [y - 0.2, y + 0.2], color="#222222", linewidth=2.5, zorder=4)
        place = {"transform": axis.get_yaxis_transform(), "va": "center"}
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1}
        axis.text(0.01, y - 0.42, f"{title}: {mean:.1f}", **place, bbox=box)
    axis.set_xscale("log")
    axis.axvline(1, color="#333333", linewidth=1)
    axis.set_ylim(len(lanes) - 0.6, -0.75)
    axis.set_yticks([])
    axis.set_xticks([0.5, 1, 2, 5, 10, 20, 50, 100], ["0.5", "1", "2", "5", "10", "20", "50", "100"])
    axis.minorticks_off()
    axis.grid(axis="x", color="#dddddd", linewidth=0.6)
    axis.set_axisbelow(True)
    axis.set_xlabel("times as fast as PyTorch: a dot for each case, a bar for the geometric mean")
    for side in ("top", "right", "left"):
        axis.spines[side].set_visible(False)
    low, high = axis.get_xlim()
    axis.set_xlim(min(low, 0.4), max(high, 2))
    figure.savefig(path, metadata={"Date": None} if str(path).endswith("svg") else None)
    plt.close(figure)
