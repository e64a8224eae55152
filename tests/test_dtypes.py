"""dtypes, their aliases and limits, and type promotion (tests/golden/promotion.json, recorded from PyTorch)."""

import json
from pathlib import Path

import numpy as np
import pytest

from .conftest import CANDIDATE, torch
from .golden.record_promotion import DTYPES, table

PROMOTION = json.loads((Path(__file__).parent / "golden" / "promotion.json").read_text())


@pytest.mark.parametrize("section", PROMOTION)
def test_promotion(section):
    mine = table(torch, section)
    # There is no complex32 here: half meets complex in complex64, also where PyTorch has no kernel for complex32.
    wide = {"complex32": "complex64"}
    half = {k for k in PROMOTION[section] if "float16" in k and "bfloat16" not in k and ("complex" in k or "1j" in k)}
    expected = {k: wide.get(v, v) for k, v in PROMOTION[section].items() if not (v == "error" and k in half)}
    wrong = {k: (mine.get(k), v) for k, v in expected.items() if mine.get(k) != v}
    assert not wrong, f"{len(wrong)} of {len(mine)} differ (got, PyTorch): {dict(list(wrong.items())[:8])}"


def test_aliases():
    for alias, name in {
        "float": "float32",
        "double": "float64",
        "half": "float16",
        "long": "int64",
        "int": "int32",
        "short": "int16",
        "cfloat": "complex64",
        "cdouble": "complex128",
    }.items():
        assert getattr(torch, alias) is getattr(torch, name)


@pytest.mark.parametrize("name", DTYPES)
def test_properties(name):
    d = getattr(torch, name)
    assert repr(d) == f"torch.{name}"
    assert d.is_floating_point == ("float" in name)
    assert d.is_complex == name.startswith("complex")
    assert d.is_signed == (name not in ("uint8", "bool"))
    assert torch.zeros(2, dtype=d).element_size() == d.itemsize
    assert torch.zeros(2, dtype=d).tolist() == [0, 0]
    assert isinstance(d, torch.dtype) and {d: 1}[d] == 1


def test_limits():
    assert torch.finfo(torch.float32).eps == np.finfo(np.float32).eps
    assert torch.finfo(torch.float64).max == np.finfo(np.float64).max
    assert torch.finfo(torch.bfloat16).bits == 16
    assert torch.finfo(torch.float16).tiny == float(np.finfo(np.float16).tiny)
    assert (torch.iinfo(torch.int8).min, torch.iinfo(torch.int8).max) == (-128, 127)
    assert torch.iinfo(torch.int64).max == 2**63 - 1
    with pytest.raises(TypeError):
        torch.finfo(torch.int32)
    with pytest.raises(TypeError):
        torch.iinfo(torch.float32)


def test_inference_from_data():
    assert torch.tensor([1, 2]).dtype == torch.int64
    assert torch.tensor([1, 2.0]).dtype == torch.float32
    assert torch.tensor([True]).dtype == torch.bool
    assert torch.tensor([1j]).dtype == torch.complex64
    assert torch.tensor([True, 2]).dtype == torch.int64
    assert torch.tensor([]).dtype == torch.float32
    assert torch.arange(3).dtype == torch.int64 and torch.arange(3.0).dtype == torch.float32
    assert torch.full((2,), 1).dtype == torch.int64 and torch.full((2,), True).dtype == torch.bool


def test_default_dtype():
    torch.set_default_dtype(torch.float64)
    try:
        assert torch.get_default_dtype() == torch.float64
        assert torch.tensor([1.0]).dtype == torch.float64 == torch.zeros(1).dtype
        assert torch.tensor([1j]).dtype == torch.complex128
        assert (torch.tensor([1]) / 2).dtype == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


def test_conversions():
    x = torch.tensor([1.9, -1.9, 0.0])
    assert x.int().tolist() == [1, -1, 0] and x.int().dtype == torch.int32
    assert x.long().dtype == torch.int64 and x.bool().tolist() == [True, True, False]
    assert x.double().dtype == torch.float64 and x.half().dtype == torch.float16
    assert x.to(torch.int16).dtype == torch.int16 == x.short().dtype
    assert x.type(torch.float64).dtype == torch.float64
    assert x.to(x.double()).dtype == torch.float64
    assert x.to("cpu", torch.float64).dtype == torch.float64
    assert x.to(torch.float32) is x and x.to(torch.float32, copy=True) is not x
    assert x.type() == "torch.FloatTensor"
    assert torch.tensor([300]).to(torch.uint8).tolist() == [44]
    assert torch.tensor([-1]).to(torch.uint8).tolist() == [255]


def test_rounding_to_halves():
    values = [1.0, 1 / 3, 65504.0, 65520.0, 1e-8, 5.96e-8, -2.5, 1e5]
    with np.errstate(over="ignore"):
        expected = np.array(values, dtype=np.float32).astype(np.float16).tolist()
    assert torch.tensor(values).half().tolist() == expected
    assert torch.tensor([1.00390625, 1.01171875, 3.3895e38]).bfloat16().float().tolist()[:2] == [1.0, 1.015625]


def test_in_place_keeps_the_dtype():
    x = torch.tensor([1, 2])
    x += 1
    assert x.dtype == torch.int64
    with pytest.raises(RuntimeError, match="can't be cast"):
        x += 0.5
    y = torch.ones(2)
    y += torch.tensor([1, 2])
    assert y.dtype == torch.float32


def test_can_cast_and_result_type():
    assert torch.can_cast(torch.int32, torch.float32) and not torch.can_cast(torch.float32, torch.int64)
    assert torch.promote_types(torch.int8, torch.uint8) == torch.int16
    assert torch.result_type(torch.tensor([1]), 1.5) == torch.float32
    assert torch.is_floating_point(torch.ones(1)) and torch.is_complex(torch.tensor(1j))


def test_integers_beyond_int64():
    x = torch.ones(2)
    for big in (
        x + 2**63,
        2**63 * x,
        torch.add(x - 1, 2**63),
        x.fill_(2**63),
        torch.full((2,), 2**63, dtype=torch.float32),
    ):
        assert big.tolist() == [2.0**63] * 2
    assert (torch.zeros(1, dtype=torch.int64) | 0xFFFFFFFFFFFFFFFF).item() == -1
    assert (
        torch.tensor([1.0, 2**70])[1].item() == 2.0**70 and torch.tensor(2**64, dtype=torch.float64).item() == 2.0**64
    )
    assert torch.ones(2).clamp(max=2**63).tolist() == [1, 1] and torch.arange(5)[: 2**70].numel() == 5
    assert torch.arange(5)[-(2**70) : 2].tolist() == [0, 1]


def test_numbers_that_an_integer_dtype_holds_by_wrapping():
    small = torch.zeros(2, dtype=torch.uint8)
    small[0] = -1
    assert small.fill_(-255).tolist() == [1, 1] and torch.tensor(-200, dtype=torch.uint8).item() == 56
    assert torch.tensor([1j, 0j], dtype=torch.bool).tolist() == [True, False]


if CANDIDATE != "torch":

    def test_equals_numpys():
        assert torch.float32 == np.float32 and torch.int64 == np.int64 and torch.float64 == np.dtype("float64")
        assert torch.float32 != np.float64 and torch.float32 != torch.float64


def test_the_next_number_of_16_bits():
    for dtype in (torch.float16, torch.bfloat16):
        x = torch.tensor([0.0, 0.0, 1.0, 1.0, -1.0, float("inf"), 2.0, float("nan")], dtype=dtype)
        y = torch.nextafter(x, torch.tensor([1.0, -1.0, 2.0, 0.0, 0.0, 0.0, 2.0, 0.0], dtype=dtype))
        bits = (x.view(torch.int16).long() + torch.tensor([1, 0, 1, -1, -1, -1, 0, 0])).tolist()
        assert y.view(torch.int16).tolist()[:7] == [bits[0], 1 - 2**15, *bits[2:7]] and y[7].isnan()
