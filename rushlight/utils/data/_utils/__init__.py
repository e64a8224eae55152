"""Collating, under the name that libraries import it from."""

from rushlight.utils.data._utils import collate

__all__ = ["collate"]
