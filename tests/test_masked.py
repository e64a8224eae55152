"""torch.masked: what is left out does not count."""

import importlib
import math

import pytest

from .conftest import torch

masked = importlib.import_module(f"{torch.__name__}.masked")
X = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
MASK = [[True, False, True], [False, False, False]]


@pytest.mark.parametrize(
    "name, args, want",
    [
        ("sum", (1,), [4.0, 0.0]),
        ("prod", (1,), [3.0, 1.0]),
        ("amax", (1,), [3.0, -math.inf]),
        ("amin", (1,), [1.0, math.inf]),
        ("mean", (1,), [2.0, math.nan]),
        ("median", (1,), [1.0, math.nan]),
        ("var", (1,), [2.0, math.nan]),
        ("norm", (2.0, 1), [math.sqrt(10), 0.0]),
        ("argmax", (1,), [2.0, 0.0]),
        ("cumsum", (1,), [[1.0, 1.0, 4.0], [0.0, 0.0, 0.0]]),
        ("logsumexp", (1,), [math.log(math.exp(1) + math.exp(3)), -math.inf]),
    ],
)
def test_reductions(name, args, want):
    x, mask = torch.tensor(X), torch.tensor(MASK)
    got = getattr(masked, name)(x, *args, mask=mask)
    assert torch.allclose(got, torch.tensor(want), equal_nan=True)


def test_softmax_and_its_gradient():
    x = torch.tensor(X, dtype=torch.float64, requires_grad=True)
    mask = torch.tensor(MASK)
    y = masked.softmax(x, 1, mask=mask)
    first = 1 / (1 + math.exp(2))  # 1 and 3 are what the mask leaves
    assert torch.allclose(y[0], torch.tensor([first, 0.0, 1 - first], dtype=torch.float64))
    (g,) = torch.autograd.grad(y[0, 0], x)
    assert g[0, 1] == 0
    assert g[0, 0].item() == pytest.approx(-g[0, 2].item())


def test_masks_broadcast_to_the_input():
    x = torch.tensor(X)
    assert masked.sum(x, 0, mask=torch.tensor([True, False, True])).tolist() == [5.0, 0.0, 9.0]
    with pytest.raises(IndexError, match="broadcastable mask"):
        masked.sum(x[0], 0, mask=torch.tensor(MASK))
    with pytest.raises(ValueError, match="dtype"):
        masked.mean(x.long(), 0)
