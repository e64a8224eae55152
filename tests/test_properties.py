"""Properties that hold for every input, on generated shapes, strides and indices; NumPy is the oracle."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from .conftest import torch

settings.register_profile("here", deadline=None, max_examples=60)
settings.load_profile("here")

SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)
INTS = hnp.arrays(np.int64, SHAPES, elements=st.integers(-50, 50))
FLOATS = hnp.arrays(np.float64, SHAPES, elements=st.floats(-100, 100))


def same(tensor, array):
    assert tuple(tensor.shape) == array.shape
    np.testing.assert_array_equal(tensor.numpy(), array)


@st.composite
def strided(draw, arrays=INTS):
    """The same values as a tensor in some memory layout and as an array."""
    array = draw(arrays)
    order = draw(st.permutations(range(array.ndim)))
    inverse = [order.index(d) for d in range(array.ndim)]
    return torch.from_numpy(array.transpose(order).copy()).permute(inverse), array


@given(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=4), st.data())
def test_arithmetic_broadcasts_as_numpy(shapes, data):
    a, b = (data.draw(hnp.arrays(np.int64, s, elements=st.integers(-9, 9))) for s in shapes.input_shapes)
    x, y = torch.from_numpy(a), torch.from_numpy(b)
    same(x + y, a + b)
    same(x * y, a * b)
    same(torch.maximum(x, y), np.maximum(a, b))
    same(x < y, a < b)
    same(torch.where(x < y, x, y), np.where(a < b, a, b))


@given(strided())
def test_layout_does_not_matter(pair):
    tensor, array = pair
    same(tensor + 1, array + 1)
    same(tensor.contiguous(), array)
    same(tensor.clone() * tensor, array * array)
    assert tensor.sum().item() == array.sum()
    assert tensor.tolist() == array.tolist()


@given(strided(), st.data())
def test_reductions_over_an_axis(pair, data):
    tensor, array = pair
    if array.ndim == 0:
        return
    dim = data.draw(st.integers(-array.ndim, array.ndim - 1))
    same(tensor.sum(dim), array.sum(dim))
    same(tensor.prod(dim, keepdim=True), array.prod(dim, keepdims=True))
    same(tensor.cumsum(dim), array.cumsum(dim))
    if array.shape[dim]:
        same(tensor.amax(dim), array.max(dim))
        same(tensor.argmin(dim), array.argmin(dim))
        same(tensor.sort(dim).values, np.sort(array, dim))


@given(INTS, st.data())
def test_basic_indexing(array, data):
    index = data.draw(hnp.basic_indices(array.shape, allow_newaxis=True).filter(_positive_steps))
    same(torch.from_numpy(array)[index], np.asarray(array[index]))


def _positive_steps(index):
    parts = index if isinstance(index, tuple) else (index,)
    return all(not isinstance(p, slice) or p.step is None or p.step > 0 for p in parts)


@given(INTS.filter(lambda a: a.ndim > 0 and a.size > 0), st.data())
def test_integer_and_mask_indexing(array, data):
    rows = data.draw(hnp.arrays(np.int64, st.integers(0, 6), elements=st.integers(-array.shape[0], array.shape[0] - 1)))
    same(torch.from_numpy(array)[torch.from_numpy(rows)], array[rows])
    mask = data.draw(hnp.arrays(np.bool_, array.shape))
    same(torch.from_numpy(array)[torch.from_numpy(mask)], array[mask])
    changed = torch.from_numpy(array.copy())
    changed[torch.from_numpy(mask)] = 7
    same(changed, np.where(mask, 7, array))


@given(INTS, st.data())
def test_shapes_come_back(array, data):
    tensor = torch.from_numpy(array)
    order = data.draw(st.permutations(range(array.ndim)))
    inverse = [order.index(d) for d in range(array.ndim)]
    same(tensor.permute(order).permute(inverse), array)
    same(tensor.reshape(-1) if array.size else tensor.flatten(), array.reshape(-1))
    if array.ndim:
        dim = data.draw(st.integers(0, array.ndim - 1))
        same(torch.cat(tensor.unbind(dim) and [t.unsqueeze(dim) for t in tensor.unbind(dim)] or [tensor], dim), array)
        same(tensor.flip(dim), np.flip(array, dim))
        same(torch.roll(tensor, 2, dim), np.roll(array, 2, dim))


@given(FLOATS.filter(lambda a: a.size > 0))
def test_gradient_of_a_sum_of_squares(array):
    x = torch.from_numpy(array.copy()).requires_grad_()
    (x * x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 2 * array)


@given(st.integers(0, 2**63 - 1), st.integers(0, 70))
def test_a_seed_gives_one_stream(seed, n):
    torch.manual_seed(seed)
    first = torch.rand(n).tolist()
    torch.manual_seed(seed)
    assert torch.rand(n).tolist() == first
    assert sorted(torch.randperm(n).tolist()) == list(range(n))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "int16", "uint8"])
@given(data=st.data())
def test_conversion_there_and_back(dtype, data):
    array = data.draw(hnp.arrays(np.int64, SHAPES, elements=st.integers(0, 127)))
    tensor = torch.from_numpy(array)
    assert torch.equal(tensor.to(getattr(torch, dtype)).long(), tensor)
