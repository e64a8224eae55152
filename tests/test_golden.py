"""Results and gradients recorded from PyTorch (tests/golden): the core operators on every kind of input."""

import json
import math
from pathlib import Path

import pytest

from .conftest import torch
from .golden.cases import CASES
from .golden.spec import key, run

VALUES = json.loads((Path(__file__).parent / "golden" / "values.json").read_text())
BY_OP = {}
for _name, _args, _kwargs in CASES:
    BY_OP.setdefault(_name, {})[key(_name, _args, _kwargs)] = (_args, _kwargs)
# relative, absolute
TOLERANCE = {
    "float32": (3e-6, 2e-6),
    "float64": (1e-9, 1e-10),
    "float16": (2e-3, 1e-3),
    "bfloat16": (1.7e-2, 1e-2),
    "complex64": (3e-6, 2e-6),
    "complex128": (1e-9, 1e-10),
}

# PyTorch rounds the 1/6 in hardsigmoid's gradient to float32 whatever the dtype.
TOLERANCE_OF = {("nn.functional.hardsigmoid", "float64"): (5e-8, 0)}
# PyTorch's vector loop gives gelu(inf) = NaN, its scalar one inf; rushlight gives inf.
INF_FOR_NAN = {"nn.functional.gelu"}


def close(got, want, tolerance):
    if isinstance(got, complex):
        real, imag = want.split("|")
        return close(got.real, real, tolerance) and close(got.imag, imag, tolerance)
    if isinstance(got, float):
        want = float(want)
        if math.isnan(want) or math.isnan(got):
            return math.isnan(want) and math.isnan(got)
        if math.isinf(want) or math.isinf(got):
            return want == got
        rel, absolute = tolerance
        return abs(got - want) <= absolute + rel * abs(want)
    return int(got) == int(want)


def check(op, tensors, recorded, what):
    assert len(tensors) == len(recorded), what
    for t, (dtype, shape, data) in zip(tensors, recorded):
        assert str(t.dtype) == f"torch.{dtype}", what
        assert list(t.shape) == shape, what
        flat = t.resolve_conj().reshape(-1).tolist() if dtype.startswith("complex") else t.reshape(-1).tolist()
        expected = data.split()
        tolerance = TOLERANCE_OF.get((op, dtype), TOLERANCE.get(dtype))
        bad = [(i, g, w) for i, (g, w) in enumerate(zip(flat, expected)) if not close(g, w, tolerance)]
        if op in INF_FOR_NAN:
            bad = [b for b in bad if not (b[1] == math.inf and b[2] == "nan")]
        assert not bad, (
            f"{what}: at {bad[0][0]} got {bad[0][1]!r}, PyTorch {bad[0][2]} ({len(bad)} of {len(flat)} differ)"
        )


@pytest.mark.parametrize("op", BY_OP)
def test_equals_pytorch(op):
    for k, (args, kwargs) in BY_OP[op].items():
        recorded = VALUES.get(k)
        if recorded is None:  # PyTorch refuses it
            continue
        results, grads = run(torch, op, args, kwargs)
        check(op, results, recorded["out"], k)
        if "grad" in recorded:
            assert grads is not None, f"{k}: nothing requires grad"
            check(op, grads, recorded["grad"], f"gradient of {k}")
