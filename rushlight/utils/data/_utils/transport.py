"""How a batch travels from a worker to the process that asked for it.

What holds bytes in the batch (tensors, NumPy arrays) is copied into a segment of shared memory; the rest is pickled. A
segment is a file without a name, made by the worker, which sends its descriptor along with the first batch in it. So
there is nothing to clean up in `/dev/shm`, whoever dies. The receiver copies the bytes out and gives the segment back with
its next request: a worker that keeps up uses the same few segments, whose pages are warm, over and over.
"""

from __future__ import annotations

import contextlib
import io
import mmap
import os
import pickle
import socket
import tempfile
from typing import Any

from rushlight import _C

__all__ = ["HungUp", "Inbox", "Outbox"]

_ALIGNMENT = 64
_SMALLEST = 1 << 16
# Longer pickles go through the segment. Messages stay short, so that a worker never waits for its messages to be read:
# a loader that waits for that worker to read its requests would wait for ever.
_LONGEST_MESSAGE = 512


class HungUp(BaseException):
    """The other process has closed the connection, or is gone."""


class _Pickler(pickle.Pickler):
    """Leaves the bytes of tensors out of the pickle, as NumPy does with those of its arrays."""

    dispatch_table = {_C.Tensor: lambda tensor: _reduce(tensor)}


def _reduce(tensor: Any) -> Any:
    if tensor.requires_grad and not tensor.is_leaf:
        raise RuntimeError(
            "a DataLoader worker cannot send a tensor that has a history (it requires grad and is no leaf): "
            "call detach() on it"
        )
    if not tensor.numel():
        return _empty, (tuple(tensor.shape), tensor.dtype, tensor.requires_grad)
    data = tensor.detach().resolve_conj().contiguous()
    raw = data.reshape(-1).view(_C.uint8)
    return _rebuild, (pickle.PickleBuffer(raw), tensor.dtype, tuple(data.shape), tensor.requires_grad)


def _rebuild(raw: Any, dtype: Any, shape: tuple[int, ...], requires_grad: bool) -> Any:
    return raw.view(dtype).reshape(shape).requires_grad_(requires_grad)


def _empty(shape: tuple[int, ...], dtype: Any, requires_grad: bool) -> Any:
    return _C.empty(shape, dtype=dtype, requires_grad=requires_grad)


def _anonymous_file() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("rushlight-batch", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _socket(connection: Any) -> socket.socket:
    """The socket of a connection, to send a descriptor through."""
    made = socket.socket(fileno=os.dup(connection.fileno()))
    made.setblocking(True)  # whatever socket.setdefaulttimeout() says
    return made


def _ends(lengths: list[int]) -> list[int]:
    """Where pieces of these lengths end when each starts at a multiple of the alignment."""
    ends, start = [], 0
    for length in lengths:
        ends.append(start + length)
        start += -(-length // _ALIGNMENT) * _ALIGNMENT
    return ends


class Outbox:
    """The worker's end."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._segments: dict[int, tuple[mmap.mmap, int]] = {}  # with descriptors: some systems want them kept open
        self._free: set[int] = set()
        self._made = 0

    def receive(self) -> list[Any]:
        """The next request.

        Raises:
            HungUp: there will be none.
        """
        try:
            message = self._connection.recv_bytes()
        except (EOFError, OSError):
            raise HungUp from None
        *request, read = pickle.loads(message)
        self._free.update(read)
        return request

    def send(self, label: Any, value: Any) -> None:
        """Send a value under a label. If it cannot be pickled, the error comes before anything is sent.

        Raises:
            HungUp: nobody reads it.
        """
        out = io.BytesIO()
        buffers: list[pickle.PickleBuffer] = []
        _Pickler(out, 5, buffer_callback=buffers.append).dump(value)
        pieces: list[Any] = [buffer.raw() for buffer in buffers]
        body: Any = pickle.dumps(([len(piece) for piece in pieces], out.getvalue()), 5)
        if len(body) > _LONGEST_MESSAGE:
            pieces.append(body)
            body = None
        which, size, fd, dropped = None, 0, -1, None
        if pieces:
            ends = _ends([len(piece) for piece in pieces])
            which, fd, dropped = self._segment(ends[-1])
            segment, _ = self._segments[which]
            size = len(segment)
            for piece, end in zip(pieces, ends):
                segment[end - len(piece) : end] = piece
            if body is None:
                body = (ends[-1] - len(pieces[-1]), ends[-1])
        try:
            self._connection.send_bytes(pickle.dumps((label, body, which, size if fd >= 0 else 0, dropped), 5))
            if fd >= 0:
                with _socket(self._connection) as through:
                    socket.send_fds(through, [b"f"], [fd])
        except OSError:
            raise HungUp from None

    def _segment(self, size: int) -> tuple[int, int, int | None]:
        """A free segment of that size: its number; its descriptor if it is new; and which one was given up for it."""
        fitting = [which for which in self._free if len(self._segments[which][0]) >= size]
        if fitting:
            which = min(fitting, key=lambda one: len(self._segments[one][0]))
            self._free.remove(which)
            return which, -1, None
        dropped = self._free.pop() if self._free else None
        if dropped is not None:
            memory, fd = self._segments.pop(dropped)
            memory.close()
            os.close(fd)
        size = max(_SMALLEST, 1 << (size - 1).bit_length())
        fd = _anonymous_file()
        os.ftruncate(fd, size)
        self._made += 1
        self._segments[self._made] = (mmap.mmap(fd, size), fd)
        return self._made, fd, dropped


class Inbox:
    """The loader's end. Receiving gives a label and a pickled value; `open` makes the value of it."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._segments: dict[int, mmap.mmap] = {}
        self._read: list[int] = []

    def receive(self) -> tuple[Any, Any]:
        """A label and what `open` takes.

        Raises:
            EOFError, OSError: the worker is gone.
        """
        label, body, which, size, dropped = pickle.loads(self._connection.recv_bytes())
        if dropped is not None:
            del self._segments[dropped]
        if size:
            with _socket(self._connection) as through:
                _, fds, _, _ = socket.recv_fds(through, 1, 1)
            if len(fds) != 1:
                raise EOFError
            (fd,) = fds
            try:
                self._segments[which] = mmap.mmap(fd, size)
            finally:
                os.close(fd)
        return label, (body, which)

    def open(self, packed: Any) -> Any:
        """The value: its tensors hold copies of what lies in the segment, which is then free."""
        body, which = packed
        try:
            if which is None:
                return pickle.loads(pickle.loads(body)[1])
            segment = self._segments[which]
            lengths, pickled = pickle.loads(segment[slice(*body)] if isinstance(body, tuple) else body)
            copies = [
                _C.frombuffer(segment, dtype=_C.uint8, offset=end - length, count=length).clone()
                for length, end in zip(lengths, _ends(lengths))
            ]
            return pickle.loads(pickled, buffers=copies)
        finally:
            self.discard(packed)

    def discard(self, packed: Any) -> None:
        """Free the segment of a value that nobody wants any more."""
        if packed[1] is not None:
            self._read.append(packed[1])

    def request(self, *request: Any) -> None:
        """Ask for something. A worker that is gone is found out by whoever waits for its answer."""
        read, self._read = self._read, []
        with contextlib.suppress(OSError):
            self._connection.send_bytes(pickle.dumps((*request, read), 5))
