"""How a tensor would lie on a mesh of devices: descriptions, which can be made and compared."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Partial", "Placement", "Replicate", "Shard"]


class Placement:
    """The base of the descriptions."""

    def is_shard(self, dim: int | None = None) -> bool:
        """Whether it is cut up, along that dimension if one is given."""
        return isinstance(self, Shard) and dim in (None, self.dim)

    def is_replicate(self) -> bool:
        """Whether every device has all of it."""
        return isinstance(self, Replicate)

    def is_partial(self, reduce_op: str | None = None) -> bool:
        """Whether every device has a term of it."""
        return isinstance(self, Partial) and reduce_op in (None, self.reduce_op)


@dataclass(frozen=True)
class Shard(Placement):
    """Cut up along a dimension."""

    dim: int


@dataclass(frozen=True)
class _StridedShard(Shard):
    """Cut up along a dimension that is cut up already."""

    split_factor: int = 1


@dataclass(frozen=True)
class Replicate(Placement):
    """The same on every device."""


@dataclass(frozen=True, repr=False)
class Partial(Placement):
    """A term of it on every device."""

    reduce_op: str = "sum"

    def __repr__(self) -> str:
        return f"Partial({self.reduce_op})"
