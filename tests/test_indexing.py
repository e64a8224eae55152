"""Indexing and assignment: views, copies, masks and mixed forms, against NumPy and with gradients."""

import numpy as np
import pytest

from .conftest import torch

A = np.arange(120).reshape(2, 3, 4, 5)
I = np.array([0, 2, 1])
M = np.arange(120).reshape(2, 3, 4, 5) % 7 < 3

READS = {
    "0": (0,),
    "-1": (-1,),
    "int int": (1, 2),
    "slice": (slice(0, 1),),
    "step": (slice(None), slice(None, None, 2)),
    "all": (slice(None),),
    "ellipsis": (..., 0),
    "ellipsis middle": (0, ..., 1),
    "none": (None, 0, None),
    "none ellipsis": (..., None),
    "empty tuple": (),
    "empty slice": (slice(5, 2),),
    "negative": (slice(None), slice(-2, None)),
    "array": (slice(None), I),
    "array first": (np.array([1, 0, 1]),),
    "array negative": (np.array([-1, 0]),),
    "array 2d": (slice(None), np.array([[0, 1], [2, 0]])),
    "two arrays": (slice(None), I, I),
    "two arrays apart": (np.array([0, 1, 1]), slice(None), I),
    "broadcast arrays": (slice(None), I[:, None], np.array([0, 3])),
    "array and int": (0, I, 1),
    "int between": (slice(None), I, 1, np.array([0, 1, 2])),
    "array and none": (slice(None), None, I),
    "array and slice": (slice(None), slice(None), np.array([3, 0]), slice(1, 3)),
    "mask whole": (M,),
    "mask 2d": (M[:, :, 0, 0],),
    "mask 1d": (slice(None), np.array([True, False, True])),
    "mask and int": (slice(None), np.array([True, False, True]), 1),
    "mask and array": (np.array([True, True]), np.array([0, 2])),
    "list": (slice(None), [0, 2]),
    "bool list": (slice(None), [True, False, True]),
    "empty array": (np.array([], dtype=np.int64),),
}


def to_torch(key):
    return tuple(torch.from_numpy(k) if isinstance(k, np.ndarray) else k for k in key)


@pytest.mark.parametrize("name", READS)
def test_read(name):
    key = READS[name]
    x = torch.from_numpy(A.copy())
    got = x[to_torch(key)]
    assert tuple(got.shape) == A[key].shape
    assert got.tolist() == A[key].tolist()


@pytest.mark.parametrize("name", READS)
def test_write(name):
    key = READS[name]
    for value in (7, "full", "row"):
        want = A.copy()
        x = torch.from_numpy(A.copy())
        shape = want[key].shape
        if value == "row" and (not shape or shape[-1] == 0):
            continue
        v = 7 if value == 7 else -1 - np.arange(np.prod(shape if value == "full" else shape[-1:], dtype=int))
        if value == "full":
            v = v.reshape(shape)
        want[key] = v
        x[to_torch(key)] = v if value == 7 else torch.from_numpy(np.ascontiguousarray(v))
        assert x.tolist() == want.tolist()


@pytest.mark.parametrize("name", READS)
def test_gradient(name):
    key = READS[name]
    x = torch.from_numpy(A.astype(np.float64)).requires_grad_(True)
    y = x[to_torch(key)]
    w = torch.arange(1.0, y.numel() + 1, dtype=torch.float64).reshape(y.shape)
    (y * w).sum().backward()
    want = np.zeros(A.shape)
    np.add.at(want, key, w.numpy())
    assert x.grad.tolist() == want.tolist()


def test_basic_indexing_is_a_view():
    x = torch.zeros(3, 4)
    for view in (x[0], x[:, 1], x[1:, ::2], x[None], x[..., 0]):
        assert view._is_view() and view.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
    x[1:][0, 2] = 5
    assert x[1, 2] == 5


def test_advanced_indexing_is_a_copy():
    x = torch.zeros(3)
    y = x[torch.tensor([0, 1])]
    y += 1
    assert x.tolist() == [0, 0, 0]


def test_augmented_assignment():
    x = torch.zeros(4)
    x[1:3] += 2
    x[torch.tensor([0, 0])] += 1
    x[x > 1] *= 10
    assert x.tolist() == [1, 20, 20, 0]


def test_assignment_converts_dtype():
    x = torch.zeros(3)
    x[0] = 2
    x[1] = True
    x[2] = torch.tensor(3, dtype=torch.int64)
    assert x.tolist() == [2, 1, 3]
    y = torch.zeros(2, dtype=torch.int64)
    y[0] = 2.7
    assert y.tolist() == [2, 0]


def test_mask_with_too_few_values():
    x = torch.zeros(3)
    with pytest.raises((IndexError, RuntimeError)):
        x[torch.tensor([True, True, True])] = torch.zeros(2)


def test_index_put_accumulate():
    x = torch.zeros(3)
    x.index_put_((torch.tensor([0, 0, 2]),), torch.tensor([1.0, 2.0, 3.0]), accumulate=True)
    assert x.tolist() == [3, 0, 3]


def test_int_like_indices():
    x = torch.arange(5)
    assert x[np.int64(2)] == 2
    assert x[torch.tensor(2)] == 2
    assert x[torch.tensor(1) : torch.tensor(3)].tolist() == [1, 2]
    assert x[True].shape == (1, 5) and x[False].shape == (0, 5)


def test_uint8_mask_and_int32_index():
    x = torch.arange(3)
    assert x[torch.tensor([0, 2], dtype=torch.int32)].tolist() == [0, 2]


def test_iteration_and_unpacking():
    a, b = torch.tensor([[1, 2], [3, 4]])
    assert a.tolist() == [1, 2] and b.tolist() == [3, 4]
    assert [int(v) for v in torch.arange(3)] == [0, 1, 2]
    assert 2 in torch.arange(3) and 5 not in torch.arange(3)
    assert len(torch.zeros(4, 2)) == 4
    assert [v.item() for v in reversed(torch.arange(3))] == [2, 1, 0]


def test_range_of_out_of_bounds_slices():
    x = torch.arange(5)
    assert x[-100:100].tolist() == [0, 1, 2, 3, 4]
    assert x[3:1].tolist() == [] and x[10:].tolist() == []
    assert x[1::3].tolist() == [1, 4]


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 4)])
def test_empty(shape):
    x = torch.zeros(shape)
    assert x[:].shape == shape
    assert x[x > 0].shape == (0,)
    assert x[..., None].shape == (*shape, 1)
    x[x == 0] = 1


@pytest.mark.parametrize("dim", [0, 1])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_index_add_of_whole_rows(dim, dtype):
    """Rows that come more than once are added in the order of the index, for every number of threads."""
    rng = np.random.default_rng(0)
    shape = (300, 70, 18)
    a, index = rng.standard_normal(shape).astype(dtype), rng.integers(0, shape[dim], 90)
    b = rng.standard_normal((90, *shape[1:]) if dim == 0 else (shape[0], 90, shape[2])).astype(dtype)
    want = a.copy()
    for j, i in enumerate(index):
        if dim == 0:
            want[i] += b[j]
        else:
            want[:, i] += b[:, j]
    before = torch.get_num_threads()
    try:
        for threads in (1, 2, 5):
            torch.set_num_threads(threads)
            x = torch.tensor(a)
            out = x.index_add(dim, torch.tensor(index), torch.tensor(b))
            assert np.array_equal(out.numpy(), want) and np.array_equal(x.numpy(), a)
            assert np.array_equal(x.index_add_(dim, torch.tensor(index), torch.tensor(b)).numpy(), want)
    finally:
        torch.set_num_threads(before)


def test_cat_of_long_and_empty_parts():
    parts = [np.arange(n, dtype=np.float32) for n in (1, 0, 100_003, 17, 250_000)]
    assert np.array_equal(torch.cat([torch.tensor(p) for p in parts]).numpy(), np.concatenate(parts))


def test_the_layout_of_results():
    x = torch.arange(6.0).reshape(2, 3).t()
    mask = x > 2
    assert torch.where(mask, x, 0.0).stride() == (1, 3)
    assert x.masked_fill(mask, 1.0).stride() == (2, 1)
    # Strides of axes with one element mean nothing, and yet decide between two layouts that fit equally well.
    odd = torch.as_strided(torch.ones(4), (1, 1, 2), (1, 1, 1))
    assert torch.where(torch.tensor([[True]]), odd, torch.ones(4, 2)).stride() == (1, 1, 4)
    assert (torch.ones(4, 2) + torch.ones(2)).stride() == (2, 1)


def test_lists_that_mean_tuples():
    x = torch.arange(6).reshape(2, 3)
    with pytest.warns(UserWarning, match="non-tuple sequence"):
        assert x[[[0, 1], [1, 0]]].tolist() == [1, 3]
    with pytest.warns(UserWarning):
        assert x[[slice(0, 1)]].shape == (1, 3) and x[[None]].shape == (1, 2, 3)
    with pytest.warns(UserWarning):
        x[[[0, 1], [1, 0]]] = 7
    assert x.tolist() == [[0, 7, 2], [7, 4, 5]] and x[[1, 0]].shape == (2, 3)


def test_two_ellipses():
    x = torch.arange(6).reshape(2, 3)
    assert x[..., 0, ...].tolist() == [0, 3] and x[..., ...].shape == (2, 3)


def test_a_tensor_that_is_put_has_the_dtype():
    x = torch.zeros(3)
    for value in (torch.tensor([1]), torch.ones(1, dtype=torch.float64)):
        with pytest.raises(RuntimeError, match="source and destination dtypes match"):
            x[torch.tensor([0])] = value
    x[x == 0] = torch.tensor(2)  # one value under a mask, like a number
    x[torch.tensor([0])] = 3
    assert x.tolist() == [3, 2, 2]
    with pytest.raises(RuntimeError, match=r"without overflow: \(0,1\)"):
        x[x == 2] = torch.tensor(1j)


def test_nothing_overlaps_itself():
    x = torch.zeros(1, 0, 5).expand(3, 0, 5)
    assert x.stride(0) == 0 and x.add_(1).shape == (3, 0, 5)


def test_objects_that_are_indices():
    class Two:
        def __index__(self):
            return 2

    assert torch.zeros(Two(), 3).shape == (2, 3) and torch.arange(3)[Two()].item() == 2
    x = torch.arange(4.0)
    x[None] = x[...]  # over itself
    assert x.tolist() == [0, 1, 2, 3]


def test_masks_without_dimensions_put():
    x = torch.arange(3.0)
    for mask, expected in ((torch.tensor(True), [7.0, 8.0, 9.0]), (torch.tensor(False), [0.0, 1.0, 2.0])):
        assert x.index_put((mask,), torch.tensor([7.0, 8.0, 9.0])).tolist() == expected
    y = torch.zeros(2, 2, requires_grad=True)
    z = y.clone()
    z.index_put_((torch.tensor(True), torch.tensor([1])), torch.tensor(5.0))
    z.sum().backward()
    assert z.tolist() == [[0.0, 0.0], [5.0, 5.0]]
    assert y.grad.tolist() == [[1.0, 1.0], [0.0, 0.0]]


def test_a_mask_of_bytes_warns():
    x = torch.arange(3.0)
    with pytest.warns(UserWarning, match="indexing with dtype torch.uint8 is now deprecated"):
        assert x[torch.tensor([1, 0, 1], dtype=torch.uint8)].tolist() == [0, 2]
