"""Shared by the tests of recurrent, attention and loss layers: a recorded case against rushlight's values."""

import json
from pathlib import Path

from .conftest import torch
from .golden.sequence_cases import CASES, some

TABLE = json.loads((Path(__file__).parent / "golden" / "sequence.json").read_text())


def names(*functions):
    """The recorded cases of these functions of sequence_cases.py."""
    return [name for name in TABLE if name.split(" ")[0] in functions]


def check(name, tolerance=2e-5):
    results = CASES[name](torch)
    assert len(results) == len(TABLE[name])
    for i, (got, want) in enumerate(zip(results, TABLE[name], strict=True)):
        assert list(got.shape) == want["shape"], f"result {i}"
        got = some(got.detach().double().reshape(-1).tolist())
        scale = max([abs(v) for v in want["values"] if abs(v) < float("inf")], default=1.0) + 1e-3
        for a, b in zip(got, want["values"], strict=True):
            assert a == b or abs(a - b) <= tolerance * scale or (a != a and b != b), f"result {i}: {a} instead of {b}"
