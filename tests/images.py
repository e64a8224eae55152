"""What test_pooling, test_norm_layers and test_resample share: the values recorded by golden/record_images.py."""

import json
from pathlib import Path

from .conftest import torch
from .golden.image_cases import FAMILIES
from .golden.spec import key, run
from .test_golden import check

RECORDED = json.loads((Path(__file__).parent / "golden" / "images.json").read_text())


def functions(family):
    return sorted({name for name, _, _ in FAMILIES[family]})


def check_recorded(family, name):
    found = 0
    for op, args, kwargs in FAMILIES[family]:
        recorded = RECORDED.get(key(op, args, kwargs))
        if op != name or recorded is None:
            continue
        found += 1
        what = key(op, args, kwargs)
        results, grads = run(torch, op, args, kwargs)
        check(op, results, recorded["out"], what)
        if "grad" in recorded:
            assert grads is not None, f"{what}: nothing requires grad"
            check(op, grads, recorded["grad"], f"gradient of {what}")
    assert found


def distinct(*shape, dtype=None):
    """No two elements alike, in no order."""
    n = 1
    for s in shape:
        n *= s
    return ((torch.arange(n) * 7919 % 10007).to(dtype or torch.float64) / 2000 - 2).reshape(shape)


def differentiable(function, *inputs, twice=True):
    inputs = [x.requires_grad_() for x in inputs]
    assert torch.autograd.gradcheck(function, inputs)
    if twice:
        assert torch.autograd.gradgradcheck(function, inputs)
