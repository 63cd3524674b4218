"""``NumberSequenceSource`` (mirrors ``pyflink.datastream.connectors.number_seq``)."""

from __future__ import annotations

from wiesel.connectors.collections.number_sequence import NumberSequenceSpec
from wiesel.core.types import TypeInformation, Types
from wiesel.datastream.connectors.base import Source

__all__ = ["NumberSequenceSource"]


class NumberSequenceSource(Source):
    """The whole numbers from ``start`` to ``end``, both included; bounded.

    Args:
        start: first number.
        end: last number, not below ``start``.
    """

    def __init__(self, start: int, end: int) -> None:
        super().__init__(NumberSequenceSpec(start, end))

    def produced_type(self) -> TypeInformation:
        """Return LONG."""
        return Types.LONG()
