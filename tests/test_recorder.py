"""_C._record lists the ops that a function calls, with the shapes and dtypes of what they took and gave."""

import pytest

from .conftest import CANDIDATE, torch

pytestmark = pytest.mark.skipif(CANDIDATE == "torch", reason="rushlight's own recorder")


def names(calls):
    return [call[0] for call in calls]


def test_chain():
    x = torch.ones(2, 3)
    result, calls = torch._C._record(lambda v: torch.relu(v * 2).sum(0), x)
    assert result.tolist() == [4, 4, 4]
    assert [n.split(".")[0] for n in names(calls)] == ["mul", "relu", "sum"]
    name, inputs, outputs = calls[1]
    (producer, output, shape, dtype) = inputs[0]
    assert (producer, output) == (0, 0), "relu reads what the first op gave"
    assert tuple(shape) == (2, 3) and dtype is torch.float32
    assert tuple(calls[2][2][0][2]) == (3,)


def test_outside_inputs_have_no_producer():
    _, calls = torch._C._record(lambda v: v + v, torch.ones(4, dtype=torch.int64))
    assert all(value[0] < 0 for value in calls[0][1]) and calls[0][1][0][3] is torch.int64


def test_in_place_methods_and_modules():
    def f(x):
        layer = torch.nn.Linear(3, 2)
        y = layer(x)
        y.add_(1)
        return y

    result, calls = torch._C._record(f, torch.ones(4, 3))
    assert result.shape == (4, 2)
    assert any(n.startswith(("linear", "addmm")) for n in names(calls))
    assert any(n.startswith("add") for n in names(calls))


def test_an_error_ends_the_recording():
    def f(x):
        x + 1
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        torch._C._record(f, torch.ones(1))
    _, calls = torch._C._record(lambda: None)
    assert calls == []


def test_nested():
    with pytest.raises(RuntimeError, match="already"):
        torch._C._record(lambda: torch._C._record(lambda: None))
