"""The examples run to their end; they need scikit-learn, Pillow and Matplotlib."""

import importlib.util
import os
import subprocess
import sys

import pytest

from .conftest import CANDIDATE, ROOT

EXAMPLES = {
    "tensor_drills": [],
    "mnist_mlp_logsoftmax": ["--epochs", "1"],
    "image_dataset_augmentation": ["--epochs", "1"],
    "lr_schedule": ["--epochs", "2"],
    "focal_loss": ["--epochs", "2"],
    "cnn": ["--epochs", "1"],
    "vae": ["--epochs", "1"],
    "lstm_text": ["--epochs", "1"],
    "gpt": ["--steps", "3"],
}
missing = [name for name in ("sklearn", "PIL", "matplotlib") if importlib.util.find_spec(name) is None]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}"),
    pytest.mark.skipif(CANDIDATE != "rushlight", reason="scripts for `python -m rushlight`"),
]


def test_every_example_is_tried():
    scripts = {p.stem for p in (ROOT / "examples").glob("*.py")} - {"digits"}  # that one is `make demo`
    assert scripts == set(EXAMPLES)


@pytest.mark.parametrize("name", EXAMPLES)
def test_runs(name, tmp_path):
    picture = tmp_path / "picture.png"
    command = [sys.executable, "-m", "rushlight", str(ROOT / "examples" / f"{name}.py"), "--picture", str(picture)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([*command, *EXAMPLES[name]], capture_output=True, text=True, env=env, timeout=120)
    assert done.returncode == 0, done.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
