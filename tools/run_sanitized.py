"""Runs tests with the sanitized core: run_sanitized.py BUILD_DIR TEST...

The sanitized module is put, with a copy of the package and the tests, beside its build, so that the ordinary one in the
checkout stays untouched and processes that tests start find the sanitized one. The sanitizers' runtimes must be loaded before the interpreter, which itself is not sanitized: its
leaks (it frees little at exit) are not reported, every error is fatal.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RUN = "import rushlight._C, pytest, sys; assert 'site' in rushlight._C.__file__; sys.exit(pytest.main(sys.argv[1:]))"


def runtime(name: str) -> str:
    compiler = os.environ.get("CXX", "c++")
    return subprocess.run(
        [compiler, f"-print-file-name={name}"], capture_output=True, text=True, check=True
    ).stdout.strip()


def main() -> int:
    build, tests = Path(sys.argv[1]).resolve(), sys.argv[2:]
    site = build / "site"
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree(ROOT / "rushlight", site / "rushlight", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    for name in ("tests", "examples", "docs"):
        shutil.copytree(ROOT / name, site / name, ignore=shutil.ignore_patterns("__pycache__", "reference"))
    for path in [ROOT / "pyproject.toml", *ROOT.glob("*.md")]:
        shutil.copy(path, site)
    for module in build.glob("_C*.so"):
        shutil.copy(module, site / "rushlight")

    environment = dict(os.environ)
    environment.update(
        LD_PRELOAD=" ".join([runtime("libasan.so"), runtime("libubsan.so"), runtime("libstdc++.so.6")]),
        PYTHONMALLOC="malloc",
        ASAN_OPTIONS="detect_leaks=0:halt_on_error=1:abort_on_error=0:allocator_may_return_null=1",
        UBSAN_OPTIONS="halt_on_error=1:print_stacktrace=1",
        PYTHONDONTWRITEBYTECODE="1",
    )
    command = [sys.executable, "-c", RUN, "--timeout=600", *tests]
    # --capture=sys leaves the real stderr open for the report of an error that ends the process.
    return subprocess.run([*command, "-p", "no:cacheprovider", "--capture=sys"], cwd=site, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
