"""The part of pyflink.table that formats need; SQL comes later."""

from __future__ import annotations

from wiesel.core.data_types import DataTypes
from wiesel.core.row import Row, RowKind

__all__ = ["DataTypes", "Row", "RowKind"]
