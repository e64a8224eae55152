"""python -m rushlight behaves as python does, and serves `import torch`."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import CANDIDATE, ROOT


def run(*args, cwd=None, stdin=None):
    command = [sys.executable, *(["-m", "rushlight"] if CANDIDATE == "rushlight" else []), *args]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=env, cwd=cwd, input=stdin)


@pytest.fixture
def script(tmp_path):
    def write(text, name="script.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return str(path)

    return write


def ok(done):
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_script_with_arguments(script):
    path = script("import sys, torch\nprint(__name__, sys.argv[1:], torch.ones(2))\nassert sys.argv[0] == __file__")
    assert ok(run(path, "--lr", "0.1")) == "__main__ ['--lr', '0.1'] tensor([1., 1.])\n"


def test_folder_of_the_script_comes_first(script):
    script("value = 5", "helper.py")
    assert ok(run(script("import helper\nprint(helper.value)"))) == "5\n"


def test_module(script, tmp_path):
    script("", "pack/__init__.py")
    script("import sys, torch\nprint(__name__, __package__, sys.argv[1:], torch.zeros(1))", "pack/run.py")
    assert ok(run("-m", "pack.run", "x", cwd=tmp_path)) == "__main__ pack ['x'] tensor([0.])\n"


def test_command():
    assert ok(run("-c", "import sys, torch; print(sys.argv, torch.arange(2))", "a")) == "['-c', 'a'] tensor([0, 1])\n"


def test_standard_input():
    assert ok(run("-", stdin="import torch\nprint(torch.tensor(1))")) == "tensor(1)\n"


@pytest.mark.parametrize(
    "line, code", {"import sys; sys.exit(3)": 3, "import sys; sys.exit()": 0, "raise SystemExit('bye')": 1}.items()
)
def test_exit_status(line, code):
    assert run("-c", line).returncode == code


def test_traceback_starts_in_the_users_file(script):
    path = script("import torch\ndef f():\n    return torch.ones(2) + torch.ones(3)\nf()\n")
    done = run(path)
    assert done.returncode == 1
    frames = [line for line in done.stderr.splitlines() if line.strip().startswith("File")]
    assert path in frames[0] and "line 4" in frames[0]
    assert done.stderr.splitlines()[-1].startswith("RuntimeError") or "RuntimeError" in done.stderr
    assert "runpy" not in done.stderr and "rushlight/__main__" not in done.stderr


def test_syntax_error(script):
    done = run(script("x = = 1\n"))
    assert done.returncode == 1 and "SyntaxError" in done.stderr


def test_missing_file():
    done = run("/no/such/file.py")
    assert done.returncode == 2 and "No such file" in done.stderr


def test_forms_of_import():
    text = """
import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch import nn as n2, Tensor, float32
from torch.utils.data import DataLoader, TensorDataset
from torch.autograd import Function
assert nn is n2 is torch.nn and torch.nn.functional is F
assert isinstance(torch.ones(1), Tensor) and torch.ones(1).dtype is float32
assert Tensor.__module__ == "torch" or True
import sys
assert sys.modules["torch"] is torch and sys.modules["torch.nn"] is nn
print("fine")
"""
    assert ok(run("-c", text)) == "fine\n"


def test_a_library_that_imports_torch(script):
    script("import torch\ndef twice(x):\n    return torch.add(x, x)", "library.py")
    assert ok(run(script("import torch, library\nprint(library.twice(torch.ones(1)))"))) == "tensor([2.])\n"


def test_missing_names():
    done = run("-c", "from torch import no_such_name")
    assert done.returncode == 1 and "ImportError" in done.stderr and "no_such_name" in done.stderr
    done = run("-c", "import torch.no_such_module")
    assert "ModuleNotFoundError" in done.stderr and "no_such_module" in done.stderr
    done = run("-c", "import torch; torch.no_such_name")
    assert "AttributeError" in done.stderr and "no_such_name" in done.stderr


def test_version_looks_like_pytorchs():
    text = "import torch, re; print(bool(re.match(r'2\\.\\d+\\.\\d+', torch.__version__)))"
    assert ok(run("-c", text)) == "True\n"


if CANDIDATE == "rushlight":

    def test_info():
        told = dict(line.split(":", 1) for line in ok(run("--info")).splitlines())
        assert told["instruction set"].strip() in ("scalar", "avx2", "avx512")
        assert int(told["threads"]) >= 1 and Path(told["core"].strip()).is_file()
        assert {"rushlight", "API of PyTorch", "Python", "NumPy"} <= set(told)

    def test_help():
        assert "script" in ok(run("--help"))

    def test_the_library_itself_needs_no_hook():
        done = subprocess.run(
            [sys.executable, "-c", "import sys, rushlight; print('torch' in sys.modules, 'numpy' in sys.modules)"],
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
        assert done.stdout == "False False\n", done.stderr

    def test_workers_see_torch_too(script):
        text = (
            "import torch, multiprocessing as mp\n"
            "def f(n):\n    import torch\n    return torch.ones(n).sum().item()\n"
            "if __name__ == '__main__':\n"
            "    with mp.get_context('fork').Pool(1) as p:\n        print(p.map(f, [1, 2]))\n"
        )
        assert ok(run(script(text))) == "[1.0, 2.0]\n"
