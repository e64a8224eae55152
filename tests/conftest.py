"""`torch` in these tests is rushlight; RUSHLIGHT_TEST_CANDIDATE=torch runs them on PyTorch, to test the tests."""

import importlib
import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CANDIDATE = os.environ.get("RUSHLIGHT_TEST_CANDIDATE", "rushlight")
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
torch = importlib.import_module(CANDIDATE)


@pytest.fixture(autouse=True)
def _same_start():
    torch.manual_seed(0)
    torch.set_grad_enabled(True)
    yield
    torch.set_grad_enabled(True)
    torch.set_default_dtype(torch.float32)
