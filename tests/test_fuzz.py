"""No call of an op, however wrong its arguments, ends the process."""

import os
import subprocess
import sys

import pytest

from .conftest import CANDIDATE, ROOT

pytestmark = pytest.mark.skipif(CANDIDATE == "torch", reason="tests rushlight's core")
CALLS = int(os.environ.get("RUSHLIGHT_FUZZ_CALLS", "1500"))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_call_crashes(seed):
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz_ops", str(seed), str(CALLS)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0 and done.stdout.startswith("done"), (
        done.returncode,
        done.stdout[-500:],
        done.stderr[-3000:],
    )
