"""python -m tests.conformance: PyTorch's OpInfo and ModuleInfo databases against rushlight.

Each entry runs in a forked child with a time limit, so a crash or a hang costs one row.
"""

import argparse
import faulthandler
import importlib
import json
import os
import resource
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

from . import report
from .families import FAMILIES, family

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


def parse(argv):
    p = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    p.add_argument("--candidate", default="rushlight", help="module to test (torch tests the harness itself)")
    p.add_argument("--ops", default="", help="comma separated names or full names; a trailing * matches a prefix")
    p.add_argument(
        "--modules", default="", help="the same for modules (Linear, Conv*, or all); the operators then wait"
    )
    p.add_argument("--optimizers", default="", help="the same for optimizers")
    p.add_argument("--family", default="", help="comma separated: " + ", ".join(FAMILIES))
    p.add_argument("--dtype", default="float64,float32,int64,bool", help="comma separated; complex128 is one more")
    p.add_argument("--grad-dtype", default="float64")
    p.add_argument("--parts", default="", help="only these parts: " + ", ".join(PARTS_HELP))
    p.add_argument("--jobs", type=int, default=2)
    p.add_argument("--timeout", type=float, default=60.0, help="seconds for one operator")
    p.add_argument("--json", type=Path, help="write every tally here")
    p.add_argument("--docs", type=Path, default=ROOT / "docs" / "conformance.md")
    p.add_argument("--expected", type=Path, default=HERE / "expected.json")
    p.add_argument("--update", action="store_true", help="rewrite the baseline and the page from this run")
    p.add_argument("-v", "--verbose", action="store_true", help="print every failing row")
    return p.parse_args(argv)


PARTS_HELP = ("forward", "gradient", "gradgrad", "method", "operator", "inplace", "out", "errors")


def chosen(name, plain, patterns):
    return any(name == p or plain == p or p.endswith("*") and name.startswith(p[:-1]) for p in patterns)


def child(op, runner, path, timeout):
    os.setsid()
    devnull = os.open(os.devnull, os.O_WRONLY)
    os.dup2(devnull, 1)
    trace = os.open(path + ".err", os.O_WRONLY | os.O_CREAT)
    os.dup2(trace, 2)
    faulthandler.enable()
    faulthandler.dump_traceback_later(max(timeout - 2, 1), exit=False)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with open(path, "w", buffering=1) as f:

        def emit(part, dtype, tally):
            row = {
                "part": part,
                "dtype": str(dtype).rsplit(".", 1)[-1] if dtype is not None else "",
                "passed": tally.passed,
                "total": tally.total,
                "first": tally.first,
            }
            f.write(json.dumps(row) + "\n")

        try:
            runner.run(op, emit)
            f.write(json.dumps({"part": "end"}) + "\n")
        except BaseException:
            f.write(json.dumps({"part": "end", "first": "the harness failed: " + traceback.format_exc()[-300:]}) + "\n")
    os._exit(0)


def collect(path, why):
    rows = []
    if os.path.exists(path):
        for line in open(path):
            try:
                rows.append(json.loads(line))
            except ValueError:
                why = why or "the output was cut off"
    ended = [r for r in rows if r["part"] == "end"]
    rows = [r for r in rows if r["part"] != "end"]
    if not ended or ended[0].get("first"):
        where = ""
        if os.path.exists(path + ".err"):
            frames = [x.strip() for x in open(path + ".err", errors="replace") if x.strip().startswith("File")]
            where = f" in {frames[0]}" if frames else ""
        reason = ended[0]["first"] if ended else (why or "the process died") + where
        rows.append({"part": "forward", "dtype": "", "passed": 0, "total": 1, "first": reason})
    return rows


def run_all(items, name, runner, a):
    """Every item in a child of its own, `a.jobs` at a time: {name: {rows, seconds}}."""
    results = {}
    running = {}
    todo = list(items)
    done = 0
    with tempfile.TemporaryDirectory() as folder:
        while todo or running:
            while todo and len(running) < a.jobs:
                op = todo.pop(0)
                path = os.path.join(folder, f"{len(todo)}.jsonl")
                pid = os.fork()
                if pid == 0:
                    child(op, runner, path, a.timeout)
                running[pid] = (op, path, time.time())
            time.sleep(0.002)
            for pid, (op, path, since) in list(running.items()):
                got, status = os.waitpid(pid, os.WNOHANG)
                why = ""
                if got == 0:
                    if time.time() - since < a.timeout:
                        continue
                    os.kill(pid, signal.SIGKILL)
                    os.waitpid(pid, 0)
                    why = f"no end after {a.timeout:.0f} s"
                elif os.WIFSIGNALED(status):
                    why = f"crashed with {signal.Signals(os.WTERMSIG(status)).name}"
                del running[pid]
                results[name(op)] = {"rows": collect(path, why), "seconds": round(time.time() - since, 2)}
                done += 1
                if sys.stderr.isatty():
                    print(f"\r{done}/{len(items)} {name(op):60.60}", end="", file=sys.stderr, flush=True)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return results


def main(argv=None):
    a = parse(argv)
    start = time.time()
    sys.path.insert(0, str(ROOT))
    import torch
    from torch.testing._internal.common_methods_invocations import op_db

    from .compare import PARTS, Runner, full_name

    torch.set_num_threads(1)
    candidate = importlib.import_module(a.candidate)
    if hasattr(candidate, "set_num_threads"):
        candidate.set_num_threads(1)
    parts = tuple(a.parts.split(",")) if a.parts else PARTS
    runner = Runner(candidate, a.dtype.split(","), a.grad_dtype.split(",") if a.grad_dtype else [], parts)
    names = a.ops.split(",") if a.ops else []
    wanted = a.family.split(",") if a.family else []
    everything = not (names or wanted or any(getattr(a, key) for key in databases()))
    ops = [
        op
        for op in op_db
        if (everything or names or wanted)
        and (not names or chosen(full_name(op), op.name, names))
        and (not wanted or family(full_name(op)) in wanted)
    ]
    # Long ones first, so that no worker is left alone with one at the end.
    slow = ("nn.functional.conv", "nn.functional.linear_cross", "nn.functional.cross", "masked.", "nn.functional.max_u")
    ops.sort(key=lambda op: not full_name(op).startswith(slow))

    code = 0
    if ops:
        results = run_all(ops, full_name, runner, a)
        table = report.build(results)
        whole = len(ops) == len(op_db) and not a.parts
        print(report.summary(table))
        if a.verbose or len(ops) < 20:
            print(report.failures(table))
        if a.json:
            a.json.write_text(json.dumps({n: results[n] for n in sorted(results)}, indent=1))
        if whole and a.docs and a.candidate == "rushlight":
            report.write_section(a.docs, "operators", report.page(table, torch.__version__.split("+")[0]))
        code |= report.check(table, a.expected, update=a.update and a.candidate == "rushlight", whole=whole)
    for key, database in databases().items():
        patterns = getattr(a, key).split(",") if getattr(a, key) else []
        if patterns or everything:
            code |= run_database(key, database, patterns, candidate, a)
    print(f"{time.time() - start:.0f} s")
    return code


def databases():
    """The databases beside the operators'. Each module has entries, name, a runner, PARTS, DECIDING and section."""
    from . import modules, optimizers

    return {
        "modules": (modules, modules.ModuleRunner),
        "optimizers": (optimizers, optimizers.OptimizerRunner),
    }


def run_database(key, database, patterns, candidate, a):
    import torch

    lib, runner = database
    every = lib.entries()
    items = [e for e in every if not patterns or "all" in patterns or chosen(lib.name(e), lib.name(e), patterns)]
    table = report.build(run_all(items, lib.name, runner(candidate), a))
    whole = len(items) == len(every)
    print(report.brief(table, key, lib.PARTS, lib.DECIDING))
    if a.verbose or len(items) < 20:
        print(report.failures(table, lib.PARTS))
    if whole and a.docs and a.candidate == "rushlight":
        report.write_section(a.docs, key, lib.section(table, torch.__version__.split("+")[0]))
    update = a.update and a.candidate == "rushlight"
    return report.check(table, a.expected, update, whole, key, key, lib.PARTS, lib.DECIDING)


if __name__ == "__main__":
    sys.exit(main())
