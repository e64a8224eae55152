"""Settings of `torch.save` and `torch.load`.

Example:
    >>> import rushlight as torch
    >>> torch.utils.serialization.config.load.mmap
    False
"""

from __future__ import annotations

from typing import Any

__all__ = ["load", "save"]


class load:
    """Of `torch.load`."""

    mmap: bool = False  # whether files are mapped unless the call says otherwise
    endianness: Any = None  # of files that do not tell theirs; None: little
    mmap_flags: int | None = 2  # mmap.MAP_PRIVATE
    calculate_storage_offsets: bool = False  # taken, without effect: offsets are always looked up


class save:
    """Of `torch.save`."""

    compute_crc32: bool = True
    use_pinned_memory_for_d2h: bool = False  # taken, without effect: there is no device to copy from
    storage_alignment: int = 64  # of each storage in the file, in bytes
