"""DataLoader with workers: the same batches as PyTorch, and no process, memory or hang left behind whatever happens."""

import gc
import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
import time
from multiprocessing import resource_tracker
from pathlib import Path

import numpy as np
import pytest

from .conftest import CANDIDATE, ROOT, torch

data = __import__(f"{CANDIDATE}.utils.data", fromlist=["*"])
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


class Numbers(data.Dataset):
    def __init__(self, n=10):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return torch.full((3,), float(i)), i


class Drawn(Numbers):
    def __getitem__(self, i):
        return torch.randint(0, 1000, (1,)).item(), random.randrange(1000), int(np.random.randint(1000))


class Where(Numbers):
    def __getitem__(self, i):
        return os.getpid()


class Failing(Numbers):
    def __init__(self, kind, at=0):
        super().__init__()
        self.kind, self.at = kind, at

    def __getitem__(self, i):
        if i == self.at:
            raise self.kind("bad sample")
        return i


class Ending(Numbers):
    """Ends its process."""

    def __init__(self, how):
        super().__init__()
        self.how = how

    def __getitem__(self, i):
        if i == 3:
            self.how()
        return i


class Slow(Numbers):
    def __getitem__(self, i):
        time.sleep(60 if i else 0)
        return i


class Stream(data.IterableDataset):
    def __init__(self, *lengths):
        self.lengths = lengths

    def __iter__(self):
        worker = data.get_worker_info()
        return iter(range(100 * worker.id, 100 * worker.id + self.lengths[worker.id]))


def labels(loader):
    return [batch[1].tolist() for batch in loader]


def lists(loader):
    return [batch.tolist() for batch in loader]


def next_draw(generator=None):
    return torch.randint(0, 10**9, (1,), generator=generator).item()


def children():
    return {p.pid for p in multiprocessing.active_children()}


def open_files():
    return len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0


@pytest.fixture(scope="module", autouse=True)
def forked():
    """As by default before Python 3.14: what stands in the tests' own functions cannot be pickled for a server."""
    method = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method("fork", force=True)
    resource_tracker.ensure_running()  # once it runs, its pipe stays
    yield
    multiprocessing.set_start_method(method, force=True)


@pytest.fixture(autouse=True)
def nothing_is_left():
    before, descriptors = children(), open_files()
    yield
    gc.collect()  # a caught error keeps the frames it went through, and so the loader's iterator
    assert children() <= before
    assert open_files() <= descriptors


# ---- the same as PyTorch -----------------------------------------------------------------------------------------


def test_order_and_draws():
    torch.manual_seed(0)
    loader = data.DataLoader(Drawn(), 4, shuffle=True, num_workers=2)
    got = [[[column.tolist() for column in batch] for batch in loader], next_draw()]
    loader = data.DataLoader(Numbers(), 3, shuffle=True, num_workers=2, persistent_workers=True)
    got += [labels(loader), next_draw(), labels(loader), next_draw()]
    assert got == DRAWN


@pytest.mark.parametrize("dataset", [Numbers(), data.TensorDataset(torch.zeros(10), torch.arange(10))])
@pytest.mark.parametrize("keep", [False, True])
def test_generators_are_read_ahead(dataset, keep):
    torch.manual_seed(2)
    g = torch.Generator().manual_seed(7)
    loader = data.DataLoader(dataset, 2, shuffle=True, num_workers=2, generator=g, persistent_workers=keep)
    got = []
    for _ in range(2):
        batches = iter(loader)
        got += [next_draw(g), next_draw()]
        got += [[b[1].tolist() for b in batches], next_draw(g), next_draw()]
    loader._iterator = None
    assert got == READ_AHEAD[keep]


@pytest.mark.parametrize("dataset", [Numbers(), data.TensorDataset(torch.zeros(10), torch.arange(10))])
def test_a_sampler_that_draws_when_asked_for_an_iterator(dataset):
    class Early(data.Sampler):
        def __iter__(self):
            return iter(torch.randperm(10).tolist())

    torch.manual_seed(4)
    assert labels(data.DataLoader(dataset, 5, sampler=Early(), num_workers=1)) == EARLY


@pytest.mark.filterwarnings("ignore:This DataLoader will create 3")
def test_streams_take_turns():
    loader = data.DataLoader(Stream(5, 1, 9), 2, num_workers=3, persistent_workers=True)
    expected = [[0, 1], [100], [200, 201], [2, 3], [202, 203], [4], [204, 205], [206, 207], [208]]
    assert lists(loader) == expected
    assert lists(loader) == expected
    loader._iterator = None
    loader = data.DataLoader(Stream(5, 1, 9), 2, num_workers=3, drop_last=True)
    assert lists(loader) == [[0, 1], [200, 201], [2, 3], [202, 203], [204, 205], [206, 207]]
    assert sorted(data.DataLoader(Stream(2, 3), None, num_workers=2)) == [0, 1, 100, 101, 102]


def test_worker_info():
    class Info(Numbers):
        def __getitem__(self, i):
            info = data.get_worker_info()
            assert info.dataset is self
            return info.id, info.num_workers, info.seed

    torch.manual_seed(1)
    batches = list(data.DataLoader(Info(4), 1, num_workers=2))
    seeds = [b[2].item() for b in batches]
    assert [b[0].item() for b in batches] == [0, 1, 0, 1] and batches[0][1].item() == 2
    assert seeds[1] == seeds[0] + 1 and seeds[0] == SEED
    assert data.get_worker_info() is None


def test_init_function():
    def start(worker):
        data.get_worker_info().dataset.n = 100 + worker

    class Told(Numbers):
        def __getitem__(self, i):
            return self.n

    assert lists(data.DataLoader(Told(4), 2, num_workers=2, worker_init_fn=start)) == [[100, 100], [101, 101]]
    numbers = data.TensorDataset(torch.zeros(4), torch.arange(4))
    assert labels(data.DataLoader(numbers, 2, num_workers=2, worker_init_fn=print)) == [[0, 1], [2, 3]]


def test_persistent_workers_stay():
    loader = data.DataLoader(Where(4), 1, num_workers=2, persistent_workers=True)
    first, second = lists(loader), lists(loader)
    assert first == second and len({x[0] for x in first}) == 2
    iterator = iter(loader)
    next(iterator)
    assert lists(loader) == first  # what was asked for before does not come up
    loader._iterator = None
    other = data.DataLoader(Where(4), 1, num_workers=2)
    assert not {x[0] for x in lists(other)} & {x[0] for x in lists(other)}


@pytest.mark.parametrize("prefetch", [1, 3, 200])
@pytest.mark.parametrize("in_order", [True, False])
def test_prefetch_and_order(prefetch, in_order):
    loader = data.DataLoader(Numbers(300), 1, num_workers=2, prefetch_factor=prefetch, in_order=in_order)
    got = [x for (x,) in labels(loader)]
    assert got == list(range(300)) if in_order else sorted(got) == list(range(300))


# ---- what is sent ------------------------------------------------------------------------------------------------


def identity(x):
    return x


def test_kinds_of_batches():
    base = torch.arange(12.0).reshape(3, 4)
    samples = [
        {"t": base.T, "n": np.arange(6).reshape(2, 3)[:, ::2], "s": "x" * 1000, "none": None},
        [torch.tensor(3), torch.tensor(True), torch.zeros(0, 2), torch.ones(2, dtype=torch.bfloat16)],
        (torch.tensor([0j, 1, 2]), b"y" * 100_000, {1, 2}),
        torch.ones(2, requires_grad=True),
        [torch.full((2,), float(i)) for i in range(300)],
        np.float32(1.5),
    ]
    got = list(data.DataLoader(samples, None, num_workers=2, collate_fn=identity))
    assert torch.equal(got[0]["t"], base.T) and got[0]["n"].tolist() == [[0, 2], [3, 5]]
    assert got[0]["s"] == "x" * 1000 and got[0]["none"] is None
    assert [x.dtype for x in got[1]] == [x.dtype for x in samples[1]]
    assert [tuple(x.shape) for x in got[1]] == [(), (), (0, 2), (2,)] and got[1][0].item() == 3
    assert got[2][0].tolist() == [0, 1, 2] and got[2][1:] == samples[2][1:]
    assert got[3].requires_grad and got[3].is_leaf
    assert [x[0].item() for x in got[4]] == list(range(300))
    assert got[5] == 1.5


def test_batches_are_ones_own():
    """A batch that is kept does not change when the next ones come."""

    class Big(Numbers):
        def __getitem__(self, i):
            return torch.full((1000 * (i + 1),), float(i)), np.full(1000, i)

    kept = list(data.DataLoader(Big(30), None, num_workers=2, collate_fn=identity))
    for i, (x, y) in enumerate(kept):
        assert x.shape == (1000 * (i + 1),) and (x == i).all() and (y == i).all()
        x.zero_(), y.fill(0)


# ---- what goes wrong ---------------------------------------------------------------------------------------------


class TwoWords(Exception):
    def __init__(self, one, two):
        super().__init__(one, two)


@pytest.mark.parametrize("kind", [ValueError, KeyError, OSError, BrokenPipeError, EOFError])
def test_errors_come_with_their_traceback(kind):
    with pytest.raises(kind) as error:
        list(data.DataLoader(Failing(kind, 3), 2, num_workers=2))
    text = str(error.value)
    assert text.startswith(f"Caught {kind.__name__} in DataLoader worker process 1.\nOriginal Traceback (most recent")
    assert 'raise self.kind("bad sample")' in text and "bad sample" in text


def test_errors_that_cannot_be_made_again():
    class Local(Exception):
        pass

    class Odd(Numbers):
        def __getitem__(self, i):
            raise [TwoWords("a", "b"), Local("c")][i]

    batches = iter(data.DataLoader(Odd(2), None, num_workers=1))
    with pytest.raises(RuntimeError, match="Caught TwoWords"):
        next(batches)
    if CANDIDATE != "torch":
        with pytest.raises(RuntimeError, match="Local: c"):
            next(batches)


def test_the_pass_goes_on_after_an_error():
    batches = iter(data.DataLoader(Failing(ValueError, 1), 1, num_workers=2))
    assert next(batches).item() == 0
    with pytest.raises(ValueError):
        next(batches)
    assert [b.item() for b in batches] == list(range(2, 10))


def test_errors_of_the_init_function():
    def start(worker):
        raise ValueError("no")

    with pytest.raises(ValueError, match=r"(?s)Caught ValueError in DataLoader worker process 0.*no"):
        list(data.DataLoader(Numbers(), num_workers=2, worker_init_fn=start))


@pytest.mark.skipif(CANDIDATE == "torch", reason="PyTorch hangs")
def test_workers_that_cannot_be_pickled():
    loader = data.DataLoader([1, 2], num_workers=1, collate_fn=lambda batch: batch, multiprocessing_context="spawn")
    with pytest.raises((AttributeError, pickle.PicklingError)), pytest.warns(UserWarning, match="forkserver") as caught:
        list(loader)
    assert CANDIDATE == "torch" or caught[0].filename == __file__


def test_what_cannot_be_pickled():
    with pytest.raises(Exception, match="(?s)Caught .* in DataLoader worker process 0.*pickle"):
        list(data.DataLoader(Numbers(), num_workers=1, collate_fn=lambda batch: lambda: batch))
    grown = torch.ones(2, requires_grad=True) * 2
    with pytest.raises(RuntimeError, match="has a history"):
        list(data.DataLoader([grown], None, num_workers=1, collate_fn=identity))


@pytest.mark.parametrize(
    "how, cause", [(lambda: os.kill(os.getpid(), signal.SIGKILL), "SIGKILL"), (lambda: os._exit(7), "exit code 7")]
)
def test_a_worker_that_ends(how, cause):
    start = time.monotonic()
    with pytest.raises(RuntimeError, match=r"DataLoader worker \(pid\(s\) \d+\) exited unexpectedly") as error:
        list(data.DataLoader(Ending(how), num_workers=2))
    assert time.monotonic() - start < 5
    if CANDIDATE != "torch":
        assert cause in str(error.value)


@pytest.mark.skipif(CANDIDATE == "torch", reason="waits for the worker")
def test_timeout_and_early_end():
    from rushlight.utils.data._utils import processes as patience

    patience._PATIENCE, before = 0.1, patience._PATIENCE
    try:
        start = time.monotonic()
        with pytest.raises(RuntimeError, match="timed out after 0.3 seconds"):
            list(data.DataLoader(Slow(), num_workers=1, timeout=0.3))
        for batch in data.DataLoader(Slow(), num_workers=2):
            assert batch.item() == 0
            break
        del batch
        assert time.monotonic() - start < 4
    finally:
        patience._PATIENCE = before


def test_a_closed_pool_is_not_used_again():
    loader = data.DataLoader(Ending(lambda: os._exit(1)), num_workers=1, persistent_workers=True)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="exited"):
            list(loader)
    loader._iterator = None


# ---- whole programs ----------------------------------------------------------------------------------------------

# What a shell starts in the background does not hear interrupts, nor do its children, unless they ask.
PROGRAM = """
import os, signal, sys, time, torch
from torch.utils.data import DataLoader, Dataset

signal.signal(signal.SIGINT, signal.default_int_handler)

class Pids(Dataset):
    def __len__(self):
        return 1000
    def __getitem__(self, i):
        time.sleep(0.01)
        return os.getpid()

if __name__ == "__main__":
    method = sys.argv[1] if len(sys.argv) > 1 else None
    loader = DataLoader(Pids(), 2, num_workers=2, multiprocessing_context=method)
    for batch in loader:
        print(batch[0].item(), flush=True)
        if len(sys.argv) > 2:
            break
"""


def program(tmp_path, *args):
    path = Path(tmp_path, "program.py")
    path.write_text(PROGRAM)
    command = [sys.executable, *(["-m", "rushlight"] if CANDIDATE == "rushlight" else []), str(path), *args]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("how", ["interrupt the group", "interrupt the parent", "kill the parent", "end the parent"])
def test_no_process_is_left(tmp_path, how):
    run = program(tmp_path, "fork")
    workers = {int(run.stdout.readline()) for _ in range(4)}
    assert len(workers) == 2 and all(map(alive, workers))
    if how == "interrupt the group":
        os.killpg(run.pid, signal.SIGINT)
    else:
        run.send_signal({"interrupt": signal.SIGINT, "kill": signal.SIGKILL, "end": signal.SIGTERM}[how.split()[0]])
    _, errors = run.communicate(timeout=20)
    until = time.monotonic() + 5
    while any(map(alive, workers)) and time.monotonic() < until:
        time.sleep(0.02)
    assert not any(map(alive, workers))
    if how.startswith("interrupt"):
        assert run.returncode != 0 and errors.count("Traceback") == 1 and "KeyboardInterrupt" in errors


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_other_ways_to_make_processes(tmp_path, method):
    run = program(tmp_path, method, "once")
    out, errors = run.communicate(timeout=60)
    assert run.returncode == 0 and out.strip().isdigit(), errors


TRAINING = """
import random
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.amp import GradScaler, autocast
from torch.utils.checkpoint import checkpoint
from torch.utils.data import DataLoader, Dataset, random_split

def seed_worker(worker):
    seed = torch.initial_seed() % 2**32
    np.random.seed(seed)
    random.seed(seed)

class Pictures(Dataset):
    def __init__(self):
        self.x = torch.rand(400, 1, 12, 12, generator=torch.Generator().manual_seed(0))
        self.y = (self.x.sum((1, 2, 3)) * 7).long() % 10
    def __len__(self):
        return len(self.x)
    def __getitem__(self, i):
        x = self.x[i].flip(-1) if random.random() < 0.5 else self.x[i]
        x = x + 0.01 * torch.randn_like(x) + float(np.random.rand()) * 0.01
        return {"image": x, "label": self.y[i], "id": f"{i}"}

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.second, self.drop, self.out = nn.Conv2d(8, 16, 3), nn.Dropout(0.2), nn.Linear(16 * 5 * 5, 10)
    def forward(self, x):
        x = checkpoint(self.first, x, use_reentrant=False)
        x = F.max_pool2d(F.relu(self.second(x)), 2)
        return self.out(self.drop(x.flatten(1)))

if __name__ == "__main__":
    torch.manual_seed(0), random.seed(0), np.random.seed(0)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train, rest = random_split(Pictures(), [0.8, 0.2])
    loader = DataLoader(
        train, 16, shuffle=True, num_workers=2, worker_init_fn=seed_worker, generator=torch.Generator().manual_seed(0),
        persistent_workers=True, drop_last=True,
    )
    model = Net().to(device)
    optimizer, scaler = torch.optim.AdamW(model.parameters(), lr=1e-2), GradScaler(device.type)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, epochs=3, steps_per_epoch=len(loader))
    for epoch in range(3):
        losses = []
        for batch in loader:
            x, y = batch["image"].to(device, non_blocking=True), batch["label"].to(device)
            optimizer.zero_grad(set_to_none=True)
            with autocast(device.type, dtype=torch.bfloat16, enabled=epoch == 2):
                loss = F.cross_entropy(model(x), y)
            scaler.scale(loss).backward()
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            scaler.step(optimizer)
            scaler.update()
            schedule.step()
            losses.append(loss.item())
        print(sum(losses) / len(losses), batch["id"][0])
    print(sum(len(batch["id"]) for batch in DataLoader(rest, 32, num_workers=1)))
"""


def test_training_as_in_pytorch(tmp_path):
    """Two workers with random augmentation, checkpointing, scaled and mixed precision: PyTorch's losses."""
    path = tmp_path / "training.py"
    path.write_text(TRAINING)
    command = [sys.executable, *(["-m", "rushlight"] if CANDIDATE == "rushlight" else []), str(path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    *epochs, count = run.stdout.split("\n")[:-1] or [run.stderr, ""]
    losses = [float(line.split()[0]) for line in epochs]
    assert [line.split()[1] for line in epochs] == TRAINED[1] and count == "80", run.stderr
    assert losses[:2] == pytest.approx(TRAINED[0][:2], rel=1e-4) and losses[2] == pytest.approx(TRAINED[0][2], rel=1e-2)


# Made by running the tests above on PyTorch.

DRAWN = [
    [
        [[906, 10, 804, 13], [218, 818, 283, 58], [522, 297, 434, 198]],
        [[724, 2, 724, 613], [791, 832, 167, 657], [234, 407, 586, 805]],
        [[369, 35], [947, 47], [971, 979]],
    ],
    53362427,
    [[2, 4, 9], [8, 7, 5], [6, 1, 0], [3]],
    472427762,
    [[8, 0, 4], [3, 1, 9], [6, 2, 5], [7]],
    489826264,
]
READ_AHEAD = {
    False: [
        310195784,
        972756495,
        [[1, 3], [5, 7], [9, 4], [6, 2], [8, 0]],
        162145671,
        130285640,
        963471512,
        654235947,
        [[3, 2], [4, 6], [7, 5], [0, 8], [9, 1]],
        812582,
        952246347,
    ],
    True: [
        310195784,
        972756495,
        [[1, 3], [5, 7], [9, 4], [6, 2], [8, 0]],
        162145671,
        130285640,
        264547653,
        654235947,
        [[8, 3], [5, 6], [4, 0], [9, 2], [7, 1]],
        643367113,
        952246347,
    ],
}
EARLY = [[1, 3, 0, 2, 9], [6, 8, 7, 5, 4]]
SEED = 7692698082559361259
TRAINED = [[2.3402456760406496, 2.286604034900665, 2.1966875076293944], ["353", "111", "109"]]
