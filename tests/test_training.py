"""Under the same seed, training follows PyTorch's losses (tests/training/record.py) for the first hundred steps."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import CANDIDATE, ROOT

FOLDER = Path(__file__).parent / "training"
SCRIPTS = sorted(p.with_suffix(".py") for p in FOLDER.glob("*.txt"))


def test_there_are_scripts():
    assert {p.stem for p in SCRIPTS} == {"mlp", "cnn", "lstm", "transformer", "vae"}


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
    assert expected[-1] < 0.95 * expected[0]  # it does learn
