"""Random streams equal PyTorch's bit for bit (tests/golden/random_table.json); normals in double within 2 ulp."""

import copy
import hashlib
import json
import math
import pickle
from pathlib import Path

import pytest

from .conftest import torch

TABLE = json.loads((Path(__file__).parent / "golden" / "random_table.json").read_text())
BITS = {"float32": 23, "float64": 52, "float16": 10, "bfloat16": 7, "complex64": 23, "complex128": 52}
# Each family (the call without its numbers) is one test.
FAMILIES = {}
for _e in TABLE["entries"]:
    name = _e["call"]
    for part in ("(", "."):
        name = name.replace(part, " ")
    words = [w for w in name.split() if w.strip("_").isalpha() and w not in ("torch", "full", "empty", "dtype")]
    FAMILIES.setdefault(f"{'-'.join(dict.fromkeys(words))}-{_e['dtype']}", []).append(_e)


def flatten(values):
    for v in values:
        if isinstance(v, list):
            yield from flatten(v)
        else:
            yield v


def digest(t):
    return hashlib.sha256(t.view(torch.uint8).numpy().tobytes()).hexdigest()[:16]


def ulps(got, want, bits):
    if got == want or math.isnan(got) and math.isnan(want):
        return 0
    if not (math.isfinite(got) and math.isfinite(want)):
        return math.inf
    return abs(got - want) / 2.0 ** (math.frexp(want)[1] - 1 - bits if want else -1074)


@pytest.mark.parametrize("family", FAMILIES)
def test_stream(family):
    for e in FAMILIES[family]:
        torch.manual_seed(TABLE["seed"])
        eval(TABLE["before"], {"torch": torch})
        got = eval(e["call"], {"torch": torch}).contiguous().reshape(-1)
        state = torch.get_rng_state()
        call = e["call"]
        assert str(got.dtype) == "torch." + e["dtype"], call
        assert got.numel() == math.prod(e["shape"]), call
        if digest(got) != e["sha256"]:
            head = got if "values" in e else got[:4]
            head = torch.view_as_real(head) if head.is_complex() else head
            mine = list(flatten(head.tolist()))
            want = list(flatten(e.get("values", e.get("first"))))
            assert e.get("approximate"), f"{call}: {mine} instead of {want}"
            far = max(map(lambda g, w: ulps(g, w, BITS.get(e["dtype"], 0)), mine, want), default=0)
            assert far <= 2, f"{call}: {far} ulp: {mine} instead of {want}"
        if not e.get("approximate"):
            assert digest(state) == e["state"], f"{call}: the state afterwards"


def test_known_values():
    torch.manual_seed(42)
    assert [round(v, 4) for v in torch.rand(3).tolist()] == [0.8823, 0.9150, 0.3829]
    torch.manual_seed(42)
    assert [round(v, 4) for v in torch.randn(2, 2).flatten().tolist()] == [0.3367, 0.1288, 0.2345, 0.2303]


def test_generator():
    g = torch.Generator().manual_seed(5)
    first = torch.rand(4, generator=g)
    state = g.get_state()
    again = torch.rand(4, generator=g)
    g.set_state(state)
    assert torch.equal(torch.rand(4, generator=g), again)
    assert torch.equal(torch.rand(4, generator=g.manual_seed(5)), first)
    assert g.initial_seed() == 5
    torch.manual_seed(5)
    assert torch.equal(torch.rand(4), first)


def test_state_of_the_default_generator():
    state = torch.get_rng_state()
    assert state.dtype == torch.uint8 and state.numel() == 5056
    x = torch.randn(5)
    torch.set_rng_state(state)
    assert torch.equal(torch.randn(5), x)
    with torch.random.fork_rng():
        torch.rand(100)
    y = torch.rand(3)
    torch.set_rng_state(state)
    torch.randn(5)
    assert torch.equal(torch.rand(3), y)


def test_negative_and_large_seeds():
    torch.manual_seed(-1)
    a = torch.rand(2)
    torch.manual_seed(2**64 - 1)
    assert torch.equal(a, torch.rand(2))
    assert torch.initial_seed() == 2**64 - 1


def test_linear_starts_with_pytorchs_weights():
    torch.manual_seed(0)
    layer = torch.nn.Linear(1, 1)
    assert round(layer.weight.item(), 4) == -0.0075 and round(layer.bias.item(), 4) == 0.5364


@pytest.mark.parametrize(
    ("seed", "error"), [(2**64, ValueError), (-(2**64), ValueError), ("a", RuntimeError), (1.5, RuntimeError)]
)
def test_seeds_that_generators_refuse(seed, error):
    with pytest.raises(error, match="Overflow|expected a long"):
        torch.Generator().manual_seed(seed)


def test_a_generator_is_copied_and_pickled_with_its_state():
    layer = torch.nn.Linear(2, 2)
    layer.seed = kept = torch.manual_seed(5)  # as many networks do
    torch.rand(3)
    copies = [copy.deepcopy(kept), pickle.loads(pickle.dumps(kept))]
    copies.append(copy.deepcopy(layer).seed)
    expected = torch.rand(4)
    for g in copies:
        assert g is not kept and g.initial_seed() == 5 and torch.rand(4, generator=g).equal(expected)
