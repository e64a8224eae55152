"""Fetching files: downloads that can be resumed and are checked, archives that cannot write outside of their folder."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import shutil
import sys
import tarfile
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "calculate_md5",
    "check_integrity",
    "check_md5",
    "download_and_extract_archive",
    "download_url",
    "extract_archive",
    "iterable_to_str",
    "list_dir",
    "list_files",
    "verify_str_arg",
]

USER_AGENT = "rushlight"
TIMEOUT = 30.0  # seconds without a byte
ATTEMPTS = 3  # a connection that breaks is taken up again where it broke


def calculate_md5(fpath: Any, chunk_size: int = 1024 * 1024) -> str:
    """The MD5 checksum of a file, in hexadecimal. It finds damage, not malice.

    >>> open("empty", "w").close()
    >>> calculate_md5("empty")
    'd41d8cd98f00b204e9800998ecf8427e'
    """
    return _digest(fpath, hashlib.md5(usedforsecurity=False), chunk_size)


def _digest(path: Any, digest: Any, chunk_size: int = 1024 * 1024) -> str:
    with open(path, "rb") as file:
        while chunk := file.read(chunk_size):
            digest.update(chunk)
    return digest.hexdigest()


def check_md5(fpath: Any, md5: str, **kwargs: Any) -> bool:
    """Whether a file has this MD5 checksum.

    >>> open("empty", "w").close()
    >>> check_md5("empty", "d41d8cd98f00b204e9800998ecf8427e")
    True
    """
    return md5 == calculate_md5(fpath, **kwargs)


def check_integrity(fpath: Any, md5: str | None = None) -> bool:
    """Whether a file exists and, if a checksum is given, has it.

    >>> check_integrity("is not there")
    False
    """
    return os.path.isfile(fpath) and (md5 is None or check_md5(fpath, md5))


class _Progress:
    """A bar on standard error; in a log file only its last state."""

    def __init__(self, name: str, done: int, total: int | None) -> None:
        self.name, self.done, self.total = name, done, total
        self.live = sys.stderr.isatty()
        self.started, self.start_at, self.drawn = time.monotonic(), done, 0.0

    def advance(self, count: int) -> None:
        self.done += count
        now = time.monotonic()
        if self.live and now - self.drawn > 0.1:
            self.drawn = now
            self._draw("")

    def _draw(self, end: str) -> None:
        rate = (self.done - self.start_at) / max(time.monotonic() - self.started, 1e-6)
        size = f"{self.done / 1e6:.1f} MB"
        if self.total:
            filled = min(self.done, self.total) * 30 // self.total
            size = f"[{'=' * filled}{' ' * (30 - filled)}] {self.done / 1e6:.1f}/{self.total / 1e6:.1f} MB"
        sys.stderr.write(("\r" if self.live else "") + f"{self.name} {size} {rate / 1e6:.1f} MB/s" + end)
        sys.stderr.flush()

    def close(self) -> None:
        self._draw("\n")


def fetch(url: str, path: Any, progress: bool = True) -> None:
    """Loads `url` into the file `path`, by way of `path`.part, which a later call continues.

    Raises:
        OSError: no connection, or one that broke `ATTEMPTS` times. What had come is kept for the next call.
    """
    part = f"{os.fspath(path)}.part"
    if urllib.parse.urlsplit(url).scheme not in ("http", "https", "file"):
        raise ValueError(f"{url!r} is no address that can be loaded: http, https and file are known")
    for attempt in range(1, ATTEMPTS + 1):
        have = os.path.getsize(part) if os.path.exists(part) else 0
        headers = {"User-Agent": USER_AGENT, **({"Range": f"bytes={have}-"} if have else {})}
        try:
            with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=TIMEOUT) as answer:
                continued = have > 0 and getattr(answer, "status", None) == 206
                start = have if continued else 0
                length = answer.headers.get("Content-Length")
                total = start + int(length) if length else None
                bar = _Progress(os.path.basename(os.fspath(path)), start, total) if progress else None
                with open(part, "ab" if continued else "wb") as file:
                    while chunk := answer.read(64 * 1024):
                        file.write(chunk)
                        if bar:
                            bar.advance(len(chunk))
                if bar:
                    bar.close()
            if total is None or os.path.getsize(part) == total:
                os.replace(part, path)
                return
            problem: OSError = ConnectionError(
                f"{url}: the connection ended after {os.path.getsize(part)} of {total} bytes"
            )
        except urllib.error.HTTPError as error:
            if error.code != 416:  # there is no such range: what lies here is not a part of this file
                raise
            os.remove(part)
            problem = error
        except ConnectionError as error:
            problem = error
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionResetError):
                raise
            problem = error
        if attempt == ATTEMPTS:
            raise problem


def download_url(url: str, root: Any, filename: Any = None, md5: str | None = None, max_redirect_hops: int = 3) -> None:
    """Loads a file into a folder, unless it is there and has the checksum.

    An interrupted download is continued by the next call.

    Args:
        url: http, https or file.
        root: the folder; it is made.
        filename: its name there, by default the last part of the address.
        md5: its checksum; a file that lacks it is loaded anew, once.
        max_redirect_hops: accepted.

    Raises:
        RuntimeError: what came does not have the checksum. It is removed.
        OSError: no connection.

    >>> download_url("https://example.org/data.bin", "data", md5="0123...")  # doctest: +SKIP
    """
    root = os.path.expanduser(root)
    name = filename or os.path.basename(urllib.parse.unquote(urllib.parse.urlsplit(url).path))
    if not name:
        raise ValueError(f"{url!r} ends with no file name; pass filename=")
    path = os.path.join(root, name)
    os.makedirs(root, exist_ok=True)
    if check_integrity(path, md5):
        return
    resumed = os.path.exists(f"{path}.part")
    fetch(url, path)
    if resumed and not check_integrity(path, md5):  # the part may have been of another file
        os.remove(path)
        fetch(url, path)
    if not check_integrity(path, md5):
        found = calculate_md5(path)
        os.remove(path)
        raise RuntimeError(
            f"File not found or corrupted: {url} came with the MD5 checksum {found}, not {md5}. Removed it."
        )


def _extract_tar(source: str, target: str) -> None:
    with tarfile.open(source, "r:*") as tar:
        base = os.path.realpath(target)
        for member in tar.getmembers():
            if not (member.isfile() or member.isdir()):
                raise RuntimeError(f"{source}: {member.name!r} is neither a file nor a folder; nothing was extracted")
            where = os.path.realpath(os.path.join(base, member.name))
            if os.path.commonpath([base, where]) != base:
                raise RuntimeError(
                    f"{source}: {member.name!r} would be written outside of {target}; nothing was extracted"
                )
        options: Any = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        for member in tar.getmembers():
            member.mode = 0o755 if member.isdir() else 0o644
            tar.extract(member, base, set_attrs=False, **options)


_OPENERS: dict[str, Any] = {".gz": gzip.open, ".xz": lzma.open, ".bz2": bz2.open}


def extract_archive(from_path: Any, to_path: Any = None, remove_finished: bool = False) -> Any:
    """Unpacks tar (also compressed), zip, gz, xz or bz2.

    Args:
        from_path: the archive.
        to_path: a folder, or for a single compressed file its new name; by default beside the archive.
        remove_finished: remove the archive afterwards.

    Returns:
        where it went.

    Raises:
        RuntimeError: the name says no format that is known, or the archive would write outside of its folder.

    >>> import gzip
    >>> _ = gzip.open("text.gz", "wb").write(b"hello")
    >>> extract_archive("text.gz"), open("text").read()
    ('text', 'hello')
    """
    source = os.fspath(from_path)
    name = source.lower()
    if name.endswith((".tar", ".tgz", ".tbz", ".tbz2", ".txz", ".tar.gz", ".tar.bz2", ".tar.xz")):
        target = os.fspath(to_path or os.path.dirname(source) or ".")
        _extract_tar(source, target)
    elif name.endswith(".zip"):
        target = os.fspath(to_path or os.path.dirname(source) or ".")
        with zipfile.ZipFile(source) as archive:
            archive.extractall(target)  # zipfile drops leading slashes and ".." itself
    elif os.path.splitext(name)[1] in _OPENERS:
        target = os.fspath(to_path or os.path.splitext(source)[0])
        with _OPENERS[os.path.splitext(name)[1]](source, "rb") as file, open(f"{target}.part", "wb") as out:
            shutil.copyfileobj(file, out)
        os.replace(f"{target}.part", target)
    else:
        raise RuntimeError(
            f"Unknown archive type of {source!r}: known are tar, tar.gz, tgz, tar.bz2, tar.xz, zip, gz, xz, bz2"
        )
    if remove_finished:
        os.remove(source)
    return target


def download_and_extract_archive(
    url: str,
    download_root: Any,
    extract_root: Any = None,
    filename: Any = None,
    md5: str | None = None,
    remove_finished: bool = False,
) -> None:
    """`download_url`, then `extract_archive` into `extract_root` (by default the same folder).

    >>> download_and_extract_archive("https://example.org/data.tar.gz", "data")  # doctest: +SKIP
    """
    download_root = os.path.expanduser(download_root)
    name = filename or os.path.basename(urllib.parse.unquote(urllib.parse.urlsplit(url).path))
    download_url(url, download_root, name, md5)
    archive = os.path.join(download_root, name)
    folder = os.fspath(extract_root if extract_root is not None else download_root)
    stem, extension = os.path.splitext(name)
    single = extension.lower() in _OPENERS and not stem.lower().endswith(".tar")
    print(f"Extracting {archive} to {folder}")
    extract_archive(archive, os.path.join(folder, stem) if single else folder, remove_finished)


def list_dir(root: Any, prefix: bool = False) -> list[str]:
    """The names of the folders in a folder, with its path in front if `prefix`.

    >>> import os
    >>> os.makedirs("data/cat")
    >>> list_dir("data"), list_dir("data", prefix=True)
    (['cat'], ['data/cat'])
    """
    root = os.path.expanduser(root)
    names = [name for name in os.listdir(root) if os.path.isdir(os.path.join(root, name))]
    return [os.path.join(root, name) for name in names] if prefix else names


def list_files(root: Any, suffix: Any, prefix: bool = False) -> list[str]:
    """The names of the files in a folder that end with `suffix` (one, or a tuple), with its path in front if `prefix`.

    >>> open("a.txt", "w").close()
    >>> list_files(".", ".txt")
    ['a.txt']
    """
    root = os.path.expanduser(root)
    names = [n for n in os.listdir(root) if os.path.isfile(os.path.join(root, n)) and n.endswith(suffix)]
    return [os.path.join(root, name) for name in names] if prefix else names


def iterable_to_str(iterable: Iterable) -> str:
    """The items in quotes, with commas between.

    >>> iterable_to_str([1, "a"])
    "'1', 'a'"
    """
    return ", ".join(f"'{item}'" for item in iterable)


def verify_str_arg(
    value: Any, arg: str | None = None, valid_values: Iterable | None = None, custom_msg: str | None = None
) -> Any:
    """The value, if it is a string and one of `valid_values`.

    Raises:
        ValueError: it is not.

    >>> verify_str_arg("train", "split", ("train", "test"))
    'train'
    """
    where = f" for argument {arg}" if arg is not None else ""
    if not isinstance(value, str):
        raise ValueError(f"Expected type str{where}, but got type {type(value)}.")
    if valid_values is not None and value not in (valid := tuple(valid_values)):
        raise ValueError(
            custom_msg or f"Unknown value '{value}'{where}. Valid values are {{{iterable_to_str(valid)}}}."
        )
    return value
