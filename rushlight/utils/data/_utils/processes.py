"""A pass of a loader whose samples come from worker processes."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import selectors
import signal
import time
import warnings
import weakref
from collections import deque
from pickle import PicklingError
from typing import TYPE_CHECKING, Any

from rushlight.utils.data._utils import worker
from rushlight.utils.data._utils.transport import Inbox

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["WorkerPool"]

_PATIENCE = 5.0  # seconds that a worker has to finish its sample when it is no longer needed
_REQUESTS = 64  # to one worker at a time: all that it may have answered fits in its connection

_connections: weakref.WeakSet[Any] = weakref.WeakSet()


def _close_inherited() -> None:
    """In a forked child: the loaders' ends are the parent's. A worker sees its parent's end only if no copy is open."""
    for connection in list(_connections):
        with contextlib.suppress(OSError):
            connection.close()


def _start(process: Any) -> None:
    try:
        process.start()
    except (TypeError, AttributeError, PicklingError):
        warnings.warn(
            "A worker's dataset, collate_fn or worker_init_fn cannot be pickled. Since Python 3.14 processes are made by "
            "a server ('forkserver'), which needs that: move them to the top level of a module, or ask for copies of "
            "this process with multiprocessing_context='fork'.",
            stacklevel=6,
        )
        raise


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_inherited)


@contextlib.contextmanager
def _interrupts_wait(method: str) -> Iterator[None]:
    """Ctrl-C is held back meanwhile, here and in the process that is made, until that has begun to ignore it."""
    if not hasattr(signal, "pthread_sigmask") or method == "forkserver":  # the server would go on holding it back
        yield
        return
    if method == "spawn":
        from multiprocessing import resource_tracker

        resource_tracker.ensure_running()  # it would end the holding back when it is started
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Worker:
    """The loader's view of one worker."""

    def __init__(self, process: Any, connection: Any) -> None:
        self.process = process
        self.connection = connection
        self.inbox = Inbox(connection)
        self.waiting: deque[tuple[int, int, Any]] = deque()  # until earlier requests have been answered
        self.sent = 0
        self.active = True  # False: its stream has ended

    def request(self, epoch: int, number: int, indices: Any) -> None:
        """Ask for a batch."""
        self.waiting.append((epoch, number, indices))
        self.flush()

    def flush(self) -> None:
        """Send what may be sent."""
        while self.waiting and self.sent < _REQUESTS:
            self.sent += 1
            self.inbox.request(*self.waiting.popleft())


class WorkerPool:
    """The workers of a loader: takes indices, gives batches in the order of the indices, unless told otherwise."""

    def __init__(self, loader: Any, base_seed: int) -> None:
        self._owner = os.getpid()
        self._workers: list[_Worker] = []
        self._selector = selectors.PollSelector() if hasattr(selectors, "PollSelector") else selectors.DefaultSelector()
        self._in_order = loader.in_order
        self._prefetch = loader.prefetch_factor
        self._timeout = loader.timeout
        self._keep = loader.persistent_workers
        self._epoch = -1
        self.closed = False
        context = loader.multiprocessing_context or multiprocessing.get_context()
        count = loader.num_workers
        try:
            for number in range(count):
                here, there = multiprocessing.Pipe()
                _connections.add(here)
                process = context.Process(
                    target=worker.run,
                    args=(
                        there,
                        loader.dataset,
                        loader._auto_collation,
                        loader.collate_fn,
                        loader.drop_last,
                        base_seed,
                        loader.worker_init_fn,
                        number,
                        count,
                    ),
                    daemon=True,
                )
                with _interrupts_wait(context.get_start_method()):
                    _start(process)
                there.close()
                one = _Worker(process, here)
                self._workers.append(one)
                self._selector.register(here, selectors.EVENT_READ, one)
                self._selector.register(process.sentinel, selectors.EVENT_READ, one)
        except BaseException:
            self.close()
            raise

    def start(self, indices: Iterator[Any]) -> None:
        """Begin a pass."""
        self._epoch += 1
        self._indices = indices
        self._asked = self._given = 0
        self._tasks: dict[int, _Worker] = {}  # asked for and not given
        self._load = dict.fromkeys(self._workers, 0)
        self._arrived: dict[int, tuple[str, _Worker, Any]] = {}
        self._turns = itertools.cycle(self._workers)
        for one in self._workers:
            one.active = True
            one.waiting.clear()
        for _ in range(self._prefetch * len(self._workers)):
            self._ask()

    def _ask(self) -> None:
        """Hand the next indices to the next worker whose turn it is."""
        try:
            indices = next(self._indices)
        except StopIteration:
            return
        for one in itertools.islice(self._turns, len(self._workers)):
            if one.active and (self._in_order or self._load[one] < self._prefetch):
                break
        else:
            return
        self._tasks[self._asked] = one
        self._load[one] += 1
        one.request(self._epoch, self._asked, indices)
        self._asked += 1

    def next(self) -> Any:
        """The next batch; StopIteration after the last."""
        if self.closed:
            raise StopIteration
        try:
            kind, one, packed = self._next_arrival()
            value = one.inbox.open(packed)
            self._ask()
        except StopIteration:
            if not self._keep:
                self.close()
            raise
        except BaseException:
            self.close()
            raise
        if kind == "error":
            value.reraise()
        return value

    def _next_arrival(self) -> tuple[str, _Worker, Any]:
        while True:
            while self._given < self._asked and self._given not in self._tasks:
                self._given += 1  # it has been given, or was asked of a stream that had ended
            if not self._tasks:
                raise StopIteration
            wanted = self._given if self._in_order else next(iter(self._arrived), None)
            if wanted is not None and wanted in self._arrived:
                self._load[self._tasks.pop(wanted)] -= 1
                return self._arrived.pop(wanted)
            self._receive()

    def _receive(self) -> None:
        """Wait for an answer, and note those that are there."""
        limit = time.monotonic() + self._timeout if self._timeout > 0 else None
        news = False
        while not news:
            ready = self._selector.select(None if limit is None else max(0.0, limit - time.monotonic()))
            if not ready:
                raise RuntimeError(
                    f"DataLoader timed out after {self._timeout} seconds: no worker has finished a batch in that time"
                )
            dead = []
            for key, _ in ready:
                one: _Worker = key.data
                if key.fileobj is one.connection:
                    try:
                        label, packed = one.inbox.receive()
                    except (EOFError, OSError):
                        dead.append(one)
                    else:
                        news |= self._take(label, one, packed)
                else:
                    dead.append(one)
            if dead:
                raise RuntimeError(self._obituary(dead))

    def _take(self, label: tuple[str, int, int], one: _Worker, packed: Any) -> bool:
        """Note an answer. False: it is one of an earlier pass."""
        kind, epoch, number = label
        one.sent -= 1
        if current := epoch == self._epoch:
            if kind == "end":
                del self._tasks[number]
                self._load[one] -= 1
            else:
                self._arrived[number] = (kind, one, packed)
        if kind == "end" or not current:
            one.inbox.discard(packed)
        one.flush()
        if current and kind == "end" and one.active:
            one.active = False
            self._ask()
        return current

    def _obituary(self, dead: list[_Worker]) -> str:
        """What is known of workers that ended."""
        causes = []
        for one in {id(one): one for one in dead}.values():
            one.process.join(1)
            code = one.process.exitcode
            if code is not None and code < 0:
                try:
                    cause = f"killed by signal: {signal.Signals(-code).name}"
                except ValueError:
                    cause = f"killed by signal {-code}"
                if -code == signal.SIGKILL:
                    cause += " (the system does that when memory runs out)"
            else:
                cause = f"exit code {code}"
            causes.append((one.process.pid, cause))
        pids = ", ".join(str(pid) for pid, _ in causes)
        reasons = "; ".join(cause for _, cause in causes)
        return (
            f"DataLoader worker (pid(s) {pids}) exited unexpectedly: {reasons}. "
            "With num_workers=0 the samples are loaded in this process, which shows where it happens"
        )

    def usable(self) -> bool:
        """Whether there are workers, and they are this process's."""
        return not self.closed and self._owner == os.getpid()

    def close(self) -> None:
        """Hang up, and see that every worker ends."""
        if self.closed or self._owner != os.getpid():
            return
        self.closed = True
        self._selector.close()
        for one in self._workers:
            one.connection.close()
        until = time.monotonic() + _PATIENCE
        for one in self._workers:
            one.process.join(max(0.0, until - time.monotonic()))
        for one in self._workers:
            for end in (one.process.terminate, one.process.kill):
                if one.process.exitcode is None:
                    end()
                    one.process.join(1)
        self._arrived = {}

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()
