"""python -m benchmarks: rushlight and PyTorch in turn, in one run; writes docs/performance.md and its chart.

Each library lives in a process of its own, stopped while another is timed, so that no spinning thread pool disturbs
the other's figures. A figure is the median of several batches taken in turn; only ratios are reported.
"""

import argparse
import importlib.util
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from . import report
from .cases import CASES, CONTENDED

ROOT = Path(__file__).resolve().parent.parent
# What a machine without AVX-512 runs.
AVX2 = {
    "RUSHLIGHT_CPU": "avx2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}
KEEP = "glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=17179869184"


def environment():
    """The caller's, with this checkout first on the path."""
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, "PYTHONPATH": path}


class Worker:
    def __init__(self, label, library, threads, tunables=""):
        self.label = label
        env = {**environment(), "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
        if tunables:
            env["GLIBC_TUNABLES"] = tunables
        command = [sys.executable, "-m", "benchmarks.worker", library, str(threads)]
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.version = self._read()["version"]
        self.stop()

    def _read(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the {self.label} process ended (exit status {self.process.wait()})")
        return json.loads(line)

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)

    def ask(self, **request):
        self.process.send_signal(signal.SIGCONT)
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            return self._read()
        finally:
            self.stop()

    def close(self):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.close()
        self.process.wait()


def measure(case, workers, rounds, batch, budget):
    """{label: seconds or error text}"""
    out, numbers, live = {}, {}, []
    for w in workers:
        setup, statement = (case.setup, case.statement) if w.label != "jax" else case.jax
        reply = w.ask(setup=setup, statement=statement)
        if "error" in reply:
            out[w.label] = reply["error"]
            continue
        live.append(w)
        numbers[w.label] = max(1, int(batch / max(min(reply["first"], reply["second"]), 1e-8)))
    if live:
        spent = time.perf_counter()
        taken = {w.label: [] for w in live}
        for i in range(rounds):
            for w in live if i % 2 == 0 else reversed(live):
                taken[w.label].append(w.ask(number=numbers[w.label])["seconds"])
            if i >= 2 and time.perf_counter() - spent > budget:
                break
        out.update({label: statistics.median(t) for label, t in taken.items()})
    for w in workers:
        w.ask(drop=True)
    return out


def start_up(library, repeat):
    """Median seconds to import, and resident megabytes: of the whole process and more than a bare interpreter."""
    code = (
        "import time, resource\n"
        "r0 = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "t = time.perf_counter()\n"
        f"import {library}\n"
        "t = time.perf_counter() - t\n"
        "r1 = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(t, r1 / 1024, (r1 - r0) / 1024)"
    )
    env = environment()
    runs = []
    for _ in range(repeat + 1):
        text = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env).stdout
        runs.append([float(v) for v in text.split()])
    runs = runs[1:]
    return {k: statistics.median(r[i] for r in runs) for i, k in enumerate(("seconds", "rss", "added"))}


def installed_size(library):
    spec = importlib.util.find_spec(library)
    folder = Path(next(iter(spec.submodule_search_locations)))
    files = (p for p in folder.rglob("*") if p.is_file() and "__pycache__" not in p.parts and ".asan." not in p.name)
    return sum(p.stat().st_size for p in files) / 1e6


def peak(threads, avx2):
    """GFLOP/s of fused multiply-adds in registers, by a small program; None without a compiler for it."""
    compiler = shutil.which(os.environ.get("CXX", "g++"))
    if not compiler:
        return None
    machine = "-march=x86-64-v3" if avx2 else "-march=native"
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "peak"
        command = [compiler, "-O2", machine, "-ffp-contract=fast", "-pthread", str(ROOT / "benchmarks/peak.cpp"), "-o"]
        subprocess.run([*command, str(program)], check=True)
        text = subprocess.run([str(program), str(threads)], capture_output=True, text=True, check=True).stdout
    return float(text)


def limits(worker):
    """What PyTorch makes of the machine in a large product, in GFLOP/s, and what a stream over warm memory does, in GB/s."""

    def best(setup, statement, number):
        worker.ask(setup=setup, statement=statement)
        got = min(worker.ask(number=number)["seconds"] for _ in range(5))
        worker.ask(drop=True)
        return got

    n = 1536
    product = (
        2 * n**3 / best(f"a = torch.rand({n}, {n}); b = torch.rand({n}, {n}); c = a @ b", "torch.mm(a, b, out=c)", 3)
    )
    stream = "a = torch.rand(20_000_000); b = torch.rand(20_000_000); c = a + b"
    return {"gflops": product / 1e9, "gbs": 3 * 80e6 / best(stream, "torch.add(a, b, out=c)", 3) / 1e9}


def contended(workers, cases, rounds, batch, budget):
    """How many times slower each library gets when another process keeps one core busy."""
    idle = {c.name: measure(c, workers, rounds, batch, budget) for c in cases}
    core = max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
    busy = subprocess.Popen([sys.executable, "-c", f"import os\nos.sched_setaffinity(0, {{{core}}})\nwhile True: pass"])
    try:
        loaded = {c.name: measure(c, workers, rounds, batch, budget) for c in cases}
    finally:
        busy.kill()
        busy.wait()
    return {
        name: {
            label: loaded[name][label] / t
            for label, t in times.items()
            if isinstance(t, float) and isinstance(loaded[name][label], float)
        }
        for name, times in idle.items()
    }


def main(argv=None):
    p = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    p.add_argument("--candidate", default="rushlight")
    p.add_argument("--only", default="", help="comma separated parts of case or group names")
    p.add_argument("--quick", action="store_true", help="fewer rounds, no third and fourth process")
    p.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1))
    p.add_argument("--json", type=Path)
    p.add_argument("--docs", type=Path, default=ROOT / "docs")
    p.add_argument("--avx2", action="store_true", help="both libraries without AVX-512; leaves docs/ alone")
    p.add_argument("--no-write", action="store_true", help="print the table, leave docs/ alone")
    a = p.parse_args(argv)
    if a.avx2:
        os.environ.update(AVX2)

    parts = [x for x in a.only.split(",") if x]
    cases = [c for c in CASES if not parts or any(x in c.name or x == c.group for x in parts)]
    rounds, batch, budget = (5, 0.003, 1.0) if a.quick else (9, 0.01, 3.0)
    mine = Worker("rushlight", a.candidate, a.threads)
    theirs = Worker("torch", "torch", a.threads)
    workers = [mine, theirs]
    if not a.quick:
        if sys.platform.startswith("linux"):
            workers.append(Worker("kept", "torch", a.threads, KEEP))
        if importlib.util.find_spec("jax") and any(c.jax for c in cases):
            workers.append(Worker("jax", "jax", a.threads))
    result = {"versions": {w.label: w.version for w in workers}, "threads": a.threads, "cases": {}}
    try:
        result["limits"] = {**limits(theirs), "peak": peak(a.threads, a.avx2)}
        for i, c in enumerate(cases):
            if sys.stderr.isatty():
                print(f"\r{i + 1}/{len(cases)} {c.name:60.60}", end="", file=sys.stderr, flush=True)
            used = [
                w
                for w in workers
                if w.label in ("rushlight", "torch") or (w.label == "kept" and c.kept) or (w.label == "jax" and c.jax)
            ]
            result["cases"][c.name] = measure(c, used, rounds, batch, budget)
        if not parts or "contended" in parts:
            chosen = [c for c in CASES if c.name in CONTENDED]
            result["contended"] = contended([mine, theirs], chosen, rounds, batch, budget)
    finally:
        for w in workers:
            w.close()
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if not parts or "import" in parts:
        result["start"] = {
            lib: {**start_up(lib, 3 if a.quick else 7), "installed": installed_size(lib)}
            for lib in (a.candidate, "torch")
        }
    if a.json:
        a.json.write_text(json.dumps(result, indent=1))
    shown = report.rows(result, cases)
    print(report.text(result, shown, a.candidate))
    if not (a.no_write or a.avx2 or parts):
        a.docs.mkdir(exist_ok=True)
        (a.docs / "performance.md").write_text(report.page(result, shown, a.candidate))
        report.chart(shown, a.docs / "performance.svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
