"""Tensors in memory that processes share, and torch.multiprocessing."""

import gc
import glob
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

import rushlight as torch
import rushlight.multiprocessing as mp

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX")
fork = multiprocessing.get_context("fork")


def names():
    return [name for name in glob.glob("/dev/shm/rushlight-*") if f"-{os.getpid()}-" in name]


def test_sharing_moves_the_storage_of_all_views():
    x = torch.arange(6.0)
    view = x.view(2, 3)[1]
    assert not x.is_shared() and not view.untyped_storage().is_shared()
    assert x.share_memory_() is x
    assert x.is_shared() and view.is_shared() and view.storage().is_shared()
    view.zero_()
    assert x.tolist() == [0, 1, 2, 0, 0, 0]
    x.share_memory_()
    with pytest.raises(RuntimeError, match="not resizable"):
        x.untyped_storage().resize_(1000)
    assert torch.empty(0).share_memory_().is_shared()


def test_a_forked_child_writes_into_shared_memory():
    x = torch.zeros(3).share_memory_()
    private = torch.zeros(3)
    child = fork.Process(target=lambda: (x.fill_(5), private.fill_(5)))
    child.start()
    child.join()
    assert x.tolist() == [5, 5, 5] and private.tolist() == [0, 0, 0]


def _double(inbox, outbox):
    for t in iter(inbox.get, None):
        with torch.no_grad():
            t.mul_(2)
        outbox.put((type(t).__name__, t.dtype, t.requires_grad, tuple(t.shape), t.stride()))


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_queues_send_the_memory_itself(method):
    context = mp.get_context(method)
    inbox, outbox = context.SimpleQueue(), context.SimpleQueue()
    child = context.Process(target=_double, args=(inbox, outbox))
    child.start()
    whole = torch.arange(6, dtype=torch.int16).reshape(2, 3)
    parameter = torch.nn.Parameter(torch.ones(2))
    seen = []
    for t in (whole.t()[1:], parameter, torch.empty(0, 3), torch.ones(2, dtype=torch.bfloat16)):
        inbox.put(t)
        seen.append(outbox.get())
    inbox.put(None)
    child.join(20)
    assert whole.tolist() == [[0, 2, 4], [3, 8, 10]]
    assert parameter.tolist() == [2, 2]
    assert seen == [
        ("Tensor", torch.int16, False, (2, 2), (1, 3)),
        ("Parameter", torch.float32, True, (2,), (1,)),
        ("Tensor", torch.float32, False, (0, 3), (3, 1)),
        ("Tensor", torch.bfloat16, False, (2,), (1,)),
    ]
    assert names() == []


def _count_and_send_on(inbox, outbox):
    for t in iter(inbox.get, None):
        t += 1
        outbox.put(t)  # what was received can be sent on


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_the_same_memory_is_sent_again_and_sent_on(method):
    context = mp.get_context(method)
    inbox, outbox = context.SimpleQueue(), context.SimpleQueue()
    child = context.Process(target=_count_and_send_on, args=(inbox, outbox))
    child.start()
    counts = torch.zeros(4)
    for turn in range(1, 4):
        inbox.put(counts)
        back = outbox.get()
        assert counts.tolist() == [turn] * 4 == back.tolist()
        back[0] = counts[0] = turn
    inbox.put(None)
    child.join(20)
    assert child.exitcode == 0 and names() == []


def test_storages_and_shared_storages():
    ours, theirs = mp.Pipe()
    a = torch.arange(4.0)
    ours.send([a, a.view(2, 2), a.untyped_storage(), a.storage()])
    one, two, untyped, typed = theirs.recv()
    one[0] = 9
    assert a[0] == 9 and two[0, 0] == 9 and typed[0] == 9
    assert one.untyped_storage() == two.untyped_storage() == untyped
    made = torch.UntypedStorage._new_shared(8)
    assert made.is_shared() and made.tolist() == [0] * 8


def test_a_result_with_history_is_refused():
    ours, _ = mp.Pipe()
    with pytest.raises(RuntimeError, match="Cowardly refusing"):
        ours.send(torch.ones(2, requires_grad=True) * 2)


def test_a_pool_takes_and_returns_tensors():
    with fork.Pool(2) as pool:
        out = pool.map(torch.neg, [torch.ones(2), torch.arange(3)])
    assert [t.tolist() for t in out] == [[-1, -1], [0, -1, -2]]


def test_memory_goes_back():
    def descriptors():
        gc.collect()
        return len(os.listdir("/proc/self/fd"))

    torch.ones(5).share_memory_()
    before = descriptors()
    ours, theirs = mp.Pipe()
    for _ in range(50):
        ours.send(torch.ones(1000))
        theirs.recv()
    ours.close()
    theirs.close()
    assert descriptors() <= before + 1 and names() == []


def _add(index, total):
    total[index] += index


def _fail(index):
    if index == 1:
        raise ValueError("bad luck")


def _exit(index):
    sys.exit(3)


def _die(index):
    os.kill(os.getpid(), signal.SIGKILL)


def test_spawn():
    total = torch.zeros(2).share_memory_()
    mp.spawn(_add, (total,), nprocs=2)
    assert total.tolist() == [0, 1]
    started = mp.start_processes(_add, (total,), nprocs=2, join=False, start_method="fork")
    assert len(started.pids()) == 2
    while not started.join(timeout=5):
        pass
    assert total.tolist() == [0, 2]


def test_spawn_raises_what_was_raised():
    with pytest.raises(mp.ProcessRaisedException, match="Process 1 terminated with the following error(.|\n)*bad luck"):
        mp.start_processes(_fail, nprocs=2, start_method="fork")
    with pytest.raises(mp.ProcessExitedException, match="process 0 terminated with exit code 3") as error:
        mp.start_processes(_exit, nprocs=1, start_method="fork")
    assert error.value.exit_code == 3
    with pytest.raises(mp.ProcessExitedException, match="terminated with signal SIGKILL"):
        mp.start_processes(_die, nprocs=1, start_method="fork")


def test_nothing_is_left_when_processes_are_killed():
    script = """
        import os, signal, sys
        import rushlight as torch, rushlight.multiprocessing as mp
        ours, theirs = mp.get_context("fork").Pipe()
        ours.send(torch.ones(3))        # in flight: it has a name
        kept = torch.ones(3).share_memory_()
        print(os.getpid(), flush=True)
        if sys.argv[1] == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
    """
    for how in ("ended", "killed"):
        done = subprocess.run([sys.executable, "-c", textwrap.dedent(script), how], capture_output=True, text=True)
        pid = done.stdout.strip()
        assert pid, done.stderr
        left = glob.glob(f"/dev/shm/rushlight-*-{pid}-*")
        if how == "ended":
            assert left == []
        else:
            from rushlight import _shared_memory

            end = time.monotonic() + 5
            while os.path.exists(f"/proc/{pid}") and time.monotonic() < end:
                time.sleep(0.01)
            _shared_memory._sweep()  # what the next program does that shares memory
            assert glob.glob(f"/dev/shm/rushlight-*-{pid}-*") == []


def test_plain_multiprocessing_shares_too():
    """As with PyTorch, it is enough that the program imports torch: rushlight notices by itself."""
    script = """
        import multiprocessing
        import rushlight as torch
        ours, theirs = multiprocessing.Pipe()
        x = torch.zeros(2)
        ours.send(x)
        theirs.recv().fill_(3)
        print(x.tolist())
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True)
    assert done.stdout.strip() == "[3.0, 3.0]", done.stderr


def test_names():
    assert mp.get_sharing_strategy() in mp.get_all_sharing_strategies()
    mp.set_sharing_strategy("file_system")
    mp.set_sharing_strategy(sorted(mp.get_all_sharing_strategies())[0])
    for name in ("Process", "Queue", "Pool", "Event", "Lock", "set_start_method", "get_context", "cpu_count", "spawn"):
        assert hasattr(mp, name)
    with pytest.raises(AssertionError):
        mp.set_sharing_strategy("telepathy")
