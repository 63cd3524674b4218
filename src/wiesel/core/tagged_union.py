"""An element of one of two streams that travel as one (Flink: ``TaggedUnion``, which window joins are made of)."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["TaggedUnion"]


class TaggedUnion(NamedTuple):
    """What triggers, evictors and gap extractors of a window join are given.

    Args:
        first: whether the element is one of the first stream.
        value: the element.
    """

    first: bool
    value: Any

    def is_one(self) -> bool:
        """Whether the element is one of the first stream."""
        return self.first

    def is_two(self) -> bool:
        """Whether the element is one of the second stream."""
        return not self.first

    def get_one(self) -> Any:
        """Return the element if it is one of the first stream, else None."""
        return self.value if self.first else None

    def get_two(self) -> Any:
        """Return the element if it is one of the second stream, else None."""
        return None if self.first else self.value
