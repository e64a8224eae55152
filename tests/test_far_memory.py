"""Results larger than the caches are written in another way: the same values, wherever a chunk begins and ends."""

import numpy as np
import pytest

from .conftest import torch

ROWS, COLUMNS = 2503, 4001  # 40 MB of float32


@pytest.fixture(scope="module")
def operands():
    torch.manual_seed(0)
    x, y = torch.rand(ROWS, COLUMNS), torch.rand(ROWS, COLUMNS)
    return x, y, x.numpy(), y.numpy()


FORMS = {
    "tensors": lambda t, x, y: x + y,
    "a number": lambda t, x, y: x * 2.0,
    "a row": lambda t, x, y: x + y[0],
    "a column": lambda t, x, y: x - y[:, :1],
    "transposed": lambda t, x, y: x.T + y.T,
    "one transposed": lambda t, x, y: x.reshape(COLUMNS, ROWS).T * y,
    "shifted": lambda t, x, y: x.reshape(-1)[1:] + y.reshape(-1)[:-1],
    "rows left out": lambda t, x, y: x[1:, 1:] + y[:-1, :-1],
    "turned around": lambda t, x, y: t.flip(x, (0,)),
    "turned around twice": lambda t, x, y: t.flip(x, (0, 1)),
    "turned around within rows": lambda t, x, y: t.flip(x, (1,)),
    "one behind the other": lambda t, x, y: (t.cat if t is torch else t.concatenate)([x, y[3:]]),
    "side by side": lambda t, x, y: (t.cat if t is torch else t.concatenate)([x, y[:, :777]], 1),
    "narrow ones side by side": lambda t, x, y: (t.cat if t is torch else t.concatenate)([x, y[:, :7]], 1),
    "a condition": lambda t, x, y: t.where(x < y, x, y),
}


@pytest.mark.parametrize("form", FORMS)
def test_values(operands, form):
    x, y, of_x, of_y = operands
    assert np.array_equal(FORMS[form](torch, x, y).numpy(), FORMS[form](np, of_x, of_y))


@pytest.mark.parametrize("dtype", ["float64", "float16", "int64", "complex64"])
def test_conversions(operands, dtype):
    x, _, of_x, _ = operands
    x, of_x = x * 100, of_x * np.float32(100)
    assert np.array_equal(x.to(getattr(torch, dtype)).numpy(), of_x.astype(dtype))
    back = x.to(getattr(torch, dtype)).to(torch.float64)[1:, 1:] if dtype != "complex64" else None
    assert back is None or np.array_equal(
        (back + x[1:, 1:]).numpy(), of_x.astype(dtype).astype("d")[1:, 1:] + of_x[1:, 1:]
    )


def test_rows_by_index(operands):
    x, _, of_x, _ = operands
    order = torch.randperm(ROWS)
    assert np.array_equal(x.index_select(0, order).numpy(), of_x[order.numpy()])
    some = torch.randperm(ROWS * COLUMNS // 100)
    assert np.array_equal(
        x.reshape(-1)[3:][: len(some) * 100].reshape(-1, 100)[some].numpy(),
        of_x.reshape(-1)[3:][: len(some) * 100].reshape(-1, 100)[some.numpy()],
    )


def test_into_memory_that_begins_anywhere(operands):
    x, y, of_x, of_y = operands
    for shift in (0, 1, 5):
        memory = torch.full((ROWS * COLUMNS + 40,), -1.0)
        out = memory[shift : shift + ROWS * COLUMNS].view(ROWS, COLUMNS)
        torch.add(x, y, out=out)
        assert np.array_equal(out.numpy(), of_x + of_y)
        out.copy_(x)
        assert np.array_equal(out.numpy(), of_x)
        assert (memory[:shift] == -1).all() and (memory[shift + ROWS * COLUMNS :] == -1).all()


def test_in_place(operands):
    x, y, of_x, of_y = operands
    z = x.clone()
    z += y
    z *= 2.0
    z.sub_(y[0])
    assert np.array_equal(z.numpy(), (of_x + of_y) * np.float32(2) - of_y[0])


def test_one_thread_gives_the_same_bits(operands):
    x, y, _, _ = operands
    threads = torch.get_num_threads()
    several = [x.sigmoid(), x + y[0], x.to(torch.float64), x.flip(0)]
    try:
        torch.set_num_threads(1)
        single = [x.sigmoid(), x + y[0], x.to(torch.float64), x.flip(0)]
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(a, b) for a, b in zip(several, single, strict=True))
