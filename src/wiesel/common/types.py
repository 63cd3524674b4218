"""``Row`` and ``RowKind`` (mirrors ``pyflink.common.types``)."""

from wiesel.core.row import Row, RowKind

__all__ = ["Row", "RowKind"]
