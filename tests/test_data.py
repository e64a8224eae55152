"""Datasets, samplers and loaders: what they give, and in the order that PyTorch gives it in."""

import collections

import numpy as np
import pytest

from .conftest import CANDIDATE, torch

data = __import__(f"{CANDIDATE}.utils.data", fromlist=["*"])
X = torch.arange(20.0).reshape(10, 2)
Y = torch.arange(10)


def pairs(n=10):
    return data.TensorDataset(X[:n], Y[:n])


class Listed(data.Dataset):
    """The same samples as pairs(), but only one at a time."""

    def __len__(self):
        return 10

    def __getitem__(self, i):
        return X[i], Y[i]


class Stream(data.IterableDataset):
    def __init__(self, n, length=None):
        self.n = n
        self.length = n if length is None else length

    def __iter__(self):
        return iter(range(self.n))

    def __len__(self):
        return self.length


def labels(loader):
    return [batch[1].tolist() for batch in loader]


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def next_draw(generator=None):
    return torch.randint(0, 10**9, (1,), generator=generator).item()


# ---- order and random streams: the numbers are PyTorch 2.13's ----------------------------------------------------


@pytest.mark.parametrize("dataset", [pairs(), Listed(), data.Subset(pairs(), range(10)), list(zip(X, Y))])
def test_shuffle(dataset):
    torch.manual_seed(42)
    loader = data.DataLoader(dataset, batch_size=4, shuffle=True)
    assert labels(loader) == SHUFFLED[0]
    assert labels(loader) == SHUFFLED[1]
    assert next_draw() == SHUFFLED[2]


@pytest.mark.parametrize("dataset", [pairs(), Listed()])
def test_shuffle_with_a_generator_draws_once_more_at_the_end(dataset):
    g = seeded(1)
    torch.manual_seed(3)
    loader = data.DataLoader(dataset, batch_size=5, shuffle=True, generator=g)
    assert [labels(loader), labels(loader), next_draw(g), next_draw()] == WITH_GENERATOR


def test_an_epoch_in_order_draws_too():
    torch.manual_seed(5)
    assert labels(data.DataLoader(pairs(), batch_size=5)) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert next_draw() == AFTER_SEQUENTIAL


def test_samplers():
    torch.manual_seed(11)
    got = [
        list(data.RandomSampler(range(6))),
        list(data.RandomSampler(range(4), num_samples=10)),
        list(data.RandomSampler(range(9), replacement=True, num_samples=40)),
        list(data.SubsetRandomSampler([5, 6, 7, 8])),
        list(data.WeightedRandomSampler([0.1, 0.9, 0.4, 0.4], 8)),
        list(data.WeightedRandomSampler([0.1, 0.9, 0.4, 0.4], 3, replacement=False)),
        next_draw(),
    ]
    assert got == SAMPLERS


def test_random_split():
    parts = data.random_split(range(17), [0.5, 0.3, 0.2], generator=seeded(42))
    assert [p.indices for p in parts] == SPLIT
    torch.manual_seed(9)
    assert [len(p) for p in data.random_split(pairs(), [7, 3])] == [7, 3]
    for bad in ([1, 2], [0.5, 0.6], [-0.5, 1.5]):
        with pytest.raises(ValueError):
            data.random_split(range(10), bad)
    with pytest.warns(UserWarning, match="index 1 is 0"):
        data.random_split(range(2), [0.9999, 0.0001])


def test_a_sampler_that_draws_early():
    class Early(data.Sampler):
        def __iter__(self):
            return iter(torch.randperm(10).tolist())

    torch.manual_seed(4)
    first = torch.randperm(10).tolist()
    for dataset in (pairs(), Listed()):
        torch.manual_seed(4)
        batches = iter(data.DataLoader(dataset, batch_size=None, sampler=Early()))
        assert [b[1].item() for b in batches] == first


# ---- batches -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 3, 5, 10, 11])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("shuffle", [False, True])
def test_gathered_batches_are_those_of_single_samples(size, drop_last, shuffle):
    indices = [3, -1, 0, 9, 2, 2, 5]
    for fast, slow in [(pairs(), Listed()), (data.Subset(pairs(), indices), data.Subset(Listed(), indices))]:
        got = []
        for dataset in (fast, slow):
            loader = data.DataLoader(dataset, size, shuffle, drop_last=drop_last, generator=seeded(2))
            batches = [[t.tolist() for t in batch] for _ in range(2) for batch in loader]
            assert len(loader) * 2 == len(batches)
            got.append((batches, next_draw(loader.generator)))
        assert got[0] == got[1]


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_batch_is_a_copy(shuffle):
    before = X.tolist()
    for x, _ in data.DataLoader(pairs(), batch_size=5, shuffle=shuffle):
        assert x.is_contiguous()
        x.zero_()
    assert X.tolist() == before


def test_own_code_for_samples_is_called():
    class Doubled(data.TensorDataset):
        def __getitem__(self, i):
            return self.tensors[0][i] * 2

    assert next(iter(data.DataLoader(Doubled(Y), batch_size=3))).tolist() == [0, 2, 4]
    assert next(iter(data.DataLoader(data.Subset(Doubled(Y), [4]), batch_size=3))).tolist() == [8]
    seen = next(iter(data.DataLoader(pairs(), batch_size=2, collate_fn=lambda samples: samples)))
    assert isinstance(seen, list) and isinstance(seen[0], tuple) and seen[1][1].item() == 1

    class Together(Listed):
        def __getitems__(self, indices):
            return [(X[0], torch.tensor(-i)) for i in indices]

    assert labels(data.DataLoader(Together(), batch_size=5))[0] == [0, -1, -2, -3, -4]
    with pytest.raises(NotImplementedError):
        type("Own", (data.Subset,), {"__getitem__": lambda self, i: 0})(pairs(), [0])


@pytest.mark.parametrize(
    "batch", [[1, 2], (1, 2), [-9, 2], np.array([1, 2]), torch.tensor([1, 2]), [np.int64(1), torch.tensor(2)]]
)
def test_kinds_of_indices(batch):
    assert labels(data.DataLoader(pairs(), batch_sampler=[batch])) == [[1, 2]]


def test_index_out_of_range():
    with pytest.raises(IndexError):
        next(iter(data.DataLoader(pairs(), batch_sampler=[[10]])))
    with pytest.raises(IndexError):
        next(iter(data.DataLoader(data.Subset(pairs(), [10]))))


def test_without_batches():
    assert [b[1].item() for b in data.DataLoader(pairs(), batch_size=None)] == list(range(10))
    assert [x.dtype for x in data.DataLoader([np.float32(1)], batch_size=None)] == [torch.float32]


def test_workers_change_nothing():
    torch.manual_seed(1)
    alone = labels(data.DataLoader(pairs(), batch_size=3, shuffle=True))
    torch.manual_seed(1)
    loader = data.DataLoader(pairs(), batch_size=3, shuffle=True, num_workers=1, timeout=60, persistent_workers=True)
    assert labels(loader) == alone
    assert data.get_worker_info() is None


def test_streams():
    lists = lambda loader: [b.tolist() if isinstance(b, torch.Tensor) else b for b in loader]
    assert lists(data.DataLoader(Stream(5), batch_size=2)) == [[0, 1], [2, 3], [4]]
    assert lists(data.DataLoader(Stream(5), batch_size=2, drop_last=True)) == [[0, 1], [2, 3]]
    assert lists(data.DataLoader(Stream(2), batch_size=None)) == [0, 1]
    assert lists(data.DataLoader(Stream(2) + Stream(3), batch_size=4)) == [[0, 1, 0, 1], [2]]
    assert len(data.DataLoader(Stream(5), batch_size=2)) == 3 and len(Stream(2) + Stream(3)) == 5
    loader = data.DataLoader(Stream(3, length=2))
    assert len(loader) == 2
    with pytest.warns(UserWarning, match="reported to be 2"):
        list(loader)


# ---- datasets put together ---------------------------------------------------------------------------------------


def test_concat():
    both = pairs(3) + pairs(2)
    assert len(both) == 5 and both[3][1].item() == 0 and both[-1][1].item() == 1
    assert labels(data.DataLoader(both, batch_size=4)) == [[0, 1, 2, 0], [1]]
    with pytest.raises(ValueError):
        both[-6]
    for bad in ([], [Stream(1)]):
        with pytest.raises(AssertionError):
            data.ConcatDataset(bad)
    with pytest.raises(AssertionError):
        list(data.ChainDataset([[1]]))


def test_stack():
    loader = data.DataLoader(data.StackDataset(a=pairs(), b=range(10)), batch_size=2)
    first = next(iter(loader))
    assert first["a"][1].tolist() == [0, 1] and first["b"].tolist() == [0, 1]
    assert data.StackDataset(pairs(), [5] * 10)[2][1] == 5
    for args, kwargs in [((), {}), (([1],), {"a": [1]}), (([1], [1, 2]), {})]:
        with pytest.raises(ValueError):
            data.StackDataset(*args, **kwargs)


def test_tensor_dataset():
    assert [t.tolist() for t in pairs()[2]] == [[4.0, 5.0], 2]
    with pytest.raises(AssertionError, match="Size mismatch"):
        data.TensorDataset(X, Y[:3])


# ---- collating ---------------------------------------------------------------------------------------------------

Point = collections.namedtuple("Point", "x y")


def test_collate():
    c = data.default_collate
    assert c([1, 2]).dtype == torch.int64 and c([1.5, 2]).dtype == torch.float64
    assert c([True, False]).dtype == torch.bool
    assert c(["a", "b"]) == ["a", "b"]
    assert c([np.ones(2, np.float32)] * 3).shape == (3, 2)
    assert c([np.int16(1)] * 2).dtype == torch.as_tensor([np.int16(1)] * 2).dtype
    pair = c([(X[0], 1), (X[1], 2)])
    assert type(pair) is list and pair[0].shape == (2, 2) and pair[1].tolist() == [1, 2]
    named = c([Point(1, 2.0), Point(3, 4.0)])
    assert type(named) is Point and named.x.tolist() == [1, 3]
    ordered = c([collections.OrderedDict(a=1, b=[1, 2])] * 2)
    assert type(ordered) is collections.OrderedDict and ordered["b"][1].tolist() == [2, 2]
    assert type(c([collections.deque([1, 2])] * 2)) is collections.deque
    with pytest.raises(RuntimeError, match="equal size"):
        c([[1, 2], [1]])
    for bad in (None, {1}, np.array(["a"]), np.datetime64("2020-01-01")):
        with pytest.raises(TypeError, match="default_collate: batch must contain"):
            c([bad, bad])


def test_convert():
    got = data.default_convert({"a": np.ones(2), "b": (1, "x"), "c": Point(np.int64(1), None)})
    assert isinstance(got["a"], torch.Tensor) and got["b"] == [1, "x"]
    assert type(got["c"]) is Point and isinstance(got["c"].x, torch.Tensor)


# ---- errors ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options, words",
    [
        ({"num_workers": -1}, "num_workers"),
        ({"timeout": -1}, "timeout"),
        ({"prefetch_factor": 2}, "prefetch_factor"),
        ({"persistent_workers": True}, "persistent_workers"),
        ({"sampler": [1], "shuffle": True}, "mutually exclusive with shuffle"),
        ({"batch_sampler": [[1]], "batch_size": 2}, "mutually exclusive"),
        ({"batch_size": None, "drop_last": True}, "drop_last"),
        ({"batch_size": 0}, "positive integer"),
        ({"batch_size": True}, "positive integer"),
        ({"drop_last": 1}, "boolean"),
        ({"multiprocessing_context": "fork"}, "multiprocessing_context"),
        ({"multiprocessing_context": "no", "num_workers": 1}, "valid start method"),
    ],
)
def test_wrong_options(options, words):
    with pytest.raises(ValueError, match=words):
        data.DataLoader(pairs(), **options)


@pytest.mark.parametrize("options", [{"shuffle": True}, {"sampler": [1]}, {"batch_sampler": [[1]]}])
def test_wrong_options_for_streams(options):
    with pytest.raises(ValueError, match="IterableDataset"):
        data.DataLoader(Stream(3), **options)


def test_other_errors():
    with pytest.raises(ValueError, match="num_samples=0"):
        data.DataLoader(pairs(0), shuffle=True)
    assert list(data.DataLoader(pairs(0))) == []
    with pytest.raises(AssertionError):
        iter(data.DataLoader(pairs(), timeout=1))
    with pytest.raises(ValueError, match="should not be set"):
        data.DataLoader(pairs()).batch_size = 3
    with pytest.raises(TypeError):
        data.RandomSampler([1], replacement=1)
    with pytest.raises(ValueError, match="1d"):
        data.WeightedRandomSampler([[1.0]], 1)
    with pytest.raises(NotImplementedError):
        data.Dataset()[0]


# Made by running the tests above on PyTorch.
SHUFFLED = [[[8, 0, 9, 1], [4, 5, 6, 3], [2, 7]], [[4, 6, 9, 3], [7, 5, 2, 0], [1, 8]], 379592313]
WITH_GENERATOR = [[[4, 6, 9, 2, 3], [1, 0, 7, 8, 5]], [[6, 8, 5, 1, 3], [7, 2, 4, 0, 9]], 277975529, 662282904]
AFTER_SEQUENTIAL = 503177917
SAMPLERS = [
    [1, 4, 2, 0, 5, 3],
    [0, 3, 2, 1, 1, 0, 2, 3, 2, 3],
    [
        7,
        5,
        8,
        4,
        0,
        8,
        2,
        3,
        2,
        8,
        4,
        6,
        7,
        3,
        8,
        4,
        2,
        5,
        1,
        4,
        8,
        3,
        8,
        3,
        6,
        1,
        1,
        5,
        0,
        5,
        4,
        6,
        1,
        7,
        1,
        7,
        3,
        6,
        6,
        2,
    ],
    [6, 5, 8, 7],
    [1, 1, 2, 0, 1, 1, 3, 2],
    [2, 1, 3],
    372540483,
]
SPLIT = [[13, 4, 3, 15, 8, 16, 9, 11, 12], [10, 6, 2, 1, 7], [14, 0, 5]]


def test_workers_that_may_prefetch_nothing():
    loader = torch.utils.data.DataLoader(range(4), num_workers=1, prefetch_factor=0)
    with pytest.raises(AssertionError, match="greater than 0"):
        iter(loader)
