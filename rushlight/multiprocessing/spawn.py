"""`spawn`: run a function in several processes, and raise here what is raised there."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import pickle
import signal
import sys
import tempfile
import time
import traceback
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "ENV_VAR_PARALLEL_START",
    "ProcessContext",
    "ProcessException",
    "ProcessExitedException",
    "ProcessRaisedException",
    "SpawnContext",
    "spawn",
    "start_processes",
]

ENV_VAR_PARALLEL_START = "TORCH_MP_PARALLEL_START"


class ProcessException(Exception):
    """A process failed; `error_index` says which one, `error_pid` is its process id."""

    def __init__(self, msg: str, error_index: int, pid: int) -> None:
        super().__init__(msg)
        self.msg = msg
        self.error_index = error_index
        self.pid = pid

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.msg, self.error_index, self.pid)


class ProcessRaisedException(ProcessException):
    """The function raised; the message holds the traceback."""

    def __init__(self, msg: str, error_index: int, error_pid: int) -> None:
        super().__init__(msg, error_index, error_pid)


class ProcessExitedException(ProcessException):
    """The process ended by itself with a status, or was killed by a signal."""

    def __init__(
        self, msg: str, error_index: int, error_pid: int, exit_code: int, signal_name: str | None = None
    ) -> None:
        super().__init__(msg, error_index, error_pid)
        self.exit_code = exit_code
        self.signal_name = signal_name

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.msg, self.error_index, self.pid, self.exit_code, self.signal_name)


def _run(fn: Callable[..., None], index: int, args: tuple[Any, ...], error_file: str) -> None:
    """What each process does."""
    if sys.platform == "linux":
        _end_with_parent()
    try:
        fn(index, *args)
    except KeyboardInterrupt:
        pass  # the parent was interrupted too, and says so
    except Exception:
        with open(error_file, "wb") as file:
            pickle.dump(traceback.format_exc(), file)
        sys.exit(1)


def _end_with_parent() -> None:
    """Ask the system for SIGINT when the parent dies, so that none is left running."""
    import ctypes

    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGINT))
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        os.kill(os.getpid(), signal.SIGINT)


class ProcessContext:
    """The processes that `spawn(join=False)` started."""

    def __init__(self, processes: list[Any], error_files: list[str]) -> None:
        self.processes = processes
        self.error_files = error_files
        self.sentinels = {process.sentinel: index for index, process in enumerate(processes)}

    def pids(self) -> list[int]:
        """Their process ids."""
        return [int(process.pid) for process in self.processes]

    def join(self, timeout: float | None = None, grace_period: float | None = None) -> bool:
        """Wait for them. True: all have ended well; False: the timeout came first.

        When one fails the others are ended: by SIGTERM, and by SIGKILL what is still there after `grace_period` seconds.

        Raises:
            ProcessRaisedException: the function raised in one of them.
            ProcessExitedException: one ended with a status that is not 0, or by a signal.
        """
        if not self.sentinels:
            return True
        failed = None
        for sentinel in multiprocessing.connection.wait(self.sentinels.keys(), timeout=timeout):
            index = self.sentinels.pop(sentinel)  # type: ignore[call-overload]
            self.processes[index].join()
            if self.processes[index].exitcode != 0:
                failed = index
                break
        if failed is None:
            return not self.sentinels
        for process in self.processes:
            if process.is_alive():
                process.terminate()
        end = time.monotonic() + (30 if grace_period is None else grace_period)
        for process in self.processes:
            process.join(max(0, end - time.monotonic()))
        for process in self.processes:
            if process.is_alive():
                process.kill()
                process.join()
        self._raise(failed)
        raise AssertionError

    def _raise(self, index: int) -> None:
        process = self.processes[index]
        pid = int(process.pid)
        if os.path.getsize(self.error_files[index]) == 0:
            if process.exitcode < 0:
                try:
                    name = signal.Signals(-process.exitcode).name
                except ValueError:
                    name = f"<Unknown signal {-process.exitcode}>"
                raise ProcessExitedException(
                    f"process {index} terminated with signal {name}", index, pid, process.exitcode, name
                )
            raise ProcessExitedException(
                f"process {index} terminated with exit code {process.exitcode}", index, pid, process.exitcode
            )
        with open(self.error_files[index], "rb") as file:
            trace = pickle.load(file)
        raise ProcessRaisedException(
            f"\n\n-- Process {index} terminated with the following error:\n{trace}", index, pid
        )

    def __del__(self) -> None:
        for name in self.error_files:
            try:
                os.unlink(name)
            except OSError:
                pass


class SpawnContext(ProcessContext):
    """The older name of `ProcessContext`."""


def start_processes(
    fn: Callable[..., None],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """`spawn` with a choice of how processes are started: "spawn", "fork" or "forkserver"."""
    context = multiprocessing.get_context(start_method)
    processes, error_files = [], []
    for index in range(nprocs):
        handle, name = tempfile.mkstemp(prefix="pytorch-errorfile-", suffix=".pickle")
        os.close(handle)
        error_files.append(name)
        processes.append(
            context.Process(target=_run, args=(fn, index, args, name), daemon=daemon)  # type: ignore[attr-defined]
        )
    made = ProcessContext(processes=[], error_files=error_files)
    if os.environ.get(ENV_VAR_PARALLEL_START, "0") == "1" and start_method in ("spawn", "forkserver"):
        with ThreadPoolExecutor(max_workers=nprocs) as pool:
            list(pool.map(lambda process: process.start(), processes))
    else:
        for process in processes:
            process.start()
    made.__init__(processes, error_files)  # type: ignore[misc]
    if not join:
        return made
    while not made.join():
        pass
    return None


def spawn(
    fn: Callable[..., None],
    args: tuple[Any, ...] = (),
    nprocs: int = 1,
    join: bool = True,
    daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:
    """Run `fn(index, *args)` in `nprocs` new processes.

    Args:
        fn: a function at the top level of a module.
        join: wait for all of them; otherwise the `ProcessContext` is returned.
        daemon: end them when this process ends.

    Raises:
        ProcessRaisedException: the function raised in one of them; the others are ended.
        ProcessExitedException: one of them ended otherwise.

    Reference: https://pytorch.org/docs/stable/multiprocessing.html#spawning-subprocesses
    """
    if start_method != "spawn":
        warnings.warn(
            f"This method only supports start_method=spawn (got: {start_method}).\n"
            "To use a different start_method use:\n\t\t torch.multiprocessing.start_processes(...)",
            FutureWarning,
            stacklevel=2,
        )
    return start_processes(fn, args, nprocs, join, daemon, start_method="spawn")
