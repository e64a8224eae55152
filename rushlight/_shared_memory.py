"""Memory that processes share: a file without a name in /dev/shm, mapped into each of them.

The file lives as long as somebody has it open or mapped, so nothing is left behind when processes die, however they
die. To hand it to another process, the sender gives it a name of its own for each message, and the receiver takes
the name away when it opens it. Names that nobody fetched are removed when the program ends, or, if it was killed, when
the next program shares memory. A file that had a name and lost it cannot have another: what is sent again is sent as a
descriptor, which the receiver asks the sender for.
"""

from __future__ import annotations

import atexit
import itertools
import os
import sys
import tempfile
from typing import Any

from rushlight import _C

__all__ = ["empty", "given", "share", "taken"]

_LINUX = sys.platform == "linux" and os.path.isdir("/dev/shm")
_FOLDER = "/dev/shm" if _LINUX else tempfile.gettempdir()
_UNNAMED = getattr(os, "O_TMPFILE", 0) if _LINUX else 0
_serial = itertools.count()
_swept = False
_kept: dict[tuple[int, int], str] = {}  # where files cannot be without a name: what each is called


def _space() -> str:
    """What tells this machine's (or container's) process ids from those of others who use the same folder."""
    try:
        return str(os.stat("/proc/self/ns/pid").st_ino)
    except OSError:
        return "0"


def _root() -> int:
    """The process that the others of this program descend from."""
    from multiprocessing.process import current_process

    config: dict[str, Any] = current_process()._config  # type: ignore[attr-defined]  # children inherit it
    root: int = config.setdefault("rushlight_root", os.getpid())
    return root


def _prefix(root: int) -> str:
    return f"rushlight-{_space()}-{root}-"


def _fresh_name() -> str:
    global _swept
    root = _root()
    if not _swept:
        _swept = True
        _sweep()
        if root == os.getpid():
            atexit.register(_remove_own, root)
    return os.path.join(_FOLDER, f"{_prefix(root)}{os.getpid()}-{next(_serial)}")


def _remove(test: Any) -> None:
    head = f"rushlight-{_space()}-"
    for name in os.listdir(_FOLDER):
        if name.startswith(head) and test(name[len(head) :].partition("-")[0]):
            try:
                os.unlink(os.path.join(_FOLDER, name))
            except OSError:
                pass  # another process was faster, or it is not ours


def _remove_own(root: int) -> None:
    if os.getpid() == root:
        _remove(lambda pid: pid == str(root))


def _is_gone(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError):
        pass
    return False


def _sweep() -> None:
    _remove(_is_gone)


def _file(nbytes: int) -> int:
    """A new file of that size, open for reading and writing."""
    if _UNNAMED:
        fd = os.open(_FOLDER, _UNNAMED | os.O_RDWR | os.O_CLOEXEC, 0o600)
    else:
        name = _fresh_name()
        fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
        _kept[_identity(fd)] = name
    try:
        if _LINUX:
            os.posix_fallocate(fd, 0, nbytes)  # too little memory is an error now, not a crash at the first use
        else:
            os.truncate(fd, nbytes)
    except OSError as error:
        os.close(fd)
        raise RuntimeError(
            f"unable to allocate {nbytes} bytes of shared memory in {_FOLDER}: {error.strerror} ({error.errno})"
        ) from None
    return fd


def _identity(fd: int) -> tuple[int, int]:
    status = os.fstat(fd)
    return status.st_dev, status.st_ino


def empty(nbytes: int) -> Any:
    """A uint8 tensor of that many bytes (zeros) in shared memory."""
    if nbytes == 0:
        return _C.empty(0, dtype=_C.uint8)
    fd = _file(nbytes)
    try:
        return _C._map_fd(fd, nbytes, True)
    finally:
        os.close(fd)


def share(tensor: Any) -> None:
    """Move the storage of a tensor, and so all its views, into shared memory."""
    nbytes = tensor._storage_bytes()
    if nbytes == 0 or _C._storage_fd(tensor) >= 0:
        return
    fd = _file(nbytes)
    try:
        _C._share_storage(tensor, fd)
    finally:
        os.close(fd)


def given(tensor: Any) -> tuple[Any, int]:
    """A name or descriptor by which one other process can fetch the (shared) storage of a tensor, and its size."""
    fd = _C._storage_fd(tensor)
    source = f"/proc/self/fd/{fd}" if _UNNAMED else _kept[_identity(fd)]
    while True:
        name = _fresh_name()
        try:
            # Naming a folder makes Python call linkat, which follows /proc's link to the file.
            os.link(source, name, src_dir_fd=_folder_fd() if _UNNAMED else None, follow_symlinks=True)
        except FileExistsError:
            continue
        except FileNotFoundError:
            from multiprocessing.reduction import DupFd

            return DupFd(fd), tensor._storage_bytes()
        return name, tensor._storage_bytes()


def _folder_fd() -> int:
    global _folder
    if _folder < 0:
        _folder = os.open(_FOLDER, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    return _folder


_folder = -1


def taken(source: Any, nbytes: int) -> Any:
    """The memory that another process has `given`, as a uint8 tensor; the name is gone afterwards."""
    named = isinstance(source, str)
    try:
        fd = os.open(source, os.O_RDWR | getattr(os, "O_CLOEXEC", 0)) if named else source.detach()
    except (FileNotFoundError, ConnectionError):
        raise RuntimeError(
            f"shared memory{f' {source}' * named} is gone: what was sent can be received once, while the program that "
            "sent it runs"
        ) from None
    try:
        if os.fstat(fd).st_size < nbytes:
            raise RuntimeError(f"shared memory{f' {source}' * named} is smaller than the {nbytes} bytes that were sent")
        if named and _UNNAMED:
            os.unlink(source)
        elif named:
            _kept[_identity(fd)] = source
        return _C._map_fd(fd, nbytes, True)
    finally:
        os.close(fd)
