"""What runs in a worker process of a DataLoader."""

from __future__ import annotations

import functools
import pickle
import random
import signal
from typing import Any

from rushlight import _C
from rushlight._import_hook import after_import
from rushlight._utils import ExceptionWrapper
from rushlight.utils.data._utils.fetch import fetcher
from rushlight.utils.data._utils.info import WorkerInfo, get_worker_info, set_worker_info
from rushlight.utils.data._utils.transport import HungUp, Outbox
from rushlight.utils.data.dataset import IterableDataset

__all__ = ["WorkerInfo", "get_worker_info", "run"]


def run(
    connection: Any,
    dataset: Any,
    batched: bool,
    collate_fn: Any,
    drop_last: bool,
    base_seed: int,
    init_fn: Any,
    worker: int,
    workers: int,
) -> None:
    """Answer requests `(epoch, number, indices)` until the loader hangs up, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the loader's to handle: it hangs up
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # held back while this process was made
    _C.set_num_threads(1)
    where = f"in DataLoader worker process {worker}"
    seed = base_seed + worker
    _seed(seed, base_seed, worker)
    set_worker_info(WorkerInfo(worker, workers, seed, dataset))
    outbox = Outbox(connection)
    failed: ExceptionWrapper | None = None
    if init_fn is not None:
        try:
            init_fn(worker)
        except Exception:
            failed = ExceptionWrapper(where=where)
    stream = isinstance(dataset, IterableDataset)
    current, ended, failure, fetch = -1, False, failed, None
    try:
        while True:
            epoch, number, indices = outbox.receive()
            if epoch != current:
                current, ended, failure = epoch, False, failed
                if failure is None:
                    try:
                        fetch = fetcher(dataset, batched, collate_fn, drop_last)
                    except Exception:
                        failure = ExceptionWrapper(where=where)
            kind, answer = ("end", None) if ended else ("error", failure)
            if not ended and failure is None:
                try:
                    outbox.send(("batch", epoch, number), fetch(indices))  # type: ignore[misc]
                    continue
                except StopIteration:
                    if stream:
                        kind, ended = "end", True
                    else:
                        answer = ExceptionWrapper(where=where)
                except Exception:
                    answer = ExceptionWrapper(where=where)
            outbox.send((kind, epoch, number), _sendable(answer))
    except HungUp:
        return  # no more is needed


def _sendable(failure: Any) -> Any:
    """The failure, with a type that the other side can import."""
    if isinstance(failure, ExceptionWrapper):
        try:
            pickle.dumps(failure.exc_type)
        except Exception:
            failure.exc_type = RuntimeError
    return failure


def _seed(seed: int, base_seed: int, worker: int) -> None:
    """Seed the generators of this process as PyTorch's workers do."""
    random.seed(seed)
    _C.default_generator.manual_seed(seed)
    # NumPy when it is imported: to import it for this alone would take longer than many an epoch.
    after_import("numpy", functools.partial(_seed_numpy, [worker, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]))


def _seed_numpy(entropy: list[int], numpy: Any) -> None:
    numpy.random.seed(numpy.random.SeedSequence(entropy).generate_state(4))
