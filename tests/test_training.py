"""Under the same seed, training follows PyTorch's losses (tests/training/record.py) for the first hundred steps."""

import math
import os
import subprocess
import sys
from pathlib import Path
from statistics import fmean

import pytest

from .conftest import CANDIDATE, ROOT

FOLDER = Path(__file__).parent / "training"
SCRIPTS = sorted(p.with_suffix(".py") for p in FOLDER.glob("*.txt"))
# What a model that knows nothing loses (a guess among ten classes or 31 letters, or at 144 pixels), and what the last ten
# steps are below. The letters are drawn with a random bit, so that nobody gets below log 2 = 0.69.
FROM_TO = {
    "mlp": (math.log(10), 0.25),
    "cnn": (math.log(10), 0.01),
    "lstm": (math.log(31), 1.6),
    "transformer": (math.log(31), 1.0),
    "vae": (144 * math.log(2), 94.0),
}


def test_there_are_scripts():
    assert {p.stem for p in SCRIPTS} == set(FROM_TO)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda p: p.stem)
def test_follows_pytorch(script):
    command = [sys.executable, *(["-m", "rushlight"] if CANDIDATE == "rushlight" else []), str(script)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=env)
    assert done.returncode == 0, done.stderr
    losses = [float(x) for x in done.stdout.split()]
    expected = [float(x) for x in script.with_suffix(".txt").read_text().split()]
    assert len(expected) == 100
    assert losses == pytest.approx(expected, rel=1e-4)
    ignorant, learned = FROM_TO[script.stem]
    assert losses[0] == pytest.approx(ignorant, rel=0.05)  # the first weights are small, not zero
    assert fmean(losses[-10:]) < learned
