"""Printed text equals PyTorch's to the character (tests/golden/prints.json, recorded by record_prints.py)."""

import json
from pathlib import Path

import pytest

from .conftest import torch

TEXTS = json.loads((Path(__file__).parent / "golden" / "prints.json").read_text())


@pytest.mark.filterwarnings("ignore:The use of `x.T`")  # one expression is there for what it gives all the same
@pytest.mark.parametrize("expression", TEXTS)
def test_prints_as_pytorch(expression):
    from .golden.record_prints import show

    assert show(torch, expression) == TEXTS[expression]


def test_options_are_restored():
    torch.set_printoptions(precision=2)
    try:
        assert str(torch.tensor([1.23456])) == "tensor([1.23])"
    finally:
        torch.set_printoptions(profile="default")
    assert str(torch.tensor([1.23456])) == "tensor([1.2346])"


def test_numbers_in_f_strings():
    x = torch.tensor(3.14159)
    assert f"{x:.2f}" == "3.14"
    assert f"{x}" == "3.141590118408203"
    assert f"{torch.tensor([1.0])}" == "tensor([1.])"
    assert str(torch.Size([2, 3])) == "torch.Size([2, 3])"
    assert repr(torch.float32) == "torch.float32"
    assert repr(torch.device("cpu")) == "device(type='cpu')"


def test_sizes_join():
    for joined in (torch.Size([1]) + (2,), (1,) + torch.Size([2]), torch.Size([1]) + torch.Size([2])):
        assert type(joined) is torch.Size
        assert joined == (1, 2)
    with pytest.raises(TypeError):
        torch.Size([1]) + [2]
