"""`torch.hub`: refuses to run code from the network; says where files would lie, and downloads plain files.

Reference: https://pytorch.org/docs/stable/hub.html
"""

from __future__ import annotations

import os
import re
from typing import Any
from urllib.parse import urlparse

from rushlight._later import absent_function

__all__ = ["download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url", "set_dir"]

_CODE = (
    "it would run code from a repository on the network; clone the repository, import it, and load its state_dict "
    "with torch.load"
)
load, help, list = (absent_function(f"torch.hub.{name}", _CODE) for name in ("load", "help", "list"))
_folder: str | None = None

# What libraries that have files of their own to look for take from here.
HASH_REGEX = re.compile(r"-([a-f0-9]*)\.")
READ_DATA_CHUNK = 1 << 20


def get_dir() -> str:
    """Where downloads are kept: `$TORCH_HOME/hub`, by default in the cache folder."""
    if _folder is not None:
        return _folder
    cache = os.environ.get("XDG_CACHE_HOME", os.path.join("~", ".cache"))
    return os.path.join(os.path.expanduser(os.environ.get("TORCH_HOME", os.path.join(cache, "torch"))), "hub")


def set_dir(d: Any) -> None:
    """Keep downloads in another folder."""
    global _folder
    _folder = os.path.expanduser(d)


def download_url_to_file(url: str, dst: str, hash_prefix: str | None = None, progress: bool = True) -> None:
    """Download a file; it appears when it is whole.

    Args:
        url: where it is.
        dst: where it goes.
        hash_prefix: what its SHA-256 begins with.
        progress: accepted.

    Raises:
        RuntimeError: the hash is another.
    """
    import hashlib
    import tempfile
    from urllib.request import Request, urlopen

    digest = hashlib.sha256()
    folder = os.path.dirname(os.path.abspath(dst))
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
        try:
            with urlopen(Request(url, headers={"User-Agent": "torch.hub"})) as source:
                while block := source.read(READ_DATA_CHUNK):
                    digest.update(block)
                    file.write(block)
            if hash_prefix and not digest.hexdigest().startswith(hash_prefix):
                raise RuntimeError(f'invalid hash value (expected "{hash_prefix}", got "{digest.hexdigest()}")')
            file.close()
            os.replace(file.name, dst)
        except BaseException:
            file.close()
            os.unlink(file.name)
            raise


def load_state_dict_from_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = False,
) -> Any:
    """Download a checkpoint, unless it is there already, and load it.

    Args:
        url: where it is.
        model_dir: where it is kept; by default `get_dir()/checkpoints`.
        map_location, weights_only: see `torch.load`, which never runs code from the file.
        progress: accepted.
        check_hash: the file's name says what its SHA-256 begins with: `name-HASH.pth`.
        file_name: its name in the folder; by default as in the URL.
    """
    folder = model_dir or os.path.join(get_dir(), "checkpoints")
    os.makedirs(folder, exist_ok=True)
    name = file_name or os.path.basename(urlparse(url).path)
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        found = HASH_REGEX.search(name) if check_hash else None
        download_url_to_file(url, path, found.group(1) if found else None, progress)
    import rushlight

    return rushlight.load(path, map_location=map_location, weights_only=weights_only)
