"""The zip archives that PyTorch's files are: records stored as they are, each at a multiple of 64 bytes.

Reference: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

from __future__ import annotations

import errno
import os
import struct
from typing import TYPE_CHECKING, Any, NamedTuple

from rushlight import _C

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Archive", "Bytes", "Entry", "File", "Source", "Stream", "pieces", "replacing", "write_all"]

_LIMIT = 0xFFFFFFFF  # beyond it, zip writes sizes and offsets in an extra field of 64 bits
_CHUNK = 1 << 20
_BLOCK = 4 << 20
_MOST_INFLATED = 64 << 20

# ---- where bytes come from --------------------------------------------------------------------------------------------


class Source:
    """Bytes that can be read anywhere."""

    size: int
    name = "the file"

    def read(self, at: int, count: int) -> bytes:
        """Exactly that many bytes."""
        raise NotImplementedError

    def read_into(self, at: int, view: memoryview) -> None:
        """Fill the view."""
        view[:] = self.read(at, len(view))

    def read_checked(self, at: int, view: memoryview) -> int:
        """Fill the view with the bytes from `at` on; their checksum."""
        crc = 0
        for start in range(0, len(view), _CHUNK):
            part = view[start : start + _CHUNK]
            self.read_into(at + start, part)
            crc = _C._crc32(part, crc)
        return crc

    def whole(self) -> bytes:
        """All bytes."""
        return self.read(0, self.size)

    def close(self) -> None:
        """Let go of the file."""


def _cut(name: str) -> EOFError:
    return EOFError(f"{name} ended while it was read")


class File(Source):
    """A file on disk."""

    def __init__(self, path: Any) -> None:
        self.name = str(os.fspath(path))
        self.file = open(path, "rb", buffering=0)
        self.size = os.fstat(self.file.fileno()).st_size
        self._block, self._block_at = b"", 0

    def read(self, at: int, count: int) -> bytes:
        if count <= 4096:  # what is small is read in blocks: the headers of neighbours come along
            if not (self._block_at <= at and at + count <= self._block_at + len(self._block)):
                self._block, self._block_at = os.pread(self.file.fileno(), 8192, at), at
            start = at - self._block_at
            data = self._block[start : start + count]
        else:
            data = b"".join(self._parts(at, count))
        if len(data) != count:
            raise _cut(self.name)
        return data

    def _parts(self, at: int, count: int) -> Iterator[bytes]:
        while count:
            part = os.pread(self.file.fileno(), count, at)
            if not part:
                return
            yield part
            at, count = at + len(part), count - len(part)

    def read_into(self, at: int, view: memoryview) -> None:
        self.file.seek(at)
        done = 0
        while done < len(view):
            count = self.file.readinto(view[done:])
            if not count:
                raise _cut(self.name)
            done += count

    def read_checked(self, at: int, view: memoryview) -> int:
        crc = _C._read_checked(self.file.fileno(), at, view)
        if crc is None:
            raise _cut(self.name)
        return crc

    def close(self) -> None:
        self.file.close()


class Bytes(Source):
    """A buffer in memory."""

    def __init__(self, data: Any) -> None:
        self.view = memoryview(data).cast("B")
        self.size = len(self.view)

    def read(self, at: int, count: int) -> bytes:
        return bytes(self.view[at : at + count])

    def read_into(self, at: int, view: memoryview) -> None:
        view[:] = self.view[at : at + len(view)]

    def read_checked(self, at: int, view: memoryview) -> int:
        crc = _C._read_checked(self.view, at, view)
        if crc is None:
            raise _cut(self.name)
        return crc

    def close(self) -> None:
        self.view.release()


class Stream(Source):
    """An open file or what behaves like one."""

    def __init__(self, file: Any) -> None:
        self.file = file
        here = file.tell()
        self.size = file.seek(0, 2)
        if self.size is None:
            self.size = file.tell()
        file.seek(here)

    def read(self, at: int, count: int) -> bytes:
        self.file.seek(at)
        data = self.file.read(count)
        if not isinstance(data, bytes):
            raise TypeError(f"the file's read() returned {type(data).__name__}, not bytes: open it in binary mode")
        while len(data) < count:
            more = self.file.read(count - len(data))
            if not more:
                raise _cut(self.name)
            data += more
        return data

    def read_into(self, at: int, view: memoryview) -> None:
        if not hasattr(self.file, "readinto"):
            view[:] = self.read(at, len(view))
            return
        self.file.seek(at)
        done = 0
        while done < len(view):
            count = self.file.readinto(view[done:])
            if not count:
                raise _cut(self.name)
            done += count


# ---- reading ----------------------------------------------------------------------------------------------------------


class Entry(NamedTuple):
    """A record: its bytes stand at `at`, `stored` of them, `size` when inflated."""

    at: int
    stored: int
    size: int
    crc: int
    deflated: bool


def _damaged(source: Source, what: str) -> RuntimeError:
    return RuntimeError(
        f"PytorchStreamReader failed reading zip archive: {what}. {source.name} is damaged, or was not saved or copied "
        "completely"
    )


class Archive:
    """A zip archive that is read."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.entries: dict[str, tuple[int, int, int, int, int]] = {}
        self._read_directory()
        names = [name for name in self.entries if name.endswith("/data.pkl") and name.count("/") == 1]
        if not names:
            if any(name.endswith(("/constants.pkl", "/data.json")) for name in self.entries):
                raise RuntimeError(f"{source.name} is a TorchScript archive: torch.jit.load reads those")
            raise _damaged(source, "file in archive is not in a subdirectory: data.pkl")
        self.folder = names[0][: -len("data.pkl")]

    def _read_directory(self) -> None:
        source = self.source
        tail_at = max(0, source.size - 65_557)
        tail = source.read(tail_at, source.size - tail_at)
        found = tail.rfind(b"PK\x05\x06")
        if found < 0 or found + 22 > len(tail):
            raise _damaged(source, "failed finding central directory")
        count, size, offset = struct.unpack_from("<HII", tail, found + 10)
        locator = found - 20
        if locator >= 0 and tail[locator : locator + 4] == b"PK\x06\x07":
            (end_at,) = struct.unpack_from("<Q", tail, locator + 8)
            if end_at + 56 > source.size:
                raise _damaged(source, "failed finding central directory")
            end = source.read(end_at, 56)
            if end[:4] != b"PK\x06\x06":
                raise _damaged(source, "failed finding central directory")
            count, size, offset = struct.unpack_from("<QQQ", end, 32)
        if offset + size > source.size:
            raise _damaged(source, "central directory out of range")
        directory = source.read(offset, size)
        at = 0
        for _ in range(count):
            if directory[at : at + 4] != b"PK\x01\x02" or at + 46 > size:
                raise _damaged(source, "central directory is damaged")
            flags, method, _, _, crc, stored, full, n, extra, comment = struct.unpack_from(
                "<HHHHIIIHHH", directory, at + 8
            )
            (header,) = struct.unpack_from("<I", directory, at + 42)
            try:
                name = directory[at + 46 : at + 46 + n].decode("utf-8")
            except UnicodeDecodeError:
                raise _damaged(source, "a record's name is not UTF-8") from None
            if _LIMIT in (stored, full, header):
                stored, full, header = self._wide(directory[at + 46 + n : at + 46 + n + extra], stored, full, header)
            at += 46 + n + extra + comment
            if flags & 1 or method not in (0, 8) or (method == 0 and stored != full):
                raise _damaged(source, f"record {name!r} is encrypted, or compressed in an unknown way")
            if name in self.entries:
                raise _damaged(source, f"record {name!r} is there twice")
            if header + 30 + stored > offset:
                raise _damaged(source, f"record {name!r} is out of range")
            self.entries[name] = (header, stored, full, crc, method)

    def _wide(self, extra: bytes, stored: int, full: int, header: int) -> tuple[int, int, int]:
        at = 0
        while at + 4 <= len(extra):
            kind, size = struct.unpack_from("<HH", extra, at)
            if kind == 1:
                fields = iter(struct.unpack_from(f"<{min(size, len(extra) - at - 4) // 8}Q", extra, at + 4))
                full = next(fields, full) if full == _LIMIT else full
                stored = next(fields, stored) if stored == _LIMIT else stored
                header = next(fields, header) if header == _LIMIT else header
                break
            at += 4 + size
        return stored, full, header

    def __contains__(self, name: str) -> bool:
        return self.folder + name in self.entries

    def entry(self, name: str) -> Entry:
        """Where a record of the archive stands."""
        found = self.entries.get(self.folder + name)
        if found is None:
            raise _damaged(self.source, f"file not found: {self.folder}{name}")
        header, stored, full, crc, method = found
        local = self.source.read(header, 30)
        if local[:4] != b"PK\x03\x04":
            raise _damaged(self.source, f"record {name!r} has no header")
        n, extra = struct.unpack_from("<HH", local, 26)
        at = header + 30 + n + extra
        if at + stored > self.source.size:
            raise _damaged(self.source, f"record {name!r} is out of range")
        if method == 8 and full > max(_MOST_INFLATED, 20 * self.source.size):
            raise _damaged(self.source, f"record {name!r} would inflate from {stored} to {full} bytes: refused")
        return Entry(at, stored, full, crc, method == 8)

    def read(self, name: str) -> bytes:
        """The bytes of a record."""
        entry = self.entry(name)
        data = self._inflated(entry, name) if entry.deflated else self.source.read(entry.at, entry.size)
        self._check(name, entry, _C._crc32(data))
        return data

    def _inflated(self, entry: Entry, name: str) -> bytes:
        import zlib

        inflater = zlib.decompressobj(-15)
        try:
            data = inflater.decompress(self.source.read(entry.at, entry.stored), entry.size + 1)
        except zlib.error as error:
            raise _damaged(self.source, f"record {name!r} cannot be inflated: {error}") from None
        if len(data) != entry.size:
            raise _damaged(self.source, f"record {name!r} does not inflate to {entry.size} bytes")
        return data

    def _check(self, name: str, entry: Entry, crc: int) -> None:
        # PyTorch writes 0 when it was told not to compute checksums.
        if entry.crc != 0 and crc != entry.crc:
            raise _damaged(self.source, f"the checksum of record {name!r} is wrong")

    def read_into(self, name: str, entry: Entry, view: memoryview) -> None:
        """Fill the view with a record's first bytes."""
        if entry.deflated:
            view[:] = self.read(name)[: len(view)]
            return
        crc = self.source.read_checked(entry.at, view)
        if len(view) == entry.size:
            self._check(name, entry, crc)


# ---- writing ----------------------------------------------------------------------------------------------------------


def pieces(
    folder: str, records: Iterable[tuple[str, Any]], checksums: bool = True, alignment: int = 64
) -> Iterator[Any]:
    """The bytes of an archive, piece by piece. `records` are names and buffers; the buffers are not copied."""
    directory = bytearray()
    at = count = 0
    small = bytearray()  # what is small is collected
    for name, data in records:
        path = f"{folder}/{name}".encode()
        data = memoryview(data).cast("B")
        size = len(data)
        crc = _C._crc32(data) if checksums else 0
        extra = b""
        if size >= _LIMIT:
            extra = struct.pack("<HHQQ", 1, 16, size, size)
        pad = -(at + 30 + len(path) + len(extra) + 4) % alignment
        extra += b"FB" + struct.pack("<H", pad) + b"Z" * pad  # as PyTorch does it
        short = min(size, _LIMIT)
        small += struct.pack("<4s5H3I2H", b"PK\x03\x04", 45, 0x800, 0, 0, 33, crc, short, short, len(path), len(extra))
        small += path + extra
        header = at
        at += 30 + len(path) + len(extra) + size
        if size < 1 << 16:
            small += data
        else:
            yield small
            yield data
            small = bytearray()
        wide = [value for value in (size, size, header) if value >= _LIMIT]
        more = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
        directory += struct.pack(
            "<4s6H3I5H2I", b"PK\x01\x02", 45, 45, 0x800, 0, 0, 33, crc, short, short, len(path), len(more), 0, 0, 0, 0,
            min(header, _LIMIT),
        )  # fmt: skip
        directory += path + more
        count += 1
    small += directory
    size = len(directory)
    if count >= 0xFFFF or at >= _LIMIT or size >= _LIMIT:
        small += struct.pack("<4sQHHIIQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, at)
        small += struct.pack("<4sIQI", b"PK\x06\x07", 0, at + size, 1)
    short_count = min(count, 0xFFFF)
    small += struct.pack(
        "<4s4H2IH", b"PK\x05\x06", 0, 0, short_count, short_count, min(size, _LIMIT), min(at, _LIMIT), 0
    )
    yield small


def write_all(fd: int, data: Any) -> None:
    """Write the whole buffer, and have the system bring it to the disk meanwhile."""
    view = memoryview(data)
    if len(view) < _BLOCK:
        while len(view):
            view = view[os.write(fd, view) :]
        return
    at = os.lseek(fd, 0, os.SEEK_CUR)
    while len(view):
        done = os.write(fd, view[:_BLOCK])
        _C._start_writing(fd, at, done)
        at += done
        view = view[done:]


def _to_disk(fd: int) -> None:
    """Wait until the file is on the disk, if its file system can tell."""
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP):
            raise


class replacing:
    """`with replacing(path) as fd`: what is written comes to stand at `path` when all of it has been written, else nothing
    does. The file that stood there keeps its permissions, and stays as it was if anything goes wrong. Where the system can
    do it the new file has no name until then, so that not even a killed process leaves a part of one."""

    def __init__(self, path: Any) -> None:
        self.path = os.fsdecode(os.path.realpath(path))  # through links: the file is replaced, not the link
        self.temporary: str | None = None  # the name of the new file for a moment, or all the time
        self.named = False

    def __enter__(self) -> int:
        folder, name = os.path.split(self.path)
        if not os.path.isdir(folder):
            raise RuntimeError(f"Parent directory {folder} does not exist.")
        if os.path.isdir(self.path):
            raise RuntimeError(f"File {self.path} cannot be opened: it is a directory.")
        flags = os.O_RDWR | getattr(os, "O_CLOEXEC", 0)
        status, mode = None, 0o666
        try:
            import stat

            status = os.stat(self.path)
            mode = status.st_mode & 0o777
            if not stat.S_ISREG(status.st_mode) or not os.access(folder, os.W_OK):
                self.fd = os.open(self.path, os.O_WRONLY | os.O_TRUNC)  # a device, a folder that takes no new file
                return self.fd
        except FileNotFoundError:
            pass
        self.temporary = os.path.join(folder, f".{name[:200]}.{os.getpid()}.{os.urandom(4).hex()}.tmp")
        try:
            if not os.path.isdir("/proc/self/fd"):
                raise OSError
            self.fd = os.open(folder, flags | os.O_TMPFILE, mode)
        except (OSError, AttributeError):
            self.fd = os.open(self.temporary, flags | os.O_CREAT | os.O_EXCL, mode)
            self.named = True
        if status is not None:
            os.fchmod(self.fd, mode)
            if (status.st_uid, status.st_gid) != (os.geteuid(), os.getegid()):
                try:
                    os.fchown(self.fd, status.st_uid, status.st_gid)
                except OSError:
                    pass  # only root may give files away
        return self.fd

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        try:
            if kind is None and self.temporary is not None:
                _to_disk(self.fd)
                if not self.named:
                    self._give_name()
                self._replace()
        finally:
            os.close(self.fd)
            if self.named:
                os.unlink(str(self.temporary))

    def _give_name(self) -> None:
        folder = os.open(os.path.dirname(self.path), os.O_RDONLY | os.O_DIRECTORY)
        try:
            # Naming a folder makes Python call linkat, which follows /proc's link to the file.
            os.link(f"/proc/self/fd/{self.fd}", str(self.temporary), src_dir_fd=folder, follow_symlinks=True)
            self.named = True
        except OSError:
            self._copy()  # the file system does not let it have a name after all
        finally:
            os.close(folder)

    def _copy(self) -> None:
        unnamed, status = self.fd, os.fstat(self.fd)
        self.fd = os.open(str(self.temporary), os.O_RDWR | os.O_CREAT | os.O_EXCL, status.st_mode & 0o777)
        self.named = True
        try:
            for at in range(0, status.st_size, _BLOCK):
                write_all(self.fd, os.pread(unnamed, _BLOCK, at))
            _to_disk(self.fd)
        finally:
            os.close(unnamed)

    def _replace(self) -> None:
        """Rename. Freeing the blocks of a large old file takes long, and nobody needs to wait for it: it is kept open until
        another thread closes it."""
        old = -1
        try:
            if os.stat(self.path).st_size > _BLOCK:
                old = os.open(self.path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        except OSError:
            pass
        os.replace(str(self.temporary), self.path)
        self.named = False
        if old >= 0:
            import threading

            threading.Thread(target=os.close, args=(old,), daemon=True).start()
